"""The abuse limits: how much an address, a user, a business and all together may ask for.

Each process counts for itself: several workers have shares (`settings.share_of`). A request over a
limit is refused before anything is stored, with the time after which to try again.
"""

import asyncio
import math
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Hashable
from operator import itemgetter

from adapters.phoenix.channel import ConnectInfo
from adapters.phoenix.endpoint import ConnectionPolicy, ConnectRefused
from domain.errors import Refusal
from domain.identity import Customer
from entrypoints.access.client_address import address_group, parse_networks
from entrypoints.settings import Settings

MINUTE_S = 60.0
SOCKETS_REFILL_S = 10.0
"""The time in which all sockets that an address may have can join once more, and twice as many can
be opened."""
REQUESTS_PER_MESSAGE = 10
"""Other requests (history, typing) allowed for each message that a user may send."""
MAX_AUTH_FAILURES = 60
"""Requests to an API without a valid token, from one address in a minute."""
MAX_SIGN_INS = 30
"""Sign-ins of coordinators from one address in a minute."""
MAX_SIGN_INS_PER_NAME, NAME_REFILL_S = 10, 300.0
"""Sign-ins under one name, and the time after which as many may be tried again.

A stranger can so keep a coordinator out, for as long as they go on, at an address from which that
coordinator has not signed in since the start; open pages, renewed tokens and known addresses are
not touched. Without this limit, who has many addresses could guess at one name from each of them;
and with one for all names together in its place, they would keep out everybody instead of one.
"""
MAX_BUCKETS = 50_000
"""The most buckets of one kind."""
SOCKET_RETRY_AFTER_S = 10.0
"""The Retry-After of a socket that is over a limit."""


class RateLimited(Refusal):
    """Too much was asked for in a short time."""

    code = "rate_limited"
    retry_after_ms: int

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.retry_after_ms = max(1, math.ceil(wait_s * 1000))


class Overloaded(RateLimited):
    """The server refuses more work than it can do."""

    code = "overloaded"


class TokenBuckets:
    """Token buckets by key: `size` at once, and an empty one is full again in `refill_s`.

    A bucket is stored as the moment at which it will be full again (GCRA, the "leaky bucket as a
    meter" of ITU-T I.371), so a full one need not be stored.
    """

    def __init__(self, size: int, refill_s: float, most: int = MAX_BUCKETS) -> None:
        self._each_s = refill_s / size
        self._refill_s = refill_s + 1e-6  # the rounding error of floats over many steps
        self._most = most
        self._full_at: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._full_at)

    def wait_s(self, key: Hashable, now: float) -> float:
        """Return the seconds until the key has a token; 0: it has one. `now`: monotonic seconds."""
        full_at = self._full_at.get(key, now)
        return max(0.0, max(full_at, now) + self._each_s - now - self._refill_s)

    def take(self, key: Hashable, now: float) -> None:
        """Take a token, which `wait_s` must have allowed."""
        if len(self._full_at) >= self._most and key not in self._full_at:
            self._make_room(now)
        self._full_at[key] = max(self._full_at.get(key, now), now) + self._each_s

    def _make_room(self, now: float) -> None:
        """Drop the full buckets and, if need be, the fullest of the others.

        The emptiest go last: to push one out, an attacker must empty all others further.
        """
        kept = [(at, key) for key, at in self._full_at.items() if at > now]
        most = self._most * 3 // 4
        if len(kept) > most:
            kept = sorted(kept, key=itemgetter(0))[-most:]
        self._full_at = {key: at for at, key in kept}


def turn_slots(settings: Settings) -> asyncio.Semaphore:
    """Return the semaphore that bounds the turns running at once, by LIMIT_TURNS."""
    is_limited = settings.rate_limits == "on"
    return asyncio.Semaphore(settings.limit_turns if is_limited else sys.maxsize)


class RateLimiter(ConnectionPolicy, ABC):
    """Counts what clients ask for, and refuses what is over a limit."""

    @abstractmethod
    def admit_join(self, info: ConnectInfo) -> None:
        """Count a join before it is authenticated. Raises: RateLimited."""

    @abstractmethod
    def admit_authenticated_join(self) -> None:
        """Count a join after it was authenticated. Raises: Overloaded."""

    @abstractmethod
    def count_auth_failure(self, info: ConnectInfo) -> None:
        """Count a request to an API without a valid token. Raises: RateLimited."""

    @abstractmethod
    def admit_visitor(self, info: ConnectInfo) -> None:
        """Count a visitor that is named, or whose token is renewed. Raises: RateLimited."""

    @abstractmethod
    def admit_sign_in(self, info: ConnectInfo, name: str) -> None:
        """Count a coordinator's sign-in before the password is looked at. Raises: RateLimited."""

    @abstractmethod
    def note_sign_in(self, info: ConnectInfo, name: str) -> None:
        """Remember that a coordinator has signed in from there: strangers cannot lock them out."""

    @abstractmethod
    def admit_message(self, customer: Customer) -> None:
        """Count a request of a user that stores something. Raises: RateLimited."""

    @abstractmethod
    def admit_request(self, customer: Customer) -> None:
        """Count any other request of a user. Raises: RateLimited."""


class NoRateLimits(RateLimiter):
    """RATE_LIMITS=off: admits everything, and counts nothing."""

    def admit_join(self, info: ConnectInfo) -> None:
        pass

    def admit_authenticated_join(self) -> None:
        pass

    def count_auth_failure(self, info: ConnectInfo) -> None:
        pass

    def admit_visitor(self, info: ConnectInfo) -> None:
        pass

    def admit_sign_in(self, info: ConnectInfo, name: str) -> None:
        pass

    def note_sign_in(self, info: ConnectInfo, name: str) -> None:
        pass

    def admit_message(self, customer: Customer) -> None:
        pass

    def admit_request(self, customer: Customer) -> None:
        pass


class TokenBucketLimiter(RateLimiter):
    """RATE_LIMITS=on: the limits of the settings."""

    def __init__(
        self,
        settings: Settings,
        monotonic: Callable[[], float],
        on_refusal: Callable[[str], None] = lambda limit: None,
    ) -> None:
        """`on_refusal` gets the name of each limit that has refused. Raises: BadSetting."""
        self._monotonic = monotonic
        self._on_refusal = on_refusal
        self._proxies = parse_networks(settings.trusted_proxies)
        self._max_sockets = settings.limit_sockets
        self._max_per_address = settings.limit_sockets_per_address
        self._sockets = 0
        self._sockets_by_address: Counter[str] = Counter()
        self._joins = TokenBuckets(settings.limit_joins_per_s, 1.0)
        per_address = settings.limit_sockets_per_address
        self._opened_by_address = TokenBuckets(2 * per_address, SOCKETS_REFILL_S)
        self._joins_by_address = TokenBuckets(per_address, SOCKETS_REFILL_S)
        self._failures_by_address = TokenBuckets(MAX_AUTH_FAILURES, MINUTE_S)
        self._visitors_by_address = TokenBuckets(settings.limit_visitors_per_address, MINUTE_S)
        self._sign_ins_by_address = TokenBuckets(MAX_SIGN_INS, MINUTE_S)
        self._sign_ins_by_name = TokenBuckets(MAX_SIGN_INS_PER_NAME, NAME_REFILL_S)
        self._signed_in = dict[tuple[str, str], None]()
        """The newest names that have signed in, each with the address: those have their own."""
        per_user = settings.limit_messages_per_user
        self._messages = TokenBuckets(per_user, MINUTE_S)
        self._requests = TokenBuckets(per_user * REQUESTS_PER_MESSAGE, MINUTE_S)
        self._business_messages = TokenBuckets(settings.limit_messages_per_business, MINUTE_S)

    def admit(self, info: ConnectInfo) -> None:
        if self._sockets >= self._max_sockets:
            self._refuse_socket("sockets", 503)
        address = address_group(info, self._proxies)
        if self._sockets_by_address[address] >= self._max_per_address:
            self._refuse_socket("sockets_per_address", 429)
        now = self._monotonic()
        if self._opened_by_address.wait_s(address, now):
            self._refuse_socket("opened_per_address", 429)
        self._opened_by_address.take(address, now)
        self._sockets += 1
        self._sockets_by_address[address] += 1

    def release(self, info: ConnectInfo) -> None:
        address = address_group(info, self._proxies)
        self._sockets -= 1
        self._sockets_by_address[address] -= 1
        if not self._sockets_by_address[address]:
            del self._sockets_by_address[address]

    def admit_join(self, info: ConnectInfo) -> None:
        address, now = address_group(info, self._proxies), self._monotonic()
        self._check("joins_per_address", self._joins_by_address, address, now)
        self._joins_by_address.take(address, now)

    def admit_authenticated_join(self) -> None:
        now = self._monotonic()
        self._check("joins", self._joins, None, now, Overloaded)
        self._joins.take(None, now)

    def count_auth_failure(self, info: ConnectInfo) -> None:
        address, now = address_group(info, self._proxies), self._monotonic()
        self._check("failures_per_address", self._failures_by_address, address, now)
        self._failures_by_address.take(address, now)

    def admit_visitor(self, info: ConnectInfo) -> None:
        address, now = address_group(info, self._proxies), self._monotonic()
        self._check("visitors_per_address", self._visitors_by_address, address, now)
        self._visitors_by_address.take(address, now)

    def admit_sign_in(self, info: ConnectInfo, name: str) -> None:
        address, now = address_group(info, self._proxies), self._monotonic()
        known = (name, address)
        key: Hashable = known if known in self._signed_in else name
        self._check("sign_ins_per_address", self._sign_ins_by_address, address, now)
        self._check("sign_ins_per_name", self._sign_ins_by_name, key, now)
        self._sign_ins_by_address.take(address, now)
        self._sign_ins_by_name.take(key, now)

    def note_sign_in(self, info: ConnectInfo, name: str) -> None:
        known = (name, address_group(info, self._proxies))
        self._signed_in.pop(known, None)
        self._signed_in[known] = None
        if len(self._signed_in) > MAX_BUCKETS:
            del self._signed_in[next(iter(self._signed_in))]

    def admit_message(self, customer: Customer) -> None:
        business_id, now = customer.business_id, self._monotonic()
        self._check("messages_per_user", self._messages, customer, now)
        self._check("messages_per_business", self._business_messages, business_id, now)
        self._messages.take(customer, now)
        self._business_messages.take(business_id, now)

    def admit_request(self, customer: Customer) -> None:
        now = self._monotonic()
        self._check("requests_per_user", self._requests, customer, now)
        self._requests.take(customer, now)

    def _check(
        self,
        limit: str,
        buckets: TokenBuckets,
        key: Hashable,
        now: float,
        error: type[RateLimited] = RateLimited,
    ) -> None:
        wait_s = buckets.wait_s(key, now)
        if wait_s:
            self._on_refusal(limit)
            raise error(wait_s)

    def _refuse_socket(self, limit: str, status: int) -> None:
        self._on_refusal(limit)
        raise ConnectRefused(status, retry_after_s=SOCKET_RETRY_AFTER_S)
