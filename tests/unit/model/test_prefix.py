"""The share of a prompt that the one before it had too, which a provider's cache serves."""

from collections.abc import Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from adapters.memory.businesses import MemoryBusinesses
from adapters.memory.knowledge import MemoryKnowledge
from adapters.model.completion import PromptMessage
from adapters.model.prompt import PromptSettings, prompt
from application.ports import Knowledge, SummaryResult
from domain.business import Business
from domain.errors import AssistantFailed
from domain.knowledge import Passage
from domain.message import Entry
from tests.support.assistants import ScriptedSteps
from tests.support.businesses import DEMO_BUSINESSES
from tests.support.harness import harness

TURNS = 60
SETTINGS = PromptSettings(time_zone=ZoneInfo("Europe/Bucharest"))
QUESTION = "Bună ziua, aș dori să rezerv o masă pentru patru persoane vineri seara, se poate? "
ANSWER = "Sigur, avem locuri libere vineri seara după ora 19:00, pe terasă sau în salon. "


class Summarising(ScriptedSteps):
    """An assistant whose summaries differ, as a model's do."""

    async def summarise(
        self,
        earlier: str | None,
        entries: Sequence[Entry],
        language: str,
        *,
        max_tokens: int,
        business: Business | None = None,
    ) -> SummaryResult:
        made = await super().summarise(earlier, entries, language, max_tokens=max_tokens)
        return SummaryResult(f"{len(self.summarised)}. {made.text}" + " Vrea o masă." * 60)


def shares(prompts: Sequence[Sequence[PromptMessage]]) -> list[float]:
    """Return the share of each prompt, after the first, that is the beginning of the one before."""
    texts = ["".join(f"{each['role']}\n{each['content']}" for each in told) for told in prompts]
    return [_same(earlier, later) / len(later) for earlier, later in pairwise(texts)]


def _same(earlier: str, later: str) -> int:
    """Return the number of characters at the beginning that both have."""
    both = enumerate(zip(earlier, later, strict=False))
    return next((index for index, (one, other) in both if one != other), len(earlier))


async def conversation(
    assistant: ScriptedSteps,
    length: int,
    view_tokens: int,
    knowledge: Knowledge | None = None,
) -> list[Sequence[PromptMessage]]:
    """Return the prompts of a conversation; `length`: of its texts, in sentences."""
    business = replace(DEMO_BUSINESSES[0], has_knowledge=knowledge is not None)
    businesses = MemoryBusinesses([business])
    async with harness(
        assistant, view_tokens=view_tokens, knowledge=knowledge, businesses=businesses
    ) as app:
        user = app.user()
        await user.join()
        for number in range(TURNS):
            await user.say(f"{number}. {QUESTION * length}")
            await app.quiet()
            await app.clock.advance(90)
    return [prompt(view, SETTINGS) for view in assistant.views]


@pytest.mark.parametrize("view_tokens", [6_000, 20_000, 100_000])
@pytest.mark.parametrize("length", [1, 2])
async def test_most_of_a_prompt_repeats_the_one_before_it(view_tokens: int, length: int) -> None:
    assistant = Summarising([ANSWER * 2 * length])
    prompts = await conversation(assistant, length, view_tokens=view_tokens)
    repeated = shares(prompts)
    mean = sum(repeated) / len(repeated)

    assert len(repeated) == TURNS - 1
    assert mean >= 0.85


async def test_it_repeats_where_no_summary_can_be_made() -> None:
    assistant = ScriptedSteps([ANSWER * 2])
    assistant.summary = AssistantFailed()
    repeated = shares(await conversation(assistant, 1, view_tokens=6_000))

    assert sum(repeated) / len(repeated) >= 0.85


@pytest.mark.parametrize("view_tokens", [6_000, 20_000])
async def test_passages_that_change_with_each_question_leave_all_before_them_as_it_was(
    view_tokens: int,
) -> None:
    found = [
        Passage(title=f"Masa {number}", location=f"{number}.md", text=f"{number} {QUESTION}" * 3)
        for number in range(TURNS)
    ]
    knowledge = MemoryKnowledge({"b1": found})
    assistant = Summarising([ANSWER * 2])
    prompts = await conversation(assistant, 1, view_tokens, knowledge)
    systems = {told[0]["content"] for told in prompts}
    parts = [
        "".join(f"{each['role']}\n{each['content']}" for each in told).partition("\n\n<knowledge>")
        for told in prompts
    ]
    kept = [earlier[0] == later[0][: len(earlier[0])] for earlier, later in pairwise(parts)]

    assert all(passages for _, passages, _ in parts)
    assert len({after for _, _, after in parts}) == TURNS
    assert len(systems) == 1
    assert sum(kept) / len(kept) >= 0.9  # the others are those with a new summary
