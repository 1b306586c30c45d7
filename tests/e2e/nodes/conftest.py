"""Two processes on one store, which a Redis or a Valkey server connects."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.dynamodb import settings_of
from tests.support.nodes import Nodes
from tests.support.redis_server import RedisServer, redis_server


@pytest.fixture(scope="module")
def broker(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """Redis, or another one that the test is parametrised with."""
    with getattr(request, "param", redis_server)() as server:
        yield server


@pytest.fixture
async def nodes(
    broker: RedisServer, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Nodes]:
    """Processes with SQLite, or another store that the test is parametrised with.

    Their demo writes slowly enough to be interrupted.
    """
    chosen = settings_of(request, tmp_path) if hasattr(request, "param") else {}
    store = {name.upper(): value for name, value in chosen.items()}
    broker.call("FLUSHALL")  # leases of killed processes, for the same customer
    async with AsyncExitStack() as stack:
        yield Nodes(tmp_path, store, broker, stack)
