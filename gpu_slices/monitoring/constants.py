"""What Prometheus cannot see and the plan knows: prices and limits, as series that never change.

No number of slices is among them: a slice edit changes nothing here, and so never touches the monitoring release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..cost.prices import gpu_node_price
from ..plan import Plan
from ..pool_plan import PoolPlan
from ..quantities import mebibytes, millicores

CAPACITIES: Final = ("on-demand", "spot")
#: Constant → what it tells.
CONSTANTS: Final[Mapping[str, str]] = {
    "gpu_slices:instance_usd_per_hour": "USD an hour of an instance type, private or list price",
    "gpu_slices:node_overlay": "1 for every NodeOverlay that the stack declares",
    "gpu_slices:pool_most_nodes": "most nodes of a pool: a node group's max, a NodePool's limits",
}


def constant_rules(plan: Plan) -> list[dict[str, Any]]:
    """The constants as recording rules, sorted."""
    found = [*_prices(plan), *_overlays(plan), *_most_nodes(plan)]
    return sorted(found, key=lambda rule: (rule["record"], sorted(rule["labels"].items())))


def _prices(plan: Plan) -> Iterator[dict[str, Any]]:
    """A type in two pools has one price; one of unknown price has none, and its nodes cost nothing on a dashboard."""
    instances = {shape.instance.name: shape.instance for pool in plan.pools for shape in pool.shapes}
    discount = plan.settings.prices.spot_discount_percent or 0
    for name, instance in instances.items():
        usd = gpu_node_price(plan.settings, instance).usd
        if usd is None:
            continue
        for capacity in CAPACITIES:
            paid = usd * (1 - discount / 100) if capacity == "spot" else usd
            labels = {"instance_type": name, "capacity": capacity}
            yield _constant("gpu_slices:instance_usd_per_hour", f"{paid:.6g}", labels)


def _overlays(plan: Plan) -> Iterator[dict[str, Any]]:
    for pool in plan.pools:
        for one in pool.node_pools:
            if one.overlay:
                yield _constant("gpu_slices:node_overlay", "1", {"node_overlay": one.overlay.node_pool})


def _most_nodes(plan: Plan) -> Iterator[dict[str, Any]]:
    for pool in plan.pools:
        yield _constant("gpu_slices:pool_most_nodes", str(most_nodes(pool)), {"pool": pool.name})


def most_nodes(pool: PoolPlan) -> int:
    """Most nodes of a pool by every limit it has; larger types reach a CPU or memory limit with fewer."""
    if not pool.launched:
        return pool.most_nodes
    total = 0
    for one in pool.node_pools:
        types = [shape.instance for shape in pool.shapes if shape.instance.name in one.instance_types]
        bounds = [one.most_nodes]
        if cpu := one.limits.get("cpu"):
            bounds.append(millicores(cpu) // (1000 * min(instance.vcpu for instance in types)))
        if memory := one.limits.get("memory"):
            bounds.append(mebibytes(memory) // min(instance.memory_mib for instance in types))
        total += min(bounds)
    return total


def _constant(name: str, value: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"record": name, "expr": f"vector({value})", "labels": dict(labels)}
