"""Reading and refusing an upgrade request."""

import pytest

from adapters.phoenix.handshake import (
    AuthToken,
    auth_token,
    origin_allowed,
    query_params,
    requested_version,
)


@pytest.mark.parametrize(
    ("query", "params"),
    [
        (b"", {}),
        (b"?&vsn=2.0.0", {"?": "", "vsn": "2.0.0"}),
        (b"&&vsn=2.0.0&", {"vsn": "2.0.0"}),
        (b"vsn=1.0.0&vsn=2.0.0", {"vsn": "2.0.0"}),
        (b"vsn=2%2E0%2E0", {"vsn": "2.0.0"}),
        (b"name=Bun%C4%83+ziua&empty=", {"name": "Bună ziua", "empty": ""}),
        (b"broken=%zz%ff", {"broken": "%zz\ufffd"}),
    ],
)
def test_query_parameters_are_decoded_and_the_last_of_a_name_wins(
    query: bytes, params: dict[str, str]
) -> None:
    assert query_params(query) == params


@pytest.mark.parametrize(
    ("params", "version"),
    [({}, None), ({"vsn": ""}, ""), ({"vsn": "2.0.0"}, "2.0.0"), ({"vsn[]": "2.0.0"}, "")],
)
def test_the_version_is_a_single_text(params: dict[str, str], version: str | None) -> None:
    assert requested_version(params) == version


@pytest.mark.parametrize(
    ("offered", "token"),
    [
        ([], AuthToken(None, bad=False)),
        (["phoenix"], AuthToken(None, bad=False)),
        (["phoenix", "base64url.bearer.phx.c2VjcmV0"], AuthToken("secret", bad=False)),
        (["base64url.bearer.phx.Pz8/Pj4+"], AuthToken("???>>>", bad=False)),
        (["base64url.bearer.phx.Pz8_Pj4-"], AuthToken("???>>>", bad=False)),
        (["base64url.bearer.phx.YQ"], AuthToken("a", bad=False)),
        (["base64url.bearer.phx."], AuthToken("", bad=False)),
        (["base64url.bearer.phx.!!"], AuthToken(None, bad=True)),
        (["base64url.bearer.phx.a"], AuthToken(None, bad=True)),
        (["base64url.bearer.phx._w"], AuthToken(None, bad=True)),
    ],
)
def test_a_token_is_read_from_the_sub_protocols(offered: list[str], token: AuthToken) -> None:
    assert auth_token(offered) == token


@pytest.mark.parametrize(
    ("origin", "pattern", "allowed"),
    [
        ("https://a.com", "https://a.com", True),
        ("https://a.com:443", "https://a.com", True),
        ("https://A.com", "https://a.com", True),
        ("https://a.com:8443", "https://a.com", False),
        ("http://a.com", "https://a.com", False),
        ("https://b.com", "https://a.com", False),
        ("http://a.com:4000", "//a.com", True),
        ("http://a.com:4000", "//a.com:4000", True),
        ("http://a.com", "//a.com:4000", False),
        ("https://a.com", "//*.a.com", True),
        ("https://x.y.a.com", "//*.a.com", True),
        ("https://xa.com", "//*.a.com", False),
        ("https://a.com.evil.com", "//*.a.com", False),
        ("null", "//*.a.com", False),
        ("", "//a.com", False),
        ("https://a.com:port", "//a.com", False),
        ("https://[::1", "//a.com", False),
    ],
)
def test_an_origin_is_compared_by_host_and_by_scheme_and_port_if_given(
    origin: str, pattern: str, allowed: bool
) -> None:
    assert origin_allowed(origin, ["https://elsewhere.example", pattern]) is allowed


def test_a_client_without_origin_is_no_page_and_allowed() -> None:
    assert origin_allowed(None, [])


def test_no_patterns_allow_every_page_and_an_empty_list_none() -> None:
    assert origin_allowed("https://a.com", None)
    assert not origin_allowed("https://a.com", [])


def test_a_pattern_that_is_no_origin_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="is no origin"):
        origin_allowed("https://a.com", ["a.com"])
