"""What compose.yaml says, read as Compose reads it, for tests without a container engine."""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tests.support.process import ROOT

OURS = ("server", "bridge")
"""The services that run the product until they are stopped."""
_VARIABLE = re.compile(r"\$\{(\w+)(?::\?([^}]*)|:-([^}]*))?\}")


class Unset(Exception):
    """A variable that compose.yaml needs is not set; the text is what Compose prints."""


def secrets() -> dict[str, str]:
    """Return new secrets, as `container/secrets > .env` makes them."""
    made = subprocess.run([ROOT / "container/secrets"], capture_output=True, text=True, check=True)
    return variables(made.stdout)


def variables(text: str) -> dict[str, str]:
    """Return the variables of a file of them."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def composed(given: dict[str, str]) -> dict[str, Any]:
    """Return compose.yaml with these variables in it. Raises: Unset."""

    def value(found: re.Match[str]) -> str:
        name, complaint, default = found.groups()
        if given.get(name):
            return given[name]
        if default is None:
            raise Unset(f"{name}: {complaint}")
        return str(default)

    read: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(value, (ROOT / "compose.yaml").read_text()))
    return read


def of_image() -> dict[str, str]:
    """Return the environment that the Dockerfile gives the program, but for its PATH."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    (line,) = re.findall(r"^ENV (.*)$", text, re.MULTILINE)
    named = dict(each.split("=", 1) for each in line.split())
    return {name: value for name, value in named.items() if name != "PATH"}


def on_this_machine(
    environment: dict[str, str], ports: dict[str, int], data: Path
) -> dict[str, str]:
    """Return a service's environment for a process of this machine.

    `ports`: from the address of a service, as in `valkey:6379`, to the port of its double here.
    `data`: the folder in place of the volume.
    """

    def moved(value: str) -> str:
        for address, port in ports.items():
            value = value.replace(f"//{address}", f"//127.0.0.1:{port}")
        return re.sub(r"^/data\b", str(data), value)

    return {name: moved(value) for name, value in environment.items()}
