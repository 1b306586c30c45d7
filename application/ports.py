"""Every port of the application, on one page. Each docstring is the contract that adapters keep."""

from abc import abstractmethod
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol

from msgspec import Struct

from domain.business import Business, Reservation
from domain.errors import DuplicateMessage
from domain.identity import BusinessId, CoordinatorId, Customer, MessageId, SessionId
from domain.message import Author, Entry
from domain.notice import DeadLetter, Notice, NoticeKind, Outcome
from domain.session import Draft, Session
from domain.status import Status
from domain.usage import Usage
from domain.view import View

NewId = Callable[[], str]
"""A fresh, unguessable identifier: 32 hexadecimal digits."""

RECENT = 20
"""How many of a session's newest entries come with its head."""

IDEMPOTENCY_WINDOW = timedelta(hours=48)
"""How long a store refuses a second message with the same idempotency key."""


class Timer(Protocol):
    """A callback that will be called once."""

    def cancel(self) -> None:
        """Do not call it after all. Harmless when it is too late."""


class Clock(Protocol):
    """Time and timers: nothing in the application asks the standard library for either."""

    @abstractmethod
    def now(self) -> datetime:
        """Now, aware, in UTC, in whole milliseconds."""

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
    """The logs. What `append` has returned from survives the death of the process.

    Every method may raise StorageUnavailable, and then has done nothing that a repeat would double.
    """

    @abstractmethod
    async def latest(self, customer: Customer) -> Loaded | None:
        """The customer's newest session, open or closed; None when there never was one."""

    @abstractmethod
    async def load(self, session_id: SessionId) -> Loaded | None:
        """The session with this id; None when there is none."""

    @abstractmethod
    async def append(self, draft: Draft, due_at: datetime | None) -> None:
        """Store the draft's entries, head, idempotency key and notices: all of it, or nothing.

        The entries' seqs must follow the stored log without a gap; a first entry (seq 1) also
        opens the session, which a customer can have but one of. `due_at`: when `due` is to
        return the session (None: never).
        Raises: SeqTaken when another entry has one of these seqs, or the customer has another
        open session. DuplicateMessage when the customer has stored this key within the
        IDEMPOTENCY_WINDOW, in whatever session; this is told before SeqTaken.
        """

    @abstractmethod
    async def stored(self, customer: Customer, key: str, now: datetime) -> DuplicateMessage | None:
        """Return what `append` would raise for this key at `now`; None when it would accept it."""

    @abstractmethod
    async def page(
        self, session_id: SessionId, *, after: int = 0, before: int | None = None, limit: int
    ) -> tuple[Entry, ...]:
        """Entries with after < seq < before, oldest first, at most `limit`.

        Given `before` it is the newest ones of the range, else the oldest ones.
        The cost does not grow with the length of the log.
        """

    @abstractmethod
    async def due(self, now: datetime, limit: int) -> tuple[Session, ...]:
        """Sessions whose `due_at` has come, the most overdue first."""


@dataclass(frozen=True, slots=True)
class SessionPage:
    """One page of a listing; `cursor` asks for the next, None says that there is none."""

    sessions: tuple[Session, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Erased:
    """How much of a customer was erased: the receipt."""

    sessions: int
    messages: int
    notices: int


class Archive(Protocol):
    """The logs, seen by an operator."""

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
        """Sessions by their newest entry, newest first. Raises: InvalidPayload for a bad cursor."""

    @abstractmethod
    async def erase(self, customer: Customer) -> Erased:
        """Erase everything stored of the customer. Idempotent; a repeat counts zero.

        An append to an erased session that was decided before is refused with SeqTaken.
        """


class Outbox(Protocol):
    """What the bridge must still be told, in order per session."""

    @abstractmethod
    async def claim(self, now: datetime, lease_until: datetime, limit: int) -> tuple[Notice, ...]:
        """Notices that are due, at most one per session: its first undelivered one.

        Nobody else gets them until `lease_until`; then they are due again.
        """

    @abstractmethod
    async def settle(self, notice_id: str, outcome: Outcome) -> None:
        """Say what became of a claimed notice. Unknown ids are ignored: another one settled it."""

    @abstractmethod
    async def depth(self) -> int:
        """How many notices are undelivered, dead letters not counted."""

    @abstractmethod
    async def dead(self, limit: int) -> tuple[DeadLetter, ...]:
        """Dead letters, those first that were due first."""

    @abstractmethod
    async def retry(self, notice_id: str) -> bool:
        """Make a dead letter due as it was in the beginning; False: there is none with this id.

        It takes its place in its session's order, behind a notice that is claimed or deferred.
        """

    @abstractmethod
    async def drop(self, notice_id: str) -> bool:
        """Delete a dead letter; False: there is none with this id."""


class UsageStore(Protocol):
    """What each business has spent on its AI, by the day in UTC. It holds nothing of customers."""

    @abstractmethod
    async def add(self, business_id: BusinessId, day: date, usage: Usage) -> None:
        """Add tokens and calls to what is there; the model is not kept.

        Raises: StorageUnavailable; then it may have been added all the same.
        """

    @abstractmethod
    async def spent(self, business_id: BusinessId, first: date, last: date) -> dict[date, Usage]:
        """What was added on each of the days from `first` to `last`, both included, in order.

        A day on which nothing was added is left out. Raises: StorageUnavailable.
        """


class Bridge(Protocol):
    """The coordinators' side, which is told what happens. It may be away for long."""

    @property
    @abstractmethod
    def is_away(self) -> bool:
        """Whether it is known not to answer: `tell` would fail at once, without asking it."""

    @abstractmethod
    async def back(self) -> None:
        """Return once it is worth trying again: at once, unless it is away."""

    @abstractmethod
    async def tell(self, notice: Notice) -> None:
        """Deliver a notice, under its id as the idempotency key; it may arrive more than once.

        Raises: BridgeUnavailable when it may succeed later, BridgeRefused when it never will.
        """


class Businesses(Protocol):
    """What is known of businesses and their customers. Unknown is an answer, not a failure."""

    @abstractmethod
    async def business(self, business_id: BusinessId) -> Business | None:
        """The facts of a business; None when it is not known."""

    @abstractmethod
    async def reservations(self, customer: Customer) -> tuple[Reservation, ...]:
        """The customer's coming reservations."""


class Toolbox(Protocol):
    """The tools of one turn, bound to its customer: a model's arguments cannot name another."""

    @abstractmethod
    async def get_business(self) -> Business | None:
        """The facts of the session's business."""

    @abstractmethod
    async def get_reservations(self) -> tuple[Reservation, ...]:
        """The session's user's reservations."""

    @abstractmethod
    async def transfer_to_live_chat(self, reason: str, summary: str) -> None:
        """Ask for a human. It is done when the turn's answer is stored, together with it."""


class AnswerWriter(Protocol):
    """Takes an answer in the making."""

    @abstractmethod
    def __call__(self, piece: str) -> None:
        """The next piece of the answer."""

    @abstractmethod
    def anew(self) -> None:
        """All that was said so far is void: the answer begins again. Harmless when nothing was."""


class SummaryResult(NamedTuple):
    """A summary, and what it has cost (None: nothing is counted)."""

    text: str
    usage: Usage | None = None


class AnswerCancelled(CancelledError):
    """An answer was cancelled that had cost something already."""

    def __init__(self, usage: Usage) -> None:
        super().__init__()
        self.usage = usage


class Assistant(Protocol):
    """Something that answers a conversation."""

    @abstractmethod
    async def answer(self, view: View, toolbox: Toolbox, say: AnswerWriter) -> Usage | None:
        """Answer the view's unanswered messages: `say` each piece of the text as it comes.

        `view.unanswered` are all to be answered; `view.entries` hold most of them too, but not all.
        Returns what it has cost, tries that failed included (None: nothing is counted).
        Cancelling it gives back whatever it holds; where requests had been paid for before, it
        then raises AnswerCancelled. Raises: AssistantFailed, with its `usage`.
        """

    @abstractmethod
    async def summarise(
        self, earlier: str | None, entries: Sequence[Entry], language: str, *, max_tokens: int
    ) -> SummaryResult:
        """What `earlier`, a summary of what came before, and `entries`, oldest first, come to.

        The text takes the place of both in later views; it is cut where it is longer than
        `max_tokens` (see `domain.tokens`). `language`: `ro` or `en`, what to write it in.
        Cancelling it gives back whatever it holds. Raises: AssistantFailed, with its `usage`.
        """


class Appended(NamedTuple):
    """A session's log has grown. A hint: whoever misses one sees the gap and reads the store."""

    session_id: SessionId
    entries: tuple[Entry, ...]
    origin: object
    """Whose doing it is: a channel leaves out the user's words that came in by itself."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer in the making; the stored answer with this id replaces them all."""

    response_id: MessageId
    index: int
    text: str


class Typing(NamedTuple):
    """Somebody is writing; it expires by itself."""

    author: str
    expires_in_ms: int


Event = Appended | Delta | Typing
Listener = Callable[[Event], None]
Tap = Callable[[Customer, Event], None]


class Fanout(Protocol):
    """Tells everyone who listens to a customer what happens. May lose events; nothing else may."""

    @abstractmethod
    def subscribe(self, customer: Customer, listener: Listener) -> None:
        """Call `listener` for every event from now on."""

    @abstractmethod
    def unsubscribe(self, customer: Customer, listener: Listener) -> None:
        """Stop that. Harmless when it was not subscribed."""

    @abstractmethod
    def tap(self, tap: Tap) -> None:
        """Call `tap` for every event of every customer from now on."""

    @abstractmethod
    def untap(self, tap: Tap) -> None:
        """Stop that. Harmless when it was not tapping."""

    @abstractmethod
    def publish(self, customer: Customer, event: Event) -> None:
        """Tell all listeners of the customer. A listener's failure disturbs no other."""


class InboundMessage(Struct, frozen=True, kw_only=True):
    """What somebody has said on the bridge, in a customer's live chat."""

    author: Author
    """The user or a coordinator: they alone talk there."""
    text: str
    message_id: MessageId | None = None
    """None: the bridge gives its messages no ids."""
    at: datetime | None = None
    """By the bridge's clock, where it says so."""
    coordinator_id: CoordinatorId | None = None
    replayed: bool = False
    """It was told at a join: somebody may have heard it before."""


class MalformedEvent(NamedTuple):
    """What came from the bridge and makes no sense."""

    event: str


InboundEvent = InboundMessage | Typing | MalformedEvent
OnInboundEvent = Callable[[Customer, InboundEvent], Awaitable[None]]


class LiveChatGateway(Protocol):
    """The bridge's side of the live chats: where a user and the coordinators talk.

    No method waits; whatever is down meanwhile, the line comes back by itself.
    """

    @abstractmethod
    def listen(self, hear: OnInboundEvent) -> None:
        """Have `hear` told everything, one thing at a time for each customer, in order.

        What the server itself has sent there, and comes back, is not told.
        """

    @abstractmethod
    def follow(self, customer: Customer) -> None:
        """Join the customer's chat and stay. Harmless when it is followed already."""

    @abstractmethod
    def unfollow(self, customer: Customer) -> None:
        """Leave the customer's chat; what came before is still told. Harmless when it was left."""

    @abstractmethod
    def show_typing(self, customer: Customer) -> None:
        """Let the coordinators see that the user is writing. May be lost."""


class Observer(Protocol):
    """Counts what happens, for the operator."""

    @abstractmethod
    def turn_waits(self) -> None:
        """A turn must wait until another has ended: as many as there may be are under way."""

    @abstractmethod
    def turn_ended(
        self,
        outcome: str,
        seconds: float,
        first_token_s: float | None,
        error: BaseException | None,
    ) -> None:
        """A turn ended: `answered`, `transferred`, `dropped`, `cancelled`, `failed`, `timeout`, or
        `over_budget`, where the AI was not asked.

        `first_token_s`: from its start to the first piece of the answer, where there was one.
        `error`: what made it fail.
        """

    @abstractmethod
    def summary_ended(self, outcome: str, error: BaseException | None) -> None:
        """A rolling summary was `made`, or `failed`, and why."""

    @abstractmethod
    def tokens_spent(self, purpose: str, usage: Usage) -> None:
        """A model was paid for an `answer` or a `summary`, whether it came to anything or not."""

    @abstractmethod
    def notice_settled(
        self, kind: NoticeKind, outcome: str, error: BaseException | None = None
    ) -> None:
        """A notice was `delivered`, `deferred`, `dead`, or `superseded`: too late to be of use.

        `error`: why it could not be delivered.
        """
