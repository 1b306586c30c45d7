"""The bridge inbox: the conversations that are followed, and the handling of what arrives."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from adapters.memory.broker import NoBroker
from adapters.memory.store import MemoryStore
from adapters.prometheus import Metrics
from application.bridge_inbox import FIRST_STORE_PAUSE_S, LISTING_PAGE, TALKING, BridgeInbox
from application.chat_owners import ChatOwners
from application.ports import (
    RECENT,
    InboundMessage,
    MalformedEvent,
    QueuePlace,
    SessionPage,
    TalkingChats,
    Typing,
)
from domain.errors import Refusal, StorageUnavailable
from domain.identity import Customer, customer
from domain.message import Author, Message, StatusChange
from domain.notice import Delivered, Lane, LiveChatMessagePosted, NoticeKind
from domain.session import Draft
from domain.status import Reason, Status
from domain.texts import Text, localized
from domain.transfer import TransferState
from tests.support.assistants import PAUSE, ScriptedSteps
from tests.support.bridge import MemoryBridge
from tests.support.businesses import demo_businesses
from tests.support.clock import START
from tests.support.faults import FaultyStore, Hold, LossyHub, RandomHub
from tests.support.harness import App, User, harness

ANA = customer("b1", "u1")
TOLD, UNREACHABLE, REACHED = (
    localized("ro", text) for text in (Text.REQUESTED, Text.UNREACHABLE, Text.REACHED)
)


class SlowListing(MemoryStore):
    """A store whose listings of a status wait, once they are read, for a release."""

    def __init__(self, status: Status = Status.WAITING) -> None:
        super().__init__()
        self.listed = Hold()
        self.listings = 0
        self._status = status

    async def list_sessions(self, **which: Any) -> SessionPage:
        page = await super().list_sessions(**which)
        if which["status"] is self._status:
            self.listings += 1
            await self.listed.wait()
        return page


class SlowNotice(MemoryStore):
    """A store whose append of the notice that nobody can be reached waits for a release."""

    def __init__(self) -> None:
        super().__init__()
        self.appending = Hold()

    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        if any(isinstance(each, Message) and each.text == UNREACHABLE for each in draft.entries):
            await self.appending.wait()
        await super().append(draft, due_at)


class CountedListing(MemoryStore):
    """A store that records the listings of the AI's conversations."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: list[tuple[Status, int]] = []

    async def list_sessions(self, **which: Any) -> SessionPage:
        if which["status"] is Status.AI:
            self.limits.append((which["status"], which["limit"]))
        return await super().list_sessions(**which)


class Inbox:
    """One process's inbox, its gateway, and what it has counted."""

    def __init__(self, app: App, max_ai_topics: int = 0, owners: ChatOwners | None = None) -> None:
        self.gateway = app.gateway
        self.counted: list[str] = []
        self.left = 0
        self.use_case = BridgeInbox(
            gateway=self.gateway,
            session_log=app.session_log,
            hub=app.hub,
            owners=owners or ChatOwners(NoBroker(), app.clock),
            clock=app.clock,
            transfers=app.transfers,
            archive=app.store,
            jitter=lambda: 1.0,
            count=self.counted.append,
            count_left=self._count_left,
            max_ai_topics=max_ai_topics,
        )
        self.use_case.start()

    async def receive(self, text: str, author: Author = Author.COORDINATOR, **more: Any) -> None:
        """Deliver a message from the bridge, to Ana or as Ana."""
        await self.gateway.receive(ANA, message(text, author, **more))

    def _count_left(self) -> None:
        self.left += 1


def message(text: str, author: Author = Author.COORDINATOR, **more: Any) -> InboundMessage:
    return InboundMessage(author=author, text=text, **more)


@asynccontextmanager
async def listening(
    store: MemoryStore | None = None, **chosen: Any
) -> AsyncIterator[tuple[App, Inbox]]:
    """A process with an inbox, whose AI gives every message the same answer."""
    async with harness(ScriptedSteps(["Cu plăcere."]), store, **chosen) as app:
        yield app, Inbox(app)


async def waiting(app: App) -> User:
    """Return Ana, who has asked for a human."""
    user = app.user()
    await user.join()
    await user.ask_for_human("Un om, vă rog")
    return user


async def live(app: App) -> User:
    """Return Ana, in a live chat with Maria."""
    user = await waiting(app)
    await app.coordinator("maria").take_over(user)
    return user


# Whom to follow.


async def test_a_chat_is_followed_from_the_request_until_it_is_given_back() -> None:
    async with listening() as (app, inbox):
        user = app.user()
        await user.say("Bună!")
        with_the_ai = set(inbox.gateway.followed)
        await user.ask_for_human()
        while_waiting = set(inbox.gateway.followed)
        await app.coordinator("maria").take_over(user)
        while_live = set(inbox.gateway.followed)
        await app.coordinator("maria").give_back(user)

        assert with_the_ai == set()
        assert while_waiting == while_live == {ANA}
        assert inbox.gateway.followed == set()


@pytest.mark.parametrize("end", ["cancel", "expire", "close"])
async def test_no_end_of_a_transfer_leaves_its_chat_followed(end: str) -> None:
    async with listening(transfer_timeout_s=60) as (app, inbox):
        user = await waiting(app)
        if end == "cancel":
            await user.end_live_chat()
        elif end == "close":
            await app.coordinator("maria").close(user)
        else:
            await app.clock.advance(60)
            await app.sweep()

        assert inbox.gateway.followed == set()


async def test_after_a_restart_all_are_followed_who_wait_or_talk_and_no_others() -> None:
    async with harness() as app:
        for number in range(LISTING_PAGE + 5):
            await app.user("b1", f"waiting{number}").ask_for_human()
        talking = app.user("b2", "talking")
        await talking.ask_for_human()
        await app.coordinator("maria").take_over(talking)
        await app.user("b1", "answered").say("Bună!")
        inbox = Inbox(app.another())
        await inbox.use_case.refresh()

        waiting = {customer("b1", f"waiting{number}") for number in range(LISTING_PAGE + 5)}
        assert inbox.gateway.followed == waiting | {talking.customer}


async def test_a_customer_who_cannot_be_followed_keeps_no_other_from_being_followed() -> None:
    async with harness() as app:
        users = [app.user("b1", name) for name in ("ana", "dan", "eva")]
        for user in users:
            await user.ask_for_human()
        inbox = Inbox(app.another())
        inbox.gateway.refuses = users[0].customer

        with pytest.raises(RuntimeError, match="as told"):
            await inbox.use_case.refresh()

        assert inbox.gateway.followed == {user.customer for user in users[1:]}


async def test_what_another_process_has_begun_or_ended_is_found_by_the_next_look() -> None:
    async with listening() as (app, inbox):
        begun_here = await waiting(app)
        elsewhere = app.another()
        await elsewhere.user("b1", "dan").ask_for_human()
        await elsewhere.coordinator("maria").close(begun_here)
        before = set(inbox.gateway.followed)
        await inbox.use_case.refresh()

        assert before == {ANA}
        assert inbox.gateway.followed == {customer("b1", "dan")}


@pytest.mark.parametrize("attempts", [1, 5])
async def test_a_request_whose_store_response_was_lost_is_followed(attempts: int) -> None:
    store = FaultyStore()
    async with listening(store) as (app, inbox):
        user = app.user()
        await user.say("Bună!")
        await app.quiet()
        before = set(inbox.gateway.followed)
        reads = store.calls["latest"]
        for _ in range(attempts - 1):
            store.fail("append")
            with suppress(StorageUnavailable):
                await user.ask_for_human()
        store.lose_answer("append")
        with suppress(StorageUnavailable):
            await user.ask_for_human()
        await app.settle()

        assert before == set()
        assert inbox.gateway.followed == {user.customer}
        assert store.calls["latest"] - reads <= 2 * attempts


async def test_what_begins_or_ends_during_a_look_at_the_store_is_not_undone_by_it() -> None:
    store = SlowListing()
    async with listening(store) as (app, inbox):
        ends = await waiting(app)
        looking = asyncio.create_task(inbox.use_case.refresh())
        await store.listed.reached.wait()
        await app.coordinator("maria").close(ends)
        await app.user("b1", "dan").ask_for_human()
        store.listed.release()
        await looking

        assert inbox.gateway.followed == {customer("b1", "dan")}


async def test_however_often_the_broker_comes_and_goes_the_chats_are_listed_once_more() -> None:
    store = SlowListing()
    async with listening(store) as (app, inbox):
        for _ in range(20):
            app.hub.on_missed(None)
            await app.settle()
        await app.user("b1", "dan").ask_for_human()
        store.listed.release()
        await app.settle()

        assert inbox.gateway.followed == {customer("b1", "dan")}
        assert store.listings == 2


async def test_a_hint_that_is_lost_is_made_good_by_the_next_look() -> None:
    hub = LossyHub()
    async with harness(hub=hub) as app:
        inbox = Inbox(app)
        hub.holding = True
        await app.user().ask_for_human()
        hub.lose()
        missed = set(inbox.gateway.followed)
        await inbox.use_case.refresh()

        assert missed == set()
        assert inbox.gateway.followed == {ANA}


async def test_hints_that_come_in_the_other_order_leave_the_newest_status() -> None:
    hub = LossyHub()
    async with harness(hub=hub) as app:
        inbox = Inbox(app)
        user = await waiting(app)
        hub.holding = True
        await user.end_live_chat()
        await app.coordinator("maria").take_over(user)
        hub.pass_on(reverse=True)

        assert inbox.gateway.followed == {ANA}


async def test_the_late_end_of_a_conversation_does_not_end_the_next_one() -> None:
    hub = LossyHub()
    async with harness(hub=hub) as app:
        inbox = Inbox(app)
        user = await waiting(app)
        hub.holding = True
        await app.coordinator("maria").close(user)
        await user.ask_for_human()
        hub.pass_on(reverse=True)

        assert inbox.gateway.followed == {ANA}


async def test_a_stopped_relay_takes_no_notice_any_more() -> None:
    async with listening() as (app, inbox):
        inbox.use_case.stop()
        await waiting(app)

        assert inbox.gateway.followed == set()


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_becomes_of_hints_a_look_finds_exactly_those_who_wait_or_talk(
    seed: int,
) -> None:
    chance = Random(seed)
    async with harness(hub=RandomHub(seed)) as app:
        inbox, elsewhere = Inbox(app), app.another()
        users = [process.user("b1", f"u{n}") for n in range(6) for process in (app, elsewhere)]
        for _ in range(60):
            await do_something(chance, app, chance.choice(users))
            if chance.random() < 0.1:
                await inbox.use_case.refresh()
        await inbox.use_case.refresh()

        talking = {who for who in {user.customer for user in users} if await talks(app, who)}
        assert inbox.gateway.followed == talking


async def do_something(chance: Random, app: App, user: User) -> None:
    """The user or a coordinator does something, perhaps what cannot be done."""
    maria = app.coordinator("maria")
    acts = (user.ask_for_human, user.end_live_chat, lambda: user.say("Bună!"))
    by_maria = (maria.take_over, maria.give_back, maria.close)
    with suppress(Refusal):
        if chance.random() < 0.6 or not await app.stored(user.customer):
            await chance.choice(acts)()
        else:
            await chance.choice(by_maria)(user)


async def talks(app: App, who: Customer) -> bool:
    return bool(await app.stored(who)) and (await app.head(who)).status in TALKING


# A coordinator speaks.


@pytest.mark.parametrize("begin", [waiting, live])
async def test_a_coordinators_words_reach_the_user_and_are_a_takeover(begin: Any) -> None:
    async with listening() as (app, inbox):
        user = await begin(app)
        await inbox.receive("Bună, sunt Ioana.", coordinator_id="ioana", message_id="m1")
        head = await app.head(ANA)

        assert user.words[-1] == "Bună, sunt Ioana."
        assert head.status is Status.LIVE
        assert head.transfer is not None
        assert head.transfer.coordinator_id == "ioana"
        assert inbox.counted == ["stored"]


async def test_words_that_cross_with_the_end_of_the_chat_are_still_a_takeover() -> None:
    async with listening() as (app, inbox):
        user = await live(app)
        await user.end_live_chat()
        await inbox.receive("Încă ceva …", message_id="m1")

        assert (await app.head(ANA)).reason is Reason.COORDINATOR
        assert user.words[-1] == "Încă ceva …"


@pytest.mark.parametrize(
    "known_by",
    [{"message_id": "m1"}, {"at": START}, {"message_id": "m1", "at": START}],
    ids=["id", "time", "both"],
)
async def test_the_same_words_told_twice_are_shown_once(known_by: dict[str, Any]) -> None:
    async with listening() as (app, inbox):
        await live(app)
        await inbox.receive("Bună!", **known_by)
        await inbox.receive("Bună!", **known_by)

        assert await app.texts(ANA, Author.COORDINATOR) == ["Bună!"]
        assert inbox.counted == ["stored", "duplicate"]


async def test_the_same_words_are_shown_once_although_every_process_hears_them() -> None:
    async with listening() as (app, inbox):
        await live(app)
        other = Inbox(app.another())
        await inbox.receive("Bună!", at=START)
        await other.receive("Bună!", at=START)

        assert await app.texts(ANA, Author.COORDINATOR) == ["Bună!"]
        assert other.counted == ["duplicate"]


async def test_words_long_known_are_known_although_much_was_said_since() -> None:
    async with listening() as (app, inbox):
        user = await live(app)
        await inbox.receive("Bună!", at=START)
        for number in range(60):
            await user.say(f"{number}")
        await inbox.receive("Bună!", at=START, replayed=True)

        assert await app.texts(ANA, Author.COORDINATOR) == ["Bună!"]


async def test_who_says_the_same_again_has_said_it_twice() -> None:
    async with listening() as (app, inbox):
        await live(app)
        await inbox.receive("Da.", at=START)
        await inbox.receive("Da.", at=START + timedelta(seconds=1))
        await inbox.receive("Da.")
        await inbox.receive("Da.")

        assert await app.texts(ANA, Author.COORDINATOR) == ["Da."] * 4


async def test_words_to_a_closed_conversation_or_to_nobody_are_counted_and_go_nowhere() -> None:
    async with listening() as (app, inbox):
        await inbox.receive("Bună?")
        user = await live(app)
        await app.coordinator("maria").close(user)
        await inbox.receive("Bună?")

        assert inbox.counted == ["unknown", "closed"]
        assert await app.texts(ANA, Author.COORDINATOR) == []


async def test_what_is_said_while_the_store_is_down_is_stored_when_it_is_back() -> None:
    store = FaultyStore()
    async with listening(store) as (app, inbox):
        await live(app)
        store.go_down()
        hearing = asyncio.create_task(inbox.receive("Bună!", message_id="m1"))
        await app.clock.advance(5 * FIRST_STORE_PAUSE_S)
        meanwhile = list(inbox.counted)
        store.come_back()
        await app.clock.advance(10 * FIRST_STORE_PAUSE_S)
        await hearing

        assert meanwhile == []
        assert await app.texts(ANA, Author.COORDINATOR) == ["Bună!"]


async def test_what_was_stored_although_the_store_said_no_is_stored_once() -> None:
    store = FaultyStore()
    async with listening(store) as (app, inbox):
        await live(app)
        store.lose_answer("append")
        hearing = asyncio.create_task(inbox.receive("Bună!", message_id="m1"))
        await app.clock.advance(FIRST_STORE_PAUSE_S)
        await hearing

        assert await app.texts(ANA, Author.COORDINATOR) == ["Bună!"]


async def test_an_echo_is_compared_with_all_of_the_log_that_it_would_be_stored_in() -> None:
    store = FaultyStore()
    async with listening(store) as (app, inbox):
        user = await live(app)
        await inbox.receive("Bună!", Author.USER)
        for number in range(2 * RECENT):  # more than is cached: the log is read
            await user.say(f"Rândul {number}: {'x' * 500}")
        reading = store.hold_answer("page")
        receiving = asyncio.create_task(inbox.receive("Mai sunteți?", Author.USER))
        await reading.reached.wait()
        await user.say("Mai sunteți?")
        reading.release()
        await receiving

        assert (await app.texts(ANA, Author.USER)).count("Mai sunteți?") == 1


async def test_what_was_stored_in_a_session_that_has_ended_since_is_not_stored_in_the_next() -> (
    None
):
    async with listening() as (app, inbox):
        user = await live(app)
        other = Inbox(app.another())
        await other.gateway.join(ANA)
        await app.clock.advance(1)
        await inbox.receive("Bună!")
        await app.coordinator("maria").close(user)
        await app.clock.advance(1)
        await user.say("Încă o întrebare")
        await other.receive("Bună!")

        assert other.counted == ["duplicate"]


# The user speaks at the bridge directly.


async def test_a_user_who_writes_at_the_bridge_is_heard_and_not_echoed_there() -> None:
    async with listening(bridge="elixir", businesses=demo_businesses()) as (app, inbox):
        user = await live(app)
        await inbox.receive("Mai sunteți acolo?", Author.USER, message_id="m7")
        told = await relayed(app)

        assert user.messages[-1].text == "Mai sunteți acolo?"
        assert user.messages[-1].message_id == "m7"
        assert "Mai sunteți acolo?" not in told


async def test_a_user_who_writes_here_is_told_to_the_bridge() -> None:
    async with listening(bridge="elixir", businesses=demo_businesses()) as (app, _):
        user = await live(app)
        await user.say("Mai sunteți acolo?")

        assert await relayed(app) == ["Mai sunteți acolo?"]


async def relayed(app: App) -> list[str]:
    """Empty the outbox, and return the user's messages that were queued for the bridge."""
    told: list[str] = []
    now = app.clock.now()
    while notices := await app.store.claim(Lane.PEOPLE, now, now + timedelta(seconds=60), 10):
        for notice in notices:
            if isinstance(notice.content, LiveChatMessagePosted):
                told.append(notice.content.text)
            await app.store.settle(notice.notice_id, Delivered())
    return told


@pytest.mark.parametrize("message_id", ["c1", None])
async def test_the_users_words_that_come_back_from_the_bridge_are_not_taken_for_new(
    message_id: str | None,
) -> None:
    async with listening() as (app, inbox):
        user = await live(app)
        posted = await user.say("Sunt aici", message_id)
        await inbox.receive("Sunt aici", Author.USER, message_id=posted.message_id)
        await inbox.receive("Sunt aici", Author.USER, at=app.clock.now())

        assert (await app.texts(ANA, Author.USER)).count("Sunt aici") == 1
        assert inbox.counted == ["duplicate", "duplicate"]


async def test_the_same_words_of_the_user_at_the_bridge_are_taken_once() -> None:
    async with listening() as (app, inbox):
        await live(app)
        at = app.clock.now() - timedelta(seconds=1)
        await inbox.receive("Alo?", Author.USER, at=at)
        await inbox.receive("Alo?", Author.USER, at=at)

        assert (await app.texts(ANA, Author.USER)).count("Alo?") == 1


async def test_words_without_ids_get_ids_of_their_own_whoever_says_them() -> None:
    async with listening() as (app, inbox):
        user = await live(app)
        at = app.clock.now() - timedelta(seconds=1)
        await inbox.receive("Alo?", Author.USER, at=at)
        await inbox.receive("Alo?", Author.COORDINATOR, at=at)

        one, other = user.messages[-2:]
        assert (one.text, other.text) == ("Alo?", "Alo?")
        assert one.message_id != other.message_id


# The user speaks there unasked, while the AI has the conversation.


@asynccontextmanager
async def with_ai(**chosen: Any) -> AsyncIterator[tuple[App, Inbox, User]]:
    """Ana talks to the AI, and her topic is followed, on a server with a bridge."""
    chosen = {"bridge": MemoryBridge(), **chosen}
    async with harness(ScriptedSteps(["Cu plăcere."]), **chosen) as app:
        inbox = Inbox(app, max_ai_topics=900)
        user = app.user()
        await user.join()
        await user.say("Bună!", "m0")
        await app.quiet()
        yield app, inbox, user


async def test_a_user_who_speaks_unasked_at_the_bridge_has_asked_for_a_human() -> None:
    async with with_ai() as (app, inbox, user):
        await inbox.receive("Aș vrea un om.", Author.USER, message_id="m1")
        await app.quiet()
        message, change, text = user.log[-3:]
        head = await app.head(ANA)

        assert isinstance(message, Message)
        assert (message.author, message.text) == (Author.USER, "Aș vrea un om.")
        assert isinstance(change, StatusChange)
        assert (change.status, change.reason) == (Status.WAITING, Reason.USER_REQUEST)
        assert isinstance(text, Message)
        assert text.text == localized("ro", Text.REQUESTED)
        assert head.transfer is not None
        assert head.transfer.state is TransferState.REQUESTED
        assert user.words == ["Cu plăcere.", text.text]  # the AI is silent


async def test_what_a_user_said_unasked_is_requested_at_the_bridge_and_not_sent_back() -> None:
    bridge = MemoryBridge()
    async with with_ai(bridge=bridge) as (app, inbox, _):
        await inbox.receive("Aș vrea un om.", Author.USER, message_id="m1")
        app.deliver()
        await app.settle()

        kinds = [notice.kind for notice in bridge.accepted if notice.lane is Lane.PEOPLE]
        assert kinds == [NoticeKind.TRANSFER, NoticeKind.STATUS]
        assert bridge.kinds.count(NoticeKind.CONVERSATION) == 1  # of what was said to the AI


async def test_a_turn_that_runs_when_the_user_speaks_at_the_bridge_is_dropped() -> None:
    assistant = ScriptedSteps(["Da, ", PAUSE, "sigur."])
    async with harness(assistant) as app:
        inbox = Inbox(app, max_ai_topics=900)
        user = app.user()
        await user.join()
        await user.say("Bună!")
        await app.quiet()
        await inbox.receive("Aș vrea un om.", Author.USER, message_id="m1")
        assistant.go()
        await app.quiet()

        assert user.words == [localized("ro", Text.REQUESTED)]
        assert app.observer.outcomes == ["cancelled"]


@pytest.mark.parametrize("known_by", ["id", "time"])
async def test_an_unasked_message_repeated_after_the_return_starts_nothing(known_by: str) -> None:
    async with with_ai() as (app, inbox, user):
        known: Any = {"message_id": "m1"} if known_by == "id" else {"at": app.clock.now()}
        await inbox.receive("Aș vrea un om.", Author.USER, **known)
        await app.clock.advance(60)
        await user.end_live_chat()
        await app.quiet()
        for replayed in (False, True):
            await inbox.receive("Aș vrea un om.", Author.USER, replayed=replayed, **known)

        assert (await app.head(ANA)).status is Status.AI
        assert (await app.texts(ANA, Author.USER)).count("Aș vrea un om.") == 1


@pytest.mark.parametrize("replayed", [False, True])
async def test_our_own_message_echoed_after_the_return_starts_nothing(replayed: bool) -> None:
    async with with_ai() as (app, inbox, user):
        await app.coordinator("maria").take_over(user)
        at = app.clock.now()
        await user.say("Sunt aici")
        await app.clock.advance(60)
        await app.coordinator("maria").give_back(user)
        await inbox.receive("Sunt aici", Author.USER, at=at, replayed=replayed)

        assert (await app.head(ANA)).status is Status.AI
        assert inbox.counted == ["late" if replayed else "duplicate"]


async def test_another_processes_message_echoed_here_starts_nothing() -> None:
    async with with_ai() as (app, inbox, user):
        elsewhere = app.another()
        await elsewhere.coordinator("maria").take_over(user)
        at = app.clock.now()
        await elsewhere.user().say("Sunt aici")
        await elsewhere.coordinator("maria").give_back(user)
        await inbox.receive("Sunt aici", Author.USER, at=at)

        assert inbox.counted == ["duplicate"]
        assert (await app.head(ANA)).status is Status.AI


@pytest.mark.parametrize(
    ("author", "text"), [(Author.USER, "Bună!"), (Author.COORDINATOR, "Cu plăcere.")]
)
async def test_a_report_that_is_broadcast_on_the_topic_starts_nothing(
    author: Author, text: str
) -> None:
    async with with_ai() as (app, inbox, user):
        await app.clock.advance(1)
        said = list(user.words)
        await inbox.receive(text, author, at=app.clock.now(), message_id="their-own")

        assert (await app.head(ANA)).status is Status.AI
        assert inbox.counted == ["duplicate"]
        assert user.words == said


@pytest.mark.parametrize(
    ("author", "text"), [(Author.USER, "Un om, vă rog"), (Author.COORDINATOR, "Cu plăcere.")]
)
async def test_a_report_of_what_led_to_a_request_is_no_message_of_the_wait(
    author: Author, text: str
) -> None:
    async with with_ai() as (app, inbox, user):
        await user.ask_for_human("Un om, vă rog")
        app.deliver()
        await app.settle()
        await inbox.receive(text, author, message_id="their-own")

        assert inbox.counted == ["duplicate"]
        assert (await app.head(ANA)).status is Status.WAITING


async def test_what_a_user_says_again_at_the_bridge_while_waiting_is_stored() -> None:
    async with with_ai() as (app, inbox, user):
        await user.ask_for_human()
        await user.say("Alo?")
        await inbox.receive("Alo?", Author.USER, message_id="their-own")

        assert await app.texts(ANA, Author.USER) == ["Bună!", "Alo?", "Alo?"]


async def test_a_text_alone_is_the_users_own_message_coming_back_once() -> None:
    async with listening() as (app, inbox):
        user = await live(app)
        await user.say("Da", "m1")
        await inbox.receive("Da", Author.USER)
        await inbox.receive("Da", Author.USER)

        assert inbox.counted == ["duplicate", "stored"]
        assert await app.texts(ANA, Author.USER) == ["Un om, vă rog", "Da", "Da"]


async def test_a_text_alone_is_new_after_the_users_own_message_has_come_back() -> None:
    async with listening() as (app, inbox):
        user = await live(app)
        await user.say("Da", "m1")
        inbox.gateway.echo(ANA, "m1")
        await inbox.receive("Da", Author.USER)

        assert inbox.counted == ["stored"]


async def test_a_message_is_stored_once_although_the_store_does_not_say_that_it_has() -> None:
    store = FaultyStore()
    async with listening(store) as (app, inbox):
        await live(app)
        store.lose_answer("append")
        receiving = asyncio.create_task(inbox.receive("Bună"))
        await app.clock.advance(FIRST_STORE_PAUSE_S)
        await receiving

        assert await app.texts(ANA, Author.COORDINATOR) == ["Bună"]


@pytest.mark.parametrize("author", [Author.USER, Author.COORDINATOR])
async def test_what_was_said_before_the_ai_had_the_conversation_is_said_again(
    author: Author,
) -> None:
    async with with_ai() as (app, inbox, user):
        await app.coordinator("maria").take_over(user)
        await app.coordinator("maria").give_back(user)
        await app.clock.advance(1)
        text = "Bună!" if author is Author.USER else "Cu plăcere."
        await inbox.receive(text, author, at=app.clock.now(), message_id="m1")

        assert (await app.head(ANA)).status is not Status.AI


async def test_the_history_of_an_earlier_live_chat_starts_nothing() -> None:
    async with with_ai() as (app, inbox, user):
        await app.coordinator("maria").take_over(user)
        await app.clock.advance(60)
        at = app.clock.now()
        await app.clock.advance(60)
        await app.coordinator("maria").give_back(user)
        await inbox.receive("La revedere", Author.USER, at=at, message_id="m9", replayed=True)

        assert (await app.head(ANA)).status is Status.AI
        assert inbox.counted == ["late"]


@pytest.mark.parametrize("author", [Author.USER, Author.COORDINATOR])
async def test_who_spoke_unasked_while_we_were_not_connected_is_received(author: Author) -> None:
    async with with_ai() as (app, inbox, _):
        await app.clock.advance(60)
        await inbox.receive("E cineva?", author, at=app.clock.now(), message_id="m1", replayed=True)

        expected = Status.WAITING if author is Author.USER else Status.LIVE
        assert (await app.head(ANA)).status is expected


async def test_what_a_user_writes_at_the_bridge_just_after_the_return_is_not_left_to_the_ai() -> (
    None
):
    async with listening() as (app, inbox):
        user = await live(app)
        await app.coordinator("maria").give_back(user)
        await inbox.receive("Încă ceva …", Author.USER, message_id="m1")
        await app.quiet()

        assert (await app.head(ANA)).reason is Reason.USER_REQUEST
        assert user.words[-1] == localized("ro", Text.REQUESTED)


# The topics of conversations with the AI.


async def test_the_most_recently_active_conversations_with_the_ai_are_followed() -> None:
    async with harness(ScriptedSteps(["Da."])) as app:
        inbox = Inbox(app, max_ai_topics=2)
        one, two, three = (app.user("b1", f"u{number}") for number in (1, 2, 3))
        for user in (one, two, one, three):
            await user.say("Bună!")

        assert inbox.gateway.followed == {one.customer, three.customer}
        assert inbox.left == 1


async def test_a_transfer_takes_no_place_of_the_ais_and_is_never_left() -> None:
    async with harness(ScriptedSteps(["Da."])) as app:
        inbox = Inbox(app, max_ai_topics=1)
        waits, talks, other = (app.user("b1", f"u{number}") for number in (1, 2, 3))
        await waits.ask_for_human()
        await talks.say("Bună!")
        await app.coordinator("maria").take_over(talks)
        await other.say("Bună!")
        meanwhile = set(inbox.gateway.followed)
        await app.coordinator("maria").give_back(talks)

        assert meanwhile == {waits.customer, talks.customer, other.customer}
        assert inbox.gateway.followed == {waits.customer, talks.customer}


async def test_a_closed_conversation_is_left_and_the_next_one_followed() -> None:
    async with harness(ScriptedSteps(["Da."])) as app:
        inbox = Inbox(app, max_ai_topics=5)
        user = app.user()
        await user.say("Bună!")
        await app.coordinator("maria").close(user)
        closed = set(inbox.gateway.followed)
        await user.say("Încă ceva")

        assert closed == set()
        assert inbox.gateway.followed == {ANA}


@pytest.mark.parametrize("is_waiting", [False, True])
async def test_an_erased_customers_topic_is_left(is_waiting: bool) -> None:
    async with with_ai() as (app, inbox, user):
        if is_waiting:
            await user.ask_for_human()
        followed = set(inbox.gateway.followed)
        await app.privacy.erase(ANA)
        left = set(inbox.gateway.followed)
        await user.say("Bună!")

        assert (followed, left, inbox.gateway.followed) == ({ANA}, set(), {ANA})


async def test_after_a_restart_the_most_recent_conversations_with_the_ai_are_followed() -> None:
    store = CountedListing()
    async with harness(ScriptedSteps(["Da."]), store) as app:
        users = [app.user("b1", f"u{number}") for number in range(LISTING_PAGE + 20)]
        for user in users:
            await user.say("Bună!")
            await app.clock.advance(1)
        inbox = Inbox(app.another(), max_ai_topics=LISTING_PAGE + 10)
        await inbox.use_case.refresh()
        listed = list(store.limits)
        await users[-1].say("Alo?")
        await inbox.use_case.refresh()
        before = len(inbox.gateway.changes)
        await inbox.use_case.refresh()

        assert inbox.gateway.followed == {user.customer for user in users[10:]}
        assert listed == [(Status.AI, LISTING_PAGE), (Status.AI, 10)]
        assert store.limits == listed  # later calls list no more of the AI's conversations
        assert len(inbox.gateway.changes) == before


async def test_what_is_closed_while_the_conversations_are_listed_is_not_followed() -> None:
    store = SlowListing(Status.AI)
    async with harness(ScriptedSteps(["Da."]), store) as app:
        closes, stays = app.user("b1", "u1"), app.user("b1", "u2")
        for user in (closes, stays):
            await user.say("Bună!")
        inbox = Inbox(app, max_ai_topics=5)
        listing = asyncio.create_task(inbox.use_case.refresh())
        await store.listed.reached.wait()
        await app.coordinator("maria").close(closes)
        store.listed.release()
        await listing

        assert inbox.gateway.followed == {stays.customer}


async def test_of_listed_and_active_conversations_the_least_recent_is_left_first() -> None:
    async with harness(ScriptedSteps(["Da."])) as app:
        for number in (1, 2, 3):
            await app.user("b1", f"u{number}").say("Bună!")
            await app.clock.advance(1)
        again = app.another()
        inbox = Inbox(again, max_ai_topics=3)
        await inbox.use_case.refresh()
        await again.user("b1", "u1").say("Alo?")
        await again.user("b1", "u4").say("Bună!")

        assert inbox.gateway.followed == {customer("b1", f"u{number}") for number in (1, 3, 4)}


async def test_whether_the_user_is_there_is_shown_once_in_a_live_chat_and_again_after_a_join() -> (
    None
):
    async with harness(ScriptedSteps(["Da."])) as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")
        inbox = Inbox(app, max_ai_topics=5)
        inbox.use_case.show_presence()
        with_ai = list(inbox.gateway.presence)
        await app.coordinator("maria").take_over(user)
        for _ in range(2):
            inbox.use_case.show_presence()
        user.leave()
        inbox.use_case.show_presence()
        await inbox.gateway.join(user.customer)
        inbox.use_case.show_presence()

        assert with_ai == []
        assert inbox.gateway.presence == [(user.customer, each) for each in (True, False, False)]


async def test_what_the_user_types_to_the_ai_is_not_shown_at_the_bridge() -> None:
    async with with_ai() as (app, inbox, _):
        app.hub.publish(ANA, Typing("user", 6_000))

        assert inbox.gateway.followed == {ANA}
        assert inbox.gateway.typing == []


@pytest.mark.parametrize("seed", range(10))
async def test_whatever_happens_all_who_talk_are_followed_and_so_many_of_the_rest(
    seed: int,
) -> None:
    chance = Random(seed)
    async with harness() as app:
        inbox = Inbox(app, max_ai_topics=3)
        users = [app.user("b1", f"u{number}") for number in range(12)]
        for _ in range(100):
            await do_something(chance, app, chance.choice(users))
            if chance.random() < 0.1:
                await inbox.use_case.refresh()
        stored = [user.customer for user in users if await app.stored(user.customer)]
        statuses = {who: (await app.head(who)).status for who in stored}
        followed = inbox.gateway.followed

        assert {who for who in stored if statuses[who] in TALKING} <= followed
        of_ai = {who for who in stored if statuses[who] is Status.AI}
        assert len(followed & of_ai) <= 3
        assert not [who for who in followed if statuses[who] is Status.CLOSED]


# The topic is not joined.


async def test_who_waits_is_told_once_that_the_topic_cannot_be_joined_and_once_that_it_is() -> None:
    async with with_ai() as (app, inbox, user):
        app.deliver()
        await user.ask_for_human()
        await app.settle()
        for _ in range(3):
            await inbox.gateway.lose(ANA)
            await inbox.gateway.join(ANA)

        assert user.words[1:] == [TOLD, UNREACHABLE, REACHED]


async def test_a_request_on_a_topic_known_not_to_be_joined_is_told_at_once() -> None:
    async with with_ai() as (app, inbox, user):
        await inbox.gateway.lose(ANA)
        before = list(user.words)
        app.deliver()
        await user.ask_for_human()
        await app.settle()

        assert before == ["Cu plăcere."]
        assert user.words[1:] == [TOLD, UNREACHABLE]
        assert await state(app) is TransferState.DELIVERED


async def test_a_topic_that_cannot_be_joined_is_tried_at_once_when_a_human_is_asked_for() -> None:
    async with with_ai() as (_, inbox, user):
        await inbox.gateway.lose(ANA)
        before = list(inbox.gateway.changes)
        await user.ask_for_human()
        await user.say("Alo?")

        assert inbox.gateway.changes == [*before, ("leave", ANA), ("join", ANA)]


@pytest.mark.parametrize("first", ["delivered", "joined"])
async def test_the_request_has_arrived_once_it_is_delivered_and_its_topic_joined(
    first: str,
) -> None:
    bridge = MemoryBridge()
    bridge.go_away()
    async with with_ai(bridge=bridge, transfer_timeout_s=3_600) as (app, inbox, user):
        await inbox.gateway.lose(ANA)
        app.deliver()
        await user.ask_for_human()
        await app.settle()
        if first == "delivered":
            bridge.come_back()
            await app.clock.advance(120)
        else:
            await inbox.gateway.join(ANA)
        halfway = list(user.words[1:])
        if first == "delivered":
            await inbox.gateway.join(ANA)
        else:
            bridge.come_back()
            await app.clock.advance(120)

        assert halfway == [TOLD, UNREACHABLE]
        assert user.words[1:] == [TOLD, UNREACHABLE, REACHED]


async def test_the_arrival_is_told_although_the_process_died_before_the_topic_was_joined() -> None:
    async with with_ai() as (app, inbox, user):
        await inbox.gateway.lose(ANA)
        app.deliver()
        await user.ask_for_human()
        await app.settle()
        await app.stop_delivering()
        again = Inbox(app.another())
        await again.use_case.refresh()
        await again.gateway.join(ANA)
        said = await app.texts(ANA, Author.SYSTEM)

        assert said == [TOLD, UNREACHABLE, REACHED]


async def test_the_arrival_is_told_by_the_process_that_joins_whoever_delivered() -> None:
    async with with_ai() as (app, inbox, user):
        await user.ask_for_human()
        await inbox.gateway.lose(ANA)
        elsewhere = app.another()
        elsewhere.gateway.unavailable.add(ANA)
        elsewhere.deliver()
        await app.settle()
        await inbox.gateway.join(ANA)
        await elsewhere.stop_delivering()

        assert user.words[1:] == [TOLD, UNREACHABLE, REACHED]


@pytest.mark.parametrize("end", ["taken", "cancelled"])
async def test_what_ends_the_wait_ends_the_news_of_it(end: str) -> None:
    async with with_ai() as (app, inbox, user):
        app.deliver()
        await user.ask_for_human()
        await app.settle()
        await inbox.gateway.lose(ANA)
        if end == "taken":
            await app.coordinator("maria").take_over(user)
        else:
            await user.end_live_chat()
        told = list(user.words)
        await inbox.gateway.join(ANA)
        await inbox.gateway.lose(ANA)
        await app.settle()

        assert user.words == told
        assert REACHED not in told


async def test_what_the_user_says_in_a_live_chat_that_is_not_joined_is_told_to_wait_once() -> None:
    async with with_ai() as (app, inbox, user):
        await app.coordinator("maria").take_over(user)
        told = list(user.words)
        await inbox.gateway.lose(ANA)
        silent = list(user.words)
        await user.say("Alo?")
        await user.say("Mă auziți?")
        await app.settle()

        assert silent == told
        assert user.words[len(told) :] == [localized("ro", Text.NOT_RELAYED)]


async def test_who_spoke_last_when_the_live_chats_topic_is_lost_is_told_so() -> None:
    async with with_ai() as (app, inbox, user):
        await app.coordinator("maria").take_over(user)
        await user.say("Alo?")
        await inbox.gateway.lose(ANA)

        assert user.words[-1] == localized("ro", Text.NOT_RELAYED)


async def test_that_the_topic_is_lost_is_told_also_after_an_outage_of_the_store() -> None:
    store = FaultyStore()
    async with with_ai(store=store) as (app, inbox, user):
        await user.ask_for_human()
        store.go_down()
        losing = asyncio.create_task(inbox.gateway.lose(ANA))
        await app.clock.advance(FIRST_STORE_PAUSE_S)
        store.come_back()
        await app.clock.advance(10 * FIRST_STORE_PAUSE_S)
        await losing

        assert user.words[-1] == UNREACHABLE


async def test_that_the_topic_is_joined_is_told_although_its_loss_is_only_being_stored() -> None:
    store = SlowNotice()
    async with with_ai(store=store) as (app, inbox, user):
        app.deliver()
        await user.ask_for_human()
        await app.settle()
        losing = asyncio.create_task(inbox.gateway.lose(ANA))
        await store.appending.reached.wait()
        await inbox.gateway.join(ANA)
        store.appending.release()
        await losing

        assert user.words[1:] == [TOLD, UNREACHABLE, REACHED]


async def state(app: App) -> TransferState | None:
    transfer = (await app.head(ANA)).transfer
    return transfer.state if transfer is not None else None


# What a join tells of the past.


async def test_what_was_said_while_we_were_away_is_told_once_we_are_back() -> None:
    async with listening() as (app, inbox):
        user = await live(app)
        at = app.clock.now()
        await inbox.receive("unu", at=at, message_id="m1")
        for number, text in enumerate(["unu", "doi", "trei"], 1):
            await inbox.receive(text, at=at, message_id=f"m{number}", replayed=True)

        assert user.words[-3:] == ["unu", "doi", "trei"]


@pytest.mark.parametrize("author", [Author.USER, Author.COORDINATOR])
@pytest.mark.parametrize("is_waiting", [False, True])
async def test_what_the_bridge_pushes_of_days_ago_is_of_the_past_as_if_a_join_replayed_it(
    is_waiting: bool, author: Author
) -> None:
    async with with_ai() as (app, inbox, user):
        if is_waiting:
            await user.ask_for_human()
        said, owner = list(user.log), (await app.head(ANA)).status
        await inbox.receive("Salut!", author, at=app.clock.now() - timedelta(days=3))

        assert inbox.counted == ["late"]
        assert (user.log, (await app.head(ANA)).status) == (said, owner)


@pytest.mark.parametrize("behind", [timedelta(hours=12), timedelta(hours=-12)])
async def test_a_coordinator_is_heard_whose_clock_is_in_another_zone(behind: timedelta) -> None:
    async with listening() as (app, inbox):
        user = await waiting(app)
        await inbox.receive("Bună!", at=app.clock.now() - behind)

        assert user.words[-1] == "Bună!"


async def test_what_was_said_in_an_earlier_live_chat_takes_nothing_over() -> None:
    async with listening() as (app, inbox):
        await app.clock.advance(3600)
        await waiting(app)
        await inbox.receive("Gata, o zi bună!", at=START, message_id="m0", replayed=True)

        assert (await app.head(ANA)).status is Status.WAITING
        assert inbox.counted == ["late"]


@pytest.mark.parametrize("replayed", [False, True])
async def test_what_a_coordinator_said_before_the_return_is_stored_and_takes_nothing_over(
    replayed: bool,
) -> None:
    async with listening() as (app, inbox):
        user = await live(app)
        at = app.clock.now()
        await app.clock.advance(1)
        await app.coordinator("maria").give_back(user)
        await inbox.receive(
            "Gata, o zi bună!", at=at, message_id="m0", coordinator_id="maria", replayed=replayed
        )

        assert user.words[-1] == "Gata, o zi bună!"
        assert (await app.head(ANA)).status is Status.AI


@pytest.mark.parametrize(
    ("said_by", "said_s", "arrives_s"),
    [
        ("maria", 1, 1),  # after the return
        ("dan", -1, 1),  # a colleague, who has returned nothing
        ("maria", -1, 60),  # by the clock of a bridge that is behind by more than messages are late
    ],
)
async def test_who_speaks_after_the_return_has_the_conversation(
    said_by: str, said_s: float, arrives_s: float
) -> None:
    async with listening() as (app, inbox):
        user = await live(app)
        await app.clock.advance(5)
        await app.coordinator("maria").give_back(user)
        at = app.clock.now() + timedelta(seconds=said_s)
        await app.clock.advance(arrives_s)
        await inbox.receive("Încă ceva!", at=at, message_id="m0", coordinator_id=said_by)

        assert user.words[-1] == "Încă ceva!"
        assert (await app.head(ANA)).status is Status.LIVE


async def test_an_earlier_coordinators_late_words_take_nothing_from_the_next_one() -> None:
    async with listening() as (app, inbox):
        user = await live(app)
        at = app.clock.now()
        before = await app.coordinator("dan").take_over(user)
        await inbox.receive(
            "Imediat!", at=at, message_id="m0", coordinator_id="maria", replayed=True
        )

        assert user.words[-1] == "Imediat!"
        assert (await app.head(ANA)).epoch == before.epoch


async def test_what_a_coordinator_said_before_taking_over_unasked_is_not_of_the_past() -> None:
    async with listening() as (app, inbox):
        user = app.user()
        await user.join()
        await user.say("Bună!")
        at = app.clock.now()
        await app.clock.advance(120)
        await app.coordinator("maria").take_over(user)
        await inbox.receive("Bună, preiau eu.", at=at, message_id="m1", replayed=True)

        assert user.words[-1] == "Bună, preiau eu."


async def test_what_a_coordinator_said_before_they_were_gone_is_stored_and_accepts_nothing() -> (
    None
):
    async with listening() as (app, inbox):
        user = await live(app)
        at = app.clock.now()
        await app.clock.advance(120)
        session_id = await app.session_id(ANA)
        await app.transfers.change(session_id, Status.WAITING, is_away=True)
        await inbox.receive("Verific acum.", at=at, message_id="m1", replayed=True)

        assert user.words[-1] == "Verific acum."
        assert (await app.head(ANA)).status is Status.WAITING


async def test_nobody_can_tell_of_words_without_a_time_whether_they_are_of_the_past() -> None:
    async with listening() as (app, inbox):
        await live(app)
        await inbox.receive("Gata, o zi bună!", message_id="m0", replayed=True)

        assert inbox.counted == ["late"]


async def test_the_same_words_under_another_id_are_other_words_also_at_a_join() -> None:
    async with listening() as (app, inbox):
        await live(app)
        await inbox.receive("Da.", message_id="m1")
        at = app.clock.now() + timedelta(seconds=1)
        await inbox.receive("Da.", at=at, message_id="m2", replayed=True)

        assert inbox.counted == ["stored", "stored"]


async def test_a_coordinators_clock_may_be_a_little_behind() -> None:
    async with listening() as (app, inbox):
        await waiting(app)
        at = app.clock.now() - timedelta(seconds=3)
        await inbox.receive("Vin imediat", at=at, message_id="m1", replayed=True)

        assert inbox.counted == ["stored"]


async def test_our_words_told_at_a_join_by_a_bridge_without_ids_are_known_by_the_text() -> None:
    async with listening() as (app, inbox):
        user = await live(app)
        await user.say("Sunt aici")
        await app.clock.advance(1)
        await inbox.receive("Sunt aici", Author.USER, at=app.clock.now(), replayed=True)

        assert inbox.counted == ["duplicate"]


# Signs, and nonsense.


async def test_a_coordinators_typing_is_shown_to_the_user() -> None:
    async with listening() as (app, inbox):
        user = await live(app)
        await inbox.gateway.receive(ANA, Typing("coordinator", 6_000))

        assert user.typing == [Typing("coordinator", 6_000)]
        assert inbox.gateway.typing == []


async def test_a_place_in_the_queue_goes_to_the_user_while_they_wait_and_to_nobody_else() -> None:
    async with listening() as (app, inbox):
        user, heard = app.user(), app.listen(ANA)
        await user.join()
        await user.say("Bună")
        await inbox.gateway.receive(ANA, QueuePlace(3, 60))
        await user.ask_for_human()
        await inbox.gateway.receive(ANA, QueuePlace(2, None))
        await app.coordinator().take_over(user)
        await inbox.gateway.receive(ANA, QueuePlace(1, None))

        assert [event for event in heard if isinstance(event, QueuePlace)] == [QueuePlace(2, None)]
        assert inbox.counted == ["queue"]


async def test_a_users_typing_is_shown_to_the_coordinators_while_they_talk() -> None:
    async with listening() as (app, inbox):
        app.hub.publish(ANA, Typing("user", 6_000))
        before = list(inbox.gateway.typing)
        await live(app)
        app.hub.publish(ANA, Typing("user", 6_000))
        app.hub.publish(ANA, Typing("ai", 6_000))

        assert before == []
        assert inbox.gateway.typing == [ANA]


async def test_what_makes_no_sense_is_counted() -> None:
    async with listening() as (_, inbox):
        await inbox.gateway.receive(ANA, MalformedEvent("agent_message"))

        assert inbox.counted == ["malformed"]


def test_words_that_had_nowhere_to_go_are_counted_each_time_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics()
    with caplog.at_level(logging.WARNING):
        for outcome in ("stored", "closed", "closed", "unknown"):
            metrics.inbound_event(outcome)

    logged = [(r.__dict__["action"], r.__dict__["outcome"]) for r in caplog.records]
    assert logged == [
        ("bridge_message_unmatched", "closed"),
        ("bridge_message_unmatched", "unknown"),
    ]
    assert 'ai_agent_bridge_events_total{outcome="closed"} 2.0' in metrics.text().decode()


async def test_who_waits_and_who_is_in_a_live_chat_is_counted_and_for_how_long() -> None:
    async with listening() as (app, inbox):
        nobody = inbox.use_case.talking()
        user = await waiting(app)
        await app.clock.advance(60)
        waits = inbox.use_case.talking()
        transfer = (await app.head(ANA)).transfer
        assert transfer is not None
        await app.transfers.record_delivery(ANA, transfer.transfer_id)
        await app.clock.advance(30)
        still_waits = inbox.use_case.talking()
        await app.coordinator("maria").take_over(user)
        is_live = inbox.use_case.talking()

    assert nobody == TalkingChats(0, 0, 0.0)
    assert waits == TalkingChats(1, 0, 60.0)
    assert still_waits == TalkingChats(1, 0, 90.0)
    assert is_live == TalkingChats(0, 1, 0.0)


async def test_changes_of_hands_are_counted_with_their_reasons() -> None:
    async with listening() as (app, _):
        await live(app)
        text = app.observer.text().decode()

    counts = "ai_agent_status_changes_total"
    assert f'{counts}{{reason="user_request",status="waiting"}} 1.0' in text
    assert f'{counts}{{reason="accepted",status="live"}} 1.0' in text
    assert f'{counts}{{reason="expired",status="ai"}} 0.0' in text
