"""The abuse limits over real sockets: a client over one is refused, and no other is affected."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.support.tokens import JWT, token
from tests.support.user import Refused, User, user
from tests.support.wire import Product, product


async def refusal(doing: Any) -> dict[str, Any] | None:
    """Return the reply of a refusal; None: there was none."""
    try:
        await doing
    except Refused as refused:
        response: dict[str, Any] = refused.args[0]
        return response
    return None


async def met(server: Product, limit: str) -> float:
    return await server.metric(f'ai_agent_limits_met_total{{limit="{limit}"}}')


@asynccontextmanager
async def opened(server: Product, **headers: str) -> AsyncIterator[ClientConnection]:
    url = f"ws://{server.address}/socket/websocket?vsn=2.0.0"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with connect(url, compression=None, additional_headers=named) as connection:
        yield connection


async def status_of(server: Product, **headers: str) -> int:
    """Return the status of the upgrade; the socket is closed at once."""
    try:
        async with opened(server, **headers):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_a_user_over_the_limit_is_refused_before_anything_is_stored() -> None:
    async with (
        product(limit_messages_per_user=3) as server,
        user(server.address) as one,
        user(server.address) as same,
        user(server.address, "b1", "u2") as other,
    ):
        for each in (one, same, other):
            await each.join()
        for number in range(3):
            await one.say(f"Bună {number}!")
        responses = [await refusal(each.say("Încă una.")) for each in (one, same)]
        unharmed = await other.say("Bună!")
        said = [entry["message"] for entry in await server.log() if entry["author"] == "user"]
        counted = await met(server, "messages_per_user")

    assert [response["reason"] for response in responses if response] == ["rate_limited"] * 2
    assert all(0 < response["retryAfterMs"] <= 20_000 for response in responses if response)
    assert unharmed["seq"] == 1
    assert said == ["Bună 0!", "Bună 1!", "Bună 2!"]
    assert counted == 2


async def test_after_the_retry_time_a_refused_message_is_accepted() -> None:
    async with product(limit_messages_per_user=120) as server, user(server.address) as one:
        await one.join()
        while (response := await refusal(one.say("Bună!"))) is None:
            pass
        # As a client would: it waits for the time given.
        await asyncio.sleep(response["retryAfterMs"] / 1000)
        acknowledged = await one.say("Bună!")

    assert response["retryAfterMs"] <= 500
    assert acknowledged["seq"] > 0


async def test_requesting_and_ending_a_live_chat_counts_as_a_message() -> None:
    async with product(limit_messages_per_user=4) as server, user(server.address) as one:
        await one.join()
        for _ in range(2):
            await one.ask_for_human()
            await one.request("end_live_chat", {})
        responses = [
            await refusal(one.ask_for_human()),
            await refusal(one.request("end_live_chat", {})),
            await refusal(one.say("Bună!")),
        ]

    assert [response["reason"] for response in responses if response] == ["rate_limited"] * 3


async def test_answering_a_question_for_a_yes_counts_as_a_message() -> None:
    answer = {"confirmId": "s1-1", "answer": "yes"}
    async with product(limit_messages_per_user=2) as server, user(server.address) as one:
        await one.join()
        responses = [await refusal(one.request("confirm_action", answer)) for _ in range(3)]

    reasons = [response["reason"] for response in responses if response]
    assert reasons == ["unknown_confirmation", "unknown_confirmation", "rate_limited"]


@pytest.mark.parametrize("event", ["history", "typing", "refresh_token", "made up"])
async def test_a_flood_of_other_requests_is_refused_too(event: str) -> None:
    async with product(limit_messages_per_user=2) as server, user(server.address) as one:
        await one.join()
        outcomes = [await refusal(one.request(event, {})) for _ in range(21)]
        words = await refusal(one.say("Bună!"))
        counted = await met(server, "requests_per_user")

    assert outcomes[-1] is not None
    assert outcomes[-1]["reason"] == "rate_limited"
    assert "rate_limited" not in [outcome["reason"] for outcome in outcomes[:-1] if outcome]
    assert words is None
    assert counted == 1


async def test_a_business_at_its_limit_does_not_affect_others() -> None:
    async with (
        product(limit_messages_per_business=3) as server,
        AsyncExitStack() as stack,
    ):
        sockets = [
            await stack.enter_async_context(user(server.address, *who))
            for who in [("b1", "u1"), ("b1", "u2"), ("b2", "u1")]
        ]
        for each in sockets:
            await each.join()
        first, second, elsewhere = sockets
        outcomes = [await refusal(each.say("Bună!")) for each in (first, second, first, second)]
        other = await refusal(elsewhere.say("Hello!"))
        counted = await met(server, "messages_per_business")

    assert outcomes[:3] == [None] * 3
    assert outcomes[3] is not None
    assert outcomes[3]["reason"] == "rate_limited"
    assert other is None
    assert counted == 1


async def test_joins_over_the_limit_get_a_retry_time() -> None:
    async with (
        product(limit_joins_per_s=1) as server,
        user(server.address) as one,
        user(server.address, "b1", "u2") as other,
    ):
        first = await refusal(one.join())
        second = await refusal(other.join())
        counted = await met(server, "joins")

    assert first is None
    assert second is not None
    assert second["reason"] == "overloaded"
    assert 0 < second["retryAfterMs"] <= 1_000
    assert counted == 1


async def test_failing_joins_of_an_address_are_refused_unread_and_do_not_affect_others() -> None:
    forged = token("u1", exp=1)
    limited: dict[str, Any] = {
        "limit_sockets_per_address": 5,
        "limit_joins_per_s": 2,
        "trusted_proxies": "127.0.0.1",
    }
    async with product(**JWT, **limited) as server:
        async with opened(server, X_Forwarded_For="203.0.113.6") as connection:
            attacker = User(connection, "b1", "u1", vsn=2)
            outcomes = [await refusal(attacker.join(token=forged)) for _ in range(20)]
        async with opened(server, X_Forwarded_For="203.0.113.7") as connection:
            honest = await refusal(User(connection, "b1", "u1", vsn=2).join(token=token()))
        counted = await met(server, "joins_per_address")

    reasons = [outcome["reason"] for outcome in outcomes if outcome is not None]
    assert reasons[:5] == ["unauthorized"] * 5
    assert reasons.count("rate_limited") == counted >= 10
    assert honest is None


async def test_a_refused_join_may_be_tried_again() -> None:
    async with product(limit_sockets_per_address=1) as server, user(server.address) as one:
        first = await refusal(one.join())
        second = await refusal(one.join())

    assert first is None
    assert second is not None
    assert second["reason"] == "rate_limited"
    assert "phx_close" not in [event for event, _ in one.pushes[1:]]


async def test_sockets_over_the_limit_of_an_address_are_refused_before_the_upgrade() -> None:
    async with product(limit_sockets_per_address=2) as server:
        async with opened(server), opened(server):
            with pytest.raises(InvalidStatus) as refused:
                await opened(server).__aenter__()
            counted = await met(server, "sockets_per_address")
        await server.until("ai_agent_sockets_open", 0)
        again = await status_of(server)

    assert refused.value.response.status_code == 429
    assert int(refused.value.response.headers["Retry-After"]) > 0
    assert counted == 1
    assert again == 101


async def test_sockets_over_the_total_limit_are_refused_before_the_upgrade() -> None:
    async with product(limit_sockets=2) as server:
        async with opened(server), opened(server):
            full = await status_of(server)
            counted = await met(server, "sockets")
        await server.until("ai_agent_sockets_open", 0)
        again = await status_of(server)

    assert (full, again) == (503, 101)
    assert counted == 1


async def test_an_address_that_opens_sockets_over_and_over_is_refused() -> None:
    async with product(limit_sockets_per_address=3) as server:
        statuses = [await status_of(server) for _ in range(12)]
        counted = await met(server, "opened_per_address")

    assert statuses[:6] == [101] * 6
    assert statuses.count(429) == counted >= 4


async def test_a_refused_upgrade_leaves_no_error_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with product(limit_sockets=1) as server, opened(server):
        assert await status_of(server) == 503

    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_many_refusals_by_one_limit_are_one_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with product(limit_sockets=1) as server, opened(server):
        statuses = [await status_of(server) for _ in range(10)]
        counted = await met(server, "sockets")

    lines = [record for record in caplog.records if getattr(record, "action", "") == "limit_met"]
    assert statuses == [503] * 10
    assert counted == 10
    assert [vars(line)["limit"] for line in lines] == ["sockets"]


async def test_a_refused_upgrade_is_not_counted() -> None:
    async with product(limit_sockets=1) as server:
        url = f"ws://{server.address}/socket/websocket"
        for query in ("?vsn=9.9.9", "?vsn=x"):
            with pytest.raises(InvalidStatus):
                await connect(url + query).__aenter__()
        with pytest.raises(InvalidStatus):
            await connect(url, origin="https://evil.example").__aenter__()  # type: ignore[arg-type]
        after = await status_of(server)

    assert after == 101


async def test_requests_without_a_valid_token_are_limited_and_those_with_one_are_not() -> None:
    def bearer(given: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {given}"}

    async with product(service_token="s3rvice, another") as server:
        path = "/api/conversations"
        wrong = [await server.api.get(path, headers=bearer(f"guess {n}")) for n in range(63)]
        right = await server.api.get(path, headers=bearer("another"))
        counted = await met(server, "failures_per_address")

    statuses = [answer.status_code for answer in wrong]
    assert statuses[:60] == [401] * 60
    assert statuses[-1] == 429
    assert wrong[-1].json()["code"] == "rate_limited"
    assert int(wrong[-1].headers["Retry-After"]) > 0
    assert right.status_code == 200
    assert counted >= 1


@pytest.mark.parametrize(
    ("proxies", "headers", "status"),
    [
        ("", {"X_Forwarded_For": "203.0.113.9"}, 429),
        ("", {"Forwarded": "for=203.0.113.9"}, 429),
        ("", {"X_Real_IP": "203.0.113.9"}, 429),
        ("10.0.0.0/8", {"X_Forwarded_For": "203.0.113.9"}, 429),
        ("127.0.0.1", {"X_Forwarded_For": "203.0.113.9"}, 101),
        ("127.0.0.0/8, ::1", {"X_Forwarded_For": "203.0.113.9"}, 101),
        ("127.0.0.1", {"X_Forwarded_For": "198.51.100.1, 203.0.113.9"}, 101),
        ("127.0.0.1", {"X_Forwarded_For": "203.0.113.9, 127.0.0.1"}, 101),
        ("127.0.0.1", {"X_Forwarded_For": "203.0.113.9, banana"}, 429),
    ],
)
async def test_only_a_trusted_proxy_can_set_the_clients_address(
    proxies: str, headers: dict[str, str], status: int
) -> None:
    async with product(limit_sockets_per_address=1, trusted_proxies=proxies) as server:
        async with opened(server):
            assert await status_of(server, **headers) == status


async def test_clients_in_one_ipv6_network_share_its_limit() -> None:
    async with product(limit_sockets_per_address=1, trusted_proxies="127.0.0.1") as server:
        async with opened(server, X_Forwarded_For="2001:db8:1:2::1"):
            same = await status_of(server, X_Forwarded_For="2001:db8:1:2:ffff::9")
            other = await status_of(server, X_Forwarded_For="2001:db8:1:3::1")

    assert (same, other) == (429, 101)


async def test_with_rate_limits_off_nothing_is_refused() -> None:
    tight: dict[str, Any] = dict.fromkeys(
        ("limit_sockets", "limit_sockets_per_address", "limit_joins_per_s",
         "limit_messages_per_user", "limit_messages_per_business"),
        1,
    )  # fmt: skip
    async with (
        product(rate_limits="off", **tight) as server,
        user(server.address) as one,
        user(server.address) as other,
    ):
        for each in (one, other):
            await each.join()
            for _ in range(20):
                await each.say("Bună!")
                await each.request("typing", {})

        assert len(await server.log()) >= 40


def size_of(reply: dict[str, Any]) -> int:
    return len(json.dumps(reply, ensure_ascii=False).encode())


async def test_a_page_of_long_messages_ends_at_256_kib_and_says_that_there_is_more() -> None:
    long = "\U0001f600" * 5_000
    async with product(rate_limits="off") as server, user(server.address) as one:
        await one.join()
        session_id = (await one.say("Bună!"))["sessionId"]
        await server.change(session_id, "live", coordinatorId="maria")
        for _ in range(40):
            await one.say(long)
        last = (await one.say("Gata."))["seq"]

        pages = [await one.join(lastSeq=0), await one.join()]
        backwards: list[int] = []
        before = last + 1
        while before > 1:
            page = await one.request("history", {"beforeSeq": before, "limit": 50})
            backwards[:0] = [entry["seq"] for entry in page["messages"]]
            before = backwards[0]
            pages.append(page)
        forwards: list[int] = []
        more = True
        while more:
            after = forwards[-1] if forwards else 0
            page = await one.request("history", {"afterSeq": after, "limit": 50})
            forwards += [entry["seq"] for entry in page["messages"]]
            more = page["more"]
            pages.append(page)
        listed = (await server.api.get(f"/api/conversations/{session_id}/messages")).json()

    assert backwards == forwards == list(range(1, last + 1))
    assert max(map(size_of, [*pages, listed])) < 270_000
    assert [page["more"] for page in pages[:2]] == [True, True]
    assert pages[1]["messages"][-1]["seq"] == last
    assert listed["more"]
