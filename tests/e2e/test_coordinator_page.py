"""The coordinators' page in a real browser, against the whole bridge on a real socket."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, WebSocketRoute, expect

from adapters.bridge.sqlite_store import SqliteBridgeStore
from adapters.phoenix.client_connection import PhoenixConnection
from entrypoints.bridge.app import create_bridge
from entrypoints.server.app import create_app
from entrypoints.settings import Settings
from tests.support.agent_server import AgentServerDouble
from tests.support.axe import axe_problems, axe_script
from tests.support.browser import ARTIFACTS, PHONE, CoordinatorPage, chromium, windows
from tests.support.businesses import EXAMPLES
from tests.support.coordinators import MARIA, PASSWORD, allow
from tests.support.server import running
from tests.support.user import user

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNT_TONES = """
window.tones = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) {
  window.tones += 1;
  return start.apply(this, when);
};
"""

# A window that nobody looks at, with notifications, which a browser without a screen lacks.
LOOK_ELSEWHERE = """
document.hasFocus = () => window.isLookedAt === true;
window.notified = [];
window.Notification = class {
  static get permission() {
    return localStorage.getItem("allowed") ?? "default";
  }
  static async requestPermission() {
    localStorage.setItem("allowed", "granted");
    return "granted";
  }
  constructor(title, { tag }) {
    Object.assign(this, { title, tag });
    window.notified.push(this);
  }
  close() {}
};
"""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A running bridge, and what the server posts to it."""

    address: str
    http: httpx.AsyncClient
    server: AgentServerDouble

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    async def hand_over(
        self,
        user: str = "ana",
        *,
        for_s: float = 0,
        question: str = "Aveți loc pentru 60?",
        context: dict[str, Any] | None = None,
    ) -> None:
        """Post the history of a conversation, and that its user has waited for so long."""
        at = datetime.now(UTC) - timedelta(seconds=for_s)
        said = [
            ("user", "Bună! Aș vrea să fac o nuntă la voi.", -20.0),
            ("ai", "Felicitări! Meniul de nuntă începe de la 45 de lei.", -15.0),
            ("user", question, -10.0),
        ]
        for author, text, after_s in said:
            await self.record(user, author, text, at + timedelta(seconds=after_s))
        await self._post(
            "/api/notifications",
            {
                **self._identity(user),
                "type": "transfer",
                "transferId": f"t-{user}",
                "reason": "user_request",
                "context": context
                or {
                    "summary": "Vrea să organizeze o nuntă și întreabă de locuri.",
                    "language": "ro",
                    "openQuestion": question,
                    "toolsUsed": ["business_info"],
                    "lastMessages": [
                        {"seq": n, "author": author, "message": text}
                        for n, (author, text, _) in enumerate(said, 1)
                    ],
                },
                "timestamp": at.isoformat(),
            },
        )

    async def miss(
        self, user: str = "ana", *, text: str = "Mă sunați mâine?", for_s: float = 0
    ) -> None:
        """Post what a user wrote so long ago, while no coordinator was there."""
        at = (datetime.now(UTC) - timedelta(seconds=for_s)).isoformat()
        await self._post(
            "/api/notifications",
            {
                **self._identity(user),
                "type": "missed",
                "message": text,
                "reason": "user_request",
                "context": {
                    "summary": "Vrea să organizeze o nuntă și întreabă de locuri.",
                    "language": "ro",
                    "lastMessages": [{"seq": 1, "author": "user", "message": "Faceți nunți?"}],
                },
                "timestamp": at,
            },
        )

    async def record(self, user: str, author: str, text: str, at: datetime) -> None:
        """Post a message to the AI, or one of the AI's."""
        if author == "user":
            news = {**self._identity(user), "type": "ai_conversation", "message": text}
            await self._post("/api/ai-conversation", {**news, "timestamp": at.isoformat()})
        else:
            answer = {"businessId": "b1", "userId": user, "aiResponse": text}
            await self._post(
                "/api/ai-context",
                {"sessionId": f"s-{user}", "context": answer, "timestamp": at.isoformat()},
            )

    async def post_message(self, text: str, user: str = "ana") -> None:
        """Post a message of a user's to the live chat."""
        await self._post("/api/messages", {**self._identity(user), "message": text})

    def _identity(self, user: str) -> dict[str, str]:
        return {
            "businessId": "b1",
            "userId": user,
            "locationId": "centru",
            "sessionId": f"s-{user}",
        }

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        (await self.http.post(path, json=body)).raise_for_status()


@asynccontextmanager
async def serving(
    store: SqliteBridgeStore,
    double: AgentServerDouble,
    server_url: str,
    *,
    port: int = 0,
    **chosen: Any,
) -> AsyncIterator[Bridge]:
    """Run the whole bridge over this store, which outlives it; `chosen`: more of its settings."""
    settings = Settings(agent_server_url=server_url, **chosen)
    async with (
        running(create_bridge(settings, store), port=port) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as http,
    ):
        yield Bridge(address, http, double)


OpenCoordinator = Callable[..., Awaitable[CoordinatorPage]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def open_coordinator(browser: Browser) -> AsyncIterator[OpenCoordinator]:
    async with windows(browser, COUNT_TONES) as open_page:

        async def window(**options: Any) -> CoordinatorPage:
            return CoordinatorPage(await open_page(**options))

        yield window


@pytest_asyncio.fixture(loop_scope="module")
async def bridge() -> AsyncIterator[Bridge]:
    double = AgentServerDouble()
    async with (
        running(double.app()) as address,
        serving(SqliteBridgeStore(), double, f"http://{address}") as bridge,
    ):
        yield bridge


async def test_who_waits_is_seen_at_once_longest_first(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await expect(coordinator.page.locator("#list-note")).to_have_text("Nobody is waiting.")

    await bridge.hand_over("dan", for_s=5)
    await bridge.hand_over("eva", for_s=301)
    await bridge.hand_over("ana", for_s=125)

    await expect(coordinator.waiting).to_have_text(["eva", "ana", "dan"])
    await expect(coordinator.page).to_have_title("3 waiting · Coordinators")
    await expect(coordinator.page.locator(".age")).to_have_text(
        ["waits 5 min", "waits 2 min", "waits < 1 min"]
    )
    tones = await coordinator.page.locator(".chat").evaluate_all(
        "rows => rows.map((row) => row.dataset.tone)"
    )
    assert tones == ["overdue", "late", "calm"]
    await coordinator.page.wait_for_function("window.tones > 0")


async def test_a_claimed_conversation_is_talked_in_by_both_sides(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over()

    await coordinator.claim()
    await coordinator.send("Bună ziua, sunt Maria.")
    await bridge.post_message("Minunat! Deci aveți loc?")

    await expect(coordinator.bubbles("coordinator")).to_have_text(["Bună ziua, sunt Maria."])
    await expect(coordinator.bubbles("user").last).to_have_text("Minunat! Deci aveți loc?")
    await expect(coordinator.page.locator(".divider.side")).to_have_text("Live chat")


async def test_what_was_said_before_and_why_somebody_waits_is_seen(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over(question="Aveți loc pentru 60?")

    await coordinator.open()

    context = coordinator.page.locator("#context")
    await expect(coordinator.bubbles("user")).to_have_text(
        ["Bună! Aș vrea să fac o nuntă la voi.", "Aveți loc pentru 60?"]
    )
    await expect(coordinator.bubbles("ai")).to_have_count(1)
    await expect(context.locator(".reason")).to_have_text("Asked for a person")
    await expect(context.locator(".question")).to_have_text("Aveți loc pentru 60?")
    await expect(context).to_contain_text("Vrea să organizeze o nuntă")
    await expect(context).to_contain_text("Romanian")


async def test_what_is_said_to_the_assistant_after_a_live_chat_stands_after_it(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over(for_s=60)
    await coordinator.claim()
    await coordinator.send("Bună ziua.")
    await expect(coordinator.bubbles("coordinator")).to_have_count(1)

    await bridge.record("ana", "user", "Mulțumesc, asistentule.", datetime.now(UTC))
    await coordinator.page.reload()
    await coordinator.is_connected()

    await expect(coordinator.page.locator(".divider.side")).to_have_text(
        ["Live chat", "With the assistant"]
    )
    await expect(coordinator.page.locator(".bubble").last).to_have_text("Mulțumesc, asistentule.")


async def test_the_servers_own_log_is_loaded_on_demand(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    bridge.server.log = [
        {
            "seq": seq,
            "kind": "message",
            "messageId": f"m{seq}",
            "author": "user",
            "message": f"nr. {seq}",
            "timestamp": "2030-01-01T12:00:00.000Z",
        }
        for seq in range(1, 61)
    ]
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over()
    await coordinator.open()

    await expect(coordinator.bubbles("user").last).to_have_text("nr. 60")
    await coordinator.page.locator("#conversation .scroller").evaluate("it => it.scrollTop = 0")

    await expect(coordinator.bubbles("user")).to_have_text([f"nr. {seq}" for seq in range(1, 61)])
    await expect(coordinator.page.get_by_role("button", name="Earlier messages")).to_be_hidden()


async def test_another_coordinators_claim_is_seen_and_respected(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    maria, ion = await open_coordinator(), await open_coordinator()
    await maria.sign_in(bridge, "Maria")
    await ion.sign_in(bridge, "Ion")
    await bridge.hand_over()
    await ion.open()

    await maria.claim()

    await expect(ion.owner).to_contain_text("with Maria")
    await expect(ion.page.get_by_role("button", name="Claim")).to_be_hidden()
    await expect(ion.modes).to_have_text(["Note"])
    await ion.act("Take over")
    await expect(ion.owner).to_contain_text("with you")
    await expect(maria.owner).to_contain_text("with Ion")


async def test_a_note_is_seen_by_colleagues_and_by_no_customer(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    maria, ion = await open_coordinator(), await open_coordinator()
    await maria.sign_in(bridge)
    await ion.sign_in(bridge, "Ion")
    await bridge.hand_over()
    await ion.open()
    await maria.claim()
    async with PhoenixConnection(f"ws://{bridge.address}/socket/websocket") as connection:
        users_side = connection.channel("chat:b1:ana", {"businessId": "b1", "userId": "ana"})
        await users_side.join()

        await maria.write_as("Note")
        await maria.send("Client vechi, fără grabă.")
        await expect(maria.page.locator('[data-kind="note"] .bubble')).to_have_count(1)
        await maria.write_as("Reply")
        await maria.send("Bună ziua.")
        received: list[Any] = []
        async with asyncio.timeout(10):
            async for name, payload in users_side:
                received.append(payload)
                if name == "agent_message":
                    break

    assert received[-1]["message"] == "Bună ziua."
    assert "Client vechi" not in str(received)
    note = ion.page.locator('[data-kind="note"]')
    await expect(note).to_contain_text("Client vechi, fără grabă.")
    await expect(note).to_contain_text("Only coordinators see this")


async def test_what_is_typed_when_a_chat_goes_to_another_is_sent_to_no_customer(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    maria, ion = await open_coordinator(), await open_coordinator()
    await maria.sign_in(bridge)
    await ion.sign_in(bridge, "Ion")
    await bridge.hand_over()
    await maria.claim()
    await maria.field.press_sequentially("Vă fac o ofer")

    await ion.show("open")
    await ion.chat("ana").click()
    await ion.act("Take over")
    await expect(maria.owner).to_contain_text("with Ion")
    await maria.page.keyboard.type("tă bună")
    await maria.page.keyboard.press("Enter")
    await expect(maria.page.locator('[data-kind="note"] .bubble')).to_have_text("tă bună")
    await maria.act("Take over")

    await expect(maria.field).to_have_value("Vă fac o ofer")
    await expect(maria.field).to_be_focused()
    assert await maria.bubbles("coordinator").count() == 0


async def test_each_chat_keeps_its_drafts_over_a_switch_and_a_reload(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over("ana")
    await bridge.hand_over("dan")
    await coordinator.claim("dan")
    await coordinator.claim("ana")
    await coordinator.field.press_sequentially("Un răspuns pe jum")
    await coordinator.write_as("Note")
    await coordinator.field.press_sequentially("o not")

    await coordinator.page.reload()
    await coordinator.is_connected()
    await expect(coordinator.field).to_have_value("o not")
    await coordinator.write_as("Reply")
    await expect(coordinator.field).to_have_value("Un răspuns pe jum")
    await coordinator.open("dan", "mine")
    await expect(coordinator.field).to_have_value("")
    await coordinator.open("ana", "mine")

    await expect(coordinator.field).to_have_value("Un răspuns pe jum")


async def test_a_canned_reply_is_found_by_a_slash_and_filled_but_not_sent(
    open_coordinator: OpenCoordinator, tmp_path: Path
) -> None:
    copytree(EXAMPLES / "b1", tmp_path / "b1")
    with (tmp_path / "b1" / "business.toml").open("a") as file:
        file.write(
            '\n[replies]\nsalut = "Bună, {customer}! Sunt {coordinator} de la {business}."\n'
            'parcare = "Parcarea este gratuită."\n'
        )
    coordinator, double = await open_coordinator(), AgentServerDouble()
    async with (
        running(double.app()) as address,
        serving(
            SqliteBridgeStore(), double, f"http://{address}", businesses=str(tmp_path)
        ) as bridge,
    ):
        await coordinator.sign_in(bridge)
        await bridge.hand_over("v-0123456789abcdef0123456789abcdef")
        await coordinator.claim("Visitor 0123")

        await coordinator.field.press_sequentially("/")
        options = coordinator.page.get_by_role("option")
        await expect(options).to_have_count(2)
        await coordinator.field.press_sequentially("sal")
        await expect(options).to_contain_text(["Bună! Sunt Maria de la Bistro Verde."])
        await coordinator.page.evaluate(axe_script())
        assert await axe_problems(coordinator.page) == []
        await coordinator.field.press("Enter")

        await expect(options).to_have_count(0)
        await expect(coordinator.field).to_have_value("Bună! Sunt Maria de la Bistro Verde.")
        await coordinator.field.press("Enter")
        await expect(coordinator.bubbles("coordinator")).to_have_text(
            ["Bună! Sunt Maria de la Bistro Verde."]
        )


async def test_a_suggestion_is_marked_can_be_undone_and_never_replaces_what_is_typed(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    asked: asyncio.Queue[tuple[WebSocketRoute, list[Any]]] = asyncio.Queue()

    def relay(page: WebSocketRoute) -> None:
        server = page.connect_to_server()

        def on_message(text: str | bytes) -> None:
            frame = json.loads(text)
            if frame[3] == "suggest":
                asked.put_nowait((page, frame))
            elif frame[3] != "stop_suggestion":
                server.send(text)

        page.on_message(on_message)

    def suggest(page: WebSocketRoute, frame: list[Any], event: str, payload: Any) -> None:
        join_ref, ref, topic = frame[:3]
        reply = {"status": "ok", "response": payload}
        is_reply = event == "phx_reply"
        sent = [join_ref, ref if is_reply else None, topic, event, reply if is_reply else payload]
        page.send(json.dumps(sent))

    await coordinator.page.route_web_socket("**/websocket?*", relay)
    await coordinator.sign_in(bridge)
    await bridge.hand_over()
    await coordinator.claim()
    field, mark = coordinator.field, coordinator.page.locator(".suggested")
    await field.press_sequentially("Ciorna mea")

    await coordinator.page.get_by_role("button", name="Suggest").click()
    page, frame = await asked.get()
    suggest(page, frame, "suggestion", {**frame[4], "delta": "Da, avem "})
    await expect(field).to_have_value("Da, avem ")
    await field.press("Enter")
    suggest(page, frame, "phx_reply", {"text": "Da, avem loc."})
    await expect(field).to_have_value("Da, avem loc.")
    await expect(mark).to_contain_text("Suggested by the assistant")
    await coordinator.page.get_by_role("button", name="Undo").click()
    await expect(field).to_have_value("Ciorna mea")

    await coordinator.page.get_by_role("button", name="Suggest").click()
    page, frame = await asked.get()
    await field.press_sequentially(" e mai bună")
    suggest(page, frame, "suggestion", {**frame[4], "delta": "Nu "})
    suggest(page, frame, "phx_reply", {"text": "Nu avem."})
    await coordinator.write_as("Note")
    await coordinator.write_as("Reply")

    await expect(field).to_have_value("Ciorna mea e mai bună")
    assert await coordinator.bubbles("coordinator").count() == 0


async def test_a_suggestion_that_cannot_be_had_is_told_and_leaves_the_draft(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over()
    await coordinator.claim()
    await coordinator.field.press_sequentially("Ciorna mea")

    await coordinator.page.get_by_role("button", name="Suggest").click()

    await expect(coordinator.page.locator(".suggested")).to_contain_text("There is no suggestion")
    await expect(coordinator.field).to_have_value("Ciorna mea")


async def test_a_conversation_is_forwarded_to_a_colleague_who_is_there(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    maria, ion = await open_coordinator(), await open_coordinator()
    await maria.sign_in(bridge)
    await ion.sign_in(bridge, "Ion")
    await bridge.hand_over()
    await maria.claim()
    await expect(maria.here).to_have_text("Here: Ion")

    await maria.page.keyboard.press("Escape")
    await maria.page.locator("#owner-title").click()
    await maria.page.keyboard.press("f")
    await maria.page.get_by_role("radio", name="Ion").check()
    await maria.page.get_by_label("Note for the colleague").fill("Vorbește tu, te rog.")
    await maria.confirm("Forward")

    await expect(maria.owner).to_contain_text("with Ion")
    await ion.open("ana", "mine")
    await expect(ion.owner).to_contain_text("with you")
    forwarded = ion.page.locator(".line", has_text="Forwarded by Maria to you")
    await expect(forwarded).to_contain_text("Vorbește tu, te rog.")


async def test_a_conversation_is_read_on_where_it_was_left(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator(viewport={"width": 1280, "height": 600})
    await coordinator.sign_in(bridge)
    at = datetime.now(UTC) - timedelta(hours=1)
    for n in range(80):
        await bridge.record("ana", "user", f"rândul {n}", at + timedelta(seconds=n))
    await bridge.hand_over("ana")
    await bridge.hand_over("dan")
    await coordinator.open("ana")
    row = coordinator.page.get_by_text("rândul 40", exact=True)
    await coordinator.page.locator("#conversation .scroller").hover()
    for _ in range(40):
        await coordinator.page.mouse.wheel(0, -300)
        if await row.count() and await row.is_visible():
            break
    await row.evaluate("it => it.closest('li').scrollIntoView()")
    await expect(row).to_be_in_viewport()
    top = (await row.bounding_box() or {"y": 0.0})["y"]

    await coordinator.open("dan")
    await coordinator.open("ana")
    await expect(row).to_be_in_viewport()
    assert abs((await row.bounding_box() or {"y": 0.0})["y"] - top) < 60
    await coordinator.page.reload()
    await coordinator.is_connected()

    await expect(row).to_be_in_viewport()
    await coordinator.page.get_by_role("button", name="To the newest message").click()
    await expect(coordinator.bubbles("user").last).to_be_in_viewport()


async def test_typing_is_seen_on_both_sides(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over()
    await coordinator.claim()
    async with PhoenixConnection(f"ws://{bridge.address}/socket/websocket") as connection:
        users_side = connection.channel("chat:b1:ana", {"businessId": "b1", "userId": "ana"})
        await users_side.join()

        users_side.send("typing", {"author": "user"})
        await expect(coordinator.page.locator("#typing")).to_have_text("ana is typing…")
        await coordinator.field.press_sequentially("Da")
        async with asyncio.timeout(10):
            typing = await anext(payload async for name, payload in users_side if name == "typing")

    assert typing["author"] == "coordinator"


async def test_a_conversation_is_returned_with_a_summary(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over()
    await coordinator.claim()

    await coordinator.act("Return to AI")
    await coordinator.page.get_by_label("Summary").fill("Loc pentru 60, sâmbătă.")
    await coordinator.confirm("Return to AI")

    await expect(coordinator.owner).to_contain_text("with the assistant")
    await expect(coordinator.modes).to_have_text(["Note", "Whisper"])
    await coordinator.show("mine")
    await expect(coordinator.chat("ana")).to_have_count(0)
    assert [body for _, body in bridge.server.accepted] == [
        {"status": "live", "coordinatorId": "Maria"},
        {"status": "ai", "coordinatorId": "Maria", "summary": "Loc pentru 60, sâmbătă."},
    ]


async def test_a_conversation_is_not_closed_by_mistake(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over()
    await coordinator.claim()

    await coordinator.act("Close")
    await coordinator.confirm("Cancel")
    await expect(coordinator.owner).to_contain_text("with you")
    await coordinator.act("Close")
    await coordinator.confirm("Close")

    await expect(coordinator.owner).to_contain_text("closed")


async def test_a_user_who_waits_no_more_disappears(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over()
    await expect(coordinator.waiting).to_have_text(["ana"])

    now = datetime.now(UTC).isoformat()
    await bridge.http.put(
        "/api/conversation-status/s-ana", json={"status": "ai", "summary": None, "updatedAt": now}
    )

    await expect(coordinator.waiting).to_have_count(0)
    await expect(coordinator.page).to_have_title("Coordinators")


async def test_words_in_a_chat_of_mine_are_counted_until_they_are_answered(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over("ana")
    await bridge.hand_over("dan")
    await coordinator.claim("ana")
    await coordinator.claim("dan")

    for text in ("Alo?", "Mai sunteți?"):
        await bridge.post_message(text, "ana")
    await coordinator.show("mine")
    unread = coordinator.chat("ana").locator(".unread")
    await expect(unread).to_have_text("3")  # the question of before, too
    await coordinator.page.reload()
    await coordinator.is_connected()
    await expect(unread).to_have_text("3")
    await coordinator.open("ana", "mine")
    await expect(coordinator.bubbles("user").last).to_have_text("Mai sunteți?")
    await coordinator.send("Da, sunt aici.")

    await expect(unread).to_have_count(0)


async def test_the_sound_can_be_turned_off_and_stays_off(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await coordinator.page.get_by_role("button", name="Sound").click()
    await bridge.hand_over("ana")
    await expect(coordinator.waiting).to_have_text(["ana"])

    await coordinator.page.reload()
    await coordinator.is_connected()

    await expect(coordinator.page.get_by_role("button", name="Sound")).to_have_attribute(
        "aria-pressed", "false"
    )
    assert await coordinator.tones_played() == 0


async def test_notifications_call_who_looks_elsewhere_and_lead_to_the_conversation(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    page = coordinator.page
    await page.add_init_script(LOOK_ELSEWHERE)
    await coordinator.sign_in(bridge)
    switch = page.get_by_role("button", name="Notifications")
    titles = "window.notified.map(({ title }) => title)"
    await bridge.hand_over("dan")
    await expect(coordinator.waiting).to_have_text(["dan"])
    assert await page.evaluate(titles) == []  # nobody has allowed them

    await switch.click()
    await expect(switch).to_have_attribute("aria-pressed", "true")
    await page.reload()
    await coordinator.is_connected()
    await expect(switch).to_have_attribute("aria-pressed", "true")
    await bridge.hand_over("ana")
    await page.wait_for_function("window.notified.length > 0")
    assert (await page.evaluate(titles))[-1] == "ana is waiting"
    await page.evaluate("window.notified.at(-1).onclick()")
    await expect(page.locator("#owner-title")).to_have_text("ana")

    calls = len(await page.evaluate(titles))
    await page.evaluate("window.isLookedAt = true")
    await bridge.hand_over("eva")
    await expect(coordinator.waiting).to_have_text(["dan", "ana", "eva"])
    assert len(await page.evaluate(titles)) == calls  # the page itself shows it


async def test_who_one_is_is_asked_once(bridge: Bridge, open_coordinator: OpenCoordinator) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge, "Maria")

    await coordinator.page.reload()
    await coordinator.is_connected()

    await expect(coordinator.page.locator("#sign-in-dialog")).to_be_hidden()
    await expect(coordinator.page.locator("#signed-in-as")).to_have_text("Maria")


async def test_what_is_typed_outlives_a_sign_in_that_ends(
    open_coordinator: OpenCoordinator, tmp_path: Path
) -> None:
    path, double = tmp_path / "coordinators.toml", AgentServerDouble()
    allow(path, MARIA, "b1")
    coordinator = await open_coordinator()
    page = coordinator.page

    async def sign_in(password: str) -> None:
        await page.get_by_label("Password").fill(password)
        await page.get_by_label("Password").press("Enter")
        await coordinator.is_connected()

    async with (
        running(double.app()) as address,
        serving(SqliteBridgeStore(), double, f"http://{address}", coordinators=str(path)) as bridge,
    ):
        await page.goto(f"http://{bridge.address}/")
        await page.get_by_label("Your name").fill(MARIA)
        await sign_in(PASSWORD)
        await bridge.hand_over()
        await coordinator.claim()
        await coordinator.field.fill("Sala mare are")

        allow(path, MARIA, "b1", password="another good password")
        dialog = page.locator("#sign-in-dialog")
        await expect(dialog).to_contain_text("what you wrote is kept", timeout=20_000)
        await expect(page.get_by_label("Your name")).to_have_value(MARIA)
        await sign_in("another good password")

    await expect(dialog).to_be_hidden()
    await expect(coordinator.field).to_have_value("Sala mare are")


async def test_markup_in_a_message_stays_text(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    markup = "<img src=x onerror=\"console.error('run')\"><b>bold</b>"
    await bridge.hand_over(question=markup)

    await coordinator.open()

    await expect(coordinator.bubbles("user").last).to_have_text(markup)
    await expect(coordinator.page.locator(".bubble b, .bubble img, #context img")).to_have_count(0)


async def test_answers_have_links_and_the_small_markdown_and_users_texts_links_alone(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    at = datetime.now(UTC) - timedelta(seconds=60)
    await bridge.record("ana", "ai", "**Luni–vineri**, vedeți https://bistro.example/orar.", at)
    await bridge.hand_over(question="Ca la https://ana.example, dar **mai mare**?")

    await coordinator.claim()

    said = coordinator.page.locator("#conversation ol")
    await expect(coordinator.bubbles("ai").locator("strong")).to_have_text(["Luni–vineri"])
    await expect(coordinator.bubbles("user").last).to_have_text(
        "Ca la https://ana.example, dar **mai mare**?"
    )
    await expect(said.get_by_role("link")).to_have_text(
        ["https://bistro.example/orar", "https://ana.example"]
    )
    for link in await coordinator.page.get_by_role("link").all():
        await expect(link).to_have_attribute("rel", "noopener nofollow")


async def test_a_rating_is_a_line_of_the_transcript(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    said = {"kind": "message", "author": "user", "timestamp": "2030-01-01T12:00:00.000Z"}
    rating = {"type": "rating", "rating": 4, "comment": "Amabilă"}
    bridge.server.log = [
        {**said, "seq": 1, "messageId": "m1", "message": "Mulțumesc!"},
        {**said, "seq": 2, "messageId": "m2", "message": "★★★★☆ Amabilă", "actions": [rating]},
    ]
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over()
    await coordinator.open()

    await expect(coordinator.page.locator(".line.rating")).to_contain_text("Rating: ★★★★☆")
    await expect(coordinator.bubbles("user")).to_have_text(["Mulțumesc!"])


async def test_a_context_package_of_any_content_is_shown_as_far_as_it_goes(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    context = {
        "summary": {"what": 1},
        "language": "?",
        "openQuestion": ["Cât costă?"],
        "toolsUsed": 5,
        "lastMessages": [None, 7, {"author": "user"}, {"author": "ai", "message": "45 de lei."}],
    }
    await bridge.hand_over(context=context)

    await coordinator.open()

    await expect(coordinator.page.locator("#context .question")).to_have_text("Cât costă?")
    await expect(coordinator.page.locator("#context")).to_contain_text("s-ana")


async def test_a_restart_of_the_bridge_loses_nothing_and_needs_no_reload(
    open_coordinator: OpenCoordinator, tmp_path: Path
) -> None:
    coordinator, double = await open_coordinator(), AgentServerDouble()
    store = SqliteBridgeStore(tmp_path / "bridge.sqlite")
    async with running(double.app()) as address:
        async with serving(store, double, f"http://{address}") as bridge:
            port = bridge.port
            await coordinator.sign_in(bridge)
            await bridge.hand_over()
            await coordinator.claim()
            await coordinator.send("Bună ziua.")
            await expect(coordinator.bubbles("coordinator")).to_have_count(1)
        await expect(coordinator.page.locator("#status")).to_have_text(
            "No connection: trying again…"
        )
        await coordinator.send("Mai sunt aici.")
        await expect(coordinator.page.locator('[data-state="queued"] .bubble')).to_have_count(1)

        async with serving(store, double, f"http://{address}", port=port) as bridge:
            await coordinator.is_connected()
            await bridge.hand_over("dan")

            await expect(coordinator.bubbles("coordinator")).to_have_text(
                ["Bună ziua.", "Mai sunt aici."]
            )
            await expect(coordinator.owner).to_contain_text("with you")
            await coordinator.show("waiting")
            await expect(coordinator.rows).to_have_text(["dan"])


async def test_a_decision_waits_for_the_server_in_plain_sight(
    open_coordinator: OpenCoordinator,
) -> None:
    coordinator, double = await open_coordinator(), AgentServerDouble()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with serving(SqliteBridgeStore(), double, f"http://127.0.0.1:{port}") as bridge:
        await coordinator.sign_in(bridge)
        await bridge.hand_over()
        await coordinator.open()
        await coordinator.act("Claim")
        await expect(coordinator.page.locator("#connection")).to_contain_text(
            "sent when it is back"
        )
        await expect(coordinator.owner).to_contain_text("not yet confirmed by the server")

        async with running(double.app(), port=port):
            await expect(coordinator.owner).not_to_contain_text("not yet confirmed")
            await expect(coordinator.page.locator("#connection")).to_have_text("Connected")

    assert double.accepted == [("s-ana", {"status": "live", "coordinatorId": "Maria"})]


async def test_a_decision_that_the_server_refuses_is_told(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    bridge.server.refusals["s-ana"] = "session_closed"
    bridge.server.statuses["s-ana"] = "closed"
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over()

    await coordinator.open()
    await coordinator.act("Claim")

    await expect(coordinator.alert).to_contain_text("The talk with ana was not taken over.")
    await expect(coordinator.owner).to_contain_text("closed")


async def test_a_user_and_a_coordinator_talk_through_the_ai_agent_server(
    open_coordinator: OpenCoordinator,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = Settings(
        store="memory",
        turn_quiet_ms=0,
        scripted_delay_ms=0,
        bridge="elixir",
        elixir_http_url=f"http://127.0.0.1:{port}",
        elixir_websocket_url=f"ws://127.0.0.1:{port}/socket/websocket",
    )
    coordinator = await open_coordinator()
    async with (
        running(create_app(settings)) as server,
        serving(SqliteBridgeStore(), AgentServerDouble(), f"http://{server}", port=port) as bridge,
        user(server, user_id="ana") as ana,
    ):
        await coordinator.sign_in(bridge)
        await ana.join()
        await ana.ask_for_human(message="Vreau să vorbesc cu un om.")
        await coordinator.claim()
        await ana.wait_for("conversation_status", status="live", coordinatorId="Maria")
        await ana.say("Bună, cine sunteți?")
        await expect(coordinator.bubbles("user").last).to_have_text("Bună, cine sunteți?")
        await coordinator.send("Sunt Maria.")
        answer = await ana.wait_for("agent_message")
        await coordinator.act("Return to AI")
        await coordinator.confirm("Return to AI")
        returned = await ana.wait_for("conversation_status", status="ai")

    assert (answer["message"], answer["coordinatorId"]) == ("Sunt Maria.", "Maria")
    assert returned["reason"] == "returned"


async def test_who_is_there_is_seen_by_all(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    maria, ion = await open_coordinator(), await open_coordinator()
    await maria.sign_in(bridge, "Maria Ionescu")
    await expect(maria.here).to_have_text("No colleague is here")

    await ion.sign_in(bridge, " S\u0326tefan  Pop")  # in one spelling of several
    await expect(ion.here).to_have_text("Here: Maria Ionescu")
    await expect(maria.here).to_have_text("Here: Ștefan Pop")
    await ion.page.close()

    await expect(maria.here).to_have_text("No colleague is here")


async def test_what_was_left_at_night_is_seen_in_the_morning_and_the_answer_arrives(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    await bridge.miss("dan", text="Pot muta rezervarea?", for_s=11 * 3600)
    await bridge.miss("ana", for_s=10 * 3600)
    maria, ion = await open_coordinator(), await open_coordinator()
    await ion.sign_in(bridge, "Ion")

    await maria.sign_in(bridge)
    await expect(maria.rows).to_have_text(["ana", "dan"])
    await expect(maria.chat("ana").locator(".preview")).to_have_text("Mă sunați mâine?")
    await maria.open("ana")
    await expect(maria.bubbles("user")).to_have_text(["Faceți nunți?", "Mă sunați mâine?"])
    await expect(maria.page.locator("#context .question")).to_have_text("Mă sunați mâine?")
    async with PhoenixConnection(f"ws://{bridge.address}/socket/websocket") as connection:
        users_side = connection.channel("chat:b1:ana", {"businessId": "b1", "userId": "ana"})
        await users_side.join()
        await maria.send("Bună dimineața, vă sunăm la 10.")
        async with asyncio.timeout(10):
            answer = await anext(sent async for name, sent in users_side if name == "agent_message")

    await expect(maria.owner).to_contain_text("with you")
    await expect(maria.bubbles("user")).to_have_text(["Faceți nunți?", "Mă sunați mâine?"])
    await expect(ion.rows).to_have_text(["dan"])
    assert (answer["message"], answer["coordinatorId"]) == (
        "Bună dimineața, vă sunăm la 10.",
        "Maria",
    )
    assert [(path, body["message"]) for path, body in bridge.server.answers] == [
        ("s-ana", "Bună dimineața, vă sunăm la 10.")
    ]


async def test_a_missed_message_is_done_without_a_word(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    maria, ion = await open_coordinator(), await open_coordinator()
    await maria.sign_in(bridge)
    await ion.sign_in(bridge, "Ion")
    await bridge.miss("ana")
    await expect(ion.missed).to_have_text(["ana"])

    await maria.open("ana")
    await maria.act("Done")

    await expect(maria.owner).to_contain_text("with the assistant")
    await expect(maria.modes).to_have_text(["Note", "Whisper"])
    await expect(ion.missed).to_have_count(0)
    assert bridge.server.answers == []


async def test_a_missed_message_with_markup_is_shown_as_it_was_written(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    maria = await open_coordinator()
    await maria.sign_in(bridge)

    await bridge.miss("ana", text="<img src=x onerror=alert(1)> **salut**")
    await maria.open("ana")

    await expect(maria.bubbles("user").last).to_have_text("<img src=x onerror=alert(1)> **salut**")
    assert await maria.page.locator("main img[src='x']").count() == 0


async def test_what_is_missed_outlives_a_restart_of_the_bridge(
    open_coordinator: OpenCoordinator, tmp_path: Path
) -> None:
    store, double = SqliteBridgeStore(tmp_path / "bridge.sqlite"), AgentServerDouble()
    async with running(double.app()) as address:
        async with serving(store, double, f"http://{address}") as bridge:
            await bridge.miss("ana", for_s=3600)
        async with serving(store, double, f"http://{address}") as bridge:
            coordinator = await open_coordinator()
            await coordinator.sign_in(bridge)

            await expect(coordinator.missed).to_have_text(["ana"])


async def test_keys_lead_through_the_list_and_never_get_in_the_way_of_typing(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over("ana", for_s=60)
    await bridge.hand_over("dan", for_s=5)
    await expect(coordinator.waiting).to_have_text(["ana", "dan"])
    press = coordinator.page.keyboard.press
    owner = coordinator.page.locator("#owner-title")

    for key in ("j", "j", "Enter"):
        await press(key)
    await expect(owner).to_have_text("dan")
    await press("c")
    await expect(coordinator.owner).to_contain_text("with you")
    await expect(coordinator.field).to_be_focused()
    await coordinator.page.keyboard.type("x?gmc")
    await expect(coordinator.field).to_have_value("x?gmc")
    await press("Escape")
    for key in ("g", "m"):
        await press(key)
    await expect(coordinator.rows).to_have_text(["dan"])
    await press("?")
    await coordinator.page.get_by_label("Single-letter keys").uncheck()
    await press("Escape")
    for key in ("g", "w"):
        await press(key)

    await expect(coordinator.page.locator("#view-mine")).to_have_attribute("aria-current", "true")


async def test_rows_keep_their_place_under_the_pointer(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over("ana", for_s=20)
    await bridge.hand_over("dan", for_s=10)
    await expect(coordinator.waiting).to_have_text(["ana", "dan"])

    await coordinator.chat("dan").hover()
    await bridge.hand_over("eva", for_s=60)
    await expect(coordinator.rows).to_have_text(["ana", "dan", "eva"])

    await expect(coordinator.rows).to_have_text(["eva", "ana", "dan"])  # once it rests


async def test_of_many_conversations_a_window_is_on_the_page_and_all_can_be_searched(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    for n in range(120):
        await bridge.record(f"user{n}", "user", f"Rezervare {n}", datetime.now(UTC))
    await coordinator.sign_in(bridge)
    await coordinator.show("open")
    rows = coordinator.page.locator("#rows > li")
    await expect(rows.first).to_have_attribute("aria-posinset", "1")

    await coordinator.page.locator(".chat").first.press("End")
    await expect(coordinator.page.locator('[aria-posinset="50"]')).to_be_visible()
    for _ in range(2):
        await coordinator.page.keyboard.press("End")
        await coordinator.page.keyboard.press("ArrowDown")
        await expect(coordinator.page.locator(".chat:focus")).to_be_visible()
    assert await rows.count() <= 60
    await coordinator.page.keyboard.press("/")
    await coordinator.page.keyboard.type("rezervare 11")

    await expect(coordinator.rows.filter(has_text="user112")).to_be_visible()
    await expect(coordinator.rows.filter(has_text="user109")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_romanian_browser_has_the_missed_list_in_romanian(
    bridge: Bridge, open_coordinator: OpenCoordinator, scheme: str
) -> None:
    coordinator = await open_coordinator(
        locale="ro-RO", color_scheme=scheme, reduced_motion="reduce"
    )
    await bridge.miss("dan", text="Pot muta rezervarea pe vineri?", for_s=11 * 3600)
    await bridge.miss("ana", for_s=36_500)
    await bridge.hand_over("elena.popescu", for_s=12)
    await coordinator.sign_in(bridge)
    await coordinator.open("ana")

    await expect(coordinator.page.locator("#view-waiting")).to_have_text("Așteaptă 3")
    await expect(coordinator.chat("ana").locator(".holder")).to_have_text("a lăsat un mesaj")
    await expect(coordinator.page.get_by_role("button", name="Rezolvat")).to_be_enabled()
    await expect(coordinator.here).to_have_text("Niciun coleg nu este aici")
    await _picture(coordinator, f"missed-{scheme}")
    assert await coordinator.overflow_px() <= 0


async def test_a_phone_shows_one_thing_at_a_time(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    phone = await open_coordinator(
        viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    await phone.sign_in(bridge)
    await bridge.hand_over(for_s=42)
    await expect(phone.rows).to_have_text(["ana"])
    await _picture(phone, "phone-list")

    await phone.claim()
    await phone.send("Bună ziua, sunt Maria.")
    await expect(phone.bubbles("coordinator")).to_have_count(1)
    await _picture(phone, "phone-chat")
    await expect(phone.rows).to_be_hidden()
    await phone.page.get_by_role("button", name="About the conversation").click()
    await expect(phone.page.locator("#context .question")).to_be_visible()
    await _picture(phone, "phone-context")
    await phone.page.get_by_role("button", name="Back to the conversation").click()
    await phone.page.get_by_role("button", name="Back to the list").click()

    await expect(phone.chat("ana")).to_be_visible()
    assert await phone.overflow_px() <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_desk_in_either_light(
    bridge: Bridge, open_coordinator: OpenCoordinator, scheme: str
) -> None:
    coordinator = await open_coordinator(color_scheme=scheme, reduced_motion="reduce")
    await coordinator.sign_in(bridge)
    await bridge.hand_over("ana", for_s=130)
    await coordinator.claim("ana")
    await coordinator.send("Bună ziua, sunt Maria. Da, sala mare are 80 de locuri.")
    await bridge.post_message("Minunat! Și pentru copii aveți ceva?")
    await bridge.hand_over("dan", for_s=75, question="Pot muta rezervarea pe vineri?")
    await bridge.hand_over(
        "elena.popescu", for_s=12, question="Cât costă parcarea la voi în weekend?"
    )

    await expect(coordinator.rows).to_have_text(["dan", "elena.popescu"])
    await expect(coordinator.bubbles("user")).to_have_count(3)
    await _picture(coordinator, f"desktop-{scheme}")
    assert await coordinator.overflow_px() <= 0


async def _picture(coordinator: CoordinatorPage, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    await coordinator.page.screenshot(path=ARTIFACTS / f"coordinator-{name}.png")
