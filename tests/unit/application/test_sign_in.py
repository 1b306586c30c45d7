"""A visitor signs in: what is taken along, once, and what has to be over before."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from adapters.memory.businesses import MemoryBusinesses
from domain.errors import StorageUnavailable, VisitorBusy
from domain.identity import MessageId, SessionId, UserId, visitor_id
from domain.message import Audience, Author, Message
from domain.notice import StatusChanged
from domain.outbox import outbox_messages
from domain.rating import Stars
from domain.session import Draft
from domain.status import Reason, Status
from domain.tool import Confirmer
from domain.visit import LAST_SAID, MAX_SAID, close_visit, take_along
from domain.write_call import WriteState, WriteStep
from domain.write_decisions import append_step
from tests.support.assistants import PAUSE, ScriptedSteps, call
from tests.support.business_tools import MemoryTools, booking_tool, with_tools
from tests.support.faults import FaultyStore
from tests.support.harness import App, User, harness
from tests.unit.domain.makers import at, decision_context, new_session

VISITOR = visitor_id("0" * 32)


def pair(app: App) -> tuple[User, User]:
    """Return a client of a visitor, and one of the user that they are."""
    return app.user(user_id=VISITOR), app.user(user_id="ana")


async def ask(app: App, user: User, text: str = "Aveți o masă liberă?") -> None:
    """Say something, and let the AI answer."""
    await user.say(text)
    await app.quiet()
    await app.settle()


async def sign_in(app: App, visitor: User, user: User) -> SessionId | None:
    return await app.sign_in(visitor.customer, user.customer)


async def taken_along(app: App, user: User) -> list[Message]:
    """Return the entries of the user's newest session that only the AI may see."""
    entries = await app.stored(user.customer)
    return [e for e in entries if isinstance(e, Message) and e.audience is Audience.MODEL]


async def test_the_visit_ends_and_the_users_session_begins_with_what_was_said_in_it() -> None:
    assistant = ScriptedSteps(["Da, la ora 19."], ["Cu plăcere."])
    async with harness(assistant) as app:
        visitor, user = pair(app)
        await visitor.join()
        await user.join()
        await ask(app, visitor)

        session_id = await sign_in(app, visitor, user)

        assert session_id == await app.session_id(user.customer) != visitor.session_id
        assert visitor.changes[-1].reason is Reason.SIGNED_IN
        assert (await app.head(visitor.customer)).status is Status.CLOSED
        assert user.received == []  # only the AI sees it
        (entry,) = await taken_along(app, user)
        told = msgspec.json.decode(entry.text)
        assert [(each["by"], each["text"]) for each in told["messages"]] == [
            ("user", "Aveți o masă liberă?"),
            ("ai", "Da, la ora 19."),
        ]
        await ask(app, user, "O iau")
        assert entry in assistant.views[-1].entries
        assert user.words == ["Cu plăcere."]
        assert await app.session_id(user.customer) == session_id


async def test_an_open_session_of_the_user_goes_on_with_it() -> None:
    async with harness() as app:
        visitor, user = pair(app)
        await user.join()
        await ask(app, user, "Bună!")
        before = await app.head(user.customer)
        await ask(app, visitor)

        assert await sign_in(app, visitor, user) == before.session_id

        after = await app.head(user.customer)
        assert (after.seq, after.customer_seq) == (before.seq + 1, before.seq)
        assert (after.updated_at, after.settled_seq) == (before.updated_at, before.settled_seq)
        assert len(await taken_along(app, user)) == 1


async def test_of_a_long_visit_the_summary_and_the_last_messages_are_taken_along() -> None:
    async with harness(ScriptedSteps(["x" * 2_000]), view_tokens=500) as app:
        visitor, user = pair(app)
        for number in range(12):
            await ask(app, visitor, f"Întrebarea {number}")

        await sign_in(app, visitor, user)

        (entry,) = await taken_along(app, user)
        told = msgspec.json.decode(entry.text)
        assert told["summary"] == "Rezumat."
        assert len(told["messages"]) == LAST_SAID
        assert told["messages"][-2]["text"] == "Întrebarea 11"
        assert max(len(each["text"]) for each in told["messages"]) == MAX_SAID


async def test_the_users_session_is_in_the_visitors_language_and_place_if_it_is_new() -> None:
    async with harness() as app:
        visitor, user = pair(app)
        await app.post(visitor.customer, None, "Hi", named_language="en")
        await app.quiet()

        await sign_in(app, visitor, user)

        assert (await app.head(user.customer)).language == "en"


async def test_a_session_that_the_user_has_not_written_in_waits_and_is_not_closed_as_idle() -> None:
    async with harness() as app:
        visitor, user = pair(app)
        await user.join()
        await ask(app, visitor)
        session_id = await sign_in(app, visitor, user)

        await app.clock.advance(2 * app.policy.session_idle_s)
        await app.sweep()
        head = await app.head(user.customer)
        assert (await app.transfers.expire(head), head.due_at(app.policy.timing)) == (head, None)
        await ask(app, user, "Bună!")

        assert (await app.session_id(user.customer), user.changes) == (session_id, [])
        assert head.status is Status.AI


# Once.


async def test_a_repeat_changes_nothing_and_gets_the_same_session() -> None:
    async with harness() as app:
        visitor, user = pair(app)
        await ask(app, visitor)
        first = await sign_in(app, visitor, user)
        heads = await app.head(visitor.customer), await app.head(user.customer)

        assert await sign_in(app, visitor, user) == first

        assert (await app.head(visitor.customer), await app.head(user.customer)) == heads


async def test_two_tabs_that_sign_in_at_once_take_it_along_once() -> None:
    async with harness(store=FaultyStore(yields=2)) as app:
        visitor, user = pair(app)
        await ask(app, visitor)
        other = app.another()

        found = await asyncio.gather(
            *(each.sign_in(visitor.customer, user.customer) for each in (app, other, app, other))
        )

        assert set(found) == {await app.session_id(user.customer)}
        assert len(await taken_along(app, user)) == 1
        changes = [e for e in await app.stored(visitor.customer) if not isinstance(e, Message)]
        assert [change.reason for change in changes] == [Reason.SIGNED_IN]


@pytest.mark.parametrize("fault", ["fail", "lose_answer"])
async def test_a_sign_in_that_was_cut_short_is_completed_by_the_next(fault: str) -> None:
    store = FaultyStore()
    async with harness(store=store) as app:
        visitor, user = pair(app)
        await ask(app, visitor)
        held = store.hold_answer("append")
        cut_short = asyncio.create_task(sign_in(app, visitor, user))
        await held.reached.wait()  # the visit is closed
        getattr(store, fault)("append")
        held.release()
        with pytest.raises(StorageUnavailable):
            await cut_short

        session_id = await app.another().sign_in(visitor.customer, user.customer)

        assert session_id == await app.session_id(user.customer)
        assert len(await taken_along(app, user)) == 1


async def test_it_is_taken_along_by_one_user_alone() -> None:
    async with harness() as app:
        visitor, user = pair(app)
        await ask(app, visitor)
        await sign_in(app, visitor, user)
        other = app.user(user_id="dan")

        assert await sign_in(app, visitor, other) is None
        assert await app.stored(other.customer) == []


async def test_after_two_days_when_no_key_is_known_nothing_is_taken_along_again() -> None:
    async with harness() as app:
        visitor, user = pair(app)
        await ask(app, visitor)
        await sign_in(app, visitor, user)
        await app.clock.advance(timedelta(days=2).total_seconds() + 1)

        assert await sign_in(app, visitor, user) is None
        assert len(await taken_along(app, user)) == 1


async def test_a_visitor_who_has_said_nothing_has_nothing_to_take_along() -> None:
    async with harness() as app:
        visitor, user = pair(app)

        assert await sign_in(app, visitor, user) is None
        assert await app.stored(user.customer) == []


async def test_what_the_visitor_says_in_another_tab_afterwards_is_another_visit() -> None:
    async with harness() as app:
        visitor, user = pair(app)
        await ask(app, visitor)
        first = await sign_in(app, visitor, user)
        await ask(app, visitor, "Încă ceva")

        assert await sign_in(app, visitor, user) == first
        one, other = await taken_along(app, user)
        assert "Încă ceva" not in one.text
        assert "Încă ceva" in other.text


async def test_a_visit_that_was_closed_before_is_over() -> None:
    async with harness() as app:
        visitor, user = pair(app)
        await ask(app, visitor)
        await app.coordinator().close(visitor)

        assert await sign_in(app, visitor, user) is None


async def test_a_rating_after_the_visit_keeps_nothing_from_being_completed() -> None:
    async with harness() as app:
        visitor, user = pair(app)
        await ask(app, visitor)
        first = await sign_in(app, visitor, user)
        await app.rate(visitor.customer, Stars(5))

        assert await sign_in(app, visitor, user) == first


# What has to be over before.


async def test_not_while_the_ai_answers() -> None:
    assistant = ScriptedSteps([PAUSE, "Da."])
    async with harness(assistant) as app:
        visitor, user = pair(app)
        await ask(app, visitor)
        with pytest.raises(VisitorBusy):
            await sign_in(app, visitor, user)

        assistant.go()
        await app.settle()

        assert await sign_in(app, visitor, user) is not None
        assert await app.texts(visitor.customer, Author.AI) == ["Da."]


async def _ask_for_human(app: App, visitor: User) -> None:
    await visitor.ask_for_human()


async def _take_over(app: App, visitor: User) -> None:
    await app.coordinator().take_over(visitor)


@pytest.mark.parametrize("begin", [_ask_for_human, _take_over])
async def test_not_while_a_human_is_asked_for_or_there(
    begin: Callable[[App, User], Awaitable[None]],
) -> None:
    async with harness() as app:
        visitor, user = pair(app)
        await ask(app, visitor)
        await begin(app, visitor)
        before = await app.head(visitor.customer)

        with pytest.raises(VisitorBusy):
            await sign_in(app, visitor, user)

        assert await app.head(visitor.customer) == before
        assert await app.stored(user.customer) == []


async def test_an_open_question_is_withdrawn_as_it_is_about_the_visitor() -> None:
    tools = MemoryTools(booking_tool(confirm=Confirmer.CUSTOMER))
    script = ScriptedSteps([call("reserve_table", date="2026-12-01", guests=4)])
    businesses = MemoryBusinesses((with_tools(),))
    async with harness(script, businesses=businesses, tools=tools) as app:
        visitor, user = pair(app)
        await ask(app, visitor)
        assert (await app.head(visitor.customer)).question is not None

        await sign_in(app, visitor, user)

        log = await app.stored(visitor.customer)
        steps = [e.write.state for e in log if isinstance(e, Message) and e.write is not None]
        assert steps == [WriteState.PROPOSED, WriteState.WITHDRAWN]
        assert tools.requests == []


@pytest.mark.parametrize("state", [WriteState.STARTED, WriteState.DONE, WriteState.UNKNOWN])
def test_not_while_what_came_of_a_deed_has_to_be_said(state: WriteState) -> None:
    draft = Draft(new_session())
    step = WriteStep(call_id="s1-1", state=WriteState.STARTED, tool="t", what="x")
    for each in dict.fromkeys((WriteState.STARTED, state)):
        message_id = MessageId(f"{each}")
        append_step(draft, replace(step, state=each), message_id, decision_context())

    with pytest.raises(VisitorBusy):
        close_visit(draft.session, UserId("ana"), decision_context(1))


def test_the_bridge_is_notified_of_the_end_of_the_visit_and_of_nothing_else() -> None:
    before = new_session()
    visit = close_visit(before, UserId("ana"), decision_context())
    assert visit is not None
    taken = take_along(None, new_session, visit.session, "{}", MessageId("m1"), at())

    notices = outbox_messages(before, (), visit, lambda: "n1")

    assert [type(notice.content) for notice in notices] == [StatusChanged]
    assert outbox_messages(None, (), taken, lambda: "n2") == []
