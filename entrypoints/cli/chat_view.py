"""The view of the terminal chat: the screen, and the state of the conversation on it."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TextIO, TypeVar

import msgspec

from domain.status import DELIVERY

T = TypeVar("T")

HISTORY_LIMIT = 50
"""The number of entries that a request of `history` asks for."""
HOLD_S = 0.5
"""The wait for the message that tells of a status change, in whose place nothing else is shown."""
INTERRUPTED_S = 6.0
"""The silence after which an answer is interrupted: its process has ended, and another follows."""
GRACE_S = 1.0
"""The wait for the AI's last message once a human was requested, who may not come for minutes."""
_STATUS_TEXTS = {
    "ai": "the AI answers",
    "waiting": "waiting for a human",
    "live": "live chat with a human",
    "closed": "the conversation is closed; the next message opens a new one",
}
_CONTROL = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {ord("\n"), ord("\t")})


class ServerPayload(msgspec.Struct, rename="camel", kw_only=True):
    """A push, a reply or an entry of `messages[]`: the keys of all three that are used here."""

    session_id: str | None = None
    seq: int | None = None
    prev_seq: int | None = None
    status: str | None = None
    reason: str | None = None
    coordinator_id: str | None = None
    kind: str = "message"
    author: str = ""
    message_id: str | None = None
    message: str = ""
    actions: Any = None
    response_id: str | None = None
    in_reply_to: list[str] = []
    index: int = 0
    text: str = ""
    place: int = 0
    wait_s: int | None = None
    answer: str | None = None
    timestamp: str | None = None
    updated_at: str | None = None
    greeting: str = ""
    suggestions: list[str] = []
    messages: list["ServerPayload"] = []
    more: bool = False

    @property
    def previous(self) -> int:
        """The seq of the entry before it: the next lower one, unless the server names another."""
        adjacent = (self.seq or 0) - 1
        return adjacent if self.prev_seq is None else min(self.prev_seq, adjacent)

    @property
    def at(self) -> str | None:
        """The time of an entry, as the server writes it."""
        return self.updated_at if self.timestamp is None else self.timestamp

    def is_beside(self, other: "ServerPayload | None") -> bool:
        """Return True if it was stored together with another entry, right before or after it."""
        if other is None or self.at is None or self.at != other.at:
            return False
        return self.previous == other.seq or other.previous == self.seq


def server_payload(payload: Any) -> ServerPayload:
    """Convert a payload; one of another shape counts as empty."""
    try:
        return msgspec.convert(payload, ServerPayload)
    except msgspec.ValidationError:
        return ServerPayload()


class _Source(msgspec.Struct):
    title: str
    location: str


class _SourcesAction(msgspec.Struct):
    type: Literal["sources"]
    items: list[_Source]


class _QuestionAction(msgspec.Struct, rename="camel"):
    type: Literal["confirm"]
    confirm_id: str
    by: str
    expires_at: datetime | None = None


class _RatingAction(msgspec.Struct):
    type: Literal["rating"]


class _OutcomeAction(msgspec.Struct, rename="camel"):
    type: Literal["confirmation"]
    confirm_id: str
    state: str


_OUTCOMES = {
    "approved": "confirmed",
    "rejected": "declined: nothing was done",
    "expired": "nobody answered in time: nothing was done",
    "withdrawn": "the question no longer stands: nothing was done",
    "done": "done",
    "failed": "not done: nothing was changed",
    "unknown": "it is not known whether it was done",
}


class Terminal:
    """The screen: whole lines, one line that still grows, and a prompt where a person types."""

    def __init__(self, screen: TextIO, *, prompt: bool) -> None:
        self._screen = screen
        self._ansi = screen.isatty()
        self._prompt = "> " if prompt and self._ansi else ""
        self._is_prompted = False
        self._held: str | None = None
        self.is_growing = False

    def hold(self, text: str) -> None:
        """Print a remark before what is printed next, or after HOLD_S; unless it is dropped."""
        self.release()
        self._held = text
        asyncio.get_running_loop().call_later(HOLD_S, self.release)

    def drop_held(self) -> None:
        """Do not print the remark that is held, if any."""
        self._held = None

    def release(self) -> None:
        """Print the remark that is held, if any."""
        held, self._held = self._held, None
        if held is not None:
            self.note(held)

    def note(self, text: str) -> None:
        """Print a remark about the conversation."""
        self._print_line(self._styled(f"— {text}", "2"))

    def message(self, author: str, text: str) -> None:
        """Print one whole message."""
        self._print_line(f"{self._name(author)}{text}")

    def grow(self, author: str, text: str) -> None:
        """Append a part of a message to the line that grows, or begin one with it."""
        self.release()
        if not self.is_growing:
            self._clear_prompt()
            self._write(self._name(author))
            self.is_growing = True
        self._write(text)

    def end_line(self) -> None:
        """End the line that grows, if one does."""
        if self.is_growing:
            self._write("\n")
            self.is_growing = False
            self.prompt()

    def prompt(self) -> None:
        """Show the prompt, unless it is there or a line grows."""
        if self._prompt and not self._is_prompted and not self.is_growing:
            self._write(self._prompt)
            self._is_prompted = True

    def line_entered(self) -> None:
        """Note that a line was read: where it was typed, the cursor is on a new line."""
        if self._prompt:
            self._is_prompted = False
            self.is_growing = False

    def _print_line(self, text: str) -> None:
        self.release()
        self.end_line()
        self._clear_prompt()
        self._write(text + "\n")
        self.prompt()

    def _clear_prompt(self) -> None:
        if self._is_prompted:
            self._write("\r\033[K")
            self._is_prompted = False

    def _name(self, author: str) -> str:
        return self._styled(f"{author}:", "1") + " "

    def _styled(self, text: str, style: str) -> str:
        return f"\033[{style}m{text}\033[0m" if self._ansi else text

    def _write(self, text: str) -> None:
        self._screen.write(text)
        self._screen.flush()


class SeenSeqs:
    """The seqs of a session that were seen: all up to `last`, and some beyond a gap.

    Seqs rise from entry to entry, but not always by 1: each names the one before it.
    """

    def __init__(self, last: int = 0) -> None:
        self.last = last
        self._ahead: dict[int, int] = {}  # the seq before, by the seq

    def __contains__(self, seq: int) -> bool:
        return seq <= self.last or seq in self._ahead

    def add(self, entry: ServerPayload) -> bool:
        """Add an entry's seq; return False if it was seen before."""
        seq = entry.seq or 0
        is_new = seq not in self
        if seq > self.last:  # that of an acknowledgement, which names none before it, is corrected
            self._ahead[seq] = entry.previous
        while self._ahead and self._ahead[first := min(self._ahead)] <= self.last:
            del self._ahead[first]
            self.last = first
        return is_new

    def newest_missing(self, newest: int, found: Mapping[int, ServerPayload]) -> int | None:
        """Return the newest seq, `newest` at most, that is neither seen nor found; None: none."""
        seq = newest
        while seq > self.last:
            if seq in found:
                seq = found[seq].previous
            elif seq in self._ahead:
                seq = self._ahead[seq]
            else:
                return seq
        return None


@dataclass(slots=True)
class PartialAnswer:
    """An answer that is being written."""

    response_id: str | None
    text: str = ""
    next_index: int | None = None
    """That of the piece that follows; None: it must begin anew, as each join counts from 0."""
    shown: str = ""
    """What stands on the screen: the text without the blanks around it."""
    is_interrupted: bool = False
    """It was said so."""


class ConversationView:
    """Shows each entry of the conversation once, and tracks which messages wait for the AI."""

    def __init__(self, terminal: Terminal, *, echo: bool) -> None:
        """`echo`: show what is entered; a terminal does so by itself."""
        self._terminal = terminal
        self._echo = echo
        self._sent: set[str] = set()
        self._answered: set[str] = set()
        self._pending: dict[str, int] = {}  # acknowledged messages that the AI is to answer, by seq
        self._replayed = 0  # the seq of the AI's newest message that came by a join
        self._pending_changed = asyncio.Event()
        self._partial: PartialAnswer | None = None
        self._status: tuple[str | None, str | None] | None = None
        self._queue: tuple[int, int | None] | None = None
        self._oldest: int | None = None
        self.session_id: str | None = None
        self.seen = SeenSeqs()
        self.question: str | None = None
        """The id of what waits for the user's yes; None: nothing does."""
        self.answered_here: set[str] = set()
        """The ids of the questions that were answered by a command."""
        self._outcomes: dict[str, str] = {}  # by the id of the question
        self._silence: asyncio.TimerHandle | None = None
        self._told: ServerPayload | None = None  # the newest message of the server or the AI
        self._changed: ServerPayload | None = None  # the newest status change
        self.changes = 0
        """The number of status changes pushed by the server."""

    # Messages of this terminal.

    def message_entered(self, message_id: str, text: str) -> None:
        """Note a message that is about to be sent."""
        self._sent.add(message_id)
        if self._echo:
            self._terminal.message("you", text)

    def message_acknowledged(self, message_id: str, reply: ServerPayload) -> None:
        """Note that a message is stored, and whether the AI is to answer it."""
        self.enter_session(reply.session_id)
        seq = reply.seq or 0
        self._see(reply)
        is_answered = message_id in self._answered or seq < self._replayed
        if reply.status == "ai" and not is_answered:
            self._pending[message_id] = seq
            self._stop_waiting_after_handover()

    @property
    def is_answering(self) -> bool:
        """True while the AI answers, or is to answer, as far as is known."""
        return bool(self._pending) or self._partial is not None

    async def answered(self) -> None:
        """Wait until no message waits for the AI any more."""
        while self._pending:
            self._pending_changed.clear()
            await self._pending_changed.wait()

    # Pushes and replies of the server.

    def enter_session(self, session_id: str | None) -> None:
        """Reset the seqs if it is another session: they count from 1 in each."""
        if session_id != self.session_id:
            if self.session_id is not None:
                self.seen = SeenSeqs()
                self._oldest = None
                self._replayed = 0
                self._partial = None
                self.question = None
            self.session_id = session_id

    def _see(self, entry: ServerPayload) -> bool:
        """Note an entry that is shown; return False if it was before."""
        if self._oldest is None:
            self._oldest = entry.seq
        return self.seen.add(entry)

    def show_join(self, reply: ServerPayload) -> None:
        """Show the newest entries, and the status, after the first join."""
        self.session_id = reply.session_id
        for entry in reply.messages:
            self._replay(entry)
        self.seen = SeenSeqs(reply.seq or 0)
        self._oldest = min((entry.seq or 0 for entry in reply.messages), default=None)
        if reply.session_id is None:
            self._welcome(reply)
        if reply.more:
            self._terminal.note("older messages: /history")
        self._show_status(reply)

    def _welcome(self, reply: ServerPayload) -> None:
        """Show what the business says before anybody has written."""
        if reply.greeting:
            self._terminal.message("ai", printable(reply.greeting))
        if reply.suggestions:
            asked = "\n".join(f"  {printable(each)}" for each in reply.suggestions)
            self._terminal.note(f"you may ask, for example:\n{asked}")

    def show_missed(self, entries: Sequence[ServerPayload], reply: ServerPayload) -> None:
        """Show the entries that were missed before a later join."""
        unseen = [entry for entry in entries if self._see(entry)]
        if any(entry.message_id not in self._sent for entry in unseen):
            self._terminal.note("while the connection was down:")
        if self._partial is not None:
            self._partial.next_index = None
            self._expect_more()
        for entry in unseen:
            self._replay(entry)
            if entry.author == "ai" or entry.in_reply_to:
                self._partial = None
                self._replayed = entry.seq or 0
                earlier = (id for id, seq in self._pending.items() if seq < self._replayed)
                self._mark_answered([*entry.in_reply_to, *earlier])
        self._show_status(reply)

    def older_query(self) -> dict[str, Any]:
        """Return the payload of `history` for the page before everything shown."""
        before = self._oldest if self._oldest is not None else self.seen.last + 1
        return {"beforeSeq": before, "limit": HISTORY_LIMIT}

    def show_older(self, page: ServerPayload) -> None:
        """Show the page that `older_query` asked for."""
        if not page.messages:
            self._terminal.note("there are no older messages")
            return
        entries = sorted(page.messages, key=lambda entry: entry.seq or 0)
        self._oldest = entries[0].seq
        for entry in entries:
            self._show(entry)
        self._terminal.note("more: /history" if page.more else "this is where it began")

    def show_push(self, event: str, push: ServerPayload) -> None:
        """Show a push; events of no interest are ignored."""
        if event == "message_delta":
            self._show_delta(push)
            return
        if event == "typing":
            if push.author == "ai":
                self._expect_more()
            return
        if event == "queue":
            self._show_queue(push)
            return
        if push.session_id is not None:
            self.enter_session(push.session_id)
        if push.seq is not None and not self._see(push):
            return
        match event:
            case "new_message":
                self._show_response(push.response_id, push)
                if push.in_reply_to:
                    self._partial = None
                    self._mark_answered(push.in_reply_to)
            case "agent_message":
                self._terminal.message(_speaker(push, "coordinator"), printable(push.message))
            case "user_message" if _actions(push, _RatingAction):
                self._terminal.message("you", printable(push.message))
            case "user_message" if push.message_id not in self._sent:
                self._show_own(push)
            case "conversation_status":
                self.changes += 1
                self._show_status(push)

    def _show_own(self, push: ServerPayload) -> None:
        """Show a message of the user's that was sent elsewhere, or in place of a command here."""
        outcomes = _actions(push, _OutcomeAction)
        is_here = any(each.confirm_id in self.answered_here for each in outcomes)
        self._terminal.message("you" if is_here else "you, elsewhere", printable(push.message))
        if is_here and push.message_id is not None and push.message_id not in self._answered:
            self._pending[push.message_id] = push.seq or 0
        self._show_questions(push)

    def _show_questions(self, payload: ServerPayload) -> None:
        """Show what waits for a yes, and what has become of what waited: each once."""
        for outcome in _actions(payload, _OutcomeAction):
            if outcome.confirm_id == self.question:
                self.question = None
            if self._outcomes.get(outcome.confirm_id) != outcome.state:
                self._outcomes[outcome.confirm_id] = outcome.state
                self._terminal.note(_OUTCOMES.get(outcome.state, printable(outcome.state)))
        for question in _actions(payload, _QuestionAction):
            if question.confirm_id in self._outcomes:
                continue  # of an older page: what has become of it is shown already
            is_asked = question.by == "customer"
            self.question = question.confirm_id if is_asked else None
            who = "answer with /yes or /no" if is_asked else "waiting for a colleague's yes"
            self._terminal.note(f"{who}{_until(question.expires_at)}")

    def show_reply_status(self, reply: ServerPayload, known_changes: int) -> None:
        """Show the status in a reply, unless a push since `known_changes` had more."""
        if self.changes == known_changes:
            self._show_status(reply)

    def _show_status(self, payload: ServerPayload) -> None:
        """Show the status and the coordinator, if either has changed."""
        status = (payload.status, payload.coordinator_id)
        known, self._status = self._status, status
        if payload.status != "waiting":
            self._queue = None
        if payload.status is None or status == known or (known is None and payload.status == "ai"):
            return
        if known is not None and payload.status == known[0] and payload.coordinator_id is None:
            return  # a reply, after the push that had more
        self._note_change(payload)
        if not self._is_with_ai:
            self._partial = None  # nobody will finish it
        self._stop_waiting_after_handover()

    def _note_change(self, change: ServerPayload) -> None:
        """Show a status change, unless a message tells of it: the one that was stored with it."""
        self._changed = change
        if not change.is_beside(self._told):
            self._terminal.hold(printable(_status_text(change)))

    def _message_told(self, message: ServerPayload) -> None:
        """Note a message of the server or the AI, which may tell of a status change."""
        self._told = message
        if message.is_beside(self._changed):
            self._terminal.drop_held()

    def _show_queue(self, push: ServerPayload) -> None:
        """Show the place among those who wait, if it has changed."""
        queue = (push.place, push.wait_s)
        if queue == self._queue or push.place < 1 or self._status is None:
            return
        self._queue = queue
        if self._status[0] == "waiting":
            self._terminal.note(_queue_text(*queue))

    @property
    def _is_with_ai(self) -> bool:
        return self._status is None or self._status[0] in (None, "ai")

    def _stop_waiting_after_handover(self) -> None:
        """Wait only `GRACE_S` for the AI's last message once a human will answer."""
        if self._pending and not self._is_with_ai:
            loop = asyncio.get_running_loop()
            loop.call_later(GRACE_S, self._mark_answered, list(self._pending))

    def _mark_answered(self, message_ids: Sequence[str]) -> None:
        self._answered.update(message_ids)
        for message_id in message_ids:
            self._pending.pop(message_id, None)
        self._pending_changed.set()

    def _replay(self, entry: ServerPayload) -> None:
        if entry.kind == "status":
            self._show_status(entry)
        else:
            self._show(entry)

    def _show(self, entry: ServerPayload) -> None:
        text = printable(entry.message)
        if entry.kind == "status":
            if entry.reason not in DELIVERY:
                self._note_change(entry)
        elif entry.author != "user":
            self._show_response(entry.message_id, entry)
        elif entry.message_id not in self._sent:
            self._terminal.message("you", text)
            self._show_questions(entry)

    def _show_delta(self, delta: ServerPayload) -> None:
        text = printable(delta.text)
        partial = self._partial
        is_known = partial is not None and partial.response_id == delta.response_id
        if delta.index == 0 and self._is_with_ai:
            if partial is None or not is_known:
                self._terminal.end_line()
                self._interrupted()
                partial = self._partial = PartialAnswer(delta.response_id)
            partial.text = text
        elif partial is not None and is_known and partial.next_index == delta.index:
            partial.text += text
        else:
            return  # it does not follow: the final message has the whole text
        partial.next_index = delta.index + 1
        self._expect_more()
        self._show_more(partial, partial.text)

    def _expect_more(self) -> None:
        """Expect the next piece of an answer within INTERRUPTED_S."""
        self.connection_lost()
        loop = asyncio.get_running_loop()
        self._silence = loop.call_later(INTERRUPTED_S, self._interrupted)

    def connection_lost(self) -> None:
        """Expect no piece of an answer until the next join."""
        if self._silence is not None:
            self._silence.cancel()

    def _interrupted(self) -> None:
        """Say, once, that what is shown of an answer is all of it."""
        partial = self._partial
        if partial is not None and partial.shown and not partial.is_interrupted:
            partial.is_interrupted = True
            self._terminal.note("the answer was interrupted: another one comes")

    def _show_more(self, partial: PartialAnswer, text: str) -> None:
        """Show of an answer's text what is not on the screen; one that differs begins a line."""
        visible = text.strip()
        if not visible.startswith(partial.shown):
            self._terminal.end_line()
            partial.shown = ""
        more = visible.removeprefix(partial.shown)
        if more:
            is_continued = bool(partial.shown) and not self._terminal.is_growing
            self._terminal.grow("ai", f"… {more.lstrip()}" if is_continued else more)
            partial.shown = visible

    def _show_response(self, response_id: str | None, response: ServerPayload) -> None:
        """Show a whole response, or the rest of it where its beginning stands on the screen."""
        text = printable(response.message)
        if response.author != "coordinator":
            self._message_told(response)
        partial = self._partial
        if partial is not None and partial.response_id == response_id and partial.shown:
            self._show_more(partial, text)
            self._terminal.end_line()
            self._partial = None
        else:
            self._terminal.message(_speaker(response, response.author or "ai"), text)
        if found := _sources(response):
            self._terminal.note(f"sources: {'; '.join(found)}")
        self._show_questions(response)


def _speaker(payload: ServerPayload, author: str) -> str:
    """Return the name before a message: the coordinator's own, if the server has sent it."""
    is_coordinator = author == "coordinator"
    return printable((payload.coordinator_id or "human") if is_coordinator else author)


def _queue_text(place: int, wait_s: int | None) -> str:
    text = "you are next" if place == 1 else f"you are number {place}"
    return text if wait_s is None else f"{text}; it takes about {max(1, round(wait_s / 60))} min"


def _sources(payload: ServerPayload) -> list[str]:
    """Return the sources of an answer, each on one line."""
    items = [item for action in _actions(payload, _SourcesAction) for item in action.items]
    return [printable(" ".join(f"{item.title} ({item.location})".split())) for item in items]


def _actions(payload: ServerPayload, shape: type[T]) -> list[T]:
    """Return the actions of one shape."""
    found: list[T] = []
    for action in payload.actions if isinstance(payload.actions, list) else ():
        with suppress(msgspec.ValidationError):  # it is another one
            found.append(msgspec.convert(action, shape))
    return found


def _until(at: datetime | None) -> str:
    return f", until {at.astimezone():%d.%m.%Y %H:%M}" if at is not None else ""


def _status_text(payload: ServerPayload) -> str:
    status = payload.status or "unknown"
    text = _STATUS_TEXTS.get(status, status)
    if status == "live" and payload.coordinator_id:
        text = f"live chat with {payload.coordinator_id}"
    return f"{text} ({payload.reason})" if payload.reason else text


def printable(text: str) -> str:
    """Remove the control characters, which could steer the terminal."""
    return text.translate(_CONTROL)
