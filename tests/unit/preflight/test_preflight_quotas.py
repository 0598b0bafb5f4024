"""Quotas: each type counts against its own, for the configured size and for the limits."""

from __future__ import annotations

import pytest

from gpu_slices.checks.aws_account import AwsAccount
from gpu_slices.checks.quota_needs import Need, quota_code, quota_needs
from gpu_slices.checks.quota_rules import QuotaState, judge_vcpus
from tests.support.stacks import SLICEABLE, plan_of
from tests.unit.preflight.pretended_account import (
    G_ON_DEMAND,
    G_SPOT,
    P_ON_DEMAND,
    REGION,
    STACK,
    STANDARD,
    client,
    clients,
    findings,
    judged,
    troubles,
)


@pytest.mark.parametrize(
    ("instance_type", "capacity", "code"),
    [
        ("g6e.2xlarge", "on-demand", G_ON_DEMAND),
        ("g4dn.xlarge", "spot", G_SPOT),
        ("p4d.24xlarge", "on-demand", P_ON_DEMAND),
        ("p5.48xlarge", "on-demand", P_ON_DEMAND),
        ("p4d.24xlarge", "spot", "L-7212CCBC"),
        ("p5.48xlarge", "spot", "L-C4BD4855"),
        ("t3.large", "on-demand", STANDARD),
        ("m7i.xlarge", "spot", "L-34B43A08"),
        ("inf2.xlarge", "on-demand", None),
        ("trn1.2xlarge", "on-demand", None),
        ("x2idn.16xlarge", "on-demand", None),
    ],
)
def test_each_instance_type_counts_against_the_quota_of_its_kind(instance_type: str, capacity: str, code: str | None):
    assert quota_code(instance_type, capacity) == code


def test_every_type_that_a_pool_can_have_has_an_on_demand_quota():
    assert [name for name in SLICEABLE if quota_code(name, "on-demand") is None] == []


def test_a_node_group_needs_its_desired_nodes_now_and_its_most_at_the_limit():
    needs = quota_needs(plan_of(STACK), {"t3.large": 2, "g6e.2xlarge": 8})
    assert [(one.path, one.code, one.now, one.limit) for one in needs] == [
        ("systemNodes", STANDARD, 4, 8),
        ("gpuNodeGroups.a", G_ON_DEMAND, 16, 32),
    ]


def test_a_node_pool_needs_its_first_node_now_and_no_more_than_its_cpu_limit():
    pool = {"families": ["g4dn"], "gpusPerNode": [1], "sizes": ["2xlarge", "8xlarge"], "maxGpus": 10}
    plan = plan_of({"gpuNodePools": {"burst": {**pool, "capacity": ["spot", "on-demand"], "limits": {"cpu": 80}}}})
    needs = quota_needs(plan, {"g4dn.2xlarge": 8, "g4dn.8xlarge": 32})
    assert [(one.code, one.now, one.limit, one.alternative) for one in needs] == [
        (G_SPOT, 8, 80, True),
        (G_ON_DEMAND, 8, 80, True),
    ]


def test_a_quota_of_zero_is_the_first_thing_a_new_account_hears_of():
    (found,) = [one for one in findings(STACK, "vcpu-quotas", {G_ON_DEMAND: 0}) if one.outcome == "failed"]
    assert found.cause
    assert found.cause.name == "quota-zero"
    assert "0 vCPUs, 0 used by others; needed 16 as configured, 32 at the limits" in found.seen
    assert found.remedy == (
        "aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-DB2E81BA "
        "--desired-value 32 --region us-west-2"
    )


@pytest.mark.parametrize(("value", "outcome"), [(15, "failed"), (16, "warned"), (31, "warned"), (32, "passed")])
def test_a_quota_must_hold_the_configured_size_and_should_hold_the_limits(value: int, outcome: str):
    (found,) = [one for one in findings(STACK, "vcpu-quotas", {G_ON_DEMAND: value}) if G_ON_DEMAND in one.subject]
    assert found.outcome == outcome


def test_what_other_instances_use_is_gone_and_what_the_stack_itself_uses_is_not():
    image = client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    own = [{"Key": "gpu-slices:stack", "Value": "test"}, {"Key": "gpu-slices:cluster", "Value": "demo"}]
    for tags in ([{"Key": "Name", "Value": "other"}], own):
        client("ec2").run_instances(
            ImageId=image,
            InstanceType="g5.2xlarge",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
    (found,) = [one for one in findings(STACK, "vcpu-quotas", {G_ON_DEMAND: 32}) if G_ON_DEMAND in one.subject]
    assert found.seen.startswith("32 vCPUs, 8 used by others")
    assert found.outcome == "warned"


def test_a_pool_that_may_take_spot_or_on_demand_is_lost_only_without_both():
    needs = [
        Need(path="gpuNodePools.b", code=code, now=8, limit=32, alternative=True) for code in (G_ON_DEMAND, G_SPOT)
    ]

    def judged(on_demand: int, spot: int) -> set[str]:
        states = {G_ON_DEMAND: QuotaState(value=on_demand, used=0), G_SPOT: QuotaState(value=spot, used=0)}
        return {one.outcome for one in judge_vcpus(needs, states, REGION)}

    assert judged(0, 64) == {"warned", "passed"}
    assert judged(16, 64) == {"warned", "passed"}
    assert judged(0, 0) == {"warned", "failed"}


def test_a_quota_that_aws_does_not_tell_is_skipped():
    account = AwsAccount(plan_of(STACK), clients({}))
    found = judged("vcpu-quotas", account)
    assert {one.outcome for one in found} == {"skipped"}


def test_no_room_for_another_vpc_or_address_is_told_before_up_meets_it():
    raw = {**STACK, "network": {"nat": "per-zone"}}
    assert troubles(raw, "network-quotas", {"L-F678F1CE": 1, "L-0263D0A3": 1}) == [
        ("VPCs", "failed", "no-vpc-left"),
        ("elastic IP addresses", "failed", "no-address-left"),
    ]
