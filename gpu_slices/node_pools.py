"""The Karpenter NodePools of one GPU pool: one per GPU count, its limits in slices, its NodeOverlay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import naming
from .catalogue import InstanceType
from .quantities import cores, mebibytes, millicores
from .settings.effective import max_gpus_of
from .settings.karpenter import GpuNodePool


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """What Karpenter must believe of a NodePool's instance types, because their nodes will advertise it."""

    node_pool: str
    instance_types: tuple[str, ...]
    #: Resource name → count per node; 0 where plain GPUs are not advertised.
    capacity: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class GpuNodePoolPlan:
    """One Karpenter NodePool: all its nodes have the same number of GPUs.

    `limits` maps resource names to Kubernetes quantities and names only resources that the pool has; GPU resources
    count slices. `most_nodes` is what `maxGpus` allows.
    """

    name: str
    gpus_per_node: int
    instance_types: tuple[str, ...]
    most_nodes: int
    limits: Mapping[str, str]
    weight: int
    overlay: Overlay | None


def gpu_node_pools(
    name: str,
    pool: GpuNodePool,
    types: Mapping[int, tuple[InstanceType, ...]],
    advertised: Mapping[str, Mapping[str, int]],
) -> tuple[GpuNodePoolPlan, ...]:
    """One NodePool per GPU count, fewest GPUs first. `advertised` maps instance types to resources to slices.

    Several counts under one NodePool would be packed onto few big nodes, whatever they cost (facts: 100 pods cost
    $17.95/h instead of $8.05/h); so the smaller count gets the greater weight.
    """
    names = naming.node_pool_names(name, types)
    return tuple(
        _node_pool(
            names[count],
            pool,
            types[count],
            count,
            # The same on every type: it follows from the number of GPUs.
            advertised[types[count][0].name],
            pool.weight + len(types) - rank,
        )
        for rank, count in enumerate(sorted(types), start=1)
    )


def _node_pool(
    name: str,
    pool: GpuNodePool,
    types: tuple[InstanceType, ...],
    count: int,
    slices: Mapping[str, int],
    weight: int,
) -> GpuNodePoolPlan:
    gpus = max_gpus_of(pool, count)
    nodes = gpus // count
    names = tuple(sorted(instance.name for instance in types))
    as_ec2_reports = slices == {naming.GPU_RESOURCE: count}
    return GpuNodePoolPlan(
        name=name,
        gpus_per_node=count,
        instance_types=names,
        most_nodes=nodes,
        limits=_limits(pool, types, nodes, {resource: most * gpus // count for resource, most in slices.items()}),
        weight=weight,
        overlay=None if as_ec2_reports else _overlay(name, names, slices),
    )


def _limits(
    pool: GpuNodePool, types: tuple[InstanceType, ...], nodes: int, slices: Mapping[str, int]
) -> dict[str, str]:
    """Slices, and CPU as the physical backstop: while the plugin restarts with more replicas, Karpenter still counts
    the nodes' old number and would launch more of them."""
    backstop = nodes * max(instance.vcpu for instance in types) * 1000
    own = backstop if pool.limits.cpu is None else millicores(pool.limits.cpu)
    limits = {resource: str(count) for resource, count in slices.items()} | {"cpu": cores(min(own, backstop))}
    if pool.limits.memory is not None:
        limits["memory"] = f"{mebibytes(pool.limits.memory)}Mi"
    return dict(sorted(limits.items()))


def _overlay(node_pool: str, types: tuple[str, ...], slices: Mapping[str, int]) -> Overlay:
    """Plain GPUs are 0 where the nodes do not advertise them: Karpenter would launch a node for a pod that wants one."""
    capacity = {naming.GPU_RESOURCE: 0, **slices}
    return Overlay(node_pool=node_pool, instance_types=types, capacity=dict(sorted(capacity.items())))
