"""Stored values as plain JSON, under the keys of the expected files in `tests/data`.

The keys stay when an attribute is renamed.
"""

from datetime import datetime
from typing import Any

from msgspec.structs import asdict

from domain.bridge.live_chat import ChatMessage, LiveChat, PendingCommand
from domain.message import AnswerVersion, Entry, Message, Summary, ToolUse
from domain.notice import DeadLetter
from domain.rating import Rating
from domain.session import Session
from domain.transfer import Transfer
from domain.usage import Usage
from domain.write_call import WriteCall, WriteStep

Json = dict[str, Any]


def time_json(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def usage_json(usage: Usage | None) -> Json | None:
    return None if usage is None else {"model": usage.model, **counts_json(usage)}


def counts_json(usage: Usage) -> Json:
    return {
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "calls": usage.calls,
    }


def summary_json(summary: Summary | None) -> Json | None:
    if summary is None:
        return None
    return {
        "text": summary.text,
        "through": summary.through,
        "tokens": summary.tokens,
        "usage": usage_json(summary.usage),
    }


def version_json(version: AnswerVersion | None) -> Json | None:
    return None if version is None else asdict(version)


def transfer_json(transfer: Transfer | None) -> Json | None:
    if transfer is None:
        return None
    return {
        "transfer_id": transfer.transfer_id,
        "reason": transfer.reason,
        "state": transfer.state,
        "requested_at": time_json(transfer.requested_at),
        "expires_at": time_json(transfer.expires_at),
        "coordinator_id": transfer.coordinator_id,
        "ended": transfer.ended,
    }


def entry_json(entry: Entry) -> Json:
    if isinstance(entry, Message):
        return {
            "seq": entry.seq,
            "message_id": entry.message_id,
            "author": entry.author,
            "text": entry.text,
            "at": time_json(entry.at),
            "actions": list(entry.actions),
            "in_reply_to": list(entry.in_reply_to),
            "answers": entry.settles_seq,
            "failed": entry.failed,
            "coordinator_id": entry.coordinator_id,
            "tools": [tool_json(tool) for tool in entry.tools],
            "usage": usage_json(entry.usage),
            "digest": summary_json(entry.summary),
            **_known(
                verdict=entry.verdict,
                language=entry.language,
                unmet=entry.unmet,
                version=version_json(entry.version),
                write=_step_json(entry.write),
            ),
        }
    return {
        "seq": entry.seq,
        "status": entry.status,
        "epoch": entry.epoch,
        "reason": entry.reason,
        "at": time_json(entry.at),
        "transfer": transfer_json(entry.transfer),
        "summary": entry.handover_note,
    }


def tool_json(use: ToolUse) -> Json:
    asked = _known(query=use.query, arguments=use.arguments, result=use.result)
    return {"name": use.name, "outcome": use.outcome, **asked}


def _step_json(step: WriteStep | None) -> Json | None:
    if step is None:
        return None
    return asdict(step) | {"expires_at": time_json(step.expires_at)}


def _call_json(call: WriteCall) -> Json:
    return asdict(call) | {"at": time_json(call.at), "expires_at": time_json(call.expires_at)}


def _rating_json(rating: Rating | None) -> Json | None:
    if rating is None:
        return None
    given = {"rating": rating.stars.rating, "comment": rating.stars.comment}
    return asdict(rating) | {"at": time_json(rating.at), "stars": given}


def head_json(session: Session) -> Json:
    return {
        "session_id": session.session_id,
        "customer": list(session.customer),
        "location_id": session.location_id,
        "opened_at": time_json(session.opened_at),
        "updated_at": time_json(session.updated_at),
        "status": session.status,
        "reason": session.reason,
        "epoch": session.epoch,
        "seq": session.seq,
        "asked": session.last_user_seq,
        "answered": session.settled_seq,
        "failures": session.failures,
        "transfer": transfer_json(session.transfer),
        "summary": session.handover_note,
        "tokens": session.tokens,
        "digest": summary_json(session.summary),
        "usage": usage_json(session.usage),
        **_known(
            language=session.language,
            rating=_rating_json(session.rating),
            unmet=session.unmet,
            missed=_missed_json(session),
            writes=list(map(_call_json, session.writes)) or None,
        ),
    }


def _missed_json(session: Session) -> Json | None:
    if (missed := session.missed) is None:
        return None
    return {
        "seq": missed.seq,
        "at": time_json(missed.at),
        "text": missed.text,
        "reason": missed.reason,
    }


def _known(**fields: Any) -> Json:
    """Return the fields that have a value: the earlier generations had none of them."""
    return {name: value for name, value in fields.items() if value is not None}


def dead_letter_json(letter: DeadLetter) -> Json:
    notice = letter.notice
    return {
        "notice_id": notice.notice_id,
        "session_id": notice.session_id,
        "customer": list(notice.customer),
        "position": notice.position,
        "kind": notice.kind,
        "due_at": time_json(notice.due_at),
        "attempts": notice.attempts,
        "reason": letter.reason,
    }


def command_json(command: PendingCommand) -> Json:
    kept = {}
    if command.answer is not None:
        kept["answer"] = message_json(command.answer)
    return {
        **kept,
        "wish_id": command.command_id,
        "status": command.status,
        "at": time_json(command.at),
        "coordinator_id": command.coordinator_id,
        "summary": command.handover_note,
    }


def chat_json(chat: LiveChat | None) -> Json | None:
    if chat is None:
        return None
    kept: Json = {}  # what the first generation had not
    if (missed := chat.missed) is not None:
        kept["missed"] = {
            "text": missed.text,
            "reason": missed.reason,
            "context": missed.context,
            "at": time_json(missed.at),
        }
    if chat.attended_until is not None:
        kept["attended_until"] = time_json(chat.attended_until)
    return {
        **kept,
        "session_id": chat.session_id,
        "customer": list(chat.customer),
        "since": time_json(chat.since),
        "location_id": chat.location_id,
        "status": chat.status,
        "coordinator_id": chat.coordinator_id,
        "waiting_since": time_json(chat.waiting_since),
        "transfer_id": chat.transfer_id,
        "reason": chat.reason,
        "context": chat.context,
        "summary": chat.handover_note,
        "told_at": time_json(chat.server_state_at),
        "wishes": [command_json(each) for each in chat.pending_commands],
    }


def message_json(message: ChatMessage) -> Json:
    return {
        "message_id": message.message_id,
        "author": message.author,
        "text": message.text,
        "at": time_json(message.at),
        "session_id": message.session_id,
        "coordinator_id": message.coordinator_id,
        "origin": message.origin,
    }
