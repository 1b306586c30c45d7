"""The Python that runs the simulated product: simloop needs 3.12, the product 3.11.

As a program it prints the path of one, or says what is missing. It needs nothing but Python.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which

VERSIONS = ("3.12", "3.13", "3.14")
MISSING = (
    f"The simulation of the unmodified product is left out: it needs Python {VERSIONS[0]} or newer "
    "(python3.12, python3.13 or python3.14 on the PATH, or installed by pyenv)"
)
_CHECK = "import ensurepip, ssl, sqlite3, sys, venv; print('%d.%d' % sys.version_info[:2])"


def find_interpreter() -> str | None:
    """Return the path of an interpreter that really runs, the oldest version first."""
    for version in VERSIONS:
        for path in _candidates(version):
            if _version(path) == version:
                return path
    return None


def _candidates(version: str) -> Iterator[str]:
    if found := which(f"python{version}"):
        yield found
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(root.glob(f"versions/{version}.*/bin/python")))


def _version(path: str) -> str | None:
    """Return the version of an interpreter; None: it cannot be used, as a shim of pyenv's."""
    try:
        found = subprocess.run([path, "-c", _CHECK], capture_output=True, timeout=30, text=True)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() if found.returncode == 0 else None


if __name__ == "__main__":
    interpreter = find_interpreter()
    if interpreter is None:
        sys.exit(MISSING)
    print(interpreter)
