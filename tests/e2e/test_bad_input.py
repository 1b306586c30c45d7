"""Malformed and excessive input: it gets a clear error, disturbs nobody, at a bounded cost."""

import asyncio
import itertools
import json
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
import uvloop
from dependency_injector import providers
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from adapters.memory.broker import NoBroker
from application.hub import Hub
from application.ports import Listener
from domain.identity import Customer
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.integration.phoenix.client import RawClient, connected, masked
from tests.support.faults import FaultyStore
from tests.support.user import PATIENCE_S, User, user
from tests.support.wire import Payload, Product, Socket, identity, message, product, socket

REFUSALS = 'ai_agent_refusals_total{{reason="{}"}}'.format


in_module = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Product]:
    async with product(rate_limits="off") as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def server(running: Product) -> AsyncIterator[Product]:
    """A server that all tests share, and of which each leaves nothing behind."""
    yield running
    for business_id, user_id in itertools.product(("b1", "b2"), ("u1", "u2")):
        await running.api.delete(f"/api/users/{business_id}/{user_id}")


# Requests of a user who has joined.

ODD: list[Any] = [None, [], "x", 5]
BAD_IDENTIFIERS: list[Any] = [
    *("", " ", "a" * 129, "a b", "a\n", "ană", "a\0", "a/b", "😀", "'", "a\u200b"),
    *(1, None, True, [], {}, 1.5),
]
REFUSED: list[tuple[str, Any, str]] = [
    *[("new_message", payload, "invalid_payload") for payload in [*ODD, True, {}]],
    *[("new_message", {**message("x"), "locationId": bad}, "invalid_payload")
      for bad in BAD_IDENTIFIERS],
    *[("new_message", message("x", messageId=bad), "invalid_payload")
      for bad in BAD_IDENTIFIERS if bad is not None],
    *[("new_message", message(bad), "invalid_payload")
      for bad in ["", " ", "\n\t \u00a0\u2003", " " * 9_000, *ODD[:2], 1, {}, ["x"], False]],
    *[("new_message", {k: v for k, v in message("x").items() if k != missing}, "invalid_payload")
      for missing in message("x")],
    ("new_message", message("x" * 8_001), "message_too_long"),
    ("new_message", message("ă" * 8_001), "message_too_long"),
    ("new_message", message(" x" + "x" * 8_000 + " "), "message_too_long"),
    ("new_message", message("x", user_id="u2"), "identity_mismatch"),
    ("new_message", message("x", business_id="b2"), "identity_mismatch"),
    ("new_message", message("x", user_id="U1"), "identity_mismatch"),
    ("new_message", message("x", user_id=""), "identity_mismatch"),
    ("transfer_to_live_chat", {}, "invalid_payload"),
    ("transfer_to_live_chat", message(" "), "invalid_payload"),
    ("transfer_to_live_chat", message("x" * 8_001), "message_too_long"),
    ("transfer_to_live_chat", message("x", user_id="u2"), "identity_mismatch"),
    ("transfer_to_live_chat", message("x", business_id="b2"), "identity_mismatch"),
    ("end_live_chat", {}, "not_in_live_chat"),
    ("end_live_chat", None, "not_in_live_chat"),
    *[("history", {"limit": bad}, "invalid_payload")
      for bad in [0, -1, 51, 10**30, True, 5.0, *ODD[:3]]],
    *[("history", {key: bad}, "invalid_payload") for key in ("afterSeq", "beforeSeq")
      for bad in [-1, -(10**30), 2**63, 10**30, True, 1.5, *ODD[1:3]]],
    *[("history", bad, "invalid_payload") for bad in ODD],
    *[(event, {}, "unknown event") for event in ("shout", "", "phx_reply", "user_message", "\0")],
]  # fmt: skip


@pytest.mark.parametrize(("event", "payload", "reason"), REFUSED)
@in_module
async def test_a_bad_request_is_refused_counted_and_disturbs_nobody(
    server: Product, event: str, payload: Any, reason: str
) -> None:
    async with socket(server.address) as one, user(server.address, "b1", "u2") as other:
        await one.join("b1")
        await one.join("b2")
        await other.join()
        await one.call("new_message", message("Bună!", messageId="m1"))

        counted = await server.metric(REFUSALS(reason))
        status, response = await one.call(event, payload)
        counted = await server.metric(REFUSALS(reason)) - counted
        after = await one.call("new_message", message("Mulțumesc!", messageId="m2"))
        elsewhere = await one.call("new_message", message("Hi!", "b2"), "messages:b2")
        others = await other.say("Bună!")
        log = await server.log()

    assert (status, response["reason"]) == ("error", reason)
    assert counted == 1
    assert (after[0], elsewhere[0], others["seq"]) == ("ok", "ok", 1)
    assert [e["messageId"] for e in log if e.get("author") == "user"] == ["m1", "m2"]


@in_module
async def test_a_refusal_says_what_is_wrong(server: Product) -> None:
    async with socket(server.address) as one:
        await one.join()
        wrong = message("x", messageId=["m1"]), message("x", messageId="a b"), message("   ")
        details = [(await one.call("new_message", payload))[1]["detail"] for payload in wrong]

    assert details == [
        "Expected `str | null`, got `array` - at `$.messageId`",
        "messageId must be 1-128 characters of [A-Za-z0-9._:@-], but not . or ..",
        "message must not be empty",
    ]


# What is unusual, but right.


@pytest.mark.parametrize(
    "text",
    [
        "x" * 8_000,
        "😀" * 8_000,
        "𝔘" * 8_000,
        " " + "ă" * 8_000 + "\n",
        "<b>&amp;",
        "a\u202eb",
    ],
    ids=["ascii", "emoji", "astral", "trimmed", "markup", "right to left"],
)
@in_module
async def test_a_message_is_counted_in_characters_and_kept_as_it_is(
    server: Product, text: str
) -> None:
    async with socket(server.address) as one:
        await one.join()
        payload = message(text, messageId="m1")
        frame = ["messages:b1", "r", "messages:b1", "new_message", payload]
        await one.send(json.dumps(frame, ensure_ascii=False))  # 8,000 emoji are 32 kB as UTF-8
        reply = await one.receive()
        log = await server.log()

    assert reply[4]["status"] == "ok"
    assert log[0]["message"] == text.strip()


@in_module
async def test_unknown_keys_are_ignored(server: Product) -> None:
    async with socket(server.address) as one:
        await one.join()
        nested = {"": [None], "userID": "u2", "__proto__": {"userId": "u2"}}
        status, _ = await one.call("new_message", {**nested, **message("Bună!")})

    assert status == "ok"


@pytest.mark.parametrize(
    ("users", "outcome"), [(("u2", "u1"), "ok"), (("u1", "u2"), "error")], ids=["last", "first"]
)
@in_module
async def test_of_a_key_given_twice_the_last_one_counts(
    server: Product, users: tuple[str, str], outcome: str
) -> None:
    first, last = users
    payload = (
        f'{{"userId":"{first}","businessId":"b1","locationId":"l1","message":"x",'
        f'"userId":"{last}"}}'
    )
    async with socket(server.address) as one:
        await one.join()
        await one.send(f'["messages:b1","r","messages:b1","new_message",{payload}]')
        reply = await one.receive()

    assert reply[4]["status"] == outcome


@pytest.mark.parametrize("ref", ["", "ă", 5, -1, 1.5, True, False, {"a": [1]}, [], [None], 2**63])
@in_module
async def test_a_ref_of_any_json_type_is_echoed(server: Product, ref: Any) -> None:
    async with socket(server.address) as one:
        await one.join()
        await one.send(["messages:b1", ref, "messages:b1", "typing", {}])
        reply = await one.receive()

    assert json.dumps(reply[1]) == json.dumps(ref)
    assert reply[4] == {"status": "ok", "response": {}}


@in_module
async def test_a_null_ref_gets_no_reply_and_the_work_is_done(server: Product) -> None:
    async with socket(server.address) as one:
        await one.join()
        payload = message("Bună!", messageId="m1")
        await one.send(["messages:b1", None, "messages:b1", "new_message", payload])
        push = await one.receive()

    assert (push[3], push[4]["inReplyTo"]) == ("new_message", ["m1"])


# Joins.

BAD_JOINS: list[tuple[str, Any, str]] = [
    *[("messages:b1", payload, "invalid_payload") for payload in [*ODD, {}]],
    *[("messages:b1", {**identity(), "userId": bad}, "invalid_payload") for bad in BAD_IDENTIFIERS],
    *[("messages:b1", {**identity(), "businessId": bad}, "invalid_payload")
      for bad in BAD_IDENTIFIERS],
    *[("messages:b1", {**identity(), key: bad}, "invalid_payload")
      for key in ("locationId", "sessionId") for bad in BAD_IDENTIFIERS if bad is not None],
    *[("messages:b1", {**identity(), "lastSeq": bad}, "invalid_payload")
      for bad in [-1, -(10**30), 1.0, True, *ODD[1:3]]],
    *[("messages:b1", {**identity(), "stream": bad}, "invalid_payload")
      for bad in [1, *ODD[:3]]],
    ("messages:b1", identity("b2"), "business_mismatch"),
    ("messages:b1", identity("B1"), "business_mismatch"),
    ("messages:b1 ", identity(), "business_mismatch"),
    ("messages:b1:u2", identity(), "business_mismatch"),
    ("messages:", identity(), "business_mismatch"),
]  # fmt: skip


@pytest.mark.parametrize(("topic", "payload", "reason"), BAD_JOINS)
@in_module
async def test_a_bad_join_is_refused_counted_and_disturbs_nobody(
    server: Product, topic: str, payload: Any, reason: str
) -> None:
    async with socket(server.address) as one:
        await one.join("b2")

        counted = await server.metric(REFUSALS(reason))
        status, response = await one.call("phx_join", payload, topic)
        counted = await server.metric(REFUSALS(reason)) - counted
        outside = await one.call("new_message", message("x"), topic)
        elsewhere = await one.call("new_message", message("Hi!", "b2"), "messages:b2")
        await one.join("b1")

    assert (status, response["reason"]) == ("error", reason)
    assert counted == 1
    assert outside == ("error", {"reason": "unmatched topic"})
    assert elsewhere[0] == "ok"


@pytest.mark.parametrize("last_seq", [3, 2**63, 10**30])
@in_module
async def test_a_place_beyond_the_end_brings_everything(server: Product, last_seq: int) -> None:
    async with user(server.address) as one:
        await one.join()
        await one.say("Bună!")
        await one.wait_for("new_message")
        joined = await one.join(lastSeq=last_seq)

    assert [entry["seq"] for entry in joined["messages"]] == [1, 2]


@pytest.mark.parametrize("topic", ["messages", "chat:b1:u1", "", "*", "phoenix", "message:b1"])
@in_module
async def test_there_are_no_other_topics(server: Product, topic: str) -> None:
    async with socket(server.address) as one:
        joining = await one.call("phx_join", identity(), topic)
        saying = await one.call("new_message", message("x"), topic)

    assert joining == saying == ("error", {"reason": "unmatched topic"})


@in_module
async def test_a_refused_second_join_ends_the_first(server: Product) -> None:
    async with socket(server.address) as one:
        await one.join()
        refused = await one.call("phx_join", identity("b2"))
        outside = await one.call("new_message", message("x"))

    assert refused[1]["reason"] == "business_mismatch"
    assert outside == ("error", {"reason": "unmatched topic"})


# Frames that are none.

SAID = json.dumps(message("x"))
NO_FRAMES: list[tuple[str | bytes, int]] = [
    *[(text, 1011) for text in ("", "{", "null", "5", '"x"', "[]", "{}", "[1,2,3,4]", "\0")],
    ('["1","2","messages:b1","new_message"]', 1011),
    ('["1","2","messages:b1","new_message",NaN]', 1011),
    ('["1","2","messages:b1","new_message",1e400]', 1011),
    ("['1','2','messages:b1','new_message',{}]", 1011),
    (f'["1","2","messages:b1","new_message",{SAID}] x', 1011),
    ('["1","2","messages:b1","typing",' + "[" * 30_000 + "]" * 30_000 + "]", 1011),
    ('["1","2","messages:b1","typing",' + '{"a":' * 10_000 + "1" + "}" * 10_000 + "]", 1011),
    (b'["1","2","messages:b1","typing",{}]', 1011),
    (b"\x00\xff" * 100, 1011),
    ("x" * 65_537, 1009),
]


@pytest.mark.parametrize(
    ("frame", "code"), NO_FRAMES, ids=[repr(frame[:40]) for frame, _ in NO_FRAMES]
)
@in_module
async def test_a_frame_that_is_none_closes_its_socket_alone(
    server: Product, caplog: pytest.LogCaptureFixture, frame: str | bytes, code: int
) -> None:
    async with (
        socket(server.address) as one,
        user(server.address) as same,
        user(server.address, "b1", "u2") as other,
    ):
        await one.join()
        await same.join()
        await other.join()
        await one.call("new_message", message("Bună!"))
        await one.send(frame)
        closed = await one.close_code()
        await same.wait_for("new_message")
        others = await other.say("Bună!")
        log = await server.log()

    assert closed == code
    assert others["seq"] == 1
    assert [entry["author"] for entry in log] == ["user", "ai"]
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


@in_module
async def test_a_frame_of_ten_megabytes_is_not_taken(server: Product) -> None:
    async with connected(server.address) as one, user(server.address, "b1", "u2") as other:
        await other.join()
        await one.upgrade()
        sending = asyncio.create_task(one.write(masked(b"x" * 10_000_000)))
        end = await one.read_to_end()
        await asyncio.gather(sending, return_exceptions=True)
        said = await other.say("Bună!")

    assert (end[0], int.from_bytes(end[2:4], "big")) == (0x88, 1009)
    assert said["seq"] == 1


@in_module
async def test_a_join_ref_that_is_hard_to_compare_is_merely_stale(
    server: Product, caplog: pytest.LogCaptureFixture
) -> None:
    async with socket(server.address) as one:
        await one.send([[1], "1", "messages:b1", "phx_join", identity()])
        await one.receive()
        for join_ref in ([10**40], [-(2**64)], [1.0], ["1"], {"a": 1}):
            await one.send([join_ref, "2", "messages:b1", "typing", {}])
        await one.send([[1], "3", "messages:b1", "typing", {}])
        reply = await one.receive()

    assert reply[1] == "3"
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


class CountingHub(Hub):
    """A fan-out that counts its subscribers."""

    def __init__(self) -> None:
        super().__init__(NoBroker())
        self.listening = 0

    def subscribe(self, customer: Customer, listener: Listener) -> None:
        super().subscribe(customer, listener)
        self.listening += 1

    def unsubscribe(self, customer: Customer, listener: Listener) -> None:
        super().unsubscribe(customer, listener)
        self.listening -= 1


async def test_a_join_whose_reply_cannot_be_written_leaves_nothing_behind() -> None:
    hub, container = CountingHub(), Container(settings=Settings(store="memory"))
    container.hub.override(providers.Object(hub))
    async with product(container=container) as server:
        for depth in range(850, 1000):  # some can just be read, and no longer be written
            ref = "[" * depth + "]" * depth
            async with socket(server.address) as one:
                await one.send(f'[{ref},"1","messages:b1","phx_join",{json.dumps(identity())}]')
                await one.send("{")
                await one.close_code()
        await server.until("ai_agent_sockets_open", 0)

    assert hub.listening == 0


# Anything at all.

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
_EVENTS = st.sampled_from(
    ["phx_join", "phx_leave", "new_message", "transfer_to_live_chat", "end_live_chat",
     "history", "typing", "heartbeat", "phx_close"]
)  # fmt: skip
_VALID: Payload = {
    **message("Bună!", user_id="mallory", messageId="m1"),
    **{"lastSeq": 0, "limit": 5, "stream": True, "afterSeq": 0},
}
_NEAR: st.SearchStrategy[Any] = st.sampled_from(
    ["mallory", "bystander", "b1", "b2", "", "m1", 0, -1, 1, 50, 51, 2**63, -(2**63), 10**30, 0.5,
     None, True, "x" * 8_001, "a b", {}, []]
)  # fmt: skip


@st.composite
def payloads(draw: st.DrawFn) -> Payload:
    """Draw payloads that are valid but for up to two keys."""
    payload = dict(_VALID)
    for key in draw(st.lists(st.sampled_from(sorted(_VALID)), max_size=2)):
        if draw(st.booleans()):
            payload[key] = draw(_NEAR)
        else:
            payload.pop(key, None)
    return payload


_REQUESTS = st.tuples(st.just("1"), st.just("2"), st.just("messages:b1"), _EVENTS, payloads()).map(
    json.dumps
)
# An event that is no string is left out: it crashes its channel, as it does in Phoenix.
_FRAMES = st.tuples(
    st.just("1") | _JSON,
    st.just("2") | _JSON,
    st.sampled_from(["messages:b1", "messages:b2", "phoenix"]) | st.text(max_size=10),
    _EVENTS | st.text(max_size=10),
    payloads() | _JSON,
).map(json.dumps)
_TEXTS = _REQUESTS | _FRAMES | _JSON.map(json.dumps) | st.text(max_size=50)
_BYTES = st.binary(max_size=100)
_JOIN = json.dumps(["1", "1", "messages:b1", "phx_join", identity("b1", "mallory")])


def _frames(texts: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    return texts.map(str.encode).map(masked)


# The first closes no socket, so that all of it is read.
_ATTACKS = st.lists(_frames(_REQUESTS | st.just(_JOIN)), max_size=10) | st.lists(
    _frames(_TEXTS) | _BYTES | _BYTES.map(masked), max_size=10
)


async def _attack(server: Product, attack: list[bytes], bystander: User) -> tuple[str, list[str]]:
    """Send it all as mallory; return the bystander's message, and the ids that its answer names."""
    async with connected(server.address) as mallory:
        await mallory.upgrade()
        for frame in (masked(_JOIN.encode()), *attack):
            await mallory.write(frame)
        said = await bystander.say("Bună!")
        answer = await bystander.wait_for("new_message")
    return said["messageId"], answer["inReplyTo"]


async def _logs(server: Product) -> dict[str, list[int]]:
    """The seqs of every session that is stored."""
    logs = {}
    for each in (await server.api.get("/api/conversations")).json()["conversations"]:
        seqs: list[int] = []
        path = f"/api/conversations/{each['sessionId']}/messages"
        while (page := (await server.api.get(path, params={"after": len(seqs)})).json())[
            "messages"
        ]:
            seqs += [entry["seq"] for entry in page["messages"]]
        logs[each["userId"]] = seqs
    return logs


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_whatever_one_client_sends_another_chats_on(
    store: str, caplog: pytest.LogCaptureFixture, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = str(tmp_path_factory.mktemp("attacked") / "store.sqlite3")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = AsyncExitStack()
        server = runner.run(
            stack.enter_async_context(
                product(store=store, sqlite_path=path, log_level="debug", rate_limits="off")
            )
        )
        bystander = runner.run(stack.enter_async_context(user(server.address, "b1", "bystander")))
        runner.run(bystander.join())

        @given(_ATTACKS)
        @effort(max_examples=150)
        def attack(frames: list[bytes]) -> None:
            said, answered = runner.run(_attack(server, frames, bystander))

            assert answered == [said]

        try:
            attack()
            logs = runner.run(_logs(server))
        finally:
            runner.run(stack.aclose())

    assert {"bystander"} <= logs.keys() <= {"bystander", "mallory"}
    for seqs in logs.values():
        assert seqs == list(range(1, len(seqs) + 1))
    assert [
        record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR
    ] == []
    assert bystander.pushes == []


# Floods.


async def _acknowledgements(one: Socket, count: int) -> list[tuple[Any, int]]:
    """Return ref and seq of so many replies, in the order of arrival."""
    replies: list[tuple[Any, int]] = []
    while len(replies) < count:
        _, ref, _, event, payload = await one.receive()
        if event == "phx_reply":
            assert payload["status"] == "ok"
            replies.append((ref, payload["response"]["seq"]))
    return replies


@in_module
async def test_two_thousand_messages_at_once_are_acknowledged_in_order(server: Product) -> None:
    async with socket(server.address) as one, user(server.address, "b1", "u2") as other:
        await one.join()
        await other.join()

        async def flood() -> None:
            for number in range(2_000):
                payload = message(f"message {number}", messageId=f"m{number}")
                await one.send(["messages:b1", number, "messages:b1", "new_message", payload])

        flooding = asyncio.create_task(flood())
        acknowledging = asyncio.create_task(_acknowledgements(one, 2_000))
        meanwhile = [await other.say(f"Bună {number}!") for number in range(20)]
        replies = await acknowledging
        await flooding
        log = await server.log()

    assert [ref for ref, _ in replies] == list(range(2_000))
    assert [entry["seq"] for entry in log] == list(range(1, len(log) + 1))
    stored = [(entry["messageId"], entry["seq"]) for entry in log if entry["author"] == "user"]
    assert stored == [(f"m{ref}", seq) for ref, seq in replies]
    assert len({said["seq"] for said in meanwhile}) == 20


async def test_a_flood_that_the_store_cannot_take_is_left_with_its_sender() -> None:
    store, size = FaultyStore(), 8_000
    container = Container(settings=Settings(store="memory"))
    container.store.override(providers.Object(store))
    async with (
        product(container=container) as server,
        connected(server.address) as one,
        user(server.address, "b1", "u2") as other,
    ):
        await other.join()
        await one.upgrade()
        await one.send("1", "1", "messages:b1", "phx_join", identity())
        await one.read()
        stuck = store.hold("append")
        frame = masked(
            json.dumps(["1", None, "messages:b1", "new_message", message("x" * size)]).encode()
        )
        flooding = asyncio.create_task(one.write(frame * 2_000))
        await stuck.reached.wait()
        others = [await other.say(f"Bună {number}!") for number in range(20)]
        still_flooding = not flooding.done()
        stuck.release()
        await flooding

    assert still_flooding  # 16 MB, most of which the server has not read
    assert len(others) == 20


async def _fill(server: Product) -> None:
    """Store 50 entries of 8,000 characters for the user, with the AI silent."""
    async with user(server.address) as one:
        await one.join()
        session_id = (await one.say("Bună!"))["sessionId"]
        await server.change(session_id, "live", coordinatorId="maria")
        for _ in range(50):
            await one.say("x" * 8_000)


async def _is_reset(client: RawClient) -> bool:
    """Return True if the server closes a connection whose client reads nothing."""
    try:
        while True:
            await client.send("1", "2", "messages:b1", "history", {})
    except ConnectionError:
        return True


async def test_a_client_that_never_reads_is_closed_with_1013_and_others_go_on() -> None:
    async with (
        product(limits={"close_timeout_s": 0.2}) as server,
        connected(server.address) as deaf,
        user(server.address, "b1", "u2") as other,
    ):
        await other.join()
        await _fill(server)
        await deaf.upgrade()
        await deaf.send("1", "1", "messages:b1", "phx_join", identity())

        async with asyncio.timeout(PATIENCE_S):
            reset = await _is_reset(deaf)
        await server.until('ai_agent_sockets_closed_total{code="1013"}', 1)
        said = await other.say("Bună!")
        slow = await server.metric("ai_agent_slow_consumers_total")

    assert reset
    assert slow == 1
    assert said["seq"] == 1


async def test_connections_that_break_without_a_close_are_cleaned_up() -> None:
    async with product() as server, user(server.address) as other:
        await other.join()
        for _ in range(20):
            async with connected(server.address) as broken:
                await broken.upgrade()
                await broken.send("1", "1", "messages:b1", "phx_join", identity())
        await server.until("ai_agent_sockets_open", 1)
        said = await other.say("Bună!")
        await other.wait_for("new_message")

    assert said["seq"] == 1


async def test_connections_that_fall_silent_are_cleaned_up() -> None:
    async with (
        product(limits={"idle_timeout_s": 0.2, "close_timeout_s": 0.2}) as server,
        connected(server.address) as silent,
    ):
        await silent.upgrade()
        await silent.send("1", "1", "messages:b1", "phx_join", identity())
        await server.until('ai_agent_sockets_closed_total{code="1002"}', 1)

        assert await server.metric("ai_agent_sockets_open") == 0


async def test_two_hundred_sockets_of_one_user_all_hear_everything() -> None:
    async with product() as server:
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(user(server.address)) for _ in range(200)]
            for each in sockets:
                await each.join()
            said = await sockets[0].say("Bună!", messageId="m1")
            copies = [await each.wait_for("user_message") for each in sockets[1:]]
            answers = [await each.wait_for("new_message") for each in sockets]
        await server.until("ai_agent_sockets_open", 0)

    assert {copy["seq"] for copy in copies} == {said["seq"]}
    assert all(answer == answers[0] for answer in answers)
