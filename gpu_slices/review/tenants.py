"""What an edit means for each tenant's quota: how much of it can run, and what it is worth in GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..plan import Plan
from ..pool_plan import PoolPlan
from .pool_pairs import slices_at_limit


@dataclass(frozen=True, kw_only=True)
class QuotaSide:
    """One resource of a tenant's quota, in one plan.

    `slices` are advertised by the tenant's pools at their limits; `gpus` is what the quota is worth in whole GPUs and
    `mib` in GPU memory, None where the tenant's pools differ in it.
    """

    quota: int
    slices: int
    gpus: float | None
    mib: int | None

    @property
    def pending(self) -> int:
        """Slices of the quota that can never be held at once."""
        return max(0, self.quota - self.slices)


@dataclass(frozen=True, kw_only=True)
class TenantPair:
    """One tenant and GPU resource before and after; a side is None where the tenant does not have it."""

    tenant: str
    resource: str
    old: QuotaSide | None
    new: QuotaSide | None


def tenant_pairs(old: Plan | None, new: Plan | None) -> tuple[TenantPair, ...]:
    """Every tenant's resources of which either side grants something, sorted."""
    before = dict(_sides(old)) if old else {}
    after = dict(_sides(new)) if new else {}
    return tuple(
        TenantPair(
            tenant=tenant, resource=resource, old=before.get((tenant, resource)), new=after.get((tenant, resource))
        )
        for tenant, resource in sorted({*before, *after})
    )


def _sides(plan: Plan) -> Iterator[tuple[tuple[str, str], QuotaSide]]:
    for tenant in plan.tenants:
        pools = [pool for pool in plan.pools if pool.name in tenant.pools]
        for resource, quota in tenant.quota.items():
            if any(resource in slices_at_limit(pool) for pool in pools):
                yield (tenant.name, resource), _side(pools, resource, quota)


def _side(pools: list[PoolPlan], resource: str, quota: int) -> QuotaSide:
    own = [pool for pool in pools if any(resource in shape.advertised for shape in pool.shapes)]
    shapes = [shape for pool in own for shape in pool.shapes if resource in shape.advertised]
    per_gpu = {shape.advertised[resource] / shape.instance.gpu_count for shape in shapes}
    memory = {one.gpu_memory_mib for shape in shapes for one in shape.slices if one.resource == resource}
    return QuotaSide(
        quota=quota,
        slices=sum(slices_at_limit(pool).get(resource, 0) for pool in own),
        gpus=quota / per_gpu.pop() if len(per_gpu) == 1 else None,
        mib=quota * memory.pop() if len(memory) == 1 else None,
    )
