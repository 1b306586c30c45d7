"""What the AI costs its businesses: counted here, written down every few seconds, kept in bounds.

Several processes count for one business. Each writes what it has counted into the ledger, and
where there is a budget reads there what all of them have come to.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum, auto

from application.policy import Policy
from application.ports import Clock, Observer, UsageStore
from domain.errors import Failure
from domain.identity import BusinessId
from domain.usage import Usage, together

FLUSH_EVERY_S = 5.0
REFRESH_AFTER = timedelta(seconds=5)
"""So old may be what is known of the other processes."""
MAX_KNOWN = 10_000
"""Businesses whose spending is remembered; the longest unused goes first, once it is written."""


class Level(Enum):
    """How a business stands with its budget of the day."""

    WITHIN = auto()
    FRUGAL = auto()
    """Past the soft one: the AI answers, and costs less."""
    OVER = auto()
    """Past the hard one: the AI is not asked."""


class _Account:
    """One business on one day."""

    __slots__ = ("counted", "day", "read_at", "turn", "written")

    def __init__(self, day: date) -> None:
        self.day = day
        self.counted: Usage | None = None
        """By this process, and not in the ledger yet."""
        self.written = 0
        """Tokens in the ledger, as far as is known."""
        self.read_at: datetime | None = None
        self.turn = asyncio.Lock()
        """One reads or writes at a time, so that nothing is counted twice."""

    @property
    def tokens(self) -> int:
        return self.written + (self.counted.tokens if self.counted is not None else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageTracker:
    """The accounts of the businesses that this process works for."""

    ledger: UsageStore
    observer: Observer
    clock: Clock
    policy: Policy
    _accounts: dict[tuple[BusinessId, date], _Account] = field(default_factory=dict)

    def add(self, business_id: BusinessId, purpose: str, usage: Usage) -> None:
        """Count what an `answer` or a `summary` has cost: written down within FLUSH_EVERY_S."""
        self.observer.tokens_spent(purpose, usage)
        account = self._account(business_id)
        account.counted = together(account.counted, usage)

    @property
    def has_budgets(self) -> bool:
        """Whether anything depends on the level."""
        return self.policy.budget_soft_tokens > 0 or self.policy.budget_hard_tokens > 0

    async def level(self, business_id: BusinessId) -> Level:
        """How the business stands now."""
        soft, hard = self.policy.budget_soft_tokens, self.policy.budget_hard_tokens
        account = self._account(business_id)
        await self._refresh(business_id, account)
        if hard and account.tokens >= hard:
            return Level.OVER
        return Level.FRUGAL if soft and account.tokens >= soft else Level.WITHIN

    async def flush(self, of: BusinessId | None = None) -> None:
        """Write down what was counted, of one business or (None) of all.

        Raises: StorageUnavailable; what it has not come to goes next time.
        """
        for (business_id, day), account in list(self._accounts.items()):
            if of not in (None, business_id):
                continue
            if account.counted is not None:
                async with account.turn:
                    await self._write(business_id, account)
            elif day != self._today():
                self._accounts.pop((business_id, day), None)

    async def between(self, business_id: BusinessId, first: date, last: date) -> dict[date, Usage]:
        """What the business has spent on each day, the last seconds of this process included.

        Raises: StorageUnavailable.
        """
        await self.flush(business_id)
        return await self.ledger.spent(business_id, first, last)

    async def _write(self, business_id: BusinessId, account: _Account) -> None:
        usage, account.counted = account.counted, None
        if usage is None:
            return
        try:
            await self.ledger.add(business_id, account.day, usage)
        except BaseException:
            account.counted = together(usage, account.counted)
            raise
        account.written += usage.tokens

    async def _refresh(self, business_id: BusinessId, account: _Account) -> None:
        """Learn what the others have written, if that is a while ago; else, or if not, guess."""
        async with account.turn:
            now = self.clock.now()
            if account.read_at is not None and now - account.read_at < REFRESH_AFTER:
                return
            account.read_at = now
            try:
                spent = await self.ledger.spent(business_id, account.day, account.day)
            except Failure:
                return  # the store is away: an answer could not be stored either
            usage = spent.get(account.day)
            account.written = usage.tokens if usage is not None else 0

    def _account(self, business_id: BusinessId) -> _Account:
        key = (business_id, self._today())
        account = self._accounts.pop(key, None) or _Account(key[1])
        self._accounts[key] = account  # at the end: the dict is in the order of use
        if len(self._accounts) > MAX_KNOWN:
            self._forget_one()
        return account

    def _forget_one(self) -> None:
        for key, account in self._accounts.items():
            if account.counted is None:
                del self._accounts[key]
                return

    def _today(self) -> date:
        return self.clock.now().date()
