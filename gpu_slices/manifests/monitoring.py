"""What stands beside the monitoring charts: their namespace, and the dashboards as config maps."""

from __future__ import annotations

import json
from typing import Any

from ..monitoring.dashboards import DASHBOARDS
from ..monitoring.grafana import Dashboard, model
from ..naming import MANAGED_BY_LABELS, MONITORING_NAMESPACE
from ..plan import Plan
from .namespace import namespace


def monitoring_objects(plan: Plan) -> list[dict[str, Any]]:
    """The namespace, then the dashboards; nothing unless monitoring is on."""
    if not plan.settings.monitoring.enabled:
        return []
    return [monitoring_namespace(), *(dashboard_config_map(one) for one in DASHBOARDS)]


def monitoring_namespace() -> dict[str, Any]:
    """The charts' namespace: exporters look at the host, NVIDIA's holds SYS_ADMIN."""
    return namespace(MONITORING_NAMESPACE, "privileged")


def dashboard_config_map(dashboard: Dashboard) -> dict[str, Any]:
    """A dashboard where Grafana's sidecar finds it: by the label."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": dashboard.uid,
            "namespace": MONITORING_NAMESPACE,
            "labels": {**MANAGED_BY_LABELS, "grafana_dashboard": "1"},
        },
        "data": {f"{dashboard.uid}.json": dashboard_text(dashboard)},
    }


def dashboard_text(dashboard: Dashboard) -> str:
    """The dashboard as the JSON file that Grafana imports."""
    return json.dumps(model(dashboard), indent=1) + "\n"
