"""The parent of the workers: binds the addresses, and runs the processes that serve on them.

It imports no framework: it serves nothing itself. A worker is a fresh interpreter
(`entrypoints.worker`) that inherits the listening sockets, so that no connection is refused while
workers come and go. Each has one of its own, over which the system spreads the connections evenly;
what one leaves waiting there, since it hangs or has died, the others accept. Over a pair of sockets
it gets what it is to run, and reports how that went; when that closes, the parent has died, and the
worker ends.
"""

import asyncio
import itertools
import logging
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from secrets import token_hex
from tempfile import mkdtemp
from typing import Any, Literal

import msgspec

from entrypoints.access.descriptors import descriptors_needed, raise_descriptor_limit
from entrypoints.keeper import Keeper, Place, Process, spawn
from entrypoints.programs import (
    Program,
    check_descriptors,
    joined,
    listen,
    log_end,
    log_start,
    url_of,
)
from entrypoints.settings import share_of
from entrypoints.worker_folder import Worker, WorkerFolder

logger = logging.getLogger(__name__)

LATEST_END_S = 20.0
"""The time for the end of a process beyond its drain and its last turns."""
RETIRED_AGAIN_S = 1.0
"""The pause before a worker that could not be removed from the folder is removed again."""


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is to run: the first line that it gets from its parent, in JSON."""

    program: Literal["server", "bridge"]
    settings: dict[str, Any]
    listener: int
    """The descriptor of its listening socket."""
    others: tuple[int, ...]
    """Those of the other workers' listening sockets."""
    worker: Worker | None
    """None: the only process of its program."""


def run_workers(
    count: int,
    *programs: Program,
    on_listening: Callable[[Sequence[str]], None] = lambda urls: None,
) -> None:
    """Run `count` processes of the server, and one of the bridge if it is among the programs.

    Signals and `on_listening` are as for `run_programs`; SIGUSR2 replaces the workers one by one.
    Raises: CannotListen, BadSetting, WorkersFailed.
    """
    with ExitStack() as stack:
        counts = [count if program.name == "server" else 1 for program in programs]
        listeners = [listen(program, n) for program, n in zip(programs, counts, strict=True)]
        for listener in itertools.chain(*listeners):
            stack.enter_context(listener)
        urls = [url_of(program, own[0]) for program, own in zip(programs, listeners, strict=True)]
        folder = WorkerFolder(mkdtemp(prefix="ai-agent-server-"))
        stack.callback(shutil.rmtree, folder.path, ignore_errors=True)
        shared = [_shared_out(program, count) for program in joined(programs, urls)]
        # The limit is inherited.
        descriptors = raise_descriptor_limit(max(descriptors_needed(p.settings) for p in shared))

        def on_started() -> None:
            for program, url in zip(programs, urls, strict=True):
                more = {"workers": count} if program.name == "server" else {}
                log_start(program, url, **more)
            check_descriptors(shared, descriptors)
            on_listening(urls)

        places: dict[str, Sequence[Place]] = {
            program.name: _places(program, [listener.fileno() for listener in own], folder)
            for program, own in zip(shared, listeners, strict=True)
        }
        keeper = Keeper(places["server"], places.get("bridge", []), on_started)
        uses_switch = any(program.settings.broker == "local" for program in shared)
        asyncio.run(_run(keeper, folder.switch if uses_switch else None))
    for program in programs:
        log_end(program)


def _shared_out(program: Program, count: int) -> Program:
    if program.name == "bridge":
        return program
    return Program("server", share_of(program.settings, count))


async def _run(keeper: Keeper, switch: str | None) -> None:
    if switch is None:
        await keeper.run()
        return
    from adapters.broker.local import LocalSwitch

    async with LocalSwitch(switch):
        await keeper.run()


def _places(program: Program, listeners: Sequence[int], folder: WorkerFolder) -> Sequence[Place]:
    """Return the places of a program's processes, each with a listening socket of its own."""
    settings = program.settings
    end_s = settings.drain_s + settings.turn_timeout_s + LATEST_END_S
    if program.name == "bridge":
        start = partial(_start, program, listeners[0])
        return [Place(start, end_s=end_s, fields={"program": "bridge"})]
    return [
        Place(
            partial(_start_worker, program, number, listeners, folder),
            end_s=end_s,
            fields={"worker": number},
        )
        for number in range(1, len(listeners) + 1)
    ]


async def _start_worker(
    program: Program, number: int, listeners: Sequence[int], folder: WorkerFolder
) -> Process:
    name = f"{number}-{token_hex(4)}"
    worker = Worker(number=number, wanted=len(listeners), name=name, folder=folder.path)
    own = listeners[number - 1]
    others = tuple(other for other in listeners if other != own)
    process = await _start(program, own, others, worker)
    process.ended.add_done_callback(lambda _: asyncio.create_task(_retire(folder, name)))
    return process


async def _retire(folder: WorkerFolder, name: str) -> None:
    """Remove a worker that has ended from the folder."""
    while True:
        try:
            await asyncio.to_thread(folder.retire, name)  # one that hangs may have it locked
            return
        except (OSError, RuntimeError) as error:  # no descriptor, disk or thread is left
            extra = {"action": "worker_not_retired", "problem": str(error)}
            logger.warning("The folder of the workers cannot be written", extra=extra)
            await asyncio.sleep(RETIRED_AGAIN_S)


async def _start(
    program: Program, listener: int, others: tuple[int, ...] = (), worker: Worker | None = None
) -> Process:
    settings = msgspec.structs.asdict(program.settings)
    assignment = Assignment(
        program=program.name, settings=settings, listener=listener, others=others, worker=worker
    )
    return await spawn(
        *(sys.executable, "-P", "-m", "entrypoints.worker"),
        assignment=msgspec.json.encode(assignment) + b"\n",
        descriptors=(listener, *others),
    )
