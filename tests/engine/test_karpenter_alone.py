"""The Karpenter component in somebody else's program on the real engine."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine import Operation
from rehearsal.stage import stage
from tests.support.karpenter_program import CONFIG, karpenter_program, write_project

pytestmark = [pytest.mark.engine, pytest.mark.full]

RELEASE = "kubernetes:helm.sh/v3:Release"
CONTROLLER, POOL = (RELEASE, "karpenter-release"), ("kubernetes:karpenter.sh/v1:NodePool", "pool")

#: What the controller stands on: it comes after all of it, and goes before any of it.
STANDS_ON = (
    (RELEASE, "karpenter-crds"),
    ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "karpenter-controller-role-node-lifecycle"),
    ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "karpenter-controller-role-pass-role"),
    ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "karpenter-node-cni"),
    ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "karpenter-node-worker"),
    ("aws:eks/podIdentityAssociation:PodIdentityAssociation", "karpenter-controller-association"),
    ("aws:eks/accessEntry:AccessEntry", "karpenter-node-access"),
    ("aws:sqs/queuePolicy:QueuePolicy", "karpenter-interruptions-queue-policy"),
    ("aws:cloudwatch/eventTarget:EventTarget", "karpenter-interruptions-spot-queue"),
    ("aws:eks/addon:Addon", "dns"),
)


@dataclass(frozen=True, kw_only=True)
class Run:
    up: Operation
    preview_after: Operation
    refresh: Operation
    without_spot: Operation
    destroy: Operation
    left: tuple[str, ...]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    project = write_project(tmp_path_factory.mktemp("project"))
    with stage("test", project_folder=project, program=karpenter_program, config=CONFIG) as played:
        up, preview_after, refresh = played.up(), played.preview(), played.refresh()
        played.edit("spot", False)
        without_spot, destroy = played.up(), played.destroy()
        left = played.left()
    return Run(
        up=up, preview_after=preview_after, refresh=refresh, without_spot=without_spot, destroy=destroy, left=left
    )


def begun_and_ended(operation: Operation, type_: str, name: str) -> tuple[int, int]:
    """Positions of a step's start and end in the engine's events."""
    (step,) = operation.of(type_, name)
    assert step.finished is not None
    return step.started, step.finished


def test_it_comes_up_settles_and_goes_without_a_trace(run: Run):
    assert run.up.errors == ()
    assert run.preview_after.changes == ()
    assert run.refresh.changes == ()
    assert run.left == ()


def test_the_controller_starts_last_and_stops_first_but_for_the_pools(run: Run):
    came, pool_came = (begun_and_ended(run.up, *step) for step in (CONTROLLER, POOL))
    went, pool_went = (begun_and_ended(run.destroy, *step) for step in (CONTROLLER, POOL))
    for step in STANDS_ON:
        assert begun_and_ended(run.up, *step)[1] < came[0], step
        assert went[1] < begun_and_ended(run.destroy, *step)[0], step
    assert came[1] < pool_came[0]
    assert pool_went[1] < went[0]


def test_an_end_of_spot_takes_one_right_away_and_restarts_nothing(run: Run):
    assert {(change.op, change.name) for change in run.without_spot.changes} == {
        ("delete", "karpenter-controller-role-spot-role"),
        ("delete", "karpenter-controller-spot-role"),
    }
