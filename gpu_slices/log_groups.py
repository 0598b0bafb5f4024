"""Every log group that a stack may have."""

from __future__ import annotations

from .interruptions import interruption_log_group_name
from .naming import flow_log_group_name, insights_log_group_names, log_group_name
from .plan import Plan


def log_groups_of(plan: Plan) -> tuple[str, ...]:
    """The log groups that a stack makes itself, sorted."""
    settings, cluster = plan.settings, plan.settings.cluster.name
    names = [log_group_name(cluster)]
    names += [interruption_log_group_name(cluster)] if plan.karpenter else []
    names += [flow_log_group_name(cluster)] if settings.security.flow_logs != "none" else []
    if "amazon-cloudwatch-observability" in settings.cluster.optional_addons:
        names += insights_log_group_names(cluster)
    return tuple(sorted(names))


def log_group_names(cluster: str) -> tuple[str, ...]:
    """The names, sorted, whether the stack has the group now or not: its key may encrypt these and no others."""
    names = {log_group_name(cluster), interruption_log_group_name(cluster), flow_log_group_name(cluster)}
    return tuple(sorted(names.union(insights_log_group_names(cluster))))
