"""What the AI and the coordinator get to see: the newest, within bounds."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.decisions import change_status, record_user_message, request_transfer
from domain.handover import MAX_SUMMARY, context_package
from domain.identity import MessageId, TransferId
from domain.message import Author, Entry, Message, Summary, ToolOutcome, ToolUse, cost
from domain.session import Draft, Session
from domain.status import Reason, Status
from domain.summary import behind
from domain.tokens import estimate
from domain.view import MAX_ENTRIES, MAX_TOKENS, unanswered, window
from tests.unit.domain.makers import ANA, at, message_id, new_session, occasion


def said(*lengths: int) -> list[Entry]:
    """Messages of these lengths."""
    draft = Draft(new_session())
    for length in lengths:
        draft.say(Author.USER, MessageId(f"m{length}"), "x" * length, at())
    return draft.entries


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 20), st.integers(1, 300))
def test_a_window_is_the_longest_end_that_fits(
    lengths: list[int], max_entries: int, max_tokens: int
) -> None:
    entries = said(*lengths)
    seen = window(entries, max_entries=max_entries, max_tokens=max_tokens)
    wider = entries[-len(seen) - 1 :]
    fits = sum(map(cost, wider)) <= max_tokens

    assert list(seen) == entries[len(entries) - len(seen) :]
    assert len(seen) <= max_entries
    assert len(seen) <= 1 or sum(map(cost, seen)) <= max_tokens
    assert len(seen) in (len(entries), max_entries) or not fits


def test_the_newest_entry_is_always_seen() -> None:
    assert len(window(said(10, 3 * MAX_TOKENS))) == 1


def test_a_window_has_twenty_entries_at_most() -> None:
    assert [entry.seq for entry in window(said(*[1] * 50))] == list(range(31, 51))
    assert MAX_ENTRIES == 20


def test_what_is_owed_is_in_the_window_before_all_else() -> None:
    entries = said(100, 100, 8_000)
    owed = [entry for entry in entries if isinstance(entry, Message)][2:]

    assert window(entries, max_tokens=100, owed=owed) == tuple(owed)


@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=40), st.integers(500, 8_000))
def test_a_view_behind_a_digest_is_the_same_whether_its_tokens_were_counted_or_not(
    lengths: list[int], max_tokens: int
) -> None:
    draft = Draft(new_session())
    for length in lengths:
        draft.say(Author.USER, message_id(length), "x" * length, at())
    session, entries = draft.session, draft.entries
    through = len(entries) // 2
    digest = Summary(text="…", through=through, tokens=sum(map(cost, entries[:through])))
    counted = behind(session, entries, digest, max_tokens=max_tokens, owed=())
    uncounted = behind(
        replace(session, tokens=None), entries, digest, max_tokens=max_tokens, owed=()
    )

    assert counted == uncounted
    assert all(entry.seq > through for entry in counted)
    assert len(counted) <= MAX_ENTRIES


def test_unanswered_are_the_users_messages_after_the_last_answer() -> None:
    draft = Draft(new_session())
    draft.say(Author.USER, message_id(1), "Unu", at())
    draft.say(Author.AI, message_id(2), "Da", at(), answers=1)
    draft.say(Author.USER, message_id(3), "Doi", at())
    draft.say(Author.SYSTEM, message_id(4), "Un anunț", at())
    draft.say(Author.USER, message_id(5), "Trei", at())

    assert [message.text for message in unanswered(draft.session, draft.entries)] == ["Doi", "Trei"]


def waiting(*texts: str) -> tuple[Session, list[Entry]]:
    """A session whose user has said these, and then asked for a human."""
    session, log = new_session(), list[Entry]()
    for text in texts:
        draft = record_user_message(session, new_session, message_id(), text, at())
        session = draft.session
        log += draft.entries
    asking = request_transfer(session, new_session, occasion(1), None, message_id())
    assert asking is not None
    return asking.session, log + asking.entries


def test_a_coordinator_is_told_what_it_is_about() -> None:
    session, log = waiting("Bună!", "Unde e comanda mea?")
    package = context_package(session, log)

    assert package["reason"] == "user_request"
    assert package["status"] == "waiting"
    assert package["openQuestion"] == "Unde e comanda mea?"
    assert package["summary"] == "Bună! / Unde e comanda mea?"
    assert package["history"] == "/api/conversations/s1/messages"


def test_a_written_summary_goes_before_an_extracted_one() -> None:
    session, log = waiting("Bună!")
    taken = change_status(session, Status.LIVE, occasion(2), ANA)
    assert taken is not None
    back = change_status(taken.session, Status.AI, occasion(3), ANA, "vrea o masă de patru")
    assert back is not None

    log += taken.entries + back.entries

    assert context_package(back.session, log)["summary"] == "vrea o masă de patru"


def digested(session: Session, text: str) -> Session:
    """The session with a rolling summary."""
    return replace(session, summary=Summary(text=text, through=1))


def test_a_request_that_nobody_summed_up_is_told_with_the_digest() -> None:
    session, log = waiting("Bună!", "Unde e comanda mea?")

    assert context_package(digested(session, "Caută o comandă."), log)["summary"] == (
        "Caută o comandă."
    )


def test_the_models_own_words_for_a_transfer_go_before_the_digest() -> None:
    draft = Draft(new_session())
    draft.say(Author.USER, message_id(1), "Bună!", at())
    draft.ask_for_human(
        Reason.AI_DECISION, TransferId("t1"), at(), timeout_s=300, summary="vrea un om"
    )
    package = context_package(digested(draft.session, "A salutat."), draft.entries)

    assert package["summary"] == "vrea un om"


def test_what_was_written_for_an_earlier_request_is_not_told_with_the_next() -> None:
    session, log = waiting("Bună!")
    for to, summary in ((Status.LIVE, None), (Status.AI, "vrea o masă de patru")):
        draft = change_status(session, to, occasion(2), ANA, summary)
        assert draft is not None
        session, log = draft.session, log + draft.entries
    anew = request_transfer(session, new_session, occasion(4), "Vreau factura.", message_id(9))
    assert anew is not None
    package = context_package(anew.session, log + anew.entries)

    assert package["summary"] == "Bună! / Vreau factura."


def test_an_answered_question_is_not_open() -> None:
    draft = Draft(new_session())
    draft.say(Author.USER, message_id(1), "Unde sunteți?", at())
    looked = ToolUse(name="get_business", outcome=ToolOutcome.FOUND)
    failed = ToolUse(name="get_reservations", outcome=ToolOutcome.FAILED)
    draft.say(Author.AI, message_id(2), "Aici.", at(), answers=1, tools=(looked, failed))
    package = context_package(draft.session, draft.entries)

    assert package["openQuestion"] is None
    assert package["toolsUsed"] == ["get_business: found", "get_reservations: failed"]


def test_the_package_is_bounded_whatever_was_said() -> None:
    session, log = waiting(*["x" * 8_000] * 30)
    package = context_package(session, log)
    lines = package["lastMessages"]

    assert isinstance(lines, list)
    assert len(lines) <= 10
    assert sum(estimate(line["message"]) for line in lines) <= MAX_TOKENS
    assert len(str(package["summary"])) <= MAX_SUMMARY


def test_an_empty_conversation_has_a_package_too() -> None:
    package = context_package(new_session(), [])

    assert (package["reason"], package["summary"], package["openQuestion"]) == (None, None, None)
    assert package["lastMessages"] == []


def test_status_changes_are_not_among_the_last_messages() -> None:
    session, log = waiting("Bună!")
    lines = context_package(session, log)["lastMessages"]

    assert isinstance(lines, list)
    assert len(lines) == sum(isinstance(entry, Message) for entry in log)
