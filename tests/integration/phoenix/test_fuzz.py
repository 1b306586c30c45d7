"""Arbitrary input from one client does not affect another."""

import asyncio
from contextlib import AsyncExitStack

import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.phoenix.client import Client, connected, masked, opened
from tests.support.server import running
from tests.support.vector_app import vector_app

_TEXTS = st.text(max_size=200).map(str.encode) | st.sampled_from(
    [
        b'["1","1","room:a","phx_join",{}]',
        b'["1","1","room:crash","phx_join",[]]',
        b'["1","2","room:a","boom",{}]',
        b'["1","3","room:a","phx_leave",{}]',
        b'[{"a":[]},[1],"room:a","push",5]',
    ]
)
_MESSAGES = _TEXTS.map(masked) | st.binary(max_size=200) | st.binary(max_size=200).map(masked)


async def _attack(address: str, messages: list[bytes], bystander: Client) -> bool:
    async with connected(address) as client:
        await client.upgrade()
        for message in messages:
            await client.write(message)
    return await bystander.is_alive()


def test_whatever_one_client_sends_another_is_not_disturbed() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = AsyncExitStack()
        address = runner.run(stack.enter_async_context(running(vector_app())))
        bystander = runner.run(stack.enter_async_context(opened(address)))

        @given(st.lists(_MESSAGES, max_size=10))
        @settings(max_examples=100)
        def attack(messages: list[bytes]) -> None:
            assert runner.run(_attack(address, messages, bystander))

        attack()
        runner.run(stack.aclose())
