"""All errors of a conversation, by whose fault they are; where no module is named, in this one.

ConversationError
├── Refusal                     the peer asked for what it may not have; `code` goes on the wire
│   ├── InvalidPayload
│   ├── MessageTooLong
│   ├── IdentityMismatch
│   ├── BusinessMismatch
│   ├── NotInLiveChat
│   ├── TransitionRefused
│   ├── SessionClosed
│   ├── Outdated
│   ├── UnknownSession
│   ├── UnknownBusiness
│   ├── UnknownConfirmation
│   ├── VisitorBusy
│   ├── BudgetSpent
│   ├── TooManySuggestions
│   ├── ConfirmationExpired
│   ├── ConfirmationWithdrawn
│   ├── Unauthorized            in domain.identity
│   ├── IdentityUnavailable     in domain.identity
│   │   └── BadCoordinatorsFile in adapters.files.coordinators
│   ├── VisitorsOff             in domain.identity
│   ├── AlreadyClaimed          in domain.bridge.live_chat
│   ├── NotThere                in domain.bridge.live_chat
│   ├── OriginNotAllowed        in entrypoints.access.origins
│   ├── RateLimited             in entrypoints.access.rate_limits
│   │   └── Overloaded          in entrypoints.access.rate_limits
│   └── UnknownNotice           in entrypoints.cli.operations
├── Failure                     we, or what we depend on, are broken
│   ├── StorageUnavailable
│   │   └── StoreMigrated
│   ├── LeasesUnavailable
│   ├── BrokerUnavailable
│   ├── KnowledgeUnavailable
│   ├── ToolNotCalled
│   ├── ToolUnanswered
│   ├── TooLarge
│   ├── AssistantFailed
│   ├── BridgeUnavailable
│   │   └── NotUnderstood       in adapters.elixir.businesses
│   ├── BridgeRefused
│   ├── AgentServerUnavailable  in application.bridge.ports
│   ├── TableDiffers            in adapters.dynamodb.table
│   ├── CannotListen            in entrypoints.programs
│   └── WorkersFailed           in entrypoints.keeper
└── Conflict                    another writer was first; the use case decides again
    ├── SeqTaken
    └── DuplicateMessage
"""

from domain.usage import Usage


class ConversationError(Exception):
    """The conversation cannot go on as asked."""

    code: str = "internal_error"

    def __str__(self) -> str:
        return super().__str__() or (type(self).__doc__ or "").strip()


class Refusal(ConversationError):
    """The request is refused."""

    code = "refused"
    retry_after_ms: int | None = None
    """The time after which the same request may be granted; None: it will not be."""


class InvalidPayload(Refusal):
    """The payload does not have the shape that the event asks for."""

    code = "invalid_payload"


class MessageTooLong(Refusal):
    """The message is longer than 8,000 characters."""

    code = "message_too_long"


class IdentityMismatch(Refusal):
    """The payload names another user or business than the one that joined."""

    code = "identity_mismatch"


class BusinessMismatch(Refusal):
    """The payload names another business than the topic."""

    code = "business_mismatch"


class NotInLiveChat(Refusal):
    """There is no live chat to end and no waiting transfer to cancel."""

    code = "not_in_live_chat"


class TransitionRefused(Refusal):
    """The conversation cannot change to that status from the one it has."""

    code = "transition_refused"


class SessionClosed(Refusal):
    """The conversation is closed; the user's next message opens a new one."""

    code = "session_closed"


class Outdated(Refusal):
    """It was decided before the conversation last changed hands, and changes nothing."""

    code = "outdated"


class UnknownSession(Refusal):
    """There is no such conversation."""

    code = "unknown_session"


class UnknownBusiness(Refusal):
    """There is no such business here."""

    code = "unknown_business"


class UnknownConfirmation(Refusal):
    """There is no such question, or another one is asked for the answer."""

    code = "unknown_confirmation"


class VisitorBusy(Refusal):
    """The visitor is being answered, or talks with a human: try again when that is over."""

    code = "visitor_busy"


class BudgetSpent(Refusal):
    """The business has spent what the AI may cost it today."""

    code = "budget_spent"


class TooManySuggestions(Refusal):
    """As many replies are being suggested as may be at once."""

    code = "too_many_suggestions"
    retry_after_ms = 2_000


class ConfirmationExpired(Refusal):
    """Nobody has answered the question in time: nothing was done, and nothing will be."""

    code = "expired"


class ConfirmationWithdrawn(Refusal):
    """The question no longer stands: nothing was done, and nothing will be."""

    code = "withdrawn"


class Failure(ConversationError):
    """Something on the server's side is broken."""

    code = "unavailable"


class StorageUnavailable(Failure):
    """The message could not be stored; nothing was shown to anyone. Try again."""

    code = "storage_unavailable"


class LeasesUnavailable(Failure):
    """Whether another process works on it cannot be known."""


class BrokerUnavailable(Failure):
    """Other processes are not heard at the moment; what they store is found in the store."""


class StoreMigrated(StorageUnavailable):
    """A later version of the program has migrated the store; this one must not write to it."""


class KnowledgeUnavailable(Failure):
    """The documents of businesses cannot be searched now."""


class ToolNotCalled(Failure):
    """The tool was not called, or has refused: nothing was done."""


class ToolUnanswered(Failure):
    """The tool may have been called, and what came of it is not known."""


class TooLarge(Failure):
    """It is larger than what the store can keep in one piece; later it will be no smaller."""

    code = "too_large"


class AssistantFailed(Failure):
    """The assistant gave no answer."""

    code = "assistant_failed"

    def __init__(self, reason: str = "", *, usage: Usage | None = None) -> None:
        super().__init__(*([reason] if reason else []))
        self.usage = usage
        """The cost of the failed attempt; None: nothing, or unknown."""


class BridgeUnavailable(Failure):
    """The bridge did not take it; later it may."""

    code = "bridge_unavailable"

    def __init__(self, reason: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(*([reason] if reason else []))
        self.retry_after_s = retry_after_s
        """The pause that the bridge asks for, if it does."""


class BridgeRefused(Failure):
    """The bridge will never take it."""

    code = "bridge_refused"


class Conflict(ConversationError):
    """Another writer was first."""

    code = "conflict"


class SeqTaken(Conflict):
    """The log of the session has grown meanwhile, or the user has opened another session."""


class DuplicateMessage(Conflict):
    """A message with this idempotency key is stored already."""

    def __init__(self, *, session_id: str, seq: int, status: str) -> None:
        super().__init__()
        self.session_id = session_id
        self.seq = seq
        self.status = status
        """The session's status when the first message was stored."""
