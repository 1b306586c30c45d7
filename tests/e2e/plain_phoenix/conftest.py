"""The event loop of these tests, which is the product's."""

from tests.integration.phoenix.conftest import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
