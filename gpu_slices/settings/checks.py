"""Rules over several keys. Each takes settings that are valid key by key and yields what does not fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ..cost.price_table import load_prices
from .adoption_checks import ADOPTION_CHECKS
from .benchmark_checks import BENCHMARK_CHECKS
from .budget_checks import BUDGET_CHECKS
from .cluster import Cluster, ExistingNetwork, NewNetwork
from .compatibility_checks import COMPATIBILITY_CHECKS
from .karpenter_checks import KARPENTER_CHECKS
from .mistakes import Mistake
from .model import REGION_KEY, Settings
from .monitoring_checks import MONITORING_CHECKS
from .pools import GpuNodeGroup, SystemNodes
from .reservation_checks import RESERVATION_CHECKS
from .security_checks import SECURITY_CHECKS
from .sharing_checks import SHARING_CHECKS
from .tenant_checks import TENANT_CHECKS
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
    if not isinstance(settings.cluster, Cluster):
        return
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
    _region_factor_is_for_another_region: (REGION_KEY,),
    **ADOPTION_CHECKS,
    **SHARING_CHECKS,
    **KARPENTER_CHECKS,
    **RESERVATION_CHECKS,
    **SECURITY_CHECKS,
    **TENANT_CHECKS,
    **WORKLOAD_CHECKS,
    **BENCHMARK_CHECKS,
    **COMPATIBILITY_CHECKS,
    **BUDGET_CHECKS,
    **MONITORING_CHECKS,
}
