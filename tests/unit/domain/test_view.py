"""The view of the AI: the newest entries, within bounds."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.identity import MessageId
from domain.message import Author, Entry, Message, Summary, token_cost
from domain.session import Draft
from domain.summary import entries_after_summary
from domain.view import MAX_VIEW_ENTRIES, MAX_VIEW_TOKENS, pending_messages, window
from tests.support.drafts import append_message
from tests.unit.domain.makers import at, message_id, new_session


def said(*lengths: int) -> list[Entry]:
    """Return messages of these lengths."""
    draft = Draft(new_session())
    for length in lengths:
        append_message(draft, Author.USER, MessageId(f"m{length}"), "x" * length, at())
    return draft.entries


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 300))
def test_a_window_is_the_longest_end_that_fits(lengths: list[int], max_tokens: int) -> None:
    entries = said(*lengths)
    seen = window(entries, max_tokens=max_tokens)
    wider = entries[-len(seen) - 1 :]
    fits = sum(map(token_cost, wider)) <= max_tokens

    assert list(seen) == entries[len(entries) - len(seen) :]
    assert len(seen) <= 1 or sum(map(token_cost, seen)) <= max_tokens
    assert len(seen) == len(entries) or not fits


def test_the_newest_entry_is_always_seen() -> None:
    assert len(window(said(10, 3 * MAX_VIEW_TOKENS))) == 1


def test_a_window_has_a_thousand_entries_at_most_however_many_tokens_are_left() -> None:
    seen = window(said(*[1] * 1_030), max_tokens=10**6)

    assert [entry.seq for entry in seen] == list(range(31, 1_031))
    assert MAX_VIEW_ENTRIES == 1_000


def test_pending_messages_are_in_the_window_before_all_else() -> None:
    entries = said(100, 100, 8_000)
    pending = [entry for entry in entries if isinstance(entry, Message)][2:]

    assert window(entries, max_tokens=100, pending=pending) == tuple(pending)


@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=40), st.integers(500, 8_000))
def test_a_view_after_a_summary_is_the_same_whether_its_tokens_were_counted_or_not(
    lengths: list[int], max_tokens: int
) -> None:
    draft = Draft(new_session())
    for length in lengths:
        append_message(draft, Author.USER, message_id(length), "x" * length, at())
    session, entries = draft.session, draft.entries
    through = len(entries) // 2
    summary = Summary(text="…", through=through, tokens=sum(map(token_cost, entries[:through])))
    counted = entries_after_summary(session, entries, summary, max_tokens=max_tokens, pending=())
    uncounted = entries_after_summary(
        replace(session, tokens=None), entries, summary, max_tokens=max_tokens, pending=()
    )

    assert counted == uncounted
    assert all(entry.seq > through for entry in counted)
    assert len(counted) <= MAX_VIEW_ENTRIES


def test_pending_are_the_users_messages_after_the_last_answer() -> None:
    draft = Draft(new_session())
    append_message(draft, Author.USER, message_id(1), "Unu", at())
    append_message(draft, Author.AI, message_id(2), "Da", at(), settles_seq=1)
    append_message(draft, Author.USER, message_id(3), "Doi", at())
    append_message(draft, Author.SYSTEM, message_id(4), "Un anunț", at())
    append_message(draft, Author.USER, message_id(5), "Trei", at())

    assert [message.text for message in pending_messages(draft.session, draft.entries)] == [
        "Doi",
        "Trei",
    ]
