"""Background loops that go on after an error."""

import logging
from collections.abc import Awaitable, Callable

from application.ports import Clock
from domain.errors import Failure

logger = logging.getLogger(__name__)


async def forever(
    name: str,
    work: Callable[[], Awaitable[float]],
    clock: Clock,
    *,
    failed_pause_s: float = 1.0,
    crashed_pause_s: float = 5.0,
) -> None:
    """Repeat `work`, which returns the seconds to pause before the next time, until cancelled.

    An error is logged as `{name}_failed` (a Failure) or `{name}_crashed` (any other), followed by
    the pause for its kind.
    """
    while True:
        try:
            pause_s = await work()
        except Failure as error:
            pause_s = failed_pause_s
            extra = {"action": f"{name}_failed"}
            logger.warning("A background task failed", extra=extra, exc_info=error)
        except Exception:
            pause_s = crashed_pause_s
            logger.exception("A background task crashed", extra={"action": f"{name}_crashed"})
        await clock.sleep(pause_s)
