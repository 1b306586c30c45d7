"""What another process has stored is known here: by its hints, and from the store without them."""

import asyncio

import pytest

from adapters.memory.broker import NoBroker
from adapters.memory.leases import MemoryLeases
from application.hub import Hub
from application.join import ResumePosition
from application.ports import (
    Appended,
    CustomerErased,
    Delta,
    Event,
    Grown,
    Missed,
    Typing,
)
from application.read_history import PAGE
from domain.errors import StorageUnavailable
from domain.identity import MessageId
from domain.message import Author, Message
from domain.status import Status
from tests.support.assistants import HANG, PAUSE, ScriptedSteps
from tests.support.broker import Network
from tests.support.clock import VirtualClock
from tests.support.faults import FaultyStore, Hold, LossyHub
from tests.support.harness import App, User, harness


async def two_processes(app: App) -> tuple[User, App, User]:
    """Return a client of each process, both joined to a conversation, and the second process."""
    other = app.another()
    here, there = app.user(), other.user()
    await here.join()
    await there.join()
    await here.say("Bună!")
    await app.settle()
    return here, other, there


# A socket that moves, and a turn that loses (no broker)


async def test_who_moves_to_another_process_in_mid_turn_is_pushed_the_answer() -> None:
    assistant = ScriptedSteps(["Da, ", PAUSE, "sigur."])
    async with harness(assistant) as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")
        await app.quiet()
        user.leave()
        elsewhere = app.another(hub=Hub(NoBroker()))
        moved = elsewhere.user()
        await moved.join(ResumePosition(0))
        await elsewhere.quiet()
        assistant.go()
        assistant.go()
        await app.settle()

        assert moved.log == await app.stored(moved.customer)
        assert moved.words == ["Da, sigur."]
        assert sorted(app.observer.outcomes + elsewhere.observer.outcomes) == [
            "answered",
            "dropped",
        ]


async def test_who_loses_a_race_notifies_the_listeners_of_what_won_it() -> None:
    async with harness(turn_quiet_ms=60_000) as app:
        elsewhere = app.another()
        user = app.user()
        await user.join()
        await app.user().say("Unu")
        for number in range(3):
            await elsewhere.user().say(f"De dincolo {number}")
        await app.user().say("Doi")
        await app.settle()

        assert user.log == await app.stored(user.customer)


async def test_own_words_that_a_reload_finds_are_not_pushed_back() -> None:
    store = FaultyStore()
    async with harness(store=store, turn_quiet_ms=60_000) as app:
        user = app.user()
        await user.join()
        await user.say("Unu")
        hold = store.hold_answer("append")
        saying = asyncio.create_task(user.say("Doi"))
        await hold.reached.wait()
        await app.session_log.reload(user.customer)
        hold.release()
        await saying
        await app.settle()

        assert user.log == []


async def test_what_is_stored_though_the_answer_is_lost_reaches_all_who_listen() -> None:
    store, network = FaultyStore(), Network(clock := VirtualClock())
    async with harness(store=store, network=network, clock=clock) as app:
        here, _, there = await two_processes(app)
        await here.ask_for_human()
        await app.settle()
        store.lose_answer("append")
        with pytest.raises(StorageUnavailable):
            await here.end_live_chat()
        await app.settle()

        assert here.changes[-1].status is there.changes[-1].status is Status.AI
        assert there.log == await app.stored(here.customer)


async def test_a_late_hint_of_what_a_turn_has_read_does_not_end_it() -> None:
    assistant = ScriptedSteps(["Da, ", PAUSE, "sigur."])
    network = Network(clock := VirtualClock())
    async with harness(assistant, clock=clock, network=network) as app:
        here, other, there = await two_processes(app)
        await other.coordinator().take_over(there)
        await other.coordinator().give_back(there)
        late = [hint for hint in network.sent if isinstance(hint, Appended)]
        await here.say("Și mâine?")
        await app.quiet()
        for hint in late:
            app.hub.on_hint(here.customer, hint)
            other.hub.on_hint(here.customer, hint)
        assistant.go()
        await app.settle()

        assert app.observer.outcomes + other.observer.outcomes == ["answered"]
        assert here.log[-1] == (await app.stored(here.customer))[-1]


class SlowLeases(MemoryLeases):
    """Leases whose claims wait for a release."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock.monotonic)
        self.hold = Hold()

    async def claim(self, name: str, holder: str, ttl_s: float) -> bool:
        await self.hold.wait()
        return await super().claim(name, holder, ttl_s)


@pytest.mark.parametrize("begun", [True, False])
async def test_a_late_hint_of_an_earlier_session_does_not_end_a_turn_for_good(begun: bool) -> None:
    assistant = ScriptedSteps(["Da, ", PAUSE, "sigur."])
    network = Network(clock := VirtualClock())
    network.leases = leases = SlowLeases(clock)
    async with harness(assistant, clock=clock, network=network, turn_quiet_ms=0) as app:
        here, other = app.user(), app.another()
        await here.join()
        await other.user().ask_for_human()
        await other.coordinator().close(here)
        late = [hint for hint in network.sent if isinstance(hint, Appended)]
        await here.say("Și mâine?")
        await leases.hold.reached.wait()
        if begun:
            leases.hold.release()
            await app.settle()
        for hint in late:
            app.hub.on_hint(here.customer, hint)
        await app.settle()
        leases.hold.release()
        await app.settle()
        assistant.go()
        await app.settle()

        assert app.observer.outcomes[-1] == "answered"
        assert len(assistant.views) == 1
        assert here.words[-1] == "Da, sigur."


# Cached sessions


async def test_a_cached_session_counts_while_the_hints_of_its_customer_arrive() -> None:
    network, store = Network(clock := VirtualClock()), FaultyStore()
    async with harness(store=store, clock=clock, network=network, turn_quiet_ms=60_000) as app:
        user = app.user()
        await user.say("Nimeni nu ascultă")
        reads = store.calls["latest"]
        await user.say("Se citește")
        unsubscribed = store.calls["latest"] - reads
        await user.join()
        await app.settle()
        reads = store.calls["latest"]
        await user.say("Nu se citește")
        subscribed = store.calls["latest"] - reads
        user.leave()
        await user.say("Se citește iar")
        left = store.calls["latest"] - reads

        assert (unsubscribed, subscribed, left) == (1, 0, 1)


async def test_a_hint_of_another_process_extends_the_cached_session() -> None:
    network, store = Network(clock := VirtualClock()), FaultyStore()
    async with harness(store=store, clock=clock, network=network, turn_quiet_ms=60_000) as app:
        here, other, there = await two_processes(app)
        await other.coordinator().take_over(there)
        await app.settle()
        reads = store.calls["latest"]
        cached = await app.session_log.current(here.customer)

        assert cached is not None
        assert cached.session == await app.head(here.customer)
        assert cached.recent == await app.stored(here.customer)
        assert store.calls["latest"] == reads


@pytest.mark.parametrize("lost", [Appended, CustomerErased])
@pytest.mark.parametrize("event", [Missed(), "grown"])
async def test_a_cached_session_is_read_again_after_what_may_have_changed_it(
    event: Event | str, lost: type[Appended] | type[CustomerErased]
) -> None:
    network = Network(clock := VirtualClock())
    async with harness(clock=clock, network=network, turn_quiet_ms=60_000) as app:
        here, other, there = await two_processes(app)
        broker = network.brokers[0]
        broker.loses = (Appended, CustomerErased)
        if lost is Appended:
            await other.coordinator().speak(there, "Aici Ana.")
        else:
            await other.privacy.erase(there.customer)
        await app.settle()
        stale = await app.session_log.current(here.customer)
        assert stale is not None
        if isinstance(event, Missed):
            app.hub.on_missed(here.customer)
        else:
            app.hub.on_hint(here.customer, Grown(stale.session.session_id, 3))
        cached = await app.session_log.current(here.customer)

        assert (cached.recent if cached else []) == await app.stored(here.customer)


async def test_a_read_that_a_hint_overtakes_is_not_cached() -> None:
    network, store = Network(clock := VirtualClock()), FaultyStore()
    async with harness(store=store, clock=clock, network=network, turn_quiet_ms=60_000) as app:
        here, other, there = await two_processes(app)
        app.session_log.forget(here.customer)
        hold = store.hold_answer("latest")
        reading = asyncio.create_task(app.session_log.current(here.customer))
        await hold.reached.wait()
        await other.coordinator().speak(there, "Aici Ana.")
        await app.settle()
        hold.release()
        await reading
        cached = await app.session_log.current(here.customer)

        assert cached is not None
        assert cached.recent == await app.stored(here.customer)


# An erasure in another process


async def test_an_erasure_elsewhere_leaves_nothing_in_this_process() -> None:
    network, assistant = Network(clock := VirtualClock()), ScriptedSteps(["Da."], [HANG])
    async with harness(assistant, clock=clock, network=network) as app:
        user = app.user()
        await user.say("Bună!")
        await app.quiet()
        await user.say("Și mâine?")
        await app.quiet()
        turning = app.turns.is_busy(user.customer)
        other = app.another()
        await other.privacy.erase(user.customer)
        await app.quiet()  # it looks once more for what was written since

        assert turning
        assert not app.turns.is_busy(user.customer)
        assert app.session_log._cache.get(user.customer) is None
        assert app.turns.summaries.pending_for(user.customer) is None
        assert await app.stored(user.customer) == []


async def test_an_erasure_elsewhere_whose_hint_is_lost_leaves_no_summary_after_missed() -> None:
    network = Network(clock := VirtualClock())
    async with harness(clock=clock, network=network, view_tokens=480) as app:
        user = app.user()
        await user.join()
        for number in range(10):
            await user.say(f"Mesajul {number}")
            await app.quiet()
        held = app.turns.summaries.pending_for(user.customer)
        network.brokers[0].loses = (CustomerErased,)
        await app.another().privacy.erase(user.customer)
        unheard = app.turns.summaries.pending_for(user.customer)
        network.brokers[0].miss(user.customer)
        await app.settle()

        assert held is not None
        assert unheard == held
        assert app.turns.summaries.pending_for(user.customer) is None
        assert app.session_log._cache.get(user.customer) is None


async def test_what_is_written_after_an_erasure_elsewhere_begins_anew() -> None:
    """The hint is lost: the store refuses what follows the erased log."""
    network = Network(clock := VirtualClock())
    async with harness(clock=clock, network=network, turn_quiet_ms=60_000) as app:
        here, other, there = await two_processes(app)
        network.brokers[0].loses = (CustomerErased,)
        await other.privacy.erase(there.customer)
        await here.say("De la capăt")
        await app.settle()

        (only,) = await app.stored(here.customer)
        assert isinstance(only, Message)
        assert (only.seq, only.text) == (1, "De la capăt")
        assert there.log == [only]


@pytest.mark.parametrize("begun", [True, False])
async def test_what_is_written_after_an_erasure_is_answered_though_its_hint_comes_late(
    begun: bool,
) -> None:
    network = Network(clock := VirtualClock())
    assistant = ScriptedSteps([PAUSE, "Da."])
    async with harness(assistant, clock=clock, network=network) as app:
        here, other, there = await two_processes(app)
        await app.quiet()
        await other.privacy.erase(there.customer)
        await here.say("Bună din nou!")
        if begun:
            await app.quiet()
        network.brokers[0].receive(here.customer, CustomerErased())
        await app.settle()
        await app.quiet()
        for _ in assistant.views:
            assistant.go()
        await app.settle()

        assert await app.texts(here.customer, Author.AI) == ["Da."]


async def test_an_opening_that_an_erasure_overtakes_is_not_cached() -> None:
    network, store = Network(clock := VirtualClock()), FaultyStore()
    async with harness(store=store, clock=clock, network=network, turn_quiet_ms=60_000) as app:
        user, other = app.user(), app.another()
        await user.join()
        hold = store.hold_answer("append")
        saying = asyncio.create_task(user.say("Bună!"))
        await hold.reached.wait()
        await other.privacy.erase(user.customer)
        await app.settle()
        hold.release()
        await saying

        assert await app.session_log.current(user.customer) is None


# Followers


async def test_what_one_process_stores_is_pushed_by_the_other() -> None:
    network = Network(clock := VirtualClock())
    async with harness(clock=clock, network=network) as app:
        here, other, there = await two_processes(app)
        await app.quiet()
        await other.coordinator().take_over(there)
        await app.settle()

        assert there.log == await app.stored(there.customer)
        assert [change.status for change in here.changes] == [Status.LIVE]


async def test_what_came_before_the_confirmation_of_a_join_is_read_after_it() -> None:
    network = Network(clock := VirtualClock())
    async with harness(clock=clock, network=network, turn_quiet_ms=60_000) as app:
        other = app.another()
        await other.user().say("Unu")
        network.brokers[0].confirms = False
        user = app.user()
        joined = await user.begin_to_join()
        await other.user().say("Doi")
        user.start(joined)
        await other.user().say("Trei")
        await app.settle()
        before = list(user.seqs)
        network.brokers[0].confirm(user.customer)
        await app.settle()
        await other.user().say("Patru")
        await app.settle()

        assert (before, user.seqs) == ([1], [1, 2, 3, 4])


async def test_a_confirmation_before_the_start_makes_the_store_be_read_after_it() -> None:
    network, store = Network(clock := VirtualClock()), FaultyStore()
    async with harness(store=store, clock=clock, network=network, turn_quiet_ms=60_000) as app:
        other = app.another()
        await other.user().say("Unu")
        network.brokers[0].confirms = False
        user = app.user()
        joined = await user.begin_to_join()
        await other.user().say("Doi")
        network.brokers[0].confirm(user.customer)
        user.start(joined)
        await app.settle()

        assert user.seqs == [1, 2]


@pytest.mark.parametrize("size", [3, 70])
async def test_many_events_during_one_read_make_one_more(size: int) -> None:
    network, store = Network(clock := VirtualClock()), FaultyStore()
    async with harness(store=store, clock=clock, network=network, turn_quiet_ms=60_000) as app:
        here, other, there = await two_processes(app)
        network.brokers[0].loses = (Appended,)
        for number in range(size):
            await other.coordinator().speak(there, f"Mesajul {number}")
        await app.settle()
        reads = store.calls["latest"]
        hold = store.hold("latest")
        session_id = await app.session_id(here.customer)
        app.hub.on_missed(here.customer)
        await hold.reached.wait()
        for _ in range(10):
            app.hub.on_missed(here.customer)
            app.hub.on_hint(here.customer, Grown(session_id, size + 3))
        hold.release()
        await app.settle()

        assert store.calls["latest"] == reads + 2
        assert [entry.seq for entry in here.log] == list(range(2, size + 4))
        assert there.log == await app.stored(there.customer)


async def test_what_cannot_be_read_is_read_when_the_store_is_back() -> None:
    network, store = Network(clock := VirtualClock()), FaultyStore()
    async with harness(store=store, clock=clock, network=network, turn_quiet_ms=60_000) as app:
        here, other, there = await two_processes(app)
        network.brokers[0].loses = (Appended,)
        await other.coordinator().speak(there, "Aici Ana.")
        await app.settle()
        store.go_down()
        app.hub.on_missed(here.customer)
        await app.settle()
        during = list(here.words)
        store.come_back()
        await app.clock.advance(2.0)

        assert during == []
        assert here.words[-1] == "Aici Ana."


async def test_a_client_goes_on_after_a_read_that_failed_by_a_bug() -> None:
    network, store = Network(clock := VirtualClock()), FaultyStore()
    async with harness(store=store, clock=clock, network=network, turn_quiet_ms=60_000) as app:
        here, other, there = await two_processes(app)
        network.brokers[0].loses = (Appended,)
        await other.coordinator().speak(there, "Aici Ana.")
        await app.settle()
        store.fail("latest", error=ValueError("as told"))
        app.hub.on_missed(here.customer)
        await app.settle()
        during = list(here.words)
        await clock.advance(2.0)

        assert during == []
        assert here.words[-1] == "Aici Ana."


@pytest.mark.parametrize("active", [True, False])
async def test_without_a_broker_active_sessions_alone_are_read(active: bool) -> None:
    store = FaultyStore()
    async with harness(store=store) as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")
        await app.quiet()
        if active:
            await user.ask_for_human()
        await app.clock.advance(120)
        elsewhere = app.another()
        await elsewhere.coordinator().speak(user, "Aici Ana.")
        reads = store.calls["latest"]
        app.hub.notify(user.customer, Missed(broker_is_away=True))
        await app.settle()

        assert (store.calls["latest"] > reads) == active
        assert ("Aici Ana." in user.words) == active


@pytest.mark.parametrize("erased", [False, True])
async def test_what_a_process_stored_without_a_broker_is_known_once_it_is_back(
    erased: bool,
) -> None:
    network = Network(clock := VirtualClock())
    async with harness(clock=clock, network=network, turn_quiet_ms=60_000) as app:
        here, other, there = await two_processes(app)
        network.brokers[1].cut()
        if erased:
            await other.privacy.erase(there.customer)
        else:
            await other.coordinator().take_over(there)
        await app.settle()
        before = await app.session_log.current(here.customer)
        network.brokers[1].restore()
        await other.hub.report_away(clock)
        await app.settle()
        cached = await app.session_log.current(here.customer)

        assert before is not None
        assert before.session.status is Status.AI
        assert (cached.recent if cached else []) == await app.stored(here.customer)
        assert bool(here.changes) is not erased


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_what_was_stored_though_that_seemed_to_fail_is_known_everywhere(
    elsewhere: bool,
) -> None:
    network, store = Network(clock := VirtualClock()), FaultyStore()
    assistant = ScriptedSteps(["Da, ", PAUSE, "sigur."])
    async with harness(assistant, store, clock=clock, network=network) as app:
        here, other, there = await two_processes(app)
        await app.quiet()
        store.lose_answer("append")
        with pytest.raises(StorageUnavailable):
            await (other if elsewhere else app).coordinator().take_over(here)
        await app.settle()
        assistant.go()
        await app.settle()

        assert app.observer.outcomes == ["cancelled"]
        assert [each.changes[-1].status for each in (here, there)] == [Status.LIVE] * 2
        cached = await app.session_log.current(here.customer)
        assert cached is not None
        assert cached.recent == await app.stored(here.customer)


# Pieces of an answer


def piece(app_session: str, epoch: int, text: str) -> Delta:
    return Delta(app_session, MessageId("r1"), epoch, 1, 0, text)  # type: ignore[arg-type]


async def test_no_piece_of_another_session_or_of_an_epoch_that_is_over_is_shown() -> None:
    async with harness(turn_quiet_ms=60_000) as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")
        session_id = await app.session_id(user.customer)
        app.hub.publish(user.customer, piece(session_id, 0, "acum"))
        await app.coordinator().take_over(user)
        app.hub.publish(user.customer, piece(session_id, 0, "târziu"))
        app.hub.publish(user.customer, piece("alta", 9, "străin"))
        app.hub.publish(user.customer, piece(session_id, 2, "devreme"))
        app.hub.publish(user.customer, piece(session_id, 1, "iar târziu"))

        assert [delta.text for delta in user.deltas] == ["acum", "devreme"]


async def test_a_change_of_owner_that_leaves_a_gap_takes_effect_at_once() -> None:
    hub, store = LossyHub(), FaultyStore()
    async with harness(store=store, hub=hub, turn_quiet_ms=60_000) as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")
        session_id = await app.session_id(user.customer)
        hub.holding = True
        await app.user().say("Pierdut")
        hub.lose()
        store.fail("latest")
        await app.coordinator().take_over(user)
        await app.settle()
        hub.publish(user.customer, piece(session_id, 0, "târziu"))

        assert user.deltas == []


async def test_no_piece_is_shown_while_the_store_is_read() -> None:
    network, store = Network(clock := VirtualClock()), FaultyStore()
    async with harness(store=store, clock=clock, network=network, turn_quiet_ms=60_000) as app:
        here, other, there = await two_processes(app)
        session_id = await app.session_id(here.customer)
        network.brokers[0].loses = (Appended,)
        await other.coordinator().take_over(there)
        hold = store.hold("latest")
        app.hub.on_missed(here.customer)
        await hold.reached.wait()
        app.hub.publish(here.customer, piece(session_id, 0, "târziu"))
        hold.release()
        await app.settle()
        app.hub.publish(here.customer, piece(session_id, 0, "iar târziu"))

        assert here.deltas == []
        assert [change.status for change in here.changes] == [Status.LIVE]


# Pages and signs


async def test_a_page_of_history_has_what_another_process_wrote() -> None:
    async with harness(turn_quiet_ms=60_000) as app:
        elsewhere = app.another()
        await app.user().say("Unu")
        await elsewhere.user().say("Doi")
        newest = await app.history(app.user().customer, limit=PAGE)
        after = await app.history(app.user().customer, after=1, limit=PAGE)
        first = await app.history(app.user().customer, after=0, limit=1)

        assert [entry.seq for entry in newest.entries] == [1, 2]
        assert [entry.seq for entry in after.entries] == [2]
        assert first.more


async def test_signs_of_typing_reach_the_other_process() -> None:
    network = Network(clock := VirtualClock())
    async with harness(clock=clock, network=network) as app:
        here, other, there = await two_processes(app)
        app.hub.publish(here.customer, Typing(Author.COORDINATOR, 6_000))
        other.hub.publish(there.customer, Typing(Author.USER, 6_000))
        await app.settle()

        assert Typing(Author.COORDINATOR, 6_000) in there.typing
        assert network.brokers[0].received[-1] == Typing(Author.USER, 6_000)
