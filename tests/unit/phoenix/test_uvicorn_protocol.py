"""The names that our protocols borrow of uvicorn and websockets, which are no public API.

pyproject.toml pins both below their next minor versions; these tests fail when one of them moves.
"""

import ast
import asyncio
import inspect
from typing import Any, cast

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.server import ServerProtocol

from adapters.phoenix.http_protocol import HttpProtocol
from adapters.phoenix.uvicorn_protocol import HandshakeProtocol, uvicorn_config

HANDSHAKE = {
    *("close_sent", "conn", "connections", "handshake_complete", "handshake_initiated", "logger"),
    *("loop", "scope", "transport", "writable"),
}
"""The attributes of uvicorn's WebSocket protocol that are used."""
HTTP = {
    *("_should_upgrade", "_unset_keepalive_if_required", "client", "cycle", "flow", "loop"),
    *("parser", "pipeline", "transport"),
}
"""The attributes of uvicorn's HTTP protocol that are used."""
OVERRIDDEN = {
    WebSocketsSansIOProtocol: {
        "handle_connect": ["self", "event"],
        "send": ["self", "message"],
    },
    HttpToolsProtocol: {
        "handle_websocket_upgrade": ["self"],
        "on_response_complete": ["self"],
    },
}
"""Their methods that are replaced; those of asyncio and of the parser are public."""
BY_NAME = {
    "send": "self.send",
    "on_response_complete": "on_response=self.",
}
CONNECTION = {"data_to_send", "debug", "logger"}
"""The attributes of websockets' `ServerProtocol` that are used."""
CYCLE = {"disconnected", "message_event", "response_complete", "response_started"}
"""The attributes of uvicorn's `RequestResponseCycle` that are used."""


def names_used(owner: str, user: type) -> set[str]:
    """Return the attributes that the class uses of an object: of `self`, or of `self.conn`."""
    tree = ast.parse(inspect.getsource(user))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return {node.attr for node in nodes if ast.unparse(node.value) == owner}


def names_set(user: type) -> set[str]:
    """Return what the source of a class defines: its methods, and the attributes that it sets."""
    tree = ast.parse(inspect.getsource(user))
    stored = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    methods = {
        n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return stored | named | methods


@pytest.mark.parametrize(
    ("ours", "theirs", "borrowed"),
    [
        (HandshakeProtocol, WebSocketsSansIOProtocol, HANDSHAKE),
        (HttpProtocol, HttpToolsProtocol, HTTP),
    ],
)
def test_uvicorn_has_the_attributes_that_are_used_and_no_others_are(
    ours: type, theirs: type, borrowed: set[str]
) -> None:
    own = names_set(ours) - names_set(theirs)

    assert names_used("self", ours) - own - vars(ours).keys() == borrowed
    assert names_set(theirs) >= borrowed


async def test_websockets_and_the_request_have_the_attributes_that_are_used() -> None:
    config = uvicorn_config(lambda: None, log_config=None)
    config.load()
    theirs = WebSocketsSansIOProtocol(config, ServerState(), {})

    assert names_used("self.conn", HandshakeProtocol) == CONNECTION
    assert all(hasattr(theirs.conn, name) for name in CONNECTION)
    assert isinstance(theirs.conn, ServerProtocol)
    assert names_used("self.cycle", HttpProtocol) == CYCLE
    assert names_set(RequestResponseCycle) >= CYCLE


def test_the_flow_control_of_uvicorn_needs_only_two_methods_of_a_transport() -> None:
    assert names_used("self._transport", FlowControl) == {"pause_reading", "resume_reading"}
    assert hasattr(FlowControl(cast(asyncio.Transport, None)), "read_paused")
    assert hasattr(FlowControl(cast(asyncio.Transport, None)), "write_paused")


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner, names in OVERRIDDEN.items() for name in names]
)
def test_uvicorn_calls_what_is_overridden(owner: type[Any], name: str) -> None:
    parameters = inspect.signature(getattr(owner, name)).parameters
    source = inspect.getsource(inspect.getmodule(owner) or ast)

    assert list(parameters) == OVERRIDDEN[owner][name]
    assert BY_NAME.get(name, f"self.{name}(") in source
