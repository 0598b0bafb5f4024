"""An AWS budget for what the stack costs, found by its tag."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from gpu_slices.budget import BudgetPlan

from .component import Component


@dataclass(frozen=True, kw_only=True)
class BudgetArgs:
    """The budget as planned."""

    budget: BudgetPlan


class Budget(Component):
    """One monthly budget with its alerts; on request also the account's setting that makes the tag count."""

    def __init__(self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        budget = args.budget
        if budget.activated_tag:
            # The whole account's: another stack's budget may need it after this one is gone.
            aws.costexplorer.CostAllocationTag(
                f"{name}-tag",
                tag_key=budget.activated_tag,
                status="Active",
                opts=self.child(retain_on_delete=True),
            )
        aws.budgets.Budget(
            f"{name}-month",
            name=budget.name,
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(budget.monthly_usd),
            limit_unit="USD",
            cost_filters=[{"name": "TagKeyValue", "values": [budget.tag_filter]}],
            notifications=[
                {
                    "notification_type": one.kind,
                    "comparison_operator": "GREATER_THAN",
                    "threshold": one.percent,
                    "threshold_type": "PERCENTAGE",
                    "subscriber_email_addresses": list(budget.emails),
                    "subscriber_sns_topic_arns": [budget.sns_topic_arn] if budget.sns_topic_arn else [],
                }
                for one in budget.notifications
            ],
            opts=self.child(),
        )
        self.register_outputs({})
