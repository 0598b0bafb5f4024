"""A tenant's namespace, what limits it, and which GPU pools its pods must choose from."""

from __future__ import annotations

from typing import Any

from ..naming import MANAGED_BY_LABELS, POOL_LABEL, TENANT_LABEL
from ..tenant_plan import TenantPlan
from .admission import NAMESPACE_NAME, POLICY_PREFIX, policy_objects
from .namespace import namespace
from .pod_rules import cel_list, selects_only
from .tenant_access import tenant_role, tenant_role_binding
from .tenant_network import tenant_network_policies

QUOTA_NAME = "gpu-slices"


def tenant_objects(tenant: TenantPlan) -> list[dict[str, Any]]:
    """The tenant's namespace, then what limits it, then who may work in it."""
    return [
        tenant_namespace(tenant),
        *([tenant_priority_class(tenant)] if tenant.priority else []),
        *tenant_policy(tenant),
        tenant_quota(tenant),
        tenant_limit_range(tenant),
        *tenant_network_policies(tenant),
        tenant_role(tenant),
        tenant_role_binding(tenant),
    ]


def tenant_namespace(tenant: TenantPlan) -> dict[str, Any]:
    """A namespace for pods that need no privileges."""
    return namespace(tenant.name, tenant.pod_security, {TENANT_LABEL: tenant.name})


def tenant_quota(tenant: TenantPlan) -> dict[str, Any]:
    """Most slices at once. Kubernetes accepts extended resources in a quota only as `requests.<resource>`."""
    hard = {f"requests.{resource}": str(count) for resource, count in tenant.quota.items()}
    return _inside("v1", "ResourceQuota", tenant, {"hard": hard})


def tenant_limit_range(tenant: TenantPlan) -> dict[str, Any]:
    """Requests for containers that name none, so that the scheduler counts them. No default limits: a pod that asks for
    more than a default limit would be refused for it."""
    requests = {"cpu": tenant.requests.cpu, "memory": tenant.requests.memory}
    return _inside("v1", "LimitRange", tenant, {"limits": [{"type": "Container", "defaultRequest": requests}]})


def tenant_priority_class(tenant: TenantPlan) -> dict[str, Any]:
    """Which of the waiting pods comes first, and whether it may end others for its place."""
    assert tenant.priority is not None
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": tenant.priority_class, "labels": dict(MANAGED_BY_LABELS)},
        "value": tenant.priority.value,
        "preemptionPolicy": "PreemptLowerPriority" if tenant.priority.preempts else "Never",
        "globalDefault": False,
        "description": f"Pods of the tenant {tenant.name}",
    }


def tenant_policy(tenant: TenantPlan) -> list[dict[str, Any]]:
    """Its GPU pods select a pool of its own: by resource name alone ten whole GPUs would pass for ten slices. And no
    pod borrows the priority of others, which could end their pods."""
    classes = ["", *([tenant.priority_class] if tenant.priority_class else [])]
    validations = [
        (
            f"variables.pod.?priorityClassName.orValue('') in {cel_list(classes)}",
            f"pods of {tenant.name} may name "
            + (f"the PriorityClass {tenant.priority_class} or none" if tenant.priority_class else "no PriorityClass"),
        )
    ]
    if tenant.picks_pools:
        pools = ", ".join(tenant.pools)
        validations.append(
            (
                f"!variables.asksForGpu || {selects_only(tenant.pools)}",
                f"a GPU pod of {tenant.name} must say which of its pools it wants ({pools}): add nodeSelector: "
                f"{{{POOL_LABEL}: {tenant.pools[0]}}}",
            )
        )
    return policy_objects(
        f"{POLICY_PREFIX}-tenant-{tenant.name}",
        resources=tuple(tenant.quota),
        validations=validations,
        namespaces=[{"key": NAMESPACE_NAME, "operator": "In", "values": [tenant.name]}],
        enforcement=tenant.enforcement,
    )


def _inside(api_version: str, kind: str, tenant: TenantPlan, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": QUOTA_NAME, "namespace": tenant.name, "labels": dict(MANAGED_BY_LABELS)},
        "spec": spec,
    }
