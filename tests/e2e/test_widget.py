"""The chat on a page of another origin, in a real browser."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from entrypoints.bridge.app import create_bridge
from entrypoints.server.app import create_app
from entrypoints.settings import Settings
from tests.support.browser import ARTIFACTS, PHONE, CoordinatorPage, OpenPage, chromium, windows
from tests.support.businesses import EXAMPLES
from tests.support.host_site import HostSite, embedding_policy, host_site
from tests.support.process import server
from tests.support.server import free_port, running
from tests.support.tokens import JWT, SECRET, token

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The tests look into the shadow tree, which the page itself cannot.
OPEN_SHADOWS = """
const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function () { return attach.call(this, { mode: "open" }); };
"""
COUNT_TONES = """
window.tones = 0;
const started = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...at) { window.tones += 1; started.apply(this, at); };
"""
ONCE_TONES_SOUNDED = """
new Promise((done) => {
  const look = () => (window.tones === 2 ? done() : setTimeout(look, 20));
  look();
})
"""
HIDE = """
isHidden => {
  Object.defineProperty(document, "hidden", { configurable: true, value: isHidden });
  document.dispatchEvent(new Event("visibilitychange"));
}
"""
SHOP = '<!doctype html><html lang="en"><head><title>Shop</title>'
PHONE_SCREEN = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
VIEWPORT = '<meta name="viewport" content="width=device-width">'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium("--host-resolver-rules=MAP *.example 127.0.0.1") as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat() -> AsyncIterator[str]:
    """The address of a server with the two examples."""
    settings = Settings(store="memory", businesses=str(EXAMPLES), turn_quiet_ms=0)
    async with running(create_app(settings)) as address:
        yield address


@pytest_asyncio.fixture(loop_scope="module")
async def site(chat: str) -> AsyncIterator[HostSite]:
    """A shop that embeds the chat by one line, under the strictest policy that lets it."""
    async with host_site(index=shop(script(chat))) as site:
        site.policy = embedding_policy(chat)
        yield site


@pytest_asyncio.fixture(loop_scope="module")
async def window(browser: Browser) -> AsyncIterator[OpenPage]:
    async with windows(browser, OPEN_SHADOWS + COUNT_TONES) as window:
        yield partial(window, reduced_motion="reduce")


def script(chat: str, attributes: str = 'data-business="b1"') -> str:
    """Return the one line."""
    return f'<script src="http://{chat}/widget.js" {attributes} async></script>'


def shop(head: str, body: str = "<h1>Shop</h1><input id=search>") -> str:
    return f"{SHOP}{VIEWPORT}{head}</head><body>{body}</body></html>"


async def screenshot(page: Page, name: str) -> None:
    """Save a screenshot of a page with the widget."""
    ARTIFACTS.mkdir(exist_ok=True)
    await page.screenshot(path=ARTIFACTS / f"widget-{name}.png", animations="disabled")


class Widget:
    """The widget on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.launcher = page.locator(".launcher")
        self.frame = page.locator("ai-agent-chat dialog")
        self.header = self.frame.locator(".header")
        self.field = self.frame.get_by_role("textbox")
        self.badge = page.locator("ai-agent-chat .badge")

    async def open(self) -> None:
        await self.launcher.click()
        await expect(self.field).to_be_focused()

    async def send(self, text: str) -> None:
        await self.field.fill(text)
        await self.field.press("Enter")

    def said(self, text: str) -> Locator:
        """Return what is shown among the messages."""
        return self.frame.locator(".scroller").get_by_text(text)

    def stated(self, text: str) -> Locator:
        """Return what is shown of the state of the chat."""
        return self.frame.get_by_text(text).first


async def test_the_button_is_used_by_keyboard_and_gives_the_focus_back(
    site: HostSite, window: OpenPage
) -> None:
    page = await window()
    await page.goto(site.url())
    widget = Widget(page)
    await page.evaluate("addEventListener('keyup', ({key}) => { window.heard = key; })")
    await page.get_by_role("button", name="Open the chat").focus()
    await page.keyboard.press("Enter")
    await expect(widget.field).to_be_focused()
    await page.keyboard.press("s")
    heard = await page.evaluate("window.heard")
    await page.keyboard.press("Escape")
    await expect(widget.frame).to_be_hidden()
    await expect(page.get_by_role("button", name="Open the chat")).to_be_focused()
    await page.locator("#search").focus()
    await page.evaluate("AIAgent.open()")
    await expect(widget.field).to_be_focused()
    await page.keyboard.press("Escape")

    await expect(page.locator("#search")).to_be_focused()
    assert heard is None


async def test_a_visitor_who_never_opens_the_chat_costs_the_server_nothing_and_the_page_no_shift(
    chat: str, site: HostSite, window: OpenPage
) -> None:
    asked: list[str] = []
    page = await window()
    page.on("request", lambda request: asked.append(request.url.removeprefix(f"http://{chat}")))
    page.on("websocket", lambda opened: asked.append(opened.url))
    await page.goto(site.url())
    async with page.expect_request_finished(lambda request: "/web/dist/panel-" in request.url):
        pass
    before = await page.evaluate("Object.keys(window)")
    shifts = await page.evaluate(
        """new Promise(done => new PerformanceObserver((list) => done(list.getEntries()))
        .observe({ type: "layout-shift", buffered: true }) || setTimeout(() => done([]), 50))"""
    )
    stored = await page.evaluate("Object.keys(localStorage)")

    assert [url for url in asked if not url.startswith("http://localhost")] == [
        "/widget.js",
        next(url for url in asked if url.startswith("/web/dist/panel-")),
    ]
    assert shifts == stored == []
    assert "AIAgent" in before
    assert not {name for name in before if "widget" in name.lower()}


async def test_the_page_speaks_to_the_chat_before_and_after_it_is_there(
    chat: str, site: HostSite, window: OpenPage
) -> None:
    warnings: list[str] = []
    site.pages["early.js"] = (
        "window.told = []; (window.AIAgent ??= []).push((agent) => {"
        ' agent.on("open", () => told.push("open")); agent.on("close", () => told.push("close"));'
        ' agent.init({ business: "b1", user: "ana", position: "left", colour: "#fe0" }); });'
    )
    site.pages["index.html"] = shop('<script src="early.js"></script>' + script(chat, "") * 2)
    page = await window()
    page.on("console", lambda entry: warnings.append(entry.text))
    await page.goto(site.url())
    widget = Widget(page)
    await widget.open()
    await expect(widget.frame.locator(".chat-view")).to_have_css("--accent", "rgb(255 238 0)")
    await widget.launcher.click()
    await expect(widget.frame).to_be_hidden()
    box = await widget.launcher.bounding_box()
    colours = await widget.launcher.evaluate(
        "button => [getComputedStyle(button).color, getComputedStyle(button).backgroundColor]"
    )
    told = await page.evaluate(
        "AIAgent.init({ business: 'b2' }); AIAgent.push(() => told.push(1)); told"
    )
    await page.evaluate("AIAgent.destroy(); AIAgent.open()")
    await expect(page.locator("ai-agent-chat")).to_have_count(0)
    await page.evaluate("AIAgent.init({ business: 'b1', user: 'ana' }); AIAgent.toggle()")
    await expect(widget.field).to_be_focused()

    assert told == ["open", "close", 1]
    assert box is not None
    assert box["x"] == 20
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 238, 0)"]
    assert warnings == [
        "AIAgent: widget.js is on this page more than once; the first one counts",
        "AIAgent: there is a chat on this page already; destroy() ends it",
        "AIAgent: there is no chat yet: call init({ business }) first",
    ]


HOSTILE_CSS = """
* { all: unset !important; font-size: 3px !important; }
div, section, dialog, button, svg, ai-agent-chat { display: none !important; opacity: .1 !important;
  position: static !important; visibility: hidden !important; pointer-events: none !important }
html { font-size: 62.5%; direction: rtl }
html, body { transform: translate(40px, -300px) !important; filter: invert(1) !important }
.over { position: fixed !important; inset: 0; z-index: 2147483647 !important;
  display: block !important }
"""
HOSTILE_JS = """
Array.prototype.last = function () { return this[this.length - 1]; };
Object.prototype.extra = () => 1;
Array.from = () => { throw new Error("mine"); };
window.Promise = class Mine extends Promise {};
window.name = "AIAgent"; window.$ = window.event = window.status = "mine";
addEventListener("keydown", (event) => event.preventDefault());
document.addEventListener("click", (event) => event.stopPropagation());
"""


async def test_no_style_and_no_script_of_the_page_breaks_the_chat(
    chat: str, site: HostSite, window: OpenPage
) -> None:
    site.pages |= {"hostile.css": HOSTILE_CSS, "hostile.js": HOSTILE_JS}
    # In quirks mode, with another base, and before there is a body.
    site.pages["index.html"] = (
        '<base href="/else/where/"><link rel="stylesheet" href="/hostile.css">'
        f'<script src="/hostile.js"></script>{script(chat).replace(" async", "")}'
        '<p>Shop</p><img name="currentScript"><div id="AIAgent" class="over"></div>'
    )
    page = await window()
    await page.goto(site.url())
    widget = Widget(page)
    await page.evaluate("AIAgent.init({ business: 'b1', user: 'ana' })")
    await widget.open()
    await widget.send("What are your opening hours?")
    await expect(widget.said("10:00–23:00")).to_be_visible()
    launcher, frame = await widget.launcher.bounding_box(), await widget.frame.bounding_box()
    on_top = await page.evaluate(
        "document.elementFromPoint(innerWidth - 40, innerHeight - 40).tagName"
    )

    assert launcher == {"x": 1440 - 76, "y": 900 - 76, "width": 56, "height": 56}
    assert frame is not None
    assert (frame["width"], frame["height"]) == (392, 660)
    assert on_top == "AI-AGENT-CHAT"
    assert await page.evaluate("document.compatMode") == "BackCompat"


async def test_on_a_phone_the_chat_is_the_screen_and_the_page_is_as_it_was_afterwards(
    site: HostSite, window: OpenPage
) -> None:
    site.pages["long.css"] = "h1 { margin: 2000px 0 }"
    site.pages["index.html"] = site.pages["index.html"].replace(
        "</head>", '<link rel="stylesheet" href="long.css"></head>'
    )
    page = await window(**PHONE_SCREEN)
    await page.goto(site.url())
    widget = Widget(page)
    await page.evaluate("scrollTo(0, 700)")
    await widget.launcher.tap()
    await expect(widget.field).to_be_visible()
    box = await widget.frame.bounding_box()
    await page.mouse.wheel(0, 400)
    for _ in range(8):  # the focus stays within
        await page.keyboard.press("Tab")
        assert await page.evaluate(
            "['AI-AGENT-CHAT', 'BODY'].includes(document.activeElement.tagName)"
        )
    await page.keyboard.press("Escape")
    await expect(widget.frame).to_be_hidden()

    assert box == {"x": 0, "y": 0, **PHONE}
    assert await page.evaluate("scrollY") == 700
    assert await page.evaluate("document.documentElement.getAttribute('style')") is None


async def test_a_conversation_survives_a_reload_and_says_when_it_goes_on_unseen(
    chat: str, site: HostSite, window: OpenPage
) -> None:
    site.pages["index.html"] = shop(script(chat, 'data-business="b1" data-language="en"'))
    page = await window()
    await page.goto(site.url())
    widget = Widget(page)
    await widget.open()
    await expect(widget.said("Bistro Verde").first).to_be_visible()
    await widget.send("What are your opening hours?")
    await expect(widget.said("10:00–23:00")).to_be_visible()
    await widget.field.fill("And on")
    await screenshot(page, "desktop")

    await page.reload()
    await expect(widget.field).to_have_value("And on")
    await expect(widget.said("10:00–23:00")).to_be_visible()
    focused = await page.evaluate("document.activeElement.tagName")
    assert focused == "BODY"

    # The answer comes while the chat is closed, in a tab that nobody sees.
    await page.evaluate("void AIAgent.on('message', ({ author }) => { window.wrote = author; })")
    await page.evaluate(HIDE, True)
    await widget.send("Where are you?")
    await page.evaluate("AIAgent.close()")
    await expect(widget.badge).to_have_text("1")
    await expect(page).to_have_title("(1) Shop")
    await expect(page.get_by_role("button", name="Open the chat, 1 unread message")).to_be_visible()
    assert await page.evaluate("window.wrote") == "ai"
    await page.evaluate(ONCE_TONES_SOUNDED)
    await page.evaluate("document.title = '(1) Shop: bread'")
    await page.evaluate(HIDE, False)
    await expect(page).to_have_title("Shop: bread")

    # It is unread in every tab of the browser, until it is read in one of them.
    other = await window(page.context)
    await other.goto(site.url())
    elsewhere = Widget(other)
    await expect(elsewhere.badge).to_have_text("1")
    await elsewhere.open()
    await expect(elsewhere.said("Strada Lalelelor")).to_be_visible()
    await expect(widget.badge).to_be_hidden()
    await expect(elsewhere.badge).to_be_hidden()


async def test_a_chat_that_a_page_opens_stays_where_it_replaces_itself(
    chat: str, site: HostSite, window: OpenPage
) -> None:
    site.pages["index.html"] = shop(script(chat, 'data-business="b1" data-open'))
    page = await window()
    await page.goto(site.url())
    widget = Widget(page)
    await expect(widget.field).to_be_visible()
    assert await page.evaluate("document.activeElement.tagName") == "BODY"
    await page.evaluate(
        """() => { history.pushState({}, "", "/other");
        document.body.replaceWith(document.createElement("body")); }"""
    )
    await expect(widget.field).to_be_visible()
    await page.evaluate("document.querySelector('ai-agent-chat').remove()")

    await expect(widget.field).to_be_visible()
    await expect(page.locator("ai-agent-chat")).to_have_count(1)


async def test_a_page_that_writes_its_document_anew_has_a_chat_that_works(
    chat: str, site: HostSite, window: OpenPage
) -> None:
    site.policy = ""
    page = await window()
    await page.goto(site.url())
    await expect(Widget(page).launcher).to_be_visible()
    await page.evaluate("document.open(); document.write('<p>Anew'); document.close()")

    await Widget(page).open()


async def test_a_nonce_is_enough_and_an_isolated_page_may_embed_the_chat(
    chat: str, site: HostSite, window: OpenPage
) -> None:
    site.is_isolated = True
    site.policy = re.sub(
        "script-src [^;]*", "script-src 'nonce-n0nce' 'strict-dynamic'", site.policy
    )
    site.pages["index.html"] = shop(script(chat, 'data-business="b1" nonce="n0nce"'))
    page = await window()
    async with page.expect_request_finished(lambda request: "/web/dist/panel-" in request.url):
        await page.goto(site.url())

    await Widget(page).open()


async def test_a_chat_that_cannot_be_loaded_says_so_and_is_loaded_later(
    browser: Browser, chat: str, site: HostSite
) -> None:
    site.pages["index.html"] = shop(script(chat, 'data-business="b1" data-language="ro_RO"'))
    context = await browser.new_context(locale="en-GB")  # its console has the failed requests
    await context.add_init_script(
        OPEN_SHADOWS + "window.told = [];"
        "window.AIAgent = [(agent) => agent.on('error', ({ message }) => told.push(message))];"
    )
    page = await context.new_page()
    await page.route("**/web/dist/panel-*", lambda route: route.abort())
    await page.goto(site.url())
    widget = Widget(page)
    await widget.launcher.click()
    await expect(widget.stated("Chatul nu a putut fi încărcat.")).to_be_visible()
    assert len(await page.evaluate("told")) == 1
    await page.unroute("**/web/dist/panel-*")
    await widget.frame.get_by_role("button", name="Încearcă din nou").click()

    await expect(widget.field).to_be_visible()

    # A page whose policy does not let it connect is told once, not at every new attempt.
    site.policy = re.sub(" connect-src [^;]*;", " connect-src 'none';", site.policy)
    await page.goto(site.url())
    await expect(widget.stated("Chatul nu a putut fi încărcat.")).to_be_visible()
    assert await page.evaluate("told") == [
        f"the page's policy does not let the chat connect to http://{chat}"
    ]
    await context.close()


async def test_who_signs_in_to_the_website_is_known_and_who_signs_out_is_forgotten(
    window: OpenPage, tmp_path: Path
) -> None:
    (tmp_path / "bistro.toml").write_text(BISTRO.format(origin="http://unused.example"))
    async with host_site() as site:
        settings = Settings(
            store="memory",
            businesses=str(tmp_path),
            turn_quiet_ms=0,
            scripted_delay_ms=0,
            visitor_secret=SECRETS["VISITOR_SECRET"],
            allowed_origins=site.url("", "bistro.example").rstrip("/"),
            **JWT,
        )
        async with running(create_app(settings)) as address:
            port = address.rpartition(":")[2]
            site.policy = embedding_policy(f"chat.example:{port}")
            site.pages["index.html"] = shop(
                script(f"chat.example:{port}", 'data-business="bistro" data-title="Ask us"')
            )
            page = await window(locale="en-GB")
            await page.goto(site.url(host="bistro.example"))
            widget = Widget(page)
            await widget.open()
            await expect(widget.stated("Ask us")).to_be_visible()
            await widget.send("What are your opening hours?")
            await expect(widget.said("10:00–23:00")).to_be_visible()
            await widget.field.fill("The draft of a visitor")
            await page.evaluate(
                "given => AIAgent.setUser({ token: async () => given })", token("ana", "bistro")
            )
            await expect(widget.said("What are your opening hours?")).to_have_count(0)
            await widget.send("Thanks!")
            await expect(widget.said("You are welcome!")).to_be_visible()
            await page.evaluate("AIAgent.signOut()")
            await expect(widget.said("You are welcome!")).to_have_count(0)
            await expect(widget.field).to_have_value("")
            remembered = await page.evaluate("localStorage['ai-agent:bistro']")

            # Who is nobody has a socket only once they open the chat.
            await page.evaluate("AIAgent.close(); AIAgent.signOut()")
            await page.reload()
            await expect(widget.launcher).to_be_visible()
    assert "ana" not in remembered
    assert "draft" not in remembered


async def test_a_sign_out_is_done_even_if_the_page_goes_on_at_once(
    chat: str, site: HostSite, window: OpenPage
) -> None:
    site.pages["out.js"] = (
        '(window.AIAgent ??= []).push((agent) => { agent.init({ business: "b1" });'
        ' agent.signOut(); location.href = "/index.html"; });'
    )
    site.pages["out.html"] = shop('<script src="out.js"></script>' + script(chat, ""))
    page = await window()
    await page.goto(site.url())
    widget = Widget(page)
    await widget.open()
    await widget.field.fill("for nobody else")
    await page.wait_for_function("localStorage['ai-agent:b1'].includes('for nobody else')")
    await page.goto(site.url("out.html"))
    await page.wait_for_url("**/index.html")

    assert "for nobody else" not in await page.evaluate("localStorage['ai-agent:b1']")


async def test_a_sign_out_before_the_button_is_there_opens_nothing_nor_does_a_lost_prefetch_fail(
    browser: Browser, site: HostSite
) -> None:
    context = await browser.new_context(locale="en-GB")  # its console has the failed requests
    await context.add_init_script(OPEN_SHADOWS)
    page = await context.new_page()
    await page.goto(site.url())
    widget = Widget(page)
    await widget.open()
    await widget.send("Thanks!")
    await expect(widget.said("You are welcome!")).to_be_visible()
    await page.route("**/web/dist/panel-*", lambda route: route.abort())
    await page.add_init_script("window.AIAgent = [(agent) => agent.signOut()]")
    await page.reload()
    await expect(widget.launcher).to_be_visible()
    after = await page.evaluate("localStorage['ai-agent:b1']")
    await page.unroute("**/web/dist/panel-*")
    await widget.launcher.click()
    await expect(widget.field).to_be_focused()

    assert "v-" not in after
    await expect(widget.said("You are welcome!")).to_have_count(0)
    await context.close()


async def test_the_page_of_a_chat_is_the_same_chat(chat: str, window: OpenPage) -> None:
    page = await window()
    await page.goto(f"http://{chat}/")
    await page.get_by_role("link", name="Chat with Bistro Verde").click()
    await page.goto(f"{page.url}?lang=en")
    await expect(page.get_by_role("heading", name="Bistro Verde")).to_be_visible()
    await page.get_by_role("textbox").fill("What are your opening hours?")
    await page.keyboard.press("Enter")
    answer = page.locator(".scroller").get_by_text("10:00–23:00")
    await expect(answer).to_be_visible()
    await page.reload()

    await expect(answer).to_be_visible()
    await expect(page.get_by_role("textbox")).to_be_focused()
    await expect(page.get_by_role("button", name="Close the chat")).to_have_count(0)


SECRETS = {
    "SOCKET_AUTH": "jwt",
    "JWT_SECRET": SECRET,
    "VISITOR_SECRET": "another-s3cret-of-more-than-32-bytes",
    "SERVICE_TOKEN": "the-service-token",
    "ELIXIR_TOKEN": "the-service-token",
}
BISTRO = """
name = "Bistro Verde"
language = "ro"
greeting = "Bună! Cu ce vă pot ajuta?"
[languages.en]
greeting = "Hello! How can we help?"
[website]
origins = ["{origin}"]
colour = "#7a1f3d"
[facts]
program = "Luni–vineri 9:00–22:00, sâmbătă și duminică 10:00–23:00."
"""

ROMANIAN = {
    "open": "Deschide chatul",
    "greeting": "Bună! Cu ce vă pot ajuta?",
    "question": "Care este programul?",
    "menu": "Mai multe",
    "person": "Vorbește cu un coleg",
    "waiting": "Așteptați un coleg",
    "assistant": "Asistent",
    "thanks": "Mulțumesc!",
    "welcome": "Cu plăcere!",
}
ENGLISH = {
    "open": "Open the chat",
    "greeting": "Hello! How can we help?",
    "question": "What are your opening hours?",
    "menu": "More",
    "person": "Talk to a person",
    "waiting": "Waiting for a colleague",
    "assistant": "Assistant",
    "thanks": "Thank you!",
    "welcome": "You are welcome!",
}


@pytest.mark.timeout(150)  # two processes have to start
@pytest.mark.parametrize(
    ("screen", "locale", "words"),
    [(PHONE_SCREEN, "ro-RO", ROMANIAN), ({}, "en-GB", ENGLISH)],
    ids=["phone-romanian", "desktop-english"],
)
async def test_with_production_settings_a_visitor_is_answered_whatever_happens(
    window: OpenPage, tmp_path: Path, screen: dict[str, Any], locale: str, words: dict[str, str]
) -> None:
    """A server that is killed, a coordinator who takes over and gives back."""
    server_port, bridge_port = free_port(), free_port()
    chat, bridge = f"chat.example:{server_port}", f"127.0.0.1:{bridge_port}"
    settings = Settings(
        bridge_store="memory",
        agent_server_url=f"http://127.0.0.1:{server_port}",
        service_token=SECRETS["SERVICE_TOKEN"],
        **JWT,
    )
    async with (
        host_site(index=shop(script(chat, 'data-business="bistro"'))) as site,
        running(create_bridge(settings), port=bridge_port),
    ):
        site.policy = embedding_policy(chat)
        origin = site.url("", "bistro.example").rstrip("/")
        (tmp_path / "businesses").mkdir()
        (tmp_path / "businesses" / "bistro.toml").write_text(BISTRO.format(origin=origin))
        production = {
            **SECRETS,
            "BUSINESSES": str(tmp_path / "businesses"),
            "BUSINESSES_ONLY": "1",
            "ALLOWED_ORIGINS": f"http://{chat}",
            "BRIDGE": "elixir",
            "ELIXIR_HTTP_URL": f"http://{bridge}",
            "ELIXIR_WEBSOCKET_URL": f"ws://{bridge}/socket/websocket",
            "TURN_QUIET_MS": "0",
            "SCRIPTED_DELAY_MS": "150",
        }
        page = await window(**screen, locale=locale)
        widget = Widget(page)
        answer = widget.said("sâmbătă și duminică 10:00–23:00.")
        async with server(tmp_path, port=str(server_port), **production) as running_server:
            await page.goto(f"{origin}/index.html")
            await page.get_by_role("button", name=words["open"]).click()
            await expect(widget.said(words["greeting"])).to_be_visible()
            await widget.send(words["question"])
            await expect(widget.said("Luni–vineri")).to_be_visible()
            await running_server.kill()
        assert not await answer.is_visible()

        production["SCRIPTED_DELAY_MS"] = "0"
        async with server(tmp_path, port=str(server_port), **production):
            await expect(answer).to_be_visible(timeout=20_000)
            await widget.frame.get_by_role("button", name=words["menu"]).click()
            await widget.frame.get_by_role("menuitem", name=words["person"]).click()
            await expect(widget.stated(words["waiting"])).to_be_visible()

            maria = CoordinatorPage(await window())
            name = "Maria Ionescu"
            is_maria = token(name, "bistro", role="coordinator")
            await maria.sign_in(At(bridge), name, "bistro", is_maria)
            await maria.page.locator(".chat").click()
            await maria.act("Claim")
            await expect(widget.header).to_contain_text("Maria Ionescu")
            await maria.send("Bună ziua, sunt Maria.")
            await expect(widget.said("Bună ziua, sunt Maria.")).to_be_visible()
            await widget.send("O masă pentru 60?")
            await expect(maria.page.get_by_text("O masă pentru 60?").last).to_be_visible()
            await screenshot(page, locale)
            await maria.act("Return to AI")
            await maria.confirm("Return to AI")
            await expect(widget.header).to_contain_text(words["assistant"])
            await widget.send(words["thanks"])
            await expect(widget.said(words["welcome"])).to_be_visible()

            await page.reload()
            await expect(widget.said(words["welcome"])).to_be_visible()
            kept = await page.evaluate("JSON.parse(localStorage['ai-agent:bistro']).visitor.userId")
    assert re.fullmatch("v-[0-9a-f]{32}", kept)


@dataclass(frozen=True, slots=True)
class At:
    """A program at an address."""

    address: str
