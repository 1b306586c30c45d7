"""The time of a search in the documents of a large business, by words and by embeddings."""

import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from struct import pack

from adapters.knowledge.index import KnowledgeIndex
from adapters.knowledge.index_file import (
    Document,
    IndexFile,
    NewContent,
    digest,
    embedded_text,
)
from domain.identity import BusinessId
from domain.knowledge import Passage
from tests.bench.measures import Effort
from tests.bench.report import Figure
from tests.support.embeddings import HashedEmbedder
from tests.support.knowledge import questions, read_corpus

PASSAGES, SENTENCES = 10_000, 4
BUSINESS = BusinessId("large")
DIMENSIONS = 384
GOAL_MS = 5.0


async def knowledge(effort: Effort) -> list[Figure]:
    """Measure every question of the corpus in 10,000 passages of its sentences."""
    with tempfile.TemporaryDirectory() as folder:
        passages = _passages(Path(folder) / "corpus")
        by_words = KnowledgeIndex(Path(folder) / "index")
        (Path(folder) / "index").mkdir()
        file = IndexFile(by_words._path(BUSINESS))
        began = time.perf_counter()
        file.replace([NewContent("a.md", Document(b"", None), passages)], [], is_new=True)
        built_s = time.perf_counter() - began
        words = await _times_ms(by_words, effort)

        embedder = _Embedder()
        vectors = {
            digest(embedded_text(each.title, each.text)): embedder.packed() for each in passages
        }
        file.put_vectors(embedder.model, vectors)
        fused = KnowledgeIndex(Path(folder) / "index", embedder=embedder)
        meanings = await _times_ms(fused, effort)
    return [
        _figure("search in 10,000 passages, by words", words, f"built in {built_s:.1f} s"),
        _figure(
            f"  and by {DIMENSIONS} dimensions each",
            meanings,
            "without the request",
            has_goal=False,
        ),
    ]


class _Embedder(HashedEmbedder):
    """Makes a vector of chance for each text, at once."""

    def __init__(self) -> None:
        super().__init__()
        self._chance = random.Random(1)

    def vector(self) -> Sequence[float]:
        return [self._chance.gauss(0, DIMENSIONS**-0.5) for _ in range(DIMENSIONS)]

    def packed(self) -> bytes:
        return pack(f"<{DIMENSIONS}f", *self.vector())

    async def embed(self, texts: Sequence[str]) -> list[Sequence[float]]:
        return [self.vector() for _ in texts]


def _passages(folder: Path) -> list[Passage]:
    """Return passages of sentences of the corpus, in any order: each is in some eighty of them."""
    chance = random.Random(1)
    known = [passage for business in read_corpus(folder).values() for passage in business]
    sentences = [each for passage in known for each in passage.text.split(". ")]
    return [
        Passage(
            title=chance.choice(known).title,
            location=f"a.md#{number}",
            text=". ".join(chance.choices(sentences, k=SENTENCES)),
        )
        for number in range(PASSAGES)
    ]


async def _times_ms(index: KnowledgeIndex, effort: Effort) -> list[float]:
    times = []
    for _ in range(max(2, effort.rounds // 5)):
        for question in questions():
            began = time.perf_counter()
            await index.search(BUSINESS, question.question)
            times.append((time.perf_counter() - began) * 1000)
    return times


def _figure(name: str, times: list[float], detail: str, *, has_goal: bool = True) -> Figure:
    return Figure(
        name=name,
        value=median(times),
        unit="ms",
        goal=GOAL_MS if has_goal else None,
        detail=f"{quantiles(times, n=20)[-1]:.1f} ms for the slowest twentieth of the questions; "
        f"{detail}",
    )
