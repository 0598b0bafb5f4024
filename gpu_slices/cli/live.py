"""What the commands on a live cluster share: credentials, pools by name, progress, one line for what cannot be."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..checks.cluster_api import ClusterApi, ClusterError
from ..checks.probe_run import Progress
from ..plan import Plan
from ..settings.mistakes import did_you_mean
from .command import WRONG_INPUT


def add_cluster_arguments(parser: argparse.ArgumentParser) -> None:
    """`--kubeconfig` and `--context`."""
    parser.add_argument("--kubeconfig", metavar="FILE", type=Path, help="default: $KUBECONFIG, else ~/.kube/config")
    parser.add_argument("--context", metavar="NAME", help="of the kubeconfig; default: its current context")


def add_pool_argument(parser: argparse.ArgumentParser) -> None:
    """`--pool`, repeatable."""
    parser.add_argument("--pool", metavar="NAME", action="append", default=[], help="only this pool; may be repeated")


def api_of(arguments: argparse.Namespace) -> ClusterApi:
    """The cluster that the arguments name."""
    return ClusterApi(kubeconfig=arguments.kubeconfig, context=arguments.context)


def pools_of(arguments: argparse.Namespace, plan: Plan) -> tuple[str, ...]:
    """The pools that the arguments name, else all. Raises ClusterError for one that the stack does not have."""
    names = tuple(pool.name for pool in plan.pools)
    if not names:
        raise ClusterError(f"stack {plan.stack} has no GPU pool: nothing to look at")
    for name in arguments.pool:
        if name not in names:
            raise ClusterError(f"stack {plan.stack} has no GPU pool {name!r}: {did_you_mean(name, names)}")
    return tuple(arguments.pool) or names


def in_one_line(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """The command, with a cluster that cannot be used said in one line: exit code 2."""

    def guarded(arguments: argparse.Namespace) -> int:
        try:
            return run(arguments)
        except ClusterError as error:
            print(error, file=sys.stderr)
            return WRONG_INPUT

    return guarded


@contextmanager
def progress() -> Iterator[Progress]:
    """A bar per stage on a terminal's standard error, else a line per stage."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total or None)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield show


class _Lines:
    """A line when a stage begins and one when it is complete: logs are not flooded."""

    def __init__(self) -> None:
        self._said: set[tuple[str, bool]] = set()

    def __call__(self, stage: str, done: int, total: int) -> None:
        key = (stage, done >= total)
        if key not in self._said:
            self._said.add(key)
            print(f"{stage}: {done} of {total}" if total else stage, file=sys.stderr, flush=True)
