"""How many vCPUs a stack needs of each EC2 quota: as configured, and at its limits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ..plan import Plan
from ..pool_plan import PoolPlan
from ..quantities import millicores
from ..settings.effective import system_nodes_of

#: (kind of instance, capacity) → quota code. AWS counts them in vCPUs.
QUOTA_CODES: Final[Mapping[tuple[str, str], str]] = {
    ("g", "on-demand"): "L-DB2E81BA",
    ("g", "spot"): "L-3819A6DF",
    ("p", "on-demand"): "L-417A185B",
    ("p4", "spot"): "L-7212CCBC",
    ("p5", "spot"): "L-C4BD4855",
    ("standard", "on-demand"): "L-1216C47A",
    ("standard", "spot"): "L-34B43A08",
}
#: As the Service Quotas console calls them.
QUOTA_NAMES: Final[Mapping[str, str]] = {
    "L-1216C47A": "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
    "L-34B43A08": "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests",
    "L-3819A6DF": "All G and VT Spot Instance Requests",
    "L-417A185B": "Running On-Demand P instances",
    "L-7212CCBC": "All P4, P3 and P2 Spot Instance Requests",
    "L-C4BD4855": "All P5 Spot Instance Requests",
    "L-DB2E81BA": "Running On-Demand G and VT instances",
}
_KINDS: Final = (
    ("g", re.compile(r"(gr?|vt)\d")),
    ("p", re.compile(r"p\d")),
    ("standard", re.compile(r"[acdhimrtz]\d")),
)
#: Generations that share a spot quota; AWS documents none for p6.
_P_SPOT: Final = {"2": "p4", "3": "p4", "4": "p4", "5": "p5"}


@dataclass(frozen=True, kw_only=True)
class Need:
    """What one part of the stack needs of one quota, in vCPUs. `path` is its key in the stack file.

    `now` is for the configured size: the desired nodes of a group, the first node of a NodePool. `limit` is for the most
    nodes it may have. `alternative`: the part can take its nodes from another quota as well.
    """

    path: str
    code: str
    now: int
    limit: int
    alternative: bool = False


def quota_code(instance_type: str, capacity: str) -> str | None:
    """The quota that a running instance counts against; None where AWS documents none or the kind is another."""
    kind = next((word for word, pattern in _KINDS if pattern.match(instance_type)), None)
    if kind == "p" and capacity == "spot":
        kind = _P_SPOT.get(instance_type[1])
    return QUOTA_CODES.get((kind or "", capacity))


def quota_needs(plan: Plan, vcpus: Mapping[str, int]) -> tuple[Need, ...]:
    """All needs of a plan. `vcpus` of its instance types; a type that is not in it is left out."""
    return (*_system(plan, vcpus), *_general(plan), *(need for pool in plan.pools for need in _gpu_pool(pool, vcpus)))


def _system(plan: Plan, vcpus: Mapping[str, int]) -> Iterator[Need]:
    nodes = system_nodes_of(plan.settings)
    if nodes is None:
        return
    code, each = quota_code(nodes.instance_type, "on-demand"), vcpus.get(nodes.instance_type)
    if code and each:
        yield Need(path="systemNodes", code=code, now=nodes.desired * each, limit=nodes.max * each)


def _general(plan: Plan) -> Iterator[Need]:
    """General NodePools start empty; only their cpu limit says how much they may become."""
    for name, pool in sorted(plan.settings.node_pools.items()):
        limit = millicores(pool.limits.cpu) // 1000 if pool.limits.cpu else 0
        codes = sorted({QUOTA_CODES["standard", capacity] for capacity in pool.capacity})
        for code in codes:
            yield Need(path=f"nodePools.{name}", code=code, now=0, limit=limit, alternative=len(codes) > 1)


def _gpu_pool(pool: PoolPlan, vcpus: Mapping[str, int]) -> Iterator[Need]:
    group = pool.node_group
    if group:
        code, each = quota_code(group.instance_type, group.capacity), vcpus[group.instance_type]
        if code:
            yield Need(path=pool.path, code=code, now=group.desired * each, limit=group.max * each)
    elif pool.launched:
        by_code = _types_by_code(pool.instance_types, pool.launched.capacity)
        for code, types in sorted(by_code.items()):
            yield Need(
                path=pool.path,
                code=code,
                now=min(vcpus[name] for name in types),
                limit=_most_vcpus(pool, types, vcpus),
                alternative=len(by_code) > 1,
            )


def _types_by_code(types: Iterable[str], capacities: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for capacity in capacities:
        for name in types:
            code = quota_code(name, capacity)
            if code:
                found.setdefault(code, []).append(name)
    return found


def _most_vcpus(pool: PoolPlan, types: list[str], vcpus: Mapping[str, int]) -> int:
    """All nodes of the largest type, unless the NodePool's cpu limit is less."""
    total = 0
    for one in pool.node_pools:
        sizes = [vcpus[name] for name in one.instance_types if name in types]
        if sizes:
            total += min(one.most_nodes * max(sizes), millicores(one.limits["cpu"]) // 1000)
    return total
