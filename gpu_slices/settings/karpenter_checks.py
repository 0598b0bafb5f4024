"""Rules over several keys of `gpuNodePools`, `nodePools` and `retiredPools`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from .. import catalogue, naming
from ..quantities import mebibytes, millicores
from ..subnets import default_zones
from .cluster import NewNetwork
from .effective import max_gpus_of, selection_of, system_nodes_of, uses_karpenter
from .karpenter import GpuNodePool, Launched
from .mistakes import Mistake, listed, shown
from .model import Settings

Check = Callable[[Settings], Iterator[Mistake]]


def _launched(settings: Settings) -> dict[str, Launched]:
    """Everything that Karpenter launches, by the path of its key."""
    gpu = {f"gpuNodePools.{name}": pool for name, pool in settings.gpu_node_pools.items()}
    general = {f"nodePools.{name}": pool for name, pool in settings.node_pools.items()}
    return {**gpu, **general}


def _names_are_used_once(settings: Settings) -> Iterator[Mistake]:
    every = (settings.gpu_node_groups, settings.existing_gpu_nodes, settings.gpu_node_pools, settings.node_pools)
    used = Counter(name for pools in every for name in pools)
    paths = {name: f"existingGpuNodes.{name}" for name in settings.existing_gpu_nodes}
    paths |= {name: f"gpuNodePools.{name}" for name in settings.gpu_node_pools}
    paths |= {name: f"nodePools.{name}" for name in settings.node_pools}
    for name, times in used.items():
        if times > 1:
            yield Mistake(path=paths[name], problem=f"the name {name!r} is used twice", remedy="give each pool its own")
    for name, pool in settings.gpu_node_pools.items():
        for derived in naming.node_pool_names(name, _counts(pool)).values():
            if derived != name and derived in used:
                yield Mistake(
                    path=f"gpuNodePools.{name}",
                    problem=f"its NodePool {derived!r} would take the name of another pool",
                    remedy=f"rename the pool {derived}",
                )
    for name in settings.retired_pools:
        if name in used:
            yield Mistake(
                path=f"retiredPools.{name}", problem="the pool is not retired", remedy="remove it here or there"
            )


def _counts(pool: GpuNodePool) -> list[int]:
    return sorted(selection_of(pool, catalogue.load()).types)


def _selections_admit_something(settings: Settings) -> Iterator[Mistake]:
    for name, pool in settings.gpu_node_pools.items():
        path = f"gpuNodePools.{name}"
        if pool.instance_types and (pool.families or pool.gpus_per_node or pool.sizes):
            yield Mistake(
                path=f"{path}.instanceTypes",
                problem="explicit types beside a selection",
                remedy="write either instanceTypes or families, gpusPerNode and sizes",
            )
        elif not pool.instance_types and not pool.families:
            yield Mistake(
                path=f"{path}.families", problem="are missing", remedy="write [g6e] or the like, or instanceTypes"
            )
        elif (found := selection_of(pool, catalogue.load())).emptied_by:
            yield Mistake(
                path=f"{path}.{found.emptied_by}",
                problem=f"leaves no instance type of {', '.join(pool.families)}",
                remedy=f"there are {listed(found.there_was, 12)}",
            )


def _limits_hold_a_node(settings: Settings) -> Iterator[Mistake]:
    for name, pool in settings.gpu_node_pools.items():
        path, types = f"gpuNodePools.{name}", selection_of(pool, catalogue.load()).types
        counts = sorted(types)
        if isinstance(pool.max_gpus, dict):
            if counts and sorted(pool.max_gpus) != counts:
                yield Mistake(
                    path=f"{path}.maxGpus",
                    problem=f"says {sorted(pool.max_gpus)} GPUs per node, the pool has {counts}",
                    remedy=f"write {_example(counts)}",
                )
                continue
        elif len(counts) > 1:
            yield Mistake(
                path=f"{path}.maxGpus",
                problem=f"one number for nodes of {listed([str(count) for count in counts])} GPUs",
                remedy=f"write a map such as {_example(counts)}, or one gpusPerNode",
            )
            continue
        for count in counts:
            if max_gpus_of(pool, count) < count:
                yield Mistake(
                    path=f"{path}.maxGpus",
                    problem=f"{max_gpus_of(pool, count)} GPUs are less than one node of {count}",
                    remedy=f"write at least {count}",
                )
            yield from _cpu_and_memory_hold_a_node(
                path, pool, min(i.vcpu for i in types[count]) * 1000, min(i.memory_mib for i in types[count])
            )


def _cpu_and_memory_hold_a_node(path: str, pool: Launched, millicpu: int, mib: int) -> Iterator[Mistake]:
    limits = pool.limits
    if limits.cpu is not None and millicores(limits.cpu) < millicpu:
        yield Mistake(
            path=f"{path}.limits.cpu",
            problem=f"{limits.cpu} CPUs are less than the smallest node",
            remedy=f"write at least {millicpu // 1000}",
        )
    if limits.memory is not None and mebibytes(limits.memory) < mib:
        yield Mistake(
            path=f"{path}.limits.memory",
            problem=f"{limits.memory} are less than the smallest node",
            remedy=f"write at least {mib}Mi",
        )


def _example(counts: list[int]) -> str:
    return "{" + ", ".join(f"{count}: {max(count, 4)}" for count in counts) + "}"


def _zones_are_the_networks(settings: Settings) -> Iterator[Mistake]:
    if not isinstance(settings.network, NewNetwork):
        yield from _zones_are_the_regions(settings)
        return
    zones = settings.network.zones or default_zones(settings.region)
    for path, pool in _launched(settings).items():
        for index, zone in enumerate(pool.zones):
            if zone not in zones:
                yield Mistake(
                    path=f"{path}.zones[{index}]",
                    problem=f"the network has no zone {zone!r}",
                    remedy=f"write one of: {', '.join(zones)}",
                )


def _zones_are_the_regions(settings: Settings) -> Iterator[Mistake]:
    """Which zones an existing network has is not known here; that they are of the region is."""
    for path, pool in _launched(settings).items():
        for index, zone in enumerate(pool.zones):
            if not re.fullmatch(f"{re.escape(settings.region)}(-[a-z]{{3}}-[0-9])?[a-z]", zone):
                yield Mistake(
                    path=f"{path}.zones[{index}]",
                    problem=f"{shown(zone)} is not a zone of {settings.region}",
                    remedy=f"write one like {settings.region}a",
                )


def _reservations_are_not_spot(settings: Settings) -> Iterator[Mistake]:
    for name, pool in settings.gpu_node_pools.items():
        if pool.capacity_reservations and "spot" in pool.capacity:
            yield Mistake(
                path=f"gpuNodePools.{name}.capacityReservations",
                problem="a capacity reservation is on-demand capacity: spot cannot use it",
                remedy="write capacity: [on-demand]",
            )


def _budgets_are_whole(settings: Settings) -> Iterator[Mistake]:
    for path, pool in _launched(settings).items():
        for index, budget in enumerate(pool.budgets):
            if (budget.schedule is None) != (budget.duration is None):
                yield Mistake(
                    path=f"{path}.budgets[{index}]",
                    problem="a schedule without a duration, or the other way round",
                    remedy="write both or neither",
                )


def _controllers_have_a_node_each(settings: Settings) -> Iterator[Mistake]:
    own = system_nodes_of(settings)
    nodes = own.desired if own else 0
    if uses_karpenter(settings) and settings.karpenter.replicas > nodes:
        yield Mistake(
            path="karpenter.replicas",
            problem=f"{settings.karpenter.replicas} controllers need a system node each, there are {nodes}",
            remedy="raise systemNodes.desired or write fewer" if own else "write systemNodes: {desired: 2}",
        )


#: Check → keys that it interprets, as in checks.CHECKS.
KARPENTER_CHECKS: Mapping[Check, tuple[str, ...]] = {
    _names_are_used_once: (),
    _selections_admit_something: (),
    _limits_hold_a_node: (),
    _zones_are_the_networks: ("aws:region", "network"),
    _reservations_are_not_spot: (),
    _budgets_are_whole: (),
    _controllers_have_a_node_each: (),
}
