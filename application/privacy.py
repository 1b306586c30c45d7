"""Everything that is stored of a customer: exported, or erased."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from application.hub import Hub
from application.ports import Archive, CustomerErased, Erased, SessionStore
from application.read_history import PAGE
from application.session_log import SessionLog
from application.turns import Turns
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
