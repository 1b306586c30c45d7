"""The fan-out within one process."""

import logging

import pytest

from adapters.memory.fanout import MemoryFanout
from application.ports import Event, Typing
from domain.identity import Customer, customer

ANA, DAN = customer("b1", "ana"), customer("b1", "dan")
SIGN = Typing("ai", 6_000)


def test_listeners_hear_in_the_order_in_which_they_came() -> None:
    fanout, heard = MemoryFanout(), list[str]()
    fanout.subscribe(ANA, lambda event: heard.append("first"))
    fanout.subscribe(ANA, lambda event: heard.append("second"))
    fanout.publish(ANA, SIGN)

    assert heard == ["first", "second"]


def test_nobody_hears_what_is_another_customers() -> None:
    fanout, heard = MemoryFanout(), list[Event]()
    fanout.subscribe(ANA, heard.append)
    fanout.publish(DAN, SIGN)
    fanout.publish(customer("b2", "ana"), SIGN)

    assert heard == []


def test_who_has_unsubscribed_hears_nothing_and_may_say_so_twice() -> None:
    fanout, heard, others = MemoryFanout(), list[Event](), list[Event]()
    fanout.subscribe(ANA, heard.append)
    fanout.subscribe(ANA, others.append)
    fanout.unsubscribe(ANA, heard.append)
    fanout.unsubscribe(ANA, heard.append)
    fanout.unsubscribe(DAN, heard.append)
    fanout.publish(ANA, SIGN)

    assert others == [SIGN]


def test_a_listener_that_fails_disturbs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: Event) -> None:
        raise ValueError("a bug in a listener")

    fanout, heard = MemoryFanout(), list[Event]()
    fanout.subscribe(ANA, broken)
    fanout.subscribe(ANA, heard.append)
    with caplog.at_level(logging.ERROR):
        fanout.publish(ANA, SIGN)

    assert heard == [SIGN]
    assert [record.__dict__["action"] for record in caplog.records] == ["listener_failed"]


def test_listeners_may_come_and_go_while_they_are_told() -> None:
    fanout, heard = MemoryFanout(), list[Event]()

    def once(event: Event) -> None:
        fanout.unsubscribe(ANA, once)
        fanout.subscribe(ANA, heard.append)

    fanout.subscribe(ANA, once)
    fanout.publish(ANA, SIGN)
    early = list(heard)
    fanout.publish(ANA, SIGN)

    assert early == []
    assert heard == [SIGN]


def test_customers_without_listeners_leave_nothing_behind() -> None:
    fanout = MemoryFanout()
    for number in range(100):
        listener = list[Event]().append
        fanout.subscribe(customer("b1", f"u{number}"), listener)
        fanout.unsubscribe(customer("b1", f"u{number}"), listener)

    assert not fanout._listeners


def test_a_tap_hears_of_every_customer_until_it_is_taken_away() -> None:
    fanout, heard = MemoryFanout(), list[tuple[Customer, Event]]()

    def tap(customer: Customer, event: Event) -> None:
        heard.append((customer, event))

    fanout.tap(tap)
    fanout.publish(ANA, SIGN)
    fanout.publish(DAN, SIGN)
    fanout.untap(tap)
    fanout.untap(tap)
    fanout.publish(ANA, SIGN)

    assert heard == [(ANA, SIGN), (DAN, SIGN)]


def test_a_tap_that_fails_disturbs_neither_listeners_nor_taps(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(customer: Customer, event: Event) -> None:
        raise ValueError("a bug in a tap")

    fanout, heard = MemoryFanout(), list[Event]()
    fanout.tap(broken)
    fanout.tap(lambda customer, event: heard.append(event))
    fanout.subscribe(ANA, heard.append)
    with caplog.at_level(logging.ERROR):
        fanout.publish(ANA, SIGN)

    assert heard == [SIGN, SIGN]
    assert [record.__dict__["action"] for record in caplog.records] == ["listener_failed"]
