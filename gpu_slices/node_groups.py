"""What a managed node group is made of, as plain data: one for system nodes, one per GPU node group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from . import naming
from .plan import Plan
from .pool_plan import PoolPlan
from .versions import GPU_AMI_TYPE, SYSTEM_AMI_TYPE

SYSTEM_LABEL: Final = "gpu-slices/role"

_CAPACITY_TYPES: Final = {"on-demand": "ON_DEMAND", "spot": "SPOT"}
#: gp3's baseline, which every volume gets for its price.
_BASE_THROUGHPUT: Final = 125


@dataclass(frozen=True, kw_only=True)
class NodeGroupSpec:
    """One managed node group on its own launch template. Disk in GiB, throughput in MiB/s."""

    name_prefix: str
    ami_type: str
    kubernetes_version: str
    release_version: str | None
    instance_type: str
    capacity_type: str
    min: int
    desired: int
    max: int
    disk_gib: int
    disk_throughput: int
    labels: Mapping[str, str]
    #: In the words of EKS's API: key, value, effect NO_SCHEDULE.
    taints: tuple[Mapping[str, str], ...]
    #: Tags of what the group launches: instances, volumes, network interfaces.
    tags: Mapping[str, str]


def system_nodes(plan: Plan) -> NodeGroupSpec:
    """The nodes without GPUs."""
    nodes = plan.settings.system_nodes
    cluster = plan.settings.cluster
    return NodeGroupSpec(
        name_prefix=naming.node_group_prefix(cluster.name, "system"),
        ami_type=SYSTEM_AMI_TYPE,
        kubernetes_version=cluster.version,
        release_version=None,
        instance_type=nodes.instance_type,
        capacity_type=_CAPACITY_TYPES["on-demand"],
        min=nodes.min,
        desired=nodes.desired,
        max=nodes.max,
        disk_gib=nodes.disk_gib,
        disk_throughput=_BASE_THROUGHPUT,
        labels={SYSTEM_LABEL: "system"},
        taints=(),
        tags={**plan.tags, "Name": f"{cluster.name}-system"},
    )


def gpu_node_group(plan: Plan, pool: PoolPlan) -> NodeGroupSpec:
    """The nodes of one GPU node group. Raises ValueError for a pool that is none."""
    group = pool.node_group
    if group is None:
        raise ValueError(f"{pool.name} is not a node group")
    cluster = plan.settings.cluster
    return NodeGroupSpec(
        name_prefix=naming.node_group_prefix(cluster.name, pool.name),
        ami_type=GPU_AMI_TYPE,
        kubernetes_version=cluster.version,
        release_version=group.ami_release,
        instance_type=group.instance_type,
        capacity_type=_CAPACITY_TYPES[group.capacity],
        min=group.min,
        desired=group.desired,
        max=group.max,
        disk_gib=group.disk_gib,
        disk_throughput=group.disk_throughput,
        labels=pool.labels,
        taints=({"key": naming.GPU_TAINT_KEY, "value": naming.GPU_TAINT_VALUE, "effect": "NO_SCHEDULE"},),
        tags={**plan.tags, "Name": f"{cluster.name}-{pool.name}"},
    )
