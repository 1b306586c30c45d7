"""The tree of errors that `domain/errors.py` draws is the one that there is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from domain import errors

ROOT = Path(__file__).parents[3]
PACKAGES = ("domain", "application", "adapters", "entrypoints")
_branch = re.compile(r"^(?P<indent>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: +in (?P<module>[\w.]+))?")


class Error(NamedTuple):
    """A class of errors, its base, and its module."""

    name: str
    base: str
    module: str


def drawn() -> set[Error]:
    """The classes below the root in the docstring."""
    path: list[str] = []
    found: set[Error] = set()
    for line in (errors.__doc__ or "").splitlines()[2:]:
        branch = _branch.match(line)
        assert branch is not None, line
        del path[len(branch["indent"]) // 4 :]
        if path:
            found.add(Error(branch["name"], path[-1], branch["module"] or errors.__name__))
        path.append(branch["name"])
    return found


def defined() -> set[Error]:
    """The subclasses of the root in the four layers, direct or not."""
    classes, found = set(_classes()), set[Error]()
    bases = {errors.ConversationError.__name__}
    while bases:
        layer = {each for each in classes if each.base in bases}
        layer -= found
        found |= layer
        bases = {each.name for each in layer}
    return found


def _classes() -> Iterator[Error]:
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                for base in node.bases:
                    yield Error(node.name, ast.unparse(base).rpartition(".")[2], module)


def test_the_tree_is_drawn_as_it_is() -> None:
    assert drawn() == defined()
