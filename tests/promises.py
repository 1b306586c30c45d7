"""Measure on the held half of the corpus how promises and claimed deeds are noticed.

`python -m tests.promises` (`make promises`): the broad filter and the patterns; the filter on the
tuned half, on each fold by what was learned from the others; and, where a model is configured
(ASSISTANT=openai, with OPENAI_* or MODELS), the question to it, which costs money.
"""

import asyncio
import os

from application.ports import Assistant
from domain.errors import AssistantFailed
from domain.promise import Verdict, possible_claims, sure_claims
from domain.usage import Usage, together
from entrypoints.server.container import Container
from entrypoints.settings import Settings, load_settings
from tests.promise_weights import examples, limit_of, unseen_scores
from tests.unit.test_promise_corpus import HELD, TUNED, Figures, figures

TIMEOUT_S = 20.0
AT_ONCE = 8
LANGUAGES = {answer["language"]: None for answer in HELD}


def main() -> None:
    """Print all figures there are."""
    print("the held half", "recall", "precision", "of ordinary", sep="\t")
    _show("filter", figures(HELD, possible_claims))
    for language in LANGUAGES:
        _show(f"filter {language}", figures(HELD, possible_claims, {language}))
    for language in ("ro", "en"):
        _show(f"patterns {language}", figures(HELD, sure_claims, {language}))
    _show("filter, other folds", _cross_validated())
    settings = load_settings(os.environ)
    if settings.assistant == "openai":
        asyncio.run(_ask_the_model(settings))
    else:
        print("No model is configured: what the question adds is not known")


async def _ask_the_model(settings: Settings) -> None:
    async with Container(settings=settings).assistant() as assistant:
        await assistant.check()
        verdicts, usage = await judged(assistant)
    by_text = {answer["text"]: verdict for answer, verdict in zip(HELD, verdicts, strict=True)}
    answered = [answer for answer in HELD if by_text[answer["text"]] is not None]
    print(f"{assistant!r} gave a verdict on {len(answered)} of {len(HELD)} texts")
    _show("question", figures(answered, lambda text, _: by_text[text] is not Verdict.NONE))
    _show(
        "all together", figures(HELD, lambda text, language: _found(by_text[text], text, language))
    )
    if usage is not None:
        print(f"{usage.tokens / max(1, usage.calls):.0f} tokens a question, {usage.calls} requests")


def _found(verdict: Verdict | None, text: str, language: str) -> bool:
    """Return whether the server would find a claim, which asks only where the filter lets it."""
    if not possible_claims(text, language):
        return False
    return bool(sure_claims(text, language) if verdict is None else verdict.claims)


async def judged(assistant: Assistant) -> tuple[list[Verdict | None], Usage | None]:
    """Return the model's verdict on each text of the held half, and what they cost."""
    slots = asyncio.Semaphore(AT_ONCE)
    usages: list[Usage | None] = []

    async def verdict(text: str) -> Verdict | None:
        async with slots:
            try:
                judgement = await assistant.judge(text, timeout_s=TIMEOUT_S)
            except AssistantFailed as failed:
                usages.append(failed.usage)
                return None
        usages.append(judgement.usage if judgement is not None else None)
        return judgement.verdict if judgement is not None else None

    verdicts = await asyncio.gather(*[verdict(answer["text"]) for answer in HELD])
    return verdicts, together(*usages)


def _cross_validated() -> Figures:
    scores = list(unseen_scores(examples(TUNED)))
    limit = limit_of(scores)
    found = [score > limit for text, score in scores if text.is_claim]
    false = [score > limit for text, score in scores if not text.is_claim]
    return Figures(len(found), sum(found), len(false), sum(false))


def _show(name: str, measured: Figures) -> None:
    shares = (measured.recall, measured.precision, measured.false_share)
    print(name, *[f"{share:.1%}" for share in shares], sep="\t")


if __name__ == "__main__":
    main()
