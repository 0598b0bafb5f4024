"""What a stack's settings amount to: pools, resources, slices, quotas, plugin configs and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from . import naming
from .access_plan import plan_access
from .admission_plan import AdmissionPlan, plan_admission
from .budget import budget_warnings
from .catalogue import Catalogue, load
from .cost.prices import price_region
from .plugin_config import plugin_configs
from .pool_plan import PoolPlan, plan_pool
from .settings import Settings
from .settings.cluster import Access, NewNetwork
from .settings.effective import gpu_pools, uses_karpenter
from .stack_warning import StackWarning
from .stack_warnings import warnings_of
from .subnets import NO_ADDRESSES, AddressPlan, address_plan, default_zones
from .tenant_plan import TenantPlan, plan_tenants, tenant_warnings
from .workloads.plan import WorkloadPlan, plan_workloads, workload_warnings


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that follows from a stack's settings, computed without Pulumi and without a network."""

    stack: str
    settings: Settings
    price_region: str
    zones: tuple[str, ...]
    #: Address plan of a new network; empty on an existing one.
    addresses: AddressPlan
    tags: Mapping[str, str]
    pools: tuple[PoolPlan, ...]
    tenants: tuple[TenantPlan, ...]
    #: Access entries of the cluster by name.
    access: Mapping[str, Access]
    admission: AdmissionPlan
    #: Sample workloads; none unless configured.
    workloads: tuple[WorkloadPlan, ...]
    plugin_configs: Mapping[str, str]
    warnings: tuple[StackWarning, ...]

    @property
    def most_gpu_nodes(self) -> int:
        """Most GPU nodes that the stack can have at once; rollouts of DaemonSets are timed by it."""
        return sum(pool.most_nodes for pool in self.pools)

    @property
    def karpenter(self) -> bool:
        """Whether the stack runs Karpenter: it has pools for it, or says something about the controller."""
        return uses_karpenter(self.settings)

    @property
    def pod_identity(self) -> bool:
        """Whether pods of the stack get AWS roles, which takes EKS's Pod Identity agent on the nodes."""
        return self.karpenter or bool(self.settings.cluster.optional_addons)

    @property
    def spot(self) -> bool:
        """Whether Karpenter may launch spot instances."""
        launched = [*self.settings.gpu_node_pools.values(), *self.settings.node_pools.values()]
        return any("spot" in pool.capacity for pool in launched)


def make_plan(settings: Settings, *, stack: str, catalogue: Catalogue | None = None) -> Plan:
    """The plan of valid settings. Same settings, same plan; everything in it is sorted."""
    known = catalogue or load()
    pools = tuple(plan_pool(settings, name, pool, known) for name, pool in gpu_pools(settings).items())
    network = settings.network
    zones = network.zones or default_zones(settings.region) if isinstance(network, NewNetwork) else ()
    tenants = plan_tenants(settings, pools)
    workloads = plan_workloads(settings, pools)
    plan = Plan(
        stack=stack,
        settings=settings,
        price_region=price_region(settings, known),
        zones=zones,
        addresses=address_plan(network.cidr, zones) if isinstance(network, NewNetwork) else NO_ADDRESSES,
        tags=naming.stack_tags(stack, settings.cluster.name, settings.tags),
        pools=pools,
        tenants=tenants,
        access=plan_access(settings.cluster.access, tenants),
        admission=plan_admission(settings, pools),
        workloads=workloads,
        plugin_configs=plugin_configs(settings, pools),
        warnings=(),
    )
    found = {
        *warnings_of(settings, pools, known),
        *tenant_warnings(tenants, pools),
        *workload_warnings(workloads, pools),
        *budget_warnings(plan),
    }
    return replace(plan, warnings=tuple(sorted(found)))
