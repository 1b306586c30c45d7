"""Recorded conversations for a replay, and a model's server that gave their answers.

The model does what its instructions say: it names a price only where they tell it to.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from application.ports import Store
from domain.decision_context import DecisionContext
from domain.decisions import TurnResult, answer, record_user_message
from domain.identity import Customer, LocationId, MessageId, SessionId, customer
from domain.message import Action, AnswerVersion, Message, ToolOutcome, ToolUse
from domain.session import Session
from domain.status import Reason
from domain.texts import Text, localized
from domain.usage import Usage
from tests.support.openai_stub import Wire, calls, says

BEGAN = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
VERSION = AnswerVersion(prompt="0123456789abcdef", tools="fedcba9876543210")
"""That of every second answer; those before it were stored without one."""
PRICES = "Name the price."
"""The sentence of the instructions that makes the difference."""

FILE = """\
name = "Bistro"
language = "en"
instructions = "Be brief. INSTRUCTION"

[facts]
lunch = "The lunch menu costs 42 lei."
parking = "Parking is behind the house."
"""

RESERVATION = {
    "reservationId": "r-1",
    "date": "2026-11-20",
    "time": "19:00",
    "guests": 4,
    "name": "Ana",
}

QUESTIONS = (
    "What is there for lunch today?",
    "Where can I park my car?",
    "When is my reservation?",
    "Hello there, good morning!",
    "I want to talk to a human please",
)
TABLE_QUESTION = "Is a table for four free on Friday?"
TABLE: dict[str, Any] = {"day": "2026-11-20", "guests": 4}
FREE = "18:00, 19:30"
"""What the tool has answered then."""


def business_file(folder: Path, *, instruction: str = "", name: str = "b1") -> Path:
    """Write the business's file with one more instruction; return it."""
    file = folder / f"{name}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(FILE.replace(" INSTRUCTION", f" {instruction}" if instruction else ""))
    return file


def reply_to(question: str, *, names_price: bool) -> str:
    """Return what the model says."""
    if "lunch" in question:
        price = " It costs 42 lei per person altogether." if names_price else ""
        return f"Today we have soup and roast chicken with fresh salad.{price}"
    if question == TABLE_QUESTION:
        return f"Free: {FREE}."
    if "park" in question:
        return "There is parking for guests behind the house."
    if "reservation" in question:
        return "Your table for 4 is on 2026-11-20 at 19:00."
    if "human" in question:
        return localized("en", Text.REQUESTED)
    return "Good morning! How may I help you?"


async def model(wire: Wire) -> None:
    """Answer a request as the model of these conversations does."""
    messages = wire.request.body["messages"]
    system = messages[0]["content"]
    if "You are the assistant of" not in system:
        await says('{"verdict": "human"}')(wire)
        return
    asked = [each["content"] for each in messages if each["role"] == "user"][-1]
    question = next((each for each in QUESTIONS if each in asked.rpartition("<customer")[2]), asked)
    has_result = messages[-1]["role"] == "tool"
    if TABLE_QUESTION in asked:
        result = str(messages[-1]["content"])
        if not has_result:
            table = TABLE if PRICES not in system else {**TABLE, "guests": 5}
            await calls("find_tables", **table)(wire)
        else:
            await says(f"Free: {FREE}." if FREE in result else "I could not look that up.")(wire)
        return
    if "reservation" in question and not has_result:
        await calls("get_reservations")(wire)
    elif "human" in question and not has_result:
        await calls("transfer_to_live_chat", reason="asked", summary="wants a human")(wire)
    elif "reservation" in question and "r-1" not in str(messages[-1]["content"]):
        await says("I cannot look that up at the moment.")(wire)
    else:
        await says(reply_to(question, names_price=PRICES in system))(wire)


class _Ids:
    def __init__(self, prefix: str) -> None:
        self._prefix, self._next = prefix, 0

    def __call__(self) -> str:
        self._next += 1
        return f"{self._prefix}-{self._next}"


async def record(
    store: Store, conversations: int, *, business: str = "b1", turns: int = 2
) -> list[str]:
    """Store conversations of several turns each; return the ids of their sessions."""
    return [
        await record_one(
            store,
            customer(business, f"u{number}"),
            [QUESTIONS[(number + turn) % 4] for turn in range(turns - 1)]
            + [QUESTIONS[(number + turns - 1) % 5]],
            at=BEGAN + timedelta(minutes=number),
        )
        for number in range(conversations)
    ]


async def record_one(
    store: Store, who: Customer, questions: Sequence[str], *, at: datetime = BEGAN
) -> str:
    """Store a conversation with these questions, answered by the model without prices."""
    session_id = SessionId(f"s-{who.business_id}-{who.user_id}")
    new_id = _Ids(str(session_id))
    session: Session | None = None

    def opened() -> Session:
        return Session(
            session_id=session_id,
            customer=who,
            location_id=LocationId("l1"),
            opened_at=at,
            updated_at=at,
        )

    for number, question in enumerate(questions):
        asked_at = at + timedelta(seconds=10 * number)
        draft = record_user_message(
            session, opened, MessageId(new_id()), question, asked_at, key=None
        )
        await store.append(draft, None)
        session = draft.session
        asked = draft.entries[-1]
        assert isinstance(asked, Message)
        result = _result(session, asked.message_id, question, new_id())
        if number % 2:
            result = replace(result, version=VERSION)
        context = DecisionContext(
            at=asked_at + timedelta(seconds=2),
            new_id=new_id,
            language="en",
            transfer_timeout_s=300.0,
        )
        answered = answer(session, result, context)
        assert answered is not None
        await store.append(answered, None)
        session = answered.session
    return str(session_id)


def _result(session: Session, asked: MessageId, question: str, response_id: str) -> TurnResult:
    tools: tuple[ToolUse, ...] = ()
    actions: tuple[Action, ...] = ()
    calls_made = 1
    result = TurnResult(
        session_id=session.session_id,
        epoch=session.epoch,
        settled_seq=session.settled_seq,
        settles_seq=session.last_user_seq,
        in_reply_to=(asked,),
        response_id=MessageId(response_id),
        text=reply_to(question, names_price=False),
    )
    if "reservation" in question:
        tools = (ToolUse(name="get_reservations", outcome=ToolOutcome.FOUND),)
        actions = ({"type": "reservations", "items": [RESERVATION]},)
        calls_made = 2
    if question == TABLE_QUESTION:
        tools = (
            ToolUse(
                name="find_tables",
                outcome=ToolOutcome.FOUND,
                arguments=json.dumps(TABLE),
                result=FREE,
            ),
        )
    if "human" in question:
        tools = (ToolUse(name="transfer_to_live_chat", outcome=ToolOutcome.DONE),)
        actions = ({"type": "live_chat", "status": "waiting"},)
        calls_made = 2
        result = replace(result, transfer=Reason.AI_DECISION, handover_note="wants a human")
    usage = Usage(
        model="m1",
        input_tokens=100 * calls_made,
        cached_tokens=64 * calls_made,
        output_tokens=20 * calls_made,
        calls=calls_made,
    )
    return replace(result, tools=tools, actions=actions, usage=usage)


def environment_of(url: str, **others: str) -> dict[str, str]:
    """Return the settings of a command that asks this model."""
    return {
        "ASSISTANT": "openai",
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": url,
        "OPENAI_MODEL": "m1",
        "LANGUAGE_DETECTION": "off",
        **others,
    }


def report_in(folder: Path) -> Any:
    """Return the report in a replay's folder."""
    return json.loads((folder / "report.json").read_text())
