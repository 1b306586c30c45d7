"""How a dead letter that is retried takes its place in its session's order again. Pure."""

from collections.abc import Mapping, Sequence

from adapters.dynamodb.items import Item, key_of, ms, number
from adapters.dynamodb.outbox_items import (
    exactly,
    is_pending,
    notice_of,
    partitions,
    slot,
    waiting_behind,
)


def order_with(
    letter: Item, items: Mapping[str, Item], newest: Item
) -> dict[str, dict[str, Item | None]]:
    """What becomes of a session's nodes, by sort key, when a dead letter takes its place again.

    The pending one that is the first stays it; the others are in the order of their positions.
    """
    pending = sorted((item for item in items.values() if is_pending(item)), key=_position)
    first = [item for item in pending if "op" not in item] or pending[:1]
    rest = [item for item in pending if item not in first]
    before = first + [item for item in rest if _position(item) < _position(letter)]
    after = rest[len(before) - len(first) :]
    changes: dict[str, dict[str, Item | None]] = {letter["SK"]["S"]: _revived(letter)}

    def change(node: Item, **attributes: Item | None) -> None:
        changes.setdefault(node["SK"]["S"], {}).update(attributes)

    change(newest, og=number(int(newest.get("og", {"N": "0"})["N"]) + 1))
    if first:
        change(first[0], op=None)
    if before:
        change(before[-1], ow=_without(before[-1], after[:1]))
        change(letter, op=exactly(before[-1]))
    if after:
        change(after[0], op=exactly(letter), oP=partitions(letter["PK"]["S"])["ready"])
    elif (last := items.get(newest["lo"]["S"])) is not None and last is not letter:
        change(last, ol=exactly(letter))
    return changes


def _without(node: Item, others: Sequence[Item]) -> Item | None:
    """The nodes that are parked behind `node`, but for the others."""
    waiting = {*waiting_behind(node)} - {other["SK"]["S"] for other in others}
    return {"SS": [*waiting]} if waiting else None


def _revived(letter: Item) -> dict[str, Item | None]:
    """A dead letter as new, before there was anything else."""
    pk, sk = key_of(letter)
    ready_at = slot(ms(notice_of(letter).due_at), pk, sk)
    ready = partitions(pk)["ready"]
    return {
        "oP": ready,
        "oS": ready_at,
        "oA": None,
        "oD": None,
        "op": None,
        "ol": None,
        "exp": None,
    }


def _position(node: Item) -> int:
    return notice_of(node).position
