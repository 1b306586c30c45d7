"""An assistant that does what a test wrote down for it, step by step."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum, auto

from application.ports import Assistant, Toolbox
from domain.view import View


class Step(Enum):
    """What an assistant can do besides saying a piece, using a tool or raising."""

    PAUSE = auto()
    """Wait for the test's `go`."""
    HANG = auto()
    """Never come back."""


PAUSE, HANG = Step.PAUSE, Step.HANG
Use = Callable[[Toolbox], Awaitable[object]]
Act = str | Step | BaseException | Use


def transfer(reason: str = "user_request", summary: str = "wants a human") -> Use:
    """Calls the tool that asks for a human."""
    return lambda toolbox: toolbox.transfer_to_live_chat(reason, summary)


class ScriptedSteps(Assistant):
    """Turn n follows the n-th script, later turns the last one.

    A text is a piece of the answer, an exception is raised, a function gets the toolbox.
    """

    def __init__(self, *scripts: list[Act]) -> None:
        self._scripts = scripts or (["Răspuns."],)
        self._may_go = asyncio.Semaphore(0)
        self.views: list[View] = []
        """What each turn was given to see."""
        self.running = 0
        self.most_at_once = 0
        self.broken_off = 0
        """How many answers were closed before they were complete."""

    @property
    def turns(self) -> int:
        """How many turns have begun."""
        return len(self.views)

    @property
    def asked(self) -> list[list[str]]:
        """The texts that each turn was to answer."""
        return [[message.text for message in view.unanswered] for view in self.views]

    def go(self) -> None:
        """End one PAUSE, now or when it comes."""
        self._may_go.release()

    async def answer(self, view: View, toolbox: Toolbox, say: Callable[[str], None]) -> None:
        script = self._scripts[min(len(self.views), len(self._scripts) - 1)]
        self.views.append(view)
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            for act in script:
                if isinstance(act, str):
                    say(act)
                else:
                    await self._do(act, toolbox)
        except asyncio.CancelledError:
            self.broken_off += 1
            raise
        finally:
            self.running -= 1

    async def _do(self, act: Step | BaseException | Use, toolbox: Toolbox) -> None:
        if isinstance(act, BaseException):
            raise act
        if act is PAUSE:
            await self._may_go.acquire()
        elif act is HANG:
            await asyncio.get_running_loop().create_future()
        elif callable(act):
            await act(toolbox)
