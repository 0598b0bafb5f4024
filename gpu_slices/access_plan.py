"""Who is let into the cluster: EKS keeps one access entry for each IAM principal, whatever it is let in for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .naming import content_name
from .settings.cluster import Access
from .tenant_plan import TenantPlan


def plan_access(people: Mapping[str, Access], tenants: Sequence[TenantPlan]) -> dict[str, Access]:
    """Name → entry: those of `cluster.access` under their names, then tenants' principals under names made of their ARNs.

    A principal of several tenants, or of `cluster.access` as well, has one entry with all its groups.
    """
    names = {access.principal_arn: name for name, access in people.items()}
    entries = dict(people)
    for tenant in tenants:
        for principal in tenant.principals:
            name = names.setdefault(principal, _name(principal))
            before = entries.get(name) or Access.model_validate({"principalArn": principal})
            entries[name] = before.model_copy(update={"groups": tuple(sorted({*before.groups, tenant.group}))})
    return dict(sorted(entries.items()))


def _name(principal: str) -> str:
    """A name that stays the principal's own, whoever else comes and goes: alice-1a2b3c4d5e."""
    last = re.sub(r"[^a-z0-9]+", "-", principal.rpartition("/")[2].lower()).strip("-")
    return content_name(last or "principal", principal)
