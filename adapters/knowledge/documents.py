"""Documents as passages: Markdown, plain text, HTML and PDF.

Each format becomes a sequence of headings and blocks, which are cut into passages in one way. What
a document contains is data: markup is dropped or stays as it is written, and nothing is followed,
loaded or run.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from io import BytesIO
from pathlib import PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec import Struct

from domain.knowledge import Passage

LONGEST_PASSAGE = 1_200
"""Characters of a passage: a longer section is cut at its paragraphs."""
LONGEST_TITLE = 200
MAX_TEXT, MAX_PDF = 4 * 1024 * 1024, 32 * 1024 * 1024
"""Bytes of a document."""
SUFFIXES = {
    ".md": MAX_TEXT,
    ".markdown": MAX_TEXT,
    ".txt": MAX_TEXT,
    ".html": MAX_TEXT,
    ".htm": MAX_TEXT,
    ".pdf": MAX_PDF,
}
"""The formats, and the most bytes of each."""

_MARKDOWN = MarkdownIt("commonmark").enable("table").disable("inline")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_FRONT_TITLE = re.compile(r"""^title[ \t]*:[ \t]*["']?(.+?)["']?[ \t]*$""", re.MULTILINE | re.I)
_MARKUP = re.compile(r"!?\[([^\]\[]*)\]\([^()]*\)|[`*]+|(?<!\w)_+|_+(?!\w)|[ \t]#+[ \t]*$")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


class DocumentRefused(Exception):
    """A document cannot be read; the text says why, and what to do."""


class Block(Struct, frozen=True):
    """A heading, or a block of text under the last one."""

    text: str
    level: int = 0
    """Of a heading, from 1; 0: text."""
    location: str = ""
    """What follows the document's name, where that is known: `#prices`, `, page 3`."""
    head: str = ""
    """Lines that every part of the block begins with: those of a table."""


def passages_in(path: str, content: bytes) -> list[Passage]:
    """Return the passages of a document. `path`: within the folder; it names the format.

    Raises: DocumentRefused.
    """
    name = PurePosixPath(path)
    suffix = name.suffix.lower()
    if suffix == ".pdf":
        title, blocks = _pdf(content)
    elif suffix in (".html", ".htm"):
        title, blocks = _html(_text(content))
    elif suffix == ".txt":
        title, blocks = "", _plain(_text(content))
    elif suffix in SUFFIXES:
        title, blocks = _markdown(_text(content))
    else:
        raise DocumentRefused(f"its format is not known; known are {', '.join(SUFFIXES)}")
    found = [
        Passage(title=heading, location=location, text=part)
        for heading, location, section in _sections(path, title or name.stem, blocks)
        for part in _parts(section)
    ]
    if not found:
        raise DocumentRefused("it has no text")
    return found


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DocumentRefused("it is not text in UTF-8: save it as UTF-8") from None
    if "\0" in text:
        raise DocumentRefused("it is not text, whatever its name says")
    return "\n".join(text.splitlines())


def _markdown(text: str) -> tuple[str, list[Block]]:
    title = ""
    if (front := _FRONT_MATTER.match(text)) is not None:
        text = text[front.end() :]
        if (found := _FRONT_TITLE.search(front[1])) is not None:
            title = found[1]
    text = _without_comments(text)
    lines, blocks = text.split("\n"), []
    tokens = _MARKDOWN.parse(text)
    for index, token in enumerate(tokens):
        if token.level or token.nesting < 0 or token.map is None:
            continue
        begin, end = token.map
        if token.type == "heading_open":
            heading = _MARKUP.sub(r"\1", tokens[index + 1].content)
            blocks.append(Block(heading, level=int(token.tag[1])))
        elif token.type != "hr":
            head = "\n".join(lines[begin : begin + 2]) if token.type == "table_open" else ""
            blocks.append(Block(_block_text(token, lines[begin:end]), head=head))
    return title, blocks


def _block_text(token: Token, lines: list[str]) -> str:
    return "\n".join(lines) if token.type != "fence" else token.content


def _without_comments(text: str) -> str:
    """Return the text without what its author has hidden from readers: `<!-- … -->`."""
    first, *rest = text.split("<!--")
    kept = [first]
    for part in rest:
        _, end, shown = part.partition("-->")
        kept.append(shown if end else f"<!--{part}")
    return "".join(kept)


def _plain(text: str) -> list[Block]:
    """Return the paragraphs; a short line that stands alone, without an end, is a heading."""
    paragraphs = [part for part in _BLANK_LINES.split(f"\n\n{text}\n\n") if part.strip()]
    blocks = []
    for index, paragraph in enumerate(paragraphs):
        line = paragraph.strip()
        if "\n" in line or len(line) > 80 or line[-1] in ".,;:!?…" or index + 1 == len(paragraphs):
            blocks.append(Block(paragraph.strip("\n")))
        else:
            blocks.append(Block(line, level=2 if blocks else 1))
    return blocks


class _HtmlBlocks(HTMLParser):
    """Collects the headings and the blocks of a page, as a text browser shows them.

    It builds no tree, so that depth costs nothing, and hardly anything must be closed.
    """

    _BREAKS = frozenset(
        "address article aside blockquote body caption dd details div dl dt fieldset figcaption "
        "figure footer form header hr legend main nav ol p section summary table tbody tfoot thead "
        "ul".split()
    )
    _HIDDEN = frozenset("noscript script style svg template".split())
    _HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.blocks: list[Block] = []
        self._pieces: list[str] = []
        self._hidden = 0
        self._level = 0
        self._anchor = ""
        self._is_title = self._is_preformatted = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in self._HIDDEN:
            self._hidden += 1
        elif tag == "title":
            self._is_title = not self.title
        elif tag in self._HEADINGS:
            self._end_block()
            self._level = int(tag[1])
            anchor = dict(attributes).get("id")
            self._anchor = f"#{anchor[:LONGEST_TITLE]}" if anchor else ""
        elif tag in ("br", "tr", "pre"):
            self._pieces.append("\n")
            self._is_preformatted |= tag == "pre"
        elif tag == "li":
            self._pieces.append("\n- ")
        elif tag in ("td", "th"):
            self._pieces.append(" | ")
        elif tag in self._BREAKS:
            self._end_block()

    def handle_endtag(self, tag: str) -> None:
        if tag in self._HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "title":
            self._is_title = False
        elif tag in self._HEADINGS or tag in self._BREAKS or tag == "pre":
            self._end_block()
            self._is_preformatted &= tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._is_title:
            self.title += data
        else:
            self._pieces.append(data if self._is_preformatted else re.sub(r"\s+", " ", data))

    def close(self) -> None:
        super().close()
        self._end_block()

    def _end_block(self) -> None:
        lines = (line.strip(" |") for line in "".join(self._pieces).split("\n"))
        if self._is_preformatted:
            lines = (line for line in "".join(self._pieces).split("\n"))
        text = "\n".join(line for line in lines if line.strip())
        if text:
            heading = " ".join(text.split()) if self._level else text
            self.blocks.append(Block(heading, level=self._level, location=self._anchor))
        self._pieces.clear()
        self._level, self._anchor = 0, ""


def _html(text: str) -> tuple[str, list[Block]]:
    page = _HtmlBlocks()
    page.feed(text)
    page.close()
    return " ".join(page.title.split()), page.blocks


def _pdf(content: bytes) -> tuple[str, list[Block]]:
    """Return the title and the pages. Raises: DocumentRefused."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError

    if b"%PDF-" not in content[:1024]:
        raise DocumentRefused("it is not a PDF, whatever its name says")
    try:
        reader = PdfReader(BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentRefused("it is protected by a password: save it without one")
        pages = [page.extract_text() for page in reader.pages]
        information = reader.metadata
        title = str(information.title or "") if information is not None else ""
    except DocumentRefused:
        raise
    except (FileNotDecryptedError, DependencyError):
        raise DocumentRefused("it is encrypted in a way that cannot be read") from None
    except (LimitReachedError, MemoryError, RecursionError):
        raise DocumentRefused("it takes too much memory to read: save it anew") from None
    except Exception as error:  # of a file that breaks the rules, pypdf raises whatever it meets
        raise DocumentRefused(f"it is damaged ({type(error).__name__}): save it anew") from None
    if not any(page.strip() for page in pages):
        raise DocumentRefused("it has no text, as of scanned pages: recognise its text first")
    return title.strip(), list(_pages(pages))


def _pages(pages: Iterable[str]) -> Iterator[Block]:
    for number, page in enumerate(pages, 1):
        text = unicodedata.normalize("NFKC", page)  # ligatures
        yield Block("", level=1, location=f", page {number}")
        for paragraph in _BLANK_LINES.split(text):
            yield Block(paragraph)


def _sections(
    path: str, title: str, blocks: Iterable[Block]
) -> Iterator[tuple[str, str, list[Block]]]:
    """Yield what stands under each heading, with the headings above it and the location."""
    headings: list[Block] = []
    anchors = Counter[str]()
    location, section = path, list[Block]()
    for block in (*blocks, Block("", level=1)):
        if not block.level:
            if block.text.strip():
                section.append(block)
            continue
        if not section and headings and block.level <= headings[-1].level and headings[-1].text:
            section = [Block(headings[-1].text)]  # a heading alone is a text too
        if section:
            yield _title(title, headings), location, section
        headings = [each for each in headings if each.level < block.level] + [block]
        location = path + (block.location or _anchor(block.text, anchors))
        section = []


def _title(title: str, headings: list[Block]) -> str:
    """Return the headings in one line, from the document's title on."""
    texts = [heading.text for heading in headings if heading.text]
    if not texts or headings[0].level > 1:
        texts.insert(0, title)
    return " › ".join(" ".join(text.split())[:LONGEST_TITLE] for text in texts)


def _anchor(heading: str, anchors: Counter[str]) -> str:
    """Return the anchor that sites which show Markdown give a heading."""
    kept = "".join(
        each for each in heading.lower() if each.isalnum() or each in " -_" or each.isspace()
    )
    anchor = re.sub(r"\s", "-", kept.strip())[:LONGEST_TITLE]
    anchors[anchor] += 1
    if not anchor:
        return ""
    return f"#{anchor}" if anchors[anchor] == 1 else f"#{anchor}-{anchors[anchor] - 1}"


def _parts(section: list[Block]) -> Iterator[str]:
    """Yield the text of a section, in parts of at most LONGEST_PASSAGE characters."""
    part = ""
    for block in section:
        for piece in _pieces(block):
            if part and len(part) + 2 + len(piece) > LONGEST_PASSAGE:
                yield part
                part = ""
            part = f"{part}\n\n{piece}" if part else piece
    if part:
        yield part


def _pieces(block: Block) -> Iterator[str]:
    """Yield a block whole, or cut at its lines, or where a line is too long at its words."""
    text = block.text.strip("\n").rstrip()
    if len(text) <= LONGEST_PASSAGE:
        yield text
        return
    head = f"{block.head}\n" if 0 < len(block.head) < LONGEST_PASSAGE // 4 else ""
    most, piece = LONGEST_PASSAGE - len(head), ""
    for line in text.removeprefix(head).split("\n"):
        for cut in _cuts(line, most):
            if piece and len(piece) + 1 + len(cut) > most:
                yield head + piece
                piece = ""
            piece = f"{piece}\n{cut}" if piece else cut
    if piece.strip():
        yield head + piece


def _cuts(line: str, most: int) -> Iterator[str]:
    """Yield a line in pieces that end with a sentence, a word, or where there is none, anywhere."""
    begin = 0
    while len(line) - begin > most:
        half, end = begin + most // 2, begin + most
        cut = line.rfind(". ", half, end) + 1 or line.rfind(" ", half, end)
        cut = cut if cut > 0 else end
        yield line[begin:cut].strip()
        begin = cut
    yield line[begin:].strip() if begin else line
