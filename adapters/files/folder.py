"""The folder of businesses: read whole, and again where it changes; the last good version stays.

`NAME.toml` or `NAME/business.toml` is the business NAME, `NAME/knowledge/` has its documents.
Changes are found by looking once a second: a mounted volume of a container reports none.
"""

import asyncio
import logging
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from adapters.files.document import read_business_file
from adapters.files.pictures import PICTURES, BadPicture, read_picture
from application.ports import Businesses, Clock, Lifecycle
from domain.business import Business, Picture, Reservation
from domain.errors import InvalidPayload
from domain.identity import BusinessId, Customer, business_identifier
from domain.plain_text import plain_text

logger = logging.getLogger(__name__)

MAX_FILES = 10_000
MAX_FILE_BYTES = 1024 * 1024
MAX_BYTES = 64 * 1024 * 1024
"""Of the files of all businesses, without their documents."""
MAX_WATCHED = 10_000
"""The documents of one business that are watched."""
MAX_PICTURES = 100
"""The pictures in the folder of one business that are watched."""
MAX_LOGGED = 100
"""The mistakes that one look at the folder logs."""
PAUSE_S, LEAST_PAUSES = 1.0, 20
"""A look at the folder takes at most one part in 20 of the time, however many files there are."""

FILE_NAME, KNOWLEDGE = "business.toml", "knowledge"

OnKnowledge = Callable[[BusinessId, Path | None], None]
"""Called with a business's folder of documents where one has changed; None: there is none."""
Stamp = tuple[int, int, int]
"""What changes when a file does: its time, its size, its inode."""


class _Found(NamedTuple):
    """What the folder has for one business; equal as long as nothing has changed."""

    business_id: str
    files: tuple[tuple[str, Stamp], ...] = ()
    documents: tuple[tuple[str, Stamp], ...] = ()
    refused: tuple[str, ...] = ()
    pictures: tuple[tuple[str, Stamp], ...] = ()


class _Read(NamedTuple):
    """A business as it was read."""

    found: _Found
    business: Business | None
    """None: it has mistakes."""
    mistakes: tuple[str, ...] = ()


_Listing = dict[str, _Found]
"""Id without upper case → what there is: two ids may not differ by case alone."""


class FileBusinesses(Businesses, Lifecycle):
    """The businesses of a folder, as they were last read without a mistake."""

    def __init__(self, folder: Path, clock: Clock, on_knowledge: OnKnowledge | None = None) -> None:
        """`on_knowledge` is called in the event loop, and must not wait."""
        self._folder = folder
        self._clock = clock
        self._on_knowledge = on_knowledge
        self._listing: _Listing | None = None
        self._read: dict[str, _Found] = {}
        self._in_force: dict[str, Business] = {}
        self._documents: dict[str, tuple[tuple[str, Stamp], ...]] = {}
        """Those that `on_knowledge` was called for."""
        self._mistakes: dict[str, tuple[str, ...]] = {}
        self._is_away = False
        self._origins: frozenset[str] = frozenset()

    async def __aenter__(self) -> "FileBusinesses":
        await self.refresh()
        return self

    async def business(self, business_id: BusinessId) -> Business | None:
        return self.last_read(business_id)

    def last_read(self, business_id: BusinessId) -> Business | None:
        found = self._in_force.get(business_id.casefold())
        return found if found is not None and found.business_id == business_id else None

    async def reservations(self, customer: Customer) -> tuple[Reservation, ...]:
        business = self.last_read(customer.business_id)
        return business.reservations if business is not None else ()

    def all(self) -> tuple[Business, ...]:
        """Return the businesses in force, in the order of their ids."""
        return tuple(self._in_force[key] for key in sorted(self._in_force))

    def ids(self) -> list[BusinessId]:
        """Return the ids of all businesses that the folder has, also of those with mistakes."""
        return [BusinessId(found.business_id) for found in self._read.values()]

    def names_origin(self, origin: str) -> bool:
        """Return whether the website of any business in force has this origin."""
        return origin in self._origins

    def logo(self, business_id: BusinessId) -> Picture | None:
        """Read the logo of a business as it is now; None: there is none that may be shown."""
        business = self.last_read(business_id)
        if business is None or not business.website.logo:
            return None
        try:
            return read_picture(self._folder / business_id, business.website.logo)
        except BadPicture:
            return None

    @property
    def mistakes(self) -> Mapping[str, tuple[str, ...]]:
        """The mistakes in the files as they are, by the business's id; each line names its file."""
        found = sorted(self._mistakes.items())
        return {self._read[key].business_id: mistakes for key, mistakes in found}

    async def refresh(self) -> float:
        """Read what has changed and settled; return the seconds until the next time.

        A change has settled when a second look finds the same: nothing is read half-written.
        """
        began = self._clock.monotonic()
        changes = await asyncio.to_thread(self._look)
        logged = 0
        for key, read in changes.items():
            logged += self._apply(key, read, MAX_LOGGED - logged)
        if changes:
            of_each = (business.website.origins for business in self._in_force.values())
            self._origins = frozenset(chain.from_iterable(of_each))
        return max(PAUSE_S, LEAST_PAUSES * (self._clock.monotonic() - began))

    def _look(self) -> dict[str, _Read | None]:
        """Return what is to be changed; None: it is there no more. Runs in a thread of its own."""
        before = self._listing
        try:
            listing = _listing(self._folder)
        except OSError as error:
            self._report_away(error.strerror or "")
            return {}
        if not listing and self._in_force:  # as an unmounted volume looks
            self._report_away("it is empty")
            return {}
        self._is_away = False
        self._listing = listing
        changes = dict[str, _Read | None]()
        for key in sorted(listing.keys() | self._read.keys()):
            found = listing.get(key)
            has_settled = before is None or before.get(key) == found
            if has_settled and found != self._read.get(key):
                changes[key] = self._read_business(found) if found is not None else None
        return changes

    def _report_away(self, reason: str) -> None:
        if not self._is_away:
            extra = {"action": "businesses_away", "folder": str(self._folder), "reason": reason}
            logger.warning("The folder of businesses cannot be read; all stay in force",
                           extra=extra)  # fmt: skip
        self._is_away = True

    def _read_business(self, found: _Found) -> _Read:
        mistakes = list(found.refused)
        if len(found.files) > 1:
            names = " and ".join(name for name, _ in found.files)
            mistakes.append(f"{self._folder / found.files[0][0]}: one too many of {names}")
        elif not found.files and not mistakes:
            mistakes.append(f"{self._folder / found.business_id}: has no {FILE_NAME}")
        if mistakes:
            return _Read(found, None, tuple(mistakes))
        path = self._folder / found.files[0][0]
        try:
            document = _content(path)
        except OSError as error:
            return _Read(found, None, (f"{path}: cannot be read: {error.strerror}",))
        business, wrong = read_business_file(BusinessId(found.business_id), document)
        if business is None:
            lines = [f"{path}{f':{line}' if line else ''}: {text}" for line, text in wrong]
            return _Read(found, None, tuple(lines))
        if business.website.logo and (reason := self._logo_mistake(found, business.website.logo)):
            return _Read(found, None, (f"{path}: website.logo: {reason}",))
        return _Read(found, replace(business, has_knowledge=bool(found.documents)))

    def _logo_mistake(self, found: _Found, name: str) -> str:
        if os.path.dirname(found.files[0][0]) == "":
            return f"needs a folder of the business's own: {found.business_id}/{FILE_NAME}"
        try:
            read_picture(self._folder / found.business_id, name)
        except BadPicture as error:
            return str(error)
        return ""

    def _apply(self, key: str, read: _Read | None, most_logged: int) -> int:
        """Put a change into force; return the number of lines logged."""
        mistakes = read.mistakes if read is not None else ()
        is_new = mistakes != self._mistakes.get(key, ())
        self._mistakes.pop(key, None)
        removed = None
        if read is None:
            del self._read[key]
            removed = self._in_force.pop(key, None)
        else:
            self._read[key] = read.found
            if mistakes:
                self._mistakes[key] = mistakes
            if read.business is not None:
                self._in_force[key] = read.business
            elif (last := self._in_force.get(key)) is not None:
                has_knowledge = bool(read.found.documents)
                self._in_force[key] = replace(last, has_knowledge=has_knowledge)
        if (business := removed or self._in_force.get(key)) is not None:
            documents = read.found.documents if read is not None else ()
            self._announce_documents(key, business.business_id, documents)
        lines = mistakes[:most_logged] if is_new else ()
        for line in lines:
            extra = {"action": "business_mistake", "mistake": line}
            logger.warning("A business's file has a mistake; its last good version stays",
                           extra=extra)  # fmt: skip
        return len(lines)

    def _announce_documents(
        self, key: str, business_id: BusinessId, documents: tuple[tuple[str, Stamp], ...]
    ) -> None:
        if self._documents.get(key, ()) == documents:
            return
        self._documents[key] = documents
        if not documents:
            del self._documents[key]
        if self._on_knowledge is not None:
            folder = self._folder / business_id / KNOWLEDGE
            self._on_knowledge(business_id, folder if documents else None)


def folder_of(
    name: str, clock: Clock, on_knowledge: OnKnowledge | None = None
) -> FileBusinesses | None:
    """Return the businesses of the folder that a setting names; None: it names none."""
    return FileBusinesses(Path(name), clock, on_knowledge) if name else None


def _content(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(MAX_FILE_BYTES)


def _listing(root: Path) -> _Listing:
    """Return what the folder has for each business. Raises: OSError."""
    listing: _Listing = {}
    real_root = os.path.realpath(root)
    left = MAX_BYTES
    with os.scandir(root) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if (found := _found(entry, real_root)) is None:
            continue
        left -= sum(stamp[1] for _, stamp in found.files)
        if left < 0 and found.files:
            reason = f"{entry.path}: the files are more than {MAX_BYTES // 2**20} MiB together"
            found = _Found(found.business_id, refused=(reason,))
        key = found.business_id.casefold()
        if (other := listing.get(key)) is not None:
            found = _together(other, found, root)
        elif len(listing) >= MAX_FILES:
            reason = f"{root}: has more than {MAX_FILES:,} businesses; the rest is not read"
            listing[""] = _Found("", refused=(reason,))
            break
        listing[key] = found
    return listing


def _together(one: _Found, other: _Found, root: Path) -> _Found:
    """Return two findings of one business, or the mistake that they are two."""
    refused = one.refused + other.refused
    if one.business_id != other.business_id:
        both = f"{one.business_id} and {other.business_id}"
        refused += (f"{root}: {both} differ by upper case alone",)
    return _Found(
        one.business_id,
        one.files + other.files,
        one.documents + other.documents,
        refused,
        one.pictures + other.pictures,
    )


class _Refused(Exception):
    """A file or folder is not read; the text names it and says why."""


def _found(entry: "os.DirEntry[str]", real_root: str) -> _Found | None:
    """Return what an entry of the folder has of a business; None: nothing."""
    if entry.name.startswith("."):
        return None
    try:
        if not _is_folder(entry):
            is_file = entry.name.endswith(".toml")
            return _found_file(entry, real_root) if is_file else None
        return _found_folder(entry, real_root)
    except _Refused as error:
        business_id = entry.name.removesuffix(".toml")
        return _Found(business_id, refused=(plain_text(str(error)),))


def _found_file(entry: "os.DirEntry[str]", real_root: str) -> _Found:
    business_id = _checked_id(entry.name.removesuffix(".toml"), entry.path)
    return _Found(business_id, ((entry.name, _checked_stamp(entry.path, real_root)),))


def _found_folder(entry: "os.DirEntry[str]", real_root: str) -> _Found | None:
    file, knowledge = os.path.join(entry.path, FILE_NAME), os.path.join(entry.path, KNOWLEDGE)
    has_file, has_documents = os.path.lexists(file), os.path.isdir(knowledge)
    if not has_file and not has_documents:
        return None
    business_id = _checked_id(entry.name, entry.path)
    _check_inside(entry.path, real_root)
    _check_inside(knowledge, real_root)
    stamp = _checked_stamp(file, real_root) if has_file else None
    files = ((os.path.join(entry.name, FILE_NAME), stamp),) if stamp is not None else ()
    documents = tuple(sorted(_documents(knowledge, real_root)))
    return _Found(business_id, files, documents, pictures=_pictures(entry.path))


def _pictures(folder: str) -> tuple[tuple[str, Stamp], ...]:
    """Return the pictures in a folder: a logo that is put there, or changed, is looked at again."""
    found = list[tuple[str, Stamp]]()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.rpartition(".")[2] in PICTURES and len(found) < MAX_PICTURES:
                    found.append((entry.name, _stamp(entry.stat())))
    except OSError:
        return ()
    return tuple(sorted(found))


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _checked_id(name: str, path: str) -> BusinessId:
    """Return the business's id. Raises: _Refused."""
    try:
        return business_identifier("its name", name)
    except InvalidPayload as error:
        raise _Refused(f"{path}: {error}") from None


def _check_inside(path: str, real_root: str) -> None:
    """Refuse a link that leads out of the folder. Raises: _Refused."""
    if os.path.islink(path) and not _is_inside(path, real_root):
        raise _Refused(f"{path}: is a link that leads out of the folder")


def _is_inside(path: str, real_root: str) -> bool:
    return os.path.realpath(path).startswith(os.path.join(real_root, ""))


def _checked_stamp(path: str, real_root: str) -> Stamp:
    """Return the stamp of a file that may be read. Raises: _Refused."""
    _check_inside(path, real_root)
    try:
        found = os.stat(path)
    except OSError as error:
        raise _Refused(f"{path}: cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise _Refused(f"{path}: is no file")
    if found.st_size > MAX_FILE_BYTES:
        raise _Refused(f"{path}: is larger than {MAX_FILE_BYTES // 2**20} MiB")
    return _stamp(found)


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_mtime_ns, found.st_size, found.st_ino


def _documents(folder: str, real_root: str) -> Iterator[tuple[str, Stamp]]:
    """Yield the documents in a folder and those below, as far as MAX_WATCHED."""
    folders, left = [folder], MAX_WATCHED
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                listed = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError:
            continue
        for entry in listed:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
                continue
            try:
                if entry.is_file() and not (
                    entry.is_symlink() and not _is_inside(entry.path, real_root)
                ):
                    yield os.path.relpath(entry.path, folder), _stamp(entry.stat())
                    left -= 1
            except OSError:
                continue
        if left <= 0:
            return
