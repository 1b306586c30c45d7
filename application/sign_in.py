"""A visitor signs in: their conversation ends, and the user's begins with what was said in it."""

from dataclasses import dataclass

from application.business_facts import facts_if_known, language_and_words
from application.ports import Businesses, NewId, SessionStore
from application.session_log import SessionLog, load_session
from domain.errors import DuplicateMessage
from domain.identity import IDEMPOTENCY_WINDOW, Customer, MessageId, SessionId
from domain.session import Draft, Session
from domain.visit import close_visit, is_visit_of, take_along, visit_text


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Ends a visitor's session, and gives the AI its summary and last messages in the user's.

    They are two logs, so two writes. The visit is closed first, naming the user: what is taken
    along is final, and nobody else gets it. If the process dies in between, a repeat goes on.
    """

    session_log: SessionLog
    store: SessionStore
    businesses: Businesses
    new_id: NewId

    async def __call__(self, visitor: Customer, user: Customer) -> SessionId | None:
        """Return the user's session that has what was said in the visit; None: nothing was.

        Both must be proven. A repeat changes nothing. Raises: VisitorBusy, StorageUnavailable.
        """
        business = await facts_if_known(self.businesses, visitor.business_id)
        language, words = language_and_words(business)

        def close(session: Session | None) -> Draft | None:
            context = self.session_log.decision_context(language, words)
            return close_visit(session, user.user_id, context)

        closed = await self.session_log.commit(visitor, close)
        if closed is None:
            return None
        visit, recent = await load_session(self.store, closed.session_id)
        if not is_visit_of(visit, recent, user.user_id):
            return None
        # For so long a key tells whether it was taken along.
        is_known = self.session_log.clock.now() < visit.owner_since + IDEMPOTENCY_WINDOW
        text = visit_text(visit, recent) if is_known else None
        if text is None:
            return None
        message_id = MessageId(self.new_id())
        open_session = self.session_log.session_factory(user, visit.location_id)

        def append(session: Session | None) -> Draft:
            return take_along(
                session, open_session, visit, text, message_id, self.session_log.clock.now()
            )

        try:
            session = await self.session_log.commit(user, append)
        except DuplicateMessage as first:
            return SessionId(first.session_id)
        assert session is not None
        return session.session_id
