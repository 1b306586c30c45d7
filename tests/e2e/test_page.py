"""The test page in a real browser, against the whole application on a real socket."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio
from dependency_injector import providers
from playwright.async_api import Browser, BrowserContext, WebSocketRoute, expect

from adapters.memory.businesses import MemoryBusinesses
from adapters.memory.store import MemoryStore
from application.ports import QueuePlace, Typing
from domain.business import Business
from domain.errors import StorageUnavailable
from domain.hours import OpeningHours
from domain.identity import BusinessId, CoordinatorId, Customer, LocationId, MessageId, UserId
from domain.message import Audience, Author
from domain.session import Draft, Session
from domain.texts import Text, localized
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.assistants import HANG, PAUSE, ScriptedSteps
from tests.support.browser import ARTIFACTS, PHONE, UserPage, chromium, windows
from tests.support.businesses import EXAMPLES
from tests.support.drafts import append_message
from tests.support.server import running
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL_PHONE = {"width": 320, "height": 568}
ANA = Customer(BusinessId("b1"), UserId("ana"))
SETTINGS = Settings(store="memory", turn_quiet_ms=0, businesses=str(EXAMPLES))

RECORD_ANSWER = """
  window.shownTexts = [];
  window.announced = [];
  const bubbles = () => [...log.querySelectorAll('[data-author="ai"] .bubble')];
  new MutationObserver(() => shownTexts.push(bubbles().map((each) => each.textContent)))
    .observe(log, { childList: true, subtree: true, characterData: true });
  new MutationObserver(() => announced.push(announcer.textContent))
    .observe(announcer, { childList: true });
"""
"""Records what each change of the page shows of the AI's answers, and what it announces."""


class RefusingStore(MemoryStore):
    """A store that refuses appends while `refusing`."""

    refusing = False

    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        if self.refusing:
            raise StorageUnavailable
        await super().append(draft, due_at)


@dataclass(frozen=True, slots=True)
class Server:
    """A running application, and its container."""

    address: str
    container: Container

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    async def post(self, text: str, customer: Customer = ANA) -> None:
        """Post a message of the customer's, as if from another device."""
        await self.container.post()(customer, LocationId("l1"), text)

    async def note(self) -> None:
        """Store an entry that coordinators see, and the customer does not."""

        def decide(session: Session | None) -> Draft:
            assert session is not None
            draft = Draft(session)
            message_id, at = MessageId(f"note-{draft.next_seq}"), session.updated_at
            audience = Audience.COORDINATOR
            append_message(draft, Author.USER, message_id, "Notă", at, audience=audience)
            return draft

        await self.container.session_log().commit(ANA, decide)

    async def seq(self) -> int:
        """Return the newest seq that the customer may see."""
        current = await self.container.session_log().current(ANA)
        assert current is not None
        return current.session.customer_seq

    async def speak(self, text: str, customer: Customer = ANA) -> None:
        """Post a message of a coordinator's."""
        await self.container.transfers().post_coordinator_message(
            customer, text, CoordinatorId("Maria")
        )


@asynccontextmanager
async def serving(
    store: MemoryStore,
    *,
    port: int = 0,
    settings: Settings = SETTINGS,
    assistant: ScriptedSteps | None = None,
) -> AsyncIterator[Server]:
    """Run the whole application over this store, which outlives it."""
    container = Container(settings=settings)
    container.store.override(store)
    if assistant is not None:
        container.assistant.override(assistant)
    async with running(create_app(settings, container), port=port) as address:
        yield Server(address, container)


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


@pytest.fixture
def store() -> RefusingStore:
    return RefusingStore()


@pytest_asyncio.fixture(loop_scope="module")
async def server(store: RefusingStore) -> AsyncIterator[Server]:
    async with serving(store) as server:
        yield server


async def test_a_join_shows_who_has_the_conversation(open_chat: OpenChat) -> None:
    chat = await open_chat()
    no_files = Settings(store="memory", turn_quiet_ms=0)
    async with serving(MemoryStore(), settings=no_files) as server:
        await chat.join(server)

        await expect(chat.owner).to_have_text("Assistant")
        await expect(chat.page.locator("#pill-vsn")).to_have_text("V2")
        await expect(chat.page.locator("#empty")).to_contain_text("How can we help?")


async def test_the_user_stays_the_same_from_visit_to_visit(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.join(server, "")
    user = await chat.page.locator("[name=userId]").input_value()

    await chat.page.reload()

    assert re.fullmatch("user-[0-9a-f]{8}", user)
    await expect(chat.page.locator("[name=userId]")).to_have_value(user)


async def test_an_answer_grows_in_one_bubble_until_it_is_whole(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.join(server)

    await chat.send("Ce program aveți?")

    await expect(chat.bubbles("ai", "streaming")).to_have_count(1)
    await expect(chat.bubbles("ai")).to_have_text([re.compile(r"^Luni–vineri .*artificială\.\)$")])
    await expect(chat.bubbles("ai", "streaming")).to_have_count(0)
    await expect(chat.page.get_by_role("img", name="Sent")).to_have_count(1)


async def test_an_answer_is_stopped_and_keeps_what_was_written(
    store: RefusingStore, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    stop = chat.page.get_by_role("button", name="Stop the answer")
    async with serving(store, assistant=ScriptedSteps(["Luni la ", "nouă", HANG])) as server:
        await chat.join(server)
        await expect(stop).to_be_hidden()
        await chat.send("Când?")
        await expect(chat.bubbles("ai", "streaming")).to_have_text("Luni la nouă")
        await expect(chat.page.get_by_role("button", name="Send", exact=True)).to_be_hidden()

        await stop.focus()
        await stop.press("Enter")

        await expect(chat.bubbles("ai")).to_have_text(["Luni la nouă"])
        await expect(stop).to_be_hidden()
        await expect(chat.page.get_by_label("Message", exact=True)).to_be_focused()
        await expect(chat.page.get_by_role("button", name="Send", exact=True)).to_be_visible()


async def test_escape_stops_an_answer_and_leaves_the_draft_alone(
    store: RefusingStore, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    field = chat.page.get_by_label("Message", exact=True)
    async with serving(store, assistant=ScriptedSteps(["Luni la ", HANG])) as server:
        await chat.join(server)
        await chat.send("Când?")
        await expect(chat.bubbles("ai", "streaming")).to_have_text("Luni la")
        await field.fill("Și")
        await expect(chat.page.get_by_role("button", name="Stop the answer")).to_be_visible()
        await expect(chat.page.get_by_role("button", name="Send", exact=True)).to_be_enabled()

        await field.press("Escape")

        await expect(chat.bubbles("ai")).to_have_text(["Luni la"])
        await expect(field).to_have_value("Și")
        await expect(field).to_be_focused()


async def test_an_answer_is_stopped_before_its_first_word(
    store: RefusingStore, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    async with serving(store, assistant=ScriptedSteps([HANG])) as server:
        await chat.join(server)
        await chat.send("Când?")
        await expect(chat.page.get_by_text("Assistant is typing…")).to_be_visible()

        await chat.page.get_by_role("button", name="Stop the answer").click()

        await expect(chat.bubbles("system")).to_have_count(1)
        await expect(chat.page.get_by_text("Assistant is typing…")).to_be_hidden()


async def test_a_connection_lost_in_mid_answer_costs_a_pause_and_nothing_else(
    store: RefusingStore, open_chat: OpenChat
) -> None:
    whole = "Luni la nouă, marți la zece."
    long_question = "Când? " * 600
    wires: list[WebSocketRoute] = []

    def relay(page: WebSocketRoute) -> None:
        page.connect_to_server()
        wires.append(page)

    chat = await open_chat()
    await chat.page.route_web_socket("**/websocket?*", relay)
    assistant = ScriptedSteps(["Luni la ", "nouă", PAUSE, ", marți ", PAUSE, "la zece."])
    async with serving(store, assistant=assistant) as server:
        await chat.join(server)
        await chat.send(long_question)
        await expect(chat.bubbles("ai", "streaming")).to_have_text("Luni la nouă")
        await chat.page.evaluate(RECORD_ANSWER)
        top = await chat.page.evaluate("scroller.scrollTop = 40")

        await wires[-1].close()
        assistant.go()
        await expect(chat.bubbles("ai", "streaming")).to_have_text("Luni la nouă, marți")
        frames = chat.frames.filter(has_text="message_delta")
        await expect(frames.last).to_contain_text("Luni la nouă, marți")
        assistant.go()
        await expect(chat.bubbles("ai")).to_have_text([whole])

        shown, announced = await chat.page.evaluate("[shownTexts, announced]")

        assert [text for text in shown if len(text) != 1 or not whole.startswith(text[0])] == []
        assert announced == [f"Assistant: {whole}"]
        assert await chat.page.evaluate("scroller.scrollTop") == top


async def test_a_window_that_opens_in_mid_answer_shows_it_from_its_beginning(
    store: RefusingStore, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    assistant = ScriptedSteps(["Luni la ", "nouă", PAUSE, ", marți ", PAUSE, "la zece."])
    async with serving(store, assistant=assistant) as server:
        await chat.join(server)
        await chat.send("Când?")
        await expect(chat.bubbles("ai", "streaming")).to_have_text("Luni la nouă")
        other = await open_chat(chat.page.context)
        await other.join(server)
        await expect(other.bubbles("ai", "streaming")).to_have_text("Luni la nouă")
        assistant.go()

        for window in (chat, other):
            await expect(window.bubbles("ai", "streaming")).to_have_text("Luni la nouă, marți")
        assistant.go()
        for window in (chat, other):
            await expect(window.bubbles("ai")).to_have_text(["Luni la nouă, marți la zece."])


async def test_a_card_shows_the_reservations_of_an_answer(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.join(server)

    await chat.send("Ce rezervări am?")

    card = chat.page.get_by_role("group", name="Your reservations")
    await expect(card.get_by_role("term")).to_have_text(["Date", "Time", "Guests", "Name"])
    await expect(card.get_by_role("definition")).to_have_text(
        ["Tuesday, 14 May 2030", "19:30", "4", "Masa 7"]
    )


async def test_a_users_windows_show_the_same_and_another_user_sees_nothing(
    server: Server, open_chat: OpenChat
) -> None:
    one = await open_chat()
    two = await open_chat(one.page.context)
    stranger = await open_chat()
    await one.join(server)
    await two.join(server)
    await stranger.join(server, "?userId=bogdan")

    await one.send("Salut din prima fereastră")
    await expect(one.bubbles("ai")).to_have_count(1)
    await two.send("Salut din a doua")
    await expect(two.bubbles("ai")).to_have_count(2)
    await stranger.send("Salut și eu")
    await expect(stranger.bubbles("ai")).to_have_count(1)

    both = ["Salut din prima fereastră", "Salut din a doua"]
    await expect(one.bubbles("user")).to_have_text(both)
    await expect(two.bubbles("user")).to_have_text(both)
    await expect(stranger.bubbles("user")).to_have_text(["Salut și eu"])


async def test_what_customers_can_act_on_has_a_card_and_developers_see_the_rest(
    server: Server, open_chat: OpenChat
) -> None:
    url = "wss://bridge.example/socket/websocket"
    actions = [
        {"type": "live_chat", "status": "waiting", "topic": "chat:b1:ana", "url": url},
        {"type": "business_info", "name": "Bistro", "facts": {"openingHours": "9–22"}},
        {"type": "coupon", "code": "<i>10</i>"},
        {"type": "sources", "items": [{"title": "Menu › <b>Soups</b>", "location": "menu.md"}]},
    ]
    push = {"responseId": "r1", "message": "Iată:", "actions": actions, "sessionId": "s1", "seq": 1}
    wires: list[WebSocketRoute] = []

    def relay(page: WebSocketRoute) -> None:
        page.connect_to_server()
        wires.append(page)

    chat = await open_chat()
    await chat.page.route_web_socket("**/websocket?*", relay)
    await chat.join(server)

    wires[0].send(json.dumps([None, None, "messages:b1", "new_message", push]))

    cards, raw = chat.page.locator(".card"), chat.page.locator(".raw-entry")
    await expect(cards).to_have_text(["BistroOpening hours9–22", "SourcesMenu › <b>Soups</b>"])
    await expect(raw.locator("summary")).to_have_text(
        "#1 · live_chat · business_info · coupon · sources"
    )
    await raw.locator("summary").click()
    for text in (url, "<i>10</i>", "menu.md"):
        await expect(raw.locator("pre")).to_contain_text(text)
    assert await chat.page.locator("#log").get_by_role("link").count() == 0


async def test_a_sign_of_typing_goes_away_by_itself(server: Server, open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.page.clock.install()
    await chat.join(server)
    sign = chat.page.get_by_text("Team member is typing…")

    server.container.hub().publish(ANA, Typing("coordinator", 5_000))

    await expect(sign).to_be_visible()
    await chat.page.clock.run_for(5_000)
    await expect(sign).to_be_hidden()


async def test_a_request_for_a_person_waits_until_it_is_cancelled(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.join(server)

    await chat.page.get_by_role("button", name="Talk to a person").click()
    await chat.page.get_by_label("What is it about?").fill("O nuntă")
    await chat.page.get_by_role("button", name="Ask for a person").click()

    await expect(chat.owner).to_have_text("Waiting for a colleague")
    await expect(chat.bubbles("user")).to_have_text(["O nuntă"])
    await expect(chat.page.locator(".raw-entry").last).to_contain_text("chat:b1:ana")
    await expect(chat.page.get_by_role("button", name="Cancel the request")).to_be_focused()
    await chat.page.get_by_role("button", name="Cancel the request").click()
    await expect(chat.owner).to_have_text("Assistant")
    await expect(chat.page.get_by_role("button", name="Talk to a person")).to_be_focused()


async def test_the_place_in_the_queue_is_shown_while_the_user_waits(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.join(server)
    detail = chat.page.locator("#owner-detail")
    await chat.page.get_by_role("button", name="Talk to a person").click()
    await chat.page.get_by_role("button", name="Ask for a person").click()
    await expect(chat.owner).to_have_text("Waiting for a colleague")

    server.container.hub().publish(ANA, QueuePlace(3, 170))
    await expect(detail).to_contain_text("You are number 3 in line. About 3 minutes.")
    server.container.hub().publish(ANA, QueuePlace(1, None))
    await expect(detail).to_contain_text("You are next.")
    await server.speak("Bună!")

    await expect(chat.owner).to_have_text("Maria is here")
    await expect(detail).not_to_contain_text("next")


async def test_a_user_for_whom_nobody_is_there_may_leave_a_message(
    store: RefusingStore, open_chat: OpenChat
) -> None:
    bistro = Business(business_id=ANA.business_id, name="Bistro", hours=OpeningHours())
    container = Container(settings=SETTINGS)
    container.store.override(store)
    container.businesses.override(providers.Object(MemoryBusinesses((bistro,), {})))
    chat = await open_chat()
    async with running(create_app(SETTINGS, container)) as address:
        await chat.join(Server(address, container))
        await chat.page.get_by_role("button", name="Talk to a person").click()
        await chat.page.get_by_role("button", name="Ask for a person").click()

        await expect(chat.bubbles("system")).to_contain_text([localized("ro", Text.NOBODY)])
        await expect(chat.page.locator(".card.leave-message")).to_contain_text("Leave us a message")
        await expect(chat.owner).to_have_text("Assistant")
        await chat.send("Sunați-mă la 0722")
        await expect(chat.bubbles("system").nth(1)).to_have_text(localized("ro", Text.MESSAGE_KEPT))


async def test_a_coordinator_has_the_conversation_until_the_user_ends_it(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.join(server)
    await chat.send("Bună!")
    await expect(chat.bubbles("ai")).to_have_count(1)

    await server.speak("Bună, sunt Maria.")

    await expect(chat.owner).to_have_text("Maria is here")
    await expect(chat.bubbles("coordinator")).to_have_text(["Bună, sunt Maria."])
    await chat.page.get_by_role("button", name="End the conversation").click()
    await expect(chat.owner).to_have_text("Assistant")


async def test_after_a_restart_nothing_is_lost_and_nothing_doubled(
    store: RefusingStore, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    async with serving(store) as before:
        await chat.join(before)
        await chat.send("Înainte")
        await expect(chat.bubbles("ai")).to_have_count(1)
    await expect(chat.page.locator("#pill-label")).to_contain_text("Reconnecting in")
    await chat.send("Între timp")
    await expect(chat.bubbles("user", "queued")).to_have_count(1)

    async with serving(store, port=before.port):
        await chat.is_connected()

        await expect(chat.bubbles("user")).to_have_text(["Înainte", "Între timp"])
        await expect(chat.bubbles("ai")).to_have_count(2)
        await expect(chat.page.locator("#log > .entry")).to_have_count(4)
        await expect(chat.frames.filter(has_text='"lastSeq":2')).to_have_count(1)


async def test_what_was_missed_is_fetched_page_by_page(server: Server, open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.join(server)
    await chat.send("0")
    await expect(chat.bubbles("ai")).to_have_count(1)
    await server.speak("Eu rămân.")
    await chat.page.locator("#settings-details summary").click()
    await chat.page.get_by_role("button", name="Disconnect").click()
    for n in range(1, 121):
        await server.post(str(n))

    await chat.connect()

    await expect(chat.bubbles("user")).to_have_text([str(n) for n in range(121)])
    await expect(chat.frames.filter(has_text='"afterSeq"')).to_have_count(2)


async def test_earlier_messages_are_loaded_when_they_are_asked_for(
    server: Server, open_chat: OpenChat
) -> None:
    await server.post("1")
    await server.speak("Eu rămân.")
    for n in range(2, 81):
        await server.post(str(n))
    chat = await open_chat()
    await chat.join(server)
    await expect(chat.bubbles("user")).to_have_count(50)

    await chat.page.get_by_role("button", name="Load earlier messages").click()

    await expect(chat.bubbles("user")).to_have_text([str(n) for n in range(1, 81)])
    await expect(chat.page.get_by_role("button", name="Load earlier messages")).to_be_hidden()


async def test_a_push_that_was_lost_is_fetched(server: Server, open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.drop_frames(lambda text: "unu" in text and "agent_message" in text)
    await chat.join(server)
    await chat.send("Bună!")
    await expect(chat.bubbles("ai")).to_have_count(1)

    for text in ("zero", "unu", "doi"):
        await server.speak(text)

    await expect(chat.bubbles("coordinator")).to_have_text(["zero", "unu", "doi"])


async def test_entries_that_are_not_the_customers_are_no_gap_and_hide_none(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.page.clock.install()
    await chat.drop_frames(lambda text: "doi" in text and "agent_message" in text)
    await chat.join(server)
    await chat.send("Bună!")
    await expect(chat.bubbles("ai")).to_have_count(1)
    fetched = chat.frames.filter(has_text='"afterSeq"')

    await server.note()
    await server.speak("unu")
    await expect(chat.bubbles("coordinator")).to_have_text(["unu"])
    await chat.page.clock.run_for(300)  # longer than the page waits for a gap to close
    await expect(fetched).to_have_count(0)
    for text in ("doi", "trei"):
        await server.note()
        await server.speak(text)

    await expect(chat.bubbles("coordinator")).to_have_text(["unu", "doi", "trei"])
    await expect(fetched).to_have_count(1)
    await expect(chat.page.locator("#fact-seq")).to_have_text(str(await server.seq()))


async def test_a_lost_acknowledgement_is_made_good_by_the_log(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.drop_frames(lambda text: '"duplicate":' in text)
    await chat.join(server)

    await chat.send("Bună!")

    await expect(chat.bubbles("user")).to_have_text(["Bună!"])
    await expect(chat.bubbles("ai")).to_have_count(1)


async def test_a_heartbeat_goes_out_every_half_minute(server: Server, open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.page.clock.install()
    await chat.join(server)
    await chat.page.get_by_label("Heartbeats").check()

    await chat.page.clock.run_for(30_000)

    await expect(chat.frames.filter(has_text="heartbeat")).to_have_count(1)
    await expect(chat.frames.last).to_contain_text("phx_reply")


async def test_a_server_that_misses_a_heartbeat_is_left_and_joined_again(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.page.clock.install()
    await chat.drop_frames(lambda text: '"phoenix"' in text)
    await chat.join(server)

    await chat.page.clock.run_for(30_000)
    await chat.page.clock.run_for(10_000)

    await expect(chat.frames.filter(has_text="phx_join")).to_have_count(2)
    await chat.is_connected()


async def test_a_network_that_has_gone_silent_is_noticed_within_seconds(
    server: Server, open_chat: OpenChat
) -> None:
    is_silent = False
    chat = await open_chat()
    await chat.page.clock.install()
    await chat.drop_frames(lambda _: is_silent)
    await chat.join(server)
    is_silent = True

    await chat.page.evaluate('dispatchEvent(new Event("offline"))')
    await chat.page.clock.run_for(3_000)

    await expect(chat.alert).to_contain_text("Not connected")
    is_silent = False
    await chat.page.evaluate('dispatchEvent(new Event("online"))')
    await chat.is_connected()


async def test_a_frozen_network_is_told_at_once_and_left_within_seconds(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    pill = chat.page.locator("#pill-label")
    await chat.page.clock.install()
    async with TcpProxy(server.port) as proxy:
        await chat.join(Server(f"127.0.0.1:{proxy.port}", server.container))
        proxy.half_open()

        await chat.page.context.set_offline(True)
        await expect(pill).to_have_text("Offline")
        await chat.page.clock.run_for(3_000)
        await chat.send("Din tren")
        await expect(chat.bubbles("user", "queued")).to_have_text(["Din tren"])
        await expect(chat.alert).to_contain_text("There is no network.")

        proxy.cut()
        proxy.heal()
        await chat.page.context.set_offline(False)
        await chat.is_connected()
        await expect(chat.bubbles("user")).to_have_text(["Din tren"])
        await expect(chat.alert).to_be_hidden()


async def test_a_network_that_freezes_without_a_sign_is_left_after_a_request_that_timed_out(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.page.clock.install()
    async with TcpProxy(server.port) as proxy:
        await chat.join(Server(f"127.0.0.1:{proxy.port}", server.container))
        proxy.half_open()

        await chat.send("Mă auziți?")
        await chat.page.clock.run_for(10_000)
        await expect(chat.bubbles("user", "failed")).to_have_count(1)
        await chat.page.clock.run_for(3_000)
        await expect(chat.alert).to_contain_text("Not connected.")

        await asyncio.gather(*proxy.cut(), return_exceptions=True)
        proxy.heal()
        await chat.page.evaluate('document.dispatchEvent(new Event("visibilitychange"))')
        await chat.is_connected()
        await chat.page.get_by_role("button", name="Try again").click()
        await expect(chat.bubbles("user")).to_have_text(["Mă auziți?"])


async def test_a_reload_keeps_the_connection_and_the_draft(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.join(server)
    await chat.send("Bună!")
    await expect(chat.bubbles("ai")).to_have_count(1)
    field = chat.page.get_by_label("Message", exact=True)
    await field.fill("Aș vrea")

    await chat.page.reload()
    await chat.is_connected()
    await expect(chat.bubbles("user")).to_have_text(["Bună!"])
    await expect(field).to_have_value("Aș vrea")
    await field.press("Enter")
    await expect(chat.bubbles("ai")).to_have_count(2)
    await chat.page.locator("#settings-details summary").click()
    await chat.page.get_by_role("button", name="Disconnect").click()
    await chat.page.reload()

    await expect(chat.page.locator("#pill-label")).to_have_text("Not connected")
    await expect(field).to_have_value("")


async def test_markup_in_a_message_stays_text(server: Server, open_chat: OpenChat) -> None:
    markup = '<img src=x onerror="document.title=1"><b>îngroșat</b>'
    chat = await open_chat()
    await chat.join(server)

    await chat.send(markup)
    await server.speak(markup)

    await expect(chat.bubbles("user")).to_have_text([markup])
    await expect(chat.bubbles("coordinator")).to_have_text([markup])
    await expect(chat.page.locator("#log").locator("img, b")).to_have_count(0)


async def test_what_the_assistant_and_coordinators_write_has_links_and_the_small_markdown(
    store: RefusingStore, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    answer = "**Luni–vineri**, vedeți https://bistro.example/orar.\n\n- 9–17\n- [x](javascript:y)"
    async with serving(store, assistant=ScriptedSteps([answer])) as server:
        await chat.join(server)
        await chat.send("**Când?** https://ana.example")
        await expect(chat.bubbles("ai").locator("strong")).to_have_text("Luni–vineri")
        await expect(chat.bubbles("ai").get_by_role("listitem")).to_have_text(
            ["9–17", "[x](javascript:y)"]
        )
        await server.speak("Scrieți la `ana@bistro.example`, sau maria@bistro.example")

        links = chat.page.locator("#log").get_by_role("link")
        await expect(links).to_have_text(["https://bistro.example/orar", "maria@bistro.example"])
        await expect(links.first).to_have_attribute("rel", "noopener nofollow")
        await expect(links.first).to_have_attribute("target", "_blank")
        await expect(chat.bubbles("user")).to_have_text(["**Când?** https://ana.example"])


async def test_each_event_is_shown_once_in_one_language_without_an_address(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.join(server)
    await chat.page.get_by_role("button", name="Talk to a person").click()
    await chat.page.get_by_role("button", name="Ask for a person").click()
    await expect(chat.owner).to_have_text("Waiting for a colleague")

    await server.speak("Bună!")
    await chat.page.get_by_role("button", name="End the conversation").click()
    await expect(chat.owner).to_have_text("Assistant")

    said = [localized("ro", text) for text in (Text.REQUESTED, Text.ENDED)]
    await expect(chat.bubbles("system").first).to_have_text(said[0])
    await expect(chat.bubbles("system").last).to_have_text(said[1])
    await expect(chat.page.locator("#log > .divider")).to_have_text(["Today"])
    await expect(chat.page.locator(".card.live_chat")).to_have_count(0)
    assert "://" not in await chat.page.locator("#log").inner_text()


async def test_a_live_chat_that_has_ended_is_rated(server: Server, open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.join(server)
    await chat.send("Bună!")
    await server.speak("Bună, sunt Maria.")
    await chat.page.get_by_role("button", name="End the conversation").click()

    card = chat.page.locator(".card.rating")
    await card.get_by_role("radio", name="Good").check()
    await card.get_by_label("Anything to add?").fill("Foarte amabilă")
    await card.get_by_role("button", name="Send the rating").click()

    await expect(chat.page.locator(".rated")).to_contain_text("Foarte amabilă")
    await expect(chat.page.get_by_role("img", name="4 stars")).to_be_visible()
    await expect(chat.page.locator("#fact-rating")).to_have_text("4")
    assert await focus_is_somewhere(chat)


async def test_the_focus_never_falls_to_the_body(store: RefusingStore, open_chat: OpenChat) -> None:
    chat = await open_chat()
    page, field = chat.page, chat.page.get_by_label("Message", exact=True)
    async with serving(store, assistant=ScriptedSteps(["Luni"], ["Marți ", HANG])) as server:
        await chat.join(server)
        await expect(field).to_be_focused()
        await page.get_by_role("button", name="Care este programul?").press("Enter")
        await expect(chat.bubbles("ai")).to_have_text(["Luni"])
        await expect(field).to_be_focused()
        await field.fill("Și marți?")
        await page.get_by_role("button", name="Send", exact=True).press("Enter")
        await expect(chat.bubbles("ai", "streaming")).to_have_count(1)
        await expect(field).to_be_focused()
        await page.get_by_role("button", name="Stop the answer").press("Enter")
        await expect(field).to_be_focused()

        transfer = page.get_by_role("button", name="Talk to a person")
        await transfer.press("Enter")
        await page.get_by_role("button", name="Cancel", exact=True).press("Enter")
        await expect(transfer).to_be_focused()
        await transfer.press("Enter")
        await page.get_by_role("button", name="Ask for a person").press("Enter")
        cancel = page.get_by_role("button", name="Cancel the request")
        await expect(cancel).to_be_focused()
        await cancel.press("Enter")
        await expect(transfer).to_be_focused()

        store.refusing = True
        await transfer.press("Enter")
        await page.get_by_role("button", name="Ask for a person").press("Enter")
        await expect(chat.alert).to_be_visible()
        await page.get_by_role("button", name="Dismiss").press("Enter")
        assert await focus_is_somewhere(chat)
        await page.locator("#settings-details summary").click()
        await page.get_by_role("button", name="Disconnect").press("Enter")
        await expect(page.locator("#connect")).to_be_focused()
        await page.locator("#empty-connect, #connect").last.press("Enter")
        await chat.is_connected()
        await expect(field).to_be_focused()


async def focus_is_somewhere(chat: UserPage) -> bool:
    return bool(await chat.page.evaluate("document.activeElement !== document.body"))


async def test_a_screen_reader_reads_who_wrote_each_message_in_its_language(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.join(server, "?userId=ana&language=ro")
    await chat.send("Bună!")
    await expect(chat.bubbles("ai")).to_have_count(1)
    await server.speak("Bună, sunt Maria.")
    await expect(chat.bubbles("coordinator")).to_have_count(1)
    await chat.send("Mulțumesc.")
    await chat.send("La revedere.")
    await expect(chat.bubbles("user")).to_have_count(3)

    read = await chat.page.locator("#log").aria_snapshot()
    bubbles = chat.page.locator("#log .bubble")

    assert [each in read for each in ("You Bună!", "Assistant", "Notice", "Maria")] == [True] * 4
    assert read.count("text: You") == 3
    for n in range(await bubbles.count()):
        await expect(bubbles.nth(n)).to_have_attribute("dir", "auto")
        await expect(bubbles.nth(n)).to_have_attribute("lang", "ro")
    await expect(chat.frames.filter(has_text='"language":"ro"')).to_have_count(1)


async def test_a_refused_join_says_why_and_what_to_do(server: Server, open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.open(server, "?businessId=no+such&userId=ana")

    await chat.page.locator("#connect").click()

    await expect(chat.page.locator("#pill-label")).to_have_text("Refused")
    await expect(chat.alert).to_contain_text("invalid_payload")
    await expect(chat.alert).to_contain_text("1–128 letters")
    await expect(chat.page.locator("#connect")).to_be_visible()


async def test_a_message_that_was_refused_goes_again_as_the_same(
    server: Server, store: RefusingStore, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.join(server)
    store.refusing = True
    await chat.send("Mă auziți?")
    await expect(chat.page.locator(".failure")).to_contain_text("could not be saved")
    raw = chat.page.locator('[data-author="user"] .raw-entry')
    await expect(raw.locator("summary")).to_have_text("failed · storage_unavailable")
    message_id = json.loads(str(await raw.locator("pre").text_content()))["key"]

    store.refusing = False
    await chat.page.get_by_role("button", name="Try again").click()

    await expect(chat.bubbles("user")).to_have_text(["Mă auziți?"])
    await expect(raw).to_contain_text(message_id)


async def test_enter_sends_and_shift_enter_begins_a_line(
    server: Server, open_chat: OpenChat
) -> None:
    chat = await open_chat()
    await chat.join(server)
    field = chat.page.get_by_label("Message", exact=True)

    await field.press_sequentially("unu")
    await field.press("Shift+Enter")
    await field.press_sequentially("doi")
    await field.press("Enter")

    await expect(chat.bubbles("user")).to_have_text(["unu\ndoi"], use_inner_text=True)
    await expect(field).to_have_value("")


async def test_a_message_over_the_limit_cannot_be_sent(server: Server, open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.join(server)

    field = chat.page.get_by_label("Message", exact=True)
    await field.fill("ă" * 8_000)
    await expect(field).not_to_have_attribute("aria-invalid", re.compile(""))
    await field.fill("ă" * 8_001)

    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(chat.page.locator("#counter")).to_have_text(
        "The message is too long. 8,001 of 8,000"
    )
    await expect(chat.page.get_by_role("button", name="Send", exact=True)).to_be_disabled()


async def test_version_1_speaks_in_objects(server: Server, open_chat: OpenChat) -> None:
    chat = await open_chat()

    await chat.join(server, "?userId=ana&vsn=1.0.0")
    await chat.send("Bună!")

    await expect(chat.page.locator("#pill-vsn")).to_have_text("V1")
    await expect(chat.bubbles("ai")).to_have_count(1)
    await chat.frames.first.locator("summary").click()
    await expect(chat.frames.first.locator("pre")).to_contain_text('{\n  "topic": "messages:b1"')


async def test_frames_can_be_filtered_and_held_still(server: Server, open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.join(server)
    await expect(chat.frames).to_have_count(2)

    await chat.page.get_by_label("Filter", exact=True).fill("messages -phx_reply")
    await expect(chat.frames).to_have_count(1)
    await chat.page.get_by_role("button", name="Pause").click()
    await chat.send("Bună!")
    await expect(chat.bubbles("ai")).to_have_count(1)

    await expect(chat.frames).to_have_count(1)
    await expect(chat.page.locator("#frames [data-frame-count]")).to_contain_text("new")
    await chat.page.get_by_role("button", name="Resume").click()
    await expect(chat.frames.filter(has_text="new_message")).to_have_count(2)


async def test_a_raw_frame_goes_out_as_it_is_written(server: Server, open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.join(server)

    await chat.page.get_by_label("Example").select_option("unknown")
    await chat.page.get_by_role("button", name="Send raw frame").click()

    await expect(chat.frames.last).to_contain_text("unknown event")


async def test_a_token_is_not_shown_among_the_frames(server: Server, open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.open(server)
    await chat.page.get_by_label("Token").fill('strictly "confidential')

    await chat.connect()

    await expect(chat.frames.first).to_contain_text('"token":"•••"')
    await expect(chat.page.locator("#frames")).not_to_contain_text("confidential")


@pytest.mark.parametrize("window", [PHONE, SMALL_PHONE], ids=["phone", "small-phone"])
async def test_a_phone_shows_one_panel_and_never_scrolls_sideways(
    server: Server, open_chat: OpenChat, window: dict[str, int]
) -> None:
    chat = await open_chat(viewport=window, is_mobile=True, has_touch=True)
    await chat.join(server)
    await chat.send("Ce rezervări am? " + "foartelung" * 30)
    await expect(chat.page.locator(".card.reservations")).to_be_visible()

    widths = [await chat.overflow_px()]
    await expect(chat.page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport()
    for panel in ("connection", "frames"):
        await chat.page.locator(f'[data-opens="{panel}"]').click()
        await expect(chat.page.locator(f"#{panel}")).to_be_visible()
        await expect(chat.page.locator("#chat")).to_be_hidden()
        widths.append(await chat.overflow_px())

    assert widths == [0, 0, 0]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("desktop-light", {}),
        ("desktop-dark", {"color_scheme": "dark"}),
        ("phone", {"viewport": PHONE, "is_mobile": True, "device_scale_factor": 2}),
    ],
)
async def test_a_conversation_fits_its_window(
    server: Server, open_chat: OpenChat, name: str, options: dict[str, Any]
) -> None:
    chat = await open_chat(**options)
    await chat.join(server)
    await chat.send("Bună! Ce rezervări am?")
    await expect(chat.bubbles("ai")).to_have_count(1)
    await chat.send("Aș vrea să vorbesc cu un coleg despre o nuntă cu 60 de invitați.")
    await expect(chat.owner).to_have_text("Waiting for a colleague")
    await expect(chat.bubbles("ai")).to_have_count(2)
    await server.speak("Bună ziua, sunt Maria. Pentru ce dată v-ați gândit?")
    await expect(chat.owner).to_have_text("Maria is here")

    ARTIFACTS.mkdir(exist_ok=True)
    await chat.page.screenshot(path=ARTIFACTS / f"test-page-{name}.png", animations="disabled")

    await expect(chat.bubbles("coordinator")).to_be_in_viewport()
    assert await chat.overflow_px() == 0
