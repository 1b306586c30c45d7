"""The folder of the workers of one machine: a Unix socket and a file of metrics for each."""

import fcntl
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from entrypoints.expositions import added_up, lasting

SWITCH = "switch"
"""The Unix socket of the switch for hints."""
_LOCK, _FORMER = "lock", "former.metrics"


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A worker, and the folder that it shares with the others of its parent."""

    number: int
    """From 1 on; a process that takes the place of another has its number."""
    wanted: int
    """The number of workers."""
    name: str
    """Its own, which no other process of this parent ever has."""
    folder: str


class WorkerFolder:
    """The folder, which only this user can open."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._path = Path(path)

    @property
    def switch(self) -> str:
        """The path of the switch's socket."""
        return str(self._path / SWITCH)

    @property
    def leases(self) -> str:
        """The path of the file of leases."""
        return str(self._path / "leases")

    def listen(self, name: str) -> socket.socket:
        """Return the listening Unix socket of a worker."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # It appears at its path when it listens already.
        path, hidden = self._socket(name), str(self._path / f".{name}")
        listener.bind(hidden)
        os.chmod(hidden, 0o600)
        listener.listen(128)
        os.rename(hidden, path)
        return listener

    def socket_of(self, name: str) -> str | None:
        """Return the path of a worker's socket; None: there is no such worker, or no more."""
        path = self._socket(name)
        return path if name.replace("-", "").isalnum() and os.path.exists(path) else None

    def names(self) -> Sequence[str]:
        """Return the names of the workers that are there."""
        return [path.stem for path in sorted(self._path.glob("*.socket"))]

    def write_metrics(self, name: str, exposition: bytes) -> None:
        """Write the metrics of a worker, unless the folder is gone with its parent."""
        with suppress(FileNotFoundError):
            _write(self._metrics(name), exposition)

    def metrics(self) -> str:
        """Return the sum of the metrics that all workers have written, former ones included."""
        with self._locked(fcntl.LOCK_SH):
            return added_up([file.read_text() for file in sorted(self._path.glob("*.metrics"))])

    def retire(self, name: str) -> None:
        """Remove a worker that has ended; what it has counted stays in the sum."""
        with suppress(FileNotFoundError):
            os.unlink(self._socket(name))
        file, former = self._metrics(name), self._path / _FORMER
        with self._locked(fcntl.LOCK_EX), suppress(FileNotFoundError):
            left = lasting(file.read_text())
            texts = [former.read_text(), left] if former.exists() else [left]
            _write(former, added_up(texts).encode())
            file.unlink()
        _unfinished(file).unlink(missing_ok=True)

    def _socket(self, name: str) -> str:
        return str(self._path / f"{name}.socket")

    def _metrics(self, name: str) -> Path:
        return self._path / f"{name}.metrics"

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        with open(self._path / _LOCK, "w") as lock:
            fcntl.flock(lock, kind)
            yield


def _write(file: Path, content: bytes) -> None:
    """Write a file whole, or leave it as it is."""
    unfinished = _unfinished(file)
    unfinished.write_bytes(content)
    unfinished.rename(file)


def _unfinished(file: Path) -> Path:
    """Return where a file is written; no pattern for what is whole matches it."""
    return file.with_name(f"{file.name}.new")
