"""The pages for customers: the chat of a business, to share as a link, and the page at `/`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from litestar import Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from domain.business import Business
from domain.errors import InvalidPayload
from domain.identity import BusinessId, business_identifier
from entrypoints.web_files import (
    WebRequest,
    content_policy,
    hashed_name,
    own_headers,
    page_template,
    web_file,
)

ICON = "/web/shared/icon.svg"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")

_TEXTS = {
    "en": {
        "chat": "Chat",
        "chat_with": "Chat with {}",
        "needs_script": "This chat needs JavaScript, which is switched off in this browser.",
        "unknown": "There is no chat here",
        "unknown_text": "The address may be mistyped, or the chat may have moved. The business "
        "that gave it to you knows the right one.",
        "server": "This is a chat server",
        "server_text": "It serves chats on other websites. You find the chat that you look for on "
        "the website of the business.",
        "server_lead": "It runs. Where to go from here:",
        "bench": "The test page for developers",
        "api": "The HTTP API",
    },
    "ro": {
        "chat": "Chat",
        "chat_with": "Chat cu {}",
        "needs_script": "Acest chat are nevoie de JavaScript, care este oprit în acest browser.",
        "unknown": "Aici nu este niciun chat",
        "unknown_text": "Adresa poate fi scrisă greșit sau chatul s-a mutat. Firma de la care o "
        "aveți o știe pe cea bună.",
        "server": "Acesta este un server de chat",
        "server_text": "El servește chatul altor site-uri. Chatul pe care îl căutați este pe "
        "site-ul firmei.",
        "server_lead": "Funcționează. De aici se ajunge la:",
        "bench": "Pagina de test pentru dezvoltatori",
        "api": "API-ul HTTP",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPages:
    """What the pages need to know of the businesses."""

    last_read: Callable[[BusinessId], Business | None]
    is_known: Callable[[BusinessId], bool]
    """False for a business that nobody may join."""
    all: Callable[[], tuple[Business, ...]]
    """Returns those that have a file."""
    is_public: bool
    """True if identities are verified: then the page at `/` names neither businesses nor tools."""


def customer_routes(services: CustomerPages) -> list[HTTPRouteHandler]:
    """Return the routes of `/chat/{businessId}` and `/`."""
    headers = {**own_headers(content_policy()), "Vary": "Accept-Encoding, Accept-Language"}
    script, panel = hashed_name("page"), hashed_name("panel")

    @route(
        "/chat/{business_id:str}",
        http_method=["GET", "HEAD"],
        include_in_schema=False,
        sync_to_thread=False,
    )
    def chat(request: WebRequest, business_id: FromPath[str]) -> Response[bytes | None]:
        named = _known(services, business_id)
        if named is None:
            language = _accepted_language(request)
            texts = _TEXTS[language]
            return _notice(request, headers, language, texts["unknown"], texts["unknown_text"],
                           status=404)  # fmt: skip
        business = services.last_read(named)
        language = _page_language(request, business)
        texts = _texts(language)
        filled = {
            "language": language,
            "business": named,
            "title": business.name if business is not None else texts["chat"],
            "description": _description(business, language, texts),
            "icon": _icon(business),
            "needs_script": texts["needs_script"],
            "script": script,
            "panel": panel,
        }
        page = page_template("page", "chat.html").substitute(
            {name: escape(value) for name, value in filled.items()}
        )
        return web_file(page.encode(), ".html").response(request, headers)

    @route("/", http_method=["GET", "HEAD"], include_in_schema=False, sync_to_thread=False)
    def start(request: WebRequest) -> Response[bytes | None]:
        language = _accepted_language(request)
        texts = _TEXTS[language]
        known = services.all()
        shown = known[:1] if len(known) == 1 or not services.is_public else ()
        links = [(f"/chat/{each.business_id}", texts["chat_with"].format(each.name))
                 for each in shown]  # fmt: skip
        if not services.is_public:
            links += [("/test-websocket.html", texts["bench"]), ("/docs", texts["api"])]
        text = texts["server_text" if services.is_public else "server_lead"]
        return _notice(request, headers, language, texts["server"], text, links)

    return [chat, start]


def _known(services: CustomerPages, given: str) -> BusinessId | None:
    """Return the id of a business that can be joined; None: there is none."""
    try:
        business_id = business_identifier("businessId", given)
    except InvalidPayload:
        return None
    return business_id if services.is_known(business_id) else None


def _description(business: Business | None, language: str, texts: dict[str, str]) -> str:
    if business is None:
        return texts["chat"]
    return business.welcome(language).greeting or texts["chat_with"].format(business.name)


def _icon(business: Business | None) -> str:
    if business is None or not business.website.logo:
        return ICON
    return f"/logo/{business.business_id}"


def _notice(
    request: WebRequest,
    headers: dict[str, str],
    language: str,
    title: str,
    text: str,
    links: list[tuple[str, str]] | None = None,
    status: int = 200,
) -> Response[bytes | None]:
    """Return a page of a heading, a sentence and links."""
    items = "".join(
        f'<li><a href="{escape(path)}">{escape(label)}</a></li>' for path, label in links or ()
    )
    page = page_template("page", "notice.html").substitute(
        language=language,
        title=escape(title),
        text=escape(text),
        links=f"<ul>{items}</ul>" if items else "",
    )
    return web_file(page.encode(), ".html").response(request, headers, status=status)


def _wanted_language(request: WebRequest) -> str | None:
    """Return the language that the link asks for; None: none."""
    given = request.query_params.get("lang", "").replace("_", "-")
    return given if _LANGUAGE.fullmatch(given) else None


def _page_language(request: WebRequest, business: Business | None) -> str:
    """Return the language of a business's page: that of the link, the business's own where the
    browser reads it, or else the first with texts that the browser asks for."""
    wanted = _wanted_language(request)
    if wanted is not None:
        return wanted
    if business is None:
        return _accepted_language(request)
    read = _read_languages(request)
    if _primary(business.language) in read:
        return business.language
    return next((each for each in read if each in _TEXTS), business.language)


def _accepted_language(request: WebRequest) -> str:
    """Return the first language with texts that the link or the browser asks for, or English."""
    wanted = [_primary(_wanted_language(request) or ""), *_read_languages(request)]
    return next((each for each in wanted if each in _TEXTS), "en")


def _read_languages(request: WebRequest) -> list[str]:
    """Return the languages that the browser asks for, without their regions."""
    given = request.headers.get("accept-language", "").split(",")[:10]
    return [_primary(each.strip().partition(";")[0]) for each in given]


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()


def _texts(language: str) -> dict[str, str]:
    return _TEXTS.get(_primary(language), _TEXTS["en"])
