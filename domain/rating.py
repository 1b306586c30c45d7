"""A customer's rating of a conversation: one star to five, and a comment."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from domain.errors import InvalidPayload
from domain.plain_text import note_text

MOST_STARS = 5
MAX_COMMENT = 2_000
"""The longest comment, in characters after trimming."""


class Stars(Struct, frozen=True, omit_defaults=True):
    """A rating as it is given, and as an action of its message."""

    rating: int
    """1 to MOST_STARS."""
    comment: str | None = None

    @property
    def text(self) -> str:
        """The rating for clients that show no more than texts: `★★★★☆ Quick and kind.`"""
        stars = "★" * self.rating + "☆" * (MOST_STARS - self.rating)
        return f"{stars} {self.comment}" if self.comment else stars

    @property
    def action(self) -> Mapping[str, object]:
        """The action of its message: `{"type": "rating", "rating": 4, "comment": "…"}`."""
        action: dict[str, object] = {"type": "rating", "rating": self.rating}
        return action if self.comment is None else {**action, "comment": self.comment}


class Rating(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest rating of a session, in its head."""

    seq: int
    at: datetime
    stars: Stars
    said_seq: int
    """The newest seq before it that was said in the conversation, which a rating is not."""


def stars(rating: int, comment: str | None) -> Stars:
    """Return a rating; a blank comment is none. Raises: InvalidPayload."""
    if not 1 <= rating <= MOST_STARS:
        raise InvalidPayload(f"rating must be from 1 to {MOST_STARS}")
    note = note_text(comment)
    if note is not None and len(note) > MAX_COMMENT:
        raise InvalidPayload(f"comment must have at most {MAX_COMMENT} characters")
    return Stars(rating, note)


def stars_in(actions: Iterable[Mapping[str, object]]) -> Stars | None:
    """Return the rating among the actions of a message; None: it is none."""
    for action in actions:
        rating, comment = action.get("rating"), action.get("comment")
        if action.get("type") == "rating" and isinstance(rating, int):
            return Stars(rating, comment if isinstance(comment, str) else None)
    return None
