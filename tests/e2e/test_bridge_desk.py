"""The coordinators' desk of the reference bridge: lists, search, notes, and who has what."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.bridge.agent_server import HttpAgentServer
from adapters.phoenix.client_connection import ChannelStatus, PhoenixChannel, PushError
from domain.errors import SessionClosed
from domain.identity import CoordinatorId, SessionId
from tests.e2e.test_bridge import (
    CONTEXT,
    CONVERSATION,
    LATER,
    MESSAGE,
    NO_SERVER,
    SETTINGS,
    TRANSFER,
    Bridge,
    heard,
    serving,
    visiting,
)

HOSTILE_QUERIES = ['"', "*", "NEAR(a b)", "a OR b", "text:x", "😀", "x" * 10_000, "'", "-zz"]


@pytest.fixture
async def bridge() -> AsyncIterator[Bridge]:
    async with serving() as bridge:
        yield bridge


async def refusal(channel: PhoenixChannel, event: str, **payload: Any) -> str:
    """Return the code with which an event is refused."""
    with pytest.raises(PushError) as refused:
        await channel.push(event, payload)
    reason: str = refused.value.response["reason"]
    return reason


async def in_order(channel: PhoenixChannel, *events: str) -> list[Any]:
    """Return the payloads of the next of each event, in this order."""
    return [await heard(channel, event) for event in events]


# The join.


async def test_a_join_says_who_joins_what_the_business_has_and_what_calls(bridge: Bridge) -> None:
    await bridge.post("/api/ai-conversation", CONVERSATION)
    await bridge.post("/api/notifications", TRANSFER)
    await bridge.post("/api/ai-conversation", {**CONVERSATION, "sessionId": "s2", "userId": "dan"})

    _, board = await bridge.coordinator("maria")

    assert board["coordinatorId"] == "maria"
    assert (board["business"]["name"], board["awayAfterS"]) == ("Bistro Verde", 180)
    assert [chat["sessionId"] for chat in board["chats"]] == ["s1"]
    assert board["counts"] == {"waiting": 1, "live": 0, "ai": 1, "missed": 0, "asked": 0}
    assert "context" not in board["chats"][0]


async def test_a_row_has_the_last_message_and_those_that_nobody_has_answered(
    bridge: Bridge,
) -> None:
    desk, _ = await bridge.coordinator("maria")
    await bridge.post("/api/ai-conversation", CONVERSATION)
    asked = (await heard(desk, "notification"))["chat"]
    await bridge.post("/api/ai-context", CONTEXT)
    answered = (await heard(desk, "notification"))["chat"]

    assert (asked["unanswered"], asked["unansweredSince"]) == (1, asked["last"]["at"])
    assert (asked["last"]["author"], asked["last"]["text"]) == ("user", "Ce program aveți?")
    assert (answered["unanswered"], answered["unansweredSince"]) == (0, None)
    assert (answered["last"]["author"], answered["last"]["at"]) == ("ai", LATER)


async def test_coordinators_follow_conversations_with_the_ai_and_customers_do_not(
    bridge: Bridge,
) -> None:
    desk, _ = await bridge.coordinator("maria")
    chat, _ = await bridge.chat()
    await bridge.post("/api/ai-conversation", CONVERSATION)
    followed = await heard(desk, "live_message")
    await bridge.post("/api/messages", {**MESSAGE, "messageId": "m9"})

    first_in_chat = await heard(chat, "user_message")

    assert (followed["sessionId"], followed["userId"]) == ("s1", "ana")
    assert followed["message"] == "Ce program aveți?"
    assert first_in_chat["messageId"] == "m9"


async def test_the_counts_follow_every_change(bridge: Bridge) -> None:
    desk, board = await bridge.coordinator("maria")
    await bridge.post("/api/ai-conversation", CONVERSATION)
    with_ai = await heard(desk, "counts")
    await bridge.post("/api/notifications", TRANSFER)
    waiting = await heard(desk, "counts")
    await desk.push("claim", {"sessionId": "s1"})
    live = await heard(desk, "counts")
    await desk.push("close", {"sessionId": "s1"})
    closed = await heard(desk, "counts")

    none = {"waiting": 0, "live": 0, "ai": 0, "missed": 0, "asked": 0}
    assert board["counts"] == closed == none
    assert with_ai == {**none, "ai": 1}
    assert waiting == {**none, "waiting": 1}
    assert live == {**none, "live": 1}


# Lists and search.


async def test_a_list_has_the_newest_activity_first_page_by_page(bridge: Bridge) -> None:
    for number in range(120):
        at = f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000Z"
        said = {**CONVERSATION, "sessionId": f"s{number}", "userId": f"u{number % 3}"}
        await bridge.post("/api/ai-conversation", {**said, "timestamp": at})
    desk, _ = await bridge.coordinator("maria")

    shown: list[list[str]] = []
    cursor = None
    while cursor is not None or not shown:
        page = await desk.push("list", {"view": "open", **({"cursor": cursor} if cursor else {})})
        shown.append([chat["sessionId"] for chat in page["chats"]])
        cursor = page["cursor"]
    of_user = await desk.push("list", {"view": "all", "userId": "u1"})

    assert [len(each) for each in shown] == [50, 50, 20]
    assert [each for page in shown for each in page] == [f"s{n}" for n in range(119, -1, -1)]
    assert {chat["userId"] for chat in of_user["chats"]} == {"u1"}
    assert len(of_user["chats"]) == 40


async def test_history_has_the_closed_and_open_the_others(bridge: Bridge) -> None:
    await bridge.post("/api/ai-conversation", CONVERSATION)
    await bridge.post("/api/ai-conversation", {**CONVERSATION, "sessionId": "s2"})
    await bridge.tell_status("closed")
    desk, _ = await bridge.coordinator("maria")

    views = {
        view: [chat["sessionId"] for chat in (await desk.push("list", {"view": view}))["chats"]]
        for view in ("open", "history")
    }

    assert views == {"open": ["s2"], "history": ["s1"]}


async def test_a_search_finds_words_notes_and_users_without_diacritics(bridge: Bridge) -> None:
    said = {**CONVERSATION, "message": "Aș dori o masă în grădină."}
    await bridge.post("/api/ai-conversation", said)
    await bridge.post("/api/notifications", TRANSFER)
    await bridge.post("/api/messages", {**MESSAGE, "message": "Pentru Ștefan"})
    desk, _ = await bridge.coordinator("maria")
    note = {"sessionId": "s1", "noteId": "n1", "text": "Alergic la arahide"}
    await desk.push("note", note)

    async def found(query: str) -> list[str]:
        page = await desk.push("list", {"view": "all", "query": query})
        return [chat["sessionId"] for chat in page["chats"]]

    for query in ("MASA", "gradi", "stefan", "ștef", "arahide", "ana", "masa stefan", "masă  ala "):
        assert await found(query) == (["s1"] if query != "masă  ala " else []), query
    for query in ("mas gradina", "dan", "dori dan", *HOSTILE_QUERIES):
        assert await found(query) == [], query


async def test_a_cursor_of_nobodys_is_refused(bridge: Bridge) -> None:
    desk, _ = await bridge.coordinator("maria")

    for cursor in ("", "x", "1,2,3", "9" * 63, "1,' OR 1"):
        assert await refusal(desk, "list", view="all", cursor=cursor) == "invalid_payload"


async def test_no_other_business_finds_a_conversation(bridge: Bridge) -> None:
    await bridge.post("/api/ai-conversation", CONVERSATION)
    there = {"businessId": "b2", "coordinatorId": "ion"}
    desk, _ = await bridge.join("coordinators:b2", **there)

    page = await desk.push("list", {"view": "all", "query": "program"})

    assert page == {"chats": [], "cursor": None}
    assert await refusal(desk, "open", sessionId="s1") == "unknown_session"
    note = {"sessionId": "s1", "noteId": "n1", "text": "x"}
    assert await refusal(desk, "note", **note) == "unknown_session"
    for event in ("forward", "requeue", "claim"):
        assert await refusal(desk, event, sessionId="s1", to="ion") == "unknown_session"


# A conversation.


async def test_an_opened_conversation_has_its_context_messages_notes_and_the_earlier_ones(
    bridge: Bridge,
) -> None:
    await bridge.post("/api/ai-conversation", {**CONVERSATION, "sessionId": "s0"})
    await bridge.post("/api/ai-conversation", CONVERSATION)
    await bridge.post("/api/ai-context", CONTEXT)
    await bridge.post("/api/notifications", TRANSFER)
    desk, _ = await bridge.coordinator("maria")
    await desk.push("claim", {"sessionId": "s1"})

    opened = await desk.push("open", {"sessionId": "s1"})

    assert opened["chat"]["context"] == TRANSFER["context"]
    assert opened["chat"]["transferId"] == "t1"
    assert [each["author"] for each in opened["messages"]] == ["user", "ai"]
    assert [note["event"] for note in opened["notes"]] == [{"type": "claimed"}]
    assert [chat["sessionId"] for chat in opened["earlier"]] == ["s0"]
    assert opened["customerOnline"] is None


async def test_a_note_reaches_every_coordinator_and_no_customer(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    maria, _ = await bridge.coordinator("maria")
    ion, _ = await bridge.coordinator("ion")
    chat, _ = await bridge.chat()
    note = {"sessionId": "s1", "noteId": "n1", "text": " Alergic la arahide \x07"}

    stored = await maria.push("note", note)
    again = await maria.push("note", {**note, "text": "Altceva"})
    pushed = await heard(ion, "note")
    await bridge.post("/api/messages", {**MESSAGE, "messageId": "m9"})
    in_chat = [name async for name in _until(chat, "user_message")]
    _, joined = await bridge.chat()

    assert stored == again == pushed
    assert (stored["text"], stored["coordinatorId"]) == ("Alergic la arahide", "maria")
    assert stored["event"] is None
    assert in_chat == ["user_message"]
    assert [each["messageId"] for each in joined["messages"]] == ["m9"]


async def test_an_erased_customer_leaves_the_boards_and_every_list(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    await bridge.post("/api/messages", MESSAGE)
    desk, _ = await bridge.coordinator("maria")

    first = await bridge.http.delete("/api/users/b1/ana")
    again = await bridge.http.delete("/api/users/b1/ana")
    gone = await heard(desk, "notification")

    assert (first.status_code, first.json()) == (200, {"conversations": 1})
    assert again.json() == {"conversations": 0}
    assert (gone["type"], gone["chat"]["sessionId"], gone["chat"].get("last")) == (
        "gone",
        "s1",
        None,
    )
    assert (await desk.push("list", {"view": "all"}))["chats"] == []
    assert await refusal(desk, "open", sessionId="s1") == "unknown_session"
    _, joined = await bridge.chat()
    assert joined["messages"] == []


async def _until(channel: PhoenixChannel, event: str) -> AsyncIterator[str]:
    async for name, _ in channel:
        if isinstance(name, str) and not isinstance(name, ChannelStatus):
            yield name
        if name == event:
            return


async def test_a_note_is_refused_that_is_blank_too_long_or_has_a_hostile_id(
    bridge: Bridge,
) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    desk, _ = await bridge.coordinator("maria")
    good = {"sessionId": "s1", "noteId": "n1", "text": "x"}

    for bad in ({"text": " \u200b"}, {"text": "x" * 4_001}, {"noteId": "a b"}, {"text": 7}):
        assert await refusal(desk, "note", **{**good, **bad}) == "invalid_payload"


# Who has it.


async def test_a_conversation_is_forwarded_to_a_colleague_who_is_there(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    maria, _ = await bridge.coordinator("maria")
    await maria.push("claim", {"sessionId": "s1"})
    forward = {"sessionId": "s1", "to": "ion", "summary": "Vrea o masă."}
    assert await refusal(maria, "forward", **forward) == "not_there"
    ion, _ = await bridge.coordinator("ion")

    chat = await maria.push("forward", forward)
    note = await heard(ion, "note")

    assert (chat["status"], chat["coordinatorId"], chat["pending"]) == ("live", "ion", True)
    assert chat["summary"] == "Vrea o masă."
    assert note["event"] == {"type": "forwarded", "to": "ion"}
    assert (note["coordinatorId"], note["text"]) == ("maria", "Vrea o masă.")
    assert await refusal(maria, "forward", **forward) == "already_claimed"


async def test_a_conversation_goes_back_to_the_queue(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    maria, _ = await bridge.coordinator("maria")
    ion, _ = await bridge.coordinator("ion")
    await maria.push("claim", {"sessionId": "s1"})
    assert await refusal(ion, "requeue", sessionId="s1") == "already_claimed"

    chat = await maria.push("requeue", {"sessionId": "s1"})
    again = await heard(ion, "notification", type="waiting")

    assert (chat["status"], chat["coordinatorId"], chat["pending"]) == ("waiting", None, True)
    assert again["chat"]["waitingSince"] == chat["waitingSince"] < chat["since"]


async def test_a_coordinator_steps_into_a_conversation_with_the_ai(bridge: Bridge) -> None:
    await bridge.post("/api/ai-conversation", CONVERSATION)
    desk, _ = await bridge.coordinator("maria")
    assert await refusal(desk, "claim", sessionId="s1") == "transition_refused"

    chat = await desk.push("claim", {"sessionId": "s1", "takeOver": True})
    note = await heard(desk, "note")

    assert (chat["status"], chat["coordinatorId"]) == ("live", "maria")
    assert note["event"] == {"type": "taken_over"}


async def test_a_chat_goes_back_to_the_queue_whose_coordinator_stays_away() -> None:
    async with serving(replace(SETTINGS, bridge_away_s=1)) as bridge:
        await bridge.post("/api/notifications", TRANSFER)
        ion, board = await bridge.coordinator("ion")
        async with visiting(bridge.address) as elsewhere:
            maria, _ = await elsewhere.coordinator("maria")
            await maria.push("claim", {"sessionId": "s1"})

        back = await heard(ion, "notification", type="waiting")
        note = await heard(ion, "note")

    assert board["awayAfterS"] == 1
    assert (back["chat"]["coordinatorId"], back["chat"]["pending"]) == (None, True)
    assert (note["event"], note["coordinatorId"]) == ({"type": "away"}, "maria")


# The presence of a customer.


async def test_a_customers_presence_is_passed_on_and_remembered(bridge: Bridge) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    program, _ = await bridge.chat()
    page, _ = await bridge.chat()
    desk, _ = await bridge.coordinator("maria")

    await program.push("customer", {"online": True})
    pushed = await heard(page, "customer")
    opened = await desk.push("open", {"sessionId": "s1"})
    program.leave()
    assert [name async for name, _ in program if name == "customer"] == []

    assert pushed == {"online": True}
    assert opened["customerOnline"] is True
    assert (await desk.push("open", {"sessionId": "s1"}))["customerOnline"] is None


# What needs the server.


async def test_what_needs_the_server_is_refused_while_it_is_away(bridge: Bridge) -> None:
    assert NO_SERVER
    await bridge.post("/api/notifications", TRANSFER)
    desk, _ = await bridge.coordinator("maria")
    whisper = {"sessionId": "s1", "messageId": "w1", "text": "Oferă-i desertul."}
    suggest = {"sessionId": "s1", "suggestionId": "g1"}

    assert await refusal(desk, "whisper", **whisper) == "server_unavailable"
    assert await refusal(desk, "suggest", **suggest) == "server_unavailable"
    assert await refusal(desk, "outcomes") == "server_unavailable"
    assert (await desk.push("open", {"sessionId": "s1"}))["notes"] == []
    async with asyncio.timeout(5):
        assert await desk.push("stop_suggestion", {"suggestionId": "g1"}) == {}


async def test_a_server_that_is_away_is_a_line_of_the_log_and_no_traceback(
    bridge: Bridge, caplog: pytest.LogCaptureFixture
) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    desk, _ = await bridge.coordinator("maria")

    await refusal(desk, "suggest", sessionId="s1", suggestionId="g1")
    await refusal(desk, "more", sessionId="s1")

    away = [each for each in caplog.records if "unavailable" in each.getMessage()]
    assert len(away) == 2
    assert [each.getMessage() for each in caplog.records if each.exc_info] == []


# Suggestions.


class Suggestions:
    """The server's suggestions: parts, each given once it is allowed, and how they have ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go_on = asyncio.Event()
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()
        self.refusal: Exception | None = None
        suggestions = self

        async def suggestion(
            _: HttpAgentServer, session_id: SessionId, coordinator_id: CoordinatorId
        ) -> AsyncIterator[str]:
            try:
                yield f"{session_id}, "
                suggestions.begun.set()
                await suggestions.go_on.wait()
                if suggestions.refusal is not None:
                    raise suggestions.refusal
                yield coordinator_id
            finally:
                suggestions.ended.set()

        monkeypatch.setattr(HttpAgentServer, "suggestion", suggestion)


@pytest.fixture
def suggestions(monkeypatch: pytest.MonkeyPatch) -> Suggestions:
    return Suggestions(monkeypatch)


SUGGEST = {"sessionId": "s1", "suggestionId": "g1"}


async def test_a_suggestion_comes_in_parts_to_who_asked_and_holds_nothing_up(
    bridge: Bridge, suggestions: Suggestions
) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    maria, _ = await bridge.coordinator("maria")
    ion, _ = await bridge.coordinator("ion")

    asked = asyncio.create_task(maria.push("suggest", SUGGEST))
    part = await heard(maria, "suggestion")
    await maria.push("list", {"view": "open"})  # answered meanwhile
    suggestions.go_on.set()
    reply = await asked
    await maria.push("note", {"sessionId": "s1", "noteId": "n1", "text": "x"})

    assert part == {"suggestionId": "g1", "delta": "s1, "}
    assert reply == {"text": "s1, maria"}
    assert "suggestion" not in [name async for name in _until(ion, "note")]


@pytest.mark.parametrize("end", ["stop", "another", "leave"])
async def test_a_suggestion_ends_when_it_is_not_wanted_any_more(
    bridge: Bridge, suggestions: Suggestions, end: str
) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    maria, _ = await bridge.coordinator("maria")
    asked = asyncio.create_task(maria.push("suggest", SUGGEST))
    await suggestions.begun.wait()

    if end == "stop":
        await maria.push("stop_suggestion", {"suggestionId": "g0"})
        assert not suggestions.ended.is_set()
        await maria.push("stop_suggestion", {"suggestionId": "g1"})
    elif end == "another":
        assert await refusal(maria, "suggest", sessionId="s1", suggestionId="a b")
        assert not suggestions.ended.is_set()
        another = maria.start_push("suggest", {**SUGGEST, "suggestionId": "g2"})
        with pytest.raises(PushError, match="stopped"):
            await asked
        suggestions.go_on.set()
        assert (await another.reply)["text"] == "s1, maria"
    else:
        maria.leave()

    async with asyncio.timeout(5):
        await suggestions.ended.wait()
    asked.cancel()


async def test_a_refused_suggestion_says_why(bridge: Bridge, suggestions: Suggestions) -> None:
    await bridge.post("/api/notifications", TRANSFER)
    maria, _ = await bridge.coordinator("maria")
    suggestions.refusal = SessionClosed()
    suggestions.go_on.set()

    assert await refusal(maria, "suggest", **SUGGEST) == "session_closed"
