"""The load client as a Job runs it: its files flat in a folder, nothing of this repository in reach."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpu_slices.bench.cluster_evidence import unpack
from gpu_slices.manifests.benchmark import campaign_files, client_files
from tests.support.benchmark_settings import manifests, planned, pod, settings
from tests.support.stacks import ROOT


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """The folder as a pod sees it: `client` and `campaign`, each a config map's files side by side."""
    contents = {"client": client_files(), "campaign": campaign_files(planned(settings()))}
    for folder, files in contents.items():
        (tmp_path / folder).mkdir()
        for name, text in files.items():
            (tmp_path / folder / name).write_text(text)
    return tmp_path


def in_pod(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command with nothing of this repository in reach."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {"PATH": path, "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_the_client_runs_from_its_config_map_alone(mounted: Path):
    shown = in_pod(mounted, "python", "-m", "client", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "--plan" in shown.stdout


def test_every_blocks_plan_lies_where_its_job_looks_for_it(mounted: Path):
    for job in manifests("Job"):
        script = pod(job)["containers"][0]["command"][1]
        assert (mounted / Path(script).relative_to("/bench")).is_file()
    for block in planned(settings()).blocks:
        assert json.loads((mounted / "campaign" / f"{block.name}.json").read_text()) == block.plan


@pytest.fixture
def ports() -> Iterator[list[int]]:
    """Two model servers on a fake device that serves them one after the other."""
    device = subprocess.Popen(
        [sys.executable, "-m", "gpu_slices.bench.fake_device", "--models", "2", "--step-ms", "2"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert device.stdout
    yield json.loads(device.stdout.readline())["ports"]
    device.terminate()
    device.wait()
    device.stdout.close()


def tiny(mounted: Path, ports: list[int]) -> None:
    block = planned(settings(repeats=1, promptWords=8, outputTokens=8, load={"closed": [2]})).of_phase("together")[0]
    targets = {
        name: {**target, "url": f"http://127.0.0.1:{port}/v1/completions"}
        for (name, target), port in zip(block.plan["targets"].items(), ports, strict=True)
    }
    short = {"warmup_s": 0.1, "window_s": 0.4, "drain_s": 5.0}
    plan = {**block.plan, "targets": targets, "runs": [{**run, **short} for run in block.plan["runs"]]}
    (mounted / "campaign" / "together-0.json").write_text(json.dumps(plan))


@pytest.mark.full
def test_a_job_leaves_all_its_records_in_its_log(mounted: Path, ports: list[int]):
    tiny(mounted, ports)
    done = in_pod(mounted, "sh", "campaign/run_client.sh", "together-0", "10")
    assert done.returncode == 0, done.stderr
    records = unpack(done.stdout)
    assert sorted((record["condition"], record["status"]) for record in records) == [
        ("idle-neighbour", "ok"),
        ("idle-neighbour", "ok"),
        ("shared", "ok"),
    ]
    assert "shared 2 of 2 driven, closed 2, repeat 0: ok" in done.stderr


def test_a_job_whose_server_refuses_fails_soon_and_its_log_says_why(mounted: Path):
    tiny(mounted, [1, 1])
    done = in_pod(mounted, "sh", "campaign/run_client.sh", "together-0", "1")
    assert done.returncode == 1
    assert all("gave up after 5 failures in a row" in record["problems"][0] for record in unpack(done.stdout))


def test_a_visit_that_was_not_made_fails_its_job(mounted: Path):
    (mounted / "campaign" / "ctypes.py").write_text("def CDLL(name): raise OSError(name)")
    assert in_pod(mounted, "python", "campaign/visit_gpu.py").returncode != 0
