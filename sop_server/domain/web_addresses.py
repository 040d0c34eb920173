"""Addresses of the web: which of them others cannot read along."""

from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts whose traffic stays on this machine: the only ones that are spoken to without TLS."""


def is_guarded(address: object) -> bool:
    """Whether an address is one of the web that nobody else can read along: TLS, or this machine itself."""
    if not isinstance(address, str):
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
