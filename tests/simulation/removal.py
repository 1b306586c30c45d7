"""How a safeguard of the product is removed, from outside, in either tier."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

Remove = Callable[[ExitStack], None]
"""Removes a safeguard until the stack is closed; its docstring says what the product does."""


def name_of(remove: Remove) -> str:
    """Return the name of a safeguard, as on the command line."""
    return remove.__name__.removeprefix("_").replace("_", "-")


@contextmanager
def removed(remove: Remove | None) -> Iterator[None]:
    """Remove a safeguard for a while; None: nothing."""
    with ExitStack() as stack:
        if remove is not None:
            remove(stack)
        yield


def put(stack: ExitStack, owner: Any, name: str, value: Any) -> None:
    """Replace an attribute of the product."""
    stack.enter_context(patch.object(owner, name, value))


def nothing(*_: Any, **__: Any) -> None:
    """Do nothing, in the place of something."""
