"""What the bridge receives, recorded where it arrives."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import uvicorn

from adapters.elixir.additions import Additions
from adapters.elixir.bridge import ElixirBridge
from adapters.elixir.http import ElixirHttp
from adapters.elixir.socket import ElixirSocket
from adapters.system import SystemClock
from application.ports import Store
from domain.notice import Delivered, Lane, Notice
from tests.support.dynamodb import StoppedClock
from tests.support.server import serving
from tests.support.stored_json import Json


class Recorder:
    """An ASGI application that accepts everything and records each request and socket message."""

    def __init__(self) -> None:
        self.received: list[Json] = []

    async def __call__(self, scope: Json, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._talk(receive, send)
        else:
            for _ in range(2):
                asked = await receive()
                await send({"type": f"{asked['type']}.complete"})

    async def _answer(self, scope: Json, receive: Any, send: Any) -> None:
        content, more = b"", True
        while more:
            part = await receive()
            content, more = content + part["body"], part["more_body"]
        headers = dict(scope["headers"])
        self.received.append(
            {
                "method": scope["method"],
                "path": scope["raw_path"].decode(),
                "key": headers[b"idempotency-key"].decode()
                if b"idempotency-key" in headers
                else None,
                "type": headers[b"content-type"].decode(),
                "body": content.decode(),
            }
        )
        # What the client of the AI agent server needs; the bridge may answer anything.
        head = {"status": "live", "updatedAt": "2026-03-01T12:05:00Z", "sessionId": "s1"}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(head).encode()})

    async def _talk(self, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            join_ref, ref, topic, event, body = json.loads(message["text"])
            if event not in ("phx_join", "phx_leave", "heartbeat"):
                self.received.append({"topic": topic, "event": event, "body": compact(body)})
            reply = [join_ref, ref, topic, "phx_reply", {"status": "ok", "response": {}}]
            await send({"type": "websocket.send", "text": json.dumps(reply)})


def compact(value: Any) -> str:
    """Encode JSON without whitespace, with the keys in their order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def call(delivery: Json) -> Json:
    """Return what the recorder holds after this delivery."""
    names = ("topic", "event") if "topic" in delivery else ("method", "path", "key")
    kept = {name: delivery[name] for name in names} | {"body": compact(delivery["body"])}
    return kept if "topic" in delivery else kept | {"type": "application/json"}


@asynccontextmanager
async def recording_bridge(at: datetime) -> AsyncIterator[Callable[[Notice], Awaitable[Json]]]:
    """Deliver notices by the product's own bridge adapter; each call returns what was received."""

    async def ignore(*_: object) -> None: ...

    recorder = Recorder()
    # A server by itself: the product's has WebSockets for its own endpoint alone.
    plain = uvicorn.Config(recorder, ws="websockets-sansio", log_config=None)
    async with serving(plain) as address:
        http = ElixirHttp(f"http://{address}", clock=StoppedClock(at), jitter=lambda: 1.0)
        socket = ElixirSocket(f"ws://{address}/socket/websocket", SystemClock())
        socket.listen(ignore, lambda _customer, _message_id: None)
        async with http, socket:
            additions = Additions()
            bridge = ElixirBridge(http, socket, additions)

            async def deliver(notice: Notice) -> Json:
                additions.announce(notice.customer.business_id, {"additions": ["missed", "rating"]})
                await bridge.deliver(notice)
                received = recorder.received.pop()
                assert recorder.received == []
                return received

            yield deliver


async def claim_all(store: Store, now: datetime) -> list[Notice]:
    """Claim what is due in all lanes."""
    due: list[Notice] = []
    for lane in Lane:
        claimed = await store.claim(lane, now, now + timedelta(minutes=1), 100)
        assert all(notice.lane is lane for notice in claimed)
        due += claimed
    return due


Queue = tuple[str, Lane]
"""A session's lane of the outbox."""


async def drained(store: Store, now: datetime) -> dict[Queue, list[Json]]:
    """Drain the outbox; return what the bridge received, by session and lane, and in order."""
    sent: dict[Queue, list[Json]] = {}
    async with recording_bridge(now) as deliver:
        while claimed := await claim_all(store, now):
            for notice in claimed:
                delivery = {"id": notice.notice_id, "attempts": notice.attempts}
                delivery |= await deliver(notice)
                sent.setdefault((notice.session_id, notice.lane), []).append(delivery)
                await store.settle(notice.notice_id, Delivered())
    return sent
