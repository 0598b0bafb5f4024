"""Helm values: every path exists in the pinned chart, and the traps of the two charts are avoided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.charts import Release, gpu_stack_releases, releases
from gpu_slices.charts.release import rollout_timeout
from gpu_slices.cloud_refs import placeholders
from gpu_slices.naming import GPU_TOLERATION
from gpu_slices.plan import Plan
from tests.support.stacks import ROOT, objects_of, plan_of, plans

PATHS = ROOT / "tests" / "data" / "value_paths"
PLUGIN: dict[str, Any] = {"gpuNodeGroups": {"a": {"instanceType": "g6.xlarge", "replicas": 4}}}
OPERATOR: dict[str, Any] = {**PLUGIN, "gpuStack": "gpu-operator"}
MPS: dict[str, Any] = {
    "gpuNodeGroups": {
        "a": {"instanceType": "g6.xlarge", "replicas": 4},
        "m": {"instanceType": "g6.xlarge", "replicas": 8, "sharing": {"strategy": "mps"}},
    }
}
MIG: dict[str, Any] = {
    "gpuStack": "gpu-operator",
    "gpuNodeGroups": {
        "a": {"instanceType": "p5.48xlarge"},
        "m": {
            "instanceType": "p4d.24xlarge",
            "replicas": 2,
            "sharing": {"strategy": "mig", "mig": {"profiles": {"3g.20gb": 2}}},
        },
    },
}


def release(raw: dict[str, Any]) -> Release:
    return gpu_stack_releases(plan_of(raw))[0]


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


@pytest.mark.parametrize("raw", [PLUGIN, OPERATOR, MPS, MIG], ids=["device-plugin", "gpu-operator", "mps", "mig"])
def test_every_value_that_is_set_exists_in_the_chart(raw: dict[str, Any]):
    """Helm takes a misspelt key in silence, so the pinned charts' own paths are the judge."""
    for one in gpu_stack_releases(plan_of(raw)):
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


def test_mps_pools_have_a_release_of_their_own_and_no_node_is_wanted_by_both():
    """Trap 4: one checksum covers a release's whole config map, and an MPS daemon that restarts ends its clients."""
    first, second = gpu_stack_releases(plan_of(MPS))
    assert second.name == "nvidia-device-plugin-mps"
    assert (sorted(first.values["config"]["map"]), sorted(second.values["config"]["map"])) == (
        ["a", "exclusive"],
        ["exclusive", "m"],
    )
    assert (second.values["gfd"]["enabled"], second.values["nfd"]["enabled"]) == (True, False)
    for config, lands in [
        ("a", [True, False]),
        ("m", [False, True]),
        ("removed", [False, False]),
        (None, [True, False]),
    ]:
        labels = {"nvidia.com/gpu.present": "true"}
        labels |= {"nvidia.com/device-plugin.config": config} if config else {}
        assert [wanted(one, labels) for one in (first, second)] == lands, config


def wanted(one: Release, labels: Mapping[str, str]) -> bool:
    terms = one.values["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return any(matches(term, labels) for term in terms["nodeSelectorTerms"])


def test_an_edit_of_another_pool_leaves_the_mps_release_as_it_is():
    pools = {**MPS["gpuNodeGroups"], "a": {**MPS["gpuNodeGroups"]["a"], "replicas": 2}}
    before, after = gpu_stack_releases(plan_of(MPS)), gpu_stack_releases(plan_of({"gpuNodeGroups": pools}))
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_the_mig_manager_gets_the_layouts_of_the_pools_and_may_reboot():
    (one,) = gpu_stack_releases(plan_of(MIG))
    (layouts,) = [o for o in objects_of(MIG) if o["kind"] == "ConfigMap" and "config.yaml" in o["data"]]
    manager = one.values["migManager"]
    assert manager["config"] == {"create": False, "name": layouts["metadata"]["name"], "default": "all-disabled"}
    assert manager["env"] == [{"name": "WITH_REBOOT", "value": "true"}]
    parted = yaml.safe_load(layouts["data"]["config.yaml"])
    (pool,) = [pool for pool in plan_of(MIG).pools if pool.strategy == "mig"]
    assert parted["mig-configs"] == {
        "all-disabled": [{"devices": "all", "mig-enabled": False}],
        pool.labels["nvidia.com/mig.config"]: [{"devices": "all", "mig-enabled": True, "mig-devices": {"3g.20gb": 2}}],
    }
    config = yaml.safe_load(plan_of(MIG).plugin_configs["m"])
    assert config["flags"]["migStrategy"] == "mixed"
    assert config["sharing"]["timeSlicing"]["resources"] == [{"name": "nvidia.com/mig-3g.20gb", "replicas": 2}]
    assert release(OPERATOR).values["migManager"] == {"enabled": False}


def test_a_new_layout_is_a_new_label_and_other_replicas_are_not():
    def label(replicas: int, **profiles: int) -> str:
        sharing = {"strategy": "mig", "mig": {"profiles": profiles}}
        group = {"instanceType": "p4d.24xlarge", "replicas": replicas, "sharing": sharing}
        return plan_of({**MIG, "gpuNodeGroups": {"m": group}}).pools[0].labels["nvidia.com/mig.config"]

    assert label(2, **{"3g.20gb": 2}) == label(3, **{"3g.20gb": 2}) != label(2, **{"3g.20gb": 1})


def test_a_retired_mig_pool_keeps_its_layout_for_its_last_nodes():
    sharing = MIG["gpuNodeGroups"]["m"]["sharing"]
    raw = {"gpuStack": "gpu-operator", "retiredPools": {"m": {"replicas": 2, "sharing": sharing}}}
    (layouts,) = [o for o in objects_of(raw) if o["kind"] == "ConfigMap" and "config.yaml" in o["data"]]
    (pool,) = [pool for pool in plan_of(MIG).pools if pool.strategy == "mig"]
    assert pool.mig_layout in yaml.safe_load(layouts["data"]["config.yaml"])["mig-configs"]
