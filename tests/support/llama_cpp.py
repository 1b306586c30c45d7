"""llama.cpp's server with a real model, as a process of its own: from .venv-models."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.server import free_port

ROOT = Path(__file__).parents[2]
VENV = ROOT / ".venv-models"
PROGRAM = Path(__file__).with_name("llama_cpp_server.py")
NOT_INSTALLED = "There is no real model: `make .venv-models/.installed` installs one"


class LlamaCpp:
    """The server, which can be killed and started again on the same port."""

    def __init__(self, folder: Path, **chosen: Any) -> None:
        """`folder`: for its log. `chosen`: fields of llama.cpp's parameters, and `ignore_eos`."""
        self._port = free_port()
        self._log = folder / "llama.cpp.log"
        self._chosen = chosen
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"
        self.settings = {
            "ASSISTANT": "openai",
            "OPENAI_BASE_URL": f"{self.url}/v1",
            "OPENAI_API_KEY": "any",
            "OPENAI_MODEL": "smollm2",
            "TURN_QUIET_MS": "0",
        }

    def launch(self) -> None:
        """Start the process, and wait for nothing."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [VENV / "bin/python", PROGRAM, json.dumps({"port": self._port, **self._chosen})],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """Kill the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def until_ready(self) -> None:
        """Wait until the model is loaded. Raises: RuntimeError."""
        while not await self._answers():
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError(f"llama.cpp has not started: {self.log()}")
            await asyncio.sleep(0.05)

    async def until_slot(self, *, is_processing: bool) -> None:
        """Wait until the server's only slot is in use, or free, as it says itself."""
        async with httpx.AsyncClient(base_url=self.url) as client:
            while True:
                (slot,) = (await client.get("/slots")).json()
                if slot["is_processing"] is is_processing:
                    return
                await asyncio.sleep(0.02)

    def log(self) -> str:
        """Return what the server has logged."""
        return self._log.read_text(errors="replace")

    async def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            async with httpx.AsyncClient(base_url=self.url) as client:
                return (await client.get("/health")).status_code == 200
        return False


@asynccontextmanager
async def llama_cpp(folder: Path, **chosen: Any) -> AsyncIterator[LlamaCpp]:
    """Run the server. Without one the test is skipped, but in CI it fails."""
    if not (VENV / ".installed").exists():
        if os.environ.get("CI"):
            pytest.fail(NOT_INSTALLED)
        pytest.skip(NOT_INSTALLED)
    server = LlamaCpp(folder, **chosen)
    server.launch()
    try:
        await server.until_ready()
        yield server
    finally:
        server.kill()
