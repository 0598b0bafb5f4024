"""VPC, subnets, gateways, routes, security groups, endpoints, flow logs.

Immutable inputs: "Forces new resource" in Terraform's aws provider. Limits and error codes: the EC2 API reference.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from typing import Any

from rehearsal.aws.table import AwsType, To, View, paths

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
GATEWAY = "aws:ec2/internetGateway:InternetGateway"
EIP = "aws:ec2/eip:Eip"
NAT = "aws:ec2/natGateway:NatGateway"
ROUTES = "aws:ec2/routeTable:RouteTable"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
LOGS = "aws:cloudwatch/logGroup:LogGroup"

_ARN = "arn:aws:ec2:{region}:{account}:"
_TO_VPC = {"vpcId": To(VPC, "vpc-")}


def _vpc_size(inputs: Mapping[str, Any], _view: View) -> str | None:
    """A VPC is between /16 and /28."""
    cidr = inputs.get("cidrBlock")
    if cidr is None or 16 <= ipaddress.ip_network(cidr).prefixlen <= 28:
        return None
    return f"InvalidVpc.Range: The CIDR '{cidr}' is invalid."


def _subnet_place(inputs: Mapping[str, Any], view: View) -> str | None:
    """A subnet lies in its VPC, in a zone of the region, and overlaps no other subnet."""
    vpc, cidr = view.find(VPC, inputs["vpcId"]), inputs.get("cidrBlock")
    if vpc is None or cidr is None or vpc.get("cidrBlock") is None:
        return None
    own = ipaddress.ip_network(cidr)
    if not own.subnet_of(ipaddress.ip_network(vpc["cidrBlock"])):  # type: ignore[arg-type]
        return f"InvalidSubnet.Range: The CIDR '{cidr}' is invalid."
    for other in view.others(SUBNET):
        if other["vpcId"] == inputs["vpcId"] and own.overlaps(ipaddress.ip_network(other["cidrBlock"])):
            return f"InvalidSubnet.Conflict: The CIDR '{cidr}' conflicts with another subnet"
    return None


def _flow_destination(inputs: Mapping[str, Any], view: View) -> str | None:
    if view.find(LOGS, inputs.get("logDestination") or ""):
        return None
    return f"InvalidParameterValue: there is no log group {inputs.get('logDestination')} for the flow logs"


def _endpoint_policy(inputs: Mapping[str, Any], _view: View) -> str | None:
    policy = inputs.get("policy")
    try:
        return (
            None
            if policy is None or json.loads(policy)["Statement"]
            else "InvalidParameter: a policy without statement"
        )
    except (KeyError, TypeError, ValueError):
        return "InvalidParameter: the endpoint policy is no policy document"


def _route_target(inputs: Mapping[str, Any], _view: View) -> str | None:
    targets = ("gatewayId", "natGatewayId", "transitGatewayId", "vpcEndpointId", "networkInterfaceId")
    if sum(inputs.get(target) is not None for target in targets) == 1:
        return None
    return "InvalidParameterCombination: a route has exactly one target"


TYPES: dict[str, AwsType] = {
    VPC: AwsType(
        id="vpc-{hex17}",
        arn=_ARN + "vpc/{id}",
        immutable=paths("cidrBlock", "instanceTenancy", "ipv4IpamPoolId", "ipv4NetmaskLength"),
        outputs={
            "defaultSecurityGroupId": "sg-{hex17}",
            "mainRouteTableId": "rtb-{hex17}",
            "defaultRouteTableId": "rtb-{hex17}",
            "defaultNetworkAclId": "acl-{hex17}",
            "dhcpOptionsId": "dopt-{hex17}",
            "ownerId": "{account}",
        },
        rules=(_vpc_size,),
    ),
    SUBNET: AwsType(
        id="subnet-{hex17}",
        arn=_ARN + "subnet/{id}",
        immutable=paths("availabilityZone", "availabilityZoneId", "cidrBlock", "outpostArn", "vpcId", "ipv6Native"),
        refers=_TO_VPC,
        outputs={"ownerId": "{account}"},
        rules=(_subnet_place,),
    ),
    GATEWAY: AwsType(
        id="igw-{hex17}", arn=_ARN + "internet-gateway/{id}", refers=_TO_VPC, outputs={"ownerId": "{account}"}
    ),
    EIP: AwsType(
        id="eipalloc-{hex17}",
        arn=_ARN + "elastic-ip/{id}",
        immutable=paths("domain", "address", "publicIpv4Pool", "networkBorderGroup"),
        in_use="InvalidIPAddress.InUse",
        outputs={
            "allocationId": "{id}",
            "publicIp": "203.0.113.{number}",
            "publicDns": "ec2-203-0-113-{number}.{region}.compute.amazonaws.com",
        },
    ),
    NAT: AwsType(
        id="nat-{hex17}",
        immutable=paths("allocationId", "connectivityType", "privateIp", "subnetId", "vpcId"),
        refers={"subnetId": To(SUBNET, "subnet-"), "allocationId": To(EIP, "eipalloc-")},
        outputs={
            "networkInterfaceId": "eni-{hex17}",
            "associationId": "eipassoc-{hex17}",
            "publicIp": "203.0.113.{number}",
        },
    ),
    ROUTES: AwsType(
        id="rtb-{hex17}",
        arn=_ARN + "route-table/{id}",
        immutable=paths("vpcId"),
        refers=_TO_VPC,
        outputs={"ownerId": "{account}"},
    ),
    "aws:ec2/route:Route": AwsType(
        id="r-{routeTableId}{hex8}",
        immutable=paths(
            "routeTableId", "destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"
        ),
        unique=("routeTableId", "destinationCidrBlock", "destinationIpv6CidrBlock"),
        taken="RouteAlreadyExists",
        refers={
            "routeTableId": To(ROUTES, "rtb-", blocks=False),
            "gatewayId": To(GATEWAY, "igw-", blocks=False),
            "natGatewayId": To(NAT, "nat-", blocks=False),
        },
        outputs={"origin": "CreateRoute", "state": "active"},
        rules=(_route_target,),
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": AwsType(
        id="rtbassoc-{hex17}",
        immutable=paths("subnetId", "gatewayId"),
        unique=("subnetId",),
        taken="Resource.AlreadyAssociated",
        refers={"routeTableId": To(ROUTES, "rtb-"), "subnetId": To(SUBNET, "subnet-", blocks=False)},
    ),
    GROUP: AwsType(
        id="sg-{hex17}",
        arn=_ARN + "security-group/{id}",
        named="name",
        prefix="namePrefix",
        immutable=paths("description", "name", "namePrefix", "vpcId"),
        unique=("vpcId", "name"),
        taken="InvalidGroup.Duplicate",
        refers=_TO_VPC,
        outputs={"ownerId": "{account}"},
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": AwsType(
        id="sg-{hex17}",
        arn=_ARN + "security-group/{id}",
        immutable=paths("vpcId"),
        refers={"vpcId": To(VPC, "vpc-", blocks=False)},
        outputs={"name": "default", "description": "default VPC security group", "ownerId": "{account}"},
    ),
    **{
        f"aws:vpc/securityGroup{way}Rule:SecurityGroup{way}Rule": AwsType(
            id="sgr-{hex17}",
            arn=_ARN + "security-group-rule/{id}",
            immutable=paths("securityGroupId"),
            refers={
                "securityGroupId": To(GROUP, "sg-", blocks=False),
                "referencedSecurityGroupId": To(GROUP, "sg-"),
            },
            outputs={"securityGroupRuleId": "{id}"},
        )
        for way in ("Ingress", "Egress")
    },
    "aws:ec2/flowLog:FlowLog": AwsType(
        id="fl-{hex17}",
        arn=_ARN + "vpc-flow-log/{id}",
        immutable=paths(
            "vpcId", "subnetId", "eniId", "trafficType", "iamRoleArn", "logDestination", "logDestinationType",
            "logFormat", "maxAggregationInterval",
        ),
        refers={
            "vpcId": To(VPC, "vpc-", blocks=False),
            "subnetId": To(SUBNET, "subnet-", blocks=False),
            "iamRoleArn": To("aws:iam/role:Role", "arn:", blocks=False),
        },
        unique=("vpcId", "subnetId", "eniId", "logDestination"),
        taken="FlowLogAlreadyExists",
        rules=(_flow_destination,),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": AwsType(
        id="vpce-{hex17}",
        arn=_ARN + "vpc-endpoint/{id}",
        immutable=paths("vpcId", "serviceName", "vpcEndpointType", "serviceRegion"),
        # A second one is refused for the name that both would answer to.
        unique=("vpcId", "serviceName"),
        taken="InvalidParameter: private-dns-enabled cannot be set because there is already a conflicting DNS domain",
        refers={
            "vpcId": To(VPC, "vpc-"),
            "subnetIds": To(SUBNET, "subnet-"),
            "securityGroupIds": To(GROUP, "sg-"),
        },
        outputs={"ownerId": "{account}", "state": "available", "requesterManaged": False},
        rules=(_endpoint_policy,),
    ),
}  # fmt: skip
