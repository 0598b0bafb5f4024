"""Slices now: how many there are, who holds them, what the nodes cost. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from ..naming import POOL_LABEL
from ..pool_plan import PoolPlan
from .snapshot import CAPACITY_TYPE_LABELS, Node, Pod
from .view import View, shape_of


@dataclass(frozen=True, kw_only=True)
class NodeUse:
    """One node's slices; `pods` are those that hold some. `usd_per_hour` is on demand, None where not known."""

    name: str
    instance_type: str
    capacity: str
    gpus: int
    slices: int
    used: int
    pods: tuple[str, ...]
    usd_per_hour: float | None

    @property
    def free(self) -> int:
        """Slices that nobody holds; never below 0, though a lowered count can leave more pods than slices."""
        return max(0, self.slices - self.used)


@dataclass(frozen=True, kw_only=True)
class PoolUse:
    """One pool's nodes now, and the pods that wait for a slice of it."""

    name: str
    resource: str
    nodes: tuple[NodeUse, ...]
    waiting: int

    @property
    def usd_per_hour(self) -> float | None:
        """Of all nodes; None where one's price is not known."""
        known = [node.usd_per_hour for node in self.nodes if node.usd_per_hour is not None]
        return sum(known) if len(known) == len(self.nodes) else None


def pool_uses(view: View) -> tuple[PoolUse, ...]:
    """Every pool of the plan, in the plan's order."""
    return tuple(
        PoolUse(
            name=pool.name,
            resource=", ".join(pool.resources),
            nodes=tuple(_node(view, pool, node) for node in view.nodes[pool.name]),
            waiting=_waiting(view, pool),
        )
        for pool in view.plan.pools
    )


def _node(view: View, pool: PoolPlan, node: Node) -> NodeUse:
    shape = shape_of(pool, node)
    holders = [pod for pod in view.pods_on.get(node.name, ()) if _slices_of(pod, pool)]
    prices = [(one.count, one.usd_per_hour) for one in shape.slices] if shape else []
    return NodeUse(
        name=node.name,
        instance_type=node.instance_type,
        capacity=next((node.labels[key] for key in CAPACITY_TYPE_LABELS if key in node.labels), "").lower(),
        gpus=shape.instance.gpu_count if shape else 0,
        slices=view.shown(node, pool),
        used=sum(_slices_of(pod, pool) for pod in holders),
        pods=tuple(f"{pod.namespace}/{pod.name}" for pod in holders),
        usd_per_hour=sum(count * usd for count, usd in prices if usd is not None)
        if prices and all(usd is not None for _, usd in prices)
        else None,
    )


def _slices_of(pod: Pod, pool: PoolPlan) -> int:
    return sum(pod.requests.extended.get(resource, 0) for resource in pool.resources)


def _waiting(view: View, pool: PoolPlan) -> int:
    return sum(
        pod.phase == "Pending"
        and not pod.node
        and bool(_slices_of(pod, pool))
        and pod.node_selector.get(POOL_LABEL, pool.name) == pool.name
        for pod in view.snapshot.pods
    )
