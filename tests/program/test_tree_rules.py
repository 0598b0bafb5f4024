"""Rules over every resource of every stack file that ships."""

from __future__ import annotations

import pytest

from tests.support.recordings import recording
from tests.support.stacks import STACKS, plan_of_stack
from tests.support.tree_rules import RULES, Rule


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Rule, stack: str):
    rule(recording(stack), plan_of_stack(stack))
