"""Each warning appears when it should, and not otherwise."""

from __future__ import annotations

from typing import Any

import pytest

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
