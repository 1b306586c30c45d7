"""Messages as the bridge sends them, in whatever natural shape an application gives them."""

from collections.abc import Iterator
from typing import Any

import msgspec

from domain.errors import Refusal
from domain.identity import CoordinatorId, coordinator_id, identifier
from domain.message import MAX_MESSAGE_LENGTH
from domain.plain_text import is_blank, plain_text

_TEXT = ("message", "body", "text", "content")
_WRAPPERS = ("data", "payload", *_TEXT)
_TIMESTAMP = ("timestamp", "sentAt", "sent_at", "insertedAt", "inserted_at")
_MESSAGE_ID = ("messageId", "message_id")
_COORDINATOR_ID = ("coordinatorId", "coordinator_id", "agentId", "agent_id")
_COORDINATOR_NAME = ("coordinatorName", "coordinator_name", "agentName", "agent_name", "agent")
_WORDS_CUT_BEFORE = 200
"""Characters before the limit in which a text is rather split between words."""


class InboundPayload(msgspec.Struct, rename="camel"):
    """A message, typed leniently: a coordinator's words must not be lost."""

    message: str
    timestamp: Any = None
    message_id: Any = None
    coordinator_id: Any = None
    origin: Any = None


def payload_of(raw: Any) -> InboundPayload:
    """Read a message. Raises: msgspec.ValidationError."""
    if not isinstance(raw, dict):
        return msgspec.convert(raw, InboundPayload)
    if _text(raw) is None:
        inner: dict[str, Any] = next(
            (raw[key] for key in _WRAPPERS if isinstance(raw.get(key), dict)), {}
        )
        raw = {**raw, **inner}
    text = _text(raw)
    found = {
        "message": text if text is not None else raw.get("message"),
        "timestamp": _first(raw, _TIMESTAMP),
        "messageId": _first(raw, _MESSAGE_ID),
        "coordinatorId": _first(raw, _COORDINATOR_ID) or _first(raw, _COORDINATOR_NAME),
        "origin": raw.get("origin"),
    }
    return msgspec.convert(found, InboundPayload)


def coordinator_of(value: object) -> CoordinatorId | None:
    """Return a coordinator's name or id that the bridge sent; None: it cannot be one."""
    name = " ".join(plain_text(value).split()) if isinstance(value, str) else value
    try:
        return coordinator_id("coordinatorId", str(name) if type(name) is int else name)
    except Refusal:
        return None


def id_of(value: object) -> str | None:
    """Return an id that the bridge sent, as a text or a number; None: it cannot be one."""
    try:
        return identifier("id", str(value) if type(value) is int else value)
    except Refusal:
        return None


def parts_of(text: str) -> Iterator[str]:
    """Split a text into messages that are not too long, between words where there are some."""
    text = plain_text(text).strip()
    while len(text) > MAX_MESSAGE_LENGTH:
        cut = MAX_MESSAGE_LENGTH
        for start in range(cut, cut - _WORDS_CUT_BEFORE, -1):
            if text[start].isspace():
                cut = start
                break
        yield text[:cut].rstrip()
        text = text[cut:].lstrip()
    yield text


def _text(raw: dict[str, Any]) -> str | None:
    texts = [raw[key] for key in _TEXT if isinstance(raw.get(key), str)]
    return next((text for text in texts if not is_blank(text)), None)


def _first(raw: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((raw[key] for key in keys if raw.get(key) is not None), None)
