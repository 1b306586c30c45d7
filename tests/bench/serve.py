"""The servers that are measured: each a process that prints its address once it listens.

`server` is the product with the settings of the environment and `bridge` the reference bridge,
`echo` the least that Litestar can do on a WebSocket, `sdk` and `client` an echo that first makes a
turn's requests of DynamoDB, by AWS's SDK and by the product's client, `filled USERS` the product
with users who have talked before, `plain PORT SETTINGS` a plain Phoenix application in the bridge's
place, `sink` a collector that takes traces and keeps none.
"""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from random import random
from typing import Any
from uuid import uuid4

import msgspec
import uvicorn
from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
from aiobotocore.session import get_session  # type: ignore[import-untyped]
from litestar import Litestar, Request, WebSocket, get, post, put, websocket
from litestar.exceptions import WebSocketDisconnect
from litestar.params import JSONBody

from adapters.dynamodb.client import Dynamo
from adapters.phoenix.endpoint import SOCKET_PATH
from adapters.phoenix.uvicorn_protocol import uvicorn_config
from adapters.system import SystemClock
from application.ports import SessionStore
from domain.identity import BusinessId, Customer, MessageId, SessionId, UserId
from domain.message import Author
from domain.session import Draft, Session
from entrypoints.programs import Program, bridge_program, listen, server_program
from entrypoints.serve import Server, run_programs
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings, load_settings
from tests.bench.load import BUSINESS, TEXT
from tests.support.drafts import append_message
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings

Send = Callable[..., Awaitable[Any]]
"""A function from an operation, named as in the SDK, and its request to its response."""


def main(kind: str, *arguments: str) -> None:
    """Serve until SIGTERM. Users are given as `NAME:MESSAGES`, settings as JSON."""
    programs = {"server": server_program, "bridge": bridge_program}
    if kind in programs:
        run_programs(programs[kind](load_settings()), on_listening=lambda urls: _announce(urls[0]))
    elif kind == "echo":
        _run(_echo_config(Litestar([_echo], openapi_config=None, logging_config=None)))
    elif kind == "sink":
        _run(_echo_config(Litestar([_sink], openapi_config=None, logging_config=None)))
    elif kind in ("sdk", "client"):
        _run(_echo_config(_requests(_sdk if kind == "sdk" else _client)))
    elif kind == "plain":
        port, settings = arguments
        app = _plain(settings)
        _run(uvicorn_config(app, app.state.connections, log_config=None), int(port))
    else:
        _run(_filled_config(arguments))


def _announce(url: str) -> None:
    print(url, flush=True)


def _run(config: uvicorn.Config, port: int = 0) -> None:
    [listener] = listen(Program("server", Settings(server_port=port)))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = Server(config, lambda: _announce(url))
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve([listener]))


@websocket(SOCKET_PATH)
async def _echo(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return


@post("/v1/{signal:str}", status_code=200)
async def _sink(signal: str, request: Request[Any, Any, Any]) -> None:
    await request.body()


def _echo_config(app: Litestar) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        access_log=False,
        log_level="error",
    )


def _plain(settings: str) -> Litestar:
    """A plain Phoenix application, and what the benchmark asks of it beside its interface."""
    application = PlainPhoenix(msgspec.json.decode(settings, type=PlainSettings))
    app = application.app()

    @get("/_bench/channels")
    async def channels() -> int:
        return len(application.channels)

    @put("/_bench/settings")
    async def change(data: JSONBody[PlainSettings]) -> Any:
        application.settings = data
        return {}

    @post("/_bench/disconnect")
    async def disconnect() -> Any:
        await application.disconnect()
        return {}

    for handler in (channels, change, disconnect):
        app.register(handler)
    return app


def _requests(client: Callable[[Settings], AbstractAsyncContextManager[Send]]) -> Litestar:
    """An echo that writes what a turn writes, as one would by hand: nothing is encoded, nothing
    is looked at, nothing is kept but the number of the next entry.
    """
    settings = load_settings()
    table = settings.dynamodb_table
    send: Any = None

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        nonlocal send
        async with client(settings) as send:
            yield

    @websocket(SOCKET_PATH)
    async def turns(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        pk = f"S#{uuid4().hex}"
        try:
            for seq in itertools.count(1, 2):
                text = await socket.receive_text()
                await _turn(send, table, pk, seq)
                await socket.send_text(text)
        except WebSocketDisconnect:
            return

    return Litestar([turns], openapi_config=None, logging_config=None, lifespan=[lifespan])


@asynccontextmanager
async def _sdk(settings: Settings) -> AsyncIterator[Send]:
    async with get_session().create_client(
        "dynamodb",
        endpoint_url=settings.dynamodb_endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=AioConfig(parameter_validation=False, max_pool_connections=50),
    ) as client:
        yield lambda operation, **request: getattr(client, operation)(**request)


@asynccontextmanager
async def _client(settings: Settings) -> AsyncIterator[Send]:
    endpoint_url, clock = settings.dynamodb_endpoint_url, SystemClock()
    async with Dynamo(
        settings.dynamodb_table, endpoint_url=endpoint_url, clock=clock, jitter=random
    ) as dynamo:
        yield dynamo.call


async def _turn(send: Send, table: str, pk: str, seq: int) -> None:
    """Make the requests of a message with a key, of its answer, and of the clean-up after it."""
    slot = {"wP": {"S": "W#1"}, "wS": {"S": f"1793350000000#{pk}"}}
    put = {"TableName": table, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    question, answer = (_entry(pk, number) for number in (seq, seq + 1))
    key_item = {
        "PK": {"S": "U#b1#user-1"},
        "SK": {"S": f"I#{pk}-{seq}"},
        "sid": {"S": pk},
        "seq": {"N": str(seq)},
        "st": {"S": "ai"},
        "w": {"N": "1793350000000"},
        "exp": {"N": "1793522800"},
    }
    free = "attribute_not_exists(PK)"
    await send(
        "transact_write_items",
        TransactItems=[
            {"Put": {**put, "Item": key_item, "ConditionExpression": free}},
            {"Put": {**put, "Item": {**question, **slot}, "ConditionExpression": free}},
        ],
        ClientRequestToken=uuid4().hex,
    )
    await send("put_item", **put, Item=answer, ConditionExpression=free)
    await send(
        "update_item",
        TableName=table,
        Key={"PK": {"S": pk}, "SK": question["SK"]},
        UpdateExpression="REMOVE wP, wS",
        ConditionExpression="wS = :slot",
        ExpressionAttributeValues={":slot": slot["wS"]},
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )


def _entry(pk: str, seq: int) -> dict[str, Any]:
    return {
        "PK": {"S": pk},
        "SK": {"S": f"M#{seq:010d}"},
        "b": {"B": bytes(120)},
        "q": {"N": str(seq)},
        "t": {"S": uuid4().hex},
        "d": {"N": "1793350000000"},
    }


def _filled_config(users: tuple[str, ...]) -> uvicorn.Config:
    settings = load_settings()
    container = Container(settings=settings)
    app = create_app(settings, container)

    async def fill() -> None:  # called once the lifespan has opened the store
        for user in users:
            name, _, messages = user.partition(":")
            session_id = SessionId(container.new_id()())
            await _fill(container.store(), session_id, UserId(name), int(messages))

    app.on_startup.append(fill)
    return uvicorn_config(app, app.state.connections, log_config=None)


async def _fill(store: SessionStore, session_id: SessionId, user: UserId, messages: int) -> None:
    """Store a conversation of so many messages by one append."""
    now = datetime.now(UTC).replace(microsecond=0)
    customer = Customer(BusinessId(BUSINESS), user)
    draft = Draft(
        Session(
            session_id=session_id,
            customer=customer,
            location_id=None,
            opened_at=now,
            updated_at=now,
        )
    )
    for seq in range(1, messages, 2):
        asked = MessageId(f"{session_id}-{seq}")
        append_message(draft, Author.USER, asked, TEXT, now)
        answer_id = MessageId(f"{asked}-answer")
        append_message(
            draft, Author.AI, answer_id, TEXT, now, in_reply_to=(asked,), settles_seq=seq
        )
    await store.append(draft, None)


if __name__ == "__main__":
    main(*sys.argv[1:])
