"""The markup and imports of the pages, and their content security policy."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from entrypoints.web_files import SHARED, WEB, content_policy

ROOT = Path(__file__).parents[2]
BUNDLED = ("chat", "dist", "page", "widget")
"""The folders that are built into `dist/`, or are that."""


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
    assert len(pages) == 5


def test_a_page_refers_to_files_of_its_own_folder_and_of_shared_ones_alone() -> None:
    for file in WEB.glob("*/*"):
        names = re.findall(r"(?:href|src)=\"/web/([^\"$]+)\"", file.read_text())
        imported = [
            str((file.parent / name).resolve().relative_to(WEB))
            for name in re.findall(r"\bfrom \"([^\"]+)\"", file.read_text())
        ]
        names += imported if file.parent.name not in BUNDLED else []

        assert [name for name in (*names, *imported) if not (WEB / name).is_file()] == []
        assert {name.split("/")[0] for name in names} <= {file.parent.name, *SHARED}


def test_the_scripts_of_the_pages_keep_their_rules() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node is on the PATH")
    files = sorted(str(path) for path in Path(__file__).with_name("web").glob("*.test.js"))

    ran = subprocess.run([node, "--test", *files], capture_output=True, text=True)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert files


def test_what_is_built_is_what_the_sources_say_and_nothing_of_an_earlier_build(
    tmp_path: Path,
) -> None:
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules" / "esbuild").is_dir():
        pytest.skip("no node with the locked packages is here")
    (tmp_path / "panel-0123456789ab.js").write_text("earlier")

    subprocess.run([node, WEB / "build.mjs", tmp_path], check=True, cwd=ROOT)

    assert _contents(tmp_path) == _contents(WEB / "dist"), "run `make web`"


def _contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}
