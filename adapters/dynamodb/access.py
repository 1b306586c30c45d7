"""Where DynamoDB is and as whom it is asked, as AWS's SDK finds it out."""

import os
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import aioboto3  # type: ignore[import-untyped]
from aiobotocore.credentials import AioCredentials  # type: ignore[import-untyped]
from aiobotocore.session import AioSession, get_session  # type: ignore[import-untyped]
from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
    NoRegionError,
)
from botocore.httpsession import (  # type: ignore[import-untyped]
    ProxyConfiguration,
    get_cert_path,
)
from botocore.utils import get_environ_proxies  # type: ignore[import-untyped]
from yarl import URL

from adapters.urls import shown_url
from domain.errors import StorageUnavailable

ACCESS_ERRORS = (
    *(BotoCoreError, ClientError, StorageUnavailable),
    *(RuntimeError, ValueError),
    *(OSError, KeyError),  # a file or a program is missing; a field of an answer is
)
"""What the SDK raises where credentials, region or endpoint are missing, wrong or not renewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where the requests go, and as whom."""

    url: URL
    region: str
    find_credentials: Callable[[], Awaitable[Any]] = field(repr=False)
    """Look for the SDK's credentials, as it does at its start. Raises: one of ACCESS_ERRORS."""
    credentials: Any = field(repr=False)
    """Those that were found; they renew themselves before they expire, when they are asked for."""
    tls: ssl.SSLContext | bool
    """False: the endpoint has none."""
    proxy: str | None = field(repr=False)
    """The URL of an HTTP proxy."""


async def find_access(endpoint_url: str | None) -> Access:
    """Return how DynamoDB is accessed, by the environment, the profiles and the machine's role.

    `endpoint_url`: another DynamoDB than AWS's. Raises: one of ACCESS_ERRORS.
    """
    session = get_session()
    credentials = await _credentials(session, endpoint_url)
    find_credentials = partial(_find_credentials, endpoint_url)
    region = _region(session, endpoint_url)
    if endpoint_url is None:
        # Only a client of the SDK knows AWS's endpoints: by region, with FIPS and IPv6, and by the
        # variables and profiles that name another one.
        sdk = aioboto3.Session(botocore_session=session)
        async with sdk.client("dynamodb", region_name=region) as client:
            endpoint_url, region = client.meta.endpoint_url, client.meta.region_name
    proxies = ProxyConfiguration(proxies=get_environ_proxies(endpoint_url))
    return Access(
        url=_url(endpoint_url),
        region=region,
        find_credentials=find_credentials,
        credentials=credentials,
        tls=_tls(session, endpoint_url),
        proxy=proxies.proxy_url_for(endpoint_url),
    )


def _url(endpoint_url: str) -> URL:
    url = URL(endpoint_url)
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"Invalid endpoint: {shown_url(endpoint_url)}")
    if url.raw_user or url.raw_password or url.raw_query_string or url.raw_fragment:
        raise ValueError(f"an endpoint has no user and no query: {shown_url(endpoint_url)}")
    return url


def _tls(session: AioSession, endpoint_url: str) -> ssl.SSLContext | bool:
    if urlsplit(endpoint_url).scheme != "https":
        return False  # reading the certificates takes 25 ms
    bundle = get_cert_path(session.get_config_variable("ca_bundle") or True)
    try:
        return ssl.create_default_context(cafile=bundle)
    except OSError as error:
        raise ValueError(f"no certificates in {bundle}: {error}") from error


async def _find_credentials(endpoint_url: str | None) -> Any:
    return await _credentials(get_session(), endpoint_url)  # a session keeps what it has found


async def _credentials(session: AioSession, endpoint_url: str | None) -> Any:
    """Return the SDK's credentials. A local engine takes any: there they may be none."""
    local = endpoint_url is not None and _is_loopback(endpoint_url)
    if local:  # no request to the network's metadata service
        session.get_component("credential_provider").remove("iam-role")
    found = await session.get_credentials()
    if found is not None:
        return found
    if local:
        return AioCredentials("local", "local")
    raise StorageUnavailable(
        "DynamoDB: no AWS credentials in the environment, a profile or a role of this machine"
    )


def _region(session: AioSession, endpoint_url: str | None) -> str:
    # Python's SDK alone ignores the variable that all others, and AWS's containers, use.
    region: str | None = session.get_config_variable("region") or os.environ.get("AWS_REGION")
    if region is None and endpoint_url is None:
        raise NoRegionError
    return region or "us-east-1"


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
