"""The languages of a text and their probabilities, by py3langid."""

from functools import cache

from domain.language import RankLanguages


@cache
def language_ranking() -> RankLanguages:
    """Return a function that ranks languages. Half a second and 90 MB, once in a process."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True).rank  # type: ignore[no-any-return]


def no_ranking(_text: str) -> list[tuple[str, float]]:
    """Return no language at all: none is detected."""
    return []
