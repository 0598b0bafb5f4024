"""What a cluster commits today, set against the slices that its nodes will advertise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..pool_plan import PoolPlan
from .pool_pairs import PoolPair


@dataclass(frozen=True, kw_only=True)
class HeldSlices:
    """Pods of one namespace that hold slices on one node: resource name → count."""

    pool: str
    node: str
    instance_type: str
    tenant: str
    held: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class PoolUse:
    """One pool as a cluster has it. `above` are slices held beyond what their nodes will advertise."""

    pool: str
    nodes: int
    held: int
    above: int
    #: Tenant → slices it holds in the pool; and of these, on nodes that will advertise too few.
    by_tenant: Mapping[str, int]
    on_full_nodes: Mapping[str, int]


def pool_use(pairs: Sequence[PoolPair], nodes: Mapping[str, int], held: Iterable[HeldSlices]) -> tuple[PoolUse, ...]:
    """Use of each pool. `nodes` is pool name → nodes in the cluster; a pool that the cluster does not show is left out."""
    rows = list(held)
    return tuple(_use(pair, nodes.get(pair.name, 0), [row for row in rows if row.pool == pair.name]) for pair in pairs)


def _use(pair: PoolPair, nodes: int, rows: Sequence[HeldSlices]) -> PoolUse:
    per_node: dict[str, list[HeldSlices]] = {}
    for row in rows:
        per_node.setdefault(row.node, []).append(row)
    above, full = 0, Counter[str]()
    for on_node in per_node.values():
        held: Counter[str] = Counter()
        for row in on_node:
            held.update(row.held)
        then = _advertised(pair.new, on_node[0].instance_type)
        too_many = sum(max(0, count - then.get(resource, 0)) for resource, count in held.items())
        above += too_many
        if too_many:
            full.update({row.tenant: sum(row.held.values()) for row in on_node})
    tenants: Counter[str] = Counter()
    for row in rows:
        tenants[row.tenant] += sum(row.held.values())
    return PoolUse(
        pool=pair.name,
        nodes=nodes,
        held=sum(tenants.values()),
        above=above,
        by_tenant=dict(sorted(tenants.items())),
        on_full_nodes=dict(sorted(full.items())),
    )


def _advertised(pool: PoolPlan | None, instance_type: str) -> Mapping[str, int]:
    if pool is None:
        return {}
    return next((shape.advertised for shape in pool.shapes if shape.instance.name == instance_type), {})
