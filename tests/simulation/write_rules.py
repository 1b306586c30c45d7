"""Rule 14 as invariants: what changes something is done once, with its yes, and told as it is.

Each call of a tool is followed from step to step of the log, at the server of tools, and in what
the customer is told of it.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from application.ports import ToolRequest
from domain.identity import SessionId
from domain.message import Author, Entry, Message
from domain.status import Status
from domain.texts import NO_WORDS
from domain.tool import Confirmer
from domain.write_call import OUTCOMES, WriteState, WriteStep
from domain.write_decisions import outcome_text
from tests.simulation.tools import TOOLS

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.rules import StoredSession
    from tests.simulation.world import World

YES, NO = "Da.", "Nu."
"""A customer's answers to a question, in words."""
SENT_S = 2.2
"""The time in which a call that was begun reaches its tool, or never."""
_NEXT = {
    None: {WriteState.PROPOSED, WriteState.STARTED},
    WriteState.PROPOSED: {
        WriteState.APPROVED,
        WriteState.REJECTED,
        WriteState.EXPIRED,
        WriteState.WITHDRAWN,
    },
    WriteState.APPROVED: {WriteState.STARTED, WriteState.WITHDRAWN},
    WriteState.STARTED: set(OUTCOMES),
    WriteState.UNKNOWN: {WriteState.DONE, WriteState.FAILED},
}
_OPEN = (WriteState.PROPOSED, WriteState.APPROVED, WriteState.STARTED)


def _asks(entries: Sequence[Entry], call_id: str) -> bool:
    """Return True if the newest entry that the customer may see puts a question."""
    shown = [entry for entry in entries if entry.is_for_customer]
    newest = shown[-1] if shown else None
    return isinstance(newest, Message) and any(
        action["type"] == "confirm" and action["confirmId"] == call_id for action in newest.actions
    )


class Decision(NamedTuple):
    """A call that the model has decided to make, in one run of a turn."""

    run: int
    number: int
    session_id: SessionId
    epoch: int
    settled_seq: int
    """As the run has read them."""


decision: ContextVar[Decision | None] = ContextVar("decision", default=None)
"""The one that is carried out; None: what a person has approved."""


class FollowedCall:
    """A call of a tool, as the log has it."""

    def __init__(self, step: WriteStep, known: "StoredSession") -> None:
        self.call_id = step.call_id
        self.what = step.what
        self.confirm = step.confirm
        self.known = known
        self.state: WriteState | None = None
        self.approved_in: int | None = None
        """The epoch of the yes."""
        self.started_at = 0.0
        self.decision: Decision | None = None
        self.is_told = True
        """The customer knows what has become of it, or a human has the conversation."""


class WriteRules:
    """All calls of a life, and the rules for them."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._loop = asyncio.get_running_loop()
        self.calls: dict[str, FollowedCall] = {}
        self._received: Counter[str] = Counter()
        self._yeses: list[tuple[str, bool]] = []
        """The answers that were acknowledged."""

    def _broken(self, what: str) -> None:
        self._world.rules.broken("14", what)

    def question(self, who: object, by: Confirmer) -> FollowedCall | None:
        """Return the newest question for somebody's yes in a customer's session, if any."""
        asked = [
            call
            for call in self.calls.values()
            if call.known.customer == who and call.confirm is by and not call.known.is_erased
        ]
        return asked[-1] if asked else None

    def unsettled(self) -> list[FollowedCall]:
        """Return the calls that were begun and have no outcome."""
        return [call for call in self.calls.values() if call.state is WriteState.STARTED]

    # What is stored.

    def stored(self, known: "StoredSession", entry: Message, status: Status, epoch: int) -> None:
        """Compare a step, or an answer, with what came before it."""
        if (step := entry.write) is not None:
            self._step(known, entry, step, status, epoch)
        if entry.settles_seq:
            self._answer(known, entry)

    def _step(
        self, known: "StoredSession", entry: Message, step: WriteStep, status: Status, epoch: int
    ) -> None:
        call = self.calls.get(step.call_id)
        if call is None:
            call = self.calls[step.call_id] = FollowedCall(step, known)
        if step.state not in _NEXT.get(call.state, ()):
            self._broken(f"{step.call_id} went from {call.state} to {step.state}")
        call.state = step.state
        if step.state is WriteState.APPROVED:
            call.approved_in = epoch
            by = Author.USER if call.confirm is Confirmer.CUSTOMER else Author.COORDINATOR
            if entry.author is not by:
                self._broken(f"{step.call_id} was approved by {entry.author}")
            if entry.text == YES and not _asks(known.entries, step.call_id):
                self._broken(f"{entry.text!r} answered {step.call_id}, which was not asked last")
        elif step.state is WriteState.STARTED:
            self._begun(call, status, epoch)
        elif step.state in OUTCOMES:
            self._ended(call, step)
        is_open = step.state in (*_OPEN, WriteState.REJECTED)
        call.is_told = entry.is_said or is_open or status is not Status.AI

    def _begun(self, call: FollowedCall, status: Status, epoch: int) -> None:
        call.started_at = self._loop.time()
        made = call.decision = decision.get() if call.confirm is None else None
        if status is not Status.AI:
            self._broken(f"{call.call_id} began while the conversation was {status}")
        if call.confirm is not None:
            if call.approved_in != epoch:
                self._broken(f"{call.call_id} began in epoch {epoch}, not {call.approved_in}")
        elif made is None or made.epoch != epoch:
            self._broken(f"{call.call_id} began in epoch {epoch}, decided as {made}")
        if made is not None:
            same = [each for each in self.calls.values() if each.decision == made]
            if len(same) > 1:
                self._broken(f"one decision began {[each.call_id for each in same]}")

    def _ended(self, call: FollowedCall, step: WriteStep) -> None:
        is_done = call.call_id in self._world.tools.done
        if step.state is WriteState.DONE and not is_done:
            self._broken(f"{call.call_id} is done in the log, and was not")
        if step.state is WriteState.FAILED and is_done:
            self._broken(f"{call.call_id} has failed in the log, and was done")

    def _answer(self, known: "StoredSession", entry: Message) -> None:
        """An answer tells what has become of each call, as the log has it."""
        for call in self._calls_of(known):
            if call.state is WriteState.STARTED:
                self._broken(f"an answer came before the outcome of {call.call_id}")
            if call.state not in OUTCOMES or call.is_told:
                continue
            call.is_told = True
            must = call.state is WriteState.UNKNOWN or entry.author is Author.SYSTEM
            if must and not self._tells(entry, call, call.state):
                self._broken(f"{call.call_id} is {call.state}, and the customer is not told")
            for state in OUTCOMES - {call.state}:
                if self._tells(entry, call, state):
                    self._broken(f"{call.call_id} is {call.state}, and {state} is told")
        for call in self._calls_of(known):
            replaced = call.state is WriteState.WITHDRAWN and not call.is_told
            if replaced and any(each.get("confirmId") == call.call_id for each in entry.actions):
                call.is_told = True

    def _tells(self, entry: Message, call: FollowedCall, state: WriteState) -> bool:
        """Return True if the server's words for a state are in an answer, in whatever language."""
        step = WriteStep(call_id=call.call_id, state=state, tool="", what=call.what)
        return any(outcome_text(step, each, NO_WORDS) in entry.text for each in ("ro", "en"))

    def _calls_of(self, known: "StoredSession") -> list[FollowedCall]:
        return [call for call in self.calls.values() if call.known is known]

    def changed_hands(self, known: "StoredSession") -> None:
        """No question outlives a change of owner; a human sees what has become of calls."""
        for call in self._calls_of(known):
            if call.state in (WriteState.PROPOSED, WriteState.APPROVED):
                self._broken(f"{call.call_id} is {call.state} after a change of owner")
            if call.state in OUTCOMES:
                call.is_told = True

    # What reaches the tool, the model and the customer.

    def called(self, node: "Node", request: ToolRequest) -> None:
        """Note that a call has reached its tool."""
        key = request.key or ""
        self._received[key] += 1
        self._world.trace(f"{node} calls {request.tool} for {key}")
        call = self.calls.get(key)
        if call is None:
            self._broken(f"{key!r} was called, and nothing in the log says so")
            return
        if self._received[key] > 1:
            self._broken(f"{key} was called {self._received[key]} times")
        if next(tool for tool in TOOLS if tool.name == request.tool).confirm is not call.confirm:
            self._broken(f"{key} was called without the yes that it needs")
        late_s = self._loop.time() - call.started_at
        if late_s > SENT_S + 2 * self._world.store_s:
            self._broken(f"{key} was called {late_s:.1f} s after it began")

    def told_model(self, step: WriteStep) -> None:
        """Note what the model was told of a call."""
        call = self.calls.get(step.call_id)
        if call is None or call.known.is_erased:
            return
        if call.state is not step.state and call.state in (None, *_OPEN):
            self._broken(f"the model was told that {step.call_id} is {step.state}")

    def acknowledged(self, call_id: str, answer: bool) -> None:
        """Note that an answer to a question was acknowledged."""
        self._yeses.append((call_id, answer))

    # The end.

    def unfinished(self) -> str | None:
        """Return what must still happen before a life ends; None: all is done."""
        for call in self.calls.values():
            if not call.known.is_erased:
                if call.state in _OPEN:
                    return f"rule 14: {call.call_id} is still {call.state}"
                if not call.is_told:
                    return f"rule 14: nobody is told that {call.call_id} is {call.state}"
        return None

    def check(self) -> None:
        """Compare the whole life with the rules."""
        done = self._world.tools.done
        runs: dict[tuple[SessionId, int, int], set[int]] = {}
        for call in self.calls.values():
            if call.known.is_erased:
                continue
            if call.state is WriteState.FAILED and call.call_id in done:
                self._broken(f"{call.call_id} has failed in the log, and was done")
            if (made := call.decision) is not None and call.call_id in done:
                turn = (made.session_id, made.epoch, made.settled_seq)
                runs.setdefault(turn, set()).add(made.run)
        for turn, numbers in runs.items():
            if len(numbers) > 1:
                self._broken(f"two runs of the turn {turn} have each done something")
        for call_id, answer in self._yeses:
            found = self.calls.get(call_id)
            if found is not None and answer != (found.approved_in is not None):
                given = "yes" if answer else "no"
                self._broken(f"a {given} to {call_id} was acknowledged, and is not stored")
