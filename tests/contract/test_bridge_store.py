"""What every store of the bridge must keep to: one suite over all of them."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from adapters.bridge.memory_store import MemoryBridgeStore
from adapters.bridge.sqlite_store import SqliteBridgeStore
from application.bridge.ports import KEYS_LIVE_S, BridgeStore, Change, live_place
from domain.bridge.live_chat import LiveChat, Wish, Words
from domain.identity import BusinessId, CoordinatorId, Customer, MessageId, SessionId, UserId
from domain.message import Author
from domain.status import Status

AT = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
ANA = Customer(BusinessId("b1"), UserId("ana"))
DAN = Customer(BusinessId("b1"), UserId("dan"))
PLACE = live_place(ANA)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BridgeStore]:
    opening: AbstractAsyncContextManager[BridgeStore] = (
        nullcontext(MemoryBridgeStore())
        if request.param == "memory"
        else SqliteBridgeStore(tmp_path / "bridge.sqlite3")
    )
    async with opening as opened:
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


def wish(wish_id: str, after_s: float) -> Wish:
    return Wish(
        wish_id=wish_id,
        status=Status.LIVE,
        at=AT + timedelta(seconds=after_s),
        coordinator_id=CoordinatorId("maria"),
    )


def words(message_id: str, text: str = "Bună!") -> Words:
    return Words(message_id=MessageId(message_id), author=Author.USER, text=text, at=AT)


def said(message_id: str, text: str = "Bună!", place: str = PLACE) -> Change:
    return Change(at=AT, place=place, words=words(message_id, text))


async def test_a_chat_is_read_as_it_was_saved(store: BridgeStore) -> None:
    saved = replace(chat("s1"), wishes=(wish("w1", 1),), coordinator_id=CoordinatorId("maria"))
    await store.save(Change(at=AT, chat=saved))

    read = await store.chat(SessionId("s1"))

    assert read == saved


async def test_what_is_not_known_is_none(store: BridgeStore) -> None:
    await store.save(Change(at=AT, chat=chat("s1")))

    found = (
        await store.chat(SessionId("s2")),
        await store.latest(DAN),
        await store.answer("k", AT),
        await store.recent(PLACE, 10),
    )

    assert found == (None, None, None, ())


async def test_the_latest_chat_is_the_one_that_became_known_last(store: BridgeStore) -> None:
    for each in (chat("s1"), chat("s2"), chat("s3", DAN)):
        await store.save(Change(at=AT, chat=each))
    await store.save(Change(at=AT, chat=chat("s1", status=Status.CLOSED)))

    latest = await store.latest(ANA)

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

    chats = await store.open_chats(BusinessId("b1"))

    assert [each.session_id for each in chats] == ["live", "early", "late"]


async def test_a_chat_that_is_closed_is_not_among_the_open_ones(store: BridgeStore) -> None:
    await store.save(Change(at=AT, chat=chat("s1")))
    await store.save(Change(at=AT, chat=chat("s1", status=Status.CLOSED)))

    chats = await store.open_chats(BusinessId("b1"))

    assert chats == ()


async def test_wishing_chats_come_by_the_age_of_their_first_wish(store: BridgeStore) -> None:
    second = replace(chat("s1"), wishes=(wish("w2", 2), wish("w3", 3)))
    first = replace(chat("s2", status=Status.CLOSED), wishes=(wish("w1", 1),))
    for each in (second, first, chat("s3")):
        await store.save(Change(at=AT, chat=each))

    wishing = await store.wishing()

    assert wishing == (first, second)


async def test_a_chat_whose_wish_is_heard_wishes_no_more(store: BridgeStore) -> None:
    await store.save(Change(at=AT, chat=replace(chat("s1"), wishes=(wish("w1", 1),))))
    await store.save(Change(at=AT, chat=chat("s1")))

    wishing = await store.wishing()

    assert wishing == ()


async def test_the_newest_words_of_a_place_come_in_the_order_of_their_saving(
    store: BridgeStore,
) -> None:
    for number in range(5):
        await store.save(said(f"m{number}"))
    await store.save(said("m9", place="elsewhere"))

    recent = await store.recent(PLACE, 3)

    assert [each.message_id for each in recent] == ["m2", "m3", "m4"]


async def test_words_that_are_there_already_are_refused_with_all_that_came_along(
    store: BridgeStore,
) -> None:
    await store.save(said("m1", "first"))

    repeat = replace(said("m1", "again"), chat=chat("s1"), key="k", answer={"status": "ok"})
    stored = await store.save(repeat)

    assert stored is False
    assert [each.text for each in await store.recent(PLACE, 10)] == ["first"]
    assert await store.chat(SessionId("s1")) is None
    assert await store.answer("k", AT) is None


async def test_the_same_message_id_may_stand_in_another_place(store: BridgeStore) -> None:
    await store.save(said("m1"))

    stored = await store.save(said("m1", place="elsewhere"))

    assert stored is True


async def test_an_answer_is_found_under_its_key_for_48_hours(store: BridgeStore) -> None:
    await store.save(Change(at=AT, key="k", answer={"messageId": "m1", "duplicate": False}))
    expiry = AT + timedelta(seconds=KEYS_LIVE_S)

    just_before = await store.answer("k", expiry - timedelta(milliseconds=1))
    then = await store.answer("k", expiry)

    assert just_before == {"messageId": "m1", "duplicate": False}
    assert then is None


async def test_expired_keys_make_room_and_may_come_again(store: BridgeStore) -> None:
    later = AT + timedelta(seconds=KEYS_LIVE_S + 1)
    for key in ("k1", "k2"):
        await store.save(Change(at=AT, key=key, answer={"first": True}))

    await store.save(Change(at=later, key="k1", answer={"first": False}))

    assert await store.answer("k1", later) == {"first": False}
    assert await store.answer("k2", AT) is None
