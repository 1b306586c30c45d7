"""The reference bridge over real sockets and HTTP."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from adapters.bridge.sqlite_store import SqliteBridgeStore
from adapters.json_shapes import timestamp
from adapters.phoenix.client_connection import (
    JoinError,
    PhoenixChannel,
    PhoenixConnection,
    PushError,
)
from application.bridge.live_chats import MISSED_PAGE
from domain.errors import StorageUnavailable
from domain.identity import BusinessId, CoordinatorId, Customer, LocationId, UserId
from entrypoints.bridge.app import create_bridge
from entrypoints.bridge.http import MAX_REPORT_BODY
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.agent_server import AgentServerDouble
from tests.support.businesses import EXAMPLES
from tests.support.process import command
from tests.support.process import server as process
from tests.support.server import free_port, running
from tests.support.user import user

PATIENCE_S = 20.0
NOW = datetime.now(UTC)
AT = timestamp(NOW)
LATER = timestamp(NOW + timedelta(seconds=1))
# Nothing listens on port 9: the commands of these tests stay pending.
NO_SERVER = "http://127.0.0.1:9"
SETTINGS = Settings(bridge_store="memory", agent_server_url=NO_SERVER, businesses=str(EXAMPLES))
ADDITIONS = ["typing", "presence", "queue", "missed", "confirmation", "rating", "customer"]
USER = {"businessId": "b1", "userId": "ana"}
TRANSFER = {
    **USER,
    "type": "transfer",
    "transferId": "t1",
    "sessionId": "s1",
    "locationId": "l1",
    "reason": "user_request",
    "context": {"summary": "Vrea o masă.", "language": "ro", "lastMessages": []},
    "timestamp": AT,
}
CONVERSATION = {
    **USER,
    "type": "ai_conversation",
    "locationId": "l1",
    "sessionId": "s1",
    "message": "Ce program aveți?",
    "timestamp": AT,
}
CONTEXT = {
    "sessionId": "s1",
    "context": {
        **USER,
        "lastMessage": "Ce program aveți?",
        "aiResponse": "Luni–vineri 9–22.",
        "timestamp": LATER,
    },
    "timestamp": LATER,
}
MISSED = {
    **USER,
    "type": "missed",
    "sessionId": "s1",
    "locationId": "l1",
    "message": "Sunați-mă la 0722 555 010.",
    "reason": "user_request",
    "context": {"summary": "Vrea o masă.", "language": "ro", "lastMessages": []},
    "timestamp": AT,
}
WAITS_FOR_YES = {
    **USER,
    "type": "confirmation",
    "sessionId": "s1",
    "locationId": "l1",
    "confirmId": "s1-3",
    "by": "coordinator",
    "state": "proposed",
    "what": "Rezervare masă",
    "expiresAt": LATER,
    "timestamp": AT,
}
RATED = {
    **USER,
    "type": "rating",
    "sessionId": "s1",
    "locationId": "l1",
    "rating": 2,
    "comment": "Slow",
    "timestamp": AT,
}
NIGHT = {**MISSED, "sessionId": "s2", "userId": "dan"}
MESSAGE = {**USER, "locationId": "l1", "message": "Mai e cineva?"}
ANSWER = {**USER, "message": "Bună ziua.", "coordinatorId": "maria"}
STATUS = {"status": "waiting", "summary": None, "updatedAt": AT}
EVERY_CALL = [
    ("POST", "/api/ai-conversation", CONVERSATION),
    ("POST", "/api/ai-context", CONTEXT),
    ("PUT", "/api/conversation-status/s1", STATUS),
    ("POST", "/api/notifications", TRANSFER),
    ("POST", "/api/notifications", MISSED),
    ("POST", "/api/notifications", WAITS_FOR_YES),
    ("POST", "/api/notifications", RATED),
    ("POST", "/api/messages", MESSAGE),
    ("POST", "/api/agent-responses", ANSWER),
]


class Bridge:
    """A running bridge, and an HTTP client of it."""

    def __init__(self, http: httpx.AsyncClient, address: str, stack: AsyncExitStack) -> None:
        self.http = http
        self.address = address
        self._stack = stack

    async def call(
        self, method: str, path: str, body: Any = None, key: str | None = None
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key is not None else {}
        return await self.http.request(method, path, json=body, headers=headers)

    async def post(self, path: str, body: dict[str, Any], key: str | None = None) -> Any:
        """Return the body of a successful response."""
        return (await self.call("POST", path, body, key)).raise_for_status().json()

    async def tell_status(
        self, status: str, at: str = LATER, session_id: str = "s1", **more: Any
    ) -> None:
        body = {"status": status, "summary": None, "updatedAt": at, **more}
        path = f"/api/conversation-status/{session_id}"
        (await self.call("PUT", path, body)).raise_for_status()

    async def join(self, topic: str, **payload: Any) -> tuple[PhoenixChannel, Any]:
        """Join on a new socket; return the channel and the reply."""
        url = f"ws://{self.address}/socket/websocket"
        connection = await self._stack.enter_async_context(PhoenixConnection(url))
        channel = connection.channel(topic, payload)
        return channel, await channel.join()

    async def chat(self, **payload: Any) -> tuple[PhoenixChannel, Any]:
        """Join the user's chat."""
        return await self.join("chat:b1:ana", **USER, **payload)

    async def leave(self) -> None:
        """Close every socket of this client's."""
        await self._stack.aclose()

    async def online(self, business: str = "b1") -> int:
        """Return how many coordinators are there."""
        response = await self.call("GET", f"/api/business/{business}/presence")
        online: int = response.raise_for_status().json()["online"]
        return online

    async def coordinator(self, name: str, **payload: Any) -> tuple[PhoenixChannel, Any]:
        """Join the business's coordinators."""
        return await self.join("coordinators:b1", businessId="b1", coordinatorId=name, **payload)


@asynccontextmanager
async def visiting(address: str, token: str = "") -> AsyncIterator[Bridge]:
    """A client of the bridge at this address."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        # Certificates, which take a while to load, are of no use without TLS.
        httpx.AsyncClient(base_url=f"http://{address}", headers=headers, verify=False) as http,
        AsyncExitStack() as stack,
    ):
        yield Bridge(http, address, stack)


@asynccontextmanager
async def serving(
    settings: Settings = SETTINGS, store: SqliteBridgeStore | None = None
) -> AsyncIterator[Bridge]:
    """A bridge, and a client of it."""
    async with running(create_bridge(settings, store)) as address, visiting(address) as bridge:
        yield bridge


@pytest.fixture
async def bridge() -> AsyncIterator[Bridge]:
    async with serving() as bridge:
        yield bridge


async def heard(channel: PhoenixChannel, event: str, **fields: Any) -> Any:
    """Return the next payload of this event that has these fields."""
    async with asyncio.timeout(PATIENCE_S):
        async for name, payload in channel:
            if name == event and fields.items() <= payload.items():
                return payload
    raise AssertionError(f"the channel closed before {event}")


def rows(board: Any, kind: str) -> list[Any]:
    """Return the rows of a board that have this status, or call for coordinators by this."""
    call = {"missed": "missed", "asked": "confirmation"}.get(kind)
    return [row for row in board["chats"] if (row["status"] == kind if not call else row[call])]


# The chat.


async def test_a_message_comes_back_to_its_sender_with_its_origin(bridge: Bridge) -> None:
    channel, joined = await bridge.chat()

    answer = await channel.push(
        "user_message",
        {"message": " Bună! ", "timestamp": AT, "messageId": "m1", "origin": "server"},
    )
    came_back = await heard(channel, "user_message")

    assert joined == {"messages": [], "additions": ADDITIONS, "status": "ai"}
    assert answer == {"messageId": "m1", "duplicate": False}
    assert came_back == {
        "messageId": "m1",
        "author": "user",
        "message": "Bună!",
        "timestamp": AT,
        "origin": "server",
    }


async def test_a_coordinators_message_reaches_the_users_side(bridge: Bridge) -> None:
    users_side, _ = await bridge.chat()
    coordinators_side, _ = await bridge.chat()

    await coordinators_side.push(
        "agent_message", {"message": "Bună ziua.", "timestamp": AT, "coordinatorId": "maria"}
    )
    got = await heard(users_side, "agent_message")

    assert (got["message"], got["timestamp"]) == ("Bună ziua.", AT)
    assert (got["coordinatorId"], got["author"]) == ("maria", "coordinator")


async def test_a_repeated_message_id_is_stored_once_and_marked_as_a_duplicate(
    bridge: Bridge,
) -> None:
    channel, _ = await bridge.chat()
    said = {"message": "Bună!", "messageId": "m1"}
    await channel.push("user_message", said)

    again = await channel.push("user_message", said)
    _, joined = await bridge.chat()

    assert again == {"messageId": "m1", "duplicate": True}
    assert [words["message"] for words in joined["messages"]] == ["Bună!"]


async def test_a_frame_without_ref_is_handled_like_any_other(bridge: Bridge) -> None:
    channel, _ = await bridge.chat()

    channel.send("user_message", {"message": "Bună!", "timestamp": AT})
    got = await heard(channel, "user_message")

    assert got["message"] == "Bună!"


async def test_a_join_returns_the_transcript_and_the_state_of_the_conversation(
    bridge: Bridge,
) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    await bridge.post("/api/messages", {**MESSAGE, "messageId": "m1", "timestamp": AT})
    await bridge.post("/api/agent-responses", {**ANSWER, "messageId": "m2", "timestamp": LATER})

    _, joined = await bridge.chat()

    assert (joined["status"], joined["coordinatorId"], joined["sessionId"]) == (
        "live",
        "maria",
        "s1",
    )
    assert [(words["author"], words["messageId"]) for words in joined["messages"]] == [
        ("user", "m1"),
        ("coordinator", "m2"),
    ]


async def test_typing_reaches_the_other_clients_but_not_its_sender(bridge: Bridge) -> None:
    typing, _ = await bridge.chat()
    other, _ = await bridge.chat()

    answer = await typing.push("typing", {"author": "coordinator"})
    got = await heard(other, "typing")
    await typing.push("user_message", {"message": "Bună!"})
    events = []
    async for name, _payload in typing:
        events.append(name)
        if name == "user_message":
            break

    assert answer == {}
    assert (got["author"], got["expiresInMs"]) == ("coordinator", 5_000)
    assert "typing" not in events


async def test_a_status_change_is_pushed_on_the_chat(bridge: Bridge) -> None:
    channel, _ = await bridge.chat()

    await bridge.post("/api/notifications", TRANSFER)
    waiting = await heard(channel, "conversation_status")
    await bridge.tell_status("ai")
    returned = await heard(channel, "conversation_status")

    assert (waiting["status"], waiting["sessionId"], waiting["reason"]) == (
        "waiting",
        "s1",
        "user_request",
    )
    assert (returned["status"], returned["updatedAt"]) == ("ai", LATER)


@pytest.mark.parametrize(
    ("event", "payload", "reason"),
    [
        ("user_message", {}, "invalid_payload"),
        ("user_message", {"message": " "}, "invalid_payload"),
        ("user_message", {"message": "x" * 8_001}, "message_too_long"),
        ("user_message", {"message": "x", "messageId": "a b"}, "invalid_payload"),
        ("user_message", {"message": "x", "timestamp": "yesterday"}, "invalid_payload"),
        ("user_message", {"message": "x", "origin": "x" * 129}, "invalid_payload"),
        ("agent_message", {"message": "x", "coordinatorId": ""}, "invalid_payload"),
        ("typing", {"author": "ai"}, "invalid_payload"),
        ("shout", {"message": "x"}, "unknown event"),
    ],
)
async def test_an_invalid_event_is_refused(
    bridge: Bridge, event: str, payload: dict[str, Any], reason: str
) -> None:
    channel, _ = await bridge.chat()

    with pytest.raises(PushError) as refused:
        await channel.push(event, payload)

    assert refused.value.response["reason"] == reason


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("chat:b1:ana", {"businessId": "b1"}, "invalid_payload"),
        ("chat:b1:ana", {"businessId": "b1", "userId": "dan"}, "identity_mismatch"),
        ("coordinators:b1", {"businessId": "b1"}, "invalid_payload"),
        ("coordinators:b1", {"businessId": "b2", "coordinatorId": "maria"}, "business_mismatch"),
        ("rooms:b1", {}, "unmatched topic"),
    ],
)
async def test_a_join_that_does_not_fit_its_topic_is_refused(
    bridge: Bridge, topic: str, payload: dict[str, Any], reason: str
) -> None:
    with pytest.raises(JoinError) as refused:
        await bridge.join(topic, **payload)

    assert refused.value.response["reason"] == reason


async def test_a_message_that_cannot_be_stored_is_refused_and_not_announced() -> None:
    class RefusingStore(SqliteBridgeStore):
        async def save(self, change: object) -> bool:
            raise StorageUnavailable

    async with serving(store=RefusingStore()) as bridge:
        channel, _ = await bridge.chat()

        with pytest.raises(PushError) as refused:
            await channel.push("user_message", {"message": "Bună!"})
        response = await bridge.call("POST", "/api/messages", MESSAGE)
        await channel.push("typing", {"author": "user"})

        assert refused.value.response == {"reason": "storage_unavailable"}
        assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")


# The HTTP interface.


async def test_the_health_check_answers(bridge: Bridge) -> None:
    response = await bridge.call("GET", "/health")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(("method", "path", "body"), EVERY_CALL)
async def test_every_call_succeeds_and_its_repeat_gets_the_first_reply(
    bridge: Bridge, method: str, path: str, body: dict[str, Any]
) -> None:
    first = await bridge.call(method, path, body, key="k1")

    again = await bridge.call(method, path, body, key="k1")

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()


@pytest.mark.parametrize(("method", "path", "body"), EVERY_CALL)
async def test_every_call_needs_the_token_where_there_is_one(
    method: str, path: str, body: dict[str, Any]
) -> None:
    settings = Settings(bridge_store="memory", agent_server_url=NO_SERVER, service_token="t0p")
    async with running(create_bridge(settings)) as address:
        async with visiting(address) as stranger, visiting(address, "t0p") as neighbour:
            refused = await stranger.call(method, path, body)
            granted = await neighbour.call(method, path, body)

    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    assert granted.status_code == 200


@pytest.mark.parametrize(("method", "path", "body"), EVERY_CALL)
async def test_every_call_refuses_a_body_of_another_shape(
    bridge: Bridge, method: str, path: str, body: dict[str, Any]
) -> None:
    responses = [
        await bridge.call(method, path, wrong)
        for wrong in ({}, [body], {name: 1 for name in body}, {name: "\n" for name in body})
    ]

    problems = [(response.status_code, response.json()["code"]) for response in responses]
    assert problems == [(400, "invalid_payload")] * 4


@pytest.mark.parametrize(
    ("headers", "content", "code"),
    [
        ({"content-type": "text/plain"}, b"{}", 415),
        ({"content-type": "application/json"}, b"{" * 100, 400),
        ({"content-type": "application/json"}, b" " * (MAX_REPORT_BODY + 1), 413),
        ({"content-type": "application/json", "idempotency-key": "k" * 256}, b"{}", 400),
    ],
)
async def test_a_request_out_of_bounds_is_a_problem_document(
    bridge: Bridge, headers: dict[str, str], content: bytes, code: int
) -> None:
    response = await bridge.http.post("/api/messages", content=content, headers=headers)

    assert response.status_code == code
    assert response.headers["content-type"].startswith("application/problem+json")


async def test_messages_over_http_are_pushed_on_the_chat(bridge: Bridge) -> None:
    channel, _ = await bridge.chat()

    user = await bridge.post("/api/messages", {**MESSAGE, "messageId": "m1"})
    user_heard = await heard(channel, "user_message")
    agent = await bridge.post("/api/agent-responses", {**ANSWER, "messageId": "m2"})
    agent_heard = await heard(channel, "agent_message")

    assert user == {"messageId": "m1", "duplicate": False}
    assert (user_heard["message"], user_heard["messageId"]) == ("Mai e cineva?", "m1")
    assert agent == {"messageId": "m2", "duplicate": False}
    assert (agent_heard["message"], agent_heard["coordinatorId"]) == ("Bună ziua.", "maria")


async def test_a_coordinator_may_name_the_session_instead_of_the_user(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    channel, _ = await bridge.chat()

    await bridge.post("/api/agent-responses", {"sessionId": "s1", "message": "Bună ziua."})
    got = await heard(channel, "agent_message")

    assert (got["message"], got["sessionId"]) == ("Bună ziua.", "s1")


@pytest.mark.parametrize(
    ("whom", "status", "code"),
    [
        ({}, 400, "invalid_payload"),
        ({"businessId": "b1"}, 400, "invalid_payload"),
        ({"sessionId": "s9"}, 404, "unknown_session"),
        ({"sessionId": "s1", "userId": "dan"}, 400, "invalid_payload"),
    ],
)
async def test_a_message_without_a_known_recipient_is_refused(
    bridge: Bridge, whom: dict[str, str], status: int, code: str
) -> None:
    await bridge.post("/api/notifications", TRANSFER)

    response = await bridge.call("POST", "/api/agent-responses", {"message": "Bună.", **whom})

    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_a_message_into_a_closed_conversation_is_refused(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    await bridge.tell_status("closed")

    response = await bridge.call("POST", "/api/agent-responses", ANSWER)

    assert (response.status_code, response.json()["code"]) == (409, "session_closed")


async def test_the_facts_of_the_demo_businesses_are_served(bridge: Bridge) -> None:
    facts = (await bridge.call("GET", "/api/business/b2")).json()
    found = (await bridge.call("GET", "/api/business/b1/reservations?userId=ana")).json()

    assert (facts["businessId"], facts["name"], facts["language"]) == (
        "b2",
        "Harbour Dental",
        "en",
    )
    assert "8:00-18:00" in facts["facts"]["hours"]
    assert found["reservations"][0]["guests"] == 4


@pytest.mark.parametrize("path", ["/api/business/b9", "/api/business/b9/reservations"])
async def test_an_unknown_business_is_not_found(bridge: Bridge, path: str) -> None:
    response = await bridge.call("GET", path)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_the_interface_is_described(bridge: Bridge) -> None:
    schema = (await bridge.call("GET", "/schema")).json()

    assert {path for _, path, _ in EVERY_CALL if path.count("/") == 2} <= set(schema["paths"])


# The coordinators.


async def test_a_waiting_user_is_announced_to_the_coordinators(bridge: Bridge) -> None:
    channel, board = await bridge.coordinator("maria")

    await bridge.post("/api/notifications", TRANSFER)
    notification = await heard(channel, "notification")

    assert board["chats"] == []
    assert board["presence"] == {"online": 1, "coordinators": ["maria"]}
    assert board["server"] == {"reachable": None}
    assert notification["type"] == "waiting"
    assert notification["chat"]["userId"] == "ana"
    assert notification["chat"]["waitingSince"] == AT
    opened = await channel.push("open", {"sessionId": "s1"})
    assert opened["chat"]["context"] == TRANSFER["context"]


async def test_a_repeated_notification_is_announced_once(bridge: Bridge) -> None:
    channel, _ = await bridge.coordinator("maria")
    for _ in range(2):
        await bridge.post("/api/notifications", TRANSFER)
    await bridge.tell_status("ai")

    types = [(await heard(channel, "notification"))["type"] for _ in range(2)]

    assert types == ["waiting", "gone"]


async def test_the_largest_context_package_is_accepted(bridge: Bridge) -> None:
    emoji = "\N{SLICE OF PIZZA}" * 2_400
    lines = [{"seq": seq, "author": "user", "message": emoji} for seq in range(1, 11)]
    context = {"summary": "x" * 10_000, "lastMessages": lines}

    await bridge.post("/api/notifications", {**TRANSFER, "context": context})
    channel, board = await bridge.coordinator("maria")

    opened = await channel.push("open", {"sessionId": rows(board, "waiting")[0]["sessionId"]})
    assert opened["chat"]["context"] == context


async def test_a_coordinator_signs_in_with_the_name_that_people_write_in_any_spelling(
    bridge: Bridge,
) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    stefan, _ = await bridge.coordinator("S\u0326tefan  Pop ")
    _, board = await bridge.coordinator("Ștefan Pop")
    maria, _ = await bridge.coordinator("Maria Ionescu")

    claimed = await stefan.push("claim", {"sessionId": "s1"})
    with pytest.raises(PushError) as error:
        await maria.push("claim", {"sessionId": "s1"})
    for name in ("", "Maria\nAna", "Maria\u202e", "\u200b", "a" * 129):
        with pytest.raises(JoinError, match="invalid_payload"):
            await bridge.coordinator(name)

    assert board["presence"] == {"online": 1, "coordinators": ["Ștefan Pop"]}
    assert await bridge.online() == 2
    assert claimed["coordinatorId"] == "Ștefan Pop"
    assert error.value.response["by"] == "Ștefan Pop"


async def test_two_coordinators_cannot_both_claim(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    maria, _ = await bridge.coordinator("maria")
    ion, _ = await bridge.coordinator("ion")

    claims = [each.push("claim", {"sessionId": "s1"}) for each in (maria, ion)]
    answers: list[Any] = list(await asyncio.gather(*claims, return_exceptions=True))
    refused, claimed = sorted(answers, key=lambda answer: isinstance(answer, dict))

    assert isinstance(refused, PushError)
    assert refused.response["reason"] == "already_claimed"
    assert refused.response["by"] == claimed["coordinatorId"]


async def test_a_conversation_can_be_taken_over_explicitly(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    maria, _ = await bridge.coordinator("maria")
    ion, _ = await bridge.coordinator("ion")
    await maria.push("claim", {"sessionId": "s1"})

    taken = await ion.push("claim", {"sessionId": "s1", "takeOver": True})
    told = await heard(maria, "notification", type="changed")
    while told["chat"]["coordinatorId"] != "ion":
        told = await heard(maria, "notification", type="changed")

    assert taken["coordinatorId"] == "ion"


async def test_a_coordinator_who_joins_later_gets_the_current_board(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    other = {**TRANSFER, "sessionId": "s2", "transferId": "t2", "userId": "dan"}
    await bridge.post("/api/notifications", other)
    maria, _ = await bridge.coordinator("maria")
    await maria.push("claim", {"sessionId": "s1"})

    _, board = await bridge.coordinator("ion")

    assert [chat["sessionId"] for chat in rows(board, "waiting")] == ["s2"]
    assert [(chat["sessionId"], chat["pending"]) for chat in rows(board, "live")] == [("s1", True)]


async def test_coordinators_see_no_other_business(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    channel, board = await bridge.join("coordinators:b2", businessId="b2", coordinatorId="eve")

    with pytest.raises(PushError) as refused:
        await channel.push("claim", {"sessionId": "s1"})

    assert rows(board, "waiting") == []
    assert refused.value.response["reason"] == "unknown_session"


async def test_coordinators_get_the_transcript_of_the_ai(bridge: Bridge) -> None:
    for _ in range(2):  # told at least once
        await bridge.post("/api/ai-conversation", CONVERSATION)
        await bridge.post("/api/ai-context", CONTEXT)
    channel, _ = await bridge.coordinator("maria")

    history = await channel.push("open", {"sessionId": "s1"})

    said = [(words["author"], words["message"]) for words in history["messages"]]
    assert said == [("user", "Ce program aveți?"), ("ai", "Luni–vineri 9–22.")]


async def test_coordinators_get_the_messages_of_every_live_chat(bridge: Bridge) -> None:
    channel, _ = await bridge.coordinator("maria")

    await bridge.post("/api/messages", MESSAGE)
    got = await heard(channel, "live_message")

    assert (got["userId"], got["author"], got["message"]) == ("ana", "user", "Mai e cineva?")


async def test_coordinators_need_the_token() -> None:
    settings = Settings(bridge_store="memory", agent_server_url=NO_SERVER, service_token="t0p")
    async with serving(settings) as bridge:
        with pytest.raises(JoinError) as refused:
            await bridge.coordinator("eve")
        stranger, _ = await bridge.chat()
        with pytest.raises(PushError) as silenced:
            await stranger.push("agent_message", {"message": "Bună ziua."})
        _, board = await bridge.coordinator("maria", token="t0p")
        maria, _ = await bridge.chat(token="t0p")
        stored = await maria.push("agent_message", {"message": "Bună ziua."})

    assert refused.value.response["reason"] == "unauthorized"
    assert silenced.value.response["reason"] == "unauthorized"
    assert rows(board, "waiting") == []
    assert stored["duplicate"] is False


async def test_a_foreign_page_cannot_open_the_socket(bridge: Bridge) -> None:
    url = f"ws://{bridge.address}/socket/websocket"

    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, origin="https://evil.example"):  # type: ignore[arg-type]
            pass

    assert refused.value.response.status_code == 403


# Who is there.


async def test_coordinators_are_there_while_a_socket_of_theirs_is_joined(bridge: Bridge) -> None:
    nobody = await bridge.online()
    maria, board = await bridge.coordinator("maria")
    async with visiting(bridge.address) as elsewhere:
        await elsewhere.coordinator("maria")
        await elsewhere.coordinator("ion")
        arrived = await heard(maria, "presence")
        both = await bridge.online()
        _, second_board = await bridge.coordinator("ana")
    left = await heard(maria, "presence", online=2)

    assert (nobody, board["presence"]["online"], both) == (0, 1, 2)
    assert arrived == {"online": 2, "coordinators": ["ion", "maria"]}
    assert second_board["presence"] == {"online": 3, "coordinators": ["ana", "ion", "maria"]}
    assert left == {"online": 2, "coordinators": ["ana", "maria"]}
    assert await bridge.online() == 2


async def test_a_coordinator_who_leaves_the_topic_is_not_there_any_more(bridge: Bridge) -> None:
    maria, _ = await bridge.coordinator("maria")
    ion, _ = await bridge.coordinator("ion")
    await heard(maria, "presence", online=2)

    ion.leave()
    left = await heard(maria, "presence")

    assert left == {"online": 1, "coordinators": ["maria"]}


async def test_a_coordinator_whose_socket_is_silent_is_not_there_any_more() -> None:
    async with (
        running(create_bridge(SETTINGS), idle_timeout_s=0.3, close_timeout_s=0.1) as address,
        visiting(address) as bridge,
        connect(f"ws://{address}/socket/websocket?vsn=2.0.0", ping_interval=None) as laptop,
    ):
        who = {"businessId": "b1", "coordinatorId": "maria"}
        await laptop.send(json.dumps(["1", "1", "coordinators:b1", "phx_join", who]))
        joined = json.loads(await laptop.recv())
        async with asyncio.timeout(PATIENCE_S):
            await laptop.wait_closed()
            while await bridge.online():
                pass

    assert joined[4]["response"]["presence"]["online"] == 1


async def test_a_coordinator_who_joins_again_on_the_same_socket_is_there_once(
    bridge: Bridge,
) -> None:
    async with connect(f"ws://{bridge.address}/socket/websocket?vsn=2.0.0") as client:
        for number, name in enumerate(("maria", "maria", "ion")):
            who = {"businessId": "b1", "coordinatorId": name}
            ref = str(number)
            await client.send(json.dumps([ref, ref, "coordinators:b1", "phx_join", who]))
            while json.loads(await client.recv())[:2] != [ref, ref]:
                pass
        online = await bridge.online()

    assert online == 1


async def test_only_who_may_call_learns_how_many_coordinators_are_there() -> None:
    settings = Settings(bridge_store="memory", agent_server_url=NO_SERVER, service_token="t0p")
    async with (
        running(create_bridge(settings)) as address,
        visiting(address) as stranger,
        visiting(address, "t0p") as server,
    ):
        refused = await stranger.call("GET", "/api/business/b1/presence")
        granted = await server.online()

    assert (refused.status_code, granted) == (401, 0)


async def test_who_is_there_is_known_for_each_business_alone(bridge: Bridge) -> None:
    await bridge.coordinator("maria")
    _, board = await bridge.join("coordinators:b2", businessId="b2", coordinatorId="eve")

    counted = [await bridge.online(business) for business in ("b1", "b2", "b9")]

    assert board["presence"]["coordinators"] == ["eve"]
    assert counted == [1, 1, 0]


async def test_the_names_of_who_is_there_are_bounded_and_the_count_is_not(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("entrypoints.bridge.wire.MAX_NAMES", 1)
    await bridge.coordinator("maria")

    _, board = await bridge.coordinator("ana")

    assert board["presence"] == {"online": 2, "coordinators": ["ana"]}


async def test_the_additions_are_announced_with_the_business_too(bridge: Bridge) -> None:
    found = (await bridge.call("GET", "/api/business/b1")).json()

    assert found["additions"] == ADDITIONS


@pytest.mark.parametrize("path", ["b:1", "b%201", "%00", "x" * 129])
async def test_the_presence_of_what_is_no_business_is_refused(bridge: Bridge, path: str) -> None:
    response = await bridge.call("GET", f"/api/business/{path}/presence")

    assert response.status_code in (400, 404)


# The queue.


async def test_a_waiting_user_is_told_the_place_and_who_comes_to_listen_later_too(
    bridge: Bridge,
) -> None:
    ana, _ = await bridge.chat()
    await bridge.post("/api/notifications", TRANSFER)
    first = await heard(ana, "queue")
    second = {**TRANSFER, "sessionId": "s2", "transferId": "t2", "userId": "dan"}
    await bridge.post("/api/notifications", {**second, "timestamp": LATER})
    dan, _ = await bridge.join("chat:b1:dan", businessId="b1", userId="dan")
    behind = await heard(dan, "queue")

    maria, _ = await bridge.coordinator("maria")
    await maria.push("claim", {"sessionId": "s1"})
    next_one = await heard(dan, "queue", place=1)

    assert first == {"place": 1, "waitS": None}
    assert behind == {"place": 2, "waitS": None}
    assert next_one["waitS"] is not None


async def test_places_are_counted_for_each_business_alone(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    other = {**TRANSFER, "businessId": "b2", "sessionId": "s2", "transferId": "t2"}
    await bridge.post("/api/notifications", {**other, "timestamp": LATER})

    elsewhere, _ = await bridge.join("chat:b2:ana", businessId="b2", userId="ana")
    place = await heard(elsewhere, "queue")

    assert place["place"] == 1


# Missed messages.


async def test_a_missed_message_is_announced_and_on_the_board(bridge: Bridge) -> None:
    maria, _ = await bridge.coordinator("maria")

    await bridge.post("/api/notifications", MISSED, key="k1")
    await bridge.post("/api/notifications", MISSED, key="k1")
    announced = await heard(maria, "notification")
    _, board = await bridge.coordinator("ion")

    assert announced["type"] == "missed"
    assert announced["chat"] == rows(board, "missed")[0]
    assert (rows(board, "waiting"), rows(board, "live"), len(rows(board, "missed"))) == ([], [], 1)
    assert (announced["chat"]["userId"], announced["chat"]["status"]) == ("ana", "ai")
    assert announced["chat"]["missed"] == {
        "message": MISSED["message"],
        "timestamp": AT,
        "reason": "user_request",
    }
    opened = await maria.push("open", {"sessionId": "s1"})
    assert opened["chat"]["context"] == MISSED["context"]


async def test_a_repeat_updates_the_missed_message_of_its_conversation(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", MISSED)
    await bridge.post("/api/notifications", {**MISSED, "message": "Mâine?", "timestamp": LATER})
    await bridge.post("/api/notifications", {**MISSED, "message": "vechi", "timestamp": AT})

    _, board = await bridge.coordinator("maria")

    assert [chat["missed"]["message"] for chat in rows(board, "missed")] == ["Mâine?"]


async def test_an_answer_takes_the_conversation_over_and_is_no_longer_missed(
    bridge: Bridge,
) -> None:
    await bridge.post("/api/notifications", MISSED)
    maria, _ = await bridge.coordinator("maria")
    ana, _ = await bridge.chat()

    chat, _ = await bridge.chat()
    await chat.push("agent_message", {"message": "Bună ziua.", "coordinatorId": "maria"})
    answered = await heard(ana, "agent_message")
    changed = await heard(maria, "notification", type="changed")
    await ana.push("user_message", {"message": "Mulțumesc!"})
    replied = await heard(maria, "live_message", author="user")
    _, board = await bridge.coordinator("ion")

    assert answered["message"] == "Bună ziua."
    assert (changed["chat"]["status"], changed["chat"]["missed"]) == ("live", None)
    assert (replied["message"], replied["sessionId"]) == ("Mulțumesc!", "s1")
    assert [(each["sessionId"], each["missed"]) for each in rows(board, "live")] == [("s1", None)]


async def test_what_is_done_is_gone_for_every_coordinator(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", MISSED)
    maria, _ = await bridge.coordinator("maria")
    ion, _ = await bridge.coordinator("ion")

    early = timestamp(NOW - timedelta(seconds=1))
    unseen = await maria.push("attend", {"sessionId": "s1", "timestamp": early})
    done = await maria.push("attend", {"sessionId": "s1", "timestamp": AT})
    gone = await heard(ion, "notification")
    await bridge.post("/api/notifications", MISSED)  # told at least once
    _, left = await bridge.coordinator("dan")

    assert unseen["missed"] is not None
    assert (done["status"], done["missed"]) == ("ai", None)
    assert (gone["type"], gone["chat"]["sessionId"]) == ("gone", "s1")
    assert left["chats"] == []


# What waits for a yes.


async def test_what_waits_for_a_coordinators_yes_is_announced_and_on_the_board(
    bridge: Bridge,
) -> None:
    maria, _ = await bridge.coordinator("maria")

    await bridge.post("/api/notifications", WAITS_FOR_YES, key="k1")
    await bridge.post("/api/notifications", WAITS_FOR_YES, key="k1")
    announced = await heard(maria, "notification")
    done = {"state": "done", "result": "R-7", "coordinatorId": "ion", "expiresAt": None}
    await bridge.post("/api/notifications", {**WAITS_FOR_YES, **done, "timestamp": LATER})
    changed = await heard(maria, "notification")
    _, board = await bridge.coordinator("ion")

    assert (announced["type"], changed["type"]) == ("asked", "changed")
    assert announced["chat"]["confirmation"] == {
        "confirmId": "s1-3",
        "by": "coordinator",
        "state": "proposed",
        "what": "Rezervare masă",
        "timestamp": AT,
        "expiresAt": LATER,
        "result": None,
        "coordinatorId": None,
    }
    assert rows(board, "asked") == [changed["chat"]]
    assert changed["chat"]["confirmation"] == {
        **announced["chat"]["confirmation"],
        **{"state": "done", "timestamp": LATER, "result": "R-7", "coordinatorId": "ion"},
    }


async def test_an_answer_is_refused_while_the_server_is_away_and_from_another_business(
    bridge: Bridge,
) -> None:
    await bridge.post("/api/notifications", WAITS_FOR_YES)
    maria, board = await bridge.coordinator("maria")
    eve, others = await bridge.join("coordinators:b2", businessId="b2", coordinatorId="eve")
    elsewhere = {**WAITS_FOR_YES, "businessId": "b2"}
    refused = await bridge.call("POST", "/api/notifications", elsewhere)
    yes = {"sessionId": "s1", "confirmId": "s1-3", "answer": "yes"}

    reasons = []
    for channel, payload in ((maria, yes), (eve, yes), (maria, {**yes, "answer": "perhaps"})):
        with pytest.raises(PushError) as error:
            await channel.push("confirm", payload)
        reasons.append(error.value.response["reason"])
    _, after = await bridge.coordinator("ion")

    assert reasons == ["server_unavailable", "unknown_session", "invalid_payload"]
    assert (rows(others, "asked"), len(rows(board, "asked"))) == ([], 1)
    assert rows(after, "asked") == rows(board, "asked")
    assert (refused.status_code, refused.json()["code"]) == (400, "identity_mismatch")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("confirmId", None), ("confirmId", "a b"), ("by", None), ("by", "anybody")),
        *(("state", None), ("state", "perhaps"), ("what", None), ("what", "x" * 501)),
        *(("result", "x" * 4_001), ("expiresAt", "soon"), ("coordinatorId", "a\u202eb")),
    ],
)
async def test_a_report_of_what_waits_for_a_yes_with_an_invalid_field_is_refused(
    bridge: Bridge, field: str, value: Any
) -> None:
    response = await bridge.call("POST", "/api/notifications", {**WAITS_FOR_YES, field: value})

    assert (response.status_code, response.json()["code"]) == (400, "invalid_payload")
    assert field in response.json()["detail"]


# Ratings.


async def test_the_newest_rating_is_kept_with_its_conversation_and_calls_nobody(
    bridge: Bridge,
) -> None:
    maria, _ = await bridge.coordinator("maria")
    await bridge.post("/api/notifications", RATED)  # nobody knows this conversation: no chat
    await bridge.post("/api/ai-conversation", CONVERSATION)
    newest = {**RATED, "rating": 5, "comment": "Kind\u0007", "timestamp": LATER}
    await bridge.post("/api/notifications", newest, key="k1")
    await bridge.post("/api/notifications", RATED)
    elsewhere = await bridge.call("POST", "/api/notifications", {**RATED, "userId": "dan"})
    await bridge.post("/api/notifications", TRANSFER)
    announced = [await heard(maria, "notification") for _ in range(3)]

    assert [each["type"] for each in announced] == ["changed", "changed", "waiting"]
    announced = announced[-1]
    assert announced["chat"]["rating"] == {"rating": 5, "comment": "Kind", "timestamp": LATER}
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (400, "identity_mismatch")


@pytest.mark.parametrize(
    ("field", "value"),
    [("rating", None), ("rating", 0), ("rating", 6), ("rating", 4.5), ("comment", "x" * 2_001)],
)
async def test_a_report_of_a_rating_with_an_invalid_field_is_refused(
    bridge: Bridge, field: str, value: Any
) -> None:
    response = await bridge.call("POST", "/api/notifications", {**RATED, field: value})

    assert (response.status_code, response.json()["code"]) == (400, "invalid_payload")
    assert field in response.json()["detail"]


async def test_no_other_business_sees_or_attends_to_a_missed_message(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", MISSED)
    eve, board = await bridge.join("coordinators:b2", businessId="b2", coordinatorId="eve")
    elsewhere = await bridge.call("POST", "/api/notifications", {**MISSED, "businessId": "b2"})

    with pytest.raises(PushError) as refused:
        await eve.push("attend", {"sessionId": "s1"})
    seen = await eve.push("list", {"view": "all"})
    _, own = await bridge.coordinator("maria")

    assert (board["chats"], seen["chats"]) == ([], [])
    assert refused.value.response["reason"] == "unknown_session"
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (400, "identity_mismatch")
    assert len(rows(own, "missed")) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sessionId", "a b"),
        ("sessionId", None),
        ("businessId", "b:1"),
        ("userId", ".."),
        ("locationId", "l" * 129),
        ("message", None),
        ("message", " \u200b\n"),
        ("message", "x" * 8_001),
        ("message", {"text": "x"}),
        ("reason", "x" * 129),
        ("reason", 7),
        ("context", ["a list"]),
        ("context", None),
        ("timestamp", "2026-01-01"),
        ("type", "rating"),
    ],
)
async def test_a_missed_message_with_a_hostile_field_is_refused_and_not_shown(
    bridge: Bridge, field: str, value: object
) -> None:
    response = await bridge.call("POST", "/api/notifications", {**MISSED, field: value})
    _, board = await bridge.coordinator("maria")

    assert response.status_code == 400
    assert rows(board, "missed") == []


async def test_a_missed_message_is_stored_as_plain_text_with_a_plausible_time(
    bridge: Bridge,
) -> None:
    hostile = {"message": "\u0000 Sunați-mă\ud800.\u001b[2J ", "reason": "\u0007user_request"}

    body = json.dumps({**MISSED, **hostile, "timestamp": "2999-01-01T00:00:00Z"})
    headers = {"content-type": "application/json"}
    response = await bridge.http.post("/api/notifications", content=body, headers=headers)
    _, board = await bridge.coordinator("maria")

    [missed] = [chat["missed"] for chat in rows(board, "missed")]
    assert response.status_code == 200
    assert (missed["message"], missed["reason"]) == ("Sunați-mă\ufffd.[2J", "user_request")
    assert datetime.fromisoformat(missed["timestamp"]) < datetime.now(UTC) + timedelta(minutes=1)


@pytest.mark.parametrize("type_of_it", ["transfer", None])
async def test_a_transfer_still_needs_its_id(bridge: Bridge, type_of_it: str | None) -> None:
    body = {name: value for name, value in MISSED.items() if name != "type"}

    response = await bridge.call(
        "POST", "/api/notifications", {**body, **({"type": type_of_it} if type_of_it else {})}
    )

    assert (response.status_code, response.json()["code"]) == (400, "invalid_payload")


async def test_the_list_of_missed_messages_is_bounded_and_goes_on_as_it_shrinks(
    bridge: Bridge,
) -> None:
    for number in range(MISSED_PAGE + 1):
        at = timestamp(NOW + timedelta(seconds=number))
        who = {"userId": f"u{number}", "sessionId": f"s{number}", "timestamp": at}
        await bridge.post("/api/notifications", {**MISSED, **who})
    maria, board = await bridge.coordinator("maria")

    await maria.push("attend", {"sessionId": f"s{MISSED_PAGE}"})
    _, rest = await bridge.coordinator("maria")

    newest_first = [f"s{number}" for number in range(MISSED_PAGE, -1, -1)]
    assert [chat["sessionId"] for chat in rows(board, "missed")] == newest_first[:-1]
    assert [chat["sessionId"] for chat in rows(rest, "missed")] == newest_first[1:]


# The AI agent server.


async def test_commands_given_while_the_server_is_down_arrive_in_order_once_it_is_up() -> None:
    double, port = AgentServerDouble(), free_port()
    settings = Settings(bridge_store="memory", agent_server_url=f"http://127.0.0.1:{port}")
    async with serving(settings) as bridge:
        await bridge.post("/api/notifications", TRANSFER)
        channel, _ = await bridge.coordinator("maria")
        await channel.push("claim", {"sessionId": "s1"})
        away = await heard(channel, "server")
        await channel.push("return", {"sessionId": "s1", "summary": " Masa e mutată. "})

        async with running(double.app(), port=port):
            back = await heard(channel, "server")
            gone = await heard(channel, "notification", type="gone")

    assert gone["chat"]["pending"] is False
    assert (away, back) == ({"reachable": False}, {"reachable": True})
    assert double.accepted == [
        ("s1", {"status": "live", "coordinatorId": "maria"}),
        ("s1", {"status": "ai", "coordinatorId": "maria", "summary": "Masa e mutată."}),
    ]
    assert len(set(double.keys)) == 2


async def test_a_command_that_the_server_refuses_is_announced_with_the_state() -> None:
    double = AgentServerDouble()
    double.refusals["s1"] = "session_closed"
    double.statuses["s1"] = "closed"
    async with running(double.app()) as address:
        settings = Settings(bridge_store="memory", agent_server_url=f"http://{address}")
        async with serving(settings) as bridge:
            await bridge.post("/api/notifications", TRANSFER)
            channel, _ = await bridge.coordinator("maria")

            await channel.push("claim", {"sessionId": "s1"})
            refused = await heard(channel, "notification", type="refused")

    assert (refused["coordinatorId"], refused["wished"]) == ("maria", "live")
    assert refused["reason"] == "session_closed"
    assert (refused["chat"]["status"], refused["chat"]["pending"]) == ("closed", False)


async def test_the_servers_own_log_can_be_paged_through_backwards() -> None:
    double = AgentServerDouble()
    double.log = [{"seq": seq, "kind": "message", "message": str(seq)} for seq in range(1, 71)]
    async with running(double.app()) as address:
        settings = Settings(bridge_store="memory", agent_server_url=f"http://{address}")
        async with serving(settings) as bridge:
            await bridge.post("/api/notifications", TRANSFER)
            channel, _ = await bridge.coordinator("maria")

            newest = await channel.push("more", {"sessionId": "s1"})
            oldest = await channel.push("more", {"sessionId": "s1", "beforeSeq": 21})

    assert [entry["seq"] for entry in newest["messages"]] == list(range(21, 71))
    assert ([entry["seq"] for entry in oldest["messages"]], newest["more"], oldest["more"]) == (
        list(range(1, 21)),
        True,
        False,
    )


async def test_a_log_that_cannot_be_reached_is_refused(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    channel, _ = await bridge.coordinator("maria")

    with pytest.raises(PushError) as refused:
        await channel.push("more", {"sessionId": "s1"})

    assert refused.value.response == {"reason": "server_unavailable"}


async def test_the_ai_agent_server_executes_a_coordinators_command() -> None:
    server_settings = Settings(store="memory", turn_quiet_ms=0, service_token="t0p")
    container = Container(settings=server_settings)
    ana = Customer(BusinessId("b1"), UserId("ana"))
    async with running(create_app(server_settings, container)) as address:
        session = await container.transfers().request(ana, LocationId("l1"), "Un om, vă rog")
        settings = Settings(
            bridge_store="memory", agent_server_url=f"http://{address}", service_token="t0p"
        )
        async with (
            running(create_bridge(settings)) as bridge_address,
            visiting(bridge_address, "t0p") as bridge,
        ):
            long_ago = "2020-01-01T00:00:00.000Z"
            transfer = {**TRANSFER, "sessionId": session.session_id, "timestamp": long_ago}
            await bridge.post("/api/notifications", transfer)
            channel, _ = await bridge.coordinator("maria", token="t0p")
            await channel.push("claim", {"sessionId": session.session_id})
            await heard(channel, "server", reachable=True)
            page = await channel.push("more", {"sessionId": session.session_id})
        loaded = await container.store().load(session.session_id)

    assert loaded is not None
    assert loaded.session.transfer is not None
    assert (loaded.session.status, loaded.session.transfer.coordinator_id) == (
        "live",
        CoordinatorId("maria"),
    )
    assert [entry["kind"] for entry in page["messages"]][:2] == ["message", "status"]


async def test_an_answer_in_the_morning_reaches_a_customer_whose_conversation_was_closed() -> None:
    server_settings = Settings(
        store="memory", turn_quiet_ms=0, scripted_delay_ms=0, session_idle_s=0.001
    )
    container = Container(settings=server_settings)
    async with running(create_app(server_settings, container)) as address:
        settings = Settings(bridge_store="memory", agent_server_url=f"http://{address}")
        async with serving(settings) as bridge, user(address, user_id="ana") as ana:
            await ana.join()
            await ana.say("Bună!")
            answer = await ana.wait_for("new_message")
            session_id = answer["sessionId"]
            loaded = await container.store().load(session_id)
            assert loaded is not None
            await container.transfers().expire(loaded.session)
            await ana.wait_for("conversation_status", status="closed")
            await bridge.post("/api/notifications", {**MISSED, "sessionId": session_id})
            await bridge.tell_status("closed", session_id=session_id)

            maria, _ = await bridge.coordinator("maria")
            chat, _ = await bridge.chat()
            morning = {"message": "Bună dimineața.", "coordinatorId": "maria", "messageId": "m1"}
            await chat.push("agent_message", morning)
            reached = await ana.wait_for("agent_message")
            gone = await heard(maria, "notification", type="gone")
            _, board = await bridge.coordinator("ion")

    assert (reached["message"], reached["coordinatorId"]) == ("Bună dimineața.", "maria")
    assert reached["sessionId"] != session_id
    assert gone["chat"]["sessionId"] == session_id
    assert [each["sessionId"] for each in rows(board, "live")] == [reached["sessionId"]]


# The process.


async def test_what_was_acknowledged_survives_the_death_of_the_process(tmp_path: Path) -> None:
    folder = {"AGENT_SERVER_URL": NO_SERVER}
    async with process(tmp_path, name="bridge", **folder) as running_bridge:
        async with visiting(running_bridge.address) as bridge:
            await bridge.post("/api/ai-conversation", CONVERSATION)
            await bridge.post("/api/notifications", TRANSFER, key="k1")
            await bridge.post("/api/notifications", NIGHT, key="k2")
            chat, _ = await bridge.chat()
            await chat.push("user_message", {"message": "Mai e cineva?", "messageId": "m1"})
            maria, _ = await bridge.coordinator("maria")
            await maria.push("claim", {"sessionId": "s1"})
        running_bridge.signal(signal.SIGKILL)
        await running_bridge.end()

    async with (
        process(tmp_path, name="bridge", **folder) as running_bridge,
        visiting(running_bridge.address) as bridge,
    ):
        await bridge.post("/api/notifications", TRANSFER, key="k1")
        await bridge.post("/api/notifications", NIGHT, key="k2")
        _, joined = await bridge.chat()
        maria, board = await bridge.coordinator("maria")
        history = await maria.push("open", {"sessionId": "s1"})

    [live] = rows(board, "live")
    assert (live["sessionId"], live["coordinatorId"], live["pending"]) == ("s1", "maria", True)
    assert history["chat"]["context"] == TRANSFER["context"]
    assert [chat["missed"]["message"] for chat in rows(board, "missed")] == [MISSED["message"]]
    assert [words["messageId"] for words in joined["messages"]] == ["m1"]
    assert [words["message"] for words in history["messages"]] == ["Ce program aveți?"]


async def test_a_command_survives_the_death_of_the_process_and_is_delivered(tmp_path: Path) -> None:
    double, port = AgentServerDouble(), free_port()
    folder = {"AGENT_SERVER_URL": f"http://127.0.0.1:{port}"}
    async with process(tmp_path, name="bridge", **folder) as running_bridge:
        async with visiting(running_bridge.address) as bridge:
            await bridge.post("/api/notifications", TRANSFER)
            maria, _ = await bridge.coordinator("maria")
            await maria.push("claim", {"sessionId": "s1"})
        running_bridge.signal(signal.SIGKILL)
        await running_bridge.end()

    async with (
        running(double.app(), port=port),
        process(tmp_path, name="bridge", **folder) as running_bridge,
        visiting(running_bridge.address) as bridge,
    ):
        channel, board = await bridge.coordinator("maria")
        if rows(board, "live")[0]["pending"]:
            await heard(channel, "notification", type="changed")

    assert double.accepted == [("s1", {"status": "live", "coordinatorId": "maria"})]


async def test_sigterm_ends_the_process_in_order(tmp_path: Path) -> None:
    async with process(tmp_path, name="bridge", fresh=True) as running_bridge:
        running_bridge.signal(signal.SIGTERM)
        ended = await running_bridge.end()

    assert ended.code == 0
    assert [json.loads(line)["action"] for line in ended.log.splitlines()] == ["bridge_stopped"]


async def test_a_file_that_is_no_database_is_reported_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but longer than the header of one " * 9)

    ended = await asyncio.to_thread(command, tmp_path, "bridge", "--port", "0",
                                    BRIDGE_SQLITE_PATH=str(file))  # fmt: skip

    assert ended.returncode == 1
    assert ended.stderr == f"Error: {file}: file is not a database\n"


async def test_its_metrics_say_who_is_there_and_whether_the_server_can_be_reached(
    bridge: Bridge,
) -> None:
    await bridge.coordinator("maria")
    await bridge.coordinator("ștefan")

    answer = await bridge.http.get("/metrics")

    assert "ai_agent_bridge_coordinators 2.0" in answer.text
    assert "ai_agent_bridge_sockets_open 2.0" in answer.text
    assert "ai_agent_bridge_server_up 1.0" in answer.text
    assert 'ai_agent_bridge_joins_total{outcome="ok"} 2.0' in answer.text
    assert "maria" not in answer.text
