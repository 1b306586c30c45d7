"""AWS Signature Version 4: the header that proves who sends a request. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
import time
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import quote

_ALGORITHM = "AWS4-HMAC-SHA256"


def amz_date(seconds: float) -> str:
    """Return a time in seconds since 1970 as the header `x-amz-date` has it."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def canonical_path(path: str) -> str:
    """Return a path, as it is sent, as it is signed: encoded once more, as all but S3 expect."""
    return quote(path or "/", safe="/-_.~")


class Signer:
    """Signs requests to one service in one region. The key of the day is derived once."""

    def __init__(self, region: str, service: str) -> None:
        self._region = region
        self._service = service
        self._scope = ("", "", "")
        """The day, the access key and the secret key of `_key`."""
        self._scope_text = self._credential = ""
        self._key = b""

    def authorization(
        self,
        access_key: str,
        secret_key: str,
        *,
        method: str = "POST",
        path: str = "/",
        query: str = "",
        headers: Mapping[str, str],
        body: bytes,
    ) -> str:
        """Return the header `Authorization` of a request.

        `path`, `query`: canonical. `headers`: those to sign, in the order of their names, which are
        in lower case, with values that are trimmed; `host` and `x-amz-date` are among them.
        """
        stamp = headers["x-amz-date"]
        scope = (stamp[:8], access_key, secret_key)
        if scope != self._scope:
            self._derive(scope)
        names = ";".join(headers)
        lines = "\n".join([f"{name}:{value}" for name, value in headers.items()])
        canonical = f"{method}\n{path}\n{query}\n{lines}\n\n{names}\n{sha256(body).hexdigest()}"
        digest = sha256(canonical.encode()).hexdigest()
        to_sign = f"{_ALGORITHM}\n{stamp}\n{self._scope_text}\n{digest}"
        signature = _hmac(self._key, to_sign).hex()
        return f"{self._credential}, SignedHeaders={names}, Signature={signature}"

    def _derive(self, scope: tuple[str, str, str]) -> None:
        day, access_key, secret_key = scope
        key = f"AWS4{secret_key}".encode()
        for part in (day, self._region, self._service, "aws4_request"):
            key = _hmac(key, part)
        self._key = key
        self._scope_text = f"{day}/{self._region}/{self._service}/aws4_request"
        self._credential = f"{_ALGORITHM} Credential={access_key}/{self._scope_text}"
        self._scope = scope


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
