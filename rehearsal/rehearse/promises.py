"""What a rehearsal holds the platform to, beyond what a demo does: one rule each, with what breaks it."""

from __future__ import annotations

from collections.abc import Sequence

from rehearsal.demo.promises import Promise
from rehearsal.rehearse.quota import QuotaCheck
from rehearsal.rehearse.result import PoolBurst, SliceEditEffect


def all_run(one: PoolBurst, expected: int) -> Promise:
    """As many pods run as there are usable slices for."""
    burst = one.burst
    waits = f" of {burst.asked}, the rest waits" if expected < burst.asked else ""
    broken = () if burst.running == expected else (f"{burst.running} of {expected} run",)
    return Promise(words=f"{one.words}: {expected} pods run{waits}", broken_by=broken)


def as_many_nodes(one: PoolBurst, already: int) -> Promise:
    """Karpenter launches what the plan says, less the nodes that are already there."""
    launched = one.burst.launched
    enough = launched == 0 and already >= one.needed.least
    broken = () if enough or one.needed.allows(launched + already) else (f"{launched} launched",)
    there = f", {already} of them there already" if already else ""
    words = f"{one.words}: {one.burst.asked} pods at {one.usable_words} usable slices are {_span(one)} nodes{there}"
    return Promise(words=words, broken_by=broken)


def wrong_without(one: PoolBurst, *, renamed: bool) -> Promise:
    """Without overlays Karpenter must be seen to go wrong, else the comparison compares nothing.

    It launches too many nodes, and none at all where the slices have a name that EC2 does not report.
    """
    if renamed:
        none = (f"{one.burst.launched} launched",) if one.burst.launched else ()
        return Promise(words="without overlays Karpenter launches no node for renamed slices", broken_by=none)
    more = one.burst.launched > one.needed.most or one.needed.least == one.burst.asked
    broken = () if more else (f"{one.burst.launched} launched",)
    return Promise(words=f"without overlays Karpenter launches more than {_span(one)} nodes", broken_by=broken)


def overlays_ready(names: Sequence[str]) -> Promise:
    """Karpenter takes every overlay."""
    return Promise(words="every NodeOverlay is Ready", broken_by=tuple(names))


def edit_promises(effect: SliceEditEffect) -> tuple[Promise, ...]:
    """What the slice edit did to nodes and pods."""
    replaced = (f"{effect.nodes_replaced} nodes",) if effect.nodes_replaced else ()
    evicted = (f"{effect.pods_evicted} pods",) if effect.pods_evicted else ()
    return (
        Promise(words="the slice edit replaced no node", broken_by=replaced),
        Promise(words="every node advertises the new count", broken_by=effect.not_advertising),
        Promise(words="the slice edit evicted no pod", broken_by=evicted),
    )


def quota_promise(check: QuotaCheck) -> Promise:
    """The quota lets the granted slices through and no more."""
    came = f"{check.let_through} came through over {check.used} in use; {check.refusal or 'no refusal'}"
    broken = () if check.kept else (came,)
    return Promise(words=f"the quota of {check.tenant} refuses slice {check.granted + 1}", broken_by=broken)


def nothing_in_cluster(left: Sequence[str]) -> Promise:
    """What is in the API server that was not there before the stack."""
    return Promise(words="destroy left nothing in the API server", broken_by=tuple(sorted(left)))


def _span(one: PoolBurst) -> str:
    least, most = one.needed.least, one.needed.most
    return str(least) if least == most else f"{least} to {most}"
