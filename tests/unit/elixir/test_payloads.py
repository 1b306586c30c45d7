"""The JSON of the bridge: the request that each notice becomes, and its body, byte for byte."""

from typing import Any

import msgspec
import pytest

from adapters.elixir.payloads import body_of, request_of
from domain.notice import NoticeContent, NoticeKind
from tests.support.notices import SAMPLES, notice


@pytest.mark.parametrize(("content", "body"), SAMPLES.values(), ids=SAMPLES)
def test_a_body_is_what_the_bridge_expects(content: NoticeContent, body: dict[str, Any]) -> None:
    assert msgspec.json.encode(body_of(notice(content))) == msgspec.json.encode(body)


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (NoticeKind.CONVERSATION, ("POST", "/api/ai-conversation")),
        (NoticeKind.CONTEXT, ("POST", "/api/ai-context")),
        (NoticeKind.STATUS, ("PUT", "/api/conversation-status/s1")),
        (NoticeKind.TRANSFER, ("POST", "/api/notifications")),
        (NoticeKind.MISSED, ("POST", "/api/notifications")),
        (NoticeKind.CONFIRMATION, ("POST", "/api/notifications")),
        (NoticeKind.RATING, ("POST", "/api/notifications")),
        (NoticeKind.RELAY, None),
    ],
)
def test_each_kind_of_notice_is_its_own_call(
    kind: NoticeKind, call: tuple[str, str] | None
) -> None:
    contents = [content for content, _ in SAMPLES.values() if content.kind is kind]
    requests = [request_of(notice(content)) for content in contents]

    assert contents
    assert {request and request[:2] for request in requests} == {call}
