"""RFC 6455 on a real server, which repeats every message."""

import asyncio
import ssl
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from adapters.phoenix.socket_protocol import SocketUser
from adapters.phoenix.uvicorn_protocol import HANDSHAKE_EXTENSION, HandshakeProtocol
from adapters.phoenix.websocket import BINARY, CLOSE, TEXT, text_frame
from tests.integration.phoenix.client import RawClient, connected
from tests.support.certificates import self_signed
from tests.support.rfc6455 import MAX_BYTES, SMALL, Case, cases, client_frame, server_frame
from tests.support.server import UNBUDGETED, running
from tests.support.vector_app import vector_app


class Echo(SocketUser):
    """Repeats each message."""

    def __init__(self, handshake: HandshakeProtocol) -> None:
        self._socket = handshake.hand_over(self)

    def receive(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self._socket.send_frames([text_frame(message)])
        else:
            self._socket.send_frames([server_frame(BINARY, message)])

    def write(self) -> None:
        pass

    def drop_slow_consumer(self) -> None:
        pass

    def ended(self, code: int) -> None:
        pass


async def echo(scope: Any, receive: Any, send: Any) -> None:
    await serve(Echo, scope, receive, send)


async def serve(user: type[Echo], scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    handshake = scope["extensions"].pop(HANDSHAKE_EXTENSION)
    await receive()
    await send({"type": "websocket.accept"})
    user(handshake)


class PushAgain(Echo):
    """Says whether it may write: at once, later, and after the time-out of a stall."""

    def receive(self, message: str | bytes) -> None:
        for delay_s in (0.0, 0.1, 0.5):
            asyncio.get_running_loop().call_later(delay_s, self._push)

    def _push(self) -> None:
        self._socket.send_frames([text_frame("writable" if self._socket.is_writable else "not")])


async def push_again(scope: Any, receive: Any, send: Any) -> None:
    await serve(PushAgain, scope, receive, send)


async def answer(client: RawClient, pieces: Sequence[bytes]) -> bytes:
    """Return what comes until the end of the connection."""
    await client.upgrade("/")
    with suppress(ConnectionError):  # the server may have closed before the last piece
        for piece in pieces:
            await client.write(piece)
            # The server is in the same loop, and reads a piece before the next one is sent.
            for _ in range(2):
                await asyncio.sleep(0)
    return await client.read_to_end()


def cuts(sent: bytes) -> Iterator[list[bytes]]:
    yield [sent]
    if len(sent) <= SMALL:
        yield from ([sent[:at], sent[at:]] for at in range(1, len(sent)))
        yield [sent[at : at + 1] for at in range(len(sent))]


@pytest.mark.parametrize("section", sorted({case.section for case in cases()}))
async def test_rfc_6455_cut_anywhere(section: str) -> None:
    failed: list[Case] = []
    async with running(echo, max_frame_bytes=MAX_BYTES, **UNBUDGETED) as address:
        for case in (each for each in cases() if each.section == section):
            for pieces in cuts(case.sent):
                async with connected(address) as client:
                    if await answer(client, pieces) != case.answer:
                        failed.append(case)

    assert failed == []


async def test_what_came_right_behind_the_request_is_processed() -> None:
    request = (
        b"GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    async with running(echo, max_frame_bytes=MAX_BYTES, **UNBUDGETED) as address:
        for case in cases():
            async with connected(address) as client:
                await client.write(request + case.sent)
                _, _, answered = (await client.read_to_end()).partition(b"\r\n\r\n")
                assert answered == case.answer, case


async def test_what_follows_a_long_request_is_processed() -> None:
    """It is read in slices, and what comes between the last one and the hand-over is not lost."""
    head = (
        b"GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    request = head + b"cookie: " + b"x" * 6_000 + b"\r\n\r\n"
    sent = client_frame(TEXT, b"hello") + client_frame(CLOSE)
    async with running(echo) as address:
        for turns in range(8):
            async with connected(address) as client:
                await client.write(request)
                for _ in range(turns):
                    await asyncio.sleep(0)
                await client.write(sent)
                async with asyncio.timeout(5):
                    _, _, answered = (await client.read_to_end()).partition(b"\r\n\r\n")
                assert answered == text_frame("hello") + b"\x88\x00", turns


async def test_a_socket_lives_on_after_its_route_and_is_closed_with_the_server() -> None:
    async with running(echo) as address:
        client = await connect(f"ws://{address}/", compression=None, proxy=None)
        await client.send("still there?")
        assert await client.recv() == "still there?"
    await client.wait_closed()

    assert client.close_code == 1012


async def test_a_server_that_stops_during_a_handshake_logs_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    request = (
        b"GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    for turns in range(6):
        async with AsyncExitStack() as stack:
            async with running(echo, close_timeout_s=0.1) as address:
                client = await stack.enter_async_context(connected(address))
                await client.write(request)
                for _ in range(turns):
                    await asyncio.sleep(0)

    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_socket_over_tls_is_the_same(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    trusted = ssl.create_default_context(cafile=str(certificate))
    served = running(vector_app(), ssl_certfile=str(certificate), ssl_keyfile=str(key))
    async with served as address:
        port = address.split(":")[1]
        url = f"wss://localhost:{port}/socket/websocket?vsn=2.0.0"
        async with connect(url, ssl=trusted, compression=None, proxy=None) as client:
            for size in (10, 60_000):
                await client.send(f'[null,"hb","phoenix","heartbeat",{{"x":"{"x" * size}"}}]')
                assert '"hb"' in str(await client.recv())
            await client.send("{")
            await client.wait_closed()
            assert client.close_code == 1011


async def test_over_tls_what_waits_is_written_at_once_and_silence_is_no_stall(
    tmp_path: Path,
) -> None:
    certificate, key = self_signed(tmp_path)
    trusted = ssl.create_default_context(cafile=str(certificate))
    served = running(
        push_again, ssl_certfile=str(certificate), ssl_keyfile=str(key), stall_timeout_s=0.2
    )
    async with served as address, asyncio.timeout(5):
        url = f"wss://localhost:{address.split(':')[1]}/"
        async with connect(url, ssl=trusted, compression=None, proxy=None) as client:
            await client.send("x")
            assert [await client.recv() for _ in range(3)] == ["writable"] * 3
