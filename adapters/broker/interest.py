"""The interest of a switch's clients in its channels, in memory that all of them share.

A table with a row for each bucket of channels, and in it a byte for each client: the number of the
bucket's channels that it has subscribed to. The switch alone writes, and does so before it confirms
a subscription. So a client that finds no others in a row need not publish: who subscribes later is
confirmed later, and reads the store then.
"""

import os
from contextlib import suppress
from mmap import ACCESS_READ, mmap
from pathlib import Path
from zlib import crc32

_BUCKETS = 1 << 17
_CLIENTS = 32
_SHARED = _CLIENTS - 1
"""The byte of all clients for which there is none of their own."""
_MANY = 255
"""A number that is not counted down any more."""


class InterestWriter:
    """The switch's side; `path` is a file that exists until this is closed."""

    def __init__(self, path: Path) -> None:
        """Raises: OSError."""
        self._path = path
        self._free = list(range(_SHARED))
        with suppress(FileNotFoundError):
            path.unlink()  # of a switch that was killed
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        with open(file, "r+b") as opened:
            # Written, so that it has its room on the disk: a page without kills who touches it.
            opened.write(bytes(_BUCKETS * _CLIENTS))
            opened.flush()
            self._table = mmap(file, 0)

    def close(self) -> None:
        """Remove the file. Clients that have opened it may go on reading."""
        with suppress(FileNotFoundError):
            self._path.unlink()

    def column(self) -> int:
        """Return the place of a new client in each row."""
        return self._free.pop() if self._free else _SHARED

    def release(self, column: int) -> None:
        """Free the place of a client, all of whose channels were removed."""
        if column != _SHARED:
            self._free.append(column)

    def add(self, column: int, channel: bytes) -> None:
        """Note that the client has subscribed to the channel."""
        at = _row(channel) + column
        self._table[at] = min(self._table[at] + 1, _MANY)

    def remove(self, column: int, channel: bytes) -> None:
        """Note that the client has left the channel."""
        at = _row(channel) + column
        if self._table[at] < _MANY:
            self._table[at] -= 1


class InterestReader:
    """The side of the client whose place is `column`."""

    def __init__(self, path: Path, column: int) -> None:
        """Raises: OSError, ValueError."""
        self._own = column if column != _SHARED else None
        with path.open("rb") as file:
            self._table = mmap(file.fileno(), _BUCKETS * _CLIENTS, access=ACCESS_READ)

    def has_others(self, channel: bytes) -> bool:
        """Return False if no other client has a confirmed subscription to the channel."""
        at = _row(channel)
        row = self._table[at : at + _CLIENTS]
        is_own = self._own is not None and row[self._own] > 0
        return row.count(0) < _CLIENTS - is_own


def _row(channel: bytes) -> int:
    return crc32(channel) % _BUCKETS * _CLIENTS
