"""What the terminal chat shows of an answer, over time."""

import asyncio
import io
from collections.abc import Awaitable, Callable

from entrypoints.cli.chat_view import (
    HOLD_S,
    INTERRUPTED_S,
    ConversationView,
    ServerPayload,
    Terminal,
)
from tests.simulation.loop import run_virtually

INTERRUPTED = "— the answer was interrupted: another one comes"


def shown(play: Callable[[ConversationView], Awaitable[None]]) -> list[str]:
    """Return the lines on the screen of a view with which something is played."""
    screen = io.StringIO()

    async def run() -> None:
        await play(ConversationView(Terminal(screen, prompt=False), echo=True))

    run_virtually(run())
    return screen.getvalue().splitlines()


def delta(view: ConversationView, response_id: str, index: int, text: str) -> None:
    piece = ServerPayload(response_id=response_id, index=index, text=text)
    view.show_push("message_delta", piece)


def test_a_silent_answer_is_said_to_be_interrupted_once_and_may_go_on() -> None:
    async def play(view: ConversationView) -> None:
        delta(view, "r2", 0, " One")
        await asyncio.sleep(INTERRUPTED_S - 1)
        view.show_push("typing", ServerPayload(author="ai"))
        await asyncio.sleep(INTERRUPTED_S - 1)
        view.show_push("typing", ServerPayload(author="coordinator"))
        await asyncio.sleep(1)
        delta(view, "r2", 1, " two ")
        await asyncio.sleep(3 * INTERRUPTED_S)
        delta(view, "r3", 0, "Three")
        whole = ServerPayload(response_id="r3", message="Three four", in_reply_to=["m1"], seq=2)
        view.show_push("new_message", whole)
        await asyncio.sleep(3 * INTERRUPTED_S)

    assert shown(play) == ["ai: One", INTERRUPTED, "ai: … two", "ai: Three four"]


def test_while_the_connection_is_lost_no_answer_is_interrupted() -> None:
    async def play(view: ConversationView) -> None:
        delta(view, "r2", 0, "One")
        view.connection_lost()
        await asyncio.sleep(3 * INTERRUPTED_S)
        view.show_missed([], ServerPayload(status="ai"))
        delta(view, "r2", 0, "One two")
        await asyncio.sleep(INTERRUPTED_S + 1)

    assert shown(play) == ["ai: One two", INTERRUPTED]


def test_a_change_of_which_no_message_tells_is_shown_after_a_moment() -> None:
    async def play(view: ConversationView) -> None:
        change = ServerPayload(status="waiting", reason="user_request", seq=3, updated_at="12:00")
        view.show_push("conversation_status", change)
        later = ServerPayload(message="Un coleg vine.", seq=4, timestamp="12:01", author="system")
        view.show_push("new_message", later)
        view.show_push("conversation_status", ServerPayload(status="closed", seq=5))
        await asyncio.sleep(HOLD_S + 1)
        view.show_push("typing", ServerPayload(author="ai"))

    assert shown(play) == [
        "— waiting for a human (user_request)",
        "system: Un coleg vine.",
        "— the conversation is closed; the next message opens a new one",
    ]
