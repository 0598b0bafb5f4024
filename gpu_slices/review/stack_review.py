"""One stack before and after: everything that a report says of it, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..cost.stack_cost import StackCost, stack_cost
from ..plan import Plan
from ..settings import Mistake
from ..stack_warning import StackWarning
from .consequences import consequence
from .edits import KeyEdit, key_edits
from .effects import Consequence, Effect, worst
from .live import PoolUse
from .pool_pairs import PoolPair, pool_pairs
from .risks import Facts, Risk, risks
from .tenants import TenantPair, tenant_pairs


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side of a comparison: a plan, or the mistakes that left none. `where` names it for the reader."""

    where: str
    plan: Plan | None = None
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StackReview:
    """What an edit of one stack means. Without an old plan the stack is new, without a new one it goes."""

    stack: str
    old: Side
    new: Side
    edits: tuple[tuple[KeyEdit, Consequence], ...] = ()
    pools: tuple[PoolPair, ...] = ()
    tenants: tuple[TenantPair, ...] = ()
    risks: tuple[Risk, ...] = ()
    new_warnings: tuple[StackWarning, ...] = ()
    gone_warnings: tuple[StackWarning, ...] = ()
    old_cost: StackCost | None = None
    new_cost: StackCost | None = None
    #: What a reachable cluster commits today; None where none was read.
    use: tuple[PoolUse, ...] | None = None

    @property
    def valid(self) -> bool:
        """Whether both sides are without mistakes."""
        return not self.old.mistakes and not self.new.mistakes

    @property
    def effect(self) -> Effect:
        """The gravest effect of all edits."""
        return worst([then.effect for _, then in self.edits])

    @property
    def stopped(self) -> bool:
        """Whether something here must not be applied."""
        return any(risk.level == "stop" for risk in self.risks)

    @property
    def changed_pools(self) -> tuple[PoolPair, ...]:
        """Pools that are not as they were."""
        return tuple(pair for pair in self.pools if pair.change != "same")

    def cost_growth(self) -> float | None:
        """By how many percent the stack becomes dearer, as configured or at its limits, whichever is more.

        None where a side is missing or holds something without a price.
        """
        if self.old_cost is None or self.new_cost is None or self.old_cost.unknown or self.new_cost.unknown:
            return None
        pairs = (
            (self.old_cost.configured, self.new_cost.configured),
            (self.old_cost.limit, self.new_cost.limit),
        )
        return max((new / old - 1) * 100 for old, new in pairs)


def review(stack: str, old: Side, new: Side, use: Sequence[PoolUse] | None = None) -> StackReview:
    """The review of one stack. A side with mistakes leaves only them and what the other side says."""
    before, after = old.plan, new.plan
    if old.mistakes or new.mistakes:
        return StackReview(stack=stack, old=old, new=new)
    pools = pool_pairs(before, after)
    edits = _edits(before, after)
    warned, warns = (set(plan.warnings) if plan else set[StackWarning]() for plan in (before, after))
    return StackReview(
        stack=stack,
        old=old,
        new=new,
        edits=edits,
        pools=pools,
        tenants=tenant_pairs(before, after),
        risks=_risks(before, after, pools, edits, use),
        new_warnings=tuple(sorted(warns - warned)),
        gone_warnings=tuple(sorted(warned - warns)),
        old_cost=stack_cost(before) if before else None,
        new_cost=stack_cost(after) if after else None,
        use=None if use is None else tuple(use),
    )


def _edits(before: Plan | None, after: Plan | None) -> tuple[tuple[KeyEdit, Consequence], ...]:
    if before is None or after is None:
        return ()
    return tuple((edit, consequence(edit, before, after)) for edit in key_edits(before.settings, after.settings))


def _risks(
    before: Plan | None,
    after: Plan | None,
    pools: Sequence[PoolPair],
    edits: Sequence[tuple[KeyEdit, Consequence]],
    use: Sequence[PoolUse] | None,
) -> tuple[Risk, ...]:
    if before is None or after is None:
        return ()
    known: Mapping[str, PoolUse] | None = None if use is None else {one.pool: one for one in use}
    return risks(Facts(old=before, new=after, pools=pools, edits=edits, use=known))
