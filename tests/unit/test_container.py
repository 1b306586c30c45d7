"""The wiring: every choice of the settings can be built, and nothing else is imported."""

import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from dependency_injector import providers

from adapters.memory.broker import NoBroker
from domain.identity import customer
from entrypoints.server.container import Container
from entrypoints.server.siblings import Siblings
from entrypoints.settings import Settings
from entrypoints.worker_folder import Worker

ROOT = Path(__file__).parents[2]
CHOOSING = ("store", "assistant", "bridge", "rate_limits")


def choices(name: str) -> list[str]:
    (field,) = (each for each in msgspec.structs.fields(Settings) if each.name == name)
    return list(get_args(get_args(field.type)[0]))


@pytest.mark.parametrize(
    ("name", "choice"), [(name, choice) for name in CHOOSING for choice in choices(name)]
)
def test_every_choice_can_be_built(name: str, choice: str, tmp_path: Path) -> None:
    given: dict[str, Any] = {"sqlite_path": str(tmp_path / "a.db"), name: choice}
    container = Container(settings=Settings(**given))
    parts = {
        part: provider()
        for part, provider in container.providers.items()
        if not isinstance(provider, providers.Dependency)
    }

    assert parts["messages"] is not None
    assert (parts["bridge"] is None) == (given.get("bridge", "none") == "none")
    assert (parts["deliveries"] == ()) == (parts["bridge"] is None)
    assert (parts["session_log"].build_notices is None) == (parts["bridge"] is None)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"bridge": "none"}, None),
        ({"bridge": "elixir"}, "ws://localhost:4000/socket/websocket"),
        ({"bridge": "elixir", "elixir_websocket_public_url": "wss://chat.example/s"},
         "wss://chat.example/s"),
        ({"bridge": "elixir", "elixir_websocket_public_url": "wss://chat.example/s?theme=dark"},
         "wss://chat.example/s?theme=dark"),
        ({"bridge": "elixir", "elixir_websocket_url": "wss://me:s3cret@chat.example:8/s?token=s3cret"},
         "wss://chat.example:8/s"),
    ],
)  # fmt: skip
def test_with_a_bridge_there_is_an_address_of_the_live_chat(
    given: dict[str, Any], url: str | None
) -> None:
    address = Container(settings=Settings(**given)).live_chat().address_of(customer("b1", "u1"))

    assert (address.url if address is not None else None) == url


def test_imports_only_needed_for_the_bridge_are_not_made_without_it() -> None:
    code = """
import sys
from entrypoints.server.container import Container
from entrypoints.settings import Settings

container = Container(settings=Settings(store="memory"))
for provider in (container.bridge, container.deliveries, container.messages):
    provider()
print([name for name in ("httpx", "jwt", "adapters.elixir.http", "websockets.asyncio.client")
       if name in sys.modules])
"""
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert printed == "[]\n"


def test_the_sdk_of_a_model_is_imported_only_where_one_is_chosen() -> None:
    code = """
import sys
from entrypoints.server.container import Container
from entrypoints.settings import Settings

for assistant in ("scripted", "openai"):
    Container(settings=Settings(store="memory", assistant=assistant)).assistant()
    print([name for name in ("openai", "httpx2", "adapters.openai") if name in sys.modules])
"""
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert printed == "[]\n['openai', 'httpx2', 'adapters.openai']\n"


@pytest.mark.parametrize(
    ("given", "adapter"),
    [
        ({"broker": "none", "store": "sqlite"}, "MemoryLeases"),
        ({"broker": "local", "store": "memory"}, "MemoryLeases"),
        ({"broker": "local", "store": "sqlite"}, "LocalLeases"),
        ({"broker": "local", "store": "dynamodb"}, "DynamoLeases"),
        ({"broker": "redis", "store": "sqlite"}, "RedisLeases"),
    ],
)
def test_leases_are_kept_where_all_processes_of_the_server_see_them(
    given: dict[str, Any], adapter: str
) -> None:
    container = Container(settings=Settings(**given))
    container.broker.override(NoBroker())
    container.siblings.override(Siblings(Worker(number=1, wanted=2, name="1-a", folder="/none")))

    assert type(container.leases()).__name__ == adapter
    assert container.leases() in container.opened()
