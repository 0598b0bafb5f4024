"""What Karpenter's controller may do, and who may be it.

Same effect as the policies that Karpenter 1.14 publishes for a cluster with Pod Identity, less what our own instance
profile makes superfluous: no instance profile is ever created, tagged or deleted by the controller.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .node import service_trust

#: IAM counts a managed policy's characters without white space and refuses more.
POLICY_SIZE_LIMIT: Final = 6144

SPOT_SERVICE: Final = "spot.amazonaws.com"
SPOT_ROLE: Final = "AWSServiceRoleForEC2Spot"
#: The names under which EC2 takes a role, in China and elsewhere.
_EC2_SERVICES: Final = ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"]
_NODE_POOL_TAG: Final = "karpenter.sh/nodepool"

#: What a launch reads and does not make. Some belong to other accounts (AMIs, shared subnets and reservations).
_READ_BY_A_LAUNCH: Final = (
    ":image/*",
    ":snapshot/*",
    "*:capacity-reservation/*",
    "*:placement-group/*",
    "*:security-group/*",
    "*:subnet/*",
)
#: What a launch makes; each carries the cluster's tags from its first moment.
_MADE_BY_A_LAUNCH: Final = (
    "*:fleet/*",
    "*:instance/*",
    "*:launch-template/*",
    "*:network-interface/*",
    "*:spot-instances-request/*",
    "*:volume/*",
)
_REGIONAL_READS: Final = (
    "ec2:DescribeCapacityReservations",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribePlacementGroups",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSpotPriceHistory",
    "ec2:DescribeSubnets",
)

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ControllerScope:
    """The one cluster, node role and queue that the controller works with.

    `partition` is aws, aws-cn or aws-us-gov; `spot` says whether any pool may launch spot nodes.
    """

    partition: str
    account: str
    region: str
    cluster_name: str
    node_role_arn: str
    queue_arn: str
    spot: bool


def controller_policies(scope: ControllerScope) -> dict[str, Document]:
    """Name → policy document, sorted; each fits into one managed policy of POLICY_SIZE_LIMIT characters."""
    return {name: _POLICIES[name](scope) for name in controller_policy_names(spot=scope.spot)}


def controller_policy_names(*, spot: bool) -> tuple[str, ...]:
    """The names of `controller_policies`, which are known before AWS has answered."""
    return tuple(sorted(name for name in _POLICIES if spot or name != _SPOT_POLICY))


def controller_policy_json(name: str, scope: ControllerScope) -> str:
    """One of the documents as the text that IAM takes. Raises KeyError for a name that is none of them."""
    return json.dumps(_POLICIES[name](scope), sort_keys=True)


def controller_trust() -> Document:
    """EKS Pod Identity takes the role for the controller's pods and tags the session with cluster and pod."""
    return service_trust("pods.eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession")


def _node_lifecycle(scope: ControllerScope) -> Document:
    """Launch and terminate nodes of this cluster's NodePools, and nothing else."""
    requested = _cluster_tags("aws:RequestTag", scope)
    existing = {f"aws:ResourceTag/kubernetes.io/cluster/{scope.cluster_name}": "owned"}
    from_pool = {f"aws:ResourceTag/{_NODE_POOL_TAG}": "*"}
    for_pool = {f"aws:RequestTag/{_NODE_POOL_TAG}": "*"}
    launch = ["ec2:CreateFleet", "ec2:RunInstances"]
    create = ["CreateFleet", "CreateLaunchTemplate", "RunInstances"]
    return _document(
        _allow("LaunchFrom", launch, _ec2(scope, *_READ_BY_A_LAUNCH)),
        _allow(
            "LaunchFromOwnTemplates",
            launch,
            _ec2(scope, "*:launch-template/*"),
            {"StringEquals": existing, "StringLike": from_pool},
        ),
        _allow(
            "LaunchWithTags",
            sorted([*launch, "ec2:CreateLaunchTemplate"]),
            _ec2(scope, *_MADE_BY_A_LAUNCH),
            {"StringEquals": requested, "StringLike": for_pool},
        ),
        _allow(
            "TagWhatIsLaunched",
            ["ec2:CreateTags"],
            _ec2(scope, *_MADE_BY_A_LAUNCH),
            {"StringEquals": {**requested, "ec2:CreateAction": create}, "StringLike": for_pool},
        ),
        _allow(
            "NameOwnInstances",
            ["ec2:CreateTags"],
            _ec2(scope, "*:instance/*"),
            {
                "StringEquals": existing,
                "StringLike": from_pool,
                "StringEqualsIfExists": {"aws:RequestTag/eks:eks-cluster-name": scope.cluster_name},
                "ForAllValues:StringEquals": {
                    "aws:TagKeys": ["Name", "eks:eks-cluster-name", "karpenter.sh/nodeclaim"]
                },
            },
        ),
        _allow(
            "DeleteOwn",
            ["ec2:DeleteLaunchTemplate", "ec2:TerminateInstances"],
            _ec2(scope, "*:instance/*", "*:launch-template/*"),
            {"StringEquals": existing, "StringLike": from_pool},
        ),
    )


def _pass_role(scope: ControllerScope) -> Document:
    """Give nodes their one role."""
    services = {"StringEquals": {"iam:PassedToService": _EC2_SERVICES}}
    return _document(_allow("GiveNodesTheirRole", ["iam:PassRole"], scope.node_role_arn, services))


def _cluster(scope: ControllerScope) -> Document:
    """Find the API server and its certificate."""
    cluster = f"arn:{scope.partition}:eks:{scope.region}:{scope.account}:cluster/{scope.cluster_name}"
    return _document(_allow("FindTheApiServer", ["eks:DescribeCluster"], cluster))


def _interruption(scope: ControllerScope) -> Document:
    """Take messages off the queue."""
    actions = ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"]
    return _document(_allow("TakeInterruptions", actions, scope.queue_arn))


def _discovery(scope: ControllerScope) -> Document:
    """See what can be launched and what it costs."""
    profiles = f"arn:{scope.partition}:iam::{scope.account}:instance-profile/*"
    in_region = {"StringEquals": {"aws:RequestedRegion": scope.region}}
    # Neither action knows resources. Pod Identity tags every session with the cluster that its pod runs in.
    from_cluster = {"StringEquals": {"aws:PrincipalTag/eks-cluster-name": scope.cluster_name}}
    parameters = f"arn:{scope.partition}:ssm:{scope.region}::parameter/aws/service/*"
    return _document(
        _allow("ReadTheRegion", _REGIONAL_READS, "*", in_region),
        _allow("ReadAmiIds", ["ssm:GetParameter"], parameters),
        _allow("ReadPrices", ["pricing:GetProducts"], "*", from_cluster),
        _allow("ListInstanceProfiles", ["iam:ListInstanceProfiles"], "*", from_cluster),
        _allow("ReadInstanceProfiles", ["iam:GetInstanceProfile"], profiles),
    )


def _spot_role(scope: ControllerScope) -> Document:
    """Let EC2 make the account's service-linked role for spot on the first spot request.

    A role of the stack's own would be refused where the account has one already, and destroyed with the stack under
    everybody else's feet. EC2 makes it with the caller's permission (aws-ia/terraform-aws-eks-blueprints#1291).
    """
    role = f"arn:{scope.partition}:iam::{scope.account}:role/aws-service-role/{SPOT_SERVICE}/{SPOT_ROLE}"
    for_spot = {"StringEquals": {"iam:AWSServiceName": SPOT_SERVICE}}
    return _document(_allow("MakeTheSpotRole", ["iam:CreateServiceLinkedRole"], role, for_spot))


_SPOT_POLICY: Final = "spot-role"
_POLICIES: Final[Mapping[str, Callable[[ControllerScope], Document]]] = {
    "cluster": _cluster,
    "discovery": _discovery,
    "interruption": _interruption,
    "node-lifecycle": _node_lifecycle,
    "pass-role": _pass_role,
    _SPOT_POLICY: _spot_role,
}


def _cluster_tags(condition_key: str, scope: ControllerScope) -> dict[str, str]:
    """What Karpenter 1.14 puts on everything it launches, as condition keys."""
    return {
        f"{condition_key}/eks:eks-cluster-name": scope.cluster_name,
        f"{condition_key}/kubernetes.io/cluster/{scope.cluster_name}": "owned",
    }


def _ec2(scope: ControllerScope, *resources: str) -> list[str]:
    return [f"arn:{scope.partition}:ec2:{scope.region}:{resource}" for resource in resources]


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(
    sid: str,
    actions: list[str] | tuple[str, ...],
    resource: str | list[str],
    condition: Mapping[str, Any] | None = None,
) -> Document:
    statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {**statement, "Condition": dict(condition)} if condition else statement
