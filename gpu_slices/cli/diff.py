"""`diff`: what an edit of a stack's settings means, before anybody applies it. Needs no account and no engine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..review.sides import Comparison, edited_file, two_files, two_revisions
from ..review.stack_review import StackReview, review
from ..settings import Mistake, SettingsError
from .command import WRONG_INPUT, Command, stack_path_of
from .review_arguments import add_review_arguments, edits_of, exit_code, write_reviews


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stack", metavar="NAME", help="the stack whose Pulumi.NAME.yaml lies in this folder")
    which.add_argument("--file", metavar="PATH", type=Path, help="a stack file anywhere")
    parser.add_argument("--base", metavar="A", help="what it was: a stack file, or a git revision")
    parser.add_argument("--head", metavar="B", help="what it is to be: a stack file, or a git revision [this folder]")
    add_review_arguments(parser)
    parser.add_argument("--live", action="store_true", help="also count what a reachable cluster commits today")
    parser.add_argument("--kubeconfig", metavar="PATH", help="for --live [KUBECONFIG, ~/.kube/config]")
    parser.add_argument("--context", metavar="NAME", help="for --live: a context of the kubeconfig")


def _run(arguments: argparse.Namespace) -> int:
    comparisons = _comparisons(arguments)
    reviews = [review(one.stack, one.old, one.new) for one in comparisons]
    unreachable = ""
    if arguments.live:
        reviews, unreachable = _live(comparisons, arguments)
    write_reviews(reviews, arguments, remark="" if arguments.format == "text" else unreachable)
    code = exit_code(reviews, arguments.fail_on)
    if unreachable:
        print(unreachable, file=sys.stderr)
        return WRONG_INPUT
    return code


def _comparisons(arguments: argparse.Namespace) -> Sequence[Comparison]:
    edits = edits_of(arguments)
    if arguments.base is None:
        if arguments.head is not None:
            raise _mistake("--head", "has nothing to be compared with", "write --base too")
        if arguments.stack is None and arguments.file is None:
            raise _mistake("diff", "names no stack", "write --stack NAME, --file PATH or --base A [--head B]")
        return [edited_file(stack_path_of(arguments), edits)]
    base = Path(arguments.base)
    head = Path(arguments.head) if arguments.head else arguments.file
    if base.is_file() and head is None and arguments.stack:
        head = stack_path_of(arguments)
    if base.is_file() or (head is not None and head.is_file()):
        if head is None or not base.is_file() or not head.is_file():
            wrong = arguments.base if not base.is_file() else str(head or "--head")
            raise _mistake(wrong, "is no file, and the other side is one", "name two files or two git revisions")
        return [two_files(base, head, edits)]
    return two_revisions(Path.cwd(), arguments.base, arguments.head, edits, only=arguments.stack)


def _live(comparisons: Sequence[Comparison], arguments: argparse.Namespace) -> tuple[list[StackReview], str]:
    """The reviews with what the cluster commits, or without it and the reason in one line."""
    from ..review.cluster_use import ClusterUnreachable, read_use
    from ..review.live import pool_use

    if len(comparisons) != 1:
        raise _mistake("--live", f"reads one cluster, and {len(comparisons)} stacks differ", "write --stack NAME")
    one = comparisons[0]
    plain = review(one.stack, one.old, one.new)
    try:
        nodes, held = read_use(kubeconfig=arguments.kubeconfig, context=arguments.context)
    except ClusterUnreachable as reason:
        return [plain], str(reason)
    return [review(one.stack, one.old, one.new, use=pool_use(plain.pools, nodes, held))], ""


def _mistake(path: str, problem: str, remedy: str) -> SettingsError:
    return SettingsError([Mistake(path=path, problem=problem, remedy=remedy)])


COMMAND = Command(
    name="diff",
    help="what an edit means: slices, memory, money, quotas, restarts, risks",
    add_arguments=_add_arguments,
    run=_run,
)
