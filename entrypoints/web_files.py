"""Serves the files of `entrypoints/web/`, read once: pages of our own, and what other pages embed.

Pages are served under a strict content security policy, and embedded by nobody. `dist/` has what
`make web` builds from the other folders for the pages of others.
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import Any

from litestar import Request, Response, route
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

WEB = Path(__file__).parent / "web"
SHARED = ("chat", "client", "shared")
"""The folders whose files every page may load."""
EMBEDDED = ("widget.js", "client.js", "client.d.ts")
"""The files of `dist/` that other pages name, at `/{name}`."""

_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".ts": "text/plain",
}
_OWN_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
}
_EMBEDDED_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # A module is always fetched by CORS; a page under COEP embeds nothing without the second.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Timing-Allow-Origin": "*",
}
_ENTRY_CACHE = "public, max-age=300, stale-while-revalidate=86400"
_HASHED_CACHE = "public, max-age=31536000, immutable"
_HASHED_NAME = re.compile(r"([a-z]+)-[0-9a-f]+\.js")
_LEAST_GZIPPED = 512  # bytes; what is shorter fits into one packet anyway
# The origin of a socket, as far as a policy has a place for it (CSP 3, 2.3.1): no IPv6 address, and
# nothing that could end the directive.
_ORIGIN = re.compile(r"(wss?://)(?:[^/?#@]*@)?([a-z0-9.-]+(?::[0-9]{1,5})?)(?=[/?#]|$)", re.I)

WebRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file as it is sent, compressed or not."""

    body: bytes
    media_type: str
    etag: str
    """It is weak: both encodings have the same."""
    gzipped: bytes | None

    def response(
        self, request: WebRequest, headers: Mapping[str, str], *, status: int = 200
    ) -> Response[bytes | None]:
        """Return the file in the encoding that the client takes, or 304 where it has it already."""
        headers = {"Vary": "Accept-Encoding", **headers, "ETag": self.etag}
        if _has_etag(request.headers.get("if-none-match", ""), self.etag):
            return Response(None, status_code=304, headers=headers)
        body = self.body
        if self.gzipped is not None and _takes_gzip(request.headers.get("accept-encoding", "")):
            body, headers["Content-Encoding"] = self.gzipped, "gzip"
        return Response(body, status_code=status, media_type=self.media_type, headers=headers)


def web_file(body: bytes, suffix: str) -> WebFile:
    """Return the file with this content, for a suffix such as `.html`."""
    etag = f'W/"{sha256(body).hexdigest()[:20]}"'
    gzip = zlib.compressobj(9, wbits=31)
    gzipped = gzip.compress(body) + gzip.flush()
    is_worth_it = len(body) >= _LEAST_GZIPPED and len(gzipped) < len(body)
    return WebFile(body, _TYPES[suffix], etag, gzipped if is_worth_it else None)


def _takes_gzip(accepted: str) -> bool:
    """Return True if an Accept-Encoding (RFC 9110, 12.5.3) has gzip with a weight above 0."""
    weights = dict(re.findall(r"([\w*-]+)\s*(?:;\s*q=([\d.]+))?", accepted.lower()))
    weight = weights.get("gzip", weights.get("*", "0"))
    return weight.strip("0.") != "" if weight else True


def _has_etag(given: str, etag: str) -> bool:
    """Return True if an If-None-Match (RFC 9110, 13.1.2) has this ETag, by weak comparison."""
    return given.strip() == "*" or etag.removeprefix("W/") in re.findall(r'"[^"]*"', given)


@cache
def _files(folder: str) -> Mapping[str, WebFile]:
    """Return the files of a folder by name: no path leads out of it."""
    paths = [path for path in (WEB / folder).iterdir() if path.suffix in _TYPES]
    return {path.name: web_file(path.read_bytes(), path.suffix) for path in paths}


def page_route(path: str, room: str, policy: str) -> HTTPRouteHandler:
    """Return the route of the page of the folder `room`."""
    ((_, html),) = [file for file in _files(room).items() if file[0].endswith(".html")]
    headers = own_headers(policy)

    @route(path, http_method=["GET", "HEAD"], include_in_schema=False, sync_to_thread=False)
    def page(request: WebRequest) -> Response[bytes | None]:
        return html.response(request, headers)

    return page


def file_route(rooms: tuple[str, ...], policy: str) -> HTTPRouteHandler:
    """Return the route of the files that pages load, which are those of `rooms` and of SHARED.

    They are at `/web/{folder}/{name}`.
    """
    folders = {folder: _files(folder) for folder in (*rooms, *SHARED)}
    headers = own_headers(policy)

    @route(
        "/web/{folder:str}/{name:str}",
        http_method=["GET", "HEAD"],
        include_in_schema=False,
        sync_to_thread=False,
    )
    def file(
        request: WebRequest, folder: FromPath[str], name: FromPath[str]
    ) -> Response[bytes | None]:
        found = folders.get(folder, {}).get(name)
        if found is None:
            raise NotFoundException
        return found.response(request, headers)

    return file


def embedded_routes() -> list[HTTPRouteHandler]:
    """Return the routes of what pages of any origin embed: EMBEDDED, and what those load."""
    return [*(_entry_route(name) for name in EMBEDDED), _hashed_route()]


def _entry_route(name: str) -> HTTPRouteHandler:
    built = _files("dist")[name]
    headers = {**_EMBEDDED_HEADERS, "Cache-Control": _ENTRY_CACHE}

    @route(f"/{name}", http_method=["GET", "HEAD"], include_in_schema=False, sync_to_thread=False)
    def entry(request: WebRequest) -> Response[bytes | None]:
        return built.response(request, headers)

    return entry


def _hashed_route() -> HTTPRouteHandler:
    """Return the route of the files whose names have the hash of their content.

    A page with an entry of an earlier release, or of a later one that another node has, gets the
    file of this one in place of its own.
    """
    hashed = {name: file for name, file in _files("dist").items() if _HASHED_NAME.fullmatch(name)}
    by_stem = {name.partition("-")[0]: file for name, file in hashed.items()}

    @route(
        "/web/dist/{name:str}",
        http_method=["GET", "HEAD"],
        include_in_schema=False,
        sync_to_thread=False,
    )
    def built(request: WebRequest, name: FromPath[str]) -> Response[bytes | None]:
        if name in hashed:
            headers = {**_EMBEDDED_HEADERS, "Cache-Control": _HASHED_CACHE}
            return hashed[name].response(request, headers)
        stem = _HASHED_NAME.fullmatch(name)
        if stem is None or stem[1] not in by_stem:
            raise NotFoundException
        headers = {**_EMBEDDED_HEADERS, "Cache-Control": "no-store"}
        return by_stem[stem[1]].response(request, headers)

    return built


def hashed_name(stem: str) -> str:
    """Return the name of the built file `{stem}-{hash}.js`."""
    found = [_HASHED_NAME.fullmatch(name) for name in _files("dist")]
    (name,) = [each[0] for each in found if each is not None and each[1] == stem]
    return name


@cache
def page_template(room: str, name: str) -> Template:
    """Return a page that is filled in at each request, with values that are escaped already."""
    return Template((WEB / room / name).read_text())


def own_headers(policy: str) -> dict[str, str]:
    """Return the headers of a page of our own, and of what it is made of."""
    return {**_OWN_HEADERS, "Content-Security-Policy": policy}


def content_policy(other_socket: str | None = None) -> str:
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
