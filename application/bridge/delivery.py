"""The coordinators' wishes go to the AI agent server: in order, until each is heard."""

from collections.abc import Callable
from dataclasses import dataclass

from application.bridge.live_chats import LiveChats
from application.bridge.ports import AgentServer, Reached, ServerAway
from application.ports import Clock
from domain.errors import Refusal
from domain.identity import SessionId
from domain.live_chat import Told, Wish
from domain.status import Status

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Delivers what is wished for; one of these at a time, for the sake of the order."""

    chats: LiveChats
    server: AgentServer
    clock: Clock
    jitter: Callable[[], float]
    """A float in 0..1."""

    async def __call__(self) -> bool:
        """Deliver all there is. False: the server is away, and what is left waits.

        Raises: StorageUnavailable.
        """
        while wishing := await self.chats.store.wishing():
            for chat in wishing:
                try:
                    await self._deliver(chat.session_id, chat.wishes[0])
                except ServerAway:
                    self.chats.audience(Reached(False))
                    return False
                self.chats.audience(Reached(True))
        return True

    def pause_s(self, failures: int) -> float:
        """How long to wait after so many failures in a row: doubled each time, and spread."""
        longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures, 10))
        return longest * (0.5 + self.jitter() / 2)

    async def _deliver(self, session_id: SessionId, wish: Wish) -> None:
        refusal = None
        try:
            told = await self.server.set_status(session_id, wish)
        except Refusal as error:
            refusal = error.code
            told = await self._as_it_is(session_id)
        await self.chats.settled(session_id, wish, told, refusal)

    async def _as_it_is(self, session_id: SessionId) -> Told:
        try:
            return await self.server.status(session_id)
        except Refusal:  # the server does not know it: erased, or lost with its data
            return Told(status=Status.CLOSED, at=self.clock.now())
