"""In which order the engine does things on stacks with Karpenter: read from its own events."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine import Operation
from tests.support.lifecycle import EVERYDAY, Life, life
from tests.support.stacks import STACKS, by_stack, plan_of_stack

pytestmark = pytest.mark.engine

KARPENTER_STACKS = by_stack(EVERYDAY, [stack for stack in STACKS if plan_of_stack(stack).karpenter])
CRDS, CONTROLLER = "platform-karpenter-crds", "platform-karpenter-release"

#: Parts of the names of what Karpenter needs to drain and end its nodes (trap: leaves of the graph, deleted early).
NEEDED_BY_A_DRAIN = (
    "karpenter-controller-role-",
    "karpenter-controller-association",
    "karpenter-node-access",
    "karpenter-node-worker",
    "interruptions-queue",
    "network-nat-1",
    "network-private-1-out",
    "network-private-1-subnet-1",
    "services-coredns",
    "basics-vpc-cni",
    "system-nodes",
)


@dataclass(frozen=True, kw_only=True)
class Run:
    up: Operation
    edit: Operation
    destroy: Operation
    plugin: str
    pool: str


@pytest.fixture(scope="module", params=KARPENTER_STACKS)
def lived(request: pytest.FixtureRequest) -> Life:
    return life(request.param)


@pytest.fixture(scope="module")
def run(lived: Life) -> Run:
    (pool,) = [pool for pool in lived.plan.pools if pool.name == lived.edit.pool]
    assert pool.launched
    plugin = f"platform-{lived.plan.settings.gpu_stack}-release"
    return Run(up=lived.up, edit=lived.edit_up, destroy=lived.destroy, plugin=plugin, pool=pool.name)


def order(operation: Operation, *names: str) -> list[int]:
    finished = [change.name for change in operation.changes]
    return [finished.index(name) for name in names]


def of_pool(run: Run) -> list[str]:
    return [f"platform-{run.pool}-{kind}-{run.pool}" for kind in ("ec2nodeclass", "nodeoverlay", "nodepool")]


def test_at_create_no_pool_can_launch_before_controller_plugin_and_overlay_are_there(run: Run):
    steps = order(run.up, CRDS, CONTROLLER, run.plugin, *of_pool(run))
    assert steps == sorted(steps)


def test_a_slice_edit_reaches_the_plugin_then_the_overlay_then_the_limit(run: Run):
    _, overlay, node_pool = of_pool(run)
    steps = order(run.edit, run.plugin, overlay, node_pool)
    assert steps == sorted(steps)


def test_a_slice_edit_touches_nothing_under_template_and_no_node_class(run: Run):
    changed = {change.name: change for change in run.edit.changes}
    node_class, overlay, node_pool = of_pool(run)
    assert node_class not in changed
    assert {diff.path.partition("[")[0] for diff in changed[overlay].diffs} == {"spec.capacity"}
    assert {diff.path.partition("[")[0] for diff in changed[node_pool].diffs} == {"spec.limits"}
    assert {change.op for change in changed.values()} <= {"create", "update", "delete"}
    assert {change.type for change in changed.values() if change.op == "delete"} <= {"kubernetes:core/v1:ConfigMap"}


def test_destroy_drains_pools_while_everything_that_a_drain_needs_is_still_there(run: Run):
    node_class, overlay, node_pool = of_pool(run)
    steps = order(run.destroy, node_pool, overlay, node_class, run.plugin, CONTROLLER, CRDS)
    assert steps == sorted(steps)
    gone = [change.name for change in run.destroy.changes]
    for needed in NEEDED_BY_A_DRAIN:
        places = [index for index, name in enumerate(gone) if needed in name]
        assert places, needed
        assert min(places) > gone.index(CONTROLLER), f"{gone[min(places)]} went before the controller"
