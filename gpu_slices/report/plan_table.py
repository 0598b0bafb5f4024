"""A plan as a table in the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..plan import Plan
from ..pool_plan import PoolPlan, SliceEdit
from .terminal import as_text
from .words import gib, usd


def plan_text(plan: Plan, *, plain: bool) -> str:
    """The plan as text: a table of pools, a line per tenant, the warnings. `plain` is without colours."""
    return as_text(lambda console: print_plan(plan, console), plain=plain)


def print_plan(plan: Plan, console: Console) -> None:
    """The same onto a console that is there already."""
    console.print(_pools(plan))
    for edit, names in _slice_edits(plan).items():
        console.print(Text(f"editing the slices of {', '.join(names)}: {edit.effect} - {edit.reason}"))
    for tenant in plan.tenants:
        quota = ", ".join(f"{count} {resource}" for resource, count in tenant.quota.items())
        console.print(Text(f"tenant {tenant.name}: at most {quota} at once (pools: {', '.join(tenant.pools)})"))
    for warning in plan.warnings:
        console.print(Text.assemble(("warning ", "yellow"), str(warning)))


def _slice_edits(plan: Plan) -> dict[SliceEdit, list[str]]:
    edits: dict[SliceEdit, list[str]] = {}
    for pool in plan.pools:
        edits.setdefault(pool.on_slice_edit, []).append(pool.name)
    return edits


def _pools(plan: Plan) -> Table:
    title = f"stack {plan.stack} in {plan.settings.region} (on-demand prices of {plan.price_region})"
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("pool", "nodes", "GPUs", "sharing", "resource"):
        table.add_column(heading, no_wrap=True)
    for heading in ("slices", "usable", "memory each", "$/h each"):
        table.add_column(heading, justify="right", no_wrap=True)
    for pool in plan.pools:
        _rows(table, pool)
    return table


def sharing_words(pool: PoolPlan) -> str:
    """`whole GPUs`, `time-slicing ×10`, `mig ×2`; MIG instances that nothing multiplies are `mig` alone."""
    if pool.exclusive:
        return "whole GPUs"
    return pool.strategy if pool.replicas == 1 else f"{pool.strategy} ×{pool.replicas}"


def _rows(table: Table, pool: PoolPlan) -> None:
    sharing = sharing_words(pool)
    for shape in pool.shapes:
        instance = shape.instance
        for one in shape.slices:
            table.add_row(
                pool.name,
                instance.name,
                f"{instance.gpu_count} {instance.gpu.label}",
                sharing,
                one.resource,
                str(one.count),
                str(one.bounds.usable),
                gib(one.gpu_memory_mib),
                usd(one.usd_per_hour),
            )
