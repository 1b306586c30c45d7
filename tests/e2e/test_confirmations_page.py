"""A question for a yes on the user's page: its card, its buttons, and what becomes of it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, WebSocketRoute, expect

from domain.tool import Confirmer
from tests.support.browser import PHONE, UserPage, chromium, windows
from tests.support.questions import Asking, asking

pytestmark = pytest.mark.asyncio(loop_scope="module")

OpenChat = Callable[..., Awaitable[UserPage]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def open_chat(browser: Browser) -> AsyncIterator[OpenChat]:
    async with windows(browser) as open_page:

        async def window(*profile: BrowserContext, **options: Any) -> UserPage:
            return UserPage(await open_page(*profile, **options))

        yield window


def card(chat: UserPage) -> Locator:
    return chat.page.locator(".card.confirm").last


def button(chat: UserPage, name: str) -> Locator:
    return card(chat).get_by_role("button", name=name, exact=True)


async def asked(chat: UserPage, server: Asking) -> None:
    """Join, and say something that makes the AI ask."""
    await chat.join(server)
    await chat.send("O masă, vă rog")
    await expect(card(chat)).to_have_count(1)


async def test_a_question_is_answered_by_a_button_and_its_card_shows_the_outcome(
    open_chat: OpenChat,
) -> None:
    chat = await open_chat()
    async with asking() as server:
        await asked(chat, server)
        await expect(card(chat).locator(".card-title")).to_have_text("Rezervare masă")
        await expect(card(chat).locator("dl")).to_contain_text("Ziua2026-12-01")
        await expect(card(chat)).to_contain_text("Please answer before")

        await button(chat, "Yes").click()

        await expect(card(chat)).to_contain_text("Done.")
        await expect(card(chat).get_by_role("button")).to_have_count(0)
        await expect(chat.bubbles("user").last).to_have_text("Da")
        await expect(chat.page.get_by_text("from another window")).to_have_count(0)
        assert len(server.tools.requests) == 1


async def test_a_question_is_answered_in_words(open_chat: OpenChat) -> None:
    chat = await open_chat()
    async with asking() as server:
        await asked(chat, server)

        await chat.send("Nu, mulțumesc.")

        await expect(card(chat)).to_contain_text("Declined. Nothing was done.")
        await expect(card(chat).get_by_role("button")).to_have_count(0)
        assert not server.tools.requests


async def test_a_question_is_answered_with_the_keyboard_alone_which_keeps_its_place(
    open_chat: OpenChat,
) -> None:
    chat = await open_chat()
    async with asking() as server:
        await asked(chat, server)
        await button(chat, "Yes").focus()

        await chat.page.keyboard.press("Tab")
        await expect(button(chat, "No")).to_be_focused()
        await chat.page.keyboard.press("Enter")

        await expect(card(chat)).to_contain_text("Declined")
        await expect(card(chat)).to_be_focused()
        await expect(chat.page.get_by_role("group", name="Rezervare masă")).to_have_count(1)


async def test_a_reload_and_a_second_window_show_what_has_become_of_it(
    open_chat: OpenChat,
) -> None:
    chat = await open_chat()
    async with asking() as server:
        await asked(chat, server)
        await chat.page.reload()
        await chat.is_connected()
        other = await open_chat()
        await other.join(server)
        await expect(button(other, "Yes")).to_be_enabled()

        await button(chat, "Yes").click()

        for window in (chat, other):
            await expect(card(window)).to_contain_text("Done.")
        await chat.page.reload()
        await chat.is_connected()
        await expect(card(chat)).to_contain_text("Done.")
        await expect(card(chat).get_by_role("button")).to_have_count(0)


async def test_the_buttons_wait_for_the_reply_and_come_back_with_what_went_wrong(
    open_chat: OpenChat,
) -> None:
    chat = await open_chat()
    sockets: list[WebSocketRoute] = []

    def relay(page: WebSocketRoute) -> None:
        sockets.append(page)
        server = page.connect_to_server()
        page.on_message(lambda text: None if "confirm_action" in str(text) else server.send(text))

    await chat.page.route_web_socket("**/websocket?*", relay)
    async with asking() as server:
        await asked(chat, server)

        await button(chat, "Yes").click()
        await expect(button(chat, "Yes")).to_be_disabled()
        await expect(button(chat, "No")).to_be_disabled()
        await sockets[-1].close()
        await chat.is_connected()

        await expect(card(chat).locator(".failure")).to_contain_text("There is no connection.")
        await expect(button(chat, "Yes")).to_be_enabled()


async def test_a_question_that_no_longer_stands_has_no_buttons(open_chat: OpenChat) -> None:
    chat = await open_chat()
    async with asking() as server:
        await asked(chat, server)

        await chat.page.get_by_role("button", name="Talk to a person").click()
        await chat.page.locator("#transfer-dialog button[value=ask]").click()

        await expect(card(chat)).to_contain_text("No longer valid")
        await expect(card(chat).get_by_role("button")).to_have_count(0)


async def test_what_a_colleague_is_asked_shows_that_it_waits_and_what_came_of_it(
    open_chat: OpenChat,
) -> None:
    chat = await open_chat()
    async with asking(Confirmer.COORDINATOR) as server:
        await asked(chat, server)
        await expect(card(chat)).to_contain_text("Our team has to agree first.")
        await expect(card(chat).get_by_role("button")).to_have_count(0)

        raw = str(await chat.page.locator(".raw-entry pre").last.text_content())
        (confirm_id,) = [each["confirmId"] for each in json.loads(raw)["actions"]]
        session_id = str(confirm_id).rpartition("-")[0]
        path = f"/api/conversations/{session_id}/confirmations/{confirm_id}"
        async with httpx.AsyncClient(base_url=f"http://{server.address}") as http:
            (await http.post(path, json={"answer": "yes"})).raise_for_status()

        await expect(card(chat)).to_contain_text("Done.")


async def test_a_card_fits_a_small_phone(open_chat: OpenChat) -> None:
    chat = await open_chat(viewport={"width": 320, "height": PHONE["height"]})
    async with asking() as server:
        await asked(chat, server)

        assert await chat.overflow_px() == 0
        await expect(button(chat, "No")).to_be_in_viewport()
