"""The DaemonSet pods on every GPU node: they take pods, CPU and memory before any slice does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """One DaemonSet as one node sees it. Requests in millicores and MiB; NVIDIA's charts set none by default."""

    name: str
    millicpu: int = 0
    mebibytes: int = 0


#: EKS's own: requests as the add-ons ship them (aws-node has two containers of 25m each).
_EKS: Final = (
    Daemon(name="aws-node", millicpu=50),
    Daemon(name="eks-pod-identity-agent"),
    Daemon(name="kube-proxy", millicpu=100),
)
_DEVICE_PLUGIN: Final = (
    Daemon(name="gpu-feature-discovery"),
    Daemon(name="node-feature-discovery-worker", millicpu=5, mebibytes=64),
    Daemon(name="nvidia-device-plugin"),
)
_GPU_OPERATOR: Final = (
    Daemon(name="gpu-feature-discovery"),
    Daemon(name="node-feature-discovery-worker", millicpu=5, mebibytes=64),
    Daemon(name="nvidia-dcgm-exporter"),
    Daemon(name="nvidia-device-plugin-daemonset"),
    Daemon(name="nvidia-operator-validator"),
)

_BY_STACK: Final = {"device-plugin": _EKS + _DEVICE_PLUGIN, "gpu-operator": _EKS + _GPU_OPERATOR}

#: What `monitoring` adds, by its name (charts/dcgm_exporter.py, charts/kube_prometheus_stack.py; a test holds them equal).
_MONITORING: Final = {
    "device-plugin": (Daemon(name="dcgm-exporter", millicpu=100, mebibytes=256),),
    "gpu-operator": (Daemon(name="nvidia-dcgm-exporter", millicpu=100, mebibytes=256),),
}
_NODE_EXPORTER: Final = Daemon(name="prometheus-node-exporter", millicpu=10, mebibytes=32)


def gpu_node_daemons(gpu_stack: str, *, monitored: bool = False) -> tuple[Daemon, ...]:
    """The DaemonSets on a GPU node under `device-plugin` or `gpu-operator`; `monitored` where monitoring is on."""
    daemons = {daemon.name: daemon for daemon in _BY_STACK[gpu_stack]}
    if monitored:
        daemons |= {daemon.name: daemon for daemon in (*_MONITORING[gpu_stack], _NODE_EXPORTER)}
    return tuple(daemons.values())


def system_node_daemons(*, monitored: bool) -> tuple[Daemon, ...]:
    """The DaemonSets on a node without GPUs."""
    return (*_EKS, _NODE_EXPORTER) if monitored else _EKS
