"""What a turn sees of its conversation: a bounded window, whatever the length of the log."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.business import DEFAULT_LANGUAGE, Business
from domain.message import Author, Entry, Message
from domain.session import Session

MAX_ENTRIES = 20
MAX_CHARACTERS = 24_000


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that an assistant gets to know. Users' texts are data, never instructions."""

    session: Session
    business: Business | None
    entries: tuple[Entry, ...]
    """The window, oldest first; the last ones include every unanswered message of it."""

    @property
    def language(self) -> str:
        """The business's language."""
        return self.business.language if self.business else DEFAULT_LANGUAGE

    @property
    def unanswered(self) -> list[Message]:
        """The user's messages that the turn is to answer, oldest first."""
        return unanswered(self.session, self.entries)


def window(
    entries: Sequence[Entry],
    *,
    max_entries: int = MAX_ENTRIES,
    max_characters: int = MAX_CHARACTERS,
) -> tuple[Entry, ...]:
    """The newest entries that fit both bounds, oldest first; the newest one always does."""
    room = max_characters
    start = len(entries)
    earliest = max(0, start - max_entries)
    while start > earliest:
        entry = entries[start - 1]
        room -= len(entry.text) if isinstance(entry, Message) else 0
        if room < 0 and start < len(entries):
            break
        start -= 1
    return tuple(entries[start:])


def unanswered(session: Session, entries: Sequence[Entry]) -> list[Message]:
    """The user's messages among `entries` that no answer has settled, oldest first."""
    owed: list[Message] = []
    for entry in reversed(entries):
        if entry.seq <= session.answered:
            break
        if isinstance(entry, Message) and entry.author is Author.USER:
            owed.append(entry)
    owed.reverse()
    return owed
