"""The documents of tests/data/knowledge, and the questions about them."""

import shutil
from pathlib import Path

import msgspec
from msgspec import Struct

from adapters.knowledge.documents import passages_in
from domain.knowledge import Passage
from tests.support.pdf import pdf

DATA = Path(__file__).parents[1] / "data" / "knowledge"
BUSINESSES = ("bistro", "dental", "hotel")


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """A question of a customer, and the locations of the passages that answer it."""

    half: str
    business: str
    question: str
    passages: tuple[str, ...]


def questions() -> list[Question]:
    """Return the questions, in order."""
    lines = (DATA / "questions.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Question) for line in lines]


def copy_corpus(folder: Path) -> None:
    """Copy the documents of each business to `folder/BUSINESS`, with their PDFs."""
    for business in BUSINESSES:
        shutil.copytree(DATA / business, folder / business)
    documents = folder / "hotel" / "documents"
    documents.mkdir()
    for source in sorted((DATA / "pdf").glob("*.txt")):
        pages = source.read_text("utf-8").split("\n\n")
        (documents / f"{source.stem}.pdf").write_bytes(pdf(pages, title=pages[0].split("\n")[0]))


def read_corpus(folder: Path) -> dict[str, list[Passage]]:
    """Copy the documents to a folder, and return the passages of each business."""
    copy_corpus(folder)
    return {
        business: [
            passage
            for file in sorted((folder / business).rglob("*.*"))
            for passage in passages_in(
                file.relative_to(folder / business).as_posix(), file.read_bytes()
            )
        ]
        for business in BUSINESSES
    }
