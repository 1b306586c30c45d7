"""The rules of the server as invariants: what is stored, shown and sent is compared with them.

`broken` is raised at the first violation, or by `check` at the end of a life.
"""

import asyncio
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import replace

from adapters.broker.channels import DEAD_AFTER_S
from domain.business import DEFAULT_LANGUAGE
from domain.identity import Customer, MessageId, SessionId
from domain.message import Author, Entry, Message, StatusChange
from domain.notice import Lane, LiveChatMessagePosted, Notice, TransferRequested
from domain.promise import sure_claims
from domain.session import Draft, Session
from domain.status import Status
from domain.view import View
from tests.simulation.assistant import Attempt
from tests.simulation.write_rules import NO, YES, WriteRules

if TYPE_CHECKING:
    from tests.simulation.client import Client
    from tests.simulation.node import Node
    from tests.simulation.world import World

PROMPT_S, LATEST_S = 0.1, 2.0
"""The time after a takeover in which a piece may still be shown: with all hints, and without."""
SHOWN_S = 0.5
"""The time in which a client is shown what was written, while nothing disturbs."""
COMPLETE_S = 0.8
"""The time in which a client has what was stored, while nothing disturbs."""
NOTICED_S = DEAD_AFTER_S + 1.5
"""The time in which others notice that a node has ended without a word."""
RECENT_S = 13.0
"""A disturbance counts for so long: a lease runs out, a node is declared dead."""


FOR_HUMAN = "Un om "
"""What a request for a human begins with: it is no message that is left."""
_ANSWERS = (YES, NO, "Da", "Nu", "Yes", "No")
"""With those of the button: everybody says them again and again."""


class Violation(AssertionError):
    """A rule is broken."""


class StoredSession:
    """What was stored of one session, from its first entry, and whatever has become of it."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.entries: list[Entry] = []
        self.session: Session
        self.owner_changes: list[tuple[float, int]] = []
        """The times and the epochs of its changes of owner by nodes that others hear of."""
        self.stored_at = 0.0
        self.writer: Node | None = None
        """Who has stored the newest entry."""
        self.asks_for_message = False
        """The user was asked to leave a message, and has not written since."""
        self.is_erased = False


class Rules:
    """Everything that was stored, shown and sent in a life, and the rules for it."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._loop = asyncio.get_running_loop()
        self.sessions: dict[SessionId, StoredSession] = {}
        self.newest: dict[Customer, SessionId] = {}
        self.notices: dict[str, Notice] = {}
        self.violation: Violation | None = None
        self.writes = WriteRules(world)
        self._attempts: dict[Customer, list[Attempt]] = defaultdict(list)
        self._number = 0
        self._read: dict[tuple[Node, Customer], tuple[float, Session]] = {}
        """What each node has last read of a customer's newest session, and when."""
        self.disturbed: dict[str, float] = {}
        """When each kind of fault last was: `hints`, `leases`, `nodes`, `store`, `bridge`."""
        self.spoken: Counter[tuple[Customer, str]] = Counter()
        """What coordinators have said at the bridge."""
        self.heard: list[tuple[Customer, str, StoredSession, float]] = []
        """That of it which somebody has received: customer, text, session, time."""
        self._erased_words: set[tuple[Customer, str]] = set()
        """What was said to a customer who was erased after it."""
        self.acknowledged: list[tuple[Customer, MessageId, SessionId | None]] = []

    # Disturbances.

    def disturb(self, kind: str, seconds: float = 0.0) -> None:
        """Note a fault, which ends in so many seconds."""
        until = self._loop.time() + seconds
        self.disturbed[kind] = max(until, self.disturbed.get(kind, -1000.0))

    def store_failed(self) -> None:
        """Note that a call of the store has failed."""
        self.disturb("store")

    def is_calm(self, *kinds: str, since: float = RECENT_S) -> bool:
        """Return True if there was no such fault in so many seconds."""
        now = self._loop.time()
        return all(self.disturbed.get(kind, -1000.0) + since < now for kind in kinds)

    def broken(self, rule: str, what: str) -> None:
        """Note that a rule is broken."""
        if self.violation is None:
            self.violation = Violation(f"rule {rule}: {what} (at {self._loop.time():.3f} s)")
            self._world.trace(f"VIOLATION of rule {rule}: {what}")

    # What is stored.

    def stored(self, draft: Draft) -> None:
        """Compare a draft that was stored with the rules."""
        session, now = draft.session, self._loop.time()
        known = self.sessions.get(session.session_id)
        if known is None:
            known = self.sessions[session.session_id] = StoredSession(session.customer)
            self.newest[session.customer] = session.session_id
        if known.is_erased:
            self.broken("erasure", f"an entry was added to the erased {session.session_id}")
        before = known.entries[-1] if known.entries else None
        status = known.session.status if known.entries else Status.AI
        epoch = known.session.epoch if known.entries else 0
        seq = before.seq if before is not None else 0
        self._check_rating(known, draft)
        for entry in draft.entries:
            seq += 1
            if entry.seq != seq:
                self.broken("5", f"seq {entry.seq} was stored in the place of {seq}")
            if isinstance(entry, StatusChange):
                status, epoch = entry.status, entry.epoch
                if entry.changes_owner:
                    known.owner_changes.append((now, entry.epoch))
                    self.writes.changed_hands(known)
            elif entry.is_said:
                if entry.author is Author.AI and status is not Status.AI:
                    self.broken("2", f"the AI wrote while the conversation was {status}")
                if entry.author is Author.COORDINATOR and session.status is Status.AI:
                    self.broken("11", "a coordinator has spoken, and the AI has the conversation")
            if isinstance(entry, Message):
                self.writes.stored(known, entry, status, epoch)
            if isinstance(entry, Message) and entry.author is Author.AI:
                promised = sure_claims(entry.text, session.language or DEFAULT_LANGUAGE).human
                if promised and session.status is not Status.WAITING:
                    self.broken("10", "a transfer was promised and not made")
            self._check_left(known, entry, draft)
            known.entries.append(entry)
            self._world.trace(f"stored {_shown(entry)} of {session.customer.user_id}")
        known.session, known.stored_at, known.writer = session, now, self._world.writer
        for notice in draft.notices:
            self.notices[notice.notice_id] = notice
        if (key := draft.key) is not None and key.startswith(("u:", "r:")):
            self._check_once(session.customer, MessageId(key[2:]))

    def _check_rating(self, known: StoredSession, draft: Draft) -> None:
        """Compare the head before a rating and after it: nothing of the conversation moves."""
        session = draft.session
        if not known.entries or session.rating == known.session.rating:
            return
        (entry,) = draft.entries
        moved = {"seq": entry.seq, "hidden_at_end": 0, "rating": session.rating}
        if replace(known.session, **moved) != session:
            self.broken(
                "rating", f"a rating of {session.customer.user_id} has moved the conversation"
            )

    def _check_left(self, known: StoredSession, entry: Entry, draft: Draft) -> None:
        """Compare what the user writes with whether they were asked to leave a message."""
        if not entry.is_said:
            return
        if isinstance(entry, StatusChange):
            known.asks_for_message = known.asks_for_message and not entry.changes_owner
        elif entry.author is not Author.USER:
            known.asks_for_message = known.asks_for_message or entry.unmet is not None
        elif entry.unmet is not None:
            if not known.asks_for_message:
                self.broken("10", f"{entry.text!r} was kept, and nobody was asked for it")
            if not isinstance(last := draft.entries[-1], Message) or last is entry:
                self.broken("10", f"{entry.text!r} was kept without a word")
            known.asks_for_message = False
        elif known.asks_for_message and not self._is_no_message(known, entry):
            self.broken("10", f"{entry.text!r} was left, and is not kept")

    def _is_no_message(self, known: StoredSession, entry: Message) -> bool:
        """Return True if it is a request for a human, an answer to a question, or a late echo."""
        if entry.text.startswith(FOR_HUMAN) or entry.write is not None:
            return True
        said = [each.text for each in known.entries if isinstance(each, Message)]
        faults = {"bridge", "nodes", "hints", "store", "clocks"}  # as for `_check_words`
        return bool(self.disturbed.keys() & faults) and entry.text in said

    def _check_once(self, customer: Customer, message_id: MessageId) -> None:
        times = sum(
            isinstance(entry, Message) and entry.message_id == message_id
            for known in self.sessions.values()
            if known.customer == customer and not known.is_erased
            for entry in known.entries
        )
        if times > 1:
            self.broken("4", f"{message_id} was stored {times} times")

    def erased(self, customer: Customer) -> None:
        """Note that a customer was erased."""
        for known in self.sessions.values():
            if known.customer == customer:
                known.is_erased = True
        self.newest.pop(customer, None)
        self._erased_words |= {said for said in self.spoken if said[0] == customer}

    def log_of(self, customer: Customer) -> StoredSession | None:
        """Return the customer's newest session."""
        session_id = self.newest.get(customer)
        return self.sessions[session_id] if session_id is not None else None

    # The model.

    def model_called(self, customer: Customer, node: "Node", view: View) -> Attempt:
        """Note that a model is called."""
        others = [
            each for each in self._attempts[customer] if each.is_running and each.node.is_alive
        ]
        if others and self.is_calm("leases", "nodes"):
            self.broken("6", f"two turns at once: at {others[0].node} and at {node}")
        if view.session.customer != customer or not view.pending:
            self.broken("6", "a model was called for nothing")
        return self._attempt(customer, node)

    def _attempt(self, customer: Customer, node: "Node") -> Attempt:
        self._number += 1
        attempt = Attempt(customer, node, self._number, self._loop.time())
        self._attempts[customer].append(attempt)
        self._world.trace(f"model a{attempt.number} begins at {node} for {customer.user_id}")
        return attempt

    def model_restarted(self, attempt: Attempt) -> Attempt:
        """Note that a model begins its text anew."""
        attempt.is_running = False
        return self._attempt(attempt.customer, attempt.node)

    def model_wrote(self, attempt: Attempt, piece: str) -> None:
        """Note a piece of an answer."""
        attempt.text += piece
        attempt.written_at = self._loop.time()

    # What clients are shown.

    def shown(self, client: "Client", session_id: SessionId, epoch: int, preview: str) -> None:
        """Compare what a client is shown of an answer in the making with the rules."""
        customer, now = client.customer, self._loop.time()
        attempts = self._attempts[customer]
        if not any(attempt.text.startswith(preview) for attempt in attempts):
            self.broken("5", f"{client} is shown {preview!r}, which no attempt has written")
        known = self.sessions[session_id]
        over = next((at for at, other in known.owner_changes if other > epoch), None)
        if over is None:
            return
        late_s = now - over
        node = client.node
        thawed = max([each.thawed_at for each in self._world.nodes], default=-1000.0)
        if node is None or now - max(over, thawed) < PROMPT_S:
            return
        intact = self.is_calm("hints", "nodes", "store", since=5.0)
        limit_s = PROMPT_S + 2 * self._world.store_s if intact else LATEST_S
        if late_s > limit_s and now - thawed > limit_s:
            self.broken("2", f"{client} is shown a piece {late_s:.2f} s after a takeover")

    def running(self, customer: Customer) -> Attempt | None:
        """Return the attempt under way whose text must be shown."""
        found = [
            each
            for each in self._attempts[customer]
            if each.is_running and each.text and each.node.is_well
        ]
        if len(found) != 1:
            return None
        # Of two turns at once, as without leases, a client is shown the one that began last.
        later = [each for each in self._attempts[customer] if each.begun > found[0].begun]
        return found[0] if all(each.node is found[0].node for each in later) else None

    def check_streams(self) -> None:
        """Compare what streaming clients show with what was written a while ago."""
        if not self.is_calm("hints", "nodes", "store", "leases", since=4.0):
            return
        now = self._loop.time()
        for client in self._world.clients:
            attempt = self.running(client.customer)
            known = self.log_of(client.customer)
            if attempt is None or known is None or not client.follows_stream:
                continue
            if client.joined_at + SHOWN_S > now or attempt.written_at + SHOWN_S > now:
                continue
            if known.owner_changes and known.owner_changes[-1][0] > attempt.begun:
                continue  # it is being cancelled
            switch, channel = self._world.switch, _channel(client.customer)
            nodes = [each for each in (client.node, attempt.node) if each is not None]
            if any(switch.hides_loss(each.channels, channel) for each in nodes):
                continue
            if client.preview != attempt.text:
                self.broken(
                    "5", f"{client} shows {client.preview!r} for {SHOWN_S} s, of {attempt.text!r}"
                )

    def check_followers(self) -> None:
        """Compare what clients have with what was stored a while ago."""
        if not self.is_calm("hints", "nodes", "store", since=4.0):
            return
        now = self._loop.time()
        for client in self._world.clients:
            known = self.log_of(client.customer)
            if known is None or client.node is None or not client.node.is_well:
                continue
            if client.joined_at + COMPLETE_S > now or known.stored_at + COMPLETE_S > now:
                continue
            if client.waits_for_store or self._died_untold(known.writer):
                continue
            switch, channel = self._world.switch, _channel(client.customer)
            if switch.hides_loss(client.node.channels, channel):
                continue
            if (lacks := client.lacks()) is not None:
                rule, _, what = lacks.removeprefix("rule ").partition(": ")
                self.broken(rule, what)

    def read(self, node: "Node", session: Session) -> None:
        """Note that a node has read a customer's newest session."""
        self._read[node, session.customer] = self._loop.time(), session

    def check_readers(self) -> None:
        """Compare what clients have with what their nodes have read: no hint is needed for that."""
        if not self.is_calm("nodes", "store", since=4.0):
            return
        latest = self._loop.time() - COMPLETE_S
        for client in self._world.clients:
            node, who = client.node, client.customer
            if node is None or (node, who) not in self._read or client.has_gone:
                continue
            if client.waits_for_store:
                continue
            at, session = self._read[node, who]
            if max(at, client.joined_at) >= latest or self.newest.get(who) != session.session_id:
                continue
            if not client.has(session.session_id, seq := session.customer_seq):
                self.broken("5", f"{client} lacks entry {seq}, which {node} has read")

    def _died_untold(self, node: "Node | None") -> bool:
        """Return True if a node has just ended of which others may not know yet that it has.

        What it has stored last may have been published to nobody.
        """
        return node is not None and self._loop.time() < node.ended_at + NOTICED_S

    # The end.

    def unfinished(self) -> str | None:
        """Return what must still happen before a life ends; None: all is done."""
        for client in self._world.clients:
            if (lacks := client.lacks()) is not None and not self._cannot_know(client):
                return lacks
        for known in self.sessions.values():
            if not known.is_erased and known.session.needs_answer:
                return f"rule 7: {known.customer.user_id} waits for an answer"
        undelivered = self._undelivered()
        if undelivered:
            return f"rule 9: not delivered: {undelivered[0].content}"
        for (customer, text), times in self._must_be_stored().items():
            if self._times_stored(customer, text) < times:
                return f"rule 9: {text!r} of a coordinator is not stored {times} times"
        followers: Counter[Customer] = Counter()
        for node in self._world.nodes:
            followers.update(node.gateway.followed)
        for customer, times in followers.items():
            if times > 1:
                return f"rule 9: {times} nodes follow {customer.user_id}"
        return self.writes.unfinished()

    def _must_be_stored(self) -> Counter[tuple[Customer, str]]:
        """Return how often each of a coordinator's words was received by who could store it."""
        last = max(self.disturbed.get(kind, -1.0) for kind in ("nodes", "hints", "bridge"))
        return Counter(
            (customer, text)
            for customer, text, known, at in self.heard
            if known.session.is_open and not known.is_erased and last < at
        )

    def _cannot_know(self, client: "Client") -> bool:
        """Return True if a hint for the client was lost which no number shows."""
        node, who = client.node, client.customer
        return node is not None and (node.channels, _channel(who)) in self._world.switch.unnoticed

    def _undelivered(self) -> list[Notice]:
        told = set(self._world.bridge.requests)
        words = {(customer, message_id) for customer, message_id, _ in self._world.bridge.words}
        found = []
        for notice in self.notices.values():
            known = self.sessions[notice.session_id]
            content = notice.content
            if known.is_erased or notice.notice_id in told:
                continue
            match content:
                case LiveChatMessagePosted() if (notice.customer, content.message_id) in words:
                    continue
                case TransferRequested() if not known.session.waits_for(content.transfer_id):
                    continue  # superseded
            found.append(notice)
        return found

    def _times_stored(self, customer: Customer, text: str) -> int:
        return sum(
            isinstance(entry, Message) and entry.author is Author.COORDINATOR and entry.text == text
            for known in self.sessions.values()
            if known.customer == customer
            for entry in known.entries
        )

    def check(self) -> None:
        """Compare the whole life with the rules."""
        if (unfinished := self.unfinished()) is not None:
            rule, _, what = unfinished.removeprefix("rule ").partition(": ")
            self.broken(rule, what)
        for customer, message_id, session_id in self.acknowledged:
            known = self.sessions.get(session_id) if session_id is not None else None
            if known is None or known.customer != customer:
                self.broken("1", f"{message_id} was acknowledged, and is not stored")
            elif message_id not in {
                entry.message_id for entry in known.entries if isinstance(entry, Message)
            }:
                self.broken("1", f"{message_id} was acknowledged, and is not stored")
        for session_id, known in self.sessions.items():
            self._check_answers(session_id, known)
        for (customer, text), times in self.spoken.items():
            if (customer, text) in self._erased_words or "clocks" in self.disturbed:
                continue  # an arrival is compared with the log, and with its times
            stored = self._times_stored(customer, text)
            if stored > times:
                self.broken("4", f"{text!r} was said {times} times, and stored {stored} times")
        self._check_words()
        self._check_order()
        self.writes.check()

    def _check_answers(self, session_id: SessionId, known: StoredSession) -> None:
        answered = Counter(
            message_id
            for entry in known.entries
            if isinstance(entry, Message)
            for message_id in entry.in_reply_to
        )
        for message_id, times in answered.items():
            if times > 1:
                self.broken("7", f"{message_id} was answered {times} times")

    def _check_words(self) -> None:
        """Users never say the same twice. An echo may come twice, and late, after a fault."""
        if self.disturbed.keys() & {"bridge", "nodes", "hints", "store"}:
            return
        said = Counter(
            (known.customer, entry.text)
            for known in self.sessions.values()
            if not known.is_erased
            for entry in known.entries
            if isinstance(entry, Message) and entry.author is Author.USER
            if entry.text not in _ANSWERS
        )
        for (customer, text), times in said.items():
            if times > 1:
                self.broken("4", f"{text!r} of {customer.user_id} was stored {times} times")

    def _check_order(self) -> None:
        """Each notice came first after those before it, in its session and lane."""
        first: dict[tuple[SessionId, Lane], int] = {}
        for notice_id in dict.fromkeys(self._world.bridge.requests):
            notice = self.notices.get(notice_id)
            if notice is None:
                self.broken("9", f"the bridge was told of {notice_id}, which nobody has stored")
                continue
            place = (notice.session_id, notice.lane)
            if notice.position < first.get(place, 0):
                self.broken("9", f"{notice.kind} {notice.position} came out of its order")
            first[place] = max(notice.position, first.get(place, 0))
        positions: dict[tuple[Customer, object], Notice] = {
            (notice.customer, notice.content.message_id): notice
            for notice in self.notices.values()
            if isinstance(notice.content, LiveChatMessagePosted)
        }
        relayed: dict[SessionId, int] = {}
        for customer, message_id in dict.fromkeys(
            (customer, message_id) for customer, message_id, _ in self._world.bridge.words
        ):
            notice = positions.get((customer, message_id))
            if notice is None:
                continue  # said at the bridge
            if notice.position < relayed.get(notice.session_id, 0):
                self.broken("9", f"the words {message_id} came out of their order")
            relayed[notice.session_id] = notice.position


def _channel(customer: Customer) -> str:
    return f"customer:{customer.business_id}:{customer.user_id}"


def _shown(entry: Entry) -> str:
    if isinstance(entry, StatusChange):
        return f"{entry.seq} → {entry.status} ({entry.reason}, epoch {entry.epoch})"
    return f"{entry.seq} {entry.author}: {entry.text[:40]!r}"
