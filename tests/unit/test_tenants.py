"""What a stack file says of tenants, and what it comes to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.manifests.pod_rules import cel_list
from gpu_slices.settings import SettingsError
from tests.support.adoption import ADOPTED
from tests.support.stacks import objects_of, plan_of

TEAM, OPS = "arn:aws:iam::123456789012:role/Team", "arn:aws:iam::123456789012:user/ops"
GROUPS: dict[str, Any] = {
    "a": {"instanceType": "g6.2xlarge", "replicas": 4, "max": 2},
    "b": {"instanceType": "g6e.12xlarge"},
}


def stack(**tenants: Any) -> dict[str, Any]:
    return {"gpuNodeGroups": GROUPS, "tenants": tenants}


def mistakes(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        plan_of(raw)
    return str(refused.value).splitlines()


def over_commitment(raw: dict[str, Any]) -> list[str]:
    return [one.message for one in plan_of(raw).warnings if one.path == "tenants"]


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("kube-system", "Kubernetes' and EKS's own"),
        ("kube-anything", "Kubernetes' own"),
        ("gpu-operator", "the GPU operator's"),
        ("nvidia-device-plugin", "the device plugin's"),
        ("monitoring", "the monitoring's"),
        ("amazon-guardduty", "GuardDuty's agent's"),
        ("default", "where everybody's objects land"),
    ],
)
def test_a_tenant_named_like_a_system_namespace_is_told_whose_it_is(name: str, whose: str):
    (line,) = mistakes(stack(**{name: {"pools": ["a"]}}))
    assert line.startswith(f"tenants.{name}: {name!r} is a system namespace, {whose}")


def test_a_quota_that_no_pool_of_the_tenant_can_ever_fill_is_refused_with_the_numbers():
    assert plan_of(stack(team={"pools": ["a"], "slices": 8})).tenants[0].quota == {"nvidia.com/gpu": 8}
    (line,) = mistakes(stack(team={"pools": ["a"], "slices": 9}))
    assert line == (
        "tenants.team.slices: 9 slices can never be held at once: at its limit there are 8 nvidia.com/gpu in a; "
        "write at most 8, raise the pool's limit, or leave it out: then it is all there are"
    )
    (line,) = mistakes(stack(team={"pools": ["a", "b"], "slices": 13}))
    assert "8 nvidia.com/gpu in a and 4 nvidia.com/gpu in b" in line


def test_single_resources_have_numbers_of_their_own():
    renamed = {**GROUPS, "a": {**GROUPS["a"], "sharing": {"renameResource": True}}}
    tenant = {"pools": ["a", "b"], "slices": 4, "resources": {"nvidia.com/gpu.shared": 7}}
    plan = plan_of({"gpuNodeGroups": renamed, "tenants": {"team": tenant}})
    assert plan.tenants[0].quota == {"nvidia.com/gpu": 4, "nvidia.com/gpu.shared": 7}
    wrong = {"pools": ["a"], "resources": {"nvidia.com/mig-1g.5gb": 1}}
    (line,) = mistakes({"gpuNodeGroups": renamed, "tenants": {"team": wrong}})
    assert "no pool of the tenant's advertises 'nvidia.com/mig-1g.5gb'" in line
    wrong = {"pools": ["a"], "resources": {"nvidia.com/gpu.shared": 9}}
    (line,) = mistakes({"gpuNodeGroups": renamed, "tenants": {"team": wrong}})
    assert "9 nvidia.com/gpu.shared can never be held at once" in line


def test_without_a_number_the_quota_follows_the_slices():
    for replicas in (4, 10):
        groups = {"a": {**GROUPS["a"], "replicas": replicas}}
        assert plan_of({"gpuNodeGroups": groups, "tenants": {"t": {}}}).tenants[0].slices == 2 * replicas


def test_quotas_that_sum_to_more_than_there_is_are_a_warning_with_the_numbers():
    assert over_commitment(stack(t={"pools": ["a"], "slices": 5}, u={"pools": ["a"], "slices": 3})) == []
    assert over_commitment(stack(t={"pools": ["a"], "slices": 5}, u={"pools": ["a"], "slices": 4})) == [
        "over-committed: the quotas sum to 9 nvidia.com/gpu (t 5 + u 4), a can have 8; who comes first gets them"
    ]
    assert over_commitment(stack(t={"pools": ["a"]}, u={"pools": ["b"]})) == []


def test_tenants_of_one_pool_are_counted_apart_from_those_that_have_another_too():
    both = stack(t={"pools": ["a"], "slices": 5}, u={"pools": ["a"], "slices": 5}, v={"pools": ["a", "b"], "slices": 1})
    (line,) = over_commitment(both)
    assert "sum to 10 nvidia.com/gpu (t 5 + u 5), a can have 8" in line


@given(st.lists(st.integers(0, 8), min_size=1, max_size=4))
def test_over_commitment_is_told_exactly_when_the_sum_is_more_than_the_pool(slices: list[int]):
    tenants = {f"t{index}": {"pools": ["a"], "slices": count} for index, count in enumerate(slices)}
    assert bool(over_commitment(stack(**tenants))) == (sum(slices) > 8)


def test_a_principal_has_one_entry_with_the_groups_of_all_its_tenants():
    raw = stack(t={"pools": ["a"], "principals": [TEAM, OPS]}, u={"pools": ["a"], "principals": [TEAM]})
    raw["cluster"] = {"access": {"ops": {"principalArn": OPS, "policy": "view", "groups": ["mine"]}}}
    access = plan_of(raw).access
    assert {one.principal_arn: one.groups for one in access.values()} == {
        OPS: ("gpu-slices:t", "mine"),
        TEAM: ("gpu-slices:t", "gpu-slices:u"),
    }
    assert access["ops"].policy == "view"
    assert len(access) == 2


def test_the_name_of_a_principals_entry_does_not_depend_on_who_else_is_there():
    alone = plan_of(stack(t={"pools": ["a"], "principals": [TEAM]})).access
    beside = plan_of(stack(t={"pools": ["a"], "principals": [OPS, TEAM]})).access
    assert set(alone) <= set(beside)


def test_a_principal_named_twice_under_access_is_refused_because_eks_keeps_one_entry():
    twice = {"one": {"principalArn": OPS, "policy": "view"}, "two": {"principalArn": OPS, "policy": "edit"}}
    (line,) = mistakes({"cluster": {"access": twice}})
    assert line.startswith("cluster.access.two.principalArn:")
    assert "stands under cluster.access.one already" in line


def test_the_emergencys_role_is_no_tenants_everyday_one():
    (line,) = mistakes({**stack(t={"pools": ["a"], "principals": [TEAM]}), "security": {"breakGlassRoleArn": TEAM}})
    assert line.startswith("tenants.t.principals[0]:")
    assert "security.breakGlassRoleArn" in line


@pytest.mark.parametrize(
    ("tenant", "path", "words"),
    [
        ({"principals": ["alice"]}, "principals[0]", "'alice' is not an IAM user or role"),
        ({"egress": [{"cidr": "everywhere"}]}, "egress[0].cidr", "'everywhere' is not a range of addresses"),
        ({"egress": [{"cidr": "10.0.0.0/8", "ports": [70000]}]}, "egress[0].ports[0]", "70000 is no port"),
        ({"ingressFrom": ["Not A Name"]}, "ingressFrom[0]", "is not a Kubernetes name"),
        ({"priority": {"value": 2_000_000_000}}, "priority.value", "is Kubernetes' own"),
        ({"podSecurity": "privileged"}, "podSecurity", "is not one of the choices"),
    ],
)
def test_a_tenants_mistakes_have_words_of_their_own(tenant: dict[str, Any], path: str, words: str):
    (line,) = mistakes(stack(t={"pools": ["a"], **tenant}))
    assert line.startswith(f"tenants.t.{path}: ")
    assert words in line


@pytest.mark.parametrize(
    ("enforcement", "pods", "templates"),
    [("deny", ["Deny"], ["Warn"]), ("warn", ["Warn", "Audit"], ["Warn"]), ("audit", ["Audit"], ["Audit"])],
)
def test_enforcement_is_what_every_policy_does(enforcement: str, pods: list[str], templates: list[str]):
    raw = {**stack(t={"pools": ["a"]}), "admission": {"enforcement": enforcement}}
    bindings = [one for one in objects_of(raw) if one["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert len(bindings) == 2 * 5
    for one in bindings:
        wanted = templates if one["metadata"]["name"].endswith("-templates") else pods
        assert one["spec"]["validationActions"] == wanted


def test_on_an_adopted_cluster_pods_from_before_are_warned_of_until_somebody_says_deny():
    assert plan_of(ADOPTED).admission.enforcement == "warn"
    assert plan_of({**ADOPTED, "admission": {"enforcement": "deny"}}).admission.enforcement == "deny"
    assert plan_of(stack()).admission.enforcement == "deny"


def test_names_in_cel_are_quoted():
    assert cel_list(["a", "b-c"]) == "['a', 'b-c']"
