"""The lease of a turn: one process asks the AI, and another only when that one is gone."""

from application.ports import Leases
from application.turn_lease import LEASE_S, RENEW_S
from domain.errors import LeasesUnavailable
from domain.identity import customer
from domain.message import Author
from tests.support.assistants import HANG, PAUSE, ScriptedSteps
from tests.support.broker import Network
from tests.support.clock import VirtualClock
from tests.support.faults import FaultyStore
from tests.support.harness import App, User, harness

WHO = customer("b1", "u1")
NAME = "turn:b1:u1"


class Disturbed(Leases):
    """Leases that fail or refuse on command; calls are recorded."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self.calls: list[str] = []
        self.error: Exception | None = None
        self.refuses = False

    async def claim(self, name: str, holder: str, ttl_s: float) -> bool:
        self._record("claim")
        return not self.refuses and await self._leases.claim(name, holder, ttl_s)

    async def release(self, name: str, holder: str) -> None:
        self._record("release")
        await self._leases.release(name, holder)

    def _record(self, call: str) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error


def network() -> tuple[VirtualClock, Network, Disturbed]:
    clock = VirtualClock()
    net = Network(clock)
    net.leases = disturbed = Disturbed(net.leases)
    return clock, net, disturbed


async def asking(app: App) -> User:
    user = app.user()
    await user.join()
    await user.say("Bună!")
    return user


async def test_of_two_processes_one_asks_the_ai() -> None:
    clock, net, _ = network()
    assistant = ScriptedSteps([PAUSE, "Da."])
    async with harness(assistant, clock=clock, network=net) as app:
        await asking(app)
        other = app.another()
        moved = other.user()
        await moved.join()
        await clock.advance(20)
        assistant.go()
        await clock.advance(20)

        assert assistant.turns == 1
        assert moved.words == ["Da."]
        assert other.observer.outcomes == []
        assert clock.pending == 0


async def test_a_message_in_another_process_during_the_turn_is_answered_soon_after_it() -> None:
    clock, net, _ = network()
    assistant = ScriptedSteps([PAUSE, "Întâi."], ["Apoi."])
    async with harness(assistant, clock=clock, network=net) as app:
        await asking(app)
        other = app.another()
        moved = other.user()
        await moved.join()
        await clock.advance(7)
        await moved.say("Și mâine?")
        await clock.advance(7)
        assistant.go()
        await clock.advance(1)

        assert moved.words == ["Întâi.", "Apoi."]
        assert assistant.turns == 2
        await other.turns.stop()


async def test_the_turn_of_a_process_that_has_died_is_taken_over_within_15_seconds() -> None:
    clock, net, _ = network()
    async with harness(clock=clock, network=net) as app:
        await net.leases.claim(NAME, "dead", LEASE_S)
        user = await asking(app)
        await clock.advance(LEASE_S - 0.5)
        before = list(user.words)
        await clock.advance(5)

        assert (before, user.words) == ([], ["Răspuns."])


async def test_what_a_process_that_has_died_was_to_answer_another_tabs_process_does() -> None:
    clock, net, _ = network()
    async with harness(clock=clock, network=net) as app:
        other = app.another()
        tab = other.user()
        await tab.join()
        await asking(app)
        await app.die()
        await clock.advance(15)

        assert tab.words == ["Răspuns."]
        assert clock.pending == 0


async def test_a_second_tab_elsewhere_starts_no_turn_of_its_own() -> None:
    clock, net, _ = network()
    assistant = ScriptedSteps()
    async with harness(assistant, clock=clock, network=net) as app:
        other = app.another()
        tab = other.user()
        await tab.join()
        await asking(app)
        await clock.advance(30)

        assert tab.words == ["Răspuns."]
        assert assistant.turns == 1
        assert other.observer.outcomes == []
        assert clock.pending == 0


async def test_a_second_tab_elsewhere_shortens_no_quiet_window() -> None:
    clock, net, _ = network()
    assistant = ScriptedSteps()
    async with harness(assistant, clock=clock, network=net, turn_quiet_ms=1000) as app:
        other = app.another()
        tab = other.user()
        await tab.join()
        user = await asking(app)
        await clock.advance(0.7)
        await user.say("Aveți loc?")
        await clock.advance(0.9)
        early = assistant.turns
        await clock.advance(5)

        assert early == 0
        assert assistant.asked == [["Bună!", "Aveți loc?"]]
        assert app.observer.outcomes == ["answered"]


async def test_nobody_who_does_not_listen_tries_again() -> None:
    clock, net, leases = network()
    async with harness(clock=clock, network=net) as app:
        await net.leases.claim(NAME, "dead", LEASE_S)
        user = await asking(app)
        await clock.advance(1)
        user.leave()
        await clock.advance(5)
        tries = len(leases.calls)
        await clock.advance(30)

        assert len(leases.calls) == tries
        assert clock.pending == 0


async def test_it_is_held_as_long_as_the_turn_runs_and_free_after_it() -> None:
    clock, net, _ = network()
    assistant = ScriptedSteps([PAUSE, "Da."])
    async with harness(assistant, clock=clock, network=net) as app:
        await asking(app)
        await clock.advance(45)
        during = await net.leases.claim(NAME, "another", LEASE_S)
        assistant.go()
        await app.settle()

        assert not during
        assert await net.leases.claim(NAME, "another", LEASE_S)


async def test_a_turn_whose_lease_another_process_has_got_ends() -> None:
    clock, net, leases = network()
    assistant = ScriptedSteps(["Da", HANG])
    async with harness(assistant, clock=clock, network=net) as app:
        await asking(app)
        await clock.advance(1)
        leases.refuses = True
        await clock.advance(RENEW_S)

        assert assistant.broken_off == 1
        assert app.observer.outcomes == ["cancelled"]


async def test_without_leases_a_turn_just_runs() -> None:
    clock, net, leases = network()
    leases.error = LeasesUnavailable()
    assistant = ScriptedSteps([PAUSE, "Da."])
    async with harness(assistant, clock=clock, network=net, turn_quiet_ms=0) as app:
        user = await asking(app)
        await app.settle()
        begun = assistant.turns
        await clock.advance(20)
        assistant.go()
        await app.settle()

        assert begun == 1
        assert user.words == ["Da."]
        assert app.observer.outcomes == ["answered"]
        assert clock.pending == 0


async def test_where_two_run_nevertheless_the_first_answer_ends_the_other_turn() -> None:
    clock, net, leases = network()
    leases.error = LeasesUnavailable()
    assistant = ScriptedSteps([PAUSE, "Da."], [HANG])
    async with harness(assistant, clock=clock, network=net) as app:
        await asking(app)
        await clock.advance(1)
        other = app.another()
        moved = other.user()
        await moved.join()
        await clock.advance(1)
        both = assistant.running
        assistant.go()
        await clock.advance(5)

        assert both == 2
        assert moved.words == ["Da."]
        assert assistant.broken_off == 1
        assert (app.observer.outcomes, other.observer.outcomes) == (["answered"], ["cancelled"])


async def test_an_answer_that_is_made_is_stored_although_the_lease_is_lost() -> None:
    clock, net, leases = network()
    store = FaultyStore()
    async with harness(store=store, clock=clock, network=net) as app:
        user = await asking(app)
        hold = store.hold("append")
        await clock.advance(1)
        leases.refuses = True
        await clock.advance(RENEW_S)
        hold.release()
        await app.settle()

        assert user.words == ["Răspuns."]
        assert app.observer.outcomes == ["answered"]


async def test_an_answer_after_a_refusal_is_not_made_where_one_was_stored_unnoticed() -> None:
    clock, net, _ = network()
    assistant = ScriptedSteps([PAUSE, "Da."])
    async with harness(assistant, clock=clock, network=net) as app:
        await asking(app)
        other = app.another()
        await other.user().join()
        await clock.advance(5)
        net.holding = True
        assistant.go()
        await app.settle()
        net.lose()
        await clock.advance(10)

        assert assistant.turns == 1
        assert await app.texts(WHO, Author.AI) == ["Da."]


async def test_a_lone_process_needs_no_lease() -> None:
    async with harness() as app:
        user = await asking(app)
        await app.quiet()

        assert user.words == ["Răspuns."]
        assert app.turns.answer_pending.leases is None
