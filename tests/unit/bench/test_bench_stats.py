"""Intervals over runs, fairness, percentiles: against their definitions, not against themselves."""

from __future__ import annotations

from math import gamma, pi, sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.bench.stats import jain, mean_interval, percentile, ratio_interval, t_95

positive = st.floats(0.01, 100)


def student_density(x: float, degrees: int) -> float:
    scale = gamma((degrees + 1) / 2) / (sqrt(degrees * pi) * gamma(degrees / 2))
    return scale * (1 + x * x / degrees) ** (-(degrees + 1) / 2)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 9, 17, 30, 31, 60])
def test_the_95_percent_point_cuts_two_and_a_half_percent_off_students_density(degrees: int):
    steps, point = 20_000, t_95(degrees)
    width = point / steps
    inside = sum(student_density((place + 0.5) * width, degrees) for place in range(steps)) * width
    assert inside == pytest.approx(0.475, abs=1e-3 if degrees > 30 else 1e-4)


def test_the_interval_of_normal_runs_holds_the_truth_about_95_times_in_100():
    chooser = Random(7)
    held = sum(mean_interval([chooser.gauss(3, 1) for _ in range(5)]).contains(3) for _ in range(4000))
    assert 0.94 < held / 4000 < 0.96


@given(st.lists(positive, min_size=2, max_size=8))
def test_a_ratio_and_its_inverse_say_the_same(ratios: list[float]):
    straight, inverse = ratio_interval(ratios), ratio_interval([1 / ratio for ratio in ratios])
    assert straight.mean == pytest.approx(1 / inverse.mean)
    assert straight.low is not None
    assert inverse.high is not None
    assert straight.low == pytest.approx(1 / inverse.high)


def test_one_run_has_no_interval_and_excludes_nothing():
    only = mean_interval([1.5])
    assert (only.low, only.high) == (None, None)
    assert only.contains(99)
    assert "one run" in only.text()


def test_an_interval_is_never_narrower_than_what_the_count_resolves():
    equal = mean_interval([1.0, 1.0, 1.0], resolution=0.01)
    assert (equal.low, equal.high) == (pytest.approx(0.99), pytest.approx(1.01))


@given(st.lists(positive, min_size=1, max_size=10), positive)
def test_fairness_does_not_depend_on_the_unit_and_lies_between_one_nth_and_one(shares: list[float], factor: float):
    index = jain(shares)
    assert 1 / len(shares) - 1e-9 <= index <= 1 + 1e-9
    assert jain([share * factor for share in shares]) == pytest.approx(index)


def test_fairness_is_one_for_equal_shares_and_one_nth_when_one_gets_all():
    assert jain([0.5, 0.5, 0.5]) == pytest.approx(1)
    assert jain([1.0, 0.0, 0.0, 0.0]) == pytest.approx(0.25)


@given(st.lists(positive, min_size=1), st.floats(0, 1))
def test_a_percentile_lies_among_the_values_and_splits_them(values: list[float], share: float):
    ordered = sorted(values)
    found = percentile(ordered, share)
    assert ordered[0] <= found <= ordered[-1]
    assert sum(value <= found for value in ordered) >= share * (len(ordered) - 1)
