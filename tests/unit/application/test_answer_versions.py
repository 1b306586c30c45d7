"""The version of an answer: it changes where what the answer was made with does."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.knowledge.index import KnowledgeIndex
from adapters.memory.businesses import MemoryBusinesses
from adapters.model.prompt import PromptSettings
from application.answer_versions import AnswerVersions
from application.ports import Assistant
from domain.business import Business, Location, ModelSettings, Reservation
from domain.handoff import HandoffRules
from domain.identity import BusinessId
from domain.tool import ToolServer
from domain.usage import Usage
from tests.support.assistants import ScriptedSteps
from tests.support.harness import harness

BISTRO = Business(business_id=BusinessId("b1"), name="Bistro", facts={"adresa": "Str. Lungă 1"})
KNOWN = replace(BISTRO, has_knowledge=True)


class Told(ScriptedSteps):
    """An assistant with rules of its own."""

    rules = "r1"

    @property
    def version(self) -> str:
        return self.rules


async def version_of(business: Business | None, assistant: Assistant | None = None) -> Any:
    return await AnswerVersions(assistant=assistant or ScriptedSteps(), knowledge=None)(business)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Bistroul"},
        {"language": "en"},
        {"persona": "Ana"},
        {"instructions": "Spune mereu prețul."},
        {"facts": {"adresa": "Str. Lungă 2"}},
        {"locations": {"l1": Location(name="Centru")}},
        {"handoff": HandoffRules(enabled=False)},
        {"time_zone": "Europe/Bucharest"},
        {"words": {"requested": ("Am cerut un coleg.",)}},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_what_the_ai_is_told_is_in_it(change: dict[str, Any]) -> None:
    before, after = await version_of(BISTRO), await version_of(replace(BISTRO, **change))

    assert before.prompt != after.prompt
    assert (before.knowledge, before.tools) == (after.knowledge, after.tools)


@pytest.mark.parametrize(
    "change",
    [
        {"greeting": "Bună!"},
        {"suggestions": ("Program?",)},
        {"model": ModelSettings(model="other")},
        {"reservations": (Reservation(reservation_id="1", date="2026-01-01", time="1", guests=1),)},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_what_no_answer_depends_on_is_not(change: dict[str, Any]) -> None:
    assert await version_of(BISTRO) == await version_of(replace(BISTRO, **change))


async def test_of_an_unknown_business_it_changes_with_what_the_assistant_is_told() -> None:
    assistant = Told()
    versions = AnswerVersions(assistant=assistant, knowledge=None)
    before, again = await versions(None), await versions(None)
    assistant.rules = "r2"

    assert again == before
    assert (await versions(None)).prompt != before.prompt


async def test_tools_have_a_digest_of_their_own() -> None:
    server = ToolServer(name="booking", url="https://booking.example/mcp")
    before, after = (
        await version_of(BISTRO),
        await version_of(replace(BISTRO, tool_servers=(server,))),
    )

    assert before.tools != after.tools
    assert before.prompt == after.prompt


async def test_the_rules_of_the_assistant_are_in_it() -> None:
    changed = Told()
    changed.rules = "r2"

    assert await version_of(BISTRO, Told()) != await version_of(BISTRO, changed)
    assert PromptSettings().digest != PromptSettings(are_humans_notified=False).digest


async def test_documents_have_a_digest_of_their_own(tmp_path: Path) -> None:
    documents = tmp_path / "knowledge"
    documents.mkdir()
    (documents / "meniu.md").write_text("# Meniu\n\nCiorbă: 20 lei\n")
    async with KnowledgeIndex(tmp_path / "index") as index:
        versions = AnswerVersions(assistant=ScriptedSteps(), knowledge=index)
        unread = await versions(KNOWN)
        await index.update(KNOWN.business_id, documents)
        first = await versions(KNOWN)
        await index.update(KNOWN.business_id, documents)
        again = await versions(KNOWN)
        (documents / "meniu.md").write_text("# Meniu\n\nCiorbă: 22 lei\n")
        await index.update(KNOWN.business_id, documents)
        changed = await versions(KNOWN)

    assert unread.knowledge == ""
    assert first == again
    assert first.knowledge != changed.knowledge
    assert first.prompt == changed.prompt


async def test_it_is_stored_with_the_answer_and_made_once_for_a_reading_of_the_file() -> None:
    async with harness(ScriptedSteps(), businesses=MemoryBusinesses([BISTRO])) as app:
        user = app.user("b1", "u1")
        await user.join()
        for text in ("Bună!", "Unde?"):
            await user.say(text)
            await app.clock.advance(1.0)
        first, second = [each for each in user.messages if each.settles_seq]

        assert first.version == await version_of(BISTRO)
        assert second.version is not None
        assert first.version is not None
        assert first.version.prompt is second.version.prompt


async def test_a_turn_without_the_ai_has_none() -> None:
    assistant = ScriptedSteps()
    assistant.usage = Usage(input_tokens=10, calls=1)
    async with harness(assistant, ai_budget_hard_tokens=5) as app:
        user = app.user("b1", "u1")
        await user.join()
        for text in ("Bună!", "Unde?"):
            await user.say(text)
            await app.clock.advance(1.0)
        answered, over_budget = [each for each in user.messages if each.settles_seq]

        assert answered.version is not None
        assert over_budget.version is None
