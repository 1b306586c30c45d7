"""A business and its reservations: the facts that the AI may answer from."""

from msgspec import Struct, field

from domain.identity import BusinessId

DEFAULT_LANGUAGE = "ro"
"""The language of a business that does not say which."""


class Business(Struct, frozen=True, kw_only=True):
    """The facts of one business."""

    business_id: BusinessId
    name: str
    language: str = DEFAULT_LANGUAGE
    """A BCP 47 tag: the language of customers who have shown no other."""
    persona: str = ""
    """The role in which the AI presents itself."""
    facts: dict[str, str] = field(default_factory=dict)
    """Topic → fact: `{"hours": "Mon-Fri 9-18", …}`."""


class Reservation(Struct, frozen=True, kw_only=True):
    """One reservation of a user."""

    reservation_id: str
    date: str
    """ISO 8601 date."""
    time: str
    guests: int
    name: str = ""
