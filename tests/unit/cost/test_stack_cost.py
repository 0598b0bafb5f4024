"""What a stack costs: every line, what is assumed, and what nobody knows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from gpu_slices.cost.price_table import load_prices
from gpu_slices.cost.stack_cost import StackCost, line_pairs, stack_cost
from gpu_slices.settings import SettingsError
from tests.support.stacks import karpenter_settings, plan_of, plan_of_stack, raw_settings

HOURS = 730
GROUP: dict[str, Any] = {"instanceType": "g6e.2xlarge", "desired": 2, "max": 3, "diskGiB": 100, "diskThroughput": 500}
DISK = 100 * 0.08 + 375 * 0.04


def cost_of(raw: dict[str, Any]) -> StackCost:
    return stack_cost(plan_of(raw))


def month(raw: dict[str, Any], path: str = "gpuNodeGroups.a") -> tuple[float | None, float | None]:
    line = cost_of(raw).of(path)
    return line.configured, line.limit


def test_a_node_group_costs_its_nodes_and_their_disks():
    configured, limit = month({"gpuNodeGroups": {"a": GROUP}})
    assert configured == pytest.approx(2 * (2.24208 * HOURS + DISK))
    assert limit == pytest.approx(3 * (2.24208 * HOURS + DISK))


def test_the_dev_stack_line_by_line():
    cost = stack_cost(plan_of_stack("dev"))
    lines = {line.what: line.configured for line in cost.lines}
    assert lines == {
        "EKS control plane": pytest.approx(73),
        "KMS key": 1,
        "NAT gateway": pytest.approx(0.045 * HOURS),
        "public address of the NAT gateway": pytest.approx(0.005 * HOURS),
        "system nodes, 2 × t3.large": pytest.approx(2 * (0.0832 * HOURS + 20 * 0.08)),
        "l40s, 1 × g6e.2xlarge": pytest.approx(2.24208 * HOURS + DISK),
    }
    assert cost.configured == pytest.approx(sum(lines.values()))
    assert cost.unknown == ()
    assert "data through NAT ($0.045 per GB)" in cost.not_included


def test_a_karpenter_pool_costs_nothing_until_pods_come_and_at_most_its_limits():
    pool = {"families": ["g6"], "gpusPerNode": [1], "sizes": ["xlarge", "2xlarge"], "maxGpus": 4, "diskGiB": 100}
    configured, limit = month({"gpuNodePools": {"a": pool}}, "gpuNodePools.a")
    assert configured == 0
    assert limit == pytest.approx(4 * (0.9776 * HOURS + DISK))
    _, capped = month({"gpuNodePools": {"a": {**pool, "limits": {"cpu": 16}}}}, "gpuNodePools.a")
    assert capped == pytest.approx(16 * (0.8048 / 4) * HOURS + 4 * DISK), "the dearest CPU is g6.xlarge's"
    _, thin = month({"gpuNodePools": {"a": {**pool, "limits": {"memory": "16Gi"}}}}, "gpuNodePools.a")
    assert thin == pytest.approx(0.8048 * HOURS + 4 * DISK)


def test_spot_and_commitments_count_only_when_they_are_assumed_and_say_so():
    spot = {**GROUP, "capacity": "spot"}
    plain = cost_of({"gpuNodeGroups": {"a": spot}}).of("gpuNodeGroups.a")
    assert plain.basis == "list, spot counted as on demand"
    assumed = cost_of({"gpuNodeGroups": {"a": spot}, "prices": {"spotDiscountPercent": 60}}).of("gpuNodeGroups.a")
    assert assumed.configured == pytest.approx(2 * (0.4 * 2.24208 * HOURS + DISK))
    assert "spot −60 % (assumed)" in assumed.basis
    committed = {"prices": {"commitment": {"years": 3, "discountPercent": 50}}, "gpuNodeGroups": {"a": GROUP}}
    line = cost_of(committed).of("gpuNodeGroups.a")
    assert line.configured == pytest.approx(2 * (0.5 * 2.24208 * HOURS + DISK))
    assert line.limit == pytest.approx(line.configured + 2.24208 * HOURS + DISK), "the third node is not committed"
    assert "3-year commitment −50 % (assumed)" in line.basis


def test_private_prices_are_used_as_they_are_and_the_region_factor_for_the_rest():
    prices = {"regionFactor": 1.2, "private": {"g6e.2xlarge": 1.5, "nat-gateway-hour": 0.04}}
    cost = cost_of({"gpuNodeGroups": {"a": GROUP}, "prices": prices})
    assert cost.price_region == "us-west-2 = us-east-1 × 1.2"
    assert cost.of("gpuNodeGroups.a").configured == pytest.approx(2 * (1.5 * HOURS + DISK * 1.2))
    assert cost.of("cluster").configured == pytest.approx(73 * 1.2)
    assert cost.of("network.nat").configured == pytest.approx(0.04 * HOURS)


def test_without_a_factor_the_prices_are_said_to_be_of_the_lists_region():
    assert cost_of({"aws:region": "ap-southeast-1"}).price_region == "us-east-1"


def test_a_price_that_nobody_knows_is_left_out_of_the_sum_by_name():
    cost = cost_of({"systemNodes": {"instanceType": "x9.large"}})
    assert cost.unknown == ("system nodes, 2 × x9.large",)
    assert cost.configured == pytest.approx(73 + 1 + 0.05 * HOURS)


def test_networks_and_keys_that_are_there_already_cost_the_stack_nothing():
    existing = {"vpcId": "vpc-01234567", "privateSubnetIds": ["subnet-01234567", "subnet-01234568"]}
    cost = cost_of(
        {"network": existing, "cluster": {"encryption": {"kmsKeyArn": "arn:aws:kms:us-west-2:123456789012:key/1"}}}
    )
    assert {line.path for line in cost.lines} == {"cluster", "systemNodes"}
    per_zone = cost_of({"network": {"nat": "per-zone", "zones": ["us-west-2a", "us-west-2b", "us-west-2c"]}})
    assert per_zone.of("network.nat").configured == pytest.approx(3 * 0.045 * HOURS)


def test_data_through_nat_costs_what_is_assumed():
    cost = cost_of({"prices": {"natGbPerMonth": 1000}})
    assert cost.of("prices.natGbPerMonth").configured == pytest.approx(45)
    assert not any("data through NAT" in what for what in cost.not_included)


def test_general_node_pools_are_named_as_not_priced():
    assert any("general NodePool default" in what for what in cost_of({"nodePools": {"default": {}}}).not_included)


@settings(max_examples=40, deadline=None)
@given(karpenter_settings)
def test_no_choice_of_one_type_costs_more_than_the_limit(raw: dict[str, Any]):
    plan = plan_of(raw)
    cost = stack_cost(plan)
    for pool in plan.pools:
        line = cost.of(pool.path)
        prices = {shape.instance.name: shape.instance.usd_per_hour for shape in pool.shapes}
        if line.limit is None:
            assert None in prices.values()
            continue
        for one in pool.node_pools:
            cpu = int(one.limits["cpu"]) if one.limits["cpu"].isdigit() else 0
            for shape in pool.shapes:
                if shape.instance.name in one.instance_types:
                    nodes = min(one.most_nodes, cpu // shape.instance.vcpu)
                    assert nodes * (prices[shape.instance.name] or 0) * HOURS <= line.limit * (1 + 1e-9)


@settings(max_examples=40, deadline=None)
@given(raw_settings)
def test_the_limit_is_never_below_the_configured_size_and_no_line_is_negative(raw: dict[str, Any]):
    cost = cost_of(raw)
    for line in cost.lines:
        assert line.configured is None or line.limit is None or 0 <= line.configured <= line.limit * (1 + 1e-9)


def test_lines_are_matched_by_what_decides_them():
    old, new = cost_of({"gpuNodeGroups": {"a": GROUP}}), cost_of({"gpuNodeGroups": {"a": {**GROUP, "desired": 3}}})
    changed = [(before, after) for before, after in line_pairs(old, new) if before != after]
    assert [(before and before.path, after and after.path) for before, after in changed] == [("gpuNodeGroups.a",) * 2]
    assert all(before is None for before, _ in line_pairs(None, new))


@pytest.mark.parametrize(
    ("prices", "path", "words"),
    [
        ({"regionFactor": 0}, "prices.regionFactor", "above 0"),
        ({"regionFactor": "dear"}, "prices.regionFactor", "not a number"),
        ({"private": {"g6e.2xlrge": 1}}, "prices.private", 'did you mean "g6e.2xlarge"'),
        ({"private": {"g6e.2xlarge": -1}}, "prices.private.g6e.2xlarge", "above 0"),
        ({"spotDiscountPercent": 99}, "prices.spotDiscountPercent", "0 to 95"),
        ({"commitment": {"years": 2, "discountPercent": 10}}, "prices.commitment.years", "write 1 or 3"),
    ],
)
def test_wrong_prices_are_refused_with_what_to_write(prices: dict[str, Any], path: str, words: str):
    with pytest.raises(SettingsError) as refusal:
        plan_of({"prices": prices})
    (mistake,) = refusal.value.mistakes
    assert mistake.path == path
    assert words in str(mistake)


def test_a_region_factor_for_the_lists_own_region_is_refused():
    with pytest.raises(SettingsError, match="the list prices are those of us-east-1 already"):
        plan_of({"aws:region": "us-east-1", "prices": {"regionFactor": 1.1}})


def test_every_price_has_a_source_and_a_day():
    table = load_prices()
    for source in (table.services_source, table.instances_source):
        assert source.words
        assert source.read >= "2026"
    assert table.instances["t3.large"] == 0.0832
    assert all(usd > 0 for usd in table.instances.values())
