"""The client as it ships against devices whose sharing law is known: it must find the law, within its own interval."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gpu_slices.bench import client
from gpu_slices.bench.campaign import sharing_campaign
from gpu_slices.bench.command import main
from gpu_slices.bench.local import Bed, run_campaign
from gpu_slices.bench.metrics import Record
from gpu_slices.bench.report import trouble
from gpu_slices.bench.rows import Row, rows_of
from gpu_slices.bench.servers import Child

pytestmark = pytest.mark.full

#: Law of the device → the sum of normalised progress that two saturating models must show on it.
BEDS = {
    "serial": (Bed(device="fake", law="serial"), 1.0),
    "independent": (Bed(device="fake", law="independent"), 2.0),
    "serial, a quarter lost": (Bed(device="fake", law="serial", epsilon=0.25), 0.8),
}


def measure(bed: Bed, folder: Path) -> list[Record]:
    campaign = sharing_campaign(2, streams=3, repeats=3, window_s=1.0, warmup_s=0.3)
    return run_campaign(
        campaign,
        bed,
        out=folder / "records.jsonl",
        log=folder / "log",
        repeats=range(3),
        limit_s=120,
        say=lambda line: None,
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: tmp_path_factory.mktemp("bed") for name in BEDS}


@pytest.fixture(scope="module")
def measured(folders: dict[str, Path]) -> dict[str, list[Record]]:
    """All beds at once: their time is spent asleep."""
    with ThreadPoolExecutor() as pool:
        found = {name: pool.submit(measure, bed, folders[name]) for name, (bed, _) in BEDS.items()}
        return {name: future.result() for name, future in found.items()}


def shared_row(records: list[Record]) -> Row:
    (row,) = [row for row in rows_of(records) if row.condition.name == "shared"]
    return row


@pytest.mark.parametrize("name", BEDS)
def test_the_client_finds_the_devices_sharing_law_within_its_interval(name: str, measured: dict[str, list[Record]]):
    assert trouble(measured[name]) == []
    comparison = shared_row(measured[name]).comparison
    assert comparison is not None
    truth = BEDS[name][1]
    assert comparison.stp.contains(truth), comparison.stp
    others = {stp for _, stp in BEDS.values()} - {truth}
    assert not any(comparison.stp.contains(other) for other in others), "an interval that holds every law says nothing"
    assert comparison.jain.mean == pytest.approx(1, abs=0.02)


def test_every_record_is_in_the_file_as_it_was_returned(measured: dict[str, list[Record]], folders: dict[str, Path]):
    for name, records in measured.items():
        lines = (folders[name] / "records.jsonl").read_text().splitlines()
        assert [json.loads(line) for line in lines] == json.loads(json.dumps(records))


def test_runs_for_which_there_is_no_time_are_recorded_as_left_out(tmp_path: Path):
    campaign = sharing_campaign(2, streams=2, repeats=2, window_s=1.0, warmup_s=0.2)
    records = run_campaign(
        campaign,
        Bed(device="fake"),
        out=tmp_path / "r.jsonl",
        log=tmp_path / "log",
        repeats=range(2),
        limit_s=0.0,
        say=lambda line: None,
    )
    assert [record["kind"] for record in records] == ["environment", *["left-out"] * 4]
    assert all("time limit" in line for line in trouble(records))


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[int]:
    child = Child("gpu_slices.bench.fake_device", ["--models", "1", "--step-ms", "5"], tmp_path / "log")
    yield child.announced(30)["ports"][0]
    child.stop()


def test_the_client_runs_mounted_flat_under_another_name_without_installed_packages(tmp_path: Path, fake: int):
    """As a ConfigMap gives it: only the files, one folder, a plain Python."""
    mount = tmp_path / "loadclient"
    mount.mkdir()
    for path in Path(client.__file__).parent.glob("*.py"):
        shutil.copy(path, mount)
    run = {"condition": "exclusive", "load": {"closed": 2}, "window_s": 0.5, "warmup_s": 0.2, "output_tokens": 5}
    plan = {"targets": {"a": {"url": f"http://127.0.0.1:{fake}/v1/completions"}}, "runs": [run]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    done = subprocess.run(
        [sys.executable, "-S", "-m", "loadclient", "--plan", "plan.json", "--ready-s", "20"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "ok"


def test_the_client_says_which_target_was_not_ready_and_ends_with_1(tmp_path: Path):
    run = {"condition": "exclusive", "load": {"closed": 1}, "window_s": 0.3, "warmup_s": 0.1}
    plan = {"targets": {"a": {"url": "http://127.0.0.1:9/v1/completions"}}, "runs": [run]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    command = [sys.executable, "-m", "gpu_slices.bench.client", "--plan", str(tmp_path / "plan.json"), "--ready-s", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "a was not ready within 1 s" in done.stderr
    assert json.loads(done.stdout)["status"] == "failed"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["local", "--models", "0"], "--models: must be at least 1"),
        (["local", "--campaign", "nowhere.json"], "nowhere.json"),
        (["local", "--repeats", "two"], "--repeats"),
        (["report", "nowhere.jsonl"], "nowhere.jsonl"),
    ],
)
def test_wrong_input_ends_with_2_and_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]):
    assert main(arguments) == 2
    errors = capsys.readouterr().err
    assert words in errors
    assert len(errors.splitlines()) == 1
