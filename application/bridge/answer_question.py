"""A coordinator's yes or no, which the AI agent server decides on: the first answer counts."""

from dataclasses import dataclass

from application.bridge.live_chats import LiveChats
from application.bridge.ports import AgentServer
from domain.bridge.live_chat import LiveChat
from domain.errors import (
    ConfirmationExpired,
    ConfirmationWithdrawn,
    UnknownConfirmation,
    UnknownSession,
)
from domain.identity import CoordinatorId, SessionId
from domain.write_call import WriteState


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuestion:
    """Passes a coordinator's answer on at once: unlike a command, it does not wait for a server
    that is away, as the time for it may be over by then."""

    chats: LiveChats
    server: AgentServer

    async def __call__(
        self, session_id: SessionId, confirm_id: str, answer: bool, by: CoordinatorId
    ) -> LiveChat:
        """Return the chat with the answer that counts, which need not be this one.

        Raises: AgentServerUnavailable, StorageUnavailable, and the server's refusal, which is kept.
        """
        try:
            counts = await self.server.confirm(session_id, confirm_id, answer, by)
        except ConfirmationExpired:
            await self.chats.record_answer(session_id, confirm_id, WriteState.EXPIRED, None)
            raise
        except (ConfirmationWithdrawn, UnknownConfirmation, UnknownSession):
            await self.chats.record_answer(session_id, confirm_id, WriteState.WITHDRAWN, None)
            raise
        state = WriteState.APPROVED if counts else WriteState.REJECTED
        # Whose it was is not known, if it is another one's: the server's report says so.
        return await self.chats.record_answer(
            session_id, confirm_id, state, by if counts == answer else None
        )
