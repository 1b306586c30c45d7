"""A double of the bridge's socket, in memory: topics are joined, unless a test says otherwise."""

from application.ports import (
    InboundEvent,
    LiveChatGateway,
    OnEcho,
    OnInboundEvent,
    TopicJoined,
    TopicUnavailable,
)
from domain.identity import Customer, MessageId


class MemoryGateway(LiveChatGateway):
    """The live chats of a bridge in memory."""

    _on_event: OnInboundEvent
    _on_echo: OnEcho

    def __init__(self) -> None:
        self.followed: set[Customer] = set()
        self.changes: list[tuple[str, Customer]] = []
        """Every topic joined or left, in order."""
        self.unavailable: set[Customer] = set()
        """The customers whose topics are not joined."""
        self.refuses: Customer | None = None
        """The customer who cannot be followed."""
        self.typing: list[Customer] = []
        self.presence: list[tuple[Customer, bool]] = []

    def listen(self, on_event: OnInboundEvent, on_echo: OnEcho) -> None:
        self._on_event, self._on_echo = on_event, on_echo

    def follow(self, customer: Customer) -> None:
        if customer == self.refuses:
            raise RuntimeError("as told")
        if customer not in self.followed:
            self.changes.append(("join", customer))
        self.followed.add(customer)

    def unfollow(self, customer: Customer) -> None:
        if customer in self.followed:
            self.changes.append(("leave", customer))
        self.followed.discard(customer)

    def is_joined(self, customer: Customer) -> bool:
        return customer not in self.unavailable

    def show_typing(self, customer: Customer) -> None:
        self.typing.append(customer)

    def show_presence(self, customer: Customer, online: bool) -> None:
        self.presence.append((customer, online))

    async def receive(self, customer: Customer, event: InboundEvent) -> None:
        """Pass an event from the bridge on."""
        await self._on_event(customer, event)

    def echo(self, customer: Customer, message_id: str) -> None:
        """Have a message come back that this process has sent."""
        self._on_echo(customer, MessageId(message_id))

    async def lose(self, customer: Customer) -> None:
        """Make the customer's topic unavailable."""
        self.unavailable.add(customer)
        await self.receive(customer, TopicUnavailable("refused"))

    async def join(self, customer: Customer) -> None:
        """Have the customer's topic joined."""
        self.unavailable.discard(customer)
        await self.receive(customer, TopicJoined())
