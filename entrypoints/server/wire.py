"""The JSON shapes of the user's socket and of the HTTP API, and the conversion into them.

Keys are camelCase; `timestamp` and its like are ISO 8601 in UTC with milliseconds and `Z`. An
entry's `prevSeq` is the newest seq before it that the customer may see: where that is not the last
one that a client has, it has missed some.
"""

from collections.abc import Sequence
from typing import cast

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict

from adapters.json_shapes import CamelStruct, CamelStructOmitDefaults, timestamp
from domain.identity import Customer, SessionId, live_chat_topic
from domain.message import (
    Action,
    AnswerVersion,
    Audience,
    Author,
    Entry,
    Message,
    StatusChange,
    ToolOutcome,
)
from domain.promise import Verdict
from domain.rating import Rating
from domain.session import MissedMessage, Session
from domain.status import Reason, Status
from domain.tool import Confirmer
from domain.transfer import Transfer, TransferState
from domain.usage import Usage
from domain.write_call import WriteCall, WriteState, WriteStep
from domain.write_decisions import confirmation_action

MAX_SEQ = 9_999_999_999
"""The largest seq of a request; not every store supports larger numbers."""

_encoder = msgspec.json.Encoder()


class LiveChatJson(CamelStruct):
    """The URL and topic at which a user can reach the bridge directly."""

    url: str
    topic: str


class LiveChatAddresses:
    """The addresses of the customers' live chats on the bridge."""

    def __init__(self, public_url: str | None) -> None:
        """`public_url`: the bridge's socket for browsers; None: there is no bridge."""
        self._url = public_url

    def address_of(self, customer: Customer) -> LiveChatJson | None:
        """Return the address for a customer; None: there is no bridge."""
        return LiveChatJson(self._url, live_chat_topic(customer)) if self._url is not None else None

    def complete(self, customer: Customer, actions: Sequence[Action]) -> Sequence[Action]:
        """Return the actions, with `topic` and `url` added to a `live_chat` among them."""
        if not any(action.get("type") == "live_chat" for action in actions):
            return actions
        address = {"topic": live_chat_topic(customer), "url": self._url}
        return [a if a.get("type") != "live_chat" else {**a, **address} for a in actions]


class EntryJson(CamelStruct, tag_field="kind", tag="message"):
    """An entry of `messages[]` that is a message."""

    seq: int
    prev_seq: int
    message_id: str
    author: str
    message: str
    actions: Sequence[Action]
    timestamp: str
    in_reply_to: Sequence[str]
    coordinator_id: str | None


class UsageJson(CamelStruct):
    """Tokens that models have used; `cachedTokens` are part of the `inputTokens`."""

    input_tokens: int
    cached_tokens: int
    output_tokens: int
    calls: int


class ToolJson(CamelStructOmitDefaults):
    """One tool call of the AI, its outcome, and what was searched for, if it was a search.

    Of a business's own tool also its `arguments` (JSON), and its `result`.
    """

    name: str
    outcome: ToolOutcome
    query: str | None = None
    arguments: str | None = None
    result: str | None = None


class VersionJson(CamelStruct):
    """What an answer was made with: digests of instructions, documents and tools; empty: none."""

    prompt: str
    knowledge: str
    tools: str


class WriteJson(CamelStruct):
    """A step of a call of a tool that changes something.

    `arguments`: in the first step alone. `result`: what the tool has answered, or why it was not
    called. `confirm`: whose yes the call needs; null: nobody's.
    """

    call_id: str
    state: WriteState
    tool: str
    what: str
    arguments: dict[str, object] | None
    result: str | None
    confirm: Confirmer | None
    expires_at: str | None
    terms: str | None
    """In the first step: a digest of the terms on which it was allowed; null: there is none."""


class LoggedJson(EntryJson, tag_field="kind", tag="message"):
    """A message in the HTTP API: also with its audience, its usage and its tool calls."""

    audience: Audience
    model: str | None
    usage: UsageJson | None
    tools: Sequence[ToolJson]
    digest: str | None
    """The rolling summary that was stored along with it."""
    verdict: Verdict | None
    """What a model found that the text claims: a human's help, a deed; null: it was not asked."""
    digest_through: int | None
    """The newest seq that is in `digest`."""
    language: str | None
    """The customer's language from this message on; null: as before."""
    version: VersionJson | None
    """What it was made with besides the `model`; null: by no AI, or it was not recorded."""
    write: WriteJson | None
    """The step of a call that this entry is; null: it is none."""


class StatusJson(CamelStruct, tag_field="kind", tag="status"):
    """An entry of `messages[]` that is a status change."""

    seq: int
    prev_seq: int
    status: str
    reason: str
    timestamp: str
    epoch: int
    transfer_id: str | None
    coordinator_id: str | None


class NewMessagePush(CamelStruct):
    """`new_message`: the AI's reply, or a message of the server itself."""

    response_id: str
    message: str
    actions: Sequence[Action]
    timestamp: str
    session_id: str
    seq: int
    prev_seq: int
    in_reply_to: Sequence[str]
    author: str


class AgentMessagePush(CamelStruct):
    """`agent_message`: a coordinator's message."""

    message: str
    timestamp: str
    message_id: str
    session_id: str
    seq: int
    prev_seq: int
    coordinator_id: str | None


class UserMessagePush(CamelStruct):
    """`user_message`: the user's own message, to their other sockets."""

    message: str
    timestamp: str
    message_id: str
    session_id: str
    seq: int
    prev_seq: int
    actions: Sequence[Action] | UnsetType = UNSET
    """Only of a yes or a no, and of a rating."""


class StatusPush(CamelStructOmitDefaults):
    """`conversation_status`: the status, the coordinator or the state of a request has changed."""

    session_id: str
    status: str
    seq: int
    prev_seq: int
    updated_at: str
    reason: str
    transfer_id: str | None = None
    coordinator_id: str | None = None
    live_chat: LiveChatJson | None = None


class DeltaPush(CamelStruct):
    """`message_delta`: a part of an answer that is being generated."""

    response_id: str
    index: int
    text: str


class QueuePush(CamelStruct):
    """`queue`: the place of a waiting user, the first being 1, and for how long they may wait."""

    place: int
    wait_s: int | None


def entry_json(entry: Entry, actions: Sequence[Action]) -> EntryJson | StatusJson:
    """Convert an entry for `messages[]`; `actions`: those of the message, completed."""
    if isinstance(entry, Message):
        return EntryJson(
            seq=entry.seq,
            prev_seq=entry.prev_seq,
            message_id=entry.message_id,
            author=entry.author,
            message=entry.text,
            actions=actions,
            timestamp=timestamp(entry.at),
            in_reply_to=entry.in_reply_to,
            coordinator_id=entry.coordinator_id,
        )
    transfer = entry.transfer
    return StatusJson(
        seq=entry.seq,
        prev_seq=entry.prev_seq,
        status=entry.status,
        reason=entry.reason,
        timestamp=timestamp(entry.at),
        epoch=entry.epoch,
        transfer_id=transfer.transfer_id if transfer is not None else None,
        coordinator_id=transfer.coordinator_id if transfer is not None else None,
    )


def write_json(step: WriteStep) -> WriteJson:
    """Convert a step of a call."""
    return WriteJson(
        call_id=step.call_id,
        state=step.state,
        tool=step.tool,
        what=step.what,
        arguments=msgspec.json.decode(step.arguments) if step.arguments else None,
        result=step.result or None,
        confirm=step.confirm,
        expires_at=timestamp(step.expires_at) if step.expires_at is not None else None,
        terms=step.terms or None,
    )


def actions_of(message: Message) -> Sequence[Action]:
    """Return the actions of a message; a user's yes or no has the question that it answers."""
    if message.author is Author.USER and message.write is not None:
        return (*message.actions, confirmation_action(message.write))
    return message.actions


def _version_json(version: AnswerVersion) -> VersionJson:
    return VersionJson(version.prompt, version.knowledge, version.tools)


def usage_json(usage: Usage) -> UsageJson:
    """Convert a usage."""
    return UsageJson(usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.calls)


class EventPresenter:
    """Converts entries into the events of a user's sockets, and into JSON.

    An entry goes to all sockets of its user one after the other: it is encoded once, for the first.
    """

    def __init__(self, live_chat: LiveChatAddresses) -> None:
        self._live_chat = live_chat
        self._last: tuple[Entry | None, str, msgspec.Raw] = (None, "", msgspec.Raw())

    def entry_json(self, customer: Customer, entry: Entry) -> EntryJson | StatusJson:
        """Convert an entry for `messages[]`."""
        actions = actions_of(entry) if isinstance(entry, Message) else ()
        return entry_json(entry, self._live_chat.complete(customer, actions))

    def logged_json(self, customer: Customer, entry: Entry) -> LoggedJson | StatusJson:
        """Convert an entry for the HTTP API."""
        shown = self.entry_json(customer, entry)
        if isinstance(shown, StatusJson) or isinstance(entry, StatusChange):
            return cast(StatusJson, shown)
        usage = entry.usage
        return LoggedJson(
            **asdict(shown),
            audience=entry.audience,
            model=usage.model or None if usage is not None else None,
            usage=usage_json(usage) if usage is not None else None,
            tools=[ToolJson(**asdict(use)) for use in entry.tools],
            digest=entry.summary.text if entry.summary is not None else None,
            verdict=entry.verdict,
            write=write_json(entry.write) if entry.write is not None else None,
            digest_through=entry.summary.through if entry.summary is not None else None,
            language=entry.language,
            version=_version_json(entry.version) if entry.version is not None else None,
        )

    def event_of(
        self, customer: Customer, session_id: SessionId, entry: Entry
    ) -> tuple[str, msgspec.Raw]:
        """Return the event for an entry, and its encoded payload."""
        known, event, payload = self._last
        if known is not entry:
            event, shape = self._push(customer, session_id, entry)
            payload = msgspec.Raw(_encoder.encode(shape))
            self._last = (entry, event, payload)
        return event, payload

    def _push(
        self, customer: Customer, session_id: SessionId, entry: Entry
    ) -> tuple[str, CamelStruct]:
        if isinstance(entry, StatusChange):
            live_chat = self._live_chat.address_of(customer)
            return "conversation_status", _change_push(session_id, entry, live_chat)
        at = timestamp(entry.at)
        if entry.author is Author.COORDINATOR:
            return "agent_message", AgentMessagePush(
                entry.text,
                at,
                entry.message_id,
                session_id,
                entry.seq,
                entry.prev_seq,
                entry.coordinator_id,
            )
        if entry.author is Author.USER:
            return "user_message", UserMessagePush(
                entry.text,
                at,
                entry.message_id,
                session_id,
                entry.seq,
                entry.prev_seq,
                actions_of(entry) or UNSET,
            )
        return "new_message", NewMessagePush(
            response_id=entry.message_id,
            message=entry.text,
            actions=self._live_chat.complete(customer, entry.actions),
            timestamp=at,
            session_id=session_id,
            seq=entry.seq,
            prev_seq=entry.prev_seq,
            in_reply_to=entry.in_reply_to,
            author=entry.author,
        )


def _change_push(
    session_id: SessionId, change: StatusChange, live_chat: LiveChatJson | None
) -> StatusPush:
    transfer = change.transfer
    is_handed_over = change.status in (Status.WAITING, Status.LIVE)
    return StatusPush(
        session_id=session_id,
        status=change.status,
        seq=change.seq,
        prev_seq=change.prev_seq,
        updated_at=timestamp(change.at),
        reason=change.reason,
        transfer_id=transfer.transfer_id if transfer is not None else None,
        coordinator_id=transfer.coordinator_id if transfer is not None else None,
        live_chat=live_chat if is_handed_over else None,
    )


class TransferJson(CamelStruct):
    """A request for a human.

    `state`: `delivered` once the bridge has acknowledged it, `failed` if it is a dead letter.
    """

    transfer_id: str
    reason: Reason
    state: TransferState
    requested_at: str
    expires_at: str | None
    coordinator_id: str | None
    ended: Reason | None


class MissedJson(CamelStruct):
    """A message that the user has left, as nobody could meet their request for a human.

    `message` is its beginning; the whole text is the entry `seq`.
    """

    seq: int
    at: str
    message: str
    reason: Reason


class QuestionJson(CamelStruct):
    """A question that waits for a person's yes: `by` whom, and what is done then."""

    confirm_id: str
    by: Confirmer
    what: str
    expires_at: str | None


class RatingJson(CamelStruct):
    """A customer's rating, of 1 to 5 stars; it is the entry `seq`."""

    rating: int
    comment: str | None
    at: str
    seq: int


class SessionJson(CamelStruct):
    """A session's head, for the HTTP API."""

    session_id: str
    business_id: str
    user_id: str
    location_id: str | None
    status: Status
    reason: Reason | None
    epoch: int
    seq: int
    summary: str | None
    opened_at: str
    updated_at: str
    transfer: TransferJson | None
    digest: str | None
    """The rolling summary that the AI sees in place of the oldest messages."""
    usage: UsageJson | None
    """The total usage of the AI; null: none was counted."""
    language: str | None
    """The customer's language, as their messages show it; null: none did, for sure."""
    missed: MissedJson | None
    """The newest message that the user has left; null: none since a human was there."""
    confirmation: QuestionJson | None
    """The question that waits for somebody's yes; null: there is none."""
    rating: RatingJson | None
    """The customer's newest rating; null: there is none."""


def session_json(session: Session) -> SessionJson:
    """Convert a session's head."""
    transfer = session.transfer
    return SessionJson(
        session_id=session.session_id,
        business_id=session.customer.business_id,
        user_id=session.customer.user_id,
        location_id=session.location_id,
        status=session.status,
        reason=session.reason,
        epoch=session.epoch,
        seq=session.seq,
        summary=session.handover_note,
        opened_at=timestamp(session.opened_at),
        updated_at=timestamp(session.updated_at),
        transfer=_transfer_json(transfer) if transfer is not None else None,
        digest=session.summary.text if session.summary is not None else None,
        usage=usage_json(session.usage) if session.usage is not None else None,
        language=session.language,
        missed=_missed_json(session.missed) if session.missed is not None else None,
        confirmation=_question_json(session.question),
        rating=_rating_json(session.rating) if session.rating is not None else None,
    )


def _rating_json(rating: Rating) -> RatingJson:
    given = rating.stars
    return RatingJson(given.rating, given.comment, timestamp(rating.at), rating.seq)


def _question_json(question: WriteCall | None) -> QuestionJson | None:
    if question is None or question.confirm is None:
        return None
    expires_at = timestamp(question.expires_at) if question.expires_at is not None else None
    return QuestionJson(question.call_id, question.confirm, question.what, expires_at)


def _missed_json(missed: MissedMessage) -> MissedJson:
    return MissedJson(missed.seq, timestamp(missed.at), missed.text, missed.reason)


def _transfer_json(transfer: Transfer) -> TransferJson:
    return TransferJson(
        transfer_id=transfer.transfer_id,
        reason=transfer.reason,
        state=transfer.state,
        requested_at=timestamp(transfer.requested_at),
        expires_at=timestamp(transfer.expires_at) if transfer.expires_at else None,
        coordinator_id=transfer.coordinator_id,
        ended=transfer.ended,
    )
