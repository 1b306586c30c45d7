"""Additions to the interface, which are sent to the bridge only if it announces them."""

from typing import Any
from urllib.parse import quote

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
        self._announced[business_id] = additions_of(found)
        if len(self._announced) > MAX_BUSINESSES:
            del self._announced[next(iter(self._announced))]

    def are_known(self, business_id: BusinessId) -> bool:
        """Return whether it is known what is announced for this business."""
        return business_id in self._announced

    def include(self, business_id: BusinessId, addition: str) -> bool:
        """Return whether the addition was announced for this business."""
        return addition in self._announced.get(business_id, ())


def business_path(business_id: BusinessId) -> str:
    """Return the path at which the bridge has a business, and announces additions."""
    return f"/api/business/{quote(business_id, safe='')}"


def additions_of(found: Any) -> frozenset[str]:
    """Read the additions that a response announces."""
    if not isinstance(found, dict):
        return frozenset()
    announced = found.get("additions")
    if not isinstance(announced, list):
        return additions_of(found.get("data"))
    return frozenset(each for each in announced if isinstance(each, str))
