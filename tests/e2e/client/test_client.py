"""The client that other interfaces are built on, under node, against the server as it is served."""

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.tokens import JWT, token
from tests.support.wire import product

_STORY = Path(__file__).with_name("story.mjs")
_PATIENCE_S = 30.0
# Before version 22, node has WebSockets only where they are asked for.
_ENVIRONMENT = {**os.environ, "NODE_OPTIONS": "--experimental-websocket --no-warnings"}


async def told(*arguments: str) -> dict[str, Any]:
    """Return what the story prints at its steps."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(_STORY),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_ENVIRONMENT,
    )
    try:
        async with asyncio.timeout(_PATIENCE_S):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        output, errors = await process.communicate()
        pytest.fail(f"it went no further: {output.decode()}{errors.decode()}")
    assert process.returncode == 0, output.decode() + errors.decode()
    return {line["step"]: line for line in map(json.loads, output.splitlines())}


@pytest.mark.skipif(shutil.which("node") is None, reason="no node is on the PATH")
async def test_a_visitor_chats_reloads_signs_in_rates_and_signs_out() -> None:
    settings: dict[str, Any] = {**JWT, "service_token": "t0p", "visitor_secret": "v" * 32}
    async with product(**settings, scripted_delay_ms=5) as server:
        steps = await told(f"http://{server.address}", token("ana"))

    visitor, other = steps["answered"]["identity"], steps["signed out"]["identity"]
    ana = {"kind": "user", "userId": "ana"}
    hello = steps["answered"]["found"]
    assert visitor["kind"] == "visitor"
    assert [author for author, _, _ in hello] == ["user", "ai"]
    assert steps["written piece by piece"]["found"]
    assert (steps["reloaded"]["found"], steps["reloaded"]["identity"]) == (hello, visitor)
    assert steps["signed in"]["identity"] == ana
    again = [text for _, text, _ in steps["answered as a user"]["found"]]
    assert hello[0][1] not in again  # nothing is merged
    assert (steps["rated"]["found"], steps["rated"]["identity"]) == (4, ana)
    assert (steps["reloaded as a user"]["found"], steps["reloaded as a user"]["identity"]) == (
        4,
        ana,
    )
    assert other["kind"] == "visitor"
    assert other["userId"] != visitor["userId"]
    assert steps["forgotten"]["found"]
