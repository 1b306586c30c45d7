"""A table at a real server of tools, after a yes in words, and after a coordinator's."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from adapters.bridge.sqlite_store import SqliteBridgeStore
from entrypoints.bridge.app import create_bridge
from entrypoints.settings import Settings
from tests.e2e.test_table import ASKED, FILE
from tests.support.browser import CoordinatorPage, UserPage, chromium, windows
from tests.support.process import ServerProcess, server
from tests.support.server import free_port, running
from tests.support.tool_server import ToolServerProcess, ToolServerState

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHAT = "Rezervare masă"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
def booking(tmp_path: Path) -> Iterator[ToolServerProcess]:
    with ToolServerProcess(ToolServerState(tmp_path / "booking.db")) as process:
        yield process


def business(folder: Path, booking: ToolServerProcess, confirm: str) -> dict[str, str]:
    """Write the business's file, and return the settings of its server."""
    (folder / "businesses").mkdir()
    text = FILE.format(url=booking.url).replace('"customer"\nbind', f'"{confirm}"\nbind')
    (folder / "businesses" / "resto.toml").write_text(text)
    return {"BUSINESSES": "businesses", "TURN_QUIET_MS": "0"}


async def ask(ana: UserPage, at: ServerProcess) -> None:
    await ana.join(at, "?userId=ana&businessId=resto")
    await ana.send(ASKED)


async def test_a_table_is_reserved_after_a_yes_in_words(
    browser: Browser, booking: ToolServerProcess, tmp_path: Path
) -> None:
    given = business(tmp_path, booking, "customer")
    async with (
        windows(browser) as open_page,
        server(tmp_path, BRIDGE="none", **given) as agent,
    ):
        ana = UserPage(await open_page(reduced_motion="reduce"))
        card = ana.page.locator(".card.confirm")
        await ask(ana, agent)
        await expect(card).to_contain_text("Please answer before")

        await ana.send("Da, vă rog!")

        await expect(card).to_contain_text("Done.")
        await expect(ana.bubbles("ai").last).to_contain_text(f"S-a făcut: {WHAT}")
    assert len(booking.state.calls()) == len(booking.state.reservations()) == 1


async def test_a_table_is_reserved_after_a_coordinators_yes_on_another_process(
    browser: Browser, booking: ToolServerProcess, tmp_path: Path
) -> None:
    bridge_port, port = free_port(), free_port()
    bridge = f"127.0.0.1:{bridge_port}"
    given = {
        **business(tmp_path, booking, "coordinator"),
        "BRIDGE": "elixir",
        "ELIXIR_HTTP_URL": f"http://{bridge}",
        "ELIXIR_WEBSOCKET_URL": f"ws://{bridge}/socket/websocket",
    }
    desk = create_bridge(
        Settings(
            businesses=str(tmp_path / "businesses"), agent_server_url=f"http://127.0.0.1:{port}"
        ),
        SqliteBridgeStore(),
    )
    async with windows(browser) as open_page, running(desk, port=bridge_port) as address:
        ana = UserPage(await open_page(reduced_motion="reduce"))
        maria = CoordinatorPage(await open_page(reduced_motion="reduce"))
        asked, question = (
            maria.page.locator(".chat:has(.asks)"),
            maria.page.locator("#confirmation"),
        )
        async with server(tmp_path, port=str(port), **given) as agent:
            await ask(ana, agent)
            await expect(ana.page.locator(".card.confirm")).to_contain_text(
                "Our team has to agree first."
            )
            await maria.page.goto(f"http://{address}/")
            await maria.page.locator("input[name=businessId]").fill("resto")
            await maria.page.locator("input[name=name]").fill("Maria")
            await maria.page.locator("#sign-in .primary").click()
            await maria.show("waiting")
            await expect(asked).to_contain_text(WHAT)
            await agent.kill()

        async with server(tmp_path, port=str(port), **given):
            await ana.is_connected()
            await asked.click()
            await question.get_by_role("button", name="Yes").click()

            await expect(question).to_contain_text("Done. (by Maria)")
            await expect(ana.page.locator(".card.confirm")).to_contain_text("Done.")
            await expect(ana.bubbles("ai").last).to_contain_text(f"S-a făcut: {WHAT}")
    assert len(booking.state.calls()) == len(booking.state.reservations()) == 1
