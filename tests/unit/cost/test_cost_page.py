"""docs/cost.md: every amount on it is computed here again, or quoted from the guides that it corrects."""

from __future__ import annotations

import re

import pytest

from gpu_slices.catalogue import load
from gpu_slices.cost.break_even import break_even, nodes_for
from gpu_slices.cost.price_table import load_prices
from gpu_slices.cost.prices import HOURS_PER_MONTH
from gpu_slices.cost.stack_cost import stack_cost
from gpu_slices.report.words import gib
from tests.support.stacks import ROOT, plan_of, plan_of_stack

PAGE = (ROOT / "docs" / "cost.md").read_text()
#: What the guides say, and what an example of the `prices` key assumes.
QUOTED = {"$122.40", "$110.16", "$17.03", "$1.70", "$1.7031", "$12.61", "$1.01", "$1.18", "$0.526"}

SHARED = [
    ("g6e.2xlarge", 10),
    ("g6e.2xlarge", 4),
    ("g6.xlarge", 4),
    ("g5.xlarge", 4),
    ("g6.12xlarge", 4),
    ("p3.8xlarge", 4),
]


def row(instance_type: str, replicas: int) -> str:
    plan = plan_of({"gpuNodeGroups": {"a": {"instanceType": instance_type, "replicas": replicas}}})
    one = break_even(plan.settings, plan.pools[0].shapes[0], load())
    assert one is not None
    cells = (
        f"{instance_type}, {one.slices}",
        gib(plan.pools[0].shapes[0].gpu_memory_mib_per_slice),
        f"${one.usd_per_held_slice(1):.3f}",
        f"${one.usd_per_held_slice(0.5):.3f}",
        f"{one.dedicated.name} ({one.dedicated.gpu.label}), ${one.dedicated_usd:.3f}",
        f"{one.slices_held} of {one.slices}" if one.slices_held else "never",
    )
    return f"| {' | '.join(cells)} |"


def figures() -> dict[str, str]:
    """What the page must say, by what it is."""
    dev = {line.path: line for line in stack_cost(plan_of_stack("dev")).lines}
    whole = stack_cost(plan_of_stack("dev")).configured
    p3 = load().instances["p3.8xlarge"]
    price = p3.usd_per_hour or 0
    machines = nodes_for(10, p3.gpu_count)
    return {
        "control plane": f"| EKS control plane | ${dev['cluster'].configured:.2f} |",
        "key": f"| KMS key | ${dev['cluster.encryption'].configured:.2f} |",
        "system nodes": f"| 2 × t3.large with 20 GiB | ${dev['systemNodes'].configured:.2f} |",
        "GPU node": f"| 1 × g6e.2xlarge with 100 GiB at 500 MiB/s | ${dev['gpuNodeGroups.l40s'].configured:,.2f} |",
        "NAT": f"| NAT gateway | ${load_prices().services['nat-gateway-hour'].usd * HOURS_PER_MONTH:.2f} |",
        "address": f"| its public address | ${load_prices().services['public-ipv4-hour'].usd * HOURS_PER_MONTH:.2f} |",
        "together": f"**${whole:,.2f}**, which is ${whole / HOURS_PER_MONTH:.2f} an hour",
        "ten tasks": f"| {machines} machines, ${machines * price:.2f} | a p3.8xlarge has {p3.gpu_count} GPUs |",
        "ten slices": f"a quarter of one, ${price * 10 / (p3.gpu_count * 10):.2f} of its ${price:.2f}",
        "saved": f"| ${machines * price - price:.2f} | ${machines * price:.2f} less ${price:.2f}",
        "spot": f"| ${machines * 1.7031:.2f} against $1.70 |",
        "g6e": f"| ${load().instances['g6e.2xlarge'].usd_per_hour:.2f} | us-east-1",
        "g5": f"a g5.xlarge (${load().instances['g5.xlarge'].usd_per_hour:.3f})",
        "set-up": f"costs about $1.18 an hour | ${whole / HOURS_PER_MONTH:.2f} |",
        "catalogue": f"on demand | {load().read} |",
        "services": f"as known when the file was written | {load_prices().region} | **not re-checked** |",
    }


@pytest.mark.parametrize("what", figures())
def test_the_page_says_what_the_program_computes(what: str):
    assert figures()[what] in PAGE


@pytest.mark.parametrize(("instance_type", "replicas"), SHARED)
def test_the_table_of_break_evens_is_computed(instance_type: str, replicas: int):
    assert row(instance_type, replicas) in PAGE


def test_no_other_amount_is_on_the_page():
    known = " ".join([*figures().values(), *(row(*one) for one in SHARED)])
    computed = set(re.findall(r"\$[\d,.]*\d", known))
    assert set(re.findall(r"\$[\d,.]*\d", PAGE)) - computed - QUOTED == set()


def test_p3_is_retired_as_the_page_says():
    assert load().instances["p3.8xlarge"].retired


def test_the_tags_of_the_page_are_those_of_the_program():
    tags = plan_of_stack("dev").tags
    assert {"gpu-slices:stack", "gpu-slices:cluster", "managed-by"} <= set(tags)
    assert tags["gpu-slices:stack"] == "dev"
