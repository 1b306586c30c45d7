"""The client that other interfaces are built on, under node, against the server as it is served."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.tokens import JWT, token
from tests.support.wire import product

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="no node is on the PATH")

_STORIES = Path(__file__).with_name("story.mjs")
_PATIENCE_S = 30.0
# Before version 22, node has WebSockets only where they are asked for.
_ENVIRONMENT = {**os.environ, "NODE_OPTIONS": "--experimental-websocket --no-warnings"}
ANA = {"kind": "user", "userId": "ana"}
HELLO = ["user", "Hello there, my dear friends!"]


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Return the address of a server that verifies identities, and names visitors."""
    settings: dict[str, Any] = {**JWT, "service_token": "t0p", "visitor_secret": "v" * 32}
    async with product(**settings, scripted_delay_ms=5) as server:
        yield f"http://{server.address}"


async def told(story: str, address: str) -> dict[str, Any]:
    """Return what a story prints, by its steps."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(_STORIES),
        story,
        address,
        token("ana"),
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
    assert process.returncode == 0, output.decode() + errors.decode()
    return {line["step"]: line["found"] for line in map(json.loads, output.splitlines())}


async def test_a_visitor_chats_at_once_and_is_the_same_after_a_reload(address: str) -> None:
    steps = await told("visitor", address)

    conversation, visitor = steps["answered"]
    assert visitor["kind"] == "visitor"
    assert [author for author, _ in conversation] == ["user", "ai"]
    assert conversation[0] == HELLO
    assert steps["streamed"]
    assert steps["reloaded"] == [conversation, visitor]


async def test_a_user_rates_reloads_and_signs_out(address: str) -> None:
    steps = await told("user", address)

    assert steps["answered"][1] == ANA
    assert steps["rated"] == [4, ANA]
    assert steps["reloaded"] == [4, ANA]
    assert steps["forgotten"]
    assert steps["signed out"][1]["kind"] == "visitor"


async def test_a_visitor_who_signs_in_is_forgotten_and_nothing_is_merged(address: str) -> None:
    steps = await told("signIn", address)

    assert steps["answered"][1]["kind"] == "visitor"
    assert steps["signed in"][1] == ANA
    conversation, identity = steps["answered as a user"]
    assert identity == ANA
    assert HELLO not in conversation
    assert steps["forgotten"]
