"""A limit on the time of some work, by the clock that everything else goes by."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from application.ports import Clock

T = TypeVar("T")


class OutOfTime(Exception):
    """The work was not done in time."""


async def within(seconds: float, work: Awaitable[T], clock: Clock) -> T:
    """Return the result of the work, which is cancelled after `seconds`.

    Raises: OutOfTime, and whatever the work raises.
    """
    task = asyncio.ensure_future(work)

    def give_up() -> None:
        task.cancel()

    timer = clock.call_later(seconds, give_up)
    try:
        return await task
    except asyncio.CancelledError:
        this = asyncio.current_task()
        if this is None or this.cancelling():
            raise
        raise OutOfTime from None
    finally:
        timer.cancel()
