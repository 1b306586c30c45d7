"""The bridge's use cases over its store in memory: what is stored, told, answered and delivered."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from adapters.bridge.memory_store import MemoryBridgeStore
from application.bridge.delivery import FIRST_PAUSE_S, LONGEST_PAUSE_S, Delivery
from application.bridge.live_chats import LiveChats
from application.bridge.ports import (
    AgentServer,
    Change,
    Event,
    Moved,
    Reached,
    ServerAway,
    Spoken,
    WishRefused,
)
from domain.bridge.live_chat import Act, AlreadyClaimed, Told, TransferNews, Wish, Words
from domain.errors import (
    SessionClosed,
    StorageUnavailable,
    TransitionRefused,
    UnknownSession,
)
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
from domain.status import Status
from tests.support.clock import START, CountedIds, VirtualClock

ANA = Customer(BusinessId("b1"), UserId("ana"))
S1 = SessionId("s1")
MARIA, ION = CoordinatorId("maria"), CoordinatorId("ion")


class RefusingStore(MemoryBridgeStore):
    """A store that can be told to refuse."""

    refusing = False

    async def save(self, change: Change) -> bool:
        if self.refusing:
            raise StorageUnavailable
        return await super().save(change)


class Server(AgentServer):
    """An AI agent server that can go away, and refuse."""

    def __init__(self) -> None:
        self.away = False
        self.refuses: set[SessionId] = set()
        self.forgets: set[SessionId] = set()
        self.heard: list[tuple[SessionId, Wish]] = []

    async def set_status(self, session_id: SessionId, wish: Wish) -> Told:
        if self.away:
            raise ServerAway
        if session_id in self.refuses:
            raise TransitionRefused
        self.heard.append((session_id, wish))
        return Told(status=wish.status, at=wish.at, coordinator_id=wish.coordinator_id)

    async def status(self, session_id: SessionId) -> Told:
        if session_id in self.forgets:
            raise UnknownSession
        return Told(status=Status.AI, at=START + timedelta(seconds=60))

    async def messages(
        self, session_id: SessionId, before: int | None, limit: int
    ) -> Mapping[str, Any]:
        raise ServerAway


class Bridge:
    """The use cases, what they are over, and what was told to whoever looks on."""

    def __init__(self) -> None:
        self.store = RefusingStore()
        self.server = Server()
        self.clock = VirtualClock()
        self.events: list[Event] = []
        self.chats = LiveChats(
            store=self.store,
            audience=self.events.append,
            clock=self.clock,
            new_id=CountedIds(),
        )
        self.deliver = Delivery(
            chats=self.chats, server=self.server, clock=self.clock, jitter=lambda: 1.0
        )

    async def waits(self, session: str = "s1", user: str = "ana", key: str | None = None) -> None:
        """The server tells that a user waits."""
        news = TransferNews(
            transfer_id=TransferId(f"t-{session}"),
            reason="user_request",
            context={},
            at=self.clock.now(),
        )
        customer = Customer(BusinessId("b1"), UserId(user))
        await self.chats.told_transfer(customer, SessionId(session), LocationId("l1"), news, key)

    async def told(self, status: Status, key: str | None = None) -> None:
        await self.chats.told_status(S1, Told(status=status, at=self.clock.now()), key)

    async def claim(self, session: str = "s1", by: CoordinatorId = MARIA) -> None:
        await self.chats.act(SessionId(session), Act.CLAIM, by)

    @property
    def spoken(self) -> list[str]:
        """What was said in everyone's hearing."""
        return [event.words.text for event in self.events if isinstance(event, Spoken)]


@pytest.fixture
def bridge() -> Bridge:
    return Bridge()


def words(message_id: str, text: str = "Bună!") -> Words:
    return Words(message_id=MessageId(message_id), author=Author.USER, text=text, at=START)


async def test_what_is_said_is_stored_before_it_is_told(bridge: Bridge) -> None:
    bridge.store.refusing = True

    with pytest.raises(StorageUnavailable):
        await bridge.chats.user_speaks(ANA, "Bună!")

    assert bridge.events == []


async def test_words_with_the_same_id_are_stored_and_told_once(bridge: Bridge) -> None:
    first = await bridge.chats.user_speaks(ANA, "Bună!", message_id=MessageId("m1"))

    again = await bridge.chats.user_speaks(ANA, "Bună!", message_id=MessageId("m1"))

    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert bridge.spoken == ["Bună!"]


async def test_a_repeated_key_gets_the_first_answer_and_changes_nothing(bridge: Bridge) -> None:
    first = await bridge.chats.user_speaks(ANA, "Bună!", key="k1")

    again = await bridge.chats.user_speaks(ANA, "Altceva.", key="k1")

    assert again == first
    assert bridge.spoken == ["Bună!"]


async def test_news_with_a_repeated_key_change_nothing(bridge: Bridge) -> None:
    await bridge.waits(key="k1")
    await bridge.told(Status.AI)

    await bridge.waits("s1", key="k1")

    assert (await bridge.chats.chat(S1)).status is Status.AI


async def test_news_of_an_unknown_conversation_are_of_no_concern(bridge: Bridge) -> None:
    await bridge.told(Status.WAITING)

    assert bridge.events == []
    assert await bridge.chats.open_chats(BusinessId("b1")) == ()


async def test_what_was_said_to_the_ai_is_kept_apart_from_the_live_chat(bridge: Bridge) -> None:
    await bridge.chats.told_words(ANA, S1, None, words("m1", "to the AI"))
    await bridge.chats.user_speaks(ANA, "to a human")

    _, live = await bridge.chats.said_live(ANA)
    before = await bridge.chats.said_before(S1)

    assert [each.text for each in live] == ["to a human"]
    assert [each.text for each in before] == ["to the AI"]
    assert bridge.spoken == ["to a human"]


async def test_words_told_twice_are_kept_once(bridge: Bridge) -> None:
    for _ in range(2):
        await bridge.chats.told_words(ANA, S1, None, words("m1"))

    before = await bridge.chats.said_before(S1)

    assert len(before) == 1


async def test_the_longest_waiting_comes_first(bridge: Bridge) -> None:
    await bridge.waits("s1", "ana")
    await bridge.clock.advance(1)
    await bridge.waits("s2", "dan")

    chats = await bridge.chats.open_chats(BusinessId("b1"))

    assert [chat.session_id for chat in chats] == ["s1", "s2"]


async def test_the_second_of_two_claims_learns_who_was_first(bridge: Bridge) -> None:
    await bridge.waits()
    await bridge.claim()

    with pytest.raises(AlreadyClaimed) as refused:
        await bridge.claim(by=ION)

    assert refused.value.by == MARIA


async def test_a_claim_is_told_to_who_looks_on_before_the_server_has_heard_it(
    bridge: Bridge,
) -> None:
    await bridge.waits()
    bridge.events.clear()

    await bridge.claim()

    [event] = bridge.events
    assert isinstance(event, Moved)
    assert (event.chat.status, event.chat.coordinator_id) == (Status.LIVE, MARIA)


async def test_a_coordinator_who_speaks_has_the_conversation(bridge: Bridge) -> None:
    await bridge.waits()

    await bridge.chats.coordinator_speaks(ANA, "Bună ziua.", coordinator_id=ION)

    chat = await bridge.chats.chat(S1)
    assert (chat.status, chat.coordinator_id) == (Status.LIVE, ION)
    assert bridge.spoken == ["Bună ziua."]


async def test_words_into_a_closed_conversation_are_refused_and_told_to_no_one(
    bridge: Bridge,
) -> None:
    await bridge.waits()
    await bridge.told(Status.CLOSED)

    with pytest.raises(SessionClosed):
        await bridge.chats.coordinator_speaks(ANA, "Bună ziua.")

    assert bridge.spoken == []


async def test_an_act_on_an_unknown_conversation_is_refused(bridge: Bridge) -> None:
    with pytest.raises(UnknownSession):
        await bridge.claim()


async def test_wishes_wait_for_the_server_and_come_in_order(bridge: Bridge) -> None:
    bridge.server.away = True
    await bridge.waits("s1", "ana")
    await bridge.waits("s2", "dan")
    await bridge.claim("s1")
    await bridge.clock.advance(1)
    await bridge.claim("s2")
    await bridge.clock.advance(1)
    await bridge.chats.act(S1, Act.RETURN, MARIA, "Gata.")
    again_in_s = await bridge.deliver()

    bridge.server.away = False
    all_heard = await bridge.deliver()

    heard = [(session, wish.status, wish.summary) for session, wish in bridge.server.heard]
    assert (again_in_s, all_heard) == (FIRST_PAUSE_S, None)
    assert [each for each in heard if each[0] == "s1"] == [
        ("s1", Status.LIVE, None),
        ("s1", Status.AI, "Gata."),
    ]
    assert ("s2", Status.LIVE, None) in heard
    assert len(heard) == 3


async def test_a_wish_is_delivered_once(bridge: Bridge) -> None:
    await bridge.waits()
    await bridge.claim()
    await bridge.deliver()

    await bridge.deliver()

    assert len(bridge.server.heard) == 1
    assert (await bridge.chats.chat(S1)).wishes == ()


async def test_whether_the_server_is_there_is_told(bridge: Bridge) -> None:
    await bridge.waits()
    await bridge.claim()
    bridge.server.away = True
    await bridge.deliver()
    bridge.server.away = False

    await bridge.deliver()

    reached = [event.reachable for event in bridge.events if isinstance(event, Reached)]
    assert reached == [False, True]


async def test_a_refused_wish_is_told_and_the_chat_is_as_the_server_has_it(bridge: Bridge) -> None:
    await bridge.waits()
    await bridge.claim()
    bridge.server.refuses.add(S1)

    await bridge.deliver()

    [refused] = [event for event in bridge.events if isinstance(event, WishRefused)]
    assert refused.why == "transition_refused"
    assert refused.chat == await bridge.chats.chat(S1)
    assert (refused.chat.status, refused.chat.wishes) == (Status.AI, ())


async def test_a_conversation_that_the_server_does_not_know_is_closed(bridge: Bridge) -> None:
    await bridge.waits()
    await bridge.claim()
    bridge.server.refuses.add(S1)
    bridge.server.forgets.add(S1)

    await bridge.deliver()

    assert (await bridge.chats.chat(S1)).status is Status.CLOSED


async def test_a_wish_that_the_news_have_voided_is_not_delivered(bridge: Bridge) -> None:
    await bridge.waits()
    await bridge.claim()
    await bridge.told(Status.AI)

    await bridge.deliver()

    assert bridge.server.heard == []


async def test_a_server_whose_news_void_what_it_could_not_hear_is_there_again(
    bridge: Bridge,
) -> None:
    bridge.server.away = True
    await bridge.waits()
    await bridge.claim()
    await bridge.deliver()
    await bridge.told(Status.AI)

    await bridge.deliver()

    assert bridge.events[-1] == Reached(True)


async def test_pauses_double_up_to_the_longest_and_begin_anew(bridge: Bridge) -> None:
    bridge.server.away = True
    await bridge.waits()
    await bridge.claim()

    pauses = [await bridge.deliver() for _ in range(12)]
    bridge.server.away = False
    await bridge.deliver()
    bridge.server.away = True
    await bridge.chats.act(S1, Act.RETURN, MARIA)
    first_anew = await bridge.deliver()

    assert pauses[:4] == [FIRST_PAUSE_S, 0.5, 1.0, 2.0]
    assert (pauses[-1], first_anew) == (LONGEST_PAUSE_S, FIRST_PAUSE_S)
