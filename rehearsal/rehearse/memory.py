"""The memory of everything that a rehearsal runs: this process and all its descendants."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final

_INTERVAL_SECONDS: Final = 0.5
_MIB: Final = 1024 * 1024
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class MemoryMeter:
    """Samples the resident memory of the process tree; `take_peak` gives the highest since it was last asked.

    Pages that processes share are counted for each of them, so the figure is an upper bound. 0 without /proc.
    """

    def __init__(self) -> None:
        self._peak = 0.0
        self._lock = threading.Lock()
        threading.Thread(target=self._run, daemon=True).start()

    def take_peak(self) -> float:
        """Highest sum so far in MiB; the next measurement begins."""
        now = tree_mib()
        with self._lock:
            peak, self._peak = max(self._peak, now), 0.0
        return round(peak, 0)

    def _run(self) -> None:
        ended = threading.Event()
        while not ended.wait(_INTERVAL_SECONDS):
            now = tree_mib()
            with self._lock:
                self._peak = max(self._peak, now)


def tree_mib(root: int | None = None) -> float:
    """Resident memory of a process (this one) and all its descendants in MiB."""
    parents = _parents()
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    waiting, total = [root or os.getpid()], 0
    while waiting:
        pid = waiting.pop()
        total += _resident(pid)
        waiting.extend(children.get(pid, ()))
    return total / _MIB


def _parents() -> dict[int, int]:
    found: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # pid (name) state ppid …: the name may hold anything, parentheses too.
            found[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0
