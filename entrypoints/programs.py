"""The programs that can be served: their settings, their addresses, and their listening sockets.

The process that only supervises workers imports this, so it imports no framework.
"""

import logging
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from secrets import token_urlsafe
from typing import Literal

from msgspec.structs import replace

from adapters.urls import shown_url
from domain.errors import Failure
from entrypoints.access.tokens import (
    require_service_token,
    require_token_beside_passwords,
    service_tokens,
)
from entrypoints.settings import BadSetting, Settings

logger = logging.getLogger(__name__)

BACKLOG = 2048
OWN_FOLDER = "businesses"
"""The folder of businesses, in the current one, where BUSINESSES names none."""
EXAMPLES = Path(__file__).parent / "examples"
DEMO_BUSINESS = "b1"
"""The example that pages and commands begin with."""


class CannotListen(Failure):
    """The address cannot be listened on; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """The AI agent server or the reference bridge, with its settings."""

    name: Literal["server", "bridge"]
    """Its address comes from the variables NAME_HOST and NAME_PORT."""
    settings: Settings

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return self.settings.server_host if self.name == "server" else self.settings.bridge_host

    @property
    def port(self) -> int:
        """The port that it listens on; 0: any free one."""
        return self.settings.server_port if self.name == "server" else self.settings.bridge_port

    @property
    def chosen(self) -> Mapping[str, str]:
        """The adapters that the settings choose, for the log line of its start."""
        settings = self.settings
        if self.name == "bridge":
            agent_server = shown_url(settings.agent_server_url)
            return {"store": settings.bridge_store, "agent_server": agent_server}
        return {
            "store": settings.store,
            "assistant": settings.assistant,
            "bridge": settings.bridge,
        }

    @property
    def is_api_open(self) -> bool:
        """True if other machines can use its HTTP API without a token."""
        return is_api_open(self.settings, self.host)


def server_program(settings: Settings) -> Program:
    """Return the AI agent server. Raises: BadSetting."""
    check_exposure(settings, settings.server_host, "SERVER_HOST")
    check_businesses(settings)
    return Program("server", settings)


def bridge_program(settings: Settings) -> Program:
    """Return the reference bridge. Raises: BadSetting."""
    if find_spec("entrypoints.bridge") is None:
        raise BadSetting("the reference bridge is not part of this installation")
    check_exposure(settings, settings.bridge_host, "BRIDGE_HOST")
    require_token_beside_passwords(settings)
    check_businesses(settings)
    return Program("bridge", settings)


def dev_programs(settings: Settings) -> list[Program]:
    """Return the server and, unless the settings name another bridge or none, the reference bridge.

    `joined` gives each the other's address. Raises: BadSetting.
    """
    # Without a token between the two, the bridge could not tell the server from a user.
    tells_apart = settings.socket_auth == "jwt" or settings.coordinators
    if not settings.service_token and tells_apart:
        settings = replace(settings, service_token=token_urlsafe())
    if not settings.visitor_secret:  # without the last run's, its visitors get new identities
        settings = replace(settings, visitor_secret=token_urlsafe())
    server = server_program(settings)
    if settings.bridge == "none" or _bridge_urls(settings) != _bridge_urls(Settings()):
        return [server]
    return [server, bridge_program(settings)]


def demo_folder() -> str:
    """Return the folder of businesses for `dev`: the user's own, if there is one."""
    return OWN_FOLDER if Path(OWN_FOLDER).is_dir() else str(EXAMPLES)


def first_business(settings: Settings) -> str:
    """Return the business to try: the demo's, if it is there, or else the first by its name."""
    folder = Path(settings.businesses or EXAMPLES)
    files = [*folder.glob("[!.]*.toml"), *folder.glob("[!.]*/business.toml")]
    names = sorted(each.parent.name if each.parent != folder else each.stem for each in files)
    return names[0] if names and DEMO_BUSINESS not in names else DEMO_BUSINESS


def joined(programs: Sequence[Program], urls: Sequence[str]) -> Sequence[Program]:
    """Return the programs of `dev_programs` with each other's address, given their URLs."""
    if len(programs) == 1:
        return programs
    server, bridge = programs
    bridge_url = local(urls[1])
    settings = replace(
        server.settings,
        elixir_http_url=bridge_url,
        elixir_websocket_url=socket_url(bridge_url),
        elixir_token=server.settings.elixir_token
        or next(iter(service_tokens(server.settings.service_token)), ""),
    )
    return [
        Program("server", settings),
        Program("bridge", replace(bridge.settings, agent_server_url=local(urls[0]))),
    ]


def check_exposure(settings: Settings, host: str, variable: str) -> None:
    """Refuse to listen beyond this machine without authentication, unless ALLOW_INSECURE=1.

    `variable`: the one that sets `host`. Raises: BadSetting.
    """
    if settings.socket_auth == "none" and settings.allow_insecure != "1" and not _is_local(host):
        raise BadSetting(
            f"{variable} is {host!r}, which other machines can reach, but SOCKET_AUTH=none "
            "verifies nobody's identity: set SOCKET_AUTH=jwt, or ALLOW_INSECURE=1"
        )
    require_service_token(settings)


def check_businesses(settings: Settings) -> None:
    """Refuse a folder of businesses that is not there, or that is needed. Raises: BadSetting."""
    folder = settings.businesses
    if folder and not Path(folder).is_dir():
        raise BadSetting(f"BUSINESSES is {folder!r}, but there is no such folder")
    if settings.businesses_only == "1" and not folder:
        raise BadSetting("BUSINESSES_ONLY is 1, but BUSINESSES names no folder")


def is_api_open(settings: Settings, host: str) -> bool:
    """Return whether other machines can use the HTTP API without a token."""
    return not service_tokens(settings.service_token) and not _is_local(host)


def _is_local(host: str) -> bool:
    """Return whether only this machine can connect to an address."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        return True  # nobody can connect; `listen` reports the bad address
    return all(ip_address(str(info[4][0]).partition("%")[0]).is_loopback for info in found)


def _bridge_urls(settings: Settings) -> tuple[str, str]:
    return settings.elixir_http_url, settings.elixir_websocket_url


def log_start(program: Program, url: str, **more: object) -> None:
    """Log that a program accepts connections at `url`."""
    extra = {"action": f"{program.name}_started", "url": url, **program.chosen, **more}
    logger.info("The %s listens", program.name, extra=extra)
    if program.is_api_open:
        logger.warning(
            "The HTTP API is open to whoever can reach it: set SERVICE_TOKEN",
            extra={"action": "api_open", "url": url},
        )


def log_end(program: Program) -> None:
    """Log that a program has ended, gracefully."""
    extra = {"action": f"{program.name}_stopped"}
    logger.info("The %s has stopped", program.name, extra=extra)


def check_descriptors(programs: Sequence[Program], descriptors: int) -> None:
    """Warn if the system allows fewer open files than there may be sockets."""
    if descriptors < max(program.settings.limit_sockets for program in programs):
        logger.warning(
            "The system allows fewer open files than LIMIT_SOCKETS: raise it (ulimit -n, or "
            "LimitNOFILE of systemd)",
            extra={"action": "descriptors_low", "open_files": descriptors},
        )


def listen(program: Program, count: int = 1) -> list[socket.socket]:
    """Return sockets that listen on the program's address, each for a process.

    The system spreads the connections over them evenly. Raises: CannotListen.
    """
    host, port = program.host, program.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # A name such as localhost has two addresses; clients that use only one use the IPv4 one.
        family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
        if count == 1:
            return [listener]
        # Only a first socket of its own shows that nobody else listens there.
        with listener:
            bound = (str(address[0]), listener.getsockname()[1])
        return [
            socket.create_server(bound, family=family, backlog=BACKLOG, reuse_port=True)
            for _ in range(count)
        ]
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]
        variables = f"{program.name.upper()}_HOST=… and {program.name.upper()}_PORT=…"
        raise CannotListen(
            f"cannot listen on {host} port {port}: {reason}. Choose others with {variables}"
        ) from error


def url_of(program: Program, listener: socket.socket) -> str:
    """Return the URL of a program that listens, such as `http://127.0.0.1:3001`."""
    host, port = program.host, listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def local(url: str) -> str:
    """Return the URL for use on this machine: 127.0.0.1 and wildcards become localhost."""
    return re.sub(r"//(127\.0\.0\.1|0\.0\.0\.0|\[::\])(?=:|$)", "//localhost", url)


def socket_url(url: str) -> str:
    """Return the URL of the socket of the program at `url`."""
    return url.replace("http", "ws", 1) + "/socket/websocket"
