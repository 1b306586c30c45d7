"""The availability of live chats: the events of each topic, and the readiness of the socket."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.elixir import chat_topic
from adapters.elixir.socket import ElixirSocket
from adapters.phoenix.channel import Stop
from adapters.phoenix.client import ClientSettings
from adapters.system import SystemClock
from application.ports import InboundEvent, InboundMessage, TopicJoined, TopicUnavailable
from domain.errors import BridgeUnavailable
from domain.identity import Customer
from domain.message import Author
from tests.integration.elixir.chats import Chats
from tests.integration.elixir.test_socket import ANA, DAN, PATIENCE_S, SOON, notice, taken
from tests.integration.phoenix.peer import listening
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings
from tests.support.server import free_port, running

SECRET = "sesame"


class Listener:
    """Our socket, and the events that it passes on in their order."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.socket = ElixirSocket(
            url, SystemClock(), **{"settings": SOON, "timeout_s": PATIENCE_S, **settings}
        )
        self.socket.listen(self._on_event, lambda _customer, _message_id: None)
        self._events: asyncio.Queue[tuple[Customer, InboundEvent]] = asyncio.Queue()

    async def _on_event(self, who: Customer, event: InboundEvent) -> None:
        self._events.put_nowait((who, event))

    async def next(self, who: Customer = ANA) -> InboundEvent:
        async with asyncio.timeout(PATIENCE_S):
            found, event = await self._events.get()
        assert found == who
        return event

    @property
    def is_silent(self) -> bool:
        return self._events.empty()


@asynccontextmanager
async def at(address: str, path: str = "/socket/websocket", **settings: Any) -> AsyncIterator[Any]:
    listener = Listener(f"ws://{address}{path}", **settings)
    async with listener.socket:
        yield listener


async def test_a_topic_is_unavailable_once_until_the_server_is_there() -> None:
    port = free_port()
    async with at(f"127.0.0.1:{port}") as listener:
        listener.socket.follow(ANA)
        events = [await listener.next()]
        was_away = listener.socket.is_away
        async with running(PlainPhoenix().app(), port=port):
            events.append(await listener.next())

            assert events == [TopicUnavailable("unreachable"), TopicJoined()]
            assert (was_away, listener.socket.is_away) == (True, False)
            assert listener.socket.is_joined(ANA)


async def test_a_topic_that_is_followed_while_the_socket_is_closed_is_unavailable_at_once() -> None:
    async with at(f"127.0.0.1:{free_port()}") as listener:
        listener.socket.follow(ANA)
        await listener.next()
        listener.socket.follow(DAN)

        assert await listener.next(DAN) == TopicUnavailable("unreachable")
        assert listener.is_silent


@pytest.mark.parametrize(
    ("query", "token"), [("", SECRET), (f"?token={SECRET}", ""), (f"?token={SECRET}", "another")]
)
@pytest.mark.parametrize("status", [403, 404])
async def test_a_socket_that_does_not_open_is_away_and_its_secrets_stay(
    query: str, token: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="adapters"):
        async with listening(lambda there, _: there.respond(status, f"no {SECRET}")) as there:
            it = Listener(there.url + query, token=token)
            async with it.socket:
                it.socket.follow(ANA)

                assert await it.next() == TopicUnavailable(f"http_{status}")
                assert it.socket.is_away
                assert not any(SECRET in str(vars(record)) for record in caplog.records)
                assert SECRET not in repr(it.socket)


async def test_an_idle_socket_shows_whether_it_can_be_opened() -> None:
    application = PlainPhoenix(PlainSettings(token=SECRET))
    async with running(application.app()) as address, at(address) as refused:
        async with at(address, token=SECRET) as admitted:
            await until_away(refused.socket)

            assert refused.socket.is_away
            assert not admitted.socket.is_away


async def until_joined(socket: ElixirSocket) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not socket.is_joined(ANA):  # noqa: ASYNC110 - what would report it is held up
            await asyncio.sleep(0.001)


async def until_away(socket: ElixirSocket) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not socket.is_away:  # noqa: ASYNC110 - nothing reports it
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("reason", "code"),
    [("unauthorized", "unauthorized"), (f"no {SECRET}", "refused"), (SECRET, "refused")],
)
async def test_a_refused_topic_is_unavailable_once_until_it_is_admitted(
    reason: str, code: str
) -> None:
    chats = Chats()
    chats.refuses = reason
    chats.replays = [{"author": "coordinator", "message": "Bună!"}]
    async with running(chats.restarted()) as address, at(address, token=SECRET) as listener:
        listener.socket.follow(ANA)
        for _ in range(3):
            await taken(chats.joins)
        events = [await listener.next()]
        was_away = listener.socket.is_away
        chats.refuses = None
        events += [await listener.next(), await listener.next()]

        said = InboundMessage(author=Author.COORDINATOR, text="Bună!", replayed=True)
        assert events == [TopicUnavailable(code), TopicJoined(), said]
        assert (was_away, listener.socket.is_away) == (True, False)


async def test_one_join_that_succeeds_shows_that_live_chats_work() -> None:
    chats = Chats()
    chats.refuses = "unauthorized"
    slowly = ClientSettings(rejoin_after_s=(60.0,))
    async with running(chats.restarted()) as address, at(address, settings=slowly) as listener:
        listener.socket.follow(ANA)
        assert await listener.next() == TopicUnavailable("unauthorized")
        was_away = listener.socket.is_away
        chats.refuses = None
        listener.socket.follow(DAN)

        assert await listener.next(DAN) == TopicJoined()
        assert (was_away, listener.socket.is_away) == (True, False)


async def test_a_refused_topic_that_is_no_longer_needed_does_not_count() -> None:
    chats = Chats()
    chats.refuses = "unauthorized"
    async with running(chats.restarted()) as address, at(address) as listener:
        listener.socket.follow(ANA)
        await listener.next()
        was_away = listener.socket.is_away
        listener.socket.unfollow(ANA)

        assert (was_away, listener.socket.is_away) == (True, False)


async def test_a_topic_that_is_followed_after_its_join_was_refused_is_unavailable_at_once() -> None:
    chats = Chats()
    chats.refuses = "unauthorized"
    slowly = ClientSettings(rejoin_after_s=(60.0,))
    async with running(chats.restarted()) as address, at(address, settings=slowly) as listener:
        with pytest.raises(BridgeUnavailable, match="unauthorized"):
            await listener.socket.relay(notice())
        listener.socket.follow(ANA)

        assert await listener.next() == TopicUnavailable("unauthorized")


async def test_a_message_for_a_topic_that_is_unavailable_waits_for_nothing() -> None:
    chats = Chats()
    chats.refuses = "unauthorized"
    slowly = ClientSettings(rejoin_after_s=(60.0,))
    async with running(chats.restarted()) as address, at(address, settings=slowly) as listener:
        listener.socket.follow(ANA)
        assert await listener.next() == TopicUnavailable("unauthorized")
        async with asyncio.timeout(PATIENCE_S / 2):
            with pytest.raises(BridgeUnavailable, match="unauthorized"):
                await listener.socket.relay(notice())

        assert listener.socket.is_away


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_message_does_not_wait_for_a_topic_that_is_joined_for_it_alone_and_cannot_be(
    is_there: bool,
) -> None:
    chats = Chats()
    chats.refuses = "unauthorized"
    slowly = ClientSettings(rejoin_after_s=(60.0,), reconnect_after_s=(60.0,))
    async with AsyncExitStack() as stack:
        address = f"127.0.0.1:{free_port()}"
        if is_there:
            address = await stack.enter_async_context(running(chats.restarted()))
        listener = await stack.enter_async_context(at(address, settings=slowly))
        async with asyncio.timeout(PATIENCE_S / 2):
            for _ in range(3):
                with pytest.raises(BridgeUnavailable, match=r"unauthorized|unreachable"):
                    await listener.socket.relay(notice())

        assert listener.is_silent


async def test_a_request_waits_for_the_join_of_its_topic_but_not_for_one_that_fails() -> None:
    chats = Chats()
    async with running(chats.restarted()) as address, at(address) as listener:
        await listener.socket.prepare(ANA)
        joined = [await taken(chats.joins)]
        chats.refuses = "unauthorized"
        listener.socket.follow(DAN)
        async with asyncio.timeout(PATIENCE_S / 2):
            await listener.socket.prepare(DAN)

        assert [topic for topic, _ in joined] == ["chat:b1:ana"]
        assert await listener.next(ANA) == TopicJoined()
        assert await listener.next(DAN) == TopicUnavailable("unauthorized")


async def test_a_join_without_an_answer_is_unavailable_after_its_time_out() -> None:
    impatient = ClientSettings(timeout_s=0.1, rejoin_after_s=(0.01,))
    async with listening() as there:
        listener = Listener(there.url, settings=impatient)
        async with listener.socket:
            listener.socket.follow(ANA)
            peer = await there.accept()
            await peer.receive("phx_join")

            assert await listener.next() == TopicUnavailable("join_timeout")
            assert listener.socket.is_away
            await peer.receive("phx_leave")
            await peer.accept_join()
            assert await listener.next() == TopicJoined()
            assert not listener.socket.is_away


@pytest.mark.parametrize("how", ["lost", "crashed", "closed"])
async def test_a_topic_that_is_joined_again_at_once_was_available(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_topic, "INTERRUPTION_S", PATIENCE_S)
    chats = Chats()
    chats.answers = [Stop(failed=True) if how == "crashed" else Stop()]
    async with running(chats.restarted()) as address, at(address) as listener:
        listener.socket.follow(ANA)
        events = [await listener.next()]
        if how == "lost":
            await chats.endpoint.drain(lambda: 0.0)
        else:
            with pytest.raises(BridgeUnavailable):
                await listener.socket.relay(notice())
        events.append(await listener.next())

        assert events == [TopicJoined(), TopicJoined()]


async def test_a_join_has_its_own_time_however_long_it_waits_for_earlier_events() -> None:
    clock, handled = SystemClock(), asyncio.Event()
    joins: asyncio.Queue[TopicJoined] = asyncio.Queue()
    reached = asyncio.Event()

    async def handle(_: Customer, event: InboundEvent) -> None:
        if isinstance(event, TopicJoined):
            joins.put_nowait(event)
            reached.set()
            await handled.wait()

    chats = Chats()
    async with running(chats.restarted()) as address, at(address) as listener:
        listener.socket.listen(handle, lambda _customer, _message_id: None)
        listener.socket.follow(ANA)
        await reached.wait()
        await taken(chats.joins)
        await chats.endpoint.drain(lambda: 0.0)
        await taken(chats.joins)
        await until_joined(listener.socket)
        joined_by = clock.now()
        await asyncio.sleep(0.05)
        handled.set()
        joined_at = [(await taken(joins)).at for _ in range(2)]

        assert joined_at[0] < joined_at[1] <= joined_by + timedelta(milliseconds=20)


async def test_what_a_topic_has_brought_is_handled_before_it_is_joined_anew() -> None:
    handled = asyncio.Event()
    events: asyncio.Queue[InboundEvent] = asyncio.Queue()
    others: asyncio.Queue[InboundEvent] = asyncio.Queue()

    async def handle(who: Customer, event: InboundEvent) -> None:
        (events if who == ANA else others).put_nowait(event)
        if who == ANA:
            await handled.wait()

    chats = Chats()
    async with running(chats.restarted()) as address, at(address) as listener:
        listener.socket.listen(handle, lambda _customer, _message_id: None)
        for who in (ANA, DAN):
            listener.socket.follow(who)
        came = [await taken(events)]
        await taken(others)
        for topic in ("chat:b1:ana", "chat:b1:dan"):
            chats.say("agent_message", {"message": "Da"}, topic)
        await taken(others)
        listener.socket.unfollow(ANA)
        listener.socket.follow(ANA)
        await until_joined(listener.socket)
        handled.set()
        came += [await taken(events), await taken(events)]

        said = InboundMessage(author=Author.COORDINATOR, text="Da")
        assert came == [TopicJoined(), said, TopicJoined()]


async def test_a_topic_that_is_refused_once_before_it_is_joined_again_was_available(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chat_topic, "INTERRUPTION_S", PATIENCE_S)
    chats = Chats()
    async with running(chats.restarted()) as address, at(address) as listener:
        listener.socket.follow(ANA)
        events = [await listener.next()]
        await taken(chats.joins)
        chats.refuses = "unavailable"
        await chats.endpoint.drain(lambda: 0.0)
        await taken(chats.joins)
        await until_away(listener.socket)
        chats.refuses = None
        events.append(await listener.next())

        assert events == [TopicJoined(), TopicJoined()]


async def test_a_topic_that_is_refused_for_longer_than_an_interruption_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chat_topic, "INTERRUPTION_S", 0.2)
    chats = Chats()
    async with running(chats.restarted()) as address, at(address) as listener:
        listener.socket.follow(ANA)
        events = [await listener.next()]
        chats.refuses = "unauthorized"
        await chats.endpoint.drain(lambda: 0.0)
        events.append(await listener.next())

        assert events == [TopicJoined(), TopicUnavailable("unauthorized")]


async def test_a_topic_that_is_not_joined_again_soon_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chat_topic, "INTERRUPTION_S", 0.2)
    chats = Chats()
    async with AsyncExitStack() as stack:
        async with running(chats.restarted()) as address:
            listener = await stack.enter_async_context(at(address))
            listener.socket.follow(ANA)
            events = [await listener.next()]
        events.append(await listener.next())
        port = int(address.rpartition(":")[2])
        await stack.enter_async_context(running(chats.restarted(), port=port))
        events.append(await listener.next())

        assert events == [TopicJoined(), TopicUnavailable("connection_lost"), TopicJoined()]


async def test_a_topic_that_is_joined_already_is_reported_when_it_is_followed() -> None:
    application = PlainPhoenix(PlainSettings(returns_to_sender=False))
    async with running(application.app()) as address, at(address) as listener:
        relaying = asyncio.create_task(listener.socket.relay(notice()))
        await taken(application.events)
        listener.socket.follow(ANA)

        assert await listener.next() == TopicJoined()
        application.settings = replace(application.settings, replies=True)
        relaying.cancel()


async def test_closing_the_socket_is_no_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_topic, "INTERRUPTION_S", 0.0)
    async with running(PlainPhoenix().app()) as address:
        async with at(address) as listener:
            listener.socket.follow(ANA)
            await listener.next()
        async with at(address) as another:  # time for what might be announced
            another.socket.follow(ANA)
            await another.next()

        assert listener.is_silent
