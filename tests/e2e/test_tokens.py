"""Authentication by signed tokens, over real sockets."""

import asyncio
import base64
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import msgspec
import pytest
from websockets import Origin, Subprotocol
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from adapters.phoenix.client_connection import (
    JoinError,
    PhoenixChannel,
    PhoenixConnection,
    PushError,
)
from entrypoints.bridge.app import create_bridge
from entrypoints.programs import (
    Program,
    bridge_program,
    dev_programs,
    joined,
    server_program,
)
from entrypoints.serve import create_application
from entrypoints.settings import BadSetting, Settings, load_settings
from tests.support.process import COMMAND, ENVIRONMENT, command
from tests.support.process import server as process
from tests.support.server import running
from tests.support.tokens import (
    JWT,
    PATIENCE_S,
    SECRET,
    Publisher,
    claims,
    ending_in,
    jwk,
    public_pem,
    rsa_key,
    token,
)
from tests.support.user import Refused, User, user
from tests.support.wire import product

GOOD, EXPIRED, OTHERS = token("u1"), token("u1", exp=1), token("u2")


def offered(given: str) -> list[Subprotocol]:
    """Return the sub-protocols that the official JavaScript client offers for an `authToken`."""
    encoded = base64.b64encode(given.encode()).decode().rstrip("=")
    return [Subprotocol("phoenix"), Subprotocol(f"base64url.bearer.phx.{encoded}")]


@asynccontextmanager
async def connected(
    address: str, *, subprotocols: list[Subprotocol] | None = None, parameter: str = ""
) -> AsyncIterator[User]:
    """Open a socket of user u1 with tokens in these two ways."""
    url = f"ws://{address}/socket/websocket?vsn=2.0.0&token={parameter}"
    async with connect(url, compression=None, subprotocols=subprotocols) as connection:
        yield User(connection, "b1", "u1", vsn=2)


async def reason_of(joining: Any) -> str | None:
    """Return the reason of a refusal; None: there was none."""
    try:
        await joining
    except Refused as refused:
        return str(refused.reason)
    return None


async def test_with_a_token_a_user_chats_as_without_one() -> None:
    async with product(**JWT) as server, user(server.address) as ana:
        joined = await ana.join(token=GOOD)
        await ana.say("Bună!")

        assert (await ana.wait_for("new_message"))["author"] == "ai"
        assert joined["tokenExpiresAt"] > datetime.now(UTC).isoformat()


async def test_without_authentication_tokens_are_ignored() -> None:
    async with product() as server, user(server.address) as ana:
        joined = await ana.join(token="whatever")
        refreshed = await ana.request("refresh_token", {"token": "whatever"})

    assert "tokenExpiresAt" not in joined
    assert refreshed == {"tokenExpiresAt": None}


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "nonsense",
        EXPIRED,
        OTHERS,
        token("u1", "b2"),
        token("u1", role="coordinator"),
        jwt.encode(claims("u1"), "another secret, also of 32 bytes or more"),
        jwt.encode(claims("u1"), "", "none"),
        "x" * 50_000,
    ],
    ids=[
        "none",
        "empty",
        "nonsense",
        "expired",
        "of-another-user",
        "of-another-business",
        "of-a-coordinator",
        "of-another-secret",
        "unsigned",
        "long",
    ],
)
async def test_a_join_without_a_valid_token_of_its_user_is_refused_for_good(
    given: str | None,
) -> None:
    async with product(**JWT) as server, user(server.address) as ana:
        reason = await reason_of(ana.join(token=given))
        await ana.wait_for("phx_close")
        after = await reason_of(ana.say("Bună!"))
        counted = await server.metric('ai_agent_refusals_total{reason="unauthorized"}')
        log = await server.log()

    assert (reason, after) == ("unauthorized", "unmatched topic")
    assert counted == 1
    assert log == []


async def test_after_a_refusal_a_valid_token_can_join_on_the_same_socket() -> None:
    async with product(**JWT) as server, user(server.address) as ana:
        first = await reason_of(ana.join(token=EXPIRED))
        second = await ana.join(token=GOOD)

    assert first == "unauthorized"
    assert second["status"] == "ai"


@pytest.mark.parametrize(
    ("in_join", "in_protocol", "in_query", "reason"),
    [
        (GOOD, None, "", None),
        (None, GOOD, "", None),
        (None, None, GOOD, None),
        (GOOD, EXPIRED, EXPIRED, None),
        (None, GOOD, EXPIRED, None),
        ("", GOOD, "", None),
        (EXPIRED, GOOD, GOOD, "unauthorized"),
        (None, EXPIRED, GOOD, "unauthorized"),
        (None, OTHERS, GOOD, "unauthorized"),
        (None, None, "", "unauthorized"),
        (5, GOOD, GOOD, "invalid_payload"),
    ],
)
async def test_the_joins_token_precedes_the_sub_protocols_and_that_the_parameters(
    in_join: Any, in_protocol: str | None, in_query: str, reason: str | None
) -> None:
    protocols = offered(in_protocol) if in_protocol is not None else None
    payload = {"token": in_join} if in_join is not None else {}
    async with (
        product(**JWT) as server,
        connected(server.address, subprotocols=protocols, parameter=in_query) as ana,
    ):
        outcome = await reason_of(ana.join(**payload))

    assert outcome == reason


async def test_an_unreadable_sub_protocol_counts_as_an_invalid_token() -> None:
    bad = [Subprotocol("phoenix"), Subprotocol("base64url.bearer.phx.!")]
    async with (
        product(**JWT) as server,
        connected(server.address, subprotocols=bad, parameter=GOOD) as ana,
    ):
        outcome = await reason_of(ana.join())

    assert outcome == "unauthorized"


async def test_later_payloads_cannot_name_another_user() -> None:
    async with product(**JWT) as server, user(server.address) as ana:
        await ana.join(token=GOOD)
        reasons = [
            await reason_of(ana.say("Bună!", userId="u2")),
            await reason_of(ana.say("Bună!", businessId="b2")),
            await reason_of(ana.ask_for_human(userId="u2")),
        ]
        log = await server.log("b1", "u2") + await server.log("b2", "u1")

    assert reasons == ["identity_mismatch"] * 3
    assert log == []


async def test_one_socket_can_carry_channels_of_tokens_for_two_businesses() -> None:
    async with product(**JWT) as server, user(server.address) as ana:
        await ana.join(token=GOOD)
        ana.topic = "messages:b2"
        other = {"businessId": "b2", "userId": "u1"}
        refused = await reason_of(ana.join(**other, token=GOOD))
        joined = await ana.join(**other, token=token("u1", "b2"))

    assert refused == "unauthorized"
    assert joined["seq"] == 0


async def test_at_the_expiry_of_its_token_a_channel_is_closed_with_the_reason() -> None:
    async with product(**JWT) as server, user(server.address) as ana:
        joined = await ana.join(token=ending_in(3))
        told = await ana.wait_for("token_expired")
        at = datetime.now(UTC)
        await ana.wait_for("phx_close")
        after = await reason_of(ana.say("Bună!"))

    assert told == {"reason": "token_expired"}
    assert datetime.fromisoformat(joined["tokenExpiresAt"]) <= at
    assert after == "unmatched topic"


async def test_a_new_token_extends_a_channel() -> None:
    later = datetime.now(UTC) + timedelta(minutes=30)
    async with product(**JWT) as server, user(server.address) as ana, user(server.address) as idle:
        await ana.join(token=(short := ending_in(3)))
        await idle.join(token=short)
        renewed = await ana.request("refresh_token", {"token": GOOD})
        await idle.wait_for("phx_close")
        acknowledged = await ana.say("Încă aici.")

    assert datetime.fromisoformat(renewed["tokenExpiresAt"]) > later
    assert acknowledged["seq"] == 1
    assert "token_expired" not in [event for event, _ in ana.pushes]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"token": OTHERS}, "unauthorized"),
        ({"token": token("u1", "b2")}, "unauthorized"),
        ({"token": token("u1", role="coordinator")}, "unauthorized"),
        ({"token": EXPIRED}, "unauthorized"),
        ({"token": ""}, "unauthorized"),
        ({"token": None}, "invalid_payload"),
        ({}, "invalid_payload"),
    ],
)
async def test_an_invalid_new_token_changes_nothing(payload: Any, reason: str) -> None:
    async with product(**JWT) as server, user(server.address) as ana:
        await ana.join(token=GOOD)
        outcome = await reason_of(ana.request("refresh_token", payload))
        acknowledged = await ana.say("Bună!")

    assert outcome == reason
    assert acknowledged["seq"] == 1


async def test_a_refreshed_token_may_also_expire_sooner() -> None:
    async with product(**JWT) as server, user(server.address) as ana:
        await ana.join(token=GOOD)
        await ana.request("refresh_token", {"token": ending_in(3)})

        assert await ana.wait_for("token_expired")


async def test_tokens_are_checked_with_published_keys_too() -> None:
    key = rsa_key()
    signed = jwt.encode(claims("u1"), key, "RS256", headers={"kid": "first"})
    async with Publisher(jwk(key, "first")) as publisher:
        chosen: dict[str, Any] = {"socket_auth": "jwt", "jwt_jwks_url": publisher.url}
        async with product(**chosen) as server, user(server.address) as ana:
            joined = await ana.join(token=signed)
            refused = await reason_of(ana.request("refresh_token", {"token": GOOD}))

    assert joined["status"] == "ai"
    assert refused == "unauthorized"


# The reference bridge, where users join too.

BRIDGE = Settings(
    **JWT,
    bridge_store="memory",
    agent_server_url="http://127.0.0.1:9",
    service_token="s3rvice, another",
)
CHAT, BOARD = "chat:b1:u1", "coordinators:b1"
U1 = {"businessId": "b1", "userId": "u1"}
MARIA = {"businessId": "b1", "coordinatorId": "maria"}
COORDINATOR = token("maria", role="coordinator")


@asynccontextmanager
async def at_bridge(address: str, topic: str, **payload: Any) -> AsyncIterator[PhoenixChannel]:
    """Open a joined channel of the bridge. Raises: JoinError."""
    async with PhoenixConnection(f"ws://{address}/socket/websocket") as connection:
        channel = connection.channel(topic, payload)
        await channel.join()
        yield channel


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (CHAT, U1),
        (CHAT, {**U1, "token": OTHERS}),
        (CHAT, {**U1, "token": EXPIRED}),
        (CHAT, {**U1, "token": "s3rvice, another"}),
        (CHAT, {**U1, "token": token("maria", "b2", role="coordinator")}),
        (BOARD, MARIA),
        (BOARD, {**MARIA, "token": GOOD}),
        (BOARD, {**MARIA, "token": token("maria", "b2", role="coordinator")}),
        (BOARD, {**MARIA, "token": token("ioana", role="coordinator")}),
        (BOARD, {**MARIA, "token": token("maria")}),
    ],
)
async def test_the_bridge_refuses_a_token_of_another_identity(
    topic: str, payload: dict[str, str]
) -> None:
    async with running(create_bridge(BRIDGE)) as address:
        with pytest.raises(JoinError) as refused:
            await at_bridge(address, topic, **payload).__aenter__()

    assert refused.value.response["reason"] == "unauthorized"


async def test_at_the_bridge_nobody_can_write_as_somebody_else() -> None:
    async with (
        running(create_bridge(BRIDGE)) as address,
        at_bridge(address, CHAT, **U1, token=GOOD) as ana,
        at_bridge(address, CHAT, **U1, token=COORDINATOR) as maria,
        at_bridge(address, CHAT, **U1, token="another") as program,
        at_bridge(address, BOARD, **MARIA, token=COORDINATOR),
        at_bridge(address, BOARD, **MARIA, token="s3rvice"),
    ):
        await ana.push("user_message", {"message": "Bună!"})
        with pytest.raises(PushError) as as_coordinator:
            await ana.push("agent_message", {"message": "Sunt Maria."})
        with pytest.raises(PushError) as as_another:
            await maria.push("agent_message", {"message": "Bună!", "coordinatorId": "ioana"})
        await maria.push("agent_message", {"message": "Bună, sunt Maria."})
        await program.push("agent_message", {"message": "Bună!", "coordinatorId": "ioana"})
        said = [(await anext(ana))[1] for _ in range(4)]

    assert as_coordinator.value.response["reason"] == "unauthorized"
    assert as_another.value.response["reason"] == "unauthorized"
    words = [(each.get("coordinatorId"), each["message"]) for each in said if "message" in each]
    assert (None, "Bună!") in words
    assert ("maria", "Bună, sunt Maria.") in words


async def test_the_bridge_closes_and_extends_channels_as_the_server_does() -> None:
    short = ending_in(3)
    async with (
        running(create_bridge(BRIDGE)) as address,
        at_bridge(address, CHAT, **U1, token=short) as ana,
        at_bridge(address, CHAT, **U1, token=short) as idle,
    ):
        await ana.push("refresh_token", {"token": GOOD})
        events = [event async for event, _ in idle]
        answer = await ana.push("refresh_token", {"token": GOOD})

    assert "token_expired" in events
    assert answer["tokenExpiresAt"]


async def test_users_cannot_flood_a_live_chat_at_the_bridge() -> None:
    settings = msgspec.structs.replace(BRIDGE, limit_messages_per_user=2)
    async with (
        running(create_bridge(settings)) as address,
        at_bridge(address, CHAT, **U1, token=GOOD) as ana,
        at_bridge(address, CHAT, **U1, token="another") as program,
    ):
        for _ in range(2):
            await ana.push("user_message", {"message": "Bună!"})
        with pytest.raises(PushError) as refused:
            await ana.push("user_message", {"message": "Bună!"})
        for _ in range(5):
            await program.push("user_message", {"message": "Bună!"})

    assert refused.value.response["reason"] == "rate_limited"
    assert 29_000 < refused.value.response["retryAfterMs"] <= 30_000


# The command line.

PROGRAMS: dict[str, Callable[[Settings], list[Program]]] = {
    "serve": lambda settings: [server_program(settings)],
    "bridge": lambda settings: [bridge_program(settings)],
    "dev": lambda settings: dev_programs(msgspec.structs.replace(settings, bridge="elixir")),
}
TOKEN_SET = {"SERVICE_TOKEN": "s3rvice-token-of-the-suite"}
BAD_STARTS = [
    ("serve", {**TOKEN_SET, "SOCKET_AUTH": "jwt"}, "exactly one of"),
    ("serve", {**TOKEN_SET, "SOCKET_AUTH": "jwt", "JWT_SECRET": "short"}, "JWT_SECRET has 5 bytes"),
    ("serve", {**TOKEN_SET, "SOCKET_AUTH": "jwt", "JWT_SECRET": SECRET,
               "VISITOR_SECRET": f"{SECRET},short"}, "VISITOR_SECRET has 5 bytes"),
    ("serve", {**TOKEN_SET, "SOCKET_AUTH": "jwt", "JWT_SECRET": SECRET,
               "JWT_JWKS_URL": "http://h/k"},
     "JWT_SECRET and JWT_JWKS_URL are set"),
    ("serve", {**TOKEN_SET, "SOCKET_AUTH": "jwt", "JWT_PUBLIC_KEY_FILE": "none.pem"},
     "JWT_PUBLIC_KEY_FILE cannot be read"),
    ("dev", {"SOCKET_AUTH": "jwt"}, "exactly one of"),
    ("bridge", {"SOCKET_AUTH": "jwt", "JWT_SECRET": SECRET}, "SERVICE_TOKEN is empty"),
    ("bridge", {"SOCKET_AUTH": "jwt", "JWT_SECRET": SECRET, "COORDINATORS": "c.toml"},
     "SERVICE_TOKEN is empty"),
    ("bridge", {"COORDINATORS": "c.toml"}, "COORDINATORS is set, but SERVICE_TOKEN is empty"),
    ("serve", {"SERVER_HOST": "0.0.0.0"}, "SERVER_HOST is '0.0.0.0'"),
    ("serve", {"SERVER_HOST": "::"}, "SERVER_HOST is '::'"),
    ("dev", {"SERVER_HOST": "0.0.0.0"}, "SERVER_HOST is '0.0.0.0'"),
    ("dev", {"BRIDGE_HOST": "0.0.0.0"}, "BRIDGE_HOST is '0.0.0.0'"),
    ("bridge", {"BRIDGE_HOST": "0.0.0.0"}, "set SOCKET_AUTH=jwt, or ALLOW_INSECURE=1"),
    ("serve", {"TRUSTED_PROXIES": "banana", "SERVICE_TOKEN": "t"}, "TRUSTED_PROXIES must be"),
    ("serve", {"SOCKET_AUTH": "jwt", "JWT_SECRET": SECRET}, "by SOCKET_AUTH=jwt strangers can"),
    ("serve", {"TRUSTED_PROXIES": "10.0.0.0/8"}, "by TRUSTED_PROXIES strangers can"),
    ("serve", {"SERVICE_TOKEN": ","}, "SERVICE_TOKEN names no token"),
    ("serve", {"SERVICE_TOKEN": " , ,"}, "SERVICE_TOKEN names no token"),
    ("bridge", {"TRUSTED_PROXIES": "10.0.0.0/8"}, "SERVICE_TOKEN is empty"),
    ("bridge", {"SERVICE_TOKEN": ","}, "SERVICE_TOKEN names no token"),
    ("dev", {"TRUSTED_PROXIES": "10.0.0.0/8"}, "SERVICE_TOKEN is empty"),
    ("dev", {"SERVICE_TOKEN": ","}, "SERVICE_TOKEN names no token"),
    ("serve", {"ALLOWED_ORIGINS": "http://[:::1]"}, "'http://[:::1]' is no origin"),
]  # fmt: skip


def started(programs: Callable[[Settings], list[Program]], settings: Settings) -> None:
    """Start the programs as far as possible without listening."""
    for program in joined(programs(settings), ["http://127.0.0.1:9", "http://127.0.0.1:9"]):
        create_application(program)


@pytest.mark.parametrize(("name", "environment", "complaint"), BAD_STARTS)
def test_an_unsafe_configuration_is_refused_with_the_reason(
    name: str, environment: dict[str, str], complaint: str
) -> None:
    settings = load_settings(environment)

    with pytest.raises(BadSetting) as bad:
        started(PROGRAMS[name], settings)

    assert complaint in str(bad.value)
    assert "\n" not in str(bad.value)
    assert SECRET not in str(bad.value)


def test_an_unsafe_start_is_an_error_of_one_line(tmp_path: Path) -> None:
    ended = command(tmp_path, "serve", "--port", "0", SERVER_HOST="0.0.0.0")

    assert ended.returncode == 2
    assert ended.stderr.startswith("Error: SERVER_HOST is '0.0.0.0'")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "environment",
    [
        {"SERVER_HOST": "localhost"},
        {"SERVER_HOST": "0.0.0.0", "ALLOW_INSECURE": "1"},
        {"SERVER_HOST": "0.0.0.0", "SOCKET_AUTH": "jwt", "JWT_SECRET": SECRET, **TOKEN_SET},
        {"SOCKET_AUTH": "jwt", "JWT_SECRET": SECRET, "ALLOW_INSECURE": "1"},
        {"TRUSTED_PROXIES": "10.0.0.0/8", "ALLOW_INSECURE": "1"},
        {"SERVICE_TOKEN": ",", "ALLOW_INSECURE": "1"},
    ],
    ids=str,
)
async def test_a_safe_or_allowed_configuration_starts(
    environment: dict[str, str], tmp_path: Path
) -> None:
    async with process(tmp_path, STORE="memory", **environment) as server:
        port = server.address.rpartition(":")[2]
        async with user(f"localhost:{port}") as ana:
            joined = await ana.join(token=GOOD)

    assert joined["seq"] == 0


async def test_no_token_gets_into_log_or_metrics_however_it_was_sent(tmp_path: Path) -> None:
    environment = {"SOCKET_AUTH": "jwt", "JWT_SECRET": SECRET, "STORE": "memory", **TOKEN_SET}
    brought = [GOOD, EXPIRED, OTHERS, "broken-token-of-nobody"]
    async with process(tmp_path, **environment, LOG_LEVEL="debug") as server:
        for given in brought:
            ways = connected(server.address, subprotocols=offered(given), parameter=given)
            async with ways as ana:
                await reason_of(ana.join(token=given))
                await reason_of(ana.join())
                await reason_of(ana.request("refresh_token", {"token": given}))
        async with httpx.AsyncClient(base_url=f"http://{server.address}") as api:
            metrics = (await api.get("/metrics")).text
        server.signal(signal.SIGTERM)
        log = (await server.end()).log

    assert "server_stopped" in log
    for given in brought:
        assert given not in log + metrics
        assert given.rpartition(".")[2] not in log + metrics


async def test_an_open_api_is_logged_as_a_warning(tmp_path: Path) -> None:
    environment = {"SERVER_HOST": "0.0.0.0", "ALLOW_INSECURE": "1", "STORE": "memory"}
    async with process(tmp_path, **environment) as opened:
        opened.signal(signal.SIGTERM)
        warned = (await opened.end()).log
    async with process(tmp_path, **environment, SERVICE_TOKEN="s3rvice-token") as closed:
        closed.signal(signal.SIGTERM)
        silent = (await closed.end()).log

    assert "api_open" in warned
    assert "api_open" not in silent


def test_check_tries_where_keys_are_published_and_refuses_what_would_not_start(
    tmp_path: Path,
) -> None:
    chosen = {"SOCKET_AUTH": "jwt", "STORE": "memory", **TOKEN_SET}
    good = command(tmp_path, "check", **chosen, JWT_SECRET=SECRET)
    away = command(tmp_path, "check", **chosen, JWT_JWKS_URL="http://127.0.0.1:9/keys.json")
    none = command(tmp_path, "check", **chosen)
    unsafe = command(tmp_path, "check", **{**chosen, "SERVICE_TOKEN": ","}, JWT_SECRET=SECRET)

    assert (good.returncode, away.returncode, none.returncode) == (0, 1, 2)
    assert "tokens     jwt        ok" in good.stdout
    assert "could not be fetched" in away.stdout
    assert "exactly one of" in none.stderr
    assert (unsafe.returncode, unsafe.stderr.count("\n")) == (2, 1)
    assert "SERVICE_TOKEN names no token" in unsafe.stderr


async def test_a_server_with_a_public_key_accepts_what_the_private_one_signed(
    tmp_path: Path,
) -> None:
    (tmp_path / "key.pem").write_text(public_pem(rsa_key()))
    chosen = {
        **TOKEN_SET,
        "SOCKET_AUTH": "jwt",
        "JWT_PUBLIC_KEY_FILE": "key.pem",
        "STORE": "memory",
    }
    async with process(tmp_path, **chosen) as server, user(server.address) as ana:
        refused = await reason_of(ana.join(token=GOOD))
        joined = await ana.join(token=jwt.encode(claims("u1"), rsa_key(), "RS256"))

    assert refused == "unauthorized"
    assert joined["seq"] == 0


def test_test_tokens_are_printed(tmp_path: Path) -> None:
    made = command(tmp_path, "token", "user", "--user", "ana", "--ttl", "2h", JWT_SECRET=SECRET)
    other = command(tmp_path, "token", "coordinator", "--business", "b2", JWT_SECRET=SECRET)

    said = jwt.decode(made.stdout.strip(), SECRET, ["HS256"])
    theirs = jwt.decode(other.stdout.strip(), SECRET, ["HS256"])
    assert (said["sub"], said["biz"], said["exp"] - said["iat"]) == ("ana", "b1", 7_200)
    assert (theirs["biz"], theirs["role"]) == ("b2", "coordinator")


@pytest.mark.parametrize(
    ("arguments", "environment", "complaint"),
    [
        ((), {}, "JWT_SECRET is empty"),
        ((), {"JWT_PUBLIC_KEY_FILE": "key.pem"}, "with its private key"),
        ((), {"JWT_SECRET": "short"}, "JWT_SECRET has 5 bytes"),
        (("--ttl", "1y"), {"JWT_SECRET": SECRET}, "not a time such as"),
        (("--ttl", "0s"), {"JWT_SECRET": SECRET}, "not a time such as"),
        (("--user", "a b"), {"JWT_SECRET": SECRET}, "user must be 1-128 characters"),
    ],
)
def test_a_token_that_cannot_be_made_is_an_error(
    arguments: tuple[str, ...], environment: dict[str, str], complaint: str, tmp_path: Path
) -> None:
    ended = command(tmp_path, "token", "user", *arguments, **environment)

    assert ended.returncode == 2
    assert complaint in ended.stderr
    assert ended.stdout == ""


async def test_the_terminal_chats_with_a_token_and_reports_its_expiry(tmp_path: Path) -> None:
    async with product(**JWT) as server:
        url = f"ws://{server.address}/socket/websocket"
        run = ("chat", "--url", url, "--user", "u1")
        good, bad, ending = await asyncio.gather(
            asyncio.to_thread(command, tmp_path, *run, "--token", GOOD, typed="Bună!\n"),
            asyncio.to_thread(command, tmp_path, *run, typed="Bună!\n", CHAT_TOKEN=OTHERS),
            _until_expired(tmp_path, run),
        )

    assert good.returncode == 0, good.stdout
    assert bad.returncode == 1
    assert "the token is missing, wrong or expired" in bad.stdout
    assert "the token has expired: restart the chat with a valid one" in ending


async def _until_expired(folder: Path, run: tuple[str, ...]) -> str:
    """Return the output of a terminal whose input stays open until its token expires."""
    child = await asyncio.create_subprocess_exec(
        *COMMAND,
        *run,
        cwd=folder,
        env={**ENVIRONMENT, "CHAT_TOKEN": ending_in(6)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    async with asyncio.timeout(PATIENCE_S + 10):
        said = await child.stdout.read()
    await child.wait()
    return said.decode()


async def test_with_everything_on_a_user_is_served_from_the_join_to_the_drain(
    tmp_path: Path,
) -> None:
    environment = {
        "SOCKET_AUTH": "jwt",
        "JWT_SECRET": SECRET,
        "SERVICE_TOKEN": "s3cret-old, s3cret-new",
        "ALLOWED_ORIGINS": "https://shop.example",
        "LIMIT_MESSAGES_PER_USER": "4",
        "BRIDGE_PORT": "0",
        "TURN_QUIET_MS": "0",
    }
    async with process(tmp_path, name="dev", **environment) as server:
        bridge = await server.next_address()
        async with (
            user(server.address) as ana,
            at_bridge(bridge, BOARD, **MARIA, token=COORDINATOR) as board,
            at_bridge(bridge, CHAT, **U1, token=COORDINATOR) as talk,
        ):
            elsewhere = await _refused_origin(server.address)
            stranger = await reason_of(ana.join(token=OTHERS))
            await ana.join(token=GOOD)
            await ana.say("Bună!")
            await ana.wait_for("new_message", author="ai")
            await ana.ask_for_human(message="Vreau un om.")
            async with asyncio.timeout(PATIENCE_S):
                async for event, payload in board:
                    if event == "notification" and payload["type"] == "waiting":
                        session_id = payload["chat"]["sessionId"]
                        break
            await board.push("claim", {"sessionId": session_id})
            await talk.push("agent_message", {"message": "Bună, sunt Maria."})
            heard = await ana.wait_for("agent_message")
            given_back = [
                await _given_back(server.address, session_id, key)
                for key in ("", "s3cret-other", "s3cret-new")
            ]
            await ana.wait_for("conversation_status", status="ai")
            renewed = await ana.request("refresh_token", {"token": token("u1")})
            reasons = [await reason_of(ana.say(f"Încă {number}")) for number in range(3)]
            server.signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosedError) as closed:
                await ana.wait_for("never")
        ended = await server.end()

    assert (elsewhere, stranger) == (403, "unauthorized")
    assert (heard["message"], heard["coordinatorId"]) == ("Bună, sunt Maria.", "maria")
    assert given_back == [401, 401, 200]
    assert renewed["tokenExpiresAt"] is not None
    assert reasons == [None, None, "rate_limited"]
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, ended.code) == (1012, 0)


async def _refused_origin(address: str) -> int:
    """Return the status that a page of another origin gets."""
    url = f"ws://{address}/socket/websocket"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, origin=Origin("https://other.example")):
            pass
    return refused.value.response.status_code


async def _given_back(address: str, session_id: str, key: str) -> int:
    """Return a conversation to the AI with a token; return the status of the request."""
    url = f"http://{address}/api/conversation-status/{session_id}"
    async with httpx.AsyncClient() as http:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = await http.put(url, json={"status": "ai"}, headers=headers)
    return answer.status_code
