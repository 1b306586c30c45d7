"""`ai-agent-server doctor` names what goes wrong in production, and nothing where all is well.

Each mistake is a real one: of a real nginx, certificate, Redis, bridge, model or limit.
"""

import asyncio
import json
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from email.utils import formatdate
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from adapters.dynamodb.table import definition
from adapters.sqlite.file import MIGRATIONS
from entrypoints.cli.doctor import disk_kind
from entrypoints.cli.public_address import _judged_address, is_base_url
from tests.support.aimock import KEY, aimock, calls, says
from tests.support.bridge import FaultyBridge
from tests.support.businesses import demo_folder_without_documents
from tests.support.certificates import Chain, chained
from tests.support.dynamodb import DYNOXIDE, engine
from tests.support.listener import Listener
from tests.support.nginx import NGINX, UPGRADE, nginx
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings
from tests.support.process import ENVIRONMENT, MODULE, command, server
from tests.support.redis_server import redis_server
from tests.support.server import running
from tests.support.snapshots import empty_database
from tests.support.tcp_proxy import TcpProxy
from tests.support.tokens import SECRET

TOKEN, OTHER_TOKEN = "f61b02a7c9d34e58", "0a9d83e4b7c1625f"
PROXY, STRANGER = "127.0.0.7", "127.0.0.8"
"""From where nginx connects to the server: the one that TRUSTED_PROXIES names, and another."""
# The application of a business signs its customers in, and nginx is before the server.
PRODUCTION = {
    "SOCKET_AUTH": "jwt",
    "JWT_SECRET": SECRET,
    "VISITOR_SECRET": "77aa2b3c4d5e6f708192a3b4c5d6e7f8",
    "SERVICE_TOKEN": TOKEN,
    "TRUSTED_PROXIES": PROXY,
    "ALLOWED_ORIGINS": "https://shop.example",
    "LIMIT_SOCKETS": "200",
    "LIMIT_CONNECTIONS": "200",
}

needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not on this machine")


class Examined(NamedTuple):
    """What `doctor` has printed."""

    code: int
    findings: list[dict[str, Any]]

    @property
    def bad(self) -> dict[str, str]:
        """What is not well: level and what was seen, by part and name."""
        return {
            f"{each['part']} {each['name']}": f"{each['level']}: {each['seen']}"
            for each in self.findings
            if each["level"] != "ok"
        }


async def examine(folder: Path, *arguments: str, **environment: str) -> Examined:
    """Run `doctor` beside a database of a server, without blocking the loop."""
    chosen = {"BUSINESSES": str(demo_folder_without_documents()), **environment}
    empty_database(folder)
    ended = await asyncio.to_thread(command, folder, "doctor", "--json", *arguments, **chosen)
    assert ended.stdout, ended.stderr
    findings = json.loads(ended.stdout)["findings"]
    for each in findings:
        assert each["level"] == "ok" or (each["seen"] and each["why"] and each["whatToDo"]), each
    return Examined(ended.returncode, findings)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return chained(tmp_path_factory.mktemp("tls") / "good")


def behind(address: str = PROXY) -> str:
    """The part of nginx's configuration with the address that it connects from."""
    return f"proxy_bind {address}; location = /metrics {{ return 404; }}"


@asynccontextmanager
async def model_and_bridge() -> AsyncIterator[dict[str, str]]:
    """A model that calls a tool when asked to, and a bridge; yield the settings for both."""
    model = aimock()
    model.play(
        calls("get_business", match={"model": "m1", "hasToolResult": False}),
        says("Test", match={"model": "m1", "hasToolResult": True}),
    )
    plain = PlainPhoenix(PlainSettings(token=OTHER_TOKEN))
    async with FaultyBridge() as bridge, running(plain.app()) as address:
        yield {
            **{"ASSISTANT": "openai", "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": model.url},
            "OPENAI_MODEL": "m1",
            **{"BRIDGE": "elixir", "ELIXIR_HTTP_URL": bridge.url, "ELIXIR_TOKEN": OTHER_TOKEN},
            "ELIXIR_WEBSOCKET_URL": f"ws://{address}/socket/websocket",
        }


@needs_nginx
async def test_a_healthy_set_up_has_no_finding(tmp_path: Path, chain: Chain) -> None:
    with redis_server() as redis:
        async with model_and_bridge() as others:
            settings = {**PRODUCTION, **others, "BROKER": "redis", "REDIS_URL": redis.url}
            async with (
                server(tmp_path, **settings) as running_,
                nginx(
                    running_.address, certificate=(chain.whole, chain.key), server=behind()
                ) as proxy,
            ):
                url = f"https://localhost:{proxy.rpartition(':')[2]}"
                found = await examine(
                    tmp_path, "--url", url, **settings, SSL_CERT_FILE=str(chain.root)
                )
                shown = await asyncio.to_thread(
                    command, tmp_path, "check", **{**settings, "ALLOWED_ORIGINS": ""}
                )

    parts = [f"{each['part']} {each['name']}" for each in found.findings]
    assert (found.bad, found.code) == ({}, 0)
    assert parts[:3] == ["store sqlite", "assistant openai", "bridge elixir"]
    assert parts[-4:] == ["TLS localhost", "public HTTP", "public address", "public socket"]
    assert "localhost" in url
    assert "the server knows this client as 127.0.0.1" in str(found.findings)
    assert "  do:  ALLOWED_ORIGINS=https://shop.example" in shown.stdout  # a warning
    assert shown.returncode == 0


@needs_nginx
async def test_each_mistake_before_the_server_is_named(tmp_path: Path, chain: Chain) -> None:
    good = chain.whole, chain.key
    expired = chained(tmp_path / "expired", days=-2)
    old = chained(tmp_path / "old", days=5)
    other = chained(tmp_path / "other", name="shop.example")
    mistakes: dict[str, tuple[dict[str, Any], Path, dict[str, str]]] = {
        "no upgrade": (
            {"upgrade": ""},
            chain.root,
            {"public socket": "problem: the proxy does not pass the upgrade on"},
        ),
        "claims are passed on": (
            {"forwarded": ""},
            chain.root,
            {"public address": "problem: who claims to be somebody else is believed"},
        ),
        "clients have no name": (
            {"forwarded": 'proxy_set_header X-Forwarded-For "";'},
            chain.root,
            {"public address": f"problem: the proxy {PROXY} is taken for the client"},
        ),
        "a proxy that is not trusted": (
            {"server": behind(STRANGER)},
            chain.root,
            {"public address": f"problem: the server knows this client as {STRANGER}"},
        ),
        "public metrics": (
            {"server": f"proxy_bind {PROXY};"},
            chain.root,
            {"public /metrics": "warning: the metrics are public"},
        ),
        "no server": (
            {"server": f"{behind()} location = /health {{ return 502; }}"},
            chain.root,
            {"public HTTP": "problem: /health answers HTTP 502"},
        ),
        "an incomplete chain": (
            {"certificate": (chain.alone, chain.key)},
            chain.root,
            {"TLS localhost": "problem: the certificate's chain is not complete"},
        ),
        "an expired certificate": (
            {"certificate": (expired.whole, expired.key)},
            expired.root,
            {"TLS localhost": "problem: the certificate has expired"},
        ),
        "one that soon expires": (
            {"certificate": (old.whole, old.key)},
            old.root,
            {"TLS localhost": "warning: the certificate expires in 5 days"},
        ),
        "another name": (
            {"certificate": (other.whole, other.key)},
            other.root,
            {"TLS localhost": "problem: the certificate is not for localhost"},
        ),
    }
    async with AsyncExitStack() as stack:
        running_ = await stack.enter_async_context(server(tmp_path, **PRODUCTION))

        async def found(parts: dict[str, Any], root: Path, **settings: str) -> Examined:
            known = {"certificate": good, "server": behind(), "upgrade": UPGRADE, **parts}
            proxy = await stack.enter_async_context(nginx(running_.address, **known))
            url = f"https://localhost:{proxy.rpartition(':')[2]}"
            return await examine(
                tmp_path, "--url", url, **{**PRODUCTION, **settings}, SSL_CERT_FILE=str(root)
            )

        results = [
            await asyncio.gather(*(found(parts, root) for parts, root, _ in chunk))
            for chunk in chunks([*mistakes.values()], 4)
        ]
        forgotten = await found({}, chain.root, ALLOWED_ORIGINS="https://new.example")
        renewed = await found({}, chain.root, SERVICE_TOKEN="8c7b6a5d4e3f2a1b")

    # A setting was changed, and the server not restarted.
    assert renewed.bad["public address"].startswith("warning: the server does not know this")
    assert forgotten.bad["public socket"].startswith("problem: a page of https://new.example may")
    seen = [each.bad for result in results for each in result]
    for (name, (_, _, expected)), bad in zip(mistakes.items(), seen, strict=True):
        assert bad.pop("assistant scripted")  # which is another mistake
        assert bad.keys() == expected.keys(), (name, bad)
        assert all(bad[key].startswith(text) for key, text in expected.items()), (name, bad)


def chunks(values: list[Any], size: int) -> list[list[Any]]:
    return [values[start : start + size] for start in range(0, len(values), size)]


class LateClock(Listener):
    """A server whose clock is half an hour late."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        date = formatdate(time.time() - 1_800, usegmt=True)
        writer.write(f"HTTP/1.1 200 OK\r\nDate: {date}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


async def test_each_mistake_of_the_others_is_named(tmp_path: Path) -> None:
    engine_, table = engine(DYNOXIDE), f"doctor-{time.time_ns()}"
    engine_.call("CreateTable", **definition(table))  # its TTL is off
    in_dynamodb = {"STORE": "dynamodb", "DYNAMODB_ENDPOINT_URL": engine_.url}
    newer = tmp_path / "newer.db"
    newer.write_bytes(b"")
    with socket.socket() as nothing:
        nothing.bind(("127.0.0.1", 0))  # and does not listen
        away = f"127.0.0.1:{nothing.getsockname()[1]}"
        async with model_and_bridge() as others, LateClock() as late:
            at_none = {"BROKER": "redis", "REDIS_URL": f"redis://{away}/0"}
            make_newer(newer)
            mistakes: dict[str, tuple[dict[str, str], dict[str, str]]] = {
                "a token that the bridge refuses": (
                    {"ELIXIR_TOKEN": "1234abcd5678ef90"},
                    {"live chat chat:check:check": "problem: "},
                ),
                "a bridge that is away": (
                    {"ELIXIR_HTTP_URL": f"http://{away}"},
                    {"bridge elixir": "problem: "},
                ),
                "a wrong key": (
                    {"OPENAI_API_KEY": "sk-wrong"},
                    {"assistant openai": "problem: m1: HTTP 401"},
                ),
                "no Redis": (at_none, {"broker redis": "problem: ", "leases redis": "problem: "}),
                "a wrong clock": (
                    {"ELIXIR_HTTP_URL": late.url},
                    {f"clock 127.0.0.1:{late.port}": "problem: its clock is -1"},
                ),
                "no table": (
                    {**in_dynamodb, "DYNAMODB_TABLE": "none-of-it"},
                    {"store dynamodb": "problem: there is no table"},
                ),
                "a table that is not whole": (
                    {**in_dynamodb, "DYNAMODB_TABLE": table},
                    {
                        "store dynamodb": f"problem: table {table}: its TTL is off",
                        f"table {table}": "warning: its deletion protection is off",
                    },
                ),
                "a database of a later version": (
                    {"SQLITE_PATH": str(newer)},
                    {"store sqlite": f"problem: {newer} has schema version"},
                ),
            }
            results = [
                await asyncio.gather(
                    *(
                        examine(tmp_path, **{**PRODUCTION, **others, **mistake})
                        for mistake, _ in chunk
                    )
                )
                for chunk in chunks([*mistakes.values()], 4)
            ]

    for (name, (_, expected)), found in zip(
        mistakes.items(), [each for result in results for each in result], strict=True
    ):
        assert found.bad.keys() == expected.keys(), (name, found.bad)
        assert all(found.bad[key].startswith(text) for key, text in expected.items()), found.bad
        assert found.code == (1 if "problem" in str(expected) else 0), name


async def test_a_slow_redis_is_named(tmp_path: Path) -> None:
    with redis_server() as redis:
        async with TcpProxy(redis.port) as slow:
            slow.delay_s = 0.02  # in each direction
            url = f"redis://127.0.0.1:{slow.port}/0"
            found = await examine(tmp_path, **PRODUCTION, BROKER="redis", REDIS_URL=url)

    assert found.bad["leases latency"].startswith("warning: Redis takes ")


def make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


SETTINGS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "an example as a secret": (
        {"JWT_SECRET": "changeme-changeme-changeme-changeme-12"},
        {"secret JWT_SECRET": "problem: it can be guessed"},
    ),
    "a short token": (
        {"SERVICE_TOKEN": f"f61b02a7,{TOKEN}"},
        {"secret SERVICE_TOKEN": "warning: it has only 8 characters"},
    ),
    "one secret for two things": (
        {"VISITOR_SECRET": SECRET},
        {"secret VISITOR_SECRET": "warning: it is the same as JWT_SECRET"},
    ),
    "one token for both sides": (
        {"ELIXIR_TOKEN": TOKEN},
        {"secret ELIXIR_TOKEN": "warning: it is the same as SERVICE_TOKEN"},
    ),
    "nobody shows who they are": (
        {"SOCKET_AUTH": "none"},
        {"tokens none": "problem: SOCKET_AUTH=none, where strangers are expected"},
    ),
    "an origin without TLS": (
        {"ALLOWED_ORIGINS": "http://shop.example"},
        {"origins http": "warning: http://shop.example in ALLOWED_ORIGINS is not https"},
    ),
    "every origin": ({"ALLOWED_ORIGINS": "*"}, {"origins *": "warning: ALLOWED_ORIGINS=*"}),
    "no origin": ({"ALLOWED_ORIGINS": ""}, {"origins -": "warning: ALLOWED_ORIGINS is empty"}),
    "conversations in memory": (
        {"STORE": "memory"},
        {"store memory": "warning: conversations are in memory alone"},
    ),
    "keys that cannot be fetched": (
        {"JWT_SECRET": "", "JWT_JWKS_URL": "http://127.0.0.1:9/keys.json"},
        {"tokens jwt": "problem: "},
    ),
}


@pytest.mark.parametrize("mistake", SETTINGS)
async def test_each_mistake_in_the_settings_is_named(tmp_path: Path, mistake: str) -> None:
    environment, expected = SETTINGS[mistake]
    found = await examine(tmp_path, **{**PRODUCTION, **environment})

    bad = found.bad
    assert bad.pop("assistant scripted") == "warning: the demonstration answers"
    assert bad.keys() == expected.keys()
    assert all(bad[key].startswith(text) for key, text in expected.items())


async def test_mistakes_in_a_businesss_file_and_about_its_visitors_are_named(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "businesses"
    folder.mkdir()
    website = '[website]\norigins = ["https://resto.example"]\n'
    (folder / "resto.toml").write_text(f'name = "Resto"\n{website}')
    (folder / "typo.toml").write_text(f'nam = "Resto"\n{website}')
    found = await examine(
        tmp_path, **{**PRODUCTION, "VISITOR_SECRET": "", "BUSINESSES": str(folder)}
    )

    assert found.bad["visitors -"] == (
        "warning: VISITOR_SECRET is empty, but https://resto.example may embed the chat"
    )
    assert found.bad["business typo"].startswith(f"problem: {folder}/typo.toml: nam")


async def test_an_address_without_tls_is_named_and_not_asked(tmp_path: Path) -> None:
    found = await examine(tmp_path, "--url", "http://chat.invalid", **PRODUCTION)
    refused = command(tmp_path, "doctor", "--url", "https://chat.invalid/chat", **PRODUCTION)

    assert found.bad["TLS http://chat.invalid"] == "problem: the address has no TLS"
    assert [each["part"] for each in found.findings][-1] == "TLS"
    assert refused.stderr == ("Error: --url must be like https://chat.example, without a path\n")


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        (
            {"ALLOWED_ORIGINS": "https://shop.example/chat"},
            "ALLOWED_ORIGINS is 'https://shop.example/chat'",
        ),
        ({"JWT_SECRET": "short"}, "JWT_SECRET has 5 bytes"),
        (
            {"JWT_SECRET": "", "JWT_PUBLIC_KEY_FILE": "none.pem"},
            "JWT_PUBLIC_KEY_FILE cannot be read: No such file",
        ),
        ({"SERVICE_TOKEN": ""}, "SERVICE_TOKEN is empty, but"),
        ({"SOCKET_AUTH": "none", "SERVER_HOST": "0.0.0.0"}, "SOCKET_AUTH"),
        ({"STORE": "memory", "WORKERS": "2"}, "STORE=memory keeps conversations in one process"),
    ],
)
def test_what_would_not_start_is_an_error_of_one_line(
    tmp_path: Path, environment: dict[str, str], complaint: str
) -> None:
    ended = command(tmp_path, "doctor", **{**PRODUCTION, **environment})

    assert (ended.returncode, ended.stdout) == (2, "")
    assert complaint in ended.stderr


def test_a_limit_of_open_files_that_is_too_low_is_named_with_what_to_set(tmp_path: Path) -> None:
    settings = {**ENVIRONMENT, "STORE": "memory", "LIMIT_SOCKETS": "5000"}
    ended = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -n 1024; exec {sys.executable} -m {MODULE} doctor"],
        cwd=tmp_path,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0
    assert (
        "warning: 1,024 files may be open, but LIMIT_SOCKETS and LIMIT_CONNECTIONS need"
        in ended.stdout
    )
    assert "  do:  LimitNOFILE=65536 in systemd's unit" in ended.stdout


def test_the_disk_of_a_folder_is_that_of_the_nearest_mount_above_it(tmp_path: Path) -> None:
    mounts, far = tmp_path / "mounts", tmp_path / "far away"
    (far / "data").mkdir(parents=True)
    place = str(far).replace(" ", r"\040")
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/x {place} nfs4 rw 0 0\n")

    assert disk_kind(far / "data", mounts) == "nfs4"
    assert disk_kind(tmp_path, mounts) == "ext4"
    assert disk_kind(tmp_path, tmp_path / "none") == ""


def test_a_database_is_neither_made_nor_migrated(tmp_path: Path) -> None:
    none = command(tmp_path, "doctor", **PRODUCTION)
    made = list(tmp_path.iterdir())
    older = tmp_path / "older.db"
    with closing(sqlite3.connect(older)) as db:
        db.executescript((Path(__file__).parents[1] / "data/conversations-3.sql").read_text())
        version = db.execute("PRAGMA user_version").fetchone()[0]
    ended = command(tmp_path, "doctor", **PRODUCTION, SQLITE_PATH=str(older))
    with closing(sqlite3.connect(older)) as db:
        kept = db.execute("PRAGMA user_version").fetchone()[0]

    assert "there is no file data/conversations.sqlite3" in none.stdout
    assert made == []
    assert "store      sqlite     ok" in ended.stdout
    assert 0 < version == kept < len(MIGRATIONS)


@pytest.mark.parametrize(
    ("known", "own", "is_bad"),
    [
        ("::/64", "::1", False),
        ("fd00:1:2:3::/64", "fd00:1:2:3::5", False),
        ("10.0.0.7", "10.0.0.7", False),
        ("10.0.0.7", "10.0.0.8", True),
        ("fd00:1:2:3::/64", "fd00:1:2:4::5", True),
    ],
)
def test_an_address_of_ipv6_is_known_by_its_network(known: str, own: str, is_bad: bool) -> None:
    assert (_judged_address(known, own, "").level == "problem") is is_bad


@pytest.mark.parametrize(
    "url",
    ["http://[::1", "https://host:abc", "https://a..b", "https://host:99999", "host", "https://"],
)
def test_an_address_that_is_none_is_said_to_be_none(url: str) -> None:
    assert not is_base_url(url)
