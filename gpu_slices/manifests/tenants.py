"""A tenant's namespace and its quota in slices."""

from __future__ import annotations

from typing import Any

from ..naming import MANAGED_BY_LABELS, TENANT_LABEL
from ..plan import TenantPlan
from .namespace import namespace

QUOTA_NAME = "gpu-slices"


def tenant_objects(tenant: TenantPlan) -> list[dict[str, Any]]:
    """The tenant's namespace, then what limits it."""
    return [tenant_namespace(tenant), tenant_quota(tenant)]


def tenant_namespace(tenant: TenantPlan) -> dict[str, Any]:
    """A namespace for pods that need no privileges."""
    return namespace(tenant.name, "restricted", {TENANT_LABEL: tenant.name})


def tenant_quota(tenant: TenantPlan) -> dict[str, Any]:
    """Most slices at once. Kubernetes accepts extended resources in a quota only as `requests.<resource>`."""
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": QUOTA_NAME, "namespace": tenant.name, "labels": dict(MANAGED_BY_LABELS)},
        "spec": {"hard": {f"requests.{resource}": str(count) for resource, count in tenant.quota.items()}},
    }
