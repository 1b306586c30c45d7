"""The data of a request, read alike from the scope of a WebSocket and of an HTTP request."""

from typing import Any, cast

import pytest

from adapters.phoenix.channel import ConnectInfo


@pytest.fixture(params=["websocket", "http"])
def info(request: pytest.FixtureRequest) -> ConnectInfo:
    scope: Any = {
        "type": request.param,
        "query_string": b"vsn=2.0.0&user=ana",
        "client": ("10.0.0.1", 50_000),
        "headers": [
            (b"x-forwarded-for", b"203.0.113.7, 10.0.0.9"),
            (b"x-forwarded-for", b"10.0.0.8"),
            (b"sec-websocket-protocol", b"phoenix, base64url.bearer.phx.aHVzaA"),
        ],
    }
    return ConnectInfo(cast(Any, scope))


def test_address_parameters_and_headers_are_read(info: ConnectInfo) -> None:
    assert info.client == ("10.0.0.1", 50_000)
    assert info.params == {"vsn": "2.0.0", "user": "ana"}
    assert info.headers["sec-websocket-protocol"].startswith("phoenix")


def test_the_hops_of_repeated_headers_are_one_list(info: ConnectInfo) -> None:
    assert [hop.strip() for hop in info.forwarded_for] == ["203.0.113.7", "10.0.0.9", "10.0.0.8"]


def test_the_token_is_one_of_the_subprotocols(info: ConnectInfo) -> None:
    assert info.subprotocols == ["phoenix", "base64url.bearer.phx.aHVzaA"]
    assert info.token == ("hush", False)


def test_the_token_in_the_header_of_a_long_poll_client_counts_as_it_is() -> None:
    headers = [(b"x-phoenix-authtoken", b"hush"), (b"sec-websocket-protocol", b"phoenix")]

    info = ConnectInfo(cast(Any, {"type": "http", "headers": headers}))

    assert info.token == ("hush", False)
