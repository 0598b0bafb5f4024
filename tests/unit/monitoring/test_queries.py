"""Queries: each is PromQL, of metrics that somebody exports, and used."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any

import promql_parser as promql
import pytest
from hypothesis import given

from gpu_slices.charts.dcgm_exporter import counters
from gpu_slices.monitoring.alerts import ALERTS
from gpu_slices.monitoring.constants import CONSTANTS
from gpu_slices.monitoring.dashboards import DASHBOARDS
from gpu_slices.monitoring.queries import NODE_LABELS, RECORDINGS
from gpu_slices.monitoring.rules import rule_groups
from gpu_slices.plan import Plan
from tests.support.stacks import ROOT, karpenter_plans

METRICS = ROOT / "tests" / "data" / "metrics"
#: What kube-state-metrics is told to make of NodeOverlays (charts/kube_prometheus_stack.py).
OWN = {"kube_customresource_nodeoverlay_condition"}
RECORDED = [one.name for one in RECORDINGS]

QUERIES = {
    **{one.name: one.expr for one in RECORDINGS},
    **{one.name: one.expr for one in ALERTS},
    **{
        f"{board.uid} {panel.title} {number}": target.expr
        for board in DASHBOARDS
        for panel in board.panels
        for number, target in enumerate(panel.targets)
    },
}


def exported() -> set[str]:
    files = sorted(METRICS.glob("*.txt"))
    return {line for file in files for line in file.read_text().splitlines() if line[:1] not in ("", "#")}


def selectors(node: Any) -> Iterator[str]:
    """The metrics that a parsed query names."""
    if isinstance(node, promql.VectorSelector):
        yield node.name
    for part in ("expr", "lhs", "rhs", "param", "vector_selector", "vs"):
        inner = getattr(node, part, None)
        if inner is not None and not isinstance(inner, str | float):
            yield from selectors(inner)
    for argument in getattr(node, "args", None) or ():
        yield from selectors(argument)


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_is_promql_and_names_metrics_that_exist(name: str):
    found = set(selectors(promql.parse(QUERIES[name])))
    assert found, "a query of nothing"
    assert found - exported() - OWN - set(RECORDED) - set(CONSTANTS) == set()


def test_a_series_uses_only_what_was_recorded_before_it():
    for place, one in enumerate(RECORDINGS):
        later = set(RECORDED[place:])
        assert set(selectors(promql.parse(one.expr))) & later == set(), one.name


def test_no_series_is_recorded_for_nobody():
    used = {name for query in QUERIES.values() for name in selectors(promql.parse(query))}
    assert (set(RECORDED) | set(CONSTANTS)) - used == set()


def test_the_exporter_exports_what_is_asked_of_it_and_knows_every_counter():
    rows = [row for row in csv.reader(counters().splitlines()) if not row[0].startswith("#")]
    fields = {row[0] for row in rows}
    known = set((METRICS / "dcgm-exporter-4.8.2.txt").read_text().splitlines())
    asked = {name for query in QUERIES.values() for name in selectors(promql.parse(query)) if name.startswith("DCGM_")}
    assert asked <= fields <= known
    assert {len(row) for row in rows} == {3}
    assert {row[1].strip() for row in rows} <= {"counter", "gauge", "label"}


def test_node_labels_that_queries_read_are_those_that_kube_state_metrics_shows():
    """It writes gpu-slices/pool as label_gpu_slices_pool and capacityType as capacity_type."""
    shown = {
        "label_" + re.sub("([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"[^a-zA-Z0-9_]", "_", label)).lower()
        for label in NODE_LABELS
    }
    read = {label for query in QUERIES.values() for label in re.findall(r"\blabel_(?!values|replace)\w+", query)}
    assert read == shown


@given(karpenter_plans)
def test_rules_of_any_stack_are_promql_and_know_every_pool(plan: Plan):
    rules = [rule for group in rule_groups(plan) for rule in group["rules"]]
    for rule in rules:
        promql.parse(rule["expr"])
    limits = {rule["labels"]["pool"] for rule in rules if rule.get("record") == "gpu_slices:pool_most_nodes"}
    assert limits == {pool.name for pool in plan.pools}
    priced = {r["labels"]["instance_type"] for r in rules if r.get("record") == "gpu_slices:instance_usd_per_hour"}
    known = {s.instance.name for p in plan.pools for s in p.shapes if s.usd_per_slice_hour is not None}
    assert priced == known


@given(karpenter_plans)
def test_a_limit_of_nodes_is_never_more_than_max_gpus_allows(plan: Plan):
    rules = [rule for group in rule_groups(plan) for rule in group["rules"]]
    limits = {r["labels"]["pool"]: r["expr"] for r in rules if r.get("record") == "gpu_slices:pool_most_nodes"}
    for pool in plan.pools:
        assert 0 <= int(limits[pool.name].removeprefix("vector(").removesuffix(")")) <= pool.most_nodes
