"""`verify` on a real API server: it passes where slices work, and names the right cause where they do not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gpu_slices.checks.cluster_api import ClusterApi
from gpu_slices.checks.verify import Verdict, VerifyOptions, verify
from gpu_slices.manifests.gpu_stack import plugin_config_map
from gpu_slices.plan import Plan
from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.project import ROOT
from tests.cluster.platform_objects import GPU, SHARED_GPU, pod, requirement
from tests.cluster.shipped import Shipped, plan_of, stack_file
from tests.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

MERGE = "application/merge-patch+json"
#: Seconds; where all is well in the end nobody waits that long.
PATIENT = 30


def _verify(shipped: Shipped, plan: Plan | None = None, **options: Any) -> Verdict:
    plan = plan or shipped.plan
    pools = tuple(pool.name for pool in plan.pools)
    chosen = VerifyOptions(pools=pools, **{"wait": 20, "settle": 2, "timeout": 60, **options})
    api = ClusterApi(kubeconfig=shipped.plane.kubeconfig)
    return verify(api, plan, chosen, lambda *_: None)


def _wrong(verdict: Verdict) -> set[tuple[str, str]]:
    return {(one.check.name, one.cause.name) for one in verdict.findings if one.outcome == "failed" and one.cause}


def _words(verdict: Verdict) -> str:
    return "\n".join(f"{one.outcome} {one.check.name} {one.subject}: {one.seen}" for one in verdict.findings)


def _passed(verdict: Verdict, check: str) -> list[str]:
    return [one.seen for one in verdict.findings if one.check.name == check and one.outcome == "passed"]


def _is_clean(shipped: Shipped) -> bool:
    pods = shipped.api.get("/api/v1/pods", labelSelector="gpu-slices/verify")["items"]
    spaces = shipped.api.get("/api/v1/namespaces", labelSelector="gpu-slices/verify")["items"]
    return not pods and all(one["status"]["phase"] == "Terminating" for one in spaces)


@pytest.fixture(scope="module")
def operator(programs: None) -> Iterator[Shipped]:
    """Stack dev: the operator, one node of ten slices."""
    with ControlPlane.start() as plane:
        shipped = Shipped(plane, plan_of("dev"))
        shipped.up()
        shipped.join("l40s")
        shipped.shows("l40s-0", GPU, 10)
        yield shipped


def test_a_node_of_ten_slices_runs_ten_pods_at_once_on_one_gpu(operator: Shipped) -> None:
    verdict = _verify(operator, settle=PATIENT)
    assert not verdict.failed, _words(verdict)
    assert _passed(verdict, "slices-at-once") == ["10 pods at once, 0 of 10 in use before"]
    assert "10 pods on 1 GPU, at most 10 on one" in _passed(verdict, "same-gpu")[0]
    assert _passed(verdict, "two-slices") == ["refused on l40s-0"]
    assert _is_clean(operator)


def test_somebody_elses_slices_are_left_alone(operator: Shipped) -> None:
    for index in range(4):
        operator.api.create("/api/v1/namespaces/default/pods", pod(f"mine-{index}"))
    eventually(lambda: len(operator.api.get("/api/v1/pods", fieldSelector="spec.nodeName=l40s-0")["items"]) >= 7)
    verdict = _verify(operator, settle=PATIENT)
    assert not verdict.failed, _words(verdict)
    assert _passed(verdict, "slices-at-once") == ["6 pods at once, 4 of 10 in use before"]
    for index in range(4):
        assert operator.api.get(f"/api/v1/namespaces/default/pods/mine-{index}")["status"]["phase"] == "Running"
        operator.api.delete(f"/api/v1/namespaces/default/pods/mine-{index}", gracePeriodSeconds="0")


def test_a_dry_run_creates_nothing(operator: Shipped) -> None:
    def existing() -> set[str]:
        lists = (operator.api.get(path)["items"] for path in ("/api/v1/pods", "/api/v1/namespaces"))
        return {one["metadata"]["uid"] for items in lists for one in items}

    before = existing()
    verdict = _verify(operator, dry_run=True)
    assert [probe.pods for probe in verdict.probes] == [10]
    assert existing() <= before


def _command(shipped: Shipped, folder: Path, *arguments: str) -> list[str]:
    where = [f"--kubeconfig={shipped.plane.kubeconfig}", f"--file={stack_file(folder, shipped.plan.stack)}"]
    return [sys.executable, "-m", "gpu_slices", arguments[0], *where, *arguments[1:]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_pods_are_removed_when_verify_is_interrupted(operator: Shipped, tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(_command(operator, tmp_path, "verify"), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    eventually(lambda: operator.api.get("/api/v1/pods", labelSelector="gpu-slices/verify")["items"])
    process.send_signal(number)
    _, words = process.communicate(timeout=60)
    assert process.returncode == 130, words
    assert words.strip().endswith("interrupted: every pod that was started is removed")
    assert _is_clean(operator)


def test_status_counts_slices_in_use(operator: Shipped, tmp_path: Path) -> None:
    operator.api.create("/api/v1/namespaces/default/pods", pod("mine"))
    path = "/api/v1/namespaces/default/pods/mine"
    eventually(lambda: operator.api.get(path)["status"]["phase"] == "Running")
    answer = subprocess.run(
        _command(operator, tmp_path, "status", "--format=json"), cwd=ROOT, capture_output=True, text=True, check=True
    )
    operator.api.delete(path, gracePeriodSeconds="0")
    (pool,) = json.loads(answer.stdout)["pools"]
    assert (pool["total"], pool["used"], pool["free"], pool["waiting"]) == (10, 1, 9, 0)
    assert pool["usdPerHour"] == pytest.approx(2.24208, rel=0.01)
    assert pool["nodes"][0]["pods"] == ["default/mine"]


def test_doctor_looks_and_creates_nothing(operator: Shipped, tmp_path: Path) -> None:
    answer = subprocess.run(
        _command(operator, tmp_path, "doctor", "--format=json"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    found = json.loads(answer.stdout)
    assert answer.returncode == 0, found
    assert {one["cause"] for one in found["findings"] if one["outcome"] == "warned"} == {"idle-node"}
    assert _is_clean(operator)


def test_a_quota_below_the_plan_is_the_cause_and_as_a_tenant_it_bites(operator: Shipped) -> None:
    path = "/api/v1/namespaces/llm-testing/resourcequotas/gpu-slices"
    operator.api.patch(path, {"spec": {"hard": {f"requests.{GPU}": "3"}}}, content=MERGE)
    eventually(lambda: operator.api.get(path)["status"]["hard"][f"requests.{GPU}"] == "3")
    verdict = _verify(operator, namespace="llm-testing")
    operator.api.patch(path, {"spec": {"hard": {f"requests.{GPU}": "10"}}}, content=MERGE)
    assert _wrong(verdict) == {("quota", "quota-too-small"), ("slices-at-once", "quota-too-small")}
    assert _is_clean(operator)


def test_a_missing_config_label_is_the_cause_of_whole_gpus(operator: Shipped) -> None:
    operator.relabel("l40s-0", {"nvidia.com/device-plugin.config": None})
    operator.shows("l40s-0", GPU, 1)
    verdict = _verify(operator)
    assert _wrong(verdict) == {("slices", "config-label-missing")}
    assert _is_clean(operator)


def test_without_a_default_config_the_operators_plugin_shares_nothing(operator: Shipped) -> None:
    operator.relabel("l40s-0", {"nvidia.com/device-plugin.config": None})
    operator.up(values={"devicePlugin": {"config": {"default": ""}}})
    operator.shows("l40s-0", GPU, 1)
    verdict = _verify(operator)
    operator.up()
    assert _wrong(verdict) == {("plugin-config", "no-default-config"), ("slices", "no-default-config")}


def test_a_label_that_names_no_config_is_the_cause(operator: Shipped) -> None:
    operator.relabel("l40s-0", {"nvidia.com/device-plugin.config": "lost"})
    eventually(lambda: "does not exist" in operator.plane.control.machines()["l40s-0"].error)
    verdict = _verify(operator)
    operator.relabel("l40s-0", {"nvidia.com/device-plugin.config": "l40s"})
    operator.shows("l40s-0", GPU, 10)
    assert ("device-plugin", "config-key-unknown") in _wrong(verdict)
    assert ("slices", "config-key-unknown") in _wrong(verdict)


def test_a_config_that_was_edited_and_not_read_again_is_the_cause(operator: Shipped) -> None:
    edited = plan_of("dev", replicas=4)
    path = f"/api/v1/namespaces/gpu-operator/configmaps/{plugin_config_map(operator.plan)['metadata']['name']}"
    operator.api.patch(path, {"data": dict(edited.plugin_configs)}, content=MERGE)
    verdict = _verify(operator, edited)
    operator.api.patch(path, {"data": dict(operator.plan.plugin_configs)}, content=MERGE)
    assert ("slices", "plugin-not-restarted") in _wrong(verdict)
    assert "10 nvidia.com/gpu instead of 4" in _words(verdict)


def test_a_stack_file_that_was_not_applied_is_the_cause(operator: Shipped) -> None:
    verdict = _verify(operator, plan_of("dev", replicas=4))
    assert {("plugin-config", "config-differs"), ("slices", "config-differs")} <= _wrong(verdict)


def test_verify_waits_for_a_plugin_that_rolls(operator: Shipped) -> None:
    edited = plan_of("dev", replicas=6)
    operator.up(edited, wait=False)
    verdict = _verify(operator, edited)
    operator.up(plan_of("dev"))
    operator.shows("l40s-0", GPU, 10)
    assert not verdict.failed, _words(verdict)


def test_another_gpu_than_the_catalogues_is_the_cause(operator: Shipped) -> None:
    operator.relabel("l40s-0", {"nvidia.com/gpu.product": "NVIDIA-L4-SHARED", "nvidia.com/gpu.memory": "22888"})
    verdict = _verify(operator)
    operator.relabel("l40s-0", {"nvidia.com/gpu.product": "NVIDIA-L40S-SHARED", "nvidia.com/gpu.memory": "45776"})
    assert _wrong(verdict) == {("gpu-model", "gpu-differs")}


def test_a_pool_without_its_nodes_fails(operator: Shipped) -> None:
    operator.plane.control.remove_nodes("l40s")
    eventually(lambda: not operator.api.get("/api/v1/nodes")["items"])
    verdict = _verify(operator)
    assert ("nodes-ready", "too-few-nodes") in _wrong(verdict)
    assert not verdict.probes


def test_four_gpus_of_four_slices_are_spread_evenly(programs: None) -> None:
    with ControlPlane.start() as plane:
        shipped = Shipped(plane, plan_of("p3"))
        shipped.up()
        shipped.join("v100")
        shipped.shows("v100-0", GPU, 16)
        verdict = _verify(shipped, settle=PATIENT)
    assert not verdict.failed, _words(verdict)
    assert _passed(verdict, "same-gpu") == ["16 pods on 4 GPUs, at most 4 on one"]


@pytest.fixture(scope="module")
def launched(programs: None) -> Iterator[Shipped]:
    """Stack karpenter, no node yet."""
    with ControlPlane.start() as plane:
        shipped = Shipped(plane, plan_of("karpenter"))
        shipped.up()
        shipped.karpenter()
        yield shipped


def test_a_pool_at_zero_is_nothing_to_verify_and_stays_at_zero(launched: Shipped) -> None:
    eventually(lambda: _ready(launched, "burst"))
    verdict = _verify(launched, settle=PATIENT)
    assert not verdict.failed, _words(verdict)
    assert "nothing to verify" in _words(verdict)
    assert not launched.api.get("/apis/karpenter.sh/v1/nodeclaims")["items"]


def test_a_pool_can_be_started_from_zero(launched: Shipped) -> None:
    verdict = _verify(launched, scale_from_zero=True, settle=PATIENT)
    assert not verdict.failed, _words(verdict)
    assert _passed(verdict, "slices-at-once") == ["9 pods at once, 1 of 10 in use before"]
    assert len(launched.api.get("/apis/karpenter.sh/v1/nodeclaims")["items"]) == 1
    assert _is_clean(launched)


def test_probes_of_a_launched_node_start_no_other(launched: Shipped) -> None:
    claims = len(launched.api.get("/apis/karpenter.sh/v1/nodeclaims")["items"])
    verdict = _verify(launched, settle=PATIENT)
    assert not verdict.failed, _words(verdict)
    assert len(launched.api.get("/apis/karpenter.sh/v1/nodeclaims")["items"]) == claims


OVERLAYS = "/apis/karpenter.sh/v1alpha1/nodeoverlays"


def test_an_absent_overlay_is_the_cause(launched: Shipped) -> None:
    launched.api.delete(f"{OVERLAYS}/burst")
    verdict = _verify(launched)
    launched.up()
    assert _wrong(verdict) == {("overlays", "overlay-absent")}


def test_an_overlay_of_somebody_else_that_names_no_pool_is_the_cause(launched: Shipped) -> None:
    foreign = {
        "apiVersion": "karpenter.sh/v1alpha1",
        "kind": "NodeOverlay",
        "metadata": {"name": "all-g5"},
        "spec": {
            "weight": 10,
            "requirements": [requirement("node.kubernetes.io/instance-type", "g5.2xlarge")],
            "capacity": {GPU: "2"},
        },
    }
    launched.api.create(OVERLAYS, foreign)
    verdict = _verify(launched)
    launched.api.delete(f"{OVERLAYS}/all-g5")
    assert ("overlays", "overlay-foreign") in _wrong(verdict)
    assert "overlay all-g5: sets nvidia.com/gpu 2 on 1 types" in _words(verdict)


def test_a_renamed_slice_needs_the_toleration_that_eks_adds_for_plain_ones_only(fresh_plane: ControlPlane) -> None:
    shipped = Shipped(fresh_plane, plan_of("p3", gpuNodeGroups__v100__sharing={"renameResource": True}))
    shipped.up()
    shipped.join("v100")
    shipped.shows("v100-0", SHARED_GPU, 16)
    verdict = _verify(shipped, settle=PATIENT)
    assert not verdict.failed, _words(verdict)
    shipped.api.create("/api/v1/namespaces/default/pods", pod("mine", SHARED_GPU))
    path = "/api/v1/namespaces/default/pods/mine"
    eventually(lambda: "untolerated taint" in str(shipped.api.get(path)["status"]))
    verdict = _verify(shipped)
    assert _wrong(verdict) == {("pending-pods", "taint-not-tolerated")}


def test_shared_whole_and_partitioned_gpus_side_by_side(fresh_plane: ControlPlane) -> None:
    shipped = Shipped(fresh_plane, plan_of("cost"))
    shipped.up()
    shipped.karpenter()
    shipped.join("l4")
    shipped.join("h100")
    shipped.join("a100")
    shipped.shows("l4-0", SHARED_GPU, 4)
    shipped.shows("h100-0", GPU, 8)
    shipped.shows("a100-0", "nvidia.com/mig-7g.40gb", 2)
    eventually(lambda: all(_ready(shipped, name) for name in ("a100", "h100", "l4")))
    verdict = _verify(shipped, settle=PATIENT)
    assert not verdict.failed, _words(verdict)
    counts = [2, 4, 6, 6, 6, 8]
    assert sorted(_passed(verdict, "slices-at-once")) == [f"{n} pods at once, 0 of {n} in use before" for n in counts]


@pytest.mark.full
def test_a_thousand_slices_of_a_hundred_nodes(fresh_plane: ControlPlane, tmp_path: Path) -> None:
    shipped = Shipped(fresh_plane, plan_of("dev", gpuNodeGroups__l40s__max=100))
    shipped.up()
    shipped.join("l40s", count=100)
    for index in range(100):
        shipped.shows(f"l40s-{index}", GPU, 10)
    file = stack_file(tmp_path, "dev", gpuNodeGroups__l40s__max=100)
    out = tmp_path / "verdict.json"
    where = [f"--kubeconfig={fresh_plane.kubeconfig}", f"--file={file}", "--format=json", f"--out={out}"]
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "gpu_slices", "verify", *where], cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took, peak_mib = time.monotonic() - started, usage.ru_maxrss / 1024
    print(f"{took:.0f} s, {peak_mib:.0f} MiB")
    verdict = json.loads(out.read_text())
    assert process.returncode == 0, [one for one in verdict["findings"] if one["outcome"] == "failed"]
    assert sum(one["check"] == "same-gpu" and one["outcome"] == "passed" for one in verdict["findings"]) == 100
    assert peak_mib < 200


def _ready(shipped: Shipped, pool: str) -> bool:
    found = shipped.api.get(f"/apis/karpenter.sh/v1/nodepools/{pool}").get("status", {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in found)
