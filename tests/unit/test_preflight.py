"""`python -m gpu_slices preflight` over a pretended AWS: what an account lacks, in which words, and that it only reads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError, NoCredentialsError
from moto import mock_aws

from gpu_slices.checks.aws_account import AwsAccount
from gpu_slices.checks.place_rules import judge_offer
from gpu_slices.checks.preflight import RULES, preflight
from gpu_slices.checks.quota_needs import QUOTA_NAMES, Need, quota_code, quota_needs
from gpu_slices.checks.quota_rules import QuotaState, judge_vcpus
from gpu_slices.checks.table import Finding
from gpu_slices.cli.main import main
from tests.support.stacks import SLICEABLE, STACKS, plan_of, plan_of_stack

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


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    with mock_aws():
        yield


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


def existing() -> tuple[dict[str, Any], Any, list[Any]]:
    """A network with two private subnets behind a NAT gateway, and the settings that name it."""
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{16 * index}.0/20", AvailabilityZone=f"{REGION}{letter}")[
            "Subnet"
        ]
        for index, letter in enumerate("ab")
    ]
    ids = [subnet["SubnetId"] for subnet in subnets]
    ec2.create_tags(Resources=ids, Tags=[{"Key": "kubernetes.io/role/internal-elb", "Value": "1"}])
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_nat_gateway(SubnetId=ids[0], ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway)
    for subnet in ids:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return {**STACK, "network": {"vpcId": vpc, "privateSubnetIds": ids}}, ec2, ids


def test_an_account_with_room_passes_every_check_for_a_new_network():
    account = AwsAccount(plan_of(STACK), clients(PLENTY))
    found = preflight(account, lambda *_: None)
    assert {(one.check.name, one.outcome) for one in found if one.outcome != "passed"} == set()
    assert {"identity", "aws-cli", "names", "zones", "instance-types", "vcpu-quotas"} <= {
        one.check.name for one in found
    }


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_is_ever_written(stack: str):
    seen: list[str] = []
    preflight(AwsAccount(plan_of_stack(stack), clients(PLENTY, seen)), lambda *_: None)
    assert seen
    assert [name for name in seen if not name.startswith(("Describe", "Get", "List"))] == []


def test_nothing_is_written_where_the_network_exists_either():
    raw, _, _ = existing()
    seen: list[str] = []
    found = preflight(AwsAccount(plan_of(raw), clients(PLENTY, seen)), lambda *_: None)
    assert [name for name in seen if not name.startswith(("Describe", "Get", "List"))] == []
    assert [one for one in found if one.outcome != "passed"] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.check.name)
def test_every_row_says_cause_and_remedy_in_one_line(rule: Any):
    for cause in rule.check.causes:
        assert cause.remedy
        assert "\n" not in cause.text + cause.remedy


# Quotas


@pytest.mark.parametrize(
    ("instance_type", "capacity", "code"),
    [
        ("g6e.2xlarge", "on-demand", G_ON_DEMAND),
        ("g4dn.xlarge", "spot", G_SPOT),
        ("p4d.24xlarge", "on-demand", P_ON_DEMAND),
        ("p5.48xlarge", "on-demand", P_ON_DEMAND),
        ("p4d.24xlarge", "spot", "L-7212CCBC"),
        ("p5.48xlarge", "spot", "L-C4BD4855"),
        ("t3.large", "on-demand", STANDARD),
        ("m7i.xlarge", "spot", "L-34B43A08"),
        ("inf2.xlarge", "on-demand", None),
        ("trn1.2xlarge", "on-demand", None),
        ("x2idn.16xlarge", "on-demand", None),
    ],
)
def test_each_instance_type_counts_against_the_quota_of_its_kind(instance_type: str, capacity: str, code: str | None):
    assert quota_code(instance_type, capacity) == code


def test_every_type_that_a_pool_can_have_has_an_on_demand_quota():
    assert [name for name in SLICEABLE if quota_code(name, "on-demand") is None] == []


def test_a_node_group_needs_its_desired_nodes_now_and_its_most_at_the_limit():
    needs = quota_needs(plan_of(STACK), {"t3.large": 2, "g6e.2xlarge": 8})
    assert [(one.path, one.code, one.now, one.limit) for one in needs] == [
        ("systemNodes", STANDARD, 4, 8),
        ("gpuNodeGroups.a", G_ON_DEMAND, 16, 32),
    ]


def test_a_node_pool_needs_its_first_node_now_and_no_more_than_its_cpu_limit():
    pool = {"families": ["g4dn"], "gpusPerNode": [1], "sizes": ["2xlarge", "8xlarge"], "maxGpus": 10}
    plan = plan_of({"gpuNodePools": {"burst": {**pool, "capacity": ["spot", "on-demand"], "limits": {"cpu": 80}}}})
    needs = quota_needs(plan, {"g4dn.2xlarge": 8, "g4dn.8xlarge": 32})
    assert [(one.code, one.now, one.limit, one.alternative) for one in needs] == [
        (G_SPOT, 8, 80, True),
        (G_ON_DEMAND, 8, 80, True),
    ]


def test_a_quota_of_zero_is_the_first_thing_a_new_account_hears_of():
    (found,) = [one for one in findings(STACK, "vcpu-quotas", {G_ON_DEMAND: 0}) if one.outcome == "failed"]
    assert found.cause
    assert found.cause.name == "quota-zero"
    assert "0 vCPUs, 0 used by others; needed 16 as configured, 32 at the limits" in found.seen
    assert found.remedy == (
        "aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-DB2E81BA "
        "--desired-value 32 --region us-west-2"
    )


@pytest.mark.parametrize(("value", "outcome"), [(15, "failed"), (16, "warned"), (31, "warned"), (32, "passed")])
def test_a_quota_must_hold_the_configured_size_and_should_hold_the_limits(value: int, outcome: str):
    (found,) = [one for one in findings(STACK, "vcpu-quotas", {G_ON_DEMAND: value}) if G_ON_DEMAND in one.subject]
    assert found.outcome == outcome


def test_what_other_instances_use_is_gone_and_what_the_stack_itself_uses_is_not():
    image = client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    own = [{"Key": "gpu-slices:stack", "Value": "test"}, {"Key": "gpu-slices:cluster", "Value": "demo"}]
    for tags in ([{"Key": "Name", "Value": "other"}], own):
        client("ec2").run_instances(
            ImageId=image,
            InstanceType="g5.2xlarge",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
    (found,) = [one for one in findings(STACK, "vcpu-quotas", {G_ON_DEMAND: 32}) if G_ON_DEMAND in one.subject]
    assert found.seen.startswith("32 vCPUs, 8 used by others")
    assert found.outcome == "warned"


def test_a_pool_that_may_take_spot_or_on_demand_is_lost_only_without_both():
    needs = [
        Need(path="gpuNodePools.b", code=code, now=8, limit=32, alternative=True) for code in (G_ON_DEMAND, G_SPOT)
    ]

    def judged(on_demand: int, spot: int) -> set[str]:
        states = {G_ON_DEMAND: QuotaState(value=on_demand, used=0), G_SPOT: QuotaState(value=spot, used=0)}
        return {one.outcome for one in judge_vcpus(needs, states, REGION)}

    assert judged(0, 64) == {"warned", "passed"}
    assert judged(16, 64) == {"warned", "passed"}
    assert judged(0, 0) == {"warned", "failed"}


def test_a_quota_that_aws_does_not_tell_is_skipped():
    account = AwsAccount(plan_of(STACK), clients({}))
    found = judged("vcpu-quotas", account)
    assert {one.outcome for one in found} == {"skipped"}


def test_no_room_for_another_vpc_or_address_is_told_before_up_meets_it():
    raw = {**STACK, "network": {"nat": "per-zone"}}
    assert troubles(raw, "network-quotas", {"L-F678F1CE": 1, "L-0263D0A3": 1}) == [
        ("VPCs", "failed", "no-vpc-left"),
        ("elastic IP addresses", "failed", "no-address-left"),
    ]


# Places


def test_a_zone_that_eks_refuses_is_told_by_the_id_behind_its_name():
    listed = boto3.client("ec2", region_name="us-east-1").describe_availability_zones()["AvailabilityZones"]
    refused = next(one["ZoneName"] for one in listed if one["ZoneId"] == "use1-az3")
    other = next(one["ZoneName"] for one in listed if one["ZoneId"] == "use1-az1")
    plan = plan_of({**STACK, "aws:region": "us-east-1", "network": {"zones": [other, refused]}})
    found = judged("zones", AwsAccount(plan, lambda name: boto3.client(name, "us-east-1")))
    assert [(one.subject, one.outcome) for one in found] == [(other, "passed"), (refused, "failed")]
    assert refused not in found[1].remedy


def test_a_zone_that_the_account_does_not_have_is_told():
    raw = {**STACK, "network": {"zones": [f"{REGION}a", f"{REGION}z"]}}
    assert troubles(raw, "zones") == [(f"{REGION}z", "failed", "zone-unknown")]


def test_a_type_that_ec2_has_retired_is_offered_nowhere():
    ((subject, outcome, cause),) = troubles(
        {"gpuNodeGroups": {"old": {"instanceType": "p3.8xlarge"}}}, "instance-types"
    )
    assert (subject, outcome, cause) == ("gpuNodeGroups.old", "failed", "offered-nowhere")


def test_a_type_that_is_offered_elsewhere_in_the_region_is_told_with_the_zones_that_do():
    found = judge_offer("gpuNodeGroups.a", ("g6.xlarge",), ("x-1a", "x-1b"), {"g6.xlarge": frozenset({"x-1c"})}, "x-1")
    assert (found.outcome, found.remedy) == ("failed", "take zones that do under network.zones: x-1c")
    partly = judge_offer("gpuNodeGroups.a", ("g6.xlarge",), ("x-1a", "x-1c"), {"g6.xlarge": frozenset({"x-1c"})}, "x-1")
    assert partly.outcome == "warned"


def test_a_pool_with_one_type_that_is_missing_lives_on_the_others():
    pool = {"instanceTypes": ["g6.xlarge", "p3.8xlarge"], "maxGpus": {1: 2, 4: 4}}
    assert troubles({"gpuNodePools": {"mixed": pool}}, "instance-types") == [
        ("gpuNodePools.mixed", "warned", "some-types-missing")
    ]


# Names, roles and keys


def a_cluster(tags: Mapping[str, str]) -> None:
    role = client("iam").create_role(RoleName="control", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client("eks").create_cluster(name="demo", roleArn=role, resourcesVpcConfig={"subnetIds": []}, tags=dict(tags))


def test_a_cluster_of_somebody_elses_has_taken_the_name():
    a_cluster({"team": "other"})
    assert troubles(STACK, "names") == [("cluster demo", "failed", "cluster-taken")]


def test_a_cluster_of_this_stack_is_no_clash():
    a_cluster({"gpu-slices:stack": "test", "gpu-slices:cluster": "demo"})
    assert troubles(STACK, "names") == []


def test_a_log_group_left_over_has_taken_the_name_and_one_that_only_begins_alike_has_not():
    client("logs").create_log_group(logGroupName="/aws/eks/demo/cluster-2")
    assert troubles(STACK, "names") == []
    client("logs").create_log_group(logGroupName="/aws/eks/demo/cluster")
    ((subject, _, cause),) = troubles(STACK, "names")
    assert (subject, cause) == ("log group /aws/eks/demo/cluster", "log-group-taken")


def test_the_spot_role_matters_only_to_stacks_with_spot():
    assert findings(STACK, "spot-role") == []
    spot = {"gpuNodeGroups": {"a": {**POOL, "capacity": "spot"}}}
    assert troubles(spot, "spot-role") == [("AWSServiceRoleForEC2Spot", "warned", "spot-role-missing")]
    client("iam").create_role(RoleName="AWSServiceRoleForEC2Spot", AssumeRolePolicyDocument="{}")
    assert troubles(spot, "spot-role") == []


def with_key(arn: str) -> dict[str, Any]:
    return {**STACK, "cluster": {"name": "demo", "encryption": {"kmsKeyArn": arn}}}


def test_a_key_for_secrets_must_be_there_enabled_and_in_the_region():
    key = client("kms").create_key(KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    assert troubles(with_key(key), "secrets-key") == []
    client("kms").disable_key(KeyId=key.rpartition("/")[2])
    assert troubles(with_key(key), "secrets-key") == [(key, "failed", "key-unusable")]
    gone = key[:-4] + "0000"
    assert troubles(with_key(gone), "secrets-key") == [(gone, "failed", "key-not-found")]
    elsewhere = key.replace(REGION, "eu-west-1")
    assert troubles(with_key(elsewhere), "secrets-key") == [(elsewhere, "failed", "key-unusable")]


def test_without_the_aws_program_the_cluster_is_out_of_reach(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert troubles(STACK, "aws-cli") == [("aws", "failed", "aws-cli-missing")]


def test_disks_that_a_customers_key_encrypts_need_grants():
    def with_key_of_theirs(service: str) -> Any:
        made = clients(PLENTY)(service)
        return with_disk_key(made, "arn:aws:kms:us-west-2:1:key/own") if service == "ec2" else made

    (found,) = judged("disk-key", AwsAccount(plan_of(STACK), with_key_of_theirs))
    assert (found.outcome, found.subject) == ("warned", "arn:aws:kms:us-west-2:1:key/own")


# An existing network


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


# The command


def denied(*_: Any, **__: Any) -> Any:
    raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, "DescribeInstances")


def test_what_this_identity_may_not_read_is_skipped_and_the_rest_still_judged():
    def with_denied(service: str) -> Any:
        made = clients(PLENTY)(service)
        if service == "eks":
            made.describe_cluster = denied
        return made

    found = preflight(AwsAccount(plan_of(STACK), with_denied), lambda *_: None)
    assert [(one.check.name, one.outcome) for one in found if one.outcome != "passed"] == [("names", "skipped")]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    real = boto3.Session.client

    def patched(self: Any, name: str, *more: Any, **named: Any) -> Any:
        if name == "service-quotas":
            return Quotas({**PLENTY, G_ON_DEMAND: 8})
        return with_disk_key(real(self, name, *more, **named))

    monkeypatch.setattr(boto3.Session, "client", patched)
    path = tmp_path / "Pulumi.test.yaml"
    own = {key if ":" in key else f"gpu-slices:{key}": value for key, value in {"aws:region": REGION, **STACK}.items()}
    path.write_text(yaml.safe_dump({"config": own}))
    return path


def test_a_failed_check_is_exit_code_1_with_cause_and_remedy(file: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["preflight", "--file", str(file)]) == 1
    shown = capsys.readouterr().out
    assert "cause   the quota does not hold the configured size" in shown
    assert "--quota-code L-DB2E81BA" in " ".join(shown.split())


def test_json_and_junit_carry_the_same_findings(file: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["preflight", "--file", str(file), "--format", "json"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert content["failed"] is True
    assert content["account"] == "123456789012"
    failed = [one["cause"] for one in content["findings"] if one["outcome"] == "failed"]
    assert failed == ["quota-too-small"]
    assert main(["preflight", "--file", str(file), "--format", "junit"]) == 1
    suites = ElementTree.fromstring(capsys.readouterr().out)
    assert [case.get("type") for case in suites.iter("failure")] == ["quota-too-small"]


def test_without_credentials_it_says_so_in_one_line(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def none(*_: Any, **__: Any) -> Any:
        raise NoCredentialsError

    monkeypatch.setattr(AwsAccount, "identity", property(none))
    assert main(["preflight", "--file", str(file)]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "AWS: Unable to locate credentials\n")


def test_expired_credentials_are_one_line_too(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def expired(*_: Any, **__: Any) -> Any:
        error = {"Code": "ExpiredToken", "Message": "The security token included in the request is expired"}
        raise ClientError({"Error": error}, "GetCallerIdentity")

    monkeypatch.setattr(AwsAccount, "identity", property(expired))
    assert main(["preflight", "--file", str(file)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "expired" in shown.err
