"""What a stack's settings amount to: pools, resources, slices, quotas, plugin configs and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from . import naming
from .capacity import Bounds, bounds
from .catalogue import Catalogue, InstanceType, load
from .daemons import gpu_node_daemons
from .plugin_config import plugin_configs
from .quantities import mebibytes, millicores
from .settings import Settings
from .settings.cluster import NewNetwork
from .settings.effective import replicas_of, sharing_of
from .settings.pools import GpuNodeGroup, PodRequests, Sharing
from .stack_warnings import StackWarning, warnings_of
from .subnets import AddressPlan, address_plan, default_zones

PoolKind = Literal["node-group", "node-pool"]
Effect = Literal["restart", "disrupt", "replace"]


@dataclass(frozen=True, kw_only=True)
class SliceEdit:
    """What an edit of `replicas` does to a pool, and why."""

    effect: Effect
    reason: str


_RESTART: Final = SliceEdit(
    effect="restart",
    reason="the device plugin restarts with the new count; nodes, node groups and running pods stay",
)


@dataclass(frozen=True, kw_only=True)
class NodeShape:
    """One instance type of a pool: what such a node advertises, and what of it can be used.

    `advertised` maps resource names to counts; `usd_per_slice_hour` is the on-demand price of the node in the
    catalogue's price region over the slices it advertises, None where the price is not known.
    """

    instance: InstanceType
    advertised: Mapping[str, int]
    bounds: Bounds
    gpu_memory_mib_per_slice: int
    usd_per_slice_hour: float | None


@dataclass(frozen=True, kw_only=True)
class NodeGroupScale:
    """Nodes of a managed node group."""

    min: int
    desired: int
    max: int


@dataclass(frozen=True, kw_only=True)
class PoolPlan:
    """One GPU pool. `path` is its key in the stack file; `config_key` names its plugin config."""

    name: str
    path: str
    kind: PoolKind
    replicas: int
    sharing: Sharing
    resource: str
    labels: Mapping[str, str]
    shapes: tuple[NodeShape, ...]
    pod_requests: PodRequests
    on_slice_edit: SliceEdit
    #: Set for a node group, with the settings that its launch template and scaling come from.
    node_group: GpuNodeGroup | None = None

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
        return tuple(shape.instance.name for shape in self.shapes)

    @property
    def most_nodes(self) -> int:
        """Most nodes the pool can have at once."""
        return self.node_group.max if self.node_group is not None else 0


@dataclass(frozen=True, kw_only=True)
class TenantPlan:
    """One team's namespace and quota: GPU resource name → most of it at once."""

    name: str
    pools: tuple[str, ...]
    slices: int
    quota: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that follows from a stack's settings, computed without Pulumi and without a network."""

    stack: str
    settings: Settings
    price_region: str
    zones: tuple[str, ...]
    #: Address plan of a new network; None on an existing one.
    addresses: AddressPlan | None
    tags: Mapping[str, str]
    pools: tuple[PoolPlan, ...]
    tenants: tuple[TenantPlan, ...]
    plugin_configs: Mapping[str, str]
    warnings: tuple[StackWarning, ...]

    @property
    def most_gpu_nodes(self) -> int:
        """Most GPU nodes that the stack can have at once; rollouts of DaemonSets are timed by it."""
        return sum(pool.most_nodes for pool in self.pools)


def make_plan(settings: Settings, *, stack: str, catalogue: Catalogue | None = None) -> Plan:
    """The plan of valid settings. Same settings, same plan; everything in it is sorted."""
    known = catalogue or load()
    pools = tuple(_node_group_pool(settings, name, known) for name in sorted(settings.gpu_node_groups))
    network = settings.network
    zones = network.zones or default_zones(settings.region) if isinstance(network, NewNetwork) else ()
    return Plan(
        stack=stack,
        settings=settings,
        price_region=known.price_region,
        zones=zones,
        addresses=address_plan(network.cidr, zones) if isinstance(network, NewNetwork) else None,
        tags=naming.stack_tags(stack, settings.cluster.name, settings.tags),
        pools=pools,
        tenants=tuple(_tenant(settings, name, pools) for name in sorted(settings.tenants)),
        plugin_configs=plugin_configs(pools),
        warnings=warnings_of(settings, pools, known),
    )


def _node_group_pool(settings: Settings, name: str, catalogue: Catalogue) -> PoolPlan:
    group = settings.gpu_node_groups[name]
    replicas = replicas_of(settings, group)
    sharing = sharing_of(settings, group)
    renamed = replicas > 1 and sharing.rename_resource
    resource = naming.SHARED_GPU_RESOURCE if renamed else naming.GPU_RESOURCE
    instance = catalogue.instances[group.instance_type]
    return PoolPlan(
        name=name,
        path=f"gpuNodeGroups.{name}",
        kind="node-group",
        replicas=replicas,
        sharing=sharing,
        resource=resource,
        labels=naming.pool_labels(name, with_gpu_present=settings.gpu_stack == "device-plugin", own=group.labels),
        shapes=(_shape(settings, instance, replicas, resource, group.pod_requests),),
        pod_requests=group.pod_requests,
        on_slice_edit=_RESTART,
        node_group=group,
    )


def _shape(settings: Settings, instance: InstanceType, replicas: int, resource: str, pod: PodRequests) -> NodeShape:
    slices = instance.gpu_count * replicas
    price = instance.usd_per_hour
    return NodeShape(
        instance=instance,
        advertised={resource: slices},
        bounds=bounds(
            instance,
            replicas,
            gpu_node_daemons(settings.gpu_stack),
            pod_millicpu=millicores(pod.cpu),
            pod_mib=mebibytes(pod.memory),
        ),
        gpu_memory_mib_per_slice=instance.gpu_memory_mib // replicas,
        usd_per_slice_hour=None if price is None else round(price / slices, 6),
    )


def _tenant(settings: Settings, name: str, pools: tuple[PoolPlan, ...]) -> TenantPlan:
    """A tenant may hold slices of its own pools only: every other GPU resource of the stack is capped at 0."""
    tenant = settings.tenants[name]
    own = tenant.pools or tuple(pool.name for pool in pools)
    granted = {pool.resource for pool in pools if pool.name in own} or {naming.GPU_RESOURCE}
    every = granted | {pool.resource for pool in pools} | {naming.GPU_RESOURCE}
    quota = {resource: tenant.slices if resource in granted else 0 for resource in sorted(every)}
    return TenantPlan(name=name, pools=tuple(sorted(own)), slices=tenant.slices, quota=quota)
