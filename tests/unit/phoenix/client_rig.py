"""A client socket under a virtual clock, with helpers for scripted tests."""

import json
from typing import Any

from adapters.phoenix.client import ClientEvent, ClientSettings, ClientSocket

NO_JITTER = 1.0
"""The result of `random` at which a pause has its full length."""


class Rig:
    """`socket` with its time in `now`; frames are Python lists in both directions."""

    def __init__(self, *, jitter: float = NO_JITTER, **settings: Any) -> None:
        self.now = 1000.0
        self.socket = ClientSocket(lambda: jitter, ClientSettings(**settings))

    def open(self) -> "Rig":
        self.socket.connecting()
        self.socket.opened(self.now)
        return self

    def close(self, code: int | None = 1006) -> None:
        self.socket.closed(code, self.now)

    def receive(self, *frame: Any) -> None:
        self.socket.received(json.dumps(frame), self.now)

    def reply(self, request: list[Any], status: str = "ok", response: Any = None) -> None:
        """Answer a frame of the client as Phoenix does."""
        join_ref, ref, topic, _, _ = request
        payload = {"status": status, "response": {} if response is None else response}
        self.receive(join_ref, ref, topic, "phx_reply", payload)

    def advance(self, seconds: float) -> None:
        """Advance the time, calling `tick` exactly at each deadline."""
        end = self.now + seconds
        while (due := self.socket.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.socket.tick(self.now)
        self.now = end

    def frames(self) -> list[list[Any]]:
        """Return the frames that the client writes now."""
        frames = []
        while (text := self.socket.next_frame()) is not None:
            frames.append(json.loads(text))
        return frames

    def events(self, kind: type[ClientEvent] | None = None) -> list[ClientEvent]:
        """Return the events since the last call, of one kind or of all."""
        return [event for event in self.socket.events() if kind is None or isinstance(event, kind)]

    def join(self, topic: str = "room:a", payload: Any = None) -> list[Any]:
        """Join a topic, answer the join with ok, and return the phx_join."""
        self.socket.join(topic, {} if payload is None else payload, self.now)
        [frame] = self.frames()
        self.reply(frame)
        self.events()
        return frame
