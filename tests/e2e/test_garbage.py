"""What has ended is freed at once, and leaves nothing to the garbage collector.

A full collection stops the process, and the longer the more there is to go through.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from adapters.model.completion import CompletionRequest
from adapters.openai.events import ReplyParser
from adapters.phoenix.channel import Channel, ChannelSocket
from adapters.phoenix.endpoint import Connection
from adapters.phoenix.http_protocol import HttpProtocol
from adapters.phoenix.socket_protocol import SocketProtocol
from application.answer_stream import AnswerFollower, AnswerStream
from application.subscription import Subscription
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.poller import polled_socket
from tests.support.providers.chat import KEY
from tests.support.providers.server import QuirkyProvider, quirky_server
from tests.support.user import PATIENCE_S, Refused, user
from tests.support.wire import Product, identity, product

MODEL = "gpt-4.1"
OF_A_CLIENT = (
    *(HttpProtocol, SocketProtocol, Connection, ChannelSocket, Channel, Subscription),
    *(AnswerFollower, AnswerStream, CompletionRequest, ReplyParser),
)
"""The classes whose instances end with a request, a connection, a channel or a turn."""


@pytest.fixture
def others() -> Iterator[Counter[str]]:
    """What other tests have left behind; from now on, no garbage is collected."""
    gc.collect()
    gc.disable()
    yield alive()
    gc.enable()


@pytest.fixture
async def model() -> AsyncIterator[QuirkyProvider]:
    async with quirky_server() as running:
        yield running


def alive() -> Counter[str]:
    """Return how many instances there are of each of these classes."""
    types = map(type, gc.get_objects())  # `isinstance` would ask dead weak references
    return Counter(each.__name__ for each in types if issubclass(each, OF_A_CLIENT))


async def answered(server: Product) -> None:
    async with user(server.address) as who:
        await who.join(stream=True)
        await who.say("Ce program aveți?")
        await who.wait_for("new_message")


async def cut_off(server: Product) -> None:
    async with user(server.address) as who:
        await who.join(stream=True)
        await who.say("Ce program aveți?")
        await who.wait_for("message_delta")


async def refused(server: Product) -> None:
    async with user(server.address) as who:
        with pytest.raises(Refused):
            await who.join(lastSeq=-1)


async def left(server: Product) -> None:
    async with user(server.address) as who:
        await who.join()
        await who.request("phx_leave", {})
        await who.join()


async def polled(server: Product) -> None:
    async with polled_socket(server.address) as client:
        await client.push(["1", "1", "messages:b1", "phx_join", identity()])
        await client.receive()
        await client.push(["1", "2", "messages:b1", "phx_leave", {}])


async def requested(server: Product) -> None:
    assert (await server.api.get("/health")).status_code == 200


@pytest.mark.parametrize("do", [answered, cut_off, refused, left, polled, requested])
async def test_what_has_ended_is_freed_without_the_garbage_collector(
    do: Callable[[Product], Awaitable[None]], model: QuirkyProvider, others: Counter[str]
) -> None:
    settings = Settings(
        store="memory",
        turn_quiet_ms=0,
        assistant="openai",
        openai_base_url=model.base_url("openai-4.1"),
        openai_api="chat",
        openai_api_key=KEY,
        openai_model=f"{MODEL}+slow:0.01",
    )
    container = Container(settings=settings)
    async with product(container=container) as server:
        await answered(server)  # the model's first answer comes whole
        await do(server)
        container.long_poll().close()
        async with asyncio.timeout(PATIENCE_S):
            while alive() - others:  # noqa: ASYNC110 - nothing reports it
                await asyncio.sleep(0.01)
