"""DynamoDB's protocol: signed JSON over HTTP, sent by aiohttp."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypedDict, cast
from zlib import crc32

import aiohttp
import msgspec

from adapters.dynamodb.access import ACCESS_ERRORS, Access
from adapters.dynamodb.sigv4 import Signer, amz_date, canonical_path
from adapters.urls import without_secrets
from domain.errors import StorageUnavailable

logger = logging.getLogger(__name__)

POOL_SIZE = 50
CONNECT_S, READ_S = 1.0, 3.0
"""Time limits of a new connection, and of each wait for the next bytes of a response."""
_KEEP_ALIVE_S = 12.0
MAX_RESPONSE_BYTES = 32 * 1024 * 1024
"""A BatchGetItem returns at most 16 MB of items, which base64 makes a third longer."""
_MAX_MESSAGE = 500
"""Characters of an error's message that are kept."""
SKEW_S = 60.0
"""The least change of the time that explains a refusal by it; AWS tolerates 300 s."""
RENEW_EVERY_S = 5.0
"""The least time from one search for credentials, because some were refused, to the next."""

_SKEWED = (
    "InvalidSignatureException",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
)
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException")
_TYPE = "application/x-amz-json-1.0"
_UNSIGNED = {"accept-encoding": "identity", "user-agent": "ai-agent-server"}


class _Attribute(TypedDict, total=False):
    """An attribute as in `items`: bytes here are base64 in JSON."""

    S: str
    N: str
    B: bytes
    BOOL: bool
    NULL: bool
    SS: list[str]
    NS: list[str]
    BS: list[bytes]
    L: "list[_Attribute]"
    M: "dict[str, _Attribute]"


_Item = dict[str, _Attribute]


class _Unread(TypedDict, total=False):
    Keys: list[_Item]


class _Put(TypedDict, total=False):
    Item: _Item


class _Delete(TypedDict, total=False):
    Key: _Item


class _Write(TypedDict, total=False):
    PutRequest: _Put
    DeleteRequest: _Delete


class _Response(TypedDict, total=False):
    """What is read of a response; all else is skipped."""

    Item: _Item
    Attributes: _Item
    Items: list[_Item]
    Count: int
    LastEvaluatedKey: _Item
    Responses: dict[str, list[_Item]]
    UnprocessedKeys: dict[str, _Unread]
    UnprocessedItems: dict[str, list[_Write]]
    Table: Any
    TableDescription: Any
    TimeToLiveDescription: Any
    TimeToLiveSpecification: Any
    ContinuousBackupsDescription: Any


class _Reason(TypedDict, total=False):
    Code: str
    Item: _Item


class _Error(msgspec.Struct):
    type: str = msgspec.field(name="__type", default="")
    message: str | None = None
    Message: str | None = None
    Item: _Item | None = None
    CancellationReasons: list[_Reason] | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Response).decode
_decode_error = msgspec.json.Decoder(_Error).decode


class NoAnswer(Exception):
    """There was no response, or it was not DynamoDB's."""


class Refused(Exception):
    """DynamoDB's response is an error."""

    def __init__(self, operation: str, status: int, error: _Error, skew_s: float | None) -> None:
        self.status = status
        self.code = error.type.rpartition("#")[2] or str(status)
        """AWS's, such as ResourceNotFoundException; the status, if the response has none."""
        self.item = error.Item
        self.reasons = error.CancellationReasons or []
        self.skew_s = skew_s
        """How far the server's clock was ahead of this machine's; None: it did not say."""
        # Further lines may repeat the request as it was signed, with the token of its session.
        message = (error.message or error.Message or "").partition("\n")[0][:_MAX_MESSAGE]
        super().__init__(
            f"An error occurred ({self.code}) when calling the {operation} operation: {message}"
        )


class _Keys(NamedTuple):
    access: str
    secret: str
    token: str | None

    def __repr__(self) -> str:
        return f"<{self.access}>"


class _Signed(NamedTuple):
    """As whom, and by which clock, a request was signed."""

    keys: _Keys
    skew_s: float


class Transport:
    """The connections to DynamoDB, made in a running event loop.

    Credentials renew themselves before they expire. A request that is refused because of this
    machine's clock or of its credentials is sent again with what was wrong put right, once.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._credentials = access.credentials
        self._signer = Signer(access.region, "dynamodb")
        self._path = canonical_path(access.url.raw_path)
        self._host = access.url.host_port_subcomponent or ""
        self._second = -1
        """The time of `_stamp` and `_keys`; -1: there are none yet."""
        self._stamp = ""
        self._keys = _Keys("", "", None)
        self._skew_s = 0.0
        """How far the server's clock is ahead of this machine's."""
        self._renewing = asyncio.Lock()
        self._renewed_at = -RENEW_EVERY_S
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=POOL_SIZE,
                keepalive_timeout=_KEEP_ALIVE_S,
                ssl=access.tls,
                # A new connection goes where the name leads now, within a call's deadline.
                use_dns_cache=False,
            ),
            timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_S, sock_read=READ_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
            proxy=access.proxy,
        )

    async def close(self) -> None:
        """Close the connections; requests that are under way end with NoAnswer."""
        await self._http.close()

    async def send(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request, such as PutItem's, and return its response.

        Raises: Refused, NoAnswer, StorageUnavailable: the credentials cannot be renewed.
        """
        body = _encode(request)
        cured: set[_Cure] = set()
        while True:
            signed, headers = await self._headers(operation, body)
            try:
                return await self._post(operation, body, headers)
            except Refused as refused:
                cure = _CURES.get(refused.code)
                if cure is None or cure in cured or not await cure(self, refused, signed):
                    raise
                cured.add(cure)

    async def _headers(self, operation: str, body: bytes) -> tuple[_Signed, dict[str, str]]:
        """Return how a request is signed, and its headers."""
        skew_s = self._skew_s
        second = int(time.time() + skew_s)
        if second != self._second:  # to ask for the keys may be a request, seldom
            try:
                self._keys = _Keys(*(await self._credentials.get_frozen_credentials())[:3])
            except ACCESS_ERRORS as error:
                raise StorageUnavailable(f"DynamoDB: {error}") from error
            self._second, self._stamp = second, amz_date(second)
        keys = self._keys
        headers = {"content-type": _TYPE, "host": self._host, "x-amz-date": self._stamp}
        if keys.token:
            headers["x-amz-security-token"] = keys.token
        headers["x-amz-target"] = f"DynamoDB_20120810.{operation}"
        headers["authorization"] = self._signer.authorization(
            keys.access, keys.secret, path=self._path, headers=headers, body=body
        )
        headers |= _UNSIGNED
        return _Signed(keys, skew_s), headers

    async def _post(self, operation: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        if self._http.closed:
            raise NoAnswer("the connections are closed")
        try:
            async with self._http.post(
                self._access.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                content = await _content(response)
                head, status = response.headers, response.status
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer(without_secrets(str(error)) or type(error).__name__) from error
        except ValueError as error:  # a credential with a line break, of which it tells nothing
            raise StorageUnavailable(f"DynamoDB: {error}") from error
        except asyncio.CancelledError:
            # aiohttp cancels those that wait for a connection when it is closed.
            task = asyncio.current_task()
            if self._http.closed and task is not None and not task.cancelling():
                raise NoAnswer("the connections are closed") from None
            raise
        kind = head.get("Content-Type", "")
        is_ours = kind.startswith("application/x-amz-json")
        if status == 200 and not is_ours:  # such as the page of a proxy
            raise NoAnswer(f"a response that is not DynamoDB's: {kind or 'of no type'}")
        checksum = head.get("x-amz-crc32")
        if checksum is not None and checksum != str(crc32(content)):
            raise NoAnswer("a response that was damaged on its way")
        try:
            if status == 200:
                return cast("dict[str, Any]", _decode(content))
            refusal = _decode_error(content) if is_ours else _Error(message=kind)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise NoAnswer(f"a response that is not DynamoDB's: {error}") from error
        raise Refused(operation, status, refusal, _skew_s(head.get("Date", "")))

    async def _correct_time(self, refused: Refused, signed: _Signed) -> bool:
        """Take over the time of the server; False: that is not why it refused."""
        skew_s = refused.skew_s
        if skew_s is None or abs(skew_s - signed.skew_s) < SKEW_S:
            return False
        if abs(skew_s - self._skew_s) < SKEW_S:  # another call has done it meanwhile
            return True
        logger.warning(
            "This machine's clock differs from DynamoDB's: requests are signed with the latter",
            extra={"action": "dynamodb_clock_corrected", "seconds": round(skew_s)},
        )
        self._skew_s = skew_s
        return True

    async def _renew(self, refused: Refused, signed: _Signed) -> bool:
        """Look for credentials anew; False: there are no others than those that were refused."""
        keys = signed.keys
        async with self._renewing:
            if self._keys != keys:  # somebody has done it meanwhile
                return True
            now = time.monotonic()
            if now - self._renewed_at < RENEW_EVERY_S:
                return False
            self._renewed_at = now
            try:
                credentials = await self._access.find_credentials()
                renewed = _Keys(*(await credentials.get_frozen_credentials())[:3])
            except ACCESS_ERRORS:
                return False
            self._credentials, self._keys = credentials, renewed
            return renewed != keys


_Cure = Callable[[Transport, Refused, _Signed], Coroutine[Any, Any, bool]]
_CURES: dict[str, _Cure] = {
    **dict.fromkeys(_SKEWED, Transport._correct_time),
    **dict.fromkeys(_EXPIRED, Transport._renew),
}


async def _content(response: aiohttp.ClientResponse) -> bytes:
    """Read a response. Raises: ClientPayloadError."""
    length = response.content_length
    if length is not None and length <= MAX_RESPONSE_BYTES:
        return await response.read()
    content = bytearray()
    if length is None:
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > MAX_RESPONSE_BYTES:
                break
        else:
            return bytes(content)
    response.close()
    raise aiohttp.ClientPayloadError(f"a response of more than {MAX_RESPONSE_BYTES} bytes")


def _skew_s(date: str) -> float | None:
    """Return how far a header `Date` is ahead of this machine's clock; None: it is no date."""
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
