"""A pool's own settings on top of the stack's."""

from __future__ import annotations

from ..catalogue import Catalogue
from ..catalogue.selection import Selection, select, select_explicit
from .adopted_cluster import AdoptedCluster
from .karpenter import GpuNodePool, RetiredPool
from .model import Settings
from .pools import ExistingGpuNodes, GpuNodeGroup, SystemNodes
from .sharing import Sharing
from .tenants import Enforcement

GpuPool = GpuNodeGroup | GpuNodePool | ExistingGpuNodes


def gpu_pools(settings: Settings) -> dict[str, GpuPool]:
    """All GPU pools by name, sorted."""
    every: dict[str, GpuPool] = {
        **settings.gpu_node_groups,
        **settings.gpu_node_pools,
        **settings.existing_gpu_nodes,
    }
    return dict(sorted(every.items()))


def system_nodes_of(settings: Settings) -> SystemNodes | None:
    """The stack's own nodes without GPUs; an adopted cluster has its own, so there only those that are named."""
    adopted = isinstance(settings.cluster, AdoptedCluster)
    return None if adopted and not settings.system_nodes.model_fields_set else settings.system_nodes


def uses_karpenter(settings: Settings) -> bool:
    """Whether the stack runs Karpenter: it has pools for it, or says something about the controller."""
    return bool(settings.gpu_node_pools or settings.node_pools or settings.karpenter.model_fields_set)


def enforcement_of(settings: Settings) -> Enforcement:
    """What becomes of pods that break the rules of GPU nodes."""
    adopted = isinstance(settings.cluster, AdoptedCluster)
    return settings.admission.enforcement or ("warn" if adopted else "deny")


def replicas_of(settings: Settings, pool: GpuPool) -> int:
    """Slices per GPU of the pool."""
    return settings.replicas if pool.replicas is None else pool.replicas


def sharing_of(settings: Settings, pool: GpuPool | RetiredPool) -> Sharing:
    """The stack's `sharing` with the single fields that the pool replaces."""
    own = {key: getattr(pool.sharing, key) for key in type(pool.sharing).model_fields}
    return settings.sharing.model_copy(update={key: value for key, value in own.items() if value is not None})


def pool_path(settings: Settings, name: str) -> str:
    """A GPU pool's key in the stack file."""
    by_key = {"gpuNodeGroups": settings.gpu_node_groups, "existingGpuNodes": settings.existing_gpu_nodes}
    return f"{next((key for key, pools in by_key.items() if name in pools), 'gpuNodePools')}.{name}"


def selection_of(pool: GpuPool, catalogue: Catalogue) -> Selection:
    """The instance types that the pool admits, by GPUs per node."""
    if isinstance(pool, GpuNodeGroup | ExistingGpuNodes):
        return select_explicit([pool.instance_type], catalogue)
    if pool.instance_types:
        return select_explicit(pool.instance_types, catalogue)
    return select(pool.families, pool.gpus_per_node, pool.sizes, catalogue)


def max_gpus_of(pool: GpuNodePool, count: int) -> int:
    """Most GPUs of the pool's nodes with `count` GPUs; 0 where the map does not say."""
    return pool.max_gpus if isinstance(pool.max_gpus, int) else pool.max_gpus.get(count, 0)
