"""A minimal bridge: an application with the socket of the interface, and nothing else."""

import asyncio
from collections.abc import Callable
from typing import Any

from litestar import Litestar

from adapters.phoenix.channel import Channel, ChannelSocket, JoinRefused, Reply, Stop
from adapters.phoenix.endpoint import PhoenixEndpoint
from adapters.phoenix.server import Ref

Payload = dict[str, Any]

EVERYTHING = ("message", "timestamp", "messageId", "origin")
"""The keys of a message, for an application that drops none."""


class Chats:
    """The application's state, and how it is to behave."""

    def __init__(self) -> None:
        self.keeps: tuple[str, ...] = EVERYTHING
        """The keys of a message that it passes on."""
        self.answers: list[Reply | Stop | None] = []
        """Replies to the next user messages; later ones get `ok` and are broadcast."""
        self.replays: Any = None
        """`messages` in the reply to a join."""
        self.additions: Any = None
        """`additions` in the reply to a join."""
        self.refuses: str | None = None
        """The reason with which joins are refused; None: they are not."""
        self.joins: asyncio.Queue[tuple[str, Payload]] = asyncio.Queue()
        self.heard: asyncio.Queue[tuple[str, Payload]] = asyncio.Queue()
        """Events and payloads, in the order of arrival."""
        self.left: asyncio.Queue[str] = asyncio.Queue()
        self.endpoint = self._endpoint()

    def restarted(self) -> Litestar:
        """A new instance of the application."""
        self.endpoint = self._endpoint()
        return Litestar([self.endpoint.route], openapi_config=None, logging_config=None)

    def say(self, event: str, payload: Any, topic: str = "chat:b1:ana") -> None:
        """Broadcast to all who have joined the topic."""
        self.endpoint.broadcast(topic, event, payload)

    def _endpoint(self) -> PhoenixEndpoint:
        chat: Callable[[ChannelSocket], Channel] = lambda socket: _Chat(socket, self)  # noqa: E731
        return PhoenixEndpoint("/socket/websocket", {"chat:*": chat})


class _Chat(Channel):
    def __init__(self, socket: ChannelSocket, chats: Chats) -> None:
        super().__init__(socket)
        self._chats = chats

    async def join(self, topic: str, payload: Any) -> Payload:
        self._chats.joins.put_nowait((topic, payload))
        if self._chats.refuses is not None:
            raise JoinRefused({"reason": self._chats.refuses})
        reply = {"messages": self._chats.replays, "additions": self._chats.additions}
        return {key: value for key, value in reply.items() if value is not None}

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply | Stop | None:
        self._chats.heard.put_nowait((event, payload))
        if event == "user_message":
            if self._chats.answers:
                return self._chats.answers.pop(0)
            kept = {key: payload[key] for key in self._chats.keeps if key in payload}
            self._chats.endpoint.broadcast(self.socket.topic, event, kept)
        return Reply()

    async def terminate(self, ended: Any) -> None:
        self._chats.left.put_nowait(self.socket.topic)
