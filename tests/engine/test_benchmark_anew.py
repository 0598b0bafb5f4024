"""A changed benchmark on the real engine: all of it goes before any of it comes again, in the order of the experiment."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine import Operation
from rehearsal.stage import stage
from tests.support.stacks import plan_of_stack

pytestmark = [pytest.mark.engine, pytest.mark.full]

PREFIX = "platform-benchmark-"
GONE, MADE = "delete-replaced", "create-replacement"


@dataclass(frozen=True, kw_only=True)
class Run:
    fewer_repeats: Operation
    fewer_models: Operation


@pytest.fixture(scope="module")
def run() -> Run:
    benchmark = plan_of_stack("benchmark").settings.benchmark
    assert benchmark
    models = [model.model_dump(by_alias=True, exclude_none=True) for model in benchmark.models]
    with stage("benchmark") as played:
        played.edit("benchmark.repeats", 2)
        played.up()
        played.edit("benchmark.repeats", 1)
        fewer_repeats = played.up()
        played.edit("benchmark.models", models[:1])
        fewer_models = played.up()
    return Run(fewer_repeats=fewer_repeats, fewer_models=fewer_models)


def when(operation: Operation, op: str) -> dict[str, int]:
    """Word → place in the engine's events at which steps of a kind ended."""
    return {
        change.name.removeprefix(PREFIX): change.finished
        for change in operation.changes
        if change.op == op and change.name.startswith(PREFIX) and change.finished is not None
    }


def test_everything_is_gone_before_the_first_server_comes_again(run: Run):
    gone, made = when(run.fewer_repeats, GONE), when(run.fewer_repeats, MADE)
    assert {"server-phi", "server-deepseek", "job-visit", "job-alone-0", "job-together-0"} <= set(gone)
    assert max(gone[name] for name in gone if name.startswith(("server-", "job-"))) < made["server-phi"]


def test_it_comes_again_in_the_order_of_the_experiment(run: Run):
    made = when(run.fewer_repeats, MADE)
    order = ["server-phi", "job-visit", "job-alone-0", "server-deepseek", "job-together-0"]
    assert sorted(order, key=lambda name: made[name]) == order


def test_a_server_that_is_no_longer_named_is_gone_before_the_others_are_measured_anew(run: Run):
    gone, made = {**when(run.fewer_models, "delete"), **when(run.fewer_models, GONE)}, when(run.fewer_models, MADE)
    assert gone["server-deepseek"] < made["server-phi"]
