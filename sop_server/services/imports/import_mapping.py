"""The mapping file of an import: which key of ours is made from which key of the source.

YAML, JSON or TOML, told by the file's ending. Each entry at its top is a key of ours with the source's key, or a list
of them; two entries are sections:

    owner: owner_slack              # our key: the source's key
    tags: [section, type]           # several: lists are joined, of single values the first that fits is taken
    review_every: review_in
    last_review: last_reviewed_on   # becomes a periodic review of that date
    constants:                      # what a file has where it says nothing itself
      department: govuk
      systems: [GOV.UK]
    values:                         # a source's words in ours, by our key
      owner: {"#find-and-view-tech": asha@example.com}

What is taken for a key, in this order: the mapped keys, the file's own key, `constants`, the defaults of the command.
`review_every: review_in` and `last_review: last_reviewed_on` hold without a mapping file too. Every key of the source
stays where it is; a value of one of *our* keys that does not fit, or that another one replaced, is kept as
`source_<key>`.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from sop_server.domain.front_matter_text import KEYS, Value
from sop_server.errors import InvalidInputError
from sop_server.services.imports.import_fitting import fit

LAST_REVIEW = "last_review"
OWN_KEYS = (*(key for key in KEYS if key != "id"), LAST_REVIEW)
CONSTANTS = "constants"
VALUES = "values"

_DEFAULTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"review_every": ("review_in",), LAST_REVIEW: ("last_reviewed_on",)}
)
_LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """`keys`: our key to the source's; `constants`: values where a file has none; `values`: words replaced, by key."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _DEFAULTS)
    constants: Mapping[str, Value] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def translated(self, key: str, texts: Sequence[str]) -> list[str]:
        """Return a source's words for one of our keys, those that the mapping names replaced."""
        words = self.values.get(key, {})
        return [words.get(text.strip(), text) for text in texts]


def load_mapping(path: Path) -> ImportMapping:
    """Read a mapping file; raises InvalidInputError that says what of it cannot be used."""
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as exc:
        raise InvalidInputError(
            f"The mapping {path} cannot be read: {exc.strerror}. Nothing was imported; check the path."
        ) from exc
    if len(raw) > _LARGEST:
        raise _unusable(path, f"it is larger than {_LARGEST:,} bytes")
    try:
        text = raw.decode("utf-8-sig")
        match path.suffix.lower():
            case ".json":
                read = json.loads(text)
            case ".toml":
                read = tomllib.loads(text)
            case _:
                read = yaml.load(text, Loader=yaml.CSafeLoader)
    except (ValueError, yaml.YAMLError, RecursionError) as exc:
        raise _unusable(path, " ".join(str(exc).split())) from exc
    try:
        return mapping_from(read)
    except InvalidInputError as exc:
        raise _unusable(path, exc.message) from exc


def mapping_from(read: object) -> ImportMapping:
    """Return the mapping that plain values describe; raises InvalidInputError naming the entry that is wrong."""
    entries = _table({} if read is None else read, "the mapping")
    constants = _table(entries.pop(CONSTANTS, {}), CONSTANTS)
    values = _table(entries.pop(VALUES, {}), VALUES)
    _known([*entries, *values], OWN_KEYS)
    _known(constants, tuple(key for key in OWN_KEYS if key not in {"title", LAST_REVIEW}))
    return ImportMapping(
        keys={**_DEFAULTS, **{key: tuple(_texts(value, key)) for key, value in entries.items()}},
        constants={key: _constant(key, value) for key, value in constants.items()},
        values={
            key: {str(word): _text(ours, f"{VALUES}.{key}") for word, ours in _table(words, f"{VALUES}.{key}").items()}
            for key, words in values.items()
        },
    )


def _constant(key: str, value: object) -> Value:
    fitted = fit(key, _texts(value, f"{CONSTANTS}.{key}"))
    if fitted.value is None or fitted.misfits:
        raise InvalidInputError(f"“{CONSTANTS}.{key}” {fitted.wanted}")
    return fitted.value


def _known(keys: Sequence[str] | Mapping[str, Any], allowed: Sequence[str]) -> None:
    unknown = sorted(str(key) for key in keys if key not in allowed)
    if unknown:
        raise InvalidInputError(f"“{unknown[0]}” is none of {', '.join(allowed)}")


def _table(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInputError(f"{name} must be a list of “key: value” lines")
    return {str(key): inner for key, inner in value.items()}


def _texts(value: object, name: str) -> list[str]:
    return [_text(item, name) for item in value] if isinstance(value, list) else [_text(value, name)]


def _text(value: object, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not str(value).strip():
        raise InvalidInputError(f"“{name}” must be a text, or a list of texts")
    return str(value).strip()


def _unusable(path: Path, why: str) -> InvalidInputError:
    return InvalidInputError(f"The mapping {path} cannot be used: {why}. Nothing was imported; correct the file.")
