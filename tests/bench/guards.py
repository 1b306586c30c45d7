"""The cost of tokens and rate limits, and of traces: a server with them against one without."""

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median, quantiles

import jwt

from tests.bench.load import BUSINESS, SPEAKER, TOPIC, Part, Socket, frame
from tests.bench.measures import (
    MEMORY,
    Costs,
    Effort,
    Measure,
    alternate,
    compared,
    named,
    side_of,
)
from tests.bench.report import Figure
from tests.bench.servers import Running, running
from tests.support.tokens import SECRET, claims, public_pem, rsa_key, token

LIMITS = {
    "RATE_LIMITS": "on",
    "LIMIT_SOCKETS_PER_ADDRESS": "1000000",
    "LIMIT_FRAMES_PER_S": "1000000",
    "LIMIT_JOINS_PER_S": "100000",
    "LIMIT_MESSAGES_PER_USER": "100000",
    "LIMIT_MESSAGES_PER_BUSINESS": "10000000",
    "ALLOW_INSECURE": "1",
}
"""Limits that are checked and never reached."""
BY_SECRET = {**MEMORY, **LIMITS, "SOCKET_AUTH": "jwt", "JWT_SECRET": SECRET}
SECRETLY = Part(token_for=token)


def _signed(user: str) -> str:
    return jwt.encode(claims(user), rsa_key(), "RS256")


async def guards(effort: Effort) -> list[Figure]:
    """Measure turns and joins with tokens and limits, against the same without."""
    async with AsyncExitStack() as stack:
        free = await side_of(stack, effort, running("server", settings=MEMORY))
        guarded = await side_of(stack, effort, running("server", settings=BY_SECRET), SECRETLY)
        without, with_them = await alternate(effort, free=free, guarded=guarded)
        joins = await _joins(effort, free.server, guarded.server, SECRETLY)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        path = Path(folder) / "key.pem"
        path.write_text(public_pem(rsa_key()))
        by_key = {**MEMORY, **LIMITS, "SOCKET_AUTH": "jwt", "JWT_PUBLIC_KEY_FILE": str(path)}
        signed = stack.enter_context(running("server", settings=by_key))
        signed_joins = await _joins(
            effort, free.server, signed, replace(SPEAKER, token_for=_signed)
        )
    return [
        compared("turn with tokens and limits, CPU", with_them, without, goal=1.1),
        _added("join by a token (HS256) and limits, CPU added", joins),
        _added("join by a token (RS256) and limits, CPU added", signed_joins),
    ]


class _Joiner(Socket):
    """A connection that is there before it joins."""

    def __init__(self, user: str, part: Part) -> None:
        super().__init__()
        payload = {"businessId": BUSINESS, "userId": user}
        if part.token_for is not None:
            payload["token"] = part.token_for(user)
        self._join = frame(["1", "1", TOPIC, "phx_join", payload])
        self._on_frame = self._on_reply

    @classmethod
    async def connected(cls, port: int, user: str, part: Part) -> "_Joiner":
        """Raises: BenchmarkFailed."""
        make = partial(cls, user, part)
        _, joiner = await asyncio.get_running_loop().create_connection(make, "127.0.0.1", port)
        await joiner.ready
        return joiner

    def join(self) -> None:
        """`ready` is done when it has joined."""
        self.ready = asyncio.get_running_loop().create_future()
        self.transport.write(self._join)

    def _on_reply(self, frame: bytes) -> None:
        if b'"status":"ok"' in frame:
            self.ready.set_result(None)
        else:
            self._fail(f"refused: {frame[:200]!r}")


async def _joins(
    effort: Effort, free: Running, guarded: Running, part: Part
) -> Mapping[str, Costs]:
    """Measure the cost of a join on each server in turn, with and without tokens and limits."""
    costs = {"without": Costs("without"), "with": Costs("with")}
    for number in range(2 * effort.rounds):
        for name, server, its in (("without", free, SPEAKER), ("with", guarded, part)):
            users = named(f"joins-{number}", effort.connections)
            joiners = [await _Joiner.connected(server.port, user, its) for user in users]
            before = server.cpu_us()
            for joiner in joiners:
                joiner.join()
            await asyncio.gather(*(joiner.ready for joiner in joiners))
            costs[name].rounds.append((server.cpu_us() - before) / len(joiners))
            for joiner in joiners:
                await joiner.close()
    return costs


def _added(name: str, costs: Mapping[str, Costs]) -> Figure:
    pairs = zip(costs["with"].rounds, costs["without"].rounds, strict=True)
    extra = [guarded - free for guarded, free in pairs]
    low, _, high = quantiles(extra, n=4)
    return Figure(
        name=name,
        value=median(extra),
        unit="µs",
        goal=150.0,
        detail=f"{costs['with']}, {costs['without']}; "
        f"half of {len(extra)} rounds within {low:.0f} and {high:.0f}",
    )


async def tracing(effort: Effort) -> list[Figure]:
    """Measure turns that are traced against turns that are not."""
    async with AsyncExitStack() as stack:
        sink = stack.enter_context(running("sink"))
        sides = {"none": await side_of(stack, effort, running("server", settings=MEMORY))}
        for name, sampler in (("none sampled", "0"), ("a twentieth", "0.05"), ("all", "1")):
            settings = {
                **MEMORY,
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://127.0.0.1:{sink.port}/v1/traces",
                "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
                "OTEL_TRACES_SAMPLER_ARG": sampler,
                "OTEL_BSP_MAX_QUEUE_SIZE": "200000",  # nothing is dropped, which would be cheaper
            }
            sides[name] = await side_of(stack, effort, running("server", settings=settings))
        none, unsampled, some, every = await alternate(effort, **sides)
    return [
        compared("turn with every trace exported, CPU", every, none, goal=1.05),
        compared("  with one in twenty", some, none, goal=1.05),
        compared("  with none sampled", unsampled, none),
    ]


GUARD_MEASURES: Mapping[str, Measure] = {"guards": guards, "tracing": tracing}
