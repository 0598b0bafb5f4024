"""The process that owns a control plane: `python -m rehearsal.cluster.supervisor --owner PID --bin FOLDER`.

It starts every part, plays the machines, answers the control socket, and ends all of it when its owner ends: on end of
standard input, on the owner's death, on SIGTERM. Parts die with it even when it is killed (`launch.py`). Until it is
ready it writes JSON lines to standard output: {"event": "folder" | "progress" | "ready" | "failed", ...}.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from rehearsal.cluster import crds, credentials, lifeline, parts, stages, workspace
from rehearsal.cluster.commands import Commands
from rehearsal.cluster.control_socket import serve
from rehearsal.cluster.doubles import node_class
from rehearsal.cluster.doubles.agent import Agent
from rehearsal.cluster.errors import ClusterError
from rehearsal.cluster.http_api import Api
from rehearsal.cluster.process import Command, Part, tail

T = TypeVar("T")
POLL_SECONDS = 0.02
START_SECONDS = 60.0


class OwnerGoneError(Exception):
    """The owner has gone while something was awaited."""


class Supervisor:
    """Holds the parts. Parts are started by the main thread only: `on_main` brings work there."""

    def __init__(self, bin_folder: Path) -> None:
        self.workspace = workspace.create()
        self.bin = bin_folder
        self.parts: dict[str, Part] = {}
        self._commands: dict[str, Command] = {}
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        # Holds the port: nobody else is given it, and the API server, even restarted, shares it (SO_REUSEPORT).
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._port.bind((credentials.LOOPBACK, 0))
        self.layout = parts.Layout(
            bin=bin_folder,
            folder=self.workspace.folder,
            logs=self.workspace.logs,
            credentials=credentials.create(self.workspace.folder / "credentials"),
            port=self._port.getsockname()[1],
        )
        self.api = self._api("rehearsal-doubles")
        self.agent = Agent(self.api, parser=bin_folder / "plugin-config", facts={}, log=self.log)

    def stop(self) -> None:
        """End the main loop, from any thread or from a signal handler."""
        self._stopping.set()
        self._work.put(None)

    def start(self) -> None:
        """Bring up everything but Karpenter; ClusterError with the end of the log when a part does not come up."""
        self.spawn(parts.etcd(self.layout))
        self.spawn(parts.apiserver(self.layout))
        for user in credentials.USERS:
            credentials.write_kubeconfig(self.layout.credentials, user, self.layout.server)
        credentials.write_kubeconfig(
            self.layout.credentials, "admin", self.layout.server, path=self.workspace.kubeconfig
        )
        self.wait(self.api.is_ready, *self.parts)
        emit("progress", text="API server ready")
        for command in (parts.controller_manager(self.layout), parts.scheduler(self.layout)):
            self.spawn(command)
        stage_file = stages.write(self.bin / "stages", self.workspace.folder / "stages.yaml")
        self.spawn(parts.kwok(self.layout, stage_file))
        names = crds.install(self.api, self.bin / "crds")
        self.wait(lambda: crds.are_established(self.api, names), *self.parts, "kube-apiserver")
        default_account = "/api/v1/namespaces/default/serviceaccounts/default"
        self.wait(lambda: self.api.find(default_account) is not None, *self.parts, "kube-controller-manager")
        self.agent.start(certificate=self.layout.credentials.certificate, key=self.layout.credentials.key)
        node_class.start(self.api)
        serve(self.workspace.socket, Commands(self).run)

    def run(self) -> None:
        """Do what `on_main` brings until `stop`."""
        while not self._stopping.is_set():
            task = self._work.get()
            if task is not None:
                task()

    def end(self) -> None:
        """End every part and remove the folder."""
        for part in reversed(self.parts.values()):
            part.end()
        self.workspace.remove()

    def on_main(self, task: Callable[[], T]) -> T:
        """Run `task` in the main thread and return what it returns."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(task())
            except Exception as error:
                future.set_exception(error)

        self._work.put(run)
        return future.result()

    def spawn(self, command: Command) -> Part:
        """Start a part (main thread)."""
        self._commands[command.name] = command
        self.parts[command.name] = Part(command)
        return self.parts[command.name]

    def respawn(self, name: str) -> Part:
        """Start a part that has ended, as it was started before (main thread)."""
        if name in self.parts and self.parts[name].exit_code is None:
            raise ClusterError(f"{name} is running")
        return self.spawn(self._commands[self.known(name)])

    def known(self, name: str) -> str:
        """Return `name`, or raise ClusterError naming the parts there are."""
        if name not in self.parts:
            raise ClusterError(f"there is no part {name}: there are {', '.join(sorted(self.parts))}")
        return name

    def wait(self, done: Callable[[], bool], *names: str) -> None:
        """Wait until `done` while the parts `names` (the last is the one waited for) run.

        ClusterError with the end of its log for the first that ends, or for the last when it is late.
        """
        deadline = time.monotonic() + START_SECONDS
        while not done():
            if self._stopping.is_set():
                raise OwnerGoneError
            ended = next((name for name in names if self.parts[name].exit_code is not None), None)
            if ended:
                raise ClusterError(f"{ended} ended with {self.parts[ended].exit_code}. {self._end_of_log(ended)}")
            if time.monotonic() > deadline:
                late = names[-1]
                raise ClusterError(f"{late} is not ready after {START_SECONDS:g} s. {self._end_of_log(late)}")
            time.sleep(POLL_SECONDS)

    def log(self, text: str) -> None:
        """Add a line to the supervisor's own log."""
        with contextlib.suppress(OSError), open(self.workspace.logs / "supervisor.log", "a") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {text}\n")

    def _end_of_log(self, name: str) -> str:
        return f"The end of its log:\n{tail(self.parts[name].command.log)}"

    def _api(self, user: str) -> Api:
        made = self.layout.credentials
        return Api(server=self.layout.server, authority=made.authority, token=made.tokens[user])


def emit(event: str, **values: Any) -> None:
    """Tell the owner, who may have gone."""
    with contextlib.suppress(OSError):
        print(json.dumps({"event": event, **values}), flush=True)


def main() -> int:
    """Hold a control plane until the owner goes; 0 when it came up, 1 when it did not."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--owner", type=int, required=True)
    parser.add_argument("--bin", type=Path, required=True)
    arguments = parser.parse_args()
    supervisor = Supervisor(arguments.bin)
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: supervisor.stop())
        lifeline.watch(arguments.owner, supervisor.stop)
        emit("folder", path=str(supervisor.workspace.folder))
        supervisor.start()
        emit("ready", server=supervisor.layout.server, token=supervisor.layout.credentials.tokens["admin"])
        _silence()
        supervisor.run()
        return 0
    except OwnerGoneError:
        return 0
    except ClusterError as error:
        emit("failed", error=str(error))
        return 1
    finally:
        supervisor.end()


def _silence() -> None:
    """Let go of the owner's pipe: nobody reads it from now on."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


if __name__ == "__main__":
    sys.exit(main())
