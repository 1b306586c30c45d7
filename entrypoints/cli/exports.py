"""Exports of users' conversations, read back as the logs that they were made of.

An export is a file from anywhere: what it must have is checked, and entries of kinds that are not
known are left out.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from adapters.json_text import NOT_JSON, decode_json
from application.recorded_turns import RecordedTurn, recorded_turns
from application.write_calls import json_text
from domain.errors import ConversationError, InvalidPayload
from domain.identity import BusinessId, LocationId, MessageId, SessionId, stored_customer
from domain.message import (
    Action,
    AnswerVersion,
    Audience,
    Author,
    Entry,
    Message,
    StatusChange,
    Summary,
    ToolUse,
)
from domain.session import Session
from domain.status import Reason, Status
from domain.tool import Confirmer
from domain.usage import Usage
from domain.write_call import WriteState, WriteStep

MAX_EXPORT_BYTES = 64 * 1024 * 1024


class _In(Struct, rename="camel"):
    """A JSON object of an export; what is not needed is ignored."""


class _ExportedUsage(_In):
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    calls: int = 0


class _ExportedStep(_In):
    call_id: str
    state: WriteState
    tool: str
    what: str
    arguments: dict[str, Any] | None = None
    result: str | None = None
    confirm: Confirmer | None = None
    expires_at: datetime | None = None
    terms: str | None = None


class _ExportedMessage(_In):
    seq: int
    message_id: str
    author: Author
    message: str
    timestamp: datetime
    actions: tuple[dict[str, Any], ...] = ()
    in_reply_to: tuple[str, ...] = ()
    audience: Audience = Audience.ALL
    model: str | None = None
    usage: _ExportedUsage | None = None
    tools: tuple[ToolUse, ...] = ()
    digest: str | None = None
    digest_through: int | None = None
    language: str | None = None
    version: AnswerVersion | None = None
    write: _ExportedStep | None = None


class _ExportedChange(_In):
    seq: int
    status: Status
    epoch: int
    reason: Reason
    timestamp: datetime


class _ExportedHead(_In):
    session_id: str
    business_id: str
    user_id: str
    opened_at: datetime
    updated_at: datetime
    location_id: str | None = None
    language: str | None = None


class _ExportedConversation(_In):
    conversation: _ExportedHead
    messages: list[dict[str, Any]]


class _Export(_In):
    business_id: str
    user_id: str
    conversations: list[_ExportedConversation]


_decode = msgspec.json.Decoder(_Export).decode


async def exported_turns(
    files: Sequence[Path], business_id: BusinessId, *, since: datetime | None, limit: int
) -> AsyncIterator[RecordedTurn]:
    """Yield the turns of exports, at most of `limit` conversations; one file is held at a time.

    `since`: only of conversations that have an entry since then. Raises: InvalidPayload, naming the
    file, where it is no export, or of another business.
    """
    for file in files:
        for session, log in _conversations(file, business_id):
            if limit == 0:
                return
            if since is None or session.updated_at >= since:
                limit -= 1
                async for turn in recorded_turns(session, _pages(log)):
                    yield turn


async def _pages(log: Sequence[Entry]) -> AsyncIterator[tuple[Entry, ...]]:
    yield tuple(log)


def _conversations(file: Path, business_id: BusinessId) -> list[tuple[Session, list[Entry]]]:
    export = _read(file)
    if export.business_id != business_id:
        raise InvalidPayload(f"{file}: is of the business {export.business_id}, not {business_id}")
    try:
        return [
            (_head(each.conversation, business_id), _log(each.messages))
            for each in export.conversations
            if each.messages
        ]
    except (msgspec.ValidationError, ConversationError) as error:
        raise InvalidPayload(f"{file}: is no export: {error}") from None


def _read(file: Path) -> _Export:
    try:
        with open(file, "rb") as opened:
            document = opened.read(MAX_EXPORT_BYTES + 1)
    except OSError as error:
        raise InvalidPayload(f"{file}: {error.strerror}") from None
    if len(document) > MAX_EXPORT_BYTES:
        raise InvalidPayload(f"{file}: is larger than {MAX_EXPORT_BYTES // 2**20} MiB")
    try:
        return decode_json(_decode, document)
    except msgspec.ValidationError as error:
        raise InvalidPayload(f"{file}: is no export: {error}") from None
    except NOT_JSON:
        raise InvalidPayload(f"{file}: is no JSON") from None


def _head(head: _ExportedHead, business_id: BusinessId) -> Session:
    who = stored_customer(head.business_id, head.user_id)
    if who.business_id != business_id:
        raise InvalidPayload(f"a conversation is of the business {who.business_id}")
    return Session(
        session_id=SessionId(head.session_id),
        customer=who,
        location_id=LocationId(head.location_id) if head.location_id is not None else None,
        opened_at=_aware(head.opened_at),
        updated_at=_aware(head.updated_at),
        language=head.language,
    )


def _log(shown: Sequence[dict[str, Any]]) -> list[Entry]:
    log = list[Entry]()
    asked = dict[str, int]()
    """The seq of each message that may be answered."""
    last = 0
    for each in shown:
        entry = _entry(each, asked)
        if entry is None:
            continue
        if not last < entry.seq < 10**10:
            raise InvalidPayload(f"seq {entry.seq} comes after {last}")
        last = entry.seq
        log.append(entry)
    return log


def _entry(shown: dict[str, Any], asked: dict[str, int]) -> Entry | None:
    """Return an entry; None: it is of a kind that is not known."""
    match shown.get("kind"):
        case "message":
            return _message(msgspec.convert(shown, _ExportedMessage), asked)
        case "status":
            change = msgspec.convert(shown, _ExportedChange)
            return StatusChange(
                seq=change.seq,
                status=change.status,
                epoch=change.epoch,
                reason=change.reason,
                at=_aware(change.timestamp),
            )
    return None


def _message(shown: _ExportedMessage, asked: dict[str, int]) -> Message:
    if shown.author is not Author.AI:
        asked[shown.message_id] = shown.seq
    actions: tuple[Action, ...] = shown.actions
    usage, summary = shown.usage, None
    if shown.digest:
        # Up to where an older export's goes is not known: then nothing is taken to be in it.
        summary = Summary(text=shown.digest, through=shown.digest_through or 0)
    return Message(
        seq=shown.seq,
        message_id=MessageId(shown.message_id),
        author=shown.author,
        text=shown.message,
        at=_aware(shown.timestamp),
        actions=actions,
        in_reply_to=tuple(map(MessageId, shown.in_reply_to)),
        settles_seq=max([asked.get(each, 0) for each in shown.in_reply_to], default=0),
        tools=shown.tools,
        usage=Usage(
            model=shown.model or "",
            input_tokens=usage.input_tokens,
            cached_tokens=usage.cached_tokens,
            output_tokens=usage.output_tokens,
            calls=usage.calls,
        )
        if usage is not None
        else None,
        summary=summary,
        version=shown.version,
        audience=shown.audience,
        language=shown.language,
        write=_step(shown.write) if shown.write is not None else None,
    )


def _step(shown: _ExportedStep) -> WriteStep:
    return WriteStep(
        call_id=shown.call_id,
        state=shown.state,
        tool=shown.tool,
        what=shown.what,
        arguments=json_text(shown.arguments) if shown.arguments is not None else "",
        confirm=shown.confirm,
        expires_at=_aware(shown.expires_at) if shown.expires_at is not None else None,
        terms=shown.terms or "",
        result=shown.result or "",
    )


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise InvalidPayload("a time has no time zone")
    return at
