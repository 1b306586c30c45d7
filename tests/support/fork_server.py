"""Programs forked from a process that has imported the product, which saves a start's CPU.

That process has run nothing but imports, in one thread. What is forked from it is a process of its
own, with its own environment, folder, files, signals and end, and runs its module as `python -m`
does.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple

_PRELOADED = ("adapters", "entrypoints")
_MAX_REQUEST = 1 << 17
_NUMBER = struct.Struct("i")


class Forked(NamedTuple):
    """A running program."""

    pid: int
    ended: IO[bytes]
    """A pipe that receives the input of `exit_code` when the program has ended."""


def exit_code(told: bytes) -> int:
    """Return the exit code: minus the number of the signal, where one has killed the program."""
    return int(_NUMBER.unpack(told)[0])


class ForkServer:
    """A process that forks programs, started at once; it ends with the one that started it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self._stop)

    def start(
        self,
        module: str,
        *arguments: str,
        folder: Path,
        environment: Mapping[str, str],
        files: tuple[int, int, int],
        fresh: bool = False,
    ) -> Forked:
        """Run `python -m MODULE ARGUMENTS`; `files`: its input, output and log, open here too.

        `fresh`: with an interpreter that has imported nothing yet.
        """
        request = json.dumps([module, arguments, str(folder), dict(environment), fresh]).encode()
        reading, writing = os.pipe()
        ended = open(reading, "rb", buffering=0)
        with open(writing, "wb"):
            socket.send_fds(self._requests, [request], [*files, writing])
        return Forked(_NUMBER.unpack(ended.read(_NUMBER.size))[0], ended)

    def _stop(self) -> None:
        self._requests.close()
        self._process.wait()


# The process that forks.


def _serve(requests: socket.socket) -> None:
    """Fork a program for each request, and return in each; or, once nobody can ask, here."""
    for package in map(importlib.import_module, _PRELOADED):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(".__main__"):  # which would run it
                importlib.import_module(module.name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait below
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests and the programs
    while True:
        request, files, _, _ = socket.recv_fds(requests, _MAX_REQUEST, 4)
        if not request:
            return
        if os.fork() == 0:
            break
        for file in files:
            os.close(file)
    requests.close()
    *standard, ended = files
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if pid := os.fork():
        for file in (*standard, 0, 1, 2):
            os.close(file)
        os.write(ended, _NUMBER.pack(pid))
        _, status = os.waitpid(pid, 0)
        os.write(ended, _NUMBER.pack(os.waitstatus_to_exitcode(status)))
        os._exit(0)
    os.close(ended)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(standard):
        os.dup2(file, number)
        os.close(file)
    module, arguments, folder, environment, fresh = json.loads(request)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if fresh:
        os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
    sys.argv[1:] = arguments
    sys.modules.pop(module, None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
