"""What should be known of a stack's security and of capacity that is reserved: (key, words), for the stack's warnings."""

from __future__ import annotations

from collections.abc import Iterator

from .settings import Settings
from .settings.cluster import ExistingNetwork


def security_remarks(settings: Settings) -> Iterator[tuple[str, str]]:
    """One for each thing."""
    if settings.security.guard_duty and isinstance(settings.network, ExistingNetwork):
        yield (
            "security.guardDuty",
            f"GuardDuty's agent reports to com.amazonaws.{settings.region}.guardduty-data: the network must have that VPC "
            "endpoint, with private DNS and open to the nodes on port 443",
        )
    for name, group in settings.gpu_node_groups.items():
        held = group.capacity_reservation
        if held and held.type == "capacity-block":
            yield (
                f"gpuNodeGroups.{name}.capacityReservation",
                "a capacity block is paid in advance: prices shown are those of on-demand nodes, unless prices.private says "
                "yours",
            )
