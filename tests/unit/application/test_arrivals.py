"""What the topics bring to several processes is stored once, by its number alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.arrivals import COUNTED, EXPECTED, Arrivals
from application.ports import InboundMessage
from application.session_log import CachedSession
from domain.identity import BusinessId, Customer, MessageId, SessionId, UserId
from domain.message import Author, Message
from domain.session import Session
from domain.status import Status
from tests.support.clock import START

ANA = Customer(BusinessId("b1"), UserId("ana"))
RECENT = 4
"""The newest entries that a process knows without reading the log."""
TICK = timedelta(milliseconds=1)


@dataclass
class World:
    """A live chat: its log, and the processes that its topic brings messages to."""

    now: datetime = START
    log: list[Message] = field(default_factory=list)
    keys: set[MessageId] = field(default_factory=set)
    listeners: "list[Listener]" = field(default_factory=list)

    def head(self) -> Session:
        return Session(
            session_id=SessionId("s1"),
            customer=ANA,
            location_id=None,
            opened_at=START,
            updated_at=self.now,
            status=Status.LIVE,
            seq=len(self.log),
        )

    def store(self, author: Author, text: str, message_id: str) -> bool:
        """Append a message; False: it is stored already."""
        the_id = MessageId(message_id)
        if the_id in self.keys:
            return False
        self.keys.add(the_id)
        seq = len(self.log) + 1
        self.log.append(Message(seq=seq, message_id=the_id, author=author, text=text, at=self.now))
        return True

    def broadcast(self, author: Author, text: str) -> InboundMessage:
        """Bring a text to all who listen."""
        message = InboundMessage(author=author, text=text)
        for listener in self.listeners:
            listener.waiting.append(message)
        return message

    def unhandled(self) -> Iterator[InboundMessage]:
        """Yield what the listeners have not handled yet."""
        for listener in self.listeners:
            yield from listener.waiting
            if listener.handling is not None:
                yield listener.handling

    def texts(self, author: Author) -> list[str]:
        return [entry.text for entry in self.log if entry.author is author]


class Listener:
    """One process, as far as it stores what the topic brings: step by step, as others do."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name
        self._number = 0
        self.arrivals = Arrivals(world.now)
        self.waiting: list[InboundMessage] = []
        self.fails: Callable[[], str] = lambda: ""
        """Returns when the next write fails: `before` it, `after` it, or neither."""
        self.handling: InboundMessage | None = None
        self._work: Iterator[None] | None = None

    @property
    def is_idle(self) -> bool:
        return not self.waiting and self._work is None

    def step(self) -> None:
        """Go on until something else may happen in between."""
        if self._work is None:
            if not self.waiting:
                return
            self._number += 1
            new_id = f"{COUNTED}{self._name}{self._number}"
            self.handling = self.waiting.pop(0)
            self._work = self._handle(self.handling, new_id)
        if next(self._work, self) is self:
            self._work = self.handling = None

    def _handle(self, message: InboundMessage, new_id: str) -> Iterator[None]:
        world, arrivals = self._world, self.arrivals
        while not arrivals.take(message, world.now):
            yield
            session, log = world.head(), list(world.log)
            cached = CachedSession(session, list(log[-RECENT:]))
            missing = arrivals.missing(cached)
            yield
            if missing is not None:
                log = [entry for entry in log if missing[0] < entry.seq]
            else:
                log = log[-RECENT:]
            arrivals.add(session, log, world.now)
            if arrivals.take(message, world.now):
                return
            yield
            fails = self.fails()
            if fails == "before" or len(world.log) != session.seq:
                continue
            world.store(message.author, message.text, new_id)
            if fails != "after":
                arrivals.arrived(MessageId(new_id))
                return


ACTS = st.sampled_from(["post", "relay", "speak", "write", "first", "second", "join"])
TEXTS = st.sampled_from(["da", "nu"])
FAILURES = st.sampled_from(["", "", "", "before", "after"])


@given(st.data(), st.lists(ACTS, max_size=60))
def test_each_message_is_stored_once_however_two_listeners_and_relays_interleave(
    data: st.DataObject, acts: list[str]
) -> None:
    """A user posts, any process relays in order, a coordinator and the user speak at the bridge."""
    world = World()
    first, second = Listener(world, "a"), Listener(world, "b")
    first.fails = second.fails = lambda: data.draw(FAILURES)
    world.listeners.append(first)
    by_user: list[str] = []
    by_coordinator: list[str] = []
    written: list[InboundMessage] = []
    unsent: list[Message] = []

    def writing() -> bool:
        """Return True while what the user has written at the bridge is not stored yet."""
        return any(each is message for each in written for message in world.unhandled())

    def relay() -> None:
        """One of the listeners, or a third process, sends the oldest message that was posted."""
        entry = unsent.pop(0)
        sender = data.draw(st.sampled_from([first, second, None]))
        for listener in world.listeners:
            if listener is sender:
                listener.arrivals.arrived(entry.message_id)
            else:
                listener.waiting.append(InboundMessage(author=Author.USER, text=entry.text))

    for act in acts:
        world.now += TICK
        match act:
            case "post" if not writing():  # see the limits in the docstring of Arrivals
                by_user.append(data.draw(TEXTS))
                world.store(Author.USER, by_user[-1], f"u{len(by_user)}")
                unsent.append(world.log[-1])
            case "relay" if unsent:
                relay()
            case "speak":
                by_coordinator.append(data.draw(TEXTS))
                world.broadcast(Author.COORDINATOR, by_coordinator[-1])
            case "write" if not unsent:
                by_user.append(data.draw(TEXTS))
                written.append(world.broadcast(Author.USER, by_user[-1]))
            case "first":
                first.step()
            case "second":
                second.step()
            # Else what it receives may be stored before what the first one has still to handle.
            case "join" if second not in world.listeners and first.is_idle:
                second.arrivals.joined(world.now, world.now)
                world.listeners.append(second)
            case _:
                pass
    while unsent:
        relay()
    first.fails = second.fails = lambda: ""
    while not (first.is_idle and second.is_idle):
        data.draw(st.sampled_from([first, second])).step()
        first.step()

    assert sorted(world.texts(Author.USER)) == sorted(by_user)
    assert world.texts(Author.COORDINATOR) == by_coordinator


def test_what_was_stored_without_an_answer_stands_for_its_own_arrival() -> None:
    world = World()
    first, second = world.listeners = [Listener(world, "a"), Listener(world, "b")]
    for _ in range(2):
        world.broadcast(Author.COORDINATOR, "da")
    first.fails = lambda: "after" if len(world.log) == 0 else ""
    while not world.log:
        first.step()
    for listener in (second, first):
        while not listener.is_idle:
            listener.step()

    assert world.texts(Author.COORDINATOR) == ["da", "da"]


def said(text: str, author: Author = Author.USER, **more: object) -> InboundMessage:
    return InboundMessage(author=author, text=text, **more)  # type: ignore[arg-type]


def posted(world: World, text: str = "da", message_id: str = "u1") -> Arrivals:
    """Return the arrivals of a process that knows of a message that will be relayed."""
    world.store(Author.USER, text, message_id)
    arrivals = Arrivals(world.now)
    arrivals.add(world.head(), world.log, world.now)
    return arrivals


def test_an_entry_stands_for_one_arrival() -> None:
    world = World()
    arrivals = posted(world)

    assert arrivals.take(said("da"), world.now)
    assert not arrivals.take(said("da"), world.now)


@pytest.mark.parametrize(
    "message",
    [
        said("nu"),
        said("da", Author.COORDINATOR),
        said("da", message_id=MessageId("its-own")),
        said("da", from_elsewhere=True),
        said("da", replayed=True),
    ],
)
def test_an_entry_stands_for_no_other_message(message: InboundMessage) -> None:
    world = World()

    assert not posted(world).take(message, world.now)


@pytest.mark.parametrize(
    "message",
    [
        said("da", message_id=MessageId("u1")),
        said("da", at=START - timedelta(hours=2)),
        said("da", message_id=MessageId("17"), has_new_id=True),
    ],
)
def test_an_echo_is_known_whatever_id_and_time_the_bridge_gives_it(message: InboundMessage) -> None:
    world = World()

    assert posted(world).take(message, world.now)


def test_what_never_came_is_expected_no_longer_than_some_minutes() -> None:
    world = World()

    assert not posted(world).take(said("da"), world.now + EXPECTED + TICK)


def test_what_may_be_relayed_after_an_outage_is_expected_again() -> None:
    world = World()
    arrivals = posted(world)
    later = world.now + EXPECTED
    arrivals.joined(later, later)

    assert arrivals.take(said("da"), later + TICK)


def test_a_coordinators_message_that_came_before_the_join_is_not_expected() -> None:
    world = World()
    world.store(Author.COORDINATOR, "da", f"{COUNTED}1")
    arrivals = Arrivals(world.now + TICK)
    arrivals.add(world.head(), world.log, world.now + TICK)

    assert not arrivals.take(said("da", Author.COORDINATOR), world.now + TICK)


def test_a_coordinators_message_that_did_not_come_over_the_topic_is_not_expected() -> None:
    world = World()
    world.store(Author.COORDINATOR, "da", "over-http")
    arrivals = Arrivals(world.now)
    arrivals.add(world.head(), world.log, world.now)

    assert not arrivals.take(said("da", Author.COORDINATOR), world.now)


def test_what_is_remembered_of_a_chat_is_bounded() -> None:
    world = World()
    arrivals = Arrivals(world.now)
    for number in range(1_000):
        world.store(Author.USER, "da", f"u{number}")
        arrivals.arrived(MessageId(f"elsewhere{number}"))
    arrivals.add(world.head(), world.log, world.now)

    assert len(arrivals._expected) <= 200
    assert len(arrivals._arrived) <= 200
