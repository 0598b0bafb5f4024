"""What each tenant amounts to: its quota, its walls, its people; and what all tenants together may ask of the pools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from . import naming
from .pool_limits import slices_at_limit
from .pool_plan import PoolPlan
from .quantities import mebibytes, millicores
from .settings import Settings
from .settings.effective import enforcement_of
from .settings.pools import PodRequests
from .settings.tenants import Egress, Enforcement, PodSecurityLevel, Priority, Tenant
from .stack_warning import StackWarning


@dataclass(frozen=True, kw_only=True)
class TenantPlan:
    """One team's namespace.

    `quota` maps every GPU resource of the stack to the most that the tenant may hold of it at once; `slices` is the most
    of any one. `requests` is what a container is given that asks for no CPU or memory.
    """

    name: str
    pools: tuple[str, ...]
    #: Whether the stack file names the pools; otherwise a slice is the same in all of them.
    picks_pools: bool
    slices: int
    quota: Mapping[str, int]
    requests: PodRequests
    pod_security: PodSecurityLevel
    egress: tuple[Egress, ...]
    ingress_from: tuple[str, ...]
    principals: tuple[str, ...]
    priority: Priority | None
    enforcement: Enforcement

    @property
    def group(self) -> str:
        """The Kubernetes group of its people."""
        return f"{naming.PROJECT}:{self.name}"

    @property
    def priority_class(self) -> str | None:
        """Name of its PriorityClass."""
        return f"{naming.PROJECT}-{self.name}" if self.priority else None


def plan_tenants(settings: Settings, pools: Sequence[PoolPlan]) -> tuple[TenantPlan, ...]:
    """The stack's tenants by name."""
    return tuple(_plan(settings, name, pools) for name in sorted(settings.tenants))


def gpu_resources(pools: Iterable[PoolPlan]) -> tuple[str, ...]:
    """Names of every GPU resource that a node of the stack may show, sorted: an unlabelled node shows whole GPUs."""
    shown = {resource for pool in pools for shape in pool.shapes for resource in shape.advertised}
    return tuple(sorted({naming.GPU_RESOURCE, *shown}))


def own_pools(tenant: Tenant, pools: Sequence[PoolPlan]) -> tuple[PoolPlan, ...]:
    """The pools that a tenant may use: those it names, else all."""
    return tuple(pool for pool in pools if not tenant.pools or pool.name in tenant.pools)


def capacity(pools: Iterable[PoolPlan]) -> dict[str, int]:
    """GPU resource → slices of all nodes that the pools may have."""
    total: Counter[str] = Counter()
    for pool in pools:
        total.update(slices_at_limit(pool))
    return dict(sorted(total.items()))


def _plan(settings: Settings, name: str, pools: Sequence[PoolPlan]) -> TenantPlan:
    """A tenant may hold slices of its own pools only: every other GPU resource of the stack is capped at 0."""
    tenant = settings.tenants[name]
    own = own_pools(tenant, pools)
    quota = {**dict.fromkeys(gpu_resources(pools), 0), **granted(tenant, capacity(own))}
    return TenantPlan(
        name=name,
        pools=tuple(pool.name for pool in own),
        picks_pools=bool(tenant.pools),
        slices=max(quota.values()),
        quota=dict(sorted(quota.items())),
        requests=_least_requests(own),
        pod_security=tenant.pod_security,
        egress=tenant.egress,
        ingress_from=tuple(sorted(tenant.ingress_from)),
        principals=tuple(sorted(set(tenant.principals))),
        priority=tenant.priority,
        enforcement=enforcement_of(settings),
    )


def granted(tenant: Tenant, most: Mapping[str, int]) -> dict[str, int]:
    """GPU resource → what a tenant may hold of it, where `most` is what its pools can have."""
    every = most or {naming.GPU_RESOURCE: 0}
    same = {resource: count if tenant.slices is None else tenant.slices for resource, count in every.items()}
    return {**same, **tenant.resources}


def _least_requests(pools: Sequence[PoolPlan]) -> PodRequests:
    """The smallest `podRequests` of the pools: a default must not keep a pod from a node that has room."""
    asked = [pool.pod_requests for pool in pools] or [PodRequests()]
    return PodRequests(
        cpu=min((one.cpu for one in asked), key=millicores), memory=min((one.memory for one in asked), key=mebibytes)
    )


def tenant_warnings(tenants: Sequence[TenantPlan], pools: Sequence[PoolPlan]) -> Iterator[StackWarning]:
    """Quotas that sum to more than there is, for every set of pools that tenants must do with."""
    found: set[tuple[str, frozenset[str]]] = set()
    for names in _pool_sets(tenants):
        most = capacity(pool for pool in pools if pool.name in names)
        for resource, count in most.items():
            users = [one for one in tenants if set(one.pools) <= names and one.quota[resource] and one.pools]
            total = sum(one.quota[resource] for one in users)
            who = frozenset(one.name for one in users)
            if total > count and len(users) > 1 and (resource, who) not in found:
                found.add((resource, who))
                parts = " + ".join(f"{one.name} {one.quota[resource]}" for one in users)
                yield StackWarning(
                    path="tenants",
                    message=f"over-committed: the quotas sum to {total} {resource} ({parts}), "
                    f"{' and '.join(sorted(names))} can have {count}; who comes first gets them",
                )


def _pool_sets(tenants: Sequence[TenantPlan]) -> list[frozenset[str]]:
    """The sets of pools that tenants name, and all of them together; small ones first."""
    sets = {frozenset(one.pools) for one in tenants}
    return sorted({*sets, frozenset().union(*sets)}, key=lambda names: (len(names), sorted(names)))
