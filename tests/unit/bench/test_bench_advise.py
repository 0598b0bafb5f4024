"""Advice: what fits is arithmetic on the catalogue, what it costs is the measured law, and nothing beyond it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.bench import advise_command
from gpu_slices.bench.advise import advise, slowdown_at
from gpu_slices.bench.measured import MeasuredLaw, law_of, load_law
from gpu_slices.bench.records import read_records
from gpu_slices.catalogue import load

RESULTS = Path(__file__).parents[3] / "benchmarks" / "results" / "h200"
LAW = MeasuredLaw(
    gpu="NVIDIA Test", engine="e", load="l", epsilon={2: (0.1, 0.12), 4: (0.09, 0.11), 10: (0.2, 0.3)}, process_mib=512
)


def command(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    advise_command.add_arguments(parser)
    return advise_command.run(parser.parse_args(arguments))


def test_the_shipped_law_is_what_the_shipped_records_show():
    records = [record for path in sorted(RESULTS.iterdir()) for record in read_records(path)]
    assert load_law() == law_of(records), (
        "renew it: python -m gpu_slices.bench report benchmarks/results/h200/* --measured"
    )


@given(st.integers(1, 40), st.floats(0.1, 1.0))
def test_a_slowdown_is_ideal_sharing_plus_the_measured_overhead_and_none_beyond_what_was_measured(models, busy):
    found = slowdown_at(models, busy, LAW)
    assert found.ideal == pytest.approx(max(1.0, models * busy))
    if models > 10:
        assert (found.low, found.high) == (None, None)
    else:
        assert found.low is not None
        assert found.high is not None
        assert found.ideal <= found.low <= found.high <= found.ideal * 1.3 + 1e-9


def test_between_measured_numbers_of_models_the_bounds_hold_both_neighbours():
    assert LAW.epsilon_at(3) == (0.09, 0.12)
    assert LAW.epsilon_at(4) == (0.09, 0.11)
    assert LAW.epsilon_at(1) == (0.0, 0.0)


@given(st.integers(256, 200_000), st.integers(0, 4096), st.sampled_from(sorted(load().instances)))
def test_as_many_replicas_fit_as_their_memory_allows_and_not_one_more(model: int, process: int, name: str):
    instance = load().instances[name]
    (found,) = advise([instance], model_mib=model, process_mib=process, busy=1.0, law=LAW)
    assert found.fits * (model + process) <= instance.gpu_memory_mib < (found.fits + 1) * (model + process)
    assert all(item.models <= found.fits for item in found.slowdowns)


def test_the_command_says_what_fits_what_it_costs_and_what_it_rests_on(capsys: pytest.CaptureFixture[str]):
    assert command("--model-memory", "7GiB", "--instance-type", "g6e.2xlarge", "--latency-ms", "600") == 0
    said = capsys.readouterr().out
    assert "5 fit" in said
    assert "instead of 600 ms" in said
    assert "NVIDIA H200" in said
    assert "Other GPUs were not measured" in said


def test_it_gives_no_figure_for_more_replicas_than_were_measured(capsys: pytest.CaptureFixture[str]):
    assert command("--model-memory", "1GiB", "--instance-type", "g6e.2xlarge") == 0
    assert "not measured for so many: no figure" in capsys.readouterr().out


def test_a_model_that_fits_nowhere_ends_with_1(capsys: pytest.CaptureFixture[str]):
    assert command("--model-memory", "900GiB", "--format", "json") == 1
    assert all(item["fits"] == 0 for item in json.loads(capsys.readouterr().out)["advice"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model-memory", "7G"), "write 7GiB"),
        (("--model-memory", "0Gi"), "above 0"),
        (("--model-memory", "7GiB", "--busy", "1.5"), "--busy"),
        (("--model-memory", "7GiB", "--latency-ms", "-1"), "--latency-ms"),
        (("--model-memory", "7GiB", "--instance-type", "g6e.3xlarge"), "near it: g6e."),
        (("--model-memory", "7GiB", "--instance-type", "g6f.large"), "fraction of a GPU"),
    ],
)
def test_wrong_options_end_with_2_and_one_line(arguments, words: str, capsys: pytest.CaptureFixture[str]):
    assert command(*arguments) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1
