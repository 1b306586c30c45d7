"""axe-core: what is wrong with a page for those who use it in other ways (WCAG 2.2 AA)."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.async_api import Page

LOOKS = ("color-contrast", "target-size", "scrollable-region-focusable")
"""The rules that depend on the size of the screen and on the theme."""
_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
_FILE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """([within, only]) => axe.run(document.querySelector(within), {
  runOnly: only,
  rules: { "target-size": { enabled: true } },
  resultTypes: ["violations"],
}).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
  nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`)))"""


def axe_script() -> str:
    """Return the script that a page must have; skip the test where it is not installed."""
    if not _FILE.exists():
        if os.environ.get("CI"):
            pytest.fail("node_modules are not installed")
        pytest.skip("node_modules are not installed")
    return _FILE.read_text()


async def axe_problems(
    page: Page, within: str = "html", rules: Sequence[str] | None = None
) -> list[str]:
    """Return what is wrong with an element of the page as it is now; `rules`: by these alone."""
    kind, values = ("tag", _TAGS) if rules is None else ("rule", rules)
    return list(await page.evaluate(_RUN, [within, {"type": kind, "values": [*values]}]))
