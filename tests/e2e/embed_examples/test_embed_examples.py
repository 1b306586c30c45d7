"""The examples of docs/embed.md, each on a website of another origin, in a real browser."""

import asyncio
import json
import re
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar, Request, Response, delete, get, post
from litestar.params import FromPath
from playwright.async_api import Browser, Locator, Page, expect

from entrypoints.server.app import create_app
from entrypoints.settings import Settings
from tests.support.browser import OpenPage, chromium, windows
from tests.support.businesses import EXAMPLES as BUSINESSES
from tests.support.npm import Missing, installed
from tests.support.server import running
from tests.support.tokens import JWT, claims, token

story = pytest.mark.asyncio(loop_scope="module")

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[3]
DOCUMENT = ROOT / "docs/embed.md"
EXAMPLES = ROOT / "docs/examples/embed"
TOOLS = ROOT / "node_modules/.bin"
CHAT, SOCKET = "https://chat.example", "wss://chat.example"
"""The chat server, as the examples name it."""
STRICTEST = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
"""A policy of pages without the chat."""
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
QUESTION, ANSWER = "What are your opening hours?", "sâmbătă și duminică"
OTHER_QUESTION, OTHER_ANSWER = "What is your address?", "Strada Lalelelor 12"
# The tests look into the shadow tree, which the page itself cannot.
OPEN_SHADOWS = """
const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function () { return attach.call(this, { mode: "open" }); };
"""
WebRequest = Request[Any, Any, Any]

# What the expressions of the Elixir template are, where somebody is signed in.
ASSIGNED = {
    "get_csrf_token()": "c5rf",
    'assigns[:page_title] || "Bistro Verde"': "Bistro Verde",
    '~p"/assets/css/app.css"': "/assets/css/app.css",
    '~p"/assets/js/chat.js"': "/assets/js/chat.js",
    "@current_user && @current_user.id": "ana",
    "@inner_content": "<h1>Bistro Verde</h1>",
}
EXPRESSION = re.compile(r"(=?)\{(.*?)\}")


@dataclass
class Website:
    """A website that embeds the chat; `user` is who is signed in to it."""

    address: str = ""
    chat: str = ""
    """The host and port of the chat server."""
    files: dict[str, str] = field(default_factory=dict)
    policy: str = ""
    user: str | None = None
    token_body: Callable[[str], str] = str

    @property
    def origin(self) -> str:
        # The chat server is at 127.0.0.1: to a browser, that is another site.
        return f"http://localhost:{self.address.rpartition(':')[2]}"

    def put(self, folder: str) -> None:
        """Put an example's files on the website, and the policy that the document asks for."""
        for path in (EXAMPLES / folder).iterdir():
            self.files[path.name] = self.here(path.read_text())
        self.policy = self.here(documented_policy())

    def here(self, text: str) -> str:
        """Return a text of the documents with the chat server of this test in it."""
        return text.replace(CHAT, f"http://{self.chat}").replace(SOCKET, f"ws://{self.chat}")

    def app(self) -> Litestar:
        @get("/chat-token", sync_to_thread=False)
        def chat_token() -> Response[str]:
            if self.user is None:
                return Response("", status_code=204)
            return Response(self.token_body(token(self.user)), media_type="text/plain")

        @post("/session", status_code=204)
        async def sign_in(request: WebRequest) -> None:
            self.user = str((await request.form())["user"])

        @delete("/session", sync_to_thread=False)
        def sign_out() -> None:
            self.user = None

        @get(["/", "/{name:path}"], sync_to_thread=False)
        def file(name: FromPath[str] = "index.html") -> Response[str]:
            text = self.files.get(name.lstrip("/"))
            headers = {"Content-Security-Policy": self.policy}
            media_type = TYPES[name.rpartition(".")[2]]
            status = 404 if text is None else 200
            return Response(text or "", status_code=status, media_type=media_type, headers=headers)

        handlers = [chat_token, sign_in, sign_out, file]
        return Litestar(handlers, openapi_config=None, logging_config=None)


@dataclass(frozen=True)
class Widget:
    """The chat on a page."""

    page: Page

    @property
    def dialog(self) -> Locator:
        return self.page.locator("ai-agent-chat dialog")

    @property
    def answers(self) -> Locator:
        """The answers that are finished."""
        return self.dialog.locator("li[data-author=ai][data-state=stored]")

    async def open(self) -> None:
        await self.page.locator("ai-agent-chat .launcher").click()

    async def ask(self, text: str) -> None:
        await self.dialog.get_by_role("textbox").fill(text)
        await self.dialog.get_by_role("textbox").press("Enter")

    async def has(self, text: str) -> None:
        await expect(self.dialog.get_by_text(text).first).to_be_visible()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def window(browser: Browser) -> AsyncIterator[OpenPage]:
    async with windows(browser, OPEN_SHADOWS) as window:
        yield window


@pytest_asyncio.fixture(loop_scope="module")
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    """A website, and a chat server with the settings of production that knows its origin."""
    site = Website()
    async with running(site.app()) as site.address:
        business = (BUSINESSES / "b1/business.toml").read_text()
        (tmp_path / "b1.toml").write_text(f'{business}\n[website]\norigins = ["{site.origin}"]\n')
        settings = Settings(
            store="memory",
            businesses=str(tmp_path),
            businesses_only="1",
            visitor_secret="a-secret-for-visitors-of-more-than-32-bytes",
            turn_quiet_ms=0,
            **JWT,
        )
        async with running(create_app(settings)) as site.chat:
            yield site


def documented_sources() -> dict[str, str]:
    """Return what the document has a page's policy allow for the chat, by directive."""
    block = re.search(
        r"^```\n(script-src .*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL
    )
    assert block is not None
    return dict(line.split(maxsplit=1) for line in block[1].splitlines())


def documented_policy() -> str:
    """Return the strictest policy of a page that embeds the chat."""
    added = documented_sources()
    names = {**STRICTEST, **added}
    return "; ".join(f"{name} {STRICTEST.get(name, '')} {added.get(name, '')}" for name in names)


async def kept(page: Page) -> Any:
    """Return what the chat keeps in the browser."""
    return json.loads(await page.evaluate("localStorage.getItem('ai-agent:b1')"))


@story
async def test_one_line_puts_the_chat_on_a_plain_page(site: Website, window: OpenPage) -> None:
    site.put("plain")
    page = await window()
    await page.goto(site.origin)
    widget = Widget(page)
    await widget.open()
    await widget.ask(QUESTION)
    await widget.has(ANSWER)
    await page.reload()

    await widget.has(QUESTION)
    await widget.has(ANSWER)


@story
async def test_who_signs_in_on_a_plain_page_goes_on_and_who_signs_out_leaves_nothing(
    site: Website, window: OpenPage
) -> None:
    site.put("plain")
    page = await window()
    await page.goto(f"{site.origin}/members.html")
    widget = Widget(page)
    await page.get_by_role("button", name="Ask us").click()
    await widget.ask(QUESTION)
    await expect(widget.answers).to_contain_text([ANSWER])
    await page.get_by_label("Name").fill("ana")
    await page.get_by_role("button", name="Sign in").click()
    await expect(widget.answers).to_have_count(0)  # it was the visitor's
    await widget.ask(OTHER_QUESTION)
    await expect(widget.answers).to_contain_text([OTHER_ANSWER])
    await page.reload()
    await widget.has(OTHER_ANSWER)
    await widget.ask(QUESTION)
    await expect(widget.dialog.locator("[aria-live]")).to_contain_text(ANSWER)
    await page.get_by_role("button", name="Sign out").click()
    for said in (ANSWER, OTHER_ANSWER):
        await expect(widget.dialog.get_by_text(said)).to_have_count(0)

    assert "ana" not in str(await kept(page))


@story
async def test_the_console_has_the_reason_of_a_refusal(site: Website, window: OpenPage) -> None:
    site.put("plain")
    site.user = "ana"
    site.token_body = lambda _token: token("ana", "another-business")
    page = await window()
    await page.goto(f"{site.origin}/members.html")
    async with page.expect_console_message() as message:
        await Widget(page).open()

    assert (await message.value).text == "AIAgent: refused: unauthorized"


@story
async def test_in_react_the_chat_is_a_component_or_a_hook_under_ones_own_interface(
    site: Website, window: OpenPage, tmp_path: Path
) -> None:
    site.put("react")
    site.files["main.js"] = await _built(site, _with_packages(tmp_path))
    page = await window()
    await page.goto(f"{site.origin}/#help")
    own = page.get_by_role("region", name="Chat")
    answers = own.locator("li[data-author=ai][data-state=stored]")
    await expect(own.get_by_role("status")).to_have_text("Online")
    await own.get_by_label("Message").fill(QUESTION)
    await own.get_by_role("button", name="Send").click()
    await expect(answers).to_contain_text([ANSWER])
    await page.reload()
    await expect(answers).to_contain_text([ANSWER])
    await page.get_by_role("button", name="Home").click()
    widget = Widget(page)
    await widget.open()

    await widget.has(ANSWER)
    await widget.ask(OTHER_QUESTION)
    await widget.has(OTHER_ANSWER)
    await page.get_by_role("button", name="Help").click()
    await expect(answers).to_contain_text([ANSWER, OTHER_ANSWER])
    await expect(page.locator("ai-agent-chat")).to_have_count(0)


async def _built(site: Website, folder: Path) -> str:
    """Return the bundle of the example, whose types are in order."""
    async with httpx.AsyncClient(base_url=f"http://{site.chat}") as http:
        types = (await http.get("/client.d.ts")).text
    for name, text in {**site.files, "client.d.ts": types}.items():
        (folder / name).write_text(text)
    await _tool(folder, "tsc")
    return await _tool(folder, "esbuild", "main.tsx", "--bundle", "--format=esm", "--minify")


def _with_packages(folder: Path) -> Path:
    """Return a folder in which the packages of npm are found."""
    try:
        installed(HERE)
    except Missing as missing:
        pytest.skip(str(missing))
    if not TOOLS.exists():
        pytest.skip("make has not installed esbuild and tsc")
    (folder / "react").mkdir()
    (folder / "react/node_modules").symlink_to(HERE / "node_modules")
    return folder / "react"


async def _tool(folder: Path, name: str, *arguments: str) -> str:
    """Return the output of a program, which does not fail."""
    program = TOOLS / name
    process = await asyncio.create_subprocess_exec(
        program, *arguments, cwd=folder, stdout=PIPE, stderr=STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


@story
async def test_the_pages_of_a_phoenix_site_have_the_chat_under_its_policy_for_who_is_signed_in(
    site: Website, window: OpenPage
) -> None:
    site.put("phoenix")
    site.policy = policy_of_the_plug(site.files["chat_policy.ex"])
    site.token_body = lambda token: json.dumps({"token": token})
    site.user = ASSIGNED["@current_user && @current_user.id"]
    site.files["index.html"] = rendered(site.files["root.html.heex"])
    site.files |= {"assets/js/chat.js": site.files["chat.js"], "assets/css/app.css": ""}
    page = await window()
    await page.goto(site.origin)
    widget = Widget(page)
    await widget.open()
    await widget.ask(QUESTION)
    await widget.has(ANSWER)
    await page.reload()

    await widget.has(ANSWER)
    assert (await kept(page))["user"]["userId"] == "ana"


def rendered(template: str) -> str:
    """Return the page as Phoenix renders it: each expression by its value, and none is unknown."""
    found = {expression for _, expression in EXPRESSION.findall(template)}
    assert found == ASSIGNED.keys()

    def value(match: re.Match[str]) -> str:
        return f'="{ASSIGNED[match[2]]}"' if match[1] else ASSIGNED[match[2]]

    return EXPRESSION.sub(value, template)


def policy_of_the_plug(source: str) -> str:
    """Return the policy that the plug joins of its directives."""
    names = dict(re.findall(r'^  @(\w+) "(.*)"$', source, re.MULTILINE))
    directives = re.findall(r'^ {14}"(.*)",?$', source, re.MULTILINE)
    return re.sub(r"#\{@(\w+)\}", lambda match: str(names[match[1]]), "; ".join(directives))


def test_the_policy_of_the_plug_allows_what_the_document_names_for_the_chat() -> None:
    source = (EXAMPLES / "phoenix/chat_policy.ex").read_text()
    allowed = {
        name: sources
        for name, *sources in (each.split() for each in policy_of_the_plug(source).split("; "))
    }

    for name, sources in documented_sources().items():
        assert set(sources.split()) <= set(allowed[name])


def test_the_token_that_the_elixir_signs_has_what_the_server_needs() -> None:
    source = (EXAMPLES / "phoenix/chat_token.ex").read_text()

    assert set(re.findall(r'"(\w+)" =>', source)) == {"alg", "iat", *claims()}
    assert '"alg" => "HS256"' in source


def test_the_document_quotes_the_files_of_the_examples_as_they_are() -> None:
    quote = re.compile(r"^\[`(.+?)`\]\(examples/embed/\1\):\n\n```\w+\n(.*?)^```$", re.M | re.S)
    quoted = {name: text for name, text in quote.findall(DOCUMENT.read_text())}

    assert quoted == {name: (EXAMPLES / name).read_text() for name in quoted}
    assert len(quoted) > 5
