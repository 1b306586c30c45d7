"""Learn from the tuned corpus what the signs of a claim weigh (`domain/promise_weights.py`).

`python -m tests.promise_weights` (`make promise-weights`), after each change of the corpus, of the
words or of the grammar. A text is as likely a claim as its likeliest sentence; the weights are
those of a logistic regression, found by stochastic gradient descent.
"""

import hashlib
import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

from domain.promise import claims_of, signs_of
from domain.promise_tags import tagged_sentences
from tests.unit.test_promise_corpus import TUNED

FILE = Path(__file__).parent.parent / "domain" / "promise_weights.py"
FOLDS = 5
ROUNDS = 20
RATE = 0.05
DECAY = 0.01
MIN_TEXTS = 2
"""A sign that stands in fewer texts has no weight."""
STOPPED = 0.065
"""The share of the ordinary texts that may be stopped of those that nothing was learned from.

On texts by somebody else, for which no word was added, it is more than twice as much.
"""

HEAD = '''"""What the signs of a claim weigh, in hundredths; written by `make promise-weights`."""

LEARNED_FROM = "{}"

WEIGHTS = """
'''


class Example(NamedTuple):
    """A text: the signs of each of its sentences, and whether it is a claim."""

    sentences: list[set[str]]
    is_claim: bool


def examples(answers: Sequence[Mapping[str, Any]]) -> list[Example]:
    """Return the texts that weights can be learned from."""
    return [
        Example([_signs_of(sentence) for sentence in sentences], answer["kind"] != "ordinary")
        for answer in answers
        if (sentences := tagged_sentences(answer["text"], answer["language"]))
    ]


def _signs_of(sentence: str) -> set[str]:
    """Return the signs of a sentence, with those of what the grammar finds by itself."""
    claims = claims_of(sentence)
    found = {"!human": claims.human, "!deed": claims.deed}
    return signs_of(sentence) | {sign for sign, is_found in found.items() if is_found}


def learn(texts: Sequence[Example]) -> dict[str, float]:
    """Return the weight of each sign, by AdaGrad; a claim and an ordinary text weigh the same."""
    seen = Counter(sign for text in texts for sign in set().union(*text.sentences))
    weights = {sign: 0.0 for sign, count in seen.items() if count >= MIN_TEXTS}
    squares = dict.fromkeys(weights, 1e-6)
    claims = sum(text.is_claim for text in texts)
    importance = {True: len(texts) / (2 * claims), False: len(texts) / (2 * (len(texts) - claims))}
    known = [
        ([[sign for sign in sorted(signs) if sign in weights] for signs in text.sentences], text)
        for text in texts
    ]
    order = random.Random(0)
    for _ in range(ROUNDS):
        order.shuffle(known)
        for sentences, text in known:
            score, signs = max(
                (sum([weights[sign] for sign in signs]), signs) for signs in sentences
            )
            wrong = (1 / (1 + math.exp(-score)) - text.is_claim) * importance[text.is_claim]
            for sign in signs:
                slope = wrong + DECAY * weights[sign]
                squares[sign] += slope * slope
                weights[sign] -= RATE * slope / math.sqrt(squares[sign])
    return weights


def score_of(text: Example, weights: Mapping[str, float]) -> float:
    """Return the score of a text's likeliest sentence; a text that the grammar finds has more."""
    if any(sign[0] == "!" for signs in text.sentences for sign in signs):
        return math.inf
    return max(sum(weights.get(sign, 0.0) for sign in signs) for signs in text.sentences)


def unseen_scores(texts: Sequence[Example]) -> Iterator[tuple[Example, float]]:
    """Return each text with its score by weights that were learned from the other folds."""
    for fold in range(FOLDS):
        weights = learn([text for place, text in enumerate(texts) if place % FOLDS != fold])
        for text in texts[fold::FOLDS]:
            yield text, score_of(text, weights)


def limit_of(scores: Sequence[tuple[Example, float]]) -> float:
    """Return the score that `STOPPED` of the ordinary texts are above."""
    ordinary = sorted((score for text, score in scores if not text.is_claim), reverse=True)
    return ordinary[int(STOPPED * len(ordinary))]


def digest_of(texts: Sequence[Example]) -> str:
    """Return a fingerprint of what weights are learned from."""
    read = [([sorted(signs) for signs in text.sentences], text.is_claim) for text in texts]
    return hashlib.sha256(repr(read).encode()).hexdigest()[:16]


def main() -> None:
    """Write the weights, in hundredths, with the limit taken off each sentence's score."""
    texts = examples(TUNED)
    weights = learn(texts)
    weights["^"] -= limit_of(list(unseen_scores(texts)))
    written = {
        sign: round(100 * weight) for sign, weight in sorted(weights.items()) if sign[0] != "!"
    }
    entries = " ".join(f"{sign}{weight:+d}" for sign, weight in written.items() if weight)
    lines = wrap(entries, 99, break_long_words=False, break_on_hyphens=False)
    FILE.write_text(HEAD.format(digest_of(texts)) + "\n".join([*lines, '"""\n']))


if __name__ == "__main__":
    main()
