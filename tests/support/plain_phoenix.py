"""An ordinary Phoenix application in the bridge's place.

It is what somebody writes who has the bridge's interface and Phoenix's channel guide: `handle_in`
has clauses for two events, broadcasts the keys that it knows, and answers `{:noreply, socket}`.
`PlainSettings` makes it behave otherwise.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from litestar import Litestar, Request, Response, get, post, put
from litestar.params import FromPath, JSONBody

from adapters.phoenix.channel import Channel, ChannelSocket, ConnectInfo, JoinRefused, Reply, Stop
from adapters.phoenix.endpoint import (
    SOCKET_PATH,
    ConnectionPolicy,
    ConnectRefused,
    PhoenixEndpoint,
    SocketLimits,
)
from adapters.phoenix.server import Ref

Body = dict[str, Any]
MESSAGES = ("user_message", "agent_message")
"""The events that `handle_in` has clauses for."""
TRATTORIA: Body = {
    "id": "b1",
    "name": "Trattoria Elixir",
    "phone": "+40 700 000 000",
    "opening_hours": {"mon": "10-22", "tue": "10-22"},
}
"""The fields of an Ecto struct, as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainSettings:
    """The behaviour of the application; the defaults are the ordinary ones."""

    replies: bool = False
    """`{:reply, :ok, socket}` instead of `{:noreply, socket}`."""
    returns_to_sender: bool = True
    """`broadcast!` instead of `broadcast_from!`."""
    admits_joins: bool = True
    max_channels: int = 100
    """The channels of one socket, by default as since Phoenix 1.8.9."""
    token: str = ""
    """What a socket needs, as the parameter `token` or in the sub-protocol; empty: nothing."""
    wraps: bool = False
    """Its JSON comes in `{"data": …}`, as from a Phoenix generator."""
    requires_summary: bool = False
    """A changeset refuses a status without a `summary` (422)."""
    business: Body = field(default_factory=lambda: TRATTORIA)


class Received(NamedTuple):
    """An event on a topic, or a request at a path."""

    where: str
    what: str
    """The event or the method."""
    payload: Any


class PlainPhoenix(ConnectionPolicy):
    """The application's state, which outlives the process that serves it; it keeps no history."""

    def __init__(self, settings: PlainSettings | None = None) -> None:
        self.settings = settings or PlainSettings()
        """Another value takes effect at the next event, join, socket or request."""
        self.connects: list[ConnectInfo] = []
        self.joins: asyncio.Queue[Received] = asyncio.Queue()
        self.events: asyncio.Queue[Received] = asyncio.Queue()
        self.requests: asyncio.Queue[Received] = asyncio.Queue()
        self._endpoint: PhoenixEndpoint

    def app(self) -> Litestar:
        """Return a new instance of the application."""
        self._endpoint = PhoenixEndpoint(
            SOCKET_PATH,
            {"chat:*": lambda socket: _Chat(socket, self)},
            limits=SocketLimits(max_channels=self.settings.max_channels),
            connection_policy=self,
        )
        routes = [self._endpoint.route, *_http(self)]
        return Litestar(routes, openapi_config=None, logging_config=None)

    def broadcast(
        self, topic: str, event: str, payload: Any, sender: ChannelSocket | None = None
    ) -> None:
        """Send to all who have joined the topic but the sender."""
        self._endpoint.broadcast(topic, event, payload, sender)

    async def disconnect(self) -> None:
        """Close all sockets."""
        await self._endpoint.drain(lambda: 0.0)

    def admit(self, info: ConnectInfo) -> None:
        self.connects.append(info)
        token = self.settings.token
        if token and token not in (info.params.get("token"), info.token.value):
            raise ConnectRefused(403)


class _Chat(Channel):
    def __init__(self, socket: ChannelSocket, application: PlainPhoenix) -> None:
        super().__init__(socket)
        self._application = application

    async def join(self, topic: str, payload: Any) -> None:
        self._application.joins.put_nowait(Received(topic, "phx_join", payload))
        if not self._application.settings.admits_joins:
            raise JoinRefused({"reason": "unauthorized"})

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply | Stop | None:
        topic, settings = self.socket.topic, self._application.settings
        self._application.events.put_nowait(Received(topic, event, payload))
        if event not in MESSAGES:
            return Stop(failed=True)  # FunctionClauseError
        known = {"message": payload["message"], "timestamp": payload.get("timestamp")}
        sender = None if settings.returns_to_sender else self.socket
        self._application.broadcast(topic, event, known, sender)
        return Reply() if settings.replies else None


def _http(application: PlainPhoenix) -> list[Any]:
    """Return its controllers."""

    def answer(request: Request[Any, Any, Any], body: Any, status: int = 200) -> Response[Any]:
        path, method = request.url.path, request.method
        application.requests.put_nowait(Received(path, method, body))
        return Response({"status": "ok"} if status < 400 else {"errors": {}}, status_code=status)

    def fact(body: Any) -> Response[Any]:
        return Response({"data": body} if application.settings.wraps else body)

    def speaks(path: str, event: str) -> Any:
        @post(path)
        async def create(request: Request[Any, Any, Any], data: JSONBody[Body]) -> Response[Any]:
            topic = f"chat:{data['businessId']}:{data['userId']}"
            application.broadcast(topic, event, {"message": data["message"]})
            return answer(request, data, 201)

        return create

    @post(["/api/ai-conversation", "/api/ai-context", "/api/notifications"])
    async def notice(request: Request[Any, Any, Any], data: JSONBody[Body]) -> Response[Any]:
        return answer(request, data)

    @put("/api/conversation-status/{session_id:str}")
    async def status(
        session_id: FromPath[str], request: Request[Any, Any, Any], data: JSONBody[Body]
    ) -> Response[Any]:
        is_invalid = application.settings.requires_summary and data.get("summary") is None
        return answer(request, data, 422 if is_invalid else 200)

    @get("/health")
    async def health() -> Body:
        return {"status": "ok"}

    @get("/api/business/{business_id:str}")
    async def business(business_id: FromPath[str]) -> Response[Any]:
        return fact({**application.settings.business, "id": business_id})

    @get("/api/business/{business_id:str}/reservations")
    async def reservations(business_id: FromPath[str]) -> Response[Any]:
        return fact([])

    messages = speaks("/api/messages", "user_message")
    responses = speaks("/api/agent-responses", "agent_message")
    return [notice, status, health, business, reservations, messages, responses]
