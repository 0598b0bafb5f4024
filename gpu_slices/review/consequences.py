"""Which key's edit does what to the nodes and the pods on them: one table, first match wins.

Sources: what the program declares (tests/program/test_consequences.py) and the engine replaces, Karpenter 1.14.1's drift hash (everything under
`spec.template` and most of EC2NodeClass), EKS's update rules of managed node groups.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ..plan import Plan
from ..pool_plan import PoolPlan
from ..slice_edit import RESTART
from .edits import ABSENT, KeyEdit
from .effects import EFFECTS, Consequence, disrupt, nothing, replace, restart

Rule = Callable[[KeyEdit, Plan, Plan], Consequence]
Row = tuple[tuple[str, ...], Consequence | Rule]


def consequence(edit: KeyEdit, old: Plan, new: Plan) -> Consequence:
    """What the edit does."""
    for pattern, row in TABLE:
        if _matches(pattern, edit.parts):
            return row if isinstance(row, Consequence) else row(edit, old, new)
    return UNTOLD


def _matches(pattern: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    if pattern and pattern[-1] == "**":
        return len(parts) >= len(pattern) - 1 and _matches(pattern[:-1], parts[: len(pattern) - 1])
    return len(pattern) == len(parts) and all(want in ("*", part) for want, part in zip(pattern, parts, strict=True))


def _pools(plan: Plan) -> Mapping[str, PoolPlan]:
    return {pool.name: pool for pool in plan.pools}


def _slices(edit: KeyEdit, old: Plan, new: Plan) -> Consequence:
    before = _pools(old)
    edited = [p for p in new.pools if p.name in before and _counts(before[p.name]) != _counts(p)]
    if not edited:
        return nothing("no pool takes its number from here")
    found = [_slice_edit(before[pool.name], pool) for pool in edited]
    return max(found, key=lambda one: EFFECTS.index(one.effect))


def _slice_edit(old: PoolPlan, new: PoolPlan) -> Consequence:
    """Replicas of MIG instances are the plugin's; their layout is the nodes'."""
    if new.strategy == "mig" and old.mig_layout == new.mig_layout:
        return restart(RESTART.reason)
    edit = new.on_slice_edit
    return restart(edit.reason) if edit.effect == "restart" else disrupt(edit.reason)


def _counts(pool: PoolPlan) -> tuple[object, ...]:
    return (pool.replicas, pool.sharing, tuple(shape.advertised for shape in pool.shapes))


def _identity(edit: KeyEdit, old: Plan, new: Plan) -> Consequence:
    if _slices(edit, old, new).effect == "nothing":
        return nothing("no pool is shared that way now")
    return disrupt("the resource pods ask for changes under running pods: the card is given out twice")


def _desired(edit: KeyEdit, _old: Plan, _new: Plan) -> Consequence:
    if edit.new < edit.old:
        return disrupt("EKS drains and ends the nodes too many; their pods move")
    return nothing("nodes are added")


def _least(edit: KeyEdit, _old: Plan, _new: Plan) -> Consequence:
    return nothing("a bound of the group; desired decides")


def _admitted(edit: KeyEdit, old: Plan, new: Plan) -> Consequence:
    """A GPU pool's instance types, after an edit of what selects them."""
    name = edit.parts[1]
    before, after = _pools(old)[name], _pools(new)[name]
    gone = {one.name for one in before.node_pools} - {one.name for one in after.node_pools}
    if gone:
        return Consequence(
            effect="delete", words=f"NodePool {', '.join(sorted(gone))} goes with its nodes; their pods move"
        )
    if set(before.instance_types) - set(after.instance_types):
        return disrupt("Karpenter replaces nodes of types no longer admitted; their pods move")
    return nothing("more types are admitted; nodes stay")


def _narrowed(edit: KeyEdit, _old: Plan, _new: Plan) -> Consequence:
    """Capacity types and zones: an empty list admits all."""
    before, after = set(edit.old or ()), set(edit.new or ())
    if after and (not before or before - after):
        return disrupt("Karpenter replaces nodes that are no longer admitted; their pods move")
    return nothing("more is admitted; nodes stay")


def _reservations(edit: KeyEdit, _old: Plan, _new: Plan) -> Consequence:
    if set(edit.old or ()) - set(edit.new or ()):
        return disrupt("Karpenter replaces nodes of reservations no longer named; their pods move")
    return nothing("the next nodes use it first")


def _prices(_edit: KeyEdit, _old: Plan, new: Plan) -> Consequence:
    if new.settings.monitoring.enabled:
        return nothing("a figure of the plan, of dashboards and of alerts")
    return _PLAN_ONLY


def _monitoring(edit: KeyEdit, _old: Plan, new: Plan) -> Consequence:
    if edit.new is not True:
        return Consequence(effect="delete", words="Prometheus and Grafana go, with every sample they kept")
    if new.settings.gpu_stack == "gpu-operator":
        return restart("the operator's metrics exporter restarts on every GPU node; your pods stay")
    return nothing("the charts are installed; what runs is not touched")


def _monitored(_edit: KeyEdit, _old: Plan, new: Plan) -> Consequence:
    if new.settings.monitoring.enabled:
        return restart("parts of monitoring restart or read new rules; nodes and your pods stay")
    return nothing("monitoring is not enabled")


def _whole(edit: KeyEdit, _old: Plan, _new: Plan) -> Consequence:
    """A pool or tenant that came or went."""
    if edit.old is ABSENT:
        return _MADE[edit.parts[0]]
    if edit.new is ABSENT:
        return Consequence(effect="delete", words=_GONE[edit.parts[0]])
    return UNTOLD


def _existing(edit: KeyEdit, _old: Plan, _new: Plan) -> Consequence:
    """A pool of nodes that were there before the stack came or went; the nodes stay either way."""
    if edit.old is ABSENT:
        return restart("the device plugin restarts everywhere with one more config")
    if edit.new is ABSENT:
        return disrupt("its nodes stay, without slices for new pods until their config label goes too")
    return UNTOLD


_MADE: Final = {
    "gpuNodeGroups": restart("the node group is made; the device plugin restarts everywhere with one more config"),
    "gpuNodePools": restart("the pool is made; the device plugin restarts everywhere with one more config"),
    "nodePools": nothing("the NodePool is made; what runs is not touched"),
    "tenants": nothing("the namespace is made with its quota; what runs is not touched"),
}
_GONE: Final = {
    "gpuNodeGroups": "the node group goes with its nodes; their pods are evicted",
    "gpuNodePools": "the pool goes with its nodes; their pods are evicted",
    "nodePools": "the NodePool goes with its nodes; their pods move",
    "tenants": "the namespace goes with everything in it",
}
#: A key that this table does not know.
UNTOLD: Final = nothing("read the engine's own changes for this key")

_ROLLS: Final = disrupt("a new launch template version: EKS replaces the group's nodes one after another; pods move")
_NEW_DISKS: Final = disrupt("disks under another key: nodes are replaced one after another; pods move")
_DRIFTS: Final = disrupt("drift: Karpenter replaces the pool's nodes within its budgets; pods move")
_LIMIT: Final = nothing("a limit for new nodes; lowering it ends none")
_DISRUPTION: Final = nothing("a rule for later disruptions; it replaces no node by itself")
_PLAN_ONLY: Final = nothing("a figure of the plan; nothing in the cluster knows it")
_NEW_NETWORK: Final = replace("another network: subnets, node groups and what hangs on them are made anew")
_OTHER_NODES: Final = replace("another node group replaces this one; its pods move")
_TRAFFIC: Final = nothing("running pods' traffic is held to it at once: connections no longer allowed break; pods stay")
_CONTROL_PLANE: Final = nothing("EKS updates the control plane in place")
_ADDON: Final = restart("the add-on's own pods roll; nodes and your pods stay")


def _reserved(edit: KeyEdit, _old: Plan, _new: Plan) -> Consequence:
    """A node group's capacity reservation; its zone and kind are part of what EKS cannot change of a group."""
    match edit.parts[3:]:
        case ("instances",) | ("ends",):
            return _PLAN_ONLY
        case ("id",):
            return _ROLLS
        case _:
            return _OTHER_NODES


_LAUNCHED: Final[tuple[tuple[str, Consequence | Rule], ...]] = (
    ("capacity", _narrowed),
    ("zones", _narrowed),
    ("limits", _LIMIT),
    ("diskGiB", _DRIFTS),
    ("diskThroughput", _DRIFTS),
    ("amiAlias", _DRIFTS),
    ("expireAfter", _DRIFTS),
    ("terminationGracePeriod", _DRIFTS),
    ("labels", _DRIFTS),
    ("consolidation", _DISRUPTION),
    ("budgets", _DISRUPTION),
    ("weight", nothing("the order in which new pods try pools; nodes stay")),
)
_GPU_NODE_POOL: Final[tuple[tuple[str, Consequence | Rule], ...]] = (
    ("replicas", _slices),
    ("families", _admitted),
    ("gpusPerNode", _admitted),
    ("sizes", _admitted),
    ("instanceTypes", _admitted),
    ("maxGpus", _LIMIT),
    ("instanceStore", _DRIFTS),
    ("capacityReservations", _reservations),
    ("podRequests", _PLAN_ONLY),
)
_NODE_POOL: Final[tuple[tuple[str, Consequence | Rule], ...]] = tuple(
    (key, disrupt("Karpenter replaces nodes that are no longer admitted; their pods move"))
    for key in ("categories", "cpu", "minGeneration", "hypervisor")
)
_GPU_NODE_GROUP: Final[tuple[tuple[str, Consequence | Rule], ...]] = (
    ("replicas", _slices),
    ("instanceType", _OTHER_NODES),
    ("capacity", _OTHER_NODES),
    ("min", _least),
    ("desired", _desired),
    ("max", _least),
    ("diskGiB", _ROLLS),
    ("diskThroughput", _ROLLS),
    ("labels", nothing("EKS changes labels of the nodes in place; running pods stay")),
    ("amiRelease", disrupt("EKS replaces the group's nodes one after another; pods move")),
    ("capacityReservation", _reserved),
    ("podRequests", _PLAN_ONLY),
)
_EXISTING_GPU_NODES: Final[tuple[tuple[str, Consequence | Rule], ...]] = (
    ("replicas", _slices),
    ("instanceType", _PLAN_ONLY),
    ("nodes", _PLAN_ONLY),
    ("podRequests", _PLAN_ONLY),
)
_SYSTEM_NODES: Final[tuple[tuple[str, Consequence | Rule], ...]] = (
    ("instanceType", _OTHER_NODES),
    ("min", _least),
    ("desired", _desired),
    ("max", _least),
    ("diskGiB", _ROLLS),
)
_MPS_USER: Final = nothing("the user id of pods that this program writes; others must take it over by hand")
_SHARING: Final[tuple[tuple[str, Consequence | Rule], ...]] = (
    ("strategy", _identity),
    ("renameResource", _identity),
    ("failRequestsGreaterThanOne", _slices),
)


def _below(prefix: tuple[str, ...], rows: Sequence[tuple[str, Consequence | Rule]]) -> tuple[Row, ...]:
    return tuple(((*prefix, key, "**"), row) for key, row in rows)


def _sharing(prefix: tuple[str, ...]) -> tuple[Row, ...]:
    mig: tuple[Row, ...] = (((*prefix, "mig", "strategy"), _identity), ((*prefix, "mig", "**"), _slices))
    return (*_below(prefix, _SHARING), *mig, ((*prefix, "mps", "**"), _MPS_USER))


TABLE: Final[tuple[Row, ...]] = (
    (("aws:region",), replace("another region: everything is made anew")),
    (("replicas",), _slices),
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
    (("cluster", "addons", "**"), _ADDON),
    (("cluster", "optionalAddons"), nothing("add-ons come or go with their own pods; nodes and your pods stay")),
    (("cluster", "**"), _CONTROL_PLANE),
    (("network", "nat"), disrupt("routes to the Internet are made anew: open connections drop; nodes stay")),
    (("network", "publicSubnetIds"), nothing("for load balancers to come")),
    (("network", "**"), _NEW_NETWORK),
    *_below(("systemNodes",), _SYSTEM_NODES),
    (("gpuNodeGroups", "*"), _whole),
    *_below(("gpuNodeGroups", "*"), _GPU_NODE_GROUP),
    *_sharing(("gpuNodeGroups", "*", "sharing")),
    (("existingGpuNodes", "*"), _existing),
    *_below(("existingGpuNodes", "*"), _EXISTING_GPU_NODES),
    *_sharing(("existingGpuNodes", "*", "sharing")),
    (("gpuNodePools", "*"), _whole),
    *_below(("gpuNodePools", "*"), _GPU_NODE_POOL),
    *_sharing(("gpuNodePools", "*", "sharing")),
    *_below(("gpuNodePools", "*"), _LAUNCHED),
    (("nodePools", "*"), _whole),
    *_below(("nodePools", "*"), (*_NODE_POOL, *_LAUNCHED)),
    (("karpenter", "**"), restart("the controller rolls; nodes and your pods stay")),
    (("retiredPools", "**"), restart("the device plugin restarts with the other set of configs")),
    (("tenants", "*"), _whole),
    (("tenants", "*", "egress", "**"), _TRAFFIC),
    (("tenants", "*", "ingressFrom", "**"), _TRAFFIC),
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
    (("prices", "**"), _prices),
    (("monitoring", "enabled"), _monitoring),
    (("monitoring", "**"), _monitored),
    (("budget", "**"), nothing("an AWS budget; nothing in the cluster knows it")),
    (("security", "diskKmsKeyArn"), _NEW_DISKS),
    (("security", "digests", "**"), restart("pods of the named images roll, if there are any; nodes stay")),
    (("security", "**"), nothing("account and cluster are watched or opened differently; nodes and your pods stay")),
    (("workloads", "**"), nothing("sample workloads of the stack's own; what else runs is not touched")),
    (("benchmark", "**"), nothing("the benchmark's own pods; what else runs is not touched")),
)
