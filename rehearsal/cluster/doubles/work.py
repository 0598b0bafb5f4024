"""A queue of names that are due: each is held once, now or later, and worked on by one worker at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class WorkQueue:
    """Names with the time from which they are due; adding a name that waits keeps the earlier time."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._taken: set[str] = set()
        self._changed = threading.Condition()

    def add(self, name: str, *, after: float = 0.0) -> None:
        """Make `name` due in `after` seconds; a name being worked on comes round again."""
        due = time.monotonic() + after
        with self._changed:
            self._due[name] = min(due, self._due.get(name, due))
            self._changed.notify()

    @contextmanager
    def take(self) -> Iterator[str]:
        """Wait for the first name that is due and nobody works on; it is the caller's until the block ends."""
        name = self._next()
        try:
            yield name
        finally:
            with self._changed:
                self._taken.discard(name)
                self._changed.notify()

    def _next(self) -> str:
        with self._changed:
            while True:
                now = time.monotonic()
                free = (name for name in self._due if name not in self._taken)
                name = min(free, key=self._due.__getitem__, default=None)
                if name is not None and self._due[name] <= now:
                    del self._due[name]
                    self._taken.add(name)
                    return name
                self._changed.wait(None if name is None else self._due[name] - now)
