"""What is published: the page says what the shipped records say, plots come of them, the probe's output is read right."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path

import pytest

from gpu_slices.bench.metrics import Record
from gpu_slices.bench.records import read_records
from gpu_slices.bench.report import trouble, with_tables
from gpu_slices.bench.slice_probe import describe

pytestmark = pytest.mark.full

ROOT = Path(__file__).parents[3]
RENEW = "python -m gpu_slices.bench report benchmarks/results/h200/* --page docs/benchmark.md"
RESULTS = ROOT / "benchmarks" / "results" / "h200"


@cache
def shipped() -> list[Record]:
    return [record for path in sorted(RESULTS.iterdir()) for record in read_records(path)]


def test_the_pages_tables_are_those_of_the_shipped_records():
    page = (ROOT / "docs" / "benchmark.md").read_text(encoding="utf-8")
    assert with_tables(page, shipped()) == page, f"renew it: {RENEW}"
    assert all(f"<!-- {name} -->" in page for name in ("headline", "/headline", "all", "/all"))


def test_every_shipped_run_is_sound_and_none_was_left_out():
    assert trouble(shipped()) == []


def test_no_client_was_short_of_cpu_while_it_measured():
    assert all(record["client"]["cpu"] < 0.5 for record in shipped() if record["kind"] == "run")


def test_every_plot_on_the_page_is_drawn_from_the_records(tmp_path: Path):
    draw_all = importlib.import_module("gpu_slices.bench.plots").draw_all
    page = (ROOT / "docs" / "benchmark.md").read_text(encoding="utf-8")
    written = draw_all(shipped(), tmp_path)
    assert len(written) == 4
    for path in written:
        assert f"images/{path.name}" in page
        assert path.stat().st_size > 10_000


def test_a_turn_is_what_lies_between_gaps_and_only_the_common_time_counts():
    """Two processes, 2 ms turns, 0.1 ms lost at each switch; the second starts a millisecond late and ends later."""
    period = 4_200_000
    first = [(start + 2_000_000, start + period) for start in range(0, 10 * period, period)]
    second = [(start - 100_000, start + 2_100_000) for start in range(period, 12 * period, period)]
    outputs = [
        "\n".join([f"RAN {begin} {end} 99", *(f"{one} {two}" for one, two in gaps)])
        for begin, end, gaps in ((0, 10 * period, first), (1_000_000, 12 * period, second))
    ]
    found = describe(outputs)
    assert found["turn_us"]["p50"] == pytest.approx(2000)
    assert found["gap_us"]["p50"] == pytest.approx(2200)
    assert found["seconds_together"] == pytest.approx((10 * period - 1_000_000) / 1e9, abs=1e-3)


def test_a_process_alone_has_no_gaps():
    assert describe(["RAN 0 1000000000 5"])["gap_us"] == {}
