"""The handover context of a conversation."""

from msgspec.structs import replace

from domain.decisions import change_status, record_user_message, request_transfer
from domain.handover import MAX_EXTRACT, handover_context
from domain.identity import TransferId
from domain.message import Author, Entry, Message, Summary, ToolOutcome, ToolUse
from domain.session import Draft, Session
from domain.status import Reason, Status
from domain.tokens import estimate_tokens
from domain.view import MAX_VIEW_TOKENS
from tests.support.drafts import append_message
from tests.unit.domain.makers import ANA, at, decision_context, message_id, new_session


def waiting(*texts: str) -> tuple[Session, list[Entry]]:
    """Return a session whose user has sent these messages and then asked for a human."""
    session, log = new_session(), list[Entry]()
    for text in texts:
        draft = record_user_message(session, new_session, message_id(), text, at())
        session = draft.session
        log += draft.entries
    asking = request_transfer(session, new_session, decision_context(1), None, message_id())
    assert asking is not None
    return asking.session, log + asking.entries


def test_a_coordinator_learns_what_it_is_about() -> None:
    session, log = waiting("Bună!", "Unde e comanda mea?")
    context = handover_context(session, log)

    assert context.reason is Reason.USER_REQUEST
    assert context.status is Status.WAITING
    assert context.open_question == "Unde e comanda mea?"
    assert context.summary == "Bună! / Unde e comanda mea?"


def test_a_written_summary_goes_before_an_extracted_one() -> None:
    session, log = waiting("Bună!")
    taken = change_status(session, Status.LIVE, decision_context(2), ANA)
    assert taken is not None
    back = change_status(taken.session, Status.AI, decision_context(3), ANA, "vrea o masă de patru")
    assert back is not None

    log += taken.entries + back.entries

    assert handover_context(back.session, log).summary == "vrea o masă de patru"


def summarised(session: Session, text: str) -> Session:
    """The session with a rolling summary."""
    return replace(session, summary=Summary(text=text, through=1))


def test_a_request_without_a_note_is_handed_over_with_the_rolling_summary() -> None:
    session, log = waiting("Bună!", "Unde e comanda mea?")

    assert handover_context(summarised(session, "Caută o comandă."), log).summary == (
        "Caută o comandă."
    )


def test_the_models_own_words_for_a_transfer_go_before_the_rolling_summary() -> None:
    draft = Draft(new_session())
    append_message(draft, Author.USER, message_id(1), "Bună!", at())
    draft.request_transfer(
        Reason.AI_DECISION, TransferId("t1"), at(), timeout_s=300, handover_note="vrea un om"
    )
    draft.change_status(Status.WAITING, Reason.DELIVERED, at(1))
    context = handover_context(summarised(draft.session, "A salutat."), draft.entries)

    assert context.summary == "vrea un om"


def test_what_was_written_for_an_earlier_request_is_not_in_the_next() -> None:
    session, log = waiting("Bună!")
    for to, summary in ((Status.LIVE, None), (Status.AI, "vrea o masă de patru")):
        draft = change_status(session, to, decision_context(2), ANA, summary)
        assert draft is not None
        session, log = draft.session, log + draft.entries
    again = request_transfer(
        session, new_session, decision_context(4), "Vreau factura.", message_id(9)
    )
    assert again is not None
    context = handover_context(again.session, log + again.entries)

    assert context.summary == "Bună! / Vreau factura."


def test_an_answered_question_is_not_open() -> None:
    draft = Draft(new_session())
    append_message(draft, Author.USER, message_id(1), "Unde sunteți?", at())
    looked = ToolUse(name="get_business", outcome=ToolOutcome.FOUND)
    failed = ToolUse(name="get_reservations", outcome=ToolOutcome.FAILED)
    append_message(
        draft, Author.AI, message_id(2), "Aici.", at(), settles_seq=1, tools=(looked, failed)
    )
    context = handover_context(draft.session, draft.entries)

    assert context.open_question is None
    assert context.tools_used == (looked, failed)


def test_the_context_is_bounded_whatever_was_said() -> None:
    session, log = waiting(*["x" * 8_000] * 30)
    context = handover_context(session, log)
    lines = context.last_messages

    assert len(lines) <= 10
    assert sum(estimate_tokens(line.text) for line in lines) <= MAX_VIEW_TOKENS
    assert len(context.summary or "") <= MAX_EXTRACT


def test_an_empty_conversation_has_a_context_too() -> None:
    context = handover_context(new_session(), [])

    assert (context.reason, context.summary, context.open_question) == (None, None, None)
    assert context.last_messages == ()


def test_status_changes_are_not_among_the_last_messages() -> None:
    session, log = waiting("Bună!")
    lines = handover_context(session, log).last_messages

    assert len(lines) == sum(isinstance(entry, Message) for entry in log)
