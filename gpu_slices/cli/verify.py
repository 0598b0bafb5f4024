"""`verify`: does the live cluster share its GPUs as the stack says?"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import FrameType
from typing import Final

from ..checks.probe_pods import PROBE_IMAGE
from ..checks.verify import Verdict, VerifyOptions, verify
from ..plan import Plan
from ..report.findings import findings_json, findings_junit, findings_text
from .command import (
    CHECK_FAILED,
    FINE,
    Command,
    add_output_arguments,
    add_stack_arguments,
    plan_of,
    write,
)
from .live import add_cluster_arguments, add_pool_argument, api_of, in_one_line, pools_of, progress

#: What shells report of a program that Ctrl-C ended.
INTERRUPTED: Final = 130


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_stack_arguments(parser)
    add_cluster_arguments(parser)
    add_pool_argument(parser)
    parser.add_argument("--namespace", metavar="NAME", help="probe as a tenant does; default: a namespace of its own")
    parser.add_argument("--image", default=PROBE_IMAGE, help=f"of the probe pods; default: {PROBE_IMAGE}")
    parser.add_argument("--wait", metavar="SECONDS", type=int, default=300, help="for a rolling plugin; default: 300")
    parser.add_argument("--timeout", metavar="SECONDS", type=int, default=300, help="for pods to run; default: 300")
    parser.add_argument(
        "--scale-from-zero", action="store_true", help="start a node for Karpenter's empty pools: costs"
    )
    parser.add_argument("--dry-run", action="store_true", help="judge what is there and say what would be started")
    add_output_arguments(parser, ("text", "json", "junit"))


def _run(arguments: argparse.Namespace) -> int:
    plan = plan_of(arguments)
    options = VerifyOptions(
        pools=pools_of(arguments, plan),
        namespace=arguments.namespace,
        image=arguments.image,
        wait=arguments.wait,
        timeout=arguments.timeout,
        scale_from_zero=arguments.scale_from_zero,
        dry_run=arguments.dry_run,
    )
    api = api_of(arguments)
    print(f"stack {plan.stack} on {api.server}", file=sys.stderr)
    try:
        with _ended_by_signals(), progress() as show:
            verdict = verify(api, plan, options, show)
    except KeyboardInterrupt:
        print("interrupted: every pod that was started is removed", file=sys.stderr)
        return INTERRUPTED
    write(_text(verdict, plan, arguments), arguments.out)
    return CHECK_FAILED if verdict.failed else FINE


def _text(verdict: Verdict, plan: Plan, arguments: argparse.Namespace) -> str:
    if arguments.format == "junit":
        return findings_junit(verdict.findings, f"verify {plan.stack}")
    seconds = {name: round(took, 1) for name, took in verdict.seconds.items()}
    if arguments.format == "json":
        probes = [asdict(probe) for probe in verdict.probes]
        return findings_json(
            verdict.findings, stack=plan.stack, dryRun=arguments.dry_run, seconds=seconds, probes=probes
        )
    text = findings_text(verdict.findings, f"verify {plan.stack}", plain=arguments.out is not None)
    if arguments.dry_run:
        lines = [
            f"would start {probe.pods} pods on {probe.node} ({probe.used} of {probe.slices} slices in use)"
            for probe in verdict.probes
        ]
        return text + "".join(f"{line}\n" for line in [*lines, "nothing was created"])
    return text


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM ends the run as Ctrl-C does: with its pods removed."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


COMMAND = Command(
    name="verify",
    help="on the live cluster: the platform's health, and a full node's worth of pods sharing each GPU",
    add_arguments=_add_arguments,
    run=in_one_line(_run),
)
