"""Customers who chat until they are told to stop, as docs/protocol.md tells clients to."""

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Self, cast

import httpx
from websockets import WebSocketException
from websockets.asyncio.client import ClientConnection

from tests.support.poller import Poller, polled_socket
from tests.support.user import Payload, Refused, User, user

BUSINESS = "b1"
REPLY_S = 8.0
"""A client that waits longer for a reply connects anew."""
BEAT_S = 20.0
PAUSE_S = (0.05, 1.0)
"""Before the next attempt to connect."""
LOST = (OSError, TimeoutError, WebSocketException, httpx.HTTPError, EOFError)


class PolledConnection:
    """The long-poll transport under the same methods as a WebSocket, as `async with`."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._polling = asyncio.create_task(self._poll())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._polling.cancel()
        await asyncio.gather(self._polling, return_exceptions=True)

    async def send(self, text: str) -> None:
        """Raises: EOFError, where the socket is gone."""
        if (status := await self._poller.post(text)) != 200:
            raise EOFError(f"polling socket: {status}")

    async def recv(self) -> str:
        """Raises: EOFError, where the socket is gone."""
        frame = await self._frames.get()
        if frame is None:
            raise EOFError("polling socket ended")
        return frame

    async def _poll(self) -> None:
        # A poll that is under way is never given up: what it brings would be lost.
        try:
            while (answer := await self._poller.poll())["status"] in (200, 204):
                for frame in answer.get("messages", []):
                    self._frames.put_nowait(frame)
        except LOST:
            pass
        finally:
            self._frames.put_nowait(None)


@asynccontextmanager
async def polling_user(address: str, user_id: str) -> AsyncIterator[User]:
    """Yield a user's socket over long polls."""
    async with polled_socket(address) as poller, PolledConnection(poller) as connection:
        yield User(cast(ClientConnection, connection), BUSINESS, user_id, vsn=2)


@dataclass(slots=True)
class Seen:
    """What all customers have seen together."""

    acknowledged: list[tuple[float, float]] = field(default_factory=list)
    """When each message was first sent, and the seconds to its acknowledgement."""
    answered: list[tuple[float, float]] = field(default_factory=list)
    """The same to the answer of the AI."""
    errors: Counter[str] = field(default_factory=Counter)
    """Lost connections and refusals, by kind."""
    handed_over: int = 0
    """Requests for a human that were met."""


@dataclass(slots=True)
class View:
    """What a client has of one session: its entries, and the seq up to which none is missing."""

    last_seq: int = 0
    entries: dict[int, Payload] = field(default_factory=dict)


class Customer:
    """One customer, who writes until `over` is set, and stays until `gone` is."""

    def __init__(
        self,
        user_id: str,
        address: str,
        seen: Seen,
        random: Random,
        *,
        think_s: float,
        polls: bool = False,
        wants_human: float = 0.0,
    ) -> None:
        """`think_s`: between two messages, on average; `wants_human`: the share of the messages
        after which a human is asked for."""
        self.user_id = user_id
        self._address = address
        self._seen = seen
        self._random = random
        self._think_s = think_s
        self._polls = polls
        self._wants_human = wants_human
        self.over = asyncio.Event()
        self.gone = asyncio.Event()
        self.session_id: str | None = None
        self.status = "ai"
        self.views: dict[str, View] = {}
        self.acknowledged: dict[str, tuple[str, int]] = {}
        """By message id: where it was stored."""
        self.owed: dict[str, float] = {}
        """The messages to the AI without an answer yet, and when they were sent."""
        self._in_doubt: tuple[str, float] | None = None
        self.sent = 0
        """The number of messages that were sent; they are numbered from 1."""
        self._next_at = time.monotonic() + random.uniform(0, think_s)

    @property
    def is_in_doubt(self) -> bool:
        """Whether a message was sent, and not acknowledged yet."""
        return self._in_doubt is not None

    async def run(self) -> None:
        """Chat until `gone` is set."""
        while not self.gone.is_set():
            try:
                async with self._connected() as socket:
                    await self._converse(socket)
            except LOST as lost:
                self._seen.errors[_kind(lost)] += 1
            if not self.gone.is_set():
                await asyncio.sleep(self._random.uniform(*PAUSE_S))

    def _connected(self) -> AbstractAsyncContextManager[User]:
        if self._polls:
            return polling_user(self._address, self.user_id)
        return user(self._address, BUSINESS, self.user_id)

    async def _converse(self, socket: User) -> None:
        await self._join(socket)
        beat_at = time.monotonic() + BEAT_S
        while not self.gone.is_set():
            now = time.monotonic()
            if now >= beat_at:
                beat_at = now + BEAT_S
                await self._request(socket, "history", {"limit": 1})
            if self._in_doubt is None and now >= self._next_at and not self.over.is_set():
                self.sent += 1
                self._in_doubt = f"{self.user_id}-{self.sent}", now
            if self._in_doubt is not None:
                await self._say(socket, *self._in_doubt)
            else:
                wait_s = 0.5 if self.over.is_set() else max(0.05, self._next_at - now)
                try:
                    async with asyncio.timeout(min(wait_s, 2.0)):
                        await socket.next_push()
                except TimeoutError:
                    pass
            await self._take_pushes(socket)

    async def _join(self, socket: User) -> None:
        view = self.views.get(self.session_id or "")
        place = {"sessionId": self.session_id, "lastSeq": view.last_seq} if view else {}
        reply = await self._request(
            socket,
            "phx_join",
            {"businessId": BUSINESS, "userId": self.user_id, "stream": True, **place},
        )
        if reply is None:
            raise EOFError("join refused")
        self.status = reply["status"]
        if reply["sessionId"] is None:
            return
        if reply["sessionId"] != self.session_id:
            self.session_id = reply["sessionId"]
            self.views.setdefault(self.session_id, View())
        self._take_page(reply["messages"])
        if reply["more"] or not self._is_whole():
            await self._catch_up(socket)

    async def _say(self, socket: User, message_id: str, since: float) -> None:
        who = {"businessId": BUSINESS, "locationId": "l1", "userId": self.user_id}
        words = {
            **who,
            "message": f"Bună, {message_id}: ce program aveți?",
            "messageId": message_id,
        }
        reply = await self._request(socket, "new_message", words)
        if reply is None:
            return
        await self._take_pushes(socket)
        if reply["sessionId"] != self.session_id:
            self.session_id = reply["sessionId"]
            self.views.setdefault(reply["sessionId"], View())
        self._in_doubt = None
        self._next_at = time.monotonic() + self._random.uniform(0.5, 1.5) * self._think_s
        self.acknowledged[message_id] = reply["sessionId"], reply["seq"]
        self._seen.acknowledged.append((since, time.monotonic() - since))
        self.status = reply["status"]
        if not any(
            message_id in entry.get("inReplyTo", ())
            for entry in self.views[reply["sessionId"]].entries.values()
        ):
            self.owed[message_id] = since
        view = self.views[reply["sessionId"]]
        if reply["seq"] == view.last_seq + 1:
            view.last_seq += 1
            view.entries[reply["seq"]] = {"seq": reply["seq"], "message": words["message"]}
        elif reply["seq"] > view.last_seq:
            await self._catch_up(socket)
        if self._random.random() < self._wants_human and self.status == "ai":
            asked = await self._request(socket, "transfer_to_live_chat", who)
            self._seen.handed_over += bool(asked and asked.get("transferId"))

    async def _request(self, socket: User, event: str, payload: Payload) -> Payload | None:
        """Return the reply; None: it was refused for now, and the customer has waited."""
        try:
            async with asyncio.timeout(REPLY_S):
                return await socket.request(event, payload)
        except Refused as refused:
            self._seen.errors[refused.reason] += 1
            response = refused.args[0]
            await asyncio.sleep(min(2.0, response.get("retryAfterMs", 300) / 1000))
            return None

    async def _take_pushes(self, socket: User) -> None:
        pushes, socket.pushes = socket.pushes, []
        has_gap = False
        for event, payload in pushes:
            if event in ("phx_close", "phx_error"):
                raise EOFError(event)
            if "seq" not in payload:
                continue
            if payload["sessionId"] != self.session_id:
                self.session_id = payload["sessionId"]
                self.views.setdefault(payload["sessionId"], View())
            if event == "conversation_status":
                self.status = payload["status"]
            has_gap |= not self._take(payload)
        if has_gap:
            await self._catch_up(socket)

    def _is_whole(self) -> bool:
        view = self.views[self.session_id or ""]
        return all(seq <= view.last_seq for seq in view.entries)

    def _take_page(self, entries: list[Payload]) -> None:
        for entry in entries:
            if entry["kind"] == "status":
                self.status = entry["status"]
            self._take(entry)

    def _take(self, entry: Payload) -> bool:
        """Put an entry in its place; False: something before it is missing."""
        view = self.views[self.session_id or ""]
        view.entries.setdefault(entry["seq"], entry)
        now = time.monotonic()
        if entry.get("coordinatorId") and "message" in entry:
            self.owed.clear()  # a human has answered all that was asked
        for message_id in entry.get("inReplyTo", ()):
            since = self.owed.pop(message_id, None)
            if since is not None and entry.get("author") == "ai":
                self._seen.answered.append((since, now - since))
        if entry["prevSeq"] > view.last_seq:
            return False
        view.last_seq = max(view.last_seq, entry["seq"])
        return True

    async def _catch_up(self, socket: User) -> None:
        view = self.views[self.session_id or ""]
        session_id = self.session_id
        while True:
            asked = {"afterSeq": view.last_seq, "limit": 50, "sessionId": session_id}
            page = await self._request(socket, "history", asked)
            if page is None:
                raise EOFError("history refused")
            if session_id == self.session_id:
                self._take_page(page["messages"])
            if not page["more"]:
                return


def _kind(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no reply within {REPLY_S:g} s"
    if code := getattr(getattr(error, "rcvd", None), "code", None):
        return f"closed with {code}"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, EOFError) and error.args:
        return str(error)
    return f"connection lost ({type(error).__name__})"


class Coordinator:
    """A coordinator who claims whoever waits, answers some messages, and returns the customer."""

    def __init__(self, number: int, of: int, address: str, *, exchanges: int = 2) -> None:
        """`number`: the customers whose ids fall to it, of so many coordinators, are theirs."""
        self._name = f"coordinator-{number}"
        self._number, self._of = number, of
        self._address = address
        self._exchanges = exchanges
        self._talks: dict[str, asyncio.Task[None]] = {}
        self.written: set[str] = set()
        """The ids of the messages that the bridge has acknowledged."""
        self.errors: Counter[str] = Counter()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    async with user(self._address) as desk:
                        await self._watch(desk, group)
                except (*LOST, Refused) as lost:
                    self.errors[_kind(lost)] += 1
                await asyncio.sleep(0.3)

    async def _watch(self, desk: User, group: asyncio.TaskGroup) -> None:
        desk.topic = f"coordinators:{BUSINESS}"
        who = {"businessId": BUSINESS, "coordinatorId": self._name}
        async with asyncio.timeout(REPLY_S):
            board = await desk.request("phx_join", who)
        for chat in board["chats"]:
            self._attend(chat, group)
        while True:
            try:
                async with asyncio.timeout(5.0):
                    await desk.next_push()
            except TimeoutError:
                async with asyncio.timeout(REPLY_S):
                    listed = await desk.request("list", {"view": "open"})
                for chat in listed["chats"]:
                    self._attend(chat, group)
            for event, payload in desk.pushes:
                if event == "notification" and "chat" in payload:
                    self._attend(payload["chat"], group)
            desk.pushes.clear()

    def _attend(self, chat: Payload, group: asyncio.TaskGroup) -> None:
        """Begin a talk, if the chat is one of this coordinator's, or nobody's."""
        mine = chat["status"] == "live" and chat["coordinatorId"] == self._name
        free = chat["status"] == "waiting" and (
            zlib.crc32(chat["userId"].encode()) % self._of == self._number
        )
        running = self._talks.get(chat["sessionId"])
        if (mine or free) and (running is None or running.done()):
            self._talks[chat["sessionId"]] = group.create_task(self._talk(chat))

    async def _talk(self, chat: Payload) -> None:
        session_id, user_id = chat["sessionId"], chat["userId"]
        at_desk, at_chat = f"coordinators:{BUSINESS}", f"chat:{BUSINESS}:{user_id}"
        who = {"businessId": BUSINESS, "coordinatorId": self._name}
        try:
            async with user(self._address) as socket, asyncio.timeout(40.0):
                socket.topic = at_desk
                await socket.request("phx_join", who)
                if chat["status"] == "waiting":
                    await socket.request("claim", {"sessionId": session_id})
            async with user(self._address) as socket:
                socket.topic = at_chat
                async with asyncio.timeout(REPLY_S):
                    await socket.request("phx_join", {**who, "userId": user_id})
                for _ in range(self._exchanges):
                    message_id = f"{self._name}-{user_id}-{time.monotonic_ns()}"
                    words = {"message": "Cu ce vă ajut?", "messageId": message_id}
                    async with asyncio.timeout(REPLY_S):
                        await socket.request(
                            "agent_message", {**words, "coordinatorId": self._name}
                        )
                    self.written.add(message_id)
                    try:
                        async with asyncio.timeout(10.0):
                            await socket.wait_for("user_message")
                    except TimeoutError:
                        break
            async with user(self._address) as socket, asyncio.timeout(40.0):
                socket.topic = at_desk
                await socket.request("phx_join", who)
                await socket.request("return", {"sessionId": session_id})
        except (*LOST, Refused) as lost:
            self.errors[lost.reason if isinstance(lost, Refused) else _kind(lost)] += 1
