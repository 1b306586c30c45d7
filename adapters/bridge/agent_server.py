"""The bridge's client of the AI agent server's HTTP API, over httpx."""

import logging
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

import httpx
import msgspec

from adapters.json_text import NOT_JSON, decode_json
from application.bridge.ports import AgentServer, AgentServerUnavailable
from domain.bridge.live_chat import ChatMessage, PendingCommand, ServerState
from domain.errors import (
    ConfirmationExpired,
    ConfirmationWithdrawn,
    Refusal,
    SessionClosed,
    TransitionRefused,
    UnknownConfirmation,
    UnknownSession,
)
from domain.identity import BusinessId, CoordinatorId, MessageId, SessionId
from domain.status import Status

TIMEOUT_S = 5.0
SUGGESTION_SILENCE_S = 15.0
"""The longest time without a part, or a sign of life, of a suggestion."""

logger = logging.getLogger(__name__)

# 401, 403 and 421 are among them: a wrong token or address loses no command, which goes out once it
# is corrected.
_TRY_LATER = frozenset({401, 403, 408, 421, 425, 429})
_REFUSALS = {
    each.code: each
    for each in (
        SessionClosed,
        TransitionRefused,
        UnknownSession,
        UnknownConfirmation,
        ConfirmationExpired,
        ConfirmationWithdrawn,
    )
}


class _Transfer(msgspec.Struct, rename="camel"):
    coordinator_id: str | None = None


class _Head(msgspec.Struct, rename="camel"):
    """The parts of a session's head that the bridge uses."""

    status: Status
    updated_at: Annotated[datetime, msgspec.Meta(tz=True)]
    transfer: _Transfer | None = None
    summary: str | None = None


class _Posted(msgspec.Struct, rename="camel"):
    """The part of the reply to a message that the bridge uses."""

    session_id: str


class _Confirmed(msgspec.Struct):
    """The part of the reply to a yes or a no that the bridge uses."""

    answer: Literal["yes", "no"]


class _Part(msgspec.Struct):
    """An event of a suggestion: a piece of it, or at the end all of it."""

    delta: str = ""
    text: str | None = None


class HttpAgentServer(AgentServer):
    """A connection pool; use it as `async with server:`. `url` such as http://localhost:3001."""

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

    async def set_status(self, session_id: SessionId, command: PendingCommand) -> ServerState:
        optional = {"summary": command.handover_note, "reason": command.reason}
        body = {
            "status": command.status,
            "coordinatorId": command.coordinator_id,
            **{name: value for name, value in optional.items() if value is not None},
        }
        headers = {"Idempotency-Key": command.command_id}
        path = f"/api/conversation-status/{session_id}"
        return _state(await self._request("PUT", path, json=body, headers=headers))

    async def post_message(self, session_id: SessionId, message: ChatMessage) -> SessionId:
        body = {
            "sessionId": session_id,
            "message": message.text,
            "messageId": message.message_id,
            "coordinatorId": message.coordinator_id,
        }
        reply = await self._request("POST", "/api/agent-responses", json=body)
        return SessionId(_decoded(reply, _Posted).session_id)

    async def confirm(
        self,
        session_id: SessionId,
        confirm_id: str,
        answer: bool,
        coordinator_id: CoordinatorId,
    ) -> bool:
        body = {"answer": "yes" if answer else "no", "coordinatorId": coordinator_id}
        path = f"/api/conversations/{session_id}/confirmations/{confirm_id}"
        reply = await self._request("POST", path, json=body)
        return bool(_decoded(reply, _Confirmed).answer == "yes")

    async def state(self, session_id: SessionId) -> ServerState:
        return _state(await self._request("GET", f"/api/conversations/{session_id}"))

    async def messages(
        self, session_id: SessionId, before: int | None, limit: int
    ) -> Mapping[str, Any]:
        # Without `before` the server pages from the oldest on, but the newest are wanted here.
        params = {"limit": limit, "before": before if before is not None else 9_999_999_999}
        path = f"/api/conversations/{session_id}/messages"
        return await self._object("GET", path, params=params)

    async def whisper(
        self, session_id: SessionId, message_id: MessageId, text: str, coordinator_id: CoordinatorId
    ) -> Mapping[str, Any]:
        body = {"text": text, "messageId": message_id, "coordinatorId": coordinator_id}
        path = f"/api/conversations/{session_id}/whispers"
        return await self._object("POST", path, json=body)

    async def suggestion(
        self, session_id: SessionId, coordinator_id: CoordinatorId
    ) -> AsyncIterator[str]:
        url = f"{self._url}/api/conversations/{session_id}/suggestion"
        timeout = httpx.Timeout(self._timeout_s, read=SUGGESTION_SILENCE_S)
        body, told = {"coordinatorId": coordinator_id}, ""
        try:
            async with self._client.stream("POST", url, json=body, timeout=timeout) as response:
                if response.status_code != 200:
                    _check(response.status_code, await response.aread(), _TRY_LATER - {429})
                async for event, data in _events(response):
                    if event == b"error":
                        raise _refusal(data)
                    part = _decoded(data, _Part)
                    if part.text is None:
                        told += part.delta
                        yield part.delta
                        continue
                    if part.text != told.strip():
                        yield ""
                        yield part.text
                    return
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise _unavailable(str(error) or type(error).__name__) from error
        raise _unavailable("the suggestion has no end", answers=True)

    async def outcomes(
        self, business_id: BusinessId, first: str | None, last: str | None
    ) -> Mapping[str, Any]:
        days = {"from": first, "to": last}
        params = {"businessId": business_id} | {k: day for k, day in days.items() if day}
        return await self._object("GET", "/api/outcomes", params=params)

    async def _object(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        found: dict[str, Any] = _decoded(await self._request(method, path, **request), dict)
        return found

    async def _request(self, method: str, path: str, **request: Any) -> bytes:
        try:
            response = await self._client.request(method, self._url + path, **request)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise _unavailable(str(error) or type(error).__name__) from error
        _check(response.status_code, response.content)
        return response.content


def _check(status: int, body: bytes, try_later: frozenset[int] = _TRY_LATER) -> None:
    """Raise what a response that is no success stands for."""
    if status >= 500 or status in try_later or 300 <= status < 400:
        raise _unavailable(f"HTTP {status}", answers=True)
    if status >= 400:
        raise _refusal(body)


async def _events(response: httpx.Response) -> AsyncIterator[tuple[bytes, bytes]]:
    """Yield the server-sent events of a response, with one line of data each: type and data."""
    event = rest = b""
    async for chunk in response.aiter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        for name, _, value in [line.partition(b": ") for line in lines]:
            if name == b"event":
                event = value
            elif name == b"data":
                yield event, value
                event = b""


def _unavailable(reason: str, *, answers: bool = False) -> AgentServerUnavailable:
    extra = {"action": "agent_server_away", "reason": reason}
    logger.warning("The AI agent server is unavailable", extra=extra)
    return AgentServerUnavailable(reason, answers=answers)


def _state(body: bytes) -> ServerState:
    head = _decoded(body, _Head)
    coordinator = head.transfer.coordinator_id if head.transfer is not None else None
    return ServerState(
        status=head.status,
        at=head.updated_at,
        handover_note=head.summary,
        coordinator_id=CoordinatorId(coordinator) if coordinator is not None else None,
    )


def _decoded(body: bytes, shape: Any) -> Any:
    """Decode the JSON of a reply. Raises: AgentServerUnavailable, for a reply of another shape."""
    try:
        return decode_json(lambda text: msgspec.json.decode(text, type=shape), body)
    except NOT_JSON as error:
        raise _unavailable("what answers is not an AI agent server") from error


def _refusal(body: bytes) -> Refusal:
    """Return the refusal that the code of a problem document stands for (RFC 9457)."""
    try:
        code = str(msgspec.json.decode(body)["code"])
    except (*NOT_JSON, KeyError, TypeError):
        code = Refusal.code
    refusal = _REFUSALS.get(code, Refusal)()
    refusal.code = code
    return refusal
