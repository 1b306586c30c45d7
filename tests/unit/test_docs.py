"""The README says what the code does."""

import re
from pathlib import Path

from entrypoints.settings import table

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"(?<=<!-- settings -->\n).*(?=<!-- /settings -->)", re.DOTALL)


def settings_table() -> str:
    """The configuration table, as the README has it."""
    rows = [
        f"| `{name}` | {_code(default)} | {may}; {what} |" for name, default, may, what in table()
    ]
    return "\n".join(
        ["| variable | default | what it may be, and what for |", "|---|---|---|", *rows, ""]
    )


def _code(default: object) -> str:
    return f"`{default}`" if default != "" else ""


def write() -> None:
    """Write the table anew: `python -c "import tests.unit.test_readme as t; t.write()"`."""
    text = README.read_text()
    README.write_text(BLOCK.sub(lambda _: settings_table(), text))


def test_the_readme_lists_every_setting() -> None:
    listed = BLOCK.search(README.read_text())

    assert listed is not None
    assert listed[0] == settings_table()


def test_every_file_that_the_readme_points_to_is_there() -> None:
    root = README.parent
    named = re.findall(
        r"`((?:domain|application|adapters|entrypoints|tests)/[\w./-]*)`", README.read_text()
    )

    assert named
    assert [path for path in named if not (root / path).exists()] == []
