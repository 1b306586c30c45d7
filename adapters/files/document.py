"""The file of one business: TOML with the keys of `BusinessTable`, read into a Business.

Mistakes are collected, each with its dotted key and what the value may be; no value is quoted.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Literal, NamedTuple, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct

from adapters.fact_text import fact_text
from adapters.files.hours import read_hours
from adapters.files.pictures import PICTURES
from adapters.model_choices import ApiChoice, ReasoningEffort, check_base_url
from domain.business import (
    DEFAULT_LANGUAGE,
    REPLY_VARIABLES,
    Business,
    Location,
    ModelSettings,
    Reservation,
    Website,
    Welcome,
)
from domain.handoff import HandoffRules
from domain.hours import OpeningHours
from domain.identity import IDENTIFIER_PATTERN, BusinessId
from domain.plain_text import is_blank, plain_text
from domain.texts import Text, wording_problems
from domain.tool import (
    MAX_BUSINESS_TOOLS,
    OWN_TOOL_NAMES,
    AllowedTool,
    Binding,
    Confirmer,
    Effect,
    LookUp,
    ToolServer,
)

MAX_KEY_PARTS = 100
"""The parts of a dotted key: `tomllib` takes a time that grows with their square."""
MAX_MISTAKES = 50
"""The mistakes of one file that are reported."""
MAX_TOOL_SERVERS, MAX_TOOL_NAME = 10, 128
MAX_REPLIES, MAX_REPLY_NAME, MAX_REPLY = 200, 60, 2_000

Toml = dict[str, Any]
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\n\t]*\Z")]
_LINES = "a list of up to {} lines of 1 to 200 characters"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*\Z"
_TOOL_NAME = r"^[A-Za-z0-9_-]{1,64}\Z"
_LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*\Z"
_ORIGIN = (
    r"^[Hh][Tt][Tt][Pp][Ss]?://([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])"
    r"(:[1-9][0-9]{0,4})?/?\Z"
)
_HOURS = 'a table of days, such as "mon-fri" = "9:00-18:00"'
_TOKENS = Meta(
    ge=0, le=10**12, title="a whole number from 0 to 1,000,000,000,000", description="tokens a day"
)


class ModelTable(Struct, frozen=True, kw_only=True):
    """`[model]`: what differs from the server's own settings."""

    name: Annotated[str, Meta(min_length=1, title="the name of a model")] | None = None
    base_url: (
        Annotated[
            str,
            Meta(
                pattern=r"^https?://[^\s/]\S*$",
                title="an address that begins with http:// or https://",
            ),
        ]
        | None
    ) = None
    key: (
        Annotated[
            str,
            Meta(
                pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
                title="the NAME of the environment variable that has the key, never the key itself",
            ),
        ]
        | None
    ) = None
    api: Annotated[ApiChoice, Meta(title="one of auto, responses, chat")] | None = None
    effort: (
        Annotated[
            ReasoningEffort,
            Meta(title="one of " + ", ".join(filter(None, get_args(ReasoningEffort)))),
        ]
        | None
    ) = None
    view_tokens: (
        Annotated[int, Meta(ge=500, le=1_000_000, title="a whole number from 500 to 1,000,000")]
        | None
    ) = None
    budget_soft_tokens: Annotated[int, _TOKENS] | None = None
    budget_hard_tokens: Annotated[int, _TOKENS] | None = None


class HandoffTable(Struct, frozen=True, kw_only=True):
    """`[handoff]`: when a human takes over."""

    enabled: Annotated[bool, Meta(title="true or false")] = True
    hours: Annotated[Toml, Meta(title=_HOURS)] | None = None
    always: Annotated[tuple[Line, ...], Meta(max_length=100, title=_LINES.format(100))] = ()
    never: Annotated[tuple[Line, ...], Meta(max_length=100, title=_LINES.format(100))] = ()
    ask_first: Annotated[str, Meta(max_length=1_000, title="text of up to 1,000 characters")] = ""


class LocationTable(Struct, frozen=True, kw_only=True):
    """`[locations.ID]`: one place of several."""

    name: Annotated[Line, Meta(title="a line of 1 to 200 characters")]
    facts: Annotated[Toml, Meta(title="a table of facts")] = {}
    hours: Annotated[Toml, Meta(title=_HOURS)] | None = None


class LanguageTable(Struct, frozen=True, kw_only=True):
    """`[languages.TAG]`: what customers see in another language."""

    greeting: Annotated[str, Meta(max_length=1_000, title="text of up to 1,000 characters")] = ""
    suggestions: Annotated[tuple[Line, ...], Meta(max_length=10, title=_LINES.format(10))] = ()


class WebsiteTable(Struct, frozen=True, kw_only=True):
    """`[website]`: the chat on the business's own pages."""

    origins: Annotated[
        tuple[Annotated[str, Meta(pattern=_ORIGIN, max_length=300)], ...],
        Meta(max_length=20, title="a list of up to 20 origins, such as https://bistro.example"),
    ] = ()
    colour: (
        Annotated[
            str,
            Meta(
                pattern=r"^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})\Z",
                title="a colour such as #0a7d55",
            ),
        ]
        | None
    ) = None
    logo: (
        Annotated[
            str,
            Meta(
                pattern=rf"^[A-Za-z0-9_-][A-Za-z0-9._-]{{0,99}}\.({'|'.join(PICTURES)})\Z",
                title="the name of a picture in the business's folder, such as logo.svg",
            ),
        ]
        | None
    ) = None


class ReservationTable(Struct, frozen=True, kw_only=True):
    """One of `reservations`."""

    id: Annotated[Line, Meta(title="a line of 1 to 200 characters")]
    date: Annotated[
        str, Meta(pattern=r"^\d{4}-\d\d-\d\d\Z", title='a day in quotes, such as "2030-05-14"')
    ]
    time: Annotated[str, Meta(pattern=r"^\d\d:\d\d\Z", title='a time in quotes, such as "19:30"')]
    guests: Annotated[int, Meta(ge=1, le=10_000, title="a whole number from 1 to 10,000")]
    name: Annotated[str, Meta(max_length=200, title="text of up to 200 characters")] = ""


class ToolServerTable(Struct, frozen=True, kw_only=True):
    """`[tools.NAME]`: a server of tools, which speaks MCP."""

    url: (
        Annotated[
            str,
            Meta(
                pattern=r"^https?://[^\s/]\S*$",
                max_length=2_000,
                title="an address that begins with http:// or https://",
            ),
        ]
        | None
    ) = None
    command: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=1_000)], ...],
        Meta(
            min_length=1,
            max_length=50,
            title="a list of a program and its arguments, up to 50 texts",
        ),
    ] = ()
    token: (
        Annotated[
            str,
            Meta(
                pattern=_VARIABLE,
                title="the NAME of the environment variable that has the token, "
                "never the token itself",
            ),
        ]
        | None
    ) = None
    variables: Annotated[
        tuple[Annotated[str, Meta(pattern=_VARIABLE)], ...],
        Meta(max_length=50, title="a list of up to 50 NAMES of environment variables"),
    ] = ()
    timeout_s: Annotated[float, Meta(ge=1, le=120, title="a number of seconds from 1 to 120")] = (
        15.0
    )
    allow: Annotated[dict[str, Toml], Meta(title="tables, such as [tools.booking.allow.find]")]


class AllowedToolTable(Struct, frozen=True, kw_only=True):
    """`[tools.NAME.allow.TOOL]`: a tool that the assistant may call."""

    effect: Annotated[Literal["read", "write"], Meta(title="read or write")] = "write"
    bind: Annotated[
        dict[str, Literal["business", "user", "location", "session"]],
        Meta(title="a table of arguments, each one of business, user, location, session"),
    ] = {}
    confirm: (
        Annotated[Literal["customer", "coordinator"], Meta(title="customer or coordinator")] | None
    ) = None
    confirm_hours: Annotated[int, Meta(ge=1, le=720, title="a whole number from 1 to 720")] = 48
    title: Annotated[Line, Meta(title="a line of 1 to 200 characters")] | None = None
    name: (
        Annotated[str, Meta(pattern=_TOOL_NAME, title="1 to 64 characters of [A-Za-z0-9_-]")] | None
    ) = None
    look_up: Annotated[Toml, Meta(title="a table")] | None = None


class LookUpTable(Struct, frozen=True, kw_only=True):
    """`look_up` of a tool: how to find out whether a call was made."""

    tool: Annotated[Line, Meta(title="a tool of the same server that changes nothing")]
    argument: Annotated[Line, Meta(title="the argument of that tool that takes the key of a call")]


class BusinessTable(Struct, frozen=True, kw_only=True):
    """The whole file."""

    name: Annotated[Line, Meta(title="a line of 1 to 200 characters")]
    language: Annotated[
        str,
        Meta(
            pattern=_LANGUAGE,
            max_length=35,
            title="the tag of a language, such as ro or de-AT",
        ),
    ] = DEFAULT_LANGUAGE
    time_zone: Annotated[
        str, Meta(title="the IANA name of a time zone, such as Europe/Bucharest")
    ] = ""
    persona: Annotated[str, Meta(max_length=2_000, title="text of up to 2,000 characters")] = ""
    instructions: Annotated[str, Meta(max_length=4_000, title="text of up to 4,000 characters")] = (
        ""
    )
    greeting: Annotated[str, Meta(max_length=1_000, title="text of up to 1,000 characters")] = ""
    suggestions: Annotated[tuple[Line, ...], Meta(max_length=10, title=_LINES.format(10))] = ()
    languages: Annotated[dict[str, Toml], Meta(title="tables, such as [languages.en]")] = {}
    website: Annotated[Toml, Meta(title="a table")] = {}
    hours: Annotated[Toml, Meta(title=_HOURS)] | None = None
    facts: Annotated[Toml, Meta(title="a table of facts")] = {}
    locations: Annotated[dict[str, Toml], Meta(title="tables, such as [locations.centre]")] = {}
    model: Annotated[Toml, Meta(title="a table")] = {}
    words: Annotated[Toml, Meta(title="a table")] = {}
    replies: Annotated[
        Toml, Meta(max_length=MAX_REPLIES, title=f"a table of up to {MAX_REPLIES} texts")
    ] = {}
    handoff: Annotated[Toml | bool, Meta(title="a table, or false")] = True
    reservations: Annotated[
        list[Toml], Meta(max_length=100, title="a list of up to 100 tables, for a demo")
    ] = []
    tools: Annotated[dict[str, Toml], Meta(title="tables, such as [tools.booking]")] = {}


_BARE_KEY = "Expected '=' after a key in a key/value pair"
_QUOTES = "a key with spaces, or letters beyond a-z, must be in quotes"

_at_line = re.compile(r" \(at line (\d+), column \d+\)$").search
_at_end = re.compile(r" \(at end of document\)$").search
_is_language = re.compile(_LANGUAGE).match
_is_reply_name = re.compile(rf"[^\n\t]{{1,{MAX_REPLY_NAME}}}").fullmatch
_variables_in = re.compile(r"\{[^{}]*\}|[{}]").findall
_is_tool_name = re.compile(_TOOL_NAME).match
# A business's file sends them nowhere.
_is_servers_own = re.compile(
    r"AWS_\w+|(OPENAI|EMBEDDING)_API_KEY|(SERVICE|ELIXIR)_TOKEN|(JWT|VISITOR)_SECRET"
    r"|REDIS_URL|ELIXIR_\w*URL"
).fullmatch
_is_bare = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII).fullmatch
_has_long_key = re.compile(
    rf"""(?<![\w-])(?>[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
    rf"""(?>[ \t]*+\.[ \t]*+(?>[\w-]++|"[^"\n]*+"|'[^'\n]*+')){{{MAX_KEY_PARTS}}}"""
).search
_looks_like_key = re.compile(
    r"(sk|pk|rk|gsk|xai|pplx|hf|AIza|r8|nvapi)[-_]?[A-Za-z0-9_-]{16,}"
    r"|(?=.*[a-z])(?=.*[0-9])[A-Za-z0-9_]{24,}"
).fullmatch


class Mistake(NamedTuple):
    """A mistake in a file."""

    line: int | None
    """None: the text names the dotted key."""
    text: str


def read_business_file(
    business_id: BusinessId, document: bytes
) -> tuple[Business | None, tuple[Mistake, ...]]:
    """Read the file of a business; None: it has the mistakes that come with it."""
    try:
        table = parse_toml(document)
    except UnreadableToml as error:
        return None, (error.mistake,)
    reader = _Reader()
    business = reader.business(business_id, table)
    return (None, tuple(reader.mistakes)) if reader.mistakes else (business, ())


class UnreadableToml(Exception):
    """The file is no TOML."""

    def __init__(self, line: int | None, text: str) -> None:
        super().__init__(text)
        self.mistake = Mistake(line, text)


def parse_toml(document: bytes) -> Toml:
    """Return the document as a table, with plain texts. Raises: UnreadableToml."""
    try:
        text = document.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = document.count(b"\n", 0, error.start) + 1
        raise UnreadableToml(line, "is not UTF-8: save it with that encoding") from None
    if (found := _has_long_key(text)) is not None:
        line = text.count("\n", 0, found.start()) + 1
        raise UnreadableToml(line, f"a key has more than {MAX_KEY_PARTS} parts")
    try:
        return _plain(tomllib.loads(text))  # type: ignore[no-any-return]
    except RecursionError:
        raise UnreadableToml(None, "is nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, or a number with too many digits
        reason = str(error).replace("\n", " ")
        reason = reason.replace(_BARE_KEY, f"{_BARE_KEY}; {_QUOTES}")
        if (at := _at_line(reason)) is not None:
            raise UnreadableToml(int(at[1]), f"is no TOML: {reason[: at.start()]}") from None
        end = _at_end(reason)
        last = text.rstrip().count("\n") + 1 if end else None
        reason = reason[: end.start()] if end else reason
        raise UnreadableToml(last, f"is no TOML: {reason[:200]}") from None


def _plain(value: Any) -> Any:
    """Return a value with all its texts as `plain_text`."""
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, dict):
        return {plain_text(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


class _Reader:
    """Reads the tables of one file, and collects the mistakes."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def business(self, business_id: BusinessId, table: Toml) -> Business | None:
        found = self._fields(BusinessTable, table, "")
        locations = {
            place: self._location(place, each) for place, each in found["locations"].items()
        }
        business = {
            "business_id": business_id,
            **{name: found[name] for name in ("language", "persona", "instructions")},
            **{name: found[name] for name in ("name", "greeting", "suggestions")},
            "welcomes": self._welcomes(found["languages"], found["language"]),
            "website": self._website(found["website"]),
            "time_zone": self._time_zone(found["time_zone"]),
            "facts": self._facts(found["facts"]),
            "hours": self._hours(found["hours"], "hours"),
            "locations": locations,
            "words": self._words(found["words"], found["language"]),
            "replies": self._replies(found["replies"]),
            "handoff": self._handoff(found["handoff"]),
            "model": self._model(found["model"]),
            "reservations": tuple(self._reservations(found["reservations"])),
            "tool_servers": tuple(self._tool_servers(found["tools"])),
        }
        return Business(**business) if not self.mistakes else None

    def refuse(self, where: str, reason: str) -> None:
        """Record a mistake."""
        if len(self.mistakes) < MAX_MISTAKES:
            self.mistakes.append(Mistake(None, f"{where}: {reason}"))

    def _fields(self, kind: type[Struct], table: Toml, where: str) -> Toml:
        """Return the values of a table's keys, or the defaults of absent and of wrong ones."""
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        found = {name: _default(field) for name, field in fields.items()}
        for key, value in table.items():
            if (field := fields.get(key)) is None:
                nearest = get_close_matches(key, fields, 1, 0.0)[0]
                self.refuse(f"{where}{_shown(key)}", f"is not known; the nearest key is {nearest}")
                continue
            try:
                found[key] = msgspec.convert(value, field.type)
                if isinstance(value, str) and field.required and is_blank(value):
                    raise msgspec.ValidationError
            except msgspec.ValidationError as error:
                self.refuse(f"{where}{key}{_item(error)}", f"must be {title_of(field)}")
        for name, field in fields.items():
            if field.required and name not in table:
                self.refuse(f"{where}{name}", f"is missing: it must be {title_of(field)}")
        return found

    def _location(self, place: str, table: Toml) -> Location:
        where = f"locations.{_shown(place)}"
        if re.fullmatch(IDENTIFIER_PATTERN, place) is None:
            self.refuse(where, "must be named with 1-128 characters of [A-Za-z0-9._:@-]")
        found = self._fields(LocationTable, table, f"{where}.")
        return Location(
            name=found["name"],
            facts=self._facts(found["facts"]),
            hours=self._hours(found["hours"], f"{where}.hours"),
        )

    def _reservations(self, tables: list[Toml]) -> Iterator[Reservation]:
        for index, table in enumerate(tables):
            found = self._fields(ReservationTable, table, f"reservations[{index}].")
            yield Reservation(reservation_id=found.pop("id"), **found)

    def _tool_servers(self, tables: dict[str, Toml]) -> Iterator[ToolServer]:
        """Read `[tools]`: the AI's names for tools must differ, whatever servers they are of."""
        if len(tables) > MAX_TOOL_SERVERS:
            self.refuse("tools", f"has more than {MAX_TOOL_SERVERS} tables")
        taken = dict.fromkeys(OWN_TOOL_NAMES, "the server's own tools")
        left = MAX_BUSINESS_TOOLS
        for name, table in tables.items():
            where = f"tools.{_shown(name)}"
            server = self._tool_server(name, table, where)
            for tool in server.tools:
                left -= 1
                place = f"{where}.allow.{_shown(tool.name)}"
                if (other := taken.get(tool.shown_name)) is not None:
                    self.refuse(f"{place}.name", f"must differ from that of {other}")
                elif _is_tool_name(tool.shown_name) is None:
                    self.refuse(
                        f"{place}.name",
                        "is missing: it must be 1 to 64 characters of [A-Za-z0-9_-]",
                    )
                taken[tool.shown_name] = place
            yield server
        if left < 0:
            self.refuse("tools", f"has more than {MAX_BUSINESS_TOOLS} tools together")

    def _tool_server(self, name: str, table: Toml, where: str) -> ToolServer:
        if _is_tool_name(name) is None:
            self.refuse(where, "must be named with 1 to 64 characters of [A-Za-z0-9_-]")
        found = self._fields(ToolServerTable, table, f"{where}.")
        url, command, token = found["url"], found["command"], found["token"]
        if ("url" in table) == ("command" in table):
            self.refuse(where, "must have either url or command")
        if url:
            self._check_address(url, f"{where}.url")
        if command and is_blank(command[0]):
            self.refuse(f"{where}.command", "must begin with the name of a program")
        if command and token:
            self.refuse(f"{where}.token", "is for a url: name it in variables for a program")
        if url and found["variables"]:
            self.refuse(f"{where}.variables", "are for a command: a url gets none")
        for key, variable in [("token", token), *(("variables", v) for v in found["variables"])]:
            if variable and _looks_like_key(variable):
                self.refuse(f"{where}.{key}", "looks like a token: write the NAME of a variable")
            elif variable and _is_servers_own(variable):
                self.refuse(
                    f"{where}.{key}", f"may not be {variable}, a secret of the server's own"
                )
        if not found["allow"] and "allow" in table and isinstance(table["allow"], dict):
            self.refuse(f"{where}.allow", "names no tool")
        tools = [
            self._allowed_tool(tool, each, f"{where}.allow.{_shown(tool)}")
            for tool, each in (found["allow"] or {}).items()
        ]
        self._check_look_ups(tools, where)
        return ToolServer(
            name=name,
            url=url or "",
            command=command,
            token_variable=token,
            variables=found["variables"],
            timeout_s=found["timeout_s"],
            tools=tuple(tools),
        )

    def _check_address(self, url: str, where: str) -> None:
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            self.refuse(where, "must be an address that begins with http:// or https://")
            return
        if "@" in parts.netloc:
            self.refuse(where, "must have neither user nor password: name a variable as token")

    def _allowed_tool(self, tool: str, table: Toml, where: str) -> AllowedTool:
        if not tool or len(tool) > MAX_TOOL_NAME:
            self.refuse(where, f"must be named with 1 to {MAX_TOOL_NAME} characters")
        found = self._fields(AllowedToolTable, table, f"{where}.")
        effect, confirm = Effect(found["effect"]), found["confirm"]
        look_up = None
        if found["look_up"] is not None:
            look_up = LookUp(**self._fields(LookUpTable, found["look_up"], f"{where}.look_up."))
        if effect is Effect.READ:
            for key in ("confirm", "look_up"):
                if found[key] is not None:
                    self.refuse(f"{where}.{key}", 'is for tools with effect = "write"')
        if confirm is None and "confirm_hours" in table:
            self.refuse(f"{where}.confirm_hours", "is for tools with confirm")
        return AllowedTool(
            name=tool,
            shown_name=found["name"] or tool,
            effect=effect,
            confirm=Confirmer(confirm) if confirm is not None else None,
            confirm_for=timedelta(hours=found["confirm_hours"]),
            title=found["title"] or "",
            bound={argument: Binding(fact) for argument, fact in found["bind"].items()},
            look_up=look_up,
        )

    def _check_look_ups(self, tools: list[AllowedTool], where: str) -> None:
        by_name = {each.name: each for each in tools}
        for tool in tools:
            if tool.look_up is None or (used := by_name.get(tool.look_up.tool)) is None:
                continue
            place = f"{where}.allow.{_shown(tool.name)}.look_up"
            if used.effect is not Effect.READ:
                self.refuse(f"{place}.tool", 'must be a tool with effect = "read"')
            if tool.look_up.argument in used.bound:
                self.refuse(f"{place}.argument", "must be an argument that is not bound")

    def _facts(self, table: Toml) -> dict[str, str]:
        return {topic: text for topic, fact in table.items() if (text := fact_text(fact))}

    def _hours(self, table: Toml | None, where: str) -> OpeningHours | None:
        return read_hours(table, where, self.refuse) if table is not None else None

    def _time_zone(self, name: str) -> str:
        try:
            return ZoneInfo(name).key if name else ""
        except (OSError, ValueError, ZoneInfoNotFoundError):
            field = next(f for f in msgspec.structs.fields(BusinessTable) if f.name == "time_zone")
            self.refuse("time_zone", f"must be {title_of(field)}")
            return ""

    def _model(self, table: Toml) -> ModelSettings:
        found = self._fields(ModelTable, table, "model.")
        try:
            check_base_url(found["base_url"] or "https://host")
        except ValueError as error:
            self.refuse("model.base_url", str(error))
        if found["base_url"] and not found["name"]:
            self.refuse("model.name", "is missing: a model at an address of its own needs its name")
        if found["key"] and _looks_like_key(found["key"]):
            self.refuse("model.key", "looks like a key: write the NAME of a variable that has it")
        names = {"name": "model", "key": "api_key_variable"}
        return ModelSettings(**{names.get(key, key): value for key, value in found.items()})

    def _handoff(self, table: Toml | bool) -> HandoffRules:
        if isinstance(table, bool):
            return HandoffRules(enabled=table)
        found = self._fields(HandoffTable, table, "handoff.")
        return HandoffRules(**{**found, "hours": self._hours(found["hours"], "handoff.hours")})

    def _website(self, table: Toml) -> Website:
        found = self._fields(WebsiteTable, table, "website.")
        for index, origin in enumerate(found["origins"]):
            try:
                _ = urlsplit(origin).port
            except ValueError as error:  # of an address that has the shape of one
                self.refuse(f"website.origins[{index}]", f"is no origin: {error}")
        return Website(
            origins=tuple(dict.fromkeys(map(_as_browsers_name_it, found["origins"]))),
            colour=(found["colour"] or "").lower(),
            logo=found["logo"] or "",
        )

    def _welcomes(self, tables: dict[str, Toml], own: str) -> dict[str, Welcome]:
        """Read `[languages.TAG]`: the business's own language has its texts above all tables."""
        welcomes = dict[str, Welcome]()
        for tag, table in tables.items():
            where = f"languages.{_shown(tag)}"
            if _is_language(tag) is None:
                self.refuse(where, "is no language: it must be like languages.de")
            elif tag.lower() == own.lower():
                self.refuse(where, "is the business's own: its texts stand above all tables")
            welcomes[tag.lower()] = Welcome(**self._fields(LanguageTable, table, f"{where}."))
        return welcomes

    def _words(self, table: Toml, language: str) -> dict[str, dict[str, str]]:
        """Read `[words]`, in the business's language, and `[words.LANGUAGE]`."""
        words = dict[str, dict[str, str]]()
        own = {key: value for key, value in table.items() if not isinstance(value, dict)}
        if own:
            words[language.lower()] = self._wordings(own, "words")
        for key, value in table.items():
            if isinstance(value, dict):
                if _is_language(key) is None:
                    self.refuse(f"words.{_shown(key)}", "is no language: it must be like words.de")
                wordings = self._wordings(value, f"words.{_shown(key)}")
                words.setdefault(key.lower(), {}).update(wordings)
        return words

    def _wordings(self, table: Toml, where: str) -> dict[str, str]:
        """Read the wordings of notices in one language."""
        known = [str(each) for each in Text]
        for key, value in table.items():
            name = f"{where}.{_shown(key)}"
            if key not in known:
                nearest = get_close_matches(key, known, 1, 0.0)[0]
                self.refuse(name, f"is not known; the nearest key is {nearest}")
            elif not isinstance(value, str):
                self.refuse(name, "must be text of 1 to 1,000 characters")
            else:
                for problem in wording_problems({"xx": {key: value}}):
                    self.refuse(name, problem.partition(": ")[2])
        return {key: value for key, value in table.items() if isinstance(value, str)}

    def _replies(self, table: Toml) -> dict[str, str]:
        """Read `[replies]`: a page fills the variables in, and knows no others."""
        known = [f"{{{name}}}" for name in REPLY_VARIABLES]
        for name, text in table.items():
            where = f"replies.{_shown(name)}"
            if _is_reply_name(name) is None or is_blank(name):
                self.refuse(where, f"must be named with a line of 1 to {MAX_REPLY_NAME} characters")
            if not isinstance(text, str) or is_blank(text) or len(text) > MAX_REPLY:
                self.refuse(where, f"must be text of 1 to {MAX_REPLY:,} characters")
                continue
            for found in dict.fromkeys(_variables_in(text)):
                if found not in known:
                    shown = f"the variable {found[:64]}" if len(found) > 1 else "a brace alone"
                    self.refuse(where, f"has {shown}; there may be {', '.join(known)}")
        return table


def _as_browsers_name_it(origin: str) -> str:
    """Return an origin in lower case, without the port that its scheme implies."""
    scheme, _, host = origin.lower().rstrip("/").partition("://")
    return f"{scheme}://{host.removesuffix(':443' if scheme == 'https' else ':80')}"


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.required:
        return ""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def title_of(field: msgspec.structs.FieldInfo) -> str:
    """Return what the value of a field may be."""
    metas = list(_metas(field.type))
    return str(next(meta.title for meta in metas if meta.title is not None))


def _metas(annotation: Any) -> Iterator[Meta]:
    if isinstance(annotation, Meta):
        yield annotation
        return
    # The outermost comes last in an Annotated type, and has the title.
    for part in reversed([*get_args(annotation), *getattr(annotation, "__metadata__", ())]):
        yield from _metas(part)


def _item(error: msgspec.ValidationError) -> str:
    """Return the index of the item that an error is about: `[2]`; empty: it has none."""
    found = re.search(r"`\$(\[\d+\])[^`]*`$", str(error))
    return found[1] if found else ""


def _shown(key: str) -> str:
    """Return a key as TOML has it, cut where it is long."""
    return key if _is_bare(key) else msgspec.json.encode(key[:64]).decode()


def key_rows() -> Iterator[tuple[str, str]]:
    """Yield each key of the file, and what its value may be."""
    tables: Mapping[str, type[Struct]] = {
        "": BusinessTable,
        "locations.ID.": LocationTable,
        "languages.TAG.": LanguageTable,
        "website.": WebsiteTable,
        "model.": ModelTable,
        "handoff.": HandoffTable,
        "reservations[].": ReservationTable,
        "tools.NAME.": ToolServerTable,
        "tools.NAME.allow.TOOL.": AllowedToolTable,
        "tools.NAME.allow.TOOL.look_up.": LookUpTable,
    }
    for prefix, kind in tables.items():
        for field in msgspec.structs.fields(kind):
            yield f"{prefix}{field.name}", title_of(field)
