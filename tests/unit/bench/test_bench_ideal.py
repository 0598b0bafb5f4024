"""Ideal processor sharing: the closed form, and the simulation of whole servers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.bench.ideal import Service, completion_times, saturated_slowdown, simulate

works = st.lists(st.floats(0.01, 10), min_size=1, max_size=6)
ONE_BY_ONE = Service(prefill_s=0.0, steps=((1, 0.01),), max_batch=1, output_tokens=10)


@given(works)
def test_ideal_sharing_ends_with_the_last_job_when_all_work_is_done(jobs: list[float]):
    ends = completion_times(jobs)
    assert max(ends) == pytest.approx(sum(jobs))
    assert all(end >= work - 1e-9 for end, work in zip(ends, jobs, strict=True))


@given(st.floats(0.01, 10), st.integers(1, 10))
def test_equal_jobs_all_take_n_times_as_long(work: float, count: int):
    assert completion_times([work] * count) == pytest.approx([work * count] * count)


def test_the_first_published_study_of_this_setup_is_ideal_sharing_of_two_unequal_jobs():
    """Latencies alone 0.609 and 1.135 s; both started together +101.4 % and +56.6 % were reported."""
    phi, deepseek = completion_times([0.609, 1.135])
    assert phi / 0.609 - 1 == pytest.approx(1.000, abs=1e-3)
    assert deepseek / 1.135 - 1 == pytest.approx(0.537, abs=1e-3)


@given(st.integers(1, 12), st.floats(0.05, 1.0))
def test_models_that_leave_the_gpu_idle_slow_each_other_less(models: int, busy: float):
    assert saturated_slowdown(models) == models
    assert 1 <= saturated_slowdown(models, busy) <= models


def test_one_request_alone_takes_its_prefill_and_its_steps():
    service = Service(prefill_s=0.05, steps=((1, 0.01),), max_batch=4, output_tokens=11)
    (outcome,) = simulate([(1.0, 0)], 1, service, 100)
    assert outcome.ttft == pytest.approx(0.05)
    assert outcome.e2e == pytest.approx(0.15)


@given(st.integers(1, 5))
def test_requests_to_different_models_at_once_take_n_times_as_long(models: int):
    outcomes = simulate([(0.0, model) for model in range(models)], models, ONE_BY_ONE, 100)
    assert [outcome.e2e for outcome in outcomes] == pytest.approx([0.09 * models] * models)


def test_requests_to_one_full_server_wait_for_each_other():
    outcomes = simulate([(0.0, 0), (0.0, 0)], 1, ONE_BY_ONE, 100)
    assert [outcome.e2e for outcome in outcomes] == pytest.approx([0.09, 0.18])


def test_a_batch_costs_what_was_measured_for_its_size():
    service = Service(prefill_s=0.0, steps=((1, 0.01), (3, 0.03)), max_batch=8, output_tokens=11)
    assert [service.step_s(batch) for batch in (1, 2, 3, 9)] == pytest.approx([0.01, 0.02, 0.03, 0.03])


def test_a_request_that_the_end_cuts_off_has_no_latency():
    (outcome,) = simulate([(0.0, 0)], 1, ONE_BY_ONE, 0.05)
    assert outcome.e2e is None


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 2)), min_size=1, max_size=20))
def test_no_request_is_faster_shared_than_the_gpu_alone_allows(arrivals: list[tuple[float, int]]):
    outcomes = simulate(arrivals, 3, ONE_BY_ONE, 1000)
    assert all(outcome.e2e is not None and outcome.e2e >= 0.09 - 1e-9 for outcome in outcomes)
