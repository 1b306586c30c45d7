"""The event loop of the socket tests."""

import asyncio
from collections.abc import Callable, Mapping

import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Return the product's loop, which decides how writes are merged and sockets closed."""
    return {"uvloop": uvloop.new_event_loop}
