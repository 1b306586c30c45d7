"""A whole shift: three coordinators in real browsers, two businesses, 300 customers.

Everything is real: the server and the bridge are processes that are killed, the customers are on
sockets, the coordinators on their page. At the end nothing is lost, nobody waits unseen, and each
draft is where it was.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from playwright.async_api import Page, expect
from playwright.async_api import TimeoutError as NotThere
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from domain.identity import CoordinatorId
from domain.texts import Text, localized
from tests.support.browser import ARTIFACTS, CoordinatorPage, chromium, windows
from tests.support.coordinators import PASSWORD, allow
from tests.support.process import ServerProcess, server
from tests.support.server import free_port
from tests.support.user import User, user

T = TypeVar("T")

CUSTOMERS = 300
ASKING_EVERY = 8
"""Each so many asks for a person."""
AWAY_S = 2
MARIA, ION, STEFAN = map(CoordinatorId, ("Maria Ionescu", "Ion", "Ștefan"))
BUSINESS = """\
name = "{name}"
language = "ro"
[replies]
salut = "Bună ziua, sunt {{coordinator}} de la {{business}}."
"""
SECRET = "the-service-token-of-the-shift"
LOST = (ConnectionClosed, InvalidHandshake, OSError, TimeoutError)


@dataclass
class Customer:
    """A customer who goes on after every loss of the connection, with the same messages."""

    shift: "Shift"
    business_id: str
    user_id: str
    asks: bool
    said: list[str] = field(default_factory=list)
    """The ids of the messages that were acknowledged."""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _socket: User | None = None

    async def begin(self) -> None:
        """Ask the AI and read its answer, then ask for a person, if that is what they want."""
        await self.say("Care este programul?")
        if self.asks:
            await self._on_socket(lambda socket: socket.ask_for_human(message="Un om, vă rog."))

    async def say(self, text: str) -> None:
        """Send a message until it is acknowledged."""
        message_id = f"{self.user_id}-{len(self.said)}"
        await self._on_socket(lambda socket: socket.say(text, messageId=message_id))
        self.said.append(message_id)

    async def hears(self, event: str, **fields: Any) -> None:
        """Wait until something is in the log, or is pushed."""

        async def listens(socket: User) -> None:
            history = await socket.request("history", {})
            entries = history["messages"]
            if not any(fields.items() <= entry.items() for entry in entries):
                await socket.wait_for(event, **fields)

        await self._on_socket(listens)

    async def leave(self) -> None:
        self._socket = None
        await self._stack.aclose()

    async def _on_socket(self, step: Callable[[User], Awaitable[T]]) -> T:
        while True:
            await self.shift.is_up.wait()
            try:
                if self._socket is None:
                    opening = user(self.shift.address("serve"), self.business_id, self.user_id)
                    socket = await self._stack.enter_async_context(opening)
                    await socket.join()
                    self._socket = socket
                return await step(self._socket)
            except LOST:
                await self.leave()


class Shift:
    """The server and the bridge, which share a folder, and the customers."""

    def __init__(self, folder: Path) -> None:
        self.is_up = asyncio.Event()
        self.customers = [
            Customer(self, f"b{1 + n // ASKING_EVERY % 2}", f"client-{n:03}", n % ASKING_EVERY == 0)
            for n in range(CUSTOMERS)
        ]
        self._folder = folder
        self._ports = {"serve": free_port(), "bridge": free_port()}
        self._running: dict[str, tuple[ServerProcess, AsyncExitStack]] = {}
        businesses = folder / "businesses"
        businesses.mkdir()
        for business_id, name in ("b1", "Bistro Verde"), ("b2", "Trattoria"):
            (businesses / f"{business_id}.toml").write_text(BUSINESS.format(name=name))
        coordinators = folder / "coordinators.toml"
        for name, theirs in (MARIA, ("b1", "b2")), (ION, ("b1",)), (STEFAN, ("b2",)):
            allow(coordinators, name, *theirs)
        bridge = self.address("bridge")
        self._environment = {
            "BUSINESSES": str(businesses),
            "BUSINESSES_ONLY": "1",
            "COORDINATORS": str(coordinators),
            "SERVICE_TOKEN": SECRET,
            "ELIXIR_TOKEN": SECRET,
            "BRIDGE": "elixir",
            "BRIDGE_AWAY_S": str(AWAY_S),
            "ELIXIR_HTTP_URL": f"http://{bridge}",
            "ELIXIR_WEBSOCKET_URL": f"ws://{bridge}/socket/websocket",
            "AGENT_SERVER_URL": f"http://{self.address('serve')}",
            "ELIXIR_TIMEOUT": "2000",
            "LIMIT_SOCKETS": "1000",
            "RATE_LIMITS": "off",
            "SCRIPTED_DELAY_MS": "0",
            "TURN_QUIET_MS": "0",
        }

    def address(self, name: str) -> str:
        return f"127.0.0.1:{self._ports[name]}"

    async def start(self, *names: str) -> None:
        for name in names:
            stack = AsyncExitStack()
            starting = server(
                self._folder, name=name, port=str(self._ports[name]), **self._environment
            )
            process = await stack.enter_async_context(starting)
            reading = asyncio.create_task(_read_log(process))  # a full pipe would stop it
            stack.push_async_callback(_cancel, reading)
            self._running[name] = process, stack
        self.is_up.set()

    async def kill(self, *names: str) -> None:
        self.is_up.clear()
        for name in names:
            self._running[name][0].signal(signal.SIGKILL)
        for name in names:
            await self._running.pop(name)[1].aclose()

    async def stop(self) -> None:
        for each in self.customers:
            await each.leave()
        for _, stack in self._running.values():
            await stack.aclose()

    @asynccontextmanager
    async def api(self) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Authorization": f"Bearer {SECRET}"}
        url = f"http://{self.address('serve')}/api"
        async with httpx.AsyncClient(base_url=url, headers=headers) as api:
            yield api

    async def waiting(self) -> int:
        """Return how many wait, by the server."""
        async with self.api() as api:
            params = {"status": "waiting", "limit": "100"}
            return len((await api.get("/conversations", params=params)).json()["conversations"])

    async def logs(self) -> AsyncIterator[tuple[Customer, dict[str, Any]]]:
        """Yield each customer with all that the server has stored of them."""
        async with self.api() as api:
            for each in self.customers:
                path = f"/users/{each.business_id}/{each.user_id}/export"
                yield each, (await api.get(path)).json()


async def _read_log(process: ServerProcess) -> None:
    while True:
        await process.next_line()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class Desk(CoordinatorPage):
    """The page of a coordinator with a password."""

    async def sign_in_with_password(self, shift: Shift, name: str) -> None:
        await self.page.goto(f"http://{shift.address('bridge')}/")
        await self.page.locator("input[name=name]").fill(name)
        await self.page.locator("input[name=password]").fill(PASSWORD)
        await self.page.locator("#sign-in .primary").click()
        await self.is_connected()
        await self.show("waiting")

    async def take_next(self) -> bool:
        """Open and claim who has waited the longest, by keys; False: nobody waits any more."""
        await self.show("waiting")
        while await self.page.locator("#view-waiting .count").inner_text():
            with suppress(NotThere):  # a colleague may have taken the last one
                await self.waiting.first.click(timeout=500)
                await self.page.keyboard.press("c")
                return True
        return False

    async def reply(self, text: str) -> None:
        """Write a reply and wait until it is stored."""
        await self.send(text)
        await expect(self.bubbles("coordinator").filter(has_text=text)).to_be_visible()

    async def end(self) -> None:
        """Close the conversation, with the summary that is there."""
        await self.act("Close")
        await self.confirm("Close")

    async def serve(self) -> int:
        """Claim, answer and close until nobody waits; return how many they were."""
        served = 0
        while await self.take_next():
            try:
                await expect(self.owner).to_contain_text("with you", timeout=2_000)
            except AssertionError:  # a colleague was quicker
                continue
            await self.reply("Bună! Cu ce vă ajut?")
            await self.end()
            served += 1
        return served


async def photograph(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    await page.screenshot(path=ARTIFACTS / f"shift-{name}.png", animations="disabled")


@pytest.mark.timeout(240)
async def test_a_shift_loses_nothing_and_leaves_nobody_waiting_unseen(tmp_path: Path) -> None:
    shift = Shift(tmp_path)
    try:
        async with chromium() as browser, windows(browser) as window:
            await shift.start("bridge", "serve")
            await _shift(shift, window)
        await _nothing_is_lost(shift)
    finally:
        await shift.stop()


async def _shift(shift: Shift, window: Callable[..., Awaitable[Page]]) -> None:
    maria, ion, stefan = [Desk(await window()) for _ in range(3)]
    await asyncio.gather(
        *(
            desk.sign_in_with_password(shift, name)
            for desk, name in ((maria, MARIA), (ion, ION), (stefan, STEFAN))
        )
    )
    asking = [each for each in shift.customers if each.asks]
    talking = [each for each in shift.customers if not each.asks]

    # Arrivals: everybody asks the AI, and some ask for a person. All of these are seen.
    await asyncio.gather(*(each.begin() for each in shift.customers))
    assert await shift.waiting() == len(asking)
    for desk, theirs in (maria, "b1 b2"), (ion, "b1"), (stefan, "b2"):
        number = sum(each.business_id in theirs for each in asking)
        await expect(desk.page.locator("#view-waiting .count")).to_have_text(str(number))
        await expect(desk.waiting.nth(2)).to_be_visible()
    await photograph(maria.page, "arrivals")

    # A race: two take the same one, and one has it.
    await maria.page.locator("#filter").select_option("Bistro Verde")
    longest = await ion.waiting.all_inner_texts()
    raced, forwarded, left = longest[:3]
    at_first = {each.user_id: each for each in asking}
    await asyncio.gather(maria.open(raced), ion.open(raced))
    await asyncio.gather(maria.page.keyboard.press("c"), ion.page.keyboard.press("c"))
    for desk in (maria, ion):
        await expect(desk.owner).to_contain_text("with ")
    winner, loser = (maria, ion) if "with you" in await maria.owner.inner_text() else (ion, maria)
    await expect(winner.owner).to_contain_text("with you")
    await expect(loser.owner).not_to_contain_text("with you")
    await winner.reply("Eu v-am preluat.")
    await winner.end()

    # A forward with a note, and a laptop that is closed: its conversations wait again.
    await maria.claim(forwarded)
    await maria.write_as("Note")
    await maria.send("E un client vechi.")
    await maria.page.keyboard.press("Escape")
    await maria.page.locator("#owner-title").click()
    await maria.page.keyboard.press("f")
    await maria.page.get_by_role("radio", name="Ion").check()
    await maria.confirm("Forward")
    await ion.show("mine")
    await ion.chat(forwarded).click()
    await expect(ion.page.get_by_text("E un client vechi.")).to_be_visible()
    await ion.claim(left)
    await ion.page.context.close()
    away = localized("ro", Text.COORDINATOR_AWAY, who=ION)
    for name in forwarded, left:
        await at_first[name].hears("new_message", message=away)
        await expect(maria.waiting.filter(has_text=name)).to_be_visible()
    await photograph(maria.page, "laptop-closed")

    # In mid-sentence both programs die, the customers go on writing, and the page is reloaded.
    await maria.claim(forwarded)
    await maria.field.press_sequentially("Masa dumneavoastră est")
    await maria.claim(left)
    await maria.write_as("Note")
    await maria.field.press_sequentially("Întreabă de alerg")
    await stefan.take_next()
    await expect(stefan.owner).to_contain_text("with you")
    await shift.kill("serve", "bridge")
    writing = [asyncio.create_task(each.say("Și duminica?")) for each in talking[:60]]
    await shift.start("bridge", "serve")
    await maria.page.reload()
    await maria.is_connected()
    await stefan.is_connected()
    await asyncio.gather(*writing)
    await expect(maria.field).to_have_value("Întreabă de alerg")
    await maria.open(forwarded, "mine")
    await expect(maria.field).to_have_value("Masa dumneavoastră est")
    await maria.field.press_sequentially("e gata.")
    await maria.field.press("Enter")
    done = "Masa dumneavoastră este gata."
    await at_first[forwarded].hears("agent_message", message=done)
    await maria.end()
    await maria.open(left, "mine")
    await maria.write_as("Reply")
    await maria.reply("V-am găsit.")
    await maria.end()
    await stefan.reply("Am revenit.")
    await stefan.end()

    # The rest of the day.
    await maria.page.locator("#filter").select_option("All businesses")
    await asyncio.gather(maria.serve(), stefan.serve())
    assert await shift.waiting() == 0
    for desk in (maria, stefan):
        await expect(desk.waiting).to_have_count(0)
    await photograph(maria.page, "evening")


async def _nothing_is_lost(shift: Shift) -> None:
    async for each, export in shift.logs():
        entries = [entry for one in export["conversations"] for entry in one["messages"]]
        ids = Counter(entry["messageId"] for entry in entries if entry["kind"] == "message")
        assert set(ids.values()) <= {1}, each.user_id
        assert set(each.said) <= set(ids), each.user_id
        spoken = [entry for entry in entries if entry.get("author") == "coordinator"]
        said = [entry["message"] for entry in spoken if entry["audience"] == "all"]
        assert bool(said) == each.asks, each.user_id
        assert len(said) == len(set(said)), each.user_id
        assert not any("client vechi" in text for text in said)
        status = export["conversations"][-1]["conversation"]["status"]
        assert status == ("closed" if each.asks else "ai"), each.user_id
