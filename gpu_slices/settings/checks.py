"""Rules over several keys. Each takes settings that are valid key by key and yields what does not fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from .. import catalogue
from ..advertised import slice_kinds
from ..cost.price_table import load_prices
from .benchmark_checks import BENCHMARK_CHECKS
from .budget_checks import BUDGET_CHECKS
from .cluster import ExistingNetwork, NewNetwork
from .compatibility_checks import COMPATIBILITY_CHECKS
from .effective import gpu_pools, replicas_of, selection_of, sharing_of
from .karpenter_checks import KARPENTER_CHECKS
from .mistakes import Mistake, did_you_mean
from .model import REGION_KEY, Settings
from .pools import GpuNodeGroup, SystemNodes
from .reservation_checks import RESERVATION_CHECKS
from .security_checks import SECURITY_CHECKS
from .sharing_checks import SHARING_CHECKS
from .workload_checks import WORKLOAD_CHECKS

Check = Callable[[Settings], Iterator[Mistake]]


def _scaling_is_ordered(settings: Settings) -> Iterator[Mistake]:
    groups: dict[str, SystemNodes | GpuNodeGroup] = {"systemNodes": settings.system_nodes}
    groups |= {f"gpuNodeGroups.{name}": group for name, group in settings.gpu_node_groups.items()}
    for path, group in groups.items():
        if not group.min <= group.desired <= group.max:
            yield Mistake(
                path=f"{path}.desired",
                problem=f"min {group.min}, desired {group.desired} and max {group.max} are not in order",
                remedy="write min ≤ desired ≤ max",
            )


def _zones_fit(settings: Settings) -> Iterator[Mistake]:
    if not isinstance(settings.network, NewNetwork) or not settings.network.zones:
        return
    zones = settings.network.zones
    for index, zone in enumerate(zones):
        letter = zone.removeprefix(settings.region)
        if letter == zone or len(letter) != 1 or not letter.isalpha():
            yield Mistake(
                path=f"network.zones[{index}]",
                problem=f"{zone!r} is not a zone of {settings.region}",
                remedy=f"write one like {settings.region}a",
            )
    if len(set(zones)) != len(zones):
        yield Mistake(path="network.zones", problem="a zone is named twice", remedy="name each zone once")
    if not 2 <= len(zones) <= 4:
        yield Mistake(
            path="network.zones", problem=f"{len(zones)} zones do not fit", remedy="name two to four (EKS needs two)"
        )


def _subnets_are_distinct(settings: Settings) -> Iterator[Mistake]:
    if isinstance(settings.network, ExistingNetwork):
        subnets = settings.network.private_subnet_ids + settings.network.public_subnet_ids
        for subnet in sorted({one for one in subnets if subnets.count(one) > 1}):
            yield Mistake(path="network", problem=f"{subnet} is named twice", remedy="name each subnet once")


def _endpoint_is_reachable(settings: Settings) -> Iterator[Mistake]:
    endpoint = settings.cluster.endpoint
    if not endpoint.private and not endpoint.public:
        yield Mistake(
            path="cluster.endpoint",
            problem="neither private nor public: nobody could reach the API",
            remedy="set one of them to true",
        )
    if endpoint.public and not endpoint.public_cidrs:
        yield Mistake(
            path="cluster.endpoint.publicCidrs", problem="a public endpoint for nobody", remedy="name at least one CIDR"
        )


def _access_means_something(settings: Settings) -> Iterator[Mistake]:
    for name, access in settings.cluster.access.items():
        path = f"cluster.access.{name}"
        if access.policy is None and not access.groups:
            yield Mistake(path=path, problem="gives no rights", remedy="name a policy, groups, or both")
        if access.namespaces and access.policy in (None, "cluster-admin"):
            yield Mistake(
                path=f"{path}.namespaces",
                problem="namespaces limit a policy that cannot be limited",
                remedy="use policy admin, edit or view with namespaces",
            )


def _tenant_pools_exist(settings: Settings) -> Iterator[Mistake]:
    pools = gpu_pools(settings)
    for tenant, quota in settings.tenants.items():
        for index, pool in enumerate(quota.pools):
            if pool not in pools:
                yield Mistake(
                    path=f"tenants.{tenant}.pools[{index}]",
                    problem=f"there is no GPU pool {pool!r}",
                    remedy=did_you_mean(pool, pools) if pools else "declare it under gpuNodeGroups or gpuNodePools",
                )


def _tenant_slices_are_comparable(settings: Settings) -> Iterator[Mistake]:
    """A quota counts by resource name only; under one name a slice must be the same thing everywhere."""
    unlike = _unlike_pools(settings)
    for tenant, quota in settings.tenants.items():
        if not quota.pools and unlike:
            yield Mistake(
                path=f"tenants.{tenant}.pools",
                problem=f"the quota would count {' and '.join(unlike)} alike, though a slice of each is something else",
                remedy=f"name the tenant's pools, such as [{unlike[0]}]",
            )


def _unlike_pools(settings: Settings) -> list[str]:
    """Pools that advertise one resource name for different GPUs or MIG profiles, or for slices and whole ones."""
    alike: dict[str, dict[str, set[tuple[str, str | None, bool]]]] = {}
    for name, pool in gpu_pools(settings).items():
        sharing, replicas = sharing_of(settings, pool), replicas_of(settings, pool)
        for several in selection_of(pool, catalogue.load()).types.values():
            for one in several:
                for kind in slice_kinds(one, sharing, replicas):
                    slices = alike.setdefault(kind.resource, {}).setdefault(name, set())
                    slices.add((one.gpu.name, kind.profile, replicas > 1))
    for _, pools in sorted(alike.items()):
        if len(set().union(*pools.values())) > 1 and len(pools) > 1:
            return sorted(pools)
    return []


def _region_factor_is_for_another_region(settings: Settings) -> Iterator[Mistake]:
    if settings.prices.region_factor is not None and settings.region == load_prices().region:
        yield Mistake(
            path="prices.regionFactor",
            problem=f"the list prices are those of {settings.region} already",
            remedy="remove it, or write your own prices under prices.private",
        )


#: Check → keys that it interprets: where one of them was refused already, the check has nothing sound to say.
CHECKS: Mapping[Check, tuple[str, ...]] = {
    _scaling_is_ordered: (),
    _zones_fit: (REGION_KEY,),
    _subnets_are_distinct: (),
    _endpoint_is_reachable: (),
    _access_means_something: (),
    _tenant_pools_exist: (),
    _tenant_slices_are_comparable: ("gpuNodeGroups", "gpuNodePools", "replicas", "sharing"),
    _region_factor_is_for_another_region: (REGION_KEY,),
    **SHARING_CHECKS,
    **KARPENTER_CHECKS,
    **RESERVATION_CHECKS,
    **SECURITY_CHECKS,
    **WORKLOAD_CHECKS,
    **BENCHMARK_CHECKS,
    **COMPATIBILITY_CHECKS,
    **BUDGET_CHECKS,
}
