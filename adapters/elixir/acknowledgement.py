"""Acknowledgement of the user's messages, by a bridge that may neither reply nor echo."""

import asyncio
from collections.abc import Mapping
from typing import Any

from adapters.elixir.chat_topic import ChatTopic
from adapters.elixir.echoes import ORIGIN
from adapters.phoenix.client_connection import PushError, PushLost, PushTimeout

ECHO_S = 30.0
"""The time in which a message that was sent may come back without its mark."""
PATIENCE = 3
"""The messages in a row for which a topic that has answered since its join is still waited for."""
PROMPT_S = 0.05
"""The time in which an error, or the crash of a channel, still counts for a silent bridge."""


class AcknowledgedPushes:
    """Sends messages, and waits until the bridge acknowledges them.

    A reply does that, or the message's own echo. A channel of Phoenix need not reply, nor send a
    broadcast to its sender. Where neither has come in time, the proof counts that the message was
    received: a heartbeat sent behind it was answered, and its channel is still joined. From then on
    it counts at once, until a reply or an echo comes again; but not soon on a topic that has
    answered: its channel may hang, and lose what it has not handled.
    """

    def __init__(self, timeout_s: float) -> None:
        """`timeout_s`: how long a reply, an echo or the answer to a heartbeat may take."""
        self._timeout_s = timeout_s
        self._is_silent = False
        """The latest message on a topic without patience had neither a reply nor an echo."""

    async def push(self, chat: ChatTopic, body: Mapping[str, object]) -> None:
        """Send a message by the user, and wait for its acknowledgement.

        Raises: PushError, PushTimeout, PushLost; NotJoined, TooManyWaiting.
        """
        loop, limit_s = asyncio.get_running_loop(), self._timeout_s
        at_once = self._is_silent and not chat.patience
        echo: asyncio.Future[None] = loop.create_future()
        push = chat.channel.start_push(
            "user_message",
            {**body, "origin": ORIGIN},
            timeout_s=limit_s if at_once else 2 * limit_s,
            probe_after_s=0.0 if at_once else limit_s,
        )
        push.reply.add_done_callback(lambda reply: self._replied(chat, reply))
        until = loop.time() + limit_s + ECHO_S
        sent = chat.echoes.sent(body, until, lambda: self._echoed(chat, echo))
        either = {push.reply, echo}
        first = asyncio.FIRST_COMPLETED
        await asyncio.wait({*either, push.received}, return_when=first)
        if not push.reply.done() and not echo.done():
            await asyncio.wait(either, timeout=PROMPT_S, return_when=first)
        if echo.done():
            return
        if push.reply.done():
            try:
                push.reply.result()
                return
            except (PushTimeout, PushLost) as error:
                if not error.was_sent:
                    chat.echoes.unsent(sent)
                if isinstance(error, PushLost) or not push.received.done():
                    raise
        if chat.patience:
            chat.patience -= 1
        else:
            self._is_silent = True

    def _echoed(self, chat: ChatTopic, echo: asyncio.Future[None]) -> None:
        self._answered(chat)
        if not echo.done():
            echo.set_result(None)

    def _replied(self, chat: ChatTopic, reply: asyncio.Future[Any]) -> None:
        """Note a reply, which may also come after the message counts as received."""
        if reply.cancelled():
            return
        error = reply.exception()
        if error is None:
            self._answered(chat)
        elif isinstance(error, PushError):
            self._is_silent = False

    def _answered(self, chat: ChatTopic) -> None:
        self._is_silent, chat.patience = False, PATIENCE
