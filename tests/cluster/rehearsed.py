"""A stack on a control plane of its own, step by step, for tests that need another order than the rehearsal's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gpu_slices.plan import Plan, make_plan
from gpu_slices.settings import parse, read_stack_file
from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.project import ROOT
from rehearsal.rehearse.burst import Sender
from rehearsal.rehearse.contents import contents
from rehearsal.rehearse.existing_nodes import join_existing_nodes
from rehearsal.rehearse.instance_facts import instance_facts
from rehearsal.rehearse.scenario import remove_chart_crds
from rehearsal.rehearse.settings import pool_of
from rehearsal.rehearse.watching import Pool
from rehearsal.stage import Stage, stage


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """The stage, its control plane, the plan of its settings, and what a bare control plane holds."""

    stage: Stage
    plane: ControlPlane
    plan: Plan
    bare: frozenset[str]

    def bursts(self, pool: str) -> tuple[Pool, Sender]:
        """What is needed to burst onto a pool; once the stack is up."""
        live = Pool(self.plane.api, pool, launched=pool_of(self.plan, pool).launched is not None)
        sender = Sender(self.plane.api, live)
        sender.prepare()
        return live, sender

    def left(self) -> frozenset[str]:
        """What is in the API server beyond a bare one's, in the state and in the account."""
        return (contents(self.plane.api) - self.bare) | frozenset(self.stage.left())


@contextmanager
def rehearsed(name: str, settings: Mapping[str, Any] | None = None) -> Iterator[Rehearsed]:
    """The stack of a stack file, or of other settings (keys as `parse` takes them)."""
    raw = read_stack_file(ROOT / f"Pulumi.{name}.yaml").raw if settings is None else settings
    plan = make_plan(parse(raw, stack=name), stack=name)
    with ControlPlane.start(facts=instance_facts(plan)) as plane:
        remove_chart_crds(plane)
        join_existing_nodes(plane.control, plan)
        config = {key if ":" in key else f"gpu-slices:{key}": value for key, value in raw.items()}
        with stage(name, config=config, control_plane=plane.folder) as played:
            yield Rehearsed(stage=played, plane=plane, plan=plan, bare=contents(plane.api))
