"""The bridge's store in memory: for tests and trials, and the reference for the other stores."""

from datetime import datetime
from itertools import islice

from application.bridge.ports import WAITS_KEPT, BridgeStore, Change, ReplyBody
from domain.bridge.live_chat import ChatMessage, LiveChat
from domain.identity import IDEMPOTENCY_WINDOW, BusinessId, Customer, SessionId, UserId


class MemoryBridgeStore(BridgeStore):
    """Loses everything at the end of the process."""

    def __init__(self) -> None:
        self._chats: dict[SessionId, LiveChat] = {}
        self._latest: dict[Customer, SessionId] = {}
        self._transcripts: dict[str, dict[str, ChatMessage]] = {}
        self._replies: dict[str, tuple[datetime, ReplyBody]] = {}
        self._waits_s: dict[BusinessId, tuple[float, ...]] = {}

    async def save(self, change: Change) -> bool:
        if change.message is not None and change.transcript_key is not None:
            transcript = self._transcripts.setdefault(change.transcript_key, {})
            if change.message.message_id in transcript:
                return False
            transcript[change.message.message_id] = change.message
        if change.chat is not None:
            if change.chat.session_id not in self._chats:
                self._latest[change.chat.customer] = change.chat.session_id
            self._chats[change.chat.session_id] = change.chat
            if change.waited_s is not None:
                business_id = change.chat.customer.business_id
                waits_s = (*self._waits_s.get(business_id, ()), change.waited_s)
                self._waits_s[business_id] = waits_s[-WAITS_KEPT:]
        if change.key is not None and change.reply is not None:
            self._replies[change.key] = (change.at, change.reply)
            self._forget_before(change.at - IDEMPOTENCY_WINDOW)
        return True

    async def chat(self, session_id: SessionId) -> LiveChat | None:
        return self._chats.get(session_id)

    async def latest_chat(self, customer: Customer) -> LiveChat | None:
        return self._chats.get(self._latest.get(customer, SessionId("")))

    async def open_chats(self, business_id: BusinessId) -> tuple[LiveChat, ...]:
        chats = (chat for chat in self._chats.values() if chat.is_open)
        mine = (chat for chat in chats if chat.customer.business_id == business_id)
        return tuple(sorted(mine, key=lambda chat: chat.waiting_since or chat.since))

    async def missed_chats(
        self, business_id: BusinessId, limit: int, *, user_id: UserId | None = None
    ) -> tuple[LiveChat, ...]:
        found = [
            (chat.missed.at, chat)
            for chat in self._chats.values()
            if chat.missed is not None
            and chat.customer.business_id == business_id
            and user_id in (None, chat.customer.user_id)
        ]
        found.sort(key=lambda each: each[0], reverse=True)
        return tuple(chat for _, chat in found[:limit])

    async def asked_chats(self, business_id: BusinessId, limit: int) -> tuple[LiveChat, ...]:
        found = [
            (chat.confirmation.at, chat)
            for chat in self._chats.values()
            if chat.confirmation is not None
            and chat.is_asked
            and chat.customer.business_id == business_id
        ]
        found.sort(key=lambda each: each[0], reverse=True)
        return tuple(chat for _, chat in found[:limit])

    async def recent_waits_s(self, business_id: BusinessId) -> tuple[float, ...]:
        return self._waits_s.get(business_id, ())

    async def chats_with_pending_commands(self) -> tuple[LiveChat, ...]:
        chats = (chat for chat in self._chats.values() if chat.pending_commands)
        return tuple(sorted(chats, key=lambda chat: chat.pending_commands[0].at))

    async def recent_messages(self, transcript_key: str, limit: int) -> tuple[ChatMessage, ...]:
        return tuple(self._transcripts.get(transcript_key, {}).values())[-limit:]

    async def stored_reply(self, key: str, now: datetime) -> ReplyBody | None:
        at, reply = self._replies.get(key, (None, None))
        if at is None or now - at >= IDEMPOTENCY_WINDOW:
            return None
        return reply

    def _forget_before(self, at: datetime) -> None:
        """Remove up to two expired keys, the oldest first: for each new one that is enough."""
        for key, (stored_at, _) in list(islice(self._replies.items(), 2)):
            if stored_at < at:
                del self._replies[key]
