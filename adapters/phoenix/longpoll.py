"""Phoenix's long-poll transport: sockets for clients whose WebSockets do not get through.

A polled socket is a connection of its endpoint, with the same channels, limits, counts and drain.
Its client polls for frames by GET, and pushes frames by POST; a signed token names the socket.
Source: phoenix `lib/phoenix/transports/long_poll.ex` and `long_poll_server.ex`, and the official
client's `longpoll.js`. One deviation, on purpose: a poll of a socket that is gone is answered with
500 and not with 410 and a new socket, which official clients before 1.8.2 take for the old one, so
that they never join their channels again (phoenix#6538). At 500 every version opens a new socket.
"""

import asyncio
import binascii
import hmac
import math
import secrets
import time
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from litestar.enums import ScopeType
from litestar.handlers import asgi
from litestar.types import Receive, Scope, Send

from adapters.phoenix.channel import ConnectInfo
from adapters.phoenix.endpoint import Connection, ConnectRefused, PhoenixEndpoint
from adapters.phoenix.frames import MalformedFrame, Serializer
from adapters.phoenix.limits import FrameBudget, SilenceTimer
from adapters.phoenix.websocket import (
    CREDIT_BITS,
    INTERNAL_ERROR,
    MESSAGE_TOO_BIG,
    POLICY_VIOLATION,
    PROTOCOL_ERROR,
    SERVICE_RESTART,
    TRY_AGAIN_LATER,
)

LONG_POLL_PATH = "/socket/longpoll"
"""Where Phoenix's clients poll a socket that is mounted at `/socket`."""

# Statuses in the JSON of a response. The status of the response itself is 200 for all of them.
OK, NO_FRAMES, FORBIDDEN, TIMED_OUT, GONE, TOO_LARGE, FAILED = 200, 204, 403, 408, 410, 413, 500

MAX_BATCH = 100
"""The most frames of a POST that are processed, as in Phoenix; its client sends no more."""
TOKEN_MAX_AGE_S = 14 * 86_400.0
IDLE_WINDOWS = 1.5
"""A socket ends after this many windows without a poll."""

_TOKEN_HEADER = b"x-phoenix-longpoll-token"
_BATCH_TYPE = b"application/x-ndjson"
_CORS = (b"access-control-allow-origin", b"*")
_HEADERS = [
    _CORS,
    (b"cache-control", b"no-store"),
    (b"content-type", b"application/json; charset=utf-8"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LongPollLimits:
    """The times and sizes of one socket; `SocketLimits` has the others."""

    window_s: float = 10.0
    """The longest wait of a poll for a frame, and of a POST for its processing."""
    max_body_bytes: int = 1024 * 1024
    max_frame_bytes: int = 65_536


class _Claims(msgspec.Struct, array_like=True, frozen=True):
    node: str
    socket_id: str
    issued_at: float


class SocketTokens:
    """Signs the tokens of a node's polled sockets, and reads them; each process has its own key."""

    def __init__(self, node: str, now: Callable[[], float] = time.time) -> None:
        self._node = node
        self._now = now
        self._key = secrets.token_bytes(32)

    def sign(self, socket_id: str) -> str:
        """Return a token for a socket."""
        claims = _Claims(self._node, socket_id, self._now())
        body = urlsafe_b64encode(msgspec.json.encode(claims))
        return b".".join((body, self._signature(body))).decode()

    def socket_id(self, token: bytes) -> str | None:
        """Return the socket's id; None: the token is not from here, or too old."""
        body, _, signature = token.rpartition(b".")
        if not hmac.compare_digest(signature, self._signature(body)):
            return None
        claims = msgspec.json.decode(urlsafe_b64decode(body), type=_Claims)
        is_current = self._now() - claims.issued_at < TOKEN_MAX_AGE_S
        return claims.socket_id if is_current else None

    @staticmethod
    def node_of(token: bytes) -> str | None:
        """Return the node that a token of a socket names, be it forged; None: it is no such token.

        Then it may be the user's own, which comes under the same name.
        """
        try:
            claims = msgspec.json.decode(urlsafe_b64decode(token.rpartition(b".")[0]), type=_Claims)
        except (binascii.Error, msgspec.MsgspecError):
            return None
        return claims.node

    def _signature(self, body: bytes) -> bytes:
        return urlsafe_b64encode(hmac.digest(self._key, body, "sha256"))


class _Response(msgspec.Struct, frozen=True, omit_defaults=True):
    status: int
    token: str | None = None
    messages: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


PassOn = Callable[[str, Scope, Receive, Send], Awaitable[bool]]
"""Has the node of this name answer a request; returns False if it cannot, and has sent nothing."""


class LongPoll:
    """The polled sockets of an endpoint: give `route` to Litestar beside the endpoint's own."""

    def __init__(
        self,
        path: str,
        endpoint: PhoenixEndpoint,
        *,
        node: str,
        limits: LongPollLimits = LongPollLimits(),
        pass_on: PassOn | None = None,
    ) -> None:
        """`path` ends in /longpoll. `node`: the name of this process, which every token carries.

        `pass_on` gets the requests whose tokens name another node; None: they are stale.
        """
        self.route = asgi(path, copy_scope=False)(self._serve)
        self._node = node
        self._pass_on = pass_on
        self._endpoint = endpoint
        self._limits = limits
        self._tokens = SocketTokens(node)
        self._sockets: dict[str, _PolledSocket] = {}
        self._running: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """End all sockets: the polls that wait are answered, and their clients reconnect."""
        for socket in self._sockets.values():
            socket.close(SERVICE_RESTART)

    async def stop(self) -> None:
        """End the sockets that are left, and wait until their channels have ended."""
        self.close()
        if self._running:
            await asyncio.wait(self._running)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._pass_on is not None and scope["type"] == ScopeType.HTTP:
            node = SocketTokens.node_of(_token_of(scope))
            is_elsewhere = node is not None and node != self._node
            if is_elsewhere and await self._pass_on(cast(str, node), scope, receive, send):
                return
        await self.serve_own(scope, receive, send)

    async def serve_own(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a socket of this process, or for a new one."""
        if scope["type"] == ScopeType.WEBSOCKET:
            await send({"type": "websocket.close", "code": PROTOCOL_ERROR, "reason": ""})
            return
        info, method = ConnectInfo(scope), scope["method"]
        if not self._endpoint.allows_origin(info):
            await _respond(send, _Response(FORBIDDEN))
        elif method == "GET":
            await self._get(scope, receive, send)
        elif method == "POST":
            await _respond(send, _Response(await self._post(scope, receive)))
        elif method == "OPTIONS":
            await _send(send, 200, _preflight_headers(scope), b"")
        else:
            await _send(send, 400, [_CORS], b"")

    async def _get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Poll a socket; without one, open it."""
        token = _token_of(scope)
        socket = self._find(token)
        if socket is None and self._tokens.node_of(token) is None:
            await self._open(scope, send)
            return
        frames = await socket.poll(receive) if socket is not None else None
        if frames is None:
            await _respond(send, _Response(FAILED))
            return
        await _respond(send, _Response(OK if frames else NO_FRAMES, token.decode(), frames))

    async def _open(self, scope: Scope, send: Send) -> None:
        info = ConnectInfo(scope)
        try:
            serializer = self._endpoint.admit(info)
        except ConnectRefused as refused:
            await _refuse(send, refused)
            return
        socket_id = secrets.token_urlsafe(16)
        socket = _PolledSocket(self._endpoint, serializer, info, self._limits)
        self._sockets[socket_id] = socket
        running = asyncio.create_task(self._run(socket_id, socket))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        await _respond(send, _Response(GONE, self._tokens.sign(socket_id), []))

    async def _run(self, socket_id: str, socket: "_PolledSocket") -> None:
        self._endpoint.opened(socket)
        code = INTERNAL_ERROR
        try:
            code = await socket.read()
        finally:
            self._endpoint.closed(socket, code)
            await socket.end()
            del self._sockets[socket_id]
            self._endpoint.connections.release(socket)  # of what was never polled
            self._endpoint.connection_policy.release(socket.info)

    async def _post(self, scope: Scope, receive: Receive) -> int:
        socket = self._find(_token_of(scope))
        if socket is None:
            return GONE
        is_batch = _header(scope, b"content-type").partition(b";")[0].strip() == _BATCH_TYPE
        return await socket.push(receive, is_batch=is_batch)

    def _find(self, token: bytes) -> "_PolledSocket | None":
        socket_id = self._tokens.socket_id(token)
        socket = self._sockets.get(socket_id) if socket_id is not None else None
        return None if socket is None or socket.is_closed else socket


class _PolledSocket(Connection):
    """A socket across requests, whose frames wait for the next poll."""

    __slots__ = ("_budget", "_closed", "_expiry", "_limits", "_loop", "_poll", "_pushing",
                 "_queue", "_size", "_work")  # fmt: skip

    def __init__(
        self,
        endpoint: PhoenixEndpoint,
        serializer: Serializer,
        info: ConnectInfo,
        limits: LongPollLimits,
    ) -> None:
        super().__init__(endpoint, serializer, info)
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._closed: asyncio.Future[int] = self._loop.create_future()
        self._queue: list[msgspec.Raw] = []  # texts in JSON
        self._size = 0
        self._poll: asyncio.Future[None] | None = None
        self._pushing = asyncio.Lock()  # held while a POST is read and processed
        self._work: asyncio.Task[None] | None = None  # the processing of the last POST
        self._budget = FrameBudget(endpoint.connections.limits, self._loop)
        self._expiry = SilenceTimer(self._loop, IDLE_WINDOWS * limits.window_s, self._expire)

    @property
    def is_closed(self) -> bool:
        """True once the socket has ended for its client."""
        return self._closed.done()

    # The frames to the client.

    def send(self, text: str) -> None:
        if self.is_closed:
            return
        encoded = msgspec.json.encode(text)
        self._queue.append(msgspec.Raw(encoded))
        self._size += len(encoded)
        if self._exceeds_queue(len(self._queue), self._size):
            self.shed()
        else:
            self._endpoint.connections.hold(self, len(encoded))
            self._wake()

    def shed(self) -> None:
        """End the socket of a client that does not poll."""
        self._drop_queue()
        self._report_slow_consumer()
        self.close(TRY_AGAIN_LATER)

    def close(self, code: int) -> None:
        if self.is_closed:
            return
        self._closed.set_result(code)
        self._expiry.end()
        self._wake()

    def _drop_queue(self) -> list[msgspec.Raw]:
        frames, self._queue, self._size = self._queue, [], 0
        self._endpoint.connections.release(self)
        return frames

    async def poll(self, receive: Receive) -> list[msgspec.Raw] | None:
        """Return the queued frames, after a wait for the first; None: the socket has ended.

        Empty: none came within the window, the client has gone, or polls elsewhere.
        """
        self._expiry.cancel()
        self._wake()  # an earlier poll, which this one replaces
        poll = self._poll = self._loop.create_future()
        if self._queue:
            self._wake()
        left = asyncio.create_task(_disconnection(receive))
        try:
            await asyncio.wait(
                (poll, left),
                timeout=self._limits.window_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            has_left = left.done()
            left.cancel()
            is_replaced = self._poll is not poll
            if not is_replaced:
                self._poll = None
                if not self.is_closed:
                    self._expiry.start(self._expiry.timeout_s)
        return [] if is_replaced or has_left else self._take()

    def _take(self) -> list[msgspec.Raw] | None:
        frames = self._drop_queue()
        return None if self.is_closed and not frames else frames

    def _wake(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    def _expire(self) -> None:
        self.close(PROTOCOL_ERROR)

    # The frames from the client.

    async def read(self) -> int:
        """Wait for the end of the socket, and of what it has under way; return the close code."""
        code = await self._closed
        if self._work is not None:
            await asyncio.wait({self._work})
        return code

    async def push(self, receive: Receive, *, is_batch: bool) -> int:
        """Process the frames of a POST after those of the one before; return the status."""
        try:
            async with asyncio.timeout(self._limits.window_s), self._pushing:
                if self._work is not None:
                    await asyncio.shield(self._work)
                body = await _read_body(receive, self._limits.max_body_bytes)
                if body is None:
                    return TOO_LARGE
                if self.is_closed:
                    return GONE
                self._work = self._loop.create_task(self._process_all(body, is_batch))
                await asyncio.shield(self._work)
        except (TimeoutError, ConnectionError):
            return TIMED_OUT
        return GONE if self.is_closed else OK

    async def _process_all(self, body: bytes, is_batch: bool) -> None:
        try:
            for frame in _frames(body) if is_batch else [body.decode()]:
                if self.is_closed:
                    return
                size = _size(frame)
                if size > self._limits.max_frame_bytes:
                    self.close(MESSAGE_TOO_BIG)
                    return
                if not self._budget.spend(1 + (size >> CREDIT_BITS)):
                    self._endpoint.connections.refused("frames")
                    self.close(POLICY_VIOLATION)
                    return
                action = self._decide(frame)
                if not self._begin(action):
                    await self._finish(action)
        except (MalformedFrame, UnicodeDecodeError):
            self._close_malformed()
        except BaseException:
            self.close(INTERNAL_ERROR)
            raise


def _frames(body: bytes) -> Iterable[str | bytes]:
    """Return the frames of a batch: a line is a text, or a binary one in base64.

    Raises: MalformedFrame, UnicodeDecodeError.
    """
    for line in body.split(b"\n", MAX_BATCH)[:MAX_BATCH]:
        if line.startswith(b"["):
            yield line.decode()
        elif line:
            try:
                yield b64decode(line, validate=True)
            except binascii.Error as error:
                raise MalformedFrame(str(error)) from error


def _size(frame: str | bytes) -> int:
    return len(frame.encode() if isinstance(frame, str) else frame)


# The requests and responses.


def _token_of(scope: Scope) -> bytes:
    """Return the socket's token: the header's, or the last `token` parameter."""
    given = _header(scope, _TOKEN_HEADER)
    return given or ConnectInfo(scope).params.get("token", "").encode()


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


async def _read_body(receive: Receive, max_bytes: int) -> bytes | None:
    """Return the body of a request; None: it is too large. Raises: ConnectionError."""
    body = bytearray()
    while True:
        message = cast("dict[str, Any]", await receive())
        if message["type"] == "http.disconnect":
            raise ConnectionError
        body += message.get("body", b"")
        if len(body) > max_bytes:
            return None
        if not message.get("more_body", False):
            return bytes(body)


async def _disconnection(receive: Receive) -> None:
    """Wait until the client closes its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, refused: ConnectRefused) -> None:
    """Answer a request for a socket that is not opened.

    The official client gives up at 403, tries again at 500, and is stuck at any status that it
    does not know. So what is no 403 says so in the response's own status alone.
    """
    if refused.status == FORBIDDEN:
        await _respond(send, _Response(FORBIDDEN))
        return
    headers = list(_HEADERS)
    if refused.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % math.ceil(refused.retry_after_s)))
    await _send(send, refused.status, headers, msgspec.json.encode(_Response(FAILED)))


def _preflight_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    return [
        _CORS,
        (b"access-control-allow-headers", _header(scope, b"access-control-request-headers")),
        (b"access-control-allow-methods", b"get, post, options"),
        (b"access-control-max-age", b"3600"),
    ]


async def _respond(send: Send, response: _Response) -> None:
    await _send(send, 200, _HEADERS, msgspec.json.encode(response))


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    sized = [*headers, (b"content-length", b"%d" % len(body))]
    start = {"type": "http.response.start", "status": status, "headers": sized}
    await send(cast(Any, start))
    await send(cast(Any, {"type": "http.response.body", "body": body}))
