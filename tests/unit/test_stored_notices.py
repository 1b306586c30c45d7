"""Notices as they are stored now, and as the former version stored them."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from adapters.stored_notices import notice_from
from domain.notice import NoticeContent, NoticeKind
from tests.support.notices import ANA, AT, SAMPLES, notice

LATER = (NoticeKind.MISSED, NoticeKind.CONFIRMATION, NoticeKind.RATING)
FORMER = {name: each for name, each in SAMPLES.items() if each[0].kind not in LATER}
"""Those of the kinds that the former version had."""

by_json = pytest.param(lambda value: msgspec.json.decode(msgspec.json.encode(value)), id="json")
by_msgpack = pytest.param(
    lambda value: msgspec.msgpack.decode(msgspec.msgpack.encode(value)), id="msgpack"
)
stored_as = pytest.mark.parametrize("stored", [by_json, by_msgpack])
Stored = Callable[[Any], dict[str, Any]]


def former(kind: str, body: object) -> dict[str, Any]:
    """A notice as the former version stored it, which had null for a summary that there is not."""
    if isinstance(body, dict) and body.get("summary") == "-":
        body = {**body, "summary": None}
    return {
        "notice_id": "n1",
        "session_id": "s1",
        "customer": ANA,
        "position": 10,
        "kind": kind,
        "body": body,
        "due_at": AT,
        "attempts": 0,
    }


@stored_as
@pytest.mark.parametrize("content", [content for content, _ in SAMPLES.values()], ids=SAMPLES)
def test_a_notice_comes_back_as_it_was_stored(content: NoticeContent, stored: Stored) -> None:
    assert notice_from(stored(notice(content))) == notice(content)


@stored_as
@pytest.mark.parametrize(("content", "body"), FORMER.values(), ids=FORMER)
def test_a_notice_of_the_former_version_is_read(
    content: NoticeContent, body: dict[str, Any], stored: Stored
) -> None:
    assert notice_from(stored(former(content.kind, body))) == notice(content)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("conversation", {}),
        ("conversation", None),
        ("context", {"context": []}),
        ("transfer", {"transferId": "t1", "reason": "?", "timestamp": 1, "context": {}}),
        ("relay", {"message": 1, "timestamp": "now", "messageId": "m1"}),
        ("later", {"message": "Bună!"}),
        ([], {}),
    ],
)
def test_what_no_version_has_stored_is_refused(kind: Any, body: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        notice_from(former(kind, body))


@pytest.mark.parametrize("content", [content for content, _ in SAMPLES.values()], ids=SAMPLES)
def test_a_notice_takes_up_no_more_room_than_by_the_former_version(content: NoticeContent) -> None:
    body = next(body for each, body in SAMPLES.values() if each is content)
    before = {"customer": ANA, "position": 10, "kind": content.kind, "body": body, "due_at": AT}
    now = {"customer": ANA, "position": 10, "content": content, "due_at": AT}

    assert len(msgspec.msgpack.encode(now)) <= len(msgspec.msgpack.encode(before))
