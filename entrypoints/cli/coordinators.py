"""The commands for the file of coordinators, without a running bridge."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import click
from click import ClickException

from adapters.files.coordinators import (
    Coordinator,
    CoordinatorList,
    change_coordinators,
    read_coordinators,
)
from adapters.passwords import MAX_PASSWORD, MIN_PASSWORD, generated_password, hash_password
from domain.identity import CoordinatorId, business_identifier, coordinator_id
from entrypoints.settings import Settings

OWN_FILE = "coordinators.toml"
"""The file of coordinators, in the current folder, where COORDINATORS names none."""


def add_coordinator(
    settings: Settings, name: str, businesses: Sequence[str], password: Callable[[], str]
) -> str:
    """Add a coordinator, or businesses to one; `password` asks for that of a new one.

    Raises: ConversationError, ClickException.
    """
    who = coordinator_id("NAME", name)
    more = [business_identifier("business", each) for each in businesses]
    path = _path(settings)
    known = read_coordinators(path).coordinators if path.exists() else {}
    stored = hash_password(password()) if who not in known else None

    def add(now: CoordinatorList) -> CoordinatorList:
        before = now.coordinators.get(who)
        if before is None and stored is None:
            raise ClickException(f"{who} has just been removed: add {who} again")
        given = before or Coordinator((), stored or "")
        every = tuple(dict.fromkeys([*given.businesses, *more]))
        return now.having(who, replace(given, businesses=every))

    change_coordinators(path, add)
    done = f"{who} is a coordinator of {', '.join(_of(path, who).businesses)}"
    if stored is None:
        done += "; the password stays"
    return done if settings.coordinators else f"{done}\nThen: set COORDINATORS={path}"


def list_coordinators(settings: Settings) -> str:
    """List the coordinators of the file. Raises: ConversationError."""
    known = read_coordinators(_path(settings)).coordinators
    rows = [f"{name:<30} {', '.join(each.businesses)}" for name, each in sorted(known.items())]
    return "\n".join(rows) or "no coordinators"


def remove_coordinator(settings: Settings, name: str, businesses: Sequence[str]) -> str:
    """Remove a coordinator, or some of the businesses.

    Raises: ConversationError, ClickException.
    """
    who, path = coordinator_id("NAME", name), _path(settings)

    def remove(now: CoordinatorList) -> CoordinatorList:
        before = _found(now, who, path)
        for each in businesses:
            if each not in before.businesses:
                raise ClickException(f"{who} is no coordinator of {each}")
        left = tuple(each for each in before.businesses if each not in businesses)
        if not businesses or not left:
            return now.without(who)
        return now.having(who, replace(before, businesses=left))

    change_coordinators(path, remove)
    rest = read_coordinators(path).coordinators.get(who)
    if rest is None:
        return f"{who} is no coordinator any more"
    return f"{who} is a coordinator of {', '.join(rest.businesses)}"


def set_password(settings: Settings, name: str, password: Callable[[], str]) -> str:
    """Give a coordinator another password. Raises: ConversationError, ClickException."""
    who, path = coordinator_id("NAME", name), _path(settings)
    _of(path, who)  # before the password is asked for
    stored = hash_password(password())
    change_coordinators(
        path, lambda now: now.having(who, replace(_found(now, who, path), password=stored))
    )
    return f"{who} has another password, and must sign in again"


def ask_password(is_piped: bool, generate: bool) -> str:
    """Return a password: from the input, made and printed, or asked for twice.

    Raises: ClickException.
    """
    if is_piped and generate:
        raise click.UsageError("--generate and --password-stdin exclude each other")
    if generate:
        made = generated_password()
        click.echo(f"password: {made}")
        return made
    if is_piped:
        given = sys.stdin.readline(MAX_PASSWORD + 3).rstrip("\r\n")
    elif sys.stdin.isatty():
        given = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        raise click.UsageError("no terminal to ask at: --password-stdin or --generate")
    if not MIN_PASSWORD <= len(given) <= MAX_PASSWORD:
        raise ClickException(
            f"a password has {MIN_PASSWORD} to {MAX_PASSWORD:,} characters: a few words will do, "
            "or --generate"
        )
    return str(given)


def _path(settings: Settings) -> Path:
    return Path(settings.coordinators or OWN_FILE)


def _of(path: Path, who: CoordinatorId) -> Coordinator:
    return _found(read_coordinators(path), who, path)


def _found(known: CoordinatorList, who: CoordinatorId, path: Path) -> Coordinator:
    if (found := known.coordinators.get(who)) is None:
        raise ClickException(f"{path}: {who} is no coordinator")
    return found
