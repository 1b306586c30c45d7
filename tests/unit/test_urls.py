"""URLs as people and logs may read them."""

import pytest

from adapters.urls import shown_url, without_secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://bridge:4000/health", "http://bridge:4000/health"),
        ("http://ana:s3cret@bridge:4000/health", "http://…bridge:4000/health"),
        ("http://ana:s3/cr@et@bridge", "http://…bridge"),
        ("http://ana:s3?cret@bridge/", "http://…"),
        ("ws://bridge/socket?s3cret", "ws://bridge/socket…"),
        ("ws://bridge/socket#s3cret", "ws://bridge/socket…"),
        ("http://bridge/?mail=ana@s3cret", "http://…"),
        ("ana:s3cret@bridge", "…bridge"),
    ],
)
def test_a_url_is_shown_without_user_password_query_and_fragment(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_in_a_text_every_url_is_shown_so_and_the_rest_stays() -> None:
    text = "from 'http://a:s3cret@b/x' to <ws://c?token=s3cret>, then /d?token=s3cret: what? no"

    assert without_secrets(text) == "from 'http://…b/x' to <ws://c…>, then /d… what? no"


@pytest.mark.parametrize("word", ["x", "?", "?a", "a://", "x+", "=", "?="])
def test_the_end_of_a_long_line_is_searched_too(word: str) -> None:
    line = f"{word * 1_000_000} https://host/?a=b"  # an hour, if each letter began a search

    assert without_secrets(line).endswith(" https://host/…")
