"""What acknowledges a user's message, with an application that may neither reply nor echo."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from adapters.elixir.socket import ElixirSocket
from adapters.phoenix.channel import Reply, Stop
from domain.errors import BridgeRefused, BridgeUnavailable
from tests.integration.elixir.chats import Chats
from tests.integration.elixir.test_socket import (
    ANA,
    PATIENCE_S,
    SOON,
    TOPIC,
    notice,
    opened,
    scripted,
    taken,
)
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings
from tests.support.server import running

NEVER_S = 60.0
"""A time-out that no test waits for."""
SILENT = PlainSettings(replies=False, returns_to_sender=False)


@asynccontextmanager
async def plain(
    settings: PlainSettings, timeout_s: float
) -> AsyncIterator[tuple[PlainPhoenix, ElixirSocket]]:
    application = PlainPhoenix(settings)
    async with running(application.app()) as address:
        url = f"ws://{address}/socket/websocket"
        socket = ElixirSocket(url, settings=SOON, timeout_s=timeout_s)
        socket.listen(ignore)
        async with socket:
            yield application, socket


async def ignore(who: object, event: object) -> None:
    pass


def messages(application: PlainPhoenix) -> list[str]:
    """Return the texts that the application has received."""
    events = [application.events.get_nowait() for _ in range(application.events.qsize())]
    return [event.payload["message"] for event in events]


@pytest.mark.parametrize("returns_to_sender", [True, False])
@pytest.mark.parametrize("replies", [True, False])
async def test_each_message_arrives_once_and_in_order_whether_it_is_answered_or_not(
    replies: bool, returns_to_sender: bool
) -> None:
    settings = PlainSettings(replies=replies, returns_to_sender=returns_to_sender)
    is_silent = not replies and not returns_to_sender
    async with plain(settings, 0.2 if is_silent else NEVER_S) as (application, socket):
        async with asyncio.timeout(PATIENCE_S):
            for number in range(20):
                await socket.relay(notice(f"{number}", f"m{number}"))

        assert messages(application) == [f"{number}" for number in range(20)]
