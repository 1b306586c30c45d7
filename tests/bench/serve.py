"""What is measured: each a process of its own that prints its address once it listens.

`server` is the product with the settings of the environment and `bridge` the reference bridge,
`echo` the least that Litestar can do on a WebSocket, `filled USERS` the product with users who have
talked before.
"""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any

import uvicorn
from litestar import Litestar, WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from application.ports import SessionStore
from domain.identity import BusinessId, Customer, MessageId, SessionId, UserId
from domain.message import Author
from domain.session import Draft, Session
from entrypoints.app import SOCKET_PATH, create_app
from entrypoints.container import Container
from entrypoints.phoenix_protocol import uvicorn_config
from entrypoints.serve import Server, bridge_program, listen, serve, server_program
from entrypoints.settings import load_settings
from tests.bench.load import BUSINESS, TEXT


def main(kind: str, *users: str) -> None:
    """Serve until SIGTERM. `users` are given as `NAME:MESSAGES`."""
    programs = {"server": server_program, "bridge": bridge_program}
    if kind in programs:
        serve(programs[kind](load_settings()), on_listening=lambda urls: _announce(urls[0]))
    elif kind == "echo":
        _run(_echo_config())
    else:
        _run(_filled_config(users))


def _announce(url: str) -> None:
    print(url, flush=True)


def _run(config: uvicorn.Config) -> None:
    listener = listen("127.0.0.1", 0)
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


def _echo_config() -> uvicorn.Config:
    return uvicorn.Config(
        Litestar([_echo], openapi_config=None, logging_config=None),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        access_log=False,
        log_level="error",
    )


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
    return uvicorn_config(app, log_config=None)


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
        draft.say(Author.USER, asked, TEXT, now)
        answer_id = MessageId(f"{asked}-answer")
        draft.say(Author.AI, answer_id, TEXT, now, in_reply_to=(asked,), answers=seq)
    await store.append(draft, None)


if __name__ == "__main__":
    main(*sys.argv[1:])
