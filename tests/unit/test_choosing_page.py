"""docs/choosing.md says what catalogue and records say, and its examples are ones that a stack may hold."""

from __future__ import annotations

import re

import pytest
import yaml

from gpu_slices.catalogue import load
from gpu_slices.report.choosing import measured_table, records_in, with_tables
from tests.support.stacks import ROOT, plan_of

PAGE = ROOT / "docs" / "choosing.md"
RECORDS = ROOT / "benchmarks" / "results" / "h100"


def test_the_tables_are_made_from_the_catalogue_and_the_records():
    page = PAGE.read_text(encoding="utf-8")
    renew = "run: python -m gpu_slices.report.choosing docs/choosing.md benchmarks/results/h100"
    assert page == with_tables(page, records_in(RECORDS)), renew


def test_every_gpu_with_mig_is_named_in_the_decision():
    (row,) = [line for line in PAGE.read_text().splitlines() if line.startswith("| GPUs |")]
    capable = {gpu.label for gpu in load().gpus.values() if gpu.mig_profiles}
    named = [word.strip() for word in row.split("|")[5].split(",")]
    assert {label for label in capable if not any(label.startswith(word) for word in named)} == set()
    assert {word for word in named if not any(label.startswith(word) for label in capable)} == set()


def test_what_the_page_concludes_is_what_was_measured():
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in measured_table(records_in(RECORDS)).splitlines()
    ]
    tokens = {(sharing, models): float(rate.split()[0]) for sharing, models, rate, *_ in rows[2:]}
    slower = {(sharing, models): float(times.split()[0]) for sharing, models, _, _, times, *_ in rows[2:]}
    assert round(tokens["MPS, 4 slices", "4"] / tokens["time-slicing", "4"], 1) == 1.6
    assert round(tokens["MPS, 4 slices", "1"] / tokens["time-slicing", "1"], 2) in (0.78, 0.79)
    assert all(slower["MPS, 4 slices", models] < slower["time-slicing", models] for models in ("2", "4"))
    assert slower["time-slicing", "4"] == pytest.approx(4 * 1.10, abs=0.03)


def test_the_examples_make_a_plan():
    examples = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)]
    assert [plan_of(_keys(raw)).pools[0].strategy for raw in examples] == ["mps", "mig"]


def _keys(raw: dict) -> dict:
    return {key.removeprefix("gpu-slices:"): value for key, value in raw.items()}
