"""The wiring of the bridge: whatever the settings choose can be made."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from entrypoints.bridge.container import BridgeContainer
from entrypoints.settings import Settings
from tests.support.process import ROOT


@pytest.mark.parametrize("choice", ["memory", "sqlite"])
@pytest.mark.parametrize("rate_limits", ["on", "off"])
def test_every_choice_can_be_made(choice: Any, rate_limits: Any, tmp_path: Path) -> None:
    container = BridgeContainer(
        settings=Settings(
            bridge_store=choice,
            bridge_sqlite_path=str(tmp_path / "bridge.sqlite3"),
            rate_limits=rate_limits,
        )
    )
    parts = {name: provider() for name, provider in container.providers.items()}

    shown = "bridge.sqlite3" if choice == "sqlite" else ":memory:"
    assert shown in repr(parts["store"])
    assert parts["deliver"].chats is parts["services"].chats
    assert parts["chats"].notify is parts["broadcaster"]


def test_what_hashes_and_signs_is_imported_only_with_a_file_of_coordinators() -> None:
    code = """
import sys
from entrypoints.bridge.app import create_bridge
from entrypoints.settings import Settings

for coordinators in ("", "coordinators.toml"):
    create_bridge(Settings(bridge_store="memory", coordinators=coordinators))
    print([name for name in ("argon2", "jwt", "adapters.files.coordinators")
           if name in sys.modules])
"""
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert printed == "[]\n['adapters.files.coordinators']\n"
