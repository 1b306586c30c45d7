"""The bridge's store in memory: for tests and trials, and the measure of what the others do."""

from datetime import datetime, timedelta
from itertools import islice

from application.bridge.ports import KEYS_LIVE_S, Answer, BridgeStore, Change
from domain.bridge.live_chat import LiveChat, Words
from domain.identity import BusinessId, Customer, SessionId


class MemoryBridgeStore(BridgeStore):
    """Forgets everything at the end of the process."""

    def __init__(self) -> None:
        self._chats: dict[SessionId, LiveChat] = {}
        self._latest: dict[Customer, SessionId] = {}
        self._words: dict[str, dict[str, Words]] = {}
        self._answers: dict[str, tuple[datetime, Answer]] = {}

    async def save(self, change: Change) -> bool:
        if change.words is not None and change.place is not None:
            said = self._words.setdefault(change.place, {})
            if change.words.message_id in said:
                return False
            said[change.words.message_id] = change.words
        if change.chat is not None:
            if change.chat.session_id not in self._chats:
                self._latest[change.chat.customer] = change.chat.session_id
            self._chats[change.chat.session_id] = change.chat
        if change.key is not None and change.answer is not None:
            self._answers[change.key] = (change.at, change.answer)
            self._forget_before(change.at - timedelta(seconds=KEYS_LIVE_S))
        return True

    async def chat(self, session_id: SessionId) -> LiveChat | None:
        return self._chats.get(session_id)

    async def latest(self, customer: Customer) -> LiveChat | None:
        return self._chats.get(self._latest.get(customer, SessionId("")))

    async def open_chats(self, business_id: BusinessId) -> tuple[LiveChat, ...]:
        chats = (chat for chat in self._chats.values() if chat.is_open)
        mine = (chat for chat in chats if chat.customer.business_id == business_id)
        return tuple(sorted(mine, key=lambda chat: chat.waiting_since or chat.since))

    async def wishing(self) -> tuple[LiveChat, ...]:
        wishing = (chat for chat in self._chats.values() if chat.wishes)
        return tuple(sorted(wishing, key=lambda chat: chat.wishes[0].at))

    async def recent(self, place: str, limit: int) -> tuple[Words, ...]:
        return tuple(self._words.get(place, {}).values())[-limit:]

    async def answer(self, key: str, now: datetime) -> Answer | None:
        at, answer = self._answers.get(key, (None, None))
        return answer if at is not None and (now - at).total_seconds() < KEYS_LIVE_S else None

    def _forget_before(self, at: datetime) -> None:
        """For each key that comes up to two go, and the oldest come first: that keeps up."""
        for key, (stored_at, _) in list(islice(self._answers.items(), 2)):
            if stored_at < at:
                del self._answers[key]
