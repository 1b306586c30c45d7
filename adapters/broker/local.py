"""Channels between the processes of one machine: a switch, and clients of its Unix socket.

A frame is its length (4 bytes), a kind (1), the length of the channel's name (2), the name, and a
message. A client that does not read is disconnected, as by Redis: it comes back, and knows that it
has missed something. What no other client has subscribed to, a client does not send: `interest`.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Self, cast

from adapters.broker.channels import ChannelListener, Channels
from adapters.broker.interest import InterestReader, InterestWriter
from domain.backoff import backoff

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
CONNECT_S, CLOSE_S = 2.0, 2.0
"""The time for a connection, and at the end for what is still to be sent."""
MAX_UNREAD_BYTES = 16 * 1024 * 1024
"""A client that has not read so much is disconnected; a client drops what the switch has not."""
MAX_SWITCHED_BYTES = 1024 * 1024

_SUBSCRIBE, _UNSUBSCRIBE, _PUBLISH, _CONFIRM, _WELCOME = range(5)
_HEAD = Struct(">IBH")

logger = logging.getLogger(__name__)


def _frame(kind: int, channel: bytes, message: bytes = b"") -> bytes:
    return _HEAD.pack(len(channel) + len(message), kind, len(channel)) + channel + message


class _Peer(asyncio.Protocol):
    """One end of a connection."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        while end - at >= _HEAD.size:
            size, kind, named = _HEAD.unpack_from(data, at)
            start = at + _HEAD.size
            if size > MAX_SWITCHED_BYTES or named > size:
                self.transport.abort()  # it is none of ours
                return
            if start + size > end:
                break
            at = start + size
            self.on_frame(kind, data[start : start + named], data[start + named : at])
        self._rest = data[at:]

    def on_frame(self, kind: int, channel: bytes, message: bytes) -> None:
        raise NotImplementedError

    def send(self, frame: bytes) -> bool:
        """Send a frame; False: too much is waiting, or the end is near, and it is dropped."""
        transport = self.transport
        if transport.is_closing() or transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            return False
        self.transport.write(frame)
        return True


class LocalSwitch:
    """Passes messages on to all clients that have subscribed to their channel.

    Use it as `async with LocalSwitch(path):`, in a folder that only this user can open.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._subscribers: dict[bytes, dict[_SwitchClient, None]] = {}
        self._clients: set[_SwitchClient] = set()
        self._server: asyncio.Server
        self._interest: InterestWriter

    async def __aenter__(self) -> Self:
        with suppress(FileNotFoundError):
            self._path.unlink()  # of a switch that was killed
        self._interest = InterestWriter(_interest_path(self._path))
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _SwitchClient(self), str(self._path))
        self._path.chmod(0o600)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for client in list(self._clients):
            client.transport.abort()
        self._interest.close()
        with suppress(FileNotFoundError):
            self._path.unlink()

    def connected(self, client: "_SwitchClient") -> None:
        self._clients.add(client)
        client.column = self._interest.column()
        client.pass_on(_frame(_WELCOME, b"", bytes([client.column])))

    def disconnected(self, client: "_SwitchClient") -> None:
        self._clients.discard(client)
        for channel in client.channels:
            self._leave(client, channel)
        self._interest.release(client.column)

    def subscribe(self, client: "_SwitchClient", channel: bytes) -> None:
        if channel not in client.channels:
            client.channels.add(channel)
            self._subscribers.setdefault(channel, {})[client] = None
            self._interest.add(client.column, channel)
        client.pass_on(_frame(_CONFIRM, channel))

    def unsubscribe(self, client: "_SwitchClient", channel: bytes) -> None:
        if channel in client.channels:
            client.channels.discard(channel)
            self._leave(client, channel)

    def _leave(self, client: "_SwitchClient", channel: bytes) -> None:
        subscribers = self._subscribers[channel]
        del subscribers[client]
        if not subscribers:
            del self._subscribers[channel]
        self._interest.remove(client.column, channel)

    def publish(self, channel: bytes, message: bytes) -> None:
        if subscribers := self._subscribers.get(channel):
            frame = _frame(_PUBLISH, channel, message)
            for client in list(subscribers):
                client.pass_on(frame)


class _SwitchClient(_Peer):
    """A client as the switch sees it."""

    column: int
    """Its place in the table of interest."""

    def __init__(self, switch: LocalSwitch) -> None:
        super().__init__()
        self._switch = switch
        self.channels: set[bytes] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._switch.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._switch.disconnected(self)

    def on_frame(self, kind: int, channel: bytes, message: bytes) -> None:
        if kind == _PUBLISH:
            self._switch.publish(channel, message)
        elif kind == _SUBSCRIBE:
            self._switch.subscribe(self, channel)
        elif kind == _UNSUBSCRIBE:
            self._switch.unsubscribe(self, channel)

    def pass_on(self, frame: bytes) -> None:
        """Send a frame, or disconnect a client that does not read."""
        if not self.send(frame):
            self.transport.abort()


class LocalChannels(Channels):
    """A client of the switch at `path`, which may come later, or again."""

    def __init__(self, path: str | Path, jitter: Callable[[], float]) -> None:
        """`jitter` returns a float in 0..1."""
        self._path = Path(path)
        self._jitter = jitter
        self._listener: ChannelListener
        self._wanted: set[bytes] = set()
        self._connection: _SwitchConnection | None = None
        self._connecting: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<LocalChannels {len(self._wanted)} connected={self._connection is not None}>"

    async def __aenter__(self) -> Self:
        self._connecting = asyncio.create_task(self._connect_forever())
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        if (connection := self._connection) is not None:
            connection.transport.close()
            try:
                async with asyncio.timeout(CLOSE_S):
                    await connection.closed.wait()
            except TimeoutError:  # the switch does not read
                connection.transport.abort()

    def listen(self, listener: ChannelListener) -> None:
        self._listener = listener

    def subscribe(self, channel: str) -> None:
        self._wanted.add(name := channel.encode())
        self._send(_frame(_SUBSCRIBE, name))

    def unsubscribe(self, channel: str) -> None:
        self._wanted.discard(name := channel.encode())
        self._send(_frame(_UNSUBSCRIBE, name))

    def is_wanted(self, channel: str) -> bool:
        interest = self._connection.interest if self._connection is not None else None
        return interest is None or interest.has_others(channel.encode())

    def publish(self, channel: str, message: bytes) -> bool:
        return self._send(_frame(_PUBLISH, channel.encode(), message))

    def _send(self, frame: bytes) -> bool:
        return self._connection is not None and self._connection.send(frame)

    def reconnect(self) -> None:
        if self._connection is not None:
            self._connection.transport.abort()

    async def _connect_forever(self) -> None:
        loop, attempt = asyncio.get_running_loop(), 0
        while True:
            try:
                async with asyncio.timeout(CONNECT_S):
                    _, connection = await loop.create_unix_connection(
                        lambda: _SwitchConnection(self._on_frame, self._path), str(self._path)
                    )
            except OSError as error:  # also a TimeoutError
                if attempt == 0:
                    self._log(error)
            else:
                attempt = 0
                self._connection = connection
                for channel in self._wanted:
                    connection.send(_frame(_SUBSCRIBE, channel))
                await connection.closed.wait()
                self._connection = None
                self._listener.on_lost()
            await asyncio.sleep(backoff(attempt, FIRST_PAUSE_S, LONGEST_PAUSE_S, self._jitter()))
            attempt += 1

    def _on_frame(self, kind: int, channel: str, message: bytes) -> None:
        if kind == _CONFIRM:
            self._listener.on_subscribed(channel)
        elif kind == _PUBLISH:
            self._listener.on_message(channel, message)

    def _log(self, error: OSError) -> None:
        extra = {"action": "broker_disconnected", "error": type(error).__name__}
        logger.warning("The connection to the broker was lost", extra=extra)


class _SwitchConnection(_Peer):
    """The connection to the switch."""

    def __init__(self, on_frame: Callable[[int, str, bytes], None], path: Path) -> None:
        super().__init__()
        self._on_frame = on_frame
        self._path = path
        self.interest: InterestReader | None = None
        """None: it is not known."""
        self.closed = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()

    def on_frame(self, kind: int, channel: bytes, message: bytes) -> None:
        if kind == _WELCOME:
            with suppress(OSError, ValueError):  # the switch has just ended
                self.interest = InterestReader(_interest_path(self._path), message[0])
        else:
            self._on_frame(kind, channel.decode(), message)


def _interest_path(switch: Path) -> Path:
    return switch.with_name(f"{switch.name}.interest")
