"""A cache that is bounded in number and in bytes, for values that the store or a peer has, too."""

from collections.abc import Hashable, Mapping
from sys import getsizeof
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ITEM_BYTES = 100
"""The bytes of a container, or of a value that is no text."""


class BoundedCache(Generic[K, V]):
    """A mapping without the values that were used longest ago, where it would be too large.

    The newest value stays, however large it is.
    """

    __slots__ = ("_items", "_max_bytes", "_max_items", "bytes")

    def __init__(self, max_items: int, max_bytes: int) -> None:
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._items: dict[K, tuple[V, int]] = {}  # in the order of use
        self.bytes = 0
        """The sum of the sizes."""

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: K) -> V | None:
        """Return the value, if it is there."""
        item = self._items.pop(key, None)
        if item is None:
            return None
        self._items[key] = item
        return item[0]

    def pop(self, key: K) -> V | None:
        """Remove the value, and return it if it was there."""
        item = self._items.pop(key, None)
        if item is None:
            return None
        self.bytes -= item[1]
        return item[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Add the value as the newest, in place of another with this key. `size`: its bytes."""
        items = self._items
        replaced = items.pop(key, None)
        if replaced is not None:
            self.bytes -= replaced[1]
        items[key] = (value, size)
        self.bytes += size
        while len(items) > self._max_items or (self.bytes > self._max_bytes and len(items) > 1):
            self.bytes -= items.pop(next(iter(items)))[1]


def size_of(value: object) -> int:
    """Return about how many bytes a value of texts, mappings and sequences takes up."""
    if isinstance(value, str):
        return getsizeof(value)
    if isinstance(value, Mapping):
        return ITEM_BYTES + sum(size_of(key) + size_of(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return ITEM_BYTES + sum(map(size_of, value))
    return ITEM_BYTES
