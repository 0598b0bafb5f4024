"""Shows that something runs, for how long, and how it ended: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

#: How often a log that is no terminal hears of a long step.
_REMINDER_SECONDS = 15.0


class Steps:
    """Steps that run one after the other; `current` is the one that runs now."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.current = ""

    @contextmanager
    def step(self, words: str) -> Iterator[None]:
        """Shows `words` and the seconds until the block ends, or fails."""
        self.current = words
        live = self._live(words) if self._console.is_terminal else self._lines(words)
        with live:
            yield
        self.current = ""

    @contextmanager
    def _live(self, words: str) -> Iterator[None]:
        columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
        with Progress(*columns, console=self._console, transient=True) as progress:
            progress.add_task(words, total=None)
            yield

    @contextmanager
    def _lines(self, words: str) -> Iterator[None]:
        started, ended = time.monotonic(), threading.Event()

        def remind() -> None:
            while not ended.wait(_REMINDER_SECONDS):
                self._console.print(f"{words}: {time.monotonic() - started:.0f} s", highlight=False)

        self._console.print(f"{words} …", highlight=False)
        reminder = threading.Thread(target=remind, daemon=True)
        reminder.start()
        try:
            yield
        finally:
            ended.set()
            reminder.join()
