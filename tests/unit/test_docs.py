"""The documents say what the code does, and lead where they say."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session  # type: ignore[import-untyped]
import click
import msgspec
import pytest

import adapters.dynamodb
from adapters.dynamodb.client import DEADLINE_S
from adapters.dynamodb.items import SHARDS
from entrypoints.access.auth import RefreshToken, TokenExpired, TokenRefreshed
from entrypoints.cli.main import main
from entrypoints.payloads import TypingPush
from entrypoints.server import messages_channel, wire
from entrypoints.server.app import create_app
from entrypoints.settings import Settings, setting_rows
from tests.e2e.test_wire import JOIN, SAY, TRANSFER
from tests.simulation.safeguards import REMOVALS
from tests.support.watching import families

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
CONFIGURATION = ROOT / "docs/configuration.md"
PROTOCOL = ROOT / "docs/protocol.md"
OPERATIONS = ROOT / "docs/operations.md"
SIMULATION = ROOT / "docs/simulation.md"
DYNAMODB = ROOT / "docs/dynamodb.md"
HTTP_API = ROOT / "docs/http-api.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
MOST_LINES = 260
"""The most lines of the README: a new paragraph replaces an old one."""

Shape = type[msgspec.Struct]
EVENTS: dict[str, tuple[Shape | None, Shape | None]] = {
    "phx_join": (messages_channel.JoinPayload, messages_channel.JoinReply),
    "new_message": (messages_channel.NewMessage, messages_channel.Acknowledgement),
    "transfer_to_live_chat": (messages_channel.TransferRequest, messages_channel.TransferReply),
    "end_live_chat": (None, messages_channel.StatusReply),
    "stop_answer": (None, messages_channel.StopReply),
    "confirm_action": (messages_channel.ConfirmationRequest, messages_channel.ConfirmationReply),
    "rate_conversation": (messages_channel.RatingRequest, messages_channel.RatingReply),
    "sign_in": (messages_channel.SignInRequest, messages_channel.SignInReply),
    "history": (messages_channel.HistoryRequest, messages_channel.HistoryReply),
    "typing": (None, None),
    "refresh_token": (RefreshToken, TokenRefreshed),
}
"""A client's event → the shapes of its payload and its reply; None: `{}`."""
PUSHES: dict[str, Shape] = {
    "new_message": wire.NewMessagePush,
    "message_delta": wire.DeltaPush,
    "agent_message": wire.AgentMessagePush,
    "user_message": wire.UserMessagePush,
    "conversation_status": wire.StatusPush,
    "typing": TypingPush,
    "queue": wire.QueuePush,
    "token_expired": TokenExpired,
}

_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_PATH = re.compile(r"`((?:domain|application|adapters|entrypoints|tests|docs|\.ci)/[\w./-]*)`")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_STATUS = r"Status: (accepted|superseded by \[\d{4}\]\(.+\)) \(\w+ \d{4}\)"
_CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def block(page: Path, name: str) -> str:
    """Return the text between `<!-- name -->` and `<!-- /name -->` of a page."""
    found = re.search(_block(name), page.read_text(), re.DOTALL)
    assert found is not None
    return found[0]


def _block(name: str) -> str:
    return rf"(?<=<!-- {name} -->\n).*(?=<!-- /{name} -->)"


def settings_table() -> str:
    """The table of all settings, as docs/configuration.md has it."""
    rows = [
        f"| `{name}` | {_code(default)} | {may}; {what} |"
        for name, default, may, what in setting_rows()
    ]
    return "\n".join(
        ["| variable | default | what it may be, and what for |", "|---|---|---|", *rows, ""]
    )


def safeguards_table() -> str:
    """The table of the safeguards of several nodes, as docs/simulation.md has it."""
    rows = [
        f"| `{name}` | {removal.what} | {removal.rule} | `{removal.workload}` | {removal.seed} |"
        for name, removal in REMOVALS.items()
    ]
    head = ["| removed | what it does | rule | workload | first seed |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def dollars_table() -> str:
    """The table of what a million of each operation costs, as docs/dynamodb.md has it."""
    lines = [line for line in (adapters.dynamodb.__doc__ or "").splitlines() if "|" in line]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]
    per_unit = prices()
    write_price = per_unit["a million write units, on demand"]
    read_price = per_unit["a million read units, on demand"]
    shown = [
        f"| {what} | {wcu} | {rcu} | {float(wcu) * write_price + float(rcu) * read_price:.3f} |"
        for what, _, wcu, rcu in rows
    ]
    head = ["| a million of these | WCU each | RCU each | dollars |", "|---|---|---|---|"]
    return "\n".join([*head, *shown, ""])


def prices() -> dict[str, float]:
    """AWS's prices in dollars, as docs/dynamodb.md names them."""
    rows = [line.strip("| ").split(" | ") for line in block(DYNAMODB, "prices").splitlines()[2:]]
    return {what: float(dollars) for what, dollars in rows}


def metrics_table() -> str:
    """The table of all metrics, as docs/operations.md has it."""
    rows = []
    for name, family in sorted(families().items()):
        labels = ", ".join(f"`{label}`" for label in family.labels)
        rows.append(f"| `{name}` | {family.kind} | {labels} | {family.help_text.rstrip('.')} |")
    return "\n".join(["| metric | kind | labels | what |", "|---|---|---|---|", *rows, ""])


def _code(default: object) -> str:
    return f"`{default}`" if default != "" else ""


def write() -> None:
    """Generate the tables again: `python -c "import tests.unit.test_docs as t; t.write()"`."""
    _write(CONFIGURATION, "settings", settings_table())
    _write(SIMULATION, "safeguards", safeguards_table())
    _write(DYNAMODB, "dollars", dollars_table())
    _write(OPERATIONS, "metrics", metrics_table())


def _write(page: Path, name: str, table: str) -> None:
    page.write_text(re.sub(_block(name), lambda _: table, page.read_text(), flags=re.DOTALL))


def listed(name: str) -> dict[str, list[str]]:
    """The first column of a table in docs/protocol.md → the other columns' first codes."""
    rows = [line.strip("| ").split(" | ") for line in block(PROTOCOL, name).splitlines()[2:]]
    return {
        first.strip("`"): [cell.strip("`") for cell in others if cell.startswith("`")]
        for first, *others in rows
    }


def listed_commands() -> Iterator[str]:
    """The commands in the table of docs/operations.md, such as `serve` and `sessions list`."""
    for row in re.findall(r"^\| `ai-agent-server (.*?) \|", OPERATIONS.read_text(), re.MULTILINE):
        first, *others = row.replace("`", "").split(", ")
        group = first.rpartition(" ")[0]
        yield from [first, *(f"{group} {other}".strip() for other in others)]


def keys(shape: Shape | None, *, sent: bool = False) -> str:
    """The keys of a payload as the tables have them: `a, b?, c[]`.

    `sent`: by a client, who may leave out whatever has a default.
    """
    if shape is None:
        return "{}"
    return ", ".join(_key(each, shape, sent=sent) for each in msgspec.structs.fields(shape))


def _key(field: msgspec.structs.FieldInfo, shape: Shape, *, sent: bool) -> str:
    may_lack = sent or shape.__struct_config__.omit_defaults or field.default is msgspec.UNSET
    is_list = re.match(r"(list|.*\bSequence)\[", str(field.type))
    optional = "?" if may_lack and not field.required else ""
    return f"{field.encode_name}{'[]' if is_list else ''}{optional}"


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files of this repository that a page links to, each with the anchor in it."""
    for target in _LINK.findall(_CODE_BLOCK.sub("", page.read_text())):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield (page.parent / path if path else page), anchor


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, by GitHub's rules."""
    titles = _HEADING.findall(_CODE_BLOCK.sub("", page.read_text()))
    plain = [re.sub(r"[^\w\- ]", "", title.lower()) for title in titles]
    return {title.replace(" ", "-") for title in plain}


def test_every_setting_is_listed() -> None:
    assert block(CONFIGURATION, "settings") == settings_table()


def test_every_metric_is_listed() -> None:
    assert block(OPERATIONS, "metrics") == metrics_table()


def test_every_safeguard_of_several_nodes_is_listed() -> None:
    assert block(SIMULATION, "safeguards") == safeguards_table()


def test_what_dynamodb_costs_is_the_capacity_table_times_the_prices() -> None:
    assert block(DYNAMODB, "dollars") == dollars_table()


def test_the_figures_about_dynamodb_are_those_of_the_code_and_of_the_prices() -> None:
    text, per_unit = DYNAMODB.read_text(), prices()
    write = per_unit["a million write units, on demand"]
    read = per_unit["a million read units, on demand"]
    provisioned = per_unit["a write unit for an hour, provisioned"] / 3600 * 1e6
    stored = per_unit["a GB for a month, beyond the first 25"]
    stored += per_unit["a GB for a month of point-in-time recovery"]
    scan = 100 * 2**30 / 4096
    found = re.search(r"uses ([\d.]+) RCU each second", adapters.dynamodb.__doc__ or "")
    assert found is not None
    idle = float(found[1])

    assert f"dollars = WCU × {write} + RCU × {read}" in text
    assert f"$0.18 for a million, {provisioned / write:.0%}".replace("%", " %") in text
    assert f"${provisioned:.2f} for a million" in text
    assert f"= ${stored:.2f} for each month" in text
    assert f"{idle} read units a second" in text
    assert f"{idle * 2.63:.1f} million a month, ${idle * 2.63 * read:.2f}." in text
    assert f"{scan / 1e6:.0f} million read units, ${scan / 1e6 * read:.2f}, and at 500" in text
    assert f"{scan / 500 / 3600:.0f} hours" in text
    assert f"<!-- shards -->{SHARDS}<!-- /shards -->" in text
    assert f"at most {DEADLINE_S} s" in text


def operations(*files: Path) -> set[str]:
    """The operations of DynamoDB that are named in the code of these files."""
    model = botocore.session.get_session().get_service_model("dynamodb")
    known = {botocore.xform_name(name): name for name in model.operation_names}
    literals = {
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {known[name] for name in literals & known.keys()}


def test_the_policy_for_dynamodb_allows_what_the_code_calls_and_no_more() -> None:
    folder = ROOT / "adapters/dynamodb"
    table, migration = folder / "table.py", folder / "migration.py"
    serve = operations(*{*folder.glob("*.py")} - {table, migration})
    if "TransactWriteItems" in serve:  # it is allowed by its parts
        serve = serve - {"TransactWriteItems"} | {"ConditionCheckItem"}
    policy = json.loads(block(DYNAMODB, "policy").strip().strip("`").removeprefix("json"))
    allowed: dict[str, set[str]] = {
        each["Sid"]: {name.removeprefix("dynamodb:") for name in listed_actions(each)}
        for each in policy["Statement"]
    }

    assert allowed == {
        "Serve": serve,
        "Check": {"DescribeTimeToLive"},
        "Table": operations(table) - serve - {"DescribeTimeToLive"},
        "Migrate": operations(migration) - serve,
    }


def listed_actions(statement: dict[str, Any]) -> list[str]:
    actions = statement["Action"]
    return actions if isinstance(actions, list) else [actions]


def test_every_event_of_a_client_is_listed() -> None:
    assert EVENTS.keys() == {"phx_join", *messages_channel._HANDLERS}
    assert listed("events") == {
        event: [keys(payload, sent=True), keys(reply)] for event, (payload, reply) in EVENTS.items()
    }


def test_every_push_is_listed() -> None:
    assert listed("pushes") == {event: [keys(payload)] for event, payload in PUSHES.items()}


def test_every_route_is_listed() -> None:
    paths = create_app(Settings(store="memory")).openapi_schema.paths or {}
    routes = {
        f"{method.upper()} {path}"
        for path, item in paths.items()
        for method in ("get", "put", "post", "delete")
        if getattr(item, method) is not None
    }
    server = HTTP_API.read_text().partition("\n## Errors")[0]

    assert set(re.findall(r"`((?:GET|PUT|POST|DELETE) /[^`]*)`", server)) == routes


def test_every_command_is_listed() -> None:
    commands = {
        f"{name} {each}" if each else name
        for name, command in main.commands.items()
        for each in (command.commands if isinstance(command, click.Group) else [""])
    }

    assert set(listed_commands()) == commands


def test_the_examples_of_the_readme_are_those_that_the_wire_is_tested_with() -> None:
    text = README.read_text()

    assert [example for example in (JOIN, SAY, TRANSFER) if example not in text] == []


def test_the_readme_is_the_face_of_the_project_and_no_more() -> None:
    assert len(README.read_text().splitlines()) <= MOST_LINES


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    astray = [
        f"{path}#{anchor}"
        for path, anchor in links(page)
        if not path.exists() or (anchor and anchor not in anchors(path))
    ]

    assert astray == []


@every_page
def test_every_path_that_is_named_exists(page: Path) -> None:
    named = _PATH.findall(page.read_text())

    assert [path for path in named if not (ROOT / path).exists()] == []


@every_page
def test_every_target_of_make_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", page.read_text()))

    assert named <= targets


@every_page
def test_every_table_is_in_one_piece(page: Path) -> None:
    # A blank line ends a table: the rows behind it are shown as text.
    lines = ["", *_CODE_BLOCK.sub("", page.read_text()).splitlines(), ""]
    lost = [
        line
        for before, line, after in zip(lines, lines[1:], lines[2:], strict=False)
        if line.startswith("|") and not before.startswith("|") and not after.startswith("|--")
    ]

    assert lost == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: str(page.stem))
def test_a_decision_says_why_and_what_would_change_it(page: Path) -> None:
    text = page.read_text()

    assert re.match(rf"# {page.name[:4]} .+\n\n{_STATUS}\n\n", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "Context",
        "Decision",
        "Measured",
        "What would change it",
    ]


def test_the_decisions_are_numbered_without_gaps_and_all_are_listed() -> None:
    index = {path.resolve() for path, _ in links(ROOT / "docs/decisions/README.md")}

    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert {page.resolve() for page in DECISIONS} <= index
