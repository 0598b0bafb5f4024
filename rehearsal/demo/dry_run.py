"""The program without an engine: what it declares, compared with what it declared before.

There is no state here, so nobody can say whether a change replaces, and nothing is created or destroyed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from engine.events import at
from engine.operation import SECRET, Change, Operation, PropertyDiff
from rehearsal.demo.tree import Entry
from rehearsal.demo.words import DECLARE
from rehearsal.existing import existing_world
from rehearsal.project import ROOT, project_name, project_program, stack_config, with_setting
from rehearsal.recorder import Declared, Recording, record
from rehearsal.values import differences


class DryRun:
    """A stack under the recording monitor, with the settings of its stack file."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._config = stack_config(name)
        self._before: Recording | None = None
        self._now: Recording | None = None

    def declare(self) -> Operation:
        """Runs the program; the changes are against the run before."""
        started = time.monotonic()
        self._before, self._now = self._now, self._run()
        changes = tuple(_changes(self._before.by_urn if self._before else {}, self._now.by_urn))
        created = sum(change.op == "create" for change in changes)
        updated = sum(change.op == "update" for change in changes)
        return Operation(
            kind=DECLARE,
            changes=changes,
            unchanged=len(self._now.resources) - created - updated,
            outputs=self._now.outputs,
            seconds=time.monotonic() - started,
        )

    def edit(self, path: str, value: Any) -> None:
        """Sets one setting for the next run."""
        self._config = with_setting(self._config, path, value, project_name())

    def entries(self) -> tuple[Entry, ...]:
        """What the last run declared."""
        resources = self._now.resources if self._now else ()
        return tuple(Entry(urn=one.urn, type=one.type, parent=one.parent, custom=one.custom) for one in resources)

    def _run(self) -> Recording:
        program = project_program(ROOT)
        existing = existing_world(ROOT / f"Pulumi.{self._name}.yaml")
        return record(program, stack=self._name, config=self._config, project=project_name(), existing=existing)


def _changes(before: Mapping[str, Declared], now: Mapping[str, Declared]) -> Iterator[Change]:
    for urn in sorted({*before, *now}):
        old, new = before.get(urn), now.get(urn)
        if old is None and new is not None:
            yield _change("create", new)
        elif new is None and old is not None:
            yield _change("delete", old)
        elif old is not None and new is not None and old.inputs != new.inputs:
            yield _change("update", new, tuple(_diffs(old, new)))


def _change(op: str, declared: Declared, diffs: tuple[PropertyDiff, ...] = ()) -> Change:
    return Change(
        op=op,
        type=declared.type,
        name=declared.name,
        urn=declared.urn,
        parent=declared.parent,
        diffs=diffs,
        inputs=_shown(declared),
    )


def _diffs(old: Declared, new: Declared) -> Iterator[PropertyDiff]:
    was, is_ = _shown(old), _shown(new)
    for found in differences(was, is_):
        yield PropertyDiff(path=found.path, kind=found.kind, old=at(was, found.path), new=at(is_, found.path))


def _shown(declared: Declared) -> dict[str, Any]:
    return {name: SECRET if name in declared.secrets else value for name, value in declared.inputs.items()}
