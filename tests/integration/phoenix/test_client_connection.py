"""The client connection over real sockets, against a scripted peer."""

import asyncio
import base64
import http
import json
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from adapters.phoenix import client_connection
from adapters.phoenix.client import (
    ClientSettings,
    ClientSocket,
    NotJoined,
    SocketClosed,
    SocketEvent,
    SocketOpened,
    SocketState,
    TopicInUse,
)
from adapters.phoenix.client_connection import (
    ChannelGone,
    ChannelStatus,
    JoinError,
    PhoenixChannel,
    PhoenixConnection,
    PushError,
    PushLost,
    PushTimeout,
    SlowConsumer,
)

from .peer import Listener, Peer, listening

SOON = ClientSettings(rejoin_after_s=(0.01,), reconnect_after_s=(0.01,))


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as listener:
        yield listener


async def joined(
    listener: Listener, connection: PhoenixConnection, topic: str = "room:a"
) -> tuple[Peer, PhoenixChannel]:
    """Return the peer of a new connection, and the channel that it accepted."""
    channel = connection.channel(topic)
    channel.start()
    peer = await listener.accept()
    await peer.accept_join()
    assert await anext(channel) == (ChannelStatus.JOINED, {})
    return peer, channel


# Opening.


async def test_the_url_gets_the_parameters_and_the_version(listener: Listener) -> None:
    url = listener.url + "?a=1"
    async with PhoenixConnection(url, params={"b": "x y&z", "c": "ă"}):
        peer = await listener.accept()

    query = parse_qsl(urlsplit(peer.path).query)
    assert query == [("a", "1"), ("b", "x y&z"), ("c", "ă"), ("vsn", "2.0.0")]


async def test_phoenix_is_offered_as_the_sub_protocol(listener: Listener) -> None:
    async with PhoenixConnection(listener.url):
        peer = await listener.accept()

    assert peer.offered == ["phoenix"]


async def test_the_token_is_requested_again_at_each_attempt(listener: Listener) -> None:
    tokens = iter(["header.one.sig", "header.two.sig"])
    async with PhoenixConnection(listener.url, token=lambda: next(tokens), settings=SOON):
        first = await listener.accept()
        await first.drop()
        second = await listener.accept()

    encoded = [peer.offered[1].removeprefix("base64url.bearer.phx.") for peer in (first, second)]
    assert [base64.b64decode(text + "=" * (-len(text) % 4)) for text in encoded] == [
        b"header.one.sig",
        b"header.two.sig",
    ]


@pytest.mark.parametrize("token", ["", "secret???"])
def test_a_token_that_does_not_fit_the_header_is_refused_and_not_quoted(token: str) -> None:
    with pytest.raises(ValueError, match="cannot be sent as a sub-protocol") as caught:
        PhoenixConnection("ws://127.0.0.1/socket/websocket", token=token)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "http://127.0.0.1/socket", "ws:///x", "ws://h/x#y", "nonsense"]
)
def test_what_is_no_websocket_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not a WebSocket URL"):
        PhoenixConnection(url)


async def test_a_refused_upgrade_is_reported_with_its_status_and_retried() -> None:
    attempts = iter([403, 503])

    def refuse(websocket: ServerConnection, request: Request) -> Response | None:
        status = next(attempts, None)
        return None if status is None else websocket.respond(http.HTTPStatus(status), "")

    states: list[SocketEvent] = []
    async with (
        listening(refuse) as listener,
        PhoenixConnection(listener.url, on_state=states.append, settings=SOON) as connection,
    ):
        await joined(listener, connection)

    assert [state.http_status for state in states[:2] if isinstance(state, SocketClosed)] == [
        403,
        503,
    ]
    assert states[2] == SocketOpened()


async def test_a_redirect_is_not_followed_with_the_token() -> None:
    async with listening() as elsewhere:

        def refuse(websocket: ServerConnection, request: Request) -> Response | None:
            response = websocket.respond(http.HTTPStatus.FOUND, "")
            response.headers["Location"] = elsewhere.url
            return response

        closed: asyncio.Queue[SocketEvent] = asyncio.Queue()
        async with (
            listening(refuse) as listener,
            PhoenixConnection(listener.url, token="a.b.c", on_state=closed.put_nowait),
        ):
            state = await closed.get()

        assert isinstance(state, SocketClosed)
        assert state.http_status == 302
        assert elsewhere.connections.empty()


async def test_it_connects_when_the_server_comes_up_and_reports_why_it_could_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    states: asyncio.Queue[SocketEvent] = asyncio.Queue()
    url = f"ws://127.0.0.1:{port}/socket/websocket"

    async with PhoenixConnection(url, on_state=states.put_nowait, settings=SOON) as connection:
        failed = await states.get()
        async with listening(port=port) as listener:
            await joined(listener, connection)
            opened = connection.state

    assert isinstance(failed, SocketClosed)
    assert failed.code is None
    assert failed.reason
    assert opened is SocketState.OPEN


# Joining.


async def test_a_join_returns_the_response(listener: Listener) -> None:
    async with PhoenixConnection(listener.url) as connection:
        channel = connection.channel("room:a", {"user": "u1"})
        join = asyncio.create_task(channel.join())
        peer = await listener.accept()
        frame = await peer.accept_join({"hello": "world"})

        assert await join == {"hello": "world"}
        assert await channel.join() == {"hello": "world"}
    assert frame == [frame[1], frame[1], "room:a", "phx_join", {"user": "u1"}]


async def test_a_refused_join_raises_and_is_tried_again(listener: Listener) -> None:
    async with PhoenixConnection(listener.url, settings=SOON) as connection:
        channel = connection.channel("room:a")
        join = asyncio.create_task(channel.join())
        peer = await listener.accept()
        await peer.reply(await peer.receive("phx_join"), "error", {"reason": "unauthorized"})

        with pytest.raises(JoinError) as caught:
            await join
        await peer.accept_join()

        assert caught.value.response == {"reason": "unauthorized"}
        assert await anext(channel) == (ChannelStatus.REFUSED, {"reason": "unauthorized"})
        assert await anext(channel) == (ChannelStatus.JOINED, {})


async def test_a_refused_channel_that_is_left_ends(listener: Listener) -> None:
    async with PhoenixConnection(listener.url) as connection:
        channel = connection.channel("room:a")
        join = asyncio.create_task(channel.join())
        peer = await listener.accept()
        await peer.reply(await peer.receive("phx_join"), "error", {})
        with pytest.raises(JoinError):
            await join

        channel.leave()

        assert [item async for item in channel] == [
            (ChannelStatus.REFUSED, {}),
            (ChannelStatus.CLOSED, None),
        ]


async def test_a_channel_that_is_left_with_an_unsent_message_ends(listener: Listener) -> None:
    async with PhoenixConnection(listener.url) as connection:
        channel = connection.channel("room:a")
        channel.start()
        channel.send("typing", {})
        channel.leave()

        assert [item async for item in channel] == [(ChannelStatus.CLOSED, None)]
        assert connection.topics == 0


async def test_one_topic_is_one_channel(listener: Listener) -> None:
    async with PhoenixConnection(listener.url) as connection:
        connection.channel("room:a").start()

        with pytest.raises(TopicInUse):
            connection.channel("room:a").start()


async def test_a_join_that_can_never_be_answered_raises() -> None:
    connection = PhoenixConnection("ws://127.0.0.1:1/socket/websocket")
    async with connection:
        channel = connection.channel("room:a")
        channel.start()
        join = asyncio.create_task(channel.join())

    with pytest.raises(ChannelGone):
        await join


# Messages.


async def test_messages_come_in_order_to_their_channel(listener: Listener) -> None:
    async with PhoenixConnection(listener.url) as connection:
        peer, a = await joined(listener, connection)
        b = connection.channel("room:b")
        b.start()
        await peer.accept_join()
        for n in range(3):
            await peer.push("room:a", "shout", {"n": n})
            await peer.push("room:b", "whisper", {"n": n})

        assert [await anext(a) for _ in range(3)] == [("shout", {"n": n}) for n in range(3)]
        assert await anext(b) == (ChannelStatus.JOINED, {})
        assert [await anext(b) for _ in range(3)] == [("whisper", {"n": n}) for n in range(3)]


async def test_a_push_returns_the_response_of_its_reply(listener: Listener) -> None:
    async with PhoenixConnection(listener.url) as connection:
        peer, channel = await joined(listener, connection)
        push = asyncio.create_task(channel.push("ping", {"x": 1}))
        await peer.reply(await peer.receive("ping"), "ok", {"x": 2})

        assert await push == {"x": 2}


async def test_a_push_that_is_refused_raises_with_the_response(listener: Listener) -> None:
    async with PhoenixConnection(listener.url) as connection:
        peer, channel = await joined(listener, connection)
        push = asyncio.create_task(channel.push("ping", {}))
        await peer.reply(await peer.receive("ping"), "error", {"reason": "nope"})

        with pytest.raises(PushError) as caught:
            await push
        assert (caught.value.status, caught.value.response) == ("error", {"reason": "nope"})


async def test_a_push_without_an_answer_raises_when_its_time_is_over(listener: Listener) -> None:
    async with PhoenixConnection(listener.url) as connection:
        _, channel = await joined(listener, connection)

        with pytest.raises(PushTimeout):
            await channel.push("ping", {}, timeout_s=0.01)


async def test_a_push_whose_connection_goes_is_lost(listener: Listener) -> None:
    async with PhoenixConnection(listener.url) as connection:
        peer, channel = await joined(listener, connection)
        push = asyncio.create_task(channel.push("ping", {}))
        await peer.receive("ping")
        await peer.drop()

        with pytest.raises(PushLost):
            await push


async def test_a_channel_that_is_not_joined_accepts_no_push(listener: Listener) -> None:
    async with PhoenixConnection(listener.url) as connection:
        channel = connection.channel("room:a")

        with pytest.raises(NotJoined):
            channel.send("ping", {})


async def test_what_is_sent_just_before_the_end_still_goes_out(listener: Listener) -> None:
    async with PhoenixConnection(listener.url) as connection:
        peer, channel = await joined(listener, connection)
        for n in range(10):
            channel.send("ping", {"n": n})

    assert [(await peer.receive("ping"))[4]["n"] for _ in range(10)] == list(range(10))
    await peer.websocket.wait_closed()
    assert peer.websocket.close_code == 1000


# Losing the connection.


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012])
async def test_whatever_the_server_closes_with_the_channel_comes_back(
    listener: Listener, code: int
) -> None:
    async with PhoenixConnection(listener.url, settings=SOON) as connection:
        peer, channel = await joined(listener, connection)
        await peer.websocket.close(code)
        again = await listener.accept()
        await again.accept_join({"n": 2})

        assert await anext(channel) == (ChannelStatus.ERRORED, {"reason": "connection lost"})
        assert await anext(channel) == (ChannelStatus.REJOINED, {"n": 2})


async def test_what_came_before_a_close_is_still_passed_on(listener: Listener) -> None:
    async with PhoenixConnection(listener.url) as connection:
        peer, channel = await joined(listener, connection)
        for n in range(100):
            await peer.push("room:a", "shout", {"n": n})
        await peer.websocket.close(1000)

        assert [(await anext(channel))[1]["n"] for _ in range(100)] == list(range(100))


async def test_what_waited_for_the_connection_is_sent_in_order(listener: Listener) -> None:
    async with PhoenixConnection(listener.url, settings=SOON) as connection:
        peer, channel = await joined(listener, connection)
        await peer.drop()
        assert (await anext(channel))[0] is ChannelStatus.ERRORED
        for n in range(10):
            channel.send("ping", {"n": n})
        again = await listener.accept()
        await again.accept_join()

        assert [(await again.receive("ping"))[4]["n"] for _ in range(10)] == list(range(10))


async def test_a_server_that_answers_no_heartbeat_is_left_for_a_new_connection(
    listener: Listener,
) -> None:
    settings = ClientSettings(heartbeat_s=0.05)
    async with PhoenixConnection(listener.url, settings=settings) as connection:
        peer, _ = await joined(listener, connection)
        beat = await peer.receive("heartbeat")
        await peer.websocket.wait_closed()
        again = await listener.accept()
        await again.accept_join()

    assert beat[0] is None
    assert peer.websocket.close_code == 1000


async def test_a_server_that_does_not_even_read_is_left_too(listener: Listener) -> None:
    settings = ClientSettings(heartbeat_s=0.1)
    async with PhoenixConnection(listener.url, settings=settings) as connection:
        peer, channel = await joined(listener, connection)
        peer.websocket.transport.pause_reading()
        for _ in range(200):
            channel.send("flood", {"x": "x" * 100_000})

        again = await listener.accept()

    assert again is not peer
    peer.websocket.transport.resume_reading()


# Slow consumers, bad servers.


async def test_a_slow_consumer_loses_its_channel_and_no_other_one(listener: Listener) -> None:
    async with PhoenixConnection(listener.url, queue_size=3) as connection:
        peer, slow = await joined(listener, connection)
        other = connection.channel("room:b")
        other.start()
        await peer.accept_join()
        for n in range(5):
            await peer.push("room:a", "shout", {"n": n})
        await peer.reply(await peer.receive("phx_leave"))
        await peer.push("room:b", "whisper", {})

        assert [await anext(slow) for _ in range(3)] == [("shout", {"n": n}) for n in range(3)]
        with pytest.raises(SlowConsumer):
            await anext(slow)
        assert [item async for item in slow] == []
        assert await anext(other) == (ChannelStatus.JOINED, {})
        assert await anext(other) == ("whisper", {})


async def test_garbage_and_binary_frames_are_survived(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    async with PhoenixConnection(listener.url) as connection:
        peer, channel = await joined(listener, connection)
        await peer.websocket.send("{secret")
        await peer.websocket.send(b"\x02\x06\x03room:abin\x01")
        await peer.push("room:a", "shout", {})

        assert await anext(channel) == ("shout", {})
    [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.__dict__["action"] == "phoenix_client_frame_ignored"
    assert "secret" not in record.getMessage()


async def test_a_state_callback_that_raises_disturbs_nothing(listener: Listener) -> None:
    surprises: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: surprises.append(context))

    def broken(_: SocketEvent) -> None:
        raise RuntimeError("from the callback")

    async with PhoenixConnection(listener.url, on_state=broken) as connection:
        await joined(listener, connection)

        assert [str(context["exception"]) for context in surprises] == ["from the callback"]


@pytest.mark.parametrize("broken", ["received", "opened", "tick"])
async def test_after_a_bug_the_connection_begins_again(
    listener: Listener,
    broken: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(client_connection, "RESTART_PAUSE_S", 0.01)
    settings = ClientSettings(heartbeat_s=0.01, rejoin_after_s=(0.01,), reconnect_after_s=(0.01,))
    states: asyncio.Queue[bool] = asyncio.Queue()
    connection = PhoenixConnection(
        listener.url,
        settings=settings,
        on_state=lambda _: states.put_nowait(connection.is_broken),
    )
    bug, method = [RuntimeError("a bug")], getattr(ClientSocket, broken)

    def once(*args: Any) -> Any:
        if bug:
            raise bug.pop()
        return method(*args)

    monkeypatch.setattr(ClientSocket, broken, once)
    async with connection:
        channel = connection.channel("room:a")
        channel.start()
        peer = await listener.accept()
        if broken == "received":
            await peer.accept_join()
        peer = await listener.accept()
        await peer.accept_join()
        while (await anext(channel))[0] is not ChannelStatus.JOINED:
            pass

        assert not connection.is_broken
        assert True in [states.get_nowait() for _ in range(states.qsize())]
    assert "phoenix_client_broken" in [record.__dict__.get("action") for record in caplog.records]


async def test_frames_of_megabytes_are_read(listener: Listener) -> None:
    async with PhoenixConnection(listener.url) as connection:
        peer, channel = await joined(listener, connection)
        text = "x" * 5_000_000
        await peer.websocket.send(json.dumps([None, None, "room:a", "big", {"text": text}]))

        assert await anext(channel) == ("big", {"text": text})


async def test_the_representation_shows_the_state_and_no_secret(listener: Listener) -> None:
    async with PhoenixConnection(listener.url, params={"key": "secret"}) as connection:
        _, channel = await joined(listener, connection)

        assert repr(connection) == "<PhoenixConnection <ClientSocket open {'room:a': 'joined'}>>"
        assert repr(channel) == "<PhoenixChannel 'room:a' joined>"
