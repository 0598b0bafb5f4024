"""The real Karpenter launches as many nodes as the slices need, for the very manifests that a cluster on AWS gets."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.cluster.doubles.daemons import Role
from rehearsal.cluster.releases import karpenter_environment
from tests.cluster.platform_objects import (
    GPU,
    PLUGIN_NAMESPACE,
    SHARED_GPU,
    TOLERATION,
    config_map,
    node_class,
    node_overlay,
    node_pool,
    plugin,
    plugin_text,
    pod,
    requirement,
)
from tests.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

POOL, TYPE = "burst", "g6.xlarge"
PODS = "/api/v1/namespaces/default/pods"
CLAIMS = "/apis/karpenter.sh/v1/nodeclaims"
NVIDIA_ROLES: tuple[Role, ...] = ("device-plugin", "gpu-feature-discovery", "node-feature-discovery")
DATA = {"exclusive": plugin_text(1), POOL: plugin_text(10)}


def _set_up(
    plane: ControlPlane,
    *,
    rename: bool = False,
    overlay: dict[str, str] | None = None,
    roles: tuple[Role, ...] = NVIDIA_ROLES,
    types: tuple[str, ...] = (TYPE,),
    further: tuple[dict[str, Any], ...] = (),
    settings: dict[str, Any] | None = None,
) -> None:
    """Bring up what a stack with one GPU NodePool brings up, and Karpenter last, as its release does."""
    data = {"exclusive": plugin_text(1), POOL: plugin_text(10, rename=rename)}
    plane.api.create("/api/v1/namespaces", {"metadata": {"name": PLUGIN_NAMESPACE}})
    _install_plugin(plane, data, roles)
    plane.api.create("/apis/karpenter.k8s.aws/v1/ec2nodeclasses", node_class())
    plane.api.create("/apis/karpenter.sh/v1/nodepools", node_pool(POOL, types, further=further))
    if overlay:
        plane.api.create("/apis/karpenter.sh/v1alpha1/nodeoverlays", node_overlay(POOL, types, overlay))
    release = {"settings": {"featureGates": {"nodeOverlay": True}} if settings is None else settings}
    plane.control.start_karpenter(environment=karpenter_environment(release))


def _install_plugin(plane: ControlPlane, data: dict[str, str], roles: tuple[Role, ...] = NVIDIA_ROLES) -> None:
    plane.api.apply(f"/api/v1/namespaces/{PLUGIN_NAMESPACE}/configmaps/configs", config_map(data))
    for role in roles:
        plane.control.apply_daemon(plugin(data, role=role))


def _burst(plane: ControlPlane, count: int, resource: str = GPU, *, prefix: str = "slice", **fields: Any) -> None:
    for index in range(count):
        plane.api.create(PODS, pod(f"{prefix}-{index}", resource, **fields))


def _running(plane: ControlPlane) -> int:
    return len(plane.api.get(PODS, fieldSelector="status.phase=Running")["items"])


def _nodes(plane: ControlPlane) -> dict[str, Any]:
    return {node["metadata"]["name"]: node for node in plane.api.get("/api/v1/nodes")["items"]}


def _claims(plane: ControlPlane) -> int:
    return len(plane.api.get(CLAIMS)["items"])


def test_a_hundred_slices_of_ten_are_ten_nodes(fresh_plane: ControlPlane) -> None:
    _set_up(fresh_plane, overlay={GPU: "10"})
    _burst(fresh_plane, 100)
    eventually(lambda: _running(fresh_plane) == 100)
    assert len(_nodes(fresh_plane)) == _claims(fresh_plane) == 10
    assert {node["status"]["allocatable"][GPU] for node in _nodes(fresh_plane).values()} == {"10"}
    assert sum(part.peak_mib or 0 for part in fresh_plane.control.status()) < 2048


@pytest.mark.full
def test_a_thousand_slices_of_ten_are_a_hundred_nodes(fresh_plane: ControlPlane) -> None:
    _set_up(fresh_plane, overlay={GPU: "10"})
    _burst(fresh_plane, 1000)
    eventually(lambda: _running(fresh_plane) == 1000, seconds=300)
    assert _claims(fresh_plane) == 100


@pytest.mark.full
def test_a_limit_counts_slices_however_many_pods_wait(fresh_plane: ControlPlane) -> None:
    _set_up(fresh_plane, overlay={GPU: "10"})
    limits = {"spec": {"limits": {GPU: "500"}}}
    fresh_plane.api.patch(f"/apis/karpenter.sh/v1/nodepools/{POOL}", limits, content="application/merge-patch+json")
    _burst(fresh_plane, 2000)
    eventually(lambda: _running(fresh_plane) == 500, seconds=300)
    assert _claims(fresh_plane) == 50


def test_without_an_overlay_every_pod_gets_a_node_of_its_own(fresh_plane: ControlPlane) -> None:
    _set_up(fresh_plane)
    _burst(fresh_plane, 30)
    eventually(lambda: _running(fresh_plane) == 30)
    assert _claims(fresh_plane) == 30


def test_a_release_without_the_gate_ignores_overlays_in_silence(fresh_plane: ControlPlane) -> None:
    _set_up(fresh_plane, overlay={GPU: "10"}, settings={})
    _burst(fresh_plane, 3)
    eventually(lambda: _running(fresh_plane) == 3)
    assert _claims(fresh_plane) == 3


def test_removing_the_pool_drains_and_removes_its_nodes(fresh_plane: ControlPlane) -> None:
    _set_up(fresh_plane, overlay={GPU: "10"})
    _burst(fresh_plane, 12)
    eventually(lambda: _running(fresh_plane) == 12)
    fresh_plane.api.delete(f"/apis/karpenter.sh/v1/nodepools/{POOL}", propagationPolicy="Foreground")
    eventually(lambda: not _claims(fresh_plane) and not _nodes(fresh_plane))
    eventually(lambda: fresh_plane.api.find(f"/apis/karpenter.sh/v1/nodepools/{POOL}") is None)


@pytest.mark.full
def test_empty_nodes_are_removed_once_their_pods_are_gone(fresh_plane: ControlPlane) -> None:
    _set_up(fresh_plane, overlay={GPU: "10"})
    soon = {"spec": {"disruption": {"consolidateAfter": "1s"}}}
    fresh_plane.api.patch(f"/apis/karpenter.sh/v1/nodepools/{POOL}", soon, content="application/merge-patch+json")
    _burst(fresh_plane, 11)
    eventually(lambda: _running(fresh_plane) == 11)
    fresh_plane.api.delete(PODS, labelSelector="app=burst")
    eventually(lambda: not _claims(fresh_plane), seconds=300)


def test_pods_that_come_while_nodes_wait_for_their_plugin_are_given_to_those_nodes(fresh_plane: ControlPlane) -> None:
    """As on AWS a new claim counts with its overlaid slices; the stock kwok provider says one GPU, and launches again."""
    plane = fresh_plane
    _set_up(plane, overlay={GPU: "10"}, roles=())
    _burst(plane, 15)
    eventually(lambda: len(_nodes(plane)) == 2)
    _burst(plane, 5, prefix="late")

    def nominated() -> set[str]:
        events = plane.api.get("/api/v1/namespaces/default/events", fieldSelector="reason=Nominated")["items"]
        return {event["involvedObject"]["name"] for event in events}

    eventually(lambda: {f"late-{index}" for index in range(5)} <= nominated())
    assert _running(plane) == 0
    _install_plugin(plane, DATA)
    eventually(lambda: _running(plane) == 20)
    assert _claims(plane) == 2


def test_renamed_slices_scale_by_the_overlay_alone(fresh_plane: ControlPlane) -> None:
    _set_up(fresh_plane, rename=True, overlay={SHARED_GPU: "10", GPU: "0"})
    _burst(fresh_plane, 20, SHARED_GPU, tolerations=(TOLERATION,))
    fresh_plane.api.create(PODS, pod("whole", GPU))
    eventually(lambda: _running(fresh_plane) == 20)
    assert _claims(fresh_plane) == 2
    assert fresh_plane.api.get(f"{PODS}/whole")["status"]["phase"] == "Pending"


def test_a_limit_in_slices_stops_the_burst(fresh_plane: ControlPlane) -> None:
    _set_up(fresh_plane, overlay={GPU: "10"})
    limits = {"spec": {"limits": {GPU: "20"}}}
    fresh_plane.api.patch(f"/apis/karpenter.sh/v1/nodepools/{POOL}", limits, content="application/merge-patch+json")
    _burst(fresh_plane, 35)
    eventually(lambda: _running(fresh_plane) == 20)
    assert _claims(fresh_plane) == 2


def test_pools_may_select_by_labels_that_only_aws_knows(fresh_plane: ControlPlane) -> None:
    only_l4 = requirement("karpenter.k8s.aws/instance-family", "g6")
    one_gpu = requirement("karpenter.k8s.aws/instance-gpu-count", "1")
    types = ("g4dn.xlarge", TYPE, "g6.12xlarge")
    _set_up(fresh_plane, types=types, further=(only_l4, one_gpu))
    _burst(fresh_plane, 2, pool=POOL)
    eventually(lambda: _running(fresh_plane) == 2)
    labels = [node["metadata"]["labels"] for node in _nodes(fresh_plane).values()]
    assert {one["node.kubernetes.io/instance-type"] for one in labels} == {TYPE}
    assert {one["karpenter.k8s.aws/instance-gpu-count"] for one in labels} == {"1"}


def test_an_edit_of_the_replicas_changes_what_nodes_advertise_and_replaces_none(fresh_plane: ControlPlane) -> None:
    plane = fresh_plane
    _set_up(plane, overlay={GPU: "10"})
    _burst(plane, 20)
    eventually(lambda: _running(plane) == 20)
    before = {name: node["metadata"]["uid"] for name, node in _nodes(plane).items()}

    data = {"exclusive": plugin_text(1), POOL: plugin_text(4)}
    _install_plugin(plane, data)
    for role in NVIDIA_ROLES:
        plane.control.wait_rolled_out(plugin(data, role=role), plane.api)
    overlay = "/apis/karpenter.sh/v1alpha1/nodeoverlays"
    plane.api.apply(f"{overlay}/{POOL}", node_overlay(POOL, (TYPE,), {GPU: "4"}))

    def labels() -> set[str]:
        return {node["metadata"]["labels"].get("nvidia.com/gpu.replicas", "") for node in _nodes(plane).values()}

    eventually(lambda: labels() == {"4"})
    assert {node["status"]["allocatable"][GPU] for node in _nodes(plane).values()} == {"4"}
    assert {name: node["metadata"]["uid"] for name, node in _nodes(plane).items()} == before
    # Nobody is evicted: the pods above the new count run until they end.
    assert _running(plane) == 20

    # New nodes hold four.
    _burst(plane, 8, prefix="after")
    eventually(lambda: _running(plane) == 28)
    assert _claims(plane) == 4


def test_karpenter_stops_and_starts_again_and_keeps_its_nodes(fresh_plane: ControlPlane) -> None:
    _set_up(fresh_plane, overlay={GPU: "10"})
    _burst(fresh_plane, 5)
    eventually(lambda: _running(fresh_plane) == 5)
    assert fresh_plane.control.stop_karpenter()
    assert not fresh_plane.control.stop_karpenter()
    fresh_plane.control.start_karpenter()
    _burst(fresh_plane, 10, prefix="more")
    eventually(lambda: _running(fresh_plane) == 15)
    assert _claims(fresh_plane) == 2
