"""nginx in front of a server, set up as docs/operations.md says, or with a mistake."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.support.server import free_port

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
FORWARDED = "proxy_set_header X-Forwarded-For $remote_addr;"
UPGRADE = """proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;"""
_CONFIGURATION = """
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    server {{
        listen 127.0.0.1:{port}{tls};
        {server}
        location / {{
            proxy_pass http://{address};
            proxy_http_version 1.1;
            proxy_set_header Host {host};
            {forwarded}
            {upgrade}
        }}
    }}
}}
"""


@asynccontextmanager
async def nginx(
    address: str,
    *,
    certificate: tuple[Path, Path] | None = None,
    server: str = "",
    host: str = "$http_host",
    forwarded: str = FORWARDED,
    upgrade: str = UPGRADE,
) -> AsyncIterator[str]:
    """Run nginx before the server at `address`, and yield its own address.

    `certificate`: a PEM file, and that of its key, for TLS. The others are parts of its
    configuration, which a mistake replaces.
    """
    assert NGINX is not None
    folder, port = Path(mkdtemp(prefix="nginx-")), free_port()
    if certificate is not None:
        server += f"ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]};"
    parts = {"host": host, "forwarded": forwarded, "upgrade": upgrade, "server": server}
    tls = " ssl" if certificate is not None else ""
    (folder / "nginx.conf").write_text(
        _CONFIGURATION.format(folder=folder, port=port, address=address, tls=tls, **parts)
    )
    command = NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")
    try:
        await _succeed(*command)  # it listens when this returns
        try:
            yield f"127.0.0.1:{port}"
        finally:
            await _succeed(*command, "-s", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _succeed(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0
