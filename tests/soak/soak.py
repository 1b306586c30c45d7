"""The soak: everything runs, everything fails by turns, and in the end everything is right.

A soak warms up without faults and lets all customers leave, to know what the processes hold at
rest. Then come the faults, one after the other with time to recover. At last all is healed, nobody
writes any more, what is owed is awaited, and everybody leaves: what is stored is compared with what
each customer has seen, and what the processes hold with what they held at rest.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

import httpx

from tests.bench.report import Figure
from tests.soak.customers import BUSINESS, Coordinator, Customer, Seen
from tests.soak.parts import Usage, Whole, running, usage

COORDINATORS = 3
AFTERMATH_S = 4.0
"""A message that was sent so soon after a fault counts as sent during it."""
MOST_DESCRIPTORS, MOST_THREADS = 40, 10
"""What a process may hold at rest after the faults beyond what it held before them."""
SLACK_KIB, MOST_KIB_PER_1000_TURNS = 40_960.0, 2_048.0
"""What caches and the allocator may keep for good, and what may be added with each turn."""
QUIET_S = 90.0
SETTLED = 5
GONE_S = 30.0
SHOWN = ("all", "customer+coordinator")
"""The audiences of entries that a customer sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long a soak takes, and how much happens in it."""

    faults_s: float = 270.0
    warm_up_s: float = 20.0
    hold_s: float = 4.0
    """A fault lasts so long; then there is none for twice as long."""
    customers: int = 240
    polling: int = 24
    """Of the customers: those who poll. Every fifth customer is behind a network that fails."""
    think_s: float = 16.0
    store: str = "sqlite"
    kinds: Sequence[str] = ()
    """The faults by name, each of which comes at least once; empty: all, while time lasts."""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a soak: what was violated (nothing, if all is right), and what was measured."""

    violations: Sequence[str]
    figures: Sequence[Figure]
    faults: Sequence[str]


async def soak(plan: Plan, folder: Path, *, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Run a soak in a folder, where it leaves the programs' logs."""
    random = Random(plan.seed)
    async with running(folder, random, store=plan.store) as whole:
        return await _Soak(plan, whole, random, say).run()


class _Soak:
    def __init__(
        self, plan: Plan, whole: Whole, random: Random, say: Callable[[str], None]
    ) -> None:
        self._plan = plan
        self._whole = whole
        self._random = random
        self._say = say
        self._seen = Seen()
        self._windows: list[tuple[float, float]] = []
        self._done: list[str] = []
        self._violations: list[str] = []
        self._peaks: Counter[str] = Counter()
        self._failed_faults: list[str] = []

    async def run(self) -> Outcome:
        self._say("warming up")
        warm = self._customers("warm", Seen())
        tasks = self._begin(warm)
        await asyncio.sleep(self._plan.warm_up_s)
        await self._end(warm, tasks, "warm-up")
        at_rest = self._held()

        customers = self._customers("customer", self._seen)
        coordinators = [
            Coordinator(number, COORDINATORS, self._whole.bridge.address)
            for number in range(COORDINATORS)
        ]
        desks = [asyncio.create_task(each.run()) for each in coordinators]
        tasks = self._begin(customers)
        began = time.monotonic()
        await self._faults(began)
        self._say("all is healed: what is owed is awaited")
        quiet_s = await self._end(customers, tasks, "soak")
        seconds = time.monotonic() - began - quiet_s
        for desk in desks:
            desk.cancel()
        await asyncio.gather(*desks, return_exceptions=True)
        await self._nothing_stays_open()
        turns = max(1.0, len(self._seen.answered))
        await self._stored_as_seen(customers, coordinators)
        await self._comes_to_rest(at_rest)
        leaks = self._leaks(at_rest, turns)
        await self._ends_in_order()
        figures = [
            *self._latencies(seconds, quiet_s),
            *leaks,
            *self._errors(coordinators),
            *self._surprises(),
        ]
        return Outcome(self._violations, figures, self._done)

    # The run

    def _customers(self, name: str, seen: Seen) -> list[Customer]:
        plan, whole = self._plan, self._whole
        return [
            Customer(
                f"{name}-{number}",
                f"127.0.0.1:{whole.network.port}" if number % 5 == 4 else whole.server.address,
                seen,
                Random(f"{plan.seed} {name} {number}"),
                think_s=plan.think_s,
                polls=number < plan.polling,
                wants_human=0.03 if name == "customer" else 0.0,
            )
            for number in range(plan.customers)
        ]

    def _begin(self, customers: Sequence[Customer]) -> list["asyncio.Task[None]"]:
        return [asyncio.create_task(each.run()) for each in customers]

    async def _end(
        self, customers: Sequence[Customer], tasks: Sequence["asyncio.Task[None]"], what: str
    ) -> float:
        """Wait until nothing is owed, then let the customers leave; return the seconds of it."""
        began = time.monotonic()
        for customer in customers:
            customer.over.set()
        settled = 0  # how often in a row: what comes last may be two entries
        while settled < SETTLED:
            unsettled = [each for each in customers if not each.is_settled]
            settled = 0 if unsettled else settled + 1
            if unsettled and time.monotonic() - began > QUIET_S:
                names = ", ".join(each.user_id for each in unsettled[:5])
                owed = sum(len(each.owed) for each in unsettled)
                self._violations.append(
                    f"{len(unsettled)} customers are still owed {owed} answers {QUIET_S:g} s after "
                    f"the {what}: {names} …"
                )
                break
            await asyncio.sleep(0.2)
        quiet_s = time.monotonic() - began
        for customer in customers:
            customer.gone.set()
        await asyncio.wait(tasks, timeout=GONE_S)
        for task in tasks:
            if not task.done():
                task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, BaseException) and not isinstance(ended, asyncio.CancelledError):
                raise ended
        return quiet_s

    async def _faults(self, began: float) -> None:
        """Let one thing after the other go wrong, with time to recover from each."""
        plan = self._plan
        faults = self._whole.faults
        kinds = [(name, faults[name]) for name in plan.kinds or faults]
        number = 0
        await asyncio.sleep(plan.hold_s)
        while time.monotonic() - began < plan.faults_s or number < len(plan.kinds):
            name, happens = kinds[number % len(kinds)]
            number += 1
            self._say(f"{time.monotonic() - began:4.0f} s  {name}")
            since = time.monotonic()
            await happens(plan.hold_s)
            self._windows.append((since, time.monotonic()))
            self._done.append(name)
            self._look()
            await asyncio.sleep(2 * plan.hold_s)
        await asyncio.sleep(plan.hold_s)

    def _look(self) -> None:
        for name, held in self._held().items():
            for what in ("memory_kib", "descriptors", "threads"):
                key = f"{name} {what}"
                self._peaks[key] = max(self._peaks[key], getattr(held, what))

    def _held(self) -> dict[str, Usage]:
        """What the server's parent, its largest worker and the bridge hold now."""
        server, bridge = self._whole.server, self._whole.bridge
        held = {"parent": usage(server.pid), "bridge": usage(bridge.pid)}
        workers = []
        for pid in server.children:
            try:
                workers.append(usage(pid))
            except OSError:
                continue  # it has just ended
        if workers:
            held["worker"] = Usage(
                max(each.memory_kib for each in workers),
                max(each.descriptors for each in workers),
                max(each.threads for each in workers),
            )
        return held

    # The judgement

    async def _nothing_stays_open(self) -> None:
        """Sockets and outbox go to 0 once all have left."""
        deadline = time.monotonic() + GONE_S
        while True:
            metrics = await self._whole.metrics()
            sockets, outbox = metrics["sockets_open"], metrics["outbox_depth"]
            if sockets == outbox == 0:
                return
            if time.monotonic() > deadline:
                if sockets:
                    self._violations.append(f"{sockets:g} sockets are open, and nobody is there")
                if outbox:
                    self._violations.append(
                        f"{outbox:g} notices are in the outbox, with all parts up"
                    )
                return
            await asyncio.sleep(0.5)

    async def _stored_as_seen(
        self, customers: Sequence[Customer], coordinators: Sequence[Coordinator]
    ) -> None:
        by_coordinators: Counter[str] = Counter()
        async with httpx.AsyncClient(
            base_url=f"http://{self._whole.server.address}", timeout=30.0
        ) as api:
            for customer in customers:
                path = f"/api/users/{BUSINESS}/{customer.user_id}/export"
                export = (await api.get(path)).raise_for_status().json()
                for conversation in export["conversations"]:
                    log = conversation["messages"]
                    by_coordinators.update(
                        each["messageId"] for each in log if each.get("author") == "coordinator"
                    )
                self._violations += judged(customer, export["conversations"])
        for coordinator in coordinators:
            for message_id in coordinator.written:
                if by_coordinators[message_id] != 1:
                    self._violations.append(
                        f"the coordinator's message {message_id} is stored "
                        f"{by_coordinators[message_id]} times"
                    )

    async def _comes_to_rest(self, at_rest: dict[str, Usage]) -> None:
        """Wait for connections that are kept for the next request, and end when none comes."""
        deadline = time.monotonic() + GONE_S
        while time.monotonic() < deadline:
            now = self._held()
            if all(
                now[name].descriptors - before.descriptors <= MOST_DESCRIPTORS
                for name, before in at_rest.items()
            ):
                return
            await asyncio.sleep(0.5)

    def _leaks(self, at_rest: dict[str, Usage], turns: float) -> list[Figure]:
        figures = []
        now = self._held()
        for name, before in at_rest.items():
            after = now[name]
            grown = {
                "descriptors": (after.descriptors - before.descriptors, MOST_DESCRIPTORS),
                "threads": (after.threads - before.threads, MOST_THREADS),
            }
            for what, (more, most) in grown.items():
                peak = self._peaks[f"{name} {what}"]
                detail = (
                    f"{getattr(before, what)} before, {peak} at most, {getattr(after, what)} after"
                )
                figures.append(
                    Figure(
                        name=f"{name}: more {what} at rest",
                        value=more,
                        unit="",
                        goal=most,
                        detail=detail,
                    )
                )
            per_1000 = (after.memory_kib - before.memory_kib) / turns * 1000
            peak = self._peaks[f"{name} memory_kib"]
            figures.append(
                Figure(
                    name=f"{name}: memory for 1,000 turns",
                    value=per_1000,
                    unit="KiB",
                    goal=SLACK_KIB / turns * 1000 + MOST_KIB_PER_1000_TURNS,
                    detail=f"{before.memory_kib / 1024:.0f} MiB before, {peak / 1024:.0f} at most, "
                    f"{after.memory_kib / 1024:.0f} after",
                )
            )
        for figure in figures:
            if figure.verdict.startswith("MISSED"):
                self._violations.append(f"{figure.name}: {figure.value:.0f} {figure.unit}")
        return figures

    async def _ends_in_order(self) -> None:
        for program in (self._whole.server, self._whole.bridge):
            try:
                code = await program.stop()
            except TimeoutError:
                self._violations.append(f"{program.log.stem} does not stop")
                continue
            if code != 0:
                self._violations.append(f"{program.log.stem} ended with {code}")

    # The figures

    def _latencies(self, seconds: float, quiet_s: float) -> list[Figure]:
        seen = self._seen
        figures = [
            Figure(name="answers", value=len(seen.answered) / seconds, unit="/s",
                   detail=f"{len(seen.acknowledged)} messages, {len(seen.answered)} answers of the "
                   f"AI, {seen.handed_over} hand-overs in {seconds:.0f} s"),
            Figure(name="until all was answered", value=quiet_s, unit="s"),
        ]  # fmt: skip
        for what, measured in (("acknowledged", seen.acknowledged), ("answered", seen.answered)):
            for when in ("calm", "with a fault"):
                chosen = sorted(
                    took
                    for at, took in measured
                    if self._is_calm(at, at + took) == (when == "calm")
                )
                if len(chosen) < 2:
                    continue
                cuts = quantiles(chosen, n=100)
                figures.append(
                    Figure(
                        name=f"{what}, {when}",
                        value=cuts[49] * 1000,
                        unit="ms",
                        detail=f"of {len(chosen)}: 90 % {cuts[89] * 1000:.0f} ms, "
                        f"99 % {cuts[98] * 1000:.0f} ms, longest {chosen[-1] * 1000:.0f} ms",
                    )
                )
        return figures

    def _is_calm(self, since: float, until: float) -> bool:
        return not any(since < end + AFTERMATH_S and until > begin for begin, end in self._windows)

    def _errors(self, coordinators: Sequence[Coordinator]) -> list[Figure]:
        at_desks: Counter[str] = Counter()
        for coordinator in coordinators:
            at_desks.update(coordinator.errors)
        left_behind = sum(each.left_behind for each in coordinators)
        return [
            Figure(name="live chats that nobody had", value=left_behind, unit="x"),
            *(
                Figure(name=f"{who}: {kind}", value=count, unit="x")
                for who, counted in (("customers", self._seen.errors), ("coordinators", at_desks))
                for kind, count in counted.most_common()
            ),
        ]

    def _surprises(self) -> list[Figure]:
        """What the programs logged as errors, by action."""
        figures = []
        for program in (self._whole.server, self._whole.bridge):
            errors: Counter[str] = Counter()
            for line in program.log.read_text().splitlines():
                if not line.startswith("{"):
                    errors["no JSON"] += bool(line.strip())
                    continue
                logged = json.loads(line)
                if logged.get("level", "").lower() in ("error", "critical"):
                    errors[logged.get("action", logged.get("message", "?"))] += 1
            figures += [
                Figure(name=f"{program.log.stem} logs {action}", value=count, unit="x")
                for action, count in errors.most_common()
            ]
        return figures


def judged(customer: Customer, conversations: Sequence[Any]) -> list[str]:
    """Return what is wrong between what a customer has seen and what is stored."""
    wrong = []
    name = customer.user_id
    stored = {
        each["conversation"]["sessionId"]: [
            entry for entry in each["messages"] if entry.get("audience", "all") in SHOWN
        ]
        for each in conversations
    }
    for message_id, (session_id, seq) in customer.acknowledged.items():
        found = [
            each["seq"]
            for each in stored.get(session_id, ())
            if each.get("messageId") == message_id
        ]
        if found != [seq]:
            wrong.append(
                f"{name}: {message_id} was acknowledged as {seq}, and is stored as {found}"
            )
    for session_id, log in stored.items():
        said = [each["messageId"] for each in log if each.get("author") == "user"]
        wrong += [
            f"{name}: {each} is stored {count} times"
            for each, count in Counter(said).items()
            if count > 1
        ]
        answered = Counter(each for entry in log for each in entry.get("inReplyTo", ()))
        wrong += [
            f"{name}: {each} is answered {count} times"
            for each, count in answered.items()
            if count > 1
        ]
        seqs = [each["seq"] for each in log]
        if seqs != sorted(set(seqs)):
            wrong.append(f"{name}: the log is not in order: {seqs}")
        view = customer.views.get(session_id)
        if view is None:
            wrong.append(f"{name}: has never seen the session {session_id}")
            continue
        missing = [each for each in seqs if each not in view.entries]
        if missing:
            wrong.append(f"{name}: has not seen {missing} of {seqs[-1]}")
        wrong += [f"{name}: no answer to {each}" for each in unanswered(log)]
    return wrong


def unanswered(log: Sequence[Any]) -> list[str]:
    """Return the ids of the messages to the AI that have neither an answer nor gone to a human."""
    waiting: list[str] = []
    with_ai = True
    for entry in log:
        if entry["kind"] == "status":
            with_ai = entry["status"] == "ai"
            if not with_ai:
                waiting = []
        elif entry["author"] == "user" and with_ai:
            waiting.append(entry["messageId"])
        else:
            waiting = [each for each in waiting if each not in entry["inReplyTo"]]
    return waiting


def shown(line: str) -> None:
    """Print progress apart from the report."""
    print(line, file=sys.stderr, flush=True)
