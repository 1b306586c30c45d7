"""The pages of `entrypoints/web/`, each with a content security policy that allows no more."""

from pathlib import Path

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

WEB = Path(__file__).parent / "web"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page_routes(path: str, name: str) -> list[HTTPRouteHandler]:
    """The routes of the page `name`, which is at `path`, and of what it loads."""

    @get(path, include_in_schema=False, sync_to_thread=False)
    def page() -> Response[bytes]:
        return _file(name)

    @get("/web/{name:str}", include_in_schema=False, sync_to_thread=False)
    def part(name: FromPath[str]) -> Response[bytes]:
        return _file(name)

    return [page, part]


def _file(name: str) -> Response[bytes]:
    """One of the files that are there: a name that is none of them finds nothing."""
    files = {path.name: path for path in WEB.iterdir() if path.suffix in _TYPES}
    path = files.get(name)
    if path is None:
        raise NotFoundException
    media_type = f"{_TYPES[path.suffix]}; charset=utf-8"
    return Response(path.read_bytes(), media_type=media_type, headers=_HEADERS)
