"""What can be asked of a running control plane: one method per command, named as the request names it."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehearsal.cluster import facts as instance_facts
from rehearsal.cluster import parts, releases
from rehearsal.cluster.doubles import daemons, node_groups
from rehearsal.cluster.errors import ApiError, ClusterError
from rehearsal.cluster.facts import Facts
from rehearsal.cluster.instance_types import karpenter_instance_types
from rehearsal.cluster.process import peak_mib, tail

if TYPE_CHECKING:
    from rehearsal.cluster.supervisor import Supervisor

KARPENTER, SUPERVISOR = "karpenter", "supervisor"


class Commands:
    """Runs commands against one supervisor, from any thread."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._facts: Facts = {}

    def run(self, command: str, arguments: Mapping[str, Any]) -> Any:
        """Run one command; ClusterError for an unknown command or arguments that do not fit it."""
        method = getattr(self, command, None) if not command.startswith("_") and command != "run" else None
        if method is None:
            raise ClusterError(f"there is no command {command}")
        try:
            inspect.signature(method).bind(**arguments)
        except TypeError as error:
            raise ClusterError(f"{command}: {error}") from None
        return method(**arguments)

    def status(self) -> list[dict[str, object]]:
        """Return every part as `Part.describe` gives it, sorted by name, and the supervisor, where the doubles run."""
        own = {"name": SUPERVISOR, "pid": os.getpid(), "state": "running", "exitCode": None}
        described = [part.describe() for part in list(self._supervisor.parts.values())]
        return sorted([*described, {**own, "peakMiB": peak_mib(os.getpid())}], key=lambda one: str(one["name"]))

    def machines(self) -> dict[str, Any]:
        """Return what the doubles say of every node (see `Agent.report`)."""
        return self._supervisor.agent.report()

    def set_facts(self, facts: Mapping[str, Any]) -> int:
        """Take instance facts from now on; return how many types they cover."""
        self._facts = instance_facts.parse(facts)
        self._supervisor.agent.learn(self._facts)
        return len(self._facts)

    def start_karpenter(self, instance_types: str | None = None, **options: Any) -> int:
        """Start Karpenter with an instance types file, or one made from the facts; return its pid once it is ready."""
        supervisor = self._supervisor
        running = supervisor.parts.get(KARPENTER)
        if running and running.exit_code is None:
            raise ClusterError("karpenter is running: stop it first")
        path = Path(instance_types) if instance_types else self._write_instance_types()
        ready = supervisor.workspace.folder / "karpenter.ready"
        ready.unlink(missing_ok=True)
        command = parts.karpenter(supervisor.layout, parts.KarpenterOptions(instance_types=path, **options), ready)
        part = supervisor.on_main(lambda: supervisor.spawn(command))
        supervisor.wait(ready.exists, KARPENTER)
        return part.pid

    def stop_karpenter(self) -> bool:
        """End Karpenter; False when it was not running. Its nodes stay."""
        part = self._supervisor.parts.get(KARPENTER)
        was_running = part is not None and part.exit_code is None
        if part:
            part.end()
        return was_running

    def join_nodes(
        self,
        group: str,
        instance_type: str,
        count: int,
        labels: Mapping[str, str] | None = None,
        taints: Sequence[Mapping[str, str]] = (),
    ) -> list[str]:
        """Bring a node group to `count` nodes; return the names of those added."""
        supervisor = self._supervisor
        return list(
            node_groups.join(
                supervisor.api,
                self._facts,
                group=group,
                instance_type=instance_type,
                count=count,
                labels=labels or {},
                taints=taints,
            )
        )

    def remove_nodes(self, group: str, keep: int = 0) -> list[str]:
        """Drain and remove a group's nodes but the first `keep`; return their names."""
        return list(node_groups.leave(self._supervisor.api, group, keep=keep))

    def apply_daemon(self, daemon: Mapping[str, Any]) -> None:
        """Create or change a daemon's DaemonSet, and its namespace; a changed pod template rolls."""
        wanted = daemons.parse(daemon)
        self._ensure_namespace(wanted.namespace)
        self._supervisor.api.apply(wanted.path, daemons.manifest(wanted))

    def remove_daemon(self, name: str, namespace: str) -> bool:
        """Remove a daemon's DaemonSet and so its pods; False when there was none."""
        return self._supervisor.api.delete(f"/apis/apps/v1/namespaces/{namespace}/daemonsets/{name}")

    def install_release(self, chart: str, name: str, namespace: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Install or upgrade a release as far as it has a double; return its daemons."""
        wanted = releases.installation(chart, name, namespace, values)
        self._ensure_namespace(namespace)
        for config_map in wanted.config_maps:
            path = f"/api/v1/namespaces/{namespace}/configmaps/{config_map['metadata']['name']}"
            self._supervisor.api.apply(path, config_map)
        for daemon in wanted.daemons:
            self._supervisor.api.apply(daemon.path, daemons.manifest(daemon))
        return [daemons.dump(daemon) for daemon in wanted.daemons]

    def uninstall_release(self, chart: str, name: str, namespace: str, values: Mapping[str, Any]) -> None:
        """Remove what `install_release` with the same arguments put there."""
        there = releases.installation(chart, name, namespace, values)
        for daemon in there.daemons:
            self._supervisor.api.delete(daemon.path)
        for config_map in there.config_maps:
            self._supervisor.api.delete(f"/api/v1/namespaces/{namespace}/configmaps/{config_map['metadata']['name']}")

    def kill_part(self, name: str, number: int = int(signal.SIGKILL)) -> None:
        """Send a part a signal, as a fault test does."""
        self._supervisor.parts[self._supervisor.known(name)].signal(number)

    def start_part(self, name: str) -> int:
        """Start a part that has ended with the command it had; return its pid."""
        return self._supervisor.on_main(lambda: self._supervisor.respawn(name)).pid

    def tail(self, name: str, lines: int = 40) -> str:
        """Return the last lines of a part's log, or of the supervisor's own."""
        file = name if name == SUPERVISOR else self._supervisor.known(name)
        return tail(self._supervisor.workspace.logs / f"{file}.log", lines)

    def stop(self) -> None:
        """End the control plane."""
        self._supervisor.stop()

    def _ensure_namespace(self, name: str) -> None:
        if self._supervisor.api.find(f"/api/v1/namespaces/{name}") is None:
            with contextlib.suppress(ApiError):
                self._supervisor.api.create("/api/v1/namespaces", {"metadata": {"name": name}})

    def _write_instance_types(self) -> Path:
        types = karpenter_instance_types(self._facts)
        if not types:
            raise ClusterError("karpenter: no instance type has offerings: set facts first")
        path = self._supervisor.workspace.folder / "instance-types.json"
        path.write_text(json.dumps(types))
        return path
