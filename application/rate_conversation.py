"""A customer's rating of a conversation: it is in the log, and moves nothing of what is said."""

from dataclasses import dataclass

from application.ports import NewId, Observer
from application.session_log import SessionLog
from domain.decisions import rate
from domain.errors import UnknownSession
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
        self, customer: Customer, stars: Stars, session_id: SessionId | None = None
    ) -> SessionId:
        """Store a rating, once however often it is repeated; return the session that has it.

        `session_id`: None: the customer's newest session. Raises: UnknownSession, where it is not
        theirs or they have none; StorageUnavailable.
        """
        message_id = MessageId(self.new_id())
        is_new = False

        def decide(session: Session | None) -> Draft | None:
            nonlocal is_new
            if session is None:
                raise UnknownSession
            draft = rate(session, stars, message_id, self.session_log.clock.now())
            is_new = draft is not None
            return draft

        if session_id is None:
            session = await self.session_log.commit(customer, decide)
        else:
            session = await self.session_log.commit_in(session_id, customer, decide)
        if is_new:
            self.observer.conversation_rated(stars.rating)
        assert session is not None
        return session.session_id
