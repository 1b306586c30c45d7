"""The markup and imports of the pages, and their content security policy."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from entrypoints.pages import SHARED, WEB, content_policy


@pytest.mark.parametrize(
    ("url", "source"),
    [
        (None, ""),
        ("ws://localhost:4000/socket/websocket", " ws://localhost:4000"),
        ("wss://Chat.Example/socket?x=1", " wss://Chat.Example"),
        ("wss://name:word@chat.example/", " wss://chat.example"),
        ("ws://[::1]:4000/socket", " ws:"),
        ("ws://[::1", " ws:"),
        ("wss://x;script-src *", " wss:"),
        ("wss://x,y/", " wss:"),
        ("wss://*.example/", " wss:"),
    ],
)
def test_a_policy_names_the_origin_of_a_socket_or_its_scheme(url: str | None, source: str) -> None:
    assert f"; connect-src 'self'{source}; base-uri" in content_policy(url)


def test_no_page_has_a_script_a_style_or_a_listener_in_itself() -> None:
    pages = list(WEB.glob("*/*.html"))
    for page in pages:
        markup = page.read_text()

        assert re.findall(r"<script(?![^>]* src=\"/web/)|<style|\sstyle=|\son\w+=", markup) == []
    assert len(pages) == 2


def test_a_page_refers_to_files_of_its_own_folder_and_of_shared_ones_alone() -> None:
    for file in WEB.glob("*/*"):
        names = re.findall(r"(?:href|src)=\"/web/([^\"]+)\"", file.read_text())
        names += [
            str((file.parent / name).resolve().relative_to(WEB))
            for name in re.findall(r"\bfrom \"([^\"]+)\"", file.read_text())
        ]

        assert [name for name in names if not (WEB / name).is_file()] == []
        assert {name.split("/")[0] for name in names} <= {file.parent.name, *SHARED}


def test_the_scripts_of_the_pages_keep_their_rules() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node is on the PATH")
    files = sorted(str(path) for path in Path(__file__).with_name("web").glob("*.test.js"))

    ran = subprocess.run([node, "--test", *files], capture_output=True, text=True)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert files
