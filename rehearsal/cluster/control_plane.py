"""A control plane for as long as a `with` block, or its process, lasts."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rehearsal.cluster import facts as instance_facts
from rehearsal.cluster import workspace
from rehearsal.cluster.control import Control
from rehearsal.cluster.errors import ClusterError
from rehearsal.cluster.http_api import Api
from rehearsal.cluster.programs import BIN, BUILD_COMMAND, REPOSITORY, missing

START_SECONDS, END_SECONDS = 120.0, 20.0


class ControlPlane:
    """A running control plane: where it is (`kubeconfig`, `api`) and what can be asked of it (`control`)."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, ready: dict[str, Any]) -> None:
        self._process = process
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self.socket = folder / workspace.SOCKET
        self.server = str(ready["server"])
        self.control = Control(self.socket)
        self.api = Api(server=self.server, authority=folder / "credentials" / "ca.crt", token=str(ready["token"]))

    @classmethod
    def start(
        cls,
        *,
        facts: instance_facts.Facts | Path | None = None,
        bin_folder: Path = BIN,
        progress: Callable[[str], None] = lambda _: None,
    ) -> Self:
        """Start a control plane and wait until it is ready; ClusterError when a program is missing or does not start.

        `facts` are instance facts or a JSON file of them; they can also be set later. Several control planes can run
        side by side. Each ends with the process that started it, whatever ends that.
        """
        absent = missing(bin_folder)
        if absent:
            raise ClusterError(f"the control plane needs {', '.join(absent)}: run `{BUILD_COMMAND}`")
        given = instance_facts.read(facts) if isinstance(facts, Path) else facts
        workspace.sweep()
        started = time.monotonic()
        plane = cls._start(bin_folder, progress)
        if given:
            plane.control.set_facts(given)
        progress(f"control plane ready after {time.monotonic() - started:.1f} s")
        return plane

    @classmethod
    def _start(cls, bin_folder: Path, progress: Callable[[str], None]) -> Self:
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.supervisor", f"--owner={os.getpid()}", f"--bin={bin_folder}"],
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                # A session of its own: Ctrl-C reaches the owner alone, which then ends this in order.
                start_new_session=True,
            )
            folder: Path | None = None
            try:
                for event in _events(process, time.monotonic() + START_SECONDS):
                    if event["event"] == "folder":
                        folder = Path(event["path"])
                    elif event["event"] == "progress":
                        progress(event["text"])
                    elif event["event"] == "failed":
                        raise ClusterError(event["error"])
                    elif event["event"] == "ready" and folder:
                        return cls(process, folder, event)
                errors.seek(0)
                raise ClusterError(f"the supervisor ended early:\n{errors.read().decode(errors='replace')[-3000:]}")
            except BaseException:
                _end(process, folder)
                raise

    def close(self) -> None:
        """End every part and remove the folder; again is fine."""
        _end(self._process, self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _events(process: subprocess.Popen[bytes], deadline: float) -> Any:
    """Yield the supervisor's events until it ends its output; ClusterError when it is late."""
    assert process.stdout is not None
    rest = b""
    while True:
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise ClusterError(f"the control plane is not ready after {START_SECONDS:g} s")
        chunk = os.read(process.stdout.fileno(), 65536)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (json.loads(line) for line in lines)


def _end(process: subprocess.Popen[bytes], folder: Path | None) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if folder:
        # Its own supervisor has done this, unless it was killed.
        shutil.rmtree(folder, ignore_errors=True)
