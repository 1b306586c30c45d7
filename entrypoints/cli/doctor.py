"""What goes wrong in production, found by trying it: each finding says why, and what to do.

The adapters are tried as the server uses them (`operations.try_adapters`), the settings and the
machine are looked at, and the public address is tried from outside. What only the running process
has is not seen: its own limits, and what it has read.
"""

import asyncio
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import httpx
from msgspec.structs import replace

from adapters.urls import without_secrets
from entrypoints.access.descriptors import descriptors_needed
from entrypoints.access.tokens import service_tokens
from entrypoints.cli.diagnoses import Diagnosis, Level
from entrypoints.cli.operations import (
    CONTROLS,
    claim_times_s,
    find_warnings,
    look_into_files,
    table_warnings,
    try_adapters,
)
from entrypoints.cli.public_address import is_base_url, try_public_address
from entrypoints.programs import server_program
from entrypoints.settings import BadSetting, Settings, share_of

SLOW_CLAIM_S = 0.03
"""A claim at Redis: in one data center it takes a millisecond."""
SKEW_S, FAR_SKEW_S = 5.0, 60.0
LEAST_SECRET, LEAST_LETTERS = 16, 8
"""Characters of a token, and different ones of a secret."""
LEAST_FREE, SCARCE_FREE = 64 * 2**20, 2**30
"""Bytes of a disk."""
DATE_S = 5.0

_EXAMPLES = (
    "changeme",
    "change-me",
    "change_me",
    "example",
    "your-",
    "your_",
    "openssl",
    "password",
)
_NETWORK_DISKS = frozenset(
    "9p afs ceph cifs fuse.glusterfs fuse.s3fs fuse.sshfs glusterfs lustre ncpfs nfs nfs4 smb3 "
    "smbfs".split()
)
_WHAT_TO_DO = {
    "store": "see what SQLITE_PATH or DYNAMODB_TABLE names, and that this user may write there",
    "assistant": "see the model's key, address and name (OPENAI_*, MODELS; docs/models.md)",
    "model": "correct [model] in the business's file, or its key",
    "tools": "correct [tools] in the business's file, or start its server",
    "bridge": "start the bridge; see ELIXIR_HTTP_URL, and that ELIXIR_TOKEN is the one it accepts",
    "live chat": "see ELIXIR_WEBSOCKET_URL, that a proxy before it passes the upgrade on, and that "
    "ELIXIR_TOKEN is the one it accepts",
    "broker": "start Redis or Valkey, and see REDIS_URL",
    "leases": "start Redis or Valkey, and see REDIS_URL",
    "sign-in": "correct the file of COORDINATORS, and who may read it",
    "tokens": "see JWT_JWKS_URL, and that this machine may reach it",
}
_WHY = {
    "store": "no message can be stored, and the server does not get ready",
    "assistant": "the AI cannot answer, and every customer is handed over",
    "model": "the AI of this business cannot answer",
    "tools": "the AI has not these tools",
    "bridge": "nobody hears of customers who ask for a human",
    "live chat": "what coordinators write does not reach the customers",
    "broker": "the processes do not hear of each other, and look into the store twice a second",
    "leases": "two processes may make the same turn",
    "sign-in": "no coordinator can sign in",
    "tokens": "no customer can join",
}


async def examine(settings: Settings, url: str = "") -> list[Diagnosis]:
    """Try everything; `url`: the public address, empty: it is not tried.

    Raises: BadSetting, for what keeps the server from starting.
    """
    if url and not is_base_url(url.rstrip("/")):
        raise BadSetting("--url must be like https://chat.example, without a path")
    server_program(settings)
    if settings.workers > 1:
        share_of(settings, settings.workers)
    origins, mistakes = await look_into_files(settings)
    findings = [
        *[_of_adapter(*tried) for tried in await try_adapters(settings)],
        *[_of_warning(*found) for found in await find_warnings(settings)],
        *[_of_table(*found) for found in await table_warnings(settings)],
        *await _slow_redis(settings),
        *await _wrong_clock(settings, url),
        *[_of_mistake(*mistake) for mistake in mistakes],
        *_pages(settings, origins),
        *[finding for look in _LOOKS for finding in look(settings)],
        *(await _exposed(settings, url)),
    ]
    return [_without_secrets(each) for each in findings]


def _without_secrets(finding: Diagnosis) -> Diagnosis:
    """Return a finding that neither tells a secret nor steers the operator's terminal."""
    seen = CONTROLS.sub("\ufffd", without_secrets(finding.seen).replace("\n", " "))
    return replace(finding, seen=seen)


def _of_adapter(part: str, name: str, problem: str | None) -> Diagnosis:
    if problem is None:
        return Diagnosis(part, name)
    what_to_do = _WHAT_TO_DO.get(part, "")
    return Diagnosis(part, name, Level.PROBLEM, problem, _WHY.get(part, ""), what_to_do)


def _of_warning(part: str, name: str, reason: str) -> Diagnosis:
    return Diagnosis(
        part,
        name,
        Level.WARNING,
        reason,
        "the AI answers as if the business had not said it",
        "shorten the facts, or raise VIEW_TOKENS as far as the model takes it",
    )


def _of_mistake(business_id: str, line: str) -> Diagnosis:
    return Diagnosis(
        "business",
        business_id,
        Level.PROBLEM,
        line,
        "its last good version stays in force until a restart, and after that nothing of it",
        "`ai-agent-server business check` prints all mistakes",
    )


def _of_table(name: str, lack: str) -> Diagnosis:
    return Diagnosis(
        "table",
        name,
        Level.WARNING,
        lack,
        "a mistake could not be undone",
        "`ai-agent-server table create` turns it on, and changes nothing else",
    )


# What takes a connection.


async def _slow_redis(settings: Settings) -> list[Diagnosis]:
    times_s = await claim_times_s(settings) if settings.broker == "redis" else []
    if not times_s or (typical_s := median(times_s)) < SLOW_CLAIM_S:
        return []
    return [
        Diagnosis(
            "leases",
            "latency",
            Level.WARNING,
            f"Redis takes {typical_s * 1000:.0f} ms to answer",
            "every turn waits for it, and answers reach customers at other processes late",
            "run it in the same data center, alone on its core; it need not store anything",
        )
    ]


async def _wrong_clock(settings: Settings, url: str) -> list[Diagnosis]:
    """Compare the clock with the Date of the answers of others."""
    async with httpx.AsyncClient(timeout=DATE_S) as client:
        asked = [_skew_s(client, address) for address in dict.fromkeys(_clocks(settings, url))]
        skews = {host: skew for host, skew in await asyncio.gather(*asked) if skew is not None}
    wrong = {host: skew for host, skew in skews.items() if abs(skew) > SKEW_S}
    if not wrong:
        seen = f"agrees with {len(skews)} others" if skews else "nothing there to compare it with"
        return [Diagnosis("clock", "-", seen=seen)]
    host, skew = max(wrong.items(), key=lambda item: abs(item[1]))
    level = Level.PROBLEM if abs(skew) > FAR_SKEW_S else Level.WARNING
    return [
        Diagnosis(
            "clock",
            host,
            level,
            f"its clock is {skew:+.0f} s from this machine's",
            "tokens are refused, or accepted too long; requests for a human expire early or late",
            "let both machines follow a time server: chrony, or systemd-timesyncd",
        )
    ]


def _clocks(settings: Settings, url: str) -> Iterator[str]:
    """The addresses whose answers have a date: nothing is sent to them but a HEAD."""
    if url:
        yield f"{url.rstrip('/')}/health"
    if settings.bridge == "elixir":
        yield settings.elixir_http_url
    if settings.assistant == "openai":
        yield settings.openai_base_url
    if settings.jwt_jwks_url:
        yield settings.jwt_jwks_url
    if settings.store == "dynamodb" and (region := os.environ.get("AWS_REGION")):
        yield settings.dynamodb_endpoint_url or f"https://dynamodb.{region}.amazonaws.com"


async def _skew_s(client: httpx.AsyncClient, address: str) -> tuple[str, float | None]:
    host = urlsplit(address).netloc.rpartition("@")[2]
    try:
        answer = await client.head(address)
        date = parsedate_to_datetime(answer.headers["date"])
        return host, date.timestamp() + 0.5 - time.time()  # it has whole seconds
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
        return host, None  # what cannot be reached others have found


async def _exposed(settings: Settings, url: str) -> list[Diagnosis]:
    return await try_public_address(url, settings) if url else []


# What the settings say.


def _is_public(settings: Settings) -> bool:
    """Return True if strangers are expected."""
    try:
        is_open = not ip_address(settings.server_host).is_loopback
    except ValueError:
        is_open = settings.server_host != "localhost"
    return is_open or settings.socket_auth != "none" or bool(settings.trusted_proxies)


def _secrets(settings: Settings) -> Iterator[Diagnosis]:
    named = {
        name: service_tokens(getattr(settings, name.lower()))
        for name in ("JWT_SECRET", "VISITOR_SECRET", "SERVICE_TOKEN", "ELIXIR_TOKEN")
    }
    for name, secret in [(name, each) for name, secrets in named.items() for each in secrets]:
        if len(set(secret)) < LEAST_LETTERS or any(word in secret.lower() for word in _EXAMPLES):
            seen, level = "it can be guessed: it is an example, or hardly varies", Level.PROBLEM
        elif len(secret) < LEAST_SECRET:
            seen, level = f"it has only {len(secret)} characters", Level.WARNING
        else:
            continue
        if not _is_public(settings):
            level = Level.WARNING
        yield Diagnosis(
            "secret",
            name,
            level,
            seen,
            "who guesses it acts in anybody's name",
            f"{name}=$(openssl rand -hex 32)",
        )
    for first, second in (
        ("JWT_SECRET", "VISITOR_SECRET"),
        ("SERVICE_TOKEN", "ELIXIR_TOKEN"),
        ("JWT_SECRET", "SERVICE_TOKEN"),
    ):
        if set(named[first]) & set(named[second]):
            yield Diagnosis(
                "secret",
                second,
                Level.WARNING,
                f"it is the same as {first}",
                "who learns one of them can do what both are for",
                f"{second}=$(openssl rand -hex 32), and the same at who uses it",
            )


def _identities(settings: Settings) -> Iterator[Diagnosis]:
    if not _is_public(settings):
        return
    if settings.socket_auth == "none":
        yield Diagnosis(
            "tokens",
            "none",
            Level.PROBLEM,
            "SOCKET_AUTH=none, where strangers are expected",
            "anybody can read and write as any customer",
            "SOCKET_AUTH=jwt with a JWT_SECRET; for those whom nobody signs in a VISITOR_SECRET",
        )
    if settings.allow_insecure == "1":
        yield Diagnosis(
            "tokens",
            "insecure",
            Level.WARNING,
            "ALLOW_INSECURE=1",
            "what would refuse to start does not",
            "unset it, and set what is then asked for",
        )


def _origins(settings: Settings) -> Iterator[Diagnosis]:
    allowed = [each.strip() for each in settings.allowed_origins.split(",") if each.strip()]
    plain = [each for each in allowed if each.startswith("http://") and not _is_here(each)]
    if plain:
        yield Diagnosis(
            "origins",
            "http",
            Level.WARNING,
            f"{', '.join(plain)} in ALLOWED_ORIGINS is not https",
            "a page with https:// of that name is refused; one without can be changed on its way",
            "write https:// there, and serve the page so",
        )
    if allowed == ["*"] and _is_public(settings):
        yield Diagnosis(
            "origins",
            "*",
            Level.WARNING,
            "ALLOWED_ORIGINS=*",
            "any page can embed the chat",
            "name the pages' origins, as https://shop.example",
        )


def _pages(settings: Settings, named: Sequence[str]) -> Iterator[Diagnosis]:
    """Look at who may use the chat on which pages; `named`: those of businesses' files."""
    if not settings.allowed_origins and not named and _is_public(settings):
        yield Diagnosis(
            "origins",
            "-",
            Level.WARNING,
            "ALLOWED_ORIGINS is empty, and no business's file names a page",
            "only the server's own pages can connect; a shop's page is refused (403)",
            "ALLOWED_ORIGINS=https://shop.example (scheme and name, no path), or [website] in "
            "the business's file",
        )
    if named and settings.socket_auth == "jwt" and not settings.visitor_secret:
        yield Diagnosis(
            "visitors",
            "-",
            Level.WARNING,
            f"VISITOR_SECRET is empty, but {named[0]} may embed the chat",
            "visitors of that page whom nobody has signed in cannot chat",
            "VISITOR_SECRET=$(openssl rand -hex 32)",
        )


def _is_here(origin: str) -> bool:
    return urlsplit(origin).hostname in ("localhost", "127.0.0.1", "::1")


def _demo(settings: Settings) -> Iterator[Diagnosis]:
    if settings.store == "memory" and _is_public(settings):
        yield Diagnosis(
            "store",
            "memory",
            Level.WARNING,
            "conversations are in memory alone",
            "each restart forgets all of them",
            "STORE=sqlite, or dynamodb",
        )
    if settings.assistant == "scripted" and _is_public(settings):
        yield Diagnosis(
            "assistant",
            "scripted",
            Level.WARNING,
            "the demonstration answers",
            "it is no AI",
            "ASSISTANT=openai with a model (docs/models.md)",
        )


# The machine.


def _descriptors(settings: Settings) -> Iterator[Diagnosis]:
    share = share_of(settings, settings.workers) if settings.workers > 1 else settings
    needed, (_, hard) = descriptors_needed(share), resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        yield Diagnosis(
            "machine",
            "files",
            Level.WARNING,
            f"{hard:,} files may be open, but LIMIT_SOCKETS and LIMIT_CONNECTIONS need {needed:,}",
            'beyond that customers are refused (ai_agent_limits_met_total{limit="descriptors"})',
            "LimitNOFILE=65536 in systemd's unit, --ulimit nofile=65536 for a container; or lower "
            "both limits. This command sees its own limit: run it as the server is run",
        )


def _disks(settings: Settings) -> Iterator[Diagnosis]:
    if settings.store != "sqlite":
        return
    file = Path(settings.sqlite_path).absolute()
    folder = file.parent
    while not folder.exists():
        folder = folder.parent
    if not file.exists():
        yield Diagnosis(
            "store",
            "file",
            Level.WARNING,
            f"there is no file {settings.sqlite_path}: the first start makes it",
            "where a server runs already, this command has other settings than it",
            "run it in the server's folder, with its environment and as its user",
        )
    if not os.access(file if file.exists() else folder, os.W_OK):
        yield Diagnosis(
            "store",
            "file",
            Level.PROBLEM,
            f"{settings.sqlite_path} cannot be written by this user",
            "no message can be stored",
            "give the file and its folder to the server's user, or name another (SQLITE_PATH)",
        )
    kind = disk_kind(folder, Path("/proc/self/mounts"))
    if kind in _NETWORK_DISKS:
        yield Diagnosis(
            "disk",
            kind,
            Level.PROBLEM,
            f"{settings.sqlite_path} is on a network disk ({kind})",
            "SQLite's locks and log do not hold there: messages get lost, the file is damaged",
            "put it on a disk of this machine; for several machines STORE=dynamodb",
        )
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    if free < SCARCE_FREE:
        yield Diagnosis(
            "disk",
            "space",
            Level.PROBLEM if free < LEAST_FREE else Level.WARNING,
            f"{free // 2**20:,} MiB are free for {settings.sqlite_path}",
            "once it is full every message is refused (storage_unavailable)",
            "make room, or let messages expire (RETENTION_DAYS); a backup needs as much room again",
        )


def disk_kind(folder: Path, mounts: Path) -> str:
    """Return the kind of file system of a folder, as `mounts` (proc(5)) has it; empty: unknown."""
    try:
        lines = [line.split() for line in mounts.read_text().splitlines()]
    except OSError:  # no Linux
        return ""
    resolved = folder.resolve()
    above = [
        (len(place), kind)
        for _, place, kind, *_ in lines
        if resolved.is_relative_to(place.replace(r"\040", " "))
    ]
    return max(above, default=(0, ""), key=lambda found: found[0])[1]


_LOOKS: Sequence[Callable[[Settings], Iterator[Diagnosis]]] = (
    _secrets,
    _identities,
    _origins,
    _demo,
    _descriptors,
    _disks,
)
