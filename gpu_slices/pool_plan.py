"""What one GPU pool amounts to: its nodes' slices, memory and price per slice, and what an edit of it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from . import naming
from .capacity import Bounds, bounds
from .catalogue import Catalogue, InstanceType
from .cost.prices import gpu_node_price
from .daemons import gpu_node_daemons
from .node_pools import GpuNodePoolPlan, gpu_node_pools
from .quantities import mebibytes, millicores
from .settings import Settings
from .settings.effective import GpuPool, replicas_of, selection_of, sharing_of
from .settings.karpenter import GpuNodePool
from .settings.pools import GpuNodeGroup, PodRequests, Sharing

PoolKind = Literal["node-group", "node-pool"]
Effect = Literal["restart", "disrupt", "replace"]


@dataclass(frozen=True, kw_only=True)
class SliceEdit:
    """What an edit of `replicas` does to a pool, and why."""

    effect: Effect
    reason: str


RESTART: Final = SliceEdit(
    effect="restart",
    reason="the device plugin restarts with the new count; nodes, node groups and running pods stay",
)


@dataclass(frozen=True, kw_only=True)
class NodeShape:
    """One instance type of a pool: what such a node advertises, and what of it can be used.

    `advertised` maps resource names to counts; `usd_per_slice_hour` is what the stack pays for the node on demand
    (its private price, else the list's) over the slices it advertises, None where the price is not known.
    """

    instance: InstanceType
    advertised: Mapping[str, int]
    bounds: Bounds
    gpu_memory_mib_per_slice: int
    usd_per_slice_hour: float | None


@dataclass(frozen=True, kw_only=True)
class PoolPlan:
    """One GPU pool. `path` is its key in the stack file; `settings` are what its nodes are launched from."""

    name: str
    path: str
    replicas: int
    sharing: Sharing
    resource: str
    labels: Mapping[str, str]
    #: Sorted by GPUs per node, then price.
    shapes: tuple[NodeShape, ...]
    on_slice_edit: SliceEdit
    settings: GpuPool
    #: The pool's Karpenter NodePools; none for a node group.
    node_pools: tuple[GpuNodePoolPlan, ...] = ()

    @property
    def kind(self) -> PoolKind:
        """Managed by EKS, or launched by Karpenter."""
        return "node-group" if self.node_group else "node-pool"

    @property
    def node_group(self) -> GpuNodeGroup | None:
        """The settings of a node group; None for a pool of Karpenter's."""
        return self.settings if isinstance(self.settings, GpuNodeGroup) else None

    @property
    def launched(self) -> GpuNodePool | None:
        """The settings of a pool of Karpenter's; None for a node group."""
        return self.settings if isinstance(self.settings, GpuNodePool) else None

    @property
    def pod_requests(self) -> PodRequests:
        """What a typical one-slice pod asks for beside its slice."""
        return self.settings.pod_requests

    @property
    def config_key(self) -> str:
        """The plugin config of the pool is named after the pool: an edit of it touches no node."""
        return self.name

    @property
    def exclusive(self) -> bool:
        """Whole GPUs: no sharing block, no NodeOverlay."""
        return self.replicas == 1

    @property
    def strategy(self) -> str:
        """`exclusive` for whole GPUs, else the sharing strategy."""
        return "exclusive" if self.exclusive else self.sharing.strategy

    @property
    def instance_types(self) -> tuple[str, ...]:
        """Names of the pool's instance types, sorted."""
        return tuple(sorted(shape.instance.name for shape in self.shapes))

    @property
    def most_nodes(self) -> int:
        """Most nodes the pool can have at once."""
        return self.node_group.max if self.node_group else sum(one.most_nodes for one in self.node_pools)


def plan_pool(settings: Settings, name: str, pool: GpuPool, catalogue: Catalogue) -> PoolPlan:
    """The plan of one GPU pool."""
    replicas = replicas_of(settings, pool)
    sharing = sharing_of(settings, pool)
    renamed = replicas > 1 and sharing.rename_resource
    resource = naming.SHARED_GPU_RESOURCE if renamed else naming.GPU_RESOURCE
    types = selection_of(pool, catalogue).types
    key = "gpuNodeGroups" if isinstance(pool, GpuNodeGroup) else "gpuNodePools"
    return PoolPlan(
        name=name,
        path=f"{key}.{name}",
        replicas=replicas,
        sharing=sharing,
        resource=resource,
        labels=naming.pool_labels(name, with_gpu_present=settings.gpu_stack == "device-plugin", own=pool.labels),
        shapes=tuple(
            _shape(settings, instance, replicas, resource, pool.pod_requests)
            for several in types.values()
            for instance in several
        ),
        on_slice_edit=RESTART,
        settings=pool,
        node_pools=() if isinstance(pool, GpuNodeGroup) else gpu_node_pools(name, pool, types, replicas, resource),
    )


def _shape(settings: Settings, instance: InstanceType, replicas: int, resource: str, pod: PodRequests) -> NodeShape:
    slices = instance.gpu_count * replicas
    price = gpu_node_price(settings, instance).usd
    return NodeShape(
        instance=instance,
        advertised={resource: slices},
        bounds=bounds(
            instance,
            replicas,
            gpu_node_daemons(settings),
            pod_millicpu=millicores(pod.cpu),
            pod_mib=mebibytes(pod.memory),
        ),
        gpu_memory_mib_per_slice=instance.gpu_memory_mib // replicas,
        usd_per_slice_hour=None if price is None else round(price / slices, 6),
    )
