"""The double of an ordinary Phoenix application behaves as such an application does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from adapters.phoenix.client import ClientSettings
from adapters.phoenix.client_connection import (
    ChannelStatus,
    JoinError,
    PhoenixChannel,
    PhoenixConnection,
    PushTimeout,
)
from tests.support.plain_phoenix import TRATTORIA, PlainPhoenix, PlainSettings
from tests.support.server import running

SOON = ClientSettings(rejoin_after_s=(0.01,), reconnect_after_s=(0.01,))
TOPIC = "chat:b1:ana"
WHO = {"businessId": "b1", "userId": "ana"}
SAID = {"message": "Bună!", "timestamp": None}


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[tuple[PlainPhoenix, str]]:
    application = PlainPhoenix(PlainSettings(**settings))
    async with running(application.app()) as address:
        yield application, address


@asynccontextmanager
async def connected(address: str, **given: Any) -> AsyncIterator[PhoenixConnection]:
    url = f"ws://{address}/socket/websocket"
    async with PhoenixConnection(url, settings=SOON, **given) as connection:
        yield connection


@asynccontextmanager
async def joined(address: str, topic: str = TOPIC) -> AsyncIterator[PhoenixChannel]:
    async with connected(address) as connection:
        channel = connection.channel(topic)
        await channel.join()
        yield channel


async def received(channel: PhoenixChannel, count: int) -> list[tuple[Any, Any]]:
    return [await anext(channel) for _ in range(count)]


async def test_a_push_gets_no_reply_but_comes_back_without_unknown_keys() -> None:
    async with serving() as (_, address), joined(address) as channel:
        with pytest.raises(PushTimeout):
            await channel.push("user_message", {**SAID, "messageId": "m1"}, timeout_s=0.2)

        assert await received(channel, 2) == [(ChannelStatus.JOINED, {}), ("user_message", SAID)]


async def test_it_may_reply_and_broadcast_to_the_others_alone() -> None:
    async with serving(replies=True, returns_to_sender=False) as (_, address):
        async with joined(address) as channel, joined(address) as heard:
            assert await channel.push("user_message", SAID) == {}
            channel.leave()

            assert [event async for event, _ in channel][:1] == [ChannelStatus.JOINED]
            assert (await received(heard, 2))[1] == ("user_message", SAID)


@pytest.mark.parametrize(
    ("event", "payload"),
    [("typing", {}), ("user_message", {"text": "Bună!"}), ("agent_message", 1)],
)
async def test_an_event_without_a_clause_crashes_the_channel(event: str, payload: Any) -> None:
    async with serving() as (_, address), joined(address) as channel:
        channel.send(event, payload)

        assert [event for event, _ in await received(channel, 3)] == [
            ChannelStatus.JOINED,
            ChannelStatus.ERRORED,
            ChannelStatus.REJOINED,
        ]


@pytest.mark.parametrize(
    ("phoenix", "payload"), [("1.7", {}), ("1.8", {"reason": "channel_crash"})]
)
async def test_a_crash_has_a_reason_since_1_8(phoenix: str, payload: dict[str, str]) -> None:
    async with serving(phoenix=phoenix) as (_, address), joined(address) as channel:
        channel.send("typing", {})

        assert (await received(channel, 2))[1] == (ChannelStatus.ERRORED, payload)


async def test_1_7_has_no_limit_of_channels() -> None:
    async with serving(phoenix="1.7", max_channels=1) as (_, address):
        async with connected(address) as connection:
            for user_id in ("ana", "ion"):
                await connection.channel(f"chat:b1:{user_id}").join()


@pytest.mark.parametrize("payload", [{"text": "Bună!"}, {**SAID, "messageId": "m1"}])
async def test_a_message_may_be_passed_on_as_it_came(payload: dict[str, Any]) -> None:
    async with serving(passes_payload=True) as (_, address), joined(address) as channel:
        channel.send("user_message", payload)

        assert (await received(channel, 2))[1] == ("user_message", payload)


async def test_a_last_clause_ignores_it() -> None:
    async with serving(ignores_unknown=True) as (_, address), joined(address) as channel:
        channel.send("typing", {})
        channel.send("user_message", SAID)

        assert (await received(channel, 2))[1] == ("user_message", SAID)


async def test_it_may_announce_and_know_typing() -> None:
    async with serving(additions=("typing",)) as (_, address):
        async with joined(address) as channel, joined(address) as other:
            channel.send("typing", {"author": "user"})

            assert await received(other, 2) == [
                (ChannelStatus.JOINED, {"additions": ["typing"]}),
                ("typing", {"author": "user"}),
            ]


async def test_a_message_may_have_keys_of_its_own() -> None:
    async with serving(snake_case=True, text_key="body") as (_, address):
        async with joined(address) as channel:
            channel.send("agent_message", SAID)
            _, (_, said) = await received(channel, 2)

            assert said.keys() == {"body", "inserted_at", "agent_name"}
            assert said["body"] == "Bună!"


async def test_presences_come_after_a_join_and_their_changes_go_to_all() -> None:
    async with serving(presence=True) as (_, address), joined(address) as first:
        async with joined(address) as second:
            own, state = (await received(second, 3))[1:]
            second.leave()
            arrived, left = (await received(first, 5))[3:]

    assert (own[0], state[0]) == ("presence_diff", "presence_state")
    assert own == arrived
    one, other = state[1]["ana"]["metas"]
    assert own[1] == {"joins": {"ana": {"metas": [other]}}, "leaves": {}}
    assert left == ("presence_diff", {"joins": {}, "leaves": {"ana": {"metas": [other]}}})
    assert one["phx_ref"] != other["phx_ref"]


async def test_joins_are_refused_beyond_the_limit_and_while_it_admits_none() -> None:
    async with serving(max_channels=1, admits_joins=False) as (application, address):
        async with connected(address) as connection:
            first, second = connection.channel(TOPIC), connection.channel("chat:b1:dan")
            with pytest.raises(JoinError, match="unauthorized"):
                await first.join()
            application.settings = replace(application.settings, admits_joins=True)
            await first.join()
            with pytest.raises(JoinError, match="too many"):
                await second.join()


async def test_a_share_of_the_joins_is_refused_at_random() -> None:
    async with serving(refused_joins=0.5) as (application, address):
        async with connected(address) as connection:
            channels = [connection.channel(f"chat:b1:u{number}") for number in range(40)]
            for channel in channels:
                channel.start()
            first = [(await anext(channel))[0] for channel in channels]

            assert 10 <= first.count(ChannelStatus.REFUSED) <= 30
            for channel, status in zip(channels, first, strict=True):
                while status is not ChannelStatus.JOINED:
                    status, _ = await anext(channel)
            assert len(application.channels) == 40


@pytest.mark.parametrize("topic", ["chat:b1", "chat:b1:ana:x"])
async def test_a_topic_that_names_no_customer_is_refused(topic: str) -> None:
    async with serving() as (_, address), connected(address) as connection:
        with pytest.raises(JoinError, match="bad topic"):
            await connection.channel(topic).join()


@pytest.mark.parametrize(
    ("place", "given"),
    [
        ("connect", {"params": {"token": "t"}}),
        ("connect", {"token": "t"}),
        ("connect", {"params": {"token": "t"}, "token": "another"}),
        ("parameter", {"params": {"token": "t"}}),
        ("subprotocol", {"token": "t"}),
    ],
)
async def test_a_token_opens_the_socket(place: str, given: dict[str, Any]) -> None:
    async with serving(token="t", token_in=place) as (application, address):
        async with connected(address) as refused, connected(address, **given) as connection:
            await connection.channel(TOPIC).join()

            assert refused.channel(TOPIC).state is None
        assert len(application.connects) >= 2


async def test_a_token_may_be_wanted_with_the_join() -> None:
    async with serving(token="t", token_in="join") as (_, address):
        async with connected(address) as connection:
            with pytest.raises(JoinError, match="unauthorized"):
                await connection.channel(TOPIC).join()
            await connection.channel("chat:b1:dan", {"token": "t"}).join()


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [("http://localhost:4000", True), ("https://evil.example", False), (None, True)],
)
async def test_where_origins_are_checked_only_its_own_pages_open_a_socket(
    origin: Any, is_allowed: bool
) -> None:
    async with serving(check_origin=True) as (_, address):
        opening = connect(f"ws://{address}/socket/websocket?vsn=2.0.0", origin=origin)
        if is_allowed:
            await (await opening).close()
        else:
            with pytest.raises(InvalidStatus, match="403"):
                await opening


@pytest.mark.parametrize(("phoenix", "code"), [("1.7", 1000), ("1.8", 1001)])
async def test_all_sockets_are_disconnected(phoenix: str, code: int) -> None:
    async with serving(phoenix=phoenix) as (application, address), joined(address) as channel:
        url = f"ws://{address}/socket/websocket?vsn=2.0.0"
        async with connect(url) as page:
            await page.send(f'["1","1","{TOPIC}","phx_join",{{}}]')
            await page.recv()
            await application.disconnect()
            with pytest.raises(ConnectionClosed):
                await page.recv()

        assert page.close_code == code
        statuses = [status for status, _ in await received(channel, 3)]
        assert statuses[1:] == [ChannelStatus.ERRORED, ChannelStatus.REJOINED]


@asynccontextmanager
async def requesting(**settings: Any) -> AsyncIterator[tuple[httpx.AsyncClient, PhoenixChannel]]:
    """Serve the application; yield a client of its HTTP, and a channel on Ana's topic."""
    async with serving(**settings) as (_, address), joined(address) as channel:
        async with httpx.AsyncClient(base_url=f"http://{address}") as http:
            yield http, channel


@pytest.mark.parametrize(
    ("path", "event"),
    [("/api/messages", "user_message"), ("/api/agent-responses", "agent_message")],
)
async def test_what_is_posted_to_it_is_broadcast(path: str, event: str) -> None:
    async with requesting() as (http, channel):
        answer = await http.post(path, json={**WHO, "message": "Da"})
        _, (name, payload) = await received(channel, 2)

        assert (answer.status_code, answer.json()) == (201, {"status": "ok"})
        assert (name, payload.keys(), payload["message"]) == (event, {"message", "timestamp"}, "Da")


async def test_its_json_may_be_wrapped() -> None:
    async with requesting(wraps=True) as (http, _):
        assert (await http.get("/api/business/b1")).json() == {"data": TRATTORIA}


@pytest.mark.parametrize("summary", [None, "", " "])
async def test_a_changeset_that_requires_a_summary_refuses_a_blank_one(summary: str | None) -> None:
    async with requesting(requires_summary=True) as (http, _):
        path, body = "/api/conversation-status/s1", {"status": "ai", "summary": summary}
        answers = [await http.put(path, json=body | given) for given in ({}, {"summary": "Da"})]

        assert [answer.status_code for answer in answers] == [422, 200]


async def test_it_may_fail_at_some_paths_alone() -> None:
    async with requesting(fails_at=("/api/ai-",)) as (http, _):
        asked = {**WHO, "sessionId": "s1", "message": "Bună!"}
        answers = [
            await http.post(path, json=asked) for path in ("/api/ai-conversation", "/api/messages")
        ]

        assert [answer.status_code for answer in answers] == [500, 201]


async def test_it_may_leave_some_paths_unanswered() -> None:
    async with requesting(hangs_at=("/api/business",)) as (http, _):
        with pytest.raises(httpx.ReadTimeout):
            await http.get("/api/business/b1", timeout=0.2)

        assert (await http.get("/health")).status_code == 200


async def test_a_body_without_the_keys_of_an_action_is_a_bad_request() -> None:
    async with requesting() as (http, _):
        assert (await http.post("/api/messages", json=WHO)).status_code == 400


async def test_a_token_may_be_wanted_with_each_request() -> None:
    async with requesting(token="t", token_in="bearer") as (http, _):
        for headers, status in (({}, 401), ({"Authorization": "Bearer t"}, 200)):
            assert (await http.get("/api/business/b1", headers=headers)).status_code == status
