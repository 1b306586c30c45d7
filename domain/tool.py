"""The tools that the AI may call: the server's own, and those of a business's servers."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct, field

from domain.digest import digest_of

ToolArguments = Mapping[str, object]
"""What a tool is called with: argument → JSON value."""

MAX_ARGUMENTS, MAX_TOOL_RESULT = 2_000, 4_000
"""Characters of a call's arguments as JSON, and of its result."""
OWN_TOOL_NAMES = frozenset(
    {"get_business", "get_reservations", "search_knowledge", "transfer_to_live_chat"}
)
"""The names of the server's own tools, which no other tool may have."""
MAX_BUSINESS_TOOLS = 40
"""The most tools of one business's servers."""
DEFAULT_CONFIRM_FOR = timedelta(days=2)
"""The time for which a question for a yes waits, unless the business says another."""


class Effect(StrEnum):
    """What a call of a tool may do outside."""

    READ = "read"
    """Nothing: it may be repeated."""
    WRITE = "write"
    """It changes something: it is called once for each decision to call it."""


class Confirmer(StrEnum):
    """The person whose yes a call needs before it is made."""

    CUSTOMER = "customer"
    COORDINATOR = "coordinator"


class Binding(StrEnum):
    """A fact of the session that is passed as an argument, and never taken from the model."""

    BUSINESS = "business"
    USER = "user"
    LOCATION = "location"
    SESSION = "session"


class LookUp(Struct, frozen=True, kw_only=True):
    """How the server of a tool is asked whether a call was made: by its idempotency key."""

    tool: str
    """A tool of the same server, by the server's name for it; it must change nothing."""
    argument: str
    """The argument that takes the key."""


class Tool(Struct, frozen=True, kw_only=True):
    """A tool, as the AI is told of it."""

    name: str
    """1-64 characters of [A-Za-z0-9_-], unique in a conversation."""
    description: str
    parameters: Mapping[str, object]
    """A JSON Schema, of an object: the arguments that the model chooses."""
    effect: Effect = Effect.READ
    confirm: Confirmer | None = None
    """Whose yes a call waits for; None: nobody's."""
    confirm_for: timedelta = DEFAULT_CONFIRM_FOR
    title: str = ""
    """What it does, in the business's words, for the question for a yes; empty: its name."""
    timeout_s: float = 15.0
    has_look_up: bool = False
    """True if it can be found out later whether a call was made."""


class AllowedTool(Struct, frozen=True, kw_only=True):
    """A tool of a business's server that the AI may call, and on which terms."""

    name: str
    """The server's name for it."""
    shown_name: str
    """The AI's name for it."""
    effect: Effect = Effect.WRITE
    confirm: Confirmer | None = None
    confirm_for: timedelta = DEFAULT_CONFIRM_FOR
    title: str = ""
    bound: Mapping[str, Binding] = field(default_factory=dict)
    """Argument → the fact of the session that it gets."""
    look_up: LookUp | None = None


class ToolServer(Struct, frozen=True, kw_only=True):
    """A business's own server of tools, which speaks MCP."""

    name: str
    url: str = ""
    """Of its streamable HTTP endpoint; empty: it is a program."""
    command: tuple[str, ...] = ()
    """The program and its arguments, spoken to by its standard input and output."""
    token_variable: str | None = None
    """The name of the environment variable with the bearer token; None: it needs none."""
    variables: tuple[str, ...] = ()
    """The environment variables that the program gets beside those that every program needs."""
    timeout_s: float = 15.0
    """The longest that a call may take."""
    tools: tuple[AllowedTool, ...] = ()


class Proposal(Struct, frozen=True, kw_only=True):
    """A call that is to wait for a person's yes."""

    tool: str
    what: str
    """What it does, in words: 1-500 characters."""
    title: str
    items: tuple[tuple[str, str], ...] = ()
    """The arguments that the model has chosen, for people: name and value."""
    arguments: str
    """A JSON object."""
    terms: str = ""
    """A digest of the terms on which it is allowed: see `terms_of`."""
    confirm: Confirmer
    confirm_for: timedelta = DEFAULT_CONFIRM_FOR


def terms_of(servers: Iterable[ToolServer], shown_name: str) -> str:
    """Return a digest of the server of a tool, and of the terms on which it is allowed.

    A yes is to these: the name alone may mean another tool later. Empty: there is no such tool.
    """
    for server in servers:
        for allowed in server.tools:
            if allowed.shown_name == shown_name:
                return digest_of((server.name, server.url, server.command, allowed))
    return ""
