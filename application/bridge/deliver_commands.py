"""What coordinators ask of the AI agent server: commands, in order, and each yes or no at once."""

from collections.abc import Callable
from dataclasses import dataclass

from application.bridge.live_chats import LiveChats
from application.bridge.ports import (
    AgentServer,
    AgentServerUnavailable,
    Listing,
    ServerReachability,
)
from application.ports import Clock
from domain.backoff import backoff
from domain.bridge.live_chat import LiveChat, PendingCommand, ServerState
from domain.errors import (
    ConfirmationExpired,
    ConfirmationWithdrawn,
    Refusal,
    UnknownConfirmation,
    UnknownSession,
)
from domain.identity import CoordinatorId, SessionId
from domain.status import Status
from domain.write_call import WriteState

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0


@dataclass(slots=True, kw_only=True)
class DeliverCommands:
    """Delivers pending commands; run only one at a time, so that their order holds."""

    chats: LiveChats
    server: AgentServer
    clock: Clock
    jitter: Callable[[], float]
    """A float in 0..1."""
    _failures: int = 0

    async def run(self) -> float:
        """Deliver all commands, then wait for the next one; return the pause before the next run.

        Raises: StorageUnavailable.
        """
        self.chats.command_added.clear()
        pause_s = await self()
        if pause_s is None:
            await self.chats.command_added.wait()
        return pause_s or 0.0

    async def __call__(self) -> float | None:
        """Deliver all commands; None: none is left.

        Returns the seconds to wait before the next try where the server is unavailable, or fails
        for some conversations, which hold up no other. Raises: StorageUnavailable.
        """
        failed: set[SessionId] = set()
        delivered = False
        try:
            while chats := await self._chats_without(failed):
                for chat in chats:
                    if await self._try(chat.session_id, chat.pending_commands[0]):
                        delivered = True
                    else:
                        failed.add(chat.session_id)
        except AgentServerUnavailable:
            return self._pause_s(is_reachable=False)
        if failed:
            return self._pause_s(is_reachable=delivered)
        if self._failures:  # the server's own reports have voided what could not be delivered
            self.chats.notify(ServerReachability(True))
        self._failures = 0
        return None

    async def _chats_without(self, failed: set[SessionId]) -> list[LiveChat]:
        pending = await self.chats.store.chats(Listing.PENDING)
        return [chat for chat in pending if chat.session_id not in failed]

    def _pause_s(self, *, is_reachable: bool) -> float:
        self.chats.notify(ServerReachability(is_reachable))
        self._failures += 1
        return backoff(self._failures - 1, FIRST_PAUSE_S, LONGEST_PAUSE_S, self.jitter())

    async def _try(self, session_id: SessionId, command: PendingCommand) -> bool:
        """Deliver a command; False: the server answers, but not for this conversation.

        Raises: AgentServerUnavailable.
        """
        try:
            await self._deliver(session_id, command)
        except AgentServerUnavailable as error:
            if not error.answers:
                raise
            return False
        self.chats.notify(ServerReachability(True))
        self._failures = 0
        return True

    async def _deliver(self, session_id: SessionId, command: PendingCommand) -> None:
        refusal = None
        reached = session_id
        try:
            if command.answer is None:
                state = await self.server.set_status(session_id, command)
            else:
                reached = await self.server.post_message(session_id, command.answer)
                state = await self.server.state(reached)
        except Refusal as error:
            refusal = error.code
            state = await self._current_state(session_id)
        if refusal is None and reached != session_id:
            await self.chats.record_moved_answer(session_id, command, reached, state)
        else:
            await self.chats.record_command_result(session_id, command, state, refusal)

    async def _current_state(self, session_id: SessionId) -> ServerState:
        try:
            return await self.server.state(session_id)
        except Refusal:  # unknown to the server: erased, or lost with its data
            return ServerState(status=Status.CLOSED, at=self.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuestion:
    """Passes a coordinator's yes or no on; the first answer counts.

    Unlike a command it does not wait for a server that is away: its time may be over by then.
    """

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
