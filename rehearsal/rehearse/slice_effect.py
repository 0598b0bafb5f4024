"""What a slice edit does to live nodes: what they advertise, which of them stay, and the pods on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gpu_slices.manifests.karpenter import INSTANCE_TYPE_LABEL
from gpu_slices.pool_plan import PoolPlan
from rehearsal.rehearse.burst import wait
from rehearsal.rehearse.result import SliceEditEffect
from rehearsal.rehearse.watching import Pool

_ADVERTISE_SECONDS: Final = 90.0


@dataclass(frozen=True, kw_only=True)
class Before:
    """Uids of nodes and running pods at the moment of the edit."""

    nodes: frozenset[str]
    pods: frozenset[str]

    @classmethod
    def of(cls, pool: Pool) -> Before:
        """What is there now."""
        return cls(nodes=_uids(pool.nodes()), pods=_uids(_running(pool)))


def effect(pool: Pool, after: PoolPlan, before: Before) -> SliceEditEffect:
    """Waits until every node advertises what the plan after the edit says, and compares."""
    wait(lambda: not _wrong(pool, after), _ADVERTISE_SECONDS)
    nodes, running = pool.nodes(), _running(pool)
    return SliceEditEffect(
        nodes=len(nodes),
        nodes_replaced=len(before.nodes - _uids(nodes)),
        not_advertising=_wrong(pool, after),
        pods_running_before=len(before.pods),
        pods_evicted=len(before.pods - _uids(running)),
        pods_above_new_count=_above(running, pool.held(after.resource), nodes, after),
    )


def _wrong(pool: Pool, plan: PoolPlan) -> tuple[str, ...]:
    wanted = _advertised(plan)
    told: list[str] = []
    for node in pool.nodes():
        shows = int(node["status"].get("allocatable", {}).get(plan.resource, "0"))
        should = wanted.get(_type(node), 0)
        if shows != should:
            told.append(f"{node['metadata']['name']} advertises {shows} {plan.resource}, not {should}")
    return tuple(sorted(told))


def _above(
    pods: tuple[Mapping[str, Any], ...],
    held: Mapping[str, int],
    nodes: tuple[Mapping[str, Any], ...],
    plan: PoolPlan,
) -> int:
    """Slices in use beyond the new count, by the burst and by the stack's workloads."""
    wanted = _advertised(plan)
    types = {node["metadata"]["name"]: _type(node) for node in nodes}
    on = Counter(held) + Counter(pod["spec"].get("nodeName", "") for pod in pods)
    return sum(max(0, count - wanted.get(types.get(node, ""), 0)) for node, count in on.items())


def _advertised(plan: PoolPlan) -> dict[str, int]:
    return {shape.instance.name: shape.advertised.get(plan.resource, 0) for shape in plan.shapes}


def _type(node: Mapping[str, Any]) -> str:
    return node["metadata"]["labels"].get(INSTANCE_TYPE_LABEL, "")


def _running(pool: Pool) -> tuple[Mapping[str, Any], ...]:
    return tuple(pod for pod in pool.all_pods() if (pod.get("status") or {}).get("phase") == "Running")


def _uids(objects: tuple[Mapping[str, Any], ...]) -> frozenset[str]:
    return frozenset(str(one["metadata"]["uid"]) for one in objects)
