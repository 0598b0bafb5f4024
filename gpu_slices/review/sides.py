"""Which stacks are compared with what: stack files, git revisions, and edits given on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..plan import make_plan
from ..settings import SettingsError, StackFile, parse
from ..settings.edit import remove_value, set_value
from ..settings.stack_file import read_stack_file, read_stack_text
from .revisions import short, stack_files_at, stack_files_in
from .stack_review import Side


@dataclass(frozen=True, kw_only=True)
class Edits:
    """`--set` and `--unset`, in the order in which they are applied: all sets, then all unsets."""

    sets: Sequence[str] = ()
    unsets: Sequence[str] = ()

    def applied(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The raw settings with the edits. Raises SettingsError for an edit that cannot be made."""
        edited = dict(raw)
        for assignment in self.sets:
            edited = set_value(edited, assignment)
        for key in self.unsets:
            edited = remove_value(edited, key)
        return edited


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One stack and its two sides."""

    stack: str
    old: Side
    new: Side


def side_of(stack: str, raw: Mapping[str, Any], where: str) -> Side:
    """The plan of raw settings, or their mistakes."""
    try:
        return Side(where=where, plan=make_plan(parse(raw, stack=stack), stack=stack))
    except SettingsError as error:
        return Side(where=where, mistakes=error.mistakes)


def edited_file(path: Path, edits: Edits) -> Comparison:
    """A stack file against itself with edits. Raises SettingsError for an edit that cannot be made."""
    file = _read(path)
    if isinstance(file, Side):
        return Comparison(stack=_stack(path), old=file, new=file)
    old = side_of(file.stack, file.raw, path.name)
    where = f"{path.name} with edits" if _any(edits) else path.name
    return Comparison(stack=file.stack, old=old, new=side_of(file.stack, edits.applied(file.raw), where))


def two_files(base: Path, head: Path, edits: Edits) -> Comparison:
    """Two stack files, taken for one stack before and after; the second gives it its name."""
    old, new = _read(base), _read(head)
    stack = _stack(head)
    return Comparison(
        stack=stack,
        old=old if isinstance(old, Side) else side_of(stack, old.raw, str(base)),
        new=new if isinstance(new, Side) else side_of(stack, edits.applied(new.raw), str(head)),
    )


def two_revisions(
    folder: Path, base: str, head: str | None, edits: Edits, only: str | None = None
) -> tuple[Comparison, ...]:
    """Every stack whose file differs between two revisions; without `head`, the folder as it is.

    `only` is the one stack to look at, also when it does not differ. Raises SettingsError for an unreadable revision.
    """
    before, before_words = stack_files_at(folder, base), short(folder, base)
    after = stack_files_at(folder, head) if head else stack_files_in(folder)
    after_words = short(folder, head) if head else "the working tree"
    compared = []
    for name in sorted({*before, *after}):
        stack = _stack(Path(name))
        differs = before.get(name) != after.get(name) or _any(edits)
        if stack == only or (only is None and differs):
            old = _side(name, before.get(name), before_words, Edits())
            new = _side(name, after.get(name), after_words, edits)
            compared.append(Comparison(stack=stack, old=old, new=new))
    return tuple(compared)


def side_of_text(name: str, text: str, where: str = "", edits: Edits | None = None) -> tuple[str, Side]:
    """The stack that a file's name tells, and its side."""
    stack = _stack(Path(name))
    try:
        raw = (edits or Edits()).applied(read_stack_text(text, Path(name)).raw)
    except SettingsError as error:
        return stack, Side(where=where or name, mistakes=error.mistakes)
    return stack, side_of(stack, raw, where or name)


def _side(name: str, text: str | None, where: str, edits: Edits) -> Side:
    return Side(where=where) if text is None else side_of_text(name, text, where, edits)[1]


def _read(path: Path) -> StackFile | Side:
    try:
        return read_stack_file(path)
    except SettingsError as error:
        return Side(where=str(path), mistakes=error.mistakes)


def _stack(path: Path) -> str:
    return path.name.removeprefix("Pulumi.").removesuffix(".yaml")


def _any(edits: Edits) -> bool:
    return bool(edits.sets or edits.unsets)
