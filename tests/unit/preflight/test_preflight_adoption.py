"""`preflight` of a stack that adopts a cluster: what AWS says of it, what runs in it, and what an answer looks like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from gpu_slices.adoption.facts import ClusterFacts
from gpu_slices.checks.aws_account import AwsAccount
from gpu_slices.checks.cluster_api import ClusterError
from gpu_slices.leftovers import owner_of
from gpu_slices.plan import Plan
from tests.support.adoption import KARPENTER
from tests.support.stacks import plan_of
from tests.unit.preflight.pretended_account import REGION, judged, subnets_of_two_zones

PLUGIN_IMAGE, OPERATOR_IMAGE = "nvcr.io/nvidia/k8s-device-plugin:v0.19.0", "nvcr.io/nvidia/gpu-operator:v26.7.0"
KARPENTER_IMAGE = "public.ecr.aws/karpenter/controller:1.14.1@sha256:abc"
EXISTING = {"v100": {"instanceType": "p3.8xlarge", "nodes": 2}}


class Eks:
    """One cluster as EKS describes it, and its add-ons with their tags."""

    def __init__(self, vpc: str, addons: Mapping[str, Mapping[str, str]], **differs: Any) -> None:
        self._addons = addons
        self._cluster = {
            "name": "prod",
            "arn": f"arn:aws:eks:{REGION}:123456789012:cluster/prod",
            "status": "ACTIVE",
            "version": "1.35",
            "endpoint": "https://prod",
            "certificateAuthority": {"data": "YQ=="},
            "accessConfig": {"authenticationMode": "API"},
            "resourcesVpcConfig": {
                "vpcId": vpc,
                "clusterSecurityGroupId": "sg-0123456789abcdef0",
                "endpointPublicAccess": True,
                "endpointPrivateAccess": True,
                "publicAccessCidrs": ["0.0.0.0/0"],
            },
            **differs,
        }

    def describe_cluster(self, *, name: str) -> Any:
        if name == "prod":
            return {"cluster": self._cluster}
        raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "DescribeCluster")

    def can_paginate(self, _operation: str) -> bool:
        return False

    def list_addons(self, *, clusterName: str) -> Any:  # noqa: N803
        assert clusterName == "prod"
        return {"addons": sorted(self._addons)}

    def describe_addon(self, *, clusterName: str, addonName: str) -> Any:  # noqa: N803
        assert clusterName == "prod"
        return {"addon": {"addonVersion": "v1.0.0-eksbuild.1", "tags": self._addons[addonName]}}


class Cluster:
    """A cluster's API: lists by path; a label selector picks objects of this program."""

    def __init__(self, objects: Mapping[str, list[dict[str, Any]]]) -> None:
        self._objects = objects

    def pages(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        for one in self._objects.get(path, []):
            if "labelSelector" not in query or one["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by"):
                yield one


def account(
    raw: Mapping[str, Any] | None = None,
    *,
    addons: Mapping[str, Mapping[str, str]] | None = None,
    objects: Mapping[str, list[dict[str, Any]]] | None = None,
    **differs: Any,
) -> AwsAccount:
    """The account of a stack that adopts `prod`; `differs` are parts of the cluster as EKS describes it."""
    vpc, subnets = subnets_of_two_zones(boto3.client("ec2", region_name=REGION))
    network = {"vpcId": vpc, "privateSubnetIds": subnets}
    plan = plan_of({"cluster": {"adopt": "prod"}, "network": network, **(raw or {})})
    eks = Eks(vpc, addons or {}, **differs)

    def client(service: str) -> Any:
        return eks if service == "eks" else boto3.client(service, region_name=REGION)

    return AwsAccount(plan, client, lambda _facts, _region: Cluster(objects or {}))  # type: ignore[arg-type,return-value]


def causes(check: str, of: AwsAccount) -> list[tuple[str, str]]:
    return [(one.outcome, one.cause.name) for one in judged(check, of) if one.cause]


def workload(namespace: str, name: str, image: str, **labels: str) -> dict[str, Any]:
    spec = {"template": {"spec": {"containers": [{"image": image}]}}}
    return {"metadata": {"namespace": namespace, "name": name, "labels": labels}, "spec": spec}


def gpu_node(name: str, *, labels: Mapping[str, str] | None = None, taint: bool = True) -> dict[str, Any]:
    taints = [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}] if taint else []
    own = {"node.kubernetes.io/instance-type": "p3.8xlarge", **(labels or {})}
    return {"metadata": {"name": name, "labels": own}, "spec": {"taints": taints}, "status": {}}


DAEMONS, DEPLOYMENTS = "/apis/apps/v1/daemonsets", "/apis/apps/v1/deployments"
CRDS, NODES = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "/api/v1/nodes"
POOL = {"gpu-slices/pool": "v100", "nvidia.com/device-plugin.config": "v100"}


def test_a_cluster_that_can_take_the_stack_passes_with_what_was_seen():
    (found,) = judged("adopted-cluster", account())
    assert (found.outcome, found.subject) == ("passed", "cluster prod")
    assert "1.35, API" in found.seen
    (found,) = judged("adopted-contents", account())
    assert found.outcome == "passed"


@pytest.mark.parametrize(
    ("differs", "cause"),
    [
        ({"accessConfig": {"authenticationMode": "CONFIG_MAP"}}, "config-map-mode"),
        ({"accessConfig": {}}, "config-map-mode"),
        ({"computeConfig": {"enabled": True}}, "auto-mode"),
        ({"status": "DELETING"}, "not-active"),
        ({"version": "1.27"}, "version-unsupported"),
        ({"resourcesVpcConfig": {"vpcId": "vpc-0fedcba9876543210", "endpointPrivateAccess": True}}, "other-vpc"),
    ],
)
def test_what_keeps_a_cluster_from_taking_the_stack_is_named(differs: Mapping[str, Any], cause: str):
    assert ("failed", cause) in causes("adopted-cluster", account(**differs))


def test_a_cluster_that_is_not_there_is_the_only_thing_said_of_it():
    raw = {"cluster": {"adopt": "gone"}}
    assert causes("adopted-cluster", account(raw)) == [("failed", "cluster-missing")]
    assert judged("adopted-contents", account(raw)) == judged("adopted-addons", account(raw)) == []


def test_the_pod_identity_agent_is_missed_only_where_pods_get_roles():
    assert causes("adopted-cluster", account()) == []
    assert causes("adopted-cluster", account(KARPENTER)) == [("failed", "agent-missing")]
    assert causes("adopted-cluster", account(KARPENTER, addons={"eks-pod-identity-agent": {}})) == []


def test_a_part_that_breaks_with_the_clusters_version_is_said_once_the_version_is_known():
    raw = {"gpuNodeGroups": {"t4": {"instanceType": "g4dn.xlarge", "amiRelease": "1.34.2-20260714"}}}
    assert causes("adopted-cluster", account(raw, version="1.34")) == []
    assert causes("adopted-cluster", account(raw, version="1.35")) == [("failed", "version-breaks")]


def test_an_addon_that_the_cluster_has_is_not_taken_over_but_the_stacks_own_is_known():
    raw = {"cluster": {"adopt": "prod", "addons": {"coredns": "v1.12.1-eksbuild.2"}}}
    assert causes("adopted-addons", account(raw)) == []
    assert causes("adopted-addons", account(raw, addons={"coredns": {}})) == [("failed", "addon-there")]
    own = {"gpu-slices:stack": "test", "gpu-slices:cluster": "prod"}
    assert causes("adopted-addons", account(raw, addons={"coredns": own})) == []


#: What runs there → what is said.
CLASHES: dict[str, tuple[dict[str, list[dict[str, Any]]], str]] = {
    "eksctl": (
        {DAEMONS: [workload("kube-system", "nvidia-device-plugin-daemonset", PLUGIN_IMAGE)]},
        "eksctl-plugin",
    ),
    "a chart": (
        {
            DAEMONS: [
                workload("nvdp", "nvdp-nvidia-device-plugin", PLUGIN_IMAGE),
                workload("nvdp", "nvdp-nvidia-device-plugin-gpu-feature-discovery", PLUGIN_IMAGE),
            ]
        },
        "other-plugin",
    ),
    "by its label": (
        {
            DAEMONS: [
                workload("gpu", "plugin", "registry/mirror:1", **{"app.kubernetes.io/name": "nvidia-device-plugin"})
            ]
        },
        "other-plugin",
    ),
    "the operator": (
        {
            DEPLOYMENTS: [workload("gpu-operator", "gpu-operator", OPERATOR_IMAGE)],
            DAEMONS: [workload("gpu-operator", "nvidia-device-plugin-daemonset", PLUGIN_IMAGE)],
        },
        "other-operator",
    ),
    "DRA": (
        {DAEMONS: [workload("dra", "kubelet-plugin", "nvcr.io/nvidia/k8s-dra-driver-gpu:v25.8.0")]},
        "dra-driver",
    ),
}


@pytest.mark.parametrize("case", CLASHES)
def test_what_runs_there_and_clashes_is_one_sentence_with_its_remedy(case: str):
    objects, cause = CLASHES[case]
    (found,) = judged("adopted-contents", account(objects=objects))
    assert (found.outcome, found.cause and found.cause.name) == ("failed", cause)
    assert "kubectl" in found.remedy or "helm" in found.remedy


def test_karpenter_clashes_only_with_a_stack_that_brings_one():
    there = {DEPLOYMENTS: [workload("karpenter", "karpenter", KARPENTER_IMAGE)]}
    assert causes("adopted-contents", account(objects=there)) == []
    assert causes("adopted-contents", account(KARPENTER, objects=there)) == [("failed", "other-karpenter")]
    leftover = {CRDS: [{"metadata": {"name": "nodepools.karpenter.sh"}}]}
    assert causes("adopted-contents", account(KARPENTER, objects=leftover)) == [("failed", "karpenter-crds")]


def test_what_the_stack_itself_put_there_does_not_clash():
    """The second preflight, with the stack up."""
    managed = {"app.kubernetes.io/managed-by": "gpu-slices"}
    objects = {
        "/api/v1/namespaces": [{"metadata": {"name": "nvidia-device-plugin", "labels": managed}}],
        "/apis/karpenter.sh/v1/nodepools": [{"metadata": {"name": "burst", "labels": managed}}],
        DAEMONS: [workload("nvidia-device-plugin", "nvidia-device-plugin", PLUGIN_IMAGE)],
        DEPLOYMENTS: [workload("kube-system", "karpenter", KARPENTER_IMAGE)],
        CRDS: [{"metadata": {"name": "nodepools.karpenter.sh"}}],
    }
    assert causes("adopted-contents", account(KARPENTER, objects=objects)) == []


def test_a_second_feature_discovery_is_a_warning():
    image = "registry.k8s.io/nfd/node-feature-discovery:v0.19.0"
    there = {DAEMONS: [workload("nfd", "nfd-worker", image)]}
    assert causes("adopted-contents", account(objects=there)) == [("warned", "second-discovery")]


def test_existing_nodes_without_labels_or_taint_are_named_with_the_command():
    nodes = {NODES: [gpu_node("inside", labels=POOL, taint=False), gpu_node("outside"), gpu_node("third")]}
    unlabelled, untainted = judged("adopted-contents", account({"existingGpuNodes": EXISTING}, objects=nodes))
    assert (unlabelled.outcome, unlabelled.seen) == ("warned", "1 of 2 nodes")
    assert unlabelled.remedy.startswith(
        "kubectl label node outside third gpu-slices/pool=v100 nvidia.com/device-plugin.config=v100"
    )
    assert (untainted.subject, untainted.cause and untainted.cause.name) == ("node inside", "no-taint")


def test_a_cluster_that_cannot_be_read_is_said_and_fails():
    shut = account()

    def closed(_facts: ClusterFacts, _region: str) -> Any:
        raise ClusterError("the credentials are refused")

    shut.open_cluster = lambda facts: closed(facts, REGION)  # type: ignore[method-assign]
    assert causes("adopted-contents", shut) == [("failed", "unreadable")]


def test_leftovers_of_an_adopted_cluster_are_only_what_carries_the_stacks_own_tags():
    plan: Plan = account().plan
    owner = owner_of(plan.stack, plan.settings)
    assert owner.owns({"gpu-slices:stack": "test", "gpu-slices:cluster": "prod"})
    for tags in (
        {"kubernetes.io/cluster/prod": "owned"},
        {"eks:cluster-name": "prod"},
        {"elbv2.k8s.aws/cluster": "prod"},
    ):
        assert not owner.owns(tags)
    assert not any(name.startswith("/aws/eks/prod/") for name in owner.log_groups())
