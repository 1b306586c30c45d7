"""Refusals of servers, in their own words, and the change that each calls for."""

import pytest

from adapters.openai.adaptations import CALLS, CARRIED, Adaptation, adaptation_for

SENT = {
    "model", "messages", "tools", "stream", "stream_options", "max_completion_tokens",
    "reasoning_effort", "tool_choice", "store", "include", CALLS, CARRIED,
}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "text", "api", "expected"),
    [
        (400, "Function tools with reasoning_effort are not supported for gpt-5.6 in "
         "/v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort "
         "to 'none'.", "chat", Adaptation.USE_RESPONSES),
        (404, "This is not a chat model and thus not supported in the v1/chat/completions "
         "endpoint.", "chat", Adaptation.USE_RESPONSES),
        (404, "Not Found", "responses", Adaptation.USE_CHAT),
        (404, "The model `m` does not exist", "responses", None),
        (404, "The model `m` does not exist", "chat", None),
        (400, "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
         "responses", Adaptation.NO_EFFORT),
        (400, "Unsupported value: 'reasoning_effort' does not support 'none' with this model.",
         "chat", Adaptation.NO_EFFORT),
        (422, "{'detail': [{'type': 'extra_forbidden', 'loc': ['body', 'max_completion_tokens']}]}",
         "chat", Adaptation.MAX_TOKENS),
        (400, "Unrecognized request argument supplied: stream_options", "chat",
         Adaptation.NO_STREAM_OPTIONS),
        (400, "Your organization must be verified to stream this model.", "chat",
         Adaptation.NO_STREAM),
        (400, "Streaming is not supported for this model", "responses", Adaptation.NO_STREAM),
        (400, "Encrypted content is not supported with this model. param: 'include'", "responses",
         Adaptation.NO_INCLUDE),
        (400, "Unknown parameter: 'store'", "responses", Adaptation.NO_STORE),
        (400, "'messages.2' : for 'role:assistant' the following must be satisfied[('messages.2' "
         ": property 'reasoning_content' is unsupported)]", "chat", Adaptation.NO_CARRIED),
        (400, "registry.ollama.ai/library/gemma3:4b does not support tools", "chat",
         Adaptation.NO_TOOLS),
        (404, "No endpoints found that support tool use.", "chat", Adaptation.NO_TOOLS),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be '
         "set", "chat", Adaptation.NO_TOOLS),
        (500, "tools param requires --jinja flag", "chat", Adaptation.NO_TOOLS),
        (400, "System role not supported", "chat", Adaptation.NO_SYSTEM),
        (400, "Developer instruction is not enabled for models/gemma-3-27b-it", "chat",
         Adaptation.NO_SYSTEM),
        (400, "temperature must be between 0 and 2", "chat", None),
        (401, "stream_options", "chat", None),
        (429, "tools are not supported", "chat", None),
    ],
)  # fmt: skip
def test_a_refusal_is_answered_by_the_change_that_it_names(
    status: int, text: str, api: str, expected: Adaptation | None
) -> None:
    assert adaptation_for(status, text, api, SENT, set()) is expected  # type: ignore[arg-type]


def test_a_change_is_tried_once_and_only_where_it_changes_anything() -> None:
    text = "Unsupported parameter: stream_options"

    assert adaptation_for(400, text, "chat", {"tools"}, set()) is None
    tried = {Adaptation.NO_STREAM_OPTIONS}
    assert adaptation_for(400, text, "chat", SENT, tried) is None


def test_a_chat_model_that_cannot_be_asked_over_responses_goes_without_reasoning() -> None:
    text = "Function tools with reasoning_effort are not supported, use /v1/responses"
    fixed = {Adaptation.USE_RESPONSES}

    assert adaptation_for(400, text, "chat", SENT, fixed) is Adaptation.EFFORT_NONE
    fixed.add(Adaptation.EFFORT_NONE)
    assert adaptation_for(400, text, "chat", SENT, fixed) is Adaptation.NO_EFFORT
    fixed.add(Adaptation.NO_EFFORT)
    assert adaptation_for(400, text, "chat", SENT, fixed) is Adaptation.NO_TOOLS


def test_a_long_refusal_is_read_in_bounded_time() -> None:
    assert adaptation_for(400, "tools " * 100_000, "chat", SENT, set()) is None
