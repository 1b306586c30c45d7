"""Sockets over HTTP requests: the long-poll transport."""

import asyncio
import base64
import json
import logging
from typing import Any

import pytest
from websockets import InvalidStatus
from websockets.asyncio.client import connect

from adapters.phoenix.channel import Channel, ConnectInfo, Reply, TerminateReason
from adapters.phoenix.endpoint import (
    ConnectionPolicy,
    ConnectRefused,
    PhoenixEndpoint,
    SocketLimits,
    SocketObserver,
)
from adapters.phoenix.limits import ConnectionLimits, Connections
from adapters.phoenix.longpoll import LongPollLimits
from adapters.phoenix.server import Ref
from tests.integration.phoenix.client import opened
from tests.support.poller import Poller, polled_socket, polling
from tests.support.server import running
from tests.support.vector_app import vector_app, vector_endpoint

SHORT = LongPollLimits(window_s=0.2)
PATIENT = LongPollLimits(window_s=30.0)


def reply(join_ref: Any, ref: Any, topic: str, response: Any) -> list[Any]:
    return [join_ref, ref, topic, "phx_reply", {"status": "ok", "response": response}]


class Log(SocketObserver):
    """Records how sockets end."""

    def __init__(self) -> None:
        self.open = 0
        self.close_codes: asyncio.Queue[int] = asyncio.Queue()
        self.slow = 0

    def socket_opened(self) -> None:
        self.open += 1

    def socket_closed(self, code: int) -> None:
        self.open -= 1
        self.close_codes.put_nowait(code)

    def slow_consumer(self) -> None:
        self.slow += 1


# Polls.


async def test_a_polled_socket_is_opened_polled_and_pushed_to() -> None:
    async with running(vector_app(polled=SHORT)) as address, polling(address) as client:
        first = await client.poll()
        empty = await client.poll()
        pushed = await client.push(["1", "1", "room:reply", "phx_join", {"user": "ana"}])
        full = await client.poll()

    assert first == {"status": 410, "token": client.token, "messages": []}
    assert empty == {"status": 204, "token": client.token, "messages": []}
    assert pushed == 200
    assert full["status"] == 200
    response = {"hello": "world", "got": {"user": "ana"}}
    assert [json.loads(text) for text in full["messages"]] == [
        reply("1", "1", "room:reply", response)
    ]


async def test_a_poll_waits_for_the_first_frame_no_longer() -> None:
    async with (
        running(vector_app(polled=PATIENT)) as address,
        polled_socket(address) as client,
        opened(address) as speaker,
    ):
        await client.join("room:a")
        await speaker.join("room:a")
        waiting = asyncio.create_task(client.receive())
        await speaker.send("1", None, "room:a", "shout", {"n": 1})
        async with asyncio.timeout(10):
            heard = await waiting

    assert heard == [[None, None, "room:a", "shout", {"n": 1}]]


async def test_a_broadcast_goes_from_a_polled_socket_to_sockets_of_both_versions() -> None:
    async with (
        running(vector_app()) as address,
        polled_socket(address) as client,
        opened(address) as other,
        polled_socket(address, vsn="1.0.0") as old,
    ):
        await client.join("room:a")
        await other.join("room:a")
        join = {"topic": "room:a", "event": "phx_join", "payload": {}, "ref": "1"}
        assert await old.post(json.dumps(join), "application/json") == 200
        await old.receive()

        await client.push(["1", None, "room:a", "shout", {"n": 1}])

        shout = [None, None, "room:a", "shout", {"n": 1}]
        assert await other.receive() == shout
        assert await client.receive() == [shout]
        assert await old.receive() == [
            {"topic": "room:a", "event": "shout", "payload": {"n": 1}, "ref": None}
        ]


async def test_responses_have_the_headers_of_phoenix() -> None:
    async with running(vector_app()) as address, polled_socket(address) as client:
        response = await client.http.get("/socket/longpoll", params=client.params)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["access-control-allow-origin"] == "*"


async def test_a_preflight_allows_what_it_asks_for() -> None:
    async with running(vector_app()) as address, polling(address) as client:
        headers = {"access-control-request-headers": "x-phoenix-authtoken"}
        response = await client.http.options("/socket/longpoll", headers=headers)

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-allow-headers"] == "x-phoenix-authtoken"
    assert response.headers["access-control-allow-methods"] == "get, post, options"
    assert response.headers["access-control-max-age"] == "3600"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "PATCH"])
async def test_other_methods_get_400(method: str) -> None:
    async with running(vector_app()) as address, polling(address) as client:
        response = await client.http.request(method, "/socket/longpoll")

    assert response.status_code == 400


async def test_an_upgrade_of_the_path_for_polls_is_refused() -> None:
    async with running(vector_app()) as address:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://{address}/socket/longpoll?vsn=2.0.0", proxy=None)

    assert refused.value.response.status_code == 403


async def test_a_later_poll_takes_over_from_one_that_waits() -> None:
    async with (
        running(vector_app(polled=PATIENT)) as address,
        polled_socket(address) as client,
        polled_socket(address) as other,
    ):
        await client.join("room:a")
        other.token = client.token
        first = asyncio.create_task(client.poll())
        await asyncio.sleep(0.05)
        second = asyncio.create_task(other.poll())
        assert (await first)["status"] == 204
        await client.push(["1", "2", "room:a", "ping", {}])

        assert [json.loads(text)[1] for text in (await second)["messages"]] == ["2"]


async def test_a_poll_that_is_aborted_loses_no_frames() -> None:
    async with running(vector_app(polled=PATIENT)) as address, polled_socket(address) as client:
        await client.join("room:a")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.poll()
        await client.push(["1", "2", "room:a", "ping", {"n": 1}])

        assert await client.receive() == [reply("1", "2", "room:a", {"n": 1})]


# Who may open a socket, and which one a request names.


@pytest.mark.parametrize("vsn", ["", "2", "3.0.0", "2.0.0-rc1"])
async def test_another_version_is_refused(vsn: str) -> None:
    async with running(vector_app()) as address, polling(address, vsn=vsn) as client:
        assert await client.poll() == {"status": 403}


async def test_a_page_from_elsewhere_is_refused_each_time() -> None:
    endpoint = PhoenixEndpoint("/socket/websocket", {}, allowed_origins=["https://a.com"])
    async with running(vector_app(endpoint)) as address, polling(address) as client:
        assert (await client.poll(origin="https://a.com"))["status"] == 410
        assert await client.poll(origin="https://evil.com") == {"status": 403}
        refused = await client.http.post(
            "/socket/longpoll", params={"token": client.token}, headers={"origin": "null"}
        )

    assert refused.json() == {"status": 403}


class Lone(ConnectionPolicy):
    """Allows one socket at a time."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.is_open = False

    def admit(self, info: ConnectInfo) -> None:
        if self.is_open:
            raise ConnectRefused(429, retry_after_s=10)
        self.is_open = True

    def release(self, info: ConnectInfo) -> None:
        self.is_open = False
        self.released.set()


async def test_polled_sockets_are_counted_until_they_end() -> None:
    policy = Lone()
    endpoint = PhoenixEndpoint("/socket/websocket", {}, connection_policy=policy)
    async with (
        running(vector_app(endpoint, polled=SHORT)) as address,
        polled_socket(address),
        polling(address) as second,
    ):
        refused = await second.http.get("/socket/longpoll", params=second.params)
        await policy.released.wait()

        assert (await second.poll())["status"] == 410
    # The official client tries again at 500, and is stuck at a status that it does not know.
    assert (refused.status_code, refused.json()) == (429, {"status": 500})
    assert refused.headers["retry-after"] == "10"


@pytest.mark.parametrize("forged", ["", "a.b", "a.b.c", "é", "é.é", "null", "bnVsbA==.x"])
async def test_a_token_that_is_none_opens_a_new_polled_socket_and_pushes_nothing(
    forged: str,
) -> None:
    async with running(vector_app()) as address, polled_socket(address) as client:
        real = client.token
        client.token = forged

        assert await client.push([None, "1", "phoenix", "heartbeat", {}]) == 410
        answer = await client.poll()

    assert answer["status"] == 410
    assert answer["token"] not in (real, forged)


async def test_a_poll_of_a_socket_that_is_gone_or_forged_opens_no_other() -> None:
    async with running(vector_app()) as address, polled_socket(address) as client:
        client.token = client.token[:-1]

        assert await client.push([None, "1", "phoenix", "heartbeat", {}]) == 410
        assert await client.poll() == {"status": 500}


async def test_the_token_in_the_header_counts_before_the_parameter() -> None:
    async with running(vector_app(polled=SHORT)) as address, polled_socket(address) as client:
        headers = {"x-phoenix-longpoll-token": client.token}
        params = {**client.params, "token": "the user's own"}
        response = await client.http.get("/socket/longpoll", params=params, headers=headers)

    assert response.json()["status"] == 204


class Mirror(Channel):
    """Answers a join with the socket's data."""

    async def join(self, topic: str, payload: Any) -> dict[str, Any]:
        info = self.socket.info
        assert info.client is not None
        token = info.params.get("token")
        return {"user": info.params["user"], "given": token, "token": info.token.value}

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply:
        raise LookupError("it only answers joins")


async def test_a_channel_knows_what_the_first_request_brought_along() -> None:
    endpoint = PhoenixEndpoint("/socket/websocket", {"*": Mirror})
    async with (
        running(vector_app(endpoint)) as address,
        polling(address, user="ana") as client,
    ):
        client.token = "the user's own"
        await client.poll(**{"x-phoenix-authtoken": "secret"})

        known = await client.join("any")

    assert known == {"user": "ana", "given": "the user's own", "token": "secret"}


# Pushes.


async def test_a_batch_is_answered_in_order_whatever_its_frames_are() -> None:
    binary = bytes.fromhex("0001010607") + b"12room:anoreplydata"
    async with running(vector_app()) as address, polled_socket(address) as client:
        await client.join("room:a")
        frames = [json.dumps(["1", str(n), "room:a", "ping", {"n": n}]) for n in range(98)]
        body = "\n".join([*frames[:49], base64.b64encode(binary).decode(), *frames[49:], ""])

        assert await client.post(body) == 200
        refs = await _refs(client, 98)

    assert refs == [str(n) for n in range(98)]


async def test_a_push_over_100_frames_is_processed_as_far_as_phoenix_does() -> None:
    async with running(vector_app(polled=SHORT)) as address, polled_socket(address) as client:
        frames: list[list[Any]] = [[None, str(n), "phoenix", "heartbeat", {}] for n in range(101)]

        assert await client.push(*frames) == 200

        assert [frame[1] for frame in await client.receive()] == [str(n) for n in range(100)]
        assert (await client.poll())["status"] == 204


@pytest.mark.parametrize(
    "body",
    ["[", "{}", "AAAA", "not base64!", '["1"]', b"\xff", b"[\xff]"],
    ids=repr,
)
async def test_a_malformed_frame_ends_the_polled_socket_and_its_channels(body: str | bytes) -> None:
    log = Log()
    async with (
        running(vector_app(vector_endpoint(observer=log))) as address,
        polled_socket(address) as client,
    ):
        await client.join("room:a")

        assert await client.post(body) == 410

        assert await log.close_codes.get() == 1011
        assert (await client.poll())["status"] == 500


async def test_a_frame_over_64_kib_ends_the_socket() -> None:
    log = Log()
    async with (
        running(vector_app(vector_endpoint(observer=log))) as address,
        polled_socket(address) as client,
    ):
        assert await client.push([None, "1", "phoenix", "heartbeat", "x" * 65_536]) == 410
        assert await log.close_codes.get() == 1009


async def test_a_body_that_is_too_large_is_refused_unread() -> None:
    limits = LongPollLimits(window_s=1.0, max_body_bytes=100_000)
    async with running(vector_app(polled=limits)) as address, polled_socket(address) as client:
        assert await client.post("x" * 100_001) == 413
        assert await client.push([None, "1", "phoenix", "heartbeat", {}]) == 200


async def _refs(client: Poller, count: int) -> list[str]:
    refs: list[str] = []
    while len(refs) < count:
        refs += [frame[1] for frame in await client.receive()]
    return refs


async def test_a_push_that_takes_longer_than_the_window_is_processed_all_the_same() -> None:
    async with running(vector_app(polled=SHORT)) as address, polled_socket(address) as client:
        replies = asyncio.create_task(_refs(client, 3))
        slow = ["1", "1", "room:slow", "phx_join", {}]  # 300 ms
        ping = ["1", "2", "room:slow", "ping", {}]

        assert await client.push(slow, ping) == 408
        assert await client.push(["1", "3", "room:slow", "ping", {}]) == 200
        assert await replies == ["1", "2", "3"]


# Ends.


class Resident(Channel):
    """Reports its end."""

    ended: "asyncio.Queue[TerminateReason]"

    async def join(self, topic: str, payload: Any) -> None:
        return None

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply:
        self.socket.push("news", {"text": "x" * 1_000})
        return Reply()

    async def terminate(self, reason: TerminateReason) -> None:
        self.ended.put_nowait(reason)


def resident(**settings: Any) -> PhoenixEndpoint:
    Resident.ended = asyncio.Queue()
    return PhoenixEndpoint("/socket/websocket", {"*": Resident}, **settings)


async def test_a_polled_socket_that_is_not_polled_ends_with_its_channels() -> None:
    log = Log()
    endpoint = resident(observer=log)
    async with (
        running(vector_app(endpoint, polled=SHORT)) as address,
        polled_socket(address) as client,
    ):
        await client.join("a")

        assert await Resident.ended.get() is TerminateReason.DISCONNECTED
        assert await log.close_codes.get() == 1002
        assert await client.push(["1", "2", "a", "any", {}]) == 410
        assert (await client.poll())["status"] == 500


async def test_polls_keep_a_polled_socket_alive() -> None:
    async with running(vector_app(polled=SHORT)) as address, polled_socket(address) as client:
        await client.join("room:a")
        statuses = [(await client.poll())["status"] for _ in range(4)]

        assert await client.push(["1", "2", "room:a", "ping", {}]) == 200
        assert statuses == [204] * 4


@pytest.mark.parametrize(
    "limits", [SocketLimits(max_queued_frames=20), SocketLimits(max_queued_bytes=12_000)], ids=str
)
async def test_a_client_that_does_not_poll_is_dropped(limits: SocketLimits) -> None:
    log = Log()
    endpoint = resident(limits=limits, observer=log)
    async with (
        running(vector_app(endpoint, polled=PATIENT)) as address,
        polled_socket(address) as client,
    ):
        await client.join("a")
        frames: list[list[Any]] = [["1", str(n), "a", "any", {}] for n in range(30)]

        await client.push(*frames)

        assert await log.close_codes.get() == 1013
        assert (log.slow, log.open) == (1, 0)
        assert (await client.poll())["status"] == 500


async def test_a_polled_socket_over_its_budget_of_frames_is_closed_with_1008() -> None:
    log = Log()
    connections = Connections(ConnectionLimits(first_frames=10, frames_per_s=0.001))
    endpoint = resident(observer=log, connections=connections)
    async with (
        running(vector_app(endpoint, polled=PATIENT), connections) as address,
        polled_socket(address) as client,
    ):
        beats: list[list[Any]] = [[None, str(n), "phoenix", "heartbeat", {}] for n in range(20)]

        assert await client.push(*beats) == 410
        assert await log.close_codes.get() == 1008


async def test_what_was_never_polled_is_counted_no_more_when_its_socket_has_ended() -> None:
    log = Log()
    connections = Connections()
    endpoint = resident(observer=log, connections=connections)
    async with (
        running(vector_app(endpoint, polled=SHORT), connections) as address,
        polled_socket(address) as client,
    ):
        await client.join("a")
        await client.poll()
        endpoint.broadcast("a", "news", {"text": "x" * 15_000})
        waiting = connections.held_bytes

        assert await log.close_codes.get() == 1002
        assert await Resident.ended.get() is TerminateReason.DISCONNECTED
        assert await client.push(["1", "2", "a", "any", {}]) == 410
        assert (waiting > 15_000, connections.held_bytes) == (True, 0)


async def test_what_waits_for_a_poll_counts_as_unread_and_is_bounded() -> None:
    log = Log()
    connections = Connections(ConnectionLimits(max_waiting_bytes=20_000))
    endpoint = resident(observer=log, connections=connections)
    async with (
        running(vector_app(endpoint, polled=PATIENT), connections) as address,
        polled_socket(address) as client,
    ):
        await client.join("a")
        endpoint.broadcast("a", "news", {"text": "x" * 15_000})
        waiting = connections.held_bytes
        await client.poll()
        polled = connections.held_bytes
        for _ in range(2):
            endpoint.broadcast("a", "news", {"text": "x" * 15_000})

        assert await log.close_codes.get() == 1013
        assert 15_000 < waiting < 16_000
        assert (polled, connections.held_bytes) == (0, 0)


async def test_a_drain_answers_the_polls_that_wait_and_refuses_new_sockets() -> None:
    log = Log()
    endpoint = resident(observer=log)
    async with (
        running(vector_app(endpoint, polled=PATIENT)) as address,
        polled_socket(address) as client,
    ):
        await client.join("a")
        waiting = asyncio.create_task(client.poll())
        await asyncio.sleep(0.05)

        endpoint.is_draining = True
        endpoint.broadcast("a", "bye", {})
        await endpoint.drain(lambda: 0.5)

        [bye] = (await waiting)["messages"]
        assert json.loads(bye)[3] == "bye"
        assert await log.close_codes.get() == 1012
        assert await Resident.ended.get() is TerminateReason.DISCONNECTED
        refused = await client.http.get("/socket/longpoll", params=client.params)
        assert (refused.status_code, refused.json()) == (503, {"status": 500})


async def test_a_drain_answers_an_empty_poll_with_500() -> None:
    endpoint = vector_endpoint()
    async with (
        running(vector_app(endpoint, polled=PATIENT)) as address,
        polled_socket(address) as client,
    ):
        waiting = asyncio.create_task(client.poll())
        await asyncio.sleep(0.05)

        await endpoint.drain(lambda: 0.5)

        assert (await waiting)["status"] == 500


async def test_the_end_of_the_application_ends_what_is_left() -> None:
    log = Log()
    async with running(vector_app(resident(observer=log), polled=PATIENT)) as address:
        async with polled_socket(address) as client:
            await client.join("a")

    assert Resident.ended.get_nowait() is TerminateReason.DISCONNECTED
    assert log.close_codes.get_nowait() == 1012


async def test_neither_tokens_nor_messages_get_into_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(vector_app()) as address, polled_socket(address, uid="hush-hush") as client:
        await client.join("room:a")
        await client.push(["1", "2", "room:a", "boom", {"text": "hush-hush"}])
        await client.post("hush-hush")

    ours = [each for each in caplog.records if not each.name.startswith(("httpx", "httpcore"))]
    actions = {getattr(record, "action", None) for record in ours}
    assert {"channel_crashed", "malformed_frame"} <= actions
    secrets = ("hush-hush", client.token)
    texts = [caplog.handler.format(record) for record in ours]
    assert not [text for text in texts if any(secret in text for secret in secrets)]
