"""The kubelet's part in a node's life: it registers the machine's size and says that the node is ready."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from rehearsal.cluster.credentials import LOOPBACK
from rehearsal.cluster.facts import InstanceFacts
from rehearsal.cluster.programs import TOOLS_TABLE

INSTANCE_TYPE_LABEL = "node.kubernetes.io/instance-type"
GPU_PRESENT_LABEL = "nvidia.com/gpu.present"
# Condition -> (status, reason) of a healthy node.
HEALTHY: dict[str, tuple[str, str]] = {
    "Ready": ("True", "KubeletReady"),
    "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID"),
}


def condition(node: Mapping[str, Any], kind: str) -> str:
    """Return the status of a node's condition, empty when the node has none of that kind."""
    conditions = node.get("status", {}).get("conditions") or []
    return next((str(one["status"]) for one in conditions if one["type"] == kind), "")


def label(node: Mapping[str, Any], key: str) -> str:
    """Return a node's label, empty when it has none."""
    return str((node["metadata"].get("labels") or {}).get(key, ""))


def ready_status(node: Mapping[str, Any], facts: InstanceFacts, *, now: str, port: int) -> dict[str, Any]:
    """Return the status patch of a kubelet that has just come up: size and Ready at once, no device resources yet.

    Device resources come from device plugins, which start after it; a resource that a former patch left is kept.
    `port` is where its API listens (`kubelet_api.py`).
    """
    return {
        "status": {
            "capacity": facts.capacity.quantities(),
            "allocatable": facts.allocatable.quantities(),
            "conditions": [
                {
                    "type": kind,
                    "status": status,
                    "reason": reason,
                    "message": reason,
                    "lastHeartbeatTime": now,
                    "lastTransitionTime": now,
                }
                for kind, (status, reason) in HEALTHY.items()
            ],
            "nodeInfo": node_info(facts),
            "addresses": [
                {"type": "Hostname", "address": node["metadata"]["name"]},
                {"type": "InternalIP", "address": LOOPBACK},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }
    }


def node_info(facts: InstanceFacts) -> dict[str, str]:
    """Return a node's system information, which the API demands whole."""
    return {
        "architecture": facts.architecture,
        "operatingSystem": "linux",
        "kubeletVersion": _version(),
        "kubeProxyVersion": "",
        "osImage": "rehearsal",
        "containerRuntimeVersion": "rehearsal://0",
        "kernelVersion": "",
        "bootID": "",
        "machineID": "",
        "systemUUID": "",
    }


def joining_labels(facts: InstanceFacts) -> dict[str, str]:
    """Return the labels that nodeadm gives a node of the NVIDIA AMI from Kubernetes 1.35 on, none without a GPU."""
    return {GPU_PRESENT_LABEL: "true"} if facts.gpu else {}


@cache
def _version() -> str:
    """Return the control plane's version: nodes are as new as it is."""
    return next(tool.version for tool in TOOLS_TABLE if tool.name == "kubernetes")
