"""The user's socket over long-poll, in the whole program."""

import asyncio
from base64 import b64encode
from typing import Any

import pytest

from entrypoints.server.app import drain
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.poller import polled_socket, polling
from tests.support.tokens import JWT, token
from tests.support.wire import identity, message, product

TOPIC = "messages:b1"


async def test_a_message_is_stored_acknowledged_and_answered() -> None:
    async with product() as server, polled_socket(server.address) as client:
        await client.push(["1", "1", TOPIC, "phx_join", identity()])
        await client.push(["1", "2", TOPIC, "new_message", message("Salut!")])
        frames: list[list[Any]] = []
        while not frames or frames[-1][3] != "new_message":
            frames += await client.receive()

        authors = [entry["author"] for entry in await server.log()]
        sockets = await server.metric("ai_agent_sockets_open")

    assert [frame[1] for frame in frames if frame[3] == "phx_reply"] == ["1", "2"]
    assert authors == ["user", "ai"]
    assert sockets == 1


@pytest.mark.parametrize("way", ["join", "header", "parameter", "none"])
async def test_the_users_token_counts_as_on_a_websocket(way: str) -> None:
    given = token("u1")
    async with product(**JWT) as server, polling(server.address) as client:
        client.token = given if way == "parameter" else ""
        await client.poll(**({"x-phoenix-authtoken": given} if way == "header" else {}))
        payload = {**identity(), **({"token": given} if way == "join" else {})}
        await client.push(["1", "1", TOPIC, "phx_join", payload])

        [reply, *_] = await client.receive()

    assert reply[4]["status"] == ("error" if way == "none" else "ok")


async def test_polled_sockets_and_others_share_the_limit_of_an_address() -> None:
    async with (
        product(limit_sockets_per_address=1) as server,
        polled_socket(server.address),
        polling(server.address) as second,
    ):
        refused = await second.http.get("/socket/longpoll", params=second.params)

    assert refused.status_code == 429


async def test_a_binary_message_is_refused_and_its_channel_stays() -> None:
    async with product() as server, polled_socket(server.address) as client:
        await client.push(["1", "1", TOPIC, "phx_join", identity()])
        await client.receive()
        binary = bytes([0, 1, 1, len(TOPIC), 11]) + f"12{TOPIC}new_message".encode() + b"\x01"

        await client.post(b64encode(binary))
        [refusal] = await client.receive()

    assert refusal[1] == "2"
    assert refusal[4]["response"]["reason"] == "invalid_payload"


async def test_a_poll_that_waits_does_not_hold_up_a_stop_without_a_drain() -> None:
    settings = Settings(store="memory", drain_s=0)
    container = Container(settings=settings)
    async with (
        product(container=container, store="memory", drain_s=0) as server,
        polled_socket(server.address) as client,
    ):
        waiting = asyncio.create_task(client.poll())
        await asyncio.sleep(0.05)
        await drain(container)

        async with asyncio.timeout(5):
            answer = await waiting

    assert answer["status"] == 500
