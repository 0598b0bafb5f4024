"""Runs a program that ends when the process that started it does: `launch.py PARENT_PID PROGRAM ARGUMENT...`.

PR_SET_PDEATHSIG survives exec, so the kernel kills the program even when its parent is killed with SIGKILL. Elsewhere
than on Linux the program is simply run; the supervisor still ends it on every other path.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask for the signal, then become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # The parent may have ended before the call above: then nobody would send the signal.
        if os.getppid() != parent:
            sys.exit(1)
    os.execv(program, sys.argv[2:])


main()
