"""The terminal chat as a process with a piped input, against a server played by the test."""

import asyncio
import http
import os
import pty
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from tests.integration.phoenix.peer import Listener, Peer, listening
from tests.support.process import COMMAND, ROOT

TOPIC = "messages:b1"
NOTHING: dict[str, Any] = {
    "sessionId": None,
    "status": "ai",
    "seq": 0,
    "messages": [],
    "more": False,
}


class Chat:
    """The process: its input, and its output so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.printed = ""

    async def type(self, *lines: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        await self._process.stdin.drain()

    async def shows(self, text: str) -> None:
        """Wait until a text was printed."""
        assert self._process.stdout is not None
        while text not in self.printed:
            data = await self._process.stdout.read(4096)
            assert data, f"{text!r} was never printed: {self.printed}"
            self.printed += data.decode()

    async def finish(self) -> int:
        """End the input, wait for the process, and return its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return await self.end()

    async def end(self) -> int:
        assert self._process.stdout is not None
        self.printed += (await self._process.stdout.read()).decode()
        return await self._process.wait()

    @property
    def lines(self) -> list[str]:
        return self.printed.splitlines()


@asynccontextmanager
async def chatting(url: str, *options: str) -> AsyncIterator[Chat]:
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "chat", "--url", url, "--business", "b1", "--user", "u1"),
        *options,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Chat(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as listener:
        yield listener


async def store(peer: Peer, seq: int, status: str = "ai", *, duplicate: bool = False) -> str:
    """Receive a message from the client, acknowledge it, and return its messageId."""
    frame = await peer.receive("new_message")
    message_id = str(frame[4]["messageId"])
    stored = {"messageId": message_id, "seq": seq, "sessionId": "s1"}
    await peer.reply(frame, "ok", {**stored, "status": status, "duplicate": duplicate})
    return message_id


async def answer(peer: Peer, seq: int, message: str, *message_ids: str, **more: Any) -> None:
    payload = {"responseId": f"r{seq}", "message": message, "actions": [], "seq": seq}
    payload |= {"timestamp": "2026-01-31T12:00:00.000Z", "sessionId": "s1"}
    await peer.push(TOPIC, "new_message", {**payload, "inReplyTo": message_ids, **more})


async def delta(peer: Peer, response_id: str, index: int, text: str) -> None:
    payload = {"responseId": response_id, "index": index, "text": text}
    await peer.push(TOPIC, "message_delta", payload)


def entry(seq: int, author: str, message: str, message_id: str = "") -> dict[str, Any]:
    message_id = message_id or f"m{seq}"
    return {
        **{"seq": seq, "kind": "message", "messageId": message_id, "author": author},
        **{"message": message, "actions": [], "timestamp": "2026-01-31T12:00:00.000Z"},
    }


async def test_a_message_is_sent_and_its_streamed_answer_shown_once(listener: Listener) -> None:
    async with chatting(listener.url, "--location", "l1") as chat:
        await chat.type("Bună!")
        peer = await listener.accept()
        join = await peer.accept_join(NOTHING)
        frame = await peer.receive("new_message")
        message_id = frame[4]["messageId"]
        stored = {"messageId": message_id, "seq": 1, "sessionId": "s1", "status": "ai"}
        await peer.reply(frame, "ok", stored)
        for index, text in enumerate(["Bună ", "ziua! ", "Cu ce"]):
            await delta(peer, "r2", index, text)
        await chat.shows("ai: Bună ziua! Cu ce")
        await answer(peer, 2, "Bună ziua! Cu ce vă ajut?", message_id)

        assert await chat.finish() == 0

    assert join[4] == {"businessId": "b1", "userId": "u1", "locationId": "l1", "stream": True}
    identity = {"businessId": "b1", "userId": "u1", "locationId": "l1"}
    assert frame[4] == {**identity, "messageId": message_id, "message": "Bună!"}
    assert chat.lines[1:] == ["you: Bună!", "ai: Bună ziua! Cu ce vă ajut?"]


async def test_an_answer_that_differs_from_what_was_streamed_is_shown_whole(
    listener: Listener,
) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        message_id = await store(peer, 1)
        await delta(peer, "r2", 0, "I have tra")
        await delta(peer, "r2", 2, "lost")
        await answer(peer, 2, "Sorry, something went wrong.", message_id)

        assert await chat.finish() == 0

    assert chat.lines[1:] == ["you: hi", "ai: I have tra", "ai: Sorry, something went wrong."]


async def test_an_answer_goes_on_after_a_lost_connection_from_where_it_was(
    listener: Listener,
) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        first = await listener.accept()
        await first.accept_join(NOTHING)
        message_id = await store(first, 1)
        await delta(first, "r2", 0, "One ")
        await delta(first, "r2", 1, "tw")
        await chat.shows("ai: One tw")
        await first.drop()

        second = await listener.accept()
        await second.accept_join({**NOTHING, "sessionId": "s1", "seq": 1})
        await delta(second, "r2", 2, "counted on from the first join")
        await delta(second, "r2", 0, "One two ")
        await delta(second, "r2", 1, "three")
        await answer(second, 2, "One two three.", message_id)

        assert await chat.finish() == 0

    reason = next(line for line in chat.lines if "connection lost" in line)
    assert chat.lines[1:] == [
        *("you: hi", "ai: One tw", reason, "— connected again", "ai: … o three."),
    ]


async def test_the_rest_of_an_answer_that_was_missed_is_shown(listener: Listener) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        first = await listener.accept()
        await first.accept_join(NOTHING)
        message_id = await store(first, 1)
        await delta(first, "r2", 0, "One")
        await chat.shows("ai: One")
        await first.drop()

        second = await listener.accept()
        missed = [{**entry(2, "ai", "One two.", "r2"), "inReplyTo": [message_id]}]
        await second.accept_join({**NOTHING, "sessionId": "s1", "seq": 2, "messages": missed})

        assert await chat.finish() == 0

    assert chat.lines[-2:] == ["— while the connection was down:", "ai: … two."]


async def test_the_sources_of_an_answer_are_shown_under_it(listener: Listener) -> None:
    menu = {"title": "Menu › Soups\n\u001b[31m", "location": "menu.md#soups"}
    actions = [
        {"type": "coupon", "items": [1]},
        {"type": "sources", "items": [menu, {"title": "House", "location": "house.md"}]},
        {"type": "sources", "items": "?"},
        "?",
    ]
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        message_id = await store(peer, 1)
        await delta(peer, "r2", 0, "Soup is 18.")
        await answer(peer, 2, "Soup is 18.", message_id, actions=actions)

        assert await chat.finish() == 0

    assert chat.lines[-2:] == [
        "ai: Soup is 18.",
        "— sources: Menu › Soups [31m (menu.md#soups); House (house.md)",
    ]


async def test_what_comes_in_between_leaves_an_answer_alone(listener: Listener) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        message_id = await store(peer, 1)
        await delta(peer, "r4", 3, "from the middle")
        await delta(peer, "r4", 0, "One")
        await answer(peer, 2, "A notice.", author="system")
        await delta(peer, "r4", 1, " two")
        await delta(peer, "r4", 3, " four")
        await answer(peer, 3, "Another one.", author="system")
        await answer(peer, 4, "One two", message_id)

        assert await chat.finish() == 0

    assert chat.lines[2:] == [
        *("ai: One", "system: A notice.", "ai: … two", "system: Another one."),
    ]


async def test_an_answer_that_begins_and_ends_with_blanks_is_shown_once(
    listener: Listener,
) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        message_id = await store(peer, 1)
        for index, text in enumerate(["\n", " One", " ", "two", " \n"]):
            await delta(peer, "r2", index, text)
        await answer(peer, 2, "One two", message_id)

        assert await chat.finish() == 0

    assert chat.lines[1:] == ["you: hi", "ai: One two"]


async def test_an_answer_is_stopped_on_demand(listener: Listener) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        message_id = await store(peer, 1)
        await delta(peer, "r2", 0, "One two")
        await chat.type("/stop")
        stop = await peer.receive("stop_answer")
        await peer.reply(stop, "ok", {"responseId": "r2"})
        await answer(peer, 2, "One two", message_id)
        await chat.type("/stop")
        await peer.reply(await peer.receive("stop_answer"), "ok", {})

        assert await chat.finish() == 0

    assert stop[4] == {}
    assert chat.lines[1:] == ["you: hi", "ai: One two", "— no answer is being written"]


async def test_an_answer_that_another_process_begins_anew_is_said_to_be_so(
    listener: Listener,
) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        message_id = await store(peer, 1)
        await delta(peer, "r2", 0, "One ")
        await delta(peer, "r3", 0, " Two")
        await delta(peer, "r2", 1, "late")
        await delta(peer, "r3", 1, " three ")
        await answer(peer, 2, "Two three", message_id, responseId="r3")

        assert await chat.finish() == 0

    assert chat.lines[1:] == [
        *("you: hi", "ai: One", "— the answer was interrupted: another one comes", "ai: Two three"),
    ]


async def test_who_has_written_nothing_yet_is_welcomed_once(listener: Listener) -> None:
    welcome = {"greeting": "Bună! Cu ce vă ajut?\x1b", "suggestions": ["Program", "Meniu"]}
    async with chatting(listener.url) as chat:
        peer = await listener.accept()
        await peer.accept_join({**NOTHING, **welcome})
        await chat.shows("Meniu\n")
        await peer.drop()
        peer = await listener.accept()
        await peer.accept_join({**NOTHING, **welcome})
        await chat.type("Meniu")
        await answer(peer, 2, "Pizza.", await store(peer, 1))

        assert await chat.finish() == 0

    assert [line for line in chat.lines[1:] if "connect" not in line] == [
        *("ai: Bună! Cu ce vă ajut?", "— you may ask, for example:", "  Program", "  Meniu"),
        *("you: Meniu", "ai: Pizza."),
    ]


AT_ONCE = "2026-01-31T12:00:00.000Z"


async def test_a_change_is_shown_once_by_the_message_that_is_stored_with_it(
    listener: Listener,
) -> None:
    async def changed(seq: int, status: str, reason: str, **more: Any) -> None:
        change = {"sessionId": "s1", "seq": seq, "status": status, "reason": reason}
        await peer.push(TOPIC, "conversation_status", {**change, "updatedAt": AT_ONCE, **more})

    async def told(seq: int, message: str) -> None:
        await answer(peer, seq, message, author="system")

    async with chatting(listener.url) as chat:
        peer = await listener.accept()
        old = [entry(1, "user", "hi"), {**entry(2, "system", "Idle."), "timestamp": AT_ONCE}]
        old.append({"seq": 3, "kind": "status", "status": "closed", "reason": "idle"})
        old[-1]["timestamp"] = AT_ONCE
        joined = {"sessionId": "s1", "status": "closed", "seq": 3, "messages": old, "more": False}
        await peer.accept_join(joined)
        await changed(4, "waiting", "user_request")
        await told(5, "Am chemat un coleg.")
        await changed(6, "live", "accepted", coordinatorId="Ana")
        await told(7, "Ana a intrat.")
        await told(8, "Discuția s-a încheiat.")
        await changed(9, "closed", "closed_by_coordinator")
        await changed(10, "waiting", "ai_failure", updatedAt="2026-01-31T12:00:01.000Z")
        await chat.shows("ai_failure")  # no message tells of it

        assert await chat.finish() == 0

    assert chat.lines[1:] == [
        *("you: hi", "system: Idle.", "system: Am chemat un coleg.", "system: Ana a intrat."),
        *("system: Discuția s-a încheiat.", "— waiting for a human (ai_failure)"),
    ]


async def test_a_conversation_is_rated_by_a_command(listener: Listener) -> None:
    async with chatting(listener.url) as chat:
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        await chat.type("/rate 6", "/rate 4 Quick and kind.")
        frame = await peer.receive("rate_conversation")
        rated = {"message": "★★★★☆ Quick and kind.", "messageId": "m3", "sessionId": "s1", "seq": 3}
        rated["actions"] = [{"type": "rating", **frame[4]}]
        await peer.push(TOPIC, "user_message", rated)
        await peer.reply(frame, "ok", {"sessionId": "s1", "rating": 4})
        await chat.type("/rate 1")
        await peer.reply(
            await peer.receive("rate_conversation"), "error", {"reason": "unknown_session"}
        )
        await chat.shows("rate yet")

        assert await chat.finish() == 1

    assert frame[4] == {"rating": 4, "comment": "Quick and kind."}
    assert chat.lines[1:] == [
        "— a rating is from 1 to 5: /rate 5 Thank you!",
        "you: ★★★★☆ Quick and kind.",
        "— there is no conversation to rate yet",
    ]


ASKED = {"type": "confirm", "confirmId": "s1-2", "by": "customer", "title": "Table"}


def became(state: str) -> dict[str, Any]:
    return {"actions": [{"type": "confirmation", "confirmId": "s1-2", "state": state}]}


@pytest.mark.parametrize("given", ["yes", "no"])
async def test_a_question_is_answered_by_a_command(listener: Listener, given: str) -> None:
    state, told = {"yes": ("approved", "confirmed"), "no": ("rejected", "declined")}[given]
    async with chatting(listener.url) as chat:
        await chat.type("/yes", "hi")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        message_id = await store(peer, 1)
        await answer(peer, 3, "Shall I?", message_id, actions=[ASKED], prevSeq=1)
        await chat.shows("answer with /yes or /no")

        await chat.type(f"/{given}")
        request = await peer.receive("confirm_action")
        said = {"message": "Da", "messageId": "m4", "sessionId": "s1", "seq": 4, "prevSeq": 3}
        await peer.push(TOPIC, "user_message", {**said, **became(state)})
        await peer.reply(request, "ok", {"confirmId": "s1-2", "answer": given})
        await answer(peer, 5, "Fine.", "m4", **became(state if given == "no" else "done"))
        assert await chat.finish() == 0

    assert request[4] == {"confirmId": "s1-2", "answer": given}
    assert chat.lines[1] == "— nothing waits for your yes"
    shown = "\n".join(chat.lines[4:])
    assert shown.startswith(f"— answer with /yes or /no\nyou: Da\n— {told}")
    assert shown.endswith("ai: Fine.\n— done" if given == "yes" else "ai: Fine.")


async def test_a_question_that_a_colleague_is_asked_and_its_refusal_are_shown(
    listener: Listener,
) -> None:
    at = {"by": "coordinator", "expiresAt": "2026-01-31T12:00:00.000Z"}
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        message_id = await store(peer, 1)
        await answer(peer, 3, "I ask.", message_id, actions=[{**ASKED, **at}], prevSeq=1)
        await chat.shows("— waiting for a colleague's yes, until 31.01.2026")
        await answer(peer, 4, "They said no.", **became("rejected"))
        await chat.shows("— declined: nothing was done")

        assert await chat.finish() == 0


async def test_an_answer_that_comes_too_late_is_refused_in_words(listener: Listener) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        await answer(peer, 2, "Shall I?", await store(peer, 1), actions=[ASKED])
        await chat.shows("answer with /yes or /no")
        await chat.type("/yes")
        await peer.reply(await peer.receive("confirm_action"), "error", {"reason": "expired"})

        assert await chat.finish() == 1

    assert chat.lines[-1] == "— it is too late to answer: nothing was done"


async def test_no_control_characters_of_the_server_are_printed(listener: Listener) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        await answer(peer, 2, "\x1b[2J\x9b31mred\r\nline two", await store(peer, 1))

        assert await chat.finish() == 0

    assert chat.lines[2:] == ["ai: [2J31mred", "line two"]


async def test_a_transfer_shows_the_status_and_the_coordinators_messages(
    listener: Listener,
) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("/transfer Vreau un om")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        request = await peer.receive("transfer_to_live_chat")
        status = {"sessionId": "s1", "status": "waiting", "transferId": "t1"}
        await peer.push(
            TOPIC, "conversation_status", {**status, "seq": 2, "reason": "user_request"}
        )
        await peer.reply(request, "ok", {**status, "liveChat": None})
        await peer.push(TOPIC, "conversation_status", {**status, "seq": 3, "reason": "delivered"})
        for queue in ((2, 200), (2, 200), (1, None), ("1", -1)):
            await peer.push(TOPIC, "queue", dict(zip(("place", "waitS"), queue, strict=True)))
        live = {"sessionId": "s1", "status": "live", "seq": 4, "coordinatorId": "ana"}
        await peer.push(TOPIC, "conversation_status", live)
        spoken = {"message": "Bună, sunt Ana.", "sessionId": "s1", "seq": 5, "coordinatorId": "ana"}
        await peer.push(TOPIC, "agent_message", spoken)
        await peer.push(TOPIC, "agent_message", spoken)
        await chat.shows("Ana.\n")
        await chat.type("/end")
        end = await peer.receive("end_live_chat")
        await peer.reply(end, "ok", {"sessionId": "s1", "status": "ai"})

        assert await chat.finish() == 0

    assert request[4]["message"] == "Vreau un om"
    assert chat.lines[1:] == [
        "you: Vreau un om",
        "— waiting for a human (user_request)",
        "— you are number 2; it takes about 3 min",
        "— you are next",
        "— live chat with ana",
        "ana: Bună, sunt Ana.",
        "— the AI answers",
    ]


async def test_after_a_lost_connection_nothing_is_lost_sent_or_shown_twice(
    listener: Listener,
) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("one")
        first = await listener.accept()
        await first.accept_join(NOTHING)
        await answer(first, 2, "answer one", await store(first, 1))
        await chat.shows("answer one\n")
        await chat.type("two")
        unacknowledged = await first.receive("new_message")
        await first.drop()

        second = await listener.accept()
        message_id = unacknowledged[4]["messageId"]
        missed = [entry(3, "user", "two", message_id), entry(4, "coordinator", "while away")]
        known = {"sessionId": "s1", "status": "ai", "seq": 4, "messages": missed, "more": False}
        rejoin = await second.accept_join(known)
        again = await second.receive("new_message")
        stored = {"messageId": message_id, "seq": 3, "sessionId": "s1", "status": "ai"}
        await second.reply(again, "ok", {**stored, "duplicate": True})
        await answer(second, 5, "answer two", message_id)

        assert await chat.finish() == 0

    assert rejoin[4]["lastSeq"] == 2
    assert again[4] == unacknowledged[4]
    reason = next(line for line in chat.lines if "connection lost" in line)
    assert chat.lines[1:] == [
        *("you: one", "ai: answer one", "you: two", reason, "— connected again"),
        *("— while the connection was down:", "human: while away", "ai: answer two"),
    ]


async def test_an_answer_during_an_outage_counts_as_the_answer(
    listener: Listener,
) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("one")
        first = await listener.accept()
        await first.accept_join(NOTHING)
        await store(first, 1)
        await first.drop()

        second = await listener.accept()
        missed = [entry(2, "ai", "the answer")]
        known = {"sessionId": "s1", "status": "ai", "seq": 2, "messages": missed, "more": False}
        rejoin = await second.accept_join(known)

        assert await chat.finish() == 0

    assert rejoin[4]["lastSeq"] == 1
    assert chat.lines[-1] == "ai: the answer"


async def test_more_missed_messages_than_a_page_are_fetched_and_shown_in_order(
    listener: Listener,
) -> None:
    async with chatting(listener.url) as chat:
        peer = await listener.accept()
        await peer.accept_join({**NOTHING, "sessionId": "s1", "seq": 1, "status": "live"})
        await chat.shows("live chat")
        await peer.drop()

        again = await listener.accept()
        page = [entry(seq, "coordinator", f"n{seq}") for seq in (2, 3)]
        known = {"sessionId": "s1", "status": "live", "seq": 5, "messages": page, "more": True}
        await again.accept_join(known)
        history = await again.receive("history")
        page = [entry(seq, "coordinator", f"n{seq}") for seq in (3, 4, 5)]
        await again.reply(history, "ok", {"messages": page, "more": True})

        assert await chat.finish() == 0

    assert history[4]["beforeSeq"] == 6
    assert [line for line in chat.lines if line.startswith("human")] == [
        f"human: n{seq}" for seq in (2, 3, 4, 5)
    ]


async def test_a_seq_that_jumps_is_no_gap_where_the_entry_before_it_is_known(
    listener: Listener,
) -> None:
    def note(seq: int, prev_seq: int) -> dict[str, Any]:
        return {**entry(seq, "coordinator", f"n{seq}"), "prevSeq": prev_seq}

    async with chatting(listener.url) as chat:
        peer = await listener.accept()
        await peer.accept_join({**NOTHING, "sessionId": "s1", "seq": 1, "status": "live"})
        for spoken in (note(5, 1), note(8, 5)):
            await peer.push(TOPIC, "agent_message", {**spoken, "sessionId": "s1"})
        await chat.shows("n8")
        await peer.drop()

        again = await listener.accept()
        live = {"sessionId": "s1", "status": "live", "more": True}
        page = [note(10, 8), note(13, 10)]
        rejoin = await again.accept_join({**live, "seq": 20, "messages": page})
        newest = await again.receive("history")
        await again.reply(newest, "ok", {"messages": [note(18, 16), note(20, 18)], "more": True})
        before = await again.receive("history")
        page = [note(8, 5), note(10, 8), note(13, 10), note(16, 13)]
        await again.reply(before, "ok", {"messages": page, "more": True})

        assert await chat.finish() == 0

    assert rejoin[4]["lastSeq"] == 8
    assert [newest[4]["beforeSeq"], before[4]["beforeSeq"]] == [21, 17]
    assert [line for line in chat.lines if line.startswith("human")] == [
        f"human: n{seq}" for seq in (5, 8, 10, 13, 16, 18, 20)
    ]


async def test_an_acknowledgement_that_names_no_entry_before_it_is_no_gap_for_ever(
    listener: Listener,
) -> None:
    live = {**NOTHING, "sessionId": "s1", "status": "live"}
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        first = await listener.accept()
        await first.accept_join({**live, "seq": 3})
        message_id = await store(first, 5, "live")  # 4 is not the customer's
        await first.drop()
        second = await listener.accept()
        missed = [
            {**entry(5, "user", "hi", message_id), "prevSeq": 3},
            {**entry(7, "coordinator", "hello"), "prevSeq": 5},
        ]
        rejoin = await second.accept_join({**live, "seq": 7, "messages": missed})
        await chat.shows("human: hello")
        await second.drop()
        last = await (await listener.accept()).accept_join({**live, "seq": 7})

        assert await chat.finish() == 0

    assert [rejoin[4]["lastSeq"], last[4]["lastSeq"]] == [3, 7]
    assert [line for line in chat.lines if not line.startswith("—")] == ["you: hi", "human: hello"]


async def test_history_shows_older_messages(listener: Listener) -> None:
    async with chatting(listener.url) as chat:
        peer = await listener.accept()
        newest = [entry(3, "user", "c"), entry(4, "ai", "d")]
        known = {"sessionId": "s1", "status": "ai", "seq": 4, "messages": newest, "more": True}
        await peer.accept_join(known)
        await chat.shows("older messages")
        await chat.type("/history")
        request = await peer.receive("history")
        older = [entry(1, "user", "a"), entry(2, "ai", "b")]
        await peer.reply(request, "ok", {"messages": older, "more": False})

        assert await chat.finish() == 0

    assert request[4]["beforeSeq"] == 3
    spoken = [line for line in chat.lines if not line.startswith("—")]
    assert spoken == ["you: c", "ai: d", "you: a", "ai: b"]


async def test_history_shows_nothing_again_of_a_conversation_that_began_here(
    listener: Listener,
) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        await answer(peer, 2, "hello", await store(peer, 1))
        await chat.shows("hello")
        await chat.type("/history")
        page = await peer.receive("history")
        await peer.reply(page, "ok", {"messages": [], "more": False})

        assert await chat.finish() == 0

    assert page[4]["beforeSeq"] == 1
    assert chat.lines[-1] == "— there are no older messages"


async def test_a_refused_join_ends_the_chat_with_a_reason(listener: Listener) -> None:
    async with chatting(listener.url, "--token", "header.payload.signature") as chat:
        peer = await listener.accept()
        join = await peer.receive("phx_join")
        await peer.reply(join, "error", {"reason": "unauthorized"})

        assert await chat.end() == 1

    assert join[4]["token"] == "header.payload.signature"
    assert peer.offered[1].startswith("base64url.bearer.phx.")
    assert "the token is missing, wrong or expired" in chat.printed


async def test_a_refused_connection_ends_the_chat_with_a_reason() -> None:
    def refuse(websocket: ServerConnection, request: Request) -> Response:
        return websocket.respond(http.HTTPStatus.FORBIDDEN, "")

    async with listening(refuse) as listener, chatting(listener.url) as chat:
        assert await chat.end() == 1

    assert "check the token and the address" in chat.printed


async def test_a_refused_message_is_reported_and_fails_the_pipe(listener: Listener) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("x" * 9000)
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        await peer.reply(await peer.receive(), "error", {"reason": "message_too_long"})

        assert await chat.finish() == 1

    assert chat.lines[-1] == "— the message is too long: 8,000 characters at most; not sent"


async def test_a_message_in_flight_at_two_closes_in_a_row_is_given_up_and_the_next_is_sent(
    listener: Listener,
) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("it ends every socket", "the next")
        for _ in range(2):
            peer = await listener.accept()
            await peer.accept_join(NOTHING)
            assert (await peer.receive("new_message"))[4]["message"] == "it ends every socket"
            await peer.drop()
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        await answer(peer, 2, "answer", await store(peer, 1))

        assert await chat.finish() == 1

    assert "— the connection was lost twice with your message: not sent" in chat.lines
    assert chat.lines[-1] == "ai: answer"


async def test_a_rate_limited_message_is_sent_again_after_the_pause(listener: Listener) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        first = await peer.receive("new_message")
        await peer.reply(first, "error", {"reason": "rate_limited", "retryAfterMs": 10})
        message_id = await store(peer, 1)
        await answer(peer, 2, "hello", message_id)

        assert await chat.finish() == 0

    assert message_id == first[4]["messageId"]


async def test_without_an_answer_the_pipe_ends_after_its_patience(listener: Listener) -> None:
    async with chatting(listener.url, "--patience", "0.2") as chat:
        await chat.type("hi")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        await store(peer, 1)

        assert await chat.finish() == 1

    assert chat.lines[-1] == "— no answer within 0.2 s"


async def test_an_unreachable_server_is_reported_once() -> None:
    async with listening() as gone:
        url = gone.url

    async with chatting(url, "--patience", "0.5") as chat:
        await chat.type("hi")

        assert await chat.finish() == 1

    assert len([line for line in chat.lines if "cannot connect" in line]) == 1


@pytest.mark.parametrize(
    ("url", "options", "expected"),
    [
        ("http://127.0.0.1/socket/websocket", [], "not a WebSocket URL"),
        ("ws://127.0.0.1/socket/websocket", ["--user", "u 1"], "userId must be 1-128 characters"),
        ("ws://127.0.0.1/socket/websocket", ["--token", ""], "the token cannot be sent"),
    ],
)
async def test_a_bad_argument_is_reported_by_name(
    url: str, options: list[str], expected: str
) -> None:
    async with chatting(url, *options) as chat:
        assert await chat.end() == 2

    assert expected in chat.printed


async def test_local_commands_need_no_server(listener: Listener) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("/help", "/dance", "", "/quit")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)

        assert await chat.end() == 0

    assert "/transfer [text]" in chat.printed
    assert "there is no command /dance: /help" in chat.printed


class Person:
    """A person at a terminal with the process in it."""

    def __init__(self, process: asyncio.subprocess.Process, terminal: int) -> None:
        self.process = process
        self._terminal = terminal
        self.printed = ""

    def type(self, line: str) -> None:
        os.write(self._terminal, f"{line}\n".encode())

    async def sees(self, text: str) -> None:
        """Wait until a text was printed."""
        while text not in self.printed:
            self.printed += (await asyncio.to_thread(os.read, self._terminal, 4096)).decode()


@asynccontextmanager
async def at_a_terminal(url: str) -> AsyncIterator[Person]:
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "chat", "--url", url, "--business", "b1", "--user", "u1"),
        **{"cwd": ROOT, "stdin": theirs, "stdout": theirs},  # type: ignore[arg-type]
    )
    try:
        yield Person(process, ours)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(ours)
        os.close(theirs)


async def test_a_person_at_a_terminal_gets_a_prompt_and_leaves_at_once(listener: Listener) -> None:
    async with at_a_terminal(listener.url) as person:
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        person.type("hi")
        message_id = await store(peer, 1)
        await delta(peer, "r2", 0, "hel")
        await answer(peer, 2, "hello", message_id)
        await person.sees("hello\r\n")
        person.type("/help")
        await person.sees("/quit")
        person.type("/quit")

        assert await person.process.wait() == 0

    assert "\033[1mai:\033[0m hello" in person.printed
    assert "> " in person.printed
    assert "> >" not in person.printed
    assert "you:" not in person.printed


async def test_an_answer_goes_on_after_a_line_that_was_typed_in_between(
    listener: Listener,
) -> None:
    async with at_a_terminal(listener.url) as person:
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        person.type("hi")
        message_id = await store(peer, 1)
        await delta(peer, "r3", 0, "One")
        await person.sees("One")
        person.type("and?")
        await store(peer, 2)
        await delta(peer, "r3", 1, " two")
        await person.sees("\033[1mai:\033[0m … two")
        await answer(peer, 3, "One two three", message_id)
        await person.sees("… two three\r\n")


async def test_a_person_stops_an_answer_by_ctrl_c_and_leaves_by_another(
    listener: Listener,
) -> None:
    async with at_a_terminal(listener.url) as person:
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        person.type("hi")
        message_id = await store(peer, 1)
        await delta(peer, "r2", 0, "One")
        await person.sees("One")
        person.process.send_signal(signal.SIGINT)
        await peer.reply(await peer.receive("stop_answer"), "ok", {"responseId": "r2"})
        await answer(peer, 2, "One", message_id)
        person.type("more")
        await store(peer, 3)
        await delta(peer, "r4", 0, "Two")
        await person.sees("Two")
        person.process.send_signal(signal.SIGINT)
        await peer.receive("stop_answer")  # it never answers
        person.process.send_signal(signal.SIGINT)

        assert await person.process.wait() == 130


async def test_a_restarted_answer_is_shown_from_its_new_beginning(
    listener: Listener,
) -> None:
    async with chatting(listener.url) as chat:
        await chat.type("hi")
        peer = await listener.accept()
        await peer.accept_join(NOTHING)
        message_id = await store(peer, 1)
        await delta(peer, "r2", 0, "The first ")
        await delta(peer, "r2", 1, "try")
        await delta(peer, "r2", 0, "The second ")
        await chat.shows("ai: The second")
        await answer(peer, 2, "The second try.", message_id)

        assert await chat.finish() == 0

    assert chat.lines[1:] == ["you: hi", "ai: The first try", "ai: The second try."]
