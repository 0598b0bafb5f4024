"""What people are told of: condition, how long it must last, and the page section that says what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from ..plan import Plan

#: The page whose sections say what to do, in this repository's docs/.
RUNBOOK_PAGE: Final = "monitoring.md"

#: XIDs that an application causes by itself and that leave the GPU healthy: the ones that NVIDIA's device plugin
#: ignores (k8s-device-plugin 0.20.0, internal/rm/health.go).
APPLICATION_XIDS: Final = (13, 31, 43, 45, 68, 109)
_APPLICATION: Final = "|".join(str(xid) for xid in APPLICATION_XIDS)
_XIDS: Final = 'max by (node, gpu, modelName, xid) (DCGM_EXP_XID_ERRORS_COUNT{xid%s"' + _APPLICATION + '"}) > 0'
_HELD: Final = "sum by (node) (gpu_slices:pod_slices)"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert. `expr` gives one series per thing that is wrong; `section` is its heading in the runbook page.

    `lasts` may hold `{idle}`, the stack's minutes; `needs_overlays` keeps it to stacks that have NodeOverlays.
    """

    name: str
    expr: str
    lasts: str
    severity: Literal["critical", "warning"]
    summary: str
    section: str
    needs_overlays: bool = False


ALERTS: Final = (
    Alert(
        name="GpuSlicesStarved",
        expr="sum by (namespace, resource) (gpu_slices:pending_slices) > 0",
        lasts="10m",
        severity="warning",
        summary="pods of {{ $labels.namespace }} have waited ten minutes for {{ $value }} of {{ $labels.resource }}",
        section="slices-starved",
    ),
    Alert(
        name="GpuMemoryNearlyFull",
        expr="gpu_slices:gpu_memory_used:ratio > 0.9",
        lasts="5m",
        severity="warning",
        summary="GPU {{ $labels.gpu }} of {{ $labels.node }} ({{ $labels.pool }}) has {{ $value | humanizePercentage }} of "
        "its memory taken: the next allocation of any pod on it may fail",
        section="memory-nearly-full",
    ),
    Alert(
        name="GpuXidError",
        expr=_XIDS % "!~",
        lasts="0m",
        severity="critical",
        summary="XID {{ $labels.xid }} on GPU {{ $labels.gpu }} of {{ $labels.node }}: every pod on the card is affected",
        section="xid-errors",
    ),
    Alert(
        name="GpuApplicationXidError",
        expr=_XIDS % "=~",
        lasts="0m",
        severity="warning",
        summary="XID {{ $labels.xid }} on GPU {{ $labels.gpu }} of {{ $labels.node }}: a program on it failed",
        section="xid-errors",
    ),
    Alert(
        name="GpuPoolAtItsLimit",
        expr="(count by (pool) (gpu_slices:node) >= on (pool) gpu_slices:pool_most_nodes) "
        "and on (pool) (sum by (pool) (gpu_slices:pod_slices) >= on (pool) sum by (pool) (gpu_slices:node_slices))",
        lasts="15m",
        severity="warning",
        summary="pool {{ $labels.pool }} has all its {{ $value }} nodes and no free slice: the next pod waits",
        section="pool-at-its-limit",
    ),
    Alert(
        name="GpuNodeWithoutPlugin",
        expr="gpu_slices:node unless on (node) (sum by (node) (gpu_slices:node_slices) > 0)",
        lasts="10m",
        severity="critical",
        summary="{{ $labels.node }} of pool {{ $labels.pool }} advertises no GPU: it costs money and holds nothing",
        section="node-without-plugin",
    ),
    Alert(
        name="GpuNodesDisagree",
        expr="max by (pool, instance_type, resource) (gpu_slices:node_slices) "
        "!= min by (pool, instance_type, resource) (gpu_slices:node_slices > 0)",
        lasts="30m",
        severity="warning",
        summary="nodes of pool {{ $labels.pool }} ({{ $labels.instance_type }}) advertise different numbers of "
        "{{ $labels.resource }}: a slice edit did not reach all of them, or a GPU is unhealthy",
        section="nodes-disagree",
    ),
    Alert(
        name="NodeOverlayNotReady",
        expr="gpu_slices:node_overlay unless on (node_overlay) "
        'max by (node_overlay) (kube_customresource_nodeoverlay_condition{type="Ready"} == 1)',
        lasts="5m",
        severity="critical",
        summary="NodeOverlay {{ $labels.node_overlay }} is not Ready: Karpenter counts GPUs instead of slices",
        section="overlay-not-ready",
        needs_overlays=True,
    ),
    Alert(
        name="GpuNodeIdle",
        # A node of unknown price is idle too. Severity info would reach nobody: the chart's own routes hold it back.
        expr=f"(gpu_slices:node_usd_per_hour or gpu_slices:node * 0) unless on (node) ({_HELD} > 0)",
        lasts="{idle}m",
        severity="warning",
        summary="{{ $labels.node }} of pool {{ $labels.pool }} has had no GPU pod for {idle} minutes"
        "{{ if gt $value 0.0 }}, at ${{ $value }} an hour{{ end }}",
        section="node-idle",
    ),
    Alert(
        name="GpuMetricsMissing",
        expr="gpu_slices:node unless on (node) max by (node) (DCGM_FI_DEV_GPU_TEMP)",
        lasts="15m",
        severity="warning",
        summary="no metrics come from the GPUs of {{ $labels.node }}: dashboards are blind to it",
        section="metrics-missing",
    ),
)


def alerts_of(plan: Plan) -> tuple[Alert, ...]:
    """The alerts that can come true on the stack."""
    overlays = any(one.overlay for pool in plan.pools for one in pool.node_pools)
    return tuple(alert for alert in ALERTS if overlays or not alert.needs_overlays)


def alert_rule(alert: Alert, *, idle_minutes: int, runbook: str) -> dict[str, Any]:
    """The alert as Prometheus takes it; `runbook` is the address of the page."""
    idle = str(idle_minutes)
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.lasts.replace("{idle}", idle),
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary.replace("{idle}", idle),
            "runbook_url": f"{runbook}#{alert.section}",
        },
    }
