"""What waits for a coordinator's yes, on the coordinators' page of the reference bridge."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from adapters.bridge.sqlite_store import SqliteBridgeStore
from adapters.memory.store import MemoryStore
from domain.tool import Confirmer
from entrypoints.bridge.app import create_bridge
from entrypoints.settings import Settings
from tests.support.browser import PHONE, CoordinatorPage, chromium, windows
from tests.support.businesses import EXAMPLES
from tests.support.questions import WHAT, Asking, asking, outcomes_in, question_to
from tests.support.server import free_port, running
from tests.support.user import User, user

pytestmark = pytest.mark.asyncio(loop_scope="module")

OpenDesk = Callable[..., Awaitable[CoordinatorPage]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def open_desk(browser: Browser) -> AsyncIterator[OpenDesk]:
    async with windows(browser) as open_page:

        async def window(**options: Any) -> CoordinatorPage:
            return CoordinatorPage(await open_page(**options))

        yield window


@dataclass(frozen=True, slots=True)
class At:
    """A program at a port."""

    port: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


class System:
    """A server whose AI needs a yes, and the reference bridge; their stores outlive them."""

    def __init__(self, by: Confirmer) -> None:
        self._by, self._store = by, MemoryStore()
        self.server, self.bridge = At(free_port()), At(free_port())
        self.settings: dict[str, Any] = {
            "bridge": "elixir",
            "elixir_http_url": f"http://{self.bridge.address}",
            "elixir_websocket_url": f"ws://{self.bridge.address}/socket/websocket",
            "agent_server_url": f"http://{self.server.address}",
        }

    def serve(self) -> AbstractAsyncContextManager[Asking]:
        return asking(self._by, store=self._store, port=self.server.port, **self.settings)

    @asynccontextmanager
    async def serve_bridge(self) -> AsyncIterator[None]:
        settings = Settings(store="memory", businesses=str(EXAMPLES), **self.settings)
        async with running(create_bridge(settings, SqliteBridgeStore()), port=self.bridge.port):
            yield


@asynccontextmanager
async def system(by: Confirmer = Confirmer.COORDINATOR) -> AsyncIterator[System]:
    """Run a bridge; the test runs the server."""
    made = System(by)
    async with made.serve_bridge():
        yield made


@asynccontextmanager
async def ana(server: Asking) -> AsyncIterator[User]:
    async with user(server.address, user_id="ana") as one:
        await one.join()
        yield one


def asked(desk: CoordinatorPage) -> Locator:
    return desk.page.locator("#asked .chat strong")


def card(desk: CoordinatorPage) -> Locator:
    return desk.page.locator("#confirmation")


def button(desk: CoordinatorPage, name: str) -> Locator:
    return card(desk).get_by_role("button", name=name, exact=True)


async def test_a_coordinator_says_yes_and_both_pages_show_the_outcome_until_it_is_seen(
    open_desk: OpenDesk,
) -> None:
    maria, ion = await open_desk(), await open_desk()
    async with system() as both, both.serve() as server, ana(server) as one:
        await maria.sign_in(both.bridge, "Maria")
        await ion.sign_in(both.bridge, "Ion")
        question, _ = await question_to(one)
        for desk in (maria, ion):
            await expect(asked(desk)).to_have_text(["ana"])
            await expect(desk.page.locator("#asked-label")).to_have_text("Needs your yes")
            await desk.open()
            await expect(card(desk)).to_contain_text(WHAT)
            await expect(card(desk)).to_contain_text("The assistant waits for a coordinator’s yes")

        await button(maria, "Yes").click()

        outcome = await one.wait_for("new_message", author="ai")
        assert outcomes_in(outcome) == [(question["confirmId"], "done")]
        for desk in (maria, ion):
            await expect(card(desk)).to_contain_text("Done. (by Maria)")
            await expect(card(desk)).to_contain_text("Rezervat, cod R-7.")
            await expect(card(desk).get_by_role("button")).to_have_count(0)
            await expect(desk.owner).to_have_text("is with the assistant")
        await maria.page.reload()
        await maria.is_connected()
        await maria.open()
        await expect(card(maria)).to_contain_text("Done. (by Maria)")
        await expect(maria.page.locator("#asked-label")).to_have_text("After your yes")
        await maria.page.locator("#attend").click()
        for desk in (maria, ion):
            await expect(asked(desk)).to_have_count(0)
        assert len(server.tools.requests) == 1


async def test_a_no_ends_it_for_every_coordinator(open_desk: OpenDesk) -> None:
    maria, ion = await open_desk(), await open_desk()
    async with system() as both, both.serve() as server, ana(server) as one:
        await maria.sign_in(both.bridge, "Maria")
        await ion.sign_in(both.bridge, "Ion")
        question, _ = await question_to(one)
        await maria.open()

        await button(maria, "No").click()

        await expect(card(maria)).to_contain_text("Declined. Nothing was done. (by Maria)")
        await expect(asked(ion)).to_have_count(0)
        answer = await one.wait_for("new_message", author="ai")
        assert outcomes_in(answer) == [(question["confirmId"], "rejected")]
        assert not server.tools.requests


async def test_while_the_server_is_away_the_card_says_so_and_stays(open_desk: OpenDesk) -> None:
    maria = await open_desk()
    async with system() as both:
        async with both.serve() as server, ana(server) as one:
            await maria.sign_in(both.bridge, "Maria")
            await question_to(one)
            await maria.open()
            await expect(button(maria, "Yes")).to_be_enabled()

        await button(maria, "Yes").click()
        await expect(card(maria).get_by_role("alert")).to_contain_text("cannot be reached")

        async with both.serve() as server:
            await button(maria, "Yes").click()
            await expect(card(maria)).to_contain_text("Done. (by Maria)")
            assert len(server.tools.requests) == 1


async def test_what_no_longer_stands_is_refused_in_words_and_has_no_buttons(
    open_desk: OpenDesk,
) -> None:
    maria = await open_desk()
    async with system() as both, both.serve() as server, ana(server) as one:
        await maria.sign_in(both.bridge, "Maria")
        await question_to(one)
        await maria.open()

        await one.ask_for_human()

        await expect(card(maria)).to_contain_text("No longer valid")
        await expect(card(maria).get_by_role("button")).to_have_count(0)
        await expect(maria.waiting).to_have_text(["ana"])


async def test_the_page_is_romanian_for_romanians_and_fits_a_phone(open_desk: OpenDesk) -> None:
    maria = await open_desk(viewport=PHONE, locale="ro-RO")
    async with system() as both, both.serve() as server, ana(server) as one:
        await maria.sign_in(both.bridge, "Maria")
        await question_to(one)
        await expect(maria.page.locator("#asked-label")).to_have_text("Așteaptă acordul dvs.")

        await maria.open()

        await expect(card(maria)).to_contain_text("Asistentul așteaptă acordul unui coordonator")
        await expect(button(maria, "Nu")).to_be_in_viewport()
        assert await maria.overflow_px() == 0
        await button(maria, "Da").focus()
        await maria.page.keyboard.press("Enter")
        await expect(card(maria)).to_contain_text("S-a făcut. (de Maria)")


async def test_the_servers_log_shows_the_steps_of_a_call_as_such(open_desk: OpenDesk) -> None:
    maria = await open_desk()
    async with system() as both, both.serve() as server, ana(server) as one:
        await maria.sign_in(both.bridge, "Maria")
        await question_to(one)
        await maria.open()

        await maria.page.locator("#earlier").click()

        step = maria.page.locator("#log .divider", has_text="Tool: ")
        await expect(step).to_have_text([f"Tool: {WHAT} · waits for a yes"])


async def test_what_the_customer_is_asked_calls_no_coordinator(open_desk: OpenDesk) -> None:
    maria = await open_desk()
    async with system(Confirmer.CUSTOMER) as both, both.serve() as server, ana(server) as one:
        await maria.sign_in(both.bridge, "Maria")
        question, _ = await question_to(one)
        await one.request("confirm_action", {"confirmId": question["confirmId"], "answer": "yes"})
        await one.wait_for("new_message", author="ai")
        await one.ask_for_human()

        await expect(maria.waiting).to_have_text(["ana"])
        await maria.open()
        await expect(asked(maria)).to_have_count(0)
        await expect(card(maria)).to_contain_text("Done.")
        await expect(card(maria).get_by_role("button")).to_have_count(0)
