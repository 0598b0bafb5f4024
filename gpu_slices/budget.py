"""The stack's AWS budget as plain data: what it counts, and at which shares of it whom it tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from .cost.stack_cost import stack_cost
from .naming import STACK_TAG, content_name
from .stack_warning import StackWarning

if TYPE_CHECKING:
    from .plan import Plan

#: AWS Budgets' own limit.
_LONGEST_NAME: Final = 100


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One alert: percent of the budget that is spent (ACTUAL) or that AWS forecasts for the month (FORECASTED)."""

    kind: Literal["ACTUAL", "FORECASTED"]
    percent: int


@dataclass(frozen=True, kw_only=True)
class BudgetPlan:
    """One monthly budget. `tag_filter` is AWS's form of one tag: `user:KEY$VALUE`."""

    name: str
    monthly_usd: int
    tag_filter: str
    notifications: tuple[Notification, ...]
    emails: tuple[str, ...]
    sns_topic_arn: str | None
    #: The tag key to activate for cost allocation; None leaves the account's setting alone.
    activated_tag: str | None


def plan_budget(plan: Plan) -> BudgetPlan | None:
    """The budget of a stack; None where it names none."""
    budget = plan.settings.budget
    if budget is None:
        return None
    whole = f"{plan.settings.cluster.name}-{plan.settings.region}"
    return BudgetPlan(
        name=whole if len(whole) <= _LONGEST_NAME else content_name(whole[:80], whole),
        monthly_usd=budget.monthly_usd,
        tag_filter=f"user:{STACK_TAG}${plan.tags[STACK_TAG]}",
        notifications=(
            *(Notification(kind="ACTUAL", percent=percent) for percent in budget.actual_percent),
            *(Notification(kind="FORECASTED", percent=percent) for percent in budget.forecast_percent),
        ),
        emails=budget.emails,
        sns_topic_arn=budget.sns_topic_arn,
        activated_tag=STACK_TAG if budget.activate_tags else None,
    )


def budget_warnings(plan: Plan) -> Iterator[StackWarning]:
    """A budget that is spent by what runs all the time: its alerts would say nothing new every month."""
    budget = plan.settings.budget
    if budget is None:
        return
    month = stack_cost(plan).configured
    if month > budget.monthly_usd:
        yield StackWarning(
            path="budget.monthlyUsd",
            message=f"what runs all month costs ${month:,.0f} by the stack's prices, more than ${budget.monthly_usd:,}: "
            "every alert will come every month",
        )
