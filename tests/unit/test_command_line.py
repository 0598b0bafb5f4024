"""`python -m gpu_slices` as a person uses it: what it prints and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gpu_slices.cli.main import main
from tests.support.stacks import ROOT, STACKS

EIGHT_MISTAKES = """
config:
  aws:region: us-west-2
  gpu-slices:replicas: four
  gpu-slices:gpuStak: gpu-operator
  gpu-slices:cluster: {version: 1.30, endpoint: {private: false, public: false}}
  gpu-slices:network: {zones: [eu-west-1a, us-west-2b]}
  gpu-slices:gpuNodeGroups:
    l40s: {instanceType: g6e.3xlarge, desired: 3}
  gpu-slices:tenants: {llm: {pools: [l40], slices: 10}}
"""


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_eight_mistakes_are_eight_lines_without_a_traceback_and_exit_code_two(tmp_path: Path):
    path = tmp_path / "Pulumi.bad.yaml"
    path.write_text(EIGHT_MISTAKES)
    done = subprocess.run(
        [sys.executable, "-m", "gpu_slices", "plan", "--file", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 8
    assert "Traceback" not in done.stderr


def test_the_plan_as_json_has_the_numbers_of_the_dev_stack(capsys: pytest.CaptureFixture[str]):
    assert main(["plan", "--stack", "dev", "--format", "json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["stack"], plan["region"], plan["priceRegion"]) == ("dev", "us-west-2", "us-east-1")
    pool = plan["pools"]["l40s"]
    assert (pool["kind"], pool["strategy"], pool["replicas"], pool["onSliceEdit"]) == (
        "node-group",
        "time-slicing",
        10,
        "restart",
    )
    assert pool["resources"] == {
        "nvidia.com/gpu": {
            "g6e.2xlarge": {
                "slicesPerNode": 10,
                "usableSlicesPerNode": 10,
                "gpuMemoryMiBPerSlice": 4577,
                "usdPerSliceHour": pytest.approx(2.24208 / 10),
            }
        }
    }


def test_p3_has_four_gpus_times_its_replicas_and_says_that_it_is_retired(capsys: pytest.CaptureFixture[str]):
    assert main(["plan", "--stack", "p3", "--format", "json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["pools"]["v100"]["resources"]["nvidia.com/gpu"]["p3.8xlarge"]["slicesPerNode"] == 16
    assert any("retired" in warning["message"] and "g6e" in warning["message"] for warning in plan["warnings"])


@pytest.mark.parametrize("stack", STACKS)
def test_the_table_names_every_pool_and_cuts_nothing_off(stack: str, capsys: pytest.CaptureFixture[str]):
    assert main(["plan", "--stack", stack]) == 0
    table = capsys.readouterr().out
    assert "…" not in table
    for pool in yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"].get(
        "gpu-slices:gpuNodeGroups", {}
    ):
        assert pool in table


def test_a_stack_that_does_not_exist_names_those_that_do(capsys: pytest.CaptureFixture[str]):
    assert main(["plan", "--stack", "nope"]) == 2
    assert "dev" in capsys.readouterr().err


@pytest.mark.parametrize("stack", STACKS)
def test_render_writes_the_same_bytes_each_time_and_clears_what_is_gone(stack: str, tmp_path: Path):
    def contents() -> dict[str, bytes]:
        return {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*.yaml")}

    assert main(["render", "--stack", stack, "--out", str(tmp_path)]) == 0
    first = contents()
    (tmp_path / "manifests" / "left-over.yaml").write_text("a: 1")
    assert main(["render", "--stack", stack, "--out", str(tmp_path)]) == 0
    assert contents() == first
    for name, text in first.items():
        content = yaml.safe_load(text)
        if name.startswith("manifests/"):
            assert {"apiVersion", "kind", "metadata"} <= set(content)
        else:
            assert {"chart", "repo", "version", "namespace", "values"} <= set(content)


def test_an_output_that_cannot_be_written_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert main(["plan", "--stack", "dev", "--out", str(tmp_path / "no" / "such" / "folder")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
