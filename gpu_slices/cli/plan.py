"""`plan`: what the settings of a stack amount to."""

from __future__ import annotations

import argparse
import json

from ..report.plan_json import plan_json
from ..report.plan_table import plan_text
from .command import FINE, Command, add_output_arguments, add_stack_arguments, plan_of, write


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_stack_arguments(parser)
    add_output_arguments(parser, ("text", "json"))


def _run(arguments: argparse.Namespace) -> int:
    plan = plan_of(arguments)
    if arguments.format == "json":
        write(json.dumps(plan_json(plan), indent=2, ensure_ascii=False) + "\n", arguments.out)
    else:
        write(plan_text(plan, plain=arguments.out is not None), arguments.out)
    return FINE


COMMAND = Command(
    name="plan", help="pools, slices, memory and price per slice, warnings", add_arguments=_add_arguments, run=_run
)
