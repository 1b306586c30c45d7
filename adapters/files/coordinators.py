"""The file of coordinators: who may be one, of which businesses, and the hashes of passwords.

It is read again where it changes, and the last good version stays. Whoever changes it replaces it
whole, one at a time.
"""

import asyncio
import fcntl
import hmac
import logging
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_urlsafe
from tempfile import mkstemp
from threading import Lock
from typing import Literal

import msgspec

from adapters.files.document import Toml, UnreadableToml, parse_toml
from application.ports import Lifecycle
from domain.errors import InvalidPayload
from domain.identity import (
    BusinessId,
    CoordinatorId,
    IdentityUnavailable,
    business_identifier,
    coordinator_id,
)

logger = logging.getLogger(__name__)

MAX_LIST_BYTES = 1024 * 1024
MAX_COORDINATORS, MAX_BUSINESSES = 2_000, 100
"""Of a file, and of a coordinator."""
MIN_SIGNING_SECRET = 32
LOOK_EVERY_S = 1.0
"""Between two looks at the file."""
_HEAD = """\
# Who may be a coordinator: `ai-agent-server coordinators` writes this file anew, without comments.
# Nobody else may read it: the secret signs the coordinators' tokens. Another one signs all out.
"""

_is_hash = re.compile(
    r"\$argon2id\$v=19\$m=\d{1,7},t=\d{1,3},p=\d{1,3}\$[A-Za-z0-9+/]{8,100}\$[A-Za-z0-9+/]{16,100}"
).fullmatch

_Stamp = tuple[int, ...]
"""What changes when the file does: its time, its size, its inode, who may read it."""


class BadCoordinatorsFile(IdentityUnavailable):
    """The file of coordinators cannot be used."""


@dataclass(frozen=True, slots=True)
class Coordinator:
    """Somebody who may be a coordinator."""

    businesses: tuple[BusinessId, ...]
    password: str = field(repr=False)
    """Its hash."""


@dataclass(frozen=True, slots=True)
class CoordinatorList:
    """What the file says."""

    secret: str = field(repr=False)
    """It signs the coordinators' tokens."""
    coordinators: Mapping[CoordinatorId, Coordinator] = field(default_factory=dict)

    def credential(self, name: str, business_id: str) -> str | None:
        """Return the mark of a coordinator's password; None: it is no coordinator's of these."""
        found = self.coordinators.get(CoordinatorId(name))
        if found is None or business_id not in found.businesses:
            return None
        return hmac.digest(self.secret.encode(), found.password.encode(), "sha256").hex()[:32]

    def having(self, name: CoordinatorId, coordinator: Coordinator) -> "CoordinatorList":
        """Return the list with a coordinator added or replaced. Raises: InvalidPayload."""
        if (other := _alike(name, self.coordinators)) not in (None, name):
            raise InvalidPayload(f"{name} reads as {other}, who is another coordinator")
        if len(coordinator.businesses) > MAX_BUSINESSES:
            raise InvalidPayload(f"{name} has more than {MAX_BUSINESSES} businesses")
        return replace(self, coordinators={**self.coordinators, name: coordinator})

    def without(self, name: CoordinatorId) -> "CoordinatorList":
        """Return the list without a coordinator, who is in it."""
        rest = {each: found for each, found in self.coordinators.items() if each != name}
        return replace(self, coordinators=rest)


class CoordinatorsFile(Lifecycle):
    """The coordinators, as they were last read without a mistake."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._in_force: CoordinatorList | None = None
        self._seen: _Stamp | None = None
        self._read: _Stamp | None = None
        self._problem: str | None = None
        self._updating = Lock()

    async def __aenter__(self) -> "CoordinatorsFile":
        await asyncio.to_thread(self._update)
        return self

    @property
    def state(self) -> Literal["ok", "degraded", "down"]:
        """Whether the file is good, or an earlier version of it is in force, or none is."""
        if self._in_force is None:
            return "down"
        return "ok" if self._problem is None else "degraded"

    async def change(self, change: Callable[[CoordinatorList], CoordinatorList]) -> None:
        """Change the file, and put it into force. Raises: BadCoordinatorsFile."""
        await asyncio.to_thread(change_coordinators, self._path, change)
        await asyncio.to_thread(self._update)

    @property
    def in_force(self) -> CoordinatorList:
        """The list in force. Raises: IdentityUnavailable, if none could be read yet."""
        if self._in_force is None:  # what is wrong is for the log, and not for strangers
            raise IdentityUnavailable
        return self._in_force

    async def refresh(self) -> float:
        """Read the file if it has changed and settled; return the seconds until the next time."""
        await asyncio.to_thread(self._look)
        return LOOK_EVERY_S

    def _look(self) -> None:
        """Read the file where a second look finds the same: nothing is read half-written."""
        found = _stamp_of(self._path)
        has_settled, self._seen = found == self._seen, found
        if has_settled and found != self._read:
            self._update()

    def _update(self) -> None:
        with self._updating:  # else an older reading could come last
            self._seen = self._read = _stamp_of(self._path)
            before, self._problem = self._problem, None
            try:
                self._in_force = read_coordinators(self._path)
            except BadCoordinatorsFile as error:
                self._problem = str(error)
        if self._problem in (None, before):
            return
        extra = {"action": "coordinators_unread", "problem": self._problem}
        if self._in_force is None:
            logger.error("No coordinator can sign in: their file is not good", extra=extra)
        else:
            logger.warning("The file of coordinators is not good; its last good version stays",
                           extra=extra)  # fmt: skip


def read_coordinators(path: Path) -> CoordinatorList:
    """Read the file. Raises: BadCoordinatorsFile, which says why and quotes no value."""
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            document = file.read(MAX_LIST_BYTES + 1)
    except OSError as error:
        raise BadCoordinatorsFile(f"{path}: cannot be read: {error.strerror}") from None
    if mode & 0o007:
        raise BadCoordinatorsFile(f"{path}: others can read it: chmod o= {path}")
    if len(document) > MAX_LIST_BYTES:
        raise BadCoordinatorsFile(f"{path}: is larger than {MAX_LIST_BYTES // 2**20} MiB")
    try:
        return _list_in(parse_toml(document))
    except UnreadableToml as error:
        line, text = error.mistake
        raise BadCoordinatorsFile(f"{path}{f':{line}' if line else ''}: {text}") from None
    except (msgspec.ValidationError, InvalidPayload) as error:
        raise BadCoordinatorsFile(f"{path}: {error}") from None


def change_coordinators(path: Path, change: Callable[[CoordinatorList], CoordinatorList]) -> None:
    """Replace the file, or make it; `change` gets what it says now, and nobody else changes it.

    Raises: BadCoordinatorsFile, and what `change` raises.
    """
    try:
        real = path.resolve()
        real.parent.mkdir(parents=True, exist_ok=True)
        with _only_writer(real.parent):
            is_new = not real.exists()
            before = CoordinatorList(token_urlsafe()) if is_new else read_coordinators(real)
            after = change(before)
            if after != before or is_new:
                _replace(real, _written(after))
    except OSError as error:
        raise BadCoordinatorsFile(f"{path}: cannot be written: {error.strerror}") from error


class _CoordinatorTable(msgspec.Struct, forbid_unknown_fields=True):
    """`[coordinators.NAME]`."""

    businesses: list[str]
    password: str


class _FileTable(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file."""

    secret: str
    coordinators: dict[str, _CoordinatorTable] = {}


def _list_in(table: Toml) -> CoordinatorList:
    """Return what a file says. Raises: ValidationError, InvalidPayload."""
    read = msgspec.convert(table, _FileTable)
    if len(read.secret) < MIN_SIGNING_SECRET:
        raise InvalidPayload(f"secret: must have at least {MIN_SIGNING_SECRET} characters")
    if len(read.coordinators) > MAX_COORDINATORS:
        raise InvalidPayload(f"coordinators: are more than {MAX_COORDINATORS:,}")
    coordinators, names = dict[CoordinatorId, Coordinator](), set[str]()
    for given, each in read.coordinators.items():
        where = f"coordinators.{_quoted(given)}"
        name = coordinator_id(where, given)
        if (read_as := _folded(name)) in names:
            raise InvalidPayload(f"{where}: is there twice, in whatever spelling")
        names.add(read_as)
        if not 0 < len(each.businesses) <= MAX_BUSINESSES:
            raise InvalidPayload(f"{where}.businesses: must be 1 to {MAX_BUSINESSES}")
        if _is_hash(each.password) is None:
            raise InvalidPayload(
                f"{where}.password: must be the hash that `ai-agent-server coordinators password` "
                "writes, never the password itself"
            )
        businesses = (business_identifier(f"{where}.businesses", one) for one in each.businesses)
        coordinators[name] = Coordinator(tuple(dict.fromkeys(businesses)), each.password)
    return CoordinatorList(read.secret, coordinators)


def _alike(name: CoordinatorId, names: Iterable[CoordinatorId]) -> CoordinatorId | None:
    """Return the one of the names that is this one but for capitals and the shape of letters."""
    read_as = _folded(name)
    return next((each for each in names if _folded(each) == read_as), None)


def _folded(name: str) -> str:
    """Return a name as it is compared with others: colleagues and customers read it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _written(what: CoordinatorList) -> str:
    lines = [_HEAD, f"secret = {_quoted(what.secret)}"]
    for name, each in what.coordinators.items():
        businesses = ", ".join(_quoted(one) for one in each.businesses)
        lines += ["", f"[coordinators.{_quoted(name)}]", f"businesses = [{businesses}]"]
        lines.append(f"password = {_quoted(each.password)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a text as TOML has it: JSON's escapes are among its own."""
    return msgspec.json.encode(text).decode()


def _stamp_of(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    """Hold the lock of those who change the file, whichever process they are in."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, text: str) -> None:
    """Replace a file at once by one that its owner, and the group that could before, may read."""
    descriptor, written = mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 600
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            if path.exists():
                before = path.stat()  # its owner would be shut out otherwise
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
                os.fchmod(file.fileno(), before.st_mode & 0o660)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(written, path)
    except BaseException:
        os.unlink(written)
        raise
