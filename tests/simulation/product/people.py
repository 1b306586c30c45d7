"""The people of a simulated life: customers on their devices, and coordinators at the bridge.

They use the wire as the protocol's docs have it, and hold what comes over it against the rules.
"""

import asyncio
import itertools
import json
import re
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, TypeVar

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from adapters.phoenix.client import ClientSettings
from adapters.phoenix.client_connection import (
    ChannelStatus,
    PhoenixChannel,
    PhoenixConnection,
    PushFailed,
)
from tests.simulation.product.machine import utc
from tests.simulation.product.world import (
    BRIDGE,
    BRIDGE_PORT,
    SERVER_PORT,
    SERVICE_TOKEN,
    Word,
    World,
)

T = TypeVar("T")
Payload = dict[str, Any]

HEARTBEAT_S = 8.0
REPLY_S = 5.0
CONNECT_S = 5.0
BUSINESS = "b1"
CUT_S = 2.0
"""How long after a takeover a piece of an answer may be shown while hints may be lost."""
SO_FAR_S = 0.5
"""How long an answer may be written before who is there has the first of it, on fast ways."""
TRY_AGAIN = frozenset({"draining", "storage_unavailable", "rate_limited", "overloaded"})

_addressee = re.compile(r"\[(\S+?)(?::|\])")


CLOSED_FOR_GOOD = 1000
"""The close code after which phoenix.js does not reconnect."""


class Gone(Exception):
    """The connection is gone, or of no use."""

    def __init__(self, why: str, code: int | None = None) -> None:
        super().__init__(why)
        self.code = code


class Customer:
    """One customer, and what they have been told."""

    def __init__(self, world: World, name: str, devices: int) -> None:
        self.world = world
        self.name = name
        self.key = f"{BUSINESS}/{name}"
        self._numbers = itertools.count(1)
        self.acknowledged: dict[str, tuple[str, int]] = {}
        """The session and seq of each message that was acknowledged."""
        self.devices = [Device(self, n) for n in range(devices)]

    @property
    def present(self) -> list["Device"]:
        """The devices on which the page is open."""
        return [device for device in self.devices if device.is_open]

    def next_id(self) -> str:
        """Return the id of the next message."""
        return f"{self.name}m{next(self._numbers)}"


class Device:
    """One tab or phone of a customer: it reconnects, resumes, and repeats what was not answered.

    What it was shown is in `entries`, by session and seq.
    """

    def __init__(self, customer: Customer, number: int) -> None:
        self.customer = customer
        self.world = customer.world
        self.number = number
        self.name = f"{customer.name}{'abcd'[number]}"
        self.world.loop.net.host(self.name)
        self.session_id: str | None = None
        self.status = "ai"
        self.entries: dict[tuple[str, int], str] = {}
        self.waiting: dict[str, tuple[str, Payload]] = {}
        """What was not acknowledged yet, by its messageId: the event and the payload."""
        self._acknowledgement = asyncio.Event()
        self.is_open = False
        """True while somebody has the page open, whether or not it is connected."""
        self.server: str | None = None
        """The node to connect to next; None: any."""
        self.is_joined = False
        self._socket: ClientConnection | None = None
        self._refs = itertools.count(2)
        self._replies: dict[str, asyncio.Future[Payload | None]] = {}
        self._highest = 0
        self._joined_at = 0.0
        self._joined_seq = 0
        self._is_filling = False
        self._answer: tuple[str, int, str] | None = None
        self._finished: set[str] = set()
        self._began: dict[str, float] = {}
        """When this device saw the first piece of each answer."""
        self.own: set[str] = set()
        """The messages that were acknowledged on this device, which shows them by itself."""
        self.live_since: float | None = None
        self._task: asyncio.Task[None] | None = None

    # What a person does.

    def open(self) -> None:
        """Open the page."""
        if not self.is_open:
            self.is_open = True
            self._task = self.world.loop.net.host(self.name).create_task(self._run())

    async def shut(self) -> None:
        """Close the page."""
        self._note("leaves")
        self.is_open = False
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def say(self, text: str) -> None:
        """Write a message; it is sent until it is acknowledged."""
        self._send_until_acknowledged("new_message", text)

    async def acknowledged(self) -> None:
        """Return once everything that was written is acknowledged."""
        while self.waiting:
            self._acknowledgement.clear()
            await self._acknowledgement.wait()

    def ask_for_human(self) -> None:
        """Press the button."""
        self._send_until_acknowledged("transfer_to_live_chat", "I want a human")

    def end_live_chat(self) -> None:
        """Press the other button."""
        self._note("sends end_live_chat")
        self._cast("end_live_chat", {})

    def stop_answer(self) -> None:
        """Press the third button."""
        self._note("sends stop_answer")
        self._cast("stop_answer", {})

    def move(self, server: str) -> None:
        """Leave the node for another one, in the middle of whatever comes."""
        self._note(f"moves to {server}")
        self.server = server
        if self._socket is not None:
            self._socket.transport.close()

    def _send_until_acknowledged(self, event: str, text: str) -> None:
        message_id = self.customer.next_id()
        payload = {
            **self._who(),
            "locationId": "l1",
            "message": f"{text} ({message_id})",
            "messageId": message_id,
        }
        self.waiting[message_id] = (event, payload)
        if self.is_joined:
            self._in_background(self._deliver(message_id))

    def _in_background(self, work: Any) -> None:
        task = self.world.loop.net.host(self.name).create_task(work)
        task.add_done_callback(_retrieved)

    def _cast(self, event: str, payload: Payload) -> None:
        if self.is_joined:
            self._in_background(self._request(event, payload))

    def _who(self) -> Payload:
        return {"businessId": BUSINESS, "userId": self.customer.name}

    def _note(self, what: str) -> None:
        self.world.trace.add(self.name, what)

    # The connection.

    async def _run(self) -> None:
        chance = self.world.chance
        while True:
            try:
                await self._serve()
            except (OSError, WebSocketException, Gone) as error:
                self._note(f"disconnected: {type(error).__name__} {error}"[:100])
                if isinstance(error, Gone) and error.code == CLOSED_FOR_GOOD:
                    return
            await asyncio.sleep(chance.uniform(0.1, 1.0))

    async def _serve(self) -> None:
        server, self.server = self.server, None
        host = server or self.world.chance.choice(self.world.servers).host
        url = f"ws://{host}:{SERVER_PORT}/socket/websocket?vsn=2.0.0"
        self._note(f"connects to {host}")
        connecting = connect(
            url, compression=None, ping_interval=None, close_timeout=1, open_timeout=CONNECT_S,
            max_queue=None, proxy=None,
        )  # fmt: skip
        async with connecting as socket:
            self._socket = socket
            reader = asyncio.create_task(self._read(socket))
            try:
                await self._first(reader, self._stay(socket))
            finally:
                self.is_joined, self._socket = False, None
                reader.cancel()
                for reply in self._replies.values():
                    if not reply.done():
                        reply.set_result(None)
                self._replies.clear()

    async def _first(self, reader: asyncio.Task[None], work: Awaitable[None]) -> None:
        """Do the work until the reader ends, or it itself fails."""
        doing = asyncio.ensure_future(work)
        doing.add_done_callback(_retrieved)
        reader.add_done_callback(_retrieved)
        try:
            await asyncio.wait({reader, doing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            doing.cancel()
        (reader if reader.done() else doing).result()

    async def _stay(self, socket: ClientConnection) -> None:
        await self._join()
        self.is_joined = True
        for message_id in list(self.waiting):
            await self._deliver(message_id)
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            await self._request("heartbeat", {}, topic="phoenix")

    async def _join(self) -> None:
        self._highest, self._answer = 0, None
        payload = {**self._who(), "stream": True}
        if self.session_id is not None:
            payload |= {"sessionId": self.session_id, "lastSeq": self._known_up_to()}
        page = await self._request("phx_join", payload)
        while page["more"] and "lastSeq" in payload:
            session_id = self.session_id or ""
            request = {"afterSeq": self._known_up_to(), "sessionId": session_id}
            page = await self._request("history", request)
            for entry in page["messages"]:
                self._shown(session_id, entry["seq"], _text(entry))

    def _joined(self, reply: Payload) -> None:
        """Take the reply to a join, before the pushes that have come with it."""
        self._joined_at = self.world.loop.now
        session_id = reply["sessionId"]
        if session_id is None:
            return
        self.session_id = session_id
        self._status_is(reply["status"])
        for entry in reply["messages"]:
            self._shown(session_id, entry["seq"], _text(entry))
        self._highest = max(self._highest, reply["seq"])
        self._joined_seq = reply["seq"]

    def _known_up_to(self) -> int:
        """Return the seq up to which this device has everything."""
        seq = 0
        while (self.session_id or "", seq + 1) in self.entries:
            seq += 1
        return seq

    async def _deliver(self, message_id: str) -> None:
        while message_id in self.waiting:
            event, payload = self.waiting[message_id]
            try:
                reply = await self._request(event, payload)
            except Refused as refused:
                if refused.reason not in TRY_AGAIN:
                    self.world.fail("a good request is not refused", f"{event}: {refused.reason}")
                    return
                await asyncio.sleep(0.5)
                continue
            self.own.add(message_id)
            self._acknowledgement.set()
            if self.waiting.pop(message_id, None) is None:
                return
            if event == "new_message":
                session_id, seq = reply["sessionId"], reply["seq"]
                self.customer.acknowledged[message_id] = (session_id, seq)
                if self.session_id is None or not reply["duplicate"]:
                    self.session_id = session_id
                self._shown(session_id, seq, payload["message"])

    async def _request(self, event: str, payload: Payload, topic: str | None = None) -> Payload:
        socket = self._socket
        if socket is None:
            raise Gone("closed")
        ref = "1" if event == "phx_join" else str(next(self._refs))
        future: asyncio.Future[Payload | None] = self.world.loop.create_future()
        self._replies[ref] = future
        join_ref = None if topic else "1"
        frame = [join_ref, ref, topic or f"messages:{BUSINESS}", event, payload]
        if event != "heartbeat":
            self._note(f"-> {event} {json.dumps(payload)[:160]}")
        try:
            await socket.send(json.dumps(frame))
            async with asyncio.timeout(REPLY_S):
                reply = await future
        except TimeoutError:
            socket.transport.abort()
            raise Gone(f"no reply to {event} in time") from None
        except ConnectionClosed:
            reply = None
        if reply is None:
            raise Gone(f"no reply to {event}")
        if reply["status"] != "ok":
            reason = reply["response"].get("reason", "")
            self._note(f"refused: {event} {reason}")
            if event in ("phx_join", "heartbeat"):
                raise Gone(f"refused: {reason}")
            raise Refused(reason)
        response: Payload = reply["response"]
        return response

    async def _read(self, socket: ClientConnection) -> None:
        while True:
            try:
                _, ref, _, event, payload = json.loads(await socket.recv())
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else None
                raise Gone(f"closed with {code}", code) from None
            if event == "phx_reply":
                self._note(f"<- reply {json.dumps(payload)[:200]}")
                future = self._replies.pop(ref, None)
                if ref == "1" and payload["status"] == "ok":
                    self._joined(payload["response"])
                if future is not None and not future.done():
                    future.set_result(payload)
            elif event in ("phx_error", "phx_close"):
                raise Gone(event)
            else:
                self._note(f"<- {event} {json.dumps(payload)[:200]}")
                self._pushed(event, payload)

    # What comes.

    def _pushed(self, event: str, payload: Payload) -> None:
        if event == "message_delta":
            self._delta(payload)
        elif event == "conversation_status":
            self._entry(payload, payload["status"] + "/" + payload["reason"])
            if payload["sessionId"] == self.session_id:
                self._status_is(payload["status"])
        elif event in ("new_message", "agent_message", "user_message"):
            self._entry(payload, payload["message"])
            if event == "new_message":
                self._final(payload)

    def _entry(self, payload: Payload, text: str) -> None:
        session_id, seq = payload["sessionId"], payload["seq"]
        if session_id != self.session_id:
            self.session_id, self._highest, self._joined_seq = session_id, 0, 0
            self._answer = None
        if seq <= self._highest:
            self.world.fail("an entry is shown once and in order", f"{self.name} seq {seq}")
        self._highest = max(self._highest, seq)
        self._shown(session_id, seq, text)

    async def _fill(self, session_id: str) -> None:
        """Ask for what is missing, such as the words of a request for a human."""
        try:
            await asyncio.sleep(1.0)
            after = self._known_up_to()
            if session_id == self.session_id:
                request = {"afterSeq": after, "sessionId": session_id}
                page = await self._request("history", request)
                for entry in page["messages"]:
                    if self._should_have_been_pushed(session_id, entry):
                        self.world.fail("nothing is missed", f"{self.name}: {entry}")
                    self._shown(session_id, entry["seq"], _text(entry))
        finally:
            self._is_filling = False

    def _should_have_been_pushed(self, session_id: str, entry: Payload) -> bool:
        """Return True if a later entry was pushed on this socket, but not this one."""
        seq, message_id = entry["seq"], entry.get("messageId")
        is_own = message_id in self.own or message_id in self.waiting
        is_known = (session_id, seq) in self.entries
        return not is_own and not is_known and self._joined_seq < seq < self._highest

    def _shown(self, session_id: str, seq: int, text: str) -> None:
        for tag in _addressee.findall(text):
            if tag != self.customer.key:
                self.world.fail("nothing of another customer", f"{self.name} was shown {text}")
        known = self.entries.setdefault((session_id, seq), text)
        if known != text:
            self.world.fail("an entry never changes", f"{self.name} {seq}: {known!r}, {text!r}")
        if self.is_joined and not self._is_filling and self._known_up_to() < seq:
            self._is_filling = True
            self._in_background(self._fill(session_id))

    def _status_is(self, status: str) -> None:
        self.status = status
        if status == "live":
            self.live_since = self.live_since or self.world.loop.now
            self._answer = None
        else:
            self.live_since = None

    def _delta(self, payload: Payload) -> None:
        rid, index, text = payload["responseId"], payload["index"], payload["text"]
        for tag in _addressee.findall(text):
            if tag != self.customer.key:
                self.world.fail("nothing of another customer", f"{self.name} was shown {text}")
        if self.live_since is not None:
            self.world.fail("nobody talks over a human", f"{self.name}: a delta in a live chat")
        self._began.setdefault(rid, self.world.loop.now)
        late_s = self.world.since_takeover(self.customer.name, self._began[rid])
        late_s = min(late_s, self.world.loop.now - self.world.mended_at.get(self.name, 0.0))
        if late_s > self.world.takeover_is_known_after_s(CUT_S):
            self.world.fail(
                "no delta later than d after a takeover", f"{self.name}: {late_s:.3f} s"
            )
        if rid in self._finished:
            self.world.fail("a final answer replaces its deltas", f"{self.name}: {rid} goes on")
        if index == 0:
            self._answer = (rid, 0, text)
            return
        if self._answer is None or self._answer[:2] != (rid, index - 1):
            self.world.fail(
                "an answer is shown without a gap", f"{self.name}: index {index}, {self._answer}"
            )
            return
        self._answer = (rid, index, self._answer[2] + text)

    def _final(self, payload: Payload) -> None:
        rid = payload["responseId"]
        if self._answer is not None and self._answer[0] == rid:
            shown = self._answer[2]
            if not payload["message"].startswith(shown.rstrip()):
                self.world.fail(
                    "deltas are the beginning of the answer", f"{shown!r}, {payload['message']!r}"
                )
            self._answer = None
        elif payload["author"] == "ai" and rid not in self._began:
            began, ended = self.world.written.get(_tag(payload["message"]), (0.0, 0.0))
            here_s = ended - max(began, self._joined_at)
            allowed_s = SO_FAR_S + 2 * self.world.slowest_way_s
            if self.world.is_prompt_for(10.0) and here_s > allowed_s:
                self.world.fail("who joins gets the text so far", f"{self.name}: {rid}")
        self._finished.add(rid)


def _retrieved(task: asyncio.Future[Any]) -> None:
    """Take a task's failure for known: the connection has ended with it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        if not isinstance(error, Gone | Refused):
            raise error


class Refused(Exception):
    """A reply with an error."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _tag(text: str) -> str:
    """Return the beginning of an answer, which is of its own."""
    return text.partition("]")[0] + "]"


def _text(entry: Payload) -> str:
    if entry["kind"] == "status":
        return f"{entry['status']}/{entry['reason']}"
    text: str = entry["message"]
    return text


class Coordinator:
    """A coordinator who takes waiting customers in turn, says something, and gives them back."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.host = world.loop.net.host(name)
        self.is_done = False
        """True once no other customer is to be served."""
        headers = {"Authorization": f"Bearer {SERVICE_TOKEN}"}
        self._client = httpx.AsyncClient(timeout=REPLY_S, headers=headers)
        self._task: asyncio.Task[None] | None = None
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Begin to work."""
        self._task = self.host.create_task(self.work())
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.world.fail("nothing crashes", repr(error))

    async def work(self) -> None:
        """Serve waiting customers until the end."""
        raise NotImplementedError

    def next_word(self, customer: str) -> str:
        """Return something to say."""
        return f"[{BUSINESS}/{customer}] {self.name} says {next(self._numbers)}"

    def said(self, customer: str, text: str, acknowledged: bool) -> None:
        """Note what was said."""
        self.world.trace.add(self.name, f"said {text!r} {acknowledged}")
        self.world.words.setdefault(customer, []).append(Word(text, acknowledged))

    async def api(self, method: str, path: str, body: Payload | None = None) -> Payload | None:
        """Call the HTTP API of any node; None: it did not work."""
        host = self.world.chance.choice(self.world.servers).host
        url = f"http://{host}:{SERVER_PORT}{path}"
        try:
            answer = await self._client.request(method, url, json=body)
        except httpx.HTTPError as error:
            self.world.trace.add(self.name, f"{method} {path} failed: {error!r}")
            return None
        self.world.trace.add(self.name, f"{method} {path} {body} {answer.status_code}")
        if answer.status_code >= 500:
            return None
        found: Payload = answer.json()
        return found | {"http": answer.status_code}

    async def waiting(self) -> list[Payload]:
        """Return the conversations that wait for a human."""
        found = await self.api("GET", f"/api/conversations?businessId={BUSINESS}&status=waiting")
        return found["conversations"] if found and "conversations" in found else []

    async def pause(self, longest_s: float = 2.0) -> None:
        """Do nothing for a while."""
        await asyncio.sleep(self.world.chance.uniform(0.0, longest_s))


class ApiCoordinator(Coordinator):
    """One who works through the servers' HTTP API; sometimes steps in unasked."""

    async def work(self) -> None:
        while not self.is_done:
            await self.pause(4.0)
            open_ones = await self.open_ones()
            if open_ones and self.world.chance.random() < 0.6:
                await self._serve(self.world.chance.choice(open_ones))

    async def open_ones(self) -> list[Payload]:
        """Return the conversations that have the AI, or wait for a human."""
        found = await self.api("GET", f"/api/conversations?businessId={BUSINESS}")
        sessions = [each for each in (found or {}).get("conversations", ())]
        return [each for each in sessions if each["status"] in ("ai", "waiting")]

    async def _serve(self, session: Payload) -> None:
        for _ in range(self.world.chance.randint(1, 3)):
            if not await self._say(session):
                return
            await self.pause()
        await self._change(session, "ai")

    async def _change(self, session: Payload, status: str) -> None:
        """Take over, or give back."""
        body = {"status": status, "coordinatorId": self.name}
        path = f"/api/conversation-status/{session['sessionId']}"
        for _ in range(20):
            if await self.api("PUT", path, body) is not None:
                return
            await self.pause()

    async def _say(self, session: Payload) -> bool:
        """Say something; return False if it was refused."""
        text = self.next_word(session["userId"])
        body = {
            "sessionId": session["sessionId"], "message": text, "coordinatorId": self.name,
            "messageId": _id_of(text),
        }  # fmt: skip
        for _ in range(5):
            answer = await self.api("POST", "/api/agent-responses", body)
            if answer is not None:
                break
        if answer is not None and answer["http"] not in (200, 201):
            return False
        self.said(session["userId"], text, answer is not None)
        return True


class Interrupter(ApiCoordinator):
    """One who takes over whenever the AI is answering."""

    async def work(self) -> None:
        while True:
            customer = await self.world.next_question()
            if self.is_done:
                return
            self.host.create_task(self._step_in(customer))

    async def _step_in(self, customer: str) -> None:
        await self.pause(0.8)
        for session in await self.open_ones():
            if session["userId"] == customer:
                await self._change(session, "live")


class BridgeCoordinator(Coordinator):
    """One who works at the bridge: claims (at the reference bridge), speaks on the chat's topic."""

    async def work(self) -> None:
        url = f"ws://{BRIDGE}:{BRIDGE_PORT}/socket/websocket"
        settings = ClientSettings(reconnect_after_s=(0.2, 0.5), rejoin_after_s=(0.2,))
        is_reference = self.world.bridge_kind == "reference"
        token = SERVICE_TOKEN if is_reference else None
        async with PhoenixConnection(url, settings=settings, token=token) as connection:
            board = None
            if is_reference:
                board = connection.channel(
                    f"coordinators:{BUSINESS}",
                    {"businessId": BUSINESS, "coordinatorId": self.name, "token": SERVICE_TOKEN},
                )
                board.start()
                drain = asyncio.create_task(self._drain(board))
            try:
                while not self.is_done:
                    await self.pause(3.0)
                    for session in await self.waiting():
                        if not self.is_done and self.world.chance.random() < 0.7:
                            await self._serve(connection, board, session)
            finally:
                if board is not None:
                    drain.cancel()

    async def _serve(
        self, connection: PhoenixConnection, board: PhoenixChannel | None, session: Payload
    ) -> None:
        customer, session_id = session["userId"], session["sessionId"]
        who = {"businessId": BUSINESS, "userId": customer}
        if board is not None:
            try:
                await board.push("claim", {"sessionId": session_id}, REPLY_S)
            except PushFailed as error:
                self.world.trace.add(self.name, f"claim failed: {error}")
                return
        chat = connection.channel(
            f"chat:{BUSINESS}:{customer}", {**who, "token": SERVICE_TOKEN} if board else who
        )
        chat.start()
        drain = asyncio.create_task(self._drain(chat))
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(10):
                    await chat.join()
            for _ in range(self.world.chance.randint(1, 3)):
                text = self.next_word(customer)
                await self._speak(chat, customer, text, is_answered=board is not None)
                await self.pause()
        finally:
            chat.leave()
            drain.cancel()
        for _ in range(20):
            if board is None:
                body = {"status": "ai", "coordinatorId": self.name}
                path = f"/api/conversation-status/{session_id}"
                if await self.api("PUT", path, body) is not None:
                    return
            else:
                try:
                    await board.push("return", {"sessionId": session_id}, REPLY_S)
                except PushFailed as error:
                    self.world.trace.add(self.name, f"return failed: {error}")
                else:
                    return
            await self.pause()

    async def _speak(
        self, chat: PhoenixChannel, customer: str, text: str, *, is_answered: bool
    ) -> None:
        moment = self.world.loop.wall
        body: Payload = {"message": text, "timestamp": _iso(moment)}
        if not is_answered:
            chat.send("agent_message", body)
            self.said(customer, text, False)
            return
        body |= {
            "messageId": text[1:].replace(" ", "-").replace("]", ""),
            "coordinatorId": self.name,
        }
        body["messageId"] = body["messageId"].replace("/", "-")
        for _ in range(8):
            try:
                await chat.push("agent_message", body, REPLY_S)
            except PushFailed as error:
                self.world.trace.add(self.name, f"agent_message failed: {error}")
                await self.pause()
            else:
                self.said(customer, text, True)
                return
        self.said(customer, text, False)

    async def _drain(self, channel: PhoenixChannel) -> None:
        async for event, payload in channel:
            if isinstance(event, ChannelStatus):
                self.world.trace.add(self.name, f"{channel.topic} {event.value}")
            else:
                self.world.trace.add(
                    self.name, f"<- {channel.topic} {event} {json.dumps(payload)[:120]}"
                )


def _id_of(text: str) -> str:
    return re.sub(r"\W+", "-", text).strip("-")


def _iso(seconds: float) -> str:
    return utc(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
