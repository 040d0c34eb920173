"""The keys by which the audit chain names people: random, and forgotten with the person.

An event is never changed, so nothing that says who somebody is may stand in one. On the way in, each address of a
person becomes their key; on the way out, each key becomes the present address again, or somebody forgotten.
"""

import re
import secrets
from base64 import b32encode
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sop_server.domain.people import MAX_EMAIL
from sop_server.domain.permissions import Role

UNKNOWN: Final = "unknown address"
"""Stands in the chain for an address that nobody here has: a hash of one could be tried out, so nothing is kept."""

_BYTES = 10
_KEY = re.compile(r"\bP-[A-Z2-7]{16}\b")
# A bounded start: a long text without an address is read in time that grows with its length alone.
_ADDRESS = re.compile(
    rf"[^\s@<>()\[\]{{}}\\,;:\"'“”„\u2018\u2019/=?&|\x00-\x1f\x7f]{{1,{MAX_EMAIL}}}"
    rf"@[\w-]{{1,{MAX_EMAIL}}}(?:\.[\w-]{{1,{MAX_EMAIL}}})*"
)
_ROLES = frozenset(role.value for role in Role)


def new_key() -> str:
    """Return a key that nobody has; 80 random bits."""
    return f"P-{b32encode(secrets.token_bytes(_BYTES)).decode()}"


def pseudonym(key: str) -> str:
    """Return what a person is called whose data was erased."""
    return f"former colleague {key}"


def forgotten(key: str) -> str:
    """Return how the trail calls somebody whose key was forgotten."""
    return f"somebody forgotten ({key})"


def addresses_in(value: object) -> Iterator[str]:
    """Yield what may be an address of a person in a text, or in the texts of a list or mapping; in lower case."""
    for text in _texts(value):
        if "@" in text:
            yield text.lower()
            yield from (found.group().lower() for found in _ADDRESS.finditer(text))


def keys_in(value: object) -> Iterator[str]:
    """Yield what may be a key in a text, or in the texts of a list or mapping."""
    for text in _texts(value):
        if "P-" in text:
            yield from _KEY.findall(text)


def sealed(value: Any, keys: Mapping[str, str]) -> Any:
    """Return JSON with a key in the place of each address; `keys` are by address, other addresses become UNKNOWN."""

    def inside(text: str) -> str:
        if "@" not in text:
            return text
        whole = keys.get(text.lower())
        return whole or _ADDRESS.sub(lambda found: _sealed(found.group(), keys), text)

    return _mapped(value, inside)


def unsealed(value: Any, people: Mapping[str, str | None]) -> Any:
    """Return JSON with the present address in the place of each key; `people` are by key, None: forgotten."""

    def known(found: re.Match[str]) -> str:
        key = found.group()
        return (people[key] or forgotten(key)) if key in people else key

    return _mapped(value, lambda text: _KEY.sub(known, text) if "P-" in text else text)


def _sealed(address: str, keys: Mapping[str, str]) -> str:
    name, _, place = address.partition("@")
    if address.lower() not in keys and name in _ROLES and "." not in place:
        return address  # a role: `approver@payments` is nobody's address
    return keys.get(address.lower(), UNKNOWN)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _texts(name)
            yield from _texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)


def _mapped(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_mapped(name, change): _mapped(one, change) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mapped(one, change) for one in value]
    return value
