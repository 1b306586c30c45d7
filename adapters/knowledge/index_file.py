"""The index of one business: a SQLite file that is never changed, but replaced by the next one.

A reader therefore needs no lock and sees no half of a change, whichever process makes it.
"""

import math
import shutil
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex
from typing import Self
from urllib.parse import quote

from msgspec import Struct

from adapters.knowledge.words import indexed, query_words
from adapters.private_file import make_private
from domain.knowledge import Finding, Passage

INDEX_VERSION = 1
"""Of the schema, of the passages and of their words: with another one all is read again."""
TITLE_WEIGHT = 2.0
"""Of a word in the headings, against one in the text."""
PRIOR = 50
"""As if there were so many more passages: a few alone do not show how rare a word is."""
LEAST_SHARE = 0.25
"""The share of a query, weighted by how rare its words are, that a passage must have."""
CANDIDATES = 30
"""The passages that are ranked by their share too."""

_BLOCK = 1_000
"""Vectors of one row: to read them one by one takes several times as long as to compare them."""
_DIGEST = 16
_SCHEMA = """
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, digest BLOB NOT NULL, problem TEXT
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL, title TEXT NOT NULL, location TEXT NOT NULL,
    text TEXT NOT NULL, digest BLOB NOT NULL
);
CREATE INDEX passages_of_document ON passages (document);
CREATE INDEX passages_by_digest ON passages (digest);
CREATE VIRTUAL TABLE words USING fts5 (
    title, text, tokenize = 'unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE word_counts USING fts5vocab (words, row);
CREATE TABLE vectors (
    model TEXT NOT NULL, length INTEGER NOT NULL, digests BLOB NOT NULL, vectors BLOB NOT NULL
);
"""


class Document(Struct, frozen=True):
    """A document as the index has it."""

    digest: bytes
    problem: str | None
    """Why its newest content could not be read; its passages are then those of the one before."""


class NewContent(Struct, frozen=True):
    """A new document, or new content of one."""

    path: str
    document: Document
    passages: Sequence[Passage]


def digest(text: str | bytes) -> bytes:
    """Return what identifies a content."""
    return blake2b(text if isinstance(text, bytes) else text.encode(), digest_size=_DIGEST).digest()


def embedded_text(title: str, text: str) -> str:
    """Return the text of a passage that an embedding is made of."""
    return f"{title}\n{text}"


class IndexReader:
    """An open index, as it was when it was opened. Every method raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        """Raises: sqlite3.Error."""
        # Immutable: there is nothing to lock, and nothing to be looked for beside it.
        address = f"file:{quote(str(path))}?mode=ro&immutable=1"
        self._db = sqlite3.connect(address, uri=True, check_same_thread=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._db.close()

    def version(self) -> int:
        """Return the version of the schema; 0: it is no index."""
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def documents(self) -> dict[str, Document]:
        """Return the documents by path."""
        rows = self._db.execute("SELECT path, digest, problem FROM documents ORDER BY path")
        return {path: Document(content, problem) for path, content, problem in rows}

    def count(self) -> int:
        """Return the number of passages."""
        return int(self._db.execute("SELECT count(*) FROM passages").fetchone()[0])

    def embedded(self, model: str) -> dict[bytes, bytes]:
        """Return the vectors of this model, by the digests of their passages."""
        found: dict[bytes, bytes] = {}
        for length, digests, vectors in self._vectors(model):
            for place in range(len(digests) // _DIGEST):
                content = digests[place * _DIGEST : (place + 1) * _DIGEST]
                found[content] = vectors[place * length : (place + 1) * length]
        return found

    def texts(self) -> dict[bytes, str]:
        """Return what embeddings are made of, by the digests of the passages."""
        rows = self._db.execute("SELECT digest, title, text FROM passages ORDER BY id")
        return {content: embedded_text(title, text) for content, title, text in rows}

    def search(self, query: str) -> list[tuple[int, float]]:
        """Return the passages that share words with a query, the best first, with their scores."""
        words = query_words(query)
        counts = self._counts({stem for group in words.values() for stem in group})
        total = self.count()
        weights = {
            word: math.log((total + PRIOR) / (max(counts.get(stem, 0) for stem in group) + 0.5))
            for word, group in words.items()
        }
        stems = [stem for word in _decisive(weights) for stem in words[word] if stem in counts]
        if not stems:
            return []
        rows = self._db.execute(
            "SELECT rowid, -bm25(words, ?, 1.0) AS score FROM words WHERE words MATCH ? "
            "ORDER BY score DESC, rowid LIMIT ?",
            (TITLE_WEIGHT, " OR ".join(f'"{stem}"' for stem in stems), CANDIDATES),
        ).fetchall()
        found = []
        for passage, score in rows:
            (text,) = self._db.execute(
                "SELECT title || ' ' || text FROM words WHERE rowid = ?", (passage,)
            ).fetchone()
            share = _share(words, weights, frozenset(text.split()))
            if share >= LEAST_SHARE:
                found.append((passage, score * share))
        return sorted(found, key=lambda each: -each[1])

    def nearest(self, model: str, vector: bytes, least: float) -> list[tuple[int, float]]:
        """Return the passages whose vectors are nearest, with the cosines that are not below."""
        import numpy as np  # it takes long to load, and is needed for this alone

        found: list[tuple[bytes, float]] = []
        for length, digests, vectors in self._vectors(model):
            if length != len(vector):
                continue
            matrix = np.frombuffer(vectors, "<f4").reshape(-1, length // 4)
            cosines = matrix @ np.frombuffer(vector, "<f4")
            for place in np.argsort(-cosines, kind="stable")[:CANDIDATES]:
                content = digests[place * _DIGEST : (place + 1) * _DIGEST]
                found.append((content, float(cosines[place])))
        best = sorted(found, key=lambda each: -each[1])[:CANDIDATES]
        return [
            (number, cosine)
            for content, cosine in best
            if cosine >= least
            for (number,) in self._db.execute(
                "SELECT min(id) FROM passages WHERE digest = ? HAVING min(id) NOT NULL", (content,)
            )
        ]

    def read(self, ranked: Iterable[tuple[int, float]], limit: int) -> tuple[Finding, ...]:
        """Return the first passages of a ranking; of those with the same text, the best alone."""
        found: dict[bytes, Finding] = {}
        for number, score in ranked:
            if len(found) == limit:
                break
            title, location, text, content = self._db.execute(
                "SELECT title, location, text, digest FROM passages WHERE id = ?", (number,)
            ).fetchone()
            passage = Passage(title=title, location=location, text=text)
            found.setdefault(content, Finding(passage=passage, score=score))
        return tuple(found.values())

    def _vectors(self, model: str) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield the bytes of each vector of a block, the digests in it, and the vectors."""
        yield from self._db.execute(
            "SELECT length, digests, vectors FROM vectors WHERE model = ?", (model,)
        )

    def _counts(self, stems: Collection[str]) -> dict[str, int]:
        """Return in how many passages each stem is, without those that are in none."""
        places = ", ".join("?" * len(stems))
        return dict(
            self._db.execute(
                f"SELECT term, doc FROM word_counts WHERE term IN ({places})", tuple(stems)
            )
        )


class IndexFile:
    """Replaces the index. Every method raises sqlite3.Error or OSError.

    One process at a time may do so.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def is_usable(self) -> bool:
        """Return True if there is an index, and it is of this version."""
        try:
            with IndexReader(self.path) as reader:
                return reader.version() == INDEX_VERSION
        except sqlite3.Error:
            return False

    def replace(
        self, changes: Iterable[NewContent], removed: Iterable[str], *, is_new: bool = False
    ) -> None:
        """Write the next index. `is_new`: nothing is kept of the last one."""
        with self._next(is_new=is_new) as db:
            for path in removed:
                _remove(db, path)
            for change in changes:
                _put(db, change)

    def put_vectors(self, model: str, vectors: Mapping[bytes, bytes]) -> None:
        """Write the next index, with these vectors and no others: they are of one length."""
        digests = list(vectors)
        with self._next(is_new=False) as db:
            db.execute("DELETE FROM vectors")
            for begin in range(0, len(digests), _BLOCK):
                block = digests[begin : begin + _BLOCK]
                joined = b"".join(vectors[content] for content in block)
                row = (model, len(joined) // len(block), b"".join(block), joined)
                db.execute("INSERT INTO vectors VALUES (?, ?, ?, ?)", row)

    @contextmanager
    def _next(self, *, is_new: bool) -> Iterator[sqlite3.Connection]:
        for left in self.path.parent.glob(f"{self.path.stem}.*.next"):  # by one that was killed
            left.unlink(missing_ok=True)
        following = self.path.with_suffix(f".{token_hex(4)}.next")
        try:
            make_private(following)
            if not is_new:
                shutil.copyfile(self.path, following)
            with closing(sqlite3.connect(following, isolation_level=None)) as db:
                # If anything fails, the whole copy is thrown away.
                db.execute("PRAGMA journal_mode = OFF")
                db.execute("PRAGMA synchronous = OFF")
                if is_new:
                    db.executescript(f"{_SCHEMA} PRAGMA user_version = {INDEX_VERSION};")
                db.execute("BEGIN")
                yield db
                db.execute("COMMIT")
            following.replace(self.path)
        finally:
            following.unlink(missing_ok=True)


def _put(db: sqlite3.Connection, change: NewContent) -> None:
    path, document = change.path, change.document
    (number,) = db.execute(
        "INSERT INTO documents (path, digest, problem) VALUES (?, ?, ?) ON CONFLICT (path) "
        "DO UPDATE SET digest = excluded.digest, problem = excluded.problem RETURNING id",
        (path, document.digest, document.problem),
    ).fetchone()
    if document.problem is not None:
        return
    _remove_passages(db, number)
    for passage in change.passages:
        content = digest(embedded_text(passage.title, passage.text))
        cursor = db.execute(
            "INSERT INTO passages (document, title, location, text, digest) VALUES (?, ?, ?, ?, ?)",
            (number, passage.title, passage.location, passage.text, content),
        )
        db.execute(
            "INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)",
            (cursor.lastrowid, indexed(passage.title), indexed(passage.text)),
        )


def _remove(db: sqlite3.Connection, path: str) -> None:
    removed = db.execute("DELETE FROM documents WHERE path = ? RETURNING id", (path,)).fetchall()
    for (number,) in removed:
        _remove_passages(db, number)


def _remove_passages(db: sqlite3.Connection, document: int) -> None:
    db.execute(
        "DELETE FROM words WHERE rowid IN (SELECT id FROM passages WHERE document = ?)", (document,)
    )
    db.execute("DELETE FROM passages WHERE document = ?", (document,))


def _decisive(weights: Mapping[str, float]) -> list[str]:
    """Return the words without which no passage can have its share of a query."""
    left = LEAST_SHARE * sum(weights.values())
    ascending = sorted(weights, key=weights.__getitem__)
    while ascending and (left := left - weights[ascending[0]]) > 0:
        del ascending[0]
    return ascending


def _share(
    words: Mapping[str, tuple[str, ...]], weights: Mapping[str, float], present: Collection[str]
) -> float:
    """Return how much of a query a passage has, from 0 to 1."""
    had = sum(
        weights[word] for word, group in words.items() if any(stem in present for stem in group)
    )
    return had / sum(weights.values())
