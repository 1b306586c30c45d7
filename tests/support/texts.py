"""The server's own sentences, for tests that expect one of them.

Their wording stands in `tests/unit/domain/texts.json` alone.
"""

from domain.words import words


def text_of(key: str, language: str = "ro", *, who: str | None = None) -> str:
    """Return the sentence for `key` in `language`."""
    return words(language, key, who=who)
