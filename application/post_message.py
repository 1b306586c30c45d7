"""A user says something: stored before it is acknowledged, and then the AI is woken."""

from dataclasses import dataclass
from typing import NamedTuple

from application.ports import NewId
from application.session_log import SessionLog
from application.turns import Turns
from domain.decisions import record_user_message
from domain.errors import DuplicateMessage
from domain.identity import Customer, LocationId, MessageId, SessionId
from domain.session import Draft, Session


class Posted(NamedTuple):
    """The acknowledgement of a message."""

    message_id: MessageId
    session_id: SessionId
    seq: int
    status: str
    duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMessage:
    """Store a user's message, then see to its answer."""

    conversations: SessionLog
    turns: Turns
    new_id: NewId

    async def __call__(
        self,
        customer: Customer,
        location_id: LocationId | None,
        text: str,
        message_id: MessageId | None = None,
        origin: object = None,
        from_bridge: bool = False,
    ) -> Posted:
        """Store `text`; a `message_id` that was stored before returns the first acknowledgement.

        `from_bridge`: it was said there, to a coordinator. Raises: StorageUnavailable.
        """
        conversations = self.conversations
        the_id = message_id or MessageId(self.new_id())
        key = user_key(message_id) if message_id is not None else None
        open_session = conversations.opener(customer, location_id)

        def decide(session: Session | None) -> Draft:
            now = conversations.clock.now()
            return record_user_message(
                session, open_session, the_id, text, now, key=key, from_bridge=from_bridge
            )

        try:
            session = await conversations.commit(customer, decide, origin)
        except DuplicateMessage as first:
            return Posted(the_id, SessionId(first.session_id), first.seq, first.status, True)
        assert session is not None
        if session.needs_answer:
            self.turns.wake(customer)
        return Posted(the_id, session.session_id, session.last_user_seq, session.status, False)


def user_key(message_id: MessageId) -> str:
    """The idempotency key of a user's message: no coordinator can use it up."""
    return f"u:{message_id}"


def coordinator_key(message_id: MessageId) -> str:
    """The idempotency key of a coordinator's message: no user can use it up."""
    return f"c:{message_id}"
