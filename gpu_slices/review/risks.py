"""What a reviewer must not overlook in an edit: one rule per thing, graded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ..plan import Plan
from ..pool_plan import PoolPlan
from ..report.words import counted, gib
from .edits import ABSENT, KeyEdit
from .effects import Consequence
from .live import PoolUse
from .pool_pairs import PoolPair, slices_at_limit

#: stop: must not be applied; risk: somebody must have thought of it; note: worth knowing.
Level = Literal["stop", "risk", "note"]
LEVELS: Final[tuple[Level, ...]] = ("stop", "risk", "note")


@dataclass(frozen=True, kw_only=True)
class Risk:
    """One thing, at the key it is about, with what to do about it."""

    level: Level
    path: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the rules look at. `use` is None where no cluster was read."""

    old: Plan
    new: Plan
    pools: Sequence[PoolPair]
    edits: Sequence[tuple[KeyEdit, Consequence]]
    use: Mapping[str, PoolUse] | None


#: Whole GPUs are time-slicing with one slice: between the two a slice edit is enough.
_ONE_WAY_OF_SHARING: Final = frozenset({"exclusive", "time-slicing"})

Rule = Callable[[Facts], Iterator[Risk]]


def risks(facts: Facts) -> tuple[Risk, ...]:
    """All risks: the gravest first, then by key."""
    found = {risk for rule in _RULES for risk in rule(facts)}
    return tuple(sorted(found, key=lambda risk: (LEVELS.index(risk.level), risk.path, risk.message)))


def _both(facts: Facts) -> Iterator[tuple[PoolPlan, PoolPlan]]:
    for pair in facts.pools:
        if pair.old is not None and pair.new is not None:
            yield pair.old, pair.new


def _changes_identity(facts: Facts) -> Iterator[Risk]:
    for old, new in _both(facts):
        before, after = (_resources(pool) for pool in (old, new))
        if _only_another_layout(old, new):
            continue
        if before != after:
            changed = f"{' and '.join(before)} becomes {' and '.join(after)}"
        elif old.strategy != new.strategy and not {old.strategy, new.strategy} <= _ONE_WAY_OF_SHARING:
            changed = f"{old.strategy} becomes {new.strategy}"
        else:
            continue
        yield Risk(
            level="stop",
            path=new.path,
            message=f"{changed} on nodes whose pods keep the card: it is given out twice. Make a pool of another name, "
            "move the pods, then remove this one",
        )


def _only_another_layout(old: PoolPlan, new: PoolPlan) -> bool:
    """Whether nodes are partitioned otherwise and nothing else: no card is given out twice, its instances go first."""
    named = [(pool.strategy, pool.sharing.mig and pool.sharing.mig.strategy, pool.renamed) for pool in (old, new)]
    return named[0] == named[1] and old.mig_layout != new.mig_layout


def _another_layout(facts: Facts) -> Iterator[Risk]:
    for old, new in _both(facts):
        gone = [name for name in _resources(old) if name not in _resources(new)]
        if gone and _only_another_layout(old, new):
            yield Risk(
                level="risk",
                path=new.path,
                message=f"{' and '.join(gone)} is no more: pods that ask for it stay pending",
            )


def _resources(pool: PoolPlan) -> list[str]:
    return sorted({resource for shape in pool.shapes for resource in shape.advertised})


def _kind_moved(facts: Facts) -> Iterator[Risk]:
    for old, new in _both(facts):
        if old.kind != new.kind:
            yield Risk(
                level="risk",
                path=new.path,
                message=f"the pool is a {new.kind} now and was a {old.kind}: its nodes go and their pods are evicted",
            )


def _lowered(facts: Facts) -> Iterator[Risk]:
    for old, new in _both(facts):
        if new.replicas >= old.replicas:
            continue
        per_node = min(sum(shape.advertised.values()) for shape in new.shapes)
        stay = (
            "They must be restarted and then need a slice elsewhere"
            if new.strategy == "mps"
            else "They keep running until they restart; then they need a slice elsewhere"
        )
        if facts.use is None:
            yield Risk(
                level="risk",
                path=new.path,
                message=f"a node that holds more than {counted(per_node, 'slice')} today keeps its pods: nobody is evicted. {stay} "
                "(--live counts them)",
            )
        elif (use := facts.use.get(new.name)) and use.above:
            whose = ", ".join(f"{tenant} {count}" for tenant, count in use.on_full_nodes.items())
            yield Risk(
                level="risk",
                path=new.path,
                message=f"{use.above} slices are held above the new count today (on these nodes: {whose}). {stay}",
            )


def _raised(facts: Facts) -> Iterator[Risk]:
    for old, new in _both(facts):
        if new.replicas <= old.replicas:
            continue
        if old.exclusive:
            yield Risk(
                level="risk",
                path=new.path,
                message="pods that hold a whole GPU keep all its memory: those that join them on the card may find none",
            )
        memory = min(shape.gpu_memory_mib_per_slice for shape in new.shapes)
        before = min(shape.gpu_memory_mib_per_slice for shape in old.shapes)
        if not old.exclusive and memory < before:
            yield Risk(
                level="note",
                path=new.path,
                message=f"memory per slice falls from {gib(before)} to {gib(memory)} and {_overrun(new)}",
            )
        if new.launched:
            yield Risk(
                level="note",
                path=new.path,
                message="until the plugin has restarted everywhere, Karpenter counts the old slices and may launch more "
                "nodes; the cpu limit caps them",
            )


def _overrun(pool: PoolPlan) -> str:
    if pool.memory_enforced:
        return "is enforced: what was sized for the old share finds too little"
    return "nothing enforces it: what was sized for the old share runs its neighbours out of memory"


def _quotas(facts: Facts) -> Iterator[Risk]:
    """All tenants of a resource together, where the edit made it worse."""
    before, after = _quota_and_slices(facts.old), _quota_and_slices(facts.new)
    for resource, (quota, slices) in after.items():
        had = before.get(resource, (0, 0))
        if quota > slices and quota - slices > max(0, had[0] - had[1]):
            yield Risk(
                level="risk",
                path="tenants",
                message=f"quotas sum to {quota} {resource}, the pools advertise {slices} at their limits: {quota - slices} "
                "of them can never run at once",
            )


def _quota_and_slices(plan: Plan) -> dict[str, tuple[int, int]]:
    quotas: Counter[str] = Counter()
    for tenant in plan.tenants:
        quotas.update(tenant.quota)
    slices: Counter[str] = Counter()
    for pool in plan.pools:
        if any(pool.name in tenant.pools for tenant in plan.tenants):
            slices.update(slices_at_limit(pool))
    return {resource: (quotas[resource], slices[resource]) for resource in sorted(quotas) if quotas[resource]}


def _removed_pools(facts: Facts) -> Iterator[Risk]:
    for pair in facts.pools:
        if pair.new is not None or pair.old is None:
            continue
        if facts.new.settings.gpu_stack == "gpu-operator" and pair.name not in facts.new.settings.retired_pools:
            own = f"{{replicas: {pair.old.replicas}}}"
            sharing = " with its sharing," if pair.old.settings.sharing.model_fields_set else ""
            yield Risk(
                level="risk",
                path=pair.old.path,
                message="its plugin config goes before its nodes do, and the operator's plugin crash-loops there: write "
                f"retiredPools.{pair.name}: {own}{sharing} for one update",
            )


def _grave_edits(facts: Facts) -> Iterator[Risk]:
    for edit, then in facts.edits:
        if then.effect in ("delete", "replace", "disrupt") and not _identity(edit):
            yield Risk(level="risk", path=edit.path, message=then.words)


def _identity(edit: KeyEdit) -> bool:
    """Whether `_changes_identity` speaks of it."""
    return edit.parts[-1] in ("strategy", "renameResource")


def _retired_early(facts: Facts) -> Iterator[Risk]:
    for edit, _ in facts.edits:
        if edit.parts[0] == "retiredPools" and edit.new is ABSENT and len(edit.parts) == 2:
            yield Risk(
                level="note",
                path=edit.path,
                message=f"fine once no node of the pool is left: kubectl get nodes -l gpu-slices/pool={edit.parts[1]}",
            )


def _operator_is_not_awaited(facts: Facts) -> Iterator[Risk]:
    if facts.new.settings.gpu_stack == "gpu-operator" and any(pair.sliced_otherwise for pair in facts.pools):
        yield Risk(
            level="note",
            path="gpuStack",
            message="the operator takes the new config over after pulumi up has ended: look at the nodes for the "
            "new count",
        )


def _moment_without_slices(facts: Facts) -> Iterator[Risk]:
    if any(pair.sliced_otherwise for pair in facts.pools):
        yield Risk(
            level="note",
            path="replicas",
            message="while a node's plugin restarts it shows no slices: a pod bound to it in that moment fails and its "
            "controller makes another",
        )


_RULES: Final[tuple[Rule, ...]] = (
    _changes_identity,
    _another_layout,
    _kind_moved,
    _lowered,
    _raised,
    _quotas,
    _removed_pools,
    _grave_edits,
    _retired_early,
    _operator_is_not_awaited,
    _moment_without_slices,
)
