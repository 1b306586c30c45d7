"""Who may ask, and under which name: hosts, origins and ids over real sockets."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from adapters.phoenix.channel import ConnectInfo
from adapters.phoenix.endpoint import ConnectionPolicy, PhoenixEndpoint
from domain.identity import BusinessId, Customer, LocationId, UserId, customer
from entrypoints.bridge.app import create_bridge
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.businesses import EXAMPLES
from tests.support.process import command
from tests.support.server import running
from tests.support.user import user
from tests.support.wire import ONE_EACH, identity, product, socket

NO_SERVER = "http://127.0.0.1:9"
FOREIGN = {"Host": "evil.example"}


@asynccontextmanager
async def program(name: str, **chosen: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Run the server or the reference bridge."""
    if name == "server":
        app = create_app(Settings(store="memory", **chosen))
    else:
        chosen = {"businesses": str(EXAMPLES), "agent_server_url": NO_SERVER, **chosen}
        app = create_bridge(Settings(bridge_store="memory", **chosen))
    async with (
        running(app) as address,
        httpx.AsyncClient(base_url=f"http://{address}", limits=ONE_EACH) as api,
    ):
        yield api


PATHS = {"server": "/api/conversations", "bridge": "/api/business/b1"}
every_program = pytest.mark.parametrize("name", PATHS)


@every_program
async def test_without_a_token_an_api_answers_under_names_of_its_own_alone(name: str) -> None:
    chosen = {f"{name}_host": "chat.lan.example", "allowed_origins": "https://*.shop.example:8443"}
    async with program(name, **chosen) as api:

        async def code(host: str) -> int:
            return (await api.get(PATHS[name], headers={"Host": host})).status_code

        own = ["localhost:3001", "LOCALHOST", "localhost.", "127.0.0.1:1", "[::1]:3001", "10.0.0.7"]
        configured = ["chat.lan.example", "www.shop.example", "shop.example:80"]
        containers = ["server:3001", "host.docker.internal", "api.localhost", "box.local"]
        foreign = ["evil.example", "evil.example:3001", "localhost.evil.example", "notshop.example",
                   "127.0.0.1.evil.example", "localhost@evil.example",
                   "evil.example.", "xn--n1q.example"]  # fmt: skip
        answered = [await code(host) for host in (*own, *configured, *containers)]
        refused = [await code(host) for host in foreign]

    assert set(answered) == {200}
    assert set(refused) == {421}


@every_program
async def test_without_a_token_an_api_answers_no_page_of_a_foreign_origin(name: str) -> None:
    async with program(name, allowed_origins="https://shop.example") as api:

        async def code(origin: str) -> int:
            return (await api.get(PATHS[name], headers={"Origin": origin})).status_code

        own = [str(api.base_url).rstrip("/"), "https://shop.example"]
        foreign = ["https://evil.example", "null", "http://shop.example", "http://localhost:1"]
        answered = [await code(origin) for origin in own]
        refused = [await code(origin) for origin in foreign]

    assert answered == [200, 200]
    assert set(refused) == {403}


async def test_a_refusal_of_a_foreign_host_or_origin_is_a_problem_with_a_code() -> None:
    async with program("server") as api:
        host = await api.get("/api/conversations", headers=FOREIGN)
        origin = await api.get("/api/conversations", headers={"Origin": "https://evil.example"})
        erased = await api.delete("/api/users/b1/u1", headers=FOREIGN)
        public = await api.get("/health", headers=FOREIGN)

    assert (host.json()["code"], origin.json()["code"]) == ("foreign_host", "foreign_origin")
    assert (erased.status_code, public.status_code) == (421, 200)


@every_program
async def test_where_a_token_guards_the_api_names_and_origins_do_not_matter(name: str) -> None:
    async with program(name, service_token="t0p") as api:
        headers = {**FOREIGN, "Origin": "https://evil.example", "Authorization": "Bearer t0p"}
        with_it = await api.get(PATHS[name], headers=headers)
        without = await api.get(PATHS[name], headers=FOREIGN)

    assert (with_it.status_code, without.status_code) == (200, 401)


# The origins of sockets.


async def refused(address: str, origin: str, path: str = "/socket/websocket") -> int:
    """Return the status with which a socket of this origin is refused; 101: it is not."""
    try:
        async with connect(f"ws://{address}{path}", additional_headers={"Origin": origin}):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


async def test_a_refused_origin_is_counted_and_the_first_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with product(allowed_origins="https://shop.example") as server:
        codes = [await refused(server.address, "https://evil.example") for _ in range(3)]
        polled = await server.api.get(
            "/socket/longpoll", headers={"Origin": "https://evil.example"}
        )
        counted = await server.metric('ai_agent_refusals_total{reason="foreign_origin"}')
        allowed = await refused(server.address, "https://shop.example")

    logged = [each for each in caplog.records if vars(each).get("action") == "origin_refused"]
    assert (codes, polled.json()["status"], allowed) == ([403] * 3, 403, 101)
    assert counted == 4
    assert [(vars(each)["origin"], each.levelno) for each in logged] == [
        ("https://evil.example", logging.WARNING)
    ]


async def test_the_log_says_that_an_origin_is_the_sockets_own_host_as_react_native_sends_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with product(allowed_origins="https://shop.example") as server:
        code = await refused(server.address, f"http://{server.address}")

    (logged,) = [each for each in caplog.records if vars(each).get("action") == "origin_refused"]
    assert code == 403
    assert vars(logged)["is_own_host"] is True


async def test_what_is_no_origin_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with product() as server:
        code = await refused(server.address, "https://s3cret words@evil.example/?x=s3cret")

    (logged,) = [each for each in caplog.records if vars(each).get("action") == "origin_refused"]
    assert code == 403
    assert vars(logged)["origin"] == "null"


class _CrashingPolicy(ConnectionPolicy):
    def admit(self, info: ConnectInfo) -> None:
        raise RuntimeError("as told")


async def test_an_exception_before_the_upgrade_is_logged_and_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    endpoint = PhoenixEndpoint("/socket/websocket", {}, connection_policy=_CrashingPolicy())
    async with running(Litestar([endpoint.route], logging_config=None)) as address:
        code = await refused(address, "http://localhost")

    (logged,) = [each for each in caplog.records if vars(each).get("action") == "upgrade_crashed"]
    assert (code, logged.levelno) == (500, logging.ERROR)


@pytest.mark.parametrize("host", ["::1", "fd00::7"])
async def test_the_servers_ipv6_address_is_one_of_its_own_origins(host: str) -> None:
    async with product(server_host=host) as server:
        own = await refused(server.address, f"http://[{host}]:3001")
        foreign = await refused(server.address, "http://[fd00::8]:3001")

    assert (own, foreign) == (101, 403)


# Ids.


@pytest.mark.parametrize("bad", [".", "..", "a:b"])
async def test_a_business_is_refused_under_an_id_that_leads_elsewhere(bad: str) -> None:
    async with product() as server, socket(server.address) as client:
        status, response = await client.call("phx_join", identity(bad), f"messages:{bad}")

    assert (status, response["reason"]) == ("error", "invalid_payload")


@pytest.mark.parametrize("bad", [".", ".."])
async def test_a_user_a_location_and_a_message_are_refused_under_such_an_id(bad: str) -> None:
    async with product() as server, socket(server.address) as client:
        joined = await client.call("phx_join", identity("b1", bad))
        await client.join()
        payload = {**identity(), "message": "Bună", "locationId": "l1"}
        said = [
            await client.call("new_message", payload | {name: bad})
            for name in ("locationId", "messageId")
        ]

    assert [each[1]["reason"] for each in (joined, *said)] == ["invalid_payload"] * 3


@pytest.mark.parametrize(
    ("topic", "who"),
    [
        ("chat:a:b:c", {"businessId": "a:b", "userId": "c"}),
        ("coordinators:a:b", {"businessId": "a:b", "coordinatorId": "ana"}),
        ("chat:b1:..", {"businessId": "b1", "userId": ".."}),
        ("coordinators:b1", {"businessId": "b1", "coordinatorId": ".."}),
    ],
)
async def test_the_bridge_refuses_ids_that_lead_elsewhere(topic: str, who: dict[str, str]) -> None:
    app = create_bridge(Settings(bridge_store="memory", agent_server_url=NO_SERVER))
    async with running(app) as address, socket(address) as client:
        status, response = await client.call("phx_join", who, topic)

    assert (status, response["reason"]) == ("error", "invalid_payload")


# Secrets in URLs.


@pytest.mark.parametrize(
    "environment",
    [
        {"BRIDGE": "elixir", "ELIXIR_HTTP_URL": "http://ana:s3cret@127.0.0.1:9/?key=s3cret"},
        {
            "SERVICE_TOKEN": "t",
            "SOCKET_AUTH": "jwt",
            "JWT_JWKS_URL": "http://ana:s3cret@127.0.0.1:9/keys?key=s3cret",
        },
        {"ASSISTANT": "openai", "OPENAI_BASE_URL": "http://ana:s3cret@127.0.0.1:9/v1?key=s3cret"},
        {"STORE": "dynamodb", "DYNAMODB_ENDPOINT_URL": "http://ana:s3cret@127.0.0.1:9"},
    ],
    ids=lambda environment: next(reversed(environment)),
)
def test_check_prints_no_password_and_no_query_of_a_url(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    ended = command(tmp_path, "check", **{"STORE": "memory", **environment})

    assert ended.returncode == 1
    assert "s3cret" not in ended.stdout + ended.stderr


def test_the_terminal_chat_prints_no_password_and_no_query_of_a_url(tmp_path: Path) -> None:
    for url in ("http://ana:s3cret@host/?token=s3cret", "ws://ana:s3cret@[::1/?token=s3cret"):
        ended = command(tmp_path, "chat", "--url", url)

        assert ended.returncode == 2
        assert "s3cret" not in ended.stdout + ended.stderr


async def test_customers_that_once_shared_a_topic_share_it_no_more_and_stop_no_refresh() -> None:
    old, today = Customer(BusinessId("a:b"), UserId("c")), customer("a", "b:c")
    desk = create_bridge(Settings(bridge_store="memory", agent_server_url=NO_SERVER))
    async with running(desk) as bridge, httpx.AsyncClient(base_url=f"http://{bridge}") as board:
        settings = Settings(
            store="memory",
            bridge="elixir",
            elixir_http_url=f"http://{bridge}",
            elixir_websocket_url=f"ws://{bridge}/socket/websocket",
        )
        container = Container(settings=settings)
        async with (
            running(create_app(settings, container)) as address,
            httpx.AsyncClient(base_url=f"http://{address}", limits=ONE_EACH) as api,
            user(address, *today) as ana,
        ):
            await ana.join()
            for who in (old, today):  # the first as an earlier version has stored it
                await container.transfers().request(who, LocationId("l1"), "Un om", None)
            await ana.wait_for("conversation_status", status="waiting")
            inbox = container.bridge_inbox()
            assert inbox is not None
            await inbox.refresh()
            said = {"businessId": "a", "userId": "b:c", "message": "Bună, sunt Maria."}
            (await board.post("/api/agent-responses", json=said)).raise_for_status()
            heard = await ana.wait_for("agent_message")
            listed = (await api.get("/api/conversations?businessId=a:b")).json()["conversations"]
            exported = (await api.get("/api/users/a:b/c/export")).json()["conversations"]
            erased = (await api.delete("/api/users/a:b/c")).json()

    assert heard["message"] == "Bună, sunt Maria."
    assert [each["status"] for each in listed] == ["waiting"]
    assert "Maria" not in str(exported)
    assert erased["sessions"] == 1
