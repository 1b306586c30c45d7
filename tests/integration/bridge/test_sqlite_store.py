"""The file of the bridge's SQLite store: its versions, its owner, and its stored JSON."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.bridge import sqlite_store
from adapters.bridge.sqlite_store import VERSION, SqliteBridgeStore, page_query
from application.bridge.ports import Change, ChatView, Listing
from domain.bridge.live_chat import (
    AskedConfirmation,
    ChatMessage,
    GivenRating,
    LastMessage,
    LeftMessage,
    LiveChat,
    PendingCommand,
)
from domain.errors import InvalidPayload, StorageUnavailable, StoreMigrated
from domain.identity import (
    BusinessId,
    CoordinatorId,
    Customer,
    LocationId,
    MessageId,
    SessionId,
    TransferId,
    UserId,
)
from domain.message import Author
from domain.rating import Stars
from domain.status import Status
from domain.tool import Confirmer
from domain.write_call import WriteState

AT = datetime(2030, 1, 1, tzinfo=UTC)
CHANGE = Change(at=AT, key="k", reply={"status": "ok"})


async def test_a_reopened_file_has_what_was_saved(tmp_path: Path) -> None:
    file = tmp_path / "new" / "bridge.sqlite3"
    async with SqliteBridgeStore(file) as store:
        await store.save(CHANGE)

    async with SqliteBridgeStore(file) as store:
        reply = await store.stored_reply("k", CHANGE.at)

    assert reply == {"status": "ok"}


async def test_a_search_that_takes_too_long_is_refused_and_holds_up_nothing_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sqlite_store, "LONGEST_SEARCH_S", 0.0)
    monkeypatch.setattr(sqlite_store, "_STEPS_BETWEEN_LOOKS", 1)
    business_id = BusinessId("b1")
    async with SqliteBridgeStore() as store:
        with pytest.raises(InvalidPayload, match="too much is found"):
            await store.page(business_id, ChatView.ALL, 50, query="a word")
        assert await store.save(CHANGE)
        assert await store.chats(Listing.OPEN, business_id) == ()


async def test_the_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "bridge.sqlite3"
    with closing(sqlite3.connect(file)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = file.read_bytes()

    with pytest.raises(StorageUnavailable, match=f"version {VERSION + 1}; .* up to {VERSION}"):
        await SqliteBridgeStore(file).__aenter__()
    assert file.read_bytes() == before


async def test_a_file_that_a_later_version_migrates_beside_it_is_not_written(
    tmp_path: Path,
) -> None:
    file = tmp_path / "bridge.sqlite3"
    async with SqliteBridgeStore(file) as store:
        with closing(sqlite3.connect(file)) as db:
            db.execute(f"PRAGMA user_version = {VERSION + 1}")
        with pytest.raises(StoreMigrated, match=f"version {VERSION + 1}; .* up to {VERSION}"):
            await store.save(CHANGE)
        kept = await store.stored_reply("k", CHANGE.at)

    assert kept is None


async def test_another_programs_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "recipes.sqlite3"
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")

    with pytest.raises(StorageUnavailable, match="another program"):
        await SqliteBridgeStore(file).__aenter__()


async def test_a_store_that_is_not_open_is_unavailable(tmp_path: Path) -> None:
    store = SqliteBridgeStore(tmp_path / "bridge.sqlite3")

    with pytest.raises(StorageUnavailable, match="not open"):
        await store.save(CHANGE)


async def test_a_locked_file_is_unavailable_and_nothing_is_half_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.bridge.sqlite_store.BUSY_TIMEOUT_S", 0.05)
    file = tmp_path / "bridge.sqlite3"
    async with SqliteBridgeStore(file) as store:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")

            with pytest.raises(StorageUnavailable, match="locked"):
                await store.save(CHANGE)
        reply = await store.stored_reply("k", CHANGE.at)
        stored_then = await store.save(CHANGE)

    assert (reply, stored_then) == (None, True)


OLD_CHAT_ROW = (
    '{"session_id":"s1","customer":["b1","ana"],"since":"2030-01-01T00:00:00Z",'
    '"location_id":"l1","status":"live","coordinator_id":"maria",'
    '"waiting_since":"2030-01-01T00:00:00Z","transfer_id":"t1","reason":"user_request",'
    '"context":{"summary":"Vrea o masă."},"summary":"Gata.","told_at":"2030-01-01T00:00:00Z",'
    '"wishes":[{"wish_id":"w1","status":"ai","at":"2030-01-01T00:00:00Z",'
    '"coordinator_id":"maria","summary":"Gata."}]}'
)
"""As it was before messages could be missed."""
CHAT = LiveChat(
    session_id=SessionId("s1"),
    customer=Customer(BusinessId("b1"), UserId("ana")),
    since=AT,
    location_id=LocationId("l1"),
    status=Status.LIVE,
    coordinator_id=CoordinatorId("maria"),
    waiting_since=AT,
    transfer_id=TransferId("t1"),
    reason="user_request",
    context={"summary": "Vrea o masă."},
    handover_note="Gata.",
    server_state_at=AT,
    pending_commands=(
        PendingCommand(
            command_id="w1",
            status=Status.AI,
            at=AT,
            coordinator_id=CoordinatorId("maria"),
            handover_note="Gata.",
        ),
    ),
)
MISSED_CHAT_ROW = (
    '{"session_id":"s2","customer":["b1","ana"],"since":"2030-01-01T00:00:00Z",'
    '"location_id":null,"status":"live","coordinator_id":null,"is_at_desk":true,'
    '"last":{"author":"user","text":"Alo?","at":"2030-01-01T00:00:00Z","coordinator_id":null},'
    '"unanswered":1,"unanswered_since":"2030-01-01T00:00:00Z","waiting_since":null,'
    '"transfer_id":null,"reason":null,"context":null,"summary":null,"told_at":null,'
    '"wishes":[{"wish_id":"w2","status":"live","at":"2030-01-01T00:00:00Z",'
    '"coordinator_id":null,"summary":null,"answer":{"message_id":"m2","author":"coordinator",'
    '"text":"Da.","at":"2030-01-01T00:00:00Z","session_id":"s2","coordinator_id":null,'
    '"origin":null},"reason":null,"forwarded_by":"ion"}],"missed":{"text":"Sunați-mă.","reason":"user_request",'
    '"context":{"language":"ro"},"at":"2030-01-01T00:00:00Z"},'
    '"attended_until":"2030-01-01T00:00:00Z",'
    '"confirmation":{"confirm_id":"s2-3","by":"coordinator","state":"done","what":"O masă",'
    '"at":"2030-01-01T00:00:00Z","expires_at":"2030-01-01T00:00:00Z","result":"R-7",'
    '"coordinator_id":"maria"},'
    '"rating":{"stars":{"rating":4,"comment":"Bine"},"at":"2030-01-01T00:00:00Z"}}'
)
MISSED_CHAT = LiveChat(
    session_id=SessionId("s2"),
    customer=Customer(BusinessId("b1"), UserId("ana")),
    since=AT,
    status=Status.LIVE,
    is_at_desk=True,
    last=LastMessage(author=Author.USER, text="Alo?", at=AT),
    unanswered=1,
    unanswered_since=AT,
    pending_commands=(
        PendingCommand(
            command_id="w2",
            status=Status.LIVE,
            at=AT,
            coordinator_id=None,
            forwarded_by=CoordinatorId("ion"),
            answer=ChatMessage(
                message_id=MessageId("m2"),
                author=Author.COORDINATOR,
                text="Da.",
                at=AT,
                session_id=SessionId("s2"),
            ),
        ),
    ),
    missed=LeftMessage(text="Sunați-mă.", reason="user_request", context={"language": "ro"}, at=AT),
    attended_until=AT,
    confirmation=AskedConfirmation(
        confirm_id="s2-3",
        by=Confirmer.COORDINATOR,
        state=WriteState.DONE,
        what="O masă",
        at=AT,
        expires_at=AT,
        result="R-7",
        coordinator_id=CoordinatorId("maria"),
    ),
    rating=GivenRating(stars=Stars(4, "Bine"), at=AT),
)
MESSAGE_ROW = (
    '{"message_id":"m1","author":"coordinator","text":"Bună!","at":"2030-01-01T00:00:00Z",'
    '"session_id":"s1","coordinator_id":"maria","origin":"server"}'
)
MESSAGE = ChatMessage(
    message_id=MessageId("m1"),
    author=Author.COORDINATOR,
    text="Bună!",
    at=AT,
    session_id=SessionId("s1"),
    coordinator_id=CoordinatorId("maria"),
    origin="server",
)


async def test_the_stored_json_keeps_its_keys(tmp_path: Path) -> None:
    file = tmp_path / "bridge.sqlite3"

    async with SqliteBridgeStore(file) as store:
        change = Change(at=AT, chat=MISSED_CHAT, transcript_key="chat:b1:ana", message=MESSAGE)
        await store.save(change)

    with closing(sqlite3.connect(file)) as db:
        rows = [
            *db.execute("SELECT session_id, business_id, user_id, body FROM chats"),
            *db.execute("SELECT place, message_id, body FROM words"),
        ]
    assert rows == [
        ("s2", "b1", "ana", MISSED_CHAT_ROW.encode()),
        ("chat:b1:ana", "m1", MESSAGE_ROW.encode()),
    ]


async def test_rows_of_earlier_releases_are_read(tmp_path: Path) -> None:
    file = tmp_path / "bridge.sqlite3"
    async with SqliteBridgeStore(file):
        pass
    with closing(sqlite3.connect(file)) as db, db:
        db.execute(
            "INSERT INTO chats (session_id, business_id, user_id, waiting_since, wish_at, body)"
            " VALUES ('s1', 'b1', 'ana', 1, 1, ?)",
            (OLD_CHAT_ROW.encode(),),
        )
        db.execute(
            "INSERT INTO words (place, message_id, body) VALUES ('chat:b1:ana', 'm1', ?)",
            (MESSAGE_ROW.encode(),),
        )

    async with SqliteBridgeStore(file) as store:
        chats = await store.chats(Listing.PENDING)
        messages = await store.recent_messages("chat:b1:ana", 10)

    assert (chats, messages) == ((CHAT,), (MESSAGE,))


def modes_in(folder: Path) -> set[int]:
    """Return the modes of the files of a folder."""
    return {file.stat().st_mode & 0o777 for file in folder.iterdir()}


async def test_a_new_database_is_for_its_user_alone(tmp_path: Path) -> None:
    usual = os.umask(0o022)
    try:
        async with SqliteBridgeStore(tmp_path / "bridge.db"):
            modes = modes_in(tmp_path)
    finally:
        os.umask(usual)

    assert modes == {0o600}


async def test_a_chat_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    file = tmp_path / "bridge.sqlite3"
    async with SqliteBridgeStore(file) as store:
        for number in (1, 2):
            who = Customer(BusinessId("b1"), UserId(f"u{number}"))
            chat = LiveChat(
                session_id=SessionId(f"s{number}"), customer=who, since=AT, status=Status.WAITING
            )
            await store.save(Change(at=AT, chat=chat))
        with closing(sqlite3.connect(file)) as db, db:
            db.execute("UPDATE chats SET body = ? WHERE session_id = 's1'", (b"\xff{",))
        waiting = await store.chats(Listing.OPEN, BusinessId("b1"))

    assert [chat.session_id for chat in waiting] == ["s2"]


PAGES = [
    (view, query, user, cursor)
    for view in ChatView
    for query in ("", "masa")
    for user in (None, UserId("ana"))
    for cursor in (None, "1,1")
]


@pytest.mark.parametrize(("view", "query", "user_id", "cursor"), PAGES)
async def test_a_page_is_read_from_an_index_in_its_order(
    view: ChatView, query: str, user_id: UserId | None, cursor: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "bridge.sqlite3"
    async with SqliteBridgeStore(file):
        sql, values = page_query(BusinessId("b1"), view, query, user_id, cursor)
        with closing(sqlite3.connect(file)) as db:
            plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql} LIMIT 51", values)]

    assert not [step for step in plan if "TEMP B-TREE FOR ORDER BY" in step]
    assert not [step for step in plan if step == "SCAN chats"]
    index = "active_chats_of_user" if user_id else "active_chats"
    assert any(f"USING INDEX {index}" in step for step in plan), plan


async def test_a_search_reads_the_entries_of_its_own_business_alone(tmp_path: Path) -> None:
    file = tmp_path / "bridge.sqlite3"
    async with SqliteBridgeStore(file) as store:
        for business in ("b1", "b2"):
            who = Customer(BusinessId(business), UserId("ana"))
            chat = LiveChat(session_id=SessionId(business), customer=who, since=AT)
            words = ChatMessage(
                message_id=MessageId("m1"), author=Author.USER, text="O masă", at=AT
            )
            place = f"session:{business}"
            await store.save(Change(at=AT, chat=chat, message=words, transcript_key=place))
        with closing(sqlite3.connect(file)) as db:
            _, values = page_query(BusinessId("b1"), ChatView.ALL, "masa", None, None)
            found = db.execute("SELECT rowid >> 32 FROM terms WHERE terms MATCH ?", values[1:])
            chats = [number for (number,) in found]

    assert chats == [1]


async def test_an_sqlite_without_full_text_search_is_named_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_store, "SEARCH_MODULE", "fts9")

    with pytest.raises(StorageUnavailable, match=rf"SQLite {sqlite3.sqlite_version} has no FTS9"):
        await SqliteBridgeStore(tmp_path / "bridge.sqlite3").__aenter__()
