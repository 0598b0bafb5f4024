"""Dashboards: Grafana's own types know every field, nothing overlaps, every choice is used."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard as GrafanasDashboard

from gpu_slices.manifests.monitoring import monitoring_objects
from gpu_slices.monitoring.dashboards import DASHBOARDS
from gpu_slices.monitoring.grafana import COLUMNS, Dashboard, model
from tests.support.stacks import plan_of

every = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.uid)


def lost(given: Any, kept: Any, path: str = "") -> list[str]:
    """Paths of what is in `given` and not, or otherwise, in `kept`."""
    if isinstance(given, dict):
        inner = kept if isinstance(kept, dict) else {}
        return [one for key, value in given.items() for one in lost(value, inner.get(key), f"{path}.{key}")]
    if isinstance(given, list | tuple) and isinstance(kept, list) and len(given) == len(kept):
        return [one for n, (a, b) in enumerate(zip(given, kept, strict=True)) for one in lost(a, b, f"{path}[{n}]")]
    return [] if given == kept else [path]


@every
def test_grafanas_own_types_keep_every_field(dashboard: Dashboard):
    """The types are generated from Grafana's schemas; what they do not know, they drop."""
    plugins.register_default_plugins()
    given = json.loads(json.dumps(model(dashboard)))
    kept = json.loads(JSONEncoder().encode(GrafanasDashboard.from_json(given)))
    assert lost(given, kept) == []


def test_the_check_of_fields_sees_a_misspelt_one():
    plugins.register_default_plugins()
    given = json.loads(json.dumps(model(DASHBOARDS[0])))
    given["panels"][0]["targets"][0]["legendFormatt"] = "x"
    kept = json.loads(JSONEncoder().encode(GrafanasDashboard.from_json(given)))
    assert lost(given, kept) == [".panels[0].targets[0].legendFormatt"]


@every
def test_panels_fill_the_grid_and_never_overlap(dashboard: Dashboard):
    taken: set[tuple[int, int]] = set()
    for panel in model(dashboard)["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert all(x < COLUMNS for x, _ in cells), panel["title"]
        taken |= cells


@every
def test_every_choice_is_offered_and_used(dashboard: Dashboard):
    offered = {variable.name for variable in dashboard.variables}
    used = {name for panel in dashboard.panels for one in panel.targets for name in re.findall(r"\$(\w+)", one.expr)}
    assert used - {"1"} == offered


@every
def test_every_panel_says_what_it_tells(dashboard: Dashboard):
    titles = [panel.title for panel in dashboard.panels]
    assert len(titles) == len(set(titles)) or dashboard.uid == "gpu-slices-pools"
    assert all(panel.tells.endswith(".") for panel in dashboard.panels)


def test_what_a_shared_gpu_cannot_tell_is_said_where_it_is_shown():
    """Busy of a tenant is busy of the card; memory has no share that is enforced."""
    tells = {panel.title: panel.tells for board in DASHBOARDS for panel in board.panels}
    assert "whole GPU" in tells["Busy: GPUs on which the tenant has pods"]
    assert "whole GPU" in tells["GPU busy"]
    assert "enforced" in tells["Memory used"]


def test_grafanas_sidecar_finds_every_dashboard_by_its_label():
    _, *maps = monitoring_objects(plan_of({"monitoring": {"enabled": True}}))
    assert [one["metadata"]["name"] for one in maps] == [board.uid for board in DASHBOARDS]
    for one in maps:
        assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
        (text,) = one["data"].values()
        assert json.loads(text)["uid"] == one["metadata"]["name"]
