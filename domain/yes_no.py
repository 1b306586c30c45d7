"""A customer's yes or no in words: a whole message, from a closed list of each language.

What is longer, or says more, is neither: "yes, but at eight" is for the AI to understand.
"""

import re

from domain.language import FALLBACK_LANGUAGE, lookup
from domain.plain_text import folded

_YES = {
    "ro": "da|da da|da va rog|da te rog|da multumesc|da sigur|sigur|sigur ca da|confirm|da confirm|"
    "de acord|sunt de acord|desigur|bineinteles|exact|corect|perfect|ok|okay|bine|da ok|ok da",
    "en": "yes|yes yes|yes please|yes thanks|yes thank you|yep|yeah|sure|yes sure|of course|ok|"
    "okay|confirm|confirmed|i confirm|yes i confirm|i agree|please do|go ahead|correct|do it",
    "de": "ja|ja ja|ja bitte|ja gerne|gerne|ja danke|jawohl|ok|okay|einverstanden|bestatige|"
    "ich bestatige|ja ich bestatige|sicher|naturlich|genau|stimmt|passt|in ordnung|klar|ja klar",
    "fr": "oui|oui oui|oui merci|oui s il vous plait|oui svp|ok|d accord|oui d accord|bien sur|"
    "oui bien sur|je confirme|oui je confirme|confirme|parfait|c est bon|exact|entendu|volontiers",
    "hu": "igen|igen igen|igen kerem|igen koszonom|persze|rendben|igen rendben|ok|oke|"
    "megerositem|igen megerositem|jo|termeszetesen|egyetertek|pontosan|jol van|mehet",
    "it": "si|si si|si grazie|si per favore|ok|va bene|si va bene|d accordo|confermo|si confermo|"
    "certo|si certo|certamente|esatto|perfetto|volentieri|proceda|procedi",
    "es": "si|si si|si gracias|si por favor|ok|vale|si vale|de acuerdo|confirmo|si confirmo|claro|"
    "claro que si|por supuesto|correcto|exacto|perfecto|adelante|hagalo|hazlo",
    "uk": "так|так так|так будь ласка|так дякую|ок|окей|добре|гаразд|згоден|згодна|згода|"
    "підтверджую|так підтверджую|звичайно|авжеж|звісно|точно|правильно",
}
_NO = {
    "ro": "nu|nu nu|nu multumesc|nu va rog|nu acum|anuleaza|anulati|nu confirm|renunt|las|lasati|"
    "nu sunt de acord|stop|deloc",
    "en": "no|no no|no thanks|no thank you|nope|not now|cancel|do not|don t|i do not confirm|"
    "no don t|no please don t|stop|never mind",
    "de": "nein|nein nein|nein danke|nicht jetzt|abbrechen|lieber nicht|nein lieber nicht|stopp|"
    "nicht|doch nicht|auf keinen fall",
    "fr": "non|non non|non merci|pas maintenant|annuler|annulez|surtout pas|stop|je refuse",
    "hu": "nem|nem nem|nem koszonom|ne|most nem|megse|inkabb nem|torolje|nem kerem|stop",
    "it": "no|no no|no grazie|non ora|annulla|annulli|non confermo|meglio di no|lasci stare|stop",
    "es": "no|no no|no gracias|ahora no|cancelar|cancele|cancela|no confirmo|mejor no|para|dejelo",
    "uk": "ні|ні ні|ні дякую|не зараз|скасувати|скасуйте|не треба|не потрібно|не згоден|не згодна",
}
_separators = re.compile(r"[\W_]+")
_says_more = re.compile(r"[^\w\s.,!¡…'’`´;:\"„“”«»()\-–—]").search
"""A sign that says something of its own: a question mark, an emoji."""
_EMOJI = {"👍": True, "👎": False}

MAX_WORDS_ANSWER = 40
"""Characters of a yes or a no, with its punctuation."""


def _plain(text: str) -> str:
    return _separators.sub(" ", folded(text)).strip()


_ANSWERS = {
    language: {_plain(words): answer for table, answer in ((_YES, True), (_NO, False))
               for words in table[language].split("|")}
    for language in _YES
}  # fmt: skip


def yes_or_no(text: str, language: str) -> bool | None:
    """Return what a whole message says, in a language by its tag; None: neither yes nor no."""
    if len(text) > MAX_WORDS_ANSWER:
        return None
    if (thumb := _EMOJI.get(text.strip().rstrip("\ufe0f🏻🏼🏽🏾🏿"))) is not None:
        return thumb
    if _says_more(text):
        return None
    return _ANSWERS[lookup(language, _ANSWERS) or FALLBACK_LANGUAGE].get(_plain(text))
