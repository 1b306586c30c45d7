"""The headers of the pages, and that a browser enforces them."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from adapters.bridge.sqlite_store import SqliteBridgeStore
from entrypoints.bridge.app import create_bridge
from entrypoints.server.app import create_app
from entrypoints.settings import Settings
from tests.support.browser import UserPage, chromium
from tests.support.server import running

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGES = {"server": "/test-websocket.html", "bridge": "/"}
SETTINGS = Settings(store="memory", bridge="elixir", elixir_http_url="")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def programs() -> AsyncIterator[dict[str, str]]:
    """Run both programs; return their addresses."""
    async with (
        running(create_app(SETTINGS)) as server,
        running(create_bridge(SETTINGS, SqliteBridgeStore())) as bridge,
    ):
        yield {"server": server, "bridge": bridge}


@pytest.mark.parametrize("program", PAGES)
@pytest.mark.parametrize(
    "path", ["", "/web/client/phoenix.js", "/web/shared/base.css", "/web/shared/icon.svg"]
)
async def test_whatever_a_page_is_made_of_says_what_it_may_do(
    programs: dict[str, str], program: str, path: str
) -> None:
    async with httpx.AsyncClient(base_url=f"http://{programs[program]}") as http:
        answer = await http.get(path or PAGES[program])

    policy = dict(
        directive.strip().split(" ", 1)
        for directive in answer.headers["Content-Security-Policy"].split(";")
    )
    assert answer.status_code == 200
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["img-src"] == "'self'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Content-Type"].count("charset") <= 1


async def test_the_users_page_may_reach_the_bridge_and_the_coordinators_their_own_alone(
    programs: dict[str, str],
) -> None:
    async with httpx.AsyncClient() as http:
        server = await http.get(f"http://{programs['server']}{PAGES['server']}")
        bridge = await http.get(f"http://{programs['bridge']}{PAGES['bridge']}")

    assert "connect-src 'self' ws://localhost:4000;" in server.headers["Content-Security-Policy"]
    assert "connect-src 'self';" in bridge.headers["Content-Security-Policy"]


@pytest.mark.parametrize("program", PAGES)
@pytest.mark.parametrize("path", ["", "/web/client/phoenix.js"])
async def test_head_answers_as_get_does_without_a_body(
    programs: dict[str, str], program: str, path: str
) -> None:
    url = f"http://{programs[program]}{path or PAGES[program]}"
    async with httpx.AsyncClient() as http:
        head, got = await http.head(url), await http.get(url)
    raw = await _exchange(programs[program], f"HEAD {path or PAGES[program]}")

    assert head.status_code == got.status_code == 200
    assert {**head.headers, "date": ""} == {**got.headers, "date": ""}
    assert raw.endswith(b"\r\n\r\n")


async def _exchange(address: str, request: str) -> bytes:
    """Return all that a server answers on a connection."""
    reader, writer = await asyncio.open_connection(*address.split(":"))
    writer.write(f"{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    "name",
    [
        "/web/nothing",
        "/web/shared/nothing",
        "/web/coordinator/page.js",
        "/web/shared/..%2fuser%2fpage.js",
        "/web/..%2fpages.py",
        "/web/..%2f/pages.py",
        "/web/../pages.py",
        "/web/shared/",
        "/web/",
    ],
)
async def test_nothing_but_the_files_of_the_pages_is_served(
    programs: dict[str, str], name: str
) -> None:
    answer = await _exchange(programs["server"], f"GET {name}")

    assert answer.startswith(b"HTTP/1.1 404 ")


async def test_a_page_connects_to_nothing_but_its_own_server_and_the_bridge(
    programs: dict[str, str],
) -> None:
    came: list[object] = []
    elsewhere = await asyncio.start_server(lambda *connection: came.append(connection), "127.0.0.1")
    port = elsewhere.sockets[0].getsockname()[1]
    async with elsewhere, chromium() as browser:
        chat = UserPage(await browser.new_page())
        await chat.page.goto(f"http://{programs['server']}{PAGES['server']}")
        await chat.page.get_by_label("Server URL").fill(f"ws://127.0.0.1:{port}/socket/websocket")
        await chat.page.locator("#connect").click()
        await expect(chat.alert).to_contain_text("This page may connect only to its own server")

    assert came == []
