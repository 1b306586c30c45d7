"""The bridge's socket over real connections: outbound, inbound, echoes, and reconnection."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.elixir.echoes import ORIGIN, EchoFilter
from adapters.elixir.inbound import InboundPayload
from adapters.elixir.payloads import body_of
from adapters.elixir.socket import ElixirSocket
from adapters.phoenix.channel import Reply, Stop
from adapters.phoenix.client import ClientSettings
from adapters.system import SystemClock
from application.ports import (
    InboundEvent,
    InboundMessage,
    MalformedEvent,
    TopicJoined,
    TopicUnavailable,
    Typing,
)
from domain.errors import BridgeRefused, BridgeUnavailable
from domain.identity import CoordinatorId, Customer, MessageId, SessionId, customer
from domain.message import Author
from domain.notice import LiveChatMessagePosted, Notice
from tests.integration.elixir.chats import Chats
from tests.integration.phoenix.peer import Peer, listening
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings
from tests.support.server import UNBUDGETED, running

PATIENCE_S = 20.0
SOON = ClientSettings(rejoin_after_s=(0.01,), reconnect_after_s=(0.01,))
ANA, DAN = customer("b1", "ana"), customer("b1", "dan")
TOPIC = "chat:b1:ana"
AT = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
LAST = {"message": "the last one"}


def notice(text: str = "Bună!", message_id: str = "m1", who: Customer = ANA) -> Notice:
    return Notice(
        notice_id=f"n-{message_id}",
        session_id=SessionId("s1"),
        customer=who,
        position=10,
        content=LiveChatMessagePosted(at=AT, text=text, message_id=MessageId(message_id)),
        due_at=AT,
    )


class Recorder:
    """Records the socket's events."""

    def __init__(self, chats: Chats, socket: ElixirSocket, port: int) -> None:
        self.chats = chats
        self.socket = socket
        self.port = port
        self._heard: asyncio.Queue[tuple[Customer, InboundEvent]] = asyncio.Queue()
        self.availability: asyncio.Queue[InboundEvent] = asyncio.Queue()
        """The events that say whether a topic is joined."""
        self.fails = 0
        self.holds = asyncio.Event()
        self.holds.set()

    async def hear(self, who: Customer, heard: InboundEvent) -> None:
        await self.holds.wait()
        if isinstance(heard, TopicJoined | TopicUnavailable):
            self.availability.put_nowait(heard)
            return
        if self.fails:
            self.fails -= 1
            raise ValueError("a bug in who listens")
        self._heard.put_nowait((who, heard))

    async def next(self) -> InboundEvent:
        async with asyncio.timeout(PATIENCE_S):
            return (await self._heard.get())[1]

    async def until_last(self) -> list[InboundEvent]:
        """The events before a last message that the test sends."""
        self.chats.say("agent_message", LAST)
        heard: list[InboundEvent] = []
        while (item := await self.next()) != InboundMessage(
            author=Author.COORDINATOR, text="the last one"
        ):
            heard.append(item)
        return heard

    async def joined(self, who: Customer = ANA) -> None:
        """Follow, and return once the topic is joined and its join has been processed."""
        self.socket.follow(who)
        await taken(self.chats.joins)
        while await taken(self.availability) != TopicJoined():
            pass
        await self.socket.relay(notice("a first", "first", who))
        await taken(self.chats.heard)


async def taken(queue: "asyncio.Queue[Any]") -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return await queue.get()


@asynccontextmanager
async def connected(chats: Chats | None = None, **settings: Any) -> AsyncIterator[Recorder]:
    there = chats or Chats()
    async with running(there.restarted()) as address:
        async with opened(there, address, **settings) as recorder:
            yield recorder


@asynccontextmanager
async def scripted() -> AsyncIterator[tuple[Peer, Recorder]]:
    """A bridge that the test plays frame by frame, with Ana's chat on it."""
    async with listening() as listener:
        address = listener.url.removeprefix("ws://").partition("/")[0]
        async with opened(Chats(), address) as recorder:
            recorder.socket.follow(ANA)
            peer = await listener.accept()
            await peer.accept_join()
            yield peer, recorder


@asynccontextmanager
async def opened(chats: Chats, address: str, **settings: Any) -> AsyncIterator[Recorder]:
    url = f"ws://{address}/socket/websocket"
    socket = ElixirSocket(
        url, SystemClock(), **{"settings": SOON, "timeout_s": PATIENCE_S, **settings}
    )
    recorder = Recorder(chats, socket, int(address.rpartition(":")[2]))
    socket.listen(recorder.hear, lambda _customer, _message_id: None)
    async with socket:
        yield recorder


# Outbound.


async def test_a_user_message_arrives_on_its_topic_with_all_fields() -> None:
    async with connected(token="t0ken") as recorder:
        await recorder.socket.relay(notice())

        who = {"businessId": "b1", "userId": "ana", "token": "t0ken"}
        assert await taken(recorder.chats.joins) == (TOPIC, who)
        sent = {**body_of(notice()), "origin": ORIGIN}
        assert await taken(recorder.chats.heard) == ("user_message", sent)


async def test_a_message_for_an_ended_chat_is_delivered_and_the_topic_is_left_again() -> None:
    async with connected() as recorder:
        await recorder.socket.relay(notice())

        assert await taken(recorder.chats.left) == TOPIC


async def test_a_topic_that_another_process_listens_to_is_not_left_after_each_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.elixir.socket.SENDER_LINGERS_S", 0.3)
    async with connected(lingers=lambda customer: customer == ANA) as recorder:
        for number in range(3):
            await recorder.socket.relay(notice(message_id=f"m{number}"))

        assert await taken(recorder.chats.left) == TOPIC
        assert recorder.chats.joins.qsize() == 1


async def test_a_followed_chat_stays_joined_whatever_is_relayed_until_it_is_unfollowed() -> None:
    async with connected() as recorder:
        recorder.socket.follow(ANA)
        recorder.socket.follow(ANA)
        for number in range(3):
            await recorder.socket.relay(notice(message_id=f"m{number}"))
        left_before = recorder.chats.left.qsize()
        recorder.socket.unfollow(ANA)
        recorder.socket.unfollow(ANA)
        recorder.socket.unfollow(DAN)

        assert await taken(recorder.chats.left) == TOPIC
        assert left_before == 0
        assert recorder.chats.joins.qsize() == 1


async def test_a_hundred_chats_are_relayed_at_once() -> None:
    async with connected() as recorder:
        users = [customer("b1", f"u{number}") for number in range(100)]
        for who in users:
            recorder.socket.follow(who)
        await asyncio.gather(*(recorder.socket.relay(notice(who=who)) for who in users))

        assert recorder.chats.heard.qsize() == len(users)
        assert "chats=100" in repr(recorder.socket)


async def test_a_chat_can_be_unfollowed_and_followed_again_at_once() -> None:
    async with connected() as recorder:
        await recorder.joined()
        recorder.socket.unfollow(ANA)
        recorder.socket.follow(ANA)
        await recorder.socket.relay(notice())

        assert await recorder.until_last() == []


async def test_typing_is_sent_once_a_second_and_only_on_a_joined_topic() -> None:
    chats = Chats()
    chats.additions = ["presence", "typing"]
    async with connected(chats) as recorder:
        recorder.socket.show_typing(ANA)
        recorder.socket.follow(ANA)
        recorder.socket.show_typing(ANA)
        await recorder.joined()
        recorder.socket.show_typing(ANA)
        recorder.socket.show_typing(ANA)
        await recorder.socket.relay(notice())

        assert await taken(recorder.chats.heard) == ("typing", {"author": "user"})
        assert (await taken(recorder.chats.heard))[0] == "user_message"


async def test_whether_the_user_is_there_is_sent_only_where_the_bridge_announces_that() -> None:
    chats = Chats()
    for additions, sent in (["typing"], []), (["customer"], [("customer", {"online": False})]):
        chats.additions = additions
        async with connected(chats) as recorder:
            recorder.socket.show_presence(ANA, True)
            await recorder.joined()
            recorder.socket.show_presence(ANA, False)
            await recorder.socket.relay(notice())
            heard = [await taken(recorder.chats.heard)]
            while heard[-1][0] != "user_message":
                heard.append(await taken(recorder.chats.heard))

            assert heard[:-1] == sent


@pytest.mark.parametrize("additions", [None, [], ["presence"], "typing", {"typing": True}, 7])
async def test_typing_is_not_sent_where_the_bridge_does_not_announce_it(additions: object) -> None:
    chats = Chats()
    chats.additions = additions
    async with connected(chats) as recorder:
        await recorder.joined()
        recorder.socket.show_typing(ANA)
        await recorder.socket.relay(notice())

        assert (await taken(recorder.chats.heard))[0] == "user_message"


async def test_a_message_under_way_is_delivered_although_the_chat_ends_meanwhile() -> None:
    async with scripted() as (peer, recorder):
        relaying = asyncio.create_task(recorder.socket.relay(notice()))
        frame = await peer.receive("user_message")
        recorder.socket.unfollow(ANA)
        await peer.reply(frame)
        await relaying

        assert (await peer.receive())[3] == "phx_leave"


# Acknowledgements.


@pytest.mark.parametrize("reason", ["invalid_payload", "session_closed", "whatever"])
async def test_a_refusal_is_permanent(reason: str) -> None:
    chats = Chats()
    chats.answers = [Reply("error", {"reason": reason})]
    async with connected(chats) as recorder:
        with pytest.raises(BridgeRefused, match=reason):
            await recorder.socket.relay(notice())


@pytest.mark.parametrize(
    ("answer", "after_s"),
    [
        ({"reason": "storage_unavailable"}, None),
        ({"reason": "rate_limited", "retryAfterMs": 1500}, 1.5),
        ({"reason": "overloaded", "retryAfterMs": "soon"}, None),
    ],
)
async def test_a_temporary_refusal_is_retryable(
    answer: dict[str, object], after_s: float | None
) -> None:
    chats = Chats()
    chats.answers = [Reply("error", answer)]
    async with connected(chats) as recorder:
        with pytest.raises(BridgeUnavailable) as caught:
            await recorder.socket.relay(notice())
        await recorder.socket.relay(notice())

        assert caught.value.retry_after_s == after_s


@pytest.mark.parametrize("answer", [Stop(failed=True), Stop()])
async def test_a_channel_that_ends_before_the_reply_is_retryable(answer: Stop) -> None:
    chats = Chats()
    async with connected(chats, timeout_s=1.0) as recorder:
        await recorder.joined()
        chats.answers = [answer]
        with pytest.raises(BridgeUnavailable):
            await recorder.socket.relay(notice())

        assert await taken(chats.heard) == ("user_message", {**body_of(notice()), "origin": ORIGIN})


async def test_a_refused_connection_or_join_is_retryable() -> None:
    chats = Chats()
    chats.refuses = "unauthorized"
    async with connected(chats, timeout_s=0.2) as recorder:
        with pytest.raises(BridgeUnavailable):
            await recorder.socket.relay(notice())
        chats.refuses = None
        async with opened(chats, "127.0.0.1:9", timeout_s=0.05) as nobody:
            with pytest.raises(BridgeUnavailable):
                await nobody.socket.relay(notice())


async def test_a_connection_that_breaks_before_the_reply_is_a_failure_and_is_reopened() -> None:
    async with listening() as listener:
        address = listener.url.removeprefix("ws://").partition("/")[0]
        async with opened(Chats(), address) as recorder:
            relaying = asyncio.create_task(recorder.socket.relay(notice()))
            peer = await listener.accept()
            await peer.accept_join()
            await peer.receive("user_message")
            await peer.drop()
            with pytest.raises(BridgeUnavailable):
                await relaying
            again = asyncio.create_task(recorder.socket.relay(notice()))
            peer = await listener.accept()
            await peer.accept_join()
            frame = await peer.receive("user_message")
            await peer.reply(frame)
            await again

            assert frame[4]["messageId"] == "m1"


# Inbound.


async def test_a_coordinators_message_is_received_with_all_fields() -> None:
    async with connected() as recorder:
        await recorder.joined()
        recorder.chats.say(
            "agent_message",
            {
                "message": "  Bună! ",
                "timestamp": "2030-01-01T14:00:00+02:00",
                "messageId": "a1",
                "coordinatorId": "maria",
            },
        )

        said = await recorder.next()
        assert isinstance(said, InboundMessage)
        assert (said.author, said.text, said.at) == (Author.COORDINATOR, "Bună!", AT)
        assert (said.message_id, said.coordinator_id) == ("a1", "maria")
        assert not said.replayed


@pytest.mark.parametrize(
    ("extra", "at", "message_id", "coordinator_id"),
    [
        ({}, None, None, None),
        ({"timestamp": "2030-01-01T12:00:00"}, AT, None, None),
        ({"timestamp": 1893499200000, "messageId": 17}, None, "17", None),
        ({"timestamp": "morgen", "messageId": "?", "coordinatorId": "A" * 129}, None, None, None),
        ({"timestamp": "0001-01-01T00:00:00+23:59", "messageId": True}, None, None, None),
        ({"messageId": None, "coordinatorId": {}, "more": [1]}, None, None, None),
    ],
)
async def test_a_message_is_received_with_whatever_fields_are_valid(
    extra: dict[str, object],
    at: datetime | None,
    message_id: str | None,
    coordinator_id: str | None,
) -> None:
    async with connected() as recorder:
        await recorder.joined()
        recorder.chats.say("agent_message", {"message": "Bună!", **extra})

        said = await recorder.next()
        assert isinstance(said, InboundMessage)
        assert said.text == "Bună!"
        assert (said.at, said.message_id, said.coordinator_id) == (at, message_id, coordinator_id)


@pytest.mark.parametrize(
    "garbage",
    [{}, [], "Bună", None, {"message": 1}, {"message": " "}, {"message": {"body": {}}}],
    ids=["empty", "list", "text", "null", "number", "blank", "nested"],
)
async def test_a_malformed_message_is_reported_and_logged_once(
    garbage: object, caplog: pytest.LogCaptureFixture
) -> None:
    async with scripted() as (peer, recorder):
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                await peer.push(TOPIC, "agent_message", garbage)
            heard = [await recorder.next() for _ in range(3)]

        assert heard == [MalformedEvent("agent_message")] * 3
        complaints = [r for r in caplog.records if r.__dict__["action"] == "bridge_event_invalid"]
        assert len(complaints) == 1


async def test_other_events_are_ignored() -> None:
    none_of_ours: list[tuple[str, object]] = [
        ("conversation_status", {"status": "live"}),
        ("presence_diff", {}),
        ("typing", {"author": "user"}),
        ("typing", None),
        ("typing", []),
    ]
    async with scripted() as (peer, recorder):
        for event, payload in none_of_ours:
            await peer.push(TOPIC, event, payload)
        await peer.push("chat:b1:somebody", "agent_message", LAST)
        await peer.push(TOPIC, "agent_message", {"message": "Bună!"})

        assert await recorder.next() == InboundMessage(author=Author.COORDINATOR, text="Bună!")


async def test_a_coordinators_typing_is_received() -> None:
    async with connected() as recorder:
        await recorder.joined()
        recorder.chats.say("typing", {"author": "coordinator", "expiresInMs": 5000})

        assert await recorder.next() == Typing("coordinator", 6_000)


async def test_a_failing_handler_gets_the_next_event() -> None:
    async with connected() as recorder:
        await recorder.joined()
        recorder.fails = 1
        recorder.chats.say("agent_message", {"message": "unu"})

        assert await recorder.until_last() == []


async def test_messages_are_received_in_order() -> None:
    async with connected() as recorder:
        await recorder.joined()
        for number in range(200):
            recorder.chats.say("agent_message", {"message": f"{number}"})

        texts = [
            item.text for item in await recorder.until_last() if isinstance(item, InboundMessage)
        ]
        assert texts == [f"{number}" for number in range(200)]


# Echoes.


@pytest.mark.parametrize(
    "kept",
    [
        ("message", "timestamp", "messageId", "origin"),
        ("message", "timestamp", "messageId"),
        ("message", "timestamp"),
        ("message",),
    ],
)
async def test_our_own_messages_are_filtered_whatever_fields_the_bridge_drops(
    kept: tuple[str, ...],
) -> None:
    chats = Chats()
    chats.keeps = kept
    async with connected(chats) as recorder:
        await recorder.joined()
        same = [notice("Da.", f"m{number}") for number in range(3)]
        await asyncio.gather(*(recorder.socket.relay(each) for each in same))

        assert await recorder.until_last() == []


async def test_messages_of_another_process_of_ours_are_filtered() -> None:
    chats = Chats()
    async with connected(chats) as recorder, opened(chats, f"127.0.0.1:{recorder.port}") as other:
        await recorder.joined()
        other.socket.follow(ANA)
        await taken(chats.joins)
        await other.socket.relay(notice())

        assert await recorder.until_last() == []


async def test_a_user_message_written_at_the_bridge_is_received_although_we_sent_the_same() -> None:
    async with connected() as recorder:
        await recorder.joined()
        await recorder.socket.relay(notice("Da."))
        recorder.chats.say("user_message", {"message": "Da."})
        recorder.chats.say(
            "user_message", {"message": "Da.", "messageId": "u2", "origin": "widget"}
        )

        heard = await recorder.until_last()
        ids = [item.message_id for item in heard if isinstance(item, InboundMessage)]
        assert ids == [None, "u2"]


def test_an_echo_is_recognised_by_its_id_although_the_text_has_changed() -> None:
    echoes = EchoFilter()
    echoes.sent({"message": "Da.", "messageId": "m1"}, 10.0)

    assert echoes.consume(InboundPayload(message="D*.", message_id="m1"), 0.0)


def test_an_echo_is_recognised_by_its_id_although_it_has_another_origin() -> None:
    echoes, returned = EchoFilter(), asyncio.Event()
    echoes.sent({"message": "Da.", "messageId": "m1"}, 10.0, returned.set)

    assert echoes.consume(InboundPayload(message="Da.", message_id="m1", origin="phoenix"), 0.0)
    assert returned.is_set()


def test_a_message_sent_twice_is_not_expected_again_after_its_echo() -> None:
    echoes = EchoFilter()
    for _ in range(2):
        echoes.sent({"message": "Da.", "messageId": "m1"}, 10.0)

    assert echoes.consume(InboundPayload(message="Da.", message_id="m1"), 0.0)
    assert not echoes.consume(InboundPayload(message="Da."), 0.0)


def test_a_message_with_another_origin_is_not_an_echo_although_the_text_is_the_same() -> None:
    echoes = EchoFilter()
    echoes.sent({"message": "Da.", "messageId": "m1"}, 10.0)

    assert not echoes.consume(InboundPayload(message="Da.", origin="widget"), 0.0)


def test_an_expected_echo_expires() -> None:
    echoes = EchoFilter()
    echoes.sent({"message": "Da.", "messageId": "m1"}, 10.0)

    assert not echoes.consume(InboundPayload(message="Da."), 10.5)


async def test_a_coordinators_message_is_received_although_the_user_wrote_the_same() -> None:
    chats = Chats()
    async with connected(chats) as recorder:
        await recorder.joined()
        chats.answers = [Reply()]
        await recorder.socket.relay(notice("Da."))
        chats.say("agent_message", {"message": "Da."})

        assert await recorder.until_last() == [
            InboundMessage(author=Author.COORDINATOR, text="Da.")
        ]


# Reconnection.


async def test_after_a_restart_chats_are_rejoined_and_waiting_messages_are_sent() -> None:
    chats = Chats()
    async with AsyncExitStack() as stack:
        async with running(chats.restarted()) as address:
            recorder = await stack.enter_async_context(opened(chats, address))
            await recorder.joined()
        waiting = asyncio.create_task(recorder.socket.relay(notice("după pauză", "m2")))
        chats.replays = [{"author": "coordinator", "message": "cât erați plecați"}]
        await stack.enter_async_context(running(chats.restarted(), port=recorder.port))
        await waiting

        said = InboundMessage(author=Author.COORDINATOR, text="cât erați plecați", replayed=True)
        assert await recorder.until_last() == [said]
        assert (await taken(chats.heard))[1]["messageId"] == "m2"


@pytest.mark.parametrize("replays", [{"not": "a list"}, "text", 1, [None, 1, "x", {}, []]])
async def test_garbage_in_the_reply_to_a_join_does_no_harm(replays: object) -> None:
    chats = Chats()
    chats.replays = replays
    async with connected(chats) as recorder:
        await recorder.joined()

        assert {*map(type, await recorder.until_last())} <= {MalformedEvent}


async def test_only_messages_of_users_and_coordinators_are_taken_from_a_join() -> None:
    chats = Chats()
    authors = ("user", "ai", "system", "coordinator", "nobody")
    chats.replays = [{"author": author, "message": author} for author in authors]
    async with connected(chats) as recorder:
        await recorder.joined()

        assert await recorder.until_last() == [
            InboundMessage(author=Author.USER, text="user", replayed=True),
            InboundMessage(author=Author.COORDINATOR, text="coordinator", replayed=True),
            MalformedEvent("messages[]"),
        ]


async def test_no_token_gets_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as listener:
        address = listener.url.removeprefix("ws://").partition("/")[0]
        with caplog.at_level(logging.DEBUG, logger="adapters"):
            async with opened(Chats(), address, token="s3cret") as recorder:
                recorder.socket.follow(ANA)
                peer = await listener.accept()
                for _ in range(2):
                    join = await peer.receive("phx_join")
                    await peer.reply(join, "error", {"reason": "no", "got": join[4]})

        assert join[4]["token"] == "s3cret"
        assert "bridge_join_refused" in [r.__dict__.get("action") for r in caplog.records]
        assert not any("s3cret" in str(r.__dict__) for r in caplog.records)


async def test_a_topic_that_the_bridge_has_closed_is_rejoined() -> None:
    chats = Chats()
    async with connected(chats) as recorder:
        await recorder.joined()
        chats.answers = [Stop(Reply())]
        await recorder.socket.relay(notice())
        await taken(chats.joins)

        await recorder.socket.relay(notice("Iar aici", "m2"))
        assert await recorder.until_last() == []


async def test_a_refused_join_is_tried_again_until_it_is_granted() -> None:
    chats = Chats()
    chats.refuses = "not yet"
    async with connected(chats) as recorder:
        recorder.socket.follow(ANA)
        await taken(chats.joins)
        chats.refuses = None
        while await taken(recorder.availability) != TopicJoined():
            pass
        await recorder.socket.relay(notice())

        assert await recorder.until_last() == []


async def test_messages_that_came_before_the_chat_was_left_are_still_received() -> None:
    async with scripted() as (peer, recorder):
        recorder.holds.clear()
        for text in ("pe curând", "la revedere"):
            await peer.push(TOPIC, "agent_message", {"message": text})
        relaying = asyncio.create_task(recorder.socket.relay(notice()))
        await peer.reply(await peer.receive("user_message"))
        await relaying  # so the messages have arrived too
        recorder.socket.unfollow(ANA)
        recorder.holds.set()

        heard = [await recorder.next() for _ in range(2)]
        assert [item.text for item in heard if isinstance(item, InboundMessage)] == [
            "pe curând",
            "la revedere",
        ]


# An ordinary Phoenix application at the other end.


@asynccontextmanager
async def plain(
    application: PlainPhoenix, query: str = "", **settings: Any
) -> AsyncIterator[tuple[ElixirSocket, "asyncio.Queue[InboundEvent]"]]:
    """Return our socket, open at the application, and the events that it passes on."""
    heard: asyncio.Queue[InboundEvent] = asyncio.Queue()

    async def hear(who: Customer, event: InboundEvent) -> None:
        if not isinstance(event, TopicJoined | TopicUnavailable):
            heard.put_nowait(event)

    async with running(application.app(), **UNBUDGETED) as address:  # Phoenix has no such limit
        url = f"ws://{address}/socket/websocket{query}"
        socket = ElixirSocket(
            url, SystemClock(), **{"settings": SOON, "timeout_s": PATIENCE_S, **settings}
        )
        socket.listen(hear, lambda _customer, _message_id: None)
        async with socket:
            yield socket, heard


async def test_joins_that_are_refused_for_a_while_do_not_end_the_connection() -> None:
    application = PlainPhoenix(PlainSettings(admits_joins=False))
    users = [customer("b1", f"u{number}") for number in range(30)]
    settings = ClientSettings(rejoin_after_s=(0.0004,), reconnect_after_s=(0.01,))
    joined: asyncio.Queue[Customer] = asyncio.Queue()
    said: asyncio.Queue[InboundEvent] = asyncio.Queue()

    async def on_event(who: Customer, event: InboundEvent) -> None:
        if isinstance(event, InboundMessage):
            said.put_nowait(event)
        elif isinstance(event, TopicJoined):
            joined.put_nowait(who)

    async with plain(application, settings=settings) as (socket, _):
        socket.listen(on_event, lambda _customer, _message_id: None)
        for who in users:
            socket.follow(who)
        for _ in range(20 * len(users)):
            await taken(application.joins)
        application.settings = PlainSettings(replies=True)
        assert {await taken(joined) for _ in users} == {*users}
        application.broadcast("chat:b1:u7", "agent_message", {"message": "Bună!"})

        assert await taken(said) == InboundMessage(author=Author.COORDINATOR, text="Bună!")


@pytest.mark.parametrize("token", ["s3cret", "legal?in~no>header"])
async def test_the_token_opens_the_socket_of_an_application_that_wants_one(token: str) -> None:
    application = PlainPhoenix(PlainSettings(token=token, replies=True))
    async with plain(application, token=token) as (socket, _):
        await socket.relay(notice())

        (connect,) = application.connects
        assert connect.params["token"] == token
        assert (connect.token.value, connect.token.bad) == (
            token if token == "s3cret" else None,
            False,
        )


async def test_a_token_in_the_address_has_precedence_as_the_parameter() -> None:
    application = PlainPhoenix(PlainSettings(token="its own", replies=True))
    async with plain(application, query="?token=its%20own", token="s3cret") as (socket, _):
        await socket.relay(notice())

        assert application.connects[0].params["token"] == "its own"


@pytest.mark.parametrize(
    ("payload", "coordinator_id"),
    [
        ({"body": "Bună!", "agentName": "Maria Pop"}, "Maria Pop"),
        ({"body": "Bună!", "coordinatorId": "S\u0326tefan  Pop"}, "Ștefan Pop"),
        ({"body": "Bună!", "coordinatorId": "Maria\u202e"}, None),
        ({"text": "Bună!", "agent_id": 7, "agentName": "Maria"}, "7"),
        ({"content": "Bună!", "message": "", "sender": {"name": "Maria"}}, None),
        ({"data": {"message": "Bună!", "agent_name": "maria"}}, "maria"),
        ({"message": {"id": 5, "body": "Bună!"}}, None),
    ],
)
async def test_a_coordinators_message_is_received_in_any_natural_shape(
    payload: object, coordinator_id: CoordinatorId | None
) -> None:
    application = PlainPhoenix(PlainSettings(replies=True))
    async with plain(application) as (socket, heard):
        await followed(application, socket)
        application.broadcast(TOPIC, "agent_message", payload)

        assert await taken(heard) == InboundMessage(
            author=Author.COORDINATOR, text="Bună!", coordinator_id=coordinator_id
        )


async def test_a_message_that_is_too_long_is_split_between_words() -> None:
    application = PlainPhoenix(PlainSettings(replies=True))
    text = "cuvânt " * 2_571 + "x" * 9_000
    said = {"message": text, "messageId": "a1", "timestamp": "2030-01-01T12:00:00Z"}
    async with plain(application) as (socket, heard):
        await followed(application, socket)
        application.broadcast(TOPIC, "agent_message", said)
        application.broadcast(TOPIC, "agent_message", LAST)
        parts = []
        while (part := await taken(heard)).text != LAST["message"]:
            parts.append(part)

    assert "".join(part.text for part in parts).replace(" ", "") == text.replace(" ", "")
    assert all(len(part.text) <= 8_000 for part in parts)
    assert parts[0].text.endswith(" cuvânt")
    assert [part.message_id for part in parts] == ["a1", "a1.1", "a1.2", "a1.3"]
    assert len({part.at for part in parts}) == len(parts)


async def followed(application: PlainPhoenix, socket: ElixirSocket) -> None:
    """Follow Ana's chat, and return once it is joined; for an application that replies."""
    socket.follow(ANA)
    await socket.relay(notice())
    await taken(application.events)


async def test_typing_does_not_crash_a_channel_that_has_no_clause_for_it() -> None:
    application = PlainPhoenix(PlainSettings(replies=True))
    async with plain(application) as (socket, heard):
        await followed(application, socket)
        for number in range(20):
            socket.show_typing(ANA)
            await socket.relay(notice(message_id=f"m{number}"))
            application.broadcast(TOPIC, "agent_message", {"message": f"{number}"})

        texts = [(await taken(heard)).text for _ in range(20)]
        events = [application.events.get_nowait().what for _ in range(application.events.qsize())]
        assert texts == [f"{number}" for number in range(20)]
        assert (set(events), application.joins.qsize()) == ({"user_message"}, 1)
