"""Token leases, and where the server may listen without authentication."""

from datetime import timedelta
from typing import Any, cast

import pytest

from domain.identity import BusinessId, Identity, Role, Unauthorized
from entrypoints.access.auth import WITHDRAWN_WITHIN_S, TokenLease, refresh_lease
from entrypoints.access.tokens import token_verifier
from entrypoints.programs import check_exposure, is_api_open
from entrypoints.settings import BadSetting, Settings
from tests.support.clock import START, VirtualClock
from tests.support.tokens import JWT

DAY_S = 86_400


class RecordedSocket:
    """A channel's socket, of which a lease uses two methods: records the calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def push(self, event: str, payload: object) -> None:
        self.calls.append(event)

    def stop(self) -> None:
        self.calls.append("stopped")


ENDED = ["token_expired", "stopped"]


def ana(seconds: float, **others: Any) -> Identity:
    """Return an identity that expires so many seconds after START."""
    known = Identity(Role.USER, BusinessId("b1"), "ana", START + timedelta(seconds=seconds))
    return known._replace(**others)


def leased(clock: VirtualClock, seconds: float) -> tuple[TokenLease, RecordedSocket]:
    socket = RecordedSocket()
    lease = TokenLease(cast(Any, socket), clock, ana(seconds))
    lease.begin()
    return lease, socket


async def test_a_proof_that_is_withdrawn_closes_the_channel_within_five_seconds() -> None:
    clock, socket, withdrawn = VirtualClock(), RecordedSocket(), False
    maria = ana(DAY_S, role=Role.COORDINATOR, credential="mark")
    lease = TokenLease(cast(Any, socket), clock, maria, lambda identity: withdrawn)
    lease.begin()
    await clock.advance(DAY_S / 2)
    before, withdrawn = list(socket.calls), True
    is_expired = lease.is_expired
    await clock.advance(WITHDRAWN_WITHIN_S)

    assert before == []
    assert is_expired
    assert socket.calls == ENDED
    assert clock.pending == 0


async def test_a_token_that_nobody_verifies_extends_no_lease() -> None:
    clock = VirtualClock()
    lease, _ = leased(clock, 60)
    with pytest.raises(Unauthorized):
        await refresh_lease(lease, None, "any")


@pytest.mark.parametrize("seconds", [0.5, 60, DAY_S, 10 * DAY_S + 5])
async def test_a_lease_expires_with_its_token_and_not_before(seconds: float) -> None:
    clock = VirtualClock()
    lease, socket = leased(clock, seconds)
    await clock.advance(seconds - 0.001)
    before = list(socket.calls)
    await clock.advance(0.001)

    assert before == []
    assert socket.calls == ENDED
    assert lease.is_expired
    assert clock.pending == 0


async def test_a_lease_that_begins_after_the_expiry_expires_at_once() -> None:
    clock = VirtualClock()
    _, socket = leased(clock, -5)
    await clock.advance(0)

    assert socket.calls == ENDED


async def test_an_expiry_during_a_suspend_of_the_machine_is_noticed() -> None:
    clock = VirtualClock()
    lease = TokenLease(cast(Any, RecordedSocket()), clock, ana(60))
    await clock.advance(61)  # its timer has never been set

    assert lease.is_expired


async def test_a_token_expires_by_the_wall_clock_that_is_set() -> None:
    clock = VirtualClock()
    lease = TokenLease(cast(Any, RecordedSocket()), clock, ana(60))
    clock.step(3_600)
    after = lease.is_expired
    clock.step(-3_600)

    assert (after, lease.is_expired) == (True, False)


async def test_an_ended_lease_leaves_no_timer() -> None:
    clock = VirtualClock()
    lease, socket = leased(clock, 60)
    lease.end()
    lease.end()
    await clock.advance(61)

    assert socket.calls == []
    assert clock.pending == 0


async def test_a_new_token_moves_the_expiry() -> None:
    clock = VirtualClock()
    lease, socket = leased(clock, 60)
    lease.refresh(ana(120))
    await clock.advance(119)
    before = list(socket.calls)
    await clock.advance(1)

    assert before == []
    assert socket.calls == ENDED
    assert lease.expires_at == "2030-01-01T12:02:00.000Z"


@pytest.mark.parametrize(
    "other",
    [{"name": "dan"}, {"business_id": BusinessId("b2")}, {"role": Role.COORDINATOR}],
    ids=str,
)
async def test_another_identitys_token_does_not_extend_the_lease(other: dict[str, Any]) -> None:
    clock = VirtualClock()
    lease, socket = leased(clock, 60)
    with pytest.raises(Unauthorized):
        lease.refresh(ana(120, **other))
    await clock.advance(60)

    assert socket.calls == ENDED


async def test_an_expired_lease_cannot_be_refreshed() -> None:
    clock = VirtualClock()
    lease, socket = leased(clock, 60)
    await clock.advance(60)

    with pytest.raises(Unauthorized, match="expired"):
        lease.refresh(ana(120))
    assert socket.calls == ENDED
    assert clock.pending == 0


async def test_without_tokens_a_refresh_has_no_expiry() -> None:
    answer = await refresh_lease(None, None, "whatever")

    assert answer.token_expires_at is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "no.such.host."])
def test_on_loopback_no_authentication_is_needed(host: str) -> None:
    check_exposure(Settings(), host, "SERVER_HOST")

    assert not is_api_open(Settings(), host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "0", "169.254.1.1"])
def test_on_other_addresses_it_must_be_configured_or_waived(host: str) -> None:
    with pytest.raises(BadSetting) as bad:
        check_exposure(Settings(), host, "BRIDGE_HOST")
    check_exposure(Settings(allow_insecure="1"), host, "BRIDGE_HOST")
    check_exposure(Settings(**JWT, service_token="t"), host, "BRIDGE_HOST")

    assert str(bad.value).startswith(f"BRIDGE_HOST is '{host}'")
    assert "ALLOW_INSECURE=1" in str(bad.value)
    assert is_api_open(Settings(), host)
    assert not is_api_open(Settings(service_token="t"), host)


def test_a_token_verifier_is_made_only_for_jwt() -> None:
    assert token_verifier(Settings()) is None
    assert token_verifier(Settings(**JWT)) is not None
