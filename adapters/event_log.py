"""The log lines of what happens in conversations: one per turn, transfer, delivery and refusal.

Ids, times and tokens are in them, and nothing that anybody has said. At level debug there is one
for each stored message, too.
"""

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from zlib import crc32

from application.ports import EndedTurn
from domain.errors import BridgeUnavailable, Failure
from domain.identity import BusinessId, SessionId
from domain.message import Entry, StatusChange
from domain.notice import Notice
from domain.session import Session
from domain.usage import Usage
from domain.write_call import WriteState

logger = logging.getLogger(__name__)

_DELIVERIES = {
    "delivered": "A notice was delivered to the bridge",
    "deferred": "A notice waits for another attempt",
    "superseded": "A notice was not needed any more",
}
REFUSALS_LOGGED = 10
"""The lines that one reason of refusals has in a period; what is more is counted in the next."""
REFUSAL_PERIOD_S = 60.0


class EventLog:
    """Logs what happens.

    Of a sampled part of the conversations, all turns, transfers and deliveries that went well; of
    all conversations, whatever failed.
    """

    def __init__(self, sample: float = 1.0) -> None:
        """`sample`: the part of the conversations, 0–1. Every process logs the same ones."""
        self._below = round(sample * 2**32)
        self._refusals = _RefusalBudget()

    def _is_sampled(self, session_id: SessionId | None) -> bool:
        return session_id is None or crc32(session_id.encode()) < self._below

    def turn_ended(self, turn: EndedTurn) -> None:
        """Log a turn of the AI."""
        is_bad = turn.error is not None or turn.outcome == "timeout"
        level = logging.WARNING if is_bad else logging.INFO
        if not logger.isEnabledFor(level) or not (is_bad or self._is_sampled(turn.session_id)):
            return
        extra = {
            "action": "turn_ended",
            "outcome": turn.outcome,
            "business_id": turn.customer.business_id,
            "session_id": turn.session_id,
            "response_id": turn.response_id,
            "seconds": round(turn.seconds, 3),
            "first_token_s": _rounded(turn.first_token_s),
            "tools": ",".join(turn.tools) or None,
            **_tokens(turn.usage),
        }
        sentence = "A turn has failed" if is_bad else "A turn has ended"
        logger.log(level, sentence, extra=_known(extra), exc_info=turn.error)

    def stored(self, session: Session, entries: Sequence[Entry]) -> None:
        """Log a change of owner, or of a transfer; at level debug, each message as well."""
        if not logger.isEnabledFor(logging.INFO) or not self._is_sampled(session.session_id):
            return
        ids = {"business_id": session.customer.business_id, "session_id": session.session_id}
        for entry in entries:
            if isinstance(entry, StatusChange):
                transfer = entry.transfer
                extra = {
                    "action": "status_changed",
                    "status": entry.status,
                    "reason": entry.reason,
                    **ids,
                    "seq": entry.seq,
                    "transfer_id": transfer.transfer_id if transfer is not None else None,
                    "coordinator_id": transfer.coordinator_id if transfer is not None else None,
                }
                logger.info("The status of a conversation has changed", extra=_known(extra))
            elif logger.isEnabledFor(logging.DEBUG):
                extra = {"action": "message_stored", "author": entry.author, **ids}
                logger.debug("A message is stored", extra={**extra, "seq": entry.seq})

    def notice_settled(self, notice: Notice, outcome: str, error: BaseException | None) -> None:
        """Log an attempt to deliver a notice to the bridge."""
        extra = {
            "action": "notice_settled",
            "kind": notice.kind,
            "outcome": outcome,
            "business_id": notice.customer.business_id,
            "session_id": notice.session_id,
            "notice_id": notice.notice_id,
            "attempt": notice.attempts + 1,
        }
        if outcome == "dead":
            # Without the reason: it is text by the bridge, which may quote the user.
            extra["action"] = "notice_dead"
            logger.error("A notice is a dead letter: see `outbox list`", extra=extra)
        elif error is not None and not isinstance(error, BridgeUnavailable):
            extra["action"] = "notice_failed"
            logger.error("A notice could not be delivered", extra=extra, exc_info=error)
        elif logger.isEnabledFor(logging.INFO) and self._is_sampled(notice.session_id):
            logger.info(_DELIVERIES[outcome], extra=extra)

    def refused(self, reason: str, event: str, business_id: BusinessId | None) -> None:
        """Log a refused request: REFUSALS_LOGGED at most in a period for each reason.

        `event`: of the socket, or the operation of the HTTP API. `business_id`: where it is known.
        """
        if not logger.isEnabledFor(logging.INFO) or not self._refusals.take(reason):
            return
        extra = {
            "action": "refused",
            "reason": reason,
            "event": event,
            "business_id": business_id,
            "more": self._refusals.unlogged.pop(reason, None),
        }
        logger.info("A request was refused", extra=_known(extra))

    def search_failed(self, error: BaseException) -> None:
        """Log that the documents could not be searched for a turn."""
        extra = {"action": "search_failed"}
        logger.warning("The documents could not be searched", extra=extra, exc_info=error)

    def tool_failed(self, tool: str, error: BaseException) -> None:
        """Log that a tool has failed for a turn."""
        level = logging.INFO if isinstance(error, Failure) else logging.ERROR
        extra = {"action": "tool_failed", "tool": tool}
        logger.log(level, "A tool has failed", extra=extra, exc_info=error)

    def tool_crashed(self, tool: str, error: BaseException) -> None:
        """Log that the adapter of a tool has raised what it should not."""
        extra = {"action": "tool_crashed", "tool": tool}
        logger.error("A tool has failed unexpectedly", extra=extra, exc_info=error)

    def write_settled(self, tool: str, call_id: str, state: WriteState) -> None:
        """Log a call of a tool that changes something."""
        extra = {"action": "write_settled", "tool": tool, "call_id": call_id, "outcome": state}
        logger.info("A call that changes something has ended", extra=extra)

    def summary_failed(self, error: BaseException) -> None:
        """Log that a rolling summary could not be made."""
        extra = {"action": "summary_failed"}
        logger.warning("A rolling summary failed", extra=extra, exc_info=error)

    def suggestion_failed(self, error: BaseException) -> None:
        """Log that no reply could be suggested to a coordinator."""
        extra = {"action": "suggestion_failed"}
        logger.warning("A suggestion failed", extra=extra, exc_info=error)


class _RefusalBudget:
    """The lines that each reason of refusals still has in this period."""

    def __init__(self) -> None:
        self.unlogged: Counter[str] = Counter()
        """The refusals without a line, by reason."""
        self._taken: Counter[str] = Counter()
        self._ends_at = 0.0

    def take(self, reason: str) -> bool:
        """Return whether a refusal may have a line; one that has none is counted."""
        now = time.monotonic()
        if now >= self._ends_at:
            self._taken.clear()
            self._ends_at = now + REFUSAL_PERIOD_S
        self._taken[reason] += 1
        if self._taken[reason] <= REFUSALS_LOGGED:
            return True
        self.unlogged[reason] += 1
        return False


def _tokens(usage: Usage | None) -> Mapping[str, object]:
    if usage is None:
        return {}
    return {
        "model": usage.model or None,
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens or None,
        "output_tokens": usage.output_tokens,
        "model_calls": usage.calls,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _known(extra: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in extra.items() if value is not None}
