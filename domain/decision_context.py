"""The outside facts of a decision, and the messages that decisions append with them."""

from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct

from domain.handoff import UNKNOWN, Availability
from domain.identity import MessageId
from domain.language import DetectLanguage
from domain.message import Action, Author, Message
from domain.session import Draft
from domain.status import Reason
from domain.texts import NO_WORDS, Text, Words, localized
from domain.write_call import WriteStep


class DecisionContext(Struct, frozen=True, kw_only=True):
    """The outside facts of a decision: the time, fresh ids, the language of texts."""

    at: datetime
    new_id: Callable[[], str]
    language: str
    """The business's: for customers who have shown no other."""
    transfer_timeout_s: float
    named_language: str | None = None
    """The one that the customer's client names, if it is another: theirs until they show one."""
    words: Words = NO_WORDS
    """The business's own wording of texts."""
    availability: Availability = UNKNOWN
    """Whether a request for a human can be met."""


def append_user_message(
    draft: Draft,
    message_id: MessageId,
    text: str,
    at: datetime,
    detect: DetectLanguage | None,
    *,
    unmet: Reason | None = None,
    write: WriteStep | None = None,
) -> None:
    """Append a message of the user's."""
    draft.append_message(
        Message(
            seq=draft.next_seq,
            message_id=message_id,
            author=Author.USER,
            text=text,
            at=at,
            language=detect(text, draft.session.language) if detect is not None else None,
            unmet=unmet,
            write=write,
        )
    )


def append_text(
    draft: Draft,
    text: Text,
    context: DecisionContext,
    *,
    message_id: MessageId | None = None,
    who: str | None = None,
    what: str = "",
    actions: tuple[Action, ...] = (),
    write: WriteStep | None = None,
) -> None:
    """Append one of the server's own texts, in the customer's language."""
    language, named = customers_language(draft, context)
    draft.append_message(
        Message(
            seq=draft.next_seq,
            message_id=message_id or MessageId(context.new_id()),
            author=Author.SYSTEM,
            text=localized(language, text, context.words, who=who, what=what),
            at=context.at,
            actions=actions,
            language=named,
            write=write,
        )
    )


def customers_language(draft: Draft, context: DecisionContext) -> tuple[str, str | None]:
    """Return the customer's language, and the same where it is to be stored with a notice in it."""
    if draft.session.language is not None:
        return draft.session.language, None
    return context.named_language or context.language, context.named_language


def timestamp_text(at: datetime) -> str:
    """Return a time as clients get it: `2026-01-31T12:00:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
