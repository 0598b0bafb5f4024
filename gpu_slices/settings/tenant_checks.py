"""Rules between `tenants`, the pools whose slices they hold, and who else is let into the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from .. import catalogue
from ..advertised import slice_kinds
from .effective import gpu_pools, replicas_of, selection_of, sharing_of
from .mistakes import Mistake, did_you_mean
from .model import Settings

if TYPE_CHECKING:
    from ..pool_plan import PoolPlan

Check = Callable[[Settings], Iterator[Mistake]]


def _pools_exist(settings: Settings) -> Iterator[Mistake]:
    pools = gpu_pools(settings)
    for name, tenant in settings.tenants.items():
        for index, pool in enumerate(tenant.pools):
            if pool not in pools:
                yield Mistake(
                    path=f"tenants.{name}.pools[{index}]",
                    problem=f"there is no GPU pool {pool!r}",
                    remedy=did_you_mean(pool, pools) if pools else "declare it under gpuNodeGroups or gpuNodePools",
                )


def _slices_are_comparable(settings: Settings) -> Iterator[Mistake]:
    """A quota counts by resource name only; under one name a slice must be the same thing everywhere."""
    unlike = _unlike_pools(settings)
    for name, tenant in settings.tenants.items():
        if not tenant.pools and unlike:
            yield Mistake(
                path=f"tenants.{name}.pools",
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


def _quotas_can_be_held(settings: Settings) -> Iterator[Mistake]:
    """A number that none of the tenant's pools can ever reach is a slip, or was left behind by an edit of the pools."""
    from ..tenant_plan import capacity, own_pools  # the plan is made from settings: known once these are

    pools = _planned(settings)
    for name, tenant in settings.tenants.items():
        own = own_pools(tenant, pools)
        most = capacity(own)
        if tenant.slices is not None and 0 < max(most.values(), default=0) < tenant.slices:
            yield Mistake(
                path=f"tenants.{name}.slices",
                problem=f"{tenant.slices} slices can never be held at once: {_limits(own)}",
                remedy=f"write at most {max(most.values())}, raise the pool's limit, or leave it out: then it is all there are",
            )
        for resource, count in tenant.resources.items():
            yield from _resource_mistakes(f"tenants.{name}.resources", resource, count, most, own)


def _resource_mistakes(
    path: str, resource: str, count: int, most: Mapping[str, int], own: tuple[PoolPlan, ...]
) -> Iterator[Mistake]:
    if resource not in most:
        yield Mistake(
            path=path,
            problem=f"no pool of the tenant's advertises {resource!r}",
            remedy=did_you_mean(resource, most) if most else "declare a GPU pool",
        )
    elif count > most[resource]:
        yield Mistake(
            path=path,
            problem=f"{count} {resource} can never be held at once: {_limits(own)}",
            remedy=f"write at most {most[resource]}, or raise the pool's limit",
        )


def _limits(pools: tuple[PoolPlan, ...]) -> str:
    from ..pool_limits import slices_at_limit

    words = [
        f"{count} {resource} in {pool.name}" for pool in pools for resource, count in slices_at_limit(pool).items()
    ]
    return f"at its limit there are {' and '.join(words)}"


def _planned(settings: Settings) -> tuple[PoolPlan, ...]:
    from ..pool_plan import plan_pool

    if not settings.tenants:
        return ()
    known = catalogue.load()
    # A pool that admits no type is a mistake of its own.
    pools = {name: pool for name, pool in gpu_pools(settings).items() if selection_of(pool, known).types}
    return tuple(plan_pool(settings, name, pool, known) for name, pool in pools.items())


def _principals_have_one_entry(settings: Settings) -> Iterator[Mistake]:
    """EKS keeps one access entry for a principal."""
    seen: dict[str, str] = {}
    for person, access in sorted(settings.cluster.access.items()):
        if access.principal_arn in seen:
            yield Mistake(
                path=f"cluster.access.{person}.principalArn",
                problem=f"{access.principal_arn} stands under cluster.access.{seen[access.principal_arn]} already",
                remedy="EKS keeps one entry for each: put both into one",
            )
        seen.setdefault(access.principal_arn, person)
    for name, tenant in settings.tenants.items():
        for index, principal in enumerate(tenant.principals):
            if principal == settings.security.break_glass_role_arn:
                yield Mistake(
                    path=f"tenants.{name}.principals[{index}]",
                    problem=f"{principal} is the emergency's role (security.breakGlassRoleArn), which has an entry of its own",
                    remedy="name the people's everyday role",
                )


#: Check → keys that it interprets, as in checks.CHECKS.
TENANT_CHECKS: Mapping[Check, tuple[str, ...]] = {
    _pools_exist: (),
    _slices_are_comparable: ("gpuNodeGroups", "gpuNodePools", "replicas", "sharing"),
    _quotas_can_be_held: ("gpuNodeGroups", "gpuNodePools", "replicas", "sharing"),
    _principals_have_one_entry: (),
}
