"""One socket that floods the server with frames, without a token, and what a customer waits."""

from pathlib import Path

import pytest

from tests.attacks.siege import besieged, flood, text
from tests.integration.phoenix.client import masked

FLOODS = {
    "empty pongs": masked(b"", 0x8A),
    "empty pings": masked(b"", 0x89),
    "empty fragments": masked(b"", 0x01) + masked(b"", 0x00) * 10_000,
    "heartbeats": text(None, "1", "phoenix", "heartbeat", {}),
    "joins of unknown topics": text("1", "1", "nobody:1", "phx_join", {}),
}


@pytest.mark.parametrize("frames", FLOODS.values(), ids=FLOODS)
async def test_a_flood_of_frames_delays_nobody_else(frames: bytes, tmp_path: Path) -> None:
    async with besieged(tmp_path) as siege:
        await siege.during(flood(siege.address, frames, seconds=2, bytes_per_s=2_000_000))

    siege.check()
