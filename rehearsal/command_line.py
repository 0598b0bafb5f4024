"""What the command lines of demo and rehearsal share: exit codes, where they write, how they are stopped."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Final

from rich.console import Console

FINE: Final = 0
#: A promise was broken, or the engine or the control plane failed.
BROKEN: Final = 1
WRONG_INPUT: Final = 2
STOPPED: Final = 130

#: Columns where no terminal says how many it has.
_WIDTH: Final = 120


def console(*, to_stderr: bool = False) -> Console:
    """The terminal; a file or a pipe is written to with a fixed width."""
    found = Console(stderr=to_stderr)
    return found if found.is_terminal else Console(stderr=to_stderr, width=_WIDTH)


def stop_on_sigterm() -> None:
    """SIGTERM (a cancelled CI job) raises KeyboardInterrupt from now on, as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
