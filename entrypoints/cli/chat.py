"""A terminal chat with any server that speaks `messages:{businessId}` over Phoenix V2.

Input comes from a terminal or from a pipe.
"""

import asyncio
import contextlib
import io
import os
import signal
import sys
import threading
import uuid
from collections.abc import Coroutine
from typing import Any

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
from adapters.urls import without_secrets
from domain.errors import InvalidPayload
from domain.identity import identifier
from entrypoints.cli.chat_view import (
    HISTORY_LIMIT,
    ConversationView,
    ServerPayload,
    Terminal,
    printable,
    server_payload,
)

HELP = """\
Write a message and press Enter. Commands:
  /transfer [text]  ask for a human
  /yes, /no         answer what the AI asks you to confirm
  /rate 1-5 [text]  rate the conversation, with a comment
  /end              end the live chat, or stop waiting for a human
  /stop             stop the answer (so does Ctrl-C; a second one leaves)
  /history          show older messages
  /quit             leave (so does the end of the input)"""

MAX_PAGES = 10
"""Pages of missed messages fetched at one reconnect, newest first; the next continues there."""
MAX_QUEUED = 100
MAX_LOSSES = 2
"""Connections lost in a row while a message was in flight, after which it is not sent again."""
INTERRUPTED = 130

_FINAL_HTTP = {
    401: "it wants a token: give a valid one",
    403: "it refuses this client: check the token and the address",
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
    "identity_mismatch": "the server takes this connection for somebody else: restart the chat",
    "not_in_live_chat": "there is no live chat to end",
    "expired": "it is too late to answer: nothing was done",
    "withdrawn": "the question no longer stands: nothing was done",
    "unknown_confirmation": "the server does not know this question",
    "unknown_session": "there is no conversation to rate yet",
}
_TOKEN_EXPIRED = "the token has expired: restart the chat with a valid one"
_CHANNEL_CLOSED = "the server closed this conversation's channel: restart the chat to continue"


class InputLines:
    """The lines of a file descriptor, each read on demand.

    A thread reads, since a regular file cannot be polled; from the descriptor, since the exit of
    the interpreter fails fatally while a thread holds the lock of `sys.stdin`.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._wanted = threading.Semaphore(0)
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, name="input", daemon=True).start()

    async def next(self) -> str | None:
        """Return the next line without its end; None: there are no more."""
        self._wanted.release()
        return await self._lines.get()

    def _run(self) -> None:
        rest = b""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody reads any more
            while self._wanted.acquire():
                while b"\n" not in rest and (data := os.read(self._descriptor, 65536)):
                    rest += data
                line, end, rest = rest.partition(b"\n")
                text = line.decode(errors="replace") if line or end else None
                self._loop.call_soon_threadsafe(self._lines.put_nowait, text)


class TerminalChat:
    """One terminal in one conversation: shows what the server pushes, and sends what is entered."""

    def __init__(
        self,
        terminal: Terminal,
        lines: InputLines,
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
        self._view = ConversationView(terminal, echo=not interactive)
        self._entered: asyncio.Queue[str] = asyncio.Queue(MAX_QUEUED)
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._sending = 0
        self._joined = asyncio.Event()
        self._was_open = False
        self._is_down = False
        self._failed = False
        self._was_interrupted = False  # since the last message

    async def run(self, connection: PhoenixConnection) -> int:
        """Chat until the input ends or the server refuses; return the exit code."""
        who = self._identity
        self._terminal.note(f"{who['userId']} at {who['businessId']}; /help for commands")
        async with connection:
            channel = connection.channel(f"messages:{who['businessId']}", self._join_payload)
            channel.start()
            parts: list[Coroutine[Any, Any, int]] = [
                self._show_pushes(channel),
                self._send_entered(channel),
                self._read_input(),
            ]
            if self._interactive:
                with contextlib.suppress(NotImplementedError):  # on Windows Ctrl-C leaves
                    loop = asyncio.get_running_loop()
                    loop.add_signal_handler(signal.SIGINT, self._interrupt)
            tasks = {asyncio.create_task(part) for part in parts}
            done, rest = await asyncio.wait(
                {*tasks, self._ended}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in rest:
                task.cancel()
            self._terminal.release()
            self._terminal.end_line()
            return max(task.result() for task in done)

    def connection_changed(self, event: SocketEvent) -> None:
        """Report an outage once, and its end."""
        if isinstance(event, SocketClosed):
            self._view.connection_lost()
        match event:
            case SocketOpened():
                if self._is_down:
                    self._terminal.note("connected again" if self._was_open else "connected")
                self._was_open, self._is_down = True, False
            case SocketClosed(retry_in_s=None):
                pass
            case SocketClosed(_, int(status)) if status in _FINAL_HTTP and not self._was_open:
                self._end(f"the server refused the connection: {_FINAL_HTTP[status]}")
            case SocketClosed(code, _, reason) if not self._is_down:
                self._is_down = True
                why = reason or f"closed with {code}"
                what = "connection lost" if self._was_open else "cannot connect"
                self._terminal.note(printable(f"{what} ({without_secrets(why)}); trying again"))

    def _end(self, why: str) -> None:
        if not self._ended.done():
            self._terminal.note(why)
            self._ended.set_result(1)

    def _interrupt(self) -> None:
        """Handle Ctrl-C: stop the answer that is being written, or leave."""
        if self._view.is_answering and not self._was_interrupted and not self._entered.full():
            self._was_interrupted = True
            self._terminal.end_line()
            self._entered.put_nowait("/stop")
        elif not self._ended.done():
            self._ended.set_result(INTERRUPTED)

    def _join_payload(self) -> dict[str, Any]:
        view = self._view
        # Seqs count within a session. A server that takes no sessionId ignores it.
        position = {"sessionId": view.session_id, "lastSeq": view.seen.last}
        known = position if view.session_id is not None else {}
        return {**self._identity, **self._token, **known, "stream": True}

    # From the server.

    async def _show_pushes(self, channel: PhoenixChannel) -> int:
        async for event, payload in channel:
            match event:
                case ChannelStatus.JOINED:
                    self._view.show_join(server_payload(payload))
                    self._joined.set()
                case ChannelStatus.REJOINED:
                    await self._catch_up(channel, server_payload(payload))
                case ChannelStatus.REFUSED:
                    self._join_refused(server_payload(payload).reason or "no reason given")
                case "token_expired":
                    self._end(_TOKEN_EXPIRED)
                case str():
                    self._view.show_push(event, server_payload(payload))
        self._end(_CHANNEL_CLOSED)
        return 1

    async def _catch_up(self, channel: PhoenixChannel, reply: ServerPayload) -> None:
        """Show what was missed, from as many pages as it takes, down to the newest entry seen."""
        view = self._view
        view.enter_session(reply.session_id)
        found = {entry.seq or 0: entry for entry in reply.messages}
        newest = reply.seq or 0
        for _ in range(MAX_PAGES if reply.more else 0):
            gap = view.seen.newest_missing(newest, found)
            if gap is None:
                break
            query = {"beforeSeq": gap + 1, "limit": HISTORY_LIMIT}
            try:
                page = server_payload(await channel.push("history", query))
            except PhoenixClientError:
                break  # the gap stays open: the next join asks for it again
            found.update({entry.seq or 0: entry for entry in page.messages})
        view.show_missed([found[seq] for seq in sorted(found)], reply)

    def _join_refused(self, reason: str) -> None:
        if reason in _FINAL_REFUSALS:
            self._end(f"the server refused the conversation: {_FINAL_REFUSALS[reason]}")
        else:
            text = _REASONS.get(reason, f"refused ({reason}), trying again")
            self._terminal.note(printable(text))

    # To the server.

    async def _read_input(self) -> int:
        self._terminal.prompt()
        while (line := await self._lines.next()) is not None:
            self._terminal.line_entered()
            text = line.strip()
            if text == "/quit":
                break
            if text == "/help":
                self._terminal.note(HELP)
            elif text:
                await self._entered.put(text)
            self._terminal.prompt()
        return self._report_unsent() if self._interactive else await self._wait_for_answers()

    def _report_unsent(self) -> int:
        if count := self._entered.qsize() + self._sending:
            self._terminal.note(f"{count} of your messages did not reach the server")
        return 1 if count else 0

    async def _wait_for_answers(self) -> int:
        """Wait, after the end of a pipe, until its messages are delivered and answered."""
        try:
            async with asyncio.timeout(self._patience_s):
                await self._entered.join()
                await self._view.answered()
        except TimeoutError:
            self._terminal.note(f"no answer within {self._patience_s:g} s")
            return 1
        return 1 if self._failed else 0

    async def _send_entered(self, channel: PhoenixChannel) -> int:
        """Send what was entered, one after the other, each until the server has it."""
        await self._joined.wait()  # the replay of earlier messages comes first on the screen
        while True:
            text = await self._entered.get()
            self._sending = 1
            try:
                await self._send(channel, text)
            except PushError as error:
                self._failed = True
                self._terminal.note(printable(_refusal_text(error)))
            except PushLost:
                self._failed = True
                self._terminal.note("the connection was lost twice with your message: not sent")
            except NotJoined:
                self._end(_CHANNEL_CLOSED)
                return 1
            self._sending = 0
            self._entered.task_done()

    async def _send(self, channel: PhoenixChannel, text: str) -> None:
        command, _, rest = text.partition(" ")
        view = self._view
        match command:
            case "/transfer":
                known = view.changes
                _, payload = self._message(rest.strip())
                reply = await self._push(channel, "transfer_to_live_chat", payload)
                view.show_reply_status(reply, known)
            case "/end":
                known = view.changes
                view.show_reply_status(await self._push(channel, "end_live_chat", {}), known)
            case "/history":
                view.show_older(await self._push(channel, "history", view.older_query()))
            case "/rate":
                await self._rate(channel, rest.strip())
            case "/yes" | "/no":
                await self._answer_question(channel, command.removeprefix("/"))
            case "/stop":
                reply = await self._push(channel, "stop_answer", {})
                if reply.response_id is None and not view.is_answering:
                    self._terminal.note("no answer is being written")
            case _ if command.startswith("/"):
                self._terminal.note(f"there is no command {command}: /help")
            case _:
                message_id, payload = self._message(text)
                reply = await self._push(channel, "new_message", payload)
                view.message_acknowledged(message_id, reply)

    async def _rate(self, channel: PhoenixChannel, text: str) -> None:
        stars, _, comment = text.partition(" ")
        if stars not in ("1", "2", "3", "4", "5"):
            self._terminal.note("a rating is from 1 to 5: /rate 5 Thank you!")
            return
        payload: dict[str, Any] = {"rating": int(stars)}
        if comment.strip():
            payload["comment"] = comment.strip()
        await self._push(channel, "rate_conversation", payload)

    async def _answer_question(self, channel: PhoenixChannel, answer: str) -> None:
        confirm_id = self._view.question
        if confirm_id is None:
            self._terminal.note("nothing waits for your yes")
            return
        self._view.answered_here.add(confirm_id)
        payload = {"confirmId": confirm_id, "answer": answer}
        reply = await self._push(channel, "confirm_action", payload)
        if reply.answer not in (None, answer):
            self._terminal.note(printable(f"it was answered before, with {reply.answer}"))

    def _message(self, text: str) -> tuple[str, dict[str, str]]:
        """Show a message as sent, if there is a text; return its id, and the payload."""
        # The location is required; a business without locations is its own.
        payload = {"locationId": self._identity["businessId"], **self._identity}
        message_id = uuid.uuid4().hex
        self._was_interrupted = False
        if text:
            self._view.message_entered(message_id, text)
            payload |= {"messageId": message_id, "message": text}
        return message_id, payload

    async def _push(
        self, channel: PhoenixChannel, event: str, payload: dict[str, Any]
    ) -> ServerPayload:
        """Push until there is a reply: a repeated messageId is stored once.

        Raises: PushError; PushLost, where two connections in a row were lost with it, as it may be
        what ends them.
        """
        losses = 0
        while True:
            try:
                return server_payload(await channel.push(event, payload))
            except PushTimeout:
                continue  # it waits in the channel until that is joined again
            except PushLost:
                losses += 1
                if losses == MAX_LOSSES:
                    raise
            except PushError as error:
                await self._wait_to_retry(error)

    async def _wait_to_retry(self, error: PushError) -> None:
        """Wait where trying again can help; raise the error where it cannot."""
        response = error.response if isinstance(error.response, dict) else {}
        if response.get("reason") == "unmatched topic":
            return  # the server has lost the channel: it is joined again, and the push waits
        retry_after_ms = response.get("retryAfterMs")
        if not isinstance(retry_after_ms, int | float):
            raise error
        self._terminal.note("too many messages at once: sending on in a moment")
        await asyncio.sleep(retry_after_ms / 1000)


def _refusal_text(error: PushError) -> str:
    response = error.response if isinstance(error.response, dict) else {}
    reason = str(response.get("reason", error.status))
    detail = response.get("detail")
    return _REASONS.get(reason, f"the server refused it: {detail or reason}")


def run(
    url: str,
    business_id: str,
    user_id: str,
    location_id: str | None,
    token: str | None,
    *,
    patience_s: float,
) -> int:
    """Chat as a user of a business, on stdin and stdout; return the exit code.

    0: everything was sent and answered; 1: it was not, or the server refused; 2: a bad argument;
    130: Ctrl-C. `token` goes into the handshake and into the join.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a screen without the letter shows a "?"
    identity = {"businessId": business_id, "userId": user_id}
    if location_id is not None:
        identity["locationId"] = location_id
    try:
        return asyncio.run(_chat(url, identity, token, patience_s))
    except KeyboardInterrupt:
        return INTERRUPTED


async def _chat(url: str, identity: dict[str, str], token: str | None, patience_s: float) -> int:
    source = 0
    interactive = os.isatty(source)
    terminal = Terminal(sys.stdout, prompt=interactive)
    try:
        for name, value in identity.items():
            identifier(name, value)
        lines = InputLines(source)
        chat = TerminalChat(
            terminal, lines, identity, token, interactive=interactive, patience_s=patience_s
        )
        connection = PhoenixConnection(url, token=token, on_state=chat.connection_changed)
    except (InvalidPayload, ValueError) as error:
        terminal.note(str(error))
        return 2
    return await chat.run(connection)
