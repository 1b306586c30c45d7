"""The contract of every store: the docstrings of SessionStore, Archive and Outbox."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec.structs import replace

from application.ports import RECENT, Backlog, Erased, Loaded, Store
from domain.errors import DuplicateMessage, InvalidPayload, SeqTaken
from domain.identity import (
    IDEMPOTENCY_WINDOW,
    BusinessId,
    CoordinatorId,
    Customer,
    MessageId,
    SessionId,
    TransferId,
    UserId,
)
from domain.message import AnswerVersion, Audience, Author, Message, ToolOutcome, ToolUse
from domain.notice import (
    Deferred,
    Delivered,
    Lane,
    Notice,
    Outcome,
    QuestionAsked,
    Undeliverable,
)
from domain.promise import Verdict
from domain.session import Draft, Session
from domain.status import Reason, Status
from domain.write_call import WriteState, WriteStep
from tests.contract.stores import (
    ANA,
    DAN,
    NOON,
    STORES,
    StoreCase,
    asks_for_human,
    closes,
    conversation,
    every_durable_store,
    new_session,
    params,
    stored,
    user_says,
    with_notices,
)
from tests.support.drafts import append_message
from tests.support.notices import SAMPLES

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PEOPLE, REPORTS = Lane


@pytest_asyncio.fixture(params=params(STORES))
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Open each store in turn, empty."""
    case: StoreCase = request.param
    async with case.open(tmp_path) as opened:
        yield opened


async def load(store: Store, session_id: str) -> Loaded:
    """Load a session, which must exist."""
    loaded = await store.load(SessionId(session_id))
    assert loaded is not None
    return loaded


def seqs(loaded: Loaded) -> list[int]:
    return [entry.seq for entry in loaded.recent]


# The log


async def test_a_customers_language_is_read_back_and_kept_by_later_entries(store: Store) -> None:
    draft = Draft(new_session())
    draft.append_message(
        Message(
            seq=1,
            message_id=MessageId("m-1"),
            author=Author.USER,
            text="Guten Tag",
            at=NOON,
            language="de-AT",
        )
    )
    await store.append(draft, None)
    for _ in range(20):
        later = user_says((await load(store, draft.session.session_id)).session)
        await store.append(later, None)
    loaded = await load(store, draft.session.session_id)
    (first,) = await store.page(draft.session.session_id, before=2, limit=1)

    assert loaded.session == later.session
    assert loaded.session.language == "de-AT"
    assert first == draft.entries[0]
    assert {entry.language for entry in loaded.recent if isinstance(entry, Message)} == {None}


async def test_the_verdict_on_an_answer_and_its_version_are_read_back(store: Store) -> None:
    draft = user_says(new_session())
    await store.append(draft, None)
    answered = Draft((await load(store, draft.session.session_id)).session)
    answered.append_message(
        Message(
            seq=answered.next_seq,
            message_id=MessageId("r-1"),
            author=Author.AI,
            text="Ți-am anulat comanda.",
            at=NOON,
            settles_seq=1,
            verdict=Verdict.BOTH,
            version=AnswerVersion(prompt="0123456789abcdef", tools="fedcba9876543210"),
        )
    )
    await store.append(answered, None)
    (answer,) = await store.page(draft.session.session_id, after=1, limit=1)

    assert answer == answered.entries[0]


async def test_an_answer_keeps_its_sources_and_what_was_searched_for_it(store: Store) -> None:
    draft = await stored(store, user_says(new_session()))
    searches = [
        ToolUse(name="search_knowledge", outcome=ToolOutcome.NOTHING, query="țuică"),
        ToolUse(name="get_business", outcome=ToolOutcome.FOUND),
    ]
    source = {"title": "Meniu › Supe", "location": "menu.md#supe"}
    answered = Draft(draft)
    append_message(
        answered,
        Author.AI,
        MessageId("m-9"),
        "Nu știu.",
        NOON,
        settles_seq=1,
        tools=tuple(searches),
        actions=({"type": "sources", "items": [source]},),
    )
    await store.append(answered, None)
    (answer,) = await store.page(draft.session_id, after=1, limit=1)

    assert answer == answered.entries[0]


async def test_appended_entries_are_read_back(store: Store) -> None:
    draft = Draft(new_session(customer=Customer(BusinessId("b:1"), UserId("a@b.ro"))), key="k")
    append_message(
        draft,
        Author.USER,
        MessageId("m-1"),
        'Bună! "Țuică" \\ \n 🍷 \u2028 \x00',
        NOON + timedelta(milliseconds=456),
        actions=({"type": "reservations", "items": [{"guests": 4, "at": None, "ok": True}]},),
        in_reply_to=(MessageId("a"), MessageId("b")),
        settles_seq=0,
        coordinator_id=CoordinatorId("c1"),
    )
    append_message(
        draft, Author.SYSTEM, MessageId("m-2"), "Îmi pare rău", NOON, settles_seq=1, failed=True
    )
    await store.append(draft, None)

    assert await load(store, "s1") == Loaded(draft.session, tuple(draft.entries))


async def test_a_status_change_keeps_its_transfer_and_summary(store: Store) -> None:
    draft = asks_for_human(await stored(store, user_says(new_session())))
    session = await stored(store, draft)
    taken = Draft(session)
    taken.change_status(
        Status.LIVE, Reason.ACCEPTED, NOON + HOUR, coordinator_id=CoordinatorId("maria")
    )
    await store.append(taken, None)

    loaded = await load(store, "s1")
    assert loaded.session == taken.session
    assert loaded.recent[1:] == (*draft.entries, *taken.entries)


async def test_a_session_may_begin_with_what_the_customer_does_not_see(store: Store) -> None:
    draft = Draft(new_session(), key="v:s0")
    append_message(draft, Author.SYSTEM, MessageId("m1"), "{}", NOON, audience=Audience.MODEL)
    session = await stored(store, draft)
    said = await stored(store, user_says(session))

    loaded = await load(store, "s1")
    assert loaded.session == said
    assert (session.customer_seq, said.customer_seq) == (0, 2)
    assert [(entry.seq, entry.prev_seq) for entry in loaded.recent] == [(1, 0), (2, 0)]
    with pytest.raises(DuplicateMessage):
        await store.append(user_says(said, key="v:s0"), None)


async def test_an_entry_keeps_its_audience_and_its_place_among_what_a_customer_sees(
    store: Store,
) -> None:
    session = said = await stored(store, user_says(new_session()))
    for audience in (Audience.MODEL, Audience.COORDINATOR, Audience.CUSTOMER_AND_COORDINATOR):
        draft = Draft(session)
        append_message(
            draft, Author.COORDINATOR, MessageId(audience), "?", NOON + HOUR, audience=audience
        )
        session = await stored(store, draft)
    hides = Draft(session)
    append_message(hides, Author.AI, MessageId("m5"), "?", NOON, audience=Audience.COORDINATOR)
    session = await stored(store, hides)

    loaded = await load(store, "s1")
    assert loaded.session == session
    assert (session.seq, session.customer_seq, session.updated_at) == (5, 4, said.updated_at)
    assert [(entry.prev_seq, entry.is_for_customer) for entry in loaded.recent] == [
        (0, True),
        (1, False),
        (1, False),
        (1, True),
        (4, False),
    ]
    assert await store.page(SessionId("s1"), limit=9) == loaded.recent


async def test_the_key_of_what_is_not_said_is_of_its_own_time(store: Store) -> None:
    session = await stored(store, user_says(new_session()))
    rating = Draft(session, key="r")
    append_message(
        rating,
        Author.USER,
        MessageId("m2"),
        "5",
        NOON + HOUR,
        audience=Audience.CUSTOMER_AND_COORDINATOR,
    )
    await store.append(rating, None)

    late = NOON + IDEMPOTENCY_WINDOW + HOUR / 2
    assert await store.stored(ANA, "r", late) is not None


async def test_a_missing_value_is_none_or_empty(store: Store) -> None:
    missing = SessionId("missing")

    assert await store.latest(ANA) is None
    assert await store.load(missing) is None
    assert await store.page(missing, limit=10) == ()
    assert await store.due(NOON, 10) == ()
    assert (await store.list_sessions(limit=10)).sessions == ()
    assert await store.claim(REPORTS, NOON, NOON + MINUTE, 10) == ()


async def test_the_first_entry_opens_the_session(store: Store) -> None:
    session = await stored(store, user_says(new_session()))

    latest = await store.latest(ANA)
    assert latest == await store.load(session.session_id)
    assert latest is not None
    assert latest.session == session


async def test_a_customer_has_one_open_session(store: Store) -> None:
    await conversation(store, 1, "s1")

    with pytest.raises(SeqTaken):
        await store.append(user_says(new_session("s2")), None)
    assert await store.load(SessionId("s2")) is None
    assert await store.page(SessionId("s2"), limit=10) == ()


async def test_the_same_session_is_opened_once(store: Store) -> None:
    await conversation(store, 1, "s1")

    with pytest.raises(SeqTaken):
        await store.append(user_says(new_session("s1"), "again"), None)


async def test_customers_do_not_stand_in_each_others_way(store: Store) -> None:
    same_user_elsewhere = Customer(BusinessId("b2"), ANA.user_id)
    for number, customer in enumerate((ANA, DAN, same_user_elsewhere)):
        await conversation(store, 1, f"s{number}", customer)

    for number, customer in enumerate((ANA, DAN, same_user_elsewhere)):
        latest = await store.latest(customer)
        assert latest is not None
        assert latest.session.session_id == f"s{number}"


async def test_closing_frees_the_customer_for_a_new_session(store: Store) -> None:
    await stored(store, closes(await conversation(store, 2, "s1")))
    await conversation(store, 1, "s2")

    latest = await store.latest(ANA)
    assert latest is not None
    assert latest.session.session_id == "s2"


async def test_what_is_not_said_is_appended_to_a_closed_session_and_opens_nothing(
    store: Store,
) -> None:
    closed = await stored(store, closes(await conversation(store, 2, "s1")))
    newer = await conversation(store, 1, "s2")
    draft = Draft(closed, even_closed=True)
    draft.append_message(
        Message(
            seq=draft.next_seq,
            message_id=MessageId("w1"),
            author=Author.AI,
            text="Masă",
            at=closed.updated_at,
            audience=Audience.COORDINATOR,
            write=WriteStep(
                call_id="s1-1", state=WriteState.DONE, tool="reserve", what="Masă", result="R-7"
            ),
        )
    )
    await store.append(draft, None)

    loaded, latest = await store.load(closed.session_id), await store.latest(closed.customer)
    assert loaded is not None
    assert latest is not None
    assert loaded.session == draft.session
    assert loaded.recent[-1] == draft.entries[0]
    assert not loaded.session.is_open
    assert latest.session.session_id == newer.session_id
    with pytest.raises(SeqTaken):
        await store.append(draft, None)


async def test_the_latest_session_may_be_closed(store: Store) -> None:
    await stored(store, closes(await conversation(store, 1, "older")))
    closed = await stored(store, closes(await conversation(store, 1, "newer")))

    latest = await store.latest(ANA)
    assert latest is not None
    assert latest.session == closed


@pytest.mark.parametrize("seq", [1, 3, 5, 6])
async def test_a_seq_that_does_not_follow_is_refused(store: Store, seq: int) -> None:
    session = await conversation(store, 3)
    heads = [new_session()]
    for _ in range(6):
        heads.append(user_says(heads[-1]).session)

    with pytest.raises(SeqTaken):
        await store.append(user_says(heads[seq - 1]), None)
    assert (await load(store, "s1")).session == session


async def test_a_session_does_not_begin_in_the_middle(store: Store) -> None:
    unstored = user_says(new_session()).session

    with pytest.raises(SeqTaken):
        await store.append(user_says(unstored), None)
    assert await store.latest(ANA) is None


async def test_a_refused_draft_leaves_nothing_behind(store: Store) -> None:
    session = await conversation(store, 1)
    winner = await stored(store, user_says(session, "first"))
    loser = with_notices(asks_for_human(session), 2)
    loser.key = "key"

    with pytest.raises(SeqTaken):
        await store.append(loser, NOON)
    assert (await load(store, "s1")).session == winner
    assert len(await store.page(SessionId("s1"), limit=10)) == 2
    assert await store.depth() == 0
    assert await store.due(NOON + HOUR, 10) == ()
    await store.append(user_says(winner, key="key"), None)


async def test_of_many_writers_one_wins_each_seq(store: Store) -> None:
    await conversation(store, 1)

    async def write(number: int) -> None:
        while True:
            draft = user_says((await load(store, "s1")).session, f"by {number}")
            try:
                return await store.append(draft, None)
            except SeqTaken:
                continue

    await asyncio.gather(*(write(number) for number in range(32)))

    log = await store.page(SessionId("s1"), limit=100)
    assert [entry.seq for entry in log] == list(range(1, 34))
    texts = {entry.text for entry in log if isinstance(entry, Message)}
    assert texts == {"message 1", *(f"by {number}" for number in range(32))}


async def test_of_drafts_for_the_same_seq_one_is_stored(store: Store) -> None:
    session = await conversation(store, 1)
    drafts = [user_says(session, f"by {number}") for number in range(32)]

    results = await asyncio.gather(
        *(store.append(draft, None) for draft in drafts), return_exceptions=True
    )

    assert results.count(None) == 1
    assert sum(isinstance(result, SeqTaken) for result in results) == 31
    assert (await load(store, "s1")).session == drafts[results.index(None)].session


async def test_of_many_openings_one_is_stored(store: Store) -> None:
    drafts = [user_says(new_session(f"s{number}")) for number in range(16)]

    results = await asyncio.gather(
        *(store.append(draft, None) for draft in drafts), return_exceptions=True
    )

    assert results.count(None) == 1
    assert len((await store.list_sessions(limit=20)).sessions) == 1


async def test_a_refusal_does_not_disturb_the_others(store: Store) -> None:
    sessions = [
        await conversation(store, 1, f"s{number}", Customer(BusinessId("b1"), UserId(str(number))))
        for number in range(10)
    ]
    good = [user_says(session, "good") for session in sessions]
    stale = user_says(sessions[3], "stale")

    results = await asyncio.gather(
        *(store.append(draft, None) for draft in [*good, stale]), return_exceptions=True
    )

    assert [type(result) for result in results] == [type(None)] * 10 + [SeqTaken]


async def test_one_of_two_status_changes_wins(store: Store) -> None:
    session = await conversation(store, 1)
    drafts = [asks_for_human(session), closes(session)]

    results = await asyncio.gather(
        *(store.append(draft, None) for draft in drafts), return_exceptions=True
    )

    assert results.count(None) == 1
    assert (await load(store, "s1")).session == drafts[results.index(None)].session


async def test_the_recent_entries_are_the_newest_in_order(store: Store) -> None:
    session = await conversation(store, RECENT + 7)
    latest = await store.latest(ANA)

    assert seqs(await load(store, "s1")) == list(range(8, RECENT + 8))
    assert latest == await load(store, "s1")
    assert latest is not None
    assert latest.session == session


@pytest.mark.parametrize(
    ("after", "before", "limit", "expected"),
    [
        (0, None, 5, [1, 2, 3, 4, 5]),
        (3, None, 5, [4, 5, 6, 7, 8]),
        (8, None, 5, [9, 10]),
        (10, None, 5, []),
        (99, None, 5, []),
        (0, 11, 3, [8, 9, 10]),
        (0, 99, 3, [8, 9, 10]),
        (0, 5, 3, [2, 3, 4]),
        (0, 2, 3, [1]),
        (0, 1, 3, []),
        (0, 0, 3, []),
        (2, 6, 10, [3, 4, 5]),
        (2, 9, 3, [6, 7, 8]),
        (6, 3, 10, []),
        (0, None, 100, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ],
)
async def test_a_page_is_bounded_by_its_seqs_and_its_limit(
    store: Store, after: int, before: int | None, limit: int, expected: list[int]
) -> None:
    await conversation(store, 10)

    page = await store.page(SessionId("s1"), after=after, before=before, limit=limit)
    assert [entry.seq for entry in page] == expected


# Idempotency keys


async def test_a_key_is_taken_once(store: Store) -> None:
    first = await stored(store, user_says(await conversation(store, 1), key="k"))
    await stored(store, asks_for_human(first))

    with pytest.raises(DuplicateMessage) as duplicate:
        await store.append(user_says((await load(store, "s1")).session, key="k"), None)
    assert vars(duplicate.value) == {"session_id": "s1", "seq": 2, "status": "ai"}
    assert (await load(store, "s1")).session.seq == 4


async def test_a_duplicate_has_the_seq_of_the_first_message(store: Store) -> None:
    session = await conversation(store, 1)
    draft = Draft(session, key="k")
    draft.assign(CoordinatorId("maria"), TransferId("t1"), NOON)
    append_message(draft, Author.SYSTEM, MessageId("joined"), "maria has joined", NOON)
    append_message(draft, Author.COORDINATOR, MessageId("said"), "Bună!", NOON)
    session = await stored(store, draft)

    with pytest.raises(DuplicateMessage) as duplicate:
        await store.append(user_says(session, key="k"), None)
    assert vars(duplicate.value) == {"session_id": "s1", "seq": 4, "status": "live"}


async def test_of_repeats_at_the_same_time_one_is_stored(store: Store) -> None:
    session = await conversation(store, 1)
    drafts = [user_says(session, key="k") for _ in range(8)]

    results = await asyncio.gather(
        *(store.append(draft, None) for draft in drafts), return_exceptions=True
    )

    assert results.count(None) == 1
    assert sum(isinstance(result, DuplicateMessage) for result in results) == 7


async def test_a_duplicate_takes_precedence_over_a_taken_seq(store: Store) -> None:
    stale = await conversation(store, 1)
    await stored(store, user_says(stale, key="k"))

    with pytest.raises(DuplicateMessage):
        await store.append(user_says(stale, key="k"), None)


async def test_a_key_is_known_in_the_customers_next_session(store: Store) -> None:
    opening = await stored(store, user_says(new_session("s1"), key="k"))
    closed = await stored(store, closes(opening))

    with pytest.raises(DuplicateMessage) as duplicate:
        await store.append(user_says(new_session("s2", at=closed.updated_at), key="k"), None)
    assert duplicate.value.session_id == "s1"
    assert duplicate.value.seq == 1


async def test_a_stored_key_can_be_looked_up(store: Store) -> None:
    opening = await stored(store, user_says(new_session("s1"), key="k"))
    await stored(store, closes(opening))
    known = await store.stored(opening.customer, "k", NOON)

    assert known is not None
    assert vars(known) == {"session_id": "s1", "seq": 1, "status": "ai"}
    assert await store.stored(opening.customer, "other", NOON) is None
    assert await store.stored(DAN, "k", NOON) is None


async def test_customers_keys_are_their_own(store: Store) -> None:
    await stored(store, user_says(new_session("s1", ANA), key="k"))
    await stored(store, user_says(new_session("s2", DAN), key="k"))

    assert (await load(store, "s2")).session.customer == DAN


async def test_a_key_lives_for_48_hours(store: Store) -> None:
    first = await stored(store, user_says(new_session(), key="k", at=NOON))

    with pytest.raises(DuplicateMessage):
        await store.append(user_says(first, key="k", at=NOON + 48 * HOUR - SECOND), None)
    again = await stored(store, user_says(first, key="k", at=NOON + 48 * HOUR + SECOND))
    with pytest.raises(DuplicateMessage) as duplicate:
        await store.append(user_says(again, key="k", at=NOON + 49 * HOUR), None)
    assert duplicate.value.seq == 2


@pytest.mark.parametrize("age", [48 * HOUR - SECOND, 48 * HOUR, 48 * HOUR + SECOND])
async def test_an_expired_key_is_not_reported_either(store: Store, age: timedelta) -> None:
    await stored(store, user_says(new_session(), key="k", at=NOON))
    found = await store.stored(ANA, "k", NOON + age)

    assert (found is not None) is (age < 48 * HOUR)


@every_durable_store
async def test_everything_is_there_after_a_restart(case: StoreCase, tmp_path: Path) -> None:
    async with case.open(tmp_path) as before:
        session = await stored(
            before, with_notices(user_says(new_session(), key="k"), 2), NOON + MINUTE
        )
    async with case.open(tmp_path) as after:
        with pytest.raises(DuplicateMessage):
            await after.append(user_says(session, key="k"), None)

        assert (await load(after, "s1")).session == session
        assert await after.due(NOON + MINUTE, 10) == (session,)
        assert await after.depth() == 2


# What is due


async def test_due_sessions_come_the_most_overdue_first(store: Store) -> None:
    for minutes in (3, 1, 2, 4):
        customer = Customer(BusinessId("b1"), UserId(f"u{minutes}"))
        draft = user_says(new_session(f"s{minutes}", customer))
        await store.append(draft, NOON + minutes * MINUTE)

    async def due(minutes: int, limit: int = 10) -> list[str]:
        return [s.session_id for s in await store.due(NOON + minutes * MINUTE, limit)]

    assert await due(0) == []
    assert await due(1) == ["s1"]
    assert await due(3) == ["s1", "s2", "s3"]
    assert await due(3, limit=2) == ["s1", "s2"]
    assert await due(3) == ["s1", "s2", "s3"]


async def test_the_newest_append_determines_when_a_session_is_due(store: Store) -> None:
    session = await stored(store, user_says(new_session()), NOON + MINUTE)
    session = await stored(store, user_says(session), NOON + 3 * MINUTE)

    assert await store.due(NOON + 2 * MINUTE, 10) == ()
    assert await store.due(NOON + 3 * MINUTE, 10) == (session,)
    await store.append(closes(session), None)
    assert await store.due(NOON + 1000 * HOUR, 10) == ()


# The operator's listing


async def listed(
    store: Store,
    *,
    business_id: str | None = None,
    status: Status | None = None,
    customer: Customer | None = None,
    limit: int = 10,
) -> list[str]:
    """Return the ids of a whole listing, read page by page."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = await store.list_sessions(
            business_id=BusinessId(business_id) if business_id else None,
            status=status,
            customer=customer,
            limit=limit,
            cursor=cursor,
        )
        assert len(page.sessions) <= limit
        found += [session.session_id for session in page.sessions]
        cursor = page.cursor
        if cursor is None:
            return found


async def some_sessions(store: Store, count: int = 5) -> list[Session]:
    """Store sessions s0, s1, … of customers u0, u1, …, a minute apart, s0 the oldest."""
    return [
        await conversation(
            store,
            1,
            f"s{number}",
            Customer(BusinessId("b1"), UserId(f"u{number}")),
            NOON + number * MINUTE,
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
async def test_sessions_are_listed_newest_first(store: Store, limit: int) -> None:
    sessions = await some_sessions(store)
    await store.append(user_says(sessions[1], at=NOON + HOUR), None)

    assert await listed(store, limit=limit) == ["s1", "s4", "s3", "s2", "s0"]


async def test_a_listing_is_filtered(store: Store) -> None:
    sessions = await some_sessions(store, 4)
    elsewhere = Customer(BusinessId("b2"), UserId("u0"))
    await conversation(store, 1, "other", elsewhere, NOON + HOUR)
    await store.append(asks_for_human(sessions[1], NOON + 2 * HOUR), None)
    await store.append(closes(sessions[2]), None)
    new = await conversation(store, 1, "s9", sessions[2].customer, NOON + 3 * HOUR)

    assert await listed(store) == ["s9", "s1", "other", "s3", "s2", "s0"]
    assert await listed(store, business_id="b1", limit=2) == ["s9", "s1", "s3", "s2", "s0"]
    assert await listed(store, business_id="b2") == ["other"]
    assert await listed(store, status=Status.WAITING) == ["s1"]
    assert await listed(store, status=Status.AI, limit=1) == ["s9", "other", "s3", "s0"]
    assert await listed(store, business_id="b1", status=Status.CLOSED) == ["s2"]
    assert await listed(store, business_id="b2", status=Status.CLOSED) == []
    assert await listed(store, customer=new.customer, limit=1) == ["s9", "s2"]
    assert await listed(store, customer=new.customer, status=Status.AI) == ["s9"]
    assert await listed(store, customer=new.customer, business_id="b2") == []
    assert await listed(store, customer=ANA) == []


async def test_sessions_of_the_same_moment_are_each_listed_once(store: Store) -> None:
    for number in range(5):
        customer = Customer(BusinessId("b1"), UserId(f"u{number}"))
        await conversation(store, 1, f"s{number}", customer, NOON)

    assert sorted(await listed(store, limit=2)) == ["s0", "s1", "s2", "s3", "s4"]


async def test_a_listing_is_complete_while_sessions_change(store: Store) -> None:
    sessions = await some_sessions(store, 6)
    first = await store.list_sessions(limit=2)
    await store.append(user_says(sessions[5], at=NOON + HOUR), None)  # was listed already
    await store.append(user_says(sessions[2], at=NOON + 2 * HOUR), None)  # was still to come
    await conversation(store, 1, "new", ANA, NOON + 3 * HOUR)
    rest = await store.list_sessions(limit=10, cursor=first.cursor)

    assert [session.session_id for session in first.sessions] == ["s5", "s4"]
    assert [session.session_id for session in rest.sessions] == ["s3", "s1", "s0"]
    assert rest.cursor is None


FORGED = [
    urlsafe_b64encode(f"{at} {tie}".encode()).decode()
    for at in (
        "0001-01-01T00:00:00+00:00",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T00:00:00+00:00",
    )
    for tie in ("1", "-1", "s1")
]


@pytest.mark.parametrize("cursor", ["", "garbage", "bm9uc2Vuc2U=", "ă", "\ud800", "=" * 9, *FORGED])
async def test_a_cursor_that_no_listing_gave_is_refused(store: Store, cursor: str) -> None:
    await some_sessions(store)

    with pytest.raises(InvalidPayload):
        await store.list_sessions(limit=2, cursor=cursor)


# Erasing


async def test_erasing_leaves_nothing_and_counts_what_it_took(store: Store) -> None:
    closed = await stored(store, closes(await conversation(store, 2, "s1")))
    opening = with_notices(user_says(new_session("s2", at=closed.updated_at), key="k"), 3)
    await stored(store, asks_for_human(await stored(store, opening, NOON)), NOON)
    dead = (await store.claim(REPORTS, NOON, NOON, 10))[0]
    await store.settle(dead.notice_id, Undeliverable("gone"))

    assert await store.erase(ANA) == Erased(sessions=2, messages=4, notices=3)
    assert await store.latest(ANA) is None
    for session_id in (SessionId("s1"), SessionId("s2")):
        assert await store.load(session_id) is None
        assert await store.page(session_id, limit=10) == ()
    assert await store.due(NOON + 1000 * HOUR, 10) == ()
    assert await listed(store) == []
    assert await store.depth() == 0
    assert await store.claim(REPORTS, NOON + HOUR, NOON + HOUR, 10) == ()
    assert await store.erase(ANA) == Erased(0, 0, 0)


async def test_erasing_forgets_the_keys(store: Store) -> None:
    await stored(store, user_says(new_session("s1"), key="k"))
    await store.erase(ANA)

    again = await stored(store, user_says(new_session("s2"), key="k"))
    assert (await load(store, "s2")).session == again


async def test_an_append_that_was_decided_before_an_erasure_is_refused_after_it(
    store: Store,
) -> None:
    session = await conversation(store, 3)
    draft = with_notices(user_says(session, key="k"))
    await store.erase(ANA)

    with pytest.raises(SeqTaken):
        await store.append(draft, NOON)
    assert await store.erase(ANA) == Erased(0, 0, 0)


async def test_erasing_does_not_touch_another_customer(store: Store) -> None:
    await stored(store, with_notices(user_says(new_session("s1", ANA), key="k")), NOON)
    other = await stored(store, with_notices(user_says(new_session("s2", DAN), key="k")), NOON)
    before = await load(store, "s2")
    await store.erase(ANA)

    assert await load(store, "s2") == before
    assert await store.due(NOON, 10) == (other,)
    assert await store.depth() == 1
    with pytest.raises(DuplicateMessage):
        await store.append(user_says(other, key="k"), None)


# The outbox


async def claimed(
    store: Store,
    minutes: float = 0,
    *,
    lease: float = 1,
    limit: int = 10,
    lane: Lane = REPORTS,
) -> list[str]:
    """Claim `minutes` after noon, with a lease of `lease` minutes; return the ids."""
    now = NOON + minutes * MINUTE
    return [n.notice_id for n in await store.claim(lane, now, now + lease * MINUTE, limit)]


async def test_a_notice_is_claimed_as_it_was_stored(store: Store) -> None:
    contents = [content for content, _ in SAMPLES.values()]
    draft = with_notices(user_says(new_session()), len(contents))
    draft.notices = [
        replace(notice, content=content)
        for notice, content in zip(draft.notices, contents, strict=True)
    ]
    await store.append(draft, None)
    found = list[Notice]()
    for lane in Lane:
        while notices := await store.claim(lane, NOON, NOON + MINUTE, 10):
            found += notices
            await store.settle(notices[0].notice_id, Delivered())

    assert sorted(found, key=lambda notice: notice.position) == draft.notices


async def test_a_notice_is_claimed_when_it_is_due(store: Store) -> None:
    await store.append(with_notices(user_says(new_session()), due_at=NOON + MINUTE), None)

    assert await claimed(store, 0.9) == []
    assert await claimed(store, 1) == ["s1-10"]


async def test_notices_of_a_session_are_claimed_one_by_one_in_order(store: Store) -> None:
    session = await stored(store, with_notices(user_says(new_session()), 2))
    await store.append(with_notices(user_says(session)), None)
    order: list[str] = []
    while notices := await store.claim(REPORTS, NOON, NOON + MINUTE, 10):
        assert len(notices) == 1
        order.append(notices[0].notice_id)
        await store.settle(notices[0].notice_id, Delivered())

    assert order == ["s1-10", "s1-11", "s1-20"]
    assert await store.depth() == 0


@pytest.mark.parametrize("fails", [Deferred(NOON + HOUR), None], ids=["deferred", "claimed"])
@pytest.mark.parametrize(("first", "second"), [(PEOPLE, REPORTS), (REPORTS, PEOPLE)])
async def test_the_lanes_of_a_session_do_not_wait_for_each_other(
    store: Store, first: Lane, second: Lane, fails: Outcome | None
) -> None:
    draft = with_notices(user_says(new_session()), lanes=(first, second, first, second))
    session = await stored(store, draft)
    await store.append(with_notices(user_says(session), lanes=[second]), None)
    assert await claimed(store, lane=first, lease=60) == ["s1-10"]
    if fails is not None:
        await store.settle("s1-10", fails)
    order: list[str] = []
    while ids := await claimed(store, lane=second):
        order += ids
        await store.settle(ids[0], Delivered())

    assert order == ["s1-11", "s1-13", "s1-20"]
    assert await claimed(store, 59, lane=first) == []
    assert await claimed(store, 60, lane=first) == ["s1-10"]


async def test_a_retried_dead_letter_waits_only_for_its_lane(store: Store) -> None:
    await store.append(with_notices(user_says(new_session()), lanes=(REPORTS, PEOPLE)), None)
    await claimed(store, lane=REPORTS)
    await dies(store, "s1-10")
    await claimed(store, lane=PEOPLE)
    await store.retry("s1-10")

    assert await claimed(store, lane=REPORTS) == ["s1-10"]


async def test_sessions_do_not_wait_for_each_other(store: Store) -> None:
    for number, customer in enumerate((ANA, DAN)):
        opening = user_says(new_session(f"s{number}", customer))
        await store.append(with_notices(opening, 2, due_at=NOON - number * SECOND), None)

    assert await claimed(store, limit=1) == ["s1-10"]
    assert await claimed(store) == ["s0-10"]
    assert await claimed(store) == []


async def test_a_lease_that_runs_out_makes_a_notice_due_again(store: Store) -> None:
    await store.append(with_notices(user_says(new_session()), 2), None)
    await store.claim(REPORTS, NOON, NOON + MINUTE, 10)

    assert await claimed(store, 0.9) == []
    (again,) = await store.claim(REPORTS, NOON + MINUTE, NOON + 2 * MINUTE, 10)
    assert (again.notice_id, again.attempts) == ("s1-10", 1)


async def test_a_deferred_notice_is_due_again_at_the_given_time(store: Store) -> None:
    await store.append(with_notices(user_says(new_session()), 2), None)
    await claimed(store)
    await store.settle("s1-10", Deferred(NOON + 5 * MINUTE))

    assert await claimed(store, 4.9) == []
    assert await claimed(store, 5) == ["s1-10"]
    assert await store.depth() == 2


async def test_a_dead_letter_does_not_block_the_next_notice(store: Store) -> None:
    await store.append(with_notices(user_says(new_session()), 2), None)
    await claimed(store)
    await store.settle("s1-10", Undeliverable("410 Gone"))

    assert await store.depth() == 1
    assert await claimed(store) == ["s1-11"]
    await store.settle("s1-10", Deferred(NOON))
    assert await claimed(store, 0.5) == []


async def test_the_backlog_is_as_old_as_its_oldest_notice_however_often_that_is_tried(
    store: Store,
) -> None:
    assert await store.backlog() == Backlog(0, None)
    opening = user_says(new_session("s1"))
    await store.append(with_notices(opening, 2, due_at=NOON - MINUTE), None)
    await store.append(with_notices(user_says(new_session("s2", DAN)), due_at=NOON), None)
    before = await store.backlog()
    await claimed(store, limit=1)
    await store.settle("s1-10", Deferred(NOON + 5 * MINUTE))
    deferred = await store.backlog()
    await claimed(store, 5, limit=1)
    await dies(store, "s1-10")
    dead = await store.backlog()

    assert before == deferred == Backlog(3, NOON - MINUTE)
    assert dead == Backlog(2, NOON - MINUTE)


async def test_a_later_notice_keeps_its_own_time(store: Store) -> None:
    session = await stored(store, with_notices(user_says(new_session())))
    await store.append(with_notices(user_says(session), due_at=NOON + HOUR), None)
    await claimed(store)
    await store.settle("s1-10", Delivered())

    assert await claimed(store, 59) == []
    assert await claimed(store, 60) == ["s1-20"]


async def dies(store: Store, notice_id: str, reason: str = "410 Gone") -> None:
    await store.settle(notice_id, Undeliverable(reason))


async def test_dead_letters_are_kept_with_their_reason_and_the_oldest_come_first(
    store: Store,
) -> None:
    for number, customer in enumerate((ANA, DAN)):
        opening = user_says(new_session(f"s{number}", customer))
        await store.append(with_notices(opening, 2, due_at=NOON - number * SECOND), None)
    for notice_id in [*await claimed(store), *await claimed(store, 1), *await claimed(store, 2)]:
        await dies(store, notice_id, f"no {notice_id}")
    await dies(store, "s1-11")
    await dies(store, "s0-11")

    letters = await store.dead(10)
    assert [letter.notice.notice_id for letter in letters] == ["s1-10", "s1-11", "s0-10", "s0-11"]
    assert [letter.reason for letter in letters][::2] == ["no s1-10", "no s0-10"]
    assert letters[0].notice.content == QuestionAsked(at=NOON - SECOND, text="ă 1")
    assert letters[0].notice.due_at == NOON - SECOND
    assert await store.dead(1) == letters[:1]


async def test_a_dead_letter_has_the_number_of_attempts(store: Store) -> None:
    await store.append(with_notices(user_says(new_session())), None)
    for minute in range(3):
        await claimed(store, minute)
    await dies(store, "s1-10")

    (letter,) = await store.dead(10)
    assert letter.notice.attempts == 3


async def test_a_retried_dead_letter_is_as_new(store: Store) -> None:
    draft = with_notices(user_says(new_session()))
    await store.append(draft, None)
    await claimed(store, lease=60)
    await dies(store, "s1-10")

    assert await store.retry("s1-10") is True
    assert await store.dead(10) == ()
    assert await store.depth() == 1
    assert await store.claim(REPORTS, NOON, NOON + MINUTE, 10) == tuple(draft.notices)


async def test_a_retried_dead_letter_takes_its_place_in_the_order(store: Store) -> None:
    await store.append(with_notices(user_says(new_session()), 4), None)
    for notice_id in ("s1-10", "s1-11"):
        await claimed(store)
        await dies(store, notice_id)
    await claimed(store)
    await store.retry("s1-11")
    await store.retry("s1-10")
    beside = await claimed(store)
    order: list[str] = []
    await store.settle("s1-12", Delivered())
    while ids := await claimed(store):
        order += ids
        await store.settle(ids[0], Delivered())

    assert beside == []
    assert order == ["s1-10", "s1-11", "s1-13"]


async def test_a_retried_dead_letter_waits_for_one_that_is_deferred(store: Store) -> None:
    await store.append(with_notices(user_says(new_session()), 2), None)
    await claimed(store)
    await dies(store, "s1-10")
    await claimed(store)
    await store.settle("s1-11", Deferred(NOON + 5 * MINUTE))
    await store.retry("s1-10")

    assert await claimed(store, 4) == []
    assert await claimed(store, 5) == ["s1-11"]


async def test_a_dropped_dead_letter_is_gone(store: Store) -> None:
    await store.append(with_notices(user_says(new_session()), 2), None)
    await claimed(store)
    await dies(store, "s1-10")

    assert await store.drop("s1-10") is True
    assert await store.drop("s1-10") is False
    assert await store.retry("s1-10") is False
    assert await store.dead(10) == ()
    assert await claimed(store) == ["s1-11"]


async def test_a_notice_that_is_not_dead_is_neither_retried_nor_dropped(store: Store) -> None:
    await store.append(with_notices(user_says(new_session())), None)
    await claimed(store)

    assert await store.retry("s1-10") is False
    assert await store.drop("s1-10") is False
    assert await claimed(store) == []
    assert await store.depth() == 1


async def test_settling_an_unknown_notice_does_nothing(store: Store) -> None:
    await store.append(with_notices(user_says(new_session())), None)
    for outcome in (Delivered(), Deferred(NOON), Undeliverable("?")):
        await store.settle("unknown", outcome)

    assert await store.depth() == 1


async def test_no_two_claimers_get_the_same_notice(store: Store) -> None:
    for number in range(20):
        customer = Customer(BusinessId("b1"), UserId(f"u{number}"))
        await store.append(with_notices(user_says(new_session(f"s{number}", customer))), None)
    claims = await asyncio.gather(*(claimed(store, limit=3) for _ in range(10)))

    ids = [notice_id for claim in claims for notice_id in claim]
    assert len(ids) == len(set(ids)) == 20
