"""The sentences and cells that every form of a review shares: terminal, Markdown, picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ..cost.stack_cost import StackCost
from ..pool_plan import NodeShape
from ..review.edits import KeyEdit
from ..review.effects import Effect
from ..review.live import PoolUse
from ..review.pool_pairs import PoolPair, ShapePair
from ..review.risks import Risk
from ..review.stack_review import StackReview
from ..review.tenants import QuotaSide, TenantPair
from .words import UNKNOWN, arrow, counted, gib, span, usd, usd_month

_HEADLINES: Final[dict[Effect, str]] = {
    "nothing": "no node is replaced and nothing restarts",
    "restart": "no node is replaced; a controller or add-on restarts",
    "disrupt": "running work is moved or cut off",
    "replace": "node groups, network or cluster are made anew",
    "delete": "something goes, with what runs on it",
}
_LONGEST_VALUE: Final = 60


def title(review: StackReview) -> str:
    """What was edited, in a few words."""
    if not review.valid:
        return "settings with mistakes"
    if review.old.plan is None and review.new.plan is not None:
        return "a new stack"
    if review.new.plan is None and review.old.plan is not None:
        return "the stack file goes"
    if len(review.edits) == 1:
        edit = review.edits[0][0]
        return f"{edit.path} {value(edit.old)} → {value(edit.new)}"
    return counted(len(review.edits), "edited key") if review.edits else "no setting changes"


def headline(review: StackReview) -> str:
    """What happens to what runs."""
    if review.old.plan is None:
        return "everything is made; there is nothing to compare with"
    if review.new.plan is None:
        return "nothing happens until somebody destroys the stack: pulumi destroy, then pulumi stack rm"
    if review.effect == "restart" and any(pair.sliced_otherwise for pair in review.pools):
        return "no node is replaced; the device plugin restarts"
    return _HEADLINES[review.effect]


def tally(review: StackReview) -> str:
    """`2 risks, 1 note`; a stop is said first."""
    counts = {level: sum(risk.level == level for risk in review.risks) for level in ("stop", "risk", "note")}
    words = [counted(count, level) for level, count in counts.items() if count]
    return ", ".join(words) if words else "no risk seen"


def grouped(risks: Iterable[Risk]) -> list[tuple[str, tuple[str, ...], str]]:
    """Level, paths and message: what is said of several keys is said once, in the order of the first."""
    paths: dict[tuple[str, str], list[str]] = {}
    for risk in risks:
        paths.setdefault((risk.level, risk.message), []).append(risk.path)
    return [(level, tuple(several), message) for (level, message), several in paths.items()]


def value(of: Any) -> str:
    """A setting's value in a line: cut when long, a dash where there is none."""
    if of is None:
        return "–"
    if isinstance(of, dict) and len(str(of)) > _LONGEST_VALUE:
        return f"{{{', '.join(sorted(map(str, of)))}}}"[:_LONGEST_VALUE]
    text = of if isinstance(of, str) else str(of).lower() if isinstance(of, bool) else str(of)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def edit_words(edit: KeyEdit) -> str:
    """`10 → 4`, `added`, `removed`."""
    if isinstance(edit.new, dict) and edit.old is None:
        return "added"
    if isinstance(edit.old, dict) and edit.new is None:
        return "removed"
    return f"{value(edit.old)} → {value(edit.new)}"


def pool_cells(pair: PoolPair, shape: ShapePair) -> tuple[str, ...]:
    """Replicas, slices per node, memory, vCPU and price per slice of one instance type; of one side, its values."""
    return (
        arrow(pair.old and str(pair.old.replicas), pair.new and str(pair.new.replicas)),
        arrow(shape.old and _advertised(shape.old), shape.new and _advertised(shape.new)),
        _memory(shape),
        arrow(shape.old and _vcpu(shape.old), shape.new and _vcpu(shape.new)),
        arrow(shape.old and _usd(shape.old), shape.new and _usd(shape.new)),
    )


POOL_HEADINGS: Final = ("replicas", "slices per node", "GPU memory per slice", "vCPU per slice", "$ per slice-hour")


def head_words(pair: PoolPair) -> str:
    """`g6e.2xlarge, 1 L40S`, with how many types the pool has beside it."""
    head, more = pair.head, len(pair.there.shapes) - 1
    there = head.new or head.old
    gpus = f", {there.instance.gpu_count} {there.instance.gpu.label}" if there else ""
    return f"{head.name}{gpus}" + (f", and {counted(more, 'more type')}" if more > 0 else "")


def _advertised(shape: NodeShape) -> str:
    """`10`; of several resources `6 mig-1g.5gb, 2 mig-3g.20gb`."""
    count = sum(shape.advertised.values())
    several = ", ".join(f"{one.count} {one.resource.partition('/')[2]}" for one in shape.slices)
    words = several if len(shape.slices) > 1 else str(count)
    return words if shape.bounds.usable == count else f"{words} ({shape.bounds.usable} usable)"


def _usd(shape: NodeShape) -> str:
    return span([usd(one.usd_per_hour) for one in shape.slices])


def _memory(shape: ShapePair) -> str:
    """`4.5 → 11.2 GiB (of 44.7)`."""
    sides = [
        span([gib(one.gpu_memory_mib).removesuffix(" GiB") for one in side.slices]) if side else None
        for side in (shape.old, shape.new)
    ]
    there = shape.new or shape.old
    whole = gib(there.instance.gpu_memory_mib).removesuffix(" GiB") if there else UNKNOWN
    return f"{arrow(sides[0], sides[1])} GiB (of {whole})"


def _vcpu(shape: NodeShape) -> str:
    return f"{shape.instance.vcpu / sum(shape.advertised.values()):.1f}"


def money(old: StackCost | None, new: StackCost | None) -> str:
    """USD a month, as configured and at the limits."""
    configured = arrow(old and usd_month(old.configured), new and usd_month(new.configured))
    limit = arrow(old and usd_month(old.limit), new and usd_month(new.limit))
    unknown = sorted({what for side in (old, new) if side for what in side.unknown})
    without = f", without {', '.join(unknown)}" if unknown else ""
    return f"{configured} a month as configured, {limit} at the limits{without}"


def prices(review: StackReview) -> str:
    """Where the prices are from."""
    cost = review.new_cost or review.old_cost
    return f"on-demand prices of {cost.price_region}" if cost else ""


def tenant_words(pair: TenantPair) -> str:
    """The meaning of a tenant's quota, in one sentence."""
    old, new = pair.old, pair.new
    if new is None:
        return f"loses its quota of {old.quota if old else 0} {pair.resource}"
    words = f"quota {arrow(old and str(old.quota), str(new.quota))} {pair.resource}"
    slices = arrow(old and str(old.slices), str(new.slices))
    words += f"; {slices} advertised at the limit"
    if new.pending:
        words += f": {new.pending} of the {new.quota} can never run at once"
    worth = _worth(old, new)
    return f"{words}; {worth}" if worth else words


def _worth(old: QuotaSide | None, new: QuotaSide) -> str:
    if new.gpus is None:
        return ""
    before = _gpus(old.gpus) if old and old.gpus is not None else None
    memory = "" if new.mib is None else f" ({gib(new.mib)} of GPU memory)"
    return f"the quota is worth {arrow(before, _gpus(new.gpus))} GPUs{memory}"


def _gpus(count: float) -> str:
    """1.0, 2.5, 0.25."""
    return f"{count:.1f}" if round(count, 1) == round(count, 2) else f"{count:.2f}"


def use_words(use: PoolUse) -> str:
    """What a pool holds in the cluster today."""
    if not use.held:
        return f"{counted(use.nodes, 'node')}, no slice held"
    tenants = ", ".join(f"{tenant} {count}" for tenant, count in use.by_tenant.items())
    above = f"{use.above} above the new count" if use.above else "none above the new count"
    return f"{counted(use.nodes, 'node')}, {counted(use.held, 'slice')} held ({tenants}), {above}"
