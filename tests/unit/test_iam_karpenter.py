"""Karpenter's policy documents: known to AWS, narrow, and short enough for IAM."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gpu_slices.iam.interruptions import log_policy, log_policy_json, queue_policy, queue_policy_json
from gpu_slices.iam.karpenter import (
    POLICY_SIZE_LIMIT,
    ControllerScope,
    controller_policies,
    controller_policy_json,
    controller_policy_names,
    controller_trust,
)
from gpu_slices.interruptions import event_patterns, interruption_log_group_name
from tests.support.policy_lint import Document, findings, idle_resources, listed, statements

ACCOUNT, REGION = "123456789012", "us-west-2"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:interruptions"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/events/demo/interruptions"
NODE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/nodes"


def scope(**changes: Any) -> ControllerScope:
    facts: dict[str, Any] = {
        "partition": "aws",
        "account": ACCOUNT,
        "region": REGION,
        "cluster_name": "demo",
        "node_role_arn": NODE_ROLE,
        "queue_arn": QUEUE,
        "spot": True,
    }
    return ControllerScope(**{**facts, **changes})


#: The longest of everything: EKS allows 100 characters, IAM role names 64, SQS names 80.
LONGEST = scope(
    partition="aws-us-gov",
    region="ap-southeast-1",
    cluster_name="x" * 100,
    node_role_arn=f"arn:aws-us-gov:iam::{ACCOUNT}:role/{'r' * 64}",
    queue_arn=f"arn:aws-us-gov:sqs:ap-southeast-1:{ACCOUNT}:{'q' * 80}",
)
CONTROLLER = controller_policies(scope())
DOCUMENTS: dict[str, Document] = {
    **{f"controller {name}": document for name, document in CONTROLLER.items()},
    "queue": queue_policy(QUEUE),
    "logs": log_policy(LOGS),
}

#: What parliament finds although AWS has it so: finding → why.
KNOWN_FINDINGS = {
    "ssm:GetParameter lacks arn:*:ssm:*:*:parameter/*": "AWS's public parameters carry no account in their ARN",
}
#: ARNs that parliament takes for misspelt: ARN → why they stand.
KNOWN_IDLE = {
    f"arn:aws:ec2:{REGION}:*:spot-instances-request/*": "Karpenter's published policy names it for launches; AWS's reference does so for CreateTags only",
}
#: Statements whose resources end in a star although they carry no condition: sid → why.
STARS = {
    "LaunchFrom": "what a launch reads; what it makes is held to the cluster's tags by LaunchWithTags",
    "ReadAmiIds": "AWS's public parameters",
    "ReadInstanceProfiles": "reading who may be passed; passing is held to the one role",
    "RulesOpenStreams": "streams of the one log group; CreateLogStream knows no source rule",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_aws_knows_every_action_resource_and_condition_key(name: str):
    assert [finding for finding in findings(DOCUMENTS[name]) if finding not in KNOWN_FINDINGS] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_resource_is_one_that_an_action_of_its_statement_works_on(name: str):
    assert [arn for arn in idle_resources(DOCUMENTS[name]) if arn not in KNOWN_IDLE] == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ({"Action": "ec2:RunInstance", "Resource": "*"}, "UNKNOWN_ACTION"),
        ({"Action": "sqs:SendMessage", "Resource": LOGS}, "sqs:SendMessage lacks"),
        (
            {"Action": "sqs:SendMessage", "Resource": QUEUE, "Condition": {"StringEqual": {"aws:SourceArn": QUEUE}}},
            "UNKNOWN_OPERATOR",
        ),
        (
            {"Action": "sqs:SendMessage", "Resource": QUEUE, "Condition": {"StringEquals": {"ec2:Vpc": "vpc"}}},
            "UNKNOWN_CONDITION_FOR_ACTION",
        ),
    ],
)
def test_the_linter_does_find_mistakes(statement: dict[str, Any], words: str):
    (found,) = findings({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
    assert words in found


def test_a_misspelt_resource_is_found_idle():
    document = {"Statement": [{"Action": ["ec2:RunInstances"], "Resource": ["arn:aws:ec2:us-west-2:*:instances/*"]}]}
    assert idle_resources(document) == ["arn:aws:ec2:us-west-2:*:instances/*"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_is_allowed_everywhere_without_a_reason(name: str):
    for statement in statements(DOCUMENTS[name]):
        if statement["Effect"] == "Deny" or statement.get("Condition"):
            continue
        assert "*" not in listed(statement["Resource"])
        if any(resource.endswith("*") for resource in listed(statement["Resource"])):
            assert statement["Sid"] in STARS


def test_every_exception_is_still_needed():
    found = {finding for document in DOCUMENTS.values() for finding in findings(document)}
    free = [
        statement
        for document in DOCUMENTS.values()
        for statement in statements(document)
        if not statement.get("Condition")
    ]
    assert set(KNOWN_FINDINGS) <= found
    assert set(KNOWN_IDLE) <= {arn for document in DOCUMENTS.values() for arn in idle_resources(document)}
    assert set(STARS) <= {statement.get("Sid") for statement in free}


@pytest.mark.parametrize("name", controller_policies(LONGEST))
def test_the_longest_names_still_fit_into_a_managed_policy(name: str):
    size = sum(not sign.isspace() for sign in json.dumps(controller_policies(LONGEST)[name]))
    assert size <= POLICY_SIZE_LIMIT


def test_a_role_takes_ten_managed_policies_and_the_controller_needs_fewer():
    assert len(controller_policy_names(spot=True)) <= 10


def test_names_texts_and_documents_agree():
    for spot in (True, False):
        documents = controller_policies(scope(spot=spot))
        assert tuple(documents) == controller_policy_names(spot=spot)
        for name, document in documents.items():
            assert json.loads(controller_policy_json(name, scope(spot=spot))) == document
    assert json.loads(queue_policy_json(QUEUE)) == queue_policy(QUEUE)
    assert json.loads(log_policy_json(LOGS)) == log_policy(LOGS)


def allowed(*actions: str) -> list[Document]:
    """The controller's statements that allow one of the actions."""
    return [
        statement
        for document in CONTROLLER.values()
        for statement in statements(document)
        if set(actions) & set(statement["Action"])
    ]


def test_only_what_carries_the_clusters_tags_is_changed_or_deleted():
    for statement in allowed("ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"):
        condition = statement["Condition"]
        assert condition["StringEquals"] == {"aws:ResourceTag/kubernetes.io/cluster/demo": "owned"}
        assert condition["StringLike"] == {"aws:ResourceTag/karpenter.sh/nodepool": "*"}


def test_everything_that_a_launch_makes_must_carry_the_clusters_tags():
    made = [s for s in allowed("ec2:RunInstances") if any(":instance/" in arn for arn in s["Resource"])]
    (statement,) = made
    assert statement["Condition"]["StringEquals"] == {
        "aws:RequestTag/eks:eks-cluster-name": "demo",
        "aws:RequestTag/kubernetes.io/cluster/demo": "owned",
    }
    assert {arn.split(":")[5].split("/")[0] for arn in statement["Resource"]} == {
        "fleet", "instance", "launch-template", "network-interface", "spot-instances-request", "volume",
    }  # fmt: skip


def test_tags_cannot_be_used_to_take_over_instances_of_others():
    for statement in allowed("ec2:CreateTags"):
        condition = statement["Condition"]["StringEquals"]
        assert "ec2:CreateAction" in condition or "aws:ResourceTag/kubernetes.io/cluster/demo" in condition


def test_nodes_get_their_one_role_and_no_instance_profile_is_touched():
    (statement,) = allowed("iam:PassRole")
    assert statement["Resource"] == NODE_ROLE
    assert "ec2.amazonaws.com" in statement["Condition"]["StringEquals"]["iam:PassedToService"]
    actions = {action for document in CONTROLLER.values() for s in statements(document) for action in s["Action"]}
    assert {action for action in actions if action.startswith("iam:")} == {
        "iam:CreateServiceLinkedRole",
        "iam:GetInstanceProfile",
        "iam:ListInstanceProfiles",
        "iam:PassRole",
    }


def test_only_a_stack_with_spot_pools_may_have_the_spot_role_made():
    (statement,) = allowed("iam:CreateServiceLinkedRole")
    assert statement["Condition"] == {"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}}
    assert statement["Resource"].endswith("role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot")
    assert set(controller_policies(scope())) - set(controller_policies(scope(spot=False))) == {"spot-role"}


def test_reads_stay_in_the_region():
    (statement,) = allowed("ec2:DescribeInstances")
    assert statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": REGION}}


def test_pod_identity_takes_the_role_and_tags_the_session():
    (statement,) = controller_trust()["Statement"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert set(statement["Action"]) == {"sts:AssumeRole", "sts:TagSession"}


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_only_rules_of_the_same_account_and_region_send_and_nobody_without_tls(partition: str):
    arn = f"arn:{partition}:sqs:{REGION}:{ACCOUNT}:interruptions"
    send, refuse = queue_policy(arn)["Statement"]
    assert send["Condition"]["ArnLike"]["aws:SourceArn"] == f"arn:{partition}:events:{REGION}:{ACCOUNT}:rule/*"
    assert (refuse["Effect"], refuse["Principal"], refuse["Action"]) == ("Deny", "*", "sqs:*")
    assert refuse["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_five_events_that_karpenter_reads_are_sent():
    """facts: interruption messages of Karpenter 1.14's controller."""
    assert {(*pattern["source"], *pattern["detail-type"]) for pattern in event_patterns().values()} == {
        ("aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning"),
        ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
        ("aws.ec2", "EC2 Instance State-change Notification"),
        ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
        ("aws.health", "AWS Health Event"),
    }


def test_the_log_group_is_the_one_that_the_log_policy_opens():
    group = interruption_log_group_name("demo")
    assert all(statement["Resource"] == f"{LOGS}:*" for statement in log_policy(LOGS)["Statement"])
    assert LOGS.endswith(group)
