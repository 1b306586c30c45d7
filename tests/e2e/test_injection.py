"""Texts that try to be more than text, from whoever can write one, on both pages."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, WebSocketRoute, expect

from adapters.bridge.sqlite_store import SqliteBridgeStore
from domain.plain_text import plain_text
from entrypoints.bridge.app import create_bridge
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.assistants import Act, ScriptedSteps
from tests.support.browser import CoordinatorPage, UserPage, chromium, windows
from tests.support.server import free_port, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = {
    "image": '<img src=x onerror="ran()">',
    "script": "</textarea></title><script>ran()</script><script src=//evil.example/x></script>",
    "svg": "<svg onload=ran()><animate onbegin=ran() attributeName=x></svg>",
    "frame": '<iframe srcdoc="<script>parent.ran()</script>"></iframe><base href=//evil.example/>',
    "link": 'javascript:ran()//"><a href="javascript:ran()" ping=//evil.example/>x</a>',
    "markdown": "![x](https://evil.example/pixel.gif) [x](javascript:ran())",
    "attribute": "\" autofocus onfocus=ran() x='` tabindex=0 onmouseover=ran()",
    "template": "{{constructor.constructor('ran()')()}} ${ran()} <%= ran() %> #{ran()}",
    "style": "</style><style>@import '//evil.example/x';*{display:none}</style>",
    "bidi": "\u202eemag\u202c \u2066\u202egnp.exe\u2069 \u200f\u061c\u2028\u2029 end",
    "control": "before\u0000after \u001b[31mred\u0007 \ufffe\ufeff end",
    "unbroken": "W" * 8_000,
    "prototype": "__proto__",
}

RUN = 'window.ran = () => console.error("a text has run");'

UNFOLD = """document.querySelectorAll("details").forEach((each) => (each.open = true))"""

SHOWN = {**HOSTILE, "markdown": "x [x](javascript:ran())", "prototype": "proto"}
"""What is read of them as Markdown: an image is a link to it."""

# Whatever markup could bring in; the pages have none of it, and no listener in an attribute.
INTRUDERS = """() => [...document.querySelectorAll("*")].filter((node) =>
  node.matches(`iframe, object, embed, base, style, video, audio, form[action], animate,
    a:not([href^="https://"][rel="noopener nofollow"][target="_blank"]),
    script:not([src^="/web/"]), link:not([href^="/web/"]),
    img:not([src="/web/shared/icon.svg"])`) ||
  [...node.attributes].some(({ name }) => name.startsWith("on"))
).map((node) => node.outerHTML)"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


class At:
    """The address of a running program."""

    def __init__(self, port: int) -> None:
        self.address = f"127.0.0.1:{port}"


class Windows:
    """A user's window and a coordinator's, on the pages of a server and a bridge."""

    def __init__(self, ana: UserPage, maria: CoordinatorPage, server: At, bridge: At) -> None:
        self.ana, self.maria = ana, maria
        self.server, self.bridge = server, bridge

    async def intruders(self) -> list[str]:
        found = [await page.evaluate(INTRUDERS) for page in (self.ana.page, self.maria.page)]
        return [*found[0], *found[1]]


@asynccontextmanager
async def both(browser: Browser, *answers: str) -> AsyncIterator[Windows]:
    """Open both programs and a window of each; neither page may send requests elsewhere."""
    server, bridge = (At(free_port()) for _ in range(2))
    settings = Settings(
        store="memory",
        turn_quiet_ms=0,
        bridge="elixir",
        elixir_http_url=f"http://{bridge.address}",
        elixir_websocket_url=f"ws://{bridge.address}/socket/websocket",
        agent_server_url=f"http://{server.address}",
    )
    container = Container(settings=settings)
    scripts: list[list[Act]] = [[answer] for answer in answers]
    container.assistant.override(ScriptedSteps(*scripts))
    asked: list[str] = []
    async with (
        running(create_bridge(settings, SqliteBridgeStore()), port=_port(bridge)),
        running(create_app(settings, container), port=_port(server)),
        windows(browser, RUN) as open_page,
    ):
        ana, maria = await open_page(), await open_page()
        for page in (ana, maria):
            page.on("request", lambda request: asked.append(request.url))
            page.on("websocket", lambda socket: asked.append(socket.url))
            page.on("dialog", lambda dialog: asked.append(f"a dialog: {dialog.message}"))
        yield Windows(UserPage(ana), CoordinatorPage(maria), server, bridge)
    ours = tuple(
        f"{scheme}://{at.address}/" for scheme in ("http", "ws") for at in (server, bridge)
    )
    assert [url for url in asked if not url.startswith(ours)] == []


def _port(at: At) -> int:
    return int(at.address.rpartition(":")[2])


async def test_what_user_assistant_and_coordinator_say_is_shown_as_they_said_it(
    browser: Browser,
) -> None:
    texts = list(HOSTILE.values())
    async with both(browser, *texts) as windows:
        ana, maria = windows.ana, windows.maria
        await maria.sign_in(windows.bridge)
        await ana.join(windows.server)
        for number, text in enumerate(texts, 1):
            await ana.send(text)
            await expect(ana.bubbles("ai")).to_have_count(number)
        to_the_ai = await ana.bubbles("user").all_text_contents()
        from_the_ai = await ana.bubbles("ai").all_text_contents()

        await ana.page.get_by_role("button", name="Talk to a person").click()
        await ana.page.get_by_label("What is it about?").fill(HOSTILE["image"])
        await ana.page.get_by_role("button", name="Ask for a person").click()
        await maria.claim()
        await expect(maria.bubbles("ai")).to_have_count(len(texts))
        seen_by_maria = await maria.bubbles("ai").all_text_contents()
        for text in texts:
            await maria.send(text)
        await expect(ana.bubbles("coordinator")).to_have_count(len(texts))
        by_maria = await ana.bubbles("coordinator").all_text_contents()
        await ana.send(HOSTILE["script"])
        await expect(maria.bubbles("user").last).to_have_text(HOSTILE["script"])
        await maria.act("Return to AI")
        await maria.page.get_by_label("Summary").fill(HOSTILE["svg"])
        await maria.confirm("Return to AI")
        await expect(ana.owner).to_have_text("Assistant")
        intruders = await windows.intruders()

    assert to_the_ai == texts
    shown = [plain_text(text) for text in SHOWN.values()]  # as they are stored
    assert from_the_ai == shown
    assert seen_by_maria == shown
    assert by_maria == shown
    assert intruders == []


Payload = dict[str, Any]
Answer = Callable[[str, Payload], tuple[str, Payload]]
"""A function from a request's event and payload to the reply's status and response."""


class Wire:
    """The socket of a page whose server answers and sends whatever it likes."""

    def __init__(self) -> None:
        self._answer: Answer = lambda event, payload: ("error", {})
        self._sockets: dict[str, WebSocketRoute] = {}

    async def take_over(self, page: Page) -> None:
        await page.route_web_socket("**/websocket?*", self._serve)

    def answer_with(self, answer: Answer) -> None:
        """Set the answer to all requests from now on."""
        self._answer = answer

    def _serve(self, socket: WebSocketRoute) -> None:
        def reply(text: str | bytes) -> None:
            join_ref, ref, topic, event, payload = json.loads(text)
            self._sockets[topic] = socket
            status, response = self._answer(event, payload)
            answer = {"status": status, "response": response}
            socket.send(json.dumps([join_ref, ref, topic, "phx_reply", answer]))

        socket.on_message(reply)

    def push(self, topic: str, event: str, payload: Payload) -> None:
        self._sockets[topic].send(json.dumps([None, None, topic, event, payload]))


def everywhere(text: str, *names: str) -> Payload:
    """An object with this text in each of its fields."""
    return dict.fromkeys(names, text)


async def test_a_users_page_shows_a_text_in_whatever_field_it_comes(browser: Browser) -> None:
    async with both(browser) as windows:
        ana, wire = windows.ana, Wire()
        await wire.take_over(ana.page)
        for name, text in HOSTILE.items():
            wire.answer_with(_users_server(text))
            await ana.join(windows.server)
            for event, payload in _pushes_to_user(text):
                wire.push("messages:b1", event, payload)
            await expect(ana.bubbles("coordinator")).to_have_count(1)
            await ana.send("Bună!")
            await expect(ana.page.locator(".failure")).to_have_count(1)
            await ana.page.evaluate(UNFOLD)

            bubbles = await ana.page.locator(".bubble").all_text_contents()
            others = await ana.page.locator("dt, dd, .card-title, .raw-entry").all_text_contents()

            assert bubbles == [SHOWN[name], SHOWN[name], text, SHOWN[name], "Bună!"]
            in_json = json.dumps(text, ensure_ascii=False)[1:-1]
            assert len([part for part in others if text in part or in_json in part]) >= 12
            assert await windows.intruders() == []
            assert await ana.overflow_px() == 0


def _users_server(text: str) -> Answer:
    """Return the answers of a server with the text in every field and in every refusal."""
    said = everywhere(text, "author", "message", "timestamp", "coordinatorId", "reason")
    log = [
        {**said, "kind": "message", "messageId": f"{text}1", "actions": _actions(text), "seq": 1},
        {**said, "kind": "status", "status": text, "seq": 2},
    ]
    joined = {
        "sessionId": text,
        "status": "live",
        "seq": 2,
        "more": False,
        "messages": log,
        "liveChat": everywhere(text, "url", "topic"),
    }

    def answer(event: str, payload: Payload) -> tuple[str, Payload]:
        if event == "phx_join":
            return "ok", joined
        return "error", everywhere(text, "reason", "detail")

    return answer


def _actions(text: str) -> list[Payload]:
    return [
        {**everywhere(text, "status", "topic", "url"), "type": "live_chat"},
        {"type": "reservations", "items": [{text: text, "name": text}]},
        {"type": "business_info", "name": text, "facts": {text: text}},
        {"type": "sources", "items": [everywhere(text, "title", "location")]},
        {"type": text, text: text},
    ]


def _pushes_to_user(text: str) -> list[tuple[str, Payload]]:
    pushes: list[tuple[str, Payload]] = [
        ("new_message", {"seq": 3, "inReplyTo": [text], "actions": _actions(text)}),
        ("user_message", {"messageId": f"{text}4", "seq": 4}),
        ("conversation_status", {"status": text, "seq": 5, "updatedAt": text}),
        ("typing", {"author": text, "expiresInMs": 600_000}),
        ("message_delta", {"responseId": f"{text}6", "index": 0, "text": text}),
        (text, {}),
        ("agent_message", {"messageId": f"{text}6", "seq": 6}),
    ]
    names = ("message", "timestamp", "coordinatorId", "reason", "sessionId", "transferId")
    about = {**everywhere(text, *names), "responseId": f"{text}2"}
    return [(event, {**about, **fields}) for event, fields in pushes]


async def test_a_coordinators_page_shows_a_text_in_whatever_field_it_comes(
    browser: Browser,
) -> None:
    async with both(browser) as windows:
        maria, page, wire = windows.maria, windows.maria.page, Wire()
        await wire.take_over(page)
        wire.answer_with(_coordinators_server("Bună!"))
        await maria.sign_in(windows.bridge)
        for text in HOSTILE.values():
            wire.answer_with(_coordinators_server(text))
            await page.reload()
            await maria.is_connected()
            await page.locator('.chat[data-status="waiting"]').click()
            await expect(page.locator(".bubble")).to_have_count(3)
            await maria.act("Claim")
            await expect(maria.alert).to_be_visible()
            for topic, event, payload in _pushes_to_coordinator(text):
                wire.push(topic, event, payload)
            await expect(page.locator(".bubble")).to_have_count(4)

            context = await page.locator("#context").text_content()

            assert await page.locator(".bubble").all_text_contents() == [text] * 4
            assert context is not None
            assert context.count(text) >= 7
            assert await windows.intruders() == []
            assert await maria.overflow_px() == 0


def _words(text: str) -> Payload:
    return everywhere(text, "author", "message", "timestamp", "coordinatorId", "sessionId")


def _chat(text: str) -> Payload:
    ids = ("sessionId", "businessId", "userId", "locationId", "coordinatorId", "transferId")
    return {
        **everywhere(text, *ids, "reason", "summary", "since", "waitingSince"),
        "status": "waiting",
        "pending": True,
        "context": {
            **everywhere(text, "summary", "language", "openQuestion", text),
            "toolsUsed": [text],
            "lastMessages": [{"seq": 1, **_words(text)}],
        },
    }


def _coordinators_server(text: str) -> Answer:
    """Return the answers of a bridge with the text in every field and in every refusal."""
    mine = {**_chat(text), "sessionId": "s2", "status": "live", "coordinatorId": "Maria"}
    left = {**everywhere(text, "message", "timestamp", "reason"), "context": _chat(text)["context"]}
    missed = {**_chat(text), "sessionId": "s3", "status": "ai", "missed": left}
    board = {
        "business": {"name": text, "replies": {text: text}},
        "chats": [_chat(text), mine, missed],
        "presence": {"online": 2, "coordinators": [text, "Maria"]},
        "server": {"reachable": True},
    }

    opened = {
        "chat": _chat(text),
        "messages": [{**_words(text), "messageId": f"{text}2"}],
        "notes": [everywhere(text, "noteId", "sessionId", "coordinatorId", "text", "at")],
        "earlier": [{**_chat(text), "sessionId": "s4"}],
    }

    def answer(event: str, payload: Payload) -> tuple[str, Payload]:
        if event == "phx_join" and "coordinatorId" in payload:
            return "ok", board
        if event == "phx_join":
            return "ok", {"messages": [{**_words(text), "messageId": f"{text}1"}]}
        if event == "open":
            return "ok", opened
        return "error", everywhere(text, "reason", "detail", "by")

    return answer


def _pushes_to_coordinator(text: str) -> list[tuple[str, str, Payload]]:
    refused = {"type": "refused", "wished": "live", "coordinatorId": "Maria", "reason": text}
    said = {**_words(text), "messageId": f"{text}3"}
    return [
        ("coordinators:b1", "notification", {**refused, "chat": _chat(text)}),
        ("coordinators:b1", "live_message", said),
        ("coordinators:b1", text, said),
        (f"chat:b1:{text}", text, said),
        (f"chat:b1:{text}", "agent_message", said),
    ]


async def test_an_address_that_somebody_was_sent_runs_nothing(browser: Browser) -> None:
    async with both(browser) as windows:
        ana = windows.ana
        for text in HOSTILE.values():
            names = ("businessId", "locationId", "userId", "vsn", "url", "token")
            query = urlencode(everywhere(text[:1_000], *names))
            await ana.open(windows.server, f"?{query}#{query}")
            await ana.page.locator("#connect").click()
            await expect(ana.page.locator("#pill-label")).to_have_text(
                re.compile("Refused|Connected")
            )

            assert await windows.intruders() == []
