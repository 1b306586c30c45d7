"""The names that `SocketProtocol` borrows of uvicorn and websockets, which are no public API.

pyproject.toml pins both below their next minor versions; these tests fail when one of them moves.
"""

import ast
import inspect
from typing import Any, cast

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from adapters.phoenix import uvicorn_protocol
from adapters.phoenix.uvicorn_protocol import SocketProtocol, uvicorn_config

ATTRIBUTES = {
    *("close_sent", "close_timer", "conn", "curr_msg_data_type", "frames", "handshake_complete"),
    *("logger", "loop", "queue", "read_paused", "transport"),
}
"""Set by uvicorn's constructor."""
LATER_ATTRIBUTES = {"scope"}
"""Set by uvicorn with the request."""
OVERRIDDEN = {
    "handle_connect": ["self", "event"],
    "handle_parser_exception": ["self"],
    "send_receive_event_to_app": ["self"],
    "shutdown": ["self"],
}
CONNECTION = {"close_sent", "data_to_send", "debug", "fail", "logger", "send_close", "state"}
"""The attributes of websockets' `ServerProtocol` that are used."""


def names_used(owner: str) -> set[str]:
    """Return the attributes that the class uses of an object: of `self`, or of `self.conn`."""
    tree = ast.parse(inspect.getsource(SocketProtocol))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return {node.attr for node in nodes if ast.unparse(node.value) == owner}


async def test_uvicorn_has_the_attributes_that_are_used_and_no_others_are() -> None:
    config = uvicorn_config(lambda: None, log_config=None)
    config.load()
    theirs = WebSocketsSansIOProtocol(config, ServerState(), {})
    ours = SocketProtocol(config, ServerState(), {})
    ours._idle_timer.cancel()
    own = (vars(ours).keys() - vars(theirs).keys()) | vars(SocketProtocol).keys()

    assert names_used("self") - own == ATTRIBUTES | LATER_ATTRIBUTES
    assert vars(theirs).keys() >= ATTRIBUTES
    assert "self.scope: WebSocketScope = {" in inspect.getsource(theirs.handle_connect)
    assert names_used("self.conn") == CONNECTION
    assert all(hasattr(theirs.conn, name) for name in CONNECTION)
    assert isinstance(theirs.conn, ServerProtocol)


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_uvicorn_calls_what_is_overridden(name: str) -> None:
    parameters = inspect.signature(getattr(WebSocketsSansIOProtocol, name)).parameters
    source = inspect.getsource(inspect.getmodule(WebSocketsSansIOProtocol) or ast)

    assert list(parameters) == OVERRIDDEN[name]
    assert name == "shutdown" or f"self.{name}(" in source  # `shutdown` is called by the server


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_text_frame_is_the_one_of_the_library(size: int) -> None:
    text = "x" * size
    theirs = Frame(Opcode.TEXT, text.encode()).serialize(mask=False)

    assert cast(Any, uvicorn_protocol)._text_frame(text) == theirs
