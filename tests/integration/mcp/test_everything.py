"""An independent server, by the protocol's own authors in another language, over both transports.

It speaks the old protocol, which begins with a handshake.
"""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from domain.errors import ToolNotCalled, ToolUnanswered
from domain.tool import AllowedTool, Effect, ToolServer
from tests.support.npm import Missing, installed
from tests.support.restaurant import business_with, listed_tools, opened_tools, tool_request

_HERE = Path(__file__).parent / "everything"
_PROGRAM = str(_HERE / "node_modules/@modelcontextprotocol/server-everything/dist/index.js")
_NAMES = ("echo", "get-sum", "get-structured-content", "get-tiny-image", "get-resource-links",
          "trigger-long-running-operation", "get-env")  # fmt: skip
_ALLOWED = tuple(
    AllowedTool(name=name, shown_name=name, effect=Effect.READ)
    for name in (*_NAMES, "trigger-sampling-request")
)


@pytest.fixture(scope="module")
def _installed() -> None:
    try:
        installed(_HERE)
    except Missing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@pytest.fixture(params=["stdio", "http"])
def everything(request: pytest.FixtureRequest, _installed: None) -> Iterator[ToolServer]:
    server = ToolServer(name="everything", tools=_ALLOWED, timeout_s=30.0)
    if request.param == "stdio":
        yield replace(server, command=("node", _PROGRAM, "stdio"))
        return
    port = _free_port()
    with _website(port):
        yield replace(server, url=f"http://127.0.0.1:{port}/mcp")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def _website(port: int) -> Iterator[None]:
    """Run the server over HTTP."""
    with subprocess.Popen(
        ["node", _PROGRAM, "streamableHttp"],
        env=os.environ | {"PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "listening" in line:
                break
        yield
        process.kill()


async def test_its_tools_are_offered_and_called(everything: ToolServer) -> None:
    business = business_with(everything)
    async with opened_tools() as tools:
        offered = await listed_tools(tools, business)
        echo = await tools.call(business, tool_request("echo", {"message": "salut"}))
        total = await tools.call(business, tool_request("get-sum", {"a": 2, "b": 3}, "k1"))
        weather = await tools.call(
            business, tool_request("get-structured-content", {"location": "New York"})
        )
        picture = await tools.call(business, tool_request("get-tiny-image", {}))
        links = await tools.call(business, tool_request("get-resource-links", {"count": 2}))
        problem = await tools.problem_with(business, tool_request("get-sum", {"a": "two"}))

    # What needs sampling is not listed to a client that has none.
    assert [*offered] == [*_NAMES]
    assert offered["get-sum"].parameters["required"] == ["a", "b"]
    assert "salut" in echo.text
    assert "5" in total.text
    assert "temperature" in json.loads(weather.text)
    assert "(image)" in picture.text
    assert "demo://" in links.text
    assert problem is not None
    assert "'b' is a required property" in problem


async def test_its_slow_tool_is_one_failed_call_in_time(everything: ToolServer) -> None:
    business = business_with(replace(everything, timeout_s=1.0))
    slow = tool_request("trigger-long-running-operation", {"duration": 60, "steps": 600})
    async with opened_tools() as tools:
        await listed_tools(tools, business)
        with pytest.raises(ToolUnanswered):
            await tools.call(business, slow)
        echo = await tools.call(business, tool_request("echo", {"message": "still here"}))

    assert "still here" in echo.text


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize("is_asked_for", [True, False])
async def test_a_session_that_the_server_has_forgotten_costs_no_call_after_a_pause(
    monkeypatch: pytest.MonkeyPatch, is_asked_for: bool
) -> None:
    monkeypatch.setattr("adapters.mcp.connection.TRUSTED_S", 0.0 if is_asked_for else 600.0)
    port = _free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    business = business_with(ToolServer(name="e", tools=_ALLOWED, timeout_s=30.0, url=url))
    echo = tool_request("echo", {"message": "salut"})
    async with opened_tools() as tools:
        with _website(port):
            await tools.call(business, echo)
        with _website(port):
            if not is_asked_for:
                with pytest.raises(ToolNotCalled):
                    await tools.call(business, echo)
            answer = await tools.call(business, echo)

    assert "salut" in answer.text


@pytest.mark.parametrize("everything", ["stdio"], indirect=True)
async def test_it_is_told_nothing_of_the_servers_environment(
    everything: ToolServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret")
    business = business_with(everything)
    async with opened_tools() as tools:
        environment = await tools.call(business, tool_request("get-env", {}))

    assert "PATH" in environment.text
    assert "s3cret" not in environment.text
