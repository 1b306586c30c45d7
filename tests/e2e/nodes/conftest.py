"""Two processes on one store, which a Redis or a Valkey server connects."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.nodes import Nodes
from tests.support.redis_server import RedisServer, redis_server, valkey_server


@pytest.fixture(scope="module", params=[redis_server, valkey_server], ids=["redis", "valkey"])
def broker(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with request.param() as server:
        yield server


@pytest.fixture
async def nodes(broker: RedisServer, tmp_path: Path) -> AsyncIterator[Nodes]:
    """Two processes with SQLite, whose demo writes slowly enough to be interrupted."""
    async with AsyncExitStack() as stack:
        yield Nodes(tmp_path, broker, stack)
