"""How many slices a pool has in all: of the nodes that always run, and of all it may have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from .pool_plan import NodeShape, PoolPlan


def slices_configured(pool: PoolPlan) -> Mapping[str, int]:
    """Resource name → slices of the nodes that always run; nothing for a pool of Karpenter's, which starts at 0."""
    return {} if pool.launched else _times(pool.shapes[0], pool.standing_nodes)


def slices_at_limit(pool: PoolPlan) -> Mapping[str, int]:
    """Resource name → slices of all nodes the pool may have."""
    if not pool.launched:
        return _times(pool.shapes[0], pool.most_nodes)
    total: Counter[str] = Counter()
    for resource, count in _node_pool_limits(pool):
        total[resource] += count
    return dict(sorted(total.items()))


def _node_pool_limits(pool: PoolPlan) -> Iterator[tuple[str, int]]:
    for one in pool.node_pools:
        per_node: Counter[str] = Counter()
        for shape in pool.shapes:
            if shape.instance.name in one.instance_types:
                per_node |= Counter(shape.advertised)
        yield from ((resource, count * one.most_nodes) for resource, count in per_node.items())


def _times(shape: NodeShape, nodes: int) -> Mapping[str, int]:
    return {resource: count * nodes for resource, count in sorted(shape.advertised.items())}
