"""An assistant that follows a test's script, step by step."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum, auto

from application.ports import AnswerWriter, Assistant, Judgement, SummaryResult, Toolbox
from application.tools import TRANSFER
from domain.business import Business
from domain.message import Entry
from domain.promise import Verdict
from domain.usage import Usage
from domain.view import View


class Step(Enum):
    """A step of an assistant other than a piece of text, a tool call or an exception."""

    PAUSE = auto()
    """Wait for the test to call `go`."""
    HANG = auto()
    """Never return."""
    RESTART = auto()
    """Start the text over."""


PAUSE, HANG, RESTART = Step.PAUSE, Step.HANG, Step.RESTART
Use = Callable[[Toolbox], Awaitable[object]]
Act = str | Step | BaseException | Use


class Said(AnswerWriter):
    """A writer that records an answer."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.ever: list[str] = []
        """All pieces, also those that became void."""
        self.begun_anew = 0

    def __call__(self, piece: str) -> None:
        self.pieces.append(piece)
        self.ever.append(piece)

    def restart(self) -> None:
        self.pieces.clear()
        self.begun_anew += 1


def call(tool: str, **arguments: object) -> Use:
    """Return a step that calls a tool."""
    return lambda toolbox: toolbox.call(tool, arguments)


def transfer(reason: str = "user_request", summary: str = "wants a human") -> Use:
    """Return a step that calls the tool for a human."""
    return call(TRANSFER, reason=reason, summary=summary)


class ScriptedSteps(Assistant):
    """An assistant whose turn n follows the n-th script, and later turns the last one.

    A text is a piece of the answer, an exception is raised, a function gets the toolbox.
    """

    def __init__(self, *scripts: list[Act]) -> None:
        self._scripts = scripts or (["Răspuns."],)
        self._may_go = asyncio.Semaphore(0)
        self.views: list[View] = []
        """The view of each turn."""
        self.running = 0
        self.most_at_once = 0
        self.broken_off = 0
        """The number of answers that were closed before they were complete."""
        self.usage: Usage | None = None
        """The usage of each answer."""
        self.summary: SummaryResult | Step | BaseException = SummaryResult("Rezumat.")
        """The result of each summary."""
        self.summarised: list[tuple[str | None, list[Entry]]] = []
        """The earlier summary and the entries that each summary was made of."""

        self.verdict: Judgement | Step | BaseException | None = None
        """The result of each judgement."""
        self.judged: list[str] = []
        """The texts that it was to judge."""

    @property
    def turns(self) -> int:
        """The number of turns that have begun."""
        return len(self.views)

    @property
    def asked(self) -> list[list[str]]:
        """The texts that each turn was to answer."""
        return [[message.text for message in view.pending] for view in self.views]

    def go(self) -> None:
        """End one PAUSE, now or when it comes."""
        self._may_go.release()

    async def answer(self, view: View, toolbox: Toolbox, writer: AnswerWriter) -> Usage | None:
        script = self._scripts[min(len(self.views), len(self._scripts) - 1)]
        self.views.append(view)
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            for act in script:
                if isinstance(act, str):
                    writer(act)
                elif act is RESTART:
                    writer.restart()
                else:
                    await self._do(act, toolbox)
            return self.usage
        except asyncio.CancelledError:
            self.broken_off += 1
            raise
        finally:
            self.running -= 1

    async def summarise(
        self,
        earlier: str | None,
        entries: Sequence[Entry],
        language: str,
        *,
        max_tokens: int,
        business: Business | None = None,
    ) -> SummaryResult:
        self.summarised.append((earlier, list(entries)))
        summary = self.summary
        if isinstance(summary, SummaryResult):
            return summary
        if isinstance(summary, BaseException):
            raise summary
        await self._wait(summary)
        return SummaryResult("Rezumat.")

    async def judge(
        self, text: str, *, timeout_s: float, business: Business | None = None
    ) -> Judgement | None:
        self.judged.append(text)
        verdict = self.verdict
        if isinstance(verdict, BaseException):
            raise verdict
        if isinstance(verdict, Step):
            await self._wait(verdict)
            return Judgement(Verdict.NONE)
        return verdict

    async def _do(self, act: Step | BaseException | Use, toolbox: Toolbox) -> None:
        if isinstance(act, BaseException):
            raise act
        if isinstance(act, Step):
            await self._wait(act)
        else:
            await act(toolbox)

    async def _wait(self, step: Step) -> None:
        if step is PAUSE:
            await self._may_go.acquire()
        elif step is HANG:
            await asyncio.get_running_loop().create_future()
