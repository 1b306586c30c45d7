"""The limits of connections by the settings."""

import math
import resource
from collections.abc import Callable, Sequence
from dataclasses import replace

from adapters.phoenix.limits import ConnectionLimits, Connections
from entrypoints.access.client_address import Network, group_of_text, is_proxy, parse_networks
from entrypoints.settings import Settings

BURST_S = 30.0
"""A socket that was silent for this time may send the frames of all of it at once."""
FIRST_S = 15.0
"""The time of which a new socket may send the frames at once."""
MIB = 1024 * 1024
USERS_PER_SOCKET = 100
"""Users for whom the AI agent server speaks at once on its socket at the bridge."""


def connections(
    settings: Settings,
    on_refusal: Callable[[str], None] = lambda limit: None,
    *,
    users_per_socket: int = 1,
) -> Connections:
    """Return the counts of a program's connections, with their limits.

    `users_per_socket`: the users who may speak over one socket, each with a budget of frames.
    Raises: BadSetting.
    """
    proxies = parse_networks(settings.trusted_proxies)
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = ConnectionLimits(
        max_waiting_bytes=settings.limit_waiting_mib * MIB,
        max_descriptors=math.inf if descriptors == resource.RLIM_INFINITY else descriptors,
        frames_per_s=math.inf,
        first_frames=math.inf,
        max_burst_frames=math.inf,
    )
    if settings.rate_limits == "on":
        frames_per_s = settings.limit_frames_per_s * users_per_socket
        limits = replace(
            limits,
            frames_per_s=frames_per_s,
            first_frames=frames_per_s * FIRST_S,
            max_burst_frames=frames_per_s * BURST_S,
            max_connections=settings.limit_connections,
            max_connections_per_address=settings.limit_connections_per_address,
        )
    return Connections(
        limits, on_refusal=on_refusal, group_of=lambda address: _group(address, proxies)
    )


def bridge_connections(settings: Settings) -> Connections:
    """Return the counts of the reference bridge's connections. Raises: BadSetting."""
    return connections(settings, users_per_socket=USERS_PER_SOCKET)


def _group(address: str, proxies: Sequence[Network]) -> str | None:
    return None if is_proxy(address, proxies) else group_of_text(address)
