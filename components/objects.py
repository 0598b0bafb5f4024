"""Declares a manifest as the typed Pulumi resource of its kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

#: Kind → its class, looked up when needed: each group of the SDK takes tens of milliseconds to import.
_KINDS: Final[Mapping[tuple[str, str], Callable[[], type[pulumi.CustomResource]]]] = {
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"): lambda: (
        k8s.admissionregistration.v1.ValidatingAdmissionPolicy
    ),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"): lambda: (
        k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding
    ),
    ("apps/v1", "Deployment"): lambda: k8s.apps.v1.Deployment,
    ("batch/v1", "Job"): lambda: k8s.batch.v1.Job,
    ("networking.k8s.io/v1", "NetworkPolicy"): lambda: k8s.networking.v1.NetworkPolicy,
    ("policy/v1", "PodDisruptionBudget"): lambda: k8s.policy.v1.PodDisruptionBudget,
    ("rbac.authorization.k8s.io/v1", "Role"): lambda: k8s.rbac.v1.Role,
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): lambda: k8s.rbac.v1.RoleBinding,
    ("scheduling.k8s.io/v1", "PriorityClass"): lambda: k8s.scheduling.v1.PriorityClass,
    ("storage.k8s.io/v1", "StorageClass"): lambda: k8s.storage.v1.StorageClass,
    ("v1", "ConfigMap"): lambda: k8s.core.v1.ConfigMap,
    ("v1", "LimitRange"): lambda: k8s.core.v1.LimitRange,
    ("v1", "Namespace"): lambda: k8s.core.v1.Namespace,
    ("v1", "ResourceQuota"): lambda: k8s.core.v1.ResourceQuota,
    ("v1", "Service"): lambda: k8s.core.v1.Service,
}

#: Groups whose objects are custom resources of charts that the program installs.
_CUSTOM_GROUPS: Final = frozenset({"karpenter.k8s.aws", "karpenter.sh"})


def declare(name: str, manifest: Mapping[str, Any], opts: pulumi.ResourceOptions) -> pulumi.CustomResource:
    """The Pulumi resource `name` for a Kubernetes manifest. Raises KeyError for a kind the table does not know."""
    if manifest["apiVersion"].partition("/")[0] in _CUSTOM_GROUPS:
        return k8s.apiextensions.CustomResource(
            name,
            api_version=manifest["apiVersion"],
            kind=manifest["kind"],
            metadata=manifest["metadata"],
            spec=manifest["spec"],
            opts=opts,
        )
    kind = _KINDS[manifest["apiVersion"], manifest["kind"]]()
    content = {_argument(key): value for key, value in manifest.items() if key not in ("apiVersion", "kind")}
    return kind(name, opts=opts, **content)


def _argument(key: str) -> str:
    """`reclaimPolicy` is the SDK's argument `reclaim_policy`; below the top it takes Kubernetes' own words."""
    return re.sub("([A-Z])", r"_\1", key).lower()
