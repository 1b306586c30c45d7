"""The stream of an answer being written, at its two ends: the turn that writes it, and a client.

A client has the pieces in order, each once, wherever the turn runs. One that joins late, or has
missed a piece, gets the text so far. All of it is a preview: the stored answer replaces it.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable

from application.hub import Hub
from application.ports import AnswerRequested, AnswerSoFar, AnswerWriter, Clock, Delta, Timer
from domain.errors import Failure
from domain.identity import Customer, MessageId
from domain.message import Entry, Message
from domain.plain_text import plain_text
from domain.session import Session

SO_FAR_EVERY_S = 0.05
"""The shortest time between two publications of the text so far."""
MAX_SO_FAR = 64 * 1024
"""The most characters of a text so far; a longer one is published to nobody."""
LOOK_AGAIN_S = 1.0
"""The pause before the store is read again if it is away, or another process is silent."""
ASK_AGAIN_S = 0.1
"""The shortest time between two requests of one client for the text so far."""
REMEMBERED = 4
"""The number of ended answers of which late pieces are known."""


class AnswerStream(AnswerWriter):
    """Publishes an answer as it is written.

    Once hints may have been lost, it holds back what is written until the store has been read: the
    conversation may have changed hands. While another process is silent, it does so once a second.
    Nothing that is held back is lost.
    """

    __slots__ = ("_asked", "_attempt", "_clock", "_customer", "_held", "_hub", "_is_current",
                 "_length", "_look_due", "_looked_at", "_looking", "_missed", "_pieces",
                 "_published", "_response_id", "_session", "_so_far_at", "_task", "_timer",
                 "first_piece_at")  # fmt: skip

    def __init__(
        self,
        customer: Customer,
        session: Session,
        response_id: MessageId,
        *,
        task: asyncio.Task[object],
        hub: Hub,
        clock: Clock,
        is_current: Callable[[], Awaitable[bool]],
    ) -> None:
        """`task`: the turn's; what is written after it was cancelled counts for nothing.

        `is_current`: reads the store, and returns whether the answer may still be stored.
        """
        self._customer = customer
        self._session = session
        self._response_id = response_id
        self._task = task
        self._hub = hub
        self._clock = clock
        self._is_current = is_current
        self._attempt = 1
        self._pieces: list[str] = []
        self._length = 0
        self._published = 0
        """The characters that were published."""
        self._held = False
        self._missed = False
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = -math.inf
        """When the store was last read, by the monotonic clock."""
        self._look_due: Timer | None = None
        """Reads the store if nothing else has made it do so while the broker is away."""
        self._asked = False
        self._so_far_at: float | None = None
        self._timer: Timer | None = None
        self.first_piece_at: float | None = None
        """By the monotonic clock."""

    @property
    def text(self) -> str:
        """All that was written."""
        return "".join(self._pieces)

    def __call__(self, piece: str) -> None:
        if self._task.cancelling():
            return
        if self.first_piece_at is None:
            self.first_piece_at = self._clock.monotonic()
        text = plain_text(piece)
        self._pieces.append(text)
        self._length += len(text)
        if self._may_publish():
            self._publish(text)

    def restart(self) -> None:
        self._attempt += 1
        self._pieces.clear()
        self._length = self._published = 0

    def _publish(self, text: str) -> None:
        session_id, epoch = self._session.session_id, self._session.epoch
        self._hub.publish(
            self._customer,
            Delta(session_id, self._response_id, epoch, self._attempt, self._published, text),
        )
        self._published = self._length

    # The text so far.

    def publish_so_far(self) -> None:
        """Publish all that was written; at most once in SO_FAR_EVERY_S, however many ask."""
        if self._timer is not None:
            return
        wait_s = 0.0
        if self._so_far_at is not None:
            wait_s = self._so_far_at + SO_FAR_EVERY_S - self._clock.monotonic()
        if wait_s > 0:
            self._timer = self._clock.call_later(wait_s, self._on_timer)
        else:
            self._on_timer()

    def _on_timer(self) -> None:
        self._timer = None
        if self._may_publish():
            self._publish_so_far()
        else:
            self._asked = True  # after the next look

    def _publish_so_far(self) -> None:
        if 0 < self._length <= MAX_SO_FAR and not self._task.cancelling():
            self._so_far_at = self._clock.monotonic()
            session_id, epoch = self._session.session_id, self._session.epoch
            self._hub.publish(
                self._customer,
                AnswerSoFar(session_id, self._response_id, epoch, self._attempt, self.text),
            )

    # Holding back.

    def _may_publish(self) -> bool:
        """Return False while what is written is held back; read the store first if it is time."""
        is_away = self._hub.broker_is_away  # then it is read once a second
        if not (self._held or is_away or self._is_look_due()):
            return True
        self._held = True
        if self._looking is None:
            if not is_away:
                self.look()
            elif self._look_due is None:  # the broker may be back before the next Missed
                self._look_due = self._clock.call_later(LOOK_AGAIN_S, self.look)
        return False

    def _is_look_due(self) -> bool:
        """Return True if another process may have stored a change of owner unnoticed here."""
        if not self._hub.has_silent_node:
            return False
        return self._clock.monotonic() - self._looked_at >= LOOK_AGAIN_S

    def look(self) -> None:
        """Hold back what is written from now on until the store has been read."""
        self._held = self._missed = True
        if self._look_due is not None:
            self._look_due.cancel()
            self._look_due = None
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while self._missed:
            self._missed = False
            self._looked_at = self._clock.monotonic()
            try:
                if not await self._is_current():
                    return  # and the turn is cancelled
            except Failure:
                self._missed = True
                await self._clock.sleep(LOOK_AGAIN_S)
        self._looking = None
        self._held = False
        if self._published < self._length and not self._task.cancelling():
            self._publish(self.text[self._published :])
        if self._asked:
            self._asked = False
            self._publish_so_far()

    def close(self) -> None:
        """Publish nothing more: the answer is stored, or will not be."""
        self._pieces.clear()
        self._length = 0
        if self._timer is not None:
            self._timer.cancel()
        if self._look_due is not None:
            self._look_due.cancel()
        if self._looking is not None:
            self._looking.cancel()


class AnswerFollower:
    """What one client is shown of the answer being written: each piece once, in order."""

    __slots__ = ("_asked_at", "_attempt", "_clock", "_customer", "_ended", "_expects", "_hub",
                 "_index", "_lacks", "_stored", "_text", "response_id")  # fmt: skip

    def __init__(self, customer: Customer, hub: Hub, clock: Clock) -> None:
        self._customer = customer
        self._hub = hub
        self._clock = clock
        self.response_id: MessageId | None = None
        """The answer that is shown; None: none."""
        self._attempt = 0
        """The attempt of its turn that is shown."""
        self._text = ""
        self._index = 0
        self._expects = False
        """True if an answer may be in the making, of which the client has nothing yet."""
        self._lacks = False
        """True if a piece did not fit what is shown, or may have been lost."""
        self._asked_at: float | None = None
        self._ended: tuple[MessageId, ...] = ()
        self._stored: frozenset[MessageId] = frozenset()
        """The answers that were stored as the client joined."""

    def skip(self, entries: Iterable[Entry]) -> None:
        """Show nothing of the answers that were stored as the client joined."""
        self._stored = frozenset(
            [each.message_id for each in entries if isinstance(each, Message) and each.settles_seq]
        )

    def start(self, *, needs_answer: bool) -> None:
        """Request the text so far, if the session needs an answer as the client joins."""
        self._expects = needs_answer and self.response_id is None and not self._ended
        self._ask()

    def show(self, event: Delta | AnswerSoFar) -> tuple[int, str] | None:
        """Return the index and the text to show the client next; None: nothing.

        Index 0 begins anew. What the client lacks is requested.
        """
        if event.response_id in self._ended or event.response_id in self._stored:
            return None
        shown = self._so_far(event) if isinstance(event, AnswerSoFar) else self._piece(event)
        self._ask()
        return shown

    def _piece(self, event: Delta) -> tuple[int, str] | None:
        if self._is_later(event):
            if event.offset == 0:
                return self._begin(event)
            self._lacks = True
        elif event.attempt == self._attempt:
            if event.offset > len(self._text):
                self._lacks = True
            elif rest := event.text[len(self._text) - event.offset :]:
                return self._continue(rest)
        return None

    def _so_far(self, event: AnswerSoFar) -> tuple[int, str] | None:
        if self._is_later(event):
            return self._begin(event)
        if event.attempt == self._attempt:
            if rest := event.text[len(self._text) :]:
                return self._continue(rest)
            self._lacks = False
        return None

    def _is_later(self, event: Delta | AnswerSoFar) -> bool:
        """Return True if it is of another answer, or of a later attempt, than what is shown."""
        return event.response_id != self.response_id or event.attempt > self._attempt

    def _begin(self, event: Delta | AnswerSoFar) -> tuple[int, str]:
        if self.response_id not in (None, event.response_id):
            self._end(self.response_id)
        self.response_id, self._attempt = event.response_id, event.attempt
        self._expects = self._lacks = False
        self._text, self._index = event.text, 0
        return 0, event.text

    def _continue(self, text: str) -> tuple[int, str]:
        self._text += text
        self._index += 1
        self._lacks = False
        return self._index, text

    def on_entry(self, entry: Entry) -> None:
        """Show no more of an answer once it is stored, or the conversation has changed hands."""
        if isinstance(entry, Message):
            if not entry.settles_seq:
                return
            if self.response_id in (None, entry.message_id):
                self._end(entry.message_id)
            else:  # another one is shown, which may be the next
                self._ended = (*self._ended, entry.message_id)[-REMEMBERED:]
        elif entry.changes_owner:
            self._end(self.response_id)

    def _end(self, response_id: MessageId | None) -> None:
        if response_id is not None:
            self._ended = (*self._ended, response_id)[-REMEMBERED:]
        self.response_id, self._text = None, ""
        self._expects = self._lacks = False

    def on_missed(self) -> None:
        """Request what may have been lost of an answer, or all of one that has begun meanwhile."""
        self._lacks = True
        self._asked_at = None  # the request may have been lost as well
        self._ask()

    def _ask(self) -> None:
        if not (self._lacks or self._expects):
            return
        now = self._clock.monotonic()
        if self._asked_at is None or now - self._asked_at >= ASK_AGAIN_S:
            self._asked_at = now
            self._hub.publish(self._customer, AnswerRequested())
