"""Capacity reservations and the clock: the plan knows none, so whoever runs it says what time it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from .catalogue.capacity_blocks import MINUTES_BEFORE_THE_END
from .settings import Settings
from .stack_warning import StackWarning


def ended_reservations(settings: Settings, now: datetime) -> Iterator[StackWarning]:
    """Reservations whose stated end has come; `now` has a time zone. A capacity block gives up its nodes before its end."""
    for name, group in settings.gpu_node_groups.items():
        held = group.capacity_reservation
        if held is None or held.ends is None:
            continue
        block = held.type == "capacity-block"
        early = timedelta(minutes=MINUTES_BEFORE_THE_END if block else 0)
        if now >= datetime.fromisoformat(held.ends) - early:
            what = "the capacity block" if block else "the reservation"
            yield StackWarning(
                path=f"gpuNodeGroups.{name}.capacityReservation.ends",
                message=f"{what} {held.id} has expired (it ends {held.ends}): EC2 launches no node into it any more; name "
                "another, or remove capacityReservation for on-demand nodes",
            )
