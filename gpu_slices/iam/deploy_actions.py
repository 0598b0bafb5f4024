"""Which IAM actions the aws provider calls for each resource type: the permissions of whoever runs this program.

One line per type: what it reads, what it writes. Figures are the API calls of the Terraform provider that Pulumi's is
built on; EKS and EC2 check some more in the caller's name, which stand with the type that makes them check. A type that
any stack declares and that is missing here fails a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Full action names (`ec2:CreateVpc`); `services` are those that a role is handed to (`iam:PassedToService`)."""

    read: tuple[str, ...]
    write: tuple[str, ...]
    services: tuple[str, ...] = ()


def _of(read: str, write: str, *, also: tuple[str, ...] = (), services: tuple[str, ...] = ()) -> Needs:
    """Actions as `service: Verb Verb`; `also` are full names of other services' actions that only writing needs."""
    return Needs(read=_names(read), write=(*_names(write), *also), services=services)


def _names(text: str) -> tuple[str, ...]:
    service, _, verbs = text.partition(": ")
    return tuple(f"{service}:{verb}" for verb in verbs.split())


_EC2, _EKS, _PODS = "ec2.amazonaws.com", "eks.amazonaws.com", "pods.eks.amazonaws.com"
_RULES_READ: Final = "ec2: DescribeSecurityGroups DescribeSecurityGroupRules DescribeTags"
#: What EKS checks in the name of whoever makes or changes a node group with a launch template.
_LAUNCH: Final = ("ec2:RunInstances", "ec2:DescribeLaunchTemplateVersions", "ec2:CreateTags", "iam:GetRole")

#: Actions that IAM knows no resource for (AWS's service authorization reference): they are allowed on everything, and only
#: the region bounds them.
WITHOUT_RESOURCE: Final = frozenset(
    {
        *_names("ce: ListCostAllocationTags UpdateCostAllocationTagsStatus"),
        *_names(
            "ec2: DescribeAddresses DescribeAddressesAttribute DescribeAvailabilityZones DescribeCapacityReservations DescribeFlowLogs"
            " DescribeInternetGateways DescribeLaunchTemplateVersions DescribeLaunchTemplates DescribeNatGateways DescribeNetworkAcls"
            " DescribeNetworkInterfaces DescribePrefixLists DescribeRouteTables DescribeSecurityGroupRules DescribeSecurityGroups"
            " DescribeSubnets DescribeTags DescribeVpcEndpoints DescribeVpcs"
        ),
        *_names("eks: CreateCluster DescribeAddonVersions"),
        *_names("guardduty: CreateDetector ListDetectors"),
        *_names("kms: CreateKey ListAliases"),
        *_names(
            "logs: CreateLogDelivery DeleteLogDelivery DeleteResourcePolicy DescribeLogGroups DescribeResourcePolicies PutResourcePolicy"
        ),
        *_names("sns: GetSubscriptionAttributes SetSubscriptionAttributes Unsubscribe"),
    }
)

#: What the program asks without declaring a resource, by the question's type. Who and where one is, anybody
#: may ask; for the provider of identities only backend/ asks, which these roles do not run.
LOOKUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "aws:ec2/getSubnets:getSubnets": _names("ec2: DescribeSubnets"),
    "aws:eks/getAddon:getAddon": _names("eks: DescribeAddon"),
    "aws:eks/getCluster:getCluster": _names("eks: DescribeCluster"),
    "aws:guardduty/getDetector:getDetector": _names("guardduty: GetDetector ListDetectors"),
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": (),
    "aws:index/getAvailabilityZones:getAvailabilityZones": _names("ec2: DescribeAvailabilityZones"),
    "aws:index/getCallerIdentity:getCallerIdentity": (),
    "aws:index/getPartition:getPartition": (),
    "aws:index/getRegion:getRegion": (),
    "aws:index/getServicePrincipal:getServicePrincipal": (),
    "aws:securityhub/getEnabledStandards:getEnabledStandards": _names("securityhub: GetEnabledStandards"),
}

ACTIONS: Final[Mapping[str, Needs]] = {
    "aws:budgets/budget:Budget": _of("budgets: ViewBudget ListTagsForResource", "budgets: ModifyBudget TagResource UntagResource"),
    "aws:cloudwatch/eventRule:EventRule": _of("events: DescribeRule ListTagsForResource", "events: PutRule DeleteRule TagResource UntagResource"),
    "aws:cloudwatch/eventTarget:EventTarget": _of("events: ListTargetsByRule", "events: PutTargets RemoveTargets"),
    "aws:cloudwatch/logGroup:LogGroup": _of(
        "logs: DescribeLogGroups ListTagsForResource",
        "logs: CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy AssociateKmsKey DisassociateKmsKey TagResource UntagResource",
    ),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": _of("logs: DescribeResourcePolicies", "logs: PutResourcePolicy DeleteResourcePolicy"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _of(
        "cloudwatch: DescribeAlarms ListTagsForResource", "cloudwatch: PutMetricAlarm DeleteAlarms TagResource UntagResource"
    ),
    "aws:costexplorer/costAllocationTag:CostAllocationTag": _of("ce: ListCostAllocationTags", "ce: UpdateCostAllocationTagsStatus"),
    "aws:ec2/capacityReservation:CapacityReservation": _of(
        "ec2: DescribeCapacityReservations", "ec2: CreateCapacityReservation ModifyCapacityReservation CancelCapacityReservation CreateTags DeleteTags"
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _of(
        _RULES_READ,
        "ec2: AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress RevokeSecurityGroupEgress RevokeSecurityGroupIngress CreateTags DeleteTags",
    ),
    "aws:ec2/eip:Eip": _of(
        "ec2: DescribeAddresses DescribeAddressesAttribute", "ec2: AllocateAddress ReleaseAddress DisassociateAddress CreateTags DeleteTags"
    ),
    "aws:ec2/flowLog:FlowLog": _of(
        "ec2: DescribeFlowLogs",
        "ec2: CreateFlowLogs DeleteFlowLogs CreateTags DeleteTags",
        also=("logs:CreateLogDelivery", "logs:DeleteLogDelivery"),
        services=("vpc-flow-logs.amazonaws.com",),
    ),
    "aws:ec2/internetGateway:InternetGateway": _of(
        "ec2: DescribeInternetGateways",
        "ec2: CreateInternetGateway DeleteInternetGateway AttachInternetGateway DetachInternetGateway CreateTags DeleteTags",
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": _of(
        "ec2: DescribeLaunchTemplates DescribeLaunchTemplateVersions",
        "ec2: CreateLaunchTemplate CreateLaunchTemplateVersion ModifyLaunchTemplate DeleteLaunchTemplate CreateTags DeleteTags",
    ),
    "aws:ec2/natGateway:NatGateway": _of("ec2: DescribeNatGateways", "ec2: CreateNatGateway DeleteNatGateway CreateTags DeleteTags"),
    "aws:ec2/route:Route": _of("ec2: DescribeRouteTables", "ec2: CreateRoute ReplaceRoute DeleteRoute"),
    "aws:ec2/routeTable:RouteTable": _of(
        "ec2: DescribeRouteTables", "ec2: CreateRouteTable DeleteRouteTable DisassociateRouteTable CreateTags DeleteTags"
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _of(
        "ec2: DescribeRouteTables", "ec2: AssociateRouteTable DisassociateRouteTable ReplaceRouteTableAssociation"
    ),
    "aws:ec2/securityGroup:SecurityGroup": _of(
        f"{_RULES_READ} DescribeNetworkInterfaces",
        "ec2: CreateSecurityGroup DeleteSecurityGroup AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress RevokeSecurityGroupEgress"
        " RevokeSecurityGroupIngress CreateTags DeleteTags",
    ),
    "aws:ec2/subnet:Subnet": _of(
        "ec2: DescribeSubnets DescribeNetworkInterfaces",
        "ec2: CreateSubnet ModifySubnetAttribute DeleteSubnet DetachNetworkInterface DeleteNetworkInterface CreateTags DeleteTags",
    ),
    "aws:ec2/vpc:Vpc": _of(
        "ec2: DescribeVpcs DescribeVpcAttribute DescribeNetworkAcls DescribeRouteTables DescribeSecurityGroups",
        "ec2: CreateVpc ModifyVpcAttribute DeleteVpc CreateTags DeleteTags",
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _of(
        "ec2: DescribeVpcEndpoints DescribePrefixLists",
        "ec2: CreateVpcEndpoint ModifyVpcEndpoint DeleteVpcEndpoints CreateTags DeleteTags",
    ),
    "aws:eks/accessEntry:AccessEntry": _of(
        "eks: DescribeAccessEntry ListTagsForResource", "eks: CreateAccessEntry UpdateAccessEntry DeleteAccessEntry TagResource UntagResource"
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _of(
        "eks: ListAssociatedAccessPolicies", "eks: AssociateAccessPolicy DisassociateAccessPolicy"
    ),
    "aws:eks/addon:Addon": _of(
        "eks: DescribeAddon DescribeAddonVersions DescribeUpdate ListTagsForResource",
        "eks: CreateAddon UpdateAddon DeleteAddon TagResource UntagResource CreatePodIdentityAssociation UpdatePodIdentityAssociation DeletePodIdentityAssociation",
        services=(_PODS,),
    ),
    "aws:eks/cluster:Cluster": _of(
        "eks: DescribeCluster DescribeUpdate ListTagsForResource",
        "eks: CreateCluster UpdateClusterConfig UpdateClusterVersion DeleteCluster AssociateEncryptionConfig TagResource UntagResource",
        also=("ec2:DescribeSubnets", "iam:GetRole", "kms:CreateGrant", "kms:DescribeKey"),
        services=(_EKS,),
    ),
    "aws:eks/nodeGroup:NodeGroup": _of(
        "eks: DescribeNodegroup DescribeUpdate ListTagsForResource",
        "eks: CreateNodegroup UpdateNodegroupConfig UpdateNodegroupVersion DeleteNodegroup TagResource UntagResource",
        also=_LAUNCH,
        services=(_EC2, _EKS),
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": _of(
        "eks: DescribePodIdentityAssociation ListPodIdentityAssociations ListTagsForResource",
        "eks: CreatePodIdentityAssociation UpdatePodIdentityAssociation DeletePodIdentityAssociation TagResource UntagResource",
        also=("iam:GetRole",),
        services=(_PODS,),
    ),
    "aws:guardduty/detector:Detector": _of(
        "guardduty: GetDetector ListDetectors ListTagsForResource", "guardduty: CreateDetector UpdateDetector TagResource UntagResource"
    ),
    "aws:guardduty/detectorFeature:DetectorFeature": _of("guardduty: GetDetector ListDetectors", "guardduty: UpdateDetector"),
    "aws:iam/instanceProfile:InstanceProfile": _of(
        "iam: GetInstanceProfile ListInstanceProfileTags",
        "iam: CreateInstanceProfile DeleteInstanceProfile AddRoleToInstanceProfile RemoveRoleFromInstanceProfile TagInstanceProfile UntagInstanceProfile",
        services=(_EC2,),
    ),
    "aws:iam/policy:Policy": _of(
        "iam: GetPolicy GetPolicyVersion ListPolicyVersions ListPolicyTags",
        "iam: CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion SetDefaultPolicyVersion TagPolicy UntagPolicy",
    ),
    "aws:iam/role:Role": _of(
        "iam: GetRole GetRolePolicy ListRolePolicies ListAttachedRolePolicies ListRoleTags ListInstanceProfilesForRole",
        "iam: CreateRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy DeleteRole TagRole UntagRole RemoveRoleFromInstanceProfile",
    ),
    "aws:iam/rolePolicy:RolePolicy": _of("iam: GetRolePolicy", "iam: PutRolePolicy DeleteRolePolicy"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _of("iam: ListAttachedRolePolicies", "iam: AttachRolePolicy DetachRolePolicy"),
    "aws:iam/serviceLinkedRole:ServiceLinkedRole": _of(
        "iam: GetRole",
        "iam: CreateServiceLinkedRole DeleteServiceLinkedRole GetServiceLinkedRoleDeletionStatus TagRole UntagRole UpdateRoleDescription",
    ),
    "aws:kms/alias:Alias": _of("kms: ListAliases", "kms: CreateAlias UpdateAlias DeleteAlias"),
    "aws:kms/grant:Grant": _of("kms: ListGrants", "kms: CreateGrant RetireGrant RevokeGrant"),
    "aws:kms/key:Key": _of(
        "kms: DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags",
        "kms: CreateKey DisableKeyRotation EnableKey EnableKeyRotation PutKeyPolicy ScheduleKeyDeletion TagResource UntagResource UpdateKeyDescription",
    ),
    "aws:securityhub/account:Account": _of("securityhub: DescribeHub GetEnabledStandards", "securityhub: EnableSecurityHub UpdateSecurityHubConfiguration"),
    "aws:sns/topic:Topic": _of("sns: GetTopicAttributes ListTagsForResource", "sns: CreateTopic DeleteTopic SetTopicAttributes TagResource UntagResource"),
    "aws:sns/topicPolicy:TopicPolicy": _of("sns: GetTopicAttributes", "sns: SetTopicAttributes"),
    "aws:sns/topicSubscription:TopicSubscription": _of("sns: GetSubscriptionAttributes", "sns: Subscribe Unsubscribe SetSubscriptionAttributes"),
    "aws:sqs/queue:Queue": _of("sqs: GetQueueAttributes GetQueueUrl ListQueueTags", "sqs: CreateQueue DeleteQueue SetQueueAttributes TagQueue UntagQueue"),
    "aws:sqs/queuePolicy:QueuePolicy": _of("sqs: GetQueueAttributes", "sqs: SetQueueAttributes"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _of(
        _RULES_READ, "ec2: AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress ModifySecurityGroupRules CreateTags DeleteTags"
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _of(
        _RULES_READ, "ec2: AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress ModifySecurityGroupRules CreateTags DeleteTags"
    ),
}  # fmt: skip
