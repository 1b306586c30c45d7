"""The index of a business's documents: kept up to date, shared, and searched."""

import asyncio
import logging
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.knowledge import index as index_module
from adapters.knowledge.folder import MAX_DOCUMENTS
from adapters.knowledge.index import IndexReport, KnowledgeIndex
from adapters.knowledge.index_file import Document, IndexFile, IndexReader, NewContent
from adapters.knowledge.reader import DocumentReader, Reading
from application.ports import Embedder
from domain.errors import KnowledgeUnavailable
from domain.identity import BusinessId
from domain.knowledge import Passage
from tests.support.embeddings import HashedEmbedder

B1, B2 = BusinessId("b1"), BusinessId("b2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The documents of a business."""
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "menu.md").write_text("# Menu\n\n## Desserts\n\nPlăcintă cu mere.\n")
    (documents / "rooms.md").write_text("# Rooms\n\nAll have a balcony.\n")
    return documents


@pytest.fixture
def index(tmp_path: Path) -> KnowledgeIndex:
    return KnowledgeIndex(tmp_path / "index")


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the documents that are parsed from now on."""
    paths: list[str] = []
    read = DocumentReader.read

    async def spied(self: DocumentReader, path: str, content: bytes) -> Reading:
        paths.append(path)
        return await read(self, path, content)

    monkeypatch.setattr(DocumentReader, "read", spied)
    return paths


async def places(index: KnowledgeIndex, query: str, business: BusinessId = B1) -> list[str]:
    return [finding.passage.location for finding in await index.search(business, query)]


async def test_a_passage_is_found_without_its_accents_and_endings(
    index: KnowledgeIndex, folder: Path
) -> None:
    await index.update(B1, folder)

    (found,) = await index.search(B1, "aveti PLACINTE?")

    assert found.passage == Passage(
        title="Menu › Desserts", location="menu.md#desserts", text="Plăcintă cu mere."
    )
    assert found.score > 0


async def test_a_business_finds_nothing_of_another_one(index: KnowledgeIndex, folder: Path) -> None:
    await index.update(B1, folder)
    await index.update(B2, folder / "none")

    assert await places(index, "balcony") == ["rooms.md#rooms"]
    assert await places(index, "balcony", B2) == []
    assert await places(index, "balcony", BusinessId("../b1")) == []
    assert await places(index, "balcony", BusinessId("x" * 10_000)) == []


async def test_only_what_has_changed_is_parsed_again(
    index: KnowledgeIndex, folder: Path, parsed: list[str]
) -> None:
    first = await index.update(B1, folder)
    second = await index.update(B1, folder)
    (folder / "rooms.md").write_text("# Rooms\n\nSome have a terrace.\n")
    (folder / "menu.md").touch()
    third = await index.update(B1, folder)

    assert parsed == ["menu.md", "rooms.md", "rooms.md"]
    assert [report.read for report in (first, second, third)] == [2, 0, 1]
    assert await places(index, "balcony") == []
    assert await places(index, "terrace") == ["rooms.md#rooms"]


async def test_what_is_removed_is_found_no_more(index: KnowledgeIndex, folder: Path) -> None:
    await index.update(B1, folder)
    (folder / "rooms.md").unlink()

    report = await index.update(B1, folder)

    assert report == IndexReport(documents=1, passages=1, read=0, removed=1, problems={})
    assert await places(index, "balcony") == []
    assert await places(index, "mere") == ["menu.md#desserts"]


async def test_the_index_of_a_removed_business_is_removed(
    index: KnowledgeIndex, folder: Path, tmp_path: Path
) -> None:
    for business in (B1, B2):
        await index.update(business, folder)
    await index.remove(B1)
    there = {path.name for path in (tmp_path / "index").glob("*.sqlite3")}
    await index.retain([])

    assert len(there) == 1
    assert await places(index, "balcony") == []
    assert await places(index, "balcony", B2) == []


async def test_a_folder_is_followed_in_the_order_of_its_changes(
    index: KnowledgeIndex, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with index:
        index.follow(B1, folder)
        index.follow(B2, folder)
        (folder / "new.md").write_text("A lift.")
        index.follow(B1, folder)
        index.follow(B2, None)
        await asyncio.gather(*index._work.values())

        assert await places(index, "lift") == ["new.md"]
        assert await places(index, "lift", B2) == []
        assert index._work == {}
        assert "cannot" not in caplog.text


async def test_what_goes_wrong_while_a_folder_is_followed_is_logged(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "index").write_text("a file")
    async with KnowledgeIndex(tmp_path / "index") as index:
        index.follow(B1, folder)
        await asyncio.gather(*index._work.values())

    assert "The documents of a business cannot be indexed" in caplog.text


async def test_a_document_that_cannot_be_read_harms_no_other_and_keeps_what_it_had(
    index: KnowledgeIndex, folder: Path, caplog: pytest.LogCaptureFixture, parsed: list[str]
) -> None:
    await index.update(B1, folder)
    (folder / "rooms.md").write_bytes(b"\xff\xfe\0")
    (folder / "new.md").write_text("A lift.")

    report = await index.update(B1, folder)
    again = await index.update(B1, folder)

    assert dict(report.problems) == {"rooms.md": "it is not text in UTF-8: save it as UTF-8"}
    assert again.problems == report.problems
    assert again.read == 0
    assert parsed.count("rooms.md") == 2
    assert await places(index, "lift") == ["new.md"]
    assert await places(index, "balcony") == ["rooms.md#rooms"]
    assert "A document cannot be read: rooms.md: it is not text in UTF-8" in caplog.text


async def test_what_is_no_document_is_reported_and_never_opened(
    index: KnowledgeIndex, folder: Path, tmp_path: Path, parsed: list[str]
) -> None:
    (tmp_path / "secret.md").write_text("The balcony code is 1234.")
    (tmp_path / "outside").mkdir()
    (folder / "link.md").symlink_to(tmp_path / "secret.md")
    (folder / "out").symlink_to(tmp_path / "outside")
    (folder / "in").symlink_to(folder)
    (folder / "inside.md").symlink_to(folder / "menu.md")
    (folder / "loop.md").symlink_to("loop.md")
    os.mkfifo(folder / "pipe.md")
    (folder / "table.xlsx").write_bytes(b"PK")
    with (folder / "large.md").open("wb") as large:
        large.truncate(50_000_000)
    os.close(os.open(os.fsencode(folder) + b"/\xff.md", os.O_CREAT))
    (folder / ".hidden.md").write_text("hidden")
    (folder / "~$open.md").write_text("hidden")

    report = await index.update(B1, folder)

    problems = dict(report.problems)
    assert problems.pop("loop.md").startswith("it cannot be read: ")
    assert problems == {
        "link.md": "it is a link that leads out of the folder",
        "out": "it is a link that leads out of the folder",
        "in": "it is a link to a folder: move the folder itself here",
        "pipe.md": "it is not a file with content",
        "table.xlsx": "its format is not known; known are .md, .markdown, .txt, .html, .htm, .pdf",
        "large.md": "it has more than 4 MiB: divide it",
        "\\udcff.md": "its name is not in UTF-8: rename it",
    }
    assert parsed == ["inside.md", "menu.md", "rooms.md"]


async def test_ten_thousand_documents_are_indexed_and_no_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch, index: KnowledgeIndex
) -> None:
    monkeypatch.setattr("adapters.knowledge.folder.MAX_DOCUMENTS", 5)
    for number in range(10):
        (folder / f"more{number}.txt").write_text(f"Number {number}.")

    report = await index.update(B1, folder)

    assert MAX_DOCUMENTS == 10_000
    assert report.documents == 6
    assert list(report.problems.values()) == ["there are more than 5 documents"]


async def test_a_long_update_is_written_in_parts(
    index: KnowledgeIndex, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "PART", 0)
    for number in range(3):
        (folder / f"more{number}.txt").write_text(f"Number {number}.")

    report = await index.update(B1, folder)

    assert (report.documents, report.passages) == (5, 5)
    assert await places(index, "balcony") == ["rooms.md#rooms"]


@pytest.mark.parametrize("damage", ["emptied", "cut", "overwritten", "another database"])
async def test_an_index_that_cannot_be_used_is_rebuilt(
    index: KnowledgeIndex, folder: Path, tmp_path: Path, damage: str
) -> None:
    async with index:
        await index.update(B1, folder)
        (path,) = (tmp_path / "index").glob("*.sqlite3")
        content = path.read_bytes()
        path.unlink()
        if damage == "another database":
            with closing(sqlite3.connect(path)) as db:
                db.execute("CREATE TABLE words (a)")
        else:
            # The first page is whole: the damage shows when what it points to is read.
            kept = {"emptied": 0, "cut": 8_192, "overwritten": 4_096}[damage]
            rest = len(content) - kept if damage == "overwritten" else 0
            path.write_bytes(content[:kept] + bytes(rest))
        with pytest.raises(KnowledgeUnavailable):
            await index.search(B1, "balcony")
        await asyncio.gather(*index._work.values())

        assert await places(index, "balcony") == ["rooms.md#rooms"]


async def test_an_index_that_is_lost_is_built_again(
    index: KnowledgeIndex, folder: Path, tmp_path: Path
) -> None:
    await index.update(B1, folder)
    for path in (tmp_path / "index").iterdir():
        path.unlink()

    await index.update(B1, folder)

    assert await places(index, "balcony") == ["rooms.md#rooms"]


async def test_an_index_of_another_version_is_read_anew(
    index: KnowledgeIndex, folder: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await index.update(B1, folder)
    monkeypatch.setattr("adapters.knowledge.index_file.INDEX_VERSION", 2)

    await index.update(B1, folder)

    assert parsed == ["menu.md", "rooms.md"] * 2


async def test_an_index_that_cannot_be_written_is_unavailable(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file")
    index = KnowledgeIndex(tmp_path / "index")

    with pytest.raises(KnowledgeUnavailable):
        await index.update(B1, folder)


async def test_one_line_is_logged_when_something_has_changed(
    index: KnowledgeIndex, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await index.update(B1, folder)
    await index.update(B1, folder)

    (record,) = caplog.records
    logged: dict[str, Any] = record.__dict__
    names = ("action", "business_id", "documents", "passages", "read", "removed", "problems")
    assert [logged[name] for name in names] == ["knowledge_indexed", "b1", 2, 2, 2, 0, 0]


UPDATE = """
import asyncio, sys
from pathlib import Path
from adapters.knowledge.index import KnowledgeIndex

async def main():
    index = KnowledgeIndex(sys.argv[1])
    await asyncio.to_thread(sys.stdin.readline)
    for _ in range(6):
        report = await index.update("b1", Path(sys.argv[2]))
        found = await index.search("b1", "document")
        assert found or not report.documents
    print(report.passages)

asyncio.run(main())
"""


async def test_processes_update_and_search_one_index_at_the_same_time(
    index: KnowledgeIndex, folder: Path, tmp_path: Path
) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", UPDATE, str(tmp_path / "index"), str(folder)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(3)
    ]
    ended = asyncio.gather(*(process.communicate(b"\n") for process in processes))
    for number in range(12):
        (folder / f"more{number}.md").write_text(f"# Document {number}\n\nOf many.")
        await index.update(B1, folder)
        assert await index.search(B1, f"document {number}")
    await ended
    (folder / "more0.md").unlink()
    report = await index.update(B1, folder)

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert (report.documents, report.passages) == (13, 13)
    assert sorted(path.suffix for path in (tmp_path / "index").iterdir()) == [".lock", ".sqlite3"]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300))
@example('balcony" OR title:menu NEAR(a b, 2) * ^ - + { } NOT AND')
@example("balcony\0mere ' ; DROP TABLE words --")
@example("ﬁ ⅷ ² ₂ ¼ ㎏ 𝟘 ǆ ß İ 東京 ไทย עברית a̐")
def test_any_query_is_words_and_never_syntax(tmp_path: Path, query: str) -> None:
    file = IndexFile(tmp_path / "fuzz.sqlite3")
    if not file.path.exists():
        passage = Passage(title="Menu", location="a.md", text="A balcony with apples, near B.")
        file.replace([NewContent("a.md", Document(b"1", None), [passage])], [], is_new=True)

    with IndexReader(file.path) as reader:
        ranked = reader.search(query)

    assert [number for number, _ in ranked] in ([], [1])


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=200))
def test_any_text_is_indexed_as_it_is(tmp_path: Path, text: str) -> None:
    shown = text.encode("utf-8", "replace").decode()
    passage = Passage(title=shown[:20], location="a.md", text=shown)
    file = IndexFile(tmp_path / "fuzz.sqlite3")
    file.replace([NewContent("a.md", Document(b"1", None), [passage])], [], is_new=True)

    with IndexReader(file.path) as reader:
        (found,) = reader.read([(1, 1.0)], 5)

    assert found.passage == passage


def embedding(tmp_path: Path, embedder: Embedder, **more: Any) -> KnowledgeIndex:
    return KnowledgeIndex(tmp_path / "index", embedder=embedder, **more)


async def test_a_passage_of_the_same_meaning_is_found_without_a_common_word(
    tmp_path: Path, folder: Path
) -> None:
    # The double knows that these two words mean the same.
    embedder = HashedEmbedder(synonyms={"veranda": "balcony"})
    index = embedding(tmp_path, embedder, least_similarity=0.3)
    await index.update(B1, folder)

    assert await places(index, "veranda") == ["rooms.md#rooms"]
    assert await places(KnowledgeIndex(tmp_path / "index"), "veranda") == []
    assert await places(index, "helicopter") == []


async def test_what_words_and_meaning_both_find_comes_first(tmp_path: Path, folder: Path) -> None:
    (folder / "a.md").write_text("# Balcony\n\nBalcony, balcony.")
    (folder / "z.md").write_text("# Veranda\n\nWith a balcony.")
    embedder = HashedEmbedder(synonyms={"balcony": "other"})
    index = embedding(tmp_path, embedder, least_similarity=0.1)
    await index.update(B1, folder)

    found = await index.search(B1, "balcony veranda", 2)

    assert [finding.passage.location for finding in found] == ["z.md#veranda", "a.md#balcony"]
    assert found[0].score > found[1].score


async def test_only_new_passages_are_embedded(tmp_path: Path, folder: Path) -> None:
    embedder = HashedEmbedder()
    index = embedding(tmp_path, embedder)
    await index.update(B1, folder)
    await index.update(B1, folder)
    (folder / "copy.md").write_text((folder / "menu.md").read_text())
    (folder / "new.md").write_text("# New\n\nText")
    await index.update(B1, folder)
    (folder / "rooms.md").unlink()
    await index.update(B1, folder)
    texts = list(embedder.texts)
    await embedding(tmp_path, HashedEmbedder(model="another")).update(B1, folder)

    assert sorted(texts) == [
        "Menu › Desserts\nPlăcintă cu mere.",
        "New\nText",
        "Rooms\nAll have a balcony.",
    ]
    (path,) = (tmp_path / "index").glob("*.sqlite3")
    with IndexReader(path) as reader:
        stored = [len(reader.embedded(model)) for model in ("hashed", "another")]
    assert stored == [0, 2]


@pytest.mark.parametrize("is_silent", [True, False])
async def test_without_its_embedder_words_are_searched_and_it_is_said_once(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture, is_silent: bool
) -> None:
    await KnowledgeIndex(tmp_path / "index").update(B1, folder)
    embedder = HashedEmbedder()
    embedder.is_silent, embedder.is_away = is_silent, not is_silent
    index = embedding(tmp_path, embedder, embedding_s=0.01)

    found = [await places(index, "balcony") for _ in range(3)]

    assert found == [["rooms.md#rooms"]] * 3
    assert embedder.asked == 1
    reason = "it takes too long" if is_silent else "it is away"
    assert caplog.text.count(f"documents are searched by words alone: {reason}") == 1


async def test_documents_are_indexed_without_the_embedder_and_embedded_once_it_is_back(
    tmp_path: Path, folder: Path
) -> None:
    embedder = HashedEmbedder(synonyms={"veranda": "balcony"})
    async with embedding(tmp_path, embedder, least_similarity=0.3) as index:
        embedder.is_away = True
        await index.update(B1, folder)
        without = await places(KnowledgeIndex(tmp_path / "index"), "balcony")
        embedder.is_away = False
        await index.search(B1, "anything")  # which finds that it is back
        await asyncio.gather(*index._work.values())

        assert without == ["rooms.md#rooms"]
        assert await places(index, "veranda") == ["rooms.md#rooms"]
