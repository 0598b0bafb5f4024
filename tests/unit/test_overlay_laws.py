"""Karpenter counts slices: what holds of overlays and limits for all catalogue types (DESIGN's invariants 1, 2, 4, 5)."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings

from gpu_slices.catalogue import load
from gpu_slices.cloud_refs import placeholders
from gpu_slices.manifests import objects
from gpu_slices.naming import GPU_RESOURCE
from gpu_slices.plan import Plan
from tests.support.stacks import karpenter_plans

LAW = settings(deadline=None, max_examples=80)


@given(karpenter_plans)
@LAW
def test_an_overlay_is_exactly_where_a_pool_advertises_something_else_than_ec2_reports(plan: Plan):
    for pool in plan.pools:
        for one in pool.node_pools:
            for shape in (shape for shape in pool.shapes if shape.instance.name in one.instance_types):
                assert shape.instance.gpu_count == one.gpus_per_node
                assert not shape.instance.fractional
                assert (one.overlay is None) == (shape.advertised == {GPU_RESOURCE: one.gpus_per_node})
                if one.overlay:
                    shown = {name: count for name, count in one.overlay.capacity.items() if count}
                    assert shown == shape.advertised


@given(karpenter_plans)
@LAW
def test_a_node_pool_admits_exactly_its_overlays_types_and_no_overlay_reaches_another_pool(plan: Plan):
    manifests = objects(plan, placeholders(plan))
    admitted = {
        o["metadata"]["name"]: requirement(o["spec"]["template"]["spec"], "node.kubernetes.io/instance-type")
        for o in manifests
        if o["kind"] == "NodePool"
    }
    scopes: list[str] = []
    for overlay in (o for o in manifests if o["kind"] == "NodeOverlay"):
        (pool,) = requirement(overlay["spec"], "karpenter.sh/nodepool")
        assert requirement(overlay["spec"], "node.kubernetes.io/instance-type") == admitted[pool]
        assert overlay["spec"]["weight"] == 100
        scopes.append(pool)
    assert max(Counter(scopes).values(), default=1) == 1
    planned = {one.name for pool in plan.pools for one in pool.node_pools if one.overlay}
    assert not any(one.overlay for pool in plan.pools for one in pool.node_pools if pool.exclusive)
    assert set(scopes) == planned


@given(karpenter_plans)
@LAW
def test_limits_count_slices_once_name_only_what_the_pool_has_and_are_backed_by_cpu(plan: Plan):
    for pool in plan.pools:
        for one in pool.node_pools:
            assert set(pool.resources) <= set(one.limits) <= {*pool.resources, "cpu", "memory"}
            shape = next(shape for shape in pool.shapes if shape.instance.name == one.instance_types[0])
            for resource, count in shape.advertised.items():
                assert one.most_nodes * count <= int(one.limits[resource]) < (one.most_nodes + 1) * count
            largest = max(load().instances[name].vcpu for name in one.instance_types)
            assert int(one.limits["cpu"]) <= one.most_nodes * largest


@given(karpenter_plans)
@LAW
def test_plain_gpus_are_hidden_where_there_are_none_so_that_a_whole_gpu_pod_buys_no_node_in_vain(plan: Plan):
    for pool in plan.pools:
        for one in pool.node_pools:
            if one.overlay:
                assert (one.overlay.capacity[GPU_RESOURCE] == 0) == (GPU_RESOURCE not in pool.resources)


@given(karpenter_plans)
@LAW
def test_fewer_gpus_are_tried_first_and_every_type_of_the_pool_is_in_one_node_pool(plan: Plan):
    for pool in plan.pools:
        weights = [one.weight for one in pool.node_pools]
        assert weights == sorted(weights, reverse=True)
        assert len(set(weights)) == len(weights)
        assert all(1 <= weight <= 100 for weight in weights)
        names = [name for one in pool.node_pools for name in one.instance_types]
        assert sorted(names) == list(pool.instance_types)


def requirement(spec: dict, key: str) -> list[str]:
    (found,) = [r["values"] for r in spec["requirements"] if r["key"] == key]
    return found
