"""Opening of sockets, the data of their clients, and the drain."""

import base64
import logging
from typing import Any

import pytest
from websockets import InvalidStatus, Subprotocol

from adapters.phoenix.channel import Channel, ConnectInfo, Reply
from adapters.phoenix.endpoint import ConnectionPolicy, ConnectRefused, PhoenixEndpoint
from adapters.phoenix.server import Ref
from tests.integration.phoenix.client import opened
from tests.support.server import running
from tests.support.vector_app import vector_app, vector_endpoint

TOKEN = "base64url.bearer.phx." + base64.b64encode(b"se/cret?").decode().rstrip("=")


class Mirror(Channel):
    """Answers a join with the connection's data."""

    async def join(self, topic: str, payload: Any) -> dict[str, Any]:
        info = self.socket.info
        assert info.client is not None
        return {
            "params": info.params,
            "origin": info.headers.get("origin"),
            "client": info.client[0],
            "token": info.token.value,
            "bad": info.token.bad,
        }

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply:
        raise LookupError("it only answers joins")


def mirror(**settings: Any) -> PhoenixEndpoint:
    return PhoenixEndpoint("/socket/websocket", {"*": Mirror}, **settings)


async def test_a_channel_knows_what_its_client_brought_along() -> None:
    async with (
        running(vector_app(mirror())) as address,
        opened(
            address,
            query="vsn=2.0.0&name=Ana%20Pop",
            origin="https://a.com",
            subprotocols=[Subprotocol("phoenix"), Subprotocol(TOKEN)],
        ) as client,
    ):
        known = await client.join("any")

    assert known == {
        "params": {"vsn": "2.0.0", "name": "Ana Pop"},
        "origin": "https://a.com",
        "client": "127.0.0.1",
        "token": "se/cret?",
        "bad": False,
    }


@pytest.mark.parametrize(
    ("offered", "selected", "token", "bad"),
    [
        (None, None, None, False),
        (["phoenix"], "phoenix", None, False),
        (["phoenix", TOKEN], "phoenix", "se/cret?", False),
        ([TOKEN, "phoenix"], "phoenix", "se/cret?", False),
        ([TOKEN], None, "se/cret?", False),
        (["phoenix", "base64url.bearer.phx.a"], "phoenix", None, True),
        (["graphql-ws"], None, None, False),
    ],
)
async def test_phoenix_is_selected_where_it_is_offered(
    offered: list[Subprotocol] | None, selected: str | None, token: str | None, bad: bool
) -> None:
    async with (
        running(vector_app(mirror())) as address,
        opened(address, subprotocols=offered) as client,
    ):
        known = await client.join("any")

        assert client.websocket.subprotocol == selected
        assert (known["token"], known["bad"]) == (token, bad)


@pytest.mark.parametrize(
    ("origin", "opens"),
    [(None, True), ("https://a.com", True), ("https://evil.com", False), ("null", False)],
)
async def test_a_page_from_elsewhere_is_refused_with_403(origin: str | None, opens: bool) -> None:
    app = vector_app(mirror(allowed_origins=["https://a.com"]))
    async with running(app) as address:
        try:
            async with opened(address, origin=origin) as client:
                outcome = await client.is_alive()
        except InvalidStatus as refused:
            outcome = refused.response.status_code != 403

    assert outcome is opens


class UsersOnly(ConnectionPolicy):
    """Refuses a socket without a `user` among its parameters, and counts those that are open."""

    def __init__(self) -> None:
        self.open = 0

    def admit(self, info: ConnectInfo) -> None:
        if "user" not in info.params:
            raise ConnectRefused
        self.open += 1

    def release(self, info: ConnectInfo) -> None:
        self.open -= 1


async def test_a_policy_can_refuse_a_socket_with_403() -> None:
    policy = UsersOnly()
    async with running(vector_app(mirror(connection_policy=policy))) as address:
        with pytest.raises(InvalidStatus) as refused:
            await opened(address).__aenter__()
        async with opened(address, query="vsn=2.0.0&user=u1") as client:
            assert await client.is_alive()
            assert policy.open == 1

    assert policy.open == 0
    assert refused.value.response.status_code == 403
    assert not refused.value.response.body


async def test_a_drain_closes_all_sockets_with_1012_after_what_was_sent() -> None:
    endpoint = vector_endpoint()
    async with (
        running(vector_app(endpoint)) as address,
        opened(address) as joined,
        opened(address) as idle,
    ):
        await joined.join("room:a")

        endpoint.broadcast("room:a", "bye", {})
        await endpoint.drain(lambda: 0.5)

        assert (await joined.receive())[3] == "bye"
        assert await joined.close_code() == await idle.close_code() == 1012


async def test_neither_tokens_nor_messages_get_into_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with (
        running(vector_app()) as address,
        opened(address, query="vsn=2.0.0&token=hush-hush") as client,
    ):
        await client.join("room:a")
        await client.call("1", "2", "room:a", "boom", {"text": "hush-hush"})
        await client.websocket.send("hush-hush")
        code = await client.close_code()

    ours = [record for record in caplog.records if not record.name.startswith("websockets.client")]
    actions = {getattr(record, "action", None) for record in ours}
    assert code == 1011
    assert {"channel_crashed", "malformed_frame"} <= actions
    assert not [record for record in ours if "hush-hush" in caplog.handler.format(record)]
