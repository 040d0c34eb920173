"""Where an imported file lives in the library: its path in the source, made safe for every clone."""

import hashlib
import posixpath
import unicodedata

from sop_server.errors import InvalidInputError
from sop_server.services.drafts.paths import checked_path

_FORBIDDEN = frozenset('\\:*?"<>|')
_MOST_FOLDERS = 11
_LONGEST_NAME = 80
_SUFFIX = ".md"


def library_path_of(source: str) -> str:
    """Return the path under which a source file is kept; the same for the same source path, and its own if it can be.

    Links between files go on working, since everything that is safe stays where it was.
    """
    if _is_safe(source):
        return source
    *folders, name = [part for part in source.replace("\\", "/").split("/") if part not in {"", ".", ".."}] or [_SUFFIX]
    stem = name[: -len(_SUFFIX)] if name.lower().endswith(_SUFFIX) else name
    kept = [_folder(part) for part in folders[:_MOST_FOLDERS]]
    path = posixpath.join(*kept, _component(stem) + _SUFFIX)
    if _is_safe(path):
        return path
    # Too long: what is cut off is told apart by a few digits of the whole.
    digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{_component(stem)[:_LONGEST_NAME].strip()}-{digest}{_SUFFIX}"


def _is_safe(path: str) -> bool:
    try:
        checked_path(path)
    except InvalidInputError:
        return False
    parts = path.split("/")
    return (
        unicodedata.is_normalized("NFC", path)
        and all(part == _component(part) for part in parts)
        and not any(part.lower().endswith(_SUFFIX) for part in parts[:-1])
    )


def _folder(part: str) -> str:
    name = _component(part)
    # A folder that is named like a file would stand in the way of a file of that name.
    return f"{name[: -len(_SUFFIX)]}-md" if name.lower().endswith(_SUFFIX) else name


def _component(part: str) -> str:
    text = unicodedata.normalize("NFC", part)
    visible = "".join(
        "-" if character in _FORBIDDEN or not character.isprintable() else character
        for character in text
        if unicodedata.category(character) != "Cf"
    )
    name = visible.strip().lstrip(".-").strip()
    # git keeps names that begin so for itself.
    name = name.replace("~", "-") if name.casefold().startswith("git~") else name
    return name or "untitled"
