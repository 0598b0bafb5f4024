"""One whole life of a stack file on the real engine, played once and looked at by many tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from engine import Operation
from gpu_slices.plan import Plan
from gpu_slices.settings import read_stack_file
from rehearsal.demo.slice_edit import SliceEdit, choose_edit
from rehearsal.stage import Stage, stage
from tests.support.deployments import in_clear_text, secrets_of
from tests.support.stacks import STACKS, by_stack, plan_of_stack

#: What a stack gets and loses again: one node group, and one NodePool where Karpenter runs.
EXTRA_GROUP = {"instanceType": "g5.2xlarge", "replicas": 3, "desired": 1}
EXTRA_POOL = {"families": ["g5"], "gpusPerNode": [1], "sizes": ["xlarge"], "maxGpus": 2, "replicas": 3}
#: Under the operator and under the stand-alone plugin.
EVERYDAY: Final = ("dev", "p3")
LIVES: Final = by_stack(EVERYDAY)


@dataclass(frozen=True, kw_only=True)
class Life:
    """The operations in the order in which they were run; `outputs` are those after the slice edit."""

    plan: Plan
    edit: SliceEdit
    preview: Operation
    up: Operation
    settled: Operation
    #: Secrets of the state after the first up: how many, and those that its file has in clear.
    secrets: int
    secrets_in_clear: tuple[str, ...]
    edit_preview: Operation
    edit_up: Operation
    outputs: Mapping[str, Any]
    destroy: Operation
    left: tuple[str, ...]
    #: The state's resources after the slice edit, as they lie on the backend's disk.
    stored: tuple[Mapping[str, Any], ...]
    pool_added: Operation | None
    pool_removed: Operation | None
    #: Values of the GPU chart's release after the pools were removed.
    values: Mapping[str, Any] = field(default_factory=dict)


def where_pools_come_and_go() -> tuple[str, ...]:
    """Two stack files that differ in what an added or removed pool means: operator without Karpenter, plugin with it."""
    chosen: dict[tuple[str, bool], str] = {}
    for stack in STACKS:
        plan = plan_of_stack(stack)
        chosen.setdefault((plan.settings.gpu_stack, plan.karpenter), stack)
    return chosen["gpu-operator", False], chosen["device-plugin", True]


def life(stack: str) -> Life:
    """The life of a stack file. Raises what made it fail, every time alike."""
    found = _lived(stack)
    if isinstance(found, Exception):
        raise found
    return found


@cache
def _lived(stack: str) -> Life | Exception:
    try:
        with stage(stack) as played:
            return _live(stack, played)
    except Exception as problem:
        return problem


def _live(stack: str, played: Stage) -> Life:
    plan = plan_of_stack(stack)
    edit = choose_edit(plan, read_stack_file(played.folder / f"Pulumi.{stack}.yaml").raw)
    assert edit is not None, "every stack file that ships shares a GPU"
    preview, up, settled = played.preview(), played.up(), played.preview()
    secrets = secrets_of(played.export())
    in_clear = in_clear_text(secrets, played.folder.parent / "state")
    played.edit(edit.path, edit.after)
    edit_preview, edit_up = played.preview(), played.up()
    outputs, stored = played.outputs(), played.stored()
    added, removed = _extra_pools(plan, played) if stack in where_pools_come_and_go() else (None, None)
    values = _gpu_values(plan, played)
    return Life(
        plan=plan,
        edit=edit,
        preview=preview,
        up=up,
        settled=settled,
        secrets=len(secrets),
        secrets_in_clear=in_clear,
        edit_preview=edit_preview,
        edit_up=edit_up,
        outputs=outputs,
        stored=stored,
        pool_added=added,
        pool_removed=removed,
        values=values,
        destroy=played.destroy(),
        left=played.left(),
    )


def _extra_pools(plan: Plan, played: Stage) -> tuple[Operation, Operation]:
    """Adds pools, then removes them as the documentation says: under the operator their configs stay for an update."""
    pools = {"gpuNodeGroups.extra": EXTRA_GROUP} | ({"gpuNodePools.spare": EXTRA_POOL} if plan.karpenter else {})
    for path, pool in pools.items():
        played.edit(path, pool)
    added = played.up()
    for path, pool in pools.items():
        played.edit(path, None)
        if plan.settings.gpu_stack == "gpu-operator":
            played.edit(f"retiredPools.{path.partition('.')[2]}", {"replicas": pool["replicas"]})
    return added, played.up()


def _gpu_values(plan: Plan, played: Stage) -> Mapping[str, Any]:
    name = f"platform-{plan.settings.gpu_stack}-release"
    (release,) = [one for one in played.resources() if one["urn"].endswith(f"::{name}")]
    return release["inputs"]["values"]
