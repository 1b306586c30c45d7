"""The safeguards of the product that show in lives: each can be removed, and is then missed.

The first line of each function says what the product does; what is left without it, its body.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

from msgspec.structs import replace

import adapters.phoenix.endpoint
import adapters.sqlite.store
import application.answer_pending
from adapters.broker.channels import ChannelBroker
from application.answer_pending import AnswerPending
from application.answer_stream import AnswerFollower
from application.arrivals import Arrivals
from application.deliver_outbox import DeliverOutbox
from application.hub import Hub
from application.subscription import Subscription
from application.sweep import Sweep
from application.turns import Turns
from domain.decisions import answer
from domain.errors import BridgeUnavailable

Removal = Callable[[ExitStack], None]


class Safeguard(NamedTuple):
    """One that can be removed."""

    remove: Removal
    seed: int
    """Of a life that showed that it was gone, when it was last looked for."""

    @property
    def what(self) -> str:
        """What it does."""
        return (self.remove.__doc__ or "").partition("\n")[0]


SAFEGUARDS: dict[str, Safeguard] = {}


def _safeguard(seed: int) -> Callable[[Removal], Removal]:
    def add(remove: Removal) -> Removal:
        name = remove.__name__.removeprefix("_").replace("_", "-")
        SAFEGUARDS[name] = Safeguard(remove, seed)
        return remove

    return add


@contextmanager
def removed(name: str | None) -> Iterator[None]:
    """Remove a safeguard from the product for a while; None: nothing."""
    with ExitStack() as stack:
        if name is not None:
            SAFEGUARDS[name].remove(stack)
        yield


def _replace(stack: ExitStack, owner: Any, name: str, value: Any) -> None:
    stack.enter_context(patch.object(owner, name, value))


def _nothing(*_: Any, **__: Any) -> None:
    return None


@_safeguard(1)
def _subscribe_before_read(stack: ExitStack) -> None:
    """A join subscribes before it reads: what is stored in between comes, too."""
    subscribe, start = Subscription.subscribe, Subscription.start

    def late(self: Subscription, *arguments: Any, **named: Any) -> None:
        subscribe(self)
        start(self, *arguments, **named)

    _replace(stack, Subscription, "subscribe", _nothing)
    _replace(stack, Subscription, "start", late)


@_safeguard(1)
def _fence(stack: ExitStack) -> None:
    """An answer is stored only in the epoch in which its turn began."""

    def anyway(session: Any, turn: Any, context: Any) -> Any:
        if session is None:
            return None
        whole = replace(turn, session_id=session.session_id, epoch=session.epoch)
        draft = answer(replace(session, status="ai"), whole, context)
        if draft is not None:
            draft.session = replace(draft.session, status=session.status)
        return draft

    _replace(stack, application.answer_pending, "answer", anyway)


@_safeguard(1)
def _settled(stack: ExitStack) -> None:
    """An answer is stored only if no other turn has answered meanwhile."""

    def anyway(session: Any, turn: Any, context: Any) -> Any:
        settled = session.settled_seq if session is not None else 0
        return answer(session, replace(turn, settled_seq=settled), context)

    _replace(stack, application.answer_pending, "answer", anyway)
    _replace(stack, application.answer_pending._Turn, "_on_entries", _nothing)


@_safeguard(1)
def _key(stack: ExitStack) -> None:
    """A message is stored once under its client's id."""
    _replace(stack, adapters.sqlite.store, "_duplicate", _nothing)
    _replace(stack, adapters.sqlite.store, "_ADD_KEY", _ADD_ANY_KEY)


_ADD_ANY_KEY = adapters.sqlite.store._ADD_KEY.replace("INSERT", "INSERT OR REPLACE", 1)


@_safeguard(1)
def _lease(stack: ExitStack) -> None:
    """One process at a time runs a customer's turn, so that none is paid for twice."""
    run = AnswerPending._run

    async def alone(self: Any, *arguments: Any) -> None:
        object.__setattr__(self, "leases", None)
        await run(self, *arguments)

    _replace(stack, AnswerPending, "_run", alone)


@_safeguard(1)
def _missed(stack: ExitStack) -> None:
    """Who may have missed hints looks at the store."""
    _replace(stack, Hub, "on_missed", _nothing)


@_safeguard(1)
def _beat(stack: ExitStack) -> None:
    """A node that does not receive its own beat knows that it is cut off."""
    _replace(stack, ChannelBroker, "_look_at_beat", _nothing)


@_safeguard(1)
def _text_so_far(stack: ExitStack) -> None:
    """Who joins in the middle of an answer gets the text so far."""
    _replace(stack, AnswerFollower, "_ask", _nothing)


@_safeguard(1)
def _late_pieces(stack: ExitStack) -> None:
    """No piece of an answer is shown after the answer."""
    _replace(stack, AnswerFollower, "on_entry", _nothing)


@_safeguard(1)
def _gap(stack: ExitStack) -> None:
    """A subscription reads what is missing before the entry of a hint."""
    deliver = Subscription._deliver
    _replace(stack, Subscription, "_on_appended", lambda self, event, **_: deliver(self, event))


@_safeguard(1)
def _arrivals(stack: ExitStack) -> None:
    """What a plain application sends back is counted against the log."""
    _replace(stack, Arrivals, "take", lambda *_: False)


@_safeguard(1)
def _restart_code(stack: ExitStack) -> None:
    """A drain closes sockets with 1012, after which clients reconnect; not so after 1000."""
    _replace(stack, adapters.phoenix.endpoint, "SERVICE_RESTART", 1000)


@_safeguard(1)
def _sweep(stack: ExitStack) -> None:
    """Turns that were lost with their process are found by the sweep, or by who listens."""

    async def none(self: Any) -> int:
        return 0

    _replace(stack, Sweep, "__call__", none)
    _replace(stack, Turns, "_on_remote_entries", _nothing)


@_safeguard(1)
def _deliver_again(stack: ExitStack) -> None:
    """What could not be delivered to the bridge is tried again."""
    attempt = DeliverOutbox._send

    async def once(self: Any, notice: Any) -> None:
        try:
            await attempt(self, notice)
        except BridgeUnavailable:
            return

    _replace(stack, DeliverOutbox, "_send", once)


@_safeguard(1)
def _turn_ends_at_takeover(stack: ExitStack) -> None:
    """A takeover in another process ends the running turn."""
    _replace(stack, application.answer_pending._Turn, "_on_entries", _nothing)
