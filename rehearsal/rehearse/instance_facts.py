"""What the machines of a plan are like: the one function from the catalogue to nodes and to Karpenter's instance types."""

from __future__ import annotations

import re
from typing import Final, Literal

from gpu_slices.catalogue import InstanceType
from gpu_slices.daemons import gpu_node_daemons
from gpu_slices.plan import Plan
from gpu_slices.pool_plan import PoolPlan
from gpu_slices.settings.pools import ExistingGpuNodes
from gpu_slices.subnets import default_zones
from rehearsal.cluster.facts import Facts, GpuFacts, InstanceFacts, NodeSize, Offering

#: DaemonSets that the control plane's doubles run as pods of their own; all others only take room.
_PLAYED: Final = frozenset(
    {
        "gpu-feature-discovery",
        "mps-control-daemon",
        "node-feature-discovery-worker",
        "nvidia-device-plugin",
        "nvidia-device-plugin-daemonset",
        "nvidia-mig-manager",
    }
)
#: Spot is offered below on demand, so that Karpenter prefers it as it does on AWS. What it costs there changes hourly.
_CAPACITY: Final[dict[Literal["on-demand", "spot", "reserved"], float]] = {"on-demand": 1.0, "spot": 0.5}
#: A type without a known price is offered above all others.
_UNPRICED: Final = 10_000.0
#: System nodes run nothing here; they join as t3.large whatever their type (2 vCPU, 8 GiB, 35 pods).
_SYSTEM_CAPACITY: Final = NodeSize(cpu_milli=2000, memory_mib=8192, pods=35)
_SYSTEM_ALLOCATABLE: Final = NodeSize(cpu_milli=1930, memory_mib=7291, pods=35)
#: Disks of nodes that were there before the stack: nobody says.
_EXISTING_DISK_GIB: Final = 100
_FAMILY: Final = re.compile(r"(?P<category>[a-z]+)(?P<generation>\d+)")


def instance_facts(plan: Plan) -> Facts:
    """Instance type → facts, for every type of the plan's pools and its system nodes, or those of an adopted cluster.

    Allocatable is the catalogue's, less what the DaemonSets ask for and less a pod for each that has no double: what
    is left for one-slice pods is what `capacity.bounds` says.
    """
    zones = plan.zones or default_zones(plan.settings.region)
    system = InstanceFacts(architecture="amd64", capacity=_SYSTEM_CAPACITY, allocatable=_SYSTEM_ALLOCATABLE)
    known = {plan.settings.system_nodes.instance_type: system}
    for pool in plan.pools:
        for shape in pool.shapes:
            known[shape.instance.name] = _facts(plan, pool, shape.instance, zones)
    return dict(sorted(known.items()))


def _facts(plan: Plan, pool: PoolPlan, instance: InstanceType, zones: tuple[str, ...]) -> InstanceFacts:
    daemons = gpu_node_daemons(plan.settings, pool.strategy)
    price = instance.usd_per_hour or _UNPRICED
    major, minor = instance.gpu.compute_capability
    disk = _EXISTING_DISK_GIB if isinstance(pool.settings, ExistingGpuNodes) else pool.settings.disk_gib
    return InstanceFacts(
        architecture="amd64",
        capacity=NodeSize(
            cpu_milli=instance.vcpu * 1000,
            memory_mib=instance.memory_mib,
            pods=instance.pods,
            ephemeral_storage_gib=disk,
        ),
        allocatable=NodeSize(
            cpu_milli=instance.allocatable_millicpu - sum(daemon.millicpu for daemon in daemons),
            memory_mib=instance.allocatable_mib - sum(daemon.mebibytes for daemon in daemons),
            pods=instance.pods - sum(daemon.name not in _PLAYED for daemon in daemons),
            ephemeral_storage_gib=disk,
        ),
        gpu=GpuFacts(
            count=instance.gpu_count,
            product=instance.product or f"NVIDIA-{instance.gpu.name}",
            memory_mib=instance.gpu_memory_mib,
            compute_capability=f"{major}.{minor}",
            mig_capable=bool(instance.gpu.mig_profiles),
        ),
        offerings=tuple(
            Offering(zone=zone, capacity_type=kind, usd_per_hour=price * share)
            for zone in zones
            for kind, share in _CAPACITY.items()
        ),
        labels=_labels(instance),
    )


def _labels(instance: InstanceType) -> dict[str, str]:
    """The labels that Karpenter on AWS gives a node of the type, as far as NodePools select by them."""
    own = {
        "instance-family": instance.family,
        "instance-size": instance.size,
        "instance-cpu": str(instance.vcpu),
        "instance-memory": str(instance.memory_mib),
        "instance-gpu-count": str(instance.gpu_count),
        "instance-hypervisor": "nitro",
    }
    if found := _FAMILY.match(instance.family):
        own |= {"instance-category": found["category"], "instance-generation": found["generation"]}
    return {f"karpenter.k8s.aws/{key}": value for key, value in sorted(own.items())}
