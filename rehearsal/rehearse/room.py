"""How many pods a pool has room for, how many nodes they need, and the edit that makes room for more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gpu_slices.pool_plan import PoolPlan

#: What a rehearsal asks for where the pool's limits allow it.
DEFAULT_PODS: Final = 40
#: After the slice edit a second burst shows the new number; it need not be larger than this.
MOST_PODS_AGAIN: Final = 100


@dataclass(frozen=True, kw_only=True)
class Need:
    """Nodes for a number of pods: exact where all the pool's types have as many usable slices, else from `least` to
    `most`."""

    least: int
    most: int

    def allows(self, nodes: int) -> bool:
        """Whether that many nodes are what the plan says."""
        return self.least <= nodes <= self.most


def usable(pool: PoolPlan) -> tuple[int, int]:
    """Usable slices of a node of the pool, of its worst and of its best instance type; of several kinds of slice, the
    smallest, which the burst asks for."""
    found = [shape.slices[0].bounds.usable for shape in pool.shapes]
    return min(found), max(found)


def nodes_needed(pool: PoolPlan, pods: int) -> Need:
    """⌈pods / usable slices⌉. Raises ZeroDivisionError for a pool whose nodes hold no such pod."""
    worst, best = usable(pool)
    return Need(least=-(-pods // best), most=-(-pods // worst))


def room(pool: PoolPlan) -> int:
    """Pods that the pool holds at most: on the nodes of a group as desired, on all that Karpenter may launch."""
    nodes = pool.most_nodes if pool.launched else pool.standing_nodes
    return nodes * usable(pool)[0]


def free(pool: PoolPlan, held: Mapping[str, int]) -> int:
    """Pods that find a slice on existing nodes; `held` are the slices in use, node by node."""
    most = usable(pool)[0]
    return sum(max(0, most - taken) for taken in held.values())


def default_pods(before: PoolPlan, after: PoolPlan) -> int:
    """As many as a node group's nodes hold; for Karpenter DEFAULT_PODS, or what its limits allow before and after."""
    if not before.launched:
        return room(before)
    return min(DEFAULT_PODS, room(before), room(after))


def lift(before: PoolPlan, after: PoolPlan, pods: int) -> Mapping[str, Any]:
    """Stack settings (path → value) that make room for a burst in a pool of Karpenter's; none where there is room.

    Limits of CPU and memory that the stack file states are dropped, since they were chosen for fewer nodes.
    """
    again = min(pods, MOST_PODS_AGAIN)
    if before.launched is None or (room(before) >= pods and room(after) >= again):
        return {}
    nodes = max(nodes_needed(before, pods).most, nodes_needed(after, again).most)
    counts = sorted({one.gpus_per_node for one in before.node_pools})
    gpus = {count: count * nodes for count in counts}
    most = gpus[counts[0]] if len(counts) == 1 else gpus
    return {f"{before.path}.maxGpus": most, f"{before.path}.limits": None}
