"""Status changes: a human requested, cancelled, taken over, returned, ended, closed."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from application.attendance import Attendance
from application.business_facts import facts_if_known, language_and_words
from application.policy import Policy
from application.ports import Businesses, NewId, SessionStore, Tracing
from application.post_message import coordinator_key, user_key, whisper_key
from application.session_log import SessionLog, load_session
from application.tracing import NO_TRACING
from application.turns import Turns
from domain.decision_context import DecisionContext
from domain.decisions import (
    change_status,
    delivery_key,
    end_live_chat,
    expire,
    is_message_outdated,
    is_reached,
    notify_reached,
    notify_unreachable,
    record_coordinator_message,
    record_delivery,
    record_failure,
    request_transfer,
    whisper,
)
from domain.errors import DuplicateMessage, SeqTaken, SessionClosed
from domain.handoff import Availability
from domain.identity import (
    BusinessId,
    CoordinatorId,
    Customer,
    LocationId,
    MessageId,
    SessionId,
    TransferId,
)
from domain.language import RankLanguages, language_detector
from domain.session import Draft, Session
from domain.status import Status
from domain.texts import Text


class PostedCoordinatorMessage(NamedTuple):
    """The acknowledgement of a coordinator's message."""

    message_id: MessageId
    session: Session
    seq: int
    duplicate: bool
    outdated: bool = False
    """True if it is older than the last change of owner, and has changed no owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfers:
    """Makes every status change, whoever asks for it."""

    session_log: SessionLog
    store: SessionStore
    businesses: Businesses
    attendance: Attendance
    rank_languages: RankLanguages
    turns: Turns
    policy: Policy
    new_id: NewId
    is_joined: Callable[[Customer], bool | None]
    """Returns whether messages go both ways on the customer's topic at the bridge; None: another
    process listens to it, and knows."""
    tracing: Tracing = NO_TRACING

    async def request(
        self,
        customer: Customer,
        location_id: LocationId | None,
        text: str | None,
        message_id: MessageId | None = None,
        origin: object = None,
        *,
        named_language: str | None = None,
    ) -> Session:
        """Request a human for the user, or tell them that nobody is there.

        `named_language`: the user's, as their client names it, until they have shown one.
        Raises: StorageUnavailable.
        """
        try:
            with self.tracing.begin("message", {"business.id": customer.business_id}) as span:
                session = await self._request(
                    customer, location_id, text, message_id, origin, named_language=named_language
                )
                if session is not None and text is not None:
                    span.accepts(session.session_id, session.last_user_seq)
        except DuplicateMessage:
            cached = await self.session_log.reload(customer)
            session = cached.session if cached is not None else None
        assert session is not None
        self._wake(session)
        return session

    async def post_from_bridge(
        self,
        customer: Customer,
        text: str,
        message_id: MessageId,
        origin: object,
        *,
        seen: Session | None = None,
    ) -> bool:
        """Store a user's message from the bridge; it requests a human where none was.

        The AI would answer where the user is not. Returns whether it was stored before.
        `seen`: see `post_coordinator_message`. Raises: SeqTaken, StorageUnavailable.
        """
        try:
            await self._request(
                customer, None, text, message_id, origin, from_bridge=True, seen=seen
            )
        except DuplicateMessage:
            return True
        return False

    async def _request(
        self,
        customer: Customer,
        location_id: LocationId | None,
        text: str | None,
        message_id: MessageId | None,
        origin: object,
        *,
        from_bridge: bool = False,
        seen: Session | None = None,
        named_language: str | None = None,
    ) -> Session | None:
        availability = None
        if not from_bridge:
            availability = await self.attendance(customer.business_id, location_id)
        context = await self._decision_context(
            customer.business_id, availability=availability, named_language=named_language
        )
        open_session = self.session_log.session_factory(customer, location_id)
        the_id = message_id or MessageId(self.new_id())
        key = user_key(message_id) if message_id is not None and text is not None else None

        def decide(session: Session | None) -> Draft | None:
            _ensure_unchanged(session, seen)
            now = context()
            return request_transfer(
                session,
                open_session,
                now,
                text,
                the_id,
                key=key,
                from_bridge=from_bridge,
                detect=language_detector(self.rank_languages, now.language, named_language),
            )

        return await self.session_log.commit(customer, decide, origin)

    async def end(self, customer: Customer, origin: object = None) -> Session:
        """Cancel the user's request, or end their live chat.

        Raises: NotInLiveChat, StorageUnavailable.
        """
        context = await self._decision_context(customer.business_id)
        session = await self.session_log.commit(
            customer, lambda session: end_live_chat(session, context()), origin
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
        decided_at: datetime | None = None,
        *,
        is_away: bool = False,
    ) -> Session:
        """Take over, give back to the queue or the AI, or close, for the coordinator's side.

        `decided_at`, `is_away`: see `domain.decisions.change_status`.
        Raises: UnknownSession, SessionClosed, TransitionRefused, Outdated, StorageUnavailable.
        """
        first = (await load_session(self.store, session_id)).session
        context = await self._decision_context(first.customer.business_id)

        def decide(session: Session | None) -> Draft | None:
            current = _current_or_closed(session, session_id, first)
            return change_status(
                current, to, context(), coordinator_id, summary, decided_at, is_away=is_away
            )

        session = await self.session_log.commit(first.customer, decide)
        return session if session is not None and session.session_id == session_id else first

    async def post_coordinator_message(
        self,
        customer: Customer,
        text: str,
        coordinator_id: CoordinatorId | None,
        message_id: MessageId | None = None,
        session_id: SessionId | None = None,
        *,
        written_at: datetime | None = None,
        replayed: bool = False,
        seen: Session | None = None,
    ) -> PostedCoordinatorMessage:
        """Store a coordinator's message: a takeover, unless the coordinator has it already.

        `session_id`: only into this session, or the one that it opens after this was closed for
        idleness. `written_at`, `replayed`: see `record_coordinator_message`. `seen`: only if the
        newest session has not changed since; else this raises SeqTaken.
        Raises: UnknownSession, SessionClosed, SeqTaken, StorageUnavailable.
        """
        context = await self._decision_context(customer.business_id)
        the_id = message_id or MessageId(self.new_id())
        key = coordinator_key(message_id) if message_id is not None else None
        outdated = False

        def decide(session: Session | None) -> Draft:
            nonlocal outdated
            _ensure_unchanged(session, seen)
            if session_id is not None and (session is None or session.session_id != session_id):
                raise SessionClosed
            location_id = session.location_id if session is not None else None
            taken = context()
            outdated = session is not None and is_message_outdated(
                session, written_at, coordinator_id, taken.at
            )
            return record_coordinator_message(
                session,
                self.session_log.session_factory(customer, location_id),
                the_id,
                text,
                taken,
                coordinator_id,
                key=key,
                written_at=written_at,
                replayed=replayed,
            )

        posted = await self._posted(customer, decide, the_id, key)
        return posted if posted.duplicate else posted._replace(outdated=outdated)

    async def _repeated(
        self, message_id: MessageId, duplicate: DuplicateMessage
    ) -> PostedCoordinatorMessage:
        first = await load_session(self.store, SessionId(duplicate.session_id))
        return PostedCoordinatorMessage(message_id, first.session, duplicate.seq, duplicate=True)

    async def whisper(
        self,
        session_id: SessionId,
        text: str,
        coordinator_id: CoordinatorId | None,
        message_id: MessageId | None = None,
    ) -> PostedCoordinatorMessage:
        """Store what a coordinator tells the AI alone, which knows it in its next answer.

        Raises: UnknownSession, SessionClosed, StorageUnavailable.
        """
        first = (await load_session(self.store, session_id)).session
        the_id = message_id or MessageId(self.new_id())
        key = whisper_key(message_id) if message_id is not None else None

        def decide(session: Session | None) -> Draft:
            current = _current_or_closed(session, session_id, first)
            return whisper(current, the_id, text, self.session_log.clock.now(), coordinator_id, key)

        return await self._posted(first.customer, decide, the_id, key)

    async def _posted(
        self,
        customer: Customer,
        decide: Callable[[Session | None], Draft],
        message_id: MessageId,
        key: str | None,
    ) -> PostedCoordinatorMessage:
        """Store a coordinator's message; a repeat gets what was stored first."""
        try:
            session = await self.session_log.commit(customer, decide)
        except DuplicateMessage as duplicate:
            return await self._repeated(message_id, duplicate)
        except SessionClosed:  # perhaps after this very message had been stored
            now = self.session_log.clock.now()
            first = await self.store.stored(customer, key, now) if key is not None else None
            if first is None:
                raise
            return await self._repeated(message_id, first)
        assert session is not None
        return PostedCoordinatorMessage(message_id, session, session.seq, duplicate=False)

    async def record_delivery(self, customer: Customer, transfer_id: TransferId) -> None:
        """Store that the bridge has acknowledged a request, and notify a user who waited for it.

        Idempotent. Raises: StorageUnavailable.
        """
        context = await self._decision_context(customer.business_id)
        session = await self.session_log.commit(
            customer, lambda session: record_delivery(session, transfer_id, context())
        )
        await self._notify_reached(session, context)

    async def record_failure(self, customer: Customer, transfer_id: TransferId) -> None:
        """Store that a request is a dead letter, and notify the user.

        Idempotent. Raises: StorageUnavailable.
        """
        context = await self._decision_context(customer.business_id)
        with suppress(DuplicateMessage):
            await self.session_log.commit(
                customer, lambda session: record_failure(session, transfer_id, context())
            )

    async def notify_unreachable(self, customer: Customer) -> None:
        """Notify the user, once, that the coordinators cannot be reached, if that concerns them.

        Raises: StorageUnavailable.
        """
        context = await self._decision_context(customer.business_id)

        def decide(session: Session | None) -> Draft | None:
            return notify_unreachable(
                session, context(), is_joined=self.is_joined(customer) is not False
            )

        with suppress(DuplicateMessage):
            session = await self.session_log.commit(customer, decide)
            await self._notify_reached(session, context)  # joined while that was stored

    async def notify_reached(self, customer: Customer) -> None:
        """Notify the user, once, that the coordinators have the request after all.

        Only where they had been notified otherwise; to be called when the topic has been joined.
        Raises: StorageUnavailable.
        """
        context = await self._decision_context(customer.business_id)
        cached = await self.session_log.reload(customer)  # another process may have delivered it
        await self._notify_reached(cached.session if cached is not None else None, context)

    async def _notify_reached(
        self, session: Session | None, context: Callable[[], DecisionContext]
    ) -> None:
        transfer = session.transfer if session is not None else None
        if session is None or transfer is None:
            return
        customer, now = session.customer, context().at
        if not is_reached(session, is_joined=self.is_joined(customer) is True):
            return

        def decide(session: Session | None) -> Draft | None:
            return notify_reached(session, context(), is_joined=self.is_joined(customer) is True)

        for text in (Text.UNREACHABLE, Text.REFUSED):
            if await self.store.stored(customer, delivery_key(transfer.transfer_id, text), now):
                with suppress(DuplicateMessage):
                    await self.session_log.commit(customer, decide)
                return

    async def expire(self, session: Session) -> Session | None:
        """Expire the session's transfer, or close the session for inactivity, if it is time.

        Returns the customer's newest session as it then is. Raises: StorageUnavailable.
        """
        context = await self._decision_context(session.customer.business_id, session.location_id)
        idle_s = self.policy.session_idle_s

        def decide(current: Session | None) -> Draft | None:
            if current is None or current.session_id != session.session_id:
                return None
            return expire(current, context(), idle_s)

        current = await self.session_log.commit(session.customer, decide)
        if current is not None:
            self._wake(current)
        return current

    def _wake(self, session: Session) -> None:
        """Start a turn that answers the messages for which no human comes."""
        if session.needs_answer:
            self.turns.wake(session.customer)

    async def _decision_context(
        self,
        business_id: BusinessId,
        location_id: LocationId | None = None,
        availability: Availability | None = None,
        named_language: str | None = None,
    ) -> Callable[[], DecisionContext]:
        """`availability`: None: as the hours of the business, or of the location, say."""
        business = await facts_if_known(self.businesses, business_id)
        language, words = language_and_words(business)
        known = availability or self.attendance.by_hours(business, location_id)
        return lambda: self.session_log.decision_context(language, words, known, named_language)


def _ensure_unchanged(session: Session | None, seen: Session | None) -> None:
    """Raises: SeqTaken, where the newest session is not the one that was seen."""
    if seen is None:
        return
    if session is None or (session.session_id, session.seq) != (seen.session_id, seen.seq):
        raise SeqTaken


def _current_or_closed(session: Session | None, session_id: SessionId, first: Session) -> Session:
    """Return the session as it is now; one that a newer has followed, as it was when it closed."""
    if session is not None and session.session_id == session_id:
        return session
    if first.is_open:
        raise SessionClosed
    return first
