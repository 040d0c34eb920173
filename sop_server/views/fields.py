"""What people type into forms and addresses, read into types."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from sop_server.domain.instants import parse_instant
from sop_server.errors import InvalidInputError

_LONGEST_NUMBER = 9


def text(form: Mapping[str, str], name: str) -> str:
    """Return a line as it was typed, without the blanks around it."""
    return form.get(name, "").strip()


def choice(form: Mapping[str, str], name: str) -> str | None:
    """Return a value, None where nothing was chosen."""
    return text(form, name) or None


def instant(form: Mapping[str, str], name: str) -> datetime | None:
    """Return an instant; one without an offset, as a browser's own field sends it, is UTC. None where it is empty."""
    typed = text(form, name)
    if not typed:
        return None
    try:
        local = datetime.fromisoformat(typed)
    except ValueError:
        return parse_instant(typed, field=name)
    return local.replace(tzinfo=UTC) if local.tzinfo is None else parse_instant(typed, field=name)


def number(form: Mapping[str, str], name: str) -> int | None:
    """Return a whole number, None where it is empty; raises InvalidInputError for anything else."""
    typed = text(form, name)
    if not typed:
        return None
    digits = typed.removeprefix("r")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_NUMBER):
        raise InvalidInputError(
            f"“{typed[:40]}” is not a number that can be used for “{name}”. Nothing was changed.",
            fields={name: "must be a number"},
        )
    return int(digits)


def names(form: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return what was typed between commas, semicolons or on lines of its own, each once."""
    typed = form.get(name, "").replace(";", ",").replace("\n", ",")
    return tuple(dict.fromkeys(part.strip() for part in typed.split(",") if part.strip()))


def local_address(address: str | None, *, otherwise: str) -> str:
    """Return an address of this server to go on to; whatever could lead elsewhere becomes `otherwise`."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")) or not address.isprintable():
        return otherwise
    parts = urlsplit(address)
    return otherwise if parts.scheme or parts.netloc or "\\" in address else address
