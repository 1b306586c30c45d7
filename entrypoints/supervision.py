"""Background loops that go on after an error."""

import logging
import signal
from collections.abc import Awaitable, Callable
from functools import cache

from application.ports import Clock
from domain.errors import Failure, StoreMigrated

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
    the pause for its kind. When the store is a later version's, the process is stopped instead.
    """
    while True:
        try:
            pause_s = await work()
        except StoreMigrated as error:
            _stop_process(str(error))
            return
        except Failure as error:
            pause_s = failed_pause_s
            extra = {"action": f"{name}_failed"}
            logger.warning("A background task failed", extra=extra, exc_info=error)
        except Exception:
            pause_s = crashed_pause_s
            logger.exception("A background task crashed", extra={"action": f"{name}_crashed"})
        await clock.sleep(pause_s)


@cache  # whichever loop notices it first
def _stop_process(reason: str) -> None:
    """Log why the process cannot go on, and stop it as SIGTERM does."""
    extra = {"action": "store_migrated", "reason": reason}
    logger.critical("A later version has migrated the store; this process stops", extra=extra)
    signal.raise_signal(signal.SIGTERM)
