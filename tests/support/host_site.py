"""A website of somebody else's, on an origin of its own, that embeds the chat."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from litestar import Litestar, Response, get
from litestar.params import FromPath

from tests.support.server import running

TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "json": "text/plain"}


@dataclass
class HostSite:
    """The files of the site, by name; all are served with `policy`, if there is one."""

    pages: dict[str, str] = field(default_factory=dict)
    policy: str = ""
    is_isolated: bool = False
    """Whether it embeds nothing that does not say that it may be."""
    address: str = ""

    def url(self, name: str = "index.html", host: str = "localhost") -> str:
        """Return the URL of a page under a name of this machine."""
        return f"http://{host}:{self.address.rpartition(':')[2]}/{name}"


@asynccontextmanager
async def host_site(**pages: str) -> AsyncIterator[HostSite]:
    """Serve a site; its pages can be changed while it runs."""
    site = HostSite({f"{name}.html": text for name, text in pages.items()})

    @get("/{name:str}", sync_to_thread=False)
    def page(name: FromPath[str]) -> Response[str]:
        headers = {"Content-Security-Policy": site.policy} if site.policy else {}
        if site.is_isolated:
            headers["Cross-Origin-Embedder-Policy"] = "require-corp"
        media_type = TYPES[name.rpartition(".")[2]]
        return Response(site.pages.get(name, ""), media_type=media_type, headers=headers)

    async with running(Litestar([page], openapi_config=None, logging_config=None)) as address:
        site.address = address
        yield site


def embedding_policy(chat: str) -> str:
    """Return the strictest policy under which a page can embed the chat of a server.

    `chat`: its host and port. docs/embed.md has the same words.
    """
    return (
        f"default-src 'none'; script-src 'self' http://{chat}; style-src 'self'; "
        f"connect-src http://{chat} ws://{chat}; img-src http://{chat}; base-uri 'self'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
