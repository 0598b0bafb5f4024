"""Tells a demo on a console: what happens, what changed, what it cost, what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

import yaml
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from gpu_slices.plan import Plan
from gpu_slices.report.plan_table import print_plan
from gpu_slices.report.words import arrow, gib, usd
from rehearsal.demo.progress import Steps
from rehearsal.demo.slice_edit import SliceEdit
from rehearsal.demo.story import Step, Story
from rehearsal.demo.tree import Component
from rehearsal.demo.words import Description

#: Rows of a table that would otherwise list dozens of instance types.
_MOST_ROWS: Final = 6

_KEPT: Final = ("✓ ", "green")
_BROKEN: Final = ("✗ ", "bold red")

_WORDS: Final[Mapping[str, str]] = {"create": "created", "delete": "deleted", "update": "updated"}
_PLANNED: Final[Mapping[str, str]] = {"create": "to create", "delete": "to delete", "update": "to update"}

_STAND_INS: Final = (
    "aws, eks and kubernetes are stand-ins on this machine: no account is asked, nothing is created in a cloud, "
    "nothing costs."
)


class Teller:
    """Writes to one console; `step` and `current` are about what runs now."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._steps = Steps(console)

    @property
    def current(self) -> str:
        """The step that runs now, or that failed; "" between steps."""
        return self._steps.current

    def step(self, words: str) -> AbstractContextManager[None]:
        """Shows that something runs."""
        return self._steps.step(words)

    def opening(self, stack: str, engine: str) -> None:
        """What is real here and what is not."""
        self._heading(f"Demo of stack {stack}")
        self._say(f"The engine is real ({engine}), and so is the program. {_STAND_INS}")

    def dry_opening(self, stack: str) -> None:
        """That no engine takes part."""
        self._heading(f"DRY RUN of stack {stack}: no Pulumi engine takes part")
        self._say(
            "The program runs, and what it declares is recorded. Without an engine there is no state: nothing is "
            "created or destroyed, and nobody decides whether a change replaces."
        )

    def plan(self, plan: Plan) -> None:
        """The plan's table, tenants and warnings."""
        self._console.print()
        print_plan(plan, self._console)

    def done(self, step: Step) -> None:
        """One step that ended."""
        self._console.print(Text.assemble(_KEPT, f"{step.name}: {_counts(step)} ({step.seconds:.1f} s)"))

    def tree(self, tops: tuple[Component, ...], others: int = 0) -> None:
        """Resources by component; `others` are the providers that the engine adds itself."""
        self._heading("Resources by component")
        for top in tops:
            self._console.print(_tree(top, None))
        if others:
            self._say(f"and {others} providers that the engine adds itself")

    def edit(self, edit: SliceEdit) -> None:
        """What a person would type now."""
        self._heading(f"Slice edit: pool {edit.pool}, {edit.before} → {edit.after} slices per GPU")
        self._console.print(Text(f"$ {edit.command}", style="bold"))

    def diff(self, diff: Description, before: Plan, after: Plan) -> None:
        """What the edit changes, and what nodes and slices become."""
        for line in diff.lines:
            self._say(f"  {line}")
        self._say(f"  {diff.summary}", style="red" if diff.replaced else "green")
        self._console.print(_becomes(before, after))

    def outputs(self, outputs: Mapping[str, Any]) -> None:
        """The stack's outputs; a pod snippet is shown as the YAML it is."""
        self._heading("Outputs")
        for name, value in outputs.items():
            if not isinstance(value, Mapping):
                self._console.print(Text(f"{name}: {value}"))
                continue
            snippets = {key: inner["podSnippet"] for key, inner in value.items() if _has_snippet(inner)}
            rest = {key: _without_snippet(inner) for key, inner in value.items()}
            self._console.print(Text(yaml.safe_dump({name: rest}, sort_keys=False).rstrip()))
            for pool, snippet in snippets.items():
                self._console.print(Text(f"\nA pod that takes one slice of {pool}:", style="bold"))
                self._console.print(Text(_indented(snippet)))

    def closing(self, story: Story) -> None:
        """Timings, promises, and what is left."""
        self._heading("Timings")
        self._console.print(_timings(story))
        for promise in story.promises:
            self._console.print(Text.assemble(_KEPT if promise.kept else _BROKEN, promise.words))
            for name in promise.broken_by:
                self._console.print(Text(f"    {name}", style="red"))
        if story.left is not None:
            state, account = len(story.left.state), len(story.left.account)
            style = "bold red" if state or account else "bold green"
            words = f"{max(state, account)} resources left (state: {state}, account: {account})"
            self._console.print(Text(words, style=style))

    def _heading(self, words: str) -> None:
        self._console.print()
        self._console.print(Text(words, style="bold"))

    def _say(self, words: str, style: str = "") -> None:
        self._console.print(Text(words, style=style), soft_wrap=not self._console.is_terminal)


def _counts(step: Step) -> str:
    words = _PLANNED if step.name.startswith(("preview", "declare")) else _WORDS
    told = ", ".join(f"{count} {words.get(op, op)}" for op, count in sorted(step.counts.items()))
    return told or "nothing to do"


def _tree(component: Component, parent: Tree | None) -> Tree:
    own = ", ".join(f"{count} {kind}" if count > 1 else kind for kind, count in component.own.items())
    label = Text.assemble((component.kind, "bold"), f" {component.name}", (f"  {own}" if own else "", "cyan"))
    if parent is None:
        label.append(f"  ({component.total + 1} resources)", "dim")
    branch = Tree(label) if parent is None else parent.add(label)
    for inside in component.inside:
        _tree(inside, branch)
    return branch


def _becomes(before: Plan, after: Plan) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0))
    for heading in ("pool", "node", "resource"):
        table.add_column(heading, no_wrap=True)
    for heading in ("slices", "GPU memory each", "$/hour each"):
        table.add_column(heading, justify="right", no_wrap=True)
    rows = list(_changed_shapes(before, after))
    for row in rows[:_MOST_ROWS]:
        table.add_row(*row)
    if len(rows) > _MOST_ROWS:
        table.add_row("", f"… {len(rows) - _MOST_ROWS} more")
    return table


def _changed_shapes(before: Plan, after: Plan) -> Iterator[tuple[str, ...]]:
    old = {(pool.name, shape.instance.name): shape for pool in before.pools for shape in pool.shapes}
    for pool in after.pools:
        for shape in pool.shapes:
            was = old.get((pool.name, shape.instance.name))
            if was is None or was.advertised == shape.advertised:
                continue
            had = {one.resource: one for one in was.slices}
            for one in shape.slices:
                before_it = had.get(one.resource)
                yield (
                    pool.name,
                    shape.instance.name,
                    one.resource,
                    arrow(str(before_it.count) if before_it else "0", str(one.count)),
                    arrow(before_it and gib(before_it.gpu_memory_mib), gib(one.gpu_memory_mib)),
                    arrow(before_it and usd(before_it.usd_per_hour), usd(one.usd_per_hour)),
                )


def _timings(story: Story) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("step", no_wrap=True)
    table.add_column("seconds", justify="right")
    table.add_column("resources", no_wrap=True)
    for step in story.steps:
        table.add_row(step.name, f"{step.seconds:.1f}", _counts(step))
    table.add_section()
    table.add_row("all steps", f"{sum(step.seconds for step in story.steps):.1f}", "")
    return table


def _has_snippet(value: Any) -> bool:
    return isinstance(value, Mapping) and "podSnippet" in value


def _without_snippet(value: Any) -> Any:
    return {key: inner for key, inner in value.items() if key != "podSnippet"} if _has_snippet(value) else value


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())
