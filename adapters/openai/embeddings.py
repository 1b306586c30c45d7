"""Embeddings behind OpenAI's API, or one like it: `POST /v1/embeddings`."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Self

import msgspec
import openai
from msgspec import Meta, Struct

from adapters.http_client import read_bounded
from adapters.openai.client import FAILURES, OpenAIClient, reason
from application.ports import Embedder
from domain.errors import KnowledgeUnavailable

EMBEDDINGS_PATH = "/embeddings"
EMBEDDING_TIMEOUT_S = 60.0
"""The time for one request, in which a passage is waited for; a search waits less."""
LONGEST_TEXT = 6_000
"""Characters of a text that are sent: most models take 512 tokens or more, some refuse others."""
MAX_EMBEDDINGS = 64 * 1024 * 1024


class _Embedding(Struct):
    index: int
    embedding: Annotated[list[float], Meta(min_length=1, max_length=65_536)]


class _Embeddings(Struct):
    data: list[_Embedding]


class OpenAIEmbedder(Embedder):
    """Asks a model for embeddings; use it as `async with embedder:`."""

    def __init__(self, client: OpenAIClient, *, timeout_s: float = EMBEDDING_TIMEOUT_S) -> None:
        """`client`: of that model; it is opened and closed here."""
        self._client = client
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.__aexit__(*exc)

    @property
    def model(self) -> str:
        return self._client.name

    async def embed(self, texts: Sequence[str]) -> list[Sequence[float]]:
        body = {
            "model": self.model,
            "input": [text[:LONGEST_TEXT] for text in texts],
            "encoding_format": "float",  # which all servers know
        }
        failed = None
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.send(EMBEDDINGS_PATH, body)
                try:
                    content = await read_bounded(response.aiter_raw(), MAX_EMBEDDINGS)
                finally:
                    await response.aclose()
        except openai.APIStatusError as error:
            failed = f"{error.status_code}"
        except TimeoutError:
            failed = "it takes too long"
        except FAILURES as error:
            failed = reason(error)
        # Outside of `except`: what the SDK raises may quote the request or the key.
        if failed is not None:
            raise KnowledgeUnavailable(f"{self.model}: {failed}")
        return self._vectors(content, len(texts))

    def _vectors(self, content: bytes | None, count: int) -> list[Sequence[float]]:
        try:
            answer = msgspec.json.decode(content or b"", type=_Embeddings)
        except msgspec.DecodeError:
            raise KnowledgeUnavailable(f"{self.model}: the answer has no embeddings") from None
        found = {each.index: each.embedding for each in answer.data}
        vectors = [found[index] for index in range(count) if index in found]
        if len(vectors) != count or len({len(vector) for vector in vectors}) > 1:
            raise KnowledgeUnavailable(f"{self.model}: the answer is not one vector for each text")
        return list(vectors)
