"""The safeguards of the product that lives need: each can be removed, and is then missed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from application.join import JoinConversation

SAFEGUARDS: dict[str, Callable[[ExitStack], None]] = {}


def _safeguard(remove: Callable[[ExitStack], None]) -> Callable[[ExitStack], None]:
    SAFEGUARDS[remove.__name__.removeprefix("_").replace("_", "-")] = remove
    return remove


@contextmanager
def remove(name: str | None) -> Iterator[None]:
    """Remove a safeguard from the product for a while; None: nothing."""
    with ExitStack() as stack:
        if name is not None:
            SAFEGUARDS[name](stack)
        yield


def _replace(stack: ExitStack, owner: Any, name: str, value: Any) -> None:
    stack.enter_context(patch.object(owner, name, value))


@_safeguard
def _subscribe_before_read(stack: ExitStack) -> None:
    """A join subscribes before it reads: what is stored in between comes, too."""

    async def join(self: Any, customer: Any, subscription: Any, position: Any) -> Any:
        cached = await self.session_log.reload(customer)
        joined = await self._read(cached, position)
        subscription.subscribe()
        if joined.session is not None and joined.session.needs_answer:
            self.turns.wake(customer)
        return joined

    _replace(stack, JoinConversation, "__call__", join)
