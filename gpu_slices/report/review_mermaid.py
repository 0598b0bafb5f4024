"""A picture of what a slice edit reaches, as a mermaid flow chart, which GitHub draws."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..review.pool_pairs import PoolPair, slices_at_limit
from ..review.stack_review import StackReview
from .words import arrow, counted, gib, span

#: More pools than these make a picture that nobody reads.
_MOST_POOLS: Final = 3


def picture(review: StackReview) -> str | None:
    """Mermaid source; None where no pool's slices change."""
    edited = [pair for pair in review.pools if pair.sliced_otherwise]
    if not edited:
        return None
    lines = ["flowchart LR", f"  plugin{_label('device plugin restarts')}"]
    for number, pair in enumerate(edited[:_MOST_POOLS]):
        lines += _pool(number, pair, awaited=_awaited(review))
        lines += _tenants(number, pair, review)
    if len(edited) > _MOST_POOLS:
        lines.append(f"  plugin --> more{_label(counted(len(edited) - _MOST_POOLS, 'more pool'))}")
    return "\n".join(lines)


def _awaited(review: StackReview) -> bool:
    """Whether overlays and limits wait for the plugin: the operator does not say when it is done."""
    return review.new.plan is not None and review.new.plan.settings.gpu_stack == "device-plugin"


def _pool(number: int, pair: PoolPair, *, awaited: bool) -> Iterator[str]:
    old, new = pair.old, pair.new
    if old is None or new is None:
        return
    replicas = f"replicas {arrow(str(old.replicas), str(new.replicas))}"
    what, where = ("another MIG layout", "layout") if old.mig_layout != new.mig_layout else (replicas, "plugin config")
    yield f"  edit{number}{_label(f'{pair.name}: {what}')} --> config{number}{_label(f'{where} {pair.name}')}"
    yield f"  config{number} --> plugin"
    before, after = (sum(pool.shapes[0].advertised.values()) for pool in (old, new))
    memory = span([gib(one.gpu_memory_mib) for one in new.shapes[0].slices])
    yield f"  plugin --> nodes{number}{_label(f'a node of {pair.name} shows {arrow(str(before), str(after))} slices of {memory}')}"
    if new.launched:
        limit = arrow(_total(pair, old=True), _total(pair, old=False))
        first = "plugin" if awaited else f"config{number}"
        yield f"  {first} --> overlay{number}{_label(f'NodeOverlay {pair.name}: Karpenter expects the same')}"
        yield f"  overlay{number} --> limit{number}{_label(f'limit of {pair.name}: {limit} slices')}"


def _total(pair: PoolPair, *, old: bool) -> str | None:
    pool = pair.old if old else pair.new
    return None if pool is None else str(sum(slices_at_limit(pool).values()))


def _tenants(number: int, pair: PoolPair, review: StackReview) -> Iterator[str]:
    plan = review.new.plan
    if plan is None or pair.new is None:
        return
    own = {resource for shape in pair.new.shapes for resource in shape.advertised}
    users = {tenant.name for tenant in plan.tenants if pair.name in tenant.pools}
    for index, tenant in enumerate(
        sorted(one.tenant for one in review.tenants if one.tenant in users and one.resource in own)
    ):
        side = next(one.new for one in review.tenants if one.tenant == tenant and one.resource in own)
        if side is not None:
            label = _label(f"{tenant}: quota {side.quota}, {side.slices} advertised")
            yield f"  nodes{number} --> tenant{number}x{index}{label}"
            if side.pending:
                yield f"  style tenant{number}x{index} stroke:#d29922,stroke-width:3px"


def _label(words: str) -> str:
    return f'["{words.replace(chr(34), "#quot;")}"]'
