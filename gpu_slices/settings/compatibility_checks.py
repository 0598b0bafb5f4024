"""Refuses combinations of versions that are known to break; the combinations are compatibility's data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from .. import catalogue
from ..compatibility import Parts, applied, image_parts, stack_parts
from ..versions import DEVICE_PLUGIN, GPU_OPERATOR
from .cluster import Cluster
from .effective import gpu_pools, selection_of, uses_karpenter
from .karpenter import GpuNodePool
from .mistakes import Mistake
from .model import Settings
from .pools import ExistingGpuNodes, GpuNodeGroup

Check = Callable[[Settings], Iterator[Mistake]]


def stack_parts_of(settings: Settings, kubernetes: str | None = None) -> Parts:
    """The versions of what the whole stack shares; `kubernetes` is an adopted cluster's, where it is known."""
    chart = GPU_OPERATOR if settings.gpu_stack == "gpu-operator" else DEVICE_PLUGIN
    charts = {chart.chart: chart.version.removeprefix("v")}
    if uses_karpenter(settings):
        charts["karpenter"] = settings.karpenter.version
    own = settings.cluster.version if isinstance(settings.cluster, Cluster) else None
    return stack_parts(kubernetes=own if kubernetes is None else kubernetes, charts=charts)


def pool_parts_of(settings: Settings, kubernetes: str | None = None) -> Mapping[str, tuple[Parts, ...]]:
    """The path of every pool → the stack's versions and those of its nodes, once for each kind of GPU in it.

    Nodes that were there before the stack are left out: nobody says which image they run.
    """
    shared = stack_parts_of(settings, kubernetes)
    found = {
        f"nodePools.{name}": _nodes(shared, f"nodePools.{name}", one.ami_alias)
        for name, one in settings.node_pools.items()
    }
    for name, pool in gpu_pools(settings).items():
        if isinstance(pool, ExistingGpuNodes):
            continue
        path = f"{'gpuNodeGroups' if isinstance(pool, GpuNodeGroup) else 'gpuNodePools'}.{name}"
        found[path] = _gpu_nodes(shared, path, pool)
    return found


def _nodes(shared: Parts, path: str, alias: str) -> tuple[Parts, ...]:
    return ({**shared, **image_parts(release=alias, image_key=f"{path}.amiAlias")},)


def _gpu_nodes(shared: Parts, path: str, pool: GpuNodeGroup | GpuNodePool) -> tuple[Parts, ...]:
    types = [one for several in selection_of(pool, catalogue.load()).types.values() for one in several]
    gpus = {one.gpu.name: one.gpu for one in types}
    if isinstance(pool, GpuNodeGroup):
        release, image, chosen = pool.ami_release, "amiRelease", "instanceType"
    else:
        release, image, chosen = pool.ami_alias, "amiAlias", "instanceTypes" if pool.instance_types else "families"
    return tuple(
        {
            **shared,
            **image_parts(release=release, gpu=gpu, image_key=f"{path}.{image}", types_key=f"{path}.{chosen}"),
        }
        for _, gpu in sorted(gpus.items())
    )


def unfit_versions(settings: Settings, kubernetes: str | None = None) -> Iterator[Mistake]:
    """Versions that are known to break with one another; `kubernetes` is an adopted cluster's, where it is known."""
    pools = pool_parts_of(settings, kubernetes).values()
    for parts in [stack_parts_of(settings, kubernetes), *(one for several in pools for one in several)]:
        for found in applied(parts, "refuse"):
            yield Mistake(path=found.key, problem=found.problem, remedy=found.remedy)


def _versions_fit(settings: Settings) -> Iterator[Mistake]:
    yield from unfit_versions(settings)


#: Check → keys that it interprets, as in checks.CHECKS.
COMPATIBILITY_CHECKS: Mapping[Check, tuple[str, ...]] = {_versions_fit: ()}
