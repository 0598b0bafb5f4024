"""Each warning appears when it should, and not otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gpu_slices.reserved_capacity import ended_reservations
from tests.support.stacks import plan_of

QUIET: dict[str, Any] = {
    "network": {"nat": "per-zone"},
    "cluster": {"endpoint": {"publicCidrs": ["198.51.100.0/24"]}},
    "gpuNodeGroups": {"a": {"instanceType": "g6e.2xlarge", "replicas": 4}},
}


def told(raw: dict[str, Any]) -> list[str]:
    return [str(warning) for warning in plan_of({**QUIET, **raw}).warnings]


def pool(instance_type: str, **keys: Any) -> dict[str, Any]:
    return {"gpuNodeGroups": {"a": {"instanceType": instance_type, **keys}}}


def test_a_careful_stack_is_not_warned():
    assert told({}) == []


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        (pool("p3.8xlarge", amiRelease="1.35.0-20260714"), "gpuNodeGroups.a.instanceType", "retired p3.8xlarge"),
        (pool("p3dn.24xlarge"), "gpuNodeGroups.a.amiRelease", "drivers up to 580"),
        (pool("g7.2xlarge", amiRelease="1.35.0-20260714"), "gpuNodeGroups.a.instanceType", "needs driver 595"),
        (pool("g6e.2xlarge", replicas=9), "gpuNodeGroups.a.replicas", "9 slices per GPU"),
        (pool("g4dn.xlarge", replicas=8, podRequests={"cpu": "1"}), "gpuNodeGroups.a.replicas", "CPU for 3 pods"),
        (pool("g6.12xlarge", replicas=8, podRequests={"memory": "16Gi"}), "gpuNodeGroups.a.replicas", "memory for 10"),
        (pool("g6e.2xlarge", max=3), "gpuNodeGroups.a.max", "nothing scales this group"),
        (
            pool(
                "p5.48xlarge",
                capacityReservation={"id": "cr-0123456789abcdef0", "type": "capacity-block", "zone": "us-west-2a"},
            ),
            "gpuNodeGroups.a.capacityReservation",
            "paid in advance",
        ),
        (
            {
                "security": {"guardDuty": True},
                "network": {
                    "vpcId": "vpc-0123456789abcdef0",
                    "privateSubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
                },
            },
            "security.guardDuty",
            "com.amazonaws.us-west-2.guardduty-data",
        ),
        ({"network": {}}, "network.nat", "one NAT gateway"),
        ({"cluster": {}}, "cluster.endpoint.publicCidrs", "every address"),
        ({"replicas": 5}, "replicas", "no effect"),
    ],
)
def test_each_is_told_at_its_key(raw: dict[str, Any], path: str, words: str):
    (line,) = told(raw)
    assert line.startswith(f"{path}: ")
    assert words in line


def test_little_memory_and_no_room_for_pods_are_told_beside_the_many_slices():
    lines = told(pool("g4dn.xlarge", replicas=40))
    assert any("409 MiB of GPU memory per slice" in line for line in lines)
    assert any("has pods and CPU and memory" in line for line in lines)


def test_whole_gpus_are_never_short_of_memory_per_slice():
    assert told(pool("g4dn.xlarge", replicas=1)) == []


def test_under_mps_threads_and_memory_are_enforced_and_the_words_say_so():
    lines = told(pool("g4dn.xlarge", replicas=16, sharing={"strategy": "mps"}))
    assert any("at most 1/16 of the GPU's threads, also when the others are idle" in line for line in lines)
    assert any("1024 MiB of GPU memory per slice" in line and "nothing enforces" not in line for line in lines)


def test_mig_single_offers_whole_gpus_before_they_are_partitioned():
    single = {"strategy": "mig", "mig": {"strategy": "single", "profiles": {"1g.10gb": 7}}}
    (line,) = told({"gpuStack": "gpu-operator", **pool("p5.4xlarge", sharing=single)})
    assert line.startswith("gpuNodeGroups.a.sharing.mig.strategy: until its GPUs are partitioned")
    mixed = {**single, "mig": {"profiles": {"1g.10gb": 7}}}
    assert told({"gpuStack": "gpu-operator", **pool("p5.4xlarge", sharing=mixed)}) == []


def launched(**keys: Any) -> dict[str, Any]:
    pool = {"families": ["g6e"], "gpusPerNode": [1], "maxGpus": 4, "replicas": 4, **keys}
    return {"gpuNodeGroups": {}, "gpuNodePools": {"burst": pool}}


def test_a_careful_karpenter_stack_is_not_warned():
    assert told(launched()) == []


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        (
            launched(families=["g5", "g6e"]),
            "gpuNodePools.burst.families",
            "5722 MiB of GPU memory on one type and 11444",
        ),
        (
            launched(gpusPerNode=[1, 4], maxGpus={1: 4, 4: 8}),
            "gpuNodePools.burst.gpusPerNode",
            "burst-1gpu, burst-4gpu",
        ),
        (launched(families=["g7"]), "gpuNodePools.burst.families", "needs driver 595"),
        ({**launched(), "karpenter": {"version": "1.15.0"}}, "karpenter.version", "checked against 1.14.1 only"),
        ({**launched(), "retiredPools": {"old": {"replicas": 4}}}, "retiredPools", "only the GPU operator needs them"),
    ],
)
def test_each_is_told_of_a_pool_of_karpenters(raw: dict[str, Any], path: str, words: str):
    (line,) = told(raw)
    assert line.startswith(f"{path}: ")
    assert words in line


@pytest.mark.parametrize(("pools", "expected"), [(30, 0), (31, 1)])
def test_more_than_thirty_sliced_node_pools_slow_karpenter_down(pools: int, expected: int):
    pool = launched()["gpuNodePools"]["burst"]
    lines = told({"gpuNodeGroups": {}, "gpuNodePools": {f"pool-{n}": pool for n in range(pools)}})
    assert len([line for line in lines if line.startswith("gpuNodePools: ")]) == expected


def ended(kind: str, now: datetime) -> list[str]:
    held = {"id": "cr-0123456789abcdef0", "type": kind, "zone": "us-west-2a", "ends": "2026-12-01T11:30:00Z"}
    plan = plan_of({"gpuNodeGroups": {"a": {"instanceType": "p5.48xlarge", "capacityReservation": held}}})
    return [str(warning) for warning in ended_reservations(plan.settings, now)]


@pytest.mark.parametrize(
    ("kind", "minute", "words"),
    [
        ("odcr", 29, None),
        ("odcr", 30, "the reservation cr-0123456789abcdef0 has expired"),
        ("capacity-block", -1, None),
        ("capacity-block", 0, "the capacity block cr-0123456789abcdef0 has expired"),
    ],
)
def test_a_reservation_is_over_at_its_end_and_a_capacity_block_half_an_hour_before(
    kind: str, minute: int, words: str | None
):
    lines = ended(kind, datetime(2026, 12, 1, 11, 0, tzinfo=UTC) + timedelta(minutes=minute))
    assert len(lines) == (words is not None)
    assert all(
        line.startswith("gpuNodeGroups.a.capacityReservation.ends: ") and words and words in line for line in lines
    )
