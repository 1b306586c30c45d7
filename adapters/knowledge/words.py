"""The words of a text, as the search compares them: folded, without endings and without fillers."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock

import snowballstemmer

LONGEST_QUERY, MOST_WORDS = 2_000, 32
"""Characters and words of a query; what follows is not searched for."""
LONGEST_WORD = 64

_LANGUAGES = ("romanian", "english")
_stemmers = [snowballstemmer.stemmer(language) for language in _LANGUAGES]
_stemming = Lock()
"""A stemmer keeps its word in itself: one thread at a time."""

_WORD = re.compile(r"[^\W_]+")

_WITH_PLURAL = re.compile(r"^(\w{3,}?)(?:uri|urile|urilor)$")
"""A Romanian neuter and its plural, which the rules leave apart: `desert`, `deserturi`."""

_FILLERS = """
a acea aceasta această aceea aceia acel acela același acele acelea aceleași acest acesta aceste
acestea acești aceștia acolo acum adică ai aia aibă aici al ale alea alt alta alte altele altul ală
alți am anume ar are as asta astea astfel atunci au avea avem aveți avut având azi aș așa ați ba
bine bun bună c care ce cea ceea cei cel cele celor chiar ci cine cineva cu cui cum cumva când cât
câte câtă câți că căreia căror cărora cărui d da dacă dar de deci deja despre deși din dintre doar
doresc dori după e-i ea ei el ele era eram este este-i eu eventual există fac face facem faceți faci
fel fi fie fiecare fiind foarte fost fără găsesc găsi găsim hei i iar ii l la le li lor lui m mai
mea mei mele mereu meu mi mie mine mult multă mulți mulțumesc mă n na ne nea ni nici nimeni nimic
niște noastre noastră noi nostru nou noștri nu o oare oferiți oferă ok ori oricare orice pe pentru
poate pot poți prea prin putem puteți rog rugăm s s-a sa sale salut sau se spre spune spuneți
stiu sub sunt sunt-o suntem sunteți să săi său t ta tale te trebuie tu tăi tău un una unde unei
unele unii unor unui unul v va vai vinde vindeți voastre voastră voi vom vor vostru voștri vrea
vreau vrem vreo vreun vreți vă ziua îi îl îmi în încă într într-o într-un își îți ăia ăla ăsta
ăsta-i ăștia și știu știți ți

a about after all also am an and any anyone anything are aren as at be because been before being
between both but by can cannot could couldn d did didn do does doesn doing don during each else
every few find for from further get gets getting give given go going got had happen happens has hasn
have haven having he hello her here hers hi him his how i if in into is isn it its itself just know
let like ll m make many may me might more most much must my myself need needs no nor not now of off
offer offers on once one only or other our ours out over own please re s same sell sells shall she
should shouldn so some somebody someone something such t take tell than thank thanks that the their
theirs them then there these they this those through to too under until up us use ve very want was
wasn we were weren what when where which while who whom whose why will with without won would wouldn
yes you your yours
"""


def fold(text: str) -> str:
    """Return a text in small letters without accents: `Mâncăruri` becomes `mancaruri`."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in parts if not unicodedata.combining(each))


FILLERS = frozenset(_WORD.findall(fold(_FILLERS)))
"""Romanian and English words that say nothing of what a text is about."""


def words(text: str) -> Iterator[str]:
    """Yield the words of a text, folded, in order."""
    for found in _WORD.finditer(fold(text)):
        yield found[0]


def content_words(text: str) -> list[str]:
    """Return the words of a text that say what it is about, folded, in order."""
    return [word for word in words(text) if word not in FILLERS]


@lru_cache(maxsize=100_000)
def stems(word: str) -> tuple[str, ...]:
    """Return what is left of a folded word without its endings, by the rules of each language.

    Which language a text is in need not be known: two words are one if any rules say so.
    """
    word = word[:LONGEST_WORD]
    with _stemming:
        found = [stemmer.stemWord(word) for stemmer in _stemmers]
    found += _WITH_PLURAL.findall(word)
    return tuple(dict.fromkeys(found))


def indexed(text: str) -> str:
    """Return the stems of a text, as they are indexed."""
    return " ".join(stem for word in content_words(text) for stem in stems(word))


def query_words(query: str) -> dict[str, tuple[str, ...]]:
    """Return the words that a query searches for, each with its stems, without repetitions."""
    found: dict[str, tuple[str, ...]] = {}
    for word in content_words(query[:LONGEST_QUERY]):
        found.setdefault(word, stems(word))
        if len(found) == MOST_WORDS:
            break
    return found
