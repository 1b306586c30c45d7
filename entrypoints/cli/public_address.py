"""The server's public address, tried as a customer's browser does: through the proxy."""

import asyncio
import ssl
import time
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException
from websockets.typing import Origin

from adapters.phoenix.endpoint import SOCKET_PATH
from entrypoints.access.client_address import is_proxy, parse_networks
from entrypoints.access.tokens import service_tokens
from entrypoints.cli.diagnoses import Diagnosis, Level
from entrypoints.programs import socket_url
from entrypoints.settings import Settings

PATIENCE_S = 10.0
LEAST_DAYS = 14
"""Of a certificate's validity: automatic renewal begins 30 days before its end."""
CLAIMED_ADDRESS = "192.0.2.77"
"""An address that nobody has (RFC 5737), which the probe claims to come from."""

_HEARTBEAT = msgspec.json.encode([None, "1", "phoenix", "heartbeat", {}]).decode()
_UNTRUSTED = (18, 19, 20, 21)
"""OpenSSL's codes: self-signed, by itself or in the chain; the issuer, or its certificate, is
missing. https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/"""
_EXPIRED, _OTHER_NAME = 10, 62
_FORWARD = "proxy_set_header X-Forwarded-For $remote_addr"


async def try_public_address(url: str, settings: Settings) -> list[Diagnosis]:
    """Try the certificate, the HTTP API, the socket, and the address that clients are known by.

    `url`: one of which `is_base_url` is true, such as https://chat.example.
    """
    base = url.rstrip("/")
    parts = urlsplit(base)
    assert parts.hostname is not None
    findings = [] if parts.scheme == "http" else [await _try_certificate(parts.hostname, base)]
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        findings.append(_no_tls(base))
    if any(each.level is Level.PROBLEM and each.part == "TLS" for each in findings):
        return findings  # a token must not go there
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE_S) as client:
        health = await _try_health(client)
        findings.append(health)
        if health.level is Level.PROBLEM:
            return findings
        findings += await _try_client_address(client, settings)
        findings += await _try_metrics(client)
    return [*findings, await _try_socket(base, settings)]


def is_base_url(base: str) -> bool:
    """Return whether it is a scheme, a host and perhaps a port, and no more."""
    try:
        parts = urlsplit(base)
        is_named = bool(parts.hostname and parts.hostname.encode("idna") and parts.port != 0)
    except ValueError:  # of IPv6, of the port, and of the encoding
        return False
    has_more = parts.path or parts.query or parts.fragment
    return is_named and parts.scheme in ("http", "https") and not has_more


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _no_tls(base: str) -> Diagnosis:
    return Diagnosis(
        "TLS",
        base,
        Level.PROBLEM,
        "the address has no TLS",
        "tokens and messages can be read on the way, and pages with https:// cannot connect",
        "serve https:// at the proxy, and give that address",
    )


async def _try_certificate(host: str, base: str) -> Diagnosis:
    port = urlsplit(base).port or 443
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection(
                host, port, ssl=ssl.create_default_context(), server_hostname=host
            )
    except ssl.SSLCertVerificationError as error:
        return _bad_certificate(host, error)
    except (OSError, TimeoutError) as error:
        return Diagnosis(
            "TLS",
            host,
            Level.PROBLEM,
            f"no encrypted connection: {_text(error)}",
            "no customer reaches the server",
            "see the name, the port, the firewall and the proxy",
        )
    certificate = writer.get_extra_info("peercert")
    writer.transport.abort()
    days = (ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) / 86_400
    if days < LEAST_DAYS:
        return Diagnosis(
            "TLS",
            host,
            Level.WARNING,
            f"the certificate expires in {days:.0f} days",
            "after that no browser connects, and nothing at the server shows it",
            "renew it, and see why that did not happen by itself; reload the proxy after it",
        )
    return Diagnosis("TLS", host, seen=f"the certificate is good for {days:.0f} days")


def _bad_certificate(host: str, error: ssl.SSLCertVerificationError) -> Diagnosis:
    seen, remedy = f"the certificate is refused: {error.verify_message}", "replace the certificate"
    if error.verify_code == _EXPIRED:
        seen, remedy = "the certificate has expired", "renew it, and reload the proxy"
    elif error.verify_code == _OTHER_NAME:
        seen = f"the certificate is not for {host}"
        remedy = "get one with this name, or give the name that it has"
    elif error.verify_code in _UNTRUSTED:
        seen = f"the certificate's chain is not complete, or ends nowhere: {error.verify_message}"
        remedy = (
            "serve the intermediate certificates too (nginx: ssl_certificate fullchain.pem); with "
            "a certificate authority of your own, name it in SSL_CERT_FILE for this command"
        )
    why = "browsers refuse it, some only at times, as they keep certificates from other sites"
    return Diagnosis("TLS", host, Level.PROBLEM, seen, why, remedy)


async def _try_health(client: httpx.AsyncClient) -> Diagnosis:
    try:
        answer = await client.get("/health")
    except httpx.HTTPError as error:
        seen = f"/health cannot be read: {_text(error)}"
    else:
        if answer.status_code == 200 and '"ok"' in answer.text:
            return Diagnosis("public", "HTTP")
        seen = f"/health answers HTTP {answer.status_code}, not as this server does"
    return Diagnosis(
        "public",
        "HTTP",
        Level.PROBLEM,
        seen,
        "no customer reaches the server",
        "start the server; let the proxy pass /health, /socket and the chat's files on to it",
    )


async def _try_metrics(client: httpx.AsyncClient) -> list[Diagnosis]:
    try:
        answer = await client.get("/metrics")
    except httpx.HTTPError:
        return []
    if answer.status_code != 200 or "# TYPE" not in answer.text:
        return []
    return [
        Diagnosis(
            "public",
            "/metrics",
            Level.WARNING,
            "the metrics are public",
            "strangers see how much is used, and of which models",
            "let the proxy answer 404 to all that customers do not need (docs/operations.md)",
        )
    ]


# The address that the server knows clients by.


async def _try_client_address(client: httpx.AsyncClient, settings: Settings) -> list[Diagnosis]:
    tokens, proxies = service_tokens(settings.service_token), settings.trusted_proxies
    if not tokens:
        return []
    headers = {"Authorization": f"Bearer {tokens[0]}", "X-Forwarded-For": CLAIMED_ADDRESS}
    try:
        async with client.stream("GET", "/health", headers=headers) as answer:
            own = answer.extensions["network_stream"].get_extra_info("client_addr")[0]
            known = msgspec.json.decode(await answer.aread(), type=dict[str, str])["client"]
    except (httpx.HTTPError, msgspec.MsgspecError, KeyError, TypeError):
        return [_other_settings()]
    if is_proxy(own, parse_networks(proxies)):
        seen = "not tested from here: run this from a machine that is no trusted proxy"
        return [Diagnosis("public", "address", seen=seen)]
    return [_judged_address(known, own, proxies)]


def _other_settings() -> Diagnosis:
    return Diagnosis(
        "public",
        "address",
        Level.WARNING,
        "the server does not know this SERVICE_TOKEN: its address for clients is not tested",
        "it runs with other settings than these, so what was found may not be true of it",
        "restart it, or run this with its settings; the proxy must let Authorization through",
    )


def _is_in(address: str, group: str) -> bool:
    """Return whether an address is in a group of the server's limits: of IPv6, a /64."""
    try:
        return ip_address(address) in ip_network(group, strict=False)
    except ValueError:
        return address == group


def _judged_address(known: str, own: str, proxies: str) -> Diagnosis:
    """Judge the address that the server knows this command by."""
    shared = "all customers share the limits of one address: a few of them shut out all others"
    if known == CLAIMED_ADDRESS:
        return Diagnosis(
            "public",
            "address",
            Level.PROBLEM,
            "who claims to be somebody else is believed",
            "with an X-Forwarded-For of their own, anybody gets around the limits of an address",
            f"let the proxy replace what the client claims (nginx: {_FORWARD})",
        )
    if is_proxy(known, parse_networks(proxies)):
        return Diagnosis(
            "public",
            "address",
            Level.PROBLEM,
            f"the proxy {known} is taken for the client",
            shared,
            f"let the proxy name the client (nginx: {_FORWARD})",
        )
    if not _is_in(own, known) and ip_address(known.partition("/")[0]).is_private:
        return Diagnosis(
            "public",
            "address",
            Level.PROBLEM,
            f"the server knows this client as {known}, which is no trusted proxy",
            shared,
            f"set TRUSTED_PROXIES={known} if that is the proxy, and let the proxy name the client "
            f"(nginx: {_FORWARD})",
        )
    return Diagnosis("public", "address", seen=f"the server knows this client as {known}")


# The socket.


async def _try_socket(base: str, settings: Settings) -> Diagnosis:
    origin = _origin(base, settings.allowed_origins)
    try:
        async with connect(
            f"{socket_url(base)}?vsn=2.0.0", origin=Origin(origin), open_timeout=PATIENCE_S
        ) as socket:
            return await _try_heartbeat(socket)
    except InvalidStatus as refused:
        return _refused(refused.response.status_code, origin)
    except (InvalidHandshake, WebSocketException, OSError, TimeoutError) as error:
        return _no_upgrade(_text(error))


def _origin(base: str, allowed: str) -> str:
    """Return the origin of a page that embeds the chat; without one, of the server's own pages."""
    first = allowed.split(",")[0].strip()
    if first in ("", "*"):
        return base
    return (
        first.replace("//*.", "//www.") if "://" in first else f"https:{first}".replace("*", "www")
    )


async def _try_heartbeat(socket: ClientConnection) -> Diagnosis:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await socket.send(_HEARTBEAT)
            answer = await socket.recv()
    except (WebSocketException, TimeoutError):
        return Diagnosis(
            "public",
            "socket",
            Level.PROBLEM,
            "the socket opens, but a heartbeat is not answered",
            "no message gets through",
            "let the proxy pass the bytes of an upgraded connection on",
        )
    took_ms = (time.perf_counter() - began) * 1000
    if b"phx_reply" not in (answer if isinstance(answer, bytes) else answer.encode()):
        return _no_upgrade("something else answers there")
    seen = (
        f"opens, and a heartbeat takes {took_ms:.0f} ms; how long the proxy lets it be silent is "
    )
    return Diagnosis("public", "socket", seen=f"{seen}not tested: it must be over 90 s")


def _refused(status: int, origin: str) -> Diagnosis:
    if status == 403:
        return Diagnosis(
            "public",
            "socket",
            Level.PROBLEM,
            f"a page of {origin} may not open the socket",
            "browsers show the chat, which never connects",
            "set ALLOWED_ORIGINS to the origins of the pages that embed it (https://shop.example), "
            "and let the proxy keep the Host (nginx: proxy_set_header Host $host)",
        )
    if status in (429, 503):
        return Diagnosis(
            "public",
            "socket",
            Level.PROBLEM,
            f"HTTP {status}: a limit, or a server that stops",
            "customers are refused too",
            "see ai_agent_limits_met_total in /metrics, and /health/ready",
        )
    return _no_upgrade(f"HTTP {status}")


def _no_upgrade(seen: str) -> Diagnosis:
    return Diagnosis(
        "public",
        "socket",
        Level.PROBLEM,
        f"the proxy does not pass the upgrade on: {seen}",
        "no socket opens, and clients fall back to long polls or do not connect at all",
        f"let {SOCKET_PATH} through with HTTP/1.1 and the headers Upgrade and Connection "
        "(nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
        "proxy_set_header Connection $connection_upgrade)",
    )


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__
