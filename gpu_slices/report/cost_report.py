"""What a stack costs, and when sharing pays, as text, Markdown and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..catalogue import load
from ..cost.break_even import BreakEven
from ..cost.price_table import load_prices
from ..cost.stack_cost import StackCost
from . import markdown
from .terminal import as_text
from .words import usd, usd_month

_LINES = ("a month", "as configured", "at the limit", "price")
_PAYS = ("pool", "shared node", "$ per held slice-hour", "own GPU instead", "$ per hour", "saved", "sharing pays from")


def cost_text(stack: str, cost: StackCost, pays: Mapping[str, BreakEven], occupancy: float, *, plain: bool) -> str:
    """Two tables and where the prices are from."""

    def show(console: Console) -> None:
        console.print(_table(f"stack {stack}, prices of {cost.price_region}", _LINES, _cost_rows(cost)))
        if pays:
            title = (
                f"a slice of a shared node, {occupancy:.0%} of its slices held, against the cheapest GPU of one's own"
            )
            console.print(_table(title, _PAYS, _pays_rows(pays, occupancy)))
        for line in _sources(cost):
            console.print(Text(line))

    return as_text(show, plain=plain)


def cost_markdown(stack: str, cost: StackCost, pays: Mapping[str, BreakEven], occupancy: float) -> str:
    """The same for a page or a comment."""
    parts = [f"### What stack {markdown.code(stack)} costs", _cells(_LINES, _cost_rows(cost))]
    if pays:
        parts.append(f"A slice when {occupancy:.0%} of them are held, against the cheapest GPU of one's own:")
        parts.append(_cells(_PAYS, _pays_rows(pays, occupancy)))
    parts += [markdown.text(line) for line in _sources(cost)]
    return "\n\n".join(parts) + "\n"


def cost_json(stack: str, cost: StackCost, pays: Mapping[str, BreakEven], occupancy: float) -> dict[str, Any]:
    """Money in USD, null where a price is not known."""
    return {
        "stack": stack,
        "priceRegion": cost.price_region,
        "usdPerMonth": {"configured": round(cost.configured, 2), "limit": round(cost.limit, 2)},
        "lines": [
            {
                "what": line.what,
                "path": line.path,
                "configured": _rounded(line.configured),
                "limit": _rounded(line.limit),
                "basis": line.basis,
            }
            for line in cost.lines
        ],
        "unknown": list(cost.unknown),
        "notIncluded": list(cost.not_included),
        "occupancy": occupancy,
        "breakEven": {
            pool: {
                "shared": one.shared.name,
                "slices": one.slices,
                "usdPerHeldSliceHour": round(one.usd_per_held_slice(occupancy), 6),
                "dedicated": one.dedicated.name,
                "dedicatedUsdPerHour": one.dedicated_usd,
                "saved": round(one.saved(occupancy), 4),
                "slicesHeld": one.slices_held,
            }
            for pool, one in pays.items()
        },
    }


def _cost_rows(cost: StackCost) -> list[tuple[str, ...]]:
    rows = [(line.what, usd_month(line.configured), usd_month(line.limit), line.basis) for line in cost.lines]
    without = f"without {', '.join(cost.unknown)}" if cost.unknown else ""
    return [*rows, ("together", usd_month(cost.configured), usd_month(cost.limit), without)]


def _pays_rows(pays: Mapping[str, BreakEven], occupancy: float) -> list[tuple[str, ...]]:
    return [
        (
            pool,
            f"{one.shared.name} ×{one.slices}",
            usd(one.usd_per_held_slice(occupancy)),
            f"{one.dedicated.name} ({one.dedicated.gpu.label})",
            usd(one.dedicated_usd),
            f"{one.saved(occupancy):.0%}",
            f"{one.slices_held} of {one.slices} slices held" if one.slices_held else "never",
        )
        for pool, one in pays.items()
    ]


def _sources(cost: StackCost) -> list[str]:
    table = load_prices()
    return [
        f"Not included: {', '.join(cost.not_included)}.",
        f"GPU instances: {load().source}, read {load().read}. Other instances: {table.instances_source.words}, read {table.instances_source.read}. Services: "
        f"{table.services_source.words} ({table.services_source.read}). 730 hours a month.",
    ]


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if heading[0] in "$as" and number in (1, 2) else "left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _cells(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return markdown.table(headings, [[markdown.text(cell) for cell in row] for row in rows])


def _rounded(amount: float | None) -> float | None:
    return None if amount is None else round(amount, 2)
