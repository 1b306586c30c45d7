"""The assistant that is a model: asked in rounds, each of which may call tools."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Any, Self

from adapters.model.completion import (
    Completion,
    CompletionClient,
    CompletionRequest,
    Deadline,
    PromptMessage,
    ToolRound,
)
from adapters.model.failures import AttemptFailed
from adapters.model.judgement import VERDICT_TOKENS, judgement_prompt, verdict_in
from adapters.model.prompt import (
    CHECK_RESULT,
    PromptSettings,
    check_prompt,
    prompt,
    summary_prompt,
)
from adapters.model.retries import ModelRouter
from adapters.model.tools import arguments_in, tool_spec
from application.ports import (
    AnswerCancelled,
    AnswerWriter,
    Assistant,
    Clock,
    Judgement,
    SummaryResult,
    Toolbox,
    ToolResult,
)
from application.tools import OWN_TOOLS
from domain.business import Business, zone_of
from domain.errors import AssistantFailed
from domain.message import Entry
from domain.texts import Text
from domain.tool import Effect
from domain.usage import Usage
from domain.view import View

MODEL_SHARE = 0.97
"""The model's share of a turn's time: its usage is known only if it ends before the turn."""
CHECK_S = 20.0
_CHECKED = [tool_spec(each.tool) for each in OWN_TOOLS]


class ModelAssistant(Assistant):
    """Models, whichever provider's client each is asked through; `async with assistant:`."""

    def __init__(
        self,
        models: Sequence[CompletionClient],
        *,
        max_output_tokens: int = 1_000,
        timeout_s: float = 60.0,
        concurrency: int = 200,
        prompts: PromptSettings | None = None,
        clock: Clock,
        jitter: Callable[[], float],
        on_failure: Callable[[str], None] = lambda _kind: None,
    ) -> None:
        """`models`: each is asked where those before it fail; the last is also the cheaper one.

        `timeout_s`: for one answer, with tools and retries. `concurrency`: requests at once.
        `jitter`: returns floats in 0..1. `on_failure`: called with the kind (`AttemptFailed.kind`)
        of each failed request to a model.
        """
        self._models = tuple(models)
        self._max_output_tokens = max_output_tokens
        self._timeout_s = timeout_s
        self._cheaper_first = (*self._models[-1:], *self._models[:-1])
        self._prompts = prompts or PromptSettings()
        self._router = ModelRouter(
            self._models,
            concurrency=concurrency,
            clock=clock,
            jitter=jitter,
            on_failure=on_failure,
        )

    def __repr__(self) -> str:
        return f"<ModelAssistant {' '.join(model.name for model in self._models)}>"

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for model in self._models:
                await stack.enter_async_context(model)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    @property
    def is_away(self) -> bool:
        """True if no model answers at the moment."""
        return self._router.is_away

    @property
    def version(self) -> str:
        return self._prompts.digest

    async def answer(self, view: View, toolbox: Toolbox, say: AnswerWriter) -> Usage:
        writer = _AnswerWriter(say)
        request = self._request(
            prompt(view, self._prompts),
            shorter=lambda: prompt(view, self._prompts, brief=True),
            models=self._models[-1:] if view.over_soft_budget else self._models,
            tools=[tool_spec(tool) for tool in toolbox.tools],
            on_text=writer.write,
            on_restart=writer.restart_round,
        )
        with _usage_reported(request):
            await _AnswerRun(self._router, request, view, writer, toolbox)()
        return request.usage

    async def summarise(
        self,
        earlier: str | None,
        entries: Sequence[Entry],
        language: str,
        *,
        max_tokens: int,
        business: Business | None = None,
    ) -> SummaryResult:
        # A word of Romanian has two tokens and more.
        words = max(20, max_tokens // 3)
        zone = zone_of(business, self._prompts.time_zone)
        request = self._request(
            summary_prompt(earlier, entries, language, words, zone),
            models=self._cheaper_first,
        )
        with _usage_reported(request):
            completion = await self._router.complete(request)
        text = "".join(completion.text).strip()
        if not text:
            raise AssistantFailed("the model gave no summary", usage=request.usage)
        return SummaryResult(text, request.usage)

    async def judge(
        self, text: str, *, timeout_s: float, business: Business | None = None
    ) -> Judgement:
        request = self._request(
            judgement_prompt(text),
            models=self._cheaper_first,
            max_tokens=min(VERDICT_TOKENS, self._max_output_tokens),
        )
        request.deadline = Deadline(min(timeout_s, self._timeout_s) * MODEL_SHARE)
        with _usage_reported(request):
            completion = await self._router.complete(request)
        return Judgement(verdict_in("".join(completion.text)), request.usage)

    async def check(self) -> None:
        """Ask each model for a whole round of a tool. Raises: AssistantFailed, with all that fails.

        The requests are like those in operation, tools and all.
        """
        problems = [problem for model in self._models if (problem := await self._problem(model))]
        if problems:
            raise AssistantFailed("; ".join(problems))

    async def _problem(self, model: CompletionClient) -> str | None:
        """Return what keeps a model from doing all its work; None: nothing does."""
        request = self._request(check_prompt(), tools=_CHECKED, models=(model,))
        request.deadline = Deadline(min(CHECK_S, self._timeout_s))
        try:
            completion = await self._router.check(model, request)
            if called := completion.calls:
                results = [CHECK_RESULT] * len(called)
                request.rounds.append(ToolRound.of(completion, results))
                request.tools_allowed = False
                completion = await self._router.check(model, request)
            completion.calls = []
            completion.check()
        except AttemptFailed as failed:
            return f"{model.name}: {failed}"
        if limits := model.limits:
            return f"{model.name} answers, but its server does not accept {'; '.join(limits)}"
        if not called:
            return f"{model.name} answers, but did not call the tool that it was told to call"
        return None

    def _request(self, messages: list[PromptMessage], **chosen: Any) -> CompletionRequest:
        return CompletionRequest(
            **{"models": self._models, "max_tokens": self._max_output_tokens, **chosen},
            deadline=Deadline(self._timeout_s * MODEL_SHARE),
            messages=messages,
        )


@contextmanager
def _usage_reported(request: CompletionRequest) -> Iterator[None]:
    """Report the usage so far if what the block does is cancelled. Raises: AnswerCancelled."""
    try:
        yield
    except asyncio.CancelledError:
        if not request.usage.calls:
            raise
        raise AnswerCancelled(request.usage) from None


class _AnswerRun:
    """One answer: rounds of request, completion and tool calls, until there are no more calls."""

    def __init__(
        self,
        router: ModelRouter,
        request: CompletionRequest,
        view: View,
        writer: "_AnswerWriter",
        toolbox: Toolbox,
    ) -> None:
        self._router = router
        self._request = request
        self._view = view
        self._writer = writer
        self._toolbox = toolbox

    async def __call__(self) -> None:
        """Write the answer. Raises: AssistantFailed, with what has been spent."""
        while True:
            completion = await self._router.complete(self._request)
            if not completion.calls or not self._request.tools_allowed:
                break
            results = await self._use_tools(completion)
            if any(result.ends_answer for result in results):
                self._close()
                return
            if any(result.effect is Effect.WRITE for result in results):
                self._writer.restart_round()  # it was written before the outcome was known
            self._writer.end_round()
            self._request.tools_allowed = not results[-1].is_last
        is_read_as_it_is = not self._view.is_suggestion
        if is_read_as_it_is and completion.is_refused and not completion.has_text:
            offered = self._view.availability.is_offered
            self._writer.write(self._view.text(Text.DECLINED if offered else Text.DECLINED_ALONE))
        if not self._writer.has_text:
            reason = "the model gave no answer, but called tools"
            raise AssistantFailed(reason, usage=self._request.usage)
        if is_read_as_it_is and completion.is_cut:
            self._writer.write(self._view.text(Text.ANSWER_CUT))

    async def _use_tools(self, completion: Completion) -> list[ToolResult]:
        """Make the tool calls of a completion, and add them and their results to the request."""
        results = [
            await self._toolbox.call(call.name, arguments_in(call.arguments))
            for call in completion.calls
        ]
        texts = [result.text for result in results]
        self._request.rounds.append(ToolRound.of(completion, texts))
        return results

    def _close(self) -> None:
        """End the answer with the text that came with the call, so that there is only one end.

        If there was none, the text of earlier rounds must not stand in for it: the application
        then writes one of its own.
        """
        if not self._writer.has_text_in_round:
            self._writer.discard()


class _AnswerWriter:
    """Writes the text of one round after the other, and again where a round is restarted."""

    def __init__(self, say: AnswerWriter) -> None:
        self._say = say
        self._earlier = ""
        self._round: list[str] = []

    @property
    def has_text(self) -> bool:
        """True if text has been written."""
        return bool(self._earlier) or self.has_text_in_round

    @property
    def has_text_in_round(self) -> bool:
        """True if text has been written in this round."""
        return any(map(str.strip, self._round))

    def write(self, piece: str) -> None:
        """Write a piece of this round's text."""
        if not self._round and self._earlier:
            self._say("\n\n")
        self._round.append(piece)
        self._say(piece)

    def end_round(self) -> None:
        """Commit this round's text."""
        if self.has_text_in_round:
            text = "".join(self._round)
            self._earlier += f"\n\n{text}" if self._earlier else text
        self._round.clear()

    def restart_round(self) -> None:
        """Discard this round's text."""
        if self._round:
            self._round.clear()
            self._say.restart()
            if self._earlier:
                self._say(self._earlier)

    def discard(self) -> None:
        """Discard the text of all rounds."""
        if self._earlier or self._round:
            self._say.restart()
            self._earlier = ""
            self._round.clear()
