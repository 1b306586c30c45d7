"""Every change of a live chat: reports of the server, messages and coordinators' commands.

One change at a time: the second of two decides on what the first has left. A store writes one after
the other anyway, and so changes are announced in the order in which they are stored.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple

from msgspec import convert, to_builtins
from msgspec.structs import replace

from application.bridge.ports import (
    BoardListener,
    BridgeStore,
    Change,
    ChatChanged,
    CommandRefused,
    Listing,
    MessagePosted,
    NoteAdded,
    ReplyBody,
    ai_transcript_key,
    live_transcript_key,
)
from application.ports import Clock, NewId
from domain.bridge.live_chat import (
    ChatMessage,
    CoordinatorCommand,
    DeskAction,
    DeskEvent,
    LiveChat,
    Note,
    PendingCommand,
    ServerState,
    apply_answer,
    apply_command,
    apply_confirmation,
    apply_message,
    apply_server_state,
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
MISSED_PAGE = 100
"""The number of missed messages that are shown."""
MAX_OPEN = 500
"""The number of waiting chats that a board has, and of live ones."""
LIST_PAGE = 50
"""The number of chats on a page of a list."""
EARLIER_SHOWN = 10
"""The number of a customer's other conversations that are shown with one."""
NOTES_PAGE = 200
"""The number of notes of a conversation that are shown."""
COORDINATOR_AWAY = "coordinator_away"
"""Why a chat goes back to the queue whose coordinator has stayed away."""
MAX_ASKED = 100
"""The number of chats that are asked for a yes, and are shown."""

_ACTIONS = {
    CoordinatorCommand.FORWARD: DeskAction.FORWARDED,
    CoordinatorCommand.REQUEUE: DeskAction.REQUEUED,
    CoordinatorCommand.RETURN: DeskAction.RETURNED,
    CoordinatorCommand.CLOSE: DeskAction.CLOSED,
}
"""Those of the commands by which nobody takes a conversation."""
_OK: ReplyBody = {"status": "ok"}


class BoardChats(NamedTuple):
    """The chats that need coordinators."""

    open: tuple[LiveChat, ...]
    """Waiting or live, the longest waiting first."""
    missed: tuple[LiveChat, ...]
    """The newest missed message first."""
    asked: tuple[LiveChat, ...]
    """Those that wait for a coordinator's yes, or have an outcome of one; the newest first."""
    counts: Mapping[str, int]
    """The number of the business's chats of each kind; see `kinds_of`."""


class _Decision(NamedTuple):
    """A change, and what to announce once it is stored."""

    before: LiveChat | None = None
    chat: LiveChat | None = None
    note: Note | None = None
    message: ChatMessage | None = None
    transcript_key: str | None = None
    recipient: Customer | None = None
    """The customer in whose live chat the message is announced; None: in nobody's."""
    reply: ReplyBody = _OK


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

    async def record(
        self,
        customer: Customer,
        session_id: SessionId,
        location_id: LocationId | None,
        at: datetime,
        apply: Callable[[LiveChat], LiveChat],
        key: str | None = None,
        *,
        message: ChatMessage | None = None,
        opens: bool = True,
    ) -> ReplyBody:
        """Record what the server reports of a customer's conversation: `apply` returns it after it.

        `message`: what was written to or by the AI. `opens`: False: an unknown conversation, which
        would be taken for the customer's newest, is ignored.
        Raises: IdentityMismatch, where the conversation is another customer's.
        """

        async def decide() -> _Decision:
            before = await self.store.chat(session_id)
            if before is not None and before.customer != customer:
                raise IdentityMismatch
            if before is None and not opens:
                return _Decision()
            known = before or LiveChat(
                session_id=session_id, customer=customer, location_id=location_id, since=at
            )
            return _Decision(before, apply(known), None, message, ai_transcript_key(session_id))

        return (await self._commit(key, decide)).reply

    async def record_server_state(
        self, session_id: SessionId, state: ServerState, key: str | None = None
    ) -> ReplyBody:
        """Record the server's state of a conversation; that of an unknown one is ignored."""

        async def decide() -> _Decision:
            before = await self.store.chat(session_id)
            return _Decision(before, before and apply_server_state(before, state))

        return (await self._commit(key, decide)).reply

    # Messages.

    async def post(
        self,
        customer: Customer,
        author: Author,
        text: str,
        *,
        coordinator_id: CoordinatorId | None = None,
        message_id: MessageId | None = None,
        at: datetime | None = None,
        origin: str | None = None,
        key: str | None = None,
        at_desk: bool = False,
    ) -> ReplyBody:
        """Post a message in the live chat; return `{"messageId", "duplicate"}`.

        A coordinator's takes over, and attends to all that the customer has left. `at_desk`: see
        `LiveChat.is_at_desk`. Raises: SessionClosed, for a coordinator's.
        """
        by, missed = coordinator_id, tuple[LiveChat, ...]()

        async def decide() -> _Decision:
            nonlocal missed
            now, note = self.clock.now(), None
            chat = before = await self.store.latest_chat(customer)
            message = ChatMessage(
                message_id=message_id or MessageId(self.new_id()),
                author=author,
                text=text,
                at=at or now,
                session_id=before.session_id if before is not None else None,
                coordinator_id=by,
                origin=origin,
            )
            if author is Author.COORDINATOR and before is not None:
                missed = await self.store.chats(Listing.MISSED, *customer, limit=MISSED_PAGE)
                if missed:
                    chat = apply_answer(before, message, self.new_id(), now, at_desk=at_desk)
                else:
                    speak = CoordinatorCommand.SPEAK
                    chat = apply_command(before, speak, "", by, now, at_desk=at_desk)
                note = self._taken(before, chat, by)
            chat = chat and apply_message(chat, message)
            reply = {"messageId": message.message_id, "duplicate": False}
            place = live_transcript_key(customer)
            return _Decision(before, chat, note, message, place, customer, reply)

        reply = (await self._commit(key, decide)).reply
        if missed and not reply["duplicate"]:
            self.command_added.set()
            for chat in missed:
                await self.attend(chat.session_id)
        return reply

    # Coordinators' commands.

    async def execute(
        self,
        session_id: SessionId,
        command: CoordinatorCommand,
        coordinator_id: CoordinatorId,
        handover_note: str | None = None,
        *,
        to: CoordinatorId | None = None,
        reason: str | None = None,
        still: Callable[[], bool] = lambda: True,
    ) -> LiveChat:
        """Execute the command of a coordinator who is at the desk; return the chat after it.

        `to`: the colleague of a FORWARD. `reason`: of a REQUEUE. `still`: False: it is none any
        more, as its turn comes.
        Raises: UnknownSession, SessionClosed, AlreadyClaimed, TransitionRefused.
        """

        def apply(before: LiveChat) -> tuple[LiveChat, Note | None]:
            now, by = self.clock.now(), coordinator_id
            if not still():
                return before, None
            chat = apply_command(
                before, command, self.new_id(), by, now, handover_note,
                to=to, reason=reason, at_desk=True,
            )  # fmt: skip
            action = DeskAction.AWAY if reason == COORDINATOR_AWAY else _ACTIONS.get(command)
            if action is None or chat.pending_commands == before.pending_commands:
                return chat, self._taken(before, chat, by)
            return chat, self._note(before, by, handover_note or "", action, to)

        chat = await self._change(session_id, apply)
        self.command_added.set()
        return chat

    async def record_answer(
        self, session_id: SessionId, confirm_id: str, state: WriteState, by: CoordinatorId | None
    ) -> LiveChat:
        """Record what the server has answered to a yes or a no; return the chat after it.

        Raises: UnknownSession.
        """

        def apply(before: LiveChat) -> tuple[LiveChat, Note | None]:
            known = before.confirmation
            if known is None or known.confirm_id != confirm_id:
                return before, None
            # In the server's own time: its reports of what comes of it are newer.
            chat = apply_confirmation(before, replace(known, state=state, coordinator_id=by))
            answered = DeskAction.ANSWERED_QUESTION
            return chat, self._note(before, by, known.what, answered) if by is not None else None

        return await self._change(session_id, apply)

    async def add_note(
        self,
        session_id: SessionId,
        note_id: str,
        text: str,
        by: CoordinatorId,
        action: DeskAction | None = None,
    ) -> Note:
        """Store a coordinator's note, or an action's words; return it. A repeat gets the first.

        Raises: UnknownSession.
        """

        async def decide() -> _Decision:
            chat = await self.chat(session_id)
            note = replace(self._note(chat, by, text, action), note_id=note_id)
            if (first := await self.store.same_note(note)) is not None:  # of long ago
                return _Decision(chat, chat, reply=to_builtins(first))
            return _Decision(chat, chat, note, reply=to_builtins(note))

        kept = await self._commit(f"note {by} {action or ''} {session_id} {note_id}", decide)
        return convert(kept.reply, Note)

    async def attend(self, session_id: SessionId, seen: datetime | None = None) -> LiveChat:
        """Mark a missed message as attended to; return the chat. Raises: UnknownSession.

        `seen`: the time of the newest message that the coordinator has seen; None: whichever it is.
        """
        return await self._change(session_id, lambda before: (attend(before, seen), None))

    async def record_moved_answer(
        self, session_id: SessionId, command: PendingCommand, to: SessionId, state: ServerState
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
            return _Decision(known, moved) if is_target else _Decision(chat, closed)

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
        chat = await self._change(
            session_id, lambda before: (complete_command(before, command.command_id, state), None)
        )
        if refusal is not None:
            self.notify(CommandRefused(chat, command, refusal))

    async def _change(
        self, session_id: SessionId, apply: Callable[[LiveChat], tuple[LiveChat, Note | None]]
    ) -> LiveChat:
        """Change a chat, of which `apply` returns the next state; return it.

        Raises: UnknownSession.
        """

        async def decide() -> _Decision:
            before = await self.chat(session_id)
            return _Decision(before, *apply(before))

        made = await self._commit(None, decide)
        assert made.chat is not None
        return made.chat

    def _taken(self, before: LiveChat, chat: LiveChat, by: CoordinatorId | None) -> Note | None:
        """Return the note that a coordinator has got the chat; None: it has not changed hands."""
        if by is None or chat.coordinator_id != by or before.coordinator_id == by:
            return None
        is_claim = before.is_open and before.coordinator_id is None
        action = DeskAction.CLAIMED if is_claim else DeskAction.TAKEN_OVER
        return self._note(before, by, "", action)

    def _note(
        self,
        chat: LiveChat,
        by: CoordinatorId,
        text: str,
        action: DeskAction | None,
        to: CoordinatorId | None = None,
    ) -> Note:
        return Note(
            note_id=self.new_id(),
            session_id=chat.session_id,
            coordinator_id=by,
            text=text,
            at=self.clock.now(),
            event=DeskEvent(type=action, to=to) if action is not None else None,
        )

    async def erase(self, customer: Customer) -> int:
        """Erase all that is stored of a customer; return the number of conversations.

        What the server reports of them later is stored anew: erase there first.
        """
        async with self._one_at_a_time:
            erased = await self.store.erase(customer)
            for chat in erased:  # boards have no more than the id of it
                rest = LiveChat(
                    session_id=chat.session_id,
                    customer=customer,
                    since=self.clock.now(),
                    status=Status.CLOSED,
                )
                self.notify(ChatChanged(chat, rest))
            if any(map(_waits, erased)):
                self.announce_queue(customer.business_id)
        return len(erased)

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
            chats = await self.store.chats(Listing.OPEN, business_id)
            missed = await self.store.chats(Listing.MISSED, business_id, limit=MISSED_PAGE)
            asked = await self.store.chats(Listing.ASKED, business_id, limit=MAX_ASKED)
            counted = await self.store.count_chats(business_id)
        waiting = sum(chat.status is Status.WAITING for chat in chats)
        counts = {
            Status.WAITING.value: waiting,
            Status.LIVE.value: len(chats) - waiting,
            Status.AI.value: counted.unclosed - len(chats),
            "missed": counted.missed,
            "asked": counted.asked,
        }
        return BoardChats(chats, missed, asked, counts)

    async def queue(self, business_id: BusinessId) -> tuple[tuple[LiveChat, ...], int | None]:
        """Return the waiting chats of a business, the longest waiting first, and the usual wait.

        No event comes between this result and the caller's next await.
        """
        async with self._one_at_a_time:
            waits_s = await self.store.recent_waits_s(business_id)
            chats = await self.store.chats(Listing.OPEN, business_id)
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

    # The commit of a decision.

    async def _commit(
        self, key: str | None, decide: Callable[[], Awaitable[_Decision]]
    ) -> _Decision:
        async with self._one_at_a_time:
            now = self.clock.now()
            first = await self.store.stored_reply(key, now) if key is not None else None
            if first is not None:
                return _Decision(reply=first)
            made = await decide()
            chat = made.chat if made.chat != made.before else None
            if not (chat or made.message or made.note or key):
                return made
            change = Change(
                at=now,
                chat=chat,
                waited_s=ended_wait_s(made.before, chat) if chat is not None else None,
                transcript_key=made.transcript_key,
                message=made.message,
                note=made.note,
                key=key,
                reply=made.reply,
            )
            if await self.store.save(change):
                self._announce(made, chat)
            elif made.recipient is not None:
                return made._replace(reply={**made.reply, "duplicate": True})
            return made

    def _announce(self, made: _Decision, chat: LiveChat | None) -> None:
        if chat is not None:
            self.notify(ChatChanged(made.before, chat))
            if _waits(made.before) != _waits(chat):
                self.announce_queue(chat.customer.business_id)
        customer = made.recipient or (made.chat.customer if made.chat is not None else None)
        if customer is not None and made.message is not None:
            self.notify(MessagePosted(customer, made.message, made.recipient is not None))
        if customer is not None and made.note is not None:
            self.notify(NoteAdded(customer.business_id, made.note))


def _waits(chat: LiveChat | None) -> bool:
    return chat is not None and chat.status is Status.WAITING
