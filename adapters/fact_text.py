"""A fact as text, from the values of JSON or TOML."""

from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any

import msgspec

from domain.plain_text import plain_text

_MAX_DEPTH = 4
"""The levels of a nested fact that are written out; those below are JSON."""

ChooseFacts = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Returns the part of a table that may be shown."""


def fact_text(fact: Any, choose: ChooseFacts = lambda facts: facts, *, depth: int = 0) -> str:
    """Return a fact as text: `mon: 10-22; tue: 10-22`; empty: there is none.

    `choose` is applied to every table in it.
    """
    if fact is None:
        return ""
    if isinstance(fact, str):
        return plain_text(fact).strip()
    if isinstance(fact, date | time):
        return fact.isoformat()
    if isinstance(fact, dict) and depth < _MAX_DEPTH:
        parts = {
            plain_text(key): fact_text(value, choose, depth=depth + 1)
            for key, value in choose(fact).items()
        }
        return "; ".join([f"{key}: {part}" for key, part in parts.items() if part])
    if isinstance(fact, list) and depth < _MAX_DEPTH:
        parts_of_list = [fact_text(value, choose, depth=depth + 1) for value in fact]
        return ", ".join([part for part in parts_of_list if part])
    return msgspec.json.encode(fact).decode()
