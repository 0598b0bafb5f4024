"""What a tenant's people may do in their namespace. Nothing here holds in any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..naming import MANAGED_BY_LABELS
from ..tenant_plan import TenantPlan

ROLE_NAME: Final = "gpu-slices-tenant"

_READ: Final = ("get", "list", "watch")
_WRITE: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
#: API group → verbs → resources. Kubernetes' own role `edit` would do but for two things: it lets them edit the network
#: policies that shut them in, and use every service account's token.
_RULES: Final[tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]] = (
    ("", _WRITE, ("configmaps", "persistentvolumeclaims", "pods", "secrets", "services")),
    ("", ("create", "get"), ("pods/attach", "pods/exec", "pods/portforward")),
    ("", ("create",), ("pods/eviction",)),
    ("", ("patch", "update"), ("pods/ephemeralcontainers",)),
    ("", _READ, ("endpoints", "events", "limitranges", "pods/log", "pods/status", "resourcequotas", "serviceaccounts")),
    ("apps", _WRITE, ("deployments", "replicasets", "statefulsets")),
    ("apps", ("get", "patch", "update"), ("deployments/scale", "replicasets/scale", "statefulsets/scale")),
    ("apps", _READ, ("controllerrevisions",)),
    ("autoscaling", _WRITE, ("horizontalpodautoscalers",)),
    ("batch", _WRITE, ("cronjobs", "jobs")),
    ("discovery.k8s.io", _READ, ("endpointslices",)),
    ("events.k8s.io", _READ, ("events",)),
    ("metrics.k8s.io", _READ, ("pods",)),
    ("networking.k8s.io", _WRITE, ("ingresses",)),
    ("networking.k8s.io", _READ, ("networkpolicies",)),
    ("policy", _WRITE, ("poddisruptionbudgets",)),
)


def tenant_role(tenant: TenantPlan) -> dict[str, Any]:
    """Work in the namespace; its limits and walls are theirs to read."""
    rules = [
        {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)} for group, verbs, resources in _RULES
    ]
    return {**_head("Role", tenant), "rules": rules}


def tenant_role_binding(tenant: TenantPlan) -> dict[str, Any]:
    """The role for the tenant's group, which its principals' access entries carry."""
    return {
        **_head("RoleBinding", tenant),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ROLE_NAME},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": tenant.group}],
    }


def _head(kind: str, tenant: TenantPlan) -> Mapping[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": ROLE_NAME, "namespace": tenant.name, "labels": dict(MANAGED_BY_LABELS)},
    }
