"""Every log group that a stack may have."""

from __future__ import annotations

from .interruptions import interruption_log_group_name
from .naming import flow_log_group_name, insights_log_group_names, log_group_name
from .plan import Plan
from .settings.cluster import Cluster


def log_groups_of(plan: Plan) -> tuple[str, ...]:
    """The log groups that a stack makes itself, sorted."""
    settings, cluster = plan.settings, plan.settings.cluster.name
    names = [log_group_name(cluster)] if isinstance(settings.cluster, Cluster) else []
    names += [interruption_log_group_name(cluster)] if plan.karpenter else []
    names += [flow_log_group_name(cluster)] if settings.security.flow_logs != "none" else []
    if "amazon-cloudwatch-observability" in settings.cluster.optional_addons:
        names += insights_log_group_names(cluster)
    return tuple(sorted(names))


def log_group_names(cluster: str) -> tuple[str, ...]:
    """The names, sorted, whether the stack has the group now or not: its key may encrypt these and no others."""
    names = {log_group_name(cluster), *insights_log_group_names(cluster)}
    return tuple(sorted(names.union(log_group_names_beside(cluster))))


def log_group_names_beside(cluster: str) -> tuple[str, ...]:
    """Those that only this program makes, also beside a cluster that somebody else's control plane and agents log from."""
    return tuple(sorted((interruption_log_group_name(cluster), flow_log_group_name(cluster))))
