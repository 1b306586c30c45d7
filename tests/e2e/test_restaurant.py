"""A restaurant of one's own, from the command to the coordinator's answer, in a browser."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.support.browser import ARTIFACTS, CoordinatorPage, UserPage, chromium, windows
from tests.support.process import command, server

pytestmark = pytest.mark.asyncio(loop_scope="module")

MENU = """\
# Meniul nostru

## Pește

Avem păstrăv la grătar cu mămăligă, 52 de lei, și saramură de crap, 48 de lei.

## Deserturi

Papanași cu smântână și dulceață de afine, 31 de lei.
"""
EVENTS = """\
# Evenimente

## Botezuri

Salonul din spate primește botezuri de cel mult 45 de persoane; avansul este de 20 %.
"""
WORDS = "Sunt Ana, 0722 123 456. Aș vrea o masă de doisprezece sâmbătă."


@dataclass(frozen=True, slots=True)
class At:
    """The address of a program."""

    address: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


def edited(text: str, replaced: dict[str, str]) -> str:
    """Return the file with some of its lines replaced, each by its beginning."""
    for beginning, line in replaced.items():
        text, count = re.subn(rf"^{re.escape(beginning)}.*$", line, text, flags=re.MULTILINE)
        assert count == 1, beginning
    return text


def zone_where_it_is_late() -> str:
    """Return a time zone in which it is between 23:00 and midnight now."""
    hour = datetime.now(UTC).hour
    east = 23 - hour if hour >= 9 else -1 - hour
    return f"Etc/GMT{-east:+d}"  # whose sign is that of the west


def write_resto(folder: Path) -> None:
    """Make a restaurant that has closed an hour ago: fifteen lines, and two documents."""
    assert command(folder, "business", "new", "resto").returncode == 0
    home = folder / "businesses" / "resto"
    file = home / "business.toml"
    replaced = {
        "name = ": 'name = "La Ceaun"',
        "persona = ": 'persona = "gazda de la La Ceaun"',
        "greeting = ": 'greeting = "Bun venit la La Ceaun!"',
        "suggestions = ": 'suggestions = ["Ce pește aveți?"]',
        "time_zone = ": f'time_zone = "{zone_where_it_is_late()}"',
        '"mon-fri" = ': '"mon-fri" = "9:00-22:00"',
        '"sat-sun" = ': '"sat-sun" = "9:00-22:00"',
        '"12-25" = ': '"12-25" = "9:00-22:00"',
        '"01-01" = ': '"01-01" = "9:00-22:00"',
        '"adresă" = ': '"adresă" = "Strada Morii 7, Sibiu."',
        "telefon = ": 'telefon = "0269 555 010"',
        "meniu = ": 'meniu = "Bucătărie ardelenească."',
        "parcare = ": 'parcare = "Se poate parca pe strada Morii."',
        "always = ": "always = []",
    }
    file.write_text(edited(file.read_text(), replaced))
    (home / "knowledge" / "meniu.md").write_text(MENU)
    (home / "knowledge" / "evenimente.md").write_text(EVENTS)
    checked = command(folder, "business", "check")
    assert (checked.returncode, checked.stdout) == (0, "ok\n")


async def test_a_restaurant_answers_from_its_documents_and_takes_a_message_while_it_is_closed(
    browser: Browser, tmp_path: Path
) -> None:
    write_resto(tmp_path)
    given = {"BRIDGE_PORT": "0", "TURN_QUIET_MS": "0", "SCRIPTED_DELAY_MS": "0"}
    async with (
        server(tmp_path, name="dev", **given) as running,
        windows(browser) as open_page,
    ):
        bridge = At(await running.next_address())
        await running.until_logged("knowledge_indexed")
        ana = UserPage(await open_page(reduced_motion="reduce"))
        await ana.join(running, "?userId=ana&businessId=resto")
        await expect(ana.page.get_by_role("heading", name="Bun venit la La Ceaun!")).to_be_visible()

        await ana.page.get_by_role("button", name="Ce pește aveți?").click()
        await expect(ana.bubbles("ai")).to_contain_text(
            ["păstrăv la grătar cu mămăligă, 52 de lei"]
        )
        await expect(ana.page.locator(".raw-entry").last).to_contain_text("meniu.md#pește")
        await ana.send("Câte persoane încap la un botez?")
        await expect(ana.bubbles("ai").last).to_contain_text("cel mult 45 de persoane")
        await expect(ana.page.locator(".raw-entry").last).to_contain_text("evenimente.md#botezuri")

        await ana.send("Vreau să vorbesc cu un om")
        await expect(ana.bubbles("ai").last).to_contain_text("ora 9:00")
        await expect(ana.owner).to_have_text("Assistant")
        await ana.send(WORDS)
        await expect(ana.bubbles("system").last).to_contain_text("Am păstrat mesajul")
        await expect(ana.bubbles("ai").last).to_contain_text("Am primit mesajul dumneavoastră.")
        ARTIFACTS.mkdir(exist_ok=True)
        await ana.page.screenshot(path=ARTIFACTS / "restaurant-user.png", animations="disabled")

        maria = CoordinatorPage(await open_page(reduced_motion="reduce"))
        await maria.sign_in(bridge, business="resto")
        await expect(maria.missed).to_have_text(["ana"])
        await maria.open()
        await expect(maria.bubbles("user").last).to_have_text(WORDS)
        rests_on = maria.page.locator(
            ".sources", has_text="Evenimente › Botezuri (evenimente.md#botezuri)"
        )
        await rests_on.locator("summary").click()
        await expect(rests_on.locator("li").first).to_be_visible()
        await maria.page.screenshot(
            path=ARTIFACTS / "restaurant-coordinator.png", animations="disabled"
        )
        await maria.send("Bună dimineața! V-am rezervat masa.")
        await expect(ana.bubbles("coordinator")).to_have_text(
            ["Bună dimineața! V-am rezervat masa."]
        )
