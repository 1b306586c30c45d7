"""The chat as customers see it, in a real browser: all its states, played by a scripted client."""

import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.support.axe import LOOKS, axe_problems, axe_script
from tests.support.browser import ARTIFACTS, PHONE, chromium, windows

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]
SCENES = ROOT / "tests" / "e2e" / "chat_view" / "scenes.js"
MODULES = ROOT / "node_modules"
DESK = {"width": 640, "height": 740}
SMALL_PHONE = {"width": 320, "height": 568}
ORIGIN = "http://shop.example"
# The strictest policy that a website may have.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
  <head>
    <title>A shop</title>
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="stylesheet" href="/shop.css" />
    <script type="module" src="/scenes.js"></script>
  </head>
  <body><main><h1>A shop</h1><div id="chat"></div></main></body>
</html>"""
PLAIN_STYLES = "body { margin: 0 }"
HOSTILE_STYLES = """
  html { font: italic 40px/3 serif; letter-spacing: 9px; word-spacing: 30px; color: red;
    text-transform: uppercase; text-align: right; visibility: hidden; cursor: wait;
    --accent: red; --panel: red; --ink: red; --line: red; }
  :not(html, head, head *, body, main) { all: unset; box-sizing: content-box !important;
    padding: 40px !important; color: red;
    margin: 30px !important; border: 9px solid red !important; line-height: 4 !important;
    font-size: 60px !important; display: block !important; opacity: 0.2 !important;
    float: left !important; transform: rotate(20deg) !important; direction: rtl; }
  ::placeholder { color: red }
"""

TREE = """
- region "Chat":
  - heading "Bistro Lumière" [level=2]
  - paragraph: Maria Ionescu is here
  - button "More"
  - button "Close the chat"
  - region "Messages":
    - text: Assistant
    - paragraph: How can we help?
    - list:
      - listitem: Today
      - listitem:
        - text: You Hello! Do you have a table for four tonight?
        - time
        - img "Sent"
      - listitem:
        - text: Assistant
        - paragraph: "Yes, with pleasure. Tonight we have:"
        - list:
          - listitem:
            - strong: Sea bass
        - paragraph:
          - link "https://bistro.example/menu?day=today"
          - link "table@bistro.example"
        - group "Sources":
          - list:
            - listitem: Evening menu
            - listitem: Opening hours
      - listitem: You At half past seven, please.
      - listitem: You By the window, if possible 🪟
      - listitem: Notice I have asked a colleague to take over.
      - listitem: Notice Maria Ionescu has joined the conversation.
      - listitem:
        - text: Maria Ionescu
        - paragraph: Good evening! I am looking for a table by the window.
      - listitem:
        - text: Maria Ionescu
        - paragraph:
          - strong: 19:30
    - paragraph: Maria Ionescu is typing…
  - textbox "Message"
  - button "Send" [disabled]
"""
MENU = """
- menu "More":
  - menuitem "End the conversation"
  - menuitem "Rate the conversation"
  - menuitem "Download the conversation"
  - menuitemcheckbox "Sound" [checked]
"""
RATING = """
- group "How was the conversation?":
  - radio "Very poor"
  - radio "Poor"
  - radio "Fair"
  - radio "Good"
  - radio "Excellent"
- button "Not now"
"""

# Twelve times up to the top of what is there; returns the greatest number of elements.
SCROLL_UP = """(async () => {
  const scroller = root.querySelector(".scroller");
  let most = 0;
  for (let n = 0; n < 12; n += 1) {
    scroller.scrollTop = 0;
    await new Promise((shown) => requestAnimationFrame(shown));
    most = Math.max(most, root.querySelectorAll("ol[role=list] > li").length);
  }
  return most;
})()"""

Open = Callable[..., Awaitable["Chat"]]


class Chat:
    """The chat in a window."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def show(self, scene: str, **options: str) -> None:
        await self.page.evaluate("([scene, options]) => show(scene, options)", [scene, options])
        await self.frame()

    async def frame(self) -> None:
        """Wait until what has changed is shown."""
        await self.page.evaluate("new Promise((shown) => requestAnimationFrame(() => shown()))")
        await self.page.evaluate("new Promise((shown) => requestAnimationFrame(() => shown()))")

    async def play(self, script: str) -> Any:
        """Let the scripted client do something."""
        result = await self.page.evaluate(f"(() => {{ {script} }})()")
        await self.frame()
        return result

    async def evaluate(self, expression: str) -> Any:
        """Evaluate an expression of `root`, the shadow tree."""
        return await self.page.evaluate(
            "((root) => " + expression + ")(document.getElementById('chat').shadowRoot)"
        )

    async def overflow_px(self) -> int:
        """Return by how many pixels anything is wider than the chat."""
        return int(
            await self.evaluate(
                "Math.max(...[...root.querySelectorAll('.chat-view, .scroller, .entry, .card')]"
                ".map((node) => node.scrollWidth - node.clientWidth - 2 * node.clientLeft))"
            )
        )

    async def screenshot(self, name: str) -> None:
        await self.page.screenshot(path=ARTIFACTS / f"chat-{name}.png")

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def bubbles(self) -> Locator:
        return self.page.locator("li .bubble")

    async def announced(self) -> list[str]:
        texts = "[...root.querySelector('[aria-live]').children].map((p) => p.textContent)"
        return list(await self.evaluate(texts))


@pytest.fixture(scope="module")
def scripts() -> dict[str, str]:
    """The scenes as one script, and axe."""
    axe = axe_script()
    esbuild = str(MODULES / ".bin" / "esbuild")
    options = ["--bundle", "--format=esm", "--loader:.css=text", "--log-level=error"]
    built = subprocess.run([esbuild, str(SCENES), *options], check=True, capture_output=True)
    return {"scenes": built.stdout.decode(), "axe": axe}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def open_chat(browser: Browser, scripts: dict[str, str]) -> AsyncIterator[Open]:
    ARTIFACTS.mkdir(exist_ok=True)
    async with windows(browser, scripts["axe"]) as window:

        async def chat(styles: str = PLAIN_STYLES, **options: Any) -> Chat:
            page = await window(**{"viewport": DESK, **options})
            files = {
                "/": (PAGE, "text/html"),
                "/scenes.js": (scripts["scenes"], "text/javascript"),
                "/shop.css": (styles, "text/css"),
            }

            async def serve(route: Route) -> None:
                path = route.request.url.removeprefix(ORIGIN)
                body, kind = files.get(path, ("", "image/svg+xml"))
                headers = {"content-type": kind, "content-security-policy": POLICY}
                await route.fulfill(body=body, headers=headers)

            await page.route("**/*", serve)
            await page.goto(f"{ORIGIN}/")
            return Chat(page)

        yield chat


async def test_every_state_passes_axe_in_both_themes_on_desktop_and_phone(open_chat: Open) -> None:
    problems: list[str] = []
    kinds: dict[str, dict[str, Any]] = {
        "desktop": {"color_scheme": "light"},
        "phone": {"color_scheme": "dark", "viewport": PHONE, "has_touch": True},
    }
    for name, options in kinds.items():
        chat = await open_chat(**options, reduced_motion="reduce")
        for scene in await chat.page.evaluate("scenes"):
            await chat.show(scene)
            await _prepare(chat, scene)
            await chat.screenshot(f"{name}-{scene}")
            rules = None if name == "desktop" else LOOKS
            found = await axe_problems(chat.page, "#chat", rules)
            problems += [f"{name} {scene}: {each}" for each in found]
            if await chat.overflow_px() > 0:
                problems.append(f"{name} {scene}: too wide")

    assert problems == []


async def _prepare(chat: Chat, scene: str) -> None:
    """Do what brings about a state that the conversation alone does not."""
    if scene == "end-asked":
        await chat.button("More").click()
        await chat.page.get_by_role("menuitem", name="End the conversation").click()
    elif scene == "rating-chosen":
        await chat.page.get_by_role("radio", name="Good").check(force=True)
    elif scene == "typing":
        await chat.button("More").click()
    await chat.frame()


async def test_the_keyboard_alone_does_everything_and_never_falls_out(open_chat: Open) -> None:
    chat = await open_chat()
    page, keys = chat.page, chat.page.keyboard
    more, menu = chat.button("More"), page.get_by_role("menu")

    # The first message: Shift+Enter is a new line; the Enter that ends a composition is no Enter.
    await chat.show("empty")
    await chat.play("view.focus()")
    await expect(chat.field).to_be_focused()
    await keys.type("Hello,")
    await keys.press("Shift+Enter")
    await keys.type("is a table free?")
    await chat.field.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    assert await chat.bubbles.count() == 0
    await keys.press("Enter")
    await expect(chat.bubbles).to_have_text("Hello,\nis a table free?")
    await expect(chat.field).to_have_value("")
    await expect(chat.field).to_be_focused()

    # The button leaves the focus where it is.
    await keys.type("Tonight.")
    await chat.button("Send").click()
    await expect(chat.bubbles).to_have_count(2)
    await expect(chat.field).to_be_focused()

    # A suggestion goes away with its button.
    await chat.show("empty")
    await chat.button("Book a table").focus()
    await keys.press("Enter")
    await expect(chat.bubbles).to_have_text("Book a table")
    await expect(chat.field).to_be_focused()

    # The menu.
    await chat.show("live")
    await more.focus()
    await keys.press("Enter")
    await expect(page.get_by_role("menuitem").first).to_be_focused()
    await keys.press("ArrowUp")
    sound = page.get_by_role("menuitemcheckbox", name="Sound")
    await expect(sound).to_be_focused()
    await keys.press("Enter")
    await expect(sound).to_have_attribute("aria-checked", "false")
    assert await page.evaluate("client.recall('sound')") == "off"
    await keys.press("Escape")
    await expect(menu).to_be_hidden()
    await expect(more).to_be_focused()
    assert await page.evaluate("closings") == 0

    # The end of a live chat is asked about.
    await keys.press("Enter")
    await keys.press("Enter")
    await expect(chat.button("End")).to_be_focused()
    await keys.press("Enter")
    assert await page.evaluate("client.channel.request('end_live_chat') !== undefined")
    await expect(chat.button("End")).to_be_hidden()
    await expect(chat.field).to_be_focused()

    # A yes: the button waits, and then is gone; its card keeps the focus.
    await chat.show("confirm-open")
    await chat.button("Yes").focus()
    await keys.press("Enter")
    await keys.press("Enter")
    await expect(chat.button("Yes")).to_be_focused()
    requests = "client.channel.sent.filter(({ event }) => event === 'confirm_action').length"
    assert await page.evaluate(requests) == 1
    await chat.play("client.channel.request('confirm_action').reply({ answer: 'yes' })")
    await expect(page.get_by_role("group", name="Book a table")).to_be_focused()

    # Another attempt.
    await chat.show("failed")
    await chat.button("Try again").focus()
    await keys.press("Enter")
    await expect(chat.button("Try again")).to_be_hidden()
    await expect(chat.field).to_be_focused()

    # The answer is stopped.
    await chat.show("streaming")
    await chat.button("Stop the answer").focus()
    await keys.press("Enter")
    await chat.play("client.channel.request('stop_answer').reply({})")
    await expect(chat.button("Stop the answer")).to_be_hidden()
    await expect(chat.field).to_be_focused()

    # The rating.
    await chat.show("closed")
    await page.get_by_role("radio", name="Very poor").focus()
    await keys.press("ArrowRight")
    await keys.press("ArrowRight")
    await expect(page.get_by_role("radio", name="Fair")).to_be_checked()
    await keys.press("Tab")
    await keys.type("Quick")
    await keys.press("Tab")
    await keys.press("Enter")
    sent = await page.evaluate("client.channel.request('rate_conversation').payload")
    assert sent == {"rating": 3, "comment": "Quick", "sessionId": "s1"}
    await chat.play("client.channel.request('rate_conversation').refuse('timeout')")
    await expect(page.locator(".rating .failure")).to_contain_text("There was no response.")
    await expect(page.get_by_role("textbox", name="Anything to add?")).to_have_value("Quick")
    await chat.button("Send the rating").press("Enter")
    await chat.play("client.channel.sent.findLast(({ reply }) => reply).reply({})")
    await expect(page.locator(".rating")).to_contain_text("Thank you")
    assert await chat.evaluate("root.activeElement !== null")


async def test_a_screen_reader_finds_whose_each_message_is_and_reads_it_once(
    open_chat: Open,
) -> None:
    chat = await open_chat()
    await chat.show("live")
    await expect(chat.page.locator(".chat-view")).to_match_aria_snapshot(TREE)
    await chat.button("More").click()
    await expect(chat.page.get_by_role("menu")).to_match_aria_snapshot(MENU)
    await chat.show("closed")
    await expect(chat.page.locator(".rating")).to_match_aria_snapshot(RATING)
    # Of what is not for customers, nothing is shown.
    await chat.show("cards")
    text = str(await chat.evaluate("root.querySelector('.chat-view').textContent"))
    assert "Opening hours" in text
    assert not [word for word in ("ws://", "secret", "r-1", "live_chat") if word in text]
    await chat.show("live")

    # Only finished messages of others are read.
    assert await chat.announced() == []
    await chat.play(
        "client.push(client.message('coordinator', 'Is **19:30** fine?',"
        " { coordinatorId: 'Maria Ionescu' }))"
    )
    assert await chat.announced() == ["Maria Ionescu: Is 19:30 fine?"]
    await chat.show("streaming")
    await chat.play("client.delta(2, 'race](https://a.example).')")
    assert await chat.announced() == []
    await chat.play("client.push(client.message('ai', 'There is one.', { messageId: 'r1' }))")
    assert await chat.announced() == ["Assistant: There is one."]
    await chat.play("client.channel.lose(); client.connect({ name: 'waiting', cause: {} })")
    await chat.play("client.connect({ name: 'connecting' })")
    await chat.play("client.connect({ name: 'waiting', cause: {} })")
    await chat.play("client.connect({ name: 'joined' })")
    assert (await chat.announced())[1:] == [
        "No connection. Trying again…",
        "Connected again.",
    ]
    # What has failed is said too.
    await chat.show("failed")
    assert await chat.announced() == [
        "Not sent. That was a lot at once. Please try again in a moment."
    ]
    await chat.show("confirm-open")
    await chat.button("No").click()
    await chat.play("client.channel.request('confirm_action').refuse('timeout')")
    assert await chat.announced() == ["There was no response. Please try again."]
    await expect(chat.button("No")).to_be_enabled()

    # Nothing is read of a chat that is closed.
    await chat.show("conversation")
    await chat.play(
        "view.isVisible = false; client.push(client.message('ai', 'More.')); view.isVisible = true"
    )
    assert await chat.announced() == []
    assert await chat.evaluate("root.querySelectorAll('[aria-live], [role=alert]').length") == 1


async def test_a_hostile_page_changes_no_pixel_of_the_chat(open_chat: Open) -> None:
    shown = []
    for styles in (PLAIN_STYLES, HOSTILE_STYLES):
        chat = await open_chat(styles, reduced_motion="reduce")
        images = []
        for scene in ("cards", "closed", "waiting-place", "end-asked"):
            await chat.show(scene)
            await _prepare(chat, scene)
            images.append(await chat.page.locator(".frame").screenshot())
        shown.append(images)

    assert shown[0] == shown[1]


async def test_ten_thousand_messages_are_a_few_hundred_elements_at_any_place(
    open_chat: Open,
) -> None:
    chat = await open_chat()
    await chat.show("many")
    items = "root.querySelectorAll('ol[role=list] > li').length"
    assert await chat.evaluate(items) <= 100
    await expect(chat.page.get_by_text("Message 10000", exact=True)).to_be_in_viewport()

    most = await chat.evaluate(SCROLL_UP)
    assert most <= 310
    first = chat.page.get_by_text("Message 9061", exact=True)
    await expect(first).to_be_in_viewport()

    # What is read stays where it is.
    before = await first.bounding_box()
    await chat.play("client.push(client.message('ai', 'Something new'))")
    await chat.play("client.push(client.message('system', 'And more'))")
    assert await first.bounding_box() == before

    # And down again at once.
    await chat.button("2 new messages").click()
    await expect(chat.page.get_by_text("And more", exact=True)).to_be_in_viewport()
    assert await chat.evaluate(items) <= 310
    await expect(chat.page.locator(".jump")).to_be_hidden()


async def test_earlier_messages_are_loaded_at_the_top_and_the_reader_stays_in_place(
    open_chat: Open,
) -> None:
    chat = await open_chat()
    await chat.show("conversation")
    history = await chat.play(
        "client.page = Array.from({ length: 60 }, (_, n) => client.message('ai', `Old ${n}`));"
        "client.begin(); client.emit('conversation', null); client.join(client.page.slice(20))"
    )
    assert history is None
    await chat.evaluate("(root.querySelector('.scroller').scrollTop = 300)")
    await chat.frame()
    seen = chat.page.get_by_text("Old 25", exact=True)
    before = await seen.bounding_box()
    await expect(chat.button("Loading earlier messages…")).to_be_attached()
    await chat.play(
        "client.channel.request('history').reply({ messages: client.page.slice(0, 20),"
        " more: false })"
    )
    await expect(chat.page.get_by_text("Old 0", exact=True)).to_be_attached()
    after = await seen.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) <= 1


async def test_who_is_at_the_very_top_gets_what_is_loaded_without_scrolling(
    open_chat: Open,
) -> None:
    chat = await open_chat()
    await chat.show("conversation")
    await chat.play(
        "client.page = Array.from({ length: 90 }, (_, n) => client.message('ai', `Old ${n}`));"
        "client.begin(); client.emit('conversation', null); client.join(client.page.slice(50))"
    )
    await chat.evaluate("(root.querySelector('.scroller').scrollTop = 0)")
    await expect(chat.button("Loading earlier messages…")).to_be_attached()
    await chat.play(
        "client.channel.request('history').reply({ messages: client.page.slice(10, 50),"
        " more: true })"
    )

    await expect(chat.page.get_by_text("Old 49", exact=True)).to_be_attached()


async def test_what_cannot_be_loaded_is_not_asked_for_again_by_itself(open_chat: Open) -> None:
    chat = await open_chat()
    await chat.show("conversation")
    await chat.play(
        "const page = Array.from({ length: 60 }, (_, n) => client.message('ai', `Old ${n}`));"
        "client.begin(); client.emit('conversation', null); client.join(page.slice(20))"
    )
    for scroll_top in (300, 100, 200):
        await chat.evaluate(f"(root.querySelector('.scroller').scrollTop = {scroll_top})")
        await chat.frame()
        await chat.play("client.channel.request('history').refuse('timeout')")
        await expect(chat.page.locator(".banner")).to_contain_text("There was no response.")
    requests = "client.channel.sent.filter(({ event }) => event === 'history').length"
    assert await chat.page.evaluate(requests) == 1
    await chat.button("Earlier messages").click()
    assert await chat.page.evaluate(requests) == 2


async def test_an_answer_grows_in_place(open_chat: Open) -> None:
    chat = await open_chat()
    await chat.show("streaming")
    await chat.play(
        "const [p] = document.getElementById('chat').shadowRoot"
        ".querySelectorAll('[data-state=streaming] .bubble > p'); globalThis.paragraph = p;"
        "getSelection().selectAllChildren(p.querySelector('strong'))"
    )
    await chat.play("client.delta(2, 'race](https://a.example)\\n\\n- one')")
    await chat.play(
        "client.push(client.message('ai', 'There is **one table** by the window.',"
        " { messageId: 'r1' }))"
    )
    assert await chat.page.evaluate("paragraph.isConnected")
    assert await chat.page.evaluate("paragraph.textContent") == (
        "There is one table by the window."
    )
    assert await chat.evaluate("root.querySelectorAll('[data-state=streaming]').length") == 0


async def test_what_is_written_is_counted_kept_and_refused_when_too_long(open_chat: Open) -> None:
    chat = await open_chat()
    await chat.show("conversation")
    counter = chat.page.locator(".counter")
    await chat.field.fill("a draft")
    assert await chat.page.evaluate("client.recall('draft')") == "a draft"
    await expect(counter).to_be_hidden()
    for _ in range(3):
        await chat.field.press("Shift+Enter")
        await chat.field.press("x")
    await chat.frame()
    await expect(chat.page.locator("li .meta").last).to_be_in_viewport(ratio=1)
    await expect(chat.field).not_to_have_attribute("aria-invalid", "true")
    await chat.field.fill("ă" * 7_999 + "🪟")
    await expect(counter).to_have_text("8,000 of 8,000")
    await chat.field.fill("ă" * 8_001)
    await expect(counter).to_have_text("The message is too long. 8,001 of 8,000")
    await expect(chat.field).to_have_attribute("aria-invalid", "true")
    await chat.field.press("Enter")
    assert len(await chat.field.input_value()) == 8_001
    await expect(chat.button("Send")).to_have_attribute("aria-disabled", "true")

    # Another identity has its own draft.
    await chat.play("client.values.set('draft', 'theirs'); client.emit('conversation', null)")
    await expect(chat.field).to_have_value("theirs")
    await expect(chat.field).not_to_have_attribute("aria-invalid", "true")


async def test_a_customer_takes_the_conversation_home(open_chat: Open) -> None:
    chat = await open_chat(accept_downloads=True)
    await chat.show("rated", language="ro")
    await chat.button("Mai multe").click()
    async with chat.page.expect_download() as download:
        await chat.page.get_by_role("menuitem", name="Descarcă conversația").click()
    saved = await download.value
    text = (await saved.path()).read_text("utf-8-sig")

    assert saved.suggested_filename.endswith(".txt")
    assert text.startswith("Conversație cu Bistro Lumière\n")
    assert "Maria Ionescu: Good evening!" in text
    assert text.count("Conversația este închisă") + text.count("has been closed") == 1


async def test_words_are_in_the_customers_language_and_direction(open_chat: Open) -> None:
    chat = await open_chat(viewport=SMALL_PHONE)
    for scene, language in (
        ("waiting-place", "ro"),
        ("live", "ro"),
        ("rtl", "ar"),
        ("hostile", "ro"),
        ("confirm-open", "ro"),
    ):
        await chat.show(scene, language=language)
        await chat.screenshot(f"small-{scene}-{language}")
        assert await chat.overflow_px() <= 0

    await chat.show("waiting-place", language="ro")
    await expect(chat.page.get_by_text("Sunteți pe locul 3. Circa 9 minute.")).to_be_visible()
    await chat.show("rtl", language="ar")
    view = chat.page.locator(".chat-view")
    await expect(view).to_have_attribute("dir", "rtl")
    await expect(view).to_have_attribute("lang", "en")
    own = await chat.bubbles.first.bounding_box()
    assert own is not None
    assert own["x"] < 20
