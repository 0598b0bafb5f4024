"""`preview`: the engine's own preview of a stack joined to what the edit means."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..review.revisions import short, stack_files_at
from ..review.sides import Comparison, edited_file, side_of
from ..review.stack_review import Side, StackReview, review
from ..settings import Mistake, SettingsError, read_stack_file
from ..settings.stack_file import read_stack_text
from .command import CHECK_FAILED, FINE, WRONG_INPUT, Command, add_stack_arguments, stack_path_of
from .policy_pack import add_policy_arguments, policy_pack_of
from .review_arguments import add_review_arguments, edits_of, exit_code, write_reviews

if TYPE_CHECKING:
    from .previewed import Previewed

_STOPPED: Final = 130


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_stack_arguments(parser)
    parser.add_argument("--base", metavar="A", help="compare with this stack file or git revision [what is deployed]")
    add_review_arguments(parser, also=("changes",))
    parser.add_argument("--refresh", action="store_true", help="look at the cloud first, so that drift shows")
    add_policy_arguments(parser)
    parser.add_argument("--rehearse", action="store_true", help="on stand-ins, without an account: up, then preview")


def _run(arguments: argparse.Namespace) -> int:
    path = stack_path_of(arguments)
    compared = edited_file(path, edits_of(arguments))
    if compared.new.mistakes:
        wrong = review(compared.stack, replace(compared.new, mistakes=()), compared.new)
        write_reviews([wrong], arguments)
        return exit_code([wrong], arguments.fail_on)
    project = _project()
    base = _base(arguments, compared, path)
    try:
        previewed = _previewed(arguments, compared, path, project, base)
    except KeyboardInterrupt:
        print("stopped; nothing was changed", file=sys.stderr)
        return _STOPPED
    return _report(arguments, compared, base, previewed)


def _previewed(
    arguments: argparse.Namespace, compared: Comparison, path: Path, project: Path, base: Side | None
) -> Previewed:
    from .previewed import preview_deployed, preview_rehearsed

    edits, policy = edits_of(arguments), policy_pack_of(arguments)
    if not arguments.rehearse:
        return preview_deployed(compared.stack, project, path, edits, policy, refresh=arguments.refresh)
    return preview_rehearsed(compared.stack, project, _rehearsed_base(arguments, path), path, edits, policy)


def _rehearsed_base(arguments: argparse.Namespace, path: Path) -> Mapping[str, Any] | None:
    """Settings to come up with on stand-ins: those of `--base`, the file's own below edits, else nothing is there."""
    if arguments.base is not None:
        return _base_raw(arguments.base, path)[0]
    return read_stack_file(path).raw if arguments.set or arguments.unset else None


def _base(arguments: argparse.Namespace, compared: Comparison, path: Path) -> Side | None:
    """The side that the arguments name; None where the backend is to tell."""
    if arguments.base is not None:
        raw, where = _base_raw(arguments.base, path)
        return Side(where=where) if raw is None else side_of(compared.stack, raw, where)
    if arguments.rehearse:
        return compared.old if arguments.set or arguments.unset else Side(where="a new rehearsal")
    return None


def _base_raw(base: str, path: Path) -> tuple[Mapping[str, Any] | None, str]:
    if Path(base).is_file():
        return read_stack_file(Path(base)).raw, base
    text = stack_files_at(path.resolve().parent, base).get(path.name)
    return None if text is None else read_stack_text(text, path).raw, short(path.resolve().parent, base)


def _report(arguments: argparse.Namespace, compared: Comparison, base: Side | None, previewed: Previewed) -> int:
    old, remark = (base, "") if base is not None else _deployed(compared, previewed)
    told = review(compared.stack, old, compared.new)
    if previewed.unfinished:
        remark = "The last update did not finish: what runs may lie between before and after."
    if previewed.changes is None:
        remark = f"The engine's preview did not begin: {previewed.problem.splitlines()[0]}"
        write_reviews([told], arguments, remark=remark)
        print(previewed.problem, file=sys.stderr)
        return WRONG_INPUT if previewed.unknown_stack else CHECK_FAILED
    write_reviews([told], arguments, previewed.changes, remark)
    return max(exit_code([told], arguments.fail_on), _engine_code(arguments, told, previewed))


def _deployed(compared: Comparison, previewed: Previewed) -> tuple[Side, str]:
    """The side before as the backend remembers it, and a remark where this program cannot read it."""
    if previewed.changes is None and not previewed.unknown_stack:
        return compared.old, ""  # nobody knows what is deployed: the file without the edits
    if previewed.deployed is None:
        return Side(where="nothing is deployed"), ""
    side = side_of(compared.stack, previewed.deployed, "what is deployed")
    if not side.mistakes:
        return side, ""
    keys = ", ".join(sorted({mistake.path for mistake in side.mistakes}))
    words = f"What is deployed has settings that this program does not understand ({keys}): read the engine's changes."
    return replace(compared.new, where="what is deployed is not understood"), words


def _engine_code(arguments: argparse.Namespace, told: StackReview, previewed: Previewed) -> int:
    changes = previewed.changes
    if changes is None or not changes.errors:
        changed = bool(changes and changes.changes) and "changes" in arguments.fail_on
        if changed:
            print(f"stack {told.stack}: the engine would change something", file=sys.stderr)
        return CHECK_FAILED if changed else FINE
    for line in changes.errors:
        print(line, file=sys.stderr)
    return CHECK_FAILED


def _project() -> Path:
    """The folder one stands in, which must be the program's. Raises SettingsError otherwise."""
    folder = Path.cwd()
    if not (folder / "Pulumi.yaml").is_file() or not (folder / "__main__.py").is_file():
        raise SettingsError(
            [
                Mistake(
                    path=str(folder),
                    problem="has no Pulumi.yaml with __main__.py",
                    remedy="run from the project's folder",
                )
            ]
        )
    return folder


COMMAND = Command(
    name="preview",
    help="the engine's preview, with what the edit means on top",
    add_arguments=_add_arguments,
    run=_run,
)
