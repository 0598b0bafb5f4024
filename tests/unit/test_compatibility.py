"""What runs with what: the data hold together, each known break is found where it is, and the pins have none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from gpu_slices import versions
from gpu_slices.catalogue import load
from gpu_slices.cli.main import main
from gpu_slices.compatibility import applied, breaks, image_parts, newest, stack_parts
from gpu_slices.settings import SettingsError
from gpu_slices.settings.cluster import Cluster
from gpu_slices.versions import DEVICE_PLUGIN, GPU_OPERATOR, KARPENTER, KUBERNETES_VERSIONS
from tests.support.stacks import ROOT, STACKS, plan_of, plan_of_stack

V100, G7 = load().gpus["v100"], load().gpus["rtx-pro-4500"]

#: For each known break a combination that has it.
BROKEN: dict[str, dict[str, str | None]] = {
    "karpenter-one-broken-pool": {"karpenter": "1.12.9"},
    "karpenter-kubernetes-1.36": {"kubernetes": "1.36", "karpenter": "1.12.0"},
    "karpenter-kubernetes-1.35": {"kubernetes": "1.35", "karpenter": "1.8.2"},
    "karpenter-kubernetes-1.34": {"kubernetes": "1.34", "karpenter": "1.5.0"},
    "karpenter-kubernetes-newer": {"kubernetes": "1.37", "karpenter": "1.14.1"},
    "operator-kubernetes-1.36": {"kubernetes": "1.36", "gpu-operator": "26.3.1"},
    "operator-kubernetes-1.37": {"kubernetes": "1.37", "gpu-operator": "26.3.2"},
    "operator-cdi-on-old-kubernetes": {"kubernetes": "1.31", "gpu-operator": "26.7.0"},
    "plugin-gdrcopy-and-mofed-on": {"nvidia-device-plugin": "0.19.2"},
    "plugin-one-slice-unhealthy": {"nvidia-device-plugin": "0.20.0"},
    "operator-one-slice-unhealthy": {"gpu-operator": "26.7.0"},
    "image-kubernetes": {"kubernetes": "1.37", **image_parts(release="al2023@v20260714", gpu=V100)},
    "image-of-another-minor": {"kubernetes": "1.35", **image_parts(release="1.34.6-20260714", gpu=V100)},
    "driver-too-old": {**image_parts(release="al2023@v20260714", gpu=G7)},
    "driver-too-new": {**image_parts(release="al2023@v20260917", gpu=V100)},
    "toolkit-etc-nvidia": {**image_parts(release="al2023@v20260818", gpu=V100)},
    "unprivileged-plugin-without-config": {**image_parts(release="al2023@v20260423", gpu=V100)},
}


def ids(parts: dict[str, str | None]) -> set[str]:
    return {found.id for effect in ("refuse", "warn", "note") for found in applied(parts, effect)}


def pool(**keys: Any) -> dict[str, Any]:
    return {"gpuNodePools": {"a": {"maxGpus": 8, **keys}}}


@pytest.mark.parametrize("known", breaks(), ids=lambda known: known.id)
def test_every_break_says_where_it_was_read_and_is_found_where_it_is(known: Any):
    assert known.source
    assert known.remedy
    assert known.id in ids(BROKEN[known.id])
    assert "?" not in next(one.problem for one in applied(BROKEN[known.id], known.effect) if one.id == known.id)


def test_breaks_have_ids_of_their_own_and_versions_that_can_be_compared():
    assert sorted(BROKEN) == sorted(known.id for known in breaks())
    for known in breaks():
        for wanted in known.when.values():
            assert "{" in wanted or SpecifierSet(wanted)


@pytest.mark.parametrize("kubernetes", KUBERNETES_VERSIONS)
def test_what_is_pinned_runs_on_every_kubernetes_that_settings_take(kubernetes: str):
    charts = {pin.chart: pin.version for pin in (DEVICE_PLUGIN, GPU_OPERATOR, KARPENTER)}
    parts = stack_parts(kubernetes=kubernetes, charts=charts)
    assert [*applied(parts, "refuse"), *applied(parts, "warn")] == []


def test_no_pin_is_newer_than_the_newest_that_is_known():
    """Who moves a pin looks up what else is new, and whether something breaks with it."""
    pins = [pin for pin in vars(versions).values() if isinstance(pin, versions.ChartPin) and pin.chart in newest()]
    assert pins
    assert [pin.chart for pin in pins if Version(pin.version) > Version(newest()[pin.chart].version)] == []


@pytest.mark.parametrize("stack", STACKS)
def test_no_container_of_ours_mounts_what_container_toolkit_1_20_breaks(stack: str, tmp_path: Path):
    assert main(["render", "--file", str(ROOT / f"Pulumi.{stack}.yaml"), "--out", str(tmp_path)]) == 0
    assert not [file for file in tmp_path.rglob("*.yaml") if "/etc/nvidia" in file.read_text()]


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (
            {"gpuNodeGroups": {"a": {"instanceType": "g6.xlarge", "amiRelease": "1.34.6-20260714"}}},
            "gpuNodeGroups.a.amiRelease: image release 1.34.6-20260714 is of Kubernetes 1.34, the cluster has 1.35; name "
            "a release of 1.35: EKS takes one only together with its minor",
        ),
        (
            {"karpenter": {"version": "1.12.3"}},
            "karpenter.version: Karpenter 1.12.3 is too old: one broken NodePool keeps it from serving all others; write "
            "1.13.0 or newer",
        ),
    ],
)
def test_a_combination_that_cannot_work_is_refused_at_its_key(raw: dict[str, Any], line: str):
    with pytest.raises(SettingsError) as refused:
        plan_of(raw)
    assert str(refused.value) == line


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        (pool(families=["p3dn"], amiAlias="al2023@v20260917"), "gpuNodePools.a.amiAlias", "up to 580"),
        (pool(families=["g7"], gpusPerNode=[1]), "gpuNodePools.a.families", "needs driver 595"),
        (pool(instanceTypes=["g7.2xlarge"]), "gpuNodePools.a.instanceTypes", "stops at 580"),
    ],
)
def test_what_a_gpu_needs_of_a_driver_is_told_at_the_key_that_says_the_image(
    raw: dict[str, Any], path: str, words: str
):
    (line,) = [str(one) for one in plan_of(raw).warnings if "driver" in one.message]
    assert line.startswith(f"{path}: ")
    assert words in line


def test_a_group_that_takes_eks_newest_image_has_the_driver_that_a_new_gpu_needs():
    plan = plan_of({"gpuNodeGroups": {"a": {"instanceType": "g7.2xlarge"}}})
    assert [one for one in plan.warnings if "driver" in one.message] == []


@pytest.mark.parametrize("stack", STACKS)
def test_versions_shows_every_part_of_a_stack_and_every_break(stack: str, capsys: pytest.CaptureFixture[str]):
    arguments = ["versions", "--file", str(ROOT / f"Pulumi.{stack}.yaml"), "--format"]
    assert main([*arguments, "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    here = {row["part"]: row["here"] for row in shown["versions"]}
    cluster = plan_of_stack(stack).settings.cluster
    assert here["Kubernetes"] == (cluster.version if isinstance(cluster, Cluster) else "the adopted cluster's")
    assert (here.get("karpenter") == KARPENTER.version) == plan_of_stack(stack).karpenter
    assert {row["id"] for row in shown["breaks"]} == set(BROKEN)
    for form in ("text", "markdown"):
        assert main([*arguments, form]) == 0
        told = capsys.readouterr().out
        assert all(part.split()[-1] in told.replace("\\", "") for part in here)


def test_versions_says_which_break_a_stack_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "Pulumi.old.yaml"
    path.write_text("config:\n  aws:region: us-west-2\n  gpuNodeGroups: {v: {instanceType: p3dn.24xlarge}}\n")
    assert main(["versions", "--file", str(path), "--format", "json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)["breaks"]}
    assert rows["driver-too-new"]["state"] == "applies"
    assert rows["driver-too-new"]["keys"] == ["gpuNodeGroups.v.amiRelease"]
    assert rows["driver-too-old"]["state"] == "does not concern"
