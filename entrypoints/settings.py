"""The configuration: every environment variable of the server and the bridge, in one table."""

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from adapters.model_choices import (
    OPENAI_URL,
    ApiChoice,
    ReasoningEffort,
    check_base_url,
    model_choices,
    model_key,
)
from adapters.urls import shown_url

_ENV_LINE = re.compile(
    r"""(?P<name>[A-Za-z_]\w*)=(?:(?P<quote>["'])(?P<quoted>.*)(?P=quote)"""
    r"""|(?P<plain>[^"'\s].*?)?(?:\s+\#.*)?)""",
    re.ASCII,
)


_HTTP_URL = r"^(https?://[^\s/]\S*)?$"
_SOCKET_URL = r"^wss?://[^\s/]\S*$"
_ORIGIN = (
    r"([A-Za-z][A-Za-z0-9+.-]*:)?//((\*\.)?[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?"
    r"|\[[0-9A-Fa-f:]+(\.[0-9.]+)?\])"
    r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?/?"
)


_TIME_ZONE_NAME = "the IANA name of a time zone, such as Europe/Bucharest"

_OTHERS_VARIABLES = ("AWS_", "CHAT_TOKEN", "OPENAI_LOG", "PYTHON", "SSL_CERT_")
"""The beginnings of variables that libraries read, or the command line itself."""


class BadSetting(ValueError):
    """A variable has an invalid value; the text is one line that names it and says why."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings. The field `server_port` is the variable `SERVER_PORT`."""

    server_host: Annotated[str, msgspec.Meta(min_length=1, description="address to listen on")] = (
        "127.0.0.1"
    )
    server_port: Annotated[
        int, msgspec.Meta(ge=0, le=65_535, description="port to listen on; 0 picks a free one")
    ] = 3001
    workers: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=256,
            description="processes that serve together on this machine; not with STORE=memory",
        ),
    ] = 1
    broker: Annotated[
        Literal["none", "local", "redis"],
        msgspec.Meta(
            description="how processes hear of each other: none, where there is one; "
            "local between the WORKERS of one machine (chosen by itself); redis between machines"
        ),
    ] = "none"
    redis_url: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^(rediss?|unix)://\S*$",
            title="an address that begins with redis://, rediss:// or unix://",
            description="URL of the Redis or Valkey server of BROKER=redis",
        ),
    ] = "redis://localhost:6379/0"
    node_name: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[A-Za-z0-9_.-]{0,64}$",
            title="up to 64 characters of [A-Za-z0-9_.-], or empty",
            description="name of this machine among the others, in logs; empty: the host's",
        ),
    ] = ""
    store: Annotated[
        Literal["sqlite", "memory", "dynamodb"],
        msgspec.Meta(
            description="where conversations are stored; memory loses them when the process ends"
        ),
    ] = "sqlite"
    sqlite_path: Annotated[
        str, msgspec.Meta(min_length=1, description="the database file of STORE=sqlite")
    ] = "data/conversations.sqlite3"
    sqlite_synchronous: Annotated[
        Literal["full", "normal"],
        msgspec.Meta(
            description="full: acknowledged messages survive a power cut; "
            "normal: they survive a crash of the process"
        ),
    ] = "full"
    dynamodb_table: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[A-Za-z0-9_.-]{3,255}$",
            title="3 to 255 characters of [A-Za-z0-9_.-]",
            description="the table of STORE=dynamodb; `ai-agent-server table create` creates it",
        ),
    ] = "ai-agent-server"
    dynamodb_endpoint_url: Annotated[
        str,
        msgspec.Meta(
            pattern=_HTTP_URL,
            title="an address that begins with http:// or https://, or empty",
            description="URL of another DynamoDB than AWS's, such as a local one; empty: AWS's",
        ),
    ] = ""
    retention_days: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=36_500,
            description="days for which messages and closed conversations are kept; 0: forever",
        ),
    ] = 0
    businesses: Annotated[
        str,
        msgspec.Meta(
            title="a folder, or empty",
            description="folder of the businesses' own files, `NAME.toml` or "
            "`NAME/business.toml` each, which are read again when they change; empty: none",
        ),
    ] = ""
    businesses_only: Annotated[
        Literal["0", "1"],
        msgspec.Meta(
            description="1: only businesses with a file in BUSINESSES can be joined; 0: any"
        ),
    ] = "0"
    assistant: Annotated[
        Literal["scripted", "openai"],
        msgspec.Meta(
            description="scripted: a demo answers; openai: a model behind OpenAI's API does"
        ),
    ] = "scripted"
    scripted_delay_ms: Annotated[
        int, msgspec.Meta(ge=0, le=10_000, description="ms between two words of the demo's answer")
    ] = 20
    openai_api_key: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[!-~]*$",
            title="ASCII characters without spaces, or empty",
            description="API key for the model; empty: none is sent",
        ),
    ] = ""
    openai_base_url: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^https?://[^\s/]\S*$",
            title="an address that begins with http:// or https://",
            description="URL of the model's API: OpenAI's, or any other with Chat Completions",
        ),
    ] = OPENAI_URL
    openai_api: Annotated[
        ApiChoice,
        msgspec.Meta(
            description="the API that is spoken; auto: Responses with OpenAI, Chat Completions "
            "with others, and the other one where the server refuses it"
        ),
    ] = "auto"
    openai_model: Annotated[
        str, msgspec.Meta(min_length=1, description="the model that answers")
    ] = "gpt-6.1-terra"
    openai_reasoning_effort: Annotated[
        ReasoningEffort,
        msgspec.Meta(description="how much the model thinks before it answers; empty: its default"),
    ] = ""
    openai_fallback_model: Annotated[
        str,
        msgspec.Meta(description="the model that answers when the first one fails; empty: none"),
    ] = ""
    models: Annotated[
        str,
        msgspec.Meta(
            title='a JSON array such as [{"model": "m", "base_url": "https://…/v1", '
            '"key": "NAME_OF_A_VARIABLE", "api": "chat", "effort": "low"}], or empty',
            description="the models that answer, each where those before it fail, at any "
            "providers; the last is also the cheaper one. Empty: OPENAI_MODEL, then "
            "OPENAI_FALLBACK_MODEL",
        ),
    ] = ""
    openai_max_output_tokens: Annotated[
        int,
        msgspec.Meta(
            ge=16,
            le=100_000,
            description="the most tokens of one answer, including the model's reasoning",
        ),
    ] = 4_000
    openai_concurrency: Annotated[
        int, msgspec.Meta(ge=1, le=10_000, description="concurrent calls of the model; more wait")
    ] = 200
    knowledge_index: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            description="folder of the indexes of the businesses' documents, for all processes of "
            "this machine; what is lost there is built again",
        ),
    ] = "data/knowledge"
    embedding_model: Annotated[
        str,
        msgspec.Meta(
            description="the model whose embeddings find passages that mean the same in other "
            "words; empty: passages are found by their words alone"
        ),
    ] = ""
    embedding_base_url: Annotated[
        str,
        msgspec.Meta(
            pattern=_HTTP_URL,
            title="an address that begins with http:// or https://, or empty",
            description="URL of the API of EMBEDDING_MODEL, any with /embeddings; empty: "
            "OPENAI_BASE_URL, with its key",
        ),
    ] = ""
    embedding_api_key: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[!-~]*$",
            title="ASCII characters without spaces, or empty",
            description="API key for EMBEDDING_BASE_URL; empty: none is sent there",
        ),
    ] = ""
    embedding_least_similarity: Annotated[
        float,
        msgspec.Meta(
            ge=0,
            le=1,
            description="cosine from which a passage is found by its meaning alone; each model "
            "has its own scale",
        ),
    ] = 0.4
    view_tokens: Annotated[
        int,
        msgspec.Meta(
            ge=500,
            le=1_000_000,
            description="tokens of the newest messages that the model sees, 1,000 messages at "
            "most; a summary replaces the older ones. A business's facts may have four times as "
            "many characters, and 12,000 in any case",
        ),
    ] = 6_000
    time_zone: Annotated[
        str,
        msgspec.Meta(
            title=_TIME_ZONE_NAME,
            description="time zone in which the AI is told the time, of a business that names none",
        ),
    ] = "Europe/Bucharest"
    ai_budget_soft_tokens: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=10**12,
            description="tokens per business and day (UTC) after which the fallback model "
            "answers from a shorter view; 0: no limit",
        ),
    ] = 0
    ai_budget_hard_tokens: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=10**12,
            description="tokens per business and day (UTC) after which a human is requested "
            "instead of the model; 0: no limit",
        ),
    ] = 0
    bridge: Annotated[
        Literal["none", "elixir"],
        msgspec.Meta(
            description="elixir: an application with the bridge's interface is notified of events, "
            "and coordinators chat there; none: they use the HTTP API only"
        ),
    ] = "none"
    elixir_http_url: Annotated[
        str,
        msgspec.Meta(
            pattern=_HTTP_URL,
            title="an address that begins with http:// or https://, or empty",
            description="URL of the bridge, which is notified of events; empty: it is not notified",
        ),
    ] = "http://localhost:4000"
    elixir_websocket_url: Annotated[
        str,
        msgspec.Meta(
            pattern=_SOCKET_URL,
            title="an address that begins with ws:// or wss://",
            description="URL of the bridge's socket, for the live chats; its query is a secret",
        ),
    ] = "ws://localhost:4000/socket/websocket"
    elixir_websocket_public_url: Annotated[
        str,
        msgspec.Meta(
            pattern=f"{_SOCKET_URL}|^$",
            title="an address that begins with ws:// or wss://, or empty",
            description="URL of the same socket for browsers, its query included; empty: the same "
            "URL without its query",
        ),
    ] = ""
    elixir_token: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[!-~]*$",
            title="ASCII characters without spaces, or empty",
            description="bearer token for the bridge, which also opens its socket (parameter "
            "`token`, sub-protocol) and its topics; empty: none is sent",
        ),
    ] = ""
    elixir_timeout: Annotated[
        int, msgspec.Meta(ge=1, le=60_000, description="ms in which the bridge must respond")
    ] = 5_000
    elixir_retry_attempts: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=10,
            description="attempts at a request to the bridge before the notice waits in the outbox",
        ),
    ] = 3
    elixir_followed_topics: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=100_000,
            description="conversations with the AI, the most recently active, whose topics at the "
            "bridge each process joins too, for messages that people write there unasked; 0: none",
        ),
    ] = 900
    bridge_host: Annotated[
        str, msgspec.Meta(min_length=1, description="address that the reference bridge listens on")
    ] = "127.0.0.1"
    bridge_port: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=65_535, description="port of the reference bridge; 0 picks a free one"
        ),
    ] = 4000
    bridge_store: Annotated[
        Literal["sqlite", "memory"],
        msgspec.Meta(description="where the reference bridge stores its live chats"),
    ] = "sqlite"
    bridge_sqlite_path: Annotated[
        str, msgspec.Meta(min_length=1, description="the database file of BRIDGE_STORE=sqlite")
    ] = "data/bridge.sqlite3"
    coordinators: Annotated[
        str,
        msgspec.Meta(
            description="file of the reference bridge's coordinators, who then sign in with a name "
            "and a password (`ai-agent-server coordinators`); empty: nobody has a password",
        ),
    ] = ""
    bridge_away_s: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=86_400,
            description="seconds after which a live chat goes back to the queue of the reference "
            "bridge, if its coordinator has closed the page; 0: never",
        ),
    ] = 180
    agent_server_url: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^https?://[^\s/]\S*$",
            title="an address that begins with http:// or https://",
            description="URL of the AI agent server, for the reference bridge",
        ),
    ] = "http://localhost:3001"
    service_token: Annotated[
        str,
        msgspec.Meta(
            description="comma-separated bearer tokens that /api accepts; empty: /api is open to "
            "whoever reaches it under a name of this machine"
        ),
    ] = ""
    socket_auth: Annotated[
        Literal["none", "jwt"],
        msgspec.Meta(
            description="jwt: users need a signed token with their identity; none: they are trusted"
        ),
    ] = "none"
    jwt_secret: Annotated[
        str,
        msgspec.Meta(description="the secret of HS256 tokens, at least 32 bytes"),
    ] = ""
    jwt_public_key_file: Annotated[
        str, msgspec.Meta(description="PEM file with the public key of RS256 or EdDSA tokens")
    ] = ""
    jwt_jwks_url: Annotated[
        str,
        msgspec.Meta(
            pattern=_HTTP_URL,
            title="an address that begins with http:// or https://, or empty",
            description="URL of the public keys (JWKS) of RS256 or EdDSA tokens",
        ),
    ] = ""
    jwt_audience: Annotated[
        str, msgspec.Meta(description="the aud that tokens must have; empty: not checked")
    ] = ""
    jwt_issuer: Annotated[
        str, msgspec.Meta(description="the iss that tokens must have; empty: not checked")
    ] = ""
    visitor_secret: Annotated[
        str,
        msgspec.Meta(
            description="comma-separated secrets of the tokens that SOCKET_AUTH=jwt gives to "
            "visitors, whom nobody signs in, at least 32 bytes each: the first signs, all verify; "
            "the same for all processes; empty: no visitors"
        ),
    ] = ""
    allow_insecure: Annotated[
        Literal["0", "1"],
        msgspec.Meta(
            description="1: start although other machines can reach it and SOCKET_AUTH=none "
            "verifies nobody's identity, or although SERVICE_TOKEN names no token and strangers "
            "are expected (SOCKET_AUTH=jwt, TRUSTED_PROXIES; at the bridge COORDINATORS)"
        ),
    ] = "0"
    trusted_proxies: Annotated[
        str,
        msgspec.Meta(
            description="comma-separated addresses or networks, such as 10.0.0.0/8, whose "
            "X-Forwarded-For is trusted; empty: none"
        ),
    ] = ""
    rate_limits: Annotated[
        Literal["on", "off"], msgspec.Meta(description="on: the limits below are enforced")
    ] = "on"
    limit_sockets: Annotated[
        int, msgspec.Meta(ge=1, le=1_000_000, description="open sockets in total")
    ] = 20_000
    limit_sockets_per_address: Annotated[
        int, msgspec.Meta(ge=1, le=1_000_000, description="open sockets from one address")
    ] = 1_000
    limit_connections: Annotated[
        int,
        msgspec.Meta(
            ge=1, le=1_000_000, description="connections in total that are no open socket"
        ),
    ] = 2_000
    limit_connections_per_address: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=1_000_000,
            description="connections from one address that are no open socket; those of "
            "TRUSTED_PROXIES are not counted by address",
        ),
    ] = 200
    limit_frames_per_s: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=1_000_000,
            description="frames per second of one socket, and 30 times as many at once; 4 KiB "
            "count as one more",
        ),
    ] = 20
    limit_waiting_mib: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=65_536,
            description="MiB in total that clients have not read, or not sent to the end; "
            "counted with RATE_LIMITS=off too",
        ),
    ] = 16
    limit_joins_per_s: Annotated[
        int, msgspec.Meta(ge=1, le=100_000, description="joins per second in total")
    ] = 1_000
    limit_visitors_per_address: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=1_000_000,
            description="visitors named, or tokens of theirs renewed, for one address per minute",
        ),
    ] = 60
    limit_messages_per_user: Annotated[
        int, msgspec.Meta(ge=1, le=100_000, description="messages of one user per minute")
    ] = 60
    limit_messages_per_business: Annotated[
        int, msgspec.Meta(ge=1, le=10_000_000, description="messages of one business per minute")
    ] = 6_000
    limit_turns: Annotated[
        int,
        msgspec.Meta(ge=1, le=100_000, description="answers generated at once; more wait"),
    ] = 1_000
    drain_s: Annotated[
        float,
        msgspec.Meta(
            ge=0,
            le=600,
            description="s that a shutdown waits for notices in progress and, of a lone process, "
            "for answers",
        ),
    ] = 10
    allowed_origins: Annotated[
        str,
        msgspec.Meta(
            pattern=rf"^(\*|{_ORIGIN}(\s*,\s*{_ORIGIN})*\s*,?)?$",
            title="origins such as https://shop.example or //*.shop.example, separated by "
            "commas, or empty, or *",
            description="web origins whose pages may open the socket and, without SERVICE_TOKEN, "
            "call /api; empty: only this machine's and the server's own; *: all. A business's own "
            "pages are better named in its file",
        ),
    ] = ""
    language_detection: Annotated[
        Literal["on", "off"],
        msgspec.Meta(
            description="whether customers' languages are detected from what they write, for the "
            "server's own messages; it takes 90 MB in each process"
        ),
    ] = "on"
    turn_quiet_ms: Annotated[
        int,
        msgspec.Meta(ge=0, le=3_000, description="ms of a user's silence before the AI answers"),
    ] = 300
    turn_timeout_s: Annotated[
        float, msgspec.Meta(gt=0, le=600, description="s that an answer may take in total")
    ] = 60
    turn_max_tool_calls: Annotated[
        int, msgspec.Meta(ge=0, le=100, description="tool calls that one answer may make")
    ] = 5
    ai_failures_before_transfer: Annotated[
        int,
        msgspec.Meta(
            ge=1, le=100, description="failed answers in a row before a human is requested"
        ),
    ] = 3
    transfer_timeout_s: Annotated[
        float, msgspec.Meta(gt=0, le=604_800, description="s that a user waits for a human")
    ] = 300
    session_idle_s: Annotated[
        float,
        msgspec.Meta(
            gt=0,
            le=31_536_000,
            description="s of silence after which a conversation is closed; "
            "a week at least while a human has yet to answer in it",
        ),
    ] = 86_400
    session_cache_mib: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=65_536,
            description="MiB of conversations kept in memory; those used longest ago are read from "
            "the store again",
        ),
    ] = 64
    sweep_interval_s: Annotated[
        float,
        msgspec.Meta(gt=0, le=3_600, description="s between two searches for due work"),
    ] = 5
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        msgspec.Meta(description="lowest level logged"),
    ] = "info"
    log_format: Annotated[
        Literal["console", "json"], msgspec.Meta(description="format of log lines")
    ] = "console"
    log_sample: Annotated[
        float,
        msgspec.Meta(
            ge=0,
            le=1,
            description="part of the conversations of which turns, transfers and deliveries that "
            "went well are logged; what fails is logged of all",
        ),
    ] = 1

    def __repr__(self) -> str:
        return f"<Settings store={self.store} assistant={self.assistant} bridge={self.bridge}>"


SHARED_OUT = (
    "openai_concurrency",
    "elixir_followed_topics",
    "limit_sockets",
    "limit_connections",
    "limit_waiting_mib",
    "limit_joins_per_s",
    "limit_messages_per_business",
    "limit_turns",
    "session_cache_mib",
)
"""Of these, each of N workers takes one N-th, rounded up."""
SHARED_OUT_BY_ADDRESS = (
    "limit_sockets_per_address",
    "limit_connections_per_address",
    "limit_visitors_per_address",
)
"""Of these too, but at least LEAST_PER_ADDRESS: the connections of one client spread by chance."""
LEAST_PER_ADDRESS = 16


def share_of(settings: Settings, workers: int) -> Settings:
    """Return the settings of each of so many workers of a machine.

    Every other limit is one customer's, connection's or request's, and each worker has it whole.
    Raises: BadSetting, where they cannot serve together.
    """
    if settings.store == "memory":
        raise BadSetting(
            f"STORE=memory keeps conversations in one process, but WORKERS is {workers}: "
            "choose STORE=sqlite or dynamodb, or one worker"
        )
    shares = {name: -(-getattr(settings, name) // workers) for name in SHARED_OUT}
    for name in SHARED_OUT_BY_ADDRESS:
        whole = getattr(settings, name)
        shares[name] = max(-(-whole // workers), min(whole, LEAST_PER_ADDRESS))
    broker = "local" if settings.broker == "none" else settings.broker
    return msgspec.structs.replace(settings, broker=broker, **shares)


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment; absent variables have their defaults.

    Raises: BadSetting.
    """
    given = os.environ if environment is None else environment
    chosen: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        name = field.name.upper()
        if name in given:
            chosen[field.name] = _parse(name, given[name].strip(), field.type)
    settings = Settings(**chosen)
    _check_models(settings, given)
    _check_time_zone(settings.time_zone)
    return settings


def _check_models(settings: Settings, environment: Mapping[str, str]) -> None:
    """Refuse models that cannot be asked, where any are. Raises: BadSetting."""
    name = "OPENAI_BASE_URL"
    try:
        check_base_url(settings.openai_base_url)
        name = "EMBEDDING_BASE_URL"
        check_base_url(settings.embedding_base_url)
        name = "MODELS"
        for choice in model_choices(settings.models) if settings.models else ():
            if settings.assistant == "openai":
                model_key(choice, environment)
    except ValueError as error:
        raise BadSetting(f"{name}: {error}") from None


def _check_time_zone(name: str) -> None:
    """Refuse what is no time zone. Raises: BadSetting."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        raise BadSetting(f"TIME_ZONE is {name[:100]!r}, but must be {_TIME_ZONE_NAME}") from None


def env_file(path: Path) -> dict[str, str]:
    """Read a file of `NAME=value` lines; an absent file has none.

    A value may be in single or double quotes; `#` begins a comment, on a line of its own or after a
    space. Nothing is expanded. Raises: BadSetting, with the line's number but not its content.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} cannot be read: {error}") from error
    found: dict[str, str] = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        if line and not line.startswith("#"):
            match = _ENV_LINE.fullmatch(line)
            if match is None:
                raise BadSetting(f"{path}:{number} must be NAME=value, a comment or empty")
            found[match["name"]] = match["quoted"] or match["plain"] or ""
    return found


def unknown_variables(names: Iterable[str]) -> dict[str, str]:
    """Return the names that no part of this program reads, each with the nearest that it does."""
    known = [field.name.upper() for field in msgspec.structs.fields(Settings)]
    unknown = (
        name for name in names if name not in known and not name.startswith(_OTHERS_VARIABLES)
    )
    return {name: get_close_matches(name.upper(), known, 1, 0.0)[0] for name in unknown}


def _parse(name: str, text: str, annotation: Any) -> Any:
    base, meta = get_args(annotation)
    value: object = text.lower() if get_origin(base) is Literal else text
    try:
        if name.endswith("_URL"):
            _ = urlsplit(text).port
        return msgspec.convert(value, annotation, strict=False)
    except (msgspec.ValidationError, ValueError):
        shown = (
            "(hidden)" if name.endswith(("TOKEN", "SECRET", "KEY")) else repr(shown_url(text)[:100])
        )
        raise BadSetting(f"{name} is {shown}, but must be {expected(base, meta)}") from None


def expected(base: Any, meta: msgspec.Meta) -> str:
    """Describe the valid values of a setting."""
    if get_origin(base) is Literal:
        return "one of " + ", ".join(get_args(base))
    if meta.title is not None:
        return str(meta.title)
    if base is str:
        return "at least one character" if meta.min_length else "text"
    kind = "a whole number" if base is int else "a number"
    if meta.gt is not None:
        kind += f" above {meta.gt:.15g}"
    if meta.ge is not None:
        kind += f" from {meta.ge:.15g}"
    if meta.le is not None:
        kind += f" up to {meta.le:.15g}"
    return kind


def setting_rows() -> list[tuple[str, str, str, str]]:
    """Return a row per variable: its name, its default, its valid values, its purpose."""
    rows = []
    for field in msgspec.structs.fields(Settings):
        base, meta = get_args(field.type)
        default = (
            f"{field.default:.15g}" if isinstance(field.default, float | int) else field.default
        )
        rows.append((field.name.upper(), default, expected(base, meta), meta.description or ""))
    return rows
