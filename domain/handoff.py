"""A business's rules for the hand-off to a human."""

from msgspec import Struct

from domain.hours import OpeningHours


class HandoffRules(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a conversation goes to a human, and when it does not."""

    enabled: bool = True
    """False: there is nobody to hand over to."""
    hours: OpeningHours | None = None
    """When somebody takes over; None: in the business's opening hours or, without any, always."""
    always: tuple[str, ...] = ()
    """Topics, as words that a customer writes, that go to a human without the AI."""
    never: tuple[str, ...] = ()
    """Topics that the AI answers itself, unless the customer asks for a human."""
    ask_first: str = ""
    """What the AI asks before it hands over, such as the number of an order."""
