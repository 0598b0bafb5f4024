"""What MPS and MIG cannot do is refused in a sentence: which key, what is wrong, what to write."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_slices.settings import SettingsError, parse

A100, L40S, V100, H100 = "p4d.24xlarge", "g6e.2xlarge", "p3.8xlarge", "p5.48xlarge"
OPERATOR = {"gpuStack": "gpu-operator"}


def mistakes(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse({"aws:region": "us-west-2", **raw}, stack="test")
    return str(refused.value).splitlines()


def group(instance_type: str, replicas: int | None = None, **sharing: Any) -> dict[str, Any]:
    own = {"instanceType": instance_type, "sharing": sharing}
    return {"gpuNodeGroups": {"a": own if replicas is None else {**own, "replicas": replicas}}}


def mig(instance_type: str, **layout: Any) -> dict[str, Any]:
    return {**OPERATOR, **group(instance_type, strategy="mig", mig=layout)}


@pytest.mark.parametrize(
    ("raw", "key", "words"),
    [
        (group(L40S, 49, strategy="mps"), "gpuNodeGroups.a.replicas", "takes 48 clients on L40S; write at most 48"),
        (group(V100, 17, strategy="mps"), "gpuNodeGroups.a.replicas", "takes 16 clients on V100; write at most 16"),
        ({**group(L40S, strategy="mps"), "replicas": 60}, "replicas", "write at most 48"),
        (
            group(A100, 4, strategy="mps", mig={"profiles": {"1g.5gb": 7}}),
            "gpuNodeGroups.a.sharing.mig",
            "MPS with MIG: the plugin refuses",
        ),
        (
            {**group(L40S, 4), "sharing": {"mig": {"profiles": {"1g.5gb": 7}}}},
            "sharing.mig",
            "a layout for time-slicing; remove it, or write sharing.strategy: mig",
        ),
        (
            group(A100, strategy="mig", mig={"profiles": {"1g.5gb": 7}}),
            "gpuNodeGroups.a.sharing.strategy",
            "nothing partitions the cards; write gpuStack: gpu-operator",
        ),
        (
            mig(A100, profiles={"1g.10gb": 2, "3g.40gb": 1}),
            "gpuNodeGroups.a.sharing.mig",
            "A100 of 40 GiB (p4d.24xlarge) has no profile 3g.40gb; it has 1g.5gb, 1g.5gb+me, 1g.10gb, 2g.10gb",
        ),
        (mig(L40S, profiles={"1g.10gb": 7}), "gpuNodeGroups.a.sharing.mig", "L40S (g6e.2xlarge) has no MIG"),
        (mig(A100, profiles={"1g.11gb": 1}), "gpuNodeGroups.a.sharing.mig.profiles.1g.11gb", "did you mean"),
        (mig(A100, profiles={"1g.5gb": 8}), "gpuNodeGroups.a.sharing.mig", "has at most 7 of 1g.5gb"),
        (
            mig(A100, profiles={"4g.20gb": 1, "2g.10gb": 2}),
            "gpuNodeGroups.a.sharing.mig",
            "has 7 compute slices, these take 8; write fewer",
        ),
        (
            mig(A100, profiles={"3g.20gb": 2, "1g.5gb": 1}),
            "gpuNodeGroups.a.sharing.mig",
            "has 8 memory slices, these take 9",
        ),
        (mig(A100), "gpuNodeGroups.a.sharing.mig.profiles", "strategy mig without profiles; write such as {1g.5gb: 7}"),
        (
            mig(A100, profiles={"1g.5gb": 7}, gpus=[{"count": 8, "profiles": {"7g.40gb": 1}}]),
            "gpuNodeGroups.a.sharing.mig.gpus",
            "stands beside profiles",
        ),
        (
            mig(A100, gpus=[{"count": 2, "profiles": {"7g.40gb": 1}}]),
            "gpuNodeGroups.a.sharing.mig.gpus",
            "is about 2 GPUs, p4d.24xlarge has 8; write counts that sum to 8",
        ),
        (
            mig(A100, strategy="single", profiles={"4g.20gb": 1, "2g.10gb": 1}),
            "gpuNodeGroups.a.sharing.mig.strategy",
            "single, but there are 2g.10gb, 4g.20gb; write mixed, or one profile",
        ),
    ],
)
def test_each_mistake_names_its_key_and_what_to_write(raw: dict[str, Any], key: str, words: str):
    (line,) = mistakes(raw)
    assert line.startswith(f"{key}: ")
    assert words in line


def test_a_workload_takes_a_profile_that_its_pool_has():
    raw = mig(A100, profiles={"2g.10gb": 3})
    raw |= {"tenants": {"t": {"pools": ["a"], "slices": 3}}}
    raw |= {"workloads": {"smoke": {"pool": "a", "tenant": "t", "migProfile": "7g.40gb"}}}
    (line,) = mistakes(raw)
    assert line.startswith("workloads.smoke.migProfile: a has 2g.10gb, not 7g.40gb; write one of the pool's")


def test_under_the_operator_mps_stands_beside_no_other_way_of_sharing():
    mps = {"instanceType": L40S, "replicas": 4, "sharing": {"strategy": "mps"}}
    pools = {"a": mps, "b": {"instanceType": L40S, "replicas": 4}}
    (line,) = mistakes({**OPERATOR, "gpuNodeGroups": pools})
    assert line.startswith("gpuNodeGroups.a.sharing.strategy: MPS beside b, shared otherwise")
    assert "write gpuStack: device-plugin" in line
    parse({"aws:region": "us-west-2", "gpuNodeGroups": pools}, stack="test")
    whole = {"a": mps, "b": {"instanceType": H100}}
    parse({"aws:region": "us-west-2", **OPERATOR, "gpuNodeGroups": whole}, stack="test")


def test_a_pool_may_take_over_the_stacks_layout():
    raw = {
        "sharing": {"mig": {"profiles": {"1g.10gb": 7}}},
        "gpuNodeGroups": {"a": {"instanceType": H100, "sharing": {"strategy": "mig"}}, "b": {"instanceType": L40S}},
    }
    assert parse({"aws:region": "us-west-2", **OPERATOR, **raw}, stack="test")


def test_a_tenant_must_say_whether_a_profile_of_one_gpu_or_of_another_is_meant():
    """1g.10gb is a seventh of an H100, and a quarter of the smaller A100."""
    layout = {"strategy": "mig", "mig": {"profiles": {"1g.10gb": 4}}}
    pools = {name: {"instanceType": kind, "sharing": layout} for name, kind in (("a", A100), ("h", H100))}
    (line,) = mistakes({**OPERATOR, "gpuNodeGroups": pools, "tenants": {"team": {"slices": 4}}})
    assert line.startswith("tenants.team.pools: the quota would count a and h alike")
