"""Tells a supervisor that its owner has gone, however it went."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable


def watch(owner: int, gone: Callable[[], None]) -> None:
    """Call `gone` once, from another thread, when standard input ends or the process `owner` does.

    Either alone can fail: a process that the owner forked may hold the pipe's other end open, and the owner may close
    the pipe on purpose. Where there is no pidfd (not Linux) the pipe alone counts.
    """
    threading.Thread(target=_watch, args=(owner, gone), name="lifeline", daemon=True).start()


def _watch(owner: int, gone: Callable[[], None]) -> None:
    poll = select.poll()
    poll.register(0, select.POLLIN | select.POLLHUP)
    try:
        pidfd = os.pidfd_open(owner)
    except (AttributeError, OSError):
        pidfd = None
    if pidfd is not None:
        poll.register(pidfd, select.POLLIN)
    # The owner may have ended before pidfd_open, and its number gone to another process.
    while os.getppid() == owner:
        for descriptor, _ in poll.poll(5000):
            if descriptor == pidfd or not os.read(0, 1024):
                gone()
                return
    gone()
