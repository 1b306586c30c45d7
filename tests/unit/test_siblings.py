"""A request that a worker passes on to another one, which may end meanwhile."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from entrypoints.server.siblings import Siblings
from entrypoints.worker_folder import Worker, WorkerFolder

OTHER = "2-b"
CRASHED = (
    b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain\r\nconnection: close\r\n"
    b"transfer-encoding: chunked\r\n\r\n15\r\nInternal Server Error\r\n0\r\n\r\n"
)
CUT_OFF = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n" + b'{"status":200'
WHOLE = b'HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{"status":204}'


async def passed_on(
    path: Path, answer: bytes | None, method: str = "GET"
) -> tuple[bool, list[dict[str, Any]]]:
    """Pass a request on to a worker that answers so; return the result, and what was sent.

    `answer`: None, while this worker waits for it, it begins to leave; then comes a whole one.
    """
    sent: list[dict[str, Any]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            siblings.give_up_polls()
            if method == "GET":
                assert await reader.read() == b""  # it is waited for no longer
        writer.write(WHOLE if answer is None else answer)
        writer.close()

    requests = iter([{"type": "http.request", "body": b""}])

    async def receive() -> Any:
        request = next(requests, None)
        return request if request is not None else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    folder = str(path)
    siblings = Siblings(Worker(number=1, wanted=2, name="1-a", folder=folder))
    scope = {
        "client": ("10.0.0.1", 4711),
        "headers": [],
        "method": method,
        "query_string": b"vsn=2.0.0",
        "raw_path": b"/socket/longpoll",
    }
    async with await asyncio.start_unix_server(serve, sock=WorkerFolder(folder).listen(OTHER)):
        return await siblings.pass_on(OTHER, cast(Any, scope), cast(Any, receive), send), sent


@pytest.mark.parametrize("answer", [CRASHED, CUT_OFF, b""], ids=["crashed", "cut off", "none"])
async def test_of_a_worker_that_ends_no_answer_is_sent(tmp_path: Path, answer: bytes) -> None:
    assert await passed_on(tmp_path, answer) == (False, [])


async def test_a_workers_answer_is_sent_as_it_is(tmp_path: Path) -> None:
    was_answered, sent = await passed_on(tmp_path, WHOLE)

    assert was_answered
    assert sent[0]["status"] == 200
    assert b"".join(message.get("body", b"") for message in sent) == b'{"status":204}'


async def test_a_poll_at_another_worker_is_given_up_when_this_one_leaves(tmp_path: Path) -> None:
    assert await passed_on(tmp_path, None) == (False, [])


async def test_a_push_to_another_worker_is_answered_while_this_one_leaves(tmp_path: Path) -> None:
    was_answered, sent = await passed_on(tmp_path, None, "POST")

    assert was_answered
    assert sent[0]["status"] == 200
