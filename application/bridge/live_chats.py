"""Every change of a live chat: reports of the server, messages and coordinators' commands.

One change at a time: the second of two decides on what the first has left. A store writes one after
the other anyway, and so changes are announced in the order in which they are stored.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from application.bridge.ports import (
    BoardListener,
    BridgeStore,
    Change,
    ChatChanged,
    CommandRefused,
    MessagePosted,
    ReplyBody,
    ai_transcript_key,
    live_transcript_key,
)
from application.ports import Clock, NewId
from domain.bridge.live_chat import (
    AskedConfirmation,
    ChatMessage,
    CoordinatorCommand,
    GivenRating,
    LeftMessage,
    LiveChat,
    PendingCommand,
    ServerState,
    TransferReport,
    apply_answer,
    apply_command,
    apply_confirmation,
    apply_missed,
    apply_rating,
    apply_server_state,
    apply_transfer,
    attend,
    complete_command,
    ended_wait_s,
    move_commands,
    usual_wait_s,
)
from domain.errors import IdentityMismatch, UnknownSession
from domain.identity import BusinessId, CoordinatorId, Customer, LocationId, MessageId, SessionId
from domain.message import Author
from domain.status import Status
from domain.write_call import WriteState

TRANSCRIPT_PAGE = 50
"""The number of messages of a transcript that are shown."""
MISSED_PAGE = 20
"""The number of missed messages that are shown."""
MAX_ASKED = 100
"""The number of chats that are asked for a yes, and are shown."""

_OK: ReplyBody = {"status": "ok"}


class BoardChats(NamedTuple):
    """The chats that need coordinators."""

    open: tuple[LiveChat, ...]
    """Waiting or live, the longest waiting first."""
    missed: tuple[LiveChat, ...]
    """The newest missed message first."""
    asked: tuple[LiveChat, ...]
    """Those that wait for a coordinator's yes, or have an outcome of one; the newest first."""


@dataclass(frozen=True, slots=True)
class _Decision:
    """A change, and what to announce once it is stored."""

    reply: ReplyBody
    before: LiveChat | None = None
    chat: LiveChat | None = None
    message: ChatMessage | None = None
    transcript_key: str | None = None
    recipient: Customer | None = None
    """The customer in whose live chat the message is announced; None: in nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveChats:
    """The live chats. With a `key` a repeat gets the first reply, and changes nothing.

    Every method raises StorageUnavailable, and then has done nothing.
    """

    store: BridgeStore
    notify: BoardListener
    clock: Clock
    new_id: NewId
    command_added: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever there may be a command to deliver."""
    queue_changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever there may be places to announce."""
    changed_queues: dict[BusinessId, set[Customer]] = field(default_factory=dict)
    """The businesses whose queues have changed, each with the users who have just come to ask."""
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    # Reports of the server.

    async def record_ai_message(
        self,
        customer: Customer,
        session_id: SessionId,
        location_id: LocationId | None,
        message: ChatMessage,
        key: str | None = None,
    ) -> ReplyBody:
        """Record a message of a conversation with the AI: the user's, or the AI's answer."""

        async def decide() -> _Decision:
            known = await self.store.chat(session_id)
            new = LiveChat(
                session_id=session_id, customer=customer, location_id=location_id, since=message.at
            )
            chat = new if known is None else None
            return _Decision(_OK, known, chat, message, ai_transcript_key(session_id))

        return await self._commit(key, decide)

    async def record_transfer(
        self,
        customer: Customer,
        session_id: SessionId,
        location_id: LocationId | None,
        transfer: TransferReport,
        key: str | None = None,
    ) -> ReplyBody:
        """Record that a user waits for a human."""

        async def decide() -> _Decision:
            before = await self.store.chat(session_id)
            known = before or LiveChat(
                session_id=session_id, customer=customer, location_id=location_id, since=transfer.at
            )
            return _Decision(_OK, before, apply_transfer(known, transfer))

        return await self._commit(key, decide)

    async def record_missed(
        self,
        customer: Customer,
        session_id: SessionId,
        location_id: LocationId | None,
        missed: LeftMessage,
        key: str | None = None,
    ) -> ReplyBody:
        """Record what a user has written while no coordinator was there.

        Raises: IdentityMismatch, where the conversation is another customer's.
        """

        async def decide() -> _Decision:
            before = await self.store.chat(session_id)
            if before is not None and before.customer != customer:
                raise IdentityMismatch
            known = before or LiveChat(
                session_id=session_id, customer=customer, location_id=location_id, since=missed.at
            )
            return _Decision(_OK, before, apply_missed(known, missed))

        return await self._commit(key, decide)

    async def record_confirmation(
        self,
        customer: Customer,
        session_id: SessionId,
        location_id: LocationId | None,
        report: AskedConfirmation,
        key: str | None = None,
    ) -> ReplyBody:
        """Record a step of what the AI does only with a person's yes.

        Raises: IdentityMismatch, where the conversation is another customer's.
        """

        async def decide() -> _Decision:
            before = await self.store.chat(session_id)
            if before is not None and before.customer != customer:
                raise IdentityMismatch
            known = before or LiveChat(
                session_id=session_id, customer=customer, location_id=location_id, since=report.at
            )
            return _Decision(_OK, before, apply_confirmation(known, report))

        return await self._commit(key, decide)

    async def record_rating(
        self,
        customer: Customer,
        session_id: SessionId,
        rating: GivenRating,
        key: str | None = None,
    ) -> ReplyBody:
        """Record a user's rating; that of an unknown conversation is ignored.

        Raises: IdentityMismatch, where the conversation is another customer's.
        """

        async def decide() -> _Decision:
            before = await self.store.chat(session_id)
            if before is None:  # a new chat would be taken for the customer's newest
                return _Decision(_OK)
            if before.customer != customer:
                raise IdentityMismatch
            return _Decision(_OK, before, apply_rating(before, rating))

        return await self._commit(key, decide)

    async def record_server_state(
        self, session_id: SessionId, state: ServerState, key: str | None = None
    ) -> ReplyBody:
        """Record the server's state of a conversation; that of an unknown one is ignored."""

        async def decide() -> _Decision:
            before = await self.store.chat(session_id)
            chat = apply_server_state(before, state) if before is not None else None
            return _Decision(_OK, before, chat)

        return await self._commit(key, decide)

    # Messages.

    async def post_user_message(
        self,
        customer: Customer,
        text: str,
        *,
        message_id: MessageId | None = None,
        at: datetime | None = None,
        origin: str | None = None,
        key: str | None = None,
    ) -> ReplyBody:
        """Post a user's message to the coordinators; return `{"messageId", "duplicate"}`."""

        async def decide() -> _Decision:
            chat = await self.store.latest_chat(customer)
            message = ChatMessage(
                message_id=message_id or MessageId(self.new_id()),
                author=Author.USER,
                text=text,
                at=at or self.clock.now(),
                session_id=chat.session_id if chat is not None else None,
                origin=origin,
            )
            return _posted(customer, message, chat, chat)

        return await self._commit(key, decide)

    async def post_coordinator_message(
        self,
        customer: Customer,
        text: str,
        *,
        coordinator_id: CoordinatorId | None = None,
        message_id: MessageId | None = None,
        at: datetime | None = None,
        origin: str | None = None,
        key: str | None = None,
    ) -> ReplyBody:
        """Post a coordinator's message, which takes over; return `{"messageId", "duplicate"}`.

        It attends to all that the customer has left. Raises: SessionClosed.
        """
        missed: tuple[LiveChat, ...] = ()

        async def decide() -> _Decision:
            nonlocal missed
            now = self.clock.now()
            chat = before = await self.store.latest_chat(customer)
            missed = await self._missed_chats(customer)
            message = ChatMessage(
                message_id=message_id or MessageId(self.new_id()),
                author=Author.COORDINATOR,
                text=text,
                at=at or now,
                session_id=before.session_id if before is not None else None,
                coordinator_id=coordinator_id,
                origin=origin,
            )
            if before is not None and missed:
                chat = apply_answer(before, message, self.new_id(), now)
            elif before is not None:
                chat = apply_command(before, CoordinatorCommand.SPEAK, "", coordinator_id, now)
            return _posted(customer, message, before, chat)

        reply = await self._commit(key, decide)
        if missed and not reply["duplicate"]:
            self.command_added.set()
            for chat in missed:
                await self.attend(chat.session_id)
        return reply

    async def _missed_chats(self, customer: Customer) -> tuple[LiveChat, ...]:
        business_id, user_id = customer
        return await self.store.missed_chats(business_id, MISSED_PAGE, user_id=user_id)

    # Coordinators' commands.

    async def execute(
        self,
        session_id: SessionId,
        command: CoordinatorCommand,
        coordinator_id: CoordinatorId,
        handover_note: str | None = None,
    ) -> LiveChat:
        """Claim, take over, return or close; return the chat after it.

        Raises: UnknownSession, SessionClosed, AlreadyClaimed, TransitionRefused.
        """
        chats: list[LiveChat] = []

        async def decide() -> _Decision:
            before = await self.chat(session_id)
            now = self.clock.now()
            chats.append(
                apply_command(before, command, self.new_id(), coordinator_id, now, handover_note)
            )
            return _Decision(_OK, before, chats[-1])

        await self._commit(None, decide)
        self.command_added.set()
        return chats[-1]

    async def record_answer(
        self, session_id: SessionId, confirm_id: str, state: WriteState, by: CoordinatorId | None
    ) -> LiveChat:
        """Record what the server has answered to a yes or a no; return the chat after it.

        Raises: UnknownSession.
        """
        chats: list[LiveChat] = []

        async def decide() -> _Decision:
            before = await self.chat(session_id)
            known = before.confirmation
            chat = before
            if known is not None and known.confirm_id == confirm_id:
                # In the server's own time: its reports of what comes of it are newer.
                chat = apply_confirmation(before, replace(known, state=state, coordinator_id=by))
            chats.append(chat)
            return _Decision(_OK, before, chat)

        await self._commit(None, decide)
        return chats[-1]

    async def attend(self, session_id: SessionId, seen: datetime | None = None) -> LiveChat:
        """Mark a missed message as attended to; return the chat. Raises: UnknownSession.

        `seen`: the time of the newest message that the coordinator has seen; None: whichever it is.
        """
        chats: list[LiveChat] = []

        async def decide() -> _Decision:
            before = await self.chat(session_id)
            chats.append(attend(before, seen))
            return _Decision(_OK, before, chats[-1])

        await self._commit(None, decide)
        return chats[-1]

    async def record_moved_answer(
        self,
        session_id: SessionId,
        command: PendingCommand,
        to: SessionId,
        state: ServerState,
    ) -> None:
        """Record that the server has put an answer into another conversation; `state`: its."""

        async def decide(*, is_target: bool) -> _Decision:
            chat = await self.chat(session_id)
            known = await self.store.chat(to)
            opened = known or LiveChat(
                session_id=to,
                customer=chat.customer,
                location_id=chat.location_id,
                since=state.at,
            )
            closed, moved = move_commands(chat, command.command_id, opened, state)
            return _Decision(_OK, known, moved) if is_target else _Decision(_OK, chat, closed)

        # In this order: until the second is stored, the answer is pending, and may be repeated.
        await self._commit(None, partial(decide, is_target=True))
        await self._commit(None, partial(decide, is_target=False))

    async def record_command_result(
        self,
        session_id: SessionId,
        command: PendingCommand,
        state: ServerState,
        refusal: str | None,
    ) -> None:
        """Record the server's answer to a command; `refusal`: the code, where it was refused."""
        chats: list[LiveChat] = []

        async def decide() -> _Decision:
            before = await self.chat(session_id)
            chats.append(complete_command(before, command.command_id, state))
            return _Decision(_OK, before, chats[-1])

        await self._commit(None, decide)
        if refusal is not None:
            self.notify(CommandRefused(chats[-1], command, refusal))

    # Queries.

    async def chat(self, session_id: SessionId) -> LiveChat:
        """Return the chat of a session. Raises: UnknownSession."""
        chat = await self.store.chat(session_id)
        if chat is None:
            raise UnknownSession
        return chat

    async def board(self, business_id: BusinessId) -> BoardChats:
        """Return the chats of a business that need coordinators.

        No event comes between this result and the caller's next await.
        """
        async with self._one_at_a_time:
            return BoardChats(
                await self.store.open_chats(business_id),
                await self.store.missed_chats(business_id, MISSED_PAGE),
                await self.store.asked_chats(business_id, MAX_ASKED),
            )

    async def queue(self, business_id: BusinessId) -> tuple[tuple[LiveChat, ...], int | None]:
        """Return the waiting chats of a business, the longest waiting first, and the usual wait.

        No event comes between this result and the caller's next await.
        """
        async with self._one_at_a_time:
            waits_s = await self.store.recent_waits_s(business_id)
            chats = await self.store.open_chats(business_id)
        return tuple(chat for chat in chats if _waits(chat)), usual_wait_s(waits_s)

    def announce_queue(self, business_id: BusinessId, *newcomers: Customer) -> None:
        """Have the places in a business's queue announced: changed ones, and these users'."""
        self.changed_queues.setdefault(business_id, set()).update(newcomers)
        self.queue_changed.set()

    async def live_transcript(
        self, customer: Customer
    ) -> tuple[LiveChat | None, tuple[ChatMessage, ...]]:
        """Return the customer's newest chat, and the last messages of user and coordinators.

        No event comes between this result and the caller's next await.
        """
        async with self._one_at_a_time:
            key = live_transcript_key(customer)
            messages = await self.store.recent_messages(key, TRANSCRIPT_PAGE)
            return await self.store.latest_chat(customer), messages

    async def ai_transcript(self, session_id: SessionId) -> tuple[ChatMessage, ...]:
        """Return the last messages of a conversation with the AI that the server has reported."""
        return await self.store.recent_messages(ai_transcript_key(session_id), TRANSCRIPT_PAGE)

    # The commit of a decision.

    async def _commit(
        self, key: str | None, decide: Callable[[], Awaitable[_Decision]]
    ) -> ReplyBody:
        async with self._one_at_a_time:
            now = self.clock.now()
            first = await self.store.stored_reply(key, now) if key is not None else None
            if first is not None:
                return first
            decision = await decide()
            reply = decision.reply
            chat = decision.chat if decision.chat != decision.before else None
            if chat is None and decision.message is None and key is None:
                return reply
            change = Change(
                at=now,
                chat=chat,
                waited_s=ended_wait_s(decision.before, chat) if chat is not None else None,
                transcript_key=decision.transcript_key,
                message=decision.message,
                key=key,
                reply=reply,
            )
            if not await self.store.save(change):
                return {**reply, "duplicate": True} if decision.recipient else reply
            self._announce(decision, chat)
            return reply

    def _announce(self, decision: _Decision, chat: LiveChat | None) -> None:
        if chat is not None:
            self.notify(ChatChanged(decision.before, chat))
            if _waits(decision.before) != _waits(chat):
                self.announce_queue(chat.customer.business_id)
        if decision.message is not None and decision.recipient is not None:
            self.notify(MessagePosted(decision.recipient, decision.message))


def _waits(chat: LiveChat | None) -> bool:
    return chat is not None and chat.status is Status.WAITING


def _posted(
    customer: Customer, message: ChatMessage, before: LiveChat | None, chat: LiveChat | None
) -> _Decision:
    reply = {"messageId": message.message_id, "duplicate": False}
    return _Decision(reply, before, chat, message, live_transcript_key(customer), customer)
