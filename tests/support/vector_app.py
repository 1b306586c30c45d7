"""The application that the protocol vectors are played against, on the product's core and skin.

Its channel does what the channel of the reference implementation did when they were recorded;
unlike a channel of the product it crashes on an event that it does not know.
"""

import asyncio
from typing import Any

import click
import uvicorn
from litestar import Litestar

from adapters.phoenix.channel import (
    Channel,
    ConnectInfo,
    Ended,
    JoinRefused,
    Link,
    Reply,
    Stop,
)
from adapters.phoenix.endpoint import Limits, Observer, PhoenixEndpoint
from adapters.phoenix.server import Payload, Ref
from adapters.phoenix.uvicorn_protocol import uvicorn_config

_ANSWERS: dict[str, Reply | Stop | None] = {
    "ok": Reply(),
    "err": Reply("error", {"reason": "nope"}),
    "later": Reply("later", {"x": 1}),
    "noreply": None,
    "stop": Stop(),
    "stop_shutdown": Stop(),
    "stop_reply": Stop(Reply("ok", {"bye": True})),
    "stop_error": Stop(failed=True),
    "stop_error_reply": Stop(Reply("error", {"reason": "dying"}), failed=True),
}


class RoomChannel(Channel):
    """`room:*` and `exact`; what a room does at the join follows from its name."""

    def __init__(self, link: Link, endpoint: PhoenixEndpoint) -> None:
        super().__init__(link)
        self.endpoint = endpoint
        self.user: Any = None
        self.late_replies: set[asyncio.Task[None]] = set()

    @property
    def room(self) -> str:
        return self.link.topic.removeprefix("room:")

    async def join(self, topic: str, payload: Any) -> Any:
        match self.room:
            case room if room.startswith("deny"):
                raise JoinRefused({"reason": "unauthorized", "got": payload})
            case room if room.startswith("crash"):
                raise RuntimeError("a join that crashes")
            case room if room.startswith("badret"):
                return "garbage"
            case room if room.startswith("slow"):
                await asyncio.sleep(0.3)
                return {"slow": True}
            case room if room.startswith("reply"):
                return {"hello": "world", "got": payload}
            case room if room.startswith("after"):
                self.user = payload.get("user")
        return {}

    async def joined(self) -> None:
        if self.room.startswith("after"):
            self.link.broadcast("user_entered", {"user": self.user})
            self.link.push("joined", {"status": "connected"})

    async def terminate(self, ended: Ended) -> None:
        if self.room.startswith("term"):
            self.link.push("you_left", {"message": "bye!"})

    async def handle(self, event: str, payload: Any, ref: Ref) -> Any:
        if event in _ANSWERS:
            return _ANSWERS[event]
        if event in ("ping", "push_reply", "shout_reply", "async", "multi"):
            return self.answer(event, payload, ref)
        return self.act(event, payload)

    def answer(self, event: str, payload: Any, ref: Ref) -> Reply | None:
        """The events that come back to the client with what it sent."""
        match event:
            case "push_reply":
                self.link.push("pushed", payload)
                return Reply()
            case "shout_reply":
                self.link.broadcast("shout", payload)
                return Reply("ok", {"done": True})
            case "async":
                self.reply_later(ref, payload)
                return None
            case "multi":
                self.link.reply(ref, "ok", {"n": 1})
                self.link.reply(ref, "ok", {"n": 2})
                return None
        return Reply("ok", payload)

    def act(self, event: str, payload: Payload) -> str | None:
        """The events that nothing replies to."""
        match event:
            case "shout":
                self.link.broadcast("shout", payload)
            case "shout_from":
                self.link.broadcast_from("shout", payload)
            case "push":
                self.link.push("pushed", payload)
            case "badret":
                return "garbage"
            case "disconnect":
                self.endpoint.disconnect(_socket_id(self.link.info) or "")
            case "drain":
                self.endpoint.drain()
            case _:  # "boom" too
                raise LookupError("an event without a handler")
        return None

    def reply_later(self, ref: Ref, payload: Any) -> None:
        async def reply() -> None:
            await asyncio.sleep(0.05)
            self.link.reply(ref, "ok", payload)

        task = asyncio.create_task(reply())
        self.late_replies.add(task)
        task.add_done_callback(self.late_replies.discard)


def _socket_id(info: ConnectInfo) -> str | None:
    uid = info.params.get("uid")
    return None if uid is None else f"user:{uid}"


def vector_endpoint(
    mount: str = "/socket", *, limits: Limits | None = None, observer: Observer | None = None
) -> PhoenixEndpoint:
    """The vector app's sockets, three channels each, unless `limits` says otherwise."""

    def room(link: Link) -> RoomChannel:
        return RoomChannel(link, endpoint)

    endpoint = PhoenixEndpoint(
        f"{mount}/websocket",
        {"room:*": room, "exact": room},
        connect=_socket_id,
        limits=limits or Limits(max_channels=3),
        observer=observer,
    )
    return endpoint


def vector_app(*endpoints: PhoenixEndpoint) -> Litestar:
    """An application of these endpoints, or of one at /socket."""
    routes = [endpoint.route for endpoint in endpoints or (vector_endpoint(),)]
    return Litestar(routes, openapi_config=None, logging_config=None)


@click.command()
@click.option("--port", default=4001, show_default=True)
def main(port: int) -> None:
    """Serve the vector app alone, on 127.0.0.1."""
    uvicorn.Server(uvicorn_config(vector_app(), port=port)).run()


if __name__ == "__main__":
    main()
