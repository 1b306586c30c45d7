"""Runs lives of the unmodified product: `python -m tests.simulation.product --seeds 100`."""

import os
import sys

if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets of texts
    os.execve(
        sys.executable,
        [sys.executable, "-m", "tests.simulation.product", *sys.argv[1:]],
        {**os.environ, "PYTHONHASHSEED": "0"},
    )

from tests.simulation.product.runner import main

main()
