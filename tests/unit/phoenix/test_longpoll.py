"""The tokens that name a polled socket."""

import base64
from dataclasses import dataclass

import msgspec
import pytest

from adapters.phoenix.longpoll import TOKEN_MAX_AGE_S, SocketTokens


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> SocketTokens:
    return SocketTokens("n1", clock)


def test_a_token_names_its_socket_for_fourteen_days(tokens: SocketTokens, clock: Clock) -> None:
    token = tokens.sign("s1").encode()

    clock.now += TOKEN_MAX_AGE_S - 1
    assert tokens.socket_id(token) == "s1"
    clock.now += 1
    assert tokens.socket_id(token) is None


def test_a_token_can_be_read_for_the_node_that_it_is_from(tokens: SocketTokens) -> None:
    body = tokens.sign("s1").partition(".")[0]

    assert msgspec.json.decode(base64.urlsafe_b64decode(body))[0] == "n1"


def test_another_process_accepts_no_token_of_this_one(tokens: SocketTokens) -> None:
    assert SocketTokens("n1").socket_id(tokens.sign("s1").encode()) is None


@pytest.mark.parametrize("changed", range(0, 100, 7))
def test_a_token_that_was_changed_anywhere_names_nothing(
    tokens: SocketTokens, changed: int
) -> None:
    token = bytearray(tokens.sign("a socket's id of the usual length").encode())
    token[changed] ^= 1

    assert tokens.socket_id(bytes(token)) is None


@pytest.mark.parametrize("garbage", [b"", b".", b"a.b", b"\xff\xfe", b"." * 1000])
def test_garbage_names_nothing(tokens: SocketTokens, garbage: bytes) -> None:
    assert tokens.socket_id(garbage) is None
