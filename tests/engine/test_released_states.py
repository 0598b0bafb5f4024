"""A stack that an earlier version made: this one changes it without taking anything away that nobody meant to."""

from __future__ import annotations

from functools import cache

import pytest

from engine import Operation
from gpu_slices.naming import PROJECT
from gpu_slices.settings import parse
from rehearsal.stage import stage
from tests.support.released import destructive, explained, load, recorded

#: One stack in the short run, all of them in the long one.
CASES = [
    pytest.param(version, stack, marks=[] if stack == "dev" else pytest.mark.full) for version, stack in recorded()
]


@cache
def preview(version: str, stack: str) -> Operation:
    """What this program would do to a recorded stack whose settings nobody touched."""
    was = load(version, stack)
    with stage(stack, config=was.settings) as played:
        played.restore(was.deployment)
        return played.preview()


def test_a_version_is_recorded():
    assert recorded()


@pytest.mark.parametrize(("version", "stack"), recorded())
def test_settings_of_a_released_version_are_still_taken(version: str, stack: str):
    raw = {key.removeprefix(f"{PROJECT}:"): value for key, value in load(version, stack).settings.items()}
    assert parse(raw, stack=stack)


@pytest.mark.engine
@pytest.mark.parametrize(("version", "stack"), CASES)
def test_an_upgrade_takes_nothing_away_and_replaces_nothing_without_a_reason(version: str, stack: str):
    unexplained = [
        f"{change.op} {change.type} {change.name} ({', '.join(change.replace_keys)})"
        for change in destructive(preview(version, stack))
        if not any(known.covers(version, stack, change) for known in explained())
    ]
    assert unexplained == [], "name the reason in tests/data/released/explained.json and in docs/upgrading.md"


@pytest.mark.engine
def test_a_preview_over_a_recorded_state_sees_what_is_there_and_tells_a_replacement():
    version, stack = next(case for case in recorded() if case[1] == "dev")
    assert preview(version, stack).unchanged > 40
    was = load(version, stack)
    with stage(stack, config={**was.settings, f"{PROJECT}:network": {"cidr": "10.9.0.0/16"}}) as played:
        played.restore(was.deployment)
        assert {change.type for change in destructive(played.preview())} >= {"aws:ec2/vpc:Vpc"}


@pytest.mark.engine
@pytest.mark.full
def test_every_explanation_is_still_needed():
    steps = [
        (version, stack, change) for version, stack in recorded() for change in destructive(preview(version, stack))
    ]
    assert [known for known in explained() if not any(known.covers(*step) for step in steps)] == []
