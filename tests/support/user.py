"""A user's socket over a real connection, in either version of the protocol."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support import discretion

PATIENCE_S = 20.0
"""The time-out of an answer or a push, enough for a busy machine."""

Payload = dict[str, Any]


class Refused(Exception):
    """An error reply of the server; `reason` is its code."""

    def __init__(self, response: Payload) -> None:
        super().__init__(response)
        self.reason = response["reason"]


class User:
    """One socket of one user. Pushes that nobody waits for yet are kept in `pushes`."""

    def __init__(
        self, connection: ClientConnection, business_id: str, user_id: str, *, vsn: int
    ) -> None:
        self._connection = connection
        self._refs = (str(number) for number in itertools.count(1))
        self._vsn = vsn
        self._who = {"businessId": business_id, "userId": user_id}
        self.topic = f"messages:{business_id}"
        self.pushes: list[tuple[str, Payload]] = []

    async def join(self, **payload: Any) -> Payload:
        """Join the business's topic, and return the reply. Raises: Refused."""
        return await self.request("phx_join", {**self._who, **payload})

    async def say(self, text: str, **payload: Any) -> Payload:
        """Send a message, and return its acknowledgement. Raises: Refused."""
        return await self.request(
            "new_message", {**self._who, "locationId": "l1", "message": text, **payload}
        )

    async def ask_for_human(self, **payload: Any) -> Payload:
        """Send `transfer_to_live_chat`, and return the reply. Raises: Refused."""
        return await self.request(
            "transfer_to_live_chat", {**self._who, "locationId": "l1", **payload}
        )

    async def request(self, event: str, payload: Payload) -> Payload:
        """Send an event and wait for its reply. Raises: Refused."""
        ref = next(self._refs)
        await self.send(event, payload, ref)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                got_ref, got_event, got = await self._receive()
                if got_event == "phx_reply" and got_ref == ref:
                    break
                self.pushes.append((got_event, got))
        if got["status"] != "ok":
            raise Refused(got["response"])
        response: Payload = got["response"]
        return response

    async def send(self, event: str, payload: Payload, ref: str | None = None) -> None:
        """Send a frame and wait for nothing."""
        discretion.keep_payload(payload)
        if self._vsn == 2:
            frame: object = ["1", ref, self.topic, event, payload]
        else:
            frame = {"topic": self.topic, "event": event, "payload": payload}
            if ref is not None:
                frame |= {"ref": ref}
        await self._connection.send(json.dumps(frame))

    async def wait_for(self, event: str, **fields: Any) -> Payload:
        """Return the oldest unread push of this event whose payload has these fields."""
        async with asyncio.timeout(PATIENCE_S):
            while (index := self._find(event, fields)) is None:
                await self.next_push()
        return self.pushes.pop(index)[1]

    async def next_push(self) -> None:
        """Wait for another frame, and add it to `pushes`."""
        _, event, payload = await self._receive()
        self.pushes.append((event, payload))

    def _find(self, event: str, fields: Payload) -> int | None:
        for index, (pushed, payload) in enumerate(self.pushes):
            if pushed == event and fields.items() <= payload.items():
                return index
        return None

    async def _receive(self) -> tuple[str | None, str, Payload]:
        frame = json.loads(await self._connection.recv())
        if self._vsn == 2:
            _, ref, _, event, payload = frame
            return ref, event, payload
        return frame["ref"], frame["event"], frame["payload"]


@asynccontextmanager
async def user(
    address: str, business_id: str = "b1", user_id: str = "u1", *, vsn: int = 2
) -> AsyncIterator[User]:
    """Yield a connected socket that has not joined yet; `address` such as `127.0.0.1:40123`."""
    url = f"ws://{address}/socket/websocket" + ("?vsn=2.0.0" if vsn == 2 else "")
    # Read without a bound: a full queue would delay the close by ten seconds.
    async with connect(url, compression=None, max_queue=None) as connection:
        yield User(connection, business_id, user_id, vsn=vsn)
