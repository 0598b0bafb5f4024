"""An adopted cluster: what is added to it, what stops the program before anything is declared, in which words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from gpu_slices.plan import Plan, make_plan
from gpu_slices.review.consequences import consequence
from gpu_slices.review.edits import key_edits
from gpu_slices.review.effects import Effect, worst
from gpu_slices.review.sides import Edits
from gpu_slices.settings import parse
from rehearsal.account import Item
from rehearsal.aws.cluster import ADDON, CLUSTER
from rehearsal.aws.invokes import INVOKES
from rehearsal.aws.network import SUBNET
from rehearsal.project import project_program
from rehearsal.recorder import Recording, record
from rehearsal.stand_in import Refused
from tests.support.adoption import ADOPTED, KARPENTER, config_of, world
from tests.support.recordings import KUBERNETES_PROVIDER, behind

NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
WITH_KARPENTER = {**ADOPTED, **KARPENTER}
OPS = {"principalArn": "arn:aws:iam::123456789012:role/Ops", "policy": "view"}


def declared(raw: Mapping[str, Any], existing: tuple[Item, ...] | None = None) -> Recording:
    there = world(raw) if existing is None else existing
    return record(project_program(), stack="test", config=config_of(raw), existing=there)


def refusal(existing: tuple[Item, ...], raw: Mapping[str, Any] = ADOPTED) -> list[str]:
    """The lines with which the program stops."""
    with pytest.raises(pulumi.RunError) as raised:
        declared(raw, existing)
    first, *lines = str(raised.value).splitlines()
    assert first == "stack test cannot be added to the cluster:"
    assert all(line.startswith("cluster.adopt: ") for line in lines)
    return [line.removeprefix("cluster.adopt: ") for line in lines]


def test_neither_cluster_nor_network_is_declared_and_nothing_in_them_is_tagged():
    kinds = {one.type.split(":")[1] for one in declared(ADOPTED).resources if one.type.startswith("aws:")}
    assert kinds == {"ec2/launchTemplate", "eks/nodeGroup", "iam/role", "iam/rolePolicyAttachment"}


def test_node_groups_join_the_cluster_with_its_version_in_the_subnets_named():
    (group,) = declared(ADOPTED, world(version="1.34")).of(NODE_GROUP)
    assert group.inputs["clusterName"] == "prod"
    assert group.inputs["version"] == "1.34"
    assert group.inputs["subnetIds"] == ADOPTED["network"]["privateSubnetIds"]
    assert group.inputs["nodeGroupNamePrefix"] == "prod-t4-"
    assert set(group.inputs["launchTemplate"]) == {"id", "version"}
    assert group.inputs["taints"] == [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}]
    assert "diskSize" not in group.inputs


def test_a_node_group_comes_after_its_own_rights():
    recorded = declared(ADOPTED)
    (group,) = recorded.of(NODE_GROUP)
    rights = {one.urn for one in recorded.resources if one.name.startswith("platform-t4-role-")}
    assert len(rights) == 4
    assert rights <= behind(recorded, group)


def test_the_kubernetes_provider_speaks_to_the_adopted_cluster_and_its_kubeconfig_is_a_secret():
    (provider,) = declared(ADOPTED).of(KUBERNETES_PROVIDER)
    assert provider.inputs["clusterIdentifier"].endswith(":cluster/prod")
    assert "get-token" in provider.inputs["kubeconfig"]
    assert "kubeconfig" in provider.secrets


def test_only_addons_that_are_named_are_added_and_nothing_is_taken_over():
    pinned = {"metrics-server": "v0.8.0-eksbuild.1"}
    assert declared(ADOPTED).of(ADDON) == ()
    (addon,) = declared({**ADOPTED, "cluster": {"adopt": "prod", "addons": pinned}}).of(ADDON)
    assert (addon.inputs["addonName"], addon.inputs["addonVersion"]) == ("metrics-server", "v0.8.0-eksbuild.1")
    assert addon.inputs["resolveConflictsOnCreate"] == "NONE"


def test_people_are_let_in_beside_those_who_may_already():
    recorded = declared({**ADOPTED, "cluster": {"adopt": "prod", "access": {"ops": OPS}}})
    (entry,) = recorded.of("aws:eks/accessEntry:AccessEntry")
    assert (entry.inputs["clusterName"], entry.inputs["principalArn"]) == ("prod", OPS["principalArn"])


def test_karpenter_gets_the_clusters_own_security_group_and_the_subnets_by_id():
    recorded = declared(WITH_KARPENTER)
    (cluster,) = [item for item in world(WITH_KARPENTER) if item.type == CLUSTER]
    (node_class,) = recorded.of("kubernetes:karpenter.k8s.aws/v1:EC2NodeClass")
    groups, subnets = (node_class.inputs["spec"][f"{part}SelectorTerms"] for part in ("securityGroup", "subnet"))
    assert groups == [{"id": cluster.data["vpcConfig"]["clusterSecurityGroupId"]}]
    assert subnets == [{"id": one} for one in ADOPTED["network"]["privateSubnetIds"]]


def test_system_nodes_come_only_where_they_are_named():
    assert [group.name for group in declared(ADOPTED).of(NODE_GROUP)] == ["platform-t4-nodes"]
    names = sorted(group.name for group in declared(WITH_KARPENTER).of(NODE_GROUP))
    assert names == ["platform-system-nodes", "platform-t4-nodes"]


#: The world, the settings → the one sentence.
REFUSED: dict[str, tuple[tuple[Item, ...], Mapping[str, Any], str]] = {
    "missing": ((), ADOPTED, "cluster prod is not there"),
    "config map": (
        world(accessConfig={"authenticationMode": "CONFIG_MAP"}),
        ADOPTED,
        "authenticationMode=API_AND_CONFIG_MAP",
    ),
    "auto mode": (world(computeConfig={"enabled": True}), ADOPTED, "Auto Mode"),
    "version": (world(version="1.29"), ADOPTED, "runs Kubernetes 1.29"),
    "another VPC": (
        world(),
        {**ADOPTED, "network": {**ADOPTED["network"], "vpcId": "vpc-0fedcba9876543210"}},
        "write network.vpcId: vpc-0123456789abcdef0",
    ),
    "a subnet of nobody": (
        world(),
        {**ADOPTED, "network": {**ADOPTED["network"], "publicSubnetIds": ["subnet-0fedcba9876543210"]}},
        "subnet-0fedcba9876543210 is not in vpc-0123456789abcdef0",
    ),
    "no agent": (world(WITH_KARPENTER, without=[ADDON]), WITH_KARPENTER, "has no eks-pod-identity-agent"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_cluster_that_cannot_take_the_stack_is_one_sentence(case: str):
    existing, raw, words = REFUSED[case]
    (line,) = refusal(existing, raw)
    assert words in line
    assert ";" in line, "says what to do"


def test_everything_that_is_wrong_is_said_at_once():
    worst_of_all = world(version="1.29", accessConfig={}, computeConfig={"enabled": True}, without=[SUBNET])
    assert len(refusal(worst_of_all)) == 5


def test_the_agent_is_wanted_only_where_pods_get_roles_and_may_be_added_by_the_stack():
    assert declared(ADOPTED, world(without=[ADDON])).of(ADDON) == ()
    added = {"adopt": "prod", "addons": {"eks-pod-identity-agent": "v1.3.8-eksbuild.2"}}
    raw = {**WITH_KARPENTER, "cluster": added}
    recorded = declared(raw, world(raw, without=[ADDON]))
    (addon,) = recorded.of(ADDON)
    (controller,) = [one for one in recorded.resources if one.name == "platform-karpenter-release"]
    assert addon.urn in behind(recorded, controller)


def test_an_aws_that_does_not_answer_is_a_sentence_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(INVOKES, "aws:ec2/getSubnets:getSubnets", _no_access)
    with pytest.raises(pulumi.RunError, match=r"cluster\.adopt: AWS was asked about prod: .*no access") as raised:
        declared(ADOPTED)
    assert len(str(raised.value).splitlines()) == 1


def _no_access(*_: object) -> Mapping[str, Any]:
    raise Refused("UnauthorizedOperation: no access")


def test_an_endpoint_that_few_may_reach_is_a_warning():
    subnets = list(ADOPTED["network"]["privateSubnetIds"])
    base = {"vpcId": ADOPTED["network"]["vpcId"], "subnetIds": subnets}
    limited = {**base, "endpointPrivateAccess": False, "publicAccessCidrs": ["192.0.2.0/24"]}
    private = {**base, "endpointPrivateAccess": True, "endpointPublicAccess": False}
    for vpc_config, words in ((limited, "answers 192.0.2.0/24"), (private, "has no public endpoint")):
        warnings = declared(ADOPTED, world(vpcConfig=vpc_config)).warnings
        assert any(words in warning for warning in warnings)


BASE: dict[str, Any] = {
    **ADOPTED,
    "existingGpuNodes": {
        "v100": {"instanceType": "p3.8xlarge", "nodes": 1},
        "old": {"instanceType": "p3.8xlarge", "nodes": 1},
    },
}
EDITS: dict[str, Effect] = {
    "cluster.adopt=other": "replace",
    "existingGpuNodes.v100.replicas=8": "restart",
    "existingGpuNodes.v100.nodes=3": "nothing",
    "existingGpuNodes.v100.instanceType=p3.16xlarge": "nothing",
    "existingGpuNodes.v100.podRequests.cpu=50m": "nothing",
    "-existingGpuNodes.old": "disrupt",
}


def plan_of(raw: Mapping[str, Any]) -> Plan:
    return make_plan(parse(raw, stack="test"), stack="test")


@pytest.mark.parametrize("case", EDITS)
def test_the_table_of_consequences_grades_an_edit_of_what_is_adopted(case: str):
    edits = Edits(unsets=[case[1:]]) if case.startswith("-") else Edits(sets=[case])
    old, new = plan_of(BASE), plan_of(edits.applied(BASE))
    assert worst([consequence(edit, old, new).effect for edit in key_edits(old.settings, new.settings)]) == EDITS[case]


@pytest.mark.parametrize("case", [case for case in EDITS if case != "cluster.adopt=other"])
def test_an_edit_of_existing_nodes_touches_the_plugin_and_the_rules_that_name_pools(case: str):
    """No node, no node group, no launch template: the nodes are not the stack's."""
    edits = Edits(unsets=[case[1:]]) if case.startswith("-") else Edits(sets=[case])
    old, new = declared(BASE).by_urn, declared(edits.applied(BASE)).by_urn
    assert old.keys() == new.keys()
    changed = [
        (new[urn].type, {key for key in new[urn].inputs if new[urn].inputs[key] != old[urn].inputs.get(key)})
        for urn in new
        if new[urn].inputs != old[urn].inputs
    ]
    rules = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
    assert {type_ for type_, _ in changed} <= {"kubernetes:helm.sh/v3:Release", rules}
    assert any("values" in keys for _, keys in changed) == (EDITS[case] != "nothing")
