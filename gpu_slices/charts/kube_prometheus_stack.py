"""Prometheus, Alertmanager, Grafana and kube-state-metrics by one chart, with what the stack has to say to them.

Rules and scrape targets go through the chart's own values, so no object here needs a CRD before the chart brought it.
"""

from __future__ import annotations

from typing import Any, Final

from ..monitoring.queries import NODE_LABELS
from ..monitoring.requests import MONITORING_REQUESTS
from ..monitoring.rules import rule_groups
from ..naming import MONITORING_NAMESPACE
from ..node_groups import SYSTEM_LABEL
from ..plan import Plan
from ..quantities import mebibytes
from ..settings.monitoring import Monitoring, Storage
from ..versions import KUBE_PROMETHEUS_STACK
from .dcgm_exporter import PODS
from .karpenter import KARPENTER_NAMESPACE
from .release import Release

#: Images of seven parts, one after the other, and the chart's certificate job before them.
_TIMEOUT_SECONDS: Final = 900
#: Share of a volume that samples may fill; the rest is the write-ahead log and compaction.
_FILL: Final = 0.8
#: Without a volume samples lie on the system node's root disk (20 GiB by default, shared with images and logs).
_ON_THE_NODE: Final = {"retentionSize": "4GB", "storageSpec": {"emptyDir": {"sizeLimit": "6Gi"}}}
_INTERVAL: Final = "15s"

#: EKS runs these where nothing of the cluster can reach them.
_HIDDEN_BY_EKS: Final = ("kubeControllerManager", "kubeEtcd", "kubeProxy", "kubeScheduler")


def release(plan: Plan) -> Release:
    """The release. A slice edit changes nothing of it; an edit of pools or prices changes its rules."""
    return Release(
        name="kube-prometheus-stack",
        pin=KUBE_PROMETHEUS_STACK,
        namespace=MONITORING_NAMESPACE,
        values=_values(plan, plan.settings.monitoring),
        timeout_seconds=_TIMEOUT_SECONDS,
    )


def _values(plan: Plan, settings: Monitoring) -> dict[str, Any]:
    on_system_nodes = {"nodeSelector": {SYSTEM_LABEL: "system"}}
    return {
        **{part: {"enabled": False} for part in _HIDDEN_BY_EKS},
        "additionalPrometheusRulesMap": {"gpu-slices": {"groups": rule_groups(plan)}},
        "alertmanager": {
            "alertmanagerSpec": {**on_system_nodes, "resources": _resources("alertmanager"), **_routes(settings)}
        },
        "grafana": {
            **on_system_nodes,
            "resources": _resources("grafana"),
            "sidecar": {"resources": _resources("grafana-sidecar")},
        },
        "kube-state-metrics": {
            **on_system_nodes,
            "resources": _resources("kube-state-metrics"),
            "metricLabelsAllowlist": [f"nodes=[{','.join(NODE_LABELS)}]"],
            **(_overlay_conditions() if plan.karpenter else {}),
        },
        "prometheus-node-exporter": {"resources": _resources("node-exporter")},
        "prometheusOperator": {**on_system_nodes, "resources": _resources("operator")},
        "prometheus": {
            "additionalPodMonitors": [_exporter(plan)],
            "additionalServiceMonitors": [_karpenter()] if plan.karpenter else [],
            "prometheusSpec": {
                **on_system_nodes,
                "resources": _prometheus_resources(settings),
                "retention": f"{settings.retention_days}d",
                **(_volume(settings.storage) if settings.storage else _ON_THE_NODE),
            },
        },
    }


def _resources(part: str) -> dict[str, Any]:
    cpu, memory = MONITORING_REQUESTS[part]
    return {"requests": {"cpu": f"{cpu}m", "memory": f"{memory}Mi"}, "limits": {"memory": f"{2 * memory}Mi"}}


def _prometheus_resources(settings: Monitoring) -> dict[str, Any]:
    cpu, _ = MONITORING_REQUESTS["prometheus"]
    return {
        "requests": {"cpu": f"{cpu}m", "memory": settings.memory},
        "limits": {"memory": f"{2 * mebibytes(settings.memory)}Mi"},
    }


def _routes(settings: Monitoring) -> dict[str, Any]:
    """Who is told: a secret that somebody makes, for addresses and tokens belong in no stack file."""
    return {"useExistingSecret": True, "configSecret": settings.alert_secret} if settings.alert_secret else {}


def _volume(storage: Storage) -> dict[str, Any]:
    """The volume goes with Prometheus: a StatefulSet's claims stay otherwise, and bill after destroy."""
    claim = {
        "storageClassName": storage.storage_class,
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{storage.size_gib}Gi"}},
    }
    return {
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"},
        "retentionSize": f"{int(storage.size_gib * _FILL)}GiB",
        "storageSpec": {"volumeClaimTemplate": {"spec": claim}},
    }


def _exporter(plan: Plan) -> dict[str, Any]:
    """The exporter's own labels for the pods it speaks of become `exported_…`: its series are of the node first."""
    namespace, labels = PODS[plan.settings.gpu_stack]
    node = {"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "node", "action": "replace"}
    return {
        "name": "dcgm-exporter",
        "namespaceSelector": {"matchNames": [namespace]},
        "selector": {"matchLabels": dict(labels)},
        "podMetricsEndpoints": [{"port": "metrics", "interval": _INTERVAL, "relabelings": [node]}],
    }


def _karpenter() -> dict[str, Any]:
    return {
        "name": "karpenter",
        "namespaceSelector": {"matchNames": [KARPENTER_NAMESPACE]},
        "selector": {"matchLabels": {"app.kubernetes.io/name": "karpenter"}},
        "endpoints": [{"port": "http-metrics", "interval": _INTERVAL}],
    }


def _overlay_conditions() -> dict[str, Any]:
    """Karpenter has no metric for a NodeOverlay's conditions; kube-state-metrics reads them from its status.

    The series is kube_customresource_nodeoverlay_condition{node_overlay, type}: 1 for True, 0 for False.
    """
    condition = {
        "name": "nodeoverlay_condition",
        "help": "Whether a condition of a NodeOverlay is True.",
        "each": {
            "type": "Gauge",
            "gauge": {"path": ["status", "conditions"], "labelsFromPath": {"type": ["type"]}, "valueFrom": ["status"]},
        },
    }
    resource = {
        "groupVersionKind": {"group": "karpenter.sh", "version": "v1alpha1", "kind": "NodeOverlay"},
        "labelsFromPath": {"node_overlay": ["metadata", "name"]},
        "metrics": [condition],
    }
    return {
        "customResourceState": {
            "enabled": True,
            "config": {"kind": "CustomResourceStateMetrics", "spec": {"resources": [resource]}},
        },
        "rbac": {
            "extraRules": [{"apiGroups": ["karpenter.sh"], "resources": ["nodeoverlays"], "verbs": ["list", "watch"]}]
        },
    }
