"""The safeguards of the product that show in lives: each can be removed, and is then missed.

The first line of each function says what the product does; what is left without it, its body.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, NamedTuple

from msgspec.structs import replace

import adapters.phoenix.endpoint
import adapters.sqlite.store
import application.answer_pending
from adapters.broker.channels import ChannelBroker
from application.answer_pending import AnswerPending, _Turn
from application.answer_stream import AnswerFollower
from application.arrivals import Arrivals
from application.deliver_outbox import DeliverOutbox
from application.hub import Hub
from application.subscription import Subscription
from application.sweep import Sweep
from domain.decisions import answer
from domain.errors import BridgeUnavailable
from domain.status import Status
from tests.simulation.removal import Remove, name_of, nothing, put, removed


class Safeguard(NamedTuple):
    """One that can be removed."""

    remove: Remove
    workload: str
    seed: int
    """Of a life that showed that it was gone, when it was last looked for."""

    @property
    def what(self) -> str:
        """What it does."""
        return (self.remove.__doc__ or "").partition("\n")[0]


SAFEGUARDS: dict[str, Safeguard] = {}


def _safeguard(seed: int, workload: str = "all") -> Callable[[Remove], Remove]:
    def add(remove: Remove) -> Remove:
        SAFEGUARDS[name_of(remove)] = Safeguard(remove, workload, seed)
        return remove

    return add


def without_safeguard(name: str | None) -> AbstractContextManager[None]:
    """Remove the safeguard of this name for a while; None: nothing."""
    return removed(SAFEGUARDS[name].remove if name is not None else None)


@_safeguard(8)
def _key(stack: ExitStack) -> None:
    """A message is stored once under its client's id."""
    put(stack, adapters.sqlite.store, "_duplicate", nothing)
    put(stack, adapters.sqlite.store, "_ADD_KEY", _ADD_ANY_KEY)


_ADD_ANY_KEY = adapters.sqlite.store._ADD_KEY.replace("INSERT", "INSERT OR REPLACE", 1)


@_safeguard(7)
def _lease(stack: ExitStack) -> None:
    """One process at a time runs a customer's turn, so that none is paid for twice."""
    run = AnswerPending._run

    async def alone(self: Any, *arguments: Any) -> None:
        object.__setattr__(self, "leases", None)
        await run(self, *arguments)

    put(stack, AnswerPending, "_run", alone)


@_safeguard(1)
def _text_so_far(stack: ExitStack) -> None:
    """Who joins in the middle of an answer gets the text so far."""
    put(stack, AnswerFollower, "_ask", nothing)


@_safeguard(17)
def _late_pieces(stack: ExitStack) -> None:
    """No piece of an answer is shown after the answer."""
    put(stack, AnswerFollower, "on_entry", nothing)


@_safeguard(34)
def _arrivals(stack: ExitStack) -> None:
    """What a plain application sends back is counted against the log."""
    put(stack, Arrivals, "take", lambda *_: False)


@_safeguard(4)
def _restart_code(stack: ExitStack) -> None:
    """A drain closes sockets with 1012, after which clients reconnect; not so after 1000."""
    put(stack, adapters.phoenix.endpoint, "SERVICE_RESTART", 1000)


@_safeguard(18)
def _deliver_again(stack: ExitStack) -> None:
    """What could not be delivered to the bridge is tried again."""
    attempt = DeliverOutbox._send

    async def once(self: Any, notice: Any) -> None:
        try:
            await attempt(self, notice)
        except BridgeUnavailable:
            return

    put(stack, DeliverOutbox, "_send", once)


@_safeguard(32, "takeovers")
def _fence(stack: ExitStack) -> None:
    """An answer is stored only if the conversation has not changed hands since its turn began."""
    # A change of owner settles all that the customer has said: that alone would keep it out, too.

    def anyway(session: Any, turn: Any, context: Any) -> Any:
        if session is None or not session.is_open:
            return None
        is_new = session.epoch != turn.epoch
        settled = session.settled_seq if is_new else turn.settled_seq
        whole = replace(
            turn, session_id=session.session_id, epoch=session.epoch, settled_seq=settled
        )
        draft = answer(replace(session, status=Status.AI), whole, context)
        if draft is not None:
            draft.session = replace(draft.session, status=session.status)
        return draft

    put(stack, application.answer_pending, "answer", anyway)


@_safeguard(16, "moves")
def _settled_seq(stack: ExitStack) -> None:
    """An answer is stored only if no other turn has answered meanwhile."""

    def anyway(session: Any, turn: Any, context: Any) -> Any:
        settled = session.settled_seq if session is not None else 0
        return answer(session, replace(turn, settled_seq=settled), context)

    put(stack, application.answer_pending, "answer", anyway)


@_safeguard(1, "takeovers")
def _turn_ends_at_takeover(stack: ExitStack) -> None:
    """A takeover ends the running turn, wherever it is stored."""
    put(stack, _Turn, "_on_appended", nothing)


@_safeguard(2, "takeovers")
def _beat(stack: ExitStack) -> None:
    """A node that does not receive its own beat knows that it is cut off."""
    put(stack, ChannelBroker, "_look_at_beat", nothing)
    put(stack, ChannelBroker, "is_away", property(lambda self: self._is_away))


@_safeguard(3, "crowd")
def _gaps(stack: ExitStack) -> None:
    """A follower reads what is missing before the entry of a hint."""

    def anyway(self: Any, event: Any, *, is_read: bool = False) -> None:
        if event.session_id not in self._ended_sessions:
            self._deliver(event)

    put(stack, Subscription, "_on_appended", anyway)


@_safeguard(1, "joins")
def _subscribe_before_read(stack: ExitStack) -> None:
    """A join subscribes before it reads: what is stored in between comes, too."""
    subscribe, start = Subscription.subscribe, Subscription.start

    def late(self: Subscription, *given: Any) -> None:
        subscribe(self)
        start(self, *given)

    put(stack, Subscription, "subscribe", nothing)
    put(stack, Subscription, "start", late)


@_safeguard(14, "deaths")
def _missed(stack: ExitStack) -> None:
    """Who may have missed hints looks at the store, and once a second while none arrive."""

    async def later(self: Any, clock: Any) -> float:
        return 1.0

    put(stack, Hub, "on_missed", nothing)
    put(stack, Hub, "report_away", later)


@_safeguard(4, "deaths")
def _sweep(stack: ExitStack) -> None:
    """The sweep finds the turns that were lost with their process."""

    async def none(self: Any) -> int:
        return 0

    put(stack, Sweep, "__call__", none)
