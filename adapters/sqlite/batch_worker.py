"""A thread of its own for a blocking resource, so that the event loop never waits for it."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from domain.errors import StorageUnavailable

Job = TypeVar("Job")
Batch = list[tuple[Job, asyncio.Future[Any]]]


class BatchWorker(Generic[Job]):
    """Runs jobs in one thread; those that come while it is busy go together as its next batch.

    So the costs of a batch (two changes of thread, a commit with its fsync) are shared by all of
    it, and the busier it is the more share them. `run` gets a batch in the order of submission,
    in the thread, and returns one result per job; an exception among them is raised to that job's
    caller, one that `run` itself raises to all callers. `gather_s`: how long a batch waits for
    company when the one before it had some; a lone job never waits.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[Sequence[Job]], Sequence[object]],
        *,
        gather_s: float = 0.0,
    ) -> None:
        self._name = name
        self._run = run
        self._gather_s = gather_s
        self._waiting: Batch[Job] = []
        self._executor: ThreadPoolExecutor | None = None

    def __repr__(self) -> str:
        state = "closed" if self._executor is None else "open"
        return f"<Lane {self._name} {state} waiting={len(self._waiting)}>"

    async def open(self, prepare: Callable[[], None]) -> None:
        """Start the thread and run `prepare` in it. Raises: what that raises, and is closed."""
        self._loop = asyncio.get_running_loop()
        self._in_company = False
        executor = ThreadPoolExecutor(1, thread_name_prefix=self._name)
        try:
            await self._loop.run_in_executor(executor, prepare)
        except BaseException:
            executor.shutdown()
            raise
        self._executor = executor
        self._idle = asyncio.Event()
        self._idle.set()

    async def close(self, finish: Callable[[], None]) -> None:
        """Take no more jobs, run those that were submitted, then `finish`, and end the thread."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        await self._idle.wait()
        await self._loop.run_in_executor(executor, finish)
        executor.shutdown()

    def submit(self, job: Job) -> asyncio.Future[Any]:
        """The result of `job`, to be awaited. Whoever stops waiting does not stop the job.

        Raises: StorageUnavailable when the lane is not open.
        """
        if self._executor is None:
            raise StorageUnavailable(f"{self._name} is not open")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((job, future))
        if self._idle.is_set():
            self._idle.clear()
            self._start_soon(self._executor)
        return future

    def _start_soon(self, executor: ThreadPoolExecutor) -> None:
        if self._in_company and self._gather_s:
            self._loop.call_later(self._gather_s, self._start, executor)
        else:
            # Not at once: what else this pass of the loop submits goes with it.
            self._loop.call_soon(self._start, executor)

    def _start(self, executor: ThreadPoolExecutor) -> None:
        batch, self._waiting = self._waiting, []
        self._in_company = len(batch) > 1
        handed_over = self._loop.run_in_executor(executor, self._run, [job for job, _ in batch])
        handed_over.add_done_callback(lambda done: self._finish(executor, batch, done))

    def _finish(
        self,
        executor: ThreadPoolExecutor,
        batch: Batch[Job],
        done: asyncio.Future[Sequence[object]],
    ) -> None:
        if self._waiting:
            self._start_soon(executor)
        else:
            self._idle.set()
        failure = done.exception()
        results = [failure] * len(batch) if failure else done.result()
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():  # its caller has stopped waiting
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)
