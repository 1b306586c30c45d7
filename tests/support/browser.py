"""A real Chromium, and page objects for both pages."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    ViewportSize,
    WebSocketRoute,
    async_playwright,
    expect,
)

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}

# The shell is Chromium without its own windows, which take half of the CPU.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A browser writes an error of its own for every attempt at a server that is not there.
_NO_SERVER = "WebSocket connection to"
_LOG_VIOLATIONS = """
addEventListener("securitypolicyviolation", ({ violatedDirective }) =>
  console.error("CSP", violatedDirective));
"""

OpenPage = Callable[..., Awaitable[Page]]


@asynccontextmanager
async def chromium(*arguments: str) -> AsyncIterator[Browser]:
    """Start the browser of this machine; skip the test where there is none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(_NAMES)} is on the PATH")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found, args=[*_ARGUMENTS, *arguments]
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def windows(browser: Browser, script: str = "") -> AsyncIterator[OpenPage]:
    """Open windows, each in a browser profile of its own unless one is given.

    `script` runs in each page before its own scripts. At the end, no page may have logged an error
    to its console, or violated its content security policy.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    async def profile(**options: Any) -> BrowserContext:
        context = await browser.new_context(**{"viewport": DESKTOP, **options})
        await context.add_init_script(_LOG_VIOLATIONS + script)
        contexts.append(context)
        return context

    async def window(context: BrowserContext | None = None, **options: Any) -> Page:
        page = await (context or await profile(**options)).new_page()
        page.on(
            "console", lambda entry: errors.append(entry.text) if entry.type == "error" else None
        )
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield window
    for context in contexts:
        await context.close()
    unexpected = [error for error in errors if not error.startswith(_NO_SERVER)]
    assert unexpected == [], unexpected


class Program(Protocol):
    """A server of a page."""

    @property
    def address(self) -> str:
        """Host and port, such as 127.0.0.1:40123."""


@dataclass(frozen=True, slots=True)
class UserPage:
    """The user's page in a window."""

    page: Page

    async def open(self, server: Program, query: str = "?userId=ana") -> None:
        await self.page.goto(f"http://{server.address}/test-websocket.html{query}")

    async def join(self, server: Program, query: str = "?userId=ana") -> None:
        await self.open(server, query)
        await self.connect()

    async def connect(self) -> None:
        """Connect, unless the page does so by itself, as this window was connected before."""
        button = self.page.locator("#empty-connect, #connect").locator("visible=true")
        if await button.count():
            await button.first.click()
        await self.is_connected()

    async def drop_frames(self, is_dropped: Callable[[str], bool]) -> None:
        """Drop these frames of the server's on the sockets that open from now on."""

        def relay(page: WebSocketRoute) -> None:
            server = page.connect_to_server()
            server.on_message(lambda text: None if is_dropped(str(text)) else page.send(text))

        await self.page.route_web_socket("**/websocket?*", relay)

    async def is_connected(self) -> None:
        await expect(self.page.locator("#pill-label")).to_have_text("Connected")

    async def send(self, text: str) -> None:
        await self.page.get_by_label("Message", exact=True).fill(text)
        await self.page.get_by_label("Message", exact=True).press("Enter")

    def bubbles(self, author: str, state: str = "stored") -> Locator:
        """Return the bubbles of an author."""
        return self.page.locator(f'[data-author="{author}"][data-state="{state}"] .bubble')

    @property
    def owner(self) -> Locator:
        return self.page.locator("#owner-title")

    @property
    def alert(self) -> Locator:
        return self.page.locator("#alert")

    @property
    def frames(self) -> Locator:
        return self.page.locator("#frames-list > li")

    async def overflow_px(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        return int(await self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@dataclass(frozen=True, slots=True)
class CoordinatorPage:
    """The coordinators' page in a window."""

    page: Page

    async def sign_in(
        self,
        bridge: Program,
        name: str = "Maria",
        business: str | None = None,
        token: str | None = None,
    ) -> None:
        """Open the page and sign in; `business`: None: the one that the page names."""
        await self.page.goto(f"http://{bridge.address}/")
        if business is not None:
            await self.page.locator("input[name=businessId]").fill(business)
        await self.page.locator("input[name=name]").fill(name)
        if token is not None:
            await self.page.locator("input[name=token]").fill(token)
        await self.page.locator("#sign-in .primary").click()
        await self.is_connected()
        await self.show("waiting")

    async def is_connected(self) -> None:
        await expect(self.page.locator("#status")).to_have_attribute("data-tone", "good")

    async def show(self, view: str) -> None:
        """Show a list: mine, waiting, open or history."""
        await self.page.locator(f"#view-{view}").click()

    async def open(self, user: str = "ana", view: str = "waiting") -> None:
        await self.show(view)
        await self.chat(user).click()
        await expect(self.page.locator("#owner-title")).to_have_text(user)

    async def claim(self, user: str = "ana") -> None:
        await self.open(user)
        await self.act("Claim")
        await expect(self.owner).to_contain_text("with you")

    async def act(self, name: str) -> None:
        """Press a button of the open conversation's head, in its menu if it is there."""
        button = self.page.locator("#conversation .owner").get_by_role(
            "button", name=name, include_hidden=True
        )
        if await button.locator("xpath=ancestor::*[@id='talk-menu']").count():
            await self.page.locator("#conversation button.more").click()
        await button.click()

    async def confirm(self, name: str) -> None:
        """Press a button of the dialog that asks."""
        await self.page.get_by_role("dialog").get_by_role("button", name=name).click()

    async def write_as(self, mode: str) -> None:
        """Write a "Reply", a "Note" or a "Whisper" from now on."""
        await self.modes.get_by_text(mode, exact=True).click()

    async def send(self, text: str) -> None:
        await self.field.fill(text)
        await self.field.press("Enter")

    def chat(self, user: str) -> Locator:
        return self.page.locator(".chat").filter(has=self.page.get_by_text(user, exact=True))

    def bubbles(self, author: str) -> Locator:
        """Return the bubbles of the messages of an author."""
        entry = f'[data-kind="message"][data-author="{author}"][data-state="stored"]'
        return self.page.locator(f"{entry} .bubble")

    @property
    def modes(self) -> Locator:
        """As what one can write."""
        return self.page.locator(".modes button:visible")

    @property
    def field(self) -> Locator:
        """Where one writes."""
        return self.page.locator("#conversation .composer textarea")

    @property
    def rows(self) -> Locator:
        """The names in the list that is shown."""
        return self.page.locator(".chat strong")

    @property
    def waiting(self) -> Locator:
        """The names of those who wait, in the list of those."""
        return self.page.locator('.chat[data-status="waiting"] strong')

    @property
    def missed(self) -> Locator:
        """The names of those who left a message or wait for a yes, in the list of who waits."""
        return self.page.locator('.chat:not([data-status="waiting"]) strong')

    @property
    def here(self) -> Locator:
        return self.page.locator("#here")

    @property
    def owner(self) -> Locator:
        return self.page.locator("#owner-detail")

    @property
    def alert(self) -> Locator:
        return self.page.locator("#alert")

    async def tones_played(self) -> int:
        return int(await self.page.evaluate("window.tones"))

    async def overflow_px(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        return int(await self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))
