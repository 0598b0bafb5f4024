"""Which key's edit does what to the nodes and the pods on them: one table, first match wins.

Sources: what the program declares (tests/program/test_consequences.py) and the engine replaces, Karpenter 1.14.1's drift
hash (everything under `spec.template` and most of EC2NodeClass), EKS's update rules of managed node groups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ..plan import Plan
from . import consequence_rules as rules
from .edits import KeyEdit
from .effects import Consequence, disrupt, nothing, replace, restart

Rule = Callable[[KeyEdit, Plan, Plan], Consequence]
Row = tuple[tuple[str, ...], Consequence | Rule]


def consequence(edit: KeyEdit, old: Plan, new: Plan) -> Consequence:
    """What the edit does."""
    for pattern, row in TABLE:
        if _matches(pattern, edit.parts):
            return row if isinstance(row, Consequence) else row(edit, old, new)
    return rules.UNTOLD


def _matches(pattern: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    if pattern and pattern[-1] == "**":
        return len(parts) >= len(pattern) - 1 and _matches(pattern[:-1], parts[: len(pattern) - 1])
    return len(pattern) == len(parts) and all(want in ("*", part) for want, part in zip(pattern, parts, strict=True))


_LAUNCHED: Final[tuple[tuple[str, Consequence | Rule], ...]] = (
    ("capacity", rules.narrowed),
    ("zones", rules.narrowed),
    ("limits", rules.LIMIT),
    ("diskGiB", rules.DRIFTS),
    ("diskThroughput", rules.DRIFTS),
    ("amiAlias", rules.DRIFTS),
    ("expireAfter", rules.DRIFTS),
    ("terminationGracePeriod", rules.DRIFTS),
    ("labels", rules.DRIFTS),
    ("consolidation", rules.DISRUPTION),
    ("budgets", rules.DISRUPTION),
    ("weight", nothing("the order in which new pods try pools; nodes stay")),
)
_GPU_NODE_POOL: Final[tuple[tuple[str, Consequence | Rule], ...]] = (
    ("replicas", rules.slices),
    ("families", rules.admitted),
    ("gpusPerNode", rules.admitted),
    ("sizes", rules.admitted),
    ("instanceTypes", rules.admitted),
    ("maxGpus", rules.LIMIT),
    ("instanceStore", rules.DRIFTS),
    ("capacityReservations", rules.reservations),
    ("podRequests", rules.PLAN_ONLY),
)
_NODE_POOL: Final[tuple[tuple[str, Consequence | Rule], ...]] = tuple(
    (key, disrupt("Karpenter replaces nodes that are no longer admitted; their pods move"))
    for key in ("categories", "cpu", "minGeneration", "hypervisor")
)
_GPU_NODE_GROUP: Final[tuple[tuple[str, Consequence | Rule], ...]] = (
    ("replicas", rules.slices),
    ("instanceType", rules.OTHER_NODES),
    ("capacity", rules.OTHER_NODES),
    ("min", rules.least),
    ("desired", rules.desired),
    ("max", rules.least),
    ("diskGiB", rules.ROLLS),
    ("diskThroughput", rules.ROLLS),
    ("labels", nothing("EKS changes labels of the nodes in place; running pods stay")),
    ("amiRelease", disrupt("EKS replaces the group's nodes one after another; pods move")),
    ("capacityReservation", rules.reserved),
    ("podRequests", rules.PLAN_ONLY),
)
_EXISTING_GPU_NODES: Final[tuple[tuple[str, Consequence | Rule], ...]] = (
    ("replicas", rules.slices),
    ("instanceType", rules.PLAN_ONLY),
    ("nodes", rules.PLAN_ONLY),
    ("podRequests", rules.PLAN_ONLY),
)
_SYSTEM_NODES: Final[tuple[tuple[str, Consequence | Rule], ...]] = (
    ("instanceType", rules.OTHER_NODES),
    ("min", rules.least),
    ("desired", rules.desired),
    ("max", rules.least),
    ("diskGiB", rules.ROLLS),
)
_MPS_USER: Final = nothing("the user id of pods that this program writes; others must take it over by hand")
_SHARING: Final[tuple[tuple[str, Consequence | Rule], ...]] = (
    ("strategy", rules.identity),
    ("renameResource", rules.identity),
    ("failRequestsGreaterThanOne", rules.slices),
)


def _below(prefix: tuple[str, ...], rows: Sequence[tuple[str, Consequence | Rule]]) -> tuple[Row, ...]:
    return tuple(((*prefix, key, "**"), row) for key, row in rows)


def _sharing(prefix: tuple[str, ...]) -> tuple[Row, ...]:
    mig: tuple[Row, ...] = (((*prefix, "mig", "strategy"), rules.identity), ((*prefix, "mig", "**"), rules.slices))
    return (*_below(prefix, _SHARING), *mig, ((*prefix, "mps", "**"), _MPS_USER))


TABLE: Final[tuple[Row, ...]] = (
    (("aws:region",), replace("another region: everything is made anew")),
    (("replicas",), rules.slices),
    *_sharing(("sharing",)),
    (
        ("gpuStack",),
        disrupt("one plugin goes, the other comes: no GPU can be scheduled in between; Karpenter's GPU nodes drift"),
    ),
    (
        ("cluster", "adopt"),
        replace("another cluster: what was added to the one goes from it and is made anew in the other"),
    ),
    (("cluster", "name"), replace("a cluster of another name: cluster and node groups are made anew")),
    (("cluster", "version"), disrupt("the control plane is upgraded, then every node is replaced; it cannot go back")),
    (("cluster", "encryption", "deletionWindowDays"), nothing("counts at destroy")),
    (("cluster", "encryption", "**"), replace("EKS cannot change a cluster's key: the cluster is made anew")),
    (("cluster", "access", "**"), nothing("who may use the API; nodes and pods stay")),
    (("cluster", "addons", "**"), rules.ADDON),
    (("cluster", "optionalAddons"), nothing("add-ons come or go with their own pods; nodes and your pods stay")),
    (("cluster", "**"), rules.CONTROL_PLANE),
    (("network", "nat"), disrupt("routes to the Internet are made anew: open connections drop; nodes stay")),
    (("network", "publicSubnetIds"), nothing("for load balancers to come")),
    (("network", "**"), rules.NEW_NETWORK),
    *_below(("systemNodes",), _SYSTEM_NODES),
    (("gpuNodeGroups", "*"), rules.whole),
    *_below(("gpuNodeGroups", "*"), _GPU_NODE_GROUP),
    *_sharing(("gpuNodeGroups", "*", "sharing")),
    (("existingGpuNodes", "*"), rules.existing),
    *_below(("existingGpuNodes", "*"), _EXISTING_GPU_NODES),
    *_sharing(("existingGpuNodes", "*", "sharing")),
    (("gpuNodePools", "*"), rules.whole),
    *_below(("gpuNodePools", "*"), _GPU_NODE_POOL),
    *_sharing(("gpuNodePools", "*", "sharing")),
    *_below(("gpuNodePools", "*"), _LAUNCHED),
    (("nodePools", "*"), rules.whole),
    *_below(("nodePools", "*"), (*_NODE_POOL, *_LAUNCHED)),
    (("karpenter", "**"), restart("the controller rolls; nodes and your pods stay")),
    (("retiredPools", "**"), restart("the device plugin restarts with the other set of configs")),
    (("tenants", "*"), rules.whole),
    (("tenants", "*", "egress", "**"), rules.TRAFFIC),
    (("tenants", "*", "ingressFrom", "**"), rules.TRAFFIC),
    (("tenants", "*", "principals", "**"), nothing("who may work in the namespace; its pods stay")),
    (("tenants", "*", "podSecurity"), nothing("asked of new pods; running pods stay")),
    (
        ("tenants", "*", "priority", "**"),
        nothing("the PriorityClass of new pods is made anew; running pods keep theirs"),
    ),
    (("tenants", "**"), nothing("the quota of new pods; running pods stay")),
    (("admission", "**"), nothing("what new pods are held to; running pods stay")),
    (
        ("tags", "**"),
        disrupt("tags are part of launch templates and NodeClasses: nodes are replaced one after another"),
    ),
    (("prices", "**"), rules.prices),
    (("monitoring", "enabled"), rules.monitoring),
    (("monitoring", "**"), rules.monitored),
    (("budget", "**"), nothing("an AWS budget; nothing in the cluster knows it")),
    (("security", "diskKmsKeyArn"), rules.NEW_DISKS),
    (("security", "digests", "**"), restart("pods of the named images roll, if there are any; nodes stay")),
    (("security", "**"), nothing("account and cluster are watched or opened differently; nodes and your pods stay")),
    (("workloads", "**"), nothing("sample workloads of the stack's own; what else runs is not touched")),
    (("benchmark", "**"), nothing("the benchmark's own pods; what else runs is not touched")),
)
