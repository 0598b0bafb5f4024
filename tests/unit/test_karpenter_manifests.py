"""NodeClass, NodePool and NodeOverlay: what Karpenter's own schemas accept, and what a slice edit may touch."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_slices.cloud_refs import CloudRefs
from gpu_slices.manifests import objects
from gpu_slices.plan import Plan
from tests.support.stacks import ROOT, STACKS, karpenter_plans, karpenter_settings, objects_of, plan_of_stack

SCHEMAS = {
    kind: json.loads((ROOT / "tests" / "data" / "crd_schemas" / f"{kind}.json").read_text())
    for kind in ("EC2NodeClass", "NodeOverlay", "NodePool")
}
#: What AWS will have said once the stack is up.
REFS = CloudRefs(
    instance_profile="karpenter-nodes",
    private_subnet_ids=["subnet-0123456789abcdef0"],
    cluster_security_group_id="sg-0123456789abcdef0",
    interruption_queue="queue",
)
POOL: dict[str, Any] = {"families": ["g6"], "gpusPerNode": [1], "maxGpus": 4, "replicas": 4}


def of(kind: str, raw: dict[str, Any]) -> list[Any]:
    return [o for o in objects_of(raw) if o["kind"] == kind]


def one(kind: str, **pool: Any) -> Any:
    (found,) = of(kind, {"gpuNodePools": {"burst": {**POOL, **pool}}})
    return found


def assert_valid(plan: Plan) -> None:
    for manifest in objects(plan, REFS):
        schema = SCHEMAS.get(manifest["kind"])
        if schema:
            assert manifest["apiVersion"] == schema["apiVersion"]
            jsonschema.validate(json.loads(json.dumps(manifest["spec"])), schema["spec"])


@pytest.mark.parametrize("stack", STACKS)
def test_every_stacks_objects_fit_the_custom_resources_schemas(stack: str):
    assert_valid(plan_of_stack(stack))


@given(karpenter_plans)
@settings(deadline=None, max_examples=40)
def test_random_pools_fit_the_custom_resources_schemas(plan: Plan):
    assert_valid(plan)


@given(karpenter_settings, st.integers(2, 16), st.integers(2, 16))
@settings(deadline=None, max_examples=40)
def test_a_slice_edit_changes_overlays_and_slice_limits_and_nothing_else(raw: dict, before: int, after: int):
    def with_replicas(replicas: int) -> list[Any]:
        pools = {name: {**pool, "replicas": replicas} for name, pool in raw["gpuNodePools"].items()}
        return [one for one in objects_of({**raw, "gpuNodePools": pools}) if one["kind"] != "ConfigMap"]

    def without_numbers(manifest: Any) -> Any:
        spec = {key: value for key, value in manifest["spec"].items() if key not in ("capacity", "limits")}
        return {**manifest, "spec": spec}

    for old, new in zip(with_replicas(before), with_replicas(after), strict=True):
        if old["kind"] in ("NodePool", "NodeOverlay"):
            assert without_numbers(old) == without_numbers(new)
            assert old["spec"].get("limits", {}).get("cpu") == new["spec"].get("limits", {}).get("cpu")
        else:
            assert old == new


def test_the_pool_carries_config_label_taint_and_explicit_types():
    template = one("NodePool")["spec"]["template"]
    assert template["metadata"]["labels"]["nvidia.com/device-plugin.config"] == "burst"
    assert template["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}]
    (types,) = [r for r in template["spec"]["requirements"] if r["key"] == "node.kubernetes.io/instance-type"]
    assert "g6.xlarge" in types["values"]
    assert "g6.12xlarge" not in types["values"]


def test_the_operator_labels_gpu_present_itself():
    def labels(stack: str) -> Any:
        (pool,) = of("NodePool", {"gpuStack": stack, "gpuNodePools": {"burst": POOL}})
        return pool["spec"]["template"]["metadata"]["labels"]

    assert labels("device-plugin")["nvidia.com/gpu.present"] == "true"
    assert "nvidia.com/gpu.present" not in labels("gpu-operator")


def test_nodes_are_launched_pinned_encrypted_and_without_an_open_metadata_service():
    spec = one("EC2NodeClass")["spec"]
    assert spec["amiSelectorTerms"] == [{"alias": "al2023@v20260714"}]
    assert spec["metadataOptions"]["httpTokens"] == "required"
    assert spec["metadataOptions"]["httpPutResponseHopLimit"] == 1
    (disk,) = spec["blockDeviceMappings"]
    assert (disk["ebs"]["encrypted"], disk["ebs"]["volumeType"], disk["ebs"]["throughput"]) == (True, "gp3", 500)
    assert "role" not in spec


def test_an_existing_network_is_named_by_its_own_ids():
    subnets = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    network = {"vpcId": "vpc-0123456789abcdef0", "privateSubnetIds": subnets}
    (node_class,) = of("EC2NodeClass", {"network": network, "gpuNodePools": {"burst": POOL}})
    assert node_class["spec"]["subnetSelectorTerms"] == [{"id": subnet} for subnet in subnets]


@pytest.mark.parametrize(
    ("pool", "kind", "path", "value"),
    [
        ({"expireAfter": "100h"}, "NodePool", "template.spec.expireAfter", "100h"),
        ({"terminationGracePeriod": "2h"}, "NodePool", "template.spec.terminationGracePeriod", "2h"),
        ({"consolidation": {"policy": "Balanced"}}, "NodePool", "disruption.consolidationPolicy", "Balanced"),
        ({"consolidation": {"after": "Never"}}, "NodePool", "disruption.consolidateAfter", "Never"),
        ({"weight": 50}, "NodePool", "weight", 50),
        ({"limits": {"memory": "256Gi"}}, "NodePool", "limits.memory", "262144Mi"),
        ({"limits": {"cpu": 100}}, "NodePool", "limits.cpu", "100"),
        ({"labels": {"team": "x"}}, "NodePool", "template.metadata.labels.team", "x"),
        ({"diskGiB": 300}, "EC2NodeClass", "blockDeviceMappings.0.ebs.volumeSize", "300Gi"),
        ({"diskThroughput": 250}, "EC2NodeClass", "blockDeviceMappings.0.ebs.throughput", 250),
        ({"amiAlias": "al2023@v20260917"}, "EC2NodeClass", "amiSelectorTerms.0.alias", "al2023@v20260917"),
        ({"instanceStore": True}, "EC2NodeClass", "instanceStorePolicy", "RAID0"),
        (
            {"capacityReservations": ["cr-0123456789abcdef0"]},
            "EC2NodeClass",
            "capacityReservationSelectorTerms.0.id",
            "cr-0123456789abcdef0",
        ),
        (
            {"budgets": [{"nodes": "10%", "schedule": "0 8 * * mon-fri", "duration": "10h", "reasons": ["Drifted"]}]},
            "NodePool",
            "disruption.budgets.0",
            {"nodes": "10%", "schedule": "0 8 * * mon-fri", "duration": "10h", "reasons": ["Drifted"]},
        ),
    ],
)
def test_every_key_of_a_pool_reaches_its_place(pool: dict[str, Any], kind: str, path: str, value: object):
    found = one(kind, **pool)["spec"]
    for part in path.split("."):
        found = found[int(part)] if isinstance(found, list) else found[part]
    assert found == value


@pytest.mark.parametrize(
    ("pool", "key", "values"),
    [
        ({"capacity": ["spot", "on-demand"]}, "karpenter.sh/capacity-type", ["on-demand", "spot"]),
        (
            {"capacityReservations": ["cr-0123456789abcdef0"]},
            "karpenter.sh/capacity-type",
            ["on-demand", "reserved"],
        ),
        ({"zones": ["us-west-2b"]}, "topology.kubernetes.io/zone", ["us-west-2b"]),
        ({"sizes": ["xlarge"]}, "node.kubernetes.io/instance-type", ["g6.xlarge"]),
    ],
)
def test_what_a_pool_asks_for_becomes_a_requirement(pool: dict[str, Any], key: str, values: list[str]):
    requirements = {r["key"]: r["values"] for r in one("NodePool", **pool)["spec"]["template"]["spec"]["requirements"]}
    assert requirements[key] == values


def test_a_general_pool_means_what_the_seed_guide_meant():
    raw = {"nodePools": {"default": {"cpu": [4, 8], "limits": {"cpu": 1000}}}}
    (pool,) = of("NodePool", raw)
    requirements = {r["key"]: (r["operator"], r["values"]) for r in pool["spec"]["template"]["spec"]["requirements"]}
    assert requirements["karpenter.k8s.aws/instance-category"] == ("In", ["c", "m", "r"])
    assert requirements["karpenter.k8s.aws/instance-generation"] == ("Gt", ["2"])
    assert requirements["karpenter.k8s.aws/instance-cpu"] == ("In", ["4", "8"])
    assert requirements["karpenter.k8s.aws/instance-hypervisor"] == ("In", ["nitro"])
    assert pool["spec"]["limits"] == {"cpu": "1000"}
    assert pool["spec"]["template"]["spec"]["taints"] == []
