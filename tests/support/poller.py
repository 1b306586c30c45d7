"""A test client of the long-poll transport, which sends single requests."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx


class Poller:
    """A V2 client; `token` names its socket once it has one."""

    def __init__(self, http: httpx.AsyncClient, params: dict[str, str]) -> None:
        self.http = http
        self.params = params
        self.token = ""

    async def poll(self, **headers: str) -> Any:
        """Return the JSON of the response to a GET, and keep its token."""
        params = {**self.params, "token": self.token}
        answer = (await self.http.get("/socket/longpoll", params=params, headers=headers)).json()
        self.token = answer.get("token", "")
        return answer

    async def receive(self) -> list[Any]:
        """Return the frames of the next poll that brings any."""
        while (answer := await self.poll())["status"] == 204:
            pass
        assert answer["status"] == 200, answer
        return [json.loads(text) for text in answer["messages"]]

    async def post(self, body: str | bytes, content_type: str = "application/x-ndjson") -> int:
        """Send a body, and return the status in the response."""
        answer = await self.http.post(
            "/socket/longpoll",
            params={**self.params, "token": self.token},
            content=body.encode() if isinstance(body, str) else body,
            headers={"content-type": content_type},
        )
        return int(answer.json()["status"])

    async def push(self, *frames: list[Any]) -> int:
        """Send frames, `[join_ref, ref, topic, event, payload]` each, as a batch."""
        return await self.post("\n".join(map(json.dumps, frames)))

    async def join(self, topic: str, join_ref: str = "1") -> Any:
        """Join, and return the response."""
        assert await self.push([join_ref, join_ref, topic, "phx_join", {}]) == 200
        [reply, *_] = await self.receive()
        assert reply[:4] == [join_ref, join_ref, topic, "phx_reply"]
        return reply[4]["response"]


@asynccontextmanager
async def polling(address: str, **params: str) -> AsyncIterator[Poller]:
    """Make a client without a socket."""
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=20) as http:
        yield Poller(http, {"vsn": "2.0.0", **params})


@asynccontextmanager
async def polled_socket(address: str, **params: str) -> AsyncIterator[Poller]:
    """Open a socket."""
    async with polling(address, **params) as poller:
        assert (await poller.poll())["status"] == 410
        yield poller
