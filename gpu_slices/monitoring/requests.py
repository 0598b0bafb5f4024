"""What the parts of monitoring ask of their nodes: chart values and the check of system nodes read it here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Part → millicores and MiB; Prometheus's memory is the stack's `monitoring.memory`. Judged for a hundred nodes, not
#: measured: CPU is not limited, memory is, at twice the request.
MONITORING_REQUESTS: Final[Mapping[str, tuple[int, int]]] = {
    "alertmanager": (10, 64),
    "grafana": (50, 192),
    "grafana-sidecar": (5, 96),
    "kube-state-metrics": (20, 96),
    "node-exporter": (10, 32),
    "operator": (20, 96),
    "prometheus": (200, 0),
}
#: Grafana runs one sidecar for dashboards and one for data sources.
GRAFANA_SIDECARS: Final = 2
