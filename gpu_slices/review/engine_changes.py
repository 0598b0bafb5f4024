"""What the engine's own preview says, grouped for a reviewer: replaced first, then deleted, updated, created."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

Kind = Literal["replaced", "deleted", "updated", "created"]
KINDS: Final[tuple[Kind, ...]] = ("replaced", "deleted", "updated", "created")

_KIND_OF: Final[Mapping[str, Kind]] = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "replace": "replaced",
    "create-replacement": "replaced",
    "delete-replaced": "replaced",
    "import": "created",
    "refresh": "updated",
}
_VALUE_LENGTH: Final = 100
_COMPUTED: Final = "[computed]"
#: As naming.content_name makes them.
_CONTENT_NAME: Final = re.compile(r"(.+)-[0-9a-f]{10}")


class PropertyStep(Protocol):
    """One changed property, as the engine library tells it."""

    @property
    def kind(self) -> str:
        """add, delete or update, or one of these with -replace."""
        ...

    @property
    def path(self) -> str:
        """As Pulumi writes it."""
        ...

    @property
    def old(self) -> Any:
        """The value before."""
        ...

    @property
    def new(self) -> Any:
        """The value after."""
        ...


class ResourceStep(Protocol):
    """One step on one resource, as the engine library tells it."""

    @property
    def op(self) -> str:
        """The engine's word for it."""
        ...

    @property
    def type(self) -> str:
        """Type token."""
        ...

    @property
    def name(self) -> str:
        """Logical name."""
        ...

    @property
    def urn(self) -> str:
        """Identity."""
        ...

    @property
    def diffs(self) -> Sequence[PropertyStep]:
        """Changed properties."""
        ...

    @property
    def replace_keys(self) -> Sequence[str]:
        """Properties for which it is replaced."""
        ...


@dataclass(frozen=True, kw_only=True)
class PropertyChange:
    """One property: its path, and the lines that differ, each starting with + or -."""

    path: str
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ResourceChange:
    """What happens to one resource. `because` are the properties that force a replacement."""

    kind: Kind
    type: str
    name: str
    properties: tuple[PropertyChange, ...] = ()
    because: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EngineChanges:
    """One preview. `errors` are one line each; with any, the changes are those until then."""

    changes: tuple[ResourceChange, ...]
    unchanged: int
    errors: tuple[str, ...] = ()

    def count(self, kind: Kind) -> int:
        """How many resources of a kind of change."""
        return sum(change.kind == kind for change in self.changes)


def engine_changes(steps: Sequence[ResourceStep], unchanged: int, errors: Sequence[str] = ()) -> EngineChanges:
    """Groups the engine's steps: a replacement is three of them and one change here. Sorted, so that it is stable."""
    by_urn: dict[str, ResourceChange] = {}
    for step in steps:
        kind = _KIND_OF.get(step.op)
        if kind is None:
            continue
        earlier = by_urn.get(step.urn)
        by_urn[step.urn] = ResourceChange(
            kind=earlier.kind if earlier and KINDS.index(earlier.kind) < KINDS.index(kind) else kind,
            type=step.type,
            name=step.name,
            properties=_properties(step) or (earlier.properties if earlier else ()),
            because=tuple(step.replace_keys) or (earlier.because if earlier else ()),
        )
    ordered = sorted(
        _renamed(list(by_urn.values())), key=lambda change: (KINDS.index(change.kind), change.type, change.name)
    )
    return EngineChanges(changes=tuple(ordered), unchanged=unchanged, errors=tuple(errors))


def _renamed(changes: Sequence[ResourceChange]) -> Iterator[ResourceChange]:
    """A resource whose name holds its content's hash is made under the new name and deleted under the old: one update."""
    old = {stem: change for change in changes if change.kind == "deleted" and (stem := _stem(change))}
    new = {stem: change for change in changes if change.kind == "created" and (stem := _stem(change))}
    for stem in old.keys() & new.keys():
        before, after = old[stem], new[stem]
        name = PropertyChange(path="name", lines=(f"- {before.name}", f"+ {after.name}"))
        yield ResourceChange(kind="updated", type=after.type, name=stem[1], properties=(name,))
    for change in changes:
        if change.kind not in ("deleted", "created") or _stem(change) not in old.keys() & new.keys():
            yield change


def _stem(change: ResourceChange) -> tuple[str, str] | None:
    """Type and name without the hash of the content; None where the name has none."""
    match = _CONTENT_NAME.fullmatch(change.name)
    return (change.type, match[1]) if match else None


def _properties(step: ResourceStep) -> tuple[PropertyChange, ...]:
    return tuple(
        PropertyChange(path=diff.path, lines=_lines(diff.old, _after(diff)))
        for diff in sorted(step.diffs, key=lambda diff: diff.path)
    )


def _after(diff: PropertyStep) -> Any:
    """The new value; of an output that only the cloud computes, the word that it will be another."""
    return _COMPUTED if diff.new is None and diff.kind.startswith("update") else diff.new


def _lines(old: Any, new: Any) -> tuple[str, ...]:
    """Of texts of several lines only those that differ; everything else in one line, cut when long."""
    if isinstance(old, str) and isinstance(new, str) and ("\n" in old or "\n" in new):
        told = difflib.ndiff(old.splitlines(), new.splitlines())
        return tuple(f"{line[0]} {_cut(line[2:].strip())}" for line in told if line[0] in "+-")
    before = [] if old is None else [f"- {_cut(_text(old))}"]
    after = [] if new is None else [f"+ {_cut(_text(new))}"]
    return (*before, *after)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _cut(text: str) -> str:
    return text if len(text) <= _VALUE_LENGTH else f"{text[: _VALUE_LENGTH - 1]}…"
