"""`leftovers`: what a destroyed stack left in the account, and on request its removal."""

from __future__ import annotations

import argparse
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from ..settings import SettingsError
from ..settings.mistakes import Mistake
from .command import (
    CHECK_FAILED,
    FINE,
    WRONG_INPUT,
    Command,
    add_output_arguments,
    add_stack_arguments,
    plan_of,
    write,
)

if TYPE_CHECKING:
    from ..report.leftovers import Sweep

# boto3 takes longer to import than a plan takes to make: only inside functions here.


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_stack_arguments(parser)
    add_output_arguments(parser, ("text", "json"))
    parser.add_argument("--delete", action="store_true", help="remove what is found, after asking")
    parser.add_argument("--yes", action="store_true", help="with --delete: do not ask")
    parser.add_argument(
        "--even-if-cluster-exists",
        action="store_true",
        help="look although the cluster is still there; then what it uses is listed too",
    )


def _run(arguments: argparse.Namespace) -> int:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return _sweep(arguments)
    except (BotoCoreError, ClientError) as error:
        print(f"AWS: {' '.join(str(error).split())}", file=sys.stderr)
        return WRONG_INPUT


def _sweep(arguments: argparse.Namespace) -> int:
    from boto3 import Session

    from .. import leftovers
    from ..report.leftovers import Sweep

    plan = plan_of(arguments)
    owner = leftovers.owner_of(plan.stack, plan.settings)
    session = Session()

    @cache
    def client(service: str) -> Any:
        return session.client(service, region_name=owner.region)

    account = client("sts").get_caller_identity()["Account"]
    status = leftovers.cluster_status(client, owner)
    if status is not None and not arguments.even_if_cluster_exists:
        raise _in_use(owner.cluster, account, status)
    sweep = Sweep(owner=owner, account=account, left=leftovers.find(client, owner, _say))
    if arguments.delete and sweep.left:
        if not arguments.yes and not _agreed(sweep):
            return CHECK_FAILED
        outcomes = tuple(leftovers.remove(client, sweep.left, _say))
        left = leftovers.find(client, owner, _say)
        sweep = Sweep(owner=owner, account=account, left=left, outcomes=outcomes)
    _tell(sweep, arguments)
    return CHECK_FAILED if sweep.left else FINE


def _in_use(cluster: str, account: str, status: str) -> SettingsError:
    return SettingsError(
        [
            Mistake(
                path=f"cluster {cluster}",
                problem=f"is still there in account {account} ({status}), so what it uses is nothing left over",
                remedy="destroy the stack first, or add --even-if-cluster-exists",
            )
        ]
    )


def _agreed(sweep: Sweep) -> bool:
    """Whether the person at the terminal types the cluster's name. Raises SettingsError where there is no terminal."""
    from ..report.leftovers import leftovers_text

    if not sys.stdin.isatty():
        raise SettingsError(
            [Mistake(path="--delete", problem="asks first, and nobody can answer here", remedy="add --yes")]
        )
    print(leftovers_text(sweep, plain=True), file=sys.stderr)
    print(f"remove all of it? type the cluster's name ({sweep.owner.cluster}): ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() == sweep.owner.cluster:
        return True
    print("nothing was removed", file=sys.stderr)
    return False


def _tell(sweep: Sweep, arguments: argparse.Namespace) -> None:
    from ..report.leftovers import leftovers_json, leftovers_text

    if arguments.format == "json":
        write(leftovers_json(sweep), arguments.out)
    else:
        write(leftovers_text(sweep, plain=arguments.out is not None), arguments.out)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


COMMAND = Command(
    name="leftovers",
    help="what a destroyed stack left in the account (needs AWS credentials); removes it with --delete",
    add_arguments=_add_arguments,
    run=_run,
)
