"""The kubelet's part in pods that ask for GPUs: device allocation, and the plugin's word on requests above one."""

from __future__ import annotations

import datetime
import threading
import traceback
from collections.abc import Callable, Mapping

from rehearsal.cluster.doubles import pod_status
from rehearsal.cluster.doubles.device_requests import requests, slices
from rehearsal.cluster.doubles.devices import Devices, instance_listing, listing
from rehearsal.cluster.doubles.roles import Outcome
from rehearsal.cluster.errors import ClusterError
from rehearsal.cluster.facts import GpuFacts
from rehearsal.cluster.http_api import Api, Object

FINAL = {"Succeeded", "Failed"}
#: The plugin's words (internal/rm/rm.go, ValidateRequest) between the kubelet's.
REFUSAL = (
    'Allocate failed due to rpc error: code = Unknown desc = invalid allocation request for "{resource}": invalid '
    "request: maximum request size for shared resources is 1; found {count}, which is unexpected"
)


class GpuPods:
    """Watches pods with GPU requests. kwok runs those that ask for one; those that ask for several are ours, since the
    plugin may refuse them (`stages.py` keeps kwok off)."""

    def __init__(
        self,
        api: Api,
        *,
        gpu_of: Callable[[str], GpuFacts | None],
        plugin_of: Callable[[str], Outcome | None],
        log: Callable[[str], None],
    ) -> None:
        self._api, self._gpu_of, self._plugin_of, self._log = api, gpu_of, plugin_of, log
        self._devices = Devices()

    def start(self) -> None:
        """Start the watch; it ends with the process."""
        threading.Thread(target=self._watch, name="gpu-pods", daemon=True).start()

    def printed(self, namespace: str, name: str) -> str | None:
        """What a pod's container has printed; None for a pod that there is not. Only `nvidia-smi` prints anything."""
        pod = self._api.find(f"/api/v1/namespaces/{namespace}/pods/{name}")
        if pod is None:
            return None
        node, count = str(pod["spec"].get("nodeName") or ""), slices(pod)
        gpu = self._gpu_of(node)
        if not gpu or not count or "nvidia-smi" not in str(pod["spec"]["containers"][0].get("command")):
            return ""
        return "".join(self._listing(node, gpu, *given) for given in self._allocate(pod, node, gpu))

    def _watch(self) -> None:
        for kind, pod in self._api.follow("/api/v1/pods"):
            try:
                self._play(kind, pod)
            except Exception:
                # A mistake of ours about one pod must not end the watch in silence.
                self._log(f"{pod['metadata']['name']}: {traceback.format_exc()}")

    def _play(self, kind: str, pod: Object) -> None:
        node, count = str(pod["spec"].get("nodeName") or ""), slices(pod)
        if not node or not count:
            return
        phase = (pod.get("status") or {}).get("phase")
        if kind == "DELETED" or phase in FINAL:
            self._devices.release(node, pod["metadata"]["uid"])
            return
        gpu = self._gpu_of(node)
        if gpu:
            self._allocate(pod, node, gpu)
        if count > 1 and phase == "Pending" and "deletionTimestamp" not in pod["metadata"]:
            self._admit(pod, node, count)

    def _allocate(self, pod: Object, node: str, gpu: GpuFacts) -> list[tuple[str, tuple[int, ...]]]:
        """Resource and the devices of it that the pod was given."""
        behind, uid = self._behind(node), pod["metadata"]["uid"]
        return [
            (name, self._devices.allocate(node, name, uid, devices=behind.get(name, gpu.count), slices=count))
            for name, count in sorted(requests(pod).items())
        ]

    def _behind(self, node: str) -> Mapping[str, int]:
        plugin = self._plugin_of(node)
        return plugin.devices if plugin else {}

    def _listing(self, node: str, gpu: GpuFacts, resource: str, given: tuple[int, ...]) -> str:
        plugin, count = self._plugin_of(node), self._behind(node).get(resource, gpu.count)
        if plugin is None or not plugin.mig:
            return listing(node, gpu.product, given)
        return instance_listing(node, gpu.product, resource, given, per_gpu=-(-count // gpu.count))

    def _admit(self, pod: Object, node: str, count: int) -> None:
        plugin, meta = self._plugin_of(node), pod["metadata"]
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        refused = plugin is not None and plugin.one_at_a_time
        words = REFUSAL.format(resource=", ".join(sorted(requests(pod))), count=count)
        failed = {"status": {"phase": "Failed", "reason": "UnexpectedAdmissionError", "message": words}}
        status = failed if refused else pod_status.running(pod, now=now, restarts=0)
        try:
            self._api.patch(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status", status)
        except ClusterError as error:
            self._log(f"{meta['name']}: {error}")
