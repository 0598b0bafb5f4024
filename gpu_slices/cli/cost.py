"""`cost`: what a stack costs a month, and from how many held slices on sharing pays."""

from __future__ import annotations

import argparse
import json

from ..catalogue import load
from ..cost.break_even import BreakEven, break_even
from ..cost.stack_cost import stack_cost
from ..plan import Plan
from ..report.cost_report import cost_json, cost_markdown, cost_text
from .command import FINE, Command, add_output_arguments, add_stack_arguments, plan_of, write


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_stack_arguments(parser)
    parser.add_argument(
        "--occupancy", metavar="PERCENT", type=_percent, default=0.5, help="share of the slices that pods hold [50]"
    )
    add_output_arguments(parser, ("text", "markdown", "json"))


def _run(arguments: argparse.Namespace) -> int:
    plan = plan_of(arguments)
    cost, pays, occupancy = stack_cost(plan), _break_evens(plan), arguments.occupancy
    if arguments.format == "json":
        text = json.dumps(cost_json(plan.stack, cost, pays, occupancy), indent=2, ensure_ascii=False) + "\n"
    elif arguments.format == "markdown":
        text = cost_markdown(plan.stack, cost, pays, occupancy)
    else:
        text = cost_text(plan.stack, cost, pays, occupancy, plain=arguments.out is not None)
    write(text, arguments.out)
    return FINE


def _break_evens(plan: Plan) -> dict[str, BreakEven]:
    """Of the first instance type of each pool with equal slices, where prices are known."""
    equal = [pool for pool in plan.pools if not pool.exclusive and len(pool.resources) == 1]
    found = {pool.name: break_even(plan.settings, pool.shapes[0], load()) for pool in equal}
    return {name: one for name, one in found.items() if one is not None}


def _percent(text: str) -> float:
    try:
        percent = float(text.removesuffix("%"))
    except ValueError:
        percent = 0.0
    if not 0 < percent <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no share of the slices: write a number above 0, up to 100")
    return percent / 100


COMMAND = Command(
    name="cost",
    help="what the stack costs a month, and when a shared GPU beats one's own",
    add_arguments=_add_arguments,
    run=_run,
)
