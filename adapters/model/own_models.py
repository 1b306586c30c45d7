"""The assistants of businesses that have chosen a model of their own, beside everybody else's."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Self

from msgspec.structs import replace

from application.ports import (
    AnswerWriter,
    Assistant,
    Judgement,
    SummaryResult,
    Toolbox,
)
from domain.business import Business, ModelSettings
from domain.errors import AssistantFailed
from domain.message import Entry
from domain.usage import Usage
from domain.view import View

logger = logging.getLogger(__name__)

MAX_OWN_ASSISTANTS = 500
"""Own assistants that are kept open; the least recently used one without work is closed first."""


class _OwnAssistant:
    """An open assistant, and the number of calls that are under way."""

    __slots__ = ("assistant", "calls")

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant
        self.calls = 0


class BusinessAssistants(Assistant):
    """Has each business answered by the model that it has chosen, or else by the server's.

    Businesses with the same choice share an assistant, with its circuits and its concurrency:
    trouble with one model is no other's. A choice that cannot be followed, as its key is missing,
    fails: no conversation goes to a provider that its business has not chosen.
    """

    def __init__(self, default: Assistant, create: Callable[[ModelSettings], Assistant]) -> None:
        """`create` raises ValueError, saying what is wrong, for settings that cannot be used."""
        self._default = default
        self._create = create
        self._own: dict[ModelSettings, _OwnAssistant] = {}
        self._opening = asyncio.Lock()

    def __repr__(self) -> str:
        return repr(self._default)

    async def __aenter__(self) -> Self:
        await self._default.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        try:
            for own in self._own.values():
                await own.assistant.__aexit__(None, None, None)
        finally:
            await self._default.__aexit__(*exc_info)

    @property
    def is_away(self) -> bool:
        """True if the server's own assistant does not answer."""
        return self._default.is_away

    @property
    def version(self) -> str:
        return self._default.version

    async def check(self) -> None:
        """Check the server's own assistant. Raises: AssistantFailed."""
        await self._default.check()

    async def check_of(self, business: Business) -> None:
        async with self._assistant_of(business) as assistant:
            await assistant.check()

    async def answer(self, view: View, toolbox: Toolbox, writer: AnswerWriter) -> Usage | None:
        if view.business is None or not view.business.model.has_own_model:
            return await self._default.answer(view, toolbox, writer)
        async with self._assistant_of(view.business) as assistant:
            return await assistant.answer(view, toolbox, writer)

    async def summarise(
        self,
        earlier: str | None,
        entries: Sequence[Entry],
        language: str,
        *,
        max_tokens: int,
        business: Business | None = None,
    ) -> SummaryResult:
        async with self._assistant_of(business) as assistant:
            return await assistant.summarise(
                earlier, entries, language, max_tokens=max_tokens, business=business
            )

    async def judge(
        self, text: str, *, timeout_s: float, business: Business | None = None
    ) -> Judgement | None:
        async with self._assistant_of(business) as assistant:
            return await assistant.judge(text, timeout_s=timeout_s, business=business)

    @asynccontextmanager
    async def _assistant_of(self, business: Business | None) -> AsyncIterator[Assistant]:
        chosen = business.model if business is not None else ModelSettings()
        if not chosen.has_own_model:
            yield self._default
            return
        async with self._opening:
            own = await self._opened(chosen)
        own.calls += 1
        try:
            yield own.assistant
        finally:
            own.calls -= 1

    async def _opened(self, chosen: ModelSettings) -> _OwnAssistant:
        # Budgets are counted elsewhere: those with different ones share an assistant.
        key = replace(chosen, budget_soft_tokens=None, budget_hard_tokens=None)
        own = self._own.pop(key, None)
        if own is None:
            try:
                assistant = self._create(key)
            except ValueError as error:
                extra = {"action": "own_model_unusable", "reason": str(error)}
                logger.warning("A business's own model cannot be asked", extra=extra)
                raise AssistantFailed(str(error)) from None
            own = _OwnAssistant(await assistant.__aenter__())
            await self._make_room()
        self._own[key] = own  # at the end: the dict is in the order of use
        return own

    async def _make_room(self) -> None:
        idle = [key for key, own in self._own.items() if not own.calls]
        for key in idle[: max(0, len(self._own) - MAX_OWN_ASSISTANTS + 1)]:
            await self._own.pop(key).assistant.__aexit__(None, None, None)
