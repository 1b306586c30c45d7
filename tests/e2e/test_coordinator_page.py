"""The coordinators' page in a real browser, against the whole bridge on a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from adapters.bridge.sqlite_store import SqliteBridgeStore
from adapters.phoenix.client_connection import PhoenixConnection
from entrypoints.bridge.app import create_bridge
from entrypoints.server.app import create_app
from entrypoints.settings import Settings
from tests.support.agent_server import AgentServerDouble
from tests.support.browser import ARTIFACTS, PHONE, CoordinatorPage, chromium, windows
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
    store: SqliteBridgeStore, double: AgentServerDouble, server_url: str, *, port: int = 0
) -> AsyncIterator[Bridge]:
    """Run the whole bridge over this store, which outlives it."""
    settings = Settings(agent_server_url=server_url)
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
    await expect(coordinator.page.locator("#waiting-empty")).to_contain_text(
        "You will hear a sound"
    )

    await bridge.hand_over("dan", for_s=5)
    await bridge.hand_over("ana", for_s=65)

    await expect(coordinator.waiting).to_have_text(["ana", "dan"])
    await expect(coordinator.page).to_have_title("(2) waiting · Coordinators")
    await expect(coordinator.chat("ana").locator("time")).to_contain_text("1:")
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
    await expect(coordinator.page.locator(".divider")).to_have_text("Live chat")
    await expect(coordinator.page).to_have_title("Coordinators")


async def test_what_was_said_before_and_why_somebody_waits_is_seen(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    await bridge.hand_over(question="Aveți loc pentru 60?")

    await coordinator.open()

    context = coordinator.page.locator("#context-body")
    await expect(coordinator.bubbles("user")).to_have_text(
        ["Bună! Aș vrea să fac o nuntă la voi.", "Aveți loc pentru 60?"]
    )
    await expect(coordinator.bubbles("ai")).to_have_count(1)
    await expect(context.locator(".reason")).to_have_text("Asked for a person")
    await expect(context.locator(".question")).to_have_text("Aveți loc pentru 60?")
    await expect(context).to_contain_text("Vrea să organizeze o nuntă")
    await expect(context).to_contain_text("Romanian")
    await expect(context.locator("details")).to_contain_text("Last 3 messages")


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
    await coordinator.open()

    await expect(coordinator.page.locator(".divider")).to_have_text(
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

    await coordinator.page.get_by_role("button", name="Load history from the server").click()
    await expect(coordinator.bubbles("user")).to_have_count(50)
    await coordinator.page.get_by_role("button", name="Load earlier messages").click()

    await expect(coordinator.bubbles("user")).to_have_text([f"nr. {seq}" for seq in range(1, 61)])
    await expect(coordinator.page.locator("#earlier")).to_be_hidden()


async def test_another_coordinators_claim_is_seen_and_respected(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    maria, ion = await open_coordinator(), await open_coordinator()
    await maria.sign_in(bridge, "Maria")
    await ion.sign_in(bridge, "Ion")
    await bridge.hand_over()
    await ion.open()

    await maria.claim()

    await expect(ion.owner).to_have_text("is with Maria")
    await expect(ion.page.get_by_role("button", name="Claim")).to_be_hidden()
    await expect(ion.page.locator("#composer")).to_be_hidden()
    await ion.page.get_by_role("button", name="Take over").click()
    await expect(ion.owner).to_have_text("is with you")
    await expect(maria.owner).to_have_text("is with Ion")


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
        await coordinator.page.get_by_label("Message", exact=True).press_sequentially("Da")
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

    await coordinator.page.get_by_role("button", name="Return to AI").click()
    await coordinator.page.get_by_label("Summary").fill("Loc pentru 60, sâmbătă.")
    await coordinator.page.get_by_role("button", name="Return", exact=True).click()

    await expect(coordinator.owner).to_have_text("Back with the assistant.")
    await expect(coordinator.page.locator("#composer")).to_be_hidden()
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

    await coordinator.page.get_by_role("button", name="Close", exact=True).click()
    await coordinator.page.get_by_role("button", name="Cancel").click()
    await expect(coordinator.owner).to_have_text("is with you")
    await coordinator.page.get_by_role("button", name="Close", exact=True).click()
    await coordinator.page.locator("#end-confirm").click()

    await expect(coordinator.owner).to_have_text("The conversation is closed.")


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


async def test_words_in_another_chat_of_mine_are_counted_until_they_are_read(
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
    await expect(coordinator.chat("ana").locator(".unread")).to_have_text("2")
    await coordinator.open("ana")

    await expect(coordinator.chat("ana").locator(".unread")).to_have_count(0)
    await expect(coordinator.bubbles("user").last).to_have_text("Mai sunteți?")


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


async def test_who_one_is_is_asked_once(bridge: Bridge, open_coordinator: OpenCoordinator) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge, "Maria")

    await coordinator.page.reload()
    await coordinator.is_connected()

    await expect(coordinator.page.locator("#sign-in-dialog")).to_be_hidden()
    await expect(coordinator.page.locator("#signed-in-as")).to_have_text("Maria · b1")


async def test_markup_in_a_message_stays_text(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    markup = "<img src=x onerror=\"console.error('run')\"><b>bold</b>"
    await bridge.hand_over(question=markup)

    await coordinator.open()

    await expect(coordinator.bubbles("user").last).to_have_text(markup)
    await expect(
        coordinator.page.locator(".bubble b, .bubble img, #context-body img")
    ).to_have_count(0)


async def test_answers_have_links_and_the_small_markdown_and_users_texts_links_alone(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    coordinator = await open_coordinator()
    await coordinator.sign_in(bridge)
    at = datetime.now(UTC) - timedelta(seconds=60)
    await bridge.record("ana", "ai", "**Luni–vineri**, vedeți https://bistro.example/orar.", at)
    await bridge.hand_over(question="Ca la https://ana.example, dar **mai mare**?")

    await coordinator.claim()

    said = coordinator.page.locator("#log")
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
    await coordinator.page.get_by_role("button", name="Load history from the server").click()

    await expect(coordinator.page.locator("#log > .divider")).to_have_text(
        ["Rating: ★★★★☆ Amabilă"]
    )
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

    await expect(coordinator.page.locator("#context-body .question")).to_have_text("Cât costă?")
    await expect(coordinator.page.locator("#context-body")).to_contain_text("s-ana")


async def test_a_restart_of_the_bridge_loses_nothing_and_needs_no_reload(
    open_coordinator: OpenCoordinator,
) -> None:
    coordinator, store, double = await open_coordinator(), SqliteBridgeStore(), AgentServerDouble()
    async with running(double.app()) as address:
        async with serving(store, double, f"http://{address}") as bridge:
            port = bridge.port
            await coordinator.sign_in(bridge)
            await bridge.hand_over()
            await coordinator.claim()
            await coordinator.send("Bună ziua.")
            await expect(coordinator.bubbles("coordinator")).to_have_count(1)
        await expect(coordinator.page.locator("#pill-label")).to_contain_text("Reconnecting")
        await coordinator.send("Mai sunt aici.")
        await expect(coordinator.page.locator('[data-state="queued"] .bubble')).to_have_count(1)

        async with serving(store, double, f"http://{address}", port=port) as bridge:
            await coordinator.is_connected()
            await bridge.hand_over("dan")

            await expect(coordinator.bubbles("coordinator")).to_have_text(
                ["Bună ziua.", "Mai sunt aici."]
            )
            await expect(coordinator.owner).to_have_text("is with you")
            await expect(coordinator.waiting).to_have_text(["dan"])


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
        await coordinator.page.get_by_role("button", name="Claim").click()
        await expect(coordinator.page.locator("#server-unreachable")).to_contain_text(
            "will be sent in order"
        )
        await expect(coordinator.owner).to_have_text(
            "is with you · not yet confirmed by the server"
        )

        async with running(double.app(), port=port):
            await expect(coordinator.owner).to_have_text("is with you")
            await expect(coordinator.page.locator("#server-unreachable")).to_be_hidden()

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
    await coordinator.page.get_by_role("button", name="Claim").click()

    await expect(coordinator.alert).to_contain_text("The conversation with ana was not taken over.")
    await expect(coordinator.owner).to_have_text("The conversation is closed.")


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
        await coordinator.page.get_by_role("button", name="Return to AI").click()
        await coordinator.page.get_by_role("button", name="Return", exact=True).click()
        returned = await ana.wait_for("conversation_status", status="ai")

    assert (answer["message"], answer["coordinatorId"]) == ("Sunt Maria.", "Maria")
    assert returned["reason"] == "returned"


async def test_who_is_there_is_seen_by_all(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    maria, ion = await open_coordinator(), await open_coordinator()
    await maria.sign_in(bridge, "Maria Ionescu")
    await expect(maria.online).to_have_text(["Maria Ionescu (you)"])

    await ion.sign_in(bridge, " S\u0326tefan  Pop")  # in one spelling of several
    await expect(ion.online).to_have_text(["Maria Ionescu", "Ștefan Pop (you)"])
    await expect(maria.online).to_have_text(["Maria Ionescu (you)", "Ștefan Pop"])
    await ion.page.close()

    await expect(maria.online).to_have_text(["Maria Ionescu (you)"])


async def test_what_was_left_at_night_is_seen_in_the_morning_and_the_answer_arrives(
    bridge: Bridge, open_coordinator: OpenCoordinator
) -> None:
    await bridge.miss("dan", text="Pot muta rezervarea?", for_s=11 * 3600)
    await bridge.miss("ana", for_s=10 * 3600)
    maria, ion = await open_coordinator(), await open_coordinator()
    await ion.sign_in(bridge, "Ion")

    await maria.sign_in(bridge)
    await expect(maria.missed).to_have_text(["ana", "dan"])
    await expect(maria.chat("ana").locator(".preview")).to_have_text("Mă sunați mâine?")
    await maria.open("ana")
    await expect(maria.bubbles("user")).to_have_text(["Faceți nunți?", "Mă sunați mâine?"])
    await expect(maria.page.locator("#context-body .question")).to_have_text("Mă sunați mâine?")
    async with PhoenixConnection(f"ws://{bridge.address}/socket/websocket") as connection:
        users_side = connection.channel("chat:b1:ana", {"businessId": "b1", "userId": "ana"})
        await users_side.join()
        await maria.send("Bună dimineața, vă sunăm la 10.")
        async with asyncio.timeout(10):
            answer = await anext(sent async for name, sent in users_side if name == "agent_message")

    await expect(maria.owner).to_contain_text("is with you")
    await expect(maria.bubbles("user")).to_have_text(["Faceți nunți?", "Mă sunați mâine?"])
    await expect(ion.missed).to_have_text(["dan"])
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
    await maria.page.get_by_role("button", name="Done").click()

    await expect(maria.owner).to_have_text("Back with the assistant.")
    await expect(maria.page.locator("#composer")).to_be_hidden()
    await expect(ion.missed).to_have_count(0)
    await expect(ion.page.locator("#missed-title")).to_be_hidden()
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
    open_coordinator: OpenCoordinator,
) -> None:
    store, double = SqliteBridgeStore(), AgentServerDouble()
    async with running(double.app()) as address:
        async with serving(store, double, f"http://{address}") as bridge:
            await bridge.miss("ana", for_s=3600)
        async with serving(store, double, f"http://{address}") as bridge:
            coordinator = await open_coordinator()
            await coordinator.sign_in(bridge)

            await expect(coordinator.missed).to_have_text(["ana"])


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

    await expect(coordinator.page.locator("#missed-title")).to_have_text("Ratate 2")
    await expect(coordinator.owner).to_have_text("a lăsat un mesaj când nu era nimeni aici")
    await expect(coordinator.page.get_by_role("button", name="Rezolvat")).to_be_enabled()
    await expect(coordinator.online).to_have_text(["Maria (dvs.)"])
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
    await expect(phone.waiting).to_have_text(["ana"])
    await _picture(phone, "phone-list")

    await phone.claim()
    await phone.send("Bună ziua, sunt Maria.")
    await expect(phone.bubbles("coordinator")).to_have_count(1)
    await _picture(phone, "phone-chat")
    await expect(phone.waiting).to_be_hidden()
    await phone.page.get_by_role("button", name="About the conversation").click()
    await expect(phone.page.locator(".question")).to_be_visible()
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

    await expect(coordinator.waiting).to_have_text(["dan", "elena.popescu"])
    await expect(coordinator.bubbles("user")).to_have_count(3)
    await _picture(coordinator, f"desktop-{scheme}")
    assert await coordinator.overflow_px() <= 0


async def _picture(coordinator: CoordinatorPage, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    await coordinator.page.screenshot(path=ARTIFACTS / f"coordinator-{name}.png")
