"""The user's channel, `messages:{businessId}`: payloads in, use cases called, events out."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from adapters.json_shapes import CamelStruct
from adapters.phoenix.channel import (
    Channel,
    ChannelSocket,
    JoinRefused,
    Reply,
    Stop,
    TerminateReason,
)
from adapters.phoenix.server import Ref
from application.answer_pending import TYPING_EXPIRES_MS
from application.answer_stream import AnswerFollower
from application.confirmations import Confirmations
from application.hub import Hub
from application.join import JoinConversation, Joined, ResumePosition
from application.ports import (
    AnswerSoFar,
    Businesses,
    Clock,
    Delta,
    Event,
    Missed,
    QueuePlace,
    SessionStore,
    Tracing,
    Typing,
    VisitorCredentials,
)
from application.post_message import PostMessage
from application.rate_conversation import RateConversation
from application.read_history import PAGE, ReadHistory
from application.session_log import SessionLog
from application.sign_in import SignIn
from application.subscription import Subscription
from application.tracing import NO_TRACING
from application.transfers import Transfers
from application.turns import Turns
from domain.business import Business, Welcome
from domain.errors import (
    BusinessMismatch,
    ConversationError,
    IdentityMismatch,
    InvalidPayload,
    UnknownBusiness,
)
from domain.identity import (
    BusinessId,
    Customer,
    LocationId,
    SessionId,
    Unauthorized,
    UserId,
    VisitorsOff,
    customer,
    identifier,
    is_visitor,
)
from domain.language import language_tag
from domain.message import Author, Entry, Message, message_text
from domain.rating import stars
from domain.session import Session
from domain.status import Status
from entrypoints.access.auth import (
    Identify,
    RefreshToken,
    TokenLease,
    TokenRefreshed,
    bearer_token,
    refresh_lease,
)
from entrypoints.access.origins import OriginNotAllowed, PageOrigins
from entrypoints.access.rate_limits import RateLimiter
from entrypoints.payloads import TypingPush, as_location_id, as_message_id, as_session_id, parse
from entrypoints.problems import ErrorReply, OnRefusal, error_reply
from entrypoints.server.wire import (
    MAX_SEQ,
    DeltaPush,
    EntryJson,
    EventPresenter,
    LiveChatAddresses,
    LiveChatJson,
    QueuePush,
    StatusJson,
)

logger = logging.getLogger(__name__)

_PIECES = (Delta, AnswerSoFar)

TOPIC_PREFIX = "messages:"
UNKNOWN_EVENT = "unknown event"

Seq = Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQ)]


class JoinPayload(CamelStruct):
    """`phx_join`."""

    business_id: str
    user_id: str
    location_id: str | None = None
    last_seq: int | None = None
    session_id: str | None = None
    stream: bool = False
    token: str | None = None
    language: str | None = None
    """A BCP 47 tag; one that is none is ignored, as it locks nobody out."""


class NewMessage(CamelStruct):
    """`new_message`."""

    business_id: str
    location_id: str
    user_id: str
    message: str
    message_id: str | None = None


class TransferRequest(CamelStruct):
    """`transfer_to_live_chat`."""

    business_id: str
    location_id: str
    user_id: str
    message: str | None = None
    message_id: str | None = None


class ConfirmationRequest(CamelStruct):
    """`confirm_action`."""

    confirm_id: str
    answer: Literal["yes", "no"]


class RatingRequest(CamelStruct):
    """`rate_conversation`."""

    rating: int
    comment: str | None = None
    session_id: str | None = None
    """An earlier session of the user; None: the newest."""
    message_id: str | None = None


class SignInRequest(CamelStruct):
    """`sign_in`: the token of the visitor that the user was until now."""

    visitor_token: str


class HistoryRequest(CamelStruct):
    """`history`: entries before a seq, newest page first, or after one."""

    before_seq: Seq | None = None
    after_seq: Seq | None = None
    limit: int = PAGE
    session_id: str | None = None
    """An earlier session of the user; None: the newest."""


class BusinessProfile(CamelStruct):
    """The business, as its customers may see it."""

    name: str
    colour: str | msgspec.UnsetType = msgspec.UNSET
    logo: str | msgspec.UnsetType = msgspec.UNSET
    """A path on this server."""


class JoinReply(CamelStruct):
    """The reply to `phx_join`."""

    session_id: str | None
    status: str
    seq: int
    messages: list[EntryJson | StatusJson]
    more: bool
    live_chat: LiveChatJson | None
    token_expires_at: str | msgspec.UnsetType = msgspec.UNSET
    greeting: str | msgspec.UnsetType = msgspec.UNSET
    """What the business says before anybody has written; it is no entry of the conversation."""
    suggestions: list[str] | msgspec.UnsetType = msgspec.UNSET
    """Questions that the customer may send with one touch."""
    rating: int | msgspec.UnsetType = msgspec.UNSET
    """The stars that the customer has given the session."""
    business: BusinessProfile | msgspec.UnsetType = msgspec.UNSET
    """What is known of the business."""


class Acknowledgement(CamelStruct):
    """The reply to `new_message`: it is stored."""

    message_id: str
    seq: int
    session_id: str
    status: str
    duplicate: bool


class TransferReply(CamelStruct):
    """The reply to `transfer_to_live_chat`."""

    session_id: str
    status: str
    transfer_id: str | None
    live_chat: LiveChatJson | None


class StatusReply(CamelStruct):
    """The reply to `end_live_chat`."""

    session_id: str
    status: str


class StopReply(CamelStruct):
    """The reply to `stop_answer`."""

    response_id: str | msgspec.UnsetType = msgspec.UNSET
    """The answer of which this socket was shown a part."""


class ConfirmationReply(CamelStruct):
    """The reply to `confirm_action`: the answer that counts, which is the first."""

    confirm_id: str
    answer: Literal["yes", "no"]


class RatingReply(CamelStruct):
    """The reply to `rate_conversation`: it is stored."""

    session_id: str
    rating: int


class SignInReply(CamelStruct):
    """The reply to `sign_in`."""

    session_id: str | None
    """The user's session that has what was said in the visit; null: nothing was."""


class HistoryReply(CamelStruct):
    """The reply to `history`."""

    messages: list[EntryJson | StatusJson]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesServices:
    """The use cases and ports behind the channel."""

    join: JoinConversation
    post: PostMessage
    transfers: Transfers
    turns: Turns
    confirmations: Confirmations
    rate: RateConversation
    history: ReadHistory
    sign_in: SignIn
    visitors: VisitorCredentials | None
    """None: identities are not verified, or there are no visitors."""
    session_log: SessionLog
    store: SessionStore
    businesses: Businesses
    hub: Hub
    presenter: EventPresenter
    live_chat: LiveChatAddresses
    clock: Clock
    identify: Identify | None
    """None: identities are not verified."""
    limits: RateLimiter
    origins: PageOrigins
    is_known: Callable[[BusinessId], bool]
    """False for a business that nobody may join."""
    on_refusal: OnRefusal
    tracing: Tracing = NO_TRACING


class MessagesChannel(Channel):
    """One socket in the conversation of one customer."""

    __slots__ = ("_customer", "_follower", "_language", "_lease", "_services", "_session",
                 "_subscription")  # fmt: skip

    def __init__(self, socket: ChannelSocket, services: MessagesServices) -> None:
        super().__init__(socket)
        self._services = services
        self._customer: Customer
        self._subscription: Subscription | None = None
        self._session: Session | None = None
        """The session as it was read for the join."""
        self._language: str | None = None
        """The customer's, as the client names it."""
        self._lease: TokenLease | None = None
        self._follower: AnswerFollower | None = None
        """None: the client is not shown an answer before it is stored."""

    async def join(self, topic: str, payload: Any) -> JoinReply:
        try:
            return await self._join(topic, payload)
        except ConversationError as error:
            # Neither will the same token become valid, nor the page be another's.
            final = isinstance(error, Unauthorized | OriginNotAllowed)
            raise JoinRefused(self._error(error, "phx_join"), final=final) from error

    async def _join(self, topic: str, payload: Any) -> JoinReply:
        services = self._services
        services.limits.admit_join(self.socket.info)
        request = parse(payload, JoinPayload)
        self._customer = customer(request.business_id, request.user_id)
        if topic != TOPIC_PREFIX + request.business_id:
            raise BusinessMismatch
        services.origins.check(self.socket.info, self._customer.business_id)
        as_location_id(request.location_id)
        position = _resume_position(request)
        await self._authenticate(request.token)
        if not services.is_known(self._customer.business_id):
            raise UnknownBusiness
        services.limits.admit_authenticated_join()
        self._subscription = Subscription(
            self._customer,
            hub=services.hub,
            session_log=services.session_log,
            store=services.store,
            clock=services.clock,
            on_entry=self._push_entry,
            on_other=self._push_other,
            origin=self,
        )
        joined = await services.join(self._customer, self._subscription, position)
        self._session = joined.session
        self._language = language_tag(request.language)
        if request.stream:
            self._follower = AnswerFollower(self._customer, services.hub, services.clock)
            self._follower.skip(joined.recent)
        return self._join_reply(joined)

    async def _authenticate(self, given: str | None) -> None:
        services = self._services
        if services.identify is None:
            return
        token = bearer_token(self.socket.info, given)
        if not token:
            raise Unauthorized("a token is needed")
        identity = await services.identify(token)
        if not identity.is_user(self._customer):
            raise Unauthorized("the token is somebody else's")
        self._lease = TokenLease(self.socket, services.clock, identity)

    def _join_reply(self, joined: Joined) -> JoinReply:
        session = joined.session
        status = session.status if session is not None else Status.AI
        business = self._services.businesses.last_read(self._customer.business_id)
        shown = session.language if session is not None else None
        language = shown or self._language
        welcome = business.welcome(language) if business is not None else Welcome()
        return JoinReply(
            session_id=session.session_id if session is not None else None,
            status=status,
            seq=session.customer_seq if session is not None else 0,
            messages=self._entries(joined.page.entries),
            more=joined.page.more,
            live_chat=self._live_chat(status),
            token_expires_at=self._lease.expires_at if self._lease is not None else msgspec.UNSET,
            greeting=welcome.greeting or msgspec.UNSET,
            suggestions=list(welcome.suggestions) or msgspec.UNSET,
            rating=_rating_of(session),
            business=_profile(business) if business is not None else msgspec.UNSET,
        )

    async def joined(self) -> None:
        if logger.isEnabledFor(logging.DEBUG):
            extra = {"action": "joined", "business_id": self._customer.business_id}
            logger.debug("A client has joined a conversation", extra=extra)
        if self._lease is not None:
            self._lease.begin()
        if self._subscription is not None:
            self._subscription.start(self._session)
        if self._follower is not None:
            needs_answer = self._session is not None and self._session.needs_answer
            self._follower.start(needs_answer=needs_answer)

    async def terminate(self, reason: TerminateReason) -> None:
        if self._subscription is not None:
            self._subscription.stop()
            self._subscription = None
        if self._lease is not None:
            self._lease.end()

    # From the client.

    async def handle(self, event: str, payload: Any, ref: Ref) -> Reply | Stop:
        if self._lease is not None and self._lease.is_expired:
            error = self._error(Unauthorized("the token has expired"), event)
            self._lease.expire()
            return Stop(Reply("error", error))
        try:
            self._count(event)
            handler = _HANDLERS.get(event)
            if handler is None:
                business_id = self._customer.business_id
                self._services.on_refusal(UNKNOWN_EVENT, UNKNOWN_EVENT, business_id)
                return Reply("error", ErrorReply(UNKNOWN_EVENT))
            return Reply("ok", await handler(self, payload))
        except ConversationError as error:
            return Reply("error", self._error(error, event))

    def _count(self, event: str) -> None:
        """Count an event for the rate limits. Raises: RateLimited."""
        limits = self._services.limits
        if event in _STORED:
            limits.admit_message(self._customer)
        else:
            limits.admit_request(self._customer)

    async def _new_message(self, payload: Any) -> Acknowledgement:
        request = parse(payload, NewMessage)
        self._check_identity(request.business_id, request.user_id)
        posted = await self._services.post(
            self._customer,
            LocationId(identifier("locationId", request.location_id)),
            message_text(request.message),
            as_message_id(request.message_id),
            origin=self,
            named_language=self._language,
        )
        return Acknowledgement(
            posted.message_id, posted.seq, posted.session_id, posted.status, posted.duplicate
        )

    async def _transfer_to_live_chat(self, payload: Any) -> TransferReply:
        request = parse(payload, TransferRequest)
        self._check_identity(request.business_id, request.user_id)
        session = await self._services.transfers.request(
            self._customer,
            LocationId(identifier("locationId", request.location_id)),
            message_text(request.message) if request.message is not None else None,
            as_message_id(request.message_id),
            origin=self,
            named_language=self._language,
        )
        transfer = session.transfer
        return TransferReply(
            session.session_id,
            session.status,
            transfer.transfer_id if transfer is not None and session.is_with_human else None,
            self._live_chat(session.status),
        )

    async def _end_live_chat(self, payload: Any) -> StatusReply:
        session = await self._services.transfers.end(self._customer)
        return StatusReply(session.session_id, session.status)

    async def _stop_answer(self, payload: Any) -> StopReply:
        shown = self._follower.response_id if self._follower is not None else None
        await self._services.turns.stop_answer(self._customer)
        return StopReply(shown if shown is not None else msgspec.UNSET)

    async def _confirm_action(self, payload: Any) -> ConfirmationReply:
        request = parse(payload, ConfirmationRequest)
        counts = await self._services.confirmations.by_customer(
            self._customer, identifier("confirmId", request.confirm_id), request.answer == "yes"
        )
        return ConfirmationReply(request.confirm_id, "yes" if counts else "no")

    async def _rate_conversation(self, payload: Any) -> RatingReply:
        request = parse(payload, RatingRequest)
        session_id = await self._services.rate(
            self._customer,
            stars(request.rating, request.comment),
            _optional_session_id(request.session_id),
            as_message_id(request.message_id),
        )
        return RatingReply(session_id, request.rating)

    async def _sign_in(self, payload: Any) -> SignInReply:
        token = parse(payload, SignInRequest).visitor_token
        visitors, mine = self._services.visitors, self._customer
        if visitors is None:
            raise VisitorsOff
        if is_visitor(mine.user_id):
            raise Unauthorized("a visitor signs in on the channel of a user")
        visitor = visitors.verify(token)
        if visitor.business_id != mine.business_id:
            raise Unauthorized("the token is not valid")
        who = Customer(mine.business_id, UserId(visitor.name))
        return SignInReply(await self._services.sign_in(who, mine))

    async def _history(self, payload: Any) -> HistoryReply:
        request = parse(payload, HistoryRequest)
        if not 1 <= request.limit <= PAGE:
            raise InvalidPayload(f"limit must be from 1 to {PAGE}")
        page = await self._services.history(
            self._customer,
            _optional_session_id(request.session_id),
            after=request.after_seq,
            before=request.before_seq,
            limit=request.limit,
        )
        return HistoryReply(self._entries(page.entries), page.more)

    async def _typing(self, payload: Any) -> dict[str, Any]:
        cached = await self._services.session_log.current(self._customer)
        if cached is not None and cached.session.status is Status.LIVE:
            sign = Typing(Author.USER, TYPING_EXPIRES_MS)
            self._services.hub.publish(self._customer, sign)
        return {}

    async def _refresh_token(self, payload: Any) -> TokenRefreshed:
        token = parse(payload, RefreshToken).token
        return await refresh_lease(self._lease, self._services.identify, token)

    def _check_identity(self, business_id: str, user_id: str) -> None:
        mine = self._customer
        if business_id != mine.business_id or user_id != mine.user_id:
            raise IdentityMismatch

    def _error(self, error: ConversationError, event: str) -> ErrorReply:
        who: Customer | None = getattr(self, "_customer", None)  # a join may be malformed
        named = event if event in _HANDLERS or event == "phx_join" else UNKNOWN_EVENT
        self._services.on_refusal(error.code, named, who.business_id if who is not None else None)
        return error_reply(error)

    # To the client.

    def _push_entry(self, session_id: SessionId, entry: Entry) -> None:
        if isinstance(entry, Message) and entry.settles_seq:
            with self._services.tracing.begin("push") as span:
                span.belongs_to(session_id, entry.settles_seq)
                self._push(session_id, entry)
        else:
            self._push(session_id, entry)

    def _push(self, session_id: SessionId, entry: Entry) -> None:
        event, payload = self._services.presenter.event_of(self._customer, session_id, entry)
        self.socket.push(event, payload)
        if self._follower is not None:
            self._follower.on_entry(entry)

    def _push_other(self, event: Event) -> None:
        if isinstance(event, _PIECES):
            if self._follower is not None and (shown := self._follower.show(event)) is not None:
                self.socket.push("message_delta", DeltaPush(event.response_id, *shown))
        elif isinstance(event, Typing):
            if event.author != Author.USER:
                self.socket.push("typing", TypingPush(event.author, event.expires_in_ms))
        elif isinstance(event, QueuePlace):
            self.socket.push("queue", QueuePush(event.place, event.wait_s))
        elif isinstance(event, Missed):
            if self._follower is not None:
                self._follower.on_missed()

    def _entries(self, entries: tuple[Entry, ...]) -> list[EntryJson | StatusJson]:
        return [self._services.presenter.entry_json(self._customer, entry) for entry in entries]

    def _live_chat(self, status: Status) -> LiveChatJson | None:
        if status not in (Status.WAITING, Status.LIVE):
            return None
        return self._services.live_chat.address_of(self._customer)


_HANDLERS: dict[str, Callable[[MessagesChannel, Any], Awaitable[Any]]] = {
    "new_message": MessagesChannel._new_message,
    "transfer_to_live_chat": MessagesChannel._transfer_to_live_chat,
    "end_live_chat": MessagesChannel._end_live_chat,
    "stop_answer": MessagesChannel._stop_answer,
    "confirm_action": MessagesChannel._confirm_action,
    "rate_conversation": MessagesChannel._rate_conversation,
    "sign_in": MessagesChannel._sign_in,
    "history": MessagesChannel._history,
    "typing": MessagesChannel._typing,
    "refresh_token": MessagesChannel._refresh_token,
}

_STORED = frozenset(
    {
        "new_message",
        "transfer_to_live_chat",
        "end_live_chat",
        "confirm_action",
        "rate_conversation",
        "sign_in",
    }
)
"""The events that store something."""


def _rating_of(session: Session | None) -> int | msgspec.UnsetType:
    rating = session.rating if session is not None else None
    return rating.stars.rating if rating is not None else msgspec.UNSET


def _optional_session_id(value: str | None) -> SessionId | None:
    return as_session_id(value) if value is not None else None


def _profile(business: Business) -> BusinessProfile:
    website = business.website
    return BusinessProfile(
        business.name,
        website.colour or msgspec.UNSET,
        f"/logo/{business.business_id}" if website.logo else msgspec.UNSET,
    )


def _resume_position(request: JoinPayload) -> ResumePosition | None:
    session_id = _optional_session_id(request.session_id)
    if request.last_seq is None:
        return None
    if request.last_seq < 0:
        raise InvalidPayload("lastSeq must not be negative")
    return ResumePosition(request.last_seq, session_id)
