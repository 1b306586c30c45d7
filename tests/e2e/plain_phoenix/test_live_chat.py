"""The live chat with an ordinary Phoenix application in the bridge's place, from the AI to a
coordinator, back and to its end: with each knob of the application, and with each two of them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields, replace
from itertools import combinations
from typing import Any, Literal

import httpx
import pytest

from adapters.bridge.memory_store import MemoryBridgeStore
from adapters.phoenix.client_connection import ChannelStatus
from entrypoints.bridge.app import create_bridge
from entrypoints.settings import Settings
from tests.support.bridge_client import BridgeClient, bridge_client
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings, Received
from tests.support.server import running
from tests.support.user import PATIENCE_S, User, user
from tests.support.wire import Product, product

CHAT = "chat:b1:u1"
WHO = {"businessId": "b1", "userId": "u1"}
TOKEN = "t0p-s3cret"

KNOBS: dict[str, dict[str, Any]] = {
    "replies": {"replies": True},
    "broadcast_from": {"returns_to_sender": False},
    "unknown events ignored": {"ignores_unknown": True},
    "typing known": {"additions": ("typing",)},
    "presence": {"presence": True},
    "joins refused for a while": {"refuses_first": True},
    "joins refused at random": {"refused_joins": 0.3},
    "token in either place": {"token": TOKEN},
    "token as parameter": {"token": TOKEN, "token_in": "parameter"},
    "token as sub-protocol": {"token": TOKEN, "token_in": "subprotocol"},
    "token with the join": {"token": TOKEN, "token_in": "join"},
    "token with requests": {"token": TOKEN, "token_in": "bearer"},
    "origins checked": {"check_origin": True},
    "wrapped JSON": {"wraps": True},
    "snake_case": {"snake_case": True},
    "body": {"text_key": "body"},
    "sockets disconnected": {"disconnects_with": 1001},
    "sockets closed as if for good": {"disconnects_with": 1000},
    "summary required": {"requires_summary": True},
    "reports of messages fail": {"fails_at": ("/api/ai-conversation",)},
    "all reports fail": {"fails_at": ("/api/ai-",)},
    "user on the bridge's socket": {"user_speaks": "topic"},
    "user over the bridge's HTTP": {"user_speaks": "http"},
    "coordinator over HTTP": {"coordinator_speaks": "http"},
}
PAIRS = [
    pair for pair in combinations(KNOBS, 2) if KNOBS[pair[0]].keys().isdisjoint(KNOBS[pair[1]])
]
USUAL_PAIRS = [
    ("replies", "broadcast_from"),
    ("broadcast_from", "user on the bridge's socket"),
    ("typing known", "presence"),
    ("joins refused for a while", "token with the join"),
    ("wrapped JSON", "token with requests"),
    ("snake_case", "body"),
    ("sockets disconnected", "coordinator over HTTP"),
    ("all reports fail", "user on the bridge's socket"),
]
"""The pairs that the ordinary suite runs; `make phoenix-pairs` runs all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What happens, and where people speak."""

    refuses_first: bool = False
    """The first join is refused."""
    disconnects_with: int | None = None
    """The close code with which all sockets are disconnected in the middle; None: they are not."""
    user_speaks: Literal["server", "topic", "http"] = "server"
    """Where the user speaks in a live chat: at the server, or at the bridge."""
    coordinator_speaks: Literal["topic", "http"] = "topic"


COURSE = {field.name for field in fields(Course)}


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The server, and an application in the bridge's place, each with people at it."""

    course: Course
    application: PlainPhoenix | None
    """None: the reference bridge."""
    server: Product
    ana: User
    ana_there: BridgeClient
    """Ana's page at the bridge, which speaks in her name."""
    maria: BridgeClient
    """The coordinator's page at the bridge."""
    http: httpx.AsyncClient
    """The bridge's own HTTP interface."""

    async def speak(self, *texts: str) -> None:
        """Send messages from the user, and return once the coordinator has them."""
        for text in texts:
            match self.course.user_speaks:
                case "server":
                    await self.ana.say(text)
                case "topic":
                    self.ana_there.cast("user_message", message=text, timestamp=None)
                case "http":
                    await self.post("/api/messages", text)
        for text in texts:
            await self.heard(text)

    async def heard(self, text: str) -> None:
        """Return once the coordinator has received a message."""
        while text not in text_of(await self.maria.wait_for("user_message")):
            pass

    async def answer(self, *texts: str) -> None:
        """Send messages from the coordinator, and return once the user has them."""
        for text in texts:
            if self.course.coordinator_speaks == "http":
                await self.post("/api/agent-responses", text)
            else:
                self.maria.cast("agent_message", message=text, timestamp=None)
        name = self.application is not None and self.application.settings.snake_case
        more = {"coordinatorId": "Maria"} if name else {}
        for text in texts:
            await self.ana.wait_for("agent_message", message=text, **more)

    async def post(self, path: str, text: str) -> None:
        """Send a message through the bridge's own HTTP interface."""
        said = {**WHO, "locationId": "l1", "message": text}
        assert (await self.http.post(path, json=said)).status_code in (200, 201)

    async def said(self, author: str) -> list[str]:
        """Return the stored messages of an author."""
        log = await self.server.log()
        return [entry["message"] for entry in log if entry.get("author") == author]


def text_of(payload: dict[str, Any]) -> str:
    return str(payload.get("message", payload.get("body")))


@asynccontextmanager
async def serving(application: PlainPhoenix | None) -> AsyncIterator[str]:
    bridge = create_bridge(Settings(), MemoryBridgeStore())
    async with running(bridge if application is None else application.app()) as address:
        yield address


def at(address: str, **chosen: Any) -> AbstractAsyncContextManager[Product]:
    """Run the server with a bridge at this address."""
    socket = f"ws://{address}/socket/websocket?key=us3r-s3cret"
    http = f"http://{address}"
    return product(bridge="elixir", elixir_http_url=http, elixir_websocket_url=socket, **chosen)


@asynccontextmanager
async def system(
    application: PlainPhoenix | None, course: Course | None = None
) -> AsyncIterator[System]:
    given: dict[str, Any] = {}
    timeout_ms = 5_000
    page = {**WHO, "page": True, "token": TOKEN}
    if application is not None:
        settings = application.settings
        if settings.token_in == "subprotocol":
            given = {"token": TOKEN}
        elif settings.token:
            given = {"params": {"token": TOKEN}}
        if not settings.replies and not settings.returns_to_sender:
            timeout_ms = 500  # that nothing comes back is all that the server gets to know
    async with (
        serving(application) as address,
        at(
            address,
            elixir_token=TOKEN if application is not None else "",
            elixir_timeout=timeout_ms,
        ) as server,
        user(server.address) as ana,
        bridge_client(address, CHAT, page, **given) as ana_there,
        bridge_client(address, CHAT, page, **given) as maria,
        httpx.AsyncClient(
            base_url=f"http://{address}", headers={"Authorization": f"Bearer {TOKEN}"}
        ) as http,
    ):
        await ana.join()
        yield System(
            course=course or Course(),
            application=application,
            server=server,
            ana=ana,
            ana_there=ana_there,
            maria=maria,
            http=http,
        )


async def next_of(queue: "asyncio.Queue[Received]", what: str, where: str) -> Received:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            received = await queue.get()
            if received.what == what and received.where.startswith(where):
                return received


async def next_join(application: PlainPhoenix) -> None:
    """Return once the server, and no page, has asked to join."""
    while "page" in (await next_of(application.joins, "phx_join", CHAT)).payload:
        pass


async def ask_for_human(whole: System) -> str:
    """Ask for a human in the user's name; return the session's id once the topic is joined."""
    application, refuses = whole.application, whole.course.refuses_first
    if application is not None and refuses:
        application.settings = replace(application.settings, admits_joins=False)
    asked = await whole.ana.ask_for_human()
    if application is not None and refuses:
        await next_join(application)
        application.settings = replace(application.settings, admits_joins=True)
    if application is not None:
        told = await next_of(application.requests, "POST", "/api/notifications")
        assert told.payload["sessionId"] == asked["sessionId"]
    await whole.ana.wait_for("conversation_status", status="waiting", reason="delivered")
    assert asked["liveChat"]["url"].startswith("ws://127.0.0.1:")
    assert "s3cret" not in str(asked)
    await whole.ana.say("E cineva?")
    await whole.heard("E cineva?")
    return str(asked["sessionId"])


async def mission(whole: System) -> None:
    ana, application = whole.ana, whole.application
    await ana.say("Bună!")
    await ana.wait_for("new_message", author="ai")
    session_id = await ask_for_human(whole)
    await whole.answer("Bună, sunt Maria.")
    await ana.wait_for("conversation_status", status="live")
    await type_to_each_other(whole)
    code = whole.course.disconnects_with
    if application is not None and code is not None:
        # What is not acknowledged when the socket is lost comes again.
        await whole.server.until('notices_total{kind="relay",outcome="delivered"}', 1)
        await application.disconnect(code)
        await whole.ana_there.wait_for(ChannelStatus.REJOINED)
        await whole.maria.wait_for(ChannelStatus.REJOINED)
        await ana.say("Mai sunteți?")  # the server has joined again once this has come
        await whole.heard("Mai sunteți?")
    await whole.speak("Vreau o masă.", "Pentru doi.")
    await whole.answer("Da.", "Gata.")
    await whole.server.change(session_id, "ai")
    await ana.wait_for("conversation_status", status="ai")
    await ana.say("Mulțumesc!")
    await ana.wait_for("new_message", author="ai")
    await whole.server.change(session_id, "closed")
    await ana.wait_for("conversation_status", status="closed")


async def type_to_each_other(whole: System) -> None:
    """Show each the other's typing, where the application knows the event."""
    await whole.ana.request("typing", {})
    if whole.application is None or "typing" in whole.application.settings.additions:
        await whole.maria.wait_for("typing", author="user")
        whole.maria.cast("typing", author="coordinator")
        await whole.ana.wait_for("typing", author="coordinator")


def relayed_by_server(application: PlainPhoenix) -> list[str]:
    """Return the messages that the server, and no page, has sent to the application."""
    events = [application.events.get_nowait() for _ in range(application.events.qsize())]
    return [event.payload["message"] for event in events if "origin" in event.payload]


async def check_everything_came_once(whole: System) -> None:
    asides = [] if whole.course.disconnects_with is None else ["Mai sunteți?"]
    live = ["E cineva?", *asides, "Vreau o masă.", "Pentru doi."]
    answers = ["Bună, sunt Maria.", "Da.", "Gata."]

    received = [text_of(told) for event, told in whole.maria.received if event == "user_message"]
    assert received == live
    assert await whole.said("user") == ["Bună!", *live, "Mulțumesc!"]
    assert await whole.said("coordinator") == answers
    assert len(await whole.said("ai")) == 2
    assert [push for push in whole.ana.pushes if push[0] == "agent_message"] == []
    assert "s3cret" not in str(whole.ana.pushes)
    assert 'outcome="dead"' not in (await whole.server.api.get("/metrics")).text


async def check_the_application_was_told(application: PlainPhoenix) -> None:
    statuses = []
    while "closed" not in statuses:
        told = await next_of(application.requests, "PUT", "/api/conversation-status/")
        statuses.append(told.payload["status"])
    events = {application.events.get_nowait().what for _ in range(application.events.qsize())}

    assert statuses[-3:] == ["live", "ai", "closed"]
    known = {"user_message", "agent_message"}
    assert events <= known | ({"typing"} if "typing" in application.settings.additions else set())


@pytest.mark.parametrize(
    "knobs",
    [
        pytest.param((), id="as it comes"),
        *((knob,) for knob in KNOBS),
        *(
            pytest.param(pair, marks=[] if pair in USUAL_PAIRS else pytest.mark.pairs)
            for pair in PAIRS
        ),
    ],
    ids=" + ".join,
)
async def test_a_conversation_goes_to_a_coordinator_and_back(knobs: tuple[str, ...]) -> None:
    given = {key: value for knob in knobs for key, value in KNOBS[knob].items()}
    course = Course(**{key: value for key, value in given.items() if key in COURSE})
    application = PlainPhoenix(
        PlainSettings(**{key: value for key, value in given.items() if key not in COURSE})
    )
    async with system(application, course) as whole:
        await mission(whole)

        await check_everything_came_once(whole)
        await check_the_application_was_told(application)


@pytest.mark.parametrize(
    "course",
    [Course(), Course(user_speaks="topic"), Course(user_speaks="http", coordinator_speaks="http")],
)
async def test_the_same_conversation_over_the_reference_bridge(course: Course) -> None:
    async with system(None, course) as whole:
        await mission(whole)

        await check_everything_came_once(whole)


async def test_more_live_chats_than_a_socket_has_channels_all_go_both_ways() -> None:
    application = PlainPhoenix()
    user_ids = [f"u{number}" for number in range(application.settings.max_channels + 1)]
    relayed = {f"chat:b1:{user_id}": asyncio.Event() for user_id in user_ids}
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(running(application.app()))
        server = await stack.enter_async_context(at(address))

        async def talk(user_id: str) -> None:
            ana = await stack.enter_async_context(user(server.address, "b1", user_id))
            await ana.join()
            await ana.ask_for_human()
            await ana.say("E cineva?")
            topic = f"chat:b1:{user_id}"
            await relayed[topic].wait()
            application.speak(topic, "agent_message", "Da.")
            await ana.wait_for("agent_message", message="Da.")

        async def receive() -> None:
            for _ in user_ids:
                relayed[(await application.events.get()).where].set()

        async with asyncio.timeout(2 * PATIENCE_S):
            await asyncio.gather(receive(), *(talk(user_id) for user_id in user_ids))

        assert application.events.empty()
        assert len(application.channels) == len(user_ids)
        assert len({id(channel.transport) for channel in application.channels}) > 1


@pytest.mark.parametrize("way", ["topic", "http"])
async def test_a_coordinator_who_speaks_unasked_at_the_bridge_has_the_conversation(
    way: Literal["topic", "http"],
) -> None:
    application = PlainPhoenix()
    async with system(application, Course(coordinator_speaks=way)) as whole:
        await whole.ana.say("Bună!")
        await whole.ana.wait_for("new_message", author="ai")
        await next_join(application)
        await whole.answer("Preiau eu.")
        await whole.ana.wait_for("conversation_status", status="live")
        await whole.speak("Mulțumesc!")

        assert await whole.said("coordinator") == ["Preiau eu."]
        assert len(await whole.said("ai")) == 1


@pytest.mark.parametrize("way", ["topic", "http"])
async def test_a_user_who_speaks_unasked_at_the_bridge_has_asked_for_a_human(way: str) -> None:
    application = PlainPhoenix()
    async with system(application) as whole:
        await whole.ana.say("Bună!")
        await whole.ana.wait_for("new_message", author="ai")
        await next_join(application)
        if way == "http":
            await whole.post("/api/messages", "Vreau un om.")
        else:
            for _ in range(2):
                at = "2030-01-01T12:00:00Z"
                whole.ana_there.cast("user_message", message="Vreau un om.", timestamp=at)
        await whole.ana.wait_for("conversation_status", status="waiting", reason="user_request")
        await whole.ana.wait_for("conversation_status", status="waiting", reason="delivered")
        await whole.answer("Bună, sunt Maria.")
        await whole.speak("Pentru doi.")

        assert await whole.said("user") == ["Bună!", "Vreau un om.", "Pentru doi."]
        assert len(await whole.said("ai")) == 1
        (relayed,) = relayed_by_server(application)
        assert relayed == "Pentru doi."
