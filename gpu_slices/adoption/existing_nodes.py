"""GPU nodes that were there before the stack: which of them are in their pool, and what puts the others into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..checks.snapshot import Node
from ..naming import CONFIG_LABEL, POOL_LABEL
from ..pool_plan import PoolPlan


def in_pool(pool: PoolPlan, nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The nodes that carry both labels of the pool: the device plugin's and the one that pods select by."""
    wanted = {CONFIG_LABEL: pool.config_key, POOL_LABEL: pool.name}
    return tuple(node for node in nodes if wanted.items() <= node.labels.items())


def candidates(pool: PoolPlan, nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The nodes of the pool's instance type that lack a label of the pool and are in no other."""
    every = tuple(nodes)
    inside = in_pool(pool, every)
    return tuple(
        node
        for node in every
        if node.instance_type in pool.instance_types
        and node not in inside
        and node.pool_label in ("", pool.name)
        and node.config_key in ("", pool.config_key)
    )


def label_words(labels: Mapping[str, str]) -> str:
    """Labels as `kubectl label node NODE` takes them."""
    return " ".join(f"{key}={value}" for key, value in sorted(labels.items()))
