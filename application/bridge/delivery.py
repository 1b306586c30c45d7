"""The coordinators' wishes go to the AI agent server: in order, until each is heard."""

from collections.abc import Callable
from dataclasses import dataclass

from application.bridge.live_chats import LiveChats
from application.bridge.ports import AgentServer, Reached, ServerAway
from application.ports import Clock
from domain.bridge.live_chat import Told, Wish
from domain.errors import Refusal
from domain.identity import SessionId
from domain.status import Status

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0


@dataclass(slots=True, kw_only=True)
class Delivery:
    """Delivers what is wished for; one of these at a time, for the sake of the order."""

    chats: LiveChats
    server: AgentServer
    clock: Clock
    jitter: Callable[[], float]
    """A float in 0..1."""
    _failures: int = 0

    async def __call__(self) -> float | None:
        """Deliver all there is.

        Returns in how many seconds to try again what the server, being away, has not heard; None:
        it has heard everything. Raises: StorageUnavailable.
        """
        audience = self.chats.audience
        try:
            while wishing := await self.chats.store.wishing():
                for chat in wishing:
                    await self._deliver(chat.session_id, chat.wishes[0])
                    audience(Reached(True))
                    self._failures = 0
        except ServerAway:
            audience(Reached(False))
            self._failures += 1
            return self._pause_s()
        if self._failures:  # what could not be delivered, the server's own news have voided
            audience(Reached(True))
        self._failures = 0
        return None

    def _pause_s(self) -> float:
        """Doubled after each failure in a row, up to a limit, and spread over its upper half."""
        doublings = min(self._failures - 1, 10)
        return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**doublings) * (0.5 + self.jitter() / 2)

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
