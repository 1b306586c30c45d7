"""Data stored by an earlier version can be read, delivered, continued, exported and erased.

The snapshots and the expected results are plain files in `tests/data`; the README there describes
them. A change of the stored format may add a snapshot, but must not change an existing one; what is
delivered changes with the interface of the bridge alone.
"""

import json
import sqlite3
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.bridge.agent_server import HttpAgentServer
from adapters.bridge.sqlite_store import SqliteBridgeStore
from adapters.elixir.bridge import ElixirBridge
from adapters.elixir.http import ElixirHttp
from adapters.elixir.socket import ElixirSocket
from adapters.sqlite.store import SqliteStore
from application.ports import Clock, Store
from domain.bridge.live_chat import ChatMessage, LiveChat, PendingCommand
from domain.errors import DuplicateMessage
from domain.identity import BusinessId, MessageId, SessionId, customer
from domain.message import Author, Entry, Message, Summary
from domain.notice import DeadLetter, Delivered, Lane, Notice
from domain.session import Draft, Session
from domain.status import Status
from domain.transfer import Transfer
from domain.usage import Usage
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.drafts import append_message
from tests.support.dynamodb import (
    DYNAMODB_LOCAL,
    DYNOXIDE,
    Engine,
    StoppedClock,
    dynamo_store,
    engine,
)
from tests.support.server import running

DATA = Path(__file__).parents[1] / "data"
Json = dict[str, Any]


def data(name: str) -> Any:
    """Return the content of a file in `tests/data`."""
    return json.loads((DATA / name).read_text())


def at(text: str) -> datetime:
    """Parse a timestamp of those files."""
    return datetime.fromisoformat(text)


CONVERSATIONS = data("conversations.expected.json")
DELIVERIES = data("conversations.deliveries.json")
EXPORTS = data("conversations.export.json")
BRIDGE = data("bridge.expected.json")
NOW = at(CONVERSATIONS["at"])
"""The time at which the snapshots were taken."""
LATER = NOW + timedelta(hours=1)
"""A time after every lease and retry delay in them."""
KEYS_LIVE = timedelta(hours=48)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


# Snapshots.


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A fresh copy of a snapshot, in a store of its kind."""

    open: Callable[[datetime], AbstractAsyncContextManager[Store]]
    """Open the store with its clock stopped at the given time."""
    settings: Json
    """The settings of a server that uses the store."""
    content: Callable[[], bytes]
    """Read everything that is stored, as raw bytes."""


def restored(name: str, path: Path) -> Path:
    """Create a database file from an SQL dump."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript((DATA / name).read_text())
    return path


def _sqlite(folder: Path) -> Snapshot:
    file = restored("conversations.sql", folder / "conversations.sqlite3")
    return Snapshot(
        lambda now: SqliteStore(file),
        {"store": "sqlite", "sqlite_path": str(file)},
        file.read_bytes,
    )


def restored_table(running: Engine, table: str) -> str:
    """Create a table of this name with the items of the snapshot, and return the name."""
    stored = data("conversations.dynamodb.json")
    running.call("CreateTable", **stored["table"], TableName=table)
    puts = [{"PutRequest": {"Item": item}} for item in stored["items"]]
    for start in range(0, len(puts), 25):
        running.call("BatchWriteItem", RequestItems={table: puts[start : start + 25]})
    return table


def _dynamodb(name: str, table: str) -> Snapshot:
    running = engine(name)
    restored_table(running, table)
    settings = {
        "store": "dynamodb",
        "dynamodb_table": table,
        "dynamodb_endpoint_url": running.url,
    }
    return Snapshot(
        lambda now: dynamo_store(running.url, table, now),
        settings,
        lambda: _content(running, table),
    )


def _content(running: Engine, table: str) -> bytes:
    values = [value for item in running.items(table) for value in item.values()]
    return b"\n".join(
        b64decode(value["B"]) if "B" in value else str(value).encode() for value in values
    )


@pytest.fixture(params=["sqlite", DYNOXIDE, DYNAMODB_LOCAL])
def snapshot(request: pytest.FixtureRequest, tmp_path: Path) -> Snapshot:
    """Each snapshot in turn."""
    if request.param == "sqlite":
        return _sqlite(tmp_path)
    return _dynamodb(request.param, tmp_path.name)


# Stored values as plain JSON. The keys are those of the expected files, whatever the attributes.


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _usage(usage: Usage | None) -> Json | None:
    if usage is None:
        return None
    return {
        "model": usage.model,
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "calls": usage.calls,
    }


def _summary(summary: Summary | None) -> Json | None:
    if summary is None:
        return None
    return {
        "text": summary.text,
        "through": summary.through,
        "tokens": summary.tokens,
        "usage": _usage(summary.usage),
    }


def _transfer(transfer: Transfer | None) -> Json | None:
    if transfer is None:
        return None
    return {
        "transfer_id": transfer.transfer_id,
        "reason": transfer.reason,
        "state": transfer.state,
        "requested_at": _time(transfer.requested_at),
        "expires_at": _time(transfer.expires_at),
        "coordinator_id": transfer.coordinator_id,
        "ended": transfer.ended,
    }


def _entry(entry: Entry) -> Json:
    if isinstance(entry, Message):
        return {
            "seq": entry.seq,
            "message_id": entry.message_id,
            "author": entry.author,
            "text": entry.text,
            "at": _time(entry.at),
            "actions": list(entry.actions),
            "in_reply_to": list(entry.in_reply_to),
            "answers": entry.settles_seq,
            "failed": entry.failed,
            "coordinator_id": entry.coordinator_id,
            "tools": [{"name": tool.name, "outcome": tool.outcome} for tool in entry.tools],
            "usage": _usage(entry.usage),
            "digest": _summary(entry.summary),
        }
    return {
        "seq": entry.seq,
        "status": entry.status,
        "epoch": entry.epoch,
        "reason": entry.reason,
        "at": _time(entry.at),
        "transfer": _transfer(entry.transfer),
        "summary": entry.handover_note,
    }


def _head(session: Session) -> Json:
    return {
        "session_id": session.session_id,
        "customer": list(session.customer),
        "location_id": session.location_id,
        "opened_at": _time(session.opened_at),
        "updated_at": _time(session.updated_at),
        "status": session.status,
        "reason": session.reason,
        "epoch": session.epoch,
        "seq": session.seq,
        "asked": session.last_user_seq,
        "answered": session.settled_seq,
        "failures": session.failures,
        "transfer": _transfer(session.transfer),
        "summary": session.handover_note,
        "tokens": session.tokens,
        "digest": _summary(session.summary),
        "usage": _usage(session.usage),
    }


def _dead_letter(letter: DeadLetter) -> Json:
    notice = letter.notice
    return {
        "notice_id": notice.notice_id,
        "session_id": notice.session_id,
        "customer": list(notice.customer),
        "position": notice.position,
        "kind": notice.kind,
        "due_at": _time(notice.due_at),
        "attempts": notice.attempts,
        "reason": letter.reason,
    }


def _command(command: PendingCommand) -> Json:
    return {
        "wish_id": command.command_id,
        "status": command.status,
        "at": _time(command.at),
        "coordinator_id": command.coordinator_id,
        "summary": command.handover_note,
    }


def _chat(chat: LiveChat | None) -> Json | None:
    if chat is None:
        return None
    return {
        "session_id": chat.session_id,
        "customer": list(chat.customer),
        "since": _time(chat.since),
        "location_id": chat.location_id,
        "status": chat.status,
        "coordinator_id": chat.coordinator_id,
        "waiting_since": _time(chat.waiting_since),
        "transfer_id": chat.transfer_id,
        "reason": chat.reason,
        "context": chat.context,
        "summary": chat.handover_note,
        "told_at": _time(chat.server_state_at),
        "wishes": [_command(each) for each in chat.pending_commands],
    }


def _message(message: ChatMessage) -> Json:
    return {
        "message_id": message.message_id,
        "author": message.author,
        "text": message.text,
        "at": _time(message.at),
        "session_id": message.session_id,
        "coordinator_id": message.coordinator_id,
        "origin": message.origin,
    }


# Deliveries, recorded where they arrive.


class Recorder:
    """An ASGI application that accepts everything and records each request and socket message."""

    def __init__(self) -> None:
        self.received: list[Json] = []

    async def __call__(self, scope: Json, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._talk(receive, send)
        else:
            for _ in range(2):
                asked = await receive()
                await send({"type": f"{asked['type']}.complete"})

    async def _answer(self, scope: Json, receive: Any, send: Any) -> None:
        content, more = b"", True
        while more:
            part = await receive()
            content, more = content + part["body"], part["more_body"]
        headers = dict(scope["headers"])
        self.received.append(
            {
                "method": scope["method"],
                "path": scope["raw_path"].decode(),
                "key": headers[b"idempotency-key"].decode(),
                "type": headers[b"content-type"].decode(),
                "body": content.decode(),
            }
        )
        # What the client of the AI agent server needs; the bridge may answer anything.
        head = {"status": "live", "updatedAt": "2026-03-01T12:05:00Z"}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(head).encode()})

    async def _talk(self, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            join_ref, ref, topic, event, body = json.loads(message["text"])
            if event not in ("phx_join", "phx_leave", "heartbeat"):
                self.received.append({"topic": topic, "event": event, "body": compact(body)})
            reply = [join_ref, ref, topic, "phx_reply", {"status": "ok", "response": {}}]
            await send({"type": "websocket.send", "text": json.dumps(reply)})


def compact(value: Any) -> str:
    """Encode JSON without whitespace, with the keys in their order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def call(delivery: Json) -> Json:
    """Return what the recorder holds after this delivery."""
    names = ("topic", "event") if "topic" in delivery else ("method", "path", "key")
    kept = {name: delivery[name] for name in names} | {"body": compact(delivery["body"])}
    return kept if "topic" in delivery else kept | {"type": "application/json"}


@asynccontextmanager
async def bridge_on(recorder: Recorder, clock: Clock) -> AsyncIterator[ElixirBridge]:
    """The product's own bridge adapter, connected to the recorder."""

    async def ignore(*_: object) -> None: ...

    async with running(recorder) as address:
        http = ElixirHttp(f"http://{address}", clock=clock, jitter=lambda: 1.0)
        socket = ElixirSocket(f"ws://{address}/socket/websocket")
        socket.listen(ignore)
        async with http, socket:
            yield ElixirBridge(http, socket)


async def claim_all(store: Store, now: datetime) -> list[Notice]:
    """Claim what is due in all lanes."""
    return [notice for lane in Lane for notice in await store.claim(lane, now, now + MINUTE, 100)]


Queue = tuple[str, Lane]
"""A session's lane of the outbox."""


async def drained(store: Store) -> dict[Queue, list[Json]]:
    """Drain the outbox; return what the bridge received, by session and lane, and in order."""
    sent: dict[Queue, list[Json]] = {}
    recorder = Recorder()
    async with bridge_on(recorder, StoppedClock(LATER)) as bridge:
        while claimed := await claim_all(store, LATER):
            for notice in claimed:
                await bridge.deliver(notice)
                received = recorder.received.pop()
                assert recorder.received == []
                sent.setdefault((notice.session_id, notice.lane), []).append(
                    {"id": notice.notice_id, "attempts": notice.attempts, **received}
                )
                await store.settle(notice.notice_id, Delivered())
    return sent


def expected_deliveries() -> dict[Queue, list[Json]]:
    """Return what `drained` must return for an unchanged snapshot."""
    sent: dict[Queue, list[Json]] = {}
    for session_id, deliveries in DELIVERIES.items():
        for each in deliveries:
            delivery = {"id": each["id"], "attempts": each["attempts"], **call(each)}
            sent.setdefault((session_id, lane_of(delivery)), []).append(delivery)
    return sent


def lane_of(delivery: Json) -> Lane:
    """Return the lane of what the bridge has received."""
    is_report = delivery.get("path") in ("/api/ai-conversation", "/api/ai-context")
    return Lane.REPORTS if is_report else Lane.PEOPLE


# Conversations.


async def test_every_field_is_read(snapshot: Snapshot) -> None:
    async with snapshot.open(NOW) as store:
        for expected in CONVERSATIONS["sessions"]:
            head, log = expected["head"], expected["log"]
            session_id = SessionId(head["session_id"])
            loaded = await store.load(session_id)
            assert loaded is not None
            assert _head(loaded.session) == head
            assert [_entry(entry) for entry in loaded.recent] == log[-20:]
            older = await store.page(session_id, before=4, limit=100)
            newer = await store.page(session_id, after=3, limit=100)
            assert [_entry(entry) for entry in (*older, *newer)] == log


async def test_sessions_are_listed(snapshot: Snapshot) -> None:
    async with snapshot.open(NOW) as store:
        for known in CONVERSATIONS["customers"]:
            who = customer(*known["customer"])
            latest = await store.latest(who)
            listed = await store.list_sessions(customer=who, limit=100)
            assert latest is not None
            assert latest.session.session_id == known["sessions"][0]
            assert [each.session_id for each in listed.sessions] == known["sessions"]
        for listing in CONVERSATIONS["listings"]:
            page = await store.list_sessions(
                business_id=listing["business_id"],
                status=listing["status"] and Status(listing["status"]),
                limit=100,
            )
            assert [each.session_id for each in page.sessions] == listing["sessions"], listing
        for due in CONVERSATIONS["due"]:
            found = await store.due(at(due["at"]), 100)
            assert [each.session_id for each in found] == due["sessions"]
        assert await store.load(SessionId(CONVERSATIONS["erased_session"])) is None


async def test_usage_is_read_and_added_to(snapshot: Snapshot) -> None:
    async with snapshot.open(NOW) as store:
        for business, days in CONVERSATIONS["usage"].items():
            first, last = date(2026, 1, 1), date(2026, 12, 31)
            spent = await store.spent(BusinessId(business), first, last)
            day = [*spent][-1]
            await store.add(BusinessId(business), day, Usage(input_tokens=1, calls=1))
            again = await store.spent(BusinessId(business), day, day)

            found = {each.isoformat(): _usage(usage) for each, usage in spent.items()}
            assert found == {each: {"model": "", **usage} for each, usage in days.items()}
            assert again[day] == spent[day].plus(Usage(input_tokens=1, calls=1))


async def test_a_key_is_kept_for_48_hours_and_conversations_go_on(snapshot: Snapshot) -> None:
    newest = {tuple(each["customer"]): each for each in CONVERSATIONS["keys"]}
    keys = sorted(newest.values(), key=lambda key: str(key["at"]))
    async with snapshot.open(NOW) as store:
        for key in keys:
            last = at(key["at"]) + KEYS_LIVE - SECOND
            draft = await said_again(store, key, last)
            known = await store.stored(customer(*key["customer"]), key["key"], last)
            with pytest.raises(DuplicateMessage) as refused:
                await store.append(draft, None)
            for first in (known, refused.value):
                assert first is not None
                found = {"session_id": first.session_id, "seq": first.seq, "status": first.status}
                assert found.items() <= key.items()

    async with snapshot.open(NOW + KEYS_LIVE) as store:
        for key in keys:
            draft = await said_again(store, key, NOW + KEYS_LIVE)
            await store.append(draft, None)
            loaded = await store.load(draft.session.session_id)
            assert loaded is not None
            assert (loaded.session, loaded.recent[-1]) == (draft.session, draft.entries[-1])


async def said_again(store: Store, key: Json, when: datetime) -> Draft:
    """Return a new message of the stored session, under a key that is already stored."""
    loaded = await store.latest(customer(*key["customer"]))
    assert loaded is not None
    draft = Draft(loaded.session, key=key["key"])
    append_message(draft, Author.USER, MessageId("again"), "Încă o dată", when)
    return draft


# The outbox.


async def test_the_outbox_is_delivered_byte_for_byte(snapshot: Snapshot) -> None:
    async with snapshot.open(LATER) as store:
        depth = await store.depth()
        sent = await drained(store)

        assert depth == CONVERSATIONS["undelivered"]
        assert sent == expected_deliveries()
        assert await store.depth() == 0


async def test_leases_and_retry_delays_are_kept(snapshot: Snapshot) -> None:
    async with snapshot.open(NOW) as store:
        claimed = await claim_all(store, NOW)

    found = [{"id": each.notice_id, "attempts": each.attempts} for each in claimed]
    assert [each for each in CONVERSATIONS["claimable"] if each not in found] == []
    firsts = {queue[0]["id"] for queue in expected_deliveries().values()}
    assert {each["id"] for each in found} <= firsts


async def test_dead_letters_are_read_retried_and_dropped(snapshot: Snapshot) -> None:
    expected = CONVERSATIONS["dead_letters"]
    async with snapshot.open(LATER) as store:
        letters = [_dead_letter(letter) for letter in await store.dead(100)]
        dropped, *retried = expected
        assert await store.drop(dropped["notice_id"])
        for letter in retried:
            assert await store.retry(letter["notice_id"])
        left = await store.dead(100)
        sent = await drained(store)

    assert letters == [
        {name: part for name, part in each.items() if name != "delivery"} for each in expected
    ]
    assert left == ()
    wanted = expected_deliveries()
    for letter in retried:
        again = {"id": letter["notice_id"], "attempts": 0, **call(letter["delivery"])}
        queue = letter["session_id"], lane_of(again)
        assert again in sent[queue]
        sent[queue].remove(again)
    assert sent == wanted


# Export and erasure.


async def test_an_export_is_unchanged(snapshot: Snapshot) -> None:
    settings = Settings(**snapshot.settings)
    container = Container(settings=settings)
    container.clock.override(StoppedClock(NOW))
    async with (
        running(create_app(settings, container)) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as api,
    ):
        for export in EXPORTS:
            who = f"{export['businessId']}/{export['userId']}"
            answer = await api.get(f"/api/users/{who}/export")
            assert answer.text == compact(export)


async def test_nothing_is_found_of_an_erased_customer(snapshot: Snapshot) -> None:
    logs = [each["log"] for each in CONVERSATIONS["sessions"]]
    texts = {entry["text"] for log in logs for entry in log if "text" in entry}
    texts = {text for text in texts if '"' not in text}  # in SQLite that is escaped
    texts |= {"dan@example.com", "ioana", "mihai.9"}
    before = snapshot.content()
    assert [text for text in texts if text.encode() not in before] == []

    async with snapshot.open(NOW) as store:
        for known in CONVERSATIONS["customers"]:
            who = customer(*known["customer"])
            erased = await store.erase(who)
            assert [erased.sessions, erased.messages, erased.notices] == known["erased"]
            assert await store.latest(who) is None
            assert (await store.list_sessions(customer=who, limit=100)).sessions == ()
            for session_id in known["sessions"]:
                assert await store.load(session_id) is None
                assert await store.page(session_id, limit=100) == ()
        for key in CONVERSATIONS["keys"]:
            assert await store.stored(customer(*key["customer"]), key["key"], NOW) is None
        assert (await store.list_sessions(limit=100)).sessions == ()
        assert await store.due(LATER + timedelta(days=30), 100) == ()
        assert (await store.depth(), await store.dead(100)) == (0, ())
        assert await claim_all(store, LATER) == []

    after = snapshot.content()
    assert [text for text in texts if text.encode() in after] == []


# The reference bridge.


@asynccontextmanager
async def bridge_store(folder: Path) -> AsyncIterator[SqliteBridgeStore]:
    """A store with a fresh copy of the bridge's snapshot."""
    async with SqliteBridgeStore(restored("bridge.sql", folder / "bridge.sqlite3")) as store:
        yield store


async def test_every_field_of_the_bridge_is_read(tmp_path: Path) -> None:
    async with bridge_store(tmp_path) as store:
        for expected in BRIDGE["chats"]:
            assert _chat(await store.chat(expected["session_id"])) == expected
            assert _chat(await store.latest_chat(customer(*expected["customer"]))) == expected
        for business, sessions in BRIDGE["open"].items():
            found = await store.open_chats(BusinessId(business))
            assert [chat.session_id for chat in found] == sessions
        for key, messages in BRIDGE["words"].items():
            found_messages = await store.recent_messages(key, 100)
            assert [_message(each) for each in found_messages] == messages


async def test_the_bridge_keeps_its_keys_for_48_hours(tmp_path: Path) -> None:
    async with bridge_store(tmp_path) as store:
        for key, first in BRIDGE["answers"].items():
            end = at(first["at"]) + KEYS_LIVE
            assert await store.stored_reply(key, end - SECOND) == first["answer"]
            assert await store.stored_reply(key, end + SECOND) is None


async def test_pending_commands_of_the_bridge_are_delivered_byte_for_byte(tmp_path: Path) -> None:
    recorder = Recorder()
    async with (
        bridge_store(tmp_path) as store,
        running(recorder) as address,
        HttpAgentServer(f"http://{address}") as server,
    ):
        pending = await store.chats_with_pending_commands()
        for chat in pending:
            for command in chat.pending_commands:
                await server.set_status(chat.session_id, command)

    assert [chat.session_id for chat in pending] == BRIDGE["pending"]
    assert recorder.received == [call(each) for each in BRIDGE["deliveries"]]
