"""The fan-out within one process."""

import logging

import pytest

from adapters.memory.fanout import MemoryFanout
from application.ports import Event, Typing
from domain.identity import Customer, customer

ANA, DAN = customer("b1", "ana"), customer("b1", "dan")
SIGN = Typing("ai", 6_000)


def test_listeners_are_called_in_the_order_of_subscription() -> None:
    fanout, received = MemoryFanout(), list[str]()
    fanout.subscribe(ANA, lambda event: received.append("first"))
    fanout.subscribe(ANA, lambda event: received.append("second"))
    fanout.publish(ANA, SIGN)

    assert received == ["first", "second"]


def test_no_listener_receives_another_customers_events() -> None:
    fanout, received = MemoryFanout(), list[Event]()
    fanout.subscribe(ANA, received.append)
    fanout.publish(DAN, SIGN)
    fanout.publish(customer("b2", "ana"), SIGN)

    assert received == []


def test_an_unsubscribed_listener_receives_nothing_and_may_unsubscribe_twice() -> None:
    fanout, received, others = MemoryFanout(), list[Event](), list[Event]()
    fanout.subscribe(ANA, received.append)
    fanout.subscribe(ANA, others.append)
    fanout.unsubscribe(ANA, received.append)
    fanout.unsubscribe(ANA, received.append)
    fanout.unsubscribe(DAN, received.append)
    fanout.publish(ANA, SIGN)

    assert others == [SIGN]


def test_a_listener_that_fails_disturbs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: Event) -> None:
        raise ValueError("a bug in a listener")

    fanout, received = MemoryFanout(), list[Event]()
    fanout.subscribe(ANA, broken)
    fanout.subscribe(ANA, received.append)
    with caplog.at_level(logging.ERROR):
        fanout.publish(ANA, SIGN)

    assert received == [SIGN]
    assert [record.__dict__["action"] for record in caplog.records] == ["listener_failed"]


def test_listeners_may_subscribe_and_unsubscribe_during_a_publication() -> None:
    fanout, received = MemoryFanout(), list[Event]()

    def once(event: Event) -> None:
        fanout.unsubscribe(ANA, once)
        fanout.subscribe(ANA, received.append)

    fanout.subscribe(ANA, once)
    fanout.publish(ANA, SIGN)
    early = list(received)
    fanout.publish(ANA, SIGN)

    assert early == []
    assert received == [SIGN]


def test_customers_without_listeners_leave_nothing_behind() -> None:
    fanout = MemoryFanout()
    for number in range(100):
        listener = list[Event]().append
        fanout.subscribe(customer("b1", f"u{number}"), listener)
        fanout.unsubscribe(customer("b1", f"u{number}"), listener)

    assert not fanout._listeners


def test_a_tap_receives_the_events_of_every_customer_until_it_is_removed() -> None:
    fanout, received = MemoryFanout(), list[tuple[Customer, Event]]()

    def tap(customer: Customer, event: Event) -> None:
        received.append((customer, event))

    fanout.tap(tap)
    fanout.publish(ANA, SIGN)
    fanout.publish(DAN, SIGN)
    fanout.untap(tap)
    fanout.untap(tap)
    fanout.publish(ANA, SIGN)

    assert received == [(ANA, SIGN), (DAN, SIGN)]


def test_a_tap_that_fails_disturbs_neither_listeners_nor_taps(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(customer: Customer, event: Event) -> None:
        raise ValueError("a bug in a tap")

    fanout, received = MemoryFanout(), list[Event]()
    fanout.tap(broken)
    fanout.tap(lambda customer, event: received.append(event))
    fanout.subscribe(ANA, received.append)
    with caplog.at_level(logging.ERROR):
        fanout.publish(ANA, SIGN)

    assert received == [SIGN, SIGN]
    assert [record.__dict__["action"] for record in caplog.records] == ["listener_failed"]
