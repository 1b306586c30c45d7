"""A table is reserved after the customer's yes, once, whatever dies in between; in a browser."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.support.browser import ARTIFACTS, UserPage, chromium, windows
from tests.support.process import command, server
from tests.support.tool_server import Order, ToolServerProcess, ToolServerState

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILE = """\
name = "La Ceaun"
language = "ro"

[facts]
telefon = "0269 555 010"

[tools.booking]
url = "{url}"
timeout_s = 5

[tools.booking.allow.reserve_table]
title = "Rezervare masă"
confirm = "customer"
bind = {{ customer = "user" }}
look_up = {{ tool = "reservation_of", argument = "idempotency_key" }}

[tools.booking.allow.reservation_of]
effect = "read"
"""
ASKED = "reserve_table day=2030-05-14 hour=19:30 guests=4"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def test_a_table_is_reserved_once_after_the_customers_yes_although_all_servers_die(
    browser: Browser, tmp_path: Path
) -> None:
    state = ToolServerState(tmp_path / "booking.db")
    with ToolServerProcess(state) as booking:
        folder = tmp_path / "businesses"
        folder.mkdir()
        (folder / "resto.toml").write_text(FILE.format(url=booking.url))
        checked = command(tmp_path, "business", "check")
        assert (checked.returncode, "the assistant gets reserve_table" in checked.stdout) == (
            0,
            True,
        )
        given = {"BRIDGE": "none", "BUSINESSES": "businesses", "TURN_QUIET_MS": "0"}
        async with windows(browser) as open_page:
            ana = UserPage(await open_page(reduced_motion="reduce"))
            card = ana.page.locator(".card.confirm")
            async with server(tmp_path, **given) as running:
                port = running.address.rpartition(":")[2]
                await ana.join(running, "?userId=ana&businessId=resto")
                await ana.send(ASKED)
                await expect(card.locator(".card-title")).to_have_text("Rezervare masă")
                await running.kill()
            assert state.calls() == []

            async with server(tmp_path, port=port, **given) as running:
                await ana.is_connected()
                state.order("reserve_table", Order.DIE_AFTER)
                await card.get_by_role("button", name="Yes").click()
                await asyncio.to_thread(booking.wait)  # it has died with the effect
                await running.kill()

            booking.start()
            async with server(tmp_path, port=port, **given) as running:
                await ana.is_connected()
                await expect(card).to_contain_text("Done.", timeout=30_000)
                await expect(ana.bubbles("ai").last).to_contain_text("S-a făcut: Rezervare masă")
                ARTIFACTS.mkdir(exist_ok=True)
                path = ARTIFACTS / "reserved-table.png"
                await ana.page.screenshot(path=path, animations="disabled")

    (call,) = state.calls()
    (reservation,) = state.reservations()
    assert call.key == reservation.key
    assert (reservation.customer, reservation.hour, reservation.guests) == ("ana", "19:30", 4)
