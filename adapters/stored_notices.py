"""Notices as the stores keep them, and as the former version did: with the bridge's JSON body."""

from collections.abc import Mapping
from typing import Any

import msgspec

from domain.notice import Notice, NoticeKind

_FIELDS: dict[str, dict[str, str]] = {
    NoticeKind.CONVERSATION: {"message": "text", "timestamp": "at", "locationId": "location_id"},
    NoticeKind.CONTEXT: {"aiResponse": "text", "timestamp": "at", "lastMessage": "question"},
    NoticeKind.STATUS: {"status": "status", "updatedAt": "at", "summary": "handover_note"},
    NoticeKind.TRANSFER: {"transferId": "transfer_id", "reason": "reason", "timestamp": "at"},
    NoticeKind.RELAY: {"message": "text", "timestamp": "at", "messageId": "message_id"},
}
"""The keys of each kind's body, and the fields of its content."""
_CONTEXT_FIELDS = {
    "sessionId": "session_id",
    "locationId": "location_id",
    "status": "status",
    "reason": "reason",
    "summary": "summary",
    "language": "language",
    "openQuestion": "open_question",
}
_LINE_FIELDS = {"seq": "seq", "author": "author", "message": "text", "timestamp": "at"}


def notice_from(stored: Mapping[str, Any]) -> Notice:
    """Build a notice from its decoded fields. Raises: msgspec.ValidationError."""
    if "body" in stored:
        try:
            stored = {**stored, "content": _content(stored["kind"], stored["body"])}
        except (LookupError, TypeError, ValueError) as error:
            raise msgspec.ValidationError(f"not a body of the former version: {error}") from error
    return msgspec.convert(stored, Notice)


def _content(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    if kind == NoticeKind.CONTEXT:
        body = body["context"]
    content = {"kind": kind, **_renamed(body, _FIELDS[kind])}
    if kind == NoticeKind.TRANSFER:
        content["context"] = _context(body["context"])
    return content


def _context(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_renamed(body, _CONTEXT_FIELDS),
        "customer": (body["businessId"], body["userId"]),
        "tools_used": [_tool(use) for use in body["toolsUsed"]],
        "last_messages": [_renamed(line, _LINE_FIELDS) for line in body["lastMessages"]],
    }


def _tool(use: str) -> dict[str, str]:
    name, _, outcome = use.rpartition(": ")
    return {"name": name, "outcome": outcome}


def _renamed(body: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    return {field: body[name] for name, field in fields.items()}
