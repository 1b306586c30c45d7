"""The hand-off where nobody is there, none is offered, or a topic decides: said in true words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.memory.businesses import MemoryBusinesses
from adapters.memory.store import MemoryStore
from adapters.scripted import ScriptedAssistant
from application.ports import HandoffOutcome, Presence, Toolbox
from application.tools import TRANSFER
from domain.business import Business
from domain.errors import AssistantFailed, StorageUnavailable
from domain.handoff import HandoffRules
from domain.hours import OpeningHours, Shift
from domain.identity import BusinessId
from domain.message import Author, Message
from domain.notice import MessageLeft, NoticeKind
from domain.status import Reason, Status
from domain.texts import Text, localized
from domain.usage import Usage
from tests.support.assistants import PAUSE, Act, ScriptedSteps, transfer
from tests.support.bridge import MemoryBridge
from tests.support.clock import VirtualClock
from tests.support.faults import FaultyStore
from tests.support.harness import App, User, harness

MORNING = OpeningHours(week=((Shift(9 * 60, 11 * 60),),) * 7)
BACK = "2030-01-02T07:00:00.000Z"
NOBODY = " ".join(
    [
        localized("ro", Text.NOBODY),
        localized("ro", Text.BACK_AT, until="miercuri, 2 ianuarie, ora 9:00"),
        localized("ro", Text.LEAVE_MESSAGE),
    ]
)
USAGE = Usage(input_tokens=5, calls=1)
KEPT = localized("ro", Text.MESSAGE_KEPT)
REQUESTED = localized("ro", Text.REQUESTED)
LEAVE: dict[str, object] = {"type": "leave_message", "returnsAt": BACK}


def closed(**chosen: Any) -> Business:
    """A business that is closed now."""
    return business(**{"hours": MORNING, **chosen})


def business(**chosen: Any) -> Business:
    return Business(business_id=BusinessId("b1"), name="Bistro", **chosen)


@asynccontextmanager
async def joined(
    known: Business, *scripts: list[Act], **given: Any
) -> AsyncIterator[tuple[App, User, ScriptedSteps]]:
    """An app of one business, a user who has joined it, and the assistant."""
    assistant = ScriptedSteps(*scripts)
    async with harness(assistant, businesses=MemoryBusinesses([known]), **given) as app:
        user = app.user()
        await user.join()
        yield app, user, assistant


async def left(app: App, user: User) -> list[tuple[str, Reason]]:
    """Return the messages that the user has left, as stored."""
    return [
        (entry.text, entry.unmet)
        for entry in await app.stored(user.customer)
        if isinstance(entry, Message) and entry.author is Author.USER and entry.unmet is not None
    ]


# Nobody is there.


async def test_a_request_when_nobody_is_there_is_answered_so_at_once_and_nobody_is_asked() -> None:
    async with joined(closed()) as (app, user, assistant):
        session = await user.ask_for_human("Vreau un om")
        await app.quiet()

        assert (session.status, session.epoch, session.transfer) == (Status.AI, 0, None)
        assert user.words == [NOBODY]
        assert user.messages[-1].actions == (LEAVE,)
        assert user.changes == []
        assert assistant.turns == 0


async def test_the_next_message_is_kept_and_acknowledged_and_the_ai_goes_on() -> None:
    async with joined(closed()) as (app, user, assistant):
        await user.ask_for_human()
        await user.say("Sunați-mă la 0722, despre masa de vineri")
        await app.quiet()
        await user.say("Aveți parcare?")
        await app.quiet()
        head = await app.head(user.customer)

        assert user.words == [NOBODY, KEPT, "Răspuns.", "Răspuns."]
        assert assistant.asked == [
            ["Sunați-mă la 0722, despre masa de vineri"],
            ["Aveți parcare?"],
        ]
        assert await left(app, user) == [
            ("Sunați-mă la 0722, despre masa de vineri", Reason.USER_REQUEST)
        ]
        assert head.missed is not None
        assert head.missed.text == "Sunați-mă la 0722, despre masa de vineri"
        assert head.missed.reason is Reason.USER_REQUEST
        assert head.unmet is None


async def test_the_bridge_is_told_what_was_left_once_and_before_anything_else_of_it() -> None:
    bridge = MemoryBridge()
    async with joined(closed(), bridge=bridge) as (app, user, _):
        app.deliver()
        await user.ask_for_human("Vreau un om")
        await user.say("0722", "m1")
        await user.say("0722", "m1")
        await app.quiet()
        await app.settle()
        (notice,) = [each for each in bridge.accepted if each.kind is NoticeKind.MISSED]

        assert isinstance(notice.content, MessageLeft)
        assert (notice.content.text, notice.content.reason) == ("0722", Reason.USER_REQUEST)
        assert notice.content.context.open_question == "0722"
        assert NoticeKind.TRANSFER not in bridge.kinds
        assert NoticeKind.STATUS not in bridge.kinds


async def test_a_repeated_request_repeats_nothing() -> None:
    async with joined(closed()) as (app, user, assistant):
        await user.ask_for_human()
        await user.ask_for_human()
        await user.ask_for_human("Un om!")
        await app.quiet()

        assert user.words == [NOBODY, "Răspuns."]
        assert assistant.asked == [["Un om!"]]
        assert (await app.head(user.customer)).unmet is Reason.USER_REQUEST


async def test_a_pending_question_is_still_answered_by_the_ai() -> None:
    async with joined(closed(), [PAUSE, "Da."]) as (app, user, assistant):
        await user.say("Aveți parcare?")
        await app.quiet()
        await user.ask_for_human("Un om!")
        assistant.go()
        await app.quiet()
        assistant.go()
        await app.quiet()

        assert user.words == [NOBODY, "Da.", "Da."]
        assert assistant.asked == [["Aveți parcare?"], ["Un om!"]]


async def test_a_coordinator_who_speaks_later_has_the_conversation_and_nothing_is_missed() -> None:
    async with joined(closed()) as (app, user, _):
        await user.ask_for_human()
        await user.say("0722")
        before = (await app.head(user.customer)).missed
        await app.coordinator().speak(user, "Bună, sunt Ana.")
        head = await app.head(user.customer)

        assert before is not None
        assert head.status is Status.LIVE
        assert (head.missed, head.unmet) == (None, None)


async def test_who_takes_over_before_the_message_is_left_gets_it_as_a_message() -> None:
    async with joined(closed()) as (app, user, _):
        await user.ask_for_human()
        await app.coordinator().take_over(user)
        await user.say("0722")
        await app.coordinator().give_back(user)
        await user.say("Și încă ceva")

        assert await left(app, user) == []
        assert KEPT not in user.words


class Online(Presence):
    """The number of coordinators who are present, which may change."""

    def __init__(self, online: int) -> None:
        self.count = online

    async def online(self, business_id: BusinessId) -> int | None:
        return self.count


async def test_nobody_present_at_the_bridge_is_nobody_there_and_no_time_is_named() -> None:
    online = Online(0)
    async with joined(business(), presence=online) as (app, user, _):
        await user.ask_for_human()
        online.count = 1
        await user.say("0722")
        await app.quiet()
        session = await user.ask_for_human()

        assert user.messages[0].actions == ({"type": "leave_message", "returnsAt": None},)
        assert user.words[0] == " ".join(
            localized("ro", text) for text in (Text.NOBODY, Text.LEAVE_MESSAGE)
        )
        assert user.words[-1] == REQUESTED
        assert session.status is Status.WAITING
        assert session.missed is not None


async def test_a_request_that_expires_asks_for_a_message_and_the_next_one_is_kept() -> None:
    async with joined(business(), transfer_timeout_s=300) as (app, user, _):
        await user.ask_for_human()
        await app.clock.advance(300)
        await app.sweep()
        await user.say("0722")
        await app.quiet()
        expired = localized("ro", Text.EXPIRED)

        assert user.words[1] == f"{expired} {localized('ro', Text.LEAVE_MESSAGE)}"
        assert user.words[2:] == [KEPT, "Răspuns."]
        assert await left(app, user) == [("0722", Reason.USER_REQUEST)]


async def test_a_request_that_expires_after_closing_time_names_the_next_opening() -> None:
    # 14:00 in Bucharest, where nobody is there from 14:02 on.
    hours = OpeningHours(week=((Shift(9 * 60, 14 * 60 + 2),),) * 7)
    async with joined(business(hours=hours), transfer_timeout_s=300) as (app, user, _):
        session = await user.ask_for_human()
        await app.clock.advance(300)
        await app.sweep()
        back = localized("ro", Text.BACK_AT, until="miercuri, 2 ianuarie, ora 9:00")

        assert session.status is Status.WAITING
        assert back in user.words[1]
        assert user.messages[1].actions == (LEAVE,)


async def test_a_message_is_kept_once_where_the_first_answer_of_the_store_was_lost() -> None:
    store = FaultyStore()
    async with joined(closed(), store=store) as (app, user, _):
        await user.ask_for_human()
        store.lose_answer("append")
        with pytest.raises(StorageUnavailable):
            await user.say("0722", "m1")
        again = await user.say("0722", "m1")
        await app.quiet()

        assert again.duplicate
        assert await left(app, user) == [("0722", Reason.USER_REQUEST)]
        assert (await app.texts(user.customer, Author.SYSTEM)) == [NOBODY, KEPT]


async def test_another_process_keeps_the_message_as_well() -> None:
    async with joined(closed()) as (app, user, _):
        other = app.another()
        await user.ask_for_human()
        await other.user().say("0722")

        assert await left(app, user) == [("0722", Reason.USER_REQUEST)]
        assert (await app.texts(user.customer, Author.SYSTEM))[-1] == KEPT


async def test_a_long_message_is_whole_in_the_log_and_its_beginning_in_the_head() -> None:
    async with joined(closed()) as (app, user, _):
        await user.ask_for_human()
        await user.say("x" * 8_000)
        missed = (await app.head(user.customer)).missed

        assert missed is not None
        assert missed.text == "x" * 499 + "…"
        assert await left(app, user) == [("x" * 8_000, Reason.USER_REQUEST)]


async def test_a_conversation_that_closes_meanwhile_asks_for_nothing_any_more() -> None:
    async with joined(closed(), session_idle_s=60) as (app, user, _):
        await user.ask_for_human()
        await app.clock.advance(60)
        await app.sweep()
        first = await app.head(user.customer)
        await user.say("Bună din nou")

        assert (first.status, first.unmet) == (Status.CLOSED, None)
        assert await left(app, user) == []
        assert KEPT not in user.words


async def test_a_message_that_was_left_stays_missed_when_the_conversation_is_closed() -> None:
    async with joined(closed()) as (app, user, _):
        await user.ask_for_human()
        await user.say("0722")
        await app.coordinator().close(user)
        head = await app.head(user.customer)

        assert head.status is Status.CLOSED
        assert head.missed is not None


async def test_what_was_left_is_exported_and_erased() -> None:
    async with joined(closed()) as (app, user, _):
        await user.ask_for_human()
        await user.say("0722")
        ((session, log),) = await app.privacy.export(user.customer)
        await app.privacy.erase(user.customer)

        assert session.missed is not None
        assert log[1].text == "0722"
        assert await MemoryStore.latest(app.store, user.customer) is None


# The AI.


async def test_the_ai_s_request_when_nobody_is_there_leaves_its_words_and_asks_for_a_message() -> (
    None
):
    words = "Acum nu e nimeni aici. Lăsați un mesaj."
    async with joined(closed(), [transfer(), words], ["Bine."]) as (app, user, _):
        await user.say("Vreau un om")
        await app.quiet()
        answer = user.messages[-1]
        await user.say("0722")
        await app.quiet()

        assert (answer.text, answer.author) == (words, Author.AI)
        assert answer.actions == (LEAVE,)
        assert (await app.head(user.customer)).epoch == 0
        assert await left(app, user) == [("0722", Reason.AI_DECISION)]
        assert user.words == [words, KEPT, "Bine."]
        assert app.observer.outcomes == ["answered", "answered"]


async def test_a_request_by_the_ai_without_a_word_is_told_in_the_server_s() -> None:
    async with joined(closed(), [transfer()]) as (app, user, _):
        await user.say("Vreau un om")
        await app.quiet()

        assert user.words == [NOBODY]
        assert user.messages[-1].author is Author.AI


async def test_a_promise_that_nobody_can_keep_is_set_right_in_the_same_message() -> None:
    promise = "Un coleg vă contactează astăzi."
    async with joined(closed(), [promise]) as (app, user, _):
        await user.say("Vreau un om")
        await app.quiet()

        assert user.words == [f"{promise}\n\n{NOBODY}"]
        assert user.messages[-1].actions == (LEAVE,)
        assert (await app.head(user.customer)).status is Status.AI


async def test_who_has_just_left_a_message_is_not_asked_for_it_again_by_the_ai() -> None:
    seen: list[bool] = []

    async def use(toolbox: Toolbox) -> None:
        handoff = (await toolbox.call(TRANSFER, {"summary": "wants a human"})).value
        assert handoff.outcome is HandoffOutcome.NOBODY_THERE
        seen.append(handoff.has_left_message)

    async with joined(closed(), [use, "Am notat."]) as (app, user, _):
        await user.ask_for_human()
        await user.say("Un om, la 0722")
        await app.quiet()

        assert seen == [True]
        assert user.messages[-1].actions == ()
        assert (await app.head(user.customer)).unmet is None


async def test_an_ai_that_fails_when_nobody_is_there_asks_for_a_message_once() -> None:
    async with joined(closed(), [AssistantFailed()], ai_failures_before_transfer=1) as (
        app,
        user,
        _,
    ):
        for text in ("unu", "doi", "trei"):
            await user.say(text)
            await app.quiet()
        sorry = localized("ro", Text.SORRY)
        later = localized("ro", Text.TRY_LATER)
        back = localized("ro", Text.BACK_AT, until="miercuri, 2 ianuarie, ora 9:00")

        assert user.words == [
            f"{sorry} {NOBODY}",
            KEPT,
            f"{sorry} {later} {back}",
            f"{sorry} {later} {back}",
        ]
        assert await left(app, user) == [("doi", Reason.AI_FAILURE)]
        assert (await app.head(user.customer)).status is Status.AI


async def test_past_the_hard_budget_when_nobody_is_there_a_message_is_asked_for() -> None:
    async with joined(closed(), ai_budget_hard_tokens=1) as (app, user, _):
        await app.store.add(user.customer.business_id, app.clock.now().date(), USAGE.counts)
        await user.say("unu")
        await app.quiet()

        assert user.words == [f"{localized('ro', Text.UNAVAILABLE)} {NOBODY}"]
        assert app.observer.outcomes == ["over_budget"]


# No hand-off.

ALONE = HandoffRules(enabled=False)
FACTS = {"telefon": "021 555 0100"}
TURN_TO = localized("ro", Text.TURN_TO, contact="telefon: 021 555 0100")


async def test_where_no_hand_off_is_offered_a_request_is_refused_with_where_to_turn() -> None:
    async with joined(business(handoff=ALONE, facts=FACTS)) as (app, user, assistant):
        session = await user.ask_for_human("Vreau un om")
        await app.quiet()
        await user.say("Bine")
        await app.quiet()

        assert (session.status, session.unmet) == (Status.AI, None)
        assert user.words == [f"{localized('ro', Text.NOT_OFFERED)} {TURN_TO}", "Răspuns."]
        assert user.messages[0].actions == ()
        assert assistant.asked == [["Bine"]]
        assert await left(app, user) == []


async def test_where_no_hand_off_is_offered_a_promise_is_taken_back() -> None:
    promise = "Un coleg vă contactează astăzi."
    async with joined(business(handoff=ALONE, facts=FACTS), [promise]) as (app, user, _):
        await user.say("Vreau un om")
        await app.quiet()

        assert user.words == [f"{promise}\n\n{localized('ro', Text.NOT_ASKED)} {TURN_TO}"]
        assert (await app.head(user.customer)).status is Status.AI


async def test_where_no_hand_off_is_offered_no_text_offers_a_human() -> None:
    deed = "Ți-am anulat rezervarea de vineri."
    async with joined(
        business(handoff=ALONE, facts=FACTS),
        [AssistantFailed()],
        [AssistantFailed()],
        [deed],
        ai_failures_before_transfer=2,
    ) as (app, user, _):
        for text in ("unu", "doi", "trei"):
            await user.say(text)
            await app.quiet()
        apology = " ".join([localized("ro", Text.SORRY), localized("ro", Text.TRY_LATER), TURN_TO])

        assert user.words == [
            apology,
            apology,
            f"{deed}\n\n{localized('ro', Text.NOT_DONE_ALONE)}",
        ]


# Topics.

ALWAYS = HandoffRules(always=("alergie", "obiect pierdut"))
NEVER = HandoffRules(never=("rețete",))


async def test_a_message_on_a_topic_that_is_always_handed_over_goes_to_a_human_without_the_ai() -> (
    None
):
    async with joined(business(handoff=ALWAYS)) as (app, user, assistant):
        await user.say("Am ALERGII la nuci")
        await app.quiet()
        head = await app.head(user.customer)

        assert head.status is Status.WAITING
        assert head.transfer is not None
        assert head.transfer.reason is Reason.AI_DECISION
        assert user.words == [REQUESTED]
        assert assistant.turns == 0


async def test_on_such_a_topic_when_nobody_is_there_that_is_said_and_the_ai_does_not_answer() -> (
    None
):
    async with joined(closed(handoff=ALWAYS)) as (app, user, assistant):
        first = await user.say("Am alergie la nuci", "m1")
        again = await user.say("Am alergie la nuci", "m1")
        await user.say("Alergia e gravă, 0722")
        await app.quiet()

        assert (first.seq, again.seq, again.duplicate) == (1, 1, True)
        assert user.words == [NOBODY, KEPT, "Răspuns."]
        assert user.messages[0].in_reply_to == (first.message_id,)
        assert assistant.asked == [["Alergia e gravă, 0722"]]


async def test_such_a_topic_changes_nothing_where_a_human_is_there_or_none_is_offered() -> None:
    rules = HandoffRules(enabled=False, always=ALWAYS.always)
    async with (
        joined(business(handoff=ALWAYS)) as (app, user, _),
        joined(business(handoff=rules)) as (other, alone, assistant),
    ):
        await user.say("Bună")
        await app.coordinator().take_over(user)
        told = len(user.words)
        await user.say("Am alergie")
        await alone.say("Am alergie")
        await other.quiet()

        assert (await app.head(user.customer)).status is Status.LIVE
        assert len(user.words) == told
        assert assistant.turns == 1


async def test_the_ai_does_not_hand_over_what_is_never_handed_over() -> None:
    promise = "Un coleg vă contactează astăzi."
    async with joined(business(handoff=NEVER), [transfer(), "Cu ou."], [promise]) as (app, user, _):
        await user.say("Ce rețetă aveți?")
        await app.quiet()
        await user.say("Și alte rețete?")
        await app.quiet()

        assert user.words == ["Cu ou.", f"{promise}\n\n{localized('ro', Text.NOT_ASKED)}"]
        assert (await app.head(user.customer)).status is Status.AI


async def test_on_such_a_topic_who_asks_for_a_human_in_words_or_by_the_button_gets_one() -> None:
    async with (
        joined(business(handoff=NEVER), [transfer(), "Da."]) as (app, user, _),
        joined(business(handoff=NEVER)) as (_, other, _),
    ):
        await user.say("Vreau să vorbesc cu un om despre rețete")
        await app.quiet()
        session = await other.ask_for_human("Despre rețete")

        assert (await app.head(user.customer)).status is Status.WAITING
        assert session.status is Status.WAITING


# The scripted assistant.


@asynccontextmanager
async def scripted(known: Business) -> AsyncIterator[tuple[App, User]]:
    """An app with the demo assistant, and a user who has joined."""
    clock = VirtualClock()
    async with harness(
        ScriptedAssistant(clock, delay_s=0), clock=clock, businesses=MemoryBusinesses([known])
    ) as app:
        user = app.user()
        await user.join()
        yield app, user


DEMO = "(Sunt un asistent demonstrativ, fără inteligență artificială.)"


async def test_the_scripted_assistant_says_what_came_of_the_request() -> None:
    async with (
        scripted(closed()) as (app, user),
        scripted(business(handoff=ALONE, facts=FACTS)) as (other, alone),
    ):
        await user.say("Vreau să vorbesc cu un om real")
        await alone.say("Vreau să vorbesc cu un om real")
        await app.quiet()
        await other.quiet()

        assert user.words == [f"{NOBODY} {DEMO}"]
        assert user.messages[-1].actions == (LEAVE,)
        assert alone.words == [f"{localized('ro', Text.NOT_OFFERED)} {TURN_TO} {DEMO}"]


async def test_the_scripted_assistant_asks_first_once_and_then_hands_over() -> None:
    question = "Care este numărul comenzii?"
    async with scripted(business(handoff=HandoffRules(ask_first=question))) as (app, user):
        await user.say("Vreau să vorbesc cu un om real")
        await app.quiet()
        first = (await app.head(user.customer)).status
        await user.say("1234")
        await app.quiet()

        assert first is Status.AI
        assert user.words == [f"{question} {DEMO}", f"{REQUESTED} {DEMO}"]
        assert (await app.head(user.customer)).status is Status.WAITING


# A business's own words.


async def test_a_business_s_own_wording_is_what_its_customers_read() -> None:
    words = {"ro": {"requested": "Vine cineva.", "nobody": "Dormim.", "message_kept": "Notat."}}
    async with (
        joined(business(words=words)) as (_, user, _),
        joined(closed(words=words), [transfer()]) as (app, late, _),
    ):
        await user.ask_for_human()
        await late.say("Un om")
        await app.quiet()
        await late.say("0722")

        assert user.words == ["Vine cineva."]
        assert late.words[0].startswith("Dormim. ")
        assert late.words[1] == "Notat."
