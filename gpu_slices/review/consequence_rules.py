"""What an edit does where it depends on the edit or on the pools, and the answers that several keys share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..plan import Plan
from ..pool_plan import PoolPlan
from ..slice_edit import RESTART
from .edits import ABSENT, KeyEdit
from .effects import EFFECTS, Consequence, disrupt, nothing, replace, restart

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

ROLLS: Final = disrupt("a new launch template version: EKS replaces the group's nodes one after another; pods move")
NEW_DISKS: Final = disrupt("disks under another key: nodes are replaced one after another; pods move")
DRIFTS: Final = disrupt("drift: Karpenter replaces the pool's nodes within its budgets; pods move")
LIMIT: Final = nothing("a limit for new nodes; lowering it ends none")
DISRUPTION: Final = nothing("a rule for later disruptions; it replaces no node by itself")
PLAN_ONLY: Final = nothing("a figure of the plan; nothing in the cluster knows it")
NEW_NETWORK: Final = replace("another network: subnets, node groups and what hangs on them are made anew")
OTHER_NODES: Final = replace("another node group replaces this one; its pods move")
TRAFFIC: Final = nothing("running pods' traffic is held to it at once: connections no longer allowed break; pods stay")
CONTROL_PLANE: Final = nothing("EKS updates the control plane in place")
ADDON: Final = restart("the add-on's own pods roll; nodes and your pods stay")


def _pools(plan: Plan) -> Mapping[str, PoolPlan]:
    return {pool.name: pool for pool in plan.pools}


def slices(edit: KeyEdit, old: Plan, new: Plan) -> Consequence:
    """What makes the slices of pools: the gravest of what it does to each of them."""
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


def identity(edit: KeyEdit, old: Plan, new: Plan) -> Consequence:
    """What slices are called, or how they are made."""
    if slices(edit, old, new).effect == "nothing":
        return nothing("no pool is shared that way now")
    return disrupt("the resource pods ask for changes under running pods: the card is given out twice")


def desired(edit: KeyEdit, _old: Plan, _new: Plan) -> Consequence:
    """Nodes of a managed node group."""
    if edit.new < edit.old:
        return disrupt("EKS drains and ends the nodes too many; their pods move")
    return nothing("nodes are added")


def least(edit: KeyEdit, _old: Plan, _new: Plan) -> Consequence:
    """The fewest and the most nodes of a managed node group."""
    return nothing("a bound of the group; desired decides")


def admitted(edit: KeyEdit, old: Plan, new: Plan) -> Consequence:
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


def narrowed(edit: KeyEdit, _old: Plan, _new: Plan) -> Consequence:
    """Capacity types and zones: an empty list admits all."""
    before, after = set(edit.old or ()), set(edit.new or ())
    if after and (not before or before - after):
        return disrupt("Karpenter replaces nodes that are no longer admitted; their pods move")
    return nothing("more is admitted; nodes stay")


def reservations(edit: KeyEdit, _old: Plan, _new: Plan) -> Consequence:
    """Capacity reservations that Karpenter may use; those named are used first."""
    if set(edit.old or ()) - set(edit.new or ()):
        return disrupt("Karpenter replaces nodes of reservations no longer named; their pods move")
    return nothing("the next nodes use it first")


def prices(_edit: KeyEdit, _old: Plan, new: Plan) -> Consequence:
    """A price of the stack's own."""
    if new.settings.monitoring.enabled:
        return nothing("a figure of the plan, of dashboards and of alerts")
    return PLAN_ONLY


def monitoring(edit: KeyEdit, _old: Plan, new: Plan) -> Consequence:
    """Monitoring as a whole."""
    if edit.new is not True:
        return Consequence(effect="delete", words="Prometheus and Grafana go, with every sample they kept")
    if new.settings.gpu_stack == "gpu-operator":
        return restart("the operator's metrics exporter restarts on every GPU node; your pods stay")
    return nothing("the charts are installed; what runs is not touched")


def monitored(_edit: KeyEdit, _old: Plan, new: Plan) -> Consequence:
    """A key of monitoring's own."""
    if new.settings.monitoring.enabled:
        return restart("parts of monitoring restart or read new rules; nodes and your pods stay")
    return nothing("monitoring is not enabled")


def whole(edit: KeyEdit, _old: Plan, _new: Plan) -> Consequence:
    """A pool or tenant that came or went."""
    if edit.old is ABSENT:
        return _MADE[edit.parts[0]]
    if edit.new is ABSENT:
        return Consequence(effect="delete", words=_GONE[edit.parts[0]])
    return UNTOLD


def existing(edit: KeyEdit, _old: Plan, _new: Plan) -> Consequence:
    """A pool of nodes that were there before the stack came or went; the nodes stay either way."""
    if edit.old is ABSENT:
        return restart("the device plugin restarts everywhere with one more config")
    if edit.new is ABSENT:
        return disrupt("its nodes stay, without slices for new pods until their config label goes too")
    return UNTOLD


def reserved(edit: KeyEdit, _old: Plan, _new: Plan) -> Consequence:
    """A node group's capacity reservation; its zone and kind are part of what EKS cannot change of a group."""
    match edit.parts[3:]:
        case ("instances",) | ("ends",):
            return PLAN_ONLY
        case ("id",):
            return ROLLS
        case _:
            return OTHER_NODES
