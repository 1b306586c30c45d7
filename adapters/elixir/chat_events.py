"""Events for the application, read from the messages on a live chat's topic."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec

from adapters.elixir.echoes import ORIGIN, EchoFilter
from adapters.elixir.inbound import coordinator_of, id_of, parts_of, payload_of
from application.ports import (
    InboundEvent,
    InboundMessage,
    MalformedEvent,
    QueuePlace,
    Typing,
)
from domain.errors import Refusal
from domain.identity import MessageId
from domain.message import Author, message_text

COORDINATOR_TYPING_EXPIRES_MS = 6_000
MAX_PLACE, MAX_QUEUE_S = 100_000, 7 * 86_400
"""The last place, and the longest wait, that a customer can be told."""
MAX_WARNINGS = 100
"""Different warnings about what the bridge sends that are logged, each once."""

_AUTHORS = {"user_message": Author.USER, "agent_message": Author.COORDINATOR}
_WARNINGS = {
    "bridge_event_invalid": "The bridge sent something invalid",
    "bridge_events_lost": "Events from the bridge were lost",
    "bridge_join_refused": "The bridge refused to join a topic",
}
logger = logging.getLogger(__name__)


class _Queue(msgspec.Struct, rename={"wait_s": "waitS"}):
    """The place of a customer who waits, and for how many seconds yet."""

    place: Annotated[int, msgspec.Meta(ge=1, le=MAX_PLACE)]
    wait_s: Annotated[float, msgspec.Meta(ge=0, le=MAX_QUEUE_S)] | None = None


class ChatEvents:
    """Reads events and earlier messages, and warns once of each that is malformed."""

    def __init__(self) -> None:
        self._warnings: set[tuple[str, str]] = set()
        self._gives_ids = False

    def read(
        self, echoes: EchoFilter, event: str, payload: Any, *, knows_queue: bool = False
    ) -> Iterator[InboundEvent]:
        """Yield the events that one from the bridge stands for; none for one without meaning.

        `knows_queue`: the bridge has announced that it reports the places in its queue.
        """
        match event:
            case "user_message" | "agent_message":
                yield from self._message(echoes, event, payload, _AUTHORS[event], replayed=False)
            case "queue" if knows_queue:
                yield self._queue_place(payload)
            case "typing" if isinstance(payload, dict) and payload.get("author") == "coordinator":
                yield Typing(Author.COORDINATOR, COORDINATOR_TYPING_EXPIRES_MS)

    def history(self, echoes: EchoFilter, response: Any) -> Iterator[InboundEvent]:
        """Yield the earlier messages in the reply to a join."""
        messages = response.get("messages") if isinstance(response, dict) else None
        for message in messages if isinstance(messages, list) else ():
            author = message.get("author") if isinstance(message, dict) else None
            if isinstance(author, str) and author in _AUTHORS.values():
                yield from self._message(
                    echoes, "messages[]", message, Author(author), replayed=True
                )
            elif author not in (Author.AI, Author.SYSTEM):
                yield self._malformed("messages[]", "an entry without a known author")

    def _message(
        self, echoes: EchoFilter, event: str, raw: Any, author: Author, *, replayed: bool
    ) -> Iterator[InboundEvent]:
        try:
            payload = payload_of(raw)
            texts = [message_text(part) for part in parts_of(payload.message)]
        except (msgspec.ValidationError, Refusal) as error:
            yield self._malformed(event, str(error))
            return
        now = asyncio.get_running_loop().time()
        if author is Author.USER and echoes.consume(payload, now):
            self._gives_ids |= echoes.got_new_id
            return
        message_id = id_of(payload.message_id)
        coordinator_id = coordinator_of(payload.coordinator_id)
        at = _time(payload.timestamp)
        for number, text in enumerate(texts):
            # Ids and times of their own, as equal ones mark a repetition.
            part_id = id_of(f"{message_id}.{number}") if message_id and number else message_id
            yield InboundMessage(
                author=author,
                text=text,
                message_id=MessageId(part_id) if part_id is not None else None,
                at=at + timedelta(milliseconds=number) if at is not None else None,
                coordinator_id=coordinator_id,
                replayed=replayed,
                has_new_id=self._gives_ids,
                from_elsewhere=payload.origin not in (None, ORIGIN),
            )

    def _queue_place(self, payload: Any) -> QueuePlace | MalformedEvent:
        try:
            found = msgspec.convert(payload, _Queue)
        except msgspec.ValidationError as error:
            return self._malformed("queue", str(error))
        return QueuePlace(found.place, round(found.wait_s) if found.wait_s is not None else None)

    def _malformed(self, event: str, reason: str) -> MalformedEvent:
        self.warn_once("bridge_event_invalid", event, reason)
        return MalformedEvent(event)

    def warn_once(self, action: str, event: str, reason: str) -> None:
        """Log a warning the first time: a faulty bridge repeats its fault with every message."""
        if (event, reason) not in self._warnings and len(self._warnings) < MAX_WARNINGS:
            self._warnings.add((event, reason))
            extra = {"action": action, "event": event, "reason": reason}
            logger.warning(_WARNINGS[action], extra=extra)


def _time(value: object) -> datetime | None:
    """Parse ISO 8601, which is in UTC if it names no zone, as an Elixir `NaiveDateTime`."""
    try:
        at = datetime.fromisoformat(value if isinstance(value, str) else "")
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
