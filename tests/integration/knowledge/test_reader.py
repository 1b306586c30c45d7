"""Documents that would take a reader's time, its memory or its life."""

import asyncio
import os
from collections.abc import Callable

import pytest

from adapters.knowledge.reader import DocumentReader
from tests.support.pdf import assembled, pdf, stream

CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
ONE_PAGE = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
FIRST_PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>"


def _of_content(*content: bytes) -> bytes:
    streams = {number: each for number, each in enumerate(content, 4)}
    return assembled({1: CATALOG, 2: ONE_PAGE, 3: FIRST_PAGE, **streams})


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "a PDF whose page tree is a loop": (
        "a.pdf",
        lambda: assembled({1: CATALOG, 2: b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"}),
        "damaged",
    ),
    "a PDF that claims a billion pages": (
        "a.pdf",
        lambda: assembled({1: CATALOG, 2: b"<< /Type /Pages /Kids [] /Count 1000000000 >>"}),
        "",
    ),
    "a PDF of half a gigabyte in 500 KB": (
        "a.pdf",
        lambda: _of_content(stream(bytes(500_000_000))),
        "has no text",
    ),
    "a PDF whose content never ends": (
        "a.pdf",
        lambda: _of_content(stream(b"BT " + b"(x) Tj " * 30_000_000)),
        "",
    ),
    "a PDF whose stream is of a length that points to itself": (
        "a.pdf",
        lambda: _of_content(b"<< /Length 4 0 R >>\nstream\nBT ET\nendstream"),
        "",
    ),
    "a PDF nested without end": (
        "a.pdf",
        lambda: _of_content(b"[" * 1_000_000),
        "",
    ),
    "a PDF whose cross-reference table is a loop": (
        "a.pdf",
        lambda: (
            pdf(["Hello"]).replace(b"/Root", b"/Prev 9 /Root").replace(b"trailer", b"trailer ", 1)
        ),
        "",
    ),
    "an encrypted PDF": (
        "a.pdf",
        lambda: assembled(
            {1: CATALOG, 2: ONE_PAGE, 3: FIRST_PAGE, 4: stream(b"")},
            trailer="/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -4 "
            f"/O <{'61' * 32}> /U <{'62' * 32}> >> /ID [<61> <61>]",
        ),
        "protected by a password",
    ),
    "Markdown of four million marks": ("a.md", lambda: b"```\n" * 1_000_000, ""),
    "Markdown in a deep quotation": ("a.md", lambda: b">" * 4_000_000, ""),
    "a deep list": ("a.md", lambda: b"".join(b" " * n + b"- x\n" for n in range(2_500)), ""),
    "HTML as deep as it is long": ("a.html", lambda: b"<div><b>" * 500_000, ""),
    "HTML of tags that never end": ("a.html", lambda: b"<a " * 1_300_000, "takes too long to read"),
    "HTML of comments that never end": ("a.html", lambda: b"<!--" * 1_000_000, ""),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_document_ends_in_time_and_harms_no_other(name: str) -> None:
    path, content, problem = HOSTILE[name]
    async with DocumentReader(cpu_s=1) as reader:
        async with asyncio.timeout(40):  # of a busy machine: it has 1 s of its own
            hostile = await reader.read(path, content())
        next_one = await reader.read("next.md", b"# Next\n\nHello")

    assert hostile.passages or hostile.problem
    assert problem in (hostile.problem or "")
    assert len(hostile.passages) < 20_000
    assert [passage.text for passage in next_one.passages] == ["Hello"]


async def test_a_document_that_takes_too_much_memory_is_refused() -> None:
    async with DocumentReader(memory=150 * 1024 * 1024) as reader:
        large = await reader.read("a.md", b"- x\n" * 1_000_000)
        next_one = await reader.read("next.md", b"Hello")

    assert large.problem == "it takes too much memory to read: divide it"
    assert next_one.problem is None


async def test_a_reader_that_is_cancelled_leaves_no_process() -> None:
    path, content, _ = HOSTILE["HTML of tags that never end"]
    async with DocumentReader() as reader:
        await reader.read("first.md", b"Hello")
        pid = reader.pid
        reading = asyncio.create_task(reader.read(path, content()))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
