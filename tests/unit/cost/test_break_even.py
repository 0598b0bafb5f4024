"""When sharing pays."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.catalogue import load
from gpu_slices.cost.break_even import BreakEven, break_even, cheapest_dedicated, nodes_for
from tests.support.stacks import SLICEABLE, plan_of


def of(instance_type: str, replicas: int, **prices: Any) -> BreakEven | None:
    plan = plan_of({"gpuNodeGroups": {"a": {"instanceType": instance_type, "replicas": replicas}}, "prices": prices})
    return break_even(plan.settings, plan.pools[0].shapes[0], load())


def test_ten_slices_of_an_l40s_pay_from_the_fifth_against_t4s_of_ones_own():
    one = of("g6e.2xlarge", 10)
    assert one is not None
    assert (one.dedicated.name, one.slices_held) == ("g4dn.xlarge", 5)
    assert one.usd_per_held_slice(1.0) == pytest.approx(0.224208)
    assert one.usd_per_held_slice(0.5) == pytest.approx(0.448416)
    assert one.saved(0.5) == pytest.approx(1 - 0.448416 / 0.526)


def test_a_slice_that_needs_more_memory_than_small_gpus_have_is_held_against_a_larger_one():
    one = of("g6e.2xlarge", 2)
    assert one is not None
    assert one.dedicated.gpu_memory_mib >= 45776 // 2


def test_private_prices_count_on_both_sides():
    one = of("g6e.2xlarge", 10, private={"g6e.2xlarge": 1.0, "g4dn.xlarge": 0.05})
    assert one is not None
    assert one.shared_usd == 1.0
    assert (one.dedicated_usd, one.slices_held, one.occupancy) == (0.05, None, None)


@given(st.sampled_from(SLICEABLE), st.integers(2, 20))
def test_at_the_break_even_sharing_costs_no_more_and_one_slice_less_it_does(instance_type: str, replicas: int):
    one = of(instance_type, replicas)
    if one is None:
        instance = load().instances[instance_type]
        dedicated = cheapest_dedicated(plan_of({}).settings, instance.gpu_memory_mib // replicas, load())
        assert instance.usd_per_hour is None or dedicated is None
    elif one.slices_held is None:
        assert one.saved(1.0) < 0
    else:
        assert one.saved(one.slices_held / one.slices) >= -1e-9
        if one.slices_held > 1:
            assert one.saved((one.slices_held - 1) / one.slices) < 1e-9


def test_the_dedicated_gpu_is_one_that_can_be_bought():
    found = cheapest_dedicated(plan_of({}).settings, 1024, load())
    assert found is not None
    instance, usd = found
    assert not instance.retired
    assert instance.arch == "amd64"
    cheaper = [i for i in load().instances.values() if i.gpu_count == 1 and (i.usd_per_hour or math.inf) < usd]
    assert all(i.retired or i.arch != "amd64" for i in cheaper)
    assert cheapest_dedicated(plan_of({}).settings, 10**9, load()) is None


@pytest.mark.parametrize(("tasks", "per_node", "nodes"), [(10, 4, 3), (10, 40, 1), (0, 4, 0), (41, 40, 2)])
def test_nodes_are_whole(tasks: int, per_node: int, nodes: int):
    assert nodes_for(tasks, per_node) == nodes
