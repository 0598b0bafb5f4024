"""Rules between `workloads`, the pools whose slices they take, and the tenants whose quota they use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ..advertised import profiles_of
from ..workloads.catalogue import SAMPLES
from .effective import gpu_pools, sharing_of
from .mistakes import Mistake, did_you_mean, listed
from .model import Settings
from .workloads import Workload

Check = Callable[[Settings], Iterator[Mistake]]


def pods_of(name: str, workload: Workload) -> int:
    """Pods of a sample workload: the stack's number, else the sample's."""
    return SAMPLES[name].pods if workload.pods is None else workload.pods


def _pools_exist(settings: Settings) -> Iterator[Mistake]:
    pools = gpu_pools(settings)
    for name, workload in settings.workloads.items():
        if workload.pool not in pools:
            yield Mistake(
                path=f"workloads.{name}.pool",
                problem=f"there is no GPU pool {workload.pool!r}",
                remedy=did_you_mean(workload.pool, pools)
                if pools
                else "declare it under gpuNodeGroups or gpuNodePools",
            )


def _tenants_own_the_pools(settings: Settings) -> Iterator[Mistake]:
    pools = gpu_pools(settings)
    for name, workload in settings.workloads.items():
        tenant = settings.tenants.get(workload.tenant)
        if tenant is None:
            yield Mistake(
                path=f"workloads.{name}.tenant",
                problem=f"there is no tenant {workload.tenant!r}",
                remedy=did_you_mean(workload.tenant, settings.tenants)
                if settings.tenants
                else "declare it under tenants",
            )
        elif tenant.pools and workload.pool in pools and workload.pool not in tenant.pools:
            yield Mistake(
                path=f"workloads.{name}.pool",
                problem=f"{workload.pool} is no pool of the tenant {workload.tenant}",
                remedy=f"write one of: {', '.join(sorted(tenant.pools))}; or add it to tenants.{workload.tenant}.pools",
            )


def _profiles_are_the_pools(settings: Settings) -> Iterator[Mistake]:
    pools = gpu_pools(settings)
    for name, workload in settings.workloads.items():
        if workload.mig_profile is None or workload.pool not in pools:
            continue
        sharing = sharing_of(settings, pools[workload.pool])
        known = profiles_of(sharing.mig) if sharing.strategy == "mig" and sharing.mig else {}
        if workload.mig_profile not in known:
            has = f"has {listed(list(known))}" if known else "has no MIG"
            yield Mistake(
                path=f"workloads.{name}.migProfile",
                problem=f"{workload.pool} {has}, not {workload.mig_profile}",
                remedy="write one of the pool's, or none for its smallest slice" if known else "remove it",
            )


def _quotas_hold_the_pods(settings: Settings) -> Iterator[Mistake]:
    """Every pod takes one slice; a quota counts all workloads of a tenant together."""
    for name, tenant in settings.tenants.items():
        own = {word: pods_of(word, one) for word, one in sorted(settings.workloads.items()) if one.tenant == name}
        wanted = sum(own.values())
        if tenant.slices is None or wanted <= tenant.slices:
            continue
        parts = " + ".join(f"{word} {pods}" for word, pods in own.items())
        for word in own:
            yield Mistake(
                path=f"workloads.{word}.pods",
                problem=f"the tenant {name} may hold {tenant.slices} slices, its workloads have {wanted} pods ({parts})",
                remedy=f"write fewer pods, or tenants.{name}.slices: {wanted}",
            )


#: Check → keys that it interprets, as in checks.CHECKS.
WORKLOAD_CHECKS: Mapping[Check, tuple[str, ...]] = {
    _pools_exist: ("gpuNodeGroups", "gpuNodePools"),
    _tenants_own_the_pools: ("tenants",),
    _profiles_are_the_pools: ("gpuNodeGroups", "gpuNodePools", "sharing"),
    _quotas_hold_the_pods: ("tenants", "workloads"),
}
