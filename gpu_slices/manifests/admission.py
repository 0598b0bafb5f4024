"""The rules for pods on GPU nodes, which the API server itself enforces (ValidatingAdmissionPolicy, no controller).

What a policy cannot see: CUDA images set NVIDIA_VISIBLE_DEVICES themselves, so that a container on a GPU node sees every
GPU whether it asked or not. Hence the first rule: who can come onto a GPU node must ask for a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..admission_plan import AdmissionPlan
from ..namespaces import TOOL_LABEL
from ..naming import MANAGED_BY_LABELS, POOL_LABEL
from ..settings.mistakes import listed
from ..settings.tenants import Enforcement
from .pod_rules import counts, gpu_containers_run_as, pod_variables, selects_any

NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
POLICY_PREFIX: Final = "gpu-slices"

#: `validationActions` for pods, and for what makes pods: there a rule only warns, since a webhook may still complete
#: the pods it makes.
ACTIONS: Final[dict[Enforcement, tuple[list[str], list[str]]]] = {
    "deny": (["Deny"], ["Warn"]),
    "warn": (["Warn", "Audit"], ["Warn"]),
    "audit": (["Audit"], ["Audit"]),
}
_PODS: Final = {
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "operations": ["CREATE", "UPDATE"],
    "resources": ["pods", "pods/ephemeralcontainers"],
}
_APPS: Final = {
    "apiGroups": ["apps"],
    "apiVersions": ["v1"],
    "operations": ["CREATE", "UPDATE"],
    "resources": ["daemonsets", "deployments", "statefulsets"],
}
_JOBS: Final = {
    "apiGroups": ["batch"],
    "apiVersions": ["v1"],
    "operations": ["CREATE", "UPDATE"],
    "resources": ["cronjobs", "jobs"],
}
#: Labels, finalizers and status of a pod from before the policy can still be edited.
_SPEC_CHANGED: Final = {
    "name": "spec-changed",
    "expression": "request.operation == 'CREATE' || object.spec != oldObject.spec",
}
#: NVIDIA's container toolkit takes a container with SYS_ADMIN for privileged.
_PRIVILEGED: Final = (
    "variables.containers.exists(c, c.?securityContext.?privileged.orValue(false) || "
    "c.?securityContext.?capabilities.?add.orValue([]).exists(a, a in ['ALL', 'CAP_SYS_ADMIN', 'SYS_ADMIN']))"
)


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """One policy: pairs of CEL that is true where a pod keeps to it and what is said where not; the namespaces exempt."""

    name: str
    validations: Sequence[tuple[str, str]]
    exempt: Sequence[dict[str, Any]]


def admission_objects(plan: AdmissionPlan) -> list[dict[str, Any]]:
    """Every stack-wide policy with its bindings, in the order in which they are applied."""
    return [
        manifest
        for rule in _rules(plan)
        for manifest in policy_objects(
            f"{POLICY_PREFIX}-{rule.name}",
            resources=plan.resources,
            validations=rule.validations,
            namespaces=rule.exempt,
            enforcement=plan.enforcement,
        )
    ]


def _rules(plan: AdmissionPlan) -> Iterator[_Rule]:
    platform, tools = _not_in(plan.platform_namespaces), {"key": TOOL_LABEL, "operator": "DoesNotExist"}
    example = plan.single_resources[0] if plan.single_resources else plan.resources[0]
    asks = (
        f"the pod can come onto a GPU node (it tolerates the GPU taint, selects {POOL_LABEL} or names its node) but "
        f"asks for no GPU: it would use one that is somebody else's. Add resources.limits, such as {example}: 1, or "
        "remove the toleration, selector or nodeName"
    )
    yield _Rule(
        name="gpu-node-asks-gpu",
        validations=[("!variables.reachesGpuNode || variables.asksForGpu", asks)],
        exempt=[platform],
    )
    there = f"use {listed(plan.gpu_namespaces)}" if plan.gpu_namespaces else "there is none"
    tenants = (
        f"only pods in namespaces of tenants may ask for GPUs: {there}, or declare one under tenants in the stack file"
    )
    yield _Rule(
        name="gpu-tenants-only",
        validations=[("!variables.asksForGpu", tenants)],
        exempt=[_not_in((*plan.platform_namespaces, *plan.gpu_namespaces)), tools],
    )
    privileged = (
        "a privileged container (or one with SYS_ADMIN) on a GPU node sees every GPU and every neighbour: remove "
        "securityContext.privileged and the capability; a slice needs neither"
    )
    yield _Rule(
        name="gpu-node-unprivileged",
        validations=[(f"!(variables.reachesGpuNode || variables.asksForGpu) || !{_PRIVILEGED}", privileged)],
        exempt=[platform],
    )
    if plan.single_pools:
        single = (
            f"a container asks for more than one slice of a shared GPU (pools: {listed(plan.single_pools)}): two "
            "slices are two shares of time, possibly of the same GPU, and no more memory. Ask for 1"
        )
        yield _Rule(name="gpu-one-slice", validations=[(f"!({_several(plan)})", single)], exempt=[platform, tools])
    if plan.users:
        users = [_user(pool, user, plan.resources) for pool, user in sorted(plan.users.items())]
        yield _Rule(
            name="gpu-mps-user",
            validations=users,
            exempt=[_not_in((*plan.platform_namespaces, *plan.benchmark)), tools],
        )


def _user(pool: str, user: int, resources: Sequence[str]) -> tuple[str, str]:
    """An MPS daemon serves one user at a time; pods of others would wait until the card is empty, and say nothing."""
    words = f"pool {pool} is shared by MPS, which serves one user at a time: set securityContext.runAsUser: {user}"
    return f"!{selects_any([pool])} || {gpu_containers_run_as(user, resources)}", words


def _several(plan: AdmissionPlan) -> str:
    """CEL: whether a container asks for two slices where it may take one."""
    in_pool = f"({selects_any(plan.single_pools)} && {counts(plan.resources, least=2)})"
    return f"{counts(plan.single_resources, least=2)} || {in_pool}" if plan.single_resources else in_pool


def policy_objects(
    name: str,
    *,
    resources: Sequence[str],
    validations: Sequence[tuple[str, str]],
    namespaces: Sequence[dict[str, Any]],
    enforcement: Enforcement,
) -> list[dict[str, Any]]:
    """A policy over pods and what makes pods, with its two bindings. `validations` are CEL and what is said where false.

    `namespaces` are the label selector's expressions over namespaces in which it holds.
    """
    policy = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [dict(_PODS), dict(_APPS), dict(_JOBS)]},
        "matchConditions": [dict(_SPEC_CHANGED)],
        "variables": pod_variables(resources),
        "validations": [
            {"expression": expression, "message": message, "reason": "Forbidden"} for expression, message in validations
        ],
    }
    pods, makers = ACTIONS[enforcement]
    return [
        _object("ValidatingAdmissionPolicy", name, policy),
        _object("ValidatingAdmissionPolicyBinding", name, _binding(name, pods, namespaces, [_PODS])),
        _object(
            "ValidatingAdmissionPolicyBinding", f"{name}-templates", _binding(name, makers, namespaces, [_APPS, _JOBS])
        ),
    ]


def _binding(
    policy: str, actions: list[str], namespaces: Sequence[dict[str, Any]], rules: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "policyName": policy,
        "validationActions": list(actions),
        "matchResources": {
            "namespaceSelector": {"matchExpressions": [dict(one) for one in namespaces]},
            "resourceRules": [dict(rule) for rule in rules],
        },
    }


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": dict(MANAGED_BY_LABELS)},
        "spec": spec,
    }


def _not_in(names: Sequence[str]) -> dict[str, Any]:
    return {"key": NAMESPACE_NAME, "operator": "NotIn", "values": sorted(names)}
