"""The tokens that name a long-poll session."""

import base64
from dataclasses import dataclass

import msgspec
import pytest

from adapters.phoenix.longpoll import TOKEN_MAX_AGE_S, SessionTokens


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> SessionTokens:
    return SessionTokens("n1", clock)


def test_a_token_names_its_session_for_fourteen_days(tokens: SessionTokens, clock: Clock) -> None:
    token = tokens.sign("s1").encode()

    clock.now += TOKEN_MAX_AGE_S - 1
    assert tokens.session_id(token) == "s1"
    clock.now += 1
    assert tokens.session_id(token) is None


def test_a_token_can_be_read_for_the_node_that_it_is_from(tokens: SessionTokens) -> None:
    body = tokens.sign("s1").partition(".")[0]

    assert msgspec.json.decode(base64.urlsafe_b64decode(body))[0] == "n1"


def test_another_process_accepts_no_token_of_this_one(tokens: SessionTokens) -> None:
    assert SessionTokens("n1").session_id(tokens.sign("s1").encode()) is None


@pytest.mark.parametrize("changed", range(0, 100, 7))
def test_a_token_that_was_changed_anywhere_names_nothing(
    tokens: SessionTokens, changed: int
) -> None:
    token = bytearray(tokens.sign("a session's id of the usual length").encode())
    token[changed] ^= 1

    assert tokens.session_id(bytes(token)) is None


@pytest.mark.parametrize("garbage", [b"", b".", b"a.b", b"\xff\xfe", b"." * 1000])
def test_garbage_names_nothing(tokens: SessionTokens, garbage: bytes) -> None:
    assert tokens.session_id(garbage) is None
