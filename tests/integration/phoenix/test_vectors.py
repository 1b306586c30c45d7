"""Replay of every conversation recorded with the reference implementation."""

import asyncio

import pytest
import uvloop

from tests.support.server import running
from tests.support.vector_app import vector_app, vector_endpoint
from tests.support.vectors import VECTORS, Played, Vector, play, same_frames


async def _play_all() -> dict[str, Played]:
    # Each conversation has a mount of its own, and so its own topics: they are held all at once.
    mounts = [f"/{number}/socket" for number in range(len(VECTORS))]
    async with running(vector_app(*map(vector_endpoint, mounts))) as address:
        played = await asyncio.gather(
            *(
                play(f"ws://{address}{mount}", vector)
                for mount, vector in zip(mounts, VECTORS, strict=True)
            )
        )
    return {vector.name: outcome for vector, outcome in zip(VECTORS, played, strict=True)}


@pytest.fixture(scope="module")
def played() -> dict[str, Played]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_play_all())


@pytest.mark.parametrize("vector", VECTORS, ids=[vector.name for vector in VECTORS])
def test_a_recorded_conversation_goes_as_recorded(
    vector: Vector, played: dict[str, Played]
) -> None:
    outcome = played[vector.name]

    assert same_frames(vector.expect, outcome.got, vector.unordered), (vector, outcome.got)
    if vector.peer is not None:
        assert same_frames(vector.peer.expect, outcome.peer_got), (vector, outcome.peer_got)


def test_there_are_75_recorded_conversations_with_names_of_their_own() -> None:
    names = {vector.name for vector in VECTORS}

    assert len(VECTORS) == len(names) == 75
