"""What the terminal chat shows: the screen, and what is known of the conversation on it."""

import asyncio
from collections.abc import Sequence
from typing import Any, TextIO

import msgspec

PAGE = 50
"""Entries that one answer to `history` has."""
GRACE_S = 1.0
"""How long it still waits for a word once a human was asked for, who may not come for minutes."""
_STATUS = {
    "ai": "the AI answers",
    "waiting": "waiting for a human",
    "live": "live chat with a human",
    "closed": "the conversation is closed; the next message opens a new one",
}
_CONTROL = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {ord("\n"), ord("\t")})


class Item(msgspec.Struct, rename="camel", kw_only=True):
    """What the server says, in a push, in a reply or in `messages[]`: the keys shown here."""

    session_id: str | None = None
    seq: int | None = None
    status: str | None = None
    reason: str | None = None
    coordinator_id: str | None = None
    kind: str = "message"
    author: str = ""
    message_id: str | None = None
    message: str = ""
    response_id: str | None = None
    in_reply_to: list[str] = []
    index: int = 0
    text: str = ""
    messages: list["Item"] = []
    more: bool = False


class Terminal:
    """The screen: whole lines, one line that still grows, and a prompt where a person types."""

    def __init__(self, screen: TextIO, *, prompt: bool) -> None:
        self._screen = screen
        self._ansi = screen.isatty()
        self._prompt = "> " if prompt and self._ansi else ""
        self._prompted = False
        self.growing = False

    def note(self, text: str) -> None:
        """Something about the conversation, not in it."""
        self._line(f"— {text}", "2")

    def say(self, who: str, text: str) -> None:
        """One whole message."""
        self._line(f"{self._name(who)}{text}")

    def grow(self, who: str, text: str) -> None:
        """A message as it comes: begin it, or go on with it."""
        if not self.growing:
            self._clear()
            self._write(self._name(who))
            self.growing = True
        self._write(text)

    def settle(self) -> None:
        """End the line that grows, if one does."""
        if self.growing:
            self._write("\n")
            self.growing = False
            self.ask()

    def ask(self) -> None:
        """Show the prompt, unless something is still being said."""
        if self._prompt and not self.growing:
            self._write(self._prompt)
            self._prompted = True

    def entered(self) -> None:
        """A line was read; where a person typed it, the terminal went to a new line by itself."""
        if self._prompt:
            self._prompted = False
            self.growing = False

    def _line(self, text: str, style: str = "") -> None:
        self.settle()
        self._clear()
        self._write(self._styled(text, style) + "\n")
        self.ask()

    def _clear(self) -> None:
        if self._prompted:
            self._write("\r\033[K")
            self._prompted = False

    def _name(self, who: str) -> str:
        return self._styled(f"{who}:", "1") + " "

    def _styled(self, text: str, style: str) -> str:
        return f"\033[{style}m{text}\033[0m" if self._ansi and style else text

    def _write(self, text: str) -> None:
        self._screen.write(text)
        self._screen.flush()


class Seen:
    """Which seqs of the session were seen: all up to `last`, and some after a gap."""

    def __init__(self, last: int = 0) -> None:
        self.last = last
        self._ahead: set[int] = set()

    def __contains__(self, seq: int) -> bool:
        return seq <= self.last or seq in self._ahead

    def add(self, seq: int) -> bool:
        """Note a seq; False if it was seen before."""
        if seq in self:
            return False
        self._ahead.add(seq)
        while self.last + 1 in self._ahead:
            self.last += 1
            self._ahead.remove(self.last)
        return True


class Conversation:
    """What this terminal knows of the conversation; it shows each thing once."""

    def __init__(self, terminal: Terminal, *, echo: bool) -> None:
        self._terminal = terminal
        self._echo = echo
        self._sent: set[str] = set()
        self._answered: set[str] = set()
        self._unanswered: dict[str, int] = {}  # acknowledged under this seq, the AI's to answer
        self._replayed = 0  # the seq of the AI's newest message that came by a join
        self._changed = asyncio.Event()
        self._partial: tuple[str, int, str] | None = None  # responseId, next index, text shown
        self._status: tuple[str | None, str | None] | None = None
        self._oldest: int | None = None
        self.session_id: str | None = None
        self.seen = Seen()
        self.changes = 0
        """Status changes that the server has pushed."""

    # What was said here.

    def sending(self, message_id: str, text: str) -> None:
        """A line was entered; only a pipe does not show it by itself."""
        self._sent.add(message_id)
        if self._echo:
            self._terminal.say("you", text)

    def acknowledged(self, message_id: str, reply: Item) -> None:
        """The server has stored it, and says who will answer."""
        self.enter(reply.session_id)
        self.seen.add(reply.seq or 0)
        answered = message_id in self._answered or (reply.seq or 0) < self._replayed
        if reply.status == "ai" and not answered:
            self._unanswered[message_id] = reply.seq or 0
            self._hurry_if_relieved()

    async def answered(self) -> None:
        """Wait until no message waits for the AI any more."""
        while self._unanswered:
            self._changed.clear()
            await self._changed.wait()

    # What the server says.

    def enter(self, session_id: str | None) -> None:
        """Everything counts from 1 in a session: another one makes a new start."""
        if session_id != self.session_id:
            if self.session_id is not None:
                self.seen = Seen()
                self._oldest = None
                self._replayed = 0
            self.session_id = session_id

    def begin(self, reply: Item) -> None:
        """The first join: show where the conversation stands."""
        self.session_id = reply.session_id
        for entry in reply.messages:
            self._replay(entry)
        self.seen = Seen(reply.seq or 0)
        self._oldest = min((entry.seq or 0 for entry in reply.messages), default=None)
        if reply.more:
            self._terminal.note("older messages: /history")
        self.status(reply)

    def missed(self, entries: Sequence[Item], reply: Item) -> None:
        """A later join: show what was said meanwhile."""
        unseen = [entry for entry in entries if (entry.seq or 0) not in self.seen]
        if any(entry.message_id not in self._sent for entry in unseen):
            self._terminal.note("while the connection was down:")
        for entry in unseen:
            self.seen.add(entry.seq or 0)
            self._replay(entry)
            if entry.author == "ai":
                self._replayed = entry.seq or 0
                earlier = (id for id, seq in self._unanswered.items() if seq < self._replayed)
                self._answer([*entry.in_reply_to, *earlier])
        self.status(reply)

    def older(self, page: Item) -> None:
        """A page of history, before everything that was shown."""
        if not page.messages:
            self._terminal.note("there are no older messages")
            return
        entries = sorted(page.messages, key=lambda entry: entry.seq or 0)
        self._oldest = entries[0].seq
        for entry in entries:
            self._show(entry)
        self._terminal.note("more: /history" if page.more else "this is where it began")

    def before(self) -> dict[str, Any]:
        """What to ask for to get the page before everything that was shown."""
        before = self._oldest if self._oldest is not None else self.seen.last + 1
        return {"beforeSeq": before, "limit": PAGE}

    def pushed(self, event: str, item: Item) -> None:
        """One push of the server; events of no interest, `typing` among them, are passed over."""
        if event == "message_delta":
            self._delta(item)
            return
        if item.session_id is not None:
            self.enter(item.session_id)
        if item.seq is not None and not self.seen.add(item.seq):
            return
        match event:
            case "new_message":
                self._final(item)
                self._answer(item.in_reply_to)
            case "agent_message":
                self._terminal.say(_speaker(item, "coordinator"), printable(item.message))
            case "user_message" if item.message_id not in self._sent:
                self._terminal.say("you, elsewhere", printable(item.message))
            case "conversation_status":
                self.changes += 1
                self.status(item)

    def changed(self, reply: Item, known: int) -> None:
        """The reply to a command sent after `known` changes; what was pushed since says more."""
        if self.changes == known:
            self.status(reply)

    def status(self, item: Item) -> None:
        """Who has the conversation, if that is news."""
        status = (item.status, item.coordinator_id)
        known, self._status = self._status, status
        if item.status is None or status == known or (known is None and item.status == "ai"):
            return
        if known is not None and item.status == known[0] and item.coordinator_id is None:
            return  # a reply, after the push that said more
        self._terminal.note(printable(_words(item)))
        self._hurry_if_relieved()

    def _hurry_if_relieved(self) -> None:
        """The AI does not answer what a human will: wait for its last words, and not for long."""
        if self._unanswered and self._status is not None and self._status[0] not in (None, "ai"):
            loop = asyncio.get_running_loop()
            loop.call_later(GRACE_S, self._answer, list(self._unanswered))

    def _replay(self, entry: Item) -> None:
        if entry.kind == "status":
            self.status(entry)
        else:
            self._show(entry)

    def _show(self, entry: Item) -> None:
        text = printable(entry.message)
        if entry.kind == "status":
            self._terminal.note(printable(_words(entry)))
        elif entry.author != "user":
            self._terminal.say(_speaker(entry, entry.author), text)
        elif entry.message_id not in self._sent:
            self._terminal.say("you", text)

    def _delta(self, item: Item) -> None:
        text = printable(item.text)
        if item.index == 0:
            self._terminal.settle()
            self._partial = (item.response_id or "", 0, "")
        if self._partial is None or self._partial[:2] != (item.response_id, item.index):
            return  # not from its beginning, or not in order: the final message has it all
        response_id, index, shown = self._partial
        if index and not self._terminal.growing:
            return  # something else was said in between
        self._terminal.grow("ai", text)
        self._partial = (response_id, index + 1, shown + text)

    def _final(self, item: Item) -> None:
        """The whole of a response; what of it stands on the screen already is not repeated."""
        text = printable(item.message)
        partial, self._partial = self._partial, None
        shown = partial[2] if partial is not None and partial[0] == item.response_id else None
        if shown is not None and self._terminal.growing and text.startswith(shown):
            self._terminal.grow("ai", text[len(shown) :])
            self._terminal.settle()
        else:
            self._terminal.say(_speaker(item, item.author or "ai"), text)

    def _answer(self, message_ids: Sequence[str]) -> None:
        self._answered.update(message_ids)
        for message_id in message_ids:
            self._unanswered.pop(message_id, None)
        self._changed.set()


def item(payload: Any) -> Item:
    """What can be understood of a payload; nothing of it, if it has another shape."""
    try:
        return msgspec.convert(payload, Item)
    except msgspec.ValidationError:
        return Item()


def _speaker(item: Item, author: str) -> str:
    """The name before a message: the coordinator's own, where the server tells it."""
    return (
        printable(item.coordinator_id or "human") if author == "coordinator" else printable(author)
    )


def _words(item: Item) -> str:
    """Who has the conversation, in words."""
    status = item.status or "unknown"
    words = _STATUS.get(status, status)
    if status == "live" and item.coordinator_id:
        words = f"live chat with {item.coordinator_id}"
    return f"{words} ({item.reason})" if item.reason else words


def printable(text: str) -> str:
    """Text from elsewhere without what could steer the terminal."""
    return text.translate(_CONTROL)
