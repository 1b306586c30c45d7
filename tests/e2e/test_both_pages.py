"""The user's page and the coordinators' page side by side, with server and bridge between them."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from adapters.bridge.sqlite_store import SqliteBridgeStore
from adapters.memory.store import MemoryStore
from domain.message import Entry, Message
from domain.texts import Text, localized
from entrypoints.bridge.app import create_bridge
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.assistants import ScriptedSteps
from tests.support.browser import ARTIFACTS, CoordinatorPage, UserPage, chromium, windows
from tests.support.businesses import EXAMPLES
from tests.support.server import free_port, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

HALF = {"width": 960, "height": 900}
SUMMARY = "Ana vine sâmbătă cu 60 de invitați."


@dataclass(frozen=True, slots=True)
class At:
    """The address of a program."""

    port: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class Both:
    """Ana's window and Maria's, and the assistant."""

    ana: UserPage
    maria: CoordinatorPage
    system: "System"
    assistant: ScriptedSteps

    async def open(self) -> None:
        """Open both pages."""
        await self.maria.sign_in(self.system.bridge)
        await self.ana.join(self.system.server)

    async def ask_for_human(self, question: str) -> None:
        await self.ana.page.get_by_role("button", name="Talk to a person").click()
        await self.ana.page.get_by_label("What is it about?").fill(question)
        await self.ana.page.get_by_role("button", name="Ask for a person").click()

    async def start_live_chat(self) -> None:
        """Start a live chat: Ana asks for a human, and Maria claims the conversation."""
        await self.open()
        await self.ask_for_human("Aveți loc pentru 60?")
        await self.maria.claim()
        await expect(self.ana.owner).to_have_text("Maria is here")

    async def screenshot(self, name: str) -> None:
        """Save a screenshot of both."""
        ARTIFACTS.mkdir(exist_ok=True)
        for side, page in (("user", self.ana.page), ("coordinator", self.maria.page)):
            path = ARTIFACTS / f"both-{name}-{side}.png"
            await page.screenshot(path=path, animations="disabled")


class System:
    """A server and a bridge that are connected; their stores outlive them."""

    def __init__(self, assistant: ScriptedSteps) -> None:
        server_port, bridge_port = free_port(), free_port()
        self.server, self.bridge = At(server_port), At(bridge_port)
        self.settings = Settings(
            store="memory",
            turn_quiet_ms=0,
            businesses=str(EXAMPLES),
            bridge="elixir",
            elixir_http_url=f"http://{self.bridge.address}",
            elixir_websocket_url=f"ws://{self.bridge.address}/socket/websocket",
            agent_server_url=f"http://{self.server.address}",
        )
        self._assistant = assistant
        self._store, self._bridge_store = MemoryStore(), SqliteBridgeStore()

    def serve(self) -> AbstractAsyncContextManager[str]:
        container = Container(settings=self.settings)
        container.store.override(self._store)
        container.assistant.override(self._assistant)
        return running(create_app(self.settings, container), port=self.server.port)

    def serve_bridge(self) -> AbstractAsyncContextManager[str]:
        bridge = create_bridge(self.settings, self._bridge_store)
        return running(bridge, port=self.bridge.port)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def both(browser: Browser) -> AsyncIterator[Both]:
    """Open both windows and run a bridge; the test runs the server."""
    assistant = ScriptedSteps(["Bună! Cu ce te pot ajuta?"], ["Sigur: sâmbătă, 60 de locuri."])
    system = System(assistant)
    async with system.serve_bridge(), windows(browser) as open_page:
        ana, maria = [await open_page(viewport=HALF, reduced_motion="reduce") for _ in range(2)]
        yield Both(UserPage(ana), CoordinatorPage(maria), system, assistant)


@pytest_asyncio.fixture(loop_scope="module")
async def served(both: Both) -> AsyncIterator[Both]:
    """Run the server too."""
    async with both.system.serve():
        yield both


def texts(entries: tuple[Entry, ...]) -> list[tuple[str, str]]:
    """Return the authors and texts of messages."""
    return [(entry.author, entry.text) for entry in entries if isinstance(entry, Message)]


async def test_from_the_ai_to_a_human_and_back(served: Both) -> None:
    both, ana, maria = served, served.ana, served.maria
    await both.open()
    await ana.send("Bună!")
    await expect(ana.bubbles("ai")).to_have_text(["Bună! Cu ce te pot ajuta?"])

    await both.ask_for_human("Aveți loc pentru 60?")
    await expect(maria.waiting).to_have_text(["ana"])
    await expect(ana.owner).to_have_text("Waiting for a colleague")
    await maria.open()
    await expect(maria.page.locator("#context-body")).to_contain_text("Aveți loc pentru 60?")
    await both.screenshot("waiting")

    await maria.claim()
    await expect(ana.owner).to_have_text("Maria is here")
    await maria.page.get_by_label("Message", exact=True).press_sequentially("Bu")
    await expect(ana.page.get_by_text("Maria is typing…")).to_be_visible()
    await both.screenshot("typing")
    await maria.send("Bună, Ana! Da, sâmbătă avem loc.")
    await expect(ana.bubbles("coordinator")).to_have_text(["Bună, Ana! Da, sâmbătă avem loc."])
    await ana.page.get_by_label("Message", exact=True).press_sequentially("At")
    await expect(maria.page.get_by_text("ana is typing…")).to_be_visible()
    await ana.send("Atunci sâmbătă.")
    await expect(maria.bubbles("user").last).to_have_text("Atunci sâmbătă.")
    await both.screenshot("live")

    await maria.page.get_by_role("button", name="Return to AI").click()
    await maria.page.get_by_label("Summary").fill(SUMMARY)
    await maria.page.locator("#end-confirm").click()
    await expect(ana.owner).to_have_text("Assistant")
    await expect(maria.page.locator("#live .chat")).to_have_count(0)
    await ana.send("Ce am stabilit?")
    await expect(ana.bubbles("ai").last).to_have_text("Sigur: sâmbătă, 60 de locuri.")
    await both.screenshot("back")

    view = both.assistant.views[-1]
    said = texts(view.entries)
    assert view.session.handover_note == SUMMARY
    assert ("coordinator", "Bună, Ana! Da, sâmbătă avem loc.") in said
    assert ("user", "Atunci sâmbătă.") in said
    assert [message.text for message in view.pending] == ["Ce am stabilit?"]


async def test_straight_to_the_bridge_everything_is_said_and_shown_once(served: Both) -> None:
    both, ana, maria = served, served.ana, served.maria
    await both.start_live_chat()
    await ana.page.get_by_label("Connect directly to the bridge").check()
    await expect(ana.page.locator("#direct-state")).to_have_text("Connected")

    await ana.send("Mă auziți?")
    await expect(maria.bubbles("user").last).to_have_text("Mă auziți?")
    await expect(ana.page.get_by_text("from another window")).to_have_count(0)
    sent = ana.page.locator('#frames-list > [data-direction="out"]')
    await expect(sent.filter(has_text="user_message")).to_have_count(1)
    await maria.page.get_by_label("Message", exact=True).press_sequentially("Vă")
    await expect(ana.page.get_by_text("Maria is typing…")).to_be_visible()
    await maria.send("Vă aud.")
    await expect(ana.bubbles("coordinator")).to_have_text(["Vă aud."])
    await both.screenshot("direct")
    await ana.page.get_by_label("Connect directly to the bridge").uncheck()
    await ana.send("Și acum?")
    await expect(maria.bubbles("user").last).to_have_text("Și acum?")
    await maria.send("Și acum.")
    await expect(ana.bubbles("coordinator")).to_have_text(["Vă aud.", "Și acum."])

    await expect(ana.bubbles("user")).to_have_text(
        ["Aveți loc pentru 60?", "Mă auziți?", "Și acum?"]
    )
    await ana.page.reload()
    await expect(ana.owner).to_have_text("Maria is here")
    await expect(ana.bubbles("user")).to_have_text(
        ["Aveți loc pentru 60?", "Mă auziți?", "Și acum?"]
    )
    await expect(ana.bubbles("coordinator")).to_have_text(["Vă aud.", "Și acum."])


async def test_straight_to_the_bridge_the_talk_goes_on_while_the_server_is_away(
    both: Both,
) -> None:
    ana, maria = both.ana, both.maria
    async with both.system.serve():
        await both.start_live_chat()
        await ana.page.get_by_label("Connect directly to the bridge").check()
        await expect(ana.page.locator("#direct-state")).to_have_text("Connected")
    await expect(ana.alert).to_contain_text("Not connected")

    await ana.send("Mai sunteți?")
    await expect(maria.bubbles("user").last).to_have_text("Mai sunteți?")
    await maria.send("Aici sunt.")
    await expect(ana.bubbles("coordinator")).to_have_text(["Aici sunt."])
    async with both.system.serve():
        await ana.page.evaluate('dispatchEvent(new Event("online"))')  # it waits no longer
        await ana.is_connected()
        await maria.send("Ne-am întors.")
        await expect(ana.bubbles("coordinator")).to_have_text(["Aici sunt.", "Ne-am întors."])
        await ana.page.reload()

        await expect(ana.bubbles("user")).to_have_text(["Aveți loc pentru 60?", "Mai sunteți?"])
        await expect(ana.bubbles("coordinator")).to_have_text(["Aici sunt.", "Ne-am întors."])


async def test_what_is_left_when_nobody_is_there_awaits_the_coordinators_in_the_morning(
    both: Both,
) -> None:
    ana, maria = both.ana, both.maria
    async with both.system.serve():
        await ana.join(both.system.server)
        await both.ask_for_human("O nuntă")
        await expect(ana.bubbles("system").first).to_contain_text(localized("ro", Text.NOBODY))
        await expect(ana.owner).to_have_text("Assistant")
        await ana.send("Sunați-mă la 0722")
        await expect(ana.bubbles("system").nth(1)).to_have_text(localized("ro", Text.MESSAGE_KEPT))
        await expect(ana.bubbles("ai")).to_have_count(1)

        await maria.sign_in(both.system.bridge)
        await expect(maria.missed).to_have_text(["ana"])
        await maria.missed.click()
        await maria.send("Bună dimineața, sunt Maria.")

        await expect(ana.owner).to_have_text("Maria is here")
        await expect(ana.bubbles("coordinator")).to_have_text(["Bună dimineața, sunt Maria."])
        await expect(maria.missed).to_have_count(0)
