"""A live chat at an ordinary Phoenix application, of a server that is two processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.plain_phoenix.system import CHAT, WHO, at, next_join, next_of, text_of
from tests.support.bridge_client import BridgeClient, bridge_client
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings
from tests.support.server import running
from tests.support.user import PATIENCE_S, User, user
from tests.support.wire import Product

OUTCOMES = ("stored", "duplicate", "late", "closed", "unknown", "malformed")


class Chat(NamedTuple):
    """A live chat, with two processes that listen to it."""

    application: PlainPhoenix
    maria: BridgeClient
    first: Product
    second: Product
    ana: User
    """At the first process."""
    elsewhere: User
    """Ana, at the second one."""

    async def until_handled(self, count: int) -> None:
        """Return once both processes together have handled as many messages, and Maria's first."""
        async with asyncio.timeout(PATIENCE_S):
            while await received(self.first) + await received(self.second) < count + 1:
                pass

    async def texts(self, author: str) -> list[str]:
        """Return the stored texts of an author, in the order of the log."""
        log = await self.first.log()
        return [entry["message"] for entry in log if entry.get("author") == author]


async def received(product: Product) -> float:
    """Return the number of messages from the bridge that a process has handled."""
    counts = [
        await product.metric(f'ai_agent_bridge_events_total{{outcome="{outcome}"}}')
        for outcome in OUTCOMES
    ]
    return sum(counts)


@asynccontextmanager
async def chat(path: Path, **behaviour: Any) -> AsyncIterator[Chat]:
    application = PlainPhoenix(PlainSettings(**behaviour))
    shared: dict[str, Any] = {"store": "sqlite", "sqlite_path": str(path / "store.db")}
    async with (
        running(application.app()) as address,
        bridge_client(address, CHAT, {**WHO, "page": True}) as maria,
        at(address, **shared) as first,
        user(first.address) as ana,
    ):
        await ana.join()
        await ana.ask_for_human()
        await next_of(application.requests, "POST", "/api/notifications")
        maria.cast("agent_message", message="Sunt Maria")
        await ana.wait_for("agent_message", message="Sunt Maria")
        async with at(address, **shared) as second, user(second.address) as elsewhere:
            await next_join(application)
            await elsewhere.join()
            yield Chat(application, maria, first, second, ana, elsewhere)


@pytest.mark.parametrize(
    "behaviour",
    [{"texts_only": True}, {"snake_case": True}, {}, {"passes_payload": True}],
    ids=["texts", "times of its own", "times", "ids"],
)
async def test_nothing_is_stored_twice_whatever_the_application_drops(
    behaviour: dict[str, Any], tmp_path: Path
) -> None:
    async with chat(tmp_path, **behaviour) as whole:
        by_user: list[str] = []
        by_maria = ["Sunt Maria"]
        for number in range(8):
            for writer in (whole.ana, whole.elsewhere):
                for text in ("da", "da", f"{number}"):
                    await writer.say(text)
                    by_user.append(text)
            texts = ["ok", "ok", f"{number}"]
            if (
                "snake_case" in behaviour
            ):  # by its whole seconds, equal texts in one are one message
                texts = [f"{number}.1", f"{number}.2"]
            for text in texts:
                whole.maria.cast("agent_message", message=text)
                by_maria.append(text)
        relayed = [text_of(await whole.maria.wait_for("user_message")) for _ in by_user]
        whole.maria.cast("agent_message", message="gata")
        by_maria.append("gata")
        # Each relay comes back to its sender, where it is not counted, and to the other process.
        echoes = 0 if "passes_payload" in behaviour else len(by_user)
        await whole.until_handled(2 * (len(by_maria) - 1) + echoes)

        assert relayed == by_user
        assert await whole.texts("user") == by_user
        assert await whole.texts("coordinator") == by_maria
