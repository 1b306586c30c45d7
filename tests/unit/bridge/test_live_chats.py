"""The bridge's use cases over its store in memory: storage, events, replies and deliveries."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from adapters.bridge.sqlite_store import SqliteBridgeStore
from application.bridge.announce_queues import PAUSE_S, AnnounceQueues
from application.bridge.deliver_commands import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    AnswerQuestion,
    DeliverCommands,
)
from application.bridge.live_chats import BoardChats, LiveChats
from application.bridge.ports import (
    AgentServer,
    AgentServerUnavailable,
    BoardEvent,
    Change,
    ChatChanged,
    CommandRefused,
    MessagePosted,
    NoteAdded,
    QueuePosition,
    ServerReachability,
    ai_transcript_key,
)
from domain.bridge.live_chat import (
    AlreadyClaimed,
    AskedConfirmation,
    ChatMessage,
    CoordinatorCommand,
    DeskAction,
    DeskEvent,
    LeftMessage,
    LiveChat,
    PendingCommand,
    ServerState,
    TransferReport,
    apply_confirmation,
    apply_message,
    apply_missed,
    apply_transfer,
)
from domain.errors import (
    ConfirmationExpired,
    ConfirmationWithdrawn,
    IdentityMismatch,
    Refusal,
    SessionClosed,
    StorageUnavailable,
    TransitionRefused,
    UnknownConfirmation,
    UnknownSession,
)
from domain.identity import (
    IDEMPOTENCY_WINDOW,
    BusinessId,
    CoordinatorId,
    Customer,
    LocationId,
    MessageId,
    SessionId,
    TransferId,
    UserId,
)
from domain.message import Author
from domain.status import Status
from domain.tool import Confirmer
from domain.write_call import OUTCOMES, WriteState
from tests.support.clock import START, CountedIds, VirtualClock

ANA = Customer(BusinessId("b1"), UserId("ana"))
S1 = SessionId("s1")
NOBODY = {"waiting": 0, "live": 0, "ai": 0, "missed": 0, "asked": 0}
MARIA, ION = CoordinatorId("maria"), CoordinatorId("ion")


class RefusingStore(SqliteBridgeStore):
    """A store whose writes can be made to fail."""

    refusing = False
    unreadable = False

    async def chats(self, *given: Any, **limit: Any) -> tuple[LiveChat, ...]:
        if self.unreadable:
            raise StorageUnavailable
        return await super().chats(*given, **limit)

    async def save(self, change: Change) -> bool:
        if self.refusing:
            raise StorageUnavailable
        return await super().save(change)


class Server(AgentServer):
    """An AI agent server that can be made unavailable, and to refuse."""

    def __init__(self) -> None:
        self.unavailable = False
        self.refuses: set[SessionId] = set()
        self.forgets: set[SessionId] = set()
        self.fails_for: set[SessionId] = set()
        self.commands: list[tuple[SessionId, PendingCommand]] = []
        self.answers: list[tuple[SessionId, ChatMessage]] = []
        self.confirmed: dict[str, bool] = {}
        """The first answer to each question for a yes."""
        self.refuses_answers: Refusal | None = None
        self.reopens: dict[SessionId, SessionId] = {}
        """Session id → the one that an answer into it opens."""

    async def set_status(self, session_id: SessionId, command: PendingCommand) -> ServerState:
        if self.unavailable:
            raise AgentServerUnavailable
        if session_id in self.fails_for:
            raise AgentServerUnavailable(answers=True)
        if session_id in self.refuses:
            raise TransitionRefused
        self.commands.append((session_id, command))
        return ServerState(
            status=command.status, at=command.at, coordinator_id=command.coordinator_id
        )

    async def post_message(self, session_id: SessionId, message: ChatMessage) -> SessionId:
        if self.unavailable:
            raise AgentServerUnavailable
        if session_id in self.refuses:
            raise SessionClosed
        self.answers.append((session_id, message))
        return self.reopens.get(session_id, session_id)

    async def confirm(
        self,
        session_id: SessionId,
        confirm_id: str,
        answer: bool,
        coordinator_id: CoordinatorId,
    ) -> bool:
        if self.unavailable:
            raise AgentServerUnavailable
        if self.refuses_answers is not None:
            raise self.refuses_answers
        return self.confirmed.setdefault(confirm_id, answer)

    async def state(self, session_id: SessionId) -> ServerState:
        if session_id in self.forgets:
            raise UnknownSession
        status = Status.LIVE if self.answers and session_id not in self.refuses else Status.AI
        coordinator_id = self.answers[-1][1].coordinator_id if self.answers else None
        at = START + timedelta(seconds=60)
        return ServerState(status=status, at=at, coordinator_id=coordinator_id)

    async def messages(
        self, session_id: SessionId, before: int | None, limit: int
    ) -> Mapping[str, Any]:
        raise AgentServerUnavailable

    async def whisper(
        self, session_id: SessionId, message_id: MessageId, text: str, coordinator_id: CoordinatorId
    ) -> Mapping[str, Any]:
        raise AgentServerUnavailable

    async def suggestion(
        self, session_id: SessionId, coordinator_id: CoordinatorId
    ) -> AsyncIterator[str]:
        raise AgentServerUnavailable
        yield ""

    async def outcomes(
        self, business_id: BusinessId, first: str | None, last: str | None
    ) -> Mapping[str, Any]:
        raise AgentServerUnavailable


class Bridge:
    """The use cases with their adapters, and the events that they announced."""

    def __init__(self, store: RefusingStore) -> None:
        self.store = store
        self.server = Server()
        self.clock = VirtualClock()
        self.events: list[BoardEvent] = []
        self.chats = LiveChats(
            store=self.store,
            notify=self.events.append,
            clock=self.clock,
            new_id=CountedIds(),
        )
        self.deliver = DeliverCommands(
            chats=self.chats, server=self.server, clock=self.clock, jitter=lambda: 1.0
        )
        self.queues = AnnounceQueues(chats=self.chats)
        self.answer = AnswerQuestion(chats=self.chats, server=self.server)

    async def waits(self, session: str = "s1", user: str = "ana", key: str | None = None) -> None:
        """The server reports that a user waits."""
        transfer = TransferReport(
            transfer_id=TransferId(f"t-{session}"),
            reason="user_request",
            context={},
            at=self.clock.now(),
        )
        customer = Customer(BusinessId("b1"), UserId(user))
        apply = partial(apply_transfer, transfer=transfer)
        session_id, location_id = SessionId(session), LocationId("l1")
        await self.chats.record(customer, session_id, location_id, transfer.at, apply, key)

    async def misses(
        self, text: str = "Sunați-mă.", session: str = "s1", user: str = "ana"
    ) -> None:
        """The server reports what a user wrote while no coordinator was there."""
        missed = LeftMessage(text=text, reason="user_request", context={}, at=self.clock.now())
        customer = Customer(BusinessId("b1"), UserId(user))
        apply = partial(apply_missed, missed=missed)
        await self.chats.record(customer, SessionId(session), None, missed.at, apply)

    async def missed_texts(self) -> list[str]:
        """Return the texts of the missed messages on the board."""
        board = await self.chats.board(BusinessId("b1"))
        return [chat.missed.text for chat in board.missed if chat.missed is not None]

    async def asks(
        self,
        state: WriteState = WriteState.PROPOSED,
        confirm_id: str = "s1-3",
        by: Confirmer = Confirmer.COORDINATOR,
        **fields: Any,
    ) -> None:
        """The server reports a step of what waits for a yes."""
        self.clock.step(1)
        report = AskedConfirmation(
            confirm_id=confirm_id, by=by, state=state, what="O masă", at=self.clock.now(), **fields
        )
        apply = partial(apply_confirmation, report=report)
        await self.chats.record(ANA, S1, None, report.at, apply)

    async def writes_to_the_ai(self, written: ChatMessage) -> None:
        """The server reports a message of a conversation with the AI."""
        apply = partial(apply_message, message=written)
        await self.chats.record(ANA, S1, None, written.at, apply, message=written)

    async def ai_transcript(self) -> tuple[ChatMessage, ...]:
        """Return what was written to and by the AI."""
        return await self.store.recent_messages(ai_transcript_key(S1), 50)

    async def asked(self) -> list[tuple[str, WriteState, str | None]]:
        """Return what is asked on the board: the id, its state, and who has answered."""
        board = await self.chats.board(BusinessId("b1"))
        asked = [chat.confirmation for chat in board.asked if chat.confirmation is not None]
        return [(each.confirm_id, each.state, each.coordinator_id) for each in asked]

    async def places(self) -> list[tuple[str, int, int | None]]:
        """Let the queues be announced, and return the places: user, place, usual wait."""
        self.events.clear()
        await self.queues.run()
        return [
            (event.customer.user_id, event.place, event.usual_wait_s)
            for event in self.events
            if isinstance(event, QueuePosition)
        ]

    async def report(self, status: Status, key: str | None = None) -> None:
        """The server reports a status."""
        state = ServerState(status=status, at=self.clock.now())
        await self.chats.record_server_state(S1, state, key)

    async def claim(self, session: str = "s1", by: CoordinatorId = MARIA) -> None:
        await self.chats.execute(SessionId(session), CoordinatorCommand.CLAIM, by)

    @property
    def posted(self) -> list[str]:
        """The texts of the announced messages."""
        return [event.message.text for event in self.events if isinstance(event, MessagePosted)]


@pytest.fixture
async def bridge() -> AsyncIterator[Bridge]:
    async with RefusingStore() as store:
        yield Bridge(store)


def message(message_id: str, text: str = "Bună!") -> ChatMessage:
    return ChatMessage(message_id=MessageId(message_id), author=Author.USER, text=text, at=START)


async def test_a_message_is_stored_before_it_is_announced(bridge: Bridge) -> None:
    bridge.store.refusing = True

    with pytest.raises(StorageUnavailable):
        await bridge.chats.post(ANA, Author.USER, "Bună!")

    assert bridge.events == []


async def test_messages_with_the_same_id_are_stored_and_announced_once(bridge: Bridge) -> None:
    first = await bridge.chats.post(ANA, Author.USER, "Bună!", message_id=MessageId("m1"))

    again = await bridge.chats.post(ANA, Author.USER, "Bună!", message_id=MessageId("m1"))

    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert bridge.posted == ["Bună!"]


async def test_a_repeated_key_gets_the_first_reply_and_changes_nothing(bridge: Bridge) -> None:
    first = await bridge.chats.post(ANA, Author.USER, "Bună!", key="k1")

    again = await bridge.chats.post(ANA, Author.USER, "Altceva.", key="k1")

    assert again == first
    assert bridge.posted == ["Bună!"]


async def test_a_repeated_note_is_answered_with_what_is_stored_however_late_it_comes(
    bridge: Bridge,
) -> None:
    await bridge.waits()
    first = await bridge.chats.add_note(S1, "n1", "Alergic la arahide", MARIA)
    bridge.events.clear()

    for wait in (timedelta(0), IDEMPOTENCY_WINDOW, IDEMPOTENCY_WINDOW):
        bridge.clock.step(wait.total_seconds())
        assert await bridge.chats.add_note(S1, "n1", "Altceva", MARIA) == first

    assert await bridge.store.recent_notes(S1, 10) == (first,)
    assert bridge.events == []
    other = await bridge.chats.add_note(S1, "n1", "Altceva", ION)
    assert await bridge.store.recent_notes(S1, 10) == (first, other)


async def test_a_report_with_a_repeated_key_changes_nothing(bridge: Bridge) -> None:
    await bridge.waits(key="k1")
    await bridge.report(Status.AI)

    await bridge.waits("s1", key="k1")

    assert (await bridge.chats.chat(S1)).status is Status.AI


async def test_the_state_of_an_unknown_conversation_is_ignored(bridge: Bridge) -> None:
    await bridge.report(Status.WAITING)

    assert bridge.events == []
    assert await bridge.chats.board(BusinessId("b1")) == BoardChats((), (), (), NOBODY)


async def test_the_transcripts_of_the_ai_and_of_the_live_chat_are_separate(bridge: Bridge) -> None:
    await bridge.writes_to_the_ai(message("m1", "to the AI"))
    await bridge.chats.post(ANA, Author.USER, "to a human")

    _, live = await bridge.chats.live_transcript(ANA)
    before = await bridge.ai_transcript()

    assert [each.text for each in live] == ["to a human"]
    assert [each.text for each in before] == ["to the AI"]
    assert bridge.posted == ["to the AI", "to a human"]


async def test_a_message_reported_twice_is_stored_once(bridge: Bridge) -> None:
    for _ in range(2):
        await bridge.writes_to_the_ai(message("m1"))

    before = await bridge.ai_transcript()

    assert len(before) == 1


async def test_the_longest_waiting_comes_first(bridge: Bridge) -> None:
    await bridge.waits("s1", "ana")
    await bridge.clock.advance(1)
    await bridge.waits("s2", "dan")

    chats = (await bridge.chats.board(BusinessId("b1"))).open

    assert [chat.session_id for chat in chats] == ["s1", "s2"]


async def test_the_second_of_two_claims_learns_who_was_first(bridge: Bridge) -> None:
    await bridge.waits()
    await bridge.claim()

    with pytest.raises(AlreadyClaimed) as refused:
        await bridge.claim(by=ION)

    assert refused.value.by == MARIA


async def test_a_claim_is_announced_before_the_server_has_answered_it(
    bridge: Bridge,
) -> None:
    await bridge.waits()
    bridge.events.clear()

    await bridge.claim()

    event, note = bridge.events
    assert isinstance(event, ChatChanged)
    assert isinstance(note, NoteAdded)
    assert note.note.event == DeskEvent(type=DeskAction.CLAIMED)
    assert (event.chat.status, event.chat.coordinator_id) == (Status.LIVE, MARIA)


async def test_a_coordinator_who_writes_takes_over_the_conversation(bridge: Bridge) -> None:
    await bridge.waits()

    await bridge.chats.post(ANA, Author.COORDINATOR, "Bună ziua.", coordinator_id=ION)

    chat = await bridge.chats.chat(S1)
    assert (chat.status, chat.coordinator_id) == (Status.LIVE, ION)
    assert bridge.posted == ["Bună ziua."]


async def test_a_message_into_a_closed_conversation_is_refused_and_not_announced(
    bridge: Bridge,
) -> None:
    await bridge.waits()
    await bridge.report(Status.CLOSED)

    with pytest.raises(SessionClosed):
        await bridge.chats.post(ANA, Author.COORDINATOR, "Bună ziua.")

    assert bridge.posted == []


async def test_a_command_for_an_unknown_conversation_is_refused(bridge: Bridge) -> None:
    with pytest.raises(UnknownSession):
        await bridge.claim()


async def test_commands_wait_for_the_server_and_arrive_in_order(bridge: Bridge) -> None:
    bridge.server.unavailable = True
    await bridge.waits("s1", "ana")
    await bridge.waits("s2", "dan")
    await bridge.claim("s1")
    await bridge.clock.advance(1)
    await bridge.claim("s2")
    await bridge.clock.advance(1)
    await bridge.chats.execute(S1, CoordinatorCommand.RETURN, MARIA, "Gata.")
    pause_s = await bridge.deliver()

    bridge.server.unavailable = False
    rest = await bridge.deliver()

    commands = [
        (session, command.status, command.handover_note)
        for session, command in bridge.server.commands
    ]
    assert (pause_s, rest) == (FIRST_PAUSE_S, None)
    assert [each for each in commands if each[0] == "s1"] == [
        ("s1", Status.LIVE, None),
        ("s1", Status.AI, "Gata."),
    ]
    assert ("s2", Status.LIVE, None) in commands
    assert len(commands) == 3


async def test_a_conversation_that_the_server_fails_for_holds_up_no_other(bridge: Bridge) -> None:
    for session, user in (("s1", "ana"), ("s2", "dan"), ("s3", "eva")):
        await bridge.waits(session, user)
        await bridge.claim(session)
    bridge.server.fails_for = {SessionId("s1")}

    pause_s = await bridge.deliver()
    delivered = [session_id for session_id, _ in bridge.server.commands]
    bridge.server.fails_for = set()
    rest = await bridge.deliver()

    assert (delivered, pause_s, rest) == (["s2", "s3"], FIRST_PAUSE_S, None)
    assert bridge.server.commands[-1][0] == "s1"


async def test_a_command_is_delivered_once(bridge: Bridge) -> None:
    await bridge.waits()
    await bridge.claim()
    await bridge.deliver()

    await bridge.deliver()

    assert len(bridge.server.commands) == 1
    assert (await bridge.chats.chat(S1)).pending_commands == ()


async def test_the_reachability_of_the_server_is_announced(bridge: Bridge) -> None:
    await bridge.waits()
    await bridge.claim()
    bridge.server.unavailable = True
    await bridge.deliver()
    bridge.server.unavailable = False

    await bridge.deliver()

    reachable = [
        event.reachable for event in bridge.events if isinstance(event, ServerReachability)
    ]
    assert reachable == [False, True]


async def test_a_refused_command_is_announced_and_the_chat_is_in_the_servers_state(
    bridge: Bridge,
) -> None:
    await bridge.waits()
    await bridge.claim()
    bridge.server.refuses.add(S1)

    await bridge.deliver()

    [refused] = [event for event in bridge.events if isinstance(event, CommandRefused)]
    assert refused.reason == "transition_refused"
    assert refused.chat == await bridge.chats.chat(S1)
    assert (refused.chat.status, refused.chat.pending_commands) == (Status.AI, ())


async def test_a_conversation_that_the_server_does_not_know_is_closed(bridge: Bridge) -> None:
    await bridge.waits()
    await bridge.claim()
    bridge.server.refuses.add(S1)
    bridge.server.forgets.add(S1)

    await bridge.deliver()

    assert (await bridge.chats.chat(S1)).status is Status.CLOSED


async def test_a_command_that_a_report_has_voided_is_not_delivered(bridge: Bridge) -> None:
    await bridge.waits()
    await bridge.claim()
    await bridge.report(Status.AI)

    await bridge.deliver()

    assert bridge.server.commands == []


async def test_a_server_whose_report_voids_an_undelivered_command_is_reachable_again(
    bridge: Bridge,
) -> None:
    bridge.server.unavailable = True
    await bridge.waits()
    await bridge.claim()
    await bridge.deliver()
    await bridge.report(Status.AI)

    await bridge.deliver()

    assert bridge.events[-1] == ServerReachability(True)


async def test_pauses_double_up_to_the_longest_and_start_over_after_a_success(
    bridge: Bridge,
) -> None:
    bridge.server.unavailable = True
    await bridge.waits()
    await bridge.claim()

    pauses = [await bridge.deliver() for _ in range(12)]
    bridge.server.unavailable = False
    await bridge.deliver()
    bridge.server.unavailable = True
    await bridge.chats.execute(S1, CoordinatorCommand.RETURN, MARIA)
    first_again = await bridge.deliver()

    assert pauses[:4] == [FIRST_PAUSE_S, 0.5, 1.0, 2.0]
    assert (pauses[-1], first_again) == (LONGEST_PAUSE_S, FIRST_PAUSE_S)


# Missed messages.


async def test_a_missed_message_is_on_the_board_until_a_coordinator_answers(
    bridge: Bridge,
) -> None:
    await bridge.misses("unu")
    await bridge.clock.advance(1)
    await bridge.misses("doi")
    await bridge.misses("altul", "s2", "dan")
    before = await bridge.missed_texts()

    await bridge.chats.post(ANA, Author.COORDINATOR, "Bună ziua.", coordinator_id=MARIA)

    assert sorted(before) == ["altul", "doi"]
    assert await bridge.missed_texts() == ["altul"]
    assert (await bridge.chats.chat(S1)).status is Status.LIVE


async def test_a_missed_message_is_there_after_a_restart(bridge: Bridge) -> None:
    await bridge.misses()

    restarted = Bridge(bridge.store)

    assert await restarted.missed_texts() == ["Sunați-mă."]


async def test_a_missed_message_that_is_done_is_gone_and_takes_nothing_over(
    bridge: Bridge,
) -> None:
    await bridge.misses()

    chat = await bridge.chats.attend(S1)

    assert await bridge.missed_texts() == []
    assert (chat.status, chat.pending_commands) == (Status.AI, ())


async def test_an_answer_attends_to_the_earlier_conversations_of_the_customer_too(
    bridge: Bridge,
) -> None:
    await bridge.misses("vineri", "s1")
    await bridge.report(Status.CLOSED)
    await bridge.misses("sâmbătă", "s2")

    await bridge.chats.post(ANA, Author.COORDINATOR, "Bună ziua.", coordinator_id=MARIA)

    assert await bridge.missed_texts() == []


async def test_a_repeated_answer_attends_to_nothing_that_was_missed_since(bridge: Bridge) -> None:
    await bridge.misses("unu")
    said = MessageId("m1")
    await bridge.chats.post(ANA, Author.COORDINATOR, "Da.", message_id=said, coordinator_id=MARIA)
    await bridge.clock.advance(1)
    await bridge.misses("doi")

    await bridge.chats.post(ANA, Author.COORDINATOR, "Da.", message_id=said, coordinator_id=MARIA)

    assert await bridge.missed_texts() == ["doi"]


async def test_a_missed_message_in_another_customers_conversation_is_refused(
    bridge: Bridge,
) -> None:
    await bridge.waits()

    with pytest.raises(IdentityMismatch):
        await bridge.misses("al meu", "s1", "dan")

    assert await bridge.missed_texts() == []


async def test_an_answer_to_a_missed_message_waits_for_the_server(bridge: Bridge) -> None:
    await bridge.misses()
    bridge.server.unavailable = True
    await bridge.chats.post(ANA, Author.COORDINATOR, "Bună.", coordinator_id=MARIA)
    await bridge.deliver()
    bridge.server.unavailable = False

    await bridge.deliver()
    await bridge.deliver()

    assert [(session, each.text) for session, each in bridge.server.answers] == [("s1", "Bună.")]
    chat = await bridge.chats.chat(S1)
    assert (chat.status, chat.coordinator_id) == (Status.LIVE, MARIA)
    assert chat.pending_commands == ()


async def test_an_answer_after_the_conversation_was_closed_goes_on_in_the_one_it_opens(
    bridge: Bridge,
) -> None:
    await bridge.misses()
    await bridge.report(Status.CLOSED)
    bridge.server.reopens[S1] = SessionId("s2")

    await bridge.chats.post(ANA, Author.COORDINATOR, "Bună.", coordinator_id=MARIA)
    await bridge.deliver()

    old, new = await bridge.chats.chat(S1), await bridge.chats.chat(SessionId("s2"))
    assert (old.status, old.pending_commands) == (Status.CLOSED, ())
    assert (new.customer, new.status, new.coordinator_id) == (ANA, Status.LIVE, MARIA)
    board = (await bridge.chats.board(BusinessId("b1"))).open
    assert [chat.session_id for chat in board] == ["s2"]


async def test_an_answer_that_the_server_refuses_is_announced(bridge: Bridge) -> None:
    await bridge.misses()
    bridge.server.refuses.add(S1)

    await bridge.chats.post(ANA, Author.COORDINATOR, "Bună.", coordinator_id=MARIA)
    await bridge.deliver()

    [refused] = [event for event in bridge.events if isinstance(event, CommandRefused)]
    assert (refused.reason, refused.command.coordinator_id) == ("session_closed", MARIA)


# The queue.


async def test_each_waiting_user_gets_a_place_and_only_what_changes_is_announced(
    bridge: Bridge,
) -> None:
    await bridge.waits("s1", "ana")
    await bridge.clock.advance(1)
    await bridge.waits("s2", "dan")
    first = await bridge.places()
    await bridge.clock.advance(1)
    await bridge.waits("s3", "eva")
    second = await bridge.places()
    await bridge.clock.advance(8)

    await bridge.claim("s1")
    third = await bridge.places()

    assert first == [("ana", 1, None), ("dan", 2, None)]
    assert second == [("eva", 3, None)]
    assert third == [("dan", 1, 10), ("eva", 2, 10)]


async def test_a_user_whose_place_has_not_changed_gets_it_again_when_somebody_comes_to_ask(
    bridge: Bridge,
) -> None:
    await bridge.waits()
    await bridge.places()

    bridge.chats.announce_queue(ANA.business_id, ANA)

    assert await bridge.places() == [("ana", 1, None)]


async def test_the_usual_wait_survives_a_restart(bridge: Bridge) -> None:
    await bridge.waits("s1", "ana")
    await bridge.clock.advance(30)
    await bridge.claim("s1")

    restarted = Bridge(bridge.store)
    await restarted.waits("s2", "dan")

    assert await restarted.places() == [("dan", 1, 30)]


async def test_a_burst_of_changes_is_one_announcement(bridge: Bridge) -> None:
    for number in range(10):
        await bridge.waits(f"s{number}", f"u{number}")
        await bridge.clock.advance(0.001)
    await bridge.claim("s0")

    pause_s = await bridge.queues.run()

    places = [event for event in bridge.events if isinstance(event, QueuePosition)]
    assert [event.place for event in places] == list(range(1, 10))
    assert pause_s == PAUSE_S
    assert not bridge.chats.queue_changed.is_set()


async def test_the_places_of_one_business_are_bounded(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.bridge.announce_queues.MAX_PLACES", 2)
    for number in range(3):
        await bridge.waits(f"s{number}", f"u{number}")

    assert [place for _, place, _ in await bridge.places()] == [1, 2]


async def test_places_that_could_not_be_read_are_announced_by_the_next_run(bridge: Bridge) -> None:
    await bridge.waits()
    bridge.store.unreadable = True

    with pytest.raises(StorageUnavailable):
        await bridge.queues.run()
    bridge.store.unreadable = False

    assert await bridge.places() == [("ana", 1, None)]


# What waits for a yes.

PROPOSED, APPROVED, REJECTED = WriteState.PROPOSED, WriteState.APPROVED, WriteState.REJECTED


@pytest.mark.parametrize("outcome", sorted(OUTCOMES))
async def test_what_waits_for_a_coordinators_yes_is_on_the_board_until_its_outcome_is_seen(
    bridge: Bridge, outcome: WriteState
) -> None:
    await bridge.asks()
    await bridge.asks(APPROVED, coordinator_id=MARIA)
    await bridge.chats.attend(S1)  # it is not over
    open_still = await bridge.asked()
    await bridge.asks(outcome, result="R-7")
    over = await bridge.asked()
    await bridge.chats.attend(S1)

    assert open_still == [("s1-3", APPROVED, MARIA)]
    assert over == [("s1-3", outcome, MARIA)]
    assert await bridge.asked() == []


@pytest.mark.parametrize("end", [REJECTED, WriteState.EXPIRED, WriteState.WITHDRAWN])
async def test_a_question_that_nobody_has_to_act_on_any_more_leaves_the_board(
    bridge: Bridge, end: WriteState
) -> None:
    await bridge.asks()
    await bridge.asks(end)

    chat = await bridge.chats.chat(S1)
    assert await bridge.asked() == []
    assert chat.confirmation is not None
    assert chat.confirmation.state is end


async def test_what_a_customer_is_asked_is_kept_with_the_chat_and_calls_nobody(
    bridge: Bridge,
) -> None:
    await bridge.asks(by=Confirmer.CUSTOMER)

    assert await bridge.asked() == []
    assert (await bridge.chats.chat(S1)).confirmation is not None


async def test_of_two_answers_the_first_counts_and_both_coordinators_see_it(
    bridge: Bridge,
) -> None:
    await bridge.asks()

    chats = [await bridge.answer(S1, "s1-3", True, MARIA)]
    chats.append(await bridge.answer(S1, "s1-3", False, ION))

    assert [chat.confirmation and chat.confirmation.state for chat in chats] == [APPROVED, APPROVED]
    assert await bridge.asked() == [("s1-3", APPROVED, MARIA)]


async def test_a_no_is_kept_with_who_has_said_it(bridge: Bridge) -> None:
    await bridge.asks()

    chat = await bridge.answer(S1, "s1-3", False, MARIA)

    assert chat.confirmation is not None
    assert (chat.confirmation.state, chat.confirmation.coordinator_id) == (REJECTED, MARIA)


async def test_an_outcome_that_is_reported_before_the_reply_stays(bridge: Bridge) -> None:
    await bridge.asks()
    await bridge.asks(WriteState.DONE, coordinator_id=ION)

    await bridge.answer(S1, "s1-3", True, MARIA)

    assert await bridge.asked() == [("s1-3", WriteState.DONE, ION)]


async def test_while_the_server_is_away_an_answer_is_refused_and_the_question_stays(
    bridge: Bridge,
) -> None:
    await bridge.asks()
    bridge.server.unavailable = True

    with pytest.raises(AgentServerUnavailable):
        await bridge.answer(S1, "s1-3", True, MARIA)

    assert await bridge.asked() == [("s1-3", PROPOSED, None)]


@pytest.mark.parametrize(
    ("refusal", "state"),
    [
        (ConfirmationExpired(), WriteState.EXPIRED),
        (ConfirmationWithdrawn(), WriteState.WITHDRAWN),
        (UnknownConfirmation(), WriteState.WITHDRAWN),
    ],
)
async def test_an_answer_that_comes_too_late_is_refused_and_ends_the_question(
    bridge: Bridge, refusal: Refusal, state: WriteState
) -> None:
    await bridge.asks()
    bridge.server.refuses_answers = refusal

    with pytest.raises(type(refusal)):
        await bridge.answer(S1, "s1-3", True, MARIA)

    confirmation = (await bridge.chats.chat(S1)).confirmation
    assert confirmation is not None
    assert confirmation.state is state


async def test_the_outcome_of_an_earlier_call_takes_the_place_of_no_open_question(
    bridge: Bridge,
) -> None:
    await bridge.asks(confirm_id="s1-3")
    await bridge.asks(APPROVED, confirm_id="s1-3")
    await bridge.asks(confirm_id="s1-9")
    await bridge.asks(WriteState.UNKNOWN, confirm_id="s1-3")

    assert await bridge.asked() == [("s1-9", PROPOSED, None)]


async def test_what_waits_for_a_yes_in_another_customers_conversation_is_refused(
    bridge: Bridge,
) -> None:
    await bridge.waits(user="dan")

    with pytest.raises(IdentityMismatch):
        await bridge.asks()
