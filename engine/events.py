"""The engine's event stream turned into an Operation."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pulumi.automation import EngineEvent, StepEventMetadata
from pulumi.automation.events import PolicyEvent

from engine.operation import LATER, SECRET, Change, Diagnostic, PropertyDiff, Violation

STACK = "pulumi:pulumi:Stack"

#: Steps that change nothing in the world.
QUIET = frozenset({"same", "read", "refresh"})

#: The engine's key for secrets (and other special objects, which never reach inputs or outputs of events).
_MARK = "4dabf18193072939515e22adb298388d"
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

_COLOUR = re.compile(r"<\{%.*?%\}>|\x1b\[[0-9;]*m")
_STEP = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\.?([^.\[]+)')


@dataclass
class Events:
    """Collects one operation's events; the engine's server calls `add` from its own thread."""

    changes: dict[tuple[str, str], Change] = field(default_factory=dict)
    unchanged: set[str] = field(default_factory=set)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)

    def add(self, event: EngineEvent) -> None:
        """Takes in one event."""
        if pre := event.resource_pre_event:
            self._started(pre.metadata, event.sequence)
        elif done := event.res_outputs_event:
            self._finished(done.metadata, event.sequence)
        elif said := event.diagnostic_event:
            if not said.ephemeral and said.severity != "debug":
                self.diagnostics.append(_diagnostic(said.severity, said.message, said.urn))
        elif found := event.policy_event:
            self.violations.append(_violation(found))
        elif event.cancel_event:
            self.ended.set()

    def _started(self, step: StepEventMetadata, sequence: int) -> None:
        if step.type == STACK:
            return
        if step.op.value in QUIET:
            self.unchanged.add(step.urn)
            return
        self.changes[step.urn, step.op.value] = _change(step, sequence)

    def _finished(self, step: StepEventMetadata, sequence: int) -> None:
        key = (step.urn, step.op.value)
        if step.type == STACK:
            if step.new and step.new.outputs is not None:
                self.outputs = masked(step.new.outputs)
        elif key in self.changes:
            self.changes[key] = replace(self.changes[key], finished=sequence)
        elif step.op.value not in QUIET:  # a refresh says what it found only at the end
            self.unchanged.discard(step.urn)
            self.changes[key] = replace(_change(step, sequence), finished=sequence)

    def ordered(self) -> tuple[Change, ...]:
        """The changes in the order in which they started."""
        return tuple(sorted(self.changes.values(), key=lambda change: change.started))


def _diagnostic(severity: str, message: str, urn: str | None) -> Diagnostic:
    return Diagnostic(severity=severity, message=plain(message).strip(), urn=urn or "")


def _violation(found: PolicyEvent) -> Violation:
    return Violation(
        policy=found.policy_name,
        mandatory=found.enforcement_level == "mandatory",
        message=plain(found.message).strip(),
        urn=found.resource_urn or "",
    )


def plain(text: str) -> str:
    """The text without colour."""
    return _COLOUR.sub("", text)


def _change(step: StepEventMetadata, sequence: int) -> Change:
    state = step.new or step.old
    return Change(
        op=step.op.value,
        type=step.type,
        name=step.urn.rsplit("::", 1)[-1],
        urn=step.urn,
        parent=state.parent if state else "",
        diffs=_diffs(step),
        inputs=masked((state.inputs if state else None) or {}),
        replace_keys=tuple(sorted(step.keys or ())),
        started=sequence,
    )


def _diffs(step: StepEventMetadata) -> tuple[PropertyDiff, ...]:
    if step.old is None or step.new is None:
        return ()
    old_inputs, new_inputs = step.old.inputs or {}, step.new.inputs or {}
    old_outputs = step.old.outputs or {}
    detailed = step.detailed_diff or {}
    if not detailed:
        keys = step.diffs or ()
        return tuple(
            PropertyDiff(
                path=key, kind=_kind(key in old_inputs, key in new_inputs), **_values(key, old_inputs, new_inputs)
            )
            for key in sorted(keys)
        )
    return tuple(
        PropertyDiff(
            path=path,
            kind=diff.diff_kind.value,
            **_values(path, old_inputs if diff.input_diff else old_outputs, new_inputs),
        )
        for path, diff in sorted(detailed.items())
    )


def _kind(was: bool, is_: bool) -> str:
    return "update" if was and is_ else "add" if is_ else "delete"


def _values(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {"old": masked(at(old, path)), "new": masked(at(new, path))}


def masked(value: Any) -> Any:
    """The value with SECRET where the engine marks a secret, and LATER where it does not know yet."""
    if isinstance(value, Mapping):
        return SECRET if _MARK in value else {name: masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    return LATER if value == _UNKNOWN else value


def at(tree: Any, path: str) -> Any:
    """What lies at a Pulumi property path, or None."""
    for quoted, index, key in _STEP.findall(path):
        if index:
            if not isinstance(tree, list) or int(index) >= len(tree):
                return None
            tree = tree[int(index)]
        else:
            if not isinstance(tree, Mapping):
                return None
            tree = tree.get(json.loads(f'"{quoted}"') if quoted else key)
    return tree
