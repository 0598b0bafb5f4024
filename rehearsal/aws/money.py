"""Budgets and cost allocation tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rehearsal.aws.table import AwsType, View, paths

BUDGET = "aws:budgets/budget:Budget"

_TAG_VALUE = re.compile(r"(user|aws):[^$]+\$.*")


def _limit(inputs: Mapping[str, Any], _view: View) -> str | None:
    if float(inputs.get("limitAmount") or 0) <= 0:
        return "InvalidParameterException: limitAmount must be greater than 0"
    return None


def _subscribers(inputs: Mapping[str, Any], _view: View) -> str | None:
    notifications = inputs.get("notifications") or ()
    if len(notifications) > 10:
        return "CreationLimitExceededException: a budget has at most 10 notifications"
    for one in notifications:
        emails, topics = one.get("subscriberEmailAddresses") or (), one.get("subscriberSnsTopicArns") or ()
        if not emails and not topics:
            return "InvalidParameterException: a notification needs at least one subscriber"
        if len(emails) > 10 or len(topics) > 1:
            return "InvalidParameterException: a notification has at most 10 addresses and one topic"
    return None


def _tags(inputs: Mapping[str, Any], _view: View) -> str | None:
    for one in inputs.get("costFilters") or ():
        wrong = [value for value in one["values"] if not _TAG_VALUE.fullmatch(value)]
        if one["name"] == "TagKeyValue" and wrong:
            return f"InvalidParameterException: a tag filter reads user:KEY$VALUE, not {wrong[0]}"
    return None


TYPES: dict[str, AwsType] = {
    BUDGET: AwsType(
        id="{account}:{name}",
        arn="arn:aws:budgets::{account}:budget/{name}",
        named="name",
        prefix="namePrefix",
        immutable=paths("name", "namePrefix", "accountId"),
        unique=("name",),
        taken="DuplicateRecordException",
        longest=100,
        rules=(_limit, _subscribers, _tags),
    ),
    "aws:costexplorer/costAllocationTag:CostAllocationTag": AwsType(
        id="{tagKey}", immutable=paths("tagKey"), outputs={"type": "UserDefined"}
    ),
}
