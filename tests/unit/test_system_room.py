"""What nodes without GPUs have, and what is on them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import moto
import pytest

from gpu_slices.catalogue import load
from gpu_slices.system_room import room, system_pods
from tests.support.stacks import ROOT, plan_of

TABLE = json.loads((ROOT / "gpu_slices" / "catalogue" / "system_types.json").read_text())["types"]
EC2 = json.loads(gzip.decompress((Path(moto.__file__).parent / "ec2/resources/instance_types.json.gz").read_bytes()))


@pytest.mark.parametrize("name", TABLE)
def test_the_table_says_what_ec2_says(name: str):
    """As recorded by moto from DescribeInstanceTypes."""
    vcpu, mib, pods = TABLE[name]
    network = EC2[name]["NetworkInfo"]
    assert vcpu == EC2[name]["VCpuInfo"]["DefaultVCpus"]
    assert mib == EC2[name]["MemoryInfo"]["SizeInMiB"]
    addresses = network["MaximumNetworkInterfaces"] * (network["Ipv4AddressesPerInterface"] - 1) + 2
    assert pods == min(addresses, 110 if vcpu <= 30 else 250)
    assert name not in load().instances


def settings(**raw: Any) -> Any:
    return plan_of({"gpuNodeGroups": {"a": {"instanceType": "g6.xlarge"}}, **raw}).settings


def test_room_grows_with_nodes_and_shrinks_with_daemons():
    two = room(settings(systemNodes={"instanceType": "t3.large"}))
    three = room(settings(systemNodes={"instanceType": "t3.large", "desired": 3}))
    monitored = room(settings(systemNodes={"instanceType": "t3.large"}, monitoring={"enabled": True}))
    assert two is not None
    assert three is not None
    assert monitored is not None
    assert (three.millicpu, three.mebibytes, three.pods) == (two.millicpu * 1.5, two.mebibytes * 1.5, two.pods * 1.5)
    assert monitored.millicpu < two.millicpu
    assert monitored.pods == two.pods - 2


def test_reserved_cpu_is_what_eks_keeps():
    """1,930 of t3.large's 2,000 millicores are allocatable (EKS's formula; Karpenter's data say the same)."""
    found = room(settings(systemNodes={"instanceType": "t3.large", "desired": 1, "min": 1}))
    assert found is not None
    assert found.millicpu == 1930 - 150, "less what aws-node and kube-proxy ask for"


def test_what_runs_there_follows_what_is_switched_on():
    plain = {pods.name for pods in system_pods(settings())}
    more = {pods.name for pods in system_pods(settings(monitoring={"enabled": True}, karpenter={"replicas": 1}))}
    assert more - plain == {
        "alertmanager", "grafana", "karpenter", "kube-state-metrics", "operator", "prometheus",
    }  # fmt: skip
    assert "gpu-operator" in {pods.name for pods in system_pods(settings(gpuStack="gpu-operator"))}
