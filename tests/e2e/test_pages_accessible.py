"""The bench and the coordinators' page in their main states, by axe: WCAG 2.2 AA."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.e2e.test_both_pages import System
from tests.support.assistants import HANG, ScriptedSteps
from tests.support.axe import axe_problems, axe_script
from tests.support.browser import (
    ARTIFACTS,
    DESKTOP,
    PHONE,
    CoordinatorPage,
    UserPage,
    chromium,
    windows,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARKDOWN = "**Luni–vineri**, ca pe https://bistro.example/orar:\n\n- 9–17\n- `la cerere`"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


class Report:
    """The problems of the states that were looked at, on a light desktop and on a dark phone."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    async def look(self, page: Page, state: str, *panels: str) -> None:
        """Look at a state; on the phone at these panels of it, each behind a button."""
        await self._look(page, f"{state}-desktop")
        await page.set_viewport_size(PHONE)
        await page.emulate_media(color_scheme="dark")
        for panel in panels or ("",):
            if panel:
                await page.locator(f'[data-opens="{panel}"]').click()
            await self._look(page, f"{state}-phone{panel}")
        if panels:
            await page.locator('[data-opens="chat"]').click()
        await page.set_viewport_size(DESKTOP)
        await page.emulate_media(color_scheme="light")

    async def _look(self, page: Page, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        await page.screenshot(path=ARTIFACTS / f"axe-{name}.png")
        self.problems += [f"{name}: {each}" for each in await axe_problems(page)]
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            self.problems.append(f"{name}: {wide} px too wide")


async def test_every_state_of_both_pages_passes_axe(browser: Browser) -> None:
    report = Report()
    assistant = ScriptedSteps([MARKDOWN], ["Aș putea ", HANG])
    system = System(assistant)
    async with (
        system.serve_bridge(),
        system.serve(),
        windows(browser, axe_script()) as open_page,
    ):
        ana = UserPage(await open_page(reduced_motion="reduce"))
        maria = CoordinatorPage(await open_page(reduced_motion="reduce"))
        await ana.open(system.server)
        await report.look(ana.page, "bench-idle", "chat", "connection")
        await ana.connect()
        await report.look(ana.page, "bench-empty")
        await ana.send("Când?")
        await expect(ana.bubbles("ai")).to_have_count(1)
        await ana.page.locator(".raw-entry summary").last.click()
        await ana.frames.first.locator("summary").click()
        await report.look(ana.page, "bench-answer", "chat", "frames")
        await ana.send("Ăăă")
        await expect(ana.bubbles("ai", "streaming")).to_have_count(1)
        await report.look(ana.page, "bench-streaming")
        await ana.page.get_by_role("button", name="Stop the answer").click()
        await expect(ana.bubbles("ai", "streaming")).to_have_count(0)

        await maria.page.goto(f"http://{system.bridge.address}/")
        await report.look(maria.page, "desk-sign-in")
        await maria.sign_in(system.bridge, "Maria Ionescu")
        await report.look(maria.page, "desk-empty")

        await ana.page.get_by_role("button", name="Talk to a person").click()
        await report.look(ana.page, "bench-dialog")
        await ana.page.get_by_label("What is it about?").fill("O nuntă: https://nunta.example")
        await ana.page.get_by_role("button", name="Ask for a person").click()
        await expect(ana.owner).to_have_text("Waiting for a colleague")
        await report.look(ana.page, "bench-waiting", "chat", "connection")
        await expect(maria.waiting).to_have_text(["ana"])
        await report.look(maria.page, "desk-waiting")
        await maria.claim()
        await maria.send("Bună! **60 de locuri**, da.")
        await expect(ana.bubbles("coordinator")).to_have_count(1)
        await ana.page.get_by_label("Message", exact=True).press_sequentially("A")
        await expect(maria.page.locator("#typing")).to_be_visible()
        await report.look(maria.page, "desk-live")
        await maria.write_as("Note")
        await maria.send("Doar între noi.")
        await maria.page.locator("#conversation button.more").click()
        await report.look(maria.page, "desk-note")
        await maria.page.set_viewport_size(PHONE)
        await maria.page.get_by_role("button", name="About the conversation").click()
        await report.look(maria.page, "desk-context")
        await maria.act("Return to AI")
        await report.look(maria.page, "desk-dialog")
        await maria.confirm("Return to AI")
        await expect(maria.owner).to_contain_text("with the assistant")
        await maria.write_as("Whisper")
        await report.look(maria.page, "desk-whisper")

        rating = ana.page.locator(".card.rating")
        await expect(rating.get_by_role("radio")).to_have_count(5)
        await rating.get_by_role("radio", name="Good").check()
        await report.look(ana.page, "bench-rating")
        await ana.page.context.set_offline(True)
        await report.look(ana.page, "bench-offline")
        await maria.page.context.set_offline(True)
        await report.look(maria.page, "desk-offline")

    assert report.problems == [], "\n".join(report.problems)
