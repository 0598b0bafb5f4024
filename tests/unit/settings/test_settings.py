"""What the settings accept, and that every key of them matters."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from gpu_slices.settings import Settings, parse
from gpu_slices.settings.effective import replicas_of, sharing_of
from gpu_slices.settings.project_file import declared_keys
from tests.support.stacks import ROOT, STACKS, plan_of, plan_of_stack


def settings(raw: dict[str, Any]) -> Settings:
    return parse({"aws:region": "us-west-2", **raw}, stack="test")


@pytest.mark.parametrize("value", [4, "4"])
def test_a_count_may_come_as_text_because_config_set_stores_it_so(value: object):
    assert settings({"replicas": value}).replicas == 4


def test_a_pool_replaces_single_fields_of_the_stacks_sharing():
    raw = {
        "replicas": 10,
        "sharing": {"renameResource": True, "failRequestsGreaterThanOne": False},
        "gpuNodeGroups": {
            "a": {"instanceType": "g6.xlarge", "replicas": 4, "sharing": {"renameResource": False}},
            "b": {"instanceType": "g6.xlarge"},
        },
    }
    stack = settings(raw)
    a, b = stack.gpu_node_groups["a"], stack.gpu_node_groups["b"]
    assert (replicas_of(stack, a), replicas_of(stack, b)) == (4, 10)
    assert sharing_of(stack, a).rename_resource is False
    assert sharing_of(stack, a).fail_requests_greater_than_one is False
    assert sharing_of(stack, b).rename_resource is True


def test_an_absent_object_and_an_empty_one_are_the_same():
    empty = {
        "sharing": {},
        "cluster": {},
        "network": {},
        "systemNodes": {},
        "gpuNodeGroups": {},
        "tenants": {},
        "tags": {},
        "monitoring": {},
        "budget": {},
    }
    assert settings(empty) == settings({})


def test_pulumi_yaml_declares_exactly_the_settings():
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert {key: value for key, value in declared.items() if ":" not in key} == declared_keys()


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_file_that_ships_is_valid(stack: str):
    assert plan_of_stack(stack).pools


EXISTING_NETWORK: dict[str, Any] = {
    "vpcId": "vpc-0123456789abcdef0",
    "privateSubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
}

#: Key → a value that differs from the default. A key that changes nothing would be a promise not kept.
OTHER_VALUES: dict[str, Any] = {
    "aws:region": "eu-west-1",
    "replicas": 3,
    "sharing": {"renameResource": True},
    "gpuStack": "gpu-operator",
    "cluster": {"version": "1.34"},
    "network": {"nat": "per-zone"},
    "systemNodes": {"max": 7},
    "gpuNodeGroups": {"other": {"instanceType": "g4dn.xlarge"}},
    "existingGpuNodes": {"there": {"instanceType": "g4dn.xlarge", "nodes": 1}},
    "gpuNodePools": {"burst": {"families": ["g6"], "gpusPerNode": [1], "maxGpus": 2}},
    "nodePools": {"default": {}},
    "karpenter": {"logLevel": "debug"},
    "retiredPools": {"old": {"replicas": 4}},
    "tenants": {"a": {"slices": 1}},
    "admission": {"enforcement": "warn"},
    "workloads": {"smoke": {"pool": "a", "tenant": "team", "pods": 1}},
    "tags": {"team": "x"},
    "prices": {"regionFactor": 1.1},
    "monitoring": {"enabled": True},
    "budget": {"monthlyUsd": 100, "emails": ["team@example.com"]},
    "security": {"flowLogs": "all"},
    "benchmark": {"pool": "a", "models": [{"name": "m", "model": "a/m", "memoryGiB": 4, "kvCacheGiB": 1}]},
}


def test_every_top_level_key_changes_the_plan():
    base: dict[str, Any] = {
        "gpuNodeGroups": {"a": {"instanceType": "g6.xlarge", "replicas": None}},
        "replicas": 2,
        "tenants": {"team": {"slices": 1}},
        "systemNodes": {"instanceType": "m7i.large"},
    }
    adopted: dict[str, Any] = {**base, "cluster": {"adopt": "prod"}, "network": EXISTING_NETWORK}
    assert set(OTHER_VALUES) == {"aws:region", *declared_keys()}
    for key, value in OTHER_VALUES.items():
        where = {**adopted, "tenants": {}} if key == "existingGpuNodes" else base
        assert plan_of({**where, key: value}) != plan_of(where), key
