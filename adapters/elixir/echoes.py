"""Echoes: a Phoenix broadcast also returns to its sender."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from adapters.elixir.inbound import InboundPayload
from domain.identity import MessageId

ORIGIN = "ai-agent-server"
"""Marks the messages that this server sends, from whichever of its processes."""
MAX_ECHOES = 100


class _Sent(NamedTuple):
    message_id: object
    text: object
    until: float
    on_return: Callable[[], object]


class EchoFilter:
    """Recognises messages that this server has sent when they come back. Times are in seconds."""

    def __init__(self, on_echo: Callable[[MessageId], None] = lambda _: None) -> None:
        """`on_echo` is called with the id of each message that has come back."""
        self._on_echo = on_echo
        self.got_new_id = False
        """A message has come back with another id than it was sent with."""
        self._sent: deque[_Sent] = deque(maxlen=MAX_ECHOES)

    def sent(
        self,
        body: Mapping[str, object],
        until: float,
        on_return: Callable[[], object] = lambda: None,
    ) -> _Sent:
        """Expect a message that is being sent to come back, once, before `until`.

        `on_return` is called when it has come, or an earlier sending of it.
        """
        sent = _Sent(body.get("messageId"), body.get("message"), until, on_return)
        self._sent.append(sent)
        return sent

    def unsent(self, sent: _Sent) -> None:
        """Expect a message no longer that could not be sent."""
        if sent in self._sent:
            self._sent.remove(sent)

    def consume(self, payload: InboundPayload, now: float) -> bool:
        """Return whether this is such a message; if so, it is not expected again.

        The id is compared if the bridge drops the mark, and the text if it drops the id. What it
        gives another mark is not known by its text.
        """
        while self._sent and self._sent[0].until < now:
            self._sent.popleft()
        known = [sent for sent in self._sent if sent.message_id == payload.message_id]
        if not known and payload.origin in (None, ORIGIN):
            known = [sent for sent in self._sent if sent.text == payload.message.strip()][:1]
            self.got_new_id |= bool(known) and payload.message_id is not None
        # Of a message that was sent again, any echo will do, and each may still come.
        ids = [sent.message_id for sent in known]
        for sent in self._sent:
            if sent.message_id in ids:
                sent.on_return()
        for sent in known:
            self._sent.remove(sent)
        if not known and payload.origin == ORIGIN:
            ids = [payload.message_id]
        for message_id in ids:
            if isinstance(message_id, str):
                self._on_echo(MessageId(message_id))
        return bool(ids)
