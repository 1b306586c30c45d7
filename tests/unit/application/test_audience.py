"""Entries that are not for everybody: who is shown what, and what they move in a conversation."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from application.join import ResumePosition
from application.read_history import PAGE
from domain.decisions import notify_unreachable
from domain.handover import handover_context
from domain.identity import CoordinatorId, MessageId
from domain.message import Audience, Author, Entry, Message
from domain.outbox import outbox_messages
from domain.session import Draft, Session, Timing
from domain.status import Status
from domain.summary import entries_after_summary, is_summary_due, next_summary_end
from domain.view import pending_messages
from tests.support.assistants import ScriptedSteps
from tests.support.drafts import append_message
from tests.support.faults import FaultyStore
from tests.support.harness import App, User, harness
from tests.unit.domain.makers import at, decision_context, new_session, session_in

RATING, NOTE, WHISPER = (
    Audience.CUSTOMER_AND_COORDINATOR,
    Audience.COORDINATOR,
    Audience.MODEL,
)


def with_asides(session: Session, *audiences: Audience, author: Author = Author.USER) -> Draft:
    """Return the draft of one entry for each of the audiences."""
    draft = Draft(session)
    for audience in audiences:
        message_id = MessageId(f"aside-{draft.next_seq}")
        append_message(draft, author, message_id, str(audience), at(600), audience=audience)
    return draft


async def aside(app: App, user: User, *audiences: Audience, author: Author = Author.USER) -> None:
    """Store an entry for each of the audiences, as a feature that has them will."""

    def decide(session: Session | None) -> Draft:
        assert session is not None
        return with_asides(session, *audiences, author=author)

    await app.session_log.commit(user.customer, decide)
    await app.settle()


def seqs(entries: Iterable[Entry]) -> list[int]:
    return [entry.seq for entry in entries]


# What a customer is shown


async def test_a_push_is_of_what_the_customer_may_see_and_names_the_one_before() -> None:
    async with harness() as app:
        user = app.user()
        await user.join()
        await app.user().say("Bună!")
        await aside(app, user, NOTE, WHISPER, RATING, WHISPER)
        await app.coordinator().speak(user, "Aici Ana.")

        assert seqs(user.log) == [1, 4, 6, 7, 8]
        assert [entry.prev_seq for entry in user.log] == [0, 1, 4, 6, 7]


@pytest.mark.parametrize("last_seq", [None, 1, 2, 3, 4, 5])
async def test_a_join_shows_what_the_customer_may_see_from_any_position(
    last_seq: int | None,
) -> None:
    async with harness() as app:
        user = app.user()
        await user.say("Bună!")
        await aside(app, user, NOTE, WHISPER, RATING, WHISPER)
        place = ResumePosition(last_seq) if last_seq is not None else None
        joined = await app.user().join(place)

        assert joined.session is not None
        assert joined.session.customer_seq == 4
        assert seqs(joined.page.entries) == [seq for seq in (1, 4) if seq > (last_seq or 0)]
        assert not joined.page.more


@pytest.mark.parametrize("between", [3, 60, 700])
async def test_a_page_is_full_however_many_hidden_entries_lie_between(between: int) -> None:
    store = FaultyStore()
    async with harness(store=store, turn_quiet_ms=60_000) as app:
        user = app.user()
        for number in range(120):
            await user.say(f"Mesajul {number}")
            if number % 40 == 20:
                await aside(app, user, *[WHISPER] * between)
        visible = [entry.seq for entry in await app.stored(user.customer) if entry.is_for_customer]
        await aside(app, user, *[NOTE] * between)
        reads = store.calls["page"]
        joined = await app.user().join()
        after = await app.history(user.customer, after=visible[9], limit=PAGE)
        before = await app.history(user.customer, before=visible[60], limit=PAGE)
        first = await app.user().join(ResumePosition(0))
        end = await app.history(user.customer, after=visible[-1], limit=PAGE)

        assert (seqs(joined.page.entries), joined.page.more) == (visible[-50:], True)
        assert (seqs(after.entries), after.more) == (visible[10:60], True)
        assert (seqs(before.entries), before.more) == (visible[10:60], True)
        assert (seqs(first.page.entries), first.page.more) == (visible[:50], True)
        assert (end.entries, end.more) == ((), False)
        assert store.calls["page"] - reads <= 20


async def test_pages_end_where_only_hidden_entries_are_left() -> None:
    async with harness(turn_quiet_ms=60_000) as app:
        user = app.user()
        await user.say("Bună!")
        await aside(app, user, *[NOTE] * 30)
        for number in range(50):
            await user.say(f"Mesajul {number}")
        await aside(app, user, *[NOTE] * 30)
        newest = await app.history(user.customer, limit=PAGE)
        oldest = await app.history(user.customer, before=newest.entries[0].seq, limit=PAGE)
        rest = await app.history(user.customer, after=1, limit=PAGE)

        assert (seqs(newest.entries), newest.more) == (list(range(32, 82)), True)
        assert (seqs(oldest.entries), oldest.more) == ([1], False)
        assert (seqs(rest.entries), rest.more) == (list(range(32, 82)), False)


async def test_an_operator_and_an_export_have_every_entry() -> None:
    async with harness() as app:
        user = app.user()
        await user.say("Bună!")
        await aside(app, user, NOTE, WHISPER, RATING)
        session = await app.head(user.customer)
        page = await app.history.of(session, limit=PAGE)
        ((_, log),) = await app.privacy.export(user.customer)
        erased = await app.privacy.erase(user.customer)

        assert seqs(page.entries) == seqs(log) == [1, 2, 3, 4]
        assert (erased.messages, await app.stored(user.customer)) == (4, [])


# What the AI is shown


async def test_the_ai_sees_whispers_and_neither_notes_nor_ratings() -> None:
    assistant = ScriptedSteps(["Da."])
    async with harness(assistant) as app:
        user = app.user()
        await user.say("Bună!")
        await aside(app, user, NOTE, WHISPER, RATING)
        await app.quiet()

        (view,) = assistant.views
        assert seqs(view.entries) == [1, 3]
        assert seqs(view.pending) == [1]


async def test_hidden_entries_push_none_out_of_the_view() -> None:
    assistant = ScriptedSteps(["Da."])
    async with harness(assistant, turn_quiet_ms=0) as app:
        user = app.user()
        for number in range(5):
            await user.say(f"Mesajul {number}")
            await app.settle()
        await aside(app, user, *[NOTE] * 45)
        warm = await app.session_log.current(user.customer)
        app.session_log.forget(user.customer)
        await user.say("Și mâine?")
        await app.settle()

        assert warm is not None
        assert len([entry for entry in warm.recent if entry.is_said]) == 10
        assert len(assistant.views[-1].entries) == 11


def test_hidden_entries_neither_cost_tokens_nor_bring_a_summary_forward() -> None:
    session = new_session()
    draft = Draft(session)
    for number in range(12):
        author = (Author.USER, Author.AI)[number % 2]
        append_message(draft, author, MessageId(f"m{number}"), "Da", at(), settles_seq=number)
        append_message(draft, Author.AI, MessageId(f"n{number}"), "x" * 900, at(), audience=NOTE)
    session, entries = draft.session, draft.entries
    said = [entry for entry in entries if entry.is_said]

    assert session.tokens is not None
    assert session.tokens < 12 * 20
    assert not is_summary_due(session, entries, None, view_tokens=440)
    seen = entries_after_summary(session, entries, None, max_tokens=6_000, pending=())
    assert list(seen) == said
    assert next_summary_end(session, entries, view_tokens=440) == said[-11].seq


# What they move


@pytest.mark.parametrize("author", [Author.USER, Author.COORDINATOR, Author.AI])
@pytest.mark.parametrize("audience", [RATING, NOTE, WHISPER])
@pytest.mark.parametrize("status", [Status.AI, Status.WAITING, Status.LIVE])
def test_what_is_not_said_takes_a_seq_and_moves_nothing_else(
    status: Status, audience: Audience, author: Author
) -> None:
    timing = Timing(retake=timedelta(seconds=65), idle=timedelta(days=1))
    asked = Draft(session_in(status))
    append_message(asked, Author.USER, MessageId("m1"), "Bună!", at(1))
    before = asked.session
    draft = with_asides(before, audience, author=author)
    after = draft.session

    assert after.seq == before.seq + 1
    assert after.due_at(timing) == before.due_at(timing)
    assert after.closes_at(timing.idle) == before.closes_at(timing.idle)
    for name in ("status", "epoch", "needs_answer", "awaits_human", "updated_at", "failures"):
        assert getattr(after, name) == getattr(before, name), name
    assert pending_messages(after, draft.entries) == ()
    assert outbox_messages(before, asked.entries, draft, lambda: "n") == []


def test_a_handover_context_has_what_was_said_alone() -> None:
    asked = Draft(session_in(Status.WAITING))
    append_message(asked, Author.USER, MessageId("m1"), "Aveți parcare?", at(1))
    draft = with_asides(asked.session, RATING, NOTE, WHISPER)
    context = handover_context(draft.session, [*asked.entries, *draft.entries])

    assert [line.text for line in context.last_messages] == ["Aveți parcare?"]
    assert context.open_question == "Aveți parcare?"


def test_a_note_does_not_hide_that_the_users_last_words_were_not_relayed() -> None:
    asked = Draft(session_in(Status.LIVE))
    append_message(asked, Author.USER, MessageId("m1"), "Mai sunteți?", at(1))
    session = with_asides(asked.session, NOTE, author=Author.COORDINATOR).session
    draft = notify_unreachable(session, decision_context(2), is_joined=False)

    assert draft is not None
    (notice,) = draft.entries
    assert isinstance(notice, Message)
    assert notice.prev_seq == session.customer_seq == session.seq - 1


async def test_a_note_leaves_the_coordinator_who_has_the_conversation() -> None:
    async with harness() as app:
        user = app.user()
        await user.say("Bună!")
        await app.coordinator("ana").take_over(user)
        await aside(app, user, NOTE, WHISPER, author=Author.COORDINATOR)
        session = await app.head(user.customer)

        assert session.status is Status.LIVE
        assert session.transfer is not None
        assert session.transfer.coordinator_id == CoordinatorId("ana")
