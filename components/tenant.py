"""One team's namespace and quota."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from gpu_slices.manifests.tenants import tenant_namespace, tenant_quota
from gpu_slices.plan import TenantPlan

from .component import Component
from .objects import declare


@dataclass(frozen=True, kw_only=True)
class TenantArgs:
    """The tenant as planned."""

    tenant: TenantPlan


class Tenant(Component):
    """Namespace with restricted Pod Security, and a ResourceQuota in slices."""

    def __init__(self, name: str, args: TenantArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        home = declare(f"{name}-namespace", tenant_namespace(args.tenant), self.child())
        declare(f"{name}-quota", tenant_quota(args.tenant), self.child(depends_on=[home]))
        self.register_outputs({})
