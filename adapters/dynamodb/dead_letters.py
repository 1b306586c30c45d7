"""The return of a retried dead letter to its place in its session's order. Pure."""

from collections.abc import Mapping, Sequence

from adapters.dynamodb.items import Item, key_of, ms, number
from adapters.dynamodb.outbox_items import (
    exact_link,
    is_pending,
    notice_of,
    outbox_slot,
    parked_behind,
    partitions,
)

ItemChange = dict[str, Item | None]
"""New values of attributes; None removes one."""


def reinserted(letter: Item, items: Mapping[str, Item], newest: Item) -> dict[str, ItemChange]:
    """Return the changes of a session's items, by sort key, that put a dead letter in its place.

    The pending item that is the first stays it; the others are in the order of their positions.
    """
    pending = sorted((item for item in items.values() if is_pending(item)), key=_position)
    first = [item for item in pending if "op" not in item] or pending[:1]
    rest = [item for item in pending if item not in first]
    before = first + [item for item in rest if _position(item) < _position(letter)]
    after = rest[len(before) - len(first) :]
    changes: dict[str, ItemChange] = {letter["SK"]["S"]: _reset(letter)}

    def change(item: Item, **attributes: Item | None) -> None:
        changes.setdefault(item["SK"]["S"], {}).update(attributes)

    change(newest, og=number(int(newest.get("og", {"N": "0"})["N"]) + 1))
    if first:
        change(first[0], op=None)
    if before:
        change(before[-1], ow=_parked_without(before[-1], after[:1]))
        change(letter, op=exact_link(before[-1]))
    if after:
        change(after[0], op=exact_link(letter), oP=partitions(letter["PK"]["S"])["ready"])
    elif (last := items.get(newest["lo"]["S"])) is not None and last is not letter:
        change(last, ol=exact_link(letter))
    return changes


def _parked_without(item: Item, others: Sequence[Item]) -> Item | None:
    """Return the items that are parked behind `item`, except the others."""
    parked = {*parked_behind(item)} - {other["SK"]["S"] for other in others}
    return {"SS": [*parked]} if parked else None


def _reset(letter: Item) -> ItemChange:
    """Return the changes that make a dead letter ready, as if new, with nothing before it."""
    pk, sk = key_of(letter)
    return {
        "oP": partitions(pk)["ready"],
        "oS": outbox_slot(ms(notice_of(letter).due_at), pk, sk),
        "oA": None,
        "oD": None,
        "op": None,
        "ol": None,
        "exp": None,
    }


def _position(item: Item) -> int:
    return notice_of(item).position
