"""The assistant that is a model: asked in rounds, each of which may call tools."""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any, Self

from adapters.model.failures import AttemptFailed
from adapters.model.prompt import prompt, summary_prompt
from adapters.model.retries import ModelRouter
from adapters.model.tools import TOOLS, Tools
from adapters.openai.client import Client, CompletionRequest, Deadline, Message
from adapters.openai.stream import Reply, ToolCall
from application.ports import (
    AnswerCancelled,
    AnswerWriter,
    Assistant,
    Clock,
    SummaryResult,
    Toolbox,
)
from domain.errors import AssistantFailed
from domain.message import Entry
from domain.texts import Text, localized
from domain.usage import Usage
from domain.view import View

SHARE = 0.97
"""Of a turn's time, for the model: what it has cost is known only if it ends before the turn."""
CHECK_S = 20.0

_not_in_names = re.compile(r"[^A-Za-z0-9_-]+")


class OpenAIAssistant(Assistant):
    """A model behind Chat Completions; use it as `async with assistant:`."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str,
        fallback_model: str = "",
        max_output_tokens: int = 1_000,
        max_tool_calls: int = 5,
        timeout_s: float = 60.0,
        concurrency: int = 200,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        """`fallback_model`: asked where the other fails, and by those who must save; "": none.

        `api_key`: sent as a bearer token, unless it is empty. `timeout_s`: for one answer, tools
        and further tries included. `concurrency`: requests at once. `jitter`: gives floats in 0..1.
        """
        self._models = tuple(dict.fromkeys([model, *([fallback_model] if fallback_model else [])]))
        self._max_output_tokens = max_output_tokens
        self._max_tool_calls = max_tool_calls
        self._timeout_s = timeout_s
        self._client = Client(base_url, api_key, clock)
        self._calls = ModelRouter(
            self._client,
            models=self._models,
            concurrency=concurrency,
            clock=clock,
            jitter=jitter,
        )

    def __repr__(self) -> str:
        return f"<OpenAIAssistant {' '.join(self._models)}>"

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.__aexit__(*exc)

    @property
    def is_away(self) -> bool:
        """Whether all models have failed so often that none is asked for the moment."""
        return self._calls.is_away

    async def answer(self, view: View, toolbox: Toolbox, say: AnswerWriter) -> Usage:
        voice, tools = _Voice(say), Tools(toolbox, self._max_tool_calls)
        errand = self._errand(
            prompt(view),
            models=self._models[-1:] if view.over_soft_budget else self._models,
            tools=TOOLS if self._max_tool_calls else (),
            hear=voice.hear,
            anew=voice.begin_round_anew,
        )
        try:
            await _Turn(self._calls, errand, view, voice, tools).run()
        except asyncio.CancelledError:
            if not errand.usage.calls:
                raise
            raise AnswerCancelled(errand.usage) from None
        return errand.usage

    async def summarise(
        self, earlier: str | None, entries: Sequence[Entry], language: str, *, max_tokens: int
    ) -> SummaryResult:
        # A word of Romanian has two tokens and more.
        errand = self._errand(summary_prompt(earlier, entries, language, max(20, max_tokens // 3)))
        reply = await self._calls.reply(errand)
        text = "".join(reply.text).strip()
        if not text:
            raise AssistantFailed("the model gave no summary", usage=errand.usage)
        return SummaryResult(text, errand.usage)

    async def check(self) -> None:
        """Ask each model for a word. Raises: AssistantFailed, saying what is wrong."""
        for model in self._models:
            errand = self._errand([{"role": "user", "content": "Say: yes"}])
            errand.deadline = Deadline(min(CHECK_S, self._timeout_s))
            reason = None
            try:
                await self._calls.try_once(model, errand)
            except AttemptFailed as failed:
                reason = f"{model}: {failed}"
            if reason is not None:
                raise AssistantFailed(reason)

    def _errand(self, messages: list[Message], **chosen: Any) -> CompletionRequest:
        return CompletionRequest(
            **{"models": self._models, **chosen},
            deadline=Deadline(self._timeout_s * SHARE),
            messages=messages,
            max_tokens=self._max_output_tokens,
        )


class _Turn:
    """One answer: rounds of request, reply and calls of tools, until a reply calls none."""

    def __init__(
        self,
        calls: ModelRouter,
        errand: CompletionRequest,
        view: View,
        voice: "_Voice",
        tools: Tools,
    ) -> None:
        self._calls = calls
        self._errand = errand
        errand.shorten = self._shorten
        self._view = view
        self._voice = voice
        self._tools = tools
        self._rounds: list[Message] = []
        """What came after the prompt: calls of tools and their results."""
        self._is_brief = False

    async def run(self) -> None:
        """Say the answer. Raises: AssistantFailed, with what has been spent."""
        while True:
            reply = await self._calls.reply(self._errand)
            if not reply.calls or not self._errand.tools_allowed:
                break
            await self._use(reply)
            if self._tools.has_transferred:
                self._close_transfer()
                return
            self._voice.end_round()
            self._errand.messages = self._messages()
            self._errand.tools_allowed = self._tools.may_go_on
        if not self._voice.has_spoken:
            reason = "the model gave no answer, but called tools"
            raise AssistantFailed(reason, usage=self._errand.usage)
        if reply.is_cut:
            self._voice.hear(localized(self._view.language, Text.ANSWER_CUT))

    def _shorten(self) -> list[Message] | None:
        """The messages without what was said earlier on; None, if that is done already."""
        if self._is_brief:
            return None
        self._is_brief = True
        return self._messages()

    def _messages(self) -> list[Message]:
        return [*prompt(self._view, brief=self._is_brief), *self._rounds]

    async def _use(self, reply: Reply) -> None:
        """Make the calls that a reply asks for, and note them and their results."""
        ids = {call.call_id for call in reply.calls}
        are_unique = len(ids) == len(reply.calls) and "" not in ids
        calls = [
            _repeatable(call, call.call_id if are_unique else f"call{number:05}")
            for number, call in enumerate(reply.calls)
        ]
        text = "".join(reply.text) or None
        self._rounds.append({"role": "assistant", "content": text, "tool_calls": calls})
        for call, noted in zip(reply.calls, calls, strict=True):
            result = await self._tools.use(call)
            message = {"role": "tool", "tool_call_id": noted["id"], "content": result}
            self._rounds.append(message)

    def _close_transfer(self) -> None:
        """What was said with the transfer closes the answer, so that it is not closed twice.

        Where nothing was, no word of earlier rounds stands for it: the user is told of the
        transfer by whoever makes it.
        """
        if not self._voice.has_spoken_in_round:
            self._voice.take_back()


def _repeatable(call: ToolCall, call_id: str) -> dict[str, Any]:
    """A call as servers take it back, which are stricter then than when they send it."""
    return {
        "id": call_id,
        "type": "function",
        "function": {
            "name": _not_in_names.sub("_", call.name)[:64] or "unknown",
            "arguments": call.arguments if call.is_object else "{}",
        },
    }


class _Voice:
    """Says the text of one round after the other, and begins again where one breaks off."""

    def __init__(self, say: AnswerWriter) -> None:
        self._say = say
        self._earlier = ""
        self._round: list[str] = []

    @property
    def has_spoken(self) -> bool:
        """Whether anything has been said."""
        return bool(self._earlier) or self.has_spoken_in_round

    @property
    def has_spoken_in_round(self) -> bool:
        """Whether anything has been said since the last round."""
        return any(map(str.strip, self._round))

    def hear(self, piece: str) -> None:
        """Say what comes."""
        if not self._round and self._earlier:
            self._say("\n\n")
        self._round.append(piece)
        self._say(piece)

    def end_round(self) -> None:
        """What was said stays said."""
        if self.has_spoken_in_round:
            text = "".join(self._round)
            self._earlier += f"\n\n{text}" if self._earlier else text
        self._round.clear()

    def begin_round_anew(self) -> None:
        """What was said in this round is void."""
        if self._round:
            self._round.clear()
            self._say.restart()
            if self._earlier:
                self._say(self._earlier)

    def take_back(self) -> None:
        """All that was said is void."""
        if self._earlier or self._round:
            self._say.restart()
            self._earlier = ""
            self._round.clear()
