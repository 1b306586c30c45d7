"""The bridge inbox: the conversations that are followed, and the handling of what arrives."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from adapters.memory.businesses import MemoryBusinesses
from adapters.memory.store import MemoryStore
from adapters.prometheus import Metrics
from application.bridge_inbox import FIRST_STORE_PAUSE_S, LISTING_PAGE, TALKING, BridgeInbox
from application.ports import (
    InboundMessage,
    LiveChatGateway,
    MalformedEvent,
    OnInboundEvent,
    SessionPage,
    Typing,
)
from domain.errors import Refusal
from domain.identity import Customer, customer
from domain.message import Author
from domain.notice import Delivered, Lane, LiveChatMessagePosted
from domain.status import Reason, Status
from tests.support.assistants import ScriptedSteps
from tests.support.clock import START
from tests.support.faults import FaultyStore, Hold, LossyFanout, RandomFanout
from tests.support.harness import App, User, harness

ANA = customer("b1", "u1")


class Line(LiveChatGateway):
    """The bridge's side, as far as a relay sees it."""

    hear: OnInboundEvent

    def __init__(self) -> None:
        self.followed: set[Customer] = set()
        self.refuses: Customer | None = None
        self.joined: set[Customer] = set()
        self.typing: list[Customer] = []

    def listen(self, hear: OnInboundEvent) -> None:
        self.hear = hear

    def follow(self, customer: Customer) -> None:
        if customer == self.refuses:
            raise RuntimeError("as told")
        self.followed.add(customer)

    def unfollow(self, customer: Customer) -> None:
        self.followed.discard(customer)

    def is_joined(self, customer: Customer) -> bool:
        return customer in self.joined

    def show_typing(self, customer: Customer) -> None:
        self.typing.append(customer)


class SlowListing(MemoryStore):
    """A store whose listings wait, once they are read, for a release."""

    def __init__(self) -> None:
        super().__init__()
        self.listed = Hold()

    async def list_sessions(self, **which: Any) -> SessionPage:
        page = await super().list_sessions(**which)
        await self.listed.wait()
        return page


class Ear:
    """One process's relay, its line, and what it has counted."""

    def __init__(self, app: App) -> None:
        self.line = Line()
        self.counted: list[str] = []
        self.relay = BridgeInbox(
            gateway=self.line,
            session_log=app.session_log,
            fanout=app.fanout,
            clock=app.clock,
            post=app.post,
            transfers=app.transfers,
            archive=app.store,
            jitter=lambda: 1.0,
            count=self.counted.append,
        )
        self.relay.start()

    async def hear(self, text: str, author: Author = Author.COORDINATOR, **more: Any) -> None:
        """Deliver a message from the bridge, to Ana or as Ana."""
        await self.line.hear(ANA, said(text, author, **more))


def said(text: str, author: Author = Author.COORDINATOR, **more: Any) -> InboundMessage:
    return InboundMessage(author=author, text=text, **more)


@asynccontextmanager
async def listening(
    store: MemoryStore | None = None, **chosen: Any
) -> AsyncIterator[tuple[App, Ear]]:
    """A process with an inbox, whose AI gives every message the same answer."""
    async with harness(ScriptedSteps(["Cu plăcere."]), store, **chosen) as app:
        yield app, Ear(app)


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
    async with listening() as (app, ear):
        user = app.user()
        await user.say("Bună!")
        with_the_ai = set(ear.line.followed)
        await user.ask_for_human()
        while_waiting = set(ear.line.followed)
        await app.coordinator("maria").take_over(user)
        while_live = set(ear.line.followed)
        await app.coordinator("maria").give_back(user)

        assert with_the_ai == set()
        assert while_waiting == while_live == {ANA}
        assert ear.line.followed == set()


@pytest.mark.parametrize("end", ["cancel", "expire", "close"])
async def test_no_end_of_a_transfer_leaves_its_chat_followed(end: str) -> None:
    async with listening(transfer_timeout_s=60) as (app, ear):
        user = await waiting(app)
        if end == "cancel":
            await user.end_live_chat()
        elif end == "close":
            await app.coordinator("maria").close(user)
        else:
            await app.clock.advance(60)
            await app.sweep()

        assert ear.line.followed == set()


async def test_after_a_restart_all_are_followed_who_wait_or_talk_and_no_others() -> None:
    async with harness() as app:
        for number in range(LISTING_PAGE + 5):
            await app.user("b1", f"waiting{number}").ask_for_human()
        talking = app.user("b2", "talking")
        await talking.ask_for_human()
        await app.coordinator("maria").take_over(talking)
        await app.user("b1", "answered").say("Bună!")
        ear = Ear(app.another())
        await ear.relay.refresh()

        waiting = {customer("b1", f"waiting{number}") for number in range(LISTING_PAGE + 5)}
        assert ear.line.followed == waiting | {talking.customer}


async def test_a_customer_who_cannot_be_followed_keeps_no_other_from_being_followed() -> None:
    async with harness() as app:
        users = [app.user("b1", name) for name in ("ana", "dan", "eva")]
        for user in users:
            await user.ask_for_human()
        ear = Ear(app.another())
        ear.line.refuses = users[0].customer

        with pytest.raises(RuntimeError, match="as told"):
            await ear.relay.refresh()

        assert ear.line.followed == {user.customer for user in users[1:]}


async def test_what_another_process_has_begun_or_ended_is_found_by_the_next_look() -> None:
    async with listening() as (app, ear):
        begun_here = await waiting(app)
        elsewhere = app.another()
        await elsewhere.user("b1", "dan").ask_for_human()
        await elsewhere.coordinator("maria").close(begun_here)
        before = set(ear.line.followed)
        await ear.relay.refresh()

        assert before == {ANA}
        assert ear.line.followed == {customer("b1", "dan")}


async def test_what_begins_or_ends_during_a_look_at_the_store_is_not_undone_by_it() -> None:
    store = SlowListing()
    async with listening(store) as (app, ear):
        ends = await waiting(app)
        looking = asyncio.create_task(ear.relay.refresh())
        await store.listed.reached.wait()
        await app.coordinator("maria").close(ends)
        await app.user("b1", "dan").ask_for_human()
        store.listed.release()
        await looking

        assert ear.line.followed == {customer("b1", "dan")}


async def test_a_hint_that_is_lost_is_made_good_by_the_next_look() -> None:
    fanout = LossyFanout()
    async with harness(fanout=fanout) as app:
        ear = Ear(app)
        fanout.holding = True
        await app.user().ask_for_human()
        fanout.lose()
        missed = set(ear.line.followed)
        await ear.relay.refresh()

        assert missed == set()
        assert ear.line.followed == {ANA}


async def test_hints_that_come_in_the_other_order_leave_the_newest_status() -> None:
    fanout = LossyFanout()
    async with harness(fanout=fanout) as app:
        ear = Ear(app)
        user = await waiting(app)
        fanout.holding = True
        await user.end_live_chat()
        await app.coordinator("maria").take_over(user)
        fanout.pass_on(reverse=True)

        assert ear.line.followed == {ANA}


async def test_the_late_end_of_a_conversation_does_not_end_the_next_one() -> None:
    fanout = LossyFanout()
    async with harness(fanout=fanout) as app:
        ear = Ear(app)
        user = await waiting(app)
        fanout.holding = True
        await app.coordinator("maria").close(user)
        await user.ask_for_human()
        fanout.pass_on(reverse=True)

        assert ear.line.followed == {ANA}


async def test_a_stopped_relay_takes_no_notice_any_more() -> None:
    async with listening() as (app, ear):
        ear.relay.stop()
        await waiting(app)

        assert ear.line.followed == set()


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_becomes_of_hints_a_look_finds_exactly_those_who_wait_or_talk(
    seed: int,
) -> None:
    chance = Random(seed)
    async with harness(fanout=RandomFanout(seed)) as app:
        ear, elsewhere = Ear(app), app.another()
        users = [process.user("b1", f"u{n}") for n in range(6) for process in (app, elsewhere)]
        for _ in range(60):
            await do_something(chance, app, chance.choice(users))
            if chance.random() < 0.1:
                await ear.relay.refresh()
        await ear.relay.refresh()

        talking = {who for who in {user.customer for user in users} if await talks(app, who)}
        assert ear.line.followed == talking


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
    async with listening() as (app, ear):
        user = await begin(app)
        await ear.hear("Bună, sunt Ioana.", coordinator_id="ioana", message_id="m1")
        head = await app.head(ANA)

        assert user.words[-1] == "Bună, sunt Ioana."
        assert head.status is Status.LIVE
        assert head.transfer is not None
        assert head.transfer.coordinator_id == "ioana"
        assert ear.counted == ["spoken"]


async def test_words_that_cross_with_the_end_of_the_chat_are_still_a_takeover() -> None:
    async with listening() as (app, ear):
        user = await live(app)
        await user.end_live_chat()
        await ear.hear("Încă ceva …", message_id="m1")

        assert (await app.head(ANA)).reason is Reason.COORDINATOR
        assert user.words[-1] == "Încă ceva …"


@pytest.mark.parametrize(
    "known_by",
    [{"message_id": "m1"}, {"at": START}, {"message_id": "m1", "at": START}],
    ids=["id", "time", "both"],
)
async def test_the_same_words_told_twice_are_shown_once(known_by: dict[str, Any]) -> None:
    async with listening() as (app, ear):
        await live(app)
        await ear.hear("Bună!", **known_by)
        await ear.hear("Bună!", **known_by)

        assert await app.texts(ANA, Author.COORDINATOR) == ["Bună!"]
        assert ear.counted == ["spoken", "duplicate"]


async def test_the_same_words_are_shown_once_although_every_process_hears_them() -> None:
    async with listening() as (app, ear):
        await live(app)
        other = Ear(app.another())
        await ear.hear("Bună!", at=START)
        await other.hear("Bună!", at=START)

        assert await app.texts(ANA, Author.COORDINATOR) == ["Bună!"]
        assert other.counted == ["duplicate"]


async def test_words_long_known_are_known_although_much_was_said_since() -> None:
    async with listening() as (app, ear):
        user = await live(app)
        await ear.hear("Bună!", at=START)
        for number in range(60):
            await user.say(f"{number}")
        await ear.hear("Bună!", at=START, replayed=True)

        assert await app.texts(ANA, Author.COORDINATOR) == ["Bună!"]


async def test_who_says_the_same_again_has_said_it_twice() -> None:
    async with listening() as (app, ear):
        await live(app)
        await ear.hear("Da.", at=START)
        await ear.hear("Da.", at=START + timedelta(seconds=1))
        await ear.hear("Da.")
        await ear.hear("Da.")

        assert await app.texts(ANA, Author.COORDINATOR) == ["Da."] * 4


async def test_words_to_a_closed_conversation_or_to_nobody_are_counted_and_go_nowhere() -> None:
    async with listening() as (app, ear):
        await ear.hear("Bună?")
        user = await live(app)
        await app.coordinator("maria").close(user)
        await ear.hear("Bună?")

        assert ear.counted == ["unknown", "closed"]
        assert await app.texts(ANA, Author.COORDINATOR) == []


async def test_what_is_said_while_the_store_is_down_is_stored_when_it_is_back() -> None:
    store = FaultyStore()
    async with listening(store) as (app, ear):
        await live(app)
        store.go_down()
        hearing = asyncio.create_task(ear.hear("Bună!", message_id="m1"))
        await app.clock.advance(5 * FIRST_STORE_PAUSE_S)
        meanwhile = list(ear.counted)
        store.come_back()
        await app.clock.advance(10 * FIRST_STORE_PAUSE_S)
        await hearing

        assert meanwhile == []
        assert await app.texts(ANA, Author.COORDINATOR) == ["Bună!"]


async def test_what_was_stored_although_the_store_said_no_is_stored_once() -> None:
    store = FaultyStore()
    async with listening(store) as (app, ear):
        await live(app)
        store.lose_answer("append")
        hearing = asyncio.create_task(ear.hear("Bună!", message_id="m1"))
        await app.clock.advance(FIRST_STORE_PAUSE_S)
        await hearing

        assert await app.texts(ANA, Author.COORDINATOR) == ["Bună!"]


# The user speaks at the bridge directly.


async def test_a_user_who_writes_at_the_bridge_is_heard_and_not_echoed_there() -> None:
    async with listening(bridge="elixir", businesses=MemoryBusinesses()) as (app, ear):
        user = await live(app)
        await ear.hear("Mai sunteți acolo?", Author.USER, message_id="m7")
        told = await relayed(app)

        assert user.messages[-1].text == "Mai sunteți acolo?"
        assert user.messages[-1].message_id == "m7"
        assert "Mai sunteți acolo?" not in told


async def test_a_user_who_writes_here_is_told_to_the_bridge() -> None:
    async with listening(bridge="elixir", businesses=MemoryBusinesses()) as (app, _):
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
    async with listening() as (app, ear):
        user = await live(app)
        posted = await user.say("Sunt aici", message_id)
        await ear.hear("Sunt aici", Author.USER, message_id=posted.message_id)
        await ear.hear("Sunt aici", Author.USER, at=app.clock.now())

        assert (await app.texts(ANA, Author.USER)).count("Sunt aici") == 1
        assert ear.counted == ["duplicate", "duplicate"]


async def test_the_same_words_of_the_user_at_the_bridge_are_taken_once() -> None:
    async with listening() as (app, ear):
        await live(app)
        at = app.clock.now() - timedelta(seconds=1)
        await ear.hear("Alo?", Author.USER, at=at)
        await ear.hear("Alo?", Author.USER, at=at)

        assert (await app.texts(ANA, Author.USER)).count("Alo?") == 1


async def test_words_without_ids_get_ids_of_their_own_whoever_says_them() -> None:
    async with listening() as (app, ear):
        user = await live(app)
        at = app.clock.now() - timedelta(seconds=1)
        await ear.hear("Alo?", Author.USER, at=at)
        await ear.hear("Alo?", Author.COORDINATOR, at=at)

        one, other = user.messages[-2:]
        assert (one.text, other.text) == ("Alo?", "Alo?")
        assert one.message_id != other.message_id


async def test_what_a_user_writes_at_the_bridge_after_it_was_given_back_is_answered() -> None:
    async with listening() as (app, ear):
        user = await live(app)
        await app.coordinator("maria").give_back(user)
        await ear.hear("Mulțumesc!", Author.USER, message_id="m1")
        await app.quiet()

        assert user.words[-1] == "Cu plăcere."


# What a join tells of the past.


async def test_what_was_said_while_we_were_away_is_told_once_we_are_back() -> None:
    async with listening() as (app, ear):
        user = await live(app)
        at = app.clock.now()
        await ear.hear("unu", at=at, message_id="m1")
        for number, text in enumerate(["unu", "doi", "trei"], 1):
            await ear.hear(text, at=at, message_id=f"m{number}", replayed=True)

        assert user.words[-3:] == ["unu", "doi", "trei"]


async def test_what_was_said_in_an_earlier_live_chat_takes_nothing_over() -> None:
    async with listening() as (app, ear):
        await app.clock.advance(3600)
        await waiting(app)
        await ear.hear("Gata, o zi bună!", at=START, message_id="m0", replayed=True)

        assert (await app.head(ANA)).status is Status.WAITING
        assert ear.counted == ["late"]


async def test_what_a_coordinator_said_before_the_return_is_stored_and_takes_nothing_over() -> None:
    async with listening() as (app, ear):
        user = await live(app)
        at = app.clock.now()
        await app.coordinator("maria").give_back(user)
        await ear.hear("Gata, o zi bună!", at=at, message_id="m0", replayed=True)

        assert user.words[-1] == "Gata, o zi bună!"
        assert (await app.head(ANA)).status is Status.AI


async def test_an_earlier_coordinators_late_words_take_nothing_from_the_next_one() -> None:
    async with listening() as (app, ear):
        user = await live(app)
        at = app.clock.now()
        before = await app.coordinator("dan").take_over(user)
        await ear.hear("Imediat!", at=at, message_id="m0", coordinator_id="maria", replayed=True)

        assert user.words[-1] == "Imediat!"
        assert (await app.head(ANA)).epoch == before.epoch


async def test_what_a_coordinator_said_before_taking_over_unasked_is_not_of_the_past() -> None:
    async with listening() as (app, ear):
        user = app.user()
        await user.join()
        await user.say("Bună!")
        at = app.clock.now()
        await app.clock.advance(120)
        await app.coordinator("maria").take_over(user)
        await ear.hear("Bună, preiau eu.", at=at, message_id="m1", replayed=True)

        assert user.words[-1] == "Bună, preiau eu."


async def test_nobody_can_tell_of_words_without_a_time_whether_they_are_of_the_past() -> None:
    async with listening() as (app, ear):
        await live(app)
        await ear.hear("Gata, o zi bună!", message_id="m0", replayed=True)

        assert ear.counted == ["late"]


async def test_the_same_words_under_another_id_are_other_words_also_at_a_join() -> None:
    async with listening() as (app, ear):
        await live(app)
        await ear.hear("Da.", message_id="m1")
        at = app.clock.now() + timedelta(seconds=1)
        await ear.hear("Da.", at=at, message_id="m2", replayed=True)

        assert ear.counted == ["spoken", "spoken"]


async def test_a_coordinators_clock_may_be_a_little_behind() -> None:
    async with listening() as (app, ear):
        await waiting(app)
        at = app.clock.now() - timedelta(seconds=3)
        await ear.hear("Vin imediat", at=at, message_id="m1", replayed=True)

        assert ear.counted == ["spoken"]


async def test_our_words_told_at_a_join_by_a_bridge_without_ids_are_known_by_the_text() -> None:
    async with listening() as (app, ear):
        user = await live(app)
        await user.say("Sunt aici")
        await app.clock.advance(1)
        await ear.hear("Sunt aici", Author.USER, at=app.clock.now(), replayed=True)

        assert ear.counted == ["duplicate"]


# Signs, and nonsense.


async def test_a_coordinators_typing_is_shown_to_the_user() -> None:
    async with listening() as (app, ear):
        user = await live(app)
        await ear.line.hear(ANA, Typing("coordinator", 6_000))

        assert user.typing == [Typing("coordinator", 6_000)]
        assert ear.line.typing == []


async def test_a_users_typing_is_shown_to_the_coordinators_while_they_talk() -> None:
    async with listening() as (app, ear):
        app.fanout.publish(ANA, Typing("user", 6_000))
        before = list(ear.line.typing)
        await live(app)
        app.fanout.publish(ANA, Typing("user", 6_000))
        app.fanout.publish(ANA, Typing("ai", 6_000))

        assert before == []
        assert ear.line.typing == [ANA]


async def test_what_makes_no_sense_is_counted() -> None:
    async with listening() as (_, ear):
        await ear.line.hear(ANA, MalformedEvent("agent_message"))

        assert ear.counted == ["garbled"]


def test_words_that_had_nowhere_to_go_are_counted_each_time_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics()
    with caplog.at_level(logging.WARNING):
        for outcome in ("spoken", "closed", "closed", "unknown"):
            metrics.inbound_event(outcome)

    logged = [(r.__dict__["action"], r.__dict__["outcome"]) for r in caplog.records]
    assert logged == [("heard_astray", "closed"), ("heard_astray", "unknown")]
    assert 'live_chat_heard_total{outcome="closed"} 2.0' in metrics.text(0).decode()
