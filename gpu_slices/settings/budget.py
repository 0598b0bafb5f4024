"""The `budget` key: how much a month may cost, and who is told before and after it does."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from .base import Flag, Model, Text, refused, whole_number
from .mistakes import shown

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_TOPIC: Final = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}")
#: AWS takes 10 notifications per budget (Budgets API, NotificationWithSubscribersList) and 10 addresses for each.
MOST_ALERTS: Final = 10
MOST_EMAILS: Final = 10
_MOST_PERCENT: Final = 1000


def _dollars(value: Any) -> int:
    dollars = whole_number(value)
    if dollars < 1:
        raise refused(f"a budget of {dollars} USD cannot be", "write whole USD a month, from 1")
    return dollars


def _percent(value: Any) -> int:
    percent = whole_number(value)
    if not 1 <= percent <= _MOST_PERCENT:
        raise refused(f"{percent} % of the budget is no alert", f"write whole percent from 1 to {_MOST_PERCENT}")
    return percent


def _email(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise refused(f"{shown(value)} is not an email address", "write one like team@example.com")
    return value


def _topic(value: str) -> str:
    if not _TOPIC.fullmatch(value):
        raise refused(
            f"{shown(value)} is not an SNS topic", "write an ARN like arn:aws:sns:us-east-1:123456789012:name"
        )
    return value


def _each_once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(set(values)))


Percents = Annotated[tuple[Annotated[int, BeforeValidator(_percent)], ...], AfterValidator(_each_once)]


class MonthlyBudget(Model):
    """One AWS budget for what carries the stack's tag."""

    monthly_usd: Annotated[int, BeforeValidator(_dollars)] = Field(
        alias="monthlyUsd", description="What a calendar month may cost, in whole USD."
    )
    emails: Annotated[tuple[Annotated[Text, AfterValidator(_email)], ...], AfterValidator(_each_once)] = Field(
        default=(), description="Addresses that are told."
    )
    sns_topic_arn: Annotated[Text, AfterValidator(_topic)] | None = Field(
        default=None, description="SNS topic that is told; its policy must let budgets.amazonaws.com publish."
    )
    actual_percent: Percents = Field(default=(80, 100), description="Percent spent at which to tell.")
    forecast_percent: Percents = Field(
        default=(100,), description="Percent that AWS forecasts for the month at which to tell."
    )
    activate_tags: Flag = Field(
        default=False,
        description="Activate the stack's tag for cost allocation in the whole account; only once AWS has billed it.",
    )


def _absent_when_empty(value: Any) -> Any:
    """`{}` is what Pulumi.yaml declares as the default: the same as no key at all."""
    return None if value == {} else value


OptionalBudget = Annotated[MonthlyBudget | None, BeforeValidator(_absent_when_empty)]
