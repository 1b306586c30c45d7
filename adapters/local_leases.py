"""Leases among the processes of one machine, in a small file that they share.

The file has buckets of a few places, each with the digests of a name and of its holder, and the
time until which it is held. Who uses a bucket locks it in the file, for some microseconds; the
system unlocks it when a process dies. Nothing is ever synchronised: the file must end with its
processes.
"""

import asyncio
import fcntl
import os
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from time import monotonic
from typing import Self

from adapters.lease_deadline import lease_deadline
from application.ports import Leases
from domain.errors import LeasesUnavailable

_PLACE = Struct("=16s16sd")
"""A name, its holder, and its end by the monotonic clock, which a machine's processes share."""
_PLACES = 8
"""The places of a bucket."""
_BUCKETS = 4_096
_BUCKET_BYTES = _PLACES * _PLACE.size
_BUSY_S = 0.001
"""The pause before a bucket is tried again that another process uses."""

_Places = list[tuple[bytes, bytes, float]]


class LocalLeases(Leases):
    """Keeps the names in the file `path`, which is opened when it is first needed."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._is_open = False
        self._file: int | None = None

    async def __aenter__(self) -> Self:
        self._is_open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._is_open = False
        if self._file is not None:
            os.close(self._file)
            self._file = None

    async def claim(self, name: str, holder: str, ttl_s: float) -> bool:
        digest, by = _digest(name), _digest(holder)

        def claim(places: _Places) -> tuple[int, bytes] | None:
            now = monotonic()
            index = _find(places, digest, now)
            held, holding, until = places[index]
            if held == digest and holding != by and now < until:
                return None
            return index, _PLACE.pack(digest, by, now + ttl_s)

        return await self._change(digest, claim)

    async def release(self, name: str, holder: str) -> None:
        digest, by = _digest(name), _digest(holder)

        def release(places: _Places) -> tuple[int, bytes] | None:
            for index, place in enumerate(places):
                if place[:2] == (digest, by):
                    return index, bytes(_PLACE.size)
            return None

        await self._change(digest, release)

    async def _change(
        self, digest: bytes, change: Callable[[_Places], tuple[int, bytes] | None]
    ) -> bool:
        """Write the place that `change` returns, alone in the name's bucket; False: it was None.

        Raises: LeasesUnavailable.
        """
        bucket = int.from_bytes(digest[:4], "little") % _BUCKETS
        try:
            return self._change_now(bucket, change)
        except BlockingIOError:
            pass
        except OSError as error:
            raise LeasesUnavailable(str(error)) from error
        async with lease_deadline(OSError):
            while True:
                await asyncio.sleep(_BUSY_S)
                try:
                    return self._change_now(bucket, change)
                except BlockingIOError:
                    continue

    def _change_now(
        self, bucket: int, change: Callable[[_Places], tuple[int, bytes] | None]
    ) -> bool:
        """Do so at once. Raises: BlockingIOError, while another process does; OSError, as above."""
        if self._file is None:
            self._file = self._open()
        start = bucket * _BUCKET_BYTES
        fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, bucket)
        try:
            data = os.pread(self._file, _BUCKET_BYTES, start).ljust(_BUCKET_BYTES, b"\0")
            changed = change(list(_PLACE.iter_unpack(data)))
            if changed is None:
                return False
            index, place = changed
            os.pwrite(self._file, place, start + index * _PLACE.size)
            return True
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, bucket)

    def _open(self) -> int:
        """Open the file. Raises: OSError, LeasesUnavailable."""
        if not self._is_open:
            raise LeasesUnavailable("closed")
        return os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)


def _find(places: _Places, digest: bytes, now: float) -> int:
    """Return the index of the name's place, or of a free one. Raises: LeasesUnavailable."""
    free = None
    for index, (held, _, until) in enumerate(places):
        if held == digest:
            return index
        if free is None and now >= until:
            free = index
    if free is None:
        raise LeasesUnavailable("too many names are held")
    return free


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()
