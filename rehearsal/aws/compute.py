"""Launch templates and capacity reservations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.aws.table import AwsType, View, paths

TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
RESERVATION = "aws:ec2/capacityReservation:CapacityReservation"

#: EC2's limits on gp3 volumes: throughput in MiB/s, and per provisioned IOPS.
_THROUGHPUT = (125, 2000)


def _volume(inputs: Mapping[str, Any], _view: View) -> str | None:
    for device in inputs.get("blockDeviceMappings") or ():
        ebs = device.get("ebs") or {}
        throughput = ebs.get("throughput")
        if throughput is None:
            continue
        if ebs.get("volumeType") != "gp3":
            return "InvalidParameterCombination: The parameter throughput is only for gp3 volumes"
        if not _THROUGHPUT[0] <= int(throughput) <= _THROUGHPUT[1]:
            return f"InvalidParameterValue: throughput of {throughput} is not in the range {_THROUGHPUT}"
    return None


def _block(inputs: Mapping[str, Any], _view: View) -> str | None:
    """A capacity block is launched from by naming it, and the type it is of."""
    if market_of(inputs) != "capacity-block" or (target_of(inputs) and inputs.get("instanceType")):
        return None
    return (
        "InvalidParameterCombination: MarketType capacity-block needs an instance type and the id of a capacity "
        "reservation to target"
    )


def market_of(template: Mapping[str, Any]) -> str | None:
    """`spot`, `capacity-block`, or None for on demand."""
    return (template.get("instanceMarketOptions") or {}).get("marketType")


def target_of(template: Mapping[str, Any]) -> str | None:
    """The capacity reservation that a launch template targets."""
    specification = template.get("capacityReservationSpecification") or {}
    return (specification.get("capacityReservationTarget") or {}).get("capacityReservationId")


TYPES: dict[str, AwsType] = {
    TEMPLATE: AwsType(
        id="lt-{hex17}",
        arn="arn:aws:ec2:{region}:{account}:launch-template/{id}",
        named="name",
        prefix="namePrefix",
        immutable=paths("name", "namePrefix"),
        unique=("name",),
        taken="InvalidLaunchTemplateName.AlreadyExistsException",
        # the provider counts latestVersion up with every update
        outputs={"defaultVersion": 1, "latestVersion": 1},
        longest=128,
        rules=(_volume, _block),
    ),
    RESERVATION: AwsType(
        id="cr-{hex17}",
        arn="arn:aws:ec2:{region}:{account}:capacity-reservation/{id}",
        immutable=paths(
            "availabilityZone", "ebsOptimized", "ephemeralStorage", "instancePlatform", "instanceType", "tenancy",
        ),
        outputs={"ownerId": "{account}"},
    ),
}  # fmt: skip
