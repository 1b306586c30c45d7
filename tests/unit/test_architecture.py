"""What import-linter does not see: it checks the packages that it is told of, and imports alone."""

import ast
import sys
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


def test_the_top_level_packages_are_the_four_layers_and_the_tests() -> None:
    packages = {
        path.name for path in ROOT.iterdir() if path.name.isidentifier() and any(path.rglob("*.py"))
    }

    assert packages == {*PACKAGES, "tests"}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_modules_is_a_package(package: str) -> None:
    # The layers and the independence of adapters are checked in packages, not in bare folders.
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}

    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_domain_imports_only_the_standard_library_and_msgspec_for_its_values() -> None:
    assert imported("domain") - {"domain", "msgspec"} <= sys.stdlib_module_names


def test_the_application_imports_no_framework() -> None:
    allowed = {"application", "domain", "msgspec"}
    assert imported("application") - allowed <= sys.stdlib_module_names


@pytest.mark.parametrize("package", ["domain", "application"])
def test_the_inner_layers_read_no_clock_through_datetime(package: str) -> None:
    attributes = {ast.unparse(node) for node in nodes(package) if isinstance(node, ast.Attribute)}

    assert {name for name in attributes if name.endswith(CLOCK_READS)} == set()
