"""The DaemonSet pods on every GPU node: they take pods, CPU and memory before any slice does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .settings import Settings


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
#: What a sharing strategy runs beside them.
_BY_STRATEGY: Final = {"mps": (Daemon(name="mps-control-daemon"),), "mig": (Daemon(name="nvidia-mig-manager"),)}

#: What `monitoring` adds, by its name (charts/dcgm_exporter.py, charts/kube_prometheus_stack.py; a test holds them equal).
_MONITORING: Final = {
    "device-plugin": (Daemon(name="dcgm-exporter", millicpu=100, mebibytes=256),),
    "gpu-operator": (Daemon(name="nvidia-dcgm-exporter", millicpu=100, mebibytes=256),),
}
_NODE_EXPORTER: Final = Daemon(name="prometheus-node-exporter", millicpu=10, mebibytes=32)

#: Requests of the add-ons' own charts (driver, registrar and probe of a CSI node pod each have one), and for GuardDuty's
#: agent the defaults of its user guide.
_BY_ADDON: Final = {
    "amazon-cloudwatch-observability": (
        Daemon(name="cloudwatch-agent", millicpu=250, mebibytes=128),
        Daemon(name="fluent-bit", millicpu=50, mebibytes=25),
    ),
    "aws-ebs-csi-driver": (Daemon(name="ebs-csi-node", millicpu=30, mebibytes=120),),
    "aws-fsx-csi-driver": (Daemon(name="fsx-csi-node", millicpu=30, mebibytes=104),),
    "aws-guardduty-agent": (Daemon(name="aws-guardduty-agent", millicpu=200, mebibytes=256),),
}


def gpu_node_daemons(settings: Settings, strategy: str = "exclusive") -> tuple[Daemon, ...]:
    """The DaemonSets on a GPU node: of the GPU stack, of its way of sharing, of monitoring, and of the add-ons that the
    stack asks for."""
    own = (*_BY_STACK[settings.gpu_stack], *_BY_STRATEGY.get(strategy, ()))
    daemons = {daemon.name: daemon for daemon in own}
    if settings.monitoring.enabled:
        daemons |= {daemon.name: daemon for daemon in (*_MONITORING[settings.gpu_stack], _NODE_EXPORTER)}
    return (*daemons.values(), *_asked_for(settings))


def system_node_daemons(settings: Settings) -> tuple[Daemon, ...]:
    """The DaemonSets on a node without GPUs."""
    exporter = (_NODE_EXPORTER,) if settings.monitoring.enabled else ()
    return (*_EKS, *exporter, *_asked_for(settings))


def _asked_for(settings: Settings) -> tuple[Daemon, ...]:
    addons: list[str] = sorted(settings.cluster.optional_addons)
    addons += ["aws-guardduty-agent"] if settings.security.guard_duty else []
    return tuple(daemon for name in addons for daemon in _BY_ADDON[name])
