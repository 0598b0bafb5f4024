"""The demo itself: preview, up, slice edit, preview, up, destroy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.binary import version
from engine.operation import Operation
from gpu_slices.plan import Plan, make_plan
from gpu_slices.settings import parse, read_stack_file
from gpu_slices.settings.stack_file import stack_path
from rehearsal.account import EXISTING
from rehearsal.demo.dry_run import DryRun
from rehearsal.demo.promises import Promise, in_order, nothing_left, same_as_previewed, slice_edit_promises
from rehearsal.demo.slice_edit import SliceEdit, choose_edit
from rehearsal.demo.story import Left, Step, Story
from rehearsal.demo.telling import Teller
from rehearsal.demo.tree import component_tree, entries_of_state
from rehearsal.demo.words import Description, describe
from rehearsal.project import ROOT, with_value
from rehearsal.stage import Stage, stage

DRY = "none: this is a dry run"


@dataclass
class _Notes:
    """What is written down while the demo runs."""

    steps: list[Step] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    diff: Description | None = None


class Demo:
    """One stack's demo. Raises SettingsError for a stack file with mistakes, before anything runs."""

    def __init__(self, name: str, teller: Teller) -> None:
        self._file = read_stack_file(stack_path(ROOT, name))
        self.plan = _plan(self._file.raw, name)
        self._name = name
        self._teller = teller
        self._notes = _Notes()
        self._edit = choose_edit(self.plan, self._file.raw)

    def on_engine(self, binary: Path) -> Story:
        """The whole story on the real engine over the stand-ins. Raises EngineError."""
        engine = f"pulumi {version(binary)}"
        self._teller.opening(self._name, engine)
        self._teller.plan(self.plan)
        with stage(self._name) as ready:
            outputs, left = self._acts(ready)
        return self._story(engine, outputs, left)

    def without_engine(self) -> Story:
        """What the program declares before and after the edit, under the recording monitor."""
        self._teller.dry_opening(self._name)
        self._teller.plan(self.plan)
        dry = DryRun(self._name)
        declared = self._step("declare", dry.declare)
        self._teller.tree(component_tree(dry.entries()))
        outputs = declared.outputs
        if self._edit:
            self._teller.edit(self._edit)
            dry.edit(self._edit.path, self._edit.after)
            again = self._step("declare with the edit", dry.declare)
            self._tell_diff(self._edit, again)
            outputs = again.outputs
        self._teller.outputs(outputs)
        return self._story(DRY, outputs, None)

    def _acts(self, ready: Stage) -> tuple[Mapping[str, Any], Left]:
        self._step("preview", ready.preview)
        self._step("up", ready.up)
        stored = ready.resources()
        own = entries_of_state(stored)
        self._teller.tree(component_tree(own), others=len(stored) - len(own))
        if self._edit:
            self._slice_edit(ready, self._edit)
        outputs = ready.outputs()
        self._teller.outputs(outputs)
        self._step("destroy", ready.destroy)
        left = Left(
            state=tuple(one["urn"] for one in ready.resources()),
            account=tuple(item.urn or item.id for item in ready.account.all() if item.urn != EXISTING),
        )
        self._notes.promises.append(nothing_left(left.state, left.account))
        return outputs, left

    def _slice_edit(self, ready: Stage, edit: SliceEdit) -> None:
        self._teller.edit(edit)
        ready.edit(edit.path, edit.after)
        preview = self._step("preview of the edit", ready.preview)
        self._tell_diff(edit, preview)
        up = self._step("up with the edit", ready.up)
        self._notes.promises += [same_as_previewed(preview, up), in_order(up)]

    def _tell_diff(self, edit: SliceEdit, operation: Operation) -> None:
        after = self._plan_after(edit)
        names = {*self.plan.plugin_configs, *after.plugin_configs}
        self._notes.diff = describe(operation, names)
        self._teller.diff(self._notes.diff, self.plan, after)
        self._notes.promises.extend(slice_edit_promises(operation))

    def _plan_after(self, edit: SliceEdit) -> Plan:
        return _plan(with_value(self._file.raw, edit.path.split("."), edit.after), self._name)

    def _step(self, name: str, run: Callable[[], Operation]) -> Operation:
        with self._teller.step(name):
            operation = run()
        step = Step.of(name, operation)
        self._notes.steps.append(step)
        self._teller.done(step)
        return operation

    def _story(self, engine: str, outputs: Mapping[str, Any], left: Left | None) -> Story:
        notes = self._notes
        return Story(
            stack=self._name,
            engine=engine,
            steps=tuple(notes.steps),
            edit=self._edit,
            diff=notes.diff,
            outputs=outputs,
            promises=tuple(notes.promises),
            left=left,
        )


def _plan(raw: Mapping[str, Any], name: str) -> Plan:
    return make_plan(parse(raw, stack=name), stack=name)
