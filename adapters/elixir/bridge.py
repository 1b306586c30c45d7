"""The bridge that is an Elixir application: which of its calls a notice becomes."""

from abc import abstractmethod
from typing import Protocol

from adapters.elixir.additions import Additions, business_path
from adapters.elixir.http import ElixirHttp
from adapters.elixir.payloads import request_of
from application.ports import Bridge
from domain.errors import BridgeRefused, BridgeUnavailable
from domain.identity import Customer
from domain.notice import Notice, NoticeKind

ATTEMPTS_TO_LEARN = 3
"""The attempts at a notice for which it is asked whether the bridge has announced it."""

_ADDITIONS = {
    NoticeKind.MISSED: "missed",
    NoticeKind.CONFIRMATION: "confirmation",
    NoticeKind.RATING: "rating",
}
"""The kinds of notices that the bridge gets only if it has announced the addition."""


class LiveChatTopics(Protocol):
    """The live chats at the bridge, as far as a delivery needs them."""

    @abstractmethod
    async def relay(self, notice: Notice) -> None:
        """Deliver a RELAY notice. Raises: BridgeUnavailable, BridgeRefused."""

    @abstractmethod
    async def prepare(self, customer: Customer) -> None:
        """Return once the customer's topic is joined, or cannot be for now; soon in any case."""

    @abstractmethod
    def announces(self, customer: Customer, addition: str) -> bool:
        """Return whether the reply to the join of the customer's topic announces an addition."""


class ElixirBridge(Bridge):
    """Delivers notices over HTTP, and the user's messages in a live chat over the socket."""

    def __init__(
        self,
        http: ElixirHttp | None,
        live_chats: LiveChatTopics,
        additions: Additions | None = None,
    ) -> None:
        """`http`: None, where nobody is to be notified. `additions`: those that are announced with
        the facts of a business."""
        self._http = http
        self._additions = additions or Additions()
        self._live_chats = live_chats

    @property
    def acknowledges(self) -> bool:
        return self._http is not None

    @property
    def is_away(self) -> bool:
        return self._http is not None and self._http.is_away

    async def wait_until_back(self) -> None:
        if self._http is not None:
            await self._http.back()

    async def deliver(self, notice: Notice) -> None:
        request = request_of(notice)
        if request is None:
            await self._live_chats.relay(notice)
        elif self._http is not None:
            addition = _ADDITIONS.get(notice.kind)
            if addition is not None and not await self._takes(addition, notice):
                return  # who does not know of it is not told: the server's API has it
            if notice.kind is NoticeKind.TRANSFER:
                await self._live_chats.prepare(notice.customer)  # so that an answer is received
            method, path, body = request
            await self._http.send(method, path, body, key=notice.notice_id)

    async def _takes(self, addition: str, notice: Notice) -> bool:
        """Return whether the bridge has announced an addition. Raises: BridgeUnavailable.

        It is asked where that is not known, but not for ever: other notices wait for this one.
        """
        customer = notice.customer
        if self._live_chats.announces(customer, addition):
            return True
        business_id, additions = customer.business_id, self._additions
        if self._http is not None and not additions.are_known(business_id):
            try:
                found = await self._http.get(business_path(business_id))
            except BridgeRefused:
                return False
            except BridgeUnavailable:
                if not self._http.is_away and notice.attempts + 1 >= ATTEMPTS_TO_LEARN:
                    return False
                raise
            additions.announce(business_id, found)
        return additions.include(business_id, addition)
