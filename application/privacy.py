"""Everything that is stored of a customer: exported, or erased."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

from application.hub import Hub
from application.ports import Archive, CustomerErased, Erased, Event, Missed, SessionStore
from application.read_history import PAGE
from application.session_log import SessionLog
from application.turns import Turns
from domain.errors import StorageUnavailable
from domain.identity import Customer, SessionId
from domain.message import Entry
from domain.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """A customer's right of access and right to erasure."""

    archive: Archive
    store: SessionStore
    session_log: SessionLog
    turns: Turns
    hub: Hub
    _checks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.hub.tap_remote(self._on_remote_event)

    async def export(self, customer: Customer) -> list[tuple[Session, list[Entry]]]:
        """Return every session of the customer, newest first, each with its whole log."""
        return [
            (session, await self.log(session.session_id))
            async for session in self._sessions(customer)
        ]

    async def erase(self, customer: Customer) -> Erased:
        """Erase everything stored of the customer, in the store and in this process's memory."""
        self.turns.cancel(customer)
        try:
            return await self.archive.erase(customer)
        finally:
            self.session_log.forget(customer)
            self.hub.publish(customer, CustomerErased())

    def _on_remote_event(self, customer: Customer, event: Event) -> None:
        """Erase from this process's memory what another process has erased."""
        if isinstance(event, CustomerErased):
            was_busy = self.turns.is_busy(customer)
            self.turns.cancel(customer)
            if was_busy:  # perhaps with what was written since, as a hint may come late
                self.turns.wake(customer)
        elif isinstance(event, Missed) and not event.broker_is_away:
            session_id = self.turns.summaries.pending_for(customer)
            if session_id is not None:
                check = asyncio.get_running_loop().create_task(self._check(customer, session_id))
                self._checks.add(check)
                check.add_done_callback(self._checks.discard)

    async def _check(self, customer: Customer, session_id: SessionId) -> None:
        """Forget the session's summaries if it is not stored any more."""
        with suppress(StorageUnavailable):  # they are never shown, and go in the end
            if await self.store.load(session_id) is None:
                self.turns.summaries.forget(customer)

    async def _sessions(self, customer: Customer) -> AsyncIterator[Session]:
        cursor: str | None = None
        while True:
            page = await self.archive.list_sessions(customer=customer, limit=PAGE, cursor=cursor)
            for session in page.sessions:
                yield session
            if (cursor := page.cursor) is None:
                return

    async def log(self, session_id: SessionId) -> list[Entry]:
        """Return the whole log of one session."""
        entries: list[Entry] = []
        after = 0
        while page := await self.store.page(session_id, after=after, limit=PAGE):
            entries += page
            after = page[-1].seq
        return entries
