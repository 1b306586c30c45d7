"""The turns of a stored log, each with the log as it was then, and the trial of one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.structs import replace

from adapters.memory.broker import NoBroker
from adapters.memory.businesses import MemoryBusinesses
from adapters.memory.store import MemoryStore
from adapters.system import RandomIds, SystemClock
from application.answer_versions import AnswerVersions
from application.policy import Policy
from application.ports import Assistant, Toolbox
from application.recorded_turns import WINDOW, RecordedTurn, recorded_turns, stored_turns
from application.replay import Trial, run_all
from domain.answer_comparison import ChangeKind, Handover, compare
from domain.business import Business
from domain.errors import ToolNotCalled, ToolUnanswered
from domain.identity import BusinessId, MessageId, SessionId, customer
from domain.message import Audience, Author, Entry, Message, Summary
from domain.session import Session
from domain.tool import Confirmer, Effect
from domain.view import View
from domain.write_call import WriteState, WriteStep
from entrypoints.cli.exports import exported_turns
from entrypoints.server.http_api import Export, ExportedConversation
from entrypoints.server.wire import EventPresenter, LiveChatAddresses, session_json
from tests.support.assistants import PAUSE, ScriptedSteps, transfer
from tests.support.business_tools import MemoryTools, booking_tool, with_tools
from tests.support.clock import settle
from tests.support.harness import App, harness
from tests.support.recorded import record, record_one
from tests.unit.domain.makers import at

B1 = Business(business_id=BusinessId("b1"), name="Bistro", language="en")
WHO = customer("b1", "u1")


async def turns_of(store: MemoryStore) -> list[RecordedTurn]:
    """Return the turns of all conversations, the oldest of each first."""
    return [turn async for turn in stored_turns(store, store, B1.business_id, limit=1_000)]


def trial(assistant: Assistant, **changed: Any) -> Trial:
    parts: dict[str, Any] = {
        "business": B1,
        "assistant": assistant,
        "knowledge": None,
        "tools": None,
        "versions": AnswerVersions(assistant=assistant, knowledge=None),
        "policy": Policy(),
        "clock": SystemClock(),
        "new_id": RandomIds(),
        "broker": NoBroker(),
        "time_zone": ZoneInfo("Europe/Bucharest"),
        "detect": lambda _text, _known: None,
        **changed,
    }
    return Trial(**parts)


def essence(view: View) -> Any:
    """Return what a model is told by a view, but the time, which the log has not."""
    session = replace(view.session, updated_at=view.session.opened_at)
    return replace(view, at=view.session.opened_at, session=session)


async def talked(app: App, *texts: str) -> None:
    user = app.user("b1", "u1")
    await user.join()
    for text in texts:
        await user.say(text)
        await app.clock.advance(1.0)


# The turns.


async def test_the_view_of_each_turn_is_the_one_that_it_was_answered_from() -> None:
    asked, store = ScriptedSteps(["First."], ["Second."], ["Third."]), MemoryStore()
    async with harness(asked, store, businesses=MemoryBusinesses([B1])) as app:
        await talked(app, "Hello there", "Where are you?", "When do you open?")
    again = ScriptedSteps()
    for turn in await turns_of(store):
        await trial(again)(turn)

    assert len(asked.views) == 3
    assert list(map(essence, again.views)) == list(map(essence, asked.views))


async def test_messages_that_came_during_a_turn_are_the_next_ones() -> None:
    asked, store = ScriptedSteps([PAUSE, "First."], ["Second."]), MemoryStore()
    async with harness(asked, store, businesses=MemoryBusinesses([B1])) as app:
        user = app.user("b1", "u1")
        await user.join()
        await user.say("Hello there")
        await app.clock.advance(1.0)
        await user.say("One more thing")
        asked.go()
        await app.clock.advance(3.0)
    first, second = await turns_of(store)

    again = ScriptedSteps()
    for turn in (first, second):
        await trial(again)(turn)

    assert list(map(essence, again.views)) == list(map(essence, asked.views))
    assert [message.text for message in first.questions] == ["Hello there"]
    assert [message.text for message in second.questions] == ["One more thing"]


async def test_what_a_coordinator_wrote_meanwhile_is_in_the_later_views_alone() -> None:
    asked, store = ScriptedSteps(), MemoryStore()
    async with harness(asked, store, businesses=MemoryBusinesses([B1])) as app:
        user = app.user("b1", "u1")
        await user.join()
        await user.say("Hello there")
        await app.clock.advance(1.0)
        maria = app.coordinator("Maria")
        await maria.speak(user, "Maria here.")
        await user.say("Thanks, Maria")
        await maria.give_back(user)
        await user.say("And when do you open?")
        await app.clock.advance(1.0)
    again = ScriptedSteps()
    for turn in await turns_of(store):
        await trial(again)(turn)

    assert list(map(essence, again.views)) == list(map(essence, asked.views))
    assert again.asked == [["Hello there"], ["And when do you open?"]]


async def test_a_request_for_a_human_belongs_to_the_answer_before_it() -> None:
    asked, store = ScriptedSteps([transfer(), "I have asked a colleague."]), MemoryStore()
    async with harness(asked, store, businesses=MemoryBusinesses([B1])) as app:
        await talked(app, "A human, please")
    (turn,) = await turns_of(store)
    again = trial(ScriptedSteps([transfer(), "I have asked a colleague."]))

    assert again.recorded(turn).handoff is Handover.REQUESTED
    assert (await again(turn)).answer.handoff is Handover.REQUESTED


async def test_an_apology_is_no_turn() -> None:
    store = MemoryStore()
    async with harness(ScriptedSteps([RuntimeError("no")]), store) as app:
        await talked(app, "Hello there")

    assert await turns_of(store) == []


async def pages(*entries: Entry) -> AsyncIterator[tuple[Entry, ...]]:
    yield entries


def said(seq: int, author: Author, **fields: Any) -> Message:
    return Message(
        seq=seq,
        message_id=MessageId(f"m{seq}"),
        author=author,
        text=f"text {seq}",
        at=at() + timedelta(seconds=seq),
        **fields,
    )


HEAD = Session(
    session_id=SessionId("s1"),
    customer=WHO,
    location_id=None,
    opened_at=at(),
    updated_at=at(),
    language="de",
)


async def test_the_summary_that_an_answer_was_made_with_is_in_its_view() -> None:
    summary = Summary(text="Earlier: hello.", through=2)
    log = (
        said(1, Author.USER),
        said(2, Author.AI, settles_seq=1),
        said(3, Author.USER),
        said(4, Author.AI, settles_seq=3, summary=summary),
    )
    asked = ScriptedSteps()
    async for turn in recorded_turns(HEAD, pages(*log)):
        await trial(asked)(turn)
    before, after = asked.views

    assert before.summary is None
    assert after.summary == "Earlier: hello."
    assert [entry.seq for entry in after.entries] == [3]


async def test_the_language_is_the_one_of_the_time() -> None:
    log = (
        said(1, Author.USER),
        said(2, Author.AI, settles_seq=1),
        said(3, Author.USER, language="fr"),
        said(4, Author.AI, settles_seq=3),
    )
    turns = [turn async for turn in recorded_turns(HEAD, pages(*log))]
    unchanged = [turn async for turn in recorded_turns(HEAD, pages(*log[:2]))]

    assert [turn.session.language for turn in turns] == [None, "fr"]
    assert [turn.session.language for turn in unchanged] == ["de"]


async def test_a_log_whose_beginning_has_expired_is_read_from_where_it_is() -> None:
    log = (said(41, Author.USER), said(42, Author.AI, settles_seq=41))
    (turn,) = [turn async for turn in recorded_turns(HEAD, pages(*log))]
    asked = ScriptedSteps(["Yes."])

    assert (await trial(asked)(turn)).answer.text == "Yes."
    assert asked.asked == [["text 41"]]


@pytest.mark.parametrize("settles", [0, 3, 99])
async def test_an_answer_to_nothing_that_is_there_is_no_turn(settles: int) -> None:
    log = (said(1, Author.USER), said(2, Author.AI, settles_seq=settles))

    assert [turn async for turn in recorded_turns(HEAD, pages(*log))] == []


async def test_of_a_long_log_no_more_is_kept_than_a_turn_may_read() -> None:
    async def log() -> AsyncIterator[tuple[Entry, ...]]:
        for seq in range(1, 6_001, 2):
            yield said(seq, Author.USER), said(seq + 1, Author.AI, settles_seq=seq)

    most = last = 0
    async for turn in recorded_turns(HEAD, log()):
        most, last = max(most, len(turn.entries)), turn.answer.seq

    assert last == 6_000
    assert most <= WINDOW


# The trial.


async def test_reservations_come_from_the_record() -> None:
    store = MemoryStore()
    await record_one(store, WHO, ["When is my reservation?"])
    (turn,) = await turns_of(store)
    found: list[Any] = []

    async def look(toolbox: Toolbox) -> None:
        found.extend((await toolbox.call("get_reservations", {})).value)

    tried = await trial(ScriptedSteps([look, "At seven."]))(turn)

    assert [each.reservation_id for each in found] == ["r-1"]
    assert tried.diverged == ()


async def test_a_tool_that_the_record_has_not_is_marked_and_answers_nothing() -> None:
    store = MemoryStore()
    await record_one(store, WHO, ["Where can I park my car?"])
    (turn,) = await turns_of(store)
    refused: list[str] = []

    async def look(toolbox: Toolbox) -> None:
        refused.append((await toolbox.call("get_reservations", {})).text)

    tried = await trial(ScriptedSteps([look, "I cannot look that up."]))(turn)

    assert tried.diverged == ("get_reservations",)
    assert "cannot be looked up" in refused[0]
    assert tried.answer.text == "I cannot look that up."


async def test_the_time_of_a_turn_is_that_of_its_record() -> None:
    store, asked = MemoryStore(), ScriptedSteps()
    await record_one(store, WHO, ["Hello there"])
    (turn,) = await turns_of(store)
    await trial(asked)(turn)

    assert asked.views[0].at == turn.questions[-1].at


async def test_what_fails_is_a_result() -> None:
    store = MemoryStore()
    await record_one(store, WHO, ["Hello there"])
    (turn,) = await turns_of(store)
    tried = await trial(ScriptedSteps([RuntimeError("with a secret")]))(turn)

    assert tried.answer.failure == "RuntimeError"


async def test_a_trial_writes_nothing_to_the_store_that_it_reads() -> None:
    store = MemoryStore()
    await record(store, 5)
    before = [await store.page(SessionId(f"s-b1-u{number}"), limit=99) for number in range(5)]
    for turn in await turns_of(store):
        await trial(ScriptedSteps([transfer(), "I have asked a colleague."]))(turn)
    after = [await store.page(SessionId(f"s-b1-u{number}"), limit=99) for number in range(5)]

    assert before == after


async def test_no_summary_is_made() -> None:
    store, asked = MemoryStore(), ScriptedSteps()
    await record_one(store, WHO, ["Hello there " + "and so on " * 400] * 6)
    for turn in await turns_of(store):
        await trial(asked, policy=Policy(view_tokens=1_000))(turn)

    assert asked.turns == 6
    assert asked.summarised == []


async def test_turns_run_at_once_and_are_bounded() -> None:
    store, asked = MemoryStore(), ScriptedSteps([PAUSE, "Yes."])
    await record(store, 10)
    results: list[Any] = []
    running = asyncio.create_task(
        run_all(
            stored_turns(store, store, B1.business_id, limit=100),
            trial(asked),
            lambda _turn, tried: results.append(tried),
            concurrency=3,
        )
    )
    for _ in range(20):
        await settle()
        asked.go()
    await running

    assert len(results) == 20
    assert asked.most_at_once == 3


async def test_a_cancelled_run_ends_what_runs() -> None:
    store, asked = MemoryStore(), ScriptedSteps([PAUSE, "Yes."])
    await record(store, 10)
    running = asyncio.create_task(
        run_all(
            stored_turns(store, store, B1.business_id, limit=100),
            trial(asked),
            lambda _turn, _tried: None,
            concurrency=3,
        )
    )
    await settle()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert asked.running == 0
    assert asked.broken_off == 3


async def test_only_conversations_of_the_time_and_number_asked_for_are_read() -> None:
    store = MemoryStore()
    await record(store, 5)
    whole = [turn async for turn in stored_turns(store, store, B1.business_id, limit=2)]
    newest = whole[-1].answer.at
    late = [
        turn async for turn in stored_turns(store, store, B1.business_id, limit=99, since=newest)
    ]

    assert len({turn.session.session_id for turn in whole}) == 2
    assert {turn.session.session_id for turn in late} <= {turn.session.session_id for turn in whole}


# Tools of the business's own servers.


WITH_TOOLS = with_tools(name="Bistro", language="en")
TABLE = {"date": "2026-11-20", "guests": 4}


def reserve(**arguments: object) -> Any:
    return lambda toolbox: toolbox.call("reserve_table", {**TABLE, **arguments})


async def reserved(server: MemoryTools, store: MemoryStore, *texts: str) -> None:
    """Have the AI call the booking server for the first message, and then only answer."""
    asked = ScriptedSteps([reserve(), "As you wish."], ["And now?"])
    businesses = MemoryBusinesses([WITH_TOOLS])
    async with harness(asked, store, businesses=businesses, tools=server) as app:
        await talked(app, *texts)


def with_server(server: MemoryTools, *script: Any) -> Trial:
    return trial(ScriptedSteps(list(script)), business=WITH_TOOLS, tools=server)


@pytest.mark.parametrize("effect", Effect)
async def test_a_call_of_a_business_s_tool_is_answered_from_the_record(effect: Effect) -> None:
    server, store = MemoryTools(booking_tool(effect=effect)), MemoryStore()
    await reserved(server, store, "A table, please")
    (turn,) = await turns_of(store)
    said: list[Any] = []

    async def again(toolbox: Toolbox) -> None:
        said.append(await toolbox.call("reserve_table", TABLE))

    again_trial = with_server(server, again, "As you wish.")
    tried = await again_trial(turn)

    assert len(server.requests) == 1
    assert "R-7" in said[0].text
    assert tried.diverged == ()
    assert compare(again_trial.recorded(turn), tried.answer).changes == ()


@pytest.mark.parametrize("effect", Effect)
async def test_a_call_with_other_arguments_is_marked_and_not_made(effect: Effect) -> None:
    server, store = MemoryTools(booking_tool(effect=effect)), MemoryStore()
    await reserved(server, store, "A table, please")
    (turn,) = await turns_of(store)
    again = with_server(server, reserve(guests=5), "I could not do that.")
    tried = await again(turn)

    assert len(server.requests) == 1
    assert tried.diverged == ('reserve_table {"date":"2026-11-20","guests":5}',)
    assert ChangeKind.TOOLS in compare(again.recorded(turn), tried.answer).changes


@pytest.mark.parametrize("failure", [ToolNotCalled("away"), ToolUnanswered("late")])
async def test_a_call_that_failed_fails_again(failure: Exception) -> None:
    server, store = MemoryTools(booking_tool(has_look_up=True, timeout_s=0.5)), MemoryStore()
    server.failure, server.look_up_fails = failure, True
    await reserved(server, store, "A table, please")
    (turn,) = await turns_of(store)
    looked_up = len(server.looked_up)
    again = with_server(server, reserve(), "As you wish.")
    tried = await again(turn)

    assert len(server.requests) == 1
    assert len(server.looked_up) == looked_up
    assert [use.outcome for use in tried.answer.tools] == [use.outcome for use in turn.answer.tools]


async def test_what_waits_for_a_yes_is_asked_and_made_again_in_the_record_alone() -> None:
    server, store = MemoryTools(booking_tool(confirm=Confirmer.CUSTOMER)), MemoryStore()
    await reserved(server, store, "A table, please", "yes")
    asked, made = await turns_of(store)
    first = with_server(server, reserve(), "As you wish.")
    second = with_server(server, "And now?")

    assert [message.text for message in made.questions] == ["yes"]
    assert compare(first.recorded(asked), (await first(asked)).answer).changes == ()
    assert compare(second.recorded(made), (await second(made)).answer).changes == ()
    assert len(server.requests) == 1


async def test_a_recorded_call_is_not_a_part_of_the_log_that_its_own_turn_reads() -> None:
    server, store = MemoryTools(), MemoryStore()
    await reserved(server, store, "A table, please", "Thanks a lot")
    first, second = await turns_of(store)

    assert [entry.seq for entry in first.entries] == [1]
    assert first.session.writes == ()
    assert [step.state for step in first.steps] == [WriteState.STARTED, WriteState.DONE]
    assert len(second.entries) == 5
    assert second.steps == ()


async def test_a_call_whose_outcome_an_earlier_run_left_open_is_settled_as_it_was() -> None:
    step = WriteStep(
        call_id="s1-2", state=WriteState.STARTED, tool="reserve_table", what="Table", arguments="{}"
    )
    done = replace(step, state=WriteState.UNKNOWN, arguments="")
    hidden: dict[str, Any] = {"audience": Audience.COORDINATOR}
    log = (
        said(1, Author.USER),
        said(2, Author.AI, write=step, **hidden),
        said(3, Author.USER),
        said(4, Author.AI, write=done, **hidden),
        said(5, Author.AI, settles_seq=3),
    )
    (turn,) = [turn async for turn in recorded_turns(HEAD, pages(*log))]
    async with asyncio.timeout(5):
        tried = await with_server(MemoryTools(), "Sorry.")(turn)

    assert turn.session.writes[0].state is WriteState.UNKNOWN
    assert tried.answer.text.startswith("Sorry.")


async def test_an_export_has_the_turns_that_the_store_has(tmp_path: Path) -> None:
    server, store = MemoryTools(booking_tool(confirm=Confirmer.CUSTOMER)), MemoryStore()
    await reserved(server, store, "A table, please", "yes", "Thanks a lot for that table")
    stored = await turns_of(store)
    file = tmp_path / "export.json"
    file.write_bytes(msgspec.json.encode(await exported(store)))
    turns = [turn async for turn in exported_turns([file], B1.business_id, since=None, limit=9)]

    assert len(stored) == 3
    assert [told_of(turn) for turn in turns] == [told_of(turn) for turn in stored]
    for turn in turns:
        again = with_server(server, *([reserve()] if turn is turns[0] else []), "As you wish.")
        assert (await again(turn)).diverged == ()
    assert len(server.requests) == 1


async def exported(store: MemoryStore) -> Export:
    (session,) = (await store.list_sessions(limit=9)).sessions
    log = await store.page(session.session_id, limit=99)
    presenter = EventPresenter(LiveChatAddresses(None))
    entries = [presenter.logged_json(WHO, entry) for entry in log]
    return Export("b1", "u1", "", [ExportedConversation(session_json(session), entries)])


def told_of(turn: RecordedTurn) -> Any:
    """Return what a trial depends on."""
    entries = [
        (entry.seq, entry.text, entry.write) if isinstance(entry, Message) else entry.seq
        for entry in turn.entries
    ]
    session, answer = turn.session, turn.answer
    head = (session.settled_seq, session.last_user_seq, session.language, session.writes)
    return turn.key, entries, head, turn.steps, (answer.text, answer.tools, answer.version)
