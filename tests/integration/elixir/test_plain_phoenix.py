"""The double of an ordinary Phoenix application behaves as such an application does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from adapters.phoenix.client import ClientSettings
from adapters.phoenix.client_connection import (
    ChannelStatus,
    JoinError,
    PhoenixConnection,
    PushTimeout,
)
from tests.support.plain_phoenix import TRATTORIA, PlainPhoenix, PlainSettings
from tests.support.server import running

SOON = ClientSettings(rejoin_after_s=(0.01,), reconnect_after_s=(0.01,))
TOPIC = "chat:b1:ana"
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


async def test_a_push_gets_no_reply_but_comes_back_without_unknown_keys() -> None:
    async with serving() as (_, address), connected(address) as connection:
        channel = connection.channel(TOPIC)
        await channel.join()
        with pytest.raises(PushTimeout):
            await channel.push("user_message", {**SAID, "messageId": "m1"}, timeout_s=0.2)

        assert await anext(channel) == (ChannelStatus.JOINED, {})
        assert await anext(channel) == ("user_message", SAID)


async def test_it_may_reply_and_broadcast_to_the_others_alone() -> None:
    async with serving(replies=True, returns_to_sender=False) as (_, address):
        async with connected(address) as connection, connected(address) as other:
            channel, heard = connection.channel(TOPIC), other.channel(TOPIC)
            await channel.join()
            await heard.join()
            assert await channel.push("user_message", SAID) == {}
            channel.leave()

            assert [event async for event, _ in channel][:1] == [ChannelStatus.JOINED]
            assert (await anext(heard), await anext(heard))[1] == ("user_message", SAID)


async def test_an_event_without_a_clause_crashes_the_channel() -> None:
    async with serving() as (_, address), connected(address) as connection:
        channel = connection.channel(TOPIC)
        await channel.join()
        channel.send("typing", {"author": "user"})

        assert [(await anext(channel))[0] for _ in range(3)] == [
            ChannelStatus.JOINED,
            ChannelStatus.ERRORED,
            ChannelStatus.REJOINED,
        ]


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


@pytest.mark.parametrize("given", [{"params": {"token": "t"}}, {"token": "t"}])
async def test_a_token_opens_the_socket(given: dict[str, Any]) -> None:
    async with serving(token="t") as (application, address):
        async with connected(address) as refused, connected(address, **given) as connection:
            await connection.channel(TOPIC).join()

            assert refused.channel(TOPIC).state is None
        assert len(application.connects) >= 2


async def test_all_sockets_are_disconnected() -> None:
    async with serving() as (application, address), connected(address) as connection:
        channel = connection.channel(TOPIC)
        await channel.join()
        await application.disconnect()

        statuses = [(await anext(channel))[0] for _ in range(3)]
        assert statuses[1:] == [ChannelStatus.ERRORED, ChannelStatus.REJOINED]


async def test_its_http_interface_wraps_requires_and_speaks() -> None:
    async with serving(wraps=True, requires_summary=True) as (_, address):
        url = f"http://{address}"
        async with httpx.AsyncClient(base_url=url) as http, connected(address) as connection:
            channel = connection.channel(TOPIC)
            await channel.join()
            business = await http.get("/api/business/b1")
            status = {"status": "ai", "summary": None}
            refused = await http.put("/api/conversation-status/s1", json=status)
            who = {"businessId": "b1", "userId": "ana", "message": "Da"}
            await http.post("/api/agent-responses", json=who)

            assert business.json() == {"data": TRATTORIA}
            assert refused.status_code == 422
            assert (await anext(channel), await anext(channel))[1] == (
                "agent_message",
                {"message": "Da"},
            )
