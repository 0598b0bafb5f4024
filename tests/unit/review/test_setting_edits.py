"""`--set` and `--unset`: as `pulumi config set --path` and `rm --path` do it, and edits found again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.review.edits import key_edits
from gpu_slices.settings import SettingsError, parse
from gpu_slices.settings.edit import remove_value, set_value

RAW: dict[str, Any] = {"aws:region": "us-west-2", "pools": {"a": {"n": 1}}, "zones": ["x", "y"], "max": {4: 8}}


@pytest.mark.parametrize(
    ("assignment", "key", "value"),
    [
        ("replicas=4", "replicas", 4),
        ("replicas=04", "replicas", "04"),
        ("gpu-slices:replicas=4", "replicas", 4),
        ("aws:region=eu-west-1", "aws:region", "eu-west-1"),
        ("pools.a.n=2", "pools", {"a": {"n": 2}}),
        ("pools.b.on=true", "pools", {"a": {"n": 1}, "b": {"on": True}}),
        ('pools["a.b/c"]=x=y', "pools", {"a": {"n": 1}, "a.b/c": "x=y"}),
        ("zones[1]=z", "zones", ["x", "z"]),
        ("zones[2]=z", "zones", ["x", "y", "z"]),
        ("new[0].k=v", "new", [{"k": "v"}]),
        ("max.4=16", "max", {4: 16}),
        ("size=4.5", "size", "4.5"),
        ("empty=", "empty", ""),
    ],
)
def test_a_value_is_set_and_typed_as_pulumi_types_it(assignment: str, key: str, value: Any):
    edited = set_value(RAW, assignment)
    assert edited == {**RAW, key: value}
    assert type(edited[key]) is type(value)


@pytest.mark.parametrize(
    ("key", "left"),
    [("pools.a", {"pools": {}}), ("zones[0]", {"zones": ["y"]}), ("max.4", {"max": {}}), ("pools", None)],
)
def test_a_key_is_removed(key: str, left: dict[str, Any] | None):
    edited = remove_value(RAW, key)
    assert edited == ({**RAW, **left} if left else {name: value for name, value in RAW.items() if name != key})


@pytest.mark.parametrize("key", ["", ".a", "a.", "a[x]", "[0]", "a[0", 'a["b]', "zones.a", "pools[0]", "zones[5]"])
def test_a_path_that_leads_nowhere_is_refused_by_name(key: str):
    with pytest.raises(SettingsError) as refusal:
        set_value(RAW, f"{key}=1")
    (mistake,) = refusal.value.mistakes
    assert mistake.path == key
    assert mistake.remedy


@given(st.lists(st.from_regex(r"[a-z]{1,5}", fullmatch=True), min_size=1, max_size=4), st.integers())
def test_what_was_set_can_be_removed_again(path: list[str], value: int):
    key = ".".join(["fresh", *path])
    edited = set_value(RAW, f"{key}={value}")
    assert RAW == {"aws:region": "us-west-2", "pools": {"a": {"n": 1}}, "zones": ["x", "y"], "max": {4: 8}}
    assert remove_value(edited, "fresh") == RAW
    inner: Any = edited["fresh"]
    for step in path:
        inner = inner[step]
    assert inner == value


def edits(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    sides = [parse({"aws:region": "us-west-2", **side}, stack="test") for side in (old, new)]
    return [(edit.path, edit.old, edit.new) for edit in key_edits(*sides)]


def test_edits_are_single_keys_and_a_whole_pool_is_one_edit():
    pool = {"instanceType": "g6.xlarge"}
    assert edits({"replicas": 10}, {"replicas": "4"}) == [("replicas", 10, 4)]
    ((path, old, new),) = edits({}, {"gpuNodeGroups": {"a": pool}})
    assert (path, old, new["instanceType"]) == ("gpuNodeGroups.a", None, "g6.xlarge")
    assert edits({"gpuNodeGroups": {"a": pool}}, {"gpuNodeGroups": {"a": {**pool, "desired": 0}}}) == [
        ("gpuNodeGroups.a.desired", 1, 0)
    ]


def test_a_default_written_out_is_no_edit():
    assert edits({}, {"replicas": 1, "network": {"cidr": "10.0.0.0/16"}, "sharing": {}}) == []


def test_another_kind_of_network_is_one_edit():
    existing = {"vpcId": "vpc-01234567", "privateSubnetIds": ["subnet-01234567", "subnet-01234568"]}
    assert [path for path, _, _ in edits({}, {"network": existing})] == ["network"]
