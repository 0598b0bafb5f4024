"""`status`: slices per pool and node now, who holds them, what it costs; `--watch` refreshes."""

from __future__ import annotations

import argparse
import time
from typing import Final

from ..checks.cluster_api import ClusterApi, ClusterError
from ..checks.observe import observe
from ..checks.usage import PoolUse, pool_uses
from ..checks.view import View
from ..plan import Plan
from ..report.usage import usage_json, usage_tables, usage_text
from .command import FINE, Command, add_output_arguments, add_stack_arguments, plan_of, write
from .live import add_cluster_arguments, add_pool_argument, api_of, in_one_line, pools_of

#: A list of nodes and pods a few times a minute is nothing to an API server.
_SECONDS: Final = 5


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_stack_arguments(parser)
    add_cluster_arguments(parser)
    add_pool_argument(parser)
    parser.add_argument("--watch", action="store_true", help=f"again every {_SECONDS} s, until Ctrl-C")
    add_output_arguments(parser, ("text", "json"))


def _run(arguments: argparse.Namespace) -> int:
    plan = plan_of(arguments)
    names, api = pools_of(arguments, plan), api_of(arguments)
    if arguments.watch:
        if arguments.format != "text" or arguments.out:
            raise ClusterError("--watch draws on the terminal: leave out --format and --out")
        return _watch(api, plan, names)
    uses = _uses(api, plan, names)
    plain = arguments.out is not None
    as_json = arguments.format == "json"
    write(usage_json(plan.stack, uses) if as_json else usage_text(plan.stack, uses, plain=plain), arguments.out)
    return FINE


def _watch(api: ClusterApi, plan: Plan, names: tuple[str, ...]) -> int:
    from rich.live import Live

    try:
        with Live(usage_tables(plan.stack, _uses(api, plan, names)), auto_refresh=False) as live:
            while True:
                time.sleep(_SECONDS)
                live.update(usage_tables(plan.stack, _uses(api, plan, names)), refresh=True)
    except KeyboardInterrupt:
        return FINE


def _uses(api: ClusterApi, plan: Plan, names: tuple[str, ...]) -> tuple[PoolUse, ...]:
    return tuple(pool for pool in pool_uses(View(plan, observe(api))) if pool.name in names)


COMMAND = Command(
    name="status",
    help="on the live cluster: slices used and free, pods per GPU, nodes, $ per hour",
    add_arguments=_add_arguments,
    run=in_one_line(_run),
)
