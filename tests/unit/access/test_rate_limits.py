"""The abuse limits: token buckets, and the addresses that limits count by."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.phoenix.channel import ConnectInfo
from adapters.phoenix.endpoint import ConnectRefused
from domain.identity import customer
from entrypoints.access.client_address import address_group, parse_networks
from entrypoints.access.rate_limits import (
    NoRateLimits,
    Overloaded,
    RateLimited,
    TokenBucketLimiter,
    TokenBuckets,
)
from entrypoints.settings import BadSetting, Settings

ANA, DAN, EVA = customer("b1", "ana"), customer("b1", "dan"), customer("b2", "eva")


def connecting(peer: str | None = "203.0.113.7", *forwarded: str) -> ConnectInfo:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    client = (peer, 50_000) if peer is not None else None
    return ConnectInfo(cast(Any, {"client": client, "headers": headers}))


class ManualClock:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def limits(clock: ManualClock, met: list[str] | None = None, **settings: Any) -> TokenBucketLimiter:
    return TokenBucketLimiter(Settings(**settings), clock, (met if met is not None else []).append)


def taken(buckets: TokenBuckets, key: object, now: float) -> int:
    """Take as many tokens as there are, and return their number."""
    count = 0
    while not buckets.wait_s(key, now):
        buckets.take(key, now)
        count += 1
    return count


@pytest.mark.parametrize("now", [0.0, 5.0, 1e6, 1e9])
@pytest.mark.parametrize("size", [1, 3, 60, 6_000])
def test_a_bucket_allows_its_size_at_once_and_again_after_the_refill_time(
    size: int, now: float
) -> None:
    buckets = TokenBuckets(size, 60.0)

    assert taken(buckets, "a", now) == size
    assert taken(buckets, "b", now) == size
    assert taken(buckets, "a", now) == 0
    assert taken(buckets, "a", now + 60) == size
    assert taken(buckets, "a", now + 600) == size


def test_an_empty_bucket_returns_the_time_until_the_next_token() -> None:
    buckets = TokenBuckets(60, 60.0)
    taken(buckets, "a", 100.0)

    wait_s = buckets.wait_s("a", 100.0)

    assert wait_s == pytest.approx(1.0, abs=1e-3)
    assert taken(buckets, "a", 100.0 + wait_s) == 1


@given(
    st.integers(1, 20),
    st.floats(0.1, 100),
    st.lists(st.floats(0, 30), min_size=1, max_size=100),
)
def test_no_period_allows_more_than_size_and_refill(
    size: int, refill_s: float, pauses: list[float]
) -> None:
    buckets, now, given_at = TokenBuckets(size, refill_s), 0.0, []
    for pause_s in pauses:
        now += pause_s
        if not buckets.wait_s("a", now):
            buckets.take("a", now)
            given_at.append(now)

    for first, start in enumerate(given_at):
        for last, end in enumerate(given_at[first:], first):
            assert last - first + 1 <= size + (end - start) / refill_s * size + 1e-3


def test_the_number_of_buckets_is_bounded() -> None:
    buckets = TokenBuckets(10, 60.0, most=100)
    for number in range(5_000):
        buckets.take(number, now=number / 1000)

    assert len(buckets) <= 100


def test_full_buckets_are_dropped_first() -> None:
    buckets = TokenBuckets(10, 60.0, most=100)
    taken(buckets, "empty", 0.0)
    for number in range(99):
        buckets.take(number, 0.0)
    buckets.take("one more", 50.0)

    assert len(buckets) == 2
    assert buckets.wait_s("empty", 0.0)


def test_a_limit_cannot_be_evicted_by_using_other_keys() -> None:
    # 10,000 other keys, each used once, evict one another but not the one that is at its limit.
    buckets = TokenBuckets(10, 60.0, most=100)
    taken(buckets, "flood", 0.0)
    for number in range(10_000):
        buckets.take(number, now=0.0)

    assert taken(buckets, "flood", 0.0) == 0


def test_a_user_at_the_limit_does_not_affect_others() -> None:
    clock, met = ManualClock(), list[str]()
    limiter = limits(clock, met, limit_messages_per_user=3)
    for _ in range(3):
        limiter.admit_message(ANA)

    with pytest.raises(RateLimited) as refused:
        limiter.admit_message(ANA)
    limiter.admit_message(DAN)

    assert refused.value.code == "rate_limited"
    assert refused.value.retry_after_ms == pytest.approx(20_000, abs=1)
    assert met == ["messages_per_user"]
    clock.now += refused.value.retry_after_ms / 1000
    limiter.admit_message(ANA)


def test_a_business_at_the_limit_affects_no_other_and_costs_a_user_nothing() -> None:
    clock, met = ManualClock(), list[str]()
    limiter = limits(clock, met, limit_messages_per_business=2, limit_messages_per_user=2)
    limiter.admit_message(ANA)
    limiter.admit_message(ANA)

    for _ in range(5):
        with pytest.raises(RateLimited):
            limiter.admit_message(DAN)
    limiter.admit_message(EVA)
    clock.now += 60
    limiter.admit_message(DAN)
    limiter.admit_message(DAN)

    assert met == ["messages_per_business"] * 5


def test_requests_that_store_nothing_have_their_own_limit() -> None:
    limiter = limits(ManualClock(), limit_messages_per_user=2)
    for _ in range(20):
        limiter.admit_request(ANA)

    with pytest.raises(RateLimited):
        limiter.admit_request(ANA)
    limiter.admit_message(ANA)


def test_joins_are_counted_by_address_and_in_total() -> None:
    clock, met = ManualClock(), list[str]()
    limiter = limits(clock, met, limit_sockets_per_address=3, limit_joins_per_s=2)
    for _ in range(3):
        limiter.admit_join(connecting("203.0.113.1"))
    limiter.admit_authenticated_join()
    limiter.admit_authenticated_join()

    with pytest.raises(RateLimited):
        limiter.admit_join(connecting("203.0.113.1"))
    limiter.admit_join(connecting("203.0.113.2"))
    with pytest.raises(Overloaded) as refused:
        limiter.admit_authenticated_join()

    assert refused.value.code == "overloaded"
    assert refused.value.retry_after_ms <= 500
    assert met == ["joins_per_address", "joins"]


def test_sockets_are_counted_by_address_and_in_total() -> None:
    met = list[str]()
    limiter = limits(ManualClock(), met, limit_sockets_per_address=2, limit_sockets=3)
    for peer in ("203.0.113.1", "203.0.113.1", "203.0.113.2"):
        limiter.admit(connecting(peer))

    with pytest.raises(ConnectRefused) as full:
        limiter.admit(connecting("203.0.113.3"))
    limiter.release(connecting("203.0.113.2"))
    with pytest.raises(ConnectRefused) as crowded:
        limiter.admit(connecting("203.0.113.1"))
    limiter.admit(connecting("203.0.113.3"))

    assert (full.value.status, crowded.value.status) == (503, 429)
    assert met == ["sockets", "sockets_per_address"]


def test_without_limits_everything_is_admitted() -> None:
    free = NoRateLimits()
    for _ in range(10_000):
        free.admit(connecting())
        free.admit_join(connecting())
        free.admit_authenticated_join()
        free.admit_message(ANA)
        free.admit_request(ANA)

    free.release(connecting())
    assert not vars(free)


PROXIES = parse_networks("10.0.0.0/8, 192.0.2.1,fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "place"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.1.1.1", [], "10.1.1.1"),
        ("10.1.1.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.1.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        ("10.1.1.1", ["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
        ("10.1.1.1", ["198.51.100.1, 10.2.2.2, 192.0.2.1"], "198.51.100.1"),
        ("10.1.1.1", ["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
        ("10.1.1.1", ["198.51.100.1, nonsense, 10.2.2.2"], "10.2.2.2"),
        ("10.1.1.1", ["198.51.100.1, nonsense"], "10.1.1.1"),
        ("10.1.1.1", [""], "10.1.1.1"),
        ("10.1.1.1", [","], "10.1.1.1"),
        ("10.1.1.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.1.1.1", ["[2001:db8:1:2:3::4]:4711"], "2001:db8:1:2::/64"),
        ("10.1.1.1", ["198.51.100.1, " * 5_000 + "203.0.113.9"], "203.0.113.9"),
        ("fd00::1", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.1.1.1", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:203.0.113.7", [], "203.0.113.7"),
        ("2001:db8:1:2::1", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", ["6.6.6.6"], "2001:db8:1:2::/64"),
        ("fe80::1%eth0", [], "fe80::/64"),
        ("\xff", [], ""),
        (None, ["198.51.100.1"], ""),
    ],
)
def test_the_address_is_the_one_reported_by_the_nearest_trusted_proxies(
    peer: str | None, forwarded: list[str], place: str
) -> None:
    assert address_group(connecting(peer, *forwarded), PROXIES) == place


def test_without_trusted_proxies_x_forwarded_for_is_ignored() -> None:
    assert address_group(connecting("127.0.0.1", "198.51.100.1"), ()) == "127.0.0.1"


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=40), max_size=5))
def test_a_forged_x_forwarded_for_does_not_change_the_address(forged: list[str]) -> None:
    assert address_group(connecting("10.1.1.1", *forged, "198.51.100.1"), PROXIES) == "198.51.100.1"


@pytest.mark.parametrize("text", ["banana", "10.0.0.1/8", "10.0.0.0/99", "10.0.0.0/8;::1"])
def test_a_bad_list_of_proxies_is_a_bad_setting(text: str) -> None:
    with pytest.raises(BadSetting, match="TRUSTED_PROXIES must be"):
        parse_networks(text)


# Coordinators' sign-in.


def signed_in_until_refused(limiter: TokenBucketLimiter, info: ConnectInfo, name: str) -> int:
    """Try to sign in until it is refused, and return how often it was not."""
    for count in range(1_000):
        try:
            limiter.admit_sign_in(info, name)
        except RateLimited:
            return count
    raise AssertionError("it is never refused")


def test_sign_ins_are_bounded_by_name_from_wherever_they_come() -> None:
    clock, met = ManualClock(), list[str]()
    limiter = limits(clock, met)
    for number in range(10):
        limiter.admit_sign_in(connecting(f"203.0.113.{number}"), "maria")
    with pytest.raises(RateLimited) as raised:
        limiter.admit_sign_in(connecting("198.51.100.1"), "maria")
    limiter.admit_sign_in(connecting("198.51.100.1"), "ștefan")
    clock.now += raised.value.retry_after_ms / 1000
    limiter.admit_sign_in(connecting("198.51.100.1"), "maria")

    assert met == ["sign_ins_per_name"]
    assert 29_000 < raised.value.retry_after_ms <= 30_001


def test_sign_ins_are_bounded_by_address_whatever_the_names() -> None:
    clock, met = ManualClock(), list[str]()
    limiter = limits(clock, met)
    for number in range(30):
        limiter.admit_sign_in(connecting(), f"c{number}")
    with pytest.raises(RateLimited):
        limiter.admit_sign_in(connecting(), "maria")
    limiter.admit_sign_in(connecting("198.51.100.1"), "maria")

    assert met == ["sign_ins_per_address"]


def test_strangers_cannot_lock_a_coordinator_out_where_they_have_signed_in_before() -> None:
    limiter = limits(ManualClock())
    home, elsewhere = connecting("198.51.100.1"), connecting()
    limiter.admit_sign_in(home, "maria")
    limiter.note_sign_in(home, "maria")
    by_strangers = signed_in_until_refused(limiter, elsewhere, "maria")
    at_home = signed_in_until_refused(limiter, home, "maria")

    assert (by_strangers, at_home) == (9, 10)
