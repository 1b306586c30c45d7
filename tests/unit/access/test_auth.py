"""How long somebody may stay on a channel, and where everybody may be believed."""

from datetime import timedelta
from typing import Any, cast

import pytest

from domain.identity import BusinessId, Identity, Role, Unauthorized
from entrypoints.access.auth import TokenLease, is_open, refreshed, require_trust, tokens
from entrypoints.settings import BadSetting, Settings
from tests.support.clock import START, VirtualClock
from tests.support.tokens import JWT

DAY_S = 86_400


class Line:
    """What a channel's link is to a stay: told something, and ended."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def push(self, event: str, payload: object) -> None:
        self.told.append(event)

    def stop(self) -> None:
        self.told.append("stopped")


ENDED = ["token_expired", "stopped"]


def ana(seconds: float, **others: Any) -> Identity:
    """Until so long after the start of time."""
    known = Identity(Role.USER, BusinessId("b1"), "ana", START + timedelta(seconds=seconds))
    return known._replace(**others)


def staying(clock: VirtualClock, seconds: float) -> tuple[TokenLease, Line]:
    line = Line()
    stay = TokenLease(cast(Any, line), clock, ana(seconds))
    stay.begin()
    return stay, line


@pytest.mark.parametrize("seconds", [0.5, 60, DAY_S, 10 * DAY_S + 5])
async def test_a_stay_ends_when_its_token_does_and_not_before(seconds: float) -> None:
    clock = VirtualClock()
    stay, line = staying(clock, seconds)
    await clock.advance(seconds - 0.001)
    before = list(line.told)
    await clock.advance(0.001)

    assert before == []
    assert line.told == ENDED
    assert stay.is_over
    assert clock.pending == 0


async def test_a_stay_that_begins_too_late_ends_at_once() -> None:
    clock = VirtualClock()
    _, line = staying(clock, -5)
    await clock.advance(0)

    assert line.told == ENDED


async def test_an_end_that_came_while_the_machine_slept_is_seen() -> None:
    clock = VirtualClock()
    stay = TokenLease(cast(Any, Line()), clock, ana(60))
    await clock.advance(61)  # its timer has never been set

    assert stay.is_over


async def test_a_channel_that_has_ended_leaves_no_timer() -> None:
    clock = VirtualClock()
    stay, line = staying(clock, 60)
    stay.end()
    stay.end()
    await clock.advance(61)

    assert line.told == []
    assert clock.pending == 0


async def test_a_new_token_moves_the_end() -> None:
    clock = VirtualClock()
    stay, line = staying(clock, 60)
    stay.go_on(ana(120))
    await clock.advance(119)
    before = list(line.told)
    await clock.advance(1)

    assert before == []
    assert line.told == ENDED
    assert stay.expires_at == "2030-01-01T12:02:00.000Z"


@pytest.mark.parametrize(
    "other",
    [{"name": "dan"}, {"business_id": BusinessId("b2")}, {"role": Role.COORDINATOR}],
    ids=str,
)
async def test_somebody_elses_token_moves_nothing(other: dict[str, Any]) -> None:
    clock = VirtualClock()
    stay, line = staying(clock, 60)
    with pytest.raises(Unauthorized):
        stay.go_on(ana(120, **other))
    await clock.advance(60)

    assert line.told == ENDED


async def test_what_is_over_cannot_be_renewed() -> None:
    clock = VirtualClock()
    stay, line = staying(clock, 60)
    await clock.advance(60)

    with pytest.raises(Unauthorized, match="expired"):
        stay.go_on(ana(120))
    assert line.told == ENDED
    assert clock.pending == 0


async def test_without_tokens_there_is_nothing_to_renew() -> None:
    answer = await refreshed(None, None, "whatever")

    assert answer.token_expires_at is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "no.such.host."])
def test_on_this_machine_everybody_may_be_believed(host: str) -> None:
    require_trust(Settings(), host, "SERVER_HOST")

    assert not is_open(Settings(), host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "0", "169.254.1.1"])
def test_elsewhere_one_has_to_say_that_one_wants_it(host: str) -> None:
    with pytest.raises(BadSetting) as bad:
        require_trust(Settings(), host, "BRIDGE_HOST")
    require_trust(Settings(allow_insecure="1"), host, "BRIDGE_HOST")
    require_trust(Settings(**JWT), host, "BRIDGE_HOST")

    assert str(bad.value).startswith(f"BRIDGE_HOST is '{host}'")
    assert "ALLOW_INSECURE=1" in str(bad.value)
    assert is_open(Settings(), host)
    assert not is_open(Settings(service_token="t"), host)


def test_tokens_are_read_only_where_they_are_asked_for() -> None:
    assert tokens(Settings()) is None
    assert tokens(Settings(**JWT)) is not None
