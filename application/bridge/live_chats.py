"""Everything that happens to a live chat: told by the server, said by either side, done by hand.

One change at a time: whoever comes second decides on what the first has left. A store writes one
after the other anyway, and so the order in which changes are stored is that in which they are told.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from application.bridge.ports import (
    Answer,
    Audience,
    BridgeStore,
    Change,
    Moved,
    Spoken,
    WishRefused,
    live_place,
    told_place,
)
from application.ports import Clock, NewId
from domain.bridge.live_chat import (
    Act,
    LiveChat,
    Told,
    TransferNews,
    Wish,
    Words,
    act,
    hear_status,
    hear_transfer,
    settle,
)
from domain.errors import UnknownSession
from domain.identity import BusinessId, CoordinatorId, Customer, LocationId, MessageId, SessionId
from domain.message import Author

RECENT = 50
"""How many words of a live chat, or of a conversation with the AI, are shown."""

_DONE: Answer = {"status": "ok"}


@dataclass(frozen=True, slots=True)
class _Step:
    """A change, decided, and what is to be told once it is stored."""

    answer: Answer
    before: LiveChat | None = None
    chat: LiveChat | None = None
    words: Words | None = None
    place: str | None = None
    audience: Customer | None = None
    """Who hears the words, if anybody does."""


Decide = Callable[[], Awaitable[_Step]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveChats:
    """The live chats. With a `key` a repeat gets the first answer, and changes nothing.

    Every method raises StorageUnavailable, and then has done nothing.
    """

    store: BridgeStore
    audience: Audience
    clock: Clock
    new_id: NewId
    wished: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever there may be a wish to deliver."""
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    # What the server tells.

    async def told_words(
        self,
        customer: Customer,
        session_id: SessionId,
        location_id: LocationId | None,
        words: Words,
        key: str | None = None,
    ) -> Answer:
        """Somebody, the AI perhaps, has said something in a conversation with the AI."""

        async def decide() -> _Step:
            known = await self.store.chat(session_id)
            new = LiveChat(
                session_id=session_id, customer=customer, location_id=location_id, since=words.at
            )
            chat = new if known is None else None
            return _Step(_DONE, known, chat, words, told_place(session_id))

        return await self._commit(key, decide)

    async def told_transfer(
        self,
        customer: Customer,
        session_id: SessionId,
        location_id: LocationId | None,
        news: TransferNews,
        key: str | None = None,
    ) -> Answer:
        """A user waits for a human."""

        async def decide() -> _Step:
            before = await self.store.chat(session_id)
            known = before or LiveChat(
                session_id=session_id, customer=customer, location_id=location_id, since=news.at
            )
            return _Step(_DONE, before, hear_transfer(known, news))

        return await self._commit(key, decide)

    async def told_status(
        self, session_id: SessionId, told: Told, key: str | None = None
    ) -> Answer:
        """A conversation has changed hands. One that nothing is known of is of no concern."""

        async def decide() -> _Step:
            before = await self.store.chat(session_id)
            return _Step(_DONE, before, hear_status(before, told) if before is not None else None)

        return await self._commit(key, decide)

    # What is said.

    async def user_speaks(
        self,
        customer: Customer,
        text: str,
        *,
        message_id: MessageId | None = None,
        at: datetime | None = None,
        origin: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """The user says something to the coordinators' side: `{"messageId", "duplicate"}`."""

        async def decide() -> _Step:
            chat = await self.store.latest(customer)
            words = Words(
                message_id=message_id or MessageId(self.new_id()),
                author=Author.USER,
                text=text,
                at=at or self.clock.now(),
                session_id=chat.session_id if chat is not None else None,
                origin=origin,
            )
            return _said(customer, words, chat, chat)

        return await self._commit(key, decide)

    async def coordinator_speaks(
        self,
        customer: Customer,
        text: str,
        *,
        coordinator_id: CoordinatorId | None = None,
        message_id: MessageId | None = None,
        at: datetime | None = None,
        origin: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """A coordinator says something, and so has the conversation: `{"messageId", "duplicate"}`.

        Raises: SessionClosed.
        """

        async def decide() -> _Step:
            now = self.clock.now()
            before = await self.store.latest(customer)
            chat = act(before, Act.SPEAK, "", coordinator_id, now) if before is not None else None
            words = Words(
                message_id=message_id or MessageId(self.new_id()),
                author=Author.COORDINATOR,
                text=text,
                at=at or now,
                session_id=chat.session_id if chat is not None else None,
                coordinator_id=coordinator_id,
                origin=origin,
            )
            return _said(customer, words, before, chat)

        return await self._commit(key, decide)

    # What coordinators do.

    async def act(
        self,
        session_id: SessionId,
        what: Act,
        coordinator_id: CoordinatorId,
        summary: str | None = None,
    ) -> LiveChat:
        """Claim, take over, return or close; the chat as it then is.

        Raises: UnknownSession, SessionClosed, AlreadyClaimed, TransitionRefused.
        """
        chats: list[LiveChat] = []

        async def decide() -> _Step:
            before = await self.chat(session_id)
            chat = act(before, what, self.new_id(), coordinator_id, self.clock.now(), summary)
            chats.append(chat)
            return _Step(_DONE, before, chat)

        await self._commit(None, decide)
        self.wished.set()
        return chats[-1]

    async def settled(
        self, session_id: SessionId, wish: Wish, told: Told, refusal: str | None
    ) -> None:
        """The server has heard a wish, and may have refused it."""
        chats: list[LiveChat] = []

        async def decide() -> _Step:
            before = await self.chat(session_id)
            chats.append(settle(before, wish.wish_id, told))
            return _Step(_DONE, before, chats[-1])

        await self._commit(None, decide)
        if refusal is not None:
            self.audience(WishRefused(chats[-1], wish, refusal))

    # What is asked.

    async def chat(self, session_id: SessionId) -> LiveChat:
        """The chat of a session. Raises: UnknownSession."""
        chat = await self.store.chat(session_id)
        if chat is None:
            raise UnknownSession
        return chat

    async def open_chats(self, business_id: BusinessId) -> tuple[LiveChat, ...]:
        """The waiting and the live chats of a business, the longest waiting first.

        Nothing is told between what is read here and what its caller does before it awaits.
        """
        async with self._one_at_a_time:
            return await self.store.open_chats(business_id)

    async def said_live(self, customer: Customer) -> tuple[LiveChat | None, tuple[Words, ...]]:
        """The customer's newest chat, and the last that was said on the coordinators' side.

        Nothing is told between what is read here and what its caller does before it awaits.
        """
        async with self._one_at_a_time:
            said = await self.store.recent(live_place(customer), RECENT)
            return await self.store.latest(customer), said

    async def said_before(self, session_id: SessionId) -> tuple[Words, ...]:
        """The last that was said in a conversation with the AI, as far as the server has told."""
        return await self.store.recent(told_place(session_id), RECENT)

    # How all of it is done.

    async def _commit(self, key: str | None, decide: Decide) -> Answer:
        async with self._one_at_a_time:
            now = self.clock.now()
            first = await self.store.answer(key, now) if key is not None else None
            if first is not None:
                return first
            step = await decide()
            chat = step.chat if step.chat != step.before else None
            if chat is None and step.words is None and key is None:
                return step.answer
            change = Change(
                at=now, chat=chat, place=step.place, words=step.words, key=key, answer=step.answer
            )
            if not await self.store.save(change):
                return {**step.answer, "duplicate": True} if step.audience else step.answer
            self._tell(step, chat)
            return step.answer

    def _tell(self, step: _Step, chat: LiveChat | None) -> None:
        if chat is not None:
            self.audience(Moved(step.before, chat))
        if step.words is not None and step.audience is not None:
            self.audience(Spoken(step.audience, step.words))


def _said(
    customer: Customer, words: Words, before: LiveChat | None, chat: LiveChat | None
) -> _Step:
    answer = {"messageId": words.message_id, "duplicate": False}
    return _Step(answer, before, chat, words, live_place(customer), customer)
