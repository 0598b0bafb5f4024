"""What only AWS knows and manifests must name: ids that exist once the stack is up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .plan import Plan
from .settings.cluster import ExistingNetwork


@dataclass(frozen=True, kw_only=True)
class CloudRefs:
    """Outputs in the program, `${name}` placeholders in rendered files; hence Any."""

    instance_profile: Any
    private_subnet_ids: Sequence[Any]
    cluster_security_group_id: Any
    interruption_queue: Any


def placeholders(plan: Plan) -> CloudRefs:
    """The references as `${name}`; what an existing network names is known and stands as it is."""
    network = plan.settings.network
    subnets = (
        list(network.private_subnet_ids)
        if isinstance(network, ExistingNetwork)
        else [f"${{privateSubnetId{index}}}" for index, _ in enumerate(plan.zones, start=1)]
    )
    return CloudRefs(
        instance_profile="${karpenterInstanceProfile}",
        private_subnet_ids=subnets,
        cluster_security_group_id="${clusterSecurityGroupId}",
        interruption_queue="${interruptionQueue}",
    )
