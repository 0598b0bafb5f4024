"""A network that is there already: subnets, routes, room, tags."""

from __future__ import annotations

from tests.unit.preflight.pretended_account import (
    POOL,
    REGION,
    existing,
    findings,
    troubles,
)


def test_subnets_that_are_not_there_or_elsewhere_are_named():
    raw, ec2, ids = existing()
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    far = ec2.create_subnet(VpcId=other, CidrBlock="10.9.0.0/24", AvailabilityZone=f"{REGION}a")["Subnet"]["SubnetId"]
    raw["network"]["privateSubnetIds"] = [ids[0], far, "subnet-00000000000000000"]
    assert troubles(raw, "subnets") == [
        (far, "failed", "subnet-elsewhere"),
        ("subnet-00000000000000000", "failed", "subnet-not-found"),
        ("network.privateSubnetIds", "failed", "one-zone"),
    ]


def test_a_private_subnet_without_a_default_route_is_no_home_for_nodes():
    raw, ec2, _ = existing()
    vpc = raw["network"]["vpcId"]
    lost = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.64.0/20", AvailabilityZone=f"{REGION}c")["Subnet"]["SubnetId"]
    raw["network"]["privateSubnetIds"] = [*raw["network"]["privateSubnetIds"], lost]
    assert troubles(raw, "way-out") == [(lost, "failed", "no-way-out")]


def test_a_private_subnet_that_leads_to_an_internet_gateway_serves_only_nodes_with_public_addresses():
    raw, ec2, _ = existing()
    vpc = raw["network"]["vpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    open_ = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.80.0/20", AvailabilityZone=f"{REGION}c")["Subnet"]["SubnetId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=open_)
    raw["network"]["privateSubnetIds"] = [*raw["network"]["privateSubnetIds"], open_]
    assert troubles(raw, "way-out") == [(open_, "failed", "no-way-out")]
    ec2.modify_subnet_attribute(SubnetId=open_, MapPublicIpOnLaunch={"Value": True})
    assert troubles(raw, "way-out") == [(open_, "warned", "public-nodes")]
    raw["network"]["publicSubnetIds"] = [open_]
    raw["network"]["privateSubnetIds"] = raw["network"]["privateSubnetIds"][:2]
    assert troubles(raw, "way-out") == []


def test_subnets_need_room_for_eks_and_for_the_pods_of_every_node():
    raw, ec2, ids = existing()
    small = ec2.create_subnet(VpcId=raw["network"]["vpcId"], CidrBlock="10.0.96.0/28", AvailabilityZone=f"{REGION}c")[
        "Subnet"
    ]
    raw["network"]["privateSubnetIds"] = [ids[0], small["SubnetId"]]
    assert troubles(raw, "free-addresses") == []
    raw["gpuNodeGroups"] = {"a": {**POOL, "max": 400}}
    assert troubles(raw, "free-addresses") == [("private subnets", "warned", "few-addresses")]


def test_missing_tags_and_names_of_a_network_are_told_with_the_command_that_helps():
    raw, ec2, ids = existing()
    ec2.delete_tags(Resources=ids[:1], Tags=[{"Key": "kubernetes.io/role/internal-elb"}])
    ec2.modify_vpc_attribute(VpcId=raw["network"]["vpcId"], EnableDnsHostnames={"Value": False})
    (tag,) = [one for one in findings(raw, "load-balancer-tags") if one.outcome == "warned"]
    assert tag.remedy == (
        f"aws ec2 create-tags --resources {ids[0]} --tags Key=kubernetes.io/role/internal-elb,Value=1 --region {REGION}"
    )
    (dns,) = [one for one in findings(raw, "vpc-dns") if one.outcome == "failed"]
    assert "--enable-dns-hostnames" in dns.remedy


def test_a_vpc_that_is_not_there_is_a_finding_and_no_crash():
    raw, _, _ = existing()
    raw["network"]["vpcId"] = "vpc-00000000000000000"
    assert troubles(raw, "vpc-dns") == [("vpc-00000000000000000", "failed", "vpc-not-found")]
