"""A server that is killed again and again forgets nothing, and answers whatever it took."""

import asyncio
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.process import ServerProcess, server
from tests.support.user import User, user

USERS, BURST = 6, 4
ROUNDS = {"sqlite": 20, "dynamodb": 6}  # what is in a database elsewhere dies with no process
# Every answer takes a few moments, so that many are under way when the process dies.
QUICK = {"TURN_QUIET_MS": "0", "SCRIPTED_DELAY_MS": "1", "RATE_LIMITS": "off"}


async def answer_to(socket: User, message_id: str) -> None:
    """Wait for the answer to a message."""
    while message_id not in (await socket.wait_for("new_message"))["inReplyTo"]:
        pass


class Chatter:
    """A user who writes for ever, comes back after every death, and repeats what is in doubt."""

    def __init__(self, user_id: str, random: Random) -> None:
        self.user_id = user_id
        self._random = random
        self.sent = 0
        self.in_doubt: str | None = None
        """The message that was sent and not acknowledged."""
        self.cut_off = 0
        """The number of times that the process died over a message of this user."""
        self.acknowledged: dict[str, dict[str, Any]] = {}

    async def chat(self, address: str, said: "Countdown") -> None:
        """Write until the connection is lost."""
        try:
            async with user(address, "b1", self.user_id) as socket:
                await socket.join()
                await self._settle(socket)
                while True:
                    self.sent += 1
                    await self._say(socket, message_id := f"{self.user_id}-{self.sent}")
                    said.count()
                    if self.sent % BURST == 0:
                        await answer_to(socket, message_id)
        except (ConnectionClosed, OSError):
            self.cut_off += self.in_doubt is not None

    async def _settle(self, socket: User) -> None:
        """Repeat the unacknowledged message, and one that was acknowledged."""
        if self.in_doubt is not None:
            await self._say(socket, self.in_doubt)
        if self.acknowledged:
            known = self._random.choice(list(self.acknowledged))
            again = await socket.say("again", messageId=known)
            assert again == {**self.acknowledged[known], "duplicate": True}

    async def _say(self, socket: User, message_id: str) -> None:
        self.in_doubt = message_id
        reply = await socket.say(f"Bună, {message_id}!", messageId=message_id)
        self.acknowledged[message_id] = {**reply, "duplicate": False}
        self.in_doubt = None

    async def finish(self, address: str) -> None:
        """Await the missing answers, repeat the unacknowledged message, and send a last one."""
        async with user(address, "b1", self.user_id) as socket:
            entries = (await socket.join())["messages"]
            owed = {entry["messageId"] for entry in entries if entry["author"] == "user"}
            owed.difference_update(*(entry["inReplyTo"] for entry in entries))
            while owed:
                owed.difference_update((await socket.wait_for("new_message"))["inReplyTo"])
            await self._settle(socket)
            await self._say(socket, last := f"{self.user_id}-last")
            await answer_to(socket, last)


class Countdown:
    """A countdown that kills the process after so many messages."""

    def __init__(self, process: ServerProcess, left: int) -> None:
        self._process = process
        self._left = left

    def count(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._process.signal(signal.SIGKILL)


async def round_of_chat(
    folder: Path, kept: dict[str, str], chatters: list[Chatter], messages: int
) -> int:
    """Let all clients write until the process is killed; return its exit code."""
    async with server(folder, **QUICK, **kept) as running:
        countdown = Countdown(running, messages)
        async with asyncio.TaskGroup() as group:
            for chatter in chatters:
                group.create_task(chatter.chat(running.address, countdown))
        return (await running.end()).code


async def logs_after_the_last(
    folder: Path, kept: dict[str, str], chatters: list[Chatter]
) -> dict[str, list[Any]]:
    """The log of every user, once all have come back and been answered."""
    async with (
        server(folder, **QUICK, **kept) as running,
        httpx.AsyncClient(base_url=f"http://{running.address}") as api,
    ):
        async with asyncio.TaskGroup() as group:
            for chatter in chatters:
                group.create_task(chatter.finish(running.address))
        logs = {}
        for chatter in chatters:
            export = (await api.get(f"/api/users/b1/{chatter.user_id}/export")).json()
            (conversation,) = export["conversations"]
            logs[chatter.user_id] = conversation["messages"]
    return logs


def integrity(path: Path) -> str:
    """Return the result of SQLite's own integrity check."""
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


@pytest.mark.timeout(150)  # twenty processes have to start
async def test_after_any_number_of_deaths_every_message_is_there_once_and_answered_once(
    tmp_path: Path, kept: dict[str, str]
) -> None:
    random, rounds = Random(9), ROUNDS[kept.get("STORE", "sqlite")]
    chatters = [Chatter(f"u{number}", random) for number in range(USERS)]

    codes = [
        await round_of_chat(tmp_path, kept, chatters, random.randint(4, 24)) for _ in range(rounds)
    ]
    logs = await logs_after_the_last(tmp_path, kept, chatters)

    assert codes == [-signal.SIGKILL] * rounds
    assert sum(chatter.cut_off for chatter in chatters) >= rounds
    assert kept or integrity(tmp_path / "data" / "conversations.sqlite3") == "ok"
    for chatter in chatters:
        log = logs[chatter.user_id]
        asked = {e["messageId"]: e["seq"] for e in log if e["author"] == "user"}
        answered = Counter(each for entry in log for each in entry["inReplyTo"])
        assert [entry["seq"] for entry in log] == list(range(1, len(log) + 1))
        assert len(asked) == sum(entry["author"] == "user" for entry in log)
        assert asked == {key: reply["seq"] for key, reply in chatter.acknowledged.items()}
        assert answered == dict.fromkeys(asked, 1)
