"""An AWS account that moto pretends, with quotas of its own, and what `preflight` says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError

from gpu_slices.checks.aws_account import AwsAccount
from gpu_slices.checks.preflight import RULES, preflight
from gpu_slices.checks.quota_needs import QUOTA_NAMES
from gpu_slices.checks.table import Finding
from tests.support.stacks import plan_of

REGION = "us-west-2"
G_ON_DEMAND, G_SPOT, P_ON_DEMAND, STANDARD = "L-DB2E81BA", "L-3819A6DF", "L-417A185B", "L-1216C47A"
POOL = {"instanceType": "g6e.2xlarge", "desired": 2, "max": 4}
STACK = {"cluster": {"name": "demo"}, "gpuNodeGroups": {"a": POOL}}


class Quotas:
    """Service Quotas: values by code; a code that is not there is one that AWS does not know."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = values

    def get_service_quota(self, *, ServiceCode: str, QuotaCode: str) -> Any:  # noqa: N803
        if QuotaCode in self._values:
            return {"Quota": {"Value": self._values[QuotaCode]}}
        raise ClientError({"Error": {"Code": "NoSuchResourceException", "Message": ""}}, "GetServiceQuota")

    get_aws_default_service_quota = get_service_quota


PLENTY = {**dict.fromkeys(QUOTA_NAMES, 2000.0), "L-F678F1CE": 50.0, "L-0263D0A3": 50.0}


def client(service: str) -> Any:
    return with_disk_key(boto3.client(service, region_name=REGION))


def with_disk_key(made: Any, key: str = "alias/aws/ebs") -> Any:
    """moto does not know the region's default key for disks."""
    if made.meta.service_model.service_name == "ec2":
        made.get_ebs_default_kms_key_id = lambda: {"KmsKeyId": key}
    return made


def clients(quotas: Mapping[str, float], seen: list[str] | None = None) -> Callable[[str], Any]:
    @cache
    def one(service: str) -> Any:
        if service == "service-quotas":
            return Quotas(quotas)
        made = client(service)
        if seen is not None:
            made.meta.events.register("before-call", lambda model, **_: seen.append(model.name))
        return made

    return one


def findings(raw: dict[str, Any], check: str, quotas: Mapping[str, float] | None = None) -> list[Finding]:
    """What one row of the table says."""
    return judged(check, AwsAccount(plan_of(raw), clients({**PLENTY, **(quotas or {})})))


def judged(check: str, account: AwsAccount) -> list[Finding]:
    (rule,) = (rule for rule in RULES if rule.check.name == check)
    return list(preflight(account, lambda *_: None, [rule]))


def troubles(raw: dict[str, Any], check: str, quotas: Mapping[str, float] | None = None) -> list[tuple[str, str, str]]:
    return [(one.subject, one.outcome, one.cause.name) for one in findings(raw, check, quotas) if one.cause is not None]


def subnets_of_two_zones(ec2: Any) -> tuple[str, list[str]]:
    """A new VPC with a subnet in each of two zones: its id, and theirs."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{16 * index}.0/20", AvailabilityZone=f"{REGION}{letter}")
        for index, letter in enumerate("ab")
    ]
    return vpc, [one["Subnet"]["SubnetId"] for one in subnets]


def existing() -> tuple[dict[str, Any], Any, list[Any]]:
    """A network with two private subnets behind a NAT gateway, and the settings that name it."""
    ec2 = client("ec2")
    vpc, ids = subnets_of_two_zones(ec2)
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    ec2.create_tags(Resources=ids, Tags=[{"Key": "kubernetes.io/role/internal-elb", "Value": "1"}])
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_nat_gateway(SubnetId=ids[0], ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway)
    for subnet in ids:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return {**STACK, "network": {"vpcId": vpc, "privateSubnetIds": ids}}, ec2, ids
