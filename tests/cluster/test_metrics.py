"""From a real API server by the real kube-state-metrics to Prometheus's own rule engine: series are the plan's numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gpu_slices.charts import monitoring_releases
from gpu_slices.monitoring.rules import rule_groups
from rehearsal.cluster.control_plane import ControlPlane
from tests.cluster.platform_objects import GPU, TOLERATION, pod, requirement
from tests.cluster.shipped import Shipped, plan_of
from tests.cluster.waiting import eventually
from tests.support import promtool, state_metrics
from tests.support.promtool import sample
from tests.support.state_metrics import StateMetrics

pytestmark = [pytest.mark.cluster, promtool.needed, state_metrics.needed]

#: Collectors of the chart's default list that the queries read, and what kube-state-metrics makes of NodeOverlays.
COLLECTORS = ("nodes", "pods", "resourcequotas")
READ = (
    "kube_customresource_nodeoverlay_condition",
    "kube_node_labels",
    "kube_node_status_allocatable",
    "kube_pod_container_resource_requests",
    "kube_pod_status_phase",
)
TENANT, POOL, PODS = "gpu-demo", "burst", 12
OVERLAYS = "/apis/karpenter.sh/v1alpha1/nodeoverlays"


@pytest.fixture(scope="module")
def shipped(programs: None) -> Iterator[Shipped]:
    """Stack karpenter with monitoring: twelve pods on two nodes of ten slices, launched by Karpenter."""
    with ControlPlane.start() as plane:
        one = Shipped(plane, plan_of("karpenter", monitoring={"enabled": True}, gpuNodePools__burst__limits={}))
        one.up()
        one.karpenter()
        for number in range(PODS):
            plane.api.create(f"/api/v1/namespaces/{TENANT}/pods", tenants_pod(f"slice-{number}"))
        running = f"/api/v1/namespaces/{TENANT}/pods"
        eventually(lambda: len(plane.api.get(running, fieldSelector="status.phase=Running")["items"]) == PODS)
        yield one


@pytest.fixture(scope="module")
def exporter(shipped: Shipped, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateMetrics]:
    values = monitoring_releases(shipped.plan)[0].values["kube-state-metrics"]
    folder = tmp_path_factory.mktemp("kube-state-metrics")
    with state_metrics.running(shipped.plane.kubeconfig, values, COLLECTORS, folder) as one:
        eventually(lambda: {name for name in READ if one.samples(name)} == set(READ), seconds=60)
        yield one


def tenants_pod(name: str) -> dict[str, Any]:
    manifest = pod(name, GPU, tolerations=(TOLERATION,))
    security = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    manifest["spec"] |= {"securityContext": security, "nodeSelector": {"gpu-slices/pool": POOL}}
    (container,) = manifest["spec"]["containers"]
    container["securityContext"] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return manifest


def nodes(shipped: Shipped) -> list[dict[str, Any]]:
    found = shipped.api.get("/api/v1/nodes", labelSelector=f"gpu-slices/pool={POOL}")["items"]
    assert found
    return found


def objections(shipped: Shipped, exporter: StateMetrics, expected: Any, folder: Path, minute: int = 5) -> str:
    return promtool.check(rule_groups(shipped.plan), exporter.samples(*READ), expected, minute=minute, folder=folder)


def test_slices_pods_and_money_are_what_the_plan_says(shipped: Shipped, exporter: StateMetrics, tmp_path: Path):
    there = nodes(shipped)
    prices = {shape.instance.name: shape.instance.usd_per_hour or 0.0 for shape in shipped.pool(POOL).shapes}
    types = [node["metadata"]["labels"]["node.kubernetes.io/instance-type"] for node in there]
    assert len(there) == 2, "twelve pods of ten slices a node"
    expected = {
        "sum by (pool) (gpu_slices:node_slices)": [{"labels": f'{{pool="{POOL}"}}', "value": 20}],
        "sum by (namespace, pool) (gpu_slices:pod_slices)": [
            {"labels": f'{{namespace="{TENANT}", pool="{POOL}"}}', "value": PODS}
        ],
        "sum(gpu_slices:node_usd_per_hour)": [{"labels": "{}", "value": round(sum(prices[t] for t in types), 6)}],
        "count by (capacity) (gpu_slices:node)": [{"labels": '{capacity="spot"}', "value": len(there)}],
    }
    assert objections(shipped, exporter, expected, tmp_path) == ""


def test_the_overlay_is_ready_and_no_alert_of_the_cluster_comes(
    shipped: Shipped, exporter: StateMetrics, tmp_path: Path
):
    """There are no GPUs here, so their metrics are missing; nothing else is."""
    expected = {
        'ALERTS{alertstate="firing", alertname!="GpuMetricsMissing"}': [],
        "kube_customresource_nodeoverlay_condition{type='Ready'} * 1": [
            {"labels": _labels(exporter, "Ready"), "value": 1}
        ],
    }
    assert objections(shipped, exporter, expected, tmp_path, minute=60) == ""


def test_a_pod_without_a_node_waits_for_a_slice(shipped: Shipped, exporter: StateMetrics, tmp_path: Path):
    """No node has this label, and no pool brings one."""
    manifest = tenants_pod("waits")
    manifest["spec"]["affinity"] = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [requirement("example.com/nowhere", "yes")]}]
            }
        }
    }
    path = f"/api/v1/namespaces/{TENANT}/pods"
    shipped.api.create(path, manifest)
    try:
        eventually(lambda: 'pod="waits"' in str(exporter.samples("kube_pod_status_phase")))
        labels = {"namespace": TENANT, "resource": "nvidia_com_gpu"}
        starved = sample("ALERTS", alertname="GpuSlicesStarved", alertstate="firing", severity="warning", **labels)
        expected = {'ALERTS{alertstate="firing", alertname!="GpuMetricsMissing"}': [starved]}
        assert objections(shipped, exporter, expected, tmp_path, minute=15) == ""
    finally:
        shipped.api.delete(f"{path}/waits")


def _labels(exporter: StateMetrics, kind: str) -> str:
    (series,) = [
        one["series"]
        for one in exporter.samples("kube_customresource_nodeoverlay_condition")
        if f'type="{kind}"' in one["series"]
    ]
    return series.removeprefix("kube_customresource_nodeoverlay_condition")
