"""What a managed node group is made of, as plain data: one for system nodes, one per GPU node group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from . import naming
from .plan import Plan
from .pool_plan import PoolPlan
from .settings.cluster import Cluster, ExistingNetwork
from .settings.effective import system_nodes_of
from .settings.reservations import CapacityReservation
from .versions import GPU_AMI_TYPE, SYSTEM_AMI_TYPE

SYSTEM_LABEL: Final = "gpu-slices/role"

_CAPACITY_TYPES: Final = {"on-demand": "ON_DEMAND", "spot": "SPOT"}
_CAPACITY_BLOCK: Final = "CAPACITY_BLOCK"
#: gp3's baseline, which every volume gets for its price.
_BASE_THROUGHPUT: Final = 125


@dataclass(frozen=True, kw_only=True)
class NodeGroupSpec:
    """One managed node group on its own launch template. Disk in GiB, throughput in MiB/s.

    `subnets` are positions in the network's private subnets, None for all. `reservation` is the id of the capacity
    reservation that its nodes are launched into.
    """

    name_prefix: str
    ami_type: str
    #: None on an adopted cluster, whose own it is.
    kubernetes_version: str | None
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
    disk_kms_key_arn: str | None = None
    reservation: str | None = None
    subnets: tuple[int, ...] | None = None

    @property
    def capacity_block(self) -> bool:
        """Whether the nodes come out of a Capacity Block for ML, whose instance type the launch template must say."""
        return self.capacity_type == _CAPACITY_BLOCK


def system_nodes(plan: Plan) -> NodeGroupSpec | None:
    """The nodes without GPUs; None where an adopted cluster's own do."""
    nodes = system_nodes_of(plan.settings)
    if nodes is None:
        return None
    cluster = plan.settings.cluster
    return NodeGroupSpec(
        name_prefix=naming.node_group_prefix(cluster.name, "system"),
        ami_type=SYSTEM_AMI_TYPE,
        kubernetes_version=_version(plan),
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
        disk_kms_key_arn=plan.settings.security.disk_kms_key_arn,
    )


def gpu_node_group(plan: Plan, pool: PoolPlan) -> NodeGroupSpec:
    """The nodes of one GPU node group. Raises ValueError for a pool that is none."""
    group = pool.node_group
    if group is None:
        raise ValueError(f"{pool.name} is not a node group")
    cluster, reservation = plan.settings.cluster, group.capacity_reservation
    block = reservation is not None and reservation.type == "capacity-block"
    return NodeGroupSpec(
        name_prefix=naming.node_group_prefix(cluster.name, pool.name),
        ami_type=GPU_AMI_TYPE,
        kubernetes_version=_version(plan),
        release_version=group.ami_release,
        instance_type=group.instance_type,
        capacity_type=_CAPACITY_BLOCK if block else _CAPACITY_TYPES[group.capacity],
        min=group.min,
        desired=group.desired,
        max=group.max,
        disk_gib=group.disk_gib,
        disk_throughput=group.disk_throughput,
        labels=pool.labels,
        taints=({"key": naming.GPU_TAINT_KEY, "value": naming.GPU_TAINT_VALUE, "effect": "NO_SCHEDULE"},),
        tags={**plan.tags, "Name": f"{cluster.name}-{pool.name}"},
        disk_kms_key_arn=plan.settings.security.disk_kms_key_arn,
        reservation=reservation.id if reservation else None,
        subnets=_subnets_of(plan, reservation) if reservation else None,
    )


def _subnets_of(plan: Plan, reservation: CapacityReservation) -> tuple[int, ...]:
    """A reservation serves nodes of its own zone only: the positions of that zone's private subnets."""
    network = plan.settings.network
    if isinstance(network, ExistingNetwork):
        return tuple(network.private_subnet_ids.index(subnet) for subnet in reservation.subnet_ids)
    return (plan.zones.index(reservation.zone),)


def _version(plan: Plan) -> str | None:
    cluster = plan.settings.cluster
    return cluster.version if isinstance(cluster, Cluster) else None
