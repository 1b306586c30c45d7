"""The web origins whose pages may use the users' side: the server's, and those of one business."""

from collections.abc import Callable

from adapters.phoenix.channel import ConnectInfo
from adapters.phoenix.handshake import origin_allowed
from application.ports import Businesses
from domain.errors import Refusal
from domain.identity import BusinessId
from entrypoints.access.guards import is_same_origin, socket_origins
from entrypoints.settings import Settings


class OriginNotAllowed(Refusal):
    """The page's origin is neither in ALLOWED_ORIGINS nor in website.origins of the file."""

    code = "origin_not_allowed"


class PageOrigins:
    """Decides what pages of an origin may use.

    Everything is open to those in ALLOWED_ORIGINS and, where tokens are needed, to the server's own
    pages. Without tokens a foreign name that leads to this machine (DNS rebinding) would pass for
    an own one, and its page could claim to be anybody. A business is open to those that its file
    names. What sends no origin is no page: it could send any, so nothing is gained by a refusal.
    """

    def __init__(
        self, settings: Settings, businesses: Businesses, is_named: Callable[[str], bool]
    ) -> None:
        """`is_named` returns whether any business's file names an origin. Raises: BadSetting."""
        self.patterns = socket_origins(settings.allowed_origins, settings.server_host)
        self._needs_token = settings.socket_auth != "none"
        self._businesses = businesses
        self._is_named = is_named

    def may_open(self, info: ConnectInfo) -> bool:
        """Return whether a page may open a socket, if only for one of the businesses."""
        origin = info.headers.get("origin")
        if self._is_of_server(info, origin):
            return True
        return origin is not None and self._is_named(origin)

    def check(self, info: ConnectInfo, business_id: BusinessId) -> None:
        """Refuse a page that may not use the chat of a business. Raises: OriginNotAllowed."""
        origin = info.headers.get("origin")
        if self._is_of_server(info, origin):
            return
        business = self._businesses.last_read(business_id)
        if business is None or origin not in business.website.origins:
            raise OriginNotAllowed

    def _is_of_server(self, info: ConnectInfo, origin: str | None) -> bool:
        if origin_allowed(origin, self.patterns):
            return True
        return self._needs_token and is_same_origin(origin, info.headers.get("host", ""))
