"""The attacks, each on one server, by clients without a token."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any

import uvloop

from tests.attacks.siege import Siege, connection, flood, frame
from tests.integration.phoenix.client import masked

Attack = Callable[[Siege, float], Coroutine[Any, Any, object]]
"""Attacks a server for so many seconds."""

MB = 1_000_000
HOST = b"\r\nhost: x\r\n"
EMOJI = "\U0001f600" * 7_900


def _frames(data: bytes, bytes_per_s: int, start: bytes = b"") -> Attack:
    def attack(siege: Siege, seconds: float) -> Coroutine[Any, Any, object]:
        return flood(
            siege.address,
            data,
            seconds=seconds,
            bytes_per_s=bytes_per_s,
            start=start,
            upgrade=True,
        )

    return attack


def _requests(start: bytes, data: bytes, bytes_per_s: int = 100 * MB) -> Attack:
    def attack(siege: Siege, seconds: float) -> Coroutine[Any, Any, object]:
        return flood(siege.address, data, seconds=seconds, bytes_per_s=bytes_per_s, start=start)

    return attack


def floods_of_frames(bytes_per_s: int = 2 * MB) -> Mapping[str, Attack]:
    """Return floods over one socket that joins nothing."""
    data = {
        "empty pongs": masked(b"", 0x8A),
        "empty pings": masked(b"", 0x89),
        "heartbeats": frame(None, "1", "phoenix", "heartbeat", {}),
        "joins of unknown topics": frame("1", "1", "nobody:1", "phx_join", {}),
    }
    fragments = _frames(masked(b"", 0x00), bytes_per_s, start=masked(b"", 0x01))
    floods = {name: _frames(each, bytes_per_s) for name, each in data.items()}
    return {**floods, "empty fragments": fragments}


CHUNKED = b"POST /api/agent-responses HTTP/1.1" + HOST + b"transfer-encoding: chunked\r\n\r\n"
FLOODS_OF_REQUESTS: Mapping[str, Attack] = {
    "headers without an end": _requests(b"GET /health HTTP/1.1" + HOST, b"a: b\r\n" * 1_000),
    "a header without an end": _requests(b"GET /health HTTP/1.1" + HOST + b"a: ", b"b" * 10_000),
    "trailers without an end": _requests(CHUNKED + b"1\r\nx\r\n0\r\n", b"a: b\r\n" * 1_000),
    "a request line without an end": _requests(b"GET /", b"x" * 10_000),
    "requests whose answers are not read": _requests(b"", b"GET /schema HTTP/1.1\r\n\r\n" * 500),
}


async def unread_history(siege: Siege, seconds: float, number: int = 30) -> None:
    """Ask for long pages on many sockets of one customer, and read nothing."""
    who = {"businessId": "b1", "userId": "greedy"}
    join = frame("1", "1", "messages:b1", "phx_join", who)
    said = {**who, "locationId": "l1", "message": EMOJI}
    async with AsyncExitStack() as stack:
        sockets = []
        for _ in range(number):
            client = await stack.enter_async_context(connection(siege.address))
            await client.upgrade()
            await client.write(join)
            await client.read()
            sockets.append(client)
        await sockets[0].write(frame("1", "2", "messages:b1", "new_message", said) * 30)
        for _ in range(round(seconds / 0.1)):
            for client in sockets:
                with suppress(OSError):
                    await client.write(frame("1", "3", "messages:b1", "history", {"limit": 50}))
            await asyncio.sleep(0.1)


async def bursts_at_once(siege: Siege, seconds: float, number: int = 900) -> None:
    """Open many sockets, and then send on all of them what one may send at once."""
    burst = frame(None, "1", "phoenix", "heartbeat", {}) * 290
    async with AsyncExitStack() as stack:
        sockets = []
        for _ in range(number):
            client = await stack.enter_async_context(connection(siege.address))
            await client.upgrade()
            sockets.append(client)
        siege.waits_s.clear()
        for client in sockets:
            await client.write(burst)
        await asyncio.sleep(seconds)


async def unread_pongs(siege: Siege, seconds: float) -> None:
    """Send large pings, and read no pong."""
    pings = masked(b"x" * 125, 0x89)
    await flood(siege.address, pings, seconds=seconds, bytes_per_s=20 * MB, upgrade=True)


UNREAD: Mapping[str, Attack] = {
    "history that is not read": unread_history,
    "pongs that are not read": unread_pongs,
}

STARTS = [
    b"",
    b"GET / HT",
    b"GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\n",
    b"POST /api/agent-responses HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n",
]


async def unfinished_requests(siege: Siege, seconds: float, number: int = 250) -> None:
    """Open connections from five addresses that send nothing, or a part of a request."""
    async with AsyncExitStack() as stack:
        for each in range(number):
            with suppress(OSError):
                client = await stack.enter_async_context(
                    connection(siege.address, f"127.0.0.{10 + each % 5}")
                )
                await client.write(STARTS[each % len(STARTS)])
        await asyncio.sleep(seconds)


async def wrong_sockets(address: str, seconds: float, number: int) -> None:
    """Run sockets from four addresses that do everything wrong, each its own.

    They begin within the first tenth of the time, and when closed they come back after 2 s.
    """
    wrong = [
        masked(b"", 0x8A) * 50,
        masked(b"x" * 125, 0x89) * 50,
        frame(None, "1", "phoenix", "heartbeat", {}) * 20,
        frame("1", "1", "nobody:1", "phx_join", {}) * 20,
        frame("1", "1", "messages:b1", "phx_join", {"businessId": 5}) * 5,
        masked(b"{"),
        masked(b"\xff\xfe"),
        masked(b"x" * 60_000)[:-1],
        b"\x81\x02{}",
        masked(b"x" * 60_000, 0x01),
    ]
    floods = [
        flood(
            address,
            wrong[each % len(wrong)],
            seconds=seconds,
            bytes_per_s=0,
            upgrade=True,
            source=f"127.0.1.{1 + each % 4}",
            pause_s=2.0,
            begin_s=seconds / 10 * each / number,
        )
        for each in range(number)
    ]
    await asyncio.gather(*floods)


if __name__ == "__main__":  # the attackers of `tests.bench`, in a process of their own
    uvloop.run(wrong_sockets(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
