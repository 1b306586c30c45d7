"""What other people's pages load, and the pages for customers, as they are served."""

import gzip
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from entrypoints.server.app import create_app
from entrypoints.settings import Settings
from entrypoints.web_files import EMBEDDED, WEB
from tests.support.businesses import EXAMPLES
from tests.support.server import running
from tests.support.tokens import JWT

pytestmark = pytest.mark.asyncio(loop_scope="module")

BUILT = sorted(path.name for path in (WEB / "dist").glob("*-*.js"))
EMBEDDED_PATHS = [*(f"/{name}" for name in EMBEDDED), *(f"/web/dist/{name}" for name in BUILT)]
OWN_PATHS = [
    "/",
    "/chat/b1",
    "/test-websocket.html",
    "/web/page/page.css",
    "/web/client/phoenix.js",
]
PANEL = next(name for name in BUILT if name.startswith("panel-"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that has the two examples, and no other business."""
    settings = Settings(store="memory", businesses=str(EXAMPLES), businesses_only="1")
    async with serving(settings) as client:
        yield client


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Run a server, and yield a client of it."""
    async with (
        running(create_app(settings)) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as http,
    ):
        yield http


@pytest.mark.parametrize("path", EMBEDDED_PATHS)
async def test_any_page_may_load_what_is_made_for_it(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Timing-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    kind = "plain" if path.endswith(".ts") else "javascript"
    assert answer.headers["Content-Type"] == f"text/{kind}; charset=utf-8"


@pytest.mark.parametrize("path", OWN_PATHS)
async def test_no_other_page_may_load_what_is_not(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)

    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Timing-Allow-Origin" not in answer.headers
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", [*EMBEDDED_PATHS, *OWN_PATHS])
async def test_a_client_gets_what_it_does_not_have_in_the_encoding_that_it_takes(
    http: httpx.AsyncClient, path: str
) -> None:
    plain = await http.get(path, headers={"Accept-Encoding": "identity"})
    packed = await http.get(path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    refused = await http.get(path, headers={"Accept-Encoding": "gzip;q=0, br"})
    known = await http.get(path, headers={"If-None-Match": f'"x", {plain.headers["ETag"]}'})
    head = await http.head(path, headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in refused.headers
    assert packed.content == plain.content == refused.content
    if len(plain.content) > 1_000:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert int(packed.headers["Content-Length"]) < len(plain.content) * 0.6
    assert known.status_code == 304
    assert known.content == b""
    kept = {"etag", "vary", "cache-control", "cross-origin-resource-policy"}
    assert {known.headers[name] for name in kept} == {plain.headers[name] for name in kept}
    assert {**head.headers, "date": ""} == {**packed.headers, "date": ""}


async def test_what_is_named_by_its_content_is_kept_and_what_names_it_is_asked_for_again(
    http: httpx.AsyncClient,
) -> None:
    entry, built = await http.get("/widget.js"), await http.get(f"/web/dist/{PANEL}")

    assert built.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "max-age=300, stale-while-revalidate=" in entry.headers["Cache-Control"]
    assert PANEL in entry.text


async def test_a_page_with_the_entry_of_another_release_gets_the_panel_of_this_one(
    http: httpx.AsyncClient,
) -> None:
    foreign = await http.get("/web/dist/panel-0123456789ab.js")
    unknown = [
        await http.get(f"/web/dist/{name}")
        for name in (
            "other-0123456789ab.js",
            "panel-.js",
            "panel.js",
            "widget.js",
            "..%2fbuild.mjs",
        )
    ]

    assert foreign.status_code == 200
    assert foreign.content == (WEB / "dist" / PANEL).read_bytes()
    assert foreign.headers["Cache-Control"] == "no-store"
    assert foreign.headers["Access-Control-Allow-Origin"] == "*"
    assert [answer.status_code for answer in unknown] == [404] * 5


async def test_what_a_site_loads_before_anybody_opens_the_chat_is_small() -> None:
    sizes = {name: len(gzip.compress((WEB / "dist" / name).read_bytes())) for name in BUILT}
    widget = len(gzip.compress((WEB / "dist" / "widget.js").read_bytes()))

    assert widget <= 8_000
    assert widget + sizes[PANEL] <= 40_000


async def test_the_page_of_a_chat_is_the_businesss(http: httpx.AsyncClient) -> None:
    page = await http.get("/chat/b1")

    assert '<html lang="ro">' in page.text
    assert "<title>Bistro Verde</title>" in page.text
    assert '<meta property="og:title" content="Bistro Verde" />' in page.text
    assert 'content="Bună! Sunt asistentul de la Bistro Verde. Cu ce vă pot ajuta?"' in page.text
    assert 'data-business="b1"' in page.text
    assert f"/web/dist/{PANEL}" in page.text


@pytest.mark.parametrize(
    ("query", "language"),
    [
        *[("?lang=en", "en"), ("?lang=pt-BR", "pt-BR"), ("?lang=pt_BR", "pt-BR")],
        *[("?lang=%22%3E%3Cx", "ro"), ("?lang=", "ro")],
    ],
)
async def test_a_link_may_say_its_language(
    http: httpx.AsyncClient, query: str, language: str
) -> None:
    page = await http.get(f"/chat/b1{query}")

    assert f'<html lang="{language}">' in page.text


@pytest.mark.parametrize(
    ("read", "language"),
    [
        ("ro-RO, en;q=0.5", "ro"),
        ("en-GB, ro;q=0.5", "ro"),
        ("en-GB, fr;q=0.5", "en"),
        ("fr", "ro"),
        ("", "ro"),
    ],
)
async def test_a_page_is_in_the_businesss_language_where_the_browser_reads_it(
    http: httpx.AsyncClient, read: str, language: str
) -> None:
    page = await http.get("/chat/b1", headers={"Accept-Language": read})

    assert f'<html lang="{language}">' in page.text


async def test_the_words_of_a_business_are_no_markup_of_the_page(tmp_path: Path) -> None:
    name, greeting = "<script>alert(1)</script>", '\\" onload=x & $title'
    (tmp_path / "evil.toml").write_text(f'name = "{name}"\ngreeting = "{greeting}"\n')
    async with serving(Settings(store="memory", businesses=str(tmp_path))) as http:
        page = await http.get("/chat/evil")
        start = await http.get("/")

    assert "&lt;script&gt;alert(1)&lt;/script&gt;</title>" in page.text
    assert "&quot; onload=x &amp; $title" in page.text
    assert "<script>" not in page.text + start.text


@pytest.mark.parametrize("business", ["b9", "B1", "a%20b", "a:b", "%3Cscript%3E", "."])
async def test_of_an_unknown_business_there_is_a_page_that_says_so(
    http: httpx.AsyncClient, business: str
) -> None:
    page = await http.get(f"/chat/{business}", headers={"Accept-Language": "ro-RO, en;q=0.5"})

    assert page.status_code == 404
    if business != ".":  # which is another path
        assert "Aici nu este niciun chat" in page.text
        assert "script" not in page.text


async def test_without_a_list_of_businesses_every_one_has_a_page() -> None:
    async with serving(Settings(store="memory")) as http:
        page = await http.get("/chat/anything", headers={"Accept-Language": "de, en"})

    assert page.status_code == 200
    assert "<title>Chat</title>" in page.text
    assert 'data-business="anything"' in page.text


async def test_the_root_leads_a_developer_on_and_names_to_the_public_no_business(
    http: httpx.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "solo.toml").write_text('name = "Solo"\n')
    open_page = await http.get("/")
    async with serving(Settings(businesses=str(EXAMPLES), store="memory", **JWT)) as public:
        of_two = await public.get("/")
    async with serving(Settings(businesses=str(tmp_path), store="memory", **JWT)) as public:
        of_one = await public.get("/")

    assert _links(open_page) == ["/chat/b1", "/test-websocket.html", "/docs"]
    assert "Chat with Bistro Verde" in open_page.text
    assert _links(of_two) == []
    assert "Bistro" not in of_two.text
    assert _links(of_one) == ["/chat/solo"]


def _links(page: httpx.Response) -> list[str]:
    assert page.status_code == 200
    return re.findall(r'<a href="([^"]*)"', page.text)
