"""What the pages are made of, and their content security policy."""

import re

import pytest

from entrypoints.pages import WEB, content_policy


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
    for page in WEB.glob("*.html"):
        markup = page.read_text()

        assert re.findall(r"<script(?![^>]* src=\"/web/)|<style|\sstyle=|\son\w+=", markup) == []
