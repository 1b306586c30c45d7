"""Delivery to the bridge: at least once, in order per session, with true notices to the user."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from adapters.memory.store import MemoryStore
from application.deliver_outbox import (
    CAUSE_S,
    LEASE_GRACE_S,
    LONGEST_PAUSE_S,
    LONGEST_REQUEST_PAUSE_S,
    MAX_ATTEMPTS,
    MAX_DELIVERIES,
    MAX_SLOW,
    POLL_S,
    SLOW_S,
)
from application.ports import Loaded
from application.tracing import NoTracing
from domain.errors import Refusal, StorageUnavailable
from domain.identity import Customer
from domain.message import Author
from domain.notice import Lane, Notice, NoticeKind, Outcome, StatusChanged, TransferRequested
from domain.session import Draft
from domain.status import Reason, Status
from domain.texts import Text, localized
from domain.transfer import TransferState
from tests.support.assistants import ScriptedSteps
from tests.support.bridge import MemoryBridge
from tests.support.harness import App, User, harness

CONVERSATION, CONTEXT, STATUS, TRANSFER, RELAY, *_ = NoticeKind
UNREACHABLE, REACHED = localized("ro", Text.UNREACHABLE), localized("ro", Text.REACHED)


class Unsettling(MemoryStore):
    """A store that fails when the first notice is settled."""

    failed = False

    async def settle(self, notice_id: str, outcome: Outcome) -> None:
        if not self.failed:
            self.failed = True
            raise StorageUnavailable("as told")
        await super().settle(notice_id, outcome)


class Unclaimable(MemoryStore):
    """A store of which nothing can be claimed while it is `down`."""

    down = True

    async def claim(
        self, lane: Lane, now: datetime, lease_until: datetime, limit: int
    ) -> tuple[Notice, ...]:
        if self.down:
            raise StorageUnavailable("as told")
        return await super().claim(lane, now, lease_until, limit)


class Silent(MemoryBridge):
    """A bridge that is not notified of requests."""

    acknowledges = False


@asynccontextmanager
async def bridged(
    bridge: MemoryBridge, assistant: ScriptedSteps | None = None, **given: Any
) -> AsyncIterator[tuple[App, User]]:
    """A process that delivers, and a user who has joined."""
    async with harness(assistant, bridge=bridge, turn_quiet_ms=0, **given) as app:
        app.deliver()
        user = app.user()
        await user.join()
        await app.settle()
        yield app, user


def outcomes(app: App) -> dict[str, float]:
    """Return the number of attempts by outcome."""
    found: dict[str, float] = {}
    for metric in app.observer.notices.collect():
        for sample in metric.samples:
            if sample.name == "ai_agent_notices_total" and sample.value:
                outcome = sample.labels["outcome"]
                found[outcome] = found.get(outcome, 0) + sample.value
    return found


# What gets through.


async def test_what_is_stored_is_told_at_once_and_in_order() -> None:
    bridge = MemoryBridge()
    async with bridged(bridge) as (app, user):
        await user.say("Bună!")
        await app.settle()
        await user.ask_for_human("Un om!")
        await user.say("Alo?")
        await app.settle()

        assert bridge.accepted_in(Lane.REPORTS) == [CONVERSATION, CONTEXT, CONVERSATION]
        assert bridge.accepted_in(Lane.PEOPLE) == [TRANSFER, STATUS, RELAY]
        assert await app.store.depth() == 0
        assert outcomes(app) == {"delivered": 6}


async def test_reports_that_fail_hold_back_no_request_no_status_and_no_word() -> None:
    bridge = MemoryBridge()
    bridge.failing = {CONVERSATION, CONTEXT}
    async with bridged(bridge) as (app, user):
        await user.say("Bună!")
        await app.settle()
        await user.ask_for_human("Un om!")
        await user.say("Alo?")
        await app.settle()

        assert bridge.kinds == [TRANSFER, STATUS, RELAY]
        assert UNREACHABLE not in user.words
        bridge.failing.clear()
        await app.clock.advance(10)
        assert bridge.kinds[3:] == [CONVERSATION, CONTEXT, CONVERSATION]


async def test_what_people_wait_for_holds_back_no_report() -> None:
    bridge = MemoryBridge()
    bridge.failing = {TRANSFER}
    async with bridged(bridge) as (app, user):
        await user.say("Bună!")
        await user.ask_for_human()
        await app.settle()
        await user.say("Alo?")
        await app.settle()

        assert bridge.kinds == [CONVERSATION]


async def test_reports_that_hang_leave_room_for_the_requests_of_others() -> None:
    bridge = MemoryBridge()
    holds = [bridge.hold() for _ in range(MAX_DELIVERIES)]
    async with bridged(bridge) as (app, user):
        for number in range(MAX_DELIVERIES + 1):
            await app.user("b1", f"u{number + 2}").say("Bună!")
        await app.settle()
        await user.ask_for_human()
        await app.settle()

        assert bridge.kinds == [TRANSFER, STATUS]
        for hold in holds:
            hold.release()
        await app.settle()


async def test_without_a_bridge_nothing_is_kept_for_it() -> None:
    async with harness(turn_quiet_ms=0) as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")
        await app.settle()

        assert user.words == ["Răspuns."]
        assert await app.store.depth() == 0


async def test_sessions_do_not_wait_for_each_other() -> None:
    bridge = MemoryBridge()
    hold = bridge.hold()
    async with bridged(bridge) as (app, slow):
        await slow.say("Bună!")
        await app.settle()
        quick = app.user("b1", "u2")
        await quick.join()
        await quick.say("Bună!")
        await app.settle()

        assert {notice.customer for notice in bridge.accepted} == {quick.customer}
        hold.release()
        await app.settle()
        assert bridge.kinds[-2:] == [CONVERSATION, CONTEXT]


async def test_no_more_than_so_many_are_on_their_way_at_once() -> None:
    bridge = MemoryBridge()
    holds = [bridge.hold() for _ in range(MAX_DELIVERIES)]
    async with bridged(bridge) as (app, _):
        for number in range(MAX_DELIVERIES + 4):
            await app.user("b1", f"u{number}").ask_for_human()
        await app.settle()

        assert len(bridge.asked) == MAX_DELIVERIES
        for hold in holds:
            hold.release()
        await app.settle()
        assert await app.store.depth() == 0


async def test_a_repeat_has_the_same_key_and_content() -> None:
    bridge = MemoryBridge()
    bridge.fail(2)
    async with bridged(bridge, ScriptedSteps([])) as (app, user):
        await user.ask_for_human()
        await app.clock.advance(10)

        first, second, third, _ = bridge.asked
        assert first.notice_id == second.notice_id == third.notice_id
        assert first.content == second.content == third.content


async def test_two_processes_on_one_store_tell_each_thing_once() -> None:
    bridge = MemoryBridge()
    async with bridged(bridge) as (app, user):
        other = app.another()
        other.deliver()
        for number in range(10):
            await user.say(f"Bună {number}")
            await app.clock.advance(1)
        await other.stop_delivering()

        ids = [notice.notice_id for notice in bridge.accepted]
        assert len(ids) == len(set(ids)) == 20
        assert [notice.position for notice in bridge.accepted] == sorted(
            notice.position for notice in bridge.accepted
        )


async def test_what_another_process_has_left_is_found() -> None:
    bridge = MemoryBridge()
    async with harness(bridge=bridge, turn_quiet_ms=0) as app:
        other = app.another()
        other.deliver()
        await app.settle()
        await app.user().ask_for_human()
        await app.clock.advance(POLL_S)

        assert bridge.kinds == [TRANSFER, STATUS]
        await other.stop_delivering()


# What does not.


@pytest.mark.parametrize(
    ("kind", "longest_s"),
    [(CONVERSATION, LONGEST_PAUSE_S), (TRANSFER, LONGEST_REQUEST_PAUSE_S)],
)
async def test_the_pauses_between_attempts_double_up_to_a_limit(
    kind: NoticeKind, longest_s: float
) -> None:
    bridge = MemoryBridge()
    bridge.fail(9)
    async with bridged(bridge, transfer_timeout_s=3_600) as (app, user):
        began = app.clock.now()
        tried: list[float] = []
        await (user.say("Bună!") if kind is CONVERSATION else user.ask_for_human())
        for _ in range(400):
            await app.clock.advance(1)
            while len(tried) < len(bridge.asked):
                tried.append((app.clock.now() - began).total_seconds())

        gaps = [round(after - before) for before, after in pairwise(tried[:9])]
        assert gaps == [min(2**attempt, longest_s) for attempt in range(8)]


async def test_the_bridge_says_how_long_it_wants_to_be_left_alone() -> None:
    bridge = MemoryBridge()
    bridge.fail(1, retry_after_s=90)
    async with bridged(bridge) as (app, user):
        await user.ask_for_human()
        await app.clock.advance(89)
        early = len(bridge.asked)
        await app.clock.advance(2)

        assert (early, bridge.kinds) == (1, [TRANSFER, STATUS])


async def test_what_is_said_to_a_human_is_tried_again_soon() -> None:
    bridge = MemoryBridge()
    async with bridged(bridge) as (app, user):
        await user.ask_for_human()
        await app.settle()
        bridge.fail(8)
        await user.say("Alo?")
        await app.clock.advance(1 + 2 + 4 + 5 * 5 + 1)

        assert bridge.kinds == [TRANSFER, STATUS, RELAY]


async def test_what_fails_holds_up_its_session_and_no_other() -> None:
    bridge = MemoryBridge()
    bridge.fail(3)
    async with bridged(bridge) as (app, user):
        await user.ask_for_human()
        await app.settle()
        bridge.faults.clear()
        await user.say("Alo?")
        await app.user("b1", "u2").ask_for_human()
        await app.settle()
        before = list(bridge.kinds)
        await app.clock.advance(2)

        assert before == [TRANSFER, STATUS]
        assert bridge.kinds[2:] == [TRANSFER, STATUS, RELAY]


async def test_deliveries_that_take_long_make_room_for_others() -> None:
    bridge = MemoryBridge()
    held = [bridge.hold() for _ in range(MAX_DELIVERIES + MAX_SLOW)]
    async with bridged(bridge, elixir_timeout=60_000) as (app, _):
        for number in range(MAX_DELIVERIES + MAX_SLOW + 1):
            await app.user("b1", f"w{number}").ask_for_human()
        await app.settle()
        at_first = len(bridge.asked)
        await app.clock.advance((MAX_SLOW / MAX_DELIVERIES + 1) * SLOW_S)
        at_last = len(bridge.asked)
        held[0].release()
        await app.settle()

        assert (at_first, at_last) == (MAX_DELIVERIES, MAX_DELIVERIES + MAX_SLOW)
        assert len(bridge.asked) > at_last


async def test_a_refused_notice_is_a_dead_letter_and_makes_way() -> None:
    bridge = MemoryBridge()
    bridge.refused = {CONVERSATION}
    async with bridged(bridge) as (app, user):
        await user.say("Bună!")
        await app.settle()

        (letter,) = await app.store.dead(10)
        assert (letter.notice.kind, letter.reason) == (CONVERSATION, "as told: HTTP 422")
        assert bridge.kinds == [CONTEXT]
        assert outcomes(app) == {"dead": 1, "delivered": 1}


async def test_a_dead_letter_that_is_retried_goes_out() -> None:
    bridge = MemoryBridge()
    bridge.refused = {CONVERSATION}
    async with bridged(bridge) as (app, user):
        await user.say("Bună!")
        await app.settle()
        (letter,) = await app.store.dead(10)
        bridge.refused.clear()
        await app.store.retry(letter.notice.notice_id)
        await app.clock.advance(POLL_S)

        assert bridge.kinds == [CONTEXT, CONVERSATION]
        assert await app.store.dead(10) == ()


async def test_what_fails_for_hours_while_others_get_through_is_given_up() -> None:
    bridge = MemoryBridge()
    bridge.failing = {CONVERSATION}
    async with bridged(bridge) as (app, user):
        await user.say("Bună!")
        await app.clock.advance(MAX_ATTEMPTS * LONGEST_PAUSE_S)

        (letter,) = await app.store.dead(10)
        assert letter.notice.kind is CONVERSATION
        assert letter.reason == f"given up after {MAX_ATTEMPTS} attempts: as told: HTTP 500"
        assert bridge.kinds == [CONTEXT]


@pytest.mark.parametrize("kind", [TRANSFER, RELAY])
async def test_what_is_tried_more_often_is_given_up_no_sooner(kind: NoticeKind) -> None:
    bridge = MemoryBridge()
    bridge.failing = {kind}
    async with bridged(bridge, transfer_timeout_s=100_000) as (app, user):
        await user.ask_for_human()
        await user.say("Alo?")
        await app.clock.advance(MAX_ATTEMPTS * LONGEST_PAUSE_S / 2)
        kept = await app.store.dead(10)
        await app.clock.advance(MAX_ATTEMPTS * LONGEST_PAUSE_S / 2)

        assert kept == ()
        assert [letter.notice.kind for letter in await app.store.dead(10)] == [kind]


async def test_an_attempt_that_never_ends_is_ended() -> None:
    bridge = MemoryBridge()
    bridge.hold()
    async with bridged(bridge, elixir_timeout=5_000, elixir_retry_attempts=3) as (app, user):
        await user.ask_for_human()
        await app.clock.advance(3 * (5 + 2) + 2)

        assert bridge.kinds == [TRANSFER, STATUS]


async def test_a_broken_adapter_holds_up_nothing_but_its_notice() -> None:
    bridge = MemoryBridge()
    bridge.faults.append(ZeroDivisionError())
    async with bridged(bridge) as (app, user):
        await user.ask_for_human()
        await app.clock.advance(2)

        assert bridge.kinds == [TRANSFER, STATUS]
        assert outcomes(app) == {"deferred": 1, "delivered": 2}


# The bridge is away.


async def test_while_the_bridge_is_away_it_is_not_hammered_and_then_all_comes_in_order() -> None:
    bridge = MemoryBridge()
    async with bridged(bridge, transfer_timeout_s=3_600) as (app, user):
        bridge.go_away()
        for number in range(10):
            await user.say(f"Bună {number}")
            await app.clock.advance(60)
        await user.ask_for_human()
        asked = len(bridge.asked)
        bridge.come_back()
        await app.clock.advance(2)

        assert asked <= 2
        assert bridge.accepted_in(Lane.PEOPLE) == [TRANSFER, STATUS]
        assert bridge.accepted_in(Lane.REPORTS) == [CONVERSATION, CONTEXT] * 10
        for lane in Lane:
            order = [notice.position for notice in bridge.accepted if notice.lane is lane]
            assert order == sorted(order)


async def test_the_chat_goes_on_unchanged_while_the_bridge_is_away() -> None:
    bridge = MemoryBridge()
    async with bridged(bridge) as (app, user):
        bridge.go_away()
        await user.say("Bună!")
        await app.settle()

        assert user.words == ["Răspuns."]


async def test_many_sessions_fail_once_each_when_the_bridge_goes_away() -> None:
    bridge = MemoryBridge()
    async with bridged(bridge) as (app, _):
        bridge.go_away()
        for number in range(3 * MAX_DELIVERIES):
            await app.user("b1", f"u{number}").ask_for_human()
        await app.clock.advance(120)

        assert len(bridge.asked) <= 3 * MAX_DELIVERIES
        bridge.come_back()
        await app.clock.advance(2)
        assert await app.store.depth() == 0


# True words.


async def test_a_request_that_does_not_get_through_is_told_once_and_so_is_its_arrival() -> None:
    bridge = MemoryBridge()
    bridge.fail(5)
    async with bridged(bridge, transfer_timeout_s=3_600) as (app, user):
        await user.ask_for_human()
        await app.settle()
        at_first = list(user.words)
        await app.clock.advance(100)

        assert at_first == [localized("ro", Text.REQUESTED), UNREACHABLE]
        assert user.words == [localized("ro", Text.REQUESTED), UNREACHABLE, REACHED]


async def test_a_request_made_while_the_bridge_is_known_to_be_away_is_told_at_once() -> None:
    bridge = MemoryBridge()
    async with bridged(bridge) as (app, user):
        bridge.go_away()
        await app.clock.advance(POLL_S)
        await user.ask_for_human()
        await app.settle()
        while_away = list(user.words)
        bridge.come_back()
        await app.clock.advance(2)

        assert while_away[1:] == [UNREACHABLE]
        assert user.words[1:] == [UNREACHABLE, REACHED]


async def test_a_request_behind_something_that_does_not_get_through_is_told_too() -> None:
    bridge = MemoryBridge()
    bridge.failing = {STATUS}
    async with bridged(bridge) as (app, user):
        await user.ask_for_human()
        await app.settle()
        await user.end_live_chat()
        await user.ask_for_human()
        await app.clock.advance(60)
        before = user.words[-1]
        bridge.failing.clear()
        await app.clock.advance(60)

        assert (before, user.words[-1]) == (UNREACHABLE, REACHED)
        assert bridge.kinds == [TRANSFER, STATUS, STATUS, TRANSFER, STATUS]


async def test_a_request_that_gets_through_at_once_is_not_spoken_of() -> None:
    bridge = MemoryBridge()
    async with bridged(bridge) as (app, user):
        await user.ask_for_human()
        await app.settle()
        bridge.fail(3)
        await user.say("Alo?")
        await app.clock.advance(20)

        assert user.words == [localized("ro", Text.REQUESTED)]


async def test_a_request_that_is_refused_is_told_in_true_words() -> None:
    bridge = MemoryBridge()
    bridge.refused = {TRANSFER}
    async with bridged(bridge) as (app, user):
        await user.ask_for_human()
        await app.settle()

        assert user.words[1:] == [localized("ro", Text.REFUSED)]
        assert bridge.kinds == [STATUS]


async def test_a_delivered_request_is_so_in_the_log_and_to_the_users_clients_once() -> None:
    store = Unsettling()
    bridge = MemoryBridge()
    async with bridged(bridge, store=store) as (app, user):
        epoch = (await user.ask_for_human()).epoch
        await app.clock.advance(60)
        head = await app.head(user.customer)
        reasons = [change.reason for change in user.changes]

        assert bridge.kinds.count(TRANSFER) == 2  # as it could not be settled
        assert reasons == [Reason.USER_REQUEST, Reason.DELIVERED]
        assert head.transfer is not None
        assert head.transfer.state is TransferState.DELIVERED
        assert (head.status, head.epoch) == (Status.WAITING, epoch)


@pytest.mark.parametrize("how", ["refused", "given up"])
async def test_a_request_that_is_a_dead_letter_has_failed_and_may_be_retried(how: str) -> None:
    bridge = MemoryBridge()
    (bridge.refused if how == "refused" else bridge.failing).add(TRANSFER)
    async with bridged(bridge, transfer_timeout_s=604_800) as (app, user):
        await user.ask_for_human()
        await app.clock.advance(MAX_ATTEMPTS * LONGEST_PAUSE_S)
        failed = (await app.head(user.customer)).transfer
        told = user.words[-1]
        bridge.refused = bridge.failing = set()
        (dead,) = await app.store.dead(10)
        await app.store.retry(dead.notice.notice_id)
        await app.clock.advance(POLL_S)
        retried = (await app.head(user.customer)).transfer

        assert failed is not None
        assert failed.state is TransferState.FAILED
        assert told == localized("ro", Text.REFUSED)
        assert retried is not None
        assert retried.state is TransferState.DELIVERED
        assert user.words[-1] == REACHED


async def test_a_request_that_is_accepted_first_is_not_set_back() -> None:
    bridge = MemoryBridge()
    hold = bridge.hold()
    async with bridged(bridge) as (app, user):
        await user.ask_for_human()
        await app.settle()
        await app.coordinator("maria").take_over(user)
        hold.release()
        await app.settle()
        head = await app.head(user.customer)

        assert head.transfer is not None
        assert (head.status, head.transfer.state) == (Status.LIVE, TransferState.ACCEPTED)


async def test_a_request_of_which_nobody_is_notified_stays_requested() -> None:
    bridge = Silent()
    async with bridged(bridge) as (app, user):
        await user.ask_for_human()
        await app.settle()
        transfer = (await app.head(user.customer)).transfer

        assert transfer is not None
        assert transfer.state is TransferState.REQUESTED


async def test_the_words_are_the_business_s_language() -> None:
    bridge = MemoryBridge()
    bridge.fail(1)
    async with bridged(bridge) as (app, _):
        user = app.user("b2", "u2")
        await user.join()
        await user.ask_for_human()
        await app.clock.advance(2)

        assert user.words[1:] == [localized("en", Text.UNREACHABLE), localized("en", Text.REACHED)]


async def test_the_arrival_is_told_also_after_a_restart() -> None:
    bridge = MemoryBridge()
    bridge.fail(1)
    async with bridged(bridge) as (app, user):
        await user.ask_for_human()
        await app.settle()
        await app.stop_delivering()
        reborn = app.another()
        reborn.deliver()
        await app.clock.advance(10)
        said = await app.texts(user.customer, Author.SYSTEM)
        await reborn.stop_delivering()

        assert said == [localized("ro", Text.REQUESTED), UNREACHABLE, REACHED]


@pytest.mark.parametrize("how", ["cancelled", "taken", "closed"])
async def test_a_request_that_nobody_waits_for_any_more_is_not_delivered(how: str) -> None:
    bridge = MemoryBridge()
    async with bridged(bridge, transfer_timeout_s=3_600) as (app, user):
        bridge.go_away()
        await user.ask_for_human()
        await app.clock.advance(600)
        if how == "cancelled":
            await user.end_live_chat()
        elif how == "taken":
            await app.coordinator().take_over(user)
        else:
            await app.coordinator().close(user)
        bridge.come_back()
        await app.clock.advance(2)

        assert bridge.kinds == [STATUS, STATUS]
        assert outcomes(app)["superseded"] == 1
        assert REACHED not in await app.texts(user.customer, Author.SYSTEM)


async def test_of_two_requests_only_the_one_that_is_waited_for_is_delivered() -> None:
    bridge = MemoryBridge()
    async with bridged(bridge, transfer_timeout_s=3_600) as (app, user):
        bridge.go_away()
        await user.ask_for_human()
        await user.end_live_chat()
        await user.ask_for_human()
        bridge.come_back()
        await app.clock.advance(2)

        assert bridge.kinds == [STATUS, STATUS, TRANSFER, STATUS]
        (request,) = [notice for notice in bridge.accepted if notice.kind is TRANSFER]
        head = await app.head(user.customer)
        assert head.transfer is not None
        assert isinstance(request.content, TransferRequested)
        assert request.content.transfer_id == head.transfer.transfer_id


async def test_what_was_erased_is_not_told_any_more() -> None:
    bridge = MemoryBridge()
    async with bridged(bridge) as (app, user):
        bridge.go_away()
        await user.ask_for_human()
        await app.settle()
        await app.privacy.erase(user.customer)
        bridge.come_back()
        await app.clock.advance(POLL_S)

        assert bridge.accepted == []


# The store fails, the process ends.


async def test_a_store_that_cannot_settle_has_the_notice_told_again() -> None:
    bridge = MemoryBridge()
    async with bridged(bridge, store=Unsettling()) as (app, user):
        await user.say("Bună!")
        await app.clock.advance(60)

        assert bridge.kinds == [CONVERSATION, CONVERSATION, CONTEXT]
        assert bridge.accepted[0].notice_id == bridge.accepted[1].notice_id


async def test_a_store_that_is_down_ends_the_run_and_the_next_delivers() -> None:
    bridge, store = MemoryBridge(), Unclaimable()
    async with harness(bridge=bridge, store=store) as app:
        await app.user().ask_for_human()
        with pytest.raises(StorageUnavailable):
            await app.run_delivery()
        store.down = False
        app.deliver()
        await app.settle()

        assert bridge.kinds == [TRANSFER, STATUS]


async def test_at_the_end_what_is_under_way_may_finish() -> None:
    bridge = MemoryBridge()
    hold = bridge.hold()
    async with bridged(bridge) as (app, user):
        await user.ask_for_human()
        await app.settle()
        ending = asyncio.create_task(app.stop_delivering())
        hold.release()
        await ending

        assert bridge.kinds == [TRANSFER, STATUS]
        assert await app.store.depth() == 0


async def test_at_the_end_what_hangs_is_left_to_the_next_process_at_once() -> None:
    bridge = MemoryBridge()
    bridge.hold()
    async with bridged(bridge) as (app, user):
        await user.ask_for_human()
        await app.settle()
        await app.stop_delivering()
        now = app.clock.now()

        (notice,) = await app.store.claim(Lane.PEOPLE, now, now, 10)
        assert notice.kind is TRANSFER


async def test_what_a_dead_process_had_claimed_is_told_by_another_after_the_lease() -> None:
    bridge = MemoryBridge()
    async with harness(bridge=bridge, turn_quiet_ms=0) as app:
        user = app.user()
        await user.ask_for_human()
        lease = timedelta(seconds=20 + LEASE_GRACE_S)
        await app.store.claim(Lane.PEOPLE, app.clock.now(), app.clock.now() + lease, 10)
        app.deliver()
        await app.clock.advance(20)
        early = list(bridge.accepted)
        await app.clock.advance(POLL_S + LEASE_GRACE_S)

        assert early == []
        assert bridge.kinds == [TRANSFER, STATUS]


async def test_a_status_that_is_live_again_is_told_as_often_as_it_changed() -> None:
    bridge = MemoryBridge()
    async with bridged(bridge) as (app, user):
        await user.say("Bună!")
        for _ in range(2):
            await app.coordinator().take_over(user)
            await app.coordinator().give_back(user)
        await app.settle()

        contents = [notice.content for notice in bridge.accepted]
        told = [each.status for each in contents if isinstance(each, StatusChanged)]
        assert told == [Status.LIVE, Status.AI] * 2


# Anything may happen.


class Witness(MemoryStore):
    """A store that remembers every notice that was stored."""

    def __init__(self) -> None:
        super().__init__()
        self.witnessed: list[Notice] = []

    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        await super().append(draft, due_at)
        self.witnessed.extend(draft.notices)


class Mishaps:
    """Random actions of users, coordinators, a bridge and two processes, by a seed."""

    def __init__(self, app: App, bridge: MemoryBridge, seed: int) -> None:
        self._random = Random(seed)
        self._bridge = bridge
        self._apps = [app, app.another()]
        self._users = [app.user("b1", f"u{number}") for number in range(3)]

    async def happen(self, times: int) -> None:
        """Run random actions, each some time after the one before."""
        for app in self._apps:
            app.deliver()
        for _ in range(times):
            app, user = self._random.choice(self._apps), self._random.choice(self._users)
            act = self._random.choice([self._say, self._say, self._ask, self._hands, self._break,
                                       self._mend, self._restart])  # fmt: skip
            with suppress(Refusal):
                await act(app, user)
            await app.clock.advance(self._random.choice([0, 0.1, 1, 7, 40]))

    async def end_well(self) -> None:
        """Bring the bridge back, and advance the time until everything is delivered."""
        self._bridge.faults.clear()
        self._bridge.come_back()
        await self._apps[0].clock.advance(3 * LONGEST_PAUSE_S)
        for app in self._apps:
            await app.stop_delivering()

    async def _say(self, app: App, user: User) -> None:
        await app.post(user.customer, None, "Bună!")

    async def _ask(self, app: App, user: User) -> None:
        await app.transfers.request(user.customer, None, "Un om!")

    async def _hands(self, app: App, user: User) -> None:
        if self._random.random() < 0.3:
            await app.transfers.end(user.customer)
        elif await app.store.latest(user.customer) is not None:
            coordinator = app.coordinator()
            hands = [coordinator.take_over, coordinator.give_back, coordinator.close]
            await self._random.choice(hands)(user)

    async def _break(self, app: App, user: User) -> None:
        if self._random.random() < 0.3:
            self._bridge.go_away()
        else:
            self._bridge.fail(self._random.randint(1, 8))

    async def _mend(self, app: App, user: User) -> None:
        self._bridge.come_back()

    async def _restart(self, app: App, user: User) -> None:
        await app.stop_delivering()
        app.deliver()


@pytest.mark.parametrize("seed", range(25))
async def test_whatever_happens_each_thing_is_told_once_and_in_order(seed: int) -> None:
    bridge, store = MemoryBridge(), Witness()
    async with harness(bridge=bridge, store=store, turn_quiet_ms=0) as app:
        mishaps = Mishaps(app, bridge, seed)
        await mishaps.happen(60)
        await mishaps.end_well()

    told = [notice.notice_id for notice in bridge.accepted]
    due = [n.notice_id for n in store.witnessed if n.kind is not TRANSFER or n.notice_id in told]
    sessions = {notice.session_id for notice in store.witnessed}
    assert sorted(told) == sorted(due)
    assert await store.depth() == 0
    for session_id in sessions:
        for lane in Lane:
            order = [
                notice.position
                for notice in bridge.accepted
                if (notice.session_id, notice.lane) == (session_id, lane)
            ]
            assert order == sorted(order)


class Odd(MemoryStore):
    """A store that cannot be read, or does not answer, while it `is_odd`."""

    is_odd = False

    def __init__(self, hangs: bool) -> None:
        super().__init__()
        self._hangs = hangs

    async def latest(self, customer: Customer) -> Loaded | None:
        if self.is_odd and self._hangs:
            await asyncio.Event().wait()
        elif self.is_odd:
            raise ValueError("a head of a later version")
        return await super().latest(customer)


@pytest.mark.parametrize("hangs", [False, True])
async def test_no_delivery_fails_or_waits_long_because_it_is_traced(
    monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    monkeypatch.setattr(NoTracing, "is_on", True)
    bridge, store = MemoryBridge(), Odd(hangs)
    async with harness(None, bridge=bridge, store=store, turn_quiet_ms=0) as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")
        user.leave()
        await app.quiet()
        app.session_log.forget(user.customer)
        store.is_odd = True
        app.deliver()
        await app.clock.advance(2 * CAUSE_S + 0.1)
        store.is_odd = False

        assert len(bridge.asked) == 2
        assert await store.depth() == 0
