"""A turn and the documents of its business: what it is shown, what it searches, and its sources."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from adapters.memory.businesses import MemoryBusinesses
from adapters.memory.knowledge import MemoryKnowledge
from application.passages import SEARCH_S
from application.ports import Knowledge, Toolbox
from application.unanswered import unanswered_questions
from domain.errors import AssistantFailed, KnowledgeUnavailable
from domain.identity import BusinessId
from domain.knowledge import MAX_PASSAGES, SEARCH, Finding, Passage, passage_tokens
from domain.message import Message, ToolOutcome, ToolUse, token_cost
from domain.texts import Text, localized
from tests.support.assistants import HANG, Act, ScriptedSteps, call, transfer
from tests.support.businesses import DEMO_BUSINESSES
from tests.support.harness import App, User, harness

BISTRO, DENTAL = DEMO_BUSINESSES
OURS = MemoryBusinesses([replace(BISTRO, has_knowledge=True), DENTAL])
TERRACE = Passage(
    title="Casa › Terasă",
    location="house.md#terrace",
    text="Câinii sunt bineveniți pe terasă, în lesă.",
)
WINE = Passage(title="Meniu › Vin", location="menu.md#wine", text="Vinul casei costă 22 de lei.")
SECRET = Passage(title="Secret", location="secret.md", text="Terasa altuia, cu câini.")
QUESTION = "Pot veni cu câinii pe terasă?"


def documents() -> MemoryKnowledge:
    return MemoryKnowledge({"b1": [TERRACE, WINE], "b2": [SECRET]})


class Faulty(Knowledge):
    """Documents that cannot be searched."""

    def __init__(self, fault: Exception | None) -> None:
        """`fault`: raised by each search; None: it never returns."""
        self.fault = fault
        self.searches = 0

    async def search(
        self, business_id: BusinessId, query: str, limit: int = 5
    ) -> tuple[Finding, ...]:
        self.searches += 1
        if self.fault is not None:
            raise self.fault
        await asyncio.get_running_loop().create_future()
        raise AssertionError


class Found(Knowledge):
    """Documents in which every search finds the same."""

    def __init__(self, *passages: Passage) -> None:
        self.found = tuple([Finding(passage=each, score=1.0) for each in passages])
        self.queries: list[str] = []

    async def search(
        self, business_id: BusinessId, query: str, limit: int = 5
    ) -> tuple[Finding, ...]:
        self.queries.append(query)
        return self.found[:limit]


def search(query: str) -> Callable[[Toolbox], Awaitable[object]]:
    """Return a step that searches the documents."""
    return call(SEARCH, query=query)


async def asking(app: App, text: str = QUESTION, business_id: str = "b1") -> User:
    user = app.user(business_id)
    await user.join()
    await user.say(text)
    await app.quiet()
    return user


def sources_of(message: Message) -> list[str]:
    """Return the locations of an answer's sources."""
    (items,) = (action["items"] for action in message.actions if action["type"] == "sources")
    assert isinstance(items, list)
    return [item["location"] for item in items]


# What the AI is shown unasked.


async def test_the_ai_is_shown_what_the_businesss_own_documents_say() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant, knowledge=documents(), businesses=OURS) as app:
        user = await asking(app)

        assert assistant.views[0].passages == (TERRACE,)
        assert user.messages[-1].tools == ()


@pytest.mark.parametrize("text", ["Și?", "🙂", "cu ce?"])
async def test_a_text_without_a_word_of_content_is_not_searched(text: str) -> None:
    assistant, knowledge = ScriptedSteps(), Found(TERRACE)
    async with harness(assistant, knowledge=knowledge, businesses=OURS) as app:
        await asking(app, text)

        assert knowledge.queries == []
        assert assistant.views[0].passages == ()


async def test_a_business_without_documents_is_not_searched() -> None:
    assistant, knowledge = ScriptedSteps(), Found(TERRACE)
    async with harness(assistant, knowledge=knowledge, businesses=OURS) as app:
        await asking(app, "Do you have a terrace?", "b2")

        assert knowledge.queries == []
        assert assistant.views[0].passages == ()


@pytest.mark.parametrize("fault", [KnowledgeUnavailable(), ValueError("a bug"), None])
async def test_documents_that_cannot_be_searched_delay_an_answer_by_a_second_at_most(
    fault: Exception | None,
) -> None:
    assistant = ScriptedSteps()
    async with harness(assistant, knowledge=Faulty(fault), businesses=OURS) as app:
        user = await asking(app)
        await app.clock.advance(SEARCH_S)

        assert user.words == ["Răspuns."]
        assert assistant.views[0].passages == ()
        assert app.observer.failed_searches._value.get() == 1


async def test_a_user_who_stops_a_turn_that_searches_gets_no_answer() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant, knowledge=Faulty(None), businesses=OURS) as app:
        user = await asking(app)
        await app.turns.stop_answer(user.customer)
        await app.clock.advance(SEARCH_S)

        assert assistant.turns == 0
        assert user.messages[-1].text == localized("ro", Text.STOPPED)


async def test_a_takeover_ends_a_turn_that_searches() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant, knowledge=Faulty(None), businesses=OURS) as app:
        user = await asking(app)
        await app.coordinator().take_over(user)
        await app.settle()

        assert assistant.turns == 0
        assert app.observer.outcomes == ["cancelled"]
        assert app.clock.pending == 0


async def test_a_long_message_is_searched_by_its_end() -> None:
    knowledge = Found()
    async with harness(knowledge=knowledge, businesses=OURS) as app:
        await asking(app, "x " * 3_000 + QUESTION)

        assert knowledge.queries[0].endswith(QUESTION)
        assert len(knowledge.queries[0]) == 1_000


@pytest.mark.parametrize("view_tokens", [500, 2_000, 6_000])
async def test_passages_are_a_part_of_the_views_tokens_and_leave_its_window_as_it_is(
    view_tokens: int,
) -> None:
    long = [
        Passage(title="T", location=f"{number}.md", text="terasă " * 2_000) for number in range(9)
    ]
    knowledge = Found(*long)
    assistant = ScriptedSteps(["x" * 200])
    async with harness(
        assistant, knowledge=knowledge, businesses=OURS, view_tokens=view_tokens, turn_quiet_ms=0
    ) as app:
        user = app.user()
        for number in range(40):
            knowledge.found = knowledge.found if number % 2 else ()
            await user.say(f"{QUESTION} {number}")
            await app.settle()
            knowledge.found = tuple([Finding(passage=each, score=1.0) for each in long])

    views = assistant.views
    assert {len(view.passages) > 0 for view in views} == {True, False}
    assert all(len(view.passages) <= MAX_PASSAGES for view in views)
    for view in views:
        entries = sum(map(token_cost, view.entries))
        assert entries <= view_tokens - passage_tokens(view_tokens) or len(view.entries) == 1
        assert sum(len(each.text) // 4 for each in view.passages) <= passage_tokens(view_tokens)
    # A window that does not move begins with the same entry, whatever was found.
    firsts = [view.entries[0].seq for view in views]
    assert firsts == sorted(firsts)
    assert len({*firsts}) <= len(firsts) // 2


# The tool.


async def test_a_search_of_the_tool_is_recorded_with_its_query_and_its_outcome() -> None:
    script: list[Act] = [search("câini terasă"), search("elicopter"), "Da."]
    async with harness(ScriptedSteps(script), knowledge=documents(), businesses=OURS) as app:
        user = await asking(app)

        assert user.messages[-1].tools == (
            ToolUse(name=SEARCH, outcome=ToolOutcome.FOUND, query="câini terasă"),
            ToolUse(name=SEARCH, outcome=ToolOutcome.NOTHING, query="elicopter"),
        )


async def test_a_search_without_a_query_is_none() -> None:
    knowledge = Found(TERRACE)
    script: list[Act] = [search(" \n"), search("\u200b"), "Da."]
    async with harness(ScriptedSteps(script), knowledge=knowledge, businesses=OURS) as app:
        user = await asking(app, "Și?")

        assert knowledge.queries == []
        assert user.messages[-1].tools == ()


async def test_a_query_is_bounded_and_stored_shorter() -> None:
    knowledge = Found(TERRACE)
    script: list[Act] = [search("x\u0000" * 5_000), "Da."]
    async with harness(ScriptedSteps(script), knowledge=knowledge, businesses=OURS) as app:
        user = await asking(app, "Și?")
        (use,) = user.messages[-1].tools

        assert knowledge.queries == ["x" * 1_000]
        assert use.query == "x" * 200


async def test_the_customer_can_search_no_other_business() -> None:
    found: list[object] = []

    async def look(toolbox: Toolbox) -> None:
        found.append((await toolbox.call(SEARCH, {"query": "Secret, terasa altuia"})).value)

    async with harness(ScriptedSteps([look]), knowledge=documents(), businesses=OURS) as app:
        await asking(app)

    (findings,) = found
    assert SECRET not in [finding.passage for finding in findings]  # type: ignore[attr-defined]


@pytest.mark.parametrize("knowledge", [Faulty(KnowledgeUnavailable()), None])
async def test_a_search_that_fails_is_recorded_as_failed_and_is_no_unanswered_question(
    knowledge: Knowledge | None,
) -> None:
    script: list[Act] = [search("câini"), "Nu știu."]
    async with harness(ScriptedSteps(script), knowledge=knowledge, businesses=OURS) as app:
        user = await asking(app)

        assert [use.outcome for use in user.messages[-1].tools] == [ToolOutcome.FAILED]
        assert app.observer.unanswered._value.get() == 0


async def test_a_search_counts_as_a_call_of_a_tool() -> None:
    script: list[Act] = [search("câini"), search("terasă"), search("vin"), "Da."]
    async with harness(
        ScriptedSteps(script), knowledge=documents(), businesses=OURS, turn_max_tool_calls=2
    ) as app:
        user = await asking(app)

        assert user.words == ["Da."]
        assert [use.query for use in user.messages[-1].tools] == ["câini", "terasă"]


# Sources.


async def test_an_answer_names_what_was_searched_and_what_was_shown_and_used() -> None:
    script: list[Act] = [search("vinul casei"), "Da, câinii sunt bineveniți. Vinul casei e 22."]
    async with harness(ScriptedSteps(script), knowledge=documents(), businesses=OURS) as app:
        user = await asking(app, "Pot veni? Ce vin aveți pe terasă?")

        assert sorted(sources_of(user.messages[-1])) == ["house.md#terrace", "menu.md#wine"]


async def test_passages_that_the_answer_does_not_use_are_no_sources() -> None:
    script = ScriptedSteps(["Bună ziua! Cu ce vă ajut?"])
    async with harness(script, knowledge=documents(), businesses=OURS) as app:
        user = await asking(app)

        assert user.messages[-1].actions == ()


@pytest.mark.parametrize(
    "script",
    [
        [search("câini"), AssistantFailed()],
        [search("câini"), transfer()],
    ],
)
async def test_an_apology_and_a_notice_have_no_sources(script: list[Act]) -> None:
    async with harness(ScriptedSteps(script), knowledge=documents(), businesses=OURS) as app:
        user = await asking(app)

        assert "sources" not in [action["type"] for action in user.messages[-1].actions]


async def test_what_was_said_until_it_was_stopped_has_its_sources() -> None:
    script: list[Act] = ["Da, câinii sunt bineveniți în lesă.", HANG]
    async with harness(ScriptedSteps(script), knowledge=documents(), businesses=OURS) as app:
        user = await asking(app, "Aveți terasă?")
        await app.clock.advance(1)
        await app.turns.stop_answer(user.customer)
        await app.settle()

        assert sources_of(user.messages[-1]) == ["house.md#terrace"]


# Unanswered questions.


async def unanswered(app: App, business_id: str | None = None) -> list[tuple[str, int]]:
    found = await unanswered_questions(
        app.store,
        app.store,
        business_id=BusinessId(business_id) if business_id else None,
        since=app.clock.now().replace(year=2000),
    )
    return [(each.question, each.times) for each in found.most_frequent()]


async def test_what_was_searched_in_vain_is_counted_and_listed_once_in_whatever_spelling() -> None:
    nothing: list[Act] = [search("mango"), search("înghețată"), "Nu știu."]
    script = ScriptedSteps(nothing, nothing, [search("terasă"), "Da."], nothing)
    async with harness(script, knowledge=documents(), businesses=OURS, turn_quiet_ms=0) as app:
        user = app.user()
        for text in ("Aveți înghețată?", "aveti  INGHETATA?", QUESTION, "Aveți mango?"):
            await user.say(text)
            await app.clock.advance(1)
        found = await unanswered_questions(
            app.store, app.store, business_id=None, since=app.clock.now().replace(year=2000)
        )
        often, once = found.most_frequent()

        assert (often.question, often.times) == ("aveti  INGHETATA?", 2)
        assert often.searched == ("mango", "înghețată")
        assert (once.question, once.times) == ("Aveți mango?", 1)
        assert often.session_id == await app.session_id(user.customer)
        assert found.sessions == 1
        assert app.observer.unanswered._value.get() == 3


async def test_a_question_in_several_messages_is_one() -> None:
    script = ScriptedSteps([search("mango"), "Nu știu."])
    async with harness(script, knowledge=documents(), businesses=OURS) as app:
        user = app.user()
        await user.say("Bună!")
        await user.say("Aveți mango?")
        await app.quiet()

        assert await unanswered(app) == [("Bună!\nAveți mango?", 1)]


async def test_another_businesss_and_earlier_questions_are_not_listed() -> None:
    script = ScriptedSteps([search("mango"), "Nu știu."])
    async with harness(script, knowledge=documents(), businesses=OURS) as app:
        await asking(app, "Aveți mango?")
        await app.clock.advance(1)
        since = app.clock.now()
        later = await unanswered_questions(app.store, app.store, business_id=None, since=since)

        assert await unanswered(app, "b1") == [("Aveți mango?", 1)]
        assert await unanswered(app, "b2") == []
        assert later.most_frequent() == []


async def test_what_is_erased_is_listed_no_more() -> None:
    script = ScriptedSteps([search("mango"), "Nu știu."])
    async with harness(script, knowledge=documents(), businesses=OURS) as app:
        user = await asking(app, "Aveți mango?")
        before = await unanswered(app)
        await app.privacy.erase(user.customer)

        assert before == [("Aveți mango?", 1)]
        assert await unanswered(app) == []


async def test_questions_of_many_sessions_take_bounded_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("application.unanswered.MAX_QUESTIONS", 3)
    monkeypatch.setattr("application.unanswered.PAGE_SESSIONS", 2)
    script = ScriptedSteps([search("mango"), "Nu știu."])
    async with harness(script, knowledge=documents(), businesses=OURS, turn_quiet_ms=0) as app:
        for number in range(7):
            await app.user("b1", f"u{number}").say(f"Aveți mango {number}?")
            await app.clock.advance(1)
        found = await unanswered_questions(
            app.store, app.store, business_id=None, since=app.clock.now().replace(year=2000)
        )

        assert [each.question for each in found.most_frequent()] == [
            f"Aveți mango {number}?" for number in (6, 5, 4)
        ]
        assert (found.sessions, found.left_out) == (7, 4)
