"""Every change of a live chat: reports of the server, messages and coordinators' commands.

One change at a time: the second of two decides on what the first has left. A store writes one after
the other anyway, and so changes are announced in the order in which they are stored.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

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
    ChatMessage,
    CoordinatorCommand,
    LiveChat,
    PendingCommand,
    ServerState,
    TransferReport,
    apply_command,
    apply_server_state,
    apply_transfer,
    complete_command,
)
from domain.errors import UnknownSession
from domain.identity import BusinessId, CoordinatorId, Customer, LocationId, MessageId, SessionId
from domain.message import Author

TRANSCRIPT_PAGE = 50
"""The number of messages of a transcript that are shown."""

_OK: ReplyBody = {"status": "ok"}


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

        Raises: SessionClosed.
        """

        async def decide() -> _Decision:
            now = self.clock.now()
            chat = before = await self.store.latest_chat(customer)
            if before is not None:
                chat = apply_command(before, CoordinatorCommand.SPEAK, "", coordinator_id, now)
            message = ChatMessage(
                message_id=message_id or MessageId(self.new_id()),
                author=Author.COORDINATOR,
                text=text,
                at=at or now,
                session_id=chat.session_id if chat is not None else None,
                coordinator_id=coordinator_id,
                origin=origin,
            )
            return _posted(customer, message, before, chat)

        return await self._commit(key, decide)

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

    async def open_chats(self, business_id: BusinessId) -> tuple[LiveChat, ...]:
        """Return the waiting and the live chats of a business, the longest waiting first.

        No event comes between this result and the caller's next await.
        """
        async with self._one_at_a_time:
            return await self.store.open_chats(business_id)

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
        if decision.message is not None and decision.recipient is not None:
            self.notify(MessagePosted(decision.recipient, decision.message))


def _posted(
    customer: Customer, message: ChatMessage, before: LiveChat | None, chat: LiveChat | None
) -> _Decision:
    reply = {"messageId": message.message_id, "duplicate": False}
    return _Decision(reply, before, chat, message, live_transcript_key(customer), customer)
