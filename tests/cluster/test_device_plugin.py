"""The device plugin's double: it parses, chooses, advertises, rolls and crashes as the plugin does."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.cluster.doubles.daemons import Daemon
from rehearsal.cluster.errors import ClusterError
from tests.cluster.platform_objects import GPU, PLUGIN_NAMESPACE, SHARED_GPU, TAINT, config_map, plugin, plugin_text
from tests.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

LABEL = "nvidia.com/device-plugin.config"
MAPS = f"/api/v1/namespaces/{PLUGIN_NAMESPACE}/configmaps"


def _ship(plane: ControlPlane, data: dict[str, str], **fields: Any) -> Daemon:
    """Put the release's ConfigMap and DaemonSet on the cluster, as a chart with a checksum annotation does."""
    daemon = plugin(data, **fields)
    if plane.api.find(f"/api/v1/namespaces/{PLUGIN_NAMESPACE}") is None:
        plane.api.create("/api/v1/namespaces", {"metadata": {"name": PLUGIN_NAMESPACE}})
    plane.api.apply(f"{MAPS}/configs", config_map(data))
    plane.control.apply_daemon(daemon)
    return daemon


def _join(plane: ControlPlane, group: str, count: int = 1, **fields: Any) -> None:
    fields = {"instance_type": "g6.xlarge", "labels": {LABEL: group}, "taints": [TAINT], **fields}
    plane.control.join_nodes(group, count=count, **fields)


def _allocatable(plane: ControlPlane, node: str, resource: str = GPU) -> str | None:
    found: str | None = plane.api.get(f"/api/v1/nodes/{node}")["status"].get("allocatable", {}).get(resource)
    return found


def _error(plane: ControlPlane, node: str) -> str:
    machine = plane.control.machines().get(node)
    return machine.error if machine else ""


def _waits_for(plane: ControlPlane) -> str:
    (plugin,) = plane.api.get(f"/api/v1/namespaces/{PLUGIN_NAMESPACE}/pods")["items"]
    (container,) = plugin["status"].get("containerStatuses") or ({},)
    return container.get("state", {}).get("waiting", {}).get("reason", "")


def test_nodes_advertise_the_config_that_their_label_names(fresh_plane: ControlPlane) -> None:
    plane = fresh_plane
    _ship(plane, {"exclusive": plugin_text(1), "l4": plugin_text(10), "renamed": plugin_text(4, rename=True)})
    _join(plane, "l4", instance_type="g6.12xlarge")
    _join(plane, "renamed")
    _join(plane, "plain", labels={})
    plane.control.join_nodes("system", instance_type="t3.large", count=1)
    eventually(lambda: _allocatable(plane, "l4-0") == "40")
    eventually(lambda: _allocatable(plane, "renamed-0", SHARED_GPU) == "4")
    eventually(lambda: _allocatable(plane, "plain-0") == "1")
    assert _allocatable(plane, "renamed-0") is None
    assert _allocatable(plane, "system-0") is None


def test_feature_discovery_labels_what_the_node_shares(fresh_plane: ControlPlane) -> None:
    plane, data = fresh_plane, {"exclusive": plugin_text(1), "l4": plugin_text(10)}
    _ship(plane, data)
    plane.control.apply_daemon(plugin(data, role="gpu-feature-discovery"))
    plane.control.apply_daemon(plugin(data, role="node-feature-discovery"))
    _join(plane, "l4", instance_type="g6.12xlarge")

    def labels() -> dict[str, str]:
        found: dict[str, str] = plane.api.get("/api/v1/nodes/l4-0")["metadata"]["labels"]
        return found if "nvidia.com/gpu.replicas" in found else {}

    found = eventually(labels)
    expected = {
        "nvidia.com/gpu.count": "4",
        "nvidia.com/gpu.replicas": "10",
        "nvidia.com/gpu.product": "NVIDIA-L4-SHARED",
        "nvidia.com/gpu.memory": "22888",
        "nvidia.com/gpu.family": "ada-lovelace",
        "nvidia.com/gpu.sharing-strategy": "time-slicing",
        "nvidia.com/gpu.present": "true",
    }
    assert isinstance(found, dict)
    assert expected.items() <= found.items()
    eventually(lambda: "feature.node.kubernetes.io/pci-10de.present" in labels())


def test_an_edit_lands_when_the_plugin_rolls_and_not_before(fresh_plane: ControlPlane) -> None:
    plane = fresh_plane
    before = {"exclusive": plugin_text(1), "l4": plugin_text(10)}
    _ship(plane, before)
    _join(plane, "l4", count=2)
    eventually(lambda: _allocatable(plane, "l4-0") == "10")
    eventually(lambda: _allocatable(plane, "l4-1") == "10")
    uids = {node["metadata"]["uid"] for node in plane.api.get("/api/v1/nodes")["items"]}

    after = {"exclusive": plugin_text(1), "l4": plugin_text(4)}
    plane.api.apply(f"{MAPS}/configs", config_map(after))
    _join(plane, "l4", count=3)
    # The new node reads the new content; the old ones are a time bomb, as on a cluster.
    eventually(lambda: _allocatable(plane, "l4-2") == "4")
    assert _allocatable(plane, "l4-0") == "10"

    daemon = _ship(plane, after)
    plane.control.wait_rolled_out(daemon, plane.api)
    assert [_allocatable(plane, f"l4-{index}") for index in range(3)] == ["4", "4", "4"]
    assert uids < {node["metadata"]["uid"] for node in plane.api.get("/api/v1/nodes")["items"]}


def test_an_unchanged_release_restarts_nothing(fresh_plane: ControlPlane) -> None:
    plane, data = fresh_plane, {"exclusive": plugin_text(1), "l4": plugin_text(10)}
    daemon = _ship(plane, data)
    _join(plane, "l4")
    eventually(lambda: _allocatable(plane, "l4-0") == "10")
    pods = f"/api/v1/namespaces/{PLUGIN_NAMESPACE}/pods"
    before = {one["metadata"]["uid"] for one in plane.api.get(pods)["items"]}
    _ship(plane, data)
    plane.control.wait_rolled_out(daemon, plane.api)
    assert {one["metadata"]["uid"] for one in plane.api.get(pods)["items"]} == before


def test_a_label_without_a_config_crash_loops_until_the_config_is_there(fresh_plane: ControlPlane) -> None:
    plane, data = fresh_plane, {"exclusive": plugin_text(1)}
    _ship(plane, data)
    _join(plane, "late")
    eventually(lambda: "specified config late does not exist" in _error(plane, "late-0"))
    assert _allocatable(plane, "late-0") is None
    eventually(lambda: _waits_for(plane) == "CrashLoopBackOff")

    plane.api.apply(f"{MAPS}/configs", config_map({**data, "late": plugin_text(2)}))
    eventually(lambda: _allocatable(plane, "late-0") == "2")
    assert _error(plane, "late-0") == ""


def test_a_config_that_the_parser_refuses_stalls_the_rollout_and_spares_the_other_nodes(
    fresh_plane: ControlPlane,
) -> None:
    plane = fresh_plane
    good = {"exclusive": plugin_text(1), "l4": plugin_text(10)}
    _ship(plane, good)
    _join(plane, "l4", count=3)
    for index in range(3):
        eventually(lambda index=index: _allocatable(plane, f"l4-{index}") == "10")

    broken = _ship(plane, {**good, "l4": plugin_text(10).replace("10", '"10"')})
    with pytest.raises(ClusterError, match=r"not rolled out .* cannot unmarshal string"):
        plane.control.wait_rolled_out(broken, plane.api, seconds=6)
    # maxUnavailable is one node where the release says nothing else.
    assert sorted(str(_allocatable(plane, f"l4-{index}")) for index in range(3)) == ["0", "10", "10"]

    mended = _ship(plane, {**good, "l4": plugin_text(5)})
    plane.control.wait_rolled_out(mended, plane.api)
    assert [_allocatable(plane, f"l4-{index}") for index in range(3)] == ["5", "5", "5"]


def test_a_plugin_that_does_not_tolerate_the_taint_runs_nowhere(fresh_plane: ControlPlane) -> None:
    plane, data = fresh_plane, {"exclusive": plugin_text(1)}
    daemon = _ship(plane, data, tolerations=())
    _join(plane, "tainted", labels={})
    _join(plane, "free", labels={}, taints=[])
    eventually(lambda: _allocatable(plane, "free-0") == "1")
    assert plane.api.get(daemon.path)["status"]["desiredNumberScheduled"] == 1
    assert _allocatable(plane, "tainted-0") is None


def test_a_removed_plugin_leaves_nothing_to_allocate(fresh_plane: ControlPlane) -> None:
    plane, data = fresh_plane, {"exclusive": plugin_text(1), "l4": plugin_text(10)}
    daemon = _ship(plane, data)
    _join(plane, "l4")
    eventually(lambda: _allocatable(plane, "l4-0") == "10")
    plane.control.remove_daemon(daemon)
    eventually(lambda: _allocatable(plane, "l4-0") == "0")


def test_renaming_the_resource_leaves_the_old_one_at_zero(fresh_plane: ControlPlane) -> None:
    plane = fresh_plane
    _ship(plane, {"exclusive": plugin_text(1), "l4": plugin_text(10)})
    _join(plane, "l4")
    eventually(lambda: _allocatable(plane, "l4-0") == "10")
    _ship(plane, {"exclusive": plugin_text(1), "l4": plugin_text(10, rename=True)})
    eventually(lambda: _allocatable(plane, "l4-0", SHARED_GPU) == "10")
    assert _allocatable(plane, "l4-0") == "0"
