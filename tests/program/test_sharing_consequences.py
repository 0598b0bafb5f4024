"""What an edit of MPS or MIG pools does, told by the table and declared by the program."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_slices.plan import Plan
from gpu_slices.review.consequences import consequence
from gpu_slices.review.edits import key_edits
from gpu_slices.review.effects import Effect, worst
from gpu_slices.review.sides import Edits
from rehearsal.project import project_program
from rehearsal.recorder import record
from tests.support.stacks import plan_of

MPS: dict[str, Any] = {
    "gpuNodeGroups": {
        "shared": {"instanceType": "g6.xlarge", "replicas": 4},
        "isolated": {"instanceType": "g6.xlarge", "replicas": 4, "sharing": {"strategy": "mps"}},
    }
}
LAYOUT = {"strategy": "mig", "mig": {"profiles": {"1g.5gb": 7}}}
MIG: dict[str, Any] = {
    "gpuStack": "gpu-operator",
    "gpuNodeGroups": {"fixed": {"instanceType": "p4d.24xlarge", "replicas": 2, "sharing": LAYOUT}},
    "gpuNodePools": {"launched": {"instanceTypes": ["p4d.24xlarge"], "maxGpus": 8, "replicas": 2, "sharing": LAYOUT}},
}
#: Edit → its effect, and the resources that the program declares otherwise for it, by what comes after the platform's name.
CASES: dict[str, tuple[dict[str, Any], Effect, set[str]]] = {
    "gpuNodeGroups.isolated.replicas=8": (MPS, "disrupt", {"device-plugin-nvidia-device-plugin-mps"}),
    "gpuNodeGroups.shared.replicas=8": (MPS, "restart", {"device-plugin-release"}),
    "gpuNodeGroups.isolated.sharing.mps.runAsUser=2000": (MPS, "nothing", {"admission-policy-gpu-slices-gpu-mps-user"}),
    "gpuNodeGroups.fixed.replicas=3": (MIG, "restart", {"gpu-operator-release"}),
    "gpuNodeGroups.fixed.sharing.mig.profiles[1g.5gb]=6": (MIG, "disrupt", {"gpu-operator-release", "fixed-nodes"}),
    "gpuNodePools.launched.sharing.mig.profiles[1g.5gb]=6": (
        MIG,
        "disrupt",
        {"gpu-operator-release", "launched-nodepool-launched", "launched-nodeoverlay-launched"},
    ),
    "gpuNodePools.launched.replicas=3": (
        MIG,
        "restart",
        {"gpu-operator-release", "launched-nodepool-launched", "launched-nodeoverlay-launched"},
    ),
}


def edited(case: str, raw: dict[str, Any]) -> dict[str, Any]:
    return Edits(sets=[case.replace("[1g.5gb]", '["1g.5gb"]')]).applied(raw)


def told(old: Plan, new: Plan) -> Effect:
    return worst([consequence(edit, old, new).effect for edit in key_edits(old.settings, new.settings)])


def declared(raw: dict[str, Any]) -> dict[str, Any]:
    config = {f"gpu-slices:{key}": value for key, value in raw.items()} | {"aws:region": "us-west-2"}
    return {one.name: one.inputs for one in record(project_program(), stack="test", config=config).by_urn.values()}


@pytest.mark.full
@pytest.mark.parametrize("case", CASES)
def test_an_edit_is_graded_and_touches_what_it_must_and_nothing_else(case: str):
    raw, effect, touched = CASES[case]
    new = edited(case, raw)
    assert told(plan_of(raw), plan_of(new)) == effect
    before, after = declared(raw), declared(new)
    changed = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    assert {name.removeprefix("platform-") for name in changed} == touched
    # Maps of configs and layouts are named after their content.
    gone = {name.removeprefix("platform-gpu-operator-").rpartition("-")[0] for name in before.keys() - after.keys()}
    assert gone <= {"time-slicing", "mig"}


def test_replicas_of_mig_instances_are_on_no_node():
    def labels(replicas: int) -> list[Any]:
        new = declared(edited(f"gpuNodePools.launched.replicas={replicas}", MIG))
        return [new["platform-launched-nodepool-launched"]["spec"]["template"], new["platform-fixed-nodes"]]

    assert labels(2) == labels(3)
