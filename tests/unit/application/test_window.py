"""The window of a turn: what VIEW_TOKENS says, whatever the store gives with a head."""

import pytest

from application.ports import RECENT, Toolbox
from application.views import MAX_PAGES, PAGE_ENTRIES
from domain.message import Author, Entry, token_cost
from domain.usage import Usage
from domain.view import MAX_VIEW_ENTRIES
from tests.support.assistants import HANG, ScriptedSteps
from tests.support.faults import FaultyStore
from tests.support.harness import App, User, harness


async def asking(app: App, times: int, text: str = "Bună!") -> User:
    """A user who has asked so often, and been answered."""
    user = app.user()
    for number in range(times):
        await user.say(f"{text} {number}")
        await app.settle()
    return user


def tokens(entries: tuple[Entry, ...]) -> int:
    return sum(map(token_cost, entries))


async def test_with_100_000_tokens_a_conversation_of_300_short_messages_is_seen_whole() -> None:
    assistant, store = ScriptedSteps(), FaultyStore()
    async with harness(assistant, store, turn_quiet_ms=0, view_tokens=100_000) as app:
        await asking(app, 150)
        await asking(app.another(), 1)
        warm, cold = assistant.views[-2:]

        assert [entry.seq for entry in warm.entries] == list(range(1, 300))
        assert [entry.seq for entry in cold.entries] == list(range(1, 302))
        assert warm.summary is cold.summary is None


async def test_with_500_tokens_a_window_is_small() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant, turn_quiet_ms=0, view_tokens=500) as app:
        await asking(app, 60)
        views = assistant.views[20:]

        assert all(view.summary for view in views)
        assert all(tokens(view.entries) <= 500 - 125 for view in views)
        assert max(len(view.entries) for view in views) < 30


async def test_a_short_conversation_takes_no_read_besides_its_heads() -> None:
    store = FaultyStore()
    async with harness(store=store, turn_quiet_ms=0) as app:
        await asking(app, RECENT // 2)
        warm = store.entries_read
        await asking(app.another(), 1)

        assert warm == 0
        assert (store.entries_read, store.calls["page"]) == (RECENT, 0)


async def test_a_process_that_has_read_a_long_conversation_does_not_read_it_again() -> None:
    store = FaultyStore()
    async with harness(store=store, turn_quiet_ms=0, view_tokens=100_000) as app:
        await asking(app, 150)
        warm = store.entries_read
        other = app.another()
        await asking(other, 1)
        cold = store.entries_read, store.calls["page"]
        await asking(other, 20)

        assert warm == 0
        assert cold == (300, 1)
        assert (store.entries_read, store.calls["page"]) == cold


@pytest.mark.parametrize("lengths", [(8_000, 1), (1, 8_000), (1, 400), (400, 1)])
async def test_a_turn_reads_two_pages_at_most_and_no_more_than_its_window(
    lengths: tuple[int, int],
) -> None:
    store, read = FaultyStore(), list[tuple[int, int]]()

    async def look(_: Toolbox) -> None:
        read.append((store.calls["page"], store.entries_read))

    assistant = ScriptedSteps([look, "Răspuns."])
    async with harness(assistant, store, turn_quiet_ms=0, view_tokens=20_000) as app:
        user = await asking(app, 1)
        await app.coordinator().take_over(user)
        for length in lengths:
            for _ in range(100):
                await user.say("x" * length)
        await app.coordinator().give_back(user)
        before = store.calls["page"], store.entries_read
        await asking(app.another(), 1)
        pages, entries = (after - at for at, after in zip(before, read[-1], strict=True))
        seen = assistant.views[-1].entries

        assert pages <= MAX_PAGES
        assert entries <= RECENT + MAX_PAGES * PAGE_ENTRIES
        assert 20_000 * 3 // 4 - 4_000 <= tokens(seen) <= 20_000


async def test_a_window_without_a_summary_moves_by_a_fourth_of_itself_at_once() -> None:
    assistant = ScriptedSteps(["x" * 250])
    assistant.summary = HANG
    async with harness(assistant, turn_quiet_ms=0, view_tokens=2_000) as app:
        await asking(app, 60)
        firsts = [view.entries[0].seq for view in assistant.views]

        assert len(set(firsts)) <= 60 * 130 // 500
        assert all(2_000 * 3 // 4 - 130 < tokens(view.entries) for view in assistant.views[20:])
        assert all(tokens(view.entries) <= 2_000 for view in assistant.views)


async def test_without_the_store_a_turn_answers_from_what_it_has() -> None:
    assistant, store = ScriptedSteps(), FaultyStore()
    async with harness(assistant, store, turn_quiet_ms=0) as app:
        await asking(app, RECENT)
        other = app.another()
        store.fail("page")
        user = await asking(other, 1)

        assert [e.seq for e in assistant.views[-1].entries] == list(range(21, 42))
        assert (await app.texts(user.customer, Author.AI))[-1] == "Răspuns."


async def test_a_cached_conversation_is_bounded_by_the_tokens_and_the_entries_of_a_view() -> None:
    assistant = ScriptedSteps(["x" * 500])
    assistant.summary = HANG
    async with harness(assistant, turn_quiet_ms=0, view_tokens=10_000) as app:
        user = await asking(app, 200)
        cached = await app.session_log.current(user.customer)

        assert cached is not None
        assert 10_000 <= tokens(tuple(cached.recent)) <= 10_000 * 5 // 4 + 600
        assert len(cached.recent) <= MAX_VIEW_ENTRIES


@pytest.mark.parametrize("view_tokens", [500, 2_000])
async def test_a_frugal_view_that_a_summary_fills_has_the_pending_message_still(
    view_tokens: int,
) -> None:
    assistant = ScriptedSteps(["x" * 500])
    assistant.usage = Usage(input_tokens=1)
    async with harness(
        assistant, turn_quiet_ms=0, view_tokens=view_tokens, ai_budget_soft_tokens=12
    ) as app:
        await asking(app, 20)
        view = assistant.views[-1]

        assert view.over_soft_budget
        assert view.summary is not None
        assert view.entries == view.pending
