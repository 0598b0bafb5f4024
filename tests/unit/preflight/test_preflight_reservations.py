"""`preflight` and capacity that is reserved, and disks under the stack's own key: what is wrong, in which words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from gpu_slices.checks.aws_account import AwsAccount
from gpu_slices.checks.table import Finding
from gpu_slices.iam.disk_key import AUTO_SCALING_ROLE
from tests.support.stacks import plan_of
from tests.unit.preflight.pretended_account import REGION, judged

ID = "cr-0123456789abcdef0"
BLOCK = {
    "CapacityReservationId": ID,
    "ReservationType": "capacity-block",
    "InstanceType": "p5.48xlarge",
    "AvailabilityZone": "us-west-2a",
    "State": "active",
    "TotalInstanceCount": 2,
    "StartDate": datetime(2026, 11, 20, 11, 30, tzinfo=UTC),
    "EndDate": datetime(2026, 12, 1, 11, 30, tzinfo=UTC),
}
HELD = {"id": ID, "type": "capacity-block", "zone": "us-west-2a"}
GROUP = {"instanceType": "p5.48xlarge", "capacityReservation": HELD}
POOL = {"instanceTypes": ["p5.48xlarge"], "maxGpus": 16, "capacityReservations": [ID]}


class Ec2:
    """EC2 with capacity reservations, which moto does not know."""

    def __init__(self, reservations: list[dict[str, Any]]) -> None:
        self._reservations = reservations

    def can_paginate(self, _operation: str) -> bool:
        return False

    def describe_capacity_reservations(self) -> dict[str, Any]:
        return {"CapacityReservations": self._reservations}


def finding(raw: dict[str, Any], **changes: Any) -> Finding:
    """What is said of the one reservation that a stack names; `changes` are those of the block."""
    account = AwsAccount(plan_of(raw), lambda _: Ec2([{**BLOCK, **changes}]))
    (found,) = judged("capacity-reservations", account)
    return found


def group(**changes: Any) -> dict[str, Any]:
    return {"gpuNodeGroups": {"h100": {**GROUP, **changes}}}


@pytest.mark.parametrize("raw", [group(), {"gpuNodePools": {"h100": POOL}}], ids=["node group", "NodePool"])
def test_an_active_reservation_of_the_right_kind_passes(raw: dict[str, Any]):
    found = finding(raw)
    assert (found.outcome, found.seen) == ("passed", "active, 2 of p5.48xlarge in us-west-2a")


@pytest.mark.parametrize(
    ("raw", "changes", "cause", "seen", "remedy"),
    [
        (
            group(),
            {"State": "expired"},
            "reservation-over",
            "expired, ended 2026-12-01 11:30 UTC",
            "reserve anew and write the new id under gpuNodeGroups.h100.capacityReservation",
        ),
        (group(), {"State": "cancelled", "EndDate": None}, "reservation-over", "cancelled", "reserve anew"),
        (
            group(),
            {"AvailabilityZone": "us-west-2c"},
            "reservation-elsewhere",
            "is in us-west-2c, the nodes in us-west-2a",
            "write zone: us-west-2c",
        ),
        (
            {"gpuNodePools": {"h100": POOL}},
            {"AvailabilityZone": "us-west-2c"},
            "reservation-elsewhere",
            "is in us-west-2c, the nodes in us-west-2a, us-west-2b",
            "reserve in us-west-2a, us-west-2b",
        ),
        (
            group(),
            {"InstanceType": "p5e.48xlarge"},
            "reservation-of-another-type",
            "is for p5e.48xlarge",
            "p5e.48xlarge",
        ),
        (group(), {"ReservationType": "default"}, "reservation-of-another-kind", "is of type odcr", "write type: odcr"),
        (group(), {"CapacityReservationId": "cr-0ffffffffffffffff"}, "reservation-unknown", "is not there", REGION),
        (group(), {"State": "scheduled"}, "reservation-not-begun", "scheduled", "until 2026-11-20 11:30 UTC"),
    ],
)
def test_what_is_wrong_with_a_reservation_has_a_sentence_of_its_own(
    raw: dict[str, Any], changes: dict[str, Any], cause: str, seen: str, remedy: str
):
    found = finding(raw, **changes)
    assert found.outcome == "failed"
    assert found.cause is not None
    assert found.cause.name == cause
    assert seen in found.seen
    assert remedy in found.remedy


def test_a_block_that_begins_later_is_no_trouble_for_a_group_without_nodes():
    assert finding(group(desired=0), State="scheduled").outcome == "passed"


def test_a_reservation_smaller_than_the_groups_most_is_a_warning():
    found = finding(group(max=3), TotalInstanceCount=2)
    assert (found.outcome, found.seen) == ("warned", "holds 2, max is 3")


def test_nothing_is_asked_where_nothing_is_reserved():
    def nobody(service: str) -> Any:
        raise AssertionError(f"asked {service}")

    account = AwsAccount(plan_of({"gpuNodeGroups": {"a": {"instanceType": "g6.xlarge"}}}), nobody)
    assert judged("capacity-reservations", account) == []


@pytest.fixture
def clients() -> Iterator[Callable[[str], Any]]:
    with mock_aws():
        yield lambda service: boto3.client(service, region_name=REGION)


def disk_key(clients: Callable[[str], Any], arn: str) -> list[tuple[str, str | None]]:
    found = judged("disk-key", AwsAccount(plan_of({"security": {"diskKmsKeyArn": arn}}), clients))
    return [(one.outcome, one.cause.name if one.cause else None) for one in found]


def test_a_disk_key_is_looked_at_with_the_role_it_is_granted_to(clients: Callable[[str], Any]):
    arn = clients("kms").create_key(KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    assert disk_key(clients, arn) == [("passed", None), ("failed", "auto-scaling-role-missing")]
    clients("iam").create_role(RoleName=AUTO_SCALING_ROLE, AssumeRolePolicyDocument="{}")
    assert disk_key(clients, arn) == [("passed", None)]
    clients("kms").disable_key(KeyId=arn.rpartition("/")[2])
    assert disk_key(clients, arn) == [("failed", "key-unusable")]
    assert disk_key(clients, f"{arn[:-4]}0000") == [("failed", "key-not-found")]
