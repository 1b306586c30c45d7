"""Nobody can stop the server or fill it: another customer is answered, and its memory is bounded.

Each attack runs for a moment, on a server of its own, over the loopback interface alone. The bounds
are ten times the goals of `python -m tests.bench attacks`; docs/security-tests.md lists what was
tried.
"""

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.attacks.attacks import (
    FLOODS_OF_REQUESTS,
    UNREAD,
    Attack,
    bursts_at_once,
    floods_of_frames,
    unfinished_requests,
    wrong_sockets,
)
from tests.attacks.siege import behind_nginx, besieged, connection, short_silence
from tests.integration.phoenix.client import HEARTBEAT, opened
from tests.support.nginx import NGINX
from tests.support.user import user

FLOODS_OF_FRAMES = floods_of_frames(6_000_000)
SECONDS = 1.5


@pytest.mark.parametrize("attack", FLOODS_OF_FRAMES.values(), ids=FLOODS_OF_FRAMES)
async def test_a_flood_of_frames_delays_nobody_else(attack: Attack, tmp_path: Path) -> None:
    async with besieged(tmp_path) as siege:
        await siege.during(attack(siege, SECONDS))

    siege.check()
    assert siege.limits_met() == {"frames"}


@pytest.mark.parametrize("attack", FLOODS_OF_REQUESTS.values(), ids=FLOODS_OF_REQUESTS)
async def test_an_endless_request_neither_fills_the_server_nor_stops_it(
    attack: Attack, tmp_path: Path
) -> None:
    async with besieged(tmp_path) as siege:
        await siege.during(attack(siege, SECONDS))

    siege.check()
    assert siege.limits_met() <= {"head", "pipeline"}
    assert siege.limits_met()


@pytest.mark.parametrize("attack", UNREAD.values(), ids=UNREAD)
async def test_what_is_not_read_does_not_fill_the_server(attack: Attack, tmp_path: Path) -> None:
    async with besieged(tmp_path) as siege:
        await siege.during(attack(siege, SECONDS))

    siege.check()


BEHIND_NGINX = {
    **{name: FLOODS_OF_FRAMES[name] for name in ("empty pongs", "joins of unknown topics")},
    "requests whose answers are not read": FLOODS_OF_REQUESTS[
        "requests whose answers are not read"
    ],
    **UNREAD,
}


@pytest.mark.skipif(NGINX is None, reason="nginx is not on this machine")
@pytest.mark.parametrize("attack", BEHIND_NGINX.values(), ids=BEHIND_NGINX)
async def test_an_attack_through_nginx_delays_nobody_else(attack: Attack, tmp_path: Path) -> None:
    proxied = {"TRUSTED_PROXIES": "127.0.0.1", "ALLOW_INSECURE": "1"}
    async with besieged(tmp_path, environment=proxied) as siege:
        async with behind_nginx(siege):
            await siege.during(attack(siege, SECONDS))

    siege.check()


async def test_requests_without_an_end_do_not_shut_the_server(tmp_path: Path) -> None:
    async with besieged(tmp_path, open_files=256) as siege:
        await siege.during(unfinished_requests(siege, SECONDS))
        async with user(siege.address, "b1", "late") as late:
            await late.join()
            await siege.say(late)

    siege.check()
    assert siege.limits_met() == {"descriptors"}
    assert "descriptors_low" in [line["action"] for line in siege.log]


async def test_hundreds_of_sockets_that_send_at_once_delay_nobody_else(tmp_path: Path) -> None:
    async with besieged(tmp_path) as siege:
        await siege.during(bursts_at_once(siege, SECONDS), customers=3)

    siege.check()


async def test_a_process_without_descriptors_says_so_and_recovers(tmp_path: Path) -> None:
    async with besieged(tmp_path) as siege:
        hard = siege.take_descriptors()
        async with AsyncExitStack() as stack:
            for _ in range(30):
                await stack.enter_async_context(connection(siege.address))
            await siege.until_logged("limit_met")
        siege.take_descriptors(hard)
        await siege.during(asyncio.sleep(0.1))

    siege.check()
    assert siege.limits_met() == {"descriptors"}


async def test_a_hundred_sockets_that_do_everything_wrong_delay_nobody_else(
    tmp_path: Path,
) -> None:
    async with besieged(tmp_path) as siege:
        await siege.during(wrong_sockets(siege.address, SECONDS, 100), customers=5)

    siege.check()


async def test_nobody_is_closed_for_a_silence_while_the_process_was_stopped() -> None:
    async with (
        short_silence() as (address, process),
        opened(address) as client,
        opened(address) as silent,
    ):
        assert await client.is_alive()
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(1.5)
        await client.send(*HEARTBEAT)
        process.send_signal(signal.SIGCONT)

        assert (await client.receive())[1] == "hb"
        assert await silent.close_code() == 1002
