"""The stack file `cost` with every switch of `security` and every optional part on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from gpu_slices.versions import DEVICE_PLUGIN
from rehearsal.account import Item
from rehearsal.aws.compute import RESERVATION
from rehearsal.project import stack_config, with_setting
from rehearsal.stage import EXISTING

STACK = "cost"
KEY = "arn:aws:kms:us-east-1:123456789012:key/5d1f3c2e-0000-4000-8000-000000000000"
RESERVED = "cr-0123456789abcdef0"
DIGEST = f"sha256:{'a' * 64}"
SWITCHES: Mapping[str, Any] = {
    "security": {
        "flowLogs": "all",
        "breakGlassRoleArn": "arn:aws:iam::123456789012:role/Emergency",
        "guardDuty": True,
        "securityHub": True,
        "diskKmsKeyArn": KEY,
        "digests": {f"nvcr.io/nvidia/k8s-device-plugin:v{DEVICE_PLUGIN.version}": DIGEST},
    },
    "cluster.optionalAddons": ["amazon-cloudwatch-observability", "aws-ebs-csi-driver", "aws-fsx-csi-driver"],
    "gpuNodeGroups": {
        "held": {
            "instanceType": "p5.48xlarge",
            "capacityReservation": {"id": RESERVED, "type": "capacity-block", "zone": "us-east-1b"},
        }
    },
}


@cache
def config() -> Mapping[str, Any]:
    """The stack file's settings, with full keys."""
    changed: Mapping[str, Any] = stack_config(STACK)
    for path, value in SWITCHES.items():
        changed = with_setting(changed, path, value, "gpu-slices")
    return changed


def reservation(zone: str = "us-east-1b", instance_type: str = "p5.48xlarge") -> Item:
    """What the account must hold for the node group: its capacity reservation."""
    data = {"availabilityZone": zone, "instanceType": instance_type, "instanceCount": 2}
    return Item(type=RESERVATION, id=RESERVED, urn=EXISTING, data=data)


def emergency() -> Item:
    """The role that may do everything in an emergency."""
    arn = SWITCHES["security"]["breakGlassRoleArn"]
    return Item(type="aws:iam/role:Role", id="Emergency", urn=EXISTING, data={"arn": arn, "name": "Emergency"})
