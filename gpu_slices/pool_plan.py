"""What one GPU pool amounts to: its nodes' slices, memory and price per slice, and what an edit of it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from . import naming
from .advertised import slice_kinds
from .capacity import Bounds, bounds
from .catalogue import Catalogue, InstanceType
from .cost.prices import gpu_node_price
from .daemons import gpu_node_daemons
from .mig_layouts import mig_layout_name
from .node_pools import GpuNodePoolPlan, gpu_node_pools
from .quantities import mebibytes, millicores
from .settings import Settings
from .settings.effective import GpuPool, pool_path, replicas_of, selection_of, sharing_of
from .settings.karpenter import GpuNodePool
from .settings.pools import ExistingGpuNodes, GpuNodeGroup, PodRequests
from .settings.sharing import Sharing
from .slice_edit import SliceEdit, slice_edit

#: The strategy of whole GPUs.
EXCLUSIVE: Final = "exclusive"

PoolKind = Literal["node-group", "node-pool", "existing-nodes"]
_KINDS: Final[Mapping[type[GpuPool], PoolKind]] = {
    GpuNodeGroup: "node-group",
    GpuNodePool: "node-pool",
    ExistingGpuNodes: "existing-nodes",
}


@dataclass(frozen=True, kw_only=True)
class Slices:
    """One resource that a node advertises; `gpu_memory_mib` and `usd_per_hour` are of one slice.

    The price is what the stack pays for the node on demand (its private price, else the list's), shared out by GPU
    memory; None where it is not known.
    """

    resource: str
    count: int
    #: The MIG profile that a slice is, or a share of.
    profile: str | None
    bounds: Bounds
    gpu_memory_mib: int
    usd_per_hour: float | None


@dataclass(frozen=True, kw_only=True)
class NodeShape:
    """One instance type of a pool: what such a node advertises, and what of it can be used.

    `bounds` are of all slices together. Several resources are there under MIG's strategy mixed only.
    """

    instance: InstanceType
    #: Smallest slices first.
    slices: tuple[Slices, ...]
    bounds: Bounds

    @property
    def advertised(self) -> Mapping[str, int]:
        """Resource name → slices, sorted."""
        return {one.resource: one.count for one in sorted(self.slices, key=lambda one: one.resource)}

    @property
    def gpu_memory_mib_per_slice(self) -> int:
        """Of the smallest slice, in MiB."""
        return self.slices[0].gpu_memory_mib

    @property
    def usd_per_slice_hour(self) -> float | None:
        """Of the smallest slice."""
        return self.slices[0].usd_per_hour


@dataclass(frozen=True, kw_only=True)
class PoolPlan:
    """One GPU pool. `path` is its key in the stack file; `settings` are what its nodes are launched from."""

    name: str
    path: str
    replicas: int
    sharing: Sharing
    #: What its nodes advertise; smallest slices first.
    resources: tuple[str, ...]
    labels: Mapping[str, str]
    #: Sorted by GPUs per node, then price.
    shapes: tuple[NodeShape, ...]
    on_slice_edit: SliceEdit
    settings: GpuPool
    #: The pool's Karpenter NodePools; none for another kind of pool.
    node_pools: tuple[GpuNodePoolPlan, ...] = ()

    @property
    def kind(self) -> PoolKind:
        """Managed by EKS, launched by Karpenter, or there before the stack."""
        return _KINDS[type(self.settings)]

    @property
    def node_group(self) -> GpuNodeGroup | None:
        """The settings of a node group; None for another kind of pool."""
        return self.settings if isinstance(self.settings, GpuNodeGroup) else None

    @property
    def launched(self) -> GpuNodePool | None:
        """The settings of a pool of Karpenter's; None for another kind of pool."""
        return self.settings if isinstance(self.settings, GpuNodePool) else None

    @property
    def existing(self) -> ExistingGpuNodes | None:
        """The settings of nodes that were there before the stack; None for another kind of pool."""
        return self.settings if isinstance(self.settings, ExistingGpuNodes) else None

    @property
    def standing_nodes(self) -> int:
        """Nodes that are there without a pod asking for them; none for a pool of Karpenter's."""
        if self.existing:
            return self.existing.nodes
        return self.node_group.desired if self.node_group else 0

    @property
    def pod_requests(self) -> PodRequests:
        """What a typical one-slice pod asks for beside its slice."""
        return self.settings.pod_requests

    @property
    def config_key(self) -> str:
        """The plugin config of the pool is named after the pool: an edit of it touches no node."""
        return self.name

    @property
    def resource(self) -> str:
        """What a pod of the pool asks for unless it wants more: the only resource, or the smallest."""
        return self.resources[0]

    @property
    def renamed(self) -> bool:
        """Whether slices have a resource name that no whole GPU or MIG instance has."""
        return self.replicas > 1 and self.sharing.rename_resource

    @property
    def run_as_user(self) -> int | None:
        """The user id that the pool's pods must have: an MPS daemon serves one user at a time; None: any."""
        return self.sharing.mps.run_as_user if self.strategy == "mps" else None

    @property
    def mig_layout(self) -> str | None:
        """The name of its MIG layout, which changes with the layout; None without MIG."""
        return mig_layout_name(self.name, self.sharing)

    @property
    def exclusive(self) -> bool:
        """Whole GPUs: no sharing block, no NodeOverlay."""
        return self.strategy == EXCLUSIVE

    @property
    def strategy(self) -> str:
        """`exclusive` for whole GPUs, else the sharing strategy."""
        return _strategy(self.sharing, self.replicas)

    @property
    def memory_enforced(self) -> bool:
        """Whether a slice can take no more than its GPU memory: under MPS, and for whole MIG instances."""
        return self.strategy == "mps" or (self.strategy == "mig" and self.replicas == 1)

    @property
    def instance_types(self) -> tuple[str, ...]:
        """Names of the pool's instance types, sorted."""
        return tuple(sorted(shape.instance.name for shape in self.shapes))

    @property
    def most_nodes(self) -> int:
        """Most nodes the pool can have at once."""
        if self.launched:
            return sum(one.most_nodes for one in self.node_pools)
        return self.node_group.max if self.node_group else self.standing_nodes


def plan_pool(settings: Settings, name: str, pool: GpuPool, catalogue: Catalogue) -> PoolPlan:
    """The plan of one GPU pool."""
    replicas = replicas_of(settings, pool)
    sharing = sharing_of(settings, pool)
    types = selection_of(pool, catalogue).types
    shapes = tuple(_shape(settings, instance, pool) for several in types.values() for instance in several)
    launched = isinstance(pool, GpuNodePool)
    return PoolPlan(
        name=name,
        path=pool_path(settings, name),
        replicas=replicas,
        sharing=sharing,
        resources=tuple(one.resource for one in shapes[0].slices),
        labels=naming.pool_labels(
            name,
            with_gpu_present=settings.gpu_stack == "device-plugin",
            mig_layout=mig_layout_name(name, sharing),
            own={} if isinstance(pool, ExistingGpuNodes) else pool.labels,
        ),
        shapes=shapes,
        on_slice_edit=slice_edit(sharing.strategy, shared=replicas > 1, launched=launched),
        settings=pool,
        node_pools=gpu_node_pools(name, pool, types, {one.instance.name: one.advertised for one in shapes})
        if isinstance(pool, GpuNodePool)
        else (),
    )


def _strategy(sharing: Sharing, replicas: int) -> str:
    return EXCLUSIVE if replicas == 1 and sharing.strategy != "mig" else sharing.strategy


def _shape(settings: Settings, instance: InstanceType, pool: GpuPool) -> NodeShape:
    sharing, replicas = sharing_of(settings, pool), replicas_of(settings, pool)
    kinds = slice_kinds(instance, sharing, replicas)
    price = gpu_node_price(settings, instance).usd
    memory = sum(kind.count * kind.gpu_memory_mib for kind in kinds)

    def fits(slices: int) -> Bounds:
        return bounds(
            instance,
            slices,
            gpu_node_daemons(settings, _strategy(sharing, replicas)),
            pod_millicpu=millicores(pool.pod_requests.cpu),
            pod_mib=mebibytes(pool.pod_requests.memory),
        )

    return NodeShape(
        instance=instance,
        slices=tuple(
            Slices(
                resource=kind.resource,
                count=kind.count,
                profile=kind.profile,
                bounds=fits(kind.count),
                gpu_memory_mib=kind.gpu_memory_mib,
                usd_per_hour=None if price is None else round(price * kind.gpu_memory_mib / memory, 6),
            )
            for kind in kinds
        ),
        bounds=fits(sum(kind.count for kind in kinds)),
    )
