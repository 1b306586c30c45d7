"""The hub, within one process."""

import pytest

from adapters.memory.broker import NoBroker
from adapters.prometheus import Metrics
from application.hub import Hub
from application.ports import AnswerRequested, Event, Grown, Hint, Typing
from domain.identity import Customer, SessionId, customer

ANA, DAN = customer("b1", "ana"), customer("b1", "dan")
SIGN = Typing("ai", 6_000)


def test_listeners_are_called_in_the_order_of_subscription() -> None:
    hub, received = Hub(NoBroker()), list[str]()
    hub.subscribe(ANA, lambda event: received.append("first"))
    hub.subscribe(ANA, lambda event: received.append("second"))
    hub.publish(ANA, SIGN)

    assert received == ["first", "second"]


def test_no_listener_receives_another_customers_events() -> None:
    hub, received = Hub(NoBroker()), list[Event]()
    hub.subscribe(ANA, received.append)
    hub.publish(DAN, SIGN)
    hub.publish(customer("b2", "ana"), SIGN)

    assert received == []


def test_an_unsubscribed_listener_receives_nothing_and_may_unsubscribe_twice() -> None:
    hub, received, others = Hub(NoBroker()), list[Event](), list[Event]()
    hub.subscribe(ANA, received.append)
    hub.subscribe(ANA, others.append)
    hub.unsubscribe(ANA, received.append)
    hub.unsubscribe(ANA, received.append)
    hub.unsubscribe(DAN, received.append)
    hub.publish(ANA, SIGN)

    assert others == [SIGN]


def test_a_listener_that_fails_disturbs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: Event) -> None:
        raise ValueError("a bug in a listener")

    hub, received = Hub(NoBroker(), Metrics().listener_failed), list[Event]()
    hub.subscribe(ANA, broken)
    hub.subscribe(ANA, received.append)
    hub.publish(ANA, SIGN)

    assert received == [SIGN]
    assert [record.__dict__["action"] for record in caplog.records] == ["listener_failed"]


def test_listeners_may_subscribe_and_unsubscribe_during_a_publication() -> None:
    hub, received = Hub(NoBroker()), list[Event]()

    def once(event: Event) -> None:
        hub.unsubscribe(ANA, once)
        hub.subscribe(ANA, received.append)

    hub.subscribe(ANA, once)
    hub.publish(ANA, SIGN)
    early = list(received)
    hub.publish(ANA, SIGN)

    assert early == []
    assert received == [SIGN]


def test_customers_without_listeners_leave_nothing_behind() -> None:
    hub = Hub(NoBroker())
    for number in range(100):
        listener = list[Event]().append
        hub.subscribe(customer("b1", f"u{number}"), listener)
        hub.unsubscribe(customer("b1", f"u{number}"), listener)

    assert not hub._listeners


def test_a_tap_receives_the_events_of_every_customer_until_it_is_removed() -> None:
    hub, received = Hub(NoBroker()), list[tuple[Customer, Event]]()

    def tap(customer: Customer, event: Event) -> None:
        received.append((customer, event))

    hub.tap(tap)
    hub.publish(ANA, SIGN)
    hub.publish(DAN, SIGN)
    hub.untap(tap)
    hub.untap(tap)
    hub.publish(ANA, SIGN)

    assert received == [(ANA, SIGN), (DAN, SIGN)]


def test_a_tap_that_fails_disturbs_neither_listeners_nor_taps(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(customer: Customer, event: Event) -> None:
        raise ValueError("a bug in a tap")

    hub, received = Hub(NoBroker(), Metrics().listener_failed), list[Event]()
    hub.tap(broken)
    hub.tap(lambda customer, event: received.append(event))
    hub.subscribe(ANA, received.append)
    hub.publish(ANA, SIGN)

    assert received == [SIGN, SIGN]
    assert [record.__dict__["action"] for record in caplog.records] == ["listener_failed"]


@pytest.mark.parametrize("hint", [SIGN, Grown(SessionId("s1"), 3), AnswerRequested()])
def test_what_is_stored_or_typed_is_sent_to_the_node_that_has_the_chat(hint: Hint) -> None:
    sent: list[str | None] = []

    class Sending(NoBroker):
        def publish(self, customer: Customer, hint: Hint, node: str | None = None) -> None:
            sent.append(node)

    Hub(Sending(), chat_owner=lambda _: "elsewhere").publish(ANA, hint)

    assert sent == [None if isinstance(hint, AnswerRequested) else "elsewhere"]
