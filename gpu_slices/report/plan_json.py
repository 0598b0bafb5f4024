"""A plan as JSON for other programs."""

from __future__ import annotations

from typing import Any

from ..plan import Plan
from ..pool_plan import PoolPlan


def plan_json(plan: Plan) -> dict[str, Any]:
    """The plan's numbers; null where a price is not known.

    `pools.NAME.resources.RESOURCE.TYPE` holds slicesPerNode, usableSlicesPerNode, gpuMemoryMiBPerSlice and
    usdPerSliceHour.
    """
    return {
        "stack": plan.stack,
        "region": plan.settings.region,
        "priceRegion": plan.price_region,
        "pools": {pool.name: _pool(pool) for pool in plan.pools},
        "warnings": [{"path": warning.path, "message": warning.message} for warning in plan.warnings],
    }


def _pool(pool: PoolPlan) -> dict[str, Any]:
    resources: dict[str, dict[str, Any]] = {}
    for shape in pool.shapes:
        for one in shape.slices:
            resources.setdefault(one.resource, {})[shape.instance.name] = {
                "slicesPerNode": one.count,
                "usableSlicesPerNode": one.bounds.usable,
                "gpuMemoryMiBPerSlice": one.gpu_memory_mib,
                "usdPerSliceHour": one.usd_per_hour,
            }
    return {
        "kind": pool.kind,
        "strategy": pool.strategy,
        "replicas": pool.replicas,
        "onSliceEdit": pool.on_slice_edit.effect,
        "onSliceEditReason": pool.on_slice_edit.reason,
        "instanceTypes": list(pool.instance_types),
        "resources": resources,
    }
