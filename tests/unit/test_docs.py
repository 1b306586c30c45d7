"""The documents say what the code does, and lead where they say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from entrypoints.settings import table

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
CONFIGURATION = ROOT / "docs/configuration.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
MOST_LINES = 260
"""Of the README: whoever adds a paragraph takes one away."""

_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_STATUS = r"Status: (accepted|superseded by \[\d{4}\]\(.+\)) \(\w+ \d{4}\)"
_CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def block(page: Path, name: str) -> str:
    """What stands between `<!-- name -->` and `<!-- /name -->` of a page."""
    found = re.search(_block(name), page.read_text(), re.DOTALL)
    assert found is not None
    return found[0]


def _block(name: str) -> str:
    return rf"(?<=<!-- {name} -->\n).*(?=<!-- /{name} -->)"


def settings_table() -> str:
    """The table of all settings, as docs/configuration.md has it."""
    rows = [
        f"| `{name}` | {_code(default)} | {may}; {what} |" for name, default, may, what in table()
    ]
    return "\n".join(
        ["| variable | default | what it may be, and what for |", "|---|---|---|", *rows, ""]
    )


def _code(default: object) -> str:
    return f"`{default}`" if default != "" else ""


def write() -> None:
    """Generate the table again: `python -c "import tests.unit.test_docs as t; t.write()"`."""
    text = CONFIGURATION.read_text()
    new = re.sub(_block("settings"), lambda _: settings_table(), text, flags=re.DOTALL)
    CONFIGURATION.write_text(new)


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files of this repository that a page links to, each with the anchor in it."""
    for target in _LINK.findall(_CODE_BLOCK.sub("", page.read_text())):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield (page.parent / path if path else page), anchor


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in a link, by GitHub's rules."""
    titles = _HEADING.findall(_CODE_BLOCK.sub("", page.read_text()))
    plain = [re.sub(r"[^\w\- ]", "", title.lower()) for title in titles]
    return {title.replace(" ", "-") for title in plain}


def test_every_setting_is_listed() -> None:
    assert block(CONFIGURATION, "settings") == settings_table()


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
