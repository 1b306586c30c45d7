"""Runs lives of the unmodified product: `python -m tests.simulation.product --seeds 100`."""

import os
import sys


def run() -> None:
    """Begin again with a fixed order of sets of texts, replace the surroundings, and live."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        arguments = [sys.executable, "-m", "tests.simulation.product", *sys.argv[1:]]
        os.execve(sys.executable, arguments, {**os.environ, "PYTHONHASHSEED": "0"})
    from tests.simulation.product import machine

    machine.replace_surroundings()  # before the product is imported

    from tests.simulation.product.runner import main

    main()


run()
