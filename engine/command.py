"""The Pulumi CLI as a child process that ends with us."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

from pulumi.automation import CommandResult, OnOutput, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

#: How long the engine may finish the steps that run when it is told to stop; afterwards it is killed.
GRACE_SECONDS = 60.0


class Command(PulumiCommand):
    """Runs the CLI in a process group of its own, so that Ctrl-C reaches it once, from us, and is waited for.

    The engine then finishes the steps that run, writes its state and releases the stack's lock. A second Ctrl-C, or
    GRACE_SECONDS, kills it: `killed` then says that the lock may be left.
    """

    def __init__(self, binary: Path, version: str) -> None:
        # The parent's constructor only knows `root/bin/pulumi` and asks for the version once more.
        self.command = str(binary)
        self.version = VersionInfo.parse(version.removeprefix("v"))
        self.killed = False

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,
        on_error: OnOutput | None = None,
    ) -> CommandResult:
        """As the parent's; Ctrl-C or SIGTERM stops the engine before it gets further."""
        argv = [self.command, "--non-interactive", *args]
        env = {**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        stdout: list[str] = []
        stderr: list[str] = []
        with (
            _terminate_as_interrupt(),
            subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env=env,
                encoding="utf-8",
                start_new_session=True,
            ) as process,
        ):
            readers = [_reader(process.stdout, on_output, stdout), _reader(process.stderr, on_error, stderr)]
            try:
                process.wait()
            except BaseException:
                self._stop(process)
                raise
            for reader in readers:
                reader.join()
        result = CommandResult(stdout="\n".join(stdout), stderr="\n".join(stderr), code=process.returncode)
        if result.code != 0:
            raise create_command_error(result)
        return result

    def _stop(self, process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(GRACE_SECONDS)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            self.killed = True
            process.kill()
            process.wait()


def _reader(stream: IO[str] | None, callback: OnOutput | None, lines: list[str]) -> threading.Thread:
    def read() -> None:
        for line in stream or ():
            lines.append(line.rstrip())
            if callback:
                callback(lines[-1])

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """SIGTERM (a cancelled CI job) stops the engine as Ctrl-C does. Signals reach only the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
