"""The bridge's socket over real connections: what goes there, what comes, and what goes wrong."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.elixir.socket import ORIGIN, Echoes, ElixirSocket, Words
from adapters.phoenix.client import ClientSettings
from application.ports import Garbled, Heard, Said, Typing
from domain.errors import BridgeRefused, BridgeUnavailable
from domain.identity import Customer, SessionId, customer
from domain.message import Author
from domain.notice import Notice, NoticeKind
from entrypoints.phoenix_channel import Reply, Stop
from tests.integration.elixir.chats import Chats
from tests.integration.phoenix_client.peer import Peer, listening
from tests.support.server import running

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
        kind=NoticeKind.RELAY,
        body={"message": text, "timestamp": "2030-01-01T12:00:00.000Z", "messageId": message_id},
        due_at=AT,
    )


class Ear:
    """Who listens to the socket."""

    def __init__(self, chats: Chats, socket: ElixirSocket, port: int) -> None:
        self.chats = chats
        self.socket = socket
        self.port = port
        self._heard: asyncio.Queue[tuple[Customer, Heard]] = asyncio.Queue()
        self.fails = 0
        self.holds = asyncio.Event()
        self.holds.set()

    async def hear(self, who: Customer, heard: Heard) -> None:
        await self.holds.wait()
        if self.fails:
            self.fails -= 1
            raise ValueError("a bug in who listens")
        self._heard.put_nowait((who, heard))

    async def next(self) -> Heard:
        async with asyncio.timeout(PATIENCE_S):
            return (await self._heard.get())[1]

    async def until_last(self) -> list[Heard]:
        """All that is heard before what the test says last."""
        self.chats.say("agent_message", LAST)
        heard: list[Heard] = []
        while (item := await self.next()) != Said(author=Author.COORDINATOR, text="the last one"):
            heard.append(item)
        return heard

    async def joined(self, who: Customer = ANA) -> None:
        """Follow, and return once the topic is joined, and its join was heard of."""
        self.socket.follow(who)
        await taken(self.chats.joins)
        await self.socket.relay(notice("a first", "first", who))
        await taken(self.chats.heard)


async def taken(queue: "asyncio.Queue[Any]") -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return await queue.get()


@asynccontextmanager
async def connected(chats: Chats | None = None, **settings: Any) -> AsyncIterator[Ear]:
    there = chats or Chats()
    async with running(there.restarted()) as address:
        async with opened(there, address, **settings) as ear:
            yield ear


@asynccontextmanager
async def scripted() -> AsyncIterator[tuple[Peer, Ear]]:
    """A bridge that does what the test says, frame by frame, and Ana's chat on it."""
    async with listening() as listener:
        address = listener.url.removeprefix("ws://").partition("/")[0]
        async with opened(Chats(), address) as ear:
            ear.socket.follow(ANA)
            peer = await listener.accept()
            await peer.accept_join()
            yield peer, ear


@asynccontextmanager
async def opened(chats: Chats, address: str, **settings: Any) -> AsyncIterator[Ear]:
    url = f"ws://{address}/socket/websocket"
    socket = ElixirSocket(url, **{"settings": SOON, "timeout_s": PATIENCE_S, **settings})
    ear = Ear(chats, socket, int(address.rpartition(":")[2]))
    socket.listen(ear.hear)
    async with socket:
        yield ear


# What goes there.


async def test_a_users_words_arrive_on_their_topic_with_all_that_the_notice_says() -> None:
    async with connected(token="t0ken") as ear:
        await ear.socket.relay(notice())

        who = {"businessId": "b1", "userId": "ana", "token": "t0ken"}
        assert await taken(ear.chats.joins) == (TOPIC, who)
        sent = {**notice().body, "origin": ORIGIN}
        assert await taken(ear.chats.heard) == ("user_message", sent)


async def test_words_for_a_chat_that_is_over_are_delivered_and_the_topic_is_left_again() -> None:
    async with connected() as ear:
        await ear.socket.relay(notice())

        assert await taken(ear.chats.left) == TOPIC


async def test_a_followed_chat_stays_joined_whatever_is_relayed_until_it_is_unfollowed() -> None:
    async with connected() as ear:
        ear.socket.follow(ANA)
        ear.socket.follow(ANA)
        for number in range(3):
            await ear.socket.relay(notice(message_id=f"m{number}"))
        left_before = ear.chats.left.qsize()
        ear.socket.unfollow(ANA)
        ear.socket.unfollow(ANA)
        ear.socket.unfollow(DAN)

        assert await taken(ear.chats.left) == TOPIC
        assert left_before == 0
        assert ear.chats.joins.qsize() == 1


async def test_one_connection_carries_every_chat() -> None:
    async with connected() as ear:
        users = [customer("b1", f"u{number}") for number in range(100)]
        for who in users:
            ear.socket.follow(who)
        await asyncio.gather(*(ear.socket.relay(notice(who=who)) for who in users))

        assert ear.chats.heard.qsize() == len(users)
        assert "chats=100" in repr(ear.socket)


async def test_a_chat_can_be_unfollowed_and_followed_again_at_once() -> None:
    async with connected() as ear:
        await ear.joined()
        ear.socket.unfollow(ANA)
        ear.socket.follow(ANA)
        await ear.socket.relay(notice())

        assert await ear.until_last() == []


async def test_typing_is_sent_once_a_second_and_only_where_it_can_be_seen() -> None:
    async with connected() as ear:
        ear.socket.show_typing(ANA)
        ear.socket.follow(ANA)
        ear.socket.show_typing(ANA)
        await ear.joined()
        ear.socket.show_typing(ANA)
        ear.socket.show_typing(ANA)
        await ear.socket.relay(notice())

        assert await taken(ear.chats.heard) == ("typing", {"author": "user"})
        assert (await taken(ear.chats.heard))[0] == "user_message"


async def test_what_is_on_its_way_gets_there_although_the_chat_ends_meanwhile() -> None:
    async with scripted() as (peer, ear):
        relaying = asyncio.create_task(ear.socket.relay(notice()))
        frame = await peer.receive("user_message")
        ear.socket.unfollow(ANA)
        await peer.reply(frame)
        await relaying

        assert (await peer.receive())[3] == "phx_leave"


# Whether it got there.


@pytest.mark.parametrize("reason", ["invalid_payload", "session_closed", "whatever"])
async def test_what_the_bridge_refuses_is_not_to_be_tried_again(reason: str) -> None:
    chats = Chats()
    chats.answers = [Reply("error", {"reason": reason})]
    async with connected(chats) as ear:
        with pytest.raises(BridgeRefused, match=reason):
            await ear.socket.relay(notice())


@pytest.mark.parametrize(
    ("answer", "after_s"),
    [
        ({"reason": "storage_unavailable"}, None),
        ({"reason": "rate_limited", "retryAfterMs": 1500}, 1.5),
        ({"reason": "overloaded", "retryAfterMs": "soon"}, None),
    ],
)
async def test_what_the_bridge_cannot_take_now_is_to_be_tried_again(
    answer: dict[str, object], after_s: float | None
) -> None:
    chats = Chats()
    chats.answers = [Reply("error", answer)]
    async with connected(chats) as ear:
        with pytest.raises(BridgeUnavailable) as caught:
            await ear.socket.relay(notice())
        await ear.socket.relay(notice())

        assert caught.value.retry_after_s == after_s


@pytest.mark.parametrize("answer", [None, Stop(failed=True), Stop()])
async def test_words_without_an_answer_are_to_be_tried_again(answer: Stop | None) -> None:
    chats = Chats()
    async with connected(chats, timeout_s=1.0) as ear:
        await ear.joined()
        chats.answers = [answer]
        with pytest.raises(BridgeUnavailable):
            await ear.socket.relay(notice())

        assert await taken(chats.heard) == ("user_message", {**notice().body, "origin": ORIGIN})


async def test_words_are_to_be_tried_again_where_nobody_listens_or_nobody_may_join() -> None:
    chats = Chats()
    chats.refuses = "unauthorized"
    async with connected(chats, timeout_s=0.2) as ear:
        with pytest.raises(BridgeUnavailable):
            await ear.socket.relay(notice())
        chats.refuses = None
        async with opened(chats, "127.0.0.1:9", timeout_s=0.05) as nobody:
            with pytest.raises(BridgeUnavailable):
                await nobody.socket.relay(notice())


async def test_a_connection_that_breaks_before_the_answer_is_told_and_made_again() -> None:
    async with listening() as listener:
        address = listener.url.removeprefix("ws://").partition("/")[0]
        async with opened(Chats(), address) as ear:
            relaying = asyncio.create_task(ear.socket.relay(notice()))
            peer = await listener.accept()
            await peer.accept_join()
            await peer.receive("user_message")
            await peer.drop()
            with pytest.raises(BridgeUnavailable):
                await relaying
            again = asyncio.create_task(ear.socket.relay(notice()))
            peer = await listener.accept()
            await peer.accept_join()
            frame = await peer.receive("user_message")
            await peer.reply(frame)
            await again

            assert frame[4]["messageId"] == "m1"


# What comes.


async def test_a_coordinators_words_are_heard_with_all_that_is_known_of_them() -> None:
    async with connected() as ear:
        await ear.joined()
        ear.chats.say(
            "agent_message",
            {
                "message": "  Bună! ",
                "timestamp": "2030-01-01T14:00:00+02:00",
                "messageId": "a1",
                "coordinatorId": "maria",
            },
        )

        said = await ear.next()
        assert isinstance(said, Said)
        assert (said.author, said.text, said.at) == (Author.COORDINATOR, "Bună!", AT)
        assert (said.message_id, said.coordinator_id) == ("a1", "maria")
        assert not said.replayed


@pytest.mark.parametrize(
    ("extra", "at", "message_id", "coordinator_id"),
    [
        ({}, None, None, None),
        ({"timestamp": "2030-01-01T12:00:00"}, AT, None, None),
        ({"timestamp": 1893499200000, "messageId": 17}, None, "17", None),
        ({"timestamp": "morgen", "messageId": "?", "coordinatorId": "Ana Pop"}, None, None, None),
        ({"timestamp": "0001-01-01T00:00:00+23:59", "messageId": True}, None, None, None),
        ({"messageId": None, "coordinatorId": {}, "more": [1]}, None, None, None),
    ],
)
async def test_words_are_heard_however_little_is_known_of_them(
    extra: dict[str, object],
    at: datetime | None,
    message_id: str | None,
    coordinator_id: str | None,
) -> None:
    async with connected() as ear:
        await ear.joined()
        ear.chats.say("agent_message", {"message": "Bună!", **extra})

        said = await ear.next()
        assert isinstance(said, Said)
        assert said.text == "Bună!"
        assert (said.at, said.message_id, said.coordinator_id) == (at, message_id, coordinator_id)


@pytest.mark.parametrize(
    "garbage",
    [{}, [], "Bună", None, {"message": 1}, {"message": " "}, {"message": "x" * 8_001}],
    ids=["empty", "list", "text", "null", "number", "blank", "long"],
)
async def test_garbage_is_told_as_such_and_logged_once(
    garbage: object, caplog: pytest.LogCaptureFixture
) -> None:
    async with scripted() as (peer, ear):
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                await peer.push(TOPIC, "agent_message", garbage)
            heard = [await ear.next() for _ in range(3)]

        assert heard == [Garbled("agent_message")] * 3
        complaints = [r for r in caplog.records if r.__dict__["action"] == "bridge_complaint"]
        assert len(complaints) == 1


async def test_what_is_none_of_ours_is_passed_over() -> None:
    none_of_ours: list[tuple[str, object]] = [
        ("conversation_status", {"status": "live"}),
        ("presence_diff", {}),
        ("typing", {"author": "user"}),
        ("typing", None),
        ("typing", []),
    ]
    async with scripted() as (peer, ear):
        for event, payload in none_of_ours:
            await peer.push(TOPIC, event, payload)
        await peer.push("chat:b1:somebody", "agent_message", LAST)
        await peer.push(TOPIC, "agent_message", {"message": "Bună!"})

        assert await ear.next() == Said(author=Author.COORDINATOR, text="Bună!")


async def test_a_coordinators_typing_is_heard() -> None:
    async with connected() as ear:
        await ear.joined()
        ear.chats.say("typing", {"author": "coordinator", "expiresInMs": 5000})

        assert await ear.next() == Typing("coordinator", 6_000)


async def test_one_who_listens_and_fails_hears_what_comes_next() -> None:
    async with connected() as ear:
        await ear.joined()
        ear.fails = 1
        ear.chats.say("agent_message", {"message": "unu"})

        assert await ear.until_last() == []


async def test_words_come_in_the_order_in_which_they_were_said() -> None:
    async with connected() as ear:
        await ear.joined()
        for number in range(200):
            ear.chats.say("agent_message", {"message": f"{number}"})

        texts = [item.text for item in await ear.until_last() if isinstance(item, Said)]
        assert texts == [f"{number}" for number in range(200)]


# Our own words come back.


@pytest.mark.parametrize(
    "kept",
    [
        ("message", "timestamp", "messageId", "origin"),
        ("message", "timestamp", "messageId"),
        ("message", "timestamp"),
        ("message",),
    ],
)
async def test_our_own_words_are_not_heard_whatever_the_bridge_drops_of_them(
    kept: tuple[str, ...],
) -> None:
    chats = Chats()
    chats.keeps = kept
    async with connected(chats) as ear:
        await ear.joined()
        same = [notice("Da.", f"m{number}") for number in range(3)]
        await asyncio.gather(*(ear.socket.relay(each) for each in same))

        assert await ear.until_last() == []


async def test_words_of_another_process_of_ours_are_not_heard() -> None:
    chats = Chats()
    async with connected(chats) as ear, opened(chats, f"127.0.0.1:{ear.port}") as other:
        await ear.joined()
        other.socket.follow(ANA)
        await taken(chats.joins)
        await other.socket.relay(notice())

        assert await ear.until_last() == []


async def test_the_user_who_writes_at_the_bridge_is_heard_although_we_said_the_same() -> None:
    async with connected() as ear:
        await ear.joined()
        await ear.socket.relay(notice("Da."))
        ear.chats.say("user_message", {"message": "Da."})
        ear.chats.say("user_message", {"message": "Da.", "messageId": "u2", "origin": "widget"})

        heard = await ear.until_last()
        ids = [item.message_id for item in heard if isinstance(item, Said)]
        assert ids == [None, "u2"]


def test_words_of_ours_are_known_by_the_id_whatever_became_of_the_text() -> None:
    echoes = Echoes()
    echoes.sent({"message": "Da.", "messageId": "m1"}, 10.0)

    assert echoes.take(Words(message="D*.", message_id="m1"), 0.0)


def test_words_sent_again_and_again_are_expected_no_more_once_their_id_has_come_back() -> None:
    echoes = Echoes()
    for _ in range(2):
        echoes.sent({"message": "Da.", "messageId": "m1"}, 10.0)

    assert echoes.take(Words(message="Da.", message_id="m1"), 0.0)
    assert not echoes.take(Words(message="Da."), 0.0)


def test_words_of_somebody_else_are_nobodys_echo_although_we_said_the_same() -> None:
    echoes = Echoes()
    echoes.sent({"message": "Da.", "messageId": "m1"}, 10.0)

    assert not echoes.take(Words(message="Da.", origin="widget"), 0.0)


def test_an_echo_that_never_came_is_not_waited_for_any_more() -> None:
    echoes = Echoes()
    echoes.sent({"message": "Da.", "messageId": "m1"}, 10.0)

    assert not echoes.take(Words(message="Da."), 10.5)


async def test_a_coordinator_who_says_what_the_user_has_said_is_heard() -> None:
    chats = Chats()
    async with connected(chats) as ear:
        await ear.joined()
        chats.answers = [Reply()]
        await ear.socket.relay(notice("Da."))
        chats.say("agent_message", {"message": "Da."})

        assert await ear.until_last() == [Said(author=Author.COORDINATOR, text="Da.")]


# Coming back.


async def test_after_a_restart_chats_are_joined_again_and_what_waits_goes_out() -> None:
    chats = Chats()
    async with AsyncExitStack() as stack:
        async with running(chats.restarted()) as address:
            ear = await stack.enter_async_context(opened(chats, address))
            await ear.joined()
        waiting = asyncio.create_task(ear.socket.relay(notice("după pauză", "m2")))
        chats.replays = [{"author": "coordinator", "message": "cât erați plecați"}]
        await stack.enter_async_context(running(chats.restarted(), port=ear.port))
        await waiting

        said = Said(author=Author.COORDINATOR, text="cât erați plecați", replayed=True)
        assert await ear.until_last() == [said]
        assert (await taken(chats.heard))[1]["messageId"] == "m2"


@pytest.mark.parametrize("replays", [{"not": "a list"}, "text", 1, [None, 1, "x", {}, []]])
async def test_garbage_in_the_reply_to_a_join_does_no_harm(replays: object) -> None:
    chats = Chats()
    chats.replays = replays
    async with connected(chats) as ear:
        await ear.joined()

        assert {*map(type, await ear.until_last())} <= {Garbled}


async def test_of_what_a_join_tells_only_the_two_who_talk_there_are_heard() -> None:
    chats = Chats()
    authors = ("user", "ai", "system", "coordinator", "nobody")
    chats.replays = [{"author": author, "message": author} for author in authors]
    async with connected(chats) as ear:
        await ear.joined()

        assert await ear.until_last() == [
            Said(author=Author.USER, text="user", replayed=True),
            Said(author=Author.COORDINATOR, text="coordinator", replayed=True),
            Garbled("messages[]"),
        ]


async def test_no_token_gets_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as listener:
        address = listener.url.removeprefix("ws://").partition("/")[0]
        with caplog.at_level(logging.DEBUG, logger="adapters"):
            async with opened(Chats(), address, token="s3cret") as ear:
                ear.socket.follow(ANA)
                peer = await listener.accept()
                for _ in range(2):
                    join = await peer.receive("phx_join")
                    await peer.reply(join, "error", {"reason": "no", "got": join[4]})

        assert join[4]["token"] == "s3cret"
        assert "bridge_complaint" in [r.__dict__.get("action") for r in caplog.records]
        assert not any("s3cret" in str(r.__dict__) for r in caplog.records)


async def test_a_topic_that_the_bridge_has_closed_is_joined_again() -> None:
    chats = Chats()
    async with connected(chats) as ear:
        await ear.joined()
        chats.answers = [Stop(Reply())]
        await ear.socket.relay(notice())
        await taken(chats.joins)

        await ear.socket.relay(notice("Iar aici", "m2"))
        assert await ear.until_last() == []


async def test_a_refused_join_is_tried_again_until_it_is_granted() -> None:
    chats = Chats()
    chats.refuses = "not yet"
    async with connected(chats) as ear:
        ear.socket.follow(ANA)
        await taken(chats.joins)
        chats.refuses = None
        await taken(chats.joins)
        await ear.socket.relay(notice())

        assert await ear.until_last() == []


async def test_words_that_came_before_the_chat_was_left_are_still_heard() -> None:
    async with scripted() as (peer, ear):
        ear.holds.clear()
        for text in ("pe curând", "la revedere"):
            await peer.push(TOPIC, "agent_message", {"message": text})
        relaying = asyncio.create_task(ear.socket.relay(notice()))
        await peer.reply(await peer.receive("user_message"))
        await relaying  # and so the words are here too
        ear.socket.unfollow(ANA)
        ear.holds.set()

        heard = [await ear.next() for _ in range(2)]
        assert [item.text for item in heard if isinstance(item, Said)] == [
            "pe curând",
            "la revedere",
        ]
