"""`python -m gpu_slices leftovers` over a pretended AWS: what it finds, what it leaves alone, what it removes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from gpu_slices.cli.main import main
from gpu_slices.leftovers import Owner
from tests.support.stacks import ROOT

REGION, CLUSTER, STACK = "us-west-2", "demo", "gone"
SETTINGS = f"config:\n  aws:region: {REGION}\n  gpu-slices:cluster: {{name: {CLUSTER}}}\n"
OURS = {"gpu-slices:stack": STACK, "gpu-slices:cluster": CLUSTER}
KARPENTERS = {f"kubernetes.io/cluster/{CLUSTER}": "owned", "karpenter.sh/nodepool": "burst"}
CONTROLLERS = {"elbv2.k8s.aws/cluster": CLUSTER}
CNIS = {"cluster.k8s.amazonaws.com/name": CLUSTER}

#: Tags that look like the stack's and are somebody else's.
OTHERS = (
    {"gpu-slices:stack": STACK, "gpu-slices:cluster": "demo2"},
    {"gpu-slices:stack": "other", "gpu-slices:cluster": CLUSTER},
    {f"kubernetes.io/cluster/{CLUSTER}": "shared"},
    {f"kubernetes.io/cluster/{CLUSTER}2": "owned"},
    {"elbv2.k8s.aws/cluster": "demo2"},
    {"Name": CLUSTER},
)


@cache
def client(service: str) -> Any:
    """Making one takes longer than all calls of a test."""
    session = boto3.session.Session(aws_access_key_id="pretended", aws_secret_access_key="pretended")
    return session.client(service, region_name=REGION)


class Session(boto3.session.Session):
    """boto3's own, with the clients of all tests."""

    def client(self, service_name: str, region_name: str) -> Any:
        assert region_name == REGION
        return client(service_name)


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account of the test's own."""
    monkeypatch.setattr(boto3, "Session", Session)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # thousands, for every test anew
    with mock_aws():
        yield


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / f"Pulumi.{STACK}.yaml"
    path.write_text(SETTINGS)
    return path


def tagged(kind: str, tags: dict[str, str]) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": listed(tags)}]


def listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def a_volume(tags: dict[str, str]) -> str:
    return client("ec2").create_volume(
        AvailabilityZone=f"{REGION}a", Size=100, VolumeType="gp3", TagSpecifications=tagged("volume", tags)
    )["VolumeId"]


def an_instance(tags: dict[str, str]) -> str:
    made = client("ec2").run_instances(
        ImageId=client("ec2").register_image(Name=f"image-{uuid4()}")["ImageId"],
        InstanceType="g5.xlarge",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=tagged("instance", tags),
    )
    return made["Instances"][0]["InstanceId"]


def a_subnet() -> str:
    return client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]


def an_interface(tags: dict[str, str]) -> str:
    made = client("ec2").create_network_interface(
        SubnetId=a_subnet(), TagSpecifications=tagged("network-interface", tags)
    )
    return made["NetworkInterface"]["NetworkInterfaceId"]


def a_template(tags: dict[str, str]) -> str:
    name = f"karpenter-{len(client('ec2').describe_launch_templates()['LaunchTemplates'])}"
    made = client("ec2").create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"InstanceType": "g5.xlarge"},
        TagSpecifications=tagged("launch-template", tags),
    )
    return made["LaunchTemplate"]["LaunchTemplateId"]


def a_group(tags: dict[str, str]) -> str:
    name = f"k8s-{len(client('ec2').describe_security_groups()['SecurityGroups'])}"
    made = client("ec2").create_security_group(
        GroupName=name, Description="load balancer", TagSpecifications=tagged("security-group", tags)
    )
    return made["GroupId"]


def an_address(tags: dict[str, str]) -> str:
    made = client("ec2").allocate_address(Domain="vpc", TagSpecifications=tagged("elastic-ip", tags))
    return made["AllocationId"]


def a_nat_gateway(tags: dict[str, str]) -> str:
    address = client("ec2").allocate_address(Domain="vpc")["AllocationId"]
    made = client("ec2").create_nat_gateway(
        SubnetId=a_subnet(), AllocationId=address, TagSpecifications=tagged("natgateway", tags)
    )
    return made["NatGateway"]["NatGatewayId"]


def a_balancer(tags: dict[str, str]) -> str:
    subnets = [subnet["SubnetId"] for subnet in client("ec2").describe_subnets()["Subnets"][:2]]
    name = f"k8s-{len(client('elbv2').describe_load_balancers()['LoadBalancers'])}"
    made = client("elbv2").create_load_balancer(Name=name, Subnets=subnets, Type="network", Tags=listed(tags))
    return made["LoadBalancers"][0]["LoadBalancerArn"]


def a_classic_balancer(tags: dict[str, str]) -> str:
    name = f"a{len(client('elb').describe_load_balancers()['LoadBalancerDescriptions'])}"
    listener = {"Protocol": "tcp", "LoadBalancerPort": 80, "InstancePort": 30080}
    client("elb").create_load_balancer(
        LoadBalancerName=name, Listeners=[listener], AvailabilityZones=[f"{REGION}a"], Tags=listed(tags)
    )
    return name


def a_log_group(name: str) -> str:
    client("logs").create_log_group(logGroupName=name)
    return name


#: In the order in which they are removed: how one is made, and by whose tags it is known.
MADE = {
    "load balancer": (a_balancer, CONTROLLERS),
    "classic load balancer": (a_classic_balancer, KARPENTERS),
    "instance": (an_instance, KARPENTERS),
    "NAT gateway": (a_nat_gateway, OURS),
    "volume": (a_volume, KARPENTERS),
    "network interface": (an_interface, CNIS),
    "address": (an_address, OURS),
    "launch template": (a_template, KARPENTERS),
    "security group": (a_group, CONTROLLERS),
}


def run(file: Path, *arguments: str) -> int:
    return main(["leftovers", "--file", str(file), *arguments])


def report(file: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run(file, "--format", "json", *arguments)
    return code, json.loads(capsys.readouterr().out)


def test_an_account_with_nothing_of_the_stack_is_clean(file: Path, capsys: pytest.CaptureFixture[str]):
    code, found = report(file, capsys)
    assert (code, found["left"], found["usdPerMonth"]) == (0, [], 0)
    assert (found["stack"], found["cluster"], found["region"]) == (STACK, CLUSTER, REGION)
    assert run(file) == 0
    assert "nothing is left of stack gone (cluster demo) in account 123456789012" in capsys.readouterr().out


def test_each_kind_is_found_by_its_tags_and_everybody_elses_is_not(file: Path, capsys: pytest.CaptureFixture[str]):
    for make, _ in MADE.values():
        for others in OTHERS:
            make(others)
    own = {kind: make(tags) for kind, (make, tags) in MADE.items()}
    code, found = report(file, capsys)
    assert code == 1
    assert [(one["kind"], one["id"]) for one in found["left"]] == list(own.items())


def test_log_groups_are_found_by_name_and_a_longer_cluster_name_is_another_cluster(
    file: Path, capsys: pytest.CaptureFixture[str]
):
    own = {
        a_log_group(name)
        for name in (
            "/aws/eks/demo/cluster",
            "/aws/events/demo/interruptions",
            "/aws/containerinsights/demo/performance",
        )
    }
    a_log_group("/aws/eks/demo2/cluster")
    a_log_group("/aws/eks/demo-2/cluster")
    _, found = report(file, capsys)
    assert {one["id"] for one in found["left"]} == own


def test_what_is_attached_or_already_ended_is_no_leftover_of_its_own(file: Path, capsys: pytest.CaptureFixture[str]):
    volume, instance, ended = a_volume(KARPENTERS), an_instance(KARPENTERS), an_instance(KARPENTERS)
    client("ec2").attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    client("ec2").terminate_instances(InstanceIds=[ended])
    _, found = report(file, capsys)
    assert [one["id"] for one in found["left"]] == [instance]


def test_everything_has_its_price_and_the_total_counts_what_is_known(file: Path, capsys: pytest.CaptureFixture[str]):
    for make, tags in MADE.values():
        make(tags)
    _, found = report(file, capsys)
    prices = {one["kind"]: one["usdPerMonth"] for one in found["left"]}
    assert prices["volume"] == pytest.approx(100 * 0.08)
    assert prices["NAT gateway"] == pytest.approx(730 * 0.045)
    assert prices["address"] == pytest.approx(730 * 0.005)
    assert prices["instance"] == pytest.approx(730 * 1.006)
    assert prices["load balancer"] == pytest.approx(730 * 0.0225, abs=0.01)
    assert prices["classic load balancer"] == pytest.approx(730 * 0.025)
    assert {prices[kind] for kind in ("network interface", "launch template", "security group")} == {0}
    assert found["usdPerMonth"] == pytest.approx(sum(prices.values()), abs=0.01)


def test_the_table_names_everything_and_cuts_nothing_off(file: Path, capsys: pytest.CaptureFixture[str]):
    made = {make(tags) for make, tags in MADE.values()}
    assert run(file) == 1
    shown = capsys.readouterr().out
    assert "…" not in shown
    joined = "".join(shown.split())
    assert all(one in joined or one.startswith("arn:") for one in made)
    assert "9 things" in shown


def test_looking_changes_nothing(file: Path, capsys: pytest.CaptureFixture[str]):
    volume = a_volume(KARPENTERS)
    for _ in range(2):
        _, found = report(file, capsys)
        assert [one["id"] for one in found["left"]] == [volume]
        assert found["removed"] == []


def test_delete_removes_all_kinds_and_nothing_of_others(file: Path, capsys: pytest.CaptureFixture[str]):
    made = {make(tags) for make, tags in MADE.values()} | {a_log_group("/aws/eks/demo/cluster")}
    kept = a_volume(OTHERS[0])
    code, done = report(file, capsys, "--delete", "--yes")
    assert (code, done["left"], done["refused"]) == (0, [], {})
    assert set(done["removed"]) == made
    assert [volume["VolumeId"] for volume in client("ec2").describe_volumes()["Volumes"]].count(kept) == 1
    assert report(file, capsys)[0] == 0


def test_delete_without_a_terminal_asks_for_yes_and_removes_nothing(file: Path, capsys: pytest.CaptureFixture[str]):
    volume = a_volume(KARPENTERS)
    assert run(file, "--delete") == 2
    assert "--yes" in capsys.readouterr().err
    assert report(file, capsys)[1]["left"][0]["id"] == volume


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "left"), [("demo\n", 0), ("yes\n", 1), ("", 1)])
def test_delete_at_a_terminal_wants_the_clusters_name(
    answer: str, left: int, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    volume = a_volume(KARPENTERS)
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert run(file, "--delete") == left
    said = capsys.readouterr()
    assert volume in said.err, "one sees what one agrees to"
    assert len(client("ec2").describe_volumes()["Volumes"]) == left


def test_what_aws_refuses_is_told_with_its_reason_and_the_rest_goes(file: Path, capsys: pytest.CaptureFixture[str]):
    instance, volume = an_instance(KARPENTERS), a_volume(KARPENTERS)
    protect(instance, True)
    code, done = report(file, capsys, "--delete", "--yes")
    assert code == 1
    assert done["removed"] == [volume]
    assert [one["id"] for one in done["left"]] == [instance]
    assert "disableApiTermination" in done["refused"][instance]
    assert run(file, "--delete", "--yes") == 1
    assert f"AWS keeps instance {instance}: " in capsys.readouterr().out
    protect(instance, False)
    assert report(file, capsys, "--delete", "--yes")[0] == 0, "running it again carries on"


def protect(instance: str, value: bool) -> None:
    client("ec2").modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": value})


def a_cluster() -> None:
    client("eks").create_cluster(
        name=CLUSTER, roleArn="arn:aws:iam::123456789012:role/eks", resourcesVpcConfig={"subnetIds": [a_subnet()]}
    )


def test_a_cluster_that_is_still_there_uses_its_things(file: Path, capsys: pytest.CaptureFixture[str]):
    a_cluster()
    volume = a_volume(KARPENTERS)
    assert run(file, "--delete", "--yes") == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert "cluster demo: is still there in account 123456789012" in line
    assert "--even-if-cluster-exists" in line
    code, found = report(file, capsys, "--even-if-cluster-exists")
    assert (code, [one["id"] for one in found["left"]]) == (1, [volume])


def test_no_credentials_are_one_line_and_exit_two(tmp_path: Path, file: Path):
    code = "import sys; from gpu_slices.cli.main import main; sys.exit(main(sys.argv[1:]))"
    environment = {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, "leftovers", "--file", str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == ["AWS: Unable to locate credentials"]


def test_a_profile_that_does_not_exist_is_one_line_too(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(boto3, "Session", boto3.session.Session)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert run(file) == 2
    assert capsys.readouterr().err.splitlines() == ["AWS: The config profile (nobody) could not be found"]


def test_a_refusal_of_aws_is_one_line_too(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """What cannot be looked at is not reported as clean."""

    def refuse(*_: Any, **__: Any) -> None:
        error = {"Code": "AccessDenied", "Message": "not authorized\nto perform it"}
        raise ClientError({"Error": error}, "DescribeLogGroups")

    monkeypatch.setattr(client("logs"), "get_paginator", refuse)
    assert run(file) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1] == (
        "AWS: An error occurred (AccessDenied) when calling the DescribeLogGroups operation: "
        "not authorized to perform it"
    )


def test_other_commands_do_not_wait_for_boto3():
    code = (
        "import sys; from gpu_slices.cli.main import main; main(['plan', '--stack', 'dev', '--format', 'json']); "
        "sys.exit(any(name in sys.modules for name in ('boto3', 'botocore')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_things_that_the_cluster_shares_are_never_its_own():
    owner = Owner(stack=STACK, cluster=CLUSTER, region=REGION)
    assert owner.owns({**KARPENTERS, "anything": "else"})
    assert not any(owner.owns(tags) for tags in (*OTHERS, {}))
