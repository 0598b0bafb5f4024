"""Whether the nodes without GPUs hold what is switched on: requests of the pods there against what the nodes have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from .daemons import system_node_daemons
from .monitoring.requests import GRAFANA_SIDECARS, MONITORING_REQUESTS
from .quantities import mebibytes, millicores
from .settings import Settings
from .settings.effective import system_nodes_of, uses_karpenter

#: Share of a machine's memory that the kernel takes before the kubelet sees it: an estimate, which gives t3.large 7,288 MiB
_KERNEL: Final = 0.02
#: The kubelet's eviction threshold on EKS's AMIs, MiB.
_EVICTION_MIB: Final = 100


@dataclass(frozen=True, kw_only=True)
class SystemPods:
    """`count` pods alike on nodes without GPUs; requests of each in millicores and MiB."""

    name: str
    count: int
    millicpu: int
    mebibytes: int


@dataclass(frozen=True, kw_only=True)
class Room:
    """What all system nodes have for pods, less their DaemonSets; of one node, the MiB. Millicores and MiB."""

    millicpu: int
    mebibytes: int
    pods: int
    mebibytes_of_one: int


#: Add-ons as EKS ships them.
_ADDONS: Final = (
    SystemPods(name="coredns", count=2, millicpu=100, mebibytes=70),
    SystemPods(name="metrics-server", count=2, millicpu=100, mebibytes=200),
)
#: Two controllers with six containers each, which ask for 10m and 40 MiB in the driver's own chart.
_EBS_DRIVER: Final = SystemPods(name="ebs-csi-controller", count=2, millicpu=60, mebibytes=240)
#: Charts' own defaults (gpu-operator v26.7.0 with node-feature-discovery 0.19.0).
_BY_STACK: Final = {
    "device-plugin": (
        SystemPods(name="node-feature-discovery-master", count=1, millicpu=100, mebibytes=128),
        SystemPods(name="node-feature-discovery-gc", count=1, millicpu=10, mebibytes=128),
    ),
    "gpu-operator": (
        SystemPods(name="gpu-operator", count=1, millicpu=200, mebibytes=100),
        SystemPods(name="node-feature-discovery-master", count=1, millicpu=100, mebibytes=128),
        SystemPods(name="node-feature-discovery-gc", count=1, millicpu=10, mebibytes=128),
    ),
}

#: Charts' own defaults again: a controller's containers have one request each.
_BY_ADDON: Final = {
    "amazon-cloudwatch-observability": SystemPods(
        name="amazon-cloudwatch-observability-controller-manager", count=1, millicpu=100, mebibytes=64
    ),
    "aws-ebs-csi-driver": SystemPods(name="ebs-csi-controller", count=2, millicpu=60, mebibytes=240),
    "aws-fsx-csi-driver": SystemPods(name="fsx-csi-controller", count=2, millicpu=40, mebibytes=136),
}


def system_pods(settings: Settings) -> tuple[SystemPods, ...]:
    """The pods that a stack brings to its nodes without GPUs, sorted. Not in it: a tenant's, the benchmark's, and those of
    optional add-ons other than the EBS driver."""
    found = [*_ADDONS, *_BY_STACK[settings.gpu_stack]]
    if "aws-ebs-csi-driver" in settings.cluster.optional_addons:
        found.append(_EBS_DRIVER)
    found.extend(_BY_ADDON[name] for name in set(settings.cluster.optional_addons))
    if uses_karpenter(settings):
        controller = settings.karpenter
        found.append(
            SystemPods(
                name="karpenter",
                count=controller.replicas,
                millicpu=millicores(controller.cpu),
                mebibytes=mebibytes(controller.memory),
            )
        )
    if settings.monitoring.enabled:
        found.extend(_monitoring(settings))
    return tuple(sorted(found, key=lambda pods: pods.name))


def room(settings: Settings) -> Room | None:
    """The room on `desired` system nodes; None for a type that is not in the table, and for an adopted cluster's own."""
    nodes = system_nodes_of(settings)
    shape = _types().get(nodes.instance_type) if nodes else None
    if nodes is None or shape is None:
        return None
    vcpu, mib, pods = shape
    daemons = system_node_daemons(settings)
    cpu_left = vcpu * 1000 - _reserved_millicpu(vcpu) - sum(daemon.millicpu for daemon in daemons)
    reserved = round(mib * _KERNEL) + 255 + 11 * pods + _EVICTION_MIB
    mib_left = mib - reserved - sum(daemon.mebibytes for daemon in daemons)
    return Room(
        millicpu=nodes.desired * cpu_left,
        mebibytes=nodes.desired * mib_left,
        pods=nodes.desired * (pods - len(daemons)),
        mebibytes_of_one=mib_left,
    )


def shortages(settings: Settings) -> Iterator[str]:
    """What the system nodes are short of, in words; nothing where it fits or the type is not known."""
    there = room(settings)
    if there is None:
        return
    wanted = system_pods(settings)
    cpu = sum(pods.count * pods.millicpu for pods in wanted)
    memory = sum(pods.count * pods.mebibytes for pods in wanted)
    count = sum(pods.count for pods in wanted)
    if cpu > there.millicpu:
        yield f"{cpu / 1000:.1f} CPU of {there.millicpu / 1000:.1f}"
    if memory > there.mebibytes:
        yield f"{memory / 1024:.1f} GiB of {there.mebibytes / 1024:.1f}"
    if count > there.pods:
        yield f"{count} pods of {there.pods}"
    largest = max(wanted, key=lambda pods: pods.mebibytes)
    if largest.mebibytes > there.mebibytes_of_one:
        yield f"{largest.name} {largest.mebibytes / 1024:.1f} GiB, more than one node's {there.mebibytes_of_one / 1024:.1f}"


def _monitoring(settings: Settings) -> Iterator[SystemPods]:
    for part, (millicpu, memory) in MONITORING_REQUESTS.items():
        if part in ("node-exporter", "grafana-sidecar"):
            continue
        more = GRAFANA_SIDECARS if part == "grafana" else 0
        sidecar_cpu, sidecar_memory = MONITORING_REQUESTS["grafana-sidecar"]
        own = mebibytes(settings.monitoring.memory) if part == "prometheus" else memory
        yield SystemPods(
            name=part, count=1, millicpu=millicpu + more * sidecar_cpu, mebibytes=own + more * sidecar_memory
        )


def _reserved_millicpu(vcpu: int) -> int:
    """What EKS's AMIs keep for the kubelet: 6 % of the first core, 1 % of the second, 0.5 % of two more, 0.25 % beyond."""
    shares = (60, 10, 5, 5)
    return round(sum(shares[:vcpu]) + max(0, vcpu - len(shares)) * 2.5)


@cache
def _types() -> dict[str, tuple[int, int, int]]:
    data = json.loads(files("gpu_slices.catalogue").joinpath("system_types.json").read_text(encoding="utf-8"))
    return {name: (vcpu, mib, pods) for name, (vcpu, mib, pods) in data["types"].items()}
