"""The contract of `BridgeStore`: one suite over all of its adapters."""

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from adapters.bridge.sqlite_store import IN_MEMORY, SqliteBridgeStore
from application.bridge.ports import (
    WAITS_KEPT,
    BridgeStore,
    Change,
    ChatView,
    Listing,
    live_transcript_key,
)
from domain.bridge.live_chat import (
    AskedConfirmation,
    ChatMessage,
    LeftMessage,
    LiveChat,
    Note,
    PendingCommand,
)
from domain.identity import (
    IDEMPOTENCY_WINDOW,
    BusinessId,
    CoordinatorId,
    Customer,
    MessageId,
    SessionId,
    UserId,
)
from domain.message import Author
from domain.status import Status
from domain.tool import Confirmer
from domain.write_call import WriteState

AT = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
ANA = Customer(BusinessId("b1"), UserId("ana"))
DAN = Customer(BusinessId("b1"), UserId("dan"))
TRANSCRIPT = live_transcript_key(ANA)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BridgeStore]:
    path = IN_MEMORY if request.param == "memory" else tmp_path / "bridge.sqlite3"
    async with SqliteBridgeStore(path) as opened:
        yield opened


def chat(
    session_id: str, customer: Customer = ANA, status: Status = Status.WAITING, after_s: float = 0
) -> LiveChat:
    at = AT + timedelta(seconds=after_s)
    return LiveChat(
        session_id=SessionId(session_id),
        customer=customer,
        status=status,
        since=at,
        waiting_since=at,
        context={"summary": "Vrea o masă.", "lastMessages": [{"seq": 1}]},
    )


def pending(command_id: str, after_s: float) -> PendingCommand:
    return PendingCommand(
        command_id=command_id,
        status=Status.LIVE,
        at=AT + timedelta(seconds=after_s),
        coordinator_id=CoordinatorId("maria"),
    )


def missed(session_id: str, customer: Customer = ANA, after_s: float = 0) -> LiveChat:
    message = LeftMessage(
        text="Sunați-mă.",
        reason="user_request",
        context={"summary": "Vrea o masă."},
        at=AT + timedelta(seconds=after_s),
    )
    return replace(chat(session_id, customer, Status.AI), missed=message)


def posted(message_id: str, text: str = "Bună!", transcript_key: str = TRANSCRIPT) -> Change:
    message = ChatMessage(message_id=MessageId(message_id), author=Author.USER, text=text, at=AT)
    return Change(at=AT, transcript_key=transcript_key, message=message)


async def test_a_chat_is_read_as_it_was_saved(store: BridgeStore) -> None:
    saved = replace(
        chat("s1"), pending_commands=(pending("c1", 1),), coordinator_id=CoordinatorId("maria")
    )
    await store.save(Change(at=AT, chat=saved))

    read = await store.chat(SessionId("s1"))

    assert read == saved


async def test_the_chats_that_are_asked_for_a_yes_are_found_the_newest_first(
    store: BridgeStore,
) -> None:
    for n, (state, by) in enumerate(
        [
            (WriteState.PROPOSED, Confirmer.COORDINATOR),
            (WriteState.REJECTED, Confirmer.COORDINATOR),
            (WriteState.PROPOSED, Confirmer.CUSTOMER),
            (WriteState.UNKNOWN, Confirmer.COORDINATOR),
        ]
    ):
        asked = AskedConfirmation(
            confirm_id=f"s{n}-1", by=by, state=state, what="O masă", at=AT + timedelta(seconds=n)
        )
        saved = replace(chat(f"s{n}", status=Status.AI), confirmation=asked)
        await store.save(Change(at=AT, chat=saved))
    await store.save(Change(at=AT, chat=chat("s9")))

    found = await store.chats(Listing.ASKED, BusinessId("b1"), limit=10)

    assert [each.session_id for each in found] == ["s3", "s0"]
    assert found[0].confirmation is not None
    assert found[0].confirmation.state is WriteState.UNKNOWN
    assert await store.chats(Listing.ASKED, BusinessId("b1"), limit=1) == found[:1]
    assert await store.chats(Listing.ASKED, BusinessId("b2"), limit=10) == ()


async def test_unknown_keys_find_nothing(store: BridgeStore) -> None:
    await store.save(Change(at=AT, chat=chat("s1")))

    found = (
        await store.chat(SessionId("s2")),
        await store.latest_chat(DAN),
        await store.stored_reply("k", AT),
        await store.recent_messages(TRANSCRIPT, 10),
    )

    assert found == (None, None, None, ())


async def test_the_latest_chat_is_the_one_first_stored_last(store: BridgeStore) -> None:
    for each in (chat("s1"), chat("s2"), chat("s3", DAN)):
        await store.save(Change(at=AT, chat=each))
    await store.save(Change(at=AT, chat=chat("s1", status=Status.CLOSED)))

    latest = await store.latest_chat(ANA)

    assert latest == chat("s2")


async def test_the_open_chats_of_a_business_come_longest_waiting_first(store: BridgeStore) -> None:
    elsewhere = Customer(BusinessId("b2"), UserId("ana"))
    for each in (
        chat("late", after_s=2),
        chat("early", DAN, after_s=1),
        chat("live", status=Status.LIVE),
        chat("with the AI", status=Status.AI),
        chat("closed", status=Status.CLOSED),
        chat("elsewhere", elsewhere),
    ):
        await store.save(Change(at=AT, chat=each))

    chats = await store.chats(Listing.OPEN, BusinessId("b1"))

    assert [each.session_id for each in chats] == ["live", "early", "late"]


async def test_a_chat_that_is_closed_is_not_among_the_open_ones(store: BridgeStore) -> None:
    await store.save(Change(at=AT, chat=chat("s1")))
    await store.save(Change(at=AT, chat=chat("s1", status=Status.CLOSED)))

    chats = await store.chats(Listing.OPEN, BusinessId("b1"))

    assert chats == ()


async def test_missed_chats_come_newest_first_up_to_the_limit_whatever_their_status(
    store: BridgeStore,
) -> None:
    elsewhere = Customer(BusinessId("b2"), UserId("ana"))
    for each in (
        missed("first"),
        replace(missed("third", DAN, 3), status=Status.CLOSED),
        missed("second", ANA, 2),
        missed("elsewhere", elsewhere, 9),
        chat("waiting"),
    ):
        await store.save(Change(at=AT, chat=each))

    chats = await store.chats(Listing.MISSED, BusinessId("b1"), limit=10)
    newest = await store.chats(Listing.MISSED, BusinessId("b1"), limit=2)
    anas = await store.chats(Listing.MISSED, *ANA, limit=10)

    assert [each.session_id for each in chats] == ["third", "second", "first"]
    assert newest == chats[:2]
    assert anas == chats[1:]


async def test_a_chat_whose_missed_message_is_attended_to_is_not_among_the_missed(
    store: BridgeStore,
) -> None:
    await store.save(Change(at=AT, chat=missed("s1")))
    await store.save(Change(at=AT, chat=chat("s1", status=Status.AI)))

    chats = await store.chats(Listing.MISSED, BusinessId("b1"), limit=10)

    assert chats == ()


async def test_the_newest_waits_of_each_business_are_kept(store: BridgeStore) -> None:
    elsewhere = Customer(BusinessId("b2"), UserId("ana"))
    await store.save(Change(at=AT, chat=chat("s0", elsewhere), waited_s=7.25))
    for number in range(WAITS_KEPT + 5):
        await store.save(Change(at=AT, chat=chat(f"s{number}"), waited_s=float(number)))
    await store.save(Change(at=AT, chat=chat("s99")))

    waits_s = await store.recent_waits_s(BusinessId("b1"))
    others = await store.recent_waits_s(BusinessId("b2"))

    assert waits_s == tuple(float(number) for number in range(5, WAITS_KEPT + 5))
    assert others == (7.25,)
    assert await store.recent_waits_s(BusinessId("b9")) == ()


async def test_chats_with_pending_commands_come_by_the_time_of_their_first_command(
    store: BridgeStore,
) -> None:
    second = replace(chat("s1"), pending_commands=(pending("c2", 2), pending("c3", 3)))
    first = replace(chat("s2", status=Status.CLOSED), pending_commands=(pending("c1", 1),))
    for each in (second, first, chat("s3")):
        await store.save(Change(at=AT, chat=each))

    chats = await store.chats(Listing.PENDING)

    assert chats == (first, second)


async def test_a_chat_whose_command_is_completed_is_not_listed_any_more(store: BridgeStore) -> None:
    await store.save(Change(at=AT, chat=replace(chat("s1"), pending_commands=(pending("c1", 1),))))
    await store.save(Change(at=AT, chat=chat("s1")))

    chats = await store.chats(Listing.PENDING)

    assert chats == ()


async def test_the_newest_messages_of_a_transcript_come_in_the_order_of_their_saving(
    store: BridgeStore,
) -> None:
    for number in range(5):
        await store.save(posted(f"m{number}"))
    await store.save(posted("m9", transcript_key="elsewhere"))

    recent = await store.recent_messages(TRANSCRIPT, 3)

    assert [each.message_id for each in recent] == ["m2", "m3", "m4"]


async def test_a_duplicate_message_is_refused_with_the_whole_change(
    store: BridgeStore,
) -> None:
    await store.save(posted("m1", "first"))

    repeat = replace(posted("m1", "again"), chat=chat("s1"), key="k", reply={"status": "ok"})
    stored = await store.save(repeat)

    assert stored is False
    assert [each.text for each in await store.recent_messages(TRANSCRIPT, 10)] == ["first"]
    assert await store.chat(SessionId("s1")) is None
    assert await store.stored_reply("k", AT) is None


async def test_the_same_message_id_may_be_in_another_transcript(store: BridgeStore) -> None:
    await store.save(posted("m1"))

    stored = await store.save(posted("m1", transcript_key="elsewhere"))

    assert stored is True


async def test_a_reply_is_found_under_its_key_for_48_hours(store: BridgeStore) -> None:
    await store.save(Change(at=AT, key="k", reply={"messageId": "m1", "duplicate": False}))
    expiry = AT + IDEMPOTENCY_WINDOW

    just_before = await store.stored_reply("k", expiry - timedelta(milliseconds=1))
    then = await store.stored_reply("k", expiry)

    assert just_before == {"messageId": "m1", "duplicate": False}
    assert then is None


async def test_expired_keys_are_removed_and_can_be_used_again(store: BridgeStore) -> None:
    later = AT + IDEMPOTENCY_WINDOW + timedelta(seconds=1)
    for key in ("k1", "k2"):
        await store.save(Change(at=AT, key=key, reply={"first": True}))

    await store.save(Change(at=later, key="k1", reply={"first": False}))

    assert await store.stored_reply("k1", later) == {"first": False}
    assert await store.stored_reply("k2", AT) is None


def stored_in(folder: Path) -> bytes:
    """Return all that the files of a folder hold."""
    return b"".join(each.read_bytes() for each in folder.iterdir())


async def test_an_erased_customer_leaves_no_word_in_the_file_and_others_stay(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bridge.sqlite3"
    async with SqliteBridgeStore(path) as store:
        for session_id, whose in (("s1", ANA), ("s2", DAN), ("s3", ANA)):
            written = f"zanzibar {whose.user_id}"
            key = live_transcript_key(whose)
            await store.save(
                replace(posted(f"m-{session_id}", written, key), chat=chat(session_id, whose))
            )
            note = Note(
                note_id="n1",
                session_id=SessionId(session_id),
                coordinator_id=CoordinatorId("maria"),
                text=f"quetzal {whose.user_id}",
                at=AT,
            )
            kept = Change(
                at=AT, note=note, key=f"note maria  {session_id} n1", reply=to_builtins(note)
            )
            await store.save(kept)

        erased = await store.erase(ANA)

        assert [each.session_id for each in erased] == ["s1", "s3"]
        assert await store.erase(ANA) == ()
        for word in ("zanzibar", "quetzal"):
            found = await store.page(BusinessId("b1"), ChatView.ALL, 10, query=word)
            assert [each.session_id for each in found.chats] == ["s2"]
        assert (await store.page(BusinessId("b1"), ChatView.ALL, 10, query="ana")).chats == ()
        assert await store.recent_messages(TRANSCRIPT, 10) == ()
        assert await store.recent_notes(SessionId("s1"), 10) == ()
        assert await store.stored_reply("note maria  s1 n1", AT) is None
        left = stored_in(tmp_path)
    with sqlite3.connect(path) as opened:
        opened.execute("INSERT INTO terms (terms) VALUES ('integrity-check')")
    assert b"zanzibar dan" in left
    assert b"zanzibar ana" not in left
    assert b"quetzal ana" not in left
