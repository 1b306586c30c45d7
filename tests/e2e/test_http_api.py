"""The HTTP API of a real server, whose conversations come from real sockets."""

import asyncio
import logging
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from dependency_injector import providers
from websockets.asyncio.client import connect

from adapters.memory.store import MemoryStore
from application.ports import Backlog, Loaded
from domain.errors import StorageUnavailable
from domain.identity import SessionId
from domain.texts import Text, localized
from entrypoints.access.guards import MAX_BODY
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.dynamodb import over_the_stores, settings_of
from tests.support.server import running
from tests.support.user import User, user

JSON = {"Content-Type": "application/json"}
FORGED = urlsafe_b64encode(b"0001-01-01T00:00:00+14:00 -1").decode()


def settings(**chosen: Any) -> Settings:
    return Settings(**{"store": "memory", "scripted_delay_ms": 0, "turn_quiet_ms": 0, **chosen})


@pytest.fixture
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    async with running(create_app(settings(**settings_of(request, tmp_path)))) as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def empty() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that holds nothing, for tests that store nothing."""
    async with (
        running(create_app(settings())) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        yield client


@pytest.fixture
async def api(server: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://{server}") as client:
        yield client


class FaultyStore(MemoryStore):
    """A store that raises this whenever it is asked for a session or its outbox."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def load(self, session_id: SessionId) -> Loaded | None:
        raise self._error

    async def backlog(self) -> Backlog:
        raise self._error


@asynccontextmanager
async def faulty(error: Exception) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server whose store does that."""
    container = Container(settings=settings())
    container.store.override(providers.Object(FaultyStore(error)))
    app = create_app(settings(), container)
    async with (
        running(app) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        yield client


def moment(seconds: float = 0) -> str:
    """Return the time in so many seconds, as it is on the wire."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def said(one: User, text: str = "Bună!") -> str:
    """Join, send a message, await the answer, and return the session's id."""
    await one.join()
    acknowledged = await one.say(text)
    await one.wait_for("new_message")
    session_id: str = acknowledged["sessionId"]
    return session_id


async def put_status(
    api: httpx.AsyncClient, session_id: str, status: str, **body: Any
) -> httpx.Response:
    return await api.put(f"/api/conversation-status/{session_id}", json={"status": status, **body})


@pytest.mark.asyncio(loop_scope="module")
async def test_the_process_says_that_it_lives(empty: httpx.AsyncClient) -> None:
    answer = await empty.get("/health")

    assert answer.json() == {"status": "ok"}


@pytest.mark.asyncio(loop_scope="module")
async def test_readiness_names_each_dependency(empty: httpx.AsyncClient) -> None:
    answer = await empty.get("/health/ready")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "store": "ok",
        "assistant": "ok",
        "bridge": "none",
        "broker": "none",
    }


async def test_without_its_store_the_server_is_not_ready() -> None:
    async with faulty(StorageUnavailable()) as api:
        answer = await api.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["status"] == answer.json()["store"] == "down"


async def test_without_its_store_the_server_still_shows_its_metrics() -> None:
    async with faulty(StorageUnavailable()) as api:
        answer = await api.get("/metrics")

    assert answer.status_code == 200
    assert "ai_agent_outbox_depth -1.0" in answer.text


async def test_the_metrics_count_what_happens_and_name_nobody(
    api: httpx.AsyncClient, server: str
) -> None:
    async with user(server, "b1", "maria-7") as maria:
        session_id = await said(maria)
        await api.get("/api/conversations/none")

        text = (await api.get("/metrics")).text

    assert "ai_agent_sockets_open 1.0" in text
    assert 'ai_agent_joins_total{outcome="ok"} 1.0' in text
    assert 'ai_agent_turns_total{outcome="answered"} 1.0' in text
    assert "ai_agent_turn_seconds_count 1.0" in text
    assert "ai_agent_outbox_depth 0.0" in text
    assert 'ai_agent_refusals_total{reason="unknown_session"} 1.0' in text
    assert "maria-7" not in text
    assert session_id not in text


async def test_a_close_code_that_a_client_makes_up_makes_no_metric_of_its_own(
    api: httpx.AsyncClient, server: str
) -> None:
    for code in (1000, 3001, 4999):
        async with connect(f"ws://{server}/socket/websocket", compression=None) as socket:
            await socket.close(code)
    async with user(server) as one:
        await one.join()

        text = (await api.get("/metrics")).text

    assert 'ai_agent_sockets_closed_total{code="1000"} 1.0' in text
    assert 'ai_agent_sockets_closed_total{code="other"} 2.0' in text


async def test_a_head_tells_who_owns_the_conversation(api: httpx.AsyncClient, server: str) -> None:
    async with user(server) as one:
        session_id = await said(one)

        head = (await api.get(f"/api/conversations/{session_id}")).json()

    assert head["updatedAt"].endswith("Z")
    assert head == {
        "sessionId": session_id,
        "businessId": "b1",
        "userId": "u1",
        "locationId": "l1",
        "status": "ai",
        "reason": None,
        "epoch": 0,
        "seq": 2,
        "summary": None,
        "openedAt": head["openedAt"],
        "updatedAt": head["updatedAt"],
        "transfer": None,
        "digest": None,
        "usage": None,
        "language": None,
        "missed": None,
        "confirmation": None,
        "rating": None,
    }


async def listed(api: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await api.get("/api/conversations", params=query)
    return [head["userId"] for head in answer.json()["conversations"]]


async def test_a_listing_shows_what_it_is_asked_for_newest_first(
    api: httpx.AsyncClient, server: str
) -> None:
    for business_id, user_id in (("b1", "u1"), ("b2", "u2"), ("b1", "u3")):
        async with user(server, business_id, user_id) as one:
            session_id = await said(one)
    await put_status(api, session_id, "live")

    assert await listed(api) == ["u3", "u2", "u1"]
    assert await listed(api, businessId="b1") == ["u3", "u1"]
    assert await listed(api, status="live") == ["u3"]
    assert await listed(api, businessId="b1", status="ai") == ["u1"]
    assert await listed(api, businessId="b2", userId="u2") == ["u2"]
    assert await listed(api, businessId="b2", userId="u1") == []


async def test_a_listing_loses_and_repeats_nothing_while_conversations_move(
    api: httpx.AsyncClient, server: str
) -> None:
    for number in range(5):
        async with user(server, user_id=f"u{number}") as one:
            await said(one)
    first = (await api.get("/api/conversations?limit=2")).json()
    async with user(server, user_id="u4") as one:  # has been listed, and moves to the front
        await said(one)

    rest = await listed(api, limit=100, cursor=first["cursor"])

    assert [head["userId"] for head in first["conversations"]] == ["u4", "u3"]
    assert rest == ["u2", "u1", "u0"]


async def test_the_last_page_of_a_listing_has_no_cursor(
    api: httpx.AsyncClient, server: str
) -> None:
    async with user(server) as one:
        await said(one)

    page = (await api.get("/api/conversations?limit=1")).json()

    assert len(page["conversations"]) == 1
    assert page["cursor"] is None


@pytest.mark.parametrize(
    ("query", "seqs", "more"),
    [
        ("", [1, 2, 3, 4], False),
        ("?limit=3", [1, 2, 3], True),
        ("?after=1&limit=2", [2, 3], True),
        ("?after=2", [3, 4], False),
        ("?after=4", [], False),
        ("?before=4&limit=2", [2, 3], True),
        ("?before=3&limit=2", [1, 2], False),
        ("?before=1", [], False),
        ("?after=1&before=4", [2, 3], False),
        ("?after=1&before=4&limit=1", [3], True),
    ],
)
async def test_messages_come_in_pages_by_seq(
    api: httpx.AsyncClient, server: str, query: str, seqs: list[int], more: bool
) -> None:
    async with user(server) as one:
        session_id = await said(one)
        await one.say("Mulțumesc!")
        await one.wait_for("new_message")

    page = (await api.get(f"/api/conversations/{session_id}/messages{query}")).json()

    assert [entry["seq"] for entry in page["messages"]] == seqs
    assert page["more"] is more


async def test_a_page_has_messages_and_status_changes(api: httpx.AsyncClient, server: str) -> None:
    async with user(server) as one:
        session_id = await said(one)
    await put_status(api, session_id, "live", coordinatorId="ana")

    page = (await api.get(f"/api/conversations/{session_id}/messages")).json()
    kinds = [
        (entry["kind"], entry.get("author", entry.get("status"))) for entry in page["messages"]
    ]

    assert kinds == [
        ("message", "user"),
        ("message", "ai"),
        ("status", "live"),
        ("message", "system"),
    ]


async def test_the_context_package_tells_a_coordinator_what_to_know(
    api: httpx.AsyncClient, server: str
) -> None:
    async with user(server, "b2", "u1") as one:
        session_id = await said(one, "Hello, when are you open?")
        await one.ask_for_human(message="I want a person, please")

    package = (await api.get(f"/api/conversations/{session_id}/context")).json()

    assert package["reason"] == "user_request"
    assert package["language"] == "en"
    assert package["openQuestion"] == "I want a person, please"
    assert package["lastMessages"][0]["message"] == "Hello, when are you open?"
    assert package["lastMessages"][0]["timestamp"].endswith("Z")
    assert package["history"] == f"/api/conversations/{session_id}/messages"
    assert (await api.get(package["history"])).status_code == 200


async def test_a_coordinator_has_the_name_that_people_write_in_one_spelling(
    api: httpx.AsyncClient, server: str
) -> None:
    async with user(server) as one:
        session_id = await said(one)
        await put_status(api, session_id, "live", coordinatorId=" S\u0326tefan\u00a0 Pop ")
        change = await one.wait_for("conversation_status")
        notice = await one.wait_for("new_message")
        words = {"sessionId": session_id, "message": "Bună.", "coordinatorId": "Ștefan Pop"}
        await api.post("/api/agent-responses", json=words)
        said_by = (await one.wait_for("agent_message"))["coordinatorId"]
        again = await put_status(api, session_id, "live", coordinatorId="Ștefan Pop")

    assert change["coordinatorId"] == said_by == "Ștefan Pop"
    assert notice["message"] == localized("ro", Text.JOINED, who="Ștefan Pop")
    assert again.json()["epoch"] == 1


@pytest.mark.parametrize("name", ["", " ", "Maria\nAna", "Maria\u202e", "\u200b", "a" * 129, 7, []])
async def test_what_nobody_can_read_as_a_name_is_refused(
    api: httpx.AsyncClient, server: str, name: Any
) -> None:
    async with user(server) as one:
        session_id = await said(one)

    answers = [
        await put_status(api, session_id, "live", coordinatorId=name),
        await api.post(
            "/api/agent-responses",
            json={"sessionId": session_id, "message": "Bună.", "coordinatorId": name},
        ),
        await api.post(
            f"/api/conversations/{session_id}/confirmations/{session_id}-1",
            json={"answer": "yes", "coordinatorId": name},
        ),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_payload")


async def test_a_takeover_is_seen_by_the_user(api: httpx.AsyncClient, server: str) -> None:
    async with user(server) as one:
        session_id = await said(one)

        answer = await put_status(api, session_id, "live", coordinatorId="Ana")
        change = await one.wait_for("conversation_status")
        notice = await one.wait_for("new_message")

    assert answer.json()["status"] == change["status"] == "live"
    assert answer.json()["transfer"]["coordinatorId"] == change["coordinatorId"] == "Ana"
    assert answer.json()["epoch"] == 1
    assert notice["message"] == localized("ro", Text.JOINED, who="Ana")
    assert notice["inReplyTo"] == []


async def test_the_same_status_again_changes_nothing(api: httpx.AsyncClient, server: str) -> None:
    async with user(server) as one:
        session_id = await said(one)

    first = await put_status(api, session_id, "live", coordinatorId="ana")
    again = await put_status(api, session_id, "live", coordinatorId="ana")

    assert again.status_code == 200
    assert again.json() == first.json()


async def test_nobody_but_the_coordinator_answers_while_live(
    api: httpx.AsyncClient, server: str
) -> None:
    async with user(server) as one:
        session_id = await said(one)
        await put_status(api, session_id, "live")
        await one.say("E cineva?")
        await api.post("/api/agent-responses", json={"sessionId": session_id, "message": "Da!"})
        await one.wait_for("agent_message", message="Da!")

    page = (await api.get(f"/api/conversations/{session_id}/messages?after=2")).json()

    assert [entry.get("author") for entry in page["messages"]] == [
        None,
        "system",
        "user",
        "coordinator",
    ]


async def test_returned_to_the_ai_it_answers_again(api: httpx.AsyncClient, server: str) -> None:
    async with user(server) as one:
        session_id = await said(one)
        await put_status(api, session_id, "live", coordinatorId="ana")

        answer = await put_status(
            api, session_id, "ai", summary="Wants a table.", updatedAt=moment()
        )
        await one.wait_for("conversation_status", status="ai")
        question = await one.say("Care este programul?")
        reply = await one.wait_for("new_message", author="ai")

    assert answer.json()["status"] == "ai"
    assert answer.json()["summary"] == "Wants a table."
    assert reply["inReplyTo"] == [question["messageId"]]


@pytest.mark.parametrize("status", ["ai", "closed"])
async def test_an_old_change_delivered_after_a_newer_one_is_refused_by_name(
    api: httpx.AsyncClient, server: str, status: str
) -> None:
    async with user(server) as one:
        session_id = await said(one)
    await put_status(api, session_id, "live", coordinatorId="dan")

    late = await put_status(api, session_id, status, coordinatorId="ana", updatedAt=moment(-11))
    head = (await api.get(f"/api/conversations/{session_id}")).json()
    recent = await put_status(api, session_id, status, coordinatorId="dan", updatedAt=moment(-5))

    assert (late.status_code, late.json()["code"]) == (409, "outdated")
    assert (head["status"], head["transfer"]["coordinatorId"]) == ("live", "dan")
    assert (recent.status_code, recent.json()["status"]) == (200, status)


@pytest.mark.parametrize("before", ["ai", "live"])
async def test_an_old_message_is_shown_takes_nothing_and_says_so(
    api: httpx.AsyncClient, server: str, before: str
) -> None:
    async with user(server) as one:
        session_id = await said(one)
        await put_status(api, session_id, "live", coordinatorId="dan")
        if before == "ai":
            await put_status(api, session_id, "ai", coordinatorId="dan")

        words = {"sessionId": session_id, "message": "Sunt Ana.", "coordinatorId": "ana"}
        late = await api.post("/api/agent-responses", json={**words, "timestamp": moment(-11)})
        shown = await one.wait_for("agent_message")
        head = (await api.get(f"/api/conversations/{session_id}")).json()

    assert late.status_code == 201
    assert (late.json()["status"], late.json()["code"]) == (before, "outdated")
    assert shown["message"] == "Sunt Ana."
    assert (head["status"], head["transfer"]["coordinatorId"]) == (before, "dan")


async def test_a_coordinator_who_has_gone_leaves_the_user_waiting_for_another(
    api: httpx.AsyncClient, server: str
) -> None:
    async with user(server) as one:
        session_id = await said(one)
        await put_status(api, session_id, "live", coordinatorId="ana")
        away = {"coordinatorId": "ana", "reason": "coordinator_away"}
        gone = await put_status(api, session_id, "waiting", **away)
        again = await put_status(api, session_id, "waiting", **away)
        await one.wait_for("conversation_status", status="waiting", reason="coordinator_away")
        await put_status(api, session_id, "live", coordinatorId="dan")
        late = await put_status(api, session_id, "waiting", **away)
        returned = await put_status(api, session_id, "ai", coordinatorId="dan")
        from_ai = await put_status(api, session_id, "waiting", coordinatorId="dan")
        astray = await put_status(api, session_id, "live", reason="requeued")

    assert (gone.status_code, gone.json()["reason"]) == (200, "coordinator_away")
    assert again.json() == gone.json()
    assert (late.status_code, late.json()["code"]) == (409, "outdated")
    assert returned.status_code == 200
    assert (from_ai.status_code, from_ai.json()["code"]) == (409, "transition_refused")
    assert (astray.status_code, astray.json()["code"]) == (400, "invalid_payload")


async def test_a_whisper_reaches_no_customer_and_is_stored_once(
    api: httpx.AsyncClient, server: str
) -> None:
    words = {"text": "Oferă 10 %.", "coordinatorId": "ana", "messageId": "w1"}
    async with user(server) as one:
        session_id = await said(one)
        path = f"/api/conversations/{session_id}"
        first = await api.post(f"{path}/whispers", json=words)
        again = await api.post(f"{path}/whispers", json=words)
        blank = await api.post(f"{path}/whispers", json={"text": " "})
        unknown = await api.post("/api/conversations/none/whispers", json=words)
        joined = await one.join()
        history = await one.request("history", {})
        log = (await api.get(f"{path}/messages")).json()["messages"]
        context = (await api.get(f"{path}/context")).text
        await put_status(api, session_id, "closed", coordinatorId="ana")
        closed = await api.post(f"{path}/whispers", json={"text": "Și acum?"})

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {**first.json(), "duplicate": True}
    assert (blank.status_code, unknown.status_code) == (400, 404)
    assert (closed.status_code, closed.json()["code"]) == (409, "session_closed")
    assert "Oferă" not in f"{joined} {history} {one.pushes} {context}"
    whisper = next(entry for entry in log if entry["message"] == "Oferă 10 %.")
    assert (whisper["audience"], whisper["coordinatorId"]) == ("model", "ana")


@pytest.mark.parametrize("old", ["2001-01-01T00:00:00", "0001-01-01T00:00:00+14:00"])
async def test_any_time_that_a_caller_names_is_understood(
    api: httpx.AsyncClient, server: str, old: str
) -> None:
    async with user(server) as one:
        session_id = await said(one)

    change = await put_status(api, session_id, "live", updatedAt=old)
    words = {"sessionId": session_id, "message": "Bună!", "timestamp": old}
    spoken = await api.post("/api/agent-responses", json=words)

    assert (change.status_code, change.json()["code"]) == (409, "outdated")
    assert (spoken.status_code, spoken.json()["code"]) == (201, "outdated")


async def test_a_late_answer_after_an_idle_close_opens_a_session_and_is_pushed() -> None:
    chosen = settings(session_idle_s=0.3, sweep_interval_s=0.05)
    async with (
        running(create_app(chosen)) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
        user(address) as one,
    ):
        session_id = await said(one)
        words = await one.wait_for("new_message", message=localized("ro", Text.IDLE))
        await one.wait_for("conversation_status", status="closed", reason="idle")
        answer = await client.post(
            "/api/agent-responses", json={"sessionId": session_id, "message": "Da, avem."}
        )
        pushed = await one.wait_for("agent_message")

    assert words["sessionId"] == session_id
    assert (answer.status_code, answer.json()["status"]) == (201, "live")
    assert answer.json()["sessionId"] == pushed["sessionId"] != session_id


async def test_after_a_close_the_next_message_opens_a_new_session(
    api: httpx.AsyncClient, server: str
) -> None:
    async with user(server) as one:
        session_id = await said(one)

        closed = await put_status(api, session_id, "closed")
        change = await one.wait_for("conversation_status")
        next_message = await one.say("Încă ceva")

    assert closed.json()["status"] == change["status"] == "closed"
    assert next_message["sessionId"] != session_id
    assert next_message["seq"] == 1


async def test_a_coordinator_who_speaks_takes_the_conversation_over(
    api: httpx.AsyncClient, server: str
) -> None:
    async with user(server, vsn=1) as one:
        session_id = await said(one)

        answer = await api.post(
            "/api/agent-responses",
            json={
                "businessId": "b1",
                "userId": "u1",
                "message": "  Bună ziua, sunt Ana. ",
                "timestamp": moment(),
                "coordinatorId": "ana",
            },
        )
        change = await one.wait_for("conversation_status")
        pushed = await one.wait_for("agent_message")

    assert answer.status_code == 201
    assert answer.json() == {
        "messageId": answer.json()["messageId"],
        "seq": 5,
        "sessionId": session_id,
        "status": "live",
        "duplicate": False,
    }
    assert change["status"] == "live"
    assert pushed["message"] == "Bună ziua, sunt Ana."
    assert pushed["coordinatorId"] == "ana"
    assert pushed["seq"] == 5


async def test_a_coordinators_message_is_stored_once(api: httpx.AsyncClient, server: str) -> None:
    async with user(server) as one:
        session_id = await said(one)
    body = {"sessionId": session_id, "message": "Bună!", "messageId": "m1"}

    first = await api.post("/api/agent-responses", json=body)
    again = await api.post("/api/agent-responses", json=body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {**first.json(), "duplicate": True}


async def test_nobody_speaks_into_a_closed_session(api: httpx.AsyncClient, server: str) -> None:
    async with user(server) as one:
        session_id = await said(one)
    await put_status(api, session_id, "closed")

    answer = await api.post(
        "/api/agent-responses", json={"sessionId": session_id, "message": "Bună!"}
    )

    assert answer.status_code == 409
    assert answer.json()["code"] == "session_closed"


async def test_a_session_and_a_user_who_do_not_belong_together_are_refused(
    api: httpx.AsyncClient, server: str
) -> None:
    async with user(server) as one:
        session_id = await said(one)

    answer = await api.post(
        "/api/agent-responses",
        json={"sessionId": session_id, "businessId": "b1", "userId": "u2", "message": "Bună!"},
    )

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_payload"


@pytest.mark.parametrize("status", ["ai", "waiting", "live"])
async def test_a_closed_session_stays_closed(
    api: httpx.AsyncClient, server: str, status: str
) -> None:
    async with user(server) as one:
        session_id = await said(one)
    await put_status(api, session_id, "closed")

    answer = await put_status(api, session_id, status)

    assert answer.status_code == 409
    assert answer.json()["code"] in ("session_closed", "transition_refused")


async def test_a_coordinator_cannot_ask_for_a_coordinator(
    api: httpx.AsyncClient, server: str
) -> None:
    async with user(server) as one:
        session_id = await said(one)

    answer = await put_status(api, session_id, "waiting")

    assert answer.status_code == 409
    assert answer.json()["code"] == "transition_refused"


@over_the_stores
async def test_what_is_exported_is_all_there_is(api: httpx.AsyncClient, server: str) -> None:
    async with user(server) as one:
        first = await said(one, "Prima")
        await put_status(api, first, "closed")
        second = await said(one, "A doua")

    export = (await api.get("/api/users/b1/u1/export")).json()
    logs = {log["conversation"]["sessionId"]: log["messages"] for log in export["conversations"]}

    assert (export["businessId"], export["userId"]) == ("b1", "u1")
    assert set(logs) == {first, second}
    assert [entry["seq"] for entry in logs[first]] == [1, 2, 3, 4]
    assert logs[first][0]["message"] == "Prima"
    assert logs[second][0]["message"] == "A doua"


@over_the_stores
async def test_nothing_is_left_of_an_erased_user(api: httpx.AsyncClient, server: str) -> None:
    async with user(server) as one, user(server, user_id="u2") as other:
        session_id = await said(one)
        await said(other)

        receipt = (await api.delete("/api/users/b1/u1")).json()
        repeat = (await api.delete("/api/users/b1/u1")).json()

    export = (await api.get("/api/users/b1/u1/export")).json()
    assert {"sessions": 1, "messages": 2, "notices": 0}.items() <= receipt.items()
    assert receipt["erasedAt"].endswith("Z")
    assert {"sessions": 0, "messages": 0, "notices": 0}.items() <= repeat.items()
    assert export["conversations"] == []
    assert (await api.get(f"/api/conversations/{session_id}")).status_code == 404
    assert await listed(api) == ["u2"]


@over_the_stores
async def test_an_erased_user_begins_anew(api: httpx.AsyncClient, server: str) -> None:
    async with user(server) as one:
        session_id = await said(one)
        await api.delete("/api/users/b1/u1")

        acknowledged = await one.say("Bună din nou!")
        reply = await one.wait_for("new_message", author="ai")

    assert acknowledged["sessionId"] != session_id
    assert acknowledged["seq"] == 1
    assert reply["inReplyTo"] == [acknowledged["messageId"]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guarded() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings(service_token="old-secret, new-secret"))
    async with (
        running(app) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        yield client


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer wrong", "Bearer old-secret,", "Basic old-secret", "Bearer é"],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/conversations"),
        ("GET", "/api/conversations/s1"),
        ("GET", "/api/conversations/s1/messages?limit=wrong"),
        ("GET", "/api/conversations/s1/context"),
        ("PUT", "/api/conversation-status/s1"),
        ("POST", "/api/agent-responses"),
        ("GET", "/api/users/b1/u1/export"),
        ("DELETE", "/api/users/b1/u1"),
    ],
)
async def test_without_a_token_nothing_of_the_api_is_told(
    guarded: httpx.AsyncClient, method: str, path: str, authorization: str
) -> None:
    headers = [(b"Authorization", authorization.encode())] if authorization else []

    answer = await guarded.request(method, path, headers=headers)

    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("authorization", ["Bearer old-secret", "bearer new-secret"])
async def test_each_of_several_tokens_opens_the_api(
    guarded: httpx.AsyncClient, authorization: str
) -> None:
    answer = await guarded.get("/api/conversations", headers={"Authorization": authorization})

    assert answer.status_code == 200


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", ["/health", "/health/ready", "/metrics", "/schema"])
async def test_the_operators_paths_need_no_token(guarded: httpx.AsyncClient, path: str) -> None:
    answer = await guarded.get(path)

    assert answer.status_code == 200


def over(field: str, value: str) -> bytes:
    """A body that is right but for one field's JSON."""
    right = {"status": '"live"', "message": '"x"', "sessionId": '"s1"', field: value}
    return ("{" + ",".join(f'"{name}":{json}' for name, json in right.items()) + "}").encode()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/nowhere", None, 404, "not_found"),
        ("GET", "/api/nowhere", None, 404, "not_found"),
        ("POST", "/health", None, 405, "method_not_allowed"),
        ("POST", "/api/conversations", None, 405, "method_not_allowed"),
        ("GET", "/api/conversations?limit=0", None, 400, "invalid_payload"),
        ("GET", "/api/conversations?limit=101", None, 400, "invalid_payload"),
        ("GET", "/api/conversations?limit=x", None, 400, "invalid_payload"),
        ("GET", f"/api/conversations?limit={10**30}", None, 400, "invalid_payload"),
        ("GET", "/api/conversations?status=gone", None, 400, "invalid_payload"),
        ("GET", "/api/conversations?businessId=a%20b", None, 400, "invalid_payload"),
        ("GET", "/api/conversations?businessId=", None, 400, "invalid_payload"),
        ("GET", "/api/conversations?userId=u1", None, 400, "invalid_payload"),
        ("GET", "/api/conversations?cursor=x", None, 400, "invalid_payload"),
        ("GET", "/api/conversations?cursor=%00%FF", None, 400, "invalid_payload"),
        ("GET", f"/api/conversations?cursor={'A' * 600}", None, 400, "invalid_payload"),
        ("GET", "/api/conversations/s1", None, 404, "unknown_session"),
        ("GET", "/api/conversations/s1/messages", None, 404, "unknown_session"),
        ("GET", "/api/conversations/s1/context", None, 404, "unknown_session"),
        ("GET", "/api/conversations/%00", None, 400, "invalid_payload"),
        ("GET", "/api/conversations/s1%0A", None, 400, "invalid_payload"),
        ("GET", "/api/conversations/%ED%A0%80", None, 400, "invalid_payload"),
        ("GET", f"/api/conversations/{'s' * 129}", None, 400, "invalid_payload"),
        ("GET", "/api/conversations/s1/messages?after=-1", None, 400, "invalid_payload"),
        ("GET", "/api/conversations/s1/messages?before=0", None, 400, "invalid_payload"),
        ("GET", "/api/conversations/s1/messages?limit=201", None, 400, "invalid_payload"),
        ("GET", f"/api/conversations/s1/messages?after={10**30}", None, 400, "invalid_payload"),
        ("GET", "/api/users/b1/%C8%99/export", None, 400, "invalid_payload"),
        ("DELETE", "/api/users/b%201/u1", None, 400, "invalid_payload"),
        ("PUT", "/api/conversation-status/s1", over("x", "0"), 404, "unknown_session"),
        ("PUT", "/api/conversation-status/s1", over("x", "9" * 400), 404, "unknown_session"),
        ("PUT", "/api/conversation-status/s1", b"", 400, "invalid_payload"),
        ("PUT", "/api/conversation-status/s1", b"{", 400, "invalid_payload"),
        ("PUT", "/api/conversation-status/s1", b"null", 400, "invalid_payload"),
        ("PUT", "/api/conversation-status/s1", b"[]", 400, "invalid_payload"),
        ("PUT", "/api/conversation-status/s1", b"{}", 400, "invalid_payload"),
        ("PUT", "/api/conversation-status/s1", b"[" * 30_000, 400, "invalid_payload"),
        ("PUT", "/api/conversation-status/s1", b" " * (MAX_BODY + 1), 413, "payload_too_large"),
        ("PUT", "/api/conversation-status/s1", over("status", '"gone"'), 400, "invalid_payload"),
        ("GET", f"/api/conversations?cursor={FORGED}", None, 400, "invalid_payload"),
        ("PUT", "/api/conversation-status/s1", over("status", "1e999"), 400, "invalid_payload"),
        ("PUT", "/api/conversation-status/s1", over("status", "9" * 400), 400, "invalid_payload"),
        (
            "PUT",
            "/api/conversation-status/s1",
            over("summary", f'"{"x" * 4_001}"'),
            400,
            "invalid_payload",
        ),
        (
            "PUT",
            "/api/conversation-status/s1",
            b'{"status":"live","summary":"\xed\xa0\x80"}',
            400,
            "invalid_payload",
        ),
        ("PUT", "/api/conversation-status/s1", over("updatedAt", '"now"'), 400, "invalid_payload"),
        ("PUT", "/api/conversation-status/s1", over("updatedAt", "1e300"), 400, "invalid_payload"),
        (
            "PUT",
            "/api/conversation-status/s1",
            over("coordinatorId", r'"\u0000"'),
            400,
            "invalid_payload",
        ),
        ("POST", "/api/agent-responses", over("x", "0"), 404, "unknown_session"),
        ("POST", "/api/agent-responses", over("sessionId", "null"), 400, "invalid_payload"),
        ("POST", "/api/agent-responses", over("sessionId", "17"), 400, "invalid_payload"),
        ("POST", "/api/agent-responses", over("message", "null"), 400, "invalid_payload"),
        ("POST", "/api/agent-responses", over("message", "9" * 400), 400, "invalid_payload"),
        ("POST", "/api/agent-responses", over("messageId", '"a b"'), 400, "invalid_payload"),
        ("POST", "/api/agent-responses", b'{"message":"x","userId":"u1"}', 400, "invalid_payload"),
    ],
)
async def test_what_cannot_be_is_refused_with_a_problem_that_says_why(
    empty: httpx.AsyncClient, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    headers = JSON if body is not None else {}

    answer = await empty.request(method, path, content=body, headers=headers)

    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert set(problem) == {"type", "title", "status", "detail", "code"}
    assert problem["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/api/conversation-status/s1", b'{"status":"human"}'),
        ("GET", "/api/conversations?status=human", None),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_the_refusal_of_an_unknown_status_lists_the_known_ones(
    empty: httpx.AsyncClient, method: str, path: str, body: bytes | None
) -> None:
    answer = await empty.request(method, path, content=body, headers=JSON)

    assert answer.json()["detail"] == (
        "status: Invalid enum value 'human': it may be ai, waiting, live, closed"
    )


@pytest.mark.parametrize(
    ("text", "code"), [(" ", "invalid_payload"), ("x" * 8_001, "message_too_long")]
)
async def test_a_coordinators_message_has_the_bounds_of_every_message(
    api: httpx.AsyncClient, server: str, text: str, code: str
) -> None:
    async with user(server) as one:
        session_id = await said(one)

    answer = await api.post("/api/agent-responses", json={"sessionId": session_id, "message": text})

    assert answer.status_code == 400
    assert answer.json()["code"] == code


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded"])
async def test_a_body_that_does_not_say_that_it_is_json_is_refused(
    empty: httpx.AsyncClient, media_type: str | None
) -> None:
    headers = {"Content-Type": media_type} if media_type is not None else {}

    answer = await empty.post("/api/agent-responses", content=over("x", "0"), headers=headers)

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_refused_field_is_named_as_it_is_on_the_wire(empty: httpx.AsyncClient) -> None:
    answer = await empty.get("/api/conversations?businessId=a%20b&limit=0")

    assert "businessId: " in answer.json()["detail"]
    assert "limit: " in answer.json()["detail"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_method_that_is_not_allowed_is_told_which_are(empty: httpx.AsyncClient) -> None:
    answer = await empty.patch("/api/users/b1/u1")

    assert "DELETE" in answer.headers["Allow"]


async def test_a_store_that_is_away_is_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    async with faulty(StorageUnavailable("disk full at /var/hidden")) as api:
        answer = await api.get("/api/conversations/s1")

    assert answer.status_code == 503
    assert answer.json()["code"] == "storage_unavailable"
    assert "hidden" not in answer.text
    assert "request_failed" in actions(caplog)


async def test_a_crash_leaks_nothing_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with faulty(RuntimeError("the password is secret")) as api:
        answer = await api.get("/api/conversations/s1")

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "secret" not in answer.text
    assert "request_crashed" in actions(caplog)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", ["/schema", "/schema/openapi.json"])
async def test_the_description_loads_nothing_from_elsewhere(
    empty: httpx.AsyncClient, path: str
) -> None:
    answer = await empty.get(path)

    assert answer.json()["openapi"].startswith("3.1")
    assert "http://" not in answer.text
    assert "https://" not in answer.text


async def test_a_client_that_goes_before_its_body_has_ended_is_no_crash(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(create_app(settings())) as address:
        host, port = address.split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        head = f"POST /api/agent-responses HTTP/1.1\r\nHost: {address}\r\nContent-Length: 100\r\n"
        writer.write(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
        writer.close()
        await writer.wait_closed()
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            await client.get("/health")  # answered after the other one was given up

    assert "request_crashed" not in actions(caplog)


def actions(caplog: pytest.LogCaptureFixture) -> set[str]:
    """Return the actions that were logged as a warning or worse."""
    return {
        getattr(record, "action", "")
        for record in caplog.records
        if record.levelno >= logging.WARNING
    }
