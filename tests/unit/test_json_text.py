"""JSON as peers write it."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.json_text import NOT_JSON, decode_json
from domain.plain_text import plain_text


@given(st.recursive(st.text(st.characters(exclude_categories=()), max_size=20), st.lists))
def test_halves_of_surrogate_pairs_are_the_replacement_character(document: object) -> None:
    decoded = decode_json(msgspec.json.decode, json.dumps(document))

    assert decoded == _replaced(document)


def _replaced(document: object) -> object:
    if isinstance(document, list):
        return [_replaced(each) for each in document]
    return str(document).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@pytest.mark.parametrize("text", [r'"\\ud83d"', r'"\\\\ud83d \ud83d"'])
def test_an_escaped_backslash_begins_no_half(text: str) -> None:
    assert decode_json(msgspec.json.decode, text) == plain_text(json.loads(text))


@pytest.mark.parametrize(
    "document", [b'"a', b'"\xff"', b'"\\ud83d\xff"', b"[" * 99_999, b'"\\u12"']
)
def test_what_is_no_json_stays_an_error(document: bytes) -> None:
    with pytest.raises(NOT_JSON):
        decode_json(msgspec.json.decode, document)
