"""The rules that always hold, each proved on the whole application in memory.

Rule 9 (the bridge is told at least once) is proved where the bridge is.
"""

import asyncio

import pytest

from application.join import ResumePosition
from application.ports import RECENT, Appended, Delta
from application.post_message import PostedMessage
from domain.errors import StorageUnavailable
from domain.identity import MessageId
from domain.message import Author, Message, StatusChange, token_cost
from domain.status import Reason, Status
from domain.texts import Text, localized
from domain.transfer import TransferState
from tests.support.assistants import HANG, PAUSE, ScriptedSteps, transfer
from tests.support.clock import settle
from tests.support.faults import FaultyBusinesses, FaultyStore
from tests.support.harness import App, User, appended, harness


async def joined(app: App, business_id: str = "b1", user_id: str = "u1") -> User:
    """A client that has joined."""
    user = app.user(business_id, user_id)
    await user.join()
    return user


# Rule 1: acknowledged is stored.


async def test_what_could_not_be_stored_is_refused_and_shown_to_no_one() -> None:
    """Rule 1: what could not be stored is refused with an error and shown to no one."""
    store = FaultyStore()
    async with harness(store=store) as app:
        sender, other = await joined(app), await joined(app)
        heard = app.listen(sender.customer)
        store.fail("append")
        with pytest.raises(StorageUnavailable):
            await sender.say("Bună!")
        await app.quiet()

        assert await app.stored(sender.customer) == []
        assert appended(heard) == []
        assert other.log == []
        assert app.observer.outcomes == []


async def test_a_message_is_acknowledged_only_after_it_is_stored() -> None:
    """Rule 1: a message is acknowledged only after it is durable."""
    store = FaultyStore()
    async with harness(store=store) as app:
        sender, other = await joined(app), await joined(app)
        hold = store.hold("append")
        saying = asyncio.create_task(sender.say("Bună!"))
        await hold.reached.wait()
        await app.settle()
        acknowledged_early, shown_early = saying.done(), list(other.log)
        hold.release()
        posted = await saying

        assert not acknowledged_early
        assert shown_early == []
        assert other.seqs == [posted.seq]


async def test_a_message_that_was_refused_can_be_sent_again() -> None:
    """Rule 1: a refusal is no lasting damage, even where the store had in truth stored it."""
    store = FaultyStore()
    async with harness(store=store) as app:
        user = await joined(app)
        store.lose_answer("append")
        with pytest.raises(StorageUnavailable):
            await user.say("Bună!", "m1")
        again = await user.say("Bună!", "m1")
        other = await user.say("Mai sunteți?", "m2")

        assert (again.seq, again.duplicate) == (1, True)
        assert other.seq == 2


async def test_a_message_whose_store_response_was_lost_is_answered_once_it_is_sent_again() -> None:
    store = FaultyStore()
    async with harness(ScriptedSteps(["Da."]), store=store) as app:
        user = await joined(app)
        store.lose_answer("append")
        with pytest.raises(StorageUnavailable):
            await user.say("Bună!", "m1")
        await user.say("Bună!", "m1")
        await app.quiet()
        await user.say("Bună!", "m1")
        await app.quiet()

        assert user.words == ["Da."]
        assert app.observer.outcomes == ["answered"]


# Rule 2: nobody talks over a human.


async def test_no_word_of_the_ai_comes_after_a_takeover() -> None:
    """Rule 2: a takeover cancels a running turn, and its answer is closed and dropped."""
    assistant = ScriptedSteps(["Stați ", PAUSE, "puțin."])
    async with harness(assistant) as app:
        user = await joined(app)
        await user.say("Bună!")
        await app.quiet()
        heard = app.listen(user.customer)
        await app.coordinator().take_over(user)
        assistant.go()
        await app.quiet()

        assert [event for event in heard if isinstance(event, Delta)] == []
        assert await app.texts(user.customer, Author.AI) == []
        assert assistant.broken_off == 1
        assert app.observer.outcomes == ["cancelled"]


async def test_a_takeover_that_wins_at_the_store_drops_the_decided_answer() -> None:
    """Rule 2: the answer is stored by a write that requires the epoch the turn began with."""
    store = FaultyStore()
    async with harness(store=store) as app:
        user = await joined(app)
        await user.say("Bună!")
        hold = store.hold("append")  # the answer is decided, and on its way
        await app.quiet()
        await hold.reached.wait()
        elsewhere = app.another()
        await elsewhere.coordinator().take_over(user)
        hold.release()
        await app.settle()

        assert await app.texts(user.customer, Author.AI) == []
        assert (await app.head(user.customer)).status is Status.LIVE
        assert app.observer.outcomes == ["dropped"]


async def test_the_takeover_of_another_process_is_known_by_the_log_alone() -> None:
    """Rule 2: no use case may assume that the coordinator's call is in its own process."""
    assistant = ScriptedSteps([PAUSE, "Răspuns."])
    async with harness(assistant) as app:
        user = await joined(app)
        await user.say("Bună!")
        await app.quiet()
        elsewhere = app.another()
        await elsewhere.coordinator().speak(user, "Aici Ana.")
        assistant.go()
        await app.settle()

        assert await app.texts(user.customer, Author.AI) == []
        assert app.observer.outcomes == ["dropped"]


async def test_a_takeover_and_a_return_during_the_turn_still_drop_its_answer() -> None:
    """Rule 2: the epoch counts, not the status, which may be `ai` again."""
    assistant = ScriptedSteps([PAUSE, "Răspuns."])
    async with harness(assistant) as app:
        user = await joined(app)
        await user.say("Bună!")
        await app.quiet()
        ana = app.another().coordinator()
        await ana.take_over(user)
        await ana.give_back(user)
        assistant.go()
        await app.settle()

        assert await app.texts(user.customer, Author.AI) == []
        assert assistant.turns == 1


async def test_the_answer_of_a_closed_conversation_never_lands_in_the_next() -> None:
    """Rule 2: epochs of two sessions are equal numbers and different things."""
    assistant = ScriptedSteps([PAUSE, "Răspuns la vechi."], [HANG])
    async with harness(assistant) as app:
        user = await joined(app)
        await user.say("Ceva vechi")
        await app.quiet()
        elsewhere = app.another()
        await elsewhere.coordinator().close(user)
        await elsewhere.user().say("Ceva nou")
        assistant.go()
        await app.settle()

        assert await app.texts(user.customer, Author.AI) == []


@pytest.mark.parametrize("live", [False, True])
async def test_the_ai_is_silent_while_a_human_is_asked_for_or_there(live: bool) -> None:
    """Rule 2: while a session is `waiting` or `live` the AI does not answer; messages are kept."""
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = await joined(app)
        await user.ask_for_human()
        if live:
            await app.coordinator().take_over(user)
        posted = await user.say("Mai e cineva?")
        await app.clock.advance(60)

        assert posted.status == (Status.LIVE if live else Status.WAITING)
        assert await app.texts(user.customer, Author.USER) == ["Mai e cineva?"]
        assert assistant.turns == 0


async def test_a_users_request_for_a_human_cancels_the_running_turn() -> None:
    """Rule 2: if a transfer came first, the reply is dropped."""
    assistant = ScriptedSteps([PAUSE, "Răspuns."])
    async with harness(assistant) as app:
        user = await joined(app)
        await user.say("Bună!")
        await app.quiet()
        await user.ask_for_human()
        assistant.go()
        await app.quiet()

        assert await app.texts(user.customer, Author.AI) == []
        assert assistant.broken_off == 1


# Rule 3: the audience is per user.


@pytest.mark.parametrize("other", [("b1", "u2"), ("b2", "u1")])
async def test_two_customers_never_see_each_others_anything(other: tuple[str, str]) -> None:
    """Rule 3: two users on one topic never see each other's anything."""
    async with harness(ScriptedSteps(["Un ", "răspuns."])) as app:
        user, stranger = await joined(app), await joined(app, *other)
        await user.say("Secret")
        await app.clock.advance(5)
        await user.ask_for_human("Alt secret")
        await app.coordinator().speak(user, "Și al meu")
        rejoined = await stranger.rejoin()

        assert (stranger.received, stranger.deltas, stranger.typing) == ([], [], [])
        assert rejoined.session is None


async def test_one_messageid_of_two_customers_is_two_messages() -> None:
    """Rule 3: neither takes the other's acknowledgement for their own."""
    async with harness() as app:
        first = await (await joined(app)).say("Bună!", "m1")
        second = await (await joined(app, "b1", "u2")).say("Salut!", "m1")

        assert not second.duplicate
        assert second.session_id != first.session_id


# Rule 4: once.


async def test_a_message_sent_three_times_is_stored_and_answered_once() -> None:
    """Rule 4: a repeat returns the first answer, `duplicate`, and starts no turn."""
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = await joined(app)
        first, *repeats = [await user.say("Bună!", "m1") for _ in range(3)]
        await app.quiet()
        late = await user.say("Bună!", "m1")
        await app.quiet()

        assert (first.seq, first.duplicate) == (1, False)
        again = PostedMessage(MessageId("m1"), first.session_id, 1, Status.AI, duplicate=True)
        assert [*repeats, late] == [again] * 3
        assert await app.texts(user.customer, Author.USER) == ["Bună!"]
        assert assistant.turns == 1


async def test_three_copies_at_once_are_one_message() -> None:
    """Rule 4: also when they race."""
    assistant = ScriptedSteps()
    async with harness(assistant, FaultyStore(yields=3)) as app:
        user, other = await joined(app), app.another().user()
        posted = await asyncio.gather(
            user.say("Bună!", "m1"), user.say("Bună!", "m1"), other.say("Bună!", "m1")
        )
        await app.quiet()

        assert {(post.seq, post.session_id) for post in posted} == {(1, posted[0].session_id)}
        assert sorted(post.duplicate for post in posted) == [False, True, True]
        assert await app.texts(user.customer, Author.USER) == ["Bună!"]
        assert len(await app.texts(user.customer, Author.AI)) == 1


async def test_a_repeat_after_a_restart_or_on_another_worker_is_known() -> None:
    """Rule 4: also after a reconnect, a restart, and on another worker."""
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = await joined(app)
        first = await user.say("Bună!", "m1")
        await app.quiet()
        await app.die()
        repeat = await app.another().user().say("Bună!", "m1")
        await app.clock.advance(5)

        assert (repeat.seq, repeat.session_id, repeat.duplicate) == (1, first.session_id, True)
        assert assistant.turns == 1


async def test_a_repeat_after_the_conversation_was_closed_opens_no_new_one() -> None:
    """Rule 4: once, whatever has become of the session."""
    async with harness() as app:
        user = await joined(app)
        first = await user.say("Bună!", "m1")
        await app.quiet()
        await app.coordinator().close(user)
        repeat = await user.say("Bună!", "m1")

        assert (repeat.session_id, repeat.seq, repeat.duplicate) == (first.session_id, 1, True)
        assert (await app.head(user.customer)).status is Status.CLOSED


async def test_a_repeated_request_for_a_human_is_one_transfer() -> None:
    """Rule 4: a repeat of `transfer_to_live_chat` answers with the transfer there is."""
    async with harness() as app:
        user = await joined(app)
        first = await user.ask_for_human("Un om, vă rog", "m1")
        second = await user.ask_for_human("Un om, vă rog", "m1")
        elsewhere = await app.another().user().ask_for_human("Un om, vă rog", "m1")

        assert first == second == elsewhere
        assert await app.texts(user.customer, Author.USER) == ["Un om, vă rog"]


async def test_a_coordinators_repeat_is_one_message() -> None:
    """Rule 4: a coordinator's `messageId` too, and no user can use it up."""
    async with harness() as app:
        user = await joined(app)
        await user.say("Bună!", "m1")
        ana = app.coordinator()
        first = await ana.speak(user, "Aici Ana.", "m1")
        second = await ana.speak(user, "Aici Ana.", "m1")

        assert (first.duplicate, second.duplicate) == (False, True)
        assert second.seq == first.seq
        assert await app.texts(user.customer, Author.COORDINATOR) == ["Aici Ana."]


# Rule 5: nothing is missed (what becomes of bad hints is in test_follow).


async def test_a_join_with_a_place_brings_what_came_after_it() -> None:
    """Rule 5: a join with `lastSeq` replays what came after, in order, without duplicates."""
    async with harness() as app:
        user = await joined(app)
        await user.say("Unu")
        await app.quiet()
        user.leave()
        writer = await joined(app)
        await writer.say("Doi")
        await app.quiet()
        replayed = await user.rejoin()

        assert [entry.seq for entry in replayed.page.entries] == [3, 4]
        assert not replayed.page.more
        assert user.log[-2:] == (await app.stored(user.customer))[-2:]


async def test_what_comes_while_a_client_joins_is_told_once() -> None:
    """Rule 5: a join first subscribes, then replays."""
    store = FaultyStore()
    async with harness(store=store, turn_quiet_ms=0) as app:
        writer, user = await joined(app), app.user()
        await writer.say("Unu")
        await app.settle()
        hold = store.hold_answer("latest")
        joining = asyncio.create_task(user.begin_to_join(ResumePosition(0)))
        await hold.reached.wait()
        await writer.say("Doi")  # after the join has read the store, before it has its answer
        await app.settle()
        hold.release()
        reply = await joining
        await writer.say("Trei")  # after the join, before its reply has gone out
        await app.settle()
        user.start(reply)
        await app.settle()

        assert user.log == await app.stored(user.customer)


async def test_a_long_absence_is_replayed_in_pages_of_fifty() -> None:
    """Rule 5: pages of 50, `more: true`; what comes later follows the end, not the page."""
    async with harness() as app:
        user = await joined(app)
        await user.ask_for_human()
        for number in range(60):
            await app.coordinator().speak(user, f"Mesajul {number}")
        late = app.user()
        replayed = await late.join(ResumePosition(0))
        log = await app.stored(user.customer)
        await app.coordinator().speak(user, "Ultimul")

        assert list(replayed.page.entries) == log[:50]
        assert replayed.page.more
        assert [entry.seq for _, entry in late.received] == [len(log) + 1]


async def test_a_place_in_the_middle_of_a_long_log_is_replayed_from_there() -> None:
    """Rule 5: the pages begin after the client's place."""
    async with harness() as app:
        user = await joined(app)
        await user.ask_for_human()
        for number in range(100):
            await app.coordinator().speak(user, f"Mesajul {number}")
        head = await app.head(user.customer)
        far = await app.user().join(ResumePosition(40, head.session_id))
        near = await app.user().join(ResumePosition(head.seq - 45, head.session_id))

        assert ([entry.seq for entry in far.page.entries], far.page.more) == (
            list(range(41, 91)),
            True,
        )
        assert [entry.seq for entry in near.page.entries] == list(
            range(head.seq - 44, head.seq + 1)
        )
        assert not near.page.more


async def test_a_client_without_a_place_gets_the_newest_page() -> None:
    """Rule 5: a fresh client sees the newest 50, and whether there are older ones."""
    async with harness() as app:
        user = await joined(app)
        await user.ask_for_human()
        for number in range(70):
            await app.coordinator().speak(user, f"Mesajul {number}")
        fresh = await app.user().join()

        assert [entry.seq for entry in fresh.page.entries] == list(range(25, 75))
        assert fresh.page.more


@pytest.mark.parametrize("place", ["earlier session", "beyond the end"])
async def test_a_place_that_counts_elsewhere_replays_the_session_from_its_start(place: str) -> None:
    """Rule 5: a place in an earlier session, or beyond the end, has seen nothing of this one."""
    async with harness() as app:
        user = await joined(app)
        old = await user.say("Unu")
        await app.quiet()
        await app.coordinator().close(user)
        await user.say("Doi")
        await app.quiet()
        where = (
            ResumePosition(1, old.session_id) if place == "earlier session" else ResumePosition(99)
        )
        replayed = await app.user().join(where)

        assert list(replayed.page.entries) == await app.stored(user.customer)


# Rule 6: one turn at a time.


async def test_a_burst_is_answered_once() -> None:
    """Rule 6: a turn starts once the user has been quiet for TURN_QUIET_MS."""
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = await joined(app)
        for text in ("Unu", "Doi", "Trei", "Patru", "Cinci"):
            await user.say(text, text)
            await app.clock.advance(0.25)
        early = assistant.turns
        await app.clock.advance(0.05)
        reply = user.messages[-1]

        assert early == 0
        assert assistant.asked == [["Unu", "Doi", "Trei", "Patru", "Cinci"]]
        assert reply.in_reply_to == ("Unu", "Doi", "Trei", "Patru", "Cinci")


async def test_a_user_who_never_pauses_is_answered_after_three_seconds() -> None:
    """Rule 6: waits 3 s at most."""
    assistant = ScriptedSteps([HANG])
    async with harness(assistant) as app:
        user = await joined(app)
        for number in range(15):  # every 200 ms, until 2.8 s
            await user.say(f"Rândul {number}")
            await app.clock.advance(0.199)
            if number < 14:
                await app.clock.advance(0.001)
        early = assistant.turns
        await app.clock.advance(0.001)

        assert early == 0
        assert assistant.turns == 1


async def test_a_quiet_time_of_zero_starts_at_once() -> None:
    """Rule 6: 0 starts at once."""
    async with harness(turn_quiet_ms=0) as app:
        user = await joined(app)
        await user.say("Bună!")
        await app.settle()

        assert user.words == ["Răspuns."]


async def test_what_comes_during_a_turn_is_answered_together_by_the_next() -> None:
    """Rule 6: messages during a turn are acknowledged at once, and answered by the next turn."""
    assistant = ScriptedSteps([PAUSE, "Primul."], ["Al doilea."])
    async with harness(assistant) as app:
        user = await joined(app)
        await user.say("Unu", "m1")
        await app.quiet()
        posted = [await user.say("Doi", "m2"), await user.say("Trei", "m3")]
        await app.quiet()
        assistant.go()
        await app.quiet()
        answers = [message for message in user.messages if message.author is Author.AI]

        assert [post.seq for post in posted] == [2, 3]
        assert assistant.asked == [["Unu"], ["Doi", "Trei"]]
        assert [answer.in_reply_to for answer in answers] == [("m1",), ("m2", "m3")]
        assert assistant.most_at_once == 1


async def test_what_comes_while_a_turn_begins_is_answered_once() -> None:
    """Rule 6: what a turn shows the AI is what it answers, however slow its beginning is."""
    assistant, businesses = ScriptedSteps(), FaultyBusinesses()
    async with harness(assistant, businesses=businesses) as app:
        user = await joined(app)
        await user.say("Unu", "m1")
        businesses.hold = hold = FaultyStore().hold("any")
        await app.quiet()
        await hold.reached.wait()
        await user.say("Doi", "m2")
        businesses.hold = None
        hold.release()
        await app.settle()
        await app.quiet()

        assert assistant.asked == [["Unu"], ["Doi"]]
        assert [entry.text for entry in assistant.views[0].entries] == ["Unu"]


# Rule 7: acknowledged is answered.


async def test_a_turn_that_died_is_taken_up_at_the_next_join() -> None:
    """Rule 7: if the process dies mid-turn, the turn is taken up again at the user's next join."""
    async with harness(ScriptedSteps(["Înce", HANG])) as app:
        await (await joined(app)).say("Bună!", "m1")
        await app.quiet()
        await app.die()
        survivor = app.another(assistant=ScriptedSteps(["Iată."]))
        user = await joined(survivor)
        await survivor.quiet()

        assert user.words == ["Iată."]
        assert user.messages[-1].in_reply_to == ("m1",)


async def test_a_turn_that_died_is_taken_up_by_the_sweep() -> None:
    """Rule 7: … or by the sweep."""
    async with harness(ScriptedSteps([HANG]), turn_timeout_s=10) as app:
        user = await joined(app)
        await user.say("Bună!")
        await app.quiet()
        await app.die()
        survivor = app.another(assistant=ScriptedSteps(["Iată."]))
        await app.clock.advance(14)
        early = await survivor.sweep()
        await app.clock.advance(1)
        found = await survivor.sweep()
        await survivor.quiet()

        assert (early, found) == (0, 1)
        assert await app.texts(user.customer, Author.AI) == ["Iată."]


async def test_two_processes_that_take_up_one_turn_give_one_answer() -> None:
    """Rule 7: the user gets one answer, not two."""
    store = FaultyStore(yields=2)
    async with harness(ScriptedSteps([HANG]), store) as app:
        user = await joined(app)
        await user.say("Bună!")
        await app.quiet()
        await app.die()
        await app.clock.advance(70)
        one = app.another(assistant=ScriptedSteps(["Unu."]))
        two = app.another(assistant=ScriptedSteps(["Doi."]))
        await asyncio.gather(one.sweep(), two.sweep())
        await app.quiet()

        assert len(await app.texts(user.customer, Author.AI)) == 1
        assert sorted(one.observer.outcomes + two.observer.outcomes) == ["answered", "dropped"]


async def test_two_turns_that_saw_different_messages_answer_each_message_once() -> None:
    """Rule 7: also where a message came in between to the second process."""
    first, second = ScriptedSteps([PAUSE, "Unu."]), ScriptedSteps([PAUSE, "Doi."], ["Trei."])
    async with harness(first) as app:
        elsewhere = app.another(assistant=second)
        await app.user().say("Unu?", "m1")
        await app.quiet()
        user = await joined(elsewhere)
        await user.say("Doi?", "m2")
        await app.quiet()
        first.go()
        await app.settle()
        second.go()
        await app.quiet()
        answers = [message for message in user.messages if message.author is Author.AI]

        assert second.asked == [["Unu?", "Doi?"], ["Doi?"]]
        assert [answer.in_reply_to for answer in answers] == [("m1",), ("m2",)]


async def test_a_turn_whose_answer_could_not_be_stored_is_taken_up_again() -> None:
    """Rule 7: not by its deadline: the message is still pending, and the sweep finds it."""
    store = FaultyStore()
    async with harness(store=store) as app:
        user = await joined(app)
        await user.say("Bună!")
        store.fail("append", times=1_000)
        await app.quiet()
        await app.clock.advance(app.policy.turn_timeout_s)
        before = list(user.words)
        store.heal()
        await app.clock.advance(10)
        await app.sweep()
        await app.quiet()

        assert before == []
        assert user.words == ["Răspuns."]
        assert app.observer.outcomes == ["failed", "answered"]


# Rule 8: a client going away cancels nothing.


async def test_a_client_that_leaves_finds_its_answer_at_the_next_join() -> None:
    """Rule 8: the reply is stored and is there at the next join."""
    assistant = ScriptedSteps(["Un ", PAUSE, "răspuns."])
    async with harness(assistant) as app:
        user = await joined(app)
        await user.say("Bună!")
        await app.quiet()
        user.leave()
        assistant.go()
        await app.settle()
        told = list(user.received)
        await user.rejoin()

        assert told == []
        assert user.words == ["Un răspuns."]


# Rule 10: the words are true.


async def test_i_have_asked_is_said_when_it_is_stored() -> None:
    """Rule 10: "I have asked for a colleague" is stored with the request, or not at all."""
    store = FaultyStore()
    async with harness(store=store) as app:
        user = await joined(app)
        store.fail("append")
        with pytest.raises(StorageUnavailable):
            await user.ask_for_human()
        before = list(user.log)
        session = await user.ask_for_human()
        await app.settle()

        assert before == []
        assert [type(entry) for entry in user.log] == [StatusChange, Message]
        assert user.words == [localized("ro", Text.REQUESTED)]
        assert session.status is Status.WAITING


async def test_x_has_joined_is_said_when_x_has() -> None:
    """Rule 10: "X has joined" when X has, and of the one who has."""
    async with harness() as app:
        user = await joined(app, "b2")
        await user.ask_for_human()
        await app.coordinator("Ana").take_over(user)
        await app.coordinator("Dan").take_over(user)

        assert user.words[1:] == [localized("en", Text.JOINED, who=who) for who in ("Ana", "Dan")]


async def test_a_transfer_that_the_ai_promised_is_made() -> None:
    """Rule 10: if the AI's text promises a transfer that no tool made, the transfer is made."""
    async with harness(ScriptedSteps(["Vă transfer acum ", "la un coleg."])) as app:
        user = await joined(app)
        await user.say("Vreau un om")
        await app.quiet()
        session = await app.head(user.customer)

        assert session.status is Status.WAITING
        assert session.transfer is not None
        assert session.transfer.reason is Reason.AI_DECISION
        assert user.words == ["Vă transfer acum la un coleg."]


async def test_a_tool_and_a_promise_are_one_transfer_with_one_closing_message() -> None:
    """Rule 10: a transfer by the tool is not made again for the sentence that promises it."""
    script = ScriptedSteps([transfer(summary="vrea un om"), "Vă transfer la un coleg."])
    async with harness(script) as app:
        user = await joined(app)
        await user.say("Vreau un om")
        await app.quiet()
        log = await app.stored(user.customer)

        assert [type(entry) for entry in log] == [Message, Message, StatusChange]
        assert user.words == ["Vă transfer la un coleg."]
        assert user.messages[-1].actions == ({"type": "live_chat", "status": "waiting"},)
        assert (await app.head(user.customer)).handover_note == "vrea un om"


async def test_a_tool_without_words_gets_the_servers_own() -> None:
    """Rule 10: no hand-over is silent."""
    async with harness(ScriptedSteps([transfer()])) as app:
        user = await joined(app, "b2")
        await user.say("A human, please")
        await app.quiet()

        assert user.words == [localized("en", Text.REQUESTED)]


async def test_a_transfer_that_the_tool_was_told_of_survives_the_ais_failure() -> None:
    """Rule 10: the model has the tool's result; its later failure does not undo the transfer."""
    script = ScriptedSteps([transfer(), RuntimeError("the connection broke")])
    async with harness(script) as app:
        user = await joined(app)
        await user.say("Vreau un om")
        await app.quiet()

        assert (await app.head(user.customer)).status is Status.WAITING
        assert user.words == [localized("ro", Text.REQUESTED)]


# Rule 11: a human speaking is a takeover.


@pytest.mark.parametrize("before", [Status.AI, Status.WAITING, Status.LIVE])
async def test_a_human_speaking_is_a_takeover(before: Status) -> None:
    """Rule 11: whoever owned the conversation before."""
    async with harness() as app:
        user = await joined(app)
        await user.say("Bună!")
        await app.quiet()
        if before is not Status.AI:
            await user.ask_for_human()
        if before is Status.LIVE:
            await app.coordinator("dan").take_over(user)
        epoch = (await app.head(user.customer)).epoch
        spoken = await app.coordinator("ana").speak(user, "Aici Ana.")
        session = spoken.session

        assert (session.status, session.epoch) == (Status.LIVE, epoch + 1)
        assert session.transfer is not None
        assert session.transfer.coordinator_id == "ana"
        assert session.transfer.state is TransferState.ACCEPTED
        assert user.words[-2:] == [localized("ro", Text.JOINED, who="ana"), "Aici Ana."]


async def test_a_coordinator_who_has_the_conversation_just_speaks() -> None:
    """Rule 11: no second takeover by the same one, named or not."""
    async with harness() as app:
        user = await joined(app)
        await user.say("Bună!")
        ana, nobody = app.coordinator("ana"), app.coordinator(None)
        epochs = [
            (await ana.speak(user, "Aici Ana.")).session.epoch,
            (await ana.speak(user, "Cu ce vă ajut?")).session.epoch,
            (await nobody.speak(user, "Tot eu.")).session.epoch,
        ]

        assert epochs == [1, 1, 1]


# Rule 12: cost does not grow with the conversation.


async def test_a_turn_costs_the_same_after_ten_thousand_messages() -> None:
    """Rule 12: a turn reads a bounded window, never the whole history."""
    assistant, store = ScriptedSteps(), FaultyStore()
    async with harness(assistant, store, turn_quiet_ms=0) as app:
        user = app.user()
        for number in range(5_000):
            await user.say(f"Întrebarea {number}")
            await settle()
        warm = store.entries_read, store.calls["append"]
        cold = app.another()
        await cold.user().say("Ultima")
        await settle()

        assert len(await app.stored(user.customer)) == 10_002
        assert max(sum(map(token_cost, view.entries)) for view in assistant.views) <= 6_000
        assert warm == (0, 10_000)
        assert RECENT <= store.entries_read <= len(assistant.views[-1].entries)


async def test_the_windows_of_eight_thousand_characters_are_bounded_too() -> None:
    """Rule 12: the newest first, within a budget of characters."""
    assistant = ScriptedSteps()
    async with harness(assistant, turn_quiet_ms=0) as app:
        user = app.user()
        for _ in range(10):
            await user.say("x" * 8_000)
            await app.settle()
        view = assistant.views[-1]

        assert sum(len(entry.text) for entry in view.entries) <= 24_000
        assert view.entries[-1].seq == view.session.seq


async def test_every_entry_is_published_to_its_customer_alone() -> None:
    """Rules 3 and 5: every stored entry is pushed, and no other."""
    async with harness() as app:
        user = await joined(app)
        heard = app.listen(user.customer)
        strangers = app.listen(app.user("b1", "u2").customer)
        await user.say("Bună!")
        await app.quiet()
        await app.coordinator().speak(user, "Aici Ana.")
        await app.coordinator().close(user)

        assert appended(heard) == await app.stored(user.customer)
        assert not any(isinstance(event, Appended) for event in strangers)
