"""A completion: what is asked of a model, what it answers, and the client that a model needs.

Messages and tools have the shape of OpenAI's Chat Completions, which nearly every server speaks;
the client of another API translates them.
"""

import asyncio
import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import msgspec

from adapters.json_text import NOT_JSON, decode_json
from adapters.model.ends import End, end_of
from adapters.model.failures import AttemptFailed, Recovery, shown_code
from domain.usage import Usage

PromptMessage = dict[str, Any]
"""`{"role", "content"}`"""
ToolSpec = dict[str, Any]
"""`{"type": "function", "function": {"name", "description", "parameters"}}`"""


class Deadline:
    """A moment by which an answer must be there."""

    def __init__(self, seconds: float) -> None:
        self._at = asyncio.get_running_loop().time() + seconds

    @property
    def left_s(self) -> float:
        """The seconds that are left, at least 0."""
        return max(0.0, self._at - asyncio.get_running_loop().time())


class ToolCall:
    """A model's call of a tool, with its arguments as they came: JSON, if all is well."""

    __slots__ = ("arguments", "call_id", "carried", "name")

    def __init__(self, call_id: str = "", name: str = "", arguments: str = "") -> None:
        self.call_id = call_id
        self.name = name
        self.arguments = arguments
        self.carried: dict[str, Any] = {}
        """The other fields that came with it, which its server wants back with its result."""

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


_not_in_names = re.compile(r"[^A-Za-z0-9_-]+")


def sendable_calls(calls: Sequence[ToolCall]) -> list[ToolCall]:
    """Return calls for sending them back, of which servers are stricter than when they send them.

    Ids that are empty or not unique are replaced, by nine letters and digits as Mistral demands.
    """
    ids = {call.call_id for call in calls}
    are_unique = len(ids) == len(calls) and "" not in ids
    sendable = []
    for number, call in enumerate(calls):
        sent = ToolCall(
            call.call_id if are_unique else f"call{number:05}",
            _not_in_names.sub("_", call.name)[:64] or "unknown",
            call.arguments if call.is_object else "{}",
        )
        sent.carried = call.carried
        sendable.append(sent)
    return sendable


@dataclass(slots=True)
class ToolRound:
    """A completion that has called tools, and their results, as they go back to the model."""

    author: str
    """Who has called: what is `carried` is of no use to another model, or over another API."""
    text: str
    calls: list[ToolCall]
    """With unique ids, legal names, and objects as arguments."""
    results: list[str]
    carried: dict[str, Any]

    @classmethod
    def of(cls, completion: "Completion", results: list[str]) -> "ToolRound":
        """Return the round that a completion and the results of its calls make."""
        return cls(
            completion.author,
            "".join(completion.text),
            sendable_calls(completion.calls),
            results,
            completion.carried,
        )


@dataclass(slots=True, kw_only=True)
class CompletionRequest:
    """A request for one answer, which may take several completions."""

    models: Sequence["CompletionClient"]
    """The models in order of preference; one that has failed is not used again for this answer."""
    deadline: Deadline
    messages: list[PromptMessage]
    shorter: Callable[[], list[PromptMessage]] | None = None
    """Returns fewer messages, for a model whose context is too small; None: there cannot be."""
    rounds: list[ToolRound] = field(default_factory=list)
    """What follows the messages."""
    max_tokens: int
    tools: Sequence[ToolSpec] = ()
    tools_allowed: bool = True
    on_text: Callable[[str], None] = lambda piece: None
    """Called with each piece of the text as it arrives."""
    on_restart: Callable[[], None] = lambda: None
    """Called when the completion starts over: the text so far is void."""
    usage: Usage = field(default_factory=Usage)
    """The cost so far, failed attempts included."""
    changes: set[str] = field(default_factory=set)
    """What is tried for this answer, as the server has refused the request without it."""

    @property
    def tool_names(self) -> set[str]:
        """The names of the tools that the model may call."""
        return {str(tool["function"]["name"]) for tool in self.tools}


@dataclass(slots=True)
class Completion:
    """A model's answer to one request."""

    text: list[str] = field(default_factory=list)
    """The text that customers may see, in the pieces in which it arrived."""
    calls: list[ToolCall] = field(default_factory=list)
    finish: str = ""
    """The finish reason as the server spells it; "": unknown."""
    is_refused: bool = False
    """True if the model has declined to answer, in words that are not for customers."""
    author: str = ""
    """The model, and the API, that it came from."""
    carried: dict[str, Any] = field(default_factory=dict)
    """What else came with the message, which the server wants back with the results of the calls:
    thoughts and their signatures."""

    @property
    def end(self) -> End:
        """The way in which it has ended."""
        return end_of(self.finish)

    @property
    def is_cut(self) -> bool:
        """True if the answer would have gone on."""
        return self.end is End.CUT

    @property
    def has_text(self) -> bool:
        """True if there is anything to read."""
        return any(map(str.strip, self.text))

    def check(self) -> None:
        """Raises: AttemptFailed, if it is of no use."""
        if self.end is End.WITHHELD:
            reason = "the provider's content filter withheld the answer"
            raise AttemptFailed(reason, Recovery.FALLBACK, is_outage=False, is_filtered=True)
        if self.end is End.BROKEN:
            raise AttemptFailed(f"the answer ended with {shown_code(self.finish)}")
        if self.calls or self.has_text or self.is_refused:
            return
        if self.is_cut:
            reason = "all tokens of the answer were spent before its first word"
            raise AttemptFailed(reason, Recovery.FALLBACK, is_outage=False)
        raise AttemptFailed("the answer was empty", is_outage=False)


class CompletionClient(Protocol):
    """A client of one model; it is used as `async with client:`."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The model's name."""

    @property
    @abstractmethod
    def limits(self) -> Sequence[str]:
        """What the server has been found not to accept, so that customers notice; in words."""

    @abstractmethod
    async def __aenter__(self) -> Self:
        """Make the client ready. Raises: AssistantFailed, for settings that cannot be right."""

    @abstractmethod
    async def __aexit__(self, *exc: object) -> None:
        """Close its connections."""

    @abstractmethod
    async def attempt(
        self, request: CompletionRequest, patience_s: float, *, is_last: bool
    ) -> Completion:
        """Make one request, and return its completion, which may be of no use.

        Adds what it has cost to `request.usage`, also when it fails. It waits up to `patience_s`
        for the first sign of life and, if it `is_last`, for each further one, but never past the
        request's deadline.
        Raises: AttemptFailed; with Recovery.ADAPT, the next attempt differs.
        """
