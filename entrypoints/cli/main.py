"""The command line, `ai-agent-server`. Each command imports what it needs, so that help is fast."""

import asyncio
import logging
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

if TYPE_CHECKING:
    from entrypoints.programs import Program
    from entrypoints.settings import Settings

logger = logging.getLogger("entrypoints.cli.main")  # not `__main__`

SOCKET_URL = "ws://localhost:3001/socket/websocket"


class BadUsage(click.ClickException):
    """A bad setting or argument: one line, and exit code 2 as for any wrong usage."""

    exit_code = 2


class Cli(click.Group):
    """Reports expected errors in one line: exit code 2 for a setting, 1 for a failure."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            reported = _reported(error)
            if reported is None:
                raise
            raise reported from error


def _reported(error: Exception) -> click.ClickException | None:
    from adapters.urls import without_secrets
    from domain.errors import ConversationError, InvalidPayload
    from entrypoints.settings import BadSetting

    if not isinstance(error, BadSetting | ConversationError):
        return None
    if isinstance(error, BadSetting | InvalidPayload):
        return BadUsage(without_secrets(str(error)))
    return click.ClickException(without_secrets(str(error)))


@click.group(cls=Cli, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ai-agent-server")
def main() -> None:
    """Customers chat with an AI over Phoenix Channels, and are handed over to a human.

    Settings come from the environment and from the file .env in the current folder; the environment
    takes precedence. .env.example lists all settings.
    """


Command = Callable[..., None]


def listening_options(name: str) -> Callable[[Command], Command]:
    """Add `--host` and `--port`, which override the variables NAME_HOST and NAME_PORT."""

    def add(command: Command) -> Command:
        command = click.option("--host", help=f"Address to listen on.  [{name}_HOST]")(command)
        return click.option(
            "--port",
            type=click.IntRange(0, 65_535),
            help=f"Port to listen on; 0 picks a free one.  [{name}_PORT]",
        )(command)

    return add


workers_option = click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Number of processes that serve together.  [WORKERS]",
)


@main.command()
@listening_options("SERVER")
@workers_option
def serve(host: str | None, port: int | None, workers: int | None) -> None:
    """Run the server.

    With several workers, SIGUSR2 replaces them one by one.
    """
    from entrypoints.programs import server_program

    settings = _settings(host, port, workers=workers)
    _run(settings, [server_program(settings)])


def _run(
    settings: "Settings",
    programs: Sequence["Program"],
    on_listening: Callable[[Sequence[str]], None] = lambda urls: None,
) -> None:
    """Run programs in this process, or the server in several."""
    if settings.workers > 1:
        from entrypoints.workers import run_workers

        run_workers(settings.workers, *programs, on_listening=on_listening)
    else:
        from entrypoints.serve import run_programs

        run_programs(*programs, on_listening=on_listening)


@main.command()
@listening_options("BRIDGE")
def bridge(host: str | None, port: int | None) -> None:
    """Run the reference bridge, with the coordinators' page."""
    from entrypoints.programs import bridge_program
    from entrypoints.serve import run_programs

    run_programs(bridge_program(_settings(host, port, "BRIDGE")))


@main.command()
@listening_options("SERVER")
@workers_option
@click.option("--verbose", is_flag=True, help="Log each step of a conversation.  [LOG_LEVEL]")
def dev(host: str | None, port: int | None, workers: int | None, *, verbose: bool) -> None:
    """Run the server and the reference bridge, and print how to try them.

    BRIDGE defaults to elixir, and BUSINESSES to the folder businesses here, or else to two
    examples. With BRIDGE=none, or if ELIXIR_HTTP_URL or ELIXIR_WEBSOCKET_URL name
    your own application, the server runs alone.
    """
    from entrypoints.programs import demo_folder, dev_programs

    folder = demo_folder()
    if verbose:
        os.environ["LOG_LEVEL"] = "debug"
    settings = _settings(host, port, workers=workers, BRIDGE="elixir", BUSINESSES=folder)
    _run(settings, dev_programs(settings), lambda urls: click.echo(_banner(urls, settings)))


def _banner(urls: Sequence[str], settings: "Settings") -> str:
    from entrypoints.programs import DEMO_BUSINESS, first_business, local, socket_url

    here = local(urls[0])
    socket = socket_url(here)
    desk = f"\n  Coordinators  {local(urls[1])}/" if len(urls) > 1 else ""
    store = f"sqlite, {settings.sqlite_path}" if settings.store == "sqlite" else settings.store
    first = first_business(settings)
    query = f"?businessId={first}" if first != DEMO_BUSINESS else ""
    options = f" --business {first}" if query else ""
    options += "" if socket == SOCKET_URL else f" --url {socket}"
    if settings.socket_auth == "jwt" and settings.jwt_secret:
        options += f' --token "$({_own_command()} token user)"'
    return f"""
  AI Agent Server

  Chat          {here}/chat/{first}
  Test page     {here}/test-websocket.html{query}{desk}
  Socket        {socket}
  HTTP API      {here}/docs

  Businesses    {settings.businesses or "none"}
  Store         {store}
  Assistant     {settings.assistant}
  Bridge        {settings.bridge}

  Try: {_own_command()} chat{options}
  Ctrl+C stops {"both" if desk else "it"}.
"""


def _own_command() -> str:
    """Return this command as a user can type it: its name if the PATH has it, else its path."""
    name = click.get_current_context().find_root().info_name or ""
    typed = sys.argv[0]
    is_typed = Path(typed).name == name and shutil.which(name) != typed
    return shlex.quote(typed) if is_typed else name


@main.command()
@click.option("--url", default=SOCKET_URL, show_default=True, help="URL of the socket.")
@click.option("--business", default="b1", show_default=True, help="Business to chat with.")
@click.option("--user", default="u1", show_default=True, help="User to chat as.")
@click.option("--location", help="Location of the business.")
@click.option("--token", help="Token of the user.  [CHAT_TOKEN]", envvar="CHAT_TOKEN")
@click.option(
    "--patience",
    default=60.0,
    show_default=True,
    help="Seconds to wait for the answers to piped input.",
)
def chat(
    url: str, business: str, user: str, location: str | None, token: str | None, patience: float
) -> None:
    """Chat with a running server in the terminal."""
    from entrypoints.cli.chat import run

    sys.exit(run(url, business, user, location, token, patience_s=patience))


class Duration(click.ParamType[int]):
    """A duration such as `90s`, `30m`, `8h` or `7d`, in seconds."""

    name = "time"
    _units: ClassVar = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", str(value))
        if found is None:
            self.fail(f"{value!r} is not a time such as 90s, 30m, 8h or 7d", param, ctx)
        return int(found[1]) * self._units[found[2]]


@main.group()
def token() -> None:
    """Print signed tokens for trying SOCKET_AUTH=jwt.

    They are signed with JWT_SECRET (HS256); the server needs the same secret. In production, your
    own application issues the tokens, as it knows its users.
    """


_VALIDITY = "Validity, such as 90s, 30m, 8h or 7d."
business_option = click.option(
    "--business", default="b1", show_default=True, help="Business of the token."
)


@token.command("user")
@business_option
@click.option("--user", default="u1", show_default=True, help="User in the token.")
@click.option("--ttl", type=Duration(), default="1h", show_default=True, help=_VALIDITY)
def user_token(business: str, user: str, ttl: int) -> None:
    """Print a token for a user."""
    from domain.identity import Role
    from entrypoints.cli.tokens import sign_token

    click.echo(sign_token(_settings(), Role.USER, business, user, ttl))


@token.command("coordinator")
@business_option
@click.option("--coordinator", default="c1", show_default=True, help="Coordinator in the token.")
@click.option("--ttl", type=Duration(), default="8h", show_default=True, help=_VALIDITY)
def coordinator_token(business: str, coordinator: str, ttl: int) -> None:
    """Print a token for a coordinator of the reference bridge."""
    from domain.identity import Role
    from entrypoints.cli.tokens import sign_token

    click.echo(sign_token(_settings(), Role.COORDINATOR, business, coordinator, ttl))


@main.command()
@click.option("--url", default="", help="Public address, to be tried too: https://chat.example.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(url: str, as_json: bool) -> None:
    """Find what goes wrong in production; exit with 1 where something does not work.

    It tries each configured adapter (the model, the bridge and its live chat, the store), looks at
    the settings and the machine and, with --url, at what customers meet: the certificate, the
    proxy, the socket. Run it as the server is run: as its user, with its settings and limits.
    """
    from entrypoints.cli.diagnoses import Level, diagnoses_json, shown_diagnoses
    from entrypoints.cli.doctor import examine

    findings = asyncio.run(examine(_settings(), url))
    click.echo(diagnoses_json(findings) if as_json else shown_diagnoses(findings))
    sys.exit(1 if any(each.level is Level.PROBLEM for each in findings) else 0)


main.add_command(doctor, "check")  # as it was called when it tried the adapters alone


bridge_option = click.option(
    "--bridge", "of_bridge", is_flag=True, help="The reference bridge's database.  [BRIDGE_STORE]"
)
backup_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@main.command()
@backup_file
@bridge_option
def backup(file: Path, of_bridge: bool) -> None:
    """Copy the database of STORE=sqlite to the new FILE, beside a running server.

    FILE has everything that was stored before, and its content is checked. It is for this user
    alone, as it holds what customers have written.
    """
    from entrypoints.cli.backups import back_up_database

    click.echo(back_up_database(_settings(), file, of_bridge=of_bridge))


@main.command()
@backup_file
@bridge_option
def restore(file: Path, of_bridge: bool) -> None:
    """Put the backup FILE in the place of the database of STORE=sqlite.

    Stop the server before: nobody may have the database open. It is kept beside the new one, under
    a name that is printed.
    """
    from entrypoints.cli.backups import restore_database

    click.echo(restore_database(_settings(), file, of_bridge=of_bridge))


@main.group()
def business() -> None:
    """Create, list, check or show the businesses of a folder.

    It is BUSINESSES or, where that is not set, the folder businesses here.
    """


@business.command("new")
@click.argument("name")
@click.option(
    "--from",
    "template",
    type=click.Choice(["bistro", "dental"]),
    default="bistro",
    show_default=True,
    help="The example to begin with; bistro is Romanian, dental English.",
)
def new_(name: str, template: str) -> None:
    """Create the business NAME from an example."""
    from entrypoints.cli.businesses import new_business

    click.echo(new_business(_settings(), name, template))


@business.command("list")
def list_of_businesses() -> None:
    """List the businesses, and those with mistakes."""
    from entrypoints.cli.businesses import list_businesses

    click.echo(list_businesses(_settings()))


@business.command("check")
@click.argument("name", required=False)
def check_files(name: str | None) -> None:
    """Print all mistakes in the files, or in those of NAME; exit with 1 if there are any."""
    from entrypoints.cli.businesses import find_mistakes

    mistakes, notes = find_mistakes(_settings(), name)
    for line in mistakes:
        click.echo(line)
    for line in notes:
        click.echo(f"{line} (worth knowing, no mistake)")
    if not mistakes:
        click.echo("ok")
    sys.exit(1 if mistakes else 0)


@business.command("show")
@click.argument("name")
def show_one(name: str) -> None:
    """Print what is in force for the business NAME."""
    from entrypoints.cli.businesses import show_business

    click.echo(show_business(_settings(), name))


@main.group()
def coordinators() -> None:
    """Add, list or remove those who may be coordinators of the reference bridge.

    They are in the file COORDINATORS or, where that is not set, in coordinators.toml here. The
    running bridge reads it again within a few seconds.
    """


def password_options(command: Command) -> Command:
    """Add the ways in which a password is given; without one, it is asked for."""
    command = click.option("--generate", is_flag=True, help="Make a password, and print it.")(
        command
    )
    return click.option(
        "--password-stdin", "is_piped", is_flag=True, help="Read the password from the input."
    )(command)


@coordinators.command("add")
@click.argument("name")
@click.option(
    "--business",
    "businesses",
    multiple=True,
    required=True,
    help="Business of the coordinator; repeat it for several.",
)
@password_options
def add_one(name: str, businesses: tuple[str, ...], is_piped: bool, generate: bool) -> None:
    """Add the coordinator NAME, or give NAME more businesses."""
    from entrypoints.cli.coordinators import add_coordinator, ask_password

    settings = _settings()
    click.echo(
        add_coordinator(settings, name, businesses, lambda: ask_password(is_piped, generate))
    )


@coordinators.command("list")
def list_of_coordinators() -> None:
    """List the coordinators and their businesses."""
    from entrypoints.cli.coordinators import list_coordinators

    click.echo(list_coordinators(_settings()))


@coordinators.command("remove")
@click.argument("name")
@click.option("--business", "businesses", multiple=True, help="Take only this business away.")
def remove_one(name: str, businesses: tuple[str, ...]) -> None:
    """Remove the coordinator NAME, who is signed out within a few seconds."""
    from entrypoints.cli.coordinators import remove_coordinator

    click.echo(remove_coordinator(_settings(), name, businesses))


@coordinators.command("password")
@click.argument("name")
@password_options
def change_password(name: str, is_piped: bool, generate: bool) -> None:
    """Give the coordinator NAME another password, and sign NAME out."""
    from entrypoints.cli.coordinators import ask_password, set_password

    click.echo(set_password(_settings(), name, lambda: ask_password(is_piped, generate)))


@main.group()
def sessions() -> None:
    """List, show, export or erase stored conversations."""


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@sessions.command("list")
@click.option("--business", help="Only conversations of this business.")
@click.option(
    "--status",
    type=click.Choice(["ai", "waiting", "live", "closed"]),
    help="Only conversations with this status.",
)
@click.option("--user", help="Only conversations of this user; needs --business.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="The most to list.",
)
@as_json
def list_(
    business: str | None, status: str | None, user: str | None, limit: int, as_json: bool
) -> None:
    """List conversations, newest first."""
    from entrypoints.cli.operations import list_sessions

    if user is not None and business is None:
        raise click.UsageError("--user needs --business")
    click.echo(
        asyncio.run(list_sessions(_settings(), business, status, user, limit, as_json=as_json))
    )


@sessions.command()
@click.argument("session_id", metavar="ID")
@as_json
def show(session_id: str, as_json: bool) -> None:
    """Print one conversation."""
    from entrypoints.cli.operations import show_session

    click.echo(asyncio.run(show_session(_settings(), session_id, as_json=as_json)))


@sessions.command()
@click.argument("business")
@click.argument("user")
@click.option(
    "--output",
    type=click.Path(dir_okay=False),
    default="-",
    help="File to write.  [default: stdout]",
)
def export(business: str, user: str, output: str) -> None:
    """Write everything stored about a user, as JSON."""
    from entrypoints.cli.operations import export_user

    os.umask(0o077)  # the file is for this user alone
    document = asyncio.run(export_user(_settings(), business, user)) + "\n"
    try:
        with click.open_file(output, "w", "utf-8", atomic=True) as file:
            file.write(document)
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror}") from error


@sessions.command()
@click.argument("business")
@click.argument("user")
@click.option("--yes", is_flag=True, help="Required: this cannot be undone.")
def erase(business: str, user: str, yes: bool) -> None:
    """Erase everything stored about a user."""
    from entrypoints.cli.operations import erase_user

    if not yes:
        raise click.UsageError("erasing cannot be undone: pass --yes to confirm")
    click.echo(asyncio.run(erase_user(_settings(), business, user)))


@main.command()
@click.option("--business", help="Only questions to this business.")
@click.option(
    "--since",
    type=Duration(),
    default="30d",
    show_default=True,
    help="Only questions of this time, such as 8h or 7d.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="The most to list.",
)
@as_json
def questions(business: str | None, since: int, limit: int, as_json: bool) -> None:
    """List the questions to which a business's documents had no answer, and what was searched.

    The most frequent come first.
    """
    from entrypoints.cli.operations import list_questions

    listed = list_questions(_settings(), business, since, limit, as_json=as_json)
    click.echo(asyncio.run(listed))


class Percent(click.ParamType[float]):
    """A percentage such as `20%` or `+5%`."""

    name = "percent"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        found = re.fullmatch(r"\+?([0-9]{1,5}(?:\.[0-9]{1,3})?)%", str(value))
        if found is None:
            self.fail(f"{value!r} is not a percentage such as 20%", param, ctx)
        return float(found[1])


@main.command("replay")
@click.option("--business", required=True, help="Business whose conversations are replayed.")
@click.option("--model", help="Model that answers; else as the file and the settings have it.")
@click.option(
    "--file",
    type=click.Path(exists=True, path_type=Path),
    help="Changed file of the business, or a folder with it and its documents; else the one in "
    "force.",
)
@click.option(
    "--from",
    "exports",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Export with conversations, in place of the store; may be repeated.",
)
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of another replay, to compare with its answers in place of the recorded ones.",
)
@click.option("--since", type=Duration(), help="Only conversations of this time, such as 7d.")
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=200,
    show_default=True,
    help="The most conversations, the newest first.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 100),
    default=4,
    show_default=True,
    help="The most turns at once.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the results.  [default: replay-BUSINESS-TIME]",
)
@click.option("--resume", is_flag=True, help="Go on with the replay in --out.")
@click.option("--max-changed", type=Percent(), help="Exit with 1 if more turns change: 20%.")
@click.option(
    "--max-handoffs",
    type=Percent(),
    help="Exit with 1 if hand-offs rise by more of the turns: +5%.",
)
@click.option("--max-tokens", type=Percent(), help="Exit with 1 if tokens rise by more: +10%.")
@click.option(
    "--max-failed", type=click.IntRange(0), help="Exit with 1 if more turns have no answer: 0."
)
def replay_command(
    max_changed: float | None,
    max_handoffs: float | None,
    max_tokens: float | None,
    max_failed: int | None,
    since: int | None,
    **options: Any,
) -> None:
    """Put recorded conversations to another model or file, and report what changes.

    Each answer of the AI is asked for again, as the conversation stood then. No tool is called, and
    nothing is sent or stored anywhere but in the folder of the results.
    """
    from domain.answer_comparison import ReplayBounds
    from entrypoints.cli.replay import ReplayPlan, replay

    bounds = ReplayBounds(
        max_changed=max_changed,
        max_handoffs=max_handoffs,
        max_tokens=max_tokens,
        max_failed=max_failed,
    )
    plan = ReplayPlan(**options, since_s=since, bounds=bounds)
    sys.exit(replay(_settings(), plan, click.echo))


@main.group()
def table() -> None:
    """Create, describe, migrate or delete the table of STORE=dynamodb."""


@table.command()
def create() -> None:
    """Create the table, or turn its missing features on; safe to repeat."""
    from entrypoints.cli.operations import create_table

    asyncio.run(create_table(_settings(), click.echo))


@table.command()
def describe() -> None:
    """Print the state of the table, and what it lacks."""
    from entrypoints.cli.operations import describe_table

    click.echo(asyncio.run(describe_table(_settings())))


@table.command()
@click.option("--dry-run", is_flag=True, help="Count what would be changed, and write nothing.")
@click.option(
    "--rate",
    type=click.IntRange(1, 1_000_000),
    default=500,
    show_default=True,
    help="The most capacity units to use in a second, reads and writes together.",
)
def migrate(dry_run: bool, rate: int) -> None:
    """Rewrite what former versions have stored; safe to interrupt, and to repeat.

    It reads the whole table. Processes of the former and of this version may run meanwhile; what
    the former ones store behind it is found when the command is run again.
    """
    from entrypoints.cli.operations import migrate_table

    settings = _settings()
    click.echo(
        asyncio.run(migrate_table(settings, click.echo, units_per_s=rate, is_dry_run=dry_run))
    )


@table.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Required: this cannot be undone.")
def delete(name: str, yes: bool) -> None:
    """Delete the table NAME with all conversations; DYNAMODB_TABLE must name it, too."""
    from entrypoints.cli.operations import delete_table

    settings = _settings()
    if name != settings.dynamodb_table:
        raise click.UsageError(f"DYNAMODB_TABLE is {settings.dynamodb_table}, not {name}")
    if not yes:
        raise click.UsageError("deleting cannot be undone: pass --yes to confirm")
    asyncio.run(delete_table(settings, click.echo))


@main.group()
def outbox() -> None:
    """List, retry or drop the notices that the bridge has refused (dead letters)."""


@outbox.command("list")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="The most to list.",
)
@as_json
def list_letters(limit: int, as_json: bool) -> None:
    """List the dead letters with the reasons, oldest first."""
    from entrypoints.cli.operations import list_dead_letters

    click.echo(asyncio.run(list_dead_letters(_settings(), limit, as_json=as_json)))


@outbox.command()
@click.argument("notice_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Retry every dead letter.")
def retry(notice_ids: tuple[str, ...], everything: bool) -> None:
    """Queue dead letters again; the running server delivers them in their session's order."""
    from entrypoints.cli.operations import retry_dead_letters

    if everything == bool(notice_ids):
        raise click.UsageError("pass IDs from `outbox list`, or --all")
    click.echo(asyncio.run(retry_dead_letters(_settings(), notice_ids)))


@outbox.command()
@click.argument("notice_ids", metavar="ID...", nargs=-1, required=True)
def drop(notice_ids: tuple[str, ...]) -> None:
    """Delete dead letters."""
    from entrypoints.cli.operations import drop_dead_letters

    click.echo(asyncio.run(drop_dead_letters(_settings(), notice_ids)))


def _settings(
    host: str | None = None,
    port: int | None = None,
    name: str = "SERVER",
    *,
    workers: int | None = None,
    **defaults: str,
) -> "Settings":
    """Read the settings, and set the log up by them. Raises: BadSetting.

    `defaults`: variables whose defaults are others for this command.
    """
    from entrypoints.logs import configure
    from entrypoints.settings import env_file, load_settings, unknown_variables

    in_file = env_file(Path(".env"))
    for variable, value in {**defaults, **in_file}.items():
        os.environ.setdefault(variable, value)
    options = {f"{name}_HOST": host, f"{name}_PORT": port, "WORKERS": workers}
    given = {variable: str(value) for variable, value in options.items() if value is not None}
    settings = load_settings({**os.environ, **given})
    configure(settings.log_level, settings.log_format)
    for variable, nearest in unknown_variables(in_file).items():
        extra = {"action": "unknown_variable", "variable": variable, "nearest": nearest}
        logger.warning("A variable in .env is not known, and ignored", extra=extra)
    return settings


if __name__ == "__main__":
    main()
