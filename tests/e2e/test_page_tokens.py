"""The user's page with a token, in a real browser."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.support.browser import UserPage, chromium, windows
from tests.support.tokens import JWT, ending_in, token
from tests.support.wire import product

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.mark.parametrize("mark", ["#token=", "#?token="])
async def test_a_token_in_the_fragment_lets_a_user_in_and_leaves_no_trace(
    mark: str, browser: Browser
) -> None:
    given, asked = token("ana"), list[str]()
    async with product(**JWT) as server, windows(browser) as window:
        chat = UserPage(await window())
        chat.page.on("request", lambda request: asked.append(request.url))
        chat.page.on("websocket", lambda opened: asked.append(opened.url))
        await chat.join(server, f"?userId=ana{mark}{given}")
        kept = await chat.page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
        shown = await chat.page.locator("body").inner_text()

        assert chat.page.url == f"http://{server.address}/test-websocket.html?userId=ana"
    assert asked
    assert not [url for url in asked if given in url]
    assert given not in kept + shown


async def test_without_a_good_token_the_page_says_what_to_do(browser: Browser) -> None:
    async with product(**JWT) as server, windows(browser) as window:
        chat = UserPage(await window())
        await chat.open(server, f"?userId=ana#token={token('dan')}")
        await chat.page.locator("#empty-connect").click()
        await expect(chat.page.locator("#alert-title")).to_have_text(
            "Connection refused: unauthorized."
        )
        detail = await chat.page.locator("#alert-detail").inner_text()
        await chat.page.locator("input[name=token]").fill(token("ana"))
        await chat.connect()

    assert "Enter a valid one" in detail


async def test_when_a_token_ends_the_page_says_so_and_goes_on_with_a_new_one(
    browser: Browser,
) -> None:
    async with product(**JWT) as server, windows(browser) as window:
        chat = UserPage(await window())
        await chat.join(server, f"?userId=ana#token={ending_in(6, 'ana')}")
        title = chat.page.locator("#alert-title")
        await expect(title).to_have_text("Connection refused: token_expired.", timeout=20_000)
        await chat.page.locator("input[name=token]").fill(token("ana"))
        await chat.connect()

        await expect(chat.page.locator("#alert")).to_be_hidden()
