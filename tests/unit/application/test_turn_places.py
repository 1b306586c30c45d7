"""The limit on concurrent turns; further turns wait."""

from domain.message import Author
from domain.status import Status
from tests.support.assistants import HANG, PAUSE, ScriptedSteps
from tests.support.harness import App, User, harness


async def asking(app: App, count: int) -> list[User]:
    """Return as many users, each of whom has asked something, one after the other."""
    users = [app.user(user_id=f"u{number}") for number in range(count)]
    for user in users:
        await user.join()
        await user.say(f"Sunt {user.customer.user_id}.")
        await app.settle()
    return users


async def test_no_more_turns_run_at_once_than_may_and_the_others_come_in_their_order() -> None:
    assistant = ScriptedSteps([PAUSE, "Răspuns."])
    async with harness(assistant, turn_quiet_ms=0, limit_turns=2) as app:
        await asking(app, 5)
        begun = assistant.turns
        for _ in range(5):
            assistant.go()
            await app.settle()

        assert begun == assistant.most_at_once == 2
        assert assistant.asked == [[f"Sunt u{number}."] for number in range(5)]


async def test_a_turn_that_waits_is_counted() -> None:
    assistant = ScriptedSteps([PAUSE, "Răspuns."])
    async with harness(assistant, turn_quiet_ms=0, limit_turns=2) as app:
        await asking(app, 5)

        assert b'ai_agent_limits_met_total{limit="turns"} 3.0' in app.observer.text()


async def test_what_is_said_while_a_turn_waits_is_answered_by_it() -> None:
    assistant = ScriptedSteps([PAUSE, "Răspuns."])
    async with harness(assistant, turn_quiet_ms=0, limit_turns=1) as app:
        _, waiting = await asking(app, 2)
        await waiting.say("Și încă ceva.")
        for _ in range(2):
            assistant.go()
            await app.settle()

        assert assistant.asked[1:] == [["Sunt u1.", "Și încă ceva."]]


async def test_the_time_of_a_turn_begins_when_it_has_its_place() -> None:
    assistant = ScriptedSteps([HANG], [PAUSE, "Răspuns."])
    async with harness(assistant, turn_quiet_ms=0, limit_turns=1, turn_timeout_s=30) as app:
        _, waiting = await asking(app, 2)
        await app.clock.advance(31)
        await app.clock.advance(28)
        assistant.go()
        await app.settle()

        assert await app.texts(waiting.customer, Author.AI) == ["Răspuns."]


async def test_who_is_taken_over_while_waiting_takes_no_place() -> None:
    assistant = ScriptedSteps([PAUSE, "Răspuns."])
    async with harness(assistant, turn_quiet_ms=0, limit_turns=1) as app:
        _, waiting, last = await asking(app, 3)
        await app.coordinator().take_over(waiting)
        for _ in range(2):
            assistant.go()
            await app.settle()

        assert (await app.head(waiting.customer)).status is Status.LIVE
        assert await app.texts(waiting.customer, Author.AI) == []
        assert await app.texts(last.customer, Author.AI) == ["Răspuns."]


async def test_with_the_limits_off_all_turns_run_at_once() -> None:
    assistant = ScriptedSteps([PAUSE, "Răspuns."])
    async with harness(assistant, turn_quiet_ms=0, limit_turns=1, rate_limits="off") as app:
        await asking(app, 5)

        assert assistant.most_at_once == 5
