"""The reasons for which models end an answer, as their servers spell them.

Only an answer that ended by itself is whole; a reason that is not known here is taken for a fault.
"""

from enum import Enum, auto


class End(Enum):
    """The way in which an answer has ended."""

    WHOLE = auto()
    CUT = auto()
    """It would have gone on."""
    WITHHELD = auto()
    """The provider's filter has removed it, or the rest of it."""
    BROKEN = auto()
    """The server, or the model, failed in the middle."""


_SPELLINGS = {
    End.WHOLE: (
        # Chat Completions: platform.openai.com/docs/api-reference/chat/object
        "stop", "tool_calls", "function_call",
        # Messages: docs.anthropic.com/en/api/handling-stop-reasons
        "end_turn", "stop_sequence", "tool_use",
        # Responses' `status`; text-generation-inference; Cohere; AI21, watsonx
        "completed", "eos_token", "complete", "end", "eos", "stop_token", "finish", "finished",
        # xAI, Gemini's own spelling where a proxy leaves it
        "tool_call", "finish_reason_stop",
    ),
    End.CUT: (
        "length", "max_tokens", "max_output_tokens",
        # Mistral: docs.mistral.ai/api, FinishReason
        "model_length",
        # docs.anthropic.com/en/api/handling-stop-reasons
        "model_context_window_exceeded", "pause_turn",
        # xAI; watsonx
        "max_len", "token_limit", "max_completion_tokens", "finish_reason_max_tokens",
    ),
    End.WITHHELD: (
        "content_filter", "refusal",
        # ai.google.dev/api/generate-content#FinishReason
        "safety", "recitation", "blocklist", "prohibited_content", "spii", "image_safety",
        "language", "content_filtered",
        # Bedrock; Zhipu: docs.z.ai, finish_reason
        "guardrail_intervened", "sensitive",
    ),
    End.BROKEN: (
        # openrouter.ai/docs/api/reference/errors-and-debugging; DeepSeek: api-docs.deepseek.com
        "error", "insufficient_system_resource", "network_error",
        # vLLM, SGLang
        "abort", "cancelled", "canceled", "timeout",
        # ai.google.dev/api/generate-content#FinishReason
        "malformed_function_call", "unexpected_tool_call", "too_many_tool_calls", "other",
        "finish_reason_unspecified", "malformed_response", "missing_thought_signature",
    ),
}  # fmt: skip
_ENDS = {spelling: end for end, spellings in _SPELLINGS.items() for spelling in spellings}


def end_of(reason: str) -> End:
    """Return what a finish reason means; "", where the server gives none, is whole."""
    return _ENDS.get(reason.lower(), End.BROKEN) if reason else End.WHOLE
