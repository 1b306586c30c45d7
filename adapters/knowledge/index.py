"""The search in the documents of businesses: their indexes, kept up to date, and embeddings.

Each business has an index of its own, a file that every process of the machine reads, and that one
at a time replaces.
"""

import asyncio
import fcntl
import logging
import os
import re
import sqlite3
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from math import hypot, isfinite
from pathlib import Path
from struct import pack
from typing import Self

from msgspec import Struct

from adapters.knowledge.folder import Found, find_documents, read_document
from adapters.knowledge.index_file import Document, IndexFile, IndexReader, NewContent, digest
from adapters.knowledge.reader import DocumentReader
from adapters.knowledge.words import LONGEST_QUERY
from adapters.private_file import make_private
from application.ports import Embedder, Knowledge, Lifecycle
from domain.digest import digest_of
from domain.errors import KnowledgeUnavailable
from domain.identity import BusinessId
from domain.knowledge import Finding

logger = logging.getLogger(__name__)

EMBEDDING_S = 0.7
"""The time that a search waits for the embedding of its query."""
REST_S = 30.0
"""The time for which an embedder that has failed is not asked again by a search, and an index that
could not be used is not rebuilt again."""
EMBEDDED_AT_ONCE = 64
"""Passages that are embedded by one request."""
PART = 20_000
"""Passages that are written at once: a long update keeps no more of them in memory."""
READERS = 2
"""Indexes that this process updates at once."""
SHOWN_PROBLEMS = 20
"""Problems that are logged one by one after an update."""

_FUSION = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke, Büttcher 2009)."""
_BUSY_S = 0.05
"""The pause before an index is tried again that another process updates."""


class IndexReport(Struct, frozen=True, kw_only=True):
    """What an index has after an update, and what was done."""

    documents: int
    passages: int
    read: int
    """Documents that were new or changed."""
    removed: int
    problems: Mapping[str, str]
    """Path → why the document cannot be read. What it had before can still be found."""


class KnowledgeIndex(Knowledge, Lifecycle):
    """Searches the indexes in a folder; `update` and `remove` keep them up to date.

    Words find passages by themselves; an embedder adds those that mean the same. Use it as
    `async with index:`.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        embedder: Embedder | None = None,
        least_similarity: float = 0.4,
        embedding_s: float = EMBEDDING_S,
    ) -> None:
        """`least_similarity`: the cosine from which a passage is found by its meaning alone."""
        self._folder = Path(folder)
        self._embedder = embedder
        self._least_similarity = least_similarity
        self._embedding_s = embedding_s
        self._is_embedder_away = False
        self._asks_at = 0.0
        """When the embedder is asked again by a search."""
        self._sources: dict[BusinessId, Path] = {}
        self._readers = asyncio.Semaphore(READERS)
        self._not_embedded: set[BusinessId] = set()
        """Businesses with passages that still need a vector."""
        self._work: dict[BusinessId, asyncio.Task[None]] = {}
        """The last update or removal that was begun for a business, until it ends."""
        self._tries_at: dict[BusinessId, float] = {}
        """When a search may begin an update again."""
        self._versions: dict[BusinessId, tuple[object, str]] = {}
        """The state of an index, and the digest of what it has."""

    async def __aenter__(self) -> Self:
        if self._embedder is not None:
            await self._embedder.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        work = list(self._work.values())
        for each in work:
            each.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        if self._embedder is not None:
            await self._embedder.__aexit__(*exc)

    async def search(
        self, business_id: BusinessId, query: str, limit: int = 5
    ) -> tuple[Finding, ...]:
        path = self._path(business_id)
        if (state := _state(path)) is None:
            return ()
        vector = await self._query_vector(query)
        if vector is not None and business_id in self._not_embedded:
            self._begin_again(business_id, None)
        try:
            return await asyncio.to_thread(self._search, path, query, vector, limit)
        except sqlite3.Error as error:
            if _state(path) is None:  # removed in the meantime
                return ()
            logger.warning(
                "The index of a business's documents cannot be used",
                extra={"action": "knowledge_broken", "business_id": business_id},
            )
            self._begin_again(business_id, state)
            raise KnowledgeUnavailable(f"{path}: {error}") from error

    async def version(self, business_id: BusinessId) -> str:
        path = self._path(business_id)
        if (state := _state(path)) is None:
            return ""
        known = self._versions.get(business_id)
        if known is None or known[0] != state:
            try:
                documents = await asyncio.to_thread(_documents, path)
            except sqlite3.Error:
                return ""
            model = self._embedder.model if self._embedder is not None else ""
            known = (
                state,
                digest_of((model, [(each, documents[each].digest) for each in documents])),
            )
            self._versions[business_id] = known
        return known[1]

    def _search(
        self, path: Path, query: str, vector: bytes | None, limit: int
    ) -> tuple[Finding, ...]:
        with IndexReader(path) as reader:
            ranked = reader.search(query)
            if vector is not None and self._embedder is not None:
                least = self._least_similarity
                ranked = _fused(ranked, reader.nearest(self._embedder.model, vector, least))
            return reader.read(ranked, limit)

    async def update(self, business_id: BusinessId, folder: Path) -> IndexReport:
        """Index the documents of a folder, those that are new or changed; no folder has none.

        Several processes may do so at once: the first does it. Raises: KnowledgeUnavailable.
        """
        self._sources[business_id] = folder
        return await self._update(business_id, folder, None)

    async def remove(self, business_id: BusinessId) -> None:
        """Remove the index of a business. Raises: KnowledgeUnavailable."""
        self._sources.pop(business_id, None)
        async with self._alone(business_id) as file:
            await asyncio.to_thread(file.path.unlink, missing_ok=True)

    async def retain(self, business_ids: Collection[BusinessId]) -> None:
        """Remove the indexes of all other businesses: of those that went while no process ran.

        Raises: KnowledgeUnavailable.
        """
        kept = {self._path(business_id) for business_id in business_ids}
        try:
            for path in self._folder.glob("*.sqlite3"):
                if path not in kept:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise KnowledgeUnavailable(f"{self._folder}: {error}") from error

    async def _update(
        self, business_id: BusinessId, folder: Path, broken: object | None
    ) -> IndexReport:
        """`broken`: the state of the index that cannot be used, of which nothing is kept."""
        async with self._readers, self._alone(business_id) as file:
            is_new = not await asyncio.to_thread(file.is_usable)
            is_new |= broken is not None and _state(file.path) == broken
            try:
                report = await _write(file, folder, is_new=is_new)
            except sqlite3.DatabaseError:
                report = await _write(file, folder, is_new=True)
            if report.read or report.removed:
                _log(business_id, report)
            if self._embedder is not None:
                if await self._embed(file, self._embedder):
                    self._not_embedded.discard(business_id)
                else:
                    self._not_embedded.add(business_id)
        return report

    async def _embed(self, file: IndexFile, embedder: Embedder) -> bool:
        """Give a vector to each passage that has none; False: some still have none."""
        texts, vectors = await asyncio.to_thread(_embedded, file.path, embedder.model)
        known = vectors.keys()
        vectors = {content: vectors[content] for content in texts if content in known}
        missing = [content for content in texts if content not in known]
        if not missing and len(vectors) == len(known):
            return True
        try:
            for begin in range(0, len(missing), EMBEDDED_AT_ONCE):
                batch = missing[begin : begin + EMBEDDED_AT_ONCE]
                made = await embedder.embed([texts[content] for content in batch])
                vectors.update(zip(batch, map(_packed, made), strict=True))
        except KnowledgeUnavailable as error:
            self._embedder_failed(error)
        length = len(next(reversed(vectors.values()), b""))
        alike = {content: vector for content, vector in vectors.items() if len(vector) == length}
        await asyncio.to_thread(file.put_vectors, embedder.model, alike)
        return len(alike) == len(texts)

    async def _query_vector(self, query: str) -> bytes | None:
        """Return the embedding of a query; None: there is none, or not in time."""
        now = asyncio.get_running_loop().time()
        if self._embedder is None or now < self._asks_at:
            return None
        try:
            async with asyncio.timeout(self._embedding_s):
                (vector,) = await self._embedder.embed([query[:LONGEST_QUERY]])
        except (KnowledgeUnavailable, TimeoutError) as error:
            self._asks_at = now + REST_S
            self._embedder_failed(error)
            return None
        if self._is_embedder_away:
            self._is_embedder_away = False
            logger.info("Embeddings are made again", extra={"action": "embeddings_back"})
        return _packed(vector)

    def _embedder_failed(self, error: Exception) -> None:
        if not self._is_embedder_away:
            self._is_embedder_away = True
            logger.warning(
                "Embeddings cannot be made: documents are searched by words alone: %s",
                str(error) or "it takes too long",
                extra={"action": "embeddings_away"},
            )

    def follow(self, business_id: BusinessId, folder: Path | None) -> None:
        """Begin to index a folder that is new or has changed; None: to remove the index.

        It waits for nothing. What goes wrong is logged.
        """
        if folder is None:
            self._sources.pop(business_id, None)
        else:
            self._sources[business_id] = folder
        self._begin_work(business_id, None)

    def _begin_work(self, business_id: BusinessId, broken: object | None) -> None:
        """Begin an update or a removal, after those under way. `broken`: see `_update`."""
        previous = self._work.get(business_id)

        async def work() -> None:
            if previous is not None:
                await asyncio.gather(previous, return_exceptions=True)  # it is cancelled with this
            folder = self._sources.get(business_id)
            try:
                if folder is None:
                    await self.remove(business_id)
                else:
                    await self._update(business_id, folder, broken)
            except Exception as error:  # whatever it was, other businesses are indexed
                logger.error(
                    "The documents of a business cannot be indexed: %s",
                    error,
                    extra={"action": "knowledge_failed", "business_id": business_id},
                )
            finally:
                if self._work.get(business_id) is asyncio.current_task():
                    del self._work[business_id]

        self._work[business_id] = asyncio.create_task(work())

    def _begin_again(self, business_id: BusinessId, broken: object | None) -> None:
        """Begin an update that a search found to be needed, unless one has just been tried."""
        now = asyncio.get_running_loop().time()
        if business_id in self._sources and now >= self._tries_at.get(business_id, 0.0):
            self._tries_at[business_id] = now + REST_S
            self._begin_work(business_id, broken)

    def _path(self, business_id: BusinessId) -> Path:
        """Return the file of a business's index: no id leads out of the folder, or is too long."""
        readable = re.sub(r"[^a-z0-9]+", "-", business_id.lower())[:32]
        return self._folder / f"{readable}.{digest(business_id).hex()}.sqlite3"

    @asynccontextmanager
    async def _alone(self, business_id: BusinessId) -> AsyncIterator[IndexFile]:
        """Let no other process write the index meanwhile. Raises: KnowledgeUnavailable."""
        path = self._path(business_id)
        lock_path = path.with_suffix(".lock")
        try:
            make_private(lock_path)
            lock = os.open(lock_path, os.O_RDWR)
            try:
                await _locked(lock)
                yield IndexFile(path)
            finally:
                os.close(lock)
        except (OSError, sqlite3.Error) as error:
            raise KnowledgeUnavailable(f"{path}: {error}") from error


async def _locked(lock: int) -> None:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            await asyncio.sleep(_BUSY_S)


def _state(path: Path) -> object | None:
    """Return what changes when the index is replaced; None: there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


async def _write(file: IndexFile, folder: Path, *, is_new: bool) -> IndexReport:
    found = await asyncio.to_thread(find_documents, folder)
    known = {} if is_new else await asyncio.to_thread(_documents, file.path)
    removed = known.keys() - {each.path for each in found}
    changes: list[NewContent] = []
    read = pending = 0
    async with DocumentReader() as reader:
        for each in found:
            change = await _change(reader, folder, each, known.get(each.path))
            if change is None:
                continue
            changes.append(change)
            read += 1
            pending += len(change.passages)
            if pending > PART:
                await asyncio.to_thread(file.replace, changes, (), is_new=is_new)
                changes, pending, is_new = [], 0, False
    if changes or removed or is_new:
        await asyncio.to_thread(file.replace, changes, removed, is_new=is_new)
    return await asyncio.to_thread(_report, file.path, read, len(removed))


async def _change(
    reader: DocumentReader, folder: Path, found: Found, known: Document | None
) -> NewContent | None:
    """Read a document; None: the index has its content."""
    content = await asyncio.to_thread(read_document, folder, found)
    current = digest(content)
    if known is not None and known.digest == current:
        return None
    if isinstance(content, str):
        return NewContent(found.path, Document(current, content), ())
    reading = await reader.read(found.path, content)
    return NewContent(found.path, Document(current, reading.problem), reading.passages)


def _documents(path: Path) -> dict[str, Document]:
    with IndexReader(path) as reader:
        return reader.documents()


def _embedded(path: Path, model: str) -> tuple[dict[bytes, str], dict[bytes, bytes]]:
    """Return the texts that need vectors, and the vectors that there are."""
    with IndexReader(path) as reader:
        return reader.texts(), reader.embedded(model)


def _report(path: Path, read: int, removed: int) -> IndexReport:
    with IndexReader(path) as reader:
        documents = reader.documents()
        return IndexReport(
            documents=len(documents),
            passages=reader.count(),
            read=read,
            removed=removed,
            problems={
                name: each.problem for name, each in documents.items() if each.problem is not None
            },
        )


def _log(business_id: BusinessId, report: IndexReport) -> None:
    for name, problem in list(report.problems.items())[:SHOWN_PROBLEMS]:
        logger.warning(
            "A document cannot be read: %s: %s",
            name,
            problem,
            extra={"action": "document_refused", "business_id": business_id},
        )
    logger.info(
        "The documents of a business were indexed",
        extra={
            "action": "knowledge_indexed",
            "business_id": business_id,
            "documents": report.documents,
            "passages": report.passages,
            "read": report.read,
            "removed": report.removed,
            "problems": len(report.problems),
        },
    )


def _packed(vector: Sequence[float]) -> bytes:
    """Return a vector of length 1, as the index has it; one without a direction is nowhere near."""
    length = hypot(*vector)
    if not length or not isfinite(length):
        return pack(f"<{len(vector)}f", *([0.0] * len(vector)))
    return pack(f"<{len(vector)}f", *(each / length for each in vector))


def _fused(*rankings: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return one ranking of several by the places alone: their scores cannot be compared."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for place, (number, _) in enumerate(ranking, 1):
            scores[number] = scores.get(number, 0.0) + 1 / (_FUSION + place)
    return sorted(scores.items(), key=lambda each: -each[1])
