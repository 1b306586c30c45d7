"""The limits of connections, by the settings; and the file descriptors that they need."""

import math
import resource
from collections.abc import Iterator

import pytest

from adapters.phoenix.limits import ConnectionLimits
from entrypoints.access.connection_limits import (
    bridge_connections,
    connections,
)
from entrypoints.access.descriptors import descriptors_needed, raise_descriptor_limit
from entrypoints.settings import Settings


@pytest.fixture
def open_files() -> Iterator[tuple[int, int]]:
    """The process's limits of open files, which are restored."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield soft, hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_defaults_of_the_settings_are_those_of_the_protocols() -> None:
    chosen, default = connections(Settings()).limits, ConnectionLimits()

    assert (chosen.frames_per_s, chosen.first_frames, chosen.max_burst_frames) == (
        default.frames_per_s,
        default.first_frames,
        default.max_burst_frames,
    )
    assert chosen.max_waiting_bytes == default.max_waiting_bytes
    assert (chosen.max_connections, chosen.max_connections_per_address) == (2_000, 200)


def test_with_rate_limits_off_only_what_waits_is_bounded() -> None:
    chosen = connections(Settings(rate_limits="off", limit_waiting_mib=3)).limits

    assert chosen.max_burst_frames == chosen.first_frames == chosen.max_connections == math.inf
    assert chosen.max_connections_per_address == math.inf
    assert chosen.max_waiting_bytes == 3 * 1024 * 1024
    assert chosen.head_timeout_s == 10


def test_the_socket_of_the_server_at_the_bridge_has_the_frames_of_many_users() -> None:
    assert bridge_connections(Settings()).limits.frames_per_s == 100 * 20


def test_a_proxys_connections_do_not_count_for_its_address() -> None:
    settings = Settings(limit_connections_per_address=1, trusted_proxies="10.0.0.0/8")
    counted = connections(settings)

    outcomes = [
        counted.admit(address, 5) for address in ("10.1.2.3", "10.1.2.3", "192.0.2.1", "192.0.2.1")
    ]

    assert outcomes == [None, None, None, "connections_per_address"]


def test_a_network_of_ipv6_has_the_connections_of_one_address() -> None:
    counted = connections(Settings(limit_connections_per_address=1))

    assert counted.admit("2001:db8:1:2::1", 5) is None
    assert counted.admit("2001:db8:1:2:ffff::9", 5) == "connections_per_address"
    assert counted.admit("2001:db8:1:3::1", 5) is None


def test_the_soft_limit_of_open_files_is_raised_as_far_as_needed(
    open_files: tuple[int, int],
) -> None:
    _, hard = open_files
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))

    assert raise_descriptor_limit(300) == 300
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (300, hard)
    assert raise_descriptor_limit(280) == 300
    if hard != resource.RLIM_INFINITY:
        assert raise_descriptor_limit(hard + 1) == hard


def test_sockets_connections_and_the_servers_own_files_need_descriptors() -> None:
    assert descriptors_needed(Settings(limit_sockets=100, limit_connections=10)) == 174
