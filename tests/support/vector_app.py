"""The application that the protocol vectors are replayed against, on the product's endpoint.

Its channel behaves as the channel of the reference implementation did when they were recorded;
unlike a channel of the product it crashes on an unknown event.
"""

import asyncio
import random
from typing import Any

import click
import uvicorn
from litestar import Litestar

from adapters.phoenix.channel import (
    Channel,
    ChannelSocket,
    JoinRefused,
    Reply,
    Stop,
    TerminateReason,
)
from adapters.phoenix.endpoint import PhoenixEndpoint, SocketLimits, SocketObserver
from adapters.phoenix.longpoll import LongPoll, LongPollLimits
from adapters.phoenix.server import Payload, Ref
from adapters.phoenix.uvicorn_protocol import uvicorn_config

GOING_AWAY = 1001
"""The close code of Phoenix's "disconnect" (`lib/phoenix/socket.ex`)."""

QUICK_POLLS = LongPollLimits(window_s=1.0)

_RESULTS: dict[str, Reply | Stop | None] = {
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

    def __init__(
        self, socket: ChannelSocket, endpoint: PhoenixEndpoint, rooms: "set[RoomChannel]"
    ) -> None:
        super().__init__(socket)
        self.endpoint = endpoint
        self.rooms = rooms
        self.user_id = socket.info.params.get("uid")
        self.user: Any = None
        self.late_replies: set[asyncio.Task[None]] = set()

    @property
    def room(self) -> str:
        return self.socket.topic.removeprefix("room:")

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
        self.rooms.add(self)
        if self.room.startswith("after"):
            self.endpoint.broadcast(self.socket.topic, "user_entered", {"user": self.user})
            self.socket.push("joined", {"status": "connected"})

    async def terminate(self, reason: TerminateReason) -> None:
        self.rooms.discard(self)
        if self.room.startswith("term"):
            self.socket.push("you_left", {"message": "bye!"})

    async def handle(self, event: str, payload: Any, ref: Ref) -> Any:
        if event in _RESULTS:
            return _RESULTS[event]
        if event in ("ping", "push_reply", "shout_reply", "async", "multi"):
            return self.echo(event, payload, ref)
        if event == "drain":
            return await self.endpoint.drain(random.random)
        return self.act(event, payload)

    def echo(self, event: str, payload: Any, ref: Ref) -> Reply | None:
        """Handle the events that return the client's payload."""
        match event:
            case "push_reply":
                self.socket.push("pushed", payload)
                return Reply()
            case "shout_reply":
                self.endpoint.broadcast(self.socket.topic, "shout", payload)
                return Reply("ok", {"done": True})
            case "async":
                self.reply_later(ref, payload)
                return None
            case "multi":
                self.socket.reply(ref, "ok", {"n": 1})
                self.socket.reply(ref, "ok", {"n": 2})
                return None
        return Reply("ok", payload)

    def act(self, event: str, payload: Payload) -> str | None:
        """Handle the events without a reply."""
        match event:
            case "shout":
                self.endpoint.broadcast(self.socket.topic, "shout", payload)
            case "shout_from":
                self.socket.broadcast_from("shout", payload)
            case "push":
                self.socket.push("pushed", payload)
            case "badret":
                return "garbage"
            case "disconnect":
                for room in self.rooms.copy():
                    if room.user_id == self.user_id:
                        room.socket.transport.close(GOING_AWAY)
            case _:  # "boom" too
                raise LookupError("an event without a handler")
        return None

    def reply_later(self, ref: Ref, payload: Any) -> None:
        async def reply() -> None:
            await asyncio.sleep(0.05)
            self.socket.reply(ref, "ok", payload)

        task = asyncio.create_task(reply())
        self.late_replies.add(task)
        task.add_done_callback(self.late_replies.discard)


def vector_endpoint(
    mount: str = "/socket",
    *,
    limits: SocketLimits | None = None,
    observer: SocketObserver | None = None,
) -> PhoenixEndpoint:
    """Return the vector app's endpoint; `limits`: by default three channels a socket."""
    rooms: set[RoomChannel] = set()

    def room(socket: ChannelSocket) -> RoomChannel:
        return RoomChannel(socket, endpoint, rooms)

    endpoint = PhoenixEndpoint(
        f"{mount}/websocket",
        {"room:*": room, "exact": room},
        limits=limits or SocketLimits(max_channels=3),
        observer=observer,
    )
    return endpoint


def vector_app(*endpoints: PhoenixEndpoint, polled: LongPollLimits | None = None) -> Litestar:
    """Return an application of these endpoints, or of one at /socket; the first can be polled."""
    served = endpoints or (vector_endpoint(),)
    long_poll = LongPoll("/socket/longpoll", served[0], node="n1", limits=polled or QUICK_POLLS)
    return Litestar(
        [long_poll.route, *(endpoint.route for endpoint in served)],
        on_shutdown=[long_poll.stop],
        openapi_config=None,
        logging_config=None,
    )


@click.command()
@click.option("--port", default=4001, show_default=True)
def main(port: int) -> None:
    """Serve the vector app alone, on 127.0.0.1."""
    uvicorn.Server(uvicorn_config(vector_app(), port=port)).run()


if __name__ == "__main__":
    main()
