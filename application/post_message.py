"""A user's message: stored before it is acknowledged, then answered by a turn of the AI."""

from dataclasses import dataclass
from typing import NamedTuple

from application.attendance import Attendance
from application.business_facts import language_and_words
from application.ports import Businesses, MessageSpan, NewId, Tracing
from application.session_log import SessionLog
from application.tracing import NO_TRACING
from application.turns import Turns
from domain.business import Business
from domain.decisions import record_user_message, request_transfer
from domain.errors import DuplicateMessage
from domain.handoff import UNKNOWN, is_about
from domain.identity import Customer, LocationId, MessageId, SessionId
from domain.language import RankLanguages, language_detector
from domain.session import Draft, Session
from domain.status import Reason


class PostedMessage(NamedTuple):
    """The acknowledgement of a message."""

    message_id: MessageId
    session_id: SessionId
    seq: int
    status: str
    duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMessage:
    """Stores a user's message, then wakes the AI's turn.

    On a topic of which the business says so, a human is asked for in its place.
    """

    session_log: SessionLog
    businesses: Businesses
    attendance: Attendance
    rank_languages: RankLanguages
    turns: Turns
    new_id: NewId
    tracing: Tracing = NO_TRACING

    async def __call__(
        self,
        customer: Customer,
        location_id: LocationId | None,
        text: str,
        message_id: MessageId | None = None,
        origin: object = None,
        *,
        named_language: str | None = None,
    ) -> PostedMessage:
        """Store `text`; a `message_id` that was stored before returns the first acknowledgement.

        `named_language`: the customer's, as their client names it, until they have shown one.
        Raises: StorageUnavailable.
        """
        with self.tracing.begin("message", {"business.id": customer.business_id}) as span:
            return await self._post(
                span, customer, location_id, text, message_id, origin, named_language
            )

    async def _post(
        self,
        span: MessageSpan,
        customer: Customer,
        location_id: LocationId | None,
        text: str,
        message_id: MessageId | None,
        origin: object,
        named_language: str | None,
    ) -> PostedMessage:
        the_id = message_id or MessageId(self.new_id())
        key = user_key(message_id) if message_id is not None else None
        open_session = self.session_log.session_factory(customer, location_id)
        business = self.businesses.last_read(customer.business_id)
        language, words = language_and_words(business)
        detect = language_detector(self.rank_languages, language, named_language)
        goes_to_human = business is not None and _goes_to_human(business, text)
        availability = UNKNOWN
        if goes_to_human:
            availability = await self.attendance(customer.business_id, location_id)

        def decide(session: Session | None) -> Draft | None:
            context = self.session_log.decision_context(
                language, words, availability, named_language
            )
            if goes_to_human and (session is None or session.unmet is None):
                return request_transfer(
                    session,
                    open_session,
                    context,
                    text,
                    the_id,
                    key=key,
                    reason=Reason.AI_DECISION,
                    detect=detect,
                )
            return record_user_message(
                session,
                open_session,
                the_id,
                text,
                context.at,
                key=key,
                detect=detect,
                context=context,
            )

        try:
            session = await self.session_log.commit(customer, decide, origin)
        except DuplicateMessage as first:
            # The first time it may have seemed to fail, and then it has started no turn.
            cached = await self.session_log.reload(customer)
            if cached is not None and cached.session.needs_answer:
                self.turns.wake(customer)
            return PostedMessage(
                the_id, SessionId(first.session_id), first.seq, first.status, duplicate=True
            )
        assert session is not None
        span.accepts(session.session_id, session.last_user_seq)
        if session.needs_answer:
            self.turns.wake(customer)
        return PostedMessage(
            the_id, session.session_id, session.last_user_seq, session.status, duplicate=False
        )


def _goes_to_human(business: Business, text: str) -> bool:
    return business.handoff.enabled and is_about(text, business.handoff.always)


def user_key(message_id: MessageId) -> str:
    """The idempotency key of a user's message; a coordinator's message cannot have it."""
    return f"u:{message_id}"


def coordinator_key(message_id: MessageId) -> str:
    """The idempotency key of a coordinator's message; a user's message cannot have it."""
    return f"c:{message_id}"


def whisper_key(message_id: MessageId) -> str:
    """Return the idempotency key of a whisper; a message that is said cannot have it."""
    return f"h:{message_id}"
