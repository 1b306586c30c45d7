"""A hostile server of tools: it speaks just enough of MCP to be called, and then misbehaves.

    python -m tests.integration.mcp.enemy MODE COUNTED [PORT]

Without a port it speaks over its standard input and output. Each call is a line in COUNTED.
"""

import asyncio
import gzip
import json
import os
import signal
import sys
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

MARK = "m4rk-of-a-result"
"""In everything that it says: none of it may be in a log."""
FLOOD = 50 * 1024 * 1024
Json = dict[str, Any]


def tool(name: str, **schema: Any) -> Json:
    """Return a tool as it is listed."""
    properties = {"text": {"type": "string"}}
    whole = {"type": "object", "properties": properties} | schema
    return {"name": name, "description": f"{MARK}\x1b[31m" + "d" * 5_000, "inputSchema": whole}


def listed(mode: str) -> Json:
    """Return its list of tools."""
    match mode.removeprefix("list:") if mode.startswith("list:") else "":
        case "many":
            return {"tools": [tool(f"t{number}") for number in range(10_000)]}
        case "pages":
            return {"tools": [tool(f"p{os.urandom(4).hex()}")], "nextCursor": "again"}
        case "rubbish":
            return {"tools": [{"name": 7}]}
        case "none":
            return {"tools": []}
        case "deep":
            deep: Any = {}
            for _ in range(200):
                deep = {"not": deep}
            return {"tools": [tool("act", **deep)]}
        case "large":
            return {"tools": [tool("act", description="x" * 9_000)]}
        case "remote":
            return {"tools": [tool("act", allOf=[{"$ref": "http://127.0.0.1:9/schema"}])]}
    return {"tools": [tool("act")]}


def answer(message: Json, mode: str) -> Json | None:
    """Return what every server answers; None: a call, or what needs no answer."""
    match message.get("method"):
        case "initialize":
            about = {"name": "enemy", "version": "1"}
            capabilities: Json = {"tools": {"listChanged": True}}
            result: Json = {"protocolVersion": "2025-11-25", "capabilities": capabilities}
            return {"result": result | {"serverInfo": about}}
        case "tools/list":
            return {"result": listed(mode)}
        case "tools/call":
            return None
        case _ if "id" in message and "method" in message:
            return {"error": {"code": -32601, "message": f"{MARK}: no"}}
    return None


def reply(message: Json, **fields: Any) -> bytes:
    """Return a reply as JSON."""
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], **fields}).encode()


def done(text: str = MARK, **fields: Any) -> Json:
    """Return the result of a call."""
    return {"content": [{"type": "text", "text": text}], **fields}


def of_all(mode: str, message: Json) -> list[bytes] | None:
    """Return the messages in which a call ends, over either transport; None: by the transport."""
    notice = json.dumps({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}).encode()
    match mode:
        case "good":
            return [reply(message, result=done())]
        case "long":
            return [reply(message, result=done("x" * 1_000_000))]
        case "controls":
            return [reply(message, result=done("a\x00b\x1b[31mc\u009bd\ud800"))]
        case "picture":
            image = {"type": "image", "data": "AAAA", "mimeType": "image/png"}
            return [reply(message, result={"content": [image]})]
        case "shape":
            return [reply(message, result={"content": MARK})]
        case "empty":
            return [reply(message, result={})]
        case "both":
            error = {"code": -32602, "message": MARK}
            return [reply(message, result=done(), error=error)]
        case "deep":
            return [reply(message, result={"content": []})[:-2] + b"[" * 100_000]
        case "other":
            return [reply({"id": 999_999}, result=done())]
        case "twice":
            return [reply(message, result=done()), reply(message, result=done("again"))]
        case "code":
            return [reply(message, error={"code": -32000, "message": MARK})]
        case "text":
            return [reply(message, error={"code": -32602, "message": f"{MARK}" * 1_000})]
        case "notices":
            return [*[notice] * 5_000, reply(message, result=done())]
    return None


def asked() -> list[bytes]:
    """Return the requests of a server that wants something of its client."""
    sampling = {"messages": [], "maxTokens": 9}
    schema = {"type": "object", "properties": {}}
    wanted = {
        "sampling/createMessage": sampling,
        "elicitation/create": {"message": MARK, "requestedSchema": schema},
        "roots/list": {},
        "no/such": {},
    }
    return [
        json.dumps({"jsonrpc": "2.0", "id": f"e{key}", "method": key, "params": each}).encode()
        for key, each in wanted.items()
    ]


async def stdio(mode: str, counted: Path) -> None:
    """Serve over standard input and output."""
    reader = asyncio.StreamReader(limit=2**24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    os.write(2, f"{MARK}\n".encode() * (100_000 if mode == "complains" else 1))
    if mode == "stubborn":
        child = await asyncio.create_subprocess_exec("sleep", "600")
        counted.with_suffix(".pids").write_text(f"{os.getpid()} {child.pid}")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if mode == "environment":
        counted.with_suffix(".env").write_text(json.dumps(dict(os.environ)))
    while line := await reader.readline():
        message = json.loads(line)
        if (common := answer(message, mode)) is not None:
            put(reply(message, **common) + b"\n")
        elif message.get("method") == "tools/call":
            count(counted)
            call_by_stdio(mode, message)
    if mode == "stubborn":
        await asyncio.sleep(600)


def call_by_stdio(mode: str, message: Json) -> None:
    """Answer a call."""
    if (messages := of_all(mode, message)) is not None:
        put(b"".join(each + b"\n" for each in messages))
        return
    match mode:
        case "rubbish":
            put(f"{MARK} is no JSON\n".encode() * 200)
        case "some rubbish":
            put(b"hello\n\n{}\n[]\nnull\n\xff\xfe\n" + reply(message, result=done()) + b"\n")
        case "line":
            put(b"x" * FLOOD)
        case "lines":
            put(json.dumps({"jsonrpc": "2.0", "method": "notifications/x"}).encode() + b"\n", 10**6)
        case "asks":
            put(b"".join(each + b"\n" for each in asked()))
        case "exits":
            sys.exit(3)
        case "closes":
            os.close(1)
        case _:  # says nothing
            pass


def put(piece: bytes, times: int = 1) -> None:
    """Write to standard output, as long as anybody reads."""
    try:
        for _ in range(times):
            left = piece
            while left:
                left = left[os.write(1, left) :]
    except OSError:
        sys.exit(0)


def count(counted: Path) -> None:
    """Note a call."""
    with counted.open("a") as file:
        file.write("call\n")


async def http(mode: str, counted: Path, port: int) -> None:
    """Serve over HTTP."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _serve(reader, writer, mode, counted)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    os._exit(0)


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mode: str, counted: Path
) -> None:
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {
            key.strip().lower(): value.strip()
            for key, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
        }
        verb, path, _ = head.split(" ", 2)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        with counted.with_suffix(".http").open("a") as file:
            file.write(f"{verb} {path}\n")
        if verb != "POST" or path != "/mcp":
            streams = {"content-type": "text/event-stream"} if mode == "streams" else {}
            await send(writer, 200 if streams else 405, b"retry: 0\n\n", **streams)
            if streams:
                return
            continue
        message = json.loads(body)
        if (common := answer(message, mode)) is not None:
            kind = {"content-type": "application/json", "mcp-session-id": "s1"}
            await send(writer, 200, reply(message, **common), **kind)
        elif message.get("method") == "tools/call":
            count(counted)
            with counted.with_suffix(".token").open("w") as file:
                file.write(headers.get("authorization", ""))
            async for piece in call_by_http(mode, message, headers):
                writer.write(piece)
                await writer.drain()
            if mode in ("drops", "half", "flood", "events", "ends", "streams"):
                return
        else:
            await send(writer, 202, b"")


async def send(writer: asyncio.StreamWriter, status: int, body: bytes, **headers: str) -> None:
    """Send a response."""
    writer.write(response(status, body, **headers))
    await writer.drain()


def response(status: int, body: bytes, **headers: str) -> bytes:
    """Return a response."""
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def call_by_http(mode: str, message: Json, headers: Json) -> AsyncIterator[bytes]:
    """Yield the pieces of the response to a call."""
    as_json = {"content-type": "application/json"}
    as_events = b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\n\r\n"
    good = reply(message, result=done())
    if (messages := of_all(mode, message)) is not None:
        if len(messages) == 1:
            yield response(200, messages[0], **as_json)
        else:
            events = b"".join(b"data: " + each + b"\n\n" for each in messages)
            yield response(200, events, **{"content-type": "text/event-stream"})
        return
    if mode.isdigit():
        there = {"location": f"http://{headers['host']}/elsewhere"}
        yield response(int(mode), f"{MARK} {headers.get('authorization')}".encode(), **there)
        return
    match mode:
        case "refuses":
            error = {"code": -32602, "message": "no such day"}
            yield response(400, reply(message, error=error), **as_json)
        case "page":
            yield response(200, f"<p>{MARK}".encode(), **{"content-type": "text/html"})
        case "rubbish":
            yield response(200, MARK.encode(), **as_json)
        case "packed":
            packed = gzip.compress(good[:-1] + b" " * FLOOD + b"}")
            yield response(200, packed, **as_json, **{"content-encoding": "gzip"})
        case "squeezed":
            packed = zlib.compress(good)
            yield response(200, packed, **as_json, **{"content-encoding": "deflate"})
        case "flood":
            yield b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\n\r\n"
            for _ in range(FLOOD // 2**16):
                yield b"x" * 2**16
        case "events":
            yield as_events
            for _ in range(FLOOD // 2**16):
                yield b": " + b"x" * 2**16 + b"\n\n"
        case "pings":
            yield as_events
            while True:
                yield b": ping\n\n"
                await asyncio.sleep(0.05)
        case "ends":
            yield as_events + b"id: 1\nretry: 0\ndata: \n\n"
        case "half":
            yield response(200, good, **as_json)[:-9]
        case "drip":
            for byte in response(200, good, **as_json):
                yield bytes([byte])
                await asyncio.sleep(0.05)
        case "headers":
            yield b"HTTP/1.1 200 X\r\n" + b"a: b\r\n" * 10**6
        case "asks":
            events = b"".join(b"data: " + each + b"\n\n" for each in asked())
            yield as_events + events
            await asyncio.sleep(600)
        case "drops":
            return
        case _:
            await asyncio.sleep(600)


if __name__ == "__main__":
    _mode, _counted = sys.argv[1], Path(sys.argv[2])
    asyncio.run(
        http(_mode, _counted, int(sys.argv[3])) if len(sys.argv) > 3 else stdio(_mode, _counted)
    )
