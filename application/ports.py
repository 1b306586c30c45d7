"""All ports of the application. Each docstring is the contract that adapters keep."""

from abc import abstractmethod
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum, auto
from typing import Any, Literal, NamedTuple, Protocol, Self

from msgspec import Struct

from domain.business import Business, Reservation
from domain.errors import DuplicateMessage
from domain.handoff import UNKNOWN, Availability
from domain.identity import (
    BusinessId,
    CoordinatorId,
    Customer,
    Identity,
    LocationId,
    MessageId,
    SessionId,
)
from domain.knowledge import Finding
from domain.message import Author, Entry
from domain.notice import DeadLetter, Lane, Notice, Outcome
from domain.promise import Verdict
from domain.session import Draft, Session
from domain.status import Status
from domain.tool import Effect, Tool, ToolArguments
from domain.usage import Counts, Usage
from domain.view import View
from domain.write_call import WriteState

NewId = Callable[[], str]
"""A fresh, unguessable identifier: 32 hexadecimal digits."""

RECENT = 20
"""The number of a session's newest entries that come with its head."""


class Lifecycle(Protocol):
    """An adapter that is opened before use and closed after it; some have nothing to open."""

    async def __aenter__(self) -> Self:
        """Open it. Raises: Failure, when it cannot be used."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close it, and release whatever it holds."""
        return None


class HealthCheck(Protocol):
    """A dependency that may be unreachable; some cannot be."""

    @property
    def is_away(self) -> bool:
        """True if it is known not to answer at the moment, without a request."""
        return False

    async def check(self) -> None:
        """Use it once, as it is used in operation. Raises: Failure, saying what is wrong."""
        return None


class Timer(Protocol):
    """A callback that will be called once."""

    def cancel(self) -> None:
        """Cancel the call. Harmless when it is too late."""


FASTEST = 1.25
"""The most seconds that `Clock.now` may pass in one of `Clock.monotonic`, to catch up."""


class Clock(Protocol):
    """Time and timers; the application takes neither from the standard library."""

    @abstractmethod
    def now(self) -> datetime:
        """Return the time that is stored and compared with stored ones: aware, UTC, whole ms.

        It follows the wall clock, but does not jump with it.
        """

    def wall(self) -> datetime:
        """Return the wall clock's time, to compare with what another machine has written."""
        return self.now()

    @abstractmethod
    def monotonic(self) -> float:
        """Return the seconds since some moment: for durations and deadlines of this process."""

    @abstractmethod
    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` once in `delay_s` seconds."""

    @abstractmethod
    async def sleep(self, delay_s: float) -> None:
        """Return in `delay_s` seconds."""


class Loaded(NamedTuple):
    """A session as it was read: its head, and up to RECENT of its newest entries, oldest first."""

    session: Session
    recent: tuple[Entry, ...]


class SessionStore(Protocol):
    """Stores the logs. What `append` has returned from survives the death of the process.

    Every method may raise StorageUnavailable, and then has done nothing that a retry would double.
    """

    @abstractmethod
    async def latest(self, customer: Customer) -> Loaded | None:
        """Read the customer's newest session, open or closed; None when there never was one."""

    @abstractmethod
    async def load(self, session_id: SessionId) -> Loaded | None:
        """Read the session with this id; None when there is none."""

    @abstractmethod
    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        """Store the draft's entries, head, idempotency key and notices: all of it, or nothing.

        The entries' seqs must follow the stored log without a gap; a first entry (seq 1) also
        opens the session; a customer has at most one open session. `due_at`: when `due` is to
        return the session (None: never).
        Raises: SeqTaken when another entry has one of these seqs, or the customer has another
        open session. DuplicateMessage when the customer has stored this key within the
        IDEMPOTENCY_WINDOW, in whatever session; it takes precedence over SeqTaken.
        """

    @abstractmethod
    async def stored(self, customer: Customer, key: str, now: datetime) -> DuplicateMessage | None:
        """Return what `append` would raise for this key at `now`; None when it would accept it."""

    @abstractmethod
    async def page(
        self, session_id: SessionId, *, after: int = 0, before: int | None = None, limit: int
    ) -> tuple[Entry, ...]:
        """Read at most `limit` entries with after < seq < before, oldest first.

        With `before` these are the newest ones of the range, else the oldest ones.
        The cost does not grow with the length of the log.
        """

    @abstractmethod
    async def due(self, now: datetime, limit: int) -> tuple[Session, ...]:
        """Return sessions whose `due_at` has come, the most overdue first."""

    async def probe(self) -> None:
        """Make sure that the store answers and, where its disk is ours, that it can write."""
        await self.load(SessionId("-"))  # which cannot exist

    async def prune(self) -> None:
        """Delete some of what has expired, so little that it holds up no writer.

        To be called again and again; a store that expires by itself does nothing.
        """
        return None


@dataclass(frozen=True, slots=True)
class SessionPage:
    """One page of a listing; `cursor` asks for the next page, None: there is none."""

    sessions: tuple[Session, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Erased:
    """The receipt of an erasure: how much was erased."""

    sessions: int
    messages: int
    notices: int


class Archive(Protocol):
    """Lists and erases sessions, for an operator."""

    @abstractmethod
    async def list_sessions(
        self,
        *,
        business_id: BusinessId | None = None,
        status: Status | None = None,
        customer: Customer | None = None,
        limit: int,
        cursor: str | None = None,
    ) -> SessionPage:
        """List sessions by their newest entry, newest first.

        Raises: InvalidPayload for a bad cursor.
        """

    @abstractmethod
    async def erase(self, customer: Customer) -> Erased:
        """Erase everything stored of the customer. Idempotent; a repeat counts zero.

        An append to an erased session that was decided earlier is refused with SeqTaken.
        """


OnStoreRequest = Callable[[str, float, bool], None]
"""Called with each request to the store: a `read` or a `write`, the seconds that it took, and
whether it has failed."""


class Backlog(NamedTuple):
    """The notices that are not delivered yet, without dead letters."""

    depth: int
    """Their number."""
    oldest: datetime | None
    """When the oldest of them was due for the first time; None: there is none."""


class Outbox(Protocol):
    """Notices that the bridge has not received yet, in order per session and lane."""

    @abstractmethod
    async def claim(
        self, lane: Lane, now: datetime, lease_until: datetime, limit: int
    ) -> tuple[Notice, ...]:
        """Claim notices of a lane that are due, at most one per session: its first undelivered one.

        Nobody else can claim them until `lease_until`; then they are due again.
        """

    @abstractmethod
    async def settle(self, notice_id: str, outcome: Outcome) -> None:
        """Record the outcome of a claimed notice. Unknown ids are ignored."""

    @abstractmethod
    async def backlog(self) -> Backlog:
        """Return how many notices are undelivered, and since when."""

    async def depth(self) -> int:
        """Count the undelivered notices, without dead letters."""
        return (await self.backlog()).depth

    @abstractmethod
    async def dead(self, limit: int) -> tuple[DeadLetter, ...]:
        """Return dead letters, in the order in which they were due."""

    @abstractmethod
    async def retry(self, notice_id: str) -> bool:
        """Make a dead letter due again, as if new; False: there is none with this id.

        It takes its place in its lane's order, behind a notice that is claimed or deferred.
        """

    @abstractmethod
    async def drop(self, notice_id: str) -> bool:
        """Delete a dead letter; False: there is none with this id."""


class CountStore(Protocol):
    """Sums what is counted of each business by day in UTC. It holds nothing about customers."""

    @abstractmethod
    async def add(self, business_id: BusinessId, day: date, counts: Counts) -> None:
        """Add to the day's sums, or take away what is negative.

        Names are of `[a-z0-9_]`, and there are not more than a hundred.

        Raises: StorageUnavailable; it may have been added nevertheless.
        """

    @abstractmethod
    async def counts(self, business_id: BusinessId, first: date, last: date) -> dict[date, Counts]:
        """Return the sums of the days from `first` to `last`, both included, in order.

        Days without any are left out; a sum that is 0 may be. Raises: StorageUnavailable.
        """


class Store(SessionStore, Archive, Outbox, CountStore, Lifecycle, Protocol):
    """All ports of storage, kept by one adapter."""


class Bridge(HealthCheck, Protocol):
    """Receives notices, for the coordinators' side. It may be unreachable for a long time."""

    @property
    def acknowledges(self) -> bool:
        """False if requests for a human are accepted here but notified to nobody."""
        return True

    @abstractmethod
    async def wait_until_back(self) -> None:
        """Return once it is worth trying again: at once, unless it is away."""

    @abstractmethod
    async def deliver(self, notice: Notice) -> None:
        """Deliver a notice, under its id as the idempotency key; it may arrive more than once.

        Raises: BridgeUnavailable when it may succeed later, BridgeRefused when it never will.
        """


class VisitorCredentials(Protocol):
    """Proofs of who a visitor is: a customer that the server itself has named."""

    @abstractmethod
    def sign(self, visitor: Customer, at: datetime) -> tuple[str, datetime]:
        """Return a token for a visitor, and the time at which it expires."""

    @abstractmethod
    def verify(self, token: str) -> Identity:
        """Return the visitor in a valid token. Raises: Unauthorized."""


class Businesses(Protocol):
    """Looks up businesses and their customers. Unknown is a result, not a failure."""

    @abstractmethod
    async def business(self, business_id: BusinessId) -> Business | None:
        """Return the business; None when it is not known."""

    @abstractmethod
    def last_read(self, business_id: BusinessId) -> Business | None:
        """Return the business as it was last read; None: it was not, or not lately."""

    @abstractmethod
    async def reservations(self, customer: Customer) -> tuple[Reservation, ...]:
        """Return the customer's upcoming reservations."""


class Presence(Protocol):
    """Knows how many coordinators are present at the bridge."""

    @abstractmethod
    async def online(self, business_id: BusinessId) -> int | None:
        """Return how many there are for a business; None: unknown. It takes a second at most."""


class Knowledge(Protocol):
    """Searches the documents of businesses."""

    @abstractmethod
    async def search(
        self, business_id: BusinessId, query: str, limit: int = 5
    ) -> tuple[Finding, ...]:
        """Return the passages that fit a query best, the best first; none: nothing fits.

        Raises: KnowledgeUnavailable.
        """

    async def version(self, business_id: BusinessId) -> str:
        """Return a digest of a business's documents; empty: there are none, or it is unknown."""
        return ""


class ToolRequest(Struct, frozen=True, kw_only=True):
    """A call of a business's own tool."""

    tool: str
    """The AI's name for it."""
    arguments: ToolArguments
    """The model's; those that are bound to the session are added, and win."""
    customer: Customer
    location_id: LocationId | None
    session_id: SessionId
    key: str | None = None
    """The idempotency key of a call that changes something."""


class ToolAnswer(Struct, frozen=True, kw_only=True):
    """What a business's own tool has answered: data, never instructions."""

    text: str
    """Bounded: at most MAX_TOOL_RESULT characters."""
    is_error: bool = False
    """True if the tool says that it failed: then nothing was done."""


class BusinessTools(Lifecycle, Protocol):
    """Calls the tools of businesses' own servers. A server that is away fails its own calls."""

    @abstractmethod
    async def tools(self, business: Business) -> tuple[Tool, ...]:
        """Return the tools that the business allows and its servers have, in the file's order.

        Those of a server that is away are as it last listed them, so that a model's prompt stays
        the same; it holds nothing up for longer than a second.
        """

    @abstractmethod
    async def problem_with(self, business: Business, request: ToolRequest) -> str | None:
        """Return why the arguments would be refused, for the model; None: they would not."""

    @abstractmethod
    async def call(self, business: Business, request: ToolRequest) -> ToolAnswer:
        """Call a tool once, never again by itself.

        Raises: ToolNotCalled, where it is certain that nothing was done; ToolUnanswered otherwise,
        at the latest after the server's `timeout_s`.
        """

    @abstractmethod
    async def was_made(self, business: Business, request: ToolRequest) -> ToolAnswer | None:
        """Look up whether the call with this key was made; None: it was not.

        Raises: ToolUnanswered, where that cannot be found out.
        """


class HandoffOutcome(Enum):
    """What comes of a request for a human by the AI."""

    REQUESTED = auto()
    NOBODY_THERE = auto()
    """The user is asked to leave a message, unless they just have."""
    NOT_OFFERED = auto()
    """The business hands no conversation over."""
    NOT_HANDED_OVER = auto()
    """Not one about this, unless the user asks for a human."""


class Handoff(Struct, frozen=True, kw_only=True):
    """The outcome of a request for a human by the AI."""

    outcome: HandoffOutcome
    availability: Availability = UNKNOWN
    has_left_message: bool = False
    """True if what the turn answers is, or has, the message that the user was asked to leave."""


class Embedder(Lifecycle, Protocol):
    """Turns texts into vectors that are near one another where the texts mean the same."""

    @property
    @abstractmethod
    def model(self) -> str:
        """The model that makes them: vectors of two models cannot be compared."""

    @abstractmethod
    async def embed(self, texts: Sequence[str]) -> list[Sequence[float]]:
        """Return a vector for each text, all of one length. Raises: KnowledgeUnavailable."""


class ToolResult(Struct, frozen=True, kw_only=True):
    """The result of a call by the AI, which may be that nothing could be looked up or done."""

    text: str
    """For a model: what was found is in tags, as data."""
    value: Any = None
    """What one of the server's own tools has found or done: a `Business`, `Reservation`s,
    `Finding`s, a `Handoff`. None: nothing, or it failed."""
    effect: Effect = Effect.READ
    """That of the tool: what the AI writes beside a call that changes something is written before
    the outcome is known."""
    ends_answer: bool = False
    """True if the answer ends with what was written beside the call."""
    is_last: bool = False
    """True if no further call is possible in this turn."""


class Toolbox(Protocol):
    """The tools of one turn, bound to its customer: a model's arguments cannot name another."""

    @property
    @abstractmethod
    def tools(self) -> Sequence[Tool]:
        """The tools that the AI may call: the same, in the same order, in all conversations of a
        business, so that a provider's cache holds them."""

    @abstractmethod
    async def call(self, name: str, arguments: ToolArguments | None) -> ToolResult:
        """Call a tool; one that was called before, with the same arguments, has the same result.

        `arguments`: None, where what the AI has written is no JSON object. Wrong calls count, too.
        """


class AnswerWriter(Protocol):
    """Receives an answer as it is written."""

    @abstractmethod
    def __call__(self, piece: str) -> None:
        """Append the next piece of the answer."""

    @abstractmethod
    def restart(self) -> None:
        """Discard all that was written so far. Harmless when nothing was."""


class SummaryResult(NamedTuple):
    """A summary and its usage (None: nothing is counted)."""

    text: str
    usage: Usage | None = None


class Judgement(NamedTuple):
    """A model's verdict on a text (None: none that can be understood), and its usage."""

    verdict: Verdict | None
    usage: Usage | None = None


class AnswerCancelled(CancelledError):
    """A cancelled answer, summary or judgement that had already incurred usage."""

    def __init__(self, usage: Usage) -> None:
        super().__init__()
        self.usage = usage


class Assistant(Lifecycle, HealthCheck, Protocol):
    """Answers conversations, and summarises them."""

    @property
    def version(self) -> str:
        """A digest of what it is told of its task, whoever the business is; empty: nothing."""
        return ""

    @abstractmethod
    async def answer(self, view: View, toolbox: Toolbox, writer: AnswerWriter) -> Usage | None:
        """Answer the view's pending messages: pass each piece of the text to `writer` as it comes.

        Where the view `is_suggestion`, write what its coordinator might send next.
        `view.pending` are all to be answered; `view.entries` hold most of them too, but not all.
        Returns the usage, failed attempts included (None: nothing is counted).
        Cancelling it releases whatever it holds; where requests had incurred usage before, it
        then raises AnswerCancelled. Raises: AssistantFailed, with its `usage`.
        """

    @abstractmethod
    async def summarise(
        self,
        earlier: str | None,
        entries: Sequence[Entry],
        language: str,
        *,
        max_tokens: int,
        business: Business | None = None,
    ) -> SummaryResult:
        """Summarise `entries`, oldest first, and `earlier`, the summary of what came before them.

        The text takes the place of both in later views; the caller truncates it to `max_tokens`
        (see `domain.tokens`). `language`: the tag of the language to write in. `business`: whose
        conversation it is.
        Cancelling it is as with `answer`. Raises: AssistantFailed, with its `usage`.
        """

    async def check_of(self, business: Business) -> None:
        """Check what answers for a business, as `check` does. Raises: AssistantFailed."""
        await self.check()

    async def judge(
        self, text: str, *, timeout_s: float, business: Business | None = None
    ) -> Judgement | None:
        """Find out what a text of its own claims to the customer; None: it cannot tell.

        `business`: whose conversation it is from.

        Cancelling it is as with `answer`. Raises: AssistantFailed, with its `usage`, at the latest
        in `timeout_s` seconds.
        """
        return None


class Appended(NamedTuple):
    """New entries of a session's log. A hint: a receiver that misses one reads the store."""

    session_id: SessionId
    entries: tuple[Entry, ...]
    origin: object = None
    """The writer in this process: a channel does not push the user's messages that came in through
    itself. None, if it was another process."""
    lanes: Collection[Lane] = ()
    """The lanes of the outbox that got notices with them."""


class Grown(NamedTuple):
    """A session's log has new entries up to `seq`, too large for a hint: read the store."""

    session_id: SessionId
    seq: int


class Delta(NamedTuple):
    """A piece of an answer being written; the stored answer with this id replaces them all."""

    session_id: SessionId
    response_id: MessageId
    epoch: int
    """The session's at the start of the turn: nobody is shown a piece of an earlier epoch."""
    attempt: int
    """The attempt of the turn: a later one begins the answer anew."""
    offset: int
    """The characters of the attempt's text before this piece."""
    text: str


class AnswerSoFar(NamedTuple):
    """The whole text of an answer being written, for who has missed some of it."""

    session_id: SessionId
    response_id: MessageId
    epoch: int
    attempt: int
    text: str


class AnswerRequested(NamedTuple):
    """Somebody has missed a part of the answer being written: who writes it publishes it so far."""


class StopRequested(NamedTuple):
    """The user wants no answer, or no more of it, to what they have written up to now."""

    session_id: SessionId
    seq: int
    """The newest message of theirs: what comes after it is answered."""


class Typing(NamedTuple):
    """A typing sign; it expires by itself."""

    author: str
    expires_in_ms: int


class QueuePlace(NamedTuple):
    """The place of a waiting customer among those who wait, as the bridge has it."""

    place: int
    """The first is 1."""
    wait_s: int | None
    """How long they may yet wait; None: unknown."""


class CustomerErased(NamedTuple):
    """Everything that was stored of the customer has been erased."""


class Missed(NamedTuple):
    """Events of the customer may have been lost: look at the store once. Of this process alone."""

    broker_is_away: bool = False
    """True if this is repeated once a second, until the broker is back: for who cannot wait."""


Hint = (
    Appended
    | Grown
    | Delta
    | AnswerSoFar
    | AnswerRequested
    | StopRequested
    | Typing
    | QueuePlace
    | CustomerErased
)
"""An event that goes to other processes, too."""
Event = Hint | Missed
Listener = Callable[[Event], None]
Tap = Callable[[Customer, Event], None]


class BrokerListener(Protocol):
    """Receives what comes through a broker. No method waits."""

    @abstractmethod
    def on_hint(self, customer: Customer, hint: Hint) -> None:
        """Handle what another process has published."""

    @abstractmethod
    def on_missed(self, customer: Customer | None) -> None:
        """Handle that hints of the customer may have been lost until now.

        None: those that were sent to this node, of customers to whom it need not have subscribed.
        Called whenever a subscription is confirmed, too: what came before was not received.
        """

    @abstractmethod
    def on_nodes_changed(self) -> None:
        """Handle that `Broker.nodes` has changed."""


class Broker(Lifecycle, HealthCheck, Protocol):
    """Carries hints between the processes of one server, the nodes.

    It may lose, delay, double or reorder hints, but knows of most losses, and tells its listener.
    No method waits, and what is published does not come back to its publisher. Per customer and
    publisher hints arrive in order, unless some were lost or delayed. `is_away` while its own beat
    does not come back to it: then nothing is known of other nodes.
    """

    @property
    @abstractmethod
    def node(self) -> str:
        """The name of this process, unique among all that ever lived."""

    @property
    @abstractmethod
    def nodes(self) -> Collection[str]:
        """The nodes that live, this one included; while it `is_away`, those known last."""

    @property
    def has_silent_node(self) -> bool:
        """True while a node sends nothing that has not left: it may live, cut off, and store."""
        return False

    @abstractmethod
    def listen(self, listener: BrokerListener) -> None:
        """Call `listener` from now on; called once, before it is opened."""

    @abstractmethod
    def subscribe(self, customer: Customer) -> None:
        """Receive the customer's hints, once confirmed."""

    @abstractmethod
    def unsubscribe(self, customer: Customer) -> None:
        """Receive no more of them."""

    @abstractmethod
    def is_subscribed(self, customer: Customer) -> bool:
        """Return True if the customer's hints arrive here, as far as is known."""

    @abstractmethod
    def publish(self, customer: Customer, hint: Hint, node: str | None = None) -> None:
        """Send a hint to all subscribers of the customer, and to `node` even if it is none."""


class Leases(Lifecycle, Protocol):
    """Names that one holder has at a time: an economy, on which nothing depends for truth.

    Where the service is away, or slow, a call raises within half a second.
    """

    @abstractmethod
    async def claim(self, name: str, holder: str, ttl_s: float) -> bool:
        """Take or renew a name for `ttl_s` seconds; False: another holder has it.

        Of several that claim at once exactly one gets it. An expired name may stay its holder's
        for a moment, where clocks can differ.
        Raises: LeasesUnavailable, and then the name may have been taken nevertheless.
        """

    @abstractmethod
    async def release(self, name: str, holder: str) -> None:
        """Give a name back, if `holder` has it. Raises: LeasesUnavailable."""


class InboundMessage(Struct, frozen=True, kw_only=True):
    """A message from the bridge, in a customer's live chat."""

    author: Author
    """The user or a coordinator: nobody else writes there."""
    text: str
    message_id: MessageId | None = None
    """None: the bridge gives its messages no ids."""
    at: datetime | None = None
    """The time at which it was written, by the bridge's clock, if the bridge gives it."""
    coordinator_id: CoordinatorId | None = None
    replayed: bool = False
    """It came with a join's history, and may have been received before."""
    from_elsewhere: bool = False
    """The bridge says that another program than this server has sent it."""
    has_new_id: bool = False
    """The bridge gives each message an id of its own, also those that had one."""


class MalformedEvent(NamedTuple):
    """An event from the bridge that could not be parsed."""

    event: str


@dataclass(frozen=True, slots=True)
class TopicJoined:
    """The customer's topic was joined, or joined again: messages go both ways.

    It comes before what the topic brings, also where it was joined to send there alone.
    """

    at: datetime | None = field(default=None, compare=False)
    """The time of the join, however long it takes until this is handled; None: just now."""
    was_joined: bool = False
    """True if it was joined before, and is followed only now."""


class TopicUnavailable(NamedTuple):
    """The customer's topic cannot be joined at the moment, or was lost; told once until joined."""

    reason: str


InboundEvent = (
    InboundMessage | Typing | QueuePlace | MalformedEvent | TopicJoined | TopicUnavailable
)
OnInboundEvent = Callable[[Customer, InboundEvent], Awaitable[None]]
OnEcho = Callable[[Customer, MessageId], None]


class LiveChatGateway(Protocol):
    """The live chats at the bridge, where users and coordinators talk.

    No method waits; after an outage the gateway reconnects by itself.
    """

    @abstractmethod
    def listen(self, on_event: OnInboundEvent, on_echo: OnEcho) -> None:
        """Await `on_event` for every inbound event, one at a time for each customer, in order.

        That holds where a topic is left and joined again, too.

        Echoes of what this process has sent, or another one and their mark says so, are left out:
        `on_echo` is called with the message's id.
        """

    @abstractmethod
    def follow(self, customer: Customer) -> None:
        """Join the customer's topic, and stay. Harmless when it is followed already."""

    @abstractmethod
    def unfollow(self, customer: Customer) -> None:
        """Leave the customer's topic; what came before is still passed on. Harmless when left."""

    @abstractmethod
    def is_joined(self, customer: Customer) -> bool:
        """Return whether messages go both ways on the customer's topic at the moment."""

    @abstractmethod
    def show_typing(self, customer: Customer) -> None:
        """Show the coordinators that the user is writing. May be lost."""

    @abstractmethod
    def show_presence(self, customer: Customer, online: bool) -> None:
        """Show the coordinators whether the user has the chat open. May be lost."""


class TalkingChats(NamedTuple):
    """The chats with people of which a process has charge."""

    waiting: int
    """Those whose customer waits for a coordinator."""
    live: int
    """Those that a coordinator has."""
    longest_wait_s: float
    """The time for which the customer who waits longest has; 0: nobody waits."""


class EndedTurn(Struct, frozen=True, kw_only=True):
    """What the operator learns of a turn of the AI."""

    customer: Customer
    response_id: MessageId
    session_id: SessionId | None
    """None: it ended before it was known."""
    outcome: str
    """`answered`, `transferred`, `stopped` by the user, `dropped`, `cancelled`, `failed`,
    `timeout`, or `over_budget`, where the AI was not asked."""
    seconds: float
    first_token_s: float | None
    """From its start to the first piece of the answer, if there was one."""
    tools: tuple[str, ...]
    """The tools that were called, in order."""
    usage: Usage | None
    """None: no model was asked."""
    error: BaseException | None
    """Why it failed."""


class Observer(Protocol):
    """Counts and logs what happens, for the operator."""

    @abstractmethod
    def turn_waits(self) -> None:
        """A turn has to wait for another to end, as the maximum is running."""

    @abstractmethod
    def turn_ended(self, turn: EndedTurn) -> None:
        """A turn ended."""

    @abstractmethod
    def stored(self, session: Session, entries: Sequence[Entry]) -> None:
        """This process has stored entries; `session`: the head with them."""

    @abstractmethod
    def search_failed(self, error: BaseException) -> None:
        """The documents could not be searched for a turn, which goes on without passages."""

    @abstractmethod
    def tool_failed(self, tool: str, error: BaseException) -> None:
        """A tool has failed for a turn, which goes on without its result."""

    @abstractmethod
    def question_unanswered(self) -> None:
        """An answer was stored for which the AI had searched the documents, and found nothing."""

    @abstractmethod
    def write_settled(self, tool: str, call_id: str, state: WriteState) -> None:
        """The outcome of a call of a tool that changes something was stored."""

    @abstractmethod
    def conversation_rated(self, rating: int) -> None:
        """A customer's rating was stored: from 1 to 5 stars."""

    @abstractmethod
    def tool_crashed(self, tool: str, error: BaseException) -> None:
        """The adapter of a tool has raised what it should not."""

    @abstractmethod
    def summary_ended(self, outcome: str, error: BaseException | None) -> None:
        """A rolling summary was `made`, or `failed` with `error`."""

    @abstractmethod
    def suggestion_ended(self, outcome: str, error: BaseException | None) -> None:
        """A suggested reply was `made`, `cancelled`, or `failed` with `error`."""

    @abstractmethod
    def tokens_spent(self, purpose: str, usage: Usage) -> None:
        """A model was used for an `answer`, a `summary`, a `verdict` or a `suggestion`,
        successfully or not."""

    @abstractmethod
    def notice_settled(
        self, notice: Notice, outcome: str, error: BaseException | None = None
    ) -> None:
        """A notice was `delivered`, `deferred`, `dead`, or `superseded` (no longer relevant).

        `error`: why it could not be delivered.
        """


TraceAttributes = Mapping[str, str | int | float | bool]
"""What is said of a span, by OpenTelemetry's names; never content, nor who the user is."""
TRACEPARENT = "traceparent"
"""The header that names a span to another program (W3C Trace Context)."""


class Span(Protocol):
    """A part of the work on a message, from when it is entered until it is left.

    Where an exception leaves it, its type is recorded, and not its text.
    """

    __slots__ = ()

    @abstractmethod
    def set(self, attributes: TraceAttributes) -> None:
        """Add attributes."""

    @abstractmethod
    def fail(self, error_type: str) -> None:
        """Record that it has failed; `error_type`: one of few values."""

    @abstractmethod
    def discard(self) -> None:
        """Record nothing of it."""


class MessageSpan(Span, Protocol):
    """The first span of a process's work on a message; that and its parts are lost until it is said
    which message that is."""

    __slots__ = ()

    @abstractmethod
    def accepts(self, session_id: SessionId, seq: int) -> None:
        """The message is stored as this one: the span is the root of its trace."""

    @abstractmethod
    def belongs_to(self, session_id: SessionId, seq: int, also: Sequence[int] = ()) -> None:
        """It is work on a message stored before, by whatever process.

        `also`: other messages of the session that it is for.
        """


class Tracing(Lifecycle, Protocol):
    """A trace of each customer's message: how long which part of the work on it took, and where.

    The trace follows from the message's session and seq, so that each process that works on it
    knows it without being told. No method waits, or raises.
    """

    @property
    @abstractmethod
    def is_on(self) -> bool:
        """False if all of it is in vain."""

    @abstractmethod
    def trace_id(self) -> str | None:
        """Return the trace of the current span, in hexadecimal digits; None: there is none."""

    @abstractmethod
    def begin(
        self, name: str, attributes: TraceAttributes | None = None
    ) -> AbstractContextManager[MessageSpan]:
        """Begin to work on a message; it is said later which one."""

    @abstractmethod
    def span(
        self,
        name: str,
        attributes: TraceAttributes | None = None,
        kind: Literal["internal", "client"] = "internal",
    ) -> AbstractContextManager[Span]:
        """Begin a part of the current span; without one it is no part of any trace.

        `kind`: client for a request to another program.
        """

    @abstractmethod
    def continued(
        self, traceparent: str | None, name: str, attributes: TraceAttributes | None = None
    ) -> AbstractContextManager[Span]:
        """Begin to work on a request; `traceparent`: its header, which anybody may have written."""

    @abstractmethod
    def headers(self) -> Mapping[str, str]:
        """Return the header by which a request carries the current span, if there is one."""
