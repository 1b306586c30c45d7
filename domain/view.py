"""What a turn sees of its conversation: a bounded window, whatever the length of the log."""

from collections.abc import Sequence
from operator import attrgetter

from domain.business import DEFAULT_LANGUAGE, Business
from domain.message import Author, Entry, Message
from domain.session import Session
from domain.value import value

MAX_ENTRIES = 20
MAX_CHARACTERS = 24_000
MAX_OWED = 200
"""How many entries of a burst one turn looks at."""

_text = attrgetter("text")
_BY_USER = Author.USER


@value
class View:
    """All that an assistant gets to know. Users' texts are data, never instructions."""

    session: Session
    business: Business | None
    entries: tuple[Entry, ...]
    """The window, oldest first."""
    unanswered: tuple[Message, ...]
    """The user's messages that the turn is to answer, oldest first."""

    @property
    def language(self) -> str:
        """The business's language."""
        return self.business.language if self.business else DEFAULT_LANGUAGE


def window(
    entries: Sequence[Entry],
    *,
    max_entries: int = MAX_ENTRIES,
    max_characters: int = MAX_CHARACTERS,
) -> tuple[Entry, ...]:
    """The newest entries that fit both bounds, oldest first; the newest one always does."""
    newest = entries[-max_entries:]
    excess = sum(map(len, map(_text, newest))) - max_characters
    dropped = 0
    while excess > 0 and dropped < len(newest) - 1:
        excess -= len(newest[dropped].text)
        dropped += 1
    return tuple(newest[dropped:])


def unanswered(session: Session, entries: Sequence[Entry]) -> tuple[Message, ...]:
    """The user's messages among `entries` that no answer has settled, oldest first."""
    owed: list[Message] = []
    for entry in reversed(entries):
        if entry.seq <= session.answered:
            break
        if isinstance(entry, Message) and entry.author is _BY_USER:
            owed.append(entry)
    return tuple(reversed(owed))


def fitting(
    messages: tuple[Message, ...], *, max_characters: int = MAX_CHARACTERS
) -> tuple[Message, ...]:
    """The first of `messages` that fit; always one, where there is one."""
    room = max_characters
    for count, message in enumerate(messages):
        room -= len(message.text)
        if room < 0 and count > 0:
            return messages[:count]
    return messages
