"""Files that only the user of the process may read."""

import os
from contextlib import suppress
from pathlib import Path

from domain.errors import StorageUnavailable


def make_private(path: Path) -> None:
    """Create a file, and its folders, for this user alone; close one that exists to all others.

    A file that exists keeps what its group may do. What SQLite puts beside a database has the
    database's mode. Raises: OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        # By its path: to open and close a database here would release SQLite's locks on it.
        if path.is_file():
            with suppress(PermissionError):  # it is somebody else's, who lets this user write to it
                path.chmod(path.stat().st_mode & 0o7770)


def check_not_replaced(path: Path, before: os.stat_result) -> None:
    """Check that a file still is the one that it was before it was opened.

    Who holds a lock on it then knows that nobody can put another one in its place.
    Raises: StorageUnavailable, OSError.
    """
    if not os.path.samestat(before, path.stat()):
        raise StorageUnavailable(f"{path} was replaced while it was opened")
