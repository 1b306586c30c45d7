"""An ordinary Phoenix application in the bridge's place.

It is what somebody writes who has the bridge's interface and Phoenix's channel guide: `handle_in`
has clauses for two events, broadcasts the keys that it knows, and answers `{:noreply, socket}`; no
message is kept. `PlainSettings` makes it behave otherwise.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from random import Random
from typing import Any, Literal, NamedTuple

from litestar import Litestar, Request, Response, Router, get, post, put
from litestar.params import FromPath, JSONBody

from adapters.phoenix.channel import (
    Channel,
    ChannelSocket,
    ConnectInfo,
    JoinRefused,
    Reply,
    Stop,
    TerminateReason,
)
from adapters.phoenix.endpoint import (
    SOCKET_PATH,
    ConnectionPolicy,
    ConnectRefused,
    PhoenixEndpoint,
    SocketLimits,
)
from adapters.phoenix.frames import ERROR
from adapters.phoenix.limits import ConnectionLimits, Connections
from adapters.phoenix.server import Ref, ServerSocket

Body = dict[str, Any]
AnyRequest = Request[Any, Any, Any]
HOST = "localhost"
"""The host of the endpoint's `url`, whose pages may open a socket where origins are checked."""
DISCONNECTED = {"1.8": 1001, "1.7": 1000}
"""The close code of a `disconnect`: since 1.8.8 Phoenix's own, before that Bandit's."""
NO_LIMIT = 1_000_000
UNLIMITED_FRAMES = ConnectionLimits(
    frames_per_s=NO_LIMIT, first_frames=NO_LIMIT, max_burst_frames=NO_LIMIT
)
"""Phoenix counts no frames."""
TRATTORIA: Body = {
    "id": "b1",
    "name": "Trattoria Elixir",
    "phone": "+40 700 000 000",
    "opening_hours": {"mon": "10-22", "tue": "10-22"},
}
"""The fields of an Ecto struct, as they are."""

TokenPlace = Literal["connect", "parameter", "subprotocol", "join", "bearer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainSettings:
    """The behaviour of the application; the defaults are the ordinary ones."""

    phoenix: Literal["1.8", "1.7"] = "1.8"
    """The version: 1.7 gives no reason for a crash, closes with another code, and has no limit of
    channels; read by `app`."""
    replies: bool = False
    """`{:reply, :ok, socket}` instead of `{:noreply, socket}`."""
    returns_to_sender: bool = True
    """`broadcast!` instead of `broadcast_from!`."""
    ignores_unknown: bool = False
    """A last clause of `handle_in` takes any event; without one, an unknown one is a crash."""
    additions: tuple[str, ...] = ()
    """`additions` in the reply to a join; with `typing` there is a clause for that event."""
    presence: bool = False
    """It tracks who has joined: `presence_state` after a join, `presence_diff` for all."""
    admits_joins: bool = True
    refused_joins: float = 0.0
    """The share of the joins that are refused at random."""
    max_channels: int = 100
    """The channels of one socket of 1.8, by default as since Phoenix 1.8.9; read by `app`."""
    token: str = ""
    """A secret that is required in `token_in`; empty: none is."""
    token_in: TokenPlace = "connect"
    """`connect`: the parameter `token` of a socket, or else its sub-protocol; `bearer`: the header
    of a request."""
    check_origin: bool = False
    """Only pages of HOST may open a socket; read by `app`."""
    wraps: bool = False
    """Its JSON comes in `{"data": …}`, as from a Phoenix generator."""
    snake_case: bool = False
    """A message has Ecto's `inserted_at` instead of a `timestamp`, and an `agent_name`."""
    texts_only: bool = False
    """It broadcasts a message's text, and nothing else of it."""
    passes_payload: bool = False
    """It broadcasts what it gets as it came, with or without a `message`."""
    text_key: str = "message"
    """The key of a message's text in what it broadcasts."""
    requires_summary: bool = False
    """A changeset refuses a status whose `summary` is blank (422)."""
    shows_reports: bool = False
    """It broadcasts what the user and the AI say to each other to those who watch the topic."""
    fails_at: tuple[str, ...] = ()
    """The beginnings of paths that are answered with 500."""
    hangs_at: tuple[str, ...] = ()
    """Those that get no answer."""
    business: Body = field(default_factory=lambda: TRATTORIA)
    online: Any = None
    """What it answers for the coordinators who are present; None: it knows nothing of them (404).
    The requests are in `PlainPhoenix.requests`."""


class Received(NamedTuple):
    """An event on a topic, or a request at a path."""

    where: str
    what: str
    """The event or the method."""
    payload: Any


class PlainPhoenix(ConnectionPolicy):
    """The application's state, which outlives the process that serves it."""

    def __init__(self, settings: PlainSettings | None = None) -> None:
        self.settings = settings or PlainSettings()
        """Another value takes effect at the next event, join, socket or request."""
        self.connects: list[ConnectInfo] = []
        self.joins: asyncio.Queue[Received] = asyncio.Queue()
        self.events: asyncio.Queue[Received] = asyncio.Queue()
        self.requests: asyncio.Queue[Received] = asyncio.Queue()
        self.channels: dict[ChannelSocket, Body | None] = {}
        """The joined ones, each with its presence."""
        self._random = Random(60)  # of 0.3, the third is the first to be refused
        self._endpoint: PhoenixEndpoint

    def app(self) -> Litestar:
        """Return a new instance of the application."""
        self.channels.clear()
        self._endpoint = PhoenixEndpoint(
            SOCKET_PATH,
            {"chat:*": lambda socket: _Chat(socket, self)},
            allowed_origins=[f"//{HOST}"] if self.settings.check_origin else None,
            limits=SocketLimits(
                max_channels=self.settings.max_channels
                if self.settings.phoenix == "1.8"
                else NO_LIMIT
            ),
            connection_policy=self,
            connections=(connections := Connections(UNLIMITED_FRAMES)),
        )
        routes = [self._endpoint.route, *_http(self)]
        app = Litestar(routes, openapi_config=None, logging_config=None)
        app.state.connections = connections
        return app

    def broadcast(
        self, topic: str, event: str, payload: Any, sender: ChannelSocket | None = None
    ) -> None:
        """Send to all who have joined the topic but the sender."""
        self._endpoint.broadcast(topic, event, payload, sender)

    def speak(self, topic: str, event: str, text: str) -> None:
        """Broadcast a message of its own making, in its own keys."""
        self.broadcast(topic, event, self.message(event, text, _now().isoformat() + "Z"))

    def message(self, event: str, text: str, timestamp: Any) -> Body:
        """Return a message in the keys of this application."""
        body: Body = {self.settings.text_key: text}
        if self.settings.texts_only:
            return body
        if not self.settings.snake_case:
            return body | {"timestamp": timestamp}
        body["inserted_at"] = _now().isoformat(timespec="seconds")  # a NaiveDateTime
        return body | ({"agent_name": "Maria"} if event == "agent_message" else {})

    async def disconnect(self, code: int | None = None) -> None:
        """Close all sockets that have joined something."""
        code = code or DISCONNECTED[self.settings.phoenix]
        for transport in {id(each.transport): each.transport for each in self.channels}.values():
            transport.close(code)

    def track(self, socket: ChannelSocket) -> None:
        """Add a channel to the presences, under its user's id."""
        meta: Body = {"online_at": int(time.time()), "phx_ref": secrets.token_urlsafe(12)}
        self.channels[socket] = meta
        joins = _presences(socket.topic, [meta])
        self.broadcast(socket.topic, "presence_diff", {"joins": joins, "leaves": {}})
        others = [meta for each, meta in self.channels.items() if each.topic == socket.topic]
        socket.push("presence_state", _presences(socket.topic, others))

    def untrack(self, socket: ChannelSocket) -> None:
        """Remove a channel, and its presence if it has one."""
        meta = self.channels.pop(socket, None)
        if meta is not None:
            leaves = _presences(socket.topic, [meta])
            self.broadcast(socket.topic, "presence_diff", {"joins": {}, "leaves": leaves})

    def admit(self, info: ConnectInfo) -> None:
        self.connects.append(info)
        parameter, offered = info.params.get("token"), info.token.value
        given = {"connect": parameter or offered, "parameter": parameter, "subprotocol": offered}
        place, token = self.settings.token_in, self.settings.token
        if token and place in given and given[place] != token:
            raise ConnectRefused(403)

    def admits(self, payload: Any) -> bool:
        """Decide about a join."""
        settings = self.settings
        if (
            settings.token
            and settings.token_in == "join"
            and payload.get("token") != settings.token
        ):
            return False
        return settings.admits_joins and self._random.random() >= settings.refused_joins


class _Core17(ServerSocket[ChannelSocket, Any]):
    __slots__ = ()

    def crash(self, channel: ChannelSocket) -> str:
        return self._end(channel, ERROR, {})


class _Chat(Channel):
    def __init__(self, socket: ChannelSocket, application: PlainPhoenix) -> None:
        super().__init__(socket)
        self._application = application
        if application.settings.phoenix == "1.7":
            socket.transport.core.__class__ = _Core17

    async def join(self, topic: str, payload: Any) -> Body | None:
        application = self._application
        application.joins.put_nowait(Received(topic, "phx_join", payload))
        if not application.admits(payload):
            raise JoinRefused({"reason": "unauthorized"})
        if topic.count(":") != 2:
            raise JoinRefused({"reason": "bad topic"})
        application.channels[self.socket] = None
        additions = application.settings.additions
        return {"additions": additions} if additions else None

    async def joined(self) -> None:
        if self._application.settings.presence:
            self._application.track(self.socket)

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply | Stop | None:
        application, topic = self._application, self.socket.topic
        settings = application.settings
        application.events.put_nowait(Received(topic, event, payload))
        match event, payload:
            case "user_message" | "agent_message", _ if settings.passes_payload:
                message = payload
            case "user_message" | "agent_message", {"message": text}:
                message = application.message(event, text, payload.get("timestamp"))
            case "typing", _ if "typing" in settings.additions:
                application.broadcast(topic, event, payload, self.socket)
                return None
            case _:
                return (
                    None if settings.ignores_unknown else Stop(failed=True)
                )  # FunctionClauseError
        sender = None if settings.returns_to_sender else self.socket
        application.broadcast(topic, event, message, sender)
        return Reply() if settings.replies else None

    async def terminate(self, reason: TerminateReason) -> None:
        self._application.untrack(self.socket)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _presences(topic: str, metas: list[Body | None]) -> Body:
    """Return what Phoenix.Presence sends of the user of a topic."""
    return {topic.rpartition(":")[2]: {"metas": [meta for meta in metas if meta is not None]}}


ACTIONS: dict[str, tuple[int, set[str]]] = {
    "/api/ai-conversation": (200, {"businessId", "sessionId", "message"}),
    "/api/ai-context": (200, {"sessionId", "context"}),
    "/api/notifications": (201, set()),
    "/api/messages": (201, {"businessId", "userId", "message"}),
    "/api/agent-responses": (201, {"businessId", "userId", "message"}),
}
"""Each action's status, and the keys that it matches in a body."""
SPOKEN = {"/api/messages": "user_message", "/api/agent-responses": "agent_message"}


def _show(application: PlainPhoenix, path: str, report: Body) -> None:
    topic = "chat:{businessId}:{userId}"
    if path == "/api/ai-conversation":
        application.speak(topic.format(**report), "user_message", report["message"])
    elif path == "/api/ai-context":
        context = report["context"]
        application.speak(topic.format(**context), "agent_message", context["aiResponse"])


def _http(application: PlainPhoenix) -> list[Any]:
    """Return its controllers."""

    def json(content: Any, status: int = 200) -> Response[Any]:
        if status >= 400:
            content = {"errors": {"detail": HTTPStatus(status).phrase}}
        elif application.settings.wraps:
            content = {"data": content}
        return Response(content, status_code=status)

    async def plugs(request: AnyRequest) -> Response[Any] | None:
        """Require the token, note what comes, and fail on demand."""
        settings, path = application.settings, request.url.path
        if settings.token and settings.token_in == "bearer":
            if request.headers.get("authorization") != f"Bearer {settings.token}":
                return json(None, 401)
        if request.method != "GET":
            received = Received(path, request.method, await request.json())
            application.requests.put_nowait(received)
        if path.startswith(settings.hangs_at):
            while (await request.receive())["type"] != "http.disconnect":
                pass
        return json(None, 500) if path.startswith(settings.fails_at) else None

    @post(list(ACTIONS))
    async def action(request: AnyRequest, data: JSONBody[Body]) -> Response[Any]:
        path = request.url.path
        status, keys = ACTIONS[path]
        if not keys <= data.keys():
            return json(None, 400)  # Phoenix.ActionClauseError
        if path in SPOKEN:
            topic = f"chat:{data['businessId']}:{data['userId']}"
            application.speak(topic, SPOKEN[path], data["message"])
        if application.settings.shows_reports:
            _show(application, path, data)
        return json({"status": "ok"}, status)

    @put("/api/conversation-status/{session_id:str}")
    async def status(session_id: FromPath[str], data: JSONBody[Body]) -> Response[Any]:
        if application.settings.requires_summary and not (data.get("summary") or "").strip():
            return json(None, 422)  # Ecto.Changeset.validate_required
        return json({"status": "ok"}, 200 if "status" in data else 400)

    @get("/api/business/{business_id:str}")
    async def business(business_id: FromPath[str]) -> Response[Any]:
        return json({**application.settings.business, "id": business_id})

    @get("/api/business/{business_id:str}/reservations")
    async def reservations(business_id: FromPath[str]) -> Response[Any]:
        return json([])

    @get("/api/business/{business_id:str}/presence")
    async def presence(business_id: FromPath[str]) -> Response[Any]:
        path, online = f"/api/business/{business_id}/presence", application.settings.online
        application.requests.put_nowait(Received(path, "GET", None))
        return json({"online": online}) if online is not None else json(None, 404)

    @get("/health")
    async def health() -> Body:
        return {"status": "ok"}

    api = [action, status, business, reservations, presence]
    return [Router("/", before_request=plugs, route_handlers=api), health]
