"""The AI agent server's HTTP API (its `/api`), as the coordinators' side uses it, over httpx."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import httpx
import msgspec

from application.bridge.ports import AgentServer, ServerAway
from domain.bridge.live_chat import Told, Wish
from domain.errors import Refusal, SessionClosed, TransitionRefused, UnknownSession
from domain.identity import CoordinatorId, SessionId
from domain.status import Status

TIMEOUT_S = 5.0

logger = logging.getLogger(__name__)

# 401 and 403 stand among them: an operator who mends the token has lost no wish.
_LATER = frozenset({401, 403, 408, 425, 429})
_REFUSALS = {each.code: each for each in (SessionClosed, TransitionRefused, UnknownSession)}


class _Transfer(msgspec.Struct, rename="camel"):
    coordinator_id: str | None = None


class _Head(msgspec.Struct, rename="camel"):
    """What is used of a session's head."""

    status: Status
    updated_at: datetime
    transfer: _Transfer | None = None
    summary: str | None = None


class HttpAgentServer(AgentServer):
    """One connection pool; use it as `async with server:`. `url` such as http://localhost:3001."""

    def __init__(self, url: str, token: str = "", *, timeout_s: float = TIMEOUT_S) -> None:
        """`token`: the bearer token of the server's API; empty: none is sent."""
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(
            headers=self._headers, timeout=self._timeout_s, follow_redirects=False
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.aclose()

    async def set_status(self, session_id: SessionId, wish: Wish) -> Told:
        body = {
            "status": wish.status,
            "coordinatorId": wish.coordinator_id,
            **({"summary": wish.summary} if wish.summary is not None else {}),
        }
        headers = {"Idempotency-Key": wish.wish_id}
        path = f"/api/conversation-status/{session_id}"
        return _told(await self._ask("PUT", path, json=body, headers=headers))

    async def status(self, session_id: SessionId) -> Told:
        return _told(await self._ask("GET", f"/api/conversations/{session_id}"))

    async def messages(
        self, session_id: SessionId, before: int | None, limit: int
    ) -> Mapping[str, Any]:
        # Given no `before` the server pages from the oldest on: what is wanted is the newest.
        params = {"limit": limit, "before": before if before is not None else 9_999_999_999}
        body = await self._ask("GET", f"/api/conversations/{session_id}/messages", params=params)
        page: dict[str, Any] = _decoded(body, dict[str, Any])
        return page

    async def _ask(self, method: str, path: str, **request: Any) -> bytes:
        try:
            response = await self._client.request(method, self._url + path, **request)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise _away(str(error) or type(error).__name__) from error
        status = response.status_code
        if status >= 500 or status in _LATER or 300 <= status < 400:
            raise _away(f"HTTP {status}")
        if status >= 400:
            raise _refusal(response.content)
        return response.content


def _away(reason: str) -> ServerAway:
    extra = {"action": "agent_server_away", "reason": reason}
    logger.warning("The AI agent server does not do its work", extra=extra)
    return ServerAway(reason)


def _told(body: bytes) -> Told:
    head = _decoded(body, _Head)
    coordinator = head.transfer.coordinator_id if head.transfer is not None else None
    return Told(
        status=head.status,
        at=head.updated_at,
        summary=head.summary,
        coordinator_id=CoordinatorId(coordinator) if coordinator is not None else None,
    )


def _decoded(body: bytes, shape: Any) -> Any:
    """The JSON. Raises: ServerAway, for whatever answers there is not the server."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.MsgspecError as error:
        raise _away("what answers is not an AI agent server") from error


def _refusal(body: bytes) -> Refusal:
    """What the code of a problem document says (RFC 9457)."""
    try:
        code = str(msgspec.json.decode(body)["code"])
    except (msgspec.MsgspecError, KeyError, TypeError):
        code = "refused"
    return _REFUSALS.get(code, Refusal)()
