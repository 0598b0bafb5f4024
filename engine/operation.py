"""What the engine did, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: What stands where a secret was.
SECRET = "[secret]"

#: What stands where a preview can't know the value.
LATER = "[known after up]"


@dataclass(frozen=True, kw_only=True)
class PropertyDiff:
    """One property that changed: `path` as Pulumi writes it (`tags["a/b"]`, `taints[0].key`)."""

    path: str
    kind: str  # add, delete, update, or one of these with -replace
    old: Any = None
    new: Any = None


@dataclass(frozen=True, kw_only=True)
class Change:
    """One step of the engine on one resource; an unchanged resource has none.

    `started` and `finished` are positions in the engine's event stream, so they order the steps of one operation;
    `finished` is None for a step that failed or never ended. `inputs` are the new ones, for a delete those it had;
    secrets are masked.
    """

    op: str  # create, update, replace, create-replacement, delete-replaced, delete, refresh, read
    type: str
    name: str
    urn: str
    parent: str = ""
    diffs: tuple[PropertyDiff, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    replace_keys: tuple[str, ...] = ()
    started: int = 0
    finished: int | None = None


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """A message of the engine, a provider or the program; `urn` is empty when it is about no resource."""

    severity: str  # info, info#err, warning, error
    message: str
    urn: str = ""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """What a policy says against a resource, or against the stack where `urn` is empty."""

    policy: str
    mandatory: bool
    message: str
    urn: str = ""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One preview, up, refresh or destroy. `changes` is in the order in which the steps started."""

    kind: str
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()
    violations: tuple[Violation, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def finished(self) -> tuple[Change, ...]:
        """The steps that ended, in the order in which they ended."""
        return tuple(sorted((c for c in self.changes if c.finished is not None), key=lambda c: c.finished or 0))

    @property
    def summary(self) -> Mapping[str, int]:
        """How many steps of each kind."""
        ops = sorted({change.op for change in self.changes})
        return {op: sum(change.op == op for change in self.changes) for op in ops}

    def of(self, type_: str, name: str | None = None) -> tuple[Change, ...]:
        """The steps on resources of a type (and name)."""
        return tuple(c for c in self.changes if c.type == type_ and name in (None, c.name))

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """Messages of severity warning."""
        return tuple(d for d in self.diagnostics if d.severity == "warning")

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Messages of severity error."""
        return tuple(d for d in self.diagnostics if d.severity == "error")
