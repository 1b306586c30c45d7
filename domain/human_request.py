"""Requests for a human, as the server itself recognises them in a customer's words."""

import re

from domain.plain_text import folded

_PATTERNS = (
    # Romanian.
    r"om real|persoana reala|operator\w*|agent(?:ul|ului)? (?:uman|in chat)|chat live|live chat|"
    r"consultant\w*|coordonator\w*|reprezentant\w*|"
    r"(?:vorbesc|vorbi|discuta?|legatura) cu "
    r"(?:cineva|un om|o persoana|(?:un )?agent\w*|un coleg)|"
    r"(?:vreau|doresc|as vrea|chemati|chemat|da-mi) (?:un|o) (?:om|agent|coleg|persoana)",
    # English.
    r"(?:talk|speak|chat) (?:to|with) (?:a |an |some)?(?:human|person|agent|one|body|someone)|"
    r"(?:need|want|get me|give me) (?:a|an) (?:human|person|agent)|human agent|"
    r"real (?:human|person)|representative|customer service",
    # German.
    r"(?:mit )?(?:einem|einer|einen|jemand(?:em)?|nem) (?:echten |richtigen )?"
    r"(?:menschen|mitarbeiter\w*|kollegen|berater\w*|person)(?: \w+){0,2} "
    r"(?:sprechen|reden|chatten|schreiben|verbinden)|"
    r"(?:mochte|will|wunsche|brauche) (?:einen|eine) (?:echten |richtigen )?"
    r"(?:menschen|mitarbeiter\w*|berater\w*|person)|mit jemand(?:em)? (?:sprechen|reden)",
    # French.
    r"parler (?:a|avec) (?:un |une )?(?:humain|personne|quelqu.un|agent|conseiller\w*|collegue)|"
    r"(?:veux|voudrais|besoin d.) ?(?:un|une) (?:humain|vraie personne|agent|conseiller\w*)|"
    r"vrai(?:e)? (?:humain|personne)",
    # Hungarian.
    r"(?:elo|igazi) ember\w*|(?:emberrel|munkatarssal|ugyintezovel|kollegaval|valakivel) "
    r"(?:\w+ )?(?:beszel\w*|szeretne\w*|akar\w*)|(?:beszel\w*|beszelni) (?:\w+ ){0,2}"
    r"(?:emberrel|munkatarssal|ugyintezovel|kollegaval)",
    # Italian.
    r"parlare con (?:un |una |qualcun)(?:o|essere umano|umano|persona|operatore|collega|addetto)|"
    r"(?:voglio|vorrei) (?:un |una )(?:umano|persona|operatore)|operatore umano|persona reale",
    # Spanish.
    r"hablar con (?:un |una |algu)(?:ien|humano|persona|agente|operador\w*|companer\w*)|"
    r"(?:quiero|necesito) (?:un |una )(?:humano|persona|agente|operador\w*)|persona real",
    # Ukrainian.
    r"(?:поговорити|зв.язатися|спілкуватися) з (?:\w+ )?(?:людиною|оператором|менеджером|"
    r"співробітником|кимось)|жив(?:а|ою|ого) людин\w*|потрібен оператор|покличте (?:людину|"
    r"оператора|менеджера)",
)
_search = re.compile(
    rf"\b(?:{'|'.join(map(folded, _PATTERNS))})\b|^\W*(?:a |an )?(?:human|agent)\b"
).search


def asks_for_human(text: str) -> bool:
    """Return whether a text asks for a human, in a language of the notices."""
    return _search(folded(text)) is not None
