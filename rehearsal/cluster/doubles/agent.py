"""The loop that plays every machine: it watches nodes and daemon pods, and brings each node to where it should be."""

from __future__ import annotations

import datetime
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.cluster.doubles import kubelet_api, pod_status, roles
from rehearsal.cluster.doubles.daemons import ROLE_LABEL, Role
from rehearsal.cluster.doubles.gpu_pods import GpuPods
from rehearsal.cluster.doubles.kubelet import INSTANCE_TYPE_LABEL, condition, joining_labels, label, ready_status
from rehearsal.cluster.doubles.partition import Partition
from rehearsal.cluster.doubles.plugin_config import PluginError
from rehearsal.cluster.doubles.work import WorkQueue
from rehearsal.cluster.errors import ApiError, ClusterError
from rehearsal.cluster.facts import Facts, GpuFacts, InstanceFacts
from rehearsal.cluster.http_api import MERGE, Api, Object

RETRY_SECONDS, RESTART_SECONDS = 0.5, 1.0
# Nodes come up side by side on a cluster; one after the other they would wait for the API server's answers.
WORKERS = 8
FINAL = {"Succeeded", "Failed"}


@dataclass
class Started:
    """One daemon pod as we left it: its role, what it last saw of the node, and why it is not running, if so."""

    role: Role
    saw: str
    error: str = ""
    restarts: int = 0
    outcome: roles.Outcome = field(default_factory=roles.Outcome)


@dataclass
class NodeState:
    """What we remember of a node beyond the API: device resources as registered, and our dealings with its pods."""

    up: bool = False
    resources: dict[str, int] = field(default_factory=dict)
    partition: Partition = ()
    withdrawn: bool = False
    started: dict[str, Started] = field(default_factory=dict)
    problem: str = ""


class Agent:
    """Plays kubelet and daemons on every node. One worker at a time acts for a node; `report` reads from any thread."""

    def __init__(self, api: Api, *, parser: Path, facts: Facts, log: Callable[[str], None]) -> None:
        self._api, self._parser, self._log = api, parser, log
        self._facts = facts
        self._nodes: dict[str, Object] = {}
        self._pods: dict[str, dict[str, Object]] = {}
        self._states: dict[str, NodeState] = {}
        self._queue = WorkQueue()
        self._gpu_pods = GpuPods(api, gpu_of=self._gpu_of, plugin_of=self._plugin_of, log=log)
        self._port = 0

    def start(self, *, certificate: Path, key: Path) -> None:
        """Start the watches, the workers and the kubelets' API; they end with the process."""
        self._port = kubelet_api.serve(certificate, key, self._gpu_pods.printed)
        self._gpu_pods.start()
        for loop in (self._watch_nodes, self._watch_pods, *[self._work] * WORKERS):
            threading.Thread(target=loop, name=loop.__name__, daemon=True).start()

    def learn(self, facts: Facts) -> None:
        """Take these facts from now on; nodes that waited for them become ready."""
        self._facts = facts
        for name in list(self._nodes):
            self._queue.add(name)

    def report(self) -> dict[str, Any]:
        """Return node -> what it advertises, the config it runs, and what is wrong with it (empty when nothing is)."""
        return {name: self._describe(name) for name in sorted(self._nodes)}

    def _describe(self, name: str) -> dict[str, Any]:
        state = self._states.get(name) or NodeState()
        plugins = [one for one in list(state.started.values()) if one.outcome.resources]
        errors = [one.error for one in list(state.started.values()) if one.error]
        return {
            "resources": {} if state.withdrawn else dict(state.resources),
            "config": plugins[-1].outcome.config if plugins else "",
            "strategy": plugins[-1].outcome.strategy if plugins else "",
            "error": "; ".join(sorted({*errors, *([state.problem] if state.problem else [])})),
        }

    def _gpu_of(self, name: str) -> GpuFacts | None:
        node = self._nodes.get(name)
        facts = self._facts.get(label(node, INSTANCE_TYPE_LABEL)) if node else None
        return facts.gpu if facts else None

    def _plugin_of(self, name: str) -> roles.Outcome | None:
        state = self._states.get(name)
        found = [one.outcome for one in list(state.started.values()) if one.outcome.resources] if state else []
        return found[-1] if found else None

    def _watch_nodes(self) -> None:
        for kind, node in self._api.follow("/api/v1/nodes"):
            name = str(node["metadata"]["name"])
            if kind == "DELETED":
                self._nodes.pop(name, None)
            else:
                self._nodes[name] = node
            self._queue.add(name)

    def _watch_pods(self) -> None:
        for kind, pod in self._api.follow("/api/v1/pods", labelSelector=ROLE_LABEL):
            name, uid = pod["spec"].get("nodeName"), str(pod["metadata"]["uid"])
            if not name:
                continue
            here = self._pods.setdefault(name, {})
            if kind == "DELETED" or pod.get("status", {}).get("phase") in FINAL:
                here.pop(uid, None)
            else:
                here[uid] = pod
            self._queue.add(name)

    def _work(self) -> None:
        while True:
            with self._queue.take() as name:
                try:
                    self._reconcile(name)
                except ClusterError as error:
                    # Often gone or changed meanwhile, and the watch is about to tell.
                    if not (isinstance(error, ApiError) and error.status in (404, 409)):
                        self._log(f"{name}: {error}")
                    self._queue.add(name, after=RETRY_SECONDS)
                except Exception as error:
                    # A mistake of ours must show on its node, not end a worker in silence.
                    self._log(f"{name}: {traceback.format_exc()}")
                    self._states.setdefault(name, NodeState()).problem = f"double failed: {error!r}"
                    self._queue.add(name, after=RESTART_SECONDS)

    def _reconcile(self, name: str) -> None:
        node = self._nodes.get(name)
        if node is None:
            self._states.pop(name, None)
            return
        state = self._states.setdefault(name, NodeState())
        instance_type = label(node, INSTANCE_TYPE_LABEL)
        facts = self._facts.get(instance_type)
        state.problem = "" if facts else f"no facts for instance type {instance_type or '(no label)'}"
        if facts is None:
            return
        self._come_up(node, facts, state)
        machine = roles.Machine(
            api=self._api,
            parser=self._parser,
            node=node,
            instance_type=instance_type,
            facts=facts,
            resources=dict(state.resources),
            partition=state.partition,
            mps=any(one.role == "mps-control-daemon" and not one.error for one in list(state.started.values())),
        )
        pods = dict(self._pods.get(name) or {})
        state.started = {uid: one for uid, one in state.started.items() if uid in pods}
        if state.resources and not state.withdrawn and not any(_is_plugin(pod) for pod in pods.values()):
            roles.withdraw(machine)
            state.withdrawn = True
        for uid, pod in pods.items():
            self._start(uid, pod, machine, state)

    def _come_up(self, node: Object, facts: InstanceFacts, state: NodeState) -> None:
        # No condition yet may be an event from before our own patch; False and Unknown are somebody's verdict.
        if state.up and condition(node, "Ready") in ("", "True"):
            return
        path, wanted = f"/api/v1/nodes/{node['metadata']['name']}", joining_labels(facts)
        if any(label(node, key) != value for key, value in wanted.items()):
            self._api.patch(path, {"metadata": {"labels": wanted}}, content=MERGE)
        self._api.patch(f"{path}/status", ready_status(node, facts, now=_now(), port=self._port))
        state.up = True

    def _start(self, uid: str, pod: Object, machine: roles.Machine, state: NodeState) -> None:
        seen, before, role = roles.saw(pod, machine), state.started.get(uid), roles.role_of(pod)
        if before and not before.error and before.saw == seen:
            return
        meta = pod["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
        restarts = before.restarts if before else 0
        try:
            outcome = roles.act(pod, machine)
        except PluginError as error:
            self._queue.add(machine.node["metadata"]["name"], after=RESTART_SECONDS)
            told = f"{error.container}: {error}"
            state.started[uid] = Started(role=role, saw=seen, error=told, restarts=restarts + 1)
            if before is None or before.error != state.started[uid].error:
                self._api.patch(path, pod_status.crashing(pod, error, now=_now(), restarts=restarts))
            return
        state.started[uid] = Started(role=role, saw=seen, restarts=restarts, outcome=outcome)
        if outcome.partition is not None and outcome.partition != state.partition:
            # The MIG manager starts the operator's clients of the GPUs again: they look at them anew.
            state.partition = outcome.partition
            self._queue.add(machine.node["metadata"]["name"])
        if outcome.resources:
            state.resources, state.withdrawn = dict(outcome.resources), False
        self._api.patch(path, pod_status.running(pod, now=_now(), restarts=restarts))


def _is_plugin(pod: Object) -> bool:
    return roles.role_of(pod) == "device-plugin"


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
