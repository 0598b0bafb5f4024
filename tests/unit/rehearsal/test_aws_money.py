"""The aws stand-in about budgets: refused where AWS would refuse them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.aws.money import BUDGET
from tests.support.world import World, aws_world

NOTIFICATION: dict[str, Any] = {
    "comparisonOperator": "GREATER_THAN",
    "notificationType": "ACTUAL",
    "threshold": 80,
    "thresholdType": "PERCENTAGE",
    "subscriberEmailAddresses": ["team@example.com"],
}
MONTH: dict[str, Any] = {
    "name": "demo",
    "budgetType": "COST",
    "timeUnit": "MONTHLY",
    "limitAmount": "100",
    "limitUnit": "USD",
    "costFilters": [{"name": "TagKeyValue", "values": ["user:gpu-slices:stack$dev"]}],
    "notifications": [NOTIFICATION],
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = aws_world(tmp_path)
    yield made
    made.account.close()


def test_a_budget_is_the_accounts_whatever_the_region(world: World):
    made = world.create(BUDGET, "month", MONTH)
    assert made.id == "123456789012:demo"
    assert made["arn"] == "arn:aws:budgets::123456789012:budget/demo"
    assert world.replaced(made, {**MONTH, "name": "other"}) == {"name"}
    assert world.replaced(made, {**MONTH, "limitAmount": "200"}) == set()


def test_its_name_exists_once(world: World):
    world.create(BUDGET, "month", MONTH)
    assert world.refusal(BUDGET, "again", MONTH).startswith("DuplicateRecordException: Budget demo")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"limitAmount": "0"}, "must be greater than 0"),
        ({"notifications": [{**NOTIFICATION, "subscriberEmailAddresses": []}]}, "at least one subscriber"),
        ({"notifications": [NOTIFICATION] * 11}, "at most 10 notifications"),
        ({"notifications": [{**NOTIFICATION, "subscriberSnsTopicArns": ["a", "b"]}]}, "one topic"),
        ({"costFilters": [{"name": "TagKeyValue", "values": ["gpu-slices:stack=dev"]}]}, "user:KEY$VALUE"),
    ],
)
def test_what_aws_would_not_take_is_refused(world: World, change: dict[str, Any], words: str):
    assert words in world.refusal(BUDGET, "month", {**MONTH, **change})
