"""From records to figures: windows, latencies, sharing, and that a failed run gives none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpu_slices.bench import report
from gpu_slices.bench.metrics import Slo, run_figures
from gpu_slices.bench.records import RecordError, read_records, sound_runs, write_records
from gpu_slices.bench.rows import rows_of
from gpu_slices.bench.sharing import NoBaselineError, compare
from tests.support.benchmark_records import ENVIRONMENT, request, run_record

NOISE = (1.0, 1.01, 0.99)


def sharing(factor: float, *, repeats: int = 3, models: int = 2) -> list[dict]:
    """Each model alone makes a token in 20 ms, shared in 20 ms × factor, with one percent of noise between repeats."""
    names = [f"m-{number}" for number in range(models)]
    records = [ENVIRONMENT]
    for repeat in range(repeats):
        gap = 0.02 * NOISE[repeat]
        records += [run_record("exclusive", {names[0]: gap}, repeat=repeat)]
        records += [run_record("shared", dict.fromkeys(names, gap * factor), repeat=repeat)]
    return records


def test_tokens_count_by_arrival_whichever_request_they_belong_to():
    crossing = [request("a", 0, -0.5, 10, 0.1), request("a", 1, 9.55, 10, 0.1)]
    record = run_record("exclusive", {"a": 1.0}, requests=crossing)
    assert run_figures(record).targets["a"].tokens == 5 + 4


def test_latency_runs_from_when_a_request_was_due_not_from_when_it_was_sent():
    late = request("a", 0, 1.0, 10, 0.1, started=3.0, sent=3.0, first=3.1)
    figures = run_figures(run_record("exclusive", {"a": 1.0}, requests=[late]))
    assert figures.targets["a"].latencies.ttft == pytest.approx((2.1,))
    assert figures.targets["a"].latencies.e2e == pytest.approx((3.0,))
    assert figures.lateness_p99 == pytest.approx(2.0)


def test_time_per_token_is_that_of_the_tokens_after_the_first():
    figures = run_figures(run_record("exclusive", {"a": 1.0}, requests=[request("a", 0, 1, 10, 0.1, first=2.0)]))
    assert figures.targets["a"].latencies.tpot == pytest.approx((0.1,))


def test_goodput_counts_requests_within_the_objective_only():
    rows = [request("a", 0, 1, 10, 0.01), request("a", 1, 2, 10, 0.1), request("a", 2, 3, 10, 0.01, first=3.9)]
    figures = run_figures(run_record("exclusive", {"a": 1.0}, requests=rows), Slo(ttft_s=0.5, tpot_s=0.05))
    assert figures.targets["a"].goodput == pytest.approx(1 / 10)


def test_a_request_that_was_cut_gives_tokens_but_no_latency():
    cut = request("a", 0, 9.5, 3, 0.1, status="cut")
    figures = run_figures(run_record("exclusive", {"a": 1.0}, requests=[request("a", 1, 1, 10, 0.1), cut]))
    assert figures.targets["a"].tokens == 13
    assert figures.targets["a"].requests == 1


def test_overlap_is_the_time_in_which_all_models_were_loaded():
    rows = [request("a", 0, 0.0, 100, 0.1), request("b", 0, 5.0, 100, 0.1)]
    figures = run_figures(run_record("shared", {"a": 1.0, "b": 1.0}, requests=rows))
    assert figures.overlap == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("factor", "stp"), [(2.0, 1.0), (1.0, 2.0), (2.2, 1 / 1.1)])
def test_the_sum_of_progress_slowdown_and_overhead_follow_the_law_of_the_records(factor: float, stp: float):
    runs = sound_runs(sharing(factor))
    found = compare([run for run in runs if run.condition == "shared"], [r for r in runs if r.condition == "exclusive"])
    assert found.stp.contains(stp)
    assert found.stp.mean == pytest.approx(stp, rel=0.02)
    assert found.antt.mean == pytest.approx(factor, rel=0.02)
    assert found.epsilon is not None
    assert found.epsilon.mean == pytest.approx(1 / stp - 1, abs=0.02)
    assert found.jain.mean == pytest.approx(1, abs=1e-6)


def test_a_model_that_gets_less_shows_in_fairness_and_in_its_own_slowdown():
    records = [ENVIRONMENT]
    for repeat in range(3):
        records += [run_record("exclusive", {"m-0": 0.02}, repeat=repeat)]
        records += [run_record("shared", {"m-0": 0.03, "m-1": 0.06}, repeat=repeat)]
    runs = sound_runs(records)
    found = compare([run for run in runs if run.condition == "shared"], [r for r in runs if r.condition == "exclusive"])
    assert found.slowdown["m-0"].mean == pytest.approx(1.5, rel=0.02)
    assert found.slowdown["m-1"].mean == pytest.approx(3.0, rel=0.02)
    assert found.jain.mean == pytest.approx(0.9, abs=0.01)


def test_overhead_is_measured_against_what_the_idle_part_of_the_gpu_would_allow():
    """Alone each model keeps the GPU busy 60 % of the time; two at slowdown 1.5 lose a quarter to sharing."""
    records = [
        {**record, "gpu": {"utilization.gpu": 60.0}} if record.get("condition") == "exclusive" else record
        for record in sharing(1.5)
    ]
    (row,) = [row for row in rows_of(records) if row.condition.name == "shared"]
    assert row.comparison is not None
    assert row.comparison.ideal == pytest.approx(1.2)
    assert row.comparison.epsilon is not None
    assert row.comparison.epsilon.mean == pytest.approx(1.5 / 1.2 - 1, abs=0.02)


def test_runs_are_compared_with_runs_of_the_same_session_only():
    first, second = sharing(2.0, repeats=1), sharing(2.0, repeats=1)
    alone_elsewhere = [record for record in first if record.get("condition") != "shared"]
    shared_only = [record for record in second if record.get("condition") != "exclusive"]
    runs = sound_runs([*alone_elsewhere, *shared_only])
    with pytest.raises(NoBaselineError):
        compare([run for run in runs if run.condition == "shared"], [r for r in runs if r.condition == "exclusive"])


def test_a_failed_run_is_listed_with_its_reason_and_gives_no_figure():
    broken = {**sharing(2.0)[-1], "status": "failed", "problems": ["m-1: 3 of 9 requests failed: stalled"]}
    records = [*sharing(2.0)[:-1], broken]
    (row,) = [row for row in rows_of(records) if row.condition.name == "shared"]
    assert row.runs == 2
    assert "m-1: 3 of 9 requests failed: stalled" in report.text(records)
    with pytest.raises(ValueError, match="stalled"):
        run_figures(broken)
    assert rows_of([ENVIRONMENT, broken]) == []


def test_records_survive_the_disk_and_equal_records_give_equal_bytes(tmp_path: Path):
    records = sharing(2.0)
    for name in ("one.jsonl", "one.jsonl.gz", "two.jsonl.gz"):
        write_records(tmp_path / name, records)
    assert read_records(tmp_path / "one.jsonl") == read_records(tmp_path / "one.jsonl.gz") == records
    assert (tmp_path / "one.jsonl.gz").read_bytes() == (tmp_path / "two.jsonl.gz").read_bytes()


@pytest.mark.parametrize("content", ["not json\n", "[1]\n", '{"no": "kind"}\n'])
def test_a_file_that_holds_no_records_is_refused_by_name(tmp_path: Path, content: str):
    path = tmp_path / "odd.jsonl"
    path.write_text(content)
    with pytest.raises(RecordError, match=r"odd\.jsonl"):
        read_records(path)


def test_the_report_as_data_can_be_read_back_and_holds_every_condition():
    data = json.loads(json.dumps(report.summary(sharing(2.0))))
    assert [row["condition"]["name"] for row in data["conditions"]] == ["exclusive", "shared"]
    assert data["conditions"][1]["epsilon"]["mean"] == pytest.approx(0, abs=0.02)


def test_the_markdown_table_has_as_many_cells_in_every_row():
    lines = [line for line in report.markdown(sharing(2.0)).splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
