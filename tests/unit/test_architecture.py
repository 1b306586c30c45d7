"""Rules that import-linter cannot check: it checks the listed packages, and imports alone."""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "application", "adapters", "entrypoints")
CLOCK_READS = ("date.today", "datetime.now", "datetime.today", "datetime.utcnow")


def nodes(package: str) -> Iterator[ast.AST]:
    for path in sorted((ROOT / package).rglob("*.py")):
        yield from ast.walk(ast.parse(path.read_text(), str(path)))


def imported(package: str) -> set[str]:
    """The top-level names of all modules that a package imports."""
    names: set[str] = set()
    for node in nodes(package):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module).partition(".")[0])
    return names


def top_level_names(module: ast.Module) -> Iterator[str]:
    """The names that a module defines, not those that it imports."""
    for node in module.body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name
            case ast.Assign(targets=targets):
                yield from (each.id for each in targets if isinstance(each, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def test_the_top_level_packages_are_the_four_layers_and_the_tests() -> None:
    made = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    packages = {
        path.name
        for path in ROOT.iterdir()
        if path.name.isidentifier() and path.name not in made and any(path.rglob("*.py"))
    }

    assert packages == {*PACKAGES, "tests"}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_modules_is_a_package(package: str) -> None:
    # The layers and the independence of adapters are checked in packages, not in bare folders.
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}

    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("package", ["domain", "application"])
def test_the_inner_layers_import_no_framework_but_msgspec_for_their_values(package: str) -> None:
    assert imported(package) - {"domain", "application", "msgspec"} <= sys.stdlib_module_names


def test_a_public_name_is_defined_in_one_module() -> None:
    """One name has one meaning; only type variables and loggers recur in every module."""
    modules: dict[str, list[str]] = defaultdict(list)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for name in top_level_names(ast.parse(path.read_text(), str(path))):
                modules[name].append(str(path.relative_to(ROOT)))
    public = {name for name in modules if not name.startswith("_") and len(name) > 1}

    assert {name: modules[name] for name in public - {"logger"} if len(modules[name]) > 1} == {}


@pytest.mark.parametrize("package", ["domain", "application"])
def test_the_inner_layers_read_no_clock_through_datetime(package: str) -> None:
    attributes = {ast.unparse(node) for node in nodes(package) if isinstance(node, ast.Attribute)}

    assert {name for name in attributes if name.endswith(CLOCK_READS)} == set()
