"""Keys sort as they must; packed values are unpacked, by other versions too."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from adapters.dynamodb import items, old_outbox
from adapters.dynamodb.items import (
    FIRST_ENTRY,
    HEAD,
    LAST_SEQ,
    NEVER,
    SHARDS,
    Item,
    due_slot,
    entries_of,
    entry_sk,
    head_item,
    head_of,
    moment,
    ms,
    notice_sk,
    pack_entries,
    pointer_sk,
    shard,
    stamp,
)
from adapters.dynamodb.outbox_items import Marker, Queued
from domain.identity import CoordinatorId, Customer, LocationId, MessageId, SessionId
from domain.message import (
    AnswerVersion,
    Audience,
    Author,
    Entry,
    Message,
    StatusChange,
    Summary,
    ToolOutcome,
    ToolUse,
)
from domain.notice import Lane
from domain.promise import Verdict
from domain.rating import Rating, Stars
from domain.session import MissedMessage, Session
from domain.status import Reason, Status
from domain.tool import Confirmer
from domain.transfer import Transfer, TransferState
from domain.usage import Usage
from domain.write_call import WriteCall, WriteState
from tests.contract.stores import ANA, NOON, asks_for_human, new_session, user_says

USAGE = Usage(model="m", input_tokens=5, cached_tokens=4, output_tokens=3, calls=2)
DIGEST = Summary(text="They asked for a table.", through=4, usage=USAGE)
TRANSFER = Transfer(
    transfer_id=cast(Any, "t1"),
    reason=Reason.USER_REQUEST,
    state=TransferState.ENDED,
    requested_at=NOON,
    expires_at=NOON + timedelta(minutes=5),
    coordinator_id=CoordinatorId("maria"),
    ended=Reason.RETURNED,
)
WRITE_CALL = WriteCall(
    call_id=f"{'0123456789abcdef' * 2}-6",
    seq=6,
    state=WriteState.PROPOSED,
    tool="reserve_table",
    what="Masă",
    arguments='{"guests":4}',
    at=NOON,
    confirm=Confirmer.CUSTOMER,
    expires_at=NOON + timedelta(days=2),
    question_seq=7,
    result="R-7",
)
MESSAGE = Message(
    seq=7,
    message_id=MessageId("0123456789abcdef" * 2),
    author=Author.COORDINATOR,
    text="Bună! 🍷",
    at=NOON,
    actions=({"type": "reservations", "items": [{"guests": 4, "at": None}]},),
    in_reply_to=(MessageId("ab" * 16), MessageId("m-1")),
    settles_seq=6,
    failed=True,
    coordinator_id=CoordinatorId("maria"),
    tools=(ToolUse(name="search_knowledge", outcome=ToolOutcome.FOUND, query="mesă"),),
    usage=USAGE,
    summary=DIGEST,
    audience=Audience.CUSTOMER_AND_COORDINATOR,
    language="de-AT",
    verdict=Verdict.BOTH,
    version=AnswerVersion(prompt="0123456789abcdef", knowledge="fedcba9876543210", tools="t"),
    hidden_before=2,
    unmet=Reason.AI_DECISION,
    write=WRITE_CALL.step(WriteState.APPROVED, "Da"),
)
CHANGE = StatusChange(
    seq=8,
    status=Status.LIVE,
    epoch=3,
    reason=Reason.ACCEPTED,
    at=NOON,
    transfer=TRANSFER,
    handover_note="Da",
    hidden_before=2,
)
SESSION = Session(
    session_id=SessionId("0123456789abcdef" * 2),
    customer=ANA,
    location_id=LocationId("l1"),
    opened_at=NOON,
    updated_at=NOON + timedelta(milliseconds=1),
    status=Status.LIVE,
    reason=Reason.ACCEPTED,
    epoch=3,
    seq=8,
    hidden_at_end=2,
    last_user_seq=7,
    settled_seq=6,
    is_unanswered=True,
    changed_at=NOON,
    failures=1,
    transfer=TRANSFER,
    handover_note="Da",
    summary=DIGEST,
    usage=USAGE,
    tokens=8,
    language="de-AT",
    unmet=Reason.USER_REQUEST,
    missed=MissedMessage(seq=5, at=NOON, text="0722", reason=Reason.AI_FAILURE),
    writes=(WRITE_CALL,),
    rating=Rating(seq=8, at=NOON, stars=Stars(4, "Repede"), said_seq=7),
)


def item(entries: list[Entry]) -> Item:
    """Return an item of a log."""
    return {"SK": {"S": entry_sk(entries[0].seq)}, "b": {"B": pack_entries(entries)}}


@pytest.mark.parametrize(
    "value", [MESSAGE, CHANGE, SESSION], ids=lambda value: type(value).__name__
)
def test_the_examples_leave_no_field_at_its_default(value: object) -> None:
    left = [f.name for f in fields(cast(Any, value)) if getattr(value, f.name) == f.default]

    assert left == []


def test_entries_come_back_as_they_were_stored() -> None:
    draft = asks_for_human(user_says(new_session()).session)

    assert entries_of(item([MESSAGE, CHANGE])) == [MESSAGE, CHANGE]
    assert entries_of(item(draft.entries)) == draft.entries


def test_a_head_comes_back_as_it_was_stored() -> None:
    assert head_of(head_item(SESSION, NEVER)) == SESSION
    assert head_of(head_item(new_session(), 5)) == new_session()


@given(st.text(max_size=140))
def test_every_message_id_comes_back(message_id: str) -> None:
    try:
        message_id.encode()
    except UnicodeEncodeError:
        return  # an identifier is ASCII, and text is refused with these
    message = replace(MESSAGE, message_id=MessageId(message_id), in_reply_to=())

    assert entries_of(item([message])) == [message]


@given(st.text("0123456789abcdef", max_size=40))
def test_an_id_that_looks_hexadecimal_comes_back(message_id: str) -> None:
    message = replace(MESSAGE, message_id=MessageId(message_id), in_reply_to=(MessageId("0a"),))

    assert entries_of(item([message])) == [message]


def test_fields_of_a_later_version_are_ignored() -> None:
    stored = item([MESSAGE])
    (packed,) = msgspec.msgpack.decode(stored["b"]["B"])
    stored["b"] = {"B": msgspec.msgpack.encode([packed | {"mood": {"new": 1}}])}
    head = head_item(SESSION, NEVER)
    packed_head = msgspec.msgpack.decode(head["b"]["B"])
    head["b"] = {"B": msgspec.msgpack.encode(packed_head | {"mood": 1})}

    assert entries_of(stored) == [MESSAGE]
    assert head_of(head) == SESSION


def test_fields_that_an_earlier_version_did_not_have_are_at_their_defaults() -> None:
    oldest = {"i": "m-1", "a": "user", "t": "Bună", "w": NOON}
    stored = {"SK": {"S": entry_sk(1)}, "b": {"B": msgspec.msgpack.encode([oldest])}}

    assert entries_of(stored) == [
        Message(seq=1, message_id=MessageId("m-1"), author=Author.USER, text="Bună", at=NOON)
    ]


def test_a_default_takes_no_space() -> None:
    message = Message(seq=1, message_id=MessageId("ab" * 16), author=Author.USER, text="", at=NOON)

    assert len(pack_entries([message])) < 50


@given(st.integers(1, LAST_SEQ - 1))
def test_entries_sort_by_seq_before_the_head_and_behind_further_notices(seq: int) -> None:
    assert notice_sk(seq * 10) < FIRST_ENTRY < entry_sk(seq) < entry_sk(seq + 1) < HEAD


@given(st.integers(0, 10**13 - 2))
def test_stamps_sort_as_their_times(milliseconds: int) -> None:
    assert len(stamp(milliseconds)) == 13
    assert stamp(milliseconds) < stamp(milliseconds + 1)


@pytest.mark.parametrize("milliseconds", [-1, -(10**15), 10**13, 10**15, NEVER])
def test_a_time_that_is_out_of_range_still_sorts(milliseconds: int) -> None:
    assert stamp(0) <= stamp(milliseconds) <= stamp(10**13 - 1)


@given(st.datetimes().map(lambda at: at.replace(tzinfo=NOON.tzinfo, microsecond=0)))
def test_a_moment_is_its_milliseconds(at: Any) -> None:
    assert moment(ms(at)) == at


def test_a_session_is_always_in_the_same_shard() -> None:
    shards = [shard(f"s{number}") for number in range(100)]

    assert set(shards) == set(range(SHARDS))
    assert shards[:4] == [shard(f"s{number}") for number in range(4)]
    assert shard("s1") == 0


def test_a_session_that_is_never_due_has_no_slot() -> None:
    assert due_slot("s1", NEVER) == {}
    assert due_slot("s1", 5) == {"wP": {"S": "0"}, "wS": {"S": "0000000000005#s1"}}


def test_a_customers_sessions_sort_by_their_opening() -> None:
    later = new_session("a", Customer(*ANA), NOON + timedelta(milliseconds=1))

    assert pointer_sk(new_session("b")) < pointer_sk(later)


def test_the_docstrings_name_every_attribute_that_is_stored() -> None:
    snapshot = Path(__file__).parents[2] / "data" / "conversations.dynamodb.json"
    stored = {name for item in json.loads(snapshot.read_text())["items"] for name in item}
    marker = Marker("S#s1", Lane.PEOPLE, (Queued(1, "M#1"),), attempts=1, leased_until=1)
    _, _, table = (items.__doc__ or "").partition("| attribute |")
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    former = {*re.findall(r"`(\w+)`", old_outbox.__doc__ or "")} - named - {"outbox"}

    assert former == {"ex", "lo", "og", "ol", "op", "ow"}
    assert named | former == stored | marker.item().keys() | {"h", "u"}  # and of a lease
