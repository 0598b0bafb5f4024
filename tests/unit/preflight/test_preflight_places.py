"""Zones that EKS refuses, and types that are not offered where the stack wants them."""

from __future__ import annotations

import boto3

from gpu_slices.checks.aws_account import AwsAccount
from gpu_slices.checks.place_rules import judge_offer
from tests.support.stacks import plan_of
from tests.unit.preflight.pretended_account import (
    REGION,
    STACK,
    judged,
    troubles,
)


def test_a_zone_that_eks_refuses_is_told_by_the_id_behind_its_name():
    listed = boto3.client("ec2", region_name="us-east-1").describe_availability_zones()["AvailabilityZones"]
    refused = next(one["ZoneName"] for one in listed if one["ZoneId"] == "use1-az3")
    other = next(one["ZoneName"] for one in listed if one["ZoneId"] == "use1-az1")
    plan = plan_of({**STACK, "aws:region": "us-east-1", "network": {"zones": [other, refused]}})
    found = judged("zones", AwsAccount(plan, lambda name: boto3.client(name, "us-east-1")))
    assert [(one.subject, one.outcome) for one in found] == [(other, "passed"), (refused, "failed")]
    assert refused not in found[1].remedy


def test_a_zone_that_the_account_does_not_have_is_told():
    raw = {**STACK, "network": {"zones": [f"{REGION}a", f"{REGION}z"]}}
    assert troubles(raw, "zones") == [(f"{REGION}z", "failed", "zone-unknown")]


def test_a_type_that_ec2_has_retired_is_offered_nowhere():
    ((subject, outcome, cause),) = troubles(
        {"gpuNodeGroups": {"old": {"instanceType": "p3.8xlarge"}}}, "instance-types"
    )
    assert (subject, outcome, cause) == ("gpuNodeGroups.old", "failed", "offered-nowhere")


def test_a_type_that_is_offered_elsewhere_in_the_region_is_told_with_the_zones_that_do():
    found = judge_offer("gpuNodeGroups.a", ("g6.xlarge",), ("x-1a", "x-1b"), {"g6.xlarge": frozenset({"x-1c"})}, "x-1")
    assert (found.outcome, found.remedy) == ("failed", "take zones that do under network.zones: x-1c")
    partly = judge_offer("gpuNodeGroups.a", ("g6.xlarge",), ("x-1a", "x-1c"), {"g6.xlarge": frozenset({"x-1c"})}, "x-1")
    assert partly.outcome == "warned"


def test_a_pool_with_one_type_that_is_missing_lives_on_the_others():
    pool = {"instanceTypes": ["g6.xlarge", "p3.8xlarge"], "maxGpus": {1: 2, 4: 4}}
    assert troubles({"gpuNodePools": {"mixed": pool}}, "instance-types") == [
        ("gpuNodePools.mixed", "warned", "some-types-missing")
    ]
