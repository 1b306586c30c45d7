"""Where a client is: its address, also behind proxies whose word is taken for it."""

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
"""Proxies in a row that are looked behind."""

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def networks(text: str) -> tuple[Network, ...]:
    """TRUSTED_PROXIES: addresses and networks, separated by commas. Raises: BadSetting."""
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise BadSetting(
            "TRUSTED_PROXIES must be addresses or networks, such as 10.0.0.0/8, "
            f"separated by commas: {error}"
        ) from None


def place_of(info: ConnectInfo, proxies: Sequence[Network]) -> str:
    """What one client's address is known by: of IPv6 it is the /64, which one household has.

    X-Forwarded-For is read from its right end, where the nearest proxy has written, and no further
    than the proxies go: what stands left of that, anybody can have written.
    """
    if info.client is None:
        return ""
    if not proxies:
        return _place_named(info.client[0])
    peer = _address(info.client[0])
    if peer is None:
        return ""
    for hop in reversed(info.forwarded_for[-MAX_HOPS:]):
        if not any(peer in network for network in proxies):
            break
        named = _address(hop)
        if named is None:
            break  # not even a proxy of ours knows
        peer = named
    return _place(peer)


def _address(text: str) -> Address | None:
    """An address as proxies write it: some add a port, and brackets around an IPv6 one."""
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


@lru_cache(maxsize=4_096)
def _place_named(text: str) -> str:
    address = _address(text)
    return _place(address) if address is not None else ""


def _place(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"
