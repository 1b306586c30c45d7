"""The acknowledgement of a user's message, by an application that may neither reply nor echo."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.elixir import acknowledgement
from adapters.elixir.acknowledgement import PATIENCE
from adapters.elixir.socket import ElixirSocket
from adapters.phoenix.channel import Reply, Stop
from adapters.system import SystemClock
from application.ports import InboundMessage
from domain.errors import BridgeRefused, BridgeUnavailable
from domain.message import Author
from tests.integration.elixir.chats import Chats
from tests.integration.elixir.test_socket import (
    ANA,
    PATIENCE_S,
    SOON,
    Recorder,
    connected,
    notice,
    opened,
)
from tests.integration.phoenix.peer import Peer, listening
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings
from tests.support.server import running

NEVER_S = 60.0
"""A time-out that no test waits for."""
SILENT = PlainSettings(replies=False, returns_to_sender=False)
REFUSED = Reply("error", {"reason": "no"})


@asynccontextmanager
async def plain(
    settings: PlainSettings, timeout_s: float
) -> AsyncIterator[tuple[PlainPhoenix, ElixirSocket]]:
    application = PlainPhoenix(settings)
    async with running(application.app()) as address:
        url = f"ws://{address}/socket/websocket"
        socket = ElixirSocket(url, SystemClock(), settings=SOON, timeout_s=timeout_s)
        socket.listen(ignore, lambda _customer, _message_id: None)
        async with socket:
            yield application, socket


async def ignore(who: object, event: object) -> None:
    pass


def messages(application: PlainPhoenix) -> list[str]:
    """Return the texts that the application has received."""
    events = [application.events.get_nowait() for _ in range(application.events.qsize())]
    return [event.payload["message"] for event in events]


@pytest.mark.parametrize("returns_to_sender", [True, False])
@pytest.mark.parametrize("replies", [True, False])
async def test_each_message_arrives_once_and_in_order_whether_it_is_answered_or_not(
    replies: bool, returns_to_sender: bool
) -> None:
    settings = PlainSettings(replies=replies, returns_to_sender=returns_to_sender)
    is_silent = not replies and not returns_to_sender
    async with plain(settings, 0.2 if is_silent else NEVER_S) as (application, socket):
        async with asyncio.timeout(PATIENCE_S):
            for number in range(20):
                await socket.relay(notice(f"{number}", f"m{number}"))

        assert messages(application) == [f"{number}" for number in range(20)]


async def test_a_silent_application_is_waited_for_only_once() -> None:
    async with plain(SILENT, 1.0) as (application, socket):
        async with asyncio.timeout(6.0):
            for number in range(10):
                await socket.relay(notice(f"{number}", f"m{number}"))

        assert len(messages(application)) == 10


async def test_an_error_or_a_crash_is_no_acknowledgement_of_a_silent_application(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(acknowledgement, "PROMPT_S", 1.0)
    chats = Chats()
    chats.answers = [None, REFUSED, None, Stop(failed=True)]
    async with connected(chats, timeout_s=0.2) as recorder:
        await recorder.socket.relay(notice())
        with pytest.raises(BridgeRefused):
            await recorder.socket.relay(notice())
        await recorder.socket.relay(notice())
        with pytest.raises(BridgeUnavailable):
            await recorder.socket.relay(notice())


@asynccontextmanager
async def scripted(timeout_s: float) -> AsyncIterator[tuple[Peer, Recorder]]:
    """An application that the test plays frame by frame, with Ana's chat on it."""
    async with listening() as listener:
        address = listener.url.removeprefix("ws://").partition("/")[0]
        async with opened(Chats(), address, timeout_s=timeout_s) as recorder:
            recorder.socket.follow(ANA)
            peer = await listener.accept()
            await peer.accept_join()
            yield peer, recorder


async def silently(peer: Peer, socket: ElixirSocket) -> None:
    """Relay a message that gets no reply."""
    relaying = asyncio.create_task(socket.relay(notice()))
    await peer.receive("user_message")
    await peer.reply(await peer.receive("heartbeat"))
    await relaying


async def test_a_late_reply_shows_that_the_application_replies() -> None:
    async with scripted(0.2) as (peer, recorder):
        await silently(peer, recorder.socket)
        relaying = asyncio.create_task(recorder.socket.relay(notice()))
        push = await peer.receive("user_message")
        await peer.reply(await peer.receive("heartbeat"))
        await relaying
        await peer.reply(push)
        await peer.push("chat:b1:ana", "agent_message", {"message": "Da?"})
        await recorder.next()  # so the reply has arrived too
        relaying = asyncio.create_task(recorder.socket.relay(notice()))
        await peer.reply(await peer.receive("user_message"))
        await relaying
        recorder.socket.unfollow(ANA)

        assert (await peer.receive())[3] == "phx_leave"


async def test_a_topic_that_has_answered_is_waited_for_again() -> None:
    """Its channel may hang before it crashes, with all messages that it has not handled."""
    async with scripted(0.2) as (peer, recorder):
        relaying = asyncio.create_task(recorder.socket.relay(notice()))
        await peer.reply(await peer.receive("user_message"))
        await relaying
        await silently(peer, recorder.socket)
        relaying = asyncio.create_task(recorder.socket.relay(notice()))
        push = await peer.receive("user_message")
        sent_at = asyncio.get_running_loop().time()
        await peer.receive("heartbeat")
        waited_s = asyncio.get_running_loop().time() - sent_at
        await peer.send(push[0], push[0], push[2], "phx_error", {})
        with pytest.raises(BridgeUnavailable):
            await relaying

        assert waited_s > 0.1


async def test_a_topic_that_answers_no_longer_is_not_waited_for_for_ever() -> None:
    async with scripted(0.1) as (peer, recorder):
        relaying = asyncio.create_task(recorder.socket.relay(notice()))
        await peer.reply(await peer.receive("user_message"))
        await relaying
        waits = []
        for _ in range(PATIENCE + 3):
            relaying = asyncio.create_task(recorder.socket.relay(notice()))
            await peer.receive("user_message")
            sent_at = asyncio.get_running_loop().time()
            await peer.reply(await peer.receive("heartbeat"))
            waits.append(asyncio.get_running_loop().time() - sent_at)
            await relaying

        assert [waited_s > 0.05 for waited_s in waits] == [True] * (PATIENCE + 1) + [False] * 2


async def test_a_topic_that_is_joined_again_may_have_become_silent() -> None:
    async with scripted(0.2) as (peer, recorder):
        relaying = asyncio.create_task(recorder.socket.relay(notice()))
        push = await peer.receive("user_message")
        await peer.reply(push)
        await relaying
        await peer.send(push[0], push[0], push[2], "phx_error", {})
        await peer.accept_join()
        await peer.push("chat:b1:ana", "agent_message", {"message": "Da?"})
        await recorder.next()  # so the join has been processed
        await silently(peer, recorder.socket)
        relaying = asyncio.create_task(recorder.socket.relay(notice()))
        await peer.receive("user_message")
        sent_at = asyncio.get_running_loop().time()
        await peer.reply(await peer.receive("heartbeat"))
        waited_s = asyncio.get_running_loop().time() - sent_at
        await relaying

        assert waited_s < 0.1


@pytest.mark.parametrize("was_silent", [False, True])
async def test_without_the_answer_to_a_heartbeat_nothing_is_acknowledged(was_silent: bool) -> None:
    async with scripted(0.2) as (peer, recorder):
        if was_silent:
            await silently(peer, recorder.socket)
        with pytest.raises(BridgeUnavailable, match="no answer in time"):
            await recorder.socket.relay(notice())


async def test_a_lost_connection_acknowledges_nothing() -> None:
    async with scripted(0.2) as (peer, recorder):
        await silently(peer, recorder.socket)
        relaying = asyncio.create_task(recorder.socket.relay(notice()))
        await peer.receive("user_message")
        await peer.drop()

        with pytest.raises(BridgeUnavailable):
            await relaying


@pytest.mark.parametrize("was_silent", [False, True])
async def test_a_message_that_could_not_be_sent_is_not_acknowledged(was_silent: bool) -> None:
    async with plain(SILENT, 0.2) as (application, socket):
        if was_silent:
            await socket.relay(notice())
            messages(application)
        application.settings = PlainSettings(admits_joins=False)
        with pytest.raises(BridgeUnavailable, match="unauthorized"):
            await socket.relay(notice())

        assert messages(application) == []


async def test_a_message_that_was_never_sent_is_not_expected_back() -> None:
    chats = Chats()
    chats.keeps = ("message",)
    chats.refuses = "not yet"
    async with connected(chats, timeout_s=0.2) as recorder:
        recorder.socket.follow(ANA)
        with pytest.raises(BridgeUnavailable):
            await recorder.socket.relay(notice("Da."))
        chats.refuses = None
        await recorder.joined()
        await recorder.socket.relay(notice("Da."))
        chats.say("user_message", {"message": "Da."})

        said = InboundMessage(author=Author.USER, text="Da.")
        assert await recorder.until_last() == [said]
