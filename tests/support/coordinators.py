"""A file of coordinators with known passwords."""

from functools import cache
from pathlib import Path
from typing import Any

from adapters.files.coordinators import Coordinator, change_coordinators
from adapters.passwords import hash_password
from domain.identity import BusinessId, CoordinatorId

MARIA, STEFAN = CoordinatorId("Maria Ionescu"), CoordinatorId("Ștefan")
PASSWORD = "corect, cal, baterie"

hashed = cache(hash_password)


def allow(
    path: Path, name: CoordinatorId, *businesses: str, password: str = PASSWORD, **more: Any
) -> None:
    """Put a coordinator into the file, in place of the one of that name; `stored`: the hash."""
    every = tuple(map(BusinessId, businesses))
    given = Coordinator(every, more.get("stored") or hashed(password))
    change_coordinators(path, lambda now: now.having(name, given))


def forbid(path: Path, name: CoordinatorId) -> None:
    """Take a coordinator out of the file."""
    change_coordinators(path, lambda now: now.without(name))
