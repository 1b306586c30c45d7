"""A business and its reservations: the facts that the AI may answer from."""

from datetime import tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct, field

from domain.handoff import HandoffRules
from domain.hours import OpeningHours
from domain.identity import BusinessId
from domain.language import lookup
from domain.plain_text import shortened
from domain.texts import NO_WORDS, Words
from domain.tool import ToolServer

DEFAULT_LANGUAGE = "ro"
"""The language of a business that does not say which."""


LEAST_FACTS, FACTS_PER_TOKEN = 12_000, 4
"""Characters of a business's facts: about as many tokens as the conversation may have."""
MAX_FACT = 4_000
"""Characters of one fact, where there is no room for all of them."""
REPLY_VARIABLES = ("customer", "coordinator", "business")
"""The names that a coordinator's ready reply may have in braces."""


class ModelSettings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The model that answers for one business, and its bounds; None: the server's own setting."""

    model: str | None = None
    base_url: str | None = None
    api_key_variable: str | None = None
    """The name of the environment variable that has the key: never the key itself."""
    api: str | None = None
    effort: str | None = None
    view_tokens: int | None = None
    budget_soft_tokens: int | None = None
    """Tokens a day, after which the AI is frugal. 0: never."""
    budget_hard_tokens: int | None = None
    """Tokens a day, after which the AI is not asked. 0: never."""

    @property
    def has_own_model(self) -> bool:
        """True if another model than the server's answers, or the server's in another way."""
        own = (self.model, self.base_url, self.api_key_variable, self.api, self.effort)
        return any(each is not None for each in own)


class Reservation(Struct, frozen=True, kw_only=True):
    """One reservation of a user."""

    reservation_id: str
    date: str
    """ISO 8601 date."""
    time: str
    guests: int
    name: str = ""


class Location(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One place of a business with several."""

    name: str
    facts: dict[str, str] = field(default_factory=dict)
    hours: OpeningHours | None = None
    """None: the business's."""


class Website(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a business's own pages show its chat with."""

    origins: tuple[str, ...] = ()
    """The web origins of these pages, as browsers name them."""
    colour: str = ""
    """`#rrggbb`; empty: the chat's own."""
    logo: str = ""
    """The name of a picture in the business's folder; empty: there is none."""


class Picture(NamedTuple):
    """A picture of a business, as browsers are shown it."""

    content: bytes
    media_type: str
    digest: str
    """Of the content, in hexadecimal."""


class Welcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a customer sees before anybody has written."""

    greeting: str = ""
    """The first words; empty: none."""
    suggestions: tuple[str, ...] = ()
    """Questions that a customer may ask with one touch."""


class Business(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts of one business, and the choices that it makes for itself."""

    business_id: BusinessId
    name: str
    language: str = DEFAULT_LANGUAGE
    """A BCP 47 tag: the language of customers who have shown no other."""
    persona: str = ""
    """The role in which the AI presents itself."""
    facts: dict[str, str] = field(default_factory=dict)
    """Topic → fact: `{"hours": "Mon-Fri 9-18", …}`."""
    instructions: str = ""
    """How the AI is to behave, in the business's own words."""
    greeting: str = ""
    suggestions: tuple[str, ...] = ()
    welcomes: dict[str, Welcome] = field(default_factory=dict)
    """The greeting and the suggestions in other languages, by their tags in lower case."""
    website: Website = Website()
    time_zone: str = ""
    """An IANA name; empty: the server's TIME_ZONE."""
    hours: OpeningHours | None = None
    locations: dict[str, Location] = field(default_factory=dict)
    """Location id → place."""
    words: Words = NO_WORDS
    """Its own wording of the server's texts."""
    replies: dict[str, str] = field(default_factory=dict)
    """Name → text with REPLY_VARIABLES: what its coordinators write again and again."""
    handoff: HandoffRules = HandoffRules()
    model: ModelSettings = ModelSettings()
    has_knowledge: bool = False
    """True if it has documents to search."""
    tool_servers: tuple[ToolServer, ...] = ()
    """Its own servers of tools."""
    reservations: tuple[Reservation, ...] = ()
    """Those that every user has, in a demo without an application that knows them."""

    def welcome(self, language: str | None) -> Welcome:
        """Return the greeting and suggestions in a language, or else in the business's own."""
        found = lookup(language or "", {self.language.lower(), *self.welcomes})
        own = Welcome(greeting=self.greeting, suggestions=self.suggestions)
        return self.welcomes.get(found or "", own)


def zone_of(business: Business | None, default: tzinfo) -> tzinfo:
    """Return a business's time zone; `default`, where it names none that there is."""
    name = business.time_zone if business is not None else ""
    return _zone(name) or default if name else default


@lru_cache(maxsize=1_024)
def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return None


def hours_at(business: Business | None, location_id: str | None) -> OpeningHours | None:
    """Return the opening hours of a business's location, or else its own; None: not known."""
    if business is None:
        return None
    location = business.locations.get(location_id or "")
    return business.hours if location is None or location.hours is None else location.hours


def max_facts(view_tokens: int) -> int:
    """Return the most characters of a business's facts beside a view of so many tokens."""
    return max(LEAST_FACTS, FACTS_PER_TOKEN * view_tokens)


def facts_within(business: Business, most: int) -> dict[str, str]:
    """Return a business's facts, or those that fit into `most` characters, the long ones cut."""
    facts = business.facts
    if sum(len(topic) + len(fact) for topic, fact in facts.items()) <= most:
        return facts
    chosen = {}
    for topic, fact in facts.items():
        shown = shortened(fact, MAX_FACT)
        if len(topic) + len(shown) <= most:
            most -= len(topic) + len(shown)
            chosen[topic] = shown
    return chosen


def cut_topics(business: Business, most: int) -> list[str]:
    """Return the topics of the facts that `facts_within` leaves out, or cuts."""
    chosen = facts_within(business, most)
    return [topic for topic, fact in business.facts.items() if chosen.get(topic) != fact]
