"""Each risk is told when it should be, graded, and not otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_slices.review.live import HeldSlices, pool_use
from gpu_slices.review.pool_pairs import slices_at_limit, slices_configured
from gpu_slices.review.sides import side_of
from gpu_slices.review.stack_review import StackReview, review
from tests.support.stacks import plan_of

GROUP: dict[str, Any] = {"instanceType": "g6e.2xlarge", "replicas": 4, "max": 2}
BURST: dict[str, Any] = {"families": ["g6"], "gpusPerNode": [1], "maxGpus": 3, "replicas": 4}
OLD: dict[str, Any] = {"gpuNodeGroups": {"a": GROUP}, "tenants": {"t": {"pools": ["a"]}}}


def quotas(**slices: int) -> dict[str, Any]:
    return {"tenants": {name: {"pools": ["a"], "slices": count} for name, count in slices.items()}}


def reviewed(old: dict[str, Any], new: dict[str, Any], **more: Any) -> StackReview:
    sides = [side_of("test", {"aws:region": "us-west-2", **raw}, "here") for raw in (old, new)]
    return review("test", *sides, **more)


def told(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(risk.level, risk.path, risk.message) for risk in reviewed(old, new).risks]


def group(**keys: Any) -> dict[str, Any]:
    return {**OLD, "gpuNodeGroups": {"a": {**GROUP, **keys}}}


def test_nothing_edited_is_no_risk():
    assert told(OLD, OLD) == []


@pytest.mark.parametrize(
    ("new", "level", "path", "words"),
    [
        (group(replicas=2), "risk", "gpuNodeGroups.a", "more than 2 slices today keeps its pods"),
        (group(replicas=1), "risk", "gpuNodeGroups.a", "more than 1 slice today"),
        (
            {**group(replicas=2), **quotas(t=4, u=4)},
            "risk",
            "tenants",
            "quotas sum to 8 nvidia.com/gpu, the pools advertise 4",
        ),
        ({**OLD, **quotas(t=4, u=5)}, "risk", "tenants", "1 of them can never run"),
        (group(replicas=8), "note", "gpuNodeGroups.a", "from 11.2 GiB to 5.6 GiB and nothing enforces it"),
        (
            group(sharing={"renameResource": True}),
            "stop",
            "gpuNodeGroups.a",
            "nvidia.com/gpu becomes nvidia.com/gpu.shared",
        ),
        (group(instanceType="g6e.xlarge"), "risk", "gpuNodeGroups.a.instanceType", "another node group replaces"),
        (group(diskGiB=200), "risk", "gpuNodeGroups.a.diskGiB", "replaces the group's nodes one after another"),
        ({**OLD, "tags": {"x": "y"}}, "risk", "tags.x", "nodes are replaced one after another"),
        ({**OLD, "tenants": {}}, "risk", "tenants.t", "goes with everything in it"),
        ({"gpuNodeGroups": {"b": GROUP}}, "risk", "gpuNodeGroups.a", "goes with its nodes"),
        ({**OLD, "network": {"cidr": "10.1.0.0/16"}}, "risk", "network.cidr", "another network"),
        ({**OLD, "cluster": {"name": "other"}}, "risk", "cluster.name", "another name"),
    ],
)
def test_each_is_told_at_its_key(new: dict[str, Any], level: str, path: str, words: str):
    assert any((level, path) == risk[:2] and words in risk[2] for risk in told(OLD, new)), told(OLD, new)


def test_a_card_that_one_pod_holds_whole_is_not_shared_in_silence():
    risks = told(group(replicas=1), group(replicas=4))
    assert any(level == "risk" and "keep all its memory" in message for level, _, message in risks)
    renamed = {"sharing": {"renameResource": True}}
    assert told({**group(replicas=1), **renamed}, {**group(replicas=4), **renamed})[0][0] == "stop"


MIG: dict[str, Any] = {"strategy": "mig", "mig": {"profiles": {"2g.10gb": 3, "1g.5gb": 1}}}


def partitioned(kind: str, **keys: Any) -> dict[str, Any]:
    own: dict[str, Any] = (
        {"gpuNodeGroups": {"a": {"instanceType": "p4d.24xlarge", "sharing": MIG, **keys}}}
        if kind == "group"
        else {"gpuNodePools": {"a": {"instanceTypes": ["p4d.24xlarge"], "maxGpus": 8, "sharing": MIG, **keys}}}
    )
    return {"gpuStack": "gpu-operator", **own}


@pytest.mark.parametrize(
    ("kind", "words"), [("group", "drain them first"), ("pool", "Karpenter replaces them within the pool's budgets")]
)
def test_another_mig_layout_gives_no_card_out_twice_but_moves_or_cuts_off_pods(kind: str, words: str):
    fewer = {"sharing": {**MIG, "mig": {"profiles": {"2g.10gb": 3}}}}
    risks = told(partitioned(kind), partitioned(kind, **fewer))
    assert not any(level == "stop" for level, _, _ in risks)
    assert any(level == "risk" and words in message for level, _, message in risks)
    assert any(
        "nvidia.com/mig-1g.5gb is no more: pods that ask for it stay pending" in message for *_, message in risks
    )


def test_replicas_of_mig_instances_are_a_restart_and_renaming_them_is_a_stop():
    assert reviewed(partitioned("pool", replicas=2), partitioned("pool", replicas=3)).effect == "restart"
    renamed = partitioned("pool", replicas=2, sharing={**MIG, "renameResource": True})
    assert told(partitioned("pool", replicas=2), renamed)[0][0] == "stop"


def test_an_mps_edit_ends_cuda_contexts_and_a_change_to_mps_is_a_stop():
    mps = {"sharing": {"strategy": "mps"}}
    risks = told(group(**mps), group(**mps, replicas=2))
    assert any(level == "risk" and "lose their CUDA context" in message for level, _, message in risks)
    assert any("They must be restarted" in message for *_, message in risks)
    assert any("is enforced" in message for *_, message in told(group(**mps), group(**mps, replicas=8)))
    assert told(OLD, group(**mps))[0][0] == "stop"


def test_under_the_operator_a_removed_pool_must_be_retired_first():
    operator = {"gpuStack": "gpu-operator"}
    gone = {**operator, "gpuNodeGroups": {"b": GROUP}}
    both = {**operator, "gpuNodeGroups": {"a": GROUP, "b": GROUP}}
    assert any("retiredPools.a: {replicas: 4}" in message for _, _, message in told(both, gone))
    retired = {**gone, "retiredPools": {"a": {"replicas": 4}}}
    assert not any("retiredPools.a: {" in message for _, _, message in told(both, retired))
    assert not any(
        "retiredPools" in message
        for _, _, message in told({"gpuNodeGroups": both["gpuNodeGroups"]}, gone | {"gpuStack": "device-plugin"})
    )


def test_raising_a_karpenter_pool_may_launch_too_many_for_a_moment():
    old, new = ({"gpuNodePools": {"burst": {**BURST, "replicas": n}}} for n in (4, 8))
    assert any("Karpenter counts the old slices" in message for _, _, message in told(old, new))
    assert not any("Karpenter counts" in message for _, _, message in told(new, old))


def test_a_pool_that_changes_its_kind_under_its_name_is_told():
    risks = told({"gpuNodeGroups": {"a": GROUP}}, {"gpuNodePools": {"a": BURST}})
    assert any("is a node-pool now and was a node-group" in message for _, _, message in risks)


def test_lower_quotas_and_more_room_are_no_risk():
    assert told(OLD, {**OLD, **quotas(t=1)}) == []
    assert told(OLD, group(max=5)) == []


def test_an_over_committed_quota_is_only_told_by_the_edit_that_makes_it_worse():
    over = {**OLD, **quotas(t=8, u=8)}
    assert told(over, {**over, "prices": {"natGbPerMonth": 1}}) == []


def test_slices_are_counted_at_the_configured_size_and_at_the_limit():
    group_pool, burst = plan_of({"gpuNodeGroups": {"a": GROUP}, "gpuNodePools": {"b": BURST}}).pools
    assert (slices_configured(group_pool), slices_at_limit(group_pool)) == (
        {"nvidia.com/gpu": 4},
        {"nvidia.com/gpu": 8},
    )
    assert (slices_configured(burst), slices_at_limit(burst)) == ({}, {"nvidia.com/gpu": 12})
    several = plan_of(
        {"gpuNodePools": {"b": {"families": ["g6"], "maxGpus": {1: 3, 4: 8, 8: 8}, "replicas": 2}}}
    ).pools[0]
    assert slices_at_limit(several) == {"nvidia.com/gpu": 6 + 16 + 16}


def held(node: str, tenant: str, count: int) -> HeldSlices:
    return HeldSlices(pool="a", node=node, instance_type="g6e.2xlarge", tenant=tenant, held={"nvidia.com/gpu": count})


def used(new: dict[str, Any], *rows: HeldSlices) -> StackReview:
    plain = reviewed(OLD, new)
    return reviewed(OLD, new, use=pool_use(plain.pools, {"a": 2}, rows))


def test_a_cluster_tells_how_many_pods_are_above_the_new_count_and_whose():
    seen = used(group(replicas=2), held("n1", "t", 3), held("n1", "u", 1), held("n2", "t", 2))
    assert seen.use is not None
    (use,) = seen.use
    assert (use.nodes, use.held, use.above) == (2, 6, 2)
    assert use.by_tenant == {"t": 5, "u": 1}
    assert use.on_full_nodes == {"t": 3, "u": 1}
    (risk,) = [risk for risk in seen.risks if "held above" in risk.message]
    assert risk.message.startswith("2 slices are held above the new count today (on these nodes: t 3, u 1)")


def test_a_cluster_in_which_nobody_is_above_the_count_takes_the_risk_away():
    seen = used(group(replicas=2), held("n1", "t", 2), held("n2", "t", 2))
    assert not any("keeps its pods" in risk.message or "held above" in risk.message for risk in seen.risks)


def test_pods_of_a_pool_that_goes_are_all_above():
    seen = used({"gpuNodeGroups": {"b": GROUP}}, held("n1", "t", 3))
    assert seen.use is not None
    assert {use.pool: use.above for use in seen.use} == {"a": 3, "b": 0}
