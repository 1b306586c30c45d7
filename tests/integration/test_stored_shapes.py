"""Data stored by an earlier version can be read, delivered, continued, exported and erased.

The snapshots and the expected results are plain files in `tests/data`; the README there describes
them. A change of the stored format may add a snapshot, but must not change an existing one; what is
delivered changes with the interface of the bridge alone.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from copy import deepcopy
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from adapters.bridge.agent_server import HttpAgentServer
from adapters.bridge.sqlite_store import VERSION, SqliteBridgeStore
from adapters.sqlite.file import MIGRATIONS
from application.bridge.ports import Change, ChatView, Listing
from application.ports import Store
from domain.bridge.live_chat import LeftMessage
from domain.errors import DuplicateMessage
from domain.identity import BusinessId, MessageId, SessionId, stored_customer
from domain.message import Author
from domain.session import Draft
from domain.status import Status
from domain.usage import Usage, usage_in
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.bridge_recorder import Queue, Recorder, call, claim_all, compact, drained
from tests.support.bridge_story import AT as BRIDGE_AT
from tests.support.bridge_story import WORDS
from tests.support.drafts import append_message
from tests.support.dynamodb import DYNAMODB_LOCAL, DYNOXIDE, StoppedClock
from tests.support.make_snapshots import expected_files
from tests.support.server import running
from tests.support.snapshots import (
    DATA,
    FIFTH,
    FOURTH,
    GENERATIONS,
    RELEASES,
    SECOND,
    THIRD,
    Generation,
    Snapshot,
    at,
    data,
    dynamodb_snapshot,
    lane_of,
    release_name,
    restored,
    sqlite_snapshot,
)
from tests.support.stored_json import (
    Json,
    chat_json,
    dead_letter_json,
    entry_json,
    head_json,
    message_json,
    usage_json,
)
from tests.support.story import FIFTH_PLOT, FOURTH_PLOT, SECOND_PLOT, THIRD_PLOT, Plot

BRIDGE = data("bridge.expected.json")
KEYS_LIVE = timedelta(hours=48)
TICK = timedelta(seconds=1)
LATER = at(BRIDGE["at"]) + TICK
ANSWERED_SINCE = {THIRD: ("57070000000000000000000000000001", 3),
                  FOURTH: ("5707000000000000000000000000001c", 3)}  # fmt: skip
"""`answered` in heads that a later program writes otherwise: what a user wrote in the queue stays
pending until a coordinator has answered it, and not until one has taken the conversation."""


@pytest.fixture(params=GENERATIONS, ids=repr)
def generation(request: pytest.FixtureRequest) -> Generation:
    """Each generation of snapshots in turn."""
    found: Generation = request.param
    return found


@pytest.fixture(params=["sqlite", DYNOXIDE, DYNAMODB_LOCAL])
def snapshot(generation: Generation, request: pytest.FixtureRequest, tmp_path: Path) -> Snapshot:
    """Each snapshot of the generation in turn."""
    if request.param == "sqlite":
        return sqlite_snapshot(generation, tmp_path)
    return dynamodb_snapshot(generation, request.param, tmp_path.name)


def test_the_release_has_its_snapshots_in_the_present_schema(tmp_path: Path) -> None:
    """`make snapshot` writes them: for the next version, or again while this one is not out."""
    name = release_name()
    parts = ("bridge", "deliveries", "dynamodb", "expected", "export")
    missing = [part for part in parts if not (DATA / f"{name}.{part}.json").exists()]
    versions = []
    for ending in (".sql", ".bridge.sql"):
        file = restored(f"{name}{ending}", tmp_path / f"release{ending}")
        with closing(sqlite3.connect(file)) as db:
            versions += db.execute("PRAGMA user_version").fetchone()

    assert missing == []
    assert versions == [len(MIGRATIONS), VERSION]


# Conversations.


async def test_every_field_is_read(generation: Generation, snapshot: Snapshot) -> None:
    async with snapshot.open(generation.now) as store:
        for expected in generation.expected["sessions"]:
            head, log = expected["head"], expected["log"]
            session_id = SessionId(head["session_id"])
            loaded = await store.load(session_id)
            assert loaded is not None
            assert head_json(loaded.session) == head
            assert [entry_json(entry) for entry in loaded.recent] == log[-20:]
            older = await store.page(session_id, before=4, limit=100)
            newer = await store.page(session_id, after=3, limit=100)
            assert [entry_json(entry) for entry in (*older, *newer)] == log


async def test_sessions_are_listed(generation: Generation, snapshot: Snapshot) -> None:
    async with snapshot.open(generation.now) as store:
        for known in generation.expected["customers"]:
            who = stored_customer(*known["customer"])
            latest = await store.latest(who)
            listed = await store.list_sessions(customer=who, limit=100)
            assert latest is not None
            assert latest.session.session_id == known["sessions"][0]
            assert [each.session_id for each in listed.sessions] == known["sessions"]
        for listing in generation.expected["listings"]:
            page = await store.list_sessions(
                business_id=listing["business_id"],
                status=listing["status"] and Status(listing["status"]),
                limit=100,
            )
            assert [each.session_id for each in page.sessions] == listing["sessions"], listing
        for due in generation.expected["due"]:
            found = await store.due(at(due["at"]), 100)
            assert [each.session_id for each in found] == due["sessions"]
        assert await store.load(SessionId(generation.expected["erased_session"])) is None


async def test_usage_is_read_and_added_to(generation: Generation, snapshot: Snapshot) -> None:
    async with snapshot.open(generation.now) as store:
        for business, days in generation.expected["usage"].items():
            first, last = date(2026, 1, 1), date(2026, 12, 31)
            spent = await store.counts(BusinessId(business), first, last)
            day = [*spent][-1]
            await store.add(BusinessId(business), day, Usage(input_tokens=1, calls=1).counts)
            again = await store.counts(BusinessId(business), day, day)

            found = {
                each.isoformat(): usage_json(usage_in(counts)) for each, counts in spent.items()
            }
            assert found == {each: {"model": "", **usage} for each, usage in days.items()}
            assert usage_in(again[day]) == usage_in(spent[day]).plus(Usage(input_tokens=1, calls=1))


async def test_a_key_is_kept_for_48_hours_and_conversations_go_on(
    generation: Generation, snapshot: Snapshot
) -> None:
    newest = {tuple(each["customer"]): each for each in generation.expected["keys"]}
    keys = sorted(newest.values(), key=lambda key: str(key["at"]))
    async with snapshot.open(generation.now) as store:
        for key in keys:
            last = at(key["at"]) + KEYS_LIVE - TICK
            draft = await said_again(store, key, last)
            known = await store.stored(stored_customer(*key["customer"]), key["key"], last)
            with pytest.raises(DuplicateMessage) as refused:
                await store.append(draft, None)
            for first in (known, refused.value):
                assert first is not None
                found = {"session_id": first.session_id, "seq": first.seq, "status": first.status}
                assert found.items() <= key.items()

    async with snapshot.open(generation.now + KEYS_LIVE) as store:
        for key in keys:
            draft = await said_again(store, key, generation.now + KEYS_LIVE)
            await store.append(draft, None)
            loaded = await store.load(draft.session.session_id)
            assert loaded is not None
            assert (loaded.session, loaded.recent[-1]) == (draft.session, draft.entries[-1])


async def said_again(store: Store, key: Json, when: datetime) -> Draft:
    """Return a new message of the stored session, under a key that is already stored."""
    loaded = await store.latest(stored_customer(*key["customer"]))
    assert loaded is not None
    draft = Draft(loaded.session, key=key["key"])
    append_message(draft, Author.USER, MessageId("again"), "Încă o dată", when)
    return draft


@pytest.mark.parametrize(
    ("plot", "generation"),
    [(SECOND_PLOT, SECOND), (THIRD_PLOT, THIRD), (FOURTH_PLOT, FOURTH), (FIFTH_PLOT, FIFTH)],
    ids=["second", "third", "fourth", "fifth"],
)
async def test_the_story_is_what_is_expected_of_its_snapshots(
    plot: Plot, generation: Generation
) -> None:
    expected = deepcopy(generation.expected)
    session_id, answered = ANSWERED_SINCE.get(generation, ("", 0))
    for session in expected["sessions"]:
        if session["head"]["session_id"] == session_id:
            session["head"]["answered"] = answered

    assert await expected_files(plot) == {
        "expected": expected,
        "deliveries": generation.deliveries,
        "export": generation.exports,
    }


# The outbox.


async def test_the_outbox_is_delivered_byte_for_byte(
    generation: Generation, snapshot: Snapshot
) -> None:
    async with snapshot.open(generation.later) as store:
        depth = await store.depth()
        sent = await drained(store, generation.later)

        assert depth == generation.expected["undelivered"]
        assert sent == generation.queues()
        assert await store.depth() == 0


async def test_leases_and_retry_delays_are_kept(generation: Generation, snapshot: Snapshot) -> None:
    async with snapshot.open(generation.now) as store:
        claimed = await claim_all(store, generation.now)

    found = [((each.session_id, each.lane), each.notice_id, each.attempts) for each in claimed]
    assert sorted(found) == sorted((queue, *first) for queue, first in ready(generation).items())


async def test_a_retried_dead_letter_waits_for_what_is_claimed_or_deferred(
    generation: Generation, snapshot: Snapshot
) -> None:
    async with snapshot.open(generation.now) as store:
        for letter in generation.expected["dead_letters"]:
            assert await store.retry(letter["notice_id"])
        claimed = await claim_all(store, generation.now)

    assert sorted((each.session_id, each.lane) for each in claimed) == sorted(ready(generation))


def ready(generation: Generation) -> dict[Queue, tuple[str, int]]:
    """Return the first notice of each queue, and its attempts, unless it is claimed or deferred."""
    claimable = {each["id"]: each["attempts"] for each in generation.expected["claimable"]}
    firsts = {
        queue: (first["id"], first["attempts"])
        for queue, (first, *_) in generation.queues().items()
        if first["attempts"] == claimable.pop(first["id"], 0)  # not all unclaimed ones are in it
    }
    assert claimable == {}
    return firsts


async def test_dead_letters_are_read_retried_and_dropped(
    generation: Generation, snapshot: Snapshot
) -> None:
    expected = generation.expected["dead_letters"]
    async with snapshot.open(generation.later) as store:
        letters = [dead_letter_json(letter) for letter in await store.dead(100)]
        dropped, *retried = expected
        assert await store.drop(dropped["notice_id"])
        for letter in retried:
            assert await store.retry(letter["notice_id"])
        left = await store.dead(100)
        sent = await drained(store, generation.later)

    assert letters == [
        {name: part for name, part in each.items() if name != "delivery"} for each in expected
    ]
    assert left == ()
    wanted = generation.queues()
    for letter in retried:
        again = {"id": letter["notice_id"], "attempts": 0, **call(letter["delivery"])}
        queue = letter["session_id"], lane_of(again)
        assert again in sent[queue]
        sent[queue].remove(again)
    assert sent == wanted


# Export and erasure.


async def test_an_export_is_unchanged(generation: Generation, snapshot: Snapshot) -> None:
    settings = Settings(**snapshot.settings)
    container = Container(settings=settings)
    container.clock.override(StoppedClock(generation.now))
    async with (
        running(create_app(settings, container)) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as api,
    ):
        for export in generation.exports:
            who = f"{export['businessId']}/{export['userId']}"
            answer = await api.get(f"/api/users/{who}/export")
            assert answer.text == compact(export)


async def test_nothing_is_found_of_an_erased_customer(
    generation: Generation, snapshot: Snapshot
) -> None:
    customers = [each["customer"] for each in generation.expected["customers"]]
    logs = [each["log"] for each in generation.expected["sessions"]]
    texts = {entry["text"] for log in logs for entry in log if "text" in entry}
    texts = {text for text in texts if '"' not in text}  # in SQLite that is escaped
    texts |= {user_id for _, user_id in customers}
    before = snapshot.content()
    assert [text for text in texts if text.encode() not in before] == []

    async with snapshot.open(generation.now) as store:
        for known in generation.expected["customers"]:
            who = stored_customer(*known["customer"])
            erased = await store.erase(who)
            assert [erased.sessions, erased.messages, erased.notices] == known["erased"]
            assert await store.latest(who) is None
            assert (await store.list_sessions(customer=who, limit=100)).sessions == ()
            for session_id in known["sessions"]:
                assert await store.load(session_id) is None
                assert await store.page(session_id, limit=100) == ()
        for key in generation.expected["keys"]:
            assert (
                await store.stored(stored_customer(*key["customer"]), key["key"], generation.now)
                is None
            )
        assert (await store.list_sessions(limit=100)).sessions == ()
        assert await store.due(generation.later + timedelta(days=30), 100) == ()
        assert (await store.depth(), await store.dead(100)) == (0, ())
        assert await claim_all(store, generation.later) == []

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
            assert chat_json(await store.chat(expected["session_id"])) == expected
            assert (
                chat_json(await store.latest_chat(stored_customer(*expected["customer"])))
                == expected
            )
        for business, sessions in BRIDGE["open"].items():
            found = await store.chats(Listing.OPEN, BusinessId(business))
            assert [chat.session_id for chat in found] == sessions
        for key, messages in BRIDGE["words"].items():
            found_messages = await store.recent_messages(key, 100)
            assert [message_json(each) for each in found_messages] == messages


async def test_a_file_from_before_missed_messages_takes_them_and_keeps_them(tmp_path: Path) -> None:
    first = BRIDGE["chats"][0]
    business_id = BusinessId(first["customer"][0])
    missed = LeftMessage(text="Sunați-mă.", reason="user_request", context={}, at=LATER)
    async with bridge_store(tmp_path) as store:
        assert await store.chats(Listing.MISSED, business_id, limit=10) == ()
        assert await store.recent_waits_s(business_id) == ()
        chat = await store.chat(first["session_id"])
        assert chat is not None
        left = replace(chat, missed=missed)
        await store.save(Change(at=LATER, chat=left, waited_s=12.5))

    async with SqliteBridgeStore(tmp_path / "bridge.sqlite3") as store:
        assert await store.chats(Listing.MISSED, business_id, limit=10) == (left,)
        assert await store.recent_waits_s(business_id) == (12.5,)


async def test_the_bridge_keeps_its_keys_for_48_hours(tmp_path: Path) -> None:
    async with bridge_store(tmp_path) as store:
        for key, first in BRIDGE["answers"].items():
            end = at(first["at"]) + KEYS_LIVE
            assert await store.stored_reply(key, end - TICK) == first["answer"]
            assert await store.stored_reply(key, end + TICK) is None


async def test_pending_commands_of_the_bridge_are_delivered_byte_for_byte(tmp_path: Path) -> None:
    recorder = Recorder()
    async with (
        bridge_store(tmp_path) as store,
        running(recorder) as address,
        HttpAgentServer(f"http://{address}") as server,
    ):
        pending = await store.chats(Listing.PENDING)
        for chat in pending:
            for command in chat.pending_commands:
                await server.set_status(chat.session_id, command)

    assert [chat.session_id for chat in pending] == BRIDGE["pending"]
    assert recorder.received == [call(each) for each in BRIDGE["deliveries"]]


async def test_what_was_missed_at_the_bridge_is_read_and_the_answers_are_delivered(
    tmp_path: Path,
) -> None:
    expected, recorder = data("bridge-2.expected.json"), Recorder()
    async with (
        SqliteBridgeStore(restored("bridge-2.sql", tmp_path / "bridge.sqlite3")) as store,
        running(recorder) as address,
        HttpAgentServer(f"http://{address}") as server,
    ):
        for known in expected["chats"]:
            assert chat_json(await store.chat(known["session_id"])) == known
        for business, sessions in expected["missed"].items():
            missed = await store.chats(Listing.MISSED, BusinessId(business), limit=100)
            assert [chat.session_id for chat in missed] == sessions
        for business, waits_s in expected["waits"].items():
            assert list(await store.recent_waits_s(BusinessId(business))) == waits_s
        pending = await store.chats(Listing.PENDING)
        for chat in pending:
            for command in chat.pending_commands:
                if command.answer is not None:
                    await server.post_message(chat.session_id, command.answer)
                else:
                    await server.set_status(chat.session_id, command)

    assert [chat.session_id for chat in pending] == expected["pending"]
    assert recorder.received == [call(each) for each in expected["deliveries"]]


async def test_what_the_bridge_had_before_it_had_lists_is_listed_and_found(tmp_path: Path) -> None:
    expected = data("bridge-3.expected.json")
    file = restored("bridge-3.sql", tmp_path / "bridge.sqlite3")
    async with SqliteBridgeStore(file) as store:
        for key, sessions in expected["pages"].items():
            business, view = key.split()
            page = await store.page(BusinessId(business), ChatView(view), 50)
            assert ([chat.session_id for chat in page.chats], page.cursor) == (sessions, None), key
        for key, sessions in expected["found"].items():
            business, query = key.split(maxsplit=1)
            page = await store.page(BusinessId(business), ChatView.ALL, 50, query=query)
            assert [chat.session_id for chat in page.chats] == sessions, key
        for business, counts in expected["counts"].items():
            assert list(await store.count_chats(BusinessId(business))) == counts
        pending = await store.chats(Listing.PENDING)
        watched = await store.chats(Listing.WATCHED)

    assert [chat.session_id for chat in pending] == expected["pending"]
    assert watched == ()  # how its coordinators got them is not known


@pytest.mark.parametrize("release", RELEASES, ids=repr)
async def test_what_the_bridge_of_each_release_had_is_read(
    release: Generation, tmp_path: Path
) -> None:
    file = restored(f"{release.name}.bridge.sql", tmp_path / "bridge.sqlite3")
    expected = data(f"{release.name}.bridge.json")
    business_id = BusinessId("bistro-1")
    async with SqliteBridgeStore(file) as store:
        found = {
            "chats": [await store.chat(each["session_id"]) for each in expected["chats"]],
            "messages": {
                key: await store.recent_messages(key, 100) for key in expected["messages"]
            },
            "notes": await store.recent_notes(SessionId("s1"), 100),
            "waits_s": await store.recent_waits_s(business_id),
            "replies": {
                key: await store.stored_reply(key, BRIDGE_AT) for key in expected["replies"]
            },
        }
        listed = {each: await store.chats(each, business_id) for each in Listing}
        searched = await store.page(business_id, ChatView.ALL, 50, query=WORDS)

    assert covers(msgspec.to_builtins(found), expected)
    assert {each: [chat.session_id for chat in chats] for each, chats in listed.items()} == {
        Listing.OPEN: ["s1"],
        Listing.MISSED: ["s2"],
        Listing.ASKED: ["s1"],
        Listing.WATCHED: [],
        Listing.PENDING: ["s1"],
    }
    assert [chat.session_id for chat in searched.chats] == ["s1"]


def covers(found: object, expected: object) -> bool:
    """Return True if all that is expected was found; a later version may have more fields."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return all(key in found and covers(found[key], each) for key, each in expected.items())
    if isinstance(expected, list) and isinstance(found, list | tuple):
        return len(found) == len(expected) and all(map(covers, found, expected))
    return found == expected
