"""The safeguards of the server: each can be removed, from outside, and is then missed.

The first line of each function says what the server does; its body, what is left without it.
"""

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, NamedTuple

from msgspec.structs import replace

import adapters.broker.channels
import application.answer_pending
import application.bridge_inbox
import application.post_message
import application.sweep
import application.write_calls
import domain.decisions
from adapters.broker.channels import ChannelBroker
from adapters.memory.store import MemoryStore
from application.answer_pending import AnswerPending
from application.answer_stream import AnswerFollower, AnswerStream
from application.arrivals import Arrivals
from application.chat_owners import ChatOwners
from application.deliver_outbox import DeliverOutbox
from application.hub import Hub
from application.join import JoinConversation
from application.ports import Grown
from application.session_log import SessionLog
from application.subscription import Subscription
from application.sweep import Sweep
from application.tools import TurnTools
from application.turns import Turns
from application.write_calls import TurnWrites, WriteCalls
from domain.decisions import answer, record_user_message
from domain.errors import BridgeUnavailable, StorageUnavailable
from domain.status import Status
from domain.write_call import begun_ids, begun_states
from domain.write_decisions import answer_in_words, begin_call, record_outcome
from tests.simulation.removal import Remove, name_of, nothing, put, removed


class Removal(NamedTuple):
    """How a safeguard is removed, and where that shows."""

    remove: Remove
    workload: str
    rule: str
    """The rule that it keeps."""
    seed: int
    """The first, from 1 on, whose life breaks the rule without it."""

    @property
    def what(self) -> str:
        """What the server does."""
        return (self.remove.__doc__ or "").partition("\n")[0]


REMOVALS: dict[str, Removal] = {}


def _safeguard(workload: str, rule: str, seed: int) -> Callable[[Remove], Remove]:
    def register(remove: Remove) -> Remove:
        REMOVALS[name_of(remove)] = Removal(remove, workload, rule, seed)
        return remove

    return register


def without_safeguard(name: str | None) -> AbstractContextManager[None]:
    """Remove the safeguard of this name for a while; None: nothing."""
    return removed(REMOVALS[name].remove if name is not None else None)


# The store.


@_safeguard("cuts", "2", 6)
def _fence(stack: ExitStack) -> None:
    """An answer is stored only in the epoch in which its turn began."""

    def anyway(session: Any, turn: Any, context: Any) -> Any:
        if session is None or not session.is_open:
            return None
        # A takeover also settles what is pending: that, too, would refuse the answer.
        whole = replace(
            turn,
            session_id=session.session_id,
            epoch=session.epoch,
            settled_seq=session.settled_seq,
        )
        draft = answer(replace(session, status=Status.AI), whole, context)
        if draft is not None and draft.session.status is Status.AI:
            draft.session = replace(draft.session, status=session.status)
        return draft

    put(stack, application.answer_pending, "answer", anyway)


@_safeguard("nobody-there", "10", 1)
def _message_left(stack: ExitStack) -> None:
    """What a user was asked to leave is kept with the message itself, whoever stores it."""

    def plain(session: Any, *given: Any, **named: Any) -> Any:
        asked = session is not None and session.unmet is not None
        known = replace(session, unmet=None) if asked else session
        return record_user_message(known, *given, **named)

    put(stack, application.post_message, "record_user_message", plain)


@_safeguard("doubt", "7", 2)
def _settled_seq(stack: ExitStack) -> None:
    """An answer is stored only if no other turn has answered meanwhile."""

    def anyway(session: Any, turn: Any, context: Any) -> Any:
        settled = session.settled_seq if session is not None else 0
        return answer(session, replace(turn, settled_seq=settled), context)

    put(stack, application.answer_pending, "answer", anyway)


@_safeguard("calm", "5", 4)
def _claim_of_a_seq(stack: ExitStack) -> None:
    """Of two writers of one seq, one is refused."""
    append = MemoryStore.append

    async def anyway(self: Any, draft: Any, due_at: Any) -> None:
        log = self._logs.get(draft.session.session_id)
        if log is not None:
            log.session = replace(log.session, seq=draft.entries[0].seq - 1)
        await append(self, draft, due_at)

    put(stack, MemoryStore, "append", anyway)


@_safeguard("store", "4", 4)
def _idempotency_key(stack: ExitStack) -> None:
    """A message is stored once under its client's id."""
    put(stack, MemoryStore, "_duplicate", nothing)


@_safeguard("outages", "9", 2)
def _order_of_the_outbox(stack: ExitStack) -> None:
    """Of a session's lane, only the first undelivered notice can be claimed."""
    claim = MemoryStore.claim

    async def any_of_them(self: Any, lane: Any, now: Any, lease_until: Any, limit: int) -> Any:
        queues = self._queues[lane]
        self._queues[lane] = {
            (session_id, notice_id): {notice_id: queued}
            for session_id, queue in queues.items()
            for notice_id, queued in queue.items()
        }
        try:
            return await claim(self, lane, now, lease_until, limit)
        finally:
            self._queues[lane] = queues

    put(stack, MemoryStore, "claim", any_of_them)


# The turns.


@_safeguard("calm", "6", 1)
def _lease(stack: ExitStack) -> None:
    """One process at a time runs a customer's turn, so that none is paid for twice."""
    run = AnswerPending._run

    async def alone(self: Any, *given: Any, **named: Any) -> None:
        object.__setattr__(self, "leases", None)
        await run(self, *given, **named)

    put(stack, AnswerPending, "_run", alone)


@_safeguard("calm", "2", 2)
def _turn_ends_at_takeover(stack: ExitStack) -> None:
    """A takeover ends the running turn, wherever it is stored, and hides the pieces after it."""
    put(stack, application.answer_pending._Turn, "_on_appended", nothing)
    put(stack, Subscription, "_is_current", lambda self, piece: True)
    put(stack, AnswerFollower, "on_entry", nothing)


@_safeguard("nodes", "7", 15)
def _taking_up_lost_turns(stack: ExitStack) -> None:
    """The sweep finds the turns that were lost with their process, as does who joins or listens."""

    async def none(self: Any) -> int:
        return 0

    put(stack, Sweep, "__call__", none)
    put(stack, Turns, "_on_remote_entries", nothing)
    put(stack, Turns, "_try_again", nothing)


# The calls of tools that change something.


@_safeguard("deeds", "14", 4)
def _owner_of_a_call(stack: ExitStack) -> None:
    """A call begins only while the AI has the conversation, in the epoch of its decision."""

    def anyway(session: Any, claim: Any, *given: Any) -> Any:
        if session is None or not session.is_open:
            return None
        if session.epoch != claim.epoch:
            begun = begun_ids(session.writes)
            epoch, settled_seq = session.epoch, session.settled_seq
            claim = claim._replace(epoch=epoch, settled_seq=settled_seq, begun=begun)
        draft = begin_call(replace(session, status=Status.AI), claim, *given)
        if draft is not None:
            draft.session = replace(draft.session, status=session.status)
        return draft

    put(stack, application.write_calls, "begin_call", anyway)


@_safeguard("deeds", "14", 64)
def _fence_of_a_call(stack: ExitStack) -> None:
    """A call begins only if no other run of the turn has begun one that is not known here."""

    def anyway(session: Any, claim: Any, *given: Any) -> Any:
        begun = begun_ids(session.writes) if session is not None else frozenset()
        return begin_call(session, claim._replace(begun=begun), *given)

    put(stack, application.write_calls, "begin_call", anyway)


@_safeguard("deeds", "14", 4)
def _retaken_turn(stack: ExitStack) -> None:
    """What an earlier run of the turn has done is not done again, nor anything in its place."""
    put(stack, TurnWrites, "recorded", nothing)
    put(stack, TurnWrites, "is_retaken", False)


@_safeguard("deeds", "14", 58)
def _sent_at_once(stack: ExitStack) -> None:
    """A call that has begun is sent at once, or never."""
    put(stack, TurnWrites, "_is_late", lambda self, began: False)


@_safeguard("deeds", "14", 1)
def _yes(stack: ExitStack) -> None:
    """A call that needs a yes waits for it."""

    async def anyway(self: Any, tool: Any, arguments: Any) -> Any:
        return await write(self, replace(tool, confirm=None), arguments)

    write = TurnTools._write
    put(stack, TurnTools, "_write", anyway)


@_safeguard("deeds", "14", 25)
def _newest_words(stack: ExitStack) -> None:
    """A yes in words answers a question only where that is what the customer was shown last."""

    def anyway(session: Any, *given: Any) -> Any:
        question = session.question
        if question is not None:
            session = replace(session, hidden_at_end=session.seq - question.question_seq)
        return answer_in_words(session, *given)

    put(stack, domain.decisions, "answer_in_words", anyway)


@_safeguard("deeds", "14", 1)
def _withdrawal(stack: ExitStack) -> None:
    """A question, and a yes that was not acted on yet, end where the conversation changes hands."""
    put(stack, domain.decisions, "withdraw_question", nothing)


@_safeguard("deeds", "14", 1)
def _expiry(stack: ExitStack) -> None:
    """A question without an answer expires."""
    put(stack, domain.decisions, "is_too_late", lambda question, at: False)


@_safeguard("deeds", "14", 23)
def _wait_for_an_outcome(stack: ExitStack) -> None:
    """Who finds a call that another process has begun leaves it the time to store the outcome."""

    async def at_once(self: Any, site: Any, call: Any) -> None:
        await self.store_outcome(site, await self._looked_up(site, call, -1_000.0))

    put(stack, WriteCalls, "settle", at_once)


@_safeguard("deeds", "14", 2)
def _look_up_in_time(stack: ExitStack) -> None:
    """It is looked up whether a call was made only once that cannot happen any more."""
    look_up: Any = WriteCalls._looked_up

    async def at_once(self: Any, *given: Any) -> Any:
        return await look_up(self, *given[:-1], -1_000.0)

    put(stack, WriteCalls, "_looked_up", at_once)


@_safeguard("deeds", "14", 12)
def _outcome_after_a_change_of_owner(stack: ExitStack) -> None:
    """What came of a call is stored, whoever has the conversation by then."""

    def owned(session: Any, *given: Any) -> Any:
        return record_outcome(session, *given) if session.status is Status.AI else None

    put(stack, application.write_calls, "record_outcome", owned)


@_safeguard("deeds", "14", 9)
def _one_outcome(stack: ExitStack) -> None:
    """What came of a call is stored once, also where the first time seemed to fail."""

    def again(*given: Any) -> Any:
        draft = record_outcome(*given)
        if draft is not None:
            draft.key = None
        return draft

    put(stack, application.write_calls, "record_outcome", again)


@_safeguard("deeds", "14", 21)
def _overdue_calls(stack: ExitStack) -> None:
    """A call of which no process is going to store an outcome is unknown in the end."""
    put(stack, application.sweep, "overdue_calls", nothing)


@_safeguard("deeds", "14", 4)
def _answer_knows_the_calls(stack: ExitStack) -> None:
    """An answer is stored only if it knows what has become of each call."""

    def anyway(session: Any, turn: Any, context: Any) -> Any:
        begun = begun_states(session.writes) if session is not None else turn.begun
        return answer(session, replace(turn, begun=begun), context)

    put(stack, application.answer_pending, "answer", anyway)


# The hints.


@_safeguard("network", "5", 63)
def _missed(stack: ExitStack) -> None:
    """Who may have missed hints looks at the store, and once a second while none arrive."""
    put(stack, Hub, "on_missed", nothing)
    _ignore_outages(stack)


@_safeguard("losses", "5", 1)
def _holes_in_the_numbers(stack: ExitStack) -> None:
    """A hint that was lost in silence shows in the number of the next one."""
    hole = adapters.broker.channels._Subscription
    put(stack, hole, "is_hole", lambda self, publisher, number: False)


@_safeguard("half-open", "5", 86)
def _repetition_of_lost_hints(stack: ExitStack) -> None:
    """What was published as the connection was lost is published again."""
    put(stack, ChannelBroker, "_publish_again", nothing)


@_safeguard("takeovers", "2", 19)
def _repeated_change_of_owner(stack: ExitStack) -> None:
    """A change of owner is published again, in case that its hint is lost in silence."""
    put(stack, adapters.broker.channels, "REPEAT_AFTER_S", 1_000.0)


@_safeguard("half-open", "5", 2)
def _beat(stack: ExitStack) -> None:
    """A node that does not receive its own beat knows that it is cut off."""
    put(stack, adapters.broker.channels, "AWAY_AFTER_S", 1_000.0)


@_safeguard("cuts", "2", 1)
def _silent_nodes(stack: ExitStack) -> None:
    """While a node is silent that may store a takeover, turns look at the store once a second."""
    put(stack, ChannelBroker, "has_silent_node", False)


def _ignore_outages(stack: ExitStack) -> None:
    async def later(self: Any, clock: Any) -> float:
        return 1.0

    put(stack, Hub, "report_away", later)


@_safeguard("cuts", "2", 1)
def _pieces_held_back(stack: ExitStack) -> None:
    """Once hints may be lost, a turn publishes nothing until it has read the store."""

    put(stack, AnswerStream, "_may_publish", lambda self: True)
    put(stack, AnswerStream, "look", nothing)


@_safeguard("joins", "5", 3)
def _subscribe_before_read(stack: ExitStack) -> None:
    """A join subscribes before it reads: what is stored in between comes, too."""
    subscribe, start = Subscription.subscribe, Subscription.start

    def late(self: Subscription, *given: Any, **named: Any) -> None:
        subscribe(self)
        start(self, *given, **named)

    put(stack, Subscription, "subscribe", nothing)
    put(stack, Subscription, "start", late)


@_safeguard("network", "5", 1)
def _freshness(stack: ExitStack) -> None:
    """A cached session counts only while the hints of its customer arrive."""
    put(stack, SessionLog, "_cached", lambda self, customer: self._cache.get(customer))
    put(stack, SessionLog, "_on_remote_event", nothing)
    join = JoinConversation.__call__

    async def from_cache(self: Any, *given: Any) -> Any:
        return await join(dataclasses.replace(self, session_log=_OldCopies(self)), *given)

    put(stack, JoinConversation, "__call__", from_cache)


class _OldCopies:
    """A session log that reads nothing again."""

    def __init__(self, join: JoinConversation) -> None:
        self._log = join.session_log

    async def reload(self, customer: Any) -> Any:
        return self._log._cache.get(customer) or await self._log.reload(customer)


@_safeguard("reads", "5", 9)
def _notification_of_what_a_reload_finds(stack: ExitStack) -> None:
    """What a process finds in the store and did not know, its listeners learn."""
    put(stack, SessionLog, "_notify", nothing)


@_safeguard("doubt", "5", 3)
def _notification_of_doubtful_writes(stack: ExitStack) -> None:
    """What may be stored although the store did not say so makes listeners look."""
    publish = Hub.publish

    def known(self: Hub, customer: Any, event: Any) -> None:
        if not isinstance(event, Grown):
            publish(self, customer, event)

    put(stack, Hub, "publish", known)


@_safeguard("network", "5", 3)
def _gaps(stack: ExitStack) -> None:
    """A follower reads what is missing before the entry of a hint."""

    def anyway(self: Any, event: Any, *, is_read: bool = False) -> None:
        if event.session_id not in self._ended_sessions:
            self._deliver(event)

    put(stack, Subscription, "_on_appended", anyway)
    put(stack, Subscription, "_on_missed", lambda self, event: self._on_other(event))


# The stream.


@_safeguard("calm", "5", 1)
def _text_so_far(stack: ExitStack) -> None:
    """Who joins in the middle of an answer gets the text so far."""
    put(stack, AnswerFollower, "_ask", nothing)


@_safeguard("takeovers", "2", 63)
def _epoch_of_pieces(stack: ExitStack) -> None:
    """No piece of an answer is shown that was written before the last known takeover."""
    put(stack, Subscription, "_is_current", lambda self, piece: True)
    put(stack, AnswerFollower, "on_entry", nothing)


@_safeguard("half-open", "5", 44)
def _late_pieces(stack: ExitStack) -> None:
    """No piece of an answer is shown after the answer."""
    put(stack, AnswerFollower, "on_entry", nothing)


# The bridge.


@_safeguard("bridge", "9", 1)
def _owner_of_a_topic(stack: ExitStack) -> None:
    """One node listens to each chat at the bridge."""
    put(stack, ChatOwners, "is_mine", lambda self, customer: True)


@_safeguard("bridge", "4", 2)
def _counting_of_arrivals(stack: ExitStack) -> None:
    """What an application passes on without an id is compared with the log."""
    put(stack, Arrivals, "take", lambda *_: False)


@_safeguard("outages", "9", 1)
def _delivery_again(stack: ExitStack) -> None:
    """What could not be delivered to the bridge is tried again."""
    attempt = DeliverOutbox._send

    async def once(self: Any, notice: Any) -> None:
        try:
            await attempt(self, notice)
        except BridgeUnavailable:
            return

    put(stack, DeliverOutbox, "_send", once)


@_safeguard("bridge-and-store", "9", 1)
def _storing_at_last(stack: ExitStack) -> None:
    """What came from the bridge is stored, however often that has to be tried."""

    async def once(self: Any, store: Any) -> Any:
        try:
            return await store()
        except StorageUnavailable:
            return "unknown"

    put(stack, application.bridge_inbox.BridgeInbox, "_store_at_last", once)
