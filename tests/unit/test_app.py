"""The server's lifespan when a part of it fails."""

import logging
from datetime import date

import pytest
from dependency_injector import providers

from adapters.memory.store import MemoryStore
from domain.errors import StorageUnavailable
from domain.identity import BusinessId
from domain.usage import Counts, Usage
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings


class FailingCounts(MemoryStore):
    """A store that cannot add counts."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def add(self, business_id: BusinessId, day: date, counts: Counts) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("error", "action"),
    [(StorageUnavailable(), "counts_not_written"), (ValueError("bad"), "counts_crashed")],
)
async def test_counts_that_cannot_be_written_at_the_end_does_not_break_the_shutdown(
    error: Exception, action: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(store="memory")
    container = Container(settings=settings)
    container.store.override(providers.Object(FailingCounts(error)))
    with caplog.at_level(logging.WARNING):
        async with create_app(settings, container).lifespan():
            container.usage_tracker().add(BusinessId("b1"), "answer", Usage(input_tokens=1))

    assert [getattr(record, "action", None) for record in caplog.records] == [action]
