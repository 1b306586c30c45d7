"""What the search finds by words alone, on questions that nobody looked at while it was changed."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec import Struct

from adapters.knowledge.index import KnowledgeIndex
from adapters.knowledge.words import content_words
from domain.identity import BusinessId
from tests.support.knowledge import BUSINESSES, Question, copy_corpus, questions, read_corpus

Found = Mapping[Question, list[str]]


class Recall(Struct):
    """How many of some questions had an answering passage among the first five."""

    found: int = 0
    asked: int = 0

    def count(self, *, is_found: bool) -> None:
        self.found += is_found
        self.asked += 1


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Found]:
    """The locations that are found for each question."""
    folder = tmp_path_factory.mktemp("knowledge")
    copy_corpus(folder)
    async with KnowledgeIndex(folder / "index") as index:
        for business in BUSINESSES:
            await index.update(BusinessId(business), folder / business)
        yield {
            question: [
                finding.passage.location
                for finding in await index.search(
                    BusinessId(question.business), question.question, 5
                )
            ]
            for question in questions()
        }


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], set[str]]:
    """The content words of each passage, by its business and location."""
    corpus = read_corpus(tmp_path_factory.mktemp("words"))
    return {
        (business, passage.location): {*content_words(f"{passage.title} {passage.text}")}
        for business, passages in corpus.items()
        for passage in passages
    }


def recall(
    found: Found, words: Mapping[tuple[str, str], set[str]], half: str
) -> tuple[Recall, Recall, Recall]:
    """Return it for questions that share a content word with their answer, for paraphrases, and
    what was found for questions without an answer."""
    shared, paraphrased, unanswerable = Recall(), Recall(), Recall()
    for question, locations in found.items():
        if question.half != half:
            continue
        if not question.passages:
            unanswerable.count(is_found=bool(locations))
            continue
        asked = {*content_words(question.question)}
        shares = any(asked & words[question.business, place] for place in question.passages)
        is_found = any(place in locations for place in question.passages)
        (shared if shares else paraphrased).count(is_found=is_found)
    return shared, paraphrased, unanswerable


def test_the_corpus_is_as_large_as_it_claims(words: Mapping[tuple[str, str], set[str]]) -> None:
    asked = questions()

    assert len(words) >= 150
    assert len([question for question in asked if question.passages]) >= 120
    assert len([question for question in asked if not question.passages]) >= 30
    assert all((each.business, place) in words for each in asked for place in each.passages)


@pytest.mark.parametrize("half", ["tuned", "held"])
def test_nine_of_ten_questions_that_share_a_word_with_their_answer_are_found(
    found: Found, words: Mapping[tuple[str, str], set[str]], half: str
) -> None:
    shared, paraphrased, unanswerable = recall(found, words, half)

    assert shared.asked >= 60
    assert shared.found >= 0.9 * shared.asked  # measured: 90 of 93 tuned, 59 of 60 held
    # What is measured, not what is hoped for: 17 of 36 and 6 of 11; 10 of 30 and 5 of 15.
    assert paraphrased.found >= 0.4 * paraphrased.asked
    assert unanswerable.found <= 0.34 * unanswerable.asked


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("Ce pește aveți?", "meniu.md#pește"),  # not the Romanian "over", without its cedilla
        ("Aveți desert?", "meniu.md#deserturi"),
        ("Câte persoane încap la un botez?", "evenimente.md#botezuri"),
        ("Aveți piscină?", None),
    ],
)
async def test_two_short_documents_are_searched_as_well_as_many(
    tmp_path: Path, query: str, location: str | None
) -> None:
    (tmp_path / "meniu.md").write_text(
        "# Meniu\n\n## Pește\n\nPăstrăv la grătar, 52 de lei.\n\n"
        "## Deserturi\n\nPapanași, 31 de lei.\n"
    )
    (tmp_path / "evenimente.md").write_text(
        "# Evenimente\n\n## Botezuri\n\nSalonul primește cel mult 45 de persoane.\n"
    )
    async with KnowledgeIndex(tmp_path / "index") as index:
        await index.update(BusinessId("resto"), tmp_path)
        found = await index.search(BusinessId("resto"), query, 1)

    assert [each.passage.location for each in found] == ([location] if location else [])
