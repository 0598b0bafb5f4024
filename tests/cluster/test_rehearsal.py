"""Every stack that ships: up, a burst, a slice edit, a quota and a destroy, on a real control plane."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from rehearsal.rehearse.command import write_pages
from rehearsal.rehearse.result import Result, result_json
from rehearsal.rehearse.scenario import Rehearsal
from rehearsal.rehearse.settings import Wish
from rehearsal.rehearse.telling import RehearsalTeller
from tests.support.stacks import by_stack, plan_of_stack

pytestmark = [pytest.mark.cluster, pytest.mark.engine, pytest.mark.usefixtures("programs")]

PEAK_MIB = 2048
#: Where not said, a rehearsal chooses: what a node group holds, 40 for Karpenter within the pool's limits.
PODS = {"karpenter": 100}


def rehearse(wish: Wish, log: Path) -> Result:
    with log.open("w") as file:
        return Rehearsal(wish, RehearsalTeller(Console(file=file, width=160))).run()


@pytest.fixture(scope="module", params=by_stack(everyday=("dev", "karpenter", "p3")))
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Result:
    wish = Wish(stack=request.param, pods=PODS.get(request.param), without_overlays=False)
    return rehearse(wish, tmp_path_factory.mktemp("rehearsal") / "log.txt")


def test_a_stack_that_ships_keeps_every_promise_of_its_plan(result: Result) -> None:
    assert [(one.words, one.broken_by) for one in result.broken] == []
    assert len(result.promises) >= 12


def test_destroy_leaves_nothing_in_api_server_state_or_account(result: Result) -> None:
    assert result.left == ()


def test_lowering_under_running_pods_evicts_nobody_replaces_no_node_and_is_reported(result: Result) -> None:
    assert result.effect
    assert result.effect.nodes
    assert result.effect.nodes_replaced == 0
    assert result.effect.pods_running_before
    assert result.effect.pods_evicted == 0
    assert result.effect.pods_above_new_count > 0


def test_its_tenants_quota_refuses_the_slice_too_many(result: Result) -> None:
    if not plan_of_stack(result.stack).tenants:
        assert result.quota is None
        return
    assert result.quota
    assert result.quota.used + result.quota.let_through == result.quota.granted
    assert "exceeded quota: gpu-slices" in result.quota.refusal


def test_its_pages_and_its_record_are_written(result: Result, tmp_path: Path) -> None:
    write_pages(result, tmp_path)
    record = json.loads((tmp_path / result.stack / "result.json").read_text())
    assert record["podsAsked"] == result.first.burst.asked
    assert record["leftAfterDestroy"] == 0
    assert max(step["peakMiB"] for step in record["steps"]) < PEAK_MIB


def test_karpenter_launches_a_hundred_pods_over_usable_slices(result: Result) -> None:
    if not result.launched_by_karpenter:
        assert result_json(result)["nodesLaunched"] is None
        return
    record = result_json(result)
    assert record["nodesLaunched"] == record["nodesNeeded"] == -(-record["podsAsked"] // record["usableSlicesPerNode"])
    assert record["podsRunning"] == record["podsAsked"]


@pytest.mark.full
@pytest.mark.parametrize(("pods", "nodes"), [(100, 10), (1000, 100)], ids=["100 pods", "1,000 pods"])
def test_karpenter_launches_pods_over_usable_slices_and_one_node_a_pod_without_overlays(
    pods: int, nodes: int, tmp_path: Path
) -> None:
    result = rehearse(Wish(stack="karpenter", pods=pods, without_overlays=pods <= 100), tmp_path / "log.txt")
    record = result_json(result)
    assert result.broken == ()
    assert (record["podsRunning"], record["nodesNeeded"], record["nodesLaunched"]) == (pods, nodes, nodes)
    assert record["nodesLaunchedWithoutOverlays"] == (pods if result.without else None)
