"""The command that puts recorded conversations to a changed business, and reports what changes."""

import asyncio
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import asdict, replace

from adapters.json_shapes import timestamp
from adapters.urls import without_secrets
from application.answer_versions import AnswerVersions
from application.recorded_turns import RecordedTurn, stored_turns
from application.replay import Trial, TriedTurn, run_all
from domain.answer_comparison import ComparedTurn, ReplayBounds, compare
from domain.business import Business
from domain.digest import digest_of
from domain.errors import AssistantFailed, InvalidPayload, ToolNotCalled, UnknownBusiness
from domain.identity import BusinessId, stored_business
from domain.language import language_detector
from entrypoints.cli.businesses import folder_of_businesses
from entrypoints.cli.exports import exported_turns
from entrypoints.cli.operations import require_stored
from entrypoints.cli.replay_files import (
    MANIFEST,
    TURNS,
    Manifest,
    TurnFile,
    read_manifest,
    write_manifest,
)
from entrypoints.cli.replay_report import ReplayReport, report_of, text_report, write_report
from entrypoints.server.container import Container
from entrypoints.settings import Settings

MAX_REPORTED_QUESTION = 8_000
"""Characters of what a turn answers that are reported."""
FAILURES_IN_A_ROW = 20
"""So many turns that fail one after the other end a replay: the model is away."""
PROGRESS_S = 2.0
STOPPED_BY_SIGNAL = 130
"""The exit code after Ctrl+C, as of a program that the signal has ended."""


class ReplayPlan(Struct, frozen=True, kw_only=True):
    """What is to be replayed, and how."""

    business: str
    model: str | None = None
    """The candidate's; None: as its file and the settings have it."""
    file: Path | None = None
    """The candidate's file, or its folder; None: the one in force."""
    exports: tuple[Path, ...] = ()
    """Where the conversations are; none: in the store."""
    against: Path | None = None
    """The folder of a replay whose answers take the place of the record's."""
    since_s: int | None = None
    limit: int = 200
    concurrency: int = 4
    out: Path | None = None
    resume: bool = False
    bounds: ReplayBounds = ReplayBounds()


def replay(settings: Settings, plan: ReplayPlan, echo: Callable[[str], object]) -> int:
    """Run a replay and report it; return the exit code. Raises: ConversationError."""
    os.umask(0o077)  # what customers wrote is for this user alone
    logging.getLogger("adapters").setLevel(logging.ERROR)  # the progress is printed
    folder = _folder(plan)
    try:
        report = asyncio.run(_replay(settings, plan, folder))
    except asyncio.CancelledError:
        echo(f"stopped: the same command with --resume --out {folder} goes on")
        return STOPPED_BY_SIGNAL
    echo(text_report(report))
    echo(f"\n{folder / 'report.html'}")
    return 1 if report.is_exceeded else 0


async def _replay(settings: Settings, plan: ReplayPlan, folder: Path) -> ReplayReport:
    business_id = stored_business(plan.business)
    task = asyncio.current_task()
    assert task is not None
    with suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    container = Container(settings=settings)
    async with AsyncExitStack() as stack:
        business, documents = await _candidate(settings, plan, business_id)
        trial = await stack.enter_async_context(
            _trial(container, settings, business, documents, folder)
        )
        manifest = await _manifest(container, plan, trial)
        _begin(folder, manifest, plan)
        turns = await stack.enter_async_context(_turns(container, settings, plan, business_id))
        results = stack.enter_context(TurnFile(folder / TURNS, is_written=True))
        against = None
        if plan.against is not None:
            against = stack.enter_context(TurnFile(plan.against / TURNS, is_written=False))
        await _run(turns, trial, results, against, plan.concurrency)
        report = report_of(results, manifest, plan.bounds)
        write_report(folder, report)
        return report


async def _run(
    turns: AsyncIterator[RecordedTurn],
    trial: Trial,
    results: TurnFile,
    against: TurnFile | None,
    concurrency: int,
) -> None:
    """Put the turns that have no result to the candidate.

    Raises: AssistantFailed, StorageUnavailable, InvalidPayload.
    """
    progress, failures = _Progress(len(results)), 0

    async def left() -> AsyncIterator[RecordedTurn]:
        async for turn in turns:
            if turn.key not in results and (against is None or turn.key in against):
                yield turn

    def on_result(turn: RecordedTurn, tried: TriedTurn) -> None:
        nonlocal failures
        result = _compared(turn, tried, trial, against)
        results.append(result)
        progress.add(result)
        failures = failures + 1 if result.after.failure else 0
        if failures == FAILURES_IN_A_ROW:
            raise AssistantFailed(
                f"{failures} turns in a row have failed: {result.after.failure}; "
                "--resume goes on, and tries them again"
            )

    try:
        await run_all(left(), trial, on_result, concurrency=concurrency)
    finally:
        progress.close()
    if not len(results):
        raise UnknownBusiness("there are no recorded answers of the AI to replay")


def _compared(
    turn: RecordedTurn, tried: TriedTurn, trial: Trial, against: TurnFile | None
) -> ComparedTurn:
    earlier = against.get(turn.key) if against is not None else None
    before = earlier.after if earlier is not None else trial.recorded(turn)
    after = replace(tried.answer, failure=without_secrets(tried.answer.failure))
    found = compare(before, after)
    question = "\n".join([message.text for message in turn.questions])
    return ComparedTurn(
        session_id=turn.session.session_id,
        seq=turn.answer.seq,
        at=timestamp(turn.answer.at),
        question=question[:MAX_REPORTED_QUESTION],
        before=before,
        after=after,
        diverged=tried.diverged,
        changes=found.changes,
        similarity=found.similarity,
        weight=round(found.weight, 3),
    )


# The folder.


def _folder(plan: ReplayPlan) -> Path:
    """Return the folder of the replay, which exists. Raises: InvalidPayload."""
    if plan.resume and plan.out is None:
        raise InvalidPayload("--resume needs --out, the folder of the replay that goes on")
    name = f"replay-{plan.business.replace(':', '-')}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder = plan.out or Path(name)
    if plan.resume:
        read_manifest(folder)
    elif (folder / TURNS).exists() or (folder / MANIFEST).exists():
        raise InvalidPayload(f"{folder} has a replay: --resume goes on with it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidPayload(f"{folder}: {error.strerror}") from None
    return folder


async def _manifest(container: Container, plan: ReplayPlan, trial: Trial) -> Manifest:
    business = trial.business
    assert business is not None
    version = asdict(await trial.versions(business))
    model = business.model.model or repr(container.assistant()).strip("<>")
    before = "the record"
    if plan.against is not None:
        earlier = read_manifest(plan.against)
        if earlier.business_id != plan.business:
            raise InvalidPayload(f"{plan.against} is of the business {earlier.business_id}")
        before = f"{plan.against}: {earlier.candidate}"
    return Manifest(
        business_id=plan.business,
        before=before,
        candidate=", ".join([model, *(f"{name} {each or '-'}" for name, each in version.items())]),
        settings=digest_of((business.model, repr(trial.policy), str(trial.time_zone))),
    )


def _begin(folder: Path, manifest: Manifest, plan: ReplayPlan) -> None:
    """Write the manifest, or compare it. Raises: InvalidPayload."""
    if not plan.resume:
        write_manifest(folder, manifest)
        return
    if (known := read_manifest(folder)) != manifest:
        raise InvalidPayload(
            f"{folder} is the replay of another candidate: {known.candidate}; now it is "
            f"{manifest.candidate}"
        )


# The candidate.


async def _candidate(
    settings: Settings, plan: ReplayPlan, business_id: BusinessId
) -> tuple[Business, Path]:
    """Return the business as its file has it, and its documents. Raises: InvalidPayload."""
    in_force = folder_of_businesses(settings)
    file = _file_in(plan.file or in_force, business_id)
    if file is None:
        where = plan.file or in_force
        raise InvalidPayload(
            f"there is no business {business_id} in {where}: --file names its file"
        )
    business = await _read_business(settings, file, business_id)
    if plan.model is not None:
        business = replace(business, model=replace(business.model, model=plan.model))
    own = file.parent if file.name == "business.toml" else file.with_suffix("")
    places = [own / "knowledge"]
    if plan.file is not None and plan.file.is_file():  # a changed file, with the usual documents
        places += [file.parent / "knowledge", in_force / business_id / "knowledge"]
    return business, next((each for each in places if each.is_dir()), places[0])


def _file_in(place: Path, business_id: BusinessId) -> Path | None:
    """Return the file of a business: the place itself, or in a folder of one or of many."""
    if place.is_file():
        return place
    names = ("business.toml", f"{business_id}/business.toml", f"{business_id}.toml")
    return next((place / name for name in names if (place / name).is_file()), None)


async def _read_business(settings: Settings, file: Path, business_id: BusinessId) -> Business:
    """Read a file as the server does. Raises: InvalidPayload, with its mistakes."""
    with TemporaryDirectory() as alone:
        copy = Path(alone) / f"{business_id}.toml"
        try:
            shutil.copyfile(file, copy)
        except OSError as error:
            raise InvalidPayload(f"{file}: {error.strerror}") from None
        container = Container(settings=replace(settings, businesses=alone))
        container.on_knowledge.override(None)
        files = container.business_files()
        assert files is not None
        await files.refresh()
        business = files.last_read(business_id)
        if business is None:
            lines = [line for found in files.mistakes.values() for line in found]
            raise InvalidPayload("\n".join(lines).replace(str(copy), str(file)))
    return business


@asynccontextmanager
async def _trial(
    container: Container,
    settings: Settings,
    business: Business,
    documents: Path,
    folder: Path,
) -> AsyncIterator[Trial]:
    """Open what answers, index the candidate's documents, and list its tools.

    Raises: ToolNotCalled, where a server has not what the candidate allows.
    """
    own = Container(
        settings=replace(settings, businesses=str(folder), knowledge_index=str(folder / "index"))
    )
    index = own.knowledge_index()
    assert index is not None
    tools = own.mcp_tools()
    assert tools is not None
    async with index, tools, container.assistant() as assistant:
        reports = await tools.reports(business)
        if problems := [
            f"tools.{each.server}: {line}" for each in reports for line in each.problems
        ]:
            raise ToolNotCalled("; ".join(problems))
        report = await index.update(business.business_id, documents)
        yield Trial(
            business=replace(business, has_knowledge=report.documents > 0),
            assistant=assistant,
            knowledge=index,
            tools=tools,
            versions=AnswerVersions(assistant=assistant, knowledge=index),
            policy=container.policy(),
            clock=container.clock(),
            new_id=container.new_id(),
            broker=own.no_broker(),
            time_zone=ZoneInfo(settings.time_zone),
            detect=language_detector(container.rank_languages(), business.language),
        )


# The record.


@asynccontextmanager
async def _turns(
    container: Container, settings: Settings, plan: ReplayPlan, business_id: BusinessId
) -> AsyncIterator[AsyncIterator[RecordedTurn]]:
    """Open the record, for reading alone."""
    since = None
    if plan.since_s is not None:
        since = container.clock().now() - timedelta(seconds=plan.since_s)
    if plan.exports:
        yield exported_turns(plan.exports, business_id, since=since, limit=plan.limit)
        return
    require_stored(settings)
    async with container.recorded() as store:
        yield stored_turns(store, store, business_id, since=since, limit=plan.limit)


class _Progress:
    """Says now and then on stderr how far it is."""

    def __init__(self, before: int) -> None:
        self._done = before
        self._changed = self._failed = 0
        self._due = time.monotonic() + PROGRESS_S
        self._is_terminal = sys.stderr.isatty()

    def add(self, turn: ComparedTurn) -> None:
        """Count a result."""
        self._done += 1
        self._changed += bool(turn.changes)
        self._failed += bool(turn.after.failure)
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + PROGRESS_S
            self._print()

    def close(self) -> None:
        """Say it once more."""
        self._print()
        if self._is_terminal:
            print(file=sys.stderr)

    def _print(self) -> None:
        said = f"{self._done} turns, {self._changed} changed, {self._failed} failed"
        end: dict[str, Any] = {"end": ""} if self._is_terminal else {}
        print(f"\r{said}" if self._is_terminal else said, file=sys.stderr, flush=True, **end)
