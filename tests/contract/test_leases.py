"""The contract of all leases, on real engines; each opening of a case is as another process."""

import asyncio
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import pytest

from adapters.dynamodb.client import Dynamo
from adapters.dynamodb.store import CLOCK_MARGIN_S, DynamoLeases
from adapters.local_leases import LocalLeases
from adapters.memory.leases import MemoryLeases
from adapters.redis.leases import RedisLeases
from adapters.system import SystemClock
from application.ports import Leases
from domain.errors import LeasesUnavailable
from tests.contract.stores import NOON
from tests.support.dynamodb import DYNAMODB_LOCAL, DYNOXIDE, dynamo_store, engine
from tests.support.redis_server import RedisServer, redis_server, valkey_server
from tests.support.server import free_port

NAME, ROUNDS = "turn:b1:ana", 200
SOON_S, LONG_S = 0.25, 60.0


Open = Callable[[], AbstractAsyncContextManager[Leases]]


@dataclass(frozen=True, slots=True)
class LeasesCase:
    """An adapter under the contract. `open` returns those of one process."""

    open: Callable[[Path, RedisServer], AbstractAsyncContextManager[Leases]]
    margin_s: float = 0.0


@cache
def _memory(path: Path) -> MemoryLeases:
    return MemoryLeases(time.monotonic)


def _local(path: Path, _: RedisServer) -> AbstractAsyncContextManager[Leases]:
    return LocalLeases(path / "leases")


@asynccontextmanager
async def _dynamodb(name: str, path: Path, _: RedisServer) -> AsyncIterator[Leases]:
    running = engine(name)
    clock = SystemClock()
    async with dynamo_store(running.url, running.table(path), NOON, clock=clock) as store:
        yield store.leases


@asynccontextmanager
async def _of_the_process(path: Path, _: RedisServer) -> AsyncIterator[Leases]:
    yield _memory(path)


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """The Redis server of this module."""
    with redis_server() as server:
        yield server


def _redis(_: Path, server: RedisServer) -> AbstractAsyncContextManager[Leases]:
    return RedisLeases(server.url)


_ON_DYNAMODB = pytest.mark.dynamodb


@pytest.fixture(
    params=[
        pytest.param(LeasesCase(_of_the_process), id="memory"),
        pytest.param(LeasesCase(_local), id="local"),
        pytest.param(LeasesCase(_redis), id="redis"),
        *(
            pytest.param(
                LeasesCase(partial(_dynamodb, name), CLOCK_MARGIN_S), id=name, marks=_ON_DYNAMODB
            )
            for name in (DYNOXIDE, DYNAMODB_LOCAL)
        ),
    ]
)
def case(request: pytest.FixtureRequest) -> LeasesCase:
    """Each adapter."""
    found: LeasesCase = request.param
    return found


@pytest.fixture
def opened(case: LeasesCase, tmp_path: Path, redis: RedisServer) -> Open:
    """A function that opens the leases of another process, with names of this test alone."""
    prefix = f"{tmp_path}:"

    @asynccontextmanager
    async def open_() -> AsyncIterator[Leases]:
        async with case.open(tmp_path, redis) as leases:
            yield _Named(leases, prefix)

    return open_


class _Named(Leases):
    """Leases whose names have a prefix: a server is shared by all tests."""

    def __init__(self, leases: Leases, prefix: str) -> None:
        self._leases, self._prefix = leases, prefix

    async def claim(self, name: str, holder: str, ttl_s: float) -> bool:
        return await self._leases.claim(self._prefix + name, holder, ttl_s)

    async def release(self, name: str, holder: str) -> None:
        await self._leases.release(self._prefix + name, holder)


async def _claimed_at_last(leases: Leases, holder: str) -> float:
    """Claim the name until it is got; return the seconds that took."""
    began = time.monotonic()
    while True:
        if await leases.claim(NAME, holder, LONG_S):
            return time.monotonic() - began
        await asyncio.sleep(0.005)


async def test_a_name_has_one_holder_until_it_is_released(opened: Open) -> None:
    async with opened() as ours, opened() as theirs:
        assert await ours.claim(NAME, "a", LONG_S)
        assert not await theirs.claim(NAME, "b", LONG_S)
        assert await theirs.claim("another", "b", LONG_S)

        await ours.release(NAME, "a")
        assert await theirs.claim(NAME, "b", LONG_S)
        assert not await ours.claim(NAME, "a", LONG_S)


async def test_a_renewed_name_is_held_from_the_renewal_on(opened: Open, case: LeasesCase) -> None:
    async with opened() as ours, opened() as theirs:
        assert await ours.claim(NAME, "a", SOON_S)
        assert await ours.claim(NAME, "a", LONG_S)

        until = time.monotonic() + SOON_S + case.margin_s + 0.1
        while time.monotonic() < until:
            assert not await theirs.claim(NAME, "b", LONG_S)
            await asyncio.sleep(0.02)


async def test_the_name_of_a_holder_that_has_died_is_free_when_its_time_is_over(
    opened: Open, case: LeasesCase
) -> None:
    async with opened() as ours:
        assert await ours.claim(NAME, "a", SOON_S)
        began = time.monotonic()
    async with opened() as theirs:
        await _claimed_at_last(theirs, "b")
        took = time.monotonic() - began

    assert SOON_S - 0.05 <= took <= SOON_S + case.margin_s + 1.0


async def test_a_name_that_was_lost_is_neither_renewed_nor_released(opened: Open) -> None:
    async with opened() as ours, opened() as theirs:
        assert await ours.claim(NAME, "a", SOON_S)
        await _claimed_at_last(theirs, "b")

        assert not await ours.claim(NAME, "a", LONG_S)
        await ours.release(NAME, "a")
        assert not await ours.claim(NAME, "c", LONG_S)


async def test_the_release_of_a_name_that_nobody_holds_does_nothing(opened: Open) -> None:
    async with opened() as ours:
        await ours.release(NAME, "a")
        assert await ours.claim(NAME, "b", LONG_S)


async def test_of_claims_at_the_same_instant_exactly_one_succeeds(opened: Open) -> None:
    async with opened() as ours, opened() as theirs:
        for number in range(ROUNDS):
            got = await asyncio.gather(
                *(
                    leases.claim(f"{NAME}{number}", f"{at}", LONG_S)
                    for at, leases in enumerate((ours, theirs, ours, theirs))
                )
            )
            assert sum(got) == 1, number


async def test_a_free_name_has_one_taker_however_often_it_changes_hands(opened: Open) -> None:
    holding: list[str] = []

    async def work(leases: Leases, holder: str) -> None:
        for _ in range(20):
            await _claimed_at_last(leases, holder)
            holding.append(holder)
            assert holding == [holder]
            await asyncio.sleep(0)
            holding.remove(holder)
            await leases.release(NAME, holder)

    async with opened() as ours, opened() as theirs:
        await asyncio.gather(*(work(ours, f"a{n}") for n in range(2)), work(theirs, "b"))


# What is kept.


async def test_expired_names_do_not_stay_in_memory() -> None:
    now = 0.0
    leases = MemoryLeases(lambda: now)
    for number in range(10_000):
        now = number * 0.1
        assert await leases.claim(str(number), "a", 10.0)

    assert len(leases._held) <= 2 * 101


@pytest.fixture
def one_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in which there are eight names at most."""
    monkeypatch.setattr("adapters.local_leases._BUCKETS", 1)


@pytest.mark.usefixtures("one_bucket")
async def test_expired_names_make_room_in_the_file(tmp_path: Path) -> None:
    async with LocalLeases(tmp_path / "leases") as leases:
        for number in range(100):
            assert await leases.claim(str(number), "a", 0.0)

    assert (tmp_path / "leases").stat().st_size <= 1_000


@pytest.mark.usefixtures("one_bucket")
async def test_names_without_room_are_unavailable_until_there_is_some(tmp_path: Path) -> None:
    async with LocalLeases(tmp_path / "leases") as leases:
        for number in range(8):
            assert await leases.claim(str(number), "a", LONG_S)
        with pytest.raises(LeasesUnavailable):
            await leases.claim("another", "a", LONG_S)
        assert await leases.claim("0", "a", LONG_S)

        await leases.release("3", "a")
        assert await leases.claim("another", "b", LONG_S)
        assert not await leases.claim("0", "b", LONG_S)


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def test_the_file_is_this_user_s_alone(tmp_path: Path) -> None:
    async with LocalLeases(tmp_path / "leases") as leases:
        await leases.claim(NAME, "a", LONG_S)
        modes = _modes(tmp_path)

    assert modes == {"leases": 0o600}


_CLAIMS_FOREVER = """
import asyncio, sys
from adapters.local_leases import LocalLeases

async def main():
    async with LocalLeases(sys.argv[1]) as leases:
        while True:
            print(await leases.claim("%s", "killed", 0.2), flush=True)

asyncio.run(main())
"""

_TAKES_TURNS = """
import asyncio, os, sys
from adapters.local_leases import LocalLeases

async def main():
    async with LocalLeases(sys.argv[1]) as leases:
        for got in range(300):
            while not await leases.claim("%s", str(os.getpid()), 60.0):
                await asyncio.sleep(0)
            os.mkdir(sys.argv[1] + ".held")
            await asyncio.sleep(0)
            os.rmdir(sys.argv[1] + ".held")
            await leases.release("%s", str(os.getpid()))

asyncio.run(main())
"""

_LOCKS = """
import fcntl, sys

with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    print(flush=True)
    sys.stdin.read()
"""


def _started(code: str, path: Path) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=pipe, stdout=pipe)


@contextmanager
def _claiming(path: Path) -> Iterator[None]:
    """Let another process claim and renew the name, and kill it while it does."""
    with _started(_CLAIMS_FOREVER % NAME, path) as process:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        yield
        process.kill()


async def test_a_process_that_is_killed_while_it_claims_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "leases"
    async with LocalLeases(path) as leases:
        for _ in range(3):
            with _claiming(path):
                assert not await leases.claim(NAME, "b", LONG_S)
            assert await _claimed_at_last(leases, "b") < 1.0
            await leases.release(NAME, "b")


def test_several_processes_never_hold_a_name_at_once(tmp_path: Path) -> None:
    code = _TAKES_TURNS % (NAME, NAME)
    processes = [_started(code, tmp_path / "leases") for _ in range(3)]
    for process in processes:
        process.communicate()

    assert [process.returncode for process in processes] == [0, 0, 0]


# The service is away.


async def _fails_soon(leases: Leases) -> None:
    for call in (leases.claim(NAME, "a", LONG_S), leases.release(NAME, "a")):
        began = time.monotonic()
        with pytest.raises(LeasesUnavailable):
            await call
        assert time.monotonic() - began <= 0.5


@contextmanager
def _refusing() -> Iterator[int]:
    yield free_port()


@contextmanager
def _silent() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("service", [_refusing, _silent])
async def test_a_redis_that_is_away_or_silent_is_given_up_soon(
    service: Callable[[], AbstractContextManager[int]],
) -> None:
    with service() as port:
        async with RedisLeases(f"redis://127.0.0.1:{port}/0") as leases:
            await _fails_soon(leases)


@pytest.mark.parametrize("service", [_refusing, _silent])
async def test_a_dynamodb_that_is_away_or_silent_is_given_up_soon(
    service: Callable[[], AbstractContextManager[int]],
) -> None:
    with service() as port:
        dynamo = Dynamo(
            "t", endpoint_url=f"http://127.0.0.1:{port}", clock=SystemClock(), jitter=lambda: 1.0
        )
        async with dynamo:
            await _fails_soon(DynamoLeases(dynamo, SystemClock()))


async def test_a_file_that_another_process_locks_is_given_up_soon(tmp_path: Path) -> None:
    path = tmp_path / "leases"
    async with LocalLeases(path) as leases:
        assert await leases.claim("another", "a", LONG_S)
        with _started(_LOCKS, path) as process:
            assert process.stdout is not None
            process.stdout.readline()
            await _fails_soon(leases)
            process.communicate()
        assert await leases.claim(NAME, "a", LONG_S)


async def test_a_file_that_cannot_be_opened_is_opened_once_it_can_be(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "leases"
    async with LocalLeases(path) as leases:
        await _fails_soon(leases)
        path.parent.mkdir()
        assert await leases.claim(NAME, "a", LONG_S)


async def test_leases_that_are_closed_are_unavailable(tmp_path: Path) -> None:
    leases = LocalLeases(tmp_path / "leases")
    await _fails_soon(leases)
    async with leases:
        assert await leases.claim(NAME, "a", LONG_S)
    await _fails_soon(leases)


async def test_a_redis_that_stops_for_a_while_mixes_up_no_replies() -> None:
    with redis_server() as server:
        async with RedisLeases(server.url) as leases:
            assert await leases.claim("a", "a", LONG_S)
            server.pause()
            lost = await asyncio.gather(
                *(leases.claim(f"b{n}", "b", LONG_S) for n in range(20)), return_exceptions=True
            )
            assert Counter(map(type, lost)) == {LeasesUnavailable: 20}
            server.resume()
            got = [await leases.claim("a", holder, LONG_S) for holder in "aba" * 10]

    assert got == [True, False, True] * 10


async def test_a_redis_that_is_restarted_empty_is_used_at_once() -> None:
    with redis_server() as server:
        async with RedisLeases(server.url) as leases:
            for _ in range(2):
                assert await leases.claim(NAME, f"{time.monotonic()}", LONG_S)
                server.kill()
                await _fails_soon(leases)
                server.start()


async def test_leases_are_kept_in_valkey_as_well() -> None:
    with valkey_server() as server:
        async with RedisLeases(server.url) as leases:
            assert await leases.claim(NAME, "a", LONG_S)
            assert not await leases.claim(NAME, "b", LONG_S)
            await leases.release(NAME, "a")
            assert await leases.claim(NAME, "b", LONG_S)
