"""axe-core: what is wrong with a page for those who use it in other ways (WCAG 2.2 AA)."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Page

_FILE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """axe.run({
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
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


async def axe_problems(page: Page) -> list[str]:
    """Return what is wrong with the page as it is now."""
    return list(await page.evaluate(_RUN))
