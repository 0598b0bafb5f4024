"""Random settings, right and wrong, through everything that works without an engine: a plan, or refusals one can read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from gpu_slices.cost.stack_cost import stack_cost
from gpu_slices.outputs import pool_outputs
from gpu_slices.plan import Plan, make_plan
from gpu_slices.render import render
from gpu_slices.report.plan_json import plan_json
from gpu_slices.review.sides import side_of, side_of_text
from gpu_slices.review.stack_review import review
from gpu_slices.settings import SettingsError, parse
from tests.support.field_values import accepted, leaf_types
from tests.support.random_settings import any_settings, stack_texts, tried
from tests.support.readable import assert_fits_the_crds, assert_pinned_and_wellformed, assert_readable

#: Parts of a run, so that several processes share the work; each has its own seed.
PARTS = 4
EVERY_PART = [pytest.param(part, marks=pytest.mark.full) for part in range(PARTS)]


def planned(raw: dict[str, Any]) -> Plan | None:
    """The plan, or None after settings were refused in words one can read."""
    try:
        return make_plan(parse(raw, stack="fuzz"), stack="fuzz")
    except SettingsError as error:
        assert_readable(error.mistakes)
        return None


def plan_or_refusal(raw: dict[str, Any]) -> None:
    plan = planned(raw)
    if plan is not None:
        files = render(plan)
        assert_pinned_and_wellformed(files)
        assert_fits_the_crds(plan)
        assert sorted(pool_outputs(plan)) == sorted(plan_json(plan)["pools"])
        assert stack_cost(plan)


@pytest.mark.full
def test_four_hundred_settings_make_a_plan_or_refusals_one_can_read():
    tried(any_settings, 400)(plan_or_refusal)


@pytest.mark.parametrize("part", EVERY_PART)
def test_ten_thousand_settings_make_a_plan_or_refusals_one_can_read(part: int):
    tried(any_settings, 10_000 // PARTS, part)(plan_or_refusal)


@pytest.mark.parametrize("examples", [100, pytest.param(1000, marks=pytest.mark.full)])
def test_any_two_settings_can_be_reviewed_against_each_other(examples: int):
    def reviewed(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
        old, new = pair
        assert review("fuzz", side_of("fuzz", old, "old"), side_of("fuzz", new, "new")).stack == "fuzz"

    tried(st.tuples(any_settings, any_settings), examples)(reviewed)


@pytest.mark.parametrize("examples", [150, pytest.param(2000, marks=pytest.mark.full)])
def test_a_stack_file_with_slips_of_the_pen_is_read_or_refused_in_words_one_can_read(examples: int):
    def read(text: str) -> None:
        _, side = side_of_text("Pulumi.fuzz.yaml", text)
        assert side.plan or side.mistakes
        if side.mistakes:
            assert_readable(side.mistakes)

    tried(stack_texts, examples)(read)


def test_both_kinds_are_common_among_the_random_settings():
    """A generator that drifted to one side would prove nothing."""
    plans = []
    tried(any_settings, 200)(lambda raw: plans.append(planned(raw) is not None))
    assert 0.25 < sum(plans) / len(plans) < 0.75


def test_every_plain_key_has_values_that_it_accepts():
    """A new key with a form of its own needs an example in a stack file, in its refusal, or in field_values.TEXTS."""
    assert [path for path, annotation in leaf_types() if not accepted(annotation)] == []
