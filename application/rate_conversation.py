"""A customer's rating of a conversation: it is in the log, and moves nothing of what is said."""

from dataclasses import dataclass

from application.ports import NewId, Observer
from application.session_log import SessionLog
from domain.decisions import rate
from domain.errors import DuplicateMessage, UnknownSession
from domain.identity import Customer, MessageId, SessionId
from domain.rating import Stars
from domain.session import Draft, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class RateConversation:
    """Stores ratings, of open sessions and of those that have ended: the newest one counts."""

    session_log: SessionLog
    observer: Observer
    new_id: NewId

    async def __call__(
        self,
        customer: Customer,
        stars: Stars,
        session_id: SessionId | None = None,
        message_id: MessageId | None = None,
    ) -> SessionId:
        """Store a rating, unless it is the newest already; return the session that has it.

        `session_id`: None: the customer's newest session. `message_id`: the client's; what was
        stored with it before is not stored again, whatever came since.
        Raises: UnknownSession, where it is not theirs or they have none; StorageUnavailable.
        """
        the_id = message_id or MessageId(self.new_id())
        key = f"r:{message_id}" if message_id is not None else None
        is_new = False

        def decide(session: Session | None) -> Draft | None:
            nonlocal is_new
            if session is None:
                raise UnknownSession
            draft = rate(session, stars, the_id, self.session_log.clock.now(), key)
            is_new = draft is not None
            return draft

        try:
            if session_id is None:
                session = await self.session_log.commit(customer, decide)
            else:
                session = await self.session_log.commit_in(session_id, customer, decide)
        except DuplicateMessage as first:
            return SessionId(first.session_id)
        if is_new:
            self.observer.conversation_rated(stars.rating)
        assert session is not None
        return session.session_id
