"""A program that backs a database up, or restores it, and is killed before one of its steps.

    python -m tests.support.interrupted_copy backup|restore FROM TO STEP [BYTES]

A step is a call of the operating system that changes files. It ends with 0 where there are fewer
steps. BYTES: no file may become larger, as on a full disk.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapters.sqlite.backup import SERVER, back_up, put_back
from domain.errors import StorageUnavailable

STEPS = ("chmod", "fchmod", "ftruncate", "fsync", "link", "mkdir", "rename", "unlink")
_left = 0


def _killing(call: Callable[..., Any]) -> Callable[..., Any]:
    def step(*arguments: Any, **options: Any) -> Any:
        global _left
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)

    return step


def _main(what: str, source: str, target: str, step: str, limit: str = "") -> None:
    global _left
    _left = int(step)
    for name in STEPS:
        setattr(os, name, _killing(getattr(os, name)))
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    try:
        {"backup": back_up, "restore": put_back}[what](Path(source), Path(target), SERVER)
    except StorageUnavailable as error:
        sys.exit(str(error))


if __name__ == "__main__":
    _main(*sys.argv[1:])
