"""Serves the pages of `entrypoints/web/`, a folder each, under a strict content security policy."""

import re
from pathlib import Path

from litestar import Response, route
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

WEB = Path(__file__).parent / "web"
SHARED = ("client", "shared")
"""The folders whose files every page may load."""
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
}
# The origin of a socket, as far as a policy has a place for it (CSP 3, 2.3.1): no IPv6 address, and
# nothing that could end the directive.
_ORIGIN = re.compile(r"(wss?://)(?:[^/?#@]*@)?([a-z0-9.-]+(?::[0-9]{1,5})?)(?=[/?#]|$)", re.I)


def page_routes(path: str, room: str, other_socket: str | None = None) -> list[HTTPRouteHandler]:
    """Return the routes of the page in the folder `room`: at `path`, and of the files it may load.

    Those are the files of its own folder and of SHARED, at `/web/{folder}/{name}`.
    `other_socket`: a WebSocket's URL that the page may connect to, beside those of its own origin.
    """
    headers = {**_HEADERS, "Content-Security-Policy": content_policy(other_socket)}
    (html,) = (file.name for file in (WEB / room).glob("*.html"))

    @route(path, http_method=["GET", "HEAD"], include_in_schema=False, sync_to_thread=False)
    def page() -> Response[bytes]:
        return _file(room, html, headers)

    @route(
        "/web/{folder:str}/{name:str}",
        http_method=["GET", "HEAD"],
        include_in_schema=False,
        sync_to_thread=False,
    )
    def asset(folder: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        if folder not in (room, *SHARED):
            raise NotFoundException
        return _file(folder, name, headers)

    return [page, asset]


def content_policy(other_socket: str | None) -> str:
    """Return the policy of a page (CSP 3): its own files, its own server, and this socket.

    It allows no inline script or style, no form target and no embedding frame, and (Trusted Types)
    no text to become markup.
    """
    sockets = f" {_source(other_socket)}" if other_socket is not None else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _source(url: str) -> str:
    """Return the origin of a socket; its scheme alone where a policy cannot name the host."""
    found = _ORIGIN.match(url)
    return "".join(found.groups()) if found is not None else url.partition("//")[0]


def _file(folder: str, name: str, headers: dict[str, str]) -> Response[bytes]:
    """Return a file by its name in the listing of its folder, so that no path leads out of it.

    Raises: NotFoundException.
    """
    files = {path.name: path for path in (WEB / folder).iterdir() if path.suffix in _TYPES}
    path = files.get(name)
    if path is None:
        raise NotFoundException
    return Response(path.read_bytes(), media_type=_TYPES[path.suffix], headers=headers)
