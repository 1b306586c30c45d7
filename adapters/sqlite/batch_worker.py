"""A thread for a blocking resource, so that the event loop never waits for it."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, Generic, TypeVar

from domain.errors import StorageUnavailable

Job = TypeVar("Job")
Batch = list[tuple[Job, asyncio.Future[Any], float]]
"""Each job with the future of its result, and when it was submitted, by the monotonic clock."""


class BatchWorker(Generic[Job]):
    """Runs jobs in one thread; jobs submitted while it is busy form its next batch.

    So the jobs of a batch share its costs (two thread switches, a commit with its fsync). `run` is
    called in the thread with a batch in the order of submission, and returns one result per job;
    an exception among the results is raised to that job's caller, one that `run` itself raises to
    all callers. `gather_s`: how long a batch waits for more jobs, if the previous batch had more
    than one. `on_done`: called with the seconds that each job has taken, with its wait for the
    thread, and with its result or exception.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[Sequence[Job]], Sequence[object]],
        *,
        gather_s: float = 0.0,
        on_done: Callable[[float, object], None] | None = None,
    ) -> None:
        self._name = name
        self._on_done = on_done
        self._run = run
        self._gather_s = gather_s
        self._waiting: Batch[Job] = []
        self._executor: ThreadPoolExecutor | None = None

    def __repr__(self) -> str:
        state = "closed" if self._executor is None else "open"
        return f"<BatchWorker {self._name} {state} waiting={len(self._waiting)}>"

    async def open(self, prepare: Callable[[], None]) -> None:
        """Start the thread and run `prepare` in it. Raises what that raises, and stays closed."""
        self._loop = asyncio.get_running_loop()
        self._had_company = False
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
        """Refuse further jobs, run those already submitted, then `finish`, and end the thread."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        await self._idle.wait()
        await self._loop.run_in_executor(executor, finish)
        executor.shutdown()

    def submit(self, job: Job) -> asyncio.Future[Any]:
        """Submit a job; await its result. Cancelling the future does not stop the job.

        Raises: StorageUnavailable, when the worker is not open.
        """
        if self._executor is None:
            raise StorageUnavailable(f"{self._name} is not open")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((job, future, monotonic()))
        if self._idle.is_set():
            self._idle.clear()
            self._start_soon(self._executor)
        return future

    def _start_soon(self, executor: ThreadPoolExecutor) -> None:
        if self._had_company and self._gather_s:
            self._loop.call_later(self._gather_s, self._start, executor)
        else:
            # Not at once, so that jobs submitted in this iteration of the loop join the batch.
            self._loop.call_soon(self._start, executor)

    def _start(self, executor: ThreadPoolExecutor) -> None:
        batch, self._waiting = self._waiting, []
        self._had_company = len(batch) > 1
        running = self._loop.run_in_executor(executor, self._run, [job for job, _, _ in batch])
        running.add_done_callback(lambda done: self._finish(executor, batch, done))

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
        now = monotonic()
        for (_, future, since), result in zip(batch, results, strict=True):
            if self._on_done is not None:
                self._on_done(now - since, result)
            if future.done():  # its caller has cancelled it
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)
