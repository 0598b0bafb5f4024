"""Helm values: every path exists in the pinned chart, and the traps of the two charts are avoided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.charts import Release, gpu_stack_release, releases
from gpu_slices.charts.release import rollout_timeout
from gpu_slices.cloud_refs import placeholders
from gpu_slices.naming import GPU_TOLERATION
from gpu_slices.plan import Plan
from tests.support.stacks import ROOT, plan_of, plans

PATHS = ROOT / "tests" / "data" / "value_paths"
PLUGIN: dict[str, Any] = {"gpuNodeGroups": {"a": {"instanceType": "g6.xlarge", "replicas": 4}}}
OPERATOR: dict[str, Any] = {**PLUGIN, "gpuStack": "gpu-operator"}


def release(raw: dict[str, Any]) -> Release:
    return gpu_stack_release(plan_of(raw))


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{path}.")
        else:
            yield path


def known(path: str, lines: set[str]) -> bool:
    words = path.split(".")
    return path in lines or any(f"{'.'.join(words[:n])}.*" in lines for n in range(1, len(words)))


@pytest.mark.parametrize("raw", [PLUGIN, OPERATOR], ids=["device-plugin", "gpu-operator"])
def test_every_value_that_is_set_exists_in_the_chart(raw: dict[str, Any]):
    """Helm takes a misspelt key in silence, so the pinned charts' own paths are the judge."""
    one = release(raw)
    lines = set((PATHS / f"{one.pin.chart}-{one.pin.version}.txt").read_text().splitlines())
    assert [path for path in leaves(one.values) if not known(path, lines)] == []


@given(plans)
def test_every_value_path_stays_known_under_random_settings(plan: Plan):
    for one in releases(plan, placeholders(plan)):
        lines = set((PATHS / f"{one.pin.chart}-{one.pin.version}.txt").read_text().splitlines())
        assert all(known(path, lines) for path in leaves(one.values))


def test_the_plugin_gets_one_config_per_pool_as_text_and_whole_gpus_where_no_label_is():
    config = release(PLUGIN).values["config"]
    assert config["default"] == "exclusive"
    assert sorted(config["map"]) == ["a", "exclusive"]
    assert all(isinstance(text, str) for text in config["map"].values())
    assert yaml.safe_load(config["map"]["a"])["sharing"]["timeSlicing"]["resources"][0]["replicas"] == 4


def test_a_removed_pools_nodes_are_left_alone_so_that_no_rollout_waits_for_them():
    """Trap 2 and 6: the config-manager of a node whose key is gone would crash-loop."""
    terms = release(PLUGIN).values["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    for labels, lands in [
        ({"nvidia.com/device-plugin.config": "a"}, True),
        ({}, True),
        ({"nvidia.com/device-plugin.config": "removed"}, False),
    ]:
        for nvidia in ("feature.node.kubernetes.io/pci-10de.present", "nvidia.com/gpu.present"):
            assert any(matches(term, {**labels, nvidia: "true"}) for term in terms["nodeSelectorTerms"]) is lands
        assert not any(matches(term, labels) for term in terms["nodeSelectorTerms"]), "not an NVIDIA node"


def matches(term: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return all(
        labels.get(rule["key"]) in rule["values"] if rule["operator"] == "In" else rule["key"] not in labels
        for rule in term["matchExpressions"]
    )


def test_the_operator_gets_a_default_config_because_without_one_it_shares_nothing():
    """The seed guide's mistake: a config map name and no default leave every node at one GPU."""
    config = release(OPERATOR).values["devicePlugin"]["config"]
    assert config["default"] == "exclusive"
    assert config["create"] is False
    assert config["name"]


def test_the_operators_mig_strategy_does_not_outrank_the_named_configs():
    one = release(OPERATOR)
    assert one.values["mig"]["strategy"] == ""
    for text in plan_of(OPERATOR).plugin_configs.values():
        assert yaml.safe_load(text)["flags"]["migStrategy"] == "none"


def test_driver_and_toolkit_come_from_the_ami():
    values = release(OPERATOR).values
    assert (values["driver"]["enabled"], values["toolkit"]["enabled"]) == (False, False)


def test_a_quarter_of_the_nodes_may_roll_at_a_time():
    assert release(PLUGIN).values["updateStrategy"]["rollingUpdate"]["maxUnavailable"] == "25%"
    assert release(OPERATOR).values["daemonsets"]["rollingUpdate"]["maxUnavailable"] == "25%"


def test_the_one_toleration_reaches_plugin_and_feature_discovery():
    """NFD's own default tolerates `nvidia.com/gpu=present` only, which no node of ours carries."""
    plugin, operator = release(PLUGIN).values, release(OPERATOR).values
    for tolerations in (
        plugin["tolerations"],
        plugin["nfd"]["worker"]["tolerations"],
        operator["daemonsets"]["tolerations"],
        operator["node-feature-discovery"]["worker"]["tolerations"],
    ):
        assert dict(GPU_TOLERATION) in tolerations


@given(st.integers(0, 2000))
def test_a_rollout_may_take_longer_the_more_nodes_there_are(nodes: int):
    assert rollout_timeout(nodes + 1) >= rollout_timeout(nodes) >= 300


def test_versions_are_exact():
    for raw in (PLUGIN, OPERATOR):
        assert release(raw).pin.version.lstrip("v").replace(".", "").isdigit()
