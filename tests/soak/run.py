"""One run: customers come, chat in calm and under faults, are left in peace, and go."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import quantiles

import httpx

from tests.bench.report import Figure
from tests.soak.customers import Coordinator, Customer, Seen
from tests.soak.parts import Usage, Whole, open_files, running, usage
from tests.soak.rules import (
    Entry,
    broken,
    lost_of_coordinators,
    received_by_bridge,
    stored,
    unsettled,
)

QUIET_S = 90.0
"""Within which all must be settled once the faults are over: a turn's time-out, the claim of a
process that died, and the notices' pauses, on a busy machine."""
WARM, CALM = 0.15, 0.25
"""The shares of a run before the faults."""
MORE_DESCRIPTORS, MORE_THREADS = 8, 8
"""What a process may hold beyond its level before the first customer: a pool of threads fills."""
GONE_S = 30.0
"""After which the sockets of those who have left are closed; of who polls after 15 s."""
MORE_KIB_PER_1000 = 16 * 1024
"""What a process may grow in 1,000 turns without faults: above all conversations, up to
SESSION_CACHE_MIB of them."""
MORE_KIB = 48 * 1024
"""What a process may have grown since the calm: beside the conversations that are kept, what a
storm leaves in the allocator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run; `faults`: the names of those that happen, in turn, or none for all."""

    seconds: float
    customers: int
    store: str = "sqlite"
    seed: int = 1
    faults: Sequence[str] = ()
    hold_s: float = 5.0
    think_s: float = 6.0
    polling: bool = True
    """Whether every tenth customer polls: such a socket is closed 15 s after its last poll."""


@dataclass(slots=True)
class Found:
    """What a run has shown."""

    figures: list[Figure] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


class _Run:
    def __init__(self, plan: Plan, whole: Whole, random: Random) -> None:
        self._plan = plan
        self._whole = whole
        self._random = random
        self._seen = Seen()
        self._found = Found()
        ways = (whole.server.address, f"127.0.0.1:{whole.network.port}")
        self._customers = [
            Customer(
                f"customer-{number}",
                ways[number % 2],
                self._seen,
                Random(f"{plan.seed}-{number}"),
                think_s=plan.think_s,
                polls=plan.polling and number % 10 == 9,
                wants_human=0.08 if number % 5 == 0 else 0.0,
            )
            for number in range(plan.customers)
        ]
        self._coordinators = [Coordinator(each, 3, whole.bridge.address) for each in range(3)]
        self._turns = 0.0

    async def whole(self) -> Found:
        plan, say = self._plan, self._say
        idle = self._usages()
        coordinators = [asyncio.create_task(each.run()) for each in self._coordinators]
        running = [asyncio.create_task(each.run()) for each in self._customers]
        try:
            say("the customers come")
            await asyncio.sleep(plan.seconds * WARM)
            warm, calm_at, turns = self._usages(), time.monotonic(), await self._whole.turns()
            errors = Counter(self._seen.errors)
            await asyncio.sleep(plan.seconds * CALM)
            calm, faults_at = self._usages(), time.monotonic()
            calm_turns = await self._whole.turns() - turns
            calm_errors = self._seen.errors - errors
            await self._suffer(time.monotonic() + plan.seconds * (1 - WARM - CALM))
            over_at = time.monotonic()
            say("the faults are over")
            for customer in self._customers:
                customer.over.set()
            await self._settle()
            self._figure("settled after the faults", time.monotonic() - over_at, "s", QUIET_S)
            for customer in self._customers:
                customer.gone.set()
            await asyncio.wait(running, timeout=GONE_S)
            self._found.broken += [
                f"a customer's client failed: {task.exception()!r}"
                for task in running
                if task.done() and task.exception() is not None
            ]
            await self._judge_all()
        finally:
            for task in (*running, *coordinators):
                task.cancel()
            await asyncio.gather(*running, *coordinators, return_exceptions=True)
        self._latencies("without faults", calm_at, faults_at)
        self._latencies("with faults", faults_at, over_at)
        self._errors(calm_errors)
        self._growth(warm, calm, calm_turns)
        await self._leaks(idle, calm)
        for program in (self._whole.server, self._whole.bridge):
            try:
                if (code := await program.stop()) != 0:
                    self._found.broken.append(f"{program.log.stem} ended with {code}")
            except TimeoutError:
                self._found.broken.append(f"{program.log.stem} does not stop")
        self._logged()
        return self._found

    def _say(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def _figure(
        self, name: str, value: float, unit: str, goal: float | None = None, detail: str = ""
    ) -> None:
        self._found.figures.append(
            Figure(name=name, value=value, unit=unit, goal=goal, detail=detail)
        )

    def _usages(self) -> dict[str, Usage]:
        """What each process holds, by its name and id."""
        server, bridge = self._whole.server, self._whole.bridge
        named = {f"parent {server.pid}": server.pid, f"bridge {bridge.pid}": bridge.pid}
        named |= {f"worker {pid}": pid for pid in server.children}
        found = {}
        for name, pid in named.items():
            with suppress(OSError):
                found[name] = usage(pid, self._whole.ports)
        return found

    async def _suffer(self, until: float) -> None:
        faults = self._whole.faults
        names = list(self._plan.faults or faults)
        pause_s = max(0.5, (until - time.monotonic()) / len(names) - self._plan.hold_s)
        while time.monotonic() < until:
            for name in names:
                self._say(name)
                await faults[name](self._plan.hold_s)
                await asyncio.sleep(pause_s)
                self._whole.model.requests.clear()
                if time.monotonic() >= until:
                    break

    async def _settle(self) -> None:
        """Wait until all that has to happen has happened, or it has taken too long."""
        deadline = time.monotonic() + QUIET_S
        left: list[str] = ["not looked yet"]
        waited_for = list(self._customers)
        while time.monotonic() < deadline:
            try:
                at_bridge = received_by_bridge(self._whole.bridge_database)
                left, still = [], []
                async with self._api() as api:
                    for customer in waited_for:
                        problems = [*unsettled(customer, await stored(api, customer), at_bridge)]
                        if customer.is_in_doubt:
                            problems.append(f"{customer.user_id} has no acknowledgement")
                        if problems:
                            still.append(customer)
                            left += problems
                waited_for = still
                depth = (await self._whole.metrics())["outbox_depth"]
                if depth:
                    left.append(f"the outbox has {depth:.0f} notices")
            except httpx.HTTPError as error:
                left = [f"the server does not answer: {error!r}"]
            if not left:
                return
            await asyncio.sleep(0.5)
        self._found.broken += left

    def _api(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://{self._whole.server.address}", timeout=10.0)

    async def _judge_all(self) -> None:
        entries: list[Entry] = []
        async with self._api() as api:
            for customer in self._customers:
                sessions = await stored(api, customer)
                self._found.broken += broken(customer, sessions)
                for each in sessions.values():
                    entries += each
        written = {each for one in self._coordinators for each in one.written}
        self._found.broken += lost_of_coordinators(written, entries)
        acknowledged = sum(len(each.acknowledged) for each in self._customers)
        self._figure("messages acknowledged", acknowledged, "")
        self._figure("entries stored", len(entries), "")
        self._figure("requests for a human that were met", self._seen.handed_over, "")
        self._figure("messages of coordinators", len(written), "")

    def _latencies(self, when: str, begin: float, end: float) -> None:
        for what, measured in (
            ("acknowledged", self._seen.acknowledged),
            ("answered", self._seen.answered),
        ):
            took = sorted(took for since, took in measured if begin <= since < end)
            self._figure(f"{what}/s {when}", len(took) / (end - begin), "/s")
            if len(took) > 1:
                cut = quantiles(took, n=100, method="inclusive")
                detail = f"p95 {cut[94]:.2f} s, p99 {cut[98]:.2f} s, longest {took[-1]:.2f} s"
                self._figure(f"{what}, median {when}", cut[49] * 1000, "ms", detail=detail)

    def _errors(self, calm: Mapping[str, int]) -> None:
        self._figure(
            "errors seen by clients without faults", sum(calm.values()), "", 0, _counts(calm)
        )
        errors = self._seen.errors - Counter(calm)
        self._figure("errors with faults", sum(errors.values()), "", detail=_counts(errors))
        met: Counter[str] = Counter()
        for coordinator in self._coordinators:
            met += coordinator.errors
        self._figure("errors seen by coordinators", sum(met.values()), "", detail=_counts(met))

    def _growth(self, warm: Mapping[str, Usage], calm: Mapping[str, Usage], turns: float) -> None:
        for name in warm.keys() & calm.keys():
            grown = calm[name].memory_kib - warm[name].memory_kib
            if turns >= 100:
                self._figure(
                    f"{name.split()[0]} grows in 1,000 turns",
                    grown / turns * 1000,
                    "KiB",
                    16 * 1024,
                )

    async def _leaks(self, idle: Mapping[str, Usage], calm: Mapping[str, Usage]) -> None:
        """Compare what is held after the last customer with before the first one."""
        level = {name.split()[0]: each for name, each in idle.items()}
        grown = {name.split()[0]: each.memory_kib for name, each in calm.items()}
        deadline = time.monotonic() + GONE_S
        while True:
            metrics, now = await self._whole.metrics(), self._usages()
            is_level = all(
                each.descriptors - level[name.split()[0]].descriptors <= MORE_DESCRIPTORS
                for name, each in now.items()
            )
            if (is_level and not metrics["sockets_open"]) or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.5)
        self._figure("sockets at the end", metrics["sockets_open"], "", 0)
        self._figure("notices in the outbox at the end", metrics["outbox_depth"], "", 0)
        dead = sum(
            value
            for name, value in metrics.items()
            if name.startswith("notices_total") and 'outcome="dead"' in name
        )
        self._figure("notices that are dead letters", dead, "")
        for name, each in now.items():
            kind, _, pid = name.partition(" ")
            files = each.descriptors - level[kind].descriptors
            threads = each.threads - level[kind].threads
            detail = _counts(open_files(int(pid), self._whole.ports))
            self._figure(f"{kind}: more open files at the end", files, "", MORE_DESCRIPTORS, detail)
            self._figure(f"{kind}: more threads at the end", threads, "", MORE_THREADS)
            self._figure(f"{kind}: connections kept", each.kept, "", self._plan.customers)
            memory = each.memory_kib - grown.get(kind, each.memory_kib)
            detail = f"{each.memory_kib / 1024:.0f} MiB"
            self._figure(f"{kind}: grown since the calm", memory, "KiB", MORE_KIB, detail)

    def _logged(self) -> None:
        """Report what the processes have logged as errors; a crash of ours breaks a rule."""
        counts: Counter[str] = Counter()
        for program in (self._whole.server, self._whole.bridge):
            for line in program.log.read_text().splitlines():
                try:
                    logged = json.loads(line)
                except ValueError:
                    self._found.broken.append(f"{program.log.name}: {line[:200]}")
                    continue
                if logged.get("level", "").lower() in ("error", "critical"):
                    counts[logged.get("action", logged.get("message", "?"))] += 1
                    if "exception" in logged:
                        self._found.broken.append(
                            f"{program.log.stem} logged {logged['exception']}"
                        )
        self._figure("errors in the logs", sum(counts.values()), "", detail=_counts(counts))


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in sorted(counted.items()) if count)


async def soak(plan: Plan, folder: Path) -> Found:
    """Run a plan, with its databases and logs in a folder."""
    random = Random(plan.seed)
    async with running(folder, random, store=plan.store) as whole:
        return await _Run(plan, whole, random).whole()
