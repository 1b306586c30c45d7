"""What a turn sees of its conversation: a bounded window, whatever the length of the log."""

from collections.abc import Sequence

from msgspec import Struct

from domain.business import DEFAULT_LANGUAGE, Business
from domain.message import Author, Entry, Message, cost
from domain.session import Session

MAX_ENTRIES = 20
"""How many entries a turn sees, however short they are."""
MAX_TOKENS = 6_000
MAX_OWED = 200
"""How many entries of a burst one turn looks at."""

_BY_USER = Author.USER


class View(Struct, frozen=True, kw_only=True):
    """All that an assistant gets to know. Users' texts are data, never instructions."""

    session: Session
    business: Business | None
    entries: tuple[Entry, ...]
    """The window, oldest first."""
    pending: tuple[Message, ...]
    """The user's messages that the turn is to answer, oldest first."""
    summary: str | None = None
    """The rolling summary: what was said before `entries`, as far as one was made of it."""
    over_soft_budget: bool = False
    """The business has spent much today: the cheaper model is to answer."""

    @property
    def language(self) -> str:
        """The business's language."""
        return self.business.language if self.business else DEFAULT_LANGUAGE


def window(
    entries: Sequence[Entry],
    *,
    max_tokens: int = MAX_TOKENS,
    max_entries: int = MAX_ENTRIES,
    owed: Sequence[Message] = (),
) -> tuple[Entry, ...]:
    """The newest entries that fit both bounds, oldest first; the newest one always does.

    Of `max_tokens` the `owed` messages take theirs first, wherever they stand.
    """
    newest = entries[-max_entries:]
    paid = {message.seq for message in owed}
    room = max_tokens - sum(map(cost, owed))
    kept = 0
    for entry in reversed(newest):
        if entry.seq not in paid:
            room -= cost(entry)
            if room < 0 and kept > 0:
                break
        kept += 1
    return tuple(newest[len(newest) - kept :])


def unanswered(session: Session, entries: Sequence[Entry]) -> tuple[Message, ...]:
    """The user's messages among `entries` that no answer has settled, oldest first."""
    owed: list[Message] = []
    for entry in reversed(entries):
        if entry.seq <= session.settled_seq:
            break
        if isinstance(entry, Message) and entry.author is _BY_USER:
            owed.append(entry)
    return tuple(reversed(owed))


def fitting(messages: tuple[Message, ...], *, max_tokens: int = MAX_TOKENS) -> tuple[Message, ...]:
    """The first of `messages` that fit; always one, where there is one."""
    if len(messages) == 1:
        return messages
    room = max_tokens
    for count, message in enumerate(messages):
        room -= cost(message)
        if room < 0 and count > 0:
            return messages[:count]
    return messages
