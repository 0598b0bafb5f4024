"""Waiting for what a cluster shows in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECONDS = 90.0


def eventually(found: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> object:
    """Return the first true value of `found`, asked again until then; fails with the last one when that takes too long."""
    deadline = time.monotonic() + seconds
    while True:
        value = found()
        if value:
            return value
        assert time.monotonic() < deadline, f"still {value!r} after {seconds:g} s"
        time.sleep(0.1)
