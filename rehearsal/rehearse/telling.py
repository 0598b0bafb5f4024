"""Tells a rehearsal on a console, with the demo's words where the two do the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

from rehearsal.demo.telling import Teller
from rehearsal.rehearse.result import Act, PoolBurst, Result

_REAL: Final = (
    "Real: the program, the Pulumi engine, the Kubernetes API server with its controllers and scheduler, Karpenter. "
    "Stand-ins: aws, eks, and the machines (their kubelets, device plugins and pods). No account is asked, nothing costs."
)


class RehearsalTeller(Teller):
    """Writes to one console."""

    def opening_rehearsal(self, stack: str, versions: Mapping[str, str]) -> None:
        """What is real here and what is not."""
        self._heading(f"Rehearsal of stack {stack}")
        told = ", ".join(f"{name} {version}" for name, version in versions.items())
        self._say(f"{_REAL} ({told})")

    def lifted(self, settings: Mapping[str, Any]) -> None:
        """What the rehearsal changed in its copy of the stack file."""
        if settings:
            told = ", ".join(f"{path}: {'removed' if value is None else value}" for path, value in settings.items())
            self._say(f"For so many pods the copy of the stack file says {told}", style="yellow")

    def act(self, act: Act) -> None:
        """One step that ended."""
        memory = f", {act.peak_mib:.0f} MiB" if act.peak_mib else ""
        self._console.print(
            Text.assemble(("✓ ", "green"), f"{act.name}: {act.did} ({act.seconds:.1f} s{memory})"),
            soft_wrap=not self._console.is_terminal,
        )

    def ready_to_look(self, kubeconfig: str) -> None:
        """That everything stays up, and how to look at it."""
        self._heading("Kept: everything is up until Ctrl-C")
        self._say(f"kubectl --kubeconfig {kubeconfig} get nodes,pods -A", style="bold")

    def closing_rehearsal(self, result: Result, pages: Mapping[str, str]) -> None:
        """Timings, bursts, promises, what is left, where the page lies."""
        self._heading("Bursts")
        self._console.print(_bursts(result))
        self._heading("Timings")
        self._console.print(_timings(result))
        for promise in result.promises:
            mark = ("✓ ", "green") if promise.kept else ("✗ ", "bold red")
            self._console.print(Text.assemble(mark, promise.words))
            for name in promise.broken_by:
                self._console.print(Text(f"    {name}", style="red"))
        self._console.print()
        for words, path in pages.items():
            self._say(f"{words}: {path}")


def _bursts(result: Result) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("burst", no_wrap=True)
    for heading in (
        "slices per GPU",
        "pods asked",
        "running",
        "usable per node",
        "nodes needed",
        "launched",
        "nodes",
        "seconds",
    ):
        table.add_column(heading, justify="right")
    for one in (result.first, result.again, result.without):
        if one:
            table.add_row(*_row(one, result))
    return table


def _row(one: PoolBurst, result: Result) -> tuple[str, ...]:
    return (
        one.words,
        str(one.replicas),
        str(one.burst.asked),
        str(one.burst.running),
        one.usable_words,
        str(one.needed.least) if one.needed.least == one.needed.most else f"{one.needed.least}–{one.needed.most}",
        str(one.burst.launched) if result.launched_by_karpenter else "–",
        str(one.burst.nodes),
        f"{one.burst.seconds:.1f}",
    )


def _timings(result: Result) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("step", no_wrap=True)
    table.add_column("seconds", justify="right")
    table.add_column("peak MiB", justify="right")
    for act in result.acts:
        table.add_row(act.name, f"{act.seconds:.1f}", f"{act.peak_mib:.0f}")
    table.add_section()
    total, peak = sum(act.seconds for act in result.acts), max(act.peak_mib for act in result.acts)
    table.add_row("all steps", f"{total:.1f}", f"{peak:.0f}")
    return table
