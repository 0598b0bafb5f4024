"""The aws stand-in where it is asked for security and reserved capacity: it refuses what AWS refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.account import Item
from rehearsal.aws.account_services import DETECTOR, FEATURE, HUB
from rehearsal.aws.compute import RESERVATION
from rehearsal.aws.network import GROUP
from rehearsal.stand_in import Refused
from tests.support.world import (
    CLUSTER,
    NODES,
    ROLE,
    TEMPLATE,
    Made,
    World,
    aws_world,
    cluster,
    network,
    node_inputs,
    node_role,
    trust,
)

ID = "cr-0123456789abcdef0"
ADDON, GRANT, ENDPOINT = "aws:eks/addon:Addon", "aws:kms/grant:Grant", "aws:ec2/vpcEndpoint:VpcEndpoint"
FLOW_LOG, INGRESS = "aws:ec2/flowLog:FlowLog", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = aws_world(tmp_path)
    yield world
    world.account.close()


def reserve(world: World, zone: str = "us-west-2a") -> None:
    data = {"availabilityZone": zone, "instanceType": "p5.48xlarge", "instanceCount": 2}
    world.account.put(Item(type=RESERVATION, id=ID, urn="existing", data=data))


def template(world: World, **more: Any) -> Made:
    target = {"capacityReservationTarget": {"capacityReservationId": ID}}
    return world.create(TEMPLATE, "gpu", {"capacityReservationSpecification": target, **more})


BLOCK = {"instanceMarketOptions": {"marketType": "capacity-block"}, "instanceType": "p5.48xlarge"}


def group(world: World, made: Made, *, only_a: bool = True, **inputs: Any) -> dict[str, Any]:
    _, a, b = network(world)
    subnets = (a,) if only_a else (a, b)
    found = {**node_inputs(cluster(world, a, b), node_role(world), *subnets), **inputs}
    found["launchTemplate"] = {"id": made.id, "version": "1"}
    return {name: value for name, value in found.items() if value is not None}


def test_a_group_on_a_reservation_of_its_zone_comes_up(world: World):
    reserve(world)
    assert world.create(NODES, "held", group(world, template(world)))


@pytest.mark.parametrize(
    ("zone", "more", "inputs", "words"),
    [
        ("us-west-2b", {}, {}, f"capacity reservation {ID} is in us-west-2b, the subnets in us-west-2a"),
        (None, {}, {}, f"The capacity reservation ID '{ID}' does not exist"),
        ("us-west-2a", {}, {"capacityType": "SPOT"}, "spot instances cannot use a capacity reservation"),
        ("us-west-2a", {}, {"only_a": False}, "the subnets in us-west-2a, us-west-2b"),
        ("us-west-2a", {}, {"capacityType": "CAPACITY_BLOCK"}, "MarketType capacity-block go together"),
        ("us-west-2a", BLOCK, {}, "MarketType capacity-block go together"),
        ("us-west-2a", BLOCK, {"capacityType": "CAPACITY_BLOCK"}, "instance types are in the launch template already"),
    ],
)
def test_a_group_that_could_not_launch_into_its_reservation_is_refused(
    world: World, zone: str | None, more: dict[str, Any], inputs: dict[str, Any], words: str
):
    if zone:
        reserve(world, zone)
    assert words in world.refusal(NODES, "held", group(world, template(world, **more), **inputs))


def test_a_group_in_a_capacity_block_comes_up_with_the_type_in_its_template(world: World):
    reserve(world)
    inputs = group(world, template(world, **BLOCK), capacityType="CAPACITY_BLOCK", instanceTypes=None)
    assert world.create(NODES, "held", inputs)


def test_a_template_for_a_capacity_block_names_block_and_type(world: World):
    market = {"instanceMarketOptions": {"marketType": "capacity-block"}}
    assert "needs an instance type and the id" in world.refusal(TEMPLATE, "gpu", market)


def test_an_account_has_one_detector_and_one_hub(world: World):
    world.create(DETECTOR, "first", {"enable": True})
    world.create(HUB, "first", {})
    assert "a detector already exists for the current account" in world.refusal(DETECTOR, "second", {"enable": True})
    assert "Account is already subscribed to Security Hub" in world.refusal(HUB, "second", {})


def test_a_detector_has_features_that_exist_and_only_one_runtime_monitoring(world: World):
    detector = world.create(DETECTOR, "first", {"enable": True})
    feature = {"detectorId": detector.id, "status": "ENABLED"}
    assert "no feature EKS_RUNTIME" in world.refusal(FEATURE, "typo", {**feature, "name": "EKS_RUNTIME"})
    world.create(FEATURE, "runtime", {**feature, "name": "RUNTIME_MONITORING"})
    assert "only one of" in world.refusal(FEATURE, "older", {**feature, "name": "EKS_RUNTIME_MONITORING"})


def test_grants_go_to_roles_that_exist_and_allow_what_kms_knows(world: World):
    key = "arn:aws:kms:us-west-2:123456789012:key/1"
    grant = {"keyId": key, "operations": ["Decrypt"]}
    nobody = {**grant, "granteePrincipal": "arn:aws:iam::123456789012:role/nobody"}
    assert "there is no role" in world.refusal(GRANT, "nobody", nobody)
    role = world.create(ROLE, "karpenter", {"assumeRolePolicy": trust("pods.eks.amazonaws.com")})
    wrong = {**grant, "granteePrincipal": role["arn"], "operations": ["Decypt"]}
    assert "unknown grant operations ['Decypt']" in world.refusal(GRANT, "typo", wrong)
    assert world.create(GRANT, "one", {**grant, "granteePrincipal": role["arn"]})


def test_an_addons_role_is_one_that_pod_identity_may_take(world: World):
    _, a, b = network(world)
    made = cluster(world, a, b)

    def addon(role_arn: str) -> dict[str, Any]:
        association = {"roleArn": role_arn, "serviceAccount": "ebs-csi-controller-sa"}
        return {
            "clusterName": made["name"],
            "addonName": "aws-ebs-csi-driver",
            "podIdentityAssociations": [association],
        }

    assert "does not exist" in world.refusal(ADDON, "ebs", addon("arn:aws:iam::123456789012:role/none"))
    untagged = world.create(ROLE, "untagged", {"assumeRolePolicy": trust("pods.eks.amazonaws.com")})
    assert "Trust policy of role is invalid" in world.refusal(ADDON, "ebs", addon(untagged["arn"]))
    document = json.loads(trust("pods.eks.amazonaws.com"))
    document["Statement"][0]["Action"] = ["sts:AssumeRole", "sts:TagSession"]
    tagged = world.create(ROLE, "tagged", {"assumeRolePolicy": json.dumps(document)})
    assert world.create(ADDON, "ebs", addon(tagged["arn"]))


def test_a_clusters_own_security_group_can_be_named_and_then_keeps_the_cluster(world: World):
    vpc, a, b = network(world)
    made = cluster(world, a, b)
    own = made["vpcConfig"]["clusterSecurityGroupId"]
    group_ = world.create(GROUP, "endpoint", {"vpcId": vpc.id, "description": "endpoint"})
    rule = world.create(
        INGRESS,
        "from-nodes",
        {"securityGroupId": group_.id, "referencedSecurityGroupId": own, "ipProtocol": "tcp", "fromPort": 443},
    )
    with pytest.raises(Refused, match="is in use by SecurityGroupIngressRule"):
        world.delete(made)
    world.delete(rule)
    world.delete(made)
    assert world.account.all(CLUSTER) == ()
    assert world.account.find(GROUP, own) is None


def test_a_vpc_has_one_endpoint_for_a_private_name(world: World):
    vpc, a, _ = network(world)
    inputs = {"vpcId": vpc.id, "serviceName": "com.amazonaws.us-west-2.guardduty-data", "subnetIds": [a.id]}
    world.create(ENDPOINT, "first", inputs)
    assert "conflicting DNS domain" in world.refusal(ENDPOINT, "second", inputs)
    assert "no policy document" in world.refusal(ENDPOINT, "third", {**inputs, "serviceName": "x", "policy": "{}"})


def test_flow_logs_need_their_log_group(world: World):
    vpc, _, _ = network(world)
    arn = "arn:aws:logs:us-west-2:123456789012:log-group:none"
    inputs = {"vpcId": vpc.id, "trafficType": "ALL", "logDestination": arn}
    assert "there is no log group" in world.refusal(FLOW_LOG, "flows", inputs)
