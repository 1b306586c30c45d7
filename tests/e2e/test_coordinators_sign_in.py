"""Coordinators who sign in with a name and a password, and every door that it opens or does not."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import jwt
import pytest

from adapters.files.coordinators import read_coordinators
from adapters.jwt.coordinators import CoordinatorTokens
from domain.identity import BusinessId, CoordinatorId
from entrypoints.bridge.app import create_bridge
from entrypoints.programs import dev_programs
from entrypoints.settings import Settings
from tests.support.businesses import EXAMPLES
from tests.support.coordinators import MARIA, PASSWORD, STEFAN, allow, forbid
from tests.support.server import running
from tests.support.tokens import JWT, token
from tests.support.user import PATIENCE_S
from tests.support.wire import ONE_EACH, Payload, Socket, identity, product, socket

SERVICE = "s3rvice"
CHAT, BOARD = "chat:b1:u1", "coordinators:b1"


class Bridge(NamedTuple):
    """A running bridge."""

    address: str
    api: httpx.AsyncClient
    path: Path

    async def post(self, name: str = MARIA, password: str = PASSWORD, **more: Any) -> Any:
        """Ask to sign in."""
        return await self.api.post("/sign-in", json={"name": name, "password": password}, **more)

    async def tokens(self, name: str = MARIA) -> dict[str, str]:
        """Sign in, and return the token of each business."""
        answer = await self.post(name)
        assert answer.status_code == 200, answer.text
        return {each["businessId"]: each["token"] for each in answer.json()["businesses"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with Maria, of two businesses, and Ștefan, of one."""
    allow(tmp_path / "coordinators.toml", MARIA, "b1", "b2")
    allow(tmp_path / "coordinators.toml", STEFAN, "b1")
    return tmp_path / "coordinators.toml"


@asynccontextmanager
async def bridge(path: Path | None, **chosen: Any) -> AsyncIterator[Bridge]:
    """Run a bridge with this file; it verifies nobody's identity unless it is chosen so."""
    alone = {"bridge_store": "memory", "agent_server_url": "http://127.0.0.1:9"}
    if path is not None:
        alone["coordinators"] = str(path)
    async with (
        running(create_bridge(Settings(**{**alone, **chosen}))) as address,
        httpx.AsyncClient(base_url=f"http://{address}", limits=ONE_EACH) as api,
    ):
        yield Bridge(address, api, path or Path())


def board(given: str = "", coordinator_id: str = MARIA) -> Payload:
    return {"businessId": "b1", "coordinatorId": coordinator_id, "token": given}


async def joined(client: Socket, topic: str, payload: Payload) -> str:
    """Return `ok`, or the reason why a join is refused."""
    status, reply = await client.call("phx_join", payload, topic)
    return status if status == "ok" else str(reply["reason"])


# Signing in.


async def test_a_name_and_a_password_give_a_token_for_each_business(path: Path) -> None:
    async with bridge(path, businesses=str(EXAMPLES)) as desk:
        answer = await desk.post("  Maria   Ionescu ")
        said = answer.json()
        expires_at = datetime.fromisoformat(said["expiresAt"])
        async with socket(desk.address) as client:
            doors = {
                business["businessId"]: await joined(
                    client,
                    f"coordinators:{business['businessId']}",
                    {**board(business["token"]), "businessId": business["businessId"]},
                )
                for business in said["businesses"]
            }

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert said["name"] == MARIA
    assert [each["name"] for each in said["businesses"]] == ["Bistro Verde", "Harbour Dental"]
    assert timedelta(hours=11.9) < expires_at - datetime.now(UTC) <= timedelta(hours=12)
    assert doors == {"b1": "ok", "b2": "ok"}


@pytest.mark.parametrize(
    ("chosen", "ways"),
    [
        ({}, (False, False)),
        ({"service_token": SERVICE}, (False, True)),
        ({**JWT, "service_token": SERVICE}, (False, True)),
        ({"coordinators": "c.toml"}, (True, False)),
        ({"coordinators": "c.toml", **JWT, "service_token": SERVICE}, (True, True)),
    ],
)
async def test_a_page_is_told_how_coordinators_sign_in(
    chosen: dict[str, Any], ways: tuple[bool, bool]
) -> None:
    async with bridge(None, **chosen) as desk:
        said = (await desk.api.get("/sign-in")).json()

    assert (said["password"], said["token"]) == ways


async def test_a_wrong_password_and_an_unknown_name_are_refused_in_the_same_words(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with bridge(path) as desk:
        tried = [(MARIA, "wrong, but long enough"), ("hunter2", PASSWORD), (MARIA, ""), (".", "x"),
                 (MARIA, PASSWORD.upper()), ("maria ionescu", PASSWORD)]  # fmt: skip
        answers = [await desk.post(*each) for each in tried]

    assert {each.status_code for each in answers} == {401}
    assert len({each.text for each in answers}) == 1
    assert answers[0].json()["code"] == "unauthorized"
    logged = " ".join(str(vars(each)) for each in caplog.records)
    assert "sign_in_refused" in logged
    assert not any(each in logged for each in ("hunter2", PASSWORD, "wrong, but", "$argon2id"))


async def test_no_token_and_no_password_is_logged(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with bridge(path) as desk:
        tokens = await desk.tokens()
        await desk.api.post("/sign-in/renew", json={"tokens": [*tokens.values()]})
    logged = " ".join(str(vars(each)) for each in caplog.records)

    assert "coordinator_signed_in" in logged
    assert not any(each in logged for each in (PASSWORD, *tokens.values(), "$argon2id"))


async def test_an_unknown_name_takes_as_long_as_a_wrong_password(path: Path) -> None:
    async with bridge(path) as desk:
        loop = asyncio.get_running_loop()

        async def time_of(name: str) -> float:
            began = loop.time()
            await desk.post(name, "wrong, but long enough")
            return loop.time() - began

        pairs = [(await time_of("Nobody"), await time_of(MARIA)) for _ in range(6)]
    unknown, known = map(min, zip(*pairs, strict=True))

    assert 0.5 < unknown / known < 2


async def test_too_many_sign_ins_are_refused_with_the_time_to_wait(path: Path) -> None:
    async with bridge(path) as desk:
        answers = [await desk.post(STEFAN, "wrong, but long enough") for _ in range(11)]
        another = await desk.post()

    assert [each.status_code for each in answers] == [401] * 10 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 31
    assert another.status_code == 200


@pytest.mark.parametrize("route", ["/sign-in", "/sign-in/renew"])
async def test_a_foreign_page_can_neither_sign_in_nor_renew(path: Path, route: str) -> None:
    async with bridge(path, allowed_origins="https://desk.example") as desk:
        tokens = [*(await desk.tokens()).values()]
        body = {"/sign-in": {"name": MARIA, "password": PASSWORD}}.get(route, {"tokens": tokens})

        async def code(origin: str | None, kind: str = "application/json") -> int:
            headers = {"Content-Type": kind, **({"Origin": origin} if origin else {})}
            content = httpx.Request("POST", "http://x", json=body).content
            return (await desk.api.post(route, content=content, headers=headers)).status_code

        codes = [await code(origin) for origin in ("https://evil.example", "null")]
        forms = [await code(None, kind) for kind in ("text/plain", "multipart/form-data", "")]
        own = [await code(origin) for origin in ("https://desk.example", None)]
        preflight = await desk.api.options(route, headers={"Origin": "https://evil.example"})

    assert codes == [403, 403]
    assert forms == [415, 415, 415]
    assert own == [200, 200]
    assert "access-control-allow-origin" not in preflight.headers


@pytest.mark.parametrize(
    "body",
    [{}, {"name": 7, "password": PASSWORD}, {"name": MARIA}, {"name": "x" * 1_001, "password": ""},
     {"name": MARIA, "password": "x" * 1_025}, [], "x"],
)  # fmt: skip
async def test_a_malformed_sign_in_is_refused_and_quotes_nothing(path: Path, body: Any) -> None:
    async with bridge(path) as desk:
        answer = await desk.api.post("/sign-in", json=body)

    assert answer.status_code == 400
    assert PASSWORD not in answer.text


async def test_without_the_setting_there_is_no_sign_in() -> None:
    async with bridge(None) as desk:
        codes = {(await desk.post()).status_code}
        codes.add((await desk.api.post("/sign-in/renew", json={"tokens": ["x"]})).status_code)

    assert codes <= {404, 405}


async def test_a_hash_of_weaker_parameters_is_replaced_at_the_sign_in(path: Path) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=1_024, parallelism=1).hash(PASSWORD)
    allow(path, STEFAN, "b1", stored=weak)
    async with bridge(path) as desk, socket(desk.address) as client:
        given = (await desk.tokens(STEFAN))["b1"]
        join = await joined(client, BOARD, board(given, STEFAN))
        again = await desk.post(STEFAN)
    stored = read_coordinators(path).coordinators[STEFAN]

    assert join == "ok"
    assert again.status_code == 200
    assert stored.password != weak
    assert "m=65536" in stored.password
    assert set(read_coordinators(path).coordinators) == {MARIA, STEFAN}


# Renewing.


async def test_good_tokens_are_renewed_for_their_businesses_alone(path: Path) -> None:
    async with bridge(path) as desk, socket(desk.address) as client:
        tokens = await desk.tokens()
        answer = await desk.api.post("/sign-in/renew", json={"tokens": [tokens["b1"], "x"]})
        renewed = {each["businessId"]: each["token"] for each in answer.json()["businesses"]}
        join = await joined(client, BOARD, board(renewed["b1"]))
        refreshed = await client.call("refresh_token", {"token": renewed["b1"]}, BOARD)

    assert answer.status_code == 200
    assert list(renewed) == ["b1"]
    assert join == "ok"
    assert refreshed[0] == "ok"
    assert refreshed[1]["tokenExpiresAt"] is not None


def signed(path: Path, name: CoordinatorId, **times: datetime) -> str:
    """Return a token by the file's own secret."""
    known, now = read_coordinators(path), datetime.now(UTC)
    mark = known.credential(name, "b1") or ""
    chosen = {"at": now, "since": now, **times}
    return CoordinatorTokens(known.secret).sign(name, BusinessId("b1"), mark, **chosen)[0]


async def test_tokens_that_are_not_good_are_not_renewed(path: Path) -> None:
    week_ago = datetime.now(UTC) - timedelta(days=7, seconds=1)
    maria, stefan = signed(path, MARIA), signed(path, STEFAN)
    forged = jwt.encode(jwt.decode(maria, options={"verify_signature": False}), "x" * 32)
    bad = [["x"], [forged], [maria, stefan], [signed(path, MARIA, since=week_ago)],
           [signed(path, MARIA, at=week_ago)], [token(MARIA, role="coordinator")]]  # fmt: skip
    async with bridge(path) as desk:
        answers = [await desk.api.post("/sign-in/renew", json={"tokens": each}) for each in bad]
        good = await desk.api.post("/sign-in/renew", json={"tokens": [maria]})
        none = await desk.api.post("/sign-in/renew", json={"tokens": []})
        many = await desk.api.post("/sign-in/renew", json={"tokens": [maria] * 101})

    assert [each.status_code for each in answers] == [401] * len(bad)
    assert (good.status_code, none.status_code, many.status_code) == (200, 400, 400)


# Losing access.


async def until_refused(client: Socket) -> None:
    """Ask until it is refused."""
    async with asyncio.timeout(PATIENCE_S):
        while (await client.call("list", {}, BOARD))[0] == "ok":
            pass


async def until_told(client: Socket) -> None:
    """Wait for the push that the token is good no longer, and ask nothing."""
    while (await client.receive())[3] != "token_expired":
        pass


@pytest.mark.parametrize("change", ["removed", "without the business", "another password"])
async def test_who_loses_access_loses_the_running_socket_the_token_and_its_renewal(
    path: Path, change: str
) -> None:
    async with (
        bridge(path, rate_limits="off") as desk,
        socket(desk.address) as client,
        socket(desk.address) as other,
    ):
        mine, others = (await desk.tokens())["b1"], (await desk.tokens(STEFAN))["b1"]
        before = [await joined(client, BOARD, board(mine)),
                  await joined(other, BOARD, board(others, STEFAN))]  # fmt: skip
        match change:
            case "removed":
                forbid(path, MARIA)
            case "without the business":
                allow(path, MARIA, "b2")
            case _:
                allow(path, MARIA, "b1", "b2", password="another good password")
        await (until_told(client) if change == "removed" else until_refused(client))
        again = await joined(client, BOARD, board(mine))
        renewed = await desk.api.post("/sign-in/renew", json={"tokens": [mine]})
        stays = await other.call("list", {}, BOARD)

    assert before == ["ok", "ok"]
    assert again == "unauthorized"
    assert renewed.status_code == 401
    assert stays[0] == "ok"


# A file that is not good.


@pytest.mark.parametrize("chosen", [{}, {"service_token": SERVICE}])
@pytest.mark.parametrize("spoil", ["missing", "broken", "open to others"])
async def test_a_file_that_is_not_good_opens_no_door(
    path: Path, spoil: str, chosen: dict[str, Any]
) -> None:
    before = signed(path, MARIA)
    if spoil == "missing":
        path = path.with_name("nowhere.toml")
    elif spoil == "broken":
        path.write_text("secret")
    else:
        path.chmod(0o644)
    async with bridge(path, **chosen) as desk, socket(desk.address) as client:
        answer = await desk.post()
        doors = [await joined(client, BOARD, board(each)) for each in ("", "x", before)]
        ready, alive = await desk.api.get("/health/ready"), await desk.api.get("/health")

    assert answer.status_code == 503
    assert str(path) not in answer.text
    assert doors == ["unauthorized", "unauthorized", "identity_unavailable"]
    assert (ready.status_code, ready.json()["status"]) == (503, "down")
    assert alive.status_code == 200


async def test_a_good_file_is_ready(path: Path) -> None:
    async with bridge(path) as desk:
        ready = await desk.api.get("/health/ready")

    assert (ready.status_code, ready.json()) == (200, {"status": "ok"})


# Every door, in each combination.

BY_PASSWORD = "password"
"""Stands for a token of the file."""
GIVEN = {
    "nothing": "",
    "junk": "junk",
    "user": token("u1"),
    "signed": token(MARIA, role="coordinator"),
    "service": SERVICE,
    "password": BY_PASSWORD,
}
MAY: dict[str, tuple[str, str, str]] = {
    # auth service file: who may watch the board, write as the coordinator, write as the user.
    "none - -": (
        "nothing junk user signed service password",
        "nothing junk user signed service password",
        "nothing junk user signed service password",
    ),
    "none - file": (
        "password",
        "password",
        "nothing junk user signed service",
    ),
    "none service -": ("service", "service", "nothing junk user signed service password"),
    "none service file": (
        "service password",
        "service password",
        "nothing junk user signed service",
    ),
    "jwt service -": ("signed service", "signed service", "user service"),
    "jwt service file": (
        "signed service password",
        "signed service password",
        "user service",
    ),
}


@pytest.mark.parametrize("case", MAY)
async def test_each_token_opens_its_doors_and_no_other(case: str, path: Path) -> None:
    auth, service, file = case.split()
    chosen = {**(JWT if auth == "jwt" else {}), "rate_limits": "off"}
    if service != "-":
        chosen["service_token"] = SERVICE
    found: tuple[set[str], set[str], set[str]] = (set(), set(), set())
    async with bridge(path if file != "-" else None, **chosen) as desk:
        for who, given in GIVEN.items():
            given = signed(path, MARIA) if given is BY_PASSWORD else given
            async with socket(desk.address) as client:
                if await joined(client, BOARD, board(given)) == "ok":
                    found[0].add(who)
                if await joined(client, CHAT, {**identity(), "token": given}) != "ok":
                    continue
                said, typed = {"message": "Bună", "coordinatorId": MARIA}, {"author": "coordinator"}
                wrote = await client.call("agent_message", said, CHAT)
                if wrote[0] == "ok":
                    found[1].add(who)
                if (await client.call("user_message", said, CHAT))[0] == "ok":
                    found[2].add(who)
                is_user = who in found[2] and who not in found[1]
                is_program = is_user and auth == "none" and service == "-"
                if is_program:  # nobody's typing is taken for a coordinator's
                    assert (await client.call("typing", typed, CHAT))[0] == "error"

    assert found == tuple(set(each.split()) for each in MAY[case])


@pytest.mark.parametrize("chosen", [{}, JWT])
async def test_a_coordinators_token_is_nobody_at_the_server(
    path: Path, chosen: dict[str, Any]
) -> None:
    given = signed(path, MARIA)
    async with product(**{**JWT, "service_token": SERVICE, **chosen}) as server:
        headers = {"Authorization": f"Bearer {given}"}
        api = await server.api.get("/api/conversations", headers=headers)
        async with socket(server.address) as client:
            join = await joined(client, "messages:b1", {**identity(), "token": given})

    assert api.status_code == 401
    assert join == "unauthorized"


async def test_a_token_for_one_business_opens_no_other(path: Path) -> None:
    async with bridge(path) as desk, socket(desk.address) as client:
        tokens = await desk.tokens()
        board_of_b1 = await joined(client, BOARD, board(tokens["b2"]))
        chat_of_b1 = await joined(client, CHAT, {**identity(), "token": tokens["b2"]})
        as_another = await joined(client, BOARD, board(tokens["b1"], STEFAN))

    assert (board_of_b1, chat_of_b1, as_another) == ("unauthorized",) * 3


def test_dev_has_a_token_of_its_own_where_coordinators_have_passwords(path: Path) -> None:
    chosen = Settings(bridge="elixir", coordinators=str(path))
    made = {each.settings.service_token for each in dev_programs(chosen)}

    assert len(made) == 1
    assert "" not in made
