"""What a rehearsal is asked to do, and the two plans that follow: as the stack file says, and after the slice edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gpu_slices.plan import Plan, make_plan
from gpu_slices.pool_plan import PoolPlan
from gpu_slices.settings import parse, read_stack_file
from gpu_slices.settings.stack_file import stack_path
from rehearsal.demo.slice_edit import SliceEdit, choose_edit
from rehearsal.project import ROOT, with_value
from rehearsal.rehearse.room import MOST_PODS_AGAIN, default_pods, lift, room

#: Above this many pods the way without overlays, one node per pod, is no longer cheap to show.
MOST_PODS_COMPARED = 100


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The command line: None where the rehearsal may choose."""

    stack: str
    pods: int | None = None
    replicas: int | None = None
    without_overlays: bool | None = None
    keep: bool = False


class NothingToRehearse(Exception):  # noqa: N818 - what a person is told
    """The stack has no pool that a rehearsal could burst onto; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A rehearsal decided: plans before and after the edit, the pool, how many pods, what is lifted in the stack file."""

    before: Plan
    after: Plan
    pool: str
    edit: SliceEdit | None
    pods: int
    pods_again: int
    lifted: Mapping[str, Any]
    compare: bool

    def pool_before(self) -> PoolPlan:
        """The pool as the stack file says it."""
        return pool_of(self.before, self.pool)

    def pool_after(self) -> PoolPlan:
        """The pool after the slice edit."""
        return pool_of(self.after, self.pool)


def decide(wish: Wish, raw: Mapping[str, Any] | None = None) -> Program:
    """Raises SettingsError for a stack file with mistakes, NothingToRehearse for a stack without GPU pools.

    `raw` are settings instead of the stack file's.
    """
    given = read_stack_file(stack_path(ROOT, wish.stack)).raw if raw is None else raw
    plan = _plan(given, wish.stack)
    edit = _edit(plan, given, wish.replicas)
    name = edit.pool if edit else next((pool.name for pool in plan.pools), None)
    if name is None:
        raise NothingToRehearse(f"stack {wish.stack} has no GPU pool: there is nothing to burst onto")
    after = _plan(_edited(given, edit), wish.stack)
    pods = default_pods(pool_of(plan, name), pool_of(after, name)) if wish.pods is None else wish.pods
    if not pods or not room(pool_of(plan, name)):
        raise NothingToRehearse(f"pool {name} holds no pod as its podRequests say it: see `python -m gpu_slices plan`")
    lifted = lift(pool_of(plan, name), pool_of(after, name), pods)
    for path, value in lifted.items():
        given = with_value(given, path.split("."), value)
    before, after = _plan(given, wish.stack), _plan(_edited(given, edit), wish.stack)
    overlaid = any(one.overlay for one in pool_of(before, name).node_pools)
    cheap = pods <= MOST_PODS_COMPARED if wish.without_overlays is None else wish.without_overlays
    return Program(
        before=before,
        after=after,
        pool=name,
        edit=edit,
        pods=pods,
        pods_again=min(pods, MOST_PODS_AGAIN),
        lifted=lifted,
        compare=overlaid and cheap,
    )


def pool_of(plan: Plan, name: str) -> PoolPlan:
    """The pool of a name."""
    return next(pool for pool in plan.pools if pool.name == name)


def _edit(plan: Plan, raw: Mapping[str, Any], replicas: int | None) -> SliceEdit | None:
    edit = choose_edit(plan, raw)
    return replace(edit, after=replicas) if edit and replicas is not None else edit


def _edited(raw: Mapping[str, Any], edit: SliceEdit | None) -> Mapping[str, Any]:
    return with_value(raw, edit.path.split("."), edit.after) if edit else raw


def _plan(raw: Mapping[str, Any], stack: str) -> Plan:
    return make_plan(parse(raw, stack=stack), stack=stack)
