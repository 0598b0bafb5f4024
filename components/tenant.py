"""One team's namespace, its limits, its walls and its people's rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi

from gpu_slices.manifests.tenants import tenant_objects
from gpu_slices.tenant_plan import TenantPlan

from .component import Component
from .objects import declare

#: Kinds of which a tenant has one: their words are part of URNs.
_WORDS: Final = {"LimitRange": "requests", "Namespace": "namespace", "ResourceQuota": "quota"}


@dataclass(frozen=True, kw_only=True)
class TenantArgs:
    """The tenant as planned."""

    tenant: TenantPlan


class Tenant(Component):
    """The namespace first, and gone last; who may come in with which principal is for EksCluster's access entries."""

    def __init__(self, name: str, args: TenantArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        made: list[pulumi.Resource] = []
        for manifest in tenant_objects(args.tenant):
            kind = manifest["kind"]
            word = _WORDS.get(kind, f"{kind.lower()}-{manifest['metadata']['name']}")
            made.append(declare(f"{name}-{word}", manifest, self.child(depends_on=made[:1])))
        self.register_outputs({})
