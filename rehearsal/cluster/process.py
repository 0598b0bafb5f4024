"""One part of the control plane as a process: started so that it cannot outlive us, watched, measured, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")
TAIL_LINES = 12


@dataclass(frozen=True, kw_only=True)
class Command:
    """What to run: absolute `argv[0]`, whole environment, working folder, and the file that takes both output streams."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path
    log: Path


class Part:
    """A running `Command`. Start parts from a thread that lives as long as this process: the kernel's parent-death
    signal goes by the thread that forked."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.stopped = False
        self.peak_mib: float | None = None
        argv = (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *command.argv)
        with open(command.log, "ab") as log:
            self._process = subprocess.Popen(
                argv,
                cwd=command.folder,
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def pid(self) -> int:
        """Process id; the launcher's exec keeps it."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when one ended it."""
        return self._process.poll()

    def measure(self) -> float | None:
        """Return the peak resident memory so far in MiB, None where the system does not tell."""
        self.peak_mib = peak_mib(self.pid) or self.peak_mib
        return self.peak_mib

    def signal(self, number: int) -> None:
        """Send a signal, as a fault test does: the part counts as died, not as stopped. After SIGKILL it has ended."""
        if self.exit_code is None:
            self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait()

    def end(self) -> None:
        """Kill it and wait for its end. Nothing in the folder outlives it, so there is nothing to say goodbye to."""
        self.stopped = True
        self.measure()
        if self.exit_code is None:
            self._process.kill()
        self._process.wait()

    def describe(self) -> dict[str, object]:
        """Return name, pid, state (running, stopped, died), exit code and peak memory, ready for JSON."""
        code = self.exit_code
        state = "running" if code is None else "stopped" if self.stopped else "died"
        return {
            "name": self.command.name,
            "pid": self.pid,
            "state": state,
            "exitCode": code,
            "peakMiB": self.measure(),
        }


def peak_mib(pid: int) -> float | None:
    """Return the peak resident memory of a process in MiB (VmHWM), None where /proc does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    kib = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)
    return None if kib is None else round(kib / 1024, 1)


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log, empty when there is none."""
    try:
        with open(log, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 64 * 1024))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
