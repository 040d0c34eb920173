"""The bytes of an SOP as they are kept: one normal form, and its hash."""

import hashlib
import re

from sop_server.errors import InvalidInputError

MAX_BYTES = 1024 * 1024

_BOM = "\ufeff"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class UnreadableContentError(InvalidInputError):
    """The content cannot be kept as text; `line` (1-based) says where."""

    def __init__(self, message: str, *, line: int) -> None:
        super().__init__(message, fields={"content": message})
        self.line = line


def normalise(raw: bytes | str) -> str:
    """Return the form that is kept: no BOM, LF, exactly one newline at the end.

    Raises `UnreadableContentError` for what is not UTF-8, holds control characters, or passes `MAX_BYTES`.
    """
    # CRLF and BOM may fall away, so only what is far too large is refused before it is read.
    if len(raw) > 2 * MAX_BYTES:
        raise _too_large(f"more than {2 * MAX_BYTES:,}")
    text = (_decode(raw) if isinstance(raw, bytes) else raw).lstrip(_BOM)
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    control = _CONTROL.search(text)
    if control is not None:
        line = text.count("\n", 0, control.start()) + 1
        raise UnreadableContentError(
            f"Line {line} holds the control character U+{ord(control.group()):04X}. Nothing was saved; "
            "remove the character and try again.",
            line=line,
        )
    size = len(_encode(text))
    if size > MAX_BYTES:
        raise _too_large(f"{size:,}")
    return text


def content_hash(text: str) -> str:
    """Return the lower-case SHA-256 of the UTF-8 bytes of `text`, which is in normal form."""
    return hashlib.sha256(_encode(text)).hexdigest()


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        kind = " It looks like UTF-16." if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        raise UnreadableContentError(
            f"The file is not UTF-8: byte {exc.start} (line {line}) is 0x{raw[exc.start]:02X}.{kind} "
            "Nothing was saved; save the file as UTF-8 and try again.",
            line=line,
        ) from exc


def _encode(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as exc:
        line = text.count("\n", 0, exc.start) + 1
        raise UnreadableContentError(
            f"Line {line} holds U+{ord(text[exc.start]):04X}, half of a character. Nothing was saved; "
            "type the character again.",
            line=line,
        ) from exc


def _too_large(size: str) -> UnreadableContentError:
    return UnreadableContentError(
        f"The file has {size} bytes and the limit is {MAX_BYTES:,} (1 MiB). Nothing was saved; "
        "split the procedure, or move what is large into attachments.",
        line=1,
    )
