"""Transfers: a conversation changes hands, in any process, with true notices to all."""

import asyncio

import pytest

from application.transfers import PostedCoordinatorMessage
from domain.errors import (
    NotInLiveChat,
    Outdated,
    SessionClosed,
    StorageUnavailable,
    TransitionRefused,
    UnknownSession,
)
from domain.identity import CoordinatorId, MessageId, SessionId
from domain.message import Audience, Author, Message
from domain.session import Session
from domain.status import Reason, Status
from domain.texts import Text, localized
from domain.transfer import TransferState
from tests.support.assistants import ScriptedSteps
from tests.support.faults import FaultyBusinesses, FaultyStore
from tests.support.harness import App, User, harness


async def in_status(app: App, status: Status) -> User:
    """A client whose conversation has this status."""
    user = app.user()
    await user.join()
    await user.say("Bună!")
    await app.quiet()
    if status is Status.WAITING:
        await user.ask_for_human()
    elif status is Status.LIVE:
        await app.coordinator("ana").take_over(user)
    elif status is Status.CLOSED:
        await app.coordinator("ana").close(user)
    return user


async def test_a_request_is_a_transfer_with_a_time_to_live() -> None:
    async with harness(transfer_timeout_s=120) as app:
        user = app.user()
        session = await user.ask_for_human("Un om, vă rog")
        transfer = session.transfer

        assert transfer is not None
        assert (transfer.state, transfer.reason) == (
            TransferState.REQUESTED,
            Reason.USER_REQUEST,
        )
        assert transfer.expires_at is not None
        assert (transfer.expires_at - transfer.requested_at).total_seconds() == 120


async def test_asking_again_while_waiting_changes_nothing() -> None:
    async with harness() as app:
        user = await in_status(app, Status.WAITING)
        before = await app.head(user.customer)
        again = await user.ask_for_human()

        assert again == before


@pytest.mark.parametrize("status", [Status.WAITING, Status.LIVE])
async def test_what_is_said_with_a_repeated_request_is_stored(status: Status) -> None:
    async with harness() as app:
        user = await in_status(app, status)
        session = await user.ask_for_human("Chiar e urgent")

        assert session.status is status
        assert (await app.texts(user.customer, Author.USER))[-1] == "Chiar e urgent"


async def test_a_request_after_the_conversation_was_closed_opens_the_next() -> None:
    async with harness() as app:
        user = await in_status(app, Status.CLOSED)
        before = await app.session_id(user.customer)
        session = await user.ask_for_human()

        assert session.session_id != before
        assert session.status is Status.WAITING


@pytest.mark.parametrize(
    ("status", "reason", "state", "text"),
    [
        (Status.WAITING, Reason.CANCELLED, TransferState.CANCELLED, "cancelled"),
        (Status.LIVE, Reason.ENDED_BY_USER, TransferState.ENDED, "ended"),
    ],
)
async def test_the_user_gets_out_of_the_wait_and_of_the_live_chat(
    status: Status, reason: Reason, state: TransferState, text: str
) -> None:
    async with harness() as app:
        user = await in_status(app, status)
        session = await user.end_live_chat()
        again = await user.end_live_chat()

        assert (session.status, session.reason) == (Status.AI, reason)
        assert session.transfer is not None
        assert (session.transfer.state, session.transfer.ended) == (state, reason)
        assert user.words[-1] == localized("ro", Text(text))
        assert again == session


@pytest.mark.parametrize("status", [Status.AI, Status.CLOSED])
async def test_without_a_live_chat_there_is_none_to_end(status: Status) -> None:
    async with harness() as app:
        user = await in_status(app, status)
        with pytest.raises(NotInLiveChat):
            await user.end_live_chat()
        with pytest.raises(NotInLiveChat):
            await app.user("b1", "u2").end_live_chat()

        assert (await app.head(user.customer)).status is status


async def test_the_ai_goes_on_after_the_human_and_does_not_hand_off_by_itself() -> None:
    assistant = ScriptedSteps(["Cu plăcere."])
    async with harness(assistant) as app:
        user = await in_status(app, Status.LIVE)
        await user.say("Mersi, Ana")
        await app.coordinator().give_back(user)
        await app.quiet()
        silent = assistant.turns
        await user.say("Încă ceva")
        await app.quiet()

        assert silent == 1  # of the beginning: what was said to the human is the human's
        assert assistant.asked[-1] == ["Încă ceva"]
        assert user.words[-1] == "Cu plăcere."
        assert (await app.head(user.customer)).status is Status.AI


@pytest.mark.parametrize("to", [Status.LIVE, Status.AI, Status.CLOSED])
async def test_a_coordinators_repeat_is_a_no_op(to: Status) -> None:
    async with harness() as app:
        user = await in_status(app, Status.LIVE)
        session_id = await app.session_id(user.customer)
        ana = app.coordinator("ana")
        first = await ana.change(session_id, to)
        entries = len(await app.stored(user.customer))
        second = await ana.change(session_id, to)

        assert first == second
        assert len(await app.stored(user.customer)) == entries


@pytest.mark.parametrize(
    ("before", "to", "error"),
    [
        (Status.AI, Status.WAITING, TransitionRefused),
        (Status.WAITING, Status.AI, TransitionRefused),
        (Status.CLOSED, Status.AI, SessionClosed),
        (Status.CLOSED, Status.LIVE, SessionClosed),
        (Status.CLOSED, Status.WAITING, SessionClosed),
    ],
)
async def test_a_coordinator_is_refused_with_a_named_error(
    before: Status, to: Status, error: type[Exception]
) -> None:
    async with harness() as app:
        user = await in_status(app, before)
        log = await app.stored(user.customer)
        with pytest.raises(error):
            await app.coordinator().change(await app.session_id(user.customer), to)

        assert await app.stored(user.customer) == log


async def test_an_unknown_conversation_is_named_so() -> None:
    async with harness() as app:
        with pytest.raises(UnknownSession):
            await app.coordinator().change(SessionId("none"), Status.LIVE)


async def test_nobody_speaks_into_a_closed_conversation() -> None:
    async with harness() as app:
        user = await in_status(app, Status.CLOSED)
        with pytest.raises(SessionClosed):
            await app.coordinator().speak(user, "Mai sunteți?")

        assert await app.texts(user.customer, Author.COORDINATOR) == []


async def test_an_acceptance_after_the_user_has_gone_on_is_refused() -> None:
    async with harness() as app:
        user = await in_status(app, Status.WAITING)
        old = await app.session_id(user.customer)
        await app.coordinator().close(user)
        await user.say("Altceva")
        with pytest.raises(SessionClosed):
            await app.coordinator().change(old, Status.LIVE)
        with pytest.raises(SessionClosed):
            await app.transfers.post_coordinator_message(
                user.customer, "Bună!", None, session_id=old
            )
        closed = await app.coordinator().change(old, Status.CLOSED)

        assert (closed.session_id, closed.status) == (old, Status.CLOSED)
        assert (await app.head(user.customer)).status is Status.AI


async def test_closing_a_waiting_conversation_cancels_its_transfer() -> None:
    async with harness() as app:
        user = await in_status(app, Status.WAITING)
        session = await app.coordinator().close(user)

        assert session.transfer is not None
        assert session.transfer.state is TransferState.CANCELLED
        assert user.words[-1] == localized("ro", Text.CLOSED)


async def test_the_summary_of_who_gives_it_back_is_kept() -> None:
    async with harness() as app:
        user = await in_status(app, Status.LIVE)
        session_id = await app.session_id(user.customer)
        await app.coordinator().change(session_id, Status.AI, summary="a schimbat ora")
        later = await user.ask_for_human()

        assert later.handover_note == "a schimbat ora"


async def test_notices_are_in_the_businesss_language_or_in_romanian() -> None:
    async with harness() as app:
        harbour, unknown = app.user("b2", "u1"), app.user("b9", "u1")
        for user in (harbour, unknown):
            await user.join()
            await user.ask_for_human()

        assert harbour.words[0] == localized("en", Text.REQUESTED)
        assert unknown.words[0] == localized("ro", Text.REQUESTED)


async def test_a_hand_over_does_not_wait_for_the_businesss_facts() -> None:
    businesses = FaultyBusinesses(StorageUnavailable())
    async with harness(businesses=businesses) as app:
        session = await app.user("b2", "u1").ask_for_human()

        assert session.status is Status.WAITING


# Nothing is decided from a memory that is behind the store.


async def test_a_cancel_reaches_a_transfer_of_another_process() -> None:
    async with harness() as app:
        user = await in_status(app, Status.AI)
        await app.another().user().ask_for_human()
        session = await user.end_live_chat()

        assert (session.status, session.reason) == (Status.AI, Reason.CANCELLED)


async def test_a_return_reaches_a_takeover_of_another_process() -> None:
    async with harness() as app:
        user = await in_status(app, Status.AI)
        await app.another().coordinator("dan").take_over(user)
        session = await app.coordinator().give_back(user)

        assert (session.status, session.reason) == (Status.AI, Reason.RETURNED)


async def test_a_request_reaches_a_conversation_that_another_process_returned() -> None:
    async with harness() as app:
        user = await in_status(app, Status.WAITING)
        await app.another().user().end_live_chat()
        session = await user.ask_for_human()

        assert session.status is Status.WAITING
        assert session.epoch == 3


async def test_a_coordinator_speaks_into_a_session_that_another_process_opened() -> None:
    async with harness() as app:
        user = await in_status(app, Status.CLOSED)
        await app.another().user().say("Sunt iar aici")
        spoken = await app.coordinator().speak(user, "Bine ați revenit!")

        assert spoken.session.status is Status.LIVE


async def test_a_coordinators_repeat_is_known_also_once_the_conversation_is_closed() -> None:
    async with harness() as app:
        user = await in_status(app, Status.LIVE)
        ana = app.coordinator("ana")
        first = await ana.speak(user, "La revedere!", "m1")
        await ana.close(user)
        again = await ana.speak(user, "La revedere!", "m1")

        assert (again.seq, again.duplicate) == (first.seq, True)
        with pytest.raises(SessionClosed):
            await ana.speak(user, "Încă ceva", "m2")


@pytest.mark.parametrize("by_session", [True, False])
async def test_a_late_answer_after_an_idle_close_reaches_the_user_in_a_session_that_it_opens(
    by_session: bool,
) -> None:
    async with harness(session_idle_s=100) as app:
        user = await in_status(app, Status.LIVE)
        closed = await app.session_id(user.customer)
        await app.clock.advance(100)
        await app.sweep()
        addressed = closed if by_session else None

        async def answer(text: str, message_id: str) -> PostedCoordinatorMessage:
            return await app.transfers.post_coordinator_message(
                user.customer, text, CoordinatorId("ana"), MessageId(message_id), addressed
            )

        late = await answer("Da, avem.", "m1")
        again = await answer("Da, avem.", "m1")
        head = await app.head(user.customer)

        assert (late.duplicate, again.duplicate, again.seq) == (False, True, late.seq)
        assert head.session_id == late.session.session_id == again.session.session_id != closed
        assert head.status is Status.LIVE
        assert await app.texts(user.customer, Author.COORDINATOR) == ["Da, avem."]


async def test_an_old_return_does_not_end_another_coordinators_chat() -> None:
    async with harness() as app:
        user = await in_status(app, Status.LIVE)
        decided_at, session_id = app.clock.now(), await app.session_id(user.customer)
        await app.clock.advance(11)
        await app.coordinator("dan").take_over(user)
        before = await app.head(user.customer)
        with pytest.raises(Outdated):
            await app.transfers.change(
                session_id, Status.AI, CoordinatorId("ana"), decided_at=decided_at
            )

        assert await app.head(user.customer) == before


async def test_an_old_message_is_shown_and_takes_nothing_also_from_another_process() -> None:
    async with harness() as app:
        user = await in_status(app, Status.LIVE)
        written_at = app.clock.now()
        await app.clock.advance(11)
        await app.another().coordinator("dan").take_over(user)
        posted = await app.transfers.post_coordinator_message(
            user.customer, "Sunt Ana.", CoordinatorId("ana"), written_at=written_at
        )
        head = await app.head(user.customer)

        assert posted.outdated
        assert await app.texts(user.customer, Author.COORDINATOR) == ["Sunt Ana."]
        assert head.transfer is not None
        assert (head.status, head.transfer.coordinator_id) == (Status.LIVE, "dan")


async def test_a_replayed_message_does_not_accept_a_request_that_came_after_it() -> None:
    async with harness() as app:
        user = await in_status(app, Status.WAITING)
        written_at = app.clock.now()
        await app.clock.advance(11)
        elsewhere = app.another().user()
        await elsewhere.end_live_chat()
        await elsewhere.ask_for_human()
        await app.transfers.post_coordinator_message(
            user.customer, "Sunt Ana.", CoordinatorId("ana"), written_at=written_at, replayed=True
        )

        assert (await app.head(user.customer)).status is Status.WAITING
        assert await app.texts(user.customer, Author.COORDINATOR) == ["Sunt Ana."]


async def test_nobody_speaks_to_a_user_who_never_wrote() -> None:
    async with harness() as app:
        with pytest.raises(UnknownSession):
            await app.coordinator("ana").speak(app.user("b1", "stranger"), "Bună!")


async def test_two_coordinators_at_once_are_a_takeover_and_its_successor() -> None:
    async with harness(store=FaultyStore(yields=2)) as app:
        user = await in_status(app, Status.WAITING)
        sessions = await asyncio.gather(
            app.coordinator("ana").take_over(user),
            app.another().coordinator("dan").take_over(user),
        )
        head = await app.head(user.customer)

        assert sorted(session.epoch for session in sessions) == [2, 3]
        assert head.reason is Reason.TAKEOVER
        assert head.epoch == 3


async def test_back_to_the_queue_is_a_new_request_and_the_user_is_told() -> None:
    async with harness(transfer_timeout_s=120) as app:
        user = await in_status(app, Status.WAITING)
        ana = app.coordinator("ana")
        first = (await ana.take_over(user)).transfer
        session_id = await app.session_id(user.customer)
        session = await ana.change(session_id, Status.WAITING)
        again = await ana.change(session_id, Status.WAITING)
        transfer = session.transfer

        assert again == session
        assert first is not None
        assert transfer is not None
        assert transfer.transfer_id != first.transfer_id
        assert transfer.expires_at is not None
        assert (transfer.expires_at - transfer.requested_at).total_seconds() == 120
        assert (session.reason, transfer.reason) == (Reason.REQUEUED, Reason.USER_REQUEST)
        told = await app.texts(user.customer, Author.SYSTEM)
        assert told[-1] == localized("ro", Text.REQUEUED, who="ana")


async def test_a_coordinator_who_has_gone_is_named_to_the_user() -> None:
    async with harness() as app:
        user = await in_status(app, Status.LIVE)
        session_id = await app.session_id(user.customer)
        session = await app.transfers.change(
            session_id, Status.WAITING, CoordinatorId("ana"), is_away=True
        )

        assert session.reason is Reason.COORDINATOR_AWAY
        told = await app.texts(user.customer, Author.SYSTEM)
        assert told[-1] == localized("ro", Text.COORDINATOR_AWAY, who="ana")


async def test_a_conversation_that_another_coordinator_has_by_now_is_not_taken_from_them() -> None:
    async with harness() as app:
        user = await in_status(app, Status.LIVE)
        session_id = await app.session_id(user.customer)
        await app.coordinator("dan").take_over(user)
        log = await app.stored(user.customer)
        with pytest.raises(Outdated):
            await app.coordinator("ana").change(session_id, Status.WAITING)

        assert await app.stored(user.customer) == log


@pytest.mark.parametrize("is_answered", [True, False])
async def test_what_a_coordinator_left_unanswered_is_the_ais_if_no_other_comes(
    is_answered: bool,
) -> None:
    async with harness(transfer_timeout_s=120) as app:
        user = await in_status(app, Status.LIVE)
        await user.say("Mai sunteți?")
        if is_answered:
            await app.coordinator("ana").speak(user, "Da, sunt aici.")
        answers = len(await app.texts(user.customer, Author.AI))
        await app.coordinator("ana").change(await app.session_id(user.customer), Status.WAITING)
        await app.clock.advance(121)
        await app.transfers.expire(await app.head(user.customer))
        await app.quiet()

        assert len(await app.texts(user.customer, Author.AI)) == answers + (not is_answered)


@pytest.mark.parametrize("coordinators", [("ana",), ("ana", "dan")])
async def test_what_was_written_in_the_queue_stays_unanswered_though_coordinators_took_it(
    coordinators: tuple[str, ...],
) -> None:
    async with harness(transfer_timeout_s=120) as app:
        user = await in_status(app, Status.WAITING)
        await user.say("Aveți loc diseară?")
        answers = len(await app.texts(user.customer, Author.AI))
        for name in coordinators:
            await app.coordinator(name).take_over(user)
        session_id = await app.session_id(user.customer)
        await app.coordinator(coordinators[-1]).change(session_id, Status.WAITING)
        await app.clock.advance(121)
        await app.transfers.expire(await app.head(user.customer))
        await app.quiet()

        assert len(await app.texts(user.customer, Author.AI)) == answers + 1


async def test_a_live_chat_that_the_user_has_ended_does_not_go_back_to_the_queue() -> None:
    async with harness() as app:
        user = await in_status(app, Status.LIVE)
        session_id = await app.session_id(user.customer)
        await user.end_live_chat()
        log = await app.stored(user.customer)
        with pytest.raises(TransitionRefused):
            await app.coordinator("ana").change(session_id, Status.WAITING)

        assert await app.stored(user.customer) == log


async def test_of_a_claim_and_a_return_to_the_queue_at_once_the_colleagues_stays() -> None:
    async with harness() as app:
        user = await in_status(app, Status.LIVE)
        session_id = await app.session_id(user.customer)
        claimed, given = await asyncio.gather(
            app.coordinator("dan").take_over(user),
            app.coordinator("ana").change(session_id, Status.WAITING),
            return_exceptions=True,
        )
        head = await app.head(user.customer)

        assert not isinstance(claimed, BaseException)
        assert isinstance(given, (Session, Outdated))
        assert (head.status, head.transfer and head.transfer.coordinator_id) == (Status.LIVE, "dan")


async def test_a_whisper_is_the_ais_alone_and_stored_once() -> None:
    async with harness() as app:
        user = await in_status(app, Status.AI)
        session_id = await app.session_id(user.customer)
        before = await app.head(user.customer)
        ana, the_id = CoordinatorId("ana"), MessageId("w1")
        first = await app.transfers.whisper(session_id, "Oferă 10 %.", ana, the_id)
        again = await app.transfers.whisper(session_id, "Oferă 10 %.", ana, the_id)
        await app.quiet()

        assert (first.duplicate, again.duplicate, again.seq) == (False, True, first.seq)
        after = await app.head(user.customer)
        assert (after.status, after.epoch, after.needs_answer) == (
            before.status,
            before.epoch,
            False,
        )
        assert after.customer_seq == before.customer_seq
        assert "Oferă 10 %." not in user.words
        stored = (await app.stored(user.customer))[-1]
        assert isinstance(stored, Message)
        assert (stored.audience, stored.coordinator_id) == (Audience.MODEL, "ana")


async def test_a_whisper_and_a_message_of_one_id_are_two() -> None:
    async with harness() as app:
        user = await in_status(app, Status.LIVE)
        session_id = await app.session_id(user.customer)
        ana, the_id = CoordinatorId("ana"), MessageId("one")
        whispered = await app.transfers.whisper(session_id, "Oferă 10 %.", ana, the_id)
        said = await app.transfers.post_coordinator_message(
            user.customer, "Vă oferim 10 %.", ana, the_id, session_id
        )
        await app.quiet()

        assert (whispered.duplicate, said.duplicate) == (False, False)
        assert "Vă oferim 10 %." in user.words
        assert "Oferă 10 %." not in user.words


async def test_nobody_whispers_into_a_closed_conversation_but_a_repeat_is_known() -> None:
    async with harness() as app:
        user = await in_status(app, Status.AI)
        session_id = await app.session_id(user.customer)
        ana, the_id = CoordinatorId("ana"), MessageId("w1")
        first = await app.transfers.whisper(session_id, "Oferă 10 %.", ana, the_id)
        await app.coordinator("ana").close(user)
        again = await app.transfers.whisper(session_id, "Oferă 10 %.", ana, the_id)
        with pytest.raises(SessionClosed):
            await app.transfers.whisper(session_id, "Oferă 20 %.", ana, MessageId("w2"))

        assert (again.duplicate, again.seq) == (True, first.seq)
