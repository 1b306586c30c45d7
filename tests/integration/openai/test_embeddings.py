"""Embeddings over the wire: of a double that makes them of words, and of servers that fail."""

import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.knowledge.index import KnowledgeIndex
from adapters.openai.client import OpenAIClient
from adapters.openai.embeddings import OpenAIEmbedder
from adapters.system import SystemClock
from domain.errors import KnowledgeUnavailable
from domain.identity import BusinessId
from tests.support.embeddings import hashed_vector
from tests.support.openai_stub import Answer, Stub, Wire, hangs, plain, refuses, stub


async def embeds(wire: Wire) -> None:
    """Answer as OpenAI's server does, but in another order."""
    data = [
        {"object": "embedding", "index": index, "embedding": hashed_vector(text)}
        for index, text in enumerate(wire.request.body["input"])
    ]
    await plain(json.dumps({"object": "list", "data": data[::-1]}).encode())(wire)


def answer_of(*data: Any) -> Answer:
    return plain(json.dumps({"data": data}).encode())


@asynccontextmanager
async def embedder(
    *answers: Answer, timeout_s: float = 10
) -> AsyncIterator[tuple[OpenAIEmbedder, Stub]]:
    async with stub(*answers) as running:
        client = OpenAIClient(running.url, "s3cret", "small", SystemClock())
        async with OpenAIEmbedder(client, timeout_s=timeout_s) as opened:
            yield opened, running


async def test_each_text_has_the_vector_of_its_place() -> None:
    async with embedder(embeds) as (opened, server):
        vectors = await opened.embed(["apples", "pears", "x" * 100_000])

    assert vectors[:2] == [hashed_vector("apples"), hashed_vector("pears")]
    (request,) = server.requests
    assert request.headers["authorization"] == "Bearer s3cret"
    assert request.body["model"] == "small"
    assert len(request.body["input"][2]) < 10_000


@pytest.mark.parametrize(
    "answer",
    [
        refuses("401 Unauthorized", message="Incorrect API key s3cret"),
        refuses("500 Internal Server Error"),
        plain(b"<html>"),
        plain(b'{"data": []}'),
        answer_of({"index": 0, "embedding": []}),
        answer_of({"index": 0, "embedding": ["a"]}),
        answer_of({"index": 1, "embedding": [1.0]}),
        hangs,
    ],
)
async def test_a_server_that_gives_no_vector_is_unavailable_and_its_words_are_not_repeated(
    answer: Answer,
) -> None:
    async with embedder(answer, timeout_s=0.5) as (opened, _):
        with pytest.raises(KnowledgeUnavailable) as raised:
            await opened.embed(["apples"])

    assert "s3cret" not in str(raised.value)


async def test_vectors_of_different_lengths_are_refused() -> None:
    different = answer_of({"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]})
    async with embedder(different) as (opened, _):
        with pytest.raises(KnowledgeUnavailable):
            await opened.embed(["apples", "pears"])


async def test_a_search_asks_the_server_once_and_finds_by_words_without_it(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a.md").write_text("# Rooms\n\nAll have a balcony.")
    async with embedder(embeds, embeds, refuses("503 Service Unavailable")) as (opened, server):
        index = KnowledgeIndex(tmp_path / "index", embedder=opened)
        await index.update(BusinessId("b1"), tmp_path / "documents")
        found = [await index.search(BusinessId("b1"), "a balcony") for _ in range(4)]

    assert [len(each) for each in found] == [1, 1, 1, 1]
    assert len(server.requests) == 3
    assert math.isclose(found[0][0].score, 2 / 61)  # first by words, and by meaning
