"""A customer's client: it joins, comes back after each interruption, writes and reads."""

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar

from application.answer_stream import AnswerFollower
from application.join import ResumePosition
from application.ports import AnswerSoFar, Delta, Event, Missed
from application.subscription import Subscription
from domain.errors import Failure
from domain.identity import Customer, LocationId, MessageId, SessionId
from domain.message import Entry, Message, StatusChange
from domain.rating import Stars

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.world import World

T = TypeVar("T")
RETRY_S = 0.7
TRIES = 40
ACKNOWLEDGED_S = 1.0
"""The time in which a message is acknowledged while nothing disturbs."""


class Gone(Exception):
    """The node of a request has ended, or the client has left it."""


class Client:
    """One client, on one node at a time."""

    def __init__(self, world: "World", customer: Customer, name: str, *, streams: bool) -> None:
        self._world = world
        self.customer = customer
        self.name = name
        self.streams = streams
        self.node: Node | None = None
        self.session_id: SessionId | None = None
        self._known: dict[SessionId, dict[int, Entry]] = {}
        self._hidden: set[tuple[SessionId, int]] = set()
        """The session and seq of what it is not shown, as the next entry says."""
        self._first: dict[SessionId, int] = {}
        """The seq from which on it has everything of a session."""
        self._subscription: Subscription | None = None
        self._follower: AnswerFollower | None = None
        self._connection: object = None
        """What comes over another one is not received any more."""
        self._last: dict[SessionId, int] = {}
        """The newest seq that it has received of a session on this connection."""
        self._response_id: MessageId | None = None
        self.preview = ""
        self.joined_at = 0.0
        self._has_left = asyncio.Event()
        self.has_gone = False
        self._task = asyncio.get_running_loop().create_task(self._live())

    def __repr__(self) -> str:
        return self.name

    @property
    def follows_stream(self) -> bool:
        """True if it is shown answers at the moment."""
        return self.streams and self.node is not None and self.node.is_well and not self.has_gone

    @property
    def waits_for_store(self) -> bool:
        """True if the store was away as its node read it, which does so again after a pause."""
        return self._subscription is not None and self._subscription.waits_for_store

    async def call(self, node: "Node", work: Awaitable[T]) -> T:
        """Wait for a request to a node. Raises: Gone."""
        task = node.request(work)
        ended = asyncio.ensure_future(node.ended.wait())
        left = asyncio.ensure_future(self._has_left.wait())
        try:
            await asyncio.wait({task, ended, left}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            # What was sent is handled, whether or not anyone waits for it.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise Gone
        finally:
            ended.cancel()
            left.cancel()

    # Being connected.

    async def _live(self) -> None:
        world = self._world
        while not self.has_gone:
            node = world.any_node()
            self._has_left.clear()
            if node is not None:
                try:
                    await self.call(node, self._join(node))
                    self.node = node
                    await asyncio.wait(
                        {
                            ended := asyncio.ensure_future(node.ended.wait()),
                            left := asyncio.ensure_future(self._has_left.wait()),
                        },
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                    ended.cancel()
                    left.cancel()
                except (Gone, Failure):
                    pass
                self._disconnect(node)
            await asyncio.sleep(world.random.choice([0.01, 0.1, 0.5, 1.0]))

    def _disconnect(self, node: "Node") -> None:
        self.node = None
        self._connection = self._follower = None
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            node.clock.receive(subscription.stop)

    def leave(self) -> None:
        """Lose the connection; another one follows."""
        self._has_left.set()

    def go(self) -> None:
        """Leave for ever."""
        self.has_gone = True
        self._has_left.set()

    async def _join(self, node: "Node") -> None:
        connection = object()
        self._connection = connection

        def on_entry(session_id: SessionId, entry: Entry) -> None:
            if self._connection is connection:
                self._on_entry(session_id, entry)

        def on_other(event: Event) -> None:
            if self._connection is connection:
                self._on_other(event)

        subscription = Subscription(
            self.customer,
            hub=node.hub,
            session_log=node.session_log,
            store=node.store,
            clock=node.clock,
            on_entry=on_entry,
            on_other=on_other,
            origin=self,
        )
        self._subscription = subscription
        place = None
        if self.session_id is not None:
            place = ResumePosition(self._position(self.session_id), self.session_id)
        joined = await node.join(self.customer, subscription, place)
        if self._subscription is not subscription or node.ended.is_set():
            subscription.stop()
            return
        session = joined.session
        self.joined_at = asyncio.get_running_loop().time()
        self._follower = (
            AnswerFollower(self.customer, node.hub, node.clock) if self.streams else None
        )
        self.preview, self._response_id = "", None
        if self._follower is not None:
            self._follower.skip(joined.recent)
        if session is not None:
            entries = joined.page.entries
            self._enter(session.session_id)
            self._first.setdefault(session.session_id, entries[0].seq if entries else 1)
            self._last = {session.session_id: 0}
            for entry in entries:
                self._receive(session.session_id, entry)
            self._last = {session.session_id: session.seq}
            if joined.page.more and place is not None:
                await self._rest(node, session.session_id, session.customer_seq)
        subscription.start(session)
        if self._follower is not None:
            self._follower.start(needs_answer=session is not None and session.needs_answer)

    async def _rest(self, node: "Node", session_id: SessionId, upto: int) -> None:
        while (after := self._position(session_id)) < upto:
            page = await node.history(self.customer, session_id, after=after, limit=50)
            if not page.entries:
                return
            for entry in page.entries:
                self._know(session_id, entry)

    def _position(self, session_id: SessionId) -> int:
        """Return the seq up to which it has everything."""
        known = self._known.get(session_id, {})
        seq = self._first.get(session_id, 1)
        while (session_id, seq) in self._hidden or seq in known:
            seq += 1
        return seq - 1

    # What it receives.

    def _enter(self, session_id: SessionId) -> None:
        if session_id not in self._known:  # else it is an earlier one, of which the end comes late
            self.session_id = session_id

    def _know(self, session_id: SessionId, entry: Entry) -> None:
        self._known.setdefault(session_id, {})[entry.seq] = entry
        self._hidden |= {(session_id, seq) for seq in range(entry.prev_seq + 1, entry.seq)}

    def _receive(self, session_id: SessionId, entry: Entry) -> None:
        rules = self._world.rules
        known = rules.sessions[session_id]
        if known.customer != self.customer:
            rules.broken("3", f"{self} received an entry of {known.customer}")
        if entry.seq > len(known.entries) or known.entries[entry.seq - 1] != entry:
            rules.broken("1", f"{self} received an entry that is not stored")
        last = self._last.get(session_id, 0)
        if entry.seq <= last:
            rules.broken("5", f"{self} received entry {entry.seq} after {last}")
        self._last[session_id] = entry.seq
        self._know(session_id, entry)
        if isinstance(entry, Message) and entry.message_id == self._response_id:
            self._response_id, self.preview = None, ""

    def _on_entry(self, session_id: SessionId, entry: Entry) -> None:
        if session_id != self.session_id:
            self._enter(session_id)
            self._first.setdefault(session_id, 1)
        if self._follower is not None:
            self._follower.on_entry(entry)
        self._receive(session_id, entry)

    def _on_other(self, event: Event) -> None:
        follower = self._follower
        if follower is None:
            return
        if isinstance(event, Delta | AnswerSoFar):
            shown = follower.show(event)
            if shown is not None:
                index, text = shown
                self.preview = text if index == 0 else self.preview + text
                self._response_id = event.response_id
                self._check_late(event)
                self._world.rules.shown(self, event.session_id, event.epoch, self.preview)
        elif isinstance(event, Missed):
            follower.on_missed()

    def _check_late(self, event: Delta | AnswerSoFar) -> None:
        known = self._known.get(event.session_id, {})
        for entry in known.values():
            if isinstance(entry, StatusChange):
                if entry.epoch > event.epoch:
                    self._world.rules.broken("2", f"{self} is shown a piece of an earlier epoch")
            elif entry.message_id == event.response_id:
                self._world.rules.broken("5", f"{self} is shown a piece of a stored answer")

    def has(self, session_id: SessionId, seq: int) -> bool:
        """Return True if it has everything of a session up to there."""
        return self._position(session_id) >= seq

    def lacks(self) -> str | None:
        """Return what it should have received, and has not; None: it is complete."""
        if self.has_gone:
            return None
        if self.node is None:
            return f"rule 5: {self} is not connected"
        known = self._world.rules.log_of(self.customer)
        if known is None:
            return None
        session_id = known.session.session_id
        if session_id != self.session_id:
            return f"rule 5: {self} is in the session {self.session_id}, not in {session_id}"
        if (last := self._position(session_id)) != (newest := known.session.customer_seq):
            return f"rule 5: {self} lacks the entries after {last} of {newest}"
        return None

    # What it sends.

    async def say(self, text: str, message_id: MessageId, *, for_human: bool = False) -> None:
        """Send a message, again and again under one id until it is acknowledged."""
        rules, loop = self._world.rules, asyncio.get_running_loop()
        for _ in range(TRIES):
            node = self.node
            if node is None or self.has_gone:
                await asyncio.sleep(RETRY_S)
                continue
            began = loop.time()
            try:
                if for_human:
                    request = node.transfers.request
                    work = request(self.customer, LocationId("l1"), text, message_id, origin=self)
                    session = await self.call(node, work)
                    self._sent(session.session_id, message_id)
                    return
                posted = await self.call(
                    node, node.post(self.customer, LocationId("l1"), text, message_id, origin=self)
                )
            except (Failure, Gone):
                await asyncio.sleep(RETRY_S)
                continue
            took_s = loop.time() - began
            if took_s > ACKNOWLEDGED_S + 10 * self._world.store_s and rules.is_calm(
                "store", "nodes", since=took_s
            ):
                rules.broken("15", f"{message_id} was acknowledged after {took_s:.1f} s")
            rules.acknowledged.append((self.customer, message_id, posted.session_id))
            self._sent(posted.session_id, message_id)
            return

    async def rate(self, stars: Stars, message_id: MessageId, session_id: SessionId | None) -> None:
        """Rate a session, again and again under one id until it is acknowledged or refused.

        Raises: Refusal.
        """
        for _ in range(TRIES):
            if (node := self.node) is None or self.has_gone:
                await asyncio.sleep(RETRY_S)
                continue
            try:
                given = node.rate(self.customer, stars, session_id, message_id)
                rated = await self.call(node, given)
            except (Failure, Gone):
                await asyncio.sleep(RETRY_S)
                continue
            self._world.rules.acknowledged.append((self.customer, message_id, rated))
            return

    async def confirm(self, confirm_id: str, answer: bool) -> None:
        """Answer a question by its button, again and again until that is acknowledged or refused.

        Raises: Refusal.
        """
        for _ in range(TRIES):
            if (node := self.node) is None or self.has_gone:
                await asyncio.sleep(RETRY_S)
                continue
            try:
                given = node.confirmations.by_customer(self.customer, confirm_id, answer)
                counts = await self.call(node, given)
            except (Failure, Gone):
                await asyncio.sleep(RETRY_S)
                continue
            self._world.rules.writes.acknowledged(confirm_id, counts)
            return

    def _sent(self, session_id: SessionId, message_id: MessageId) -> None:
        """The client has what it has sent itself."""
        rules = self._world.rules
        known = rules.sessions.get(session_id)
        if session_id != self.session_id and rules.newest.get(self.customer) == session_id:
            self._enter(session_id)
            self._first.setdefault(session_id, 1)
        for entry in known.entries if known is not None else ():
            if isinstance(entry, Message) and entry.message_id == message_id:
                self._know(session_id, entry)
