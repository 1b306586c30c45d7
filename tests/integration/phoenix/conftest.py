"""What the tests of the sockets share."""

import asyncio
from collections.abc import Callable, Mapping

import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of the product: how writes are merged and sockets closed is its doing."""
    return {"uvloop": uvloop.new_event_loop}
