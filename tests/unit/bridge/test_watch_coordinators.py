"""Chats go back to the queue whose coordinator has left the desk, and no others do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from adapters.bridge.sqlite_store import SqliteBridgeStore
from application.bridge.live_chats import COORDINATOR_AWAY, LiveChats
from application.bridge.ports import BoardEvent, Change, NoteAdded
from application.bridge.watch_coordinators import WatchCoordinators
from domain.bridge.live_chat import CoordinatorCommand, DeskAction, LiveChat
from domain.identity import BusinessId, CoordinatorId, Customer, SessionId, UserId
from domain.message import Author
from domain.status import Status
from tests.support.clock import START, CountedIds, VirtualClock

AWAY_S = 180
B1, B2 = BusinessId("b1"), BusinessId("b2")
MARIA, ION = CoordinatorId("maria"), CoordinatorId("ion")


@dataclass
class Desk:
    """The live chats, and the coordinators who are not there."""

    chats: LiveChats
    events: list[BoardEvent]
    absences: dict[tuple[BusinessId, CoordinatorId], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watch = WatchCoordinators(
            chats=self.chats,
            absence_s=lambda *who: self.absences.get(who, 0.0),
            away_after_s=AWAY_S,
        )

    async def waits(self, session: str, business: BusinessId = B1) -> SessionId:
        """A user waits; return the session."""
        session_id = SessionId(session)
        chat = LiveChat(
            session_id=session_id,
            customer=Customer(business, UserId(session)),
            since=START,
            status=Status.WAITING,
            waiting_since=START,
        )
        await self.chats.store.save(Change(at=START, chat=chat))
        return session_id

    async def claimed(
        self, session: str, by: CoordinatorId = MARIA, business: BusinessId = B1
    ) -> SessionId:
        """A coordinator claims a chat at the desk; return its session."""
        session_id = await self.waits(session, business)
        await self.chats.execute(session_id, CoordinatorCommand.CLAIM, by)
        return session_id

    async def status(self, session_id: SessionId) -> Status:
        return (await self.chats.chat(session_id)).status


@asynccontextmanager
async def opened() -> AsyncIterator[Desk]:
    events: list[BoardEvent] = []
    async with SqliteBridgeStore() as store:
        chats = LiveChats(
            store=store, notify=events.append, clock=VirtualClock(), new_id=CountedIds()
        )
        yield Desk(chats, events)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with opened() as desk:
        yield desk


async def test_a_chat_goes_back_once_its_coordinator_has_been_away_for_the_set_time(
    desk: Desk,
) -> None:
    session_id = await desk.claimed("s1")
    desk.absences[B1, MARIA] = AWAY_S - 0.1
    await desk.watch.run()
    before = await desk.status(session_id)
    desk.absences[B1, MARIA] = AWAY_S
    await desk.watch.run()
    await desk.watch.run()

    chat = await desk.chats.chat(session_id)
    notes = await desk.chats.store.recent_notes(session_id, 10)

    assert (before, chat.status, chat.coordinator_id) == (Status.LIVE, Status.WAITING, None)
    [_, command] = chat.pending_commands
    assert (command.status, command.coordinator_id) == (Status.WAITING, MARIA)
    assert command.reason == COORDINATOR_AWAY
    assert [note.event.type for note in notes if note.event] == [
        DeskAction.CLAIMED,
        DeskAction.AWAY,
    ]
    assert sum(isinstance(event, NoteAdded) for event in desk.events) == 2


async def test_a_coordinator_of_the_same_name_elsewhere_keeps_theirs(desk: Desk) -> None:
    here, there = await desk.claimed("s1"), await desk.claimed("s2", business=B2)
    desk.absences[B1, MARIA] = AWAY_S

    await desk.watch.run()

    assert [await desk.status(each) for each in (here, there)] == [Status.WAITING, Status.LIVE]


async def test_what_a_program_has_assigned_is_not_watched(desk: Desk) -> None:
    session_id = await desk.waits("s1")
    who = Customer(B1, UserId("s1"))
    await desk.chats.post(who, Author.COORDINATOR, "Bună ziua.", coordinator_id=MARIA)
    desk.absences[B1, MARIA] = AWAY_S

    await desk.watch.run()

    assert await desk.status(session_id) is Status.LIVE


async def test_who_takes_over_by_a_message_at_the_desk_is_watched(desk: Desk) -> None:
    session_id = await desk.waits("s1")
    who, text = Customer(B1, UserId("s1")), "Bună ziua."
    await desk.chats.post(who, Author.COORDINATOR, text, coordinator_id=MARIA, at_desk=True)
    desk.absences[B1, MARIA] = AWAY_S

    await desk.watch.run()

    assert await desk.status(session_id) is Status.WAITING


async def test_a_chat_that_was_forwarded_is_watched_for_the_colleague(desk: Desk) -> None:
    session_id = await desk.claimed("s1")
    await desk.chats.execute(session_id, CoordinatorCommand.FORWARD, MARIA, to=ION)
    desk.absences[B1, MARIA] = AWAY_S
    await desk.watch.run()
    kept = await desk.status(session_id)
    desk.absences[B1, ION] = AWAY_S
    await desk.watch.run()

    assert (kept, await desk.status(session_id)) == (Status.LIVE, Status.WAITING)


async def test_the_watch_looks_at_what_was_claimed_before_a_restart(desk: Desk) -> None:
    session_id = await desk.claimed("s1")
    restarted = replace(desk)
    restarted.absences = {(B1, MARIA): AWAY_S}

    await restarted.watch.run()

    assert await desk.status(session_id) is Status.WAITING


async def test_who_comes_back_just_before_its_turn_keeps_the_chat(desk: Desk) -> None:
    session_id = await desk.claimed("s1")
    looks = iter([AWAY_S, 0])
    watch = replace(desk.watch, absence_s=lambda *_: next(looks))
    await watch.run()

    assert await desk.status(session_id) is Status.LIVE


async def test_a_note_takes_no_other_coordinators_note_nor_a_whisper_of_the_same_id(
    desk: Desk,
) -> None:
    session_id = await desk.waits("s1")
    for by, action in ((MARIA, None), (ION, None), (ION, DeskAction.WHISPERED), (ION, None)):
        await desk.chats.add_note(session_id, "x1", f"by {by}", by, action)
    notes = await desk.chats.store.recent_notes(session_id, 10)

    assert [(each.coordinator_id, each.event is None) for each in notes] == [
        (MARIA, True),
        (ION, True),
        (ION, False),
    ]
