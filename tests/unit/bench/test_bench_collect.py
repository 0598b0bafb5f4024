"""`bench collect`: figures from a sound experiment, and from no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from gpu_slices.bench.cluster_evidence import LogError, unpack
from gpu_slices.bench.collect import collect
from gpu_slices.bench.records import read_records
from gpu_slices.benchmark_plan import BenchmarkPlan, plan_benchmark
from gpu_slices.checks import cluster_api
from gpu_slices.checks.cluster_api import ClusterError
from gpu_slices.cli.main import main
from tests.support.benchmark_cluster import GPU, PretendedCluster, at, cluster_after, packed, records_of
from tests.support.stacks import plan_of

RAW: dict[str, Any] = {
    "replicas": 4,
    "systemNodes": {"instanceType": "m7i.large"},
    "gpuNodeGroups": {"l40s": {"instanceType": "g6e.2xlarge"}},
    "benchmark": {
        "pool": "l40s",
        "models": [
            {"name": "phi-1", "model": "microsoft/Phi-3.5-mini-instruct", "memoryGiB": 14, "kvCacheGiB": 4},
            {"name": "phi-2", "model": "microsoft/Phi-3.5-mini-instruct", "memoryGiB": 14, "kvCacheGiB": 4},
        ],
        "load": {"closed": [1]},
        "conditions": ["fresh", "exclusive", "idle-neighbour", "shared"],
        "repeats": 2,
    },
}


def benchmark(**changes: Any) -> BenchmarkPlan:
    plan = plan_of({**RAW, "benchmark": {**RAW["benchmark"], **changes}})
    found = plan_benchmark(plan.settings, plan.pools)
    assert found
    return found


@cache
def sound_cluster() -> PretendedCluster:
    return cluster_after(benchmark())


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> PretendedCluster:
    made = deepcopy(sound_cluster())
    monkeypatch.setattr(cluster_api, "ClusterApi", lambda **_: made)
    return made


@pytest.fixture
def stack_file(tmp_path: Path) -> Path:
    path = tmp_path / "Pulumi.bench.yaml"
    config = {"aws:region": "us-west-2", **{f"gpu-slices:{key}": value for key, value in RAW.items()}}
    path.write_text(yaml.safe_dump({"config": config}))
    return path


def test_a_sound_experiment_gives_figures_that_say_what_was_measured_on_what(
    cluster: PretendedCluster, stack_file: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["bench", "collect", "--file", str(stack_file), "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    (environment,) = shown["environments"]
    assert environment["gpu"]["name"] == "NVIDIA L40S"
    assert (environment["engine"], environment["image"]) == ("vllm", "vllm/vllm-openai:v0.33.0")
    assert [server["pod"]["cache_tokens"] for server in environment["servers"]] == [32768, 32768]
    (shared,) = [one for one in shown["conditions"] if one["condition"]["name"] == "shared"]
    assert shared["comparison"]["stp"]["mean"] == pytest.approx(2 * 0.01 / 0.021, rel=0.02)
    assert shared["runs"] == 2


def test_the_records_are_kept_with_their_environment_and_can_be_reported_again(
    cluster: PretendedCluster, stack_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "l40s.jsonl.gz"
    assert main(["bench", "collect", "--file", str(stack_file), "--records", str(out)]) == 0
    figures = capsys.readouterr().out
    records = read_records(out)
    assert [record["kind"] for record in records] == ["environment", *["run"] * 10]
    assert main(["bench", "report", str(out)]) == 0
    assert capsys.readouterr().out == figures


def pod_of(cluster: PretendedCluster, name: str) -> str:
    return cluster.pods[name]["metadata"]["name"]


def other_gpu(cluster: PretendedCluster) -> None:
    cluster.logs[pod_of(cluster, "phi-2"), "gpu"] = GPU.replace("0001,", "0002,")


def two_gpus(cluster: PretendedCluster) -> None:
    cluster.logs[pod_of(cluster, "phi-1"), "gpu"] = f"{GPU}\n{GPU.replace('0001,', '0002,')}\n"


def restarted(cluster: PretendedCluster) -> None:
    cluster.pods["phi-1"]["status"]["containerStatuses"][0]["restartCount"] = 2


def pending(cluster: PretendedCluster) -> None:
    cluster.pods["phi-2"]["status"] = {"phase": "Pending"}
    for container in ("gpu", "server"):
        del cluster.logs[pod_of(cluster, "phi-2"), container]


def failed_job(cluster: PretendedCluster) -> None:
    failure = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "was active too long"}
    cluster.jobs["together-1"]["status"] = {"startTime": at(40), "conditions": [failure]}


def running_job(cluster: PretendedCluster) -> None:
    cluster.jobs["together-1"]["status"] = {"startTime": at(40), "active": 1}


def no_job(cluster: PretendedCluster) -> None:
    del cluster.jobs["visit"]


def no_pod(cluster: PretendedCluster) -> None:
    del cluster.pods["alone-0"]


def cut_log(cluster: PretendedCluster) -> None:
    pod = pod_of(cluster, "alone-1")
    cluster.logs[pod, "client"] = cluster.logs[pod, "client"][:-200]


def fewer_runs(cluster: PretendedCluster) -> None:
    cluster.logs[pod_of(cluster, "together-0"), "client"] = packed(records_of(benchmark().of_phase("together")[0])[:2])


def failed_run(cluster: PretendedCluster) -> None:
    records = records_of(benchmark().of_phase("alone")[0])
    broken = {**records[0], "status": "failed", "problems": ["phi-1: gave up after 5 failures in a row: refused"]}
    cluster.logs[pod_of(cluster, "alone-0"), "client"] = packed([broken, *records[1:]])


def neighbour_too_early(cluster: PretendedCluster) -> None:
    cluster.pods["phi-2"]["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] = at(1)


def first_too_late(cluster: PretendedCluster) -> None:
    cluster.pods["phi-1"]["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] = at(25)


def visit_too_late(cluster: PretendedCluster) -> None:
    cluster.jobs["visit"]["status"]["completionTime"] = at(59)


def visit_too_early(cluster: PretendedCluster) -> None:
    cluster.jobs["visit"]["status"]["startTime"] = at(1)


def small_cache(cluster: PretendedCluster) -> None:
    cluster.logs[pod_of(cluster, "phi-2"), "server"] = "INFO GPU KV cache size: 12 tokens\n"


@pytest.mark.parametrize(
    ("bend", "words"),
    [
        (other_gpu, "the servers were not on one GPU: phi-1 on GPU-7f3b2a10-0000-4000-8000-000000000001, phi-2 on"),
        (two_gpus, "server phi-1 sees 2 GPUs instead of one"),
        (restarted, "server phi-1 was restarted 2 times"),
        (pending, "server phi-2 does not run"),
        (failed_job, "Job together-1: DeadlineExceeded: was active too long"),
        (running_job, "Job together-1: running"),
        (no_job, "Job visit: missing"),
        (no_pod, "Job alone-0: its pod is gone, and the records with it"),
        (cut_log, "Job alone-1: the log breaks off within the records"),
        (fewer_runs, "Job together-0: 2 of 3 runs are in its log"),
        (failed_run, "failed: exclusive, 1 models, closed 1, repeat 0: phi-1: gave up after 5 failures in a row"),
        (neighbour_too_early, "Job alone-0 was not alone on the GPU: server phi-2 was there before it ended"),
        (first_too_late, "Job alone-0 began before the first server that runs now"),
        (visit_too_late, "Job alone-0 began before the visit had ended"),
        (visit_too_early, "Job fresh-0 ended after the visit that it must come before"),
        (small_cache, "server phi-2: its KV cache holds 12 tokens, its streams need 136"),
    ],
)
def test_anything_else_is_said_and_gives_no_figure(
    cluster: PretendedCluster,
    stack_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    bend: Callable[[PretendedCluster], None],
    words: str,
):
    bend(cluster)
    out = tmp_path / "records.jsonl"
    assert main(["bench", "collect", "--file", str(stack_file), "--records", str(out)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert any(line.startswith(words) for line in shown.err.splitlines()), shown.err
    assert read_records(out)[0]["kind"] == "environment"


def test_of_two_pods_the_one_made_last_counts(cluster: PretendedCluster, stack_file: Path):
    """An evicted pod stays in the list until it is collected."""
    late = deepcopy(cluster.pods["phi-2"])
    late["metadata"] = {**late["metadata"], "name": "evicted", "creationTimestamp": "2026-11-19T10:00:00Z"}
    cluster.pods = {"evicted": late, **cluster.pods}
    assert main(["bench", "collect", "--file", str(stack_file)]) == 0


def without_benchmark(raw: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key != "gpu-slices:benchmark"}


def with_more_repeats(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "gpu-slices:benchmark": {**raw["gpu-slices:benchmark"], "repeats": 3}}


def with_a_mistake(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "gpu-slices:benchmark": {**raw["gpu-slices:benchmark"], "pool": "l4"}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without_benchmark, "stack bench has no benchmark"),
        (with_more_repeats, "holds a benchmark of other settings"),
        (with_a_mistake, "benchmark.pool: there is no GPU pool 'l4'"),
    ],
)
def test_what_the_stack_file_does_not_ask_for_is_not_collected(
    cluster: PretendedCluster,
    stack_file: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[dict[str, Any]], dict[str, Any]],
    words: str,
):
    stack_file.write_text(yaml.safe_dump({"config": change(yaml.safe_load(stack_file.read_text())["config"])}))
    assert main(["bench", "collect", "--file", str(stack_file)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


def test_an_empty_namespace_is_perhaps_another_cluster(
    cluster: PretendedCluster, stack_file: Path, capsys: pytest.CaptureFixture[str]
):
    cluster.pods, cluster.jobs = {}, {}
    assert main(["bench", "collect", "--file", str(stack_file)]) == 2
    assert "is this the cluster of stack bench" in capsys.readouterr().err


def test_a_cluster_out_of_reach_is_one_line(
    monkeypatch: pytest.MonkeyPatch, stack_file: Path, capsys: pytest.CaptureFixture[str]
):
    def unreachable(**_: Any) -> None:
        raise ClusterError("cluster unreachable at https://x: timed out")

    monkeypatch.setattr(cluster_api, "ClusterApi", unreachable)
    assert main(["bench", "collect", "--file", str(stack_file)]) == 2
    assert capsys.readouterr().err == "cluster unreachable at https://x: timed out\n"


def test_tgi_must_say_how_large_its_cache_became():
    plan = benchmark(
        engine="tgi",
        models=[{key: one[key] for key in one if key != "kvCacheGiB"} for one in RAW["benchmark"]["models"]],
    )
    cluster = cluster_after(plan)
    _, problems = collect(cluster, "bench", plan)
    assert [line for line in problems if "its log does not say how much its KV cache holds" in line]
    for name in ("phi-1", "phi-2"):
        cluster.logs[pod_of(cluster, name), "server"] = '{"message":"Setting max batch total tokens to 43808"}\n'
    assert collect(cluster, "bench", plan)[1] == []


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", "it ends: nothing"),
        ("Traceback\nOSError: no space left\n", "it ends: Traceback / OSError: no space left"),
        (packed([{"kind": "run"}]).replace("H4sI", "H4sJ"), "not those that were written"),
        (packed([{"kind": "run"}]).replace("H4sI", "H4s!"), "not whole"),
    ],
    # Packed logs hold the second they were packed in: as names of tests they would differ between processes.
    ids=["nothing", "a traceback", "other records", "a broken line"],
)
def test_a_log_without_whole_records_says_what_it_holds(log: str, words: str):
    with pytest.raises(LogError, match=words):
        unpack(log)
