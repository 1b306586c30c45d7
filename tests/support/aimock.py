"""aimock, an independent server that speaks OpenAI's API: fetched once, started once in a run.

    python -m tests.support.aimock

fetches it, with more patience than a test may have.
"""

import http.client
import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.npm import START_S, Missing, Package, fetched, run
from tests.support.server import free_port

PACKAGE = Package(
    "@copilotkit/aimock@1.43.0",
    "sha512-V8D8cjSMtAR4rHaD2ulp3DR/ZguXQjDNOqwKDNvjb/OJL/KR1I0SDf5xpRCd+TYKjhmf9fM8Xpg3QBKPmV9Kmw==",
)
KEY = "sk-test-key"
"""The only key that the server accepts."""

Fixture = dict[str, Any]
"""`{"match": {…}, "response": {…}, …}`: the first one that matches a request answers it."""


class Aimock:
    """The running server. `url` is what OPENAI_BASE_URL is set to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.url = f"http://127.0.0.1:{port}/v1"

    def play(self, *fixtures: Fixture) -> None:
        """Reset the server, and set its fixtures."""
        self._control("POST", "reset")
        self._control("POST", "fixtures", {"fixtures": list(fixtures)})

    def requests(self) -> list[dict[str, Any]]:
        """The bodies of the requests for completions since `play`."""
        told = self._control("GET", "journal")
        return [each["body"] for each in told if each["path"].endswith("/chat/completions")]

    def is_up(self) -> bool:
        """Return whether it answers."""
        try:
            self._control("GET", "health")
        except (OSError, http.client.HTTPException, ValueError):
            return False
        return True

    def _control(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=START_S)
        headers = {"Authorization": f"Bearer {KEY}"}
        try:
            connection.request(method, f"/__aimock/{path}", json.dumps(body or {}), headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {told}")
        return told


def says(text: str, *, match: Fixture | None = None, **options: Any) -> Fixture:
    """Return a text fixture.

    `options`: `latency` in ms between chunks, `chunkSize`, `truncateAfterChunks`, …
    """
    return {"match": match or {}, "response": {"content": text}, **options}


def calls(
    name: str, arguments: Fixture | None = None, *, match: Fixture, text: str = ""
) -> Fixture:
    """Return a fixture that answers with some text and a tool call."""
    response: Fixture = {"toolCalls": [{"name": name, "arguments": arguments or {}}]}
    return {"match": match, "response": response | ({"content": text} if text else {})}


def fails(status: int, *, match: Fixture | None = None, retry_after: int | None = None,
          **error: str) -> Fixture:  # fmt: skip
    """Return a fixture that answers with an error; `error`: its `message`, `type` and `code`."""
    response: Fixture = {"error": {"message": "no", **error}, "status": status}
    if retry_after is not None:
        response["retryAfter"] = retry_after
    return {"match": match or {}, "response": response}


def aimock() -> Aimock:
    """Return the run's server, started if it is not running yet.

    Where it cannot be started the test is skipped, and that, where CI is set, is a failure.
    """
    started = _started()
    if isinstance(started, str):
        pytest.skip(started)
    return started


@cache
def _started() -> Aimock | str:
    """Return the server, or the reason for which there is none; tried once in a run."""
    try:
        return _start()
    except Missing as missing:
        return f"aimock: {missing}"


def _start() -> Aimock:
    if shutil.which("node") is None:
        raise Missing("no node is on the PATH (20.15 or newer is needed)")
    folder = fetched(PACKAGE)
    server = Aimock(port := free_port())
    none = Path(__file__).with_name("no-fixtures.json")
    command = ["node", f"{folder}/dist/cli.js", "--port", str(port), "--fixtures", str(none)]
    run(["env", f"AIMOCK_API_KEYS={KEY}", *command, "--log-level", "warn"], server.is_up)
    return server


if __name__ == "__main__":
    fetched(PACKAGE, limit_s=600.0)
