"""URLs as people and logs may read them: without user, password, query and fragment."""

import re

# A match begins where a word does: in a line of one long word there are not as many as letters.
_URL = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z0-9+.-]+://[^\s\"'<>]+")
_WORD = re.compile(r"[^\s\"']+")


def shown_url(url: str) -> str:
    """Return a URL, or what was meant to be one, with its secrets replaced by `…`."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    user, at, place = rest.rpartition("@")
    if at and re.search("[?#]", user):  # of the password, or of the query: nobody can tell
        return f"{scheme}{separator}…"
    shown = re.sub("[?#].*", "…", place, flags=re.DOTALL)
    return f"{scheme}{separator}{'…' if at else ''}{shown}"


def without_secrets(text: str) -> str:
    """Return a text with every URL in it as `shown_url`, also one without scheme and host."""
    text = _URL.sub(lambda found: shown_url(found[0]), text)
    return _WORD.sub(lambda found: _without_query(found[0]), text) if "?" in text else text


def _without_query(word: str) -> str:
    place, _, query = word.partition("?")
    return f"{place}…" if "=" in query else word
