"""An adopted cluster for tests: a small stack file's settings, and the world in which the cluster is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gpu_slices.settings import parse
from rehearsal.account import Item
from rehearsal.existing import world_of

ADOPTED: Mapping[str, Any] = {
    "aws:region": "us-west-2",
    "cluster": {"adopt": "prod"},
    "network": {
        "vpcId": "vpc-0123456789abcdef0",
        "privateSubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    },
    "gpuNodeGroups": {"t4": {"instanceType": "g4dn.2xlarge"}},
    "replicas": 4,
}
KARPENTER: Mapping[str, Any] = {
    "systemNodes": {"desired": 2},
    "gpuNodePools": {"burst": {"families": ["g5"], "gpusPerNode": [1], "sizes": ["xlarge"], "maxGpus": 2}},
}


def config_of(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Raw settings with full keys."""
    return {key if ":" in key else f"gpu-slices:{key}": value for key, value in raw.items()}


def world(raw: Mapping[str, Any] = ADOPTED, *, without: Sequence[str] = (), **cluster: Any) -> tuple[Item, ...]:
    """The account in which the cluster is there; `cluster` are inputs of it that differ, `without` types that are not."""
    items = world_of(parse(raw, stack="test"), **cluster)
    return tuple(item for item in items if item.type not in without)
