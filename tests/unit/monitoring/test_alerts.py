"""Alerts on Prometheus's own engine: each comes when it should, alone, and a healthy stack is silent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gpu_slices.monitoring.alerts import ALERTS, APPLICATION_XIDS
from gpu_slices.monitoring.rules import rule_groups
from gpu_slices.plan import Plan
from tests.support import promtool
from tests.support.promtool import sample, series
from tests.support.stacks import ROOT, plan_of

Series = dict[str, str]
HOURS = 70
ON = {"monitoring": {"enabled": True, "idleMinutes": 20}}
GROUP = {"l40s": {"instanceType": "g6e.2xlarge", "replicas": 4, "min": 0, "desired": 1, "max": 2}}
BURST = {"burst": {"families": ["g6"], "sizes": ["xlarge"], "gpusPerNode": [1], "maxGpus": 4, "replicas": 10}}
PLAN = plan_of({**ON, "gpuNodeGroups": GROUP, "gpuNodePools": BURST})


def steady(value: float) -> str:
    return f"{value}x{HOURS}"


def node(name: str, *, slices: float = 4, pool: str = "l40s", kind: str = "g6e.2xlarge", **more: str) -> list[Series]:
    labels = {"label_gpu_slices_pool": pool, "label_node_kubernetes_io_instance_type": kind, **more}
    resource = {"resource": "nvidia_com_gpu", "unit": "integer"}
    return [
        series("kube_node_labels", steady(1), node=name, **labels),
        series("kube_node_status_allocatable", steady(slices), node=name, **resource),
        series("kube_node_status_allocatable", steady(7.9), node=name, resource="cpu", unit="core"),
    ]


def gpu(name: str, *, busy: float = 0.5, used: float = 20_000, free: float = 25_000, pods: int = 2) -> list[Series]:
    """A shared GPU as the exporter shows it: the same values once for each pod on it."""
    found = []
    for number in range(pods):
        labels = {"node": name, "gpu": "0", "UUID": "GPU-1", "modelName": "NVIDIA L40S", "vgpu": str(number)}
        labels |= {"exported_namespace": "team", "exported_pod": f"on-{name}-{number}", "pod": "exporter"}
        values = {"FB_USED": used, "FB_FREE": free, "GPU_TEMP": 60, "POWER_USAGE": 200}
        found += [series(f"DCGM_FI_DEV_{field}", steady(value), **labels) for field, value in values.items()]
        found.append(series("DCGM_FI_PROF_GR_ENGINE_ACTIVE", steady(busy), **labels))
    return found


def pod(name: str, on: str = "", *, phase: str = "Running", namespace: str = "team", slices: int = 1) -> list[Series]:
    labels = {"namespace": namespace, "pod": name, "container": "main", "node": on}
    resource = {"resource": "nvidia_com_gpu", "unit": "integer"}
    return [
        series("kube_pod_container_resource_requests", steady(slices), **labels, **resource),
        *(
            series("kube_pod_status_phase", steady(int(one == phase)), namespace=namespace, pod=name, phase=one)
            for one in ("Pending", "Running", "Succeeded")
        ),
    ]


def overlay(ready: float = 1) -> list[Series]:
    return [series("kube_customresource_nodeoverlay_condition", steady(ready), node_overlay="burst", type="Ready")]


HEALTHY = [*node("n1"), *gpu("n1"), *pod("a", "n1"), *pod("b", "n1"), *overlay()]
SPOT = {"label_karpenter_sh_capacity_type": "spot"}
SECOND = {"node": "n2", "pool": "l40s", "instance_type": "g6e.2xlarge", "capacity": "on-demand"}
FIRST = {**SECOND, "node": "n1"}
CARD = {"node": "n1", "gpu": "0", "modelName": "NVIDIA L40S"}

#: What happens → series, minute, the alerts that fire then (name → labels), and nothing else.
SCENARIOS: dict[str, tuple[list[Series], int, list[tuple[str, dict[str, str]]]]] = {
    "a healthy stack is silent": (HEALTHY, 60, []),
    "no node at all is no fault": (overlay(), 60, []),
    "a pod waits for a slice": (
        [*HEALTHY, *pod("c", phase="Pending")],
        12,
        [("GpuSlicesStarved", {"namespace": "team", "resource": "nvidia_com_gpu"})],
    ),
    "a pod that waits for a moment": ([*HEALTHY, *pod("c", phase="Pending")], 8, []),
    "a pod that ended holds nothing and waits for nothing": ([*HEALTHY, *pod("c", phase="Succeeded")], 60, []),
    "memory above nine tenths": (
        [*node("n1"), *gpu("n1", used=41_000, free=4_000), *pod("a", "n1"), *overlay()],
        7,
        [("GpuMemoryNearlyFull", {**CARD, "pool": "l40s", "instance_type": "g6e.2xlarge"})],
    ),
    "an XID of the hardware": (
        [*HEALTHY, series("DCGM_EXP_XID_ERRORS_COUNT", steady(1), **CARD, xid="79", vgpu="0")],
        1,
        [("GpuXidError", {**CARD, "xid": "79"})],
    ),
    "an XID of a program": (
        [*HEALTHY, series("DCGM_EXP_XID_ERRORS_COUNT", steady(1), **CARD, xid="31", vgpu="0")],
        1,
        [("GpuApplicationXidError", {**CARD, "xid": "31"})],
    ),
    "an XID that is over": (
        [*HEALTHY, series("DCGM_EXP_XID_ERRORS_COUNT", steady(0), **CARD, xid="79", vgpu="0")],
        5,
        [],
    ),
    "all nodes there and every slice held": (
        [
            *node("n1"),
            *gpu("n1"),
            *pod("a", "n1", slices=4),
            *node("n2"),
            *gpu("n2"),
            *pod("b", "n2", slices=4),
            *overlay(),
        ],
        17,
        [("GpuPoolAtItsLimit", {"pool": "l40s"})],
    ),
    "every slice held while another node may come": (
        [*node("n1"), *gpu("n1"), *pod("a", "n1", slices=4), *overlay()],
        60,
        [],
    ),
    "a node that advertises nothing": (
        [*HEALTHY, *node("n2", slices=0), *gpu("n2"), *pod("c", "n2")],
        12,
        [("GpuNodeWithoutPlugin", SECOND)],
    ),
    "a slice edit that did not reach a node": (
        [*HEALTHY, *node("n2", slices=10), *gpu("n2"), *pod("c", "n2")],
        32,
        [("GpuNodesDisagree", {"pool": "l40s", "instance_type": "g6e.2xlarge", "resource": "nvidia_com_gpu"})],
    ),
    "an overlay that is not Ready": (
        [one for one in HEALTHY if "nodeoverlay" not in one["series"]] + overlay(0),
        7,
        [("NodeOverlayNotReady", {"node_overlay": "burst"})],
    ),
    "an overlay that is not there": (
        [one for one in HEALTHY if "nodeoverlay" not in one["series"]],
        7,
        [("NodeOverlayNotReady", {"node_overlay": "burst"})],
    ),
    "a node without a GPU pod": ([*HEALTHY, *node("n2"), *gpu("n2")], 22, [("GpuNodeIdle", SECOND)]),
    "a node without a GPU pod for a while": ([*HEALTHY, *node("n2"), *gpu("n2")], 18, []),
    "a node without metrics": (
        [*HEALTHY, *node("n2"), *pod("c", "n2")],
        17,
        [("GpuMetricsMissing", SECOND)],
    ),
}
SEVERITY = {alert.name: alert.severity for alert in ALERTS}


def fires(name: str, labels: dict[str, str]) -> dict[str, Any]:
    return sample("ALERTS", alertname=name, alertstate="firing", severity=SEVERITY[name], **labels)


@promtool.needed
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_right_alert_comes_and_no_other(scenario: str, tmp_path: Path):
    world, minute, expected = SCENARIOS[scenario]
    wanted = {'ALERTS{alertstate="firing"}': [fires(*one) for one in expected]}
    assert promtool.check(rule_groups(PLAN), world, wanted, minute=minute, folder=tmp_path) == ""


def test_every_alert_has_a_scenario():
    fired = {name for _, _, expected in SCENARIOS.values() for name, _ in expected}
    assert fired == {alert.name for alert in ALERTS}


@promtool.needed
def test_the_check_itself_can_fail(tmp_path: Path):
    wanted = {'ALERTS{alertstate="firing"}': [fires("GpuNodeIdle", FIRST)]}
    assert "GpuNodeIdle" in promtool.check(rule_groups(PLAN), HEALTHY, wanted, minute=60, folder=tmp_path)


#: Alert → scenario, and the sentence that a person reads then.
SENTENCES = {
    "GpuNodeIdle": (
        "a node without a GPU pod",
        "n2 of pool l40s has had no GPU pod for 20 minutes, at $2.24208 an hour",
    ),
    "GpuMemoryNearlyFull": (
        "memory above nine tenths",
        "GPU 0 of n1 (l40s) has 91.11% of its memory taken: the next allocation of any pod on it may fail",
    ),
    "GpuSlicesStarved": (
        "a pod waits for a slice",
        "pods of team have waited ten minutes for 1 of nvidia_com_gpu",
    ),
}


@promtool.needed
@pytest.mark.parametrize("name", SENTENCES)
def test_an_alert_says_which_what_and_how_much(name: str, tmp_path: Path):
    scenario, sentence = SENTENCES[name]
    world, minute, ((_, labels),) = SCENARIOS[scenario]
    section = next(alert.section for alert in ALERTS if alert.name == name)
    annotations = {"summary": sentence, "runbook_url": f"docs/monitoring.md#{section}"}
    instance = {"exp_labels": {**labels, "severity": SEVERITY[name]}, "exp_annotations": annotations}
    told = {name: [instance]}
    assert promtool.check(rule_groups(PLAN), world, {}, minute=minute, folder=tmp_path, told=told) == ""


@promtool.needed
def test_a_card_that_two_pods_share_counts_once_and_its_price_is_split_by_slices(tmp_path: Path):
    """g6e.2xlarge costs $2.24208 an hour on demand; the tenant holds two of its four slices."""
    card = {**CARD, "pool": "l40s", "instance_type": "g6e.2xlarge"}
    wanted = {
        "gpu_slices:gpu_busy:ratio": [sample("gpu_slices:gpu_busy:ratio", 0.5, **card)],
        "gpu_slices:gpu_memory_free:bytes": [sample("gpu_slices:gpu_memory_free:bytes", 25_000 * 2**20, **card)],
        "sum(gpu_slices:node_slices)": [{"labels": "{}", "value": 4}],
        "sum(gpu_slices:pod_slices)": [{"labels": "{}", "value": 2}],
        "gpu_slices:node_usd_per_hour": [sample("gpu_slices:node_usd_per_hour", 2.24208, **FIRST)],
        "gpu_slices:namespace_usd_per_hour": [
            sample("gpu_slices:namespace_usd_per_hour", 1.12104, namespace="team", pool="l40s")
        ],
    }
    assert promtool.check(rule_groups(PLAN), HEALTHY, wanted, minute=5, folder=tmp_path) == ""


@promtool.needed
@pytest.mark.parametrize(
    "label", [{"label_karpenter_sh_capacity_type": "spot"}, {"label_eks_amazonaws_com_capacity_type": "SPOT"}]
)
def test_spot_nodes_are_priced_with_the_discount_that_the_stack_assumes(label: dict[str, str], tmp_path: Path):
    plan = plan_of({**ON, "gpuNodeGroups": GROUP, "prices": {"spotDiscountPercent": 50}})
    labels = {**FIRST, "capacity": "spot"}
    wanted = {"gpu_slices:node_usd_per_hour": [sample("gpu_slices:node_usd_per_hour", 1.12104, **labels)]}
    assert promtool.check(rule_groups(plan), node("n1", **label), wanted, minute=5, folder=tmp_path) == ""


@promtool.needed
@pytest.mark.parametrize("resource", ["nvidia_com_gpu_shared", "nvidia_com_mig_1g_10gb"])
def test_a_renamed_resource_and_a_mig_profile_are_slices_like_any_other(resource: str, tmp_path: Path):
    world = [
        {**one, "series": one["series"].replace("nvidia_com_gpu", resource)} for one in [*node("n1"), *pod("a", "n1")]
    ]
    wanted = {
        "sum(gpu_slices:node_slices)": [{"labels": "{}", "value": 4}],
        "sum(gpu_slices:pod_slices)": [{"labels": "{}", "value": 1}],
    }
    assert promtool.check(rule_groups(PLAN), world, wanted, minute=5, folder=tmp_path) == ""


@promtool.needed
def test_each_mig_instance_has_figures_of_its_own(tmp_path: Path):
    """GPU_UTIL is not there for instances; the profiling ratio is."""
    instances = [{**CARD, "GPU_I_ID": str(number), "GPU_I_PROFILE": "1g.10gb"} for number in (1, 2)]
    world = [
        *node("n1"),
        series("DCGM_FI_PROF_GR_ENGINE_ACTIVE", steady(0.25), **instances[0]),
        series("DCGM_FI_PROF_GR_ENGINE_ACTIVE", steady(0.75), **instances[1]),
    ]
    wanted = {
        "gpu_slices:gpu_busy:ratio": [
            sample(
                "gpu_slices:gpu_busy:ratio",
                busy,
                **CARD,
                GPU_I_ID=number,
                pool="l40s",
                instance_type="g6e.2xlarge",
            )
            for number, busy in (("1", 0.25), ("2", 0.75))
        ]
    }
    assert promtool.check(rule_groups(PLAN), world, wanted, minute=5, folder=tmp_path) == ""


def names(plan: Plan) -> set[str]:
    return {rule["alert"] for group in rule_groups(plan) for rule in group["rules"] if "alert" in rule}


def test_a_stack_without_overlays_is_not_asked_for_them():
    assert names(PLAN) - names(plan_of({**ON, "gpuNodeGroups": GROUP})) == {"NodeOverlayNotReady"}


def test_every_alert_leads_to_a_section_that_exists():
    page = (ROOT / "docs" / "monitoring.md").read_text()
    sections = {
        re.sub(r"[^a-z0-9 -]", "", line[3:].lower()).replace(" ", "-") for line in re.findall(r"^## .+", page, re.M)
    }
    for group in rule_groups(plan_of({"monitoring": {"enabled": True, "docsUrl": "https://example.com/docs/"}})):
        for rule in group["rules"]:
            if "alert" in rule:
                address, _, section = rule["annotations"]["runbook_url"].partition("#")
                assert address == "https://example.com/docs/monitoring.md"
                assert section in sections, rule["alert"]


def test_xids_that_programs_cause_are_those_that_the_plugin_ignores():
    page = (ROOT / "docs" / "monitoring.md").read_text()
    assert all(re.search(rf"\b{xid}\b", page) for xid in APPLICATION_XIDS)
