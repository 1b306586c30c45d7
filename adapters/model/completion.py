"""A completion: what is asked of a model, what it answers, and the client that a provider needs.

Messages and tools have the shape of OpenAI's Chat Completions, which nearly every server speaks;
the client of one that does not translates them.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import msgspec

from adapters.json_text import NOT_JSON, decode_json
from adapters.model.failures import AttemptFailed, Recovery
from domain.usage import Usage

PromptMessage = dict[str, Any]
"""`{"role", "content", …}`"""


class Deadline:
    """A moment by which an answer must be there."""

    def __init__(self, seconds: float) -> None:
        self._at = asyncio.get_running_loop().time() + seconds

    @property
    def left_s(self) -> float:
        """The seconds that are left, at least 0."""
        return max(0.0, self._at - asyncio.get_running_loop().time())


@dataclass(slots=True, kw_only=True)
class CompletionRequest:
    """A request for one answer, which may take several completions."""

    models: Sequence[str]
    """The models in order of preference; one that has failed is not used again for this answer."""
    deadline: Deadline
    messages: list[PromptMessage]
    shorten: Callable[[], list[PromptMessage] | None] = lambda: None
    """Returns fewer messages, for a model whose context is too small; None: it cannot be less."""
    max_tokens: int
    tools: Sequence[object] = ()
    tools_allowed: bool = True
    on_text: Callable[[str], None] = lambda piece: None
    """Called with each piece of the text as it arrives."""
    on_restart: Callable[[], None] = lambda: None
    """Called when the completion starts over: the text so far is void."""
    usage: Usage = field(default_factory=Usage)
    """The cost so far, failed attempts included."""
    dropped_parameters: set[str] = field(default_factory=set)
    """The parameters that the server seems not to know."""


class ToolCall:
    """A model's call of a tool, with its arguments as they came: JSON, if all is well."""

    __slots__ = ("arguments", "call_id", "name")

    def __init__(self, call_id: str = "", name: str = "", arguments: str = "") -> None:
        self.call_id = call_id
        self.name = name
        self.arguments = arguments

    @property
    def is_whole(self) -> bool:
        """True if the arguments are complete."""
        return self._decoded() is not None

    @property
    def is_object(self) -> bool:
        """True if the arguments are a JSON object, as they must be."""
        return isinstance(self._decoded(), dict)

    def _decoded(self) -> Any:
        try:
            return decode_json(msgspec.json.decode, self.arguments)
        except NOT_JSON:
            return None


@dataclass(slots=True)
class Completion:
    """A model's answer to one request."""

    text: list[str] = field(default_factory=list)
    """The text, in the pieces in which it arrived."""
    calls: list[ToolCall] = field(default_factory=list)
    finish: str = ""
    """The finish reason: `stop`, `tool_calls`, `length`, `content_filter`; "": unknown."""

    @property
    def is_cut(self) -> bool:
        """True if the answer would have gone on."""
        return self.finish == "length"

    def check(self) -> None:
        """Raises: AttemptFailed, if it is of no use."""
        if self.finish == "content_filter":
            reason = "the provider's content filter withheld the answer"
            raise AttemptFailed(reason, Recovery.FALLBACK, is_outage=False)
        if self.calls or any(map(str.strip, self.text)):
            return
        if self.is_cut:
            reason = "all tokens of the answer were spent before its first word"
            raise AttemptFailed(reason, Recovery.FALLBACK, is_outage=False)
        raise AttemptFailed("the answer was empty", is_outage=False)


class CompletionClient(Protocol):
    """A client of a provider's API; it is used as `async with client:`."""

    @abstractmethod
    async def __aenter__(self) -> Self:
        """Make the client ready. Raises: AssistantFailed, for settings that cannot be right."""

    @abstractmethod
    async def __aexit__(self, *exc: object) -> None:
        """Close its connections."""

    @abstractmethod
    async def attempt(
        self, model: str, request: CompletionRequest, patience_s: float, *, is_last: bool
    ) -> Completion:
        """Make one request, and return its completion, which may be of no use.

        Adds what it has cost to `request.usage`, also when it fails. It waits up to `patience_s`
        for the first sign of life and, if it `is_last`, for each further one, but never past the
        request's deadline. Raises: AttemptFailed.
        """
