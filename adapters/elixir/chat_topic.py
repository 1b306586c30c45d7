"""The topic of one live chat at the bridge, and its availability."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from adapters.elixir.echoes import EchoFilter
from adapters.phoenix.client import ChannelState
from adapters.phoenix.client_connection import PhoenixChannel
from application.ports import InboundEvent, OnEcho, OnInboundEvent, TopicJoined, TopicUnavailable
from domain.identity import Customer

TYPING_RELAY_INTERVAL_S = 1.0
"""At most one `typing` in this time for each chat."""
INTERRUPTION_S = 1.5
"""A topic that is joined again within this time after it was lost has been available."""

logger = logging.getLogger(__name__)


class ChatTopic:
    """A topic, joined for as long as it is followed or a message is being sent.

    The application gets its events, with each join among them; while it is followed, also once for
    each interruption that it is unavailable.
    """

    def __init__(
        self,
        customer: Customer,
        channel: PhoenixChannel,
        on_event: OnInboundEvent,
        on_echo: OnEcho,
        start: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        """`start` runs a coroutine as a task."""
        self.channel = channel
        self.echoes = EchoFilter(lambda message_id: on_echo(customer, message_id))
        self.followed = False
        self.additions: frozenset[str] = frozenset()
        """Those that the bridge has announced in its reply to the join."""
        self.patience = 0
        """The messages that may go unanswered before the topic counts as silent."""
        self.sending = 0
        """Messages that are not acknowledged yet, and requests that wait for the join."""
        self.settled = asyncio.Event()
        """Set while the topic is joined, or known to be unavailable."""
        self._customer = customer
        self._on_event = on_event
        self._start = start
        self._turn = asyncio.Lock()
        """Held while an event is passed on."""
        self._typed_at = -TYPING_RELAY_INTERVAL_S
        self._has_joined = False
        self.problem: str | None = None
        """The reason for which it is unavailable; None while it is joined, or may be soon."""
        self._announced = False
        """The application knows that."""
        self._interruption = ""
        """The reason of the interruption, while there is a timer."""
        self._timer: asyncio.TimerHandle | None = None
        """Makes the topic unavailable, unless it is joined first."""

    @property
    def needed(self) -> bool:
        """True while the topic must stay joined."""
        return self.followed or self.sending > 0

    @property
    def is_joined(self) -> bool:
        """True while messages go both ways."""
        return self.channel.state is ChannelState.JOINED

    def may_type(self, now: float) -> bool:
        """Return whether a `typing` may be sent again, and count it as sent if so."""
        if now < self._typed_at + TYPING_RELAY_INTERVAL_S:
            return False
        self._typed_at = now
        return True

    def follow(self) -> None:
        """Begin to announce its availability; what is known already comes at once."""
        if self.followed:
            return
        self.followed = True
        if self._has_joined:
            self._start(self.pass_on(TopicJoined(was_joined=True)))
        elif self.problem is not None:
            self.unavailable(self.problem)

    def unfollow(self) -> None:
        """Announce its availability no longer; messages that have come are still passed on."""
        self.followed = self._announced = False

    # Its availability.

    def joined(self) -> None:
        """Note that it is joined, and not unavailable any more."""
        self.stop_timer()
        self.settled.set()
        self._has_joined, self.problem, self._announced = True, None, False
        self.patience = 0

    def interrupted(self, reason: str, *, may_pass: bool = True) -> None:
        """Note that it is not joined; it becomes unavailable unless that passes at once."""
        self._has_joined = False
        if self._timer is not None or self.problem is not None:
            return
        if may_pass:
            self.settled.clear()
            loop = asyncio.get_running_loop()
            self._interruption = reason
            self._timer = loop.call_later(
                INTERRUPTION_S, lambda: self.unavailable(self._interruption)
            )
        else:
            self.unavailable(reason)

    def unavailable(self, reason: str) -> None:
        """Announce, once until it is joined, that it cannot be used; nothing waits for that."""
        self.stop_timer()
        self.settled.set()
        self.problem = reason
        self.channel.drop_unsent()
        if self.followed and not self._announced:
            self._announced = True
            self._start(self.pass_on(TopicUnavailable(reason)))

    def not_admitted(self, reason: str) -> None:
        """Note that a join has failed, by which an interruption does not end yet."""
        if self._timer is None:
            self.unavailable(reason)
        else:
            self._interruption = reason

    def stop_timer(self) -> None:
        """Cancel what an interruption would lead to."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def pass_on(self, event: InboundEvent) -> None:
        """Pass an event on after the earlier ones; a failure is that event's alone."""
        async with self._turn:
            is_over = self.is_joined or not self._announced
            if isinstance(event, TopicUnavailable) and is_over:
                return
            try:
                await self._on_event(self._customer, event)
            except Exception:
                extra = {"action": "inbound_event_failed"}
                logger.exception("An event from the bridge could not be handled", extra=extra)
