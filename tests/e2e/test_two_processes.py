"""Two processes of one server, with a Redis between them, and what becomes of an answer."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from application.turn_lease import LEASE_S
from tests.support.process import ServerProcess, server
from tests.support.redis_server import RedisServer, redis_server
from tests.support.user import User, user

SERVICE_RESTART = 1012
WORD_S = 0.1


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


class Pair(NamedTuple):
    """Two processes on one database."""

    one: ServerProcess
    two: ServerProcess

    async def calls(self) -> float:
        """Return the turns that asked the AI, of the processes that live."""
        count = 0.0
        async with httpx.AsyncClient() as api:
            for process in self:
                text = (await api.get(f"http://{process.address}/metrics")).text
                lines = [line for line in text.splitlines() if line.startswith("turns_total")]
                count += sum(float(line.rpartition(" ")[2]) for line in lines)
        return count


@asynccontextmanager
async def pair(folder: Path, redis: RedisServer, **environment: str) -> AsyncIterator[Pair]:
    """Run two processes whose AI writes a word every WORD_S."""
    shared = {
        "STORE": "sqlite",
        "SQLITE_PATH": str(folder / "store.db"),
        "BROKER": "redis",
        "REDIS_URL": redis.url,
        "TURN_QUIET_MS": "0",
        "SCRIPTED_DELAY_MS": f"{WORD_S * 1000:.0f}",
        **environment,
    }
    async with server(folder, **shared) as one, server(folder, **shared) as two:
        yield Pair(one, two)


async def asked(customer: User, **join: Any) -> dict[str, Any]:
    """Join and ask; return the first piece of the answer."""
    await customer.join(stream=True, **join)
    await customer.say("Bună ziua!", messageId="m1")
    return await customer.wait_for("message_delta")


async def followed(customer: User) -> tuple[str, dict[str, Any]]:
    """Follow an answer to its end; return the text of its pieces, and the answer."""
    text = ""
    answer = await customer.wait_for("new_message")
    for event, payload in customer.pushes:
        if event == "message_delta" and payload["responseId"] == answer["responseId"]:
            text = payload["text"] if payload["index"] == 0 else text + payload["text"]
    return text, answer


async def closed(customer: User) -> int:
    """Read until the server closes; the code."""
    with pytest.raises(ConnectionClosed) as end:
        await customer.wait_for("nothing that there is")
    return end.value.rcvd.code if end.value.rcvd is not None else 1006


async def test_who_moves_in_mid_answer_sees_all_of_it_and_it_is_paid_once(
    tmp_path: Path, redis: RedisServer
) -> None:
    async with pair(tmp_path, redis) as processes:
        async with user(processes.one.address) as first:
            begun = await asked(first)
        async with user(processes.two.address) as moved:
            await moved.join(stream=True, lastSeq=1)
            text, answer = await followed(moved)
        calls = await processes.calls()

    assert answer["responseId"] == begun["responseId"]
    assert text.strip() == answer["message"]
    assert calls == 1


async def test_an_answer_is_stopped_from_another_process(
    tmp_path: Path, redis: RedisServer
) -> None:
    async with pair(tmp_path, redis) as processes:
        async with (
            user(processes.one.address) as first,
            user(processes.two.address) as second,
        ):
            await asked(first)
            await second.join(stream=True, lastSeq=1)
            await second.wait_for("message_delta")
            reply = await second.request("stop_answer", {})
            answer = await second.wait_for("new_message")
            same = await first.wait_for("new_message")

    assert reply == {"responseId": answer["responseId"]}
    assert same["message"] == answer["message"]
    assert len(answer["message"].split()) < 10


async def test_after_a_takeover_through_another_process_nothing_more_is_shown(
    tmp_path: Path, redis: RedisServer
) -> None:
    async with pair(tmp_path, redis) as processes, user(processes.one.address) as customer:
        await asked(customer)
        session_id = (await customer.join(stream=True))["sessionId"]
        await customer.wait_for("message_delta", index=0)
        customer.pushes.clear()
        async with httpx.AsyncClient(base_url=f"http://{processes.two.address}") as api:
            path = f"/api/conversation-status/{session_id}"
            assert (await api.put(path, json={"status": "live"})).status_code == 200
        await customer.wait_for("conversation_status", status="live")
        customer.pushes.clear()
        while await processes.calls() == 0:  # the turn has ended
            pass
        await customer.request("history", {})

    assert {event for event, _ in customer.pushes} <= {"new_message"}  # that Ana has joined
    assert {payload["author"] for _, payload in customer.pushes} <= {"system"}


async def test_an_answer_goes_on_without_redis(tmp_path: Path) -> None:
    with redis_server() as lost:
        async with pair(tmp_path, lost) as processes, user(processes.one.address) as customer:
            await asked(customer)
            customer.pushes.clear()
            await customer.join(stream=True, lastSeq=1)
            lost.kill()
            text, answer = await followed(customer)
            lost.start()
            await customer.say("Mulțumesc!", messageId="m2")
            await customer.wait_for("new_message", inReplyTo=["m2"])

    assert answer["message"].startswith(text.strip())
    assert len(text) > len(answer["message"]) / 2  # the last second is held back


async def test_a_process_that_stops_among_others_writes_its_answers_to_the_end(
    tmp_path: Path, redis: RedisServer
) -> None:
    async with pair(tmp_path, redis) as processes:
        async with user(processes.one.address) as first:
            begun = await asked(first)
            processes.one.signal(signal.SIGTERM)
            code = await closed(first)
        async with user(processes.two.address) as moved:
            await moved.join(stream=True, lastSeq=1)
            text, answer = await followed(moved)
        ended = await processes.one.end()

    assert code == SERVICE_RESTART
    assert answer["responseId"] == begun["responseId"]
    assert text.strip() == answer["message"]
    assert ended.code == 0


async def test_the_answer_of_a_process_that_is_killed_is_made_by_another_within_15_seconds(
    tmp_path: Path, redis: RedisServer
) -> None:
    async with pair(tmp_path, redis, SCRIPTED_DELAY_MS="50") as processes:
        async with user(processes.one.address) as first:
            begun = await asked(first)
            await processes.one.kill()
        async with user(processes.two.address) as moved:
            await moved.join(stream=True, lastSeq=1)
            async with asyncio.timeout(LEASE_S + 5):
                text, answer = await followed(moved)

    assert answer["inReplyTo"] == ["m1"]
    assert answer["responseId"] != begun["responseId"]
    assert text.strip() == answer["message"]
