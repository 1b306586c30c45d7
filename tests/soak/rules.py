"""What must hold at the end, read from where it is stored and not from what clients believe."""

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from tests.soak.customers import BUSINESS, Customer

Entry = dict[str, Any]
_AUDIENCES = ("all", "customer+coordinator")
"""Of the entries that a customer is shown."""


async def stored(api: httpx.AsyncClient, customer: Customer) -> dict[str, list[Entry]]:
    """Return all that is stored of a customer: the entries of each session, in order."""
    listed = await api.get(
        "/api/conversations", params={"businessId": BUSINESS, "userId": customer.user_id}
    )
    listed.raise_for_status()
    return {
        head["sessionId"]: [each async for each in _entries(api, head["sessionId"])]
        for head in listed.json()["conversations"]
    }


async def _entries(api: httpx.AsyncClient, session_id: str) -> AsyncIterator[Entry]:
    after = 0
    while True:
        page = await api.get(
            f"/api/conversations/{session_id}/messages", params={"after": after, "limit": 200}
        )
        page.raise_for_status()
        for entry in page.json()["messages"]:
            after = entry["seq"]
            yield entry
        if not page.json()["more"]:
            return


def broken(customer: Customer, sessions: dict[str, list[Entry]]) -> Iterator[str]:
    """What must hold at any time, and does not."""
    who = customer.user_id
    places: dict[str, list[tuple[str, int]]] = {}
    for session_id, entries in sessions.items():
        seqs = [entry["seq"] for entry in entries]
        if seqs != list(range(1, len(seqs) + 1)):
            yield f"{who}: the entries of {session_id} are not numbered without gaps: {seqs}"
        numbers = []
        for entry in _said(entries, "user"):
            places.setdefault(entry["messageId"], []).append((session_id, entry["seq"]))
            numbers.append(int(entry["messageId"].rpartition("-")[2]))
        answers = Counter(each for entry in entries for each in entry.get("inReplyTo", ()))
        for message_id, count in answers.items():
            if count > 1:
                yield f"{message_id} has {count} answers"
        if numbers != sorted(numbers):
            yield f"{who}: messages are not stored in the order in which they were sent: {numbers}"
        if numbers and numbers[-1] > customer.sent:
            yield f"{who}: a message is stored that was not sent: {numbers[-1]}"
    for message_id, found in places.items():
        if len(found) > 1:
            yield f"{message_id} is stored {len(found)} times"
    for message_id, place in customer.acknowledged.items():
        if (at := places.get(message_id)) != [place]:
            yield f"{message_id} was acknowledged at {place}, and is stored at {at}"


def unsettled(
    customer: Customer, sessions: dict[str, list[Entry]], at_bridge: Collection[str]
) -> Iterator[str]:
    """What must hold after a while without faults, and does not yet."""
    for session_id, entries in sessions.items():
        answered = {each for entry in entries for each in entry.get("inReplyTo", ())}
        status, status_seq = "ai", 0
        at: list[tuple[Entry, str]] = []
        for entry in entries:
            if entry["kind"] == "status":
                status, status_seq = entry["status"], entry["seq"]
            elif entry["author"] == "user":
                at.append((entry, status))
        for entry, then in at:
            message_id = entry["messageId"]
            if then == "ai" and message_id not in answered and entry["seq"] > status_seq:
                yield f"{message_id} has no answer"
            if then == "live" and message_id not in at_bridge:
                yield f"{message_id} of a live chat is not at the bridge"
        if status == "waiting":
            yield f"{customer.user_id} waits for a human, while coordinators are there"
        view = customer.views.get(session_id)
        shown = [each for each in entries if each.get("audience", "all") in _AUDIENCES]
        missing = [each["seq"] for each in shown if view is None or each["seq"] not in view.entries]
        if missing:
            yield f"{customer.user_id} was not shown {missing} of {session_id}"
        elif view is not None:
            for each in shown:
                if each.get("message") != view.entries[each["seq"]].get("message"):
                    yield f"{customer.user_id} was shown another text at {each['seq']}"


def lost_of_coordinators(written: Collection[str], all_entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the messages that the bridge has acknowledged, and the server has not exactly once."""
    counts = Counter(entry["messageId"] for entry in _said(all_entries, "coordinator"))
    for message_id in written:
        if counts[message_id] != 1:
            yield f"{message_id} of a coordinator is stored {counts[message_id]} times"


def received_by_bridge(database: Path) -> set[str]:
    """Return the ids of all messages that the reference bridge has stored."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as read:
        return {message_id for (message_id,) in read.execute("SELECT message_id FROM words")}


def _said(entries: Sequence[Entry], author: str) -> list[Entry]:
    return [entry for entry in entries if entry["kind"] == "message" and entry["author"] == author]
