"""Front matter as text: where it stands in a file, and how a value is set without touching anything else."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError as RuamelError

from sop_server.domain import yaml_reader
from sop_server.domain.yaml_reader import Entry, Table, YamlError
from sop_server.errors import InvalidInputError

Value = str | int | Sequence[str]

FENCE = "---"
KEYS = (
    "id",
    "title",
    "process",
    "department",
    "owner",
    "deputy",
    "audience",
    "systems",
    "review_every",
    "tags",
    "links",
)
_ONE_LINE = 1 << 20


class UnclosedError(Exception):
    """A first line `---` that no second one closes."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A file cut in two. `matter` is None where there is no front matter; `start` is its place in the file."""

    matter: str | None
    start: int
    body: str
    body_line: int


class _Dumper(yaml.CSafeDumper):
    """Writes every value out, also one that stands twice."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True

    def text(self, text: str) -> yaml.ScalarNode:
        """Keep a text with line breaks on one line, as escapes."""
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"' if "\n" in text else None)


_Dumper.add_representer(str, _Dumper.text)


def split(text: str) -> Parts:
    """Cut `text` behind its front matter. Raises `UnclosedError`."""
    first, newline, rest = text.partition("\n")
    if first.rstrip() != FENCE or not newline:
        return Parts(None, 0, text, 1)
    start = end = len(first) + 1
    for number, line in enumerate(io.StringIO(rest, newline="\n"), start=2):
        after = end + len(line)
        if line.rstrip() == FENCE:
            return Parts(text[start:end], start, text[after:], number + 1)
        end = after
    raise UnclosedError


def with_values(text: str, values: Mapping[str, Value]) -> str:
    """Return `text` with the keys of `values` set in its front matter, every other byte as it was.

    A new `id` comes first, other new keys last; where there is no front matter it is made. Raises
    `InvalidInputError` where the front matter is broken.
    """
    try:
        parts = split(text)
        if parts.matter is None:
            return build(values, text)
        root = yaml_reader.read_table(parts.matter)
    except UnclosedError as exc:
        raise InvalidInputError(
            "The front matter that begins in line 1 has no closing “---”. Nothing was changed; add the line."
        ) from exc
    except YamlError as exc:
        raise InvalidInputError(
            f"The front matter cannot be changed: line {exc.line + 1}: {exc.message}. "
            "Nothing was changed; mend the line first."
        ) from exc
    matter = _edited(parts.matter, root, values)
    return text[: parts.start] + matter + text[parts.start + len(parts.matter) :]


def build(front: Mapping[str, object], body: str) -> str:
    """Return a new file: the known keys of `front` in their usual order, then the others, then `body`."""
    known = [key for key in KEYS if key in front]
    order = [*known, *(key for key in front if key not in KEYS)]
    lines = "".join(_line(key, front[key]) for key in order)
    gap = "" if body.startswith("\n") or not body else "\n"
    return f"{FENCE}\n{lines}{FENCE}\n{gap}{body}"


def _edited(matter: str, root: Table | None, values: Mapping[str, Value]) -> str:
    before = yaml_reader.plain(root)
    old: dict[str, object] = dict(before) if isinstance(before, dict) else {}
    changed = {key: value for key, value in values.items() if key not in old or old[key] != _plain(value)}
    if not changed:
        return matter
    wanted = {**old, **{key: _plain(value) for key, value in changed.items()}}
    spliced = _spliced(matter, root, changed)
    return spliced if _reads_as(spliced, wanted) else _dumped(matter, changed, wanted)


def _spliced(matter: str, root: Table | None, values: Mapping[str, Value]) -> str:
    entries = {entry.key: entry for entry in root.entries} if root else {}
    indent = _column(matter, root.entries[0]) if root and root.entries else ""
    newline = "\r\n" if "\r\n" in matter else "\n"
    result = matter
    present = [(entries[key], value) for key, value in values.items() if key in entries]
    for entry, value in sorted(present, key=lambda pair: pair[0].start, reverse=True):
        key_end, end = entry.key_end, max(entry.node.end, entry.key_end)
        end = key_end + len(result[key_end:end].rstrip())
        colon = result.find(":", key_end) + 1
        result = f"{result[:colon]} {_written(value)}{result[max(end, colon) :]}"
    absent = [f"{indent}{_line(key, value)[:-1]}{newline}" for key, value in values.items() if key not in entries]
    if "id" in values and "id" not in entries:
        position = [key for key in values if key not in entries].index("id")
        result = absent.pop(position) + result
    return result + "".join(absent)


def _dumped(matter: str, values: Mapping[str, Value], wanted: Mapping[str, object]) -> str:
    # A mapping in braces, or a value whose place is not a plain span: written anew, comments and order kept.
    writer = YAML()
    writer.preserve_quotes = True
    writer.width = _ONE_LINE
    stream = io.StringIO()
    try:
        tree = writer.load(matter)
        for position, (key, value) in enumerate(values.items()):
            if key == "id" and key not in tree:
                tree.insert(0, key, value)
            elif key in tree:
                tree[key] = _plain(value)
            else:
                tree.insert(len(tree) + position, key, _plain(value))
        writer.dump(tree, stream)
    except RuamelError as exc:
        raise InvalidInputError(_UNUSUAL) from exc
    result = stream.getvalue()
    if not _reads_as(result, wanted):
        raise InvalidInputError(_UNUSUAL)
    return result


_UNUSUAL = (
    "The front matter is written in an unusual form and cannot be changed. Nothing was changed; "
    "write it as “key: value” lines."
)


def _reads_as(matter: str, wanted: Mapping[str, object]) -> bool:
    try:
        return yaml_reader.plain(yaml_reader.read(matter)) == wanted
    except YamlError:
        return False


def _line(key: str, value: object) -> str:
    return f"{_written(key)}: {_written(value)}\n"


def _written(value: object) -> str:
    """Return `value` as YAML on one line."""
    if value is None:
        return ""
    line: str = yaml.dump(
        _plain(value),
        Dumper=_Dumper,
        default_flow_style=True,
        allow_unicode=True,
        width=_ONE_LINE,
        sort_keys=False,
    )
    return line.removesuffix("\n").removesuffix("\n...")


def _plain(value: object) -> object:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _column(matter: str, entry: Entry) -> str:
    begin = matter.rfind("\n", 0, entry.start) + 1
    lead = matter[begin : entry.start]
    return lead if lead.isspace() else ""
