"""MPS and MIG pools on a real cluster under the real Karpenter: each scales by its own resource.

What a node advertises follows from the very configs and layouts that the program ships, as in `test_device_plugin.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from gpu_slices.checks.cluster_api import ClusterApi
from gpu_slices.checks.verify import VerifyOptions, verify
from gpu_slices.plan import Plan
from gpu_slices.pool_plan import PoolPlan
from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.rehearse.pods import NAMESPACE, namespace, one_slice_pod
from tests.cluster.shipped import Shipped
from tests.cluster.waiting import eventually
from tests.support.stacks import plan_of, plan_of_stack

pytestmark = pytest.mark.cluster

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
PLUGIN_PODS = "/api/v1/namespaces/nvidia-device-plugin/pods"
MPS = {
    "gpuNodePools": {
        "isolated": {
            "instanceTypes": ["g6.xlarge"],
            "maxGpus": 8,
            "replicas": 8,
            "sharing": {"strategy": "mps", "renameResource": True},
        },
        "shared": {"instanceTypes": ["g5.xlarge"], "maxGpus": 4, "replicas": 10},
    }
}
#: What seed guide 004 meant: 7g.40gb, 4g.20gb and 2g.10gb on one node.
LAYOUT: dict[str, Any] = {
    "gpus": [
        {"count": 2, "profiles": {"7g.40gb": 1}},
        {"count": 6, "profiles": {"4g.20gb": 1, "2g.10gb": 1, "1g.5gb": 1}},
    ]
}
MIG: dict[str, Any] = {
    "gpuStack": "gpu-operator",
    "gpuNodePools": {
        "a100": {
            "instanceTypes": ["p4d.24xlarge"],
            "maxGpus": 24,
            "sharing": {"strategy": "mig", "mig": LAYOUT},
        },
        "h100": {"instanceTypes": ["p5.48xlarge"], "maxGpus": 8},
    },
}
ONE_G, TWO_G, FOUR_G, SEVEN_G = (f"nvidia.com/mig-{name}" for name in ("1g.5gb", "2g.10gb", "4g.20gb", "7g.40gb"))


def shipped_with_karpenter(plane: ControlPlane, raw: dict[str, Any]) -> Shipped:
    shipped = Shipped(plane, plan_of(raw))
    shipped.up()
    shipped.karpenter()
    shipped.api.create("/api/v1/namespaces", namespace())
    return shipped


def burst(shipped: Shipped, pool: str, count: int, resource: str | None = None, *, prefix: str = "one") -> None:
    for index in range(count):
        shipped.api.create(PODS, one_slice_pod(shipped.pool(pool), f"{prefix}-{index}", resource=resource))


def running(shipped: Shipped) -> int:
    return len(shipped.api.get(PODS, fieldSelector="status.phase=Running")["items"])


def nodes(shipped: Shipped, pool: str) -> list[Any]:
    return shipped.api.get("/api/v1/nodes", labelSelector=f"gpu-slices/pool={pool}")["items"]


def usable(pool: PoolPlan, resource: str) -> int:
    (shape,) = pool.shapes
    return next(one.bounds.usable for one in shape.slices if one.resource == resource)


def shown(node: Any) -> dict[str, int]:
    found = node["status"]["allocatable"]
    return {name: int(count) for name, count in found.items() if name.startswith("nvidia.com/") and count != "0"}


def pods_of(shipped: Shipped, daemon: str) -> set[str]:
    found = shipped.api.get(PLUGIN_PODS, labelSelector=f"gpu-slices.rehearsal/daemon={daemon}")["items"]
    return {one["metadata"]["uid"] for one in found}


def test_an_mps_pool_scales_by_its_own_resource_and_an_edit_of_another_pool_leaves_its_daemons(
    fresh_plane: ControlPlane,
) -> None:
    shipped = shipped_with_karpenter(fresh_plane, MPS)
    isolated = shipped.pool("isolated")
    burst(shipped, "isolated", 20)
    burst(shipped, "shared", 5, prefix="shared")
    eventually(lambda: running(shipped) == 25)
    assert isolated.resource == "nvidia.com/gpu.shared"
    assert len(nodes(shipped, "isolated")) == -(-20 // usable(isolated, isolated.resource)) == 3
    assert [shown(one) for one in nodes(shipped, "isolated")] == [{"nvidia.com/gpu.shared": 8}] * 3
    assert [shown(one) for one in nodes(shipped, "shared")] == [{"nvidia.com/gpu": 10}]
    labels = nodes(shipped, "isolated")[0]["metadata"]["labels"]
    assert labels["nvidia.com/gpu.sharing-strategy"] == "mps"

    mps = ("nvidia-device-plugin-mps-mps-control-daemon", "nvidia-device-plugin-mps")
    before = {daemon: pods_of(shipped, daemon) for daemon in mps}
    assert [len(uids) for uids in before.values()] == [3, 3]
    pools = {**MPS["gpuNodePools"], "shared": {**MPS["gpuNodePools"]["shared"], "replicas": 4}}
    shipped.up(plan_of({"gpuNodePools": pools}))
    eventually(lambda: [shown(one) for one in nodes(shipped, "shared")] == [{"nvidia.com/gpu": 4}])
    assert {daemon: pods_of(shipped, daemon) for daemon in mps} == before


def test_a_mig_pool_scales_by_each_of_its_profiles(fresh_plane: ControlPlane) -> None:
    shipped = shipped_with_karpenter(fresh_plane, MIG)
    pool = shipped.pool("a100")
    assert {one.resource: usable(pool, one.resource) for one in pool.shapes[0].slices} == {
        ONE_G: 6,
        TWO_G: 6,
        FOUR_G: 6,
        SEVEN_G: 2,
    }
    burst(shipped, "a100", 13, TWO_G, prefix="two")
    eventually(lambda: running(shipped) == 13)
    assert len(nodes(shipped, "a100")) == -(-13 // 6) == 3
    for node in nodes(shipped, "a100"):
        assert shown(node) == {ONE_G: 6, TWO_G: 6, FOUR_G: 6, SEVEN_G: 2}
        labels = node["metadata"]["labels"]
        assert labels["nvidia.com/mig.config"] == pool.mig_layout
        assert labels["nvidia.com/mig.config.state"] == "success"
        assert labels["nvidia.com/mig-4g.20gb.count"] == "6"
        assert labels["nvidia.com/gpu.count"] == "8"

    # Other profiles of the same nodes are free: no node more.
    burst(shipped, "a100", 6, SEVEN_G, prefix="seven")
    eventually(lambda: running(shipped) == 19)
    assert len(nodes(shipped, "a100")) == 3
    # The pool is at its limit of three nodes, and has no plain GPU at all: neither pod buys a node.
    burst(shipped, "a100", 1, SEVEN_G, prefix="beyond")
    burst(shipped, "a100", 1, "nvidia.com/gpu", prefix="whole")
    burst(shipped, "h100", 1, prefix="h100")
    eventually(lambda: running(shipped) == 20)
    assert {pool.name: len(nodes(shipped, pool.name)) for pool in shipped.plan.pools} == {"a100": 3, "h100": 1}
    assert [shown(one) for one in nodes(shipped, "h100")] == [{"nvidia.com/gpu": 8}]


def test_one_profile_may_pass_for_gpus_and_be_multiplied(fresh_plane: ControlPlane) -> None:
    sharing = {"strategy": "mig", "mig": {"strategy": "single", "profiles": {"1g.10gb": 7}}, "renameResource": True}
    group = {"instanceType": "p5.48xlarge", "replicas": 2, "sharing": sharing}
    shipped = Shipped(fresh_plane, plan_of({"gpuStack": "gpu-operator", "gpuNodeGroups": {"h100": group}}))
    shipped.up()
    shipped.join("h100")
    shipped.shows("h100-0", "nvidia.com/gpu.shared", 8 * 7 * 2)
    labels = fresh_plane.api.get("/api/v1/nodes/h100-0")["metadata"]["labels"]
    assert labels["nvidia.com/gpu.product"] == "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb"
    assert labels["nvidia.com/gpu.count"] == "56"


def test_a_gpu_in_use_is_not_partitioned_otherwise(fresh_plane: ControlPlane) -> None:
    def plan(**profiles: int) -> Plan:
        sharing = {"strategy": "mig", "mig": {"profiles": {name.replace("_", "."): n for name, n in profiles.items()}}}
        group = {"instanceType": "p4d.24xlarge", "sharing": sharing}
        return plan_of({"gpuStack": "gpu-operator", "gpuNodeGroups": {"a100": group}})

    shipped = Shipped(fresh_plane, plan(**{"1g_5gb": 7}))
    shipped.up()
    shipped.join("a100")
    shipped.shows("a100-0", ONE_G, 56)
    shipped.api.create("/api/v1/namespaces", namespace())
    burst(shipped, "a100", 1)
    eventually(lambda: running(shipped) == 1)

    shipped.up(plan(**{"2g_10gb": 3}))
    wanted = shipped.pool("a100").labels["nvidia.com/mig.config"]
    # As EKS does for a node group whose labels were edited.
    shipped.relabel("a100-0", {"nvidia.com/mig.config": wanted})
    eventually(lambda: _state(shipped, "a100-0") == "failed")
    assert shown(shipped.api.get("/api/v1/nodes/a100-0")) == {ONE_G: 56}


def test_verify_fills_mps_slices_and_mig_instances(fresh_plane: ControlPlane) -> None:
    sharing = {"strategy": "mig", "mig": {"profiles": {"3g.20gb": 1, "1g.5gb": 2}}}
    group = {"instanceType": "p4d.24xlarge", "sharing": sharing}
    shipped = Shipped(fresh_plane, plan_of({"gpuStack": "gpu-operator", "gpuNodeGroups": {"a100": group}}))
    shipped.up()
    shipped.join("a100")
    shipped.shows("a100-0", "nvidia.com/mig-3g.20gb", 8)
    found = _verified(shipped)
    assert found["node a100-0, mig-3g.20gb"] == "8 pods on 8 GPUs, at most 1 on one"
    assert found["node a100-0, mig-1g.5gb"] == "16 pods on 16 GPUs, at most 1 on one"


def test_verify_knows_both_releases_of_the_plugin(fresh_plane: ControlPlane) -> None:
    shipped = Shipped(fresh_plane, plan_of_stack("isolation"))
    shipped.up()
    for pool in ("inference", "notebooks"):
        shipped.join(pool)
    shipped.shows("inference-0", "nvidia.com/gpu.shared", 4)
    shipped.shows("notebooks-0", "nvidia.com/gpu", 4)
    assert sorted(_verified(shipped)) == ["node inference-0", "node notebooks-0"]


def _verified(shipped: Shipped) -> dict[str, str]:
    """What `verify` saw of the devices, by node; everything else passed too."""
    pools = tuple(pool.name for pool in shipped.plan.pools)
    options = VerifyOptions(pools=pools, wait=20, settle=2, timeout=60)
    verdict = verify(ClusterApi(kubeconfig=shipped.plane.kubeconfig), shipped.plan, options, lambda *_: None)
    words = [f"{one.check.name} {one.subject}: {one.seen}" for one in verdict.findings if one.outcome == "failed"]
    assert not verdict.failed, words
    return {one.subject: one.seen.partition(" (")[0] for one in verdict.findings if one.check.name == "same-gpu"}


def _state(shipped: Shipped, node: str) -> str:
    return shipped.api.get(f"/api/v1/nodes/{node}")["metadata"]["labels"].get("nvidia.com/mig.config.state", "")
