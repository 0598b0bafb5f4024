"""The rehearsal's own reckoning: machines from the catalogue, room for a burst, and its page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_slices.pool_plan import PoolPlan
from gpu_slices.quantities import mebibytes, millicores
from gpu_slices.subnets import default_zones
from rehearsal.demo.promises import Promise
from rehearsal.rehearse.burst import Burst
from rehearsal.rehearse.chart import chart, panel, ticks
from rehearsal.rehearse.instance_facts import instance_facts
from rehearsal.rehearse.page import headline, html_page, markdown_page
from rehearsal.rehearse.pods import one_slice_pod
from rehearsal.rehearse.promises import all_run, as_many_nodes, wrong_without
from rehearsal.rehearse.quota import QuotaCheck
from rehearsal.rehearse.result import Act, PoolBurst, Result, result_json
from rehearsal.rehearse.room import MOST_PODS_AGAIN, Need, default_pods, lift, nodes_needed, room
from rehearsal.rehearse.settings import Wish, decide
from rehearsal.rehearse.watching import Point
from tests.support.stacks import STACKS, karpenter_plans, plan_of, plan_of_stack, plans

#: Pods of the doubles on every GPU node: device plugin, GPU and node feature discovery; and what a strategy adds.
PLAYED_DAEMONS = 3
FURTHER_DAEMONS = {"mps": 1, "mig": 1}

ONE_GPU = {"gpuNodePools": {"burst": {"families": ["g5"], "gpusPerNode": [1], "maxGpus": 4, "replicas": 10}}}


def pool_of(raw: dict[str, Any]) -> PoolPlan:
    return plan_of(raw).pools[0]


@given(st.one_of(plans, karpenter_plans))
def test_a_rehearsed_node_holds_as_many_one_slice_pods_as_the_plan_says(plan):
    facts = instance_facts(plan)
    for pool in plan.pools:
        for shape in pool.shapes:
            left = facts[shape.instance.name].allocatable
            cpu, memory = millicores(pool.pod_requests.cpu), mebibytes(pool.pod_requests.memory)
            pods = left.pods - PLAYED_DAEMONS - FURTHER_DAEMONS.get(pool.strategy, 0)
            for one in shape.slices:
                holds = min(one.count, pods, left.cpu_milli // cpu, left.memory_mib // memory)
                assert max(0, holds) == one.bounds.usable


def test_a_burst_on_mig_instances_counts_those_that_its_pods_ask_for():
    layout = {"profiles": {"4g.20gb": 1, "2g.10gb": 1, "1g.5gb": 1}}
    pool = {"instanceTypes": ["p4d.24xlarge"], "maxGpus": 16, "sharing": {"strategy": "mig", "mig": layout}}
    planned = pool_of({"gpuStack": "gpu-operator", "gpuNodePools": {"a100": pool}})
    assert planned.shapes[0].bounds.usable == 24
    assert nodes_needed(planned, 9) == Need(least=2, most=2), "eight 1g.5gb on each node"


@pytest.mark.parametrize("stack", STACKS)
def test_every_type_of_a_stack_can_join_and_be_launched_in_its_zones(stack: str):
    plan = plan_of_stack(stack)
    facts = instance_facts(plan)
    assert plan.settings.system_nodes.instance_type in facts
    for pool in plan.pools:
        for shape in pool.shapes:
            offered = facts[shape.instance.name].offerings
            assert {one.zone for one in offered} == set(plan.zones or default_zones(plan.settings.region))
            assert all(one.usd_per_hour > 0 for one in offered)


@given(st.integers(1, 5000))
def test_nodes_needed_is_pods_over_usable_slices_rounded_up(pods: int):
    need = nodes_needed(pool_of(ONE_GPU), pods)
    assert need == Need(least=-(-pods // 10), most=-(-pods // 10))
    assert (need.least - 1) * 10 < pods <= need.least * 10


def test_a_pool_of_unequal_types_needs_a_range_of_nodes():
    """48 slices of 100m CPU: a g4dn.xlarge holds fewer pods than a g4dn.2xlarge has slices."""
    raw = {"gpuNodePools": {"p": {"instanceTypes": ["g4dn.xlarge", "g4dn.8xlarge"], "maxGpus": 9, "replicas": 40}}}
    need = nodes_needed(pool_of(raw), 100)
    assert need.least < need.most
    assert need.allows(need.least)
    assert not need.allows(need.most + 1)


def test_without_a_wish_a_burst_fits_into_the_pools_limits_before_and_after_the_edit():
    before, after = pool_of(ONE_GPU), pool_of({**ONE_GPU, "gpuNodePools": {"burst": _with(replicas=4)}})
    assert default_pods(before, after) == 16
    assert not lift(before, after, 16)


def test_many_pods_lift_the_pools_limits_in_the_copied_stack_file():
    before, after = pool_of(ONE_GPU), pool_of({**ONE_GPU, "gpuNodePools": {"burst": _with(replicas=4)}})
    lifted = lift(before, after, 1000)
    assert lifted == {"gpuNodePools.burst.maxGpus": 100, "gpuNodePools.burst.limits": None}
    assert room(pool_of({"gpuNodePools": {"burst": _with(maxGpus=100)}})) >= 1000
    assert room(pool_of({"gpuNodePools": {"burst": _with(maxGpus=100, replicas=4)}})) >= MOST_PODS_AGAIN


def _with(**changes: Any) -> dict[str, Any]:
    return {**ONE_GPU["gpuNodePools"]["burst"], **changes}


def test_a_thousand_pods_are_decided_with_room_for_them_and_without_the_slow_comparison():
    program = decide(Wish(stack="karpenter", pods=1000))
    assert room(program.pool_before()) >= 1000
    assert not program.compare
    assert decide(Wish(stack="karpenter", pods=1000, without_overlays=True)).compare


def test_the_pod_of_a_burst_is_what_the_plan_says_a_tenant_writes():
    pool = plan_of_stack("karpenter").pools[0]
    pod = one_slice_pod(pool, "one")
    assert pod["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "500m", "memory": "2Gi"},
        "limits": {"nvidia.com/gpu": "1"},
    }
    assert pod["spec"]["nodeSelector"] == {"gpu-slices/pool": "burst"}
    assert pod["spec"]["tolerations"][0]["key"] == "nvidia.com/gpu"


POINTS = tuple(
    Point(seconds=seconds, pending=pending, running=10 - pending, nodes=nodes)
    for seconds, pending, nodes in ((0.0, 10, 0), (2.0, 10, 1), (4.0, 0, 1))
)


def played(launched: int = 1, running: int = 10, words: str = "burst") -> PoolBurst:
    burst = Burst(asked=10, running=running, launched=launched, nodes=launched, seconds=4.0, points=POINTS)
    return PoolBurst(words=words, replicas=10, usable=(10, 10), needed=Need(least=1, most=1), burst=burst)


def a_result(**changes: Any) -> Result:
    result = Result(
        stack="karpenter",
        versions={"karpenter": "v1.14.1"},
        pool="burst",
        launched_by_karpenter=True,
        lifted={},
        acts=(Act(name="up", seconds=3.0, peak_mib=900, did="104 create"),),
        first=played(),
        again=None,
        without=played(launched=10, words="burst without overlays"),
        edit=None,
        diff=None,
        effect=None,
        quota=None,
        promises=(Promise(words="<b>kept</b>", broken_by=()), Promise(words="lost", broken_by=("why",))),
        left=(),
    )
    return replace(result, **changes)


def test_the_record_names_the_figures():
    record = json.loads(json.dumps(result_json(a_result())))
    figures = {key: record[key] for key in ("podsAsked", "podsRunning", "usableSlicesPerNode", "nodesNeeded")}
    assert figures == {"podsAsked": 10, "podsRunning": 10, "usableSlicesPerNode": 10, "nodesNeeded": 1}
    assert (record["nodesLaunched"], record["nodesLaunchedWithoutOverlays"], record["leftAfterDestroy"]) == (1, 10, 0)
    assert record["steps"] == [{"name": "up", "seconds": 3.0, "peakMiB": 900, "did": "104 create"}]


def test_a_stack_of_node_groups_launches_nothing_and_says_so():
    record = result_json(a_result(launched_by_karpenter=False, without=None))
    assert record["nodesLaunched"] is None
    assert "Karpenter" not in headline(a_result(launched_by_karpenter=False, without=None))


def test_the_page_fetches_nothing_and_escapes_what_it_shows():
    page = html_page(a_result())
    outside = [url for url in re.findall(r"https?://[^\"' <]+", page) if url != "http://www.w3.org/2000/svg"]
    assert not outside
    assert not re.search(r"<(script|link|img|iframe)\b|@import|url\(", page)
    assert "&lt;b&gt;kept" in page
    assert "<b>kept" not in page


def test_both_pages_tell_the_way_with_and_without_overlays_and_what_was_broken():
    for page in (html_page(a_result()), markdown_page(a_result())):
        assert "Karpenter launches 1 nodes, the plan says 1; without overlays it launches 10" in page
        assert "lost: why" in page


def test_the_chart_has_a_panel_per_burst_on_one_scale():
    drawn = chart([panel("with", played()), panel("without", played(launched=10))])
    assert drawn.count("<polyline") == 6
    assert "10 pods on 1 nodes" in drawn
    assert "10 pods on 10 nodes" in drawn
    assert chart([panel("with", played())]).count("<polyline") == 3


@given(st.floats(0.5, 20_000))
def test_a_scale_has_a_few_round_ticks_within_it(most: float):
    found = ticks(most)
    assert found[0] == 0
    assert len(found) <= 6
    assert all(value <= most for value in found)
    assert most < 1 or len(found) >= 2


@pytest.mark.parametrize(
    ("launched", "already", "kept"), [(1, 0, True), (2, 0, False), (0, 0, False), (0, 3, True), (1, 1, False)]
)
def test_karpenter_must_launch_what_the_plan_says_less_what_is_there(launched: int, already: int, kept: bool):
    assert as_many_nodes(played(launched=launched), already).kept is kept


def test_a_comparison_that_compares_nothing_breaks_its_promise():
    assert wrong_without(played(launched=10), renamed=False).kept
    assert not wrong_without(played(launched=1), renamed=False).kept
    assert wrong_without(played(launched=0), renamed=True).kept
    assert not wrong_without(played(launched=1), renamed=True).kept


def test_pods_that_do_not_run_break_a_promise():
    assert all_run(played(), 10).kept
    assert not all_run(played(running=9), 10).kept


def test_a_quota_is_kept_when_it_refuses_the_next_slice_and_only_then():
    check = QuotaCheck(tenant="t", granted=10, used=4, let_through=6, refusal="forbidden: exceeded quota: gpu-slices")
    assert check.kept
    assert not replace(check, let_through=7).kept
    assert not replace(check, refusal="").kept
    assert not replace(check, refusal="pods is forbidden: violates PodSecurity").kept
