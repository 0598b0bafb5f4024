"""What may go wrong on a real cluster: refusals, removed pools, killed parts, and nodes that nobody needs any more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from engine import EngineError
from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.cluster.errors import ClusterError
from rehearsal.rehearse.settings import pool_of
from tests.cluster.rehearsed import Rehearsed, rehearsed
from tests.cluster.waiting import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.engine, pytest.mark.usefixtures("programs")]

POLICIES = "/apis/admissionregistration.k8s.io/v1"
RELEASES = "/api/v1/secrets"


def two_groups() -> Mapping[str, Any]:
    """Two GPU node groups under the stand-alone plugin."""
    group = {"instanceType": "g6.xlarge", "replicas": 4, "max": 2, "desired": 2}
    return {
        "aws:region": "us-west-2",
        "gpuStack": "device-plugin",
        "gpuNodeGroups": {"a": group, "b": group},
        "tenants": {"team": {"pools": ["a"], "slices": 4}},
    }


def forbid(plane: ControlPlane, kind: str, words: str) -> None:
    """A policy of the organisation that owns the cluster, about a kind of the core group."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [kind]}
    ours = "!object.metadata.?labels['app.kubernetes.io/managed-by'].orValue('').startsWith('gpu-slices')"
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": ours, "message": words}],
    }
    plane.api.create(f"{POLICIES}/validatingadmissionpolicies", {"metadata": {"name": "owner"}, "spec": spec})
    binding = {"metadata": {"name": "owner"}, "spec": {"policyName": "owner", "validationActions": ["Deny"]}}
    plane.api.create(f"{POLICIES}/validatingadmissionpolicybindings", binding)


def refuses(plane: ControlPlane, path: str, body: Mapping[str, Any]) -> bool:
    """Whether the policy is in force."""
    try:
        plane.api.call("POST", path, body, dryRun="All")
    except ClusterError:
        return True
    return False


def release_names(plane: ControlPlane) -> set[str]:
    label = "gpu-slices.rehearsal/release"
    return {one["metadata"]["labels"][label] for one in plane.api.get(RELEASES, labelSelector=label)["items"]}


def slices(world: Rehearsed, group: str) -> set[str]:
    nodes = world.plane.api.get("/api/v1/nodes", labelSelector=f"gpu-slices/pool={group}")["items"]
    return {node["status"].get("allocatable", {}).get("nvidia.com/gpu", "") for node in nodes}


def test_forty_pods_are_four_nodes_and_none_are_left_when_the_pods_are_gone() -> None:
    with rehearsed("karpenter") as world:
        assert world.plane.api.find("/apis/karpenter.sh/v1/nodepools") is None  # Karpenter's charts bring its kinds
        world.stage.edit("gpuNodePools.burst.consolidation", {"after": "2s"})
        world.stage.up()
        pool, sender = world.bursts("burst")
        burst = sender.burst(pool_of(world.plan, "burst"), 40, lambda: 40)
        assert (burst.running, burst.launched) == (40, 4)
        sender.clear()
        eventually(lambda: not pool.nodes() and not pool.claims_now())


def test_a_removed_pool_blocks_no_update_although_its_nodes_still_name_it() -> None:
    with rehearsed("two", two_groups()) as world:
        world.stage.up()
        assert slices(world, "a") == slices(world, "b") == {"4"}
        world.stage.edit("gpuNodeGroups", {"a": {"instanceType": "g6.xlarge", "replicas": 6, "max": 2, "desired": 2}})
        world.stage.up()
        eventually(lambda: slices(world, "a") == {"6"})
        assert slices(world, "b") == set()


@pytest.mark.full
def test_a_node_group_grows_and_shrinks_with_its_desired_nodes() -> None:
    with rehearsed("two", two_groups()) as world:
        world.stage.up()
        for desired in (1, 2):
            world.stage.edit("gpuNodeGroups.b.desired", desired)
            world.stage.up()
            nodes = world.plane.api.get("/api/v1/nodes", labelSelector="gpu-slices/pool=b")["items"]
            assert len(nodes) == desired
            taint = {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}
            assert all(taint in node["spec"]["taints"] for node in nodes)


def test_a_refusal_of_the_api_server_reaches_the_user_as_one_clear_line() -> None:
    with rehearsed("two", two_groups()) as world:
        forbid(world.plane, "resourcequotas", "quotas are the platform team's")
        quota = {"metadata": {"name": "q", "labels": {"app.kubernetes.io/managed-by": "gpu-slices"}}, "spec": {}}
        eventually(lambda: refuses(world.plane, "/api/v1/namespaces/default/resourcequotas", quota))
        with pytest.raises(EngineError) as failed:
            world.stage.up()
        (line,) = str(failed.value).splitlines()
        assert "ResourceQuota" in line
        assert "quotas are the platform team's" in line
        assert "Traceback" not in line


def up_while(world: Rehearsed, moment: Callable[[], object], act: Callable[[], object]) -> str:
    """`up`, with something done to the cluster at a moment of it; what failed, or nothing."""
    failed: list[str] = []

    def up() -> None:
        try:
            world.stage.up()
        except EngineError as error:
            failed.append(str(error))

    # The engine's SDK runs the program on the main thread's loop, so the disturbance takes the other thread.
    def disturb() -> None:
        eventually(moment)
        act()

    thread = threading.Thread(target=disturb, daemon=True)
    thread.start()
    up()
    thread.join()
    return "\n".join(failed)


def test_a_killed_api_server_in_the_middle_of_up_fails_it_and_the_next_up_converges() -> None:
    with rehearsed("two", two_groups()) as world:
        control = world.plane.control
        words = up_while(
            world,
            lambda: world.plane.api.find("/api/v1/namespaces/nvidia-device-plugin"),
            lambda: control.kill_part("kube-apiserver"),
        )
        assert "unreachable" in words or "cannot be reached" in words, words
        assert "Traceback" not in words
        control.start_part("kube-apiserver")
        eventually(world.plane.api.is_ready)
        world.stage.up()
        eventually(lambda: slices(world, "a") == slices(world, "b") == {"4"})
        world.stage.destroy()
        eventually(lambda: not world.left())


def test_a_killed_karpenter_in_the_middle_of_up_comes_back_and_the_next_up_converges() -> None:
    with rehearsed("karpenter") as world:
        control = world.plane.control
        up_while(
            world,
            lambda: "karpenter" in release_names(world.plane),
            lambda: control.kill_part("karpenter"),
        )
        control.start_part("karpenter")  # as its Deployment does
        world.stage.up()
        _, sender = world.bursts("burst")
        burst = sender.burst(pool_of(world.plan, "burst"), 20, lambda: 20)
        assert (burst.running, burst.launched) == (20, 2)
        sender.end()
        world.stage.destroy()
        eventually(lambda: not world.left())
