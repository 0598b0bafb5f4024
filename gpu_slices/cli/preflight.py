"""`preflight`: does the account have what the first `up` needs?"""

from __future__ import annotations

import argparse
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .command import CHECK_FAILED, FINE, WRONG_INPUT, Command, add_output_arguments, add_stack_arguments, plan_of, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..checks.table import Finding

# boto3 takes longer to import than a plan takes to make: only inside functions here.


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_stack_arguments(parser)
    parser.add_argument(
        "--kubeconfig", metavar="FILE", type=Path, help="of an adopted cluster; default: by `aws eks get-token`"
    )
    parser.add_argument("--context", metavar="NAME", help="of that kubeconfig; default: its current context")
    add_output_arguments(parser, ("text", "json", "junit"))


def _run(arguments: argparse.Namespace) -> int:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return _preflight(arguments)
    except (BotoCoreError, ClientError) as error:
        print(f"AWS: {' '.join(str(error).split())}", file=sys.stderr)
        return WRONG_INPUT


def _preflight(arguments: argparse.Namespace) -> int:
    from boto3 import Session

    from ..checks.aws_account import AwsAccount
    from ..checks.preflight import preflight
    from ..checks.table import any_failed
    from .live import api_of, progress

    plan = plan_of(arguments)
    session = Session()

    @cache
    def client(service: str) -> Any:
        return session.client(service, region_name=plan.settings.region)

    chosen = arguments.kubeconfig or arguments.context
    account = AwsAccount(plan, client, (lambda _facts, _region: api_of(arguments)) if chosen else None)
    identity = account.identity
    with progress() as show:
        findings = preflight(account, show)
    write(_text(findings, plan.stack, identity["Account"], arguments), arguments.out)
    return CHECK_FAILED if any_failed(findings) else FINE


def _text(findings: Sequence[Finding], stack: str, account: str, arguments: argparse.Namespace) -> str:
    from ..report.findings import findings_json, findings_junit, findings_text

    title = f"preflight {stack}"
    if arguments.format == "junit":
        return findings_junit(findings, title)
    if arguments.format == "json":
        return findings_json(findings, stack=stack, account=account)
    return findings_text(findings, title, plain=arguments.out is not None)


COMMAND = Command(
    name="preflight",
    help="before the first up: does the account have the quotas, types, names and network that the stack needs? Reads only",
    add_arguments=_add_arguments,
    run=_run,
)
