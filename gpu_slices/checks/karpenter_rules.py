"""Karpenter: does it believe of a node what the node will show?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..naming import GPU_RESOURCE, SHARED_GPU_RESOURCE
from ..node_pools import GpuNodePoolPlan
from .read_objects import amount
from .snapshot import INSTANCE_TYPE_LABEL, NODE_POOL_LABEL, Condition, NodeOverlay
from .table import Cause, Check, Finding
from .view import Rule, View

OVERLAYS: Final = Check(
    name="overlays",
    symptom="Karpenter starts a node for every pod (or none), and removes most of them minutes later",
    looks_at="the NodeOverlays of the cluster: ours, and others that change GPU capacity",
    judged="each shared NodePool has its overlay with the plan's capacity and types, Ready; no other touches its types",
    causes=(
        Cause(
            name="overlay-absent",
            text="the NodePool has no overlay: Karpenter believes that a new node has as many slices as GPUs",
            remedy="pulumi up makes the NodeOverlay {overlay}; before Karpenter 1.7 there is no such kind",
        ),
        Cause(
            name="overlay-differs",
            text="the overlay says another capacity or other instance types than the plan",
            remedy="pulumi up",
        ),
        Cause(
            name="overlay-not-ready",
            text="Karpenter refuses the overlay: another one of the same weight says something else of the same type, or "
            "the NodeOverlay feature gate is off",
            remedy="kubectl describe nodeoverlay {overlay}; the controller's chart needs settings.featureGates.nodeOverlay",
        ),
        Cause(
            name="overlay-foreign",
            text="an overlay that names no NodePool changes the GPU capacity of every pool that has its instance types",
            remedy="add the requirement karpenter.sh/nodepool to {overlay}, or remove it: kubectl delete nodeoverlay {overlay}",
        ),
    ),
)

NODE_POOLS: Final = Check(
    name="node-pools",
    symptom="Pods stay Pending and Karpenter starts nothing",
    looks_at="the stack's Karpenter NodePools: Ready condition, limits, what their nodes amount to",
    judged="each exists and is Ready; a limit that is used up is worth knowing",
    causes=(
        Cause(
            name="node-pool-absent",
            text="the NodePool is not on the cluster",
            remedy="pulumi up",
        ),
        Cause(
            name="node-pool-not-ready",
            text="Karpenter says that the NodePool is not ready: its EC2NodeClass finds no subnet, security group or AMI",
            remedy="kubectl describe nodepool {node_pool}; kubectl describe ec2nodeclass",
        ),
        Cause(
            name="karpenter-silent",
            text="no controller has ever looked at the NodePool: Karpenter does not run",
            remedy="kubectl get pods -n kube-system -l app.kubernetes.io/name=karpenter; kubectl logs of the one that fails",
        ),
        Cause(
            name="limit-reached",
            text="the NodePool is at its limit: pods wait until slices become free",
            remedy="raise maxGpus of the pool (a limit counts slices: maxGpus x replicas), or wait",
        ),
    ),
)

CLAIMS: Final = Check(
    name="node-claims",
    symptom="Karpenter says that it launched a node, and none joins",
    looks_at="NodeClaims of the stack's NodePools and their conditions",
    judged="each is launched, registered and initialized",
    causes=(
        Cause(
            name="not-launched",
            text="EC2 gives no instance: quota 0 for GPU instances, no capacity in the zones, or no spot capacity",
            remedy="python -m gpu_slices preflight --stack {stack} tells the quota; widen families, sizes, zones or "
            "capacity of the pool",
        ),
        Cause(
            name="not-registered",
            text="the instance runs and has not joined: no route to the API server, or its role has no access entry",
            remedy="kubectl describe nodeclaim {claim}; look at the instance's system log in EC2",
        ),
        Cause(
            name="not-initialized",
            text="the node joined and its GPU resource has not appeared: Karpenter waits for the plugin to advertise it, "
            "and meanwhile counts the node as coming",
            remedy="kubectl get pods -n {namespace} -o wide | grep {node}; the checks `device-plugin` and `slices` say why",
        ),
    ),
)


def _overlays(view: View) -> Iterator[Finding]:
    found = {one.name: one for one in view.snapshot.overlays}
    for pool in view.plan.pools:
        for planned in pool.node_pools:
            if planned.overlay:
                yield _overlay(planned, found.get(planned.overlay.node_pool))
    ours = {one.name for pool in view.plan.pools for one in pool.node_pools}
    types = {name for pool in view.plan.pools if pool.node_pools for name in pool.instance_types}
    for overlay in view.snapshot.overlays:
        touched = _touched(overlay, types)
        if overlay.name not in ours and touched:
            seen = f"sets {_capacity(overlay.capacity)} on {len(touched)} types of this stack, weight {overlay.weight}"
            yield OVERLAYS.failed(f"overlay {overlay.name}", seen, "overlay-foreign", overlay=overlay.name)


def _overlay(planned: GpuNodePoolPlan, found: NodeOverlay | None) -> Finding:
    subject = f"NodePool {planned.name}"
    assert planned.overlay
    if found is None:
        return OVERLAYS.failed(subject, "no overlay", "overlay-absent", overlay=planned.name)
    wanted = {name: str(count) for name, count in planned.overlay.capacity.items()}
    types = next((one.values for one in found.requirements if one.key == INSTANCE_TYPE_LABEL), ())
    if dict(found.capacity) != wanted:
        seen = f"{_capacity(found.capacity)} instead of {_capacity(wanted)}"
        return OVERLAYS.failed(subject, seen, "overlay-differs", overlay=found.name)
    if tuple(sorted(types)) != planned.overlay.instance_types:
        return OVERLAYS.failed(subject, "other instance types", "overlay-differs", overlay=found.name)
    wrong = [one for one in found.conditions if one.type in ("Ready", "ValidationSucceeded") and one.status == "False"]
    if wrong:
        seen = "; ".join(f"{one.type}: {one.message or one.reason}" for one in wrong)
        return OVERLAYS.failed(subject, seen, "overlay-not-ready", overlay=found.name)
    return OVERLAYS.passed(subject, _capacity(wanted))


def _touched(overlay: NodeOverlay, types: set[str]) -> set[str]:
    """The stack's types whose GPU capacity an overlay changes in every NodePool."""
    if not {GPU_RESOURCE, SHARED_GPU_RESOURCE} & set(overlay.capacity):
        return set()
    if any(one.key == NODE_POOL_LABEL for one in overlay.requirements):
        return set()
    left = set(types)
    for one in overlay.requirements:
        if one.key == INSTANCE_TYPE_LABEL and one.operator in ("In", "NotIn"):
            named = set(one.values)
            left = left & named if one.operator == "In" else left - named
    return left


def _node_pools(view: View) -> Iterator[Finding]:
    found = {one.name: one for one in view.snapshot.node_pools}
    for name in sorted(
        [one.name for pool in view.plan.pools for one in pool.node_pools] + list(view.plan.settings.node_pools)
    ):
        subject = f"NodePool {name}"
        if name not in found:
            yield NODE_POOLS.failed(subject, "not there", "node-pool-absent")
            continue
        pool = found[name]
        ready = _condition(pool.conditions, "Ready")
        full = [
            f"{resource} {pool.resources.get(resource, '0')} of {most}"
            for resource, most in pool.limits.items()
            if amount(pool.resources.get(resource, "0")) >= amount(most)
        ]
        if ready is None:
            yield NODE_POOLS.failed(subject, "no conditions", "karpenter-silent")
        elif ready.status == "False":
            seen = "; ".join(
                f"{one.type}: {one.message or one.reason}" for one in pool.conditions if one.status == "False"
            )
            yield NODE_POOLS.failed(subject, seen, "node-pool-not-ready", node_pool=name)
        elif full:
            yield NODE_POOLS.warned(subject, ", ".join(full), "limit-reached")
        else:
            yield NODE_POOLS.passed(subject, _capacity(pool.limits))


def _claims(view: View) -> Iterator[Finding]:
    ours = {one.name for pool in view.plan.pools for one in pool.node_pools} | set(view.plan.settings.node_pools)
    steps = (("Launched", "not-launched"), ("Registered", "not-registered"), ("Initialized", "not-initialized"))
    for claim in view.snapshot.node_claims:
        if claim.node_pool not in ours:
            continue
        details = {
            "claim": claim.name,
            "node": claim.node or claim.name,
            "stack": view.plan.stack,
            "namespace": view.names.namespace,
        }
        subject = f"NodeClaim {claim.name}"
        for type_, cause in steps:
            condition = _condition(claim.conditions, type_)
            if condition is None or condition.status != "True":
                why = f"{condition.reason}: {condition.message}" if condition else f"not {type_.lower()} yet"
                yield CLAIMS.warned(subject, why, cause, **details)
                break
        else:
            yield CLAIMS.passed(subject, f"{claim.instance_type} is {claim.node}")


def _condition(conditions: tuple[Condition, ...], type_: str) -> Condition | None:
    return next((one for one in conditions if one.type == type_), None)


def _capacity(quantities: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(quantities.items())) or "no limit"


RULES: Final = (
    Rule(check=NODE_POOLS, judge=_node_pools),
    Rule(check=OVERLAYS, judge=_overlays),
    Rule(check=CLAIMS, judge=_claims),
)
