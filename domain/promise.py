"""Whether a text promises that a human takes over: what is promised is then done (rule 10)."""

import re

# All patterns are matched against text in lower case without diacritics: so many write it.
_PLAIN = str.maketrans("ăâîșşțţ\N{RIGHT SINGLE QUOTATION MARK}", "aaisstt'")
_HUMAN = (
    r"\b(?:coleg\w*|operator\w*|agent(?:ul|ului|i|ii|ilor|s)?|om(?:ul)? real|coordonator\w*"
    r"|consultant\w*|reprezentant\w*|colleagues?|human|representatives?|coordinators?"
    r"|(?:our|the) team)\b"
)
_BEING = rf"(?:{_HUMAN}|\bperson\b|\bpersoana\b|\bom\b)"

_PROMISE = re.compile(
    "|".join(
        [
            # "vă transfer acum la un coleg", "am să te conectez cu un operator"
            r"\b(?:o sa|am sa|urmeaza sa)\s+(?:va|te|il|o)\s+"
            rf"(?:transfer|conectez|redirectionez|pun in legatura)\b.{{0,60}}?{_BEING}",
            r"\b(?:va|te|il|o)\s+(?:transfer|conectez|redirectionez|pun in legatura)\b"
            rf".{{0,60}}?{_BEING}",
            rf"\b(?:va|te)\s+voi\s+(?:transfera|conecta|redirectiona)\b.{{0,60}}?{_BEING}",
            r"\b(?:va|te)\s+(?:transfer|conectez)(?:\s+(?:acum|imediat))?\W*$",
            rf"\bam\s+(?:cerut|chemat|anuntat|solicitat|contactat)\b.{{0,30}}?{_HUMAN}",
            rf"{_HUMAN}\s+(?:va|te)\s+(?:va\s+)?(?:prelua|contacta|scrie)\b",
            # "I'm transferring you to a colleague", "let me connect you with a human agent"
            r"\b(?:i'm|i am|i will|i'll|i have|i've|let me)\s+(?:(?!not\b)\w+\s+)?"
            r"(?:transfer(?:r?ing|red)?|connect(?:ing|ed)?|hand(?:ing|ed)?|forward(?:ing|ed)?"
            rf"|escalat(?:e|ing|ed)|pass(?:ing|ed)?)\s+(?:you|this|your)\b.{{0,60}}?{_BEING}",
            rf"\b(?:transferring|connecting) you\b.{{0,40}}?{_BEING}",
            r"\b(?:transferring|connecting) you(?:\s+(?:now|over|right away))*\W*$",
            rf"\bi(?:'ve| have) (?:asked|called|notified|informed|alerted)\b.{{0,30}}?{_HUMAN}",
            rf"{_HUMAN} will (?:take over|join|contact|be with) ?(?:you|us|this|shortly|soon|\W*$)",
        ]
    ),
    re.DOTALL,
)
# Each promise has one of these in it. Nearly every answer has none, and is done with that look.
_may_promise = re.compile(
    rb"coleg|colleague|operator|agent|om(?:ul)? real|human|pers|coord|consult|repre|team"
    rb"|transfer|connect"
).search

# An offer or a condition promises nothing: "if you wish, I'll transfer you to a colleague".
_is_offer = re.compile(
    r"\b(?:daca|doriti|vreti|if you|would you|shall i|should i|want me to)\b"
).search
# What comes just before the words takes them back: "I'm not …", "nu vă …", "pot să vă …", "no …".
_is_denied = re.compile(
    r"(?:\b(?:nu|not|never|no|fara|niciun\w*|nici un\w*|sa)|n't)\s+(?:\w+\s+)?$"
).search
# What somebody else has said, or the user.
_is_reported = re.compile(
    r"\b(?:(?:you|he|she|they) (?:said|wrote|asked)|(?:ati|ai|a|au) (?:spus|scris|zis|intrebat))\b"
).search

_QUOTED = re.compile('["„“«][^"„“”«»]*["”“»]')
_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]?")
_CLAUSE = re.compile(r"[,;:–—]")


def promises_transfer(text: str) -> bool:
    """Whether a sentence of `text` says that a human is being called; an offer does not."""
    plain = text.encode("ascii", "ignore").lower()
    return _may_promise(plain) is not None and _promises_in(text.lower())


def _promises_in(folded: str) -> bool:
    # Quotes within the text are somebody else's words; those around all of it are not.
    unquoted = _QUOTED.sub(" ", folded.translate(_PLAIN).strip().strip('"„“”«»'))
    return any(_promises(sentence) for sentence in _SENTENCE.findall(unquoted))


def _promises(sentence: str) -> bool:
    if sentence.endswith("?") or _is_offer(sentence):
        return False
    for promise in _PROMISE.finditer(sentence):
        before = _CLAUSE.split(sentence[: promise.start()])[-1]
        if not _is_denied(before) and not _is_reported(before):
            return True
    return False
