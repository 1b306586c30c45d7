"""Runs lives of several nodes: `python -m tests.simulation --seeds 1000 --jobs 2`."""

import os
import sys

if os.environ.get("PYTHONHASHSEED") != "0":  # a fixed order of sets of texts
    arguments = [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
    os.execve(sys.executable, arguments, {**os.environ, "PYTHONHASHSEED": "0"})

from tests.simulation.runner import main

main()
