"""The hand-off to a human: a business's rules for it, and whether somebody is there."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from msgspec import Struct

from domain.dates import day_and_time
from domain.hours import OpeningHours
from domain.plain_text import folded
from domain.texts import Text, Words, localized


class HandoffRules(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a conversation goes to a human, and when it does not."""

    enabled: bool = True
    """False: there is nobody to hand over to."""
    hours: OpeningHours | None = None
    """When somebody takes over; None: in the opening hours or, without any, always."""
    always: tuple[str, ...] = ()
    """Topics that go to a human without the AI: see `is_about`."""
    never: tuple[str, ...] = ()
    """Topics that the AI answers itself, unless the customer asks for a human."""
    ask_first: str = ""
    """What the AI asks before it hands over, such as the number of an order."""


class Availability(Struct, frozen=True, kw_only=True):
    """Whether a request for a human can be met at the moment."""

    is_offered: bool = True
    """False: the business hands no conversation over."""
    is_there: bool = True
    """True also where nothing is known."""
    is_known: bool = False
    """True if it is known that somebody is there, or that nobody is."""
    returns_at: datetime | None = None
    """When somebody is there again, in the business's time zone; None: unknown."""
    contact: str = ""
    """Where else to reach a business that hands nothing over; empty: unknown."""

    @property
    def is_possible(self) -> bool:
        """True if a human can be asked for now."""
        return self.is_offered and self.is_there

    def text(self, language: str, words: Words, *opening: Text, leave: bool = True) -> str:
        """Return, after `opening`, the sentences about why no human comes.

        `leave`: the customer is asked to leave a message, where nobody is there.
        """
        said = [localized(language, text, words) for text in opening]
        if not self.is_offered:
            if self.contact:
                said.append(localized(language, Text.TURN_TO, words, contact=self.contact))
            return " ".join(said)
        if self.returns_at is not None:
            until = day_and_time(self.returns_at, language)
            said.append(localized(language, Text.BACK_AT, words, until=until))
        if leave:
            said.append(localized(language, Text.LEAVE_MESSAGE, words))
        return " ".join(said)


UNKNOWN = Availability()
"""Nothing is known: somebody may be there."""


# Topics.

MIN_STEM = 4
"""The shortest beginning of a word by which other forms of it are recognised."""
MAX_ENDING = 4
_VOWELS = "aeiouyаеиоуюяіє"
"""The letters, without their marks, that the endings of words begin with."""


def is_about(text: str, topics: tuple[str, ...]) -> bool:
    """Return whether a text has the words of a topic, all of them and in a row.

    Upper case and diacritics mean nothing. A word of a topic is also found with another ending of
    up to four letters, if it is not too short: `factură`, `facturii`. One that ends with `*` is
    the beginning of any word.
    """
    return bool(topics) and _pattern(topics).search(folded(text)) is not None


@lru_cache(maxsize=1_000)
def _pattern(topics: tuple[str, ...]) -> re.Pattern[str]:
    phrases = [r"\W+".join(map(_word, re.findall(r"\w+\*?", folded(topic)))) for topic in topics]
    found = "|".join([phrase for phrase in phrases if phrase]) or "(?!)"
    return re.compile(rf"(?<!\w)(?:{found})(?!\w)")


def _word(word: str) -> str:
    if word.endswith("*"):
        return rf"{re.escape(word[:-1])}\w*"
    stem = word.rstrip(_VOWELS)
    if len(stem) < MIN_STEM:
        return re.escape(word)
    return rf"{re.escape(stem)}\w{{0,{MAX_ENDING}}}"


# Where else to turn to.

_CONTACT = r"tel\w*|phone|mobil\w*|handy|gsm|e-?mail\w*|mail|correo|whatsapp|contact\w*|kontakt\w*|"
_is_contact = re.compile(rf"(?:{_CONTACT}пошта|адреса|adres\w*|address|indirizzo|direccion|cim)")
MAX_CONTACT = 300
"""Characters of the facts that say where else to turn to."""


def contact_in(facts: Mapping[str, str]) -> str:
    """Return the facts about how to reach a business: `telefon: 021 555 0100; adresă: …`."""
    found = [f"{topic}: {fact.rstrip('.')}" for topic, fact in facts.items() if is_contact(topic)]
    kept: list[str] = []
    for each in found:
        if len("; ".join([*kept, each])) <= MAX_CONTACT:
            kept.append(each)
    return "; ".join(kept)


def is_contact(topic: str) -> bool:
    """Return whether a fact of this topic says how to reach the business."""
    return _is_contact.fullmatch(folded(topic).strip()) is not None
