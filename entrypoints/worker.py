"""A worker: a process that serves what its parent (`entrypoints.workers`) tells it to."""

import asyncio
import socket
import sys
from contextlib import ExitStack, suppress

import msgspec

from domain.errors import ConversationError
from entrypoints.keeper import LEAVE_LINE, StartReport
from entrypoints.logs import configure
from entrypoints.programs import Program
from entrypoints.settings import BadSetting, Settings
from entrypoints.workers import Assignment


def run_worker(descriptor: int) -> None:
    """Run the assignment that comes over a socket, until its end or the parent's."""
    with socket.socket(fileno=descriptor) as line:
        with line.makefile("rb") as lines:
            text = lines.readline()
        if not text:
            return  # the parent has died
        assignment = msgspec.json.decode(text, type=Assignment)
        settings = msgspec.convert(assignment.settings, Settings)
        worker = assignment.worker
        named = {"worker": worker.number} if worker is not None else {}
        configure(settings.log_level, settings.log_format, **named)
        try:
            _serve(Program(assignment.program, settings), assignment, line)
        except (BadSetting, ConversationError) as error:
            report = StartReport(problem=str(error), is_bad_setting=isinstance(error, BadSetting))
            line.sendall(msgspec.json.encode(report) + b"\n")
            sys.exit(1)


def _serve(program: Program, assignment: Assignment, line: socket.socket) -> None:
    from entrypoints.serve import Serving, create_application

    app = create_application(program, assignment.worker)

    def on_started() -> None:
        with suppress(OSError):  # the parent has died, which shows as the end of the line
            line.sendall(msgspec.json.encode(StartReport()) + b"\n")
        line.setblocking(False)
        asyncio.get_running_loop().add_reader(line, on_line)

    def on_line() -> None:
        try:
            text = line.recv(len(LEAVE_LINE))
        except ConnectionError:
            text = b""
        asyncio.get_running_loop().remove_reader(line)
        if text == LEAVE_LINE:
            serving.leave()
        else:
            serving.stop()

    with ExitStack() as stack:
        own, *others = [
            stack.enter_context(socket.socket(fileno=descriptor))
            for descriptor in (assignment.listener, *assignment.others)
        ]
        for other in others:
            other.setblocking(False)
        serving = Serving([app], [own], on_started, others)
        serving.run()
    if app.worker_part is not None:
        app.worker_part.write_metrics()  # all that it has counted


if __name__ == "__main__":
    run_worker(int(sys.argv[1]))
