"""The address plan: inside, disjoint, large enough."""

from __future__ import annotations

import ipaddress
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.subnets import address_plan, default_zones


@given(st.integers(16, 22), st.integers(2, 4), st.integers(0, 255))
def test_subnets_lie_inside_the_vpc_apart_from_each_other_and_are_not_too_small(prefix: int, zones: int, second: int):
    vpc = ipaddress.IPv4Network(f"10.{second}.0.0/{prefix}")
    plan = address_plan(str(vpc), [f"z{index}" for index in range(zones)])
    assert len(plan.private) == len(plan.public) == zones
    networks = [ipaddress.IPv4Network(subnet.cidr) for subnet in plan.private + plan.public]
    assert all(network.subnet_of(vpc) and network.prefixlen <= 28 for network in networks)
    assert not any(one.overlaps(two) for one, two in combinations(networks, 2))


def test_a_subnet_of_a_zone_does_not_move_when_a_zone_is_added():
    two, three = address_plan("10.0.0.0/16", ["a", "b"]), address_plan("10.0.0.0/16", ["a", "b", "c"])
    assert three.private[:2] == two.private
    assert three.public[:2] == two.public


def test_tokyo_has_no_zone_b_for_new_accounts():
    assert default_zones("ap-northeast-1") == ("ap-northeast-1a", "ap-northeast-1c")
    assert default_zones("us-west-2") == ("us-west-2a", "us-west-2b")
