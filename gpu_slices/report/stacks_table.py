"""All stack files in one table: replicas, slices, money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..cost.stack_cost import stack_cost
from ..review.pool_pairs import slices_at_limit, slices_configured
from ..review.stack_review import Side
from . import markdown
from .terminal import as_text
from .words import counted, gib, span, usd, usd_month

_HEADINGS: Final = (
    "stack",
    "region",
    "pool",
    "replicas",
    "slices (limit)",
    "memory each",
    "$/h each",
    "$ a month (limit)",
)
_NUMBERS: Final = frozenset(_HEADINGS[3:])


def stacks_text(stacks: Sequence[tuple[str, Side]], *, plain: bool) -> str:
    """For the terminal."""

    def show(console: Console) -> None:
        table = Table(header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for heading in _HEADINGS:
            table.add_column(heading, justify="right" if heading in _NUMBERS else "left", no_wrap=True)
        for row in _rows(stacks):
            table.add_row(*(Text(cell) for cell in row))
        console.print(table)
        console.print(Text(_prices(stacks)))

    return as_text(show, plain=plain)


def stacks_markdown(stacks: Sequence[tuple[str, Side]]) -> str:
    """For a page."""
    rows = [[markdown.text(cell) for cell in row] for row in _rows(stacks)]
    return f"{markdown.table(_HEADINGS, rows)}\n\n{markdown.text(_prices(stacks))}\n"


def stacks_json(stacks: Sequence[tuple[str, Side]]) -> dict[str, Any]:
    """For programs; money in USD."""
    return {"stacks": {name: _stack(side) for name, side in stacks}}


def _stack(side: Side) -> dict[str, Any]:
    if side.plan is None:
        return {"mistakes": [str(mistake) for mistake in side.mistakes]}
    cost = stack_cost(side.plan)
    return {
        "region": side.plan.settings.region,
        "priceRegion": cost.price_region,
        "usdPerMonth": {"configured": round(cost.configured, 2), "limit": round(cost.limit, 2)},
        "pools": {
            pool.name: {
                "replicas": pool.replicas,
                "strategy": pool.strategy,
                "slicesConfigured": dict(slices_configured(pool)),
                "slicesAtLimit": dict(slices_at_limit(pool)),
            }
            for pool in side.plan.pools
        },
    }


def _rows(stacks: Sequence[tuple[str, Side]]) -> list[tuple[str, ...]]:
    return [row for name, side in stacks for row in _rows_of(name, side)]


def _rows_of(name: str, side: Side) -> list[tuple[str, ...]]:
    if side.plan is None:
        return [(name, counted(len(side.mistakes), "mistake"), *[""] * (len(_HEADINGS) - 2))]
    cost = stack_cost(side.plan)
    month = f"{usd_month(cost.configured)} ({usd_month(cost.limit)})"
    rows: list[tuple[str, ...]] = []
    for pool in side.plan.pools:
        shape = pool.shapes[0]
        configured, limit = sum(slices_configured(pool).values()), sum(slices_at_limit(pool).values())
        figures = (
            str(pool.replicas),
            f"{configured} ({limit})",
            span([gib(one.gpu_memory_mib) for one in shape.slices]),
            span([usd(one.usd_per_hour) for one in shape.slices]),
        )
        first = not rows
        region = side.plan.settings.region if first else ""
        rows.append((name if first else "", region, pool.name, *figures, month if first else ""))
    return rows or [(name, side.plan.settings.region, "-", "", "", "", "", month)]


def _prices(stacks: Sequence[tuple[str, Side]]) -> str:
    regions = sorted({side.plan.price_region for _, side in stacks if side.plan})
    return (
        f"On-demand prices of {' and '.join(regions)}; memory and $ are of a pool's first instance type."
        if regions
        else ""
    )
