"""The stack's recording and alerting rules, as Prometheus and its operator take them."""

from __future__ import annotations

from typing import Any

from ..plan import Plan
from .alerts import RUNBOOK_PAGE, alert_rule, alerts_of
from .constants import constant_rules
from .queries import RECORDINGS


def rule_groups(plan: Plan) -> list[dict[str, Any]]:
    """Groups `constants`, `series` and `alerts`; a group's rules are evaluated in their order."""
    settings = plan.settings.monitoring
    runbook = f"{settings.docs_url.rstrip('/')}/{RUNBOOK_PAGE}"
    return [
        {"name": "gpu-slices-constants", "rules": constant_rules(plan)},
        {"name": "gpu-slices-series", "rules": [{"record": one.name, "expr": one.expr} for one in RECORDINGS]},
        {
            "name": "gpu-slices-alerts",
            "rules": [alert_rule(one, idle_minutes=settings.idle_minutes, runbook=runbook) for one in alerts_of(plan)],
        },
    ]
