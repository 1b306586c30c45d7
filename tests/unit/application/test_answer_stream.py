"""The stream of an answer: what a client is shown while it is being written, and of what turn."""

import asyncio
from functools import partial
from itertools import pairwise
from random import Random

import pytest

from adapters.memory.broker import NoBroker
from application.answer_stream import ASK_AGAIN_S, SO_FAR_EVERY_S, AnswerFollower
from application.hub import Hub
from application.join import ResumePosition
from application.ports import AnswerRequested, AnswerSoFar, Appended, Delta, Event, Hint, Missed
from domain.errors import AssistantFailed
from domain.identity import Customer, MessageId, SessionId, customer
from domain.message import Author, Message
from domain.status import Status
from tests.support.assistants import HANG, PAUSE, RESTART, Act, ScriptedSteps
from tests.support.broker import Network, NetworkBroker
from tests.support.clock import VirtualClock
from tests.support.faults import FaultyStore
from tests.support.harness import App, User, harness

WHO = customer("b1", "u1")
SESSION, RESPONSE = SessionId("s1"), MessageId("r1")


async def streaming(app: App, text: str = "Bună!") -> User:
    """A client that has asked and is shown the answer as it is written."""
    user = app.user(stream=True)
    await user.join()
    await user.say(text)
    await app.quiet()
    return user


async def joined(app: App, **place: str) -> User:
    """A client that joins now."""
    user = app.user(stream=True)
    await user.join()
    await app.settle()
    return user


# In one process.


async def test_who_joins_in_mid_answer_gets_the_text_so_far_and_then_the_rest() -> None:
    assistant = ScriptedSteps(["Da, ", "desigur", PAUSE, ", vă ", "aștept."])
    async with harness(assistant) as app:
        await streaming(app)
        late = await joined(app)
        at_once = list(late.pieces)
        assistant.go()
        await app.settle()
        answer = late.messages[-1]

        assert [(index, text) for _, index, text in at_once] == [(0, "Da, desigur")]
        assert [index for _, index, _ in late.pieces] == [0, 1, 2]
        assert late.preview == answer.text == "Da, desigur, vă aștept."
        assert {response_id for response_id, _, _ in late.pieces} == {answer.message_id}


async def test_who_rejoins_after_a_tunnel_in_mid_answer_gets_all_of_it() -> None:
    assistant = ScriptedSteps(["Unu ", PAUSE, "doi ", PAUSE, "trei."])
    async with harness(assistant) as app:
        user = await streaming(app)
        user.leave()
        assistant.go()
        await app.clock.advance(30)
        again = app.user(stream=True)
        await again.join()
        await app.settle()
        so_far = again.preview
        assistant.go()
        await app.settle()

        assert so_far == "Unu doi "
        assert again.preview == "Unu doi trei."


async def test_who_has_everything_is_shown_nothing_twice_when_another_joins() -> None:
    assistant = ScriptedSteps(["Da, ", PAUSE, "sigur."])
    async with harness(assistant) as app:
        user = await streaming(app)
        await joined(app)
        assistant.go()
        await app.settle()

        assert [(index, text) for _, index, text in user.pieces] == [(0, "Da, "), (1, "sigur.")]


async def test_a_join_while_nothing_is_pending_asks_for_nothing() -> None:
    async with harness() as app:
        await streaming(app)
        heard = app.listen(WHO)
        await joined(app)

        assert heard == []


async def test_who_has_the_answer_from_the_join_is_shown_no_more_of_it() -> None:
    store, assistant = FaultyStore(), ScriptedSteps(["Da, ", PAUSE, "sigur."])
    async with harness(assistant, store) as app:
        first = app.user()
        await first.join()
        await first.say("Bună!")
        await app.quiet()
        storing = store.hold_answer("append")
        assistant.go()
        await storing.reached.wait()
        late = app.user(stream=True)
        await late.join()
        app.hub.publish(late.customer, AnswerRequested())
        await app.settle()
        storing.release()
        await app.settle()

        assert late.words == ["Da, sigur."]
        assert late.pieces == []


async def test_who_has_the_answer_from_before_the_join_is_shown_no_more_of_it() -> None:
    async with harness(ScriptedSteps(["Da, ", "sigur."])) as app:
        user = await streaming(app)
        await app.settle()
        answer = user.messages[-1]
        user.leave()
        again = app.user(stream=True)
        page = (await again.join(ResumePosition(answer.seq, user.session_id))).page
        for late in list(user.deltas):
            app.hub.notify(again.customer, late)
        await app.settle()

        assert page.entries == ()
        assert again.deltas
        assert again.pieces == []


async def test_an_answer_that_begins_anew_is_shown_anew() -> None:
    script = ScriptedSteps(["Prima ", "parte", PAUSE, RESTART, "A ", PAUSE, "doua."])
    async with harness(script) as app:
        user = await streaming(app)
        script.go()
        await app.settle()
        late = await joined(app)
        script.go()
        await app.settle()

        assert [(index, text) for _, index, text in user.pieces] == [
            (0, "Prima "), (1, "parte"), (0, "A "), (1, "doua."),
        ]  # fmt: skip
        assert late.preview == user.preview == user.messages[-1].text


async def test_an_answer_that_begins_anew_with_the_same_word_ends_up_right() -> None:
    script = ScriptedSteps(["Bună ", "ziua, Ana", RESTART, "Bună ", "seara", PAUSE, "!"])
    async with harness(script) as app:
        user = await streaming(app)
        so_far = user.preview
        script.go()
        await app.settle()

        assert (so_far, user.preview) == ("Bună seara", "Bună seara!")


async def test_however_many_ask_the_text_so_far_is_published_rarely() -> None:
    assistant = ScriptedSteps(["Da, ", HANG])
    async with harness(assistant) as app:
        await streaming(app)
        heard = app.listen(WHO)
        for _ in range(100):
            app.hub.publish(WHO, AnswerRequested())
        await app.clock.advance(SO_FAR_EVERY_S)
        await app.clock.advance(10 * SO_FAR_EVERY_S)

        assert sum(isinstance(event, AnswerSoFar) for event in heard) == 2


async def test_after_a_takeover_nobody_gets_the_text_so_far() -> None:
    assistant = ScriptedSteps(["Da, ", HANG])
    async with harness(assistant) as app:
        user = await streaming(app)
        await app.coordinator().take_over(user)
        heard = app.listen(WHO)
        app.hub.publish(WHO, AnswerRequested())
        late = await joined(app)
        await app.clock.advance(1)

        assert [event for event in heard if isinstance(event, AnswerSoFar)] == []
        assert late.pieces == []


# What a client is shown, whatever becomes of the hints.


class Shown:
    """A client of a stream whose hints come as the test says."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.requests = 0
        self.pieces: list[tuple[int, str]] = []
        hub = Hub(NoBroker())
        hub.subscribe(WHO, self._on_event)
        self.follower = AnswerFollower(WHO, hub, self.clock)

    def _on_event(self, event: Event) -> None:
        self.requests += isinstance(event, AnswerRequested)

    def piece(
        self, offset: int, text: str, response_id: str = RESPONSE, *, attempt: int = 1
    ) -> None:
        self.show(Delta(SESSION, MessageId(response_id), 0, attempt, offset, text))

    def so_far(self, text: str, response_id: str = RESPONSE, *, attempt: int = 1) -> None:
        self.show(AnswerSoFar(SESSION, MessageId(response_id), 0, attempt, text))

    def show(self, event: Delta | AnswerSoFar) -> None:
        if (shown := self.follower.show(event)) is not None:
            self.pieces.append(shown)

    @property
    def preview(self) -> str:
        """The text that a client builds of it."""
        text = ""
        for index, piece in self.pieces:
            text = piece if index == 0 else text + piece
        return text


def test_a_hole_is_asked_for_and_filled() -> None:
    shown = Shown()
    shown.piece(0, "unu ")
    shown.piece(8, "trei ")
    shown.so_far("unu doi trei ")
    shown.piece(13, "patru")

    assert shown.requests == 1
    assert shown.pieces == [(0, "unu "), (1, "doi trei "), (2, "patru")]


async def test_a_request_without_answer_is_repeated_but_not_at_once() -> None:
    shown = Shown()
    shown.piece(4, "a")
    shown.piece(5, "b")
    once = shown.requests
    await shown.clock.advance(ASK_AGAIN_S)
    shown.piece(6, "c")

    assert (once, shown.requests) == (1, 2)
    assert shown.pieces == []


def test_after_a_loss_it_is_asked_for_at_once() -> None:
    shown = Shown()
    shown.piece(4, "a")
    shown.follower.on_missed()

    assert shown.requests == 2


def test_what_was_shown_is_never_shown_again() -> None:
    shown = Shown()
    for _ in range(2):
        shown.piece(0, "unu ")
        shown.piece(4, "doi ")
        shown.so_far("unu ")
        shown.so_far("unu doi ")
        shown.piece(2, "u doi trei")

    assert shown.preview == "unu doi trei"
    assert [index for index, _ in shown.pieces] == [0, 1, 2]
    assert shown.requests == 0


def test_late_pieces_of_an_answer_that_is_over_are_not_shown() -> None:
    shown = Shown()
    shown.piece(0, "prima", "r1")
    shown.piece(0, "a doua", "r2")
    shown.piece(0, "prima", "r1")
    shown.so_far("prima și", "r1")
    shown.piece(6, ".", "r2")

    assert shown.preview == "a doua."


def test_no_piece_of_a_stored_answer_is_shown_where_another_one_was() -> None:
    shown = Shown()
    shown.piece(0, "a doua", "r2")
    shown.follower.on_entry(
        Message(
            seq=2,
            message_id=MessageId("r1"),
            author=Author.AI,
            text="prima",
            at=shown.clock.now(),
            settles_seq=1,
        )
    )
    shown.so_far("prima", "r1")
    shown.piece(6, ".", "r2")

    assert shown.preview == "a doua."


@pytest.mark.parametrize("seed", range(50))
def test_any_mixture_of_bad_hints_shows_a_beginning_of_the_answer(seed: int) -> None:
    random, shown = Random(seed), Shown()
    words = [f"cuvânt{number} " for number in range(30)]
    offsets = [sum(map(len, words[:number])) for number in range(31)]
    answer = "".join(words)
    hints = [(offsets[number], words[number]) for number in range(30)]
    for number, hint in enumerate(hints):
        for _ in range(random.choice([0, 1, 1, 1, 2])):
            shown.piece(*hint)
            if random.random() < 0.3:
                shown.piece(*random.choice(hints[: number + 1]))
            if random.random() < 0.2:
                shown.so_far(answer[: offsets[random.randrange(number + 1) + 1]])
        assert answer.startswith(shown.preview)
    shown.so_far(answer)

    assert shown.preview == answer
    assert all(after in (0, before + 1) for (before, _), (after, _) in pairwise(shown.pieces))


def test_a_piece_of_a_later_attempt_never_continues_an_earlier_one() -> None:
    shown = Shown()
    shown.piece(0, "unu ")
    shown.piece(4, "trei ", attempt=2)  # its beginning was lost
    before = shown.preview
    shown.so_far("doi trei ", attempt=2)
    shown.piece(9, "patru", attempt=2)

    assert (before, shown.preview, shown.requests) == ("unu ", "doi trei patru", 1)


def test_what_comes_late_of_an_earlier_attempt_is_not_shown() -> None:
    shown = Shown()
    shown.piece(0, "unu ", attempt=2)
    shown.piece(0, "unu ")
    shown.piece(4, "doi ")
    shown.so_far("unu doi ")
    shown.piece(4, "trei", attempt=2)

    assert shown.pieces == [(0, "unu "), (1, "trei")]
    assert shown.requests == 0


async def test_who_loses_where_the_answer_begins_anew_joins_no_two_attempts() -> None:
    script = ScriptedSteps(["unu ", RESTART, "doi ", "trei ", PAUSE])
    async with harness(script) as app:
        heard = app.listen(WHO)
        await streaming(app)
        app.hub.publish(WHO, AnswerRequested())
        first, _, last = [event for event in heard if isinstance(event, Delta)]
        so_far = next(event for event in heard if isinstance(event, AnswerSoFar))
        shown = Shown()
        shown.show(first)
        shown.show(last)
        before = shown.preview
        shown.show(so_far)

        assert (before, shown.preview) == ("unu ", "doi trei ")


# Between processes.


def network() -> tuple[VirtualClock, Network]:
    clock = VirtualClock()
    return clock, Network(clock)


async def test_who_moves_to_another_process_in_mid_answer_gets_all_of_it_and_it_is_made_once() -> (
    None
):
    clock, net = network()
    assistant = ScriptedSteps(["Da, ", "desigur", PAUSE, ", vă ", "aștept."])
    async with harness(assistant, clock=clock, network=net) as app:
        user = await streaming(app)
        other = app.another()
        user.leave()
        moved = await joined(other)
        so_far = moved.preview
        await clock.advance(5)
        assistant.go()
        await clock.advance(5)

        assert so_far == "Da, desigur"
        assert moved.preview == "Da, desigur, vă aștept."
        assert moved.words == ["Da, desigur, vă aștept."]
        assert assistant.turns == 1
        assert (app.observer.outcomes, other.observer.outcomes) == (["answered"], [])
        await other.turns.stop()


async def test_who_joined_before_hints_arrived_asks_again_once_they_do() -> None:
    """Also while the model is silent: no later piece shows that something is lacking."""
    clock, net = network()
    async with harness(ScriptedSteps(["Unu ", HANG]), clock=clock, network=net) as app:
        await streaming(app)
        other = app.another()
        net.holding = True
        moved = await joined(other)
        net.lose()
        before = list(moved.pieces)
        net.brokers[1].miss(WHO)
        await app.settle()

        assert before == []
        assert moved.preview == "Unu "
        await other.turns.stop()


@pytest.mark.parametrize("cut_off", [0, 1], ids=["who writes", "who follows"])
async def test_an_answer_that_began_while_a_process_was_cut_off_is_shown_once_it_is_back(
    cut_off: int,
) -> None:
    """Also while the model is silent."""
    clock, net = network()
    assistant = ScriptedSteps([PAUSE, "Unu ", HANG])
    async with harness(assistant, clock=clock, network=net) as app:
        other = app.another()
        follower = await joined(other)
        user = app.user()
        await user.join()
        await user.say("Bună!")
        await app.quiet()
        net.brokers[cut_off].is_cut = True
        assistant.go()
        await clock.advance(1)
        before = list(follower.pieces)
        net.brokers[cut_off].restore()
        await clock.advance(1)

        assert before == []
        assert follower.preview == "Unu "
        await other.turns.stop()


async def test_the_text_so_far_waits_for_a_look_at_the_store_that_is_under_way() -> None:
    clock, net = network()
    store = FaultyStore()
    async with harness(ScriptedSteps(["Unu ", HANG]), store, clock=clock, network=net) as app:
        await streaming(app)
        other = app.another()
        net.holding = True
        moved = await joined(other)
        net.lose()
        hold = store.hold("latest")
        net.brokers[1].miss(WHO)
        await hold.reached.wait()
        net.holding = True
        other.hub.publish(WHO, AnswerRequested())
        net.pass_on()
        hold.release()
        await clock.advance(0.1)

        assert moved.preview == "Unu "
        await other.turns.stop()


async def test_a_piece_that_the_network_loses_is_asked_for() -> None:
    clock, net = network()
    assistant = ScriptedSteps(["Unu ", PAUSE, "doi ", PAUSE, "trei", PAUSE, "."])
    async with harness(assistant, clock=clock, network=net) as app:
        user = await streaming(app)
        other = app.another()
        user.leave()
        moved = await joined(other)
        await clock.advance(1)
        net.holding = True
        assistant.go()
        await app.settle()
        net.lose()
        assistant.go()
        await clock.advance(0.1)

        assert moved.preview == "Unu doi trei"
        await other.turns.stop()


async def test_who_has_lost_all_of_an_answer_so_far_asks_for_it_once_that_is_known() -> None:
    clock, net = network()
    async with harness(ScriptedSteps(["Da, ", HANG]), clock=clock, network=net) as app:
        other = app.another()
        far = other.user(stream=True)
        await far.join()
        net.brokers[1].loses = (Appended, Delta)
        await app.user().say("Bună!")
        await app.quiet()
        before = list(far.pieces)
        net.brokers[1].miss(far.customer)
        await app.settle()

        assert before == []
        assert far.preview == "Da, "
        await other.turns.stop()


async def test_a_takeover_in_another_process_ends_the_turn_at_once() -> None:
    clock, net = network()
    assistant = ScriptedSteps(["Unu ", PAUSE, "doi."])
    async with harness(assistant, clock=clock, network=net) as app:
        user = await streaming(app)
        await app.another().coordinator().take_over(user)
        await app.settle()
        assistant.go()
        await app.settle()

        assert app.observer.outcomes == ["cancelled"]
        assert user.preview == "Unu "
        assert assistant.broken_off == 1


async def test_pieces_wait_until_the_store_is_read_where_hints_may_be_lost() -> None:
    clock, net = network()
    store = FaultyStore()
    assistant = ScriptedSteps(["Unu ", PAUSE, "doi ", PAUSE, "trei."])
    async with harness(assistant, store, clock=clock, network=net) as app:
        user = await streaming(app)
        hold = store.hold("latest")
        net.brokers[0].miss(WHO)
        await app.settle()
        assistant.go()
        await app.settle()
        meanwhile = user.preview
        hold.release()
        await app.settle()
        then = user.preview
        assistant.go()
        await app.settle()

        assert (meanwhile, then) == ("Unu ", "Unu doi ")
        assert user.words == ["Unu doi trei."]


async def test_a_lost_hint_of_a_takeover_is_found_in_the_store_before_the_next_piece() -> None:
    clock, net = network()
    assistant = ScriptedSteps(["Unu ", PAUSE, "doi."])
    async with harness(assistant, clock=clock, network=net) as app:
        user = await streaming(app)
        net.holding = True
        await app.another().coordinator().take_over(user)
        net.lose()
        net.brokers[0].miss(WHO)
        assistant.go()
        await app.settle()

        assert app.observer.outcomes == ["cancelled"]
        assert [text for _, _, text in user.pieces] == ["Unu "]
        assert await app.texts(WHO, Author.AI) == []


async def test_a_store_that_is_away_holds_the_pieces_back_but_loses_none() -> None:
    clock, net = network()
    store = FaultyStore()
    assistant = ScriptedSteps(["Unu ", PAUSE, "doi ", PAUSE, "trei."])
    async with harness(assistant, store, clock=clock, network=net) as app:
        user = await streaming(app)
        store.fail("latest", 2)
        net.brokers[0].miss(WHO)
        assistant.go()
        await clock.advance(0.9)
        meanwhile = user.preview
        await clock.advance(1.1)
        assistant.go()
        await app.settle()

        assert meanwhile == "Unu "
        assert user.preview == "Unu doi trei."


# While the broker is away.


async def away(app: App) -> asyncio.Task[None]:
    """Run the background task that reports it."""

    async def report() -> None:
        while True:
            await app.clock.sleep(await app.hub.report_away(app.clock))

    return asyncio.create_task(report())


async def test_while_the_broker_is_away_pieces_come_once_a_second_and_none_is_lost() -> None:
    clock, net = network()

    async def write(_: object) -> None:
        await clock.sleep(0.3)

    script: list[Act] = [act for number in range(20) for act in (write, f"{number} ")]
    async with harness(ScriptedSteps(script), clock=clock, network=net) as app:
        reporting = await away(app)
        user = await streaming(app)
        await clock.advance(1)
        net.brokers[0].cut()
        before = len(user.pieces)
        await clock.advance(3)
        during = len(user.pieces) - before
        net.brokers[0].restore()
        await clock.advance(10)
        reporting.cancel()

        assert 2 <= during <= 4
        assert user.preview.strip() == user.words[-1] == " ".join(map(str, range(20)))


async def test_what_is_held_back_as_the_broker_comes_back_in_silence_is_shown_in_a_second() -> None:
    clock, net = network()
    script = ScriptedSteps(["Unu ", PAUSE, "doi ", HANG])
    async with harness(script, clock=clock, network=net) as app:
        user = await streaming(app)
        net.brokers[0].away = True
        script.go()
        await app.settle()
        held = user.preview
        net.brokers[0].away = False  # it had only been late: nothing was subscribed to anew
        await clock.advance(1)

        assert (held, user.preview) == ("Unu ", "Unu doi ")


async def test_who_joins_while_the_broker_is_away_gets_the_text_so_far_within_a_second() -> None:
    clock, net = network()
    async with harness(ScriptedSteps(["Unu ", HANG]), clock=clock, network=net) as app:
        reporting = await away(app)
        await streaming(app)
        net.brokers[0].cut()
        late = await joined(app)
        await clock.advance(1.5)
        reporting.cancel()

        assert late.preview == "Unu "


async def test_a_takeover_is_found_within_two_seconds_though_the_broker_is_away() -> None:
    clock, net = network()

    async def write(_: object) -> None:
        await clock.sleep(0.1)

    script: list[Act] = [act for number in range(300) for act in (write, f"{number} ")]
    async with harness(ScriptedSteps(script), clock=clock, network=net) as app:
        reporting = await away(app)
        user = await streaming(app)
        await clock.advance(1)
        net.brokers[0].is_cut = True
        await app.another().coordinator().take_over(user)
        await clock.advance(1.0)  # until its own beat is missed
        net.brokers[0].away = True
        at_most = len(user.pieces)
        await clock.advance(1.0)
        shown = len(user.pieces)
        await clock.advance(5)
        reporting.cancel()

        assert len(user.pieces) == shown == at_most
        assert app.observer.outcomes == ["cancelled"]
        assert (await app.head(WHO)).status is Status.LIVE


@pytest.mark.parametrize("is_taken", [False, True])
async def test_a_takeover_by_a_process_that_alone_is_cut_off_is_found_within_a_second(
    is_taken: bool,
) -> None:
    clock, net = network()
    store = FaultyStore()

    async def write(_: object) -> None:
        await clock.sleep(0.1)

    script: list[Act] = [act for number in range(60) for act in (write, f"{number} ")]
    async with harness(ScriptedSteps(script), store, clock=clock, network=net) as app:
        user = await streaming(app)
        elsewhere = app.another()
        net.brokers[1].cut()
        net.brokers[0].lacks_node = True
        await clock.advance(1)
        reads = store.calls["latest"]
        if is_taken:
            await elsewhere.coordinator().take_over(user)
            reads = store.calls["latest"]
        await clock.advance(1.0)
        after_a_second = len(user.pieces)
        await clock.advance(2)
        reads = store.calls["latest"] - reads
        await clock.advance(5)

        if is_taken:
            assert len(user.pieces) == after_a_second
            assert app.observer.outcomes == ["cancelled"]
            assert user.changes[-1].status is Status.LIVE
        else:
            assert 2 <= reads <= 4
            assert len(user.pieces) >= 60
            assert user.words == [" ".join(map(str, range(60)))]


async def test_who_asks_for_the_text_so_far_gets_none_after_a_takeover_that_was_not_published() -> (
    None
):
    clock, net = network()
    async with harness(ScriptedSteps(["Unu ", HANG]), clock=clock, network=net) as app:
        user = await streaming(app)
        elsewhere = app.another()
        net.brokers[1].cut()
        net.brokers[0].lacks_node = True
        await elsewhere.coordinator().take_over(user)
        heard = app.listen(WHO)
        app.hub.publish(WHO, AnswerRequested())
        await app.settle()

        assert [event for event in heard if isinstance(event, AnswerSoFar)] == []
        assert app.observer.outcomes == ["cancelled"]


async def test_each_customers_listeners_are_reminded_once_a_second() -> None:
    clock, net = network()
    async with harness(clock=clock, network=net) as app:
        reporting = await away(app)
        heard = [app.listen(customer("b1", f"u{number}")) for number in range(100)]
        net.brokers[0].cut()
        await clock.advance(5.25)
        reporting.cancel()

        assert {len(events) for events in heard} <= {4, 5, 6}
        assert all(event == Missed(broker_is_away=True) for events in heard for event in events)


async def test_an_answer_that_fails_after_a_loss_is_an_apology() -> None:
    clock, net = network()
    assistant = ScriptedSteps(["Unu ", PAUSE, AssistantFailed()])
    async with harness(assistant, clock=clock, network=net) as app:
        user = await streaming(app)
        net.brokers[0].miss(WHO)
        await app.settle()
        assistant.go()
        await app.settle()

        assert user.messages[-1].failed


@pytest.mark.parametrize("seed", range(30))
async def test_over_a_bad_network_a_client_is_shown_beginnings_of_the_answer_and_then_all(
    seed: int,
) -> None:
    clock, random = VirtualClock(), Random(seed)
    net = BadNetwork(clock, random)

    async def write(_: object) -> None:
        await clock.sleep(random.random() / 10)

    script: list[Act] = [act for number in range(60) for act in (write, f"cuvânt{number} ")]
    answer = "".join(act for act in script if isinstance(act, str))
    assistant = ScriptedSteps(script)
    async with harness(assistant, clock=clock, network=net, turn_quiet_ms=0) as app:
        writer = app.user()
        await writer.join()
        await writer.say("Bună!")
        other = app.another()
        await clock.advance(random.random())
        moved = await joined(other)
        shown = []
        for _ in range(100):
            await clock.advance(0.05)
            if moved.pieces:
                shown.append(moved.preview)
        net.is_bad = False
        net.brokers[1].miss(WHO)
        await clock.advance(20)

        assert all(answer.startswith(preview) for preview in shown)
        assert all(len(before) <= len(after) for before, after in pairwise(shown))
        assert len(set(shown)) > 5
        assert await app.texts(WHO, Author.AI) == [answer.strip()]
        assert assistant.turns == 1
        await other.turns.stop()


class BadNetwork(Network):
    """A network that loses, doubles and delays hints at random."""

    def __init__(self, clock: VirtualClock, random: Random) -> None:
        super().__init__(clock)
        self._clock = clock
        self._random = random
        self.is_bad = True

    def deliver(self, broker: NetworkBroker, who: Customer, hint: Hint) -> None:
        if not self.is_bad:
            super().deliver(broker, who, hint)
            return
        for _ in range(self._random.choice([0, 1, 1, 1, 2])):
            delay_s = self._random.choice([0.0, 0.0, 0.05, 0.3])
            self._clock.call_later(delay_s, partial(broker.receive, who, hint))
