"""Prometheus on this machine (Debian's package `prometheus`), with the files that we ship."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

from tests.support.server import free_port

FOLDER = Path(__file__).parents[2] / "container/prometheus"
START_S = 20.0
SCRAPES_EVERY = "1s"


class Prometheus:
    """A running Prometheus."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return what a query finds now, without what is not a number."""
        answer = self._http.post("/api/v1/query", data={"query": expression}).json()
        assert answer["status"] == "success", (expression, answer)
        found: list[dict[str, Any]] = answer["data"]["result"]
        return [each for each in found if each["value"][1] != "NaN"]

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules, each with its `name`, `health` and `state`."""
        groups = self._http.get("/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def is_ready(self) -> bool:
        """Return whether it answers queries."""
        with suppress(httpx.HTTPError):
            return self._http.get("/-/ready").status_code == 200
        return False


def program(name: str) -> str:
    """Return the path of `prometheus` or `promtool`; without it the test is skipped, or fails."""
    found = shutil.which(name)
    if found is None:
        _missing(f"there is no {name}: apt-get install --no-install-recommends prometheus")
    return found


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, str]) -> Iterator[Prometheus]:
    """Run it with our configuration and rules.

    `targets`: the address of each, such as `127.0.0.1:40123`, by the name that it has in our
    configuration, such as `server:3001`. It scrapes and evaluates each second.
    """
    path, port = program("prometheus"), free_port()
    configuration = (FOLDER / "prometheus.yml").read_text()
    configuration = re.sub(r"(_interval:) 15s", rf"\1 {SCRAPES_EVERY}", configuration)
    for target, address in targets.items():
        assert f'"{target}"' in configuration
        configuration = configuration.replace(f'"{target}"', f'"{address}"')
    file = folder / "prometheus.yml"
    file.write_text(configuration)
    shutil.copy(FOLDER / "alerts.yml", folder)
    address = f"127.0.0.1:{port}"
    options = [f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "prometheus.log").open("wb") as log:
        running = subprocess.Popen(
            [path, *options, f"--web.listen-address={address}"], stdout=log, stderr=log
        )
    try:
        with httpx.Client(base_url=f"http://{address}", timeout=5.0, verify=False) as http:
            found = Prometheus(http)
            deadline = time.monotonic() + START_S
            while not found.is_ready():
                if time.monotonic() > deadline or running.poll() is not None:
                    raise RuntimeError((folder / "prometheus.log").read_text())
                time.sleep(0.02)
            yield found
    finally:
        running.kill()
        running.wait()
