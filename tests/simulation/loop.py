"""An event loop whose time is virtual: where nothing is to be done, the next timer is due at once.

Nothing in it waits for a file descriptor or a thread.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

MAX_ROUNDS = 50_000
"""Rounds of the loop without any time passing; more are an endless loop."""


class _VirtualSelector(selectors.SelectSelector):
    """Finds nothing, and lets the time pass instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.rounds = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everything waits, and nothing will happen any more")
        if timeout > 0:
            self.now += timeout
            self.rounds = 0
        else:
            self.rounds += 1
            if self.rounds == MAX_ROUNDS:
                raise RuntimeError("the tasks are busy for ever")
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop of one life."""

    def __init__(self) -> None:
        self.is_over = False
        """True: what is still done is done for nobody."""
        self._virtual = _VirtualSelector()
        super().__init__(self._virtual)
        self._clock_resolution = 1e-6
        self.set_exception_handler(self._on_exception)
        self.failures: list[BaseException] = []
        """What was raised in callbacks, and by tasks that nobody has awaited."""

    def time(self) -> float:
        return self._virtual.now

    def _check_closed(self) -> None:
        if not self.is_over:
            super()._check_closed()  # type: ignore[misc]

    def _on_exception(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException) and not self.is_over:
            self.failures.append(error)


def run_virtually(life: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in a loop of its own; what it leaves running is abandoned."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(life)
        if loop.failures:
            raise loop.failures[0]
    finally:
        _abandon(loop)
        asyncio.set_event_loop(None)
        loop.close()


def _abandon(loop: VirtualLoop) -> None:
    loop.is_over = True
    loop._virtual.rounds = -MAX_ROUNDS
    for _ in range(3):
        tasks = asyncio.all_tasks(loop)
        if not tasks:
            break
        for task in tasks:
            task.cancel()
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        loop.call_later(0.01, loop.stop)
        loop.run_forever()
