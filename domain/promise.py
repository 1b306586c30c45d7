"""Recognise a promise that a human takes over: the server then keeps it (rule 10)."""

import re

# All patterns match text in lower case without diacritics, as many people write it.
_PLAIN = str.maketrans("ăâîșşțţ\N{RIGHT SINGLE QUOTATION MARK}", "aaisstt'")
# Not: the user's own colleagues, nor those who are called agents and operators elsewhere.
_HUMAN = (
    r"\b(?<!your )(?<!travel )(?<!estate )(?<!tour )(?:coleg\w*|operator\w*"
    r"|agent(?:ul|ului|i|ii|ilor|s)?|om(?:ul)? real|coordonator\w*|consultant\w*|reprezentant\w*"
    r"|echip(?:a|ei) noastr[ae]|colleagues?|human|representatives?|coordinators?"
    r"|(?:our|the) team(?! building))\b"
    r"(?! (?:imobiliar|de (?!la noi)|d(?:umnea)?voastra|dvs|tau|tai))"
)
_BEING = rf"(?:{_HUMAN}|\bperson\b|\bpersoana\b|\bom\b)"
_IT = r"(?:conversatia|discutia|cererea|solicitarea|mesajul|intrebarea)"

_PROMISE = re.compile(
    "|".join(
        [
            # "vă transfer acum la un coleg", "am să te conectez cu un operator"
            r"\b(?:o sa|am sa|urmeaza sa)\s+(?:va|te|il|o)\s+"
            rf"(?:transfer|conectez|redirectionez|pun in legatura)\b.{{0,60}}?{_BEING}",
            r"\b(?:va|te|il|o)\s+(?:transfer|conectez|redirectionez|pun in legatura)\b"
            rf".{{0,60}}?{_BEING}",
            r"\b(?:va|te)\s+voi\s+(?:transfera|conecta|redirectiona|pune in legatura)\b"
            rf".{{0,60}}?{_BEING}",
            rf"\b(?:va|te|iti)\s+(?:fac|dau)\s+legatura\s+(?:\w+\s+)?cu\b.{{0,30}}?{_BEING}",
            r"\b(?:va|te)\s+(?:transfer|conectez)(?:\s+(?:acum|imediat))?\W*$",
            r"\b(?:va|te)\s+(?:transfer|conectez)(?:\s+(?:acum|imediat))?\s+(?:la|cu)\s+e[la]\b",
            rf"\b(?:voi transfera|transfer|redirectionez)\s+{_IT}\b.{{0,40}}?{_HUMAN}",
            # "am anunțat un coleg", "am transmis solicitarea dumneavoastră echipei noastre"
            rf"\bam\s+(?:cerut|chemat|anuntat|notificat|solicitat|contactat)\b.{{0,30}}?{_HUMAN}",
            rf"\bam\s+(?:transmis|trimis|inaintat|transferat)\s+{_IT}\b.{{0,40}}?{_HUMAN}",
            # "un coleg va prelua conversația", "colegii mei vă vor contacta", "… vi se alătură"
            rf"{_HUMAN}(?:\s+(?:uman|mei|meu|mea|nostri|nostru))?"
            r"(?:\s+(?:va|te|vi|ti|iti|se|vor)){1,3}"
            r"\s+(?:prelua(?! bagaj)|preia(?! bagaj)|contact(?:a|eaza)|scrie|raspunde|reven[ie]"
            r"|alatura|intra in legatura)\b",
            rf"{_HUMAN}(?:\s+uman)?\s+preia\s+{_IT}\b",
            rf"\b(?:va|te)\s+(?:va\s+)?(?:preia|prelua|contacta|contacteaza)\s+(?:un\s+)?{_HUMAN}",
            rf"\b{_IT}\b.{{0,30}}?\ba fost (?:trimis|transmis|transferat|inaintat)a?\b"
            rf".{{0,40}}?{_HUMAN}",
            # "I'm transferring you to a colleague", "let me connect you with a human agent"
            r"\b(?:i'm|i am|i will|i'll|i have|i've|let me|while i)\s+(?:going to\s+)?"
            r"(?:(?!not\b)\w+\s+)?"
            r"(?:transfer(?:r?ing|red)?|connect(?:ing|ed)?|hand(?:ing|ed)?|forward(?:ing|ed)?"
            rf"|escalat(?:e|ing|ed)|pass(?:ing|ed)?)\s+(?:you|this|your)\b.{{0,60}}?{_BEING}",
            rf"\b(?:transferring|connecting) you\b.{{0,40}}?{_BEING}",
            r"\b(?:transferring|connecting) you(?:\s+(?:now|over|right away))*\W*$",
            # "I've asked a colleague", "I'll have a colleague contact you"
            r"\bi(?:'ve| have) (?:asked|called|notified|informed|alerted|contacted|requested|let)\b"
            rf"(?! you\b).{{0,30}}?{_HUMAN}",
            r"\b(?:i'll|i will|let me) (?:now )?(?:get|have|ask|call|let) (?:a|an|one of|my|our)\b"
            rf".{{0,20}}?{_HUMAN}",
            # "an agent will be with you", "your request has been forwarded to our team"
            rf"{_HUMAN} will (?:shortly |soon )?(?:take over|join|contact|be with|reply|respond"
            r"|get back|reach out) ?(?:to |you|us|this|here|shortly|soon|\W*$)",
            rf"\byou(?:'re| are) (?:now )?being (?:connected|transferred)\b.{{0,40}}?{_BEING}",
            r"\b(?:request|conversation|chat|message|case) (?:has been|is being) "
            rf"(?:forwarded|transferred|passed|escalated|handed|sent)\b.{{0,40}}?{_HUMAN}",
        ]
    ),
    re.DOTALL,
)
# Each promise contains one of these. Nearly every answer has none, and needs no further check.
_may_promise = re.compile(
    rb"coleg|colleague|operator|agent|om(?:ul)? real|human|pers|coord|consult|repre|team"
    rb"|transfer|connect|echip|lega?tur"
).search

# An offer or a condition promises nothing: "if you wish, I'll transfer you to a colleague".
_is_offer = re.compile(
    r"\b(?:daca|doriti|vreti|in cazul|if you|would you|shall i|should i|should you|want me to)\b"
).search
# Events at another place or on another day: "la sosire, un coleg …", "once you arrive, an agent …".
_is_elsewhere = re.compile(
    r"\b(?:la sosire|cand (?:ajungeti|ajungi|veniti|vii)|when you|once you|(?:up)?on arrival)\b"
).search
_is_past = re.compile(
    r"\b(?:ieri|alaltaieri|(?:saptamana|luna) trecuta|yesterday|last (?:week|month|time)|ago)\b"
).search
# A negation just before the promise: "I'm not …", "nu vă …", "pot să vă …", "no …".
_is_denied = re.compile(
    r"(?:\b(?:nu|not|never|no|fara|niciun\w*|nici un\w*|sa)|n't)\s+(?:\w+\s+)?$"
).search
# Reported speech, of somebody else or of the user.
_is_reported = re.compile(
    r"\b(?:(?:you|he|she|they) (?:said|wrote|asked)|(?:ati|ai|a|au) (?:spus|scris|zis|intrebat))\b"
).search

_QUOTED = re.compile('["„“«][^"„“”«»]*["”“»]')
_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]?")
_CLAUSE = re.compile(r"[,;:–—]")


def promises_transfer(text: str) -> bool:
    """Return whether a sentence of `text` says that a human is called; an offer does not."""
    plain = text.encode("ascii", "ignore").lower()
    return _may_promise(plain) is not None and _promises_in(text.lower())


def _promises_in(folded: str) -> bool:
    # Quotes within the text are of somebody else; those around all of it are not.
    unquoted = _QUOTED.sub(" ", folded.translate(_PLAIN).strip().strip('"„“”«»'))
    return any(_promises(sentence) for sentence in _SENTENCE.findall(unquoted))


def _promises(sentence: str) -> bool:
    if sentence.endswith("?") or _is_offer(sentence):
        return False
    return any(_is_meant(sentence, promise) for promise in _PROMISE.finditer(sentence))


def _is_meant(sentence: str, promise: re.Match[str]) -> bool:
    """Return whether the context leaves the promise as it is: here, now, and not denied."""
    before = sentence[: promise.start()]
    clause = _CLAUSE.split(before)[-1]
    if _is_elsewhere(before) or _is_past(clause + promise.group()):
        return False
    return not _is_denied(clause) and not _is_reported(clause)
