"""Capacity that is reserved: is it there, for these nodes, where they are, and not over yet?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..settings.reservations import ReservationType
from .aws_account import AwsAccount, pages
from .table import Cause, Check, Finding

RESERVATIONS: Final = Check(
    name="capacity-reservations",
    symptom="a node group's nodes never come: ReservationCapacityExceeded, or the reservation is not active",
    looks_at="the capacity reservations and capacity blocks that node groups and GPU NodePools name",
    judged="each is active, of the pool's instance type, in a zone that its nodes can be in, and large enough",
    causes=(
        Cause(
            name="reservation-unknown",
            text="this account and region have no such reservation, and nobody shares one of that id",
            remedy="aws ec2 describe-capacity-reservations --region {region} lists them; write one under {path}",
        ),
        Cause(
            name="reservation-over",
            text="the reservation has expired or was cancelled: EC2 launches nothing into it any more",
            remedy="reserve anew and write the new id under {path}, or remove it for on-demand capacity",
        ),
        Cause(
            name="reservation-elsewhere",
            text="the reservation is in another zone than the nodes: EC2 refuses every launch",
            remedy="write zone: {zone} under {path}, with a network that has it; or reserve in {zones}",
        ),
        Cause(
            name="reservation-of-another-type",
            text="the reservation is for another instance type",
            remedy="name {type} as the pool's instance type, or another reservation under {path}",
        ),
        Cause(
            name="reservation-of-another-kind",
            text="a capacity block is launched from in another way than an On-Demand Capacity Reservation",
            remedy="write type: {kind} under {path}",
        ),
        Cause(
            name="reservation-too-small",
            text="the reservation holds fewer instances than the pool may want",
            remedy="lower max, or enlarge the reservation",
        ),
        Cause(
            name="reservation-not-begun",
            text="the reservation begins later: until then its nodes do not come, and `up` waits for them in vain",
            remedy="write desired: 0 and min: 0 until {start}",
        ),
    ),
)

#: States in which nothing will ever be launched (EC2 API reference, CapacityReservation).
_OVER: Final = frozenset({"cancelled", "expired", "failed", "payment-failed", "unsupported"})
_TO_COME: Final = frozenset({"assessing", "delayed", "payment-pending", "pending", "scheduled"})
_KINDS: Final[Mapping[str, ReservationType]] = {"default": "odcr", "capacity-block": "capacity-block"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One pool's use of one reservation: where its nodes can be, of which types, how many now and at most.

    `kind` is None where the pool takes either, as Karpenter does; `most` is None where it launches more beside it.
    """

    path: str
    id: str
    zones: tuple[str, ...]
    types: tuple[str, ...]
    kind: ReservationType | None = None
    desired: int = 0
    most: int | None = None


def reservations(account: AwsAccount) -> Iterator[Finding]:
    """Nothing to say where no pool names one."""
    wanted = list(_wanted(account))
    if not wanted:
        return
    listed = pages(account.client("ec2"), "describe_capacity_reservations", "CapacityReservations")
    there = {one["CapacityReservationId"]: one for one in listed}
    for use in wanted:
        yield judge_reservation(use, there.get(use.id), account.plan.settings.region)


def _wanted(account: AwsAccount) -> Iterator[Wanted]:
    for pool in account.plan.pools:
        group, launched = pool.node_group, pool.launched
        if group and (held := group.capacity_reservation):
            yield Wanted(
                path=f"{pool.path}.capacityReservation",
                id=held.id,
                zones=(held.zone,),
                types=pool.instance_types,
                kind=held.type,
                desired=group.desired,
                most=group.max,
            )
        for one in launched.capacity_reservations if launched else ():
            zones = launched.zones if launched and launched.zones else account.node_zones
            path = f"{pool.path}.capacityReservations"
            yield Wanted(path=path, id=one, zones=zones, types=pool.instance_types)


def judge_reservation(use: Wanted, found: Mapping[str, Any] | None, region: str) -> Finding:
    """One use beside the reservation as EC2 describes it; the first thing that is wrong."""
    details = {"path": use.path, "region": region, "zones": ", ".join(use.zones)}
    subject = f"{use.path}: {use.id}"
    if found is None:
        return RESERVATIONS.failed(subject, "is not there", "reservation-unknown", **details)
    state, zone, kind = found["State"], found["AvailabilityZone"], _KINDS.get(found.get("ReservationType", "default"))
    if state in _OVER:
        ended = f"{state}, ended {found['EndDate']:%Y-%m-%d %H:%M} UTC" if found.get("EndDate") else state
        return RESERVATIONS.failed(subject, ended, "reservation-over", **details)
    if zone not in use.zones:
        seen = f"is in {zone}, the nodes in {details['zones']}"
        return RESERVATIONS.failed(subject, seen, "reservation-elsewhere", zone=zone, **details)
    if found["InstanceType"] not in use.types:
        seen = f"is for {found['InstanceType']}, the pool has {', '.join(use.types)}"
        return RESERVATIONS.failed(subject, seen, "reservation-of-another-type", type=found["InstanceType"], **details)
    if use.kind and kind and use.kind != kind:
        return RESERVATIONS.failed(subject, f"is of type {kind}", "reservation-of-another-kind", kind=kind, **details)
    if state in _TO_COME and use.desired:
        start = f"{found['StartDate']:%Y-%m-%d %H:%M} UTC" if found.get("StartDate") else "it is active"
        return RESERVATIONS.failed(subject, state, "reservation-not-begun", start=start, **details)
    held = found["TotalInstanceCount"]
    if use.most is not None and use.most > held:
        return RESERVATIONS.warned(subject, f"holds {held}, max is {use.most}", "reservation-too-small", **details)
    return RESERVATIONS.passed(subject, f"{state}, {held} of {found['InstanceType']} in {zone}")
