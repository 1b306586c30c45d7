"""The rolling summary: made behind the user's back, stored with the next answer."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from application.ports import SummaryResult
from application.summaries import MAX_CHUNKS, MAX_ENTRIES_BACK, RETRY_AFTER_ENTRIES
from domain.errors import AssistantFailed
from domain.message import Author, token_cost
from domain.summary import CHUNK_TOKENS, summary_budget
from domain.tokens import estimate_tokens
from tests.support.assistants import HANG, PAUSE, ScriptedSteps
from tests.support.harness import App, User
from tests.support.harness import harness as whole_harness

VIEW_TOKENS = 500
FULL = 11
"""The number of questions and answers that fill three quarters of a view beside a summary."""
KEPT = 8
"""The number of entries that fill a quarter of it."""
FIRST_END = 2 * FULL - KEPT
"""The newest entry of the first summary."""


def harness(
    assistant: ScriptedSteps | None = None, **settings: Any
) -> AbstractAsyncContextManager[App]:
    """Run a process whose views are small."""
    return whole_harness(assistant, **{"view_tokens": VIEW_TOKENS, **settings})


async def asking(app: App, times: int, text: str = "Bună!") -> User:
    """A user who has asked so often, and been answered."""
    user = app.user()
    await user.join()
    for number in range(times):
        await user.say(f"{text} {number}")
        await app.quiet()
    return user


async def test_a_conversation_that_fits_its_view_is_not_summarised() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = await asking(app, FULL - 1)

        assert assistant.summarised == []
        assert (await app.head(user.customer)).summary is None


async def test_what_the_next_question_would_push_out_is_summarised_and_the_rest_seen() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        await asking(app, FULL + 1)
        ((earlier, entries),) = assistant.summarised
        view = assistant.views[-1]

        assert earlier is None
        assert [entry.seq for entry in entries] == list(range(1, FIRST_END + 1))
        assert view.summary == "Rezumat."
        assert [e.seq for e in view.entries] == list(range(FIRST_END + 1, 2 * FULL + 2))


async def test_the_next_answer_takes_the_digest_into_the_log_and_the_head() -> None:
    async with harness() as app:
        user = await asking(app, FULL)
        before = (await app.head(user.customer)).summary
        await user.say("Mai e ceva.")
        await app.quiet()
        answer, head = user.messages[-1], await app.head(user.customer)

        assert before is None
        assert answer.summary is not None
        assert (answer.summary.text, answer.summary.through) == ("Rezumat.", FIRST_END)
        assert head.summary == answer.summary


async def test_a_digest_survives_the_process_and_is_summarised_with_what_follows() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        await asking(app, FULL + 1)
        other = app.another()
        await asking(other, FULL)
        earlier, entries = assistant.summarised[1]

        assert earlier == "Rezumat."
        assert entries[0].seq == FIRST_END + 1


async def test_no_view_has_a_gap_between_its_digest_and_its_entries() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = await asking(app, 59)
        through = [
            message.summary.through for message in user.messages if message.summary is not None
        ]
        firsts = [view.entries[0].seq for view in assistant.views]

        assert set(firsts) == {1, *(seq + 1 for seq in through)}
        assert len(through) == len(assistant.summarised)
        assert len(through) <= 59 // (FULL - KEPT // 2 - 1)


async def test_an_answer_waits_for_no_summary() -> None:
    assistant = ScriptedSteps()
    assistant.summary = PAUSE
    async with harness(assistant) as app:
        user = await asking(app, FULL + 3)
        without = [view.summary for view in assistant.views]
        assistant.go()
        await user.say("Și acum?")
        await app.quiet()

        assert without == [None] * (FULL + 3)
        assert len(assistant.summarised) == 1  # one at a time
        assert assistant.views[-1].summary == "Rezumat."


@pytest.mark.parametrize("failure", [AssistantFailed(), ValueError("a bug"), SummaryResult("  ")])
async def test_a_summary_that_fails_harms_nothing_and_is_not_tried_at_once_again(
    failure: Exception | SummaryResult,
) -> None:
    assistant = ScriptedSteps()
    assistant.summary = failure
    async with harness(assistant) as app:
        user = await asking(app, FULL + RETRY_AFTER_ENTRIES // 2 - 1)
        tried = len(assistant.summarised)
        assistant.summary = SummaryResult("Rezumat.")
        await user.say("Încă una.")
        await app.quiet()
        await user.say("Și încă una.")
        await app.quiet()

        assert tried == 1
        assert assistant.views[-2].summary is None
        assert assistant.views[-1].summary == "Rezumat."
        assert set(app.observer.outcomes) == {"answered"}


async def test_a_summary_that_hangs_is_given_up() -> None:
    assistant = ScriptedSteps()
    assistant.summary = HANG
    async with harness(assistant, turn_timeout_s=10) as app:
        user = await asking(app, FULL)
        pending = app.turns.summaries.pending_for(user.customer)
        await app.clock.advance(10)

        assert pending is not None
        assert app.turns.summaries.pending_for(user.customer) is None
        assert b'ai_agent_summaries_total{outcome="failed"} 1.0' in app.observer.text()
        assert app.clock.pending == 0


async def test_a_stop_waits_for_no_summary() -> None:
    assistant = ScriptedSteps()
    assistant.summary = HANG
    async with harness(assistant) as app:
        await asking(app, FULL)
        await app.turns.stop()

        assert app.clock.pending == 0


async def test_long_entries_are_summarised_sooner_than_many() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant, view_tokens=1_000) as app:
        await asking(app, 4, "ă" * 200)

        assert len(assistant.summarised) == 1


async def test_a_digest_is_bounded_whatever_the_model_says() -> None:
    assistant = ScriptedSteps()
    assistant.summary = SummaryResult("cuvinte " * 10_000)
    async with harness(assistant) as app:
        user = await asking(app, FULL + 1)
        digest = (await app.head(user.customer)).summary

        assert digest is not None
        assert estimate_tokens(digest.text) <= summary_budget(VIEW_TOKENS)
        assert digest.text.endswith("…")


async def test_much_that_fell_out_at_once_is_summarised_in_pieces() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = await asking(app, 1)
        await app.coordinator().take_over(user)
        for number in range(60):
            await user.say(f"{number} " + "x" * 1_000)
        await app.coordinator().give_back(user)
        await user.say("Ce am stabilit?")
        await app.quiet()
        pieces = [entries for _, entries in assistant.summarised]
        seqs = [entry.seq for piece in pieces for entry in piece]

        assert 1 < len(pieces) <= MAX_CHUNKS
        assert seqs == list(range(1, len(seqs) + 1))
        assert all(sum(map(token_cost, piece)) <= CHUNK_TOKENS for piece in pieces)


async def test_what_is_said_behind_a_digest_is_known_however_long_the_log_was_before() -> None:
    async with harness() as app:
        user = await asking(app, 1)
        await app.coordinator().take_over(user)
        for number in range(MAX_ENTRIES_BACK + 1):
            await user.say(f"{number}")
        await app.coordinator().give_back(user)
        for _ in range(2):  # the second answer takes the digest along
            await user.say("Ce am stabilit?")
            await app.quiet()
        head, log = await app.head(user.customer), await app.stored(user.customer)

        assert head.summary is not None
        assert head.tokens is not None
        behind = sum(token_cost(entry) for entry in log if entry.seq > head.summary.through)
        assert head.summary.tokens == head.tokens - behind


async def test_nothing_is_kept_of_an_erased_customer() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = await asking(app, FULL)
        await app.privacy.erase(user.customer)
        again = await asking(app, 1)

        assert assistant.views[-1].summary is None
        assert await app.texts(again.customer, Author.AI) == ["Răspuns."]
