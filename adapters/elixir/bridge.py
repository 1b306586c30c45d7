"""The bridge that is an Elixir application: which of its calls a notice becomes."""

from abc import abstractmethod
from typing import Protocol

from adapters.elixir.http import ElixirHttp
from adapters.elixir.payloads import request_of
from application.ports import Bridge
from domain.identity import Customer
from domain.notice import Notice, NoticeKind


class LiveChatTopics(Protocol):
    """The live chats at the bridge, as far as a delivery needs them."""

    @abstractmethod
    async def relay(self, notice: Notice) -> None:
        """Deliver a RELAY notice. Raises: BridgeUnavailable, BridgeRefused."""

    @abstractmethod
    async def prepare(self, customer: Customer) -> None:
        """Return once the customer's topic is joined, or cannot be for now; soon in any case."""


class ElixirBridge(Bridge):
    """Delivers notices over HTTP, and the user's messages in a live chat over the socket."""

    def __init__(self, http: ElixirHttp | None, live_chats: LiveChatTopics) -> None:
        """`http`: None, where nobody is to be notified."""
        self._http = http
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
            if notice.kind is NoticeKind.TRANSFER:
                await self._live_chats.prepare(notice.customer)  # so that an answer is received
            method, path, body = request
            await self._http.send(method, path, body, key=notice.notice_id)
