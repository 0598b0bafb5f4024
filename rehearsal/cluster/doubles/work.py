"""A queue of names that are due: each is held once, now or later, and handed out one at a time."""

from __future__ import annotations

import threading
import time


class WorkQueue:
    """Names with the time from which they are due; adding a name that waits keeps the earlier time."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._changed = threading.Condition()

    def add(self, name: str, *, after: float = 0.0) -> None:
        """Make `name` due in `after` seconds."""
        due = time.monotonic() + after
        with self._changed:
            self._due[name] = min(due, self._due.get(name, due))
            self._changed.notify()

    def take(self) -> str:
        """Wait for the first name that is due and return it."""
        with self._changed:
            while True:
                now = time.monotonic()
                name = min(self._due, key=self._due.__getitem__, default=None)
                if name is not None and self._due[name] <= now:
                    del self._due[name]
                    return name
                self._changed.wait(None if name is None else self._due[name] - now)
