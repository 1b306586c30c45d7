"""Who is at the coordinators' desk, since when others are not, and the presence of customers."""

from typing import Any

import pytest

from adapters.phoenix.channel import ChannelSocket
from domain.identity import BusinessId, CoordinatorId, Customer, UserId
from entrypoints.bridge.wire import MAX_KNOWN_CUSTOMERS, Broadcaster

B1 = BusinessId("b1")
MARIA = CoordinatorId("maria")


class Endpoint:
    """An endpoint that counts what is broadcast over it."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def broadcast(self, topic: str, event: str, payload: Any) -> None:
        self.events.append(event)


class Socket:
    """A joined socket on a connection of its own."""

    def __init__(self) -> None:
        self.transport = object()
        self.sent: list[Any] = []

    def broadcast_from(self, event: str, payload: Any) -> None:
        self.sent.append((event, payload))


class Desk:
    """A broadcaster under a clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.endpoint = Endpoint()
        endpoint: Any = self.endpoint
        self.broadcaster = Broadcaster(endpoint, lambda: self.now_s)

    def joins(self) -> ChannelSocket:
        socket: Any = Socket()
        self.broadcaster.coordinator_joined(B1, MARIA, socket, {})
        joined: ChannelSocket = socket
        return joined

    @property
    def absence_s(self) -> float:
        return self.broadcaster.absence_s(B1, MARIA)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_who_leaves_is_away_from_then_on_and_who_comes_back_is_there(desk: Desk) -> None:
    socket = desk.joins()
    desk.now_s += 500
    there = desk.absence_s
    desk.broadcaster.coordinator_left(B1, socket)
    desk.now_s += 100
    away = desk.absence_s
    again = desk.joins()
    back = desk.absence_s
    desk.broadcaster.coordinator_left(B1, again)

    assert (there, away, back, desk.absence_s) == (0.0, 100.0, 0.0, 0.0)


def test_who_has_a_second_tab_is_there(desk: Desk) -> None:
    first, second = desk.joins(), desk.joins()
    desk.broadcaster.coordinator_left(B1, first)
    desk.now_s += 500
    there = desk.absence_s
    desk.broadcaster.coordinator_left(B1, second)
    desk.now_s += 1

    assert (there, desk.absence_s) == (0.0, 1.0)


def test_who_was_not_there_since_the_start_is_away_since_the_start(desk: Desk) -> None:
    desk.now_s += 7

    assert desk.absence_s == 7.0


def test_the_presence_of_so_many_customers_is_remembered_that_were_reported_last(
    desk: Desk,
) -> None:
    socket: Any = Socket()
    for number in range(MAX_KNOWN_CUSTOMERS + 1):
        desk.broadcaster.customer_changed(Customer(B1, UserId(f"u{number}")), socket, True)

    def online(number: int) -> bool | None:
        return desk.broadcaster.customer_online(Customer(B1, UserId(f"u{number}")))

    assert (online(0), online(1), online(MAX_KNOWN_CUSTOMERS)) == (None, True, True)
    desk.broadcaster.program_left(Customer(B1, UserId("u1")), socket)
    assert online(1) is None
