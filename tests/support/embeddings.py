"""An embedder whose vectors are made of the hashes of words: the same ones on every machine."""

import asyncio
import zlib
from collections.abc import Mapping, Sequence

from adapters.knowledge.words import content_words
from application.ports import Embedder
from domain.errors import KnowledgeUnavailable

LENGTH = 64


def hashed_vector(text: str, synonyms: Mapping[str, str] = {}) -> list[float]:
    """Return a vector in which each content word is one in one place, or its synonym is."""
    vector = [0.0] * LENGTH
    for word in content_words(text):
        vector[zlib.crc32(synonyms.get(word, word).encode()) % LENGTH] += 1.0
    return vector


class HashedEmbedder(Embedder):
    """Texts with the same words, or their synonyms, are near one another."""

    def __init__(self, model: str = "hashed", synonyms: Mapping[str, str] = {}) -> None:
        self._model = model
        self._synonyms = synonyms
        self.texts: list[str] = []
        """All that was embedded."""
        self.asked = 0
        self.is_away = self.is_silent = False
        """True: it fails, or never answers."""

    @property
    def model(self) -> str:
        return self._model

    async def embed(self, texts: Sequence[str]) -> list[Sequence[float]]:
        self.asked += 1
        if self.is_silent:
            await asyncio.Event().wait()
        if self.is_away:
            raise KnowledgeUnavailable("it is away")
        self.texts += texts
        return [hashed_vector(text, self._synonyms) for text in texts]
