"""A running control plane as its callers see it: one typed method per command of `commands.py`."""

from __future__ import annotations

import dataclasses
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.cluster.control_socket import ask
from rehearsal.cluster.doubles import daemons
from rehearsal.cluster.doubles.daemons import Daemon
from rehearsal.cluster.errors import ClusterError
from rehearsal.cluster.facts import Facts, dump
from rehearsal.cluster.http_api import Api

TIMEOUT_SECONDS = 90.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class PartStatus:
    """One part: `state` is running, stopped (by us) or died; memory is the peak so far in MiB."""

    name: str
    pid: int
    state: str
    exit_code: int | None
    peak_mib: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class MachineStatus:
    """One node as its doubles play it: device resources, the config it runs, and what is wrong (empty: nothing)."""

    resources: Mapping[str, int]
    config: str
    strategy: str
    error: str


class Control:
    """Talks to the supervisor behind `socket`; any process of this user may."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket

    def status(self) -> tuple[PartStatus, ...]:
        """Return every part, sorted by name."""
        return tuple(
            PartStatus(
                name=one["name"],
                pid=one["pid"],
                state=one["state"],
                exit_code=one["exitCode"],
                peak_mib=one["peakMiB"],
            )
            for one in self._ask("status")
        )

    def machines(self) -> dict[str, MachineStatus]:
        """Return node name -> what its doubles say."""
        return {name: MachineStatus(**one) for name, one in self._ask("machines").items()}

    def set_facts(self, facts: Facts) -> None:
        """Give the facts that nodes and Karpenter's instance types are made from."""
        self._ask("set_facts", facts=dump(facts))

    def start_karpenter(
        self,
        *,
        instance_types: Path | None = None,
        feature_gates: Mapping[str, bool] | None = None,
        batch_idle_seconds: float = 1.0,
        batch_max_seconds: float = 10.0,
        log_level: str = "info",
        environment: Mapping[str, str] | None = None,
    ) -> int:
        """Start Karpenter and wait until its caches are full; return its pid. Instance types come from the facts where
        no file is given; the NodeOverlay gate is on where no gates are."""
        return self._ask(
            "start_karpenter",
            instance_types=str(instance_types) if instance_types else None,
            feature_gates={"NodeOverlay": True} if feature_gates is None else dict(feature_gates),
            batch_idle_seconds=batch_idle_seconds,
            batch_max_seconds=batch_max_seconds,
            log_level=log_level,
            environment=dict(environment or {}),
        )

    def stop_karpenter(self) -> bool:
        """End Karpenter; False when it was not running."""
        return self._ask("stop_karpenter")

    def join_nodes(
        self,
        group: str,
        *,
        instance_type: str,
        count: int,
        labels: Mapping[str, str] | None = None,
        taints: Sequence[Mapping[str, str]] = (),
    ) -> tuple[str, ...]:
        """Bring a node group to `count` nodes; return the names of those added. Capacity comes from the facts."""
        added = self._ask(
            "join_nodes",
            group=group,
            instance_type=instance_type,
            count=count,
            labels=dict(labels or {}),
            taints=[dict(taint) for taint in taints],
        )
        return tuple(added)

    def remove_nodes(self, group: str, *, keep: int = 0) -> tuple[str, ...]:
        """Drain and remove a group's nodes but the first `keep`; return their names."""
        return tuple(self._ask("remove_nodes", group=group, keep=keep))

    def apply_daemon(self, daemon: Daemon) -> None:
        """Create or change a daemon: its pods roll when its pod template changed, and not otherwise."""
        self._ask("apply_daemon", daemon=daemons.dump(daemon))

    def remove_daemon(self, daemon: Daemon) -> bool:
        """Remove a daemon; False when there was none."""
        return self._ask("remove_daemon", name=daemon.name, namespace=daemon.namespace)

    def install_release(
        self, chart: str, *, name: str, namespace: str, values: Mapping[str, Any]
    ) -> tuple[Daemon, ...]:
        """Install or upgrade a release of a chart that has a double (`releases.CHARTS`); return its daemons, which
        `wait_rolled_out` waits for. The namespace is made where it is missing."""
        found = self._ask("install_release", chart=chart, name=name, namespace=namespace, values=dict(values))
        return tuple(daemons.parse(one) for one in found)

    def uninstall_release(self, chart: str, *, name: str, namespace: str, values: Mapping[str, Any]) -> None:
        """Remove what `install_release` with the same arguments put there."""
        self._ask("uninstall_release", chart=chart, name=name, namespace=namespace, values=dict(values))

    def kill_part(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a part a signal, as a fault test does."""
        self._ask("kill_part", name=name, number=int(number))

    def start_part(self, name: str) -> int:
        """Start a part that has ended; return its pid."""
        return self._ask("start_part", name=name)

    def tail(self, name: str, lines: int = 40) -> str:
        """Return the last lines of a part's log ("supervisor" for the doubles')."""
        return self._ask("tail", name=name, lines=lines)

    def stop(self) -> None:
        """End the control plane; its owner's `close` does the same."""
        self._ask("stop")

    def wait_rolled_out(self, daemon: Daemon, api: Api, *, seconds: float = 60.0) -> None:
        """Wait as a Helm release does: until every node that the daemon selects runs its newest pod.

        ClusterError when that takes longer, with what is wrong on the nodes.
        """
        deadline = time.monotonic() + seconds
        while not _is_rolled_out(api.get(daemon.path)):
            if time.monotonic() > deadline:
                wrong = [f"{name}: {one.error}" for name, one in self.machines().items() if one.error]
                raise ClusterError(f"{daemon.name} is not rolled out after {seconds:g} s. {'; '.join(wrong)}".strip())
            time.sleep(0.1)

    def _ask(self, command: str, **arguments: Any) -> Any:
        return ask(self.socket, command, arguments, timeout=TIMEOUT_SECONDS)


def _is_rolled_out(daemon_set: Mapping[str, Any]) -> bool:
    status = daemon_set.get("status") or {}
    wanted = status.get("desiredNumberScheduled", 0)
    return (
        status.get("observedGeneration") == daemon_set["metadata"]["generation"]
        and status.get("updatedNumberScheduled", 0) == wanted
        and status.get("numberAvailable", 0) == wanted
    )
