"""What a client of the reference bridge may claim, and how much it may ask for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.bridge.sqlite_store import SqliteBridgeStore
from adapters.json_shapes import timestamp
from application.bridge.ports import Change, live_transcript_key
from domain.bridge.live_chat import ChatMessage
from domain.identity import MessageId, customer
from domain.message import Author
from entrypoints.bridge.app import create_bridge
from entrypoints.settings import Settings
from tests.support.server import running
from tests.support.tokens import SECRET, token
from tests.support.wire import ONE_EACH, Socket, identity, socket

SERVICE = "s3rvice"
TOPIC = "chat:b1:u1"
BOARD = "coordinators:b1"
USER = {**identity(), "token": token("u1")}
MARIA = {**identity(), "token": token("maria", role="coordinator")}
PROGRAM = {**identity(), "token": SERVICE}
TIMES = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1970-01-01T00:00:00Z",
         "2999-01-01T00:00:00.000Z"]  # fmt: skip


@asynccontextmanager
async def bridge(**chosen: Any) -> AsyncIterator[str]:
    """Run a bridge, by default one that verifies who joins."""
    secure = {"socket_auth": "jwt", "jwt_secret": SECRET, "service_token": SERVICE}
    settings = Settings(
        **{"bridge_store": "memory", "agent_server_url": "http://127.0.0.1:9", **secure, **chosen}
    )
    async with running(create_bridge(settings)) as address:
        yield address


async def joined(client: Socket, payload: dict[str, Any], topic: str = TOPIC) -> Any:
    """Join a topic, and return the reply."""
    status, response = await client.call("phx_join", payload, topic)
    assert status == "ok", response
    return response


def is_now(text: str) -> bool:
    """Return whether a time on the wire is about now."""
    return abs(datetime.now(UTC) - datetime.fromisoformat(text)) < timedelta(minutes=1)


# Times.


@pytest.mark.parametrize("claimed", TIMES)
async def test_a_time_that_cannot_be_true_is_the_bridges_own_and_every_later_join_succeeds(
    claimed: str,
) -> None:
    async with bridge() as address, socket(address) as client:
        await joined(client, USER)
        said = await client.call("user_message", {"message": "Bună", "timestamp": claimed}, TOPIC)
        again = await joined(client, USER)

    assert said[0] == "ok"
    assert [is_now(each["timestamp"]) for each in again["messages"]] == [True]


async def test_a_time_that_can_be_true_is_kept() -> None:
    sent = timestamp(datetime.now(UTC) - timedelta(hours=2))
    async with bridge() as address, socket(address) as client:
        await joined(client, USER)
        await client.call("user_message", {"message": "Bună", "timestamp": sent}, TOPIC)
        again = await joined(client, USER)

    assert [each["timestamp"] for each in again["messages"]] == [sent]


@pytest.mark.parametrize("claimed", TIMES)
async def test_no_time_of_a_report_keeps_a_coordinator_from_joining(claimed: str) -> None:
    headers = {"Authorization": f"Bearer {SERVICE}"}
    who = {**identity(), "sessionId": "s1", "timestamp": claimed}
    status = {"status": "waiting", "updatedAt": claimed}
    calls = [
        ("POST", "/api/ai-conversation", {**who, "message": "Bună"}),
        ("POST", "/api/ai-context", {"sessionId": "s1", "context": {**who, "aiResponse": "Da"}}),
        ("POST", "/api/notifications", {**who, "transferId": "t1", "reason": "x", "context": {}}),
        ("PUT", "/api/conversation-status/s1", status),
        ("POST", "/api/messages", {**who, "message": "Mai e cineva?"}),
        ("POST", "/api/agent-responses", {**who, "message": "Da"}),
    ]
    async with (
        bridge() as address,
        httpx.AsyncClient(base_url=f"http://{address}", headers=headers, limits=ONE_EACH) as api,
        socket(address) as client,
    ):
        codes = [
            (await api.request(verb, path, json=body)).status_code for verb, path, body in calls
        ]
        board = await joined(client, {**MARIA, "coordinatorId": "maria"}, BOARD)
        chat = await joined(client, MARIA)
        history = await client.call("open", {"sessionId": "s1"}, BOARD)

    assert set(codes) == {200}
    assert [each["sessionId"] for each in board["chats"] if each["status"] == "live"] == ["s1"]
    assert len(chat["messages"]) == 2
    assert history[0] == "ok"


@pytest.mark.parametrize("claimed", TIMES[:2])
async def test_what_an_earlier_version_has_stored_with_such_a_time_can_be_told(
    claimed: str, tmp_path: Path
) -> None:
    store = SqliteBridgeStore(tmp_path / "bridge.sqlite3")
    at = datetime.fromisoformat(claimed)
    message = ChatMessage(message_id=MessageId("m1"), author=Author.USER, text="Bună", at=at)
    key = live_transcript_key(customer("b1", "u1"))
    async with store:
        await store.save(Change(at=datetime.now(UTC), message=message, transcript_key=key))
    settings = Settings(bridge_store="memory", agent_server_url="http://127.0.0.1:9")
    async with running(create_bridge(settings, store)) as address, socket(address) as client:
        chat = await joined(client, identity())

    assert [each["message"] for each in chat["messages"]] == ["Bună"]


# Who has written.


async def test_the_mark_of_a_program_is_dropped_from_a_persons_message() -> None:
    marked = {"message": "Bună", "origin": "ai-agent-server"}
    async with bridge() as address, socket(address) as client:
        await joined(client, USER)
        await client.call("user_message", marked, TOPIC)
        await joined(client, MARIA)
        await client.call("agent_message", marked, TOPIC)
        await joined(client, PROGRAM)
        await client.call("user_message", marked, TOPIC)
        again = await joined(client, PROGRAM)

    assert [each.get("origin") for each in again["messages"]] == [None, None, "ai-agent-server"]


async def test_a_user_types_as_the_user_whatever_the_payload_says() -> None:
    async with bridge() as address, socket(address) as ana, socket(address) as maria:
        await joined(maria, MARIA)
        await joined(ana, USER)
        await ana.call("typing", {"author": "coordinator"}, TOPIC)
        seen = await maria.receive()
        await maria.call("typing", {"author": "user"}, TOPIC)
        heard = await ana.receive()

    assert (seen[3], seen[4]["author"]) == ("typing", "user")
    assert (heard[3], heard[4]["author"]) == ("typing", "coordinator")


async def test_with_service_tokens_alone_who_brings_none_is_a_user() -> None:
    chosen = {"socket_auth": "none", "jwt_secret": ""}
    async with bridge(**chosen) as address, socket(address) as ana, socket(address) as program:
        await joined(program, PROGRAM)
        await joined(ana, identity())
        await ana.call("typing", {"author": "coordinator"}, TOPIC)
        seen = await program.receive()
        spoke = await ana.call("agent_message", {"message": "Sunt Maria."}, TOPIC)
        await ana.call("user_message", {"message": "Bună", "origin": "ai-agent-server"}, TOPIC)
        again = await joined(ana, identity())

    assert seen[4]["author"] == "user"
    assert spoke[1]["reason"] == "unauthorized"
    assert [each.get("origin") for each in again["messages"]] == [None]


async def test_a_coordinator_does_not_write_as_the_user() -> None:
    async with bridge() as address, socket(address) as client:
        await joined(client, MARIA)
        status, response = await client.call("user_message", {"message": "Vreau tot."}, TOPIC)

    assert (status, response["reason"]) == ("error", "unauthorized")


# How much.


@pytest.mark.parametrize(
    ("event", "payload"),
    [("typing", {"author": "user"}), ("refresh_token", {"token": USER["token"]}), ("nonsense", {})],
)
async def test_the_requests_of_a_user_are_limited_at_the_bridge(
    event: str, payload: dict[str, Any]
) -> None:
    async with bridge(limit_messages_per_user=2) as address, socket(address) as client:
        await joined(client, USER)
        replies = [(await client.call(event, payload, TOPIC))[1] for _ in range(21)]

    assert "reason" not in replies[0] or replies[0]["reason"] == "unknown event"
    assert replies[-1]["reason"] == "rate_limited"
    assert replies[-1]["retryAfterMs"] > 0


async def test_a_coordinators_requests_are_limited_and_are_no_users_of_the_same_name() -> None:
    maria = {**MARIA, "coordinatorId": "maria"}
    async with bridge(limit_messages_per_user=1) as address, socket(address) as client:
        await joined(client, maria, BOARD)
        replies = [(await client.call("open", {"sessionId": "s1"}, BOARD))[1] for _ in range(11)]
        user = {**identity(user_id="maria"), "token": token("maria")}
        await joined(client, user, "chat:b1:maria")
        typed = await client.call("typing", {"author": "user"}, "chat:b1:maria")

    assert [each["reason"] for each in replies] == [*["unknown_session"] * 10, "rate_limited"]
    assert typed[0] == "ok"


@pytest.mark.parametrize(
    "chosen",
    [{}, {"socket_auth": "none", "jwt_secret": "", "service_token": ""}],
    ids=["jwt", "open"],
)
async def test_joins_are_limited_at_the_bridge_also_those_of_one_socket(
    chosen: dict[str, Any],
) -> None:
    async with (
        bridge(limit_sockets_per_address=5, **chosen) as address,
        socket(address) as client,
    ):
        outcomes = [
            await client.call(
                "phx_join", {**identity(user_id=f"u{n}"), "token": "bad"}, f"chat:b1:u{n}"
            )
            for n in range(6)
        ]

    assert outcomes[-1][1]["reason"] == "rate_limited"
    assert "rate_limited" not in [response.get("reason") for _, response in outcomes[:-1]]


async def test_a_socket_joins_at_most_a_hundred_topics() -> None:
    async with bridge() as address, socket(address) as client:
        for number in range(100):
            who = {**MARIA, "userId": f"u{number}"}
            await joined(client, who, f"chat:b1:u{number}")
        refused = await client.call("phx_join", {**MARIA, "userId": "another"}, "chat:b1:another")

    assert refused == ("error", {"reason": "too many channels joined"})


async def test_a_program_with_a_service_token_is_not_limited() -> None:
    async with (
        bridge(limit_messages_per_user=1, limit_sockets_per_address=2) as address,
        socket(address) as client,
    ):
        for number in range(90):
            who = {**PROGRAM, "userId": f"u{number}"}
            await joined(client, who, f"chat:b1:u{number}")
        replies = [
            await client.call("user_message", {"message": f"{n}"}, "chat:b1:u1") for n in range(20)
        ]

    assert {status for status, _ in replies} == {"ok"}
