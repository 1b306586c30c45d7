"""What a server refuses of a request, and how the request is changed then.

A change is tried at once, and remembered for a while once the server has then answered, unless the
server has answered a request without it before: a refusal may quote a customer, whose words must
not change the requests of others. The table is read from the top: the first line that fits the
refusal, and was not tried yet, is tried.
"""

import re
from collections.abc import Collection
from enum import StrEnum
from typing import Literal, NamedTuple

ApiName = Literal["chat", "responses"]


class Adaptation(StrEnum):
    """A change of the request; the value says for the operator what the server refuses."""

    USE_RESPONSES = "Chat Completions with tools: Responses is used"
    USE_CHAT = "Responses: Chat Completions is used"
    EFFORT_NONE = "tools with reasoning: the model answers without reasoning"
    NO_EFFORT = "reasoning_effort"
    MAX_TOKENS = "max_completion_tokens: max_tokens is sent"
    NO_STREAM_OPTIONS = "stream_options"
    NO_STREAM = "stream: answers come whole"
    NO_STORE = "store"
    NO_INCLUDE = "include: the model's thoughts are not carried from call to call"
    NO_TOOL_CHOICE = "tool_choice"
    NO_TOOLS = "tools: nothing is looked up, and no human is called by the model"
    NO_SYSTEM = "the system role: the rules stand in the first message"
    NO_CARRIED = "what came with a call: it is not sent back"
    CALLS_AS_TEXT = "calls without what came with others: they are sent back as text"


COSTLY = (Adaptation.NO_STREAM, Adaptation.NO_TOOLS)
"""Changes that customers notice, so that the operator should know."""


class _Refusal(NamedTuple):
    change: Adaptation
    says: re.Pattern[str]
    """Of the error's text, in lower case."""
    api: ApiName | None = None
    """None: both."""


def _refusal(change: Adaptation, says: str, api: ApiName | None = None) -> _Refusal:
    return _Refusal(change, re.compile(says, re.DOTALL), api)


_NOT = (
    r"(?:not|n't|un)[ -]?(?:be |yet |currently )*"
    r"(?:support|allow|permit|available|recogni[sz]ed|known|enabled)"
)


def _either_way(subject: str) -> str:
    """Return the pattern of a sentence that says that `subject` is not supported."""
    return rf"\b{subject}.{{0,60}}{_NOT}|{_NOT}.{{0,60}}\b{subject}"


_TABLE = (
    # OpenAI: BerriAI/litellm#34569, openai/openai-openapi#541
    _refusal(
        Adaptation.USE_RESPONSES,
        r"/v1/responses|only (?:supported|available) in .*responses|not a chat model",
        "chat",
    ),
    _refusal(Adaptation.EFFORT_NONE, r"tools.*reasoning_effort|reasoning_effort.*tools", "chat"),
    # Each model has its own values, and many have none: Kilo-Org/cloud#3807
    _refusal(Adaptation.NO_EFFORT, r"reasoning[_.]effort|['\"](?:effort|reasoning)['\"]"),
    _refusal(Adaptation.MAX_TOKENS, r"max_completion_tokens", "chat"),
    # Mistral, and gateways that forbid what they do not know: "extra_forbidden", with its place
    _refusal(Adaptation.NO_STREAM_OPTIONS, r"stream_options", "chat"),
    # OpenAI: "Your organization must be verified to stream this model"
    _refusal(
        Adaptation.NO_STREAM,
        r"\bto stream\b|param['\"]?: ?['\"]stream['\"]|" + _either_way(r"stream(?:ing)?\b"),
    ),
    _refusal(Adaptation.NO_INCLUDE, r"encrypted_content|['\"]include['\"]", "responses"),
    _refusal(Adaptation.NO_STORE, r"['\"]store['\"]|" + _either_way(r"store\b"), "responses"),
    # Groq: "property 'reasoning' is unsupported"; Mistral: "extra_forbidden"
    _refusal(
        Adaptation.NO_CARRIED,
        r"reasoning_content|reasoning_details|extra_content|thought_signature|property 'reasoning",
    ),
    # Gemini, DeepSeek and Kimi, of a call that the model has written as text: it had no such thing
    _refusal(Adaptation.CALLS_AS_TEXT, r"reasoning_content|thought_signature", "chat"),
    _refusal(Adaptation.NO_TOOL_CHOICE, r"tool_choice['\"]?[^.]{0,40}\bnone\b"),
    # ollama/ollama#5793; openrouter.ai/docs, tool calling; docs.vllm.ai, tool calling; llama.cpp
    _refusal(
        Adaptation.NO_TOOLS,
        r"support tool|tool use|enable-auto-tool-choice|tool-call-parser|function calling|--jinja|"
        + _either_way(r"tools?\b"),
    ),
    # Templates such as Gemma's: "System role not supported"
    _refusal(
        Adaptation.NO_SYSTEM,
        r"developer instruction|" + _either_way("system (?:role|message|instruction)"),
        "chat",
    ),
)

_STATUSES = (400, 404, 405, 415, 422, 500, 501)
_ABSENT = (404, 405, 501)


def adaptation_for(
    status: int, text: str, api: ApiName, sent: Collection[str], changes: Collection[str]
) -> Adaptation | None:
    """Return the change with which a refused request may be accepted; None: there is none.

    `text`: the body of the refusal. `sent`: the parameters of the request, and CARRIED and CALLS.
    `changes`: what was changed already.
    """
    if status not in _STATUSES:
        return None
    text = text[:4_000].lower()
    for refusal in _TABLE:
        if (
            refusal.api in (None, api)
            and refusal.change not in changes
            and _applies(refusal.change, sent)
            and refusal.says.search(text)
        ):
            return refusal.change
    if api == "responses" and status in _ABSENT and "model" not in text:
        return Adaptation.USE_CHAT
    return None


def needless(api: ApiName, sent: Collection[str], changes: Collection[str]) -> set[Adaptation]:
    """Return the changes that a server does not need, which has answered this request.

    Where it had no tools, none: what is refused may depend on them.
    """
    if "tools" not in sent:
        return set()
    found = {each.change for each in _TABLE if each.api in (None, api)}
    if api == "responses":
        found.add(Adaptation.USE_CHAT)
    return {each for each in found if each not in changes and _applies(each, sent)}


_QUOTING = {"input", "failed_generation"}
"""Of FastAPI's errors, and of Groq's: what was sent, or written by the model."""


def own_words(body: object) -> str:
    """Return the body of a refusal as text, without the fields that quote the conversation."""
    try:
        return str(_without_quotes(body))
    except RecursionError:
        return ""


def _without_quotes(body: object) -> object:
    if isinstance(body, dict):
        return {key: _without_quotes(body[key]) for key in body if key not in _QUOTING}
    return [_without_quotes(each) for each in body] if isinstance(body, list) else body


CARRIED, CALLS = "what came with calls", "calls"
"""What a request may have besides its parameters."""
# Without these a change would change nothing.
_NEEDS = {
    Adaptation.EFFORT_NONE: "tools",
    Adaptation.NO_EFFORT: "reasoning_effort",
    Adaptation.NO_STREAM_OPTIONS: "stream_options",
    Adaptation.MAX_TOKENS: "max_completion_tokens",
    Adaptation.NO_STORE: "store",
    Adaptation.NO_INCLUDE: "include",
    Adaptation.NO_TOOLS: "tools",
    Adaptation.NO_TOOL_CHOICE: "tool_choice",
    Adaptation.NO_CARRIED: CARRIED,
    Adaptation.CALLS_AS_TEXT: CALLS,
}


def _applies(change: Adaptation, sent: Collection[str]) -> bool:
    needed = _NEEDS.get(change)
    return (
        needed is None or needed in sent or (needed == "reasoning_effort" and "reasoning" in sent)
    )
