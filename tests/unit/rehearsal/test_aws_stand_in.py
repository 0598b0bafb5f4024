"""The aws stand-in: as strict as AWS where a program could go wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.account import Item
from rehearsal.stand_in import Refused
from rehearsal.values import UNKNOWN
from tests.support.world import (
    ATTACHMENT,
    CLUSTER,
    NODES,
    ROLE,
    SUBNET,
    TEMPLATE,
    VPC,
    World,
    aws_world,
    cluster,
    network,
    node_inputs,
    node_role,
    trust,
)

WORKER = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = aws_world(tmp_path)
    yield world
    world.account.close()


def test_an_unknown_type_is_refused_with_the_nearest_one(world: World):
    with pytest.raises(LookupError, match=r"no resource type aws:ec2/vpcs:Vpc; did you mean aws:ec2/vpc:Vpc\?"):
        world.create("aws:ec2/vpcs:Vpc", "net", {})


def test_an_unknown_property_is_refused_at_any_depth(world: World):
    options = {"httpTokens": "required", "httpPutResponseHopLimits": 1}
    _, _, problems = world.check(TEMPLATE, "gpu", {"metadataOptions": options})
    assert problems == [
        "there is no property metadataOptions.httpPutResponseHopLimits; "
        "did you mean metadataOptions.httpPutResponseHopLimit?"
    ]


def test_every_missing_input_is_named(world: World):
    _, _, problems = world.check(NODES, "gpu", {"clusterName": "demo", "scalingConfig": {"minSize": 1, "maxSize": 1}})
    assert problems == [
        "missing required property scalingConfig.desiredSize",
        "missing required property nodeRoleArn",
        "missing required property subnetIds",
    ]


def test_a_value_of_the_wrong_kind_is_refused_but_texts_of_numbers_are_not(world: World):
    _, _, problems = world.check(TEMPLATE, "gpu", {"tags": ["a"], "metadataOptions": {"httpPutResponseHopLimit": "1"}})
    assert problems == ["tags must be a map, not ['a']"]


def test_unknown_values_pass_the_checks_of_a_preview(world: World):
    urn, checked, problems = world.check(SUBNET, "a", {"vpcId": UNKNOWN, "cidrBlock": "10.0.0.0/24"})
    assert not problems
    id_, state = world.stand_in.create(SUBNET, urn, checked, True)
    assert (id_, state["arn"], state["cidrBlock"]) == ("", UNKNOWN, "10.0.0.0/24")
    assert world.account.all() == ()


def test_ids_and_arns_have_the_shapes_of_aws(world: World):
    vpc, subnet, _ = network(world)
    role = node_role(world)
    assert re.fullmatch(r"vpc-[0-9a-f]{17}", vpc.id)
    assert vpc["arn"] == f"arn:aws:ec2:us-west-2:123456789012:vpc/{vpc.id}"
    assert re.fullmatch(r"subnet-[0-9a-f]{17}", subnet.id)
    assert re.fullmatch(r"nodes-[0-9a-f]{7}", role.id)
    assert role["arn"] == f"arn:aws:iam::123456789012:role/{role.id}"


def test_the_same_program_gets_the_same_ids_and_a_replacement_another(world: World, tmp_path: Path):
    first, second = (world.create(VPC, "net", {"cidrBlock": "10.0.0.0/16"}).id for _ in range(2))
    (tmp_path / "other").mkdir()
    other = aws_world(tmp_path / "other")
    again = other.create(VPC, "net", {"cidrBlock": "10.0.0.0/16"}).id
    other.account.close()
    assert first == again != second


def test_default_tags_reach_every_resource_that_has_tags(tmp_path: Path):
    world = aws_world(tmp_path, defaultTags=json.dumps({"tags": {"team": "ml", "stack": "dev"}}))
    vpc = world.create(VPC, "net", {"cidrBlock": "10.0.0.0/16", "tags": {"team": "gpu"}})
    world.account.close()
    assert vpc["tagsAll"] == {"team": "gpu", "stack": "dev"}


def test_a_role_name_exists_once(world: World):
    inputs = {"name": "nodes", "assumeRolePolicy": trust("ec2.amazonaws.com")}
    world.create(ROLE, "a", inputs)
    assert world.refusal(ROLE, "b", inputs).startswith("EntityAlreadyExists: Role nodes")


def test_a_cluster_name_exists_once(world: World):
    _, *subnets = network(world)
    control_plane = cluster(world, *subnets)
    assert world.refusal(CLUSTER, "twin", control_plane.inputs).startswith("ResourceInUseException: Cluster demo")


def test_a_log_group_exists_once(world: World):
    token, inputs = "aws:cloudwatch/logGroup:LogGroup", {"name": "/aws/eks/demo/cluster"}
    world.create(token, "a", inputs)
    assert world.refusal(token, "b", inputs).startswith("ResourceAlreadyExistsException")


def test_a_pod_identity_exists_once_per_service_account(world: World):
    _, *subnets = network(world)
    control_plane, role = cluster(world, *subnets), node_role(world)
    token = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
    inputs = {
        "clusterName": control_plane["name"],
        "namespace": "kube-system",
        "serviceAccount": "karpenter",
        "roleArn": role["arn"],
    }
    world.create(token, "a", inputs)
    world.create(token, "b", {**inputs, "serviceAccount": "other"})
    assert world.refusal(token, "c", inputs).startswith("ResourceInUseException")


def test_a_vpc_with_subnets_stays(world: World):
    vpc, *subnets = network(world)
    with pytest.raises(Refused, match=f"DependencyViolation: Vpc {vpc.id} is in use by Subnet"):
        world.delete(vpc)
    for made in (*subnets, vpc):
        world.delete(made)
    assert world.account.all() == ()


def test_a_role_with_attached_policies_stays(world: World):
    role = node_role(world)
    attachment = world.create(ATTACHMENT, "worker", {"role": role["name"], "policyArn": WORKER})
    with pytest.raises(Refused, match="DeleteConflict"):
        world.delete(role)
    world.delete(attachment)
    world.delete(role)


def test_a_cluster_with_nodes_and_a_subnet_with_a_cluster_stay(world: World):
    _, *subnets = network(world)
    control_plane, role = cluster(world, *subnets), node_role(world)
    nodes = world.create(NODES, "gpu", node_inputs(control_plane, role, *subnets))
    with pytest.raises(Refused, match="ResourceInUseException: Cluster demo is in use by NodeGroup"):
        world.delete(control_plane)
    world.delete(nodes)
    with pytest.raises(Refused, match=r"DependencyViolation: Subnet .* is in use by Cluster demo"):
        world.delete(subnets[0])
    world.delete(control_plane)
    world.delete(subnets[0])


def test_what_is_referred_to_must_exist_and_be_of_the_right_shape(world: World):
    inputs = {"cidrBlock": "10.0.0.0/24", "availabilityZone": "us-west-2a"}
    assert "vpcId must start with vpc-" in world.refusal(SUBNET, "a", {**inputs, "vpcId": "net"})
    assert "which does not exist" in world.refusal(SUBNET, "a", {**inputs, "vpcId": "vpc-0123456789abcdef0"})
    role = node_role(world)
    assert "takes a name" in world.refusal(ATTACHMENT, "x", {"role": role["arn"], "policyArn": WORKER})
    misspelt = {"role": role["name"], "policyArn": WORKER.replace("Worker", "Wroker")}
    assert world.refusal(ATTACHMENT, "x", misspelt).startswith("NoSuchEntity")


@pytest.mark.parametrize(
    ("cidr", "words"), [("10.1.0.0/24", "InvalidSubnet.Range"), ("10.0.1.128/25", "InvalidSubnet.Conflict")]
)
def test_subnets_lie_in_their_vpc_and_apart(world: World, cidr: str, words: str):
    vpc, *_ = network(world)
    inputs = {"vpcId": vpc.id, "cidrBlock": cidr, "availabilityZone": "us-west-2c"}
    assert world.refusal(SUBNET, "c", inputs).startswith(words)


def test_a_control_plane_needs_two_zones(world: World):
    _, first, _ = network(world)
    role = world.create(ROLE, "eks", {"assumeRolePolicy": trust("eks.amazonaws.com")})
    inputs = {"roleArn": role["arn"], "vpcConfig": {"subnetIds": [first.id]}}
    assert "two different AZs" in world.refusal(CLUSTER, "demo", inputs)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scalingConfig": {"minSize": 2, "desiredSize": 1, "maxSize": 3}}, "minSize <= desiredSize <= maxSize"),
        ({"scalingConfig": {"minSize": 0, "desiredSize": 0, "maxSize": 0}}, "maxSize >= 1"),
        ({"taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]}, "taint effect ['NoSchedule']"),
        ({"version": "1.36"}, "newer than the cluster's 1.35"),
    ],
)
def test_a_node_group_that_eks_would_refuse(world: World, change: dict[str, object], words: str):
    _, *subnets = network(world)
    control_plane, role = cluster(world, *subnets, version="1.35"), node_role(world)
    assert words in world.refusal(NODES, "gpu", node_inputs(control_plane, role, *subnets, **change))


def test_a_disk_size_is_refused_beside_a_launch_template(world: World):
    _, *subnets = network(world)
    control_plane, role = cluster(world, *subnets), node_role(world)
    template = world.create(TEMPLATE, "gpu", {})
    own = {"launchTemplate": {"id": template.id, "version": "1"}}
    world.create(NODES, "gpu", node_inputs(control_plane, role, *subnets, **own))
    inputs = node_inputs(control_plane, role, *subnets, **own, diskSize=100)
    assert "within the launch template" in world.refusal(NODES, "other", inputs)
    later = node_inputs(control_plane, role, *subnets, launchTemplate={"id": template.id, "version": "2"})
    assert "has no version 2" in world.refusal(NODES, "other", later)


def test_a_node_role_must_trust_ec2(world: World):
    _, *subnets = network(world)
    control_plane = cluster(world, *subnets)
    role = world.create(ROLE, "wrong", {"assumeRolePolicy": trust("eks.amazonaws.com")})
    assert "ec2.amazonaws.com" in world.refusal(NODES, "gpu", node_inputs(control_plane, role, *subnets))


def test_every_update_of_a_launch_template_is_another_version(world: World):
    template = world.create(TEMPLATE, "gpu", {"description": "one"})
    updated = world.update(template, {"description": "two"})
    assert (template["latestVersion"], updated["latestVersion"], updated.id) == (1, 2, template.id)


def test_a_new_template_version_updates_a_node_group_and_another_template_replaces_it(world: World):
    _, *subnets = network(world)
    control_plane, role = cluster(world, *subnets), node_role(world)
    template, other = (world.create(TEMPLATE, name, {}) for name in ("gpu", "other"))
    inputs = node_inputs(control_plane, role, *subnets, launchTemplate={"id": template.id, "version": "1"})
    nodes = world.create(NODES, "gpu", inputs)
    same = {**inputs, "launchTemplate": {"id": template.id, "version": "2"}, "labels": {"a": "b"}}
    assert world.replaced(nodes, same) == set()
    assert world.replaced(nodes, {**inputs, "launchTemplate": {"id": other.id, "version": "1"}}) == {
        "launchTemplate.id"
    }
    assert world.replaced(nodes, {**inputs, "instanceTypes": ["g6e.4xlarge"]}) == {"instanceTypes[0]"}


def test_a_replaced_resource_keeps_its_chosen_name_only_if_the_program_chose_it(world: World):
    document = trust("ec2.amazonaws.com")
    named = world.create(ROLE, "named", {"name": "own", "assumeRolePolicy": document})
    unnamed = world.create(ROLE, "unnamed", {"assumeRolePolicy": document})
    moved = {"assumeRolePolicy": document, "path": "/x/"}
    assert world.diff(named, {**moved, "name": "own"}).delete_first
    assert not world.diff(unnamed, moved).delete_first
    _, anew, _ = world.check(ROLE, "unnamed", moved)
    assert anew["name"] != unnamed["name"]


def test_an_update_keeps_the_name_and_the_outputs(world: World):
    role = node_role(world)
    updated = world.update(role, {"assumeRolePolicy": trust("ec2.amazonaws.com", "ssm.amazonaws.com")})
    assert updated["name"] == role["name"]
    assert updated["arn"] == role["arn"]


def test_a_name_that_is_too_long_is_refused(world: World):
    _, _, problems = world.check(ROLE, "x" * 60, {"assumeRolePolicy": trust("ec2.amazonaws.com")})
    assert len(problems) == 1
    assert "68 characters long, 64 are allowed" in problems[0]


def test_a_policy_document_must_be_one(world: World):
    assert world.refusal(ROLE, "x", {"assumeRolePolicy": "{"}).startswith("MalformedPolicyDocument")
    assert "no Statement" in world.refusal(ROLE, "x", {"assumeRolePolicy": "{}"})


def test_a_question_that_the_stand_in_does_not_know_is_an_error(world: World):
    assert world.stand_in.invoke("aws:index/getPartition:getPartition", {})["partition"] == "aws"
    with pytest.raises(Refused, match="answers no aws:ec2/getAmi:getAmi"):
        world.stand_in.invoke("aws:ec2/getAmi:getAmi", {})


def test_a_cluster_update_keeps_what_eks_has_added_to_its_vpc_config(world: World):
    _, *subnets = network(world)
    control_plane = cluster(world, *subnets, version="1.34")
    vpc = {**control_plane.inputs["vpcConfig"], "endpointPublicAccess": False, "endpointPrivateAccess": True}
    updated = world.update(control_plane, {**control_plane.inputs, "version": "1.35", "vpcConfig": vpc})
    group = control_plane["vpcConfig"]["clusterSecurityGroupId"]
    assert updated["vpcConfig"]["clusterSecurityGroupId"] == group
    assert updated["vpcConfig"]["endpointPublicAccess"] is False


def test_what_was_there_before_the_stack_may_be_referred_to(world: World):
    known = Item(type=VPC, id="vpc-0123456789abcdef0", urn="existing", data={"cidrBlock": "10.0.0.0/16"})
    world.account.put(known)
    inputs = {"vpcId": known.id, "cidrBlock": "10.0.0.0/24", "availabilityZone": "us-west-2a"}
    assert world.create(SUBNET, "a", inputs)["vpcId"] == known.id
