"""Tenants and their pods: quotas, and why a pod waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..manifests.tenants import QUOTA_NAME
from ..naming import GPU_RESOURCE, GPU_TAINT_KEY, POOL_LABEL
from ..pool_plan import PoolPlan
from .read_objects import amount
from .snapshot import Pod
from .table import Cause, Check, Finding
from .view import Rule, View

_REQUESTS: Final = "requests."

QUOTA: Final = Check(
    name="quota",
    symptom="Pods are refused: exceeded quota",
    looks_at="the ResourceQuotas of tenants' namespaces",
    judged="the slices that a tenant may hold are the plan's",
    causes=(
        Cause(
            name="quota-too-small",
            text="the namespace's quota allows fewer slices than the plan gives the tenant",
            remedy="pulumi up puts the plan's number back; to give more, raise tenants.{tenant}.slices in the stack file. A "
            "second quota in the namespace counts too: kubectl get quota -n {tenant}",
        ),
        Cause(
            name="quota-missing",
            text="the tenant's namespace has no quota of this program: it may take every slice",
            remedy="pulumi up",
        ),
        Cause(
            name="quota-too-large",
            text="the namespace's quota allows more slices than the plan",
            remedy="pulumi up, or raise tenants.{tenant}.slices",
        ),
        Cause(
            name="quota-used-up",
            text="the tenant holds every slice that its quota allows",
            remedy="end pods of {tenant}, or raise tenants.{tenant}.slices",
        ),
    ),
)

PENDING: Final = Check(
    name="pending-pods",
    symptom="A pod that asks for a slice stays Pending",
    looks_at="Pending pods that ask for a GPU resource, and the scheduler's message",
    judged="every pod that could run, given the stack's pools, runs",
    causes=(
        Cause(
            name="taint-not-tolerated",
            text="the pod does not tolerate the GPU taint. EKS adds the toleration only for a taint that is called like the "
            "resource asked for: a pod that asks for a renamed resource (nvidia.com/gpu.shared) gets none",
            remedy="add to the pod: tolerations: [{{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}}]; the snippet in "
            "`pulumi stack output` has it",
        ),
        Cause(
            name="resource-not-offered",
            text="the pod asks for a resource that no pool of the stack advertises",
            remedy="ask for {resource}, which the stack's pools have",
        ),
        Cause(
            name="more-than-a-node",
            text="the pod asks for more slices than any node of the stack has",
            remedy="ask for one slice: slices of one GPU give no more than one does, they only share",
        ),
        Cause(
            name="slices-taken",
            text="every slice of the nodes is taken",
            remedy="wait, end pods, raise maxGpus (Karpenter) or `max` (node group), or raise replicas if the memory per "
            "slice allows",
        ),
        Cause(
            name="cpu-or-memory",
            text="the node's CPU or memory is the bottleneck, not its slices",
            remedy="lower the pod's CPU and memory requests, or choose a larger size; `plan` shows usable slices beside slices",
        ),
        Cause(
            name="selector-unmatched",
            text="no node has the labels that the pod selects",
            remedy="use nodeSelector gpu-slices/pool: {pool}",
        ),
        Cause(
            name="unscheduled",
            text="the scheduler has not placed the pod for another reason",
            remedy="kubectl describe pod {pod} -n {namespace}",
        ),
    ),
)


def _quota(view: View) -> Iterator[Finding]:
    for tenant in view.plan.tenants:
        subject, details = f"namespace {tenant.name}", {"tenant": tenant.name}
        here = [one for one in view.snapshot.quotas if one.namespace == tenant.name]
        if not any(one.name == QUOTA_NAME for one in here):
            yield QUOTA.failed(subject, f"no quota {QUOTA_NAME}", "quota-missing", **details)
            continue
        wrong = False
        for resource, planned in sorted(tenant.quota.items()):
            key = f"{_REQUESTS}{resource}"
            allowed = [int(amount(one.hard[key])) for one in here if key in one.hard]
            least = min(allowed, default=None)
            if least is None or least > planned:
                wrong = True
                seen = f"{'no limit' if least is None else least} of {resource}, planned {planned}"
                yield QUOTA.warned(subject, seen, "quota-too-large", **details)
            elif least < planned:
                wrong = True
                yield QUOTA.failed(subject, f"{least} {resource}, planned {planned}", "quota-too-small", **details)
        if not wrong:
            yield _quota_use(view, tenant.name)


def _quota_use(view: View, tenant: str) -> Finding:
    here = next(one for one in view.snapshot.quotas if (one.namespace, one.name) == (tenant, QUOTA_NAME))
    parts = {
        key.removeprefix(_REQUESTS): (int(amount(here.used.get(key, "0"))), int(amount(most)))
        for key, most in here.hard.items()
        if key.startswith(f"{_REQUESTS}nvidia.com/") and int(amount(most))
    }
    seen = ", ".join(f"{used} of {most} {resource}" for resource, (used, most) in sorted(parts.items()))
    if parts and all(used >= most for used, most in parts.values()):
        return QUOTA.warned(f"namespace {tenant}", seen, "quota-used-up", tenant=tenant)
    return QUOTA.passed(f"namespace {tenant}", seen)


def _pending(view: View) -> Iterator[Finding]:
    waiting = [
        pod
        for pod in view.snapshot.pods
        if pod.phase == "Pending" and not pod.node and not pod.deleting and _asked(pod)
    ]
    for pod in waiting:
        cause, fails = _why(view, pod)
        resource = next((one.resource for one in view.plan.pools), GPU_RESOURCE)
        details = {
            "pod": pod.name,
            "namespace": pod.namespace,
            "resource": next(iter(_asked(pod))) if cause == "taint-not-tolerated" else resource,
            "pool": pod.node_selector.get(POOL_LABEL) or next((one.name for one in view.plan.pools), "POOL"),
        }
        find = PENDING.failed if fails else PENDING.warned
        yield find(f"pod {pod.namespace}/{pod.name}", pod.unscheduled or "not scheduled yet", cause, **details)
    if not waiting:
        yield PENDING.passed("pods that ask for a GPU", "none waits")


def _why(view: View, pod: Pod) -> tuple[str, bool]:
    """The cause, and whether the pod waits for ever as it is written (a failure) or until something ends."""
    asked = _asked(pod)
    pools = [pool for pool in view.plan.pools if set(asked) <= set(pool.resources) and _selects(pod, pool)]
    if not any(set(asked) <= set(pool.resources) for pool in view.plan.pools):
        return "resource-not-offered", True
    if not pools:
        return "selector-unmatched", True
    shapes = [shape for pool in pools for shape in pool.shapes]
    if not any(all(shape.advertised[name] >= count for name, count in asked.items()) for shape in shapes):
        return "more-than-a-node", True
    if not any(one.key in ("", GPU_TAINT_KEY) for one in pod.tolerations):
        return "taint-not-tolerated", True
    words = pod.unscheduled
    table = (
        ("Insufficient nvidia.com", "slices-taken"),
        ("Insufficient cpu", "cpu-or-memory"),
        ("Insufficient memory", "cpu-or-memory"),
        ("Too many pods", "cpu-or-memory"),
    )
    return next((cause for word, cause in table if word in words), "unscheduled"), False


def _selects(pod: Pod, pool: PoolPlan) -> bool:
    return pod.node_selector.get(POOL_LABEL, pool.name) == pool.name


def _asked(pod: Pod) -> dict[str, int]:
    return {name: count for name, count in pod.requests.extended.items() if count}


RULES: Final = (Rule(check=QUOTA, judge=_quota), Rule(check=PENDING, judge=_pending))
