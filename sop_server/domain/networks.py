"""Network addresses: which of them one guesser may have at will, and are counted as one."""

from ipaddress import IPv6Address, ip_address

MOST_ADDRESS = 64
_IPV6_NETWORK_BITS = 64


def network_of(address: str) -> str:
    """Return what an address is counted under: itself, and for IPv6 the /64 that one household or server owns.

    What is no address counts as the text that it is, cut short.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address[:MOST_ADDRESS]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        kept = int(found) >> _IPV6_NETWORK_BITS << _IPV6_NETWORK_BITS
        return f"{IPv6Address(kept)}/{_IPV6_NETWORK_BITS}"
    return str(found)
