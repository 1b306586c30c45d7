"""The rules that all JSON of this program follows, and the shape that several adapters share.

Keys are in camelCase, timestamps in UTC with milliseconds.
"""

from datetime import UTC, datetime

import msgspec

from domain.message import Author
from domain.notice import HandoverContext
from domain.status import Reason, Status

NO_SUMMARY = "-"
"""The `summary` of a status without one: an Ecto changeset that requires it refuses a blank one."""


class CamelStruct(msgspec.Struct, rename="camel", gc=False):
    """A JSON object with camelCase keys."""


class CamelStructOmitDefaults(CamelStruct, omit_defaults=True):
    """A JSON object whose absent values are left out."""


def timestamp(at: datetime) -> str:
    """`2026-01-31T12:00:00.000Z`; a time beyond what can be converted keeps its local digits."""
    try:
        converted = at.astimezone(UTC)
    except OverflowError:  # in the first or the last hours of the calendar
        converted = at.replace(tzinfo=UTC)
    return converted.isoformat(timespec="milliseconds")[:-6] + "Z"


class ContextLine(CamelStruct):
    """One of the last messages."""

    seq: int
    author: Author
    message: str
    timestamp: str


class ContextJson(CamelStruct):
    """The handover context: what a coordinator needs to know before the first word."""

    session_id: str
    business_id: str
    user_id: str
    location_id: str | None
    status: Status
    reason: Reason | None
    summary: str | None
    language: str
    open_question: str | None
    tools_used: list[str]
    last_messages: list[ContextLine]
    history: str


def context_json(context: HandoverContext) -> ContextJson:
    """Convert a handover context, as both the HTTP API and the bridge's notification show it."""
    return ContextJson(
        session_id=context.session_id,
        business_id=context.customer.business_id,
        user_id=context.customer.user_id,
        location_id=context.location_id,
        status=context.status,
        reason=context.reason,
        summary=context.summary,
        language=context.language,
        open_question=context.open_question,
        tools_used=[f"{use.name}: {use.outcome}" for use in context.tools_used],
        last_messages=[
            ContextLine(line.seq, line.author, line.text, timestamp(line.at))
            for line in context.last_messages
        ],
        history=f"/api/conversations/{context.session_id}/messages",
    )
