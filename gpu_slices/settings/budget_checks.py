"""Rules over the keys of `budget`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from .budget import MOST_ALERTS, MOST_EMAILS
from .mistakes import Mistake
from .model import Settings

Check = Callable[[Settings], Iterator[Mistake]]


def _somebody_is_told(settings: Settings) -> Iterator[Mistake]:
    budget = settings.budget
    if budget is None:
        return
    if not budget.emails and budget.sns_topic_arn is None:
        yield Mistake(
            path="budget.emails",
            problem="nobody would be told of the budget",
            remedy="name addresses, or a topic as snsTopicArn",
        )
    if len(budget.emails) > MOST_EMAILS:
        yield Mistake(
            path="budget.emails",
            problem=f"AWS tells {MOST_EMAILS} addresses, not {len(budget.emails)}",
            remedy="name a mailing list, or a topic as snsTopicArn",
        )


def _something_is_told(settings: Settings) -> Iterator[Mistake]:
    budget = settings.budget
    if budget is None:
        return
    count = len(budget.actual_percent) + len(budget.forecast_percent)
    if count == 0:
        yield Mistake(
            path="budget", problem="a budget without an alert", remedy="name actualPercent or forecastPercent"
        )
    if count > MOST_ALERTS:
        yield Mistake(
            path="budget",
            problem=f"{count} alerts; AWS takes {MOST_ALERTS} per budget",
            remedy="name fewer under actualPercent and forecastPercent",
        )


#: Check → keys that it interprets, as in checks.CHECKS.
BUDGET_CHECKS: Mapping[Check, tuple[str, ...]] = {
    _somebody_is_told: ("budget",),
    _something_is_told: ("budget",),
}
