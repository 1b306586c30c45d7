"""HTTP/1.1, as far as a provider's server needs it, down to how it breaks."""

import asyncio
import json
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.openai_stub import Json


@dataclass(slots=True)
class Received:
    """A request as it came, and the status of its answer (0: it got none)."""

    provider: str
    method: str
    path: str
    """Behind the provider's own part."""
    query: dict[str, str]
    headers: dict[str, str]
    body: Json
    status: int = 0

    @property
    def api(self) -> str:
        """The API that it is for: `chat`, `responses`, `models`, or its path."""
        for api in ("chat/completions", "responses", "models"):
            if self.path.endswith(f"/{api}"):
                return api.partition("/")[0]
        return self.path


class Refused(Exception):
    """An error in place of an answer, in the provider's own shape."""

    def __init__(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def sse(data: object, event: str = "") -> bytes:
    """Return one server-sent event; a string is sent as it is."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"{f'event: {event}' + chr(10) if event else ''}data: {text}\n\n".encode()


class Connection:
    """One connection of a client: requests come in, and answers go out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._zip: Any = None

    async def receive(self) -> Received | None:
        """Return the next request; None: there is no more."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, target, _ = first.split(" ")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        data = await self._body(headers)
        try:
            body = json.loads(data or b"{}")
        except ValueError:
            body = None
        parts = urlsplit(target)
        _, provider, path = (f"{parts.path}/").split("/", 2)
        return Received(
            provider=provider,
            method=method,
            path=f"/{path}".rstrip("/"),
            query=dict(parse_qsl(parts.query)),
            headers=headers,
            body=body if isinstance(body, dict) else {},
        )

    async def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await self._reader.readexactly(int(headers.get("content-length", "0")))
        data = b""
        while size := int(await self._reader.readline(), 16):
            data += await self._reader.readexactly(size)
            await self._reader.readline()
        await self._reader.readline()
        return data

    async def send(self, status: int, body: object, headers: dict[str, str]) -> None:
        """Send a whole answer; a string is sent as it is."""
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        data = text.encode()
        fields = {"content-type": "application/json", "content-length": str(len(data)), **headers}
        await self._write(_head(status, fields) + data)

    async def begin(self, *, zipped: bool = False, labelled: bool = True) -> None:
        """Begin a stream of events.

        `zipped`: compressed, whether or not the client wants that. `labelled`: with a header that
        says so.
        """
        fields = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        fields["transfer-encoding"] = "chunked"
        self._zip = None
        if zipped:
            self._zip = zlib.compressobj(wbits=31)
            if labelled:
                fields["content-encoding"] = "gzip"
        await self._write(_head(200, fields))

    async def stream(self, pieces: Iterable[bytes]) -> None:
        """Send pieces of a stream, each by itself."""
        for piece in pieces:
            data = piece
            if self._zip is not None:
                data = self._zip.compress(piece) + self._zip.flush(zlib.Z_SYNC_FLUSH)
            await self._write(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self) -> None:
        """End a stream in order."""
        rest = self._zip.flush() if self._zip is not None else b""
        last = b"%x\r\n%b\r\n" % (len(rest), rest) if rest else b""
        await self._write(last + b"0\r\n\r\n")

    async def gone(self) -> None:
        """Wait until the client has disconnected."""
        with suppress(ConnectionError):
            await self._reader.read()
        raise ConnectionResetError

    def cut(self) -> None:
        """Reset the connection."""
        self._writer.transport.abort()

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()
        if self._writer.is_closing() or self._reader.at_eof():
            raise ConnectionResetError


def _head(status: int, headers: dict[str, str]) -> bytes:
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Overloaded"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {phrase}\r\n{lines}\r\n".encode()
