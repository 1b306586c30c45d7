"""What one client, one user, one business and all of them together may ask for: the abuse limits.

They are this process's own: each of several counts for itself. A limit that is met refuses before
anything is stored, and says when to try again.
"""

import asyncio
import math
import sys
from collections import Counter
from collections.abc import Callable, Hashable
from operator import itemgetter

from adapters.phoenix.channel import ConnectInfo
from adapters.phoenix.endpoint import ConnectionPolicy, ConnectRefused
from domain.errors import Refusal
from domain.identity import Customer
from entrypoints.access.client_address import networks, place_of
from entrypoints.settings import Settings

MINUTE_S = 60.0
JOIN_REFILL_S = 10.0
"""In which all sockets that an address may have can join once more."""
LIGHT = 10
"""For each message that a user may send, so much else: pages of history, signs of typing."""
FAILURES = 60
"""Of one address in a minute: requests to an API without a good token."""
MAX_BUCKETS = 50_000
"""Of one kind."""
SOCKETS_AGAIN_S = 10.0


class RateLimited(Refusal):
    """Too much was asked for in a short time."""

    code = "rate_limited"

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.retry_after_ms = max(1, math.ceil(wait_s * 1000))


class Overloaded(RateLimited):
    """More is asked of the server than it takes on."""

    code = "overloaded"


class Buckets:
    """Token buckets by key: `size` at once, and an empty one is full again in `refill_s`.

    A bucket is but the moment at which it will be full again (GCRA, the "leaky bucket as a meter"
    of ITU-T I.371), and one that is full need not be kept.
    """

    def __init__(self, size: int, refill_s: float, most: int = MAX_BUCKETS) -> None:
        self._each_s = refill_s / size
        self._refill_s = refill_s + 1e-6  # what floats lose over many steps
        self._most = most
        self._full_at: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._full_at)

    def wait_s(self, key: Hashable, now: float) -> float:
        """How long it is until the key may take one; 0: it may now. `now`: monotonic seconds."""
        full_at = self._full_at.get(key, now)
        return max(0.0, max(full_at, now) + self._each_s - now - self._refill_s)

    def take(self, key: Hashable, now: float) -> None:
        """Take one, which `wait_s` must have allowed."""
        if len(self._full_at) >= self._most and key not in self._full_at:
            self._make_room(now)
        self._full_at[key] = max(self._full_at.get(key, now), now) + self._each_s

    def _make_room(self, now: float) -> None:
        """Forget the full ones; of the others, if need be, those that are the nearest to it.

        The emptiest go last: to have one forgotten, all the others must be emptied further.
        """
        kept = [(at, key) for key, at in self._full_at.items() if at > now]
        most = self._most * 3 // 4
        if len(kept) > most:
            kept = sorted(kept, key=itemgetter(0))[-most:]
        self._full_at = {key: at for at, key in kept}


def turn_slots(settings: Settings) -> asyncio.Semaphore:
    """Return the semaphore that bounds the turns running at once, by LIMIT_TURNS."""
    is_kept = settings.rate_limits == "on"
    return asyncio.Semaphore(settings.limit_turns if is_kept else sys.maxsize)


class Limits(ConnectionPolicy):
    """Says what is too much; this one finds that nothing is."""

    def joining(self, info: ConnectInfo) -> None:
        """Somebody wants to join, whoever it is. Raises: RateLimited."""

    def joined(self) -> None:
        """It is somebody who may. Raises: Overloaded."""

    def failing(self, info: ConnectInfo) -> None:
        """A request to an API had no good token. Raises: RateLimited."""

    def speaking(self, customer: Customer) -> None:
        """A user wants to have something stored. Raises: RateLimited."""

    def asking(self, customer: Customer) -> None:
        """A user wants to have something else done. Raises: RateLimited."""


class KeptLimits(Limits):
    """The limits of the settings."""

    def __init__(
        self,
        settings: Settings,
        monotonic: Callable[[], float],
        met: Callable[[str], None] = lambda limit: None,
    ) -> None:
        """`met` is told the name of each limit that has refused. Raises: BadSetting."""
        self._monotonic = monotonic
        self._met = met
        self._proxies = networks(settings.trusted_proxies)
        self._most_sockets = settings.limit_sockets
        self._most_here = settings.limit_sockets_per_address
        self._sockets = 0
        self._sockets_at: Counter[str] = Counter()
        self._joins = Buckets(settings.limit_joins_per_s, 1.0)
        self._joins_here = Buckets(settings.limit_sockets_per_address, JOIN_REFILL_S)
        self._failures = Buckets(FAILURES, MINUTE_S)
        per_user = settings.limit_messages_per_user
        self._words = Buckets(per_user, MINUTE_S)
        self._light = Buckets(per_user * LIGHT, MINUTE_S)
        self._business = Buckets(settings.limit_messages_per_business, MINUTE_S)

    def enter(self, info: ConnectInfo) -> None:
        if self._sockets >= self._most_sockets:
            self._refuse_socket("sockets", 503)
        place = place_of(info, self._proxies)
        if self._sockets_at[place] >= self._most_here:
            self._refuse_socket("sockets_per_address", 429)
        self._sockets += 1
        self._sockets_at[place] += 1

    def left(self, info: ConnectInfo) -> None:
        place = place_of(info, self._proxies)
        self._sockets -= 1
        self._sockets_at[place] -= 1
        if not self._sockets_at[place]:
            del self._sockets_at[place]

    def _refuse_socket(self, limit: str, status: int) -> None:
        self._met(limit)
        raise ConnectRefused(status, retry_after_s=SOCKETS_AGAIN_S)

    def joining(self, info: ConnectInfo) -> None:
        place, now = place_of(info, self._proxies), self._monotonic()
        wait_s = self._joins_here.wait_s(place, now)
        if wait_s:
            self._met("joins_per_address")
            raise RateLimited(wait_s)
        self._joins_here.take(place, now)

    def failing(self, info: ConnectInfo) -> None:
        place, now = place_of(info, self._proxies), self._monotonic()
        wait_s = self._failures.wait_s(place, now)
        if wait_s:
            self._met("failures_per_address")
            raise RateLimited(wait_s)
        self._failures.take(place, now)

    def joined(self) -> None:
        now = self._monotonic()
        wait_s = self._joins.wait_s(None, now)
        if wait_s:
            self._met("joins")
            raise Overloaded(wait_s)
        self._joins.take(None, now)

    def speaking(self, customer: Customer) -> None:
        now = self._monotonic()
        words, business = self._words, self._business
        wait_s = words.wait_s(customer, now)
        if wait_s:
            self._met("messages_per_user")
            raise RateLimited(wait_s)
        wait_s = business.wait_s(customer.business_id, now)
        if wait_s:
            self._met("messages_per_business")
            raise RateLimited(wait_s)
        words.take(customer, now)
        business.take(customer.business_id, now)

    def asking(self, customer: Customer) -> None:
        now = self._monotonic()
        wait_s = self._light.wait_s(customer, now)
        if wait_s:
            self._met("requests_per_user")
            raise RateLimited(wait_s)
        self._light.take(customer, now)
