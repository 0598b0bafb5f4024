"""Random settings through the whole program under the recording monitor: a tree that keeps the rules, or refusals."""

from __future__ import annotations

import json
import runpy
from typing import Any

import pulumi
import pytest

from rehearsal.existing import world_of_raw
from rehearsal.project import ROOT
from rehearsal.recorder import record
from tests.support.random_settings import any_settings, tried
from tests.support.readable import assert_words_are_readable
from tests.support.tree_rules import RULES


def as_stored(raw: dict[str, Any]) -> dict[str, Any]:
    """The settings as the engine keeps them: JSON, in which every key is text and there is no infinity."""
    return json.loads(json.dumps(raw, default=str, skipkeys=True), parse_constant=str)


def tree_or_refusal(raw: dict[str, Any]) -> None:
    config = {key if ":" in key else f"gpu-slices:{key}": value for key, value in as_stored(raw).items()}
    program: dict[str, Any] = {}
    try:
        run = lambda: program.update(runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"))  # noqa: E731
        recorded = record(run, stack="fuzz", config=config, existing=world_of_raw(as_stored(raw)))
    except pulumi.RunError as error:
        heading, *mistakes = str(error).splitlines()
        assert heading == "the settings of stack fuzz have mistakes:"
        assert mistakes
        for words in mistakes:
            assert_words_are_readable(words)
        return
    for rule in RULES:
        rule(recorded, program["plan"])


@pytest.mark.parametrize(
    ("examples", "part"), [(15, 0), *(pytest.param(100, part, marks=pytest.mark.full) for part in (1, 2, 3))]
)
def test_random_settings_make_a_tree_that_keeps_the_rules(examples: int, part: int):
    tried(any_settings, examples, part)(tree_or_refusal)
