"""A healthy cluster passes every rule; each way of being ill is found, with its cause."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from gpu_slices.checks import preflight
from gpu_slices.checks.probe_pods import node_probes, probe_pod
from gpu_slices.checks.probe_rules import ProbeResult, judge_probes
from gpu_slices.checks.rules import COMPLAINTS, PLATFORM, judge, rows
from gpu_slices.checks.snapshot import (
    Condition,
    Event,
    HelmRelease,
    NodeClaim,
    Requirement,
    Resources,
    Snapshot,
    Taint,
    Workload,
)
from gpu_slices.checks.table import Finding
from gpu_slices.checks.view import View
from gpu_slices.report.findings import findings_junit, findings_text
from gpu_slices.report.troubleshooting import troubleshooting_page
from rehearsal.project import ROOT
from tests.support.stacks import STACKS
from tests.unit.checks.healthy import healthy, plan_of, plugin_pod, slice_pod

DEV, KARPENTER, COST = plan_of("dev"), plan_of("karpenter"), plan_of("cost")
OVERLAY = "karpenter.sh/nodepool"


def _wrong(plan: Any, snapshot: Snapshot) -> set[tuple[str, str]]:
    found = judge(View(plan, snapshot), (*PLATFORM, *COMPLAINTS))
    return {(one.check.name, one.cause.name) for one in found if one.cause and one.outcome in ("failed", "warned")}


@pytest.mark.parametrize("stack", STACKS)
def test_a_healthy_cluster_fails_nothing(stack: str) -> None:
    plan = plan_of(stack)
    found = [one for one in judge(View(plan, healthy(plan)), PLATFORM) if one.outcome in ("failed", "warned")]
    assert found == []


def _node(snapshot: Snapshot, **fields: Any) -> Snapshot:
    return replace(snapshot, nodes=(replace(snapshot.nodes[0], **fields), *snapshot.nodes[1:]))


def _labels(snapshot: Snapshot, **labels: str | None) -> Snapshot:
    known = {"config": "nvidia.com/device-plugin.config", "replicas": "nvidia.com/gpu.replicas"}
    merged = {
        **snapshot.nodes[0].labels,
        **{known.get(key, f"nvidia.com/gpu.{key}"): one for key, one in labels.items()},
    }
    return _node(snapshot, labels={key: one for key, one in merged.items() if one is not None})


def _shows(snapshot: Snapshot, count: int, name: str = "nvidia.com/gpu", capacity: int | None = None) -> Snapshot:
    allocatable = replace(snapshot.nodes[0].allocatable, extended={name: count})
    return _node(snapshot, allocatable=allocatable, capacity={name: count if capacity is None else capacity})


def _plugin(snapshot: Snapshot, **fields: Any) -> Snapshot:
    return replace(snapshot, workloads=(replace(snapshot.workloads[0], **fields), *snapshot.workloads[1:]))


def _pods(snapshot: Snapshot, *pods: Any) -> Snapshot:
    return replace(snapshot, pods=(*snapshot.pods, *pods))


def _crash(snapshot: Snapshot, words: str) -> Snapshot:
    pod = plugin_pod(DEV, "l40s0", ready=False, waiting=(f"ctr: CrashLoopBackOff: {words}",))
    return replace(_shows(snapshot, 0), pods=(pod,))


def _taint(snapshot: Snapshot) -> Snapshot:
    taints = (*snapshot.nodes[0].taints, Taint(key="team", value="a", effect="NoSchedule"))
    return replace(_node(_shows(snapshot, 0), taints=taints), pods=())


def _configs(snapshot: Snapshot, change: Callable[[dict[str, str]], dict[str, str]]) -> Snapshot:
    first = snapshot.config_maps[0]
    return replace(snapshot, config_maps=(replace(first, data=change(dict(first.data))),))


def _condition(snapshot: Snapshot, type_: str, status: str) -> Snapshot:
    return _node(snapshot, conditions=(*snapshot.nodes[0].conditions, Condition(type=type_, status=status)))


def _event(snapshot: Snapshot, reason: str, message: str, kind: str = "Pod") -> Snapshot:
    return replace(snapshot, events=(Event(kind=kind, namespace="ns", name="p", reason=reason, message=message),))


def _waiting(words: str, **fields: Any) -> Callable[[Snapshot], Snapshot]:
    return lambda one: _pods(one, slice_pod(unscheduled=words, **fields))


def _asks(count: int, name: str = "nvidia.com/gpu") -> Resources:
    return Resources(pods=1, extended={name: count})


def _broken(text: str) -> Workload:
    return Workload(kind="Deployment", namespace="kube-system", name=text, wanted=2, updated=2, available=0)


NO_LABEL = {"config": None}
ILL: list[tuple[str, str, Callable[[Snapshot], Snapshot]]] = [
    ("slices", "plugin-not-restarted", lambda one: _labels(_shows(one, 4), replicas="4")),
    ("slices", "config-label-missing", lambda one: _labels(_shows(one, 1), **NO_LABEL)),
    ("slices", "no-default-config", lambda one: _plugin(_labels(_shows(one, 1), **NO_LABEL), environment={})),
    ("slices", "config-label-differs", lambda one: _labels(_shows(one, 1), config="exclusive")),
    ("slices", "config-key-unknown", lambda one: _labels(_shows(one, 0), config="lost")),
    ("slices", "plugin-not-tolerating", _taint),
    ("slices", "plugin-absent", lambda one: replace(_shows(one, 0), pods=())),
    ("slices", "plugin-crashing", lambda one: _crash(one, "boom")),
    ("slices", "config-differs", lambda one: _configs(_shows(one, 1), lambda data: {**data, "l40s": "version: v1\n"})),
    ("slices", "resource-renamed", lambda one: _shows(one, 10, "nvidia.com/gpu.shared")),
    ("slices", "gpu-unhealthy", lambda one: _shows(one, 0, capacity=10)),
    ("slices", "count-differs", lambda one: _shows(one, 0)),
    ("gpu-model", "gpu-differs", lambda one: _labels(one, product="NVIDIA-L4-SHARED")),
    ("gpu-model", "gpu-differs", lambda one: _labels(one, memory="22888")),
    ("gpu-model", "no-gpu-labels", lambda one: _labels(one, product=None)),
    (
        "gpu-model",
        "type-not-in-pool",
        lambda one: _node(one, labels={**one.nodes[0].labels, "node.kubernetes.io/instance-type": "g5.xlarge"}),
    ),
    ("nodes-ready", "too-few-nodes", lambda one: replace(one, nodes=())),
    ("nodes-ready", "not-ready", lambda one: _node(one, conditions=())),
    ("nodes-ready", "cordoned", lambda one: _node(one, schedulable=False)),
    ("taints", "foreign-taint", _taint),
    ("releases", "release-pending", lambda one: replace(one, releases=(_release("pending-upgrade"),))),
    ("releases", "release-failed", lambda one: replace(one, releases=(_release("failed"),))),
    ("system", "pods-unavailable", lambda one: replace(one, workloads=(*one.workloads, _broken("coredns")))),
    ("device-plugin", "plugin-missing", lambda one: replace(one, workloads=())),
    ("device-plugin", "config-key-unknown", lambda one: _crash(one, "specified config lost does not exist")),
    ("device-plugin", "config-refused", lambda one: _crash(one, "cannot unmarshal string")),
    ("device-plugin", "driver-missing", lambda one: _crash(one, "could not load NVML library")),
    ("device-plugin", "plugin-crashing", lambda one: _crash(one, "boom")),
    ("device-plugin", "rollout-unfinished", lambda one: _plugin(one, available=0)),
    (
        "device-plugin",
        "second-plugin",
        lambda one: replace(one, workloads=(*one.workloads, replace(one.workloads[0], namespace="kube-system"))),
    ),
    ("plugin-config", "no-default-config", lambda one: _plugin(one, environment={})),
    ("plugin-config", "config-map-missing", lambda one: replace(one, config_maps=())),
    ("plugin-config", "config-key-missing", lambda one: _configs(one, lambda data: {"l40s": data["l40s"]})),
    ("plugin-config", "config-differs", lambda one: _configs(one, lambda data: {**data, "l40s": "version: v1\n"})),
    ("quota", "quota-too-small", lambda one: replace(one, quotas=(_quota(one, "3"),))),
    ("quota", "quota-too-large", lambda one: replace(one, quotas=(_quota(one, "30"),))),
    ("quota", "quota-missing", lambda one: replace(one, quotas=())),
    ("quota", "quota-used-up", lambda one: replace(one, quotas=(replace(one.quotas[0], used=one.quotas[0].hard),))),
    ("pending-pods", "taint-not-tolerated", _waiting("untolerated taint", tolerations=())),
    ("pending-pods", "resource-not-offered", _waiting("", requests=_asks(1, "nvidia.com/gpu.shared"))),
    ("pending-pods", "more-than-a-node", _waiting("", requests=_asks(11))),
    ("pending-pods", "slices-taken", _waiting("0/1 nodes: 1 Insufficient nvidia.com/gpu")),
    ("pending-pods", "cpu-or-memory", _waiting("0/1 nodes: 1 Insufficient cpu")),
    ("pending-pods", "selector-unmatched", _waiting("", node_selector={"gpu-slices/pool": "other"})),
    ("pending-pods", "unscheduled", _waiting("something else")),
    ("memory", "host-memory", lambda one: _pods(one, slice_pod("l40s0", ended=("main: OOMKilled",), restarts=1))),
    ("memory", "gpu-memory-shared", lambda one: _pods(one, slice_pod("l40s0", ended=("main: Error",), restarts=3))),
    ("admission", "plugin-restarted", lambda one: _pods(one, slice_pod("l40s0", **REFUSED))),
    ("admission", "more-than-one-slice", lambda one: _pods(one, slice_pod("l40s0", **REFUSED, requests=_asks(2)))),
    (
        "visible-devices",
        "gpu-without-slice",
        lambda one: _pods(one, slice_pod("l40s0", requests=Resources(pods=1), visible_devices=True)),
    ),
    ("bottleneck", "cpu-exhausted", lambda one: _pods(one, slice_pod("l40s0", requests=Resources(millicpu=7910)))),
    ("bottleneck", "memory-exhausted", lambda one: _pods(one, slice_pod("l40s0", requests=Resources(mebibytes=99999)))),
    ("network", "no-addresses", lambda one: _event(one, "FailedCreatePodSandBox", "failed to assign an IP address")),
    ("network", "sandbox", lambda one: _event(one, "NetworkNotReady", "cni plugin not initialized")),
    ("network", "image", lambda one: _event(one, "Failed", "Failed to pull image x")),
    ("pressure", "disk-full", lambda one: _condition(one, "DiskPressure", "True")),
    ("pressure", "memory-short", lambda one: _condition(one, "MemoryPressure", "True")),
    ("spot", "spot-interrupted", lambda one: _event(one, "SpotInterrupted", "spot interruption warning", "Node")),
    ("idle", "idle-node", lambda one: one),
    ("metrics", "no-virtual-gpus", lambda one: replace(one, workloads=(*one.workloads, _exporter(one)))),
    ("plugin-version", "avoid-version", lambda one: _plugin(one, images=("nvcr.io/nvidia/k8s-device-plugin:v0.19.1",))),
]
REFUSED = {"phase": "Failed", "reason": "UnexpectedAdmissionError"}


def _release(status: str) -> HelmRelease:
    return HelmRelease(namespace="gpu-operator", name="gpu-operator", revision=2, status=status)


def _quota(snapshot: Snapshot, count: str) -> Any:
    return replace(snapshot.quotas[0], hard={"requests.nvidia.com/gpu": count})


def _exporter(snapshot: Snapshot) -> Workload:
    return replace(snapshot.workloads[0], name="nvidia-dcgm-exporter", environment={})


@pytest.mark.parametrize(("check", "cause", "make_ill"), ILL, ids=[f"{check}: {cause}" for check, cause, _ in ILL])
def test_a_cluster_that_is_ill_gets_the_cause(check: str, cause: str, make_ill: Callable[[Snapshot], Snapshot]) -> None:
    assert (check, cause) in _wrong(DEV, make_ill(healthy(DEV)))


def _overlays(snapshot: Snapshot, **fields: Any) -> Snapshot:
    return replace(snapshot, overlays=(replace(snapshot.overlays[0], **fields),))


def _foreign(snapshot: Snapshot, *requirements: Requirement) -> Snapshot:
    more = replace(snapshot.overlays[0], name="foreign", requirements=requirements)
    return replace(snapshot, overlays=(*snapshot.overlays, more))


def _claim(*done: str) -> NodeClaim:
    conditions = tuple(Condition(type=one, status="True") for one in done)
    return NodeClaim(name="c", node_pool="burst", node="", instance_type="g5.2xlarge", conditions=conditions)


NOT_READY = (Condition(type="Ready", status="False", message="conflict"),)
KARPENTER_ILL: list[tuple[str, str, Callable[[Snapshot], Snapshot]]] = [
    ("overlays", "overlay-absent", lambda one: replace(one, overlays=())),
    ("overlays", "overlay-differs", lambda one: _overlays(one, capacity={"nvidia.com/gpu": "4"})),
    ("overlays", "overlay-not-ready", lambda one: _overlays(one, conditions=NOT_READY)),
    ("overlays", "overlay-foreign", _foreign),
    ("node-pools", "node-pool-absent", lambda one: replace(one, node_pools=())),
    ("node-pools", "node-pool-not-ready", lambda one: _node_pools(one, conditions=NOT_READY)),
    ("node-pools", "karpenter-silent", lambda one: _node_pools(one, conditions=())),
    ("node-pools", "limit-reached", lambda one: _node_pools(one, resources={"cpu": "10"})),
    ("node-claims", "not-launched", lambda one: replace(one, node_claims=(_claim(),))),
    ("node-claims", "not-registered", lambda one: replace(one, node_claims=(_claim("Launched"),))),
    ("node-claims", "not-initialized", lambda one: replace(one, node_claims=(_claim("Launched", "Registered"),))),
]


def _node_pools(snapshot: Snapshot, **fields: Any) -> Snapshot:
    return replace(snapshot, node_pools=tuple(replace(one, **fields) for one in snapshot.node_pools))


@pytest.mark.parametrize(
    ("check", "cause", "make_ill"), KARPENTER_ILL, ids=[f"{check}: {cause}" for check, cause, _ in KARPENTER_ILL]
)
def test_a_karpenter_that_is_misled_gets_the_cause(
    check: str, cause: str, make_ill: Callable[[Snapshot], Snapshot]
) -> None:
    assert (check, cause) in _wrong(KARPENTER, make_ill(healthy(KARPENTER)))


def _a100(snapshot: Snapshot, **labels: str) -> Snapshot:
    """The MIG node of stack cost before it is partitioned: it still shows whole GPUs."""
    wanted = {**snapshot.nodes[0].labels, **{f"nvidia.com/mig.config{key}": one for key, one in labels.items()}}
    return _shows(_node(snapshot, labels=wanted), 8)


MIG_ILL: list[tuple[str, str, Callable[[Snapshot], Snapshot]]] = [
    ("slices", "mig-layout-differs", lambda one: _a100(one, **{"": "a100-0123456789"})),
    ("slices", "mig-not-partitioned", lambda one: _a100(one, **{".state": "failed"})),
]


@pytest.mark.parametrize(("check", "cause", "make_ill"), MIG_ILL, ids=[cause for _, cause, _ in MIG_ILL])
def test_gpus_that_are_not_partitioned_as_planned_get_the_cause(
    check: str, cause: str, make_ill: Callable[[Snapshot], Snapshot]
) -> None:
    assert (check, cause) in _wrong(COST, make_ill(healthy(COST)))


def test_an_overlay_of_other_types_or_of_a_named_pool_is_nobodys_trouble() -> None:
    for requirement in (
        Requirement(key="node.kubernetes.io/instance-type", operator="In", values=("p5.48xlarge",)),
        Requirement(key=OVERLAY, operator="In", values=("other",)),
    ):
        assert not any(check == "overlays" for check, _ in _wrong(KARPENTER, _foreign(healthy(KARPENTER), requirement)))


def test_nodes_that_were_there_before_the_stack_are_named_with_what_labels_them() -> None:
    plan = plan_of("adopt")
    well = healthy(plan)
    bare = tuple(
        replace(node, labels={"node.kubernetes.io/instance-type": "p3.8xlarge"}) if node.name == "v1000" else node
        for node in well.nodes
    )
    found = [
        one
        for one in judge(View(plan, replace(well, nodes=bare)), PLATFORM)
        if one.cause and one.subject == "pool v100"
    ]
    assert [one.cause.name for one in found if one.cause] == ["nodes-unlabelled"]
    assert found[0].seen == "0 of 1 nodes"
    assert found[0].remedy == (
        "kubectl label node v1000 gpu-slices/pool=v100 nvidia.com/device-plugin.config=v100 nvidia.com/gpu.present=true"
    )


def test_every_cause_of_the_table_is_shown_to_be_found() -> None:
    shown = {(check, cause) for check, cause, _ in (*ILL, *KARPENTER_ILL, *MIG_ILL)} | {
        (one, two) for one, two, _ in PROBES
    }
    shown.add(("nodes-ready", "nodes-unlabelled"))
    table = {(row.name, cause.name) for row in rows() for cause in row.causes}
    assert table - shown == set()


def _result(**fields: Any) -> ProbeResult:
    (probe,) = node_probes(View(DEV, healthy(DEV)), ("l40s",))
    pods = tuple(slice_pod("l40s0", name=f"n{index}") for index in range(probe.pods))
    one = ("GPU-a",)
    made = ProbeResult(probe=probe, pods=pods, devices=(one,) * len(pods), shown=10, two=slice_pod("l40s0", **REFUSED))
    return replace(made, **fields)


def _with(**fields: Any) -> ProbeResult:
    result = _result()
    return replace(result, pods=(replace(result.pods[0], phase="Pending", **fields), *result.pods[1:]))


PROBES: list[tuple[str, str, Callable[[], ProbeResult]]] = [
    ("slices-at-once", "quota-too-small", lambda: _result(pods=(), refusal="forbidden: exceeded quota: gpu-slices")),
    ("slices-at-once", "refused", lambda: _result(pods=(), refusal="denied by policy")),
    ("slices-at-once", "plugin-unready", lambda: _with(reason="UnexpectedAdmissionError")),
    ("slices-at-once", "image-not-pulled", lambda: _with(waiting=("probe: ErrImagePull",))),
    ("slices-at-once", "unscheduled", lambda: _with(unscheduled="Insufficient nvidia.com/gpu")),
    ("slices-at-once", "not-running", _with),
    ("slices-at-once", "short-of-room", lambda: _result(probe=replace(_result().probe, pods=5, short_of="pods"))),
    ("same-gpu", "sees-all-gpus", lambda: _result(devices=(("GPU-a", "GPU-b"),) * 10)),
    ("same-gpu", "no-gpu-seen", lambda: _result(devices=((),) * 10)),
    ("same-gpu", "spread-differs", lambda: _result(devices=(("GPU-a",),) * 9 + (("GPU-b",),))),
    ("same-gpu", "logs-unavailable", lambda: _result(devices=(None,) * 10)),
    ("allocatable-constant", "allocatable-moved", lambda: _result(shown=0)),
    ("two-slices", "two-accepted", lambda: _result(two=slice_pod("l40s0"))),
    ("two-slices", "two-undecided", lambda: _result(two=slice_pod("l40s0", phase="Pending"))),
]


@pytest.mark.parametrize(("check", "cause", "result"), PROBES, ids=[f"{check}: {cause}" for check, cause, _ in PROBES])
def test_probes_that_go_wrong_get_the_cause(check: str, cause: str, result: Callable[[], ProbeResult]) -> None:
    found = judge_probes([result()], plugin="p", namespace="n")
    assert (check, cause) in {(one.check.name, one.cause.name) for one in found if one.cause}


def test_probes_that_go_right_pass_all_four_rows() -> None:
    found = list(judge_probes([_result()], plugin="p", namespace="n"))
    assert {one.outcome for one in found} == {"passed"}
    assert len(found) == 4


@pytest.mark.parametrize("used", [0, 3, 10])
def test_probes_take_free_slices_of_existing_nodes_only(used: int) -> None:
    snapshot = _pods(healthy(DEV), *(slice_pod("l40s0", name=f"mine-{index}") for index in range(used)))
    (probe,) = node_probes(View(DEV, snapshot), ("l40s",))
    assert (probe.used, probe.pods) == (used, 10 - used)
    body = probe_pod(probe, run="r", name="n", slices=1, image="i", seconds=60)
    assert body["spec"]["nodeSelector"] == {"kubernetes.io/hostname": "l40s0", "gpu-slices/pool": "l40s"}
    assert body["spec"]["activeDeadlineSeconds"] == 60


def test_a_hundred_nodes_with_one_trouble_are_one_line_and_a_remedy_without_placeholders() -> None:
    first = healthy(DEV).nodes[0]
    nodes = tuple(replace(first, name=f"node-{index}", schedulable=False) for index in range(100))
    found = tuple(judge(View(DEV, replace(healthy(DEV), nodes=nodes)), PLATFORM))
    text = findings_text([one for one in found if one.check.name == "nodes-ready"], "verify", plain=True)
    assert "node node-0, node node-1, node node-2 and 97 more" in text
    assert "kubectl uncordon node-0" in text


def test_junit_counts_what_failed() -> None:
    found: tuple[Finding, ...] = tuple(judge(View(DEV, replace(healthy(DEV), quotas=())), PLATFORM))
    root = ElementTree.fromstring(findings_junit(found, "verify dev"))
    quota = next(suite for suite in root if suite.get("name") == "quota")
    assert (quota.get("tests"), quota.get("failures")) == ("1", "1")
    failure = quota.find("testcase/failure")
    assert failure is not None
    assert "remedy: pulumi up" in str(failure.text)


def test_every_row_has_a_place_of_its_own_on_the_page() -> None:
    names = [row.name for row in (*rows(), *preflight.rows())]
    assert len(names) == len(set(names))


def test_the_troubleshooting_page_is_the_tables() -> None:
    page = (ROOT / "docs/troubleshooting.md").read_text()
    made = troubleshooting_page(rows(), preflight.rows())
    assert page == made, "run: python -m gpu_slices.checks > docs/troubleshooting.md"
    assert not re.search(r"\{[a-z_]+\}", page), "a placeholder that nobody fills in"
