"""The door of a proxy that signs people in itself: who is believed about whom."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from sop_server.errors import InvalidInputError

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_OURS = frozenset({"authorization", "cookie", "host", "forwarded", "x-forwarded-for", "x-forwarded-host"})


@dataclass(frozen=True, slots=True)
class ProxyDoor:
    """`header` names the person by e-mail address, and is believed of whoever connects from one of `networks`."""

    header: str
    networks: tuple[IPv4Network | IPv6Network, ...]

    def admits(self, peer: str) -> bool:
        """Whether the one at the other end of the connection is believed; `peer` is its own address."""
        try:
            found = ip_address(peer)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None)
        return any((mapped or found) in network for network in self.networks)


def parse_header(text: str) -> str:
    """Return the name of a header that may name people; raises InvalidInputError."""
    if _HEADER.fullmatch(text) is None or text.lower() in _OURS:
        raise InvalidInputError("must be the name of a header of your proxy, such as X-Forwarded-Email")
    return text


def parse_networks(texts: Iterable[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return addresses and networks; raises InvalidInputError for what is none, and for everybody."""
    found = []
    for text in texts:
        try:
            network = ip_network(text)
        except ValueError as error:
            raise InvalidInputError(f"“{text}” is no address or network such as 10.0.0.5 or 10.0.0.0/24") from error
        if network.prefixlen == 0:
            raise InvalidInputError(f"“{text}” is everybody: anyone could come in as anyone")
        found.append(network)
    return tuple(found)
