"""Model servers as child processes of the benchmark: start them, read the line they announce themselves with, end them."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

REPOSITORY = Path(__file__).resolve().parents[2]


class ServerError(RuntimeError):
    """A model server did not come up; the text says what it printed last."""


class Child:
    """A Python module run as a child. `announced` waits for its first line of JSON; the rest goes to its log."""

    def __init__(self, module: str, arguments: Sequence[str], log: Path) -> None:
        self._log = log
        self._file = log.open("a")
        command = [sys.executable, "-m", module, *arguments]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._file, cwd=REPOSITORY, text=True, bufsize=1
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._lines.put(line)
        self._lines.put(None)

    def announced(self, limit_s: float) -> dict[str, Any]:
        """The JSON object the child prints once it serves.

        Raises:
            ServerError: it ended first, or said nothing in time.
        """
        try:
            line = self._lines.get(timeout=limit_s)
        except queue.Empty:
            raise ServerError(f"a model server was not up within {limit_s:.0f} s: {self._last_words()}") from None
        if line is None:
            raise ServerError(f"a model server ended before it served: {self._last_words()}")
        return json.loads(line)

    def _last_words(self) -> str:
        return " / ".join(self._log.read_text().splitlines()[-3:]) or "it printed nothing"

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def stop(self) -> None:
        """End the child, by force after five seconds."""
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._file.close()
