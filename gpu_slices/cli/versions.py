"""`versions`: what a stack pins, the newest that is known, and which known breaks concern it."""

from __future__ import annotations

import argparse
import json

from ..compatibility.overview import overview
from ..report.versions_report import versions_json, versions_markdown, versions_text
from .command import FINE, Command, add_output_arguments, add_stack_arguments, plan_of, write


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_stack_arguments(parser)
    add_output_arguments(parser, ("text", "markdown", "json"))


def _run(arguments: argparse.Namespace) -> int:
    shown = overview(plan_of(arguments))
    if arguments.format == "json":
        write(json.dumps(versions_json(shown), indent=2, ensure_ascii=False) + "\n", arguments.out)
    elif arguments.format == "markdown":
        write(versions_markdown(shown), arguments.out)
    else:
        write(versions_text(shown, plain=arguments.out is not None), arguments.out)
    return FINE


COMMAND = Command(
    name="versions",
    help="what the stack pins, the newest known, and which known breaks concern it",
    add_arguments=_add_arguments,
    run=_run,
)
