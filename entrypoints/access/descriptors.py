"""The file descriptors of a process: what it may need, and what it is allowed."""

import os
import resource

from adapters.phoenix.limits import RESERVED_DESCRIPTORS
from entrypoints.settings import Settings


def descriptors_needed(settings: Settings) -> int:
    """Return the file descriptors that a program with these settings may use."""
    return settings.limit_sockets + settings.limit_connections + RESERVED_DESCRIPTORS


def has_descriptor() -> bool:
    """Return True if the process can open one more file."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return False
    return True


def raise_descriptor_limit(needed: int) -> int:
    """Raise the soft limit of open files as far as needed and allowed; return what it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited:
        return needed
    wanted = needed if hard == unlimited else min(needed, hard)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft
