"""What the chart's values become: rules and scrape targets against the schemas of Prometheus's operator.

The chart copies these values into its custom resources as they are; Helm would take a misspelt field in silence. The
schemas are those of prometheus-operator 0.92.0 (its Go module, example/prometheus-operator-crd), of Prometheus and
Alertmanager the fields that are set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest

from gpu_slices.charts import monitoring_releases
from tests.support.stacks import ROOT, plan_of

POOLS = {
    "gpuNodeGroups": {"a": {"instanceType": "g6.xlarge", "replicas": 4}},
    "gpuNodePools": {"b": {"families": ["g6"], "gpusPerNode": [1], "maxGpus": 2, "replicas": 4}},
}
FULL = {"enabled": True, "alertSecret": "routes", "storage": {"storageClass": "gp3"}}
stacks = pytest.mark.parametrize("stack", ["device-plugin", "gpu-operator"])
variants = pytest.mark.parametrize("monitoring", [{"enabled": True}, FULL], ids=["defaults", "everything"])
#: Fields of a monitor that are the chart's own: it takes the name from them and the rest as the spec.
OF_THE_CHART = {"name"}


def values(stack: str, monitoring: Mapping[str, Any]) -> Any:
    return monitoring_releases(plan_of({**POOLS, "gpuStack": stack, "monitoring": monitoring}))[0].values


def mistakes(kind: str, spec: Mapping[str, Any]) -> list[str]:
    schema = json.loads((ROOT / "tests" / "data" / "crd_schemas" / f"{kind}.json").read_text())["spec"]
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(spec)]


def without(spec: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key not in names}


@stacks
def test_scrape_targets_are_monitors(stack: str):
    prometheus = values(stack, {"enabled": True})["prometheus"]
    for monitor in prometheus["additionalPodMonitors"]:
        assert mistakes("PodMonitor", without(monitor, OF_THE_CHART)) == []
    for monitor in prometheus["additionalServiceMonitors"]:
        assert mistakes("ServiceMonitor", without(monitor, OF_THE_CHART)) == []


@stacks
def test_rules_are_rules(stack: str):
    (rules,) = values(stack, {"enabled": True})["additionalPrometheusRulesMap"].values()
    assert mistakes("PrometheusRule", rules) == []


@stacks
@variants
def test_prometheus_and_alertmanager_take_what_they_are_given(stack: str, monitoring: dict[str, Any]):
    found = values(stack, monitoring)
    spec = dict(found["prometheus"]["prometheusSpec"])
    spec["storage"] = spec.pop("storageSpec")
    assert mistakes("Prometheus", spec) == []
    # A switch of the chart's: with it, no secret is made of the values.
    assert mistakes("Alertmanager", without(found["alertmanager"]["alertmanagerSpec"], {"useExistingSecret"})) == []


def test_a_misspelt_field_is_seen():
    (monitor,) = values("device-plugin", {"enabled": True})["prometheus"]["additionalPodMonitors"]
    endpoint = {**monitor["podMetricsEndpoints"][0], "intervall": "15s"}
    wrong = {**without(monitor, OF_THE_CHART), "podMetricsEndpoints": [endpoint]}
    assert mistakes("PodMonitor", wrong) == ["Additional properties are not allowed ('intervall' was unexpected)"]
    assert mistakes("Prometheus", {"retentionSize": "4 gigabytes"})
