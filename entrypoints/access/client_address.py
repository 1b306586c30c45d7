"""The address of a client, also behind trusted proxies."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from adapters.phoenix.channel import ConnectInfo
from entrypoints.settings import BadSetting

MAX_HOPS = 20
"""The longest chain of proxies that is followed."""

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def parse_networks(text: str) -> tuple[Network, ...]:
    """Parse TRUSTED_PROXIES: comma-separated addresses and networks. Raises: BadSetting."""
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise BadSetting(
            "TRUSTED_PROXIES must be addresses or networks, such as 10.0.0.0/8, "
            f"separated by commas: {error}"
        ) from None


def address_group(info: ConnectInfo, proxies: Sequence[Network]) -> str:
    """Return what limits per address count by: an IPv4 address, or the /64 of an IPv6 one.

    A household or a machine usually has a whole /64. X-Forwarded-For is read from its right end,
    where the nearest proxy has written, and only as far as the trusted proxies go: what stands left
    of that, anybody can have written.
    """
    if info.client is None:
        return ""
    if not proxies:
        return group_of_text(info.client[0])
    peer = _address(info.client[0])
    if peer is None:
        return ""
    for hop in reversed(info.forwarded_for[-MAX_HOPS:]):
        if not any(peer in network for network in proxies):
            break
        named = _address(hop)
        if named is None:
            break  # the proxy itself does not know
        peer = named
    return _group(peer)


def _address(text: str) -> Address | None:
    """Parse an address as proxies write it: some add a port, and brackets around an IPv6 one."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_proxy(text: str, proxies: Sequence[Network]) -> bool:
    """Return True if an address is a trusted proxy's."""
    address = _address(text) if proxies else None
    return address is not None and any(address in network for network in proxies)


@lru_cache(maxsize=4_096)
def group_of_text(text: str) -> str:
    """Return the group of an address that is a client's own."""
    address = _address(text)
    return _group(address) if address is not None else ""


def _group(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"
