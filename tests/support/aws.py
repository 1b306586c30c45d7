"""AWS's door to DynamoDB: signatures are verified by its own SDK, and then an engine is asked."""

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import NamedTuple

from botocore.auth import SigV4Auth  # type: ignore[import-untyped]
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.credentials import Credentials  # type: ignore[import-untyped]

from tests.support.dynamodb import Engine
from tests.support.listener import Listener

TOLERANCE_S = 300.0
"""How far a request's time may be from AWS's."""


class Key(NamedTuple):
    """A secret that AWS knows, and the token that belongs to it."""

    secret: str
    token: str | None = None


class Response(NamedTuple):
    """A response that a test dictates, in place of the engine's."""

    status: int
    content: bytes
    headers: str = "Content-Type: application/x-amz-json-1.0\r\n"


@dataclass
class Aws(Listener):
    """The door. It accepts the keys that it knows, and requests of its own time."""

    engine: Engine
    keys: dict[str, Key]
    ahead_s: float = 0.0
    """How far its clock is ahead of this machine's."""
    skew_code: str = "RequestTimeTooSkewed"
    expired: set[str] = field(default_factory=set)
    """Access keys whose time is over."""
    verifies: bool = True
    next: deque[Response | None] = field(default_factory=deque)
    """The responses to the next requests; None: there is none, ever."""
    unanswered: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """Released for each request that gets no response."""
    asked: list[str] = field(default_factory=list)
    """The operations, and how each was answered: `PutItem 200`."""
    heads: list[dict[str, str]] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines if line)
            }
            body = await reader.readexactly(int(headers["content-length"]))
            operation = headers["x-amz-target"].removeprefix("DynamoDB_20120810.")
            self.heads.append(headers)
            path = first.split(" ")[1]
            answer = self._refusal(path, headers, body) if self.verifies else None
            if answer is None and self.next:
                answer = self.next.popleft()
                if answer is None:
                    self.asked.append(f"{operation} -")
                    self.unanswered.release()
                    await reader.read()  # until the client leaves
                    return
            if answer is None:
                answer = await asyncio.to_thread(self._executed, operation, body)
            self.asked.append(f"{operation} {answer.status}")
            head = f"HTTP/1.1 {answer.status} As told\r\n{answer.headers}"
            if "Date:" not in head:
                head += f"Date: {formatdate(time.time() + self.ahead_s, usegmt=True)}\r\n"
            if "chunked" not in head:
                head += f"Content-Length: {len(answer.content)}\r\n"
            writer.write(head.encode() + b"\r\n" + answer.content)
            await writer.drain()

    def _refusal(self, path: str, headers: dict[str, str], body: bytes) -> Response | None:
        """Return what is wrong with a signature, or None."""
        parts = dict(
            part.strip().split("=", 1)
            for part in headers["authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(",")
        )
        access, day, region, service, _ = parts["Credential"].split("/")
        at = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(at.timestamp() - time.time() - self.ahead_s) > TOLERANCE_S:
            return refusal(self.skew_code)
        key = self.keys.get(access)
        if key is None or key.token != headers.get("x-amz-security-token"):
            return refusal("UnrecognizedClientException")
        if access in self.expired:
            return refusal("ExpiredTokenException")
        names = parts["SignedHeaders"].split(";")
        unsigned = {name for name in headers if name.startswith("x-amz-")} - set(names)
        expected = signature(
            *(access, key.secret, region, service),
            url=f"http://{headers['host']}{path}",
            headers={name: headers[name] for name in names},
            body=body,
        )
        if unsigned or day != headers["x-amz-date"][:8] or parts["Signature"] != expected:
            return refusal(
                "InvalidSignatureException",
                "The request signature we calculated does not match.\n\nThe Canonical String is\n"
                + "\n".join(f"{name}:{value}" for name, value in headers.items()),
            )
        return None

    def _executed(self, operation: str, body: bytes) -> Response:
        try:
            answer = self.engine.call(operation, **json.loads(body))
        except RuntimeError as error:
            return Response(400, str(error).partition(": ")[2].encode())
        return Response(200, json.dumps(answer).encode())


def refusal(code: str, message: str = "as told", status: int = 400) -> Response:
    """Return the response that refuses a request with a code of AWS's."""
    error = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}
    return Response(status, json.dumps(error).encode())


def signature(
    access_key: str,
    secret_key: str,
    region: str,
    service: str,
    *,
    url: str,
    headers: dict[str, str],
    body: bytes,
    method: str = "POST",
) -> str:
    """Return the signature of a request as AWS's SDK computes it."""
    request = AWSRequest(method=method, url=url, headers=headers, data=body)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials(access_key, secret_key), service, region)
    canonical = signer.canonical_request(request)
    computed: str = signer.signature(signer.string_to_sign(request, canonical), request)
    return computed
