"""What a person reads who made a mistake in `gpuNodePools`, `nodePools`, `karpenter` or `retiredPools`."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_slices.settings import SettingsError, parse

G6 = {"families": ["g6"], "gpusPerNode": [1], "maxGpus": 4}


EXISTING = {
    "vpcId": "vpc-0123456789abcdef0",
    "privateSubnetIds": ["subnet-0123456789abcdef0", "subnet-1123456789abcdef0"],
}


def mistakes(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse({"aws:region": "us-west-2", **raw}, stack="test")
    return [str(mistake) for mistake in refused.value.mistakes]


def pool(**keys: Any) -> dict[str, Any]:
    return {"gpuNodePools": {"burst": {**G6, **keys}}}


@pytest.mark.parametrize(
    ("raw", "key", "words"),
    [
        (pool(families=["g5g"]), "gpuNodePools.burst.families[0]", "arm64; only amd64"),
        (pool(families=["g6f"]), "gpuNodePools.burst.families[0]", "counts as 0 GPUs"),
        (pool(families=["g9"]), "gpuNodePools.burst.families[0]", "no GPU family 'g9'"),
        (pool(families=[]), "gpuNodePools.burst.families", "are missing"),
        (pool(instanceTypes=["g6.xlarge"]), "gpuNodePools.burst.instanceTypes", "explicit types beside a selection"),
        (pool(gpusPerNode=[2]), "gpuNodePools.burst.gpusPerNode", "leaves no instance type of g6; there are 1, 4, 8"),
        (pool(sizes=["12xlarge"]), "gpuNodePools.burst.sizes", "leaves no instance type of g6; there are 16xlarge"),
        (pool(gpusPerNode=[4], maxGpus=3), "gpuNodePools.burst.maxGpus", "3 GPUs are less than one node of 4"),
        (pool(gpusPerNode=[1, 4]), "gpuNodePools.burst.maxGpus", "one number for nodes of 1, 4 GPUs"),
        (pool(maxGpus={4: 4}), "gpuNodePools.burst.maxGpus", "says [4] GPUs per node, the pool has [1]"),
        (pool(limits={"cpu": 2}), "gpuNodePools.burst.limits.cpu", "less than the smallest node; write at least 4"),
        (pool(limits={"memory": "8Gi"}), "gpuNodePools.burst.limits.memory", "less than the smallest node"),
        (
            pool(capacity=["spot"], capacityReservations=["cr-0123456789abcdef0"]),
            "gpuNodePools.burst.capacityReservations",
            "spot cannot use it",
        ),
        (pool(zones=["us-west-2c"]), "gpuNodePools.burst.zones[0]", "the network has no zone 'us-west-2c'"),
        (
            {**pool(zones=["us-west-2c", "eu-west-1a", "us-west-2-lax-1a"]), "network": EXISTING},
            "gpuNodePools.burst.zones[1]",
            "'eu-west-1a' is not a zone of us-west-2",
        ),
        (pool(budgets=[{"nodes": "1", "schedule": "0 8 * * *"}]), "gpuNodePools.burst.budgets[0]", "write both"),
        (
            pool(budgets=[{"nodes": "1", "duration": "90s"}]),
            "gpuNodePools.burst.budgets[0].duration",
            "hours and minutes",
        ),
        (pool(budgets=[{"nodes": "150%"}]), "gpuNodePools.burst.budgets[0].nodes", "no number of nodes"),
        (pool(amiAlias="al2023@latest"), "gpuNodePools.burst.amiAlias", "@latest drifts"),
        (pool(expireAfter="2 weeks"), "gpuNodePools.burst.expireAfter", "30s, 5m or 336h"),
        (pool(capacity=["reserved"]), "gpuNodePools.burst.capacity[0]", "'on-demand' or 'spot'"),
        ({**pool(), "gpuNodeGroups": {"burst": {"instanceType": "g6.xlarge"}}}, "gpuNodePools.burst", "used twice"),
        ({**pool(), "nodePools": {"burst": {}}}, "nodePools.burst", "used twice"),
        (
            {
                "gpuNodePools": {"burst": {"families": ["g6"], "gpusPerNode": [1, 4], "maxGpus": {1: 1, 4: 4}}},
                "nodePools": {"burst-4gpu": {}},
            },
            "gpuNodePools.burst",
            "would take the name of another pool",
        ),
        ({"gpuNodePools": {"default": G6}}, "gpuNodePools.default", "reserved"),
        ({"nodePools": {"default": {"minGeneration": 0}}}, "nodePools.default.minGeneration", "at least 1"),
        ({**pool(), "retiredPools": {"burst": {"replicas": 4}}}, "retiredPools.burst", "not retired"),
        ({"karpenter": {"version": "1.12.3"}}, "karpenter.version", "too old"),
        ({"karpenter": {"replicas": 3}}, "karpenter.replicas", "a system node each, there are 2"),
        ({"tags": {"karpenter.sh/nodepool": "x"}}, "tags", "belongs to EKS and Karpenter"),
        ({"tags": {"kubernetes.io/cluster/x": "owned"}}, "tags", "belongs to EKS and Karpenter"),
        ({"karpenter": {"version": "latest"}}, "karpenter.version", "not an exact version"),
    ],
)
def test_each_mistake_is_a_sentence_of_its_own(raw: dict[str, Any], key: str, words: str):
    (line,) = mistakes(raw)
    assert line.startswith(f"{key}: ")
    assert words in line


def test_a_limit_is_required_because_a_burst_without_one_is_a_bill():
    (line,) = mistakes({"gpuNodePools": {"burst": {"families": ["g6"]}}})
    assert line.startswith("gpuNodePools.burst.maxGpus: is missing")


def test_a_map_of_limits_may_come_with_text_keys_as_the_engine_hands_it_over():
    raw = {"gpuNodePools": {"burst": {"families": ["g6"], "gpusPerNode": [1, 4], "maxGpus": {"1": 2, "4": 8}}}}
    settings = parse({"aws:region": "us-west-2", **raw}, stack="test")
    assert settings.gpu_node_pools["burst"].max_gpus == {1: 2, 4: 8}


def test_a_general_pool_may_be_called_default():
    assert parse({"aws:region": "us-west-2", "nodePools": {"default": {}}}, stack="test").node_pools
