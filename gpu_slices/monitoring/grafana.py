"""Grafana's dashboard model, as much of it as the dashboards need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

#: The model of Grafana 11 and 12; newer ones migrate it when they load it.
SCHEMA_VERSION: Final = 41
#: The data source that kube-prometheus-stack provisions (values grafana.sidecar.datasources.uid).
DATASOURCE: Final = {"type": "prometheus", "uid": "prometheus"}
#: Width of Grafana's grid.
COLUMNS: Final = 24

Kind = Literal["bargauge", "stat", "table", "timeseries"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """One query of a panel; `legend` is Grafana's template over the series' labels."""

    expr: str
    legend: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel: `width` of 24 columns, `height` in grid rows, `most` the end of its axis, `tells` its tooltip."""

    title: str
    kind: Kind
    targets: tuple[Target, ...]
    unit: str
    tells: str
    width: int = 12
    height: int = 8
    most: float | None = None


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A choice at the top of a dashboard: the values of `label` over a series, all of them at first."""

    name: str
    series: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """One dashboard; `uid` is part of its address."""

    uid: str
    title: str
    tells: str
    variables: tuple[Variable, ...]
    panels: tuple[Panel, ...]


def model(dashboard: Dashboard) -> dict[str, Any]:
    """The dashboard as Grafana reads it, panels placed from left to right."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.tells,
        "tags": ["gpu-slices"],
        "timezone": "browser",
        "editable": False,
        "schemaVersion": SCHEMA_VERSION,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_variable(one) for one in dashboard.variables]},
        "panels": _placed(dashboard.panels),
    }


def _placed(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """Rows are filled until the next panel does not fit; a row is as high as its highest panel."""
    found: list[dict[str, Any]] = []
    x = y = row_height = 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > COLUMNS:
            x, y, row_height = 0, y + row_height, 0
        found.append(_panel(number, panel, {"h": panel.height, "w": panel.width, "x": x, "y": y}))
        x, row_height = x + panel.width, max(row_height, panel.height)
    return found


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.tells,
        "datasource": DATASOURCE,
        "gridPos": place,
        "targets": [_target(index, one, panel.kind) for index, one in enumerate(panel.targets)],
        "fieldConfig": {
            "defaults": defaults if panel.most is None else {**defaults, "max": panel.most},
            "overrides": [],
        },
        "options": _OPTIONS[panel.kind],
    }


def _target(index: int, target: Target, kind: Kind) -> dict[str, Any]:
    return {
        "refId": chr(ord("A") + index),
        "datasource": DATASOURCE,
        "expr": target.expr,
        "legendFormat": target.legend,
        "instant": kind != "timeseries",
        "range": kind == "timeseries",
        **({"format": "table"} if kind == "table" else {}),
    }


def _variable(variable: Variable) -> dict[str, Any]:
    query = f"label_values({variable.series}, {variable.label})"
    return {
        "name": variable.name,
        "label": variable.name,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": "variable"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


_REDUCE: Final = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_OPTIONS: Final[dict[Kind, dict[str, Any]]] = {
    "bargauge": {"displayMode": "basic", "orientation": "horizontal", "reduceOptions": _REDUCE, "showUnfilled": True},
    "stat": {"colorMode": "none", "graphMode": "none", "reduceOptions": _REDUCE, "textMode": "auto"},
    "table": {"showHeader": True},
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
}
