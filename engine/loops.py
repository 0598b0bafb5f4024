"""Ends what an inline program leaves behind when the engine stops in the middle of it."""

from __future__ import annotations

import asyncio
import time

#: How long the SDK's thread may take to notice that the engine has gone.
_NOTICE_SECONDS = 3.0
_POLL_SECONDS = 0.02
#: The SDK runs the loop several times in a row while it cleans up: it is done when the loop stays still for so long.
_STILL_POLLS = 5
#: How often a loop may have been told to stop beforehand.
_STOPS = 5


def close_loop(loop: asyncio.AbstractEventLoop | None) -> None:
    """Closes the loop that the SDK ran a program on, if the SDK did not.

    It does not when the program still waits for the engine; Python would then complain at exit about tasks and sockets.
    """
    if loop is None or not _is_left(loop):
        return
    pending = asyncio.all_tasks(loop)
    for task in pending:
        task.cancel()
    loop.set_exception_handler(lambda _loop, _context: None)
    if pending:  # gathering nothing makes a future of another loop
        _wait(loop, asyncio.gather(*pending, return_exceptions=True))
    loop.close()


def _wait(loop: asyncio.AbstractEventLoop, ended: asyncio.Future[list[object]]) -> None:
    """Runs the loop until all have ended.

    A program that was asking the engine something when it went has left word that the loop is to stop; a run that meets
    it ends at once, and the next one goes on.
    """
    for _ in range(_STOPS):
        try:
            loop.run_until_complete(ended)
        except RuntimeError:
            continue
        return


def _is_left(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether nobody runs the loop any more, and nobody has closed it. False also while it still runs."""
    deadline, still = time.monotonic() + _NOTICE_SECONDS, 0
    while still < _STILL_POLLS and time.monotonic() < deadline:
        if loop.is_closed():
            return False
        still = 0 if loop.is_running() else still + 1
        time.sleep(_POLL_SECONDS)
    return still >= _STILL_POLLS
