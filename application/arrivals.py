"""Messages on a chat's topic that are in the log already, as nothing but a count shows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from application.ports import InboundMessage
from application.session_log import CachedSession
from domain.identity import MessageId, SessionId
from domain.message import Author, Entry, Message, StatusChange
from domain.session import Session
from domain.status import Status

EXPECTED = timedelta(minutes=2)
"""The time in which an entry of the log may come on the topic: some never do."""
LEFT = timedelta(seconds=30)
"""The time after which what another process was to store is stored, or will not be."""
MAX_EXPECTED = 200
"""The entries, and the ids, that are remembered of a chat."""
COUNTED = "topic:"
"""The beginning of the ids of messages that had neither an id nor a time."""


class _Expected(NamedTuple):
    entry: Message
    until: datetime


class _Left(NamedTuple):
    message: InboundMessage
    at: datetime


class Arrivals:
    """The entries of a chat's log that its topic may still bring to this process.

    A topic brings what is in the log already: what a user has written here comes back when any
    process has relayed it, and each message of a coordinator comes to every process that listens,
    each of which would store it. An application may pass on the text alone. But each message comes
    to a process once, and has one entry: so each entry stands for one arrival. An arrival takes
    the oldest entry that it can be, and is a duplicate; one that finds none is new.

    So n equal texts are n entries, whoever else listens, and however their arrivals and entries are
    interleaved, as long as

    - an arrival is compared with all of the log, and stored only if that has not grown since: the
      claim of a seq decides between two that store the same message;
    - what has arrived here otherwise is not expected: see `arrived`, and `left` for what arrived
      while another process was to store it;
    - entries of messages that this process has not received are not expected: a coordinator's from
      before its join, or after which the topic was lost.

    Its limits: a message that was relayed twice, because nothing had acknowledged it, comes twice,
    and only the process that has sent it knows the second echo for what it is. And where a user
    writes here and at the bridge the same, the one is taken for the other until it is relayed.
    """

    __slots__ = ("_arrived", "_expected", "_is_relayed", "_left", "_session_id", "_upto",
                 "joined_at")  # fmt: skip

    def __init__(self, now: datetime) -> None:
        self.joined_at = now
        """What a coordinator wrote before has not come, and will not."""
        self._is_relayed = False
        """What the user writes after `_upto` goes to the bridge: it is not said to the AI."""
        self._session_id: SessionId | None = None
        self._upto = 0
        """The newest seq of the session that is known here."""
        self._expected: dict[MessageId, _Expected] = {}
        """The oldest first."""
        self._arrived: dict[MessageId, None] = {}
        """The ids of what arrived before its entry was known here."""
        self._left: list[_Left] = []
        """What arrived and was left to another process, whose entry is not known here yet."""

    def joined(self, at: datetime, now: datetime) -> None:
        """Note that the topic was joined, again or for the first time, at a time before now."""
        self.joined_at = at
        self._left.clear()
        self._expected = {
            message_id: _Expected(expected.entry, now + EXPECTED)
            for message_id, expected in self._expected.items()
            if not _is_counted(expected.entry)
        }

    def arrived(self, message_id: MessageId) -> None:
        """Note that the message with this id has arrived: as an echo, or to be stored."""
        if self._expected.pop(message_id, None) is None:
            self._arrived[message_id] = None
            if len(self._arrived) > MAX_EXPECTED:
                del self._arrived[next(iter(self._arrived))]

    def left(self, message: InboundMessage, now: datetime) -> None:
        """Note that a message has arrived which another process is to store."""
        self._left.append(_Left(message, now))
        del self._left[:-MAX_EXPECTED]

    def take_left(self, now: datetime) -> list[InboundMessage]:
        """Return what was left not long ago: it is this process's to store from now on."""
        taken = [message for message, at in self._left if at >= now - LEFT]
        self._left = [each for each in self._left if each.at < now - LEFT]
        return taken

    def knows(self, session: Session) -> bool:
        """Return True if entries of this session were added last."""
        return session.session_id == self._session_id

    def missing(self, cached: CachedSession) -> tuple[int, int] | None:
        """Return the seqs between which there are entries that `add` has not got yet."""
        first = cached.recent[0].seq if cached.recent else 1
        after = max(self._upto if self.knows(cached.session) else 0, first - 1 - MAX_EXPECTED)
        return (after, first) if after < first - 1 else None

    def add(self, session: Session, entries: Sequence[Entry], now: datetime) -> None:
        """Add entries of a session, of earlier ones first; those that are known change nothing."""
        if not self.knows(session):
            changes = any(isinstance(entry, StatusChange) for entry in entries)
            self._is_relayed = not changes and session.status is not Status.AI
            self._session_id, self._upto = session.session_id, 0
        for entry in entries:
            if entry.seq <= self._upto:
                continue
            self._upto = entry.seq
            if isinstance(entry, StatusChange):
                self._is_relayed = entry.status is not Status.AI
            elif self._may_arrive(entry):
                if entry.message_id in self._arrived:
                    del self._arrived[entry.message_id]
                elif not self._was_left(entry):
                    self._expected[entry.message_id] = _Expected(entry, now + EXPECTED)
        while len(self._expected) > MAX_EXPECTED:
            del self._expected[next(iter(self._expected))]

    def _may_arrive(self, entry: Message) -> bool:
        if _is_counted(entry):
            return entry.at >= self.joined_at
        return entry.author is Author.USER and entry.is_said and self._is_relayed

    def _was_left(self, entry: Message) -> bool:
        """Return True if an arrival that was left to another process stands for the entry."""
        for index, (message, _) in enumerate(self._left):
            if _is_of(entry, message):
                del self._left[index]
                return True
        return False

    def take(self, message: InboundMessage, now: datetime) -> bool:
        """Return True if an entry stands for this message; it stands for no other then."""
        for message_id, (entry, until) in list(self._expected.items()):
            if until < now:
                del self._expected[message_id]
            elif _is_of(entry, message):
                del self._expected[message_id]
                return True
        return False


def _is_of(entry: Message, message: InboundMessage) -> bool:
    """Return True if a message is this entry, or may be it and does not say which one it is."""
    if entry.message_id == message.message_id:
        return True
    if message.replayed or entry.author is not message.author or entry.text != message.text:
        return False
    if _is_counted(entry):
        return message.message_id is None and message.at is None
    may_be_ours = message.message_id is None or message.has_new_id
    return may_be_ours and not message.from_elsewhere


def _is_counted(entry: Message) -> bool:
    return entry.message_id.startswith(COUNTED)
