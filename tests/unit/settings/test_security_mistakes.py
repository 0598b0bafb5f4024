"""What a person reads who made a mistake under `security`, `cluster.optionalAddons` or a capacity reservation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gpu_slices.settings import SettingsError, parse
from gpu_slices.versions import DEVICE_PLUGIN, KARPENTER

ROLE = "arn:aws:iam::123456789012:role/Emergency"
PLUGIN = f"nvcr.io/nvidia/k8s-device-plugin:v{DEVICE_PLUGIN.version}"
CONTROLLER = f"public.ecr.aws/karpenter/controller:{KARPENTER.version}"
DIGEST = f"sha256:{'0' * 64}"
NETWORK = {
    "vpcId": "vpc-0123456789abcdef0",
    "privateSubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
}


def mistakes(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse({"aws:region": "us-west-2", **raw}, stack="test")
    return [str(mistake) for mistake in refused.value.mistakes]


def security(**keys: Any) -> dict[str, Any]:
    return {"security": keys}


def held(group: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    """A group of p5.48xlarge in a capacity block of us-west-2a, and what a test changes of group and block."""
    block = {"id": "cr-0123456789abcdef0", "type": "capacity-block", "zone": "us-west-2a", **keys}
    return {"gpuNodeGroups": {"h100": {"instanceType": "p5.48xlarge", "capacityReservation": block, **(group or {})}}}


def test_a_stack_may_use_all_of_it():
    raw = {
        **held(instances=1, ends="2026-12-01T11:30:00Z"),
        **security(breakGlassRoleArn=ROLE, digests={PLUGIN: DIGEST}),
    }
    assert parse({"aws:region": "us-west-2", **raw}, stack="test")


BLOCK = "gpuNodeGroups.h100.capacityReservation"


@pytest.mark.parametrize(
    ("raw", "key", "words"),
    [
        (security(flowLogs=False), "security.flowLogs", "YAML reads off and on as false and true"),
        (security(flowLogs="some"), "security.flowLogs", "'none', 'rejected' or 'all'"),
        (security(flowLogRetentionDays=31), "security.flowLogRetentionDays", "CloudWatch cannot keep logs for 31 days"),
        (security(breakGlassRoleArn="Admin"), "security.breakGlassRoleArn", "is not an IAM role"),
        (
            security(breakGlassRoleArn="arn:aws:iam::123456789012:user/me"),
            "security.breakGlassRoleArn",
            "a role that people must take on purpose",
        ),
        (
            {**security(breakGlassRoleArn=ROLE), "cluster": {"logs": ["api"]}},
            "security.breakGlassRoleArn",
            "nobody would see the role being used: the audit log is off; add audit to cluster.logs",
        ),
        (
            {
                **security(breakGlassRoleArn=ROLE),
                "cluster": {"access": {"ops": {"principalArn": ROLE, "policy": "view"}}},
            },
            "security.breakGlassRoleArn",
            "is the role of cluster.access.ops too",
        ),
        (
            security(diskKmsKeyArn="arn:aws:kms:eu-west-1:123456789012:key/1"),
            "security.diskKmsKeyArn",
            "the key is in eu-west-1",
        ),
        (security(digests={PLUGIN: "latest"}), f"security.digests.{PLUGIN}", "is not a digest"),
        (
            security(digests={PLUGIN.replace("k8s-device", "k8s-devise"): DIGEST}),
            f"security.digests.{PLUGIN.replace('k8s-device', 'k8s-devise')}",
            f'did you mean "{PLUGIN}"?',
        ),
        (
            {**security(digests={CONTROLLER: DIGEST}), "karpenter": {"version": "1.13.2"}},
            f"security.digests.{CONTROLLER}",
            "the stack runs 1.13.2",
        ),
        (
            {"cluster": {"addons": {"aws-ebs-csi-driver": "v1.44.0-eksbuild.1"}}},
            "cluster.addons.aws-ebs-csi-driver",
            "add aws-ebs-csi-driver to cluster.optionalAddons",
        ),
        ({"cluster": {"optionalAddons": ["ebs"]}}, "cluster.optionalAddons[0]", "'aws-ebs-csi-driver'"),
        (held(id="cr-1"), f"{BLOCK}.id", "is not a capacity reservation"),
        (
            held(zone="us-west-2c"),
            f"{BLOCK}.zone",
            "the reservation is in another zone: us-west-2c, while the network has us-west-2a, us-west-2b; "
            "add us-west-2c to network.zones",
        ),
        (held(zone="eu-west-1a"), f"{BLOCK}.zone", "is not a zone of us-west-2"),
        (held(ends="tomorrow"), f"{BLOCK}.ends", "is not a time in UTC"),
        (held(ends="2026-13-01T11:30:00Z"), f"{BLOCK}.ends", "is not a time in UTC"),
        (held({"capacity": "spot"}), BLOCK, "spot cannot use it; write capacity: on-demand"),
        (held({"instanceType": "g6.xlarge"}), f"{BLOCK}.type", "there are no capacity blocks of g6.xlarge; write odcr"),
        (held(instances=65), f"{BLOCK}.instances", "at most 64"),
        (
            held({"max": 3}, instances=2),
            f"{BLOCK}.instances",
            "cr-0123456789abcdef0 holds 2 instances, its node groups may want 3",
        ),
        (held(subnetIds=["subnet-0123456789abcdef0"]), f"{BLOCK}.subnetIds", "the stack makes its own"),
        (
            {**held(), "network": NETWORK},
            f"{BLOCK}.subnetIds",
            "only you know which subnets are in the reservation's zone",
        ),
        (
            {**held(subnetIds=["subnet-0fffffffffffffff0"]), "network": NETWORK},
            f"{BLOCK}.subnetIds[0]",
            "is no private subnet of the network",
        ),
    ],
)
def test_each_mistake_names_its_key_and_what_to_write(raw: dict[str, Any], key: str, words: str):
    (line,) = mistakes(raw)
    assert line.startswith(f"{key}: ")
    assert words in line


def test_two_groups_share_what_one_reservation_holds():
    groups = {
        name: {
            "instanceType": "g6.xlarge",
            "max": 2,
            "capacityReservation": {"id": "cr-0123456789abcdef0", "zone": "us-west-2a", "instances": 3},
        }
        for name in ("a", "b")
    }
    (line,) = mistakes({"gpuNodeGroups": groups})
    assert "holds 3 instances, its node groups may want 4" in line


@pytest.mark.parametrize(
    "value",
    [
        "2026-12-01T11:30:00Z",
        "2026-12-01T11:30Z",
        datetime(2026, 12, 1, 11, 30),
        datetime(2026, 12, 1, 11, 30, tzinfo=UTC),
    ],
)
def test_yaml_reads_an_end_without_quotes_as_a_time_and_it_is_the_same_end(value: object):
    stack = parse({"aws:region": "us-west-2", **held(ends=value)}, stack="test")
    reservation = stack.gpu_node_groups["h100"].capacity_reservation
    assert reservation is not None
    assert reservation.ends == "2026-12-01T11:30:00Z"
