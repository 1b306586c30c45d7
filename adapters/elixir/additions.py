"""Additions to the interface, which are sent to the bridge only if it announces them."""

from typing import Any

from domain.identity import BusinessId

MAX_BUSINESSES = 1_000
"""Businesses whose announcements are remembered; the oldest is dropped first."""


class Additions:
    """The additions that the bridge announces with the facts of a business.

    `additions: ["typing"]` is at the top level of the response, or in its `data`.
    """

    def __init__(self) -> None:
        self._announced: dict[BusinessId, frozenset[str]] = {}

    def announce(self, business_id: BusinessId, found: Any) -> None:
        """Remember what is announced there, in place of what was announced before."""
        self._announced.pop(business_id, None)
        if additions := additions_of(found):
            self._announced[business_id] = additions
        if len(self._announced) > MAX_BUSINESSES:
            del self._announced[next(iter(self._announced))]

    def include(self, business_id: BusinessId, addition: str) -> bool:
        """Return whether the addition was announced for this business."""
        return addition in self._announced.get(business_id, ())


def additions_of(found: Any) -> frozenset[str]:
    """Read the additions that a response announces."""
    if not isinstance(found, dict):
        return frozenset()
    announced = found.get("additions")
    if not isinstance(announced, list):
        return additions_of(found.get("data"))
    return frozenset(each for each in announced if isinstance(each, str))
