"""Conversations recorded between a client and the reference implementation, and their replay.

One conversation per line of `tests/phoenix-vectors.jsonl`. A frame there is a text as it is,
`hex:…` a binary one, `<http N>` an upgrade refused with N, `<close N>` a connection closed with N;
JSON is compared parsed, and `<any>` matches any value.
"""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
from websockets import ConnectionClosed, InvalidStatus
from websockets.asyncio.client import ClientConnection, connect

QUIET_S = 0.2
"""Time without further frames after the expected ones, in seconds."""

PATIENCE_S = 10.0
"""Time-out for an expected frame on a busy machine, in seconds."""


class Peer(msgspec.Struct, frozen=True):
    """A second client: the frames that it sends before, and those that it expects."""

    vsn: str | None
    given: list[str]
    expect: list[str]


class Vector(msgspec.Struct, frozen=True):
    """One conversation. Frames received in answer to `given` are ignored."""

    name: str
    vsn: str | None
    given: list[str]
    send: str | None
    expect: list[str]
    source: str
    reason: str
    query: str | None = None
    peer: Peer | None = None
    unordered: bool = False


class Played(msgspec.Struct, frozen=True):
    """The frames received by the client, and by its peer."""

    got: list[str]
    peer_got: list[str]


_FILE = Path(__file__).parent.parent / "phoenix-vectors.jsonl"
VECTORS = msgspec.json.Decoder(Vector).decode_lines(_FILE.read_bytes())


async def play(mount: str, vector: Vector) -> Played:
    """Replay a conversation against the vector app at a mount like ws://127.0.0.1:40123/socket."""
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(_open(mount, vector.vsn, vector.query))
        except InvalidStatus as refused:
            return Played([f"<http {refused.response.status_code}>"], [])
        peer = None
        if vector.peer is not None:
            peer = await stack.enter_async_context(_open(mount, vector.peer.vsn))
            await _prepare(peer, vector.peer.vsn, vector.peer.given)
        await _prepare(client, vector.vsn, vector.given)
        if vector.send is not None:
            await _send(client, vector.send)
        got = await _receive(client, len(vector.expect))
        if peer is None or vector.peer is None:
            return Played(got, [])
        return Played(got, await _receive(peer, len(vector.peer.expect)))


def same_frames(expected: list[str], got: list[str], unordered: bool = False) -> bool:
    """Return True if these are the expected frames, in that order unless `unordered`."""
    if len(expected) != len(got):
        return False
    if not unordered:
        return all(map(_same_frame, expected, got))
    rest = list(got)
    for frame in expected:
        found = next((other for other in rest if _same_frame(frame, other)), None)
        if found is None:
            return False
        rest.remove(found)
    return True


def _open(mount: str, vsn: str | None, query: str | None = None) -> connect:
    parts = [query] if query else []
    if vsn is not None:
        parts.append(f"vsn={vsn}")
    url = f"{mount}/websocket?{'&'.join(parts)}"
    return connect(url, compression=None, ping_interval=None, max_size=None, proxy=None)


async def _send(client: ClientConnection, frame: str) -> None:
    await client.send(bytes.fromhex(frame[4:]) if frame.startswith("hex:") else frame)


async def _prepare(client: ClientConnection, vsn: str | None, given: list[str]) -> None:
    if vsn is None or vsn.startswith("1."):
        barrier = '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"barrier"}'
    else:
        barrier = '[null,"barrier","phoenix","heartbeat",{}]'
    for frame in given:
        await _send(client, frame)
        await client.send(barrier)
        while "barrier" not in str(await client.recv()):
            pass
        await _receive(client, 0)  # a channel may push by itself after that


async def _receive(client: ClientConnection, at_least: int) -> list[str]:
    frames: list[str] = []
    while True:
        try:
            async with asyncio.timeout(QUIET_S if len(frames) >= at_least else PATIENCE_S):
                message = await client.recv()
        except TimeoutError:
            return frames
        except ConnectionClosed as closed:
            return [*frames, f"<close {closed.rcvd.code if closed.rcvd else 1006}>"]
        frames.append(message if isinstance(message, str) else "hex:" + message.hex())


def _same_frame(expected: str, got: str) -> bool:
    if expected.startswith(("<", "hex:")) or got.startswith(("<", "hex:")):
        return expected == got
    return _same_value(json.loads(expected), json.loads(got))


def _same_value(expected: Any, got: Any) -> bool:
    if expected == "<any>":
        return True
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(
            _same_value(value, got[key]) for key, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(_same_value, expected, got))
    return type(expected) is type(got) and bool(expected == got)
