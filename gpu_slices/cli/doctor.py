"""`doctor`: from symptom to cause and remedy, by looking only."""

from __future__ import annotations

import argparse
import sys

from ..checks.observe import observe
from ..checks.rules import COMPLAINTS, PLATFORM, judge
from ..checks.table import Finding, any_failed
from ..checks.view import View
from ..report.findings import findings_json, findings_junit, findings_text
from .command import CHECK_FAILED, FINE, Command, add_output_arguments, add_stack_arguments, plan_of, write
from .live import add_cluster_arguments, api_of, in_one_line


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_stack_arguments(parser)
    add_cluster_arguments(parser)
    parser.add_argument("--all", action="store_true", help="also say what is fine")
    add_output_arguments(parser, ("text", "json", "junit"))


def _run(arguments: argparse.Namespace) -> int:
    plan, api = plan_of(arguments), api_of(arguments)
    print(f"stack {plan.stack} on {api.server}", file=sys.stderr)
    snapshot = observe(api, events=True)
    for part, why in sorted(snapshot.unreadable.items()):
        print(f"cannot read {part}: {why}", file=sys.stderr)
    found = tuple(judge(View(plan, snapshot), (*PLATFORM, *COMPLAINTS)))
    write(_text(found, plan.stack, arguments), arguments.out)
    return CHECK_FAILED if any_failed(found) else FINE


def _text(found: tuple[Finding, ...], stack: str, arguments: argparse.Namespace) -> str:
    title = f"doctor {stack}"
    if arguments.format == "json":
        return findings_json(found, stack=stack)
    if arguments.format == "junit":
        return findings_junit(found, title)
    shown = tuple(one for one in found if arguments.all or one.outcome != "passed")
    return findings_text(shown, title, plain=arguments.out is not None, counted=found)


COMMAND = Command(
    name="doctor",
    help="on the live cluster: what is wrong, why, and what to do; creates nothing",
    add_arguments=_add_arguments,
    run=in_one_line(_run),
)
