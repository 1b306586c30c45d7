"""The client connection against the vector app, over a real uvicorn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from adapters.phoenix.client import ClientSettings, SocketState
from adapters.phoenix.client_connection import (
    ChannelStatus,
    JoinError,
    PhoenixConnection,
    PushError,
    PushLost,
)
from tests.support.server import running
from tests.support.vector_app import vector_app

SOON = ClientSettings(rejoin_after_s=(0.01,), reconnect_after_s=(0.01,))


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with running(vector_app()) as address:
        yield f"ws://{address}/socket/websocket"


async def test_join_push_reply_and_server_push(url: str) -> None:
    async with PhoenixConnection(url) as connection:
        channel = connection.channel("room:reply", {"ă": 1})

        assert await channel.join() == {"hello": "world", "got": {"ă": 1}}
        assert await channel.push("ping", {"x": [1, None]}) == {"x": [1, None]}
        assert await channel.push("push_reply", {"n": 1}) == {}
        assert (await anext(channel))[0] is ChannelStatus.JOINED
        assert await anext(channel) == ("pushed", {"n": 1})


async def test_a_broadcast_reaches_both_connections(url: str) -> None:
    async with PhoenixConnection(url) as one, PhoenixConnection(url) as two:
        a, b = one.channel("room:a"), two.channel("room:a")
        await asyncio.gather(a.join(), b.join())
        await a.push("shout_reply", {"n": 1})

        for channel in (a, b):
            assert (await anext(channel))[0] is ChannelStatus.JOINED
            assert await anext(channel) == ("shout", {"n": 1})


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("room:deny", "unauthorized"),
        ("room:crash", "join crashed"),
        ("nowhere", "unmatched topic"),
    ],
)
async def test_each_refusal_is_reported_with_its_reason(url: str, topic: str, reason: str) -> None:
    async with PhoenixConnection(url) as connection:
        with pytest.raises(JoinError) as caught:
            await connection.channel(topic).join()

        assert caught.value.response["reason"] == reason


async def test_an_error_reply_and_another_status_raise(url: str) -> None:
    async with PhoenixConnection(url) as connection:
        channel = connection.channel("room:a")
        await channel.join()

        with pytest.raises(PushError) as error:
            await channel.push("err", {})
        with pytest.raises(PushError) as later:
            await channel.push("later", {})
        assert (error.value.status, error.value.response) == ("error", {"reason": "nope"})
        assert (later.value.status, later.value.response) == ("later", {"x": 1})


async def test_a_crashed_channel_comes_back_and_the_others_notice_nothing(url: str) -> None:
    async with PhoenixConnection(url, settings=SOON) as connection:
        crashing, other = connection.channel("room:a"), connection.channel("room:b")
        await asyncio.gather(crashing.join(), other.join())

        with pytest.raises(PushLost):
            await crashing.push("boom", {})
        assert await crashing.push("ping", {"n": 1}) == {"n": 1}
        assert await other.push("ping", {"n": 2}) == {"n": 2}
        statuses = [(await anext(crashing))[0] for _ in range(3)]
        assert statuses == [ChannelStatus.JOINED, ChannelStatus.ERRORED, ChannelStatus.REJOINED]


async def test_a_stopped_channel_is_closed_for_good(url: str) -> None:
    async with PhoenixConnection(url) as connection:
        channel = connection.channel("room:a")
        await channel.join()

        assert await channel.push("stop_reply", {}) == {"bye": True}
        assert [item async for item in channel] == [
            (ChannelStatus.JOINED, {}),
            (ChannelStatus.CLOSED, None),
        ]
        assert channel.state is None


async def test_a_topic_can_be_left_and_joined_again(url: str) -> None:
    async with PhoenixConnection(url) as connection:
        first = connection.channel("room:a")
        await first.join()
        first.leave()
        second = connection.channel("room:a")
        await second.join()

        assert [status async for status, _ in first] == [ChannelStatus.JOINED, ChannelStatus.CLOSED]
        assert await second.push("ping", {"n": 1}) == {"n": 1}


async def test_heartbeats_are_answered(url: str) -> None:
    async with PhoenixConnection(url, settings=ClientSettings(heartbeat_s=0.25)) as connection:
        channel = connection.channel("room:a")
        await channel.join()
        for _ in range(20):
            await channel.push("async", {})  # answered after 50 ms

        assert connection.state is SocketState.OPEN
        assert [await anext(channel)] == [(ChannelStatus.JOINED, {})]


async def test_a_disconnect_by_the_server_is_followed_by_a_new_connection(url: str) -> None:
    connection = PhoenixConnection(url, params={"uid": "u1"}, settings=SOON)
    async with connection:
        channel = connection.channel("room:a")
        await channel.join()
        channel.send("disconnect", {})

        statuses = [(await anext(channel))[0] for _ in range(3)]
        assert statuses == [ChannelStatus.JOINED, ChannelStatus.ERRORED, ChannelStatus.REJOINED]


async def test_a_restarted_server_is_found_again_and_gets_what_waited() -> None:
    async with AsyncExitStack() as stack:
        async with running(vector_app()) as address:
            url = f"ws://{address}/socket/websocket"
            connection = await stack.enter_async_context(PhoenixConnection(url, settings=SOON))
            channel = connection.channel("room:a")
            await channel.join()
        assert (await anext(channel))[0] is ChannelStatus.JOINED
        assert (await anext(channel))[0] is ChannelStatus.ERRORED
        for n in range(3):
            channel.send("push", {"n": n})

        async with running(vector_app(), port=int(address.rpartition(":")[2])):
            assert (await anext(channel))[0] is ChannelStatus.REJOINED
            pushed = [await anext(channel) for _ in range(3)]

    assert pushed == [("pushed", {"n": n}) for n in range(3)]
