"""The rehearsal itself: preview, up, burst, slice edit, burst again, quota, destroy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from engine.binary import provide, version
from engine.operation import Operation
from gpu_slices.naming import GPU_RESOURCE
from gpu_slices.pool_plan import PoolPlan
from rehearsal.cluster import crds
from rehearsal.cluster.control_plane import ControlPlane
from rehearsal.cluster.facts import Facts
from rehearsal.cluster.programs import TOOLS_TABLE
from rehearsal.demo.promises import Promise, in_order, nothing_left, same_as_previewed, slice_edit_promises
from rehearsal.demo.slice_edit import SliceEdit
from rehearsal.demo.story import Step
from rehearsal.demo.words import Description, describe
from rehearsal.rehearse import promises
from rehearsal.rehearse.burst import NOTHING_SECONDS, SETTLE_SECONDS, Burst, Sender, wait
from rehearsal.rehearse.contents import contents
from rehearsal.rehearse.existing_nodes import join_existing_nodes
from rehearsal.rehearse.instance_facts import instance_facts
from rehearsal.rehearse.memory import MemoryMeter
from rehearsal.rehearse.overlays import not_ready, remove_overlays
from rehearsal.rehearse.quota import QuotaCheck, check_quota, tenant_of
from rehearsal.rehearse.result import Act, PoolBurst, Result, SliceEditEffect
from rehearsal.rehearse.room import free, nodes_needed, usable
from rehearsal.rehearse.settings import Program, Wish, decide
from rehearsal.rehearse.slice_effect import Before, effect
from rehearsal.rehearse.telling import RehearsalTeller
from rehearsal.rehearse.watching import Pool
from rehearsal.stage import Stage, stage

T = TypeVar("T")
#: Groups whose definitions a new cluster does not have: the charts bring them.
CHART_GROUPS = ("karpenter.sh", "karpenter.k8s.aws")
_LEFT_SECONDS = 30.0


@dataclass
class _Notes:
    """What is written down while the rehearsal runs."""

    acts: list[Act] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    first: PoolBurst | None = None
    again: PoolBurst | None = None
    without: PoolBurst | None = None
    diff: Description | None = None
    effect: SliceEditEffect | None = None
    quota: QuotaCheck | None = None
    left: tuple[str, ...] = ()


class Rehearsal:
    """One stack's rehearsal. Raises SettingsError and NothingToRehearse before anything runs."""

    def __init__(self, wish: Wish, teller: RehearsalTeller, hold: Callable[[], None] = lambda: None) -> None:
        """`hold` waits for the person where everything is to be kept up."""
        self.program: Program = decide(wish)
        self._wish, self._teller, self._hold = wish, teller, hold
        self._notes = _Notes()
        self._memory = MemoryMeter()

    def run(self) -> Result:
        """The whole rehearsal. Raises EngineError, ClusterError, NoEngine."""
        versions = _versions(provide())
        self._teller.opening_rehearsal(self._wish.stack, versions)
        self._teller.plan(self.program.before)
        self._teller.lifted(self.program.lifted)
        facts = instance_facts(self.program.before)
        with self._set_up("", facts) as (plane, ready):
            self._acts(plane, ready)
        if self.program.compare:
            self._without_overlays(facts)
        return self._result(versions)

    @contextmanager
    def _set_up(self, prefix: str, facts: Facts) -> Iterator[tuple[ControlPlane, Stage]]:
        """A control plane as bare as a new cluster, and the stage before it."""
        start = partial(ControlPlane.start, facts=facts)
        with (
            self._act(f"{prefix}control plane", start, lambda _: "the API server answers") as plane,
            stage(self._wish.stack, control_plane=plane.folder) as ready,
        ):
            for path, value in self.program.lifted.items():
                ready.edit(path, value)
            remove_chart_crds(plane)
            join_existing_nodes(plane.control, self.program.before)
            yield plane, ready

    def _acts(self, plane: ControlPlane, ready: Stage) -> None:
        program, notes = self.program, self._notes
        bare = contents(plane.api)
        self._engine("preview", ready.preview)
        self._engine("up", ready.up)
        karpenter = program.pool_before().launched is not None
        if karpenter:
            notes.promises.append(promises.overlays_ready(not_ready(plane.api)))
        pool = Pool(plane.api, program.pool, launched=karpenter)
        sender = Sender(plane.api, pool)
        sender.prepare()
        notes.first = self._play("burst", sender, pool, program.pool_before(), program.pods)
        if program.edit:
            self._slice_edit(ready, pool, program.edit)
            self._burst_again(plane, sender, pool)
        self._quota(plane)
        if self._wish.keep:
            self._teller.ready_to_look(str(plane.kubeconfig))
            self._hold()
        self._engine("destroy", ready.destroy)
        sender.end()
        self._look_for_left(plane, ready, bare)

    def _play(self, words: str, sender: Sender, live: Pool, plan: PoolPlan, pods: int) -> PoolBurst:
        """One burst, and what the plan says about it: pods that hold slices already count as well."""
        held = live.held(plan.resource)

        def expected() -> int:
            return pods if plan.launched else min(pods, free(plan, live.held(plan.resource)))

        burst = self._burst(words, lambda: sender.burst(plan, pods, expected))
        found = _pool_burst(words, plan, pods + sum(held.values()), burst)
        self._notes.promises.append(promises.all_run(found, expected()))
        if plan.launched:
            self._notes.promises.append(promises.as_many_nodes(found, len(held)))
        return found

    def _without_overlays(self, facts: Facts) -> None:
        """The same burst on a cluster of its own that loses its overlays; the cluster is thrown away."""
        program = self.program
        pool = program.pool_before()
        renamed = pool.resource != GPU_RESOURCE
        expected, settle = (0, NOTHING_SECONDS) if renamed else (program.pods, SETTLE_SECONDS)
        with self._set_up("without overlays: ", facts) as (plane, ready):
            self._engine("without overlays: up", ready.up)
            not_ready(plane.api)
            remove_overlays(plane.api, [one.name for one in pool.node_pools])
            sender = Sender(plane.api, Pool(plane.api, program.pool, launched=True))
            sender.prepare()
            burst = self._burst(
                "without overlays: burst", lambda: sender.burst(pool, program.pods, lambda: expected, settle)
            )
        self._notes.without = _pool_burst("burst without overlays", pool, program.pods, burst)
        self._notes.promises.append(promises.wrong_without(self._notes.without, renamed=renamed))

    def _slice_edit(self, ready: Stage, pool: Pool, edit: SliceEdit) -> None:
        program, notes = self.program, self._notes
        self._teller.edit(edit)
        ready.edit(edit.path, edit.after)
        preview = self._engine("preview of the edit", ready.preview)
        notes.diff = describe(preview, {*program.before.plugin_configs, *program.after.plugin_configs})
        self._teller.diff(notes.diff, program.before, program.after)
        before = Before.of(pool)
        up = self._engine("up with the edit", ready.up)
        after = program.pool_after()
        notes.effect = self._act("nodes re-advertise", lambda: effect(pool, after, before), _effect_words)
        notes.promises += [*slice_edit_promises(preview), same_as_previewed(preview, up), in_order(up)]
        notes.promises += promises.edit_promises(notes.effect)

    def _burst_again(self, plane: ControlPlane, sender: Sender, pool: Pool) -> None:
        program, notes = self.program, self._notes
        after, pods = program.pool_after(), program.pods_again
        self._act("clear", sender.clear, lambda _: "no pods; the nodes stay")
        if after.launched:
            notes.promises.append(promises.overlays_ready(not_ready(plane.api)))
        notes.again = self._play("burst after the edit", sender, pool, after, pods)

    def _quota(self, plane: ControlPlane) -> None:
        tenant = tenant_of(self.program.after, self.program.pool_after())
        if tenant is None:
            return
        words = f"quota of {tenant.name}"
        found = self._act(words, lambda: check_quota(plane.api, tenant, self.program.pool_after()), _quota_words)
        self._notes.quota = found
        self._notes.promises.append(promises.quota_promise(found))

    def _look_for_left(self, plane: ControlPlane, ready: Stage, bare: frozenset[str]) -> None:
        wait(lambda: not contents(plane.api) - bare, _LEFT_SECONDS)
        in_cluster = tuple(sorted(contents(plane.api) - bare))
        outside = ready.left()
        self._notes.left = (*outside, *in_cluster)
        self._notes.promises += [nothing_left(outside, ()), promises.nothing_in_cluster(in_cluster)]

    def _engine(self, name: str, run: Callable[[], Operation]) -> Operation:
        return self._act(name, run, lambda operation: _counts(Step.of(name, operation).counts))

    def _burst(self, name: str, run: Callable[[], Burst]) -> Burst:
        return self._act(name, run, _burst_words)

    def _act(self, name: str, run: Callable[[], T], did: Callable[[T], str]) -> T:
        self._memory.take_peak()
        started = time.monotonic()
        with self._teller.step(name):
            value = run()
        act = Act(name=name, seconds=time.monotonic() - started, peak_mib=self._memory.take_peak(), did=did(value))
        self._notes.acts.append(act)
        self._teller.act(act)
        return value

    def _result(self, versions: Mapping[str, str]) -> Result:
        program, notes = self.program, self._notes
        if notes.first is None:
            raise RuntimeError("a rehearsal without a burst has no result")
        return Result(
            stack=self._wish.stack,
            versions=versions,
            pool=program.pool,
            launched_by_karpenter=program.pool_before().launched is not None,
            lifted=program.lifted,
            acts=tuple(notes.acts),
            first=notes.first,
            again=notes.again,
            without=notes.without,
            edit=program.edit,
            diff=notes.diff,
            effect=notes.effect,
            quota=notes.quota,
            promises=tuple(notes.promises),
            left=notes.left,
        )


def _pool_burst(words: str, pool: PoolPlan, pods: int, burst: Burst) -> PoolBurst:
    return PoolBurst(
        words=words, replicas=pool.replicas, usable=usable(pool), needed=nodes_needed(pool, pods), burst=burst
    )


def remove_chart_crds(plane: ControlPlane) -> None:
    """A new EKS cluster knows nothing of Karpenter: who forgets the chart that brings its CRDs shall find out here."""
    for definition in plane.api.get(crds.PATH)["items"]:
        if definition["spec"]["group"] in CHART_GROUPS:
            plane.api.delete(f"{crds.PATH}/{definition['metadata']['name']}")


def _versions(binary: Path) -> dict[str, str]:
    pins = {tool.name: tool.version for tool in TOOLS_TABLE if tool.name in ("kubernetes", "karpenter")}
    return {"pulumi": version(binary) or "", **dict(sorted(pins.items()))}


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {op}" for op, count in sorted(counts.items())) or "nothing to do"


def _burst_words(burst: Burst) -> str:
    launched = f", {burst.launched} nodes launched" if burst.launched else f" on {burst.nodes} nodes"
    return f"{burst.running} of {burst.asked} pods run{launched}"


def _effect_words(found: SliceEditEffect) -> str:
    above = found.pods_above_new_count
    words = f"{found.nodes} nodes, {found.nodes_replaced} replaced; {found.pods_evicted} pods evicted"
    return f"{words}; {above} run above the new count until they restart" if above else words


def _quota_words(found: QuotaCheck) -> str:
    return f"{found.let_through} slices let through, then: {found.refusal or 'no refusal'}"
