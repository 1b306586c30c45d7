"""Visitors, whom nobody signs in: their identities, and the pages that may ask for one."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from adapters.jwt.visitors import VISITOR_FOR
from domain.identity import is_visitor
from tests.support.tokens import JWT, SECRET, claims, token
from tests.support.user import Refused, User, user
from tests.support.wire import Product, product

VISITORS: dict[str, Any] = {**JWT, "service_token": "t0p", "visitor_secret": "v" * 32}
SHOP, BISTRO, DENTAL = "https://shop.example", "https://bistro.example", "https://dental.example"


@pytest.fixture
def businesses(tmp_path: Path) -> str:
    """Return a folder of two businesses, each with a website of its own."""
    for name, origin in (("bistro", BISTRO), ("dental", DENTAL)):
        (tmp_path / name).mkdir()
        website = f'[website]\norigins = ["{origin}"]\n'
        (tmp_path / name / "business.toml").write_text(f'name = "{name.title()}"\n{website}')
    return str(tmp_path)


async def ask(
    server: Product, business_id: str = "bistro", origin: str | None = BISTRO, **more: Any
) -> httpx.Response:
    headers = {"Origin": origin} if origin is not None else {}
    headers |= more.pop("headers", {})
    return await server.api.post(f"/visitors/{business_id}", headers=headers, **more)


@asynccontextmanager
async def page(address: str, origin: str, business_id: str, user_id: str) -> AsyncIterator[User]:
    """Yield a socket that a page of this origin has opened."""
    url = f"ws://{address}/socket/websocket?vsn=2.0.0"
    async with connect(url, additional_headers={"Origin": origin}) as connection:
        yield User(connection, business_id, user_id, vsn=2)


# Identities.


async def test_a_visitor_is_named_afresh_and_chats_with_the_token(businesses: str) -> None:
    async with product(businesses=businesses, **VISITORS) as server:
        first, second = [(await ask(server)).json() for _ in range(2)]
        async with page(server.address, BISTRO, "bistro", first["userId"]) as visitor:
            joined = await visitor.join(token=first["token"])
            await visitor.say("Bună!")
            await visitor.wait_for("new_message")

    assert is_visitor(first["userId"])
    assert first["userId"] != second["userId"]
    assert joined["tokenExpiresAt"] > first["expiresAt"]  # by the leeway
    assert joined["business"] == {"name": "Bistro"}


async def test_a_token_that_is_sent_is_renewed_for_the_same_visitor(businesses: str) -> None:
    async with product(businesses=businesses, **VISITORS) as server:
        first = (await ask(server)).json()
        body = f'{{"token": "{first["token"]}"}}'
        again = await ask(server, content=body, headers={"Content-Type": "text/plain"})
        async with page(server.address, BISTRO, "bistro", first["userId"]) as visitor:
            await visitor.join(token=first["token"])
            refreshed = await visitor.request("refresh_token", {"token": again.json()["token"]})

    assert again.status_code == 200
    assert again.json()["userId"] == first["userId"]
    assert again.json()["expiresAt"] >= first["expiresAt"]
    assert refreshed["tokenExpiresAt"]


@pytest.mark.parametrize(
    "body",
    [
        lambda other: f'{{"token": "{other}"}}',  # another business's
        lambda other: f'{{"token": "{other}x"}}',
        lambda other: f'{{"token": "{token("u1", "bistro")}"}}',
        lambda other: '{"token": "dead"}',
    ],
)
async def test_a_token_that_is_dead_or_anothers_is_not_renewed(
    businesses: str, body: Callable[[str], str]
) -> None:
    async with product(businesses=businesses, **VISITORS) as server:
        other = (await ask(server, "dental", DENTAL)).json()["token"]
        refused = await ask(server, content=body(other))

    assert refused.status_code == 401
    assert refused.json()["code"] == "unauthorized"
    assert refused.headers["Access-Control-Allow-Origin"] == BISTRO


async def test_without_verified_identities_a_visitor_needs_no_token(businesses: str) -> None:
    async with product(businesses=businesses, visitor_secret="v" * 32) as server:
        named = (await ask(server)).json()

    assert is_visitor(named["userId"])
    assert (named["token"], named["expiresAt"]) == (None, None)


async def test_without_a_secret_there_are_no_visitors(businesses: str) -> None:
    async with product(businesses=businesses, **{**VISITORS, "visitor_secret": ""}) as server:
        refused = await ask(server)

    assert (refused.status_code, refused.json()["code"]) == (404, "visitors_off")


async def test_a_business_that_nobody_may_join_names_no_visitor(businesses: str) -> None:
    chosen = {**VISITORS, "businesses": businesses, "businesses_only": "1"}
    async with product(allowed_origins=SHOP, **chosen) as server:
        refused = await ask(server, "b1", SHOP)
        known = await ask(server, "bistro", SHOP)

    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_business")
    assert known.status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_payload"),
        (b"\xff", 400, "invalid_payload"),
        (b'{"token": 7}', 400, "invalid_payload"),
        (b"[" * 5_000, 400, "invalid_payload"),
        (b" " * 20_000, 413, "payload_too_large"),
    ],
)
async def test_a_body_is_bounded_and_checked(
    businesses: str, body: bytes, status: int, code: str
) -> None:
    async with product(businesses=businesses, **VISITORS) as server:
        refused = await ask(server, content=body)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.headers["Content-Type"] == "application/problem+json"


async def test_visitors_are_limited_by_address(businesses: str) -> None:
    chosen = {**VISITORS, "limit_visitors_per_address": 2}
    async with product(businesses=businesses, **chosen) as server:
        answers = [await ask(server) for _ in range(3)]

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "rate_limited"
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 30


# A visitor's token opens a visitor's conversation, and nothing else.


async def reason_of(address: str, user_id: str, given: str, business_id: str = "bistro") -> str:
    async with user(address, business_id, user_id) as socket:
        with pytest.raises(Refused) as refused:
            await socket.join(token=given)
    return str(refused.value.reason)


async def test_a_visitors_token_is_for_one_business_and_one_visitor(businesses: str) -> None:
    async with product(businesses=businesses, **VISITORS) as server:
        one, other = [(await ask(server)).json() for _ in range(2)]
        reasons = [
            await reason_of(server.address, one["userId"], other["token"]),
            await reason_of(server.address, one["userId"], one["token"], "dental"),
            await reason_of(server.address, "u1", one["token"]),
        ]
        api = await server.api.get(
            "/api/conversations", headers={"Authorization": f"Bearer {one['token']}"}
        )

    assert reasons == ["unauthorized"] * 3
    assert api.status_code == 401


async def test_a_business_cannot_sign_a_token_for_a_visitor(businesses: str) -> None:
    """Whoever can choose a name at the business would have that visitor's conversation."""
    async with product(businesses=businesses, **VISITORS) as server:
        named = (await ask(server)).json()["userId"]
        signed = jwt.encode(claims(named, "bistro"), SECRET, headers={"typ": "visitor+jwt"})
        reasons = [
            await reason_of(server.address, named, token(named, "bistro")),
            await reason_of(server.address, named, signed),
        ]

    assert reasons == ["unauthorized"] * 2


@pytest.mark.parametrize("secret", [SECRET, "v" * 32])
async def test_the_first_secret_signs_and_all_verify(businesses: str, secret: str) -> None:
    async with product(businesses=businesses, **{**VISITORS, "visitor_secret": secret}) as server:
        old = (await ask(server)).json()
    rotated = {**VISITORS, "visitor_secret": f"{'n' * 32}, {secret}"}
    async with product(businesses=businesses, **rotated) as server:
        renewed = (await ask(server, json={"token": old["token"]})).json()
    newest = {**VISITORS, "visitor_secret": "n" * 32}
    async with product(businesses=businesses, **newest) as server:
        async with user(server.address, "bistro", old["userId"]) as visitor:
            await visitor.join(token=renewed["token"])
        reason = await reason_of(server.address, old["userId"], old["token"])

    assert renewed["userId"] == old["userId"]
    assert reason == "unauthorized"


async def test_a_visitors_token_is_valid_for_thirty_days(businesses: str) -> None:
    async with product(businesses=businesses, **VISITORS) as server:
        given = (await ask(server)).json()["token"]

    found = jwt.decode(given, options={"verify_signature": False})
    assert found["exp"] - found["iat"] == VISITOR_FOR.total_seconds()


# Origins.


async def test_a_page_gets_a_visitor_for_the_business_whose_file_names_it(businesses: str) -> None:
    async with product(businesses=businesses, allowed_origins=SHOP, **VISITORS) as server:
        own = f"http://{server.address}"
        asking = [
            ("bistro", BISTRO), ("bistro", SHOP), ("bistro", own), ("bistro", None),
            ("bistro", DENTAL), ("b1", BISTRO), ("bistro", "null"),
            ("bistro", "https://evil.example"),
        ]  # fmt: skip
        answers = [await ask(server, name, origin) for name, origin in asking]

    assert [each.status_code for each in answers] == [200] * 4 + [403] * 4
    assert {each.json()["code"] for each in answers[4:]} == {"origin_not_allowed"}
    assert "website.origins" in answers[4].json()["detail"]


async def test_the_page_that_asks_can_read_the_answer_and_no_cache_keeps_it(
    businesses: str,
) -> None:
    async with product(businesses=businesses, **VISITORS) as server:
        answers = [await ask(server), await ask(server, origin="https://evil.example")]
        preflight = await server.api.options("/visitors/bistro", headers={"Origin": BISTRO})
        foreign = await server.api.options("/visitors/bistro", headers={"Origin": DENTAL})

    for answer in answers:
        origin = answer.request.headers["Origin"]
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert answer.headers["Vary"] == "Origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Methods"] == "POST"
    assert preflight.headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert preflight.headers["Access-Control-Allow-Origin"] == BISTRO
    assert foreign.status_code == 403
    assert "Access-Control-Allow-Origin" not in foreign.headers


async def refused_upgrade(address: str, origin: str) -> int:
    try:
        async with page(address, origin, "bistro", "u1"):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


async def test_a_socket_opens_for_every_business_and_joins_the_one_that_names_the_page(
    businesses: str,
) -> None:
    async with product(businesses=businesses) as server:
        polled = await server.api.get("/socket/longpoll", headers={"Origin": BISTRO})
        async with page(server.address, BISTRO, "bistro", "u1") as socket:
            await socket.join()
        async with page(server.address, BISTRO, "dental", "u1") as socket:
            with pytest.raises(Refused) as refused:
                await socket.join()
            await socket.wait_for("phx_close")  # no client tries this again
        upgrades = [
            await refused_upgrade(server.address, origin)
            for origin in (BISTRO, "https://evil.example", "http://bistro.example")
        ]

    assert polled.json()["status"] == 410
    assert refused.value.reason == "origin_not_allowed"
    assert upgrades == [101, 403, 403]


async def test_the_servers_own_pages_open_sockets_where_tokens_are_needed(businesses: str) -> None:
    """Without tokens, a foreign name that leads to this machine would pass for an own one."""
    secure = {**VISITORS, "allowed_origins": SHOP}
    async with product(businesses=businesses, **secure) as server:
        with_tokens = await refused_upgrade(server.address, f"http://{server.address}")
    async with product(businesses=businesses, allowed_origins=SHOP) as server:
        without = await refused_upgrade(server.address, f"http://{server.address}")

    assert (with_tokens, without) == (101, 403)


async def test_a_page_on_another_port_of_this_machine_needs_no_setting() -> None:
    async with product() as server:
        named = await ask(server, "b1", "http://localhost:5173")
        upgrade = await refused_upgrade(server.address, "http://localhost:5173")

    assert (named.status_code, upgrade) == (200, 101)


async def test_an_origin_that_a_file_no_longer_names_is_refused_at_the_next_join(
    businesses: str,
) -> None:
    async with product(businesses=businesses) as server:
        assert await refused_upgrade(server.address, BISTRO) == 101
        (Path(businesses) / "bistro" / "business.toml").write_text('name = "Bistro"')
        while (await ask(server)).status_code != 403:
            pass
        upgrade = await refused_upgrade(server.address, BISTRO)

    assert upgrade == 403


# The logo.

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.fixture
def with_logo(businesses: str) -> Path:
    folder = Path(businesses) / "bistro"
    (folder / "logo.png").write_bytes(PNG)
    (folder / "business.toml").write_text(
        'name = "Bistro"\n[website]\ncolour = "#0A7D55"\nlogo = "logo.png"\n'
    )
    return folder


async def test_a_join_shows_the_name_the_colour_and_where_the_logo_is(with_logo: Path) -> None:
    async with product(businesses=str(with_logo.parent)) as server:
        async with user(server.address, "bistro") as customer:
            joined = await customer.join()
        logo = await server.api.get(joined["business"]["logo"])
        head = await server.api.head("/logo/bistro")
        tag = logo.headers["ETag"]
        again = await server.api.get("/logo/bistro", headers={"If-None-Match": tag})
        none = await server.api.get("/logo/dental")

    assert joined["business"] == {"name": "Bistro", "colour": "#0a7d55", "logo": "/logo/bistro"}
    assert (logo.status_code, logo.content) == (200, PNG)
    assert logo.headers["Content-Type"] == "image/png"
    policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert logo.headers["Content-Security-Policy"] == policy
    assert logo.headers["X-Content-Type-Options"] == "nosniff"
    assert logo.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert logo.headers["Cache-Control"] == "no-cache"
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", tag)
    assert (again.status_code, again.content) == (304, b"")
    assert none.status_code == 404


async def test_a_logo_that_has_become_a_link_out_of_the_folder_is_not_served(
    with_logo: Path,
) -> None:
    async with product(businesses=str(with_logo.parent)) as server:
        (with_logo / "logo.png").unlink()
        (with_logo / "logo.png").symlink_to("/proc/self/environ")
        answer = await server.api.get("/logo/bistro")

    assert answer.status_code == 404


# A visitor signs in.


async def test_a_visitor_signs_in_on_the_users_channel_which_has_proven_both(
    businesses: str,
) -> None:
    async with product(businesses=businesses, **VISITORS) as server:
        server.api.headers["Authorization"] = "Bearer t0p"
        named = (await ask(server)).json()
        async with (
            page(server.address, BISTRO, "bistro", named["userId"]) as visitor,
            page(server.address, BISTRO, "bistro", "ana") as ana,
        ):
            await visitor.join(token=named["token"])
            await visitor.say("Aveți mese libere?")
            await visitor.wait_for("new_message", author="ai")
            await ana.join(token=token("ana", "bistro"))

            signed_in = await ana.request("sign_in", {"visitorToken": named["token"]})
            ended = await visitor.wait_for("conversation_status")
            again = await ana.request("sign_in", {"visitorToken": named["token"]})
            acknowledged = await ana.say("Atunci una pentru doi")
        (log,) = [await server.log("bistro", "ana")]
        visit = await server.log("bistro", named["userId"])

    assert (ended["status"], ended["reason"]) == ("closed", "signed_in")
    assert signed_in == again == {"sessionId": acknowledged["sessionId"]}
    assert log[0]["audience"] == "model"
    assert "Aveți mese libere?" in log[0]["message"]
    assert [each["actions"] for each in visit if each.get("audience") == "coordinator"] == [
        [{"type": "signed_in", "userId": "ana"}]
    ]


async def test_who_has_not_proven_both_cannot_sign_in(businesses: str) -> None:
    async with product(businesses=businesses, **VISITORS) as server:
        named, other = (await ask(server)).json(), (await ask(server, "dental", DENTAL)).json()
        reasons = []
        async with user(server.address, "bistro", "ana") as ana:
            await ana.join(token=token("ana", "bistro"))
            for given in (other["token"], token("dan", "bistro"), "x", ""):
                with pytest.raises(Refused) as refused:
                    await ana.request("sign_in", {"visitorToken": given})
                reasons.append(refused.value.reason)
            with pytest.raises(Refused) as malformed:
                await ana.request("sign_in", {})
        async with user(server.address, "bistro", named["userId"]) as visitor:
            await visitor.join(token=named["token"])
            with pytest.raises(Refused) as own:
                await visitor.request("sign_in", {"visitorToken": named["token"]})

    assert reasons == ["unauthorized"] * 4
    assert (malformed.value.reason, own.value.reason) == ("invalid_payload", "unauthorized")


async def test_nobody_signs_in_while_the_visitor_waits_for_a_human(businesses: str) -> None:
    async with product(businesses=businesses, **VISITORS) as server:
        named = (await ask(server)).json()
        async with (
            user(server.address, "bistro", named["userId"]) as visitor,
            user(server.address, "bistro", "ana") as ana,
        ):
            await visitor.join(token=named["token"])
            await visitor.ask_for_human()
            await ana.join(token=token("ana", "bistro"))
            with pytest.raises(Refused) as refused:
                await ana.request("sign_in", {"visitorToken": named["token"]})

    assert refused.value.reason == "visitor_busy"


async def test_without_tokens_nobody_can_prove_to_have_been_a_visitor() -> None:
    async with product() as server, user(server.address, "b1", "ana") as ana:
        await ana.join()
        with pytest.raises(Refused) as refused:
            await ana.request("sign_in", {"visitorToken": "x"})

    assert refused.value.reason == "visitors_off"


@pytest.mark.parametrize("store", ["sqlite"])
async def test_a_session_that_begins_with_what_only_the_ai_sees_is_stored_and_listed(
    businesses: str, tmp_path_factory: pytest.TempPathFactory, store: str
) -> None:
    path = str(tmp_path_factory.mktemp("store") / "c.sqlite3")
    chosen = {**VISITORS, "store": store, "sqlite_path": path}
    async with product(businesses=businesses, **chosen) as server:
        server.api.headers["Authorization"] = "Bearer t0p"
        named = (await ask(server)).json()
        async with user(server.address, "bistro", named["userId"]) as visitor:
            await visitor.join(token=named["token"])
            await visitor.say("Bună!")
            await visitor.wait_for("new_message", author="ai")
            async with user(server.address, "bistro", "ana") as ana:
                await ana.join(token=token("ana", "bistro"))
                await ana.request("sign_in", {"visitorToken": named["token"]})
    async with product(businesses=businesses, **chosen) as server:
        server.api.headers["Authorization"] = "Bearer t0p"
        async with user(server.address, "bistro", "ana") as ana:
            joined = await ana.join(token=token("ana", "bistro"))
            await ana.say("Bună din nou!")
            answered = await ana.wait_for("new_message", author="ai")
        listed = (await server.api.get("/api/conversations")).json()["conversations"]

    assert (joined["seq"], joined["messages"], joined["status"]) == (0, [], "ai")
    assert answered["sessionId"] == joined["sessionId"]
    assert {each["status"] for each in listed} == {"ai", "closed"}
