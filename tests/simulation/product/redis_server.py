"""A Redis as far as the product uses it: publish and subscribe, and the scripts of the leases."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha1

Clock = Callable[[], float]


class RedisServer:
    """The state of a Redis, in memory: it is lost when the process ends."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self._subscribers: dict[bytes, dict[_Session, None]] = {}
        self._scripts: dict[bytes, bytes] = {}
        self._keys: dict[bytes, tuple[bytes, float]] = {}

    async def serve(self, port: int) -> None:
        """Listen until cancelled."""
        server = await asyncio.start_server(self._talk, "0.0.0.0", port)
        await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _Session(self, writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                session.execute(await _command(reader))
        for channel in list(session.channels):
            self.unsubscribe(session, channel)
        writer.close()

    def subscribe(self, session: "_Session", channel: bytes) -> None:
        """Send what is published on the channel to the session."""
        self._subscribers.setdefault(channel, {})[session] = None

    def unsubscribe(self, session: "_Session", channel: bytes) -> None:
        """Send it no more of it."""
        self._subscribers.get(channel, {}).pop(session, None)

    def publish(self, channel: bytes, message: bytes) -> int:
        """Send a message to all subscribers, and return how many they are."""
        subscribers = list(self._subscribers.get(channel, ()))
        for session in subscribers:
            session.push(b"message", channel, message)
        return len(subscribers)

    def load(self, script: bytes) -> bytes:
        """Keep a script, and return its name."""
        name = sha1(script).hexdigest().encode()
        self._scripts[name] = script
        return name

    def run(self, name: bytes, key: bytes, holder: bytes, ttl_ms: int | None) -> int | None:
        """Do what the script of the leases does; None: it is not loaded."""
        if name not in self._scripts:
            return None
        value, until = self._keys.get(key, (b"", 0.0))
        if ttl_ms is None:
            if until > self._now() and value == holder:
                del self._keys[key]
                return 1
            return 0
        if until > self._now() and value != holder:
            return 0
        self._keys[key] = (holder, self._now() + ttl_ms / 1000)
        return 1


class _Session:
    def __init__(self, server: RedisServer, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._writer = writer
        self._version = 2
        self.channels: dict[bytes, None] = {}

    def execute(self, command: list[bytes]) -> None:
        name, *rest = command
        handler = getattr(self, f"_{name.decode().lower()}", None)
        if handler is None:
            self._writer.write(b"-ERR unknown command '%b'\r\n" % name)
            return
        handler(*rest)

    def push(self, kind: bytes, channel: bytes, value: bytes | int) -> None:
        mark = b">" if self._version == 3 else b"*"
        self._writer.write(mark + b"3\r\n" + _bulk(kind) + _bulk(channel) + _value(value))

    def _hello(self, version: bytes = b"2", *_: bytes) -> None:
        self._version = int(version)
        fields: list[bytes | int] = [b"server", b"redis", b"version", b"7.2.0", b"proto",
                                     self._version, b"id", 1, b"mode", b"standalone", b"role",
                                     b"master"]  # fmt: skip
        mark = b"%6\r\n" if self._version == 3 else b"*12\r\n"
        self._writer.write(mark + b"".join(map(_value, fields)))

    def _client(self, *_: bytes) -> None:
        self._writer.write(b"+OK\r\n")

    _auth = _select = _client

    def _ping(self, *message: bytes) -> None:
        if self.channels and self._version == 2:
            self._writer.write(b"*2\r\n" + _bulk(b"pong") + _bulk(b"".join(message)))
        elif message:
            self._writer.write(_bulk(message[0]))
        else:
            self._writer.write(b"+PONG\r\n")

    def _subscribe(self, *channels: bytes) -> None:
        for channel in channels:
            self._server.subscribe(self, channel)
            self.channels[channel] = None
            self.push(b"subscribe", channel, len(self.channels))

    def _unsubscribe(self, *channels: bytes) -> None:
        for channel in channels or list(self.channels):
            self._server.unsubscribe(self, channel)
            self.channels.pop(channel, None)
            self.push(b"unsubscribe", channel, len(self.channels))

    def _publish(self, channel: bytes, message: bytes) -> None:
        self._writer.write(_value(self._server.publish(channel, message)))

    def _script(self, _load: bytes, script: bytes) -> None:
        self._writer.write(_bulk(self._server.load(script)))

    def _evalsha(self, name: bytes, _count: bytes, key: bytes, holder: bytes, *ttl: bytes) -> None:
        found = self._server.run(name, key, holder, int(ttl[0]) if ttl else None)
        self._writer.write(b"-NOSCRIPT no such script\r\n" if found is None else _value(found))

    def _eval(self, script: bytes, *arguments: bytes) -> None:
        self._evalsha(self._server.load(script), *arguments)


def _bulk(value: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value)


def _value(value: bytes | int) -> bytes:
    return b":%d\r\n" % value if isinstance(value, int) else _bulk(value)


async def _command(reader: asyncio.StreamReader) -> list[bytes]:
    """Read an array of bulk strings."""
    count = int((await reader.readuntil(b"\r\n"))[1:])
    command = []
    for _ in range(count):
        size = int((await reader.readuntil(b"\r\n"))[1:])
        command.append((await reader.readexactly(size + 2))[:-2])
    return command
