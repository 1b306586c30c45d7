"""Whether a text promises that a human takes over: what is promised is then done (rule 10)."""

import re

_HUMAN_RO = r"(?:coleg\w*|operator\w*|agent\w*|om(?:ul)? real|coordonator\w*|consultant\w*)"
_HUMAN_EN = (
    r"(?:colleague|human|agent|operator|representative|coordinator|person"
    r"|someone from (?:our|the) team)"
)

_PROMISES = [
    # "vă transfer acum la un coleg", "te conectez cu un operator", "am cerut unui coleg"
    rf"\b(?:vă|te|îl|o)\s+(?:transfer|conectez|redirecționez|pun în legătură)\b"
    rf".{{0,40}}\b{_HUMAN_RO}",
    rf"\b(?:voi|o să|am să|urmează să)\s+(?:vă|te)?\s*(?:transfera?|conecte[zc]\w*|redirecțion\w+)"
    rf"\b.{{0,40}}\b{_HUMAN_RO}",
    rf"\bam\s+(?:cerut|chemat|anunțat|solicitat)\b.{{0,30}}\b{_HUMAN_RO}",
    # "I'm transferring you to a colleague", "I will connect you with a human agent"
    rf"\bI(?:'m| am| will|'ll| have|'ve)\s+(?:now\s+)?(?:transferr?(?:ing|ed)?|connect(?:ing|ed)?|"
    rf"hand(?:ing|ed)?|forward(?:ing|ed)?|escalat(?:e|ing|ed)|pass(?:ing|ed)?)\s+"
    rf"(?:you|this|your)\b.{{0,60}}\b{_HUMAN_EN}",
    rf"\b(?:transferring|connecting) you\b.{{0,40}}\b{_HUMAN_EN}",
    rf"\bI(?:'ve| have) (?:asked|called|notified)\b.{{0,30}}\b{_HUMAN_EN}",
]
_PROMISE = re.compile("|".join(_PROMISES), re.IGNORECASE | re.DOTALL)

# An offer or a condition promises nothing: "if you wish, I can transfer you to a colleague".
_OFFER = re.compile(
    r"\b(?:dacă|doriți|vreți|pot să|aș putea|if you|would you|shall i|i can|i could|want me to)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")


def promises_transfer(text: str) -> bool:
    """Whether a sentence of `text` says that a human is being called; an offer does not."""
    if len(text) < len("I call a human"):
        return False
    return any(
        _PROMISE.search(sentence) and not _OFFER.search(sentence) and not sentence.endswith("?")
        for sentence in _SENTENCE.findall(text)
    )
