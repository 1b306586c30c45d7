"""The documents in a folder: regular files of known formats, within their bounds."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from adapters.knowledge.documents import SUFFIXES

MAX_DOCUMENTS = 10_000
"""Documents of a business."""


class Found(Struct, frozen=True):
    """A document in a folder."""

    path: str
    """Within the folder, with `/`."""
    problem: str | None = None
    """Why it is not read; None: it is."""


def find_documents(folder: Path) -> list[Found]:
    """Return the documents, in order. Hidden files, and the ones that editors leave, are none."""
    root = folder.resolve()
    return sorted(_walk(folder, root), key=lambda found: found.path)


def _walk(folder: Path, root: Path) -> Iterator[Found]:
    closed: list[OSError] = []
    count = 0
    for place, folders, files in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in [*links, *sorted(files)]:
            if _is_hidden(name):
                continue
            file = Path(place, name)
            path = _shown(file.relative_to(folder).as_posix())
            count += 1
            if count > MAX_DOCUMENTS:
                yield Found(path, f"there are more than {MAX_DOCUMENTS:,} documents")
                return
            yield Found(path, _problem(file, root))
    for error in closed:
        if Path(error.filename) != folder:  # a folder that is not there has no documents
            path = Path(error.filename).relative_to(folder).as_posix()
            yield Found(_shown(path), _reason(error))


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "~")) or name.endswith("~")


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()


def _problem(file: Path, root: Path) -> str | None:
    try:
        str(file).encode()
        if file.is_symlink() and not file.resolve(strict=True).is_relative_to(root):
            return "it is a link that leads out of the folder"
        status = file.stat()
    except UnicodeEncodeError:
        return "its name is not in UTF-8: rename it"
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before Python 3.13
        return _reason(error)
    if stat.S_ISDIR(status.st_mode):
        return "it is a link to a folder: move the folder itself here"
    if not stat.S_ISREG(status.st_mode):
        return "it is not a file with content"
    most = SUFFIXES.get(file.suffix.lower())
    if most is None:
        return f"its format is not known; known are {', '.join(SUFFIXES)}"
    if status.st_size > most:
        return f"it has more than {most // 1024 // 1024} MiB: divide it"
    return None


def read_document(folder: Path, found: Found) -> bytes | str:
    """Return the content of a document, or why it cannot be read."""
    if found.problem is not None:
        return found.problem
    try:
        with (folder / found.path).open("rb") as file:
            return file.read(max(SUFFIXES.values()))
    except OSError as error:
        return _reason(error)


def _reason(error: Exception) -> str:
    return f"it cannot be read: {getattr(error, 'strerror', None) or error}"
