"""Fixtures of the end-to-end tests."""

from pathlib import Path

import pytest

from tests.support.dynamodb import DYNOXIDE, engine, on_dynamodb


@pytest.fixture(params=["sqlite", on_dynamodb])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The environment of a server that survives its process, with each such store in turn."""
    if request.param == "sqlite":
        return {}
    running = engine(DYNOXIDE)
    return {
        "STORE": "dynamodb",
        "DYNAMODB_TABLE": running.table(tmp_path),
        "DYNAMODB_ENDPOINT_URL": running.url,
    }
