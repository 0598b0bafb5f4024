"""Pools added to and removed from a running stack, renamed, and moved to other zones."""

from __future__ import annotations

import pytest
import yaml

from rehearsal.stage import stage
from tests.support.lifecycle import EXTRA_GROUP, Life, life, where_pools_come_and_go
from tests.support.stacks import plan_of_stack

pytestmark = [pytest.mark.engine, pytest.mark.full]

RELEASE, CONFIG_MAP = "kubernetes:helm.sh/v3:Release", "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
POLICY = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
#: The rule against pods of two slices names the pools that share.
NAMES_SHARED_POOLS = (POLICY, "platform-admission-policy-gpu-slices-gpu-one-slice")
NODE_GROUP, SUBNET = "aws:eks/nodeGroup:NodeGroup", "aws:ec2/subnet:Subnet"


@pytest.fixture(scope="module", params=where_pools_come_and_go())
def lived(request: pytest.FixtureRequest) -> Life:
    return life(request.param)


def _own(lived: Life, name: str) -> bool:
    extra = ["platform-extra", *(["platform-spare"] if lived.plan.karpenter else [])]
    return any(name == own or name.startswith(f"{own}-") for own in extra)


def test_an_added_pool_creates_its_own_resources_and_only_edits_the_plugins_config(lived: Life):
    created = [c for c in lived.pool_added.changes if c.op == "create" and c.type != CONFIG_MAP]
    assert created
    assert all(_own(lived, change.name) for change in created)
    updated = {(c.type, c.name) for c in lived.pool_added.changes if c.op == "update"}
    assert updated == {(RELEASE, f"platform-{lived.plan.settings.gpu_stack}-release"), NAMES_SHARED_POOLS}
    assert set(lived.pool_added.summary) <= {"create", "update", "delete"}


def test_a_removed_pool_takes_exactly_what_it_brought(lived: Life):
    brought = {c.urn for c in lived.pool_added.changes if c.op == "create" and c.type != CONFIG_MAP}
    took = {c.urn for c in lived.pool_removed.changes if c.op == "delete" and c.type != CONFIG_MAP}
    assert took == brought
    assert set(lived.pool_removed.summary) <= {"create", "update", "delete"}


def test_the_plugin_never_looks_for_the_config_of_a_removed_pool(lived: Life):
    """Its nodes still carry the label until they are gone: a plugin there would crash-loop and block the rollout."""
    if lived.plan.settings.gpu_stack == "gpu-operator":
        maps = [c for c in lived.pool_removed.changes if c.type == CONFIG_MAP and c.op == "create"]
        kept = maps[0].inputs["data"] if maps else None
        assert kept is None or yaml.safe_load(kept["extra"])["sharing"]["timeSlicing"]["resources"][0]["replicas"] == 3
        return
    keys = sorted(lived.values["config"]["map"])
    assert "extra" not in keys
    required = lived.values["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    allowed = [
        expression["values"]
        for term in required["nodeSelectorTerms"]
        for expression in term["matchExpressions"]
        if expression["key"] == "nvidia.com/device-plugin.config" and expression["operator"] == "In"
    ]
    assert allowed
    assert all(values == keys for values in allowed)


@pytest.fixture(scope="module")
def running():
    """A stack of node groups that is up: (the stage, a pool's name, its settings)."""
    stack = "p3"
    with stage(stack) as played:
        played.up()
        yield played, plan_of_stack(stack).pools[0]


def test_a_renamed_pool_is_a_new_pool_and_the_cluster_stays(running):
    played, pool = running
    played.edit(f"gpuNodeGroups.{pool.name}", None)
    played.edit("gpuNodeGroups.renamed", {**EXTRA_GROUP, "max": 3})
    played.edit("tenants.gpu-demo.pools", ["renamed"])
    played.edit("workloads.cifar10.pool", "renamed")
    preview = played.preview()
    groups = {(change.op, change.name) for change in preview.of(NODE_GROUP)}
    assert groups == {("create", "platform-renamed-nodes"), ("delete", f"platform-{pool.name}-nodes")}
    assert set(preview.summary) == {"create", "delete", "update"}
    assert {c.type for c in preview.changes if c.op == "update"} == {RELEASE, DEPLOYMENT, POLICY}


def test_other_zones_are_announced_as_the_replacement_of_subnets_and_nodes_but_not_of_the_cluster(running):
    played, _ = running
    region = plan_of_stack("p3").settings.region
    played.edit("network.zones", [f"{region}b", f"{region}c"])
    preview = played.preview()
    assert {c.name for c in preview.of(SUBNET) if c.op == "replace"} == {
        f"platform-network-{kind}-{index}" for kind in ("private", "public") for index in (1, 2)
    }
    assert [(c.op, [d.path for d in c.diffs]) for c in preview.of("aws:eks/cluster:Cluster")] == [
        ("update", ["vpcConfig.subnetIds"])
    ]
