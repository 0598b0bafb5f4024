"""What a rehearsal found, as plain data, and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rehearsal.demo.promises import Promise
from rehearsal.demo.slice_edit import SliceEdit
from rehearsal.demo.words import Description
from rehearsal.rehearse.burst import Burst
from rehearsal.rehearse.quota import QuotaCheck
from rehearsal.rehearse.room import Need


@dataclass(frozen=True, kw_only=True)
class Act:
    """One step: seconds, peak memory of all processes together in MiB, and what it did in one line."""

    name: str
    seconds: float
    peak_mib: float
    did: str


@dataclass(frozen=True, kw_only=True)
class PoolBurst:
    """A burst with what the plan says about it; `usable` are the usable slices per node, of the worst and best type."""

    words: str
    replicas: int
    usable: tuple[int, int]
    needed: Need
    burst: Burst

    @property
    def usable_words(self) -> str:
        """`10`, or `8–10` where types differ."""
        worst, best = self.usable
        return str(best) if worst == best else f"{worst}–{best}"


@dataclass(frozen=True, kw_only=True)
class SliceEditEffect:
    """What the nodes did at the slice edit. `above` pods run beyond the new count of their nodes until they restart."""

    nodes: int
    nodes_replaced: int
    not_advertising: tuple[str, ...]
    pods_running_before: int
    pods_evicted: int
    pods_above_new_count: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """A whole rehearsal; what a stack does not have is None."""

    stack: str
    versions: Mapping[str, str]
    pool: str
    launched_by_karpenter: bool
    lifted: Mapping[str, Any]
    acts: tuple[Act, ...]
    first: PoolBurst
    again: PoolBurst | None
    without: PoolBurst | None
    edit: SliceEdit | None
    diff: Description | None
    effect: SliceEditEffect | None
    quota: QuotaCheck | None
    promises: tuple[Promise, ...]
    left: tuple[str, ...]

    @property
    def broken(self) -> tuple[Promise, ...]:
        """The promises that were not kept."""
        return tuple(promise for promise in self.promises if not promise.kept)


def result_json(result: Result) -> dict[str, Any]:
    """The record: the figures by name first, then everything else."""
    first, launched = result.first, result.launched_by_karpenter
    return {
        "stack": result.stack,
        "pool": result.pool,
        "podsAsked": first.burst.asked,
        "podsRunning": first.burst.running,
        "usableSlicesPerNode": first.usable[1],
        "nodesNeeded": first.needed.least,
        "nodesLaunched": first.burst.launched if launched else None,
        "nodesLaunchedWithoutOverlays": result.without.burst.launched if result.without else None,
        "nodesReplacedBySliceEdit": result.effect.nodes_replaced if result.effect else None,
        "podsEvictedBySliceEdit": result.effect.pods_evicted if result.effect else None,
        "leftAfterDestroy": len(result.left),
        "seconds": round(sum(act.seconds for act in result.acts), 1),
        "peakMiB": max(act.peak_mib for act in result.acts),
        "steps": [
            {"name": act.name, "seconds": round(act.seconds, 2), "peakMiB": act.peak_mib, "did": act.did}
            for act in result.acts
        ],
        "promises": [
            {"words": one.words, "kept": one.kept, "brokenBy": list(one.broken_by)} for one in result.promises
        ],
        "left": list(result.left),
        "versions": dict(result.versions),
        "lifted": dict(result.lifted),
        "bursts": {
            name: _burst(one)
            for name, one in (("first", first), ("afterEdit", result.again), ("withoutOverlays", result.without))
            if one
        },
        "edit": asdict(result.edit) if result.edit else None,
        "sliceEdit": asdict(result.effect) if result.effect else None,
        "quota": asdict(result.quota) if result.quota else None,
    }


def _burst(one: PoolBurst) -> dict[str, Any]:
    return {
        "replicas": one.replicas,
        "podsAsked": one.burst.asked,
        "podsRunning": one.burst.running,
        "nodesNeeded": one.needed.least,
        "nodesLaunched": one.burst.launched,
        "nodes": one.burst.nodes,
        "seconds": round(one.burst.seconds, 2),
        "timeline": [
            {"seconds": p.seconds, "pending": p.pending, "running": p.running, "nodes": p.nodes}
            for p in one.burst.points
        ],
    }
