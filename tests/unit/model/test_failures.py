"""Servers' errors: how they are classified, and which of their text is repeated."""

from typing import Any

import pytest

from adapters.model.failures import AttemptFailed, Recovery, classify_error


@pytest.mark.parametrize(
    ("status", "error", "recovery", "is_outage"),
    [
        (400, {"code": "context_length_exceeded"}, Recovery.SHORTEN, False),
        (400, {"message": "The maximum context length is 9"}, Recovery.SHORTEN, False),
        (413, None, Recovery.SHORTEN, False),
        (400, {"code": "invalid_value"}, Recovery.FALLBACK, False),
        (401, {"code": "invalid_api_key"}, Recovery.FALLBACK, True),
        (403, None, Recovery.FALLBACK, True),
        (404, {"code": "model_not_found"}, Recovery.FALLBACK, True),
        (408, None, Recovery.RETRY, True),
        (409, None, Recovery.RETRY, True),
        (429, {"type": "tokens", "code": "rate_limit_exceeded"}, Recovery.RETRY, True),
        (429, {"type": "insufficient_quota", "code": None}, Recovery.FALLBACK, True),
        (429, {"code": "insufficient_quota"}, Recovery.FALLBACK, True),
        (307, None, Recovery.FALLBACK, False),
        (500, "<html>", Recovery.RETRY, True),
        (529, {"type": "overloaded_error"}, Recovery.RETRY, True),
    ],
)  # fmt: skip
def test_an_error_decides_how_to_recover(
    status: int, error: Any, recovery: Recovery, is_outage: bool
) -> None:
    failed = classify_error(status, error)

    assert (failed.recovery, failed.is_outage) == (recovery, is_outage)
    assert str(failed).startswith(f"HTTP {status}")


def test_only_codes_of_an_error_are_repeated() -> None:
    reasons = [
        str(classify_error(400, {"code": code, "message": "MARKER"}))
        for code in ("sk-MARKER", "MARKER", 7, None, {"a": 1}, "x" * 65, "bad_thing\nMARKER")
    ]

    assert reasons == ["HTTP 400"] * len(reasons)


def test_status_code_type_and_parameter_are_named() -> None:
    error = {"code": "unsupported_parameter", "type": "invalid_request_error", "param": "tools[0]"}

    assert str(classify_error(400, error)) == (
        "HTTP 400, code unsupported_parameter, type invalid_request_error, param tools[0]"
    )
    assert str(classify_error(429, {"status": "RESOURCE_EXHAUSTED", "param": "a b"})) == (
        "HTTP 429, status RESOURCE_EXHAUSTED"
    )


@pytest.mark.parametrize(
    ("failed", "kind"),
    [
        (classify_error(401, {"code": "invalid_api_key"}), "refused"),
        (classify_error(429, {"code": "insufficient_quota"}), "refused"),
        (classify_error(429, {"code": "rate_limit_exceeded"}), "rate_limited"),
        (classify_error(503, None), "unavailable"),
        (classify_error(400, {"code": "context_length_exceeded"}), "too_long"),
        (classify_error(400, {"code": "content_filter"}), "filtered"),
        (classify_error(400, {"code": "invalid_value"}), "unusable"),
        (AttemptFailed("nothing came", is_slow=True), "slow"),
        (AttemptFailed("the answer broke off"), "unavailable"),
        (AttemptFailed("the answer was empty", is_outage=False), "unusable"),
    ],
)
def test_a_failure_has_a_kind_for_the_metrics(failed: AttemptFailed, kind: str) -> None:
    assert failed.kind == kind
