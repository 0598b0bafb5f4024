"""Reviews as JSON for other programs. Sorted and complete: nothing is folded or cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..cost.stack_cost import StackCost
from ..pool_plan import NodeShape, PoolPlan
from ..review.engine_changes import EngineChanges
from ..review.pool_pairs import PoolPair, slices_at_limit, slices_configured
from ..review.stack_review import Side, StackReview
from ..review.tenants import QuotaSide
from .review_words import headline


def reviews_json(reviews: Sequence[StackReview]) -> dict[str, Any]:
    """`{"stacks": [...]}`."""
    return {"stacks": [review_json(review) for review in reviews]}


def review_json(review: StackReview, engine: EngineChanges | None = None) -> dict[str, Any]:
    """One stack. Money in USD, memory in MiB, null where a side or a price is not there."""
    content: dict[str, Any] = {
        "stack": review.stack,
        "before": _side(review.old),
        "after": _side(review.new),
        "effect": review.effect,
        "headline": headline(review) if review.valid else None,
        "stopped": review.stopped,
        "edits": [
            {"path": edit.path, "old": edit.old, "new": edit.new, "effect": then.effect, "meaning": then.words}
            for edit, then in review.edits
        ],
        "pools": {pair.name: _pool(pair) for pair in review.pools},
        "tenants": [
            {"tenant": pair.tenant, "resource": pair.resource, "old": _quota(pair.old), "new": _quota(pair.new)}
            for pair in review.tenants
        ],
        "risks": [{"level": risk.level, "path": risk.path, "message": risk.message} for risk in review.risks],
        "warnings": {
            "new": [{"path": one.path, "message": one.message} for one in review.new_warnings],
            "gone": [{"path": one.path, "message": one.message} for one in review.gone_warnings],
        },
        "cost": {"old": _cost(review.old_cost), "new": _cost(review.new_cost), "growthPercent": review.cost_growth()},
        "live": _live(review),
    }
    return content if engine is None else {**content, "engine": _engine(engine)}


def _side(side: Side) -> dict[str, Any]:
    mistakes = [{"path": one.path, "problem": one.problem, "remedy": one.remedy} for one in side.mistakes]
    return {"where": side.where, "there": side.plan is not None, "mistakes": mistakes}


def _pool(pair: PoolPair) -> dict[str, Any]:
    return {
        "change": pair.change,
        "onSliceEdit": pair.there.on_slice_edit.effect,
        "onSliceEditReason": pair.there.on_slice_edit.reason,
        "old": _pool_side(pair.old),
        "new": _pool_side(pair.new),
        "types": {shape.name: {"old": _shape(shape.old), "new": _shape(shape.new)} for shape in pair.shapes},
    }


def _pool_side(pool: PoolPlan | None) -> dict[str, Any] | None:
    if pool is None:
        return None
    return {
        "kind": pool.kind,
        "strategy": pool.strategy,
        "replicas": pool.replicas,
        "slicesConfigured": dict(slices_configured(pool)),
        "slicesAtLimit": dict(slices_at_limit(pool)),
    }


def _shape(shape: NodeShape | None) -> dict[str, Any] | None:
    """Memory and price are of the smallest slice; `resources` has those of each."""
    if shape is None:
        return None
    return {
        "advertised": dict(shape.advertised),
        "usableSlices": shape.bounds.usable,
        "gpuMemoryMiB": shape.instance.gpu_memory_mib,
        "gpuMemoryMiBPerSlice": shape.gpu_memory_mib_per_slice,
        "vcpuPerSlice": round(shape.instance.vcpu / sum(shape.advertised.values()), 3),
        "usdPerSliceHour": shape.usd_per_slice_hour,
        "resources": {
            one.resource: {"gpuMemoryMiBPerSlice": one.gpu_memory_mib, "usdPerSliceHour": one.usd_per_hour}
            for one in shape.slices
        },
    }


def _quota(side: QuotaSide | None) -> dict[str, Any] | None:
    if side is None:
        return None
    return {"quota": side.quota, "slicesAtLimit": side.slices, "neverAtOnce": side.pending, "worthGpus": side.gpus}


def _cost(cost: StackCost | None) -> dict[str, Any] | None:
    if cost is None:
        return None
    return {
        "priceRegion": cost.price_region,
        "usdPerMonthConfigured": round(cost.configured, 2),
        "usdPerMonthAtLimit": round(cost.limit, 2),
        "unknown": list(cost.unknown),
        "notIncluded": list(cost.not_included),
    }


def _live(review: StackReview) -> list[dict[str, Any]] | None:
    if review.use is None:
        return None
    return [
        {
            "pool": use.pool,
            "nodes": use.nodes,
            "held": use.held,
            "aboveNewCount": use.above,
            "byTenant": dict(use.by_tenant),
            "onFullNodes": dict(use.on_full_nodes),
        }
        for use in review.use
    ]


def _engine(engine: EngineChanges) -> dict[str, Any]:
    return {
        "errors": list(engine.errors),
        "unchanged": engine.unchanged,
        "changes": [
            {
                "kind": change.kind,
                "type": change.type,
                "name": change.name,
                "because": list(change.because),
                "properties": [{"path": one.path, "lines": list(one.lines)} for one in change.properties],
            }
            for change in engine.changes
        ],
    }
