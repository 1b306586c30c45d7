"""The safeguards of the product that show in lives: each can be removed, and is then missed.

The first line of each function says what the product does; what is left without it, its body.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, NamedTuple

import adapters.phoenix.endpoint
import adapters.sqlite.store
from application.answer_pending import AnswerPending
from application.answer_stream import AnswerFollower
from application.arrivals import Arrivals
from application.deliver_outbox import DeliverOutbox
from domain.errors import BridgeUnavailable
from tests.simulation.removal import Remove, name_of, nothing, put, removed


class Safeguard(NamedTuple):
    """One that can be removed."""

    remove: Remove
    seed: int
    """Of a life that showed that it was gone, when it was last looked for."""

    @property
    def what(self) -> str:
        """What it does."""
        return (self.remove.__doc__ or "").partition("\n")[0]


SAFEGUARDS: dict[str, Safeguard] = {}


def _safeguard(seed: int) -> Callable[[Remove], Remove]:
    def add(remove: Remove) -> Remove:
        SAFEGUARDS[name_of(remove)] = Safeguard(remove, seed)
        return remove

    return add


def without_safeguard(name: str | None) -> AbstractContextManager[None]:
    """Remove the safeguard of this name for a while; None: nothing."""
    return removed(SAFEGUARDS[name].remove if name is not None else None)


@_safeguard(5)
def _key(stack: ExitStack) -> None:
    """A message is stored once under its client's id."""
    put(stack, adapters.sqlite.store, "_duplicate", nothing)
    put(stack, adapters.sqlite.store, "_ADD_KEY", _ADD_ANY_KEY)


_ADD_ANY_KEY = adapters.sqlite.store._ADD_KEY.replace("INSERT", "INSERT OR REPLACE", 1)


@_safeguard(9)
def _lease(stack: ExitStack) -> None:
    """One process at a time runs a customer's turn, so that none is paid for twice."""
    run = AnswerPending._run

    async def alone(self: Any, *arguments: Any) -> None:
        object.__setattr__(self, "leases", None)
        await run(self, *arguments)

    put(stack, AnswerPending, "_run", alone)


@_safeguard(2)
def _text_so_far(stack: ExitStack) -> None:
    """Who joins in the middle of an answer gets the text so far."""
    put(stack, AnswerFollower, "_ask", nothing)


@_safeguard(24)
def _late_pieces(stack: ExitStack) -> None:
    """No piece of an answer is shown after the answer."""
    put(stack, AnswerFollower, "on_entry", nothing)


@_safeguard(34)
def _arrivals(stack: ExitStack) -> None:
    """What a plain application sends back is counted against the log."""
    put(stack, Arrivals, "take", lambda *_: False)


@_safeguard(6)
def _restart_code(stack: ExitStack) -> None:
    """A drain closes sockets with 1012, after which clients reconnect; not so after 1000."""
    put(stack, adapters.phoenix.endpoint, "SERVICE_RESTART", 1000)


@_safeguard(12)
def _deliver_again(stack: ExitStack) -> None:
    """What could not be delivered to the bridge is tried again."""
    attempt = DeliverOutbox._send

    async def once(self: Any, notice: Any) -> None:
        try:
            await attempt(self, notice)
        except BridgeUnavailable:
            return

    put(stack, DeliverOutbox, "_send", once)
