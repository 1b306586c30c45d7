"""One process of several listens to each chat at the bridge."""

from hashlib import blake2b

from application.ports import Broker, Clock
from domain.identity import Customer

ALONE_AFTER_S = 8.0
"""The time without the broker after which a process listens to every chat."""
MAX_KNOWN_OWNERS = 20_000
"""The customers whose owner is remembered."""


class ChatOwners:
    """Distributes the chats over the nodes by rendezvous hashing.

    Each node gives a chat a number, and the highest is its owner: so all agree who know of the same
    nodes, and when a node comes or goes, only the chats that it gets or had change hands. Two who
    know of different nodes may both be the owner, which doubles nothing (see `Arrivals`), or
    neither, for as long as a node that has died is not known to have.
    """

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self._broker = broker
        self._clock = clock
        self._nodes = frozenset(broker.nodes)
        self._known: dict[Customer, str] = {}
        self._away_since: float | None = None
        self._is_alone = False
        """Nothing was known of the others for ALONE_AFTER_S: all chats are this node's."""

    def owner(self, customer: Customer) -> str:
        """Return the node that listens to the customer's chat."""
        owner = self._known.get(customer)
        if owner is None:
            owner = max(self._nodes, key=lambda node: _weight(node, customer))
            if len(self._known) >= MAX_KNOWN_OWNERS:
                self._known.clear()
            self._known[customer] = owner
        return owner

    def is_mine(self, customer: Customer) -> bool:
        """Return True if this process is to listen to the customer's chat."""
        return self._is_alone or self.owner(customer) == self._broker.node

    def update(self) -> bool:
        """Note which nodes live, and whether the broker is away; True: chats change hands."""
        before = (self._nodes, self._is_alone)
        now = self._clock.monotonic()
        if not self._broker.is_away:
            self._away_since = None
        elif self._away_since is None:
            self._away_since = now
        since = self._away_since
        self._is_alone = since is not None and now - since >= ALONE_AFTER_S
        self._nodes = frozenset(self._broker.nodes) or frozenset([self._broker.node])
        if self._nodes != before[0]:
            self._known.clear()
        return (self._nodes, self._is_alone) != before


def _weight(node: str, customer: Customer) -> bytes:
    key = "\0".join((node, *customer)).encode()
    return blake2b(key, digest_size=8).digest()
