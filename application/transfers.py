"""A conversation changes hands: asked for, cancelled, taken over, returned, ended, closed."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from application.ports import Businesses, NewId, SessionStore
from application.post_message import coordinator_key, user_key
from application.session_log import SessionLog
from application.turns import Turns
from domain.business import DEFAULT_LANGUAGE
from domain.decisions import (
    DecisionContext,
    change_status,
    end_live_chat,
    expire,
    record_coordinator_message,
    request_transfer,
    say_how_it_goes,
)
from domain.errors import DuplicateMessage, Failure, SessionClosed, UnknownSession
from domain.identity import (
    BusinessId,
    CoordinatorId,
    Customer,
    LocationId,
    MessageId,
    SessionId,
    TransferId,
)
from domain.session import Draft, Session
from domain.status import Status


@dataclass(frozen=True, slots=True)
class Spoken:
    """A coordinator's message, stored."""

    message_id: MessageId
    session: Session
    seq: int
    duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfers:
    """Every status change there is, whoever asks for it."""

    conversations: SessionLog
    store: SessionStore
    businesses: Businesses
    turns: Turns
    new_id: NewId

    async def request(
        self,
        customer: Customer,
        location_id: LocationId | None,
        text: str | None,
        message_id: MessageId | None = None,
        origin: object = None,
    ) -> Session:
        """The user asks for a human. Raises: StorageUnavailable."""
        occasion = await self._occasion(customer.business_id)
        open_session = self.conversations.opener(customer, location_id)
        the_id = message_id or MessageId(self.new_id())
        key = user_key(message_id) if message_id is not None and text is not None else None

        def decide(session: Session | None) -> Draft | None:
            return request_transfer(session, open_session, occasion(), text, the_id, key=key)

        try:
            session = await self.conversations.commit(customer, decide, origin)
        except DuplicateMessage:
            known = await self.conversations.reload(customer)
            session = known.session if known is not None else None
        assert session is not None
        return session

    async def end(self, customer: Customer, origin: object = None) -> Session:
        """The user cancels or ends the live chat. Raises: NotInLiveChat, StorageUnavailable."""
        occasion = await self._occasion(customer.business_id)
        session = await self.conversations.commit(
            customer, lambda session: end_live_chat(session, occasion()), origin
        )
        assert session is not None
        self._wake(session)
        return session

    async def change(
        self,
        session_id: SessionId,
        to: Status,
        coordinator_id: CoordinatorId | None = None,
        summary: str | None = None,
    ) -> Session:
        """The coordinator's side takes over, returns or closes the conversation.

        Raises: UnknownSession, SessionClosed, TransitionRefused, StorageUnavailable.
        """
        first = await self._session(session_id)
        occasion = await self._occasion(first.customer.business_id)

        def decide(session: Session | None) -> Draft | None:
            current = _still(session, session_id, first)
            return change_status(current, to, occasion(), coordinator_id, summary)

        session = await self.conversations.commit(first.customer, decide)
        return session if session is not None and session.session_id == session_id else first

    async def speak(
        self,
        customer: Customer,
        text: str,
        coordinator_id: CoordinatorId | None,
        message_id: MessageId | None = None,
        session_id: SessionId | None = None,
        *,
        replayed: bool = False,
    ) -> Spoken:
        """A coordinator says something to the customer: a takeover, where it is none's or the AI's.

        `session_id`: only into this session. `replayed`: see `decisions.speak`.
        Raises: UnknownSession, SessionClosed, StorageUnavailable.
        """
        occasion = await self._occasion(customer.business_id)
        the_id = message_id or MessageId(self.new_id())
        key = coordinator_key(message_id) if message_id is not None else None

        def decide(session: Session | None) -> Draft:
            if session_id is not None and (session is None or session.session_id != session_id):
                raise SessionClosed
            return record_coordinator_message(
                session, the_id, text, occasion(), coordinator_id, key=key, replayed=replayed
            )

        try:
            spoken = await self.conversations.commit(customer, decide)
        except DuplicateMessage as duplicate:
            return await self._repeated(the_id, duplicate)
        except SessionClosed:  # perhaps after these very words had been stored
            now = occasion().at
            first = await self.store.stored(customer, key, now) if key is not None else None
            if first is None:
                raise
            return await self._repeated(the_id, first)
        assert spoken is not None
        return Spoken(the_id, spoken, spoken.seq, duplicate=False)

    async def _repeated(self, message_id: MessageId, duplicate: DuplicateMessage) -> Spoken:
        first = await self._session(SessionId(duplicate.session_id))
        return Spoken(message_id, first, duplicate.seq, duplicate=True)

    async def say_how_it_goes(self, customer: Customer, transfer_id: TransferId, what: str) -> None:
        """Tell the user how their request for a human fares, once: see `decisions`.

        Raises: StorageUnavailable.
        """
        occasion = await self._occasion(customer.business_id)
        with suppress(DuplicateMessage):
            await self.conversations.commit(
                customer, lambda session: say_how_it_goes(session, transfer_id, what, occasion())
            )

    async def fall_due(self, session: Session) -> Session | None:
        """Let time do its work on a session: expire its transfer, or close it for silence.

        Returns the customer's newest session as it then is. Raises: StorageUnavailable.
        """
        occasion = await self._occasion(session.customer.business_id)
        idle_s = self.conversations.policy.session_idle_s

        def decide(current: Session | None) -> Draft | None:
            if current is None or current.session_id != session.session_id:
                return None
            return expire(current, occasion(), idle_s)

        current = await self.conversations.commit(session.customer, decide)
        if current is not None:
            self._wake(current)
        return current

    def _wake(self, session: Session) -> None:
        """Let the AI answer what was written in vain while waiting."""
        if session.needs_answer:
            self.turns.wake(session.customer)

    async def _session(self, session_id: SessionId) -> Session:
        loaded = await self.store.load(session_id)
        if loaded is None:
            raise UnknownSession
        return loaded.session

    async def _occasion(self, business_id: BusinessId) -> Callable[[], DecisionContext]:
        try:
            business = await self.businesses.business(business_id)
        except Failure:
            business = None  # a hand-over does not wait for the facts to be there again
        language = business.language if business is not None else DEFAULT_LANGUAGE
        return lambda: self.conversations.occasion(language)


def _still(session: Session | None, session_id: SessionId, first: Session) -> Session:
    """The session as it is now; where the customer has gone on to a newer one, as it was closed."""
    if session is not None and session.session_id == session_id:
        return session
    if first.is_open:
        raise SessionClosed
    return first
