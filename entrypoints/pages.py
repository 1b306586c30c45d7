"""The pages of `entrypoints/web/`, each with a content security policy that allows no more."""

import re
from pathlib import Path

from litestar import Response, route
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


def page_routes(path: str, name: str, other_socket: str | None = None) -> list[HTTPRouteHandler]:
    """The routes of the page `name`, which is at `path`, and of what it loads.

    `other_socket`: a WebSocket's URL that the page may connect to, beside those of its own origin.
    """
    headers = {**_HEADERS, "Content-Security-Policy": content_policy(other_socket)}

    @route(path, http_method=["GET", "HEAD"], include_in_schema=False, sync_to_thread=False)
    def page() -> Response[bytes]:
        return _file(name, headers)

    @route(
        "/web/{name:str}",
        http_method=["GET", "HEAD"],
        include_in_schema=False,
        sync_to_thread=False,
    )
    def part(name: FromPath[str]) -> Response[bytes]:
        return _file(name, headers)

    return [page, part]


def content_policy(other_socket: str | None) -> str:
    """What a page may load and connect to (CSP 3): its own files, its own server, this socket.

    No script or style in the page itself, no form that goes anywhere, no frame around it; and no
    text may become markup, whatever a script does with it (Trusted Types).
    """
    sockets = f" {_source(other_socket)}" if other_socket is not None else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _source(url: str) -> str:
    """The origin of a socket; its scheme alone where a policy cannot name the host."""
    found = _ORIGIN.match(url)
    return "".join(found.groups()) if found is not None else url.partition("//")[0]


def _file(name: str, headers: dict[str, str]) -> Response[bytes]:
    """One of the files that are there: a name that is none of them finds nothing."""
    files = {path.name: path for path in WEB.iterdir() if path.suffix in _TYPES}
    path = files.get(name)
    if path is None:
        raise NotFoundException
    return Response(path.read_bytes(), media_type=_TYPES[path.suffix], headers=headers)
