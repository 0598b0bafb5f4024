"""`render`: every Kubernetes object and Helm release of a stack as files, for reviewers, scanners and GitOps."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..render import render, write_files
from .command import FINE, Command, add_stack_arguments, plan_of


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_stack_arguments(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for manifests/ and releases/")


def _run(arguments: argparse.Namespace) -> int:
    files = render(plan_of(arguments))
    write_files(files, arguments.out)
    print(f"{len(files)} files in {arguments.out}", file=sys.stderr)
    return FINE


COMMAND = Command(
    name="render",
    help="every Kubernetes object and Helm release as files; ${name} marks what only AWS knows",
    add_arguments=_add_arguments,
    run=_run,
)
