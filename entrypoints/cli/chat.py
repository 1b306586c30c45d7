"""A chat in the terminal with any server that speaks `messages:{businessId}` over Phoenix V2.

`run` is the command, `chat` the conversation; input comes from a terminal or from a pipe.
"""

import argparse
import asyncio
import contextlib
import io
import os
import sys
import threading
import uuid
from collections.abc import Coroutine
from typing import Any, TextIO

from adapters.phoenix.client import (
    NotJoined,
    PhoenixClientError,
    SocketClosed,
    SocketEvent,
    SocketOpened,
)
from adapters.phoenix.client_connection import (
    ChannelStatus,
    PhoenixChannel,
    PhoenixConnection,
    PushError,
    PushLost,
    PushTimeout,
)
from domain.errors import InvalidPayload
from domain.identity import identifier
from entrypoints.cli.chat_view import PAGE, Conversation, Item, Terminal, item, printable

HELP = """\
Write a message and press Enter. Commands:
  /transfer [text]  ask for a human
  /end              end the live chat, or stop waiting for a human
  /history          show older messages
  /quit             leave (so does the end of the input)"""

PATIENCE_S = 60.0
"""How long a piped chat waits, after its input ended, for its messages to be answered."""
MAX_PAGES = 10
"""Of missed messages, fetched at one reconnect, newest first; the next one goes on from there."""
MAX_QUEUED = 100

_FINAL_HTTP = {
    401: "it wants a token: give a valid one",
    403: "it does not let this client in: check the token and the address",
    404: "there is no socket at this address: it usually ends in /socket/websocket",
}
_FINAL_REFUSALS = {
    "unauthorized": "the token is missing, wrong or expired: give a valid one",
    "invalid_payload": "the ids may have 1 to 128 characters of A-Z a-z 0-9 . _ : @ -",
    "business_mismatch": "the business of the address and of the user differ",
    "unmatched topic": "the server has no conversations at this address",
}
_REASONS = {
    "overloaded": "the server is overloaded, trying again",
    "message_too_long": "the message is too long: 8,000 characters at most; not sent",
    "storage_unavailable": "the server cannot store messages just now: send it again later",
    "identity_mismatch": "the server takes this connection for somebody else: start anew",
    "not_in_live_chat": "there is no live chat to end",
}
_TOKEN_EXPIRED = "the token has expired: start anew with a valid one"
_CHANNEL_CLOSED = "the server closed this conversation's channel; start anew to go on"


class Lines:
    """The lines of a file descriptor, each read when it is asked for.

    A thread reads, since a regular file cannot be polled; from the descriptor, since the exit of
    the interpreter fails fatally while a thread holds the lock of `sys.stdin`.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._wanted = threading.Semaphore(0)
        self._read: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, name="input", daemon=True).start()

    async def next(self) -> str | None:
        """The next line without its end; None: there are no more."""
        self._wanted.release()
        return await self._read.get()

    def _run(self) -> None:
        rest = b""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants lines any more
            while self._wanted.acquire():
                while b"\n" not in rest and (data := os.read(self._descriptor, 65536)):
                    rest += data
                line, end, rest = rest.partition(b"\n")
                text = line.decode(errors="replace") if line or end else None
                self._loop.call_soon_threadsafe(self._read.put_nowait, text)


class Chat:
    """One terminal in one conversation: follows the server, and delivers what is entered."""

    def __init__(
        self,
        terminal: Terminal,
        lines: Lines,
        identity: dict[str, str],
        token: str | None,
        *,
        interactive: bool,
        patience_s: float,
    ) -> None:
        self._terminal = terminal
        self._lines = lines
        self._identity = identity
        self._token = {} if token is None else {"token": token}
        self._interactive = interactive
        self._patience_s = patience_s
        self._conversation = Conversation(terminal, echo=not interactive)
        self._entered: asyncio.Queue[str] = asyncio.Queue(MAX_QUEUED)
        self._over: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._undelivered = 0
        self._joined = asyncio.Event()
        self._was_open = False
        self._down = False
        self._failed = False

    async def run(self, connection: PhoenixConnection) -> int:
        """Talk until the input ends or the server will not have us; → the exit code."""
        who = self._identity
        self._terminal.note(f"{who['userId']} at {who['businessId']}; /help for commands")
        async with connection:
            channel = connection.channel(f"messages:{who['businessId']}", self._join_payload)
            channel.start()
            parts: list[Coroutine[Any, Any, int]] = [
                self._follow(channel),
                self._deliver(channel),
                self._interact(),
            ]
            tasks = {asyncio.create_task(part) for part in parts}
            done, rest = await asyncio.wait(
                {*tasks, self._over}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in rest:
                task.cancel()
            self._terminal.settle()
            return max(task.result() for task in done)

    def connection_changed(self, event: SocketEvent) -> None:
        """Tell an outage once, and its end."""
        match event:
            case SocketOpened():
                if self._down:
                    self._terminal.note("connected again" if self._was_open else "connected")
                self._was_open, self._down = True, False
            case SocketClosed(retry_in_s=None):
                pass
            case SocketClosed(_, int(status)) if status in _FINAL_HTTP and not self._was_open:
                self._finish(f"the server refused the connection: {_FINAL_HTTP[status]}")
            case SocketClosed(code, _, reason) if not self._down:
                self._down = True
                why = reason or f"closed with {code}"
                what = "connection lost" if self._was_open else "cannot connect"
                self._terminal.note(printable(f"{what} ({why}); trying again"))

    def _finish(self, why: str) -> None:
        if not self._over.done():
            self._terminal.note(why)
            self._over.set_result(1)

    def _join_payload(self) -> dict[str, Any]:
        conversation = self._conversation
        # Seqs count within a session. A server that takes no sessionId ignores it.
        place = {"sessionId": conversation.session_id, "lastSeq": conversation.seen.last}
        known = place if conversation.session_id is not None else {}
        return {**self._identity, **self._token, **known, "stream": True}

    # From the server.

    async def _follow(self, channel: PhoenixChannel) -> int:
        async for event, payload in channel:
            match event:
                case ChannelStatus.JOINED:
                    self._conversation.begin(item(payload))
                    self._joined.set()
                case ChannelStatus.REJOINED:
                    await self._catch_up(channel, item(payload))
                case ChannelStatus.REFUSED:
                    self._refused(payload)
                case "token_expired":
                    self._finish(_TOKEN_EXPIRED)
                case str():
                    self._conversation.pushed(event, item(payload))
        self._finish(_CHANNEL_CLOSED)
        return 1

    async def _catch_up(self, channel: PhoenixChannel, reply: Item) -> None:
        """Show what was missed, from as many pages as that takes, down to the newest seen."""
        conversation = self._conversation
        conversation.enter(reply.session_id)
        found = {entry.seq or 0: entry for entry in reply.messages}
        newest = reply.seq or 0
        for _ in range(MAX_PAGES if reply.more else 0):
            wanted = range(newest, conversation.seen.last, -1)
            gap = next((s for s in wanted if s not in found and s not in conversation.seen), None)
            if gap is None:
                break
            query = {"beforeSeq": gap + 1, "limit": PAGE}
            try:
                page = item(await channel.push("history", query))
            except PhoenixClientError:
                break  # the gap stays open: the next join asks for it again
            found.update({entry.seq or 0: entry for entry in page.messages})
        conversation.missed([found[seq] for seq in sorted(found)], reply)

    def _refused(self, response: Any) -> None:
        reason = item(response).reason or "no reason given"
        if reason in _FINAL_REFUSALS:
            self._finish(f"the server refused the conversation: {_FINAL_REFUSALS[reason]}")
        else:
            self._terminal.note(
                printable(_REASONS.get(reason, f"refused ({reason}), trying again"))
            )

    # To the server.

    async def _interact(self) -> int:
        self._terminal.ask()
        while (line := await self._lines.next()) is not None:
            self._terminal.entered()
            text = line.strip()
            if text == "/quit":
                break
            if text == "/help":
                self._terminal.note(HELP)
            elif text:
                await self._entered.put(text)
            self._terminal.ask()
        return self._left_behind() if self._interactive else await self._see_through()

    def _left_behind(self) -> int:
        if count := self._entered.qsize() + self._undelivered:
            self._terminal.note(f"{count} of your messages did not reach the server")
        return 1 if count else 0

    async def _see_through(self) -> int:
        """A pipe has ended: what it said is delivered and answered first."""
        try:
            async with asyncio.timeout(self._patience_s):
                await self._entered.join()
                await self._conversation.answered()
        except TimeoutError:
            self._terminal.note(f"no answer within {self._patience_s:g} s")
            return 1
        return 1 if self._failed else 0

    async def _deliver(self, channel: PhoenixChannel) -> int:
        """One after the other, each until the server has it."""
        await self._joined.wait()  # what is said now stands below what was said before
        while True:
            text = await self._entered.get()
            self._undelivered = 1
            try:
                await self._execute(channel, text)
            except PushError as error:
                self._failed = True
                self._terminal.note(printable(_why(error)))
            except NotJoined:
                self._finish(_CHANNEL_CLOSED)
                return 1
            self._undelivered = 0
            self._entered.task_done()

    async def _execute(self, channel: PhoenixChannel, text: str) -> None:
        command, _, rest = text.partition(" ")
        match command:
            case "/transfer":
                known = self._conversation.changes
                self._conversation.changed(await self._transfer(channel, rest.strip()), known)
            case "/end":
                known = self._conversation.changes
                reply = await self._insist(channel, "end_live_chat", {})
                self._conversation.changed(reply, known)
            case "/history":
                query = self._conversation.before()
                self._conversation.older(await self._insist(channel, "history", query))
            case _ if command.startswith("/"):
                self._terminal.note(f"there is no command {command}: /help")
            case _:
                await self._say(channel, text)

    async def _say(self, channel: PhoenixChannel, text: str) -> None:
        message_id = uuid.uuid4().hex
        self._conversation.sending(message_id, text)
        payload = self._addressed(messageId=message_id, message=text)
        reply = await self._insist(channel, "new_message", payload)
        self._conversation.acknowledged(message_id, reply)

    async def _transfer(self, channel: PhoenixChannel, text: str) -> Item:
        message_id = uuid.uuid4().hex
        if text:
            self._conversation.sending(message_id, text)
            payload = self._addressed(messageId=message_id, message=text)
        else:
            payload = self._addressed()
        return await self._insist(channel, "transfer_to_live_chat", payload)

    def _addressed(self, **payload: str) -> dict[str, str]:
        # Required with each message; a business without locations is its own.
        return {"locationId": self._identity["businessId"], **self._identity, **payload}

    async def _insist(self, channel: PhoenixChannel, event: str, payload: dict[str, Any]) -> Item:
        """Push until there is an answer: a repeated messageId is stored once. Raises: PushError."""
        while True:
            try:
                return item(await channel.push(event, payload))
            except (PushTimeout, PushLost):
                continue  # it waits in the channel until that is joined again
            except PushError as error:
                await self._pause(error)

    async def _pause(self, error: PushError) -> None:
        """Wait where trying again can help; raise the error where it cannot."""
        response = error.response if isinstance(error.response, dict) else {}
        if response.get("reason") == "unmatched topic":
            return  # the server has forgotten us: the channel joins again, and the push waits
        retry_after_ms = response.get("retryAfterMs")
        if not isinstance(retry_after_ms, int | float):
            raise error
        self._terminal.note("too many messages at once: sending on in a moment")
        await asyncio.sleep(retry_after_ms / 1000)


async def chat(
    url: str,
    business_id: str,
    user_id: str,
    location_id: str | None = None,
    token: str | None = None,
    *,
    source: int = 0,
    screen: TextIO | None = None,
    patience_s: float = PATIENCE_S,
) -> int:
    """Chat as a user of a business, with input from the descriptor `source`; → the exit code.

    0: all was said and answered; 1: it was not, or the server refused; 2: a bad argument.
    `token` goes into the handshake and into the join.
    """
    interactive = os.isatty(source)
    terminal = Terminal(screen or sys.stdout, prompt=interactive)
    identity = {"businessId": business_id, "userId": user_id}
    if location_id is not None:
        identity["locationId"] = location_id
    try:
        for name, value in identity.items():
            identifier(name, value)
        chat = Chat(
            terminal, Lines(source), identity, token, interactive=interactive, patience_s=patience_s
        )
        connection = PhoenixConnection(url, token=token, on_state=chat.connection_changed)
    except (InvalidPayload, ValueError) as error:
        terminal.note(str(error))
        return 2
    return await chat.run(connection)


def run(
    url: str,
    business_id: str,
    user_id: str,
    location_id: str | None = None,
    token: str | None = None,
    *,
    patience_s: float = PATIENCE_S,
) -> int:
    """`chat` as a command of its own; Ctrl-C ends it. → the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a screen without the letter shows a "?"
    try:
        return asyncio.run(
            chat(url, business_id, user_id, location_id, token, patience_s=patience_s)
        )
    except KeyboardInterrupt:
        return 130


def _why(error: PushError) -> str:
    """What happened and what to do."""
    response = error.response if isinstance(error.response, dict) else {}
    reason = str(response.get("reason", error.status))
    detail = response.get("detail")
    return _REASONS.get(reason, f"the server refused it: {detail or reason}")


def main() -> int:
    """`python -m entrypoints.cli.chat`"""
    parser = argparse.ArgumentParser(prog="chat", description=__doc__)
    parser.add_argument("--url", default="ws://localhost:3001/socket/websocket")
    parser.add_argument("--business", required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--location")
    parser.add_argument("--token")
    parser.add_argument("--patience", type=float, default=PATIENCE_S, metavar="SECONDS")
    args = parser.parse_args()
    who = (args.business, args.user, args.location, args.token)
    return run(args.url, *who, patience_s=args.patience)


if __name__ == "__main__":
    sys.exit(main())
