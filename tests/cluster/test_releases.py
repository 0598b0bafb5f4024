"""Releases become what their charts would install: names, defaults, and what makes their pods roll."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.cluster.doubles.daemons import Daemon, manifest
from rehearsal.cluster.errors import ClusterError
from rehearsal.cluster.releases import ON_NVIDIA_NODES, installation, karpenter_environment
from tests.cluster.platform_objects import GPU, TAINT, plugin_text
from tests.cluster.waiting import eventually

DATA = {"exclusive": plugin_text(1), "l4": plugin_text(10)}


def _daemons(chart: str, values: dict[str, Any]) -> dict[str, Daemon]:
    return {daemon.role: daemon for daemon in installation(chart, "release", "ns", values).daemons}


def test_the_chart_ships_its_config_map_and_carries_its_checksum() -> None:
    found = installation("nvidia-device-plugin", "nvidia-device-plugin", "ns", {"config": {"map": DATA}})
    plugin, mps = found.daemons
    (config_map,) = found.config_maps
    assert mps.node_selector == {"nvidia.com/mps.capable": "true"}
    assert plugin.name == "nvidia-device-plugin"
    assert config_map["metadata"]["name"] == plugin.config_map == "nvidia-device-plugin-configs"
    edited = {"config": {"map": {**DATA, "l4": plugin_text(4)}}}
    assert plugin.checksum != _daemons("nvidia-device-plugin", edited)["device-plugin"].checksum


def test_a_release_with_another_name_gets_the_charts_name_behind_its_own() -> None:
    assert _daemons("nvidia-device-plugin", {})["device-plugin"].name == "release-nvidia-device-plugin"


def test_without_values_the_charts_defaults_hold() -> None:
    daemons = _daemons("nvidia-device-plugin", {"gfd": {"enabled": True}})
    gpu = ["device-plugin", "gpu-feature-discovery", "mps-control-daemon"]
    assert sorted(daemons) == [*gpu, "node-feature-discovery"]
    # As the second release, for MPS pools, asks for it.
    own = _daemons("nvidia-device-plugin", {"gfd": {"enabled": True}, "nfd": {"enabled": False}})
    assert sorted(own) == gpu
    assert daemons["device-plugin"].affinity == ON_NVIDIA_NODES
    assert [one["operator"] for one in daemons["node-feature-discovery"].tolerations] == ["Equal"]


def test_the_operators_pods_roll_for_a_new_name_and_not_for_new_content() -> None:
    def template(name: str, replicas: int) -> object:
        config = {"create": True, "name": name, "default": "exclusive", "data": {"l4": plugin_text(replicas)}}
        return manifest(_daemons("gpu-operator", {"devicePlugin": {"config": config}})["device-plugin"])["spec"]

    assert template("configs", 10) == template("configs", 4)
    assert template("configs-a1", 10) != template("configs-b2", 10)


def test_data_without_create_is_dropped_as_the_operators_chart_drops_it() -> None:
    config = {"name": "configs", "data": {"l4": plugin_text(2)}}
    assert installation("gpu-operator", "release", "ns", {"devicePlugin": {"config": config}}).config_maps == ()


def test_the_operators_default_mig_strategy_reaches_the_plugin_unless_it_is_emptied() -> None:
    assert _daemons("gpu-operator", {})["device-plugin"].mig_strategy == "single"
    assert _daemons("gpu-operator", {"mig": {"strategy": ""}})["device-plugin"].mig_strategy == ""


def test_karpenter_runs_with_the_gates_of_its_release_and_the_charts_defaults() -> None:
    found = karpenter_environment({"settings": {"featureGates": {"nodeOverlay": True}, "batchMaxDuration": "5s"}})
    assert found["BATCH_MAX_DURATION"] == "5s"
    assert "NodeOverlay=true" in found["FEATURE_GATES"].split(",")
    assert "ReservedCapacity=true" in found["FEATURE_GATES"].split(",")
    assert "NodeOverlay=false" in karpenter_environment({})["FEATURE_GATES"].split(",")


def test_a_chart_without_a_double_is_refused_by_name() -> None:
    with pytest.raises(ClusterError, match="chart grafana has no double"):
        installation("grafana", "g", "ns", {})


@pytest.mark.cluster
@pytest.mark.parametrize("chart", ["nvidia-device-plugin", "gpu-operator"])
def test_a_release_brings_slices_to_the_nodes_and_takes_them_away(fresh_plane: ControlPlane, chart: str) -> None:
    plane, values = fresh_plane, _values(chart)
    if chart == "gpu-operator":
        plane.api.create("/api/v1/namespaces", {"metadata": {"name": "gpus"}})
        metadata = {"name": "configs-a1", "namespace": "gpus"}
        plane.api.create("/api/v1/namespaces/gpus/configmaps", {"metadata": metadata, "data": DATA})
    labels = {"nvidia.com/device-plugin.config": "l4"}
    plane.control.join_nodes("l4", instance_type="g6.12xlarge", count=2, labels=labels, taints=[TAINT])
    daemons = plane.control.install_release(chart, name="release", namespace="gpus", values=values)
    for node in ("l4-0", "l4-1"):
        eventually(lambda node=node: plane.api.get(f"/api/v1/nodes/{node}")["status"]["allocatable"].get(GPU) == "40")
    for daemon in daemons:
        plane.control.wait_rolled_out(daemon, plane.api)
    found = plane.api.get("/api/v1/nodes/l4-0")["metadata"]["labels"]
    assert found["nvidia.com/gpu.replicas"] == "10"
    assert ("nvidia.com/gpu.deploy.device-plugin" in found) == (chart == "gpu-operator")

    plane.control.uninstall_release(chart, name="release", namespace="gpus", values=values)
    eventually(lambda: plane.api.get("/api/v1/nodes/l4-0")["status"]["allocatable"][GPU] == "0")


def _values(chart: str) -> dict[str, Any]:
    toleration = {"key": GPU, "operator": "Exists", "effect": "NoSchedule"}
    if chart == "gpu-operator":
        return {"devicePlugin": {"config": {"name": "configs-a1", "default": "exclusive"}}, "mig": {"strategy": ""}}
    return {
        "config": {"default": "exclusive", "map": DATA},
        "gfd": {"enabled": True},
        "nfd": {"worker": {"tolerations": [toleration]}},
    }
