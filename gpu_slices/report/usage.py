"""Slices in use as a table, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..checks.usage import NodeUse, PoolUse
from .terminal import as_text
from .words import usd

#: Holders that are named of one node.
_NAMED = 4


def usage_text(stack: str, pools: Sequence[PoolUse], *, plain: bool) -> str:
    """The tables as text."""
    return as_text(lambda console: console.print(usage_tables(stack, pools)), plain=plain)


def usage_tables(stack: str, pools: Sequence[PoolUse]) -> RenderableType:
    """A table of pools and one of nodes, to be printed or refreshed."""
    known = [pool.usd_per_hour for pool in pools if pool.usd_per_hour is not None]
    total = f"GPU nodes now: {usd(sum(known) if len(known) == len(pools) else None)}/h at on-demand prices"
    return Group(_pools(stack, pools), _nodes(pools), Text(total))


def usage_json(stack: str, pools: Sequence[PoolUse]) -> str:
    """`pools`: name, resource, total, used, free, waiting, usdPerHour, nodes (with the pods that hold slices)."""
    content = {
        "stack": stack,
        "pools": [
            {
                "name": pool.name,
                "resource": pool.resource,
                "total": sum(node.slices for node in pool.nodes),
                "used": sum(node.used for node in pool.nodes),
                "free": sum(node.free for node in pool.nodes),
                "waiting": pool.waiting,
                "usdPerHour": pool.usd_per_hour,
                "nodes": [asdict(node) | {"free": node.free} for node in pool.nodes],
            }
            for pool in pools
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _pools(stack: str, pools: Sequence[PoolUse]) -> Table:
    table = _table(f"slices of stack {stack}")
    for heading in ("pool", "resource"):
        table.add_column(heading, no_wrap=True)
    for heading in ("nodes", "total", "used", "free", "waiting", "$/h"):
        table.add_column(heading, justify="right", no_wrap=True)
    for pool in pools:
        counts = (
            len(pool.nodes),
            sum(node.slices for node in pool.nodes),
            sum(node.used for node in pool.nodes),
            sum(node.free for node in pool.nodes),
            pool.waiting,
        )
        table.add_row(pool.name, pool.resource, *map(str, counts), usd(pool.usd_per_hour))
    return table


def _nodes(pools: Sequence[PoolUse]) -> Table:
    table = _table("nodes")
    for heading in ("node", "type", "capacity"):
        table.add_column(heading, no_wrap=True)
    for heading in ("GPUs", "used", "pods per GPU"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("pods", overflow="ellipsis", no_wrap=True)
    for pool in pools:
        for node in pool.nodes:
            per_gpu = f"{len(node.pods) / node.gpus:.1f}" if node.gpus else "?"
            used = f"{node.used} of {node.slices}"
            table.add_row(
                node.name, node.instance_type, node.capacity or "-", str(node.gpus), used, per_gpu, _holders(node)
            )
    return table


def _holders(node: NodeUse) -> str:
    more = f" and {len(node.pods) - _NAMED} more" if len(node.pods) > _NAMED else ""
    return ", ".join(node.pods[:_NAMED]) + more


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
