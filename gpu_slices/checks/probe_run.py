"""Starts probe pods, waits for them, reads what they print, and removes them whatever happens."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from ..pool_plan import PoolPlan
from . import read_objects as read
from .cluster_api import ClusterApi, ClusterError, RefusedError
from .probe_pods import VERIFY_LABEL, NodeProbe, probe_namespace, probe_pod, starter_pod
from .probe_rules import ProbeResult
from .snapshot import Pod

#: Node and resource.
Place = tuple[str, str]
#: stage, done, total
Progress = Callable[[str, int, int], None]

_THREADS: Final = 8
_POLL_SECONDS: Final = 0.5
#: Cleaning up waits this long for the kubelets to let go of the slices.
_REMOVAL_SECONDS: Final = 90
_LOG_SECONDS: Final = 15
_UUID: Final = re.compile(r"UUID: ((?:GPU|MIG)-[0-9a-fA-F-]+)")
_ADMISSION: Final = "UnexpectedAdmissionError"


@dataclass(frozen=True, kw_only=True)
class ProbeOptions:
    """Where and how long probes run. Seconds: `timeout` to be Running, `deadline` until they end by themselves."""

    run: str
    image: str
    namespace: str | None = None
    timeout: int = 300
    deadline: int = 1800

    @property
    def target(self) -> str:
        """The namespace that the pods are in."""
        return self.namespace or self.run


class ProbeRun:
    """One run of probes on one cluster; `probing` makes one."""

    def __init__(self, api: ClusterApi, options: ProbeOptions, progress: Progress) -> None:
        self._api, self._options, self._progress = api, options, progress
        self._pods = f"/api/v1/namespaces/{options.target}/pods"

    def start_node(self, pool: PoolPlan) -> Pod:
        """Have Karpenter start a node for a pool: one pod, which stays until the end. Returns it as it came out."""
        options, name = self._options, f"start-{pool.name}"
        body = starter_pod(pool, run=options.run, name=name, image=options.image, seconds=options.deadline)
        self._api.create(self._pods, body)
        stage = f"a node for pool {pool.name}"
        return self._await([name], lambda pod: pod.phase != "Pending", stage, seconds=options.deadline)[0]

    def ask_for_two(self, probe: NodeProbe) -> Pod | None:
        """A pod that asks for two slices, once it is decided; then it is removed. None where it may not be made."""
        options, name = self._options, f"two-{probe.pool}"
        body = probe_pod(probe, run=options.run, name=name, slices=2, image=options.image, seconds=options.deadline)
        try:
            self._api.create(self._pods, body)
        except RefusedError:
            return None
        stage = f"two slices at once on {probe.node}"
        found = self._await([name], lambda pod: pod.phase != "Pending", stage, seconds=options.timeout)
        self._api.delete(f"{self._pods}/{name}")
        self._until_gone(f"metadata.name={name}", field=True)
        return found[0] if found else None

    def fill(self, probes: tuple[NodeProbe, ...]) -> tuple[ProbeResult, ...]:
        """Fill every node's free slices at once; results in the probes' order."""
        names = {probe.place: [f"n{rank}-{index}" for index in range(probe.pods)] for rank, probe in enumerate(probes)}
        jobs = [(probe, name) for probe in probes for name in names[probe.place]]
        refusals = self._create(jobs)
        started = [name for probe, name in jobs if probe.place not in refusals]
        pods = {pod.name: pod for pod in self._await(started, lambda pod: pod.phase == "Running", "pods Running")}
        again = [(probe, name) for probe, name in jobs if name in pods and pods[name].reason == _ADMISSION]
        if again:
            pods |= self._again(again)
        devices = self._devices([pod.name for pod in pods.values() if pod.phase == "Running"])
        shown = self._shown()
        return tuple(
            _result(probe, [pods[name] for name in names[probe.place] if name in pods], refusals, devices, shown)
            for probe in probes
        )

    def _again(self, jobs: list[tuple[NodeProbe, str]]) -> dict[str, Pod]:
        """A pod that was bound while the plugin restarted fails for good, and no controller makes it anew."""
        for _, name in jobs:
            self._api.delete(f"{self._pods}/{name}")
        for _, name in jobs:
            self._until_gone(f"metadata.name={name}", field=True)
        self._create(jobs)
        found = self._await([name for _, name in jobs], lambda pod: pod.phase == "Running", "pods Running, once more")
        return {pod.name: pod for pod in found}

    def _create(self, jobs: list[tuple[NodeProbe, str]]) -> dict[Place, str]:
        """Create the pods; place → the API server's word where it refused one."""
        options, refusals = self._options, dict[Place, str]()

        def create(job: tuple[NodeProbe, str]) -> tuple[Place, str]:
            probe, name = job
            body = probe_pod(probe, run=options.run, name=name, slices=1, image=options.image, seconds=options.deadline)
            try:
                self._api.create(self._pods, body)
            except RefusedError as error:
                return probe.place, str(error)
            return probe.place, ""

        for done, (place, refusal) in enumerate(_all(create, jobs), start=1):
            self._progress("pods created", done, len(jobs))
            if refusal:
                refusals[place] = refusal
        return refusals

    def _await(
        self, names: list[str], there: Callable[[Pod], bool], stage: str, *, seconds: int | None = None
    ) -> tuple[Pod, ...]:
        """Wait until every pod is `there` or has failed; return them as they are then."""
        wanted, deadline = frozenset(names), time.monotonic() + (seconds or self._options.timeout)
        while True:
            pods = tuple(pod for pod in self._list() if pod.name in wanted)
            done = sum(there(pod) or pod.phase == "Failed" for pod in pods)
            self._progress(stage, done, len(wanted))
            if done >= len(wanted) or time.monotonic() > deadline:
                return pods
            time.sleep(_POLL_SECONDS)

    def _list(self) -> Iterator[Pod]:
        pages = self._api.pages(self._pods, labelSelector=f"{VERIFY_LABEL}={self._options.run}")
        return (read.pod(raw) for raw in pages)

    def _devices(self, names: list[str]) -> dict[str, tuple[str, ...] | None]:
        found: dict[str, tuple[str, ...] | None] = {}
        for name, devices in _all(self._printed, names):
            found[name] = devices
            self._progress("logs read", len(found), len(names))
        return found

    def _printed(self, name: str) -> tuple[str, tuple[str, ...] | None]:
        deadline = time.monotonic() + _LOG_SECONDS
        while True:
            try:
                text = self._api.text(f"{self._pods}/{name}/log")
            except ClusterError:
                return name, None
            if text or time.monotonic() > deadline:
                return name, devices_in(text)
            time.sleep(_POLL_SECONDS)

    def _shown(self) -> dict[str, Mapping[str, int]]:
        nodes = (read.node(raw) for raw in self._api.pages("/api/v1/nodes"))
        return {node.name: node.allocatable.extended for node in nodes}

    def _until_gone(self, selector: str, *, field: bool = False) -> None:
        query = {"fieldSelector" if field else "labelSelector": selector}
        deadline = time.monotonic() + _REMOVAL_SECONDS
        while any(True for _ in self._api.pages(self._pods, **query)) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def remove(self) -> None:
        """Remove every pod of the run and, where it made one, its namespace; wait until the slices are free."""
        label = f"{VERIFY_LABEL}={self._options.run}"
        self._progress("removing the pods", 0, 0)
        self._api.delete(self._pods, labelSelector=label)
        self._until_gone(label)
        if self._options.namespace is None:
            self._api.delete(f"/api/v1/namespaces/{self._options.target}")


@contextmanager
def probing(api: ClusterApi, options: ProbeOptions, progress: Progress) -> Iterator[ProbeRun]:
    """A run whose pods are removed at the end, also after an error or Ctrl-C. Raises ClusterError."""
    run = ProbeRun(api, options, progress)
    if options.namespace is None:
        api.create("/api/v1/namespaces", probe_namespace(options.target, options.run))
    else:
        api.get(f"/api/v1/namespaces/{options.namespace}")
    try:
        _await_service_account(api, options.target)
        yield run
    finally:
        run.remove()


def _await_service_account(api: ClusterApi, namespace: str) -> None:
    """Pods are refused until the namespace has its default service account."""
    deadline = time.monotonic() + _LOG_SECONDS
    while time.monotonic() < deadline:
        try:
            api.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
            return
        except RefusedError as error:
            if error.status != 404:
                raise
        time.sleep(_POLL_SECONDS / 5)


def _all(work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
    """Results of threads, in the items' order; what has not begun is dropped when the caller stops."""
    pool = ThreadPoolExecutor(_THREADS)
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _result(
    probe: NodeProbe,
    pods: list[Pod],
    refusals: Mapping[Place, str],
    devices: Mapping[str, tuple[str, ...] | None],
    shown: Mapping[str, Mapping[str, int]],
) -> ProbeResult:
    here = shown.get(probe.node)
    return ProbeResult(
        probe=probe,
        pods=tuple(pods),
        refusal=refusals.get(probe.place, ""),
        devices=tuple(devices[pod.name] for pod in pods if pod.name in devices),
        shown=here.get(probe.resource, 0) if here is not None else None,
    )


def with_two(result: ProbeResult, two: Mapping[Place, Pod]) -> ProbeResult:
    """The result with what became of its pool's pod for two slices."""
    return replace(result, two=two[result.probe.place]) if result.probe.place in two else result


def devices_in(text: str) -> tuple[str, ...]:
    """The devices in what `nvidia-smi -L` printed; a MIG instance stands below its GPU, which is not the pod's."""
    found = tuple(dict.fromkeys(_UUID.findall(text)))
    return tuple(one for one in found if one.startswith("MIG-")) or found
