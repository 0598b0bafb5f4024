"""Values of the monitoring charts: on the right nodes, under both GPU stacks, without a CRD that is not there yet."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from gpu_slices.charts import Release, gpu_stack_releases, monitoring_releases, releases
from gpu_slices.charts.dcgm_exporter import counters
from gpu_slices.cloud_refs import placeholders
from gpu_slices.daemons import gpu_node_daemons, system_node_daemons
from gpu_slices.manifests import objects
from gpu_slices.naming import GPU_TOLERATION
from gpu_slices.node_groups import SYSTEM_LABEL
from gpu_slices.quantities import mebibytes, millicores
from gpu_slices.versions import PROMETHEUS
from tests.support.stacks import ROOT, plan_of

GROUP = {"gpuNodeGroups": {"a": {"instanceType": "g6.xlarge", "replicas": 4}}}
POOL = {"gpuNodePools": {"b": {"families": ["g6"], "gpusPerNode": [1], "maxGpus": 2, "replicas": 4}}}
STACKS = ("device-plugin", "gpu-operator")
both = pytest.mark.parametrize("stack", STACKS)


def raw(stack: str, **monitoring: Any) -> dict[str, Any]:
    return {**GROUP, **POOL, "gpuStack": stack, "monitoring": {"enabled": True, **monitoring}}


def named(stack: str, **monitoring: Any) -> dict[str, Release]:
    plan = plan_of(raw(stack, **monitoring))
    return {one.name: one for one in releases(plan, placeholders(plan))}


def prometheus(stack: str, **monitoring: Any) -> Any:
    return named(stack, **monitoring)["kube-prometheus-stack"].values


@both
def test_nothing_of_it_is_there_unless_it_is_enabled(stack: str):
    off = plan_of({**raw(stack), "monitoring": {"retentionDays": 3}})
    assert monitoring_releases(off) == []
    assert not [one for one in objects(off, placeholders(off)) if one["metadata"].get("namespace") == "monitoring"]


def test_the_operator_brings_the_exporter_or_its_own_chart_does_never_both():
    assert "dcgm-exporter" in named("device-plugin")
    assert "dcgm-exporter" not in named("gpu-operator")


@both
def test_the_exporter_names_every_pod_that_holds_a_slice_and_exports_our_counters(stack: str):
    exporter = exporter_values(stack)
    environment = exporter["extraEnv"] if stack == "device-plugin" else exporter["env"]
    assert {"name": "KUBERNETES_VIRTUAL_GPUS", "value": "true"} in environment
    shipped = exporter["customMetrics"] if stack == "device-plugin" else exporter["config"]["data"]
    assert shipped == counters()


def exporter_values(stack: str) -> Any:
    if stack == "device-plugin":
        return named(stack)["dcgm-exporter"].values
    return gpu_stack_releases(plan_of(raw(stack)))[0].values["dcgmExporter"]


def test_the_exporters_own_chart_reaches_tainted_nodes_of_our_pools_and_no_others():
    """Its defaults tolerate no GPU taint and select no node (facts: chart 4.8.2)."""
    values = named("device-plugin")["dcgm-exporter"].values
    assert dict(GPU_TOLERATION) in values["tolerations"]
    (term,) = values["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{"key": "gpu-slices/pool", "operator": "Exists"}]


@both
def test_no_chart_asks_for_a_service_monitor_before_its_crd_is_there(stack: str):
    assert exporter_values(stack)["serviceMonitor"] == {"enabled": False}
    for release in named(stack).values():
        assert release.values.get("serviceMonitor", {}).get("enabled") is not True


@both
def test_prometheus_looks_for_the_exporter_where_it_runs(stack: str):
    (monitor,) = prometheus(stack)["prometheus"]["additionalPodMonitors"]
    namespace, labels = {
        "device-plugin": ("monitoring", {"app.kubernetes.io/name": "dcgm-exporter"}),
        "gpu-operator": ("gpu-operator", {"app": "nvidia-dcgm-exporter"}),
    }[stack]
    assert monitor["namespaceSelector"]["matchNames"] == [namespace]
    assert monitor["selector"]["matchLabels"] == labels
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert endpoint["relabelings"][0]["targetLabel"] == "node"


def test_overlays_are_watched_only_where_karpenter_has_them():
    state = prometheus("device-plugin")["kube-state-metrics"]
    (resource,) = state["customResourceState"]["config"]["spec"]["resources"]
    (rule,) = state["rbac"]["extraRules"]
    assert rule["resources"] == ["nodeoverlays"]
    assert resource["groupVersionKind"]["kind"] == "NodeOverlay"
    alone = plan_of({**GROUP, "monitoring": {"enabled": True}})
    values = monitoring_releases(alone)[0].values
    assert "customResourceState" not in values["kube-state-metrics"]
    assert values["prometheus"]["additionalServiceMonitors"] == []


@both
def test_everything_but_the_exporters_stays_on_system_nodes(stack: str):
    """Karpenter may end its nodes at any time, and GPU nodes are for GPUs."""
    values = prometheus(stack)
    parts = [
        values["alertmanager"]["alertmanagerSpec"],
        values["grafana"],
        values["kube-state-metrics"],
        values["prometheus"]["prometheusSpec"],
        values["prometheusOperator"],
    ]
    assert all(part["nodeSelector"] == {SYSTEM_LABEL: "system"} for part in parts)
    assert all("memory" in part["resources"]["limits"] for part in parts)


@both
def test_the_daemons_that_a_plan_counts_ask_for_what_the_charts_say(stack: str):
    daemons = {one.name: one for one in gpu_node_daemons(plan_of(raw(stack)).settings)}
    exporter = daemons["dcgm-exporter" if stack == "device-plugin" else "nvidia-dcgm-exporter"]
    for daemon, resources in (
        (exporter, exporter_values(stack)["resources"]),
        (daemons["prometheus-node-exporter"], prometheus(stack)["prometheus-node-exporter"]["resources"]),
    ):
        assert daemon.millicpu == millicores(resources["requests"]["cpu"])
        assert daemon.mebibytes == mebibytes(resources["requests"]["memory"])
    assert len(daemons) == len(gpu_node_daemons(plan_of(raw(stack)).settings)), "one pod of each"
    assert daemons["prometheus-node-exporter"] in system_node_daemons(plan_of(raw(stack)).settings)


def test_monitoring_takes_room_on_gpu_nodes_before_any_slice_does():
    group = {"a": {"instanceType": "g4dn.xlarge", "replicas": 40, "podRequests": {"cpu": "10m", "memory": "10Mi"}}}
    on, off = (plan_of({"gpuNodeGroups": group, "monitoring": {"enabled": flag}}).pools[0] for flag in (True, False))
    assert on.shapes[0].bounds.pods == off.shapes[0].bounds.pods - 2
    assert on.shapes[0].bounds.memory < off.shapes[0].bounds.memory


def test_a_slice_edit_changes_nothing_of_monitoring():
    """Prices, limits and overlays' names do not depend on it; tests of the engine hold the whole stack to that."""
    for stack in STACKS:
        plans = [
            plan_of({**raw(stack), "gpuNodeGroups": {"a": {**GROUP["gpuNodeGroups"]["a"], "replicas": replicas}}})
            for replicas in (4, 8)
        ]
        assert monitoring_releases(plans[0]) == monitoring_releases(plans[1])


def test_samples_go_onto_the_volume_that_the_stack_names_and_leave_room_on_it():
    spec = prometheus("device-plugin", storage={"storageClass": "gp3", "sizeGiB": 100}, retentionDays=30)["prometheus"]
    claim = spec["prometheusSpec"]["storageSpec"]["volumeClaimTemplate"]["spec"]
    assert claim["storageClassName"] == "gp3"
    assert claim["resources"]["requests"]["storage"] == "100Gi"
    assert spec["prometheusSpec"]["retentionSize"] == "80GiB"
    assert spec["prometheusSpec"]["retention"] == "30d"
    kept = spec["prometheusSpec"]["persistentVolumeClaimRetentionPolicy"]
    assert kept["whenDeleted"] == "Delete", "a claim that stays bills after destroy"


def test_without_a_volume_samples_cannot_fill_the_nodes_disk():
    spec = prometheus("device-plugin")["prometheus"]["prometheusSpec"]
    assert spec["retentionSize"] == "4GB"
    assert spec["storageSpec"] == {"emptyDir": {"sizeLimit": "6Gi"}}


def test_who_is_told_comes_from_a_secret_and_no_address_stands_in_values():
    spec = prometheus("device-plugin", alertSecret="routes")["alertmanager"]["alertmanagerSpec"]
    assert (spec["useExistingSecret"], spec["configSecret"]) == (True, "routes")
    assert "useExistingSecret" not in prometheus("device-plugin")["alertmanager"]["alertmanagerSpec"]


@both
def test_values_are_what_yaml_can_say(stack: str):
    for release in named(stack).values():
        assert yaml.safe_load(yaml.safe_dump(dict(release.values))) == release.values


def test_rules_are_tested_on_the_prometheus_that_the_chart_installs():
    """Prometheus 3.14.0 is Go module version 0.314.0."""
    major, minor, patch = PROMETHEUS.split(".")
    pinned = (ROOT / "tools" / "promtool" / "go.mod").read_text()
    assert re.search(rf"github\.com/prometheus/prometheus v0\.{major}{minor}\.{patch}\b", pinned)
