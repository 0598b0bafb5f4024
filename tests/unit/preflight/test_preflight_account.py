"""What holds for every row: an account with room passes, and nothing is ever written."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_slices.checks.aws_account import AwsAccount
from gpu_slices.checks.preflight import RULES, preflight
from tests.support.stacks import STACKS, plan_of, plan_of_stack
from tests.unit.preflight.pretended_account import (
    PLENTY,
    STACK,
    clients,
    existing,
)


def test_an_account_with_room_passes_every_check_for_a_new_network():
    account = AwsAccount(plan_of(STACK), clients(PLENTY))
    found = preflight(account, lambda *_: None)
    assert {(one.check.name, one.outcome) for one in found if one.outcome != "passed"} == set()
    assert {"identity", "aws-cli", "names", "zones", "instance-types", "vcpu-quotas"} <= {
        one.check.name for one in found
    }


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_is_ever_written(stack: str):
    seen: list[str] = []
    preflight(AwsAccount(plan_of_stack(stack), clients(PLENTY, seen)), lambda *_: None)
    assert seen
    assert [name for name in seen if not name.startswith(("Describe", "Get", "List"))] == []


def test_nothing_is_written_where_the_network_exists_either():
    raw, _, _ = existing()
    seen: list[str] = []
    found = preflight(AwsAccount(plan_of(raw), clients(PLENTY, seen)), lambda *_: None)
    assert [name for name in seen if not name.startswith(("Describe", "Get", "List"))] == []
    assert [one for one in found if one.outcome != "passed"] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.check.name)
def test_every_row_says_cause_and_remedy_in_one_line(rule: Any):
    for cause in rule.check.causes:
        assert cause.remedy
        assert "\n" not in cause.text + cause.remedy
