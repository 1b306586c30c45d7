"""The calls of tools that change something, as the log has them: step by step, each once.

A call is begun by storing that it is, on the condition that the conversation is still the AI's;
only then is the tool called, and what came of it is stored before anybody is told. So a call whose
outcome is missing may have been made, and is never repeated blindly.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from domain.tool import Confirmer

MAX_WHAT = 500
"""Characters of what a call does, in words."""


class WriteState(StrEnum):
    """How far a call has come."""

    PROPOSED = "proposed"
    """Somebody is asked for a yes."""
    APPROVED = "approved"
    """They have said yes; it is to be made."""
    REJECTED = "rejected"
    """They have said no."""
    EXPIRED = "expired"
    """They have said nothing in time."""
    WITHDRAWN = "withdrawn"
    """The question no longer stands: the conversation changed hands, or another took its place."""
    STARTED = "started"
    """It is made now, or was when the process died."""
    DONE = "done"
    FAILED = "failed"
    """It was not made, or the tool has refused: nothing was changed."""
    UNKNOWN = "unknown"
    """It may have been made."""


OUTCOMES = frozenset({WriteState.DONE, WriteState.FAILED, WriteState.UNKNOWN})
_OPEN = frozenset({WriteState.PROPOSED, WriteState.APPROVED, WriteState.STARTED})


class WriteStep(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step of a call, in an entry of the log."""

    call_id: str
    """Unique for ever: the session's id and the seq of the call's first entry. The idempotency key
    that the tool gets, and the id of the question for a yes."""
    state: WriteState
    tool: str
    what: str
    """What it does, in words: 1-500 characters."""
    arguments: str = ""
    """A JSON object, in the first step alone."""
    terms: str = ""
    """In the first step: a digest of the terms on which the tool was allowed."""
    confirm: Confirmer | None = None
    """Whose yes it needs; None: nobody's."""
    expires_at: datetime | None = None
    """The end of the question for a yes."""
    result: str = ""
    """What the tool has answered, or why it was not called."""


class WriteCall(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call that is not settled yet, in the head of its session."""

    call_id: str
    seq: int
    """Of its first entry."""
    state: WriteState
    tool: str
    what: str
    arguments: str
    at: datetime
    """The time of its newest step."""
    terms: str = ""
    """A digest of the terms on which its tool was allowed: on others it is not made."""
    confirm: Confirmer | None = None
    expires_at: datetime | None = None
    question_seq: int = 0
    """The seq of the answer that puts the question."""
    result: str = ""

    @property
    def is_begun(self) -> bool:
        """True if the tool was called, or may have been."""
        return self.state is WriteState.STARTED or self.state in OUTCOMES

    def step(self, state: WriteState, result: str = "") -> WriteStep:
        """Return its next step."""
        return WriteStep(
            call_id=self.call_id,
            state=state,
            tool=self.tool,
            what=self.what,
            confirm=self.confirm,
            result=result,
        )


def call_id_of(session_id: str, seq: int) -> str:
    """Return the id of the call whose first entry has a seq."""
    return f"{session_id}-{seq}"


def calls_after_step(
    calls: tuple[WriteCall, ...], step: WriteStep, seq: int, at: datetime, *, is_told: bool
) -> tuple[WriteCall, ...]:
    """Return the unsettled calls once a step of one is in the log.

    `is_told`: its entry tells the customer of it, so that no answer has to.
    """
    if not any(call.call_id == step.call_id for call in calls):
        if step.state not in _OPEN:
            return calls  # settled before: what came of it was learned late
        call = WriteCall(
            call_id=step.call_id,
            seq=seq,
            state=step.state,
            tool=step.tool,
            what=step.what,
            arguments=step.arguments,
            terms=step.terms,
            at=at,
            confirm=step.confirm,
            expires_at=step.expires_at,
        )
        return (*calls, call)
    moved = [
        replace(call, state=step.state, at=at, result=step.result or call.result)
        if call.call_id == step.call_id
        else call
        for call in calls
    ]
    is_settled = step.state not in (_OPEN if is_told else _OPEN | OUTCOMES)
    return tuple([call for call in moved if not (is_settled and call.call_id == step.call_id)])


def calls_after_answer(calls: tuple[WriteCall, ...], seq: int) -> tuple[WriteCall, ...]:
    """Return the unsettled calls once an answer is stored: it has told of every outcome."""
    left = [call for call in calls if call.state not in OUTCOMES]
    return tuple(
        [
            replace(call, question_seq=seq)
            if call.state is WriteState.PROPOSED and not call.question_seq
            else call
            for call in left
        ]
    )


def calls_after_change(calls: tuple[WriteCall, ...]) -> tuple[WriteCall, ...]:
    """Return the unsettled calls once the conversation has changed hands: none begins any more."""
    return tuple([call for call in calls if call.state is WriteState.STARTED])


def begun_ids(calls: Collection[WriteCall]) -> frozenset[str]:
    """Return the ids of the calls that were begun."""
    return frozenset([call.call_id for call in calls if call.is_begun])


def begun_states(calls: Collection[WriteCall]) -> frozenset[tuple[str, WriteState]]:
    """Return the ids of the calls that were begun, and how far each has come."""
    return frozenset([(call.call_id, call.state) for call in calls if call.is_begun])
