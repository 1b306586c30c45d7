"""A wall clock that is set an hour forward or back: what waits goes on as if it had not been."""

import pytest

from domain.message import Author
from domain.notice import Lane, NoticeKind
from domain.status import Reason, Status
from tests.support.assistants import HANG, PAUSE, ScriptedSteps
from tests.support.bridge import MemoryBridge
from tests.support.harness import App, User, harness

HOUR_S = 3_600.0
CATCHING_UP = 4 / 3
"""The longest that a second takes while the clock of stored times waits for the wall clock."""

set_by_an_hour = pytest.mark.parametrize("seconds", [HOUR_S, -HOUR_S])


async def waiting(app: App) -> User:
    """A user who has asked for a human."""
    user = app.user()
    await user.join()
    await user.ask_for_human()
    return user


async def sweep_for(app: App, seconds: float) -> None:
    """Advance the time, with a sweep every 5 seconds."""
    for _ in range(round(seconds / 5)):
        await app.clock.advance(5)
        await app.sweep()


@set_by_an_hour
async def test_a_transfer_that_waits_is_not_ended_at_once_and_not_an_hour_late(
    seconds: float,
) -> None:
    async with harness(transfer_timeout_s=300) as app:
        user = await waiting(app)
        await sweep_for(app, 10)
        app.clock.step(seconds)
        await sweep_for(app, 220)
        during = (await app.head(user.customer)).status
        await sweep_for(app, 300 * CATCHING_UP - 220)
        after = await app.head(user.customer)

        assert during is Status.WAITING
        assert (after.status, after.reason) == (Status.AI, Reason.EXPIRED)


@set_by_an_hour
async def test_a_transfer_requested_after_the_step_waits_its_time(seconds: float) -> None:
    async with harness(transfer_timeout_s=300) as app:
        app.clock.step(seconds)
        user = await waiting(app)
        await sweep_for(app, 235)
        during = (await app.head(user.customer)).status
        await sweep_for(app, 300 * CATCHING_UP - 235)

        assert during is Status.WAITING
        assert (await app.head(user.customer)).reason is Reason.EXPIRED


@set_by_an_hour
async def test_a_notice_that_waits_is_not_held_back(seconds: float) -> None:
    bridge = MemoryBridge()
    async with harness(bridge=bridge, turn_quiet_ms=0) as app:
        app.deliver()
        bridge.failing = set(NoticeKind)
        await waiting(app)
        await app.clock.advance(100)  # until the pauses are a minute long
        app.clock.step(seconds)
        bridge.failing = set()
        await app.clock.advance(60 * CATCHING_UP + 5)

        assert await app.store.depth() == 0
        assert NoticeKind.TRANSFER in bridge.accepted_in(Lane.PEOPLE)


@set_by_an_hour
async def test_a_notice_under_way_is_not_delivered_twice(seconds: float) -> None:
    bridge = MemoryBridge()
    async with harness(bridge=bridge, turn_quiet_ms=0) as app:
        app.deliver()
        hold = bridge.hold()
        await waiting(app)
        await hold.reached.wait()
        app.clock.step(seconds)
        await app.clock.advance(20)  # of the 30 s that an attempt may take
        begun = [notice.notice_id for notice in bridge.asked]
        hold.release()
        await app.clock.advance(10)

        assert len(begun) == len(set(begun))
        assert await app.store.depth() == 0


@set_by_an_hour
async def test_a_step_ends_no_turn(seconds: float) -> None:
    async with harness(
        assistant := ScriptedSteps(["Da, ", PAUSE, "sigur."]), turn_timeout_s=60
    ) as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")
        await app.quiet()
        app.clock.step(seconds)
        await sweep_for(app, 55)
        assistant.go()
        await app.settle()

        assert user.words == ["Da, sigur."]
        assert app.observer.seconds == [pytest.approx(55)]


@set_by_an_hour
async def test_a_step_does_not_move_a_turns_deadline(seconds: float) -> None:
    async with harness(ScriptedSteps([HANG]), turn_timeout_s=60) as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")
        await app.quiet()
        app.clock.step(seconds)
        await app.clock.advance(60)

        assert app.observer.outcomes == ["timeout"]
        assert app.observer.seconds == [pytest.approx(60)]


@set_by_an_hour
async def test_a_step_does_not_move_the_quiet_window(seconds: float) -> None:
    assistant = ScriptedSteps()
    async with harness(assistant, turn_quiet_ms=1_000) as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")
        await app.clock.advance(0.5)
        app.clock.step(seconds)
        await user.say("Și mâine?")
        await app.clock.advance(0.9)
        early = assistant.turns
        await app.clock.advance(0.1)

        assert (early, assistant.turns) == (0, 1)


@set_by_an_hour
async def test_a_step_closes_no_conversation(seconds: float) -> None:
    async with harness(session_idle_s=1_800) as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")
        await app.quiet()
        app.clock.step(seconds)
        await sweep_for(app, 1_200)
        during = (await app.head(user.customer)).status
        await sweep_for(app, 1_300)

        assert during is Status.AI
        assert (await app.head(user.customer)).reason is Reason.IDLE


@set_by_an_hour
async def test_the_times_of_a_log_are_in_order(seconds: float) -> None:
    async with harness() as app:
        user = app.user()
        await user.join()
        for _ in range(5):
            await user.say("Bună!")
            await app.clock.advance(1)
            app.clock.step(seconds)
        times = [entry.at for entry in await app.stored(user.customer)]

        assert times == sorted(times)
        assert len(await app.texts(user.customer, Author.AI)) == 5
