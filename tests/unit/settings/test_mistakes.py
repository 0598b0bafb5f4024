"""What a person reads who made a mistake in a stack file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpu_slices.settings import SettingsError, parse, read_stack_file


def mistakes(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse({"aws:region": "us-west-2", **raw}, stack="test")
    return [str(mistake) for mistake in refused.value.mistakes]


def pool(**keys: Any) -> dict[str, Any]:
    return {"gpuNodeGroups": {"l40s": {"instanceType": "g6e.2xlarge", **keys}}}


@pytest.mark.parametrize(
    ("raw", "key", "words"),
    [
        ({"replicas": "four"}, "replicas", "'four' is not a number of slices"),
        ({"replicas": 4.5}, "replicas", "4.5 is not a number of slices"),
        ({"replicas": 0}, "replicas", "0 slices per GPU"),
        ({"replicas": -2}, "replicas", "-2 slices per GPU"),
        ({"replicas": True}, "replicas", "not a number of slices"),
        (pool(replicas=0), "gpuNodeGroups.l40s.replicas", "write a whole number from 1"),
        ({"gpuStak": "x"}, "gpuStak", 'did you mean "gpuStack"?'),
        ({"gpuStack": "operator"}, "gpuStack", "'device-plugin' or 'gpu-operator'"),
        ({"cluster": {"version": 1.30}}, "cluster.version", "in quotes"),
        ({"cluster": {"version": "1.12"}}, "cluster.version", "not supported"),
        ({"cluster": {"addons": {"corends": "v1"}}}, "cluster.addons", 'did you mean "coredns"?'),
        ({"cluster": {"endpoint": {"private": False, "public": False}}}, "cluster.endpoint", "nobody could reach"),
        (
            {"cluster": {"access": {"a": {"principalArn": "arn:aws:iam::123456789012:role/A"}}}},
            "cluster.access.a",
            "rights",
        ),
        ({"network": {"zones": ["us-west-2a", "eu-west-1a"]}}, "network.zones[1]", "not a zone of us-west-2"),
        ({"network": {"zones": ["us-west-2a"]}}, "network.zones", "two to four"),
        ({"network": {"cidr": "10.0.0.0/8"}}, "network.cidr", "/16"),
        ({"network": {"vpcId": "vpc-0123456789abcdef0"}}, "network.privateSubnetIds", "is missing"),
        (pool(instanceType="g6e.3xlarge"), "gpuNodeGroups.l40s.instanceType", "did you mean g6e."),
        (pool(instanceType="g5g.xlarge"), "gpuNodeGroups.l40s.instanceType", "only amd64"),
        (pool(instanceType="g6f.xlarge"), "gpuNodeGroups.l40s.instanceType", "counts as 0 GPUs"),
        (pool(min=2, max=3), "gpuNodeGroups.l40s.desired", "min ≤ desired ≤ max"),
        (pool(sharing={"strategy": "fair"}), "gpuNodeGroups.l40s.sharing.strategy", "'mps' or 'mig'"),
        (pool(labels={"nvidia.com/device-plugin.config": "x"}), "gpuNodeGroups.l40s.labels", "not yours"),
        (pool(podRequests={"cpu": "lots"}), "gpuNodeGroups.l40s.podRequests.cpu", "500m or 2"),
        ({"gpuNodeGroups": {"1e3": {"instanceType": "g6.xlarge"}}}, "gpuNodeGroups.1e3", "reads as a number"),
        ({"gpuNodeGroups": {"exclusive": {"instanceType": "g6.xlarge"}}}, "gpuNodeGroups.exclusive", "reserved"),
        ({"systemNodes": {"instanceType": "g6.xlarge"}}, "systemNodes.instanceType", "has a GPU"),
        ({"systemNodes": 3}, "systemNodes", "is not a mapping"),
        ({"tenants": {"kube-a": {"slices": 1}}}, "tenants.kube-a", "system namespace"),
        ({"tenants": {"a": {"slices": 1, "pools": ["nope"]}}}, "tenants.a.pools[0]", "there is no GPU pool 'nope'"),
        ({"tags": {"aws:x": "y"}}, "tags", "AWS keeps"),
        ({"tags": {"": "y"}}, "tags", "'': 'y' is no AWS tag"),
        ({"tags": {"x": "two\nlines"}}, "tags", "on one line"),
        ({"tags": {f"x{number}": "y" for number in range(41)}}, "tags", "41 tags are too many"),
        ({"cluster": {"name": None}}, "cluster.name", "is empty; write a text, or remove the key"),
        ({"cluster": {"name": ["a"]}}, "cluster.name", "[a] is not text; write one text"),
        ({"cluster": {"addons": {"coredns": "latest"}}}, "cluster.addons.coredns", "write it like v1.20.4-eksbuild.2"),
        ({"sharing": {"renameResource": None}}, "sharing.renameResource", "null is neither true nor false"),
        ({"gpuNodeGroups": None}, "gpuNodeGroups", "null is not a mapping; write `name: …` lines below it"),
        ({"cluster": {1: 2}}, "cluster[1]", 'the key 1 is not text; write it in quotes: "1"'),
        ({"prices": {"natGbPerMonth": 10**20}}, "prices.natGbPerMonth", "more than Kubernetes can count"),
        ({"prices": {"regionFactor": 10**400}}, "prices.regionFactor", "is not a number"),
        (pool(labels={None: "a"}), "gpuNodeGroups.l40s.labels.None", 'null is not text; write it in quotes: "null"'),
        (pool(amiRelease="latest"), "gpuNodeGroups.l40s.amiRelease", "write it like 1.35.2-20260714"),
        (pool(podRequests={"cpu": "٣"}), "gpuNodeGroups.l40s.podRequests.cpu", "'٣' is not a CPU quantity"),
        (pool(podRequests={"cpu": True}), "gpuNodeGroups.l40s.podRequests.cpu", "true is not text"),
    ],
)
def test_each_mistake_names_its_key_and_what_to_write(raw: dict[str, Any], key: str, words: str):
    (line,) = mistakes(raw)
    assert line.startswith(f"{key}: ")
    assert words in line


def test_all_mistakes_are_told_at_once_those_between_keys_too():
    lines = mistakes(
        {
            "replicas": "four",
            "gpuStak": "gpu-operator",
            "cluster": {"version": 1.30, "endpoint": {"private": False, "public": False}},
            "network": {"zones": ["eu-west-1a", "us-west-2b"]},
            "gpuNodeGroups": {"l40s": {"instanceType": "g6e.3xlarge", "desired": 3}},
            "tenants": {"llm": {"pools": ["l40"], "slices": 10}},
        }
    )
    assert [line.split(":")[0] for line in lines] == [
        "cluster.endpoint",
        "cluster.version",
        "gpuNodeGroups.l40s.desired",
        "gpuNodeGroups.l40s.instanceType",
        "gpuStak",
        "network.zones[0]",
        "replicas",
        "tenants.llm.pools[0]",
    ]


def test_a_misspelt_required_key_is_one_mistake():
    (line,) = mistakes({"gpuNodeGroups": {"a": {"instancetype": "g6.xlarge"}}})
    assert 'did you mean "instanceType"?' in line


def test_a_missing_region_does_not_hide_the_rest():
    with pytest.raises(SettingsError) as refused:
        parse({"replicas": 0}, stack="test")
    assert [mistake.path for mistake in refused.value.mistakes] == ["aws:region", "replicas"]


def test_a_tenant_without_pools_is_refused_where_slices_differ():
    groups = {"a": {"instanceType": "g6.xlarge"}, "b": {"instanceType": "g6.xlarge", "replicas": 4}}
    (line,) = mistakes({"gpuNodeGroups": groups, "tenants": {"t": {"slices": 1}}})
    assert "a and b alike" in line
    parse({"aws:region": "us-west-2", "gpuNodeGroups": {"a": groups["a"]}, "tenants": {"t": {"slices": 1}}}, stack="s")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("config: [", "Pulumi.x.yaml: "),
        ("a: 1", "has no `config:` mapping"),
        ("config:\n  gpu-slices:replicas: 1\n  gpu-slices:replicas: 2\n", "is used twice (line 3)"),
        ("config:\n  gpu-slices:gpuNodeGroups:\n    a: {}\n    a: {}\n", "the name 'a' is used twice"),
        ("config:\n  gpu-slices:tags: {a: {secure: abc}}\n", "tags.a: is encrypted"),
        ("config:\n  gpu-slices:replicas: 2026-99-99\n", "quotes make it a text"),
    ],
)
def test_a_file_that_cannot_be_taken_is_one_line(tmp_path: Path, text: str, words: str):
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as refused:
        read_stack_file(path)
    (mistake,) = refused.value.mistakes
    assert words in str(mistake)
    assert "\n" not in str(mistake)
